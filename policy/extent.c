/* SPDX-License-Identifier: BSD-2-Clause */
/* The extent of a policy: which acts it speaks of, what it leaves of a mechanism; and its end. */
#include <limits.h>
#include <stdlib.h>

#include "policy/describe.h"
#include "policy/policy.h"

/* Acts that checks of the hardening look at, whatever the objects; C_EncryptInit and C_DecryptInit
 * only with mechanisms that wrap keys. */
#define HARDENED                                                                                   \
	(ACT_BIT(ACT_WRAP) | ACT_BIT(ACT_UNWRAP) | ACT_BIT(ACT_DERIVE) | ACT_BIT(ACT_SET_ATTR) |   \
	 ACT_BIT(ACT_COPY) | ACT_BIT(ACT_GENERATE) | ACT_BIT(ACT_IMPORT) | ACT_BIT(ACT_DIGEST) |   \
	 ACT_BIT(ACT_ENCRYPT) | ACT_BIT(ACT_DECRYPT) | ACT_BIT(ACT_SO_LOGIN) |                     \
	 ACT_BIT(ACT_INIT_TOKEN))

/* Acts that profiles and ceilings speak of. */
#define PROFILED                                                                                   \
	((ACT_BIT(ACT_DIGEST) | (ACT_BIT(ACT_DIGEST) - 1)) | ACT_BIT(ACT_GENERATE) |               \
	 ACT_BIT(ACT_IMPORT))

void policy_finish(struct policy *p)
{
	act_set all = ACT_BIT(ACT_COUNT) - 1;

	p->spoken = p->object_acts = 0;
	if (p->hardening != 0)
		p->spoken = p->object_acts = HARDENED;
	if (p->profile_count > 0 || p->ceiling_count > 0) {
		p->spoken |= PROFILED;
		p->object_acts |= PROFILED;
	}
	for (size_t i = 0; i < p->rule_count; i++) {
		p->spoken |= rule_acts(&p->rules[i]);
		if (rule_is_about_objects(&p->rules[i]))
			p->object_acts |= rule_acts(&p->rules[i]);
	}
	if (p->is_default_deny || p->not_after != 0 || p->trust_min > TRUST_SELF)
		p->spoken = all;
	p->wants_keys = p->profile_count > 0 || p->ceiling_count > 0;
	for (size_t i = 0; i < p->rule_count; i++)
		p->wants_keys =
			p->wants_keys ||
			(rule_is_about_objects(&p->rules[i]) &&
			 (rule_acts(&p->rules[i]) & (ACT_BIT(ACT_ENCRYPT) | ACT_BIT(ACT_DECRYPT))));
}

bool policy_speaks(const struct policy *p, enum policy_act act)
{
	return p && p->mode != POLICY_OFF && act < ACT_COUNT && (p->spoken & ACT_BIT(act));
}

bool policy_wants_objects(const struct policy *p, enum policy_act act, const CK_MECHANISM *mech)
{
	struct algorithm a;

	if (!(p->object_acts & ACT_BIT(act)))
		return false;
	if (p->wants_keys || (act != ACT_ENCRYPT && act != ACT_DECRYPT) || !mech)
		return true;
	algorithm_of_type(mech->mechanism, act, &a);
	return a.family == ASPECT_AES_WRAP || a.family == ASPECT_RSA_AES_WRAP ||
	       a.family == ASPECT_ECDH_AES_WRAP;
}

/* The smallest key that a profile lets an act use; UINT_MAX: none. */
static unsigned profile_least(const struct policy *p, const struct profile *profile,
			      enum policy_aspect aspect, enum policy_act act, int64_t now)
{
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < profile->count; i++) {
		const struct profile_cell *c = &profile->cells[i];
		struct aspect at = {aspect, c->least, REASON_KEY_SIZE, NULL};
		struct profile_answer answer;

		if (c->aspect != aspect)
			continue;
		profile_ask(profile, &at, now, &answer);
		if (profile_lets(answer.verdict, act, false, p->cnsa1_grace) && c->least < least)
			least = c->least;
	}
	return least;
}

static CK_KEY_TYPE key_type(enum policy_aspect aspect)
{
	switch ((int)aspect) {
	case ASPECT_KEY_RSA:
		return CKK_RSA;
	case ASPECT_KEY_AES:
		return CKK_AES;
	case ASPECT_KEY_DSA:
		return CKK_DSA;
	default:
		return CKK_DH;
	}
}

static bool speaks_of_type(const struct ceiling *c, CK_KEY_TYPE type)
{
	if (c->mech.is_set || c->hash.is_set)
		return false;
	for (size_t i = 0; i < c->key.count; i++) {
		if (c->key.number[i] == type)
			return true;
	}
	return !c->key.is_set;
}

/* Narrows the bounds by the sizes that profiles and ceilings ask for; false when nothing is left.
 */
static bool narrow(const struct policy *p, enum policy_aspect aspect, enum policy_act act,
		   int64_t now, struct policy_bounds *bounds)
{
	for (size_t i = 0; i < p->profile_count; i++) {
		unsigned least = profile_least(p, p->profiles[i], aspect, act, now);

		if (least == UINT_MAX)
			return false;
		bounds->least = least > bounds->least ? least : bounds->least;
	}
	for (size_t i = 0; i < p->ceiling_count; i++) {
		const struct ceiling *c = &p->ceilings[i];

		if (!speaks_of_type(c, key_type(aspect)))
			continue;
		bounds->least = c->bits_min > bounds->least ? c->bits_min : bounds->least;
		if (c->bits_max != 0 && (bounds->most == 0 || c->bits_max < bounds->most))
			bounds->most = c->bits_max;
	}
	return bounds->most == 0 || bounds->least <= bounds->most;
}

bool policy_leaves(const struct policy *policy, CK_MECHANISM_TYPE type, enum policy_act act,
		   int64_t now, struct policy_bounds *bounds)
{
	const CK_MECHANISM mech = {type, NULL, 0};
	const struct facts facts = {
		.act = act,
		.function = "",
		.token = "",
		.role = "user",
		.caller = describe_nobody(),
		.mech = &mech,
		.now = now,
	};
	struct policy ceilings;
	struct verdict verdict;
	struct algorithm algorithm;

	*bounds = (struct policy_bounds){0, 0};
	if (!policy || policy->mode != POLICY_ENFORCE)
		return true;
	ceilings = *policy;
	ceilings.rule_count = 0;
	ceilings.is_default_deny = false;
	ceilings.not_after = 0;
	ceilings.trust_min = TRUST_SELF;
	policy_explain(&ceilings, &facts, &verdict, NULL, NULL);
	if (!verdict.is_allowed)
		return false;
	algorithm_of_type(type, act, &algorithm);
	if (algorithm_key(algorithm.family) == ASPECT_COUNT)
		return true;
	return narrow(policy, algorithm_key(algorithm.family), act, now, bounds);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->ceiling_count; i++)
		ceiling_fini(&p->ceilings[i]);
	for (size_t i = 0; i < p->rule_count; i++)
		rule_fini(&p->rules[i]);
	free(p->ceilings);
	free(p->rules);
	free(p->name);
	free(p);
}

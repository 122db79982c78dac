/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision about one call: facts in, verdict out, nothing else. It must stay pure, so that the
 * command line can ask it the same questions that the gate asks.
 *
 * The layers are asked from above: trust and expiry, hardening, each profile, the ceilings of the
 * file, its rules. The first that refuses decides; none of them can allow what another refuses. In
 * the rules a deny wins over any allow, so that their order means nothing. */
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "policy/aspect.h"

/* One decision on its way. */
struct asking {
	const struct policy *policy;
	const struct facts *facts;
	const struct algorithm *algorithm;
	struct verdict *verdict;
	policy_listener *listener;
	void *context;
};

static void tell(const struct asking *a, enum policy_layer layer, const char *name,
		 const char *says)
{
	if (a->listener)
		a->listener(a->context, layer, name, says);
}

/* Which object a refusal is about decides between the codes for keys in different places. */
static enum policy_part part_of(const struct policy_object *o)
{
	return o ? o->part : PART_KEY;
}

/* Refuses, unless something has refused already. */
static void refuse(const struct asking *a, enum policy_layer layer, enum policy_reason reason,
		   unsigned number, const char *rule, enum policy_part part)
{
	struct verdict *v = a->verdict;

	if (!v->is_allowed)
		return;
	v->is_allowed = false;
	v->why[0] = '\0'; /* what only would have refused is not the reason */
	v->layer = layer;
	v->reason = reason;
	v->number = (uint16_t)number;
	v->rule = rule;
	v->code = verdict_code(reason, a->facts->act, part);
}

/* True while the rest has to be asked: nothing refused yet, or somebody listens. */
static bool goes_on(const struct asking *a)
{
	return a->verdict->is_allowed || a->listener;
}

/* Sets the reason in words when this refusal is the one that counts. */
static void explain(const struct asking *a, const char *rule, const char *why)
{
	if (a->verdict->rule == rule && a->verdict->why[0] == '\0')
		(void)snprintf(a->verdict->why, sizeof a->verdict->why, "%s", why);
}

static void ask_expiry(const struct asking *a)
{
	const struct policy *p = a->policy;
	bool is_over = p->not_after != 0 && a->facts->now > p->not_after;

	if (!is_over) {
		tell(a, LAYER_EXPIRY, "not_after", "in force");
		return;
	}
	if (p->on_expiry == EXPIRY_WARN ||
	    (p->on_expiry == EXPIRY_DENY_MUTATIONS && !act_is_mutation(a->facts->act))) {
		tell(a, LAYER_EXPIRY, "not_after", "over, allowed by on_expiry");
		return;
	}
	tell(a, LAYER_EXPIRY, "not_after", "over, refused by on_expiry");
	refuse(a, LAYER_EXPIRY, REASON_USAGE, NUMBER_EXPIRY, "not_after", PART_KEY);
	explain(a, "not_after", "the policy is out of date");
}

static void ask_trust(const struct asking *a)
{
	if (a->facts->caller->trust >= a->policy->trust_min) {
		tell(a, LAYER_TRUST, "trust_min", "met");
		return;
	}
	tell(a, LAYER_TRUST, "trust_min", "not met");
	refuse(a, LAYER_TRUST, REASON_USAGE, NUMBER_TRUST, "trust_min", PART_KEY);
	explain(a, "trust_min", "the identity of the caller is not sure enough");
}

static void ask_hardening(const struct asking *a)
{
	for (unsigned i = 0; i < HARDEN_COUNT && goes_on(a); i++) {
		enum policy_reason reason;

		if (!(a->policy->hardening & HARDEN_BIT(i)))
			continue;
		reason = harden_ask(i, a->facts, a->algorithm);
		tell(a, LAYER_HARDENING, harden_word(i),
		     reason == REASON_NONE ? "passes" : "refuses");
		if (reason == REASON_NONE)
			continue;
		refuse(a, LAYER_HARDENING, reason, NUMBER_HARDENING + i, harden_word(i), PART_KEY);
		explain(a, harden_word(i), harden_text(i));
	}
}

/* Which acts profiles speak of: those that use a mechanism, or that make a key. */
static bool is_profiled(enum policy_act act)
{
	return act <= ACT_DIGEST || act == ACT_GENERATE || act == ACT_IMPORT;
}

static void describe_aspect(const struct aspect *at, const struct profile *p,
			    const struct profile_answer *answer, char why[static VERDICT_WHY_LEN])
{
	const char *text = aspect_text(at->aspect);
	char size[24] = "";

	if (at->bits > 0)
		(void)snprintf(size, sizeof size, " of %u bits", at->bits);
	if (answer->least > 0 && at->bits > 0)
		(void)snprintf(why, VERDICT_WHY_LEN, "%s of %u bits: least %u in %s", text,
			       at->bits, answer->least, p->name);
	else if (answer->least > 0)
		(void)snprintf(why, VERDICT_WHY_LEN, "%s of unknown size: least %u in %s", text,
			       answer->least, p->name);
	else
		(void)snprintf(why, VERDICT_WHY_LEN, "%s%s: %s in %s", text, size,
			       answer->verdict == PROFILE_PROCESS
				       ? "only what was made before is opened or verified"
				       : "not approved",
			       p->name);
}

/* The size of what is unwrapped or derived is known only when it is there. */
static bool is_measured_later(const struct facts *f, const struct aspect *at)
{
	return at->object && at->object->part == PART_NEW && at->bits == 0 &&
	       at->reason == REASON_KEY_SIZE &&
	       (f->act == ACT_UNWRAP || f->act == ACT_DERIVE || f->act == ACT_GENERATE);
}

static void ask_profile(const struct asking *a, const struct profile *p,
			const struct aspect_list *list)
{
	char why[VERDICT_WHY_LEN];

	for (unsigned i = 0; i < list->count && goes_on(a); i++) {
		const struct aspect *at = &list->at[i];
		struct profile_answer answer;

		if (is_measured_later(a->facts, at))
			continue;
		profile_ask(p, at, a->facts->now, &answer);
		if (profile_lets(answer.verdict, a->facts->act,
				 at->object && at->object->class == CKO_PUBLIC_KEY,
				 a->policy->cnsa1_grace)) {
			if (answer.verdict == PROFILE_WARN && !a->verdict->is_warned) {
				a->verdict->is_warned = true;
				a->verdict->warned_by = p;
				a->verdict->warned_about = at->aspect;
			}
			tell(a, LAYER_PROFILE, p->name, aspect_text(at->aspect));
			continue;
		}
		describe_aspect(at, p, &answer, why);
		tell(a, LAYER_PROFILE, p->name, why);
		refuse(a, LAYER_PROFILE, at->reason,
		       NUMBER_PROFILE + (unsigned)profile_number(p) * 0x100 + at->aspect, p->name,
		       part_of(at->object));
		explain(a, p->name, why);
	}
}

static void ask_profiles(const struct asking *a)
{
	struct aspect_list list;

	if (a->policy->profile_count == 0 || !is_profiled(a->facts->act))
		return;
	aspects_of(a->facts, a->algorithm, &list);
	for (size_t i = 0; i < a->policy->profile_count && goes_on(a); i++)
		ask_profile(a, a->policy->profiles[i], &list);
}

static void ask_ceilings(const struct asking *a)
{
	char why[VERDICT_WHY_LEN];

	if (!is_profiled(a->facts->act))
		return;
	for (size_t i = 0; i < a->policy->ceiling_count && goes_on(a); i++) {
		enum policy_reason reason =
			ceiling_ask(&a->policy->ceilings[i], a->facts, a->algorithm, why);

		tell(a, LAYER_CEILING, "ceiling", reason == REASON_NONE ? "passes" : why);
		if (reason == REASON_NONE)
			continue;
		refuse(a, LAYER_CEILING, reason, NUMBER_CEILING + (unsigned)i, "ceiling", PART_KEY);
		explain(a, "ceiling", why);
	}
}

/* What a rule refuses is a matter of the key and the caller. */
static enum policy_reason rule_reason(const struct facts *f)
{
	switch ((int)f->act) {
	case ACT_WRAP:
	case ACT_GET_VALUE:
		return REASON_EXPORT;
	case ACT_GENERATE:
	case ACT_IMPORT:
		return REASON_TEMPLATE;
	default:
		return REASON_USAGE;
	}
}

static void ask_rule(const struct asking *a, size_t i, bool *is_granted)
{
	const struct rule *rule = &a->policy->rules[i];

	if (!rule_matches(rule, a->facts, a->algorithm)) {
		tell(a, LAYER_RULE, rule->id, "does not match");
		return;
	}
	if (!rule->is_deny) {
		tell(a, LAYER_RULE, rule->id, "allows");
		*is_granted = true;
		return;
	}
	if (rule->is_permissive) {
		tell(a, LAYER_RULE, rule->id, "would refuse (permissive)");
		if (!a->verdict->would_deny) {
			a->verdict->would_deny = true;
			a->verdict->layer = LAYER_RULE;
			a->verdict->number = (uint16_t)(NUMBER_RULE + i);
			a->verdict->rule = rule->id;
			explain(a, rule->id, "a rule of the policy would deny it");
		}
		return;
	}
	tell(a, LAYER_RULE, rule->id, "refuses");
	refuse(a, LAYER_RULE, rule_reason(a->facts), NUMBER_RULE + (unsigned)i, rule->id, PART_KEY);
	explain(a, rule->id, "a rule of the policy denies it");
}

static void ask_rules(const struct asking *a)
{
	bool is_granted = false;

	for (size_t i = 0; i < a->policy->rule_count && goes_on(a); i++)
		ask_rule(a, i, &is_granted);
	if (is_granted || !a->policy->is_default_deny)
		return;
	/* Without a login nothing could be allowed to anybody. */
	if (a->facts->act == ACT_LOGIN)
		return;
	tell(a, LAYER_DEFAULT, "default", "denies what no rule allows");
	refuse(a, LAYER_DEFAULT, rule_reason(a->facts), NUMBER_DEFAULT, "default", PART_KEY);
	explain(a, "default", "no rule of the policy allows it");
}

/* In a permissive policy what was refused is allowed, and told. */
static void soften(const struct asking *a)
{
	struct verdict *v = a->verdict;

	if (v->is_allowed || a->policy->mode != POLICY_PERMISSIVE)
		return;
	v->is_allowed = true;
	v->would_deny = true;
}

void policy_explain(const struct policy *policy, const struct facts *facts, struct verdict *verdict,
		    policy_listener *listener, void *context)
{
	struct algorithm algorithm;
	struct asking asking = {policy, facts, NULL, verdict, listener, context};

	verdict->is_allowed = true;
	verdict->would_deny = verdict->is_warned = false;
	verdict->code = CKR_OK;
	verdict->layer = LAYER_NONE;
	verdict->reason = REASON_NONE;
	verdict->number = 0;
	verdict->rule = NULL;
	verdict->why[0] = '\0';
	if (!policy || policy->mode == POLICY_OFF || facts->act == ACT_NONE)
		return;
	if (facts->mech) {
		algorithm_of(facts->mech, facts->act, &algorithm);
		if (facts->is_message)
			algorithm.iv = facts->is_caller_iv ? IV_CALLER : IV_TOKEN;
		asking.algorithm = &algorithm;
	}
	ask_trust(&asking);
	ask_expiry(&asking);
	ask_hardening(&asking);
	ask_profiles(&asking);
	ask_ceilings(&asking);
	if (goes_on(&asking))
		ask_rules(&asking);
	soften(&asking);
}

void policy_check(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	policy_explain(policy, facts, verdict, NULL, NULL);
}

const char *policy_layer_word(enum policy_layer layer)
{
	static const char *const words[] = {"none", "hardening", "profile", "ceiling",
					    "rule", "default",   "expiry",  "trust"};

	return words[layer];
}

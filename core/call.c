/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate. Every call that does work passes call_run(): it is decided, routed to a member,
 * recorded. Read this function and core/route.c to know what happens to any call. */
#include "core/call.h"

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/codes.h"
#include "core/facts.h"
#include "core/group.h"
#include "core/route.h"
#include "core/session.h"
#include "policy/policy.h"

static const struct {
	const char *name;
	enum call_retry retry;
} calls[CALL_COUNT] = {
#define CALL(n, r) [CALL_##n] = {#n, CALL_RETRY_##r},
#include "core/calls.def"
};

const char *call_name(enum call_id id)
{
	return calls[id].name;
}

enum call_retry call_retry(enum call_id id)
{
	return calls[id].retry;
}

/* Rules whose refusals are told apart where one is refused very often. */
#define LIMITS 64U

/* Tells of a refusal, or of one that a permissive policy only would have made. */
static void tell(const struct call *c, const struct policy *policy, const struct gathered *g,
		 const struct verdict *v)
{
	static struct log_limit limits[LIMITS];
	char code[NAME_MAX_LEN], mech[NAME_MAX_LEN];

	if (c->session && !v->is_allowed)
		c->session->device_error = POLICY_DEVICE_ERROR | v->number;
	log_limited(&limits[v->number % LIMITS], LOG_LEVEL_WARN,
		    "token %s: %s%s%s%s%s%s: %s by %s \"%s\" of policy %s: %s: %s",
		    c->group->conf->label, call_name(c->id), c->mech ? " with " : "",
		    c->mech ? name_of(NAME_MECHANISM, c->mech->m.mechanism, mech) : "",
		    g->facts.object_count > 0 ? " on \"" : "",
		    g->facts.object_count > 0 ? g->facts.object[0]->label : "",
		    g->facts.object_count > 0 ? "\"" : "",
		    v->is_allowed ? "would be refused" : "refused", policy_layer_word(v->layer),
		    v->rule, policy->name, v->why,
		    v->is_allowed ? "allowed" : name_of(NAME_RV, v->code, code));
}

/* Tells that a profile calls deprecated what it still allows. */
static void warn(const struct call *c, const struct verdict *v)
{
	static struct log_limit limits[LIMITS];
	char mech[NAME_MAX_LEN];

	log_limited(&limits[v->warned_about % LIMITS], LOG_LEVEL_WARN,
		    "token %s: %s%s%s: allowed, but deprecated by profile %s: %s",
		    c->group->conf->label, call_name(c->id), c->mech ? " with " : "",
		    c->mech ? name_of(NAME_MECHANISM, c->mech->m.mechanism, mech) : "",
		    v->warned_by->name, aspect_text(v->warned_about));
}

CK_RV call_decide(struct call *c)
{
	const struct policy *policy = c->group->conf->policy;
	enum policy_act act = facts_act(c);
	struct gathered g;
	struct verdict v;
	CK_RV rv;

	if (c->is_ours || c->is_decided || act == ACT_NONE || !policy_speaks(policy, act))
		return CKR_OK;
	c->is_decided = true;
	if (decision_stands(c, act))
		return CKR_OK;
	rv = facts_normalise(c);
	if (rv == CKR_OK)
		rv = facts_gather(c, act,
				  policy_wants_objects(policy, act, c->mech ? &c->mech->m : NULL),
				  &g);
	if (rv != CKR_OK)
		return code_map(c->id, rv);
	policy_check(policy, &g.facts, &v);
	if (v.is_allowed && !v.would_deny)
		decision_keep(c, act);
	if (v.is_allowed && v.is_warned)
		warn(c, &v);
	if ((!v.is_allowed || v.would_deny) && act != ACT_FIND)
		tell(c, policy, &g, &v);
	return v.is_allowed ? CKR_OK : code_map(c->id, v.code);
}

/* The record of a call: a line in the log at level debug. */
static void record(const struct call *c, CK_RV rv)
{
	char code[NAME_MAX_LEN], mech[NAME_MAX_LEN];

	if (!log_on(LOG_LEVEL_DEBUG))
		return;
	log_msg(LOG_LEVEL_DEBUG, "token %s: %s%s%s: %s", c->group->conf->label, call_name(c->id),
		c->mech ? " " : "",
		c->mech ? name_of(NAME_MECHANISM, c->mech->m.mechanism, mech) : "",
		name_of(NAME_RV, rv, code));
}

/* A code that the standard does not list for the function is mapped; the member's own stays
 * visible. */
static CK_RV answer(const struct call *c, CK_RV rv)
{
	CK_RV mapped = code_map(c->id, rv);
	char from[NAME_MAX_LEN], to[NAME_MAX_LEN];

	if (mapped == rv)
		return rv;
	if (c->session)
		c->session->device_error = c->member_rv;
	if (log_on(LOG_LEVEL_INFO))
		log_msg(LOG_LEVEL_INFO,
			"token %s: %s answered %s, which is not a code of this function: %s",
			c->group->conf->label, call_name(c->id), name_of(NAME_RV, rv, from),
			name_of(NAME_RV, mapped, to));
	return mapped;
}

CK_RV call_run(struct call *c)
{
	CK_RV rv = call_decide(c);

	if (rv == CKR_OK) {
		rv = route_run(c);
		if (rv != CKR_OK)
			rv = answer(c, rv);
	}
	record(c, rv);
	return rv;
}

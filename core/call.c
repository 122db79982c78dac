/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate. Every call that does work passes call_run(): it is decided, routed to a member,
 * recorded. Read this function and core/route.c to know what happens to any call. */
#include "core/call.h"

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/codes.h"
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

static struct facts facts_of(const struct call *c)
{
	return (struct facts){
		.function = calls[c->id].name,
		.token = c->group->conf->label,
		.mech = c->mech ? &c->mech->m : NULL,
		.object = {c->object[0].handle, c->object[1].handle},
		.tmpl = {c->tmpl[0], c->tmpl[1]},
		.tmpl_count = {c->tmpl_count[0], c->tmpl_count[1]},
		.state = c->session ? session_state(c->session) : 0,
	};
}

/* The record of a call: a line in the log at level debug. */
static void record(const struct call *c, const struct verdict *verdict, CK_RV rv)
{
	char code[NAME_MAX_LEN], mech[NAME_MAX_LEN];

	if (!log_on(LOG_LEVEL_DEBUG))
		return;
	log_msg(LOG_LEVEL_DEBUG, "token %s: %s%s%s: %s%s%s", c->group->conf->label,
		call_name(c->id), c->mech ? " " : "",
		c->mech ? name_of(NAME_MECHANISM, c->mech->m.mechanism, mech) : "",
		name_of(NAME_RV, rv, code), verdict->rule ? " by rule " : "",
		verdict->rule ? verdict->rule : "");
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
	struct facts facts = facts_of(c);
	struct verdict verdict = policy_check(&facts);
	CK_RV rv = verdict.code;

	if (verdict.is_allowed)
		rv = route_run(c);
	if (rv != CKR_OK)
		rv = answer(c, rv);
	record(c, &verdict, rv);
	return rv;
}

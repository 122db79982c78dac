/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions that are kept: one in each session, guarded by its lock. It is worth as much as the
 * facts that it rests on: as long as those are believed, and until an object is changed. */
#include "core/decision.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/call.h"
#include "core/caller.h"
#include "core/group.h"
#include "core/key_facts.h"

/* Uses of one key with a mechanism whose parameter is looked at whole. */
static bool is_plain(const struct call *c, enum policy_act act)
{
	const CK_MECHANISM *mech = c->mech ? &c->mech->m : NULL;

	if (!c->session || !mech || c->object[1].bad != 0 || c->tmpl[0] || c->is_caller_iv ||
	    (act != ACT_SIGN && act != ACT_VERIFY && act != ACT_ENCRYPT && act != ACT_DECRYPT))
		return false;
	/* Parameters of signatures point to contexts at the most, which no policy looks at. */
	return mech->ulParameterLen == 0 ||
	       (mech->ulParameterLen <= DECISION_PARAM && (act == ACT_SIGN || act == ACT_VERIFY));
}

bool decision_stands(const struct call *c, enum policy_act act)
{
	const struct decision *d = c->session ? &c->session->decision : NULL;

	return d && d->policy && d->policy == c->group->conf->policy && is_plain(c, act) &&
	       d->act == act && d->key == c->object[0].handle && d->mech == c->mech->m.mechanism &&
	       d->param_len == c->mech->m.ulParameterLen &&
	       (d->param_len == 0 || memcmp(d->param, c->mech->m.pParameter, d->param_len) == 0) &&
	       d->state == session_state(c->session) && d->caller == caller_get(false) &&
	       d->generation == key_facts_generation() && clock_ms() < d->until_ms;
}

void decision_keep(const struct call *c, enum policy_act act)
{
	const struct policy *policy = c->group->conf->policy;
	struct decision *d;

	if (!is_plain(c, act) || !policy->is_timeless)
		return;
	d = &c->session->decision;
	*d = (struct decision){
		.policy = policy,
		.caller = caller_get(false),
		.act = act,
		.state = session_state(c->session),
		.mech = c->mech->m.mechanism,
		.key = c->object[0].handle,
		.param_len = c->mech->m.ulParameterLen,
		.generation = key_facts_generation(),
		.until_ms = clock_ms() + KEY_FACTS_MS,
	};
	if (d->param_len > 0)
		memcpy(d->param, c->mech->m.pParameter, d->param_len);
}

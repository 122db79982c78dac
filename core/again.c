/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether, and where, a call is sent again: what each outcome means for a call on its way. */
#include "core/again.h"

#include "core/choose.h"
#include "core/group.h"
#include "core/health.h"
#include "core/object.h"
#include "core/op_output.h"
#include "core/outcome.h"
#include "core/replay.h"

/* True when sending it once more can do no harm: nothing was made, and nothing of it lives on a
 * session that is lost. */
bool again_is_safe(const struct call *c)
{
	if (c->sends == 0 && c->place != CALL_BOUND && c->group->is_multi)
		return call_retry(c->id) != CALL_RETRY_NEVER;
	if (c->sends >= c->group->config->retry.attempts || call_retry(c->id) != CALL_RETRY_SAFE)
		return false;
	if (c->place == CALL_BOUND)
		return replay_is_possible(c);
	return (c->place == CALL_BORROW || c->place == CALL_KEEP) &&
	       (c->id != CALL_C_GetAttributeValue || c->asked);
}

/* After an answer of a passthrough token's member that is not simply the answer: true when the call
 * is to be sent again, else *rv is what the application gets. */
static bool again_same(struct call *c, enum outcome outcome, CK_RV *rv)
{
	struct member *m = c->member;

	if (outcome == OUTCOME_SUSPECT && member_alive(m))
		return false;
	if (outcome == OUTCOME_SESSION && again_is_safe(c))
		return true;
	if (outcome == OUTCOME_DEAD || c->sends > 1)
		member_lost(m, c->made_epoch, call_name(c->id), *rv);
	*rv = CKR_DEVICE_ERROR;
	/* Handles died with the epoch: a call that names objects would only be told so. */
	return again_is_safe(c) && !c->object[0].handle && !(c->mech && c->mech->handle_count);
}

static bool keep_verdict(struct trip *t, CK_RV rv)
{
	if (t->verdict == CKR_OK)
		t->verdict = rv;
	return true;
}

static void forget_objects(const struct call *c, const struct member *m)
{
	for (unsigned i = 0; i < 2; i++)
		if (c->object[i].bad)
			object_forget(c->group, c->object[i].handle, m);
	for (unsigned i = 0; c->mech && i < c->mech->handle_count; i++)
		object_forget(c->group, c->mech->handle[i].virtual, m);
	if (c->op)
		object_forget(c->group, c->op->key, m);
}

/* A code that may be about the request, from a member that is alive. */
static bool again_suspect(struct call *c, struct trip *t, unsigned mask)
{
	struct member *m = c->member;

	if (outcome_is_oracle(c)) {
		if (t->is_confirmed)
			return false;
		t->is_confirmed = true;
		t->same = m;
		return true;
	}
	t->failed |= again_bit(m);
	if (choose_member(c, again_left(t, mask)))
		return true;
	if (t->is_confirmed)
		return false;
	t->is_confirmed = true;
	t->same = m;
	return true;
}

static bool again_here(struct trip *t, struct member *m, bool *done)
{
	if (*done)
		return false;
	*done = true;
	t->same = m;
	return true;
}

/* The member is in trouble: the next one, unless the call may have been done. */
static bool again_elsewhere(struct call *c, struct trip *t, CK_RV *rv)
{
	t->failed |= again_bit(c->member);
	if (again_is_safe(c))
		return true;
	*rv = t->verdict != CKR_OK ? t->verdict : CKR_DEVICE_ERROR;
	return false;
}

bool again(struct call *c, struct trip *t, unsigned mask, enum outcome outcome, CK_RV *rv)
{
	struct member *m = c->member;

	if (!c->group->is_multi)
		return again_same(c, outcome, rv);
	switch (outcome) {
	case OUTCOME_LACKS:
		t->lacking |= again_bit(m);
		return keep_verdict(t, *rv) && again_left(t, mask) != 0 &&
		       (c->sends == 0 || again_is_safe(c) || call_retry(c->id) == CALL_RETRY_ONCE);
	case OUTCOME_BUSY:
		t->failed |= again_bit(m);
		keep_verdict(t, *rv);
		if (again_is_safe(c) && !choose_member(c, again_left(t, mask)) && !t->is_patient) {
			t->is_patient = true;
			t->failed = 0;
		}
		return again_is_safe(c);
	case OUTCOME_AUTH:
		if (atomic_load(&c->group->user) == 0 || !again_is_safe(c))
			return false;
		atomic_store(&m->user, 0);
		if (again_here(t, m, &t->is_relogged))
			return true;
		t->failed |= again_bit(m);
		return keep_verdict(t, *rv);
	case OUTCOME_HANDLE:
		if (!health_ask(m))
			return again_elsewhere(c, t, rv);
		forget_objects(c, m);
		if (!again_is_safe(c))
			return false;
		if (again_here(t, m, &t->is_refound))
			return true;
		t->lacking |= again_bit(m);
		return keep_verdict(t, *rv);
	case OUTCOME_SESSION:
		if (again_is_safe(c) && !(t->reopened & again_bit(m))) {
			t->reopened |= again_bit(m);
			t->same = m;
			return true;
		}
		(void)health_ask(m); /* it says itself when it is lost */
		return again_elsewhere(c, t, rv);
	case OUTCOME_SUSPECT:
		if (health_ask(m)) {
			keep_verdict(t, outcome_normal(c, *rv));
			*rv = t->verdict;
			return again_is_safe(c) && again_suspect(c, t, mask);
		}
		return again_elsewhere(c, t, rv);
	case OUTCOME_DEAD:
		member_lost(m, c->made_epoch, call_name(c->id), *rv);
		return again_elsewhere(c, t, rv);
	case OUTCOME_DONE:
		break;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether, and where, a call is sent again: what each outcome means for a call on its way. */
#include "core/again.h"

#include <time.h>

#include "core/base/clock.h"
#include "core/choose.h"
#include "core/group.h"
#include "core/health.h"
#include "core/login.h"
#include "core/object.h"
#include "core/op_output.h"
#include "core/outcome.h"
#include "core/replay.h"

/* How long a call waits before it asks a busy member again. */
#define MOMENT_MS 5

/* Whether the function may be repeated: it makes nothing, or nothing that outlives its session. */
static bool is_repeatable(const struct call *c)
{
	if (call_retry(c->id) == CALL_RETRY_SAFE)
		return true;
	if (!c->group->is_multi || call_retry(c->id) != CALL_RETRY_ONCE)
		return false;
	/* What was destroyed, or set, stays so when it is asked for again. */
	return c->is_volatile || c->id == CALL_C_DestroyObject || c->id == CALL_C_SetAttributeValue;
}

bool again_is_safe(const struct call *c)
{
	if (c->sends == 0 && c->place != CALL_BOUND && c->group->is_multi)
		return call_retry(c->id) != CALL_RETRY_NEVER;
	if (c->sends >= c->group->config->retry.attempts || !is_repeatable(c))
		return false;
	switch (c->place) {
	case CALL_BOUND:
		return replay_is_possible(c);
	case CALL_HOME:
		return c->is_volatile;
	case CALL_BORROW:
	case CALL_KEEP:
		return c->id != CALL_C_GetAttributeValue || c->asked;
	case CALL_TOKEN:
		break;
	}
	return false;
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

static void has_failed(const struct call *c, struct trip *t)
{
	t->failed |= again_bit(c->member);
	t->failed_epoch[c->member->index] = c->made_epoch;
}

void again_forgive(const struct group *g, struct trip *t)
{
	for (unsigned i = 0; t->failed != 0 && i < g->member_count; i++)
		if ((t->failed & 1U << i) &&
		    t->failed_epoch[i] != atomic_load(&g->members[i].epoch))
			t->failed &= ~(1U << i);
}

/* The member certainly did nothing: that does not count as sent. */
static void not_done(struct call *c, const struct trip *t)
{
	c->sends = t->before;
}

/* Throws idle sessions away that are dead. True when one that is older than `serial` is good: then
 * not all were lost. */
static bool shed_dead(struct member *m, uint64_t serial)
{
	bool has_older = false;

	for (unsigned i = 0; i < POOL_IDLE; i++) {
		struct member_session *ms = pool_take_at(m, i);
		CK_STATE state;

		if (ms && pool_state(ms, &state) == CKR_OK) {
			has_older = has_older || ms->serial < serial;
			pool_give(ms, i);
		} else if (ms) {
			pool_drop(ms);
		}
	}
	return has_older;
}

bool again_forgot_login(const struct call *c)
{
	struct member *m = c->member;
	struct member_session *ms;
	CK_STATE state = CKS_RW_USER_FUNCTIONS;

	if (atomic_load(&c->group->user) != GROUP_USER || atomic_load(&m->user) != GROUP_USER)
		return false;
	if (c->made_epoch != atomic_load(&m->epoch))
		return true; /* another call has noticed, and it is logged in again */
	if (!member_shows_user(m))
		return false;
	(void)shed_dead(m, 0); /* so that one is taken that can tell */
	if (pool_take(m, 0, 0, &ms) != CKR_OK)
		return c->made_epoch != atomic_load(&m->epoch); /* what is opened is looked at */
	(void)pool_state(ms, &state); /* without an answer nothing is known */
	pool_give(ms, 0);
	if (pool_is_user(state))
		return false;
	member_renew(m, c->made_epoch);
	return true;
}

/* Codes with which tokens judge a ciphertext, too. */
static bool may_judge(CK_RV rv)
{
	return rv == CKR_GENERAL_ERROR;
}

void again_settle(struct trip *t, const struct member *done)
{
	for (unsigned i = 0; i < done->group->member_count; i++)
		if ((t->blamed & ~again_bit(done)) & 1U << i)
			member_blame(&done->group->members[i], t->failed_epoch[i], t->blamed_rv);
}

bool again_all_over(const struct call *c, struct trip *t, unsigned mask)
{
	unsigned again = choose_serving(c, t->failed & mask & ~t->lacking);

	if (!again || t->is_desperate || !again_is_safe(c) ||
	    ++t->rounds >= c->group->config->retry.attempts)
		return false;
	t->failed &= ~again;
	return true;
}

/* Those who serve failed as often as they may: another one may be on its way back. */
static bool is_worth_one_more(struct call *c, struct trip *t)
{
	const unsigned attempts = c->group->config->retry.attempts;

	if (t->is_desperate || !is_repeatable(c) || c->sends < attempts || attempts == 1)
		return false;
	t->is_desperate = true;
	c->sends--;
	return again_is_safe(c);
}

/* A code that may be about the request, from a member that is alive. It is asked for again: a
 * verdict about a ciphertext once, of the same member, because others would make more of an oracle
 * of it. */
static bool again_suspect(struct call *c, struct trip *t, unsigned mask, CK_RV rv)
{
	struct member *m = c->member;

	if (!again_is_safe(c) && t->is_desperate)
		return false;
	if (outcome_is_oracle(c)) {
		t->same = m;
		if (may_judge(rv) && t->is_confirmed)
			return false;
		t->is_confirmed = true;
		return again_is_safe(c);
	}
	t->failed &= ~t->busy; /* may have time by now */
	t->busy = 0;
	has_failed(c, t);
	if (again_is_safe(c) && choose_member(c, again_left(t, mask)))
		return true;
	if (again_is_safe(c)) {
		t->same = m;
		return true;
	}
	return !may_judge(rv) && is_worth_one_more(c, t);
}

/* The member is in trouble: the next one, unless the call may have been done. */
static bool again_elsewhere(struct call *c, struct trip *t, CK_RV *rv)
{
	has_failed(c, t);
	if (again_is_safe(c) || is_worth_one_more(c, t))
		return true;
	*rv = t->verdict != CKR_OK ? t->verdict : CKR_DEVICE_ERROR;
	return false;
}

/* Not lost, nor back, since the call went there. */
static bool is_same_life(const struct call *c)
{
	return c->made_epoch == atomic_load(&c->member->epoch);
}

/* The last word of a member that seems alive is believed when it still is afterwards. A verdict
 * about a ciphertext as it is: the time that asking takes would tell it to who cannot see it. */
static bool again_in_doubt(struct call *c, struct trip *t, unsigned mask, CK_RV *rv)
{
	const bool is_judged = outcome_is_oracle(c) && may_judge(*rv);

	keep_verdict(t, outcome_normal(c, *rv));
	if (again_suspect(c, t, mask, *rv))
		return true;
	if (!is_judged && !t->is_fresh && !(member_alive_now(c->member) && is_same_life(c))) {
		t->is_fresh = true;
		t->verdict = CKR_OK;
		return again_elsewhere(c, t, rv);
	}
	*rv = t->verdict;
	return false;
}

static bool again_here(struct trip *t, struct member *m, bool *done)
{
	if (*done)
		return false;
	*done = true;
	t->same = m;
	return true;
}

/* A token does not say when it has time again; another one may come back meanwhile. False when the
 * budget is over. */
static bool wait_a_moment(const struct call *c, struct trip *t, unsigned mask)
{
	const struct timespec moment = {.tv_nsec = MOMENT_MS * 1000L * 1000};
	unsigned away = mask & ~t->lacking & ~choose_serving(c, mask);

	if (t->deadline_ms == 0)
		t->deadline_ms = clock_ms() + c->group->config->retry.budget_ms;
	if (!t->waits || clock_ms() >= t->deadline_ms)
		return false;
	if (away == 0 || !health_wait(c->group, away, clock_ms() + MOMENT_MS))
		nanosleep(&moment, NULL);
	t->is_patient = true;
	t->failed &= ~t->busy;
	t->busy = 0;
	t->turns = 0;
	return true;
}

bool again_busy(const struct call *c, struct trip *t, unsigned mask)
{
	return choose_serving(c, t->busy & mask & ~t->lacking) && again_is_safe(c) &&
	       wait_a_moment(c, t, mask);
}

/* Busy: somebody else, or after a moment the same one, as long as the budget lasts. */
static bool again_later(struct call *c, struct trip *t, unsigned mask, CK_RV rv)
{
	/* Memory may have been out in the middle of making something. */
	if (c->sends > 0 && !is_repeatable(c) && rv != CKR_SESSION_COUNT)
		return false;
	not_done(c, t);
	has_failed(c, t);
	t->busy |= again_bit(c->member);
	if (!again_is_safe(c) || choose_member(c, again_left(t, mask)))
		return again_is_safe(c);
	return t->waits && (wait_a_moment(c, t, mask) || again_all_over(c, t, mask & ~t->busy));
}

/* Not logged in there: the member says so, or was not asked because of that. */
static bool again_auth(struct call *c, struct trip *t, unsigned mask, CK_RV *rv)
{
	const bool was_asked = c->sends > t->before;
	const bool has_forgotten = !group_waits_for(c->member) && again_forgot_login(c);

	not_done(c, t);
	if (has_forgotten && again_is_safe(c))
		return again_here(t, c->member, &t->is_relogged) || again_elsewhere(c, t, rv);
	if (was_asked && !group_waits_for(c->member))
		return false;
	*rv = CKR_DEVICE_ERROR; /* the application is logged in */
	return again_later(c, t, mask, *rv);
}

static bool again_handle(struct call *c, struct trip *t, CK_RV *rv)
{
	struct member *m = c->member;

	not_done(c, t);
	if (!health_ask(m))
		return again_elsewhere(c, t, rv);
	if (again_forgot_login(c) && again_here(t, m, &t->is_relogged))
		return again_is_safe(c);
	forget_objects(c, m);
	if (!again_is_safe(c))
		return false;
	if (again_here(t, m, &t->is_refound))
		return true;
	t->lacking |= again_bit(m);
	return keep_verdict(t, c->place == CALL_BOUND ? CKR_DEVICE_ERROR : *rv);
}

/* The session was opened after the login that is there still. */
static bool is_of_login(const struct call *c)
{
	return member_shows_user(c->member) &&
	       c->made_serial > atomic_load(&c->member->login_serial);
}

static void begin_anew(const struct call *c)
{
	/* Logins hold the lock that the other one takes. */
	if (call_retry(c->id) == CALL_RETRY_NEVER)
		member_renew(c->member, c->made_epoch);
	else
		login_refresh(c->group, c->member, c->made_epoch);
}

static bool again_session(struct call *c, struct trip *t, CK_RV *rv)
{
	struct member *m = c->member;
	bool has_older;

	if (*rv == CKR_SESSION_HANDLE_INVALID) /* CKR_SESSION_CLOSED: it went while it worked */
		not_done(c, t);
	/* Its sessions often go together, and with its login. Where nothing shows that they did
	 * not, handles of before are worth nothing. */
	has_older = shed_dead(m, c->made_serial);
	if (!again_forgot_login(c) && !has_older && !is_of_login(c))
		begin_anew(c);
	if (again_is_safe(c) && !(t->reopened & again_bit(m))) {
		t->reopened |= again_bit(m);
		t->same = m;
		return true;
	}
	(void)health_ask(m); /* it says itself when it is lost */
	return again_elsewhere(c, t, rv);
}

bool again(struct call *c, struct trip *t, unsigned mask, enum outcome outcome, CK_RV *rv)
{
	struct member *m = c->member;

	if (!c->group->is_multi)
		return again_same(c, outcome, rv);
	switch (outcome) {
	case OUTCOME_LACKS:
		t->lacking |= again_bit(m);
		if (again_left(t, mask) == 0) /* who only failed before it, before who is away */
			(void)again_all_over(c, t, mask);
		return keep_verdict(t, *rv) && (mask & ~t->lacking) != 0 &&
		       (c->sends == 0 || again_is_safe(c) || call_retry(c->id) == CALL_RETRY_ONCE);
	case OUTCOME_BUSY:
		keep_verdict(t, *rv);
		return again_later(c, t, mask, *rv);
	case OUTCOME_AUTH:
		return again_auth(c, t, mask, rv);
	case OUTCOME_HANDLE:
		return again_handle(c, t, rv);
	case OUTCOME_SESSION:
		return again_session(c, t, rv);
	case OUTCOME_SUSPECT:
		if (!may_judge(*rv) && *rv != CKR_FUNCTION_FAILED && *rv != CKR_OK) {
			t->blamed |= again_bit(m);
			t->failed_epoch[m->index] = c->made_epoch;
			t->blamed_rv = *rv;
		}
		if (!health_ask(m) || !is_same_life(c))
			return again_elsewhere(c, t, rv);
		if (c->sends == t->before) /* it could not even begin: that judges nothing */
			return again_elsewhere(c, t, rv);
		if (*rv == CKR_OK) /* a search that found nothing */
			return again_forgot_login(c) && again_here(t, m, &t->is_relogged);
		return again_in_doubt(c, t, mask, rv);
	case OUTCOME_DEAD:
		member_lost(m, c->made_epoch, call_name(c->id), *rv);
		return again_elsewhere(c, t, rv);
	case OUTCOME_DONE:
		break;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a member for a call and runs it there.
 *
 * attempt() knows how to run a call on one member: borrow a session, bring an operation there, put
 * real handles where virtual ones are, call, give the session back. outcome_of() knows what the
 * answer means, again() whether and where the call may be sent again, route_one() is the loop. A
 * search runs on every member that serves, a change of an object on every member that has it
 * (route_all.c); everything else on one.
 *
 * Never sent again: what may have been done already and cannot be done twice (calls.def), and what
 * a member judged: a verdict about ciphertext is confirmed by the same member at the most, because
 * asking the others would multiply an oracle. */
#include "core/route.h"

#include <string.h>

#include "core/again.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/choose.h"
#include "core/group.h"
#include "core/health.h"
#include "core/login.h"
#include "core/member.h"
#include "core/member_op.h"
#include "core/object.h"
#include "core/op_output.h"
#include "core/outcome.h"
#include "core/overlay.h"
#include "core/replay.h"
#include "core/replicate.h"
#include "core/session.h"
#include "core/translate.h"
#include "core/vendor.h"

/* One call in so many is timed. */
#define TIMED_EACH   16U
#define FIND_WAIT_MS 100
/* More members than are tried for one call, whatever they answer. */
#define MAX_TURNS (4U * CONFIG_MAX_MEMBERS)

static unsigned hint_of(const struct call *c)
{
	return (unsigned)(atomic_load_explicit(&c->session->handle, memory_order_relaxed) %
			  POOL_IDLE);
}

static bool is_current(const struct member_session *ms)
{
	return ms->epoch == atomic_load(&ms->member->epoch);
}

/* An operation leaves its session, whose state is in doubt. */
static void leave(struct session *s, struct operation *op)
{
	if (op->ms)
		session_return(s, op->ms, 0, false);
	op->ms = NULL;
}

/* The session of an operation, on this member; it is brought there when it is elsewhere. */
static CK_RV borrow_for_op(struct call *c, struct member *m, long long wait_ms,
			   struct member_session **ms, bool *is_lack)
{
	struct operation *op = c->op;
	CK_RV rv;

	*ms = op->ms;
	if (op->ms)
		return CKR_OK;
	rv = session_borrow(c->session, m, hint_of(c), wait_ms, ms);
	if (rv != CKR_OK)
		return rv;
	c->made_serial = (*ms)->serial;
	rv = replay(c, *ms, is_lack);
	if (rv == CKR_OK)
		op->ms = *ms;
	else
		session_return(c->session, *ms, 0, false);
	return rv;
}

static CK_RV borrow(struct call *c, struct member *m, long long wait_ms, struct member_session **ms,
		    bool *is_lack)
{
	if (c->place == CALL_BOUND && c->op)
		return borrow_for_op(c, m, wait_ms, ms, is_lack);
	if (c->place == CALL_BOUND) {
		*ms = c->ms;
		return is_current(*ms) ? CKR_OK : CKR_DEVICE_ERROR;
	}
	if (c->place == CALL_HOME)
		return session_home(c->session, m, wait_ms, ms);
	return session_borrow(c->session, m, hint_of(c), wait_ms, ms);
}

/* A home stays what it is; one that owns nothing goes back, or, when its state is in doubt, away.
 * Closing one that owns something would destroy objects that may still be good. */
static void leave_home(struct session *s, struct member_session *ms, bool is_good, bool is_lost)
{
	if (is_good) {
		session_release_homes(s);
	} else if (is_lost || !session_owns_there(s, ms->member)) {
		session_drop_home(s, ms->member);
	}
}

/* Who owns the session after the call. A session whose state is in doubt is closed, not reused. */
static void give_back(struct call *c, struct member_session *ms, CK_RV rv, enum outcome outcome)
{
	bool is_good = outcome == OUTCOME_DONE || rv == CKR_OK;

	if (c->place == CALL_BOUND) {
		if (c->op && !is_good)
			leave(c->session, c->op);
		return;
	}
	if (c->place == CALL_HOME && rv == CKR_OK)
		return; /* owns the new object */
	if (c->place == CALL_HOME) {
		leave_home(c->session, ms, is_good, outcome == OUTCOME_SESSION);
		return;
	}
	if (c->place == CALL_KEEP && rv == CKR_OK) {
		c->ms = ms;
		return;
	}
	session_return(c->session, ms, hint_of(c), is_good);
}

/* Sends the call; counts and, now and then, times it. */
static CK_RV send(struct call *c, struct member_session *ms, const CK_OBJECT_HANDLE object[2],
		  enum outcome *outcome)
{
	struct member *m = ms->member;
	bool is_balanced = c->group->conf->mode == CONFIG_MODE_BALANCED;
	uint64_t calls = atomic_load_explicit(&ms->tally.calls, memory_order_relaxed);
	bool is_timed = c->place != CALL_KEEP && (is_balanced || calls % TIMED_EACH == 0);
	CK_ULONG room = c->out_len ? *c->out_len : 0;
	long long us = is_timed ? clock_us() : 0;
	CK_RV rv;

	c->sends++;
	rv = outcome_check(c, room, member_call(ms, c, object));
	us = is_timed ? clock_us() - us : -1;
	if (rv == CKR_OK && c->mech)
		mech_give_back(c->mech);
	*outcome = rv == CKR_OK && !c->found ? OUTCOME_DONE
					     : route_outcome(atomic_load(&m->lib->vendor), c, rv);
	if (is_balanced && us >= 0)
		choose_took(m, us);
	tally_count(&ms->tally, *outcome == OUTCOME_DEAD || *outcome == OUTCOME_SESSION, us);
	return rv;
}

/* What is left of the operation is a digest: no member is needed before the last step. */
static CK_RV float_on(struct call *c, struct member *m, long long wait_ms, enum outcome *outcome)
{
	bool is_update = c->id == CALL_C_SignUpdate || c->id == CALL_C_VerifyUpdate;
	struct member_session *ms = NULL;
	bool is_lack = false;
	CK_RV rv = is_update ? CKR_OK : session_borrow(c->session, m, hint_of(c), wait_ms, &ms);

	c->made_epoch = ms ? ms->epoch : c->made_epoch;
	c->made_serial = ms ? ms->serial : c->made_serial;
	if (rv == CKR_OK) {
		CK_ULONG room = c->out_len ? *c->out_len : 0;

		rv = outcome_check(c, room, replay_final(c, ms, &is_lack));
	}
	*outcome = is_lack ? OUTCOME_LACKS : route_outcome(atomic_load(&m->lib->vendor), c, rv);
	if (ms)
		/* A length query leaves the operation there. */
		session_return(c->session, ms, hint_of(c), rv == CKR_OK && (c->out || !c->out_len));
	return rv;
}

/* Where members come and go, nobody works on one that is not logged in yet: a search would not find
 * what is private, and not say so; other calls would only be in the way of the login. */
static bool is_kept_out(const struct call *c, const struct member *m)
{
	return c->group->is_multi && group_waits_for(m);
}

/* The member's login follows the token's. Before a session is borrowed: it may take one. Not for
 * logins themselves, which run with the login's lock held. False when the member has none yet. */
static bool sync_login(struct call *c, struct member *m)
{
	if (atomic_load(&c->group->user) == atomic_load(&m->user) ||
	    call_retry(c->id) == CALL_RETRY_NEVER || (c->place == CALL_BOUND && !c->op))
		return true;
	login_sync(c->group, m);
	return !is_kept_out(c, m);
}

static bool is_flat(const struct call *c, const struct member *m)
{
	return atomic_load(&m->lib->vendor)->flat_templates && c->id != CALL_C_GetAttributeValue &&
	       outcome_has_nested(c);
}

static bool names_objects(const struct call *c)
{
	return c->object[0].bad || c->object[1].bad || c->mech;
}

/* Runs the call on one member. What it says is in `outcome`. */
static CK_RV attempt(struct call *c, struct member *m, long long wait_ms, enum outcome *outcome)
{
	CK_OBJECT_HANDLE object[2] = {0, 0};
	struct member_session *ms;
	bool is_lack = false;
	CK_RV rv;

	c->member = m;
	c->made_epoch = atomic_load(&m->epoch);
	c->made_serial = UINT64_MAX;
	*outcome = OUTCOME_DONE;
	if (c->place == CALL_TOKEN)
		return member_init_token(m, c->pin[0], c->in);
	if (!sync_login(c, m)) {
		*outcome = OUTCOME_AUTH;
		return CKR_USER_NOT_LOGGED_IN;
	}
	if (c->op && c->op->ms && (c->op->ms->member != m || !is_current(c->op->ms)))
		leave(c->session, c->op);
	if (c->op && replay_floats(c))
		return float_on(c, m, wait_ms, outcome);
	rv = borrow(c, m, wait_ms, &ms, &is_lack);
	if (rv != CKR_OK) {
		*outcome = is_lack ? OUTCOME_LACKS
				   : route_outcome(atomic_load(&m->lib->vendor), c, rv);
		return rv;
	}
	c->made_epoch = ms->epoch;
	c->made_serial = ms->serial;
	rv = names_objects(c) ? translate(c, ms, object, &is_lack) : CKR_OK;
	if (c->found && is_kept_out(c, m)) {
		rv = CKR_USER_NOT_LOGGED_IN; /* since it was looked at above */
		*outcome = OUTCOME_AUTH;
	} else if (rv == CKR_OK && is_flat(c, m)) {
		rv = CKR_ATTRIBUTE_TYPE_INVALID;
	} else if (rv == CKR_OK) {
		rv = send(c, ms, object, outcome);
	} else if (c->group->is_multi) {
		*outcome = is_lack ? OUTCOME_LACKS
				   : route_outcome(atomic_load(&m->lib->vendor), c, rv);
	}
	give_back(c, ms, rv, *outcome);
	return rv;
}

/* Nobody who could do it serves, or those who do failed: waits for one that does not, within the
 * budget. True when it is worth looking again. */
static bool wait_for_one(struct call *c, struct trip *t, unsigned *mask)
{
	unsigned serving = choose_serving(c, *mask);
	unsigned away = *mask & ~t->lacking & ~serving;

	again_forgive(c->group, t);
	if (choose_member(c, again_left(t, *mask)))
		return true; /* came back just now */
	if (!t->waits || away == 0 || (c->sends > 0 && !again_is_safe(c)))
		return false;
	if (t->deadline_ms == 0)
		t->deadline_ms = clock_ms() + c->group->config->retry.budget_ms;
	if (!health_wait(c->group, away, t->deadline_ms))
		return false;
	t->failed &= serving;
	/* Who came back may have what it did not have before. */
	if (c->place != CALL_BOUND)
		*mask |= choose_able(c);
	return true;
}

/* Where the call goes now; NULL: nowhere, the trip is over. */
static struct member *next_member(struct call *c, struct trip *t, unsigned *mask)
{
	struct member *m = t->same;

	if (!c->group->is_multi)
		return member_up(&c->group->members[0], false) ? &c->group->members[0] : NULL;
	t->same = NULL;
	if (c->place == CALL_BOUND && !c->op)
		return c->ms->member;
	if (m && member_may_serve(m))
		return m;
	/* What runs somewhere ends there, also on a member that takes nothing new. */
	m = c->op && c->op->ms ? c->op->ms->member : NULL;
	if (m && is_current(c->op->ms) && (again_left(t, *mask) & again_bit(m)) &&
	    atomic_load(&m->serves))
		return m;
	if (c->op && !replay_is_possible(c))
		return NULL;
	do {
		m = choose_member(c, again_left(t, *mask));
	} while (!m && (again_busy(c, t, *mask) || wait_for_one(c, t, mask) ||
			again_all_over(c, t, *mask)));
	return m;
}

/* What a member wrote while it failed must not be the next one's lengths. */
static void clean(struct call *c, CK_ULONG room)
{
	if (c->found)
		c->found->len = 0;
	if (c->asked && c->tmpl_count[0] > 0)
		memcpy(c->tmpl[0], c->asked, c->tmpl_count[0] * sizeof *c->asked);
	if (c->out_len)
		*c->out_len = room;
	c->made[0] = c->made[1] = 0;
}

static CK_RV nobody(const struct call *c, const struct trip *t, unsigned mask)
{
	if (c->place == CALL_TOKEN)
		return CKR_TOKEN_NOT_PRESENT;
	/* Those who were asked do not have the object; somebody who is away may. */
	if (c->group->is_multi && (mask & ~t->lacking & ~choose_serving(c, mask)) != 0)
		return CKR_DEVICE_ERROR;
	return t->verdict != CKR_OK ? t->verdict : CKR_DEVICE_ERROR;
}

/* How long a call waits for a session: not while another member may have one; a search that others
 * answer, too, not for long. */
static long long patience(const struct call *c, const struct trip *t, const struct member *m,
			  unsigned mask)
{
	if (!t->waits && c->id == CALL_C_FindObjectsInit)
		return FIND_WAIT_MS;
	if (c->op && c->op->ms && c->op->ms->member == m)
		return 0; /* has one */
	if (c->group->is_multi && !t->is_patient &&
	    choose_serving(c, again_left(t, mask) & ~again_bit(m)))
		return 0;
	return c->group->config->retry.budget_ms;
}

static void tell(const struct call *c, enum outcome outcome, bool goes_on)
{
	static const char *const words[] = {
		[OUTCOME_DONE] = "",
		[OUTCOME_SESSION] = "its session is lost",
		[OUTCOME_SUSPECT] = "in doubt",
		[OUTCOME_DEAD] = "it is gone",
		[OUTCOME_HANDLE] = "the object is not there",
		[OUTCOME_AUTH] = "not logged in",
		[OUTCOME_BUSY] = "busy",
		[OUTCOME_LACKS] = "it cannot do that",
	};
	char code[NAME_MAX_LEN];

	if (log_on(LOG_LEVEL_DEBUG))
		log_msg(LOG_LEVEL_DEBUG, "token %s: %s: member %s answered %s (%s): %s",
			c->group->conf->label, call_name(c->id), c->member->conf->name,
			name_of(NAME_RV, c->member_rv, code), words[outcome],
			goes_on ? "tried again" : "not tried again");
}

/* The loop. */
CK_RV route_one(struct call *c, unsigned mask, bool waits)
{
	const CK_ULONG room = c->out_len ? *c->out_len : 0;
	unsigned failed_epoch[CONFIG_MAX_MEMBERS];
	struct trip t = {.waits = waits, .failed_epoch = failed_epoch};
	enum outcome outcome;
	struct member *m;
	bool goes_on;
	CK_RV rv;

	while (t.turns++ < MAX_TURNS && (m = next_member(c, &t, &mask)) != NULL) {
		t.before = c->sends;
		rv = attempt(c, m, patience(c, &t, m, mask), &outcome);
		c->member_rv = rv;
		if (outcome == OUTCOME_DONE && rv == CKR_OK && t.blamed)
			again_settle(&t, m);
		if (outcome == OUTCOME_DONE)
			return rv;
		goes_on = again(c, &t, mask, outcome, &rv);
		tell(c, outcome, goes_on);
		if (!goes_on)
			return rv;
		clean(c, room);
	}
	rv = nobody(c, &t, mask);
	if (c->member_rv == CKR_OK)
		c->member_rv = rv;
	return rv;
}

/* An object that is named is not there any more, or the objects are on different members. */
static CK_RV bad_object(const struct call *c)
{
	for (unsigned i = 0; i < 2; i++)
		if (c->object[i].bad && !object_holders(c->group, c->object[i].handle))
			return c->object[i].bad;
	return CKR_KEY_HANDLE_INVALID;
}

CK_RV route_run(struct call *c)
{
	bool is_change = c->id == CALL_C_DestroyObject || c->id == CALL_C_SetAttributeValue;
	unsigned mask = 1;
	CK_RV rv;

	if (c->group->is_multi && c->place != CALL_BOUND)
		health_tick();
	if (replicate_is_on(c->group) && (rv = overlay_check(c)) != CKR_OK)
		return c->member_rv = rv;
	if (c->id == CALL_C_FindObjectsInit)
		return route_find(c);
	if (c->group->is_multi && is_change)
		return route_change(c);
	if (c->group->is_multi && c->place != CALL_BOUND) {
		mask = choose_able(c);
		if (mask == 0)
			return c->member_rv = bad_object(c);
	} else if (c->group->is_multi) {
		mask = group_all(c->group);
	}
	return route_one(c, mask, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a member for a call and runs it there.
 *
 * attempt() knows how to run a call on one member: borrow a session, put real handles where virtual
 * ones are, call, give the session back. route_run() knows what the answer means and whether the
 * call may be sent again. A virtual token has one member in this version, so that "again" is the
 * same token on a new session or after it came back. */
#include "core/route.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/group.h"
#include "core/login.h"
#include "core/member.h"
#include "core/member_op.h"
#include "core/object.h"
#include "core/session.h"
#include "core/vendor.h"

/* How long a call waits for a session of a member that allows no more, and how often it is sent. */
#define WAIT_MS      1000
#define MAX_ATTEMPTS 3
/* No output is longer: the longest input there may be, and what a mechanism adds to it. */
#define MAX_OUTPUT (0x7fffffffUL + 65536UL)

/* Codes that are not simply the answer. Everything else, CKR_OK included, is OUTCOME_DONE. */
static const struct {
	CK_RV code;
	enum outcome outcome;
} meanings[] = {
	{CKR_SESSION_HANDLE_INVALID, OUTCOME_SESSION},
	{CKR_SESSION_CLOSED, OUTCOME_SESSION},
	{CKR_DEVICE_REMOVED, OUTCOME_DEAD},
	{CKR_TOKEN_NOT_PRESENT, OUTCOME_DEAD},
	{CKR_TOKEN_NOT_RECOGNIZED, OUTCOME_DEAD},
	{CKR_SLOT_ID_INVALID, OUTCOME_DEAD},
	{CKR_CRYPTOKI_NOT_INITIALIZED, OUTCOME_DEAD},
	/* SoftHSM2 answers bad padding with GENERAL_ERROR, and a good key with a bad handle when
	 * its store is gone. */
	{CKR_GENERAL_ERROR, OUTCOME_SUSPECT},
	{CKR_FUNCTION_FAILED, OUTCOME_SUSPECT},
	{CKR_DEVICE_ERROR, OUTCOME_SUSPECT},
	{CKR_OBJECT_HANDLE_INVALID, OUTCOME_SUSPECT},
	{CKR_KEY_HANDLE_INVALID, OUTCOME_SUSPECT},
	{CKR_WRAPPING_KEY_HANDLE_INVALID, OUTCOME_SUSPECT},
	{CKR_UNWRAPPING_KEY_HANDLE_INVALID, OUTCOME_SUSPECT},
};

static bool vendor_says(const struct vendor *vendor, CK_RV rv, enum outcome *outcome)
{
	static const enum outcome map[] = {
		[VENDOR_VERDICT] = OUTCOME_DONE,
		[VENDOR_SESSION_LOST] = OUTCOME_SESSION,
		[VENDOR_MEMBER_DEAD] = OUTCOME_DEAD,
		[VENDOR_BUSY] = OUTCOME_DONE,
	};

	for (size_t i = 0; i < vendor->code_count; i++) {
		if (vendor->codes[i].code != rv)
			continue;
		*outcome = map[vendor->codes[i].outcome];
		return true;
	}
	return false;
}

/* A search that finds nothing is what a SoftHSM2 without its store answers, too. */
static bool found_nothing(const struct call *c)
{
	return c->id == CALL_C_FindObjectsInit && c->found && c->found->len == 0;
}

enum outcome route_outcome(const struct vendor *vendor, const struct call *c, CK_RV rv)
{
	/* The highest number that the standard gives to a code (3.2: CKR_PUBLIC_KEY_INVALID and
	 * neighbours lie below it); a code between here and the vendors' range means a broken
	 * library. */
	const CK_RV last_standard = 0x300;
	enum outcome outcome;

	if (rv == CKR_OK)
		return found_nothing(c) ? OUTCOME_SUSPECT : OUTCOME_DONE;
	if (vendor_says(vendor, rv, &outcome))
		return outcome;
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (meanings[i].code == rv)
			return meanings[i].outcome;
	/* We believed the session idle: it was left dirty. */
	if (rv == CKR_OPERATION_ACTIVE && (c->place == CALL_KEEP || c->place == CALL_BORROW))
		return OUTCOME_SESSION;
	if (rv == (CK_RV)-1)
		return OUTCOME_DEAD;
	return rv > last_standard ? OUTCOME_SUSPECT : OUTCOME_DONE;
}

static bool real_handle(const struct call *c, const struct member_session *ms,
			CK_OBJECT_HANDLE virtual, CK_OBJECT_HANDLE *real)
{
	struct object_view view;

	if (!object_resolve(c->group, virtual, &view) || view.member != ms->member ||
	    view.epoch != ms->epoch)
		return false;
	*real = view.real;
	return true;
}

/* Replaces every virtual handle of the call by the real one on this member. */
static CK_RV translate(struct call *c, const struct member_session *ms, CK_OBJECT_HANDLE object[2])
{
	for (unsigned i = 0; i < 2; i++)
		if (c->object[i].bad && !real_handle(c, ms, c->object[i].handle, &object[i]))
			return c->object[i].bad;
	for (unsigned i = 0; c->mech && i < c->mech->handle_count; i++)
		if (!real_handle(c, ms, c->mech->handle[i].virtual, c->mech->handle[i].where))
			return CKR_KEY_HANDLE_INVALID;
	return CKR_OK;
}

static unsigned hint_of(const struct call *c)
{
	return (unsigned)(atomic_load_explicit(&c->session->handle, memory_order_relaxed) %
			  POOL_IDLE);
}

static bool is_current(const struct member_session *ms)
{
	return ms->epoch == atomic_load(&ms->member->epoch);
}

/* The session that owned the session objects is gone, and they with it. */
static void home_lost(struct session *s)
{
	s->home = NULL;
	session_drop_made(s, false);
}

static CK_RV borrow(struct call *c, struct member *m, struct member_session **ms)
{
	struct session *s = c->session;

	if (c->place == CALL_BOUND) {
		*ms = c->ms;
		return is_current(*ms) ? CKR_OK : CKR_DEVICE_ERROR;
	}
	if (c->place == CALL_HOME && s->home && !is_current(s->home)) {
		pool_drop(s->home);
		home_lost(s); /* its objects went with the epoch */
	}
	if (c->place == CALL_HOME && s->home) {
		*ms = s->home;
		return CKR_OK;
	}
	return pool_take(m, hint_of(c), WAIT_MS, ms);
}

/* Who owns the session after the call. A session whose state is in doubt is closed, not reused. */
static void give_back(struct call *c, struct member_session *ms, CK_RV rv, enum outcome outcome)
{
	struct session *s = c->session;
	bool is_good = outcome == OUTCOME_DONE || rv == CKR_OK;

	if (c->place == CALL_BOUND)
		return;
	if (c->place == CALL_HOME && (rv == CKR_OK || (ms == s->home && is_good))) {
		s->home = ms; /* owns the new object, or earlier ones */
		return;
	}
	if (c->place == CALL_KEEP && rv == CKR_OK) {
		c->ms = ms;
		return;
	}
	if (ms == s->home && outcome != OUTCOME_SESSION)
		return; /* closing it would destroy objects that may still be good */
	if (ms == s->home)
		home_lost(s);
	if (is_good)
		pool_give(ms, hint_of(c));
	else
		pool_drop(ms);
}

/* A member that keeps templates within templates as bytes would keep pointers of ours. */
static bool has_nested(const struct call *c)
{
	for (unsigned k = 0; k < 2; k++)
		for (CK_ULONG i = 0; i < c->tmpl_count[k]; i++)
			if (attr_is_template(c->tmpl[k][i].type))
				return true;
	return false;
}

/* What a member says of lengths and handles is not believed when it cannot be. */
static CK_RV check_answer(const struct call *c, CK_ULONG room, CK_RV rv)
{
	bool made_nothing = false;

	if (c->out_len && *c->out_len > MAX_OUTPUT) {
		*c->out_len = room;
		return rv == CKR_OK ? CKR_DEVICE_ERROR : rv;
	}
	if (rv != CKR_OK)
		return rv;
	if (c->out && c->out_len && *c->out_len > room)
		return CKR_DEVICE_ERROR; /* it wrote, or says it wrote, beyond the buffer */
	switch ((int)c->id) {
	case CALL_C_GenerateKeyPair:
		made_nothing = !c->made[0] || !c->made[1];
		break;
	case CALL_C_CreateObject:
	case CALL_C_CopyObject:
	case CALL_C_GenerateKey:
	case CALL_C_UnwrapKey:
		made_nothing = !c->made[0];
		break;
	case CALL_C_DeriveKey: /* TLS mechanisms give their keys in the parameter instead */
		made_nothing = c->wants_made && !c->made[0] && c->mech->made_count == 0;
		break;
	default:
		break;
	}
	return made_nothing ? CKR_DEVICE_ERROR : CKR_OK;
}

/* Runs the call on one member. What it says is in `outcome`. */
static CK_RV attempt(struct call *c, struct member *m, enum outcome *outcome)
{
	CK_OBJECT_HANDLE object[2] = {0, 0};
	struct member_session *ms;
	CK_RV rv;

	c->member = m;
	c->made_epoch = atomic_load(&m->epoch);
	*outcome = OUTCOME_DONE;
	if (c->place == CALL_TOKEN)
		return member_init_token(m, c->pin[0], c->in);
	rv = borrow(c, m, &ms);
	if (rv != CKR_OK) {
		*outcome = route_outcome(atomic_load(&m->lib->vendor), c, rv);
		return rv;
	}
	c->made_epoch = ms->epoch;
	/* Not on a bound session: logins themselves run on one, with the login's lock held. */
	if (c->place != CALL_BOUND && call_retry(c->id) != CALL_RETRY_NEVER &&
	    atomic_load(&c->group->user) != atomic_load(&m->user))
		login_sync(c->group, m);
	rv = translate(c, ms, object);
	if (rv == CKR_OK && atomic_load(&m->lib->vendor)->flat_templates &&
	    c->id != CALL_C_GetAttributeValue && has_nested(c))
		rv = CKR_ATTRIBUTE_TYPE_INVALID;
	if (rv == CKR_OK) {
		CK_ULONG room = c->out_len ? *c->out_len : 0;

		rv = check_answer(c, room, member_call(ms, c, object));
		if (rv == CKR_OK && c->mech)
			mech_give_back(c->mech);
		*outcome = route_outcome(atomic_load(&m->lib->vendor), c, rv);
	}
	give_back(c, ms, rv, *outcome);
	return rv;
}

/* True when sending it once more can do no harm: nothing was made, and nothing of it lives on a
 * session that is lost. */
static bool may_repeat(const struct call *c, unsigned attempts)
{
	return attempts < MAX_ATTEMPTS && call_retry(c->id) == CALL_RETRY_SAFE &&
	       (c->place == CALL_BORROW || c->place == CALL_KEEP) &&
	       (c->id != CALL_C_GetAttributeValue || c->asked);
}

/* After an answer that is not simply the answer: true when the call is to be sent again, else *rv
 * is what the application gets. */
static bool again(struct call *c, enum outcome outcome, unsigned attempts, CK_RV *rv)
{
	struct member *m = c->member;

	if (outcome == OUTCOME_SUSPECT && member_alive(m))
		return false;
	if (outcome == OUTCOME_SESSION && may_repeat(c, attempts))
		return true;
	if (outcome == OUTCOME_DEAD || attempts > 1)
		member_lost(m, c->made_epoch, call_name(c->id), *rv);
	*rv = CKR_DEVICE_ERROR;
	/* Handles died with the epoch: a call that names objects would only be told so. */
	return may_repeat(c, attempts) && !c->object[0].handle &&
	       !(c->mech && c->mech->handle_count);
}

CK_RV route_run(struct call *c)
{
	struct member *m = &c->group->members[0];
	const CK_ULONG room = c->out_len ? *c->out_len : 0;
	enum outcome outcome;
	CK_RV rv;

	for (unsigned attempts = 1;; attempts++) {
		if (!member_up(m, false))
			return c->member_rv = c->place == CALL_TOKEN ? CKR_TOKEN_NOT_PRESENT
								     : CKR_DEVICE_ERROR;
		rv = attempt(c, m, &outcome);
		c->member_rv = rv;
		if (outcome == OUTCOME_DONE || !again(c, outcome, attempts, &rv))
			return rv;
		/* What a member wrote while it failed must not be the next one's lengths. */
		if (c->found)
			c->found->len = 0;
		if (c->asked && c->tmpl_count[0] > 0)
			memcpy(c->tmpl[0], c->asked, c->tmpl_count[0] * sizeof *c->asked);
		if (c->out_len)
			*c->out_len = room;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The session of ours that holds a member's login: a login on a member lives as long as one session
 * of ours there, and C_Login, C_Logout and the like run on it.
 *
 * member.keeper is guarded by the login_lock of the group, which is held in everything here. The
 * keeper is of one epoch; one of an earlier epoch is worthless and replaced.
 *
 * A PIN is never sent twice for one call here: a call is repeated only when it was not sent, or the
 * member says that its session is gone, for then it did not look at the PIN. */
#include "core/keeper.h"

#include "core/base/log.h"
#include "core/codes.h"
#include "core/library.h"
#include "core/object.h"

/* How long a login waits for a session of the only member. Where there are others the login's lock
 * is not held so long: calls need it to go on without this one. */
#define WAIT_MS 1000

/* Members that come and go are brought back by core/health.c, which logs in itself. */
static bool is_there(struct member *m)
{
	return m->group->is_multi ? atomic_load(&m->state) == MEMBER_UP : member_up(m, false);
}

static bool is_current(const struct member *m)
{
	return m->keeper && m->keeper->epoch == atomic_load(&m->epoch);
}

/* Makes sure that the member has a keeper of its current epoch. */
static CK_RV keeper_open(struct member *m)
{
	if (!is_there(m))
		return CKR_DEVICE_ERROR;
	if (is_current(m))
		return CKR_OK;
	keeper_drop(m);
	return pool_take(m, 0, m->group->is_multi ? 0 : WAIT_MS, &m->keeper);
}

void keeper_close(struct member *m)
{
	if (m->keeper)
		pool_give(m->keeper, 0);
	m->keeper = NULL;
}

void keeper_drop(struct member *m)
{
	if (m->keeper)
		pool_drop(m->keeper);
	m->keeper = NULL;
}

static CK_RV run(struct group *g, struct member *m, struct session *s, struct call *call)
{
	CK_RV rv = keeper_open(m);

	m->was_asked = rv == CKR_OK;
	if (rv != CKR_OK)
		return code_map(call->id, rv);
	m->asked_epoch = m->keeper->epoch;
	call->place = CALL_BOUND;
	call->group = g;
	call->session = s;
	call->ms = m->keeper;
	call->is_ours = true; /* what the application asked for was decided: login_in() */
	return call_run(call);
}

CK_RV keeper_call(struct group *g, struct member *m, struct session *s, struct call *call)
{
	CK_RV rv = run(g, m, s, call);

	if (rv == CKR_OK || !g->is_multi ||
	    (call->sends > 0 && call->member_rv != CKR_SESSION_HANDLE_INVALID &&
	     call->member_rv != CKR_SESSION_CLOSED))
		return rv;
	keeper_drop(m);
	return run(g, m, s, call);
}

/* Tokens may number private objects anew after a logout, as SoftHSM2 does. Nothing is known yet of
 * a member that does not serve. */
static void begin_anew(struct member *m)
{
	if (m->keeper && atomic_load(&m->serves) && member_begin_anew(m, m->keeper->epoch))
		pool_keep(m->keeper);
}

CK_RV keeper_login(struct group *g, struct member *m, struct session *s, struct call *call)
{
	CK_RV rv = keeper_call(g, m, s, call);

	if (rv == CKR_USER_ALREADY_LOGGED_IN && atomic_load(&m->lib->is_owned)) {
		/* A login of ours that was thought to be over: nobody else uses this instance. */
		struct call out = {.id = CALL_C_Logout};

		if (keeper_call(g, m, s, &out) == CKR_OK) {
			begin_anew(m);
			rv = keeper_call(g, m, s, call);
		}
	} else if (rv == CKR_USER_ALREADY_LOGGED_IN) {
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: somebody else in this process is logged "
			"in already; the PIN was not checked",
			m->conf->name, g->conf->label);
	}
	return rv;
}

CK_RV keeper_logout(struct group *g, struct member *m, struct session *s)
{
	struct call call = {.id = CALL_C_Logout};
	CK_RV rv = CKR_OK;

	atomic_store(&m->shows_login, 0); /* from now on sessions may be public */
	if (atomic_load(&m->state) == MEMBER_UP && is_current(m) &&
	    !atomic_load(&m->lib->is_ending)) {
		object_drop_private(g, m->keeper);
		if (m->is_login_ours)
			rv = keeper_call(g, m, s, &call);
	}
	if (rv == CKR_USER_NOT_LOGGED_IN)
		rv = CKR_OK; /* it is what was wanted */
	atomic_store(&m->user, GROUP_PUBLIC);
	keeper_close(m);
	return rv;
}

bool keeper_is_refusal(CK_RV rv)
{
	return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
	       rv == CKR_PIN_EXPIRED || rv == CKR_PIN_LOCKED ||
	       rv == CKR_USER_PIN_NOT_INITIALIZED || rv == CKR_USER_TYPE_INVALID ||
	       rv == CKR_USER_ANOTHER_ALREADY_LOGGED_IN || rv == CKR_ARGUMENTS_BAD;
}

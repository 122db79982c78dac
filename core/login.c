/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins: C_Login, C_Logout, and the login that comes back with a member.
 *
 * Who is logged in is a fact of the virtual token (group.user), changed under its login_lock
 * together with the members' (member.user). A login on a member lives as long as one session of
 * ours there: the keeper (keeper.c). What is here is for all virtual tokens and for the one member
 * of a passthrough token; login_many.c has the others, login_pin.c what changes a PIN.
 *
 * A PIN is sent once for each C_Login of the application. The one that a member accepted is kept in
 * locked memory when the configuration says `relogin`, and is sent once more per epoch after the
 * member came back; when it is then refused it is forgotten. */
#include "core/login.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/call.h"
#include "core/codes.h"
#include "core/health.h"
#include "core/keeper.h"
#include "core/login_many.h"
#include "core/login_pin.h"
#include "core/operation.h"
#include "core/replicate.h"

static void set_user(struct group *g, struct member *m, enum group_user user)
{
	atomic_store(&m->user, (int)user);
	atomic_store(&g->user, (int)user);
}

/* Sends a logout and makes everything public, whatever the member answers. login_lock is held. */
static CK_RV logout(struct group *g, struct session *s)
{
	CK_RV rv;

	if (g->is_multi) {
		login_many_out(g, s);
		return CKR_OK;
	}
	rv = keeper_logout(g, &g->members[0], s);
	atomic_store(&g->user, GROUP_PUBLIC);
	secret_free(&g->pin);
	return rv;
}

/* What the standard says before any PIN is looked at. */
static CK_RV check_login(const struct group *g, CK_USER_TYPE type)
{
	enum group_user wanted = type == CKU_SO ? GROUP_SO : GROUP_USER;
	int now = atomic_load(&g->user);

	if (now == (int)wanted)
		return CKR_USER_ALREADY_LOGGED_IN;
	if (now != GROUP_PUBLIC)
		return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	if (type == CKU_SO && atomic_load(&g->sessions) > atomic_load(&g->rw_sessions))
		return CKR_SESSION_READ_ONLY_EXISTS;
	return CKR_OK;
}

/* The one member of a passthrough token. */
static CK_RV login_one(struct group *g, struct session *s, struct call *call, struct secret **pin)
{
	struct member *m = &g->members[0];
	CK_RV rv = keeper_login(g, m, s, call);

	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) {
		keeper_close(m);
		return rv;
	}
	m->is_login_ours = rv == CKR_OK;
	set_user(g, m, call->user == CKU_SO ? GROUP_SO : GROUP_USER);
	/* Lost and back since then: nobody is logged in there now, and the PIN was not sent in
	 * vain. */
	if (m->keeper->epoch != atomic_load(&m->epoch))
		atomic_store(&m->user, GROUP_PUBLIC);
	/* A PIN that came with a user's name would be sent without it. */
	if (rv == CKR_OK && call->id == CALL_C_Login && call->user == CKU_USER &&
	    g->conf->relogin) {
		secret_free(&g->pin);
		g->pin = *pin;
		*pin = NULL;
	}
	return rv;
}

static CK_RV login_locked(struct group *g, struct session *s, struct call *call,
			  struct secret **pin)
{
	CK_RV rv = check_login(g, call->user);

	if (rv != CKR_OK)
		return rv;
	if (!g->is_multi)
		return login_one(g, s, call, pin);
	if (call->user == CKU_SO)
		return login_many_so(g, s, call);
	return login_many_user(g, s, call, pin);
}

/* All members may be gone just now: waits for one as any other call does, and before the lock is
 * taken that their way back needs. */
static void wait_for_members(struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (atomic_load(&g->members[i].state) == MEMBER_UP)
			return;
	(void)health_wait(g, ~0U, clock_ms() + g->config->retry.budget_ms); /* looked at again */
}

/* For a key that wants a login for each use: goes where its operation runs. */
static CK_RV login_context(struct session *s, struct call *call)
{
	call->ms = op_waiting_for_login(s);
	if (!call->ms)
		return CKR_OPERATION_NOT_INITIALIZED;
	call->place = CALL_BOUND;
	call->group = s->group;
	call->session = s;
	return call_run(call);
}

static CK_RV login_in_session(struct session *s, struct call *call, struct secret **pin)
{
	struct group *g = s->group;
	CK_RV rv;

	if (call->user == CKU_CONTEXT_SPECIFIC)
		return login_context(s, call);
	call->group = g;
	call->session = s;
	rv = call_decide(call);
	if (rv != CKR_OK)
		return rv;
	if (g->is_multi)
		wait_for_members(g);
	pthread_mutex_lock(&g->login_lock);
	rv = login_locked(g, s, call, pin);
	pthread_mutex_unlock(&g->login_lock);
	if (rv == CKR_OK && call->user == CKU_USER && g->is_multi)
		replicate_login(g);
	return rv;
}

CK_RV login_in(CK_SESSION_HANDLE session, CK_USER_TYPE type, const CK_BYTE *pin, CK_ULONG pin_len,
	       const CK_BYTE *user, CK_ULONG user_len)
{
	struct call call = {
		.id = user && user_len > 0 ? CALL_C_LoginUser : CALL_C_Login,
		.user = type,
		.in = user,
		.in_len = user_len,
	};
	struct secret *secret = NULL;
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	if (type != CKU_SO && type != CKU_USER && type != CKU_CONTEXT_SPECIFIC)
		rv = CKR_USER_TYPE_INVALID;
	else if (user_len > SECRET_MAX_LEN || (!user && user_len > 0))
		rv = CKR_ARGUMENTS_BAD;
	else
		secret = login_pin_new(pin, pin_len, &rv);
	call.pin[0] = secret;
	if (rv == CKR_OK)
		rv = login_in_session(s, &call, &secret);
	session_give(s);
	secret_free(&secret);
	return rv == CKR_OK ? CKR_OK : code_map(call.id, rv);
}

CK_RV login_out(CK_SESSION_HANDLE session)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&s->group->login_lock);
	if (atomic_load(&s->group->user) == GROUP_PUBLIC)
		rv = CKR_USER_NOT_LOGGED_IN;
	else
		rv = logout(s->group, s);
	pthread_mutex_unlock(&s->group->login_lock);
	session_give(s);
	return rv;
}

void login_drop(struct group *g)
{
	pthread_mutex_lock(&g->login_lock);
	/* A session may have been opened since the last one was closed: it then keeps the login. */
	if (atomic_load(&g->sessions) == 0 && atomic_load(&g->user) != GROUP_PUBLIC)
		(void)logout(g, NULL); /* it is public in any case */
	pthread_mutex_unlock(&g->login_lock);
}

/* The PIN is of no use any more, or there is none: the application has to log in. */
static void give_up(struct group *g, struct member *m, const char *why)
{
	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: came back without its login (%s); the application has to "
		"log "
		"in again",
		m->conf->name, g->conf->label, why);
	secret_free(&g->pin);
	set_user(g, m, GROUP_PUBLIC);
}

/* The member is public and the application logged in: the kept PIN, once per epoch. login_lock is
 * held. */
static void login_again(struct group *g, struct member *m)
{
	struct call call = {.id = CALL_C_Login, .user = CKU_USER, .pin = {g->pin}};
	unsigned epoch = atomic_load(&m->epoch);
	char code[NAME_MAX_LEN];
	CK_RV rv;

	if (!g->pin) {
		give_up(g, m, "no PIN is kept");
		return;
	}
	if (atomic_exchange(&m->login_epoch, epoch) == epoch)
		return; /* tried already */
	rv = keeper_call(g, m, NULL, &call);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
		m->is_login_ours = rv == CKR_OK;
		atomic_store(&m->user, GROUP_USER);
		if (m->keeper->epoch != atomic_load(&m->epoch))
			atomic_store(&m->user, GROUP_PUBLIC); /* lost again meanwhile */
		else
			log_msg(LOG_LEVEL_INFO, "member %s of token %s: logged in again",
				m->conf->name, g->conf->label);
	} else if (keeper_is_refusal(rv)) {
		give_up(g, m, name_of(NAME_RV, rv, code));
	}
}

static void sync_one(struct group *g, struct member *m)
{
	if (atomic_load(&m->state) != MEMBER_UP || atomic_load(&g->user) == atomic_load(&m->user))
		return;
	if (atomic_load(&g->user) == GROUP_PUBLIC)
		(void)logout(g, NULL); /* it is public in any case */
	else
		login_again(g, m);
}

void login_refresh(struct group *g, struct member *m, unsigned epoch)
{
	pthread_mutex_lock(&g->login_lock);
	login_many_refresh(m, epoch);
	pthread_mutex_unlock(&g->login_lock);
}

void login_sync(struct group *g, struct member *m)
{
	pthread_mutex_lock(&g->login_lock);
	if (g->is_multi)
		login_many_sync(g, m);
	else
		sync_one(g, m);
	pthread_mutex_unlock(&g->login_lock);
}

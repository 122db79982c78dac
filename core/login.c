/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins and PINs.
 *
 * Who is logged in is a fact of the virtual token (group.user), changed under its login_lock
 * together with the member's (member.user). A login on a member lives as long as one session of
 * ours there: the keeper, on which C_Login and C_Logout run.
 *
 * A PIN is sent once for each C_Login of the application. The one that a member accepted is kept in
 * locked memory when the configuration says `relogin`, and is sent once more per epoch after the
 * member came back; when it is then refused it is forgotten. */
#include "core/login.h"

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/call.h"
#include "core/codes.h"
#include "core/library.h"
#include "core/object.h"
#include "core/operation.h"

/* How long a login waits for a session of the member. */
#define WAIT_MS 1000

static struct secret *pin_new(const CK_BYTE *pin, CK_ULONG len, CK_RV *rv)
{
	struct secret *s = NULL;

	*rv = CKR_OK;
	if (len > SECRET_MAX_LEN || (!pin && len > 0))
		*rv = CKR_ARGUMENTS_BAD;
	else if (pin && !(s = secret_new(pin, len)))
		*rv = CKR_HOST_MEMORY;
	return s;
}

/* Makes sure that the member has a keeper of its current epoch. login_lock is held. */
static CK_RV keeper_open(struct member *m)
{
	if (!member_up(m, false))
		return CKR_DEVICE_ERROR;
	if (m->keeper && m->keeper->epoch == atomic_load(&m->epoch))
		return CKR_OK;
	if (m->keeper)
		pool_drop(m->keeper);
	m->keeper = NULL;
	return pool_take(m, 0, WAIT_MS, &m->keeper);
}

static void keeper_close(struct member *m)
{
	if (m->keeper)
		pool_give(m->keeper, 0);
	m->keeper = NULL;
}

static CK_RV on_keeper(struct group *g, struct member *m, struct session *s, struct call *call)
{
	CK_RV rv = keeper_open(m);

	if (rv != CKR_OK)
		return code_map(call->id, rv);
	call->place = CALL_BOUND;
	call->group = g;
	call->session = s;
	call->ms = m->keeper;
	return call_run(call);
}

static void set_user(struct group *g, struct member *m, enum group_user user)
{
	atomic_store(&m->user, (int)user);
	atomic_store(&g->user, (int)user);
}

/* Sends a logout and makes everything public, whatever the member answers. login_lock is held. */
static CK_RV logout(struct group *g, struct member *m, struct session *s)
{
	struct call call = {.id = CALL_C_Logout};
	CK_RV rv = CKR_OK;

	if (atomic_load(&m->state) == MEMBER_UP && m->keeper &&
	    m->keeper->epoch == atomic_load(&m->epoch) && !atomic_load(&m->lib->is_ending)) {
		object_drop_private(g, m->keeper);
		if (m->is_login_ours)
			rv = on_keeper(g, m, s, &call);
	}
	if (rv == CKR_USER_NOT_LOGGED_IN)
		rv = CKR_OK; /* it is what was wanted */
	set_user(g, m, GROUP_PUBLIC);
	secret_free(&g->pin);
	keeper_close(m);
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

static CK_RV send_login(struct group *g, struct session *s, struct call *call)
{
	struct member *m = &g->members[0];
	CK_RV rv = on_keeper(g, m, s, call);

	if (rv == CKR_USER_ALREADY_LOGGED_IN && m->lib->is_owned) {
		/* A login of ours that was thought to be over: nobody else uses this instance. */
		struct call out = {.id = CALL_C_Logout};

		if (on_keeper(g, m, s, &out) == CKR_OK)
			rv = on_keeper(g, m, s, call);
	} else if (rv == CKR_USER_ALREADY_LOGGED_IN) {
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: somebody else in this process is logged "
			"in already; the PIN was not checked",
			m->conf->name, g->conf->label);
	}
	return rv;
}

static CK_RV login_locked(struct group *g, struct session *s, struct call *call,
			  struct secret **pin)
{
	struct member *m = &g->members[0];
	CK_RV rv = check_login(g, call->user);

	if (rv != CKR_OK)
		return rv;
	rv = send_login(g, s, call);
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
	pthread_mutex_lock(&g->login_lock);
	rv = login_locked(g, s, call, pin);
	pthread_mutex_unlock(&g->login_lock);
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
		secret = pin_new(pin, pin_len, &rv);
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
		rv = logout(s->group, &s->group->members[0], s);
	pthread_mutex_unlock(&s->group->login_lock);
	session_give(s);
	return rv;
}

void login_drop(struct group *g)
{
	pthread_mutex_lock(&g->login_lock);
	/* A session may have been opened since the last one was closed: it then keeps the login. */
	if (atomic_load(&g->sessions) == 0 && atomic_load(&g->user) != GROUP_PUBLIC)
		(void)logout(g, &g->members[0], NULL); /* it is public in any case */
	pthread_mutex_unlock(&g->login_lock);
}

/* What a member says of a PIN that it looked at, or of a user whom it will not let in. */
static bool is_refusal(CK_RV rv)
{
	return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
	       rv == CKR_PIN_EXPIRED || rv == CKR_PIN_LOCKED ||
	       rv == CKR_USER_PIN_NOT_INITIALIZED || rv == CKR_USER_TYPE_INVALID ||
	       rv == CKR_USER_ANOTHER_ALREADY_LOGGED_IN || rv == CKR_ARGUMENTS_BAD;
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
	rv = on_keeper(g, m, NULL, &call);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
		m->is_login_ours = rv == CKR_OK;
		atomic_store(&m->user, GROUP_USER);
		if (m->keeper->epoch != atomic_load(&m->epoch))
			atomic_store(&m->user, GROUP_PUBLIC); /* lost again meanwhile */
		else
			log_msg(LOG_LEVEL_INFO, "member %s of token %s: logged in again",
				m->conf->name, g->conf->label);
	} else if (is_refusal(rv)) {
		give_up(g, m, name_of(NAME_RV, rv, code));
	}
}

void login_sync(struct group *g, struct member *m)
{
	pthread_mutex_lock(&g->login_lock);
	if (atomic_load(&m->state) == MEMBER_UP && atomic_load(&g->user) != atomic_load(&m->user)) {
		if (atomic_load(&g->user) == GROUP_PUBLIC)
			(void)logout(g, m, NULL); /* it is public in any case */
		else
			login_again(g, m);
	}
	pthread_mutex_unlock(&g->login_lock);
}

static CK_RV run_pin_call(struct session *s, struct call *call)
{
	call->place = CALL_BORROW;
	call->group = s->group;
	call->session = s;
	return call_run(call);
}

static CK_RV init_pin_in(struct session *s, struct secret *pin)
{
	struct call call = {.id = CALL_C_InitPIN, .pin = {pin}};

	if (session_state(s) != CKS_RW_SO_FUNCTIONS)
		return CKR_USER_NOT_LOGGED_IN;
	return run_pin_call(s, &call);
}

CK_RV login_init_pin(CK_SESSION_HANDLE session, const CK_BYTE *pin, CK_ULONG pin_len)
{
	struct secret *secret = NULL;
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	secret = pin_new(pin, pin_len, &rv);
	if (rv == CKR_OK)
		rv = init_pin_in(s, secret);
	session_give(s);
	secret_free(&secret);
	return rv;
}

static CK_RV set_pin_in(struct session *s, struct secret *old_pin, struct secret **new_pin)
{
	struct call call = {.id = CALL_C_SetPIN, .pin = {old_pin, *new_pin}};
	struct group *g = s->group;
	CK_RV rv;

	if (!session_is_rw(s))
		return CKR_SESSION_READ_ONLY;
	rv = run_pin_call(s, &call);
	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&g->login_lock);
	if (g->pin && atomic_load(&g->user) == GROUP_USER) {
		secret_free(&g->pin);
		g->pin = *new_pin;
		*new_pin = NULL;
	}
	pthread_mutex_unlock(&g->login_lock);
	return CKR_OK;
}

CK_RV login_set_pin(CK_SESSION_HANDLE session, const CK_BYTE *old_pin, CK_ULONG old_len,
		    const CK_BYTE *new_pin, CK_ULONG new_len)
{
	struct secret *old_secret = NULL, *new_secret = NULL;
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	old_secret = pin_new(old_pin, old_len, &rv);
	if (rv == CKR_OK)
		new_secret = pin_new(new_pin, new_len, &rv);
	if (rv == CKR_OK)
		rv = set_pin_in(s, old_secret, &new_secret);
	session_give(s);
	secret_free(&old_secret);
	secret_free(&new_secret);
	return rv;
}

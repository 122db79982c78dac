/* SPDX-License-Identifier: BSD-2-Clause */
/* C_InitPIN and C_SetPIN: what changes a PIN.
 *
 * On a virtual token with several members a PIN is changed on all of them or, as far as they let
 * us, on none: every member must be up, they are asked one after the other, and C_SetPIN is taken
 * back where it was done when a later member refuses. C_InitPIN cannot be taken back: members that
 * failed are set apart and named in the log. All of it under the group's login_lock. A member's own
 * PIN (configuration) is never changed by an application's C_SetPIN. */
#include "core/login_pin.h"

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/call.h"
#include "core/keeper.h"
#include "core/login.h"
#include "core/login_many.h"
#include "core/login_member.h"
#include "core/pin_source.h"

/* A change of PIN on all members. */
struct change {
	struct group *g;
	struct session *s;
	const struct secret *old_pin;
	const struct secret *new_pin;
	bool is_so; /* it is the security officer's: no configuration has that one */
};

struct secret *login_pin_new(const CK_BYTE *pin, CK_ULONG len, CK_RV *rv)
{
	struct secret *s = NULL;

	*rv = CKR_OK;
	if (len > SECRET_MAX_LEN || (!pin && len > 0))
		*rv = CKR_ARGUMENTS_BAD;
	else if (pin && !(s = secret_new(pin, len)))
		*rv = CKR_HOST_MEMORY;
	return s;
}

static CK_RV run_pin_call(struct session *s, struct call *call)
{
	call->place = CALL_BORROW;
	call->group = s->group;
	call->session = s;
	return call_run(call);
}

/* A PIN that one of the members would not take is sent to none. */
static CK_RV check_length(struct group *g, const struct secret *pin)
{
	CK_TOKEN_INFO info;

	if (!pin || group_token_info(g, &info) != CKR_OK || info.ulMaxPinLen < info.ulMinPinLen)
		return CKR_OK;
	return secret_len(pin) < info.ulMinPinLen || secret_len(pin) > info.ulMaxPinLen
		       ? CKR_PIN_LEN_RANGE
		       : CKR_OK;
}

/* A member that has a PIN of its own gets that one: it is what hsmux will log in with. */
static CK_RV init_pin_on(struct group *g, struct member *m, struct session *s,
			 const struct secret *pin)
{
	struct call call = {.id = CALL_C_InitPIN, .pin = {pin}};
	struct secret *own = NULL;
	char why[256] = "";
	CK_RV rv;

	if (login_has_own_pin(m)) {
		call.pin[0] = own = pin_source_read(m->conf, why, sizeof why);
		if (!own)
			log_msg(LOG_LEVEL_WARN, "member %s of token %s: its PIN is not set: %s",
				m->conf->name, g->conf->label, why);
		if (!own)
			return CKR_FUNCTION_FAILED;
	}
	rv = keeper_call(g, m, s, &call);
	secret_free(&own);
	return rv;
}

static CK_RV init_pin_all(struct group *g, struct session *s, const struct secret *pin)
{
	CK_RV answer[CONFIG_MAX_MEMBERS];
	CK_RV rv = login_need_all(g, s, "C_InitPIN");
	char code[NAME_MAX_LEN];
	size_t done = 0;

	if (rv != CKR_OK)
		return rv;
	for (size_t i = 0; i < g->member_count; i++) {
		answer[i] = init_pin_on(g, &g->members[i], s, pin);
		done += answer[i] == CKR_OK;
	}
	if (done == 0)
		return answer[0];
	for (size_t i = 0; i < g->member_count; i++) {
		if (answer[i] == CKR_OK)
			continue;
		login_set_apart(g, &g->members[i]);
		log_msg(LOG_LEVEL_ERROR,
			"member %s of token %s: C_InitPIN answered %s, while others have the new "
			"PIN; it is not used until the next successful C_Login of an application; "
			"its PIN must be brought in line with the others'",
			g->members[i].conf->name, g->conf->label,
			name_of(NAME_RV, answer[i], code));
	}
	return CKR_OK;
}

static CK_RV init_pin_in(struct session *s, struct secret *pin)
{
	struct call call = {.id = CALL_C_InitPIN, .pin = {pin}};
	struct group *g = s->group;
	CK_RV rv;

	if (session_state(s) != CKS_RW_SO_FUNCTIONS)
		return CKR_USER_NOT_LOGGED_IN;
	if (!g->is_multi)
		return run_pin_call(s, &call);
	rv = check_length(g, pin);
	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&g->login_lock);
	rv = init_pin_all(g, s, pin);
	pthread_mutex_unlock(&g->login_lock);
	return rv;
}

CK_RV login_init_pin(CK_SESSION_HANDLE session, const CK_BYTE *pin, CK_ULONG pin_len)
{
	struct secret *secret = NULL;
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	secret = login_pin_new(pin, pin_len, &rv);
	if (rv == CKR_OK)
		rv = init_pin_in(s, secret);
	session_give(s);
	secret_free(&secret);
	return rv;
}

static bool is_meant(const struct change *c, const struct member *m)
{
	return c->is_so || !login_has_own_pin(m);
}

static CK_RV set_on(const struct change *c, struct member *m, const struct secret *from,
		    const struct secret *to)
{
	struct call call = {.id = CALL_C_SetPIN, .pin = {from, to}};

	return keeper_call(c->g, m, c->s, &call);
}

/* Member `failed` did not take the new PIN: those before it get the old one again. */
static void set_back(const struct change *c, size_t failed, CK_RV why)
{
	const char *label = c->g->conf->label;
	char code[NAME_MAX_LEN];

	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: C_SetPIN answered %s; the PIN is not changed, and set back "
		"where it was",
		c->g->members[failed].conf->name, label, name_of(NAME_RV, why, code));
	for (size_t i = 0; i < failed; i++) {
		struct member *m = &c->g->members[i];
		CK_RV rv = is_meant(c, m) ? set_on(c, m, c->new_pin, c->old_pin) : CKR_OK;

		if (rv != CKR_OK)
			log_msg(LOG_LEVEL_ERROR,
				"member %s of token %s: has the new PIN and could not be set back "
				"(%s), while member %s does not; bring their PINs in line",
				m->conf->name, label, name_of(NAME_RV, rv, code),
				c->g->members[failed].conf->name);
	}
}

/* Whether every member that is meant can be expected to take it, before one is asked. */
static CK_RV check_change(const struct change *c)
{
	CK_RV rv = login_need_all(c->g, c->s, "C_SetPIN");
	bool any = false;

	for (size_t i = 0; rv == CKR_OK && i < c->g->member_count; i++) {
		const struct member *m = &c->g->members[i];

		if (!is_meant(c, m))
			continue;
		any = true;
		if (c->is_so || !c->g->logins[i].was_refused)
			continue;
		log_msg(LOG_LEVEL_WARN,
			"token %s: C_SetPIN is not done while member %s has another PIN than the "
			"others",
			c->g->conf->label, m->conf->name);
		rv = CKR_DEVICE_ERROR;
	}
	return rv == CKR_OK && !any ? CKR_FUNCTION_NOT_SUPPORTED : rv;
}

static CK_RV set_pin_all(const struct change *c)
{
	CK_RV rv = check_change(c);

	if (rv != CKR_OK)
		return rv;
	for (size_t i = 0; rv == CKR_OK && i < c->g->member_count; i++) {
		struct member *m = &c->g->members[i];

		if (is_meant(c, m))
			rv = set_on(c, m, c->old_pin, c->new_pin);
		if (rv != CKR_OK)
			set_back(c, i, rv);
	}
	for (size_t i = 0; i < c->g->member_count; i++)
		if (atomic_load(&c->g->members[i].user) == GROUP_PUBLIC)
			keeper_close(&c->g->members[i]); /* opened for this only */
	return rv;
}

/* The PIN that is kept is the new one from now on. login_lock is held. */
static void keep_new(struct group *g, struct secret **new_pin)
{
	if (!g->pin || atomic_load(&g->user) != GROUP_USER)
		return;
	secret_free(&g->pin);
	g->pin = *new_pin;
	*new_pin = NULL;
}

static CK_RV set_pin_many(struct session *s, struct secret *old_pin, struct secret **new_pin)
{
	struct group *g = s->group;
	struct change change = {.g = g, .s = s, .old_pin = old_pin, .new_pin = *new_pin};
	CK_RV rv = check_length(g, *new_pin);

	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&g->login_lock);
	change.is_so = atomic_load(&g->user) == GROUP_SO;
	rv = set_pin_all(&change);
	if (rv == CKR_OK)
		keep_new(g, new_pin);
	pthread_mutex_unlock(&g->login_lock);
	return rv;
}

static CK_RV set_pin_in(struct session *s, struct secret *old_pin, struct secret **new_pin)
{
	struct call call = {.id = CALL_C_SetPIN, .pin = {old_pin, *new_pin}};
	struct group *g = s->group;
	CK_RV rv;

	if (!session_is_rw(s))
		return CKR_SESSION_READ_ONLY;
	if (g->is_multi)
		return set_pin_many(s, old_pin, new_pin);
	rv = run_pin_call(s, &call);
	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&g->login_lock);
	keep_new(g, new_pin);
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
	old_secret = login_pin_new(old_pin, old_len, &rv);
	if (rv == CKR_OK)
		new_secret = login_pin_new(new_pin, new_len, &rv);
	if (rv == CKR_OK)
		rv = set_pin_in(s, old_secret, &new_secret);
	session_give(s);
	secret_free(&old_secret);
	secret_free(&new_secret);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins of virtual tokens whose members come and go.
 *
 * A PIN that a person typed is checked on one member; only when that one accepted it the others get
 * it, each once. So a wrong PIN costs one try on one token. A member that refuses what another
 * accepted is set apart (is_refusing) and not asked again before the next C_Login that succeeds. A
 * member that comes back is logged in with the kept PIN or with its own, at most once per epoch.
 *
 * Everything runs under the group's login_lock; member.user and member.is_refusing are written here
 * only. Nobody is ever logged in without a PIN that was checked: where all members have PINs of
 * their own, the application's must equal the first member's. */
#include "core/login_many.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/health.h"
#include "core/keeper.h"
#include "core/login_member.h"
#include "core/object.h"
#include "core/pin_source.h"

/* One C_Login. */
struct round {
	struct group *g;
	struct session *s;
	const struct call *call; /* with the application's PIN */
	unsigned asked;          /* bit i: member i had its turn */
	unsigned foreign;        /* bit i: somebody else is logged in there; nothing was checked */
};

static bool is_up(const struct member *m)
{
	return atomic_load(&m->state) == MEMBER_UP;
}

static unsigned bit(const struct member *m)
{
	return 1U << m->index;
}

static bool any_with_own_pin(const struct group *g, bool own)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (login_has_own_pin(&g->members[i]) == own)
			return true;
	return false;
}

/* Where a PIN is checked first: the smaller number. A token that wants no login may accept
 * anything. */
static unsigned class_of(struct member *m)
{
	if (!login_is_wanted(m))
		return 3;
	if (atomic_load(&m->is_refusing))
		return 2;
	return member_may_serve(m) ? 0 : 1;
}

static bool is_before(struct member *a, struct member *b)
{
	unsigned class_a = class_of(a), class_b = class_of(b);

	if (class_a != class_b)
		return class_a < class_b;
	if (a->conf->role != b->conf->role)
		return a->conf->role < b->conf->role;
	return a->conf->priority < b->conf->priority;
}

/* The next member that the application's PIN can be checked on, or NULL. */
static struct member *next_to_check(const struct round *r)
{
	bool is_mixed = any_with_own_pin(r->g, true);
	struct member *best = NULL;

	for (size_t i = 0; i < r->g->member_count; i++) {
		struct member *m = &r->g->members[i];

		if ((r->asked & bit(m)) || !is_up(m) || login_has_own_pin(m))
			continue;
		if (is_mixed && !login_is_wanted(m))
			continue; /* it would let anybody in to the others */
		if (!best || is_before(m, best))
			best = m;
	}
	return best;
}

/* Nobody is there to check a PIN: waits for one, within the budget. Nobody else needs the lock
 * then: members that come back to a public token are not logged in. */
static void wait_for_checker(const struct round *r)
{
	struct group *g = r->g;
	unsigned mask = 0;

	for (size_t i = 0; i < g->member_count; i++)
		if (!login_has_own_pin(&g->members[i]))
			mask |= bit(&g->members[i]);
	if (!next_to_check(r) && atomic_load(&g->user) == GROUP_PUBLIC)
		(void)health_wait(g, mask,
				  clock_ms() + g->config->retry.budget_ms); /* asked next */
}

/* The application's PIN on one member. */
static CK_RV send(struct round *r, struct member *m)
{
	struct call call = *r->call;

	r->asked |= bit(m);
	return login_send(r->g, m, r->s, &call);
}

/* An answer to the PIN or of the person in front of it: no other token is asked then. */
static bool is_verdict(CK_RV rv)
{
	return keeper_is_refusal(rv) || rv == CKR_FUNCTION_CANCELED ||
	       rv == CKR_USER_TOO_MANY_TYPES || rv == CKR_SESSION_READ_ONLY_EXISTS;
}

/* Asks members one after the other until one gives a verdict. */
static CK_RV check_pin(struct round *r, struct member **by)
{
	CK_RV rv = CKR_DEVICE_ERROR;
	char code[NAME_MAX_LEN];

	wait_for_checker(r);
	while ((*by = next_to_check(r))) {
		rv = send(r, *by);
		if (rv == CKR_OK)
			return CKR_OK;
		if (rv == CKR_USER_ALREADY_LOGGED_IN) {
			r->foreign |= bit(*by);
			rv = CKR_DEVICE_ERROR;
			continue;
		}
		if (is_verdict(rv)) {
			keeper_close(*by);
			return rv;
		}
		keeper_drop(*by);
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: failed while a PIN was checked there (%s); the "
			"next member is asked",
			(*by)->conf->name, r->g->conf->label, name_of(NAME_RV, rv, code));
	}
	/* The process is logged in there anyway; PINs of others are not opened by that. */
	return r->foreign && !any_with_own_pin(r->g, true) ? CKR_OK : rv;
}

/* No member has the application's PIN: it must be the first member's, which no token is asked for.
 * NULL: the configuration is the protected path. */
static CK_RV check_own_pin(struct group *g, const struct secret *pin)
{
	struct member *first = &g->members[0];
	struct secret *own;
	char why[256] = "";
	CK_RV rv;

	if (!pin)
		return CKR_OK;
	own = pin_source_read(first->conf, why, sizeof why);
	if (!own)
		log_msg(LOG_LEVEL_WARN, "member %s of token %s: a PIN cannot be checked: %s",
			first->conf->name, g->conf->label, why);
	if (!own)
		return CKR_DEVICE_ERROR;
	rv = secret_equal(own, pin) ? CKR_OK : CKR_PIN_INCORRECT;
	secret_free(&own);
	return rv;
}

/* What was noted of earlier logins does not count any more. */
static void forget_refusals(struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++) {
		g->logins[i].was_refused = false;
		atomic_store(&g->members[i].is_refusing, 0);
	}
}

static void fan_out(struct round *r)
{
	for (size_t i = 0; i < r->g->member_count; i++) {
		struct member *m = &r->g->members[i];

		if ((r->asked & bit(m)) || !is_up(m))
			continue;
		if (!login_is_wanted(m))
			login_open(r->g, m, GROUP_USER);
		else if (login_has_own_pin(m))
			login_own(r->g, m, r->s, false);
		else
			login_settle(r->g, m, send(r, m));
	}
}

/* Those that were asked before the one that accepted: they failed, or another is logged in. */
static void settle_asked(struct round *r, const struct member *by)
{
	for (size_t i = 0; i < r->g->member_count; i++) {
		struct member *m = &r->g->members[i];

		if (m == by || !(r->asked & bit(m)))
			continue;
		login_settle(r->g, m,
			     r->foreign & bit(m) ? CKR_USER_ALREADY_LOGGED_IN : CKR_DEVICE_ERROR);
	}
}

static void undo_foreign(struct round *r)
{
	for (size_t i = 0; i < r->g->member_count; i++)
		if (r->foreign & bit(&r->g->members[i]))
			keeper_close(&r->g->members[i]);
}

/* Whether the session of ours that holds the login is still there. What refused a request for want
 * of a login may have meant only that request: a key that wants a login for each use, or a private
 * object that the security officer may not have. */
static bool holds_login(const struct member *m)
{
	return m->keeper && m->keeper->epoch == atomic_load(&m->epoch);
}

void login_many_refresh(struct member *m, unsigned epoch)
{
	CK_STATE state = CKS_RW_PUBLIC_SESSION;
	int user = atomic_load(&m->user);

	if (!holds_login(m) || !member_shows_user(m) || pool_state(m->keeper, &state) != CKR_OK ||
	    !pool_is_user(state)) {
		member_renew(m, epoch);
	} else if (member_begin_anew(m, epoch)) {
		pool_keep(m->keeper); /* it was seen to live */
		atomic_store(&m->shows_login, 1);
		atomic_store(&m->user, user);
	}
}

static bool is_logged_in(const struct member *m, int user)
{
	return is_up(m) && (holds_login(m) || atomic_load(&m->user) == user);
}

static bool anybody_logged_in(const struct group *g, int user)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (is_logged_in(&g->members[i], user))
			return true;
	return false;
}

static void say_who_is_down(const struct group *g)
{
	for (size_t i = 0; !g->pin && i < g->member_count; i++)
		if (!is_up(&g->members[i]) && !login_has_own_pin(&g->members[i]))
			log_msg(LOG_LEVEL_INFO,
				"member %s of token %s: down while an application logged in, and "
				"no PIN is kept: it is not used until an application logs in again",
				g->members[i].conf->name, g->conf->label);
}

CK_RV login_many_user(struct group *g, struct session *s, const struct call *call,
		      struct secret **pin)
{
	struct round r = {.g = g, .s = s, .call = call};
	bool is_asked = any_with_own_pin(g, false);
	struct member *by = NULL;
	CK_RV rv = is_asked ? check_pin(&r, &by) : check_own_pin(g, call->pin[0]);

	if (rv != CKR_OK) {
		undo_foreign(&r);
		return rv;
	}
	forget_refusals(g);
	if (by)
		login_accepted(g, by, GROUP_USER, CKR_OK);
	settle_asked(&r, by);
	fan_out(&r);
	if (!is_asked && !anybody_logged_in(g, GROUP_USER))
		return CKR_DEVICE_ERROR; /* the log says why */
	atomic_store(&g->user, GROUP_USER);
	/* A PIN that came with a user's name would be sent without it; one that nobody looked at
	 * is not kept. */
	if (by && call->id == CALL_C_Login && g->conf->relogin) {
		secret_free(&g->pin);
		g->pin = *pin;
		*pin = NULL;
	}
	say_who_is_down(g);
	return CKR_OK;
}

CK_RV login_need_all(struct group *g, struct session *s, const char *what)
{
	for (size_t i = 0; i < g->member_count; i++) {
		if (is_up(&g->members[i]))
			continue;
		s->device_error = CKR_TOKEN_NOT_PRESENT;
		log_msg(LOG_LEVEL_WARN,
			"token %s: %s is not done while member %s is down: it needs all members",
			g->conf->label, what, g->members[i].conf->name);
		return CKR_DEVICE_ERROR;
	}
	return CKR_OK;
}

CK_RV login_many_so(struct group *g, struct session *s, const struct call *call)
{
	struct round r = {.g = g, .s = s, .call = call};
	CK_RV rv = login_need_all(g, s, "the login of the security officer");
	char code[NAME_MAX_LEN];

	for (size_t i = 0; rv == CKR_OK && i < g->member_count; i++) {
		struct member *m = &g->members[i];

		rv = send(&r, m);
		if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
			login_accepted(g, m, GROUP_SO, rv);
			rv = CKR_OK;
			continue;
		}
		keeper_drop(m);
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: did not let the security officer in (%s); it is "
			"logged out of the others again",
			m->conf->name, g->conf->label, name_of(NAME_RV, rv, code));
		while (i-- > 0)
			(void)keeper_logout(g, &g->members[i], s); /* `rv` says enough */
		return rv;
	}
	if (rv == CKR_OK)
		atomic_store(&g->user, GROUP_SO);
	return rv;
}

/* Members that were only left out serve what is public; with `all`, those that refused the PIN too:
 * there is nobody else. */
static void make_public(struct group *g, bool all)
{
	atomic_store(&g->user, GROUP_PUBLIC);
	secret_free(&g->pin);
	for (size_t i = 0; i < g->member_count; i++) {
		atomic_store(&g->members[i].user, GROUP_PUBLIC);
		if (all || !g->logins[i].was_refused)
			atomic_store(&g->members[i].is_refusing, 0);
	}
}

static void log_out(struct group *g, struct member *m, struct session *s)
{
	char code[NAME_MAX_LEN];
	CK_RV rv = keeper_logout(g, m, s);

	if (rv != CKR_OK)
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: answered %s to C_Logout; it is treated as logged "
			"out",
			m->conf->name, g->conf->label, name_of(NAME_RV, rv, code));
}

void login_many_out(struct group *g, struct session *s)
{
	for (size_t i = 0; i < g->member_count; i++)
		log_out(g, &g->members[i], s);
	make_public(g, false);
}

/* Whether the login of this member can still come back without the application. */
static bool may_come_back(const struct group *g, const struct member *m)
{
	return atomic_load(&g->user) == GROUP_USER && !g->logins[m->index].was_refused &&
	       (g->pin || login_has_own_pin(m));
}

/* Nobody is logged in any more and no PIN is left: the application has to log in again. */
static void give_up_if_lost(struct group *g, struct member *m)
{
	struct member_session *ms;

	for (size_t i = 0; i < g->member_count; i++)
		if (is_logged_in(&g->members[i], atomic_load(&g->user)) ||
		    may_come_back(g, &g->members[i]))
			return;
	log_msg(LOG_LEVEL_WARN,
		"token %s: no member is logged in any more, and no PIN is kept; the application "
		"has to log in again",
		g->conf->label);
	if (pool_take(m, 0, 0, &ms) == CKR_OK) {
		object_drop_private(g, ms);
		pool_give(ms, 0);
	}
	for (size_t i = 0; i < g->member_count; i++)
		keeper_close(&g->members[i]);
	make_public(g, true);
}

/* The member is public and the application logged in. No C_Logout here: operations of other threads
 * may run in a login that is still good. */
static void login_again(struct group *g, struct member *m)
{
	struct call call = {.id = CALL_C_Login, .user = CKU_USER, .pin = {g->pin}};
	struct group_login *l = &g->logins[m->index];
	unsigned epoch = atomic_load(&m->epoch);

	if (atomic_exchange(&m->login_epoch, epoch) == epoch) {
		/* What it refuses after that it refuses to a user who is logged in. */
		if (l->again_epoch == epoch)
			atomic_store(&m->user, GROUP_USER);
		return;
	}
	if (login_has_own_pin(m))
		login_own(g, m, NULL, true);
	else
		login_settle(g, m, keeper_call(g, m, NULL, &call));
	if (atomic_load(&m->user) != GROUP_USER)
		return;
	l->again_epoch = epoch;
	log_msg(LOG_LEVEL_INFO, "member %s of token %s: logged in again", m->conf->name,
		g->conf->label);
}

void login_many_sync(struct group *g, struct member *m)
{
	int user = atomic_load(&g->user);

	if (!is_up(m) || user == atomic_load(&m->user))
		return;
	if (user == GROUP_PUBLIC) {
		log_out(g, m, NULL);
		return;
	}
	if (g->logins[m->index].was_refused)
		return;
	if (!login_is_wanted(m)) {
		login_open(g, m, (enum group_user)user);
		return;
	}
	if (may_come_back(g, m))
		login_again(g, m);
	else if (holds_login(m))
		atomic_store(&m->user, user);
	else if (!atomic_load(&m->is_refusing))
		login_leave_out(g, m, "no PIN is kept");
	give_up_if_lost(g, m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a login makes of one member of a virtual token with several: logged in (member.user), set
 * apart because it refused the PIN, or left out because it could not be asked (member.is_refusing
 * for both).
 *
 * Runs under the group's login_lock. A PIN is sent once; what a member refused is not sent to it
 * again before the application logs in anew, and a PIN from the configuration not even then, until
 * it was changed or the member came back. */
#include "core/login_member.h"

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/keeper.h"
#include "core/library.h"
#include "core/pin_source.h"

bool login_has_own_pin(const struct member *m)
{
	return m->conf->pin != CONFIG_PIN_SAME;
}

bool login_is_wanted(struct member *m)
{
	bool wants = true;

	if (pthread_mutex_trylock(&m->lib->lock) != 0)
		return true;
	wants = (m->token.flags & CKF_LOGIN_REQUIRED) != 0;
	pthread_mutex_unlock(&m->lib->lock);
	return wants;
}

void login_set_apart(struct group *g, struct member *m)
{
	g->logins[m->index].was_refused = true;
	atomic_store(&m->is_refusing, 1);
}

void login_leave_out(struct group *g, struct member *m, const char *why)
{
	atomic_store(&m->is_refusing, 1);
	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: not logged in (%s); it is not used until it comes back or "
		"an application logs in again",
		m->conf->name, g->conf->label, why);
}

static const char *source_of(const struct member *m)
{
	static const char *const words[] = {
		[CONFIG_PIN_SAME] = "",
		[CONFIG_PIN_FILE] = "file ",
		[CONFIG_PIN_ENV] = "environment variable ",
		[CONFIG_PIN_CREDENTIAL] = "credential ",
	};

	return words[m->conf->pin];
}

static void refused(struct group *g, struct member *m, CK_RV rv)
{
	const char *label = g->conf->label, *name = m->conf->name;
	char code[NAME_MAX_LEN];

	login_set_apart(g, m);
	if (login_has_own_pin(m))
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: refused its own PIN from %s%s (%s); it is not used "
			"until the next successful C_Login of an application; PIN and source must "
			"be brought in line",
			name, label, source_of(m), m->conf->pin_where, name_of(NAME_RV, rv, code));
	else
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: refused the PIN that another member accepted (%s); "
			"it is not used until the next successful C_Login of an application; its "
			"PIN must be brought in line with the others'",
			name, label, name_of(NAME_RV, rv, code));
}

/* Whether sessions show the login, as those of most tokens do: this one does, or others did, or it
 * does not answer just now. */
static bool is_shown(struct member *m)
{
	CK_STATE state = CKS_RW_PUBLIC_SESSION;
	CK_RV rv = m->keeper ? pool_state(m->keeper, &state) : CKR_SESSION_CLOSED;

	m->has_shown = m->has_shown || (rv == CKR_OK && pool_is_user(state));
	return m->keeper && (rv != CKR_OK || m->has_shown);
}

void login_accepted(struct group *g, struct member *m, enum group_user user, CK_RV rv)
{
	g->logins[m->index].was_refused = false;
	/* In a library of ours nobody else can have logged in. */
	m->is_login_ours = rv == CKR_OK || atomic_load(&m->lib->is_owned);
	atomic_store(&m->login_serial, pool_serial(&m->pool));
	atomic_store(&m->shows_login, user == GROUP_USER && is_shown(m));
	atomic_store(&m->user, (int)user);
	/* Lost and back since then: nobody is logged in there now. */
	if (m->keeper && m->keeper->epoch != atomic_load(&m->epoch))
		atomic_store(&m->user, GROUP_PUBLIC);
	atomic_store(&m->is_refusing, 0);
}

void login_open(struct group *g, struct member *m, enum group_user user)
{
	keeper_close(m);
	login_accepted(g, m, user, CKR_USER_ALREADY_LOGGED_IN);
}

/* After any other answer than a refusal: a member that is gone is logged in when it comes back. */
static void failed(struct member *m, CK_RV rv)
{
	keeper_drop(m);
	/* No session to be had just now: the PIN was not sent, it is tried again when the member is
	 * used. Any other failure is the member's, in the epoch in which it was asked. */
	if (m->was_asked)
		member_lost(m, m->asked_epoch, "C_Login", rv);
	else
		atomic_store(&m->login_epoch, 0);
}

void login_settle(struct group *g, struct member *m, CK_RV rv)
{
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
		login_accepted(g, m, GROUP_USER, rv);
	} else if (keeper_is_refusal(rv)) {
		keeper_close(m);
		refused(g, m, rv);
	} else {
		failed(m, rv);
	}
}

/* The same PIN that it refused in this epoch is not sent again: applications that log in often
 * would lock it. */
static bool was_refused_before(const struct group_login *l, unsigned epoch,
			       const struct secret *pin)
{
	return l->refused && l->refused_epoch == epoch && secret_equal(l->refused, pin);
}

/* One attempt for each epoch, except that what succeeded does not count: the login may be lost
 * while the member stays. */
CK_RV login_send(struct group *g, struct member *m, struct session *s, struct call *call)
{
	CK_RV rv;

	atomic_store(&m->login_epoch, atomic_load(&m->epoch));
	rv = keeper_login(g, m, s, call);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		atomic_store(&m->login_epoch, 0);
	return rv;
}

/* Takes `pin` over. */
static void send_own(struct group *g, struct member *m, struct session *s, struct secret *pin,
		     bool is_again)
{
	struct group_login *l = &g->logins[m->index];
	struct call call = {.id = CALL_C_Login, .user = CKU_USER, .pin = {pin}};
	unsigned epoch = atomic_load(&m->epoch);
	CK_RV rv;

	if (was_refused_before(l, epoch, pin)) {
		login_set_apart(g, m);
		log_limited(&m->log, LOG_LEVEL_WARN,
			    "member %s of token %s: the PIN in %s%s is still the one that it "
			    "refused; it is not sent again, and the member not used",
			    m->conf->name, g->conf->label, source_of(m), m->conf->pin_where);
		secret_free(&pin);
		return;
	}
	rv = is_again ? keeper_call(g, m, s, &call) : login_send(g, m, s, &call);
	if (keeper_is_refusal(rv)) {
		secret_free(&l->refused);
		l->refused = pin;
		l->refused_epoch = epoch;
		pin = NULL;
	}
	login_settle(g, m, rv);
	secret_free(&pin);
}

void login_own(struct group *g, struct member *m, struct session *s, bool is_again)
{
	char why[256] = "";
	struct secret *pin = pin_source_read(m->conf, why, sizeof why);

	if (pin)
		send_own(g, m, s, pin, is_again);
	else
		login_leave_out(g, m, why);
}

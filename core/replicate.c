/* SPDX-License-Identifier: BSD-2-Clause */
/* The rule, the way in, and what is written on all members. The lock of intent.h is held in all of
 * it. */
#include "core/replicate.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/health.h"
#include "core/login.h"
#include "core/member_op.h"
#include "core/orphan.h"
#include "core/repair.h"

/* How long a writer waits for another one: the longest key generation of software tokens (RSA of
 * 8192 bits) on a slow machine. */
#define LOCK_WAIT_MS 60000
/* The same for those who only look whether something is left: they do without. */
#define LOOK_WAIT_MS 5000

unsigned replicate_needed(const struct group *g)
{
	switch (g->conf->replicate) {
	case CONFIG_REPLICATE_ALL:
		return (unsigned)g->member_count;
	case CONFIG_REPLICATE_MAJORITY:
		return (unsigned)g->member_count / 2 + 1;
	case CONFIG_REPLICATE_FIRST:
	case CONFIG_REPLICATE_NONE:
		break;
	}
	return 1;
}

unsigned replicate_serving(const struct group *g)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < g->member_count; i++)
		if (member_may_serve(&g->members[i]))
			mask |= 1U << i;
	return mask;
}

struct member_session *replicate_session(struct member *m)
{
	struct member_session *ms = NULL;

	if (atomic_load(&m->state) != MEMBER_UP || atomic_load(&m->is_drained) ||
	    atomic_load(&m->is_refusing))
		return NULL;
	if (atomic_load(&m->group->user) != atomic_load(&m->user))
		login_sync(m->group, m);
	if (group_waits_for(m) || pool_take(m, 0, m->group->config->retry.budget_ms, &ms) != CKR_OK)
		return NULL;
	return ms;
}

/* Whether the session was lost, or with it the login: the next one is logged in again then. */
static bool has_forgotten(struct member_session *ms)
{
	CK_STATE state = CKS_RW_PUBLIC_SESSION;
	CK_RV rv;

	if (atomic_load(&ms->member->group->user) != GROUP_USER || !member_shows_user(ms->member))
		return false;
	rv = pool_state(ms, &state);
	return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
	       (rv == CKR_OK && !pool_is_user(state));
}

void replicate_leave(struct member_session *ms, bool is_good)
{
	struct member *m = ms ? ms->member : NULL;
	bool is_over;
	unsigned epoch;

	if (ms && is_good)
		pool_give(ms, 0);
	if (!ms || is_good)
		return;
	is_over = has_forgotten(ms);
	epoch = ms->epoch;
	pool_drop(ms);
	if (is_over)
		login_refresh(m->group, m, epoch);
}

static unsigned count(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

/* Waits for those that the rule needs, within the budget. */
static bool has_enough(struct group *g)
{
	const unsigned everyone = group_all(g);
	const long long deadline = clock_ms() + g->config->retry.budget_ms;

	while (count(replicate_serving(g)) < replicate_needed(g))
		if (!health_wait(g, everyone & ~replicate_serving(g), deadline))
			return false;
	return true;
}

/* The names of the members in `mask`. */
static const char *names_of(const struct group *g, unsigned mask, char *out, size_t len)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < g->member_count && n < len; i++)
		if (mask & 1U << i)
			n += (size_t)snprintf(out + n, len - n, "%s%s", n ? ", " : "",
					      g->members[i].conf->name);
	return out;
}

static CK_RV refuse(struct group *g, const char *what)
{
	char names[256];

	log_msg(LOG_LEVEL_ERROR,
		"token %s: %s refused: the rule names %u of %zu members, and only %u serve "
		"(missing: %s)",
		g->conf->label, what, replicate_needed(g), g->member_count,
		count(replicate_serving(g)),
		names_of(g, group_all(g) & ~replicate_serving(g), names, sizeof names));
	return CKR_TOKEN_WRITE_PROTECTED;
}

/* Has every member look at what it has. SoftHSM2 sees what other processes have written when it
 * searches, but never if it writes itself before. */
static void look_first(struct group *g)
{
	char label[] = ORPHAN_OWN_PREFIX "nothing";
	CK_ATTRIBUTE tmpl = {CKA_LABEL, label, sizeof label - 1};

	for (unsigned i = 0; i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		struct buf found = {0};
		struct call call = {.id = CALL_C_FindObjectsInit,
				    .group = g,
				    .tmpl = {&tmpl},
				    .tmpl_count = {1},
				    .found = &found};

		if (ms)
			replicate_leave(ms,
					member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0}) ==
						CKR_OK);
		buf_free(&found);
	}
}

CK_RV replicate_enter(struct group *g, const char *what, struct intents **lock)
{
	char why[256];

	if (!has_enough(g))
		return refuse(g, what);
	*lock = intents_open(g, LOCK_WAIT_MS, why, sizeof why);
	if (!*lock) {
		log_msg(LOG_LEVEL_ERROR, "token %s: %s refused: %s", g->conf->label, what, why);
		return CKR_DEVICE_ERROR;
	}
	look_first(g);
	replicate_recover(g, *lock);
	if (count(replicate_serving(g)) >= replicate_needed(g))
		return CKR_OK;
	intents_close(*lock);
	*lock = NULL;
	return refuse(g, what);
}

unsigned replicate_write(struct group *g, const struct record *r)
{
	char code[NAME_MAX_LEN];
	unsigned done = 0;

	for (unsigned i = 0; i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		CK_RV rv = ms ? record_put(ms, r) : CKR_DEVICE_ERROR;

		if (rv == CKR_OK)
			done |= 1U << i;
		else if (ms)
			log_msg(LOG_LEVEL_WARN,
				"member %s of token %s: what hsmux keeps beside an object cannot "
				"be "
				"written there: %s",
				g->members[i].conf->name, g->conf->label,
				name_of(NAME_RV, rv, code));
		replicate_leave(ms, rv == CKR_OK);
	}
	return done;
}

/* Takes it away everywhere; one that stays says that nobody owes anything. */
static void drop_everywhere(struct group *g, const struct record *r)
{
	for (unsigned i = 0; i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		CK_RV rv = ms ? record_drop(ms, r->print) : CKR_OK;

		replicate_leave(ms, rv == CKR_OK);
	}
}

unsigned replicate_settle(struct group *g, struct record *r)
{
	const unsigned all = group_all(g);
	unsigned written;

	r->version++;
	written = replicate_write(g, r);
	if (written == all && record_is_idle(r)) {
		drop_everywhere(g, r);
	} else if (all & ~written & ~r->owed) {
		r->owed |= all & ~written;
		r->version++;
		(void)replicate_write(g, r); /* who does not see it now is told when it is back */
	}
	return written;
}

/* The record of a member, which is taken for the one that counts when it is. */
static void take_better(struct record *r, bool is_private, struct record *best, bool *found)
{
	if (!record_is_believed(r, is_private) || (*found && !record_is_before(r, best))) {
		record_free(r);
		return;
	}
	record_free(best);
	*best = *r;
	*found = true;
}

/* Asks all members that can be reached; the first failure. *answered: those that could say. */
static CK_RV look_everywhere(struct group *g, const uint8_t print[static FINGERPRINT_LEN],
			     bool is_private, struct record *best, bool *found, unsigned *answered)
{
	CK_RV first = CKR_OK;

	*best = (struct record){.version = 0};
	*found = false;
	*answered = 0;
	for (unsigned i = 0; first != CKR_HOST_MEMORY && i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		struct record r = {0};
		bool is_there = false;
		CK_RV rv;

		if (!ms)
			continue;
		rv = record_find(ms, print, &r, &is_there);
		replicate_leave(ms, rv == CKR_OK);
		if (rv == CKR_OK)
			*answered |= 1U << i;
		else if (first == CKR_OK || rv == CKR_HOST_MEMORY)
			first = rv;
		if (rv == CKR_OK && is_there)
			take_better(&r, is_private, best, found);
	}
	return first == CKR_OK && !*answered ? CKR_DEVICE_ERROR : first;
}

/* Nothing, or what is said of no object any more; of that the version is kept. */
static void forget(struct record *r, bool *found)
{
	const unsigned long version = r->version;

	record_free(r);
	r->version = version;
	*found = false;
}

CK_RV replicate_find(struct group *g, const uint8_t print[static FINGERPRINT_LEN], bool is_private,
		     struct record *best, bool *found)
{
	unsigned answered;
	CK_RV rv = look_everywhere(g, print, is_private, best, found, &answered);

	if (rv != CKR_OK || best->state == RECORD_MOVED)
		forget(best, found);
	return rv;
}

/* One that is dead may find nothing politely. */
static bool is_any_alive(struct group *g, unsigned mask)
{
	for (unsigned i = 0; i < g->member_count; i++)
		if ((mask & 1U << i) && member_alive_now(&g->members[i]))
			return true;
	return false;
}

CK_RV replicate_find_any(struct group *g, const uint8_t print[static FINGERPRINT_LEN],
			 bool is_private, struct record *best, bool *found)
{
	unsigned answered;
	CK_RV rv = look_everywhere(g, print, is_private, best, found, &answered);

	if (rv != CKR_HOST_MEMORY && (*found || is_any_alive(g, answered)))
		rv = CKR_OK;
	else if (rv == CKR_OK)
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK || best->state == RECORD_MOVED)
		forget(best, found);
	return rv;
}

bool replicate_keeps_records(const struct group *g)
{
	for (unsigned i = 0; i < g->member_count; i++)
		if (member_may_serve(&g->members[i]) && record_is_kept(&g->members[i]))
			return true;
	return false;
}

/* `m`, and who serves beside it. False when somebody else writes, or one cannot be brought in line.
 */
static bool bring_in_line(struct member *m, char *why, size_t why_len)
{
	struct intents *lock = intents_open(m->group, LOOK_WAIT_MS, why, why_len);
	bool ok;

	if (!lock)
		return false;
	replicate_recover(m->group, lock);
	ok = repair_owed(m->group, m, lock, why, why_len) == CKR_OK;
	intents_close(lock);
	return ok;
}

void replicate_login(struct group *g)
{
	char why[256] = "";

	if (!replicate_is_on(g) || atomic_load(&g->user) != GROUP_USER)
		return;
	for (unsigned i = 0; i < g->member_count; i++) {
		if (!member_may_serve(&g->members[i]))
			continue;
		if (!bring_in_line(&g->members[i], why, sizeof why))
			log_msg(LOG_LEVEL_WARN, "token %s: members are not in line yet: %s",
				g->conf->label, why);
		return; /* all who serve were looked at */
	}
}

bool replicate_return(struct member *m, char *why, size_t why_len)
{
	const struct group *g = m->group;

	if (!replicate_is_on(g) || atomic_load(&g->user) != GROUP_USER)
		return true; /* what is private is not seen: with the next login */
	return bring_in_line(m, why, why_len);
}

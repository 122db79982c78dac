/* SPDX-License-Identifier: BSD-2-Clause */
/* A member: one real token of a virtual one.
 *
 * ABSENT -> UP when first reached, UP -> DOWN by member_lost, DOWN -> UP by member_up. All of it
 * under the library's lock; `state` and `epoch` are read without. The epoch rises when a member
 * comes up and when it is lost: real handles and sessions of another epoch are worthless, since
 * after a re-initialisation the same number denotes another key (SoftHSM2 2.6.1 does this).
 *
 * Slots are found by label and serial, never by position: SoftHSM2's numbers follow random serials.
 */
#include "core/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/names.h"
#include "core/group.h"
#include "core/health.h"
#include "core/health_share.h"
#include "core/object.h"
#include "core/probe.h"

/* First and longest pause between attempts to reach a member. */
#define BACKOFF_MS     500
#define BACKOFF_MAX_MS 30000
/* A suspicious code asks the token at most this often; where another member could do the work, much
 * more often: what it answered before the call failed does not show that it was alive then. */
#define PROBE_MS       250
#define PROBE_MULTI_MS 20
/* The same after a doubtful answer; and how often a member is tried while calls wait, at first and
 * in the end. */
#define HURRY_MS     50
#define HURRY_MAX_MS 500
/* Who served that long is not one that comes and goes. */
#define SETTLED_MS 10000
/* How long calls in flight are waited for before a library is initialised anew. */
#define QUIESCE_MS 2000

void member_init(struct member *m, struct group *group, unsigned index, struct library *lib)
{
	memset(m, 0, sizeof *m);
	m->conf = &group->conf->members[index];
	m->group = group;
	m->index = index;
	m->group_label = group->conf->label;
	m->lib = lib;
	m->next = lib->members;
	lib->members = m;
	atomic_init(&m->probe_ms, -PROBE_MS);
	atomic_init(&m->hurry_ms, HURRY_MS);
	atomic_init(&m->changed_ms, member_wall_ms());
	(void)snprintf(m->reason, sizeof m->reason, "not tried yet");
	pool_init(&m->pool, m->conf->max_sessions);
	pthread_mutex_init(&m->map_lock, NULL);
}

void member_fini(struct member *m, bool closes)
{
	pool_empty(m, closes);
	pool_fini(&m->pool);
	pthread_mutex_destroy(&m->map_lock);
	free(m->map);
	free(m->mechs);
}

long long member_wall_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Half to one and a half times as long, so that processes that lost a member at one time do not
 * come back to it at one time. */
static long long jittered(long long ms)
{
	uint32_t x = 0;

	if (getrandom(&x, sizeof x, GRND_NONBLOCK) != (ssize_t)sizeof x)
		return ms;
	return ms / 2 + x % (ms + 1);
}

/* Sets when it is tried next, twice as far from now as the last time. */
static void back_off(struct member *m)
{
	bool is_multi = m->group->is_multi;
	long long first = is_multi ? m->group->config->health.open_ms : BACKOFF_MS;
	long long most = is_multi ? m->group->config->health.open_max_ms : BACKOFF_MAX_MS;

	m->backoff_ms = m->backoff_ms ? m->backoff_ms * 2 : first;
	if (m->backoff_ms > most)
		m->backoff_ms = most;
	atomic_store(&m->next_try_ms,
		     clock_ms() + (is_multi ? jittered(m->backoff_ms) : m->backoff_ms));
}

/* The breaker opens. What served for a while is tried again at once; what fails soon after it came
 * back would otherwise come and go. */
static void open_breaker(struct member *m)
{
	bool is_settled = atomic_exchange(&m->serves, 0) &&
			  clock_ms() - atomic_load(&m->serving_since_ms) >= SETTLED_MS;

	if (is_settled) {
		m->backoff_ms = 0;
		atomic_store(&m->next_try_ms, clock_ms());
	} else {
		back_off(m);
	}
	atomic_store(&m->suspicions, 0);
	atomic_store(&m->changed_ms, member_wall_ms());
	share_tell(m);
	health_wake();
}

static void lost(struct member *m, const char *reason)
{
	bool is_multi = m->group->is_multi;

	atomic_store(&m->state, MEMBER_DOWN);
	atomic_fetch_add(&m->epoch, 1);
	(void)snprintf(m->reason, sizeof m->reason, "%s", reason);
	if (is_multi) {
		open_breaker(m);
	} else {
		m->next_try_ms = 0;
		m->backoff_ms = 0;
	}
	object_drop_epoch(m);
	log_msg(LOG_LEVEL_WARN, "member %s of token %s: lost (%s); it is tried again %s",
		m->conf->name, m->group_label, reason,
		is_multi ? "from time to time, without it meanwhile" : "when it is needed");
}

/* True when every other member of the library is down, those included that turn out to be dead. */
static bool others_are_down(struct member *m)
{
	for (struct member *o = m->lib->members; o; o = o->next) {
		if (o == m || atomic_load(&o->state) != MEMBER_UP)
			continue;
		if (probe_member(o) != PROBE_DEAD)
			return false;
		lost(o, "its module is broken");
	}
	return true;
}

static bool quiesce(struct library *lib)
{
	bool ended = true;

	for (struct member *o = lib->members; o; o = o->next)
		ended = pool_quiesce(&o->pool, QUIESCE_MS) && ended;
	return ended;
}

/* Initialises the library anew; sessions and handles of all its members are worthless afterwards.
 * Not while a call is still inside: it would come back into a library that is not there any more.
 */
static bool restart(struct member *m)
{
	struct library *lib = m->lib;
	bool up = false;

	if (!atomic_load(&lib->is_owned) || atomic_load(&lib->vendor)->reinit_breaks ||
	    !others_are_down(m))
		return false;
	if (quiesce(lib)) {
		library_stop(lib, true);
		up = library_start(lib);
	} else {
		(void)snprintf(m->reason, sizeof m->reason,
			       "its module needs a restart, but a call has not returned yet");
	}
	for (struct member *o = lib->members; o; o = o->next)
		pool_resume(&o->pool);
	return up;
}

static bool find_alive(struct member *m)
{
	if (!member_find_slot(m))
		return false;
	/* Its library was not restarted since it was lost: cheap calls may lie. */
	return m->lib_epoch != atomic_load(&m->lib->epoch) || probe_member(m) == PROBE_GOOD;
}

/* Somebody else in this process finalised the library under us: nothing of any member is left in
 * it. */
static void notice_end(struct library *lib)
{
	if (!library_was_ended(lib))
		return;
	for (struct member *o = lib->members; o; o = o->next)
		if (atomic_load(&o->state) == MEMBER_UP)
			lost(o, "its module was finalised by somebody else");
}

static bool reach(struct member *m)
{
	struct library *lib = m->lib;
	bool was_up;

	notice_end(lib);
	was_up = atomic_load(&lib->state) == LIBRARY_UP;

	if (!library_start(lib)) {
		(void)snprintf(m->reason, sizeof m->reason, "%.250s", lib->reason);
		return false;
	}
	if (find_alive(m))
		return true;
	return was_up && restart(m) && member_find_slot(m);
}

static void came_up(struct member *m)
{
	m->reason[0] = '\0';
	m->lib_epoch = atomic_load(&m->lib->epoch);
	if (!m->group->is_multi)
		m->backoff_ms = 0;
	atomic_store(&m->shows_login, 0);
	atomic_store(&m->user, 0);
	atomic_fetch_add(&m->epoch, 1);
	atomic_store(&m->state, MEMBER_UP);
	log_msg(m->group->is_multi ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "member %s of token %s: up",
		m->conf->name, m->group_label);
}

static bool try_up(struct member *m)
{
	char before[sizeof m->reason];
	unsigned hurry = atomic_load(&m->hurry_ms) * 2;

	memcpy(before, m->reason, sizeof before);
	atomic_store(&m->last_try_ms, clock_ms());
	if (reach(m)) {
		came_up(m);
		return true;
	}
	back_off(m);
	atomic_store(&m->hurry_ms, hurry < HURRY_MAX_MS ? hurry : HURRY_MAX_MS);
	if (m->group->is_multi)
		share_tell(m);
	if (strcmp(before, m->reason) != 0)
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: cannot be used: %s; tried again from time "
			"to time",
			m->conf->name, m->group_label, m->reason);
	return false;
}

void member_put_off(struct member *m, const char *why)
{
	pthread_mutex_lock(&m->lib->lock);
	atomic_store(&m->last_try_ms, clock_ms());
	back_off(m);
	(void)snprintf(m->reason, sizeof m->reason, "%s", why);
	pthread_mutex_unlock(&m->lib->lock);
}

bool member_up(struct member *m, bool force)
{
	bool up;

	if (atomic_load(&m->state) == MEMBER_UP)
		return true;
	pthread_mutex_lock(&m->lib->lock);
	up = atomic_load(&m->state) == MEMBER_UP;
	if (!up && (force || clock_ms() >= m->next_try_ms))
		up = try_up(m);
	pthread_mutex_unlock(&m->lib->lock);
	return up;
}

long long member_due_ms(const struct member *m)
{
	long long at = atomic_load(&m->next_try_ms);
	long long soon = atomic_load(&m->last_try_ms) + atomic_load(&m->hurry_ms);

	return atomic_load(&m->wanted) > 0 && soon < at ? soon : at;
}

void member_want(struct member *m, bool begins)
{
	if (!begins)
		atomic_fetch_sub(&m->wanted, 1);
	else if (atomic_fetch_add(&m->wanted, 1) == 0)
		atomic_store(&m->hurry_ms, HURRY_MS);
}

void member_lost(struct member *m, unsigned epoch, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN], reason[160];

	pthread_mutex_lock(&m->lib->lock);
	if (atomic_load(&m->state) == MEMBER_UP && atomic_load(&m->epoch) == epoch) {
		(void)snprintf(reason, sizeof reason, "%s answered %s", what,
			       name_of(NAME_RV, rv, code));
		lost(m, reason);
	}
	pthread_mutex_unlock(&m->lib->lock);
}

void member_blame(struct member *m, unsigned epoch, CK_RV rv)
{
	char reason[160];

	if (pthread_mutex_trylock(&m->lib->lock) != 0)
		return; /* it is being looked at */
	if (atomic_load(&m->serves) && atomic_load(&m->epoch) == epoch &&
	    member_is_to_blame(m, rv, reason, sizeof reason))
		lost(m, reason);
	pthread_mutex_unlock(&m->lib->lock);
}

/* The probe's answer was not good: why is in m->reason. */
static void lost_by_probe(struct member *m)
{
	char reason[sizeof m->reason];

	memcpy(reason, m->reason, sizeof reason);
	lost(m, reason);
}

static void probe_now(struct member *m)
{
	enum probe_answer answer = probe_member(m);

	if (answer == PROBE_GOOD) {
		atomic_store(&m->suspicions, 0);
		m->reason[0] = '\0';
		return;
	}
	if (answer == PROBE_DEAD ||
	    atomic_fetch_add(&m->suspicions, 1) + 1 >= m->group->config->health.failures)
		lost_by_probe(m);
	else
		health_wake();
}

/* As far as is known without asking. */
static bool seems_alive(struct member *m)
{
	return atomic_load(&m->state) == MEMBER_UP && atomic_load(&m->suspicions) == 0;
}

/* Between two questions, ms. */
static long long pause_of(const struct member *m)
{
	if (atomic_load(&m->suspicions) > 0)
		return HURRY_MS;
	return m->group->is_multi ? PROBE_MULTI_MS : PROBE_MS;
}

static bool was_just_asked(const struct member *m)
{
	return clock_ms() - atomic_load(&m->probe_ms) < pause_of(m);
}

bool member_probe(struct member *m)
{
	pthread_mutex_lock(&m->lib->lock);
	if (atomic_load(&m->state) == MEMBER_UP)
		probe_now(m);
	pthread_mutex_unlock(&m->lib->lock);
	return seems_alive(m);
}

static bool begin_epoch(struct member *m, unsigned epoch)
{
	bool is_ours;

	pthread_mutex_lock(&m->lib->lock);
	is_ours = atomic_load(&m->state) == MEMBER_UP && atomic_load(&m->epoch) == epoch;
	if (is_ours) {
		atomic_fetch_add(&m->epoch, 1);
		atomic_store(&m->shows_login, 0);
		atomic_store(&m->user, 0);
		object_drop_epoch(m);
	}
	pthread_mutex_unlock(&m->lib->lock);
	return is_ours;
}

bool member_begin_anew(struct member *m, unsigned epoch)
{
	return m->group->is_multi && begin_epoch(m, epoch);
}

void member_renew(struct member *m, unsigned epoch)
{
	if (begin_epoch(m, epoch))
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: forgot its login or its sessions; it is logged in "
			"again",
			m->conf->name, m->group_label);
}

bool member_alive(struct member *m)
{
	if (was_just_asked(m))
		return seems_alive(m);
	pthread_mutex_lock(&m->lib->lock);
	if (!was_just_asked(m)) {
		atomic_store(&m->probe_ms, clock_ms());
		if (atomic_load(&m->state) == MEMBER_UP)
			probe_now(m);
	}
	pthread_mutex_unlock(&m->lib->lock);
	return seems_alive(m);
}

bool member_alive_now(struct member *m)
{
	long long early = atomic_load(&m->probe_ms) + pause_of(m) - clock_ms();
	const struct timespec rest = {.tv_nsec = early * 1000 * 1000};

	if (early > 0)
		nanosleep(&rest, NULL); /* so that bad requests cannot keep the token busy */
	return member_alive(m);
}

/* `lib->lock` is held. */
static void admit(struct member *m, unsigned probes)
{
	for (unsigned i = 0; i < probes; i++) {
		if (probe_member(m) == PROBE_GOOD)
			continue;
		lost_by_probe(m);
		return;
	}
	m->reason[0] = '\0';
	atomic_store(&m->suspicions, 0);
	atomic_store(&m->looked_ms, clock_ms());
	atomic_store(&m->serving_since_ms, clock_ms());
	atomic_store(&m->changed_ms, member_wall_ms());
	atomic_store(&m->serves, 1);
	share_tell(m);
}

bool member_admit(struct member *m, unsigned epoch, unsigned probes)
{
	bool serves;

	pthread_mutex_lock(&m->lib->lock);
	if (atomic_load(&m->state) == MEMBER_UP && atomic_load(&m->epoch) == epoch)
		admit(m, probes);
	serves = atomic_load(&m->serves) != 0;
	pthread_mutex_unlock(&m->lib->lock);
	return serves;
}

bool member_token_info(struct member *m, CK_TOKEN_INFO *info)
{
	struct library_guard guard;
	CK_TOKEN_INFO fresh;
	bool known;
	CK_RV rv;

	pthread_mutex_lock(&m->lib->lock);
	known = atomic_load(&m->state) != MEMBER_ABSENT;
	if (atomic_load(&m->state) == MEMBER_UP) {
		library_guard(m->lib, &guard);
		rv = m->lib->v2->C_GetTokenInfo(m->slot, &fresh);
		library_unguard(&guard);
		if (rv == CKR_OK)
			m->token = fresh;
		else if (probe_member(m) == PROBE_DEAD)
			lost(m, "C_GetTokenInfo failed");
	}
	if (known)
		*info = m->token;
	pthread_mutex_unlock(&m->lib->lock);
	return known;
}

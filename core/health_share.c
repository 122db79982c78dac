/* SPDX-License-Identifier: BSD-2-Clause */
/* Health across processes.
 *
 * What others say is a hint: a member that another process found down is not reached for at the
 * start, unless all members of its token would be left out; later it is only probed sooner. What is
 * told is what this process saw itself. `lock` guards the state file's description and the record
 * that is published; it is the innermost lock but for the state's own, and no member is called
 * while it is held. */
#include "core/health_share.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/state.h"

#define PATH_ROOM      4096
#define PUBLISH_MS     1000
#define PUBLISH_MAX_MS 10000

static struct {
	pthread_mutex_t lock;
	struct state *state;        /* NULL: none */
	struct state_process *mine; /* what was published last; NULL when memory is out */
	long long published_ms;
	char directory[PATH_ROOM]; /* empty: none; only changed while nobody looks */
	uint64_t drain_version;
} share = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct state_id id_of(const struct member *m)
{
	return state_id_of(m->lib->conf, m->conf);
}

/* What somebody else knows of the member. */
static bool get(const struct member *m, struct state_health *health)
{
	struct state_id id = id_of(m);
	bool known;

	pthread_mutex_lock(&share.lock);
	known = share.state && state_health_get(share.state, &id, health) && health->by != getpid();
	pthread_mutex_unlock(&share.lock);
	return known;
}

void share_tell(struct member *m)
{
	struct state_health health = {
		.is_down = !atomic_load(&m->serves),
		.since_ms = atomic_load(&m->changed_ms),
		.until_ms = atomic_load(&m->next_try_ms),
		.by = getpid(),
	};
	struct state_id id = id_of(m);

	(void)snprintf(health.reason, sizeof health.reason, "%.*s", STATE_TEXT - 1, m->reason);
	pthread_mutex_lock(&share.lock);
	if (share.state)
		state_health_put(share.state, &id, &health);
	pthread_mutex_unlock(&share.lock);
}

enum share_hint share_hint(struct member *m)
{
	struct state_health health;

	if (!get(m, &health) || health.since_ms <= m->hint_ms)
		return SHARE_NOTHING;
	m->hint_ms = health.since_ms;
	if (health.is_down == !atomic_load(&m->serves))
		return SHARE_NOTHING; /* known */
	if (health.is_down)
		return SHARE_IS_DOWN;
	/* Served elsewhere before it was lost here: no news. */
	return health.since_ms > atomic_load(&m->changed_ms) ? SHARE_IS_BACK : SHARE_NOTHING;
}

/* Takes over what another process found out: no attempt before it would make one, and pauses as if
 * this process had waited as long. */
static void believe(struct member *m, const struct state_health *health)
{
	const long long first = m->group->config->health.open_ms;
	const long long most = m->group->config->health.open_max_ms;
	long long longest = clock_ms() + most + most / 2;
	long long down_ms = member_wall_ms() - health->since_ms;

	pthread_mutex_lock(&m->lib->lock);
	atomic_store(&m->next_try_ms, health->until_ms < longest ? health->until_ms : longest);
	m->backoff_ms = down_ms < first ? first : down_ms < most ? down_ms : most;
	atomic_store(&m->changed_ms, health->since_ms);
	m->hint_ms = health->since_ms;
	(void)snprintf(m->reason, sizeof m->reason, "found down by process %ld: %.*s",
		       (long)health->by, STATE_TEXT - 1, health->reason);
	pthread_mutex_unlock(&m->lib->lock);
	log_msg(LOG_LEVEL_WARN, "member %s of token %s: %s; not tried for %lld ms", m->conf->name,
		m->group_label, m->reason, atomic_load(&m->next_try_ms) - clock_ms());
}

/* Whether it need not be tried yet. */
static bool is_known_down(const struct member *m, struct state_health *health)
{
	return get(m, health) && health->is_down && health->until_ms > clock_ms();
}

static void believe_group(struct group *g)
{
	struct state_health health;
	size_t down = 0;

	for (size_t i = 0; i < g->member_count; i++)
		down += is_known_down(&g->members[i], &health);
	if (down == g->member_count)
		return; /* somebody has to look */
	for (size_t i = 0; i < g->member_count; i++)
		if (is_known_down(&g->members[i], &health))
			believe(&g->members[i], &health);
}

static void set_drained(struct member *m)
{
	int is = state_is_drained(share.directory, m->group_label, m->conf->name);

	if (atomic_exchange(&m->is_drained, is) == is)
		return;
	atomic_store(&m->changed_ms, member_wall_ms());
	log_msg(LOG_LEVEL_WARN, "member %s of token %s: %s", m->conf->name, m->group_label,
		is ? "drained: nothing new begins there"
		   : "not drained any more: it is used again");
}

static void read_drained(const struct assembly *a)
{
	for (size_t i = 0; i < a->group_count; i++)
		for (size_t k = 0; a->groups[i]->is_multi && k < a->groups[i]->member_count; k++)
			set_drained(&a->groups[i]->members[k]);
}

void share_drained(const struct assembly *a)
{
	uint64_t version;

	if (!share.directory[0])
		return;
	version = state_drain_version(share.directory);
	if (version == share.drain_version)
		return;
	share.drain_version = version;
	read_drained(a);
}

/* Field 22, behind the name of the program, which may hold anything. */
static uint64_t started_at(void)
{
	char text[1024] = "", *p;
	FILE *file = fopen("/proc/self/stat", "re");
	size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;

	if (file)
		(void)fclose(file); /* only read */
	text[n] = '\0';
	p = strrchr(text, ')');
	for (unsigned field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

/* The record of this process; the names of the members in it never change. */
static struct state_process *describe(void)
{
	struct state_process *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->pid = getpid();
	p->started = started_at();
	(void)snprintf(p->program, sizeof p->program, "%.*s", STATE_TEXT - 1,
		       program_invocation_short_name);
	return p;
}

static const char *breaker_of(const struct member *m)
{
	if (!m->group->is_multi)
		return "none";
	if (atomic_load(&m->is_refusing))
		return "refusing";
	if (atomic_load(&m->serves))
		return "closed";
	return atomic_load(&m->is_returning) ? "half-open" : "open";
}

static void usage_of(struct member *m, struct state_usage *u)
{
	static const char *const names[] = {
		[MEMBER_ABSENT] = "absent", [MEMBER_UP] = "up", [MEMBER_DOWN] = "down"};
	enum member_state state = (enum member_state)atomic_load(&m->state);
	struct tally sum;

	memset(u, 0, sizeof *u);
	(void)snprintf(u->token, sizeof u->token, "%.*s", STATE_TEXT - 1, m->group_label);
	(void)snprintf(u->member, sizeof u->member, "%.*s", STATE_TEXT - 1, m->conf->name);
	u->id = id_of(m);
	(void)snprintf(u->state, sizeof u->state, "%s", names[state]);
	(void)snprintf(u->breaker, sizeof u->breaker, "%s", breaker_of(m));
	/* A call that hangs may hold the lock; the reason can wait. */
	if (pthread_mutex_trylock(&m->lib->lock) == 0) {
		(void)snprintf(u->reason, sizeof u->reason, "%.*s", STATE_TEXT - 1, m->reason);
		pthread_mutex_unlock(&m->lib->lock);
	}
	if (atomic_load(&m->is_refusing))
		(void)snprintf(
			u->reason, sizeof u->reason,
			"refuses the PIN that the others accepted: not used before a new login");
	u->since_ms = atomic_load(&m->changed_ms);
	u->is_drained = atomic_load(&m->is_drained) != 0;
	pool_tally(&m->pool, &sum, &u->sessions, &u->busy);
	/* One holds the login (keeper.h): it is taken, but no operation is on it. */
	if (u->busy > 0 && atomic_load(&m->user) != GROUP_PUBLIC)
		u->busy--;
	u->calls = atomic_load(&sum.calls);
	u->errors = atomic_load(&sum.errors);
	for (unsigned i = 0; i < STATE_BUCKETS; i++)
		u->bucket[i] = atomic_load(&sum.bucket[i]);
}

/* Brings the record up to date; true when something in it is new. share.lock is not held: this
 * takes locks that come before it. Only one thread at a time looks after the members. */
static bool describe_members(const struct assembly *a, struct state_process *p)
{
	struct state_usage now;
	unsigned count = 0;
	bool is_new = false;

	for (size_t i = 0; i < a->group_count; i++) {
		for (size_t k = 0; k < a->groups[i]->member_count && count < STATE_MEMBERS; k++) {
			usage_of(&a->groups[i]->members[k], &now);
			is_new = memcmp(&now, &p->usage[count], sizeof now) != 0 || is_new;
			p->usage[count++] = now;
		}
	}
	p->usage_count = count;
	return is_new;
}

void share_publish(const struct assembly *a)
{
	long long now = clock_ms();

	if (!share.mine || now - share.published_ms < PUBLISH_MS)
		return;
	if (!describe_members(a, share.mine) && now - share.published_ms < PUBLISH_MAX_MS)
		return;
	share.published_ms = now;
	pthread_mutex_lock(&share.lock);
	if (share.state)
		state_publish(share.state, share.mine);
	pthread_mutex_unlock(&share.lock);
}

void share_open(const struct assembly *a)
{
	char why[300] = "its path is too long";

	if (state_directory(a->config->state_directory, share.directory, sizeof share.directory))
		share.state = state_open(share.directory, why, sizeof why);
	else
		share.directory[0] = '\0';
	if (!share.state) {
		log_msg(LOG_LEVEL_WARN,
			"health: no state file (%s): each process finds out for itself which "
			"members are down",
			why);
	}
	share.published_ms = clock_ms() - PUBLISH_MS;
	share.mine = share.state ? describe() : NULL;
	for (size_t i = 0; i < a->group_count; i++)
		if (a->groups[i]->is_multi)
			believe_group(a->groups[i]);
	if (!share.directory[0])
		return;
	share.drain_version = state_drain_version(share.directory);
	read_drained(a);
}

void share_close(bool is_forked)
{
	if (is_forked)
		pthread_mutex_init(&share.lock, NULL);
	pthread_mutex_lock(&share.lock);
	state_close(share.state, is_forked);
	share.state = NULL;
	free(share.mine);
	share.mine = NULL;
	share.directory[0] = '\0';
	pthread_mutex_unlock(&share.lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which member a call goes to: pure choice over atomics, no lock, no member is asked.
 *
 * Load is what is outstanding times how long the member takes lately. The time rises with a very
 * slow answer at once and falls slowly, so that a member that has become slow is avoided after one
 * call, and is tried again when its time has fallen. A member that came back takes load in
 * proportion to the time since, up to RAMP_MS. */
#include "core/choose.h"

#include "core/base/clock.h"
#include "core/group.h"
#include "core/object.h"

#define RAMP_MS 10000LL
/* The shortest time that is believed of a call, so that outstanding calls count on idle members. */
#define LEAST_US 20U
/* Longer than this is one class: dead slow. */
#define MOST_US 5000000LL
/* So many times the usual time is no accident. */
#define MUCH_SLOWER 4U
/* A slow member that nobody chose is looked at again after this many choices. */
#define LOOK_AGAIN 256U

unsigned choose_able(const struct call *c)
{
	unsigned mask = group_all(c->group);

	if (c->only)
		mask &= c->only;
	for (unsigned i = 0; i < 2; i++)
		if (c->object[i].bad)
			mask &= object_holders(c->group, c->object[i].handle);
	for (unsigned i = 0; c->mech && i < c->mech->handle_count; i++)
		mask &= object_holders(c->group, c->mech->handle[i].virtual);
	return mask;
}

static bool makes_objects(const struct call *c)
{
	return call_retry(c->id) == CALL_RETRY_ONCE && c->id != CALL_C_DestroyObject &&
	       c->id != CALL_C_SetAttributeValue;
}

/* Active, standby, fallback. */
static unsigned class_of(const struct member *m)
{
	return (unsigned)m->conf->role;
}

/* Which of two of one class goes first: lower is better. */
static unsigned long long load_of(struct member *m)
{
	unsigned long long us = atomic_load_explicit(&m->latency_us, memory_order_relaxed);
	unsigned busy = atomic_load_explicit(&m->in_flight, memory_order_relaxed);
	long long since = atomic_load_explicit(&m->serving_since_ms, memory_order_relaxed);
	unsigned long long score;

	if (us < LEAST_US)
		us = LEAST_US;
	score = us * (busy + 1ULL) * 1024 / m->conf->weight;
	if (since != 0) {
		long long age = clock_ms() - since;

		if (age < RAMP_MS)
			score = score * RAMP_MS / (unsigned long long)(age > 0 ? age + 1 : 1);
		else
			atomic_store_explicit(&m->serving_since_ms, 0, memory_order_relaxed);
	}
	return score;
}

static unsigned latency_of(const struct member *m)
{
	return atomic_load_explicit(&m->latency_us, memory_order_relaxed);
}

static struct member *least_loaded(struct group *g, unsigned mask, unsigned class)
{
	unsigned turn = atomic_fetch_add_explicit(&g->turn, 1, memory_order_relaxed);
	unsigned long long best_load = 0;
	struct member *best = NULL, *next = NULL;

	bool looks = turn % LOOK_AGAIN == LOOK_AGAIN - 1;
	unsigned first = looks ? turn / LOOK_AGAIN : turn;

	for (unsigned k = 0; k < g->member_count; k++) {
		unsigned i = (k + first) % (unsigned)g->member_count;
		struct member *m = &g->members[i];
		unsigned long long load;

		if (!(mask & 1U << i) || class_of(m) != class)
			continue;
		if (!next)
			next = m;
		load = load_of(m);
		if (!best || load < best_load) {
			best = m;
			best_load = load;
		}
	}
	/* Now and then whoever's turn it is, when it is so slow that nobody would choose it. */
	return looks && best && latency_of(next) / 2 > latency_of(best) ? next : best;
}

/* Each as often in a round as its weight says. */
static struct member *round_robin(struct group *g, unsigned mask, unsigned class)
{
	unsigned total = 0, turn;

	for (unsigned i = 0; i < g->member_count; i++)
		if ((mask & 1U << i) && class_of(&g->members[i]) == class)
			total += g->members[i].conf->weight;
	if (total == 0)
		return NULL;
	turn = atomic_fetch_add_explicit(&g->turn, 1, memory_order_relaxed) % total;
	for (unsigned i = 0; i < g->member_count; i++) {
		struct member *m = &g->members[i];

		if (!(mask & 1U << i) || class_of(m) != class)
			continue;
		if (turn < m->conf->weight)
			return m;
		turn -= m->conf->weight;
	}
	return NULL;
}

/* The number of the lowest bit that is set; there is one. */
static unsigned lowest(unsigned mask)
{
	return (unsigned)__builtin_ctz(mask);
}

static struct member *first_by_priority(const struct group *g, unsigned mask, unsigned class)
{
	struct member *best = NULL;

	for (; mask != 0; mask &= mask - 1) {
		struct member *m = &g->members[lowest(mask)];

		if (class_of(m) == class && (!best || m->conf->priority < best->conf->priority))
			best = m;
	}
	return best;
}

/* Members that offer the mechanism; all of them when none is known to. */
static unsigned offering(const struct call *c, unsigned mask)
{
	unsigned able = 0;

	if (!c->mech)
		return mask;
	for (unsigned i = 0; i < c->group->member_count; i++)
		if ((mask & 1U << i) && member_offers(&c->group->members[i], c->mech->m.mechanism))
			able |= 1U << i;
	return able ? able : mask;
}

unsigned choose_serving(const struct call *c, unsigned mask)
{
	const struct member *members = c->group->members;
	unsigned able = mask &= group_all(c->group);

	for (; mask != 0; mask &= mask - 1)
		if (!member_may_serve(&members[lowest(mask)]))
			able &= ~(1U << lowest(mask));
	return able;
}

/* Session objects are made where others of the session are, while that member serves. */
static struct member *at_home(const struct call *c, unsigned mask)
{
	for (unsigned i = 0; i < c->group->member_count; i++)
		if ((mask & 1U << i) && c->session && c->session->home[i] &&
		    class_of(&c->group->members[i]) != CONFIG_ROLE_FALLBACK)
			return &c->group->members[i];
	return NULL;
}

struct member *choose_member(const struct call *c, unsigned mask)
{
	struct group *g = c->group;
	const struct config_token *conf = g->conf;
	struct member *m = NULL;

	mask = choose_serving(c, mask);
	if (mask == 0)
		return NULL;
	if (conf->mode == CONFIG_MODE_CAPABILITY)
		mask = offering(c, mask);
	if (c->place == CALL_HOME && (m = at_home(c, mask)) != NULL)
		return m;
	for (unsigned class = CONFIG_ROLE_ACTIVE; !m && class <= CONFIG_ROLE_FALLBACK; class ++) {
		if (class == CONFIG_ROLE_FALLBACK && makes_objects(c))
			break;
		if (conf->mode != CONFIG_MODE_BALANCED)
			m = first_by_priority(g, mask, class);
		else if (conf->balance == CONFIG_BALANCE_ROUND_ROBIN)
			m = round_robin(g, mask, class);
		else
			m = least_loaded(g, mask, class);
	}
	return m;
}

void choose_began(struct member *m)
{
	if (m->group->conf->mode == CONFIG_MODE_BALANCED)
		atomic_fetch_add_explicit(&m->in_flight, 1, memory_order_relaxed);
}

void choose_ended(struct member *m)
{
	if (m->group->conf->mode == CONFIG_MODE_BALANCED)
		atomic_fetch_sub_explicit(&m->in_flight, 1, memory_order_relaxed);
}

/* Rises at once when the member has become much slower; else rises and falls by an eighth of the
 * difference, so that one call that had to wait in the member's queue does not send the others
 * away. Two that write at the same time lose one of the two, which does not matter. */
void choose_took(struct member *m, long long us)
{
	unsigned was = atomic_load_explicit(&m->latency_us, memory_order_relaxed), now;

	now = (unsigned)(us > MOST_US ? MOST_US : us);
	if (now < was)
		now = was - (was - now + 7) / 8;
	else if (now / MUCH_SLOWER < was)
		now = was + (now - was) / 8;
	atomic_store_explicit(&m->latency_us, now, memory_order_relaxed);
}

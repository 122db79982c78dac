/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hsmux status` knows of a member.
 *
 * Processes are matched by the names of token and member, not by the id of the real token: one that
 * still runs with yesterday's configuration is the one that an operator looks for. Nothing here
 * reaches for a member. */
#include "tools/status_facts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/pool.h"

_Static_assert(STATE_BUCKETS == TALLY_BUCKETS, "classes of latency are published as counted");

void published_read(struct published *p, const char *directory)
{
	size_t kept = 0;

	*p = (struct published){.directory = directory};
	if (!directory)
		return;
	p->processes = state_processes(directory, &p->count);
	for (size_t i = 0; i < p->count; i++)
		if (p->processes[i].pid != getpid())
			p->processes[kept++] = p->processes[i];
	p->count = kept;
}

void published_free(struct published *p)
{
	free(p->processes);
	*p = (struct published){0};
}

static const struct state_usage *usage_of(const struct state_process *p, const struct member *m)
{
	for (unsigned i = 0; i < p->usage_count; i++)
		if (strcmp(p->usage[i].token, m->group_label) == 0 &&
		    strcmp(p->usage[i].member, m->conf->name) == 0)
			return &p->usage[i];
	return NULL;
}

static bool says_same(const struct state_usage *a, const struct state_usage *b)
{
	return strcmp(a->state, b->state) == 0 && strcmp(a->breaker, b->breaker) == 0 &&
	       a->is_drained == b->is_drained;
}

void facts_add_up(struct facts *f)
{
	f->agree = true;
	for (size_t i = 0; i < f->count; i++) {
		const struct state_usage *u = f->sayings[i].usage;

		f->agree = f->agree && says_same(u, f->sayings[0].usage);
		f->sessions += u->sessions;
		f->busy += u->busy;
		f->calls += u->calls;
		f->errors += u->errors;
		for (unsigned k = 0; k < STATE_BUCKETS; k++)
			f->bucket[k] += u->bucket[k];
	}
}

/* A process of a passthrough token has no breaker. */
static bool is_served_by(const struct state_usage *u)
{
	return strcmp(u->state, "up") == 0 &&
	       (strcmp(u->breaker, "closed") == 0 || strcmp(u->breaker, "none") == 0);
}

static const char *breaker_of(const struct member *m)
{
	if (!m->group->is_multi)
		return "none";
	if (atomic_load(&m->serves))
		return "closed";
	return atomic_load(&m->state) == MEMBER_UP ? "half-open" : "open";
}

bool facts_read(struct facts *f, struct member *m, const struct published *p)
{
	*f = (struct facts){.breaker = breaker_of(m), .since_ms = atomic_load(&m->changed_ms)};
	f->state = member_status(m, f->reason, sizeof f->reason);
	f->is_drained = p->directory && m->group->is_multi &&
			state_is_drained(p->directory, m->group_label, m->conf->name);
	f->is_serving = f->state == MEMBER_UP && strcmp(f->breaker, "half-open") != 0 &&
			strcmp(f->breaker, "open") != 0 && !f->is_drained;
	f->sayings = calloc(p->count + 1, sizeof *f->sayings);
	for (size_t i = 0; f->sayings && i < p->count; i++) {
		const struct state_usage *u = usage_of(&p->processes[i], m);

		if (!u)
			continue;
		f->is_serving = f->is_serving && is_served_by(u);
		f->sayings[f->count++] = (struct saying){&p->processes[i], u};
	}
	facts_add_up(f);
	return f->sayings != NULL;
}

void facts_free(struct facts *f)
{
	free(f->sayings);
	f->sayings = NULL;
	f->count = 0;
}

long long facts_latency_us(const struct facts *f, unsigned percent)
{
	uint64_t total = 0, below = 0, wanted;

	for (unsigned i = 0; i < STATE_BUCKETS; i++)
		total += f->bucket[i];
	if (total == 0)
		return -1;
	wanted = total / 100 * percent + (total % 100 * percent + 99) / 100;
	for (unsigned i = 0; i < STATE_BUCKETS; i++) {
		below += f->bucket[i];
		if (below >= wanted)
			return tally_bucket_us(i);
	}
	return LLONG_MAX;
}

const char *facts_state_name(enum member_state state)
{
	switch (state) {
	case MEMBER_ABSENT:
		return "absent";
	case MEMBER_UP:
		return "up";
	case MEMBER_DOWN:
		return "down";
	}
	return "?";
}

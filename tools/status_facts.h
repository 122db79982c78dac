/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hsmux status` knows of a member: what it found itself, and what the processes that use it
 * published. */
#ifndef HSMUX_TOOLS_STATUS_FACTS_H
#define HSMUX_TOOLS_STATUS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/group.h"
#include "core/member.h"
#include "core/state.h"

/* Everything that was published, as one reading of the state directory found it. */
struct published {
	const char *directory;           /* borrowed; NULL when there is none */
	struct state_process *processes; /* owned */
	size_t count;
};

/* One process and what it says of a member; borrowed from struct published. */
struct saying {
	const struct state_process *process;
	const struct state_usage *usage;
};

/* One member. */
struct facts {
	enum member_state state; /* as this process found it */
	const char *breaker;     /* of this process; "none" in a passthrough token */
	long long since_ms;      /* in that state, wall clock */
	char reason[256];
	bool is_drained; /* in the list */
	bool is_serving; /* up, here and in every process that uses it, and not drained */

	struct saying *sayings; /* owned; of the processes that use it */
	size_t count;
	bool agree; /* they say the same */
	uint64_t sessions;
	uint64_t busy;
	uint64_t calls;
	uint64_t errors;
	uint64_t bucket[STATE_BUCKETS];
};

/* Reads what was published, without what this process publishes itself. */
void published_read(struct published *p, const char *directory);
void published_free(struct published *p);

/* Collects what is known of a member. False when memory is out: what the processes say is missing.
 */
bool facts_read(struct facts *f, struct member *member, const struct published *p);
void facts_free(struct facts *f);

/* Adds up what the processes of `f` say. For tests as well. */
void facts_add_up(struct facts *f);

/* The upper bound, in microseconds, of the class of latency below which `percent` of the timed
 * calls stay; -1 when none was timed, LLONG_MAX for the last class. */
long long facts_latency_us(const struct facts *f, unsigned percent);

/* Name of a member's state. */
const char *facts_state_name(enum member_state state);

#endif

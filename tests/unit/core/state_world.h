/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of core/state.c share: records to publish, and processes that publish them. */
#ifndef HSMUX_TESTS_UNIT_CORE_STATE_WORLD_H
#define HSMUX_TESTS_UNIT_CORE_STATE_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/state.h"

/* A child process that publishes. */
struct publisher {
	pid_t pid;
	int told; /* it writes a byte here for each step it has done */
	int go;   /* a byte lets it end properly */
};

/* Fills a record with two members; `calls` is that of the first. */
void world_process(struct state_process *process, const char *program, unsigned long calls);

/* Opens the state in `directory`; aborts the test program when that fails. */
struct state *world_open(const char *directory);

/* How many live processes have published under this program's name; *first is a copy of the first.
 */
size_t world_count(const char *directory, const char *program, struct state_process *first);

/* Starts a process that publishes once, says so, waits for a byte, closes and ends. */
struct publisher publisher_start(const char *directory, const char *program);

/* Waits until it has published. */
void publisher_wait(const struct publisher *p);

/* Lets it end, or kills it, and waits for that. */
void publisher_end(struct publisher *p, bool with_kill);

#endif

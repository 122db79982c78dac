/* SPDX-License-Identifier: BSD-2-Clause */
/* A crowd: threads of one application that do tasks one after the other and handle no error. */
#ifndef HSMUX_TESTS_BENCH_CROWD_H
#define HSMUX_TESTS_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/task.h"
#include "tests/token/load.h"

#define CROWD_MAX_THREADS 64
#define CROWD_PHASES      6

struct crowd;

/* How the threads are to be. */
struct crowd_plan {
	const char *module;
	const char *label;
	unsigned threads;
	uint32_t tasks; /* set of TASK_BIT() */
	uint64_t seed;
	unsigned pause_ms; /* of every thread after a task; leaves the processors time for others */
};

/* What happened in one phase, or several. */
struct crowd_count {
	unsigned long done; /* tasks with a right result */
	unsigned long errors;
	unsigned long wrong;
};

/* Loads the module, initialises it, logs in, finds the known keys, and starts the threads in phase
 * 0. NULL with a message. */
struct crowd *crowd_start(const struct crowd_plan *plan);

/* What happens from now on belongs to this phase. */
void crowd_phase(struct crowd *c, unsigned phase);

/* Ends and joins the threads, and finalises the module. False when it cannot. */
bool crowd_stop(struct crowd *c);

/* After crowd_stop(): sums over a set of phases (bits). */
struct crowd_count crowd_count(const struct crowd *c, unsigned phases);

/* Longest time in ms that a thread went without a result, in a set of phases; the `skip` threads
 * with the longest are left out. */
double crowd_gap_ms(const struct crowd *c, unsigned phases, unsigned skip);

/* Median time in ms of a task in a phase; 0 when there was none. */
double crowd_median_ms(const struct crowd *c, unsigned phase);

void crowd_free(struct crowd *c);

#endif

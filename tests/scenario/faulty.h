/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans and counters of fault tokens (tests/token/hsmux-fault.7), for drivers. */
#ifndef HSMUX_TESTS_SCENARIO_FAULTY_H
#define HSMUX_TESTS_SCENARIO_FAULTY_H

/* Replaces a plan of a fault token. */
void plan_write(const char *file, const char *text);

/* A counter of a fault token's file: calls of a function, and how many of them succeeded; all
 * functions together when `function` is NULL. */
struct tally {
	unsigned long calls;
	unsigned long good;
};
struct tally tally_read(const char *stats_file, const char *function);

#endif

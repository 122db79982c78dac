/* SPDX-License-Identifier: BSD-2-Clause */
/* The null token's counters. */
#ifndef HSMUX_TESTS_UNIT_CORE_STATS_H
#define HSMUX_TESTS_UNIT_CORE_STATS_H

#include <stdint.h>

/* Lets the null token count into a file of `dir`; to be called before it is initialised first. */
void stats_begin(const char *dir);

/* Calls of a function ("C_Login") so far, sessions open now. */
uint64_t stats_calls(const char *name);
uint64_t stats_sessions(void);

/* Handles that were never issued by the token, handles that are dead, and threads that met in one
 * session. */
uint64_t stats_foreign(void);
uint64_t stats_stale(void);
uint64_t stats_collisions(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The null token as its users see it: environment, counters, handles.
 *
 * The environment is read in C_Initialize:
 *   NULL_TOKEN_LABEL     label of the token ("null")
 *   NULL_TOKEN_PIN       user PIN ("1234"); the SO PIN is "so-" and the user PIN
 *   NULL_TOKEN_KEYS      number of synthetic keys (10); each is one private key, one public key and
 * one secret key with label "key-%08u" and a CKA_ID of the number in 4 bytes, big end first
 *   NULL_TOKEN_DELAY_US  time one unit of work takes (0)
 *   NULL_TOKEN_LIMIT     units of work done at once (0 = no limit)
 *   NULL_TOKEN_STATS     file into which struct null_stats is mapped; not set = nothing is counted
 *   NULL_TOKEN_FOREIGN   "abort" (default): a handle that was never issued here ends the process;
 *                        "count": it is counted and refused with the standard's code
 *
 * Counting is off unless asked for, because shared counters would slow the direct side of a
 * benchmark with many threads and so flatter whatever is compared with it. */
#ifndef HSMUX_TESTS_TOKEN_NULL_H
#define HSMUX_TESTS_TOKEN_NULL_H

#include <stdatomic.h>
#include <stdint.h>

#include "tests/token/calls.h"

#define NULL_MAGIC 0x6e756c6c746f6b31ULL

/* Real handles carry these in their upper 16 bits, so they look like nothing that hsmux hands out.
 */
#define NULL_SESSION_TAG 0x5e55ULL
#define NULL_OBJECT_TAG  0xb1e7ULL

/* What happened, shared with other processes; every field only grows. Valid if and only if magic is
 * NULL_MAGIC. */
struct null_stats {
	uint64_t magic;
	_Atomic uint64_t calls[CALL_COUNT];
	_Atomic uint64_t foreign;    /* handles that were never issued here */
	_Atomic uint64_t stale;      /* handles issued here, but dead */
	_Atomic uint64_t collisions; /* two threads in one session at one time */
	_Atomic uint64_t sessions;   /* open now */
	_Atomic uint64_t sessions_max;
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of calls and classes of their latency. */
#ifndef HSMUX_CORE_TALLY_H
#define HSMUX_CORE_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Classes of latency: upper bounds of 10 us, 25, 50, 100, 250, ... 10 s, and one without. */
#define TALLY_BUCKETS 20

/* What became of calls. One thread at a time writes, with relaxed stores, so that others may read
 * at any time. */
struct tally {
	_Atomic uint64_t calls;
	_Atomic uint64_t errors;                /* the member failed; verdicts are none */
	_Atomic uint32_t bucket[TALLY_BUCKETS]; /* of the calls that were timed */
};

/* Adds a call: `failed` when the member failed; `us` its length in microseconds, negative when it
 * was not timed. */
void tally_count(struct tally *tally, bool failed, long long us);

/* Adds what was counted to a sum, which is the caller's alone. */
void tally_add(struct tally *sum, const struct tally *tally);

/* The class of latency to which `us` microseconds belong, and the upper bound of one. */
unsigned tally_bucket(long long us);
long long tally_bucket_us(unsigned bucket);

#endif

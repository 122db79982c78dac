/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of calls and classes of their latency. No lock. */
#include "core/tally.h"

#include <limits.h>

unsigned tally_bucket(long long us)
{
	unsigned bucket = 0;

	while (us > tally_bucket_us(bucket))
		bucket++;
	return bucket;
}

long long tally_bucket_us(unsigned bucket)
{
	static const long long bounds[] = {
		10,    25,    50,     100,    250,    500,     1000,    2500,    5000,    10000,
		25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};

	_Static_assert(sizeof bounds / sizeof bounds[0] == TALLY_BUCKETS - 1, "one has no bound");
	return bucket < TALLY_BUCKETS - 1 ? bounds[bucket] : LLONG_MAX;
}

/* One writer at a time, so that a load and a store do; others only read. */
#define ADD(counter, n)                                                                            \
	atomic_store_explicit(&(counter),                                                          \
			      atomic_load_explicit(&(counter), memory_order_relaxed) + (n),        \
			      memory_order_relaxed)

void tally_count(struct tally *tally, bool failed, long long us)
{
	ADD(tally->calls, 1);
	if (failed)
		ADD(tally->errors, 1);
	if (us >= 0)
		ADD(tally->bucket[tally_bucket(us)], 1);
}

void tally_add(struct tally *sum, const struct tally *tally)
{
	ADD(sum->calls, atomic_load_explicit(&tally->calls, memory_order_relaxed));
	ADD(sum->errors, atomic_load_explicit(&tally->errors, memory_order_relaxed));
	for (unsigned i = 0; i < TALLY_BUCKETS; i++)
		ADD(sum->bucket[i], atomic_load_explicit(&tally->bucket[i], memory_order_relaxed));
}

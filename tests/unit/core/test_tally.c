/* SPDX-License-Identifier: BSD-2-Clause */
/* core/tally.c: classes of latency, and sums. */
#include "core/tally.h"

#include "tests/unit/unit.h"

static void classes_of_latency_have_their_bounds(void)
{
	CU_ASSERT_EQUAL(tally_bucket_us(0), 10);
	CU_ASSERT_EQUAL(tally_bucket_us(TALLY_BUCKETS - 2), 10000000);
	CU_ASSERT_EQUAL(tally_bucket(0), 0);
	CU_ASSERT_EQUAL(tally_bucket(10), 0);
	CU_ASSERT_EQUAL(tally_bucket(11), 1);
	CU_ASSERT_EQUAL(tally_bucket(100000000), TALLY_BUCKETS - 1);
	for (unsigned i = 1; i < TALLY_BUCKETS; i++) {
		CU_ASSERT(tally_bucket_us(i) > tally_bucket_us(i - 1));
		CU_ASSERT_EQUAL(tally_bucket(tally_bucket_us(i)), i);
	}
}

static void sums_are_of_all_that_was_counted(void)
{
	struct tally a = {0}, b = {0}, sum = {0};

	tally_count(&a, false, 20);
	tally_count(&a, true, -1); /* not timed */
	tally_count(&b, true, 20);
	tally_add(&sum, &a);
	tally_add(&sum, &b);
	CU_ASSERT_EQUAL(sum.calls, 3);
	CU_ASSERT_EQUAL(sum.errors, 2);
	CU_ASSERT_EQUAL(sum.bucket[tally_bucket(20)], 2);
	CU_ASSERT_EQUAL(sum.bucket[0], 0);
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(classes_of_latency_have_their_bounds),
		UNIT(sums_are_of_all_that_was_counted),
	};

	return unit_run("core/tally", tests, sizeof tests / sizeof tests[0]);
}

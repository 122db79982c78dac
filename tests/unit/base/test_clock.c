/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/clock.c. */
#include "core/base/clock.h"

#include <time.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

static void frozen_time_stands_still(void)
{
	clock_set_ms(0);
	CU_ASSERT_EQUAL(clock_ms(), 0);
	clock_set_ms(123456);
	CU_ASSERT_EQUAL(clock_ms(), 123456);
	CU_ASSERT_EQUAL(clock_ms(), 123456);
	clock_set_ms(-1);
}

static void system_time_is_monotonic_milliseconds(void)
{
	struct timespec now;
	long long before;
	long long seen;

	CU_ASSERT_EQUAL_FATAL(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	before = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	seen = clock_ms();
	CU_ASSERT_TRUE(seen >= before);
	CU_ASSERT_TRUE(seen < before + 60000);
	CU_ASSERT_TRUE(clock_ms() >= seen);
}

static void time_goes_on_after_thawing(void)
{
	long long real = clock_ms();

	clock_set_ms(real + 1000000);
	clock_set_ms(-5);
	CU_ASSERT_TRUE(clock_ms() >= real);
	CU_ASSERT_TRUE(clock_ms() < real + 1000000);
	alloc_fail_at(0);
}

/* Lengths of calls are measured also where a test has stopped the clock. */
static void microseconds_are_real_and_never_stand_still(void)
{
	struct timespec now;
	long long before, seen;

	clock_set_ms(5);
	CU_ASSERT_EQUAL_FATAL(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	before = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	seen = clock_us();
	CU_ASSERT_TRUE(seen >= before);
	CU_ASSERT_TRUE(seen < before + 60000000);
	while (clock_us() == seen)
		; /* a microsecond passes */
	CU_ASSERT_TRUE(clock_us() > seen);
	CU_ASSERT_EQUAL(clock_ms(), 5);
	clock_set_ms(-1);
}

static const struct unit_test tests[] = {
	UNIT(frozen_time_stands_still),
	UNIT(system_time_is_monotonic_milliseconds),
	UNIT(time_goes_on_after_thawing),
	UNIT(microseconds_are_real_and_never_stand_still),
};

UNIT_MAIN("base/clock", tests)

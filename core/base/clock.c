/* SPDX-License-Identifier: BSD-2-Clause */
/* Monotonic time. Tests freeze it, so that nothing in hsmux has to be slept for.
 *
 * The frozen value is atomic; reading the clock takes no lock and cannot fail: CLOCK_MONOTONIC
 * exists on every Linux. */
#include "core/base/clock.h"

#include <stdatomic.h>
#include <time.h>

/* Negative: the system's clock is read. */
static _Atomic long long frozen_ms = -1;

long long clock_ms(void)
{
	struct timespec now = {0};
	/* A value on its own, nothing is published with it. */
	long long ms = atomic_load_explicit(&frozen_ms, memory_order_relaxed);

	if (ms >= 0)
		return ms;
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_set_ms(long long ms)
{
	atomic_store(&frozen_ms, ms);
}

long long clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

long long clock_wall(void)
{
	return (long long)time(NULL);
}

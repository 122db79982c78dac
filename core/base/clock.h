/* SPDX-License-Identifier: BSD-2-Clause */
/* Monotonic time, replaceable in tests. */
#ifndef HSMUX_CORE_BASE_CLOCK_H
#define HSMUX_CORE_BASE_CLOCK_H

/* Milliseconds of CLOCK_MONOTONIC, or what clock_set_ms said. */
long long clock_ms(void);

/* Microseconds of CLOCK_MONOTONIC, for the length of calls; clock_set_ms does not matter. */
long long clock_us(void);

/* Seconds since 1970, UTC, as the system's clock says. */
long long clock_wall(void);

/* Tests only: freezes time at `ms`; a negative value gives it back to the system. */
void clock_set_ms(long long ms);

#endif

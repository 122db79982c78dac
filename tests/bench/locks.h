/* SPDX-License-Identifier: BSD-2-Clause */
/* Exclusive locks taken, as the preloaded counter sees them. */
#ifndef HSMUX_TESTS_BENCH_LOCKS_H
#define HSMUX_TESTS_BENCH_LOCKS_H

/* Starts counting anew. */
typedef void locks_reset_function(void);

/* Locks taken since then on mutexes (and for writing on rwlocks) that more than one thread used. */
typedef unsigned long locks_shared_function(void);

#endif

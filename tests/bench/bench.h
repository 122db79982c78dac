/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the benchmark share: sides to compare, and pieces of work to do on them. */
#ifndef HSMUX_TESTS_BENCH_BENCH_H
#define HSMUX_TESTS_BENCH_BENCH_H

#include <stdbool.h>

#include "tests/token/load.h"

/* Rounds of interleaved slices; odd, so that the median is one of them. */
#define BENCH_ROUNDS 11

/* One way to reach a token: directly, through hsmux, or through p11-kit-proxy. */
struct side {
	const char *name;
	struct loaded m;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key; /* private key that signs */
	CK_OBJECT_HANDLE aes; /* secret key, or 0 */
	CK_MECHANISM_TYPE sign;
};

enum work {
	WORK_SIGN,
	WORK_INFO,
	WORK_ATTRIBUTE,
	WORK_FIND,
	WORK_OPEN,
	WORK_GCM_1K,
	WORK_GCM_64K,
	WORK_COUNT
};

/* Reads "NAME=MODULE,LABEL" and opens it: initialised, logged in, key found by the label
 * "key-00000001" or `key_label`. The PIN is BENCH_PIN. False with a message. */
bool side_open(struct side *s, char *description, const char *key_label);

/* Another session on the side; for threads. 0 when refused. */
CK_SESSION_HANDLE side_session(const struct side *s);

/* The name of a piece of work, and back; WORK_COUNT for none. */
enum work work_find(const char *name);

/* Does the work n times in `session`. False when a call fails. Never inlined: callgrind counts what
 * is below it. */
bool work_run(const struct side *s, CK_SESSION_HANDLE session, enum work what, unsigned long n);

/* Nanoseconds of CPU of this thread, and of monotonic time. */
double cpu_ns(void);
double wall_ns(void);

/* Median; sorts the array. */
double median(double *values, unsigned count);

/* The measurements; each prints lines "ID SIDE VALUE". False when it could not measure. */
bool measure_time(struct side *sides, unsigned count);
bool measure_ratio(struct side *sides, unsigned count, bool is_rsa);
bool measure_threads(struct side *sides, unsigned count);
bool measure_contention(struct side *sides, unsigned count);
bool measure_find(struct side *few, struct side *many);
bool measure_system_calls(const char *id, struct side *s, enum work what, char *description);
bool measure_locks(const char *id, struct side *s, enum work what);
bool measure_memory(struct side *s);

#endif

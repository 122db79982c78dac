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
	CK_OBJECT_HANDLE key; /* that signs */
	CK_OBJECT_CLASS class;
	const char *label;
	CK_OBJECT_HANDLE aes;
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
	WORK_SIGN_1,  /* in one part of 64 bytes */
	WORK_SIGN_65, /* in 65 parts of 64 bytes */
	WORK_CBC_1,
	WORK_CBC_65,
	WORK_MIB_SIGN, /* 1 MiB in 64 parts */
	WORK_MIB_CBC,
	WORK_MIB_GCM,
	WORK_MIB_DIGEST,
	WORK_COUNT
};

/* Reads "NAME=MODULE,LABEL" and opens it: initialised and logged in. The PIN is BENCH_PIN. False
 * with a message. */
bool side_enter(struct side *s, char *description);

/* The same, and finds the keys: "null" (of the null token), "ec" or "rsa" (known.h); NULL for what
 * BENCH_KEYS says, or null. */
bool side_open(struct side *s, char *description, const char *keys);

/* Another session on the side; for threads. 0 when refused. */
CK_SESSION_HANDLE side_session(const struct side *s);

/* The name of a piece of work, and back; WORK_COUNT for none. */
enum work work_find(const char *name);

/* Does the work n times in `session`. False when a call fails. Never inlined: callgrind counts what
 * is below it. */
bool work_run(const struct side *s, CK_SESSION_HANDLE session, enum work what, unsigned long n);

/* Does a piece of work in parts (parts.c). */
CK_RV parts_run(const struct side *s, CK_SESSION_HANDLE session, enum work what);

/* Nanoseconds of CPU of this thread, and of monotonic time. */
double cpu_ns(void);
double wall_ns(void);

/* Median; sorts the array. */
double median(double *values, unsigned count);

/* The measurements; each prints lines "ID SIDE VALUE". False when it could not measure. */
bool measure_time(struct side *sides, unsigned count);
bool measure_ratio(struct side *sides, unsigned count);
bool measure_rsa(struct side *sides, unsigned count);
bool measure_updates(struct side *sides, unsigned count);
bool measure_parts(struct side *sides, unsigned count);
bool measure_balanced(struct side *sides, unsigned count);
bool measure_threads(struct side *sides, unsigned count);
bool measure_contention(struct side *sides, unsigned count);
bool measure_find(struct side *sides, unsigned count);
bool measure_system_calls(const char *id, struct side *s, enum work what, char *description);
bool measure_locks(const char *id, struct side *s, enum work what);
bool measure_memory(struct side *sides, unsigned count);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks: whole operations of an application that does nothing about errors, each checked in
 * software. */
#ifndef HSMUX_TESTS_BENCH_TASK_H
#define HSMUX_TESTS_BENCH_TASK_H

#include <stdint.h>

#include "tests/bench/known.h"

enum task {
	TASK_SIGN_EC,
	TASK_SIGN_RSA,
	TASK_SIGN_PARTS,   /* RSA over several parts */
	TASK_VERIFY,       /* a right signature and a wrong one */
	TASK_GCM,          /* encrypts and decrypts */
	TASK_CIPHER_PARTS, /* AES-CBC over 64 KiB in 16 parts, both ways */
	TASK_CIPHER_LONG,  /* AES-CBC over more than any member's replay keeps */
	TASK_HMAC,
	TASK_SESSION_KEY, /* HMAC with a session object that was made at the start */
	TASK_DIGEST_PARTS,
	TASK_FIND,
	TASK_ATTRIBUTE,
	TASK_RANDOM,
	TASK_OPEN, /* a session of its own with a signature in it */
	TASK_COUNT
};

/* Sets of tasks, as bits. */
#define TASK_BIT(task) (1U << (task))
#define TASKS_PARTS                                                                                \
	(TASK_BIT(TASK_SIGN_PARTS) | TASK_BIT(TASK_CIPHER_PARTS) | TASK_BIT(TASK_DIGEST_PARTS))
#define TASKS_ALL     (TASK_BIT(TASK_COUNT) - 1 - TASK_BIT(TASK_CIPHER_LONG))
#define TASKS_ONESHOT (TASKS_ALL & ~TASKS_PARTS)

enum outcome {
	OUTCOME_RIGHT,
	OUTCOME_ERROR, /* actor.rv from actor.call */
	OUTCOME_WRONG  /* everything was CKR_OK, and the result is not */
};

/* One thread of the application: its session and handles stay the same whatever happens. */
struct actor {
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	const struct known *known;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE session_key;
	CK_BYTE session_value[32];
	uint64_t random;
	CK_BYTE *data; /* room of one long task each; owned */
	CK_BYTE *out;
	CK_BYTE *expected;
	CK_RV rv;
	const char *call;
	char detail[64]; /* of a wrong result, in words; empty when there is nothing to say */
};

/* Opens the actor's session and makes its session object. False with a message. */
bool actor_begin(struct actor *a, uint64_t seed);
void actor_end(struct actor *a);

/* The next of the actor's random numbers (splitmix64). */
uint64_t actor_random(struct actor *a);

/* Does one task. */
enum outcome task_run(struct actor *a, enum task task);

/* A name for messages ("sign-ec"). */
const char *task_name(enum task task);

#endif

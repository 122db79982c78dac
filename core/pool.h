/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions on a member: borrowed for the length of a call or an operation, kept for the next one.
 *
 * Idle sessions lie in a small array of atomic pointers; taking and giving back is an exchange, so
 * that the usual path has no lock. Opening, closing and waiting go through the mutex. */
#ifndef HSMUX_CORE_POOL_H
#define HSMUX_CORE_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/pkcs11.h"
#include "core/tally.h"

/* Idle sessions kept at the most; more than that many threads rarely sign at once. */
#define POOL_IDLE 64

struct member;

/* A real session. */
struct member_session {
	CK_SESSION_HANDLE real;
	struct member *member; /* borrowed */
	unsigned epoch;        /* of the member, in which it was opened */
	uint64_t serial;       /* higher than those of all that were opened before */
	unsigned lib_epoch;    /* of the library: `real` means nothing in another */
	_Atomic int in_call;   /* the vendor's code runs on it now */
	bool is_dirty; /* something may be active on it: is not lent again; its borrower's */
	struct tally tally;
	struct member_session *prev; /* all of the pool's; guarded by pool.lock, as is_open */
	struct member_session *next;
	bool is_open; /* no longer being opened */
};

struct pool {
	_Atomic(struct member_session *) idle[POOL_IDLE];
	_Atomic unsigned waiters;
	_Atomic int is_quiet;       /* no call may begin: the library is being re-initialised */
	pthread_mutex_t lock;       /* guards the rest */
	pthread_cond_t given;       /* a session was given back or closed */
	struct member_session *all; /* every one that exists */
	unsigned reserved;          /* opened beside the pool */
	bool was_used;              /* one was opened, in: */
	unsigned used_epoch;        /* of the member */
	struct tally past;          /* of the sessions that were closed */
	uint64_t serial;            /* of the last one */
	unsigned limit;             /* from the configuration; 0 = none */
	unsigned learned;           /* most that the member allowed lately; 0 = unknown */
	unsigned learned_epoch;     /* of the member; not believed in another ... */
	long long learned_until_ms; /* ... nor after that */
};

/* Sets up in place. */
void pool_init(struct pool *pool, unsigned limit);

/* Frees what is left; every session must be closed or dropped. */
void pool_fini(struct pool *pool);

/* Borrows a session of the member's current epoch; `hint` spreads users over the array. Opens one
 * when none is idle (read/write, or read-only on a write-protected token); waits up to `wait_ms`
 * when the member allows no more. The member's code, or CKR_SESSION_COUNT after the wait;
 * CKR_SESSION_HANDLE_INVALID when the new session shows that the member lost all others, and the
 * login with them: it is in a new epoch then. */
CK_RV pool_take(struct member *member, unsigned hint, long long wait_ms,
		struct member_session **ms);

/* The idle session at one of the POOL_IDLE places, NULL when there is none. */
struct member_session *pool_take_at(struct member *member, unsigned place);

/* The serial number of the session that was opened last. */
uint64_t pool_serial(struct pool *pool);

/* Gives a session back that has no active operation. */
void pool_give(struct member_session *ms, unsigned hint);

/* A borrowed session of an earlier epoch was seen to live: it is of the member's current one. */
void pool_keep(struct member_session *ms);

/* Closes a session whose state is unknown. */
void pool_drop(struct member_session *ms);

/* Closes all idle sessions; with `closes` false they are only forgotten (the library was
 * finalised). */
void pool_empty(struct member *member, bool closes);

/* Brackets every call of vendor code on a session. False: the library is down or was initialised
 * anew, the session is worthless. */
bool pool_enter(struct member_session *ms);
void pool_leave(struct member_session *ms);

/* Counts a session that is opened beside the pool, within the configured limit; false when that is
 * reached. pool_unreserve() gives it back. */
bool pool_reserve(struct member *member);
void pool_unreserve(struct member *member);

/* The sums over all sessions, open and closed; and how many are open and, of them, in use. */
void pool_tally(struct pool *pool, struct tally *sum, unsigned *open, unsigned *busy);

/* The state of login that the member says a session has (CKS_...). The member's code. The caller
 * has the session. */
CK_RV pool_state(struct member_session *ms, CK_STATE *state);

static inline bool pool_is_user(CK_STATE state)
{
	return state == CKS_RO_USER_FUNCTIONS || state == CKS_RW_USER_FUNCTIONS;
}

/* Stops calls from beginning and waits up to `wait_ms` for those inside. True when none is inside.
 * pool_resume() lets them begin again. */
bool pool_quiesce(struct pool *pool, long long wait_ms);
void pool_resume(struct pool *pool);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A vendor's library loaded into this process: one instance, with one C_Initialize. */
#ifndef HSMUX_CORE_LIBRARY_H
#define HSMUX_CORE_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/log.h"
#include "core/base/pkcs11.h"
#include "core/config.h"
#include "core/vendor.h"

struct known;
struct member;

/* Where an instance stands. */
enum library_state {
	LIBRARY_DOWN, /* not loaded, or not initialised: `reason` says why */
	LIBRARY_UP,   /* initialised */
	LIBRARY_STUCK /* a call did not return: never touched again in this process */
};

struct library {
	const struct config_module *conf;      /* borrowed */
	const struct vendor_set *vendors;      /* borrowed */
	_Atomic(const struct vendor *) vendor; /* never NULL; generic until recognised */
	pthread_mutex_t one_call; /* held during each call of a `serial` one; recursive */
	pthread_mutex_t lock; /* guards the fields below; held while the library starts or stops */
	CK_FUNCTION_LIST *v2;
	CK_FUNCTION_LIST_3_0
	*v3; /* NULL when it has no 3.0 interface; then nothing above entry 68 */
	void *dl;
	_Atomic int state;      /* enum library_state */
	_Atomic unsigned epoch; /* rises with each start */
	_Atomic int is_ending;  /* see library_ending */
	_Atomic int is_owned;   /* our C_Initialize succeeded: our C_Finalize is due */
	bool loads_us;          /* it called our C_Initialize while it started: refused for good */
	struct member
		*members;    /* list of the members that live in it; built before threads start */
	struct known *known; /* what the process remembers of it over C_Finalize and fork() */
	CK_INFO info;
	char reason[256]; /* why it is down, in words */
};

/* Makes the instance for `conf` without loading it. NULL when memory is out. */
struct library *library_new(const struct config_module *conf, const struct vendor_set *vendors);

/* Loads (once) and initialises; nothing happens when it is up. False when that fails: `reason` and
 * the log say why. The lock is held by the caller. */
bool library_start(struct library *lib);

/* Finalises if we own it. `calls_ended` false: a call is still inside, so it is left as it is and
 * never used again. The lock is held by the caller. */
void library_stop(struct library *lib, bool calls_ended);

/* C_Finalize has begun: what is open in a library that we own goes with its own C_Finalize, and is
 * not closed one by one (a call that hangs there would make ours hang). */
void library_ending(struct library *lib);

/* In a forked child: locks that a thread of the parent may have held are made anew. */
void library_forget_parent(void);

/* True when somebody else in this process finalised an instance that we believed to be up; it is
 * then down, without a C_Finalize of ours. The lock is held by the caller. */
bool library_was_ended(struct library *lib);

/* A slot with a token. */
struct library_token {
	CK_SLOT_ID slot;
	CK_RV rv; /* of C_GetTokenInfo; `info` is valid when CKR_OK */
	CK_TOKEN_INFO info;
};

/* The slots with a token of a library that is up, and what is in them; *count of them, freed by the
 * caller. The code of C_GetSlotList, or CKR_HOST_MEMORY. The lock is held by the caller. */
CK_RV library_tokens(struct library *lib, struct library_token **tokens, CK_ULONG *count);

/* Text of a blank-padded field of Cryptoki; `text` has room for size + 1 bytes. */
void library_field(const unsigned char *field, size_t size, char *text);

/* Frees the description; the loaded code stays in the process, as its exit handlers may still run.
 */
void library_free(struct library *lib);

/* True while this thread is inside a library's C_Initialize: a C_Initialize of ours that happens
 * then comes from that library, which is marked and refused (it would call itself for ever). */
bool library_is_starting(void);

/* What C_Initialize of every library is told (CKF_LIBRARY_CANT_CREATE_OS_THREADS or 0), and what
 * runs at exit: registered behind each library's own exit handlers, so that it runs before them. */
void library_setup(CK_FLAGS flags, void (*at_exit)(void));

/* State of SIGPIPE before a guarded call. */
struct library_guard {
	bool is_set; /* false: the profile does not ask for a guard, nothing to undo */
	pthread_mutex_t *one_call; /* locked by the guard; NULL: none */
	bool was_pending;
	bool was_blocked;
};

/* Brackets a call into a library whose profile says that it may raise SIGPIPE: the signal is
 * blocked in this thread, and one that the call raised is taken away. The process's disposition is
 * not touched. One whose profile says that it cannot stand two calls at once gets one at a time.
 * Most profiles ask for neither; then it costs a load. */
void library_guard_set(const struct library *lib, struct library_guard *guard);
void library_guard_drop(const struct library_guard *guard);

static inline void library_guard(const struct library *lib, struct library_guard *guard)
{
	const struct vendor *vendor = atomic_load_explicit(&lib->vendor, memory_order_relaxed);

	guard->is_set = vendor->raises_sigpipe || vendor->serial;
	if (guard->is_set)
		library_guard_set(lib, guard);
}

static inline void library_unguard(const struct library_guard *guard)
{
	if (guard->is_set)
		library_guard_drop(guard);
}

#endif

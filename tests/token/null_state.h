/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the null token share; not for its users, see null.h. */
#ifndef HSMUX_TESTS_TOKEN_NULL_STATE_H
#define HSMUX_TESTS_TOKEN_NULL_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "tests/token/null.h"

/* More sessions and made objects than any test opens at once. */
#define NULL_MAX_SESSIONS 32768
#define NULL_MAX_MADE     32768
#define NULL_SIGNATURE    64
#define NULL_DIGEST       32
#define NULL_EXPORT       __attribute__((visibility("default")))

/* Kinds of operation that a session can have active, each independent of the others. */
enum null_kind {
	NULL_ENCRYPT,
	NULL_DECRYPT,
	NULL_DIGESTING,
	NULL_SIGN,
	NULL_SIGN_RECOVER,
	NULL_VERIFY,
	NULL_VERIFY_RECOVER,
	NULL_MSG_ENCRYPT,
	NULL_MSG_DECRYPT,
	NULL_MSG_SIGN,
	NULL_MSG_VERIFY,
	NULL_KINDS
};

/* One active operation. */
struct null_op {
	bool is_active;
	bool has_parts;    /* an Update came */
	unsigned char key; /* the byte that stands for the key */
	uint64_t sum;      /* running checksum of the data */
};

/* A session; one thread at a time is in it, which `busy` checks. */
struct null_session {
	_Atomic uint64_t handle; /* 0 = closed */
	atomic_flag busy;
	CK_FLAGS flags;
	uint32_t generation;
	struct null_op op[NULL_KINDS];
	bool is_finding;
	CK_ULONG found_count;
	CK_ULONG found_next;
	CK_ULONG found_cap;
	CK_OBJECT_HANDLE *found; /* found_cap entries, kept until the session closes */
};

/* An object that an application made. */
struct null_made {
	uint64_t handle;         /* 0 = free */
	CK_SESSION_HANDLE owner; /* session of a session object, 0 of a token object */
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE key_type;
	bool is_token;
	bool is_private;
	size_t label_len;
	size_t id_len;
	size_t value_len;
	unsigned char label[32];
	unsigned char id[32];
	unsigned char value[64];
};

/* The one token. `lock` guards the tables of sessions and made objects and the login. */
struct null_token {
	pthread_mutex_t lock;
	_Atomic bool is_initialised;
	bool is_aborting; /* what a foreign handle does */
	unsigned long delay_us;
	CK_ULONG keys;
	char label[33];
	char pin[64];
	char so_pin[68];
	struct null_stats *stats; /* NULL: nothing is counted */
	_Atomic int user;         /* -1 nobody, CKU_USER or CKU_SO */
	uint32_t generation;      /* of the session made last */
	uint32_t session_next;    /* where the search for a free entry begins */
	uint32_t session_count;
	uint32_t session_rw_count;
	uint64_t made_next;
	_Atomic uint32_t made_high; /* entries of `made` ever used */
	struct null_session sessions[NULL_MAX_SESSIONS];
	struct null_made made[NULL_MAX_MADE];
};

extern struct null_token null_token;

/* An attribute's value, of an object of either sort. */
struct null_object {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE key_type;
	bool is_token;
	bool is_private;
	unsigned char key; /* the byte that stands for the key in "cryptography" */
	size_t label_len;
	size_t id_len;
	size_t value_len;
	unsigned char label[32];
	unsigned char id[32];
	unsigned char value[64];
};

/* Counts a call; `index` is the entry's place in CK_FUNCTION_LIST_3_0. */
static inline void null_count(enum token_call index)
{
	if (null_token.stats)
		atomic_fetch_add_explicit(&null_token.stats->calls[index], 1, memory_order_relaxed);
}

/* Records a handle that was never issued (aborts when so configured) or is dead. */
void null_foreign(const char *where, CK_ULONG handle);
void null_stale(void);

/* Counts the call, finds the session and enters it. CKR_CRYPTOKI_NOT_INITIALIZED or
 * CKR_SESSION_HANDLE_INVALID; after CKR_OK null_leave must follow. */
CK_RV null_enter(enum token_call index, CK_SESSION_HANDLE handle, struct null_session **s);
void null_leave(struct null_session *s);

/* One unit of work: waits for a free place in the device and lets the time pass. */
void null_work(void);
bool null_device_setup(unsigned limit);

/* Looks an object up. False when there is none, which counts it as foreign or dead. */
bool null_object_get(CK_OBJECT_HANDLE handle, const char *where, struct null_object *out);

/* Makes an object from a template; `class` and `type` when the template names none.
 * CKR_ARGUMENTS_BAD, CKR_DEVICE_MEMORY, CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN. */
CK_RV null_make(CK_SESSION_HANDLE owner, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		CK_OBJECT_CLASS class, CK_KEY_TYPE type, CK_OBJECT_HANDLE *out);

/* Session objects of `owner` (0: of all); private ones of any owner after a logout. */
void null_drop_objects(CK_SESSION_HANDLE owner, bool is_private_only);

/* Checks every object handle inside a parameter, nested ones included. CKR_MECHANISM_PARAM_INVALID
 * when the length is wrong, CKR_KEY_HANDLE_INVALID when a handle is not ours. */
CK_RV null_mech_check(const CK_MECHANISM *m);

/* Makes the objects whose handles a parameter returns. */
CK_RV null_mech_make(CK_SESSION_HANDLE owner, const CK_MECHANISM *m);

/* Running checksum of data: cheap, and different for different data. */
uint64_t null_sum(uint64_t sum, const CK_BYTE *data, CK_ULONG len);
void null_spread(uint64_t sum, unsigned char key, CK_BYTE *out, CK_ULONG len);

/* Begins an operation; shared by the ordinary and the message kind. */
CK_RV null_op_begin(struct null_session *s, enum null_kind kind, const CK_MECHANISM *m,
		    CK_OBJECT_HANDLE key);

extern CK_FUNCTION_LIST null_list;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* One call that does work, and the gate that every such call passes.
 *
 * An entry point fills a struct call on its stack and hands it to call_run(), which decides
 * (policy), finds a member and runs it there (route), and records it. Nothing else in the library
 * runs a call. */
#ifndef HSMUX_CORE_CALL_H
#define HSMUX_CORE_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/mech.h"
#include "core/base/pkcs11.h"
#include "policy/facts.h"

struct group;
struct member;
struct member_session;
struct operation;
struct secret;
struct session;

/* Index into calls.def. */
enum call_id {
#define CALL(name, retry) CALL_##name,
#include "core/calls.def"
	CALL_COUNT
};

/* What may be done with a call that failed; the words of calls.def. */
enum call_retry { CALL_RETRY_LOCAL, CALL_RETRY_SAFE, CALL_RETRY_ONCE, CALL_RETRY_NEVER };

/* On which session of the member a call runs. */
enum call_place {
	CALL_BORROW, /* any idle one, given back afterwards */
	CALL_KEEP,   /* any idle one; on success call.ms keeps it for the operation that began */
	CALL_BOUND,  /* call.ms, where the operation began */
	CALL_HOME,   /* the one that owns the virtual session's session objects */
	CALL_TOKEN   /* on none: C_InitToken */
};

/* An object named in a call. */
struct call_object {
	CK_OBJECT_HANDLE handle; /* virtual */
	CK_RV bad; /* what the standard answers when it is not valid; 0: no object here */
};

/* One call. Zeroed, then filled by the core function that builds it; everything is borrowed for the
 * length of call_run() unless said otherwise. */
struct call {
	enum call_id id;
	enum call_place place;
	struct group *group;
	struct session *session;   /* locked by the caller; NULL for C_InitToken */
	struct member_session *ms; /* CALL_BOUND: in; CALL_KEEP: out, then owned by the caller */
	struct operation *op; /* CALL_BOUND: the operation, when it may move to another member: its
			       * session is op->ms then, and `ms` is not used */

	struct mech *mech; /* hsmux's copy, or NULL */
	struct call_object object[2];
	CK_ATTRIBUTE *tmpl[2]; /* hsmux's copies, or for C_GetAttributeValue the caller's array */
	CK_ULONG tmpl_count[2];
	const CK_ATTRIBUTE *asked; /* C_GetAttributeValue: what tmpl[0] is before a member changes
				    * it; NULL: not sent again */
	const CK_BYTE *in;         /* data, ciphertext, wrapped key, seed */
	CK_ULONG in_len;
	const CK_BYTE *in2; /* signature to verify, associated data of a message */
	CK_ULONG in2_len;
	CK_BYTE *out;
	CK_ULONG *out_len;           /* in: room in `out`; out: length */
	const struct secret *pin[2]; /* PIN, new PIN; NULL: the token asks for it itself */
	CK_USER_TYPE user;           /* C_Login */
	void *param; /* per-message parameter of the message functions, passed untouched */
	CK_ULONG param_len;
	CK_FLAGS flags;
	unsigned only;     /* members that may do it, a bit each; 0: any */
	bool is_volatile;  /* makes session objects only: a copy that nobody knows goes with its
			      session */
	bool is_ours;      /* hsmux asks for itself: no policy is asked */
	bool is_decided;   /* the policy was asked already: see call_decide() */
	bool is_caller_iv; /* of one message: the caller chose the IV */
	bool wants_value;  /* C_GetAttributeValue: of secret values (act "get-value") */
	bool wants_made;   /* C_DeriveKey: the application passed a place for a handle */

	CK_OBJECT_HANDLE made[2]; /* out: real handles of objects that came to be */
	struct member *member;    /* out: where it ran, last */
	unsigned sends;       /* out: how often it reached a member, and may have been done there */
	uint64_t made_serial; /* of the session on which it ran; UINT64_MAX: of none */
	unsigned made_epoch;  /* out: the member's epoch in which it ran, for which `made` holds */
	struct buf *found;    /* C_FindObjectsInit: out: virtual handles, CK_OBJECT_HANDLE each */
	CK_ULONG size;        /* C_GetObjectSize: out */

	CK_RV member_rv; /* out: what the member said, before it was mapped */
};

/* Runs the call through the gate: policy -> route -> member -> record. Returns a code that the
 * standard lists for the function. The session's lock is held by the caller and stays held. */
CK_RV call_run(struct call *call);

/* Asks the policy, once for a call: later calls of it, and call_run(), find is_decided set. For
 * calls whose templates hsmux changes before a member sees them; call_run() asks by itself for all
 * others. CKR_OK, or a code that the standard lists for the function: of the refusal,
 * which was told (log, device_error), or of an object that could not be looked at. */
CK_RV call_decide(struct call *call);

/* "C_Sign". Static. */
const char *call_name(enum call_id id);

/* Retry class from calls.def. */
enum call_retry call_retry(enum call_id id);

#endif

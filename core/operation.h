/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptographic operations: init, steps, end; the standard's state machine, whatever the member
 * does. */
#ifndef HSMUX_CORE_OPERATION_H
#define HSMUX_CORE_OPERATION_H

#include "core/call.h"
#include "core/session.h"

/* How a step function moves its operation. */
enum op_step { OP_SINGLE, OP_UPDATE, OP_FINAL };

/* The bytes of a step; as the application passed them, unchecked. */
struct op_io {
	const CK_BYTE *in; /* data */
	CK_ULONG in_len;
	const CK_BYTE *in2; /* signature (verify) */
	CK_ULONG in2_len;
	CK_BYTE *out;      /* NULL with an out_len: the length is asked for */
	CK_ULONG *out_len; /* NULL for functions without output */
	bool has_in;       /* the function has an input */
	bool has_in2;
	bool has_out;
};

/* C_EncryptInit and the like. `key` is 0 and unused for digests. A NULL mechanism cancels an active
 * operation of the kind (3.0); with none active it is CKR_ARGUMENTS_BAD. */
CK_RV op_init(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session,
	      const CK_MECHANISM *mech, CK_OBJECT_HANDLE key);

/* C_Encrypt, C_EncryptUpdate, C_EncryptFinal and the like. */
CK_RV op_step(enum call_id id, enum op_kind kind, enum op_step step, CK_SESSION_HANDLE session,
	      const struct op_io *io);

/* The four dual functions: runs `cipher`'s update, then feeds `other`'s update with the plaintext
 * or
 * (`other_takes_output`) with what came out. Both operations must be active. */
CK_RV op_dual(enum call_id id, CK_SESSION_HANDLE session, enum op_kind cipher, enum op_kind other,
	      bool other_takes_output, const struct op_io *io);

/* C_DigestKey. */
CK_RV op_digest_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* Ends an operation of a locked session, active or not; the member's session is given back only
 * when the operation is known to be over there, else closed. */
void op_end(struct session *session, enum op_kind kind, bool is_over_there);

/* In a forked child: frees an operation without looking at the member's session. */
void op_forget(struct session *session, enum op_kind kind);

/* Frees the finished operation that a locked session keeps for its next Init. */
void op_free_spare(struct session *session);

/* Whether a message of several parts is open in an active message operation; a place to read and
 * write it, for message.c. NULL when no operation of the kind is active. */
bool *op_in_message(struct session *session, enum op_kind kind);

/* The member session on which an operation that may wait for a context-specific login runs, or
 * NULL; the operation stays there from now on. For a locked session. */
struct member_session *op_waiting_for_login(struct session *session);

/* Used by message.c: begins an operation of `kind` in a locked session with the gate call `id`.
 * As op_init, without the session look-up. */
CK_RV op_begin(enum call_id id, enum op_kind kind, struct session *session,
	       const CK_MECHANISM *mech, CK_OBJECT_HANDLE key);

/* Used by message.c: runs a prepared call on an active operation's member session. The caller sets
 * id and the data fields; place, group, session and ms are filled in. CKR_OPERATION_NOT_INITIALIZED
 * when none of the kind is active. Does not end the operation. */
CK_RV op_run(struct session *session, enum op_kind kind, struct call *call);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of an operation on the member, and what becomes of their output. Private to
 * operation.c, message.c and replay.c. */
#ifndef HSMUX_CORE_OP_OUTPUT_H
#define HSMUX_CORE_OP_OUTPUT_H

#include <stdint.h>

#include "core/journal.h"
#include "core/operation.h"

/* An active operation; everything is guarded by the lock of its session. */
struct operation {
	enum call_id init_id;      /* the call that began it */
	CK_OBJECT_HANDLE key;      /* virtual; 0 for digests */
	struct mech mech;          /* kept to begin again */
	struct member_session *ms; /* owned until the end; NULL while it is on no member */
	bool is_over;              /* it ended on the way: nothing of it is left */
	bool is_fixed; /* it must stay where it is: what it did there counts (stateful keys, a
			* token's own counters, a login for this use) */
	struct journal journal; /* to take it to another member; not in passthrough tokens */
	bool is_fed;            /* an Update was accepted */
	CK_ULONG held;          /* ciphers: bytes fed and not given out yet */
	bool is_doubtful;       /* the last answer may have ended it on the member */
	bool in_message;        /* message.c: a message of several parts is open */
	struct {
		struct buf bytes;      /* a result that did not fit */
		enum call_id id;       /* of this function */
		uint8_t in_digest[32]; /* SHA-256 of the input that it is for */
		bool is_set;
	} stash;
};

/* Runs a step with output: length queries, short buffers, results. The operation is not ended here.
 */
CK_RV op_output(enum call_id id, enum op_kind kind, enum op_step step, struct session *session,
		const struct op_io *io);

/* Runs a step without output. */
CK_RV op_plain(enum call_id id, enum op_kind kind, struct session *session, const struct op_io *io);

/* Begins the operation again on a new session, with nothing fed. When that fails the operation is
 * over. */
CK_RV op_restart(struct session *session, enum op_kind kind);

/* Wipes a kept result. */
void op_stash_clear(struct operation *op);

#endif

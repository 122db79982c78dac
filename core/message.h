/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-based operations of PKCS#11 3.0: many messages under one Init. */
#ifndef HSMUX_CORE_MESSAGE_H
#define HSMUX_CORE_MESSAGE_H

#include "core/operation.h"

/* Which of the three ways of processing a message. */
enum msg_step { MSG_WHOLE, MSG_BEGIN, MSG_NEXT };

/* One message step as the application passed it. */
struct msg_io {
	void *param; /* per-message parameter; the member writes IVs and tags into it */
	CK_ULONG param_len;
	const CK_BYTE *aad; /* associated data; for verification the signature */
	CK_ULONG aad_len;
	const CK_BYTE *in;
	CK_ULONG in_len;
	CK_BYTE *out;
	CK_ULONG *out_len;
	CK_FLAGS flags;
};

/* C_MessageEncryptInit and the like. CKR_FUNCTION_NOT_SUPPORTED when the member has no 3.0
 * interface. */
CK_RV msg_init(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session,
	       const CK_MECHANISM *mech, CK_OBJECT_HANDLE key);

/* C_EncryptMessage, ...Begin, ...Next and the like. */
CK_RV msg_step(enum call_id id, enum op_kind kind, enum msg_step step, CK_SESSION_HANDLE session,
	       const struct msg_io *io);

/* C_MessageEncryptFinal and the like. */
CK_RV msg_final(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session);

#endif

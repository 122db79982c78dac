/* SPDX-License-Identifier: BSD-2-Clause */
/* Single operations with a key of a member, and what their codes say about the key. */
#ifndef HSMUX_CORE_IDENTITY_USE_H
#define HSMUX_CORE_IDENTITY_USE_H

#include <stdbool.h>

#include "core/base/pkcs11.h"
#include "core/call.h"
#include "core/pool.h"

/* An operation from its beginning to its end. */
struct identity_use {
	enum call_id init; /* C_SignInit, C_EncryptInit or C_DecryptInit */
	enum call_id step; /* C_Sign, C_Encrypt or C_Decrypt */
	CK_MECHANISM mech; /* its parameter is borrowed */
	const CK_BYTE *in;
	CK_ULONG in_len;
	CK_BYTE *out;
	CK_ULONG out_len; /* in: room; out: length */
	bool has_begun;   /* out: the key and the mechanism were accepted */
};

/* Runs it. The member's code; CKR_DEVICE_ERROR for a length that is more than the room. */
CK_RV identity_use(struct member_session *ms, CK_OBJECT_HANDLE key, struct identity_use *use);

/* Whether a code is about the request (this mechanism, this key, this attribute), so that another
 * way may be tried. False: the member does not answer. Codes that may mean either are settled by
 * asking the member whether it lives. */
bool identity_refuses(struct member_session *ms, CK_RV rv);

/* A code that says nothing may be a whim of the member: what is asked is asked this often before it
 * is taken for a refusal, because what an object is must not follow from a whim. */
#define IDENTITY_TRIES 3U

/* True for such codes. */
bool identity_is_doubtful(CK_RV rv);

#endif

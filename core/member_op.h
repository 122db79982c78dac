/* SPDX-License-Identifier: BSD-2-Clause */
/* The one place where operations leave for a vendor's library. */
#ifndef HSMUX_CORE_MEMBER_OP_H
#define HSMUX_CORE_MEMBER_OP_H

#include "core/call.h"
#include "core/pool.h"

/* Runs `call` on the real session; `object` are the real handles of call.object. Everything in
 * `call` that a member may see is real by now. Returns the member's own code.
 * CKR_FUNCTION_NOT_SUPPORTED when the member's function list does not have the function. */
CK_RV member_call(struct member_session *ms, struct call *call, const CK_OBJECT_HANDLE object[2]);

/* Makes an AES key on the member, for a purpose of our own (CKM_AES_KEY_GEN). The member's code;
 * CKR_DEVICE_ERROR when it says CKR_OK and gives no handle. */
CK_RV member_make_aes(struct member_session *ms, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		      CK_OBJECT_HANDLE *made);

/* Destroys an object that was just made and cannot be given to the application. */
void member_destroy(struct member_session *ms, CK_OBJECT_HANDLE real);

#endif

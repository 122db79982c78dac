/* SPDX-License-Identifier: BSD-2-Clause */
/* A secret key carried to a member under an RSA key that was made inside it for that, so that it
 * leaves the one member and enters the other without being in anybody's memory. RSA-OAEP; for short
 * secret keys (AES, generic secrets). */
#ifndef HSMUX_CORE_TRANSPORT_H
#define HSMUX_CORE_TRANSPORT_H

#include "core/base/pkcs11.h"
#include "core/pool.h"

struct transport;

/* Makes a pair on the member of `to` (session objects; the private half is sensitive, not
 * extractable, and can only unwrap) and shows by use that the public half belongs to it. `to` is
 * borrowed until transport_close(). CKR_MECHANISM_INVALID when the member cannot do that;
 * CKR_HOST_MEMORY or the member's code. */
CK_RV transport_open(struct member_session *to, struct transport **out);

/* Carries secret key `key` of the member of `from` there, where it becomes what `tmpl` says.
 * CKR_MECHANISM_INVALID when the two have no padding in common; else a member's code. What was made
 * is not compared: that is the caller's. */
CK_RV transport_carry(struct transport *t, struct member_session *from, CK_OBJECT_HANDLE key,
		      const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made);

/* Destroys the pair. NULL is allowed. */
void transport_close(struct transport *t);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading attributes for the application, without the secret values that the policy keeps back. */
#ifndef HSMUX_CORE_OBJECT_SHOW_H
#define HSMUX_CORE_OBJECT_SHOW_H

#include "core/base/buf.h"
#include "core/session.h"

/* As object_values(). Where the policy refuses "get-value" of the object, secret values (of a
 * secret key its CKA_VALUE, of a private key its private parts) are not read: their length is
 * CK_UNAVAILABLE_INFORMATION and the code CKR_ATTRIBUTE_SENSITIVE. */
CK_RV object_show(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out,
		  CK_ULONG count);

/* Takes the objects that the policy does not let be found out of `found` (CK_OBJECT_HANDLE each).
 * The codes of a reading. */
CK_RV object_show_found(struct session *session, struct buf *found);

#endif

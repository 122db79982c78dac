/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading attributes for the application. */
#ifndef HSMUX_CORE_OBJECT_VALUES_H
#define HSMUX_CORE_OBJECT_VALUES_H

#include "core/base/pkcs11.h"
#include "core/session.h"

/* Reads `count` attributes of an object into the application's array, as C_GetAttributeValue:
 * partial answers (CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL) fill
 * what can be filled. For a locked session. CKR_HOST_MEMORY, or the member's code. */
CK_RV object_values(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out,
		    CK_ULONG count);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The object functions of Cryptoki but for searches. */
#ifndef HSMUX_CORE_OBJECT_CALL_H
#define HSMUX_CORE_OBJECT_CALL_H

#include "core/base/pkcs11.h"

/* C_CreateObject. */
CK_RV object_create(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *object);

/* C_CopyObject: an alias (alias.h) where the template allows it, else a copy on the member. */
CK_RV object_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE *tmpl,
		  CK_ULONG count, CK_OBJECT_HANDLE *copy);

/* C_DestroyObject. */
CK_RV object_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object);

/* C_GetObjectSize. */
CK_RV object_size(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size);

/* C_GetAttributeValue. */
CK_RV object_read(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		  CK_ULONG count);

/* C_SetAttributeValue. */
CK_RV object_write(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE *tmpl,
		   CK_ULONG count);

#endif

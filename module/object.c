/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects and searches: PKCS#11, "Object management functions". Templates are checked and copied by
 * the core; here only places for answers are. */
#include "core/object_call.h"

#include "core/find.h"
#include "module/entry.h"

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     CK_OBJECT_HANDLE *object)
{
	return object ? object_create(session, tmpl, count, object) : bad_arguments(session);
}

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		   CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
	return copy ? object_copy(session, object, tmpl, count, copy) : bad_arguments(session);
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	return object_destroy(session, object);
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	return size ? object_size(session, object, size) : bad_arguments(session);
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	return tmpl ? object_read(session, object, tmpl, count) : bad_arguments(session);
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	return tmpl ? object_write(session, object, tmpl, count) : bad_arguments(session);
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	return find_init(session, tmpl, count);
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		    CK_ULONG *count)
{
	if (!count || (!objects && max > 0))
		return bad_arguments(session);
	return find_next(session, objects, max, count);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
	return find_final(session);
}

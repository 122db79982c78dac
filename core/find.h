/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches: evaluated at C_FindObjectsInit, answered from a snapshot. */
#ifndef HSMUX_CORE_FIND_H
#define HSMUX_CORE_FIND_H

#include "core/session.h"

/* C_FindObjectsInit. */
CK_RV find_init(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* C_FindObjects. */
CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		CK_ULONG *count);

/* C_FindObjectsFinal. */
CK_RV find_final(CK_SESSION_HANDLE session);

/* Drops the search of a locked session, if any. */
void find_end(struct session *session);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the entry points share. */
#ifndef HSMUX_MODULE_ENTRY_H
#define HSMUX_MODULE_ENTRY_H

#include "core/session.h"

/* The answer to a pointer that is missing: what is wrong with the session has precedence. */
static inline CK_RV bad_arguments(CK_SESSION_HANDLE session)
{
	CK_RV rv = session_check(session);

	return rv != CKR_OK ? rv : CKR_ARGUMENTS_BAD;
}

#endif

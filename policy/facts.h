/* SPDX-License-Identifier: BSD-2-Clause */
/* One call described as plain data: the only thing that decisions and evidence look at. */
#ifndef HSMUX_POLICY_FACTS_H
#define HSMUX_POLICY_FACTS_H

#include <stdbool.h>

#include "core/base/pkcs11.h"

/* Filled once per call before it is decided. Strings are borrowed for the length of the call. */
struct facts {
	const char *function;        /* "C_SignInit" */
	const char *token;           /* label of the virtual token */
	const CK_MECHANISM *mech;    /* hsmux's own copy, handles still virtual; NULL when none */
	CK_OBJECT_HANDLE object[2];  /* virtual handles named in the call; 0 = none */
	const CK_ATTRIBUTE *tmpl[2]; /* hsmux's own copies of input templates; NULL = none */
	CK_ULONG tmpl_count[2];
	CK_STATE state; /* of the session, CKS_...; 0 when no session is involved */
};

/* What was decided, and why. */
struct verdict {
	bool is_allowed;
	CK_RV code;       /* for the application when not allowed */
	const char *rule; /* static name of the deciding rule; NULL when no rule applied */
};

#endif

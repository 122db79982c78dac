/* SPDX-License-Identifier: BSD-2-Clause */
/* The last decision of a session, for the application that does the same again: signs with one key
 * all day. */
#ifndef HSMUX_CORE_DECISION_H
#define HSMUX_CORE_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pkcs11.h"
#include "policy/policy.h"

struct call;

/* Parameters of at most so many bytes are compared: those of PSS. */
#define DECISION_PARAM 24

/* What was allowed, and on what that rests. A zeroed struct is none. */
struct decision {
	const struct policy *policy; /* NULL: none */
	const struct caller *caller;
	enum policy_act act;
	CK_STATE state;
	CK_MECHANISM_TYPE mech;
	CK_OBJECT_HANDLE key;
	CK_ULONG param_len;
	CK_BYTE param[DECISION_PARAM];
	uint64_t generation; /* of key_facts.h */
	long long until_ms;
};

/* Whether the same was allowed in the session of the call a moment ago. */
bool decision_stands(const struct call *call, enum policy_act act);

/* Keeps that the call was allowed, where the next one may rest on it: not where the answer depends
 * on the time, and not with parameters that point elsewhere. */
void decision_keep(const struct call *call, enum policy_act act);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a member for a call and runs it there; knows what return codes mean. */
#ifndef HSMUX_CORE_ROUTE_H
#define HSMUX_CORE_ROUTE_H

#include "core/call.h"

/* What a member's return code says. */
enum outcome {
	OUTCOME_DONE,    /* success, or about the request: it is the answer */
	OUTCOME_SESSION, /* this session is worthless: once more on another, if the call may be
			    repeated */
	OUTCOME_SUSPECT, /* about the request or about the token: ask the token */
	OUTCOME_DEAD     /* the token is gone */
};

/* Runs the call on the best member; tries again where that is safe. The member's code is in
 * call.member_rv; the result is for the application but not yet mapped to what the standard lists.
 */
CK_RV route_run(struct call *call);

/* The meaning of a code from this member (vendor rows first). For tests and status. */
struct vendor;
enum outcome route_outcome(const struct vendor *vendor, const struct call *call, CK_RV rv);

#endif

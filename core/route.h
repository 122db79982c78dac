/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a member for a call and runs it there; knows what return codes mean. */
#ifndef HSMUX_CORE_ROUTE_H
#define HSMUX_CORE_ROUTE_H

#include "core/call.h"

/* What a member's return code says. The last four are for virtual tokens that are more than
 * passthrough: in a passthrough token what they stand for is the answer. */
enum outcome {
	OUTCOME_DONE,    /* success, or about the request: it is the answer */
	OUTCOME_SESSION, /* this session is worthless: once more on another, if the call may be
			    repeated */
	OUTCOME_SUSPECT, /* about the request or about the token: ask the token */
	OUTCOME_DEAD,    /* the token is gone */
	OUTCOME_HANDLE,  /* a real handle is not valid (any more): look for the object again */
	OUTCOME_AUTH,    /* nobody is logged in there (any more) */
	OUTCOME_BUSY,    /* not now: another member, its breaker untouched */
	OUTCOME_LACKS    /* it cannot do this: a member that can */
};

/* Runs the call on the best member; tries again where that is safe. The member's code is in
 * call.member_rv; the result is for the application but not yet mapped to what the standard lists.
 */
CK_RV route_run(struct call *call);

/* The same for one of the members in `mask` (a bit each) and a call that is for one. `waits`: for
 * one of them to serve, within the retry budget, when none does. */
CK_RV route_one(struct call *call, unsigned mask, bool waits);

/* C_FindObjectsInit: on every member that serves, and what is known to be on others. */
CK_RV route_find(struct call *call);

/* C_DestroyObject and C_SetAttributeValue in a token with several members: wherever the object is,
 * or nowhere. CKR_DEVICE_ERROR when a member that may hold it cannot be reached. */
CK_RV route_change(struct call *call);

/* The meaning of a code from a member of this maker (vendor rows first). */
struct vendor;
enum outcome route_outcome(const struct vendor *vendor, const struct call *call, CK_RV rv);

#endif

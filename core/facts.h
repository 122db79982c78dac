/* SPDX-License-Identifier: BSD-2-Clause */
/* The facts of a call, gathered for the policy. */
#ifndef HSMUX_CORE_FACTS_H
#define HSMUX_CORE_FACTS_H

#include "core/call.h"
#include "policy/describe.h"

/* The facts, and the descriptions that they point to. */
struct gathered {
	struct facts facts;
	struct described object[FACTS_OBJECTS];
};

/* What a call does; ACT_NONE for steps of operations and what no policy speaks of. */
enum policy_act facts_act(const struct call *call);

/* Makes the templates that the call gives a member say each thing once: see attr_normalise(). Its
 * codes. */
CK_RV facts_normalise(struct call *call);

/* Gathers the facts; the objects only when `wants_objects`. The call's templates and mechanism are
 * borrowed. What an object answers when it is not valid (struct call_object), CKR_HOST_MEMORY, or
 * the code of the member that could not be asked. */
CK_RV facts_gather(const struct call *call, enum policy_act act, bool wants_objects,
		   struct gathered *out);

#endif

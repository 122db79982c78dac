/* SPDX-License-Identifier: BSD-2-Clause */
/* What a member's answer means; private to route.c, which has the loop. See route.h for the
 * outcomes. */
#ifndef HSMUX_CORE_OUTCOME_H
#define HSMUX_CORE_OUTCOME_H

#include <stdbool.h>

#include "core/call.h"

/* What a member says of lengths and handles is not believed when it cannot be: `rv`, or
 * CKR_DEVICE_ERROR. `room`: what was in *call->out_len before. */
CK_RV outcome_check(const struct call *call, CK_ULONG room, CK_RV rv);

/* True when the call's templates have templates inside. */
bool outcome_has_nested(const struct call *call);

/* True for calls that judge a ciphertext: the answer is a secret of the key's owner, and who may
 * ask often enough can read messages from it. It is asked of one member only. */
bool outcome_is_oracle(const struct call *call);

/* One code for what members call a bad ciphertext in different ways; others as they are. */
CK_RV outcome_normal(const struct call *call, CK_RV rv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways from one member to another, found by trying. */
#ifndef HSMUX_CORE_CARRY_ROUTE_H
#define HSMUX_CORE_CARRY_ROUTE_H

#include "core/carry.h"

/* The direct way for a kind, remembered or tried now (`again`: in any case) with a throw-away key
 * and sessions of its own. CARRY_NO_WAY: there is none, or it cannot be tried (*is_tried false);
 * `why` says why. CKR_HOST_MEMORY, or a member's code. */
CK_RV carry_route_direct(struct member *from, struct member *to, enum carry_kind kind, bool again,
			 int *way, bool *is_tried, char why[static CARRY_WHY]);

#endif

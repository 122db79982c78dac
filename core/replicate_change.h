/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes and ends of token objects where the virtual token replicates; private to route_all.c. */
#ifndef HSMUX_CORE_REPLICATE_CHANGE_H
#define HSMUX_CORE_REPLICATE_CHANGE_H

#include "core/call.h"

/* C_DestroyObject and C_SetAttributeValue of a token object: on every member that has it; members
 * that are away, or are lost meanwhile, owe it (record.h). `plain` is the way of objects that have
 * no fingerprint, and so are on one member only. Codes of replicate_enter(), CKR_ACTION_PROHIBITED,
 * or what the first member answers. */
CK_RV replicate_change(struct call *call, CK_RV (*plain)(struct call *call));

#endif

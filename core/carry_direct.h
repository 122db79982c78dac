/* SPDX-License-Identifier: BSD-2-Clause */
/* A key carried from one member to another without a third. */
#ifndef HSMUX_CORE_CARRY_DIRECT_H
#define HSMUX_CORE_CARRY_DIRECT_H

#include "core/carry.h"

/* Kind of the key, CARRY_KINDS for one of which no way is remembered. */
enum carry_kind carry_kind_of(const struct identity *id);

/* Makes, proves and reads back the copy by the first way that works, `first` (CARRY_NO_WAY: none)
 * before the others. CKR_OK with *way. CKR_MECHANISM_INVALID when no way was left, with
 * c->is_unable when that was nobody's mood. *is_exhausted: no way is left, and only a third member
 * may help. */
CK_RV carry_direct(struct carry *c, int first, int *way, bool *is_exhausted);

#endif

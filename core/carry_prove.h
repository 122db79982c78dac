/* SPDX-License-Identifier: BSD-2-Clause */
/* That a copy is the key it is taken for. */
#ifndef HSMUX_CORE_CARRY_PROVE_H
#define HSMUX_CORE_CARRY_PROVE_H

#include "core/carry.h"

/* Whether c->made on c->to is what c->id says, by use; and where that says nothing and c->from is
 * not NULL, by what c->real answers to the copy's challenge, or by the same bytes wrapped. Sessions
 * of its own are taken where the members have them. IDENTITY_UNKNOWN: cannot be shown.
 * CKR_HOST_MEMORY or a member's code. */
CK_RV carry_prove(const struct carry *c, enum identity_match *match);

#endif

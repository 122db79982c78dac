/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps of inventory_read(), in their order. Only for inventory*.c. */
#ifndef HSMUX_CORE_INVENTORY_PART_H
#define HSMUX_CORE_INVENTORY_PART_H

#include "core/blueprint.h"
#include "core/inventory.h"

/* Whether a member can be asked. */
bool inventory_may_ask(const struct member *m);

/* Borrows a session of the member. As pool_take(). */
CK_RV inventory_take(struct member *m, struct member_session **ms);

/* The member failed: what was read of it does not count. */
void inventory_fail(struct inventory *inv, unsigned member, const char *what, CK_RV rv);

/* Reads the members' objects and records. CKR_HOST_MEMORY. */
CK_RV inventory_collect(struct inventory *inv, const struct inventory_how *how);

/* Finds out which instances are the same, and makes the logical objects. CKR_HOST_MEMORY. */
CK_RV inventory_match(struct inventory *inv);

/* Compares attributes, looks at names and records, and says what is the matter with each.
 * CKR_HOST_MEMORY. */
CK_RV inventory_judge(struct inventory *inv, const struct inventory_how *how);

/* Fills in type and use. */
void inventory_describe(struct logical *l, const struct blueprint *b);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the same content: copies of a key, and what was imported or unwrapped twice. A record
 * (record.h) is found by the content, so that they have one together; private to replicate*.c.
 *
 * So that none is loosened by another one, nor loses what was kept beside it when the other one
 * ends, the record says of all of them what is stricter, keeps the name of the first, and stays
 * when that one ends. One that is not to leave beside one that may is made so on the members. */
#ifndef HSMUX_CORE_REPLICATE_TWIN_H
#define HSMUX_CORE_REPLICATE_TWIN_H

#include "core/call.h"
#include "core/group.h"
#include "core/intent.h"
#include "core/identity.h"
#include "core/pool.h"
#include "core/record.h"

/* Whether the record of another object would let the new one out: `real` on the member of `from`,
 * made by `call`. Nobody has the content of keys that are generated, yet. A member's code. */
CK_RV twin_is_open(const struct call *call, const struct member_session *from,
		   CK_OBJECT_HANDLE real, const struct identity *id, bool *is_open);

/* The record `r` of a new object, which has no name yet and will have `label`, says what that of
 * another one says, too, and has its name. `debt`: what it cannot say then, or what the one that it
 * replaces says of an object that was destroyed; owed by nobody: nothing. A member's code. */
CK_RV twin_join(struct group *g, struct record *r, const CK_ATTRIBUTE *label, struct record *debt);

/* The object is known by the print of `r` from now on. *has_other: there is a record of another
 * one, which is for this one, too, now; else `r` may be written. A member's code. */
CK_RV twin_move(struct group *g, struct intents *lock, struct record *r, bool *has_other);

#endif

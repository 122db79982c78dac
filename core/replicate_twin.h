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
#include "core/identity.h"
#include "core/pool.h"
#include "core/record.h"

/* Whether the record of another object would let the new one out: `real` on the member of `from`,
 * made by `call`. Nobody has the content of keys that are generated, yet. A member's code. */
CK_RV twin_is_open(const struct call *call, const struct member_session *from,
		   CK_OBJECT_HANDLE real, const struct identity *id, bool *is_open);

/* The record `r` of a new object, which has no name yet, says what that of another one says, too,
 * and has its name, unless members owe the new one. A member's code. */
CK_RV twin_join(struct group *g, struct record *r);

/* The members' record of this content, which is another object's, is for `r`, too. A member's code.
 */
CK_RV twin_share(struct group *g, const struct record *r);

/* Whether the members' record of this content is about another object than `r`. A member's code. */
CK_RV twin_has_record(struct group *g, const struct record *r, bool *has);

#endif

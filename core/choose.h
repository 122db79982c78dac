/* SPDX-License-Identifier: BSD-2-Clause */
/* Which member a call goes to. */
#ifndef HSMUX_CORE_CHOOSE_H
#define HSMUX_CORE_CHOOSE_H

#include "core/call.h"
#include "core/member.h"

/* The best of the members in `mask` (bit i: member i) that may serve now, or NULL. Active members
 * before standby before fallback, which never make anything; then as the mode says: priority; load
 * or turn; priority among those that offer the mechanism. */
struct member *choose_member(const struct call *call, unsigned mask);

/* Members that could do the call at all, serving or not: those that have its objects. 0: an object
 * of the call is not valid any more. */
unsigned choose_able(const struct call *call);

/* Those of the mask that may serve now. */
unsigned choose_serving(const struct call *call, unsigned mask);

/* Tells the balance that a call or an operation has come to a member, and that it has left it: an
 * operation counts from its Init to its end, because its work is still to come. */
void choose_began(struct member *member);
void choose_ended(struct member *member);

/* Tells the balance how long a call took, in microseconds. */
void choose_took(struct member *member, long long us);

#endif

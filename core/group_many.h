/* SPDX-License-Identifier: BSD-2-Clause */
/* What a virtual token over several members is: the sum of what was read of them last. For every
 * mode but passthrough. None of it waits for a member that is gone. */
#ifndef HSMUX_CORE_GROUP_MANY_H
#define HSMUX_CORE_GROUP_MANY_H

#include <stdbool.h>

#include "core/group.h"

/* See group_present(). */
bool group_many_present(struct group *g);

/* Flags and versions over the members that were ever reached; the other fields of `info` are
 * zeroes. False when none was. */
bool group_many_slot_info(struct group *g, CK_SLOT_INFO *info);

/* Flags, PIN lengths, memory and versions over the members that were ever reached; the rest is the
 * first one's. False when none was. */
bool group_many_token_info(struct group *g, CK_TOKEN_INFO *info);

/* The mechanisms that the mode makes of the members' lists, in the order of the first one's; the
 * caller frees. NULL with *count 0 when there are none or memory is out. */
struct member_mech *group_many_mechanisms(struct group *g, CK_ULONG *count);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* One look at the members: what the thread does, and calls where there is none. Only for health.c.
 */
#ifndef HSMUX_CORE_HEALTH_LOOK_H
#define HSMUX_CORE_HEALTH_LOOK_H

#include <stdbool.h>

#include "core/assembly.h"
#include "core/member.h"

/* The longest pause between looks, and the one while something is doubtful or waited for. */
#define LOOK_MS      250
#define LOOK_SOON_MS 50

/* Looks at a member of a token with several: brings it back when it is down and due, probes it when
 * it serves and there is reason to. Nothing happens while somebody is inside its library. True when
 * it was brought back, or tried in vain: it took its time. */
bool look_member(struct member *member, bool is_thread);

/* What costs no call of a member: who is drained, what other processes found out, and what they are
 * told. Nothing happens while another thread does it. */
void look_chores(const struct assembly *a);

/* How long the member need not be looked at; may be negative. */
long long look_rest(const struct member *member);

/* In a forked child: the lock may be held by a thread that does not exist. */
void look_forget_parent(void);

#endif

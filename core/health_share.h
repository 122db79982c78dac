/* SPDX-License-Identifier: BSD-2-Clause */
/* Health across processes: what this one tells others of its members, and what it believes of what
 * they say. Only for the files of health and of members; without a state file all of it does
 * nothing. */
#ifndef HSMUX_CORE_HEALTH_SHARE_H
#define HSMUX_CORE_HEALTH_SHARE_H

#include <stdbool.h>

#include "core/assembly.h"
#include "core/member.h"

/* Opens the state file, believes what others found out about members that are down, and reads who
 * is drained. Where it cannot be opened: one line in the log. */
void share_open(const struct assembly *a);

/* Closes it. `is_forked`: it is the parent's. */
void share_close(bool is_forked);

/* Tells the others whether a member serves or is down. Its library's lock is held. */
void share_tell(struct member *member);

/* What others found out since this was asked last. */
enum share_hint { SHARE_NOTHING, SHARE_IS_DOWN, SHARE_IS_BACK };
enum share_hint share_hint(struct member *member);

/* Reads anew who is drained, when the list has changed. */
void share_drained(const struct assembly *a);

/* Publishes what this process does with its members: at most every second, at least every ten, and
 * in between when it did something. */
void share_publish(const struct assembly *a);

#endif

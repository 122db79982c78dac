/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a member whether it is alive, on a session of our own and with a key of our own. */
#ifndef HSMUX_CORE_PROBE_H
#define HSMUX_CORE_PROBE_H

#include "core/member.h"

/* Label of the canary: a public token object, a generic secret of a published value, that hsmux
 * makes on each member of a virtual token with several. It protects nothing; it is there to be
 * found and used. */
#define PROBE_CANARY_LABEL "hsmux-canary"

/* Bits of member.has_canary: in which state of login the canary was found. */
enum { PROBE_SEEN_PUBLIC = 1, PROBE_SEEN_USER = 2 };

enum probe_answer {
	PROBE_GOOD,
	PROBE_DOUBTFUL, /* the canary failed with a code that may pass */
	PROBE_DEAD
};

/* Asks a member that is up: its information, a session, random bytes; where members can take each
 * other's place also the canary, which is made when it is missing. Why the answer is not good is in
 * member->reason. The lock of its library is held. Never a PIN, never an application's key. */
enum probe_answer probe_member(struct member *member);

#endif

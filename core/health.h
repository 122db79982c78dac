/* SPDX-License-Identifier: BSD-2-Clause */
/* Health: who may serve, and how a lost member comes back.
 *
 * A breaker per member: closed (member.serves), open (down, not tried before next_try_ms),
 * half-open (up again, being checked). Members of a passthrough token have none: a call reaches for
 * them.
 *
 * One thread looks after all members of the process, where the application allows threads; so a
 * call never waits for the probe of a member that is lost. Without a thread the call that needs a
 * member probes one that is due. */
#ifndef HSMUX_CORE_HEALTH_H
#define HSMUX_CORE_HEALTH_H

#include <stdbool.h>

#include "core/assembly.h"
#include "core/group.h"
#include "core/member.h"

/* Begins to look after the virtual tokens with more than one mode than passthrough; reads first
 * what other processes know of their members (core/state.h). Called by C_Initialize, before members
 * are reached. `may_thread`: the application allows threads. */
void health_start(struct assembly *a, bool may_thread);

/* Members were reached for the first time: from now on somebody looks after them. */
void health_watch(void);

/* C_Finalize has begun: who waits for a member gives up, and nobody is brought back any more. */
void health_ending(void);

/* Ends it; waits up to `wait_ms` for the thread. False when it did not come back from a member's
 * code in time: what it looks at must then stay. */
bool health_stop(long long wait_ms);

/* In a forked child: the thread does not exist here. False when it was at work at that moment: what
 * it looks at may be half changed, and locked for ever. */
bool health_forget_parent(void);

/* Whether a thread looks after the members: false also while it does not come back from a member's
 * code. */
bool health_has_thread(void);

/* Keeps the thread away from all members until health_release(): what is done with one meanwhile
 * would look to it like a failure. Waits up to `wait_ms` for it; false when it did not come back
 * from a member's code. No lock is held. */
bool health_hold(long long wait_ms);
void health_release(void);

/* Looks at the members soon: one was lost, or the list of drained members may have changed. */
void health_wake(void);

/* Where no thread does it: looks at the members, at most every 250 ms, and brings back one that is
 * due. Costs next to nothing else. No lock that comes behind a session's is held. */
void health_tick(void);

/* None of these members of the group (bit i: member i) may serve: waits until one does or the time
 * (clock_ms) is over; without a thread it probes whoever is due itself. True when one may. */
bool health_wait(struct group *group, unsigned mask, long long deadline_ms);

/* Brings a member that is down back, if it can be: starts its library, probes it, logs in, proves
 * the keys that are in use, and lets it serve. True when it serves. Called by the thread, by
 * C_Initialize for every member, and by calls where there is no thread. */
bool health_bring_back(struct member *member);

/* A member answered a call with something suspicious: true when it is alive (it answers a probe, so
 * that the request was at fault); false when that took it out or is doubtful (`health.failures`
 * such answers in a row take it out), so that the call is better sent elsewhere. Really asks at
 * most every 20 ms. */
bool health_ask(struct member *member);

#endif

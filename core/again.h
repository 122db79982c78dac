/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether, and where, a call is sent again; private to route.c, which has the loop. */
#ifndef HSMUX_CORE_AGAIN_H
#define HSMUX_CORE_AGAIN_H

#include "core/call.h"
#include "core/member.h"
#include "core/route.h"

/* A call on its way: which members are left, what was tried, what was heard. */
struct trip {
	unsigned lacking;       /* members that cannot do it */
	unsigned failed;        /* members that failed; tried again after a wait */
	unsigned *failed_epoch; /* in which epoch each of them did; room for CONFIG_MAX_MEMBERS */
	unsigned blamed;        /* of them those that failed with a code that judges no request */
	CK_RV blamed_rv;        /* the last such code */
	unsigned busy;          /* of them those that only had no time */
	unsigned reopened;      /* members whose session was replaced */
	long long deadline_ms;  /* clock_ms when the budget is over; 0: nothing failed yet */
	CK_RV verdict;          /* the first answer that may be about the request; CKR_OK: none */
	struct member *same;    /* is to be asked once more */
	bool is_fresh;          /* the member was asked after it had answered */
	bool is_confirmed;      /* a verdict was asked for twice */
	bool is_desperate;      /* nobody who serves could do it: waits for those that do not */
	bool is_refound;        /* an object was looked for again */
	bool is_relogged;       /* somebody logged in again */
	bool is_patient;        /* waits for a session, nobody has one */
	bool waits;             /* for a member that is away, within the budget */
	unsigned before;        /* the call's sends before the last attempt */
	unsigned turns;
	unsigned rounds; /* how often everybody failed */
};

/* The bit of a member in a mask. */
static inline unsigned again_bit(const struct member *m)
{
	return 1U << m->index;
}

/* Members of the mask that may still be asked. */
static inline unsigned again_left(const struct trip *t, unsigned mask)
{
	return mask & ~t->lacking & ~t->failed;
}

/* A member that came back since it failed may be asked again. */
void again_forgive(const struct group *group, struct trip *trip);

/* `done` did the call: tells the breakers of those that failed at it. */
void again_settle(struct trip *trip, const struct member *done);

/* Nobody else is left, and one that serves had no time: waits a moment. False when the budget is
 * over. */
bool again_busy(const struct call *call, struct trip *trip, unsigned mask);

/* Everybody who serves failed, and nobody came back: true when they may be asked once more. */
bool again_all_over(const struct call *call, struct trip *trip, unsigned mask);

/* True when sending the call once more can do no harm: nothing was made, nothing of it lives on a
 * session that is lost, and it was not sent too often already. */
bool again_is_safe(const struct call *call);

/* After an answer of call->member that is not simply the answer (any outcome but OUTCOME_DONE):
 * true when somebody else of `mask`, or the same member (trip.same), is to be asked; else *rv is
 * what the application gets. Tells the breaker what was heard. */
bool again(struct call *call, struct trip *trip, unsigned mask, enum outcome outcome, CK_RV *rv);

/* Whether call->member forgot who is logged in; it is then renewed (member_renew), or another call
 * has done that. */
bool again_forgot_login(const struct call *call);

#endif

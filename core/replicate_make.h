/* SPDX-License-Identifier: BSD-2-Clause */
/* New token objects of a virtual token that replicates; private to pending.c and replicate.c.
 *
 * pending.c makes the object on one member, under a tag; what is done between that and its name is
 * here: copies, proofs, locks, the decision in the journal, the names. */
#ifndef HSMUX_CORE_REPLICATE_MAKE_H
#define HSMUX_CORE_REPLICATE_MAKE_H

#include <stdbool.h>

#include "core/call.h"
#include "core/intent.h"
#include "core/pool.h"
#include "core/replicate.h"

/* What the application asked for that members are not told, of one of the two templates. */
struct sharing_wish {
	CK_OBJECT_CLASS class;
	bool is_key;          /* a private or secret key */
	bool may_export;      /* extractable, and not by trusted keys only */
	bool is_trusted_only; /* is to be made wrappable by the KEK alone, where that is known */
	bool is_locked;       /* is to be made unextractable on its members when it is copied */
	bool is_fixed;        /* CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE false */
	bool is_single;
	bool is_lasting;
};

/* A creation. Zeroed before sharing_begin(). */
struct sharing {
	struct intents *lock; /* owned; NULL: nothing is shared */
	struct call *call;    /* borrowed */
	const bool *is_token; /* borrowed; for each template */
	CK_ATTRIBUTE *asked[2];
	CK_ULONG asked_count[2];
	CK_ATTRIBUTE *tmpl[2]; /* what members are told; owned, the values are not */
	struct sharing_wish wish[2];
	CK_BBOOL yes, no;                             /* values */
	unsigned holders;                             /* out: members that have it, a bit each */
	CK_OBJECT_HANDLE real[CONFIG_MAX_MEMBERS][2]; /* out: there, as call.made */
	unsigned epoch[CONFIG_MAX_MEMBERS];
	unsigned tried; /* members on which it was tried to be made */
	bool is_over;   /* out: it was refused for good: not worth another try */
	bool is_undone; /* what was made was destroyed, or stands in the journal */
	char why[320];  /* why the rule could not be met in the last try, if that was it */
};

/* Enters (replicate_enter) and puts templates into the call that can be copied. Its codes;
 * CKR_MECHANISM_INVALID for what cannot be replicated; CKR_HOST_MEMORY. sharing_end() in any case.
 */
CK_RV sharing_begin(struct sharing *s, struct call *call, const bool is_token[2]);

/* Chooses the member that makes it in this try (call->only). *is_trusted: its KEK is.
 * CKR_DEVICE_ERROR when nobody serves who could; a member's code. */
CK_RV sharing_aim(struct sharing *s, bool *is_trusted);

/* Writes down that something is made under `tag` from now on. False: it must not be. */
bool sharing_intend(struct sharing *s, const char *tag);

/* Nothing is there under `tag`, or what is left is on members in `where`; but for what
 * sharing_share() has undone itself. */
void sharing_withdraw(struct sharing *s, const char *tag, unsigned where);

/* call->made is there on the member of `ms`, under the tag: copies it, as the rule says, decides,
 * and gives all copies their names. CKR_OK, or nothing is left, or what is left is in the journal.
 * `ms` is in doubt after a failure. */
CK_RV sharing_share(struct sharing *s, struct member_session *ms, const char *tag,
		    const CK_ATTRIBUTE label[2]);

/* The creation failed for good: logs why the rule could not be met. */
void sharing_tell(const struct sharing *s);

/* The application has its handles: tells the table of objects where the copies are. Before that the
 * call's `made` names a copy that is still good, when the first one is lost. */
void sharing_choose(struct sharing *s);
void sharing_note(struct sharing *s, CK_OBJECT_HANDLE *const app[2]);

/* The call has its own templates again; gives the lock back. */
void sharing_end(struct sharing *s);

/* Gives what was decided to be made its names, on the members that owe them. */
void replicate_finish(struct group *g, struct intents *lock, const struct intent *in);

/* Says that a journal's entry cannot be read. */
void replicate_unreadable(const struct group *g, const char *tag);

/* Destroys what carries the tag on the members of `where`; those where that cannot be done now are
 * returned, and stay in the journal. */
unsigned replicate_undo(struct group *g, struct intents *lock, const char *tag, unsigned where);

#endif

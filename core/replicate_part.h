/* SPDX-License-Identifier: BSD-2-Clause */
/* What changes and ends of token objects share. Only for replicate_change.c, replicate_end.c and
 * replicate_set.c; the write lock is held in all of it. */
#ifndef HSMUX_CORE_REPLICATE_PART_H
#define HSMUX_CORE_REPLICATE_PART_H

#include "core/call.h"
#include "core/intent.h"
#include "core/record.h"

/* One change on its way. */
struct change {
	struct call *call;
	struct intents *lock; /* borrowed */
	char tag[MEMBER_TAG_ROOM];
	struct record r; /* what the object is, and its record as it was */
	bool had_record; /* there is one */
	bool has_print;
	unsigned mask;      /* members that have the object, or may have it */
	unsigned owing;     /* members that missed something of it before: they do not count */
	struct buf older;   /* tags of what the journal knows of that */
	bool is_twin;       /* the record of this content is another object's ... */
	struct record twin; /* ... this one */
	struct record next; /* what is told by its content: what it will be; else empty */
};

/* Whether it is another object after the change: its content is what tells it. */
bool change_is_content(const struct change *ch);

/* Writes down what is going to be done, and that `owed` owe it. CKR_HOST_MEMORY, CKR_DEVICE_ERROR.
 */
CK_RV change_begin(struct change *ch, enum intent_kind kind, unsigned owed);

/* It is decided, and the records say what is left to do. As above. */
CK_RV change_commit(struct change *ch);

/* Nothing was done. Returns rv. */
CK_RV change_call_off(struct change *ch, CK_RV rv);

/* It was done but by those who owe it. `has_news`: the records go to the members, or away; the
 * journal keeps it until as many members know as the rule names. */
void change_end(struct change *ch, bool has_news);

/* Whether the member that was asked refuses: what it was asked for is not done there. */
bool change_is_refused(const struct call *c, CK_RV rv);

/* Whether member `m`, which answered `rv`, does not have the object: it was alive and logged in
 * when it said so, in the life `epoch`. */
bool change_is_absent(const struct call *c, struct member *m, unsigned epoch, CK_RV rv);

/* What an object, of which a member that has it shows the attributes, is: fills in the record's
 * print, kind and name. *has_print false: nothing tells it. A member's code. */
CK_RV change_describe(struct change *ch, struct member_session *ms, struct record *r,
		      bool *has_print);

/* C_DestroyObject and C_SetAttributeValue of what was described. */
CK_RV change_destroy(struct change *ch);
CK_RV change_set(struct change *ch);

#endif

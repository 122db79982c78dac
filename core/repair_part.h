/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sources of repairs share. Only for repair*.c. */
#ifndef HSMUX_CORE_REPAIR_PART_H
#define HSMUX_CORE_REPAIR_PART_H

#include "core/repair.h"

/* Objects on their way to several members. */
struct repair_copying {
	struct repair *r;
	struct repair_order *order;
	char tag[MEMBER_TAG_ROOM]; /* empty: they have their names at once */
	struct {
		CK_OBJECT_HANDLE real;
		unsigned epoch;
	} copy[2][CONFIG_MAX_MEMBERS]; /* where they are made */
};

/* How long a session of a busy member is waited for. */
#define REPAIR_WAIT_MS 5000

/* Whether it is a private or secret key. */
bool repair_is_key(const struct identity *id);

/* Puts "member NAME: " and the text into r->why; the second with the name of a code. */
void repair_say(struct repair *r, const struct member *m, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void repair_say_code(struct repair *r, const struct member *m, const char *what, CK_RV rv);

/* Borrows a session; the second one of the epoch in which the handle of `in` is valid. NULL in *ms
 * on failure, of which r->why tells. As pool_take(). */
CK_RV repair_take(struct repair *r, struct member *m, struct member_session **ms);
CK_RV repair_take_for(struct repair *r, const struct instance *in, struct member *m,
		      struct member_session **ms);

/* Gives it back, or drops it. NULL is allowed. */
void repair_give(struct member_session *ms, bool is_good);

/* The value of a boolean attribute; NULL when it is not stated. */
const CK_BBOOL *repair_truth(const struct blueprint *b, CK_ATTRIBUTE_TYPE type);

/* Whether a boolean attribute is stated, and false. */
bool repair_is_false(const struct blueprint *b, CK_ATTRIBUTE_TYPE type);

/* The copy of from[k] on member i, which is there; its id is borrowed from the original. */
struct instance repair_made(const struct repair_copying *c, unsigned k, unsigned i);

/* Makes a new tag and writes it to the journal. CKR_FUNCTION_FAILED, and r->why. */
CK_RV repair_intend(struct repair_copying *c, unsigned owed);

/* Destroys what carries the tag on the members of `where`; returns those where that cannot be done.
 */
unsigned repair_undo(struct repair_copying *c, const char *tag, unsigned where);

/* There are enough copies, under the tag, on the holders of the order: makes an end of it. On
 * failure nobody is a holder, and nothing is left, or what is left is in the journal; but when it
 * was decided, the holders are those that have the names. */
CK_RV repair_finish(struct repair_copying *c);

/* C_SetAttributeValue of one attribute. The member's code. */
CK_RV repair_set(struct member_session *ms, CK_OBJECT_HANDLE real, const CK_ATTRIBUTE *a);

/* Looks for the record's object on a member: by its name, then among all of its kind, because the
 * name may have been changed. `reach`: bit i: member i can be asked. The caller frees in->id when
 * it was found. The member's code, of which r->why tells. */
CK_RV repair_find(struct repair *r, unsigned reach, struct member *m, const struct record *rec,
		  struct instance *in, bool *found);

/* The same for one that is to be as the holder's: it may have that name already. */
CK_RV repair_find_like(struct repair *r, unsigned reach, struct member *m, const struct record *rec,
		       const struct identity *holder, struct instance *in, bool *found);

/* Somebody who has it as it should be: who does not owe it. What was destroyed is there again only
 * under its name: another one of the same content may have been beside it all the time. */
CK_RV repair_find_holder(struct repair *r, unsigned reach, const struct record *rec,
			 struct instance *in, bool *found);

#endif

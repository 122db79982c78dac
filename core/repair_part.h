/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sources of repairs share. Only for repair*.c. */
#ifndef HSMUX_CORE_REPAIR_PART_H
#define HSMUX_CORE_REPAIR_PART_H

#include "core/repair.h"

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

/* C_SetAttributeValue of one attribute. The member's code. */
CK_RV repair_set(struct member_session *ms, CK_OBJECT_HANDLE real, const CK_ATTRIBUTE *a);

/* Looks for the record's object on a member: by its name, then among all of its kind, because the
 * name may have been changed. `reach`: bit i: member i can be asked. The caller frees in->id when
 * it was found. The member's code, of which r->why tells. */
CK_RV repair_find(struct repair *r, unsigned reach, struct member *m, const struct record *rec,
		  struct instance *in, bool *found);

/* Somebody who has it as it should be: who does not owe it. What was destroyed is there again only
 * under its name: another one of the same content may have been beside it all the time. */
CK_RV repair_find_holder(struct repair *r, unsigned reach, const struct record *rec,
			 struct instance *in, bool *found);

#endif

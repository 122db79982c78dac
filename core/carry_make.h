/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy on the target: made of a template that the target takes, mended, judged, destroyed. */
#ifndef HSMUX_CORE_CARRY_MAKE_H
#define HSMUX_CORE_CARRY_MAKE_H

#include "core/carry.h"

/* Words for c->why. */
void carry_say(struct carry *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, and that it will always be so: CKR_MECHANISM_INVALID. */
CK_RV carry_cannot(struct carry *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whether a code of the member says that it does not do this, so that another way may be tried. */
bool carry_refuses(struct member_session *ms, CK_RV rv);

/* Makes an object of the template. */
typedef CK_RV carry_making(void *context, CK_ATTRIBUTE *tmpl, CK_ULONG count,
			   CK_OBJECT_HANDLE *made);

/* Lets `make` make the copy, into c->made, of what c->as states; of less where the target refuses
 * attributes. Its last code. */
CK_RV carry_make(struct carry *c, carry_making *make, void *context);

/* Changes what is not as stated on the copy, as far as can be. CKA_EXTRACTABLE is left for the end:
 * a key that cannot be wrapped any more may not be provable. */
CK_RV carry_mend(struct carry *c);

/* The same for all, then judges. CKR_OK when the copy is what c->as says, but for what the target
 * does not know and that does no harm; CKR_KEY_SIZE_RANGE when it is longer or shorter;
 * carry_cannot() when it is otherwise not. */
CK_RV carry_finish(struct carry *c);

/* Destroys the copy; c->made is then 0. The member's code. */
CK_RV carry_discard(struct carry *c);

#endif

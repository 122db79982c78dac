/* SPDX-License-Identifier: BSD-2-Clause */
/* New objects, on their way from the member where they were made to the others; private to
 * replicate_make.c. */
#ifndef HSMUX_CORE_REPLICATE_COPY_H
#define HSMUX_CORE_REPLICATE_COPY_H

#include "core/blueprint.h"
#include "core/carry.h"
#include "core/replicate_make.h"

/* One object. */
struct copied {
	bool is_there;  /* it is a token object, and was made */
	bool is_closed; /* where it was made it cannot be wrapped */
	CK_OBJECT_HANDLE real;
	struct identity id;
	struct blueprint
		as; /* what copies have to be, but for what differs from member to member */
};

/* Set sharing and from, the rest zero. */
struct copying {
	struct sharing *sharing;     /* borrowed */
	struct member_session *from; /* borrowed; where they were made */
	struct copied object[2];
	struct member_session
		*at[CONFIG_MAX_MEMBERS]; /* sessions on the members that have copies */
	unsigned unable;                 /* members that cannot have it, for want of a way */
	bool is_unable;                  /* the last failure was that */
	bool is_source_good;             /* `from` may still be used */
	char why[CARRY_WHY];             /* of the last failure */
};

/* Whether keys on the member of `ms` can be made wrappable by the KEK alone. The member's code. */
CK_RV copying_is_trusted(struct member_session *ms, bool *is_trusted);

/* Reads what was made. The member's code. */
CK_RV copying_begin(struct copying *c);

/* Makes, proves and reads back the copies on one member; sharing->real and epoch say where they
 * are. On failure what was made there is destroyed, as far as can be. */
CK_RV copy_to(struct copying *c, struct member *m);

/* Makes keys that are to be locked unextractable, on all members that have them, and looks whether
 * they are. */
CK_RV copying_lock(struct copying *c);

/* The text for the journal: names, and records that are needed (`owed`: members that miss it). */
CK_RV copying_body(const struct copying *c, const CK_ATTRIBUTE label[2], unsigned owed,
		   struct buf *body);

/* Gives the sessions back. */
void copying_end(struct copying *c);

#endif

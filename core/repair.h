/* SPDX-License-Identifier: BSD-2-Clause */
/* Repairs of single objects: a missing copy is made, attributes are set, a copy that has to go is
 * destroyed. Used by `hsmux key sync`, and for members that come back.
 *
 * Whoever calls holds the write lock of the virtual token (intent.h). Nothing is destroyed that has
 * not shown, now, that it is what is meant; nothing is ever overwritten. Each step that was not
 * finished leaves the token as it was, or under a pending tag that the journal knows. */
#ifndef HSMUX_CORE_REPAIR_H
#define HSMUX_CORE_REPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/blueprint.h"
#include "core/carry.h"
#include "core/group.h"
#include "core/intent.h"
#include "core/inventory.h"
#include "core/record.h"

/* A repair; set group and lock, the rest zero. */
struct repair {
	struct group *group;
	struct intents *lock; /* borrowed */
	bool is_unable; /* out: it can never be done, as things are: no way, no KEK, ID taken */
	char why[CARRY_WHY]; /* out: why not, in words */
};

/* What an object is to be: as `first` says, but stricter where another of `others` (`count`, NULLs
 * allowed) is: sensitive, not extractable, wrappable by trusted keys only (stated only
 * where the KEK is trusted). CKR_HOST_MEMORY or a
 * member's code. */
CK_RV repair_blueprint(struct repair *r, const struct instance *first,
		       struct instance *const *others, size_t count, struct blueprint *out);

/* Makes a copy of `from`, which is on the member `source`, of this virtual token or of another, on
 * the member `to`: under a tag, proven, then with the name that `as` says. `may_export`: the
 * application made it extractable; else it is locked where the token locks keys. CKR_OK; else
 * nothing is left, or what is left is in the journal. */
CK_RV repair_copy(struct repair *r, struct member *source, const struct instance *from,
		  const struct blueprint *as, bool may_export, struct member *to);

/* An object, or both halves of a pair, for several members at once. */
struct repair_order {
	struct member *source; /* where the original is; of this virtual token or another */
	const struct instance *from[2];
	const struct blueprint *as[2]; /* what the copies are to be, name included */
	bool may_export;               /* the application made it extractable */
	bool locks;                    /* the copies are made unextractable before they are named */
	unsigned targets;              /* bit i: a copy on member i */
	unsigned needs;                /* so many at the least; else there is none */
	unsigned holders;              /* out: members that have one */
};

/* Makes the copies, under a tag, proven, then, when that is decided, with their names. CKR_OK when
 * there are enough: `why` may then say why one is missing. Else nothing is left, or the journal has
 * what is to be undone, or to be named. */
CK_RV repair_spread(struct repair *r, struct repair_order *order);

/* Sets what differs from the blueprint on `in`, and looks whether it is done. What would make the
 * object weaker than it is (CKA_EXTRACTABLE true and the like) is not even tried. */
CK_RV repair_attributes(struct repair *r, const struct instance *in, const struct blueprint *as);

/* Destroys `in` after it has shown by use that it is the object of this print.
 * CKR_ACTION_PROHIBITED when it does not show that, or the member refuses. */
CK_RV repair_destroy(struct repair *r, const struct instance *in,
		     const uint8_t print[static FINGERPRINT_LEN]);

/* A copy that is missing on a member, as the inventory says. */
CK_RV repair_missing(struct repair *r, const struct logical *l, struct member *to);

/* Where keys are locked: makes the holders that copies were made of unextractable, too. To be
 * called when it is on all members. Nothing is done to what the application made extractable. */
CK_RV repair_lock(struct repair *r, const struct logical *l);

/* Attributes that differ between the holders. */
CK_RV repair_drift(struct repair *r, const struct logical *l);

/* The fingerprint of an instance. CKR_KEY_FUNCTION_NOT_PERMITTED when it has none. */
CK_RV repair_print(struct repair *r, const struct instance *in,
		   uint8_t print[static FINGERPRINT_LEN]);

/* Writes a record on the members of `where` (bit i: member i), or takes it away there when it is
 * over and `reach`, the members that can be asked, are all: one that is away would bring an old one
 * back. Members that refuse to keep records are left out, as long as one of `reach` has it. */
CK_RV repair_record(struct repair *r, const struct record *rec, unsigned where, unsigned reach);

/* Carries out what a record says is owed, as far as members that can be reached allow, and writes
 * the record as it is then: for records of the journal. *left: who owes it still. CKR_OK, or the
 * first code with `why` in words. */
CK_RV repair_carry_out(struct group *g, const struct record *rec, struct intents *lock,
		       unsigned *left, char *why, size_t why_len);

/* Whether one of the members of `where` has the record's object. CKR_DEVICE_ERROR when none of them
 * can be reached, or a member's code. */
CK_RV repair_has(struct group *g, struct intents *lock, const struct record *rec, unsigned where,
		 bool *has);

/* A member comes back, is up, logged in as the token is, and does not serve yet: whatever records
 * say that it missed is done there, and what it knows that others missed is done on them. Copies
 * that nobody can make are left owed, and logged. CKR_OK, or the first code with `why` in words:
 * the member must not serve then. */
CK_RV repair_owed(struct group *g, struct member *m, struct intents *lock, char *why,
		  size_t why_len);

#endif

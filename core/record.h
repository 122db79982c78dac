/* SPDX-License-Identifier: BSD-2-Clause */
/* What hsmux keeps beside an object: a data object on the members, found by the object's
 * fingerprint. Most objects need none. It is there for
 *
 *   destroyed   the object was destroyed while a member was away: it must not come back with it
 *   owed        members that missed something: the object, a change of it, its destruction
 *   retired     a key that was rotated: no new signatures, encryptions, wrapped or derived keys
 *   attributes  that some members cannot keep, and hsmux enforces
 *   moved       the record of a key that is found by another fingerprint since
 *   notes       of the operator: purpose, owner, dates, what was before and after it
 *
 * Private data objects where the member takes them, so that nobody writes one without the PIN; none
 * on members that take no data objects at all (record_is_kept()). A
 * record never lets anybody do more than the object itself says, but for `may_export`, which says
 * that the application made the key extractable. */
#ifndef HSMUX_CORE_RECORD_H
#define HSMUX_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"
#include "core/fingerprint.h"
#include "core/group.h"
#include "core/identity.h"
#include "core/pool.h"

/* Labels of records: this and the first 24 digits of the fingerprint. */
#define RECORD_PREFIX "hsmux-k-"

/* Bytes of a note at the most. */
#define RECORD_NOTE_MAX 256

enum record_state {
	RECORD_LIVE,
	RECORD_RETIRED,
	RECORD_DESTROYED,
	RECORD_MOVED /* of no object any more: the key that it was about is told otherwise now */
};

/* Notes of the operator; names as in the record's text and in `hsmux key annotate`. */
enum record_note {
	RECORD_PURPOSE,
	RECORD_OWNER,
	RECORD_CREATED,  /* RFC 3339, UTC */
	RECORD_EXPIRES,  /* the same */
	RECORD_PREVIOUS, /* fingerprint of the key that this one follows, hexadecimal */
	RECORD_NEXT,
	RECORD_CEREMONY,
	RECORD_NOTES
};

/* One record. Zeroed is a valid empty one. */
struct record {
	uint8_t print[FINGERPRINT_LEN];
	uint8_t also[FINGERPRINT_WAYS][FINGERPRINT_LEN]; /* others that the object has or had, while
							    members may know it by them */
	size_t also_count;
	unsigned long version; /* rises with each writing; of two the higher one counts */
	enum record_state state;
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE key_type; /* CK_UNAVAILABLE_INFORMATION when it is no key */
	struct buf id;        /* CKA_ID and CKA_LABEL when it was written: where to look */
	struct buf label;
	bool is_public;           /* the object is not private: nor is the record */
	bool may_export;          /* CKA_EXTRACTABLE is shown, and honoured */
	bool is_fixed;            /* CKA_MODIFIABLE false */
	bool is_single;           /* CKA_COPYABLE false */
	bool is_lasting;          /* CKA_DESTROYABLE false */
	bool is_shared;           /* other objects of this content need it when this one ends */
	unsigned owed;            /* bit i: member i of the group has to be brought in line */
	char *note[RECORD_NOTES]; /* owned; NULL: none */
	bool is_guarded;   /* out: it was read from a private data object, so that whoever wrote it
			      knew the PIN, or from this user's journal; not in the text */
	bool is_unwritten; /* the members have one of another object of the same content: this one
			      is in the journal only */
};

/* Whether a record has a say about an object. What is written without a login may be anybody's: it
 * says nothing about objects that are seen with one only. */
static inline bool record_is_believed(const struct record *r, bool object_is_private)
{
	return r->is_guarded || (r->is_public && !object_is_private);
}

/* Whether of two records of one print this one counts: a guarded one before others, then the newer.
 */
bool record_is_before(const struct record *a, const struct record *b);

/* Name of a note ("purpose"). Static. */
const char *record_note_name(enum record_note note);

/* True when the record says nothing that needs keeping: it is better dropped. That of an object
 * that is not there needs it while somebody owes that. */
bool record_is_idle(const struct record *r);

/* Whether the record is about an object that is there, as far as it knows. */
static inline bool record_is_alive(const struct record *r)
{
	return r->state == RECORD_LIVE || r->state == RECORD_RETIRED;
}

/* Whether the object has, or had, this fingerprint. */
bool record_has_print(const struct record *r, const uint8_t print[static FINGERPRINT_LEN]);

/* Another fingerprint of the object; one too many is left out. */
void record_add_also(struct record *r, const uint8_t print[static FINGERPRINT_LEN]);

/* Whether the record is about an object of this CKA_ID and CKA_LABEL: there may be others of the
 * same content. */
bool record_is_named(const struct record *r, const struct identity *id);

/* Whether the record is about another object than that of this name, which has the same content and
 * is there. */
bool record_is_of_twin(const struct record *r, const struct buf *id, const struct buf *label);

/* What the record of another object of the same content says, `known`, is said by `r`, too: whether
 * it may leave, what is forbidden of one of them, that the key is retired, notes. The name
 * stays, and who is owed. Nothing is taken over of an object that is not there. */
void record_join(struct record *r, struct record *known);

/* Sets a note; NULL or "" takes it out. False when memory is out, or the text is longer than 256
 * bytes or has control characters. */
bool record_set_note(struct record *r, enum record_note note, const char *text);

/* Text of a record (lines "key value", bytes in hexadecimal), and back. Members are written by
 * name; names that the group does not have are kept out. record_parse: CKR_DATA_INVALID for
 * anything that record_text() does not write, CKR_HOST_MEMORY. */
bool record_text(const struct group *g, const struct record *r, struct buf *out);
CK_RV record_parse(const struct group *g, const void *text, size_t len, struct record *out);

/* A deep copy. False when memory is out. */
bool record_copy(const struct record *from, struct record *to);

/* The record of this print on the member of `ms`: a guarded one before others, the newest of
 * several; *found false when there is none. Damaged ones are logged and count as none. What is not
 * guarded, and not about a public object, may be anybody's: may_export is then taken out of it.
 * A session that is not logged in sees no private ones. CKR_HOST_MEMORY or the member's code. */
CK_RV record_find(struct member_session *ms, const uint8_t print[static FINGERPRINT_LEN],
		  struct record *out, bool *found);

/* All records on the member, one of each print as above; the caller frees each and the list. */
CK_RV record_list(struct member_session *ms, struct record **list, size_t *count);

/* Whether the member keeps records. One that does not finds none, and writing one there is CKR_OK.
 */
bool record_is_kept(const struct member *m);

/* Writes: a new data object, with a version above those that are there, then the others of the
 * print are destroyed. Private when the record is not public and the member takes such objects.
 * CKR_HOST_MEMORY or the member's code. */
CK_RV record_put(struct member_session *ms, const struct record *r);

/* Destroys all of the print. CKR_OK also when there were none. */
CK_RV record_drop(struct member_session *ms, const uint8_t print[static FINGERPRINT_LEN]);

/* Frees what it holds and leaves it empty. NULL is allowed. */
void record_free(struct record *r);

#endif

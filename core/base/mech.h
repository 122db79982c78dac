/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanisms: a private deep copy of what the application passed, with every object handle in it
 * found, so that virtual handles can be replaced by real ones before a member sees them and the
 * real ones that a member wrote can be replaced before the application sees them.
 *
 * What each parameter looks like is a row in mech.def; one walker reads the rows. */
#ifndef HSMUX_CORE_BASE_MECH_H
#define HSMUX_CORE_BASE_MECH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"

/* No parameter in the standard names more keys than this in one call (X3DH: 4), nor makes more
 * objects beside the main one (SP 800-108: pAdditionalDerivedKeys, bounded here). */
#define MECH_MAX_HANDLES 16
/* Flat parameters up to this many bytes (IVs, PSS, GCM with a short IV) need no allocation. */
#define MECH_INLINE_BYTES 96

/* An object handle inside the copied parameter. */
struct mech_handle {
	CK_OBJECT_HANDLE *where;  /* the field, inside the copy */
	CK_OBJECT_HANDLE virtual; /* what the application put there */
};

/* A place where a member writes the handle of an object that it made. */
struct mech_made {
	CK_OBJECT_HANDLE *where; /* the member writes here: inside the copy */
	CK_OBJECT_HANDLE *app;   /* the application's field; written by the caller of mech.h only */
};

/* A copied mechanism. Init with mech_copy, never copied by assignment (it points into itself). */
struct mech {
	CK_MECHANISM m; /* what a member receives; pParameter points into this struct or `block` */
	struct mech_handle handle[MECH_MAX_HANDLES];
	struct mech_made made[MECH_MAX_HANDLES];
	unsigned handle_count;
	unsigned made_count;
	CK_ULONG *length_where; /* a length that a member writes, inside the copy; NULL when there
				   is none */
	CK_ULONG *length_app;   /* the application's field for it; see mech_give_back */
	bool is_known;    /* false: no row in mech.def; the parameter was copied as flat bytes */
	void *block;      /* owned; NULL when everything is inline */
	size_t block_len; /* bytes */
	union {
		unsigned char bytes[MECH_INLINE_BYTES];
		CK_ULONG align;
	} local;
};

/* Tells whether a number is an object handle that is valid now; used to recognise handles in the
 * parameters of mechanisms that mech.def does not know. */
typedef bool mech_is_handle(CK_ULONG value, void *context);

/* Copies `in` deeply. Outputs inside the parameter (generated IVs, versions, PRF output) keep
 * pointing to the application's memory, so that the member's answer arrives there; handles that a
 * member makes are redirected into the copy (see struct mech_made). CKR_ARGUMENTS_BAD: `in` is
 * NULL. CKR_MECHANISM_PARAM_INVALID: the length fits no known form of the structure, a NULL pointer
 * with a length, too many elements, nesting deeper than 4, or (mechanisms without a row) the
 * parameter contains what looks like a pointer into this process or a valid handle, so that it
 * cannot be passed on safely. CKR_HOST_MEMORY. On failure `why` is a static sentence for the log
 * and `out` needs no mech_free. `is_handle` may be NULL. */
CK_RV mech_copy(struct mech *out, const CK_MECHANISM *in, mech_is_handle *is_handle, void *context,
		const char **why);

/* Wipes (parameters hold passwords and shared secrets) and frees. NULL is allowed. */
void mech_free(struct mech *m);

/* Gives the application a length that a member wrote into the parameter (IBM's KEM mechanisms have
 * one). Call after the member's success. */
void mech_give_back(const struct mech *m);

/* True when each use of the key changes it (one-time passwords, stateful hash-based signatures,
 * ratchets, CMS signatures that ask a person): never sent twice, never to another token. */
bool mech_is_stateful(CK_MECHANISM_TYPE type);

/* True when mech.def has a row for the mechanism. */
bool mech_known(CK_MECHANISM_TYPE type);

#endif

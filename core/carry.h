/* SPDX-License-Identifier: BSD-2-Clause */
/* A copy of an object of one member on another.
 *
 * Public keys, certificates and data are created from their content. Keys travel wrapped: under the
 * KEK (kek.h), or under an RSA key of the target (transport.h), directly or over a third member.
 * Which ways work between two makers is found by trying them with a throw-away key. A copy counts
 * only when it has answered as the original does, and when its attributes were read back; one that
 * does not is destroyed. No step touches an object that was there before. */
#ifndef HSMUX_CORE_CARRY_H
#define HSMUX_CORE_CARRY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/blueprint.h"
#include "core/group.h"
#include "core/identity.h"
#include "core/pool.h"

#define CARRY_WHY 256

/* One object on its way. */
struct carry {
	struct member_session *from; /* where it is; borrowed */
	CK_OBJECT_HANDLE real;
	const struct identity *id;  /* what it is, as identity_read() said there */
	const struct blueprint *as; /* what the copy has to be */
	struct member_session *to;  /* where the copy is made; borrowed */
	CK_OBJECT_HANDLE made;      /* out: the copy; 0 when there is none */
	bool states_len;            /* carry()'s own: the template has CKA_VALUE_LEN */
	char why[CARRY_WHY];        /* out: why not, in words, names of members included */
	bool is_unable; /* out: these two can never do it (no way, no KEK, ID taken): not
			   a failure of the moment */
};

/* Makes the copy, proves it and reads it back. CKR_OK; CKR_MECHANISM_INVALID with is_unable when
 * there is no way; CKR_HOST_MEMORY; or the code of the member that failed: then a copy may be left
 * on `to`, which carries the label that `as` states. After anything but CKR_OK the state of both
 * sessions is in doubt. */
CK_RV carry(struct carry *c);

/* Shows that `real` on `ms` is the key that `id` describes, as carry() does for its copies: by use,
 * or, where `from` and `from_real` are given and both can be wrapped, by the same wrapped bytes. */
CK_RV carry_is_same(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		    struct member_session *from, CK_OBJECT_HANDLE from_real, bool *same);

/* Kinds of keys for which there are ways of their own. */
enum carry_kind { CARRY_SECRET, CARRY_RSA, CARRY_EC, CARRY_KINDS };

/* How keys of a kind go from one member to another. */
struct carry_route {
	bool is_known;  /* was tried */
	bool is_open;   /* there is a way */
	int over;       /* index of the member in between, -1: directly */
	char text[160]; /* "CKM_AES_KEY_WRAP_PAD -> CKM_AES_KEY_WRAP_KWP", or why there is none */
};

/* The way from one member to another, tried now when it is not remembered (`again`: in any case).
 * Remembered in this process, and with the firmware of both members in the journal directory.
 * CKR_HOST_MEMORY or a member's code when it could not be tried. */
CK_RV carry_route_find(struct member *from, struct member *to, enum carry_kind kind, bool again,
		       struct carry_route *out);

/* Forgets what is remembered in this process (C_Finalize, fork). */
void carry_forget_everything(bool is_forked);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts one KEK on all members of a virtual token, or a new one in the place of it. */
#ifndef HSMUX_CORE_KEK_MAKE_H
#define HSMUX_CORE_KEK_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/secret.h"
#include "core/group.h"
#include "core/kek_create.h"

/* What is to be done. */
struct kek_make {
	struct group *g;
	bool replaces;        /* the KEKs that there are give way (rotate) */
	const uint8_t *value; /* KEK_LEN bytes in locked memory: that key; NULL: one that a member
				 makes */
	const struct secret
		*so_pin[CONFIG_MAX_MEMBERS]; /* NULL: it does not become trusted there */
	struct kek_sites sites; /* out: .why: what failed, in words; the rest is private */
	bool has_begun; /* out: after a failure: some members may have the new key already, others
			 * not; done once more it is finished */
};

/* Which members know what a trusted key is: bit i for member i. Asked with a key of a session. The
 * member's code. */
CK_RV kek_make_trusts(struct kek_make *k, unsigned *members);

/* Whether it could be done as things stand: CKR_OK, or CKR_ACTION_PROHIBITED with words, or the
 * member's code. Changes nothing. */
CK_RV kek_make_check(struct kek_make *k);

/* Does it. Every member is up and its user logged in; the write lock (intent.h) is held. What was
 * made is destroyed after a failure; the keys that there were are touched only when the new one is
 * on every member, proven, locked and trusted where that is wanted. CKR_OK; CKR_ACTION_PROHIBITED
 * when it would touch what must stay; CKR_HOST_MEMORY; a member's code. */
CK_RV kek_make(struct kek_make *k);

#endif

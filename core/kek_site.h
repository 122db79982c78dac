/* SPDX-License-Identifier: BSD-2-Clause */
/* The members of a virtual token while a KEK is put on them. Used by kek_make.c and kek_create.c.
 */
#ifndef HSMUX_CORE_KEK_SITE_H
#define HSMUX_CORE_KEK_SITE_H

#include <stdbool.h>

#include "core/base/secret.h"
#include "core/group.h"
#include "core/kek.h"
#include "core/orphan.h"
#include "core/pool.h"

/* The label of a KEK that is not in use yet: a tag as those of orphan.h, the same for all, so that
 * what a process that died has left is found. */
#define KEK_TAG ORPHAN_TAG_PREFIX "6b656b000000000000"

#define KEK_WHY 512

/* One member. */
struct kek_site {
	struct member *m;
	const struct secret *so_pin; /* borrowed; NULL: the KEK is not made trusted there */
	struct member_session *ms;   /* NULL while none is taken */
	bool is_so;                  /* the security officer is logged in; ms is the keeper */
	struct kek_view named;       /* what has the KEK's name */
	struct kek_view made;        /* what has the tag; .count of them */
};

/* All of them, and what went wrong. */
struct kek_sites {
	struct group *g;
	struct kek_site at[CONFIG_MAX_MEMBERS];
	size_t count;
	bool is_locked; /* the group's login_lock is held, and health.c held off */
	char why[KEK_WHY];
	const struct kek_site *failed; /* where that was */
};

/* Takes sessions of the users. Where a SO PIN is given and `as_so` is set, the user is logged out
 * there and the security officer in, and the group's login_lock is held until sites_leave(). The
 * code of the member that failed; sites_leave() in any case. */
CK_RV sites_enter(struct kek_sites *s, bool as_so);

/* Gives the sessions back, or closes them where their state is in doubt; users are logged in again.
 */
void sites_leave(struct kek_sites *s, bool is_good);

/* Looks for what has the KEK's name or the tag on each. The member's code. */
CK_RV sites_look(struct kek_sites *s);

/* Destroys what has the tag on every member that can be reached; the first code that was not
 * CKR_OK. */
CK_RV sites_clean(struct kek_sites *s);

/* Notes in words what failed on a member; returns rv. */
CK_RV site_fail(struct kek_sites *s, const struct kek_site *site, const char *what, CK_RV rv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the objects of multi-member tokens are, by handle, name and content; private to object*.c.
 *
 * One lock guards all traits. It is taken with a member's map_lock held or without, never the other
 * way round, and no member is called under it. */
#ifndef HSMUX_CORE_OBJECT_TRAIT_H
#define HSMUX_CORE_OBJECT_TRAIT_H

#include "core/fingerprint.h"
#include "core/identity.h"
#include "core/object.h"

/* What an object is. */
struct trait {
	struct trait *handle_next, *name_next, *digest_next; /* in the index */
	struct trait *prev, *next;                           /* all of them */
	uint32_t handle;
	struct group *group; /* borrowed */
	struct identity id;
	bool is_proven;   /* a private key has shown that the public key belongs to it */
	bool is_hidden;   /* another object of this name is shown instead */
	bool is_reported; /* the conflict was logged */
	bool has_print;   /* `print` is known; see overlay.h */
	bool is_own;      /* it was shown that the print is this object's */
	uint8_t print[FINGERPRINT_LEN];
	CK_ATTRIBUTE *tmpl; /* a session object was made of this; in a block of its own */
	CK_ULONG tmpl_count;
	size_t tmpl_size;
	bool is_tmpl_locked; /* the block is of locked_new */
};

/* Locks, and unlocks. */
void trait_lock(void);
void trait_unlock(void);

/* Adds what an object is; takes over `id`. False when memory is out. Locked by the caller. */
bool trait_add(uint32_t handle, struct group *group, struct identity *id);

/* The trait of a handle, or NULL. Locked by the caller. */
struct trait *trait_of(uint32_t handle);

/* The next trait of the group with the same name (class, key type, id, label), or with the same
 * content (class, digest), after `after` (NULL: the first). Locked by the caller. */
struct trait *trait_by_name(const struct group *group, const struct identity *id,
			    const struct trait *after);
struct trait *trait_by_digest(const struct group *group, const struct identity *id,
			      const struct trait *after);

/* Replaces what an object is; takes over `id`. Locked by the caller. */
void trait_change(struct trait *t, struct identity *id);

/* Forgets an object; nothing happens when it has no trait. Takes the lock. */
void trait_drop(uint32_t handle);

/* Forgets the template, wiping what was secret in it. Locked by the caller. */
void trait_free_template(struct trait *t);

/* Calls `look` for every trait of the group until it says false. Locked by the caller. */
void trait_each(const struct group *group, bool (*look)(struct trait *t, void *context),
		void *context);

/* Whether some object is hidden. No lock. */
bool trait_any_hidden(void);

/* Hides or shows. Locked by the caller. */
void trait_hide(struct trait *t, bool hide);

/* A copy that the caller frees with identity_free(). False when memory is out. */
bool trait_copy_identity(const struct identity *from, struct identity *to);

/* Forgets all; `is_forked`: the lock is made anew, and nothing is freed. */
void trait_forget_everything(bool is_forked);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How mech.c and mech_walk.c divide the work of copying a parameter; for nobody else. */
#ifndef HSMUX_CORE_BASE_MECH_WALK_H
#define HSMUX_CORE_BASE_MECH_WALK_H

#include "core/base/mech.h"
#include "core/base/mech_layout.h"

/* One run over a parameter. */
struct walk {
	struct mech *out;
	unsigned char *base; /* the arena */
	size_t size;         /* bytes of the arena */
	size_t used;         /* bytes wanted so far; the arena is too small when above size */
	bool is_guess;       /* the row belongs to a maker's number */
	bool is_blind;       /* rows are not looked at */
	mech_is_handle *is_handle;
	void *context;
	const char *why;
};

/* Says why and gives CKR_MECHANISM_PARAM_INVALID. */
CK_RV walk_bad(struct walk *w, const char *why);

/* True when the address belongs to this process. The kernel is asked: wrong guesses do no harm. */
bool address_mapped(CK_ULONG value);

/* Hands out `n` bytes of the arena, or NULL in `at` when they are only measured. */
CK_RV walk_take(struct walk *w, size_t n, unsigned char **at);

/* Copies `len` bytes and lets *p point to the copy. */
CK_RV walk_bytes(struct walk *w, void **p, CK_ULONG len);

/* Copies one structure of the application to `at`, with all that it points to. NULL: measures. */
CK_RV walk_struct(struct walk *w, const struct mech_layout *layout, void *from, unsigned char *at,
		  unsigned depth);

/* Copies what m->pParameter points to, and lets it point to the copy; `depth` counts the mechanisms
 * around this one. In mech.c. */
CK_RV walk_param(struct walk *w, CK_MECHANISM *m, unsigned depth);

#endif

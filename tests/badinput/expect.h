/* SPDX-License-Identifier: BSD-2-Clause */
/* What the standard says to one bad argument. */
#ifndef HSMUX_TESTS_BADINPUT_EXPECT_H
#define HSMUX_TESTS_BADINPUT_EXPECT_H

#include "tests/badinput/world.h"

#define EXPECT_MAX 6

/* Ways to spoil an argument. */
enum spoil {
	SPOIL_NULL,       /* a pointer: NULL */
	SPOIL_HUGE,       /* a length: ~0 */
	SPOIL_ZERO,       /* a handle: 0 */
	SPOIL_NOWHERE,    /* a handle: never issued */
	SPOIL_STALE,      /* a handle: issued and dead */
	SPOIL_ALL,        /* a handle: ~0 */
	SPOIL_INNER_NULL, /* a mechanism or template: a NULL pointer with a length inside */
	SPOIL_INNER_HUGE, /* the same with a good pointer and ~0 */
	SPOIL_COUNT
};

/* The codes for this spoiled argument, or NULL when it is no mistake (nothing is tried then). Ends
 * at the first CKR_OK; an array that begins with CKR_OK means that CKR_OK is the only answer. */
const CK_RV *expect_codes(enum token_call call, char kind, char before, enum spoil how);

/* Spoils argument `i` of good arguments. */
void expect_spoil(struct world *w, enum token_call call, union argument *a, unsigned i,
		  enum spoil how);

extern const char *const expect_names[SPOIL_COUNT];

#endif

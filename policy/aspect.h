/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes a call apart into the aspects that profiles have rows for. Pure. */
#ifndef HSMUX_POLICY_ASPECT_H
#define HSMUX_POLICY_ASPECT_H

#include "policy/algorithm.h"
#include "policy/facts.h"

/* One aspect of a call, and where it was found. */
struct aspect {
	enum policy_aspect aspect;
	unsigned bits;                      /* of a key; 0: unknown, or not a key */
	enum policy_reason reason;          /* what a refusal of it is about */
	const struct policy_object *object; /* the key, or NULL: the mechanism */
};

/* A mechanism has at most seven, each object two. */
#define ASPECTS_MAX 16

struct aspect_list {
	struct aspect at[ASPECTS_MAX];
	unsigned count;
};

/* Lists the aspects of a call; `algorithm` is NULL when it has no mechanism. */
void aspects_of(const struct facts *facts, const struct algorithm *algorithm,
		struct aspect_list *out);

#endif

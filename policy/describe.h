/* SPDX-License-Identifier: BSD-2-Clause */
/* What attributes say of an object: those of a template, or those that a token shows. Pure. */
#ifndef HSMUX_POLICY_DESCRIBE_H
#define HSMUX_POLICY_DESCRIBE_H

#include "policy/facts.h"

/* Room for a label and a CKA_ID. Longer ones are cut: rules then see their beginnings. */
#define DESCRIBE_LABEL 128
#define DESCRIBE_ID    64

/* One object and the memory that its description needs. */
struct described {
	struct policy_object object; /* points into this struct; see describe_fix() */
	char label[DESCRIBE_LABEL];
	uint8_t id[DESCRIBE_ID];
};

/* A caller of whom nothing is known. Static. */
const struct caller *describe_nobody(void);

/* An object of which nothing is known. */
void describe_init(struct described *d, enum policy_part part);

/* Adds what attributes say; those with a length of CK_UNAVAILABLE_INFORMATION say nothing. */
void describe_attributes(struct described *d, const CK_ATTRIBUTE *attrs, CK_ULONG count);

/* Describes an object that comes to be from its template. What the template does not say of class
 * and key type follows from `mech` (0: none), which generates, derives or unwraps it; `class` is
 * what it is where neither says it. */
void describe_new(struct described *d, CK_MECHANISM_TYPE mech, CK_OBJECT_CLASS class,
		  const CK_ATTRIBUTE *attrs, CK_ULONG count);

/* The private half of a pair has the size, curve and parameter set of the public half. */
void describe_pair(const struct described *public_half, struct described *private_half);

/* After a copy by assignment: lets `object` point into its own struct. */
void describe_fix(struct described *d);

#endif

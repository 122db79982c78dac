/* SPDX-License-Identifier: BSD-2-Clause */
/* The null token in bad weather: it fails now and then, must be initialised anew to work again, and
 * gives its keys other handles in each life, as SoftHSM2 does. */
#ifndef HSMUX_TESTS_UNIT_CORE_STORM_TOKEN_H
#define HSMUX_TESTS_UNIT_CORE_STORM_TOKEN_H

#include <stdatomic.h>

#include "core/base/pkcs11.h"

/* Keys of the null token, which is to be configured with as many. */
#define STORM_KEYS 16U

/* What was seen. */
struct storm_seen {
	_Atomic unsigned lives;    /* times it was initialised */
	_Atomic unsigned failures; /* answers that were not the token's */
	_Atomic unsigned rudeness; /* initialised or finalised with a call inside */
};
extern struct storm_seen storm_seen;

/* Puts the shim into the list; `real` is what it was. */
void storm_begin(CK_FUNCTION_LIST *list, const CK_FUNCTION_LIST *real);

/* No failures any more. */
void storm_end(void);

/* A number below `n`; each thread has its own sequence. */
unsigned storm_random(unsigned n);

#endif

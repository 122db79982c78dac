/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a PKCS#11 module and finding a token in it, for the programs of the tests. */
#ifndef HSMUX_TESTS_TOKEN_LOAD_H
#define HSMUX_TESTS_TOKEN_LOAD_H

#include <stdbool.h>

#include "core/base/pkcs11.h"

/* A loaded module; never unloaded. */
struct loaded {
	void *library;
	CK_FUNCTION_LIST *f;
	CK_FUNCTION_LIST_3_0 *f3; /* NULL: no 3.0 interface */
};

/* Loads; a message on stderr and false when that fails. */
bool load_module(const char *file, struct loaded *out);

/* The slot whose token has this label. False when there is none. */
bool load_find_slot(CK_FUNCTION_LIST *f, const char *label, CK_SLOT_ID *slot);

/* An exported function, copied into the function pointer at `out`. False when there is none. */
bool load_symbol(void *library, const char *name, void *out);

struct null_stats;

/* The null token's counters, mapped from the file that NULL_TOKEN_STATS names (made if it does not
 * exist); NULL when the variable is not set or mapping fails. */
struct null_stats *load_null_stats(void);

#endif

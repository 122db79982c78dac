/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptoki numbers <-> their names in the standard (CKR_OK, CKM_RSA_PKCS, ...). */
#ifndef HSMUX_CORE_BASE_NAMES_H
#define HSMUX_CORE_BASE_NAMES_H

#include <stdbool.h>

#include "core/base/pkcs11.h"

/* Room for any name or, for numbers without one, "0x" and 16 digits. */
#define NAME_MAX_LEN 64

/* What a number stands for. */
enum name_kind {
	NAME_RV,
	NAME_MECHANISM,
	NAME_ATTRIBUTE,
	NAME_KEY_TYPE,
	NAME_OBJECT_CLASS,
	NAME_USER
};

/* The standard's name of `value`, or its hexadecimal form written to `spare`. Never NULL; the
 * result is static or `spare`. */
const char *name_of(enum name_kind kind, CK_ULONG value, char spare[static NAME_MAX_LEN]);

/* The number for a name with or without its prefix, letters in either case ("CKM_RSA_PKCS",
 * "rsa_pkcs"), or for a hexadecimal "0x...". False and no change when there is none. */
bool name_value(enum name_kind kind, const char *name, CK_ULONG *value);

/* The name that was meant by a misspelt one, with its prefix, or NULL. Static. */
const char *name_near(enum name_kind kind, const char *name);

#endif

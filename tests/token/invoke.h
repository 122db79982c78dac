/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling any function of Cryptoki by number. */
#ifndef HSMUX_TESTS_TOKEN_INVOKE_H
#define HSMUX_TESTS_TOKEN_INVOKE_H

#include "tests/token/calls.h"
#include "tests/token/load.h"

/* C_DecryptMessage and C_EncryptMessage have nine. */
#define INVOKE_MAX 9

union argument {
	CK_ULONG n;
	void *p;
};

/* One letter for each argument of a function:
 *   s session   S slot   o object   k key   w wrapping key   u unwrapping key   z key or 0
 *   m mechanism   t template   n its count   i input   l length of the pointer before it
 *   b output, may be NULL   L its length, in and out   g signature   G its length
 *   r result that must be there   R output that must be there   N room for results   d result or
 * NULL c result array or NULL   P PIN or name, may be NULL   q 32 bytes of label   x message
 * parameter y its length   a optional pointer   e optional text   B U M f boolean, user, mechanism,
 * flags */
extern const char *const invoke_arguments[CALL_COUNT];
extern const char *const invoke_names[CALL_COUNT];

/* Calls it with as many arguments as it has. A module without 3.0 answers
 * CKR_FUNCTION_NOT_SUPPORTED for the functions of 3.0. C_OpenSession never passes a callback. */
CK_RV invoke(const struct loaded *m, enum token_call call, const union argument *a);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of the fault token share: the plan (fault.c) and the functions
 * (fault_calls.c). */
#ifndef HSMUX_TESTS_TOKEN_FAULT_H
#define HSMUX_TESTS_TOKEN_FAULT_H

#include <stdbool.h>

#include "core/base/pkcs11.h"
#include "tests/token/calls.h"

/* The real module's functions; set before any of ours can be called. */
extern CK_FUNCTION_LIST *fault_real;

/* Ours. */
extern CK_FUNCTION_LIST fault_list;

/* Asks the plan about a call that is about to happen, and lets its time pass. CKR_OK: go on. */
CK_RV fault_before(enum token_call call);

/* Replaces the answer when the plan says so; what fault_before refused passes unchanged. */
CK_RV fault_after(enum token_call call, CK_RV rv);

/* True when searches must find nothing: dead but polite. */
bool fault_finds_nothing(void);

#endif

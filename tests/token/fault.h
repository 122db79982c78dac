/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the fault token share: the plan at work (fault.c), the counters
 * (fault_stats.c), object handles (fault_handle.c) and the functions (fault_general.c,
 * fault_crypto.c, fault_message.c, fault_list.c). */
#ifndef HSMUX_TESTS_TOKEN_FAULT_H
#define HSMUX_TESTS_TOKEN_FAULT_H

#include <stdbool.h>

#include "core/base/pkcs11.h"
#include "tests/token/calls.h"

/* The real module's functions; set before any of ours can be called. fault_real_3 is NULL when it
 * has no interface of version 3. */
extern CK_FUNCTION_LIST *fault_real;
extern CK_FUNCTION_LIST_3_0 *fault_real_3;

/* Ours. */
extern CK_FUNCTION_LIST fault_list;
extern CK_FUNCTION_LIST_3_0 fault_list_3;

/* Asks the plan about a call that is about to happen, and lets its time pass. CKR_OK: go on.
 * fault_after must follow in the same thread. */
CK_RV fault_before(enum token_call call);

/* Counts, and replaces the answer when the plan says so; what fault_before refused passes
 * unchanged. */
CK_RV fault_after(enum token_call call, CK_RV rv);

/* True when searches must find nothing: dead but polite. */
bool fault_finds_nothing(void);

/* True when the token is not in its slot. */
bool fault_is_removed(void);

/* What the plan's try counter says about the user's PIN, into the flags of CK_TOKEN_INFO. */
void fault_pin_flags(CK_FLAGS *flags);

/* Object handles as applications see them, and as the real module does; see fault_handle.c. A new
 * initialisation begins with fault_handles_anew(). */
void fault_handles_anew(bool renumbers);
CK_OBJECT_HANDLE fault_handle_real(CK_OBJECT_HANDLE shown);
void fault_handles_show(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *handles, CK_ULONG count);

/* Opens the file of counters that FAULT_TOKEN_STATS names (`file`; NULL: none are kept). False when
 * it cannot be used. */
bool fault_stats_open(const char *file);

/* Counts a call, and whether it succeeded; one wrong PIN. The caller has the instance's lock. */
void fault_stats_call(enum token_call call, bool is_good);
void fault_stats_pin(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which return codes the standard lists for which function. */
#ifndef HSMUX_CORE_CODES_H
#define HSMUX_CORE_CODES_H

#include <stdbool.h>

#include "core/call.h"

/* True when the standard (PKCS#11 2.40 or 3.0, "Function return values" and the list of each
 * function) allows `rv` from `id`. */
bool code_listed(enum call_id id, CK_RV rv);

/* The code for the application: `rv` when it is listed; else its listed sibling (a bad key handle
 * that a member called a bad object handle, and the like); else CKR_FUNCTION_FAILED for a code of
 * the standard and CKR_DEVICE_ERROR for one that nobody defined. Vendor-defined codes
 * (>= CKR_VENDOR_DEFINED) become CKR_FUNCTION_FAILED. */
CK_RV code_map(enum call_id id, CK_RV rv);

#endif

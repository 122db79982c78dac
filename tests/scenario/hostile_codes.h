/* SPDX-License-Identifier: BSD-2-Clause */
/* Which codes the standard lists for which function; see hostile_codes.c. */
#ifndef HSMUX_TESTS_SCENARIO_HOSTILE_CODES_H
#define HSMUX_TESTS_SCENARIO_HOSTILE_CODES_H

#include <stdbool.h>

#include "core/base/pkcs11.h"

/* `call` counts the functions in the order of the standard's lists. */
bool hostile_code_listed(unsigned call, CK_RV rv);

#endif

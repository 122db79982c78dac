/* SPDX-License-Identifier: BSD-2-Clause */
/* core's list of codes for the driver hostile.c: its own list of calls has names of its own. */
#include "core/codes.h"
#include "tests/scenario/hostile_codes.h"

bool hostile_code_listed(unsigned call, CK_RV rv)
{
	return code_listed((enum call_id)call, rv);
}

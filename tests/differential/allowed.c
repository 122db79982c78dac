/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of allowed differences: each row says whose answer is the standard's and why. */
#include "tests/differential/allowed.h"

const struct allowed allowed[] = {
	{"*", "bad-handles/* C_*Init", "CKR_OBJECT_HANDLE_INVALID", "CKR_KEY_HANDLE_INVALID",
	 "the standard's code for a bad key argument; hsmux decides before the token is asked"},
};

const size_t allowed_count = sizeof(allowed) / sizeof(allowed[0]);

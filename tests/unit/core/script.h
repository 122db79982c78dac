/* SPDX-License-Identifier: BSD-2-Clause */
/* What members of a world with several are asked about logins and PINs, and what they answer
 * instead of the null token. */
#ifndef HSMUX_TESTS_UNIT_CORE_SCRIPT_H
#define HSMUX_TESTS_UNIT_CORE_SCRIPT_H

#include "core/base/pkcs11.h"
#include "tests/unit/core/world.h"

struct script {
	unsigned calls;
	char pin[64];    /* as last sent: the new one of C_SetPIN */
	CK_RV answer;    /* CKR_OK: the token's own */
	unsigned after;  /* calls that the token answers before `answer` begins */
	unsigned counts; /* calls that `answer` is good for; 0: all */
};

extern struct script script_login[WORLD_MEMBERS];
extern struct script script_logout[WORLD_MEMBERS];
extern struct script script_init_pin[WORLD_MEMBERS];
extern struct script script_set_pin[WORLD_MEMBERS];

/* Forgets all and listens to the first `count` members of a world that has begun. */
void script_begin(unsigned count);

/* C_Login calls to all of them. */
unsigned script_logins(void);

#endif

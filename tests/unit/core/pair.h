/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual token of two members, for tests of their health: two instances of the null token, of
 * which the first is ill when a test says so. No application stands before it. */
#ifndef HSMUX_TESTS_UNIT_CORE_PAIR_H
#define HSMUX_TESTS_UNIT_CORE_PAIR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/assembly.h"
#include "core/base/pkcs11.h"

/* What the first member does instead of what it should; zeroed by pair_begin(). CKR_OK: nothing. */
struct pair_ill {
	_Atomic CK_RV token_info;
	_Atomic CK_RV open;    /* C_OpenSession */
	_Atomic CK_RV open_rw; /* the same, read/write only */
	_Atomic CK_RV create;  /* C_CreateObject */
	_Atomic CK_RV sign_init;
	_Atomic CK_RV sign;
	_Atomic CK_RV slots;        /* C_GetSlotList */
	_Atomic int finds_nothing;  /* dead, but polite */
	_Atomic int mac_of_objects; /* only keys of a session give the right HMAC */
	_Atomic int mac_is_null;    /* HMACs are the null token's, which are none */
	_Atomic int has_no_sha256;  /* only CKM_SHA_1_HMAC */
	_Atomic int sees_user;      /* C_GetSessionInfo says that a user is logged in */
	_Atomic int hangs;          /* C_GetTokenInfo does not come back while it is set */
	_Atomic int is_slow;        /* C_GetTokenInfo takes some milliseconds */
	_Atomic int inside;         /* calls of C_GetTokenInfo that go on */
	_Atomic int is_hanging;     /* it is there */
	_Atomic unsigned made;      /* token objects made, destroyed, and HMACs given */
	_Atomic unsigned narrow;    /* of those made: that can do nothing but sign, for ever */
	_Atomic unsigned destroyed;
	_Atomic unsigned signatures;
	_Atomic unsigned asked; /* calls of C_GetTokenInfo */
};
extern struct pair_ill pair_ill;

/* The directory of the state file. */
const char *pair_directory(void);

/* Starts both, without canaries; `may_thread` as for assembly_build(). */
void pair_begin(bool may_thread);

/* Stops them. */
void pair_end(void);

/* Stops and starts with what the state file says meanwhile. */
void pair_stop(void);
void pair_start(bool may_thread);

/* The same with another state directory. */
void pair_start_in(const char *state_directory, bool may_thread);

struct assembly *pair_assembly(void);
struct group *pair_group(void);
struct member *pair_member(unsigned i);

/* Loses member `i` now. */
void pair_lose(unsigned i);

/* Lets some milliseconds of real time pass. */
void pair_pause(void);

/* Waits up to 10 s of real time until `is` says so. */
bool pair_until(bool (*is)(void));

#endif

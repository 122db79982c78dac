/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole core over the null token, for tests of one of its nouns: a configuration with one module,
 * one virtual token "t" and one member, started without the entry points. */
#ifndef HSMUX_TESTS_UNIT_CORE_WORLD_H
#define HSMUX_TESTS_UNIT_CORE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pkcs11.h"

struct config;
struct group;
struct member;
struct session;

#define WORLD_SLOT 1UL
#define WORLD_PIN  "1234"

/* The configuration; `member` and `token` are settings to add to these, NULL for none. */
struct config *world_config(const char *member, const char *token);

/* Starts with that configuration. */
void world_begin(const char *member, const char *token);

/* Most members of a world with several. */
#define WORLD_MEMBERS 3U

/* A virtual token "t" over `count` null tokens that know nothing of each other: members "m0", "m1"
 * and so on, each in a module of its own. Settings to add, NULL for none. */
struct world_many {
	unsigned count;
	const char *mode;
	const char *token;
	const char *member[WORLD_MEMBERS];
	const char *module[WORLD_MEMBERS]; /* env = { NULL_TOKEN_PIN = "..."; } */
	bool comes_back; /* there is a health thread; else the test brings lost members back */
};

/* Starts with that; all members serve. */
void world_begin_many(const struct world_many *many);

/* Stops; the null tokens then have no session open. */
void world_end(void);

/* Loses a member; brings it back as core/health.c does it; both, and the token has forgotten its
 * login in between. */
void world_lose(unsigned i);
void world_bring_back(unsigned i);
void world_restart(unsigned i);

/* The virtual token and its member, the first or another. */
struct group *world_group(void);
struct member *world_member(void);
struct member *world_member_at(unsigned i);

/* The member's function list, as a copy that tests may change until the world ends; and as it was.
 */
CK_FUNCTION_LIST *world_list(void);
CK_FUNCTION_LIST *world_list_at(unsigned i);
const CK_FUNCTION_LIST *world_real(void);
const CK_FUNCTION_LIST *world_real_at(unsigned i);

/* How often the null token's function ("C_Login") was called in this process. */
uint64_t world_calls(const char *name);

/* Sessions that are open on the null token now. */
uint64_t world_sessions(void);

/* Sessions that the member's pool has, whatever became of them on the token. */
unsigned world_pool(struct member *m);

/* A read/write session; the same, logged in. */
CK_SESSION_HANDLE world_open(void);
CK_SESSION_HANDLE world_enter(void);

/* C_Login as the user with this PIN. */
CK_RV world_login(CK_SESSION_HANDLE session, const char *pin);

/* The first object of the class, or 0; and how many there are. */
CK_OBJECT_HANDLE world_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class);
CK_ULONG world_count(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class);

/* A new session object of the null token (a data object), or 0. */
CK_OBJECT_HANDLE world_make(CK_SESSION_HANDLE session);

/* C_SignInit and C_Sign; the first code that is not CKR_OK. */
CK_RV world_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* What the configuration calls the null token's file. */
const char *world_token_file(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A module with one token, logged in, and good arguments for every function: what a bad argument is
 * tried against, one at a time. */
#ifndef HSMUX_TESTS_BADINPUT_WORLD_H
#define HSMUX_TESTS_BADINPUT_WORLD_H

#include "tests/token/invoke.h"
#include "tests/token/null.h"

/* No module has handed this out. */
#define WORLD_NOWHERE       0x7ffffff1UL
#define WORLD_SIGNATURE_MAX 512

/* What good arguments point to. Inputs end at a page that cannot be read: who trusts a length dies.
 */
struct world {
	struct loaded m;
	struct null_stats *stats; /* of the null token behind hsmux, or NULL */
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE keeper;  /* keeps the login while other sessions come and go */
	CK_SESSION_HANDLE session; /* of the case at hand */
	CK_SESSION_HANDLE closed;  /* was valid once */
	CK_OBJECT_HANDLE key;      /* secret key for everything */
	CK_OBJECT_HANDLE private;
	CK_OBJECT_HANDLE public;
	CK_OBJECT_HANDLE data; /* object to read, copy, change and destroy */
	CK_OBJECT_HANDLE destroyed;
	CK_BYTE *in; /* world_in_len bytes before the guard page */
	CK_BYTE signature[WORLD_SIGNATURE_MAX];
	CK_ULONG signature_len;
	CK_MECHANISM mechanism;
	CK_ECDH1_DERIVE_PARAMS ecdh;
	CK_BYTE gcm[64]; /* a message parameter that no field of which is read */
	CK_ATTRIBUTE tmpl[2];
	CK_ATTRIBUTE tmpl2[2];
	CK_BYTE out[4096];
	CK_ULONG out_len;
	CK_ULONG result[64]; /* any structure that a function fills in */
	CK_ULONG result2[2];
	CK_UTF8CHAR label[32];
	CK_UTF8CHAR pin[64];
	CK_ULONG pin_len;
};

extern const CK_ULONG world_in_len;

/* Loads the module; the PIN comes from BADINPUT_PIN. False when that fails. */
bool world_load(struct world *w, const char *module);

/* Initialises, logs in, makes the keys. False with a message when the token will not do. */
bool world_open(struct world *w, const char *label);
void world_close(struct world *w);

/* Good arguments for a call. */
void world_arguments(struct world *w, enum token_call call, union argument *a);

/* A fresh session (and object) with the operation that `call` needs; world_drop closes it. False:
 * the preparation failed, so nothing can be said. */
bool world_prepare(struct world *w, enum token_call call);
void world_drop(struct world *w);

/* Handles that reached the null token although it never issued them. */
uint64_t world_foreign(const struct world *w);

/* True for functions whose operation a failure ends. */
bool world_is_step(enum token_call call);

#endif

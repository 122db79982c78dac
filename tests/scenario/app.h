/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drivers of this folder share: being an application that loads a PKCS#11 module.
 *
 * Everything here ends the program with a message and exit status 1 when something is not as
 * expected, so that a driver reads as the list of what an application does. */
#ifndef HSMUX_TESTS_SCENARIO_APP_H
#define HSMUX_TESTS_SCENARIO_APP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"

/* The PIN of every token that the tests make. */
#define APP_PIN "1234"

/* A loaded module. */
struct app {
	void *library;
	CK_FUNCTION_LIST *f;
};

/* A key pair on a token: P-256 where the token has it, else RSA-2048. */
struct app_key {
	bool is_ec;
	CK_OBJECT_HANDLE public_key;
	CK_OBJECT_HANDLE private_key;
};

/* One signature and what was signed. */
struct app_signature {
	unsigned char text[32];
	unsigned char bytes[512];
	CK_ULONG len;
};

/* One case of a driver, called by name. */
struct app_case {
	const char *name;
	void (*run)(struct app *app, const char *label);
};

/* Ends the program unless `got` is `wanted`. */
void app_expect(CK_RV got, CK_RV wanted, const char *what, const char *file, int line);

/* Ends the program unless `holds`. */
void app_check(bool holds, const char *what, const char *file, int line);

#define EXPECT(wanted, call) app_expect((call), (wanted), #call, __FILE__, __LINE__)
#define OK(call)             EXPECT(CKR_OK, call)
#define CHECK(condition)     app_check((condition), #condition, __FILE__, __LINE__)

/* How often something is repeated: `wanted`, divided by HSMUX_TEST_FEWER, at least three times. */
size_t app_rounds(size_t wanted);

/* dlopen and C_GetFunctionList; nothing is initialised. */
void app_load(struct app *app, const char *path);

/* C_Initialize with CKF_OS_LOCKING_OK. */
void app_init(const struct app *app);

/* Whether a token with this label is among the slots (with a token present, or all). */
bool app_sees(const struct app *app, const char *label, bool present);

/* The slot of a token that is present. */
CK_SLOT_ID app_slot(const struct app *app, const char *label);

/* A read-write session on that token. */
CK_SESSION_HANDLE app_open(const struct app *app, const char *label);

/* The same, logged in as user (already logged in is fine). */
CK_SESSION_HANDLE app_enter(const struct app *app, const char *label);

/* A new key pair of token objects. */
void app_make_key(const struct app *app, CK_SESSION_HANDLE session, struct app_key *key);

/* The first key pair that app_make_key made on this token; made if there is none. */
void app_have_key(const struct app *app, CK_SESSION_HANDLE session, struct app_key *key);

/* C_SignInit and C_Sign over a fresh text; the code of the first that fails. */
CK_RV app_try_sign(const struct app *app, CK_SESSION_HANDLE session, const struct app_key *key,
		   struct app_signature *signature);

/* Checks a signature with OpenSSL, from the public key's attributes. */
void app_verify(const struct app *app, CK_SESSION_HANDLE session, const struct app_key *key,
		const struct app_signature *signature);

/* Whether the private key of this point of P-256 (CKA_EC_POINT) made a signature. */
#define APP_POINT 67
bool app_verifies_ec(const unsigned char point[static APP_POINT],
		     const struct app_signature *signature);

/* app_try_sign that has to succeed, and app_verify. */
void app_sign(const struct app *app, CK_SESSION_HANDLE session, const struct app_key *key);

/* The main of a driver: MODULE CASE LABEL. */
int app_main(int argc, char **argv, const struct app_case *cases, size_t count);

#endif

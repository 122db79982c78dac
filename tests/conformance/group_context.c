/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys with CKA_ALWAYS_AUTHENTICATE and C_Login with CKU_CONTEXT_SPECIFIC: Base 4.10, 5.6. */
#include <string.h>

#include "tests/conformance/world.h"

static CK_UTF8CHAR wrong[] = "wrongPIN";
static CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};

#define PIN   t->pin, t->pin_len
#define WRONG wrong, sizeof(wrong) - 1

/* A session with a key pair whose private key wants a login for each use. */
struct place {
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE pub;
	CK_OBJECT_HANDLE priv;
	CK_BYTE signature[256];
	CK_ULONG len;
};

/* False, and the case skipped, when the token has no such keys. */
static bool enter(struct suite *t, struct place *p)
{
	CK_MECHANISM gen = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG bits = 2048;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_ATTRIBUTE public[] = {NO(CKA_TOKEN), YES(CKA_VERIFY), ATTR(CKA_MODULUS_BITS, bits),
				 BYTES(CKA_PUBLIC_EXPONENT, exponent)};
	CK_ATTRIBUTE private[] = {NO(CKA_TOKEN), YES(CKA_PRIVATE), YES(CKA_SIGN),
				  YES(CKA_ALWAYS_AUTHENTICATE)};

	*p = (struct place){.s = world_user(t), .len = 256};
	if (strcmp(t->kind, "softhsm") != 0 ||
	    CALL(t, GenerateKeyPair, p->s, &gen, public, COUNT(public), private, COUNT(private),
		 &p->pub, &p->priv) != CKR_OK) {
		suite_skip(t, "no keys that are always authenticated");
		return false;
	}
	return CHECK(t, world_is(t, p->s, p->priv, CKA_ALWAYS_AUTHENTICATE));
}

static void each_use(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	for (int i = 0; i < 3; i++) {
		OK(t, SignInit, p.s, &mechanism, p.priv);
		OK(t, Login, p.s, CKU_CONTEXT_SPECIFIC, PIN);
		p.len = 0;
		OK(t, Sign, p.s, world_text, 20, NULL, &p.len);
		CHECK(t, p.len == 256);
		OK(t, Sign, p.s, world_text, 20, p.signature, &p.len);
		OK(t, VerifyInit, p.s, &mechanism, p.pub);
		OK(t, Verify, p.s, world_text, 20, p.signature, p.len);
	}
	CHECK(t, world_state(t, p.s) == CKS_RW_USER_FUNCTIONS);
}

static void in_parts(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	OK(t, SignInit, p.s, &mechanism, p.priv);
	OK(t, Login, p.s, CKU_CONTEXT_SPECIFIC, PIN);
	OK(t, SignUpdate, p.s, world_text, 10);
	OK(t, SignUpdate, p.s, world_text + 10, 10);
	OK(t, SignFinal, p.s, p.signature, &p.len);
	OK(t, VerifyInit, p.s, &mechanism, p.pub);
	OK(t, Verify, p.s, world_text, 20, p.signature, p.len);
}

static void without(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	OK(t, SignInit, p.s, &mechanism, p.priv);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, Sign, p.s, world_text, 20, p.signature, &p.len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Login, p.s, CKU_CONTEXT_SPECIFIC, PIN);
	OK(t, SignInit, p.s, &mechanism, p.priv);
	OK(t, Login, p.s, CKU_CONTEXT_SPECIFIC, PIN);
	OK(t, Sign, p.s, world_text, 20, p.signature, &p.len);
	OK(t, SignInit, p.s, &mechanism, p.priv);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, Sign, p.s, world_text, 20, p.signature, &p.len);
}

static void wrong_pin(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	OK(t, SignInit, p.s, &mechanism, p.priv);
	EXPECT(t, CKR_PIN_INCORRECT, Login, p.s, CKU_CONTEXT_SPECIFIC, WRONG);
	CHECK(t, world_state(t, p.s) == CKS_RW_USER_FUNCTIONS);
	OK(t, Login, p.s, CKU_CONTEXT_SPECIFIC, PIN);
	OK(t, Sign, p.s, world_text, 20, p.signature, &p.len);
}

static void elsewhere(struct suite *t)
{
	struct place p;
	CK_SESSION_HANDLE other;

	if (!enter(t, &p))
		return;
	other = world_open(t, RW);
	OK(t, SignInit, p.s, &mechanism, p.priv);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Login, other, CKU_CONTEXT_SPECIFIC, PIN);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, Sign, p.s, world_text, 20, p.signature, &p.len);
}

static const struct conform_case cases[] = {
	{"a key that is always authenticated signs after a login for each use", each_use},
	{"one login is for one signature, also in parts", in_parts},
	{"without that login a signature is CKR_USER_NOT_LOGGED_IN", without},
	{"a wrong PIN leaves the operation waiting for the right one", wrong_pin},
	{"the login is for the session of the operation", elsewhere},
};

const struct group group_context = {"context", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Verification: Base 5.15. */
#include <string.h>

#include "tests/conformance/world.h"

/* A mechanism with its keys and a signature of 50 bytes of text (ECDSA: 32). */
struct signed_text {
	CK_MECHANISM mechanism;
	CK_OBJECT_HANDLE sign_key;
	CK_OBJECT_HANDLE verify_key;
	CK_ULONG text_len;
	CK_BYTE signature[256];
	CK_ULONG len;
};

static void make(struct suite *t, CK_SESSION_HANDLE s, struct signed_text *x)
{
	x->len = sizeof(x->signature);
	OK(t, SignInit, s, &x->mechanism, x->sign_key);
	OK(t, Sign, s, world_text, x->text_len, x->signature, &x->len);
}

static void try_one(struct suite *t, CK_SESSION_HANDLE s, struct signed_text *x)
{
	make(t, s, x);
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	OK(t, Verify, s, world_text, x->text_len, x->signature, x->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Verify, s, world_text, x->text_len, x->signature,
	       x->len);
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	x->signature[x->len / 2] ^= 0x10;
	EXPECT(t, CKR_SIGNATURE_INVALID, Verify, s, world_text, x->text_len, x->signature, x->len);
	x->signature[x->len / 2] ^= 0x10;
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Verify, s, world_text, x->text_len, x->signature,
	       x->len);
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	world_text[3] ^= 1;
	EXPECT(t, CKR_SIGNATURE_INVALID, Verify, s, world_text, x->text_len, x->signature, x->len);
	world_text[3] ^= 1;
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	EXPECT(t, CKR_SIGNATURE_LEN_RANGE, Verify, s, world_text, x->text_len, x->signature,
	       x->len - 1);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Verify, s, world_text, x->text_len, x->signature,
	       x->len);
}

static void try_parts(struct suite *t, CK_SESSION_HANDLE s, struct signed_text *x)
{
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	OK(t, VerifyUpdate, s, world_text, 20);
	OK(t, VerifyUpdate, s, world_text + 20, x->text_len - 20);
	OK(t, VerifyFinal, s, x->signature, x->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyFinal, s, x->signature, x->len);
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	OK(t, VerifyUpdate, s, world_text, 20);
	EXPECT(t, CKR_SIGNATURE_INVALID, VerifyFinal, s, x->signature, x->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyUpdate, s, world_text, 20);
	OK(t, VerifyInit, s, &x->mechanism, x->verify_key);
	OK(t, VerifyUpdate, s, world_text, x->text_len);
	EXPECT(t, CKR_SIGNATURE_LEN_RANGE, VerifyFinal, s, x->signature, x->len - 1);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyFinal, s, x->signature, x->len);
}

static CK_MECHANISM_TYPE rsa_mechanism(struct suite *t)
{
	return world_has(t, CKM_SHA256_RSA_PKCS, CKF_SIGN | CKF_VERIFY) ? CKM_SHA256_RSA_PKCS
									: CKM_SHA1_RSA_PKCS;
}

static void rsa(struct suite *t)
{
	struct signed_text x = {.mechanism = {rsa_mechanism(t), NULL, 0}, .text_len = 50};
	CK_SESSION_HANDLE s = world_user(t);

	if (!world_rsa_pair(t, s, &x.verify_key, &x.sign_key))
		return;
	try_one(t, s, &x);
	try_parts(t, s, &x);
}

static void ecdsa(struct suite *t)
{
	struct signed_text x = {.mechanism = {CKM_ECDSA, NULL, 0}, .text_len = 32};
	CK_SESSION_HANDLE s = world_user(t);

	if (world_ec_pair(t, s, &x.verify_key, &x.sign_key))
		try_one(t, s, &x);
}

static void hmac(struct suite *t)
{
	struct signed_text x = {.mechanism = {CKM_SHA256_HMAC, NULL, 0}, .text_len = 50};
	CK_SESSION_HANDLE s = world_user(t);

	x.sign_key = x.verify_key = world_generic(t, s);
	try_one(t, s, &x);
	try_parts(t, s, &x);
}

static void of_nothing(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_BYTE mac[32];
	CK_ULONG len = sizeof(mac);

	OK(t, SignInit, s, &mechanism, key);
	OK(t, Sign, s, world_text, 0, mac, &len);
	OK(t, VerifyInit, s, &mechanism, key);
	OK(t, Verify, s, world_text, 0, mac, len);
	OK(t, VerifyInit, s, &mechanism, key);
	OK(t, VerifyUpdate, s, world_text, 0);
	OK(t, VerifyFinal, s, mac, len);
	OK(t, VerifyInit, s, &mechanism, key);
	EXPECT_ANY(t, CODES(CKR_OK, CKR_ARGUMENTS_BAD), Verify, s, NULL, 0, mac, len);
}

static void mistakes(struct suite *t)
{
	struct signed_text x = {.mechanism = {CKM_SHA256_HMAC, NULL, 0}, .text_len = 50};
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);

	x.sign_key = x.verify_key = world_generic(t, s);
	make(t, s, &x);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Verify, s, world_text, 50, x.signature, x.len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyUpdate, s, world_text, 50);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyFinal, s, x.signature, x.len);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, VerifyInit, s, &x.mechanism, 0);
	EXPECT(t, CKR_MECHANISM_INVALID, VerifyInit, s, &unknown, x.verify_key);
	OK(t, VerifyInit, s, &x.mechanism, x.verify_key);
	EXPECT(t, CKR_OPERATION_ACTIVE, VerifyInit, s, &x.mechanism, x.verify_key);
	OK(t, Verify, s, world_text, 50, x.signature, x.len);
	OK(t, VerifyInit, s, &x.mechanism, x.verify_key);
	EXPECT(t, CKR_ARGUMENTS_BAD, Verify, s, NULL, 50, x.signature, x.len);
	(void)CALL(t, VerifyInit, s, NULL, 0);
	OK(t, VerifyInit, s, &x.mechanism, x.verify_key);
	EXPECT(t, CKR_ARGUMENTS_BAD, Verify, s, world_text, 50, NULL, x.len);
}

static void public_verifies(struct suite *t)
{
	struct signed_text x = {.mechanism = {rsa_mechanism(t), NULL, 0}, .text_len = 50};
	CK_SESSION_HANDLE s = world_user(t);

	if (!world_rsa_pair(t, s, &x.verify_key, &x.sign_key))
		return;
	make(t, s, &x);
	if (world_is(t, s, x.verify_key, CKA_PRIVATE)) {
		suite_skip(t, "public keys are private objects here");
		return;
	}
	OK(t, Logout, s);
	OK(t, VerifyInit, s, &x.mechanism, x.verify_key);
	OK(t, Verify, s, world_text, 50, x.signature, x.len);
}

static const struct conform_case cases[] = {
	{"RSA signatures are verified, changed and short ones refused", rsa},
	{"ECDSA signatures are verified, changed and short ones refused", ecdsa},
	{"HMACs are verified, changed and short ones refused", hmac},
	{"the MAC of nothing is made and verified", of_nothing},
	{"the functions of verification answer each mistake with its code", mistakes},
	{"a public session verifies with a public key", public_verifies},
};

const struct group group_verify = {"verify", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* C_WrapKey, C_UnwrapKey: Base 5.18; AES key wrap: Current Mechanisms 2.14, checked with OpenSSL.
 */
#include <openssl/evp.h>
#include <string.h>

#include "tests/conformance/world.h"

static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_KEY_TYPE aes = CKK_AES;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
static CK_MECHANISM key_wrap = {CKM_AES_KEY_WRAP, NULL, 0};

/* RFC 3394 by OpenSSL: the generic secret (32 bytes) under world_key. */
static void reference(CK_BYTE out[static 40])
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-WRAP", NULL);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len = 0;

	if (c)
		EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	if (cipher && c && EVP_EncryptInit_ex2(c, cipher, world_key, NULL, NULL) == 1)
		(void)EVP_EncryptUpdate(c, out, &len, world_text, 32);
	EVP_CIPHER_CTX_free(c);
	EVP_CIPHER_free(cipher);
}

/* Again without the last attribute, CKA_SENSITIVE, for a token that wants to set it. */
static bool unwrap(struct suite *t, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE kek,
		   CK_BYTE *wrapped, CK_ULONG len, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		   CK_OBJECT_HANDLE *key)
{
	return OK(t, UnwrapKey, s, m, kek, wrapped, len, tmpl, count, key) ||
	       OK(t, UnwrapKey, s, m, kek, wrapped, len, tmpl, count - 1, key);
}

static void wraps(struct suite *t)
{
	CK_BYTE wanted[40] = {0};
	CK_BYTE got[64];
	CK_BYTE value[32];
	CK_ULONG len = 0;
	CK_OBJECT_HANDLE back = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE kek = world_aes(t, s);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic), NO(CKA_TOKEN),
			       YES(CKA_EXTRACTABLE), NO(CKA_SENSITIVE)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, value);

	if (!world_has(t, CKM_AES_KEY_WRAP, CKF_WRAP | CKF_UNWRAP)) {
		suite_skip(t, "no CKM_AES_KEY_WRAP");
		return;
	}
	reference(wanted);
	OK(t, WrapKey, s, &key_wrap, kek, key, NULL, &len);
	CHECK(t, len == 40);
	len = 39;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, WrapKey, s, &key_wrap, kek, key, got, &len);
	CHECK(t, len == 40);
	OK(t, WrapKey, s, &key_wrap, kek, key, got, &len);
	CHECK(t, len == 40 && memcmp(got, wanted, 40) == 0);
	if (!unwrap(t, s, &key_wrap, kek, wanted, 40, tmpl, COUNT(tmpl), &back))
		return;
	OK(t, GetAttributeValue, s, back, &read, 1);
	CHECK(t, read.ulValueLen == 32 && memcmp(value, world_text, 32) == 0);
	CHECK(t, !world_is(t, s, back, CKA_LOCAL));
	CHECK(t, !world_is(t, s, back, CKA_ALWAYS_SENSITIVE) &&
			 !world_is(t, s, back, CKA_NEVER_EXTRACTABLE));
}

static void damaged(struct suite *t)
{
	CK_BYTE wrapped[40] = {0};
	CK_OBJECT_HANDLE back = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE kek = world_aes(t, s);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic), NO(CKA_TOKEN)};

	if (!world_has(t, CKM_AES_KEY_WRAP, CKF_UNWRAP)) {
		suite_skip(t, "no CKM_AES_KEY_WRAP");
		return;
	}
	reference(wrapped);
	wrapped[20] ^= 1;
	EXPECT_ANY(t, CODES(CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE), UnwrapKey, s,
		   &key_wrap, kek, wrapped, 40, tmpl, COUNT(tmpl), &back);
	wrapped[20] ^= 1;
	EXPECT_ANY(t, CODES(CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE), UnwrapKey, s,
		   &key_wrap, kek, wrapped, 39, tmpl, COUNT(tmpl), &back);
	EXPECT_ANY(t, CODES(CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT), UnwrapKey, s,
		   &key_wrap, kek, wrapped, 40, tmpl, 0, &back);
}

/* A mechanism that the three makes have for wrapping. */
static bool any_wrap(struct suite *t, CK_MECHANISM *mechanism)
{
	static CK_BYTE iv[16];
	static const CK_MECHANISM known[] = {{CKM_AES_KEY_WRAP, NULL, 0},
					     {CKM_AES_CBC_PAD, iv, sizeof(iv)},
					     {CKM_AES_ECB, NULL, 0}};

	for (size_t i = 0; i < COUNT(known); i++)
		if (world_has(t, known[i].mechanism, CKF_WRAP | CKF_UNWRAP)) {
			*mechanism = known[i];
			return true;
		}
	return false;
}

static void round_trip(struct suite *t)
{
	CK_MECHANISM mechanism;
	CK_BYTE wrapped[64];
	CK_BYTE value[32];
	CK_ULONG len = sizeof(wrapped);
	CK_OBJECT_HANDLE back = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE kek = world_aes(t, s);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, aes), NO(CKA_TOKEN),
			       YES(CKA_EXTRACTABLE), NO(CKA_SENSITIVE)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, value);

	if (!any_wrap(t, &mechanism)) {
		suite_skip(t, "no mechanism to wrap with");
		return;
	}
	OK(t, WrapKey, s, &mechanism, kek, key, wrapped, &len);
	if (!unwrap(t, s, &mechanism, kek, wrapped, len, tmpl, COUNT(tmpl), &back))
		return;
	OK(t, GetAttributeValue, s, back, &read, 1);
	CHECK(t, read.ulValueLen == 32 && memcmp(value, world_text, 32) == 0);
}

static void private_key(struct suite *t)
{
	static CK_BYTE iv[16];
	CK_MECHANISM mechanism = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_MECHANISM gen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
	CK_KEY_TYPE ec = CKK_EC;
	CK_BYTE wrapped[512];
	CK_BYTE signature[64];
	CK_ULONG len = sizeof(wrapped);
	CK_ULONG signature_len = sizeof(signature);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_OBJECT_HANDLE back = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE kek = world_aes(t, s);
	CK_ATTRIBUTE of_public[] = {NO(CKA_TOKEN), YES(CKA_VERIFY),
				    BYTES(CKA_EC_PARAMS, world_p256)};
	CK_ATTRIBUTE of_private[] = {NO(CKA_TOKEN), YES(CKA_SIGN), YES(CKA_EXTRACTABLE)};
	CK_ATTRIBUTE of_back[] = {ATTR(CKA_CLASS, private), ATTR(CKA_KEY_TYPE, ec), NO(CKA_TOKEN),
				  YES(CKA_SIGN)};

	if (!world_has(t, CKM_AES_CBC_PAD, CKF_WRAP | CKF_UNWRAP) ||
	    !world_has(t, CKM_ECDSA, CKF_SIGN)) {
		suite_skip(t, "CKM_AES_CBC_PAD does not wrap, or no elliptic curves");
		return;
	}
	OK(t, GenerateKeyPair, s, &gen, of_public, 3, of_private, 3, &pub, &priv);
	OK(t, WrapKey, s, &mechanism, kek, priv, wrapped, &len);
	if (!OK(t, UnwrapKey, s, &mechanism, kek, wrapped, len, of_back, COUNT(of_back), &back))
		return;
	OK(t, SignInit, s, &ecdsa, back);
	OK(t, Sign, s, world_text, 32, signature, &signature_len);
	OK(t, VerifyInit, s, &ecdsa, pub);
	OK(t, Verify, s, world_text, 32, signature, signature_len);
}

static void with_rsa(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE wrapped[256];
	CK_BYTE value[32];
	CK_ULONG len = 0;
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_OBJECT_HANDLE back = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic), NO(CKA_TOKEN),
			       YES(CKA_EXTRACTABLE), NO(CKA_SENSITIVE)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, value);

	if (!world_has(t, CKM_RSA_PKCS, CKF_WRAP | CKF_UNWRAP) ||
	    !world_rsa_pair(t, s, &pub, &priv)) {
		suite_skip(t, "CKM_RSA_PKCS does not wrap");
		return;
	}
	OK(t, WrapKey, s, &mechanism, pub, key, NULL, &len);
	CHECK(t, len == 256);
	OK(t, WrapKey, s, &mechanism, pub, key, wrapped, &len);
	if (!unwrap(t, s, &mechanism, priv, wrapped, len, tmpl, COUNT(tmpl), &back))
		return;
	OK(t, GetAttributeValue, s, back, &read, 1);
	CHECK(t, read.ulValueLen == 32 && memcmp(value, world_text, 32) == 0);
}

static void unextractable(struct suite *t)
{
	CK_MECHANISM mechanism;
	CK_BYTE wrapped[64];
	CK_ULONG len = sizeof(wrapped);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE kek = world_aes(t, s);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_ATTRIBUTE fixed = NO(CKA_EXTRACTABLE);

	if (!any_wrap(t, &mechanism) || !OK(t, SetAttributeValue, s, key, &fixed, 1))
		return;
	EXPECT(t, CKR_KEY_UNEXTRACTABLE, WrapKey, s, &mechanism, kek, key, wrapped, &len);
}

static void mistakes(struct suite *t)
{
	CK_MECHANISM mechanism;
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_BYTE wrapped[64] = {0};
	CK_ULONG len = sizeof(wrapped);
	CK_OBJECT_HANDLE back = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE kek = world_aes(t, s);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, aes), NO(CKA_TOKEN)};

	if (!any_wrap(t, &mechanism))
		return;
	EXPECT(t, CKR_WRAPPING_KEY_HANDLE_INVALID, WrapKey, s, &mechanism, 0, key, wrapped, &len);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, WrapKey, s, &mechanism, kek, 0, wrapped, &len);
	EXPECT(t, CKR_MECHANISM_INVALID, WrapKey, s, &unknown, kek, key, wrapped, &len);
	EXPECT(t, CKR_ARGUMENTS_BAD, WrapKey, s, NULL, kek, key, wrapped, &len);
	EXPECT(t, CKR_ARGUMENTS_BAD, WrapKey, s, &mechanism, kek, key, wrapped, NULL);
	EXPECT(t, CKR_UNWRAPPING_KEY_HANDLE_INVALID, UnwrapKey, s, &mechanism, 0, wrapped, 40, tmpl,
	       3, &back);
	EXPECT(t, CKR_MECHANISM_INVALID, UnwrapKey, s, &unknown, kek, wrapped, 40, tmpl, 3, &back);
	EXPECT(t, CKR_ARGUMENTS_BAD, UnwrapKey, s, &mechanism, kek, NULL, 40, tmpl, 3, &back);
	EXPECT(t, CKR_ARGUMENTS_BAD, UnwrapKey, s, &mechanism, kek, wrapped, 40, NULL, 3, &back);
	EXPECT(t, CKR_ARGUMENTS_BAD, UnwrapKey, s, &mechanism, kek, wrapped, 40, tmpl, 3, NULL);
}

static const struct conform_case cases[] = {
	{"AES key wrap is right; size queries and small buffers are answered", wraps},
	{"a damaged key is not unwrapped", damaged},
	{"a secret key survives being wrapped", round_trip},
	{"a private key survives being wrapped", private_key},
	{"a secret key survives being wrapped with RSA", with_rsa},
	{"a key that is not extractable is not wrapped", unextractable},
	{"C_WrapKey and C_UnwrapKey answer each mistake with its code", mistakes},
};

const struct group group_wrap = {"wrap", CASES_OF(cases), false};

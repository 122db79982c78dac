/* SPDX-License-Identifier: BSD-2-Clause */
/* C_DeriveKey: Base 5.18; ECDH: Current Mechanisms 2.3.22; keys made of data: 2.31 to 2.33. */
#include <string.h>

#include "tests/conformance/world.h"

static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;

static bool point_of(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE pub,
		     CK_BYTE point[static 67])
{
	CK_ATTRIBUTE a = {CKA_EC_POINT, point, 67};

	return OK(t, GetAttributeValue, s, pub, &a, 1) && CHECK(t, a.ulValueLen == 67);
}

/* The shared secret of a private key and a public point (in or without its OCTET STRING). */
static bool agree(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE priv, CK_BYTE *point,
		  CK_ULONG len, CK_BYTE out[static 32])
{
	CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, len, point};
	CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof(params)};
	CK_ULONG size = 32;
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic),
			       NO(CKA_TOKEN),           NO(CKA_SENSITIVE),
			       YES(CKA_EXTRACTABLE),    ATTR(CKA_VALUE_LEN, size)};
	CK_ATTRIBUTE read = {CKA_VALUE, out, 32};

	if (!OK(t, DeriveKey, s, &mechanism, priv, tmpl, COUNT(tmpl), &key))
		return false;
	CHECK(t, !world_is(t, s, key, CKA_LOCAL));
	return OK(t, GetAttributeValue, s, key, &read, 1) && CHECK(t, read.ulValueLen == 32);
}

static void ecdh(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE pub[2] = {0, 0};
	CK_OBJECT_HANDLE priv[2] = {0, 0};
	CK_BYTE point[2][67];
	CK_BYTE shared[2][32];

	if (!world_has(t, CKM_ECDH1_DERIVE, CKF_DERIVE)) {
		suite_skip(t, "no CKM_ECDH1_DERIVE");
		return;
	}
	for (int i = 0; i < 2; i++)
		if (!world_ec_pair(t, s, &pub[i], &priv[i]) || !point_of(t, s, pub[i], point[i]))
			return;
	if (!agree(t, s, priv[0], point[1] + 2, 65, shared[0]) ||
	    !agree(t, s, priv[1], point[0] + 2, 65, shared[1]))
		return;
	CHECK(t, memcmp(shared[0], shared[1], 32) == 0);
	if (!agree(t, s, priv[1], point[1] + 2, 65, shared[1]))
		return;
	CHECK(t, memcmp(shared[0], shared[1], 32) != 0);
}

static void ecdh_errors(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG size = 32;
	CK_BYTE bad[65] = {4};
	CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, sizeof(bad), bad};
	CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof(params)};
	CK_MECHANISM cut = {CKM_ECDH1_DERIVE, &params, 8};
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic), NO(CKA_TOKEN),
			       ATTR(CKA_VALUE_LEN, size)};

	if (!world_has(t, CKM_ECDH1_DERIVE, CKF_DERIVE) || !world_ec_pair(t, s, &pub, &priv))
		return;
	EXPECT(t, CKR_KEY_HANDLE_INVALID, DeriveKey, s, &mechanism, 0, tmpl, COUNT(tmpl), &key);
	EXPECT(t, CKR_MECHANISM_INVALID, DeriveKey, s, &unknown, priv, tmpl, COUNT(tmpl), &key);
	EXPECT(t, CKR_MECHANISM_PARAM_INVALID, DeriveKey, s, &cut, priv, tmpl, COUNT(tmpl), &key);
	EXPECT(t, CKR_ARGUMENTS_BAD, DeriveKey, s, NULL, priv, tmpl, COUNT(tmpl), &key);
	EXPECT(t, CKR_ARGUMENTS_BAD, DeriveKey, s, &mechanism, priv, NULL, 4, &key);
	EXPECT(t, CKR_ARGUMENTS_BAD, DeriveKey, s, &mechanism, priv, tmpl, COUNT(tmpl), NULL);
	CHECK(t, CALL(t, DeriveKey, s, &mechanism, priv, tmpl, COUNT(tmpl), &key) != CKR_OK);
}

static void aes_data(struct suite *t)
{
	CK_KEY_DERIVATION_STRING_DATA params = {world_text, 32};
	CK_MECHANISM mechanism = {CKM_AES_ECB_ENCRYPT_DATA, &params, sizeof(params)};
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_BYTE wanted[32];
	CK_BYTE got[32];
	CK_ULONG len = sizeof(wanted);
	CK_ULONG size = 32;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	CK_OBJECT_HANDLE derived = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic),
			       NO(CKA_TOKEN),           NO(CKA_SENSITIVE),
			       YES(CKA_EXTRACTABLE),    ATTR(CKA_VALUE_LEN, size)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, got);

	if (!world_has(t, CKM_AES_ECB_ENCRYPT_DATA, CKF_DERIVE)) {
		suite_skip(t, "no CKM_AES_ECB_ENCRYPT_DATA");
		return;
	}
	OK(t, EncryptInit, s, &ecb, key);
	OK(t, Encrypt, s, world_text, 32, wanted, &len);
	OK(t, DeriveKey, s, &mechanism, key, tmpl, COUNT(tmpl), &derived);
	OK(t, GetAttributeValue, s, derived, &read, 1);
	CHECK(t, read.ulValueLen == 32 && memcmp(got, wanted, 32) == 0);
}

/* The parameter is the handle of a key: it has to be translated. */
static void two_keys(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE base = world_generic(t, s);
	CK_OBJECT_HANDLE added = world_aes(t, s);
	CK_MECHANISM mechanism = {CKM_CONCATENATE_BASE_AND_KEY, &added, sizeof(added)};
	CK_OBJECT_HANDLE derived = 0;
	CK_BYTE got[64];
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic), NO(CKA_TOKEN),
			       NO(CKA_SENSITIVE), YES(CKA_EXTRACTABLE)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, got);
	CK_OBJECT_HANDLE none = 0x7ffffff0UL;
	CK_MECHANISM bad = {CKM_CONCATENATE_BASE_AND_KEY, &none, sizeof(none)};

	if (!world_has(t, CKM_CONCATENATE_BASE_AND_KEY, CKF_DERIVE)) {
		suite_skip(t, "no CKM_CONCATENATE_BASE_AND_KEY");
		return;
	}
	OK(t, DeriveKey, s, &mechanism, base, tmpl, COUNT(tmpl), &derived);
	OK(t, GetAttributeValue, s, derived, &read, 1);
	CHECK(t, read.ulValueLen == 48 && memcmp(got, world_text, 32) == 0 &&
			 memcmp(got + 32, world_key, 16) == 0);
	EXPECT_ANY(t, CODES(CKR_KEY_HANDLE_INVALID, CKR_MECHANISM_PARAM_INVALID), DeriveKey, s,
		   &bad, base, tmpl, COUNT(tmpl), &derived);
}

static void concatenates(struct suite *t)
{
	CK_KEY_DERIVATION_STRING_DATA params = {world_text + 32, 16};
	CK_MECHANISM mechanism = {CKM_CONCATENATE_BASE_AND_DATA, &params, sizeof(params)};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE base = world_generic(t, s);
	CK_OBJECT_HANDLE derived = 0;
	CK_BYTE got[64];
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, generic), NO(CKA_TOKEN),
			       NO(CKA_SENSITIVE), YES(CKA_EXTRACTABLE)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, got);

	if (!world_has(t, CKM_CONCATENATE_BASE_AND_DATA, CKF_DERIVE)) {
		suite_skip(t, "no CKM_CONCATENATE_BASE_AND_DATA");
		return;
	}
	OK(t, DeriveKey, s, &mechanism, base, tmpl, COUNT(tmpl), &derived);
	OK(t, GetAttributeValue, s, derived, &read, 1);
	CHECK(t, read.ulValueLen == 48 && memcmp(got, world_text, 48) == 0);
}

static const struct conform_case cases[] = {
	{"two ECDH keys agree on a secret", ecdh},
	{"C_DeriveKey answers each mistake with its code", ecdh_errors},
	{"AES makes a key of data", aes_data},
	{"a key is made of two keys, one named in the parameter", two_keys},
	{"a key is made of a key and data", concatenates},
};

const struct group group_derive = {"derive", CASES_OF(cases), false};

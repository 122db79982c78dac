/* SPDX-License-Identifier: BSD-2-Clause */
/* C_GenerateKey, C_GenerateKeyPair: Base 5.18; attributes of new keys: 4.7 to 4.10. */
#include <string.h>

#include "tests/conformance/world.h"

static CK_MECHANISM aes_gen = {CKM_AES_KEY_GEN, NULL, 0};
static CK_MECHANISM rsa_gen = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
static CK_MECHANISM ec_gen = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

static CK_ULONG number(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
		       CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG value = ~(CK_ULONG)0;
	CK_ATTRIBUTE a = ATTR(type, value);

	OK(t, GetAttributeValue, s, o, &a, 1);
	return value;
}

static void secret(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = {NO(CKA_TOKEN), YES(CKA_SENSITIVE), NO(CKA_EXTRACTABLE),
			       ATTR(CKA_VALUE_LEN, len)};

	if (!OK(t, GenerateKey, s, &aes_gen, tmpl, COUNT(tmpl), &key))
		return;
	CHECK(t, number(t, s, key, CKA_CLASS) == CKO_SECRET_KEY);
	CHECK(t, number(t, s, key, CKA_KEY_TYPE) == CKK_AES);
	CHECK(t, number(t, s, key, CKA_VALUE_LEN) == 32);
	CHECK(t, number(t, s, key, CKA_KEY_GEN_MECHANISM) == CKM_AES_KEY_GEN);
	CHECK(t, world_is(t, s, key, CKA_LOCAL));
	CHECK(t, world_is(t, s, key, CKA_ALWAYS_SENSITIVE));
	CHECK(t, world_is(t, s, key, CKA_NEVER_EXTRACTABLE));
	CHECK(t, !world_is(t, s, key, CKA_TOKEN));
}

static void open_secret(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = 0;
	CK_OBJECT_HANDLE other = 0;
	CK_ULONG len = 16;
	CK_BYTE one[16] = {0};
	CK_BYTE two[16] = {0};
	CK_ATTRIBUTE tmpl[] = {NO(CKA_TOKEN), NO(CKA_SENSITIVE), YES(CKA_EXTRACTABLE),
			       ATTR(CKA_VALUE_LEN, len)};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, one);

	OK(t, GenerateKey, s, &aes_gen, tmpl, COUNT(tmpl), &key);
	OK(t, GenerateKey, s, &aes_gen, tmpl, COUNT(tmpl), &other);
	CHECK(t, key != other);
	OK(t, GetAttributeValue, s, key, &read, 1);
	read.pValue = two;
	OK(t, GetAttributeValue, s, other, &read, 1);
	CHECK(t, memcmp(one, two, 16) != 0);
	CHECK(t, !world_is(t, s, key, CKA_ALWAYS_SENSITIVE) &&
			 !world_is(t, s, key, CKA_NEVER_EXTRACTABLE));
}

static void secret_errors(struct suite *t)
{
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_MECHANISM wrong = {CKM_AES_CBC, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG len = 17;
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_DES3;
	CK_ATTRIBUTE odd[] = {NO(CKA_TOKEN), ATTR(CKA_VALUE_LEN, len)};
	CK_ATTRIBUTE other_type[] = {NO(CKA_TOKEN), ATTR(CKA_VALUE_LEN, len),
				     ATTR(CKA_KEY_TYPE, type)};
	CK_ATTRIBUTE other_class[] = {NO(CKA_TOKEN), ATTR(CKA_VALUE_LEN, len),
				      ATTR(CKA_CLASS, class)};

	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT), GenerateKey, s,
		   &aes_gen, odd, COUNT(odd), &key);
	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, GenerateKey, s, &aes_gen, odd, 1, &key);
	len = 16;
	EXPECT(t, CKR_TEMPLATE_INCONSISTENT, GenerateKey, s, &aes_gen, other_type, 3, &key);
	EXPECT(t, CKR_TEMPLATE_INCONSISTENT, GenerateKey, s, &aes_gen, other_class, 3, &key);
	EXPECT(t, CKR_MECHANISM_INVALID, GenerateKey, s, &unknown, odd, COUNT(odd), &key);
	EXPECT(t, CKR_MECHANISM_INVALID, GenerateKey, s, &wrong, odd, COUNT(odd), &key);
	EXPECT(t, CKR_MECHANISM_INVALID, GenerateKey, s, &rsa_gen, odd, COUNT(odd), &key);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKey, s, NULL, odd, COUNT(odd), &key);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKey, s, &aes_gen, NULL, 2, &key);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKey, s, &aes_gen, odd, COUNT(odd), NULL);
}

static void empty_template(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_DES3_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE unused = NO(CKA_TOKEN);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = 0;

	if (!world_has(t, CKM_DES3_KEY_GEN, CKF_GENERATE)) {
		suite_skip(t, "no CKM_DES3_KEY_GEN");
		return;
	}
	OK(t, GenerateKey, s, &mechanism, NULL, 0, &key);
	CHECK(t, key != 0 && !world_is(t, s, key, CKA_TOKEN));
	OK(t, GenerateKey, s, &mechanism, &unused, 0, &key);
	CHECK(t, number(t, s, key, CKA_KEY_TYPE) == CKK_DES3);
}

static void rsa_pair(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_BYTE one[256];
	CK_BYTE two[256];
	CK_BYTE hidden[256];
	CK_ATTRIBUTE a = BYTES(CKA_MODULUS, one);
	CK_ATTRIBUTE b = BYTES(CKA_MODULUS, two);
	CK_ATTRIBUTE d = BYTES(CKA_PRIVATE_EXPONENT, hidden);

	if (!world_rsa_pair(t, s, &pub, &priv))
		return;
	CHECK(t, pub != priv && pub != 0 && priv != 0);
	CHECK(t, number(t, s, pub, CKA_CLASS) == CKO_PUBLIC_KEY);
	CHECK(t, number(t, s, priv, CKA_CLASS) == CKO_PRIVATE_KEY);
	CHECK(t, number(t, s, pub, CKA_KEY_TYPE) == CKK_RSA &&
			 number(t, s, priv, CKA_KEY_TYPE) == CKK_RSA);
	CHECK(t, world_is(t, s, pub, CKA_LOCAL) && world_is(t, s, priv, CKA_LOCAL));
	CHECK(t, world_is(t, s, priv, CKA_SENSITIVE) && world_is(t, s, priv, CKA_ALWAYS_SENSITIVE));
	OK(t, GetAttributeValue, s, pub, &a, 1);
	OK(t, GetAttributeValue, s, priv, &b, 1);
	CHECK(t, a.ulValueLen == 256 && b.ulValueLen == 256 && memcmp(one, two, 256) == 0);
	EXPECT(t, CKR_ATTRIBUTE_SENSITIVE, GetAttributeValue, s, priv, &d, 1);
}

static void pair_errors(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_UTF8CHAR label[] = "conform failed";
	CK_BYTE no_curve[] = {0x06, 0x03, 0x2a, 0x03, 0x04};
	CK_ATTRIBUTE incomplete[] = {NO(CKA_TOKEN), {CKA_LABEL, label, sizeof(label) - 1}};
	CK_ATTRIBUTE bad[] = {NO(CKA_TOKEN),
			      {CKA_LABEL, label, sizeof(label) - 1},
			      BYTES(CKA_EC_PARAMS, no_curve)};
	CK_ATTRIBUTE fine[] = {NO(CKA_TOKEN), BYTES(CKA_EC_PARAMS, world_p256)};

	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, GenerateKeyPair, s, &rsa_gen, incomplete, 2, incomplete,
	       2, &pub, &priv);
	if (!world_has(t, CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		return;
	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, GenerateKeyPair, s, &ec_gen, incomplete, 2, incomplete,
	       2, &pub, &priv);
	EXPECT_ANY(t,
		   CODES(CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID,
			 CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT),
		   GenerateKeyPair, s, &ec_gen, bad, 3, incomplete, 2, &pub, &priv);
	EXPECT(t, CKR_MECHANISM_INVALID, GenerateKeyPair, s, &aes_gen, fine, 2, incomplete, 1, &pub,
	       &priv);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKeyPair, s, NULL, fine, 2, incomplete, 1, &pub, &priv);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKeyPair, s, &ec_gen, fine, 2, incomplete, 1, NULL,
	       &priv);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKeyPair, s, &ec_gen, fine, 2, incomplete, 1, &pub,
	       NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateKeyPair, s, &ec_gen, NULL, 2, incomplete, 1, &pub,
	       &priv);
	CHECK(t, world_count(t, s, "conform failed") == 0);
}

static void needs_login(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_ULONG bits = 2048;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_ATTRIBUTE public[] = {NO(CKA_TOKEN), ATTR(CKA_MODULUS_BITS, bits),
				 BYTES(CKA_PUBLIC_EXPONENT, exponent)};
	CK_ATTRIBUTE private[] = {NO(CKA_TOKEN), YES(CKA_PRIVATE)};

	EXPECT(t, CKR_USER_NOT_LOGGED_IN, GenerateKeyPair, s, &rsa_gen, public, 3, private, 2, &pub,
	       &priv);
	private[0] = (CK_ATTRIBUTE)YES(CKA_TOKEN);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, GenerateKeyPair, s, &rsa_gen, public, 3, private, 2, &pub,
	       &priv);
}

static void on_token(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_UTF8CHAR label[] = "conform lasting";
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_BYTE signature[64];
	CK_ULONG len = sizeof(signature);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_ATTRIBUTE public[] = {YES(CKA_TOKEN),
				 {CKA_LABEL, label, sizeof(label) - 1},
				 YES(CKA_VERIFY),
				 BYTES(CKA_EC_PARAMS, world_p256)};
	CK_ATTRIBUTE private[] = {YES(CKA_TOKEN),
				  {CKA_LABEL, label, sizeof(label) - 1},
				  YES(CKA_PRIVATE),
				  YES(CKA_SENSITIVE),
				  YES(CKA_SIGN)};

	if (!world_has(t, CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR)) {
		suite_skip(t, "no elliptic curves");
		return;
	}
	if (!OK(t, GenerateKeyPair, s, &ec_gen, public, COUNT(public), private, COUNT(private),
		&pub, &priv))
		return;
	OK(t, CloseSession, s);
	s = world_user(t);
	CHECK(t, world_count(t, s, "conform lasting") == 2);
	EXPECT_ANY(t, CODES(CKR_KEY_HANDLE_INVALID), SignInit, s, &ecdsa, priv);
	private[0] = (CK_ATTRIBUTE)YES(CKA_SIGN);
	OK(t, FindObjectsInit, s, private, 2);
	OK(t, FindObjects, s, &priv, 1, &len);
	OK(t, FindObjectsFinal, s);
	CHECK(t, len == 1);
	len = sizeof(signature);
	OK(t, SignInit, s, &ecdsa, priv);
	OK(t, Sign, s, world_text, 32, signature, &len);
	world_destroy(t, s, "conform lasting");
}

static const struct conform_case cases[] = {
	{"a generated secret key has the attributes of the standard", secret},
	{"generated keys differ, and an open one can be read", open_secret},
	{"a key is generated from an empty template", empty_template},
	{"a generated key pair has the attributes of the standard", rsa_pair},
	{"private keys are not generated without a login", needs_login},
	{"a key pair on the token outlives the session", on_token},
	{"C_GenerateKeyPair answers each mistake with its code and leaves nothing", pair_errors},
	{"C_GenerateKey answers each mistake with its code", secret_errors},
};

const struct group group_generate = {"generate", CASES_OF(cases), false};

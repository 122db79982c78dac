/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures and MACs: Base 5.13; RSA, ECDSA, HMAC: Current Mechanisms 2.1, 2.3, 2.20; checked with
 * OpenSSL from the public key's attributes. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "tests/conformance/world.h"

static EVP_PKEY *pkey_of(const char *type, OSSL_PARAM_BLD *builder)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY *pkey = NULL;

	if (c && params && EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(c);
	return pkey;
}

static EVP_PKEY *rsa_public(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE pub)
{
	CK_BYTE modulus[512];
	CK_BYTE exponent[8];
	CK_ATTRIBUTE tmpl[] = {BYTES(CKA_MODULUS, modulus), BYTES(CKA_PUBLIC_EXPONENT, exponent)};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n;
	BIGNUM *e;
	EVP_PKEY *pkey;

	OK(t, GetAttributeValue, s, pub, tmpl, COUNT(tmpl));
	n = BN_bin2bn(modulus, (int)tmpl[0].ulValueLen, NULL);
	e = BN_bin2bn(exponent, (int)tmpl[1].ulValueLen, NULL);
	(void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	(void)OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
	pkey = pkey_of("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static EVP_PKEY *ec_public(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE pub)
{
	CK_BYTE point[128];
	CK_ATTRIBUTE tmpl[] = {BYTES(CKA_EC_POINT, point)};
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey;

	OK(t, GetAttributeValue, s, pub, tmpl, 1);
	CHECK(t, tmpl[0].ulValueLen == 67 && point[0] == 4 && point[1] == 65);
	(void)OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
	(void)OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point + 2, 65);
	pkey = pkey_of("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

/* A signature of 2048 bits over the first 50 bytes of world_text. */
static bool rsa_holds(EVP_PKEY *pkey, const EVP_MD *md, int padding, const CK_BYTE *sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL;
	bool holds = pkey && c && EVP_DigestVerifyInit(c, &key_context, md, NULL, pkey) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(key_context, padding) == 1 &&
		     EVP_DigestVerify(c, sig, 256, world_text, 50) == 1;

	EVP_MD_CTX_free(c);
	return holds;
}

/* ECDSA: r and s, each half of the signature. */
static bool ecdsa_holds(EVP_PKEY *pkey, const CK_BYTE *hash, size_t len, const CK_BYTE *sig,
			size_t sig_len)
{
	int half = (int)sig_len / 2;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	unsigned char *der = NULL;
	int der_len;
	bool holds;

	(void)ECDSA_SIG_set0(pair, BN_bin2bn(sig, half, NULL), BN_bin2bn(sig + half, half, NULL));
	der_len = i2d_ECDSA_SIG(pair, &der);
	holds = c && der_len > 0 && EVP_PKEY_verify_init(c) == 1 &&
		EVP_PKEY_verify(c, der, (size_t)der_len, hash, len) == 1;
	OPENSSL_free(der);
	EVP_PKEY_CTX_free(c);
	ECDSA_SIG_free(pair);
	return holds;
}

/* In one part, with a size query and a small buffer on the way. */
static CK_ULONG sign(struct suite *t, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key,
		     CK_ULONG len, CK_BYTE *out, CK_ULONG size)
{
	CK_ULONG out_len = 0;

	OK(t, SignInit, s, m, key);
	OK(t, Sign, s, world_text, len, NULL, &out_len);
	CHECK(t, out_len >= size);
	out_len = size - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, Sign, s, world_text, len, out, &out_len);
	CHECK(t, out_len == size);
	OK(t, Sign, s, world_text, len, out, &out_len);
	CHECK(t, out_len == size);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Sign, s, world_text, len, out, &out_len);
	return out_len;
}

static CK_ULONG sign_in_parts(struct suite *t, CK_SESSION_HANDLE s, CK_MECHANISM *m,
			      CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG size)
{
	CK_ULONG out_len = 0;

	OK(t, SignInit, s, m, key);
	OK(t, SignUpdate, s, world_text, 1);
	OK(t, SignUpdate, s, world_text + 1, 30);
	OK(t, SignUpdate, s, world_text + 31, 19);
	if (strcmp(t->kind, "opencryptoki") != 0) { /* 3.8.1 crashes there with an HMAC */
		OK(t, SignFinal, s, NULL, &out_len);
		CHECK(t, out_len >= size);
	}
	out_len = size - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, SignFinal, s, out, &out_len);
	CHECK(t, out_len == size);
	OK(t, SignFinal, s, out, &out_len);
	CHECK(t, out_len == size);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, SignFinal, s, out, &out_len);
	return out_len;
}

static void rsa_pkcs(struct suite *t)
{
	bool has_256 = world_has(t, CKM_SHA256_RSA_PKCS, CKF_SIGN);
	CK_MECHANISM mechanism = {has_256 ? CKM_SHA256_RSA_PKCS : CKM_SHA1_RSA_PKCS, NULL, 0};
	const EVP_MD *md = has_256 ? EVP_sha256() : EVP_sha1();
	CK_BYTE signature[256];
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_SESSION_HANDLE s = world_user(t);
	EVP_PKEY *pkey;

	if (!world_rsa_pair(t, s, &pub, &priv))
		return;
	pkey = rsa_public(t, s, pub);
	sign(t, s, &mechanism, priv, 50, signature, 256);
	CHECK(t, rsa_holds(pkey, md, RSA_PKCS1_PADDING, signature));
	sign_in_parts(t, s, &mechanism, priv, signature, 256);
	CHECK(t, rsa_holds(pkey, md, RSA_PKCS1_PADDING, signature));
	EVP_PKEY_free(pkey);
}

static void rsa_pss(struct suite *t)
{
	CK_RSA_PKCS_PSS_PARAMS params = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS_PSS, &params, sizeof(params)};
	CK_BYTE signature[256];
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_SESSION_HANDLE s = world_user(t);
	EVP_PKEY *pkey;

	if (!world_has(t, CKM_SHA256_RSA_PKCS_PSS, CKF_SIGN) || !world_rsa_pair(t, s, &pub, &priv))
		return;
	pkey = rsa_public(t, s, pub);
	sign(t, s, &mechanism, priv, 50, signature, 256);
	CHECK(t, rsa_holds(pkey, EVP_sha256(), RSA_PKCS1_PSS_PADDING, signature));
	sign_in_parts(t, s, &mechanism, priv, signature, 256);
	CHECK(t, rsa_holds(pkey, EVP_sha256(), RSA_PKCS1_PSS_PADDING, signature));
	EVP_PKEY_free(pkey);
}

static void ecdsa(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE signature[64];
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_SESSION_HANDLE s = world_user(t);
	EVP_PKEY *pkey;

	if (!world_has(t, CKM_ECDSA, CKF_SIGN) || !world_ec_pair(t, s, &pub, &priv))
		return;
	pkey = ec_public(t, s, pub);
	sign(t, s, &mechanism, priv, 32, signature, 64);
	CHECK(t, ecdsa_holds(pkey, world_text, 32, signature, 64));
	world_text[0] ^= 1;
	CHECK(t, !ecdsa_holds(pkey, world_text, 32, signature, 64));
	world_text[0] ^= 1;
	EVP_PKEY_free(pkey);
}

static void hmac(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	unsigned char wanted[32];
	unsigned wanted_len = 0;
	CK_BYTE mac[32];

	(void)HMAC(EVP_sha256(), world_text, 32, world_text, 50, wanted, &wanted_len);
	sign(t, s, &mechanism, key, 50, mac, 32);
	CHECK(t, memcmp(mac, wanted, 32) == 0);
	sign_in_parts(t, s, &mechanism, key, mac, 32);
	CHECK(t, memcmp(mac, wanted, 32) == 0);
}

static void cmac(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	unsigned char wanted[16];
	size_t wanted_len = 0;
	CK_BYTE mac[16];

	if (!world_has(t, CKM_AES_CMAC, CKF_SIGN)) {
		suite_skip(t, "no CKM_AES_CMAC");
		return;
	}
	(void)EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, world_key, 16, world_text, 50,
			wanted, 16, &wanted_len);
	sign(t, s, &mechanism, key, 50, mac, 16);
	CHECK(t, wanted_len == 16 && memcmp(mac, wanted, 16) == 0);
	sign_in_parts(t, s, &mechanism, key, mac, 16);
	CHECK(t, memcmp(mac, wanted, 16) == 0);
}

static void recover(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE signature[256];
	CK_BYTE back[256];
	CK_ULONG len = 0;
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_SESSION_HANDLE s = world_user(t);

	EXPECT_ANY(t, CODES(CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED), SignRecover,
		   s, world_text, 10, signature, &len);
	if (!world_has(t, CKM_RSA_PKCS, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER) ||
	    !world_rsa_pair(t, s, &pub, &priv))
		return;
	OK(t, SignRecoverInit, s, &mechanism, priv);
	OK(t, SignRecover, s, world_text, 30, NULL, &len);
	CHECK(t, len == 256);
	len = 255;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, SignRecover, s, world_text, 30, signature, &len);
	CHECK(t, len == 256);
	OK(t, SignRecover, s, world_text, 30, signature, &len);
	OK(t, VerifyRecoverInit, s, &mechanism, pub);
	len = sizeof(back);
	OK(t, VerifyRecover, s, signature, 256, back, &len);
	CHECK(t, len == 30 && memcmp(back, world_text, 30) == 0);
	signature[100] ^= 1;
	OK(t, VerifyRecoverInit, s, &mechanism, pub);
	len = sizeof(back);
	EXPECT_ANY(t, CODES(CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE), VerifyRecover, s,
		   signature, 256, back, &len);
}

static void mistakes(struct suite *t)
{
	CK_MECHANISM hmac_mechanism = {CKM_SHA256_HMAC, NULL, 0};
	CK_MECHANISM ecdsa_mechanism = {CKM_ECDSA, NULL, 0};
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_MECHANISM digest = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_OBJECT_HANDLE object = world_object(t, s, "conform mine", false, false);
	CK_ULONG len = 64;

	EXPECT(t, CKR_KEY_HANDLE_INVALID, SignInit, s, &hmac_mechanism, 0);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, SignInit, s, &hmac_mechanism, 0x7ffffff0UL);
	EXPECT_ANY(t, CODES(CKR_KEY_HANDLE_INVALID, CKR_KEY_TYPE_INCONSISTENT), SignInit, s,
		   &hmac_mechanism, object);
	EXPECT(t, CKR_MECHANISM_INVALID, SignInit, s, &unknown, key);
	EXPECT(t, CKR_MECHANISM_INVALID, SignInit, s, &digest, key);
	if (world_has(t, CKM_ECDSA, CKF_SIGN))
		EXPECT_ANY(t, CODES(CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED),
			   SignInit, s, &ecdsa_mechanism, key);
	(void)CALL(t, SignInit, s, NULL, 0);
	OK(t, SignInit, s, &hmac_mechanism, key);
	EXPECT(t, CKR_ARGUMENTS_BAD, Sign, s, world_text, 10, NULL, NULL);
	(void)CALL(t, SignInit, s, NULL, 0);
	OK(t, SignInit, s, &hmac_mechanism, key);
	EXPECT(t, CKR_ARGUMENTS_BAD, Sign, s, NULL, 10, world_text, &len);
}

static void too_long(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE text[256] = {0};
	CK_BYTE signature[256];
	CK_ULONG len = sizeof(signature);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_SESSION_HANDLE s = world_user(t);

	if (!world_rsa_pair(t, s, &pub, &priv))
		return;
	OK(t, SignInit, s, &mechanism, priv);
	EXPECT(t, CKR_DATA_LEN_RANGE, Sign, s, text, 246, signature, &len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Sign, s, text, 20, signature, &len);
	OK(t, SignInit, s, &mechanism, priv);
	len = sizeof(signature);
	OK(t, Sign, s, text, 245, signature, &len);
}

static const struct conform_case cases[] = {
	{"RSA PKCS#1 signatures are right, in one part and in several", rsa_pkcs},
	{"RSA PSS signatures are right, in one part and in several", rsa_pss},
	{"ECDSA signatures are right", ecdsa},
	{"HMAC is right, in one part and in several", hmac},
	{"AES-CMAC is right, in one part and in several", cmac},
	{"data is recovered from signatures, or not supported", recover},
	{"data that does not fit the key is CKR_DATA_LEN_RANGE", too_long},
	{"C_SignInit and C_Sign answer each mistake with its code", mistakes},
};

const struct group group_sign = {"sign", CASES_OF(cases), false};

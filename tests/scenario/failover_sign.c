/* SPDX-License-Identifier: BSD-2-Clause */
/* Signing and verifying, in one call and in parts. OpenSSL has the last word on every signature,
 * and makes those that the token verifies. */
#include "tests/scenario/failover.h"

#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

/* Not a multiple of any block, and long enough for several parts. */
#define DATA_LEN 1000
#define PART     300

/* What is signed, how, and the signature. */
struct deed {
	CK_MECHANISM mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss;
	CK_OBJECT_HANDLE private_key;
	CK_OBJECT_HANDLE public_key;
	unsigned char data[DATA_LEN];
	size_t data_len;
	unsigned char signature[512];
	CK_ULONG len;
};

static void prepare(struct deed *d, const struct seat *seat, CK_MECHANISM_TYPE type)
{
	const CK_OBJECT_HANDLE *things = seat->world->things;
	bool is_ec = type == CKM_ECDSA;
	bool is_mac = type == CKM_SHA256_HMAC;

	d->mechanism = (CK_MECHANISM){type, NULL, 0};
	if (type == CKM_SHA256_RSA_PKCS_PSS) {
		d->pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, 32};
		d->mechanism = (CK_MECHANISM){type, &d->pss, sizeof(d->pss)};
	}
	d->private_key = things[is_mac ? MAC_KEY : is_ec ? EC_PRIVATE : RSA_PRIVATE];
	d->public_key = things[is_mac ? MAC_KEY : is_ec ? EC_PUBLIC : RSA_PUBLIC];
	d->data_len = is_ec || type == CKM_RSA_PKCS ? 32 : DATA_LEN;
	CHECK(RAND_bytes(d->data, (int)d->data_len) == 1);
	d->len = sizeof(d->signature);
}

/* A context of OpenSSL for the same thing. */
static EVP_PKEY_CTX *raw_context(const struct deed *d, const struct seat *seat)
{
	const struct material *keys = &seat->world->keys;
	bool is_ec = d->mechanism.mechanism == CKM_ECDSA;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(is_ec ? keys->ec : keys->rsa, NULL);

	CHECK(ctx != NULL);
	return ctx;
}

static bool mac_holds(const struct deed *d, const struct seat *seat)
{
	unsigned char mac[32];
	unsigned int len = 0;

	CHECK(HMAC(EVP_sha256(), seat->world->keys.mac, 32, d->data, d->data_len, mac, &len));
	return d->len == 32 && memcmp(mac, d->signature, 32) == 0;
}

static bool raw_holds(const struct deed *d, const struct seat *seat)
{
	EVP_PKEY_CTX *ctx = raw_context(d, seat);
	unsigned char der[80];
	unsigned char *end = der;
	const unsigned char *signature = d->signature;
	size_t len = d->len;
	bool holds;

	if (d->mechanism.mechanism == CKM_ECDSA) {
		ECDSA_SIG *pair = ECDSA_SIG_new();

		CHECK(d->len == 64);
		CHECK(ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL),
				     BN_bin2bn(signature + 32, 32, NULL)) == 1);
		len = (size_t)i2d_ECDSA_SIG(pair, &end);
		signature = der;
		ECDSA_SIG_free(pair);
	}
	holds = EVP_PKEY_verify_init(ctx) == 1 &&
		EVP_PKEY_verify(ctx, signature, len, d->data, d->data_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return holds;
}

static bool hashed_holds(const struct deed *d, const struct seat *seat)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key = NULL;
	bool holds =
		EVP_DigestVerifyInit(ctx, &key, EVP_sha256(), NULL, seat->world->keys.rsa) == 1;

	if (d->pss.hashAlg)
		holds = holds && EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
			EVP_PKEY_CTX_set_rsa_pss_saltlen(key, 32) == 1;
	holds = holds && EVP_DigestVerify(ctx, d->signature, d->len, d->data, d->data_len) == 1;
	EVP_MD_CTX_free(ctx);
	return holds;
}

static bool holds(const struct deed *d, const struct seat *seat)
{
	if (d->mechanism.mechanism == CKM_SHA256_HMAC)
		return mac_holds(d, seat);
	return d->data_len == 32 ? raw_holds(d, seat) : hashed_holds(d, seat);
}

static CK_RV sign_parts(struct deed *d, struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	CK_RV rv = CKR_OK;

	for (size_t at = 0; rv == CKR_OK && at < d->data_len; at += PART) {
		size_t rest = d->data_len - at;

		rv = f->C_SignUpdate(seat->session, d->data + at, rest < PART ? rest : PART);
		op_step(seat);
	}
	return rv == CKR_OK ? f->C_SignFinal(seat->session, d->signature, &d->len) : rv;
}

static CK_RV sign(struct seat *seat, CK_MECHANISM_TYPE type, bool in_parts)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct deed d = {0};
	CK_RV rv;

	prepare(&d, seat, type);
	op_step(seat);
	rv = f->C_SignInit(seat->session, &d.mechanism, d.private_key);
	op_step(seat);
	if (rv == CKR_OK)
		rv = in_parts ? sign_parts(&d, seat)
			      : f->C_Sign(seat->session, d.data, d.data_len, d.signature, &d.len);
	if (rv == CKR_OK)
		CHECK(holds(&d, seat));
	return rv;
}

/* The signature to be verified, made in software. */
static void sign_raw_in_software(struct deed *d, const struct seat *seat)
{
	EVP_PKEY_CTX *ctx = raw_context(d, seat);
	unsigned char der[80];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *pair;

	CHECK(EVP_PKEY_sign_init(ctx) == 1);
	CHECK(EVP_PKEY_sign(ctx, der, &len, d->data, d->data_len) == 1);
	pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	CHECK(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), d->signature, 32) == 32 &&
	      BN_bn2binpad(ECDSA_SIG_get0_s(pair), d->signature + 32, 32) == 32);
	d->len = 64;
	ECDSA_SIG_free(pair);
	EVP_PKEY_CTX_free(ctx);
}

static void sign_in_software(struct deed *d, const struct seat *seat)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(d->signature);

	if (d->mechanism.mechanism == CKM_ECDSA) {
		sign_raw_in_software(d, seat);
	} else {
		CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, seat->world->keys.rsa) ==
		      1);
		CHECK(EVP_DigestSign(ctx, d->signature, &len, d->data, d->data_len) == 1);
		d->len = len;
	}
	EVP_MD_CTX_free(ctx);
}

static CK_RV verify_parts(struct deed *d, struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	CK_RV rv = CKR_OK;

	for (size_t at = 0; rv == CKR_OK && at < d->data_len; at += PART) {
		size_t rest = d->data_len - at;

		rv = f->C_VerifyUpdate(seat->session, d->data + at, rest < PART ? rest : PART);
		op_step(seat);
	}
	return rv == CKR_OK ? f->C_VerifyFinal(seat->session, d->signature, d->len) : rv;
}

static CK_RV verify(struct seat *seat, CK_MECHANISM_TYPE type, bool in_parts)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct deed d = {0};
	CK_RV rv;

	prepare(&d, seat, type);
	sign_in_software(&d, seat);
	op_step(seat);
	rv = f->C_VerifyInit(seat->session, &d.mechanism, d.public_key);
	op_step(seat);
	if (rv != CKR_OK)
		return rv;
	return in_parts ? verify_parts(&d, seat)
			: f->C_Verify(seat->session, d.data, d.data_len, d.signature, d.len);
}

/* A signature that is wrong in one bit. */
CK_RV wrong_signature(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct deed d = {0};
	CK_RV rv;

	prepare(&d, seat, CKM_ECDSA);
	sign_in_software(&d, seat);
	d.signature[40] ^= 1;
	rv = f->C_VerifyInit(seat->session, &d.mechanism, d.public_key);
	return rv == CKR_OK ? f->C_Verify(seat->session, d.data, d.data_len, d.signature, d.len)
			    : rv;
}

static CK_RV sign_rsa_raw(struct seat *seat)
{
	return sign(seat, CKM_RSA_PKCS, false);
}

static CK_RV sign_rsa(struct seat *seat)
{
	return sign(seat, CKM_SHA256_RSA_PKCS, false);
}

static CK_RV sign_rsa_parts(struct seat *seat)
{
	return sign(seat, CKM_SHA256_RSA_PKCS, true);
}

static CK_RV sign_pss(struct seat *seat)
{
	return sign(seat, CKM_SHA256_RSA_PKCS_PSS, false);
}

static CK_RV sign_pss_parts(struct seat *seat)
{
	return sign(seat, CKM_SHA256_RSA_PKCS_PSS, true);
}

static CK_RV sign_ec(struct seat *seat)
{
	return sign(seat, CKM_ECDSA, false);
}

static CK_RV sign_mac(struct seat *seat)
{
	return sign(seat, CKM_SHA256_HMAC, false);
}

static CK_RV sign_mac_parts(struct seat *seat)
{
	return sign(seat, CKM_SHA256_HMAC, true);
}

static CK_RV verify_rsa(struct seat *seat)
{
	return verify(seat, CKM_SHA256_RSA_PKCS, false);
}

static CK_RV verify_rsa_parts(struct seat *seat)
{
	return verify(seat, CKM_SHA256_RSA_PKCS, true);
}

static CK_RV verify_ec(struct seat *seat)
{
	return verify(seat, CKM_ECDSA, false);
}

#define SIGN   "C_SignInit", "C_Sign"
#define SIGNS  "C_SignInit", "C_SignUpdate", "C_SignFinal"
#define CHECKS "C_VerifyInit", "C_VerifyUpdate", "C_VerifyFinal"

const struct op ops_sign[] = {
	{"sign-rsa-raw", CKM_RSA_PKCS, sign_rsa_raw, 2, {SIGN}},
	{"sign-rsa", CKM_SHA256_RSA_PKCS, sign_rsa, 2, {SIGN}},
	{"sign-rsa-parts", CKM_SHA256_RSA_PKCS, sign_rsa_parts, 6, {SIGNS}},
	{"sign-pss", CKM_SHA256_RSA_PKCS_PSS, sign_pss, 2, {SIGN}},
	{"sign-pss-parts", CKM_SHA256_RSA_PKCS_PSS, sign_pss_parts, 6, {SIGNS}},
	{"sign-ec", CKM_ECDSA, sign_ec, 2, {SIGN}},
	{"sign-mac", CKM_SHA256_HMAC, sign_mac, 2, {SIGN}},
	{"sign-mac-parts", CKM_SHA256_HMAC, sign_mac_parts, 6, {SIGNS}},
	{"verify-rsa", CKM_SHA256_RSA_PKCS, verify_rsa, 2, {"C_VerifyInit", "C_Verify"}},
	{"verify-rsa-parts", CKM_SHA256_RSA_PKCS, verify_rsa_parts, 6, {CHECKS}},
	{"verify-ec", CKM_ECDSA, verify_ec, 2, {"C_VerifyInit", "C_Verify"}},
	{0},
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and signatures of the drivers. The kind of key follows what the token can do, the checking
 * of signatures is OpenSSL's: what a module says about its own signatures proves nothing. */
#include "tests/scenario/app.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#define KEY_LABEL "driver"

static unsigned char key_label[] = KEY_LABEL;
static unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static unsigned char exponent[] = {1, 0, 1};
static CK_BBOOL yes = CK_TRUE;

static bool has_ec(const struct app *app, CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;
	CK_MECHANISM_INFO unused;

	OK(app->f->C_GetSessionInfo(session, &info));
	return app->f->C_GetMechanismInfo(info.slotID, CKM_EC_KEY_PAIR_GEN, &unused) == CKR_OK;
}

void app_make_key(const struct app *app, CK_SESSION_HANDLE session, struct app_key *key)
{
	unsigned char id[8];
	CK_ULONG bits = 2048;
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE private[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_ID, id, sizeof(id)},
		{CKA_LABEL, key_label, sizeof(key_label) - 1},
	};
	CK_ATTRIBUTE public[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_ID, id, sizeof(id)},
		{CKA_LABEL, key_label, sizeof(key_label) - 1},
		{CKA_MODULUS_BITS, &bits, sizeof(bits)},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
	};
	CK_ULONG public_count = 6;

	/* NSS replaces a key that has the same CKA_ID. */
	OK(app->f->C_GenerateRandom(session, id, sizeof(id)));
	key->is_ec = has_ec(app, session);
	if (key->is_ec) {
		mechanism.mechanism = CKM_EC_KEY_PAIR_GEN;
		public[4] = (CK_ATTRIBUTE){CKA_EC_PARAMS, p256, sizeof(p256)};
		public_count = 5;
	}
	OK(app->f->C_GenerateKeyPair(session, &mechanism, public, public_count, private, 5,
				     &key->public_key, &key->private_key));
}

/* CK_INVALID_HANDLE when there is none. */
static CK_OBJECT_HANDLE find_first(const struct app *app, CK_SESSION_HANDLE session,
				   CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
	CK_ULONG n = 0;

	OK(app->f->C_FindObjectsInit(session, template, count));
	OK(app->f->C_FindObjects(session, &found, 1, &n));
	OK(app->f->C_FindObjectsFinal(session));
	return n == 0 ? CK_INVALID_HANDLE : found;
}

void app_have_key(const struct app *app, CK_SESSION_HANDLE session, struct app_key *key)
{
	unsigned char id[64];
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE id_attribute = {CKA_ID, id, sizeof(id)};
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, key_label, sizeof(key_label) - 1},
	};

	key->private_key = find_first(app, session, template, 2);
	if (key->private_key == CK_INVALID_HANDLE) {
		app_make_key(app, session, key);
		return;
	}
	OK(app->f->C_GetAttributeValue(session, key->private_key, &id_attribute, 1));
	class = CKO_PUBLIC_KEY;
	template[1] = id_attribute;
	key->public_key = find_first(app, session, template, 2);
	CHECK(key->public_key != CK_INVALID_HANDLE);
	key->is_ec = has_ec(app, session);
}

CK_RV app_try_sign(const struct app *app, CK_SESSION_HANDLE session, const struct app_key *key,
		   struct app_signature *signature)
{
	CK_MECHANISM mechanism = {key->is_ec ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
	CK_RV rv = app->f->C_GenerateRandom(session, signature->text, sizeof(signature->text));

	if (rv == CKR_OK)
		rv = app->f->C_SignInit(session, &mechanism, key->private_key);
	signature->len = sizeof(signature->bytes);
	if (rv == CKR_OK)
		rv = app->f->C_Sign(session, signature->text, sizeof(signature->text),
				    signature->bytes, &signature->len);
	return rv;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);

	CHECK(ctx != NULL && params != NULL && EVP_PKEY_fromdata_init(ctx) == 1);
	CHECK(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* CKA_EC_POINT is a DER OCTET STRING around the 65 bytes of the point. */
static EVP_PKEY *ec_from(const unsigned char point[static APP_POINT])
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

	CHECK(point[0] == 4 && point[1] == 65);
	CHECK(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1);
	CHECK(OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point + 2, 65) == 1);
	return key_from("EC", build);
}

static EVP_PKEY *read_ec(const struct app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	unsigned char point[80];
	CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof(point)};

	OK(app->f->C_GetAttributeValue(session, object, &attribute, 1));
	CHECK(attribute.ulValueLen == APP_POINT);
	return ec_from(point);
}

static EVP_PKEY *read_rsa(const struct app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	unsigned char n[512];
	unsigned char e[16];
	CK_ATTRIBUTE attributes[] = {{CKA_MODULUS, n, sizeof(n)},
				     {CKA_PUBLIC_EXPONENT, e, sizeof(e)}};
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *big_n = NULL;
	BIGNUM *big_e = NULL;
	EVP_PKEY *key;

	OK(app->f->C_GetAttributeValue(session, object, attributes, 2));
	big_n = BN_bin2bn(n, (int)attributes[0].ulValueLen, NULL);
	big_e = BN_bin2bn(e, (int)attributes[1].ulValueLen, NULL);
	CHECK(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, big_n) == 1);
	CHECK(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, big_e) == 1);
	key = key_from("RSA", build);
	BN_free(big_n);
	BN_free(big_e);
	return key;
}

/* Cryptoki's r and s of 32 bytes each as DER, into `der`; its length. */
static size_t ecdsa_der(const struct app_signature *signature, unsigned char der[static 80])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int len;

	CHECK(signature->len == 64);
	CHECK(ECDSA_SIG_set0(pair, BN_bin2bn(signature->bytes, 32, NULL),
			     BN_bin2bn(signature->bytes + 32, 32, NULL)) == 1);
	len = i2d_ECDSA_SIG(pair, &der);
	CHECK(len > 0);
	ECDSA_SIG_free(pair);
	return (size_t)len;
}

static bool verifies(EVP_PKEY *public_key, const struct app_signature *signature, bool is_ec)
{
	unsigned char der[80];
	const unsigned char *bytes = is_ec ? der : signature->bytes;
	size_t len = is_ec ? ecdsa_der(signature, der) : signature->len;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_key, NULL);
	int verdict;

	CHECK(EVP_PKEY_verify_init(ctx) == 1);
	verdict = EVP_PKEY_verify(ctx, bytes, len, signature->text, sizeof(signature->text));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(public_key);
	return verdict == 1;
}

bool app_verifies_ec(const unsigned char point[static APP_POINT],
		     const struct app_signature *signature)
{
	return verifies(ec_from(point), signature, true);
}

void app_verify(const struct app *app, CK_SESSION_HANDLE session, const struct app_key *key,
		const struct app_signature *signature)
{
	EVP_PKEY *public_key = key->is_ec ? read_ec(app, session, key->public_key)
					  : read_rsa(app, session, key->public_key);

	CHECK(verifies(public_key, signature, key->is_ec));
}

void app_sign(const struct app *app, CK_SESSION_HANDLE session, const struct app_key *key)
{
	struct app_signature signature;

	OK(app_try_sign(app, session, key, &signature));
	app_verify(app, session, key, &signature);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Known keys: the fixed pairs of the differential test, and two secret keys. Importing and finding
 * are what an application does; checking is OpenSSL's alone, because what a module says about its
 * own answers proves nothing. The two public keys are read once and then only used. */
#include "tests/bench/known.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include "tests/differential/differential.h"

static const char *const labels[KNOWN_COUNT] = {
	[KNOWN_RSA] = "known-rsa", [KNOWN_RSA_PUBLIC] = "known-rsa",
	[KNOWN_EC] = "known-ec",   [KNOWN_EC_PUBLIC] = "known-ec",
	[KNOWN_AES] = "known-aes", [KNOWN_HMAC] = "known-hmac"};

static const CK_OBJECT_CLASS classes[KNOWN_COUNT] = {
	[KNOWN_RSA] = CKO_PRIVATE_KEY, [KNOWN_RSA_PUBLIC] = CKO_PUBLIC_KEY,
	[KNOWN_EC] = CKO_PRIVATE_KEY,  [KNOWN_EC_PUBLIC] = CKO_PUBLIC_KEY,
	[KNOWN_AES] = CKO_SECRET_KEY,  [KNOWN_HMAC] = CKO_SECRET_KEY};

static CK_BYTE aes_value[32] = "an AES key of the soak, 32 bytes";
static CK_BYTE hmac_value[32] = "a key for HMAC, 32 bytes as well";
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE exponent[] = {1, 0, 1};
static CK_BBOOL yes = CK_TRUE;

static EVP_PKEY *rsa_key;
static EVP_PKEY *ec_key;

const char *known_label(enum known_key which)
{
	return labels[which];
}

CK_OBJECT_CLASS known_class(enum known_key which)
{
	return classes[which];
}

const CK_BYTE *known_modulus(size_t *len)
{
	*len = sizeof(rsa_n);
	return rsa_n;
}

#define TEMPLATE_MAX 20

/* A template that grows. */
struct template
{
	CK_ATTRIBUTE list[TEMPLATE_MAX];
	CK_ULONG count;
};

static void add(struct template *t, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG len)
{
	t->list[t->count++] = (CK_ATTRIBUTE){type, value, len};
}

static void add_rsa(struct template *t, bool is_private)
{
	add(t, CKA_MODULUS, rsa_n, sizeof(rsa_n));
	add(t, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
	if (!is_private)
		return;
	add(t, CKA_PRIVATE_EXPONENT, rsa_d, sizeof(rsa_d));
	add(t, CKA_PRIME_1, rsa_p, sizeof(rsa_p));
	add(t, CKA_PRIME_2, rsa_q, sizeof(rsa_q));
	add(t, CKA_EXPONENT_1, rsa_dp, sizeof(rsa_dp));
	add(t, CKA_EXPONENT_2, rsa_dq, sizeof(rsa_dq));
	add(t, CKA_COEFFICIENT, rsa_qi, sizeof(rsa_qi));
}

static void add_value(struct template *t, enum known_key which)
{
	switch (which) {
	case KNOWN_RSA:
	case KNOWN_RSA_PUBLIC:
		add_rsa(t, which == KNOWN_RSA);
		break;
	case KNOWN_EC:
		add(t, CKA_EC_PARAMS, p256, sizeof(p256));
		add(t, CKA_VALUE, ec_d, sizeof(ec_d));
		break;
	case KNOWN_EC_PUBLIC:
		add(t, CKA_EC_PARAMS, p256, sizeof(p256));
		add(t, CKA_EC_POINT, ec_point, sizeof(ec_point));
		break;
	case KNOWN_AES:
		add(t, CKA_VALUE, aes_value, sizeof(aes_value));
		add(t, CKA_ENCRYPT, &yes, sizeof(yes));
		add(t, CKA_DECRYPT, &yes, sizeof(yes));
		break;
	case KNOWN_HMAC:
		add(t, CKA_VALUE, hmac_value, sizeof(hmac_value));
		break;
	case KNOWN_COUNT:
		break;
	}
}

static CK_KEY_TYPE key_type(enum known_key which)
{
	static const CK_KEY_TYPE types[KNOWN_COUNT] = {
		[KNOWN_RSA] = CKK_RSA, [KNOWN_RSA_PUBLIC] = CKK_RSA,
		[KNOWN_EC] = CKK_EC,   [KNOWN_EC_PUBLIC] = CKK_EC,
		[KNOWN_AES] = CKK_AES, [KNOWN_HMAC] = CKK_GENERIC_SECRET};

	return types[which];
}

static CK_RV import_one(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, enum known_key which)
{
	CK_OBJECT_CLASS class = classes[which];
	CK_KEY_TYPE type = key_type(which);
	CK_BBOOL is_private = class != CKO_PUBLIC_KEY;
	CK_BYTE id = (CK_BYTE)(type + 1);
	char label[16];
	CK_OBJECT_HANDLE object;
	struct template t = {.count = 0};

	snprintf(label, sizeof(label), "%s", labels[which]);
	add(&t, CKA_CLASS, &class, sizeof(class));
	add(&t, CKA_KEY_TYPE, &type, sizeof(type));
	add(&t, CKA_TOKEN, &yes, sizeof(yes));
	add(&t, CKA_PRIVATE, &is_private, sizeof(is_private));
	add(&t, CKA_LABEL, label, strlen(label));
	add(&t, CKA_ID, &id, sizeof(id));
	if (which != KNOWN_AES && class != CKO_PUBLIC_KEY)
		add(&t, CKA_SIGN, &yes, sizeof(yes));
	if (class == CKO_PUBLIC_KEY || which == KNOWN_HMAC)
		add(&t, CKA_VERIFY, &yes, sizeof(yes));
	add_value(&t, which);
	return f->C_CreateObject(session, t.list, t.count, &object);
}

bool known_import(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	for (int i = 0; i < KNOWN_COUNT; i++) {
		CK_RV rv = import_one(f, session, (enum known_key)i);

		if (rv != CKR_OK) {
			fprintf(stderr, "import of %s: 0x%lx\n", labels[i], rv);
			return false;
		}
	}
	return true;
}

static CK_ULONG find_one(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, enum known_key which,
			 CK_OBJECT_HANDLE *out)
{
	CK_OBJECT_CLASS class = classes[which];
	CK_OBJECT_HANDLE found[4];
	CK_ULONG count = 0;
	char label[16];
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)},
			       {CKA_LABEL, label, strlen(labels[which])}};

	snprintf(label, sizeof(label), "%s", labels[which]);
	if (f->C_FindObjectsInit(session, tmpl, 2) != CKR_OK ||
	    f->C_FindObjects(session, found, 4, &count) != CKR_OK)
		count = 0;
	(void)f->C_FindObjectsFinal(session); /* nothing is active when Init failed */
	*out = found[0];
	return count;
}

bool known_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, struct known *out)
{
	for (int i = 0; i < KNOWN_COUNT; i++) {
		CK_ULONG count = find_one(f, session, (enum known_key)i, &out->handle[i]);

		if (count != 1) {
			fprintf(stderr, "%s: found %lu times\n", labels[i], count);
			return false;
		}
	}
	return true;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *read_rsa(void)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(rsa_n, sizeof(rsa_n), NULL);
	BIGNUM *e = BN_bin2bn(exponent, sizeof(exponent), NULL);
	EVP_PKEY *key = NULL;

	if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = key_from("RSA", build);
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *read_ec(void)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	/* CKA_EC_POINT is a DER OCTET STRING around the 65 bytes of the point. */
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, ec_point + 2,
					     sizeof(ec_point) - 2) == 1)
		key = key_from("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

bool known_prepare(void)
{
	rsa_key = read_rsa();
	ec_key = read_ec();
	return rsa_key && ec_key;
}

bool known_check_rsa(const CK_BYTE *data, size_t len, const CK_BYTE *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, rsa_key) == 1 &&
		       EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	return is_good;
}

/* Cryptoki's r and s of 32 bytes each as DER; the length. */
static size_t to_der(const CK_BYTE *sig, CK_BYTE der[80])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int len = -1;

	if (pair && ECDSA_SIG_set0(pair, BN_bin2bn(sig, 32, NULL), BN_bin2bn(sig + 32, 32, NULL)))
		len = i2d_ECDSA_SIG(pair, &der);
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

bool known_check_ec(const CK_BYTE hash[32], const CK_BYTE *sig, size_t sig_len)
{
	CK_BYTE der[80];
	size_t der_len = sig_len == 64 ? to_der(sig, der) : 0;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ec_key, NULL);
	bool is_good = der_len && ctx && EVP_PKEY_verify_init(ctx) == 1 &&
		       EVP_PKEY_verify(ctx, der, der_len, hash, 32) == 1;

	EVP_PKEY_CTX_free(ctx);
	return is_good;
}

size_t known_gcm(const CK_BYTE iv[12], const CK_BYTE *data, size_t len, CK_BYTE *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int most = 0;
	int rest = 0;
	bool is_good = ctx &&
		       EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, aes_value, iv) == 1 &&
		       EVP_EncryptUpdate(ctx, out, &most, data, (int)len) == 1 &&
		       EVP_EncryptFinal_ex(ctx, out + most, &rest) == 1 &&
		       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, out + len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return is_good ? len + 16 : 0;
}

size_t known_cbc_pad(const CK_BYTE iv[16], const CK_BYTE *data, size_t len, CK_BYTE *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int most = 0;
	int rest = 0;
	bool is_good = ctx &&
		       EVP_EncryptInit_ex(ctx, EVP_aes_256_cbc(), NULL, aes_value, iv) == 1 &&
		       EVP_EncryptUpdate(ctx, out, &most, data, (int)len) == 1 &&
		       EVP_EncryptFinal_ex(ctx, out + most, &rest) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return is_good ? (size_t)(most + rest) : 0;
}

size_t known_hmac_with(const CK_BYTE *key, size_t key_len, const CK_BYTE *data, size_t len,
		       CK_BYTE out[32])
{
	unsigned out_len = 32;

	return HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &out_len) ? out_len : 0;
}

size_t known_hmac(const CK_BYTE *data, size_t len, CK_BYTE out[32])
{
	return known_hmac_with(hmac_value, sizeof(hmac_value), data, len, out);
}

size_t known_sha256(const CK_BYTE *data, size_t len, CK_BYTE out[32])
{
	unsigned out_len = 32;

	return EVP_Digest(data, len, out, &out_len, EVP_sha256(), NULL) == 1 ? out_len : 0;
}

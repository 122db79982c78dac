/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures that hash first, taken apart: what is left to sign gives the signature that OpenSSL
 * makes, or takes, of the whole message. */
#include "core/hashed.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char message[] = "a message that is fed in two pieces";
#define MESSAGE_LEN (sizeof message - 1)
#define FIRST_LEN   11

/* A hash, and the mechanisms that begin with it. */
struct row {
	const EVP_MD *(*md)(void);
	CK_MECHANISM_TYPE pkcs1;
	CK_MECHANISM_TYPE pss;
	CK_MECHANISM_TYPE ecdsa;
};

static const struct row rows[] = {
	{EVP_sha1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1},
	{EVP_sha224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKM_ECDSA_SHA224},
	{EVP_sha256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_ECDSA_SHA256},
	{EVP_sha384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_ECDSA_SHA384},
	{EVP_sha512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKM_ECDSA_SHA512},
	{EVP_sha3_224, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, CKM_ECDSA_SHA3_224},
	{EVP_sha3_256, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS, CKM_ECDSA_SHA3_256},
	{EVP_sha3_384, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS, CKM_ECDSA_SHA3_384},
	{EVP_sha3_512, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS, CKM_ECDSA_SHA3_512},
};

static EVP_PKEY *rsa;
static EVP_PKEY *ec;

/* Signs what is left with the padding (0: a key without), `md` naming the hash where it is not
 * NULL. */
static size_t sign_raw(EVP_PKEY *key, int padding, const EVP_MD *md, const struct buf *data,
		       unsigned char signature[static 512])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t len = 512;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
	CU_ASSERT_EQUAL(EVP_PKEY_sign_init(ctx), 1);
	if (padding != 0)
		CU_ASSERT_EQUAL(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	if (md != NULL)
		CU_ASSERT_EQUAL(EVP_PKEY_CTX_set_signature_md(ctx, md), 1);
	CU_ASSERT_EQUAL(EVP_PKEY_sign(ctx, signature, &len, data->data, data->len), 1);
	EVP_PKEY_CTX_free(ctx);
	return len;
}

/* OpenSSL's own signature of the whole message, PKCS #1 v1.5. */
static size_t sign_whole(const EVP_MD *md, unsigned char signature[static 512])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 512;

	CU_ASSERT_EQUAL(EVP_DigestSignInit(ctx, NULL, md, NULL, rsa), 1);
	CU_ASSERT_EQUAL(
		EVP_DigestSign(ctx, signature, &len, (const unsigned char *)message, MESSAGE_LEN),
		1);
	EVP_MD_CTX_free(ctx);
	return len;
}

/* Whether OpenSSL takes the signature for one of the whole message. */
static bool verifies(EVP_PKEY *key, int padding, const EVP_MD *md, const unsigned char *signature,
		     size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *inner = NULL;
	bool ok = EVP_DigestVerifyInit(ctx, &inner, md, NULL, key) == 1;

	if (padding != 0)
		ok = ok && EVP_PKEY_CTX_set_rsa_padding(inner, padding) == 1;
	ok = ok && EVP_DigestVerify(ctx, signature, len, (const unsigned char *)message,
				    MESSAGE_LEN) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* Feeds the message in two pieces and asks for the rest. */
static void take_apart(const CK_MECHANISM *mech, CK_MECHANISM *raw, struct buf *data)
{
	struct hashed *h = hashed_new(mech);

	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	CU_ASSERT_TRUE(hashed_add(h, message, FIRST_LEN));
	CU_ASSERT_TRUE(hashed_add(h, NULL, 0));
	CU_ASSERT_TRUE(hashed_add(h, message + FIRST_LEN, MESSAGE_LEN - FIRST_LEN));
	CU_ASSERT_TRUE_FATAL(hashed_result(h, mech, raw, data));
	hashed_free(&h);
	CU_ASSERT_PTR_NULL(h);
}

static void pkcs1_signatures_are_those_of_the_whole_message(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CK_MECHANISM mech = {rows[i].pkcs1, NULL, 0};
		CK_MECHANISM raw = {0};
		struct buf data = {0};
		unsigned char ours[512];
		unsigned char theirs[512];
		size_t len;

		take_apart(&mech, &raw, &data);
		CU_ASSERT_EQUAL(raw.mechanism, CKM_RSA_PKCS);
		CU_ASSERT_PTR_NULL(raw.pParameter);
		CU_ASSERT_EQUAL(raw.ulParameterLen, 0);
		len = sign_raw(rsa, RSA_PKCS1_PADDING, NULL, &data, ours);
		CU_ASSERT_EQUAL(sign_whole(rows[i].md(), theirs), len);
		CU_ASSERT_EQUAL(memcmp(ours, theirs, len), 0);
		buf_free(&data);
	}
}

static void pss_signatures_verify_over_the_whole_message(void)
{
	CK_RSA_PKCS_PSS_PARAMS params = {CKM_SHA256, CKG_MGF1_SHA256, 32};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CK_MECHANISM mech = {rows[i].pss, &params, sizeof params};
		CK_MECHANISM raw = {0};
		struct buf data = {0};
		unsigned char ours[512];
		size_t len;

		take_apart(&mech, &raw, &data);
		CU_ASSERT_EQUAL(raw.mechanism, CKM_RSA_PKCS_PSS);
		CU_ASSERT_PTR_EQUAL(raw.pParameter, &params);
		CU_ASSERT_EQUAL(raw.ulParameterLen, sizeof params);
		len = sign_raw(rsa, RSA_PKCS1_PSS_PADDING, rows[i].md(), &data, ours);
		CU_ASSERT_TRUE(verifies(rsa, RSA_PKCS1_PSS_PADDING, rows[i].md(), ours, len));
		buf_free(&data);
	}
}

static void ecdsa_signatures_verify_over_the_whole_message(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CK_MECHANISM mech = {rows[i].ecdsa, NULL, 0};
		CK_MECHANISM raw = {0};
		struct buf data = {0};
		unsigned char ours[512];
		size_t len;

		take_apart(&mech, &raw, &data);
		CU_ASSERT_EQUAL(raw.mechanism, CKM_ECDSA);
		CU_ASSERT_PTR_NULL(raw.pParameter);
		CU_ASSERT_EQUAL(data.len, (size_t)EVP_MD_get_size(rows[i].md()));
		len = sign_raw(ec, 0, NULL, &data, ours);
		CU_ASSERT_TRUE(verifies(ec, 0, rows[i].md(), ours, len));
		buf_free(&data);
	}
}

/* The SHA-256 of the first bytes of the message is what is left. */
static void expect_digest_of(const struct buf *data, size_t message_len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	CU_ASSERT_EQUAL(EVP_Digest(message, message_len, digest, &len, EVP_sha256(), NULL), 1);
	CU_ASSERT_EQUAL_FATAL(data->len, len);
	CU_ASSERT_EQUAL(memcmp(data->data, digest, len), 0);
}

static void a_running_digest_gives_its_result_again_and_goes_on(void)
{
	CK_MECHANISM mech = {CKM_ECDSA_SHA256, NULL, 0};
	struct hashed *h = hashed_new(&mech);
	CK_MECHANISM raw;
	struct buf data = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	CU_ASSERT_TRUE(hashed_result(h, &mech, &raw, &data));
	expect_digest_of(&data, 0);
	CU_ASSERT_TRUE(hashed_add(h, message, FIRST_LEN));
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(hashed_result(h, &mech, &raw, &data));
		expect_digest_of(&data, FIRST_LEN);
	}
	CU_ASSERT_TRUE(hashed_add(h, message + FIRST_LEN, MESSAGE_LEN - FIRST_LEN));
	CU_ASSERT_TRUE(hashed_result(h, &mech, &raw, &data));
	expect_digest_of(&data, MESSAGE_LEN);
	buf_free(&data);
	hashed_free(&h);
}

static void other_mechanisms_are_not_taken_apart(void)
{
	static const CK_MECHANISM_TYPE others[] = {
		CKM_RSA_PKCS,    CKM_RSA_PKCS_PSS,  CKM_ECDSA,      CKM_SHA256,
		CKM_SHA256_HMAC, CKM_MD5_RSA_PKCS,  CKM_DSA_SHA256, CKM_SHA1_RSA_X9_31,
		CKM_AES_CMAC,    CKM_VENDOR_DEFINED};

	for (size_t i = 0; i < COUNT(others); i++) {
		CK_MECHANISM mech = {others[i], NULL, 0};

		CU_ASSERT_PTR_NULL(hashed_new(&mech));
	}
}

static void without_memory_nothing_is_half_made(void)
{
	CK_MECHANISM mech = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_MECHANISM raw = {CKM_VENDOR_DEFINED, NULL, 7};
	struct buf data = {0};
	struct hashed *h;

	alloc_fail_at(1);
	h = hashed_new(&mech);
	alloc_fail_at(0);
	CU_ASSERT_PTR_NULL(h);
	h = hashed_new(&mech);
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	alloc_fail_at(1);
	CU_ASSERT_FALSE(hashed_result(h, &mech, &raw, &data));
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(raw.mechanism, CKM_VENDOR_DEFINED);
	CU_ASSERT_EQUAL(raw.ulParameterLen, 7);
	CU_ASSERT_TRUE(hashed_result(h, &mech, &raw, &data));
	buf_free(&data);
	hashed_free(&h);
}

static void freeing_nothing_is_allowed(void)
{
	struct hashed *none = NULL;

	hashed_free(NULL);
	hashed_free(&none);
	CU_ASSERT_PTR_NULL(none);
}

static const struct unit_test tests[] = {
	UNIT(pkcs1_signatures_are_those_of_the_whole_message),
	UNIT(pss_signatures_verify_over_the_whole_message),
	UNIT(ecdsa_signatures_verify_over_the_whole_message),
	UNIT(a_running_digest_gives_its_result_again_and_goes_on),
	UNIT(other_mechanisms_are_not_taken_apart),
	UNIT(without_memory_nothing_is_half_made),
	UNIT(freeing_nothing_is_allowed),
};

int main(void)
{
	int code;

	rsa = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256"); /* shorter than most of the hashes: they are cut alike */
	code = rsa != NULL && ec != NULL ? unit_run("core/hashed", tests, COUNT(tests)) : 1;
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
	return code;
}

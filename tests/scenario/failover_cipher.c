/* SPDX-License-Identifier: BSD-2-Clause */
/* Encryption, decryption, digests and wrapping, in one call and in parts; compared with what
 * OpenSSL computes. */
#include "tests/scenario/failover.h"

#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#define DATA_LEN 500
/* Whole blocks: NSS decrypts no other parts. */
#define PART    160
#define GCM_TAG 16

/* Something to be turned into something else, as software says it has to come out. */
struct text {
	unsigned char iv[16];
	unsigned char plain[DATA_LEN];
	unsigned char secret[DATA_LEN + 32];
	size_t secret_len;
	unsigned char out[DATA_LEN + 64];
	CK_ULONG out_len;
	CK_GCM_PARAMS gcm;
	CK_MECHANISM mechanism;
};

static void in_software(struct text *t, const struct seat *seat, bool is_gcm)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0;
	int more = 0;

	CHECK(EVP_EncryptInit_ex(ctx, is_gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc(), NULL,
				 seat->world->keys.aes, t->iv) == 1);
	CHECK(EVP_EncryptUpdate(ctx, t->secret, &len, t->plain, DATA_LEN) == 1);
	CHECK(EVP_EncryptFinal_ex(ctx, t->secret + len, &more) == 1);
	t->secret_len = (size_t)(len + more);
	if (is_gcm) {
		CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG,
					  t->secret + t->secret_len) == 1);
		t->secret_len += GCM_TAG;
	}
	EVP_CIPHER_CTX_free(ctx);
}

static void prepare(struct text *t, const struct seat *seat, bool is_gcm)
{
	memset(t, 0, sizeof(*t));
	CHECK(RAND_bytes(t->iv, sizeof(t->iv)) == 1 && RAND_bytes(t->plain, DATA_LEN) == 1);
	in_software(t, seat, is_gcm);
	t->out_len = sizeof(t->out);
	t->mechanism = (CK_MECHANISM){CKM_AES_CBC_PAD, t->iv, 16};
	if (is_gcm) {
		t->gcm = (CK_GCM_PARAMS){
			.pIv = t->iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = GCM_TAG * 8};
		t->mechanism = (CK_MECHANISM){CKM_AES_GCM, &t->gcm, sizeof(t->gcm)};
	}
}

static bool came_out(const struct text *t, const unsigned char *wanted, size_t len)
{
	return t->out_len == len && memcmp(t->out, wanted, len) == 0;
}

/* The Update of either direction on all of `in`, one part after the other. */
static CK_RV parts(struct text *t, struct seat *seat, CK_C_EncryptUpdate update, unsigned char *in,
		   size_t in_len)
{
	CK_ULONG filled = 0;
	CK_RV rv = CKR_OK;

	for (size_t at = 0; rv == CKR_OK && at < in_len; at += PART) {
		size_t rest = in_len - at;
		CK_ULONG room = sizeof(t->out) - filled;

		rv = update(seat->session, in + at, rest < PART ? rest : PART, t->out + filled,
			    &room);
		if (rv == CKR_OK)
			filled += room;
		op_step(seat);
	}
	t->out_len = filled;
	return rv;
}

static CK_RV finish(struct text *t, const struct seat *seat, CK_C_EncryptFinal final)
{
	CK_ULONG filled = t->out_len;
	CK_ULONG room = sizeof(t->out) - filled;
	CK_RV rv = final(seat->session, t->out + filled, &room);

	t->out_len = rv == CKR_OK ? filled + room : 0;
	return rv;
}

static CK_RV encrypt(struct seat *seat, bool is_gcm, bool in_parts)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct text t;
	CK_RV rv;

	prepare(&t, seat, is_gcm);
	op_step(seat);
	rv = f->C_EncryptInit(seat->session, &t.mechanism, seat->world->things[AES_KEY]);
	op_step(seat);
	if (rv == CKR_OK && in_parts)
		rv = parts(&t, seat, f->C_EncryptUpdate, t.plain, DATA_LEN);
	if (rv == CKR_OK)
		rv = in_parts ? finish(&t, seat, f->C_EncryptFinal)
			      : f->C_Encrypt(seat->session, t.plain, DATA_LEN, t.out, &t.out_len);
	if (rv == CKR_OK)
		CHECK(came_out(&t, t.secret, t.secret_len));
	return rv;
}

static CK_RV decrypt(struct seat *seat, bool is_gcm, bool in_parts)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct text t;
	CK_RV rv;

	prepare(&t, seat, is_gcm);
	op_step(seat);
	rv = f->C_DecryptInit(seat->session, &t.mechanism, seat->world->things[AES_KEY]);
	op_step(seat);
	if (rv == CKR_OK && in_parts)
		rv = parts(&t, seat, f->C_DecryptUpdate, t.secret, t.secret_len);
	if (rv == CKR_OK)
		rv = in_parts ? finish(&t, seat, f->C_DecryptFinal)
			      : f->C_Decrypt(seat->session, t.secret, t.secret_len, t.out,
					     &t.out_len);
	if (rv == CKR_OK)
		CHECK(came_out(&t, t.plain, DATA_LEN));
	return rv;
}

/* A text for RSA of 100 bytes, encrypted by OpenSSL with PKCS #1's padding. */
static void prepare_rsa(struct text *t, const struct seat *seat)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(seat->world->keys.rsa, NULL);

	memset(t, 0, sizeof(*t));
	t->out_len = sizeof(t->out);
	t->secret_len = sizeof(t->secret);
	t->mechanism = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
	CHECK(RAND_bytes(t->plain, 100) == 1);
	CHECK(EVP_PKEY_encrypt_init(ctx) == 1);
	CHECK(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1);
	CHECK(EVP_PKEY_encrypt(ctx, t->secret, &t->secret_len, t->plain, 100) == 1);
	EVP_PKEY_CTX_free(ctx);
}

static CK_RV decrypt_rsa(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct text t;
	CK_RV rv;

	prepare_rsa(&t, seat);
	op_step(seat);
	rv = f->C_DecryptInit(seat->session, &t.mechanism, seat->world->things[RSA_PRIVATE]);
	op_step(seat);
	if (rv == CKR_OK)
		rv = f->C_Decrypt(seat->session, t.secret, t.secret_len, t.out, &t.out_len);
	if (rv == CKR_OK)
		CHECK(came_out(&t, t.plain, 100));
	return rv;
}

static CK_RV encrypt_rsa(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(seat->world->keys.rsa, NULL);
	unsigned char back[256];
	size_t len = sizeof(back);
	struct text t;
	CK_RV rv;

	prepare_rsa(&t, seat);
	op_step(seat);
	rv = f->C_EncryptInit(seat->session, &t.mechanism, seat->world->things[RSA_PUBLIC]);
	op_step(seat);
	if (rv == CKR_OK)
		rv = f->C_Encrypt(seat->session, t.plain, 100, t.out, &t.out_len);
	if (rv == CKR_OK) {
		CHECK(EVP_PKEY_decrypt_init(ctx) == 1);
		CHECK(EVP_PKEY_decrypt(ctx, back, &len, t.out, t.out_len) == 1);
		CHECK(len == 100 && memcmp(back, t.plain, 100) == 0);
	}
	EVP_PKEY_CTX_free(ctx);
	return rv;
}

static CK_RV digest(struct seat *seat, bool in_parts)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	unsigned char wanted[32];
	struct text t;
	CK_RV rv;

	prepare(&t, seat, false);
	CHECK(EVP_Digest(t.plain, DATA_LEN, wanted, NULL, EVP_sha256(), NULL) == 1);
	op_step(seat);
	rv = f->C_DigestInit(seat->session, &sha256);
	op_step(seat);
	for (size_t at = 0; in_parts && rv == CKR_OK && at < DATA_LEN; at += PART) {
		rv = f->C_DigestUpdate(seat->session, t.plain + at,
				       DATA_LEN - at < PART ? DATA_LEN - at : PART);
		op_step(seat);
	}
	if (rv == CKR_OK)
		rv = in_parts ? f->C_DigestFinal(seat->session, t.out, &t.out_len)
			      : f->C_Digest(seat->session, t.plain, DATA_LEN, t.out, &t.out_len);
	if (rv == CKR_OK)
		CHECK(came_out(&t, wanted, 32));
	return rv;
}

/* The key "mac" under the key "aes", as RFC 3394 has it. */
static CK_RV wrap(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	const struct material *keys = &seat->world->keys;
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char wanted[64];
	struct text t = {.out_len = sizeof(t.out)};
	int len = 0;
	CK_RV rv;

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, keys->aes, NULL) == 1);
	CHECK(EVP_EncryptUpdate(ctx, wanted, &len, keys->mac, sizeof(keys->mac)) == 1);
	op_step(seat);
	rv = f->C_WrapKey(seat->session, &mechanism, seat->world->things[AES_KEY],
			  seat->world->things[MAC_KEY], t.out, &t.out_len);
	if (rv == CKR_OK)
		CHECK(came_out(&t, wanted, (size_t)len));
	EVP_CIPHER_CTX_free(ctx);
	return rv;
}

/* The token's verdict on a text that is wrong at its end, or not of whole blocks. */
static CK_RV verdict(struct seat *seat, bool is_gcm, size_t cut)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct text t;
	CK_RV rv;

	prepare(&t, seat, is_gcm);
	t.secret[t.secret_len - (is_gcm ? 1 : 17)] ^= 0x5a;
	rv = f->C_DecryptInit(seat->session, &t.mechanism, seat->world->things[AES_KEY]);
	return rv == CKR_OK ? f->C_Decrypt(seat->session, t.secret, t.secret_len - cut, t.out,
					   &t.out_len)
			    : rv;
}

CK_RV wrong_padding(struct seat *seat)
{
	return verdict(seat, false, 0);
}

CK_RV wrong_tag(struct seat *seat)
{
	return verdict(seat, true, 0);
}

CK_RV wrong_length(struct seat *seat)
{
	return verdict(seat, false, 5);
}

static CK_RV encrypt_cbc(struct seat *seat)
{
	return encrypt(seat, false, false);
}

static CK_RV encrypt_cbc_parts(struct seat *seat)
{
	return encrypt(seat, false, true);
}

static CK_RV decrypt_cbc(struct seat *seat)
{
	return decrypt(seat, false, false);
}

static CK_RV decrypt_cbc_parts(struct seat *seat)
{
	return decrypt(seat, false, true);
}

static CK_RV encrypt_gcm(struct seat *seat)
{
	return encrypt(seat, true, false);
}

static CK_RV decrypt_gcm(struct seat *seat)
{
	return decrypt(seat, true, false);
}

static CK_RV digest_once(struct seat *seat)
{
	return digest(seat, false);
}

static CK_RV digest_parts(struct seat *seat)
{
	return digest(seat, true);
}

#define ENCRYPT  "C_EncryptInit", "C_Encrypt"
#define ENCRYPTS "C_EncryptInit", "C_EncryptUpdate", "C_EncryptFinal"
#define DECRYPT  "C_DecryptInit", "C_Decrypt"
#define DECRYPTS "C_DecryptInit", "C_DecryptUpdate", "C_DecryptFinal"
#define DIGESTS  "C_DigestInit", "C_DigestUpdate", "C_DigestFinal"

const struct op ops_cipher[] = {
	{"encrypt-cbc", CKM_AES_CBC_PAD, encrypt_cbc, 2, {ENCRYPT}},
	{"encrypt-cbc-parts", CKM_AES_CBC_PAD, encrypt_cbc_parts, 6, {ENCRYPTS}},
	{"decrypt-cbc", CKM_AES_CBC_PAD, decrypt_cbc, 2, {DECRYPT}},
	{"decrypt-cbc-parts", CKM_AES_CBC_PAD, decrypt_cbc_parts, 6, {DECRYPTS}},
	{"encrypt-gcm", CKM_AES_GCM, encrypt_gcm, 2, {ENCRYPT}},
	{"decrypt-gcm", CKM_AES_GCM, decrypt_gcm, 2, {DECRYPT}},
	{"encrypt-rsa", CKM_RSA_PKCS, encrypt_rsa, 2, {ENCRYPT}},
	{"decrypt-rsa", CKM_RSA_PKCS, decrypt_rsa, 2, {DECRYPT}},
	{"digest", CKM_SHA256, digest_once, 2, {"C_DigestInit", "C_Digest"}},
	{"digest-parts", CKM_SHA256, digest_parts, 6, {DIGESTS}},
	{"wrap", CKM_AES_KEY_WRAP, wrap, 1, {"C_WrapKey"}},
	{0},
};

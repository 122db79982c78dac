/* SPDX-License-Identifier: BSD-2-Clause */
/* Encryption and decryption: Base 5.8, 5.10; AES: Current Mechanisms 2.8 to 2.13; checked with
 * OpenSSL. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "tests/conformance/world.h"

static CK_BYTE iv[16] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
			 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};

/* A mode of AES, as OpenSSL calls it. */
struct mode {
	CK_MECHANISM mechanism;
	const char *name;
	bool pads;
	CK_ULONG part; /* bytes that one Update takes */
};

static CK_AES_CTR_PARAMS ctr = {128, {0}};

static struct mode modes[] = {
	{{CKM_AES_ECB, NULL, 0}, "AES-128-ECB", false, 16},
	{{CKM_AES_CBC, iv, sizeof(iv)}, "AES-128-CBC", false, 16},
	{{CKM_AES_CBC_PAD, iv, sizeof(iv)}, "AES-128-CBC", true, 16},
	{{CKM_AES_CTR, &ctr, sizeof(ctr)}, "AES-128-CTR", false, 5},
};

/* What OpenSSL makes of the text; its length. */
static CK_ULONG reference(const struct mode *m, const CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, m->name, NULL);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len = 0;
	int last = 0;

	if (cipher && c && EVP_EncryptInit_ex2(c, cipher, world_key, iv, NULL) == 1) {
		(void)EVP_CIPHER_CTX_set_padding(c, m->pads);
		(void)EVP_EncryptUpdate(c, out, &len, in, (int)in_len);
		(void)EVP_EncryptFinal_ex(c, out + len, &last);
	}
	EVP_CIPHER_CTX_free(c);
	EVP_CIPHER_free(cipher);
	return (CK_ULONG)(len + last);
}

static bool offers(struct suite *t, const struct mode *m)
{
	memcpy(ctr.cb, iv, sizeof(iv));
	return world_has(t, m->mechanism.mechanism, CKF_ENCRYPT | CKF_DECRYPT);
}

static void one_part(struct suite *t, struct mode *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_BYTE wanted[96];
	CK_BYTE got[96];
	CK_BYTE back[96];
	CK_ULONG size = m->pads ? 50 : 48;
	CK_ULONG wanted_len = reference(m, world_text, size, wanted);
	CK_ULONG len = 0;
	CK_ULONG back_len = sizeof(back);

	OK(t, EncryptInit, s, &m->mechanism, key);
	OK(t, Encrypt, s, world_text, size, NULL, &len);
	CHECK(t, len >= wanted_len);
	len = wanted_len - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, Encrypt, s, world_text, size, got, &len);
	CHECK(t, len >= wanted_len);
	len = sizeof(got);
	OK(t, Encrypt, s, world_text, size, got, &len);
	CHECK(t, len == wanted_len && memcmp(got, wanted, len) == 0);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Encrypt, s, world_text, size, got, &len);
	OK(t, DecryptInit, s, &m->mechanism, key);
	back_len = 0;
	OK(t, Decrypt, s, wanted, wanted_len, NULL, &back_len);
	CHECK(t, back_len >= size);
	back_len = sizeof(back);
	OK(t, Decrypt, s, wanted, wanted_len, back, &back_len);
	CHECK(t, back_len == size && memcmp(back, world_text, size) == 0);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Decrypt, s, wanted, wanted_len, back, &back_len);
}

static void in_one_part(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	for (size_t i = 0; i < COUNT(modes); i++)
		if (offers(t, &modes[i]))
			one_part(t, &modes[i], s, key);
}

static CK_ULONG parts(struct suite *t, struct mode *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
		      CK_ULONG size, CK_BYTE *out, CK_ULONG out_size)
{
	CK_ULONG total = 0;
	CK_ULONG len;

	OK(t, EncryptInit, s, &m->mechanism, key);
	for (CK_ULONG at = 0; at < size; at += m->part) {
		len = out_size - total;
		OK(t, EncryptUpdate, s, world_text + at, size - at < m->part ? size - at : m->part,
		   out + total, &len);
		total += len;
	}
	len = out_size - total;
	OK(t, EncryptFinal, s, out + total, &len);
	return total + len;
}

static void several(struct suite *t, struct mode *m, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_BYTE wanted[96];
	CK_BYTE got[96];
	CK_ULONG size = m->pads ? 50 : 48;
	CK_ULONG wanted_len = reference(m, world_text, size, wanted);
	CK_ULONG total = parts(t, m, s, key, size, got, sizeof(got));
	CK_ULONG len;

	CHECK(t, total == wanted_len && memcmp(got, wanted, wanted_len) == 0);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, EncryptFinal, s, got, &len);
	OK(t, DecryptInit, s, &m->mechanism, key);
	total = 0;
	for (CK_ULONG at = 0; at < wanted_len; at += m->part) {
		len = sizeof(got) - total;
		OK(t, DecryptUpdate, s, wanted + at,
		   wanted_len - at < m->part ? wanted_len - at : m->part, got + total, &len);
		total += len;
	}
	len = sizeof(got) - total;
	OK(t, DecryptFinal, s, got + total, &len);
	CHECK(t, total + len == size && memcmp(got, world_text, size) == 0);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DecryptFinal, s, got, &len);
}

static void in_parts(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	for (size_t i = 0; i < COUNT(modes); i++)
		if (offers(t, &modes[i]))
			several(t, &modes[i], s, key);
}

static void odd_parts(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	struct mode odd = modes[1];

	odd.part = 7;
	several(t, &odd, s, key);
}

static void small_parts(struct suite *t)
{
	CK_BYTE wanted[64];
	CK_BYTE got[64];
	CK_ULONG len = 0;
	CK_ULONG last = sizeof(got);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	CK_ULONG wanted_len = reference(&modes[2], world_text, 40, wanted);

	OK(t, EncryptInit, s, &modes[2].mechanism, key);
	OK(t, EncryptUpdate, s, world_text, 40, NULL, &len);
	CHECK(t, len >= 32);
	len = 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, EncryptUpdate, s, world_text, 40, got, &len);
	CHECK(t, len >= 32 && len <= sizeof(got));
	OK(t, EncryptUpdate, s, world_text, 40, got, &len);
	last = 0;
	OK(t, EncryptFinal, s, NULL, &last);
	CHECK(t, last >= 16);
	last = 3;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, EncryptFinal, s, got + len, &last);
	last = sizeof(got) - len;
	OK(t, EncryptFinal, s, got + len, &last);
	CHECK(t, len + last == wanted_len && memcmp(got, wanted, wanted_len) == 0);
}

static void wrong_lengths(struct suite *t)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	OK(t, EncryptInit, s, &modes[1].mechanism, key);
	EXPECT(t, CKR_DATA_LEN_RANGE, Encrypt, s, world_text, 17, out, &len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Encrypt, s, world_text, 16, out, &len);
	OK(t, DecryptInit, s, &modes[1].mechanism, key);
	len = sizeof(out);
	EXPECT_ANY(t, CODES(CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID), Decrypt, s,
		   world_text, 17, out, &len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Decrypt, s, world_text, 16, out, &len);
	OK(t, EncryptInit, s, &modes[1].mechanism, key);
	len = sizeof(out);
	if (EXPECT_ANY(t, CODES(CKR_OK), EncryptUpdate, s, world_text, 17, out, &len)) {
		len = sizeof(out);
		EXPECT(t, CKR_DATA_LEN_RANGE, EncryptFinal, s, out, &len);
	}
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, EncryptFinal, s, out, &len);
}

static void bad_padding(struct suite *t)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	if (strcmp(t->kind, "opencryptoki") == 0) {
		suite_skip(t, "openCryptoki 3.8.1 reads behind its own buffer there");
		return;
	}
	OK(t, DecryptInit, s, &modes[2].mechanism, key);
	EXPECT_ANY(t, CODES(CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE), Decrypt, s,
		   world_text, 32, out, &len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Decrypt, s, world_text, 32, out, &len);
}

/* Nothing, padded, is one block. */
static void of_nothing(struct suite *t)
{
	CK_BYTE wanted[32];
	CK_BYTE got[32];
	CK_ULONG len = sizeof(got);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	CHECK(t, reference(&modes[2], world_text, 0, wanted) == 16);
	OK(t, EncryptInit, s, &modes[2].mechanism, key);
	OK(t, Encrypt, s, world_text, 0, got, &len);
	CHECK(t, len == 16 && memcmp(got, wanted, 16) == 0);
	OK(t, EncryptInit, s, &modes[2].mechanism, key);
	len = sizeof(got);
	OK(t, EncryptFinal, s, got, &len);
	CHECK(t, len == 16 && memcmp(got, wanted, 16) == 0);
	OK(t, DecryptInit, s, &modes[2].mechanism, key);
	len = sizeof(got);
	OK(t, Decrypt, s, wanted, 16, got, &len);
	CHECK(t, len == 0);
}

static void in_place(struct suite *t)
{
	CK_BYTE wanted[64];
	CK_BYTE both[64];
	CK_ULONG len = sizeof(both);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	(void)reference(&modes[1], world_text, 64, wanted);
	memcpy(both, world_text, sizeof(both));
	OK(t, EncryptInit, s, &modes[1].mechanism, key);
	OK(t, Encrypt, s, both, sizeof(both), both, &len);
	CHECK(t, len == 64 && memcmp(both, wanted, 64) == 0);
	OK(t, DecryptInit, s, &modes[1].mechanism, key);
	OK(t, Decrypt, s, both, sizeof(both), both, &len);
	CHECK(t, len == 64 && memcmp(both, world_text, 64) == 0);
}

/* GCM with 12 bytes of IV, associated data and a tag of 16 bytes, by OpenSSL. */
static void gcm_reference(CK_BYTE *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len = 0;

	if (c && EVP_EncryptInit_ex2(c, EVP_aes_128_gcm(), world_key, iv, NULL) == 1) {
		(void)EVP_EncryptUpdate(c, NULL, &len, world_text, 20);
		(void)EVP_EncryptUpdate(c, out, &len, world_text, 40);
		(void)EVP_EncryptFinal_ex(c, out + len, &len);
		(void)EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, out + 40);
	}
	EVP_CIPHER_CTX_free(c);
}

static void gcm(struct suite *t)
{
	CK_GCM_PARAMS params = {iv, 12, 96, world_text, 20, 128};
	CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof(params)};
	CK_BYTE wanted[56];
	CK_BYTE got[64];
	CK_ULONG len = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	if (!world_has(t, CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT)) {
		suite_skip(t, "no CKM_AES_GCM");
		return;
	}
	gcm_reference(wanted);
	OK(t, EncryptInit, s, &mechanism, key);
	OK(t, Encrypt, s, world_text, 40, NULL, &len);
	CHECK(t, len >= 56);
	len = sizeof(got);
	OK(t, Encrypt, s, world_text, 40, got, &len);
	CHECK(t, len == 56 && memcmp(got, wanted, 56) == 0);
	OK(t, DecryptInit, s, &mechanism, key);
	len = sizeof(got);
	OK(t, Decrypt, s, wanted, 56, got, &len);
	CHECK(t, len == 40 && memcmp(got, world_text, 40) == 0);
	wanted[55] ^= 1;
	OK(t, DecryptInit, s, &mechanism, key);
	len = sizeof(got);
	EXPECT_ANY(t, CODES(CKR_ENCRYPTED_DATA_INVALID), Decrypt, s, wanted, 56, got, &len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Decrypt, s, wanted, 56, got, &len);
}

static void rsa(struct suite *t, CK_MECHANISM *mechanism)
{
	CK_BYTE sealed[256];
	CK_BYTE back[256];
	CK_ULONG len = 0;
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_SESSION_HANDLE s = world_user(t);

	if (!world_has(t, mechanism->mechanism, CKF_ENCRYPT | CKF_DECRYPT) ||
	    !world_rsa_pair(t, s, &pub, &priv))
		return;
	OK(t, EncryptInit, s, mechanism, pub);
	OK(t, Encrypt, s, world_text, 20, NULL, &len);
	CHECK(t, len == 256);
	len = sizeof(sealed);
	OK(t, Encrypt, s, world_text, 20, sealed, &len);
	OK(t, DecryptInit, s, mechanism, priv);
	len = 0;
	OK(t, Decrypt, s, sealed, 256, NULL, &len);
	CHECK(t, len >= 20 && len <= 256);
	len = 19;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, Decrypt, s, sealed, 256, back, &len);
	CHECK(t, len >= 20 && len <= 256);
	OK(t, Decrypt, s, sealed, 256, back, &len);
	CHECK(t, len == 20 && memcmp(back, world_text, 20) == 0);
	OK(t, EncryptInit, s, mechanism, pub);
	len = sizeof(sealed);
	EXPECT(t, CKR_DATA_LEN_RANGE, Encrypt, s, (CK_BYTE[257]){0}, 257, sealed, &len);
	OK(t, DecryptInit, s, mechanism, priv);
	len = sizeof(back);
	EXPECT_ANY(t, CODES(CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID), Decrypt, s,
		   sealed, 255, back, &len);
}

static void rsa_pkcs(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};

	rsa(t, &mechanism);
}

static void rsa_oaep(struct suite *t)
{
	CK_RSA_PKCS_OAEP_PARAMS params = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &params, sizeof(params)};

	rsa(t, &mechanism);
}

static void bad_params(struct suite *t)
{
	CK_MECHANISM short_iv = {CKM_AES_CBC, iv, 15};
	CK_MECHANISM no_iv = {CKM_AES_CBC, NULL, 0};
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	CK_OBJECT_HANDLE other = world_generic(t, s);

	EXPECT(t, CKR_MECHANISM_PARAM_INVALID, EncryptInit, s, &short_iv, key);
	EXPECT(t, CKR_MECHANISM_PARAM_INVALID, EncryptInit, s, &no_iv, key);
	EXPECT(t, CKR_MECHANISM_PARAM_INVALID, DecryptInit, s, &short_iv, key);
	EXPECT(t, CKR_MECHANISM_INVALID, EncryptInit, s, &unknown, key);
	EXPECT(t, CKR_MECHANISM_INVALID, DecryptInit, s, &unknown, key);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, EncryptInit, s, &modes[1].mechanism, 0);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, DecryptInit, s, &modes[1].mechanism, 0x7ffffff0UL);
	EXPECT_ANY(t, CODES(CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED), EncryptInit,
		   s, &modes[1].mechanism, other);
}

static void not_permitted(struct suite *t)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_OBJECT_HANDLE key = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type),
			       NO(CKA_TOKEN),          NO(CKA_ENCRYPT),
			       NO(CKA_DECRYPT),        BYTES(CKA_VALUE, world_key)};

	OK(t, CreateObject, s, tmpl, COUNT(tmpl), &key);
	EXPECT(t, CKR_KEY_FUNCTION_NOT_PERMITTED, EncryptInit, s, &modes[1].mechanism, key);
	EXPECT(t, CKR_KEY_FUNCTION_NOT_PERMITTED, DecryptInit, s, &modes[1].mechanism, key);
}

static const struct conform_case cases[] = {
	{"AES is right in one part; size queries and small buffers keep it going", in_one_part},
	{"AES is right in several parts", in_parts},
	{"CBC takes parts of any length", odd_parts},
	{"size queries and small buffers keep an encryption in parts going", small_parts},
	{"wrong lengths are refused and end the operation", wrong_lengths},
	{"wrong padding is refused and ends the operation", bad_padding},
	{"nothing is encrypted and decrypted", of_nothing},
	{"input and output may be in one place", in_place},
	{"AES-GCM is right and detects a changed tag", gcm},
	{"RSA PKCS#1 encrypts and decrypts", rsa_pkcs},
	{"RSA OAEP encrypts and decrypts", rsa_oaep},
	{"C_EncryptInit and C_DecryptInit answer each mistake with its code", bad_params},
	{"a key that may not encrypt or decrypt is refused", not_permitted},
};

const struct group group_cipher = {"cipher", CASES_OF(cases), false};

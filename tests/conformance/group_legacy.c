/* SPDX-License-Identifier: BSD-2-Clause */
/* What most libraries do not have: saved states (Base 5.6), dual functions (5.17), parallel
 * functions (5.20). Each either works or says CKR_FUNCTION_NOT_SUPPORTED. */
#include <string.h>

#include "tests/conformance/world.h"

static CK_BYTE iv[16];
static CK_MECHANISM cbc = {CKM_AES_CBC, iv, sizeof(iv)};
static CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
static CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};

static void parallel(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RO);

	EXPECT(t, CKR_FUNCTION_NOT_PARALLEL, GetFunctionStatus, s);
	EXPECT(t, CKR_FUNCTION_NOT_PARALLEL, CancelFunction, s);
}

static void saved(struct suite *t)
{
	static CK_BYTE state[4096];
	CK_ULONG len = sizeof(state);
	CK_BYTE wanted[32];
	CK_BYTE got[32];
	CK_ULONG digest_len = sizeof(wanted);
	CK_SESSION_HANDLE s = world_open(t, RO);

	EXPECT_ANY(t, CODES(CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED),
		   GetOperationState, s, state, &len);
	OK(t, DigestInit, s, &sha);
	OK(t, DigestUpdate, s, world_text, 20);
	len = sizeof(state);
	if (!EXPECT_ANY(t, CODES(CKR_OK, CKR_STATE_UNSAVEABLE, CKR_FUNCTION_NOT_SUPPORTED),
			GetOperationState, s, state, &len))
		return;
	OK(t, DigestUpdate, s, world_text + 20, 20);
	OK(t, DigestFinal, s, wanted, &digest_len);
	if (CALL(t, SetOperationState, s, state, len, 0, 0) != CKR_OK)
		return;
	OK(t, DigestUpdate, s, world_text + 20, 20);
	OK(t, DigestFinal, s, got, &digest_len);
	CHECK(t, memcmp(wanted, got, 32) == 0);
}

static void not_saved(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RO);

	EXPECT_ANY(t, CODES(CKR_SAVED_STATE_INVALID, CKR_FUNCTION_NOT_SUPPORTED), SetOperationState,
		   s, world_text, 20, 0, 0);
}

/* The steps of C_DigestEncryptUpdate, compared with both operations alone. */
static void digest_encrypt(struct suite *t)
{
	CK_BYTE cipher[2][48];
	CK_BYTE digest[2][32];
	CK_ULONG len = 48;
	CK_ULONG digest_len = 32;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	OK(t, EncryptInit, s, &cbc, key);
	OK(t, Encrypt, s, world_text, 48, cipher[0], &len);
	OK(t, DigestInit, s, &sha);
	OK(t, Digest, s, world_text, 48, digest[0], &digest_len);
	OK(t, EncryptInit, s, &cbc, key);
	if (!EXPECT_ANY(t, CODES(CKR_OK, CKR_OPERATION_ACTIVE), DigestInit, s, &sha))
		return;
	len = 48;
	if (CALL(t, DigestEncryptUpdate, s, world_text, 48, cipher[1], &len) != CKR_OK)
		return;
	CHECK(t, len == 48 && memcmp(cipher[0], cipher[1], 48) == 0);
	OK(t, DigestFinal, s, digest[1], &digest_len);
	CHECK(t, memcmp(digest[0], digest[1], 32) == 0);
	len = 48;
	OK(t, EncryptFinal, s, cipher[1], &len);
}

static void decrypt_digest(struct suite *t)
{
	CK_BYTE plain[64];
	CK_BYTE digest[32];
	CK_ULONG len = sizeof(plain);
	CK_ULONG digest_len = 32;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	OK(t, DecryptInit, s, &cbc, key);
	if (CALL(t, DigestInit, s, &sha) != CKR_OK)
		return;
	if (CALL(t, DecryptDigestUpdate, s, world_text, 48, plain, &len) != CKR_OK)
		return;
	CHECK(t, len == 48);
	OK(t, DigestFinal, s, digest, &digest_len);
	len = sizeof(plain);
	OK(t, DecryptFinal, s, plain, &len);
}

static void sign_encrypt(struct suite *t)
{
	CK_BYTE cipher[64];
	CK_BYTE plain[64];
	CK_BYTE mac[32];
	CK_ULONG len = sizeof(cipher);
	CK_ULONG mac_len = sizeof(mac);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	CK_OBJECT_HANDLE mac_key = world_generic(t, s);

	OK(t, EncryptInit, s, &cbc, key);
	if (CALL(t, SignInit, s, &hmac, mac_key) != CKR_OK ||
	    CALL(t, SignEncryptUpdate, s, world_text, 48, cipher, &len) != CKR_OK)
		return;
	OK(t, SignFinal, s, mac, &mac_len);
	len = sizeof(plain);
	OK(t, EncryptFinal, s, plain, &len);
	OK(t, DecryptInit, s, &cbc, key);
	OK(t, VerifyInit, s, &hmac, mac_key);
	len = sizeof(plain);
	OK(t, DecryptVerifyUpdate, s, cipher, 48, plain, &len);
	CHECK(t, len == 48 && memcmp(plain, world_text, 48) == 0);
	OK(t, VerifyFinal, s, mac, mac_len);
	len = sizeof(plain);
	OK(t, DecryptFinal, s, plain, &len);
}

static void dual_idle(struct suite *t)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_SESSION_HANDLE s = world_open(t, RO);
	static const CK_RV either[] = {CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED,
				       CODES_END};

	EXPECT_ANY(t, either, DigestEncryptUpdate, s, world_text, 16, out, &len);
	EXPECT_ANY(t, either, DecryptDigestUpdate, s, world_text, 16, out, &len);
	EXPECT_ANY(t, either, SignEncryptUpdate, s, world_text, 16, out, &len);
	EXPECT_ANY(t, either, DecryptVerifyUpdate, s, world_text, 16, out, &len);
	OK(t, DigestInit, s, &sha);
	EXPECT_ANY(t, either, DigestEncryptUpdate, s, world_text, 16, out, &len);
}

static const struct conform_case cases[] = {
	{"parallel functions are CKR_FUNCTION_NOT_PARALLEL", parallel},
	{"a saved state continues, or states are not saved", saved},
	{"what is no saved state is refused", not_saved},
	{"C_DigestEncryptUpdate does both, or neither", digest_encrypt},
	{"C_DecryptDigestUpdate does both, or neither", decrypt_digest},
	{"C_SignEncryptUpdate and C_DecryptVerifyUpdate do both, or neither", sign_encrypt},
	{"dual functions need both operations", dual_idle},
};

const struct group group_legacy = {"legacy", CASES_OF(cases), false};

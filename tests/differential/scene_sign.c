/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes about digests, signatures and their states. */
#include <string.h>

#include "tests/differential/differential.h"

#define RW (CKF_SERIAL_SESSION | CKF_RW_SESSION)

static CK_BYTE text[] = "The quick brown fox jumps over the lazy dog";
#define TEXT (sizeof(text) - 1)

static void digest_single(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m)
{
	CK_BYTE out[64];
	CK_ULONG len = 0;
	CK_RV rv;

	said(r, CALL_DigestInit, "single", r->f->C_DigestInit(s, m));
	said(r, CALL_DigestInit, "active", r->f->C_DigestInit(s, m));
	rv = r->f->C_Digest(s, text, TEXT, NULL, &len);
	said_number(r, CALL_Digest, "query", rv, len);
	len = 5;
	rv = r->f->C_Digest(s, text, TEXT, out, &len);
	said_number(r, CALL_Digest, "short", rv, len);
	len = sizeof(out);
	rv = r->f->C_Digest(s, text, TEXT, out, &len);
	said_bytes(r, CALL_Digest, "single", rv, out, len);
	len = sizeof(out);
	said(r, CALL_Digest, "over", r->f->C_Digest(s, text, TEXT, out, &len));
}

static void digest_parts(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m)
{
	CK_BYTE out[64];
	CK_ULONG len = 0;
	CK_RV rv;

	said(r, CALL_DigestUpdate, "idle", r->f->C_DigestUpdate(s, text, TEXT));
	said(r, CALL_DigestInit, "parts", r->f->C_DigestInit(s, m));
	said(r, CALL_DigestUpdate, "first", r->f->C_DigestUpdate(s, text, 10));
	said(r, CALL_DigestUpdate, "empty", r->f->C_DigestUpdate(s, text, 0));
	said(r, CALL_DigestUpdate, "rest", r->f->C_DigestUpdate(s, text + 10, TEXT - 10));
	rv = r->f->C_DigestFinal(s, NULL, &len);
	said_number(r, CALL_DigestFinal, "query", rv, len);
	len = 1;
	rv = r->f->C_DigestFinal(s, out, &len);
	said_number(r, CALL_DigestFinal, "short", rv, len);
	len = sizeof(out);
	rv = r->f->C_DigestFinal(s, out, &len);
	said_bytes(r, CALL_DigestFinal, "final", rv, out, len);
	said(r, CALL_DigestFinal, "over", r->f->C_DigestFinal(s, out, &len));
}

void scene_digest(struct run *r)
{
	static const CK_MECHANISM_TYPE hashes[] = {CKM_SHA_1, CKM_SHA256, CKM_SHA384, CKM_SHA512};
	CK_SESSION_HANDLE s = scene_login(r); /* tpm2-pkcs11 asks for a login even here */
	CK_MECHANISM wrong = {CKM_AES_KEY_GEN, NULL, 0};
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	said(r, CALL_Digest, "idle", r->f->C_Digest(s, text, TEXT, out, &len));
	said(r, CALL_DigestInit, "wrong", r->f->C_DigestInit(s, &wrong));
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		CK_MECHANISM m = {hashes[i], NULL, 0};

		digest_single(r, s, &m);
		digest_parts(r, s, &m);
	}
	scene_close(r, s);
}

/* One deterministic signature, checked, and its negatives. */
static void signature(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key,
		      CK_OBJECT_HANDLE public, CK_ULONG data_len, bool is_deterministic)
{
	CK_BYTE out[512] = {0};
	CK_ULONG len = 0;
	CK_RV rv;

	said(r, CALL_SignInit, "single", r->f->C_SignInit(s, m, key));
	rv = r->f->C_Sign(s, text, data_len, NULL, &len);
	said_number(r, CALL_Sign, "query", rv, len);
	len = 3;
	rv = r->f->C_Sign(s, text, data_len, out, &len);
	said_number(r, CALL_Sign, "short", rv, len);
	len = sizeof(out);
	said(r, CALL_Sign, "after-short", r->f->C_Sign(s, text, data_len, out, &len));
	said(r, CALL_SignInit, "again", r->f->C_SignInit(s, m, key));
	len = sizeof(out);
	rv = r->f->C_Sign(s, text, data_len, out, &len);
	if (is_deterministic)
		said_bytes(r, CALL_Sign, "single", rv, out, len);
	else
		said_number(r, CALL_Sign, "single", rv, len);
	said(r, CALL_VerifyInit, "good", r->f->C_VerifyInit(s, m, public));
	said(r, CALL_Verify, "good", r->f->C_Verify(s, text, data_len, out, len));
	said(r, CALL_Verify, "over", r->f->C_Verify(s, text, data_len, out, len));
	out[7] ^= 1;
	said(r, CALL_VerifyInit, "bad", r->f->C_VerifyInit(s, m, public));
	said(r, CALL_Verify, "bad", r->f->C_Verify(s, text, data_len, out, len));
	said(r, CALL_VerifyInit, "length", r->f->C_VerifyInit(s, m, public));
	said(r, CALL_Verify, "length", r->f->C_Verify(s, text, data_len, out, len - 1));
}

static void parts(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key,
		  CK_OBJECT_HANDLE public, bool is_deterministic)
{
	CK_BYTE out[512] = {0};
	CK_ULONG len = 0;
	CK_RV rv;

	said(r, CALL_SignInit, "parts", r->f->C_SignInit(s, m, key));
	said(r, CALL_SignUpdate, "first", r->f->C_SignUpdate(s, text, 20));
	said(r, CALL_SignUpdate, "rest", r->f->C_SignUpdate(s, text + 20, TEXT - 20));
	if (!r->is_gentle) {
		rv = r->f->C_SignFinal(s, NULL, &len);
		said_number(r, CALL_SignFinal, "query", rv, len);
	}
	len = sizeof(out);
	rv = r->f->C_SignFinal(s, out, &len);
	if (is_deterministic)
		said_bytes(r, CALL_SignFinal, "final", rv, out, len);
	else
		said_number(r, CALL_SignFinal, "final", rv, len);
	said(r, CALL_VerifyInit, "parts", r->f->C_VerifyInit(s, m, public));
	said(r, CALL_VerifyUpdate, "first", r->f->C_VerifyUpdate(s, text, 1));
	said(r, CALL_VerifyUpdate, "rest", r->f->C_VerifyUpdate(s, text + 1, TEXT - 1));
	said(r, CALL_VerifyFinal, "good", r->f->C_VerifyFinal(s, out, len));
	said(r, CALL_VerifyFinal, "over", r->f->C_VerifyFinal(s, out, len));
}

void scene_sign(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE generic = key_generic(r, s);
	CK_OBJECT_HANDLE private = key_rsa_private(r, s);
	CK_OBJECT_HANDLE public = key_rsa_public(r, s);
	CK_OBJECT_HANDLE ec = key_ec_private(r, s);
	CK_OBJECT_HANDLE ec_pub = key_ec_public(r, s);
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_MECHANISM cmac = {CKM_AES_CMAC, NULL, 0};
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_MECHANISM sha256 = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_MECHANISM sha1 = {CKM_SHA1_RSA_PKCS, NULL, 0};
	CK_MECHANISM sha256_pss = {CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss)};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_HANDLE aes = key_aes(r, s);

	signature(r, s, &hmac, generic, generic, TEXT, true);
	parts(r, s, &hmac, generic, generic, true);
	signature(r, s, &cmac, aes, aes, TEXT, true);
	signature(r, s, &pkcs, private, public, 32, true);
	signature(r, s, &sha256, private, public, TEXT, true);
	parts(r, s, &sha256, private, public, true);
	signature(r, s, &sha1, private, public, TEXT, true);
	parts(r, s, &sha1, private, public, true);
	signature(r, s, &sha256_pss, private, public, TEXT, false);
	parts(r, s, &sha256_pss, private, public, false);
	signature(r, s, &ecdsa, ec, ec_pub, 32, false);
	scene_close(r, s);
}

static void init_refusals(struct run *r, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE private,
			  CK_OBJECT_HANDLE public)
{
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_MECHANISM digest = {CKM_SHA256, NULL, 0};
	CK_MECHANISM unknown = {CKM_VENDOR_DEFINED + 0x7fff, NULL, 0};

	said(r, CALL_SignInit, "public-key", r->f->C_SignInit(s, &pkcs, public));
	said(r, CALL_SignInit, "digest-mechanism", r->f->C_SignInit(s, &digest, private));
	said(r, CALL_SignInit, "unknown-mechanism", r->f->C_SignInit(s, &unknown, private));
	said(r, CALL_VerifyInit, "private-key", r->f->C_VerifyInit(s, &pkcs, private));
	said(r, CALL_VerifyInit, "unknown-mechanism", r->f->C_VerifyInit(s, &unknown, public));
}

/* The order of calls: what ends an operation, and what does not. */
void scene_sign_states(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_SESSION_HANDLE other = scene_open(r, RW);
	CK_OBJECT_HANDLE private = key_rsa_private(r, s);
	CK_OBJECT_HANDLE public = key_rsa_public(r, s);
	CK_OBJECT_HANDLE generic = key_generic(r, s);
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_BYTE out[512];
	CK_BYTE big[300] = {0};
	CK_ULONG len = sizeof(out);
	CK_RV rv;

	init_refusals(r, s, private, public);
	said(r, CALL_Sign, "idle", r->f->C_Sign(s, text, 20, out, &len));
	said(r, CALL_SignFinal, "idle", r->f->C_SignFinal(s, out, &len));
	said(r, CALL_SignUpdate, "idle", r->f->C_SignUpdate(s, text, 1));
	said(r, CALL_SignInit, "first", r->f->C_SignInit(s, &pkcs, private));
	said(r, CALL_SignInit, "second", r->f->C_SignInit(s, &pkcs, private));
	said(r, CALL_Sign, "too-long", r->f->C_Sign(s, big, sizeof(big), out, &len));
	said(r, CALL_Sign, "ended", r->f->C_Sign(s, text, 20, out, &len));
	said(r, CALL_SignInit, "mix", r->f->C_SignInit(s, &hmac, generic));
	said(r, CALL_SignUpdate, "mix", r->f->C_SignUpdate(s, text, 20));
	len = sizeof(out);
	said(r, CALL_Sign, "after-update", r->f->C_Sign(s, text, 20, out, &len));
	said(r, CALL_SignFinal, "after-mix", r->f->C_SignFinal(s, out, &len));
	said(r, CALL_SignInit, "other-session", r->f->C_SignInit(other, &hmac, generic));
	len = sizeof(out);
	rv = r->f->C_Sign(other, text, 20, out, &len);
	said_bytes(r, CALL_Sign, "other-session", rv, out, len);
	said(r, CALL_SignInit, "key-destroyed", r->f->C_SignInit(s, &pkcs, private));
	said(r, CALL_DestroyObject, "in-use", r->f->C_DestroyObject(s, private));
	said(r, CALL_SignInit, "dead-key", r->f->C_SignInit(other, &pkcs, private));
	scene_close(r, s);
	said(r, CALL_SignInit, "owner-closed", r->f->C_SignInit(other, &hmac, generic));
	scene_close(r, other);
}

void scene_recover(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE private = key_rsa_private(r, s);
	CK_OBJECT_HANDLE public = key_rsa_public(r, s);
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE out[512] = {0};
	CK_BYTE back[512] = {0};
	CK_ULONG len = sizeof(out);
	CK_ULONG back_len = sizeof(back);
	CK_RV rv;

	said(r, CALL_SignRecover, "idle", r->f->C_SignRecover(s, text, 20, out, &len));
	said(r, CALL_SignRecoverInit, "init", r->f->C_SignRecoverInit(s, &pkcs, private));
	len = sizeof(out);
	rv = r->f->C_SignRecover(s, text, 20, out, &len);
	said_bytes(r, CALL_SignRecover, "sign", rv, out, len);
	said(r, CALL_VerifyRecover, "idle", r->f->C_VerifyRecover(s, out, 256, back, &back_len));
	said(r, CALL_VerifyRecoverInit, "init", r->f->C_VerifyRecoverInit(s, &pkcs, public));
	back_len = sizeof(back);
	rv = r->f->C_VerifyRecover(s, out, 256, back, &back_len);
	said_bytes(r, CALL_VerifyRecover, "verify", rv, back, back_len);
	scene_close(r, s);
}

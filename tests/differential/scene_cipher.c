/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes about encryption and decryption, and about two operations at once. */
#include <string.h>

#include "tests/differential/differential.h"

static CK_BYTE text[] = "0123456789abcdef0123456789abcdef0123456789abcdef";
static CK_BYTE iv[16] = "fedcba987654321";

static void round_trip(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key,
		       CK_ULONG text_len)
{
	CK_BYTE out[128] = {0};
	CK_BYTE back[128] = {0};
	CK_ULONG len = 0;
	CK_ULONG back_len = sizeof(back);
	CK_RV rv;

	said(r, CALL_EncryptInit, "init", r->f->C_EncryptInit(s, m, key));
	said(r, CALL_EncryptInit, "active", r->f->C_EncryptInit(s, m, key));
	rv = r->f->C_Encrypt(s, text, text_len, NULL, &len);
	said_number(r, CALL_Encrypt, "query", rv, len);
	len = 1;
	rv = r->f->C_Encrypt(s, text, text_len, out, &len);
	said_number(r, CALL_Encrypt, "short", rv, len);
	len = sizeof(out);
	said(r, CALL_Encrypt, "after-short", r->f->C_Encrypt(s, text, text_len, out, &len));
	said(r, CALL_EncryptInit, "again", r->f->C_EncryptInit(s, m, key));
	len = sizeof(out);
	rv = r->f->C_Encrypt(s, text, text_len, out, &len);
	said_bytes(r, CALL_Encrypt, "single", rv, out, len);
	if (rv != CKR_OK)
		len = 48;
	said(r, CALL_DecryptInit, "init", r->f->C_DecryptInit(s, m, key));
	rv = r->f->C_Decrypt(s, out, len, back, &back_len);
	said_bytes(r, CALL_Decrypt, "single", rv, back, back_len);
	back_len = sizeof(back);
	said(r, CALL_Decrypt, "over", r->f->C_Decrypt(s, out, len, back, &back_len));
	out[len - 1] ^= 0x80;
	if (r->is_gentle && m->mechanism == CKM_AES_CBC_PAD)
		return;
	said(r, CALL_DecryptInit, "changed", r->f->C_DecryptInit(s, m, key));
	back_len = sizeof(back);
	said(r, CALL_Decrypt, "changed", r->f->C_Decrypt(s, out, len, back, &back_len));
	said(r, CALL_DecryptInit, "cut", r->f->C_DecryptInit(s, m, key));
	back_len = sizeof(back);
	said(r, CALL_Decrypt, "cut", r->f->C_Decrypt(s, out, len - 1, back, &back_len));
}

void scene_cipher(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE key = key_aes(r, s);
	CK_AES_CTR_PARAMS ctr = {128, {0}};
	CK_GCM_PARAMS gcm = {iv, 12, 96, text, 20, 128};
	CK_MECHANISM ecb_m = {CKM_AES_ECB, NULL, 0};
	CK_MECHANISM cbc_m = {CKM_AES_CBC, iv, sizeof(iv)};
	CK_MECHANISM pad_m = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_MECHANISM ctr_m = {CKM_AES_CTR, &ctr, sizeof(ctr)};
	CK_MECHANISM gcm_m = {CKM_AES_GCM, &gcm, sizeof(gcm)};
	CK_MECHANISM no_iv = {CKM_AES_CBC, NULL, 0};
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	said(r, CALL_Encrypt, "idle", r->f->C_Encrypt(s, text, 16, out, &len));
	said(r, CALL_Decrypt, "idle", r->f->C_Decrypt(s, text, 16, out, &len));
	round_trip(r, s, &ecb_m, key, 48);
	round_trip(r, s, &cbc_m, key, 48);
	round_trip(r, s, &pad_m, key, 40);
	round_trip(r, s, &ctr_m, key, 41);
	round_trip(r, s, &gcm_m, key, 33);
	said(r, CALL_EncryptInit, "no-iv", r->f->C_EncryptInit(s, &no_iv, key));
	scene_close(r, s);
}

/* One Update of `n` bytes from `at`; returns where the output goes on. */
static CK_ULONG update(struct run *r, CK_SESSION_HANDLE s, const char *step, CK_ULONG at,
		       CK_ULONG n, CK_BYTE *out)
{
	CK_ULONG len = 64;
	CK_RV rv = r->f->C_EncryptUpdate(s, text + at, n, out, &len);

	said_bytes(r, CALL_EncryptUpdate, step, rv, out, len);
	return rv == CKR_OK ? len : 0;
}

/* `first` bytes, then up to 32, then 16: a mechanism without padding gets whole blocks. */
static void parts(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key,
		  CK_ULONG first)
{
	CK_BYTE out[192] = {0};
	CK_BYTE back[192] = {0};
	CK_ULONG at = 0;
	CK_ULONG len = 64;
	CK_ULONG back_len = 64;
	CK_RV rv;

	said(r, CALL_EncryptInit, "parts", r->f->C_EncryptInit(s, m, key));
	at += update(r, s, "first", 0, first, out);
	at += update(r, s, "second", first, 32 - first, out + at);
	at += update(r, s, "third", 32, 16, out + at);
	rv = r->f->C_EncryptFinal(s, out + at, &len);
	said_bytes(r, CALL_EncryptFinal, "final", rv, out + at, len);
	if (rv == CKR_OK)
		at += len;
	said(r, CALL_EncryptFinal, "over", r->f->C_EncryptFinal(s, out, &len));
	said(r, CALL_DecryptInit, "parts", r->f->C_DecryptInit(s, m, key));
	rv = r->f->C_DecryptUpdate(s, out, 16, back, &back_len);
	said_bytes(r, CALL_DecryptUpdate, "16", rv, back, back_len);
	back_len = 128;
	rv = r->f->C_DecryptUpdate(s, out + 16, at > 16 ? at - 16 : 0, back, &back_len);
	said_bytes(r, CALL_DecryptUpdate, "rest", rv, back, back_len);
	back_len = 64;
	rv = r->f->C_DecryptFinal(s, back, &back_len);
	said_bytes(r, CALL_DecryptFinal, "final", rv, back, back_len);
	said(r, CALL_DecryptUpdate, "over", r->f->C_DecryptUpdate(s, out, 16, back, &back_len));
}

void scene_cipher_parts(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE key = key_aes(r, s);
	CK_AES_CTR_PARAMS ctr = {128, {0}};
	CK_MECHANISM cbc_m = {CKM_AES_CBC, iv, sizeof(iv)};
	CK_MECHANISM pad_m = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_MECHANISM ctr_m = {CKM_AES_CTR, &ctr, sizeof(ctr)};
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	said(r, CALL_EncryptUpdate, "idle", r->f->C_EncryptUpdate(s, text, 16, out, &len));
	said(r, CALL_EncryptFinal, "idle", r->f->C_EncryptFinal(s, out, &len));
	said(r, CALL_DecryptFinal, "idle", r->f->C_DecryptFinal(s, out, &len));
	parts(r, s, &cbc_m, key, 16);
	parts(r, s, &pad_m, key, 7);
	parts(r, s, &ctr_m, key, 7);
	said(r, CALL_EncryptInit, "mix", r->f->C_EncryptInit(s, &cbc_m, key));
	len = sizeof(out);
	said(r, CALL_EncryptUpdate, "mix", r->f->C_EncryptUpdate(s, text, 16, out, &len));
	len = sizeof(out);
	said(r, CALL_Encrypt, "after-update", r->f->C_Encrypt(s, text, 16, out, &len));
	scene_close(r, s);
}

static void rsa(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE private,
		CK_OBJECT_HANDLE public)
{
	CK_BYTE out[256] = {0};
	CK_BYTE back[256] = {0};
	CK_ULONG len = 0;
	CK_ULONG back_len = sizeof(back);
	CK_RV rv;

	said(r, CALL_EncryptInit, "rsa", r->f->C_EncryptInit(s, m, public));
	rv = r->f->C_Encrypt(s, text, 20, NULL, &len);
	said_number(r, CALL_Encrypt, "rsa-query", rv, len);
	len = sizeof(out);
	rv = r->f->C_Encrypt(s, text, 20, out, &len);
	said_number(r, CALL_Encrypt, "rsa", rv, rv == CKR_OK ? len : 0);
	said(r, CALL_DecryptInit, "rsa", r->f->C_DecryptInit(s, m, private));
	rv = r->f->C_Decrypt(s, out, 256, back, &back_len);
	said_bytes(r, CALL_Decrypt, "rsa", rv, back, back_len);
	said(r, CALL_DecryptInit, "rsa-garbage", r->f->C_DecryptInit(s, m, private));
	back_len = sizeof(back);
	out[0] = 0;
	out[100] ^= 1;
	said(r, CALL_Decrypt, "rsa-garbage", r->f->C_Decrypt(s, out, 256, back, &back_len));
	said(r, CALL_DecryptInit, "rsa-length", r->f->C_DecryptInit(s, m, private));
	back_len = sizeof(back);
	said(r, CALL_Decrypt, "rsa-length", r->f->C_Decrypt(s, out, 100, back, &back_len));
}

void scene_cipher_rsa(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE private = key_rsa_private(r, s);
	CK_OBJECT_HANDLE public = key_rsa_public(r, s);
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_MECHANISM pkcs_m = {CKM_RSA_PKCS, NULL, 0};
	CK_MECHANISM oaep_m = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};

	rsa(r, s, &pkcs_m, private, public);
	rsa(r, s, &oaep_m, private, public);
	said(r, CALL_DecryptInit, "public-key", r->f->C_DecryptInit(s, &pkcs_m, public));
	scene_close(r, s);
}

/* No operation is active: every module has to say so, or that it cannot do two at once. */
void scene_dual(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE key = key_generic(r, s);
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_RV rv;

	said(r, CALL_DigestEncryptUpdate, "idle",
	     r->f->C_DigestEncryptUpdate(s, text, 16, out, &len));
	said(r, CALL_DecryptDigestUpdate, "idle",
	     r->f->C_DecryptDigestUpdate(s, text, 16, out, &len));
	said(r, CALL_SignEncryptUpdate, "idle", r->f->C_SignEncryptUpdate(s, text, 16, out, &len));
	said(r, CALL_DecryptVerifyUpdate, "idle",
	     r->f->C_DecryptVerifyUpdate(s, text, 16, out, &len));
	said(r, CALL_DigestKey, "idle", r->f->C_DigestKey(s, key));
	said(r, CALL_DigestInit, "key", r->f->C_DigestInit(s, &sha256));
	said(r, CALL_DigestKey, "key", r->f->C_DigestKey(s, key));
	len = sizeof(out);
	rv = r->f->C_DigestFinal(s, out, &len);
	said_bytes(r, CALL_DigestFinal, "key", rv, out, len);
	scene_close(r, s);
}

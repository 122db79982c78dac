/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes about making keys: generate, wrap, unwrap, derive, and keys on the token. */
#include <string.h>

#include "tests/differential/differential.h"

#define RO CKF_SERIAL_SESSION

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
static CK_BYTE text[32] = "thirty-two bytes to be signed..";
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE exponent[] = {0x01, 0x00, 0x01};

static void read_value(struct run *r, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, const char *step)
{
	CK_BYTE out[256] = {0};
	CK_ATTRIBUTE a = {CKA_VALUE, out, sizeof(out)};
	CK_RV rv = r->f->C_GetAttributeValue(s, o, &a, 1);

	said_bytes(r, CALL_GetAttributeValue, step, rv, out, rv == CKR_OK ? a.ulValueLen : 0);
}

static void unwrap(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE kek,
		   CK_BYTE *blob, CK_ULONG len)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &secret, sizeof(secret)}, {CKA_KEY_TYPE, &generic, sizeof(generic)},
		{CKA_TOKEN, &no, sizeof(no)},         {CKA_SENSITIVE, &no, sizeof(no)},
		{CKA_EXTRACTABLE, &yes, sizeof(yes)},
	};
	CK_OBJECT_HANDLE o = 0;

	said(r, CALL_UnwrapKey, "good", r->f->C_UnwrapKey(s, m, kek, blob, len, tmpl, 5, &o));
	read_value(r, s, o, "unwrapped");
	blob[3] ^= 1;
	o = 0;
	said(r, CALL_UnwrapKey, "changed", r->f->C_UnwrapKey(s, m, kek, blob, len, tmpl, 5, &o));
	said(r, CALL_UnwrapKey, "length", r->f->C_UnwrapKey(s, m, kek, blob, 7, tmpl, 5, &o));
}

void scene_wrap(struct run *r)
{
	static CK_BYTE iv[16] = "fedcba987654321";
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE kek = key_aes(r, s);
	CK_OBJECT_HANDLE key = key_generic(r, s);
	CK_OBJECT_HANDLE private = key_rsa_private(r, s);
	CK_MECHANISM ms[] = {{CKM_AES_KEY_WRAP, NULL, 0}, {CKM_AES_CBC_PAD, iv, sizeof(iv)}};
	static CK_BYTE blob[2048];
	CK_ULONG len;
	CK_RV rv;

	for (int i = 0; i < 2; i++) {
		len = 0;
		rv = r->f->C_WrapKey(s, &ms[i], kek, key, NULL, &len);
		said_number(r, CALL_WrapKey, "query", rv, len);
		len = 4;
		rv = r->f->C_WrapKey(s, &ms[i], kek, key, blob, &len);
		said_number(r, CALL_WrapKey, "short", rv, len);
		len = sizeof(blob);
		rv = r->f->C_WrapKey(s, &ms[i], kek, key, blob, &len);
		said_bytes(r, CALL_WrapKey, "wrap", rv, blob, len);
		unwrap(r, s, &ms[i], kek, blob, rv == CKR_OK ? len : 40);
	}
	len = sizeof(blob);
	said(r, CALL_WrapKey, "not-extractable",
	     r->f->C_WrapKey(s, &ms[0], kek, private, blob, &len));
	len = sizeof(blob);
	said(r, CALL_WrapKey, "bad-kek", r->f->C_WrapKey(s, &ms[0], 0, key, blob, &len));
	len = sizeof(blob);
	said(r, CALL_WrapKey, "bad-key", r->f->C_WrapKey(s, &ms[0], kek, 0, blob, &len));
	said(r, CALL_UnwrapKey, "bad-kek",
	     r->f->C_UnwrapKey(s, &ms[0], 0, blob, 40, NULL, 0, &key));
	scene_close(r, s);
}

void scene_derive(struct run *r)
{
	static CK_ULONG value_len = 32;
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE base = key_ec_private(r, s);
	CK_ECDH1_DERIVE_PARAMS raw = {CKD_NULL, 0, NULL, 65, ec_point + 2};
	CK_ECDH1_DERIVE_PARAMS bad = {CKD_NULL, 0, NULL, 65, rsa_n};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, &raw, sizeof(raw)};
	CK_MECHANISM wrong = {CKM_ECDH1_DERIVE, &bad, sizeof(bad)};
	CK_MECHANISM cut = {CKM_ECDH1_DERIVE, &raw, sizeof(raw) - 1};
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &secret, sizeof(secret)},
		{CKA_KEY_TYPE, &generic, sizeof(generic)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_SENSITIVE, &no, sizeof(no)},
		{CKA_EXTRACTABLE, &yes, sizeof(yes)},
		{CKA_VALUE_LEN, &value_len, sizeof(value_len)},
	};
	CK_OBJECT_HANDLE o = 0;

	said(r, CALL_DeriveKey, "ecdh", r->f->C_DeriveKey(s, &m, base, tmpl, 6, &o));
	read_value(r, s, o, "ecdh");
	o = 0;
	said(r, CALL_DeriveKey, "bad-point", r->f->C_DeriveKey(s, &wrong, base, tmpl, 6, &o));
	said(r, CALL_DeriveKey, "cut-parameter", r->f->C_DeriveKey(s, &cut, base, tmpl, 6, &o));
	said(r, CALL_DeriveKey, "bad-base", r->f->C_DeriveKey(s, &m, 0, tmpl, 6, &o));
	scene_close(r, s);
}

void scene_generate(struct run *r)
{
	static CK_ULONG value_len = 32;
	static CK_ULONG odd_len = 17;
	CK_SESSION_HANDLE s = scene_login(r);
	CK_MECHANISM aes = {CKM_AES_KEY_GEN, NULL, 0};
	CK_MECHANISM ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_ATTRIBUTE good[] = {{CKA_TOKEN, &no, sizeof(no)},
			       {CKA_VALUE_LEN, &value_len, sizeof(value_len)}};
	CK_ATTRIBUTE odd[] = {{CKA_TOKEN, &no, sizeof(no)},
			      {CKA_VALUE_LEN, &odd_len, sizeof(odd_len)}};
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &no, sizeof(no)}, {CKA_EC_PARAMS, p256, sizeof(p256)}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &no, sizeof(no)}, {CKA_SIGN, &yes, sizeof(yes)}};
	CK_OBJECT_HANDLE a = 0;
	CK_OBJECT_HANDLE b = 0;

	said(r, CALL_GenerateKey, "aes", r->f->C_GenerateKey(s, &aes, good, 2, &a));
	said(r, CALL_GenerateKey, "odd-length", r->f->C_GenerateKey(s, &aes, odd, 2, &a));
	said(r, CALL_GenerateKey, "incomplete", r->f->C_GenerateKey(s, &aes, good, 1, &a));
	said(r, CALL_GenerateKey, "wrong-mechanism", r->f->C_GenerateKey(s, &ecb, good, 2, &a));
	said(r, CALL_GenerateKeyPair, "ec",
	     r->f->C_GenerateKeyPair(s, &ec, public, 2, private, 2, &a, &b));
	said(r, CALL_GenerateKeyPair, "incomplete",
	     r->f->C_GenerateKeyPair(s, &ec, public, 1, private, 2, &a, &b));
	scene_close(r, s);
}

static void sign_with(struct run *r, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
		      CK_OBJECT_HANDLE public)
{
	CK_MECHANISM m = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE out[512];
	CK_ULONG len = sizeof(out);
	CK_RV rv;

	said(r, CALL_SignInit, "token-key", r->f->C_SignInit(s, &m, key));
	rv = r->f->C_Sign(s, text, sizeof(text), out, &len);
	said_number(r, CALL_Sign, "token-key", rv, len);
	said(r, CALL_VerifyInit, "token-key", r->f->C_VerifyInit(s, &m, public));
	said(r, CALL_Verify, "token-key", r->f->C_Verify(s, text, sizeof(text), out, len));
}

/* The one scene about keys that a TPM can play too. */
void scene_token_keys(struct run *r)
{
	static CK_ULONG bits = 2048;
	static CK_BYTE id[] = "diff";
	CK_SESSION_HANDLE s = scene_login(r);
	CK_SESSION_HANDLE ro = scene_open(r, RO);
	CK_MECHANISM m = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_MODULUS_BITS, &bits, sizeof(bits)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
		{CKA_ID, id, 4},
	};
	CK_ATTRIBUTE private[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_ID, id, 4},
	};
	CK_ATTRIBUTE find[] = {{CKA_CLASS, &private_class, sizeof(private_class)}, {CKA_ID, id, 4}};
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;
	CK_OBJECT_HANDLE found = 0;
	CK_ULONG count = 0;
	CK_RV rv;

	said(r, CALL_GenerateKeyPair, "ro",
	     r->f->C_GenerateKeyPair(ro, &m, public, 5, private, 4, &pub, &priv));
	pub = priv = 0;
	said(r, CALL_GenerateKeyPair, "token",
	     r->f->C_GenerateKeyPair(s, &m, public, 5, private, 4, &pub, &priv));
	sign_with(r, s, priv, pub);
	sign_with(r, ro, priv, pub);
	said(r, CALL_FindObjectsInit, "id", r->f->C_FindObjectsInit(ro, find, 2));
	rv = r->f->C_FindObjects(ro, &found, 1, &count);
	said_number(r, CALL_FindObjects, "id", rv, count);
	said(r, CALL_FindObjectsFinal, "id", r->f->C_FindObjectsFinal(ro));
	said_number(r, CALL_FindObjects, "same-handle", CKR_OK, found == priv);
	said(r, CALL_Logout, "out", r->f->C_Logout(s));
	said(r, CALL_SignInit, "logged-out", r->f->C_SignInit(s, &m, priv));
	said(r, CALL_Login, "back", r->f->C_Login(s, CKU_USER, r->pin, r->pin_len));
	found = 0;
	said(r, CALL_FindObjectsInit, "back", r->f->C_FindObjectsInit(s, find, 2));
	rv = r->f->C_FindObjects(s, &found, 1, &count);
	said_number(r, CALL_FindObjects, "back", rv, count);
	said(r, CALL_FindObjectsFinal, "back", r->f->C_FindObjectsFinal(s));
	sign_with(r, s, found, pub);
	said(r, CALL_DestroyObject, "private", r->f->C_DestroyObject(s, found));
	said(r, CALL_DestroyObject, "public", r->f->C_DestroyObject(s, pub));
	scene_close(r, ro);
	scene_close(r, s);
}

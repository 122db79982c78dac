/* SPDX-License-Identifier: BSD-2-Clause */
/* The scene of PKCS#11 3.0: interfaces, C_LoginUser, C_SessionCancel and the 20 message functions.
 * Needs a module with a 3.0 interface. */
#include <string.h>

#include "tests/differential/differential.h"

#define RW (CKF_SERIAL_SESSION | CKF_RW_SESSION)

/* CK_GCM_MESSAGE_PARAMS. */
struct gcm {
	CK_BYTE *iv;
	CK_ULONG iv_len;
	CK_ULONG iv_fixed_bits;
	CK_ULONG iv_generator;
	CK_BYTE *tag;
	CK_ULONG tag_bits;
};

static CK_BYTE text[] = "a message of some length, not a multiple of anything";
static CK_BYTE aad[] = "associated";
static CK_BYTE iv[12] = "twelve bytes";

#define TEXT (sizeof(text) - 1)
#define AAD  (sizeof(aad) - 1)

static void interfaces(struct run *r)
{
	CK_INTERFACE *interface = NULL;
	CK_UTF8CHAR other[] = "Vendor nobody";
	CK_VERSION version = {9, 9};
	CK_ULONG count = 0;

	said(r, CALL_GetInterfaceList, "query", r->f3->C_GetInterfaceList(NULL, &count));
	said(r, CALL_GetInterface, "default", r->f3->C_GetInterface(NULL, NULL, &interface, 0));
	said(r, CALL_GetInterface, "unknown", r->f3->C_GetInterface(other, NULL, &interface, 0));
	said(r, CALL_GetInterface, "version", r->f3->C_GetInterface(NULL, &version, &interface, 0));
}

static void encrypt(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_BYTE tag[16] = {0};
	CK_BYTE out[64] = {0};
	CK_BYTE back[64] = {0};
	struct gcm p = {iv, sizeof(iv), 0, CKG_NO_GENERATE, tag, 128};
	CK_ULONG len = sizeof(out);
	CK_ULONG back_len = sizeof(back);
	CK_RV rv;

	said(r, CALL_EncryptMessage, "idle",
	     r->f3->C_EncryptMessage(s, &p, sizeof(p), aad, AAD, text, TEXT, out, &len));
	said(r, CALL_MessageEncryptInit, "init", r->f3->C_MessageEncryptInit(s, m, key));
	len = sizeof(out);
	rv = r->f3->C_EncryptMessage(s, &p, sizeof(p), aad, AAD, text, TEXT, out, &len);
	said_bytes(r, CALL_EncryptMessage, "one", rv, out, len);
	said_bytes(r, CALL_EncryptMessage, "tag", rv, tag, sizeof(tag));
	said(r, CALL_MessageEncryptFinal, "final", r->f3->C_MessageEncryptFinal(s));
	said(r, CALL_MessageEncryptFinal, "over", r->f3->C_MessageEncryptFinal(s));
	said(r, CALL_MessageDecryptInit, "init", r->f3->C_MessageDecryptInit(s, m, key));
	rv = r->f3->C_DecryptMessage(s, &p, sizeof(p), aad, AAD, out, len, back, &back_len);
	said_bytes(r, CALL_DecryptMessage, "one", rv, back, back_len);
	tag[0] ^= 1;
	back_len = sizeof(back);
	said(r, CALL_DecryptMessage, "tag",
	     r->f3->C_DecryptMessage(s, &p, sizeof(p), aad, AAD, out, len, back, &back_len));
	said(r, CALL_MessageDecryptFinal, "final", r->f3->C_MessageDecryptFinal(s));
}

static void encrypt_parts(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_BYTE tag[16] = {0};
	CK_BYTE out[64] = {0};
	struct gcm p = {iv, sizeof(iv), 0, CKG_NO_GENERATE, tag, 128};
	CK_ULONG len = sizeof(out);
	CK_RV rv;

	said(r, CALL_MessageEncryptInit, "parts", r->f3->C_MessageEncryptInit(s, m, key));
	said(r, CALL_EncryptMessageBegin, "begin",
	     r->f3->C_EncryptMessageBegin(s, &p, sizeof(p), aad, AAD));
	rv = r->f3->C_EncryptMessageNext(s, &p, sizeof(p), text, 16, out, &len, 0);
	said_bytes(r, CALL_EncryptMessageNext, "next", rv, out, len);
	len = sizeof(out);
	rv = r->f3->C_EncryptMessageNext(s, &p, sizeof(p), text, 16, out, &len, CKF_END_OF_MESSAGE);
	said_bytes(r, CALL_EncryptMessageNext, "last", rv, out, len);
	said(r, CALL_MessageEncryptFinal, "parts", r->f3->C_MessageEncryptFinal(s));
	said(r, CALL_MessageDecryptInit, "parts", r->f3->C_MessageDecryptInit(s, m, key));
	said(r, CALL_DecryptMessageBegin, "begin",
	     r->f3->C_DecryptMessageBegin(s, &p, sizeof(p), aad, AAD));
	len = sizeof(out);
	rv = r->f3->C_DecryptMessageNext(s, &p, sizeof(p), text, 16, out, &len, CKF_END_OF_MESSAGE);
	said(r, CALL_DecryptMessageNext, "last", rv);
	said(r, CALL_MessageDecryptFinal, "parts", r->f3->C_MessageDecryptFinal(s));
}

static void sign(struct run *r, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_BYTE out[128] = {0};
	CK_ULONG len = sizeof(out);
	CK_RV rv;

	said(r, CALL_MessageSignInit, "init", r->f3->C_MessageSignInit(s, m, key));
	rv = r->f3->C_SignMessage(s, NULL, 0, text, TEXT, out, &len);
	said_bytes(r, CALL_SignMessage, "one", rv, out, len);
	said(r, CALL_SignMessageBegin, "begin", r->f3->C_SignMessageBegin(s, NULL, 0));
	said(r, CALL_SignMessageNext, "more",
	     r->f3->C_SignMessageNext(s, NULL, 0, text, 10, NULL, NULL));
	len = sizeof(out);
	said(r, CALL_SignMessageNext, "last",
	     r->f3->C_SignMessageNext(s, NULL, 0, text, 10, out, &len));
	said(r, CALL_MessageSignFinal, "final", r->f3->C_MessageSignFinal(s));
	said(r, CALL_MessageVerifyInit, "init", r->f3->C_MessageVerifyInit(s, m, key));
	said(r, CALL_VerifyMessage, "one", r->f3->C_VerifyMessage(s, NULL, 0, text, TEXT, out, 32));
	said(r, CALL_VerifyMessageBegin, "begin", r->f3->C_VerifyMessageBegin(s, NULL, 0));
	said(r, CALL_VerifyMessageNext, "more",
	     r->f3->C_VerifyMessageNext(s, NULL, 0, text, 10, NULL, 0));
	said(r, CALL_VerifyMessageNext, "last",
	     r->f3->C_VerifyMessageNext(s, NULL, 0, text, 10, out, 32));
	said(r, CALL_MessageVerifyFinal, "final", r->f3->C_MessageVerifyFinal(s));
}

void scene_messages(struct run *r)
{
	CK_MECHANISM gcm = {CKM_AES_GCM, NULL, 0};
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_SESSION_HANDLE s = scene_open(r, RW);
	CK_OBJECT_HANDLE aes;
	CK_OBJECT_HANDLE generic;

	interfaces(r);
	said(r, CALL_LoginUser, "user",
	     r->f3->C_LoginUser(s, CKU_USER, r->pin, r->pin_len, NULL, 0));
	said(r, CALL_Login, "user", r->f->C_Login(s, CKU_USER, r->pin, r->pin_len));
	aes = key_aes(r, s);
	generic = key_generic(r, s);
	encrypt(r, s, &gcm, aes);
	encrypt_parts(r, s, &gcm, aes);
	sign(r, s, &hmac, generic);
	said(r, CALL_SessionCancel, "idle", r->f3->C_SessionCancel(s, 0));
	said(r, CALL_SignInit, "cancel", r->f->C_SignInit(s, &hmac, generic));
	said(r, CALL_SessionCancel, "sign", r->f3->C_SessionCancel(s, CKF_SIGN));
	said(r, CALL_SignUpdate, "cancelled", r->f->C_SignUpdate(s, text, 1));
	scene_close(r, s);
}

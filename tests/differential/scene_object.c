/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes about objects, attributes, read-only rules and searches. */
#include <string.h>

#include "tests/differential/differential.h"

#define RO      CKF_SERIAL_SESSION
#define RW      (CKF_SERIAL_SESSION | CKF_RW_SESSION)
#define NOWHERE 0x7ffffff1UL

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_OBJECT_CLASS data = CKO_DATA;
static CK_UTF8CHAR label[] = "differential";
static CK_BYTE value[] = "some bytes";

static CK_OBJECT_HANDLE make_data(struct run *r, CK_SESSION_HANDLE s, const char *step,
				  CK_BBOOL *token, CK_BBOOL *private)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &data, sizeof(data)},         {CKA_TOKEN, token, sizeof(*token)},
		{CKA_PRIVATE, private, sizeof(*private)}, {CKA_LABEL, label, sizeof(label) - 1},
		{CKA_VALUE, value, sizeof(value)},
	};
	CK_OBJECT_HANDLE o = 0;
	CK_RV rv = r->f->C_CreateObject(s, tmpl, 5, &o);

	said(r, CALL_CreateObject, step, rv);
	return rv == CKR_OK ? o : 0;
}

static void read_one(struct run *r, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, const char *step,
		     CK_ATTRIBUTE_TYPE type, CK_ULONG room)
{
	CK_BYTE out[512] = {0};
	CK_ATTRIBUTE a = {type, out, room};
	CK_RV rv = r->f->C_GetAttributeValue(s, o, &a, 1);

	if (rv == CKR_OK)
		said_bytes(r, CALL_GetAttributeValue, step, rv, out, a.ulValueLen);
	else
		said_number(r, CALL_GetAttributeValue, step, rv, a.ulValueLen);
}

void scene_objects(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_ATTRIBUTE rename[] = {{CKA_LABEL, value, 4}};
	CK_ATTRIBUTE class[] = {{CKA_CLASS, &data, sizeof(data)}};
	CK_ATTRIBUTE session[] = {{CKA_TOKEN, &no, sizeof(no)}, {CKA_LABEL, value, 6}};
	CK_OBJECT_HANDLE o = make_data(r, s, "session", &no, &no);
	CK_OBJECT_HANDLE copy = 0;
	CK_ULONG size = 0;

	read_one(r, s, o, "value", CKA_VALUE, 512);
	said(r, CALL_SetAttributeValue, "rename", r->f->C_SetAttributeValue(s, o, rename, 1));
	read_one(r, s, o, "renamed", CKA_LABEL, 512);
	said(r, CALL_SetAttributeValue, "class", r->f->C_SetAttributeValue(s, o, class, 1));
	said(r, CALL_GetObjectSize, "size", r->f->C_GetObjectSize(s, o, &size));
	said(r, CALL_CopyObject, "copy", r->f->C_CopyObject(s, o, session, 2, &copy));
	read_one(r, s, copy, "copy-label", CKA_LABEL, 512);
	read_one(r, s, copy, "copy-value", CKA_VALUE, 512);
	said(r, CALL_DestroyObject, "destroy", r->f->C_DestroyObject(s, o));
	said(r, CALL_DestroyObject, "twice", r->f->C_DestroyObject(s, o));
	read_one(r, s, o, "dead", CKA_VALUE, 512);
	read_one(r, s, copy, "copy-lives", CKA_VALUE, 512);
	said(r, CALL_CreateObject, "no-class", r->f->C_CreateObject(s, rename, 1, &o));
	scene_close(r, s);
	s = scene_open(r, RO);
	read_one(r, s, copy, "owner-closed", CKA_VALUE, 512);
	scene_close(r, s);
}

/* One request with attributes that succeed, are too short, are unknown and are sensitive. */
static void mixed(struct run *r, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_BYTE out[4][256] = {{0}};
	CK_ATTRIBUTE a[] = {
		{CKA_KEY_TYPE, out[0], 256},
		{CKA_MODULUS, out[1], 3},
		{CKA_SUBJECT | 0x70000000UL, out[2], 256},
		{CKA_PRIVATE_EXPONENT, out[3], 256},
		{CKA_MODULUS, NULL, 0},
	};
	CK_RV rv = r->f->C_GetAttributeValue(s, key, a, 5);

	/* Which of the three codes comes is open; the lengths are not. */
	said_number(r, CALL_GetAttributeValue, "mixed-code-listed",
		    rv == CKR_BUFFER_TOO_SMALL || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
				    rv == CKR_ATTRIBUTE_SENSITIVE
			    ? CKR_OK
			    : rv,
		    a[0].ulValueLen);
	said_bytes(r, CALL_GetAttributeValue, "mixed-good", CKR_OK, out[0], sizeof(CK_ULONG));
	said_number(r, CALL_GetAttributeValue, "mixed-short", CKR_OK, a[1].ulValueLen);
	said_number(r, CALL_GetAttributeValue, "mixed-unknown", CKR_OK, a[2].ulValueLen);
	said_number(r, CALL_GetAttributeValue, "mixed-sensitive", CKR_OK, a[3].ulValueLen);
	said_number(r, CALL_GetAttributeValue, "mixed-query", CKR_OK, a[4].ulValueLen);
}

/* Wrap templates: an attribute whose value is attributes. */
static void nested(struct run *r, CK_SESSION_HANDLE s)
{
	static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
	static CK_KEY_TYPE aes = CKK_AES;
	CK_ATTRIBUTE inner[] = {{CKA_EXTRACTABLE, &yes, sizeof(yes)}, {CKA_LABEL, label, 4}};
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &secret, sizeof(secret)},
		{CKA_KEY_TYPE, &aes, sizeof(aes)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_WRAP, &yes, sizeof(yes)},
		{CKA_VALUE, label, 0},
		{CKA_WRAP_TEMPLATE, inner, sizeof(inner)},
	};
	CK_BYTE key[16] = "0123456789abcde";
	CK_BYTE out[2][64] = {{0}};
	CK_ATTRIBUTE back[2] = {{0, NULL, 0}, {0, NULL, 0}};
	CK_ATTRIBUTE a = {CKA_WRAP_TEMPLATE, NULL, 0};
	CK_OBJECT_HANDLE o = 0;
	CK_RV rv;

	tmpl[4] = (CK_ATTRIBUTE){CKA_VALUE, key, sizeof(key)};
	said(r, CALL_CreateObject, "nested", r->f->C_CreateObject(s, tmpl, 6, &o));
	rv = r->f->C_GetAttributeValue(s, o, &a, 1);
	said_number(r, CALL_GetAttributeValue, "nested-size", rv, a.ulValueLen);
	if (rv != CKR_OK || a.ulValueLen != sizeof(back))
		return;
	a.pValue = back;
	rv = r->f->C_GetAttributeValue(s, o, &a, 1);
	said_number(r, CALL_GetAttributeValue, "nested-lengths", rv,
		    back[0].ulValueLen + back[1].ulValueLen);
	back[0].pValue = out[0];
	back[1].pValue = out[1];
	a.ulValueLen = sizeof(back);
	rv = r->f->C_GetAttributeValue(s, o, &a, 1);
	said_number(r, CALL_GetAttributeValue, "nested-types", rv, back[0].type + back[1].type);
	said_number(r, CALL_GetAttributeValue, "nested-values", rv,
		    (CK_ULONG)(out[0][0] + out[1][0]));
}

void scene_attributes(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_OBJECT_HANDLE key = key_rsa_private(r, s);

	read_one(r, s, key, "class", CKA_CLASS, 512);
	read_one(r, s, key, "id", CKA_ID, 512);
	read_one(r, s, key, "modulus", CKA_MODULUS, 512);
	read_one(r, s, key, "exact", CKA_MODULUS, 256);
	read_one(r, s, key, "short", CKA_MODULUS, 255);
	read_one(r, s, key, "no-room", CKA_MODULUS, 0);
	read_one(r, s, key, "sensitive", CKA_PRIVATE_EXPONENT, 512);
	read_one(r, s, key, "other-class", CKA_VALUE_LEN, 512);
	read_one(r, s, key, "empty", CKA_LABEL, 512);
	read_one(r, s, key, "sign", CKA_SIGN, 512);
	read_one(r, s, key, "token", CKA_TOKEN, 512);
	said(r, CALL_GetAttributeValue, "none", r->f->C_GetAttributeValue(s, key, NULL, 0));
	mixed(r, s, key);
	if (!r->is_flat)
		nested(r, s);
	scene_close(r, s);
}

void scene_read_only(struct run *r)
{
	CK_SESSION_HANDLE ro = scene_open(r, RO);
	CK_SESSION_HANDLE rw;
	CK_ATTRIBUTE rename[] = {{CKA_LABEL, value, 4}};
	CK_OBJECT_HANDLE o;

	(void)make_data(r, ro, "public-private-session", &no, &yes);
	(void)make_data(r, ro, "public-token-ro", &yes, &no);
	rw = scene_login(r);
	(void)make_data(r, ro, "token-ro", &yes, &no);
	(void)make_data(r, ro, "session-ro", &no, &no);
	o = make_data(r, rw, "token-rw", &yes, &no);
	read_one(r, ro, o, "read-ro", CKA_VALUE, 512);
	said(r, CALL_SetAttributeValue, "ro", r->f->C_SetAttributeValue(ro, o, rename, 1));
	said(r, CALL_DestroyObject, "ro", r->f->C_DestroyObject(ro, o));
	said(r, CALL_DestroyObject, "rw", r->f->C_DestroyObject(rw, o));
	scene_close(r, ro);
	scene_close(r, rw);
}

static CK_ULONG found(struct run *r, CK_SESSION_HANDLE s, const char *step, CK_ATTRIBUTE *tmpl,
		      CK_ULONG n)
{
	CK_OBJECT_HANDLE list[32];
	CK_ULONG count = 0;
	CK_RV rv = r->f->C_FindObjectsInit(s, tmpl, n);

	said(r, CALL_FindObjectsInit, step, rv);
	if (rv != CKR_OK)
		return 0;
	rv = r->f->C_FindObjects(s, list, 32, &count);
	said_number(r, CALL_FindObjects, step, rv, count);
	said(r, CALL_FindObjectsFinal, step, r->f->C_FindObjectsFinal(s));
	return count;
}

static void find_states(struct run *r, CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl)
{
	CK_OBJECT_HANDLE list[2] = {0};
	CK_ULONG count = 7;
	CK_RV rv;

	said(r, CALL_FindObjects, "idle", r->f->C_FindObjects(s, list, 1, &count));
	said(r, CALL_FindObjectsFinal, "idle", r->f->C_FindObjectsFinal(s));
	said(r, CALL_FindObjectsInit, "first", r->f->C_FindObjectsInit(s, tmpl, 1));
	said(r, CALL_FindObjectsInit, "second", r->f->C_FindObjectsInit(s, tmpl, 1));
	rv = r->f->C_FindObjects(s, list, 1, &count);
	said_number(r, CALL_FindObjects, "one", rv, count);
	rv = r->f->C_FindObjects(s, list, 2, &count);
	said_number(r, CALL_FindObjects, "two", rv, count);
	rv = r->f->C_FindObjects(s, list, 2, &count);
	said_number(r, CALL_FindObjects, "end", rv, count);
	said(r, CALL_FindObjectsFinal, "final", r->f->C_FindObjectsFinal(s));
	said(r, CALL_FindObjectsFinal, "again", r->f->C_FindObjectsFinal(s));
}

void scene_find(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_ATTRIBUTE by_label[] = {{CKA_LABEL, label, sizeof(label) - 1}};
	CK_ATTRIBUTE by_class[] = {{CKA_CLASS, &data, sizeof(data)},
				   {CKA_LABEL, label, sizeof(label) - 1}};
	CK_ATTRIBUTE nothing[] = {{CKA_LABEL, value, 3}};
	CK_OBJECT_HANDLE public = make_data(r, s, "public", &yes, &no);
	CK_OBJECT_HANDLE session = make_data(r, s, "session", &no, &no);
	CK_OBJECT_HANDLE private = make_data(r, s, "private", &yes, &yes);

	(void)session;
	found(r, s, "label", by_label, 1);
	found(r, s, "class-label", by_class, 2);
	found(r, s, "nothing", nothing, 1);
	find_states(r, s, by_label);
	said(r, CALL_Logout, "out", r->f->C_Logout(s));
	found(r, s, "public-only", by_class, 2);
	said(r, CALL_Login, "back", r->f->C_Login(s, CKU_USER, r->pin, r->pin_len));
	found(r, s, "again", by_class, 2);
	said(r, CALL_DestroyObject, "public", r->f->C_DestroyObject(s, public));
	said(r, CALL_DestroyObject, "private-old-handle", r->f->C_DestroyObject(s, private));
	found(r, s, "left", by_class, 2);
	scene_close(r, s);
}

/* Handles that nobody ever got, in every function that takes one. */
void scene_bad_handles(struct run *r)
{
	CK_SESSION_HANDLE s = scene_login(r);
	CK_MECHANISM m = {CKM_RSA_PKCS, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, label, 4}};
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG size = 0;

	said(r, CALL_DestroyObject, "object", r->f->C_DestroyObject(s, NOWHERE));
	said(r, CALL_DestroyObject, "zero", r->f->C_DestroyObject(s, 0));
	said(r, CALL_CopyObject, "object", r->f->C_CopyObject(s, NOWHERE, tmpl, 1, &o));
	said(r, CALL_GetObjectSize, "object", r->f->C_GetObjectSize(s, NOWHERE, &size));
	read_one(r, s, NOWHERE, "object", CKA_LABEL, 512);
	said(r, CALL_SetAttributeValue, "object", r->f->C_SetAttributeValue(s, NOWHERE, tmpl, 1));
	said(r, CALL_SignInit, "key", r->f->C_SignInit(s, &m, NOWHERE));
	said(r, CALL_VerifyInit, "key", r->f->C_VerifyInit(s, &m, NOWHERE));
	said(r, CALL_EncryptInit, "key", r->f->C_EncryptInit(s, &m, NOWHERE));
	said(r, CALL_DecryptInit, "key", r->f->C_DecryptInit(s, &m, NOWHERE));
	said(r, CALL_SignInit, "zero", r->f->C_SignInit(s, &m, 0));
	said(r, CALL_SignInit, "session", r->f->C_SignInit(NOWHERE, &m, 1));
	scene_close(r, s);
}

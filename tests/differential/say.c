/* SPDX-License-Identifier: BSD-2-Clause */
/* The transcript, and the keys and sessions that most scenes begin with.
 *
 * A line is "scene/step C_Function CKR_CODE" and, where there is output, "len=N" and "data=HEX"
 * (the first 64 bytes and a checksum of all of it). Handles are never written: they differ by
 * nature. */
#include <stdio.h>
#include <string.h>

#include "core/base/names.h"
#include "tests/differential/differential.h"

#define SHOWN 64

static const char *const call_names[CALL_COUNT] = {TOKEN_CALLS(TOKEN_CALL_NAME)};

void said(struct run *r, enum token_call call, const char *step, CK_RV rv)
{
	char spare[NAME_MAX_LEN];

	r->called[call] = true;
	printf("%s/%s %s %s\n", r->scene, step, call_names[call], name_of(NAME_RV, rv, spare));
}

void said_number(struct run *r, enum token_call call, const char *step, CK_RV rv, CK_ULONG number)
{
	char spare[NAME_MAX_LEN];

	r->called[call] = true;
	printf("%s/%s %s %s len=%ld\n", r->scene, step, call_names[call],
	       name_of(NAME_RV, rv, spare), (long)number);
}

void said_bytes(struct run *r, enum token_call call, const char *step, CK_RV rv,
		const CK_BYTE *data, CK_ULONG len)
{
	char spare[NAME_MAX_LEN];
	unsigned long sum = 5381;

	r->called[call] = true;
	printf("%s/%s %s %s", r->scene, step, call_names[call], name_of(NAME_RV, rv, spare));
	if (rv == CKR_OK) {
		printf(" len=%lu data=", len);
		for (CK_ULONG i = 0; i < len && i < SHOWN; i++)
			printf("%02x", data[i]);
		for (CK_ULONG i = 0; i < len; i++)
			sum = sum * 33 + data[i];
		printf(" sum=%lx", sum);
	}
	printf("\n");
}

CK_SESSION_HANDLE scene_open(struct run *r, CK_FLAGS flags)
{
	CK_SESSION_HANDLE s = 0;

	said(r, CALL_OpenSession, "open", r->f->C_OpenSession(r->slot, flags, NULL, NULL, &s));
	return s;
}

CK_SESSION_HANDLE scene_login(struct run *r)
{
	CK_SESSION_HANDLE s = scene_open(r, CKF_SERIAL_SESSION | CKF_RW_SESSION);

	said(r, CALL_Login, "user", r->f->C_Login(s, CKU_USER, r->pin, r->pin_len));
	return s;
}

void scene_close(struct run *r, CK_SESSION_HANDLE session)
{
	said(r, CALL_CloseSession, "close", r->f->C_CloseSession(session));
}

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
static CK_OBJECT_CLASS public = CKO_PUBLIC_KEY;
static CK_KEY_TYPE aes = CKK_AES;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
static CK_KEY_TYPE rsa = CKK_RSA;
static CK_KEY_TYPE ec = CKK_EC;
static CK_BYTE secret_value[32] = "0123456789abcdefghijklmnopqrstu";
static CK_BYTE exponent[] = {0x01, 0x00, 0x01};
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

static CK_OBJECT_HANDLE create(struct run *r, CK_SESSION_HANDLE s, const char *step,
			       CK_ATTRIBUTE *tmpl, size_t size)
{
	CK_OBJECT_HANDLE object = 0;
	CK_RV rv = r->f->C_CreateObject(s, tmpl, size / sizeof(*tmpl), &object);

	said(r, CALL_CreateObject, step, rv);
	return rv == CKR_OK ? object : 0;
}

CK_OBJECT_HANDLE key_aes(struct run *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &secret, sizeof(secret)},
		{CKA_KEY_TYPE, &aes, sizeof(aes)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_ENCRYPT, &yes, sizeof(yes)},
		{CKA_DECRYPT, &yes, sizeof(yes)},
		{CKA_WRAP, &yes, sizeof(yes)},
		{CKA_UNWRAP, &yes, sizeof(yes)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_VALUE, secret_value, sizeof(secret_value)},
	};

	return create(r, s, "aes", tmpl, sizeof(tmpl));
}

CK_OBJECT_HANDLE key_generic(struct run *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &secret, sizeof(secret)},
		{CKA_KEY_TYPE, &generic, sizeof(generic)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_DERIVE, &yes, sizeof(yes)},
		{CKA_EXTRACTABLE, &yes, sizeof(yes)},
		{CKA_VALUE, secret_value, sizeof(secret_value)},
	};

	return create(r, s, "generic", tmpl, sizeof(tmpl));
}

CK_OBJECT_HANDLE key_rsa_private(struct run *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &private, sizeof(private)},
		{CKA_KEY_TYPE, &rsa, sizeof(rsa)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_DECRYPT, &yes, sizeof(yes)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_ID, exponent, sizeof(exponent)},
		{CKA_MODULUS, rsa_n, sizeof(rsa_n)},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
		{CKA_PRIVATE_EXPONENT, rsa_d, sizeof(rsa_d)},
		{CKA_PRIME_1, rsa_p, sizeof(rsa_p)},
		{CKA_PRIME_2, rsa_q, sizeof(rsa_q)},
		{CKA_EXPONENT_1, rsa_dp, sizeof(rsa_dp)},
		{CKA_EXPONENT_2, rsa_dq, sizeof(rsa_dq)},
		{CKA_COEFFICIENT, rsa_qi, sizeof(rsa_qi)},
	};

	return create(r, s, "rsa-private", tmpl, sizeof(tmpl));
}

CK_OBJECT_HANDLE key_rsa_public(struct run *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &public, sizeof(public)},
		{CKA_KEY_TYPE, &rsa, sizeof(rsa)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_ENCRYPT, &yes, sizeof(yes)},
		{CKA_MODULUS, rsa_n, sizeof(rsa_n)},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
	};

	return create(r, s, "rsa-public", tmpl, sizeof(tmpl));
}

CK_OBJECT_HANDLE key_ec_private(struct run *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &private, sizeof(private)}, {CKA_KEY_TYPE, &ec, sizeof(ec)},
		{CKA_TOKEN, &no, sizeof(no)},           {CKA_SIGN, &yes, sizeof(yes)},
		{CKA_DERIVE, &yes, sizeof(yes)},        {CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_EC_PARAMS, p256, sizeof(p256)},    {CKA_VALUE, ec_d, sizeof(ec_d)},
	};

	return create(r, s, "ec-private", tmpl, sizeof(tmpl));
}

CK_OBJECT_HANDLE key_ec_public(struct run *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &public, sizeof(public)}, {CKA_KEY_TYPE, &ec, sizeof(ec)},
		{CKA_TOKEN, &no, sizeof(no)},         {CKA_VERIFY, &yes, sizeof(yes)},
		{CKA_EC_PARAMS, p256, sizeof(p256)},  {CKA_EC_POINT, ec_point, sizeof(ec_point)},
	};

	return create(r, s, "ec-public", tmpl, sizeof(tmpl));
}

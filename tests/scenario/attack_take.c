/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys to be attacked, and every way in which an application could take one: the values read, or
 * the key wrapped under one of the attacker's own, or under itself. */
#include "tests/scenario/attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static unsigned char exponent[] = {1, 0, 1};
static CK_ULONG length = 32, key_bits = 2048;

/* Room for a wrapped RSA key of 2048 bits. */
#define WRAPPED_MAX 4096

/* What every key of these tests is, by its mark. */
#define COMMON                                                                                     \
	{CKA_TOKEN, &yes, sizeof yes}, {CKA_ID, id, sizeof id},                                    \
	{                                                                                          \
		CKA_LABEL, label, sizeof label                                                     \
	}

static CK_OBJECT_HANDLE make_secret(const struct app *app, CK_SESSION_HANDLE s,
				    enum attack_kind kind, CK_BBOOL *leaves, unsigned char mark)
{
	CK_MECHANISM by = {kind == ATTACK_AES ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, NULL,
			   0};
	unsigned char id[8], label[] = {'k', mark};
	CK_ATTRIBUTE tmpl[] = {COMMON,
			       {CKA_PRIVATE, &yes, sizeof yes},
			       {CKA_SENSITIVE, &yes, sizeof yes},
			       {CKA_EXTRACTABLE, leaves, sizeof *leaves},
			       {CKA_VALUE_LEN, &length, sizeof length},
			       {CKA_DERIVE, &yes, sizeof yes},
			       {CKA_SIGN, &yes, sizeof yes},
			       {CKA_WRAP, &yes, sizeof yes},
			       {CKA_UNWRAP, &yes, sizeof yes},
			       {CKA_ENCRYPT, &yes, sizeof yes},
			       {CKA_DECRYPT, &yes, sizeof yes}};
	CK_OBJECT_HANDLE key = 0;

	OK(app->f->C_GenerateRandom(s, id, sizeof id));
	/* A generic secret neither wraps nor enciphers. */
	OK(app->f->C_GenerateKey(s, &by, tmpl, kind == ATTACK_AES ? 13 : 9, &key));
	return key;
}

static CK_OBJECT_HANDLE make_pair(const struct app *app, CK_SESSION_HANDLE s, enum attack_kind kind,
				  CK_BBOOL *leaves, unsigned char mark)
{
	const bool is_ec = kind == ATTACK_EC;
	CK_MECHANISM by = {is_ec ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	unsigned char id[8], label[] = {'k', mark};
	CK_ATTRIBUTE private[] = {
		COMMON,
		{CKA_PRIVATE, &yes, sizeof yes},
		{CKA_SENSITIVE, &yes, sizeof yes},
		{CKA_EXTRACTABLE, leaves, sizeof *leaves},
		{CKA_SIGN, &yes, sizeof yes},
		{is_ec ? CKA_DERIVE : CKA_DECRYPT, &yes, sizeof yes},
	};
	CK_ATTRIBUTE public[] = {
		COMMON,
		{CKA_VERIFY, &yes, sizeof yes},
		{is_ec ? CKA_EC_PARAMS : CKA_MODULUS_BITS, is_ec ? (void *)p256 : &key_bits,
		 is_ec ? sizeof p256 : sizeof key_bits},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
	};
	CK_OBJECT_HANDLE key[2] = {0, 0};

	/* NSS replaces a key that has the same CKA_ID. */
	OK(app->f->C_GenerateRandom(s, id, sizeof id));
	OK(app->f->C_GenerateKeyPair(s, &by, public, is_ec ? 5 : 6, private, 8, &key[0], &key[1]));
	return key[1];
}

CK_OBJECT_HANDLE attack_make(const struct app *app, CK_SESSION_HANDLE s, enum attack_kind kind,
			     bool is_exportable, unsigned char mark)
{
	CK_BBOOL *leaves = is_exportable ? &yes : &no;

	if (kind == ATTACK_AES || kind == ATTACK_GENERIC)
		return make_secret(app, s, kind, leaves, mark);
	return make_pair(app, s, kind, leaves, mark);
}

CK_OBJECT_HANDLE attack_wrapper(const struct app *app, CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	unsigned char value[32];
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof class},   {CKA_KEY_TYPE, &type, sizeof type},
		{CKA_TOKEN, &no, sizeof no},         {CKA_VALUE, value, sizeof value},
		{CKA_WRAP, &yes, sizeof yes},        {CKA_UNWRAP, &yes, sizeof yes},
		{CKA_DECRYPT, &yes, sizeof yes},     {CKA_ENCRYPT, &yes, sizeof yes},
		{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_SENSITIVE, &no, sizeof no},
		{CKA_DERIVE, &yes, sizeof yes},      {CKA_PRIVATE, &no, sizeof no},
	};
	CK_OBJECT_HANDLE key = 0;

	memset(value, 0x41, sizeof value);
	OK(app->f->C_CreateObject(s, tmpl, sizeof tmpl / sizeof *tmpl, &key));
	return key;
}

/* The public half of a pair of session objects; the attacker has the private one. */
static CK_OBJECT_HANDLE rsa_wrapper(const struct app *app, CK_SESSION_HANDLE s,
				    CK_OBJECT_HANDLE *private)
{
	CK_ULONG bits = 1024; /* there is room for a key, and a longer one would only take longer */
	CK_MECHANISM by = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
			       {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
			       {CKA_WRAP, &yes, sizeof yes},
			       {CKA_ENCRYPT, &yes, sizeof yes}};
	CK_ATTRIBUTE own[] = {{CKA_UNWRAP, &yes, sizeof yes},
			      {CKA_DECRYPT, &yes, sizeof yes},
			      {CKA_PRIVATE, &no, sizeof no}};
	CK_OBJECT_HANDLE public = 0;

	OK(app->f->C_GenerateKeyPair(s, &by, tmpl, 4, own, 3, &public, private));
	return public;
}

static const char *read_values(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	static const CK_ATTRIBUTE_TYPE values[] = {
		CKA_VALUE,      CKA_PRIVATE_EXPONENT, CKA_PRIME_1,     CKA_PRIME_2,
		CKA_EXPONENT_1, CKA_EXPONENT_2,       CKA_COEFFICIENT,
	};
	unsigned char out[1024];

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		CK_ATTRIBUTE a[2] = {{values[i], out, sizeof out}, {CKA_ID, NULL, 0}};

		CK_RV rv;

		/* Alone, and beside one that can be read. */
		for (CK_ULONG count = 1; count <= 2; count++) {
			memset(out, 0, sizeof out);
			a[0].ulValueLen = sizeof out;
			rv = app->f->C_GetAttributeValue(s, key, a, count);
			if ((rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE ||
			     rv == CKR_ATTRIBUTE_TYPE_INVALID) &&
			    a[0].ulValueLen != CK_UNAVAILABLE_INFORMATION && a[0].ulValueLen > 0)
				return "C_GetAttributeValue";
			for (size_t k = 0; k < sizeof out; k++)
				if (out[k])
					return "C_GetAttributeValue, beside its code";
		}
	}
	return NULL;
}

/* Mechanisms that wrap; the parameter of those that want one. */
static unsigned char iv[16];
static CK_RSA_PKCS_OAEP_PARAMS oaep = {
	.hashAlg = CKM_SHA_1, .mgf = CKG_MGF1_SHA1, .source = CKZ_DATA_SPECIFIED};
static CK_RSA_AES_KEY_WRAP_PARAMS rsa_aes = {.ulAESKeyBits = 256, .pOAEPParams = &oaep};
static CK_GCM_PARAMS gcm = {.pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128};

static const struct {
	CK_MECHANISM by;
	bool is_rsa;
	const char *name;
} ways[] = {
	{{CKM_AES_KEY_WRAP, NULL, 0}, false, "CKM_AES_KEY_WRAP"},
	{{CKM_AES_KEY_WRAP_PAD, NULL, 0}, false, "CKM_AES_KEY_WRAP_PAD"},
	{{CKM_AES_KEY_WRAP_KWP, NULL, 0}, false, "CKM_AES_KEY_WRAP_KWP"},
	{{CKM_AES_ECB, NULL, 0}, false, "CKM_AES_ECB"},
	{{CKM_AES_CBC, iv, sizeof iv}, false, "CKM_AES_CBC"},
	{{CKM_AES_CBC_PAD, iv, sizeof iv}, false, "CKM_AES_CBC_PAD"},
	{{CKM_AES_GCM, &gcm, sizeof gcm}, false, "CKM_AES_GCM"},
	{{CKM_RSA_PKCS, NULL, 0}, true, "CKM_RSA_PKCS"},
	{{CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep}, true, "CKM_RSA_PKCS_OAEP"},
	{{CKM_RSA_X_509, NULL, 0}, true, "CKM_RSA_X_509"},
	{{CKM_RSA_AES_KEY_WRAP, &rsa_aes, sizeof rsa_aes}, true, "CKM_RSA_AES_KEY_WRAP"},
};

static const char *wrap(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE aes,
			CK_OBJECT_HANDLE rsa, CK_OBJECT_HANDLE key)
{
	const CK_OBJECT_HANDLE under[3] = {aes, rsa, key};
	static unsigned char out[WRAPPED_MAX];

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		CK_MECHANISM by = ways[i].by;

		for (unsigned k = 0; k < 3; k++) {
			CK_ULONG len = sizeof out;

			if (k < 2 && (k == 1) != ways[i].is_rsa)
				continue;
			if (app->f->C_WrapKey(s, &by, under[k], key, out, &len) == CKR_OK)
				return ways[i].name;
			/* Its length alone is no secret; CKR_OK says that it could be had. */
			if (app->f->C_WrapKey(s, &by, under[k], key, NULL, &len) == CKR_OK)
				return ways[i].name;
		}
	}
	return NULL;
}

const char *attack_take(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	static CK_OBJECT_HANDLE aes, rsa, private;
	static CK_SESSION_HANDLE theirs;
	const char *way = read_values(app, s, key);
	CK_BBOOL wraps = CK_FALSE;
	CK_ATTRIBUTE a = {CKA_WRAP, &wraps, sizeof wraps};

	/* An RSA key takes its time: made once, and again when its session is over. */
	if (theirs != s || app->f->C_GetAttributeValue(s, rsa, &a, 1) != CKR_OK || !wraps) {
		aes = attack_wrapper(app, s);
		rsa = rsa_wrapper(app, s, &private);
		theirs = s;
	}
	return way ? way : wrap(app, s, aes, rsa, key);
}

void attack_fails(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key, const char *how)
{
	const char *way = attack_take(app, s, key);

	if (!way)
		return;
	fprintf(stderr, "%s: the key was had by %s\n", how, way);
	exit(1);
}

void attack_gave(const struct app *app, CK_SESSION_HANDLE s, CK_RV rv, CK_OBJECT_HANDLE key,
		 const char *how)
{
	if (rv != CKR_OK)
		return;
	attack_fails(app, s, key, how);
	OK(app->f->C_DestroyObject(s, key));
}

CK_ULONG attack_find(const struct app *app, CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     CK_OBJECT_HANDLE *found)
{
	CK_OBJECT_HANDLE all[64] = {0};
	CK_ULONG n = 0;

	OK(app->f->C_FindObjectsInit(s, tmpl, count));
	OK(app->f->C_FindObjects(s, all, 64, &n));
	OK(app->f->C_FindObjectsFinal(s));
	if (found)
		*found = n ? all[0] : CK_INVALID_HANDLE;
	return n;
}

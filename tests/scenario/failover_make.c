/* SPDX-License-Identifier: BSD-2-Clause */
/* The failover driver makes token objects in every way that there is. Each gets the label "made";
 * when the application is told that it is there, it must carry that label, be the only one that a
 * search finds, and be of use. */
#include "tests/scenario/failover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "made"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG key_len = 32;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, data_class = CKO_DATA;
static CK_KEY_TYPE aes = CKK_AES, generic = CKK_GENERIC_SECRET;
static char label[] = LABEL, own_label[] = "hsmux-of-mine";
static CK_BYTE value[] = "the value of the data";

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static CK_RV generate(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, sizeof(yes)},
			       {CKA_ENCRYPT, &yes, sizeof(yes)},
			       {CKA_LABEL, label, strlen(label)},
			       {CKA_VALUE_LEN, &key_len, sizeof(key_len)}};

	return s->world->app.f->C_GenerateKey(s->session, &mechanism, tmpl, COUNT(tmpl), &made[0]);
}

/* A key that nobody can name afterwards. */
static CK_RV generate_fixed(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, sizeof(yes)},
			       {CKA_ENCRYPT, &yes, sizeof(yes)},
			       {CKA_LABEL, label, strlen(label)},
			       {CKA_MODIFIABLE, &no, sizeof(no)},
			       {CKA_VALUE_LEN, &key_len, sizeof(key_len)}};

	return s->world->app.f->C_GenerateKey(s->session, &mechanism, tmpl, COUNT(tmpl), &made[0]);
}

static CK_RV generate_pair(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof(yes)},
				 {CKA_EC_PARAMS, p256, sizeof(p256)},
				 {CKA_VERIFY, &yes, sizeof(yes)},
				 {CKA_LABEL, label, strlen(label)}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof(yes)},
				  {CKA_PRIVATE, &yes, sizeof(yes)},
				  {CKA_SIGN, &yes, sizeof(yes)},
				  {CKA_LABEL, label, strlen(label)}};

	return s->world->app.f->C_GenerateKeyPair(s->session, &mechanism, public, COUNT(public),
						  private, COUNT(private), &made[0], &made[1]);
}

static CK_RV create_with(struct seat *s, char *name, CK_OBJECT_HANDLE *made)
{
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &data_class, sizeof(data_class)},
			       {CKA_TOKEN, &yes, sizeof(yes)},
			       {CKA_LABEL, name, strlen(name)},
			       {CKA_VALUE, value, sizeof(value)}};

	return s->world->app.f->C_CreateObject(s->session, tmpl, COUNT(tmpl), made);
}

static CK_RV create(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	return create_with(s, label, &made[0]);
}

static CK_RV create_own(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	return create_with(s, own_label, &made[0]);
}

/* Gives a key of the set a label that is not the application's to give. */
static CK_RV rename_own(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	CK_ATTRIBUTE name = {CKA_LABEL, own_label, strlen(own_label)};

	(void)made;
	return s->world->app.f->C_SetAttributeValue(s->session, s->world->things[MAC_KEY], &name,
						    1);
}

static CK_RV copy(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_LABEL, label, strlen(label)}};

	return s->world->app.f->C_CopyObject(s->session, s->world->things[MAC_KEY], tmpl,
					     COUNT(tmpl), &made[0]);
}

static CK_RV unwrap(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	const CK_OBJECT_HANDLE *things = s->world->things;
	CK_BYTE wrapped[64];
	CK_ULONG len = sizeof(wrapped);
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
			       {CKA_KEY_TYPE, &generic, sizeof(generic)},
			       {CKA_TOKEN, &yes, sizeof(yes)},
			       {CKA_SIGN, &yes, sizeof(yes)},
			       {CKA_LABEL, label, strlen(label)}};

	OK(s->world->app.f->C_WrapKey(s->session, &mechanism, things[AES_KEY], things[MAC_KEY],
				      wrapped, &len));
	return s->world->app.f->C_UnwrapKey(s->session, &mechanism, things[AES_KEY], wrapped, len,
					    tmpl, COUNT(tmpl), &made[0]);
}

static CK_RV derive(struct seat *s, CK_OBJECT_HANDLE made[2])
{
	CK_BYTE data[32] = {1};
	CK_KEY_DERIVATION_STRING_DATA parameter = {data, sizeof(data)};
	CK_MECHANISM mechanism = {CKM_AES_ECB_ENCRYPT_DATA, &parameter, sizeof(parameter)};
	CK_ATTRIBUTE base_tmpl[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
				    {CKA_KEY_TYPE, &aes, sizeof(aes)},
				    {CKA_DERIVE, &yes, sizeof(yes)},
				    {CKA_VALUE, data, sizeof(data)}};
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &secret_class, sizeof(secret_class)},
			       {CKA_KEY_TYPE, &aes, sizeof(aes)},
			       {CKA_TOKEN, &yes, sizeof(yes)},
			       {CKA_ENCRYPT, &yes, sizeof(yes)},
			       {CKA_VALUE_LEN, &key_len, sizeof(key_len)},
			       {CKA_LABEL, label, strlen(label)}};
	CK_OBJECT_HANDLE base;
	CK_RV rv;

	OK(s->world->app.f->C_CreateObject(s->session, base_tmpl, COUNT(base_tmpl), &base));
	rv = s->world->app.f->C_DeriveKey(s->session, &mechanism, base, tmpl, COUNT(tmpl),
					  &made[0]);
	OK(s->world->app.f->C_DestroyObject(s->session, base));
	return rv;
}

static const struct way {
	const char *name;
	CK_RV (*run)(struct seat *s, CK_OBJECT_HANDLE made[2]);
} ways[] = {
	{"key", generate},       {"fixed", generate_fixed},
	{"pair", generate_pair}, {"data", create},
	{"copy", copy},          {"unwrap", unwrap},
	{"derive", derive},      {"own", create_own},
	{"rename", rename_own},
};

/* It has its label. */
static void check_label(const struct seat *s, CK_OBJECT_HANDLE object)
{
	char got[64];
	CK_ATTRIBUTE name = {CKA_LABEL, got, sizeof(got)};

	OK(s->world->app.f->C_GetAttributeValue(s->session, object, &name, 1));
	CHECK(name.ulValueLen == strlen(LABEL) && memcmp(got, LABEL, name.ulValueLen) == 0);
}

/* The objects with the label are exactly those that were made. */
static void check_found(const struct seat *s, const CK_OBJECT_HANDLE made[2])
{
	CK_ATTRIBUTE name = {CKA_LABEL, label, strlen(label)};
	CK_OBJECT_HANDLE found[4];
	CK_ULONG count = 0, wanted = made[1] ? 2 : 1;

	OK(s->world->app.f->C_FindObjectsInit(s->session, &name, 1));
	OK(s->world->app.f->C_FindObjects(s->session, found, COUNT(found), &count));
	OK(s->world->app.f->C_FindObjectsFinal(s->session));
	CHECK(count == wanted);
	for (CK_ULONG i = 0; i < count; i++)
		CHECK(found[i] == made[0] || found[i] == made[1]);
}

/* A pair is one: the public key verifies what the private key signs. */
static void check_pair(const struct seat *s, const CK_OBJECT_HANDLE made[2])
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE hash[32] = {7}, signature[128];
	CK_ULONG len = sizeof(signature);
	const CK_FUNCTION_LIST *f = s->world->app.f;

	OK(f->C_SignInit(s->session, &mechanism, made[1]));
	OK(f->C_Sign(s->session, hash, sizeof(hash), signature, &len));
	OK(f->C_VerifyInit(s->session, &mechanism, made[0]));
	OK(f->C_Verify(s->session, hash, sizeof(hash), signature, len));
}

CK_RV make_run(struct seat *s, const char *name)
{
	CK_OBJECT_HANDLE made[2] = {0, 0};
	CK_RV rv;

	for (size_t i = 0; i < COUNT(ways); i++) {
		if (strcmp(ways[i].name, name) != 0)
			continue;
		rv = ways[i].run(s, made);
		if (rv != CKR_OK)
			return rv;
		CHECK(made[0] != 0);
		for (unsigned k = 0; k < 2 && made[k]; k++)
			check_label(s, made[k]);
		check_found(s, made);
		if (made[1])
			check_pair(s, made);
		return CKR_OK;
	}
	fprintf(stderr, "no way %s\n", name);
	exit(2);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* An application that tries what policies refuse, and what they must not refuse.
 *
 *   policy MODULE CASE LABEL
 *
 * Each case belongs to a policy; the script says which. */
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>

#include "tests/scenario/app.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE, two = 2;
static CK_ULONG aes_len = 32;
static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET, aes = CKK_AES;
/* Kinds of CK_PRF_DATA_PARAM: PKCS#11 3.0, CK_SP800_108_... */
enum { ITERATION_VARIABLE = 1, BYTE_ARRAY = 4 };
static CK_BYTE data[32] = "thirty-two bytes, all of a block";

static CK_SESSION_HANDLE enter(struct app *app, const char *label)
{
	app_init(app);
	return app_enter(app, label);
}

/* An AES key with these rights and no others. */
static CK_RV make_aes(struct app *app, CK_SESSION_HANDLE s, const CK_ATTRIBUTE_TYPE *rights,
		      size_t count, CK_OBJECT_HANDLE *key)
{
	static const CK_ATTRIBUTE_TYPE all[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP,  CKA_UNWRAP,
						CKA_SIGN,    CKA_VERIFY,  CKA_DERIVE};
	CK_MECHANISM mech = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE t[COUNT(all) + 4] = {{CKA_TOKEN, &no, 1},
					  {CKA_VALUE_LEN, &aes_len, sizeof aes_len},
					  {CKA_SENSITIVE, &yes, 1},
					  {CKA_EXTRACTABLE, &yes, 1}};

	for (size_t i = 0; i < COUNT(all); i++) {
		t[4 + i] = (CK_ATTRIBUTE){all[i], &no, 1};
		for (size_t k = 0; k < count; k++)
			if (rights[k] == all[i])
				t[4 + i].pValue = &yes;
	}
	return app->f->C_GenerateKey(s, &mech, t, COUNT(t), key);
}

#define RIGHTS(...)                                                                                \
	(const CK_ATTRIBUTE_TYPE[]){__VA_ARGS__},                                                  \
		sizeof((const CK_ATTRIBUTE_TYPE[]){__VA_ARGS__}) / sizeof(CK_ATTRIBUTE_TYPE)

/* Wraps, and decrypts what was wrapped. */
static void wrap_decrypt(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_ATTRIBUTE decrypt = {CKA_DECRYPT, &yes, 1}, wrap = {CKA_WRAP, &yes, 1};
	CK_OBJECT_HANDLE key, copy;

	EXPECT(CKR_TEMPLATE_INCONSISTENT, make_aes(app, s, RIGHTS(CKA_WRAP, CKA_DECRYPT), &key));
	EXPECT(CKR_TEMPLATE_INCONSISTENT, make_aes(app, s, RIGHTS(CKA_UNWRAP, CKA_ENCRYPT), &key));
	OK(make_aes(app, s, RIGHTS(CKA_WRAP, CKA_UNWRAP), &key));
	EXPECT(CKR_ATTRIBUTE_READ_ONLY, app->f->C_SetAttributeValue(s, key, &decrypt, 1));
	EXPECT(CKR_ATTRIBUTE_READ_ONLY, app->f->C_CopyObject(s, key, &decrypt, 1, &copy));
	OK(make_aes(app, s, RIGHTS(CKA_ENCRYPT, CKA_DECRYPT), &key));
	EXPECT(CKR_ATTRIBUTE_READ_ONLY, app->f->C_SetAttributeValue(s, key, &wrap, 1));
	OK(app->f->C_Finalize(NULL));
}

/* A template that says two things, or says one in an odd way. */
static void templates(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_MECHANISM mech = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG other_len = 16;
	CK_ATTRIBUTE twice[] = {{CKA_TOKEN, &no, 1},
				{CKA_VALUE_LEN, &aes_len, sizeof aes_len},
				{CKA_VALUE_LEN, &other_len, sizeof other_len}};
	CK_ATTRIBUTE flips[] = {{CKA_TOKEN, &no, 1},
				{CKA_VALUE_LEN, &aes_len, sizeof aes_len},
				{CKA_EXTRACTABLE, &no, 1},
				{CKA_EXTRACTABLE, &yes, 1}};
	CK_ATTRIBUTE same[] = {{CKA_TOKEN, &no, 1},
			       {CKA_VALUE_LEN, &aes_len, sizeof aes_len},
			       {CKA_SENSITIVE, &yes, 1},
			       {CKA_SENSITIVE, &yes, 1}};
	CK_ATTRIBUTE odd[] = {{CKA_TOKEN, &no, 1},
			      {CKA_VALUE_LEN, &aes_len, sizeof aes_len},
			      {CKA_WRAP, &two, 1},
			      {CKA_DECRYPT, &two, 1}};
	CK_ATTRIBUTE longer[] = {{CKA_TOKEN, &no, 1},
				 {CKA_VALUE_LEN, &aes_len, sizeof aes_len},
				 {CKA_WRAP, data, 8}};
	CK_OBJECT_HANDLE key;

	EXPECT(CKR_TEMPLATE_INCONSISTENT, app->f->C_GenerateKey(s, &mech, twice, 3, &key));
	EXPECT(CKR_TEMPLATE_INCONSISTENT, app->f->C_GenerateKey(s, &mech, flips, 4, &key));
	EXPECT(CKR_TEMPLATE_INCONSISTENT, app->f->C_GenerateKey(s, &mech, odd, 4, &key));
	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, app->f->C_GenerateKey(s, &mech, longer, 3, &key));
	OK(app->f->C_GenerateKey(s, &mech, same, 4, &key));
	OK(app->f->C_Finalize(NULL));
}

/* The refusal is in ulDeviceError. */
static void check_device_error(struct app *app, CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO info;

	OK(app->f->C_GetSessionInfo(s, &info));
	CHECK((info.ulDeviceError & 0xffff0000UL) == 0x48580000UL);
	CHECK((info.ulDeviceError & 0xffffUL) != 0);
}

/* Digests of a sensitive key, and short keys derived from one. */
static void leaks(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_KEY_DERIVATION_STRING_DATA string = {data, 16};
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0},
		     ecb = {CKM_AES_ECB_ENCRYPT_DATA, &string, sizeof string};
	CK_ULONG short_len = 1;
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, 1},
			    {CKA_CLASS, &secret, sizeof secret},
			    {CKA_KEY_TYPE, &generic, sizeof generic},
			    {CKA_VALUE_LEN, &short_len, sizeof short_len},
			    {CKA_SENSITIVE, &no, 1},
			    {CKA_EXTRACTABLE, &yes, 1}};
	CK_OBJECT_HANDLE key, derived;

	OK(make_aes(app, s, RIGHTS(CKA_DERIVE, CKA_ENCRYPT), &key));
	OK(app->f->C_DigestInit(s, &sha));
	EXPECT(CKR_KEY_INDIGESTIBLE, app->f->C_DigestKey(s, key));
	check_device_error(app, s);
	EXPECT(CKR_TEMPLATE_INCONSISTENT, app->f->C_DeriveKey(s, &ecb, key, t, COUNT(t), &derived));
	short_len = 16;
	OK(app->f->C_DeriveKey(s, &ecb, key, t, COUNT(t), &derived));
	OK(app->f->C_Finalize(NULL));
}

/* SP 800-108 makes several keys at once; the second is as short as the case says. */
static CK_RV derive_two(struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE base, CK_ULONG len)
{
	CK_ULONG main_len = 32;
	CK_SP800_108_COUNTER_FORMAT counter = {CK_FALSE, 32};
	CK_PRF_DATA_PARAM parts[] = {{ITERATION_VARIABLE, &counter, sizeof counter},
				     {BYTE_ARRAY, data, 16}};
	CK_ATTRIBUTE first[] = {{CKA_CLASS, &secret, sizeof secret},
				{CKA_KEY_TYPE, &generic, sizeof generic},
				{CKA_VALUE_LEN, &main_len, sizeof main_len},
				{CKA_SENSITIVE, &yes, 1}};
	CK_ATTRIBUTE second[] = {{CKA_CLASS, &secret, sizeof secret},
				 {CKA_KEY_TYPE, &generic, sizeof generic},
				 {CKA_VALUE_LEN, &len, sizeof len},
				 {CKA_SENSITIVE, &no, 1}};
	CK_OBJECT_HANDLE made[2];
	CK_DERIVED_KEY more = {second, COUNT(second), &made[1]};
	CK_SP800_108_KDF_PARAMS params = {CKM_SHA256_HMAC, 2, parts, 1, &more};
	CK_MECHANISM mech = {CKM_SP800_108_COUNTER_KDF, &params, sizeof params};

	return app->f->C_DeriveKey(s, &mech, base, first, COUNT(first), &made[0]);
}

static void further(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_MECHANISM mech = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, 1},
			    {CKA_VALUE_LEN, &aes_len, sizeof aes_len},
			    {CKA_SENSITIVE, &yes, 1},
			    {CKA_DERIVE, &yes, 1},
			    {CKA_SIGN, &yes, 1}};
	CK_OBJECT_HANDLE base;

	OK(app->f->C_GenerateKey(s, &mech, t, COUNT(t), &base));
	OK(derive_two(app, s, base, 16));
	EXPECT(CKR_TEMPLATE_INCONSISTENT, derive_two(app, s, base, 1));
	check_device_error(app, s);
	OK(app->f->C_Finalize(NULL));
}

static CK_RV make_rsa(struct app *app, CK_SESSION_HANDLE s, CK_ULONG bits, CK_OBJECT_HANDLE pair[2])
{
	CK_MECHANISM mech = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_BYTE e[] = {1, 0, 1};
	CK_ATTRIBUTE pub[] = {{CKA_TOKEN, &no, 1},
			      {CKA_MODULUS_BITS, &bits, sizeof bits},
			      {CKA_PUBLIC_EXPONENT, e, sizeof e},
			      {CKA_VERIFY, &yes, 1},
			      {CKA_ENCRYPT, &no, 1},
			      {CKA_WRAP, &no, 1}};
	CK_ATTRIBUTE priv[] = {{CKA_TOKEN, &no, 1},  {CKA_SENSITIVE, &yes, 1},
			       {CKA_SIGN, &yes, 1},  {CKA_DECRYPT, &no, 1},
			       {CKA_UNWRAP, &no, 1}, {CKA_EXTRACTABLE, &no, 1}};

	return app->f->C_GenerateKeyPair(s, &mech, pub, COUNT(pub), priv, COUNT(priv), &pair[0],
					 &pair[1]);
}

static void fips_rsa(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_MECHANISM sha1 = {CKM_SHA1_RSA_PKCS, NULL, 0}, sha256 = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_RSA_PKCS_PSS_PARAMS mixed = {CKM_SHA256, CKG_MGF1_SHA1, 32};
	CK_MECHANISM pss = {CKM_RSA_PKCS_PSS, &mixed, sizeof mixed};
	CK_BYTE signature[512] = {0};
	CK_ULONG len = sizeof signature;
	CK_OBJECT_HANDLE pair[2];

	EXPECT(CKR_ATTRIBUTE_VALUE_INVALID, make_rsa(app, s, 1024, pair));
	check_device_error(app, s);
	OK(make_rsa(app, s, 2048, pair));
	EXPECT(CKR_MECHANISM_INVALID, app->f->C_SignInit(s, &sha1, pair[1]));
	OK(app->f->C_VerifyInit(s, &sha1, pair[0]));
	/* openCryptoki has another code for a signature that is none. */
	CHECK(app->f->C_Verify(s, data, sizeof data, signature, 256) != CKR_OK);
	EXPECT(CKR_MECHANISM_PARAM_INVALID, app->f->C_SignInit(s, &pss, pair[1]));
	OK(app->f->C_SignInit(s, &sha256, pair[1]));
	OK(app->f->C_Sign(s, data, sizeof data, signature, &len));
	OK(app->f->C_VerifyInit(s, &sha256, pair[0]));
	OK(app->f->C_Verify(s, data, sizeof data, signature, len));
	OK(app->f->C_Finalize(NULL));
}

static CK_RV make_ec(struct app *app, CK_SESSION_HANDLE s, CK_BYTE *params, CK_ULONG len)
{
	CK_MECHANISM mech = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE pub[] = {{CKA_TOKEN, &no, 1}, {CKA_EC_PARAMS, params, len}};
	CK_ATTRIBUTE priv[] = {{CKA_TOKEN, &no, 1}, {CKA_SENSITIVE, &yes, 1}};
	CK_OBJECT_HANDLE pair[2];

	return app->f->C_GenerateKeyPair(s, &mech, pub, COUNT(pub), priv, COUNT(priv), &pair[0],
					 &pair[1]);
}

/* A weak curve by its OID, and a good one with another generator by explicit parameters. */
static void fips_curves(struct app *app, const char *label)
{
	static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	static CK_BYTE k256[] = {6, 5, 0x2b, 0x81, 4, 0, 0x0a};
	CK_SESSION_HANDLE s = enter(app, label);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = EC_POINT_dup(EC_GROUP_get0_generator(group), group);
	unsigned char *der = NULL;
	int len;

	EC_POINT_dbl(group, point, point, NULL);
	EC_GROUP_set_generator(group, point, EC_GROUP_get0_order(group),
			       EC_GROUP_get0_cofactor(group));
	EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
	len = i2d_ECPKParameters(group, &der);
	CHECK(len > 0);
	EXPECT(CKR_CURVE_NOT_SUPPORTED, make_ec(app, s, k256, sizeof k256));
	EXPECT(CKR_CURVE_NOT_SUPPORTED, make_ec(app, s, der, (CK_ULONG)len));
	OK(make_ec(app, s, p256, sizeof p256));
	OPENSSL_free(der);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	OK(app->f->C_Finalize(NULL));
}

static void fips_ciphers(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_MECHANISM des3 = {CKM_DES3_KEY_GEN, NULL, 0}, md5 = {CKM_MD5, NULL, 0};
	CK_GCM_PARAMS params = {data, 12, 96, NULL, 0, 128};
	CK_MECHANISM gcm = {CKM_AES_GCM, &params, sizeof params};
	CK_MECHANISM ctr_free = {CKM_AES_CBC_PAD, data, 16};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, 1}, {CKA_SENSITIVE, &yes, 1}};
	CK_BYTE out[64];
	CK_ULONG len = sizeof out;
	CK_OBJECT_HANDLE key;

	EXPECT(CKR_MECHANISM_INVALID, app->f->C_GenerateKey(s, &des3, t, COUNT(t), &key));
	EXPECT(CKR_MECHANISM_INVALID, app->f->C_DigestInit(s, &md5));
	OK(make_aes(app, s, RIGHTS(CKA_ENCRYPT, CKA_DECRYPT), &key));
	EXPECT(CKR_MECHANISM_PARAM_INVALID, app->f->C_EncryptInit(s, &gcm, key));
	check_device_error(app, s);
	OK(app->f->C_EncryptInit(s, &ctr_free, key));
	OK(app->f->C_Encrypt(s, data, sizeof data, out, &len));
	OK(app->f->C_Finalize(NULL));
}

/* What the policy leaves is what the application is shown. */
static void fips_list(struct app *app, const char *label)
{
	CK_MECHANISM_INFO info;
	static CK_MECHANISM_TYPE list[512];
	CK_ULONG count = COUNT(list);
	CK_SLOT_ID slot;
	bool has_md5 = false, has_rsa = false;

	app_init(app);
	slot = app_slot(app, label);
	OK(app->f->C_GetMechanismList(slot, list, &count));
	for (CK_ULONG i = 0; i < count; i++) {
		has_md5 = has_md5 || list[i] == CKM_MD5 || list[i] == CKM_MD5_RSA_PKCS;
		has_rsa = has_rsa || list[i] == CKM_RSA_PKCS;
	}
	CHECK(!has_md5 && has_rsa);
	EXPECT(CKR_MECHANISM_INVALID, app->f->C_GetMechanismInfo(slot, CKM_MD5_RSA_PKCS, &info));
	OK(app->f->C_GetMechanismInfo(slot, CKM_RSA_PKCS_KEY_PAIR_GEN, &info));
	CHECK(info.ulMinKeySize >= 2048);
	OK(app->f->C_GetMechanismInfo(slot, CKM_RSA_PKCS, &info));
	CHECK((info.flags & (CKF_SIGN | CKF_VERIFY)) == (CKF_SIGN | CKF_VERIFY));
	CHECK((info.flags & (CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP)) == 0);
	OK(app->f->C_Finalize(NULL));
}

/* A key that is taken in and may be read, and one that may not; then a search. */
static void rules(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, 1},
			    {CKA_CLASS, &secret, sizeof secret},
			    {CKA_KEY_TYPE, &aes, sizeof aes},
			    {CKA_VALUE, data, 32},
			    {CKA_SENSITIVE, &no, 1},
			    {CKA_EXTRACTABLE, &yes, 1},
			    {CKA_LABEL, (void *)(size_t) "hidden-1", 8}};
	CK_BYTE value[32] = {0};
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE both[] = {{CKA_VALUE, value, sizeof value},
			       {CKA_KEY_TYPE, &type, sizeof type}};
	CK_OBJECT_HANDLE key, found[4];
	CK_ULONG count;

	OK(app->f->C_CreateObject(s, t, COUNT(t), &key));
	OK(app->f->C_FindObjectsInit(s, &t[1], 1));
	OK(app->f->C_FindObjects(s, found, 4, &count));
	OK(app->f->C_FindObjectsFinal(s));
	CHECK(count == 0);
	t[6].pValue = (void *)(size_t) "secret-1";
	OK(app->f->C_CreateObject(s, t, COUNT(t), &key));
	OK(app->f->C_FindObjectsInit(s, &t[1], 1));
	OK(app->f->C_FindObjects(s, found, 4, &count));
	OK(app->f->C_FindObjectsFinal(s));
	CHECK(count == 1 && found[0] == key);
	EXPECT(CKR_ATTRIBUTE_SENSITIVE, app->f->C_GetAttributeValue(s, key, both, 2));
	CHECK(both[0].ulValueLen == CK_UNAVAILABLE_INFORMATION && value[0] == 0);
	CHECK(both[1].ulValueLen == sizeof type && type == CKK_AES);
	EXPECT(CKR_ACTION_PROHIBITED, app->f->C_DestroyObject(s, key));
	OK(app->f->C_Finalize(NULL));
}

/* A decision that a session keeps ends when the key gets another name. */
static void renamed(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_MECHANISM sha256 = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_ATTRIBUTE name = {CKA_LABEL, (void *)(size_t) "denied-1", 8};
	CK_BYTE signature[512];
	CK_OBJECT_HANDLE pair[2];

	OK(make_rsa(app, s, 2048, pair));
	for (int i = 0; i < 2; i++) {
		CK_ULONG len = sizeof signature;

		OK(app->f->C_SignInit(s, &sha256, pair[1]));
		OK(app->f->C_Sign(s, data, sizeof data, signature, &len));
	}
	OK(app->f->C_SetAttributeValue(s, pair[1], &name, 1));
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, app->f->C_SignInit(s, &sha256, pair[1]));
	OK(app->f->C_Finalize(NULL));
}

/* A role that has nothing to do here. */
static void no_admin(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_open(app, label);
	EXPECT(CKR_USER_TYPE_INVALID,
	       app->f->C_Login(s, CKU_SO, (CK_BYTE *)(size_t) "76543210", 8));
	check_device_error(app, s);
	OK(app->f->C_Login(s, CKU_USER, (CK_BYTE *)(size_t)APP_PIN, 4));
	OK(app->f->C_Finalize(NULL));
}

/* The same refusals are only told: nothing fails. */
static void permissive(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = enter(app, label);
	CK_MECHANISM sha1 = {CKM_SHA1_RSA_PKCS, NULL, 0};
	CK_BYTE signature[512];
	CK_ULONG len = sizeof signature;
	CK_OBJECT_HANDLE pair[2], key;

	OK(make_rsa(app, s, 2048, pair));
	OK(app->f->C_SignInit(s, &sha1, pair[1]));
	OK(app->f->C_Sign(s, data, sizeof data, signature, &len));
	OK(make_aes(app, s, RIGHTS(CKA_WRAP, CKA_DECRYPT), &key));
	OK(app->f->C_Finalize(NULL));
}

static const struct app_case cases[] = {
	{"wrap-decrypt", wrap_decrypt},
	{"templates", templates},
	{"further", further},
	{"renamed", renamed},
	{"leaks", leaks},
	{"fips-rsa", fips_rsa},
	{"fips-curves", fips_curves},
	{"fips-ciphers", fips_ciphers},
	{"fips-list", fips_list},
	{"rules", rules},
	{"no-admin", no_admin},
	{"permissive", permissive},
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, cases, COUNT(cases));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way to make, change and destroy a token object. What has to be there before is prepared
 * without faults; `act` is one call. */
#include <string.h>

#include "tests/scenario/replicate.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG key_len = 32, bits = 2048;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, data_class = CKO_DATA,
		       public_class = CKO_PUBLIC_KEY, cert_class = CKO_CERTIFICATE;
static CK_KEY_TYPE aes = CKK_AES, generic = CKK_GENERIC_SECRET, ec = CKK_EC;
static CK_CERTIFICATE_TYPE x509 = CKC_X_509;
static char made[] = MADE, old[] = OLD;
static CK_BYTE id[] = {1, 2, 3, 4}, value[] = "some value of 32 bytes; no secret";
static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
/* The base point of P-256, as CKA_EC_POINT. */
static CK_BYTE point[] = {0x04, 0x41, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8,
			  0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
			  0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
			  0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
			  0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb,
			  0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define LABEL(text)                                                                                \
	{                                                                                          \
		CKA_LABEL, text, sizeof(text) - 1                                                  \
	}
#define SET(type, what)                                                                            \
	{                                                                                          \
		type, &(what), sizeof(what)                                                        \
	}

/* An AES key on the token. */
static CK_RV make_key(const struct place *p, char *label, CK_BBOOL *extractable,
		      CK_OBJECT_HANDLE *key)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {SET(CKA_TOKEN, yes),
			       SET(CKA_PRIVATE, yes),
			       SET(CKA_SENSITIVE, yes),
			       SET(CKA_ENCRYPT, yes),
			       SET(CKA_DECRYPT, yes),
			       SET(CKA_ID, id),
			       SET(CKA_VALUE_LEN, key_len),
			       {CKA_EXTRACTABLE, extractable, sizeof(*extractable)},
			       {CKA_LABEL, label, strlen(label)}};

	return p->app.f->C_GenerateKey(p->session, &mechanism, tmpl, COUNT(tmpl), key);
}

static CK_RV generate(struct place *p)
{
	return make_key(p, made, &no, &p->base);
}

static CK_RV generate_pair(const struct place *p, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *shape)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_ATTRIBUTE public[] = {SET(CKA_TOKEN, yes), SET(CKA_VERIFY, yes), LABEL(made),
				 SET(CKA_ID, id), *shape};
	CK_ATTRIBUTE private[] = {SET(CKA_TOKEN, yes),
				  SET(CKA_PRIVATE, yes),
				  SET(CKA_SENSITIVE, yes),
				  SET(CKA_EXTRACTABLE, no),
				  SET(CKA_SIGN, yes),
				  SET(CKA_ID, id),
				  LABEL(made)};
	CK_OBJECT_HANDLE keys[2];

	return p->app.f->C_GenerateKeyPair(p->session, &mechanism, public, COUNT(public), private,
					   COUNT(private), &keys[0], &keys[1]);
}

static CK_RV generate_ec(struct place *p)
{
	CK_ATTRIBUTE shape = SET(CKA_EC_PARAMS, p256);

	return generate_pair(p, CKM_EC_KEY_PAIR_GEN, &shape);
}

static CK_RV generate_rsa(struct place *p)
{
	CK_ATTRIBUTE shape = SET(CKA_MODULUS_BITS, bits);

	return generate_pair(p, CKM_RSA_PKCS_KEY_PAIR_GEN, &shape);
}

static CK_RV create(const struct place *p, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_OBJECT_HANDLE object;

	return p->app.f->C_CreateObject(p->session, tmpl, count, &object);
}

static CK_RV create_data(struct place *p)
{
	CK_ATTRIBUTE tmpl[] = {SET(CKA_CLASS, data_class), SET(CKA_TOKEN, yes),
			       SET(CKA_PRIVATE, yes), LABEL(made), SET(CKA_VALUE, value)};

	return create(p, tmpl, COUNT(tmpl));
}

/* SoftHSM2 keeps whatever is said to be a certificate. */
static CK_RV create_certificate(struct place *p)
{
	CK_ATTRIBUTE tmpl[] = {SET(CKA_CLASS, cert_class),
			       SET(CKA_CERTIFICATE_TYPE, x509),
			       SET(CKA_TOKEN, yes),
			       SET(CKA_PRIVATE, no),
			       SET(CKA_SUBJECT, id),
			       SET(CKA_ID, id),
			       LABEL(made),
			       SET(CKA_VALUE, value)};

	return create(p, tmpl, COUNT(tmpl));
}

static CK_RV create_secret(struct place *p)
{
	CK_ATTRIBUTE tmpl[] = {SET(CKA_CLASS, secret_class),
			       SET(CKA_KEY_TYPE, generic),
			       SET(CKA_TOKEN, yes),
			       SET(CKA_PRIVATE, yes),
			       SET(CKA_SENSITIVE, yes),
			       SET(CKA_EXTRACTABLE, no),
			       SET(CKA_SIGN, yes),
			       SET(CKA_VERIFY, yes),
			       SET(CKA_ENCRYPT, no),
			       SET(CKA_DECRYPT, no),
			       LABEL(made),
			       {CKA_VALUE, value, 32}};

	return create(p, tmpl, COUNT(tmpl));
}

static CK_RV create_public(struct place *p)
{
	CK_ATTRIBUTE tmpl[] = {
		SET(CKA_CLASS, public_class), SET(CKA_KEY_TYPE, ec),    SET(CKA_TOKEN, yes),
		SET(CKA_PRIVATE, no),         SET(CKA_VERIFY, yes),     SET(CKA_ID, id),
		SET(CKA_EC_PARAMS, p256),     SET(CKA_EC_POINT, point), LABEL(made)};

	return create(p, tmpl, COUNT(tmpl));
}

/* A key of the session with a known value. */
static CK_OBJECT_HANDLE session_key(const struct place *p)
{
	CK_OBJECT_HANDLE key;
	CK_ATTRIBUTE tmpl[] = {
		SET(CKA_CLASS, secret_class), SET(CKA_KEY_TYPE, aes),    SET(CKA_TOKEN, no),
		SET(CKA_SENSITIVE, no),       SET(CKA_EXTRACTABLE, yes), SET(CKA_WRAP, yes),
		SET(CKA_UNWRAP, yes),         SET(CKA_DERIVE, yes),      {CKA_VALUE, value, 32}};

	OK(p->app.f->C_CreateObject(p->session, tmpl, COUNT(tmpl), &key));
	return key;
}

static void prepare_unwrap(struct place *p)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_OBJECT_HANDLE inner = session_key(p);

	p->base = session_key(p);
	p->len = sizeof(p->bytes);
	OK(p->app.f->C_WrapKey(p->session, &mechanism, p->base, inner, p->bytes, &p->len));
}

static CK_RV unwrap(struct place *p)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {SET(CKA_CLASS, secret_class), SET(CKA_KEY_TYPE, aes),
			       SET(CKA_TOKEN, yes),          SET(CKA_PRIVATE, yes),
			       SET(CKA_SENSITIVE, yes),      SET(CKA_EXTRACTABLE, no),
			       SET(CKA_ENCRYPT, yes),        LABEL(made)};
	CK_OBJECT_HANDLE key;

	return p->app.f->C_UnwrapKey(p->session, &mechanism, p->base, p->bytes, p->len, tmpl,
				     COUNT(tmpl), &key);
}

static void prepare_derive(struct place *p)
{
	p->base = session_key(p);
}

static CK_RV derive(struct place *p)
{
	CK_KEY_DERIVATION_STRING_DATA parameter = {value, 32};
	CK_MECHANISM mechanism = {CKM_AES_ECB_ENCRYPT_DATA, &parameter, sizeof(parameter)};
	CK_ATTRIBUTE tmpl[] = {
		SET(CKA_CLASS, secret_class), SET(CKA_KEY_TYPE, aes),      SET(CKA_TOKEN, yes),
		SET(CKA_PRIVATE, yes),        SET(CKA_SENSITIVE, yes),     SET(CKA_EXTRACTABLE, no),
		SET(CKA_ENCRYPT, yes),        SET(CKA_VALUE_LEN, key_len), LABEL(made)};
	CK_OBJECT_HANDLE key;

	return p->app.f->C_DeriveKey(p->session, &mechanism, p->base, tmpl, COUNT(tmpl), &key);
}

static void prepare_old(struct place *p)
{
	OK(make_key(p, old, &no, &p->base));
}

/* Another key is not a copy that differs in its label only, which costs no object. */
static CK_RV copy(struct place *p)
{
	CK_ATTRIBUTE tmpl[] = {SET(CKA_TOKEN, yes), LABEL(made), SET(CKA_DECRYPT, no)};
	CK_OBJECT_HANDLE key;

	return p->app.f->C_CopyObject(p->session, p->base, tmpl, COUNT(tmpl), &key);
}

static CK_RV rename_it(struct place *p)
{
	CK_ATTRIBUTE name = LABEL(made);

	return p->app.f->C_SetAttributeValue(p->session, p->base, &name, 1);
}

/* Its label is part of what a data object is. */
static void prepare_content(struct place *p)
{
	CK_ATTRIBUTE tmpl[] = {SET(CKA_CLASS, data_class), SET(CKA_TOKEN, yes),
			       SET(CKA_PRIVATE, yes), LABEL(old), SET(CKA_VALUE, value)};

	OK(p->app.f->C_CreateObject(p->session, tmpl, COUNT(tmpl), &p->base));
}

static void prepare_made(struct place *p)
{
	OK(make_key(p, made, &no, &p->base));
}

static CK_RV lose_use(struct place *p)
{
	CK_ATTRIBUTE use = SET(CKA_ENCRYPT, no);

	return p->app.f->C_SetAttributeValue(p->session, p->base, &use, 1);
}

static void prepare_extractable(struct place *p)
{
	OK(make_key(p, made, &yes, &p->base));
}

static CK_RV lose_export(struct place *p)
{
	CK_ATTRIBUTE a = SET(CKA_EXTRACTABLE, no);

	return p->app.f->C_SetAttributeValue(p->session, p->base, &a, 1);
}

/* Two objects of one key, that differ in name and use. */
static void prepare_twin(struct place *p)
{
	prepare_old(p);
	OK(copy(p));
}

static CK_RV destroy(struct place *p)
{
	return p->app.f->C_DestroyObject(p->session, p->base);
}

/* clang-format off */
const struct way ways[] = {
	{"key", NULL, generate, {0, 1}, {0, 0}, false, false},
	{"ec", NULL, generate_ec, {0, 2}, {0, 0}, false, false},
	{"rsa", NULL, generate_rsa, {0, 2}, {0, 0}, false, false},
	{"data", NULL, create_data, {0, 1}, {0, 0}, false, false},
	{"certificate", NULL, create_certificate, {0, 1}, {0, 0}, false, false},
	{"secret", NULL, create_secret, {0, 1}, {0, 0}, false, false},
	{"public", NULL, create_public, {0, 1}, {0, 0}, false, false},
	{"unwrap", prepare_unwrap, unwrap, {0, 1}, {0, 0}, false, false},
	{"derive", prepare_derive, derive, {0, 1}, {0, 0}, false, false},
	{"copy", prepare_old, copy, {0, 1}, {1, 1}, false, false},
	{"label", prepare_old, rename_it, {0, 1}, {1, 0}, false, false},
	{"content", prepare_content, rename_it, {0, 1}, {1, 0}, false, false},
	{"use", prepare_made, lose_use, {1, 1}, {0, 0}, true, false},
	{"lock", prepare_extractable, lose_export, {1, 1}, {0, 0}, false, true},
	{"twin", prepare_twin, destroy, {1, 1}, {1, 0}, false, false},
	{"destroy", prepare_made, destroy, {1, 0}, {0, 0}, false, false},
	{0},
};
/* clang-format on */

bool way_works(const struct place *p, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_CLASS class = 0;
	CK_KEY_TYPE type = 0;
	CK_BBOOL encrypts = CK_FALSE;
	CK_ATTRIBUTE what[] = {{CKA_CLASS, &class, sizeof(class)}};
	CK_ATTRIBUTE more[] = {{CKA_KEY_TYPE, &type, sizeof(type)},
			       {CKA_ENCRYPT, &encrypts, sizeof(encrypts)}};
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0},
		     rsa = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_BYTE block[32] = {3}, out[512];
	CK_ULONG len = sizeof(out);
	CK_FUNCTION_LIST *f = p->app.f;

	OK(f->C_GetAttributeValue(p->session, object, what, 1));
	if (class == CKO_PRIVATE_KEY) {
		OK(f->C_GetAttributeValue(p->session, object, more, 1));
		return f->C_SignInit(p->session, type == CKK_EC ? &ecdsa : &rsa, object) ==
			       CKR_OK &&
		       f->C_Sign(p->session, block, sizeof(block), out, &len) == CKR_OK;
	}
	if (class != CKO_SECRET_KEY)
		return true;
	OK(f->C_GetAttributeValue(p->session, object, more, 2));
	return !encrypts || (f->C_EncryptInit(p->session, &ecb, object) == CKR_OK &&
			     f->C_Encrypt(p->session, block, 16, out, &len) == CKR_OK);
}

const struct way *way_named(const char *name)
{
	for (const struct way *w = ways; w->name; w++)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

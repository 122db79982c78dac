/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects made of the same material on any member: C_CreateObject with templates that SoftHSM2, NSS
 * and openCryptoki all take. Aborts when OpenSSL cannot make the material. Keys are made in hsmux's
 * library context, where they are checked. */
#include "tests/scenario/identity_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "core/identity_soft.h"
#include "core/member_op.h"

#define ATTRIBUTES 24
/* Short, because they are made by the dozen; no make here refuses them. */
#define RSA_BITS ((size_t)1024)

/* A template with room for what its values point to. */
struct tmpl {
	CK_ATTRIBUTE a[ATTRIBUTES];
	CK_ULONG count;
	unsigned char room[ATTRIBUTES][1024];
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void put(struct tmpl *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	need(t->count < ATTRIBUTES && len <= sizeof t->room[0], "template too large");
	if (len > 0)
		memcpy(t->room[t->count], value, len);
	t->a[t->count] = (CK_ATTRIBUTE){type, t->room[t->count], len};
	t->count++;
}

static void put_number(struct tmpl *t, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	put(t, type, &value, sizeof value);
}

static void put_flag(struct tmpl *t, CK_ATTRIBUTE_TYPE type, bool value)
{
	CK_BBOOL flag = value ? CK_TRUE : CK_FALSE;

	put(t, type, &flag, sizeof flag);
}

static void put_bn(struct tmpl *t, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key, const char *name)
{
	unsigned char bytes[600];
	BIGNUM *n = NULL;

	need(EVP_PKEY_get_bn_param(key, name, &n) == 1 && BN_num_bytes(n) <= (int)sizeof bytes,
	     name);
	put(t, type, bytes, (size_t)BN_bn2bin(n, bytes));
	BN_clear_free(n);
}

/* DER OCTET STRING around a point. */
static void put_point(struct tmpl *t, const EVP_PKEY *key)
{
	unsigned char point[200], *p = point + 3;
	size_t len = sizeof point - 3;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
		need(EVP_PKEY_get_raw_public_key(key, p, &len) == 1, "no raw key");
	else
		need(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, p, len, &len) ==
			     1,
		     "no point");
	need(len < 256, "point too long");
	*--p = (unsigned char)len;
	if (len >= 128)
		*--p = 0x81;
	*--p = 0x04;
	put(t, CKA_EC_POINT, p, len + (len < 128 ? 2 : 3));
}

static void put_curve(struct tmpl *t, const EVP_PKEY *key)
{
	static const unsigned char edwards[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
	unsigned char *der = NULL;
	char name[64];
	int len;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
		put(t, CKA_EC_PARAMS, edwards, sizeof edwards);
		return;
	}
	need(EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1, "no curve");
	len = i2d_ASN1_OBJECT(OBJ_nid2obj(OBJ_txt2nid(name)), &der);
	need(len > 0, "no curve");
	put(t, CKA_EC_PARAMS, der, (size_t)len);
	OPENSSL_free(der);
}

static void put_public(struct tmpl *t, const EVP_PKEY *key)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
		put_bn(t, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N);
		put_bn(t, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E);
	} else {
		put_curve(t, key);
		put_point(t, key);
	}
}

static void put_rsa_private(struct tmpl *t, const EVP_PKEY *key)
{
	put_bn(t, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N);
	put_bn(t, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E);
	put_bn(t, CKA_PRIVATE_EXPONENT, key, OSSL_PKEY_PARAM_RSA_D);
	put_bn(t, CKA_PRIME_1, key, OSSL_PKEY_PARAM_RSA_FACTOR1);
	put_bn(t, CKA_PRIME_2, key, OSSL_PKEY_PARAM_RSA_FACTOR2);
	put_bn(t, CKA_EXPONENT_1, key, OSSL_PKEY_PARAM_RSA_EXPONENT1);
	put_bn(t, CKA_EXPONENT_2, key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
	put_bn(t, CKA_COEFFICIENT, key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
}

static void put_private(struct tmpl *t, const EVP_PKEY *key)
{
	unsigned char raw[64];
	size_t len = sizeof raw;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
		put_rsa_private(t, key);
		return;
	}
	put_curve(t, key);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
		need(EVP_PKEY_get_raw_private_key(key, raw, &len) == 1, "no raw key");
		put(t, CKA_VALUE, raw, len);
	} else {
		put_bn(t, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY);
	}
}

static void put_uses(struct tmpl *t, const struct recipe *r)
{
	static const CK_ATTRIBUTE_TYPE private_uses[] = {CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP,
							 CKA_DERIVE, 0};
	static const CK_ATTRIBUTE_TYPE secret_uses[] = {CKA_SIGN, CKA_ENCRYPT, CKA_DECRYPT,
							CKA_WRAP, CKA_DERIVE,  0};
	const CK_ATTRIBUTE_TYPE *uses = r->class == CKO_PRIVATE_KEY ? private_uses : secret_uses;

	for (; *uses; uses++) {
		bool may = false;

		for (unsigned i = 0; i < 4 && r->may[i]; i++)
			may = may || r->may[i] == *uses;
		put_flag(t, *uses, may);
	}
	if (r->is_wrappable) {
		put_flag(t, CKA_SENSITIVE, true);
		put_flag(t, CKA_EXTRACTABLE, true);
	}
	for (unsigned i = 0; i < 4 && r->may[i]; i++) {
		if (r->may[i] == CKA_ALWAYS_AUTHENTICATE)
			put_flag(t, CKA_ALWAYS_AUTHENTICATE, true);
	}
}

/* NSS wants issuer, subject and serial number. */
static void put_names(struct tmpl *t, const struct material *m)
{
	const unsigned char *p = m->certificate;
	X509 *x = X509_new_ex(identity_lib(), NULL);
	unsigned char *name = NULL, *serial = NULL;
	int name_len, serial_len;

	need(x && d2i_X509(&x, &p, m->certificate_len), "no certificate");
	name_len = i2d_X509_NAME(X509_get_subject_name(x), &name);
	serial_len = i2d_ASN1_INTEGER(X509_get_serialNumber(x), &serial);
	need(name_len > 0 && serial_len > 0, "no names");
	put(t, CKA_SUBJECT, name, (size_t)name_len);
	put(t, CKA_ISSUER, name, (size_t)name_len);
	put(t, CKA_SERIAL_NUMBER, serial, (size_t)serial_len);
	OPENSSL_free(name);
	OPENSSL_free(serial);
	X509_free(x);
}

static void put_content(struct tmpl *t, const struct recipe *r, const struct material *m)
{
	switch (r->class) {
	case CKO_CERTIFICATE:
		put_number(t, CKA_CERTIFICATE_TYPE, CKC_X_509);
		put_names(t, m);
		put(t, CKA_VALUE, m->certificate, (size_t)m->certificate_len);
		break;
	case CKO_DATA:
		put(t, CKA_APPLICATION, "tests", 5);
		put(t, CKA_VALUE, m->bytes, sizeof m->bytes);
		break;
	case CKO_PUBLIC_KEY:
		put_public(t, m->key);
		break;
	case CKO_PRIVATE_KEY:
		put_uses(t, r);
		put_private(t, m->key);
		break;
	default:
		put_uses(t, r);
		put(t, CKA_VALUE, m->bytes, 32);
		break;
	}
}

CK_OBJECT_HANDLE object_make(struct member_session *ms, const struct recipe *r,
			     const struct material *m)
{
	const CK_OBJECT_HANDLE none[2] = {0, 0};
	struct tmpl *t = calloc(1, sizeof *t);
	struct call call = {.id = CALL_C_CreateObject};
	CK_RV rv;

	need(t != NULL, "no memory");
	put_number(t, CKA_CLASS, r->class);
	put_flag(t, CKA_TOKEN, true);
	put_flag(t, CKA_PRIVATE, r->class == CKO_PRIVATE_KEY || r->class == CKO_SECRET_KEY);
	put(t, CKA_LABEL, r->label, strlen(r->label));
	if (r->class != CKO_DATA)
		put(t, CKA_ID, r->id, strlen(r->id));
	if (r->class != CKO_DATA && r->class != CKO_CERTIFICATE)
		put_number(t, CKA_KEY_TYPE, r->type);
	put_content(t, r, m);
	call.tmpl[0] = t->a;
	call.tmpl_count[0] = t->count;
	rv = member_call(ms, &call, none);
	free(t);
	if (rv != CKR_OK)
		(void)printf("cannot make %s: 0x%lx\n", r->label, rv);
	return rv == CKR_OK ? call.made[0] : 0;
}

static void certify(struct material *m)
{
	X509 *x = X509_new_ex(identity_lib(), NULL);
	X509_NAME *name;
	uint64_t serial; /* NSS takes no two of one issuer with the same */

	memcpy(&serial, m->bytes, sizeof serial);
	need(x && X509_set_version(x, 2) == 1 &&
		     ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) == 1,
	     "no certificate");
	name = X509_get_subject_name(x);
	need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"tests",
					-1, -1, 0) == 1 &&
		     X509_set_issuer_name(x, name) == 1 &&
		     X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
		     X509_gmtime_adj(X509_getm_notAfter(x), 3600) &&
		     X509_set_pubkey(x, m->key) == 1,
	     "no certificate");
	need(X509_sign(x, m->key,
		       EVP_PKEY_get_base_id(m->key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256()) > 0,
	     "no certificate");
	m->certificate_len = i2d_X509(x, &m->certificate);
	need(m->certificate_len > 0 && m->certificate_len <= 1024, "no certificate");
	X509_free(x);
}

struct material *material_new(const char *what)
{
	struct material *m = calloc(1, sizeof *m);

	need(m && RAND_bytes(m->bytes, sizeof m->bytes) == 1, "no material");
	if (strcmp(what, "rsa") == 0)
		m->key = EVP_PKEY_Q_keygen(identity_lib(), NULL, "RSA", RSA_BITS);
	else if (strcmp(what, "ec256") == 0)
		m->key = EVP_PKEY_Q_keygen(identity_lib(), NULL, "EC", "P-256");
	else if (strcmp(what, "rsa2048") == 0)
		m->key = EVP_PKEY_Q_keygen(identity_lib(), NULL, "RSA", (size_t)2048);
	else if (strcmp(what, "ec521") == 0)
		m->key = EVP_PKEY_Q_keygen(identity_lib(), NULL, "EC", "P-521");
	else if (strcmp(what, "ec384") == 0)
		m->key = EVP_PKEY_Q_keygen(identity_lib(), NULL, "EC", "P-384");
	else if (strcmp(what, "ed25519") == 0)
		m->key = EVP_PKEY_Q_keygen(identity_lib(), NULL, "ED25519");
	need(m->key || strcmp(what, "bytes") == 0, "no key");
	if (m->key)
		certify(m);
	return m;
}

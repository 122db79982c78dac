/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that exist in software and, the same ones, on several tokens. Made by OpenSSL, created on
 * each token by its own module before hsmux is in play; so every result can be checked without
 * asking a token. */
#include "tests/scenario/failover.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE;
static unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* A template under construction; values are borrowed. */
struct sheet {
	CK_ATTRIBUTE list[32];
	CK_ULONG count;
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
};

static void put(struct sheet *s, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	CHECK(s->count < 32);
	/* Cryptoki's template is not const even where nothing is written. */
	s->list[s->count].type = type;
	memcpy(&s->list[s->count].pValue, &value, sizeof(value));
	s->list[s->count++].ulValueLen = len;
}

static void put_yes(struct sheet *s, CK_ATTRIBUTE_TYPE type)
{
	put(s, type, &yes, sizeof(yes));
}

/* A number of a key, unsigned big-endian, padded to `len` when that is not 0. */
static void put_number(struct sheet *s, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key,
		       const char *name, unsigned char bytes[static 512], int pad)
{
	BIGNUM *n = NULL;
	int len;

	CHECK(EVP_PKEY_get_bn_param(key, name, &n) == 1);
	len = pad ? BN_bn2binpad(n, bytes, pad) : BN_bn2bin(n, bytes);
	CHECK(len > 0);
	put(s, type, bytes, (size_t)len);
	BN_clear_free(n);
}

static void begin(struct sheet *s, CK_OBJECT_CLASS class, CK_KEY_TYPE type, const char *label)
{
	*s = (struct sheet){.class = class, .type = type};
	put(s, CKA_CLASS, &s->class, sizeof(s->class));
	put(s, class == CKO_CERTIFICATE ? CKA_CERTIFICATE_TYPE : CKA_KEY_TYPE, &s->type,
	    sizeof(s->type));
	put_yes(s, CKA_TOKEN);
	put(s, CKA_LABEL, label, strlen(label));
	put(s, CKA_ID, label, strlen(label));
	if (class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY)
		put_yes(s, CKA_PRIVATE);
}

static void create(const struct app *app, CK_SESSION_HANDLE session, struct sheet *s)
{
	CK_OBJECT_HANDLE made;

	OK(app->f->C_CreateObject(session, s->list, s->count, &made));
}

static void create_rsa(const struct app *app, CK_SESSION_HANDLE session, const EVP_PKEY *key)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		const char *name;
	} parts[] = {
		{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
		{CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
		{CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
		{CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
		{CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
		{CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
		{CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
		{CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
	};
	static unsigned char bytes[8][512];
	struct sheet s;

	begin(&s, CKO_PRIVATE_KEY, CKK_RSA, "rsa");
	put_yes(&s, CKA_SIGN);
	put_yes(&s, CKA_DECRYPT);
	put_yes(&s, CKA_UNWRAP);
	for (unsigned i = 0; i < 8; i++)
		put_number(&s, parts[i].type, key, parts[i].name, bytes[i], 0);
	create(app, session, &s);
	begin(&s, CKO_PUBLIC_KEY, CKK_RSA, "rsa");
	put_yes(&s, CKA_VERIFY);
	put_yes(&s, CKA_ENCRYPT);
	put_yes(&s, CKA_WRAP);
	put_number(&s, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N, bytes[0], 0);
	put_number(&s, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E, bytes[1], 0);
	create(app, session, &s);
}

/* NSS wants the public point with a private key that it stores. */
#define CKA_NSS_DB 0xd5a0db00UL

static bool is_nss(const struct app *app)
{
	CK_INFO info;

	OK(app->f->C_GetInfo(&info));
	return memcmp(info.manufacturerID, "Mozilla", 7) == 0;
}

static void create_ec(const struct app *app, CK_SESSION_HANDLE session, const EVP_PKEY *key)
{
	static unsigned char scalar[512];
	unsigned char point[2 + 65] = {4, 65};
	size_t len = 0;
	struct sheet s;

	CHECK(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point + 2,
					      65, &len) == 1 &&
	      len == 65);
	begin(&s, CKO_PRIVATE_KEY, CKK_EC, "ec");
	put_yes(&s, CKA_SIGN);
	put(&s, CKA_EC_PARAMS, p256, sizeof(p256));
	put_number(&s, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY, scalar, 32);
	if (is_nss(app))
		put(&s, CKA_NSS_DB, point + 2, 65);
	create(app, session, &s);
	begin(&s, CKO_PUBLIC_KEY, CKK_EC, "ec");
	put_yes(&s, CKA_VERIFY);
	put(&s, CKA_EC_PARAMS, p256, sizeof(p256));
	put(&s, CKA_EC_POINT, point, sizeof(point));
	create(app, session, &s);
}

static void create_secrets(const struct app *app, CK_SESSION_HANDLE session,
			   const struct material *m)
{
	struct sheet s;

	begin(&s, CKO_SECRET_KEY, CKK_AES, "aes");
	put_yes(&s, CKA_ENCRYPT);
	put_yes(&s, CKA_DECRYPT);
	put_yes(&s, CKA_WRAP);
	put_yes(&s, CKA_UNWRAP);
	put(&s, CKA_VALUE, m->aes, sizeof(m->aes));
	create(app, session, &s);
	begin(&s, CKO_SECRET_KEY, CKK_GENERIC_SECRET, "mac");
	put_yes(&s, CKA_SIGN);
	put_yes(&s, CKA_VERIFY);
	put_yes(&s, CKA_EXTRACTABLE);
	put(&s, CKA_VALUE, m->mac, sizeof(m->mac));
	create(app, session, &s);
}

static void create_cert(const struct app *app, CK_SESSION_HANDLE session, const struct material *m)
{
	const unsigned char *at = m->cert;
	X509 *cert = d2i_X509(NULL, &at, (long)m->cert_len);
	unsigned char name[256];
	unsigned char *out = name;
	int len = cert ? i2d_X509_NAME(X509_get_subject_name(cert), NULL) : 0;
	struct sheet s;

	CHECK(len > 0 && len <= (int)sizeof(name));
	CHECK(i2d_X509_NAME(X509_get_subject_name(cert), &out) == len);
	begin(&s, CKO_CERTIFICATE, CKC_X_509, "rsa");
	put(&s, CKA_SUBJECT, name, (size_t)len);
	put(&s, CKA_ISSUER, name, (size_t)len);
	put(&s, CKA_SERIAL_NUMBER, "\x02\x01\x01", 3);
	put(&s, CKA_VALUE, m->cert, m->cert_len);
	create(app, session, &s);
	X509_free(cert);
}

void material_import(const struct app *app, CK_SESSION_HANDLE session, const struct material *m)
{
	create_rsa(app, session, m->rsa);
	create_ec(app, session, m->ec);
	create_secrets(app, session, m);
	create_cert(app, session, m);
}

static FILE *open_in(const char *folder, const char *name, const char *mode)
{
	char path[512];
	FILE *file;

	CHECK(snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path));
	file = fopen(path, mode);
	CHECK(file != NULL);
	return file;
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
	FILE *file = open_in(folder, name, "we");

	CHECK(fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static size_t read_file(const char *folder, const char *name, void *bytes, size_t room)
{
	FILE *file = open_in(folder, name, "re");
	size_t len = fread(bytes, 1, room, file);

	CHECK(len > 0 && len < room + 1 && fclose(file) == 0);
	return len;
}

static void write_key(const char *folder, const char *name, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(key, &der);

	CHECK(len > 0);
	write_file(folder, name, der, (size_t)len);
	OPENSSL_free(der);
}

static EVP_PKEY *read_key(const char *folder, const char *name, int type)
{
	static unsigned char der[4096];
	const unsigned char *at = der;
	EVP_PKEY *key = d2i_PrivateKey(type, NULL, &at, (long)read_file(folder, name, der, 4096));

	CHECK(key != NULL);
	return key;
}

static void write_cert(const char *folder, EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	unsigned char *der = NULL;
	int len;

	CHECK(X509_set_version(cert, 2) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
	CHECK(X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL);
	CHECK(X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL);
	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)"failover", -1, -1, 0) == 1);
	CHECK(X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1);
	CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &der);
	CHECK(len > 0);
	write_file(folder, "cert.der", der, (size_t)len);
	OPENSSL_free(der);
	X509_free(cert);
}

void material_make(const char *folder)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	unsigned char secret[64];

	CHECK(rsa != NULL && ec != NULL && RAND_bytes(secret, sizeof(secret)) == 1);
	write_key(folder, "rsa.der", rsa);
	write_key(folder, "ec.der", ec);
	write_file(folder, "aes.bin", secret, 32);
	write_file(folder, "mac.bin", secret + 32, 32);
	write_cert(folder, rsa);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

void material_read(struct material *m, const char *folder)
{
	m->rsa = read_key(folder, "rsa.der", EVP_PKEY_RSA);
	m->ec = read_key(folder, "ec.der", EVP_PKEY_EC);
	CHECK(read_file(folder, "aes.bin", m->aes, sizeof(m->aes)) == 32);
	CHECK(read_file(folder, "mac.bin", m->mac, sizeof(m->mac)) == 32);
	m->cert_len = read_file(folder, "cert.der", m->cert, sizeof(m->cert));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One key, written in all the ways in which members write keys, is one key. */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "core/identity_key.h"
#include "core/identity_sign.h"
#include "core/identity_soft.h"
#include "tests/unit/unit.h"

static const unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* Attributes that a test may hold at once. */
#define VALUES 32

/* Bytes of an attribute. */
struct value {
	unsigned char data[300];
	size_t len;
};

/* A new one; it is used again when a test has asked for VALUES more. */
static struct value *fresh(void)
{
	static struct value values[VALUES];
	static unsigned turn;
	struct value *v = &values[turn++ % VALUES];

	memset(v, 0, sizeof *v);
	return v;
}

static struct value *value_of(const void *data, size_t len)
{
	struct value *v = fresh();

	memcpy(v->data, data, len);
	v->len = len;
	return v;
}

/* A DER value of one tag around another. */
static struct value *wrapped(unsigned char tag, const struct value *inside)
{
	struct value *v = fresh();

	v->data[0] = tag;
	v->data[1] = (unsigned char)inside->len;
	memcpy(v->data + 2, inside->data, inside->len);
	v->len = inside->len + 2;
	return v;
}

/* The same behind the zero that a BIT STRING begins with. */
static struct value *bits(const struct value *inside)
{
	struct value *v = fresh();

	memcpy(v->data + 1, inside->data, inside->len);
	v->len = inside->len + 1;
	return wrapped(0x03, v);
}

static EVP_PKEY *shown(CK_KEY_TYPE type, CK_ATTRIBUTE_TYPE one, struct value *a,
		       CK_ATTRIBUTE_TYPE two, struct value *b)
{
	struct identity_attrs attrs = {.a = {{one, a->data, a->len}, {two, b->data, b->len}},
				       .count = 2};

	return identity_key_shown(type, &attrs);
}

/* Whether it is the key, in the same canonical form; frees it. */
static bool is_same(const EVP_PKEY *key, EVP_PKEY *other)
{
	uint8_t a[32] = {0}, b[32] = {0};
	bool same = other && identity_key_digest(key, a) && identity_key_digest(other, b) &&
		    memcmp(a, b, sizeof a) == 0;

	EVP_PKEY_free(other);
	return same;
}

static struct value *point_of(const EVP_PKEY *key)
{
	struct value *v = fresh();

	CU_ASSERT_EQUAL(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, v->data,
							sizeof v->data, &v->len),
			1);
	return v;
}

static bool shows_point(const EVP_PKEY *key, struct value *point)
{
	struct value *params = value_of(p256, sizeof p256);

	return is_same(key, shown(CKK_EC, CKA_EC_PARAMS, params, CKA_EC_POINT, point));
}

static void points_have_many_forms(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct value *plain = point_of(key), *compressed = value_of(plain->data, 33);
	struct value *hybrid = value_of(plain->data, 65), *off = value_of(plain->data, 65);

	CU_ASSERT_EQUAL_FATAL(plain->len, 65);
	compressed->data[0] = (unsigned char)(2 + (plain->data[64] & 1));
	hybrid->data[0] = (unsigned char)(6 + (plain->data[64] & 1));
	CU_ASSERT(shows_point(key, plain));
	CU_ASSERT(shows_point(key, wrapped(0x04, plain)));
	CU_ASSERT(shows_point(key, bits(plain)));
	CU_ASSERT(shows_point(key, value_of(plain->data + 1, 64)));
	CU_ASSERT(shows_point(key, compressed));
	CU_ASSERT(shows_point(key, wrapped(0x04, compressed)));
	CU_ASSERT(shows_point(key, hybrid));
	off->data[64] ^= 1; /* not on the curve */
	CU_ASSERT(!shows_point(key, off));
	CU_ASSERT(!shows_point(key, value_of(plain->data, 63)));
	off = wrapped(0x04, plain);
	off->data[1]++; /* a byte that is not there */
	CU_ASSERT(!shows_point(key, off));
	EVP_PKEY_free(key);
}

static bool shows_curve(const EVP_PKEY *key, struct value *params)
{
	return is_same(key, shown(CKK_EC, CKA_EC_PARAMS, params, CKA_EC_POINT, point_of(key)));
}

static struct value *explicit_params(void)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	struct value *v = fresh();
	unsigned char *p = v->data;

	EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
	CU_ASSERT_FATAL(i2d_ECPKParameters(group, NULL) <= (int)sizeof v->data);
	v->len = (size_t)i2d_ECPKParameters(group, &p);
	EC_GROUP_free(group);
	return v;
}

static void curves_have_many_names(void)
{
	static const char *const printed[] = {"P-256", "secp256r1", "prime256v1"};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	CU_ASSERT(shows_curve(key, value_of(p256, sizeof p256)));
	CU_ASSERT(shows_curve(key, explicit_params()));
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT(
			shows_curve(key, wrapped(0x13, value_of(printed[i], strlen(printed[i])))));
	CU_ASSERT(!shows_curve(key, wrapped(0x13, value_of("P-384", 5))));
	CU_ASSERT(!shows_curve(key,
			       wrapped(0x13, value_of("no such curve, by a long, long name", 35))));
	CU_ASSERT(!shows_curve(key, value_of("\x05\x00", 2)));
	CU_ASSERT(!shows_curve(key, value_of("\x30", 1)));
	EVP_PKEY_free(key);
}

/* A modulus or exponent with that many zero bytes in front. */
static struct value *number_of(const EVP_PKEY *key, const char *name, size_t zeros)
{
	struct value *v = fresh();
	BIGNUM *n = NULL;

	CU_ASSERT_EQUAL(EVP_PKEY_get_bn_param(key, name, &n), 1);
	v->len = zeros + (size_t)BN_bn2bin(n, v->data + zeros);
	BN_free(n);
	return v;
}

static void leading_zeros_of_rsa_keys_mean_nothing(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	struct value *e = number_of(key, OSSL_PKEY_PARAM_RSA_E, 0);
	CK_ATTRIBUTE modulus = {CKA_MODULUS, NULL, 0};

	for (size_t zeros = 0; zeros < 3; zeros++) {
		struct value *n = number_of(key, OSSL_PKEY_PARAM_RSA_N, zeros);

		CU_ASSERT(is_same(key, shown(CKK_RSA, CKA_MODULUS, n, CKA_PUBLIC_EXPONENT, e)));
		modulus.pValue = n->data;
		modulus.ulValueLen = n->len;
		CU_ASSERT(identity_key_has_modulus(key, &modulus));
		n->data[n->len - 1] ^= 2;
		CU_ASSERT(!identity_key_has_modulus(key, &modulus));
		CU_ASSERT_PTR_NULL(shown(CKK_RSA, CKA_MODULUS, n, CKA_PUBLIC_EXPONENT, fresh()));
		CU_ASSERT_PTR_NULL(shown(CKK_EC, CKA_MODULUS, n, CKA_PUBLIC_EXPONENT, e));
	}
	EVP_PKEY_free(key);
}

static EVP_PKEY *raw(CK_KEY_TYPE type, struct value *point)
{
	return shown(type, CKA_EC_POINT, point, CKA_LABEL, fresh());
}

static void edwards_keys_are_plain_or_wrapped(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *alike;
	struct value *plain = fresh();

	plain->len = 32;
	CU_ASSERT_EQUAL(EVP_PKEY_get_raw_public_key(key, plain->data, &plain->len), 1);
	CU_ASSERT(is_same(key, raw(CKK_EC_EDWARDS, plain)));
	CU_ASSERT(is_same(key, raw(CKK_EC_EDWARDS, wrapped(0x04, plain))));
	CU_ASSERT(is_same(key, raw(CKK_EC_EDWARDS, bits(plain))));
	CU_ASSERT(!is_same(key, raw(CKK_EC_MONTGOMERY, plain)));
	CU_ASSERT_PTR_NULL(raw(CKK_EC_EDWARDS, value_of(plain->data, 31)));
	/* A plain key that begins like an OCTET STRING of 30 bytes is still plain. */
	plain->data[0] = 0x04;
	plain->data[1] = 0x1e;
	alike = raw(CKK_EC_EDWARDS, plain);
	CU_ASSERT_PTR_NOT_NULL(alike);
	EVP_PKEY_free(alike);
	EVP_PKEY_free(key);
}

static CK_ATTRIBUTE info_of(EVP_PKEY *key, unsigned char **der)
{
	*der = NULL;
	return (CK_ATTRIBUTE){CKA_PUBLIC_KEY_INFO, NULL, (CK_ULONG)i2d_PUBKEY(key, der)};
}

static void infos_are_keys_of_their_type_only(void)
{
	static const char *const names[] = {"RSA", "EC", "ED25519", "X25519"};
	static const CK_KEY_TYPE types[] = {CKK_RSA, CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY};

	for (size_t i = 0; i < 4; i++) {
		EVP_PKEY *key = i == 0   ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)
				: i == 1 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521")
					 : EVP_PKEY_Q_keygen(NULL, NULL, names[i]);
		unsigned char *der;
		CK_ATTRIBUTE info = info_of(key, &der);

		info.pValue = der;
		for (size_t j = 0; j < 4; j++) {
			EVP_PKEY *read = identity_key_of_info(types[j], &info);

			CU_ASSERT(i == j ? is_same(key, read) : !read);
		}
		info.ulValueLen--;
		CU_ASSERT_PTR_NULL(identity_key_of_info(types[i], &info));
		OPENSSL_free(der);
		EVP_PKEY_free(key);
	}
	CU_ASSERT_PTR_NULL(identity_key_of_info(CKK_RSA, NULL));
	CU_ASSERT_PTR_NULL(identity_key_of_certificate(CKK_RSA, NULL));
}

static void an_info_with_a_compressed_point_is_the_same_key(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY *copy = EVP_PKEY_dup(key);
	unsigned char *der;
	CK_ATTRIBUTE info;

	CU_ASSERT_EQUAL(EVP_PKEY_set_utf8_string_param(
				copy, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
			1);
	info = info_of(copy, &der);
	info.pValue = der;
	CU_ASSERT(info.ulValueLen < 70);
	CU_ASSERT(is_same(key, identity_key_of_info(CKK_EC, &info)));
	OPENSSL_free(der);
	EVP_PKEY_free(copy);
	EVP_PKEY_free(key);
}

static void signatures_are_r_and_s_or_der(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t hash[32] = {1, 2, 3}, plain[64], der[80];
	const unsigned char *p = der;
	size_t len = sizeof der;
	ECDSA_SIG *sig;

	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_sign_init(ctx), 1);
	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_sign(ctx, der, &len, hash, sizeof hash), 1);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	CU_ASSERT_EQUAL(BN_bn2binpad(ECDSA_SIG_get0_r(sig), plain, 32), 32);
	CU_ASSERT_EQUAL(BN_bn2binpad(ECDSA_SIG_get0_s(sig), plain + 32, 32), 32);
	CU_ASSERT(identity_checks_hash(key, 0, hash, der, len));
	CU_ASSERT(identity_checks_hash(key, 0, hash, plain, 64));
	CU_ASSERT(!identity_checks_hash(key, 0, hash, plain, 63));
	CU_ASSERT(!identity_checks_hash(key, 0, hash, plain, 0));
	plain[63] ^= 1;
	CU_ASSERT(!identity_checks_hash(key, 0, hash, plain, 64));
	memset(plain, 0, sizeof plain);
	CU_ASSERT(!identity_checks_hash(key, 0, hash, plain, 64));
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void a_process_has_one_challenge(void)
{
	static const uint8_t zero[IDENTITY_CHALLENGE];
	const uint8_t *challenge = identity_challenge();

	CU_ASSERT_PTR_NOT_NULL_FATAL(challenge);
	CU_ASSERT_PTR_EQUAL(challenge, identity_challenge());
	CU_ASSERT(memcmp(challenge, zero, sizeof zero) != 0);
}

static const struct unit_test tests[] = {
	UNIT(points_have_many_forms),
	UNIT(curves_have_many_names),
	UNIT(leading_zeros_of_rsa_keys_mean_nothing),
	UNIT(edwards_keys_are_plain_or_wrapped),
	UNIT(infos_are_keys_of_their_type_only),
	UNIT(an_info_with_a_compressed_point_is_the_same_key),
	UNIT(signatures_are_r_and_s_or_der),
	UNIT(a_process_has_one_challenge),
};

UNIT_MAIN("core/identity_key", tests)

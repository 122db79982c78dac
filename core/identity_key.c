/* SPDX-License-Identifier: BSD-2-Clause */
/* Public keys of members as OpenSSL keys, in one canonical form: RSA without leading zeros and as
 * plain RSA, elliptic curves by name and with the uncompressed point, Edwards and Montgomery keys
 * raw. The same key so has the same SubjectPublicKeyInfo whoever describes it, and however.
 *
 * Makes differ in how they write points: DER OCTET STRING, BIT STRING, plain, compressed, or X and
 * Y alone. The exact length for the curve is looked at before anything is taken for DER: a plain
 * key may look like it. No lock, no state. */
#include "core/identity_key.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "core/identity_soft.h"

/* Key types by their object identifiers: a type that goes by its common name is given to an ENGINE
 * that the application made the default for it (openssl's "pkcs11" one does that), and so comes
 * back to us. */
#define RSA_NAME "1.2.840.113549.1.1.1"
#define EC_NAME  "1.2.840.10045.2.1"

/* The largest binary curve has a field of 571 bits. */
#define COORDINATE_MAX 72U

/* Bytes that belong to somebody else. */
struct bytes {
	const unsigned char *data;
	size_t len;
};

static struct bytes bytes_of(const CK_ATTRIBUTE *a)
{
	return (struct bytes){a->pValue, a->ulValueLen};
}

/* Makes a key from parameters; frees the builder. */
static EVP_PKEY *key_new(const char *name, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = build ? OSSL_PARAM_BLD_to_param(build) : NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(identity_lib(), name, NULL);
	EVP_PKEY *key = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *rsa_new(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

	if (!build || !n || !e || BN_is_zero(n) || BN_is_zero(e) ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1) {
		OSSL_PARAM_BLD_free(build);
		return NULL;
	}
	return key_new(RSA_NAME, build);
}

static BIGNUM *number(struct bytes b)
{
	return b.len <= INT32_MAX ? BN_bin2bn(b.data, (int)b.len, NULL) : NULL;
}

static EVP_PKEY *rsa_shown(const struct identity_attrs *attrs)
{
	const CK_ATTRIBUTE *modulus = identity_attr(attrs, CKA_MODULUS);
	const CK_ATTRIBUTE *exponent = identity_attr(attrs, CKA_PUBLIC_EXPONENT);
	BIGNUM *n = modulus ? number(bytes_of(modulus)) : NULL;
	BIGNUM *e = exponent ? number(bytes_of(exponent)) : NULL;
	EVP_PKEY *key = n && e ? rsa_new(n, e) : NULL;

	BN_free(n);
	BN_free(e);
	return key;
}

/* The curve's number from its name, as the standard, OpenSSL or NIST call it. */
static int curve_named(const char *name)
{
	int nid = EC_curve_nist2nid(name);

	if (nid == NID_undef)
		nid = OBJ_txt2nid(name);
	/* SEC 2 has a second name for the one curve that X9.62 had named before. */
	return nid == NID_undef && strcmp(name, "secp256r1") == 0 ? NID_X9_62_prime256v1 : nid;
}

static int curve_of_string(struct bytes der)
{
	const unsigned char *p = der.data;
	ASN1_PRINTABLESTRING *s = d2i_ASN1_PRINTABLESTRING(NULL, &p, (long)der.len);
	char name[32] = {0};
	int len = s ? ASN1_STRING_length(s) : 0;

	if (len > 0 && (size_t)len < sizeof name)
		memcpy(name, ASN1_STRING_get0_data(s), (size_t)len);
	ASN1_STRING_free(s);
	return name[0] ? curve_named(name) : NID_undef;
}

static int curve_of_oid(struct bytes der)
{
	const unsigned char *p = der.data;
	ASN1_OBJECT *oid = d2i_ASN1_OBJECT(NULL, &p, (long)der.len);
	int nid = oid ? OBJ_obj2nid(oid) : NID_undef;

	ASN1_OBJECT_free(oid);
	return nid;
}

/* Explicit parameters; OpenSSL recognises those of the curves that have a name. */
static int curve_of_parameters(struct bytes der)
{
	const unsigned char *p = der.data;
	EC_GROUP *group = d2i_ECPKParameters(NULL, &p, (long)der.len);
	int nid = group ? EC_GROUP_get_curve_name(group) : NID_undef;

	EC_GROUP_free(group);
	return nid;
}

static int curve_of(struct bytes der)
{
	switch (der.data[0]) {
	case V_ASN1_OBJECT:
		return curve_of_oid(der);
	case V_ASN1_PRINTABLESTRING:
		return curve_of_string(der);
	default:
		return curve_of_parameters(der);
	}
}

/* What is inside a DER OCTET STRING or BIT STRING that is all of `b`. False when `b` is none. */
static bool unwrap(struct bytes b, struct bytes *inside)
{
	const unsigned char *p = b.data;
	long len = 0;
	int tag = 0, class = 0;

	if (b.len < 2 || b.len > INT32_MAX ||
	    (ASN1_get_object(&p, &len, &tag, &class, (long)b.len) & 0xa1) != 0 ||
	    class != V_ASN1_UNIVERSAL || len < 1 || p + len != b.data + b.len)
		return false;
	if (tag == V_ASN1_BIT_STRING && p[0] == 0) {
		p++;
		len--;
	} else if (tag != V_ASN1_OCTET_STRING) {
		return false;
	}
	*inside = (struct bytes){p, (size_t)len};
	return true;
}

/* A point in one of the forms of SEC 1, or X and Y alone, as SEC 1 writes it. */
static bool point_plain(struct bytes b, size_t n, unsigned char *out, size_t *len)
{
	bool is_pair = b.len == 2 * n;
	bool is_full = b.len == 1 + 2 * n && (b.data[0] == 4 || b.data[0] == 6 || b.data[0] == 7);
	bool is_short = b.len == 1 + n && (b.data[0] == 2 || b.data[0] == 3);

	if (!is_pair && !is_full && !is_short)
		return false;
	out[0] = 4;
	memcpy(out + is_pair, b.data, b.len);
	*len = b.len + is_pair;
	return true;
}

/* Writes the point uncompressed. False when it is none of this curve. */
static bool point_full(const EC_GROUP *group, struct bytes b, unsigned char *out, size_t *len)
{
	size_t n = ((size_t)EC_GROUP_get_degree(group) + 7) / 8, plain_len = 0;
	unsigned char plain[1 + 2 * COORDINATE_MAX];
	EC_POINT *point = EC_POINT_new(group);
	struct bytes inside;
	bool ok = point && n <= COORDINATE_MAX &&
		  (point_plain(b, n, plain, &plain_len) ||
		   (unwrap(b, &inside) && point_plain(inside, n, plain, &plain_len)));

	ok = ok && EC_POINT_oct2point(group, point, plain, plain_len, NULL) == 1;
	*len = ok ? EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out,
				       1 + 2 * COORDINATE_MAX, NULL)
		  : 0;
	EC_POINT_free(point);
	return *len > 0;
}

static EVP_PKEY *ec_build(int nid, const unsigned char *point, size_t len)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

	if (!build ||
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(nid),
					    0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len) != 1) {
		OSSL_PARAM_BLD_free(build);
		return NULL;
	}
	return key_new(EC_NAME, build);
}

static EVP_PKEY *ec_new(int nid, struct bytes point)
{
	EC_GROUP *group =
		nid == NID_undef ? NULL : EC_GROUP_new_by_curve_name_ex(identity_lib(), NULL, nid);
	unsigned char full[1 + 2 * COORDINATE_MAX];
	EVP_PKEY *key = NULL;
	size_t len;

	if (group && point_full(group, point, full, &len))
		key = ec_build(nid, full, len);
	EC_GROUP_free(group);
	return key;
}

static EVP_PKEY *ec_shown(const struct identity_attrs *attrs)
{
	const CK_ATTRIBUTE *params = identity_attr(attrs, CKA_EC_PARAMS);
	const CK_ATTRIBUTE *point = identity_attr(attrs, CKA_EC_POINT);

	return params && point ? ec_new(curve_of(bytes_of(params)), bytes_of(point)) : NULL;
}

/* Edwards and Montgomery keys: their length says which curve it is. */
static EVP_PKEY *raw_new(CK_KEY_TYPE type, struct bytes b)
{
	static const struct {
		CK_KEY_TYPE type;
		size_t len;
		const char *name;
	} curves[] = {
		{CKK_EC_EDWARDS, 32, "1.3.101.112"},
		{CKK_EC_EDWARDS, 57, "1.3.101.113"},
		{CKK_EC_MONTGOMERY, 32, "1.3.101.110"},
		{CKK_EC_MONTGOMERY, 56, "1.3.101.111"},
	};

	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		if (curves[i].type == type && curves[i].len == b.len)
			return EVP_PKEY_new_raw_public_key_ex(identity_lib(), curves[i].name, NULL,
							      b.data, b.len);
	}
	return NULL;
}

static EVP_PKEY *raw_shown(CK_KEY_TYPE type, const struct identity_attrs *attrs)
{
	const CK_ATTRIBUTE *point = identity_attr(attrs, CKA_EC_POINT);
	EVP_PKEY *key = point ? raw_new(type, bytes_of(point)) : NULL;
	struct bytes inside;

	if (!key && point && unwrap(bytes_of(point), &inside))
		key = raw_new(type, inside);
	return key;
}

EVP_PKEY *identity_key_shown(CK_KEY_TYPE type, const struct identity_attrs *attrs)
{
	switch (type) {
	case CKK_RSA:
		return rsa_shown(attrs);
	case CKK_EC:
		return ec_shown(attrs);
	case CKK_EC_EDWARDS:
	case CKK_EC_MONTGOMERY:
		return raw_shown(type, attrs);
	default:
		return NULL;
	}
}

static EVP_PKEY *rsa_again(const EVP_PKEY *key)
{
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *again = NULL;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
		again = rsa_new(n, e);
	BN_free(n);
	BN_free(e);
	return again;
}

static EVP_PKEY *ec_again(const EVP_PKEY *key)
{
	unsigned char point[1 + 2 * COORDINATE_MAX];
	char name[64];
	size_t len = 0;

	if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1 ||
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
					    &len) != 1)
		return NULL;
	return ec_new(curve_named(name), (struct bytes){point, len});
}

static EVP_PKEY *raw_again(CK_KEY_TYPE type, const EVP_PKEY *key)
{
	unsigned char raw[64];
	size_t len = sizeof raw;

	return EVP_PKEY_get_raw_public_key(key, raw, &len) == 1
		       ? raw_new(type, (struct bytes){raw, len})
		       : NULL;
}

/* The same key in canonical form when it is of that type, or NULL; frees `key`. */
static EVP_PKEY *again(CK_KEY_TYPE type, EVP_PKEY *key)
{
	int kind = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
	EVP_PKEY *out = NULL;

	if (type == CKK_RSA && (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS))
		out = rsa_again(key);
	if (type == CKK_EC && (kind == EVP_PKEY_EC || kind == EVP_PKEY_SM2))
		out = ec_again(key);
	if ((type == CKK_EC_EDWARDS && (kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448)) ||
	    (type == CKK_EC_MONTGOMERY && (kind == EVP_PKEY_X25519 || kind == EVP_PKEY_X448)))
		out = raw_again(type, key);
	EVP_PKEY_free(key);
	return out;
}

EVP_PKEY *identity_key_of_info(CK_KEY_TYPE type, const CK_ATTRIBUTE *info)
{
	const unsigned char *p = info ? info->pValue : NULL;

	if (!p)
		return NULL;
	return again(type, d2i_PUBKEY_ex(NULL, &p, (long)info->ulValueLen, identity_lib(), NULL));
}

EVP_PKEY *identity_key_of_certificate(CK_KEY_TYPE type, const CK_ATTRIBUTE *certificate)
{
	const unsigned char *p = certificate ? certificate->pValue : NULL;
	X509 *x = p ? X509_new_ex(identity_lib(), NULL) : NULL;
	EVP_PKEY *key = NULL;

	if (x && d2i_X509(&x, &p, (long)certificate->ulValueLen))
		key = again(type, X509_get_pubkey(x));
	X509_free(x);
	return key;
}

bool identity_key_digest(const EVP_PKEY *key, uint8_t out[static 32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	bool ok = len > 0 && identity_sha256(der, (size_t)len, out);

	OPENSSL_free(der);
	return ok;
}

bool identity_key_has_modulus(const EVP_PKEY *key, const CK_ATTRIBUTE *modulus)
{
	BIGNUM *own = number(bytes_of(modulus)), *n = NULL;
	bool same = own && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
		    BN_cmp(own, n) == 0;

	BN_free(own);
	BN_free(n);
	return same;
}

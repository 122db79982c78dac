/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what an object of a member is, class by class.
 *
 * Values of private and secret keys are never asked for, not even of keys that would show them. No
 * lock; the session is the caller's alone. */
#include "core/identity.h"

#include <string.h>

#include <openssl/err.h>

#include "core/base/attr.h"
#include "core/identity_attr.h"
#include "core/identity_key.h"
#include "core/identity_prove.h"
#include "core/identity_secret.h"
#include "core/identity_soft.h"

/* Public keys of the same CKA_ID that are looked at. */
#define NEIGHBOURS_MAX 8U

/* What makes up the content of a class: all of it is hashed. */
struct content {
	CK_OBJECT_CLASS class;
	CK_ULONG count;
	CK_ATTRIBUTE_TYPE needs; /* nothing is known about an object that does not show this */
	CK_ATTRIBUTE_TYPE types[6];
};

static const struct content contents[] = {
	{CKO_CERTIFICATE, 1, CKA_VALUE, {CKA_VALUE}},
	{CKO_DATA, 4, CKA_VALUE, {CKA_APPLICATION, CKA_OBJECT_ID, CKA_LABEL, CKA_VALUE}},
	{CKO_HW_FEATURE, 2, CKA_HW_FEATURE_TYPE, {CKA_HW_FEATURE_TYPE, CKA_LABEL}},
	{CKO_DOMAIN_PARAMETERS,
	 5,
	 CKA_PRIME,
	 {CKA_KEY_TYPE, CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_LABEL}},
	{CKO_MECHANISM, 1, CKA_MECHANISM_TYPE, {CKA_MECHANISM_TYPE}},
	{CKO_PROFILE, 1, CKA_PROFILE_ID, {CKA_PROFILE_ID}},
};

/* Public keys that OpenSSL does not know, or not in this form. */
static const struct content public_content = {
	CKO_PUBLIC_KEY,
	6,
	CKA_VALUE,
	{CKA_PARAMETER_SET, CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_EC_PARAMS, CKA_VALUE}};
static const struct content curve_content = {
	CKO_PUBLIC_KEY, 2, CKA_EC_POINT, {CKA_EC_PARAMS, CKA_EC_POINT}};

static bool add_number(struct buf *b, CK_ULONG number)
{
	unsigned char bytes[8];

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)number >> (56 - 8 * i));
	return buf_add(b, bytes, sizeof bytes);
}

/* Attributes that count in the place of its own. */
struct instead {
	const CK_ATTRIBUTE *a;
	CK_ULONG count;
};

/* Class, key type, and each attribute with its type and length, so that no two contents give the
 * same bytes. */
static bool add_content(struct buf *b, const struct identity *id, const struct content *content,
			const struct identity_attrs *attrs, const struct instead *instead)
{
	bool ok = add_number(b, id->class) && add_number(b, id->key_type);

	for (CK_ULONG i = 0; ok && i < content->count; i++) {
		const CK_ATTRIBUTE *a = identity_attr(attrs, content->types[i]);

		const CK_ATTRIBUTE *other =
			attr_find(instead->a, instead->count, content->types[i]);

		if (other)
			a = other->ulValueLen ? other : NULL;
		ok = add_number(b, content->types[i]) && add_number(b, a ? a->ulValueLen : 0) &&
		     (!a || buf_add(b, a->pValue, a->ulValueLen));
	}
	return ok;
}

/* Whether it shows `needs`; data objects may show an empty one. */
static bool is_shown(const struct identity *id, const struct content *content,
		     const struct identity_attrs *attrs)
{
	const CK_ATTRIBUTE *a = attr_find(attrs->a, attrs->count, content->needs);

	return a && a->ulValueLen != CK_UNAVAILABLE_INFORMATION &&
	       (a->ulValueLen > 0 || id->class == CKO_DATA);
}

static CK_RV hash_content(const struct content *content, const struct identity_attrs *attrs,
			  const struct instead *instead, struct identity *id)
{
	struct buf b = {0};
	bool ok;

	if (!is_shown(id, content, attrs))
		return CKR_OK;
	ok = add_content(&b, id, content, attrs, instead) &&
	     identity_sha256(b.data, b.len, id->digest);
	buf_free(&b);
	id->kind = ok ? IDENTITY_VALUE : IDENTITY_NONE;
	return ok ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV read_content(struct member_session *ms, CK_OBJECT_HANDLE real,
			  const struct content *content, const struct instead *instead,
			  struct identity *id)
{
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(ms, real, content->types, content->count, &attrs);

	if (rv == CKR_OK)
		rv = hash_content(content, &attrs, instead, id);
	identity_attrs_free(&attrs);
	return rv;
}

static CK_RV read_other(struct member_session *ms, CK_OBJECT_HANDLE real,
			const struct instead *instead, struct identity *id)
{
	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		if (contents[i].class == id->class)
			return read_content(ms, real, &contents[i], instead, id);
	}
	return CKR_OK; /* what makes up a vendor's object, only the vendor knows */
}

/* The public key that a public key object shows, in whatever way; NULL in *key when it does not. */
static CK_RV read_key(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
		      EVP_PKEY **key)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS,
						  CKA_EC_POINT, CKA_PUBLIC_KEY_INFO};
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &attrs);

	*key = NULL;
	if (rv != CKR_OK)
		return rv;
	*key = identity_key_shown(type, &attrs);
	if (!*key)
		*key = identity_key_of_info(type, identity_attr(&attrs, CKA_PUBLIC_KEY_INFO));
	identity_attrs_free(&attrs);
	return CKR_OK;
}

static bool is_curve(CK_KEY_TYPE type)
{
	return type == CKK_EC || type == CKK_EC_EDWARDS || type == CKK_EC_MONTGOMERY;
}

static CK_RV read_public(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *id)
{
	EVP_PKEY *key = NULL;
	CK_RV rv = CKR_OK;

	if (is_curve(id->key_type) || id->key_type == CKK_RSA)
		rv = read_key(ms, real, id->key_type, &key);
	if (rv != CKR_OK)
		return rv;
	if (!key)
		return read_content(ms, real,
				    is_curve(id->key_type) ? &curve_content : &public_content, NULL,
				    id);
	if (identity_key_digest(key, id->digest))
		id->kind = IDENTITY_VALUE;
	else
		rv = CKR_HOST_MEMORY;
	EVP_PKEY_free(key);
	return rv;
}

/* Objects of that class with the CKA_ID and, for public keys, the key type of `id`. */
static CK_RV find_neighbours(struct member_session *ms, const struct identity *id,
			     CK_OBJECT_CLASS class, struct buf *found)
{
	struct identity like = {.class = class,
				.key_type = class == CKO_PUBLIC_KEY ? id->key_type
								    : CK_UNAVAILABLE_INFORMATION,
				.is_token = id->is_token,
				.id = id->id};

	return identity_find(ms, &like, true, found);
}

static CK_RV key_of(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
		    CK_KEY_TYPE type, EVP_PKEY **key)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_VALUE};
	struct identity_attrs attrs;
	CK_RV rv;

	if (class == CKO_PUBLIC_KEY)
		return read_key(ms, real, type, key);
	rv = identity_attrs_read(ms, real, types, 1, &attrs);
	if (rv != CKR_OK)
		return rv;
	*key = identity_key_of_certificate(type, identity_attr(&attrs, CKA_VALUE));
	identity_attrs_free(&attrs);
	return CKR_OK;
}

/* Whether the neighbour may be the key's: what the private key shows of itself must agree. */
static bool may_be(EVP_PKEY *key, const struct identity_attrs *own)
{
	const CK_ATTRIBUTE *modulus = identity_attr(own, CKA_MODULUS);

	return !modulus || identity_key_has_modulus(key, modulus);
}

static CK_RV neighbour(struct member_session *ms, const struct identity *id,
		       const struct identity_attrs *own, CK_OBJECT_CLASS class, EVP_PKEY **key)
{
	struct buf found = {0};
	CK_RV rv = find_neighbours(ms, id, class, &found);

	for (size_t i = 0; rv == CKR_OK && !*key && i < NEIGHBOURS_MAX; i++) {
		CK_OBJECT_HANDLE real;

		if ((i + 1) * sizeof real > found.len)
			break;
		memcpy(&real, found.data + i * sizeof real, sizeof real);
		rv = key_of(ms, real, class, id->key_type, key);
		if (*key && !may_be(*key, own)) {
			EVP_PKEY_free(*key);
			*key = NULL;
		}
	}
	buf_free(&found);
	return rv;
}

static bool is_provable(CK_KEY_TYPE type)
{
	return type == CKK_RSA || is_curve(type);
}

static CK_RV find_public(struct member_session *ms, const struct identity *id,
			 const struct identity_attrs *own, EVP_PKEY **key)
{
	CK_RV rv = CKR_OK;

	*key = identity_key_shown(id->key_type, own);
	if (!*key)
		*key = identity_key_of_info(id->key_type, identity_attr(own, CKA_PUBLIC_KEY_INFO));
	if (*key || id->id.len == 0)
		return CKR_OK;
	rv = neighbour(ms, id, own, CKO_PUBLIC_KEY, key);
	if (rv == CKR_OK && !*key)
		rv = neighbour(ms, id, own, CKO_CERTIFICATE, key);
	return rv;
}

static CK_RV read_private(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *id)
{
	static const CK_ATTRIBUTE_TYPE types[] = {IDENTITY_PRIVATE_ATTRS};
	struct identity_attrs own;
	CK_RV rv;

	if (!is_provable(id->key_type))
		return CKR_OK;
	rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &own);
	if (rv != CKR_OK)
		return rv;
	id->needs_login_each = attr_bool(own.a, own.count, CKA_ALWAYS_AUTHENTICATE, false);
	rv = find_public(ms, id, &own, &id->public_key);
	identity_attrs_free(&own);
	if (rv != CKR_OK || !id->public_key)
		return rv;
	id->kind = IDENTITY_PUBLIC;
	return identity_key_digest(id->public_key, id->digest) ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV read_secret(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *id)
{
	static const CK_ATTRIBUTE_TYPE types[] = {IDENTITY_SECRET_USES};
	struct identity_answer answer;
	struct identity_attrs attrs;
	bool answered = false;
	CK_RV rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &attrs);

	if (rv != CKR_OK)
		return rv;
	rv = identity_secret_ask(ms, real, id->key_type, &attrs, NULL, &answer, &answered);
	identity_attrs_free(&attrs);
	id->is_doubtful = rv == CKR_OK && answer.is_doubtful;
	if (rv != CKR_OK || !answered)
		return rv;
	id->kind = IDENTITY_ANSWER;
	id->mechanism = answer.mechanism;
	id->use = answer.use;
	memcpy(id->digest, answer.digest, sizeof id->digest);
	return CKR_OK;
}

static bool take_name(struct buf *out, const CK_ATTRIBUTE *a)
{
	return !a || buf_add(out, a->pValue, a->ulValueLen);
}

static CK_RV read_common(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *id)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS,   CKA_KEY_TYPE, CKA_TOKEN,
						  CKA_PRIVATE, CKA_ID,       CKA_LABEL};
	struct identity_attrs attrs;
	const CK_ATTRIBUTE *a = attrs.a;
	CK_RV rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &attrs);

	if (rv != CKR_OK)
		return rv;
	if (!identity_attr(&attrs, CKA_CLASS)) /* every object has one */
		rv = CKR_DEVICE_ERROR;
	id->class = attr_ulong(a, attrs.count, CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
	id->key_type = attr_ulong(a, attrs.count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);
	id->is_token = attr_bool(a, attrs.count, CKA_TOKEN, false);
	id->is_private = attr_bool(a, attrs.count, CKA_PRIVATE, false);
	if (!take_name(&id->id, identity_attr(&attrs, CKA_ID)) ||
	    !take_name(&id->label, identity_attr(&attrs, CKA_LABEL)))
		rv = CKR_HOST_MEMORY;
	identity_attrs_free(&attrs);
	return rv;
}

static CK_RV read_rest(struct member_session *ms, CK_OBJECT_HANDLE real,
		       const struct instead *instead, struct identity *id)
{
	switch (id->class) {
	case CKO_PUBLIC_KEY:
		return read_public(ms, real, id);
	case CKO_PRIVATE_KEY:
		return read_private(ms, real, id);
	case CKO_SECRET_KEY:
		return read_secret(ms, real, id);
	default:
		return read_other(ms, real, instead, id);
	}
}

CK_RV identity_read_as(struct member_session *ms, CK_OBJECT_HANDLE real, const CK_ATTRIBUTE *tmpl,
		       CK_ULONG count, struct identity *out)
{
	const struct instead instead = {tmpl, count};
	CK_RV rv;

	*out = (struct identity){0};
	ERR_set_mark(); /* the application's thread has an error queue of its own */
	rv = read_common(ms, real, out);
	if (rv == CKR_OK)
		rv = read_rest(ms, real, &instead, out);
	if (rv != CKR_OK)
		identity_free(out);
	ERR_pop_to_mark();
	return rv;
}

CK_RV identity_read(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *out)
{
	return identity_read_as(ms, real, NULL, 0, out);
}

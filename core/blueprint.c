/* SPDX-License-Identifier: BSD-2-Clause */
/* What a copy of an object has to be: reading it, stating it, comparing with what came of it.
 *
 * The attributes that decide what an object may do are those of core/explicit.c; the table here
 * adds names, dates, and the content of what is public. Values of private and secret keys are in
 * neither, so that no mistake elsewhere can read one. No lock; the session is the caller's alone.
 */
#include "core/blueprint.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/base/attr.h"
#include "core/explicit.h"
#include "core/identity_attr.h"
#include "core/member_op.h"

/* Longer values are not read (core/identity_attr.c). */
#define LONGEST (64UL * 1024)

#define DATA        (1U << CKO_DATA)
#define CERTIFICATE (1U << CKO_CERTIFICATE)
#define PUBLIC      (1U << CKO_PUBLIC_KEY)
#define PRIVATE     (1U << CKO_PRIVATE_KEY)
#define SECRET      (1U << CKO_SECRET_KEY)
#define DOMAIN      (1U << CKO_DOMAIN_PARAMETERS)
#define KEYS        (PUBLIC | PRIVATE | SECRET)
#define ANY         (~0U)

/* What two values of an attribute have to have in common. */
enum form {
	FORM_BYTES,
	FORM_TRUTH,
	FORM_INTEGER, /* leading zeros do not count */
	FORM_POINT,   /* with or without the DER OCTET STRING around it */
	FORM_LENGTH   /* who shows none is believed; SoftHSM 2.6.1 says 0 of what it unwrapped,
		       * openCryptoki 3.8.1 of generic secrets that were created */
};

struct row {
	CK_ATTRIBUTE_TYPE type;
	unsigned classes;
	enum form form;
};

static const struct row rows[] = {
	{CKA_TOKEN, ANY, FORM_TRUTH},
	{CKA_LABEL, ANY, FORM_BYTES},
	{CKA_KEY_TYPE, KEYS | DOMAIN, FORM_BYTES},
	{CKA_ID, KEYS | CERTIFICATE, FORM_BYTES},
	{CKA_SUBJECT, PUBLIC | PRIVATE | CERTIFICATE, FORM_BYTES},
	{CKA_START_DATE, KEYS | CERTIFICATE, FORM_BYTES},
	{CKA_END_DATE, KEYS | CERTIFICATE, FORM_BYTES},
	{CKA_ALLOWED_MECHANISMS, KEYS, FORM_BYTES},
	{CKA_VALUE_LEN, SECRET, FORM_LENGTH},
	{CKA_MODULUS, PUBLIC, FORM_INTEGER},
	{CKA_PUBLIC_EXPONENT, PUBLIC, FORM_INTEGER},
	{CKA_EC_PARAMS, PUBLIC, FORM_BYTES},
	{CKA_EC_POINT, PUBLIC, FORM_POINT},
	{CKA_PARAMETER_SET, PUBLIC, FORM_BYTES},
	{CKA_PRIME, PUBLIC | DOMAIN, FORM_INTEGER},
	{CKA_SUBPRIME, PUBLIC | DOMAIN, FORM_INTEGER},
	{CKA_BASE, PUBLIC | DOMAIN, FORM_INTEGER},
	{CKA_VALUE, PUBLIC | CERTIFICATE | DATA, FORM_BYTES},
	{CKA_APPLICATION, DATA, FORM_BYTES},
	{CKA_OBJECT_ID, DATA, FORM_BYTES},
	{CKA_CERTIFICATE_TYPE, CERTIFICATE, FORM_BYTES},
	{CKA_CERTIFICATE_CATEGORY, CERTIFICATE, FORM_BYTES},
	{CKA_ISSUER, CERTIFICATE, FORM_BYTES},
	{CKA_SERIAL_NUMBER, CERTIFICATE, FORM_BYTES},
	{CKA_URL, CERTIFICATE, FORM_BYTES},
	{CKA_HASH_OF_SUBJECT_PUBLIC_KEY, CERTIFICATE, FORM_BYTES},
	{CKA_HASH_OF_ISSUER_PUBLIC_KEY, CERTIFICATE, FORM_BYTES},
	{CKA_JAVA_MIDP_SECURITY_DOMAIN, CERTIFICATE, FORM_BYTES},
	{CKA_OWNER, CERTIFICATE, FORM_BYTES},
	{CKA_AC_ISSUER, CERTIFICATE, FORM_BYTES},
	{CKA_ATTR_TYPES, CERTIFICATE, FORM_BYTES},
};

/* Templates that a key imposes on others: that it has one is seen, what is in it is not read. */
static const CK_ATTRIBUTE_TYPE templates[] = {CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE,
					      CKA_DERIVE_TEMPLATE};

/* All that may be asked of one class. */
struct types {
	CK_ATTRIBUTE_TYPE type[BLUEPRINT_MAX + 3];
	CK_ULONG count;
};

static CK_ATTRIBUTE *find(struct blueprint *b, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < b->count; i++)
		if (b->a[i].type == type)
			return &b->a[i];
	return NULL;
}

static void free_value(CK_ATTRIBUTE *a)
{
	if (a->pValue)
		OPENSSL_cleanse(a->pValue, a->ulValueLen);
	free(a->pValue);
	a->pValue = NULL;
	a->ulValueLen = 0;
}

bool blueprint_set(struct blueprint *b, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
	CK_ATTRIBUTE *a = find(b, type);
	void *copy = NULL;

	if (!b->a)
		b->a = calloc(BLUEPRINT_MAX, sizeof *b->a);
	if (!b->a || (!a && b->count == BLUEPRINT_MAX))
		return false;
	if (len > 0) {
		copy = malloc(len);
		if (!copy)
			return false;
		memcpy(copy, value, len);
	}
	if (a)
		free_value(a);
	else
		a = &b->a[b->count++];
	*a = (CK_ATTRIBUTE){type, copy, len};
	return true;
}

bool blueprint_set_bool(struct blueprint *b, CK_ATTRIBUTE_TYPE type, bool value)
{
	CK_BBOOL v = value ? CK_TRUE : CK_FALSE;

	return blueprint_set(b, type, &v, sizeof v);
}

void blueprint_drop(struct blueprint *b, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE *a = find(b, type);

	if (!a)
		return;
	free_value(a);
	*a = b->a[--b->count];
}

void blueprint_free(struct blueprint *b)
{
	if (!b)
		return;
	for (CK_ULONG i = 0; i < b->count; i++)
		free_value(&b->a[i]);
	free(b->a);
	*b = (struct blueprint){0};
}

bool blueprint_copy(const struct blueprint *from, struct blueprint *to)
{
	*to = (struct blueprint){.has_template = from->has_template};
	for (CK_ULONG i = 0; i < from->count; i++) {
		const CK_ATTRIBUTE *a = &from->a[i];

		if (blueprint_set(to, a->type, a->pValue, a->ulValueLen))
			continue;
		blueprint_free(to);
		return false;
	}
	return true;
}

static void collect(struct types *t, CK_OBJECT_CLASS class)
{
	const unsigned bit = class < 32 ? 1U << class : 0;
	size_t count;
	const struct explicit_row *may = explicit_rows(&count);

	t->count = 0;
	for (size_t i = 0; i < count; i++)
		if (may[i].classes == ANY || may[i].classes & bit)
			t->type[t->count++] = may[i].type;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].classes == ANY || rows[i].classes & bit)
			t->type[t->count++] = rows[i].type;
	for (size_t i = 0; bit & KEYS && i < sizeof templates / sizeof templates[0]; i++)
		t->type[t->count++] = templates[i];
}

static enum form form_of(CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].type == type)
			return rows[i].form;
	return type == CKA_CLASS ? FORM_BYTES : FORM_TRUTH;
}

static bool is_shown(const CK_ATTRIBUTE *a)
{
	return a->ulValueLen != CK_UNAVAILABLE_INFORMATION &&
	       (form_of(a->type) != FORM_TRUTH || a->ulValueLen == sizeof(CK_BBOOL));
}

/* One attribute that was read. */
static bool take(struct blueprint *b, const CK_ATTRIBUTE *a)
{
	if (attr_is_template(a->type)) {
		if (a->ulValueLen != CK_UNAVAILABLE_INFORMATION && a->ulValueLen > 0)
			b->has_template = true;
		return true;
	}
	if (!is_shown(a) || (form_of(a->type) == FORM_LENGTH && attr_ulong(a, 1, a->type, 0) == 0))
		return true;
	if (form_of(a->type) == FORM_TRUTH)
		return blueprint_set_bool(b, a->type, *(const CK_BBOOL *)a->pValue != CK_FALSE);
	return blueprint_set(b, a->type, a->pValue, a->ulValueLen);
}

static CK_RV read_some(struct member_session *ms, CK_OBJECT_HANDLE real,
		       const CK_ATTRIBUTE_TYPE *types, CK_ULONG count, struct blueprint *out)
{
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(ms, real, types, count, &attrs);

	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
		if (!take(out, &attrs.a[i]))
			rv = CKR_HOST_MEMORY;
	identity_attrs_free(&attrs);
	return rv;
}

static CK_RV read_each(struct member_session *ms, CK_OBJECT_HANDLE real, const struct types *t,
		       struct blueprint *out)
{
	CK_RV rv = CKR_OK;

	for (CK_ULONG at = 0, n; rv == CKR_OK && at < t->count; at += n) {
		n = t->count - at < IDENTITY_ATTRS ? t->count - at : IDENTITY_ATTRS;
		rv = read_some(ms, real, t->type + at, n, out);
	}
	return rv;
}

/* Content that was not read, because there is too much of it or the member does not show it: a copy
 * without it would be another object. */
static CK_RV miss_content(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
			  struct blueprint *out)
{
	CK_ATTRIBUTE a = {CKA_VALUE, NULL, 0};
	struct call call = {
		.id = CALL_C_GetAttributeValue, .tmpl = {&a, NULL}, .tmpl_count = {1, 0}};

	if ((class != CKO_DATA && class != CKO_CERTIFICATE) || find(out, CKA_VALUE) ||
	    member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0}) != CKR_OK ||
	    a.ulValueLen == CK_UNAVAILABLE_INFORMATION)
		return CKR_OK;
	return a.ulValueLen > LONGEST ? CKR_DATA_LEN_RANGE : CKR_OK;
}

CK_RV blueprint_read(struct member_session *ms, CK_OBJECT_HANDLE real, struct blueprint *out)
{
	static const CK_ATTRIBUTE_TYPE first[] = {CKA_CLASS};
	CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
	struct types t;
	CK_RV rv;

	*out = (struct blueprint){0};
	rv = read_some(ms, real, first, 1, out);
	if (rv == CKR_OK)
		class = attr_ulong(out->a, out->count, CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
	if (rv == CKR_OK && class == CK_UNAVAILABLE_INFORMATION)
		rv = CKR_DEVICE_ERROR; /* every object has one */
	if (rv == CKR_OK) {
		collect(&t, class);
		rv = read_each(ms, real, &t, out);
	}
	if (rv == CKR_OK)
		rv = miss_content(ms, real, class, out);
	if (rv != CKR_OK)
		blueprint_free(out);
	return rv;
}

/* What holds where a member does not know the attribute: the standard's default; that the object is
 * neither protected nor able to do anything where the standard leaves it to the token. */
static bool assumed(CK_ATTRIBUTE_TYPE type)
{
	size_t count;
	const struct explicit_row *may = explicit_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (may[i].type == type && may[i].when == EXPLICIT_IF_FALSE)
			return true;
	return type == CKA_EXTRACTABLE;
}

static const unsigned char *without_zeros(const CK_ATTRIBUTE *a, size_t *len)
{
	const unsigned char *p = a->pValue;

	*len = a->ulValueLen;
	while (*len > 0 && *p == 0) {
		p++;
		(*len)--;
	}
	return p;
}

/* A point inside its OCTET STRING; one that has none is taken as it is. */
static const unsigned char *without_head(const CK_ATTRIBUTE *a, size_t *len)
{
	const unsigned char *p = a->pValue;

	*len = a->ulValueLen;
	if (*len > 2 && p[0] == 0x04 && p[1] < 0x80 && p[1] == *len - 2) {
		*len -= 2;
		return p + 2;
	}
	if (*len > 3 && p[0] == 0x04 && p[1] == 0x81 && p[2] == *len - 3) {
		*len -= 3;
		return p + 3;
	}
	return p;
}

static bool is_same_content(enum form form, const CK_ATTRIBUTE *a, const CK_ATTRIBUTE *b)
{
	const unsigned char *p = a->pValue, *q = b->pValue;
	size_t len = a->ulValueLen, other = b->ulValueLen;

	if (form == FORM_INTEGER) {
		p = without_zeros(a, &len);
		q = without_zeros(b, &other);
	} else if (form == FORM_POINT) {
		p = without_head(a, &len);
		q = without_head(b, &other);
	}
	return len == other && (len == 0 || memcmp(p, q, len) == 0);
}

/* `said` is stated, `got` was read. */
static bool is_as_stated(const CK_ATTRIBUTE *said, const CK_ATTRIBUTE *got)
{
	enum form form = form_of(said->type);

	if (form == FORM_TRUTH)
		return (*(const CK_BBOOL *)said->pValue != CK_FALSE) ==
		       (is_shown(got) ? *(const CK_BBOOL *)got->pValue != CK_FALSE
				      : assumed(said->type));
	if (form == FORM_LENGTH && attr_ulong(got, 1, got->type, 0) == 0)
		return true;
	if (!is_shown(got))
		return said->ulValueLen == 0;
	return is_same_content(form, said, got);
}

static CK_RV compare_some(const CK_ATTRIBUTE *said, CK_ULONG count, struct member_session *ms,
			  CK_OBJECT_HANDLE real, struct buf *different)
{
	CK_ATTRIBUTE_TYPE types[IDENTITY_ATTRS];
	struct identity_attrs attrs;
	CK_RV rv;

	for (CK_ULONG i = 0; i < count; i++)
		types[i] = said[i].type;
	rv = identity_attrs_read(ms, real, types, count, &attrs);
	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
		if (!is_as_stated(&said[i], &attrs.a[i]) &&
		    !buf_add(different, &types[i], sizeof types[i]))
			rv = CKR_HOST_MEMORY;
	identity_attrs_free(&attrs);
	return rv;
}

CK_RV blueprint_compare(const struct blueprint *b, struct member_session *ms, CK_OBJECT_HANDLE real,
			struct buf *different)
{
	CK_RV rv = CKR_OK;

	for (CK_ULONG at = 0, n; rv == CKR_OK && at < b->count; at += n) {
		n = b->count - at < IDENTITY_ATTRS ? b->count - at : IDENTITY_ATTRS;
		rv = compare_some(b->a + at, n, ms, real, different);
	}
	return rv;
}

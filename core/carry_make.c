/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy on the target: made of a template that the target takes, mended, judged, destroyed.
 *
 * A template states everything, because makers assume different things of what is left out. Some
 * refuse attributes, even such as they have. They get less, in the steps of one table; then all is
 * read back: what was left out, or ignored (openCryptoki 3.8.1 ignores CKA_SENSITIVE in
 * C_UnwrapKey), is set where it can be. What differs then has to stand in the other table, with a
 * reason, or the copy is none. No lock; sessions are the caller's alone. */
#include "core/carry_make.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "core/base/attr.h"
#include "core/base/names.h"
#include "core/identity_attr.h"
#include "core/identity_use.h"
#include "core/library.h"
#include "core/member_op.h"
#include "core/vendor.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* NSS: lib/util/pkcs11n.h */
#define CKA_NSS_DB 0xD5A0DB00UL
/* An uncompressed point of 521 bits has 133 bytes. */
#define POINT_ROOM 160
#define TMPL_ROOM  (BLUEPRINT_MAX + 1)

/* Which values of an attribute a row is about. */
enum value { VALUE_ANY, VALUE_TRUE, VALUE_FALSE };

/* What may be left out of a template, and from which step on. */
struct leave {
	CK_ATTRIBUTE_TYPE type;
	enum value value;
	unsigned step;
};

/* The first step leaves out what follows from the key, and what came late into the standard where
 * it says what the standard assumes. openCryptoki 3.8.1 does not know those of step 1, and takes
 * those of step 2 only from its own hand. Nothing stands here that could be left out unseen: all is
 * read back. */
static const struct leave leaves[] = {
	{CKA_MODIFIABLE, VALUE_TRUE, 0},
	{CKA_COPYABLE, VALUE_TRUE, 0},
	{CKA_DESTROYABLE, VALUE_TRUE, 0},
	{CKA_WRAP_WITH_TRUSTED, VALUE_FALSE, 0},
	{CKA_ALWAYS_AUTHENTICATE, VALUE_FALSE, 0},
	{CKA_VALUE_LEN, VALUE_ANY, 0}, /* SoftHSM 2.6.1 refuses it in C_UnwrapKey */
	{CKA_MODIFIABLE, VALUE_ANY, 1},
	{CKA_COPYABLE, VALUE_ANY, 1},
	{CKA_DESTROYABLE, VALUE_ANY, 1},
	{CKA_WRAP_WITH_TRUSTED, VALUE_ANY, 1},
	{CKA_ALWAYS_AUTHENTICATE, VALUE_ANY, 1},
	{CKA_ALLOWED_MECHANISMS, VALUE_ANY, 1},
	{CKA_SIGN_RECOVER, VALUE_ANY, 1},
	{CKA_VERIFY_RECOVER, VALUE_ANY, 1},
	{CKA_EXTRACTABLE, VALUE_TRUE, 2},
	{CKA_SENSITIVE, VALUE_FALSE, 2},
	{CKA_SUBJECT, VALUE_ANY, 4},
	{CKA_START_DATE, VALUE_ANY, 4},
	{CKA_END_DATE, VALUE_ANY, 4},
	{CKA_CERTIFICATE_CATEGORY, VALUE_ANY, 3},
	{CKA_URL, VALUE_ANY, 3},
	{CKA_HASH_OF_SUBJECT_PUBLIC_KEY, VALUE_ANY, 3},
	{CKA_HASH_OF_ISSUER_PUBLIC_KEY, VALUE_ANY, 3},
	{CKA_JAVA_MIDP_SECURITY_DOMAIN, VALUE_ANY, 3},
};
#define STEPS 5U

/* What a member may lack, because it does not know the attribute at all. */
struct lack {
	CK_ATTRIBUTE_TYPE type;
	enum value value;
	const char *why;
};

static const struct lack lacks[] = {
	{CKA_MODIFIABLE, VALUE_FALSE, "hsmux refuses to change the object"},
	{CKA_COPYABLE, VALUE_FALSE, "hsmux refuses to copy the object"},
	{CKA_DESTROYABLE, VALUE_FALSE, "hsmux refuses to destroy the object"},
	{CKA_WRAP_WITH_TRUSTED, VALUE_TRUE, "hsmux wraps keys under the KEK only"},
	{CKA_SIGN_RECOVER, VALUE_TRUE, "can do less: the member has no such operation"},
	{CKA_VERIFY_RECOVER, VALUE_TRUE, "can do less: the member has no such operation"},
	{CKA_SUBJECT, VALUE_ANY, "tells what a key is for, and no token looks at it"},
	{CKA_START_DATE, VALUE_ANY, "tells, and no token looks at it"},
	{CKA_END_DATE, VALUE_ANY, "tells, and no token looks at it"},
	{CKA_CERTIFICATE_CATEGORY, VALUE_ANY, "tells, and no token looks at it"},
	{CKA_URL, VALUE_ANY, "tells where the certificate is, which is there itself"},
	{CKA_HASH_OF_SUBJECT_PUBLIC_KEY, VALUE_ANY, "follows from the certificate"},
	{CKA_HASH_OF_ISSUER_PUBLIC_KEY, VALUE_ANY, "follows from the issuer's certificate"},
	{CKA_JAVA_MIDP_SECURITY_DOMAIN, VALUE_ANY, "tells, and no token looks at it"},
};

/* Codes about the template: another one may be taken. */
static const CK_RV template_codes[] = {CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_READ_ONLY,
				       CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT};

/* Codes about the wrapped key, beside those that identity_refuses() knows. */
static const CK_RV wrapped_codes[] = {
	CKR_WRAPPED_KEY_INVALID,           CKR_WRAPPED_KEY_LEN_RANGE,
	CKR_UNWRAPPING_KEY_SIZE_RANGE,     CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
	CKR_UNWRAPPING_KEY_HANDLE_INVALID, CKR_WRAPPING_KEY_HANDLE_INVALID,
};

void carry_say(struct carry *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(c->why, sizeof c->why, fmt, args); /* words may be cut */
	va_end(args);
}

CK_RV carry_cannot(struct carry *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(c->why, sizeof c->why, fmt, args); /* words may be cut */
	va_end(args);
	c->is_unable = true;
	return CKR_MECHANISM_INVALID;
}

static bool is_among(const CK_RV *codes, size_t count, CK_RV rv)
{
	for (size_t i = 0; i < count; i++)
		if (codes[i] == rv)
			return true;
	return false;
}

bool carry_refuses(struct member_session *ms, CK_RV rv)
{
	return is_among(wrapped_codes, COUNT(wrapped_codes), rv) || identity_refuses(ms, rv);
}

static bool is_value(const CK_ATTRIBUTE *a, enum value value)
{
	return value == VALUE_ANY ||
	       (a->ulValueLen == sizeof(CK_BBOOL) &&
		(*(const CK_BBOOL *)a->pValue != CK_FALSE) == (value == VALUE_TRUE));
}

/* Empty values are what objects have anyway, but for names, of which makers invent some. */
static bool is_stated(const CK_ATTRIBUTE *a, unsigned step, bool with_len)
{
	if (a->ulValueLen == 0 && a->type != CKA_LABEL && a->type != CKA_VALUE)
		return false;
	if (a->type == CKA_VALUE_LEN)
		return with_len;
	for (size_t i = 0; i < COUNT(leaves); i++)
		if (leaves[i].type == a->type && leaves[i].step <= step &&
		    is_value(a, leaves[i].value))
			return false;
	return true;
}

/* A template with what it points to. */
struct tmpl {
	CK_ATTRIBUTE a[TMPL_ROOM];
	CK_ULONG count;
	unsigned char point[POINT_ROOM];
};

/* NSS 3.87 unwraps a key of an elliptic curve only when it is told the public point. */
static bool wants_point(const struct carry *c)
{
	return c->id->class == CKO_PRIVATE_KEY && c->id->key_type == CKK_EC &&
	       atomic_load(&c->to->member->lib->vendor)->unwrap_ec_point;
}

static bool add_point(struct tmpl *t, const struct carry *c)
{
	size_t len = 0;

	if (!wants_point(c))
		return true;
	if (!c->id->public_key ||
	    EVP_PKEY_get_octet_string_param(c->id->public_key, OSSL_PKEY_PARAM_PUB_KEY, t->point,
					    sizeof t->point, &len) != 1)
		return false;
	t->a[t->count++] = (CK_ATTRIBUTE){CKA_NSS_DB, t->point, len};
	return true;
}

static bool fill(struct tmpl *t, const struct carry *c, unsigned step, bool with_len)
{
	t->count = 0;
	for (CK_ULONG i = 0; i < c->as->count; i++)
		if (is_stated(&c->as->a[i], step, with_len))
			t->a[t->count++] = c->as->a[i];
	return add_point(t, c);
}

/* The next template that says less; false when there is none. */
static bool reduce(struct tmpl *t, const struct carry *c, unsigned *step, bool with_len)
{
	CK_ULONG before = t->count;

	while (t->count == before && ++*step < STEPS)
		(void)fill(t, c, *step, with_len); /* what made it fail once would have before */
	return t->count < before;
}

static CK_RV make_once(struct carry *c, carry_making *make, void *context, const struct tmpl *t)
{
	CK_ATTRIBUTE copy[TMPL_ROOM]; /* the member cannot change ours */
	CK_RV rv;

	memcpy(copy, t->a, t->count * sizeof copy[0]);
	c->made = 0;
	rv = make(context, copy, t->count, &c->made);
	if (rv != CKR_OK)
		c->made = 0; /* NSS writes a handle of nothing */
	return rv == CKR_OK && !c->made ? CKR_DEVICE_ERROR : rv;
}

static CK_RV make_of(struct carry *c, carry_making *make, void *context, struct tmpl *t)
{
	bool with_len = c->states_len, may_go_on = true;
	unsigned step = 0;
	CK_RV rv = CKR_OK;

	if (!fill(t, c, step, with_len))
		return carry_cannot(c,
				    "member %s wants the public point of the key, which is not "
				    "known",
				    c->to->member->conf->name);
	while (may_go_on) {
		rv = make_once(c, make, context, t);
		if (rv == CKR_TEMPLATE_INCOMPLETE && !with_len) {
			CK_ULONG before = t->count;

			with_len = true;
			(void)fill(t, c, step, with_len); /* as above */
			may_go_on = t->count > before;
		} else {
			may_go_on = is_among(template_codes, COUNT(template_codes), rv) &&
				    reduce(t, c, &step, with_len);
		}
	}
	return rv;
}

CK_RV carry_make(struct carry *c, carry_making *make, void *context)
{
	struct tmpl *t = calloc(1, sizeof *t);
	CK_RV rv = t ? make_of(c, make, context, t) : CKR_HOST_MEMORY;

	free(t);
	return rv;
}

static CK_ATTRIBUTE_TYPE type_at(const struct buf *types, size_t i)
{
	CK_ATTRIBUTE_TYPE type;

	memcpy(&type, types->data + i * sizeof type, sizeof type);
	return type;
}

static size_t type_count(const struct buf *types)
{
	return types->len / sizeof(CK_ATTRIBUTE_TYPE);
}

/* What an object is cannot be changed; what it may do, and its name, can be tried. */
static bool is_changeable(CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_CLASS:
	case CKA_KEY_TYPE:
	case CKA_TOKEN:
	case CKA_VALUE:
	case CKA_VALUE_LEN:
	case CKA_MODULUS:
	case CKA_PUBLIC_EXPONENT:
	case CKA_EC_PARAMS:
	case CKA_EC_POINT:
		return false;
	default:
		return true;
	}
}

static CK_RV set_one(struct carry *c, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE a = *attr_find(c->as->a, c->as->count, type);
	struct call call = {
		.id = CALL_C_SetAttributeValue, .tmpl = {&a, NULL}, .tmpl_count = {1, 0}};
	CK_RV rv = member_call(c->to, &call, (const CK_OBJECT_HANDLE[2]){c->made, 0});

	return rv != CKR_OK && identity_refuses(c->to, rv) ? CKR_OK : rv; /* it is read again */
}

static CK_RV set_all(struct carry *c, const struct buf *different, bool is_last)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < type_count(different); i++) {
		CK_ATTRIBUTE_TYPE type = type_at(different, i);

		if (is_changeable(type) && (is_last || type != CKA_EXTRACTABLE))
			rv = set_one(c, type);
	}
	return rv;
}

CK_RV carry_mend(struct carry *c)
{
	struct buf different = {0};
	CK_RV rv = blueprint_compare(c->as, c->to, c->made, &different);

	if (rv == CKR_OK)
		rv = set_all(c, &different, false);
	buf_free(&different);
	return rv;
}

/* Whether the member does not show the attribute at all, and may lack it. */
static CK_RV may_lack(struct carry *c, CK_ATTRIBUTE_TYPE type, bool *may)
{
	const CK_ATTRIBUTE *said = attr_find(c->as->a, c->as->count, type);
	struct identity_attrs attrs;
	CK_RV rv;

	*may = false;
	for (size_t i = 0; i < COUNT(lacks); i++)
		if (lacks[i].type == type && is_value(said, lacks[i].value))
			*may = true;
	if (!*may)
		return CKR_OK;
	rv = identity_attrs_read(c->to, c->made, &type, 1, &attrs);
	if (rv != CKR_OK)
		return rv;
	*may = identity_attr(&attrs, type) == NULL;
	identity_attrs_free(&attrs);
	return CKR_OK;
}

static CK_RV judge(struct carry *c, const struct buf *different)
{
	char spare[NAME_MAX_LEN];
	bool may = true;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < type_count(different); i++) {
		CK_ATTRIBUTE_TYPE type = type_at(different, i);

		if (type == CKA_VALUE_LEN)
			return CKR_KEY_SIZE_RANGE;
		rv = may_lack(c, type, &may);
		if (rv == CKR_OK && !may)
			rv = carry_cannot(c, "member %s does not keep %s of the object as it is",
					  c->to->member->conf->name,
					  name_of(NAME_ATTRIBUTE, type, spare));
	}
	return rv;
}

CK_RV carry_finish(struct carry *c)
{
	struct buf different = {0};
	CK_RV rv = blueprint_compare(c->as, c->to, c->made, &different);

	if (rv == CKR_OK && different.len > 0) {
		rv = set_all(c, &different, true);
		different.len = 0;
		if (rv == CKR_OK)
			rv = blueprint_compare(c->as, c->to, c->made, &different);
	}
	if (rv == CKR_OK)
		rv = judge(c, &different);
	buf_free(&different);
	return rv;
}

CK_RV carry_discard(struct carry *c)
{
	struct call call = {.id = CALL_C_DestroyObject};
	CK_RV rv = c->made ? member_call(c->to, &call, (const CK_OBJECT_HANDLE[2]){c->made, 0})
			   : CKR_OK;

	if (rv == CKR_OK)
		c->made = 0;
	return rv;
}

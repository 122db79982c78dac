/* SPDX-License-Identifier: BSD-2-Clause */
/* Which object this is: comparing, proving and finding what identity_read() has read.
 *
 * An answer of "the same" lets a call that was meant for one member's object go to another's. It is
 * given for equal content and for proved keys only; everything that cannot be shown is unknown. No
 * lock; sessions are the caller's alone. */
#include "core/identity.h"

#include <string.h>

#include <openssl/err.h>

#include "core/base/attr.h"
#include "core/identity_attr.h"
#include "core/identity_prove.h"
#include "core/identity_secret.h"
#include "core/member_op.h"

static bool is_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

bool identity_same_name(const struct identity *a, const struct identity *b)
{
	return a->class == b->class && a->key_type == b->key_type && is_equal(&a->id, &b->id) &&
	       is_equal(&a->label, &b->label) && (a->id.len > 0 || a->label.len > 0);
}

enum identity_match identity_compare(const struct identity *a, const struct identity *b)
{
	if (a->class != b->class || a->key_type != b->key_type)
		return IDENTITY_DIFFERENT;
	if (a->kind == IDENTITY_NONE || a->kind != b->kind)
		return IDENTITY_UNKNOWN;
	if (a->kind == IDENTITY_ANSWER && (a->mechanism != b->mechanism || a->use != b->use))
		return IDENTITY_UNKNOWN;
	return memcmp(a->digest, b->digest, sizeof a->digest) == 0 ? IDENTITY_SAME
								   : IDENTITY_DIFFERENT;
}

static CK_RV prove_value(struct member_session *ms, CK_OBJECT_HANDLE real,
			 const struct identity *known, enum identity_match *match)
{
	struct identity now;
	CK_RV rv = identity_read(ms, real, &now);

	if (rv != CKR_OK)
		return rv;
	*match = identity_compare(&now, known);
	identity_free(&now);
	return CKR_OK;
}

static CK_RV prove_answer(struct member_session *ms, CK_OBJECT_HANDLE real,
			  const struct identity *known, const struct identity_attrs *attrs,
			  enum identity_match *match)
{
	struct identity_answer as = {.mechanism = known->mechanism, .use = known->use}, now;
	bool answered = false;
	CK_RV rv = identity_secret_ask(ms, real, known->key_type, attrs, &as, &now, &answered);

	if (rv == CKR_OK && !answered && now.is_doubtful)
		*match = IDENTITY_DOUBTFUL;
	if (rv != CKR_OK || !answered)
		return rv;
	*match = memcmp(now.digest, known->digest, sizeof now.digest) == 0 ? IDENTITY_SAME
									   : IDENTITY_DIFFERENT;
	return CKR_OK;
}

/* Keys whose proof is their use. */
static CK_RV prove_key(struct member_session *ms, CK_OBJECT_HANDLE real,
		       const struct identity *known, enum identity_match *match)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_KEY_TYPE, IDENTITY_PRIVATE_ATTRS,
						  CKA_ENCRYPT, CKA_WRAP};
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &attrs);

	if (rv != CKR_OK)
		return rv;
	if (attr_ulong(attrs.a, attrs.count, CKA_CLASS, CK_UNAVAILABLE_INFORMATION) != known->class
	    || attr_ulong(attrs.a, attrs.count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION) !=
		       known->key_type)
		*match = IDENTITY_DIFFERENT;
	else if (known->kind == IDENTITY_PUBLIC)
		rv = identity_prove_private(ms, real, known->key_type, &attrs, known->public_key,
					    match);
	else
		rv = prove_answer(ms, real, known, &attrs, match);
	identity_attrs_free(&attrs);
	return rv;
}

CK_RV identity_prove(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *known,
		     enum identity_match *match)
{
	CK_RV rv = CKR_OK;

	*match = IDENTITY_UNKNOWN;
	ERR_set_mark(); /* the application's thread has an error queue of its own */
	switch (known->kind) {
	case IDENTITY_NONE:
		break;
	case IDENTITY_VALUE:
		rv = prove_value(ms, real, known, match);
		break;
	case IDENTITY_PUBLIC:
	case IDENTITY_ANSWER:
		rv = prove_key(ms, real, known, match);
		break;
	}
	ERR_pop_to_mark();
	return rv;
}

static void add(CK_ATTRIBUTE *tmpl, CK_ULONG *count, CK_ATTRIBUTE_TYPE type, void *value,
		CK_ULONG len)
{
	tmpl[(*count)++] = (CK_ATTRIBUTE){type, value, len};
}

CK_RV identity_find(struct member_session *ms, const struct identity *known, bool any_label,
		    struct buf *out)
{
	const CK_OBJECT_HANDLE none[2] = {0, 0};
	CK_OBJECT_CLASS class = known->class;
	CK_KEY_TYPE type = known->key_type;
	CK_BBOOL is_token = known->is_token ? CK_TRUE : CK_FALSE;
	CK_ATTRIBUTE tmpl[5];
	struct call call = {.id = CALL_C_FindObjectsInit, .tmpl = {tmpl, NULL}, .found = out};
	size_t before = out->len;
	CK_RV rv;

	add(tmpl, &call.tmpl_count[0], CKA_CLASS, &class, sizeof class);
	add(tmpl, &call.tmpl_count[0], CKA_TOKEN, &is_token, sizeof is_token);
	if (type != CK_UNAVAILABLE_INFORMATION)
		add(tmpl, &call.tmpl_count[0], CKA_KEY_TYPE, &type, sizeof type);
	if (known->id.len > 0)
		add(tmpl, &call.tmpl_count[0], CKA_ID, known->id.data, known->id.len);
	if (known->label.len > 0 && (!any_label || known->id.len == 0))
		add(tmpl, &call.tmpl_count[0], CKA_LABEL, known->label.data, known->label.len);
	rv = member_call(ms, &call, none);
	if (rv != CKR_OK)
		out->len = before;
	return rv;
}

void identity_free(struct identity *id)
{
	if (!id)
		return;
	buf_free(&id->id);
	buf_free(&id->label);
	EVP_PKEY_free(id->public_key);
	*id = (struct identity){0};
}

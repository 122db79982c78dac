/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes of one object of a member, read with care.
 *
 * Lengths are asked for first, with NULL values, because NSS writes beyond buffers that are too
 * short. The member gets an array of its own and cannot move our pointers. A member that refuses
 * the whole array for one attribute is asked one by one, and must then still show the object's
 * class: otherwise it is the member that fails, and nothing is said about the object. No lock. */
#include "core/identity_attr.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/base/attr.h"
#include "core/identity_use.h"
#include "core/member_op.h"

/* Longer values are no key's: an RSA modulus of 16384 bits has 2 KiB. */
#define LONGEST (64UL * 1024)

static CK_RV ask(struct member_session *ms, CK_OBJECT_HANDLE real, CK_ATTRIBUTE *a, CK_ULONG count)
{
	const CK_OBJECT_HANDLE object[2] = {real, 0};
	CK_ATTRIBUTE before[IDENTITY_ATTRS];
	struct call call = {
		.id = CALL_C_GetAttributeValue, .tmpl = {a, NULL}, .tmpl_count = {count, 0}};
	CK_RV rv;

	memcpy(before, a, count * sizeof *a);
	rv = member_call(ms, &call, object);
	for (unsigned i = 1; i < IDENTITY_TRIES && identity_is_doubtful(rv); i++) {
		memcpy(a, before, count * sizeof *a);
		rv = member_call(ms, &call, object);
	}
	return rv;
}

static bool is_partial(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_BUFFER_TOO_SMALL;
}

/* What was said of an attribute: a length above the room, or above what we read, says nothing. */
static void take(CK_ATTRIBUTE *out, const CK_ATTRIBUTE *said)
{
	CK_ULONG room = out->pValue ? out->ulValueLen : LONGEST;

	out->ulValueLen = said->ulValueLen <= room ? said->ulValueLen : CK_UNAVAILABLE_INFORMATION;
}

static CK_RV shows_class(struct member_session *ms, CK_OBJECT_HANDLE real)
{
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};

	return ask(ms, real, &a, 1);
}

static CK_RV ask_each(struct member_session *ms, CK_OBJECT_HANDLE real, CK_ATTRIBUTE *a,
		      CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_ATTRIBUTE one = a[i];
		CK_RV rv = ask(ms, real, &one, 1);

		if (!is_partial(rv) && !identity_refuses(ms, rv))
			return rv;
		if (rv != CKR_OK)
			one.ulValueLen = CK_UNAVAILABLE_INFORMATION;
		take(&a[i], &one);
	}
	return shows_class(ms, real);
}

/* Fills lengths, and values where there is room for them. */
static CK_RV ask_all(struct member_session *ms, CK_OBJECT_HANDLE real, CK_ATTRIBUTE *a,
		     CK_ULONG count)
{
	CK_ATTRIBUTE said[IDENTITY_ATTRS];
	CK_RV rv;

	if (count == 0)
		return CKR_OK;
	memcpy(said, a, count * sizeof *a);
	rv = ask(ms, real, said, count);
	if (!is_partial(rv))
		return identity_refuses(ms, rv) ? ask_each(ms, real, a, count) : rv;
	for (CK_ULONG i = 0; i < count; i++)
		take(&a[i], &said[i]);
	return CKR_OK;
}

static size_t aligned(CK_ULONG len)
{
	return (len + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
}

/* One block for all values; an empty one needs none. */
static CK_RV make_room(struct identity_attrs *out)
{
	unsigned char *next;

	out->size = 0;
	for (CK_ULONG i = 0; i < out->count; i++) {
		if (out->a[i].ulValueLen != CK_UNAVAILABLE_INFORMATION)
			out->size += aligned(out->a[i].ulValueLen);
	}
	if (out->size == 0)
		return CKR_OK;
	out->block = calloc(1, out->size);
	if (!out->block)
		return CKR_HOST_MEMORY;
	next = out->block;
	for (CK_ULONG i = 0; i < out->count; i++) {
		CK_ATTRIBUTE *a = &out->a[i];

		if (a->ulValueLen == CK_UNAVAILABLE_INFORMATION || a->ulValueLen == 0)
			continue;
		a->pValue = next;
		next += aligned(a->ulValueLen);
	}
	return CKR_OK;
}

/* Reads the values of those that have one. */
static CK_RV read_values(struct member_session *ms, CK_OBJECT_HANDLE real,
			 struct identity_attrs *out)
{
	CK_ATTRIBUTE full[IDENTITY_ATTRS];
	CK_ULONG where[IDENTITY_ATTRS], n = 0;
	CK_RV rv;

	for (CK_ULONG i = 0; i < out->count; i++) {
		if (!out->a[i].pValue)
			continue;
		where[n] = i;
		full[n++] = out->a[i];
	}
	rv = ask_all(ms, real, full, n);
	for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
		out->a[where[i]].ulValueLen = full[i].ulValueLen;
	return rv;
}

CK_RV identity_attrs_read(struct member_session *ms, CK_OBJECT_HANDLE real,
			  const CK_ATTRIBUTE_TYPE *types, CK_ULONG count,
			  struct identity_attrs *out)
{
	CK_RV rv;

	*out = (struct identity_attrs){.count = count};
	for (CK_ULONG i = 0; i < count; i++)
		out->a[i].type = types[i];
	rv = ask_all(ms, real, out->a, count);
	if (rv == CKR_OK)
		rv = make_room(out);
	if (rv == CKR_OK)
		rv = read_values(ms, real, out);
	if (rv != CKR_OK)
		identity_attrs_free(out);
	return rv;
}

const CK_ATTRIBUTE *identity_attr(const struct identity_attrs *attrs, CK_ATTRIBUTE_TYPE type)
{
	const CK_ATTRIBUTE *a = attr_find(attrs->a, attrs->count, type);

	return a && a->pValue && a->ulValueLen > 0 && a->ulValueLen != CK_UNAVAILABLE_INFORMATION
		       ? a
		       : NULL;
}

void identity_attrs_free(struct identity_attrs *attrs)
{
	if (!attrs)
		return;
	if (attrs->block)
		OPENSSL_cleanse(attrs->block, attrs->size);
	free(attrs->block);
	*attrs = (struct identity_attrs){0};
}

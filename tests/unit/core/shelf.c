/* SPDX-License-Identifier: BSD-2-Clause */
/* Data objects in memory in the place of a member. */
#include "tests/unit/core/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "core/member_op.h"

struct shelf shelf;

CK_RV __wrap_member_call(struct member_session *ms, struct call *call,
			 const CK_OBJECT_HANDLE object[2]);

static void empty(struct shelf_object *o)
{
	buf_free(&o->label);
	buf_free(&o->application);
	buf_free(&o->value);
	*o = (struct shelf_object){0};
}

void shelf_clear(void)
{
	for (unsigned i = 0; i < SHELF_MAX; i++)
		empty(&shelf.object[i]);
	shelf = (struct shelf){0};
}

unsigned shelf_count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SHELF_MAX; i++)
		n += shelf.object[i].real != 0;
	return n;
}

unsigned shelf_private(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SHELF_MAX; i++)
		n += shelf.object[i].real != 0 && shelf.object[i].is_private;
	return n;
}

static struct shelf_object *find(CK_OBJECT_HANDLE real)
{
	for (unsigned i = 0; i < SHELF_MAX; i++)
		if (shelf.object[i].real == real)
			return &shelf.object[i];
	return NULL;
}

static struct shelf_object *add(void)
{
	struct shelf_object *o = find(0);

	if (o)
		o->real = ++shelf.last;
	return o;
}

struct shelf_object *shelf_put(bool is_private, const char *label, const void *value, size_t len)
{
	struct shelf_object *o = add();

	if (!o || !buf_add(&o->label, label, strlen(label)) || !buf_add(&o->value, value, len))
		abort(); /* a test that has no room */
	o->class = CKO_DATA;
	o->is_private = is_private;
	return o;
}

static const struct buf *text_of(const struct shelf_object *o, CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_LABEL:
		return &o->label;
	case CKA_APPLICATION:
		return &o->application;
	case CKA_VALUE:
		return &o->value;
	default:
		return NULL;
	}
}

static bool has(const struct shelf_object *o, const CK_ATTRIBUTE *a)
{
	const struct buf *b = text_of(o, a->type);

	if (a->type == CKA_CLASS)
		return memcmp(a->pValue, &o->class, sizeof o->class) == 0;
	return b && b->len == a->ulValueLen && memcmp(b->data, a->pValue, b->len) == 0;
}

static CK_RV search(struct call *call)
{
	for (unsigned i = 0; i < SHELF_MAX; i++) {
		const struct shelf_object *o = &shelf.object[i];
		bool fits = o->real != 0;

		for (CK_ULONG k = 0; k < call->tmpl_count[0]; k++) {
			if (call->tmpl[0][k].type == CKA_APPLICATION && shelf.refuses_application)
				return CKR_ATTRIBUTE_TYPE_INVALID;
			fits = fits && has(o, &call->tmpl[0][k]);
		}
		if (fits && !buf_add(call->found, &o->real, sizeof o->real))
			return CKR_HOST_MEMORY;
	}
	return CKR_OK;
}

static bool set(struct buf *b, const CK_ATTRIBUTE *a)
{
	return buf_add(b, a->pValue, a->ulValueLen);
}

static CK_RV create(struct call *call)
{
	struct shelf_object made = {0}, *o;
	bool ok = true;

	for (CK_ULONG i = 0; i < call->tmpl_count[0]; i++) {
		const CK_ATTRIBUTE *a = &call->tmpl[0][i];

		if (a->type == CKA_CLASS)
			memcpy(&made.class, a->pValue, sizeof made.class);
		else if (a->type == CKA_PRIVATE)
			made.is_private = *(const CK_BBOOL *)a->pValue;
		else if (a->type == CKA_LABEL)
			ok = ok && set(&made.label, a);
		else if (a->type == CKA_APPLICATION && !shelf.loses_application)
			ok = ok && set(&made.application, a);
		else if (a->type == CKA_VALUE)
			ok = ok && set(&made.value, a);
	}
	o = ok && !(made.is_private && shelf.refuses_private) ? add() : NULL;
	if (!o) {
		empty(&made);
		return ok ? CKR_ATTRIBUTE_VALUE_INVALID : CKR_HOST_MEMORY;
	}
	made.real = o->real;
	*o = made;
	call->made[0] = made.real;
	return CKR_OK;
}

static void get_one(const struct shelf_object *o, CK_ATTRIBUTE *a)
{
	const CK_BBOOL is_private = o->is_private;
	const struct buf *b = text_of(o, a->type);
	const void *from = a->type == CKA_PRIVATE ? &is_private : b ? (const void *)b->data : NULL;
	CK_ULONG len = a->type == CKA_PRIVATE ? sizeof is_private
		       : b                    ? b->len
					      : CK_UNAVAILABLE_INFORMATION;

	if (a->pValue && from && len <= a->ulValueLen && len > 0)
		memcpy(a->pValue, from, len);
	a->ulValueLen = len;
}

static CK_RV get(struct call *call, CK_OBJECT_HANDLE real)
{
	const struct shelf_object *o = real ? find(real) : NULL;

	if (!o)
		return CKR_OBJECT_HANDLE_INVALID;
	for (CK_ULONG i = 0; i < call->tmpl_count[0]; i++)
		get_one(o, &call->tmpl[0][i]);
	return CKR_OK;
}

static CK_RV run(struct call *call, CK_OBJECT_HANDLE real)
{
	struct shelf_object *o;

	if (call->id == CALL_C_FindObjectsInit)
		return search(call);
	if (call->id == CALL_C_CreateObject)
		return create(call);
	if (call->id == CALL_C_GetAttributeValue)
		return get(call, real);
	if (call->id != CALL_C_DestroyObject)
		return CKR_FUNCTION_NOT_SUPPORTED;
	o = real ? find(real) : NULL;
	if (!o)
		return CKR_OBJECT_HANDLE_INVALID;
	empty(o);
	return CKR_OK;
}

CK_RV __wrap_member_call(struct member_session *ms, struct call *call,
			 const CK_OBJECT_HANDLE object[2])
{
	unsigned n = ++shelf.calls;
	bool fails = shelf.fail_at != 0 && (shelf.is_one ? n == shelf.fail_at : n >= shelf.fail_at);
	CK_RV rv;

	(void)ms;
	if (fails && !shelf.fails_behind)
		return shelf.code;
	rv = run(call, object[0]);
	return fails ? shelf.code : rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Aliases: their own attributes, in a list guarded by list_lock. The lock is never held while a
 * member is called. Everything else about an alias is a row of the object table (object.c). */
#include "core/alias.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/object.h"
#include "core/object_values.h"

/* The longest label or id that an alias holds. */
#define VALUE_MAX 4096

/* Attributes that an alias may have of its own. */
enum own { OWN_LABEL, OWN_ID, OWN_COUNT };
static const CK_ATTRIBUTE_TYPE own_type[OWN_COUNT] = {[OWN_LABEL] = CKA_LABEL, [OWN_ID] = CKA_ID};

struct alias {
	struct alias *next;
	CK_OBJECT_HANDLE handle;
	struct group *group; /* borrowed */
	struct {
		bool is_set;
		struct buf value;
	} own[OWN_COUNT];
};

static struct alias *all;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

bool alias_fits(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	const CK_ATTRIBUTE *token = attr_find(tmpl, count, CKA_TOKEN);

	if (!token || attr_bool(tmpl, count, CKA_TOKEN, true))
		return false;
	for (CK_ULONG i = 0; i < count; i++)
		if (tmpl[i].type != CKA_TOKEN && tmpl[i].type != CKA_LABEL &&
		    tmpl[i].type != CKA_ID)
			return false;
	return true;
}

static struct alias *find_locked(CK_OBJECT_HANDLE handle)
{
	struct alias *a = all;

	while (a && a->handle != handle)
		a = a->next;
	return a;
}

static void alias_free(struct alias *a)
{
	for (unsigned i = 0; i < OWN_COUNT; i++)
		buf_free(&a->own[i].value);
	free(a);
}

/* Takes over label and id from a template; nothing changes on failure. */
static CK_RV set_own(struct alias *a, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	for (unsigned i = 0; i < OWN_COUNT; i++) {
		const CK_ATTRIBUTE *given = attr_find(tmpl, count, own_type[i]);
		struct buf value = {0};

		if (!given)
			continue;
		if (given->ulValueLen > VALUE_MAX)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (!buf_add(&value, given->pValue, given->ulValueLen))
			return CKR_HOST_MEMORY;
		buf_free(&a->own[i].value);
		a->own[i].value = value;
		a->own[i].is_set = true;
	}
	return CKR_OK;
}

CK_RV alias_make(struct session *s, CK_OBJECT_HANDLE target, const CK_ATTRIBUTE *tmpl,
		 CK_ULONG count, CK_OBJECT_HANDLE *handle)
{
	struct alias *a = calloc(1, sizeof *a);
	CK_RV rv = a ? set_own(a, tmpl, count) : CKR_HOST_MEMORY;

	if (rv == CKR_OK)
		rv = object_add_alias(s->group, target, &a->handle);
	if (rv == CKR_OK) {
		rv = session_keep(s, a->handle);
		if (rv != CKR_OK)
			object_drop(a->handle);
	}
	if (rv != CKR_OK) {
		if (a)
			alias_free(a);
		return rv;
	}
	a->group = s->group;
	*handle = a->handle;
	pthread_mutex_lock(&list_lock);
	a->next = all;
	all = a;
	pthread_mutex_unlock(&list_lock);
	atomic_fetch_add(&s->group->aliases, 1);
	return CKR_OK;
}

void alias_drop(CK_OBJECT_HANDLE handle)
{
	struct alias **at = &all, *a;

	pthread_mutex_lock(&list_lock);
	while (*at && (*at)->handle != handle)
		at = &(*at)->next;
	a = *at;
	if (a)
		*at = a->next;
	pthread_mutex_unlock(&list_lock);
	if (!a)
		return;
	atomic_fetch_sub(&a->group->aliases, 1);
	alias_free(a);
}

void alias_forget_everything(bool is_whole)
{
	if (!is_whole) {
		pthread_mutex_init(&list_lock, NULL);
		all = NULL;
	}
	while (all)
		alias_drop(all->handle);
}

/* Writes one value as C_GetAttributeValue does. */
static CK_RV give_value(CK_ATTRIBUTE *out, const void *value, size_t len)
{
	if (out->pValue && out->ulValueLen < len) {
		out->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_BUFFER_TOO_SMALL;
	}
	if (out->pValue && len > 0)
		memcpy(out->pValue, value, len);
	out->ulValueLen = len;
	return CKR_OK;
}

/* True when the alias has this attribute itself; it is then given. */
static bool give_own(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *out, CK_RV *rv)
{
	const CK_BBOOL no = CK_FALSE;
	bool given = false;
	struct alias *a;

	if (out->type == CKA_TOKEN) {
		*rv = give_value(out, &no, sizeof no);
		return true;
	}
	pthread_mutex_lock(&list_lock);
	a = find_locked(handle);
	for (unsigned i = 0; a && i < OWN_COUNT; i++) {
		if (out->type != own_type[i] || !a->own[i].is_set)
			continue;
		*rv = give_value(out, a->own[i].value.data, a->own[i].value.len);
		given = true;
	}
	pthread_mutex_unlock(&list_lock);
	return given;
}

CK_RV alias_read(struct session *s, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_RV rv = CKR_OK;

	/* One by one: every attribute is answered, and the code is that of one that failed. */
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = CKR_OK;

		if (!give_own(handle, &tmpl[i], &one))
			one = object_values(s, handle, &tmpl[i], 1);
		if (one == CKR_OK)
			continue;
		if (one != CKR_ATTRIBUTE_SENSITIVE && one != CKR_ATTRIBUTE_TYPE_INVALID &&
		    one != CKR_BUFFER_TOO_SMALL)
			return one;
		rv = one;
	}
	return rv;
}

CK_RV alias_write(CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct alias *a;
	CK_RV rv = CKR_OBJECT_HANDLE_INVALID;

	for (CK_ULONG i = 0; i < count; i++)
		if (tmpl[i].type != CKA_LABEL && tmpl[i].type != CKA_ID)
			return CKR_ACTION_PROHIBITED;
	pthread_mutex_lock(&list_lock);
	a = find_locked(handle);
	if (a)
		rv = set_own(a, tmpl, count);
	pthread_mutex_unlock(&list_lock);
	return rv;
}

static bool value_is(struct session *s, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *wanted)
{
	CK_ATTRIBUTE have = {wanted->type, NULL, 0};
	struct buf value = {0};
	bool is;

	if (wanted->ulValueLen > VALUE_MAX || !buf_reserve(&value, wanted->ulValueLen + 1))
		return false;
	have.pValue = value.data;
	have.ulValueLen = wanted->ulValueLen + 1;
	is = alias_read(s, handle, &have, 1) == CKR_OK && have.ulValueLen == wanted->ulValueLen &&
	     (wanted->ulValueLen == 0 ||
	      memcmp(value.data, wanted->pValue, wanted->ulValueLen) == 0);
	buf_free(&value);
	return is;
}

static bool is_match(struct session *s, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *tmpl,
		     CK_ULONG count)
{
	struct object_view view;

	if (!object_resolve(s->group, handle, &view))
		return false;
	for (CK_ULONG i = 0; i < count; i++)
		if (!value_is(s, handle, &tmpl[i]))
			return false;
	return true;
}

static bool handles_of(const struct group *g, struct buf *out)
{
	bool ok = true;

	pthread_mutex_lock(&list_lock);
	for (struct alias *a = all; ok && a; a = a->next)
		if (a->group == g)
			ok = buf_add(out, &a->handle, sizeof a->handle);
	pthread_mutex_unlock(&list_lock);
	return ok;
}

CK_RV alias_find(struct session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct buf *found)
{
	struct buf handles = {0};
	const CK_OBJECT_HANDLE *h;
	bool ok = handles_of(s->group, &handles);
	size_t n = handles.len / sizeof *h;

	h = (const CK_OBJECT_HANDLE *)(const void *)handles.data;
	for (size_t i = 0; ok && i < n; i++)
		if (is_match(s, h[i], tmpl, count))
			ok = buf_add(found, &h[i], sizeof h[i]);
	buf_free(&handles);
	return ok ? CKR_OK : CKR_HOST_MEMORY;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes as an application sees them where that is not what the members say: values that are
 * read, templates of searches, templates of copies. What is shown follows from the overlay of the
 * object; nothing here decides. For a locked session; no other lock. */
#include "core/overlay.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/base/attr.h"
#include "core/object.h"
#include "core/object_trait.h"
#include "core/object_values.h"

CK_RV overlay_limit(struct attr_list *list)
{
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	struct attr_list limited = {0};
	CK_ATTRIBUTE *all = calloc(list->count + 2, sizeof *all);
	CK_ULONG n = 0;
	CK_RV rv = CKR_HOST_MEMORY;

	if (attr_bool(list->attrs, list->count, CKA_EXTRACTABLE, false) ||
	    !attr_bool(list->attrs, list->count, CKA_SENSITIVE, true)) {
		free(all);
		return CKR_ATTRIBUTE_READ_ONLY;
	}
	for (CK_ULONG i = 0; all && i < list->count; i++)
		if (list->attrs[i].type != CKA_EXTRACTABLE && list->attrs[i].type != CKA_SENSITIVE)
			all[n++] = list->attrs[i];
	if (all) {
		all[n++] = (CK_ATTRIBUTE){CKA_EXTRACTABLE, &no, sizeof no};
		all[n++] = (CK_ATTRIBUTE){CKA_SENSITIVE, &yes, sizeof yes};
		rv = attr_list_copy(all, n, &limited);
	}
	free(all);
	if (rv != CKR_OK)
		return rv;
	attr_list_free(list);
	*list = limited;
	return CKR_OK;
}

/* How an attribute is shown; false: as it was read. */
static bool is_shown_otherwise(CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_EXTRACTABLE:
	case CKA_NEVER_EXTRACTABLE:
	case CKA_ALWAYS_SENSITIVE:
	case CKA_LOCAL:
	case CKA_KEY_GEN_MECHANISM:
	case CKA_MODIFIABLE:
	case CKA_COPYABLE:
	case CKA_DESTROYABLE:
	case CKA_SIGN:
	case CKA_SIGN_RECOVER:
	case CKA_ENCRYPT:
	case CKA_WRAP:
	case CKA_DERIVE:
		return true;
	default:
		return false;
	}
}

/* What every copy can say truthfully: that it is a copy, and came out of another member wrapped. */
static bool is_denied(const struct overlay *o, CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_NEVER_EXTRACTABLE:
	case CKA_ALWAYS_SENSITIVE:
	case CKA_LOCAL:
		return true;
	case CKA_EXTRACTABLE:
		return !o->may_export;
	case CKA_MODIFIABLE:
		return o->is_fixed;
	case CKA_COPYABLE:
		return o->is_single || o->is_retired;
	case CKA_DESTROYABLE:
		return o->is_lasting;
	default:
		return o->is_retired; /* uses that make something new */
	}
}

static void show_one(const struct overlay *o, CK_ATTRIBUTE *a)
{
	const CK_MECHANISM_TYPE unknown = CK_UNAVAILABLE_INFORMATION;
	const CK_BBOOL no = CK_FALSE;

	if (!a->pValue || !is_shown_otherwise(a->type))
		return;
	if (a->type == CKA_KEY_GEN_MECHANISM && a->ulValueLen == sizeof unknown)
		memcpy(a->pValue, &unknown, sizeof unknown);
	else if (a->type != CKA_KEY_GEN_MECHANISM && a->ulValueLen == sizeof no &&
		 is_denied(o, a->type))
		memcpy(a->pValue, &no, sizeof no);
}

static bool is_read(const CK_ATTRIBUTE *a)
{
	return a->ulValueLen != CK_UNAVAILABLE_INFORMATION;
}

/* A private or secret key. */
static CK_RV is_key(struct session *s, CK_OBJECT_HANDLE object, bool *is)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
	const CK_ATTRIBUTE asked = a;
	const struct trait *t;
	CK_RV rv = CKR_OK;
	bool is_known;

	trait_lock();
	t = trait_of((uint32_t)object);
	is_known = t != NULL;
	if (t)
		class = t->id.class;
	trait_unlock();
	if (!is_known)
		rv = object_read_in(s, object, &a, 1, &asked);
	*is = class == CKO_SECRET_KEY || class == CKO_PRIVATE_KEY;
	return rv;
}

/* A key that is not shown as extractable has no value to show, either, however a member keeps it.
 */
static CK_RV hide_values(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out,
			 CK_ULONG count, CK_RV rv)
{
	bool is = false;
	CK_RV known = is_key(s, object, &is);

	for (CK_ULONG i = 0; (is || known != CKR_OK) && i < count; i++) {
		if (!attr_is_key_value(out[i].type) || !is_read(&out[i]))
			continue;
		if (out[i].pValue)
			OPENSSL_cleanse(out[i].pValue, out[i].ulValueLen);
		out[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
		rv = CKR_ATTRIBUTE_SENSITIVE;
	}
	return known == CKR_OK ? rv : known;
}

CK_RV overlay_show(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out, CK_ULONG count,
		   CK_RV rv)
{
	struct object_view view;
	struct overlay o = {.may_export = false};
	bool is_needed = false, has_value = false;
	CK_RV known;

	for (CK_ULONG i = 0; i < count; i++) {
		is_needed = is_needed || (out[i].pValue && is_shown_otherwise(out[i].type));
		has_value = has_value || (attr_is_key_value(out[i].type) && is_read(&out[i]));
	}
	if ((!is_needed && !has_value) || !object_resolve(s->group, object, &view) ||
	    view.is_token == OBJECT_NO)
		return rv;
	known = overlay_of(s, object, &o);
	for (CK_ULONG i = 0; known == CKR_OK && i < count; i++)
		show_one(&o, &out[i]);
	if (has_value && (known != CKR_OK || !o.may_export))
		rv = hide_values(s, view.handle, out, count, rv);
	return known == CKR_OK ? rv : known;
}

CK_ULONG overlay_split(CK_ATTRIBUTE *tmpl, CK_ULONG *count)
{
	CK_ULONG split = 0;

	for (CK_ULONG i = 0; i < *count;) {
		CK_ATTRIBUTE a = tmpl[i];

		if (!is_shown_otherwise(a.type)) {
			i++;
			continue;
		}
		(*count)--;
		tmpl[i] = tmpl[*count];
		tmpl[*count] = a;
		split++;
	}
	return split;
}

/* Whether the object shows all of them. */
static CK_RV matches(struct session *s, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE *tmpl,
		     CK_ULONG count, bool *is_match)
{
	CK_RV rv = CKR_OK;

	*is_match = true;
	for (CK_ULONG i = 0; rv == CKR_OK && *is_match && i < count; i++) {
		unsigned char value[sizeof(CK_ULONG)];
		CK_ATTRIBUTE a = {tmpl[i].type, value, sizeof value};

		rv = object_values(s, object, &a, 1);
		if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ||
		    rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_BUFFER_TOO_SMALL) {
			*is_match = false;
			return CKR_OK;
		}
		*is_match = rv == CKR_OK && a.ulValueLen == tmpl[i].ulValueLen && tmpl[i].pValue &&
			    memcmp(value, tmpl[i].pValue, a.ulValueLen) == 0;
	}
	return rv;
}

CK_RV overlay_filter(struct session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct buf *found)
{
	CK_OBJECT_HANDLE *h = (CK_OBJECT_HANDLE *)(void *)found->data;
	const size_t n = found->len / sizeof *h;
	size_t kept = 0;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < n; i++) {
		bool is_match;

		rv = matches(s, h[i], tmpl, count, &is_match);
		if (rv == CKR_OK && is_match)
			h[kept++] = h[i];
	}
	found->len = kept * sizeof *h;
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that applications make on the null token: a table guarded by null_token.lock.
 *
 * Only class, key type, token and private flag, label, CKA_ID and a short value are kept; the rest
 * of a template is read and forgotten. The first byte of the value stands for the key. */
#include <string.h>

#include "tests/token/null_state.h"

#define MADE_BIT (1ULL << 47)

static const CK_ATTRIBUTE *find(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (tmpl[i].type == type && tmpl[i].pValue)
			return &tmpl[i];
	return NULL;
}

static CK_ULONG number(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
		       CK_ULONG absent)
{
	const CK_ATTRIBUTE *a = find(tmpl, count, type);

	if (a && a->ulValueLen == sizeof(absent))
		memcpy(&absent, a->pValue, sizeof(absent));
	return absent;
}

static bool flag(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type, bool absent)
{
	const CK_ATTRIBUTE *a = find(tmpl, count, type);

	return a && a->ulValueLen == sizeof(CK_BBOOL) ? *(const CK_BBOOL *)a->pValue != 0 : absent;
}

static size_t bytes(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
		    unsigned char *out, size_t size, size_t len)
{
	const CK_ATTRIBUTE *a = find(tmpl, count, type);

	if (!a)
		return len;
	len = a->ulValueLen < size ? a->ulValueLen : size;
	memcpy(out, a->pValue, len);
	return len;
}

static void made_overlay(struct null_made *m, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	m->is_token = flag(tmpl, count, CKA_TOKEN, m->is_token);
	m->is_private = flag(tmpl, count, CKA_PRIVATE, m->is_private);
	m->label_len = bytes(tmpl, count, CKA_LABEL, m->label, sizeof(m->label), m->label_len);
	m->id_len = bytes(tmpl, count, CKA_ID, m->id, sizeof(m->id), m->id_len);
	m->value_len = bytes(tmpl, count, CKA_VALUE, m->value, sizeof(m->value), m->value_len);
}

static CK_RV write_allowed(CK_SESSION_HANDLE owner, const struct null_made *m)
{
	const struct null_session *s = &null_token.sessions[owner & 0xffff];

	if (m->is_token && !(s->flags & CKF_RW_SESSION))
		return CKR_SESSION_READ_ONLY;
	if (m->is_private && null_token.user != (int)CKU_USER)
		return CKR_USER_NOT_LOGGED_IN;
	return CKR_OK;
}

static CK_RV made_store(const struct null_made *made, CK_OBJECT_HANDLE *out)
{
	struct null_token *t = &null_token;

	for (uint32_t i = 0; i < NULL_MAX_MADE; i++) {
		struct null_made *m = &t->made[i];

		if (m->handle)
			continue;
		*m = *made;
		m->handle =
			NULL_OBJECT_TAG << 48 | MADE_BIT | (++t->made_next & 0xffffffff) << 15 | i;
		if (i >= t->made_high)
			t->made_high = i + 1;
		*out = m->handle;
		return CKR_OK;
	}
	return CKR_DEVICE_MEMORY;
}

/* Stores a new object after the checks for its session. */
static CK_RV made_add(CK_SESSION_HANDLE owner, struct null_made *m, CK_OBJECT_HANDLE *out)
{
	CK_RV rv = write_allowed(owner, m);

	if (rv != CKR_OK)
		return rv;
	m->owner = m->is_token ? 0 : owner;
	pthread_mutex_lock(&null_token.lock);
	rv = made_store(m, out);
	pthread_mutex_unlock(&null_token.lock);
	return rv;
}

CK_RV null_make(CK_SESSION_HANDLE owner, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		CK_OBJECT_CLASS class, CK_KEY_TYPE type, CK_OBJECT_HANDLE *out)
{
	struct null_made m = {.value_len = 16};

	if ((!tmpl && count) || !out)
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < count; i++)
		if (!tmpl[i].pValue && tmpl[i].ulValueLen)
			return CKR_ATTRIBUTE_VALUE_INVALID;
	m.class = number(tmpl, count, CKA_CLASS, class);
	m.key_type = number(tmpl, count, CKA_KEY_TYPE, type);
	m.is_private = m.class == CKO_PRIVATE_KEY || m.class == CKO_SECRET_KEY;
	made_overlay(&m, tmpl, count);
	return made_add(owner, &m, out);
}

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     CK_OBJECT_HANDLE *object)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_CreateObject, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (tmpl && number(tmpl, count, CKA_CLASS, CK_UNAVAILABLE_INFORMATION) ==
			    CK_UNAVAILABLE_INFORMATION)
		rv = CKR_TEMPLATE_INCOMPLETE;
	else
		rv = null_make(session, tmpl, count, CKO_DATA, CKK_GENERIC_SECRET, object);
	null_leave(s);
	return rv;
}

static CK_RV copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE *tmpl,
		  CK_ULONG count, CK_OBJECT_HANDLE *out)
{
	struct null_object o;
	struct null_made m;

	if ((!tmpl && count) || !out)
		return CKR_ARGUMENTS_BAD;
	if (!null_object_get(object, "C_CopyObject", &o))
		return CKR_OBJECT_HANDLE_INVALID;
	m = (struct null_made){
		.class = o.class,
		.key_type = o.key_type,
		.is_token = o.is_token,
		.is_private = o.is_private,
		.label_len = o.label_len,
		.id_len = o.id_len,
		.value_len = o.value_len,
	};
	memcpy(m.label, o.label, sizeof(m.label));
	memcpy(m.id, o.id, sizeof(m.id));
	memcpy(m.value, o.value, sizeof(m.value));
	made_overlay(&m, tmpl, count);
	return made_add(session, &m, out);
}

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		   CK_ULONG count, CK_OBJECT_HANDLE *new_object)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_CopyObject, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = copy(session, object, tmpl, count, new_object);
	null_leave(s);
	return rv;
}

/* Finds a made object that this session may change; synthetic keys cannot be changed. */
static CK_RV made_for_write(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
			    struct null_made **m)
{
	struct null_object o;

	if (!null_object_get(object, "object to change", &o))
		return CKR_OBJECT_HANDLE_INVALID;
	if (!(object & MADE_BIT))
		return CKR_ACTION_PROHIBITED;
	*m = &null_token.made[object & (NULL_MAX_MADE - 1)];
	return write_allowed(session, *m);
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	struct null_session *s;
	struct null_made *m;
	CK_RV rv = null_enter(CALL_DestroyObject, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = made_for_write(session, object, &m);
	if (rv == CKR_OK) {
		pthread_mutex_lock(&null_token.lock);
		m->handle = 0;
		pthread_mutex_unlock(&null_token.lock);
	}
	null_leave(s);
	return rv;
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	struct null_session *s;
	struct null_object o;
	CK_RV rv = null_enter(CALL_GetObjectSize, session, &s);

	if (rv != CKR_OK)
		return rv;
	null_leave(s);
	if (!size)
		return CKR_ARGUMENTS_BAD;
	if (!null_object_get(object, "C_GetObjectSize", &o))
		return CKR_OBJECT_HANDLE_INVALID;
	*size = sizeof(o);
	return CKR_OK;
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	struct null_session *s;
	struct null_made *m;
	CK_RV rv = null_enter(CALL_SetAttributeValue, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = !tmpl && count ? CKR_ARGUMENTS_BAD : made_for_write(session, object, &m);
	if (rv == CKR_OK && (find(tmpl, count, CKA_CLASS) || find(tmpl, count, CKA_TOKEN)))
		rv = CKR_ATTRIBUTE_READ_ONLY;
	if (rv == CKR_OK) {
		pthread_mutex_lock(&null_token.lock);
		made_overlay(m, tmpl, count);
		pthread_mutex_unlock(&null_token.lock);
	}
	null_leave(s);
	return rv;
}

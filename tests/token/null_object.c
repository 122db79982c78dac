/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the null token: synthetic keys that exist only as arithmetic, and made ones in a
 * table.
 *
 * A handle is NULL_OBJECT_TAG and 48 bits: for synthetic keys 3 * number + 1 + {0 private, 1
 * public, 2 secret}, for made objects MADE_BIT, a generation and an index. Finding by label or
 * CKA_ID computes the number, so that it costs the same with 10 keys and with 10 million; anything
 * else walks all keys. null_token.lock guards the table of made objects. */
#include <stdlib.h>
#include <string.h>

#include "tests/token/null_state.h"

#define MADE_BIT      (1ULL << 47)
#define SYNTHETIC_MAX (MADE_BIT / 3 - 1)

/* The curve P-256 as CKA_EC_PARAMS, and a point on it (the base point) as CKA_EC_POINT. */
static const CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const CK_BYTE point[] = {
	0x04, 0x41, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
	0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
	0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f,
	0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
	0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

static const CK_OBJECT_CLASS synthetic_class[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};

static CK_OBJECT_HANDLE synthetic_handle(CK_ULONG number, unsigned which)
{
	return NULL_OBJECT_TAG << 48 | (number * 3 + which + 1);
}

/* "key-" and eight digits; printf would cost more than all else together. */
static void label_write(struct null_object *o, CK_ULONG number)
{
	memcpy(o->label, "key-", 4);
	for (unsigned i = 11; i >= 4; i--, number /= 10)
		o->label[i] = (unsigned char)('0' + number % 10);
	o->label_len = 12;
}

static void synthetic_get(uint64_t low, struct null_object *o)
{
	CK_ULONG number = (low - 1) / 3;

	memset(o, 0, sizeof(*o));
	o->class = synthetic_class[(low - 1) % 3];
	o->key_type = o->class == CKO_SECRET_KEY ? CKK_AES : CKK_EC;
	o->is_token = true;
	o->is_private = o->class != CKO_PUBLIC_KEY;
	o->key = (unsigned char)number;
	label_write(o, number);
	o->id_len = 4;
	for (unsigned i = 0; i < 4; i++)
		o->id[i] = (unsigned char)(number >> (24 - 8 * i));
	o->value_len = 16;
	memset(o->value, o->key, o->value_len);
}

static bool is_visible(bool is_private)
{
	return !is_private || atomic_load(&null_token.user) == (int)CKU_USER;
}

static bool made_get(CK_OBJECT_HANDLE handle, struct null_object *o)
{
	const struct null_made *m = &null_token.made[handle & (NULL_MAX_MADE - 1)];

	if (m->handle != handle)
		return false;
	*o = (struct null_object){
		.class = m->class,
		.key_type = m->key_type,
		.is_token = m->is_token,
		.is_private = m->is_private,
		.key = m->value[0],
		.label_len = m->label_len,
		.id_len = m->id_len,
		.value_len = m->value_len,
	};
	memcpy(o->label, m->label, sizeof(o->label));
	memcpy(o->id, m->id, sizeof(o->id));
	memcpy(o->value, m->value, sizeof(o->value));
	return true;
}

bool null_object_get(CK_OBJECT_HANDLE handle, const char *where, struct null_object *out)
{
	uint64_t low = handle & ((1ULL << 48) - 1);
	bool is_found;

	if (handle >> 48 != NULL_OBJECT_TAG || low == 0) {
		null_foreign(where, handle);
		return false;
	}
	if (!(low & MADE_BIT)) {
		if (low > 3 * null_token.keys) {
			null_foreign(where, handle);
			return false;
		}
		synthetic_get(low, out);
		return is_visible(out->is_private);
	}
	pthread_mutex_lock(&null_token.lock);
	is_found = made_get(handle, out);
	pthread_mutex_unlock(&null_token.lock);
	if (!is_found)
		null_stale();
	return is_found && is_visible(out->is_private);
}

/* One attribute of an object; points into the object, a static or `number`. */
struct value {
	const void *data;
	size_t len;
	CK_ULONG number;
	CK_BBOOL flag;
};

static bool value_set(struct value *v, const void *data, size_t len)
{
	v->data = data;
	v->len = len;
	return true;
}

static bool value_flag(struct value *v, bool flag)
{
	v->flag = flag;
	return value_set(v, &v->flag, sizeof(v->flag));
}

static bool value_number(struct value *v, CK_ULONG number)
{
	v->number = number;
	return value_set(v, &v->number, sizeof(v->number));
}

static bool key_value(const struct null_object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	bool is_ec = o->key_type == CKK_EC;

	switch (type) {
	case CKA_KEY_TYPE:
		return value_number(v, o->key_type);
	case CKA_EC_PARAMS:
		return is_ec && value_set(v, p256, sizeof(p256));
	case CKA_EC_POINT:
		return is_ec && o->class == CKO_PUBLIC_KEY && value_set(v, point, sizeof(point));
	case CKA_VALUE_LEN:
		return o->class == CKO_SECRET_KEY && value_number(v, o->value_len);
	case CKA_SENSITIVE:
	case CKA_EXTRACTABLE:
	case CKA_SIGN:
	case CKA_DECRYPT:
	case CKA_DERIVE:
	case CKA_UNWRAP:
	case CKA_VERIFY:
	case CKA_ENCRYPT:
	case CKA_WRAP:
	case CKA_LOCAL:
		return value_flag(v, true);
	case CKA_ALWAYS_AUTHENTICATE:
	case CKA_ALWAYS_SENSITIVE:
	case CKA_NEVER_EXTRACTABLE:
	case CKA_SIGN_RECOVER:
	case CKA_VERIFY_RECOVER:
	case CKA_WRAP_WITH_TRUSTED:
	case CKA_TRUSTED:
		return value_flag(v, false);
	default:
		return false;
	}
}

static bool object_value(const struct null_object *o, CK_ATTRIBUTE_TYPE type, struct value *v)
{
	switch (type) {
	case CKA_CLASS:
		return value_number(v, o->class);
	case CKA_TOKEN:
		return value_flag(v, o->is_token);
	case CKA_PRIVATE:
		return value_flag(v, o->is_private);
	case CKA_MODIFIABLE:
		return value_flag(v, true);
	case CKA_LABEL:
		return value_set(v, o->label, o->label_len);
	case CKA_ID:
		return o->class != CKO_DATA && value_set(v, o->id, o->id_len);
	case CKA_VALUE:
		return (o->class == CKO_DATA || o->class == CKO_CERTIFICATE) &&
		       value_set(v, o->value, o->value_len);
	default:
		return o->class != CKO_DATA && o->class != CKO_CERTIFICATE && key_value(o, type, v);
	}
}

static CK_RV attribute_read(const struct null_object *o, CK_ATTRIBUTE *a)
{
	struct value v;

	if (!object_value(o, a->type, &v)) {
		a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return a->type == CKA_VALUE ? CKR_ATTRIBUTE_SENSITIVE : CKR_ATTRIBUTE_TYPE_INVALID;
	}
	if (!a->pValue) {
		a->ulValueLen = v.len;
		return CKR_OK;
	}
	if (a->ulValueLen < v.len) {
		a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_BUFFER_TOO_SMALL;
	}
	memcpy(a->pValue, v.data, v.len);
	a->ulValueLen = v.len;
	return CKR_OK;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	struct null_session *s;
	struct null_object o;
	CK_RV rv = null_enter(CALL_GetAttributeValue, session, &s);

	if (rv != CKR_OK)
		return rv;
	null_leave(s);
	if (!tmpl && count)
		return CKR_ARGUMENTS_BAD;
	if (!null_object_get(object, "C_GetAttributeValue", &o))
		return CKR_OBJECT_HANDLE_INVALID;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = attribute_read(&o, &tmpl[i]);

		if (one != CKR_OK)
			rv = one;
	}
	return rv;
}

static bool matches(const struct null_object *o, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct value v;

	for (CK_ULONG i = 0; i < count; i++) {
		if (!object_value(o, tmpl[i].type, &v) || v.len != tmpl[i].ulValueLen)
			return false;
		if (v.len && memcmp(v.data, tmpl[i].pValue, v.len) != 0)
			return false;
	}
	return is_visible(o->is_private);
}

/* The number that a label or CKA_ID in the template names: 0 none named, 1 in *number, -1 no such
 * key. */
static int number_named(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ULONG *number)
{
	for (CK_ULONG i = 0; i < count; i++) {
		const CK_BYTE *value = tmpl[i].pValue;
		char text[16];

		if (tmpl[i].type == CKA_LABEL) {
			if (tmpl[i].ulValueLen != 12 || memcmp(value, "key-", 4) != 0)
				return -1;
			memcpy(text, value + 4, 8);
			text[8] = '\0';
			*number = strtoul(text, NULL, 10);
			return *number < null_token.keys ? 1 : -1;
		}
		if (tmpl[i].type == CKA_ID) {
			if (tmpl[i].ulValueLen != 4)
				return -1;
			*number = (CK_ULONG)value[0] << 24 | (CK_ULONG)value[1] << 16 |
				  (CK_ULONG)value[2] << 8 | value[3];
			return *number < null_token.keys ? 1 : -1;
		}
	}
	return 0;
}

static void find_add(struct null_session *s, CK_OBJECT_HANDLE handle)
{
	if (s->found_count == s->found_cap) {
		CK_ULONG cap = s->found_cap ? 2 * s->found_cap : 64;
		CK_OBJECT_HANDLE *grown = reallocarray(s->found, cap, sizeof(*grown));

		if (!grown)
			return; /* the search then finds fewer, which a test sees */
		s->found = grown;
		s->found_cap = cap;
	}
	s->found[s->found_count++] = handle;
}

static void find_synthetic(struct null_session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_ULONG first = 0;
	CK_ULONG last = null_token.keys;
	int named = number_named(tmpl, count, &first);

	if (named < 0)
		return;
	if (named)
		last = first + 1;
	for (CK_ULONG number = first; number < last; number++)
		for (unsigned which = 0; which < 3; which++) {
			struct null_object o;

			synthetic_get(number * 3 + which + 1, &o);
			if (matches(&o, tmpl, count))
				find_add(s, synthetic_handle(number, which));
		}
}

static void find_made(struct null_session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct null_object o;

	if (null_token.made_high == 0)
		return;
	pthread_mutex_lock(&null_token.lock);
	for (uint32_t i = 0; i < null_token.made_high; i++)
		if (null_token.made[i].handle && made_get(null_token.made[i].handle, &o) &&
		    matches(&o, tmpl, count))
			find_add(s, null_token.made[i].handle);
	pthread_mutex_unlock(&null_token.lock);
}

static CK_RV find_begin(struct null_session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	if (s->is_finding)
		return CKR_OPERATION_ACTIVE;
	if (!tmpl && count)
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < count; i++)
		if (!tmpl[i].pValue && tmpl[i].ulValueLen)
			return CKR_ATTRIBUTE_VALUE_INVALID;
	s->is_finding = true;
	s->found_count = 0;
	s->found_next = 0;
	find_synthetic(s, tmpl, count);
	find_made(s, tmpl, count);
	return CKR_OK;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_FindObjectsInit, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = find_begin(s, tmpl, count);
	null_leave(s);
	return rv;
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		    CK_ULONG *count)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_FindObjects, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!s->is_finding) {
		rv = CKR_OPERATION_NOT_INITIALIZED;
	} else if (!objects || !count) {
		rv = CKR_ARGUMENTS_BAD;
	} else {
		for (*count = 0; *count < max && s->found_next < s->found_count; ++*count)
			objects[*count] = s->found[s->found_next++];
	}
	null_leave(s);
	return rv;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_FindObjectsFinal, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = s->is_finding ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
	s->is_finding = false;
	null_leave(s);
	return rv;
}

void null_drop_objects(CK_SESSION_HANDLE owner, bool is_private_only)
{
	if (null_token.made_high == 0)
		return;
	pthread_mutex_lock(&null_token.lock);
	for (uint32_t i = 0; i < null_token.made_high; i++) {
		struct null_made *m = &null_token.made[i];

		if (m->handle && !m->is_token && (owner == 0 || m->owner == owner) &&
		    (!is_private_only || m->is_private))
			m->handle = 0;
	}
	pthread_mutex_unlock(&null_token.lock);
}

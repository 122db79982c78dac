/* SPDX-License-Identifier: BSD-2-Clause */
/* The KEK of a virtual token: what it is called, what a member has of it, whether two members have
 * the same.
 *
 * Nothing here makes or changes it (kek_make.c) or wraps a key of the application under it
 * (carry.h). Names say which key is meant, never which key it is: anybody who has the PIN of one
 * member can call a key of his own so there, and would be handed every key that is carried to it.
 * So it counts as the KEK of two members only after kek_is_same(): the same block, wrapped on both,
 * is the same bytes. The block is this process's challenge, not a key of anybody's. No state, no
 * lock. */
#include "core/kek.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/identity_attr.h"
#include "core/identity_secret.h"
#include "core/member_op.h"

/* A configured CKA_ID begins with that. */
#define ID_PREFIX "id:"

static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

void kek_name(const struct group *g, struct kek_name *out)
{
	const char *conf = g->conf->kek ? g->conf->kek : KEK_LABEL;

	*out = (struct kek_name){.type = CKA_LABEL};
	if (strncmp(conf, ID_PREFIX, sizeof ID_PREFIX - 1) != 0) {
		out->len = strnlen(conf, sizeof out->bytes);
		memcpy(out->bytes, conf, out->len);
		return;
	}
	out->type = CKA_ID;
	conf += sizeof ID_PREFIX - 1;
	while (conf[0] && conf[1] && out->len < sizeof out->bytes) {
		out->bytes[out->len++] = (uint8_t)(digit(conf[0]) << 4 | digit(conf[1]));
		conf += 2;
	}
}

static bool is_name(const struct kek_name *name, const void *bytes, size_t len)
{
	return bytes && len == name->len && memcmp(bytes, name->bytes, len) == 0;
}

bool kek_is_named(const struct group *g, const struct identity *id)
{
	struct kek_name name;
	const struct buf *has;

	if (!g->is_multi || id->class != CKO_SECRET_KEY)
		return false;
	kek_name(g, &name);
	has = name.type == CKA_ID ? &id->id : &id->label;
	return is_name(&name, has->data, has->len);
}

/* Of duplicates a token may take either: all are looked at. */
bool kek_is_asked(const struct group *g, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	bool has_name = false, has_class = false, is_secret = false;
	struct kek_name name;

	if (!g->is_multi)
		return false;
	kek_name(g, &name);
	for (CK_ULONG i = 0; i < count; i++) {
		const CK_ATTRIBUTE *a = &tmpl[i];

		if (a->type == name.type)
			has_name = has_name || is_name(&name, a->pValue, a->ulValueLen);
		if (a->type != CKA_CLASS)
			continue;
		has_class = true;
		is_secret =
			is_secret || attr_ulong(a, 1, CKA_CLASS, CKO_SECRET_KEY) == CKO_SECRET_KEY;
	}
	return has_name && (is_secret || !has_class);
}

/* Uses that a KEK must not have: with ENCRYPT or DECRYPT what is wrapped could be read. */
static const CK_ATTRIBUTE_TYPE other_uses[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY,
					       CKA_DERIVE};

CK_RV kek_look_at(struct member_session *ms, CK_OBJECT_HANDLE real, struct kek_view *out)
{
	static const CK_ATTRIBUTE_TYPE types[] = {
		CKA_VALUE_LEN, CKA_SENSITIVE, CKA_EXTRACTABLE,      CKA_TRUSTED, CKA_WRAP,
		CKA_UNWRAP,    CKA_KEY_TYPE,  CKA_ENCRYPT,          CKA_DECRYPT, CKA_SIGN,
		CKA_VERIFY,    CKA_DERIVE,    CKA_WRAP_WITH_TRUSTED};
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &attrs);

	if (rv != CKR_OK)
		return rv;
	out->real = real;
	out->bits = attr_ulong(attrs.a, attrs.count, CKA_VALUE_LEN, 0) * 8;
	out->is_sensitive = attr_bool(attrs.a, attrs.count, CKA_SENSITIVE, false);
	out->is_extractable = attr_bool(attrs.a, attrs.count, CKA_EXTRACTABLE, true);
	out->knows_trust =
		identity_attr(&attrs, CKA_TRUSTED) && identity_attr(&attrs, CKA_WRAP_WITH_TRUSTED);
	out->is_trusted = attr_bool(attrs.a, attrs.count, CKA_TRUSTED, false);
	out->can_work = attr_bool(attrs.a, attrs.count, CKA_WRAP, false) &&
			attr_bool(attrs.a, attrs.count, CKA_UNWRAP, false) &&
			attr_ulong(attrs.a, attrs.count, CKA_KEY_TYPE, CKK_AES) == CKK_AES;
	out->is_narrow = true;
	for (size_t i = 0; i < sizeof other_uses / sizeof other_uses[0]; i++)
		if (attr_bool(attrs.a, attrs.count, other_uses[i], false))
			out->is_narrow = false;
	identity_attrs_free(&attrs);
	return CKR_OK;
}

/* Real handles of all keys of the KEK's name. */
static CK_RV find(struct member_session *ms, struct buf *found)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_BBOOL yes = CK_TRUE;
	struct kek_name name;
	CK_ATTRIBUTE tmpl[3] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, sizeof yes}};
	struct call call = {.id = CALL_C_FindObjectsInit,
			    .group = ms->member->group,
			    .tmpl = {tmpl},
			    .tmpl_count = {3},
			    .found = found};

	kek_name(ms->member->group, &name);
	tmpl[2] = (CK_ATTRIBUTE){name.type, name.bytes, name.len};
	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});
}

CK_RV kek_look(struct member_session *ms, struct kek_view *out)
{
	struct buf found = {0};
	struct kek_view view = {0};
	CK_OBJECT_HANDLE first = 0;
	CK_RV rv = find(ms, &found);

	view.count = (unsigned)(found.len / sizeof first);
	if (rv == CKR_OK && view.count > 0) {
		memcpy(&first, found.data, sizeof first);
		rv = kek_look_at(ms, first, &view);
	}
	if (rv == CKR_OK)
		*out = view;
	buf_free(&found);
	return rv;
}

CK_RV kek_find(struct member_session *ms, CK_OBJECT_HANDLE *real)
{
	struct kek_view view;
	CK_RV rv = kek_look(ms, &view);

	if (rv == CKR_OK)
		*real = view.count == 1 && view.can_work ? view.real : 0;
	return rv;
}

/* The key answers by wrapping, nothing else: the session has no operation left on it afterwards. */
static CK_RV answer(struct member_session *ms, CK_OBJECT_HANDLE real,
		    const struct identity_answer *as, struct identity_answer *out, bool *answered)
{
	CK_BBOOL yes = CK_TRUE;
	struct identity_attrs attrs = {.a = {{CKA_WRAP, &yes, sizeof yes}}, .count = 1};

	return identity_secret_ask(ms, real, CKK_AES, &attrs, as, out, answered);
}

/* Both wrap the block in the same way. *answered false: one of them cannot. */
static CK_RV compare(const struct kek_place *a, const struct kek_place *b,
		     const struct identity_answer *as, bool *answered, bool *same)
{
	struct identity_answer of_a, of_b;
	CK_RV rv = answer(a->ms, a->real, as, &of_a, answered);

	if (rv == CKR_OK && *answered)
		rv = answer(b->ms, b->real, &of_a, &of_b, answered);
	if (rv == CKR_OK && *answered)
		*same = memcmp(of_a.digest, of_b.digest, sizeof of_a.digest) == 0;
	return rv;
}

CK_RV kek_is_same_key(const struct kek_place *a, const struct kek_place *b, bool *same)
{
	/* Key wrap where both can (RFC 3394), else one block as it is. */
	static const struct identity_answer block = {.mechanism = CKM_AES_ECB, .use = CKF_ENCRYPT};
	bool answered = false;
	CK_RV rv;

	*same = false;
	rv = compare(a, b, NULL, &answered, same);
	if (rv == CKR_OK && !answered)
		rv = compare(a, b, &block, &answered, same);
	return rv;
}

CK_RV kek_is_same(struct member_session *a, struct member_session *b, bool *same)
{
	struct kek_place at_a = {.ms = a}, at_b = {.ms = b};
	CK_RV rv = kek_find(a, &at_a.real);

	*same = false;
	if (rv == CKR_OK)
		rv = kek_find(b, &at_b.real);
	if (rv != CKR_OK || !at_a.real || !at_b.real)
		return rv;
	return kek_is_same_key(&at_a, &at_b, same);
}

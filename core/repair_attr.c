/* SPDX-License-Identifier: BSD-2-Clause */
/* Repairs of attributes: what an object is to be, and setting it.
 *
 * Protection goes one way. Of several holders the strictest counts, and nothing is ever set to what
 * protects less, whoever says so: somebody with the PIN of one member may have written that there.
 * The write lock is the caller's. */
#include "core/repair_part.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/base/names.h"
#include "core/kek.h"

/* Attributes that can be changed in one direction only: the value that is stricter. */
static const struct {
	CK_ATTRIBUTE_TYPE type;
	bool strict;
} one_way[] = {
	{CKA_SENSITIVE, true},           {CKA_EXTRACTABLE, false}, {CKA_WRAP_WITH_TRUSTED, true},
	{CKA_ALWAYS_SENSITIVE, true},    {CKA_COPYABLE, false},    {CKA_DESTROYABLE, false},
	{CKA_ALWAYS_AUTHENTICATE, true}, {CKA_MODIFIABLE, false},
};

/* What cannot be set on an object that is there, or says what it is. */
static const CK_ATTRIBUTE_TYPE fixed[] = {
	CKA_CLASS,           CKA_KEY_TYPE,
	CKA_TOKEN,           CKA_PRIVATE,
	CKA_VALUE_LEN,       CKA_MODULUS,
	CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS,
	CKA_EC_POINT,        CKA_VALUE,
	CKA_PARAMETER_SET,   CKA_TRUSTED,
	CKA_MODIFIABLE,      CKA_ALWAYS_AUTHENTICATE,
};

static bool is_one_way(CK_ATTRIBUTE_TYPE type, bool *strict)
{
	for (size_t i = 0; i < sizeof one_way / sizeof one_way[0]; i++) {
		if (one_way[i].type != type)
			continue;
		*strict = one_way[i].strict;
		return true;
	}
	return false;
}

static bool is_fixed(CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (fixed[i] == type)
			return true;
	return false;
}

/* Takes over what is stricter in `other`. */
static bool tighten(struct blueprint *b, const struct blueprint *other)
{
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof one_way / sizeof one_way[0]; i++) {
		const CK_BBOOL *has = repair_truth(other, one_way[i].type);

		if (has && (*has != CK_FALSE) == one_way[i].strict &&
		    repair_truth(b, one_way[i].type))
			ok = blueprint_set_bool(b, one_way[i].type, one_way[i].strict);
	}
	return ok;
}

/* Where the KEK is not trusted a key cannot be wrappable by trusted keys only; of one that cannot
 * be wrapped at all it says nothing. */
static CK_RV drop_untrusted(struct repair *r, struct member_session *ms, struct blueprint *as)
{
	struct kek_view kek = {0};
	CK_RV rv;

	if (repair_is_false(as, CKA_EXTRACTABLE))
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED);
	if (!repair_truth(as, CKA_WRAP_WITH_TRUSTED))
		return CKR_OK;
	rv = kek_look(ms, &kek);
	if (rv != CKR_OK)
		repair_say_code(r, ms->member, "its KEK cannot be looked at", rv);
	else if (kek.count != 1 || !kek.is_trusted)
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED);
	return rv;
}

static CK_RV read_blueprint(struct repair *r, const struct instance *in, struct blueprint *b)
{
	struct member *m = &r->group->members[in->member];
	struct member_session *ms = NULL;
	CK_RV rv = repair_take_for(r, in, m, &ms);

	if (rv != CKR_OK)
		return rv;
	rv = blueprint_read(ms, in->real, b);
	if (rv != CKR_OK)
		repair_say_code(r, m, "its attributes cannot be read", rv);
	else
		rv = drop_untrusted(r, ms, b);
	repair_give(ms, rv == CKR_OK);
	if (rv != CKR_OK)
		blueprint_free(b);
	return rv;
}

CK_RV repair_blueprint(struct repair *r, const struct instance *first,
		       struct instance *const *others, size_t count, struct blueprint *out)
{
	CK_RV rv = read_blueprint(r, first, out);

	for (size_t i = 0; rv == CKR_OK && i < count; i++) {
		struct blueprint b = {0};

		if (!others[i] || others[i] == first)
			continue;
		rv = read_blueprint(r, others[i], &b);
		if (rv == CKR_OK && !tighten(out, &b))
			rv = CKR_HOST_MEMORY;
		blueprint_free(&b);
	}
	if (rv != CKR_OK)
		blueprint_free(out);
	return rv;
}

/* Whether a difference may be taken away by setting it to what the blueprint says. */
static bool may_set(const CK_ATTRIBUTE *a)
{
	bool strict;

	if (!is_one_way(a->type, &strict))
		return !is_fixed(a->type);
	return !is_fixed(a->type) && a->ulValueLen == sizeof(CK_BBOOL) &&
	       (*(const CK_BBOOL *)a->pValue != CK_FALSE) == strict;
}

/* One attribute at a time: members refuse a template whole. What is refused shows when it is
 * compared again. */
static CK_RV set_all(struct member_session *ms, CK_OBJECT_HANDLE real, const struct blueprint *as,
		     const struct buf *different)
{
	const CK_ATTRIBUTE_TYPE *type = (const CK_ATTRIBUTE_TYPE *)(const void *)different->data;

	for (size_t i = 0; i < different->len / sizeof *type; i++) {
		const CK_ATTRIBUTE *a = attr_find(as->a, as->count, type[i]);

		if (a && may_set(a))
			(void)repair_set(ms, real, a); /* it is looked at again */
	}
	return CKR_OK;
}

static CK_RV set_differing(struct repair *r, struct member_session *ms, CK_OBJECT_HANDLE real,
			   const struct blueprint *as)
{
	struct buf different = {0};
	char name[NAME_MAX_LEN];
	CK_ATTRIBUTE_TYPE type;
	CK_RV rv = blueprint_compare(as, ms, real, &different);

	if (rv == CKR_OK && different.len > 0) {
		rv = set_all(ms, real, as, &different);
		different.len = 0;
		if (rv == CKR_OK)
			rv = blueprint_compare(as, ms, real, &different);
	}
	if (rv != CKR_OK) {
		repair_say_code(r, ms->member, "its attributes cannot be read", rv);
	} else if (different.len > 0) {
		memcpy(&type, different.data, sizeof type);
		repair_say(r, ms->member, "%s cannot be set to what it is elsewhere",
			   name_of(NAME_ATTRIBUTE, type, name));
		r->is_unable = true;
		rv = CKR_ACTION_PROHIBITED;
	}
	buf_free(&different);
	return rv;
}

CK_RV repair_attributes(struct repair *r, const struct instance *in, const struct blueprint *as)
{
	struct member *m = &r->group->members[in->member];
	struct member_session *ms = NULL;
	struct blueprint fit = {0};
	CK_RV rv;

	r->is_unable = false;
	r->why[0] = '\0';
	rv = repair_take_for(r, in, m, &ms);
	if (rv == CKR_OK && !blueprint_copy(as, &fit))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = drop_untrusted(r, ms, &fit);
	if (rv == CKR_OK)
		rv = set_differing(r, ms, in->real, &fit);
	blueprint_free(&fit);
	repair_give(ms, rv == CKR_OK || rv == CKR_ACTION_PROHIBITED);
	return rv;
}

CK_RV repair_drift(struct repair *r, const struct logical *l)
{
	struct blueprint as = {0};
	CK_RV rv = repair_blueprint(r, logical_first(l), l->at, CONFIG_MAX_MEMBERS, &as), first;

	first = rv;
	for (unsigned i = 0; rv == CKR_OK && i < CONFIG_MAX_MEMBERS; i++) {
		struct repair one = {.group = r->group, .lock = r->lock};

		if (!l->at[i])
			continue;
		rv = repair_attributes(&one, l->at[i], &as);
		if (rv == CKR_OK || first != CKR_OK)
			continue;
		first = rv; /* the others are set all the same */
		*r = one;
		rv = CKR_OK;
	}
	blueprint_free(&as);
	return first;
}

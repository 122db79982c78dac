/* SPDX-License-Identifier: BSD-2-Clause */
/* What is the matter with each logical object: where it is missing, what differs, what else has its
 * name, what the records say of it.
 *
 * Missing means that the member was asked and does not have it. Where something there could be it
 * and cannot be told (a key that failed to answer), nothing is said to be missing. */
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/blueprint.h"
#include "core/identity_attr.h"
#include "core/inventory_part.h"

/* Kinds of keys that did not answer on a member, at the most; more than that and the member is not
 * believed about any. */
#define DOUBTS_MAX 32

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* Secret keys of a type that may have answered otherwise. */
struct doubt {
	unsigned member;
	CK_KEY_TYPE type;
};

/* Objects of one class and name: which sets they are of, on each member. */
struct name_group {
	size_t set[CONFIG_MAX_MEMBERS]; /* of the first one there */
	bool has[CONFIG_MAX_MEMBERS];
	bool has_several[CONFIG_MAX_MEMBERS]; /* different ones */
};

static int order_bytes(const struct buf *a, const struct buf *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len > 0 ? memcmp(a->data, b->data, len) : 0;

	return order != 0 ? order : ORDER(a->len, b->len);
}

static int order_name(const struct identity *a, const struct identity *b)
{
	int order = ORDER(a->class, b->class);

	if (order == 0)
		order = order_bytes(&a->label, &b->label);
	return order != 0 ? order : order_bytes(&a->id, &b->id);
}

static int order_logicals(const void *a, const void *b)
{
	const struct logical *x = a, *y = b;
	const struct instance *i = logical_first(x), *k = logical_first(y);
	int order = order_name(&i->id, &k->id);

	if (order == 0)
		order = ORDER(x->ordinal, y->ordinal);
	return order != 0 ? order : ORDER(i, k);
}

static int order_instances(const void *a, const void *b)
{
	const struct instance *x = *(struct instance *const *)a;
	const struct instance *y = *(struct instance *const *)b;

	return order_name(&x->id, &y->id);
}

/* Whether it is known what the object is. */
static bool is_told(const struct logical *l)
{
	const struct instance *first = logical_first(l);

	return first->id.kind != IDENTITY_NONE && !first->is_unproven;
}

static size_t find_doubts(const struct inventory *inv, struct doubt list[static DOUBTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < inv->instance_count; i++) {
		const struct instance *in = &inv->instances[i];
		size_t k = 0;

		if (in->id.kind != IDENTITY_NONE || !in->id.is_doubtful)
			continue;
		while (k < n && (list[k].member != in->member || list[k].type != in->id.key_type))
			k++;
		if (k == n && n < DOUBTS_MAX)
			list[n++] = (struct doubt){in->member, in->id.key_type};
	}
	return n;
}

/* Of several identical objects on one member only the first is wanted elsewhere, too. */
static void find_missing(struct inventory *inv)
{
	struct doubt doubts[DOUBTS_MAX];
	size_t n = find_doubts(inv, doubts);

	for (size_t i = 0; i < inv->logical_count; i++) {
		struct logical *l = &inv->logicals[i];
		const struct identity *id = &logical_first(l)->id;

		if (!is_told(l) || l->ordinal > 0)
			continue;
		l->missing = inv->asked & ~l->holders;
		for (size_t k = 0; k < n; k++)
			if (id->class == CKO_SECRET_KEY &&
			    (n == DOUBTS_MAX || doubts[k].type == id->key_type))
				l->missing &= ~(1U << doubts[k].member);
	}
}

static struct name_group group_of(struct instance *const *list, size_t n)
{
	struct name_group g = {{0}, {false}, {false}};

	for (size_t i = 0; i < n; i++) {
		unsigned m = list[i]->member;

		if (g.has[m] && g.set[m] != list[i]->set)
			g.has_several[m] = true;
		if (!g.has[m])
			g.set[m] = list[i]->set;
		g.has[m] = true;
	}
	return g;
}

/* Members where it is missing, and another object has its name. */
static void find_rivals(struct logical *l, const struct name_group *g)
{
	size_t set = logical_first(l)->set;

	for (unsigned m = 0; m < CONFIG_MAX_MEMBERS; m++)
		if (l->missing & 1U << m && g->has[m] && (g->has_several[m] || g->set[m] != set))
			l->rivals |= 1U << m;
}

/* Both lists are in the order of names. */
static CK_RV compare_names(struct inventory *inv)
{
	size_t n = inv->instance_count, from = 0, to = 0;
	struct instance **list = calloc(n + 1, sizeof *list);

	if (!list)
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < n; i++)
		list[i] = &inv->instances[i];
	qsort(list, n, sizeof *list, order_instances);
	for (size_t i = 0; i < inv->logical_count; i++) {
		struct logical *l = &inv->logicals[i];
		const struct identity *id = &logical_first(l)->id;
		struct name_group g;

		if (from == to || order_name(&list[from]->id, id) != 0) {
			while (order_name(&list[to]->id, id) != 0)
				to++; /* its own instance is there */
			for (from = to; to < n && order_name(&list[to]->id, id) == 0;)
				to++;
			g = group_of(list + from, to - from);
		}
		if (id->label.len > 0 || id->id.len > 0)
			find_rivals(l, &g);
	}
	free(list);
	return CKR_OK;
}

static int order_print(const void *print, const void *record)
{
	return memcmp(print, ((const struct record *)record)->print, FINGERPRINT_LEN);
}

static void find_record(struct inventory *inv, struct logical *l)
{
	const struct instance *in = NULL;
	const struct record *r = NULL;

	for (unsigned m = 0; !r && inv->record_count > 0 && m < CONFIG_MAX_MEMBERS; m++)
		if (l->at[m] && l->at[m]->has_print) {
			in = l->at[m];
			r = bsearch(in->print, inv->records, inv->record_count, sizeof *r,
				    order_print);
		}
	if (r && (r->state == RECORD_MOVED || !record_is_believed(r, in->id.is_private)))
		r = NULL;
	l->record = r;
	if (!r || r->state != RECORD_DESTROYED)
		return;
	l->doomed = r->owed & l->holders;
	if (l->doomed == l->holders)
		l->missing = l->rivals = 0;
}

/* The member failed while attributes were read: what was not seen is not known. */
static CK_RV blame(struct inventory *inv, const struct instance *in, CK_RV rv)
{
	static const char what[] = "attributes cannot be read";

	if (rv == CKR_OK || rv == CKR_HOST_MEMORY || rv == CKR_OBJECT_HANDLE_INVALID)
		return rv == CKR_HOST_MEMORY ? rv : CKR_OK;
	inv->asked &= ~(1U << in->member);
	memcpy(inv->why[in->member], what, sizeof what);
	return CKR_OK;
}

static void give(struct member_session *ms, CK_RV rv)
{
	if (ms && rv == CKR_OK)
		pool_give(ms, 0);
	else if (ms)
		pool_drop(ms);
}

static bool is_stateful(const struct identity *id)
{
	return id->class == CKO_PRIVATE_KEY &&
	       (id->key_type == CKK_HSS || id->key_type == CKK_XMSS || id->key_type == CKK_XMSSMT);
}

static bool is_content(CK_OBJECT_CLASS class)
{
	return class == CKO_PUBLIC_KEY || class == CKO_CERTIFICATE || class == CKO_DATA;
}

/* Whether copies can be made of this instance, and why not. */
static CK_RV look_at_protection(struct inventory *inv, struct logical *l, struct instance *in,
				const char **why)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_EXTRACTABLE, CKA_COPYABLE};
	struct identity_attrs attrs = {0};
	struct member_session *ms = NULL;
	CK_RV rv = inventory_take(&inv->group->members[in->member], &ms);
	bool is_key = in->id.class == CKO_PRIVATE_KEY || in->id.class == CKO_SECRET_KEY;

	if (rv == CKR_OK)
		rv = identity_attrs_read(ms, in->real, types, 2, &attrs);
	give(ms, rv);
	if (rv != CKR_OK)
		return blame(inv, in, rv);
	if (!is_key && !is_content(in->id.class))
		*why = "objects of this class have no content that can be copied";
	else if (is_stateful(&in->id))
		*why = "a stateful key must exist once";
	else if (!attr_bool(attrs.a, attrs.count, CKA_COPYABLE, true))
		*why = "its CKA_COPYABLE is false";
	else if (in->id.needs_login_each)
		*why = "it wants a login for each use: a copy could not be proven";
	else if (is_key && !attr_bool(attrs.a, attrs.count, CKA_EXTRACTABLE, false))
		*why = "its CKA_EXTRACTABLE is false: it cannot be wrapped";
	else
		l->loose |= 1U << in->member;
	identity_attrs_free(&attrs);
	return CKR_OK;
}

static CK_RV find_loose(struct inventory *inv, struct logical *l)
{
	const char *why = NULL;
	CK_RV rv = CKR_OK;

	for (unsigned m = 0; rv == CKR_OK && m < CONFIG_MAX_MEMBERS; m++)
		if (l->at[m])
			rv = look_at_protection(inv, l, l->at[m], &why);
	l->single_why = l->loose ? NULL : why;
	return rv;
}

static CK_RV read_first(struct inventory *inv, const struct instance *in, struct blueprint *b)
{
	struct member_session *ms = NULL;
	CK_RV rv = inventory_take(&inv->group->members[in->member], &ms);

	if (rv == CKR_OK)
		rv = blueprint_read(ms, in->real, b);
	give(ms, rv);
	return rv;
}

static CK_RV compare_one(struct inventory *inv, const struct blueprint *b, struct instance *in,
			 struct buf *drift)
{
	struct member_session *ms = NULL;
	CK_RV rv = inventory_take(&inv->group->members[in->member], &ms);

	if (rv == CKR_OK)
		rv = blueprint_compare(b, ms, in->real, drift);
	give(ms, rv);
	return blame(inv, in, rv);
}

/* SoftHSM2 shows no length of what was unwrapped: another holder may. */
static CK_RV find_length(struct inventory *inv, struct logical *l, struct blueprint *b)
{
	CK_RV rv = CKR_OK;

	if (logical_first(l)->id.class != CKO_SECRET_KEY)
		return CKR_OK;
	for (unsigned m = 0; rv == CKR_OK && m < CONFIG_MAX_MEMBERS; m++) {
		struct blueprint other = {0};
		CK_ULONG len = attr_ulong(b->a, b->count, CKA_VALUE_LEN, 0);

		if (len > 0 || !l->at[m] || l->at[m] == logical_first(l))
			continue;
		rv = read_first(inv, l->at[m], &other);
		if (rv != CKR_OK)
			return blame(inv, l->at[m], rv);
		len = attr_ulong(other.a, other.count, CKA_VALUE_LEN, 0);
		if (len > 0 && !blueprint_set(b, CKA_VALUE_LEN, &len, sizeof len))
			rv = CKR_HOST_MEMORY;
		blueprint_free(&other);
	}
	return rv;
}

/* Attributes of the other holders against those of the first. Where the KEK is not trusted nothing
 * can be wrappable by trusted keys only; of what cannot be wrapped at all it says nothing. */
static CK_RV find_drift(struct inventory *inv, struct logical *l)
{
	const struct instance *first = logical_first(l);
	struct blueprint b = {0};
	CK_RV rv;

	rv = read_first(inv, first, &b);
	if (rv != CKR_OK)
		return blame(inv, first, rv);
	rv = find_length(inv, l, &b);
	inventory_describe(l, &b);
	if (!(inv->trusted & 1U << first->member) ||
	    !attr_bool(b.a, b.count, CKA_EXTRACTABLE, true))
		blueprint_drop(&b, CKA_WRAP_WITH_TRUSTED);
	for (unsigned m = 0; rv == CKR_OK && m < CONFIG_MAX_MEMBERS; m++)
		if (l->at[m] && l->at[m] != first && inv->trusted & 1U << m)
			rv = compare_one(inv, &b, l->at[m], &l->drift[m]);
	blueprint_drop(&b, CKA_WRAP_WITH_TRUSTED);
	for (unsigned m = 0; rv == CKR_OK && m < CONFIG_MAX_MEMBERS; m++)
		if (l->at[m] && l->at[m] != first && !(inv->trusted & 1U << m))
			rv = compare_one(inv, &b, l->at[m], &l->drift[m]);
	blueprint_free(&b);
	return rv;
}

static bool has_drift(const struct logical *l)
{
	for (unsigned m = 0; m < CONFIG_MAX_MEMBERS; m++)
		if (l->drift[m].len > 0)
			return true;
	return false;
}

static void settle(const struct inventory *inv, struct logical *l)
{
	unsigned count = inventory_bits(l->holders), f = 0;
	const struct record *r = l->record;
	int first;

	if (l->doomed)
		f |= 1U << LOGICAL_DESTROYED;
	if (l->rivals)
		f |= 1U << LOGICAL_CONFLICT;
	if (!is_told(l))
		f |= 1U << LOGICAL_EXTRA;
	if (has_drift(l))
		f |= 1U << LOGICAL_DRIFT;
	if (count == 1 && l->single_why && inv->group->member_count > 1)
		f |= 1U << LOGICAL_SINGLE;
	else if (l->missing && count < inventory_needs(inv->group))
		f |= 1U << LOGICAL_MISSING;
	else if (l->missing)
		f |= 1U << LOGICAL_UNREPLICATED;
	if (r && r->state != RECORD_DESTROYED && r->owed)
		f |= 1U << LOGICAL_OWED;
	if (r && r->state == RECORD_RETIRED)
		f |= 1U << LOGICAL_RETIRED;
	l->facts = f ? f : 1U << LOGICAL_OK;
	first = __builtin_ctz(l->facts);
	l->state = (enum logical_state)first;
}

CK_RV inventory_judge(struct inventory *inv, const struct inventory_how *how)
{
	size_t n = inv->logical_count;
	CK_RV rv;

	qsort(inv->logicals, n, sizeof *inv->logicals, order_logicals);
	find_missing(inv);
	rv = compare_names(inv);
	for (size_t i = 0; rv == CKR_OK && i < n; i++) {
		find_record(inv, &inv->logicals[i]);
		rv = find_loose(inv, &inv->logicals[i]);
		if (rv == CKR_OK)
			rv = find_drift(inv, &inv->logicals[i]);
		if (how->step)
			how->step(how->context, i + 1, n);
	}
	for (size_t i = 0; i < n; i++)
		settle(inv, &inv->logicals[i]);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the members have, one after the other: objects, leftovers, records.
 *
 * An object's name is read before anything is done with it: the KEK and other objects of hsmux's
 * own are never used here. What vanishes while it is read was destroyed by somebody and is left
 * out. A member that fails otherwise counts as not asked: half of what it has would look as if the
 * other half were missing. */
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/identity_attr.h"
#include "core/inventory_part.h"
#include "core/kek.h"
#include "core/member_op.h"
#include "core/orphan.h"

/* One member while it is read. */
struct reading {
	struct inventory *inv;
	const struct inventory_how *how;
	struct member *m;
	struct member_session *ms; /* NULL: has to be taken */
	struct buf found;          /* CK_OBJECT_HANDLE each */
	size_t room;               /* of inv->instances */
	size_t tag_room;           /* of inv->leftovers */
};

/* Makes room for one more of `size` bytes. */
static bool grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 64;
	void *more;

	if (count < *room)
		return true;
	more = reallocarray(*list, wanted, size);
	if (!more)
		return false;
	*list = more;
	*room = wanted;
	return true;
}

static void give(struct reading *r, bool is_good)
{
	if (r->ms && is_good)
		pool_give(r->ms, 0);
	else if (r->ms)
		pool_drop(r->ms);
	r->ms = NULL;
}

static CK_RV take(struct reading *r)
{
	return r->ms ? CKR_OK : inventory_take(r->m, &r->ms);
}

static CK_RV find_all(struct reading *r)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE tmpl = {CKA_TOKEN, &yes, sizeof yes};
	struct call call = {.id = CALL_C_FindObjectsInit,
			    .group = r->inv->group,
			    .tmpl = {&tmpl},
			    .tmpl_count = {1},
			    .found = &r->found};
	CK_RV rv = take(r);

	if (rv == CKR_OK)
		rv = member_call(r->ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});
	return rv;
}

static bool begins_with(const struct buf *label, const char *prefix)
{
	size_t len = strlen(prefix);

	return label->len >= len && memcmp(label->data, prefix, len) == 0;
}

/* What decides whether it is looked at: class, name, id. */
static CK_RV read_name(struct reading *r, CK_OBJECT_HANDLE real, struct identity *id)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_CLASS, CKA_LABEL, CKA_ID};
	struct identity_attrs attrs;
	const CK_ATTRIBUTE *label, *name;
	CK_RV rv = identity_attrs_read(r->ms, real, types, sizeof types / sizeof types[0], &attrs);

	*id = (struct identity){0};
	if (rv != CKR_OK)
		return rv;
	id->class = attr_ulong(attrs.a, attrs.count, CKA_CLASS, CK_UNAVAILABLE_INFORMATION);
	label = identity_attr(&attrs, CKA_LABEL);
	name = identity_attr(&attrs, CKA_ID);
	if ((label && !buf_add(&id->label, label->pValue, label->ulValueLen)) ||
	    (name && !buf_add(&id->id, name->pValue, name->ulValueLen)))
		rv = CKR_HOST_MEMORY;
	identity_attrs_free(&attrs);
	return rv;
}

static CK_RV note_leftover(struct reading *r, CK_OBJECT_HANDLE real, const struct buf *label)
{
	struct inventory *inv = r->inv;
	struct leftover *l;

	if (!grow((void **)&inv->leftovers, inv->leftover_count, &r->tag_room, sizeof *l))
		return CKR_HOST_MEMORY;
	l = &inv->leftovers[inv->leftover_count++];
	*l = (struct leftover){.member = r->m->index, .real = real, .epoch = r->ms->epoch};
	if (label->len < sizeof l->tag)
		memcpy(l->tag, label->data, label->len);
	return CKR_OK;
}

/* A private key answers for its public half before that counts. */
static CK_RV prove(struct reading *r, struct instance *in)
{
	enum identity_match match = IDENTITY_SAME;
	CK_RV rv = CKR_OK;

	if (in->id.kind != IDENTITY_PUBLIC || r->how->is_quick)
		return CKR_OK;
	rv = identity_prove(r->ms, in->real, &in->id, &match);
	if (rv != CKR_OK)
		return rv;
	if (match == IDENTITY_DIFFERENT) {
		in->is_refuted = true;
		in->id.kind = IDENTITY_NONE;
	} else if (match != IDENTITY_SAME) {
		in->is_unproven = true;
		give(r, false);
	}
	return CKR_OK;
}

/* The object as a whole; a key that gave no answer may have left something on the session. */
static CK_RV read_instance(struct reading *r, CK_OBJECT_HANDLE real)
{
	struct inventory *inv = r->inv;
	struct instance *in;
	CK_RV rv;

	if (!grow((void **)&inv->instances, inv->instance_count, &r->room, sizeof *in))
		return CKR_HOST_MEMORY;
	in = &inv->instances[inv->instance_count];
	*in = (struct instance){.member = r->m->index, .real = real, .epoch = r->ms->epoch};
	rv = identity_read(r->ms, real, &in->id);
	if (rv != CKR_OK)
		return rv;
	inv->instance_count++;
	if (in->id.class == CKO_SECRET_KEY && in->id.kind == IDENTITY_NONE)
		give(r, false);
	return prove(r, in);
}

static CK_RV read_one(struct reading *r, CK_OBJECT_HANDLE real)
{
	struct identity name;
	CK_RV rv = take(r);

	if (rv != CKR_OK)
		return rv;
	rv = read_name(r, real, &name);
	if (rv == CKR_OK && begins_with(&name.label, ORPHAN_TAG_PREFIX))
		rv = note_leftover(r, real, &name.label);
	else if (rv == CKR_OK && !begins_with(&name.label, ORPHAN_OWN_PREFIX) &&
		 !kek_is_named(r->inv->group, &name))
		rv = read_instance(r, real);
	identity_free(&name);
	if (rv != CKR_OK)
		give(r, false);
	return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_OK : rv;
}

static CK_RV read_objects(struct reading *r)
{
	CK_RV rv = find_all(r);
	size_t count = r->found.len / sizeof(CK_OBJECT_HANDLE);

	for (size_t i = 0; rv == CKR_OK && i < count; i++) {
		CK_OBJECT_HANDLE real;

		memcpy(&real, r->found.data + i * sizeof real, sizeof real);
		rv = read_one(r, real);
		if (r->how->step)
			r->how->step(r->how->context, i + 1, count);
	}
	return rv;
}

/* Takes `list` over. */
static CK_RV add_records(struct inventory *inv, struct record *list, size_t count)
{
	struct record *all;
	CK_RV rv = CKR_OK;

	if (count == 0) {
		free(list);
		return CKR_OK;
	}
	all = reallocarray(inv->records, inv->record_count + count, sizeof *all);
	if (all) {
		inv->records = all;
		memcpy(all + inv->record_count, list, count * sizeof *all);
		inv->record_count += count;
	} else {
		rv = CKR_HOST_MEMORY;
		for (size_t i = 0; i < count; i++)
			record_free(&list[i]);
	}
	free(list);
	return rv;
}

/* The guarded ones of each print first, and of those the newest. */
static int order_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = memcmp(x->print, y->print, FINGERPRINT_LEN);

	if (order != 0)
		return order;
	if (x->is_guarded != y->is_guarded)
		return x->is_guarded ? -1 : 1;
	return (x->version < y->version) - (x->version > y->version);
}

/* Of the records of an object the newest counts. */
static void settle_records(struct inventory *inv)
{
	struct record *all = inv->records;
	size_t kept = 0;

	if (inv->record_count > 1)
		qsort(all, inv->record_count, sizeof *all, order_records);
	for (size_t i = 0; i < inv->record_count; i++) {
		if (kept > 0 && memcmp(all[kept - 1].print, all[i].print, FINGERPRINT_LEN) == 0)
			record_free(&all[i]);
		else
			all[kept++] = all[i];
	}
	inv->record_count = kept;
}

static CK_RV read_records(struct reading *r)
{
	struct record *list = NULL;
	size_t count = 0;
	CK_RV rv = take(r);

	if (rv == CKR_OK)
		rv = record_list(r->ms, &list, &count);
	return rv == CKR_OK ? add_records(r->inv, list, count) : rv;
}

/* Fingerprints are needed only where a record may be about the object. */
static CK_RV read_prints(struct reading *r)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < r->inv->instance_count; i++) {
		struct instance *in = &r->inv->instances[i];

		if (in->member != r->m->index || in->id.kind == IDENTITY_NONE)
			continue;
		rv = take(r);
		if (rv == CKR_OK)
			rv = fingerprint_of(r->ms, in->real, &in->id, in->print, &in->has_print);
		if (rv == CKR_OBJECT_HANDLE_INVALID)
			rv = CKR_OK;
		if (!in->has_print)
			give(r, false);
	}
	return rv;
}

/* Whether keys there can be wrappable by trusted keys only. */
static CK_RV read_kek(struct reading *r)
{
	struct kek_view kek = {0};
	CK_RV rv;

	if (r->inv->group->conf->protect != CONFIG_PROTECT_KEK)
		return CKR_OK;
	rv = take(r);
	if (rv == CKR_OK)
		rv = kek_look(r->ms, &kek);
	if (rv == CKR_OK && kek.count == 1 && kek.is_trusted)
		r->inv->trusted |= 1U << r->m->index;
	return rv;
}

/* Runs a step on a member; memory apart, a failure is the member's own. */
static CK_RV run(struct reading *r, CK_RV (*step)(struct reading *), const char *what)
{
	CK_RV rv = step(r);

	give(r, rv == CKR_OK);
	if (rv == CKR_OK || rv == CKR_HOST_MEMORY)
		return rv;
	inventory_fail(r->inv, r->m->index, what, rv);
	return CKR_OK;
}

static CK_RV read_member(struct reading *r)
{
	struct inventory *inv = r->inv;
	CK_RV rv;

	if (!inventory_may_ask(r->m)) {
		if (member_status(r->m, inv->why[r->m->index], INVENTORY_WHY) == MEMBER_UP)
			memcpy(inv->why[r->m->index], "it does not serve", 18);
		return CKR_OK;
	}
	inv->asked |= 1U << r->m->index;
	rv = run(r, read_objects, "its objects cannot be read");
	if (rv == CKR_OK && inv->asked & 1U << r->m->index)
		rv = run(r, read_records, "its records cannot be read");
	if (rv == CKR_OK && inv->asked & 1U << r->m->index)
		rv = run(r, read_kek, "its KEK cannot be looked at");
	buf_free(&r->found);
	return rv;
}

CK_RV inventory_collect(struct inventory *inv, const struct inventory_how *how)
{
	struct group *g = inv->group;
	struct reading r = {.inv = inv, .how = how};
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < g->member_count; i++) {
		r.m = &g->members[i];
		rv = read_member(&r);
	}
	settle_records(inv);
	for (size_t i = 0; rv == CKR_OK && inv->record_count > 0 && i < g->member_count; i++) {
		r.m = &g->members[i];
		if (inv->asked & 1U << i)
			rv = run(&r, read_prints, "its objects cannot be told from others");
	}
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the application asks for, and what members are told.
 *
 * A key that is to be copied must leave its member once: it is made extractable, and sensitive, so
 * that nothing but a wrapped form of it is ever seen. Whether the application may wrap it is kept
 * apart (record.h), and looked at when it tries (overlay.h). Attributes that forbid to change, copy
 * or destroy an object would forbid that to us as well: they are kept apart, too. */
#include "core/replicate_wish.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/member_op.h"
#include "core/object.h"
#include "core/overlay.h"
#include "core/vendor.h"

/* Members are told these by us alone. */
static bool is_withheld(const struct sharing_wish *w, const CK_ATTRIBUTE *a)
{
	switch (a->type) {
	case CKA_MODIFIABLE:
	case CKA_COPYABLE:
	case CKA_DESTROYABLE:
		return true;
	case CKA_EXTRACTABLE:
	case CKA_WRAP_WITH_TRUSTED:
		return w->is_key;
	case CKA_SENSITIVE:
		return w->is_key && !w->may_export;
	default:
		return false;
	}
}

static CK_OBJECT_CLASS class_of(const struct call *c, unsigned i)
{
	CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
	const CK_ATTRIBUTE asked = a;

	switch ((int)c->id) {
	case CALL_C_GenerateKeyPair:
		return i == 0 ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY;
	case CALL_C_GenerateKey:
	case CALL_C_DeriveKey:
		return CKO_SECRET_KEY;
	case CALL_C_CopyObject:
		if (object_read_in(c->session, c->object[0].handle, &a, 1, &asked) == CKR_OK)
			return class;
		return CKO_SECRET_KEY; /* the stricter case; the copy itself fails */
	default:
		return attr_ulong(c->tmpl[i], c->tmpl_count[i], CKA_CLASS, CKO_SECRET_KEY);
	}
}

/* What the copied object is, where the template says nothing. A session object says itself whether
 * it may leave: it may be a copy of a token object that may not. */
static CK_RV inherit(const struct call *c, bool is_key, struct overlay *from)
{
	CK_RV rv;

	*from = (struct overlay){.may_export = false};
	if (c->id != CALL_C_CopyObject)
		return CKR_OK;
	rv = overlay_of(c->session, c->object[0].handle, from);
	if (rv == CKR_OK && is_key && from->may_export)
		rv = overlay_may_leave(c->session, c->object[0].handle, &from->may_export);
	return rv;
}

/* A copy may do less than the original, never more. */
static bool asks_for_more(const struct call *c, unsigned i, const struct overlay *from)
{
	const CK_ATTRIBUTE *t = c->tmpl[i];
	const CK_ULONG n = c->tmpl_count[i];

	return c->id == CALL_C_CopyObject && !from->may_export &&
	       (attr_bool(t, n, CKA_EXTRACTABLE, false) ||
		!attr_bool(t, n, CKA_WRAP_WITH_TRUSTED, true) ||
		!attr_bool(t, n, CKA_SENSITIVE, true));
}

CK_RV wish_read(const struct call *c, unsigned i, struct sharing_wish *w)
{
	const CK_ATTRIBUTE *t = c->tmpl[i];
	const CK_ULONG n = c->tmpl_count[i];
	const CK_OBJECT_CLASS class = class_of(c, i);
	const bool is_key = class == CKO_SECRET_KEY || class == CKO_PRIVATE_KEY;
	const bool is_copy = c->id == CALL_C_CopyObject;
	struct overlay from;
	CK_RV rv = inherit(c, is_key, &from);

	if (rv != CKR_OK)
		return rv;
	*w = (struct sharing_wish){
		.class = class,
		.is_key = is_key,
		.is_fixed = !attr_bool(t, n, CKA_MODIFIABLE, !from.is_fixed),
		.is_single = !attr_bool(t, n, CKA_COPYABLE, !from.is_single),
		.is_lasting = !attr_bool(t, n, CKA_DESTROYABLE, !from.is_lasting),
	};
	w->may_export = w->is_key && attr_bool(t, n, CKA_EXTRACTABLE, from.may_export) &&
			!attr_bool(t, n, CKA_WRAP_WITH_TRUSTED, false);
	/* What is copied says so already. Of one that may leave the record is found for the copy,
	 * too: what that may not has to be on the members. */
	w->is_trusted_only = w->is_key && !w->may_export && !is_copy &&
			     c->group->conf->protect == CONFIG_PROTECT_KEK;
	w->is_locked = w->is_key && !w->may_export &&
		       (from.may_export || c->group->conf->protect == CONFIG_PROTECT_LOCKED);
	return w->is_key && is_copy && asks_for_more(c, i, &from) ? CKR_ATTRIBUTE_READ_ONLY
								  : CKR_OK;
}

/* Whether a key of that class and id is on the member. */
static CK_RV is_taken(struct member *m, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id, bool *taken)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE tmpl[3] = {
		{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, sizeof yes}, *id};
	struct buf found = {0};
	struct call call = {.id = CALL_C_FindObjectsInit,
			    .group = m->group,
			    .tmpl = {tmpl},
			    .tmpl_count = {3},
			    .found = &found};
	struct member_session *ms = replicate_session(m);
	CK_RV rv =
		ms ? member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0}) : CKR_DEVICE_ERROR;

	*taken = found.len > 0;
	buf_free(&found);
	replicate_leave(ms, rv == CKR_OK);
	return rv;
}

/* The CKA_ID that the new object gets: a copy has that of the original, unless it gets another. */
static CK_RV id_of(const struct call *c, unsigned i, struct buf *room, CK_ATTRIBUTE *id)
{
	const CK_ATTRIBUTE *given = attr_find(c->tmpl[i], c->tmpl_count[i], CKA_ID);
	const CK_OBJECT_HANDLE from = c->object[0].handle;
	CK_ATTRIBUTE asked;
	CK_RV rv = CKR_OK;

	*id = given ? *given : (CK_ATTRIBUTE){CKA_ID, NULL, 0};
	if (given || c->id != CALL_C_CopyObject)
		return CKR_OK;
	asked = *id;
	rv = object_read_in(c->session, from, id, 1, &asked);
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID || (rv == CKR_OK && id->ulValueLen == 0)) {
		id->ulValueLen = 0;
		return CKR_OK;
	}
	if (rv == CKR_OK && (id->ulValueLen > ATTR_MAX_VALUE || !buf_reserve(room, id->ulValueLen)))
		rv = CKR_HOST_MEMORY;
	if (rv != CKR_OK)
		return rv;
	id->pValue = room->data;
	asked = *id;
	rv = object_read_in(c->session, from, id, 1, &asked);
	return rv == CKR_OK && id->ulValueLen > asked.ulValueLen ? CKR_DEVICE_ERROR : rv;
}

static bool replaces(const struct member *m)
{
	return member_may_serve(m) && atomic_load(&m->lib->vendor)->replaces_same_id;
}

/* Whether the key would be replaced on this member. */
static CK_RV check_id_on(struct member *m, const struct sharing_wish *w, const struct call *c,
			 unsigned i)
{
	struct buf room = {0};
	bool taken = false;
	CK_ATTRIBUTE id;
	CK_RV rv = id_of(c, i, &room, &id);

	if (rv == CKR_OK && id.ulValueLen > 0)
		rv = is_taken(m, w->class, &id, &taken);
	buf_free(&room);
	if (!taken)
		return rv;
	log_msg(LOG_LEVEL_ERROR,
		"token %s: %s refused: member %s has a key with this CKA_ID, and would replace it "
		"by the new one%s",
		c->group->conf->label, call_name(c->id), m->conf->name,
		c->id == CALL_C_CopyObject ? " (a copy has that of the original, unless it gets "
					     "another)"
					   : "");
	return CKR_ATTRIBUTE_VALUE_INVALID;
}

CK_RV wish_check_id(const struct sharing_wish *w, const struct call *c, unsigned i)
{
	const struct group *g = c->group;
	CK_RV rv = CKR_OK;

	if (!w->is_key && w->class != CKO_PUBLIC_KEY)
		return CKR_OK;
	for (unsigned k = 0; rv == CKR_OK && k < g->member_count; k++)
		if (replaces(&g->members[k]))
			rv = check_id_on(&g->members[k], w, c, i);
	return rv;
}

CK_RV wish_template(const struct sharing_wish *w, const struct call *c, unsigned i, CK_BBOOL *yes,
		    CK_ATTRIBUTE **out, CK_ULONG *count)
{
	CK_ATTRIBUTE *t = calloc(c->tmpl_count[i] + 3, sizeof *t);
	CK_ULONG n = 0;

	if (!t)
		return CKR_HOST_MEMORY;
	for (CK_ULONG k = 0; k < c->tmpl_count[i]; k++)
		if (!is_withheld(w, &c->tmpl[i][k]))
			t[n++] = c->tmpl[i][k];
	/* A copy is as extractable and as sensitive as what it is made of. */
	if (w->is_key && c->id != CALL_C_CopyObject) {
		t[n++] = (CK_ATTRIBUTE){CKA_EXTRACTABLE, yes, sizeof *yes};
		if (!attr_find(t, n, CKA_SENSITIVE))
			t[n++] = (CK_ATTRIBUTE){CKA_SENSITIVE, yes, sizeof *yes};
	}
	if (w->is_trusted_only)
		t[n++] = (CK_ATTRIBUTE){CKA_WRAP_WITH_TRUSTED, yes, sizeof *yes};
	*out = t;
	*count = n;
	return CKR_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual objects: what is asked about them, how they come to be known, how private ones end. The
 * table itself is in object_table.c. */
#include "core/object.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/identity_use.h"
#include "core/member_op.h"
#include "core/object_table.h"
#include "core/object_trait.h"

/* Asks for attributes: with a session on a borrowed one of the member, else on `ms`. */
static CK_RV read_on(struct group *g, struct session *s, struct member_session *ms,
		     CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     const CK_ATTRIBUTE *asked)
{
	struct call call = {
		.id = CALL_C_GetAttributeValue,
		.place = ms ? CALL_BOUND : CALL_BORROW,
		.is_ours = true,
		.group = g,
		.session = s,
		.ms = ms,
		.object = {{object, CKR_OBJECT_HANDLE_INVALID}},
		.tmpl = {tmpl},
		.tmpl_count = {count},
		.asked = asked,
	};

	return call_run(&call);
}

CK_RV object_read_in(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     const CK_ATTRIBUTE *asked)
{
	return read_on(s->group, s, NULL, object, tmpl, count, asked);
}

/* Reads one boolean; one that the object does not have is false. */
static CK_RV read_bool(struct group *g, struct session *s, struct member_session *ms,
		       CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool *value)
{
	CK_BBOOL b = CK_FALSE;
	CK_ATTRIBUTE a = {type, &b, sizeof b};
	const CK_ATTRIBUTE asked = a;
	CK_RV rv = read_on(g, s, ms, object, &a, 1, &asked);

	if (rv == CKR_OK && a.ulValueLen == sizeof b)
		*value = b != CK_FALSE;
	else if (rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE)
		*value = false;
	else
		return rv;
	return CKR_OK;
}

CK_RV object_is_token(struct session *s, CK_OBJECT_HANDLE handle, bool *is_token)
{
	struct object_view view;
	struct object *o;
	CK_RV rv;

	if (!object_get(s->group, handle, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	*is_token = view.is_token == OBJECT_YES;
	if (view.is_token != OBJECT_UNKNOWN)
		return CKR_OK;
	rv = read_bool(s->group, s, NULL, handle, CKA_TOKEN, is_token);
	o = object_slot(handle);
	if (rv == CKR_OK && o)
		object_learn(&o->is_token, *is_token ? OBJECT_YES : OBJECT_NO);
	return rv;
}

static bool is_private(struct group *g, struct member_session *ms, CK_OBJECT_HANDLE handle)
{
	struct object_view view;
	bool is = true;

	if (!object_get(g, handle, &view))
		return false;
	if (view.is_private != OBJECT_UNKNOWN)
		return view.is_private == OBJECT_YES;
	if (read_bool(g, NULL, ms, handle, CKA_PRIVATE, &is) != CKR_OK)
		return true; /* cannot tell: the handle dies, the object does not */
	return is;
}

/* A session object goes itself, not its handle alone: NSS 3.87 keeps it over C_Logout. */
static void end_private(struct group *g, struct member_session *ms, CK_OBJECT_HANDLE handle)
{
	struct object_view view;
	CK_OBJECT_HANDLE real;

	if (object_get(g, handle, &view) && view.is_token == OBJECT_NO &&
	    object_real(g, handle, ms->member, ms->epoch, &real))
		member_destroy(ms, real);
	object_drop(handle);
}

static bool add_private(struct trait *t, void *context)
{
	return !t->id.is_private || buf_add(context, &t->handle, sizeof t->handle);
}

/* Private objects on members that cannot be asked now: they end with the login, too. */
static void end_private_away(struct group *g)
{
	struct buf handles = {0};
	const uint32_t *h;

	trait_lock();
	trait_each(g, add_private, &handles);
	trait_unlock();
	h = (const uint32_t *)(const void *)handles.data;
	for (size_t i = 0; i < handles.len / sizeof *h; i++)
		object_drop(h[i]);
	buf_free(&handles);
}

void object_drop_private(struct group *g, struct member_session *ms)
{
	struct buf handles = {0};
	const uint32_t *h;
	size_t n;

	if (!object_map_handles(ms->member, &handles)) {
		buf_free(&handles);
		object_drop_epoch(ms->member); /* no memory to ask: none survives */
		return;
	}
	h = (const uint32_t *)(const void *)handles.data;
	n = handles.len / sizeof *h;
	for (size_t i = 0; i < n; i++)
		if (is_private(g, ms, h[i]))
			end_private(g, ms, h[i]);
	buf_free(&handles);
	if (g->is_multi)
		end_private_away(g);
}

static void unmake(struct call *c)
{
	struct member_session *ms;

	if (pool_take(c->member, 0, 0, &ms) != CKR_OK)
		return; /* session objects go with their session; a token object stays, unknown to
			   us */
	/* In another epoch the numbers are other objects'. */
	if (ms->epoch != c->made_epoch) {
		pool_give(ms, 0);
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		if (c->made[i])
			member_destroy(ms, c->made[i]);
	for (unsigned i = 0; c->mech && i < c->mech->made_count; i++)
		if (*c->mech->made[i].where)
			member_destroy(ms, *c->mech->made[i].where);
	pool_give(ms, 0);
}

/* What a new token object is, proven. CKR_HOST_MEMORY; else *is_known. */
static CK_RV look_at_new(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE real,
			 struct identity *id, bool *is_known)
{
	enum identity_match is = IDENTITY_SAME;
	CK_RV rv = ms->epoch == c->made_epoch ? identity_read(ms, real, id) : CKR_DEVICE_ERROR;

	if (rv == CKR_OK && id->kind == IDENTITY_PUBLIC)
		rv = identity_prove(ms, real, id, &is);
	*is_known = rv == CKR_OK && is == IDENTITY_SAME;
	return rv == CKR_HOST_MEMORY ? rv : CKR_OK;
}

/* The handle stands for it on all members, unless nothing shows what it is (*stays). */
static CK_RV remember_new(struct call *c, CK_OBJECT_HANDLE handle, struct identity *id, bool *stays)
{
	struct object *o = object_slot(handle);
	struct trait *t;
	bool ok;

	*stays = id->kind == IDENTITY_NONE;
	object_learn(&o->is_private, id->is_private ? OBJECT_YES : OBJECT_NO);
	trait_lock();
	ok = trait_add((uint32_t)handle, c->group, id);
	t = trait_of((uint32_t)handle);
	if (t)
		t->is_proven = true;
	trait_unlock();
	if (ok && !*stays)
		atomic_store(&o->bound, 0);
	return ok ? CKR_OK : CKR_HOST_MEMORY;
}

/* Looks at it once. *is_vague: a failure that passes may have kept it from showing what it is; it
 * is remembered then in the last attempt only. */
static CK_RV adopt_once(struct call *c, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE handle,
			bool is_last, bool *is_vague)
{
	struct member_session *ms = NULL;
	struct identity id = {0};
	bool is_known = false, stays = true;
	CK_RV rv = pool_take(c->member, 0, c->group->config->retry.budget_ms, &ms);

	*is_vague = true;
	if (rv != CKR_OK)
		return rv == CKR_HOST_MEMORY ? rv : CKR_OK;
	rv = look_at_new(c, ms, real, &id, &is_known);
	*is_vague = rv == CKR_OK && (!is_known || id.is_doubtful);
	if (rv == CKR_OK && is_known && (is_last || !*is_vague))
		rv = remember_new(c, handle, &id, &stays);
	if (rv != CKR_OK || stays)
		pool_drop(ms); /* a proof that was not given may have left something there */
	else
		pool_give(ms, 0);
	identity_free(&id);
	return rv;
}

/* What a new token object is, so that it is known on other members and after this one came back.
 * Where that cannot be shown it stays bound to its member. CKR_HOST_MEMORY: it would be shown
 * twice, if others have it, too. */
static CK_RV adopt(struct call *c, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE handle)
{
	bool is_vague = true;
	CK_RV rv = CKR_OK;

	for (unsigned i = 1; rv == CKR_OK && is_vague && i <= IDENTITY_TRIES; i++)
		rv = adopt_once(c, real, handle, i == IDENTITY_TRIES, &is_vague);
	return rv;
}

static CK_RV publish_one(struct call *c, CK_OBJECT_HANDLE real, enum object_fact fact,
			 CK_OBJECT_HANDLE *app)
{
	bool is_token = fact == OBJECT_YES;
	CK_RV rv = object_add_made(c, real, fact, app);

	if (rv == CKR_OK && fact == OBJECT_UNKNOWN)
		rv = object_is_token(c->session, *app, &is_token);
	if (rv == CKR_OK && !is_token)
		rv = session_keep(c->session, *app);
	if (rv == CKR_OK && is_token && c->group->is_multi)
		rv = adopt(c, real, *app);
	return rv;
}

CK_RV object_publish(struct call *c, const bool is_token[2], bool is_shared,
		     CK_OBJECT_HANDLE *const app[2])
{
	CK_OBJECT_HANDLE handle[2 + MECH_MAX_HANDLES] = {0};
	unsigned extra = c->mech ? c->mech->made_count : 0;
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; rv == CKR_OK && i < 2; i++)
		if (c->made[i])
			rv = publish_one(c, c->made[i], is_token[i] ? OBJECT_YES : OBJECT_NO,
					 &handle[i]);
	for (unsigned i = 0; rv == CKR_OK && i < extra; i++)
		if (*c->mech->made[i].where)
			rv = publish_one(c, *c->mech->made[i].where, OBJECT_UNKNOWN,
					 &handle[2 + i]);
	if (rv != CKR_OK) {
		if (!is_shared)
			unmake(c);
		for (unsigned i = 0; i < 2 + extra; i++)
			object_drop(handle[i]);
		return rv;
	}
	for (unsigned i = 0; i < 2; i++)
		if (app[i])
			*app[i] = handle[i];
	for (unsigned i = 0; i < extra; i++)
		if (c->mech->made[i].app)
			*c->mech->made[i].app = handle[2 + i];
	return CKR_OK;
}

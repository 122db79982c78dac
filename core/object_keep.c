/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of objects beside their handles: templates of session objects, names that change,
 * and which of them a member that came back has to show. */
#include <stdlib.h>
#include <string.h>

#include "core/base/locked.h"
#include "core/base/log.h"
#include "core/explicit.h"
#include "core/health.h"
#include "core/object_table.h"
#include "core/object_trait.h"
#include "core/session.h"

/* Values beyond this are not kept to make a session object again. */
#define TEMPLATE_MAX (64UL * 1024)

/* Copies a template into one block, locked when it holds a key; in the place of the one before. */
static bool copy_template(struct trait *t, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_OBJECT_CLASS class = attr_ulong(tmpl, count, CKA_CLASS, CKO_VENDOR_DEFINED);
	bool is_secret = class == CKO_SECRET_KEY || class == CKO_PRIVATE_KEY;
	CK_ATTRIBUTE *block;
	size_t size = 0;

	if (attr_size(tmpl, count, &size) != CKR_OK || size == 0 || size > TEMPLATE_MAX)
		return false;
	block = is_secret ? locked_new(size) : calloc(1, size);
	if (!block || attr_copy_to(tmpl, count, block, size) != CKR_OK) {
		if (is_secret)
			locked_free(block, size);
		else
			free(block);
		return false;
	}
	trait_free_template(t);
	t->tmpl = block;
	t->tmpl_size = size;
	t->is_tmpl_locked = is_secret;
	t->tmpl_count = count;
	return true;
}

/* It cannot be made again: it stays on a member where it is. */
static void bind_template_less(struct group *g, CK_OBJECT_HANDLE handle)
{
	struct object *o = object_slot(handle);

	trait_drop((uint32_t)handle);
	for (unsigned i = 0; o && i < g->member_count; i++)
		if (atomic_load(&o->at[i].found))
			atomic_store(&o->bound, i + 1);
}

/* The template with the attributes of `tmpl` in the place of its own, or beside them. The traits'
 * lock is held. */
static bool change_template(struct trait *t, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_ATTRIBUTE *all = calloc(t->tmpl_count + count, sizeof *all);
	CK_ULONG n = 0;
	bool ok;

	if (!all)
		return false;
	for (CK_ULONG i = 0; i < t->tmpl_count; i++)
		if (!attr_find(tmpl, count, t->tmpl[i].type))
			all[n++] = t->tmpl[i];
	for (CK_ULONG i = 0; i < count; i++)
		all[n++] = tmpl[i];
	ok = copy_template(t, all, n);
	free(all);
	return ok;
}

/* The session that owns the object went, and the object with it. */
static bool is_gone(CK_RV rv)
{
	return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
	       rv == CKR_OBJECT_HANDLE_INVALID;
}

/* What the member says that the template does not. False when the object is lost, with its member
 * or its session, or given up, see object_keep_template(); of a member that serves and does not say
 * it, *is_known is false. */
static bool read_more(struct call *c, bool may_bind, struct explicit *more, bool *is_known)
{
	const CK_ATTRIBUTE *tmpl = c->tmpl[0];
	const CK_ULONG count = c->tmpl_count[0];
	CK_OBJECT_CLASS class = attr_ulong(tmpl, count, CKA_CLASS, CKO_VENDOR_DEFINED);
	struct member_session *home = c->session->home[c->member->index];
	CK_RV rv = CKR_SESSION_HANDLE_INVALID;

	if (home && home->epoch == c->made_epoch)
		rv = explicit_read(home, c->made[0], class, tmpl, count, more);
	*is_known = rv == CKR_OK;
	return *is_known || (may_bind && !is_gone(rv) && health_ask(c->member) &&
			     c->made_epoch == atomic_load(&c->member->epoch));
}

bool object_keep_template(struct call *c, CK_OBJECT_HANDLE handle, bool may_bind)
{
	struct identity none = {0};
	struct explicit more;
	struct trait *t;
	bool ok;

	if (!read_more(c, may_bind, &more, &ok))
		return false;
	trait_lock();
	ok = ok && object_slot(handle) && trait_add((uint32_t)handle, c->group, &none);
	t = ok ? trait_of((uint32_t)handle) : NULL;
	ok = t && copy_template(t, c->tmpl[0], c->tmpl_count[0]) &&
	     change_template(t, more.a, more.count);
	trait_unlock();
	if (!ok)
		bind_template_less(c->group, handle);
	return true;
}

void object_keep_change(struct group *g, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *tmpl,
			CK_ULONG count)
{
	struct trait *t;
	bool ok;

	trait_lock();
	t = trait_of((uint32_t)handle);
	ok = !t || !t->tmpl || change_template(t, tmpl, count);
	trait_unlock();
	if (!ok)
		bind_template_less(g, handle);
}

/* Whether a change makes it another one: a secret key that lost a use answers in another way, of
 * data the label is part of what they are. */
static bool becomes_another(const struct identity *id)
{
	return id->kind == IDENTITY_ANSWER ||
	       (id->kind == IDENTITY_VALUE &&
		(id->class == CKO_DATA || id->class == CKO_DOMAIN_PARAMETERS));
}

/* It is known by that from now on. */
static void take_digest(const struct identity *now, struct identity *known)
{
	if (now->kind != known->kind || !becomes_another(now))
		return;
	known->mechanism = now->mechanism;
	known->use = now->use;
	memcpy(known->digest, now->digest, sizeof known->digest);
}

void object_renamed(struct call *c, CK_OBJECT_HANDLE handle)
{
	struct member_session *ms = NULL;
	struct identity id = {0};
	CK_OBJECT_HANDLE real;
	struct trait *t;

	if (!object_real(c->group, handle, c->member, c->made_epoch, &real) ||
	    pool_take(c->member, 0, c->group->config->retry.budget_ms, &ms) != CKR_OK)
		return;
	if (ms->epoch == c->made_epoch && identity_read(ms, real, &id) == CKR_OK) {
		trait_lock();
		t = trait_of((uint32_t)handle);
		/* What it is does not change with its name otherwise, and was proven. */
		if (t) {
			struct identity changed = {0};

			if (trait_copy_identity(&t->id, &changed)) {
				struct buf swap = changed.id;

				changed.id = id.id;
				id.id = swap;
				swap = changed.label;
				changed.label = id.label;
				id.label = swap;
				take_digest(&id, &changed);
				trait_change(t, &changed);
			}
		}
		trait_unlock();
		if (id.kind == IDENTITY_NONE)
			pool_drop(ms);
		else
			pool_give(ms, 0);
		identity_free(&id);
	} else {
		pool_drop(ms);
	}
}

struct in_use {
	struct buf handles; /* uint32_t each */
};

static bool add_in_use(struct trait *t, void *context)
{
	struct in_use *u = context;
	const struct object *o = object_slot(t->handle);

	if (o && !t->tmpl && !atomic_load(&o->bound) && atomic_load(&o->is_used))
		return buf_add(&u->handles, &t->handle, sizeof t->handle);
	return true;
}

void object_check_member(struct member *m)
{
	struct in_use u = {{0}};
	const uint32_t *h;

	if (!m->group->is_multi)
		return;
	trait_lock();
	trait_each(m->group, add_in_use, &u);
	trait_unlock();
	h = (const uint32_t *)(const void *)u.handles.data;
	for (size_t i = 0; i < u.handles.len / sizeof *h; i++) {
		struct member_session *ms;
		CK_OBJECT_HANDLE real;
		CK_RV rv = pool_take(m, 0, m->group->config->retry.budget_ms, &ms);

		if (rv != CKR_OK)
			break;
		rv = object_locate(m->group, NULL, ms, h[i], &real);
		if (rv == CKR_OK)
			pool_give(ms, 0);
		else
			pool_drop(ms);
		if (rv == CKR_OBJECT_HANDLE_INVALID)
			log_msg(LOG_LEVEL_WARN,
				"member %s of token %s: does not have an object that is in use; it "
				"does "
				"not serve for that one",
				m->conf->name, m->group_label);
	}
	buf_free(&u.handles);
}

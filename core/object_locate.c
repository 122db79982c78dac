/* SPDX-License-Identifier: BSD-2-Clause */
/* An object is looked for on another member, or on the same one after it came back, and has to
 * prove that it is the same before a call may use it there.
 *
 * What was found out is written where the hot path reads it (object_real); what a member does not
 * have is remembered for its epoch, so that it is not asked at every call. Two threads may look for
 * one object at the same time: both find the same. No lock is held while a member is asked. */
#include <stdlib.h>
#include <string.h>

#include "core/base/locked.h"
#include "core/base/log.h"
#include "core/identity_attr.h"
#include "core/kek.h"
#include "core/member_op.h"
#include "core/object_table.h"
#include "core/object_trait.h"
#include "core/orphan.h"

/* Candidates under one name that are remembered, so that none is tried twice. */
#define TRIED_MAX 16U

/* What is known of the object, copied. */
struct sought {
	uint32_t handle;
	struct identity id;
	bool is_proven;
	CK_OBJECT_HANDLE other; /* what has its name there and is not it; 0: nothing */
	enum identity_match is; /* what was shown of that one */
	CK_OBJECT_HANDLE tried[TRIED_MAX];
	unsigned tried_count;
	CK_ATTRIBUTE *tmpl; /* of a session object, in locked pages; NULL for others */
	CK_ULONG tmpl_count;
	size_t tmpl_size;
};

static void sought_end(struct sought *s)
{
	identity_free(&s->id);
	locked_free(s->tmpl, s->tmpl_size);
}

/* The traits' lock is held. */
static bool copy_known(const struct trait *t, struct sought *out)
{
	if (!trait_copy_identity(&t->id, &out->id))
		return false;
	out->is_proven = t->is_proven;
	if (!t->tmpl)
		return true;
	out->tmpl_count = t->tmpl_count;
	out->tmpl_size = t->tmpl_size;
	out->tmpl = locked_new(t->tmpl_size);
	return out->tmpl && attr_copy_to(t->tmpl, t->tmpl_count, out->tmpl, t->tmpl_size) == CKR_OK;
}

static CK_RV sought_begin(const struct group *g, CK_OBJECT_HANDLE handle, struct sought *out)
{
	struct object_view view;
	const struct trait *t;
	bool ok = false, is_known;

	*out = (struct sought){0};
	if (!object_resolve(g, handle, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	out->handle = (uint32_t)view.handle;
	trait_lock();
	t = trait_of(out->handle);
	is_known = t != NULL;
	ok = t && copy_known(t, out);
	trait_unlock();
	if (ok)
		return CKR_OK;
	sought_end(out);
	return is_known ? CKR_HOST_MEMORY : CKR_OBJECT_HANDLE_INVALID;
}

/* Writes where the object is. CKR_OBJECT_HANDLE_INVALID when the handle went meanwhile, or another
 * object has this number already. */
static CK_RV settle(const struct sought *s, struct member_session *ms, CK_OBJECT_HANDLE real)
{
	struct member *m = ms->member;
	struct member_map *entry;
	struct object *o;
	CK_RV rv;

	pthread_mutex_lock(&m->map_lock);
	entry = object_map_entry(m, ms->epoch, real, &rv);
	o = entry ? object_slot(s->handle) : NULL;
	if (entry && (!o || (entry->handle != s->handle && object_slot(entry->handle))))
		rv = CKR_OBJECT_HANDLE_INVALID;
	if (rv == CKR_OK) {
		object_place(o, m, ms->epoch, real, true);
		object_map_set(m, entry, real, s->handle);
	}
	pthread_mutex_unlock(&m->map_lock);
	return rv;
}

/* False when another member was faster, and the handle now means what that one has. */
static bool mark_proven(const struct sought *s, const struct member *m)
{
	const struct object *o = object_slot(s->handle);
	struct trait *t;
	bool ok;

	trait_lock();
	t = trait_of(s->handle);
	ok = t && o && (!atomic_load(&o->bound) || atomic_load(&o->bound) == m->index + 1);
	if (ok)
		t->is_proven = true;
	trait_unlock();
	return ok;
}

/* Whether a key that did not prove itself may stay what the handle means: a search found it here,
 * in this life of the member, and nowhere else; or, where it only could not show it, here first. A
 * key that was merely looked for under the name of another one is never bound. */
static bool may_bind(const struct object *o, const struct member *m, unsigned epoch, bool is_lie)
{
	const struct group *g = m->group;
	bool is_first = true, is_alone = true;

	for (unsigned i = 0; i < g->member_count; i++) {
		if (i == m->index || !atomic_load(&o->at[i].found))
			continue;
		is_alone = false;
		is_first = is_first && object_rank_of(g, m->index) < object_rank_of(g, i);
	}
	return atomic_load(&o->at[m->index].found) == epoch && (is_alone || (is_first && !is_lie));
}

/* The public key that was believed to belong to a private one does not, or it cannot be shown: the
 * handle means what this member has, and nothing elsewhere. */
static bool bind_here(const struct sought *s, const struct member *m, unsigned epoch, bool is_lie)
{
	struct group *g = m->group;
	struct object *o = object_slot(s->handle);
	struct identity plain = {0};
	struct trait *t;

	if (!o)
		return false;
	trait_lock();
	t = trait_of(s->handle);
	/* Another member has shown it meanwhile, or has a better right to the name. */
	if (!t || t->is_proven || !may_bind(o, m, epoch, is_lie)) {
		trait_unlock();
		return false;
	}
	t->is_proven = true;
	if (trait_copy_identity(&t->id, &plain)) {
		EVP_PKEY_free(plain.public_key);
		plain.public_key = NULL;
		plain.kind = IDENTITY_NONE;
		trait_change(t, &plain);
	}
	atomic_store(&o->bound, m->index + 1);
	trait_unlock();
	if (is_lie)
		log_msg(LOG_LEVEL_WARN,
			"token %s: member %s: the private key with the label \"%.*s\" does not "
			"belong to "
			"the public key of the same id: it is used on this member only",
			g->conf->label, m->conf->name, (int)s->id.label.len,
			s->id.label.data ? (const char *)s->id.label.data : "");
	for (unsigned i = 0; i < g->member_count; i++)
		if (i != m->index && atomic_load(&o->at[i].found)) {
			object_map_drop(&g->members[i], atomic_load(&o->at[i].real), s->handle);
			atomic_store(&o->at[i].proven, 0);
			atomic_store(&o->at[i].found, 0);
		}
	return true;
}

/* What is there under its name is not it, or cannot be shown to be. */
static void report_other(const struct sought *s, const struct member *m, enum identity_match is)
{
	log_msg(LOG_LEVEL_WARN,
		"token %s: member %s has %s under the label \"%.*s\": it is never used in place of "
		"the "
		"one that the other members have",
		m->group_label, m->conf->name,
		is == IDENTITY_DIFFERENT ? "another key" : "a key that cannot prove to be the same",
		(int)s->id.label.len, s->id.label.data ? (const char *)s->id.label.data : "");
}

/* One candidate: CKR_OK when it is the one, CKR_OBJECT_HANDLE_INVALID when it is not. */
static CK_RV try_one(struct sought *s, struct member_session *ms, CK_OBJECT_HANDLE real)
{
	enum identity_match is = IDENTITY_UNKNOWN;
	CK_RV rv = identity_prove(ms, real, &s->id, &is);

	if (rv == CKR_OK && is == IDENTITY_DOUBTFUL &&
	    object_may_be_a_whim(object_slot(s->handle), ms->member, ms->epoch))
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK)
		return rv;
	if (is == IDENTITY_SAME)
		return mark_proven(s, ms->member) ? settle(s, ms, real) : CKR_OBJECT_HANDLE_INVALID;
	/* The first time that it is used at all: nobody has shown more than this. */
	if (!s->is_proven && s->id.kind == IDENTITY_PUBLIC &&
	    bind_here(s, ms->member, ms->epoch, is == IDENTITY_DIFFERENT))
		return settle(s, ms, real);
	s->other = real;
	s->is = is;
	object_map_drop(ms->member, real, s->handle);
	return CKR_OBJECT_HANDLE_INVALID;
}

/* Real handles that are another object's already are no candidates. */
static bool is_taken(struct member_session *ms, CK_OBJECT_HANDLE real, uint32_t handle)
{
	struct member *m = ms->member;
	struct member_map *entry;
	bool taken = false;
	CK_RV rv;

	pthread_mutex_lock(&m->map_lock);
	entry = object_map_entry(m, ms->epoch, real, &rv);
	if (entry && entry->handle != handle)
		taken = entry->handle == OBJECT_HIDDEN || object_slot(entry->handle);
	pthread_mutex_unlock(&m->map_lock);
	return taken;
}

/* Whether a candidate was tried already; if not it is now. */
static bool was_tried(struct sought *s, CK_OBJECT_HANDLE real)
{
	for (unsigned i = 0; i < s->tried_count; i++)
		if (s->tried[i] == real)
			return true;
	if (s->tried_count < TRIED_MAX)
		s->tried[s->tried_count++] = real;
	return false;
}

/* Whether a candidate is hsmux's own, such as the KEK. An id may be anybody's: the KEK would be
 * found by it. */
static CK_RV is_own(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
		    bool *is)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_LABEL, CKA_ID};
	const size_t len = sizeof ORPHAN_OWN_PREFIX - 1;
	struct identity_attrs attrs;
	struct identity named = {.class = class};
	const CK_ATTRIBUTE *label, *id;
	CK_RV rv;

	*is = false;
	if (class != CKO_SECRET_KEY)
		return CKR_OK;
	rv = identity_attrs_read(ms, real, types, 2, &attrs);
	if (rv != CKR_OK)
		return rv;
	label = identity_attr(&attrs, CKA_LABEL);
	id = identity_attr(&attrs, CKA_ID);
	if (label) /* borrowed, as for the id */
		named.label = (struct buf){.data = label->pValue, .len = label->ulValueLen};
	if (id)
		named.id = (struct buf){.data = id->pValue, .len = id->ulValueLen};
	*is = kek_is_named(ms->member->group, &named) ||
	      (label && label->ulValueLen >= len &&
	       memcmp(label->pValue, ORPHAN_OWN_PREFIX, len) == 0);
	identity_attrs_free(&attrs);
	return CKR_OK;
}

/* One list of candidates. After one that proved nothing the session may not be fit for another
 * proof: *own replaces it. */
static CK_RV try_all(struct sought *s, struct member_session *ms, struct member_session **own,
		     const struct buf *handles, CK_OBJECT_HANDLE *real)
{
	const CK_OBJECT_HANDLE *h = (const CK_OBJECT_HANDLE *)(const void *)handles->data;
	CK_RV rv = CKR_OBJECT_HANDLE_INVALID;
	bool own_object;

	for (size_t i = 0; rv == CKR_OBJECT_HANDLE_INVALID && i < handles->len / sizeof *h; i++) {
		if (h[i] == CK_INVALID_HANDLE || is_taken(ms, h[i], s->handle) ||
		    was_tried(s, h[i]))
			continue;
		rv = is_own(*own ? *own : ms, h[i], s->id.class, &own_object);
		if (rv == CKR_OK || rv == CKR_OBJECT_HANDLE_INVALID) /* or gone again */
			rv = rv == CKR_OK && !own_object ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
		if (rv != CKR_OK)
			continue;
		*real = h[i];
		s->is = IDENTITY_DIFFERENT;
		rv = try_one(s, *own ? *own : ms, h[i]);
		if (rv != CKR_OBJECT_HANDLE_INVALID || s->is == IDENTITY_DIFFERENT)
			continue;
		if (*own)
			pool_drop(*own);
		*own = NULL;
		if (pool_take(ms->member, 0, 0, own) != CKR_OK)
			rv = CKR_DEVICE_ERROR; /* nothing is known: another time */
	}
	return rv;
}

/* Looks under its name, then under its id alone. */
static CK_RV search(struct sought *s, struct member_session *ms, CK_OBJECT_HANDLE *real)
{
	CK_RV rv = CKR_OBJECT_HANDLE_INVALID;
	struct member_session *own = NULL;

	for (int any_label = 0; rv == CKR_OBJECT_HANDLE_INVALID && any_label < 2; any_label++) {
		struct buf handles = {0};
		CK_RV found = identity_find(own ? own : ms, &s->id, any_label, &handles);

		rv = found == CKR_OK ? try_all(s, ms, &own, &handles, real) : found;
		buf_free(&handles);
	}
	if (own)
		pool_drop(own);
	return rv;
}

static bool has_nested(const struct sought *s)
{
	for (CK_ULONG i = 0; i < s->tmpl_count; i++)
		if (attr_is_template(s->tmpl[i].type))
			return true;
	return false;
}

/* Makes a session object again; `session` owns it on this member from now on. */
static CK_RV make_again(const struct sought *s, struct session *session, struct member *m,
			CK_OBJECT_HANDLE *real)
{
	const CK_OBJECT_HANDLE none[2] = {0, 0};
	struct call call = {
		.id = CALL_C_CreateObject, .tmpl = {s->tmpl}, .tmpl_count = {s->tmpl_count}};
	struct member_session *home = NULL;
	CK_RV rv;

	if (!session || (has_nested(s) && atomic_load(&m->lib->vendor)->flat_templates))
		return CKR_OBJECT_HANDLE_INVALID;
	/* The call holds a session already: two that waited here would wait for each other. */
	rv = session_home(session, m, 0, &home);
	if (rv == CKR_OK && !session_note_remade(session, s->handle))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = member_call(home, &call, none);
	if (rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED)
		session_drop_home(session, m);
	*real = call.made[0];
	return rv == CKR_OK && !*real ? CKR_DEVICE_ERROR : rv;
}

/* Codes that say of a member that it does not have, or cannot have, the object. */
static bool is_lack(CK_RV rv)
{
	return rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_TEMPLATE_INCONSISTENT ||
	       rv == CKR_TEMPLATE_INCOMPLETE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_ATTRIBUTE_READ_ONLY ||
	       rv == CKR_KEY_SIZE_RANGE || rv == CKR_DOMAIN_PARAMS_INVALID ||
	       rv == CKR_CURVE_NOT_SUPPORTED || rv == CKR_FUNCTION_NOT_SUPPORTED;
}

static CK_RV locate(struct sought *s, struct session *session, struct member_session *ms,
		    CK_OBJECT_HANDLE *real)
{
	const struct object *o = object_slot(s->handle);
	const struct object_place *at = o ? &o->at[ms->member->index] : NULL;
	CK_RV rv;

	if (!at || atomic_load(&at->absent) == ms->epoch)
		return CKR_OBJECT_HANDLE_INVALID;
	if (s->tmpl) {
		rv = make_again(s, session, ms->member, real);
		return rv == CKR_OK ? settle(s, ms, *real) : rv;
	}
	if (atomic_load(&at->found) == ms->epoch) {
		*real = atomic_load(&at->real);
		rv = try_one(s, ms, *real);
		if (rv != CKR_OBJECT_HANDLE_INVALID)
			return rv;
	}
	if (s->id.kind == IDENTITY_NONE)
		return CKR_OBJECT_HANDLE_INVALID;
	return search(s, ms, real);
}

/* Nothing is found, and no proof is given, on a member that forgot its login. */
static bool is_logged_out(const struct group *g, struct member_session *ms)
{
	CK_STATE state = 0;

	if (atomic_load(&g->user) != GROUP_USER)
		return false;
	return group_waits_for(ms->member) ||
	       (member_shows_user(ms->member) && pool_state(ms, &state) == CKR_OK &&
		!pool_is_user(state));
}

CK_RV object_locate(struct group *g, struct session *session, struct member_session *ms,
		    CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *real)
{
	const bool had_no_login = group_waits_for(ms->member);
	struct sought s;
	struct object *o;
	CK_RV rv;

	rv = sought_begin(g, handle, &s);
	if (rv != CKR_OK)
		return rv;
	rv = locate(&s, session, ms, real);
	o = object_slot(s.handle);
	if (o && is_lack(rv) && atomic_load(&o->at[ms->member->index].absent) != ms->epoch) {
		/* A member without its login finds nothing, either, nor one that is dead, and says
		 * so politely. */
		bool has_no_login = had_no_login || is_logged_out(g, ms);

		if (has_no_login || !member_probe(ms->member)) {
			rv = has_no_login ? CKR_USER_NOT_LOGGED_IN : CKR_DEVICE_ERROR;
			sought_end(&s);
			return rv;
		}
		if (s.other)
			report_other(&s, ms->member, s.is);
		object_absent(o, ms->member, ms->epoch, s.other);
	}
	if (is_lack(rv))
		rv = CKR_OBJECT_HANDLE_INVALID;
	sought_end(&s);
	return rv;
}

CK_RV object_on(struct group *group, struct session *session, struct member_session *ms,
		CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *real)
{
	return object_real(group, handle, ms->member, ms->epoch, real)
		       ? CKR_OK
		       : object_locate(group, session, ms, handle, real);
}

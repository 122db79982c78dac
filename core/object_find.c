/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that a search found become virtual ones.
 *
 * Known real handles are looked up in the member's map. For a new one the member is asked what it
 * is (identity.h), without a lock; then, with the member's map and the traits locked, it becomes
 * one more holder of an object that is known already, or a new object:
 *
 *   same name, same content       the same object
 *   same content, one name same   the same object, renamed on one side: drift
 *   same name, other content      a conflict: two keys, of which the member that comes first in the
 *                                 configuration shows its own; never one in place of the other
 *   anything else                 another object
 *
 * Content of a private key is a claim here; object_locate.c has it proven before it is used. */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/kek.h"
#include "core/object_table.h"
#include "core/object_trait.h"
#include "core/orphan.h"

static bool begins_with(const struct identity *id, const char *prefix)
{
	size_t len = strlen(prefix);

	return id->label.len >= len && memcmp(id->label.data, prefix, len) == 0;
}

/* Which of two members shows its object in a conflict: the lower number. */
unsigned object_rank_of(const struct group *g, unsigned i)
{
	const struct config_member *conf = g->members[i].conf;

	return ((unsigned)conf->role * 2048 + conf->priority) * CONFIG_MAX_MEMBERS + i;
}

unsigned object_rank(const struct group *g, uint32_t handle)
{
	const struct object *o = object_slot(handle);
	unsigned best = ~0U;

	for (unsigned i = 0; o && i < g->member_count; i++)
		if (atomic_load(&o->at[i].found) && object_rank_of(g, i) < best)
			best = object_rank_of(g, i);
	return best;
}

/* Whether the application has seen the object: what it means by the name does not change any more.
 */
static bool is_known_well(const struct trait *t)
{
	const struct object *o = object_slot(t->handle);

	return o && atomic_load(&o->is_seen);
}

/* Whether an object that is known may also be this one of member `m`: it has none there yet, and
 * this one was not found to be another. */
static bool has_room(const struct trait *t, const struct member *m, unsigned epoch,
		     CK_OBJECT_HANDLE real)
{
	const struct object *o = object_slot(t->handle);
	const struct object_place *at = o ? &o->at[m->index] : NULL;

	return at && !atomic_load(&o->bound) && atomic_load(&at->found) != epoch &&
	       (atomic_load(&at->absent) != epoch || atomic_load(&at->real) != real);
}

static bool is_buf(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* One of id and label is the same in both, and says something. */
static bool is_half_named(const struct identity *a, const struct identity *b)
{
	bool same_id = is_buf(&a->id, &b->id), same_label = is_buf(&a->label, &b->label);

	return (same_id && a->id.len > 0) || (same_label && a->label.len > 0) ||
	       (same_id && same_label);
}

/* The object that this one of member `m` is, or NULL. */
static struct trait *match(const struct group *g, const struct member *m, unsigned epoch,
			   CK_OBJECT_HANDLE real, const struct identity *id)
{
	struct trait *t = NULL;

	while ((t = trait_by_name(g, id, t)) != NULL)
		if (has_room(t, m, epoch, real) && identity_compare(&t->id, id) == IDENTITY_SAME)
			return t;
	while ((t = trait_by_digest(g, id, t)) != NULL)
		if (has_room(t, m, epoch, real) && t->id.key_type == id->key_type &&
		    is_half_named(&t->id, id))
			return t;
	return NULL;
}

/* An object of this name and other content that is shown, or NULL. */
static struct trait *rival(const struct group *g, const struct member *m, unsigned epoch,
			   const struct identity *id)
{
	struct trait *t = NULL;

	while ((t = trait_by_name(g, id, t)) != NULL) {
		const struct object *o = object_slot(t->handle);

		/* Two of one name on one token are the token's business. */
		if (o && !t->is_hidden && identity_same_name(&t->id, id) && t->id.is_token &&
		    id->is_token && atomic_load(&o->at[m->index].found) != epoch)
			return t;
	}
	return NULL;
}

static void report(const struct group *g, const struct member *m, struct trait *t)
{
	if (t->is_reported)
		return;
	t->is_reported = true;
	log_msg(LOG_LEVEL_WARN,
		"token %s: member %s has another object under the label \"%.*s\" than the other "
		"members: the one that this process knows, or that of the member that comes first, "
		"is shown, none is used in place of the other; compare and remove one",
		g->conf->label, m->conf->name, (int)t->id.label.len,
		t->id.label.data ? (const char *)t->id.label.data : "");
}

/* A new object for what member `m` has; shown, unless the other one of its name comes first. */
static CK_RV add_new(struct group *g, struct member *m, unsigned epoch, CK_OBJECT_HANDLE real,
		     struct identity *id, uint32_t *handle)
{
	bool is_bound = id->kind == IDENTITY_NONE || !id->is_token;
	bool is_proven = id->kind != IDENTITY_PUBLIC;
	struct trait *other = rival(g, m, epoch, id);
	uint32_t h =
		object_new(g, 0, is_bound ? m->index + 1 : 0, id->is_token ? OBJECT_YES : OBJECT_NO,
			   id->is_private ? OBJECT_YES : OBJECT_NO);

	if (!h)
		return CKR_HOST_MEMORY;
	if (!trait_add(h, g, id)) {
		object_release(h); /* the traits' lock is held */
		return CKR_HOST_MEMORY;
	}
	object_place(object_slot(h), m, epoch, real, is_proven);
	if (other) {
		report(g, m, other);
		if (is_known_well(other) ||
		    object_rank(g, other->handle) < object_rank_of(g, m->index))
			trait_hide(trait_of(h), true);
		else
			trait_hide(other, true);
	}
	*handle = h;
	return CKR_OK;
}

/* The object becomes one of those that are known, or a new one. map_lock and the traits' lock are
 * held.
 */
static CK_RV become(struct group *g, struct member *m, unsigned epoch, CK_OBJECT_HANDLE real,
		    struct identity *id, uint32_t *handle)
{
	struct trait *t = match(g, m, epoch, real, id);
	const struct trait *other = t || !id->is_doubtful ? NULL : rival(g, m, epoch, id);

	if (other && object_may_be_a_whim(object_slot(other->handle), m, epoch))
		return CKR_DEVICE_ERROR; /* it may be that one */
	if (!t)
		return add_new(g, m, epoch, real, id, handle);
	if (!identity_same_name(&t->id, id) && !t->is_reported &&
	    (t->id.id.len > 0 || t->id.label.len > 0)) {
		t->is_reported = true;
		log_msg(LOG_LEVEL_WARN,
			"token %s: member %s has the object with the label \"%.*s\" under another "
			"label or id: the name that was found first is shown",
			g->conf->label, m->conf->name, (int)t->id.label.len,
			t->id.label.data ? (const char *)t->id.label.data : "");
	}
	object_place(object_slot(t->handle), m, epoch, real, id->kind != IDENTITY_PUBLIC);
	*handle = t->handle;
	return CKR_OK;
}

/* It is on its way in another thread or process, or was left by one that died. */
static void report_pending(const struct member *m, const struct identity *id)
{
	static struct log_limit limit;

	log_limited(&limit, LOG_LEVEL_INFO,
		    "member %s of token %s: an object labelled \"%.*s\" is not shown: it is being "
		    "made, or was left by a process that died while it made it",
		    m->conf->name, m->group_label, (int)id->label.len,
		    (const char *)id->label.data);
}

static CK_RV add_locked(struct call *c, CK_OBJECT_HANDLE real, struct identity *id,
			uint32_t *handle)
{
	struct member *m = c->member;
	struct member_map *entry;
	CK_RV rv;

	entry = object_map_entry(m, c->made_epoch, real, &rv);
	if (!entry)
		return rv;
	if (entry->handle == OBJECT_HIDDEN || object_slot(entry->handle)) {
		*handle = entry->handle; /* somebody else was faster */
		return CKR_OK;
	}
	/* Session objects that are ours were known before: this one is somebody else's in this
	 * process, or a copy that its owner forgot. */
	if (begins_with(id, ORPHAN_TAG_PREFIX)) {
		/* Not kept in the map, so that it is seen when it has its label. */
		report_pending(m, id);
		*handle = OBJECT_HIDDEN;
		return CKR_OK;
	}
	if (begins_with(id, ORPHAN_OWN_PREFIX) || kek_is_named(c->group, id) || !id->is_token) {
		*handle = OBJECT_HIDDEN;
	} else {
		trait_lock();
		rv = become(c->group, m, c->made_epoch, real, id, handle);
		trait_unlock();
	}
	if (rv == CKR_OK)
		object_map_set(m, entry, real, *handle);
	return rv;
}

/* A private key whose public key this member does not show may be one that another member showed;
 * a secret key that failed to answer as others did may do so now. False when the state of the
 * session is in doubt afterwards. */
static bool borrow_identity(const struct call *c, struct member_session *ms, CK_OBJECT_HANDLE real,
			    struct identity *id)
{
	struct identity known = {0};
	enum identity_match is = IDENTITY_UNKNOWN;
	const struct trait *t;
	bool has = false;

	if ((id->kind != IDENTITY_NONE && !id->is_doubtful) ||
	    (id->class != CKO_PRIVATE_KEY && id->class != CKO_SECRET_KEY))
		return true;
	trait_lock();
	t = trait_by_name(c->group, id, NULL);
	while (t && t->id.kind != IDENTITY_PUBLIC && t->id.kind != IDENTITY_ANSWER)
		t = trait_by_name(c->group, id, t);
	if (t)
		has = trait_copy_identity(&t->id, &known);
	trait_unlock();
	if (has && identity_prove(ms, real, &known, &is) == CKR_OK && is == IDENTITY_SAME) {
		struct identity swapped = *id;

		*id = known;
		known = swapped;
	}
	id->is_doubtful = id->is_doubtful || (has && is == IDENTITY_DOUBTFUL);
	identity_free(&known);
	return !has || is == IDENTITY_SAME || is == IDENTITY_DIFFERENT;
}

/* What a real handle that is not in the map is. 0 in *handle: it is gone again. */
static CK_RV discover(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE real,
		      uint32_t *handle, bool *is_dirty)
{
	struct identity id = {0};
	CK_RV rv = identity_read(ms, real, &id);

	*handle = 0;
	if (rv == CKR_OBJECT_HANDLE_INVALID)
		return CKR_OK;
	if (rv != CKR_OK)
		return rv;
	/* A secret key that gave no answer may have left an operation behind. */
	*is_dirty = id.kind == IDENTITY_NONE && id.class == CKO_SECRET_KEY;
	if (!borrow_identity(c, ms, real, &id))
		*is_dirty = true;
	pthread_mutex_lock(&c->member->map_lock);
	rv = add_locked(c, real, &id, handle);
	pthread_mutex_unlock(&c->member->map_lock);
	identity_free(&id);
	return rv;
}

/* The virtual handle in the member's map, 0 when there is none. */
static uint32_t known_handle(struct call *c, CK_OBJECT_HANDLE real, CK_RV *rv)
{
	struct member_map *entry;
	uint32_t handle = 0;

	pthread_mutex_lock(&c->member->map_lock);
	entry = object_map_entry(c->member, c->made_epoch, real, rv);
	if (entry && (entry->handle == OBJECT_HIDDEN || object_slot(entry->handle)))
		handle = entry->handle;
	pthread_mutex_unlock(&c->member->map_lock);
	return handle;
}

/* A passthrough token shows what its member has. */
static CK_RV add_plain(struct call *c, CK_OBJECT_HANDLE real, uint32_t *handle)
{
	struct member *m = c->member;
	struct member_map *entry;
	CK_RV rv;

	pthread_mutex_lock(&m->map_lock);
	entry = object_map_entry(m, c->made_epoch, real, &rv);
	if (entry && object_slot(entry->handle)) {
		*handle = entry->handle;
	} else if (entry) {
		*handle = object_new(c->group, 0, m->index + 1, OBJECT_UNKNOWN, OBJECT_UNKNOWN);
		if (*handle) {
			object_place(object_slot(*handle), m, c->made_epoch, real, true);
			object_map_set(m, entry, real, *handle);
		} else {
			rv = CKR_HOST_MEMORY;
		}
	}
	pthread_mutex_unlock(&m->map_lock);
	return rv;
}

static bool is_shown(uint32_t handle)
{
	struct object *o = object_slot(handle);
	const struct trait *t;
	bool shown = o != NULL;

	if (o && trait_any_hidden()) {
		trait_lock();
		t = trait_of(handle);
		shown = !t || !t->is_hidden;
		trait_unlock();
	}
	if (shown && !atomic_load_explicit(&o->is_seen, memory_order_relaxed))
		atomic_store(&o->is_seen, 1);
	return shown;
}

/* An entry of a list, and where it stands. */
struct listed {
	CK_OBJECT_HANDLE handle;
	size_t at;
};

static int by_handle(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->handle != y->handle)
		return x->handle < y->handle ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

/* Leaves each handle once, where it stands first. */
static CK_RV list_once(struct buf *out)
{
	CK_OBJECT_HANDLE *h = (CK_OBJECT_HANDLE *)(void *)out->data;
	size_t n = out->len / sizeof *h, kept = 0;
	struct listed *list = n > 1 ? calloc(n, sizeof *list) : NULL;

	if (n <= 1)
		return CKR_OK;
	if (!list)
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < n; i++)
		list[i] = (struct listed){h[i], i};
	qsort(list, n, sizeof *list, by_handle);
	for (size_t i = 1; i < n; i++)
		if (list[i].handle == list[i - 1].handle)
			h[list[i].at] = CK_INVALID_HANDLE;
	for (size_t i = 0; i < n; i++)
		if (h[i] != CK_INVALID_HANDLE)
			h[kept++] = h[i];
	out->len = kept * sizeof *h;
	free(list);
	return CKR_OK;
}

static CK_RV found_one(struct call *c, struct member_session **ms, CK_OBJECT_HANDLE real,
		       uint32_t *handle)
{
	bool is_dirty = false;
	CK_RV rv = CKR_OK;

	if (!c->group->is_multi)
		return add_plain(c, real, handle);
	*handle = known_handle(c, real, &rv);
	if (*handle || rv != CKR_OK)
		return rv;
	if (!*ms)
		rv = pool_take(c->member, 0, c->group->config->retry.budget_ms, ms);
	if (rv == CKR_OK && (*ms)->epoch != c->made_epoch)
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		rv = discover(c, *ms, real, handle, &is_dirty);
	if (is_dirty) {
		pool_drop(*ms);
		*ms = NULL;
	}
	return rv;
}

CK_RV object_found(struct call *c, const struct buf *real, struct buf *out)
{
	const CK_OBJECT_HANDLE *h = (const CK_OBJECT_HANDLE *)(const void *)real->data;
	size_t n = real->len / sizeof *h;
	struct member_session *ms = NULL;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < n; i++) {
		CK_OBJECT_HANDLE shown;
		uint32_t handle = 0;

		if (h[i] == CK_INVALID_HANDLE)
			continue; /* no object, whatever the member means by it */
		rv = found_one(c, &ms, h[i], &handle);
		shown = handle;
		if (rv == CKR_OK && is_shown(handle) && !buf_add(out, &shown, sizeof shown))
			rv = CKR_HOST_MEMORY;
	}
	if (ms && rv == CKR_OK)
		pool_give(ms, 0);
	else if (ms)
		pool_drop(ms);
	return rv == CKR_OK && c->group->is_multi ? list_once(out) : rv;
}

CK_RV object_add_made(struct call *c, CK_OBJECT_HANDLE real, enum object_fact is_token,
		      CK_OBJECT_HANDLE *handle)
{
	struct member *m = c->member;
	/* Its template will be kept (object_keep_template): it does not end with its member. */
	bool is_kept = c->group->is_multi && c->id == CALL_C_CreateObject && c->is_volatile;
	struct member_map *entry;
	uint32_t h = 0;
	CK_RV rv;

	pthread_mutex_lock(&m->map_lock);
	entry = object_map_entry(m, c->made_epoch, real, &rv);
	if (entry) {
		object_drop(entry->handle); /* what had this number before is gone */
		h = object_new(c->group, 0, is_kept ? 0 : m->index + 1, is_token, OBJECT_UNKNOWN);
		rv = h ? CKR_OK : CKR_HOST_MEMORY;
	}
	if (h) {
		object_place(object_slot(h), m, c->made_epoch, real, true);
		object_map_set(m, entry, real, h);
	}
	pthread_mutex_unlock(&m->map_lock);
	if (rv == CKR_OK)
		*handle = h;
	return rv;
}

void object_note_copy(struct group *g, CK_OBJECT_HANDLE handle, struct member *m, unsigned epoch,
		      CK_OBJECT_HANDLE real)
{
	struct object *o = object_slot(handle);
	struct member_map *entry = NULL;
	CK_RV rv;

	/* One that is bound to a member stays there: it has no identity to be found again by. */
	if (!o || atomic_load(&o->group) != g || atomic_load(&o->bound))
		return;
	pthread_mutex_lock(&m->map_lock);
	entry = object_map_entry(m, epoch, real, &rv);
	if (entry && !object_slot(entry->handle)) {
		object_place(o, m, epoch, real, true);
		object_map_set(m, entry, real, (uint32_t)handle);
	}
	pthread_mutex_unlock(&m->map_lock);
}

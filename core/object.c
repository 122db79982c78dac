/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual objects: the table of handles.
 *
 * A handle is the index of a slot (20 bits) and a generation (11 bits); a slot that was given back
 * waits behind 16383 others. Slots are read without a lock: every field is atomic, and a reader
 * looks at the handle again after it copied the fields, so that it never sees half of one object
 * and half of another. Writers clear the handle first and set it last.
 *
 * Each member maps real handles to virtual ones, so that a search that finds an object again gives
 * the same handle. Entries whose virtual handle has become invalid are overwritten or left out when
 * the map grows. Guarded by the member's map_lock; no member is called with it held. */
#include "core/object.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/member_op.h"
#include "core/table.h"

#define INDEX_BITS     20U
#define INDEX_MASK     0xfffffU
#define GENERATION_MAX 0x7ffU
#define REUSE_AFTER    16383U
#define MAP_FIRST_ROOM 64U
/* Handles that one member may use up, so that one that invents handles leaves some to the others.
 */
#define MEMBER_MAX 262144U

struct object {
	_Atomic uint32_t handle; /* 0: free */
	uint32_t generation;     /* written by whoever took the slot out of the table */
	_Atomic(struct group *) group;
	_Atomic(struct member *) member;
	_Atomic unsigned epoch;
	_Atomic CK_OBJECT_HANDLE real;
	_Atomic uint32_t target;
	_Atomic int is_token;
	_Atomic int is_private;
};

static struct table table = TABLE_INIT(sizeof(struct object), INDEX_MASK + 1U, REUSE_AFTER);

static struct object *slot_of(CK_OBJECT_HANDLE handle)
{
	struct object *o;

	if (handle == 0 || handle > 0x7fffffffUL)
		return NULL;
	o = table_at(&table, (unsigned)(handle & INDEX_MASK));
	return o && atomic_load(&o->handle) == handle ? o : NULL;
}

bool object_get(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view)
{
	struct object *o = slot_of(handle);

	if (!o)
		return false;
	view->handle = handle;
	view->group = atomic_load(&o->group);
	view->member = atomic_load(&o->member);
	view->epoch = atomic_load(&o->epoch);
	view->real = atomic_load(&o->real);
	view->target = atomic_load(&o->target);
	view->is_token = (enum object_fact)atomic_load(&o->is_token);
	view->is_private = (enum object_fact)atomic_load(&o->is_private);
	return atomic_load(&o->handle) == handle && view->group == group;
}

bool object_resolve(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view)
{
	if (!object_get(group, handle, view))
		return false;
	/* An alias is made of what it stands for, never of another alias. */
	return !view->target || object_get(group, view->target, view);
}

bool object_is_handle(CK_ULONG value, void *context)
{
	struct object_view view;

	return object_get(context, value, &view);
}

static struct object *slot_new(unsigned *index)
{
	long i = table_take(&table);
	struct object *o;

	if (i < 0)
		return NULL;
	*index = (unsigned)i;
	o = table_at(&table, *index);
	o->generation = o->generation % GENERATION_MAX + 1;
	return o;
}

static uint32_t publish(const struct object_view *v)
{
	unsigned index;
	struct object *o = slot_new(&index);
	uint32_t handle;

	if (!o)
		return 0;
	handle = o->generation << INDEX_BITS | index;
	atomic_store(&o->group, v->group);
	atomic_store(&o->member, v->member);
	atomic_store(&o->epoch, v->epoch);
	atomic_store(&o->real, v->real);
	atomic_store(&o->target, (uint32_t)v->target);
	atomic_store(&o->is_token, (int)v->is_token);
	atomic_store(&o->is_private, (int)v->is_private);
	atomic_store(&o->handle, handle);
	return handle;
}

void object_drop(CK_OBJECT_HANDLE handle)
{
	struct object *o = slot_of(handle);
	uint32_t expected = (uint32_t)handle;

	/* Only one of two that drop the same handle gives the slot back. */
	if (o && atomic_compare_exchange_strong(&o->handle, &expected, 0))
		table_give(&table, (unsigned)(handle & INDEX_MASK));
}

CK_RV object_add_alias(struct group *group, CK_OBJECT_HANDLE target, CK_OBJECT_HANDLE *handle)
{
	uint32_t h = publish(&(struct object_view){.group = group,
						   .target = target,
						   .is_token = OBJECT_NO,
						   .is_private = OBJECT_UNKNOWN});

	if (!h)
		return CKR_HOST_MEMORY;
	*handle = h;
	return CKR_OK;
}

/* Spreads handles that differ in a few low bits only. */
static size_t hash(CK_OBJECT_HANDLE real, size_t room)
{
	return (size_t)((real * 0x9e3779b97f4a7c15UL) >> 32) & (room - 1);
}

/* The entry of a real handle, or the free one where it belongs. The map is never full. */
static struct member_map *map_slot(struct member_map *map, size_t room, CK_OBJECT_HANDLE real)
{
	size_t i = hash(real, room);

	while (map[i].handle && map[i].real != real)
		i = (i + 1) & (room - 1);
	return &map[i];
}

static bool map_grow(struct member *m)
{
	size_t live = 0, room = MAP_FIRST_ROOM;
	struct member_map *map;

	for (size_t i = 0; i < m->map_room; i++)
		live += m->map[i].handle && slot_of(m->map[i].handle);
	while (room < live * 4)
		room *= 2;
	map = calloc(room, sizeof *map);
	if (!map)
		return false;
	for (size_t i = 0; i < m->map_room; i++)
		if (m->map[i].handle && slot_of(m->map[i].handle))
			*map_slot(map, room, m->map[i].real) = m->map[i];
	free(m->map);
	m->map = map;
	m->map_room = room;
	m->map_count = live;
	return true;
}

static void learn(_Atomic int *fact, enum object_fact value)
{
	if (value != OBJECT_UNKNOWN)
		atomic_store(fact, (int)value);
}

static CK_RV add_locked(struct object_view *v, bool is_new, CK_OBJECT_HANDLE *handle)
{
	struct member *m = v->member;
	struct member_map *entry;
	struct object *o;

	if (v->epoch != atomic_load(&m->epoch))
		return CKR_DEVICE_ERROR; /* lost while the call returned */
	if ((m->map_count * 2 >= m->map_room || m->map_count >= MEMBER_MAX) && !map_grow(m))
		return CKR_HOST_MEMORY;
	if (m->map_count >= MEMBER_MAX)
		return CKR_DEVICE_MEMORY;
	entry = map_slot(m->map, m->map_room, v->real);
	if (is_new)
		object_drop(entry->handle); /* what had this number before is gone */
	o = entry->handle ? slot_of(entry->handle) : NULL;
	if (o) {
		learn(&o->is_token, v->is_token);
		learn(&o->is_private, v->is_private);
	} else {
		uint32_t h = publish(v);

		if (!h)
			return CKR_HOST_MEMORY;
		m->map_count += entry->handle == 0;
		*entry = (struct member_map){.real = v->real, .handle = h};
	}
	*handle = entry->handle;
	return CKR_OK;
}

static CK_RV add(struct object_view *v, bool is_new, CK_OBJECT_HANDLE *handle)
{
	CK_RV rv;

	pthread_mutex_lock(&v->member->map_lock);
	rv = add_locked(v, is_new, handle);
	pthread_mutex_unlock(&v->member->map_lock);
	return rv;
}

CK_RV object_add_found(struct call *c, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE *handle)
{
	struct object_view v = {
		.group = c->group, .member = c->member, .epoch = c->made_epoch, .real = real};

	return add(&v, false, handle);
}

CK_RV object_add_made(struct call *c, CK_OBJECT_HANDLE real, enum object_fact is_token,
		      CK_OBJECT_HANDLE *handle)
{
	struct object_view v = {.group = c->group,
				.member = c->member,
				.epoch = c->made_epoch,
				.real = real,
				.is_token = is_token};

	return add(&v, true, handle);
}

void object_drop_epoch(struct member *m)
{
	pthread_mutex_lock(&m->map_lock);
	for (size_t i = 0; i < m->map_room; i++)
		object_drop(m->map[i].handle);
	free(m->map);
	m->map = NULL;
	m->map_room = m->map_count = 0;
	pthread_mutex_unlock(&m->map_lock);
}

void object_forget_everything(bool is_forked)
{
	struct object *o;

	for (unsigned i = 0; (o = table_at(&table, i)) != NULL; i++)
		if (atomic_exchange(&o->handle, 0) != 0 && !is_forked)
			table_give(&table, i);
	if (is_forked)
		table_refill(&table);
}

/* Asks for attributes: with a session on a borrowed one of the member, else on `ms`. */
static CK_RV read_on(struct group *g, struct session *s, struct member_session *ms,
		     CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     const CK_ATTRIBUTE *asked)
{
	struct call call = {
		.id = CALL_C_GetAttributeValue,
		.place = ms ? CALL_BOUND : CALL_BORROW,
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
	o = slot_of(handle);
	if (rv == CKR_OK && o)
		learn(&o->is_token, *is_token ? OBJECT_YES : OBJECT_NO);
	return rv;
}

/* All virtual handles of a member, copied so that the member can be asked about them. */
static bool handles_of(struct member *m, struct buf *out)
{
	bool ok = true;

	pthread_mutex_lock(&m->map_lock);
	for (size_t i = 0; ok && i < m->map_room; i++)
		if (m->map[i].handle)
			ok = buf_add(out, &m->map[i].handle, sizeof m->map[i].handle);
	pthread_mutex_unlock(&m->map_lock);
	return ok;
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

	if (object_get(g, handle, &view) && view.is_token == OBJECT_NO)
		member_destroy(ms, view.real);
	object_drop(handle);
}

void object_drop_private(struct group *g, struct member_session *ms)
{
	struct buf handles = {0};
	const uint32_t *h;
	size_t n;

	if (!handles_of(ms->member, &handles)) {
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
}

static void unmake(struct call *c)
{
	struct member_session *ms;

	if (pool_take(c->member, 0, 0, &ms) != CKR_OK)
		return; /* session objects go with their session; a token object stays, unknown to
			   us */
	for (unsigned i = 0; i < 2; i++)
		if (c->made[i])
			member_destroy(ms, c->made[i]);
	for (unsigned i = 0; c->mech && i < c->mech->made_count; i++)
		if (*c->mech->made[i].where)
			member_destroy(ms, *c->mech->made[i].where);
	pool_give(ms, 0);
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
	return rv;
}

CK_RV object_publish(struct call *c, const bool is_token[2], CK_OBJECT_HANDLE *const app[2])
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

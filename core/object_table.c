/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual objects: the table of handles, and the maps from real ones.
 *
 * A handle is the index of a slot (20 bits) and a generation (11 bits); a slot that was given back
 * waits behind 16383 others. Slots are read without a lock: every field is atomic, and a reader
 * looks at the handle again after it copied the fields, so that it never sees half of one object
 * and half of another. Writers clear the handle first and set it last. Where an object is on a
 * member is written under that member's map_lock; a reader looks twice at the epoch, which is
 * cleared first.
 *
 * Each member maps real handles to virtual ones, so that a search that finds an object again gives
 * the same handle. Entries whose virtual handle has become invalid are overwritten or left out when
 * the map grows. Guarded by the member's map_lock; no member is called with it held. */
#include "core/object_table.h"

#include <stdlib.h>

#include "core/object_trait.h"
#include "core/table.h"

#define INDEX_BITS     20U
#define INDEX_MASK     0xfffffU
#define GENERATION_MAX 0x7ffU
#define REUSE_AFTER    16383U
#define MAP_FIRST_ROOM 64U
/* Handles that one member may use up, so that one that invents handles leaves some to the others.
 */
#define MEMBER_MAX 262144U
/* Proofs that may fail half-way before a key counts as one that cannot prove itself: many threads
 * may try at once while their token is in trouble. */
#define PROOFS_MAX 10U

static struct table table = TABLE_INIT(sizeof(struct object), INDEX_MASK + 1U, REUSE_AFTER);

struct object *object_slot(CK_OBJECT_HANDLE handle)
{
	struct object *o;

	if (handle <= OBJECT_HIDDEN || handle > 0x7fffffffUL)
		return NULL;
	o = table_at(&table, (unsigned)(handle & INDEX_MASK));
	return o && atomic_load(&o->handle) == handle ? o : NULL;
}

bool object_get(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view)
{
	struct object *o = object_slot(handle);

	if (!o)
		return false;
	view->handle = handle;
	view->group = atomic_load(&o->group);
	view->bound = atomic_load(&o->bound);
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

/* The slot of what a handle stands for. */
static struct object *slot_followed(CK_OBJECT_HANDLE *handle)
{
	struct object *o = object_slot(*handle);
	uint32_t target = o ? atomic_load(&o->target) : 0;

	if (!target)
		return o;
	*handle = target;
	return object_slot(target);
}

bool object_real(const struct group *group, CK_OBJECT_HANDLE handle, const struct member *m,
		 unsigned epoch, CK_OBJECT_HANDLE *real)
{
	struct object *o = slot_followed(&handle);
	struct object_place *at;

	if (!o || atomic_load(&o->group) != group)
		return false;
	at = &o->at[m->index];
	if (atomic_load(&at->proven) != epoch)
		return false;
	*real = atomic_load(&at->real);
	return atomic_load(&at->proven) == epoch && atomic_load(&o->handle) == handle;
}

void object_note_use(CK_OBJECT_HANDLE handle)
{
	struct object *o = slot_followed(&handle);

	if (o && !atomic_load_explicit(&o->is_used, memory_order_relaxed))
		atomic_store(&o->is_used, 1);
}

unsigned object_holders(const struct group *group, CK_OBJECT_HANDLE handle)
{
	struct object *o = slot_followed(&handle);
	unsigned mask = 0, bound;

	if (!o || atomic_load(&o->group) != group)
		return 0;
	bound = atomic_load(&o->bound);
	for (unsigned i = 0; !bound && i < group->member_count; i++)
		if (atomic_load(&o->at[i].absent) != atomic_load(&group->members[i].epoch))
			mask |= 1U << i;
	if (bound)
		mask = 1U << (bound - 1);
	return atomic_load(&o->handle) == handle ? mask : 0;
}

bool object_is_volatile(const struct group *group, CK_OBJECT_HANDLE handle)
{
	struct object_view view;

	return object_resolve(group, handle, &view) && view.is_token == OBJECT_NO;
}

unsigned object_copies(const struct group *group, CK_OBJECT_HANDLE handle)
{
	struct object *o = slot_followed(&handle);
	unsigned mask = 0;

	if (!o || atomic_load(&o->group) != group)
		return 0;
	if (atomic_load(&o->is_token) != OBJECT_NO)
		return object_holders(group, handle);
	for (unsigned i = 0; i < group->member_count; i++)
		if (atomic_load(&o->at[i].found) &&
		    atomic_load(&o->at[i].found) == atomic_load(&group->members[i].epoch))
			mask |= 1U << i;
	return mask;
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

uint32_t object_new(struct group *group, CK_OBJECT_HANDLE target, unsigned bound,
		    enum object_fact is_token, enum object_fact is_private)
{
	unsigned index;
	struct object *o = slot_new(&index);
	uint32_t handle;

	if (!o)
		return 0;
	handle = o->generation << INDEX_BITS | index;
	atomic_store(&o->group, group);
	atomic_store(&o->bound, bound);
	atomic_store(&o->target, (uint32_t)target);
	atomic_store(&o->is_token, (int)is_token);
	atomic_store(&o->is_private, (int)is_private);
	atomic_store(&o->is_used, 0);
	atomic_store(&o->is_seen, 0);
	atomic_store(&o->shown, 0);
	atomic_store(&o->shown_ms, 0);
	for (size_t i = 0; i < group->member_count; i++) {
		atomic_store(&o->at[i].proven, 0);
		atomic_store(&o->at[i].found, 0);
		atomic_store(&o->at[i].absent, OBJECT_NEVER);
		atomic_store(&o->at[i].doubts, 0);
	}
	atomic_store(&o->handle, handle);
	return handle;
}

void object_place(struct object *o, const struct member *m, unsigned epoch, CK_OBJECT_HANDLE real,
		  bool is_proven)
{
	struct object_place *at = &o->at[m->index];

	atomic_store(&at->proven, 0);
	atomic_store(&at->found, 0);
	atomic_store(&at->absent, OBJECT_NEVER);
	atomic_store(&at->real, real);
	atomic_store(&at->found, epoch);
	if (!is_proven)
		return;
	atomic_store(&at->doubts, 0);
	atomic_store(&at->proven, epoch);
}

bool object_may_be_a_whim(struct object *o, const struct member *m, unsigned epoch)
{
	struct object_place *at = o ? &o->at[m->index] : NULL;

	if (at && atomic_exchange(&at->doubted, epoch) != epoch)
		atomic_store(&at->doubts, 0);
	return at && atomic_fetch_add(&at->doubts, 1) + 1 < PROOFS_MAX;
}

void object_absent(struct object *o, const struct member *m, unsigned epoch, CK_OBJECT_HANDLE other)
{
	struct object_place *at = &o->at[m->index];

	atomic_store(&at->proven, 0);
	atomic_store(&at->found, 0);
	atomic_store(&at->real, other);
	atomic_store(&at->doubts, 0); /* that was about this epoch */
	atomic_store(&at->absent, epoch);
}

void object_forget(const struct group *group, CK_OBJECT_HANDLE handle, const struct member *m)
{
	struct object *o = slot_followed(&handle);
	struct object_place *at;
	unsigned epoch;

	if (!o || atomic_load(&o->group) != group)
		return;
	at = &o->at[m->index];
	epoch = atomic_load(&at->found);
	atomic_store(&at->proven, 0);
	atomic_store(&at->found, 0);
	if (epoch == atomic_load(&m->epoch))
		object_map_drop(&group->members[m->index], atomic_load(&at->real),
				(uint32_t)handle);
}

void object_ask_again(const struct group *group, CK_OBJECT_HANDLE handle)
{
	struct object *o = slot_followed(&handle);

	for (unsigned i = 0; o && atomic_load(&o->group) == group && i < group->member_count; i++)
		atomic_store(&o->at[i].absent, OBJECT_NEVER);
}

void object_release(uint32_t handle)
{
	struct object *o = object_slot(handle);
	uint32_t expected = handle;

	if (o && atomic_compare_exchange_strong(&o->handle, &expected, 0))
		table_give(&table, handle & INDEX_MASK);
}

void object_drop(CK_OBJECT_HANDLE handle)
{
	struct object *o = object_slot(handle);
	uint32_t expected = (uint32_t)handle;
	struct group *group = o ? atomic_load(&o->group) : NULL;

	/* Only one of two that drop the same handle gives the slot back. */
	if (!o || !atomic_compare_exchange_strong(&o->handle, &expected, 0))
		return;
	if (group && group->is_multi)
		trait_drop((uint32_t)handle);
	table_give(&table, (unsigned)(handle & INDEX_MASK));
}

CK_RV object_add_alias(struct group *group, CK_OBJECT_HANDLE target, CK_OBJECT_HANDLE *handle)
{
	uint32_t h = object_new(group, target, 0, OBJECT_NO, OBJECT_UNKNOWN);

	if (!h)
		return CKR_HOST_MEMORY;
	*handle = h;
	return CKR_OK;
}

void object_learn(_Atomic int *fact, enum object_fact value)
{
	if (value != OBJECT_UNKNOWN)
		atomic_store(fact, (int)value);
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

static bool is_live(const struct member_map *entry)
{
	return entry->handle == OBJECT_HIDDEN || object_slot(entry->handle);
}

static bool map_grow(struct member *m)
{
	size_t live = 0, room = MAP_FIRST_ROOM;
	struct member_map *map;

	for (size_t i = 0; i < m->map_room; i++)
		live += is_live(&m->map[i]);
	while (room < live * 4)
		room *= 2;
	map = calloc(room, sizeof *map);
	if (!map)
		return false;
	for (size_t i = 0; i < m->map_room; i++)
		if (is_live(&m->map[i]))
			*map_slot(map, room, m->map[i].real) = m->map[i];
	free(m->map);
	m->map = map;
	m->map_room = room;
	m->map_count = live;
	return true;
}

struct member_map *object_map_entry(struct member *m, unsigned epoch, CK_OBJECT_HANDLE real,
				    CK_RV *rv)
{
	*rv = CKR_OK;
	if (epoch != atomic_load(&m->epoch))
		*rv = CKR_DEVICE_ERROR; /* lost while the call returned */
	else if ((m->map_count * 2 >= m->map_room || m->map_count >= MEMBER_MAX) && !map_grow(m))
		*rv = CKR_HOST_MEMORY;
	else if (m->map_count >= MEMBER_MAX)
		*rv = CKR_DEVICE_MEMORY;
	return *rv == CKR_OK ? map_slot(m->map, m->map_room, real) : NULL;
}

void object_map_set(struct member *m, struct member_map *entry, CK_OBJECT_HANDLE real,
		    uint32_t handle)
{
	m->map_count += entry->handle == 0;
	*entry = (struct member_map){.real = real, .handle = handle};
}

void object_map_drop(struct member *m, CK_OBJECT_HANDLE real, uint32_t handle)
{
	pthread_mutex_lock(&m->map_lock);
	if (m->map_room > 0) {
		struct member_map *entry = map_slot(m->map, m->map_room, real);

		/* The place stays taken, or those behind it would not be found. */
		if (entry->handle == handle)
			entry->handle = UINT32_MAX;
	}
	pthread_mutex_unlock(&m->map_lock);
}

bool object_map_handles(struct member *m, struct buf *out)
{
	bool ok = true;

	pthread_mutex_lock(&m->map_lock);
	for (size_t i = 0; ok && i < m->map_room; i++)
		if (object_slot(m->map[i].handle))
			ok = buf_add(out, &m->map[i].handle, sizeof m->map[i].handle);
	pthread_mutex_unlock(&m->map_lock);
	return ok;
}

/* True when nothing of the object is left: it was on this member only. */
static bool ends_with(const struct member *m, uint32_t handle)
{
	const struct object *o = object_slot(handle);

	return o && (!m->group->is_multi || atomic_load(&o->bound) == m->index + 1);
}

void object_drop_epoch(struct member *m)
{
	pthread_mutex_lock(&m->map_lock);
	for (size_t i = 0; i < m->map_room; i++)
		if (ends_with(m, m->map[i].handle))
			object_drop(m->map[i].handle);
	free(m->map);
	m->map = NULL;
	m->map_room = m->map_count = 0;
	pthread_mutex_unlock(&m->map_lock);
}

void object_forget_everything(bool is_forked)
{
	struct object *o;

	trait_forget_everything(is_forked);
	for (unsigned i = 0; (o = table_at(&table, i)) != NULL; i++)
		if (atomic_exchange(&o->handle, 0) != 0 && !is_forked)
			table_give(&table, i);
	if (is_forked)
		table_refill(&table);
}

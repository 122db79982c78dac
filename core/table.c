/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of slots that never move.
 *
 * Chunks are published with an atomic store and live until the process ends, so that a reader needs
 * no lock. The lock guards taking and giving. The queue always has room for every slot in
 * existence. */
#include "core/table.h"

#include <stdlib.h>

static bool queue_grow(struct table *t)
{
	unsigned room = t->queue_room ? t->queue_room * 2 : 2 * TABLE_CHUNK_SLOTS;
	uint32_t *queue = calloc(room, sizeof *queue);

	if (!queue)
		return false;
	for (unsigned i = 0; i < t->queue_count; i++)
		queue[i] = t->queue[(t->queue_head + i) % t->queue_room];
	free(t->queue);
	t->queue = queue;
	t->queue_room = room;
	t->queue_head = 0;
	return true;
}

static long take_fresh(struct table *t)
{
	unsigned index = atomic_load(&t->fresh);
	unsigned c = index / TABLE_CHUNK_SLOTS;

	if (index >= t->max || c >= TABLE_MAX_CHUNKS)
		return -1;
	if (index >= t->queue_room && !queue_grow(t))
		return -1;
	if (!atomic_load(&t->chunk[c])) {
		char *chunk = calloc(TABLE_CHUNK_SLOTS, t->slot_size);

		if (!chunk)
			return -1;
		atomic_store(&t->chunk[c], chunk);
	}
	atomic_store(&t->fresh, index + 1);
	return (long)index;
}

static long take_freed(struct table *t)
{
	uint32_t index = t->queue[t->queue_head];

	t->queue_head = (t->queue_head + 1) % t->queue_room;
	t->queue_count--;
	return (long)index;
}

long table_take(struct table *t)
{
	long index = -1;

	pthread_mutex_lock(&t->lock);
	if (t->queue_count <= t->min_free)
		index = take_fresh(t);
	if (index < 0 && t->queue_count > 0)
		index = take_freed(t);
	pthread_mutex_unlock(&t->lock);
	return index;
}

void *table_at(struct table *t, unsigned index)
{
	if (index >= atomic_load_explicit(&t->fresh, memory_order_acquire))
		return NULL;
	return atomic_load_explicit(&t->chunk[index / TABLE_CHUNK_SLOTS], memory_order_acquire) +
	       (size_t)(index % TABLE_CHUNK_SLOTS) * t->slot_size;
}

void table_give(struct table *t, unsigned index)
{
	pthread_mutex_lock(&t->lock);
	if (t->queue_count == t->queue_room && !queue_grow(t)) {
		pthread_mutex_unlock(&t->lock);
		return; /* only after table_refill found no memory: the slot is lost */
	}
	t->queue[(t->queue_head + t->queue_count) % t->queue_room] = index;
	t->queue_count++;
	pthread_mutex_unlock(&t->lock);
}

/* A ring of its own for a child whose parent was changing the old one, which is left alone. */
static void queue_renew(struct table *t, unsigned fresh)
{
	unsigned room = 2 * TABLE_CHUNK_SLOTS;

	while (room < fresh)
		room *= 2;
	t->queue = calloc(room, sizeof *t->queue);
	t->queue_room = t->queue ? room : 0;
}

void table_refill(struct table *t)
{
	unsigned fresh = atomic_load(&t->fresh);

	if (pthread_mutex_trylock(&t->lock) == 0)
		pthread_mutex_unlock(&t->lock); /* nobody was changing it: it has room for all */
	else
		queue_renew(t, fresh);
	pthread_mutex_init(&t->lock, NULL);
	t->queue_head = 0;
	t->queue_count = t->queue_room < fresh ? t->queue_room : fresh;
	for (unsigned i = 0; i < t->queue_count; i++)
		t->queue[i] = i;
}

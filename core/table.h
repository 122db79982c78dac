/* SPDX-License-Identifier: BSD-2-Clause */
/* A growing table of equal slots that never move and are never freed, with indices reused first in,
 * first out. Handles are an index and a generation; the late reuse keeps a stale handle stale. */
#ifndef HSMUX_CORE_TABLE_H
#define HSMUX_CORE_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_CHUNK_SLOTS 256U
#define TABLE_MAX_CHUNKS  4096U

/* Shape and state; defined statically with TABLE_INIT. */
struct table {
	size_t slot_size;  /* bytes */
	unsigned max;      /* most slots there may be, at most 2^20 */
	unsigned min_free; /* freed slots that must wait before the oldest is used again */
	pthread_mutex_t lock;
	_Atomic(char *) chunk[TABLE_MAX_CHUNKS];
	_Atomic unsigned fresh; /* first index never used; written under lock */
	uint32_t *queue;        /* ring of freed indices; guarded by lock */
	unsigned queue_room, queue_head, queue_count;
};

#define TABLE_INIT(size, most, wait)                                                               \
	{                                                                                          \
		.slot_size = (size), .max = (most), .min_free = (wait),                            \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/* Takes a slot out of use; -1 when the table is full or memory is out. A slot that was never used
 * is all zero; one used before is as its last user left it. */
long table_take(struct table *table);

/* The slot of an index below `fresh`, else NULL. No lock. */
void *table_at(struct table *table, unsigned index);

/* Puts a slot back to the end of the queue. Cannot fail: room for it was made when it was taken. */
void table_give(struct table *table, unsigned index);

/* In a forked child, when no slot is in use any more: the lock and the queue may have been in the
 * hands of a thread that does not exist here; both are made anew. */
void table_refill(struct table *table);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of virtual objects and the maps from real handles; private to object*.c. */
#ifndef HSMUX_CORE_OBJECT_TABLE_H
#define HSMUX_CORE_OBJECT_TABLE_H

#include <stdatomic.h>

#include "core/object.h"

struct trait;

/* No epoch: those of members begin with 0, before they were ever up. */
#define OBJECT_NEVER (~0U)

/* Where an object is on one member. Epochs are those of the member; `found` and `proven` are 0 when
 * never. */
struct object_place {
	_Atomic unsigned found;        /* `real` holds in this one */
	_Atomic unsigned proven;       /* and is known to be the same object */
	_Atomic unsigned absent;       /* the member does not have it, or has another one for it */
	_Atomic unsigned doubts;       /* proofs that failed half-way, one after the other ... */
	_Atomic unsigned doubted;      /* ... in this epoch */
	_Atomic CK_OBJECT_HANDLE real; /* absent: what has its name there instead, or 0 */
};

/* A slot of the table. Read without a lock: a reader looks at the handle again after it copied what
 * it needs. Writers clear the handle first and set it last. */
struct object {
	_Atomic uint32_t handle; /* 0: free */
	uint32_t generation;     /* written by whoever took the slot out of the table */
	_Atomic(struct group *) group;
	_Atomic unsigned bound;
	_Atomic uint32_t target;
	_Atomic int is_token;
	_Atomic int is_private;
	_Atomic int is_used;        /* an operation began with it */
	_Atomic int is_seen;        /* a search gave it to the application */
	_Atomic unsigned shown;     /* of overlay.c: what its record says ... */
	_Atomic long long shown_ms; /* ... when that was read (clock_ms); 0: never */
	struct object_place at[CONFIG_MAX_MEMBERS];
};

/* An entry of a map whose object is not shown. No handle has this number: its generation is 0. */
#define OBJECT_HIDDEN 1U

/* The slot of a handle that is valid now, or NULL. */
struct object *object_slot(CK_OBJECT_HANDLE handle);

/* A new object that is nowhere yet; 0 when memory is out. */
uint32_t object_new(struct group *group, CK_OBJECT_HANDLE target, unsigned bound,
		    enum object_fact is_token, enum object_fact is_private);

/* Gives back an object that has no trait; for those who hold the traits' lock. */
void object_release(uint32_t handle);

/* Which of several objects of one name is shown: the one with the lowest number, by the best of the
 * members that are known to have it. */
unsigned object_rank(const struct group *group, uint32_t handle);

/* The same of a member. */
unsigned object_rank_of(const struct group *group, unsigned member);

/* Notes where it is. Under the member's map_lock. */
void object_place(struct object *o, const struct member *m, unsigned epoch, CK_OBJECT_HANDLE real,
		  bool is_proven);

/* A key of the member that may be this object took a challenge and failed to answer: true when that
 * may be a whim, false when it happened over and over in this epoch. NULL: false. */
bool object_may_be_a_whim(struct object *o, const struct member *m, unsigned epoch);

/* Notes that the member does not have it in this epoch: `other` has its name there and is another
 * object; 0: nothing has. */
void object_absent(struct object *o, const struct member *m, unsigned epoch,
		   CK_OBJECT_HANDLE other);

/* The entry of a real handle in a member's map, with room for one made; *rv says why when NULL
 * (CKR_HOST_MEMORY, CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR when the epoch is over). Its `handle` is 0
 * when it is new; a stale handle in it reads as 0. Under map_lock. */
struct member_map *object_map_entry(struct member *m, unsigned epoch, CK_OBJECT_HANDLE real,
				    CK_RV *rv);

/* Fills a new or reused entry. Under map_lock. */
void object_map_set(struct member *m, struct member_map *entry, CK_OBJECT_HANDLE real,
		    uint32_t handle);

/* Takes a real handle out of the map when it maps to `handle`. Takes map_lock. */
void object_map_drop(struct member *m, CK_OBJECT_HANDLE real, uint32_t handle);

/* Learns a fact; OBJECT_UNKNOWN changes nothing. */
void object_learn(_Atomic int *fact, enum object_fact value);

/* All virtual handles in a member's map (uint32_t each), copied. False when memory is out. */
bool object_map_handles(struct member *m, struct buf *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The write lock of a virtual token that replicates, and its journal of what is being done.
 *
 * Who makes, changes or destroys token objects there holds the lock: other threads and processes of
 * this machine wait. What is done is written down before it begins, again when it is decided
 * (committed), and again when it is over; each time the file is synced. What a process that died,
 * or a member that was lost, left unfinished is found by who takes the lock next.
 *
 * The lock is the process's (fcntl) and ends with it: there are no stale ones. */
#ifndef HSMUX_CORE_INTENT_H
#define HSMUX_CORE_INTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/group.h"
#include "core/member.h"

enum intent_kind { INTENT_MAKE, INTENT_DESTROY, INTENT_CHANGE };

/* One thing that is being done. */
struct intent {
	char tag[MEMBER_TAG_ROOM]; /* a tag of orphan.h: its name */
	enum intent_kind kind;
	bool is_committed; /* to be finished; else to be undone */
	unsigned owed;     /* bit i: not done yet on member i */
	struct buf body; /* text of the caller's, without newlines: how to finish it; no secrets */
};

struct intents;

/* Takes the lock, waiting up to `wait_ms` for others, and reads the journal (made, 0600, when it is
 * missing). NULL with `why` in words (who holds it, what is wrong with the directory); at once
 * where this thread holds it. The caller closes it. */
struct intents *intents_open(const struct group *g, long long wait_ms, char *why, size_t why_len);

/* Gives the lock back; an empty journal is made empty on the disk, too. NULL is allowed. */
void intents_close(struct intents *all);

/* Whether the journal of the group has something unfinished in it, as far as can be seen without
 * the lock: costs a stat(). */
bool intents_any(const struct group *g);

/* What is unfinished, in the order in which it began: borrowed until the next change. */
size_t intents_count(const struct intents *all);
const struct intent *intents_at(const struct intents *all, size_t i);

/* Begins; copies `intent` and syncs. False when it could not be written: nothing may be done then,
 * `why` says why. */
bool intents_begin(struct intents *all, const struct intent *intent, char *why, size_t why_len);

/* It is decided: is to be finished, as the new body says, on the members of `owed`. Synced; false
 * as above: then it is not decided. */
bool intents_commit(struct intents *all, const char *tag, const struct buf *body, unsigned owed,
		    char *why, size_t why_len);

/* What is left to be done; 0: it is over and forgotten. A failure to write costs only that it is
 * done once more. */
void intents_settle(struct intents *all, const char *tag, unsigned owed);

/* In a forked child: locks of threads that do not exist here. */
void intents_forget_parent(void);

#endif

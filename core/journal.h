/* SPDX-License-Identifier: BSD-2-Clause */
/* What an operation was fed and what came out of it, so that another member can be brought to where
 * the first one was: everything a member accepted is fed to the next one, and what that one gives
 * for it must begin with the bytes that the application has already.
 *
 * Up to JOURNAL_MAX bytes of input and as many of output are kept, in locked memory. Behind that, a
 * signature or verification that hashes first goes on with its running digest (hashed.h); anything
 * else cannot be taken to another member any more. */
#ifndef HSMUX_CORE_JOURNAL_H
#define HSMUX_CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/call.h"

/* Bytes that one operation keeps of its input, and of its output. */
#define JOURNAL_MAX (1024UL * 1024)

struct hashed;

/* A piece of what was fed. */
struct journal_piece {
	struct journal_piece *next;
	enum call_id id;         /* the function that took it, or gave it */
	CK_OBJECT_HANDLE object; /* C_DigestKey: virtual; else 0 */
	size_t len;
	unsigned char *bytes; /* locked, JOURNAL_PIECE of them; NULL for C_DigestKey */
};

/* Zeroed is a valid empty one. Belongs to an operation, under the lock of its session. */
struct journal {
	struct journal_piece *first, *last; /* what was fed, oldest first */
	struct journal_piece *out;          /* what came out; one list, newest last */
	struct journal_piece *out_last;
	size_t in_len, out_len; /* bytes of them */
	size_t missing;         /* last bytes of `out` that the present member has not given yet */
	struct buf owed;        /* given by the present member, not yet by us */
	struct hashed *hashed;  /* set: replaces `first` */
	bool is_lost;           /* too long, or memory was out: cannot be replayed */
};

/* Keeps what an Update was fed, before the member sees it (it may overwrite its input). Never
 * fails: what cannot be kept makes the journal lost. `mech`: the operation's, to go on with its
 * digest. */
void journal_feed(struct journal *j, enum call_id id, const CK_MECHANISM *mech, const void *in,
		  size_t len);

/* Keeps that a key was digested. */
void journal_feed_key(struct journal *j, CK_OBJECT_HANDLE key);

/* Keeps what came out. */
void journal_gave(struct journal *j, const void *out, size_t len);

/* Begins to compare: nothing has come from the present member yet. */
void journal_rewind(struct journal *j);

/* Bytes that the present member gave: those that the application has are compared, those beyond go
 * to `rest`. False: they differ, the member is not where the first one was; or memory is out. */
bool journal_compare(struct journal *j, const void *out, size_t len, struct buf *rest);

/* True when an operation at this point can be taken to another member. */
bool journal_is_whole(const struct journal *j);

/* Wipes, and leaves it empty. */
void journal_free(struct journal *j);

/* In a forked child: the store of free pieces may be half changed, and what it held is zeroed. */
void journal_forget_parent(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a journal of intents: lines, and what they say together. */
#ifndef HSMUX_CORE_INTENT_TEXT_H
#define HSMUX_CORE_INTENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/group.h"
#include "core/intent.h"

/* Hexadecimal digits of a line's sum. */
#define INTENT_SUM_LEN 8

/* A thing that is being done, and what intent.h does not show of it. */
struct intent_entry {
	struct intent intent;
	struct buf strange; /* names that it is owed to and the configuration does not have, joined
			       by "," with a NUL behind `len`; usually none */
};

/* What the lines so far say; zeroed is that of an empty file. */
struct intent_list {
	struct intent_entry *entry; /* owned */
	size_t count;
	char sum[INTENT_SUM_LEN + 1]; /* of the last line, that the next one goes on from */
};

/* How a reading ended. */
enum intent_read {
	INTENT_READ_ALL,
	INTENT_READ_TORN,    /* the last line is not whole: nobody was told that it is there */
	INTENT_READ_DAMAGED, /* a line is not right and others follow it */
	INTENT_READ_OTHER,   /* written by another version */
	INTENT_READ_MEMORY   /* memory is out */
};

/* Applies the lines of a file to `list`, an empty one. *good: bytes of the lines that count; *line:
 * the first that does not, from 1. */
enum intent_read intent_list_read(struct intent_list *list, const struct group *g, const void *text,
				  size_t len, size_t *good, unsigned *line);

/* Appends to `out` lines that go on from `sum`, which is moved on. False when memory is out or
 * OpenSSL fails: both are then worthless. */
bool intent_line_head(struct buf *out, char sum[static INTENT_SUM_LEN + 1]);
bool intent_line_begin(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
		       const struct intent_entry *e);
bool intent_line_commit(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
			const struct intent_entry *e);
bool intent_line_settle(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
			const struct intent_entry *e);

/* A whole file that says what the list says. False as above. */
bool intent_list_text(const struct intent_list *list, const struct group *g, struct buf *out,
		      char sum[static INTENT_SUM_LEN + 1]);

/* Whether a text has the form of a tag. */
bool intent_text_is_tag(const char *text);

/* The entry of a tag, or NULL. */
struct intent_entry *intent_list_find(const struct intent_list *list, const char *tag);

/* Adds a copy. False when memory is out. */
bool intent_list_add(struct intent_list *list, const struct intent *intent);

/* Takes an entry out. */
void intent_list_remove(struct intent_list *list, struct intent_entry *e);

/* Whether only names that the configuration does not have are left of it. */
bool intent_entry_is_parked(const struct intent_entry *e);

/* Frees what it holds and leaves an empty one. */
void intent_list_free(struct intent_list *list);

#endif

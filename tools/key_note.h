/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of keys, for the commands that write notes. */
#ifndef HSMUX_TOOLS_KEY_NOTE_H
#define HSMUX_TOOLS_KEY_NOTE_H

#include "tools/key.h"

/* The record of a key as it is now, or a new one; the caller frees it. False after a line on
 * stderr: nothing tells the key from others. */
bool key_record(const struct key_work *w, const struct logical *l, struct record *out);

/* Writes it on all members that were asked, one version later. The write lock is held. TOOL_YES, or
 * TOOL_NO after a line on stderr. */
enum tool_exit key_record_write(const struct key_work *w, struct record *r);

/* Now, as RFC 3339 has it. */
#define KEY_TIME_LEN 32
void key_now(char text[static KEY_TIME_LEN]);

/* Notes when a key was made; nothing in a token that does not replicate. Takes the write lock. */
enum tool_exit key_note_created(struct key_work *w, const struct key_found *made);

#endif

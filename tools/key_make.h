/* SPDX-License-Identifier: BSD-2-Clause */
/* Making keys of a type through the core, as an application would. */
#ifndef HSMUX_TOOLS_KEY_MAKE_H
#define HSMUX_TOOLS_KEY_MAKE_H

#include "tools/key.h"

/* What is to be made. */
struct key_order {
	const char *type; /* "rsa:3072", "ec:P-256", "ed25519", "aes:256" */
	struct buf label;
	struct buf id;
	unsigned use;       /* of enum logical_use; of a pair, both halves'; 0: the type's own */
	bool is_exportable; /* CKA_EXTRACTABLE */
};

/* Reads "sign,decrypt". False after a line on stderr. */
bool key_read_uses(const char *text, unsigned *use);

/* A CKA_ID that nobody has: 16 random bytes. False when there are none. */
bool key_new_id(struct buf *id);

/* Makes it. TOOL_USAGE for a type that is not known; TOOL_NO when the token does not; after a line
 * on stderr. */
enum tool_exit key_make(const struct key_work *w, const struct key_order *order);

/* Refuses a label or an id that a key has already, with a line on stderr that names it. */
bool key_is_free(const struct key_work *w, const struct buf *label, const struct buf *id);

#endif

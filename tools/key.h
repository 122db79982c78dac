/* SPDX-License-Identifier: BSD-2-Clause */
/* What the `hsmux key` commands share: the virtual token, its inventory, and which key is meant. */
#ifndef HSMUX_TOOLS_KEY_H
#define HSMUX_TOOLS_KEY_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/inventory.h"
#include "core/repair.h"
#include "tools/json.h"
#include "tools/tool.h"

/* A command at work; begun with key_begin(), always ended with key_end(). */
struct key_work {
	const struct tool_options *options;
	struct group *group;
	CK_SESSION_HANDLE session;
	struct inventory *inv; /* NULL until key_read() */
	struct intents *lock;  /* NULL: not held */
};

/* A key that is meant: one object, or the two halves of a pair. */
struct key_found {
	const struct logical *half[2]; /* the private or only one first; NULL: there is none */
};

/* Logs in to the virtual token that the first argument names. TOOL_YES, or another code after a
 * line on stderr. */
enum tool_exit key_begin(struct key_work *w, const struct tool_options *options);

/* Reads the inventory, anew when there is one; `is_quick`: for lists. The same. */
enum tool_exit key_read(struct key_work *w, bool is_quick);

/* Whether key compare finds something. */
bool key_differs(const struct inventory *inv);

/* Takes the write lock. The same; refused in a token that does not replicate. */
enum tool_exit key_lock(struct key_work *w);

/* Ends it. */
void key_end(struct key_work *w);

/* The one key that --label, --id and --class mean. The same; lists the candidates when they mean
 * several. */
enum tool_exit key_select(const struct key_work *w, struct key_found *found);

/* The public half of a private key, or the private half of a public one; NULL when it is not there.
 */
const struct logical *key_other_half(const struct inventory *inv, const struct logical *l);

/* Whether a key, or the object `class` when it is not CK_UNAVAILABLE_INFORMATION, has this label,
 * or this id; NULL and no bytes: not asked. */
bool key_is_named(const struct logical *l, const char *label, const struct buf *id);

/* Bytes of a hexadecimal text. False after a line on stderr. */
bool key_hex(const char *text, struct buf *out);

/* Writes bytes in hexadecimal; `-` when there are none. */
void key_put_hex(FILE *out, const struct buf *bytes);

/* Writes `private key "LABEL" (id 01, rsa:3072)`. */
void key_put_name(FILE *out, const struct logical *l);

/* Names of members, with commas. Never cut. */
#define KEY_MEMBERS_LEN 700
void key_members(const struct group *g, unsigned mask, char text[static KEY_MEMBERS_LEN]);

/* What somebody is asked: true with --yes, or when "yes" is typed at the terminal. */
bool key_ask(const struct key_work *w, const char *question);

/* The PKCS#11 URI (RFC 7512) of an object of the virtual token; owned, NULL when memory is out. Its
 * halves have one URI in common when `class` is CK_UNAVAILABLE_INFORMATION. */
char *key_uri(struct group *g, const struct buf *label, const struct buf *id,
	      CK_OBJECT_CLASS class);

/* A key of a group, as JSON: names, ids, members, state, notes. */
void key_json(struct json *j, const struct inventory *inv, const struct logical *l,
	      const char *key);

/* A list of members, as JSON. */
void key_json_members(struct json *j, const struct group *g, unsigned mask, const char *key);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a journal of intents, one line for each step:
 *
 *   SUM " hsmux journal 1"                               first of every file that is not empty
 *   SUM " begin "  TAG " " KIND " " OWED " " BODY        written down, nothing done yet
 *   SUM " commit " TAG " " OWED " " BODY                 decided: to be finished
 *   SUM " settle " TAG " " OWED                          left to be done; "." ends it
 *
 *   SUM   8 digits: the begin of the SHA-256, hexadecimal, of the 8 digits of the line before (""
 * in the first one) and the line's own text behind the blank TAG   1 to 32 of a-z, 0-9, "_" and "-"
 *   KIND  make, destroy or change
 *   OWED  names of members, joined by ","; "." for none
 *   BODY  the rest of the line, may be empty
 *
 * A line is valid if and only if it ends with a newline, its sum is right, it has this form, a
 * begun tag is new and the tag of another line is begun. Lines count up to the first that is not
 * valid. When that is the last one it was torn (a kill, a full disk) before anybody relied on it;
 * when others follow, somebody else damaged the file.
 *
 * Members are written by name: the configuration may order them otherwise tomorrow. */
#include "core/intent_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/identity_soft.h"

#define NOBODY    "."
#define HEAD      "hsmux journal "
#define HEAD_TEXT HEAD "1"

static const char *const kinds[] = {
	[INTENT_MAKE] = "make", [INTENT_DESTROY] = "destroy", [INTENT_CHANGE] = "change"};

/* A piece of the file; not ended by NUL. */
struct piece {
	const char *text;
	size_t len;
};

static bool is(struct piece p, const char *word)
{
	return p.len == strlen(word) && memcmp(p.text, word, p.len) == 0;
}

/* Takes what is before the next `end`, or all of it. */
static struct piece cut(struct piece *from, char end)
{
	const char *at = from->len > 0 ? memchr(from->text, end, from->len) : NULL;
	struct piece word = {from->text, at ? (size_t)(at - from->text) : from->len};
	size_t used = word.len + (at ? 1 : 0);

	from->text += used;
	from->len -= used;
	return word;
}

static bool is_tag(struct piece p)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	for (size_t i = 0; i < p.len; i++)
		if (p.text[i] == '\0' || !strchr(letters, p.text[i]))
			return false;
	return p.len > 0 && p.len < MEMBER_TAG_ROOM;
}

bool intent_text_is_tag(const char *text)
{
	return is_tag((struct piece){text, strnlen(text, MEMBER_TAG_ROOM)});
}

/* The sum of a line behind one with sum `before`. False when OpenSSL fails. */
static bool sum_of(const char *before, struct piece what, char sum[static INTENT_SUM_LEN + 1])
{
	struct buf b = {0};
	uint8_t hash[32];
	bool ok = buf_add(&b, before, strlen(before)) && buf_add(&b, what.text, what.len) &&
		  identity_sha256(b.data, b.len, hash);

	buf_free(&b);
	for (size_t i = 0; ok && i < INTENT_SUM_LEN / 2; i++)
		(void)snprintf(sum + 2 * i, 3, "%02x", hash[i]); /* two digits, always */
	return ok;
}

static int member_of(const struct group *g, struct piece name)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (is(name, g->members[i].conf->name))
			return (int)i;
	return -1;
}

static bool add_strange(struct buf *strange, struct piece name)
{
	return (strange->len == 0 || buf_add(strange, ",", 1)) &&
	       buf_add(strange, name.text, name.len) && buf_printf(strange, "%s", "");
}

/* Fills `owed` and `strange` of an entry. *ok false when memory is out; false for another form. */
static bool take_owed(struct intent_entry *e, const struct group *g, struct piece owed, bool *ok)
{
	e->intent.owed = 0;
	e->strange.len = 0;
	if (is(owed, NOBODY))
		return true;
	do {
		struct piece name = cut(&owed, ',');
		int i = member_of(g, name);

		if (name.len == 0)
			return false;
		if (i >= 0)
			e->intent.owed |= 1u << i;
		else
			*ok = *ok && add_strange(&e->strange, name);
	} while (owed.len > 0);
	return true;
}

struct intent_entry *intent_list_find(const struct intent_list *list, const char *tag)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->entry[i].intent.tag, tag) == 0)
			return &list->entry[i];
	return NULL;
}

static struct intent_entry *add_empty(struct intent_list *list, const char *tag, size_t tag_len)
{
	struct intent_entry *all = reallocarray(list->entry, list->count + 1, sizeof *list->entry);

	if (!all)
		return NULL;
	list->entry = all;
	all[list->count] = (struct intent_entry){0};
	memcpy(all[list->count].intent.tag, tag, tag_len);
	return &all[list->count++];
}

bool intent_list_add(struct intent_list *list, const struct intent *intent)
{
	struct intent_entry *e = add_empty(list, intent->tag, strlen(intent->tag));

	if (!e)
		return false;
	e->intent.kind = intent->kind;
	e->intent.is_committed = intent->is_committed;
	e->intent.owed = intent->owed;
	if (buf_add(&e->intent.body, intent->body.data, intent->body.len))
		return true;
	intent_list_remove(list, e);
	return false;
}

static void entry_free(struct intent_entry *e)
{
	buf_free(&e->intent.body);
	buf_free(&e->strange);
}

void intent_list_remove(struct intent_list *list, struct intent_entry *e)
{
	size_t i = (size_t)(e - list->entry);

	entry_free(e);
	memmove(e, e + 1, (list->count - i - 1) * sizeof *e);
	list->count--;
}

void intent_list_free(struct intent_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		entry_free(&list->entry[i]);
	free(list->entry);
	*list = (struct intent_list){0};
}

bool intent_entry_is_parked(const struct intent_entry *e)
{
	return e->intent.owed == 0 && e->strange.len > 0;
}

static bool take_body(struct intent_entry *e, struct piece body, bool *ok)
{
	e->intent.body.len = 0;
	*ok = *ok && buf_add(&e->intent.body, body.text, body.len);
	return true;
}

static bool take_kind(struct intent_entry *e, struct piece word)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (!is(word, kinds[i]))
			continue;
		e->intent.kind = (enum intent_kind)i;
		return true;
	}
	return false;
}

static bool apply_begin(struct intent_list *list, const struct group *g, struct piece tag,
			struct piece rest, bool *ok)
{
	struct intent_entry *e = add_empty(list, tag.text, tag.len);

	*ok = e != NULL;
	if (!e)
		return false;
	if (take_kind(e, cut(&rest, ' ')) && take_owed(e, g, cut(&rest, ' '), ok))
		return take_body(e, rest, ok);
	intent_list_remove(list, e);
	return false;
}

/* Applies the text of one line; false when it does not have the form. *ok false: memory is out. */
static bool apply(struct intent_list *list, const struct group *g, struct piece what, bool *ok)
{
	struct piece verb = cut(&what, ' '), tag = cut(&what, ' '), owed;
	char name[MEMBER_TAG_ROOM] = "";
	struct intent_entry *e;

	if (!is_tag(tag))
		return false;
	memcpy(name, tag.text, tag.len);
	e = intent_list_find(list, name);
	if (is(verb, "begin"))
		return !e && apply_begin(list, g, tag, what, ok);
	owed = cut(&what, ' ');
	if (!e || owed.len == 0 || !(is(verb, "commit") || (is(verb, "settle") && what.len == 0)) ||
	    !take_owed(e, g, owed, ok))
		return false;
	if (is(verb, "commit")) {
		e->intent.is_committed = true;
		return take_body(e, what, ok);
	}
	if (e->intent.owed == 0 && e->strange.len == 0)
		intent_list_remove(list, e);
	return true;
}

/* One line without its newline. */
static enum intent_read read_line(struct intent_list *list, const struct group *g,
				  struct piece line, bool is_first)
{
	char sum[INTENT_SUM_LEN + 1];
	struct piece said = cut(&line, ' ');
	bool ok = true;

	if (!sum_of(list->sum, line, sum))
		return INTENT_READ_MEMORY;
	if (!is(said, sum))
		return INTENT_READ_DAMAGED;
	if (is_first && !is(line, HEAD_TEXT))
		return line.len > strlen(HEAD) && memcmp(line.text, HEAD, strlen(HEAD)) == 0
			       ? INTENT_READ_OTHER
			       : INTENT_READ_DAMAGED;
	if (!is_first && !apply(list, g, line, &ok) && ok)
		return INTENT_READ_DAMAGED;
	memcpy(list->sum, sum, sizeof sum);
	return ok ? INTENT_READ_ALL : INTENT_READ_MEMORY;
}

enum intent_read intent_list_read(struct intent_list *list, const struct group *g, const void *text,
				  size_t len, size_t *good, unsigned *line)
{
	struct piece rest = {text, len};

	*good = 0;
	for (*line = 1; rest.len > 0; ++*line) {
		struct piece all = rest, one = cut(&rest, '\n');
		enum intent_read end = INTENT_READ_DAMAGED;

		if (one.len < all.len)
			end = read_line(list, g, one, *line == 1);
		if (end == INTENT_READ_DAMAGED && rest.len == 0)
			return INTENT_READ_TORN;
		if (end != INTENT_READ_ALL)
			return end;
		*good = len - rest.len;
	}
	return INTENT_READ_ALL;
}

/* Appends a line of that text. */
static bool seal(struct buf *out, const struct buf *what, char sum[static INTENT_SUM_LEN + 1])
{
	struct piece text = {(const char *)what->data, what->len};
	char next[INTENT_SUM_LEN + 1];

	if (!sum_of(sum, text, next))
		return false;
	memcpy(sum, next, sizeof next);
	return buf_printf(out, "%s ", next) && buf_add(out, what->data, what->len) &&
	       buf_add(out, "\n", 1);
}

static bool add_owed(struct buf *what, const struct group *g, const struct intent_entry *e)
{
	size_t before = what->len;
	bool ok = true;

	for (unsigned i = 0; i < g->member_count; i++)
		if (e->intent.owed & (1u << i))
			ok = ok && buf_printf(what, "%s%s", what->len > before ? "," : "",
					      g->members[i].conf->name);
	if (e->strange.len > 0)
		ok = ok && buf_printf(what, "%s%s", what->len > before ? "," : "",
				      (const char *)e->strange.data);
	return ok && (what->len > before || buf_printf(what, NOBODY));
}

static bool add_line(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
		     const struct intent_entry *e, const char *verb, const char *kind)
{
	struct buf what = {0};
	bool ok = buf_printf(&what, "%s %s %s%s", verb, e->intent.tag, kind, *kind ? " " : "") &&
		  add_owed(&what, g, e);

	if (ok && strcmp(verb, "settle") != 0)
		ok = buf_add(&what, " ", 1) &&
		     buf_add(&what, e->intent.body.data, e->intent.body.len);
	ok = ok && seal(out, &what, sum);
	buf_free(&what);
	return ok;
}

bool intent_line_head(struct buf *out, char sum[static INTENT_SUM_LEN + 1])
{
	struct buf what = {0};
	bool ok = buf_printf(&what, HEAD_TEXT) && seal(out, &what, sum);

	buf_free(&what);
	return ok;
}

bool intent_line_begin(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
		       const struct intent_entry *e)
{
	return add_line(out, sum, g, e, "begin", kinds[e->intent.kind]);
}

bool intent_line_commit(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
			const struct intent_entry *e)
{
	return add_line(out, sum, g, e, "commit", "");
}

bool intent_line_settle(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
			const struct intent_entry *e)
{
	return add_line(out, sum, g, e, "settle", "");
}

bool intent_list_text(const struct intent_list *list, const struct group *g, struct buf *out,
		      char sum[static INTENT_SUM_LEN + 1])
{
	bool ok;

	sum[0] = '\0';
	ok = intent_line_head(out, sum);
	for (size_t i = 0; ok && i < list->count; i++) {
		const struct intent_entry *e = &list->entry[i];

		ok = intent_line_begin(out, sum, g, e) &&
		     (!e->intent.is_committed || intent_line_commit(out, sum, g, e));
	}
	return ok;
}

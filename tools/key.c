/* SPDX-License-Identifier: BSD-2-Clause */
/* Key: what the `hsmux key` commands share.
 *
 * A name that means several keys is never guessed at. The two halves of a pair are one key: they
 * are found together, by their public key, not by their names. */
#include "tools/key.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "tools/enter.h"

/* How long other writers are waited for. */
#define LOCK_WAIT_MS 30000
/* Candidates that are listed at the most. */
#define CANDIDATES 8

enum tool_exit key_begin(struct key_work *w, const struct tool_options *options)
{
	*w = (struct key_work){.options = options};
	return tool_enter(options, options->words[0], &w->group, &w->session);
}

void key_end(struct key_work *w)
{
	inventory_free(w->inv);
	intents_close(w->lock);
	tool_leave();
}

/* How far the reading is; one line that is written over. */
static void show_progress(void *context, size_t done, size_t total)
{
	(void)context;
	if (done % 50 == 0 || done == total)
		fprintf(stderr, "\rhsmux: object %zu of %zu%s", done, total,
			done == total ? "\r\033[K" : "");
}

enum tool_exit key_read(struct key_work *w, bool is_quick)
{
	struct inventory_how how = {.is_quick = is_quick};
	char members[KEY_MEMBERS_LEN];
	CK_RV rv;

	if (isatty(STDERR_FILENO))
		how.step = show_progress;
	inventory_free(w->inv);
	rv = inventory_read(w->group, &how, &w->inv);
	if (rv != CKR_OK) {
		tool_complain(w->group, "the members' objects cannot be read: memory is out");
		return TOOL_NO;
	}
	for (size_t i = 0; i < w->group->member_count; i++)
		if (!(w->inv->asked & 1U << i))
			tool_complain(w->group, "member %s was not asked: %s",
				      w->group->members[i].conf->name, w->inv->why[i]);
	if (w->inv->asked)
		return TOOL_YES;
	key_members(w->group, group_all(w->group), members);
	tool_complain(w->group, "no member answers (members: %s)", members);
	return TOOL_UNREACHABLE;
}

enum tool_exit key_lock(struct key_work *w)
{
	char why[600];

	if (!w->group->is_multi || w->group->conf->replicate == CONFIG_REPLICATE_NONE) {
		tool_complain(w->group, "replicate = \"none\": nothing is kept the same there "
					"(replicate = \"all\", \"majority\" or \"first\")");
		return TOOL_NO;
	}
	w->lock = intents_open(w->group, LOCK_WAIT_MS, why, sizeof(why));
	if (w->lock == NULL) {
		tool_complain(w->group, "%s", why);
		return TOOL_NO;
	}
	return TOOL_YES;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool key_hex(const char *text, struct buf *out)
{
	size_t len = strlen(text);
	bool ok = len > 0 && len % 2 == 0 && len <= 512;

	for (size_t i = 0; ok && i < len; i += 2) {
		int high = digit(text[i]), low = digit(text[i + 1]);
		unsigned char byte = (unsigned char)((high & 15) << 4 | (low & 15));

		ok = high >= 0 && low >= 0 && buf_add(out, &byte, 1);
	}
	if (ok)
		return true;
	fputs("hsmux: --id ", stderr);
	tool_put(stderr, text);
	fputs(": expected bytes in hexadecimal, such as 01ab\n", stderr);
	return false;
}

void key_put_hex(FILE *out, const struct buf *bytes)
{
	if (bytes->len == 0)
		fputc('-', out);
	for (size_t i = 0; i < bytes->len; i++)
		fprintf(out, "%02x", bytes->data[i]);
}

static void put_label(FILE *out, const struct buf *label)
{
	char text[260];
	size_t len = label->len < sizeof(text) - 1 ? label->len : sizeof(text) - 1;

	if (len > 0)
		memcpy(text, label->data, len);
	text[len] = '\0';
	tool_put(out, text);
}

void key_put_name(FILE *out, const struct logical *l)
{
	const struct identity *id = &logical_first(l)->id;
	char spare[NAME_MAX_LEN];

	fprintf(out, "%s \"", logical_class_name(id->class, spare));
	put_label(out, &id->label);
	fputs("\" (id ", out);
	key_put_hex(out, &id->id);
	fprintf(out, ", %s)", l->type[0] ? l->type : "?");
}

void key_members(const struct group *g, unsigned mask, char text[static KEY_MEMBERS_LEN])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < g->member_count; i++) {
		int n;

		if (!(mask & 1U << i))
			continue;
		n = snprintf(text + used, KEY_MEMBERS_LEN - used, "%s%s", used > 0 ? "," : "",
			     g->members[i].conf->name);
		if (n < 0 || (size_t)n >= KEY_MEMBERS_LEN - used)
			return;
		used += (size_t)n;
	}
}

bool key_is_named(const struct logical *l, const char *label, const struct buf *id)
{
	const struct identity *own = &logical_first(l)->id;

	if (label != NULL &&
	    (own->label.len != strlen(label) ||
	     (own->label.len > 0 && memcmp(own->label.data, label, own->label.len) != 0)))
		return false;
	return id->len == 0 ||
	       (own->id.len == id->len && memcmp(own->id.data, id->data, id->len) == 0);
}

/* The key class that belongs to the other half; no class for other objects. */
static CK_OBJECT_CLASS other_class(CK_OBJECT_CLASS class)
{
	if (class == CKO_PRIVATE_KEY)
		return CKO_PUBLIC_KEY;
	return class == CKO_PUBLIC_KEY ? CKO_PRIVATE_KEY : CK_UNAVAILABLE_INFORMATION;
}

static bool has_public_key(const struct identity *id)
{
	return id->kind == IDENTITY_PUBLIC ||
	       (id->kind == IDENTITY_VALUE && id->class == CKO_PUBLIC_KEY);
}

/* Of several the one with the same name. */
const struct logical *key_other_half(const struct inventory *inv, const struct logical *l)
{
	const struct identity *id = &logical_first(l)->id;
	CK_OBJECT_CLASS class = other_class(id->class);
	const struct logical *found = NULL;

	if (!has_public_key(id) || class == CK_UNAVAILABLE_INFORMATION)
		return NULL;
	for (size_t i = 0; i < inv->logical_count; i++) {
		const struct logical *o = &inv->logicals[i];
		const struct identity *other = &logical_first(o)->id;

		if (other->class != class || !has_public_key(other) ||
		    memcmp(other->digest, id->digest, sizeof(id->digest)) != 0)
			continue;
		if (found == NULL || key_is_named(o, NULL, &id->id))
			found = o;
	}
	return found;
}

static const struct {
	const char *name;
	CK_OBJECT_CLASS class;
} class_words[] = {
	{"private", CKO_PRIVATE_KEY},     {"public", CKO_PUBLIC_KEY}, {"secret", CKO_SECRET_KEY},
	{"certificate", CKO_CERTIFICATE}, {"data", CKO_DATA},
};

static bool read_class(const char *word, CK_OBJECT_CLASS *class)
{
	*class = CK_UNAVAILABLE_INFORMATION;
	if (word == NULL)
		return true;
	for (size_t i = 0; i < sizeof(class_words) / sizeof(class_words[0]); i++) {
		if (strcmp(word, class_words[i].name) != 0)
			continue;
		*class = class_words[i].class;
		return true;
	}
	fputs("hsmux: --class ", stderr);
	tool_put(stderr, word);
	fputs(": expected private, public, secret, certificate or data\n", stderr);
	return false;
}

static bool is_key(CK_OBJECT_CLASS class)
{
	return class == CKO_PRIVATE_KEY || class == CKO_PUBLIC_KEY || class == CKO_SECRET_KEY;
}

static void say_unknown(const struct key_work *w)
{
	const struct tool_options *o = w->options;

	fputs("hsmux: token \"", stderr);
	tool_put(stderr, w->group->conf->label);
	fprintf(stderr, "\" has no %s with%s", o->class != NULL ? o->class : "key",
		o->label != NULL ? " label \"" : "");
	if (o->label != NULL) {
		tool_put(stderr, o->label);
		fputs("\"", stderr);
	}
	if (o->id != NULL)
		fprintf(stderr, "%s id %s", o->label != NULL ? " and" : "", o->id);
	fputs(": see \"hsmux key list\"\n", stderr);
}

static void say_several(const struct key_work *w, const struct key_found *list, size_t count)
{
	fputs("hsmux: token \"", stderr);
	tool_put(stderr, w->group->conf->label);
	fprintf(stderr, "\": %zu keys are meant:", count);
	for (size_t i = 0; i < count && i < CANDIDATES; i++) {
		fputs(i == 0 ? " " : ", ", stderr);
		key_put_name(stderr, list[i].half[0]);
	}
	fputs(": say which with --label, --id or --class\n", stderr);
}

/* Whether it is the second half of one that was found. */
static bool is_half_of(const struct key_found *list, size_t count, const struct logical *l)
{
	for (size_t i = 0; i < count && i < CANDIDATES; i++)
		if (list[i].half[0] == l || list[i].half[1] == l)
			return true;
	return false;
}

enum tool_exit key_select(const struct key_work *w, struct key_found *found)
{
	struct key_found list[CANDIDATES] = {{{NULL}}};
	CK_OBJECT_CLASS class;
	struct buf id = {0};
	size_t count = 0;

	if (w->options->label == NULL && w->options->id == NULL) {
		fputs("hsmux: which key: --label or --id is missing\n", stderr);
		return TOOL_USAGE;
	}
	if (!read_class(w->options->class, &class) ||
	    (w->options->id != NULL && !key_hex(w->options->id, &id))) {
		buf_free(&id);
		return TOOL_USAGE;
	}
	for (size_t i = 0; i < w->inv->logical_count; i++) {
		const struct logical *l = &w->inv->logicals[i];
		CK_OBJECT_CLASS own = logical_first(l)->id.class;

		if ((class == CK_UNAVAILABLE_INFORMATION ? !is_key(own) : own != class) ||
		    !key_is_named(l, w->options->label, &id) || is_half_of(list, count, l))
			continue;
		if (count < CANDIDATES) {
			const struct logical *other = key_other_half(w->inv, l);
			bool is_first = own != CKO_PUBLIC_KEY || other == NULL;

			if (class != CK_UNAVAILABLE_INFORMATION)
				other = NULL, is_first = true;
			list[count] =
				(struct key_found){{is_first ? l : other, is_first ? other : l}};
		}
		count++;
	}
	buf_free(&id);
	*found = list[0];
	if (count == 0)
		say_unknown(w);
	else if (count > 1)
		say_several(w, list, count);
	return count == 1 ? TOOL_YES : TOOL_NO;
}

bool key_ask(const struct key_work *w, const char *question)
{
	char answer[16];

	if (w->options->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fputs("hsmux: this is asked for at a terminal; --yes says it beforehand\n", stderr);
		return false;
	}
	fprintf(stderr, "%s Type \"yes\": ", question);
	if (fgets(answer, sizeof(answer), stdin) != NULL && strcmp(answer, "yes\n") == 0)
		return true;
	fputs("hsmux: nothing was changed\n", stderr);
	return false;
}

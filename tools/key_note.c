/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key annotate: notes beside a key, on all members.
 *
 * The record belongs to the private or secret key, or to what was chosen. A member that is away
 * gets it when it comes back. */
#include "tools/key_note.h"

#include <string.h>
#include <time.h>

#include "tools/enter.h"

/* Notes that people write; the others are hsmux's. */
static const enum record_note writable[] = {RECORD_PURPOSE, RECORD_OWNER, RECORD_EXPIRES,
					    RECORD_CEREMONY};

/* A record that there is, or a new one. */
static bool begin_record(const struct key_work *w, const struct logical *l, struct record *out)
{
	const struct instance *in = logical_first(l);
	struct repair r = {.group = w->group};

	*out = (struct record){.version = 0};
	if (l->record != NULL && record_is_alive(l->record))
		return record_copy(l->record, out);
	if (repair_print(&r, in, out->print) != CKR_OK) {
		tool_complain(w->group, "no record can be kept: %s", r.why);
		return false;
	}
	out->version = l->record != NULL ? l->record->version : 0;
	out->class = in->id.class;
	out->key_type = in->id.key_type;
	out->is_public = !in->id.is_private;
	return true;
}

/* Whether there is another object of the same content, which the record is about, too. */
static bool is_shared(const struct inventory *inv, const struct logical *l)
{
	for (size_t i = 0; i < inv->logical_count; i++)
		if (&inv->logicals[i] != l &&
		    logical_first(&inv->logicals[i])->set == logical_first(l)->set)
			return true;
	return false;
}

bool key_record(const struct key_work *w, const struct logical *l, struct record *out)
{
	const struct identity *id = &logical_first(l)->id;

	if (!begin_record(w, l, out))
		return false;
	out->is_shared = out->is_shared || is_shared(w->inv, l);
	out->id.len = out->label.len = 0; /* where to look for it now */
	if (buf_add(&out->id, id->id.data, id->id.len) &&
	    buf_add(&out->label, id->label.data, id->label.len))
		return true;
	record_free(out);
	tool_complain(w->group, "memory is out");
	return false;
}

enum tool_exit key_record_write(const struct key_work *w, struct record *r)
{
	struct repair repair = {.group = w->group, .lock = w->lock};
	unsigned asked = w->inv->asked;

	r->version++;
	if (repair_record(&repair, r, asked, asked) == CKR_OK)
		return TOOL_YES;
	tool_complain(w->group, "%s", repair.why);
	return TOOL_NO;
}

void key_now(char text[static KEY_TIME_LEN])
{
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(text, KEY_TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

enum tool_exit key_note_created(struct key_work *w, const struct key_found *made)
{
	char now[KEY_TIME_LEN];
	struct record r;
	enum tool_exit code;

	if (!w->group->is_multi || w->group->conf->replicate == CONFIG_REPLICATE_NONE)
		return TOOL_YES;
	code = key_lock(w);
	if (code != TOOL_YES || !key_record(w, made->half[0], &r))
		return code != TOOL_YES ? code : TOOL_NO;
	key_now(now);
	code = record_set_note(&r, RECORD_CREATED, now) ? key_record_write(w, &r) : TOOL_NO;
	record_free(&r);
	return code;
}

static bool is_time(const char *text)
{
	struct tm tm = {.tm_sec = 0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end != NULL && *end != '\0')
		end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return end != NULL && *end == '\0';
}

/* Takes one word, "owner=payments", or "owner=" to take the note out. */
static bool take(struct record *r, const char *word)
{
	const char *value = strchr(word, '=');

	for (size_t i = 0; value != NULL && i < sizeof(writable) / sizeof(writable[0]); i++) {
		const char *name = record_note_name(writable[i]);
		size_t len = strlen(name);

		if ((size_t)(value - word) != len || strncmp(word, name, len) != 0)
			continue;
		if (writable[i] == RECORD_EXPIRES && value[1] != '\0' && !is_time(value + 1)) {
			fputs("hsmux: ", stderr);
			tool_put(stderr, word);
			fputs(": expected a date, as 2030-12-31 or 2030-12-31T23:59:59Z\n", stderr);
			return false;
		}
		if (record_set_note(r, writable[i], value + 1))
			return true;
		fprintf(stderr, "hsmux: %s: a note has 256 bytes at the most, all printable\n",
			name);
		return false;
	}
	fputs("hsmux: note \"", stderr);
	tool_put(stderr, word);
	fputs("\": expected purpose=, owner=, expires= or ceremony= and its text\n", stderr);
	return false;
}

static enum tool_exit annotate(struct key_work *w)
{
	struct key_found found;
	struct json j = {.out = stdout};
	struct record r;
	enum tool_exit code = key_read(w, true);

	if (code == TOOL_YES)
		code = key_select(w, &found);
	if (code != TOOL_YES || !key_record(w, found.half[0], &r))
		return code != TOOL_YES ? code : TOOL_NO;
	for (size_t i = 1; code == TOOL_YES && i < w->options->word_count; i++)
		if (!take(&r, w->options->words[i]))
			code = TOOL_USAGE;
	if (code == TOOL_YES)
		code = key_record_write(w, &r);
	record_free(&r);
	if (code == TOOL_YES)
		code = key_read(w, true);
	if (code == TOOL_YES && w->options->json && key_select(w, &found) == TOOL_YES) {
		key_json(&j, w->inv, found.half[0], NULL);
		putchar('\n');
	}
	return code;
}

enum tool_exit tool_key_annotate(const struct tool_options *options)
{
	struct key_work w;
	enum tool_exit code = key_begin(&w, options);

	if (code == TOOL_YES)
		code = key_lock(&w);
	if (code == TOOL_YES)
		code = annotate(&w);
	key_end(&w);
	return code;
}

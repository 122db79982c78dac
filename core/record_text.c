/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as text, the value of a data object on a member. Lines in this order, each ended by a
 * newline; those in brackets are left out when there is nothing to say:
 *
 *   hsmux-record 1
 *   print HEX            the fingerprint, 32 bytes
 *   [also HEX]           other fingerprints, one behind the other
 *   version NUMBER
 *   state WORD           live, retired, destroyed or moved
 *   class NUMBER
 *   [type NUMBER]        CKA_KEY_TYPE
 *   [id HEX]             CKA_ID
 *   [label HEX]          CKA_LABEL
 *   [public yes]         what the booleans say
 *   [may-export yes]
 *   [fixed yes]
 *   [single yes]
 *   [lasting yes]
 *   [shared yes]
 *   [unwritten yes]      in the journal only
 *   [owed NAMES]         of members, joined by ","
 *   [NOTE HEX]           the notes in the order of enum record_note, without a closing NUL
 *
 * NUMBER is decimal without leading zeros, HEX has small letters. A text is valid if and only if it
 * is one that this writes: what a member cut off, or somebody else wrote, is no record. Only the
 * names of members may be others than those of the configuration: it may have changed. */
#include "core/record.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "hsmux-record 1\n"
/* A longer text is none of ours: an id and a label of 64 KiB are refused before. */
#define LONGEST (512UL * 1024)

static const char *const states[] = {[RECORD_LIVE] = "live",
				     [RECORD_RETIRED] = "retired",
				     [RECORD_DESTROYED] = "destroyed",
				     [RECORD_MOVED] = "moved"};

static const char *const notes[] = {
	[RECORD_PURPOSE] = "purpose",   [RECORD_OWNER] = "owner",
	[RECORD_CREATED] = "created",   [RECORD_EXPIRES] = "expires",
	[RECORD_PREVIOUS] = "previous", [RECORD_NEXT] = "next",
	[RECORD_CEREMONY] = "ceremony",
};

/* The booleans. */
static const struct {
	const char *key;
	size_t at;
} flags[] = {
	{"public", offsetof(struct record, is_public)},
	{"may-export", offsetof(struct record, may_export)},
	{"fixed", offsetof(struct record, is_fixed)},
	{"single", offsetof(struct record, is_single)},
	{"lasting", offsetof(struct record, is_lasting)},
	{"shared", offsetof(struct record, is_shared)},
	{"unwritten", offsetof(struct record, is_unwritten)},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* What is left of a text; not ended by NUL. */
struct piece {
	const char *text;
	size_t len;
	bool *is_out; /* set when memory is */
};

static bool *flag_of(struct record *r, size_t i)
{
	return (bool *)(void *)((char *)r + flags[i].at);
}

static bool has_flag(const struct record *r, size_t i)
{
	return *(const bool *)(const void *)((const char *)r + flags[i].at);
}

const char *record_note_name(enum record_note note)
{
	return notes[note];
}

bool record_is_idle(const struct record *r)
{
	bool is_idle = r->state == RECORD_LIVE && r->owed == 0 && !r->may_export && !r->is_fixed &&
		       !r->is_single && !r->is_lasting;

	if (!record_is_alive(r))
		return r->owed == 0; /* gone everywhere: nothing is left to say */
	for (size_t i = 0; i < COUNT(notes); i++)
		is_idle = is_idle && !r->note[i];
	return is_idle;
}

static bool is_also(const struct record *r, const uint8_t print[static FINGERPRINT_LEN])
{
	for (size_t i = 0; i < r->also_count; i++)
		if (memcmp(r->also[i], print, FINGERPRINT_LEN) == 0)
			return true;
	return false;
}

bool record_has_print(const struct record *r, const uint8_t print[static FINGERPRINT_LEN])
{
	return memcmp(r->print, print, FINGERPRINT_LEN) == 0 || is_also(r, print);
}

void record_add_also(struct record *r, const uint8_t print[static FINGERPRINT_LEN])
{
	if (!is_also(r, print) && r->also_count < FINGERPRINT_WAYS)
		memcpy(r->also[r->also_count++], print, FINGERPRINT_LEN);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

bool record_is_named(const struct record *r, const struct identity *id)
{
	return same(&r->id, &id->id) && same(&r->label, &id->label);
}

bool record_is_of_twin(const struct record *r, const struct buf *id, const struct buf *label)
{
	return record_is_alive(r) && !(same(&r->id, id) && same(&r->label, label));
}

/* Takes over a note. */
static bool put_note(struct record *r, size_t note, char *text)
{
	free(r->note[note]);
	r->note[note] = text;
	return true;
}

static bool is_note(const char *text)
{
	size_t len = strnlen(text, RECORD_NOTE_MAX + 1);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return len <= RECORD_NOTE_MAX;
}

bool record_set_note(struct record *r, enum record_note note, const char *text)
{
	char *copy;

	if (!text || !text[0])
		return put_note(r, note, NULL);
	if (!is_note(text))
		return false;
	copy = strdup(text);
	return copy && put_note(r, note, copy);
}

void record_join(struct record *r, struct record *known)
{
	if (!record_is_alive(known))
		return;
	r->state = known->state;
	r->may_export = known->may_export;
	r->is_fixed = r->is_fixed || known->is_fixed;
	r->is_single = r->is_single || known->is_single;
	r->is_lasting = r->is_lasting || known->is_lasting;
	for (size_t i = 0; i < COUNT(notes); i++) {
		free(r->note[i]);
		r->note[i] = known->note[i];
		known->note[i] = NULL;
	}
}

void record_free(struct record *r)
{
	if (!r)
		return;
	buf_free(&r->id);
	buf_free(&r->label);
	for (size_t i = 0; i < COUNT(notes); i++)
		free(r->note[i]);
	*r = (struct record){0};
}

bool record_copy(const struct record *from, struct record *to)
{
	bool ok;

	*to = *from;
	to->id = to->label = (struct buf){0};
	memset(to->note, 0, sizeof to->note);
	ok = buf_add(&to->id, from->id.data, from->id.len) &&
	     buf_add(&to->label, from->label.data, from->label.len);
	for (size_t i = 0; ok && i < COUNT(notes); i++) {
		to->note[i] = from->note[i] ? strdup(from->note[i]) : NULL;
		ok = !from->note[i] || to->note[i];
	}
	if (!ok)
		record_free(to);
	return ok;
}

static bool add_hex(struct buf *out, const char *key, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	bool ok = len == 0 || buf_printf(out, "%s ", key);

	for (size_t i = 0; ok && i < len; i++)
		ok = buf_printf(out, "%02x", p[i]);
	return ok && (len == 0 || buf_add(out, "\n", 1));
}

static bool add_owed(struct buf *out, const struct group *g, unsigned owed)
{
	const char *before = "owed ";
	bool ok = true;

	for (unsigned i = 0; ok && i < g->member_count; i++) {
		if (!(owed & (1u << i)))
			continue;
		ok = buf_printf(out, "%s%s", before, g->members[i].conf->name);
		before = ",";
	}
	return ok && (*before != ',' || buf_add(out, "\n", 1));
}

bool record_text(const struct group *g, const struct record *r, struct buf *out)
{
	bool ok = buf_add(out, HEAD, sizeof HEAD - 1) &&
		  add_hex(out, "print", r->print, sizeof r->print) &&
		  add_hex(out, "also", r->also, r->also_count * sizeof r->also[0]) &&
		  buf_printf(out, "version %lu\nstate %s\nclass %lu\n", r->version,
			     states[r->state], r->class);

	if (r->key_type != CK_UNAVAILABLE_INFORMATION)
		ok = ok && buf_printf(out, "type %lu\n", r->key_type);
	ok = ok && add_hex(out, "id", r->id.data, r->id.len) &&
	     add_hex(out, "label", r->label.data, r->label.len);
	for (size_t i = 0; ok && i < COUNT(flags); i++)
		ok = !has_flag(r, i) || buf_printf(out, "%s yes\n", flags[i].key);
	ok = ok && add_owed(out, g, r->owed);
	for (size_t i = 0; ok && i < COUNT(notes); i++)
		ok = !r->note[i] || add_hex(out, notes[i], r->note[i], strlen(r->note[i]));
	return ok;
}

/* Takes the value of a line with this key; false, and nothing taken, when it is not next. */
static bool take(struct piece *from, const char *key, struct piece *value)
{
	size_t len = strlen(key);
	const char *end;

	if (from->len <= len || memcmp(from->text, key, len) != 0 || from->text[len] != ' ')
		return false;
	value->text = from->text + len + 1;
	end = memchr(value->text, '\n', from->len - len - 1);
	if (!end)
		return false;
	value->len = (size_t)(end - value->text);
	from->len -= (size_t)(end + 1 - from->text);
	from->text = end + 1;
	return value->len > 0;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool take_hex(struct piece *from, const char *key, struct buf *out)
{
	struct piece value;
	bool ok = take(from, key, &value) && value.len % 2 == 0;

	for (size_t i = 0; ok && i < value.len; i += 2) {
		int high = digit(value.text[i]), low = digit(value.text[i + 1]);
		unsigned char byte = (unsigned char)((unsigned)high << 4 | (unsigned)low);

		ok = high >= 0 && low >= 0;
		if (ok && !buf_add(out, &byte, 1)) {
			*from->is_out = true;
			return false;
		}
	}
	return ok;
}

static bool take_number(struct piece *from, const char *key, unsigned long *out)
{
	unsigned long number = 0;
	struct piece value;

	if (!take(from, key, &value) || (value.text[0] == '0' && value.len > 1))
		return false;
	for (size_t i = 0; i < value.len; i++) {
		int n = digit(value.text[i]);

		if (n < 0 || n > 9 || __builtin_mul_overflow(number, 10UL, &number) ||
		    __builtin_add_overflow(number, (unsigned long)n, &number))
			return false;
	}
	*out = number;
	return true;
}

static bool is(struct piece p, const char *word)
{
	return p.len == strlen(word) && memcmp(p.text, word, p.len) == 0;
}

static bool take_state(struct piece *from, enum record_state *out)
{
	struct piece value;

	if (!take(from, "state", &value))
		return false;
	for (size_t i = 0; i < COUNT(states); i++) {
		if (!is(value, states[i]))
			continue;
		*out = (enum record_state)i;
		return true;
	}
	return false;
}

static bool take_print(struct piece *from, uint8_t print[static FINGERPRINT_LEN])
{
	struct buf b = {0};
	bool ok = take_hex(from, "print", &b) && b.len == FINGERPRINT_LEN;

	if (ok)
		memcpy(print, b.data, FINGERPRINT_LEN);
	buf_free(&b);
	return ok;
}

static bool take_also(struct piece *from, struct record *r)
{
	struct buf b = {0};
	bool ok = take_hex(from, "also", &b) && b.len % FINGERPRINT_LEN == 0 &&
		  b.len <= sizeof r->also;

	if (ok) {
		memcpy(r->also, b.data, b.len);
		r->also_count = b.len / FINGERPRINT_LEN;
	}
	buf_free(&b);
	return ok;
}

static bool starts(const struct piece *from, const char *key)
{
	size_t len = strlen(key);

	return from->len > len && memcmp(from->text, key, len) == 0 && from->text[len] == ' ';
}

static bool take_flag(struct piece *from, const char *key, bool *out)
{
	struct piece value;

	if (!starts(from, key))
		return true;
	*out = take(from, key, &value) && is(value, "yes");
	return *out;
}

/* As the configuration has them. */
static bool is_name(struct piece p)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	for (size_t i = 0; i < p.len; i++)
		if (p.text[i] == '\0' || !strchr(letters, p.text[i]))
			return false;
	return p.len > 0;
}

static bool take_owed(struct piece *from, const struct group *g, unsigned *owed)
{
	struct piece value;

	if (!starts(from, "owed"))
		return true;
	if (!take(from, "owed", &value))
		return false;
	for (;;) {
		const char *end = memchr(value.text, ',', value.len);
		struct piece name = {value.text, end ? (size_t)(end - value.text) : value.len,
				     NULL};

		if (!is_name(name))
			return false;
		for (unsigned i = 0; i < g->member_count; i++)
			if (is(name, g->members[i].conf->name))
				*owed |= 1u << i;
		if (!end)
			return true;
		value.text += name.len + 1;
		value.len -= name.len + 1;
	}
}

static bool take_note(struct piece *from, struct record *r, size_t note)
{
	struct buf b = {0};
	bool ok;

	if (!starts(from, notes[note]))
		return true;
	ok = take_hex(from, notes[note], &b) && !memchr(b.data, '\0', b.len);
	if (ok && !buf_add(&b, "", 1))
		*from->is_out = true;
	else
		ok = ok && is_note((const char *)b.data);
	if (ok && !*from->is_out &&
	    !record_set_note(r, (enum record_note)note, (const char *)b.data))
		*from->is_out = true;
	buf_free(&b);
	return ok && !*from->is_out;
}

static bool parse(struct piece from, const struct group *g, struct record *r)
{
	bool ok = from.len >= sizeof HEAD - 1 && memcmp(from.text, HEAD, sizeof HEAD - 1) == 0;

	if (!ok)
		return false;
	from.text += sizeof HEAD - 1;
	from.len -= sizeof HEAD - 1;
	ok = take_print(&from, r->print) && (!starts(&from, "also") || take_also(&from, r)) &&
	     take_number(&from, "version", &r->version) && take_state(&from, &r->state) &&
	     take_number(&from, "class", &r->class);
	if (starts(&from, "type"))
		ok = ok && take_number(&from, "type", &r->key_type) &&
		     r->key_type != CK_UNAVAILABLE_INFORMATION;
	if (starts(&from, "id"))
		ok = ok && take_hex(&from, "id", &r->id);
	if (starts(&from, "label"))
		ok = ok && take_hex(&from, "label", &r->label);
	for (size_t i = 0; ok && i < COUNT(flags); i++)
		ok = take_flag(&from, flags[i].key, flag_of(r, i));
	ok = ok && take_owed(&from, g, &r->owed);
	for (size_t i = 0; ok && i < COUNT(notes); i++)
		ok = take_note(&from, r, i);
	return ok && from.len == 0;
}

CK_RV record_parse(const struct group *g, const void *text, size_t len, struct record *out)
{
	bool is_out = false;

	*out = (struct record){.key_type = CK_UNAVAILABLE_INFORMATION};
	if (len <= LONGEST && len > 0 && parse((struct piece){text, len, &is_out}, g, out))
		return CKR_OK;
	record_free(out);
	return is_out ? CKR_HOST_MEMORY : CKR_DATA_INVALID;
}

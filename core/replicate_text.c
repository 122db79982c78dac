/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of the journal: see replicate_make.c for what they mean. No lock, no state. */
#include "core/replicate_text.h"

#include <stdlib.h>
#include <string.h>

bool made_text_add_hex(struct buf *b, const void *data, size_t len)
{
	const unsigned char *p = data;
	bool ok = true;

	if (len == 0)
		return buf_add(b, "-", 1);
	for (size_t i = 0; ok && i < len; i++)
		ok = buf_printf(b, "%02x", p[i]);
	return ok;
}

static int digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool made_text_read_hex(const unsigned char *text, size_t len, struct buf *out)
{
	if (len == 1 && text[0] == '-')
		return true;
	if (len == 0 || len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int high = digit(text[i]), low = digit(text[i + 1]);
		unsigned char byte = (unsigned char)(high * 16 + low);

		if (high < 0 || low < 0 || !buf_add(out, &byte, 1))
			return false;
	}
	return true;
}

static bool add_blank(struct buf *b)
{
	return b->len == 0 || buf_add(b, " ", 1);
}

bool made_text_add_name(struct buf *body, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *label)
{
	return add_blank(body) && buf_printf(body, "label %lu ", class) &&
	       made_text_add_hex(body, label->pValue, label->ulValueLen);
}

bool made_text_add_record(struct buf *body, const struct group *g, const struct record *r)
{
	struct buf text = {0};
	bool ok = record_text(g, r, &text) && add_blank(body) && buf_printf(body, "record ") &&
		  made_text_add_hex(body, text.data, text.len);

	buf_free(&text);
	return ok;
}

/* The next word; false at the end. */
static bool next_word(const struct buf *b, size_t *at, const unsigned char **word, size_t *len)
{
	while (*at < b->len && b->data[*at] == ' ')
		(*at)++;
	*word = b->data + *at;
	for (*len = 0; *at < b->len && b->data[*at] != ' '; (*at)++)
		(*len)++;
	return *len > 0;
}

static bool is_word(const unsigned char *word, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(word, text, len) == 0;
}

static bool read_number(const unsigned char *word, size_t len, CK_ULONG *out)
{
	char text[24];
	char *end = NULL;

	if (len == 0 || len >= sizeof text || word[0] < '0' || word[0] > '9')
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	*out = strtoul(text, &end, 10);
	return *end == '\0';
}

static bool read_name(const struct buf *b, size_t *at, struct made_text *out)
{
	struct named *n = &out->name[out->name_count];
	const unsigned char *word;
	size_t len;

	if (out->name_count == 2)
		return false;
	*n = (struct named){0};
	out->name_count++;
	return next_word(b, at, &word, &len) && read_number(word, len, &n->class) &&
	       next_word(b, at, &word, &len) && made_text_read_hex(word, len, &n->label);
}

/* No more than for two objects. */
static bool add_record(struct made_text *out)
{
	struct record *all = out->record_count < 4
				     ? reallocarray(out->record, out->record_count + 1, sizeof *all)
				     : NULL;

	if (!all)
		return false;
	all[out->record_count] = (struct record){.version = 0};
	out->record = all;
	return true;
}

static bool read_record(const struct group *g, const struct buf *b, size_t *at,
			struct made_text *out)
{
	const unsigned char *word;
	struct buf text = {0};
	size_t len;
	bool ok = next_word(b, at, &word, &len) && made_text_read_hex(word, len, &text) &&
		  add_record(out) &&
		  record_parse(g, text.data, text.len, &out->record[out->record_count]) == CKR_OK;

	out->record_count += ok ? 1 : 0;
	buf_free(&text);
	return ok;
}

bool made_text_parse(const struct group *g, const struct buf *body, struct made_text *out)
{
	const unsigned char *word;
	size_t at = 0, len;
	bool ok = true;

	*out = (struct made_text){0};
	while (ok && next_word(body, &at, &word, &len)) {
		if (is_word(word, len, "label"))
			ok = read_name(body, &at, out);
		else if (is_word(word, len, "record"))
			ok = read_record(g, body, &at, out);
		else
			ok = false;
	}
	if (!ok || out->name_count == 0) {
		made_text_free(out);
		return false;
	}
	return true;
}

void made_text_free(struct made_text *text)
{
	for (unsigned i = 0; i < text->name_count; i++)
		buf_free(&text->name[i].label);
	for (unsigned i = 0; i < text->record_count; i++)
		record_free(&text->record[i]);
	free(text->record);
	*text = (struct made_text){0};
}

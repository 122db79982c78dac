/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON: the output of --json, on one line.
 *
 * The writer keeps no state but "is a comma due", which is right on every level because a closed
 * object or list is itself a value that something may follow. What is written is always valid JSON,
 * whatever bytes a file or a token supplied. Errors of the stream are the caller's to check, once,
 * at the end. */
#include "tools/json.h"

#include <string.h>

#include "core/base/utf8.h"

static void quote(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text != '\0') {
		size_t len = utf8_len(text);
		unsigned char c = (unsigned char)*text;

		if (len == 0)
			fputs("\\ufffd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (!utf8_is_shown(utf8_code(text, len)))
			fprintf(out, "\\u%04x", (unsigned)utf8_code(text, len));
		else
			fwrite(text, 1, len, out);
		text += len > 0 ? len : 1;
	}
	fputc('"', out);
}

/* What comes before any value. */
static void begin(struct json *j, const char *key)
{
	if (j->needs_comma)
		fputc(',', j->out);
	if (key != NULL) {
		quote(j->out, key);
		fputc(':', j->out);
	}
	j->needs_comma = true;
}

static void open_with(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->needs_comma = false;
}

static void close_with(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->needs_comma = true;
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, '{');
}

void json_object_end(struct json *j)
{
	close_with(j, '}');
}

void json_list(struct json *j, const char *key)
{
	open_with(j, key, '[');
}

void json_list_end(struct json *j)
{
	close_with(j, ']');
}

void json_string(struct json *j, const char *key, const char *text)
{
	begin(j, key);
	if (text != NULL)
		quote(j->out, text);
	else
		fputs("null", j->out);
}

void json_number(struct json *j, const char *key, unsigned long value)
{
	begin(j, key);
	fprintf(j->out, "%lu", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

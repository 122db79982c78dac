/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8, one character at a time.
 *
 * Labels come from files and from tokens, both of which may hold anything: a malformed byte must
 * not reach a JSON reader, nor an escape sequence the terminal of an operator. Nothing here looks
 * behind a NUL. */
#include "core/base/utf8.h"

#include <string.h>

/* True when the `count` bytes at `p` are continuation bytes. */
static bool continues(const unsigned char *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return false;
	}
	return true;
}

size_t utf8_len(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF)
		return continues(p + 1, 1) ? 2 : 0;
	/* The first continuation byte excludes overlong forms (E0, F0), surrogates (ED) and numbers
	 * that are too large (F4). */
	if (p[0] >= 0xE0 && p[0] <= 0xEF) {
		if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
			return 0;
		return continues(p + 1, 2) ? 3 : 0;
	}
	if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
			return 0;
		return continues(p + 1, 3) ? 4 : 0;
	}
	return 0;
}

uint32_t utf8_code(const char *text, size_t len)
{
	static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)text[0] & first_bits[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

bool utf8_is_shown(uint32_t code)
{
	/* Unicode, "Bidirectional Algorithm", section 2: all explicit and implicit marks. The line
	 * and paragraph separators stand before the second group. */
	static const struct {
		uint32_t first, last;
	} hidden[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},
		      {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	}
	return true;
}

void utf8_show(const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (*text != '\0') {
		size_t len = utf8_len(text);
		bool is_shown = len > 0 && utf8_is_shown(utf8_code(text, len));

		if (used + (is_shown ? len : 1) >= size)
			break;
		/* What is written is never longer than what was read: the two may overlap. */
		if (is_shown)
			memmove(out + used, text, len);
		else
			out[used] = '?';
		used += is_shown ? len : 1;
		text += len > 0 ? len : 1;
	}
	out[used] = '\0';
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: well-formedness of one character at a time.
 *
 * Labels come from files and from tokens, both of which may hold anything; a malformed byte must
 * not reach a JSON reader. Nothing here looks behind a NUL. */
#include "core/utf8.h"

#include <stdbool.h>

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

/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 as RFC 3629 has it, and text made fit for people's eyes. */
#ifndef HSMUX_CORE_BASE_UTF8_H
#define HSMUX_CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text` (NUL-terminated), 1 for the NUL itself; 0 when it is malformed
 * (overlong forms, surrogates and numbers above U+10FFFF included). */
size_t utf8_len(const char *text);

/* Number of the well-formed character of `len` bytes at `text`. */
uint32_t utf8_code(const char *text, size_t len);

/* False for characters that would steer a terminal or turn the text around: control characters (the
 * two-byte ones included, of which U+009B begins escape sequences) and marks of direction. All of
 * them are below U+10000. */
bool utf8_is_shown(uint32_t code);

/* Copies `text` to `out` (`size` bytes, at least 1) with "?" for malformed bytes and for characters
 * that are not shown. Cut at a character where it is too long. `out` may be `text`. */
void utf8_show(const char *text, char *out, size_t size);

#endif

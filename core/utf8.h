/* SPDX-License-Identifier: BSD-2-Clause */
/* Well-formed UTF-8, as RFC 3629 has it. */
#ifndef HSMUX_CORE_UTF8_H
#define HSMUX_CORE_UTF8_H

#include <stddef.h>

/* Bytes of the character at `text` (NUL-terminated), 1 for the NUL itself; 0 when it is malformed
 * (overlong forms, surrogates and numbers above U+10FFFF included). */
size_t utf8_len(const char *text);

#endif

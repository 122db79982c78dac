/* SPDX-License-Identifier: BSD-2-Clause */
/* Which known word a misspelt one was meant to be. */
#ifndef HSMUX_CORE_BASE_NEAR_H
#define HSMUX_CORE_BASE_NEAR_H

#include <stddef.h>

/* Word number `i` of a list, or NULL behind its last. */
typedef const char *near_list(size_t i, const void *context);

/* The word of the list that looks most like `word`, or NULL when none does: at most two letters
 * differ, and fewer than half of them. Letters count as equal in either case. Borrowed from the
 * list. */
const char *near_word(const char *word, near_list *list, const void *context);

#endif

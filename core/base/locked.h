/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for secret bytes of any length: locked (not swapped) where the process may do that, left
 * out of core dumps, zeroed in forked children. */
#ifndef HSMUX_CORE_BASE_LOCKED_H
#define HSMUX_CORE_BASE_LOCKED_H

#include <stddef.h>

/* Zeroed pages with room for `size` bytes; NULL when memory is out. The caller frees them with
 * locked_free() and the same size. */
void *locked_new(size_t size);

/* Wipes and frees. NULL is allowed. */
void locked_free(void *pages, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Growable bytes with checked arithmetic. */
#ifndef HSMUX_CORE_BASE_BUF_H
#define HSMUX_CORE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that grow; a zeroed struct is a valid empty one. Not shared between threads. */
struct buf {
	unsigned char *data;
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated */
};

/* Makes room for `more` bytes after `len`. False when memory or size_t runs out; buf unchanged.
 * The old bytes are wiped when the block moves: buffers hold plaintext. */
bool buf_reserve(struct buf *b, size_t more);

/* Appends `len` bytes. False as for buf_reserve. `data` may be NULL when `len` is 0. */
bool buf_add(struct buf *b, const void *data, size_t len);

/* Appends text as by printf, without the closing NUL in `len` (one is kept behind it).
 * False as for buf_reserve or when the format fails. */
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Wipes and frees the bytes and leaves a valid empty buffer. NULL is allowed. */
void buf_free(struct buf *b);

#endif

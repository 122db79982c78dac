/* SPDX-License-Identifier: BSD-2-Clause */
/* Growable bytes: plaintext, output of members, lines of text.
 *
 * An empty buffer owns nothing; one with a capacity owns exactly one block of malloc. Growing
 * allocates a new block, copies and wipes the old one: realloc is not used because it may leave
 * plaintext behind in freed memory. No locks; a buffer belongs to one thread at a time. */
#include "core/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block; most buffers never need a second. */
#define BUF_FIRST 64

/* The capacity to grow to so that `need` bytes fit: at least double, so that appending stays
 * linear. */
static size_t buf_grown(size_t cap, size_t need)
{
	size_t grown = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;

	if (grown < BUF_FIRST)
		grown = BUF_FIRST;
	return grown < need ? need : grown;
}

bool buf_reserve(struct buf *b, size_t more)
{
	unsigned char *data;
	size_t cap;

	if (more <= b->cap - b->len)
		return true;
	if (more > SIZE_MAX - b->len)
		return false;
	cap = buf_grown(b->cap, b->len + more);
	data = malloc(cap);
	if (!data)
		return false;
	if (b->data) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	if (!buf_reserve(b, len))
		return false;
	if (len) {
		memcpy(b->data + b->len, data, len);
		b->len += len;
	}
	return true;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || !buf_reserve(b, (size_t)len + 1))
		return false;
	va_start(args, fmt);
	len = vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, args);
	va_end(args);
	if (len < 0)
		return false;
	b->len += (size_t)len;
	return true;
}

void buf_free(struct buf *b)
{
	if (!b)
		return;
	if (b->data) {
		explicit_bzero(b->data, b->cap);
		free(b->data);
	}
	*b = (struct buf){0};
}

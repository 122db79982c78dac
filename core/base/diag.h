/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with a file: all of it at once, each with file and line. */
#ifndef HSMUX_CORE_BASE_DIAG_H
#define HSMUX_CORE_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

/* One message. */
struct diag_line {
	char *file;    /* owned; NULL when no file is meant */
	unsigned line; /* 0 when no line is meant */
	char *text;    /* owned: what is wrong and what would be right */
};

/* A list of messages in the order in which they were added; a zeroed struct is an empty list. */
struct diag {
	struct diag_line *lines;
	size_t count;
	size_t room; /* entries allocated; private to diag.c */
};

/* Adds "what: expected" for `file`:`line`. When memory is out the message may be lost, but `count`
 * is never 0 afterwards (the line then has a NULL text), so that no error looks like success. */
void diag_add(struct diag *d, const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Formats line `i` as `FILE:LINE: text` into `out` (cut to fit, always NUL-terminated). */
void diag_format(const struct diag *d, size_t i, char *out, size_t out_len);

/* Frees all messages and leaves an empty list. NULL is allowed. */
void diag_free(struct diag *d);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of what is wrong with a file, so that somebody can mend all of it at once.
 *
 * `room` is how many entries of `lines` are allocated. Without memory even for the first message
 * the list shows one static line without text: whoever looks at `count` still sees an error. Not
 * shared between threads. */
#include "core/base/diag.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Files with more than a handful of errors are rare. */
#define DIAG_FIRST 8

/* Stands for a message that was lost; never written. */
static struct diag_line lost;

/* Makes room for one more line. */
static bool diag_room(struct diag *d)
{
	struct diag_line *lines;
	size_t room;

	if (d->count < d->room)
		return true;
	if (d->room > SIZE_MAX / 2 / sizeof(*lines))
		return false;
	room = d->room ? d->room * 2 : DIAG_FIRST;
	lines = reallocarray(d->room ? d->lines : NULL, room, sizeof(*lines));
	if (!lines)
		return false;
	if (!d->room && d->count)
		lines[0] = lost;
	d->lines = lines;
	d->room = room;
	return true;
}

void diag_add(struct diag *d, const char *file, unsigned line, const char *fmt, ...)
{
	struct diag_line *new_line;
	va_list args;

	if (!diag_room(d)) {
		if (!d->count) {
			d->lines = &lost;
			d->count = 1;
		}
		return;
	}
	new_line = &d->lines[d->count++];
	*new_line = (struct diag_line){.file = file ? strdup(file) : NULL, .line = line};
	va_start(args, fmt);
	if (vasprintf(&new_line->text, fmt, args) < 0)
		new_line->text = NULL;
	va_end(args);
}

void diag_format(const struct diag *d, size_t i, char *out, size_t out_len)
{
	const struct diag_line *l = &d->lines[i];
	const char *text = l->text ? l->text : "out of memory";

	/* A line that is cut is still worth reading. */
	if (!l->file)
		(void)snprintf(out, out_len, "%s", text);
	else if (!l->line)
		(void)snprintf(out, out_len, "%s: %s", l->file, text);
	else
		(void)snprintf(out, out_len, "%s:%u: %s", l->file, l->line, text);
}

void diag_free(struct diag *d)
{
	if (!d)
		return;
	for (size_t i = 0; d->room && i < d->count; i++) {
		free(d->lines[i].file);
		free(d->lines[i].text);
	}
	if (d->room)
		free(d->lines);
	*d = (struct diag){0};
}

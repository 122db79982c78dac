/* SPDX-License-Identifier: BSD-2-Clause */
/* A file in libconfig's syntax, read so that every mistake in it is reported with its line. */
#ifndef HSMUX_CORE_BASE_SETTINGS_H
#define HSMUX_CORE_BASE_SETTINGS_H

#include <stdbool.h>
#include <libconfig.h>
#include <sys/types.h>

#include "core/base/diag.h"

/* What the file is, and so who may have written it. */
enum settings_kind {
	SETTINGS_OWN,    /* a configuration: writable by its owner only, ${VAR} is replaced */
	SETTINGS_DATA,   /* data that came with hsmux: not writable by everybody, taken literally */
	SETTINGS_POLICY, /* a policy: writable by its owner only, taken literally */
};

/* An open file. Not shared between threads. */
struct settings {
	config_t tree;
	const char *file;  /* borrowed until settings_close; NULL when out of use */
	struct diag *diag; /* borrowed */
	size_t first;      /* where this file's messages begin in `diag` */
	bool failed;       /* something was reported, even if memory was out for the message */
	enum settings_kind kind;
};

/* Reads and parses the file; false when that fails (the reason is in `diag`). settings_close is due
 * in either case. It must belong to root, the effective user or `owner`. @include is refused: an
 * included file would escape the check of owner and mode. */
bool settings_open(struct settings *s, const char *file, enum settings_kind kind, uid_t owner,
		   struct diag *diag);

/* The same for text that is in memory already, which messages call `name`. */
bool settings_open_text(struct settings *s, const char *text, const char *name, struct diag *diag);

/* Reports an error on a line of the file (0: on none). */
void settings_error(struct settings *s, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts this file's messages in the order of their lines. */
void settings_sort(struct settings *s);

/* Frees the tree. A zeroed struct is allowed. */
void settings_close(struct settings *s);

/* Line of a setting in its file. */
unsigned settings_line(const config_setting_t *setting);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the subcommands: one table, which also prints the help. */
#ifndef HSMUX_TOOLS_OPTION_H
#define HSMUX_TOOLS_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/tool.h"

/* Options that not every command takes. */
enum {
	OPTION_WAIT = 1 << 0,
	OPTION_FORCE = 1 << 1,
	OPTION_WATCH = 1 << 2,
	OPTION_PIN = 1 << 3,
	OPTION_DRY_RUN = 1 << 4,
	OPTION_LABEL = 1 << 5,
	OPTION_ID = 1 << 6,
	OPTION_TYPE = 1 << 7,
	OPTION_YES = 1 << 8,
	OPTION_NOTES = 1 << 9,
	OPTION_ALL = 1 << 10,
	OPTION_CLASS = 1 << 11,
	OPTION_USE = 1 << 12,
	OPTION_FROM = 1 << 13,
	OPTION_LEFTOVERS = 1 << 14,
	OPTION_NEW_LABEL = 1 << 15,
	OPTION_SO_PIN = 1 << 16,
	OPTION_NO_TRUST = 1 << 17,
	OPTION_COMPONENTS = 1 << 18,
	OPTION_AGAIN = 1 << 19,
	OPTION_AS_OF = 1 << 20,
	OPTION_TABLE = 1 << 21
};

/* What follows an option. */
enum option_takes {
	OPTION_TAKES_NOTHING,
	OPTION_TAKES_TEXT,
	OPTION_TAKES_TEXTS, /* may be given several times */
	OPTION_TAKES_SECONDS,
	OPTION_TAKES_SECONDS_OR_NOTHING
};

struct option {
	const char *name;
	const char *value; /* its name */
	unsigned option;   /* OPTION_... */
	enum option_takes takes;
	size_t at; /* in struct tool_options: a bool, a text, a struct tool_texts, or seconds */
	const char *summary;
};

/* The table. */
extern const struct option option_table[];
extern const size_t option_count;

/* The option that this word of the command line is, alone or with "=" and its value; or NULL. */
const struct option *option_find(const char *word);

/* Takes the option at *i, and its value, which may be the next word. False when that is missing or
 * wrong. */
bool option_take(const struct option *option, struct tool_options *to, int argc, char **argv,
		 int *i);

/* The value of option `name`, from this word behind "=" or from the next one; NULL when the word is
 * another option or has no value. */
const char *option_value(const char *name, int argc, char **argv, int *i);

#endif

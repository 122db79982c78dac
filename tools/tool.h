/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands of `hsmux` share: options, exit codes, the configuration. */
#ifndef HSMUX_TOOLS_TOOL_H
#define HSMUX_TOOLS_TOOL_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/diag.h"
#include "core/config.h"

/* Exit codes; every subcommand returns one. */
enum tool_exit {
	TOOL_YES = 0,        /* done, all is well */
	TOOL_NO = 1,         /* failed, or something was found */
	TOOL_USAGE = 2,      /* the command line is wrong */
	TOOL_UNREACHABLE = 3 /* what is needed cannot be reached */
};

/* Room for the path of the state directory. */
#define TOOL_PATH_LEN 700

/* Arguments behind noun and verb, at the most. */
#define TOOL_WORDS 24

/* An option that may be given several times. */
#define TOOL_TEXTS 8
struct tool_texts {
	const char *text[TOOL_TEXTS];
	size_t count;
};

/* What a subcommand was told; it is called with what it takes only. Texts are NULL when they were
 * not given. */
struct tool_options {
	const char *conf;                   /* --conf FILE */
	bool json;                          /* --json */
	bool force;                         /* --force */
	bool has_wait;                      /* --wait was given */
	unsigned wait_s;                    /* --wait SECONDS */
	unsigned watch_s;                   /* --watch [SECONDS]; 0: not given */
	const char *pin_source;             /* --pin-source SOURCE */
	const char *label;                  /* --label LABEL */
	const char *id;                     /* --id HEX */
	const char *class;                  /* --class CLASS */
	const char *type;                   /* --type TYPE */
	const char *use;                    /* --use USE,... */
	const char *new_label;              /* --new-label LABEL */
	const char *from;                   /* --from TOKEN */
	const char *from_pin;               /* --from-pin SOURCE */
	bool all;                           /* --all */
	bool notes;                         /* --notes */
	bool dry_run;                       /* --dry-run */
	bool leftovers;                     /* --leftovers */
	bool yes;                           /* --yes */
	struct tool_texts so_pin_source;    /* --so-pin-source [MEMBER=]SOURCE */
	struct tool_texts component_source; /* --component-source SOURCE */
	bool no_trust;                      /* --no-trust */
	bool components;                    /* --components */
	bool again;                         /* --again */
	const char *as_of;                  /* --as-of DAY */
	bool table;                         /* --table */
	const char *words[TOOL_WORDS];      /* arguments behind noun and verb */
	size_t word_count;
};

/* Subcommands. */
enum tool_exit tool_config_check(const struct tool_options *options);
enum tool_exit tool_config_show(const struct tool_options *options);
enum tool_exit tool_key_annotate(const struct tool_options *options);
enum tool_exit tool_key_compare(const struct tool_options *options);
enum tool_exit tool_key_destroy(const struct tool_options *options);
enum tool_exit tool_key_generate(const struct tool_options *options);
enum tool_exit tool_key_import_from(const struct tool_options *options);
enum tool_exit tool_key_list(const struct tool_options *options);
enum tool_exit tool_key_move(const struct tool_options *options);
enum tool_exit tool_key_rotate(const struct tool_options *options);
enum tool_exit tool_key_sync(const struct tool_options *options);
enum tool_exit tool_member_drain(const struct tool_options *options);
enum tool_exit tool_member_undrain(const struct tool_options *options);
enum tool_exit tool_policy_check(const struct tool_options *options);
enum tool_exit tool_policy_diff(const struct tool_options *options);
enum tool_exit tool_policy_explain(const struct tool_options *options);
enum tool_exit tool_policy_list(const struct tool_options *options);
enum tool_exit tool_policy_show(const struct tool_options *options);
enum tool_exit tool_policy_test(const struct tool_options *options);
enum tool_exit tool_status(const struct tool_options *options);
enum tool_exit tool_kek_install(const struct tool_options *options);
enum tool_exit tool_kek_rotate(const struct tool_options *options);
enum tool_exit tool_kek_status(const struct tool_options *options);
enum tool_exit tool_kek_component(const struct tool_options *options);
enum tool_exit tool_key_routes(const struct tool_options *options);

/* Reads the configuration that --conf, or the search order, gives. NULL when that fails, with the
 * messages in `diag` and the exit code in `code`. The caller owns the result. */
struct config *tool_load(const struct tool_options *options, struct diag *diag,
			 enum tool_exit *code);

/* The virtual token of this label; NULL after a line on stderr that names those there are. */
const struct config_token *tool_find_token(const struct config *c, const char *label);

/* Writes text of files and tokens as utf8_show makes it. */
void tool_put(FILE *out, const char *text);

/* Writes the messages to stderr, one line each, with `prefix` before the text. */
void tool_print_diag(const struct diag *diag, const char *prefix);

/* tool_load, and its messages on stderr. */
struct config *tool_load_or_say(const struct tool_options *options, enum tool_exit *code);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux: the command. `hsmux NOUN [VERB] [OPTIONS]`, from one table that also prints the help.
 *
 * Options may stand anywhere. Everything a subcommand prints on stdout is checked to have been
 * written, so that a full disk is not taken for a success. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

/* Options that not every command takes. */
enum { OPTION_WAIT = 1, OPTION_FORCE = 2, OPTION_WATCH = 4 };

struct command {
	const char *noun;
	const char *verb; /* NULL: the noun is the whole command */
	enum tool_exit (*run)(const struct tool_options *options);
	size_t word_count; /* arguments that it needs */
	const char *words; /* their names */
	unsigned options;  /* OPTION_... that it takes */
	const char *summary;
};

/* clang-format off */
static const struct command commands[] = {
	{"config", "check", tool_config_check, 0, "", 0, "report every error of the configuration"},
	{"config", "show", tool_config_show, 0, "", 0, "print the configuration in effect"},
	{"member", "drain", tool_member_drain, 2, "TOKEN MEMBER", OPTION_WAIT | OPTION_FORCE,
	 "take a member out of service"},
	{"member", "undrain", tool_member_undrain, 2, "TOKEN MEMBER", OPTION_WAIT,
	 "take a drained member back into service"},
	{"status", NULL, tool_status, 0, "", OPTION_WATCH,
	 "show tokens and members, and why one cannot be reached"},
};
/* clang-format on */

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* What the command line holds. */
struct line {
	const char *words[5]; /* noun, verb, arguments, and one too many */
	size_t count;
	unsigned given; /* OPTION_... */
	struct tool_options options;
	bool version;
	bool help;
};

static void print_commands(FILE *out, const char *noun)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char name[60];

		if (noun != NULL && strcmp(noun, commands[i].noun) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s %s %s", commands[i].noun,
			       commands[i].verb != NULL ? commands[i].verb : "", commands[i].words);
		fprintf(out, "  hsmux %-28s %s\n", name, commands[i].summary);
	}
}

static bool is_noun(const char *word)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].noun, word) == 0)
			return true;
	}
	return false;
}

static enum tool_exit usage(const char *what, const char *word)
{
	fprintf(stderr, "hsmux: %s%s%s%s: see \"hsmux help\"\n", what, word != NULL ? " \"" : "",
		word != NULL ? word : "", word != NULL ? "\"" : "");
	return TOOL_USAGE;
}

/* hsmux help [NOUN] */
static enum tool_exit help(const char *noun)
{
	if (noun != NULL && !is_noun(noun))
		return usage("unknown command", noun);
	if (noun == NULL)
		puts("usage: hsmux NOUN [VERB] [ARGUMENTS] [OPTIONS]");
	print_commands(stdout, noun);
	if (noun == NULL)
		puts("  hsmux help [NOUN]                  print this, or the commands of one "
		     "noun\n"
		     "  hsmux --version                    print the version");
	puts("options:\n"
	     "  --conf FILE          read FILE instead of searching for the configuration\n"
	     "  --json               print the result as JSON");
	if (noun == NULL || strcmp(noun, "member") == 0)
		puts("  --wait SECONDS       member: how long processes may take to follow (30)\n"
		     "  --force              member drain: the last member, too");
	if (noun == NULL || strcmp(noun, "status") == 0)
		puts("  --watch [SECONDS]    status: print it again every 2, or so many, seconds");
	return TOOL_YES;
}

/* A day at the most. */
static bool read_seconds(const char *text, unsigned *seconds)
{
	char *end = NULL;
	unsigned long value;

	if (!isdigit((unsigned char)text[0]))
		return false;
	value = strtoul(text, &end, 10);
	*seconds = (unsigned)value;
	return *end == '\0' && value <= 86400;
}

/* The value of option `name`, from this word behind "=" or from the next one; NULL when the word is
 * another option or has no value. */
static const char *value_of(const char *name, int argc, char **argv, int *i)
{
	const char *word = argv[*i];
	size_t len = strlen(name);

	if (strncmp(word, name, len) != 0)
		return NULL;
	if (word[len] == '=')
		return word + len + 1;
	if (word[len] != '\0' || *i + 1 >= argc)
		return NULL;
	(*i)++;
	return argv[*i];
}

static bool take_wait(struct line *line, const char *value)
{
	line->given |= OPTION_WAIT;
	line->options.has_wait = true;
	return read_seconds(value, &line->options.wait_s);
}

/* Its value may be missing. */
static bool take_watch(struct line *line, int argc, char **argv, int *i)
{
	const bool has_value = strchr(argv[*i], '=') != NULL ||
			       (*i + 1 < argc && isdigit((unsigned char)argv[*i + 1][0]));

	line->given |= OPTION_WATCH;
	line->options.watch_s = 2;
	if (!has_value)
		return true;
	return read_seconds(value_of("--watch", argc, argv, i), &line->options.watch_s) &&
	       line->options.watch_s > 0;
}

/* Takes one option; false when it is unknown or lacks its value. */
static bool take_option(struct line *line, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *value;

	if (strcmp(word, "--json") == 0) {
		line->options.json = true;
	} else if (strcmp(word, "--force") == 0) {
		line->given |= OPTION_FORCE;
		line->options.force = true;
	} else if (strcmp(word, "--version") == 0) {
		line->version = true;
	} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		line->help = true;
	} else if (strcmp(word, "--watch") == 0 || strncmp(word, "--watch=", 8) == 0) {
		return take_watch(line, argc, argv, i);
	} else if ((value = value_of("--wait", argc, argv, i)) != NULL) {
		return take_wait(line, value);
	} else if ((value = value_of("--conf", argc, argv, i)) != NULL) {
		line->options.conf = value;
	} else {
		return false;
	}
	return true;
}

/* False after a usage error. */
static bool read_line(struct line *line, int argc, char **argv)
{
	const size_t room = sizeof(line->words) / sizeof(line->words[0]);

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (!take_option(line, argc, argv, &i)) {
				(void)usage("bad option", argv[i]);
				return false;
			}
		} else if (line->count < room) {
			line->words[line->count++] = argv[i];
		}
	}
	return true;
}

static enum tool_exit run_command(const struct command *c, struct line *line, size_t first)
{
	static const char *const names[] = {"--wait", "--force", "--watch"};
	unsigned wrong = line->given & ~c->options;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (wrong & 1U << i)
			return usage("bad option", names[i]);
	if (line->count < first + c->word_count)
		return usage("an argument is missing after", line->words[line->count - 1]);
	if (line->count > first + c->word_count)
		return usage("unexpected argument", line->words[first + c->word_count]);
	for (size_t i = 0; i < c->word_count; i++)
		line->options.words[i] = line->words[first + i];
	return c->run(&line->options);
}

static enum tool_exit run(struct line *line)
{
	const char *noun = line->words[0];
	const char *verb = line->words[1];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->noun, noun) != 0)
			continue;
		if (c->verb == NULL)
			return run_command(c, line, 1);
		if (line->count > 1 && strcmp(c->verb, verb) == 0)
			return run_command(c, line, 2);
	}
	if (!is_noun(noun))
		return usage("unknown command", noun);
	if (line->count == 1)
		return usage("what to do is missing after", noun);
	return usage("unexpected argument", verb);
}

static enum tool_exit dispatch(struct line *line)
{
	if (line->version) {
		puts("hsmux " HSMUX_VERSION);
		return TOOL_YES;
	}
	if (line->help)
		return help(line->words[0]);
	if (line->count == 0)
		return usage("a command is missing", NULL);
	if (strcmp(line->words[0], "help") != 0)
		return run(line);
	return line->count > 2 ? usage("unexpected argument", line->words[2])
			       : help(line->words[1]);
}

int main(int argc, char **argv)
{
	struct line line = {0};
	enum tool_exit code;

	if (!read_line(&line, argc, argv))
		return TOOL_USAGE;
	code = dispatch(&line);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		fputs("hsmux: the output could not be written\n", stderr);
		return code == TOOL_YES ? TOOL_NO : (int)code;
	}
	return (int)code;
}

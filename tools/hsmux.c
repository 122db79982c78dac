/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux: the command. `hsmux NOUN [VERB] [OPTIONS]`, from one table that also prints the help.
 *
 * Options may stand anywhere. Everything a subcommand prints on stdout is checked to have been
 * written, so that a full disk is not taken for a success. */
#include <stdio.h>
#include <string.h>

#include "tools/option.h"
#include "tools/tool.h"

struct command {
	const char *noun;
	const char *verb; /* NULL: the noun is the whole command */
	enum tool_exit (*run)(const struct tool_options *options);
	size_t word_count; /* arguments that it needs */
	const char *words; /* their names; with "..." more may follow */
	unsigned options;  /* OPTION_... that it takes */
	const char *summary;
};

/* clang-format off */
static const struct command commands[] = {
	{"config", "check", tool_config_check, 0, "", 0, "report every error of the configuration"},
	{"config", "show", tool_config_show, 0, "", 0, "print the configuration in effect"},
	{"kek", "component", tool_kek_component, 0, "", 0,
	 "print a random component of a KEK, for one person"},
	{"kek", "install", tool_kek_install, 1, "TOKEN",
	 OPTION_PIN | OPTION_SO_PIN | OPTION_NO_TRUST | OPTION_COMPONENTS,
	 "put one key-encryption key on all members"},
	{"kek", "rotate", tool_kek_rotate, 1, "TOKEN", OPTION_PIN | OPTION_SO_PIN | OPTION_NO_TRUST,
	 "put a new key-encryption key in the place of it"},
	{"kek", "status", tool_kek_status, 1, "TOKEN", OPTION_PIN,
	 "show what each member has for a key-encryption key"},
	{"key", "annotate", tool_key_annotate, 2, "TOKEN NOTE=TEXT...",
	 OPTION_PIN | OPTION_LABEL | OPTION_ID | OPTION_CLASS, "write notes beside a key"},
	{"key", "compare", tool_key_compare, 1, "TOKEN", OPTION_PIN,
	 "report every difference between the members"},
	{"key", "destroy", tool_key_destroy, 1, "TOKEN",
	 OPTION_PIN | OPTION_LABEL | OPTION_ID | OPTION_CLASS | OPTION_YES, "destroy a key"},
	{"key", "generate", tool_key_generate, 1, "TOKEN",
	 OPTION_PIN | OPTION_LABEL | OPTION_ID | OPTION_TYPE | OPTION_USE, "make a key"},
	{"key", "import-from", tool_key_import_from, 1, "TOKEN",
	 OPTION_PIN | OPTION_LABEL | OPTION_ID | OPTION_FROM | OPTION_ALL | OPTION_DRY_RUN,
	 "copy keys of another virtual token"},
	{"key", "list", tool_key_list, 1, "TOKEN", OPTION_PIN | OPTION_ALL | OPTION_NOTES,
	 "show the keys, and on which members they are"},
	{"key", "move", tool_key_move, 1, "TOKEN",
	 OPTION_PIN | OPTION_LABEL | OPTION_ID | OPTION_FROM | OPTION_ALL | OPTION_DRY_RUN |
		 OPTION_YES, "the same, and destroy them there"},
	{"key", "rotate", tool_key_rotate, 1, "TOKEN",
	 OPTION_PIN | OPTION_LABEL | OPTION_ID | OPTION_CLASS | OPTION_NEW_LABEL | OPTION_TYPE,
	 "make a successor of a key, and retire it"},
	{"key", "routes", tool_key_routes, 1, "TOKEN", OPTION_PIN | OPTION_AGAIN,
	 "show how keys go from one member to another"},
	{"key", "sync", tool_key_sync, 1, "TOKEN", OPTION_PIN | OPTION_DRY_RUN | OPTION_LEFTOVERS,
	 "make the members the same"},
	{"member", "drain", tool_member_drain, 2, "TOKEN MEMBER", OPTION_WAIT | OPTION_FORCE,
	 "take a member out of service"},
	{"member", "undrain", tool_member_undrain, 2, "TOKEN MEMBER", OPTION_WAIT,
	 "take a drained member back into service"},
	{"policy", "check", tool_policy_check, 1, "POLICY...", 0, "report every error of policies"},
	{"policy", "diff", tool_policy_diff, 2, "POLICY POLICY", OPTION_AS_OF,
	 "show what two policies decide differently"},
	{"policy", "explain", tool_policy_explain, 2, "POLICY OPERATION NAME=VALUE...", OPTION_AS_OF,
	 "show what each layer of a policy says to a question"},
	{"policy", "list", tool_policy_list, 0, "", 0, "name the built-in policies and profiles"},
	{"policy", "show", tool_policy_show, 1, "POLICY", OPTION_AS_OF | OPTION_TABLE,
	 "show what a policy holds"},
	{"policy", "test", tool_policy_test, 2, "POLICY TESTS", 0,
	 "hold a policy against a file of expectations"},
	{"status", NULL, tool_status, 0, "", OPTION_WATCH,
	 "show tokens and members, and why one cannot be reached"},
};
/* clang-format on */

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* What the command line holds. */
struct line {
	const char *words[3 + TOOL_WORDS]; /* noun, verb, arguments, and one too many */
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

/* Whether any command of the noun takes the option. */
static bool noun_takes(const char *noun, unsigned option)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].noun, noun) == 0 && (commands[i].options & option) != 0)
			return true;
	return false;
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
	for (size_t i = 0; i < option_count; i++) {
		char name[60];

		if (noun != NULL && !noun_takes(noun, option_table[i].option))
			continue;
		(void)snprintf(name, sizeof(name), "%s %s", option_table[i].name,
			       option_table[i].value);
		printf("  %-20s %s\n", name, option_table[i].summary);
	}
	return TOOL_YES;
}

/* Takes one option; false when it is unknown or lacks its value. */
static bool take_option(struct line *line, int argc, char **argv, int *i)
{
	const struct option *option = option_find(argv[*i]);
	const char *word = argv[*i], *value;

	if (option != NULL) {
		line->given |= option->option;
		return option_take(option, &line->options, argc, argv, i);
	}
	if (strcmp(word, "--json") == 0) {
		line->options.json = true;
	} else if (strcmp(word, "--version") == 0) {
		line->version = true;
	} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		line->help = true;
	} else if ((value = option_value("--conf", argc, argv, i)) != NULL) {
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
	const size_t most = strstr(c->words, "...") != NULL ? TOOL_WORDS : c->word_count;
	unsigned wrong = line->given & ~c->options;

	for (size_t i = 0; i < option_count; i++)
		if (wrong & option_table[i].option)
			return usage("bad option", option_table[i].name);
	if (line->count < first + c->word_count)
		return usage("an argument is missing after", line->words[line->count - 1]);
	if (line->count > first + most)
		return usage("unexpected argument", line->words[first + most]);
	line->options.word_count = line->count - first;
	for (size_t i = 0; i < line->options.word_count; i++)
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tool: what the subcommands share.
 *
 * Results go to stdout, one-line errors to stderr. No secret is ever an argument or printed. */
#include "tools/tool.h"

#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"

struct config *tool_load(const struct tool_options *options, struct diag *diag,
			 enum tool_exit *code)
{
	enum config_source source = CONFIG_FROM_OPTION;
	const char *file = options->conf;
	struct config *config;

	if (file == NULL)
		file = config_find(NULL, &source);
	config = file != NULL ? config_parse(file, source, diag) : config_embedded(diag);
	if (config == NULL)
		*code = file == NULL || access(file, R_OK) != 0 ? TOOL_UNREACHABLE : TOOL_NO;
	return config;
}

void tool_put(FILE *out, const char *text)
{
	char shown[1024]; /* longer text is cut */

	utf8_show(text, shown, sizeof(shown));
	fputs(shown, out);
}

const struct config_token *tool_find_token(const struct config *c, const char *label)
{
	for (size_t i = 0; i < c->token_count; i++)
		if (strcmp(c->tokens[i].label, label) == 0)
			return &c->tokens[i];
	fputs("hsmux: unknown token \"", stderr);
	tool_put(stderr, label);
	fputs("\" (tokens:", stderr);
	for (size_t i = 0; i < c->token_count; i++) {
		fputs(i == 0 ? " " : ", ", stderr);
		tool_put(stderr, c->tokens[i].label);
	}
	fputs(")\n", stderr);
	return NULL;
}

void tool_print_diag(const struct diag *diag, const char *prefix)
{
	for (size_t i = 0; i < diag->count; i++) {
		char line[1024];

		diag_format(diag, i, line, sizeof(line));
		utf8_show(line, line, sizeof(line));
		fprintf(stderr, "%s%s\n", prefix, line);
	}
}

struct config *tool_load_or_say(const struct tool_options *options, enum tool_exit *code)
{
	struct diag diag = {0};
	struct config *config = tool_load(options, &diag, code);

	tool_print_diag(&diag, "");
	diag_free(&diag);
	return config;
}

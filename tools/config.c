/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux config check: everything that is wrong with a configuration, at once.
 *
 * Errors are what makes C_Initialize refuse the file. Warnings are what will only show at run time:
 * libraries that are not there, two modules that would share one instance, variables set in a
 * process that may have threads, PINs that cannot be read. Nothing is loaded. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/utf8.h"
#include "core/pin_source.h"
#include "core/vendor.h"
#include "tools/json.h"
#include "tools/tool.h"

/* The profile that the module will have, as far as its file name tells. */
static const struct vendor *vendor_of(const struct config_module *m, const struct vendor_set *set)
{
	const struct vendor *v = strcmp(m->vendor, "auto") == 0
					 ? vendor_recognise(set, m->library, NULL)
					 : vendor_by_name(set, m->vendor);

	return v != NULL ? v : vendor_generic();
}

/* Warns of an earlier module that is the same instance of the same library. */
static void warn_shared(const struct config *c, size_t i, const struct vendor_set *set,
			struct diag *warnings)
{
	const struct config_module *m = &c->modules[i];

	if (m->private_copy || vendor_of(m, set)->instance_per_list)
		return;
	for (size_t j = 0; j < i; j++) {
		const struct config_module *other = &c->modules[j];

		if (other->private_copy || strcmp(other->library, m->library) != 0)
			continue;
		diag_add(warnings, c->file, m->line,
			 "module \"%s\": shares its library with module \"%s\" (line %u) and would "
			 "be "
			 "the same instance: expected private_copy = true",
			 m->name, other->name, other->line);
		return;
	}
}

static void warn_module(const struct config *c, size_t i, const struct vendor_set *set,
			struct diag *warnings)
{
	const struct config_module *m = &c->modules[i];

	if (access(m->library, R_OK) != 0)
		diag_add(warnings, c->file, m->line,
			 "module \"%s\": library %s cannot be read: its tokens will be absent "
			 "until it "
			 "can",
			 m->name, m->library);
	warn_shared(c, i, set, warnings);
}

/* Warns of a member whose own PIN could not be read from its file now. Variables and credentials
 * are those of the service, which this process is not. */
static void warn_pin(const struct config *c, const struct config_token *t,
		     const struct config_member *m, struct diag *warnings)
{
	struct secret *pin;
	char label[80];
	char why[400];

	if (m->pin != CONFIG_PIN_FILE)
		return;
	pin = pin_source_read(m, why, sizeof(why));
	utf8_show(t->label, label, sizeof(label));
	if (pin == NULL)
		diag_add(warnings, c->file, m->line,
			 "token \"%s\": member \"%s\": %s: nobody will be logged in there until it "
			 "can be read",
			 label, m->name, why);
	secret_free(&pin);
}

static void warn_members(const struct config *c, struct diag *warnings)
{
	for (size_t i = 0; i < c->token_count; i++) {
		for (size_t k = 0; k < c->tokens[i].member_count; k++)
			warn_pin(c, &c->tokens[i], &c->tokens[i].members[k], warnings);
	}
}

/* Adds what the vendor profiles tell about the configuration. */
static void check_vendors(const struct config *c, struct diag *errors, struct diag *warnings)
{
	struct vendor_set *set = vendor_load(NULL, warnings);

	if (set == NULL)
		return;                             /* the message is among the warnings */
	(void)config_check_vendors(c, set, errors); /* counted by its messages */
	for (size_t i = 0; i < c->module_count; i++)
		warn_module(c, i, set, warnings);
	vendor_free(set);
}

static void print_json_list(struct json *j, const char *key, const struct diag *diag)
{
	json_list(j, key);
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_line *l = &diag->lines[i];

		json_object(j, NULL);
		json_string(j, "file", l->file);
		json_number(j, "line", l->line);
		json_string(j, "text", l->text);
		json_object_end(j);
	}
	json_list_end(j);
}

static void print_json(const char *file, const struct diag *errors, const struct diag *warnings)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_string(&j, "file", file);
	json_bool(&j, "ok", errors->count == 0);
	print_json_list(&j, "errors", errors);
	print_json_list(&j, "warnings", warnings);
	json_object_end(&j);
	putchar('\n');
}

static void print_text(const char *file, const struct diag *errors, const struct diag *warnings)
{
	tool_print_diag(errors, "");
	tool_print_diag(warnings, "warning: ");
	if (errors->count > 0)
		return;
	tool_put(stdout, file != NULL ? file : "embedded default");
	printf(": no errors, %zu warning%s\n", warnings->count, warnings->count == 1 ? "" : "s");
}

enum tool_exit tool_config_check(const struct tool_options *options)
{
	struct diag errors = {0};
	struct diag warnings = {0};
	enum tool_exit code = TOOL_YES;
	enum config_source source;
	struct config *c = tool_load(options, &errors, &code);
	const char *file = options->conf != NULL ? options->conf : config_find(NULL, &source);

	if (c != NULL) {
		check_vendors(c, &errors, &warnings);
		warn_members(c, &warnings);
		code = errors.count == 0 ? TOOL_YES : TOOL_NO;
	}
	if (options->json)
		print_json(file, &errors, &warnings);
	else
		print_text(file, &errors, &warnings);
	config_free(c);
	diag_free(&warnings);
	diag_free(&errors);
	return code;
}

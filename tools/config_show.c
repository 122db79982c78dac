/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux config show: the configuration in effect, as a file that can be read again, or as JSON.
 *
 * Defaults are filled in and variables replaced. Values of environment variables whose name speaks
 * of a secret are shown as "***", and so are arguments of a module with such a name in them. For
 * the embedded default SoftHSM2 is started to find its tokens. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/utf8.h"
#include "core/kek.h"
#include "core/mux.h"
#include "tools/json.h"
#include "tools/tool.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *const source_names[] = {
	[CONFIG_FROM_ENV] = "HSMUX_CONF", [CONFIG_FROM_ARGS] = "C_Initialize",
	[CONFIG_FROM_OPTION] = "--conf",  [CONFIG_FROM_SYSTEM] = "system",
	[CONFIG_EMBEDDED] = "embedded",
};

static const char *const balance_names[] = {
	[CONFIG_BALANCE_LEAST_LOADED] = "least-loaded",
	[CONFIG_BALANCE_ROUND_ROBIN] = "round-robin",
};

static const char *const protect_names[] = {
	[CONFIG_PROTECT_KEK] = "kek",
	[CONFIG_PROTECT_LOCKED] = "locked",
};

static const char *const role_names[] = {
	[CONFIG_ROLE_ACTIVE] = "active",
	[CONFIG_ROLE_STANDBY] = "standby",
	[CONFIG_ROLE_FALLBACK] = "fallback",
};

/* What stands before the place of a PIN. */
static const char *const pin_names[] = {
	[CONFIG_PIN_SAME] = "same",
	[CONFIG_PIN_FILE] = "file:",
	[CONFIG_PIN_ENV] = "env:",
	[CONFIG_PIN_CREDENTIAL] = "credential:",
};

/* Whether the name of a variable, or a name within arguments, speaks of a secret. What is given as
 * empty is none: NSS wants keyPrefix=''. */
static bool is_secret(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
	static const char *const words[] = {"PIN",   "PASS", "PWD",  "SECRET",
					    "TOKEN", "CRED", "AUTH", "KEY"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (const char *p = text; (p = strcasestr(p, words[i])) != NULL; p++) {
			const char *value = p + strspn(p, letters);

			if (strncmp(value, "=''", 3) != 0 && strncmp(value, "=\"\"", 3) != 0)
				return true;
		}
	}
	return false;
}

/* The value of a variable, or stars. */
static const char *env_value(const struct config_env *e)
{
	return is_secret(e->name) ? "***" : e->value;
}

/* The arguments, or stars; NULL when there are none. */
static const char *init_args(const struct config_module *m)
{
	return m->init_args != NULL && is_secret(m->init_args) ? "***" : m->init_args;
}

/* `pin` as it is written: the source is shown, it is no PIN. Static; a place is no longer than a
 * path can be. */
static const char *pin_text(const struct config_member *m)
{
	static char text[PATH_MAX + sizeof("credential:")];

	(void)snprintf(text, sizeof(text), "%s%s", pin_names[m->pin],
		       m->pin_where != NULL ? m->pin_where : "");
	return text;
}

/* How calls are spread, which only one mode does; NULL in the others. */
static const char *balance_of(const struct config_token *t)
{
	return t->mode == CONFIG_MODE_BALANCED ? balance_names[t->balance] : NULL;
}

/* What has a meaning only where keys are replicated; NULL elsewhere. */
static const char *protect_of(const struct config_token *t)
{
	return t->replicate != CONFIG_REPLICATE_NONE ? protect_names[t->protect] : NULL;
}

static const char *kek_of(const struct config_token *t)
{
	if (t->replicate == CONFIG_REPLICATE_NONE)
		return NULL;
	return t->kek != NULL ? t->kek : KEK_LABEL;
}

static const char *find_of(const struct config_token *t)
{
	return t->find_first ? "first" : "union";
}

static void hex_of(const uint8_t hash[static 32], char out[static 65])
{
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]); /* two digits and NUL */
}

/* Bytes that a terminal must not see. */
static void put_bytes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("\\x%02x", (unsigned char)text[i]);
}

/* A string as libconfig reads it back, with ${ protected from expansion. */
static void put_string(const char *indent, const char *key, const char *text)
{
	printf("%s%s = \"", indent, key);
	while (*text != '\0') {
		size_t len = utf8_len(text);

		if (*text == '"' || *text == '\\')
			putchar('\\');
		if (*text == '$' && text[1] == '{')
			putchar('$');
		if (len > 0 && utf8_is_shown(utf8_code(text, len)))
			fwrite(text, 1, len, stdout);
		else
			put_bytes(text, len > 0 ? len : 1);
		text += len > 0 ? len : 1;
	}
	fputs("\";\n", stdout);
}

static void put_bool(const char *indent, const char *key, bool value)
{
	printf("%s%s = %s;\n", indent, key, value ? "true" : "false");
}

/* Numbers above libconfig's plain integers need its mark for long ones. */
static void put_number(const char *indent, const char *key, unsigned long value)
{
	printf("%s%s = %lu%s;\n", indent, key, value, value > 0x7fffffffUL ? "L" : "");
}

static void put_module(const struct config_module *m)
{
	char hex[65];

	put_string("    ", "name", m->name);
	put_string("    ", "library", m->library);
	if (m->has_sha256) {
		hex_of(m->sha256, hex);
		put_string("    ", "sha256", hex);
	}
	if (m->env_count > 0)
		puts("    env = {");
	for (size_t i = 0; i < m->env_count; i++)
		put_string("      ", m->env[i].name, env_value(&m->env[i]));
	if (m->env_count > 0)
		puts("    };");
	if (m->init_args != NULL)
		put_string("    ", "init_args", init_args(m));
	put_string("    ", "vendor", m->vendor);
	put_string("    ", "isolation", "none");
	put_bool("    ", "private_copy", m->private_copy);
}

static void put_member(const struct config *c, const struct config_member *m)
{
	put_string("        ", "name", m->name);
	put_string("        ", "module", c->modules[m->module].name);
	if (m->token != NULL)
		put_string("        ", "token", m->token);
	if (m->serial != NULL)
		put_string("        ", "serial", m->serial);
	if (m->has_slot)
		put_number("        ", "slot", m->slot);
	put_number("        ", "priority", m->priority);
	put_number("        ", "weight", m->weight);
	put_string("        ", "role", role_names[m->role]);
	put_string("        ", "pin", pin_text(m));
	put_number("        ", "max_sessions", m->max_sessions);
}

static void put_token(const struct config *c, const struct config_token *t)
{
	put_string("    ", "label", t->label);
	put_number("    ", "slot", t->slot);
	put_string("    ", "mode", config_mode_name(t->mode));
	if (balance_of(t) != NULL)
		put_string("    ", "balance", balance_of(t));
	puts("    members = (");
	for (size_t i = 0; i < t->member_count; i++) {
		puts("      {");
		put_member(c, &t->members[i]);
		puts(i + 1 < t->member_count ? "      }," : "      }");
	}
	puts("    );");
	put_string("    ", "replicate", config_replicate_name(t->replicate));
	if (protect_of(t) != NULL)
		put_string("    ", "protect", protect_of(t));
	if (kek_of(t) != NULL)
		put_string("    ", "kek", kek_of(t));
	put_string("    ", "find", find_of(t));
	put_bool("    ", "relogin", t->relogin);
	put_string("    ", "policy", t->policy_name != NULL ? t->policy_name : CONFIG_POLICY);
}

/* The groups that hold for the whole file. */
static void put_groups(const struct config *c)
{
	puts("health = {");
	put_number("  ", "interval_ms", c->health.interval_ms);
	put_number("  ", "failures", c->health.failures);
	put_number("  ", "open_ms", c->health.open_ms);
	put_number("  ", "open_max_ms", c->health.open_max_ms);
	puts("};\nretry = {");
	put_number("  ", "budget_ms", c->retry.budget_ms);
	put_number("  ", "attempts", c->retry.attempts);
	puts("};");
	if (c->state_directory != NULL || c->state_journal != NULL)
		puts("state = {");
	if (c->state_directory != NULL)
		put_string("  ", "directory", c->state_directory);
	if (c->state_journal != NULL)
		put_string("  ", "journal", c->state_journal);
	if (c->state_directory != NULL || c->state_journal != NULL)
		puts("};");
	puts("log = {");
	put_string("  ", "level", level_names[c->log_level]);
	put_bool("  ", "syslog", c->log_syslog);
	puts("};");
}

static void print_text(const struct config *c)
{
	printf("# %s", source_names[c->source]);
	if (c->file != NULL) {
		fputs(": ", stdout);
		tool_put(stdout, c->file);
	}
	puts("\nversion = 1;\nmodules = (");
	for (size_t i = 0; i < c->module_count; i++) {
		puts("  {");
		put_module(&c->modules[i]);
		puts(i + 1 < c->module_count ? "  }," : "  }");
	}
	puts(");\ntokens = (");
	for (size_t i = 0; i < c->token_count; i++) {
		puts("  {");
		put_token(c, &c->tokens[i]);
		puts(i + 1 < c->token_count ? "  }," : "  }");
	}
	puts(");");
	put_groups(c);
}

static void json_module(struct json *j, const struct config_module *m)
{
	char hex[65];

	json_object(j, NULL);
	json_string(j, "name", m->name);
	json_string(j, "library", m->library);
	if (m->has_sha256)
		hex_of(m->sha256, hex);
	json_string(j, "sha256", m->has_sha256 ? hex : NULL);
	json_object(j, "env");
	for (size_t i = 0; i < m->env_count; i++)
		json_string(j, m->env[i].name, env_value(&m->env[i]));
	json_object_end(j);
	json_string(j, "init_args", init_args(m));
	json_string(j, "vendor", m->vendor);
	json_string(j, "isolation", "none");
	json_bool(j, "private_copy", m->private_copy);
	json_object_end(j);
}

static void json_member(struct json *j, const struct config *c, const struct config_member *m)
{
	json_object(j, NULL);
	json_string(j, "name", m->name);
	json_string(j, "module", c->modules[m->module].name);
	json_string(j, "token", m->token);
	json_string(j, "serial", m->serial);
	if (m->has_slot)
		json_number(j, "slot", m->slot);
	else
		json_string(j, "slot", NULL);
	json_number(j, "priority", m->priority);
	json_number(j, "weight", m->weight);
	json_string(j, "role", role_names[m->role]);
	json_string(j, "pin", pin_text(m));
	json_number(j, "max_sessions", m->max_sessions);
	json_object_end(j);
}

static void json_token(struct json *j, const struct config *c, const struct config_token *t)
{
	json_object(j, NULL);
	json_string(j, "label", t->label);
	json_number(j, "slot", t->slot);
	json_string(j, "mode", config_mode_name(t->mode));
	json_string(j, "balance", balance_of(t));
	json_list(j, "members");
	for (size_t i = 0; i < t->member_count; i++)
		json_member(j, c, &t->members[i]);
	json_list_end(j);
	json_string(j, "replicate", config_replicate_name(t->replicate));
	json_string(j, "protect", protect_of(t));
	json_string(j, "kek", kek_of(t));
	json_string(j, "find", find_of(t));
	json_bool(j, "relogin", t->relogin);
	json_string(j, "policy", t->policy_name != NULL ? t->policy_name : CONFIG_POLICY);
	json_object_end(j);
}

static void json_groups(struct json *j, const struct config *c)
{
	json_object(j, "health");
	json_number(j, "interval_ms", c->health.interval_ms);
	json_number(j, "failures", c->health.failures);
	json_number(j, "open_ms", c->health.open_ms);
	json_number(j, "open_max_ms", c->health.open_max_ms);
	json_object_end(j);
	json_object(j, "retry");
	json_number(j, "budget_ms", c->retry.budget_ms);
	json_number(j, "attempts", c->retry.attempts);
	json_object_end(j);
	json_object(j, "state");
	json_string(j, "directory", c->state_directory);
	json_string(j, "journal", c->state_journal);
	json_object_end(j);
	json_object(j, "log");
	json_string(j, "level", level_names[c->log_level]);
	json_bool(j, "syslog", c->log_syslog);
	json_object_end(j);
}

static void print_json(const struct config *c)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_string(&j, "source", source_names[c->source]);
	json_string(&j, "file", c->file);
	json_number(&j, "version", 1);
	json_list(&j, "modules");
	for (size_t i = 0; i < c->module_count; i++)
		json_module(&j, &c->modules[i]);
	json_list_end(&j);
	json_list(&j, "tokens");
	for (size_t i = 0; i < c->token_count; i++)
		json_token(&j, c, &c->tokens[i]);
	json_list_end(&j);
	json_groups(&j, c);
	json_object_end(&j);
	putchar('\n');
}

static void print(const struct config *c, bool json)
{
	if (json)
		print_json(c);
	else
		print_text(c);
}

/* The embedded default with the tokens that SoftHSM2 has. Takes over `c`. */
static enum tool_exit show_discovered(struct config *c, bool json)
{
	if (mux_init_config(c) != CKR_OK) {
		fputs("hsmux: SoftHSM2 could not be started to find its tokens\n", stderr);
		return TOOL_UNREACHABLE;
	}
	print(mux_config(), json);
	(void)mux_fini(); /* the process ends */
	return TOOL_YES;
}

enum tool_exit tool_config_show(const struct tool_options *options)
{
	enum tool_exit code = TOOL_YES;
	struct config *c = tool_load_or_say(options, &code);

	if (c == NULL)
		return code;
	if (c->discover)
		return show_discovered(c, options->json);
	print(c, options->json);
	config_free(c);
	return TOOL_YES;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Config, the file: hsmux.conf turned into struct config.
 *
 * Two passes: every group is read by itself against its table of keys (those of virtual tokens by
 * config_tokens.c), then config_rules_check() looks at what must hold between them. Errors never
 * stop the reading, and a configuration with any of them is thrown away as a whole. Values of `env`
 * may be secrets and are in no message. */
#include "core/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/scope.h"
#include "core/config_rules.h"
#include "core/config_tokens.h"

/* Times above an hour are mistakes; shorter pauses than these would keep a token busy with nothing
 * but questions about its health. */
#define TIME_MAX_MS     3600000LL
#define INTERVAL_MIN_MS 50LL
#define OPEN_MIN_MS     10LL
/* Suspicious answers in a row. */
#define FAILURES_MAX 1000LL
/* What failover may add to one call: an application that waits ten minutes for it has given up. */
#define BUDGET_MIN_MS 1LL
#define BUDGET_MAX_MS 600000LL
/* Twice as often as a virtual token can have members. */
#define ATTEMPTS_MAX 16LL

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* One key a line: tests/lint.sh compares them with the manual. */
/* clang-format off */
static const struct setting_key root_keys[] = {
	{"version", SETTING_INT, true},
	{"modules", SETTING_LIST, true},
	{"tokens", SETTING_LIST, true},
	{"health", SETTING_GROUP, false},
	{"retry", SETTING_GROUP, false},
	{"state", SETTING_GROUP, false},
	{"log", SETTING_GROUP, false},
	{"expose_members", SETTING_LATER, false},
	{"policy", SETTING_LATER, false},
	{"audit", SETTING_LATER, false},
};

static const struct setting_key module_keys[] = {
	{"name", SETTING_STRING, true},
	{"library", SETTING_STRING, true},
	{"sha256", SETTING_STRING, false},
	{"env", SETTING_GROUP, false},
	{"init_args", SETTING_STRING, false},
	{"vendor", SETTING_STRING, false},
	{"isolation", SETTING_STRING, false},
	{"private_copy", SETTING_BOOL, false},
	{"deadline_ms", SETTING_LATER, false},
};

static const struct setting_key health_keys[] = {
	{"interval_ms", SETTING_INT, false},
	{"failures", SETTING_INT, false},
	{"open_ms", SETTING_INT, false},
	{"open_max_ms", SETTING_INT, false},
};

static const struct setting_key retry_keys[] = {
	{"budget_ms", SETTING_INT, false},
	{"attempts", SETTING_INT, false},
};

static const struct setting_key state_keys[] = {
	{"directory", SETTING_STRING, false},
	{"journal", SETTING_STRING, false},
};

static const struct setting_key log_keys[] = {
	{"level", SETTING_STRING, false},
	{"syslog", SETTING_BOOL, false},
};

static const struct setting_word isolation_words[] = {
	{"none", false},
	{"process", true},
};

/* In the order of enum log_level. */
static const struct setting_word level_words[] = {
	[LOG_LEVEL_ERROR] = {"error", false},
	[LOG_LEVEL_WARN] = {"warn", false},
	[LOG_LEVEL_INFO] = {"info", false},
	[LOG_LEVEL_DEBUG] = {"debug", false},
};
/* clang-format on */

/* An absolute path as it is; a bare file name is one in p11-kit's module directory. */
static char *read_library(const struct scope *scope)
{
	static const char dir[] = HSMUX_P11_MODULE_DIR "/";
	char *text = scope_string(scope, "library");
	char *path;

	if (text == NULL || text[0] == '/')
		return text;
	if (text[0] == '\0' || strchr(text, '/') != NULL) {
		scope_error(
			scope, config_setting_get_member(scope->group, "library"),
			"library is neither absolute nor bare: expected /path/to/file.so, or the "
			"name of a file in %s",
			HSMUX_P11_MODULE_DIR);
		free(text);
		return NULL;
	}
	path = calloc(1, sizeof(dir) + strlen(text));
	if (path == NULL) {
		scope_no_memory(scope);
	} else {
		memcpy(path, dir, sizeof(dir) - 1);
		memcpy(path + sizeof(dir) - 1, text, strlen(text));
	}
	free(text);
	return path;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* 64 hexadecimal digits to 32 bytes; false when the text is anything else. */
static bool parse_sha256(const char *text, uint8_t out[static 32])
{
	if (strlen(text) != 64)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static void read_sha256(const struct scope *scope, struct config_module *m)
{
	char *text = scope_string(scope, "sha256");

	if (text == NULL)
		return;
	m->has_sha256 = parse_sha256(text, m->sha256);
	if (!m->has_sha256)
		scope_error(scope, config_setting_get_member(scope->group, "sha256"),
			    "sha256 is not a digest: expected 64 hexadecimal digits");
	free(text);
}

static void read_env_one(const struct scope *scope, const config_setting_t *setting,
			 struct config_env *e)
{
	const char *name = config_setting_name(setting);
	char shown[SETTING_SHOWN_LEN];

	/* libconfig takes "-" and "*" in names, the environment does not. */
	if (strpbrk(name, "-*") != NULL)
		scope_error(scope, setting,
			    "env \"%s\" is no name of a variable: expected letters, "
			    "digits and \"_\"",
			    setting_shown(name, shown));
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		scope_error(scope, setting,
			    "env \"%s\" has the wrong type: expected a string in "
			    "quotes",
			    setting_shown(name, shown));
		return;
	}
	e->name = strdup(name);
	e->value = scope_expand(scope, setting);
	if (e->name == NULL)
		scope_no_memory(scope);
}

static void read_env(const struct scope *scope, struct config_module *m)
{
	const config_setting_t *env = scope_group(scope, "env");

	m->env = scope_array(scope, env, sizeof(m->env[0]), &m->env_count);
	for (size_t i = 0; i < m->env_count; i++)
		read_env_one(scope, config_setting_get_elem(env, (unsigned)i), &m->env[i]);
}

static void read_module(const struct scope *root, const config_setting_t *group, size_t i,
			struct config_module *m)
{
	struct scope scope;

	scope_init(&scope, root, group, "module", "name", i + 1);
	scope_keys(&scope, module_keys, COUNT(module_keys));
	m->line = settings_line(group);
	m->name = scope_name(&scope, "name");
	m->library = read_library(&scope);
	read_sha256(&scope, m);
	read_env(&scope, m);
	m->init_args = scope_string(&scope, "init_args");
	m->vendor = scope_name(&scope, "vendor");
	if (m->vendor == NULL)
		m->vendor = strdup("auto");
	if (m->vendor == NULL)
		scope_no_memory(&scope);
	(void)scope_word(&scope, "isolation", isolation_words, COUNT(isolation_words),
			 0); /* "none" */
	m->private_copy = scope_bool(&scope, "private_copy", false);
}

static void read_modules(const struct scope *root, struct config *c)
{
	const config_setting_t *list = scope_list(root, "modules");

	c->modules = scope_array(root, list, sizeof(c->modules[0]), &c->module_count);
	for (size_t i = 0; i < c->module_count; i++) {
		const config_setting_t *group = scope_element(root, list, i, "module");

		if (group != NULL)
			read_module(root, group, i, &c->modules[i]);
	}
	if (list != NULL && config_setting_length(list) == 0)
		scope_error(root, list, "modules is empty: expected at least one module");
}

static void read_health(const struct scope *root, struct config *c)
{
	const config_setting_t *group = scope_group(root, "health");
	struct scope scope;
	unsigned max = c->health.open_max_ms;

	if (group == NULL)
		return;
	scope_init(&scope, root, group, "health", NULL, 0);
	scope_keys(&scope, health_keys, COUNT(health_keys));
	c->health.interval_ms = scope_unsigned(&scope, "interval_ms", INTERVAL_MIN_MS, TIME_MAX_MS,
					       c->health.interval_ms);
	c->health.failures =
		scope_unsigned(&scope, "failures", 1, FAILURES_MAX, c->health.failures);
	c->health.open_ms =
		scope_unsigned(&scope, "open_ms", OPEN_MIN_MS, TIME_MAX_MS, c->health.open_ms);
	max = max > c->health.open_ms ? max : c->health.open_ms;
	c->health.open_max_ms =
		scope_unsigned(&scope, "open_max_ms", OPEN_MIN_MS, TIME_MAX_MS, max);
	config_rules_health(&scope, c);
}

static void read_retry(const struct scope *root, struct config *c)
{
	const config_setting_t *group = scope_group(root, "retry");
	struct scope scope;

	if (group == NULL)
		return;
	scope_init(&scope, root, group, "retry", NULL, 0);
	scope_keys(&scope, retry_keys, COUNT(retry_keys));
	c->retry.budget_ms = scope_unsigned(&scope, "budget_ms", BUDGET_MIN_MS, BUDGET_MAX_MS,
					    c->retry.budget_ms);
	c->retry.attempts = scope_unsigned(&scope, "attempts", 1, ATTEMPTS_MAX, c->retry.attempts);
}

static void read_state(const struct scope *root, struct config *c)
{
	const config_setting_t *group = scope_group(root, "state");
	struct scope scope;

	if (group == NULL)
		return;
	scope_init(&scope, root, group, "state", NULL, 0);
	scope_keys(&scope, state_keys, COUNT(state_keys));
	c->state_directory = scope_string(&scope, "directory");
	c->state_journal = scope_string(&scope, "journal");
	config_rules_state(&scope, c);
}

static void read_log(const struct scope *root, struct config *c)
{
	const config_setting_t *group = scope_group(root, "log");
	struct scope scope;
	size_t level;

	if (group == NULL)
		return;
	scope_init(&scope, root, group, "log", NULL, 0);
	scope_keys(&scope, log_keys, COUNT(log_keys));
	level = scope_word(&scope, "level", level_words, COUNT(level_words), LOG_LEVEL_WARN);
	c->log_level = (enum log_level)level;
	c->log_syslog = scope_bool(&scope, "syslog", false);
}

static void read_root(struct settings *s, struct config *c)
{
	struct scope root;
	long long version;

	scope_root(&root, s);
	scope_keys(&root, root_keys, COUNT(root_keys));
	(void)scope_int(&root, "version", 1, 1, &version); /* the only one so far */
	read_modules(&root, c);
	config_tokens_read(&root, c);
	read_health(&root, c);
	read_retry(&root, c);
	read_state(&root, c);
	read_log(&root, c);
	config_rules_check(s, c);
}

struct config *config_parse(const char *file, enum config_source source, struct diag *diag)
{
	struct settings s = {0};
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->file = strdup(file)) == NULL) {
		diag_add(diag, file, 0, "out of memory");
		free(c);
		return NULL;
	}
	c->source = source;
	config_defaults(c);
	if (settings_open(&s, file, SETTINGS_OWN, geteuid(), diag))
		read_root(&s, c);
	settings_sort(&s);
	settings_close(&s);
	if (!s.failed && config_load_policies(c, diag))
		return c;
	config_free(c);
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Config, the file: hsmux.conf turned into struct config.
 *
 * Two passes: every group is read by itself against its table of keys, then config_rules_check()
 * looks at what must hold between them. Errors never stop the reading, and a configuration with any
 * of them is thrown away as a whole. Values of `env` may be secrets and are in no message. */
#include "core/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config_rules.h"
#include "core/scope.h"

/* Our own slot numbers are positive as a C int, so that every caller can print and pass them on.
 * Those of members are the vendor's choice: whatever libconfig can write. */
#define SLOT_MAX      0x7fffffffLL
#define REAL_SLOT_MAX 0x7fffffffffffffffLL
/* More than any token offers; larger numbers are mistakes. */
#define SESSIONS_MAX 1000000LL

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* One key a line: tests/lint.sh compares them with the manual. */
/* clang-format off */
static const struct setting_key root_keys[] = {
	{"version", SETTING_INT, true},
	{"modules", SETTING_LIST, true},
	{"tokens", SETTING_LIST, true},
	{"log", SETTING_GROUP, false},
	{"expose_members", SETTING_LATER, false},
	{"health", SETTING_LATER, false},
	{"retry", SETTING_LATER, false},
	{"policy", SETTING_LATER, false},
	{"audit", SETTING_LATER, false},
	{"state", SETTING_LATER, false},
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

static const struct setting_key token_keys[] = {
	{"label", SETTING_STRING, true},
	{"slot", SETTING_INT, false},
	{"mode", SETTING_STRING, false},
	{"members", SETTING_LIST, true},
	{"relogin", SETTING_BOOL, false},
	{"balance", SETTING_LATER, false},
	{"replicate", SETTING_LATER, false},
	{"protect", SETTING_LATER, false},
	{"kek", SETTING_LATER, false},
	{"find", SETTING_LATER, false},
	{"login_linger_s", SETTING_LATER, false},
	{"policy", SETTING_LATER, false},
};

static const struct setting_key member_keys[] = {
	{"name", SETTING_STRING, false},
	{"module", SETTING_STRING, true},
	{"token", SETTING_STRING, false},
	{"serial", SETTING_STRING, false},
	{"slot", SETTING_INT, false},
	{"max_sessions", SETTING_INT, false},
	{"priority", SETTING_LATER, false},
	{"weight", SETTING_LATER, false},
	{"role", SETTING_LATER, false},
	{"pin", SETTING_LATER, false},
	{"deadline_ms", SETTING_LATER, false},
};

static const struct setting_key log_keys[] = {
	{"level", SETTING_STRING, false},
	{"syslog", SETTING_BOOL, false},
};

/* In the order of enum config_mode, then those of later versions. */
static const struct setting_word mode_words[] = {
	[CONFIG_MODE_PASSTHROUGH] = {"passthrough", false},
	{"failover", true},
	{"balanced", true},
	{"capability", true},
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

/* Elements of a list that are groups are counted from 1 in messages; others are reported. */
static const config_setting_t *element(const struct scope *scope, const config_setting_t *list,
				       size_t i, const char *kind)
{
	const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

	if (config_setting_type(group) == CONFIG_TYPE_GROUP)
		return group;
	scope_error(scope, group, "%s %zu has the wrong type: expected a group { ... }", kind,
		    i + 1);
	return NULL;
}

/* An array for the elements of a list; NULL for an absent or empty list, or when memory is out. */
static void *array_for(const struct scope *scope, const config_setting_t *list, size_t size,
		       size_t *count)
{
	int length = list != NULL ? config_setting_length(list) : 0;
	void *array;

	*count = 0;
	if (length <= 0)
		return NULL;
	array = calloc((size_t)length, size);
	if (array == NULL)
		scope_no_memory(scope);
	else
		*count = (size_t)length;
	return array;
}

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

	m->env = array_for(scope, env, sizeof(m->env[0]), &m->env_count);
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

	c->modules = array_for(root, list, sizeof(c->modules[0]), &c->module_count);
	for (size_t i = 0; i < c->module_count; i++) {
		const config_setting_t *group = element(root, list, i, "module");

		if (group != NULL)
			read_module(root, group, i, &c->modules[i]);
	}
	if (list != NULL && config_setting_length(list) == 0)
		scope_error(root, list, "modules is empty: expected at least one module");
}

/* Finds the module that a member names; an unknown one is reported with all known ones. */
static void find_module(const struct scope *scope, const struct config *c, struct config_member *m)
{
	const config_setting_t *setting = config_setting_get_member(scope->group, "module");
	char *name = scope_string(scope, "module");
	char shown[SETTING_SHOWN_LEN];
	char known[256];

	if (name == NULL)
		return;
	for (m->module = 0; m->module < c->module_count; m->module++) {
		const char *other = c->modules[m->module].name;

		if (other != NULL && strcmp(other, name) == 0)
			break;
	}
	if (m->module == c->module_count)
		scope_error(scope, setting, "unknown module \"%s\": expected one of %s",
			    setting_shown(name, shown),
			    config_rules_modules(c, known, sizeof(known)));
	free(name);
}

/* A member without a name is called like its module. */
static void name_member(const struct scope *scope, const struct config *c, struct config_member *m)
{
	if (config_setting_get_member(scope->group, "name") != NULL) {
		m->name = scope_name(scope, "name");
	} else if (m->module < c->module_count && c->modules[m->module].name != NULL) {
		m->name = strdup(c->modules[m->module].name);
		if (m->name == NULL)
			scope_no_memory(scope);
	}
}

static void read_member(const struct scope *token, const struct config *c,
			const config_setting_t *group, size_t i, struct config_member *m)
{
	struct scope scope;
	long long n = 0;

	scope_init(&scope, token, group, "member", "name", i + 1);
	scope_keys(&scope, member_keys, COUNT(member_keys));
	m->line = settings_line(group);
	m->module = c->module_count;
	find_module(&scope, c, m);
	name_member(&scope, c, m);
	m->token = scope_string(&scope, "token");
	m->serial = scope_string(&scope, "serial");
	m->has_slot = scope_int(&scope, "slot", 0, REAL_SLOT_MAX, &n);
	m->slot = m->has_slot ? (CK_SLOT_ID)n : 0;
	if (scope_int(&scope, "max_sessions", 0, SESSIONS_MAX, &n))
		m->max_sessions = (unsigned)n;
	config_rules_member(&scope, m);
}

static void read_members(const struct scope *token, const struct config *c, struct config_token *t)
{
	const config_setting_t *list = scope_list(token, "members");

	t->members = array_for(token, list, sizeof(t->members[0]), &t->member_count);
	for (size_t i = 0; i < t->member_count; i++) {
		const config_setting_t *group = element(token, list, i, "member");

		if (group != NULL)
			read_member(token, c, group, i, &t->members[i]);
	}
}

/* False after a report that the mode is none of this version: its members cannot be judged. */
static bool has_mode(const struct scope *scope)
{
	size_t absent = COUNT(mode_words);

	if (config_setting_get_member(scope->group, "mode") == NULL)
		return true;
	return scope_word(scope, "mode", mode_words, COUNT(mode_words), absent) != absent;
}

static void read_token(const struct scope *root, const struct config *c,
		       const config_setting_t *group, size_t i, struct config_token *t)
{
	struct scope scope;
	long long n = (long long)i + 1;

	scope_init(&scope, root, group, "token", "label", i + 1);
	scope_keys(&scope, token_keys, COUNT(token_keys));
	t->line = settings_line(group);
	t->label = scope_string(&scope, "label");
	(void)scope_int(&scope, "slot", 0, SLOT_MAX, &n); /* absent: the position stays */
	t->slot = (CK_SLOT_ID)n;
	t->mode = CONFIG_MODE_PASSTHROUGH; /* the only one so far */
	t->relogin = scope_bool(&scope, "relogin", true);
	config_rules_token(&scope, t);
	read_members(&scope, c, t);
	if (has_mode(&scope) && scope_list(&scope, "members") != NULL && t->member_count != 1)
		scope_error(&scope, scope_list(&scope, "members"),
			    "has %zu members: expected exactly one in mode \"passthrough\"",
			    t->member_count);
}

static void read_tokens(const struct scope *root, struct config *c)
{
	const config_setting_t *list = scope_list(root, "tokens");

	c->tokens = array_for(root, list, sizeof(c->tokens[0]), &c->token_count);
	for (size_t i = 0; i < c->token_count; i++) {
		const config_setting_t *group = element(root, list, i, "token");

		if (group != NULL)
			read_token(root, c, group, i, &c->tokens[i]);
	}
	if (list != NULL && config_setting_length(list) == 0)
		scope_error(root, list, "tokens is empty: expected at least one token");
}

static void read_log(const struct scope *root, struct config *c)
{
	const config_setting_t *group = scope_group(root, "log");
	struct scope scope;
	size_t level;

	c->log_level = LOG_LEVEL_WARN;
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
	read_tokens(&root, c);
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
	if (settings_open(&s, file, SETTINGS_OWN, geteuid(), diag))
		read_root(&s, c);
	settings_sort(&s);
	settings_close(&s);
	if (!s.failed)
		return c;
	config_free(c);
	return NULL;
}

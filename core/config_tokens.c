/* SPDX-License-Identifier: BSD-2-Clause */
/* Config, the tokens: `tokens` and their `members` turned into plain data.
 *
 * As in config_parse.c errors never stop the reading. A `pin` that names no source may be the PIN
 * itself, put there by mistake: it is in no message, and our copy of it is wiped. Nothing here
 * reads a PIN from its source. */
#include "core/config_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/config_rules.h"

/* Our own slot numbers are positive as a C int, so that every caller can print and pass them on.
 * Those of members are the vendor's choice: whatever libconfig can write. */
#define SLOT_MAX      0x7fffffffLL
#define REAL_SLOT_MAX 0x7fffffffffffffffLL
/* More than any token offers; larger numbers are mistakes. */
#define SESSIONS_MAX 1000000LL
/* Three digits are enough to order and to weigh eight members. */
#define PRIORITY_MAX 1000LL
#define WEIGHT_MAX   1000LL

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* One key a line: tests/lint.sh compares them with the manual. */
/* clang-format off */
static const struct setting_key token_keys[] = {
	{"label", SETTING_STRING, true},
	{"slot", SETTING_INT, false},
	{"mode", SETTING_STRING, false},
	{"balance", SETTING_STRING, false},
	{"members", SETTING_LIST, true},
	{"replicate", SETTING_STRING, false},
	{"find", SETTING_STRING, false},
	{"relogin", SETTING_BOOL, false},
	{"protect", SETTING_STRING, false},
	{"kek", SETTING_STRING, false},
	{"login_linger_s", SETTING_LATER, false},
	{"policy", SETTING_STRING, false},
};

static const struct setting_key member_keys[] = {
	{"name", SETTING_STRING, false},
	{"module", SETTING_STRING, true},
	{"token", SETTING_STRING, false},
	{"serial", SETTING_STRING, false},
	{"slot", SETTING_INT, false},
	{"priority", SETTING_INT, false},
	{"weight", SETTING_INT, false},
	{"role", SETTING_STRING, false},
	{"pin", SETTING_STRING, false},
	{"max_sessions", SETTING_INT, false},
	{"deadline_ms", SETTING_LATER, false},
};

/* In the order of enum config_mode. */
static const struct setting_word mode_words[] = {
	[CONFIG_MODE_PASSTHROUGH] = {"passthrough", false},
	[CONFIG_MODE_FAILOVER] = {"failover", false},
	[CONFIG_MODE_BALANCED] = {"balanced", false},
	[CONFIG_MODE_CAPABILITY] = {"capability", false},
};

/* In the order of enum config_balance. */
static const struct setting_word balance_words[] = {
	[CONFIG_BALANCE_LEAST_LOADED] = {"least-loaded", false},
	[CONFIG_BALANCE_ROUND_ROBIN] = {"round-robin", false},
};

/* In the order of enum config_replicate. */
static const struct setting_word replicate_words[] = {
	[CONFIG_REPLICATE_NONE] = {"none", false},
	[CONFIG_REPLICATE_ALL] = {"all", false},
	[CONFIG_REPLICATE_MAJORITY] = {"majority", false},
	[CONFIG_REPLICATE_FIRST] = {"first", false},
};

/* In the order of enum config_protect. */
static const struct setting_word protect_words[] = {
	[CONFIG_PROTECT_KEK] = {"kek", false},
	[CONFIG_PROTECT_LOCKED] = {"locked", false},
};

static const struct setting_word find_words[] = {
	{"union", false},
	{"first", false},
};

/* In the order of enum config_role. */
static const struct setting_word role_words[] = {
	[CONFIG_ROLE_ACTIVE] = {"active", false},
	[CONFIG_ROLE_STANDBY] = {"standby", false},
	[CONFIG_ROLE_FALLBACK] = {"fallback", false},
};
/* clang-format on */

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

/* The name of an environment variable. */
static bool is_variable(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char more[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	return strspn(name, letters) > 0 && name[strspn(name, more)] == '\0';
}

static bool is_absolute(const char *path)
{
	return path[0] == '/';
}

/* A credential is a file in one directory, and nothing outside of it. */
static bool is_file_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* The sources of a PIN that are named by a word and a place. */
static const struct {
	const char *prefix;
	enum config_pin pin;
	bool (*is_good)(const char *where);
	const char *wanted;
} pin_sources[] = {
	{"file:", CONFIG_PIN_FILE, is_absolute, "an absolute path behind \"file:\""},
	{"env:", CONFIG_PIN_ENV, is_variable, "the name of a variable behind \"env:\""},
	{"credential:", CONFIG_PIN_CREDENTIAL, is_file_name,
	 "a name without \"/\" behind \"credential:\""},
};

/* Takes what is behind the prefix of source `i`. */
static void take_pin(const struct scope *scope, size_t i, const char *where,
		     struct config_member *m)
{
	const config_setting_t *setting = config_setting_get_member(scope->group, "pin");

	if (!pin_sources[i].is_good(where)) {
		scope_error(scope, setting, "pin names no usable source: expected %s",
			    pin_sources[i].wanted);
		return;
	}
	m->pin = pin_sources[i].pin;
	m->pin_where = strdup(where);
	if (m->pin_where == NULL)
		scope_no_memory(scope);
}

static void read_pin(const struct scope *scope, struct config_member *m)
{
	char *text = scope_string(scope, "pin");
	size_t i = 0;

	if (text == NULL)
		return;
	while (i < COUNT(pin_sources) &&
	       strncmp(text, pin_sources[i].prefix, strlen(pin_sources[i].prefix)) != 0)
		i++;
	if (i < COUNT(pin_sources))
		take_pin(scope, i, text + strlen(pin_sources[i].prefix), m);
	else if (strcmp(text, "same") != 0)
		scope_error(scope, config_setting_get_member(scope->group, "pin"),
			    "pin names no source: expected \"same\", \"file:PATH\", "
			    "\"env:NAME\" or \"credential:NAME\", never the PIN itself");
	secret_free_text(text);
}

/* How the member is used beside others. */
static void read_use(const struct scope *scope, struct config_member *m)
{
	size_t role;

	m->max_sessions = scope_unsigned(scope, "max_sessions", 0, SESSIONS_MAX, 0);
	m->priority = scope_unsigned(scope, "priority", 1, PRIORITY_MAX, 1);
	m->weight = scope_unsigned(scope, "weight", 1, WEIGHT_MAX, 1);
	role = scope_word(scope, "role", role_words, COUNT(role_words), CONFIG_ROLE_ACTIVE);
	m->role = (enum config_role)role;
	read_pin(scope, m);
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
	read_use(&scope, m);
	config_rules_member(&scope, m);
}

static void read_members(const struct scope *token, const struct config *c, struct config_token *t)
{
	const config_setting_t *list = scope_list(token, "members");

	t->members = scope_array(token, list, sizeof(t->members[0]), &t->member_count);
	for (size_t i = 0; i < t->member_count; i++) {
		const config_setting_t *group = scope_element(token, list, i, "member");

		if (group != NULL)
			read_member(token, c, group, i, &t->members[i]);
	}
}

/* How the members are used. An unknown mode is reported, and its members cannot be judged. */
static void read_mode(const struct scope *scope, struct config_token *t)
{
	const config_setting_t *balance = config_setting_get_member(scope->group, "balance");
	size_t unknown = COUNT(mode_words);
	size_t mode = CONFIG_MODE_PASSTHROUGH;
	size_t word = scope_word(scope, "balance", balance_words, COUNT(balance_words),
				 CONFIG_BALANCE_LEAST_LOADED);

	if (config_setting_get_member(scope->group, "mode") != NULL)
		mode = scope_word(scope, "mode", mode_words, COUNT(mode_words), unknown);
	t->balance = (enum config_balance)word;
	if (mode == unknown)
		return;
	t->mode = (enum config_mode)mode;
	if (balance != NULL && t->mode != CONFIG_MODE_BALANCED)
		scope_error(scope, balance,
			    "balance has no meaning in mode \"%s\": expected it in mode "
			    "\"balanced\" only",
			    config_mode_name(t->mode));
	config_rules_members(scope, t);
	config_rules_replicate(scope, t);
}

static void read_token(const struct scope *root, const struct config *c,
		       const config_setting_t *group, size_t i, struct config_token *t)
{
	struct scope scope;
	long long n = (long long)i + 1;
	size_t word;

	scope_init(&scope, root, group, "token", "label", i + 1);
	scope_keys(&scope, token_keys, COUNT(token_keys));
	t->line = settings_line(group);
	t->label = scope_string(&scope, "label");
	(void)scope_int(&scope, "slot", 0, SLOT_MAX, &n); /* absent: the position stays */
	t->slot = (CK_SLOT_ID)n;
	word = scope_word(&scope, "replicate", replicate_words, COUNT(replicate_words),
			  CONFIG_REPLICATE_NONE);
	t->replicate = (enum config_replicate)word;
	word = scope_word(&scope, "protect", protect_words, COUNT(protect_words),
			  CONFIG_PROTECT_KEK);
	t->protect = (enum config_protect)word;
	t->kek = scope_string(&scope, "kek");
	t->find_first = scope_word(&scope, "find", find_words, COUNT(find_words), 0) == 1;
	t->relogin = scope_bool(&scope, "relogin", true);
	t->policy_name = scope_string(&scope, "policy");
	config_rules_policy(&scope, t);
	config_rules_token(&scope, t);
	read_members(&scope, c, t);
	read_mode(&scope, t);
}

void config_tokens_read(const struct scope *root, struct config *c)
{
	const config_setting_t *list = scope_list(root, "tokens");

	c->tokens = scope_array(root, list, sizeof(c->tokens[0]), &c->token_count);
	for (size_t i = 0; i < c->token_count; i++) {
		const config_setting_t *group = scope_element(root, list, i, "token");

		if (group != NULL)
			read_token(root, c, group, i, &c->tokens[i]);
	}
	if (list != NULL && config_setting_length(list) == 0)
		scope_error(root, list, "tokens is empty: expected at least one token");
}

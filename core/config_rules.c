/* SPDX-License-Identifier: BSD-2-Clause */
/* Config, the rules: what must hold in a configuration beyond keys and types.
 *
 * Labels and serial numbers are compared by applications and by us against blank padded fields of
 * fixed size, so a value that does not survive padding could never be found. Two members that
 * certainly are one real token would give two virtual tokens with one login state: refused. */
#include "core/config_rules.h"

#include <stdio.h>
#include <string.h>

#include "core/base/near.h"
#include "core/base/utf8.h"
#include "core/kek.h"
#include "core/orphan.h"
#include "policy/policy.h"

/* Sizes of CK_TOKEN_INFO's fields. */
#define LABEL_LEN  sizeof(((CK_TOKEN_INFO *)0)->label)
#define SERIAL_LEN sizeof(((CK_TOKEN_INFO *)0)->serialNumber)

/* True for UTF-8 without control characters. */
static bool is_text(const char *text)
{
	while (*text != '\0') {
		size_t len = utf8_len(text);

		if (len == 0 || (unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
		text += len;
	}
	return true;
}

/* Reports a value that cannot stand in a blank padded field of `max` bytes. */
static void check_padded(const struct scope *scope, const char *key, const char *value, size_t max)
{
	const config_setting_t *setting = config_setting_get_member(scope->group, key);
	size_t len = value != NULL ? strlen(value) : 0;

	if (value == NULL)
		return;
	if (len == 0)
		scope_error(scope, setting, "%s is empty: expected 1 to %zu bytes", key, max);
	else if (len > max)
		scope_error(scope, setting, "%s has %zu bytes: expected at most %zu", key, len,
			    max);
	else if (value[len - 1] == ' ')
		scope_error(scope, setting,
			    "%s ends with a blank: expected none, tokens pad with them", key);
	else if (!is_text(value))
		scope_error(scope, setting,
			    "%s is not plain text: expected UTF-8 without control "
			    "characters",
			    key);
}

void config_rules_token(const struct scope *scope, const struct config_token *t)
{
	check_padded(scope, "label", t->label, LABEL_LEN);
}

void config_rules_member(const struct scope *scope, const struct config_member *m)
{
	const config_setting_t *group = scope->group;

	check_padded(scope, "token", m->token, LABEL_LEN);
	check_padded(scope, "serial", m->serial, SERIAL_LEN);
	if (config_setting_get_member(group, "token") == NULL &&
	    config_setting_get_member(group, "serial") == NULL &&
	    config_setting_get_member(group, "slot") == NULL)
		scope_error(scope, NULL,
			    "selects no token: expected \"token\" (its label), \"serial\" "
			    "or \"slot\"");
}

/* One member as it is, or a group. */
static void check_count(const struct scope *scope, const config_setting_t *list,
			const struct config_token *t)
{
	const char *mode = config_mode_name(t->mode);

	if (t->mode == CONFIG_MODE_PASSTHROUGH && t->member_count != 1)
		scope_error(scope, list,
			    "has %zu members: expected exactly one in mode \"passthrough\"",
			    t->member_count);
	if (t->mode != CONFIG_MODE_PASSTHROUGH &&
	    (t->member_count < 1 || t->member_count > CONFIG_MAX_MEMBERS))
		scope_error(scope, list, "has %zu members: expected 1 to %d in mode \"%s\"",
			    t->member_count, CONFIG_MAX_MEMBERS, mode);
}

void config_rules_members(const struct scope *scope, const struct config_token *t)
{
	const config_setting_t *list = scope_list(scope, "members");
	size_t fallbacks = 0;

	if (list == NULL)
		return; /* reported as missing or of the wrong type */
	check_count(scope, list, t);
	for (size_t i = 0; i < t->member_count; i++)
		fallbacks += t->members[i].role == CONFIG_ROLE_FALLBACK ? 1 : 0;
	if (fallbacks > 0 && fallbacks == t->member_count)
		scope_error(scope, list,
			    "no member may make objects: expected at least one whose role is not "
			    "\"fallback\"");
}

/* The KEK's CKA_ID behind "id:". */
static bool is_hex_id(const char *hex)
{
	size_t len = strspn(hex, "0123456789abcdefABCDEF");

	return hex[len] == '\0' && len >= 2 && len <= 64 && len % 2 == 0;
}

static void check_kek(const struct scope *scope, const struct config_token *t)
{
	const config_setting_t *setting = config_setting_get_member(scope->group, "kek");

	if (t->kek == NULL)
		return;
	if (strncmp(t->kek, "id:", 3) == 0) {
		if (!is_hex_id(t->kek + 3))
			scope_error(scope, setting,
				    "kek names no CKA_ID: expected 1 to 32 bytes in hexadecimal "
				    "behind \"id:\"");
		return;
	}
	check_padded(scope, "kek", t->kek, LABEL_LEN);
	/* Labels of hsmux's other objects: a search for one would find the other. */
	if (strncmp(t->kek, ORPHAN_OWN_PREFIX, sizeof ORPHAN_OWN_PREFIX - 1) == 0 &&
	    strncmp(t->kek, KEK_LABEL, sizeof KEK_LABEL - 1) != 0)
		scope_error(scope, setting,
			    "kek begins with \"" ORPHAN_OWN_PREFIX
			    "\": expected another label, or one that begins with \"" KEK_LABEL
			    "\"");
}

void config_rules_replicate(const struct scope *scope, const struct config_token *t)
{
	static const char *const only[] = {"protect", "kek"};

	check_kek(scope, t);
	if (t->replicate != CONFIG_REPLICATE_NONE && t->mode == CONFIG_MODE_PASSTHROUGH)
		scope_error(scope, config_setting_get_member(scope->group, "replicate"),
			    "replicate has no meaning in mode \"passthrough\": expected \"none\"");
	for (size_t i = 0; t->replicate == CONFIG_REPLICATE_NONE && i < 2; i++) {
		const config_setting_t *setting = config_setting_get_member(scope->group, only[i]);

		if (setting != NULL)
			scope_error(scope, setting,
				    "%s has no meaning with replicate = \"none\": expected it "
				    "where keys are replicated",
				    only[i]);
	}
}

void config_rules_policy(const struct scope *scope, const struct config_token *t)
{
	const config_setting_t *setting = config_setting_get_member(scope->group, "policy");
	char shown[SETTING_SHOWN_LEN];
	const char *near;

	if (t->policy_name == NULL || t->policy_name[0] == '/' ||
	    policy_builtin(t->policy_name) != NULL)
		return;
	setting_shown(t->policy_name, shown);
	near = near_word(t->policy_name, policy_builtin_at, NULL);
	if (near != NULL)
		scope_error(scope, setting, "policy \"%s\" is not known: did you mean \"%s\"?",
			    shown, near);
	else
		scope_error(scope, setting,
			    "policy \"%s\" is not known: expected the name of a built-in policy "
			    "(hsmux policy list) or /path/to/policy.conf",
			    shown);
}

void config_rules_health(const struct scope *scope, const struct config *c)
{
	if (c->health.open_max_ms < c->health.open_ms)
		scope_error(scope, config_setting_get_member(scope->group, "open_max_ms"),
			    "open_max_ms is %u: expected at least open_ms (%u)",
			    c->health.open_max_ms, c->health.open_ms);
}

void config_rules_state(const struct scope *scope, const struct config *c)
{
	if (c->state_directory != NULL && c->state_directory[0] != '/')
		scope_error(scope, config_setting_get_member(scope->group, "directory"),
			    "directory is not absolute: expected /path/to/directory");
	if (c->state_journal != NULL && c->state_journal[0] != '/')
		scope_error(scope, config_setting_get_member(scope->group, "journal"),
			    "journal is not absolute: expected /path/to/directory");
}

const char *config_rules_modules(const struct config *c, char *out, size_t out_len)
{
	size_t len = 0;

	(void)snprintf(out, out_len, "none, as no module has a name");
	for (size_t i = 0; i < c->module_count && len < out_len; i++) {
		if (c->modules[i].name != NULL)
			len += (size_t)snprintf(out + len, out_len - len, "%s%s",
						len > 0 ? ", " : "", c->modules[i].name);
	}
	return out;
}

static bool is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void check_modules(struct settings *s, const struct config *c)
{
	for (size_t i = 0; i < c->module_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!is_same(c->modules[i].name, c->modules[j].name))
				continue;
			settings_error(
				s, c->modules[i].line,
				"module \"%s\": the name is used on line %u: expected another name",
				c->modules[i].name, c->modules[j].line);
			break;
		}
	}
}

/* Two virtual tokens: labels and slots differ. */
static void compare_tokens(struct settings *s, const struct config_token *t,
			   const struct config_token *other)
{
	char shown[SETTING_SHOWN_LEN];

	if (t->line == 0 || other->line == 0)
		return;
	setting_shown(t->label != NULL ? t->label : "", shown);
	if (is_same(t->label, other->label))
		settings_error(s, t->line,
			       "token \"%s\": the label is used on line %u: expected another label",
			       shown, other->line);
	if (t->slot == other->slot)
		settings_error(
			s, t->line,
			"token \"%s\": slot %lu is used on line %u (without \"slot\" it is the "
			"position in the list): expected another number",
			shown, t->slot, other->line);
}

/* What one selector says about two members. */
enum likeness { UNKNOWN, SAME, DIFFERENT };

static enum likeness compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return UNKNOWN;
	return strcmp(a, b) == 0 ? SAME : DIFFERENT;
}

/* True when at least one selector is the same in both, and none that both give differs. */
static bool is_same_token(const struct config_member *a, const struct config_member *b)
{
	enum likeness token = compare(a->token, b->token);
	enum likeness serial = compare(a->serial, b->serial);
	enum likeness slot = UNKNOWN;

	if (a->has_slot && b->has_slot)
		slot = a->slot == b->slot ? SAME : DIFFERENT;
	if (a->module != b->module || token == DIFFERENT || serial == DIFFERENT ||
	    slot == DIFFERENT)
		return false;
	return token == SAME || serial == SAME || slot == SAME;
}

/* One member against another of the same or an earlier virtual token. */
static void compare_members(struct settings *s, const struct config *c,
			    const struct config_token *t, const struct config_member *m,
			    const struct config_member *other, bool one_token)
{
	char label[SETTING_SHOWN_LEN];
	const char *name = m->name != NULL ? m->name : "?";

	if (m->line == 0 || other->line == 0)
		return;
	setting_shown(t->label != NULL ? t->label : "?", label);
	if (one_token && is_same(m->name, other->name))
		settings_error(s, m->line,
			       "token \"%s\": member \"%s\": the name is used on line %u: expected "
			       "another "
			       "name",
			       label, name, other->line);
	if (m->module < c->module_count && is_same_token(m, other))
		settings_error(s, m->line,
			       "token \"%s\": member \"%s\": the member on line %u is the same "
			       "real token: "
			       "expected each real token once",
			       label, name, other->line);
}

/* Compares member `k` of token `i` with all before it. */
static void check_member(struct settings *s, const struct config *c, size_t i, size_t k)
{
	const struct config_token *t = &c->tokens[i];

	for (size_t j = 0; j <= i; j++) {
		size_t end = j < i ? c->tokens[j].member_count : k;

		for (size_t l = 0; l < end; l++)
			compare_members(s, c, t, &t->members[k], &c->tokens[j].members[l], i == j);
	}
}

void config_rules_check(struct settings *s, const struct config *c)
{
	check_modules(s, c);
	for (size_t i = 0; i < c->token_count; i++) {
		for (size_t j = 0; j < i; j++)
			compare_tokens(s, &c->tokens[i], &c->tokens[j]);
		for (size_t k = 0; k < c->tokens[i].member_count; k++)
			check_member(s, c, i, k);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of a policy file: one table of keys for each group of the grammar, in the order of
 * policy.conf(5). */
#include "policy/parse_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/profile.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct setting_key rule_keys[] = {
	{"id", SETTING_STRING, true},    {"effect", SETTING_STRING, true},
	{"mode", SETTING_STRING, false}, {"who", SETTING_GROUP, false},
	{"what", SETTING_WORDS, false},  {"not_what", SETTING_WORDS, false},
	{"on", SETTING_GROUP, false},    {"with", SETTING_GROUP, false},
	{"when", SETTING_GROUP, false},  {"unless", SETTING_GROUP, false},
	{"limit", SETTING_LATER, false}, {"require", SETTING_LATER, false},
	{"audit", SETTING_LATER, false}, {"tbs", SETTING_LATER, false},
};

static const struct setting_key unless_keys[] = {
	{"who", SETTING_GROUP, false},      {"what", SETTING_WORDS, false},
	{"not_what", SETTING_WORDS, false}, {"on", SETTING_GROUP, false},
	{"with", SETTING_GROUP, false},     {"when", SETTING_GROUP, false},
	{"ceremony", SETTING_LATER, false},
};

static const struct setting_key who_keys[] = {
	{"uid", SETTING_WORDS, false},    {"not_uid", SETTING_WORDS, false},
	{"gid", SETTING_WORDS, false},    {"not_gid", SETTING_WORDS, false},
	{"user", SETTING_WORDS, false},   {"not_user", SETTING_WORDS, false},
	{"role", SETTING_WORDS, false},   {"not_role", SETTING_WORDS, false},
	{"login", SETTING_LATER, false},  {"not_login", SETTING_LATER, false},
	{"exe", SETTING_WORDS, false},    {"not_exe", SETTING_WORDS, false},
	{"unit", SETTING_WORDS, false},   {"not_unit", SETTING_WORDS, false},
	{"cgroup", SETTING_WORDS, false}, {"not_cgroup", SETTING_WORDS, false},
	{"label", SETTING_WORDS, false},  {"not_label", SETTING_WORDS, false},
	{"trust", SETTING_STRING, false},
};

static const struct setting_key on_keys[] = {
	{"token", SETTING_WORDS, false},  {"not_token", SETTING_WORDS, false},
	{"label", SETTING_WORDS, false},  {"not_label", SETTING_WORDS, false},
	{"id", SETTING_WORDS, false},     {"not_id", SETTING_WORDS, false},
	{"class", SETTING_WORDS, false},  {"not_class", SETTING_WORDS, false},
	{"key", SETTING_WORDS, false},    {"not_key", SETTING_WORDS, false},
	{"local", SETTING_BOOL, false},   {"age_max", SETTING_STRING, false},
	{"member", SETTING_LATER, false},
};

static const struct setting_key with_keys[] = {
	{"mech", SETTING_WORDS, false},
	{"not_mech", SETTING_WORDS, false},
	{"hash", SETTING_WORDS, false},
	{"not_hash", SETTING_WORDS, false},
	{"mgf", SETTING_WORDS, false},
	{"not_mgf", SETTING_WORDS, false},
	{"kdf", SETTING_WORDS, false},
	{"not_kdf", SETTING_WORDS, false},
	{"curve", SETTING_WORDS, false},
	{"not_curve", SETTING_WORDS, false},
	{"pset", SETTING_WORDS, false},
	{"not_pset", SETTING_WORDS, false},
	{"bits_min", SETTING_INT, false},
	{"bits_max", SETTING_INT, false},
	{"iv", SETTING_STRING, false},
	{"salt_max", SETTING_INT, false},
	{"hss_levels", SETTING_INT, false},
	{"template_has", SETTING_WORDS, false},
	{"template_lacks", SETTING_WORDS, false},
};

static const struct setting_key when_keys[] = {
	{"days", SETTING_WORDS, false},        {"from", SETTING_STRING, false},
	{"to", SETTING_STRING, false},         {"tz", SETTING_STRING, false},
	{"not_before", SETTING_STRING, false}, {"not_after", SETTING_STRING, false},
};

static const struct setting_key ceiling_keys[] = {
	{"key", SETTING_WORDS, false},    {"mech", SETTING_WORDS, false},
	{"hash", SETTING_WORDS, false},   {"curves", SETTING_WORDS, false},
	{"pset", SETTING_WORDS, false},   {"ops", SETTING_WORDS, false},
	{"min_bits", SETTING_INT, false}, {"max_bits", SETTING_INT, false},
};

static const struct setting_word effects[] = {{"allow", false}, {"deny", false}};
static const struct setting_word modes[] = {
	{"enforce", false}, {"permissive", false}, {"off", false}};
static const struct setting_word trusts[] = {
	{"self", false}, {"process", false}, {"peer", true}, {"crypto", true}};
static const struct setting_word ivs[] = {{"token", false}, {"caller", false}};
static const struct setting_word zones[] = {{"UTC", false}, {"local", false}};
static const char *const roles[] = {"user", "so", "public"};

/* Largest key that anybody has, in bits; longest salt, in bytes. */
#define BITS_MOST 65536
#define SALT_MOST 65536

/* A group of the file within another, or false when it is absent. */
static bool enter(const struct reading_file *r, const char *key, const struct setting_key *keys,
		  size_t count, struct reading_file *inner)
{
	const config_setting_t *group = scope_group(&r->scope, key);

	if (!group)
		return false;
	inner->sets = r->sets;
	scope_init(&inner->scope, &r->scope, group, key, NULL, 0);
	scope_keys(&inner->scope, keys, count);
	return true;
}

int64_t parse_time(const struct scope *scope, const char *key)
{
	char *text = scope_string(scope, key);
	int64_t seconds = 0;
	char shown[SETTING_SHOWN_LEN];

	if (text && !profile_day(text, &seconds))
		scope_error(scope, config_setting_get_member(scope->group, key),
			    "%s \"%s\" is no time: expected YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ",
			    key, setting_shown(text, shown));
	free(text);
	return seconds;
}

/* hh:mm as minutes; -1 when absent or in error. */
static int parse_minute(const struct scope *scope, const char *key)
{
	char *text = scope_string(scope, key);
	char shown[SETTING_SHOWN_LEN];
	int minute = -1;

	if (text && strlen(text) == 5 && isdigit((unsigned char)text[0]) &&
	    isdigit((unsigned char)text[1]) && text[2] == ':' && isdigit((unsigned char)text[3]) &&
	    isdigit((unsigned char)text[4]))
		minute = ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 +
			 text[4] - '0';
	if (text && (minute < 0 || minute > 24 * 60 ||
		     minute % 60 != (text[3] - '0') * 10 + text[4] - '0')) {
		scope_error(scope, config_setting_get_member(scope->group, key),
			    "%s \"%s\" is no time of day: expected hh:mm, 00:00 to 24:00", key,
			    setting_shown(text, shown));
		minute = -1;
	}
	free(text);
	return minute;
}

/* A number and "s", "m", "h" or "d", in seconds; 0 when absent or in error. */
static int64_t parse_duration(const struct scope *scope, const char *key)
{
	char *text = scope_string(scope, key);
	char shown[SETTING_SHOWN_LEN];
	char *end = text;
	long number = text && isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : 0;
	int64_t unit = 0;

	if (text && number > 0 && number <= 1000000 && end[0] != '\0' && end[1] == '\0')
		unit = end[0] == 's'   ? 1
		       : end[0] == 'm' ? 60
		       : end[0] == 'h' ? 3600
		       : end[0] == 'd' ? 86400
				       : 0;
	if (text && unit == 0)
		scope_error(scope, config_setting_get_member(scope->group, key),
			    "%s \"%s\" is no duration: expected a number and s, m, h or d", key,
			    setting_shown(text, shown));
	free(text);
	return number * unit;
}

static void parse_roles(const struct reading_file *r, const char *key, struct word_list *list)
{
	list_words(r, key, list);
	for (size_t i = 0; i < list->count; i++) {
		bool is_known = false;

		for (size_t k = 0; k < COUNT(roles); k++)
			is_known = is_known || strcmp(roles[k], list->word[i]) == 0;
		if (!is_known)
			scope_error(
				&r->scope, config_setting_get_member(r->scope.group, key),
				"%s: \"%s\" is no role: expected \"user\", \"so\" or \"public\"",
				key, list->word[i]);
	}
}

static void parse_who(const struct reading_file *outer, struct condition *c)
{
	static const char *const keys[WHO_COUNT][2] = {
		[WHO_UID] = {"uid", "not_uid"},
		[WHO_GID] = {"gid", "not_gid"},
		[WHO_USER] = {"user", "not_user"},
		[WHO_ROLE] = {"role", "not_role"},
		[WHO_EXE] = {"exe", "not_exe"},
		[WHO_UNIT] = {"unit", "not_unit"},
		[WHO_CGROUP] = {"cgroup", "not_cgroup"},
		[WHO_LABEL] = {"label", "not_label"},
		[WHO_TRUST] = {NULL, NULL},
	};
	struct reading_file r;

	if (!enter(outer, "who", who_keys, COUNT(who_keys), &r))
		return;
	for (size_t i = 0; i < WHO_COUNT; i++) {
		for (size_t n = 0; n < 2 && keys[i][n]; n++) {
			if (i == WHO_ROLE)
				parse_roles(&r, keys[i][n], &c->who[i][n]);
			else
				list_words(&r, keys[i][n], &c->who[i][n]);
		}
	}
	if (config_setting_get_member(r.scope.group, "trust") &&
	    scope_word(&r.scope, "trust", trusts, COUNT(trusts), COUNT(trusts)) < COUNT(trusts))
		list_words(&r, "trust", &c->who[WHO_TRUST][0]);
}

/* CKA_IDs in hexadecimal, made lower case. */
static void parse_ids(const struct reading_file *r, const char *key, struct word_list *list)
{
	list_words(r, key, list);
	for (size_t i = 0; i < list->count; i++) {
		char *id = list->word[i];

		if (id[strspn(id, "0123456789abcdefABCDEF")] != '\0' || strlen(id) % 2 != 0)
			scope_error(&r->scope, config_setting_get_member(r->scope.group, key),
				    "%s: \"%.40s\" is no CKA_ID: expected bytes in hexadecimal",
				    key, id);
		for (; *id != '\0'; id++)
			*id = (char)tolower((unsigned char)*id);
	}
}

static void parse_on(const struct reading_file *outer, struct condition *c)
{
	struct reading_file r;

	if (!enter(outer, "on", on_keys, COUNT(on_keys), &r))
		return;
	list_words(&r, "token", &c->token[0]);
	list_words(&r, "not_token", &c->token[1]);
	list_words(&r, "label", &c->label[0]);
	list_words(&r, "not_label", &c->label[1]);
	parse_ids(&r, "id", &c->id[0]);
	parse_ids(&r, "not_id", &c->id[1]);
	list_classes(&r, "class", &c->class[0]);
	list_classes(&r, "not_class", &c->class[1]);
	list_key_types(&r, "key", &c->key[0]);
	list_key_types(&r, "not_key", &c->key[1]);
	if (config_setting_get_member(r.scope.group, "local"))
		c->local = scope_bool(&r.scope, "local", false);
	c->age_max = parse_duration(&r.scope, "age_max");
}

static void parse_with(const struct reading_file *outer, struct condition *c)
{
	struct reading_file r;
	long long n = 0;

	if (!enter(outer, "with", with_keys, COUNT(with_keys), &r))
		return;
	list_mechanisms(&r, "mech", &c->mech[0]);
	list_mechanisms(&r, "not_mech", &c->mech[1]);
	list_hashes(&r, "hash", &c->hash[0]);
	list_hashes(&r, "not_hash", &c->hash[1]);
	list_hashes(&r, "mgf", &c->mgf[0]);
	list_hashes(&r, "not_mgf", &c->mgf[1]);
	list_kdfs(&r, "kdf", &c->kdf[0]);
	list_kdfs(&r, "not_kdf", &c->kdf[1]);
	list_curves(&r, "curve", &c->curve[0]);
	list_curves(&r, "not_curve", &c->curve[1]);
	list_psets(&r, "pset", &c->pset[0]);
	list_psets(&r, "not_pset", &c->pset[1]);
	c->bits_min = scope_unsigned(&r.scope, "bits_min", 1, BITS_MOST, 0);
	c->bits_max = scope_unsigned(&r.scope, "bits_max", 1, BITS_MOST, 0);
	if (scope_int(&r.scope, "salt_max", 0, SALT_MOST, &n))
		c->salt_max = (int)n;
	if (scope_int(&r.scope, "hss_levels", 1, 8, &n))
		c->hss_levels = (int)n;
	switch (scope_word(&r.scope, "iv", ivs, COUNT(ivs), COUNT(ivs))) {
	case 0:
		c->iv = IV_TOKEN;
		break;
	case 1:
		c->iv = IV_CALLER;
		break;
	default: /* absent, or reported */
		break;
	}
	list_wishes(&r, "template_has", &c->has);
	list_wishes(&r, "template_lacks", &c->lacks);
}

static const char *const day_words[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static const char *day_at(size_t i, const void *context)
{
	(void)context;
	return i < COUNT(day_words) ? day_words[i] : NULL;
}

static bool take_day(void *out, const char *word)
{
	unsigned *days = out;

	for (unsigned i = 0; i < COUNT(day_words); i++) {
		if (strcmp(day_words[i], word) == 0) {
			*days |= 1U << i;
			return true;
		}
	}
	return false;
}

static void parse_when(const struct reading_file *outer, struct condition *c)
{
	static const struct word_kind days = {"a day: Mon, Tue, Wed, Thu, Fri, Sat or Sun", day_at,
					      NULL};
	struct reading_file r;
	struct when *w = &c->when;

	if (!enter(outer, "when", when_keys, COUNT(when_keys), &r))
		return;
	(void)list_each(&r, "days", &days, take_day, &w->days); /* absent: all */
	w->from = parse_minute(&r.scope, "from");
	w->to = parse_minute(&r.scope, "to");
	w->has_hours = w->from >= 0 && w->to >= 0;
	if (!config_setting_get_member(r.scope.group, "from") !=
	    !config_setting_get_member(r.scope.group, "to"))
		scope_error(&r.scope, NULL, "from and to belong together: expected both");
	w->is_local = scope_word(&r.scope, "tz", zones, COUNT(zones), 0) == 1;
	w->not_before = parse_time(&r.scope, "not_before");
	w->not_after = parse_time(&r.scope, "not_after");
}

static void parse_condition(const struct reading_file *r, struct condition *c)
{
	c->local = -1;
	c->salt_max = -1;
	list_acts(r, "what", &c->acts[0]);
	list_acts(r, "not_what", &c->acts[1]);
	parse_who(r, c);
	parse_on(r, c);
	parse_with(r, c);
	parse_when(r, c);
	if (c->bits_min != 0 && c->bits_max != 0 && c->bits_min > c->bits_max)
		scope_error(&r->scope, NULL, "bits_min is %u and bits_max %u: expected a range",
			    c->bits_min, c->bits_max);
}

void parse_rule(const struct reading_file *r, struct rule *rule)
{
	struct reading_file unless;
	size_t mode;

	scope_keys(&r->scope, rule_keys, COUNT(rule_keys));
	rule->line = settings_line(r->scope.group);
	rule->id = scope_string(&r->scope, "id");
	if (rule->id && (rule->id[0] == '\0' || strlen(rule->id) > 64))
		scope_error(&r->scope, config_setting_get_member(r->scope.group, "id"),
			    "id has %zu bytes: expected 1 to 64", strlen(rule->id));
	rule->is_deny = scope_word(&r->scope, "effect", effects, COUNT(effects), 1) == 1;
	mode = scope_word(&r->scope, "mode", modes, COUNT(modes), 0);
	rule->is_permissive = mode == 1;
	if (rule->is_permissive && !rule->is_deny)
		scope_error(
			&r->scope, config_setting_get_member(r->scope.group, "mode"),
			"mode \"permissive\" has no meaning in a rule that allows: expected it in "
			"one that denies");
	parse_condition(r, &rule->match);
	rule->has_unless = enter(r, "unless", unless_keys, COUNT(unless_keys), &unless);
	if (rule->has_unless)
		parse_condition(&unless, &rule->unless);
	rule->is_off = mode == 2;
}

void parse_ceiling(const struct reading_file *r, struct ceiling *c)
{
	scope_keys(&r->scope, ceiling_keys, COUNT(ceiling_keys));
	c->line = settings_line(r->scope.group);
	list_key_types(r, "key", &c->key);
	list_mechanisms(r, "mech", &c->mech);
	list_hashes(r, "hash", &c->hash);
	list_curves(r, "curves", &c->curves);
	list_psets(r, "pset", &c->psets);
	list_acts(r, "ops", &c->acts);
	c->bits_min = scope_unsigned(&r->scope, "min_bits", 1, BITS_MOST, 0);
	c->bits_max = scope_unsigned(&r->scope, "max_bits", 1, BITS_MOST, 0);
	if (c->bits_min != 0 && c->bits_max != 0 && c->bits_min > c->bits_max)
		scope_error(&r->scope, NULL, "min_bits is %u and max_bits %u: expected a range",
			    c->bits_min, c->bits_max);
	if (c->bits_min == 0 && c->bits_max == 0 && !c->curves.is_set && !c->psets.is_set &&
	    c->acts == 0)
		scope_error(&r->scope, NULL,
			    "demands nothing: expected min_bits, max_bits, curves, pset or ops");
}

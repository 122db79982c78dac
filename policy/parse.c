/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy file: its head, its sets, and the loops over ceilings and rules. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/parse_rule.h"
#include "policy/policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct setting_key file_keys[] = {
	{"schema", SETTING_INT, true},        {"name", SETTING_STRING, true},
	{"serial", SETTING_INT, true},        {"issued", SETTING_STRING, false},
	{"not_after", SETTING_STRING, false}, {"on_expiry", SETTING_STRING, false},
	{"mode", SETTING_STRING, false},      {"default", SETTING_STRING, false},
	{"profiles", SETTING_WORDS, false},   {"trust_min", SETTING_STRING, false},
	{"hardening", SETTING_WORDS, false},  {"relax", SETTING_WORDS, false},
	{"cnsa1_grace", SETTING_BOOL, false}, {"sets", SETTING_GROUP, false},
	{"ceiling", SETTING_LIST, false},     {"rules", SETTING_LIST, false},
	{"candidate", SETTING_LATER, false},  {"break_glass", SETTING_LATER, false},
};

static const struct setting_word modes[] = {
	{"enforce", false}, {"permissive", false}, {"off", false}};
static const struct setting_word defaults[] = {{"allow", false}, {"deny", false}};
static const struct setting_word expiries[] = {
	{"warn", false}, {"deny-mutations", false}, {"deny-all", false}};
static const struct setting_word trusts[] = {
	{"self", false}, {"process", false}, {"peer", true}, {"crypto", true}};

/* Longest name: it stands in logs and records. */
#define NAME_MOST 64U

static const char *profile_name_at(size_t i, const void *context)
{
	const struct profile *p = profile_at(i);

	(void)context;
	return p ? p->name : NULL;
}

static bool take_profile(void *out, const char *word)
{
	struct policy *p = out;
	const struct profile *profile = profile_by_name(word);

	for (size_t i = 0; i < p->profile_count; i++) {
		if (p->profiles[i] == profile)
			return true;
	}
	if (profile)
		p->profiles[p->profile_count++] = profile;
	return profile != NULL;
}

static bool take_hardening(void *out, const char *word)
{
	harden_set *set = out;
	harden_set group = strcmp(word, "none") == 0 ? 0 : harden_group(word);

	*set |= group;
	return group != 0 || strcmp(word, "none") == 0;
}

static bool take_relax(void *out, const char *word)
{
	harden_set *set = out;
	harden_set check = harden_by_word(word);

	*set |= check;
	return check != 0;
}

static void parse_hardening(const struct reading_file *r, struct policy *p)
{
	static const struct word_kind group = {"a group of hardening checks", harden_group_at,
					       NULL};
	static const struct word_kind check = {"a hardening check (H:...)", harden_word_at, NULL};

	if (!list_each(r, "hardening", &group, take_hardening, &p->hardening))
		p->hardening = harden_default();
	(void)list_each(r, "relax", &check, take_relax, &p->relaxed); /* absent: nothing */
	p->relaxed &= p->hardening;
	p->hardening &= ~p->relaxed;
}

static void parse_name(const struct scope *scope, struct policy *p)
{
	p->name = scope_name(scope, "name");
	if (p->name && strlen(p->name) > NAME_MOST)
		scope_error(scope, config_setting_get_member(scope->group, "name"),
			    "name has %zu bytes: expected at most %u", strlen(p->name), NAME_MOST);
}

static void parse_head(const struct reading_file *r, struct policy *p)
{
	static const struct word_kind profile = {"a profile", profile_name_at, NULL};
	const struct scope *scope = &r->scope;
	long long schema;
	size_t word;

	(void)scope_int(scope, "schema", 1, 1, &schema); /* absent or reported */
	parse_name(scope, p);
	(void)scope_int(scope, "serial", 1, 4294967295LL, &p->serial);
	p->issued = parse_time(scope, "issued");
	p->not_after = parse_time(scope, "not_after");
	if (p->issued != 0 && p->not_after != 0 && p->not_after <= p->issued)
		scope_error(scope, config_setting_get_member(scope->group, "not_after"),
			    "not_after is not after issued: expected a later time");
	word = scope_word(scope, "on_expiry", expiries, COUNT(expiries), EXPIRY_WARN);
	p->on_expiry = (enum policy_expiry)word;
	word = scope_word(scope, "mode", modes, COUNT(modes), POLICY_ENFORCE);
	p->mode = (enum policy_mode)word;
	p->is_default_deny = scope_word(scope, "default", defaults, COUNT(defaults), 0) == 1;
	word = scope_word(scope, "trust_min", trusts, COUNT(trusts), TRUST_SELF);
	p->trust_min = (enum policy_trust)word;
	p->cnsa1_grace = scope_bool(scope, "cnsa1_grace", false);
	(void)list_each(r, "profiles", &profile, take_profile, p); /* absent: none */
	parse_hardening(r, p);
}

/* Sets hold strings, and no other sets. */
static void check_sets(const struct reading_file *r)
{
	int sets = r->sets ? config_setting_length(r->sets) : 0;

	for (int i = 0; i < sets; i++) {
		const config_setting_t *set = config_setting_get_elem(r->sets, (unsigned)i);
		int type = config_setting_type(set);
		bool is_list = type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;

		for (int k = 0; is_list && k < config_setting_length(set); k++) {
			const char *word = config_setting_get_string_elem(set, k);

			if (!word || word[0] == '@')
				is_list = false;
		}
		/* An empty one would make a rule that denies match nothing. */
		if (!is_list || config_setting_length(set) == 0)
			scope_error(&r->scope, set,
				    "set \"%.60s\" is no list of words: expected [ \"...\", ... ]",
				    config_setting_name(set));
	}
}

static void parse_ceilings(const struct reading_file *r, struct policy *p)
{
	const config_setting_t *list = scope_list(&r->scope, "ceiling");

	p->ceilings = scope_array(&r->scope, list, sizeof *p->ceilings, &p->ceiling_count);
	for (size_t i = 0; i < p->ceiling_count; i++) {
		const config_setting_t *group = scope_element(&r->scope, list, i, "ceiling");
		struct reading_file inner = {.sets = r->sets};

		if (!group)
			continue;
		scope_init(&inner.scope, &r->scope, group, "ceiling", "", i + 1);
		parse_ceiling(&inner, &p->ceilings[i]);
	}
}

static void check_id(const struct reading_file *r, const struct policy *p, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (p->rules[i].id && p->rules[k].id && strcmp(p->rules[i].id, p->rules[k].id) == 0)
			scope_error(&r->scope, NULL, "the id is used on line %u: expected another",
				    p->rules[k].line);
	}
}

static void parse_rules(const struct reading_file *r, struct policy *p)
{
	const config_setting_t *list = scope_list(&r->scope, "rules");

	p->rules = scope_array(&r->scope, list, sizeof *p->rules, &p->rule_count);
	for (size_t i = 0; i < p->rule_count; i++) {
		const config_setting_t *group = scope_element(&r->scope, list, i, "rule");
		struct reading_file inner = {.sets = r->sets};

		if (!group)
			continue;
		scope_init(&inner.scope, &r->scope, group, "rule", "id", i + 1);
		parse_rule(&inner, &p->rules[i]);
		check_id(&inner, p, i);
	}
	if (p->rule_count > UINT16_MAX - NUMBER_RULE)
		scope_error(&r->scope, list, "has %zu rules: expected at most %d", p->rule_count,
			    UINT16_MAX - NUMBER_RULE);
}

/* Whether the same question has the same answer at any time. */
static bool is_timeless(const struct policy *p)
{
	if (p->not_after != 0)
		return false;
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *rule = &p->rules[i];
		const struct condition *c[2] = {&rule->match, &rule->unless};

		for (size_t n = 0; n < 2; n++) {
			const struct when *w = &c[n]->when;

			if (w->days != 0 || w->has_hours || w->not_before != 0 ||
			    w->not_after != 0 || c[n]->age_max != 0)
				return false;
		}
	}
	return true;
}

/* Reads an open file; the caller closes it. */
static struct policy *parse_open(struct settings *s)
{
	struct policy *p = calloc(1, sizeof *p);
	struct reading_file r;

	if (!p) {
		settings_error(s, 0, "out of memory");
		return NULL;
	}
	scope_root(&r.scope, s);
	scope_keys(&r.scope, file_keys, COUNT(file_keys));
	r.sets = scope_group(&r.scope, "sets");
	check_sets(&r);
	parse_head(&r, p);
	parse_ceilings(&r, p);
	parse_rules(&r, p);
	p->is_timeless = is_timeless(p);
	policy_finish(p);
	settings_sort(s);
	if (!s->failed)
		return p;
	policy_free(p);
	return NULL;
}

struct policy *policy_parse(const char *file, struct diag *diag)
{
	struct settings s;
	struct policy *p = NULL;

	if (settings_open(&s, file, SETTINGS_POLICY, geteuid(), diag))
		p = parse_open(&s);
	settings_close(&s);
	return p;
}

struct policy *policy_parse_text(const char *text, const char *name, struct diag *diag)
{
	struct settings s;
	struct policy *p = NULL;

	if (settings_open_text(&s, text, name, diag))
		p = parse_open(&s);
	settings_close(&s);
	return p;
}

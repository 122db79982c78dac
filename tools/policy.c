/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux policy list, show, check, diff. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/names.h"
#include "tools/json.h"
#include "tools/policy_load.h"
#include "tools/policy_space.h"
#include "tools/tool.h"

/* What a built-in policy says of itself: the comment at its beginning. */
static void print_comment(const char *text, const char *before)
{
	while (*text == '#') {
		size_t len = strcspn(text, "\n");

		printf("%s%.*s\n", before, (int)(len > 2 ? len - 2 : 0),
		       text + (len > 2 ? 2 : len));
		text += len + (text[len] == '\n' ? 1 : 0);
	}
}

static void list_json(void)
{
	struct json j = {.out = stdout};
	const char *name;
	const struct profile *p;

	json_object(&j, NULL);
	json_list(&j, "policies");
	for (size_t i = 0; (name = policy_builtin_at(i, NULL)) != NULL; i++)
		json_string(&j, NULL, name);
	json_list_end(&j);
	json_list(&j, "profiles");
	for (size_t i = 0; (p = profile_at(i)) != NULL; i++) {
		json_object(&j, NULL);
		json_string(&j, "name", p->name);
		json_string(&j, "title", p->title);
		json_string(&j, "version", p->version);
		json_object_end(&j);
	}
	json_list_end(&j);
	json_object_end(&j);
	putchar('\n');
}

enum tool_exit tool_policy_list(const struct tool_options *options)
{
	const char *name;
	const struct profile *p;

	if (options->json) {
		list_json();
		return TOOL_YES;
	}
	for (size_t i = 0; (name = policy_builtin_at(i, NULL)) != NULL; i++) {
		printf("%s\n", name);
		print_comment(policy_builtin(name), "    ");
	}
	printf("profiles\n");
	for (size_t i = 0; (p = profile_at(i)) != NULL; i++)
		printf("    %-9s %s (%s)\n", p->name, p->title, p->version);
	return TOOL_YES;
}

enum tool_exit tool_policy_check(const struct tool_options *options)
{
	enum tool_exit code = TOOL_YES;

	for (size_t i = 0; i < options->word_count; i++) {
		struct policy *p = tool_policy_load(options->words[i]);

		if (!p)
			code = TOOL_NO;
		else if (!options->json)
			printf("%s: policy %s, serial %lld: %zu rules, no errors\n",
			       options->words[i], p->name, p->serial, p->rule_count);
		policy_free(p);
	}
	return code;
}

static const char *mode_word(enum policy_mode mode)
{
	static const char *const words[] = {"enforce", "permissive", "off"};

	return words[mode];
}

static void show_hardening(const struct policy *p)
{
	printf("hardening:\n");
	for (unsigned i = 0; i < HARDEN_COUNT; i++)
		printf("    %-7s %-20s %-11s %s [%s]\n",
		       p->hardening & HARDEN_BIT(i) ? "on"
		       : p->relaxed & HARDEN_BIT(i) ? "RELAXED"
						    : "off",
		       harden_word(i), harden_group_word(i), harden_text(i), harden_source(i));
}

static void show_profile(const struct profile *p)
{
	printf("profile %s: %s (%s)\n", p->name, p->title, p->version);
	for (size_t i = 0; i < p->count; i++) {
		const struct profile_cell *c = &p->cells[i];
		char size[24] = "";

		if (c->least != 0 && c->most != 0)
			(void)snprintf(size, sizeof size, " %u-%u", c->least, c->most);
		else if (c->least != 0)
			(void)snprintf(size, sizeof size, " %u", c->least);
		printf("    %-7s%-10s %s", profile_verdict_word(c->verdict), size,
		       aspect_text(c->aspect));
		if (c->from[0] != '\0')
			printf(", from %s", c->from);
		if (c->until[0] != '\0')
			printf(", until %s", c->until);
		printf(" [%s; %s%s]\n", c->source,
		       c->reviewed[0] != '\0' ? "reviewed " : "not reviewed", c->reviewed);
	}
}

static void show_text(const struct policy *p)
{
	printf("policy %s, serial %lld: mode %s, default %s\n", p->name, p->serial,
	       mode_word(p->mode), p->is_default_deny ? "deny" : "allow");
	show_hardening(p);
	for (size_t i = 0; i < p->profile_count; i++)
		show_profile(p->profiles[i]);
	printf("ceilings: %zu\n", p->ceiling_count);
	for (size_t i = 0; i < p->rule_count; i++)
		printf("rule %s (line %u): %s%s\n", p->rules[i].id, p->rules[i].line,
		       p->rules[i].is_deny ? "deny" : "allow",
		       p->rules[i].is_off          ? ", off"
		       : p->rules[i].is_permissive ? ", permissive"
						   : "");
}

static void show_json(const struct policy *p)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_string(&j, "name", p->name);
	json_number(&j, "serial", (unsigned long)p->serial);
	json_string(&j, "mode", mode_word(p->mode));
	json_string(&j, "default", p->is_default_deny ? "deny" : "allow");
	json_list(&j, "hardening");
	for (unsigned i = 0; i < HARDEN_COUNT; i++)
		if (p->hardening & HARDEN_BIT(i))
			json_string(&j, NULL, harden_word(i));
	json_list_end(&j);
	json_list(&j, "profiles");
	for (size_t i = 0; i < p->profile_count; i++)
		json_string(&j, NULL, p->profiles[i]->name);
	json_list_end(&j);
	json_list(&j, "rules");
	for (size_t i = 0; i < p->rule_count; i++) {
		json_object(&j, NULL);
		json_string(&j, "id", p->rules[i].id);
		json_string(&j, "effect", p->rules[i].is_deny ? "deny" : "allow");
		json_number(&j, "line", p->rules[i].line);
		json_object_end(&j);
	}
	json_list_end(&j);
	json_object_end(&j);
	putchar('\n');
}

static void print_keys(const struct space_line *line, unsigned which)
{
	for (unsigned i = 0; line->keys[i]; i++)
		if (which >> i & 1)
			printf(" %s%s", line->keys[i], line->warned >> i & 1 ? "(deprecated)" : "");
}

/* "CKM_RSA_PKCS sign: 2048 3072 4096" */
static void print_line(const struct space_line *lines, size_t count, void *context)
{
	(void)count;
	(void)context;
	printf("%s %s:", lines[0].mech, act_word(lines[0].act));
	print_keys(&lines[0], lines[0].allowed);
	printf("%s\n", lines[0].allowed == 0 ? " -" : "");
}

enum tool_exit tool_policy_show(const struct tool_options *options)
{
	struct policy *p = tool_policy_load(options->words[0]);
	const struct policy *all[1] = {p};
	int64_t now;

	if (!p)
		return TOOL_NO;
	if (!tool_policy_day(options, &now)) {
		policy_free(p);
		return TOOL_USAGE;
	}
	if (options->table)
		space_walk(all, 1, now, print_line, NULL);
	else if (options->json)
		show_json(p);
	else
		show_text(p);
	policy_free(p);
	return TOOL_YES;
}

/* What `diff` prints into, and whether there was anything. */
struct difference {
	struct json *json; /* NULL: text */
	bool is_any;
};

static void list_keys(struct json *j, const char *key, const struct space_line *line,
		      unsigned which)
{
	json_list(j, key);
	for (unsigned i = 0; line->keys[i]; i++)
		if (which >> i & 1)
			json_string(j, NULL, line->keys[i]);
	json_list_end(j);
}

static void print_difference(const struct space_line *lines, size_t count, void *context)
{
	struct difference *d = context;
	unsigned gone = lines[0].allowed & ~lines[1].allowed;
	unsigned come = lines[1].allowed & ~lines[0].allowed;

	(void)count;
	if (gone == 0 && come == 0)
		return;
	d->is_any = true;
	if (d->json) {
		json_object(d->json, NULL);
		json_string(d->json, "mechanism", lines[0].mech);
		json_string(d->json, "operation", act_word(lines[0].act));
		list_keys(d->json, "only_first", &lines[0], gone);
		list_keys(d->json, "only_second", &lines[1], come);
		json_object_end(d->json);
		return;
	}
	printf("%s %s:", lines[0].mech, act_word(lines[0].act));
	if (gone != 0) {
		printf(" -");
		print_keys(&lines[0], gone);
	}
	if (come != 0) {
		printf(" +");
		print_keys(&lines[1], come);
	}
	putchar('\n');
}

static void diff(const struct policy *const both[2], int64_t now, struct difference *d)
{
	if (!d->json) {
		space_walk(both, 2, now, print_difference, d);
		return;
	}
	json_list(d->json, NULL);
	space_walk(both, 2, now, print_difference, d);
	json_list_end(d->json);
	putchar('\n');
}

enum tool_exit tool_policy_diff(const struct tool_options *options)
{
	struct policy *a = tool_policy_load(options->words[0]);
	struct policy *b = tool_policy_load(options->words[1]);
	struct json j = {.out = stdout};
	struct difference d = {options->json ? &j : NULL, false};
	enum tool_exit code = TOOL_NO;
	int64_t now;

	if (a && b && tool_policy_day(options, &now)) {
		const struct policy *const both[2] = {a, b};

		diff(both, now, &d);
		code = d.is_any ? TOOL_NO : TOOL_YES;
	} else if (a && b) {
		code = TOOL_USAGE;
	}
	policy_free(a);
	policy_free(b);
	return code;
}

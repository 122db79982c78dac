/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux policy test: a file of questions and the answers that are expected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/names.h"
#include "core/base/scope.h"
#include "tools/json.h"
#include "tools/policy_load.h"
#include "tools/policy_question.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct setting_key file_keys[] = {{"tests", SETTING_LIST, true}};

static const struct setting_key test_keys[] = {
	{"name", SETTING_STRING, true},   {"what", SETTING_STRING, true},
	{"expect", SETTING_STRING, true}, {"rule", SETTING_STRING, false},
	{"code", SETTING_STRING, false},  {"mech", SETTING_STRING, false},
	{"hash", SETTING_STRING, false},  {"mgf", SETTING_STRING, false},
	{"kdf", SETTING_STRING, false},   {"iv", SETTING_STRING, false},
	{"salt", SETTING_INT, false},     {"iterations", SETTING_INT, false},
	{"key", SETTING_STRING, false},   {"class", SETTING_STRING, false},
	{"label", SETTING_STRING, false}, {"id", SETTING_STRING, false},
	{"token", SETTING_STRING, false}, {"user", SETTING_STRING, false},
	{"uid", SETTING_INT, false},      {"exe", SETTING_STRING, false},
	{"unit", SETTING_STRING, false},  {"cgroup", SETTING_STRING, false},
	{"role", SETTING_STRING, false},  {"app", SETTING_STRING, false},
	{"as_of", SETTING_STRING, false}, {"template", SETTING_LIST, false},
};

static const struct setting_word expectations[] = {
	{"allow", false}, {"warn", false}, {"deny", false}, {"would-deny", false}};

/* What is counted, and how it is told. */
struct run {
	const struct policy *policy;
	struct json *json; /* NULL: text */
	size_t passed, failed;
};

/* A string of the test, borrowed from the file; NULL when absent. */
static const char *text(const struct scope *scope, const char *key)
{
	const char *value = NULL;

	(void)config_setting_lookup_string(scope->group, key, &value); /* absent: stays NULL */
	return value;
}

static void read_question(const struct scope *scope, struct question *q)
{
	const config_setting_t *template = scope_list(scope, "template");

	*q = (struct question){
		.act = text(scope, "what"),
		.mech = text(scope, "mech"),
		.hash = text(scope, "hash"),
		.mgf = text(scope, "mgf"),
		.kdf = text(scope, "kdf"),
		.iv = text(scope, "iv"),
		.salt = -1,
		.key = text(scope, "key"),
		.class = text(scope, "class"),
		.label = text(scope, "label"),
		.id = text(scope, "id"),
		.token = text(scope, "token"),
		.user = text(scope, "user"),
		.exe = text(scope, "exe"),
		.unit = text(scope, "unit"),
		.cgroup = text(scope, "cgroup"),
		.role = text(scope, "role"),
		.app_label = text(scope, "app"),
		.uid = -1,
		.as_of = text(scope, "as_of"),
	};
	(void)scope_int(scope, "salt", 0, 65536, &q->salt);                /* absent: stays */
	(void)scope_int(scope, "iterations", 1, 1L << 40, &q->iterations); /* absent: 0 */
	(void)scope_int(scope, "uid", 0, UINT32_MAX, &q->uid);             /* absent: stays */
	for (int i = 0; template && i < config_setting_length(template) && i < QUESTION_ATTRS;
	     i++) {
		const char *attr = config_setting_get_string_elem(template, i);

		if (attr)
			q->attrs[q->attr_count++] = attr;
		else
			scope_error(scope, template, "template: expected strings in the list");
	}
}

static const char *answer_of(const struct verdict *v)
{
	if (!v->is_allowed)
		return "deny";
	if (v->would_deny)
		return "would-deny";
	return v->is_warned ? "warn" : "allow";
}

/* What differs from what is expected; empty: nothing. */
static void judge(const struct scope *scope, const struct verdict *v, char out[static 300])
{
	const char *expect = text(scope, "expect"), *rule = text(scope, "rule");
	const char *code = text(scope, "code");
	char name[NAME_MAX_LEN];

	out[0] = '\0';
	/* What is deprecated is allowed. */
	if (strcmp(expect, answer_of(v)) != 0 &&
	    !(strcmp(expect, "allow") == 0 && strcmp(answer_of(v), "warn") == 0))
		(void)snprintf(out, 300, "expected %s, is %s%s%s%s%s", expect, answer_of(v),
			       v->rule ? " by " : "", v->rule ? v->rule : "",
			       v->why[0] != '\0' ? ": " : "", v->why);
	else if (rule && (!v->rule || strcmp(rule, v->rule) != 0))
		(void)snprintf(out, 300, "expected rule %s, is %s", rule,
			       v->rule ? v->rule : "none");
	else if (code && strcmp(code, name_of(NAME_RV, v->code, name)) != 0)
		(void)snprintf(out, 300, "expected %s, is %s", code, name);
}

static void tell(struct run *run, const struct scope *scope, const char *wrong)
{
	const char *name = text(scope, "name");

	run->passed += wrong[0] == '\0' ? 1 : 0;
	run->failed += wrong[0] == '\0' ? 0 : 1;
	if (run->json) {
		json_object(run->json, NULL);
		json_string(run->json, "name", name);
		json_number(run->json, "line", settings_line(scope->group));
		json_bool(run->json, "passed", wrong[0] == '\0');
		json_string(run->json, "why", wrong[0] != '\0' ? wrong : NULL);
		json_object_end(run->json);
	} else if (wrong[0] != '\0') {
		printf("%s:%u: %s: %s\n", scope->settings->file, settings_line(scope->group), name,
		       wrong);
	}
}

static void run_test(struct run *run, const struct scope *scope)
{
	struct answerable *a = malloc(sizeof *a);
	struct question q;
	struct verdict v;
	char wrong[300], why[200];

	scope_keys(scope, test_keys, COUNT(test_keys));
	if (!a || !text(scope, "name") || !text(scope, "expect") || !text(scope, "what")) {
		free(a);
		return; /* reported, but for memory */
	}
	(void)scope_word(scope, "expect", expectations, COUNT(expectations), 0); /* reported */
	read_question(scope, &q);
	if (question_facts(&q, a, why)) {
		policy_explain(run->policy, &a->facts, &v, NULL, NULL);
		judge(scope, &v, wrong);
		tell(run, scope, wrong);
	} else {
		scope_error(scope, NULL, "%s", why);
	}
	free(a);
}

static void run_file(struct run *run, struct settings *s)
{
	struct scope root;
	const config_setting_t *list;

	scope_root(&root, s);
	scope_keys(&root, file_keys, COUNT(file_keys));
	list = scope_list(&root, "tests");
	for (int i = 0; list && i < config_setting_length(list); i++) {
		const config_setting_t *group = scope_element(&root, list, (size_t)i, "test");
		struct scope scope;

		if (!group)
			continue;
		scope_init(&scope, &root, group, "test", "name", (size_t)i + 1);
		run_test(run, &scope);
	}
	settings_sort(s);
}

static void print_sums(const struct run *run)
{
	if (run->json) {
		json_list_end(run->json);
		json_number(run->json, "passed", run->passed);
		json_number(run->json, "failed", run->failed);
		json_object_end(run->json);
		putchar('\n');
		return;
	}
	printf("%zu as expected, %zu not\n", run->passed, run->failed);
}

enum tool_exit tool_policy_test(const struct tool_options *options)
{
	struct policy *policy = tool_policy_load(options->words[0]);
	struct json j = {.out = stdout};
	struct run run = {policy, options->json ? &j : NULL, 0, 0};
	struct diag diag = {0};
	struct settings s;
	enum tool_exit code = TOOL_NO;
	bool ok;

	if (!policy)
		return TOOL_NO;
	ok = settings_open(&s, options->words[1], SETTINGS_DATA, geteuid(), &diag);
	if (ok && run.json) {
		json_object(&j, NULL);
		json_list(&j, "tests");
	}
	if (ok) {
		run_file(&run, &s);
		print_sums(&run);
	}
	if (s.failed)
		tool_print_diag(&diag, "");
	if (!s.failed && run.failed == 0 && run.passed > 0)
		code = TOOL_YES;
	settings_close(&s);
	diag_free(&diag);
	policy_free(policy);
	return code;
}

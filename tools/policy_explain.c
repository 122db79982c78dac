/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux policy explain: what each layer says to one question, what decides, and the smallest change
 * that would turn the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/base/near.h"
#include "tools/json.h"
#include "tools/policy_load.h"
#include "tools/policy_question.h"

/* Words of a question, and where they go. */
static const struct {
	const char *name;
	size_t at;
} words[] = {
#define WORD(name, field)                                                                          \
	{                                                                                          \
		name, offsetof(struct question, field)                                             \
	}
	WORD("mech", mech),   WORD("hash", hash),     WORD("mgf", mgf),     WORD("kdf", kdf),
	WORD("iv", iv),       WORD("key", key),       WORD("class", class), WORD("label", label),
	WORD("id", id),       WORD("token", token),   WORD("user", user),   WORD("exe", exe),
	WORD("unit", unit),   WORD("cgroup", cgroup), WORD("role", role),   WORD("app", app_label),
	WORD("as-of", as_of),
#undef WORD
};

static const struct {
	const char *name;
	size_t at;
} numbers[] = {
#define NUMBER(name, field)                                                                        \
	{                                                                                          \
		name, offsetof(struct question, field)                                             \
	}
	NUMBER("salt", salt),
	NUMBER("iterations", iterations),
	NUMBER("uid", uid),
#undef NUMBER
};

#define WORDS   (sizeof words / sizeof words[0])
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static const char *word_at(size_t i, const void *context)
{
	(void)context;
	if (i < WORDS)
		return words[i].name;
	return i < WORDS + NUMBERS ? numbers[i - WORDS].name : NULL;
}

static bool is_name(const char *text, const char *name, const char **value)
{
	size_t len = strlen(name);

	if (strncmp(text, name, len) != 0 || text[len] != '=')
		return false;
	*value = text + len + 1;
	return true;
}

/* NAME=VALUE of the command line into the question. */
static bool take_word(struct question *q, const char *text)
{
	const char *value;
	char name[24];
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < WORDS; i++) {
		if (is_name(text, words[i].name, &value)) {
			*(const char **)(void *)((char *)q + words[i].at) = value;
			return true;
		}
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		if (is_name(text, numbers[i].name, &value)) {
			*(long long *)(void *)((char *)q + numbers[i].at) =
				strtoll(value, NULL, 10);
			return true;
		}
	}
	if (strncmp(text, "CKA_", 4) == 0 && q->attr_count < QUESTION_ATTRS) {
		q->attrs[q->attr_count++] = text;
		return true;
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)(len < 20 ? len : 20), text);
	value = near_word(name, word_at, NULL);
	fprintf(stderr, "hsmux: \"%.60s\" is no part of a question: %s%s%s\n", text,
		value ? "did you mean \""
		      : "expected NAME=VALUE, as mech=CKM_RSA_PKCS or key=rsa:2048",
		value ? value : "", value ? "=\"?" : "");
	return false;
}

/* Where the steps of a decision are printed. */
struct steps {
	struct json *json; /* NULL: text */
};

static void print_step(void *context, enum policy_layer layer, const char *name, const char *says)
{
	struct steps *s = context;

	if (!s->json) {
		printf("  %-10s %-20s %s\n", policy_layer_word(layer), name, says);
		return;
	}
	json_object(s->json, NULL);
	json_string(s->json, "layer", policy_layer_word(layer));
	json_string(s->json, "name", name);
	json_string(s->json, "says", says);
	json_object_end(s->json);
}

/* Changes of one word that are tried, the smallest first: another size, curve, hash. */
static const struct {
	const char *name;
	const char *values[6];
} changes[] = {
	{"key", {"rsa:2048", "rsa:3072", "rsa:4096", "aes:128", "aes:256"}},
	{"key", {"ec:P-256", "ec:P-384", "ec:P-521", "secret:112", "secret:256"}},
	{"key",
	 {"ml-dsa:ML-DSA-65", "ml-dsa:ML-DSA-87", "ml-kem:ML-KEM-768", "ml-kem:ML-KEM-1024"}},
	{"hash", {"SHA-256", "SHA-384", "SHA-512"}},
	{"iv", {"token"}},
	{"mech",
	 {"CKM_SHA256_RSA_PKCS", "CKM_SHA256_RSA_PKCS_PSS", "CKM_SHA384_RSA_PKCS",
	  "CKM_ECDSA_SHA256", "CKM_ECDSA_SHA384", "CKM_SHA256_HMAC"}},
	{"mech",
	 {"CKM_RSA_PKCS_OAEP", "CKM_AES_GCM", "CKM_AES_CBC_PAD", "CKM_AES_KEY_WRAP_KWP",
	  "CKM_AES_KEY_WRAP"}},
};

/* The same kind of key, another size. */
static bool is_same_kind(const char *name, const char *was, const char *is)
{
	size_t len = strcspn(is, ":");

	return strcmp(name, "key") != 0 || (was && strncmp(was, is, len + 1) == 0);
}

static bool is_allowed(const struct policy *policy, const struct question *q)
{
	struct answerable *a = malloc(sizeof *a);
	struct verdict v = {.is_allowed = false};
	char why[200];

	if (a && question_facts(q, a, why))
		policy_explain(policy, &a->facts, &v, NULL, NULL);
	free(a);
	return v.is_allowed && !v.would_deny;
}

static const char **place_of(struct question *q, const char *name)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strcmp(words[i].name, name) == 0)
			return (const char **)(void *)((char *)q + words[i].at);
	return NULL;
}

/* Attributes that turn a refusal of a template. */
static bool try_attributes(const struct policy *policy, const struct question *q,
			   char out[static 80])
{
	static const char *const wishes[] = {"CKA_SENSITIVE=true", "CKA_EXTRACTABLE=false",
					     "CKA_WRAP=false",     "CKA_UNWRAP=false",
					     "CKA_DECRYPT=false",  "CKA_ENCRYPT=false"};

	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		struct question changed = *q;
		size_t len = strcspn(wishes[i], "=");
		size_t k = 0;

		while (k < q->attr_count && strncmp(q->attrs[k], wishes[i], len + 1) != 0)
			k++;
		if (k == QUESTION_ATTRS)
			continue;
		changed.attrs[k] = wishes[i];
		if (k == q->attr_count)
			changed.attr_count++;
		if (is_allowed(policy, &changed)) {
			(void)snprintf(out, 80, "%s", wishes[i]);
			return true;
		}
	}
	return false;
}

/* The first single change that makes the policy allow it. */
static bool find_change(const struct policy *policy, const struct question *q, char out[static 80])
{
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		for (size_t k = 0; k < 6 && changes[i].values[k]; k++) {
			struct question changed = *q;
			const char **place = place_of(&changed, changes[i].name);

			if (!*place && strcmp(changes[i].name, "hash") != 0 &&
			    strcmp(changes[i].name, "iv") != 0)
				continue;
			if (!is_same_kind(changes[i].name, *place, changes[i].values[k]))
				continue;
			*place = changes[i].values[k];
			if (is_allowed(policy, &changed)) {
				(void)snprintf(out, 80, "%s=%s", changes[i].name,
					       changes[i].values[k]);
				return true;
			}
		}
	}
	return try_attributes(policy, q, out);
}

static void print_verdict(const struct policy *policy, const struct question *q,
			  const struct verdict *v)
{
	char code[NAME_MAX_LEN], change[80];

	if (v->is_allowed) {
		printf("allowed%s%s\n", v->would_deny ? ", would be refused by " : "",
		       v->would_deny ? v->rule : "");
		if (v->is_warned)
			printf("deprecated by profile %s: %s\n", v->warned_by->name,
			       aspect_text(v->warned_about));
		return;
	}
	printf("refused by %s \"%s\": %s\n", policy_layer_word(v->layer), v->rule, v->why);
	printf("the application gets %s, and 0x%08lx in ulDeviceError\n",
	       name_of(NAME_RV, v->code, code), POLICY_DEVICE_ERROR | (unsigned long)v->number);
	if (find_change(policy, q, change))
		printf("allowed with %s\n", change);
}

static void json_verdict(struct json *j, const struct policy *policy, const struct question *q,
			 const struct verdict *v)
{
	char code[NAME_MAX_LEN], change[80];

	json_bool(j, "allowed", v->is_allowed);
	json_bool(j, "would_deny", v->would_deny);
	json_bool(j, "deprecated", v->is_warned);
	json_string(j, "layer", policy_layer_word(v->layer));
	json_string(j, "rule", v->rule);
	json_string(j, "why", v->why);
	json_string(j, "code", name_of(NAME_RV, v->code, code));
	json_number(j, "number", v->number);
	json_string(j, "change", !v->is_allowed && find_change(policy, q, change) ? change : NULL);
}

static enum tool_exit explain(const struct policy *policy, const struct question *q,
			      struct answerable *a, bool is_json)
{
	struct json j = {.out = stdout};
	struct steps steps = {is_json ? &j : NULL};
	struct verdict v;

	if (is_json) {
		json_object(&j, NULL);
		json_string(&j, "policy", policy->name);
		json_list(&j, "steps");
	} else {
		printf("policy %s, serial %lld\n", policy->name, policy->serial);
	}
	policy_explain(policy, &a->facts, &v, print_step, &steps);
	if (is_json) {
		json_list_end(&j);
		json_verdict(&j, policy, q, &v);
		json_object_end(&j);
		putchar('\n');
	} else {
		print_verdict(policy, q, &v);
	}
	return v.is_allowed ? TOOL_YES : TOOL_NO;
}

enum tool_exit tool_policy_explain(const struct tool_options *options)
{
	struct question q = {
		.act = options->words[1], .salt = -1, .uid = -1, .as_of = options->as_of};
	struct answerable *a = malloc(sizeof *a);
	enum tool_exit code = TOOL_USAGE;
	struct policy *policy = NULL;
	char why[200];
	bool ok = a != NULL;

	for (size_t i = 2; ok && i < options->word_count; i++)
		ok = take_word(&q, options->words[i]);
	if (ok && !question_facts(&q, a, why)) {
		fprintf(stderr, "hsmux: %s\n", why);
		ok = false;
	}
	if (ok) {
		policy = tool_policy_load(options->words[0]);
		code = policy ? explain(policy, &q, a, options->json) : TOOL_NO;
	}
	policy_free(policy);
	free(a);
	return code;
}

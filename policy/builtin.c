/* SPDX-License-Identifier: BSD-2-Clause */
/* The built-in policies: the files of conf/policy, compiled in, so that a policy never depends on
 * what is installed where. The table `builtins` is made by embed.sh. */
#include <string.h>

#include "core/base/near.h"
#include "policy/policy.h"

#include "policy/builtin_policies.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *policy_builtin(const char *name)
{
	for (size_t i = 0; i < COUNT(builtins); i++) {
		if (strcmp(builtins[i].name, name) == 0)
			return builtins[i].text;
	}
	return NULL;
}

const char *policy_builtin_at(size_t i, const void *context)
{
	(void)context;
	return i < COUNT(builtins) ? builtins[i].name : NULL;
}

static bool is_file(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') || (len > 5 && strcmp(name + len - 5, ".conf") == 0);
}

struct policy *policy_load(const char *name, struct diag *diag)
{
	const char *text = policy_builtin(name);
	const char *near;

	if (text)
		return policy_parse_text(text, name, diag);
	if (is_file(name))
		return policy_parse(name, diag);
	near = near_word(name, policy_builtin_at, NULL);
	diag_add(diag, NULL, 0, "there is no built-in policy \"%.64s\": %s%s%s", name,
		 near ? "did you mean \"" : "expected one of `hsmux policy list`, or a file",
		 near ? near : "", near ? "\"?" : "");
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading of policies for the command. */
#include "tools/policy_load.h"

#include <stdio.h>
#include <time.h>

#include "policy/profile.h"

struct policy *tool_policy_load(const char *name)
{
	struct diag diag = {0};
	struct policy *p = policy_load(name, &diag);

	if (!p)
		tool_print_diag(&diag, "");
	diag_free(&diag);
	return p;
}

bool tool_policy_day(const struct tool_options *options, int64_t *now)
{
	*now = (int64_t)time(NULL);
	if (!options->as_of || profile_day(options->as_of, now))
		return true;
	fprintf(stderr,
		"hsmux: --as-of \"%.40s\" is no time: expected YYYY-MM-DD or "
		"YYYY-MM-DDThh:mm:ssZ\n",
		options->as_of);
	return false;
}

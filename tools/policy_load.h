/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy commands share. */
#ifndef HSMUX_TOOLS_POLICY_LOAD_H
#define HSMUX_TOOLS_POLICY_LOAD_H

#include "policy/policy.h"
#include "tools/tool.h"

/* The policy of this name or in this file; NULL after its errors on stderr, a line each. The caller
 * owns it. */
struct policy *tool_policy_load(const char *name);

/* The day of --as-of, or now. False after a line on stderr. */
bool tool_policy_day(const struct tool_options *options, int64_t *now);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The finite space of questions to a policy: every mechanism, what it is for, and keys of every
 * usual size; for `policy show --table` and `policy diff`. */
#ifndef HSMUX_TOOLS_POLICY_SPACE_H
#define HSMUX_TOOLS_POLICY_SPACE_H

#include "policy/policy.h"

/* One line of the space: a mechanism used for one act, by an application of which nothing is known,
 * with each key that fits. A key is allowed when its bit is set. */
struct space_line {
	const char *mech;
	enum policy_act act;
	const char *const *keys; /* words of the keys, NULL at the end: "2048", "P-256" */
	unsigned allowed, warned;
};

/* Calls `take` for each line, in the order of the mechanisms' numbers, with what each of `count`
 * policies says on a day (seconds since 1970). */
void space_walk(const struct policy *const *policies, size_t count, int64_t now,
		void (*take)(const struct space_line *lines, size_t count, void *context),
		void *context);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules and ceilings of a policy file, read. Private to parse*.c. */
#ifndef HSMUX_POLICY_PARSE_RULE_H
#define HSMUX_POLICY_PARSE_RULE_H

#include "policy/parse_list.h"

/* Reads one element of `rules`, or of `ceiling`; errors are reported. The caller frees with
 * rule_fini() or ceiling_fini() in any case. */
void parse_rule(const struct reading_file *r, struct rule *rule);
void parse_ceiling(const struct reading_file *r, struct ceiling *ceiling);

/* A time of the file: an RFC 3339 time that ends with Z, or a day; 0 when absent or in error. */
int64_t parse_time(const struct scope *scope, const char *key);

#endif

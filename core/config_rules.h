/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold in a configuration beyond keys and types. Used by config_parse.c and
 * config_tokens.c only. */
#ifndef HSMUX_CORE_CONFIG_RULES_H
#define HSMUX_CORE_CONFIG_RULES_H

#include "core/config.h"
#include "core/base/scope.h"

/* The label of one virtual token: fits CK_TOKEN_INFO and can be found again. */
void config_rules_token(const struct scope *scope, const struct config_token *t);

/* How one member selects its real token. */
void config_rules_member(const struct scope *scope, const struct config_member *m);

/* How many members a mode wants, and what they are for. */
void config_rules_members(const struct scope *scope, const struct config_token *t);

/* Replication: where it is possible, and what the KEK is called. */
void config_rules_replicate(const struct scope *scope, const struct config_token *t);

/* The policy: a built-in one, or an absolute path. What the file says is not looked at here. */
void config_rules_policy(const struct scope *scope, const struct config_token *t);

/* The pauses of `health`, one against the other. */
void config_rules_health(const struct scope *scope, const struct config *c);

/* Where the state and the journals are kept: absolute paths. */
void config_rules_state(const struct scope *scope, const struct config *c);

/* What must differ between modules, tokens and members. Entries that are already in error have NULL
 * names and are passed over. */
void config_rules_check(struct settings *s, const struct config *c);

/* The names of all modules, comma separated, for messages; returns `out`. */
const char *config_rules_modules(const struct config *c, char *out, size_t out_len);

#endif

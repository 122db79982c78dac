/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual tokens of hsmux.conf and their members. Used by config_parse.c only. */
#ifndef HSMUX_CORE_CONFIG_TOKENS_H
#define HSMUX_CORE_CONFIG_TOKENS_H

#include "core/config.h"
#include "core/base/scope.h"

/* Reads the list `tokens` of the file into `c`, whose modules were read before. What is wrong is
 * reported; the entries in error may be incomplete. */
void config_tokens_read(const struct scope *root, struct config *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A member in the output of `hsmux status`. */
#ifndef HSMUX_TOOLS_STATUS_PRINT_H
#define HSMUX_TOOLS_STATUS_PRINT_H

#include "core/config.h"
#include "core/member.h"
#include "tools/json.h"
#include "tools/status_facts.h"

/* Prints one member as text, with a line for what processes say, or one for each of them. */
void status_print_member(const struct config *c, const struct member *m, const struct facts *f);

/* The same as JSON. */
void status_json_member(struct json *j, const struct config *c, const struct member *m,
			const struct facts *f);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ways were found to work between which makes. */
#ifndef HSMUX_CORE_CARRY_MEMORY_H
#define HSMUX_CORE_CARRY_MEMORY_H

#include <stdbool.h>

#include "core/carry.h"
#include "core/carry_ways.h"

/* Room for the name of a pair. */
#define CARRY_PAIR 256

/* A name for two members and a kind: manufacturers, models, versions of firmware and library, so
 * that a member with other firmware is another. False when one was never reached. */
bool carry_pair(struct member *from, struct member *to, enum carry_kind kind,
		char pair[static CARRY_PAIR]);

/* What is remembered of the pair, in this process or in the journal directory of the configuration.
 * CARRY_NO_WAY with true: that there is none. False: nothing is. */
bool carry_memory_find(const struct config *conf, const char *pair, int *way);

/* Remembers. That there is no way is remembered in this process only: a KEK may come. */
void carry_memory_put(const struct config *conf, const char *pair, int way);

/* Forgets what is remembered in this process. */
void carry_memory_forget(bool is_forked);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of core/intent.c share: a virtual token with a journal in a directory of the
 * test's own. */
#ifndef HSMUX_TESTS_UNIT_CORE_INTENT_WORLD_H
#define HSMUX_TESTS_UNIT_CORE_INTENT_WORLD_H

#include <stdbool.h>

#include "core/intent.h"

/* The directory, the file, and the reason of the last failure. */
extern char intent_dir[200];
extern char intent_path[500];
extern char intent_why[1500];

/* Begins with an empty directory and the members of trio.h; ends. */
void intent_begin(void);
void intent_end(void);

/* Opens it, waiting so long; NULL with intent_why. */
struct intents *intent_try(long long wait_ms);

/* Opens it; the test ends when that fails. */
struct intents *intent_open(void);

/* intents_begin() and intents_commit() with this text. */
bool intent_start(struct intents *all, const char *tag, enum intent_kind kind, unsigned owed,
		  const char *text);
bool intent_decide(struct intents *all, const char *tag, unsigned owed, const char *text);

/* Whether an intent is this one. */
bool intent_is(const struct intent *i, const char *tag, bool is_committed, unsigned owed,
	       const char *text);

/* A process writes one thing at each stage and is killed: 9 lines. */
void intent_leave_work(void);

#endif

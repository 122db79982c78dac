/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes wrong with the members: one is away and comes back, fails once, loses its sessions or
 * its login; and what has to be seen nevertheless. */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/faulty.h"
#include "tests/scenario/replicate_random.h"

#define COUNT(list) ((unsigned)(sizeof(list) / sizeof((list)[0])))

static unsigned gone_count(const struct world *w)
{
	return (unsigned)__builtin_popcount(atomic_load(&w->gone));
}

static bool is_gone(const struct world *w, unsigned i)
{
	return atomic_load(&w->gone) & 1U << i;
}

bool promises_sight(const struct world *w)
{
	switch (w->rule) {
	case RULE_ALL:
		return gone_count(w) < MEMBERS;
	case RULE_MAJORITY:
		return gone_count(w) < 2;
	case RULE_FIRST:
		break;
	}
	return atomic_load(&w->was_calm);
}

static void plan(struct world *w, unsigned i, const char *text)
{
	if (strcmp(w->faulty[i], text) == 0)
		return;
	(void)snprintf(w->faulty[i], sizeof(w->faulty[i]), "%s", text);
	if (text[0])
		atomic_store(&w->was_calm, false);
	plan_write(w->plan[i], text);
	fprintf(stderr, "= step %u: member %u: \"%s\"\n", atomic_load(&w->step), i, text);
	atomic_fetch_add(&w->changes, 1);
}

void harm_none(struct world *w)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		plan(w, i, "");
	atomic_store(&w->gone, 0);
	atomic_store(&w->may_be_killed, false);
}

/* Not more than the rule is for; two of a majority now and then, when nothing can be done. */
static bool may_go(const struct world *w, struct lane *lane)
{
	return gone_count(w) == 0 || (gone_count(w) == 1 && w->rule == RULE_ALL) ||
	       (gone_count(w) == 1 && w->rule == RULE_MAJORITY && any(lane, 4) == 0);
}

static void go(struct world *w, struct lane *lane, unsigned i)
{
	static const char *const ways[] = {"state gone CKR_DEVICE_REMOVED",
					   "state gone CKR_CRYPTOKI_NOT_INITIALIZED",
					   "state removed", "state polite CKR_GENERAL_ERROR"};

	if (!may_go(w, lane))
		return;
	atomic_fetch_or(&w->gone, 1U << i);
	plan(w, i, ways[any(lane, COUNT(ways))]);
}

/* Strikes once, at some call; one member at a time. */
static void strike(struct world *w, struct lane *lane, unsigned i, const char *action)
{
	static const char *const what[] = {"*", "*", "*", "object", "find", "crypto"};
	char text[80];

	for (unsigned k = 0; k < MEMBERS; k++)
		if (!is_gone(w, k))
			plan(w, k, "");
	(void)snprintf(text, sizeof(text), "%s nth %u %s", what[any(lane, COUNT(what))],
		       1 + any(lane, 50), action);
	plan(w, i, text);
}

static unsigned choose(const struct world *w, struct lane *lane)
{
	return w->rule == RULE_FIRST ? w->victim : any(lane, MEMBERS);
}

void harm_any(struct world *w, struct lane *lane)
{
	static const char *const how[] = {"CKR_DEVICE_ERROR", "after CKR_DEVICE_ERROR",
					  "CKR_FUNCTION_FAILED", "lose-sessions", "log-out"};
	const unsigned i = choose(w, lane);

	if (is_gone(w, i)) {
		atomic_fetch_and(&w->gone, ~(1U << i));
		plan(w, i, "");
	} else if (any(lane, 2) == 0) {
		go(w, lane, i);
	} else {
		strike(w, lane, i, how[any(lane, COUNT(how))]);
	}
}

void harm_callers(struct world *w, struct lane *lane)
{
	const unsigned i = choose(w, lane);

	if (is_gone(w, i))
		return;
	atomic_store(&w->may_be_killed, true);
	strike(w, lane, i, any(lane, 2) ? "kill" : "after kill");
}

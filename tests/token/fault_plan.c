/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the fault token's plan. The grammar and its words are hsmux-fault(7).
 *
 * A plan that cannot be understood must not pass for one without faults: whoever rehearses a
 * failure would believe that it was survived. So every word is checked, and the message lists the
 * words that would have been right. Nothing here is shared; the caller has the lock. */
#include "tests/token/fault_plan.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"

#define ACTION_WORDS                                                                               \
	"CODE, after CODE, after kill, delay MILLISECONDS, hang, kill, log-out, "                  \
	"or lose-sessions"
#define CODE_WORDS "the name or the number of a code, such as CKR_DEVICE_ERROR or 0x30"

/* The words of a line that are still to be read, and what was expected where reading stopped. */
struct reader {
	char *rest;
	char *wanted;
	size_t wanted_len;
};

/* Calls that are named together. */
struct call_group {
	const char *name;
	struct {
		enum token_call first;
		enum token_call last;
	} ranges[4]; /* ends with one that begins at 0 */
};

static const struct call_group call_groups[] = {
	{"*", {{CALL_Initialize, CALL_MessageVerifyFinal}}},
	{"session", {{CALL_OpenSession, CALL_GetSessionInfo}}},
	{"login", {{CALL_Login, CALL_Logout}, {CALL_LoginUser, CALL_LoginUser}}},
	{"object", {{CALL_CreateObject, CALL_SetAttributeValue}}},
	{"find", {{CALL_FindObjectsInit, CALL_FindObjectsFinal}}},
	{"crypto",
	 {{CALL_EncryptInit, CALL_DeriveKey}, {CALL_MessageEncryptInit, CALL_MessageVerifyFinal}}},
	{"message", {{CALL_MessageEncryptInit, CALL_MessageVerifyFinal}}},
};

static const char *const call_names[CALL_COUNT] = {TOKEN_CALLS(TOKEN_CALL_NAME)};

const char *fault_call_name(enum token_call call)
{
	return call_names[call];
}

static bool expected(struct reader *r, const char *what)
{
	(void)snprintf(r->wanted, r->wanted_len, "%s", what); /* a cut sentence is still one */
	return false;
}

/* The next word; NULL at the end of the line. */
static const char *word(struct reader *r)
{
	const char *next;

	do
		next = strsep(&r->rest, " \t");
	while (next && !*next);
	return next;
}

static bool number(struct reader *r, unsigned long least, unsigned long *n, const char *what)
{
	const char *text = word(r);
	char *end = NULL;

	errno = 0;
	*n = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
	if (!end || *end || errno || *n < least)
		return expected(r, what);
	return true;
}

static bool code(struct reader *r, unsigned long *value)
{
	const char *text = word(r);

	if (!text || !name_value(NAME_RV, text, value) || *value == CKR_OK)
		return expected(r, CODE_WORDS);
	return true;
}

/* Milliseconds, with a fraction if need be, as microseconds. */
static bool duration(struct reader *r, unsigned long *us)
{
	const char *text = word(r);
	char *end = NULL;
	double ms = text ? strtod(text, &end) : -1;

	if (!end || end == text || *end || !isfinite(ms) || ms < 0 || ms > 86400000)
		return expected(r, "milliseconds after 'delay', at most a day of them");
	*us = (unsigned long)(ms * 1000);
	return true;
}

static bool group_read(const char *name, struct fault_rule *rule)
{
	for (size_t i = 0; i < sizeof(call_groups) / sizeof(call_groups[0]); i++) {
		const struct call_group *g = &call_groups[i];

		if (strcmp(g->name, name) != 0)
			continue;
		for (unsigned k = 0; k < 4 && (k == 0 || g->ranges[k].first); k++)
			for (unsigned c = g->ranges[k].first; c <= g->ranges[k].last; c++)
				rule->covers[c] = true;
		return true;
	}
	return false;
}

static bool function_read(struct reader *r, const char *name, struct fault_rule *rule)
{
	for (unsigned i = 0; i < CALL_COUNT; i++)
		if (strcmp(call_names[i], name) == 0)
			return rule->covers[i] = true;
	if (group_read(name, rule))
		return true;
	return expected(r, "'state', a function such as C_Sign, or one of the groups * session "
			   "login object find crypto message");
}

static bool when_read(struct reader *r, struct fault_rule *rule)
{
	static const char *const words[] = {"all", "nth", "from", "every", "random"};
	const char *name = word(r);
	unsigned i = 0;

	while (name && i < 5 && strcmp(name, words[i]) != 0)
		i++;
	if (!name || i == 5)
		return expected(r, "all, nth N, from N, every N, or random PERCENT SEED");
	rule->when = (enum fault_when)i;
	if (rule->when == FAULT_ALL)
		return true;
	if (rule->when != FAULT_RANDOM)
		return number(r, 1, &rule->n, "a number from 1 on after nth, from, every");
	if (!number(r, 0, &rule->n, "a percentage after 'random'"))
		return false;
	if (rule->n > 100)
		return expected(r, "a percentage up to 100 after 'random'");
	return number(r, 0, &rule->seed, "a number to begin with (the seed) after the percentage");
}

/* What follows `after`. */
static bool after_read(struct reader *r, struct fault_rule *rule)
{
	const char *rest = r->rest ? r->rest + strspn(r->rest, " \t") : "";

	if (strncmp(rest, "kill", 4) != 0) {
		rule->action = FAULT_AFTER;
		return code(r, &rule->value);
	}
	rule->action = FAULT_AFTER_KILL;
	return strcmp(word(r), "kill") == 0 || expected(r, "CODE or kill after 'after'");
}

static bool action_read(struct reader *r, struct fault_rule *rule)
{
	static const struct {
		const char *name;
		enum fault_action action;
	} words[] = {
		{"after", FAULT_AFTER},
		{"delay", FAULT_DELAY},
		{"hang", FAULT_HANG},
		{"kill", FAULT_KILL},
		{"lose-sessions", FAULT_LOSE_SESSIONS},
		{"log-out", FAULT_LOG_OUT},
	};
	char *before = r->rest;
	char name[16] = "";

	if (!before || sscanf(before, "%15s", name) != 1)
		return expected(r, ACTION_WORDS);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(name, words[i].name) != 0)
			continue;
		(void)word(r); /* this one */
		rule->action = words[i].action;
		if (rule->action == FAULT_AFTER)
			return after_read(r, rule);
		return rule->action != FAULT_DELAY || duration(r, &rule->value);
	}
	rule->action = FAULT_ANSWER;
	return code(r, &rule->value);
}

/* The words after `state`. */
static bool state_read(struct reader *r, struct fault_plan *plan)
{
	const char *name = word(r);

	if (!name)
		name = "";
	if (strcmp(name, "gone") == 0)
		return code(r, &plan->gone);
	if (strcmp(name, "polite") == 0)
		return code(r, &plan->polite);
	if (strcmp(name, "removed") == 0)
		return plan->is_removed = true;
	if (strcmp(name, "renumber") == 0)
		return plan->renumbers = true;
	if (strcmp(name, "lose-sessions") == 0)
		return plan->loses_sessions = true;
	if (strcmp(name, "logged-out") == 0)
		return plan->logs_out = true;
	if (strcmp(name, "uninitialised") == 0)
		return plan->uninitialises = true;
	if (strcmp(name, "sessions") == 0) {
		plan->has_session_limit = true;
		return number(r, 0, &plan->sessions, "a number of sessions");
	}
	if (strcmp(name, "busy") == 0)
		return number(r, 0, &plan->busy_calls, "a number of calls, and a code") &&
		       code(r, &plan->busy_code);
	if (strcmp(name, "pin-tries") == 0)
		return number(r, 1, &plan->pin_tries, "a number of wrong PINs from 1 on");
	return expected(r, "gone CODE, polite CODE, removed, renumber, lose-sessions, logged-out, "
			   "uninitialised, sessions N, busy N CODE, or pin-tries N");
}

static bool rule_read(struct reader *r, const char *name, struct fault_plan *plan)
{
	struct fault_rule rule = {0};

	if (!function_read(r, name, &rule) || !when_read(r, &rule) || !action_read(r, &rule))
		return false;
	if (plan->rule_count == FAULT_RULES_MAX)
		return expected(r, "no more than 64 lines");
	plan->rules[plan->rule_count++] = rule;
	return true;
}

bool fault_plan_add(struct fault_plan *plan, const char *line, char *wanted, size_t wanted_len)
{
	char copy[256];
	struct reader r = {.rest = copy, .wanted = wanted, .wanted_len = wanted_len};
	const char *first;
	int len = snprintf(copy, sizeof(copy), "%s", line);

	if (len < 0 || (size_t)len >= sizeof(copy))
		return expected(&r, "lines of less than 256 bytes");
	copy[strcspn(copy, "#\r\n")] = '\0';
	first = word(&r);
	if (!first)
		return true;
	if (strcmp(first, "state") == 0 ? !state_read(&r, plan) : !rule_read(&r, first, plan))
		return false;
	return !word(&r) || expected(&r, "the end of the line");
}

/* The same sequence for the same seed: splitmix64. */
static uint64_t scrambled(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

bool fault_rule_fits(struct fault_rule *rule, enum token_call call)
{
	if (!rule->covers[call])
		return false;
	rule->seen++;
	switch (rule->when) {
	case FAULT_ALL:
		return true;
	case FAULT_NTH:
		return rule->seen == rule->n;
	case FAULT_FROM:
		return rule->seen >= rule->n;
	case FAULT_EVERY:
		return rule->seen % rule->n == 0;
	case FAULT_RANDOM:
		return scrambled(scrambled(rule->seed) + rule->seen) % 100 < rule->n;
	}
	return false;
}

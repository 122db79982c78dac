/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of the fault token's plan: those that mean something, and what is said about those that
 * do not. Writes TAP. */
#include <stdio.h>
#include <string.h>

#include "tests/token/fault_plan.h"

static unsigned count;

static void result(bool is_good, const char *sentence)
{
	printf("%sok %u - %s\n", is_good ? "" : "not ", ++count, sentence);
}

static bool understood(void)
{
	static const char *const lines[] = {
		"",
		"  # only a comment\n",
		"C_Sign all CKR_DEVICE_ERROR\n",
		"* nth 3 0x30 # the third",
		"crypto from 2 after CKR_DEVICE_REMOVED",
		"session every 10 delay 0.5",
		"find random 5 42 0xffffffffffffffff",
		"login all CKR_PIN_INCORRECT",
		"object all hang",
		"* nth 7 kill",
		"* nth 7 after  kill # with the work done",
		"* nth 7 lose-sessions",
		"* nth 7 log-out",
		"message all CKR_GENERAL_ERROR",
		"\tstate   gone  CKR_TOKEN_NOT_PRESENT\r\n",
		"state polite CKR_GENERAL_ERROR",
		"state removed",
		"state renumber",
		"state lose-sessions",
		"state logged-out",
		"state uninitialised",
		"state sessions 0",
		"state busy 2 CKR_OPERATION_ACTIVE",
		"state pin-tries 3",
	};
	bool is_good = true;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		static struct fault_plan p;
		char wanted[160] = "";

		if (fault_plan_add(&p, lines[i], wanted, sizeof(wanted)))
			continue;
		printf("#   '%s': expected %s\n", lines[i], wanted);
		is_good = false;
	}
	return is_good;
}

/* Lines that mean nothing, and a word of what should be there. */
static bool not_understood(void)
{
	static const struct {
		const char *line;
		const char *wanted;
	} lines[] = {
		{"C_Singe all hang", "crypto"},
		{"C_Sign sometimes hang", "every N"},
		{"C_Sign nth 0 hang", "from 1 on"},
		{"C_Sign nth x hang", "from 1 on"},
		{"C_Sign random 101 1 hang", "100"},
		{"C_Sign random 50 hang", "seed"},
		{"C_Sign all CKR_SOMETHING", "0x30"},
		{"C_Sign all CKR_OK", "0x30"},
		{"C_Sign all", "hang"},
		{"C_Sign all after", "0x30"},
		{"C_Sign all after killing", "kill"},
		{"C_Sign all killing", "0x30"},
		{"C_Sign all kill me", "end of the line"},
		{"C_Sign all delay soon", "milliseconds"},
		{"C_Sign all hang on", "end of the line"},
		{"state", "removed"},
		{"state ill", "removed"},
		{"state busy 3", "0x30"},
		{"state sessions few", "number of sessions"},
		{"state pin-tries 0", "wrong PINs"},
	};
	bool is_good = true;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		static struct fault_plan p;
		char wanted[160] = "";

		if (!fault_plan_add(&p, lines[i].line, wanted, sizeof(wanted)) &&
		    strstr(wanted, lines[i].wanted))
			continue;
		printf("#   '%s': '%s'\n", lines[i].line, wanted);
		is_good = false;
	}
	return is_good;
}

/* A plan has room for 64 rules; a 65th must not be lost without a word. */
static bool too_many(void)
{
	static struct fault_plan p;
	char wanted[160] = "";

	for (unsigned i = 0; i < FAULT_RULES_MAX; i++)
		if (!fault_plan_add(&p, "C_Sign nth 1 hang", wanted, sizeof(wanted)))
			return false;
	return !fault_plan_add(&p, "C_Sign nth 1 hang", wanted, sizeof(wanted)) &&
	       fault_plan_add(&p, "state removed", wanted, sizeof(wanted));
}

/* One count for all functions that a line covers. */
static bool counted_together(void)
{
	static struct fault_plan p;
	char wanted[160] = "";
	struct fault_rule *r = &p.rules[0];

	return fault_plan_add(&p, "* nth 3 kill", wanted, sizeof(wanted)) &&
	       r->action == FAULT_KILL && !fault_rule_fits(r, CALL_OpenSession) &&
	       !fault_rule_fits(r, CALL_Sign) && fault_rule_fits(r, CALL_GetTokenInfo) &&
	       !fault_rule_fits(r, CALL_Sign);
}

int main(void)
{
	result(understood(), "every word of the plan is understood");
	result(not_understood(),
	       "what is not understood is refused, and the right words are named");
	result(counted_together(), "the calls of several functions are counted together");
	result(too_many(), "a plan with too many rules is refused");
	printf("1..%u\n", count);
	return 0;
}

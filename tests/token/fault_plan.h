/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token's plan: what goes wrong, and when. hsmux-fault(7) explains the words. */
#ifndef HSMUX_TESTS_TOKEN_FAULT_PLAN_H
#define HSMUX_TESTS_TOKEN_FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "tests/token/calls.h"

#define FAULT_RULES_MAX 64

enum fault_when { FAULT_ALL, FAULT_NTH, FAULT_FROM, FAULT_EVERY, FAULT_RANDOM };
enum fault_action {
	FAULT_ANSWER,
	FAULT_AFTER,
	FAULT_DELAY,
	FAULT_HANG,
	FAULT_KILL,
	FAULT_AFTER_KILL,
	FAULT_LOSE_SESSIONS,
	FAULT_LOG_OUT
};

/* One line FUNCTION WHEN ACTION. */
struct fault_rule {
	bool covers[CALL_COUNT];
	enum fault_when when;
	unsigned long n;    /* of nth, from, every; percent of random */
	unsigned long seed; /* of random */
	unsigned long seen; /* calls that it covers, since the plan was read */
	enum fault_action action;
	unsigned long value; /* code, or microseconds */
};

/* A plan as read. Zeroed: no faults. */
struct fault_plan {
	struct fault_rule rules[FAULT_RULES_MAX];
	unsigned rule_count;
	CK_RV gone;             /* CKR_OK: not gone */
	CK_RV polite;           /* CKR_OK: not polite */
	bool is_removed;        /* the token is not in its slot */
	bool renumbers;         /* object handles change with each C_Initialize */
	bool has_session_limit; /* of `sessions` */
	unsigned long sessions;
	unsigned long busy_calls; /* more at once than this are answered `busy_code` */
	CK_RV busy_code;          /* CKR_OK: no such limit */
	unsigned long pin_tries;  /* wrong PINs that lock the user out; 0: none do */
	bool loses_sessions;      /* once */
	bool logs_out;            /* once */
	bool uninitialises;       /* once */
};

/* The name of a call, "C_Sign". */
const char *fault_call_name(enum token_call call);

/* Adds one line of the file to the plan. False when it is not understood: `wanted` then says what
 * would be right where the first strange word stands. */
bool fault_plan_add(struct fault_plan *plan, const char *line, char *wanted, size_t wanted_len);

/* Whether the rule strikes at this call; counts the call when the rule covers it. */
bool fault_rule_fits(struct fault_rule *rule, enum token_call call);

#endif

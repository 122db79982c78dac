/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cases of the conformance suite share. A case is one sentence of the standard
 * (PKCS#11 2.40 and 3.0) tried on a token through the module under test; it calls functions with
 * the macros below.
 *
 * Every answer is looked up in the list of codes that the standard gives for the function
 * (codes.c), in addition to what the case itself expects. Where the token behind the module is
 * known to deviate and no module in between can know better, known.c has a row with the reason. */
#ifndef HSMUX_TESTS_CONFORMANCE_SUITE_H
#define HSMUX_TESTS_CONFORMANCE_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "tests/token/calls.h"

/* One token seen through one module, and the case that runs. */
struct suite {
	CK_FUNCTION_LIST_3_0 *f;
	CK_FUNCTION_LIST *f2; /* the list of 2.40 */
	void *library;
	void *init_args;
	CK_SLOT_ID slot;
	const char *kind; /* make of the token: softhsm nss opencryptoki */
	const char *label;
	CK_UTF8CHAR *pin;
	CK_ULONG pin_len;
	CK_UTF8CHAR *so_pin; /* NULL: this make has none */
	CK_ULONG so_pin_len;
	const char *name;    /* of the case */
	const char *skipped; /* why, when the case asked for it */
	bool has_failed;
};

struct conform_case {
	const char *name;
	void (*run)(struct suite *t);
};

/* Cases that run in a process of their own, one after the other. */
struct group {
	const char *name;
	const struct conform_case *cases;
	size_t count;
	bool is_bare; /* the cases initialise the module themselves */
};

#define CASES_OF(array) (array), sizeof(array) / sizeof((array)[0])
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))

/* A list of codes for EXPECT_ANY. */
#define CODES_END  (~(CK_RV)0)
#define CODES(...) ((const CK_RV[]){__VA_ARGS__, CODES_END})
#define HERE       __FILE__, __LINE__

/* Calls a function; only the standard's list is checked. The value is its answer. */
#define CALL(t, name, ...) suite_called(t, CALL_##name, (t)->f->C_##name(__VA_ARGS__), HERE)

/* Calls a function that has to answer `wanted`; true when it does. */
#define EXPECT(t, wanted, name, ...)                                                               \
	suite_expect(t, CALL_##name, (t)->f->C_##name(__VA_ARGS__), CODES(wanted), HERE)

/* The same with several right answers. */
#define EXPECT_ANY(t, wanted, name, ...)                                                           \
	suite_expect(t, CALL_##name, (t)->f->C_##name(__VA_ARGS__), wanted, HERE)

#define OK(t, name, ...) EXPECT(t, CKR_OK, name, __VA_ARGS__)

/* A condition that has to hold; its value. */
#define CHECK(t, condition) suite_check(t, condition, #condition, HERE)

CK_RV suite_called(struct suite *t, enum token_call call, CK_RV rv, const char *file, int line);
bool suite_expect(struct suite *t, enum token_call call, CK_RV rv, const CK_RV *wanted,
		  const char *file, int line);
bool suite_check(struct suite *t, bool holds, const char *what, const char *file, int line);

/* Ends nothing: the case says that its question does not arise here, and returns. */
void suite_skip(struct suite *t, const char *why);

/* Runs a group in a child process and prints its TAP lines. `number` is the number of the last
 * line, and is advanced. False when a case failed. */
bool suite_run(struct suite *t, const struct group *group, unsigned *number);

/* Whether the standard lists the code for the function. */
bool codes_listed(enum token_call call, CK_RV rv);

/* Why this make is known to give this answer there, or NULL. `what` is a function or a condition.
 */
const char *known_why(const char *kind, const char *name, const char *what, const char *got);

/* Marks kept by known_why: rows for `kind` and the cases of `group` that never applied are printed;
 * false when there are any. */
bool known_all_used(const char *kind, const struct group *group);

extern const struct group group_general;
extern const struct group group_interface;
extern const struct group group_slot;
extern const struct group group_wait;
extern const struct group group_session;
extern const struct group group_login;
extern const struct group group_context;
extern const struct group group_pin;
extern const struct group group_token;
extern const struct group group_object;
extern const struct group group_template;
extern const struct group group_attribute;
extern const struct group group_find;
extern const struct group group_digest;
extern const struct group group_cipher;
extern const struct group group_sign;
extern const struct group group_verify;
extern const struct group group_state;
extern const struct group group_generate;
extern const struct group group_wrap;
extern const struct group group_derive;
extern const struct group group_random;
extern const struct group group_legacy;
extern const struct group group_message;

#endif

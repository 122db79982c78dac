/* SPDX-License-Identifier: BSD-2-Clause */
/* The expected answers, by the letter of the argument (tests/token/invoke.h); what differs from
 * function to function are rows of their own, which come first. Sources: the list of return values
 * of each function in PKCS#11 2.40 and 3.0; where the standard leaves a choice, hsmux's manual. */
#include <string.h>

#include "tests/badinput/expect.h"

const char *const expect_names[SPOIL_COUNT] = {
	"NULL",         "length ~0", "handle 0",    "handle never issued",
	"stale handle", "handle ~0", "NULL inside", "length ~0 inside",
};

#define ANY_CALL CALL_COUNT

/* Spoiled handles are one class: bit (1 << how). */
#define HANDLES (1U << SPOIL_ZERO | 1U << SPOIL_NOWHERE | 1U << SPOIL_STALE | 1U << SPOIL_ALL)
#define NULLED  (1U << SPOIL_NULL)
#define HUGE_N  (1U << SPOIL_HUGE)
#define INNER   (1U << SPOIL_INNER_NULL | 1U << SPOIL_INNER_HUGE)

struct row {
	enum token_call call;
	char kind;
	char before;  /* kind of the argument before it, or 0 = any */
	unsigned how; /* bits */
	bool is_skipped;
	CK_RV codes[EXPECT_MAX];
};

/* clang-format off */
static const struct row rows[] = {
	/* A length of room that the application claims to have is its own affair. */
	{CALL_GetAttributeValue, 't', 0, INNER, true, {0}},
	/* A NULL template without attributes is legal, and so is a search for anything. */
	{CALL_FindObjects, 'r', 's', NULLED, false, {CKR_ARGUMENTS_BAD}},
	/* More parts follow. */
	{CALL_VerifyMessageNext, 'g', 0, NULLED, true, {0}},
	{CALL_SignMessageNext, 'L', 0, NULLED, true, {0}},
	/* Some derivations return their keys in the parameter only. */
	{CALL_DeriveKey, 'd', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	/* A missing interface name and version have a meaning. */
	{CALL_GetInterface, 'r', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	/* A mechanism that is missing cancels; with nothing to cancel it is a mistake. */
	{ANY_CALL, 'm', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'm', 0, INNER, false, {CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 't', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 't', 0, INNER, false, {CKR_ATTRIBUTE_VALUE_INVALID, CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'n', 0, HUGE_N, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 's', 0, HANDLES, false, {CKR_SESSION_HANDLE_INVALID}},
	{ANY_CALL, 'S', 0, 1U << SPOIL_NOWHERE | 1U << SPOIL_ALL, false, {CKR_SLOT_ID_INVALID}},
	{ANY_CALL, 'o', 0, HANDLES, false, {CKR_OBJECT_HANDLE_INVALID}},
	{ANY_CALL, 'k', 0, HANDLES, false, {CKR_KEY_HANDLE_INVALID}},
	{ANY_CALL, 'w', 0, HANDLES, false, {CKR_WRAPPING_KEY_HANDLE_INVALID}},
	{ANY_CALL, 'u', 0, HANDLES, false, {CKR_UNWRAPPING_KEY_HANDLE_INVALID}},
	{ANY_CALL, 'r', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'R', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'L', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'q', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'x', 0, NULLED, false, {CKR_ARGUMENTS_BAD, CKR_MECHANISM_PARAM_INVALID}},
	{ANY_CALL, 'y', 0, HUGE_N, false, {CKR_ARGUMENTS_BAD, CKR_MECHANISM_PARAM_INVALID}},
	{ANY_CALL, 'i', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'g', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'P', 0, NULLED, false, {CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'G', 0, HUGE_N, false, {CKR_SIGNATURE_LEN_RANGE, CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'l', 'P', HUGE_N, false, {CKR_PIN_LEN_RANGE, CKR_PIN_INCORRECT, CKR_ARGUMENTS_BAD}},
	{CALL_UnwrapKey, 'l', 0, HUGE_N, false, {CKR_WRAPPED_KEY_LEN_RANGE, CKR_ARGUMENTS_BAD}},
	{CALL_Decrypt, 'l', 0, HUGE_N, false, {CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}},
	{CALL_DecryptUpdate, 'l', 0, HUGE_N, false, {CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}},
	{CALL_DecryptMessage, 'l', 0, HUGE_N, false,
	 {CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}},
	{CALL_DecryptMessageNext, 'l', 0, HUGE_N, false,
	 {CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}},
	{ANY_CALL, 'l', 0, HUGE_N, false, {CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD}},
};
/* clang-format on */

const CK_RV *expect_codes(enum token_call call, char kind, char before, enum spoil how)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if ((r->call == ANY_CALL || r->call == call) && r->kind == kind &&
		    (!r->before || r->before == before) && (r->how & 1U << how))
			return r->is_skipped ? NULL : r->codes;
	}
	return NULL;
}

static void inner(struct world *w, char kind, enum spoil how)
{
	bool is_null = how == SPOIL_INNER_NULL;

	if (kind == 'm') {
		w->mechanism.pParameter = is_null ? NULL : w->in;
		w->mechanism.ulParameterLen = is_null ? 16 : ~0UL;
	} else {
		w->tmpl[0].pValue = w->tmpl2[0].pValue = is_null ? NULL : w->in;
		w->tmpl[0].ulValueLen = w->tmpl2[0].ulValueLen = is_null ? 5 : ~0UL;
	}
}

void expect_spoil(struct world *w, enum token_call call, union argument *a, unsigned i,
		  enum spoil how)
{
	char kind = invoke_arguments[call][i];
	bool is_session = kind == 's';

	switch (how) {
	case SPOIL_NULL:
		a[i].p = NULL;
		if (call == CALL_LoginUser && i == 4)
			a[5].n = 3;
		return;
	case SPOIL_HUGE:
	case SPOIL_ALL:
		a[i].n = ~0UL;
		if (call == CALL_LoginUser && i == 5)
			a[4].p = w->in;
		return;
	case SPOIL_ZERO:
		a[i].n = 0;
		return;
	case SPOIL_NOWHERE:
		a[i].n = WORLD_NOWHERE;
		return;
	case SPOIL_STALE:
		a[i].n = is_session ? w->closed : w->destroyed;
		return;
	case SPOIL_INNER_NULL:
	case SPOIL_INNER_HUGE:
		inner(w, kind, how);
		return;
	case SPOIL_COUNT:
		return;
	}
}

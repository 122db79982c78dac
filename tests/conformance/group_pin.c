/* SPDX-License-Identifier: BSD-2-Clause */
/* C_InitPIN and C_SetPIN on a token that is in use: Base 5.5. Every case leaves the PINs as they
 * were. */
#include "tests/conformance/world.h"

static CK_UTF8CHAR new_pin[] = "newPIN56";
static CK_UTF8CHAR wrong[] = "wrongPIN";

#define NEW   new_pin, sizeof(new_pin) - 1
#define WRONG wrong, sizeof(wrong) - 1
#define PIN   t->pin, t->pin_len
#define SO    t->so_pin, t->so_pin_len

static void init_needs_so(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);

	EXPECT(t, CKR_USER_NOT_LOGGED_IN, InitPIN, s, NEW);
	OK(t, Login, s, CKU_USER, PIN);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, InitPIN, s, NEW);
	OK(t, Logout, s);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, InitPIN, world_open(t, RO), NEW);
}

static void set_needs_rw(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RO);

	EXPECT(t, CKR_SESSION_READ_ONLY, SetPIN, s, PIN, NEW);
	OK(t, Login, s, CKU_USER, PIN);
	EXPECT(t, CKR_SESSION_READ_ONLY, SetPIN, s, PIN, NEW);
	OK(t, Logout, s);
}

static void user_sets(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);

	if (!OK(t, SetPIN, s, PIN, NEW))
		return;
	CHECK(t, world_state(t, s) == CKS_RW_USER_FUNCTIONS);
	OK(t, Logout, s);
	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_USER, PIN);
	OK(t, Login, s, CKU_USER, NEW);
	OK(t, SetPIN, s, NEW, PIN);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_USER, PIN);
}

static void public_sets(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);

	if (!OK(t, SetPIN, s, PIN, NEW))
		return;
	CHECK(t, world_state(t, s) == CKS_RW_PUBLIC_SESSION);
	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_USER, PIN);
	OK(t, Login, s, CKU_USER, NEW);
	OK(t, SetPIN, s, NEW, PIN);
}

static void so_sets(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);

	if (!t->so_pin) {
		suite_skip(t, "this make has no SO PIN");
		return;
	}
	OK(t, Login, s, CKU_SO, SO);
	if (!OK(t, SetPIN, s, SO, NEW))
		return;
	OK(t, Logout, s);
	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_SO, SO);
	OK(t, Login, s, CKU_SO, NEW);
	OK(t, SetPIN, s, NEW, SO);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_USER, PIN);
}

static void mistakes(struct suite *t)
{
	CK_TOKEN_INFO info = {.flags = 0};
	CK_SESSION_HANDLE s = world_user(t);

	OK(t, GetTokenInfo, t->slot, &info);
	EXPECT(t, CKR_PIN_INCORRECT, SetPIN, s, WRONG, NEW);
	EXPECT(t, CKR_ARGUMENTS_BAD, SetPIN, s, NULL, 4, NEW);
	EXPECT(t, CKR_ARGUMENTS_BAD, SetPIN, s, PIN, NULL, 4);
	if (info.ulMinPinLen > 1)
		EXPECT_ANY(t, CODES(CKR_PIN_LEN_RANGE, CKR_PIN_INVALID), SetPIN, s, PIN, new_pin,
			   1);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_USER, PIN);
}

static const struct conform_case cases[] = {
	{"C_InitPIN is for the security officer", init_needs_so},
	{"C_SetPIN is CKR_SESSION_READ_ONLY in read-only sessions", set_needs_rw},
	{"C_SetPIN changes the user's PIN", user_sets},
	{"C_SetPIN of a public session changes the user's PIN", public_sets},
	{"C_SetPIN of the security officer changes the SO PIN", so_sets},
	{"C_SetPIN answers each mistake with its code and changes nothing", mistakes},
};

const struct group group_pin = {"pin", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* C_InitToken and what follows, on a token that nobody needs any more: Base 5.5. The label stays,
 * as the module under test finds the token by it. */
#include <string.h>

#include "tests/conformance/world.h"
#include "tests/token/load.h"

static CK_UTF8CHAR first_pin[] = "first-PIN-1";
static CK_UTF8CHAR wrong[] = "definitely wrong";

#define FIRST first_pin, sizeof(first_pin) - 1
#define PIN   t->pin, t->pin_len
#define SO    t->so_pin, t->so_pin_len

static void label_of(const struct suite *t, CK_UTF8CHAR label[static 32])
{
	memset(label, ' ', 32);
	memcpy(label, t->label, strlen(t->label));
}

static void refuses(struct suite *t)
{
	CK_UTF8CHAR label[32];
	CK_SESSION_HANDLE s = world_user(t);

	label_of(t, label);
	world_object(t, s, "conform lasting", true, false);
	EXPECT(t, CKR_SESSION_EXISTS, InitToken, t->slot, SO, label);
	OK(t, CloseSession, s);
	EXPECT(t, CKR_PIN_INCORRECT, InitToken, t->slot, wrong, sizeof(wrong) - 1, label);
	EXPECT(t, CKR_SLOT_ID_INVALID, InitToken, 0x7ffffff0UL, SO, label);
	EXPECT(t, CKR_ARGUMENTS_BAD, InitToken, t->slot, SO, NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, InitToken, t->slot, NULL, 4, label);
	s = world_user(t);
	CHECK(t, world_count(t, s, "conform lasting") == 1);
}

static void destroys(struct suite *t)
{
	CK_UTF8CHAR label[32];
	CK_TOKEN_INFO info = {.flags = 0};
	CK_SESSION_HANDLE s;

	label_of(t, label);
	if (!OK(t, InitToken, t->slot, SO, label))
		return;
	OK(t, GetTokenInfo, t->slot, &info);
	CHECK(t, memcmp(info.label, label, sizeof(label)) == 0);
	CHECK(t, info.flags & CKF_TOKEN_INITIALIZED);
	CHECK(t, !(info.flags & CKF_USER_PIN_INITIALIZED));
	s = world_open(t, RW);
	CHECK(t, world_count(t, s, "conform lasting") == 0);
	EXPECT(t, CKR_USER_PIN_NOT_INITIALIZED, Login, s, CKU_USER, PIN);
}

static void new_user(struct suite *t)
{
	CK_TOKEN_INFO info = {.flags = 0};
	CK_SESSION_HANDLE s = world_open(t, RW);

	OK(t, Login, s, CKU_SO, SO);
	EXPECT(t, CKR_ARGUMENTS_BAD, InitPIN, s, NULL, 4);
	EXPECT_ANY(t, CODES(CKR_PIN_LEN_RANGE, CKR_PIN_INVALID), InitPIN, s, first_pin, 1);
	if (!OK(t, InitPIN, s, FIRST))
		return;
	CHECK(t, world_state(t, s) == CKS_RW_SO_FUNCTIONS);
	OK(t, Logout, s);
	OK(t, GetTokenInfo, t->slot, &info);
	CHECK(t, info.flags & CKF_USER_PIN_INITIALIZED);
	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_USER, wrong, sizeof(wrong) - 1);
	OK(t, Login, s, CKU_USER, FIRST);
	OK(t, SetPIN, s, FIRST, PIN);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_USER, PIN);
}

static void works_after(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_BYTE mac[32];
	CK_ULONG len = sizeof(mac);

	OK(t, SignInit, s, &mechanism, key);
	OK(t, Sign, s, world_text, sizeof(world_text), mac, &len);
	CHECK(t, len == 32);
	world_object(t, s, "conform lasting", true, true);
	OK(t, CloseAllSessions, t->slot);
	s = world_user(t);
	CHECK(t, world_count(t, s, "conform lasting") == 1);
}

static void forgotten_user(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);

	OK(t, Login, s, CKU_SO, SO);
	OK(t, InitPIN, s, FIRST);
	OK(t, Logout, s);
	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_USER, PIN);
	OK(t, Login, s, CKU_USER, FIRST);
	CHECK(t, world_count(t, s, "conform lasting") == 1);
	OK(t, SetPIN, s, FIRST, PIN);
}

static const struct conform_case cases[] = {
	{"C_InitToken refuses open sessions, a wrong SO PIN and wrong arguments", refuses},
	{"C_InitToken destroys the objects and the user's PIN", destroys},
	{"C_InitPIN gives the user a PIN", new_user},
	{"the token works after that", works_after},
	{"C_InitPIN replaces a forgotten PIN and keeps the objects", forgotten_user},
};

const struct group group_token = {"token", CASES_OF(cases), false};

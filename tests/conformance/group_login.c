/* SPDX-License-Identifier: BSD-2-Clause */
/* C_Login, C_LoginUser, C_Logout: Base 5.6; what a login means for objects: Base 4.4, 5.6
 * (C_Logout). */
#include <string.h>

#include "tests/conformance/world.h"

static void user_errors(struct suite *t)
{
	CK_UTF8CHAR wrong[] = "definitely wrong";
	CK_SESSION_HANDLE s = world_open(t, RW);

	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_USER, wrong, sizeof(wrong) - 1);
	CHECK(t, world_state(t, s) == CKS_RW_PUBLIC_SESSION);
	EXPECT(t, CKR_USER_TYPE_INVALID, Login, s, 77, t->pin, t->pin_len);
	EXPECT(t, CKR_ARGUMENTS_BAD, Login, s, CKU_USER, NULL, 4);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Login, s, CKU_CONTEXT_SPECIFIC, t->pin,
	       t->pin_len);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, Logout, s);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Login, s, CKU_CONTEXT_SPECIFIC, t->pin,
	       t->pin_len);
	CHECK(t, world_state(t, s) == CKS_RW_USER_FUNCTIONS);
}

static void again(struct suite *t)
{
	CK_UTF8CHAR wrong[] = "definitely wrong";
	CK_SESSION_HANDLE s = world_user(t);
	CK_SESSION_HANDLE other = world_open(t, RO);

	EXPECT(t, CKR_USER_ALREADY_LOGGED_IN, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_USER_ALREADY_LOGGED_IN, Login, other, CKU_USER, t->pin, t->pin_len);
	EXPECT_ANY(t, CODES(CKR_USER_ALREADY_LOGGED_IN, CKR_PIN_INCORRECT), Login, s, CKU_USER,
		   wrong, sizeof(wrong) - 1);
	CHECK(t, world_state(t, s) == CKS_RW_USER_FUNCTIONS);
	OK(t, Logout, other);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, Logout, s);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	OK(t, Logout, s);
}

/* No PIN is for tokens with a PIN pad. */
static void no_pin(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);
	CK_TOKEN_INFO info = {.flags = 0};

	OK(t, GetTokenInfo, t->slot, &info);
	if (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) {
		suite_skip(t, "the token asks for the PIN itself");
		return;
	}
	EXPECT_ANY(t, CODES(CKR_PIN_INCORRECT, CKR_ARGUMENTS_BAD), Login, s, CKU_USER, NULL, 0);
	EXPECT_ANY(t, CODES(CKR_PIN_INCORRECT, CKR_ARGUMENTS_BAD), Login, s, CKU_USER, t->pin, 0);
	CHECK(t, world_state(t, s) == CKS_RW_PUBLIC_SESSION);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
}

static void other_user(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);

	if (!t->so_pin) {
		suite_skip(t, "this make has no SO PIN");
		return;
	}
	OK(t, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	EXPECT(t, CKR_USER_ALREADY_LOGGED_IN, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	EXPECT(t, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, Login, s, CKU_USER, t->pin, t->pin_len);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	CHECK(t, world_state(t, s) == CKS_RW_USER_FUNCTIONS);
}

static void wrong_so(struct suite *t)
{
	CK_UTF8CHAR wrong[] = "definitely wrong";
	CK_SESSION_HANDLE s = world_open(t, RW);

	if (!t->so_pin) {
		suite_skip(t, "this make has no SO PIN");
		return;
	}
	EXPECT(t, CKR_PIN_INCORRECT, Login, s, CKU_SO, wrong, sizeof(wrong) - 1);
	CHECK(t, world_state(t, s) == CKS_RW_PUBLIC_SESSION);
	OK(t, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
}

static void named_user(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);
	CK_RV rv = CALL(t, LoginUser, s, CKU_USER, t->pin, t->pin_len, NULL, 0);

	if (rv == CKR_FUNCTION_NOT_SUPPORTED)
		return;
	CHECK(t, rv == CKR_OK);
	CHECK(t, world_state(t, s) == CKS_RW_USER_FUNCTIONS);
	EXPECT(t, CKR_USER_ALREADY_LOGGED_IN, LoginUser, s, CKU_USER, t->pin, t->pin_len, NULL, 0);
	OK(t, Logout, s);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, LoginUser, s, CKU_CONTEXT_SPECIFIC, t->pin,
	       t->pin_len, NULL, 0);
	EXPECT(t, CKR_USER_TYPE_INVALID, LoginUser, s, 77, t->pin, t->pin_len, NULL, 0);
}

static void private_session_objects(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE private = world_object(t, s, "conform private", false, true);
	CK_OBJECT_HANDLE public = world_object(t, s, "conform public", false, false);
	CK_ULONG size;

	OK(t, Logout, s);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetObjectSize, s, private, &size);
	CHECK(t, world_count(t, s, "conform private") == 0);
	CHECK(t, world_count(t, s, "conform public") == 1);
	CHECK(t, !world_is(t, s, public, CKA_PRIVATE));
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetObjectSize, s, private, &size);
	CHECK(t, world_count(t, s, "conform private") == 0);
	CHECK(t, world_count(t, s, "conform public") == 1);
}

static void private_token_objects(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE old = world_object(t, s, "conform lasting", true, true);
	CK_ATTRIBUTE length = {CKA_LABEL, NULL, 0};

	OK(t, GetAttributeValue, s, old, &length, 1);
	OK(t, Logout, s);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetAttributeValue, s, old, &length, 1);
	EXPECT_ANY(t, CODES(CKR_OBJECT_HANDLE_INVALID), DestroyObject, s, old);
	CHECK(t, world_count(t, s, "conform lasting") == 0);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetAttributeValue, s, old, &length, 1);
	CHECK(t, world_count(t, s, "conform lasting") == 1);
	world_destroy(t, s, "conform lasting");
}

static void old_keys(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE pub = 0;
	CK_OBJECT_HANDLE priv = 0;

	if (!world_ec_pair(t, s, &pub, &priv))
		return;
	OK(t, SignInit, s, &mechanism, priv);
	OK(t, SignInit, s, NULL, 0);
	OK(t, Logout, s);
	EXPECT_ANY(t, CODES(CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN), SignInit, s,
		   &mechanism, priv);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, SignInit, s, &mechanism, priv);
}

static void public_creates(struct suite *t)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_OBJECT_HANDLE o = 0;
	CK_SESSION_HANDLE s = world_open(t, RW);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class), NO(CKA_TOKEN), YES(CKA_PRIVATE),
			       ATTR(CKA_KEY_TYPE, type), BYTES(CKA_VALUE, world_text)};

	EXPECT(t, CKR_USER_NOT_LOGGED_IN, CreateObject, s, tmpl, COUNT(tmpl), &o);
	tmpl[1] = (CK_ATTRIBUTE)YES(CKA_TOKEN);
	EXPECT(t, CKR_USER_NOT_LOGGED_IN, CreateObject, s, tmpl, COUNT(tmpl), &o);
	world_object(t, s, "conform public", false, false);
}

/* C_DestroyObject, C_CopyObject: only public objects unless the normal user is logged in. */
static void public_sees(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE private = YES(CKA_PRIVATE);
	CK_ULONG count = 77;
	CK_OBJECT_HANDLE o = 0;

	world_object(t, s, "conform lasting", true, true);
	OK(t, Logout, s);
	OK(t, FindObjectsInit, s, &private, 1);
	OK(t, FindObjects, s, &o, 1, &count);
	CHECK(t, count == 0);
	OK(t, FindObjectsFinal, s);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	world_destroy(t, s, "conform lasting");
}

static void so_sees(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE private = YES(CKA_PRIVATE);
	CK_ULONG count = 77;
	CK_OBJECT_HANDLE o = 0;

	if (!t->so_pin) {
		suite_skip(t, "this make has no SO PIN");
		return;
	}
	world_object(t, s, "conform lasting", true, true);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	OK(t, FindObjectsInit, s, &private, 1);
	OK(t, FindObjects, s, &o, 1, &count);
	CHECK(t, count == 0);
	OK(t, FindObjectsFinal, s);
	OK(t, Logout, s);
	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	world_destroy(t, s, "conform lasting");
}

static const struct conform_case cases[] = {
	{"C_Login and C_Logout answer each mistake with its code", user_errors},
	{"C_Login twice is CKR_USER_ALREADY_LOGGED_IN in any session", again},
	{"C_Login without a PIN is refused", no_pin},
	{"C_Login of another user is CKR_USER_ANOTHER_ALREADY_LOGGED_IN", other_user},
	{"a wrong SO PIN is CKR_PIN_INCORRECT", wrong_so},
	{"C_LoginUser without a name is C_Login or not supported", named_user},
	{"C_Logout destroys private session objects and keeps public ones",
	 private_session_objects},
	{"handles of private token objects stay invalid after the next login",
	 private_token_objects},
	{"handles of private keys stay invalid after the next login", old_keys},
	{"a public session cannot create private objects", public_creates},
	{"a public session finds no private objects", public_sees},
	{"the security officer finds no private objects", so_sees},
};

const struct group group_login = {"login", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* core/login.c: a PIN is sent once for each C_Login; logins come back with a member, once. */
#include "core/login.h"

#include <stdlib.h>
#include <string.h>

#include "core/key.h"
#include "core/member.h"
#include "core/mux.h"
#include "core/object.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* What C_Login answers next instead of asking the token; CKR_OK: the token. */
static CK_RV answer;
static char sent_pin[64];

static CK_RV login_scripted(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin,
			    CK_ULONG len)
{
	CK_RV rv = answer;

	(void)snprintf(sent_pin, sizeof sent_pin, "%.*s", (int)len, (const char *)pin);
	answer = CKR_OK;
	return rv == CKR_OK ? world_real()->C_Login(session, user, pin, len) : rv;
}

static void lose(void)
{
	member_lost(world_member(), atomic_load(&world_member()->epoch), "a test",
		    CKR_DEVICE_REMOVED);
}

/* A new life of the library: the token has forgotten the login. */
static void lose_library(void)
{
	CU_ASSERT_EQUAL(world_real()->C_Finalize(NULL), CKR_OK);
	lose();
}

static CK_STATE state_of(CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info = {.state = ~0UL};

	CU_ASSERT_EQUAL(session_info(session, &info), CKR_OK);
	return info.state;
}

static void a_wrong_pin_costs_one_try(void)
{
	CK_SESSION_HANDLE s;
	uint64_t before;

	world_begin(NULL, NULL);
	s = world_open();
	before = world_calls("C_Login");
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before + 1);
	CU_ASSERT_EQUAL(state_of(s), CKS_RW_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	lose();
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PUBLIC_KEY), 0);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before + 1);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before + 2);
	world_end();
}

static void a_second_login_is_answered_here(void)
{
	CK_SESSION_HANDLE s;
	uint64_t before;

	world_begin(NULL, NULL);
	s = world_enter();
	before = world_calls("C_Login");
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_USER_ALREADY_LOGGED_IN);
	CU_ASSERT_EQUAL(login_in(s, CKU_SO, (const CK_BYTE *)"x", 1, NULL, 0),
			CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	CU_ASSERT_EQUAL(login_in(s, 77, (const CK_BYTE *)"x", 1, NULL, 0), CKR_USER_TYPE_INVALID);
	CU_ASSERT_EQUAL(login_in(s, CKU_CONTEXT_SPECIFIC, (const CK_BYTE *)"x", 1, NULL, 0),
			CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL(login_out(s), CKR_USER_NOT_LOGGED_IN);
	world_end();
}

static void absurd_pins_are_not_sent(void)
{
	CK_SESSION_HANDLE s;
	uint64_t before;

	world_begin(NULL, NULL);
	s = world_open();
	before = world_calls("C_Login");
	CU_ASSERT_EQUAL(login_in(s, CKU_USER, NULL, 4, NULL, 0), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(login_in(s, CKU_USER, (const CK_BYTE *)"x", ~0UL, NULL, 0),
			CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before);
	world_end();
}

static void the_login_comes_back_with_the_member(void)
{
	CK_SESSION_HANDLE s;
	uint64_t before;

	world_begin(NULL, "relogin = true;");
	s = world_enter();
	before = world_calls("C_Login");
	for (unsigned i = 1; i <= 3; i++) {
		lose_library();
		CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
		CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
		CU_ASSERT_EQUAL(world_calls("C_Login"), before + i);
	}
	CU_ASSERT_EQUAL(state_of(s), CKS_RW_USER_FUNCTIONS);
	world_end();
}

static void without_a_kept_pin_the_application_logs_in_again(void)
{
	CK_SESSION_HANDLE s;
	uint64_t before;

	world_begin(NULL, "relogin = false;");
	s = world_enter();
	CU_ASSERT_PTR_NULL(world_group()->pin);
	before = world_calls("C_Login");
	lose_library();
	CU_ASSERT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before);
	CU_ASSERT_EQUAL(state_of(s), CKS_RW_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	world_end();
}

static void a_kept_pin_that_is_refused_is_sent_once_and_forgotten(void)
{
	CK_SESSION_HANDLE s;
	uint64_t before;

	world_begin(NULL, "relogin = true;");
	s = world_enter();
	before = world_calls("C_Login");
	setenv("NULL_TOKEN_PIN", "5678", 1);
	lose_library();
	CU_ASSERT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	CU_ASSERT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	lose();
	CU_ASSERT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	CU_ASSERT_EQUAL(world_calls("C_Login"), before + 1);
	CU_ASSERT_PTR_NULL(world_group()->pin);
	CU_ASSERT_EQUAL(state_of(s), CKS_RW_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(world_login(s, "5678"), CKR_OK);
	unsetenv("NULL_TOKEN_PIN");
	world_end();
}

/* Nobody refused the PIN: the next epoch sends it again. */
static void a_kept_pin_that_could_not_be_sent_is_kept(void)
{
	CK_SESSION_HANDLE s;

	world_begin(NULL, "relogin = true;");
	s = world_enter();
	lose_library();
	world_list()->C_Login = login_scripted;
	answer = CKR_DEVICE_REMOVED;
	(void)world_find(s, CKO_PRIVATE_KEY); /* fails, or sees what is public */
	CU_ASSERT_EQUAL(state_of(s), CKS_RW_USER_FUNCTIONS);
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	CU_ASSERT_EQUAL(state_of(s), CKS_RW_USER_FUNCTIONS);
	world_end();
}

static void a_new_pin_is_the_one_that_is_kept(void)
{
	CK_SESSION_HANDLE s;

	world_begin(NULL, "relogin = true;");
	s = world_enter();
	CU_ASSERT_EQUAL(login_set_pin(s, (const CK_BYTE *)WORLD_PIN, 4, (const CK_BYTE *)"4321", 4),
			CKR_OK);
	setenv("NULL_TOKEN_PIN", "4321", 1);
	lose_library();
	world_list()->C_Login = login_scripted;
	answer = CKR_OK;
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	CU_ASSERT_STRING_EQUAL(sent_pin, "4321");
	unsetenv("NULL_TOKEN_PIN");
	world_end();
}

/* A login that we know nothing of, in a library that is ours alone. */
static void a_login_left_behind_is_replaced(void)
{
	CK_SESSION_HANDLE s, other = 0;
	uint64_t before;

	world_begin(NULL, NULL);
	s = world_open();
	CU_ASSERT_EQUAL(world_real()->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &other),
			CKR_OK);
	CU_ASSERT_EQUAL(world_real()->C_Login(other, CKU_USER, (CK_BYTE *)(uintptr_t)WORLD_PIN, 4),
			CKR_OK);
	before = world_calls("C_Logout");
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(world_calls("C_Logout"), before + 1);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(world_real()->C_CloseSession(other), CKR_OK);
	world_end();
}

static void the_login_holds_one_session_of_the_member(void)
{
	CK_SESSION_HANDLE s;

	world_begin("max_sessions = 2;", NULL);
	s = world_enter();
	CU_ASSERT_PTR_NOT_NULL(world_member()->keeper);
	CU_ASSERT_EQUAL(world_sign(s, world_find(s, CKO_PRIVATE_KEY)), CKR_OK);
	CU_ASSERT_EQUAL(world_sessions(), 2);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_PTR_NULL(world_member()->keeper);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_wrong_pin_costs_one_try),
		UNIT(a_second_login_is_answered_here),
		UNIT(absurd_pins_are_not_sent),
		UNIT(the_login_comes_back_with_the_member),
		UNIT(without_a_kept_pin_the_application_logs_in_again),
		UNIT(a_kept_pin_that_is_refused_is_sent_once_and_forgotten),
		UNIT(a_kept_pin_that_could_not_be_sent_is_kept),
		UNIT(a_new_pin_is_the_one_that_is_kept),
		UNIT(a_login_left_behind_is_replaced),
		UNIT(the_login_holds_one_session_of_the_member),
	};

	return unit_run("core/login", tests, sizeof tests / sizeof tests[0]);
}

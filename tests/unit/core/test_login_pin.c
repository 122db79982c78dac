/* SPDX-License-Identifier: BSD-2-Clause */
/* core/login_pin.c over several members, and the security officer: a PIN is changed on all of them
 * or on none. */
#include "core/login_pin.h"

#include <stdlib.h>

#include "core/login.h"
#include "core/session.h"
#include "tests/unit/core/script.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define OWN_PIN "HSMUX_TEST_OWN_PIN"
#define NEW_PIN "4321"

static CK_SESSION_HANDLE begin(const char *const member[3])
{
	struct world_many many = {.count = 3, .mode = "failover", .token = "relogin = true;"};

	for (unsigned i = 0; member && i < 3; i++)
		many.member[i] = member[i];
	world_begin_many(&many);
	script_begin(3);
	return world_open();
}

static CK_SESSION_HANDLE begin_with_own(void)
{
	static const char *const member[3] = {NULL, "pin = \"env:" OWN_PIN "\";", NULL};

	setenv(OWN_PIN, WORLD_PIN, 1);
	return begin(member);
}

static void end(void)
{
	unsetenv(OWN_PIN);
	world_end();
}

static CK_RV set_pin(CK_SESSION_HANDLE s, const char *from, const char *to)
{
	return login_set_pin(s, (const CK_BYTE *)from, strlen(from), (const CK_BYTE *)to,
			     strlen(to));
}

static CK_RV init_pin(CK_SESSION_HANDLE s, const char *pin)
{
	return login_init_pin(s, (const CK_BYTE *)pin, strlen(pin));
}

static CK_RV login_so_with(CK_SESSION_HANDLE s, const char *pin)
{
	return login_in(s, CKU_SO, (const CK_BYTE *)pin, strlen(pin), NULL, 0);
}

static CK_RV login_so(CK_SESSION_HANDLE s)
{
	return login_so_with(s, "so-1234");
}

/* Asks the token itself; nobody is logged in there. */
static bool has_pin(unsigned i, const char *pin)
{
	const CK_FUNCTION_LIST *f = world_real_at(i);
	CK_SESSION_HANDLE s = 0;
	CK_RV rv;

	CU_ASSERT_EQUAL_FATAL(f->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &s), CKR_OK);
	rv = f->C_Login(s, CKU_USER, (CK_BYTE *)(uintptr_t)pin, strlen(pin));
	if (rv == CKR_OK)
		(void)f->C_Logout(s); /* it was let in just now */
	CU_ASSERT_EQUAL(f->C_CloseSession(s), CKR_OK);
	return rv == CKR_OK;
}

static void a_new_pin_reaches_all_and_is_kept(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(secret_len(world_group()->pin), strlen(NEW_PIN));
	CU_ASSERT_NSTRING_EQUAL(secret_bytes(world_group()->pin), NEW_PIN, strlen(NEW_PIN));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(script_set_pin[i].calls, 1);
		CU_ASSERT_TRUE(has_pin(i, NEW_PIN));
	}
	end();
}

static void a_wrong_old_pin_costs_one_try_on_one_token(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	CU_ASSERT_EQUAL(set_pin(s, "wrong", NEW_PIN), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_set_pin[0].calls, 1);
	CU_ASSERT_EQUAL(script_set_pin[1].calls + script_set_pin[2].calls, 0);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_PTR_NULL(world_member_at(i)->keeper);
	end();
}

static void a_refusal_sets_the_old_pin_back(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	script_set_pin[2].answer = CKR_PIN_TOO_WEAK;
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_PIN_TOO_WEAK);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(script_set_pin[i].calls, i < 2 ? 2 : 1);
		CU_ASSERT_TRUE(has_pin(i, WORLD_PIN));
	}
	end();
}

static void what_cannot_be_set_back_does_not_stop_the_others(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	script_set_pin[0].answer = CKR_DEVICE_ERROR;
	script_set_pin[0].after = 1;
	script_set_pin[2].answer = CKR_PIN_INVALID;
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_PIN_INVALID);
	CU_ASSERT_TRUE(has_pin(0, NEW_PIN));
	CU_ASSERT_TRUE(has_pin(1, WORLD_PIN));
	CU_ASSERT_TRUE(has_pin(2, WORLD_PIN));
	end();
}

static void a_change_needs_every_member(void)
{
	CK_SESSION_HANDLE s = begin(NULL);
	CK_SESSION_INFO info;

	world_lose(2);
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_set_pin[0].calls, 0);
	CU_ASSERT_EQUAL(session_info(s, &info), CKR_OK);
	CU_ASSERT_EQUAL(info.ulDeviceError, CKR_TOKEN_NOT_PRESENT);
	end();
}

static void a_member_with_another_pin_costs_no_more_tries(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	script_login[1].answer = CKR_PIN_INCORRECT;
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_DEVICE_ERROR);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(script_set_pin[i].calls, 0);
	end();
}

static void a_pin_that_one_would_not_take_is_sent_to_none(void)
{
	char longest[80];
	CK_SESSION_HANDLE s = begin(NULL);

	memset(longest, '1', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, longest), CKR_PIN_LEN_RANGE);
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, ""), CKR_PIN_LEN_RANGE);
	CU_ASSERT_EQUAL(script_set_pin[0].calls, 0);
	CU_ASSERT_EQUAL(login_so(s), CKR_OK);
	CU_ASSERT_EQUAL(init_pin(s, longest), CKR_PIN_LEN_RANGE);
	CU_ASSERT_EQUAL(script_init_pin[0].calls, 0);
	end();
}

static void a_pin_from_the_configuration_is_left_alone(void)
{
	CK_SESSION_HANDLE s = begin_with_own();

	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_OK);
	CU_ASSERT_TRUE(has_pin(0, NEW_PIN));
	CU_ASSERT_EQUAL(script_set_pin[1].calls, 0);
	CU_ASSERT_TRUE(has_pin(2, NEW_PIN));
	end();
}

static void where_all_have_their_own_there_is_nothing_to_change(void)
{
	static const char *const member[3] = {"pin = \"env:" OWN_PIN "\";",
					      "pin = \"env:" OWN_PIN "\";",
					      "pin = \"env:" OWN_PIN "\";"};
	CK_SESSION_HANDLE s = begin(member);

	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_FUNCTION_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(script_set_pin[0].calls, 0);
	end();
}

static void the_security_officers_pin_is_changed_on_all(void)
{
	CK_SESSION_HANDLE s = begin_with_own();

	CU_ASSERT_EQUAL(login_so(s), CKR_OK);
	/* The null token only knows the user's PIN; what counts is who is asked. */
	CU_ASSERT_EQUAL(set_pin(s, WORLD_PIN, NEW_PIN), CKR_OK);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(script_set_pin[i].calls, 1);
	end();
}

static void a_first_pin_reaches_all_and_each_its_own(void)
{
	CK_SESSION_HANDLE s = begin_with_own();

	setenv(OWN_PIN, "own1", 1);
	CU_ASSERT_EQUAL(init_pin(s, NEW_PIN), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT_EQUAL(login_so(s), CKR_OK);
	CU_ASSERT_EQUAL(init_pin(s, NEW_PIN), CKR_OK);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_TRUE(has_pin(0, NEW_PIN));
	CU_ASSERT_TRUE(has_pin(1, "own1"));
	CU_ASSERT_TRUE(has_pin(2, NEW_PIN));
	end();
}

static void a_member_that_did_not_take_the_first_pin_is_set_apart(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	script_init_pin[0].answer = CKR_DEVICE_ERROR;
	CU_ASSERT_EQUAL(login_so(s), CKR_OK);
	CU_ASSERT_EQUAL(init_pin(s, NEW_PIN), CKR_OK);
	CU_ASSERT_FALSE(member_may_serve(world_member_at(0)));
	CU_ASSERT_TRUE(member_may_serve(world_member_at(1)));
	CU_ASSERT_TRUE(member_may_serve(world_member_at(2)));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_TRUE(has_pin(0, WORLD_PIN));
	CU_ASSERT_TRUE(has_pin(1, NEW_PIN));
	end();
}

static void when_nobody_takes_the_first_pin_that_is_the_answer(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	for (unsigned i = 0; i < 3; i++)
		script_init_pin[i].answer = CKR_PIN_INVALID;
	CU_ASSERT_EQUAL(login_so(s), CKR_OK);
	CU_ASSERT_EQUAL(init_pin(s, NEW_PIN), CKR_PIN_INVALID);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE(member_may_serve(world_member_at(i)));
	end();
}

static void the_security_officer_is_let_in_by_all_or_by_none(void)
{
	CK_SESSION_HANDLE s = begin(NULL);

	script_login[2].answer = CKR_PIN_LOCKED;
	CU_ASSERT_EQUAL(login_so(s), CKR_PIN_LOCKED);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(script_login[i].calls, 1);
		CU_ASSERT_EQUAL(script_logout[i].calls, i < 2);
		CU_ASSERT_EQUAL(atomic_load(&world_member_at(i)->user), GROUP_PUBLIC);
	}
	CU_ASSERT_EQUAL(atomic_load(&world_group()->user), GROUP_PUBLIC);
	script_login[2].answer = CKR_OK;
	CU_ASSERT_EQUAL(login_so_with(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_logins(), 4);
	CU_ASSERT_EQUAL(login_so(s), CKR_OK);
	CU_ASSERT_EQUAL(atomic_load(&world_group()->user), GROUP_SO);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	end();
}

static void the_security_officer_needs_every_member(void)
{
	CK_SESSION_HANDLE s = begin(NULL);
	CK_SESSION_INFO info;

	world_lose(1);
	CU_ASSERT_EQUAL(login_so(s), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_logins(), 0);
	CU_ASSERT_EQUAL(session_info(s, &info), CKR_OK);
	CU_ASSERT_EQUAL(info.ulDeviceError, CKR_TOKEN_NOT_PRESENT);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_new_pin_reaches_all_and_is_kept),
		UNIT(a_wrong_old_pin_costs_one_try_on_one_token),
		UNIT(a_refusal_sets_the_old_pin_back),
		UNIT(what_cannot_be_set_back_does_not_stop_the_others),
		UNIT(a_change_needs_every_member),
		UNIT(a_member_with_another_pin_costs_no_more_tries),
		UNIT(a_pin_that_one_would_not_take_is_sent_to_none),
		UNIT(a_pin_from_the_configuration_is_left_alone),
		UNIT(where_all_have_their_own_there_is_nothing_to_change),
		UNIT(the_security_officers_pin_is_changed_on_all),
		UNIT(a_first_pin_reaches_all_and_each_its_own),
		UNIT(a_member_that_did_not_take_the_first_pin_is_set_apart),
		UNIT(when_nobody_takes_the_first_pin_that_is_the_answer),
		UNIT(the_security_officer_is_let_in_by_all_or_by_none),
		UNIT(the_security_officer_needs_every_member),
	};

	return unit_run("core/login_pin", tests, sizeof tests / sizeof tests[0]);
}

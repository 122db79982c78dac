/* SPDX-License-Identifier: BSD-2-Clause */
/* core/login_many.c, login_member.c: a PIN is checked on one member and then given to the others;
 * no token ever loses more than one try. */
#include "core/login_many.h"

#include <stdlib.h>

#include "core/login.h"
#include "core/session.h"
#include "tests/unit/core/script.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define OWN_PIN "HSMUX_TEST_OWN_PIN"

static CK_SESSION_HANDLE begin(const struct world_many *many)
{
	world_begin_many(many);
	script_begin(many->count);
	return world_open();
}

static CK_SESSION_HANDLE begin_three(const char *token)
{
	return begin(&(struct world_many){.count = 3, .mode = "failover", .token = token});
}

/* Member 1 has a PIN of its own, "5678", on the token; in the configuration what is in the
 * environment. */
static CK_SESSION_HANDLE begin_mixed(const char *own)
{
	setenv(OWN_PIN, own, 1);
	return begin(
		&(struct world_many){.count = 2,
				     .mode = "failover",
				     .token = "relogin = true;",
				     .member = {NULL, "pin = \"env:" OWN_PIN "\";"},
				     .module = {NULL, "env = { NULL_TOKEN_PIN = \"5678\"; };"}});
}

static CK_SESSION_HANDLE begin_own(const char *own)
{
	setenv(OWN_PIN, own, 1);
	return begin(&(struct world_many){
		.count = 2,
		.mode = "balanced",
		.member = {"pin = \"env:" OWN_PIN "\";", "pin = \"env:" OWN_PIN "\";"}});
}

/* Member 1 has another PIN than the others. */
static CK_SESSION_HANDLE begin_diverged(void)
{
	return begin(
		&(struct world_many){.count = 3,
				     .mode = "failover",
				     .token = "relogin = true;",
				     .module = {NULL, "env = { NULL_TOKEN_PIN = \"5678\"; };"}});
}

static void end(void)
{
	unsetenv(OWN_PIN);
	world_end();
}

static void lose(unsigned i)
{
	struct member *m = world_member_at(i);

	member_lost(m, atomic_load(&m->epoch), "a test", CKR_DEVICE_REMOVED);
	atomic_store(&m->serves, 0);
}

/* As core/health.c does it. */
static void bring_back(unsigned i)
{
	struct member *m = world_member_at(i);

	CU_ASSERT_TRUE(member_up(m, true));
	login_sync(world_group(), m);
	atomic_store(&m->serves, 1);
}

/* Gone with its login. */
static void lose_and_bring_back(unsigned i)
{
	CU_ASSERT_EQUAL(world_real_at(i)->C_Finalize(NULL), CKR_OK);
	lose(i);
	bring_back(i);
}

static bool is_in(unsigned i)
{
	return atomic_load(&world_member_at(i)->user) == GROUP_USER &&
	       world_member_at(i)->keeper != NULL;
}

static bool may_serve(unsigned i)
{
	return member_may_serve(world_member_at(i));
}

static int user(void)
{
	return atomic_load(&world_group()->user);
}

static CK_RV login_so(CK_SESSION_HANDLE s, const char *pin)
{
	return login_in(s, CKU_SO, (const CK_BYTE *)pin, strlen(pin), NULL, 0);
}

static void a_wrong_pin_costs_one_try_on_one_token(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[0].calls, 1);
	CU_ASSERT_EQUAL(script_logins(), 1);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	CU_ASSERT_PTR_NULL(world_member_at(0)->keeper);
	CU_ASSERT_PTR_NULL(world_group()->pin);
	end();
}

static void a_right_pin_is_sent_once_to_each(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(script_login[i].calls, 1);
		CU_ASSERT_TRUE(is_in(i));
	}
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	CU_ASSERT_PTR_NOT_NULL(world_group()->pin);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_USER_ALREADY_LOGGED_IN);
	CU_ASSERT_EQUAL(script_logins(), 3);
	end();
}

static void a_logout_reaches_all(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	script_logout[1].answer = CKR_DEVICE_ERROR;
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(script_logout[i].calls, 1);
		CU_ASSERT_FALSE(is_in(i));
		CU_ASSERT_PTR_NULL(world_member_at(i)->keeper);
	}
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	CU_ASSERT_PTR_NULL(world_group()->pin);
	CU_ASSERT_EQUAL(login_out(s), CKR_USER_NOT_LOGGED_IN);
	end();
}

static void the_last_session_takes_every_login_with_it(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(script_logout[i].calls, 1);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	end();
}

static void the_preferred_member_is_asked_first(void)
{
	CK_SESSION_HANDLE s = begin(&(struct world_many){
		.count = 3,
		.mode = "failover",
		.member = {"priority = 3;", "priority = 1; role = \"standby\";", "priority = 2;"}});

	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[2].calls, 1);
	atomic_store(&world_member_at(2)->is_drained, 1);
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[0].calls, 1);
	lose(0);
	lose(2);
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_EQUAL(script_logins(), 3);
	end();
}

static void a_member_that_fails_gives_no_verdict(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	script_login[0].answer = CKR_DEVICE_ERROR;
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[0].calls, 1);
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_EQUAL(script_login[2].calls, 0);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[0].calls, 2);
	CU_ASSERT_FALSE(may_serve(0)); /* up, and nobody is logged in there */
	CU_ASSERT_TRUE(is_in(1));
	CU_ASSERT_TRUE(is_in(2));
	login_sync(world_group(), world_member_at(0));
	CU_ASSERT_EQUAL(script_login[0].calls, 2); /* once an epoch */
	end();
}

static void a_session_that_is_lost_is_replaced_before_the_pin_is_looked_at(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	script_login[0].answer = CKR_SESSION_HANDLE_INVALID;
	script_login[0].counts = 1;
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[0].calls, 2);
	CU_ASSERT_TRUE(is_in(0));
	CU_ASSERT_EQUAL(script_logins(), 4);
	end();
}

static void when_nobody_gives_a_verdict_the_login_fails(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	for (unsigned i = 0; i < 3; i++)
		script_login[i].answer = CKR_DEVICE_ERROR;
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_logins(), 3);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	end();
}

static void a_member_with_another_pin_is_set_apart(void)
{
	CK_SESSION_HANDLE s = begin_diverged();

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_FALSE(may_serve(1));
	CU_ASSERT_TRUE(is_in(0));
	CU_ASSERT_TRUE(is_in(2));
	for (unsigned i = 0; i < 3; i++)
		login_sync(world_group(), world_member_at(1));
	lose_and_bring_back(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_FALSE(may_serve(1));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_FALSE(may_serve(1));
	end();
}

static void a_member_set_apart_gets_the_next_login(void)
{
	CK_SESSION_HANDLE s = begin_diverged(), own = 0;

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_FALSE(may_serve(1));
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_EQUAL(world_real_at(1)->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION,
							NULL, NULL, &own),
			CKR_OK);
	CU_ASSERT_EQUAL(world_real_at(1)->C_SetPIN(own, (CK_BYTE *)(uintptr_t) "5678", 4,
						   (CK_BYTE *)(uintptr_t)WORLD_PIN, 4),
			CKR_OK);
	CU_ASSERT_EQUAL(world_real_at(1)->C_CloseSession(own), CKR_OK);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	CU_ASSERT_TRUE(may_serve(1));
	CU_ASSERT_TRUE(is_in(1));
	end();
}

static void the_only_member_left_is_asked_though_it_refused(void)
{
	CK_SESSION_HANDLE s = begin_diverged();

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	lose(0);
	lose(2);
	CU_ASSERT_EQUAL(world_login(s, "5678"), CKR_OK);
	CU_ASSERT_TRUE(may_serve(1));
	CU_ASSERT_TRUE(is_in(1));
	end();
}

static void a_login_comes_back_with_its_member(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	lose_and_bring_back(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	CU_ASSERT_STRING_EQUAL(script_login[1].pin, WORLD_PIN);
	CU_ASSERT_TRUE(is_in(1));
	login_sync(world_group(), world_member_at(1));
	CU_ASSERT_EQUAL(script_logins(), 4);
	end();
}

static void a_member_that_was_down_gets_the_login_later(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	lose(2);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[2].calls, 0);
	bring_back(2);
	CU_ASSERT_EQUAL(script_login[2].calls, 1);
	CU_ASSERT_TRUE(is_in(2));
	CU_ASSERT_TRUE(may_serve(2));
	end();
}

/* What the route does when a member says CKR_USER_NOT_LOGGED_IN to a user who is logged in. */
static void a_login_that_is_lost_on_the_token_is_made_once_an_epoch(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");
	struct member *m = world_member_at(0);

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(world_real_at(0)->C_Logout(m->keeper->real), CKR_OK);
	for (unsigned i = 0; i < 3; i++) {
		atomic_store(&m->user, GROUP_PUBLIC);
		login_sync(world_group(), m);
		CU_ASSERT_EQUAL(script_login[0].calls, 2);
		CU_ASSERT_TRUE(is_in(0));
		CU_ASSERT_TRUE(may_serve(0));
	}
	CU_ASSERT_EQUAL(script_logout[0].calls, 0);
	lose_and_bring_back(0);
	CU_ASSERT_EQUAL(script_login[0].calls, 3);
	end();
}

static void a_kept_pin_that_is_refused_is_sent_once(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	script_login[1].answer = CKR_PIN_INCORRECT;
	lose_and_bring_back(1);
	lose_and_bring_back(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	CU_ASSERT_FALSE(may_serve(1));
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	CU_ASSERT_PTR_NOT_NULL(world_group()->pin);
	end();
}

static void a_kept_pin_that_could_not_be_sent_is_sent_in_the_next_epoch(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	script_login[1].answer = CKR_DEVICE_ERROR;
	script_login[1].after = 1;
	script_login[1].counts = 1;
	lose_and_bring_back(1);
	CU_ASSERT_FALSE(may_serve(1));
	lose_and_bring_back(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 3);
	CU_ASSERT_TRUE(may_serve(1));
	end();
}

static void without_a_kept_pin_only_that_member_is_left_out(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = false;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_PTR_NULL(world_group()->pin);
	lose_and_bring_back(0);
	CU_ASSERT_EQUAL(script_logins(), 3);
	CU_ASSERT_FALSE(may_serve(0));
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	lose_and_bring_back(1);
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	lose_and_bring_back(2);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC); /* nobody is left */
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE(may_serve(i));
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_logins(), 6);
	end();
}

static void a_member_that_was_left_out_serves_after_the_logout(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = false;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	lose_and_bring_back(0);
	CU_ASSERT_FALSE(may_serve(0));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_TRUE(may_serve(0));
	end();
}

static void a_member_with_its_own_pin_gets_that_one(void)
{
	CK_SESSION_HANDLE s = begin_mixed("5678");

	CU_ASSERT_EQUAL(world_login(s, "5678"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[0].calls, 1);
	CU_ASSERT_EQUAL(script_login[1].calls, 0);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_STRING_EQUAL(script_login[1].pin, "5678");
	CU_ASSERT_TRUE(is_in(1));
	lose_and_bring_back(1);
	CU_ASSERT_TRUE(is_in(1));
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	end();
}

static void an_own_pin_never_lets_anybody_in_unchecked(void)
{
	CK_SESSION_HANDLE s = begin_mixed("5678");

	lose(0);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(world_login(s, "5678"), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(login_in(s, CKU_USER, NULL, 0, NULL, 0), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_logins(), 0);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	end();
}

static void an_own_pin_that_is_refused_is_sent_again_only_when_it_changed(void)
{
	CK_SESSION_HANDLE s = begin_mixed("old one");

	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
		CU_ASSERT_FALSE(may_serve(1));
		CU_ASSERT_EQUAL(script_login[1].calls, 1);
		CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	}
	setenv(OWN_PIN, "5678", 1);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	CU_ASSERT_TRUE(may_serve(1));
	end();
}

static void an_own_pin_that_cannot_be_read_leaves_its_member_out(void)
{
	CK_SESSION_HANDLE s = begin_mixed("5678");

	unsetenv(OWN_PIN);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[1].calls, 0);
	CU_ASSERT_FALSE(may_serve(1));
	end();
}

static void where_all_have_their_own_the_application_needs_none(void)
{
	CK_SESSION_HANDLE s = begin_own(WORLD_PIN);

	CU_ASSERT_EQUAL(login_in(s, CKU_USER, NULL, 0, NULL, 0), CKR_OK);
	CU_ASSERT_TRUE(is_in(0));
	CU_ASSERT_TRUE(is_in(1));
	CU_ASSERT_PTR_NULL(world_group()->pin);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL(script_logins(), 4);
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(world_login(s, ""), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_logins(), 4);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	end();
}

static void where_all_own_pins_are_refused_nobody_is_logged_in(void)
{
	CK_SESSION_HANDLE s = begin_own("wrong");

	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(login_in(s, CKU_USER, NULL, 0, NULL, 0), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_logins(), 2);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	end();
}

static void the_security_officer_is_let_in_by_all_or_by_none(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	script_login[2].answer = CKR_PIN_LOCKED;
	CU_ASSERT_EQUAL(login_so(s, "so-1234"), CKR_PIN_LOCKED);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(script_login[i].calls, 1);
		CU_ASSERT_EQUAL(script_logout[i].calls, i < 2);
		CU_ASSERT_EQUAL(atomic_load(&world_member_at(i)->user), GROUP_PUBLIC);
	}
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	script_login[2].answer = CKR_OK;
	CU_ASSERT_EQUAL(login_so(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_logins(), 4);
	CU_ASSERT_EQUAL(login_so(s, "so-1234"), CKR_OK);
	CU_ASSERT_EQUAL(user(), GROUP_SO);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	end();
}

static void the_security_officer_needs_every_member(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);
	CK_SESSION_INFO info;

	lose(1);
	CU_ASSERT_EQUAL(login_so(s, "so-1234"), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_logins(), 0);
	CU_ASSERT_EQUAL(session_info(s, &info), CKR_OK);
	CU_ASSERT_EQUAL(info.ulDeviceError, CKR_TOKEN_NOT_PRESENT);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_wrong_pin_costs_one_try_on_one_token),
		UNIT(a_right_pin_is_sent_once_to_each),
		UNIT(a_logout_reaches_all),
		UNIT(the_last_session_takes_every_login_with_it),
		UNIT(the_preferred_member_is_asked_first),
		UNIT(a_member_that_fails_gives_no_verdict),
		UNIT(a_session_that_is_lost_is_replaced_before_the_pin_is_looked_at),
		UNIT(when_nobody_gives_a_verdict_the_login_fails),
		UNIT(a_member_with_another_pin_is_set_apart),
		UNIT(a_member_set_apart_gets_the_next_login),
		UNIT(the_only_member_left_is_asked_though_it_refused),
		UNIT(a_login_comes_back_with_its_member),
		UNIT(a_member_that_was_down_gets_the_login_later),
		UNIT(a_login_that_is_lost_on_the_token_is_made_once_an_epoch),
		UNIT(a_kept_pin_that_is_refused_is_sent_once),
		UNIT(a_kept_pin_that_could_not_be_sent_is_sent_in_the_next_epoch),
		UNIT(without_a_kept_pin_only_that_member_is_left_out),
		UNIT(a_member_that_was_left_out_serves_after_the_logout),
		UNIT(a_member_with_its_own_pin_gets_that_one),
		UNIT(an_own_pin_never_lets_anybody_in_unchecked),
		UNIT(an_own_pin_that_is_refused_is_sent_again_only_when_it_changed),
		UNIT(an_own_pin_that_cannot_be_read_leaves_its_member_out),
		UNIT(where_all_have_their_own_the_application_needs_none),
		UNIT(where_all_own_pins_are_refused_nobody_is_logged_in),
		UNIT(the_security_officer_is_let_in_by_all_or_by_none),
		UNIT(the_security_officer_needs_every_member),
	};

	return unit_run("core/login_many", tests, sizeof tests / sizeof tests[0]);
}

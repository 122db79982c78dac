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

/* Member 1 has another PIN than the others. */
static CK_SESSION_HANDLE begin_diverged(void)
{
	return begin(
		&(struct world_many){.count = 3,
				     .mode = "failover",
				     .token = "relogin = true;",
				     .module = {NULL, "env = { NULL_TOKEN_PIN = \"5678\"; };"}});
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
	world_end();
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
	world_end();
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
	world_end();
}

static void the_last_session_takes_every_login_with_it(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(script_logout[i].calls, 1);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	world_end();
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
	world_lose(0);
	world_lose(2);
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_EQUAL(script_logins(), 3);
	world_end();
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
	CU_ASSERT_FALSE(may_serve(0)); /* lost: it failed */
	CU_ASSERT_TRUE(is_in(1));
	CU_ASSERT_TRUE(is_in(2));
	login_sync(world_group(), world_member_at(0));
	CU_ASSERT_EQUAL(script_login[0].calls, 2); /* once an epoch */
	world_end();
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
	world_end();
}

static void a_login_waits_for_a_member_that_comes_back(void)
{
	CK_SESSION_HANDLE s =
		begin(&(struct world_many){.count = 2, .mode = "failover", .comes_back = true});

	world_lose(0);
	world_lose(1);
	CU_ASSERT_EQUAL(world_login(s, "wrong"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_logins(), 1);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	world_end();
}

/* What the first member does when a PIN comes: it dies, and is back at once. Its login waits for
 * the one that runs here. */
static CK_RV die_and_return(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len)
{
	(void)s, (void)user, (void)pin, (void)len;
	world_lose(0);
	CU_ASSERT_TRUE(member_up(world_member_at(0), true));
	atomic_store(&world_member_at(0)->serves, 1);
	return CKR_DEVICE_REMOVED;
}

static void a_login_that_failed_in_another_life_is_not_held_against_this_one(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	world_list_at(0)->C_Login = die_and_return;
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(atomic_load(&world_member_at(0)->state), MEMBER_UP);
	CU_ASSERT_TRUE(may_serve(0));
	world_list_at(0)->C_Login = world_real_at(0)->C_Login;
	login_sync(world_group(), world_member_at(0));
	CU_ASSERT_TRUE(is_in(0));
	world_end();
}

static void when_nobody_gives_a_verdict_the_login_fails(void)
{
	CK_SESSION_HANDLE s = begin_three(NULL);

	for (unsigned i = 0; i < 3; i++)
		script_login[i].answer = CKR_DEVICE_ERROR;
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(script_logins(), 3);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	world_end();
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
	world_restart(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 1);
	CU_ASSERT_FALSE(may_serve(1));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_FALSE(may_serve(1));
	world_end();
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
	world_end();
}

static void the_only_member_left_is_asked_though_it_refused(void)
{
	CK_SESSION_HANDLE s = begin_diverged();

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	world_lose(0);
	world_lose(2);
	CU_ASSERT_EQUAL(world_login(s, "5678"), CKR_OK);
	CU_ASSERT_TRUE(may_serve(1));
	CU_ASSERT_TRUE(is_in(1));
	world_end();
}

static void a_login_comes_back_with_its_member(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	world_restart(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	CU_ASSERT_STRING_EQUAL(script_login[1].pin, WORLD_PIN);
	CU_ASSERT_TRUE(is_in(1));
	login_sync(world_group(), world_member_at(1));
	CU_ASSERT_EQUAL(script_logins(), 4);
	world_end();
}

static void a_member_that_was_down_gets_the_login_later(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	world_lose(2);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_login[2].calls, 0);
	world_bring_back(2);
	CU_ASSERT_EQUAL(script_login[2].calls, 1);
	CU_ASSERT_TRUE(is_in(2));
	CU_ASSERT_TRUE(may_serve(2));
	world_end();
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
	world_restart(0);
	CU_ASSERT_EQUAL(script_login[0].calls, 3);
	world_end();
}

static void a_request_that_wants_a_login_takes_nobody_out(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = false;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	for (unsigned i = 0; i < 3; i++)
		atomic_store(&world_member_at(i)->user, GROUP_PUBLIC);
	for (unsigned i = 0; i < 3; i++) {
		login_sync(world_group(), world_member_at(i));
		CU_ASSERT_TRUE(is_in(i));
		CU_ASSERT_TRUE(may_serve(i));
	}
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	CU_ASSERT_EQUAL(script_logins(), 3);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL(login_so(s, "so-1234"), CKR_OK);
	atomic_store(&world_member_at(0)->user, GROUP_PUBLIC);
	login_sync(world_group(), world_member_at(0));
	CU_ASSERT_EQUAL(atomic_load(&world_member_at(0)->user), GROUP_SO);
	CU_ASSERT_TRUE(may_serve(0));
	world_end();
}

static void a_kept_pin_that_is_refused_is_sent_once(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	script_login[1].answer = CKR_PIN_INCORRECT;
	world_restart(1);
	world_restart(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	CU_ASSERT_FALSE(may_serve(1));
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	CU_ASSERT_PTR_NOT_NULL(world_group()->pin);
	world_end();
}

static void a_kept_pin_that_could_not_be_sent_is_sent_in_the_next_epoch(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = true;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	script_login[1].answer = CKR_DEVICE_ERROR;
	script_login[1].after = 1;
	script_login[1].counts = 1;
	world_restart(1);
	CU_ASSERT_FALSE(may_serve(1)); /* lost again at its login */
	world_bring_back(1);
	CU_ASSERT_EQUAL(script_login[1].calls, 3);
	CU_ASSERT_TRUE(may_serve(1));
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	world_end();
}

static void without_a_kept_pin_only_that_member_is_left_out(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = false;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_PTR_NULL(world_group()->pin);
	world_restart(0);
	CU_ASSERT_EQUAL(script_logins(), 3);
	CU_ASSERT_FALSE(may_serve(0));
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	world_restart(1);
	CU_ASSERT_EQUAL(user(), GROUP_USER);
	world_restart(2);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC); /* nobody is left */
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE(may_serve(i));
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_logins(), 6);
	world_end();
}

static void a_member_that_was_left_out_serves_after_the_logout(void)
{
	CK_SESSION_HANDLE s = begin_three("relogin = false;");

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	world_restart(0);
	CU_ASSERT_FALSE(may_serve(0));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_TRUE(may_serve(0));
	world_end();
}

static void *log_in_and_out(void *arg)
{
	CK_SESSION_HANDLE s = *(const CK_SESSION_HANDLE *)arg;
	unsigned *wrong = calloc(1, sizeof *wrong);

	for (unsigned i = 0; wrong && i < 200; i++) {
		CK_RV rv = world_login(s, WORLD_PIN);

		*wrong += rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN;
		rv = login_out(s);
		*wrong += rv != CKR_OK && rv != CKR_USER_NOT_LOGGED_IN;
	}
	return wrong;
}

/* What the health thread and calls do meanwhile. */
static void *sync_all(void *arg)
{
	const _Atomic int *is_over = arg;

	while (!atomic_load(is_over))
		for (unsigned i = 0; i < 3; i++)
			login_sync(world_group(), world_member_at(i));
	return NULL;
}

static void logins_and_members_that_come_back_do_not_disturb_each_other(void)
{
	CK_SESSION_HANDLE s[3] = {begin_three("relogin = true;"), world_open(), world_open()};
	pthread_t user_thread[3], sync_thread;
	_Atomic int is_over = 0;
	void *wrong = NULL;

	world_list_at(0)->C_Login = world_real_at(0)->C_Login; /* scripts count in one thread */
	world_list_at(1)->C_Login = world_real_at(1)->C_Login;
	world_list_at(2)->C_Login = world_real_at(2)->C_Login;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&sync_thread, NULL, sync_all, &is_over), 0);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&user_thread[i], NULL, log_in_and_out, &s[i]),
				      0);
	for (unsigned i = 0; i < 20; i++) {
		world_lose(i % 3);
		CU_ASSERT_TRUE(member_up(world_member_at(i % 3), true));
	}
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(pthread_join(user_thread[i], &wrong), 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(wrong);
		CU_ASSERT_EQUAL(*(unsigned *)wrong, 0);
		free(wrong);
	}
	atomic_store(&is_over, 1);
	CU_ASSERT_EQUAL(pthread_join(sync_thread, NULL), 0);
	CU_ASSERT_EQUAL(user(), GROUP_PUBLIC);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(atomic_load(&world_member_at(i)->user), GROUP_PUBLIC);
	CU_ASSERT_EQUAL(world_login(s[0], WORLD_PIN), CKR_OK);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE(is_in(i));
	world_end();
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
		UNIT(a_login_waits_for_a_member_that_comes_back),
		UNIT(a_login_that_failed_in_another_life_is_not_held_against_this_one),
		UNIT(when_nobody_gives_a_verdict_the_login_fails),
		UNIT(a_member_with_another_pin_is_set_apart),
		UNIT(a_member_set_apart_gets_the_next_login),
		UNIT(the_only_member_left_is_asked_though_it_refused),
		UNIT(a_login_comes_back_with_its_member),
		UNIT(a_member_that_was_down_gets_the_login_later),
		UNIT(a_login_that_is_lost_on_the_token_is_made_once_an_epoch),
		UNIT(a_request_that_wants_a_login_takes_nobody_out),
		UNIT(a_kept_pin_that_is_refused_is_sent_once),
		UNIT(a_kept_pin_that_could_not_be_sent_is_sent_in_the_next_epoch),
		UNIT(without_a_kept_pin_only_that_member_is_left_out),
		UNIT(a_member_that_was_left_out_serves_after_the_logout),
		UNIT(logins_and_members_that_come_back_do_not_disturb_each_other),
	};

	return unit_run("core/login_many", tests, sizeof tests / sizeof tests[0]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* core/login_member.c: members whose PIN the configuration has. It lets nobody in whose own PIN was
 * not checked, and one that is refused is not sent again. */
#include "core/login_member.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/group.h"
#include "core/health.h"
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

static void end(void)
{
	unsetenv(OWN_PIN);
	world_end();
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

static void a_member_with_its_own_pin_gets_that_one(void)
{
	CK_SESSION_HANDLE s = begin_mixed("5678");

	CU_ASSERT_EQUAL(world_login(s, "5678"), CKR_PIN_INCORRECT);
	CU_ASSERT_EQUAL(script_login[0].calls, 1);
	CU_ASSERT_EQUAL(script_login[1].calls, 0);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_STRING_EQUAL(script_login[1].pin, "5678");
	CU_ASSERT_TRUE(is_in(1));
	world_restart(1);
	CU_ASSERT_TRUE(is_in(1));
	CU_ASSERT_EQUAL(script_login[1].calls, 2);
	end();
}

static void an_own_pin_never_lets_anybody_in_unchecked(void)
{
	CK_SESSION_HANDLE s = begin_mixed("5678");

	world_lose(0);
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

static CK_RV open_no_more(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
			  CK_SESSION_HANDLE *session)
{
	(void)slot, (void)flags, (void)application, (void)notify, (void)session;
	return CKR_SESSION_COUNT;
}

/* A search there would not find what is private. */
static void a_member_that_is_not_logged_in_yet_does_not_serve(void)
{
	struct member *m;

	world_begin_many(
		&(struct world_many){.count = 2, .mode = "failover", .token = "relogin = true;"});
	m = world_member_at(1);
	CU_ASSERT_NOT_EQUAL_FATAL(world_enter(), 0);
	world_lose(1);
	world_list_at(1)->C_OpenSession = open_no_more;
	atomic_store(&m->is_returning, 0); /* the world keeps everybody else from it */
	CU_ASSERT_FALSE(health_bring_back(m));
	CU_ASSERT_FALSE(member_may_serve(m));
	CU_ASSERT_EQUAL(atomic_load(&m->state), MEMBER_UP); /* it is well */
	CU_ASSERT_STRING_EQUAL(m->reason, "no session for the login yet");
	CU_ASSERT(member_due_ms(m) > clock_ms());
	world_list_at(1)->C_OpenSession = world_real_at(1)->C_OpenSession;
	CU_ASSERT_TRUE(health_bring_back(m));
	CU_ASSERT_TRUE(member_may_serve(m));
	CU_ASSERT_EQUAL(atomic_load(&m->user), GROUP_USER);
	CU_ASSERT_STRING_EQUAL(m->reason, "");
	world_end();
}

/* It was taken for over, and is there still: private objects may have other numbers after it. */
static void a_login_that_is_made_anew_begins_an_epoch(void)
{
	CK_SESSION_HANDLE s = begin(
		&(struct world_many){.count = 2, .mode = "failover", .token = "relogin = true;"});
	struct member *m = world_member_at(1);
	unsigned epoch;

	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	script_logout[1].answer = CKR_FUNCTION_FAILED;
	script_logout[1].counts = 1;
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	epoch = atomic_load(&m->epoch);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(script_logout[1].calls, 2);
	CU_ASSERT_EQUAL(script_login[1].calls, 3);
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch + 1);
	CU_ASSERT_TRUE(is_in(1));
	CU_ASSERT_TRUE(may_serve(1));
	CU_ASSERT_EQUAL(m->keeper->epoch, epoch + 1);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_member_with_its_own_pin_gets_that_one),
		UNIT(an_own_pin_never_lets_anybody_in_unchecked),
		UNIT(an_own_pin_that_is_refused_is_sent_again_only_when_it_changed),
		UNIT(an_own_pin_that_cannot_be_read_leaves_its_member_out),
		UNIT(where_all_have_their_own_the_application_needs_none),
		UNIT(where_all_own_pins_are_refused_nobody_is_logged_in),
		UNIT(a_member_that_is_not_logged_in_yet_does_not_serve),
		UNIT(a_login_that_is_made_anew_begins_an_epoch),
	};

	return unit_run("core/login_member", tests, sizeof tests / sizeof tests[0]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A call whose session, login or object is gone on the member, or that comes when the member is
 * busy: it is asked once more when that was put right, or another one is. */
#include "core/again.h"

#include "core/base/clock.h"
#include "tests/unit/core/heard.h"

/* One new session on the same member, then another member. */
static void a_lost_session_is_replaced_once(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
	CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[0]);
	CU_ASSERT_EQUAL(asked, 0);
	trip.same = NULL;
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
	CU_ASSERT_PTR_NULL(trip.same);
	CU_ASSERT_EQUAL(asked, 1);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	call.member = &trio_member[1]; /* each member once */
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
	CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[1]);
}

/* Nothing shows that not all of its sessions were lost: what handles denote now is not known. */
static void a_member_that_lost_all_sessions_begins_anew(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	bad_sessions = 2;
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(refreshed, 0); /* an older one lives */
	CU_ASSERT_EQUAL(dropped, 2);
	idle.serial = 6;
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(refreshed, 1); /* only one that may have been opened since */
	has_good_one = false;
	bad_sessions = 2;
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(refreshed, 2);
	CU_ASSERT_EQUAL(dropped, 4);
	atomic_store(&trio.user, GROUP_USER);
	atomic_store(&trio_member[0].user, GROUP_USER);
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(refreshed, 3); /* its sessions do not show the login */
	atomic_store(&trio_member[0].shows_login, 1);
	atomic_store(&trio_member[0].login_serial, 5);
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(refreshed, 4); /* it was opened before the login */
	atomic_store(&trio_member[0].login_serial, 4);
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(refreshed, 4);
	CU_ASSERT_EQUAL(renewed, 0);
	begin(CONFIG_MODE_FAILOVER, CALL_C_Login); /* its lock is held */
	has_good_one = false;
	CU_ASSERT_FALSE(is_again(OUTCOME_SESSION, CKR_SESSION_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(renewed, 1);
	CU_ASSERT_EQUAL(refreshed, 0);
}

static void a_busy_member_is_passed_over(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	trip.waits = true;
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	CU_ASSERT_FALSE(trip.is_patient);
	call.member = &trio_member[1];
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	call.member = &trio_member[2];
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv)); /* all are: one waits */
	CU_ASSERT_TRUE(trip.is_patient);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), ALL);
	trip.failed = trip.busy = 3;
	clock_set_ms(trip.deadline_ms); /* as long as the budget lasts */
	CU_ASSERT_FALSE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	CU_ASSERT_EQUAL(trip.verdict, CKR_SESSION_COUNT);
	CU_ASSERT_EQUAL(asked + lost, 0);
	trip = (struct trip){.failed = 3, .failed_epoch = failed_epoch};
	CU_ASSERT_FALSE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv)); /* or not at all */
	clock_set_ms(-1);
}

/* It is waited for, not one that failed; that one is asked once more in the end. */
static void a_busy_member_comes_before_one_that_failed(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	trip.waits = true;
	trip.lacking = 4;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_DEVICE_ERROR, &rv));
	call.member = &trio_member[1];
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	CU_ASSERT_TRUE(trip.is_patient);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 2);
	clock_set_ms(trip.deadline_ms);
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 1);
	clock_set_ms(-1);
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	call.member = &trio_member[1];
	call.sends = 1;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_DEVICE_ERROR, &rv)); /* it may have time now */
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 5);
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	trip.waits = true;
	trip.lacking = 4;
	CU_ASSERT_FALSE(again_busy(&call, &trip, ALL)); /* nobody is */
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	call.member = &trio_member[1];
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 0);
	CU_ASSERT_TRUE(again_busy(&call, &trip, ALL));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 1);
	trip.failed = 3;
	trip.busy = 1;
	clock_set_ms(trip.deadline_ms);
	CU_ASSERT_FALSE(again_busy(&call, &trip, ALL)); /* as long as the budget lasts */
	clock_set_ms(-1);
}

static void a_member_without_a_session_did_nothing(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	CU_ASSERT_EQUAL(call.sends, 0);
	call.id = CALL_C_Login;
	CU_ASSERT_FALSE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	CU_ASSERT_EQUAL(rv, CKR_SESSION_COUNT);
}

/* Memory may have been out in the middle of making something. */
static void a_member_without_memory_may_have_done_it(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	CU_ASSERT_FALSE(is_again(OUTCOME_BUSY, CKR_DEVICE_MEMORY, &rv));
	CU_ASSERT_EQUAL(rv, CKR_DEVICE_MEMORY);
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_DEVICE_MEMORY, &rv));
}

/* It is the last answer that counts for that, not the first. */
static void what_another_member_said_does_not_matter(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
	call.member = &trio_member[1];
	call.sends = 1;
	CU_ASSERT_FALSE(is_again(OUTCOME_BUSY, CKR_DEVICE_MEMORY, &rv));
	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	CU_ASSERT_TRUE(is_again(OUTCOME_LACKS, CKR_MECHANISM_INVALID, &rv));
	call.member = &trio_member[1];
	CU_ASSERT_TRUE(is_again(OUTCOME_BUSY, CKR_SESSION_COUNT, &rv));
}

static void a_member_that_forgot_the_login_is_logged_in_once(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_FALSE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv)); /* nobody did */
	CU_ASSERT_EQUAL(rv, CKR_USER_NOT_LOGGED_IN);
	atomic_store(&trio.user, GROUP_USER);
	atomic_store(&trio_member[0].user, GROUP_USER);
	call.sends = 1;
	atomic_store(&trio_member[0].shows_login, 1);
	CU_ASSERT_FALSE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv)); /* it is in */
	CU_ASSERT_EQUAL(renewed, 0);
	state = CKS_RW_PUBLIC_SESSION;
	bad_sessions = 3;
	given = 0;
	CU_ASSERT_TRUE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv));
	CU_ASSERT_EQUAL(renewed, 1);
	CU_ASSERT_EQUAL(dropped, 3);
	CU_ASSERT_EQUAL(given, 2);
	CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[0]);
	trip.same = NULL;
	CU_ASSERT_TRUE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv));
	CU_ASSERT_PTR_NULL(trip.same);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
}

/* Two calls were told that nobody is logged in; the other one was faster. */
static void a_login_that_another_call_restored_is_used(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	atomic_store(&trio.user, GROUP_USER);
	atomic_store(&trio_member[0].user, GROUP_USER);
	call.made_epoch = 6; /* that was in the life before */
	CU_ASSERT_TRUE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv));
	CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[0]);
	CU_ASSERT_EQUAL(renewed, 0);
}

/* It was not asked because nobody was logged in there, and then somebody was. */
static void a_login_that_came_meanwhile_is_used(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	atomic_store(&trio.user, GROUP_USER);
	atomic_store(&trio_member[0].user, GROUP_USER);
	call.sends = trip.before = 1;
	CU_ASSERT_TRUE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv));
	CU_ASSERT_EQUAL(call.sends, 1);
	CU_ASSERT_EQUAL(trip.verdict, CKR_OK);
}

/* It had no session for the login a moment ago: it did nothing. */
static void a_member_that_is_not_logged_in_yet_is_busy(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	atomic_store(&trio.user, GROUP_USER);
	CU_ASSERT_TRUE(is_again(OUTCOME_AUTH, CKR_USER_NOT_LOGGED_IN, &rv));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	CU_ASSERT_EQUAL(trip.verdict, CKR_OK); /* the application is logged in */
	CU_ASSERT_EQUAL(renewed, 0);
}

static void an_object_is_looked_for_again_once(void)
{
	struct mech mech = {.handle_count = 1};
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	mech.handle[0].virtual = 23;
	call.mech = &mech;
	call.object[0] = (struct call_object){21, CKR_KEY_HANDLE_INVALID};
	call.object[1] = (struct call_object){22, CKR_KEY_HANDLE_INVALID};
	op.key = 24;
	call.op = &op;
	CU_ASSERT_TRUE(is_again(OUTCOME_HANDLE, CKR_KEY_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(forgotten_count, 4);
	for (CK_OBJECT_HANDLE i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(forgotten[i], 21 + i);
	CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[0]);
	trip.same = NULL;
	CU_ASSERT_TRUE(is_again(OUTCOME_HANDLE, CKR_KEY_HANDLE_INVALID, &rv));
	CU_ASSERT_PTR_NULL(trip.same);
	CU_ASSERT_EQUAL(trip.lacking, 1);
	CU_ASSERT_EQUAL(trip.verdict, CKR_KEY_HANDLE_INVALID);
	call.sends = 4;
	trip.before = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_HANDLE, CKR_KEY_HANDLE_INVALID, &rv));
}

/* A store that is gone calls a good key's handle bad. */
static void a_handle_is_not_bad_when_the_member_is(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	is_well = false;
	call.object[0] = (struct call_object){21, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_TRUE(is_again(OUTCOME_HANDLE, CKR_KEY_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(forgotten_count, 0);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	CU_ASSERT_EQUAL(trip.lacking, 0);
}

static const struct unit_test tests[] = {
	UNIT(a_lost_session_is_replaced_once),
	UNIT(a_member_that_lost_all_sessions_begins_anew),
	UNIT(a_busy_member_is_passed_over),
	UNIT(a_busy_member_comes_before_one_that_failed),
	UNIT(a_member_without_a_session_did_nothing),
	UNIT(a_member_without_memory_may_have_done_it),
	UNIT(what_another_member_said_does_not_matter),
	UNIT(a_member_that_forgot_the_login_is_logged_in_once),
	UNIT(a_login_that_another_call_restored_is_used),
	UNIT(a_login_that_came_meanwhile_is_used),
	UNIT(a_member_that_is_not_logged_in_yet_is_busy),
	UNIT(an_object_is_looked_for_again_once),
	UNIT(a_handle_is_not_bad_when_the_member_is),
};

UNIT_MAIN("core/again_later", tests)

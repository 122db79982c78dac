/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether, and where, a call is sent again: for calls that may be sent again, that may have been
 * done, and that never are; dead members, doubtful answers, verdicts about ciphertexts. */
#include "core/again.h"

#include "tests/unit/core/heard.h"

static void what_was_not_sent_yet_may_be_sent_unless_it_never_may(void)
{
	static const struct {
		enum call_id id;
		bool is_safe;
	} calls[] = {{CALL_C_Sign, true},
		     {CALL_C_GenerateKey, true},
		     {CALL_C_Login, false},
		     {CALL_C_SetPIN, false}};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		begin(CONFIG_MODE_FAILOVER, calls[i].id);
		call.sends = 0;
		CU_ASSERT_EQUAL(again_is_safe(&call), calls[i].is_safe);
	}
}

/* What was sent may be repeated when it is safe, up to the configured number of times. */
static void what_was_sent_may_be_repeated_only_when_it_is_safe(void)
{
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	call.place = CALL_KEEP;
	for (call.sends = 1; call.sends < 6; call.sends++)
		CU_ASSERT_EQUAL(again_is_safe(&call), call.sends < 3);
	call.sends = 1;
	call.place = CALL_HOME; /* what it made there is there */
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.place = CALL_TOKEN;
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.place = CALL_BORROW;
	call.id = CALL_C_GenerateKey;
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.id = CALL_C_InitPIN;
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.id = CALL_C_FindObjects; /* never leaves us */
	CU_ASSERT_FALSE(again_is_safe(&call));
}

/* Attributes are read again only when what was asked is still known. */
static void a_template_that_a_member_changed_is_not_sent_again(void)
{
	CK_ATTRIBUTE asked_for = {CKA_LABEL, NULL, 0};

	begin(CONFIG_MODE_FAILOVER, CALL_C_GetAttributeValue);
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.asked = &asked_for;
	CU_ASSERT_TRUE(again_is_safe(&call));
}

static void an_operation_is_sent_again_when_it_can_be_moved(void)
{
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignUpdate);
	call.place = CALL_BOUND;
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.sends = 0;
	CU_ASSERT_FALSE(again_is_safe(&call));
	call.op = &op;
	CU_ASSERT_TRUE(again_is_safe(&call));
	call.sends = 2;
	CU_ASSERT_TRUE(again_is_safe(&call));
	op.is_fixed = true;
	CU_ASSERT_FALSE(again_is_safe(&call));
	op.is_fixed = false;
	op.journal.is_lost = true;
	CU_ASSERT_FALSE(again_is_safe(&call));
	op.journal.is_lost = false;
	call.sends = 3;
	CU_ASSERT_FALSE(again_is_safe(&call));
}

/* A dead member: the next one for calls that may be repeated; others have failed. */
static void a_dead_member_is_lost_and_the_next_is_asked(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	CU_ASSERT_EQUAL(lost, 1);
	CU_ASSERT_EQUAL(lost_epoch, 7);
	CU_ASSERT_EQUAL(lost_rv, CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	CU_ASSERT_PTR_NULL(trip.same);
	call.sends = 3;
	call.member = &trio_member[1];
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv)); /* once more than that */
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 4);
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	CU_ASSERT_EQUAL(rv, CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(lost, 3);
}

static void what_may_have_been_done_is_not_done_twice(void)
{
	static const enum call_id ids[] = {CALL_C_GenerateKey, CALL_C_CreateObject,
					   CALL_C_UnwrapKey, CALL_C_Login};
	static const enum outcome outcomes[] = {OUTCOME_DEAD, OUTCOME_SESSION};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		for (size_t k = 0; k < 2; k++) {
			CK_RV rv;

			begin(CONFIG_MODE_FAILOVER, ids[i]);
			CU_ASSERT_FALSE(is_again(outcomes[k], CKR_SESSION_CLOSED, &rv));
			CU_ASSERT_EQUAL(rv, CKR_DEVICE_ERROR);
			CU_ASSERT_PTR_NULL(trip.same);
		}
}

/* What is destroyed, or set, stays so when it is asked for again; so does what goes with its
 * session. */
static void what_changes_nothing_the_second_time_is_done_again(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_DestroyObject);
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	begin(CONFIG_MODE_FAILOVER, CALL_C_SetAttributeValue);
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	call.place = CALL_HOME;
	call.is_volatile = true;
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	begin(CONFIG_MODE_PASSTHROUGH, CALL_C_DestroyObject);
	CU_ASSERT_FALSE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
}

/* What was not sent at all may go to the next member, whatever it does. */
static void what_never_arrived_goes_elsewhere(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	call.sends = 0;
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	call.id = CALL_C_Login;
	CU_ASSERT_FALSE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
}

static void a_member_that_lacks_it_leaves_it_to_the_others(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_TRUE(is_again(OUTCOME_LACKS, CKR_MECHANISM_INVALID, &rv));
	call.member = &trio_member[1];
	CU_ASSERT_TRUE(is_again(OUTCOME_LACKS, CKR_KEY_SIZE_RANGE, &rv));
	call.member = &trio_member[2];
	CU_ASSERT_FALSE(is_again(OUTCOME_LACKS, CKR_FUNCTION_NOT_SUPPORTED, &rv));
	CU_ASSERT_EQUAL(trip.lacking, ALL);
	CU_ASSERT_EQUAL(trip.verdict, CKR_MECHANISM_INVALID); /* the first one said it best */
	CU_ASSERT_EQUAL(asked + lost, 0);                     /* no breaker is told */
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	trip.failed = 6; /* they have it, and may come back */
	CU_ASSERT_TRUE(is_again(OUTCOME_LACKS, CKR_KEY_HANDLE_INVALID, &rv));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey); /* nothing was made */
	CU_ASSERT_TRUE(is_again(OUTCOME_LACKS, CKR_MECHANISM_INVALID, &rv));
	call.id = CALL_C_Login;
	CU_ASSERT_FALSE(is_again(OUTCOME_LACKS, CKR_FUNCTION_NOT_SUPPORTED, &rv));
	CU_ASSERT_EQUAL(rv, CKR_FUNCTION_NOT_SUPPORTED);
}

static void attempts_are_counted_for_what_members_lack_too(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_LACKS, CKR_MECHANISM_INVALID, &rv));
	CU_ASSERT_EQUAL(rv, CKR_MECHANISM_INVALID);
}

static void a_doubtful_code_is_heard_from_a_second_member(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_Sign);
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(asked, 1);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	CU_ASSERT_PTR_NULL(trip.same);
	call.member = &trio_member[1];
	call.sends = 2;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_FUNCTION_FAILED, &rv));
	call.member = &trio_member[2];
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(rv, CKR_GENERAL_ERROR); /* what was said first */
}

/* Where there is no second one, the same is asked once more. */
static void a_doubtful_code_of_the_only_member_is_confirmed_by_it(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_Sign);
	trio_lose(1);
	trio_lose(2);
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[0]);
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(rv, CKR_GENERAL_ERROR);
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_DEVICE_ERROR, &rv)); /* this judges nothing */
	CU_ASSERT_TRUE(trip.is_desperate);
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_DEVICE_ERROR, &rv)); /* once */
}

static void a_doubtful_code_of_a_member_in_trouble_is_none(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_Sign);
	is_well = false;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(trip.verdict, CKR_OK);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	call.sends = 3;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv)); /* once more than that */
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(rv, CKR_DEVICE_ERROR);
}

/* What it answered before the call failed does not show that it was alive then. */
static void the_last_word_of_a_member_counts_when_it_is_alive_afterwards(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(rv, CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(fresh_asked, 1);
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	call.sends = 3;
	is_still_well = false;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv)); /* elsewhere */
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	CU_ASSERT_EQUAL(trip.verdict, CKR_OK);
	call.sends = 3;
	call.member = &trio_member[1];
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(fresh_asked, 1);
	begin(CONFIG_MODE_FAILOVER, CALL_C_Decrypt);
	call.sends = 3;
	is_still_well = false;
	CU_ASSERT_FALSE(
		is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv)); /* no time is lost on it */
	CU_ASSERT_EQUAL(fresh_asked, 0);
}

/* Lost and back while the call was there: what it said is of another life. */
static void the_last_word_of_a_member_that_came_back_does_not_count(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	atomic_fetch_add(&trio_member[0].epoch, 2);
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(trip.verdict, CKR_OK);
	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	call.sends = 3;
	returns_when_asked = true;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(fresh_asked, 1);
	CU_ASSERT_EQUAL(trip.verdict, CKR_OK);
}

static void who_failed_at_what_another_could_do_is_to_blame(void)
{
	static const struct {
		enum outcome outcome;
		CK_RV rv;
		unsigned blamed;
	} answers[] = {
		{OUTCOME_SUSPECT, CKR_DEVICE_ERROR, 1},    {OUTCOME_SUSPECT, 0x80000001, 1},
		{OUTCOME_SUSPECT, CKR_GENERAL_ERROR, 0}, /* may be about the request */
		{OUTCOME_SUSPECT, CKR_FUNCTION_FAILED, 0}, {OUTCOME_SESSION, CKR_SESSION_CLOSED, 0},
		{OUTCOME_BUSY, CKR_DEVICE_MEMORY, 0}};
	CK_RV rv;

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
		CU_ASSERT_TRUE(is_again(answers[i].outcome, answers[i].rv, &rv));
		again_settle(&trip, &trio_member[0]); /* the same one: a moment's failure */
		CU_ASSERT_EQUAL(blamed, 0);
		again_settle(&trip, &trio_member[1]);
		CU_ASSERT_EQUAL(blamed, answers[i].blamed);
		CU_ASSERT_EQUAL(lost_rv, blamed ? answers[i].rv : CKR_OK);
	}
}

static void everybody_may_be_asked_once_more(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_FALSE(again_all_over(&call, &trip, ALL)); /* nobody failed */
	trip.failed = 5;
	trip.lacking = 1;
	atomic_store(&trio_member[2].serves, 0);
	CU_ASSERT_FALSE(again_all_over(&call, &trip, ALL)); /* nobody who could do it serves */
	atomic_store(&trio_member[2].serves, 1);
	CU_ASSERT_TRUE(again_all_over(&call, &trip, ALL));
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	trip.failed = 6;
	CU_ASSERT_TRUE(again_all_over(&call, &trip, ALL));
	trip.failed = 6;
	CU_ASSERT_FALSE(again_all_over(&call, &trip, ALL)); /* three times in all */
	begin(CONFIG_MODE_FAILOVER, CALL_C_GenerateKey);
	CU_ASSERT_FALSE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
	CU_ASSERT_FALSE(again_all_over(&call, &trip, ALL)); /* may have made one */
}

static void a_second_time_may_be_forbidden(void)
{
	static const enum outcome outcomes[] = {OUTCOME_DEAD, OUTCOME_SUSPECT};
	CK_RV rv;

	for (size_t i = 0; i < 2; i++) {
		begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
		trio_config.retry.attempts = 1;
		CU_ASSERT_FALSE(is_again(outcomes[i], CKR_DEVICE_REMOVED, &rv));
	}
}

/* What failed in another life of a member says nothing about this one. */
static void a_member_that_came_back_is_asked_again(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_SignInit);
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	again_forgive(&trio, &trip);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 6);
	call.member = &trio_member[2];
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	again_forgive(&trio, &trip);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 2);
	atomic_store(&trio_member[0].epoch, 9);
	again_forgive(&trio, &trip);
	CU_ASSERT_EQUAL(again_left(&trip, ALL), 3);
}

/* A verdict about a ciphertext is asked for twice at the most, and of one member only. */
static void an_oracle_is_asked_of_one_member_only(void)
{
	static const struct {
		enum call_id id;
		CK_RV code;
	} calls[] = {{CALL_C_Decrypt, CKR_ENCRYPTED_DATA_INVALID},
		     {CALL_C_DecryptFinal, CKR_ENCRYPTED_DATA_INVALID},
		     {CALL_C_DecryptMessage, CKR_ENCRYPTED_DATA_INVALID},
		     {CALL_C_VerifyRecover, CKR_GENERAL_ERROR}};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		CK_RV rv;

		begin(CONFIG_MODE_FAILOVER, calls[i].id);
		call.place = CALL_BOUND;
		call.op = &op;
		CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
		CU_ASSERT_PTR_EQUAL(trip.same, &trio_member[0]);
		CU_ASSERT_EQUAL(trip.failed, 0);
		call.sends = 2;
		CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
		CU_ASSERT_EQUAL(rv, calls[i].code);
	}
}

/* Unwrapping makes an object: it is not even confirmed. */
static void a_key_that_cannot_be_unwrapped_is_not_tried_again(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_FAILOVER, CALL_C_UnwrapKey);
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(rv, CKR_WRAPPED_KEY_INVALID);
	CU_ASSERT_FALSE(is_again(OUTCOME_DONE, CKR_DATA_INVALID, &rv)); /* an answer */
	CU_ASSERT_EQUAL(rv, CKR_DATA_INVALID);
}

static void an_only_member_that_is_alive_has_answered(void)
{
	CK_RV rv;

	begin(CONFIG_MODE_PASSTHROUGH, CALL_C_SignInit);
	CU_ASSERT_FALSE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(rv, CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(alive_asked, 1);
	CU_ASSERT_EQUAL(lost, 0);
	is_well = false;
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(lost, 0);
	call.sends = 2; /* the second time it is lost */
	CU_ASSERT_TRUE(is_again(OUTCOME_SUSPECT, CKR_GENERAL_ERROR, &rv));
	CU_ASSERT_EQUAL(lost, 1);
	CU_ASSERT_EQUAL(lost_rv, CKR_GENERAL_ERROR);
}

/* Handles of an only member end with its epoch. */
static void an_only_member_is_asked_again_about_no_object(void)
{
	struct mech mech = {.handle_count = 0};
	CK_RV rv;

	begin(CONFIG_MODE_PASSTHROUGH, CALL_C_SignInit);
	call.mech = &mech;
	CU_ASSERT_TRUE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	CU_ASSERT_EQUAL(lost, 1);
	call.object[0] = (struct call_object){21, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_FALSE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	CU_ASSERT_EQUAL(rv, CKR_DEVICE_ERROR);
	CU_ASSERT_TRUE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv)); /* it is still there */
	call.object[0] = (struct call_object){0};
	mech.handle_count = 1;
	CU_ASSERT_FALSE(is_again(OUTCOME_DEAD, CKR_DEVICE_REMOVED, &rv));
	call.sends = 3;
	CU_ASSERT_FALSE(is_again(OUTCOME_SESSION, CKR_SESSION_CLOSED, &rv));
	CU_ASSERT_EQUAL(rv, CKR_DEVICE_ERROR);
}

static const struct unit_test tests[] = {
	UNIT(what_was_not_sent_yet_may_be_sent_unless_it_never_may),
	UNIT(what_was_sent_may_be_repeated_only_when_it_is_safe),
	UNIT(a_template_that_a_member_changed_is_not_sent_again),
	UNIT(an_operation_is_sent_again_when_it_can_be_moved),
	UNIT(a_dead_member_is_lost_and_the_next_is_asked),
	UNIT(what_may_have_been_done_is_not_done_twice),
	UNIT(what_changes_nothing_the_second_time_is_done_again),
	UNIT(what_never_arrived_goes_elsewhere),
	UNIT(a_member_that_lacks_it_leaves_it_to_the_others),
	UNIT(attempts_are_counted_for_what_members_lack_too),
	UNIT(a_doubtful_code_is_heard_from_a_second_member),
	UNIT(a_doubtful_code_of_the_only_member_is_confirmed_by_it),
	UNIT(a_doubtful_code_of_a_member_in_trouble_is_none),
	UNIT(the_last_word_of_a_member_counts_when_it_is_alive_afterwards),
	UNIT(the_last_word_of_a_member_that_came_back_does_not_count),
	UNIT(who_failed_at_what_another_could_do_is_to_blame),
	UNIT(everybody_may_be_asked_once_more),
	UNIT(a_second_time_may_be_forbidden),
	UNIT(a_member_that_came_back_is_asked_again),
	UNIT(an_oracle_is_asked_of_one_member_only),
	UNIT(a_key_that_cannot_be_unwrapped_is_not_tried_again),
	UNIT(an_only_member_that_is_alive_has_answered),
	UNIT(an_only_member_is_asked_again_about_no_object),
};

UNIT_MAIN("core/again", tests)

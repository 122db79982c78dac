/* SPDX-License-Identifier: BSD-2-Clause */
/* core/route.c: what return codes mean, and what is done about them. */
#include "core/route.h"

#include <string.h>

#include "core/login.h"
#include "core/member.h"
#include "core/mux.h"
#include "core/object.h"
#include "core/object_call.h"
#include "core/key.h"
#include "core/operation.h"
#include "core/vendor.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* Answers that the member gives before it works again. */
static CK_RV answers[8];
static unsigned answered;
static unsigned sent;

static void script(CK_RV a, CK_RV b, CK_RV c)
{
	memset(answers, 0, sizeof answers);
	answers[0] = a;
	answers[1] = b;
	answers[2] = c;
	answered = sent = 0;
}

static CK_RV next(void)
{
	sent++;
	return answers[answered] == CKR_OK ? CKR_OK : answers[answered++];
}

static CK_RV random_scripted(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	CK_RV rv = next();

	return rv == CKR_OK ? world_real()->C_GenerateRandom(session, out, len) : rv;
}

static CK_RV create_scripted(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
			     CK_OBJECT_HANDLE *object)
{
	CK_RV rv = next();

	return rv == CKR_OK ? world_real()->C_CreateObject(session, tmpl, count, object) : rv;
}

static CK_RV sign_init_scripted(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_RV rv = next();

	return rv == CKR_OK ? world_real()->C_SignInit(session, m, key) : rv;
}

static CK_RV sign_scripted(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			   CK_ULONG *out_len)
{
	CK_RV rv = next();

	return rv == CKR_OK ? world_real()->C_Sign(session, in, in_len, out, out_len) : rv;
}

static CK_RV token_is_gone(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	(void)slot;
	(void)info;
	return CKR_TOKEN_NOT_PRESENT;
}

static CK_RV draw(CK_SESSION_HANDLE session)
{
	CK_BYTE bytes[16];

	return key_random(session, bytes, sizeof bytes);
}

static void codes_have_the_meaning_of_the_table(void)
{
	static const struct {
		CK_RV code;
		enum outcome outcome;
	} rows[] = {
		{CKR_OK, OUTCOME_DONE},
		{CKR_PIN_INCORRECT, OUTCOME_DONE},
		{CKR_SIGNATURE_INVALID, OUTCOME_DONE},
		{CKR_HOST_MEMORY, OUTCOME_DONE},
		{CKR_DEVICE_MEMORY, OUTCOME_DONE},
		{CKR_BUFFER_TOO_SMALL, OUTCOME_DONE},
		{CKR_SESSION_COUNT, OUTCOME_DONE},
		{CKR_USER_NOT_LOGGED_IN, OUTCOME_DONE},
		{CKR_SESSION_HANDLE_INVALID, OUTCOME_SESSION},
		{CKR_SESSION_CLOSED, OUTCOME_SESSION},
		{CKR_DEVICE_REMOVED, OUTCOME_DEAD},
		{CKR_TOKEN_NOT_PRESENT, OUTCOME_DEAD},
		{CKR_TOKEN_NOT_RECOGNIZED, OUTCOME_DEAD},
		{CKR_SLOT_ID_INVALID, OUTCOME_DEAD},
		{CKR_CRYPTOKI_NOT_INITIALIZED, OUTCOME_DEAD},
		{(CK_RV)-1, OUTCOME_DEAD},
		{CKR_GENERAL_ERROR, OUTCOME_SUSPECT},
		{CKR_FUNCTION_FAILED, OUTCOME_SUSPECT},
		{CKR_DEVICE_ERROR, OUTCOME_SUSPECT},
		{CKR_OBJECT_HANDLE_INVALID, OUTCOME_SUSPECT},
		{CKR_KEY_HANDLE_INVALID, OUTCOME_SUSPECT},
		{CKR_VENDOR_DEFINED | 1, OUTCOME_SUSPECT},
		{0x4711, OUTCOME_SUSPECT},
	};
	struct call call = {.id = CALL_C_Sign, .place = CALL_BOUND};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (route_outcome(vendor_generic(), &call, rows[i].code) != rows[i].outcome) {
			(void)printf("0x%lx\n", rows[i].code);
			CU_FAIL("another meaning");
		}
}

static void an_active_operation_means_a_dirty_session_where_one_was_borrowed(void)
{
	static const struct {
		enum call_place place;
		enum outcome outcome;
	} rows[] = {{CALL_BORROW, OUTCOME_SESSION},
		    {CALL_KEEP, OUTCOME_SESSION},
		    {CALL_BOUND, OUTCOME_DONE},
		    {CALL_HOME, OUTCOME_DONE}};
	struct call call = {.id = CALL_C_SignInit};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		call.place = rows[i].place;
		CU_ASSERT_EQUAL(route_outcome(vendor_generic(), &call, CKR_OPERATION_ACTIVE),
				rows[i].outcome);
	}
}

static void a_search_that_finds_nothing_is_suspicious(void)
{
	struct buf found = {0};
	struct call call = {.id = CALL_C_FindObjectsInit, .found = &found};

	CU_ASSERT_EQUAL(route_outcome(vendor_generic(), &call, CKR_OK), OUTCOME_SUSPECT);
	found.len = sizeof(CK_OBJECT_HANDLE);
	CU_ASSERT_EQUAL(route_outcome(vendor_generic(), &call, CKR_OK), OUTCOME_DONE);
}

static void a_makers_own_meaning_goes_first(void)
{
	struct vendor_code codes[] = {{CKR_DEVICE_REMOVED, VENDOR_VERDICT},
				      {CKR_VENDOR_DEFINED | 7, VENDOR_SESSION_LOST},
				      {CKR_DEVICE_MEMORY, VENDOR_MEMBER_DEAD},
				      {CKR_GENERAL_ERROR, VENDOR_BUSY}};
	struct vendor vendor = {.codes = codes, .code_count = 4};
	struct call call = {.id = CALL_C_Sign};

	CU_ASSERT_EQUAL(route_outcome(&vendor, &call, CKR_DEVICE_REMOVED), OUTCOME_DONE);
	CU_ASSERT_EQUAL(route_outcome(&vendor, &call, CKR_VENDOR_DEFINED | 7), OUTCOME_SESSION);
	CU_ASSERT_EQUAL(route_outcome(&vendor, &call, CKR_DEVICE_MEMORY), OUTCOME_DEAD);
	CU_ASSERT_EQUAL(route_outcome(&vendor, &call, CKR_GENERAL_ERROR), OUTCOME_DONE);
	CU_ASSERT_EQUAL(route_outcome(&vendor, &call, CKR_FUNCTION_FAILED), OUTCOME_SUSPECT);
}

static void a_lost_session_is_replaced_for_a_call_that_may_be_repeated(void)
{
	CK_SESSION_HANDLE s;

	world_begin(NULL, NULL);
	s = world_open();
	world_list()->C_GenerateRandom = random_scripted;
	script(CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_OK);
	CU_ASSERT_EQUAL(draw(s), CKR_OK);
	CU_ASSERT_EQUAL(sent, 3);
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_UP);
	CU_ASSERT_EQUAL(world_sessions(), 1);
	world_end();
}

/* Spoils the length that it was given, then says that its session is lost, once. */
static CK_ULONG length_seen;

static CK_RV read_scripted(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			   CK_ULONG count)
{
	CK_RV rv = next();

	length_seen = tmpl[0].ulValueLen;
	if (rv == CKR_OK)
		return world_real()->C_GetAttributeValue(session, object, tmpl, count);
	tmpl[0].ulValueLen = 1000000;
	return rv;
}

static void lengths_of_a_failed_attempt_are_not_sent_again(void)
{
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;

	world_begin(NULL, NULL);
	session = world_enter();
	key = world_find(session, CKO_PRIVATE_KEY);
	world_list()->C_GetAttributeValue = read_scripted;
	script(CKR_SESSION_HANDLE_INVALID, CKR_OK, CKR_OK);
	CU_ASSERT_EQUAL(object_read(session, key, &a, 1), CKR_OK);
	CU_ASSERT_EQUAL(sent, 2);
	CU_ASSERT_EQUAL(length_seen, sizeof class);
	CU_ASSERT_EQUAL(class, CKO_PRIVATE_KEY);
	world_end();
}

static void what_makes_something_is_sent_once(void)
{
	CK_SESSION_HANDLE s;

	world_begin(NULL, NULL);
	s = world_open();
	world_list()->C_CreateObject = create_scripted;
	script(CKR_SESSION_HANDLE_INVALID, CKR_OK, CKR_OK);
	CU_ASSERT_EQUAL(world_make(s), 0);
	CU_ASSERT_EQUAL(sent, 1);
	CU_ASSERT_NOT_EQUAL(world_make(s), 0);
	world_end();
}

static void a_dead_member_comes_back_for_the_same_call(void)
{
	CK_SESSION_HANDLE s;
	unsigned epoch;

	world_begin(NULL, NULL);
	s = world_open();
	epoch = atomic_load(&world_member()->epoch);
	world_list()->C_GenerateRandom = random_scripted;
	script(CKR_DEVICE_REMOVED, CKR_OK, CKR_OK);
	CU_ASSERT_EQUAL(draw(s), CKR_OK);
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_UP);
	CU_ASSERT(atomic_load(&world_member()->epoch) > epoch);
	world_end();
}

static void keys_die_with_the_epoch_and_are_found_again(void)
{
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;

	world_begin(NULL, "relogin = true;");
	s = world_enter();
	key = world_find(s, CKO_PRIVATE_KEY);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_OK);
	world_list()->C_SignInit = sign_init_scripted;
	script(CKR_DEVICE_REMOVED, CKR_OK, CKR_OK);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_KEY_HANDLE_INVALID);
	key = world_find(s, CKO_PRIVATE_KEY);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_OK);
	world_end();
}

static void a_verdict_about_the_request_leaves_the_member_alone(void)
{
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;
	unsigned epoch;

	world_begin(NULL, NULL);
	s = world_enter();
	key = world_find(s, CKO_PRIVATE_KEY);
	epoch = atomic_load(&world_member()->epoch);
	world_list()->C_Sign = sign_scripted;
	script(CKR_GENERAL_ERROR, CKR_OK, CKR_OK);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(sent, 1);
	CU_ASSERT_EQUAL(atomic_load(&world_member()->epoch), epoch);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_OK);
	world_end();
}

static void a_suspicious_code_of_a_dead_token_takes_the_member_down(void)
{
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;

	world_begin(NULL, NULL);
	s = world_enter();
	key = world_find(s, CKO_PRIVATE_KEY);
	world_list()->C_Sign = sign_scripted;
	world_list()->C_GetTokenInfo = token_is_gone;
	script(CKR_GENERAL_ERROR, CKR_OK, CKR_OK);
	CU_ASSERT_EQUAL(world_sign(s, key), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_DOWN);
	CU_ASSERT_EQUAL(draw(s), CKR_DEVICE_ERROR);
	world_list()->C_GetTokenInfo = world_real()->C_GetTokenInfo;
	CU_ASSERT_TRUE(member_up(world_member(), true));
	CU_ASSERT_EQUAL(draw(s), CKR_OK);
	world_end();
}

static void a_session_that_stays_broken_is_not_tried_for_ever(void)
{
	CK_SESSION_HANDLE s;

	world_begin(NULL, NULL);
	s = world_open();
	world_list()->C_GenerateRandom = random_scripted;
	script(CKR_SESSION_HANDLE_INVALID, CKR_SESSION_HANDLE_INVALID, CKR_SESSION_HANDLE_INVALID);
	CU_ASSERT_EQUAL(draw(s), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(sent, 3);
	CU_ASSERT_EQUAL(draw(s), CKR_OK);
	world_end();
}

/* How often the first member fails to say what an object is; then it works. */
static unsigned unreadable;

static CK_RV read_first(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a, CK_ULONG n)
{
	if (unreadable == 0)
		return world_real_at(0)->C_GetAttributeValue(s, o, a, n);
	unreadable--;
	return CKR_DEVICE_ERROR;
}

static CK_SESSION_HANDLE begin_unreadable(bool comes_back, unsigned times)
{
	world_begin_many(&(struct world_many){.count = 2,
					      .mode = "failover",
					      .token = "relogin = true;",
					      .comes_back = comes_back});
	world_list_at(0)->C_GetAttributeValue = read_first;
	unreadable = times;
	return world_enter();
}

/* What a member found is looked at there before it is shown. */
static void what_was_found_and_could_not_be_read_is_searched_for_again(void)
{
	CK_SESSION_HANDLE s = begin_unreadable(false, 0);
	CK_ULONG all = world_count(s, CKO_PRIVATE_KEY);

	CU_ASSERT(all > 0);
	world_end();
	s = begin_unreadable(false, 1);
	world_lose(1);
	CU_ASSERT_EQUAL(world_count(s, CKO_PRIVATE_KEY), all);
	CU_ASSERT_EQUAL(unreadable, 0);
	world_end();
	s = begin_unreadable(true, ~0U); /* by the other one, as soon as it is back */
	world_lose(1);
	CU_ASSERT_EQUAL(world_count(s, CKO_PRIVATE_KEY), all);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(codes_have_the_meaning_of_the_table),
		UNIT(an_active_operation_means_a_dirty_session_where_one_was_borrowed),
		UNIT(a_search_that_finds_nothing_is_suspicious),
		UNIT(a_makers_own_meaning_goes_first),
		UNIT(a_lost_session_is_replaced_for_a_call_that_may_be_repeated),
		UNIT(lengths_of_a_failed_attempt_are_not_sent_again),
		UNIT(what_makes_something_is_sent_once),
		UNIT(a_dead_member_comes_back_for_the_same_call),
		UNIT(keys_die_with_the_epoch_and_are_found_again),
		UNIT(a_verdict_about_the_request_leaves_the_member_alone),
		UNIT(a_suspicious_code_of_a_dead_token_takes_the_member_down),
		UNIT(a_session_that_stays_broken_is_not_tried_for_ever),
		UNIT(what_was_found_and_could_not_be_read_is_searched_for_again),
	};

	return unit_run("core/route", tests, sizeof tests / sizeof tests[0]);
}

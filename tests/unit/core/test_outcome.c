/* SPDX-License-Identifier: BSD-2-Clause */
/* What a member's answer means: every row of the table, for tokens of one member and of many; what
 * is not believed of lengths and handles; and which calls judge a ciphertext. */
#include "core/outcome.h"

#include <string.h>

#include "core/op_output.h"
#include "core/route.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct call call_of(enum call_id id, enum call_place place)
{
	return (struct call){.id = id, .place = place, .group = &trio};
}

static enum outcome meaning(bool is_multi, const struct call *c, CK_RV rv)
{
	trio.is_multi = is_multi;
	return route_outcome(vendor_generic(), c, rv);
}

/* A code, and what it means where there are other members, and where there are none. */
static const struct {
	CK_RV code;
	enum outcome many;
	enum outcome one;
} rows[] = {
	{CKR_OK, OUTCOME_DONE, OUTCOME_DONE},
	{CKR_SESSION_HANDLE_INVALID, OUTCOME_SESSION, OUTCOME_SESSION},
	{CKR_SESSION_CLOSED, OUTCOME_SESSION, OUTCOME_SESSION},
	{CKR_DEVICE_REMOVED, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_TOKEN_NOT_PRESENT, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_TOKEN_NOT_RECOGNIZED, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_SLOT_ID_INVALID, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_CRYPTOKI_NOT_INITIALIZED, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_FIPS_SELF_TEST_FAILED, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_LIBRARY_LOAD_FAILED, OUTCOME_DEAD, OUTCOME_DEAD},
	{(CK_RV)-1, OUTCOME_DEAD, OUTCOME_DEAD},
	{CKR_GENERAL_ERROR, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{CKR_FUNCTION_FAILED, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{CKR_DEVICE_ERROR, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{0x301, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{0x7fffffff, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{CKR_VENDOR_DEFINED, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{CKR_VENDOR_DEFINED + 1234, OUTCOME_SUSPECT, OUTCOME_SUSPECT},
	{CKR_OBJECT_HANDLE_INVALID, OUTCOME_HANDLE, OUTCOME_SUSPECT},
	{CKR_KEY_HANDLE_INVALID, OUTCOME_HANDLE, OUTCOME_SUSPECT},
	{CKR_WRAPPING_KEY_HANDLE_INVALID, OUTCOME_HANDLE, OUTCOME_SUSPECT},
	{CKR_UNWRAPPING_KEY_HANDLE_INVALID, OUTCOME_HANDLE, OUTCOME_SUSPECT},
	{CKR_USER_NOT_LOGGED_IN, OUTCOME_AUTH, OUTCOME_DONE},
	{CKR_HOST_MEMORY, OUTCOME_BUSY, OUTCOME_DONE},
	{CKR_DEVICE_MEMORY, OUTCOME_BUSY, OUTCOME_DONE},
	{CKR_SESSION_COUNT, OUTCOME_BUSY, OUTCOME_DONE},
	{CKR_TOKEN_RESOURCE_EXCEEDED, OUTCOME_BUSY, OUTCOME_DONE},
	{CKR_MECHANISM_INVALID, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_MECHANISM_PARAM_INVALID, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_FUNCTION_NOT_SUPPORTED, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_CURVE_NOT_SUPPORTED, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_KEY_SIZE_RANGE, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_RANDOM_NO_RNG, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_RANDOM_SEED_NOT_SUPPORTED, OUTCOME_LACKS, OUTCOME_DONE},
	{CKR_TOKEN_WRITE_PROTECTED, OUTCOME_LACKS, OUTCOME_DONE},
};

static void each_code_means_what_the_table_says(void)
{
	trio_begin(CONFIG_MODE_FAILOVER);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct call c = call_of(CALL_C_Sign, CALL_BOUND);

		CU_ASSERT_EQUAL(meaning(true, &c, rows[i].code), rows[i].many);
		CU_ASSERT_EQUAL(meaning(false, &c, rows[i].code), rows[i].one);
	}
	trio_end();
}

/* Whatever it is that a member says of the request is no reason to doubt it. */
static void a_verdict_is_the_answer(void)
{
	static const CK_RV verdicts[] = {CKR_SIGNATURE_INVALID,
					 CKR_SIGNATURE_LEN_RANGE,
					 CKR_ENCRYPTED_DATA_INVALID,
					 CKR_ENCRYPTED_DATA_LEN_RANGE,
					 CKR_DATA_INVALID,
					 CKR_DATA_LEN_RANGE,
					 CKR_BUFFER_TOO_SMALL,
					 CKR_PIN_INCORRECT,
					 CKR_PIN_LOCKED,
					 CKR_KEY_TYPE_INCONSISTENT,
					 CKR_KEY_FUNCTION_NOT_PERMITTED,
					 CKR_ATTRIBUTE_TYPE_INVALID,
					 CKR_ATTRIBUTE_SENSITIVE,
					 CKR_TEMPLATE_INCOMPLETE,
					 CKR_WRAPPED_KEY_INVALID,
					 CKR_ACTION_PROHIBITED,
					 CKR_FUNCTION_REJECTED,
					 CKR_FUNCTION_CANCELED,
					 CKR_STATE_UNSAVEABLE,
					 0x300};

	trio_begin(CONFIG_MODE_FAILOVER);
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct call c = call_of(CALL_C_Decrypt, CALL_BOUND);

		CU_ASSERT_EQUAL(meaning(true, &c, verdicts[i]), OUTCOME_DONE);
		CU_ASSERT_EQUAL(meaning(false, &c, verdicts[i]), OUTCOME_DONE);
	}
	trio_end();
}

/* A session that we believed idle was left dirty. */
static void an_operation_that_is_active_means_the_session(void)
{
	static const struct {
		enum call_place place;
		enum outcome outcome;
	} places[] = {{CALL_BORROW, OUTCOME_SESSION},
		      {CALL_KEEP, OUTCOME_SESSION},
		      {CALL_BOUND, OUTCOME_DONE},
		      {CALL_HOME, OUTCOME_DONE},
		      {CALL_TOKEN, OUTCOME_DONE}};
	struct operation op = {.init_id = CALL_C_SignInit};
	struct member_session there = {0};
	struct call step;

	trio_begin(CONFIG_MODE_FAILOVER);
	step = call_of(CALL_C_SignUpdate, CALL_BOUND);
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct call c = call_of(CALL_C_SignInit, places[i].place);

		CU_ASSERT_EQUAL(meaning(true, &c, CKR_OPERATION_ACTIVE), places[i].outcome);
		CU_ASSERT_EQUAL(meaning(false, &c, CKR_OPERATION_ACTIVE), places[i].outcome);
	}
	step.op = &op;
	CU_ASSERT_EQUAL(meaning(true, &step, CKR_OPERATION_ACTIVE), OUTCOME_SESSION);
	op.ms = &there;
	CU_ASSERT_EQUAL(meaning(true, &step, CKR_OPERATION_ACTIVE), OUTCOME_DONE);
	trio_end();
}

/* An operation that we believed active was lost, unless an answer before may have ended it. */
static void an_operation_that_is_gone_means_the_session(void)
{
	struct operation op = {.init_id = CALL_C_SignInit};
	struct call c;

	trio_begin(CONFIG_MODE_FAILOVER);
	c = call_of(CALL_C_Sign, CALL_BOUND);
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OPERATION_NOT_INITIALIZED), OUTCOME_DONE);
	c.op = &op;
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OPERATION_NOT_INITIALIZED), OUTCOME_SESSION);
	op.is_doubtful = true;
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OPERATION_NOT_INITIALIZED), OUTCOME_DONE);
	trio_end();
}

static void a_search_that_finds_nothing_is_suspect(void)
{
	struct buf found = {0};
	struct call c;

	trio_begin(CONFIG_MODE_FAILOVER);
	c = call_of(CALL_C_FindObjectsInit, CALL_BORROW);
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OK), OUTCOME_DONE);
	c.found = &found;
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OK), OUTCOME_SUSPECT);
	CU_ASSERT_EQUAL(meaning(false, &c, CKR_OK), OUTCOME_SUSPECT);
	CU_ASSERT_TRUE(buf_add(&found, "12345678", 8));
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OK), OUTCOME_DONE);
	c.id = CALL_C_GetAttributeValue;
	found.len = 0;
	CU_ASSERT_EQUAL(meaning(true, &c, CKR_OK), OUTCOME_DONE);
	buf_free(&found);
	trio_end();
}

static void a_call_without_a_token_is_taken_for_one_member(void)
{
	const struct call c = {.id = CALL_C_Sign};

	CU_ASSERT_EQUAL(route_outcome(vendor_generic(), &c, CKR_MECHANISM_INVALID), OUTCOME_DONE);
	CU_ASSERT_EQUAL(route_outcome(vendor_generic(), &c, CKR_DEVICE_REMOVED), OUTCOME_DEAD);
}

/* The maker's rows come before the standard's, also for codes that the standard knows. */
static void the_vendor_is_heard_first(void)
{
	static struct vendor_code codes[] = {{CKR_GENERAL_ERROR, VENDOR_VERDICT},
					     {CKR_DATA_INVALID, VENDOR_SESSION_LOST},
					     {0x80000001, VENDOR_MEMBER_DEAD},
					     {0x80000002, VENDOR_BUSY}};
	static const enum outcome many[] = {OUTCOME_DONE, OUTCOME_SESSION, OUTCOME_DEAD,
					    OUTCOME_BUSY};
	static const enum outcome one[] = {OUTCOME_DONE, OUTCOME_SESSION, OUTCOME_DEAD,
					   OUTCOME_DONE};
	struct vendor vendor = *vendor_generic();

	trio_begin(CONFIG_MODE_FAILOVER);
	vendor.codes = codes;
	vendor.code_count = COUNT(codes);
	for (size_t i = 0; i < COUNT(codes); i++) {
		const struct call c = call_of(CALL_C_Sign, CALL_BOUND);

		trio.is_multi = true;
		CU_ASSERT_EQUAL(route_outcome(&vendor, &c, codes[i].code), many[i]);
		trio.is_multi = false;
		CU_ASSERT_EQUAL(route_outcome(&vendor, &c, codes[i].code), one[i]);
		CU_ASSERT_EQUAL(route_outcome(&vendor, &c, 0x80000003), OUTCOME_SUSPECT);
	}
	trio_end();
}

/* Room that was given, a length that the member says, and its code; what we make of both. */
static const struct {
	CK_ULONG room, said;
	CK_RV rv;
	CK_RV is;
	CK_ULONG len;
} lengths[] = {
	{10, 10, CKR_OK, CKR_OK, 10},
	{10, 0, CKR_OK, CKR_OK, 0},
	{10, 11, CKR_OK, CKR_DEVICE_ERROR, 11},
	{10, 11, CKR_BUFFER_TOO_SMALL, CKR_BUFFER_TOO_SMALL, 11},
	{10, CK_UNAVAILABLE_INFORMATION, CKR_OK, CKR_DEVICE_ERROR, 10},
	{10, CK_UNAVAILABLE_INFORMATION, CKR_BUFFER_TOO_SMALL, CKR_BUFFER_TOO_SMALL, 10},
	{10, 0x7fffffffUL + 65537UL, CKR_DATA_INVALID, CKR_DATA_INVALID, 10},
	{10, 0x7fffffffUL + 65536UL, CKR_BUFFER_TOO_SMALL, CKR_BUFFER_TOO_SMALL,
	 0x7fffffffUL + 65536UL},
};

static void lengths_beyond_reason_are_not_believed(void)
{
	for (size_t i = 0; i < COUNT(lengths); i++) {
		CK_ULONG len = lengths[i].said;
		CK_BYTE out[10];
		const struct call c = {.id = CALL_C_Sign, .out = out, .out_len = &len};

		CU_ASSERT_EQUAL(outcome_check(&c, lengths[i].room, lengths[i].rv), lengths[i].is);
		CU_ASSERT_EQUAL(len, lengths[i].len);
	}
}

static void a_length_query_may_say_any_length(void)
{
	CK_ULONG len = 1000;
	const struct call c = {.id = CALL_C_Sign, .out_len = &len};

	CU_ASSERT_EQUAL(outcome_check(&c, 0, CKR_OK), CKR_OK);
	CU_ASSERT_EQUAL(len, 1000);
	len = CK_UNAVAILABLE_INFORMATION;
	CU_ASSERT_EQUAL(outcome_check(&c, 5, CKR_OK), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(len, 5);
}

/* Which calls must have made an object, or two, to have succeeded. */
static const struct {
	enum call_id id;
	unsigned made; /* bits of call.made that must be there */
} makers[] = {
	{CALL_C_CreateObject, 1}, {CALL_C_CopyObject, 1}, {CALL_C_GenerateKey, 1},
	{CALL_C_UnwrapKey, 1},    {CALL_C_DeriveKey, 1},  {CALL_C_GenerateKeyPair, 3},
	{CALL_C_Sign, 0},         {CALL_C_WrapKey, 0},
};

static void success_without_an_object_is_none(void)
{
	struct mech mech = {.made_count = 0};

	for (size_t i = 0; i < COUNT(makers); i++)
		for (unsigned made = 0; made < 4; made++) {
			bool enough = (made & makers[i].made) == makers[i].made;
			struct call c = {.id = makers[i].id, .mech = &mech, .wants_made = true};

			c.made[0] = made & 1U;
			c.made[1] = made >> 1;
			CU_ASSERT_EQUAL(outcome_check(&c, 0, CKR_OK),
					enough ? CKR_OK : CKR_DEVICE_ERROR);
			CU_ASSERT_EQUAL(outcome_check(&c, 0, CKR_DATA_INVALID), CKR_DATA_INVALID);
		}
}

/* TLS mechanisms give their keys in the parameter instead. */
static void a_derivation_may_make_its_objects_elsewhere(void)
{
	struct mech mech = {.made_count = 4};
	struct call c = {.id = CALL_C_DeriveKey, .mech = &mech, .wants_made = true};

	CU_ASSERT_EQUAL(outcome_check(&c, 0, CKR_OK), CKR_OK);
	mech.made_count = 0;
	c.wants_made = false;
	CU_ASSERT_EQUAL(outcome_check(&c, 0, CKR_OK), CKR_OK);
}

static void nested_templates_are_seen_in_both(void)
{
	CK_ATTRIBUTE flat[] = {{CKA_LABEL, NULL, 0}, {CKA_ALLOWED_MECHANISMS, NULL, 0}};
	CK_ATTRIBUTE nested[] = {{CKA_LABEL, NULL, 0}, {CKA_WRAP_TEMPLATE, NULL, 0}};
	struct call c = {.id = CALL_C_GenerateKeyPair};

	CU_ASSERT_FALSE(outcome_has_nested(&c));
	c.tmpl[0] = flat;
	c.tmpl_count[0] = 2;
	CU_ASSERT_FALSE(outcome_has_nested(&c));
	c.tmpl[1] = nested;
	c.tmpl_count[1] = 1;
	CU_ASSERT_FALSE(outcome_has_nested(&c));
	c.tmpl_count[1] = 2;
	CU_ASSERT_TRUE(outcome_has_nested(&c));
	c.tmpl[0] = nested;
	c.tmpl_count[1] = 0;
	CU_ASSERT_TRUE(outcome_has_nested(&c));
}

/* Calls that judge a ciphertext, and the one code that a bad one has. */
static const struct {
	enum call_id id;
	CK_RV normal;
} oracles[] = {
	{CALL_C_Decrypt, CKR_ENCRYPTED_DATA_INVALID},
	{CALL_C_DecryptFinal, CKR_ENCRYPTED_DATA_INVALID},
	{CALL_C_DecryptMessage, CKR_ENCRYPTED_DATA_INVALID},
	{CALL_C_DecryptMessageNext, CKR_ENCRYPTED_DATA_INVALID},
	{CALL_C_UnwrapKey, CKR_WRAPPED_KEY_INVALID},
	{CALL_C_VerifyRecover, CKR_GENERAL_ERROR},
	{CALL_C_DeriveKey, CKR_GENERAL_ERROR},
};

static bool is_in_table(enum call_id id, CK_RV *normal)
{
	for (size_t i = 0; i < COUNT(oracles); i++)
		if (oracles[i].id == id) {
			*normal = oracles[i].normal;
			return true;
		}
	*normal = CKR_GENERAL_ERROR;
	return false;
}

static void calls_that_judge_a_ciphertext_are_known(void)
{
	for (unsigned id = 0; id < CALL_COUNT; id++) {
		const struct call c = {.id = (enum call_id)id};
		CK_RV normal;

		CU_ASSERT_EQUAL(outcome_is_oracle(&c), is_in_table(c.id, &normal));
		CU_ASSERT_EQUAL(outcome_normal(&c, CKR_GENERAL_ERROR), normal);
	}
}

static const struct unit_test tests[] = {
	UNIT(each_code_means_what_the_table_says),
	UNIT(a_verdict_is_the_answer),
	UNIT(an_operation_that_is_active_means_the_session),
	UNIT(an_operation_that_is_gone_means_the_session),
	UNIT(a_search_that_finds_nothing_is_suspect),
	UNIT(a_call_without_a_token_is_taken_for_one_member),
	UNIT(the_vendor_is_heard_first),
	UNIT(lengths_beyond_reason_are_not_believed),
	UNIT(a_length_query_may_say_any_length),
	UNIT(success_without_an_object_is_none),
	UNIT(a_derivation_may_make_its_objects_elsewhere),
	UNIT(nested_templates_are_seen_in_both),
	UNIT(calls_that_judge_a_ciphertext_are_known),
};

UNIT_MAIN("core/outcome", tests)

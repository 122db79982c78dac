/* SPDX-License-Identifier: BSD-2-Clause */
/* Which return codes belong to which function, and what becomes of those that do not: every
 * function against every number, then single facts of the standard as rows. */
#include "core/codes.h"

#include "tests/unit/unit.h"

/* The standard's codes end at 0x203 (CKR_KEY_EXHAUSTED) and 3.2 adds a few; beyond is nobody's. */
#define CODES_END 0x400UL

#define NOBODYS_CODE 0x3e7UL
#define VENDORS_CODE (CKR_VENDOR_DEFINED + 0x2f)

static void whatever_a_member_says_becomes_a_listed_code(void)
{
	for (int id = 0; id < CALL_COUNT; id++) {
		for (CK_RV rv = 0; rv < CODES_END; rv++)
			CU_ASSERT(code_listed((enum call_id)id, code_map((enum call_id)id, rv)));
		CU_ASSERT(code_listed((enum call_id)id, code_map((enum call_id)id, VENDORS_CODE)));
	}
}

static void a_listed_code_stays_what_it_is(void)
{
	for (int id = 0; id < CALL_COUNT; id++) {
		for (CK_RV rv = 0; rv < CODES_END; rv++) {
			if (code_listed((enum call_id)id, rv))
				CU_ASSERT_EQUAL(code_map((enum call_id)id, rv), rv);
		}
	}
}

static void a_failure_never_becomes_success(void)
{
	for (int id = 0; id < CALL_COUNT; id++) {
		for (CK_RV rv = 1; rv < CODES_END; rv++)
			CU_ASSERT_NOT_EQUAL(code_map((enum call_id)id, rv), CKR_OK);
	}
}

static void every_function_may_fail_in_general(void)
{
	static const CK_RV codes[] = {CKR_OK,
				      CKR_GENERAL_ERROR,
				      CKR_HOST_MEMORY,
				      CKR_FUNCTION_FAILED,
				      CKR_ARGUMENTS_BAD,
				      CKR_FUNCTION_NOT_SUPPORTED};

	for (int id = 0; id < CALL_COUNT; id++) {
		for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
			CU_ASSERT(code_listed((enum call_id)id, codes[i]));
	}
}

static void nothing_is_ever_pending(void)
{
	for (int id = 0; id < CALL_COUNT; id++) {
		CU_ASSERT_FALSE(code_listed((enum call_id)id, CKR_PENDING));
		CU_ASSERT_EQUAL(code_map((enum call_id)id, CKR_PENDING), CKR_FUNCTION_FAILED);
	}
}

static void only_three_functions_prohibit_an_action(void)
{
	for (int id = 0; id < CALL_COUNT; id++) {
		bool may = id == CALL_C_CopyObject || id == CALL_C_DestroyObject ||
			   id == CALL_C_SetAttributeValue;

		CU_ASSERT_EQUAL(code_listed((enum call_id)id, CKR_ACTION_PROHIBITED), may);
	}
}

static void only_open_session_counts_sessions(void)
{
	for (int id = 0; id < CALL_COUNT; id++)
		CU_ASSERT_EQUAL(code_listed((enum call_id)id, CKR_SESSION_COUNT),
				id == CALL_C_OpenSession);
}

static void a_function_lists_what_the_standard_says(void)
{
	static const struct {
		enum call_id id;
		CK_RV rv;
		bool is_listed;
	} facts[] = {
		{CALL_C_Initialize, CKR_CRYPTOKI_ALREADY_INITIALIZED, true},
		{CALL_C_Initialize, CKR_CANT_LOCK, true},
		{CALL_C_Initialize, CKR_CRYPTOKI_NOT_INITIALIZED, false},
		{CALL_C_Finalize, CKR_CRYPTOKI_NOT_INITIALIZED, true},
		{CALL_C_GetFunctionList, CKR_CRYPTOKI_NOT_INITIALIZED, false},
		{CALL_C_GetInterfaceList, CKR_BUFFER_TOO_SMALL, true},
		{CALL_C_GetSlotList, CKR_SESSION_HANDLE_INVALID, false},
		{CALL_C_GetTokenInfo, CKR_TOKEN_NOT_RECOGNIZED, true},
		{CALL_C_GetMechanismInfo, CKR_MECHANISM_INVALID, true},
		{CALL_C_InitToken, CKR_SESSION_EXISTS, true},
		{CALL_C_InitToken, CKR_PIN_LEN_RANGE, false},
		{CALL_C_SetPIN, CKR_PIN_LEN_RANGE, true},
		{CALL_C_OpenSession, CKR_SESSION_PARALLEL_NOT_SUPPORTED, true},
		{CALL_C_OpenSession, CKR_SESSION_HANDLE_INVALID, false},
		{CALL_C_Login, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, true},
		{CALL_C_LoginUser, CKR_OPERATION_NOT_INITIALIZED, true},
		{CALL_C_Logout, CKR_USER_NOT_LOGGED_IN, true},
		{CALL_C_WaitForSlotEvent, CKR_NO_EVENT, true},
		{CALL_C_CreateObject, CKR_TEMPLATE_INCOMPLETE, true},
		{CALL_C_CopyObject, CKR_TEMPLATE_INCOMPLETE, false},
		{CALL_C_GetAttributeValue, CKR_ATTRIBUTE_SENSITIVE, true},
		{CALL_C_GetAttributeValue, CKR_USER_NOT_LOGGED_IN, false},
		{CALL_C_FindObjects, CKR_OPERATION_NOT_INITIALIZED, true},
		{CALL_C_SignInit, CKR_KEY_FUNCTION_NOT_PERMITTED, true},
		{CALL_C_SignInit, CKR_OBJECT_HANDLE_INVALID, false},
		{CALL_C_Sign, CKR_FUNCTION_REJECTED, true},
		{CALL_C_Sign, CKR_OPERATION_ACTIVE, false},
		{CALL_C_Verify, CKR_SIGNATURE_INVALID, true},
		{CALL_C_Verify, CKR_BUFFER_TOO_SMALL, false},
		{CALL_C_Decrypt, CKR_ENCRYPTED_DATA_INVALID, true},
		{CALL_C_Decrypt, CKR_DATA_INVALID, false},
		{CALL_C_DigestKey, CKR_KEY_INDIGESTIBLE, true},
		{CALL_C_WrapKey, CKR_KEY_UNEXTRACTABLE, true},
		{CALL_C_UnwrapKey, CKR_WRAPPED_KEY_INVALID, true},
		{CALL_C_DeriveKey, CKR_SESSION_READ_ONLY, true},
		{CALL_C_SeedRandom, CKR_RANDOM_SEED_NOT_SUPPORTED, true},
		{CALL_C_GenerateRandom, CKR_RANDOM_SEED_NOT_SUPPORTED, false},
		{CALL_C_GetFunctionStatus, CKR_FUNCTION_NOT_PARALLEL, true},
		{CALL_C_SessionCancel, CKR_OPERATION_CANCEL_FAILED, true},
		{CALL_C_DecryptMessage, CKR_AEAD_DECRYPT_FAILED, true},
		{CALL_C_EncryptMessage, CKR_OPERATION_ACTIVE, true},
	};

	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
		bool is_listed = code_listed(facts[i].id, facts[i].rv);

		CU_ASSERT_EQUAL(is_listed, facts[i].is_listed);
		if (is_listed != facts[i].is_listed)
			printf("%s 0x%lx\n", call_name(facts[i].id), facts[i].rv);
	}
}

static void a_members_odd_code_becomes_its_sibling(void)
{
	static const struct {
		enum call_id id;
		CK_RV from;
		CK_RV to;
	} rows[] = {
		{CALL_C_SignInit, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID},
		{CALL_C_WrapKey, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID},
		{CALL_C_WrapKey, CKR_KEY_TYPE_INCONSISTENT, CKR_WRAPPING_KEY_TYPE_INCONSISTENT},
		{CALL_C_UnwrapKey, CKR_KEY_HANDLE_INVALID, CKR_UNWRAPPING_KEY_HANDLE_INVALID},
		{CALL_C_UnwrapKey, CKR_KEY_SIZE_RANGE, CKR_UNWRAPPING_KEY_SIZE_RANGE},
		{CALL_C_UnwrapKey, CKR_ENCRYPTED_DATA_INVALID, CKR_WRAPPED_KEY_INVALID},
		{CALL_C_UnwrapKey, CKR_AEAD_DECRYPT_FAILED, CKR_WRAPPED_KEY_INVALID},
		{CALL_C_GetAttributeValue, CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID},
		{CALL_C_VerifyRecover, CKR_AEAD_DECRYPT_FAILED, CKR_FUNCTION_FAILED},
		{CALL_C_Decrypt, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE},
		{CALL_C_SignUpdate, CKR_SESSION_COUNT, CKR_DEVICE_MEMORY},
		{CALL_C_GenerateKey, CKR_TOKEN_NOT_RECOGNIZED, CKR_TOKEN_NOT_PRESENT},
		{CALL_C_InitToken, CKR_PIN_LEN_RANGE, CKR_PIN_INCORRECT},
		{CALL_C_SignInit, CKR_PIN_LOCKED, CKR_USER_NOT_LOGGED_IN},
		{CALL_C_CreateObject, CKR_ACTION_PROHIBITED, CKR_TEMPLATE_INCONSISTENT},
		{CALL_C_Sign, CKR_MUTEX_BAD, CKR_FUNCTION_FAILED},
		{CALL_C_Sign, NOBODYS_CODE, CKR_DEVICE_ERROR},
		{CALL_C_Sign, VENDORS_CODE, CKR_FUNCTION_FAILED},
		{CALL_C_GetInfo, NOBODYS_CODE, CKR_FUNCTION_FAILED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CK_RV to = code_map(rows[i].id, rows[i].from);

		CU_ASSERT_EQUAL(to, rows[i].to);
		if (to != rows[i].to)
			printf("%s 0x%lx: 0x%lx\n", call_name(rows[i].id), rows[i].from, to);
	}
}

static void only_the_life_of_the_library_is_free_of_tokens(void)
{
	static const enum call_id free_of_tokens[] = {
		CALL_C_Initialize,       CALL_C_Finalize,     CALL_C_GetInfo,
		CALL_C_GetFunctionList,  CALL_C_GetSlotList,  CALL_C_GetSlotInfo,
		CALL_C_GetInterfaceList, CALL_C_GetInterface, CALL_C_WaitForSlotEvent,
	};

	for (int id = 0; id < CALL_COUNT; id++) {
		bool is_free = false;

		for (size_t i = 0; i < sizeof free_of_tokens / sizeof free_of_tokens[0]; i++)
			is_free = is_free || (int)free_of_tokens[i] == id;
		CU_ASSERT_EQUAL(code_listed((enum call_id)id, CKR_DEVICE_REMOVED), !is_free);
		CU_ASSERT_EQUAL(code_listed((enum call_id)id, CKR_TOKEN_NOT_PRESENT), !is_free);
	}
}

static const struct unit_test tests[] = {
	UNIT(whatever_a_member_says_becomes_a_listed_code),
	UNIT(a_listed_code_stays_what_it_is),
	UNIT(a_failure_never_becomes_success),
	UNIT(every_function_may_fail_in_general),
	UNIT(nothing_is_ever_pending),
	UNIT(only_three_functions_prohibit_an_action),
	UNIT(only_open_session_counts_sessions),
	UNIT(a_function_lists_what_the_standard_says),
	UNIT(a_members_odd_code_becomes_its_sibling),
	UNIT(only_the_life_of_the_library_is_free_of_tokens),
};

UNIT_MAIN("codes", tests)

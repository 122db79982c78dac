/* SPDX-License-Identifier: BSD-2-Clause */
/* A signature of more input than is kept, taken to another member: its digest goes on without any,
 * and the last step begins and ends on the member that has it. */
#include <string.h>

#include "core/journal.h"
#include "core/object.h"
#include "core/operation.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE key;
static unsigned char bytes[JOURNAL_MAX];
static unsigned still_active; /* answers of the second member that something is left on a session */

static CK_RV sign_init(CK_SESSION_HANDLE s, CK_MECHANISM *mech, CK_OBJECT_HANDLE k)
{
	CK_RV rv = world_real_at(1)->C_SignInit(s, mech, k);

	still_active += rv == CKR_OPERATION_ACTIVE;
	return rv;
}

static CK_RV init(CK_SESSION_HANDLE s)
{
	CK_MECHANISM mech = {CKM_SHA256_RSA_PKCS, NULL, 0};

	return op_init(CALL_C_SignInit, OP_SIGN, s, &mech, key);
}

static CK_RV update(size_t len)
{
	struct op_io io = {.in = bytes, .in_len = len, .has_in = true};

	return op_step(CALL_C_SignUpdate, OP_SIGN, OP_UPDATE, session, &io);
}

static CK_RV final(CK_BYTE *out, CK_ULONG *len)
{
	struct op_io io = {.out = out, .out_len = len, .has_out = true};

	return op_step(CALL_C_SignFinal, OP_SIGN, OP_FINAL, session, &io);
}

/* More than is kept was signed when the first member was lost. */
static void begin(void)
{
	const struct world_many two = {.count = 2, .mode = "failover"};

	world_begin_many(&two);
	session = world_enter();
	key = world_find(session, CKO_SECRET_KEY);
	CU_ASSERT_NOT_EQUAL_FATAL(key, 0);
	still_active = 0;
	world_list_at(1)->C_SignInit = sign_init;
	CU_ASSERT_EQUAL_FATAL(init(session), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(update(JOURNAL_MAX), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(update(17), CKR_OK);
	world_lose(0);
}

static void a_digest_goes_on_without_a_member_and_is_signed_by_another(void)
{
	CK_BYTE signature[256];
	CK_ULONG len = sizeof signature;
	uint64_t before;

	begin();
	before = world_calls("C_SignUpdate");
	CU_ASSERT_EQUAL(update(100), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_SignUpdate"), before);
	before = world_calls("C_Sign");
	CU_ASSERT_EQUAL(final(signature, &len), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_Sign"), before + 1);
	CU_ASSERT_EQUAL(final(signature, &len), CKR_OPERATION_NOT_INITIALIZED);
	world_end();
}

/* Neither a length query nor a buffer that is too short leaves an operation on a session that the
 * next call is given. */
static void nothing_is_left_on_sessions_that_are_given_back(void)
{
	CK_BYTE signature[256];
	CK_ULONG len = 0;

	begin();
	CU_ASSERT_EQUAL(final(NULL, &len), CKR_OK);
	CU_ASSERT_TRUE(len > 0 && len <= sizeof signature);
	len = 1;
	CU_ASSERT_EQUAL(final(signature, &len), CKR_BUFFER_TOO_SMALL);
	len = sizeof signature;
	CU_ASSERT_EQUAL(final(signature, &len), CKR_OK);
	CU_ASSERT_EQUAL(init(session), CKR_OK);
	CU_ASSERT_EQUAL(still_active, 0);
	world_end();
}

static const struct unit_test tests[] = {
	UNIT(a_digest_goes_on_without_a_member_and_is_signed_by_another),
	UNIT(nothing_is_left_on_sessions_that_are_given_back),
};

UNIT_MAIN("core/floating", tests)

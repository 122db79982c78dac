/* SPDX-License-Identifier: BSD-2-Clause */
/* core/op_output.c: lengths and short buffers, over a member that behaves as each maker does. */
#include "core/op_output.h"

#include <string.h>

#include "core/login.h"
#include "core/mux.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define LENGTH 48UL

/* How the member answers C_Sign, C_SignFinal and C_Encrypt. */
static struct {
	CK_ULONG bound;     /* the length that it says it needs */
	CK_ULONG says;      /* the length that it reports for its result; 0: the true one */
	bool ends_on_query; /* NSS */
	bool ends_when_short;
	bool is_absurd; /* reports 0 for a buffer that is too small */
	bool is_over;
	unsigned queried, sent, begun;
} member;

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE key;
static CK_BYTE data[LENGTH];

static CK_RV real_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k)
{
	(void)s;
	(void)m;
	(void)k;
	member.begun++;
	member.is_over = false;
	return CKR_OK;
}

static CK_RV real_gives(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			CK_ULONG *out_len)
{
	(void)s;
	if (member.is_over)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (!out) {
		member.queried++;
		member.is_over = member.ends_on_query;
		*out_len = member.bound;
		return CKR_OK;
	}
	member.sent++;
	if (*out_len < member.bound) {
		member.is_over = member.ends_when_short;
		*out_len = member.is_absurd ? 0 : member.bound;
		return CKR_BUFFER_TOO_SMALL;
	}
	member.is_over = true;
	memset(out, in_len ? in[0] : 0x77, LENGTH);
	*out_len = member.says ? member.says : LENGTH;
	return CKR_OK;
}

static CK_RV real_ends(CK_SESSION_HANDLE s, CK_BYTE *out, CK_ULONG *out_len)
{
	return real_gives(s, NULL, 0, out, out_len);
}

static CK_RV real_feeds(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG in_len)
{
	(void)s;
	(void)in;
	(void)in_len;
	return member.is_over ? CKR_OPERATION_NOT_INITIALIZED : CKR_OK;
}

static void begin(CK_ULONG bound)
{
	CK_FUNCTION_LIST *list;

	memset(&member, 0, sizeof member);
	memset(data, 1, sizeof data);
	member.bound = bound;
	world_begin(NULL, NULL);
	session = world_enter();
	key = world_find(session, CKO_PRIVATE_KEY);
	list = world_list();
	list->C_SignInit = list->C_EncryptInit = real_init;
	list->C_Sign = list->C_Encrypt = real_gives;
	list->C_SignUpdate = real_feeds;
	list->C_SignFinal = real_ends;
}

static CK_RV init(enum op_kind kind)
{
	CK_MECHANISM mechanism = {kind == OP_SIGN ? CKM_ECDSA : CKM_AES_CBC_PAD, data, 16};

	return op_init(kind == OP_SIGN ? CALL_C_SignInit : CALL_C_EncryptInit, kind, session,
		       &mechanism, key);
}

static CK_RV run(enum op_kind kind, CK_BYTE *out, CK_ULONG *len)
{
	struct op_io io = {.in = data,
			   .in_len = sizeof data,
			   .out = out,
			   .out_len = len,
			   .has_in = true,
			   .has_out = true};

	return op_step(kind == OP_SIGN ? CALL_C_Sign : CALL_C_Encrypt, kind, OP_SINGLE, session,
		       &io);
}

static CK_RV feed(void)
{
	struct op_io io = {.in = data, .in_len = sizeof data, .has_in = true};

	return op_step(CALL_C_SignUpdate, OP_SIGN, OP_UPDATE, session, &io);
}

static CK_RV finish(CK_BYTE *out, CK_ULONG *len)
{
	struct op_io io = {.out = out, .out_len = len, .has_out = true};

	return op_step(CALL_C_SignFinal, OP_SIGN, OP_FINAL, session, &io);
}

static bool is_result(const CK_BYTE *out, CK_BYTE of)
{
	for (size_t i = 0; i < LENGTH; i++)
		if (out[i] != of)
			return false;
	return true;
}

static void too_small(enum op_kind kind, CK_ULONG bound)
{
	CK_BYTE out[200] = {0};
	CK_ULONG len = 5;

	begin(bound);
	CU_ASSERT_EQUAL(init(kind), CKR_OK);
	CU_ASSERT_EQUAL(run(kind, out, &len), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT(len >= LENGTH);
	CU_ASSERT_EQUAL(out[0], 0);
	CU_ASSERT_EQUAL(run(kind, NULL, &len), CKR_OK);
	CU_ASSERT(len >= LENGTH);
	len = sizeof out;
	CU_ASSERT_EQUAL(run(kind, out, &len), CKR_OK);
	CU_ASSERT_EQUAL(len, LENGTH);
	CU_ASSERT_TRUE(is_result(out, 1));
	CU_ASSERT_EQUAL(out[LENGTH], 0);
	CU_ASSERT_EQUAL(run(kind, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(member.sent, 1); /* the result was kept, not made again */
	world_end();
}

static void a_result_that_does_not_fit_is_kept(void)
{
	too_small(OP_SIGN, LENGTH);
	too_small(OP_ENCRYPT, LENGTH);
}

static void a_member_that_wants_more_than_it_takes_gets_it(void)
{
	too_small(OP_SIGN, 150);
	too_small(OP_ENCRYPT, 150);
}

/* The application's buffer is as long as the result, and the member wants more. */
static void an_exact_buffer_is_enough(void)
{
	CK_BYTE out[LENGTH];
	CK_ULONG len = sizeof out;

	begin(150);
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_OK);
	CU_ASSERT_EQUAL(len, LENGTH);
	CU_ASSERT_TRUE(is_result(out, 1));
	world_end();
}

static void other_data_after_a_short_buffer_begins_again(void)
{
	CK_BYTE out[200];
	CK_ULONG len = 5;

	begin(LENGTH);
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_BUFFER_TOO_SMALL);
	memset(data, 2, sizeof data);
	len = sizeof out;
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_OK);
	CU_ASSERT_TRUE(is_result(out, 2));
	CU_ASSERT_EQUAL(member.begun, 2);
	world_end();
}

static void a_query_that_ends_the_operation_is_repaired(void)
{
	CK_BYTE out[200];
	CK_ULONG len = 0;

	begin(LENGTH);
	member.ends_on_query = true;
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	CU_ASSERT_EQUAL(run(OP_SIGN, NULL, &len), CKR_OK);
	CU_ASSERT_EQUAL(len, LENGTH);
	CU_ASSERT_EQUAL(run(OP_SIGN, NULL, &len), CKR_OK);
	len = sizeof out;
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_OK);
	CU_ASSERT_TRUE(is_result(out, 1));
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	world_end();
}

static void a_short_buffer_that_ends_the_operation_is_repaired(void)
{
	static CK_BYTE out[2048];
	CK_ULONG len = 1100; /* long enough to be handed on */

	begin(2000);
	member.ends_when_short = true;
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(len, 2000);
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_OK);
	CU_ASSERT_TRUE(is_result(out, 1));
	CU_ASSERT_EQUAL(member.begun, 2);
	world_end();
}

static void nonsense_lengths_never_reach_the_application(void)
{
	static CK_BYTE out[2048];
	CK_ULONG len = LENGTH;

	begin(100);
	member.is_absurd = true;
	CU_ASSERT_EQUAL(init(OP_ENCRYPT), CKR_OK);
	member.bound = 60; /* says 60 when asked */
	CU_ASSERT_EQUAL(run(OP_ENCRYPT, out, &len), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT(len > LENGTH);
	CU_ASSERT_EQUAL(session_cancel(session, CKF_ENCRYPT), CKR_OK);
	member.is_absurd = false;
	member.says = 5000;
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	len = sizeof out;
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	len = 100;
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_DEVICE_ERROR);
	world_end();
}

static void what_was_fed_is_not_fed_again(void)
{
	CK_BYTE out[200];
	CK_ULONG len = 5;

	begin(LENGTH);
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	CU_ASSERT_EQUAL(feed(), CKR_OK);
	CU_ASSERT_EQUAL(finish(out, &len), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(len, LENGTH);
	CU_ASSERT_EQUAL(finish(NULL, &len), CKR_OK);
	CU_ASSERT_EQUAL(finish(out, &len), CKR_OK);
	CU_ASSERT_TRUE(is_result(out, 0x77));
	CU_ASSERT_EQUAL(member.begun, 1);
	CU_ASSERT_EQUAL(member.sent, 1);
	CU_ASSERT_EQUAL(finish(out, &len), CKR_OPERATION_NOT_INITIALIZED);
	world_end();
}

static void a_result_that_was_kept_goes_with_the_session(void)
{
	CK_BYTE out[200];
	CK_ULONG len = 5;

	begin(LENGTH);
	CU_ASSERT_EQUAL(init(OP_SIGN), CKR_OK);
	CU_ASSERT_EQUAL(run(OP_SIGN, out, &len), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(session_close(session), CKR_OK);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_result_that_does_not_fit_is_kept),
		UNIT(a_member_that_wants_more_than_it_takes_gets_it),
		UNIT(an_exact_buffer_is_enough),
		UNIT(other_data_after_a_short_buffer_begins_again),
		UNIT(a_query_that_ends_the_operation_is_repaired),
		UNIT(a_short_buffer_that_ends_the_operation_is_repaired),
		UNIT(nonsense_lengths_never_reach_the_application),
		UNIT(what_was_fed_is_not_fed_again),
		UNIT(a_result_that_was_kept_goes_with_the_session),
	};

	return unit_run("core/op_output", tests, sizeof tests / sizeof tests[0]);
}

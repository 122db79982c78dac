/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of message-based steps, against an operation that answers what a test says. The
 * functions of session.h and operation.h that core/message.c uses are replaced here. */
#include "core/message.h"

#include "core/op_output.h"
#include "tests/unit/unit.h"

#define SESSION 7UL

static const struct config_token token; /* passthrough, without a policy */
static struct group group = {.conf = &token};
static struct operation operation;
static struct session session;
static bool is_active, is_open;
static CK_RV answer;    /* of the member */
static CK_ULONG length; /* written to out_len, unless ~0 */
static unsigned sent;   /* calls that reached the member */
static unsigned ended;  /* op_end */
static bool is_over_there;
static struct call last;

CK_RV session_take(CK_SESSION_HANDLE handle, struct session **s)
{
	session.group = &group;
	for (unsigned k = 0; k < OP_KINDS; k++)
		session.op[k] = &operation;
	*s = &session;
	return handle == SESSION ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

void session_give(struct session *s)
{
	CU_ASSERT_PTR_EQUAL(s, &session);
}

CK_RV op_begin(enum call_id id, enum op_kind kind, struct session *s, const CK_MECHANISM *mech,
	       CK_OBJECT_HANDLE key)
{
	(void)id;
	(void)kind;
	(void)s;
	(void)key;
	is_active = mech != NULL && answer == CKR_OK;
	return answer;
}

bool *op_in_message(struct session *s, enum op_kind kind)
{
	(void)s;
	(void)kind;
	return is_active ? &is_open : NULL;
}

CK_RV call_decide(struct call *c)
{
	(void)c; /* no policy */
	return CKR_OK;
}

CK_RV op_run(struct session *s, enum op_kind kind, struct call *call)
{
	(void)s;
	(void)kind;
	sent++;
	last = *call;
	call->member_rv = answer;
	if (!call->out && call->out_len)
		*call->out_len = 16;
	if (!call->out && call->out_len && answer == CKR_BUFFER_TOO_SMALL)
		return CKR_OK;
	if (call->out && length != ~0UL)
		*call->out_len = length;
	return answer;
}

void op_end(struct session *s, enum op_kind kind, bool over)
{
	(void)s;
	(void)kind;
	ended++;
	is_over_there = over;
	is_active = false;
}

static void start(void)
{
	is_active = true;
	is_open = false;
	answer = CKR_OK;
	length = 5;
	sent = ended = 0;
}

static CK_BYTE out[64];
static CK_ULONG out_len;
static CK_BYTE param[4];

/* A step of message encryption with valid arguments. */
static CK_RV encrypt(enum msg_step step, CK_FLAGS flags)
{
	struct msg_io io = {.param = param,
			    .param_len = sizeof param,
			    .in = out,
			    .in_len = 5,
			    .out = out,
			    .out_len = &out_len,
			    .flags = flags};

	out_len = sizeof out;
	return msg_step(CALL_C_EncryptMessageNext, OP_MESSAGE_ENCRYPT, step, SESSION, &io);
}

static CK_RV final(void)
{
	return msg_final(CALL_C_MessageEncryptFinal, OP_MESSAGE_ENCRYPT, SESSION);
}

static void nothing_goes_without_init(void)
{
	start();
	is_active = false;
	CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(encrypt(MSG_BEGIN, 0), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, 0), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(final(), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(sent, 0);
}

static void init_starts_without_an_open_message(void)
{
	CK_MECHANISM mech = {CKM_AES_GCM, NULL, 0};

	start();
	is_active = false;
	is_open = true;
	CU_ASSERT_EQUAL(msg_init(CALL_C_MessageEncryptInit, OP_MESSAGE_ENCRYPT, SESSION, &mech, 1),
			CKR_OK);
	CU_ASSERT_FALSE(is_open);
	CU_ASSERT_EQUAL(
		msg_init(CALL_C_MessageEncryptInit, OP_MESSAGE_ENCRYPT, SESSION + 1, &mech, 1),
		CKR_SESSION_HANDLE_INVALID);
}

static void a_message_is_open_from_begin_to_its_end(void)
{
	start();
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, 0), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(encrypt(MSG_BEGIN, 0), CKR_OK);
	CU_ASSERT_EQUAL(encrypt(MSG_BEGIN, 0), CKR_OPERATION_ACTIVE);
	CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), CKR_OPERATION_ACTIVE);
	CU_ASSERT_EQUAL(final(), CKR_OPERATION_ACTIVE);
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, 0), CKR_OK);
	CU_ASSERT_TRUE(is_open);
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, CKF_END_OF_MESSAGE), CKR_OK);
	CU_ASSERT_FALSE(is_open);
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, 0), CKR_OPERATION_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(sent, 3);
	CU_ASSERT_EQUAL(ended, 0);
}

static void the_next_message_needs_no_init(void)
{
	start();
	CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), CKR_OK);
	CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), CKR_OK);
	CU_ASSERT_EQUAL(final(), CKR_OK);
	CU_ASSERT_EQUAL(ended, 1);
	CU_ASSERT_TRUE(is_over_there);
}

static void a_length_query_does_not_take_the_last_step(void)
{
	struct msg_io io = {.out_len = &out_len, .flags = CKF_END_OF_MESSAGE};

	start();
	is_open = true;
	CU_ASSERT_EQUAL(
		msg_step(CALL_C_EncryptMessageNext, OP_MESSAGE_ENCRYPT, MSG_NEXT, SESSION, &io),
		CKR_OK);
	CU_ASSERT_EQUAL(out_len, 16);
	CU_ASSERT_TRUE(is_open);
}

static void a_short_buffer_leaves_the_message_open(void)
{
	start();
	is_open = true;
	answer = CKR_BUFFER_TOO_SMALL;
	length = sizeof out + 1;
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(out_len, sizeof out + 1);
	CU_ASSERT_TRUE(is_open);
	CU_ASSERT_EQUAL(sent, 1);
}

static void a_member_that_says_no_length_is_asked(void)
{
	struct msg_io io = {.in = out, .in_len = 5, .out = out, .out_len = &out_len};

	start();
	answer = CKR_BUFFER_TOO_SMALL;
	length = ~0UL;
	out_len = 3;
	CU_ASSERT_EQUAL(
		msg_step(CALL_C_EncryptMessage, OP_MESSAGE_ENCRYPT, MSG_WHOLE, SESSION, &io),
		CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(out_len, 16);
	CU_ASSERT_EQUAL(sent, 2);
}

static void a_member_that_overruns_the_buffer_is_not_believed(void)
{
	start();
	length = sizeof out + 1;
	CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(ended, 1);
}

static void an_error_ends_the_message_and_not_the_operation(void)
{
	start();
	is_open = true;
	answer = CKR_DATA_LEN_RANGE;
	CU_ASSERT_EQUAL(encrypt(MSG_NEXT, 0), CKR_DATA_LEN_RANGE);
	CU_ASSERT_FALSE(is_open);
	CU_ASSERT_EQUAL(ended, 0);
	answer = CKR_OK;
	CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), CKR_OK);
}

static void trouble_with_the_device_ends_the_operation(void)
{
	static const CK_RV codes[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
				      CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		start();
		answer = codes[i];
		CU_ASSERT_EQUAL(encrypt(MSG_WHOLE, 0), codes[i]);
		CU_ASSERT_EQUAL(ended, 1);
		CU_ASSERT_FALSE(is_over_there);
	}
}

static void a_failed_final_ends_the_operation(void)
{
	start();
	answer = CKR_GENERAL_ERROR;
	CU_ASSERT_EQUAL(final(), CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(ended, 1);
	CU_ASSERT_FALSE(is_over_there);
}

static void bad_arguments_reach_no_member(void)
{
	const CK_ULONG absurd = ~0UL;
	CK_ULONG room = absurd;
	const struct msg_io ios[] = {
		{.param_len = 1, .out = out, .out_len = &out_len},
		{.aad_len = 1, .out = out, .out_len = &out_len},
		{.in_len = 1, .out = out, .out_len = &out_len},
		{.in = out, .in_len = absurd, .out = out, .out_len = &out_len},
		{.in = out, .in_len = 1, .out = out},
		{.in = out, .in_len = 1, .out = out, .out_len = &room},
	};

	for (size_t i = 0; i < sizeof ios / sizeof ios[0]; i++) {
		start();
		is_open = true;
		out_len = sizeof out;
		CU_ASSERT_EQUAL(msg_step(CALL_C_EncryptMessageNext, OP_MESSAGE_ENCRYPT, MSG_NEXT,
					 SESSION, &ios[i]),
				CKR_ARGUMENTS_BAD);
		CU_ASSERT_EQUAL(sent, 0);
		CU_ASSERT_TRUE(is_open);
	}
}

static void a_signature_without_a_place_for_its_length_comes_later(void)
{
	struct msg_io more = {.in = out, .in_len = 5};
	struct msg_io end = {.in = out, .in_len = 5, .out = out, .out_len = &out_len};

	start();
	is_open = true;
	out_len = sizeof out;
	CU_ASSERT_EQUAL(msg_step(CALL_C_SignMessageNext, OP_MESSAGE_SIGN, MSG_NEXT, SESSION, &more),
			CKR_OK);
	CU_ASSERT_TRUE(is_open);
	CU_ASSERT_EQUAL(msg_step(CALL_C_SignMessageNext, OP_MESSAGE_SIGN, MSG_NEXT, SESSION, &end),
			CKR_OK);
	CU_ASSERT_FALSE(is_open);
	CU_ASSERT_EQUAL(msg_step(CALL_C_SignMessage, OP_MESSAGE_SIGN, MSG_WHOLE, SESSION, &more),
			CKR_ARGUMENTS_BAD);
}

static void a_verification_without_a_signature_goes_on(void)
{
	struct msg_io more = {.in = out, .in_len = 5};
	struct msg_io end = {.in = out, .in_len = 5, .aad = out, .aad_len = 8};

	start();
	is_open = true;
	CU_ASSERT_EQUAL(
		msg_step(CALL_C_VerifyMessageNext, OP_MESSAGE_VERIFY, MSG_NEXT, SESSION, &more),
		CKR_OK);
	CU_ASSERT_TRUE(is_open);
	answer = CKR_SIGNATURE_INVALID;
	CU_ASSERT_EQUAL(
		msg_step(CALL_C_VerifyMessageNext, OP_MESSAGE_VERIFY, MSG_NEXT, SESSION, &end),
		CKR_SIGNATURE_INVALID);
	CU_ASSERT_FALSE(is_open);
	CU_ASSERT_EQUAL(ended, 0);
	CU_ASSERT_PTR_EQUAL(last.in2, out);
	CU_ASSERT_EQUAL(
		msg_step(CALL_C_VerifyMessage, OP_MESSAGE_VERIFY, MSG_WHOLE, SESSION, &more),
		CKR_ARGUMENTS_BAD);
}

static const struct unit_test tests[] = {
	UNIT(nothing_goes_without_init),
	UNIT(init_starts_without_an_open_message),
	UNIT(a_message_is_open_from_begin_to_its_end),
	UNIT(the_next_message_needs_no_init),
	UNIT(a_length_query_does_not_take_the_last_step),
	UNIT(a_short_buffer_leaves_the_message_open),
	UNIT(a_member_that_says_no_length_is_asked),
	UNIT(a_member_that_overruns_the_buffer_is_not_believed),
	UNIT(an_error_ends_the_message_and_not_the_operation),
	UNIT(trouble_with_the_device_ends_the_operation),
	UNIT(a_failed_final_ends_the_operation),
	UNIT(bad_arguments_reach_no_member),
	UNIT(a_signature_without_a_place_for_its_length_comes_later),
	UNIT(a_verification_without_a_signature_goes_on),
};

UNIT_MAIN("message", tests)

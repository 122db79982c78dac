/* SPDX-License-Identifier: BSD-2-Clause */
/* An operation taken to another member: what that one is told, in which order, and what it is
 * believed. The member is replaced: it answers what a test says, and notes what it was told. */
#include "core/replay.h"

#include <string.h>

#include <openssl/sha.h>

#include "core/hashed.h"
#include "core/member_op.h"
#include "core/op_output.h"
#include "core/translate.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

#define KEY   21UL
#define REAL  0x5000UL /* a real handle is this and the virtual one */
#define PIECE (64UL * 1024)

CK_RV __wrap_member_call(struct member_session *ms, struct call *c,
			 const CK_OBJECT_HANDLE object[2]);
CK_RV __wrap_translate(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE object[2],
		       bool *is_lack);

/* One call as the member saw it. */
struct seen {
	enum call_id id;
	CK_OBJECT_HANDLE key;
	CK_MECHANISM_TYPE mech;
	size_t in_len, in2_len;
	unsigned char in[64], in2[64]; /* how they begin */
	CK_ULONG generator;            /* of a GCM message */
	void *param;
};

/* What the member does, and did. */
static struct {
	struct seen seen[32];
	unsigned count;
	unsigned fails_at; /* this call, counted from 1, answers `code` */
	CK_RV code;
	const unsigned char *out; /* what it gives ... */
	size_t out_left;
	size_t at_once;         /* ... of which so much at the most in one call */
	CK_ULONG lies;          /* added to what it says to have given */
	CK_OBJECT_HANDLE lacks; /* a virtual handle that is not there */
	CK_RV locating;         /* what looking for objects answers */
} member;

static struct member_session session_there;
static struct operation op;
static struct call step;
static bool is_lack;

static void note(const struct call *c, const CK_OBJECT_HANDLE object[2])
{
	struct seen *s = &member.seen[member.count++ % 32];

	*s = (struct seen){.id = c->id,
			   .key = object[0],
			   .in_len = c->in_len,
			   .in2_len = c->in2_len,
			   .param = c->param};
	if (c->mech)
		s->mech = c->mech->m.mechanism;
	if (c->in_len > 0)
		memcpy(s->in, c->in, c->in_len < 64 ? c->in_len : 64);
	if (c->in2_len > 0)
		memcpy(s->in2, c->in2, c->in2_len < 64 ? c->in2_len : 64);
	if (c->param_len == sizeof(CK_GCM_MESSAGE_PARAMS))
		s->generator = ((CK_GCM_MESSAGE_PARAMS *)c->param)->ivGenerator;
}

CK_RV __wrap_member_call(struct member_session *ms, struct call *c,
			 const CK_OBJECT_HANDLE object[2])
{
	size_t n = member.out_left < member.at_once ? member.out_left : member.at_once;

	CU_ASSERT_PTR_EQUAL(ms, &session_there);
	note(c, object);
	if (member.count == member.fails_at)
		return member.code;
	if (!c->out_len)
		return CKR_OK;
	CU_ASSERT_FATAL(n <= *c->out_len);
	if (n > 0)
		memcpy(c->out, member.out, n);
	member.out += n;
	member.out_left -= n;
	*c->out_len = n + member.lies;
	return CKR_OK;
}

CK_RV __wrap_translate(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE object[2],
		       bool *lack)
{
	CU_ASSERT_PTR_EQUAL(ms, &session_there);
	CU_ASSERT_PTR_EQUAL(c->group, &trio);
	*lack = false;
	if (member.locating != CKR_OK)
		return member.locating;
	if (c->object[0].bad && c->object[0].handle == member.lacks) {
		*lack = true;
		return c->object[0].bad;
	}
	object[0] = c->object[0].bad ? REAL + c->object[0].handle : 0;
	return CKR_OK;
}

static const unsigned char text[] = "abcdefghijklmnopqrstuvwxyz0123456789";

/* An operation of that kind on another member, of which nothing was fed yet. */
static void begin(enum call_id init, CK_MECHANISM_TYPE mech)
{
	trio_end(); /* of the test before */
	trio_begin(CONFIG_MODE_FAILOVER);
	journal_free(&op.journal);
	memset(&op, 0, sizeof op);
	memset(&member, 0, sizeof member);
	member.out = text;
	member.at_once = sizeof text;
	session_there = (struct member_session){.member = &trio_member[1], .epoch = 1};
	op.init_id = init;
	op.key = init == CALL_C_DigestInit ? 0 : KEY;
	op.mech.m.mechanism = mech;
	step = (struct call){.place = CALL_BOUND, .group = &trio, .op = &op};
	is_lack = true; /* must be set */
}

static void fed(enum call_id id, const void *in, size_t len)
{
	journal_feed(&op.journal, id, &op.mech.m, in, len);
}

static CK_RV run(void)
{
	return replay(&step, &session_there, &is_lack);
}

static bool was(unsigned i, enum call_id id, const void *in, size_t len)
{
	const struct seen *s = &member.seen[i];

	return i < member.count && s->id == id && s->in_len == len &&
	       (len == 0 || memcmp(s->in, in, len < 64 ? len : 64) == 0);
}

static void what_can_be_taken_elsewhere_is_known(void)
{
	struct call other = {.id = CALL_C_Sign};

	begin(CALL_C_SignInit, CKM_SHA256_RSA_PKCS);
	CU_ASSERT_FALSE(replay_is_possible(&other));
	CU_ASSERT_FALSE(replay_floats(&other));
	CU_ASSERT_TRUE(replay_is_possible(&step));
	CU_ASSERT_FALSE(replay_floats(&step));
	op.is_fixed = true;
	CU_ASSERT_FALSE(replay_is_possible(&step));
	op.is_fixed = false;
	op.journal.is_lost = true;
	CU_ASSERT_FALSE(replay_is_possible(&step));
	op.journal.is_lost = false;
	op.journal.hashed = hashed_new(&op.mech.m);
	CU_ASSERT_TRUE(replay_is_possible(&step));
	CU_ASSERT_TRUE(replay_floats(&step));
	op.ms = &session_there; /* where it is, it goes on */
	CU_ASSERT_FALSE(replay_floats(&step));
}

static void an_operation_begins_again_and_is_fed_in_order(void)
{
	begin(CALL_C_SignInit, CKM_SHA256_HMAC);
	fed(CALL_C_SignUpdate, text, 5);
	fed(CALL_C_SignUpdate, text + 5, 6);
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_FALSE(is_lack);
	CU_ASSERT_EQUAL(member.count, 2);
	CU_ASSERT_TRUE(was(0, CALL_C_SignInit, NULL, 0));
	CU_ASSERT_EQUAL(member.seen[0].key, REAL + KEY);
	CU_ASSERT_EQUAL(member.seen[0].mech, CKM_SHA256_HMAC);
	CU_ASSERT_TRUE(was(1, CALL_C_SignUpdate, text, 11));
}

static void a_digest_needs_no_key_but_those_that_were_digested(void)
{
	begin(CALL_C_DigestInit, CKM_SHA256);
	fed(CALL_C_DigestUpdate, text, 3);
	journal_feed_key(&op.journal, 77);
	fed(CALL_C_DigestUpdate, text + 3, 4);
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(member.count, 4);
	CU_ASSERT_EQUAL(member.seen[0].key, 0);
	CU_ASSERT_TRUE(was(1, CALL_C_DigestUpdate, text, 3));
	CU_ASSERT_EQUAL(member.seen[2].id, CALL_C_DigestKey);
	CU_ASSERT_EQUAL(member.seen[2].key, REAL + 77);
	CU_ASSERT_TRUE(was(3, CALL_C_DigestUpdate, text + 3, 4));
}

static void a_key_that_is_not_there_is_a_lack(void)
{
	begin(CALL_C_SignInit, CKM_SHA256_HMAC);
	member.lacks = KEY;
	CU_ASSERT_EQUAL(run(), CKR_KEY_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
	CU_ASSERT_EQUAL(member.count, 0);
	begin(CALL_C_DigestInit, CKM_SHA256);
	journal_feed_key(&op.journal, 77);
	fed(CALL_C_DigestUpdate, text, 3);
	member.lacks = 77;
	CU_ASSERT_EQUAL(run(), CKR_KEY_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
	CU_ASSERT_EQUAL(member.count, 1);
}

static void what_the_member_answers_is_the_result(void)
{
	begin(CALL_C_DigestInit, CKM_SHA256);
	member.locating = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(run(), CKR_DEVICE_REMOVED);
	CU_ASSERT_FALSE(is_lack);
	member.locating = CKR_OK;
	fed(CALL_C_DigestUpdate, text, 3);
	journal_feed_key(&op.journal, 77);
	for (member.fails_at = 1; member.fails_at <= 3; member.fails_at++) {
		member.count = 0;
		member.code = CKR_SESSION_CLOSED;
		CU_ASSERT_EQUAL(run(), CKR_SESSION_CLOSED);
		CU_ASSERT_EQUAL(member.count, member.fails_at); /* nothing is fed behind it */
	}
	CU_ASSERT_FALSE(is_lack);
}

/* A cipher of which `out` bytes of `text` came out. */
static void begin_cipher(size_t out)
{
	begin(CALL_C_EncryptInit, CKM_AES_CBC_PAD);
	fed(CALL_C_EncryptUpdate, "0123456789", 10);
	journal_gave(&op.journal, text, out);
}

static void output_that_the_application_has_is_compared(void)
{
	begin_cipher(8);
	member.out_left = 8;
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(op.journal.missing, 0);
	CU_ASSERT_EQUAL(op.journal.owed.len, 0);
}

static void other_output_is_a_failure(void)
{
	for (size_t wrong = 0; wrong < 8; wrong++) {
		unsigned char other[8];

		begin_cipher(8);
		memcpy(other, text, 8);
		other[wrong] ^= 1;
		member.out = other;
		member.out_left = 8;
		CU_ASSERT_EQUAL(run(), CKR_DEVICE_ERROR);
		CU_ASSERT_FALSE(is_lack);
	}
}

/* A member that holds more back, or less, divides its output in another way. */
static void what_is_missing_or_owed_is_kept(void)
{
	begin_cipher(8);
	member.out_left = 5;
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(op.journal.missing, 3);
	CU_ASSERT_EQUAL(op.journal.owed.len, 0);
	begin_cipher(8);
	member.out_left = 13;
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(op.journal.missing, 0);
	CU_ASSERT_EQUAL_FATAL(op.journal.owed.len, 5);
	CU_ASSERT_EQUAL(memcmp(op.journal.owed.data, text + 8, 5), 0);
	member.out = text; /* and a third one: what the second gave too early is forgotten */
	member.out_left = 9;
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(op.journal.owed.len, 1);
}

static void output_is_compared_across_the_pieces_of_the_input(void)
{
	static unsigned char in[2 * PIECE + 1];

	begin(CALL_C_DecryptInit, CKM_AES_CTR);
	fed(CALL_C_DecryptUpdate, in, sizeof in);
	journal_gave(&op.journal, text, 10);
	member.out_left = 12;
	member.at_once = 4;
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(member.count, 4);
	CU_ASSERT_EQUAL(member.seen[1].in_len, PIECE);
	CU_ASSERT_EQUAL(member.seen[3].in_len, 1);
	CU_ASSERT_EQUAL(op.journal.missing, 0);
	CU_ASSERT_EQUAL(op.journal.owed.len, 2);
}

static void a_length_beyond_the_room_is_not_believed(void)
{
	begin_cipher(0);
	member.lies = 10 + 4096 + 1;
	CU_ASSERT_EQUAL(run(), CKR_DEVICE_ERROR);
	begin_cipher(0);
	member.lies = ~0UL;
	CU_ASSERT_EQUAL(run(), CKR_DEVICE_ERROR);
}

static void memory_may_be_out(void)
{
	for (unsigned long n = 1; n <= 2; n++) {
		CK_RV rv;

		begin_cipher(2);
		member.out_left = 8;
		alloc_fail_at(n); /* the room for the output, then for what is owed */
		rv = run();
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(rv, n == 1 ? CKR_HOST_MEMORY : CKR_DEVICE_ERROR);
	}
}

/* An open message with its IV, associated data and a part of it. */
static CK_GCM_MESSAGE_PARAMS gcm;

static void begin_message(enum call_id init, enum call_id first, enum call_id next)
{
	begin(init, CKM_AES_GCM);
	gcm = (CK_GCM_MESSAGE_PARAMS){.ivGenerator = CKG_GENERATE};
	op.in_message = true;
	step.param = &gcm;
	step.param_len = sizeof gcm;
	fed(first, "aad", 3);
	fed(next, text, 7);
}

static void a_message_is_opened_again_with_the_iv_that_it_had(void)
{
	static const struct {
		enum call_id init, first, next;
	} kinds[] = {
		{CALL_C_MessageEncryptInit, CALL_C_EncryptMessageBegin, CALL_C_EncryptMessageNext},
		{CALL_C_MessageDecryptInit, CALL_C_DecryptMessageBegin, CALL_C_DecryptMessageNext},
		{CALL_C_MessageSignInit, CALL_C_SignMessageBegin, CALL_C_SignMessageNext},
		{CALL_C_MessageVerifyInit, CALL_C_VerifyMessageBegin, CALL_C_VerifyMessageNext}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		begin_message(kinds[i].init, kinds[i].first, kinds[i].next);
		CU_ASSERT_EQUAL(run(), CKR_OK);
		CU_ASSERT_EQUAL(member.count, 3);
		CU_ASSERT_TRUE(was(0, kinds[i].init, NULL, 0));
		CU_ASSERT_TRUE(was(1, kinds[i].first, NULL, 0));
		CU_ASSERT_EQUAL(member.seen[1].in2_len, 3);
		CU_ASSERT_EQUAL(memcmp(member.seen[1].in2, "aad", 3), 0);
		CU_ASSERT_EQUAL(member.seen[1].generator, CKG_NO_GENERATE);
		CU_ASSERT_TRUE(was(2, kinds[i].next, text, 7));
		CU_ASSERT_PTR_EQUAL(member.seen[2].param, &gcm);
		CU_ASSERT_EQUAL(gcm.ivGenerator, CKG_GENERATE); /* the application's own stays */
	}
}

static void a_message_without_associated_data_is_opened_too(void)
{
	begin(CALL_C_MessageSignInit, CKM_SHA256_HMAC);
	op.in_message = true;
	step.param = &gcm;
	step.param_len = 5; /* whatever that is to this mechanism */
	fed(CALL_C_SignMessageNext, text, 7);
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_EQUAL(member.count, 3);
	CU_ASSERT_EQUAL(member.seen[1].id, CALL_C_SignMessageBegin);
	CU_ASSERT_EQUAL(member.seen[1].in2_len, 0);
	CU_ASSERT_PTR_EQUAL(member.seen[1].param, &gcm);
	CU_ASSERT_EQUAL(member.seen[2].id, CALL_C_SignMessageNext);
}

static void a_message_is_not_put_together_from_other_parts(void)
{
	for (size_t left = 0; left < 10; left++) {
		begin_message(CALL_C_MessageEncryptInit, CALL_C_EncryptMessageBegin,
			      CALL_C_EncryptMessageNext);
		journal_gave(&op.journal, text, 7);
		member.out_left = left;
		CU_ASSERT_EQUAL(run(), left == 7 ? CKR_OK : CKR_DEVICE_ERROR);
	}
}

static void associated_data_that_do_not_fit_one_piece_stay_where_they_are(void)
{
	static unsigned char aad[PIECE + 1];

	begin(CALL_C_MessageEncryptInit, CKM_AES_GCM);
	op.in_message = true;
	fed(CALL_C_EncryptMessageBegin, aad, sizeof aad);
	CU_ASSERT_EQUAL(run(), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(member.count, 1); /* the operation began, the message did not */
	begin_message(CALL_C_MessageEncryptInit, CALL_C_EncryptMessageBegin,
		      CALL_C_EncryptMessageNext);
	member.fails_at = 2;
	member.code = CKR_FUNCTION_NOT_SUPPORTED;
	CU_ASSERT_EQUAL(run(), CKR_FUNCTION_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(member.count, 2);
}

/* A signature that goes on with its digest. */
static void begin_floating(enum call_id init)
{
	begin(init, CKM_SHA256_RSA_PKCS);
	op.journal.hashed = hashed_new(&op.mech.m);
	CU_ASSERT_TRUE(hashed_add(op.journal.hashed, text, 20));
}

static void a_digest_that_floats_needs_nobody(void)
{
	begin_floating(CALL_C_SignInit);
	CU_ASSERT_EQUAL(run(), CKR_OK);
	CU_ASSERT_FALSE(is_lack);
	is_lack = true;
	CU_ASSERT_EQUAL(replay_final(&step, NULL, &is_lack), CKR_OK);
	CU_ASSERT_FALSE(is_lack);
	CU_ASSERT_EQUAL(member.count, 0);
}

static void a_digest_that_floats_is_signed_or_verified_at_last(void)
{
	static const enum call_id ids[][3] = {
		{CALL_C_SignInit, CALL_C_Sign, CALL_C_SignFinal},
		{CALL_C_VerifyInit, CALL_C_Verify, CALL_C_VerifyFinal}};
	unsigned char digest[32];

	SHA256(text, 20, digest);
	for (size_t i = 0; i < 2; i++) {
		begin_floating(ids[i][0]);
		step.id = ids[i][2];
		step.in2 = text;
		step.in2_len = 9;
		CU_ASSERT_EQUAL(replay_final(&step, &session_there, &is_lack), CKR_OK);
		CU_ASSERT_EQUAL(member.count, 2);
		CU_ASSERT_TRUE(was(0, ids[i][0], NULL, 0));
		CU_ASSERT_EQUAL(member.seen[0].mech, CKM_RSA_PKCS);
		CU_ASSERT_EQUAL(member.seen[0].key, REAL + KEY);
		CU_ASSERT_EQUAL(member.seen[1].id, ids[i][1]);
		CU_ASSERT_EQUAL(member.seen[1].in_len, 19 + 32); /* a DigestInfo */
		CU_ASSERT_EQUAL(memcmp(member.seen[1].in + 19, digest, 32), 0);
		CU_ASSERT_EQUAL(member.seen[1].in2_len, 9); /* the signature */
		CU_ASSERT_EQUAL(step.id, ids[i][2]);
	}
}

static void a_last_step_that_fails_is_the_result(void)
{
	begin_floating(CALL_C_SignInit);
	member.lacks = KEY;
	CU_ASSERT_EQUAL(replay_final(&step, &session_there, &is_lack), CKR_KEY_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
	CU_ASSERT_EQUAL(member.count, 0);
	member.lacks = 0;
	member.code = CKR_DEVICE_REMOVED;
	for (member.fails_at = 1; member.fails_at <= 2; member.fails_at++) {
		member.count = 0;
		CU_ASSERT_EQUAL(replay_final(&step, &session_there, &is_lack), CKR_DEVICE_REMOVED);
		CU_ASSERT_EQUAL(member.count, member.fails_at);
		CU_ASSERT_FALSE(is_lack);
	}
	member.count = 0;
	alloc_fail_at(1);
	CU_ASSERT_EQUAL(replay_final(&step, &session_there, &is_lack), CKR_HOST_MEMORY);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(member.count, 0);
	begin(CALL_C_SignInit, CKM_ECDSA); /* gives the journal back */
}

static const struct unit_test tests[] = {
	UNIT(what_can_be_taken_elsewhere_is_known),
	UNIT(an_operation_begins_again_and_is_fed_in_order),
	UNIT(a_digest_needs_no_key_but_those_that_were_digested),
	UNIT(a_key_that_is_not_there_is_a_lack),
	UNIT(what_the_member_answers_is_the_result),
	UNIT(output_that_the_application_has_is_compared),
	UNIT(other_output_is_a_failure),
	UNIT(what_is_missing_or_owed_is_kept),
	UNIT(output_is_compared_across_the_pieces_of_the_input),
	UNIT(a_length_beyond_the_room_is_not_believed),
	UNIT(memory_may_be_out),
	UNIT(a_message_is_opened_again_with_the_iv_that_it_had),
	UNIT(a_message_without_associated_data_is_opened_too),
	UNIT(a_message_is_not_put_together_from_other_parts),
	UNIT(associated_data_that_do_not_fit_one_piece_stay_where_they_are),
	UNIT(a_digest_that_floats_needs_nobody),
	UNIT(a_digest_that_floats_is_signed_or_verified_at_last),
	UNIT(a_last_step_that_fails_is_the_result),
};

UNIT_MAIN("core/replay", tests)

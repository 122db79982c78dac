/* SPDX-License-Identifier: BSD-2-Clause */
/* What core/key.c sends through the gate and makes of the answers, against a member that lies about
 * lengths. The gate, the session and the table of objects are replaced here. */
#include "core/key.h"

#include <string.h>

#include "core/call.h"
#include "core/object.h"
#include "core/overlay.h"
#include "core/pending.h"
#include "core/session.h"
#include "tests/unit/unit.h"

#define SESSION     7UL
#define BASE        21UL
#define KEY         22UL
#define WRAPPED_LEN 40UL

static struct config_token conf = {.label = (char *)(uintptr_t) "t"};
static struct group group = {.conf = &conf};
static struct session session = {.group = &group};
static bool is_rw;

/* What the member wants before it wraps, what it says then, and how often it was asked. */
static CK_ULONG wanted, said;
static unsigned sent;
static struct call last;
static CK_ULONG random_max;

CK_RV session_take(CK_SESSION_HANDLE handle, struct session **s)
{
	*s = &session;
	return handle == SESSION ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

void session_give(struct session *s)
{
	CU_ASSERT_PTR_EQUAL(s, &session);
}

bool session_is_rw(const struct session *s)
{
	(void)s;
	return is_rw;
}

const char *call_name(enum call_id id)
{
	return id == CALL_C_DeriveKey ? "C_DeriveKey" : "C_Other";
}

bool object_is_handle(CK_ULONG value, void *context)
{
	return value == BASE && context == &group;
}

CK_RV pending_check(const struct group *g, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	return g != &group || (!tmpl && count > 0) ||
			       (count > 0 && tmpl[0].type == CKA_LABEL) /* one of hsmux's own */
		       ? CKR_ATTRIBUTE_VALUE_INVALID
		       : CKR_OK;
}

CK_RV overlay_check_derived(const struct call *call)
{
	return call->group == &group && call->tmpl[0] == NULL && call->tmpl_count[0] > 0
		       ? CKR_TEMPLATE_INCONSISTENT
		       : CKR_OK;
}

CK_RV pending_run(struct call *call, const bool is_token[2], CK_OBJECT_HANDLE *const app[2])
{
	CK_RV rv = call_run(call);

	(void)is_token;
	for (size_t i = 0; rv == CKR_OK && i < 2; i++) {
		if (app[i])
			*app[i] = call->made[i] + 1000;
	}
	return rv;
}

static CK_RV answer_wrap(struct call *call)
{
	if (!call->out || *call->out_len < wanted) {
		CK_RV rv = call->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;

		*call->out_len = said;
		return rv;
	}
	memset(call->out, 0xab, WRAPPED_LEN);
	*call->out_len = WRAPPED_LEN;
	return CKR_OK;
}

CK_RV call_decide(struct call *c)
{
	(void)c; /* no policy */
	return CKR_OK;
}

CK_RV call_run(struct call *call)
{
	sent++;
	last = *call;
	switch ((int)call->id) {
	case CALL_C_WrapKey:
		return answer_wrap(call);
	case CALL_C_GenerateRandom:
		if (*call->out_len > random_max)
			random_max = *call->out_len;
		memset(call->out, 0x5a, *call->out_len);
		return CKR_OK;
	default:
		call->made[0] = 1;
		call->made[1] = 2;
		return CKR_OK;
	}
}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_MECHANISM wrap_mech = {CKM_AES_KEY_WRAP, NULL, 0};
static CK_MECHANISM gen_mech = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
static CK_ATTRIBUTE on_token[] = {{CKA_TOKEN, &yes, 1}};
static CK_ATTRIBUTE in_session[] = {{CKA_TOKEN, &no, 1}};

static void start(void)
{
	is_rw = true;
	wanted = said = WRAPPED_LEN;
	sent = 0;
	random_max = 0;
	memset(&last, 0, sizeof last);
}

static void a_wrapped_key_has_its_true_length_whatever_the_member_says(void)
{
	static const CK_ULONG words[] = {32, WRAPPED_LEN, 64, 4096};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		CK_ULONG len = 0;

		start();
		said = words[i];
		CU_ASSERT_EQUAL(key_wrap(SESSION, &wrap_mech, BASE, KEY, NULL, &len), CKR_OK);
		CU_ASSERT_EQUAL(len, WRAPPED_LEN);
	}
}

static void a_buffer_of_the_true_length_is_enough(void)
{
	CK_BYTE out[WRAPPED_LEN + 1] = {0};
	CK_ULONG len = WRAPPED_LEN;

	start();
	wanted = 64; /* more than it fills */
	said = 64;
	CU_ASSERT_EQUAL(key_wrap(SESSION, &wrap_mech, BASE, KEY, out, &len), CKR_OK);
	CU_ASSERT_EQUAL(len, WRAPPED_LEN);
	CU_ASSERT_EQUAL(out[WRAPPED_LEN - 1], 0xab);
	CU_ASSERT_EQUAL(out[WRAPPED_LEN], 0);
}

static void a_short_buffer_is_told_the_true_length_and_stays_untouched(void)
{
	CK_BYTE out[WRAPPED_LEN] = {0};
	CK_ULONG len = WRAPPED_LEN - 1;

	start();
	said = 32; /* less than was offered */
	CU_ASSERT_EQUAL(key_wrap(SESSION, &wrap_mech, BASE, KEY, out, &len), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(len, WRAPPED_LEN);
	CU_ASSERT_EQUAL(out[0], 0);
}

static void a_giant_wrapped_key_has_the_length_that_the_member_says(void)
{
	CK_ULONG len = 0;

	start();
	wanted = said = 100000;
	CU_ASSERT_EQUAL(key_wrap(SESSION, &wrap_mech, BASE, KEY, NULL, &len), CKR_OK);
	CU_ASSERT_EQUAL(len, 100000);
}

static void wrapping_names_both_keys(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof out;

	start();
	CU_ASSERT_EQUAL(key_wrap(SESSION, &wrap_mech, BASE, KEY, out, &len), CKR_OK);
	CU_ASSERT_EQUAL(sent, 1);
	CU_ASSERT_EQUAL(last.object[0].handle, BASE);
	CU_ASSERT_EQUAL(last.object[0].bad, CKR_WRAPPING_KEY_HANDLE_INVALID);
	CU_ASSERT_EQUAL(last.object[1].handle, KEY);
	CU_ASSERT_EQUAL(last.object[1].bad, CKR_KEY_HANDLE_INVALID);
}

static void token_objects_are_made_anywhere_and_session_objects_at_home(void)
{
	CK_OBJECT_HANDLE a = 0, b = 0;

	start();
	CU_ASSERT_EQUAL(key_generate(SESSION, &gen_mech, on_token, 1, &a), CKR_OK);
	CU_ASSERT_EQUAL(last.place, CALL_BORROW);
	CU_ASSERT_EQUAL(a, 1001);
	CU_ASSERT_EQUAL(key_generate(SESSION, &gen_mech, in_session, 1, &a), CKR_OK);
	CU_ASSERT_EQUAL(last.place, CALL_HOME);
	CU_ASSERT_EQUAL(key_generate_pair(SESSION, &gen_mech, on_token, 1, on_token, 1, &a, &b),
			CKR_OK);
	CU_ASSERT_EQUAL(last.place, CALL_BORROW);
	CU_ASSERT_EQUAL(b, 1002);
	CU_ASSERT_EQUAL(key_generate_pair(SESSION, &gen_mech, on_token, 1, in_session, 1, &a, &b),
			CKR_OK);
	CU_ASSERT_EQUAL(last.place, CALL_HOME);
}

static void a_read_only_session_makes_no_token_object(void)
{
	CK_OBJECT_HANDLE a = 0, b = 0;
	CK_BYTE blob[8] = {0};

	start();
	is_rw = false;
	CU_ASSERT_EQUAL(key_generate(SESSION, &gen_mech, on_token, 1, &a), CKR_SESSION_READ_ONLY);
	CU_ASSERT_EQUAL(key_generate_pair(SESSION, &gen_mech, in_session, 1, on_token, 1, &a, &b),
			CKR_SESSION_READ_ONLY);
	CU_ASSERT_EQUAL(key_unwrap(SESSION, &wrap_mech, BASE, blob, sizeof blob, on_token, 1, &a),
			CKR_SESSION_READ_ONLY);
	CU_ASSERT_EQUAL(key_derive(SESSION, &gen_mech, BASE, on_token, 1, &a),
			CKR_SESSION_READ_ONLY);
	CU_ASSERT_EQUAL(sent, 0);
	CU_ASSERT_EQUAL(key_generate(SESSION, &gen_mech, in_session, 1, &a), CKR_OK);
}

/* A counter-mode derivation that makes one key more, from `more`. */
static CK_RV derive_two(CK_ATTRIBUTE *more, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_HANDLE second = 0;
	CK_SP800_108_COUNTER_FORMAT format = {.ulWidthInBits = 32};
	CK_PRF_DATA_PARAM data = {CK_SP800_108_ITERATION_VARIABLE, &format, sizeof format};
	CK_DERIVED_KEY extra = {more, 1, &second};
	CK_SP800_108_KDF_PARAMS params = {CKM_SHA256_HMAC, 1, &data, 1, &extra};
	CK_MECHANISM mech = {CKM_SP800_108_COUNTER_KDF, &params, sizeof params};

	return key_derive(SESSION, &mech, BASE, in_session, 1, key);
}

static void a_read_only_session_makes_no_token_object_on_the_side_either(void)
{
	CK_OBJECT_HANDLE key = 0;

	start();
	is_rw = false;
	CU_ASSERT_EQUAL(derive_two(on_token, &key), CKR_SESSION_READ_ONLY);
	CU_ASSERT_EQUAL(sent, 0);
	CU_ASSERT_EQUAL(derive_two(in_session, &key), CKR_OK);
	CU_ASSERT_EQUAL(last.place, CALL_HOME);
}

static void a_key_on_the_side_has_no_name_of_hsmux_either(void)
{
	char text[] = "hsmux-x";
	CK_ATTRIBUTE own[] = {{CKA_LABEL, text, 7}};
	CK_OBJECT_HANDLE key = 0;

	start();
	CU_ASSERT_EQUAL(derive_two(own, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(sent, 0);
}

static void only_some_derivations_need_no_place_for_a_handle(void)
{
	CK_BYTE random[32] = {0}, iv[16];
	CK_SSL3_KEY_MAT_OUT made = {0, 0, 0, 0, iv, iv};
	CK_SSL3_KEY_MAT_PARAMS params = {
		.ulKeySizeInBits = 128,
		.RandomInfo = {random, sizeof random, random, sizeof random},
		.pReturnedKeyMaterial = &made,
	};
	CK_MECHANISM mech = {CKM_TLS_KEY_AND_MAC_DERIVE, &params, sizeof params};

	start();
	CU_ASSERT_EQUAL(key_derive(SESSION, &mech, BASE, in_session, 1, NULL), CKR_OK);
	CU_ASSERT_FALSE(last.wants_made);
	CU_ASSERT_EQUAL(key_derive(SESSION, &gen_mech, BASE, in_session, 1, NULL),
			CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(sent, 1);
}

static void a_malformed_template_or_length_reaches_no_member(void)
{
	CK_ATTRIBUTE bad[] = {{CKA_LABEL, NULL, 5}};
	CK_BYTE blob[8] = {0};
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG len = ~0UL;

	start();
	CU_ASSERT_EQUAL(key_generate(SESSION, &gen_mech, bad, 1, &key),
			CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(key_generate(SESSION, &gen_mech, NULL, 1, &key), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_generate(SESSION, NULL, NULL, 0, &key), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_unwrap(SESSION, &wrap_mech, BASE, blob, ~0UL, NULL, 0, &key),
			CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_wrap(SESSION, &wrap_mech, BASE, KEY, blob, &len), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_generate(SESSION + 1, NULL, NULL, 1, NULL), CKR_SESSION_HANDLE_INVALID);
	CU_ASSERT_EQUAL(sent, 0);
}

static void random_bytes_come_in_pieces(void)
{
	static CK_BYTE out[200000];

	start();
	CU_ASSERT_EQUAL(key_random(SESSION, out, sizeof out), CKR_OK);
	CU_ASSERT_EQUAL(random_max, 65536);
	CU_ASSERT_EQUAL(sent, 4);
	for (size_t i = 0; i < sizeof out; i++) {
		if (out[i] != 0x5a) {
			CU_FAIL("a byte was left out");
			break;
		}
	}
	CU_ASSERT_EQUAL(key_random(SESSION, NULL, 0), CKR_OK);
	CU_ASSERT_EQUAL(key_random(SESSION, NULL, 1), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_random(SESSION, out, ~0UL), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_seed_random(SESSION, NULL, 1), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(key_random(SESSION + 1, NULL, 1), CKR_SESSION_HANDLE_INVALID);
	CU_ASSERT_EQUAL(sent, 4);
}

static const struct unit_test tests[] = {
	UNIT(a_wrapped_key_has_its_true_length_whatever_the_member_says),
	UNIT(a_buffer_of_the_true_length_is_enough),
	UNIT(a_short_buffer_is_told_the_true_length_and_stays_untouched),
	UNIT(a_giant_wrapped_key_has_the_length_that_the_member_says),
	UNIT(wrapping_names_both_keys),
	UNIT(token_objects_are_made_anywhere_and_session_objects_at_home),
	UNIT(a_read_only_session_makes_no_token_object),
	UNIT(a_read_only_session_makes_no_token_object_on_the_side_either),
	UNIT(a_key_on_the_side_has_no_name_of_hsmux_either),
	UNIT(only_some_derivations_need_no_place_for_a_handle),
	UNIT(a_malformed_template_or_length_reaches_no_member),
	UNIT(random_bytes_come_in_pieces),
};

UNIT_MAIN("key", tests)

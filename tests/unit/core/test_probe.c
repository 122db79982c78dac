/* SPDX-License-Identifier: BSD-2-Clause */
/* core/probe.c: what makes a member alive, doubtful or dead. */
#include "core/probe.h"

#include <string.h>

#include "tests/unit/core/pair.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

static enum probe_answer ask(struct member *m)
{
	enum probe_answer answer;

	pthread_mutex_lock(&m->lib->lock);
	answer = probe_member(m);
	pthread_mutex_unlock(&m->lib->lock);
	return answer;
}

static enum probe_answer probe(void)
{
	return ask(pair_member(0));
}

static bool reason_has(const char *text)
{
	return strstr(pair_member(0)->reason, text) != NULL;
}

static void the_canary_is_made_once_and_used_each_time(void)
{
	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_member(0)->has_canary, PROBE_SEEN_PUBLIC);
	CU_ASSERT_EQUAL(pair_ill.made, 1);
	CU_ASSERT_EQUAL(pair_ill.signatures, 1);
	CU_ASSERT_TRUE(pair_member(0)->canary.was_right);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_ill.made, 1);
	CU_ASSERT_EQUAL(pair_ill.signatures, 2);
	pair_end();
}

/* Its value is published: a key that wraps would give the token's keys away. */
static void the_canary_can_do_nothing_but_sign(void)
{
	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_ill.made, 1);
	CU_ASSERT_EQUAL(pair_ill.narrow, 1);
	pair_end();
}

static void a_passthrough_member_has_none(void)
{
	uint64_t searched;

	world_begin(NULL, NULL);
	searched = world_calls("C_FindObjectsInit");
	CU_ASSERT_EQUAL(ask(world_member()), PROBE_GOOD);
	CU_ASSERT_EQUAL(world_calls("C_FindObjectsInit"), searched);
	CU_ASSERT_EQUAL(world_member()->has_canary, 0);
	CU_ASSERT_EQUAL(world_sessions(), 0);
	world_end();
}

static void who_finds_nothing_is_dead_however_polite(void)
{
	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.finds_nothing, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("finds nothing"));
	CU_ASSERT_EQUAL(pair_ill.made, 1);
	atomic_store(&pair_ill.finds_nothing, 0);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	pair_end();
}

/* A store that is out of sight looks like an empty one until the library is started anew. */
static void after_a_restart_a_canary_that_is_gone_is_made_again_and_must_be_found(void)
{
	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.finds_nothing, 1);
	pair_member(0)->canary.lib_epoch--;
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("does not find the canary that was just made"));
	CU_ASSERT_EQUAL(pair_ill.made, 2);
	CU_ASSERT_EQUAL(pair_ill.destroyed, 1);
	atomic_store(&pair_ill.create, CKR_DEVICE_MEMORY);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("canary is gone, and making a new one answered"));
	pair_end();
}

static void a_token_that_loses_its_first_canary_is_dead(void)
{
	pair_begin(false);
	atomic_store(&pair_ill.finds_nothing, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_EQUAL(pair_ill.made, pair_ill.destroyed);
	pair_end();
}

static void a_wrong_answer_is_death(void)
{
	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.mac_is_null, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("answers wrongly"));
	pair_end();
}

/* At first sight: the token computes rightly with a key that was just given to it. */
static void a_wrong_key_under_the_name_is_death(void)
{
	pair_begin(false);
	atomic_store(&pair_ill.mac_of_objects, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("answers wrongly"));
	pair_end();
}

static void without_a_right_hmac_the_canary_is_only_looked_for(void)
{
	unsigned signatures;

	pair_begin(false);
	atomic_store(&pair_ill.mac_is_null, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	signatures = pair_ill.signatures;
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_ill.signatures, signatures);
	atomic_store(&pair_ill.finds_nothing, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	pair_end();
}

static void sha1_serves_where_sha256_is_not_offered(void)
{
	pair_begin(false);
	atomic_store(&pair_ill.has_no_sha256, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_member(0)->canary.mech, CKM_SHA_1_HMAC);
	CU_ASSERT_TRUE(pair_member(0)->canary.was_right);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	pair_end();
}

static void a_token_without_hmac_is_judged_without(void)
{
	pair_begin(false);
	atomic_store(&pair_ill.sign_init, CKR_MECHANISM_INVALID);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_TRUE(pair_member(0)->canary.is_said);
	CU_ASSERT_FALSE(pair_member(0)->canary.was_right);
	pair_end();
}

static void a_write_protected_token_is_judged_without(void)
{
	pair_begin(false);
	atomic_store(&pair_ill.open_rw, CKR_TOKEN_WRITE_PROTECTED);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_member(0)->has_canary, 0);
	CU_ASSERT_TRUE(pair_member(0)->canary.is_said);
	atomic_store(&pair_ill.open_rw, CKR_OK);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_ill.made, 0);
	pair_end();
}

static void where_only_a_user_may_make_it_it_waits_for_one(void)
{
	pair_begin(false);
	atomic_store(&pair_ill.create, CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.create, CKR_OK);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_ill.made, 0);
	atomic_store(&pair_ill.sees_user, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	CU_ASSERT_EQUAL(pair_ill.made, 1);
	CU_ASSERT_EQUAL(pair_member(0)->has_canary, PROBE_SEEN_USER);
	/* Logged out, it need not be visible; logged in it has to be. */
	atomic_store(&pair_ill.sees_user, 0);
	atomic_store(&pair_ill.finds_nothing, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.sees_user, 1);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	pair_end();
}

static void codes_of_the_canary_are_hard_or_may_pass(void)
{
	static const struct {
		CK_RV code;
		enum probe_answer answer;
	} rows[] = {
		{CKR_DEVICE_REMOVED, PROBE_DEAD},           {CKR_TOKEN_NOT_PRESENT, PROBE_DEAD},
		{CKR_CRYPTOKI_NOT_INITIALIZED, PROBE_DEAD}, {CKR_SLOT_ID_INVALID, PROBE_DEAD},
		{CKR_KEY_HANDLE_INVALID, PROBE_DEAD},       {(CK_RV)-1, PROBE_DEAD},
		{CKR_DEVICE_MEMORY, PROBE_DOUBTFUL},        {CKR_SESSION_COUNT, PROBE_DOUBTFUL},
		{CKR_FUNCTION_FAILED, PROBE_DOUBTFUL},      {CKR_DEVICE_ERROR, PROBE_DOUBTFUL},
		{CKR_USER_NOT_LOGGED_IN, PROBE_GOOD},
	};

	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		atomic_store(&pair_ill.sign, rows[i].code);
		CU_ASSERT_EQUAL(probe(), rows[i].answer);
	}
	pair_end();
}

static void busy_is_alive_and_the_rest_is_not(void)
{
	pair_begin(false);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.open, CKR_SESSION_COUNT);
	CU_ASSERT_EQUAL(probe(), PROBE_GOOD);
	atomic_store(&pair_ill.open, CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("C_OpenSession answered CKR_DEVICE_ERROR"));
	atomic_store(&pair_ill.open, CKR_OK);
	atomic_store(&pair_ill.token_info, CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(probe(), PROBE_DEAD);
	CU_ASSERT_TRUE(reason_has("C_GetTokenInfo answered CKR_GENERAL_ERROR"));
	pair_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(the_canary_is_made_once_and_used_each_time),
		UNIT(the_canary_can_do_nothing_but_sign),
		UNIT(a_passthrough_member_has_none),
		UNIT(who_finds_nothing_is_dead_however_polite),
		UNIT(after_a_restart_a_canary_that_is_gone_is_made_again_and_must_be_found),
		UNIT(a_token_that_loses_its_first_canary_is_dead),
		UNIT(a_wrong_answer_is_death),
		UNIT(a_wrong_key_under_the_name_is_death),
		UNIT(without_a_right_hmac_the_canary_is_only_looked_for),
		UNIT(sha1_serves_where_sha256_is_not_offered),
		UNIT(a_token_without_hmac_is_judged_without),
		UNIT(a_write_protected_token_is_judged_without),
		UNIT(where_only_a_user_may_make_it_it_waits_for_one),
		UNIT(codes_of_the_canary_are_hard_or_may_pass),
		UNIT(busy_is_alive_and_the_rest_is_not),
	};

	return unit_run("core/probe", tests, sizeof tests / sizeof tests[0]);
}

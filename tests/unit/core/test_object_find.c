/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that searches find on several members: which are one, which are in each other's way, who
 * is shown, and what is known of members that are away. */
#include "core/object_table.h"
#include "core/object_trait.h"
#include "tests/unit/core/claims.h"
#include "tests/unit/unit.h"

static void begin(void)
{
	claims_begin(CONFIG_MODE_FAILOVER);
}

static void one_key_on_several_members_is_one_object(void)
{
	CK_OBJECT_HANDLE h;

	begin();
	for (unsigned i = 0; i < TRIO; i++)
		claims_key(i, 100 + i, "key", "1", 7, 7);
	h = claims_find(0, 100);
	CU_ASSERT_NOT_EQUAL(h, 0);
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_EQUAL(claims_find(2, 102), h);
	CU_ASSERT_EQUAL(claims_do.reads, 3);
	CU_ASSERT_EQUAL(claims_find(1, 101), h); /* it is known now */
	CU_ASSERT_EQUAL(claims_do.reads, 3);
	CU_ASSERT_EQUAL(claims_do.takes, 3);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	CU_ASSERT_EQUAL(claims_real(0, h), 0); /* a claim is no proof */
	CU_ASSERT_FALSE(trait_any_hidden());
}

static void what_needs_no_proof_can_be_used_at_once(void)
{
	struct claim *c;

	begin();
	c = claims_key(0, 100, "certificate", "1", 7, 7);
	c->class = CKO_DATA;
	c->kind = IDENTITY_VALUE;
	c = claims_key(0, 101, "secret", "1", 8, 8);
	c->class = CKO_SECRET_KEY;
	c->kind = IDENTITY_ANSWER;
	CU_ASSERT_EQUAL(claims_real(0, claims_find(0, 100)), 100);
	CU_ASSERT_EQUAL(claims_real(0, claims_find(0, 101)), 101);
}

/* The same key under another label, or id, is the same; under neither it is another. */
static void a_key_that_was_renamed_on_one_side_is_the_same(void)
{
	CK_OBJECT_HANDLE h;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "renamed", "1", 7, 7);
	claims_key(2, 102, "key", "2", 7, 7);
	h = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_EQUAL(claims_find(2, 102), h);
	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "other", "2", 7, 7);
	h = claims_find(0, 100);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), 0);
	CU_ASSERT_EQUAL(claims_find(0, 100), h);
}

/* What has no name at all is the same when its content is. */
static void objects_without_a_name_are_told_by_their_content(void)
{
	CK_OBJECT_HANDLE h;

	begin();
	claims_key(0, 100, "", "", 7, 7);
	claims_key(1, 101, "", "", 7, 7);
	claims_key(1, 102, "", "", 8, 8);
	h = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 102), h);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 102), 0); /* and is in nobody's way */
}

static void two_of_one_content_on_one_member_are_two(void)
{
	CK_OBJECT_HANDLE a, b;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(0, 101, "key", "1", 7, 7);
	claims_key(1, 102, "key", "1", 7, 7);
	claims_key(1, 103, "key", "1", 7, 7);
	a = claims_find(0, 100);
	b = claims_find(0, 101);
	CU_ASSERT_NOT_EQUAL(a, b);
	CU_ASSERT_NOT_EQUAL(b, 0);
	CU_ASSERT_EQUAL(claims_find(1, 102) + claims_find(1, 103), a + b); /* each once */
}

/* What the application has seen under a name stays what it means by it. */
static void of_two_keys_of_one_name_the_one_that_was_seen_is_shown(void)
{
	for (unsigned first = 0; first < 2; first++) {
		unsigned second = 1 - first;
		CK_OBJECT_HANDLE shown;

		begin();
		claims_key(0, 100, "key", "1", 7, 7);
		claims_key(1, 101, "key", "1", 8, 8);
		trio_member_conf[first].role = CONFIG_ROLE_STANDBY;
		shown = claims_find(first, 100 + first);
		CU_ASSERT_NOT_EQUAL(shown, 0);
		CU_ASSERT_EQUAL(claims_find(second, 100 + second), 0);
		CU_ASSERT_EQUAL(claims_find(first, 100 + first), shown);
		CU_ASSERT_TRUE(trait_any_hidden());
		CU_ASSERT_EQUAL(claims_real(second, shown), 0);
	}
}

static void what_is_hidden_is_shown_when_the_other_goes(void)
{
	CK_OBJECT_HANDLE a;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 8, 8);
	a = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_find(1, 101), 0);
	object_drop(a);
	claims_remove(0, 100);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), 0);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), a);
}

/* Behind one stand two: the one of the member that comes first is next. */
static void of_two_that_are_hidden_the_first_members_is_shown_next(void)
{
	CK_OBJECT_HANDLE a;

	begin();
	for (unsigned i = 0; i < TRIO; i++)
		claims_key(i, 100 + i, "key", "1", (unsigned char)(7 + i), (unsigned char)(7 + i));
	a = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_find(1, 101), 0);
	CU_ASSERT_EQUAL(claims_find(2, 102), 0);
	object_drop(a);
	claims_remove(0, 100);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), 0);
	CU_ASSERT_EQUAL(claims_find(2, 102), 0);
}

/* Two of one name on one token are the token's business; what they hide stays so until both are
 * gone. */
static void what_stands_behind_two_is_shown_when_both_are_gone(void)
{
	CK_OBJECT_HANDLE a, b;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(0, 101, "key", "1", 8, 8);
	claims_key(1, 102, "key", "1", 9, 9);
	a = claims_find(0, 100);
	b = claims_find(0, 101);
	CU_ASSERT_NOT_EQUAL(a, b);
	CU_ASSERT_NOT_EQUAL(b, 0);
	CU_ASSERT_EQUAL(claims_find(1, 102), 0);
	object_drop(a);
	claims_remove(0, 100);
	CU_ASSERT_EQUAL(claims_find(0, 101), b);
	CU_ASSERT_EQUAL(claims_find(1, 102), 0);
	object_drop(b);
	claims_remove(0, 101);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 102), 0);
}

static void objects_of_our_own_and_sessions_of_others_are_not_shown(void)
{
	struct buf out = {0};
	const CK_OBJECT_HANDLE real[] = {0, 100, 101, 102, 103};

	begin();
	claims_key(0, 100, "hsmux-canary", "1", 7, 7);
	claims_key(0, 101, "key", "2", 8, 8)->is_session = true;
	claims_key(0, 102, "hsmux", "3", 9, 9);                  /* not ours */
	CU_ASSERT_EQUAL(claims_found(0, real, 5, &out), CKR_OK); /* 103 is gone again */
	CU_ASSERT_EQUAL(out.len, sizeof(CK_OBJECT_HANDLE));
	CU_ASSERT_EQUAL(claims_do.reads, 4);
	CU_ASSERT_EQUAL(claims_do.gives, 1);
	CU_ASSERT_EQUAL(claims_found(0, real, 4, &out), CKR_OK);
	CU_ASSERT_EQUAL(claims_do.reads, 4); /* they are not read at every search */
	buf_free(&out);
}

static void what_cannot_be_told_from_others_is_its_members_own(void)
{
	CK_OBJECT_HANDLE a, b;

	begin();
	claims_key(0, 100, "key", "1", 0, 7)->kind = IDENTITY_NONE;
	claims_key(1, 101, "key", "2", 0, 7)->kind = IDENTITY_NONE;
	a = claims_find(0, 100);
	b = claims_find(1, 101);
	CU_ASSERT_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(object_holders(&trio, a), 1);
	CU_ASSERT_EQUAL(object_holders(&trio, b), 2);
	CU_ASSERT_EQUAL(claims_real(0, a), 100);
	trio_lose(0); /* and ends with it */
	CU_ASSERT_EQUAL(object_holders(&trio, a), 0);
	CU_ASSERT_EQUAL(object_holders(&trio, b), 2);
}

/* A private key beside which no public key lies may be one whose public key another member shows;
 * it has to prove that. */
static void what_a_member_does_not_show_another_may(void)
{
	CK_OBJECT_HANDLE h;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 0, 7)->kind = IDENTITY_NONE;
	claims_key(2, 102, "key", "1", 0, 8)->kind = IDENTITY_NONE;
	h = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_NOT_EQUAL(claims_find(2, 102), h);
	CU_ASSERT_EQUAL(claims_do.proofs, 2);
}

/* Of several of the name it is the one that can be proven, and where none can, a key of its own. */
static void what_is_borrowed_has_to_be_proven(void)
{
	CK_OBJECT_HANDLE h;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(0, 99, "key", "1", 0, 9)->kind = IDENTITY_NONE;
	claims_key(1, 101, "key", "1", 0, 7)->kind = IDENTITY_NONE;
	claims_key(2, 102, "key", "1", 0, 7)->kind = IDENTITY_NONE;
	h = claims_find(0, 100);
	CU_ASSERT_NOT_EQUAL(claims_find(0, 99), h);
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	claims_do.prove = CKR_FUNCTION_FAILED;
	CU_ASSERT_NOT_EQUAL(claims_find(2, 102), h);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	CU_ASSERT_EQUAL(claims_real(2, h), 0);
}

/* A secret key that fails at the way in which the others answered, and goes another one. */
static void what_failed_to_answer_as_others_did_is_asked_again(void)
{
	struct buf out = {0};
	CK_OBJECT_HANDLE h, real = 101;
	struct claim *c[2];

	begin();
	for (unsigned i = 0; i < 2; i++) {
		c[i] = claims_key(i, 100 + i, "key", "1", 7, 7);
		c[i]->class = CKO_SECRET_KEY;
		c[i]->kind = IDENTITY_ANSWER;
	}
	h = claims_find(0, 100);
	for (unsigned life = 0; life < 2; life++) {
		c[1]->says = 8;
		c[1]->is_doubtful = true;
		for (unsigned i = 0; i < 9; i++)
			CU_ASSERT_EQUAL(claims_found(1, &real, 1, &out), CKR_DEVICE_ERROR);
		CU_ASSERT_EQUAL(out.len, 0);
		if (life > 0)
			break;
		c[1]->says = 7;
		c[1]->is_doubtful = false;
		CU_ASSERT_EQUAL(claims_find(1, 101), h); /* it answers now */
		trio_lose(1);
		trio_return(1);
	}
	CU_ASSERT_FALSE(trait_any_hidden());
	CU_ASSERT_EQUAL(claims_find(1, 101), 0); /* it is taken for another, which is hidden */
	CU_ASSERT_TRUE(trait_any_hidden());
	buf_free(&out);
}

/* identity.h: a session may have an operation left after a key that did not answer. */
static void a_session_that_may_be_dirty_is_not_used_on(void)
{
	const CK_OBJECT_HANDLE real[] = {100, 101};
	struct buf out = {0};
	struct claim *c;

	begin();
	c = claims_key(0, 100, "secret", "1", 0, 7);
	c->kind = IDENTITY_NONE;
	c->class = CKO_SECRET_KEY;
	claims_key(0, 101, "key", "2", 8, 8);
	CU_ASSERT_EQUAL(claims_found(0, real, 2, &out), CKR_OK);
	CU_ASSERT_EQUAL(out.len, 2 * sizeof(CK_OBJECT_HANDLE));
	CU_ASSERT_EQUAL(claims_do.dirtied, 0);
	buf_free(&out);
	CU_ASSERT_EQUAL(claims_found(0, real, 2, &out), CKR_OK);
	buf_free(&out);
}

static void each_object_is_listed_once(void)
{
	const CK_OBJECT_HANDLE twice[] = {100, 100, 101};
	struct buf out = {0};

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(0, 101, "other", "2", 8, 8);
	claims_key(1, 100, "key", "1", 7, 7);
	CU_ASSERT_EQUAL(claims_found(0, twice + 1, 2, &out), CKR_OK);
	CU_ASSERT_EQUAL(claims_found(1, twice, 1, &out), CKR_OK);
	CU_ASSERT_EQUAL(out.len, 2 * sizeof(CK_OBJECT_HANDLE));
	out.len = 0;
	CU_ASSERT_EQUAL(claims_found(0, twice, 3, &out), CKR_OK); /* a member that repeats itself */
	CU_ASSERT_EQUAL(out.len, 2 * sizeof(CK_OBJECT_HANDLE));
	buf_free(&out);
}

/* Lists that are too long to be searched; the member of the first list is lost in between. */
static void long_lists_have_each_object_once_too(void)
{
	CK_OBJECT_HANDLE real[100];
	static char labels[100][8];

	for (int lose = 0; lose < 2; lose++) {
		struct buf out = {0};

		begin();
		for (unsigned i = 0; i < 100; i++) {
			(void)snprintf(labels[i], sizeof labels[i], "k%u", i);
			real[i] = 100 + i;
			claims_key(0, real[i], labels[i], "", (unsigned char)i, (unsigned char)i);
			claims_key(1, real[i], labels[i], "", (unsigned char)i, (unsigned char)i);
		}
		CU_ASSERT_EQUAL(claims_found(0, real, 100, &out), CKR_OK);
		if (lose)
			trio_lose(0);
		CU_ASSERT_EQUAL(claims_found(1, real, 100, &out), CKR_OK);
		CU_ASSERT_EQUAL(out.len, 100 * sizeof(CK_OBJECT_HANDLE));
		buf_free(&out);
	}
}

static void a_member_that_does_not_answer_fails_the_search(void)
{
	const CK_OBJECT_HANDLE real = 100;
	struct buf out = {0};

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_do.take = CKR_SESSION_COUNT;
	CU_ASSERT_EQUAL(claims_found(0, &real, 1, &out), CKR_SESSION_COUNT);
	claims_do.take = CKR_OK;
	claims_do.read = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(claims_found(0, &real, 1, &out), CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(claims_do.drops, 1);
	CU_ASSERT_EQUAL(claims_do.gives, 0);
	CU_ASSERT_EQUAL(out.len, 0);
	claims_do.read = CKR_OK;
	CU_ASSERT_NOT_EQUAL(claims_find(0, 100), 0);
	buf_free(&out);
}

static void lose_first(void)
{
	claims_do.hook = NULL;
	trio_lose(0);
}

/* The search was on a session of an epoch, the questions would be on one of the next. */
static void a_member_that_returned_between_search_and_reading_adds_nothing(void)
{
	const CK_OBJECT_HANDLE real = 100;
	struct call c = {.id = CALL_C_FindObjectsInit, .group = &trio, .member = &trio_member[0]};
	struct buf list = {0}, out = {0};

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	c.made_epoch = atomic_load(&trio_member[0].epoch);
	CU_ASSERT_TRUE_FATAL(buf_add(&list, &real, sizeof real));
	trio_lose(0);
	trio_return(0);
	CU_ASSERT_EQUAL(object_found(&c, &list, &out), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(claims_do.reads, 0);
	CU_ASSERT_EQUAL(out.len, 0);
	buf_free(&list);
}

/* Handles of an epoch that is over denote nothing. */
static void a_member_that_is_lost_while_it_is_read_adds_nothing(void)
{
	const CK_OBJECT_HANDLE real = 100;
	struct buf out = {0};

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_do.hook = lose_first;
	CU_ASSERT_EQUAL(claims_found(0, &real, 1, &out), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(out.len, 0);
	CU_ASSERT_EQUAL(trio_member[0].map_count, 0);
	buf_free(&out);
}

static void find_at_once(void)
{
	claims_do.hook = NULL;
	CU_ASSERT_NOT_EQUAL(claims_find(0, 100), 0);
}

static void two_threads_that_find_one_object_make_one(void)
{
	CK_OBJECT_HANDLE h;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_do.hook = find_at_once;
	h = claims_find(0, 100);
	CU_ASSERT_NOT_EQUAL(h, 0);
	CU_ASSERT_EQUAL(claims_find(0, 100), h);
	CU_ASSERT_EQUAL(trio_member[0].map_count, 1);
}

static const struct unit_test tests[] = {
	UNIT(one_key_on_several_members_is_one_object),
	UNIT(what_needs_no_proof_can_be_used_at_once),
	UNIT(a_key_that_was_renamed_on_one_side_is_the_same),
	UNIT(objects_without_a_name_are_told_by_their_content),
	UNIT(two_of_one_content_on_one_member_are_two),
	UNIT(of_two_keys_of_one_name_the_one_that_was_seen_is_shown),
	UNIT(what_is_hidden_is_shown_when_the_other_goes),
	UNIT(of_two_that_are_hidden_the_first_members_is_shown_next),
	UNIT(what_stands_behind_two_is_shown_when_both_are_gone),
	UNIT(objects_of_our_own_and_sessions_of_others_are_not_shown),
	UNIT(what_cannot_be_told_from_others_is_its_members_own),
	UNIT(what_a_member_does_not_show_another_may),
	UNIT(what_is_borrowed_has_to_be_proven),
	UNIT(what_failed_to_answer_as_others_did_is_asked_again),
	UNIT(a_session_that_may_be_dirty_is_not_used_on),
	UNIT(each_object_is_listed_once),
	UNIT(long_lists_have_each_object_once_too),
	UNIT(a_member_that_does_not_answer_fails_the_search),
	UNIT(a_member_that_returned_between_search_and_reading_adds_nothing),
	UNIT(a_member_that_is_lost_while_it_is_read_adds_nothing),
	UNIT(two_threads_that_find_one_object_make_one),
};

UNIT_MAIN("core/object_find", tests)

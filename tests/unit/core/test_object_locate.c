/* SPDX-License-Identifier: BSD-2-Clause */
/* An object is found again on the members that have it, and on no other: what proves itself is
 * bound, a wrong key never is, and a handle denotes one key as long as it is valid. */
#include <pthread.h>

#include "core/object_table.h"
#include "core/object_trait.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/claims.h"
#include "tests/unit/unit.h"

/* A key that is on members 0 and 1, found on member 0. */
static CK_OBJECT_HANDLE begin(void)
{
	claims_begin(CONFIG_MODE_FAILOVER);
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 7, 7);
	return claims_find(0, 100);
}

static void what_was_found_is_proven_before_it_is_used(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_real(0, h), 0);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 100);
	CU_ASSERT_EQUAL(claims_do.proofs, 1);
	CU_ASSERT_EQUAL(claims_do.finds, 0);
	CU_ASSERT_EQUAL(claims_real(0, h), 100);
}

static void it_is_looked_for_on_other_members(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 101);
	CU_ASSERT_EQUAL(claims_real(1, h), 101);
	CU_ASSERT_EQUAL(claims_find(1, 101), h); /* and searches know it */
}

static void what_a_member_does_not_have_is_asked_for_once_in_an_epoch(void)
{
	CK_OBJECT_HANDLE h = begin(), real;
	unsigned finds;

	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 3);
	finds = claims_do.finds;
	CU_ASSERT_EQUAL(finds, 2); /* under its name, then under its id */
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(claims_do.finds, finds);
	trio_lose(2);
	trio_return(2);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	claims_key(2, 102, "key", "1", 7, 7);
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 102);
}

static void it_is_found_under_its_id_when_it_was_renamed(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	claims_key(2, 102, "renamed", "1", 7, 7);
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 102);
}

/* Somebody who may create objects on a member gives a key of his own our name. */
static void a_key_of_another_value_is_passed_over(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims_key(2, 102, "key", "1", 7, 8);
	claims_key(2, 103, "key", "1", 9, 9);
	claims_key(2, 104, "key", "1", 7, 7);
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 104);
}

/* Nor does one that shows nothing stand in the way of ours. */
static void a_key_that_cannot_prove_anything_is_passed_over(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims_key(2, 103, "key", "1", 9, 9)->is_mute = true;
	claims_key(2, 104, "key", "1", 7, 7);
	for (int i = 0; i < 3 && claims_locate(2, h, &real) != CKR_OK; i++)
		; /* each time on another session */
	CU_ASSERT_EQUAL(claims_real(2, h), 104);
}

static void a_key_of_another_value_alone_is_none(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims_key(2, 102, "key", "1", 7, 8);
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(claims_real(2, h), 0);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 3);
	CU_ASSERT_EQUAL(claims_real(0, h), 100);
}

/* The same where nobody has used the key yet: it was found on member 0, which is lost, and member 1
 * has another one of the name. Member 0 may still come back with it. */
static void a_wrong_key_is_never_bound_though_the_right_one_was_not_used_yet(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	claims[1].is = 8;
	trio_lose(0);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(claims_real(1, h), 0);
	trio_return(0);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 100);
}

/* Two members claim to have one key; the one that is used first lies. */
static void of_two_that_claim_to_be_one_key_the_liar_is_not_bound(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	claims[1].is = 8;
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 100);
}

/* A private key beside which only somebody else's public key lies is of use where it is, and
 * nowhere else. */
static void a_key_beside_a_foreign_public_key_stays_on_its_only_member(void)
{
	CK_OBJECT_HANDLE h, real;

	claims_begin(CONFIG_MODE_FAILOVER);
	claims_key(0, 100, "key", "1", 7, 9);
	h = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 100);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 1);
	claims_key(1, 101, "key", "1", 7, 7);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), h);
	CU_ASSERT_EQUAL(claims_real(0, h), 100);
	trio_lose(0);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 0); /* nobody can say that it is the same */
}

static void real_handles_of_other_objects_are_no_candidates(void)
{
	CK_OBJECT_HANDLE h = begin(), other, real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims_key(2, 102, "other", "1", 7, 7); /* of the same content, and known as another */
	claims_key(2, 103, "key", "1", 7, 7);
	CU_ASSERT_EQUAL(claims_find(2, 103), h);
	other = claims_find(2, 102);
	CU_ASSERT_NOT_EQUAL(other, h);
	object_forget(&trio, h, &trio_member[2]);
	claims_remove(2, 103);
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(claims_find(2, 102), other);
}

/* The member calls the real handle invalid: it has another one for the key now. */
static void a_handle_that_was_renumbered_is_found_again(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims[0].real = 200;
	claims_key(0, 100, "key", "1", 8, 8); /* and the number is another key's */
	object_forget(&trio, h, &trio_member[0]);
	CU_ASSERT_EQUAL(claims_real(0, h), 0);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 200);
	CU_ASSERT_NOT_EQUAL(claims_find(0, 100), h);
	CU_ASSERT_EQUAL(claims_find(0, 200), h);
}

/* Over the ends of epochs in which the numbers mean other keys the handle means one. */
static void a_handle_never_changes_its_meaning(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	for (CK_OBJECT_HANDLE round = 0; round < 20; round++) {
		trio_lose(0);
		CU_ASSERT_EQUAL(claims_real(0, h), 0);
		claims_count = 0;
		claims_key(0, 100, "key", "1", 7, (unsigned char)(8 + round));
		claims_key(0, 300 + round, "key", "1", 7, 7);
		trio_return(0);
		if (round % 3 == 0)
			(void)claims_find(0, 100); /* a search may have seen the wrong one first */
		if (claims_locate(0, h, &real) == CKR_OK)
			CU_ASSERT_EQUAL(real, 300 + round);
		CU_ASSERT_TRUE(claims_real(0, h) == 0 || claims_real(0, h) == 300 + round);
	}
	trio_lose(0); /* it is there alone at last */
	trio_return(0);
	claims_remove(0, 100);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 319);
}

static void codes_of_the_member_are_the_result(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	claims_do.find = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_REMOVED);
	claims_do.find = CKR_OK;
	claims_do.prove = CKR_SESSION_CLOSED;
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_SESSION_CLOSED);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_SESSION_CLOSED);
	claims_do.prove = CKR_OK;
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7); /* nothing was remembered of it */
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
}

/* One that fails at a proof is asked again, but not for ever. */
static void a_proof_that_fails_half_way_is_tried_ten_times(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims[1].is_doubtful = true;
	for (unsigned i = 0; i < 9; i++)
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 5);
	CU_ASSERT_EQUAL(claims_real(1, h), 0);
}

/* Failures that are weeks apart do not add up, nor those of a member that dies at each. */
static void a_key_that_has_proven_itself_is_believed_again(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	claims[1].is_doubtful = true;
	for (unsigned i = 0; i < 12; i++) {
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR);
		trio_lose(1);
		trio_return(1);
	}
	for (unsigned i = 0; i < 4; i++) {
		claims[1].is_doubtful = true;
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR);
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR);
		claims[1].is_doubtful = false;
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
		trio_lose(1);
		trio_return(1);
	}
	claims[1].is_doubtful = true;
	for (unsigned i = 0; i < 10; i++)
		(void)claims_locate(1, h, &real);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 5);
	trio_lose(1);
	trio_return(1);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR); /* from the start */
}

static void lose_second(void)
{
	claims_do.hook = NULL;
	trio_lose(1);
}

static void what_was_found_in_an_epoch_that_is_over_is_not_bound(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	claims_do.hook = lose_second;
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(claims_real(1, h), 0);
	CU_ASSERT_EQUAL(trio_member[1].map_count, 0);
}

static CK_OBJECT_HANDLE dropped;

static void drop_it(void)
{
	claims_do.hook = NULL;
	object_drop(dropped);
}

static void what_is_dropped_while_it_is_located_is_not_bound(void)
{
	CK_OBJECT_HANDLE real;
	struct object_view view;

	dropped = begin();
	claims_do.hook = drop_it;
	CU_ASSERT_EQUAL(claims_locate(1, dropped, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_FALSE(object_get(&trio, dropped, &view));
	CU_ASSERT_EQUAL(claims_locate(1, dropped, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), dropped);
	CU_ASSERT_EQUAL(claims_locate(1, 12345, &real), CKR_OBJECT_HANDLE_INVALID);
}

/* A session object that can be made again, of `size` bytes of value. */
static CK_OBJECT_HANDLE keep(CK_OBJECT_CLASS class, void *value, CK_ULONG size, bool is_nested)
{
	CK_ATTRIBUTE inner = {CKA_LABEL, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_VALUE, value, size},
			       {CKA_WRAP_TEMPLATE, &inner, sizeof inner}};
	CK_OBJECT_HANDLE h;

	claims_begin(CONFIG_MODE_FAILOVER);
	h = object_new(&trio, 0, 0, OBJECT_NO, OBJECT_NO);
	object_place(object_slot(h), &trio_member[0], 1, 500, true);
	CU_ASSERT_TRUE(claims_keep(h, tmpl, is_nested ? 3 : 2));
	return h;
}

static void a_session_object_is_made_again_where_it_is_needed(void)
{
	CK_BYTE value[] = "secret";
	CK_OBJECT_HANDLE h = keep(CKO_SECRET_KEY, value, 6, false), real;

	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	CU_ASSERT_EQUAL(object_copies(&trio, h), 1);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 900);
	CU_ASSERT_EQUAL(claims_real(1, h), 900);
	CU_ASSERT_EQUAL(object_copies(&trio, h), 3);
	CU_ASSERT_EQUAL(claims_do.makes, 1);
	trio_lose(1);
	trio_return(1);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 901);
	CU_ASSERT_EQUAL(claims_do.proofs + claims_do.finds, 0);
}

static void a_session_object_that_cannot_be_made_is_not_there(void)
{
	static const CK_RV lacks[] = {
		CKR_TEMPLATE_INCONSISTENT,   CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_TYPE_INVALID,
		CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY, CKR_KEY_SIZE_RANGE,
		CKR_DOMAIN_PARAMS_INVALID,   CKR_CURVE_NOT_SUPPORTED, CKR_FUNCTION_NOT_SUPPORTED};
	CK_BYTE value[] = "secret";
	CK_OBJECT_HANDLE h, real;

	for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
		h = keep(CKO_SECRET_KEY, value, 6, false);
		claims_do.make = lacks[i];
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OBJECT_HANDLE_INVALID);
		CU_ASSERT_EQUAL(object_holders(&trio, h), 5);
	}
	h = keep(CKO_SECRET_KEY, value, 6, false);
	claims_do.make = CKR_DEVICE_MEMORY; /* this says nothing of the object */
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_MEMORY);
	claims_do.make = CKR_OK;
	claims_do.makes_none = true;
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_DEVICE_ERROR);
	claims_do.take = CKR_SESSION_COUNT;
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_SESSION_COUNT);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
}

/* A maker that keeps nested templates as bytes would keep pointers of ours. */
static void nested_templates_do_not_go_where_they_are_flat(void)
{
	CK_BYTE value[] = "secret";
	CK_OBJECT_HANDLE h = keep(CKO_SECRET_KEY, value, 6, true), real;
	struct member_session ms = {.member = &trio_member[1], .epoch = 1};

	trio_vendor[2].flat_templates = true;
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(claims_do.makes, 0);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	h = keep(CKO_SECRET_KEY, value, 6, true); /* without a session nobody would own it */
	CU_ASSERT_EQUAL(object_locate(&trio, NULL, &ms, h, &real), CKR_OBJECT_HANDLE_INVALID);
}

static void what_is_too_long_to_keep_stays_on_its_member(void)
{
	static CK_BYTE value[64 * 1024 + 1];
	CK_OBJECT_HANDLE h = keep(CKO_DATA, value, sizeof value, false);

	CU_ASSERT_EQUAL(object_holders(&trio, h), 1);
	trait_lock();
	CU_ASSERT_PTR_NULL(trait_of((uint32_t)h));
	trait_unlock();
	h = keep(CKO_DATA, value, 1000, false);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	CU_ASSERT_TRUE(claims_keep(12345, NULL, 0)); /* a handle that is gone */
	CU_ASSERT_EQUAL(object_holders(&trio, 12345), 0);
}

static void memory_may_be_out(void)
{
	CK_OBJECT_HANDLE h, real;
	unsigned long n = 0;
	CK_RV rv;

	do {
		h = begin();
		alloc_fail_at(++n);
		rv = claims_locate(1, h, &real);
		alloc_fail_at(0);
		CU_ASSERT_TRUE(rv == CKR_OK || rv == CKR_HOST_MEMORY);
		CU_ASSERT_EQUAL(object_holders(&trio, h), 7); /* memory says nothing of it */
		CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	} while (rv != CKR_OK && n < 50);
	CU_ASSERT_TRUE(n > 3 && n < 50);
}

static void *locate_and_forget(void *arg)
{
	CK_OBJECT_HANDLE h = *(CK_OBJECT_HANDLE *)arg, real;

	for (int i = 0; i < 2000; i++) {
		CK_RV rv = claims_locate(1, h, &real);

		if (rv == CKR_OK && real != 101)
			*(CK_OBJECT_HANDLE *)arg = 0;
		if (i % 3 == 0)
			object_forget(&trio, h, &trio_member[1]);
	}
	return NULL;
}

static void threads_that_locate_one_object_find_the_same(void)
{
	CK_OBJECT_HANDLE h = begin(), seen[2] = {h, h}, real;
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&threads[i], NULL, locate_and_forget, &seen[i]), 0);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
		CU_ASSERT_EQUAL(seen[i], h);
	}
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 101);
	trio_end();
}

static const struct unit_test tests[] = {
	UNIT(what_was_found_is_proven_before_it_is_used),
	UNIT(it_is_looked_for_on_other_members),
	UNIT(what_a_member_does_not_have_is_asked_for_once_in_an_epoch),
	UNIT(it_is_found_under_its_id_when_it_was_renamed),
	UNIT(a_key_of_another_value_is_passed_over),
	UNIT(a_key_that_cannot_prove_anything_is_passed_over),
	UNIT(a_key_of_another_value_alone_is_none),
	UNIT(a_wrong_key_is_never_bound_though_the_right_one_was_not_used_yet),
	UNIT(of_two_that_claim_to_be_one_key_the_liar_is_not_bound),
	UNIT(a_key_beside_a_foreign_public_key_stays_on_its_only_member),
	UNIT(real_handles_of_other_objects_are_no_candidates),
	UNIT(a_handle_that_was_renumbered_is_found_again),
	UNIT(a_handle_never_changes_its_meaning),
	UNIT(codes_of_the_member_are_the_result),
	UNIT(a_proof_that_fails_half_way_is_tried_ten_times),
	UNIT(a_key_that_has_proven_itself_is_believed_again),
	UNIT(what_was_found_in_an_epoch_that_is_over_is_not_bound),
	UNIT(what_is_dropped_while_it_is_located_is_not_bound),
	UNIT(a_session_object_is_made_again_where_it_is_needed),
	UNIT(a_session_object_that_cannot_be_made_is_not_there),
	UNIT(nested_templates_do_not_go_where_they_are_flat),
	UNIT(what_is_too_long_to_keep_stays_on_its_member),
	UNIT(memory_may_be_out),
	UNIT(threads_that_locate_one_object_find_the_same),
};

UNIT_MAIN("core/object_locate", tests)

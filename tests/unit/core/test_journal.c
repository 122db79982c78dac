/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal: what comes out is what was fed, across the borders of its pieces, whatever was taken
 * back; what another member gives is compared byte for byte however it is cut; its limits are in
 * test_journal_limits.c. */
#include "core/journal.h"

#include <string.h>
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/fed.h"
#include "tests/unit/unit.h"

static void what_was_fed_is_kept_over_the_borders_of_pieces(void)
{
	static const size_t parts[] = {1,         PIECE - 1, 1, PIECE - 1, PIECE,
				       PIECE + 1, 2 * PIECE, 0, 17,        PIECE};
	struct journal j = {0};
	size_t at = 0;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		feed(&j, at, parts[i]);
		at += parts[i];
		CU_ASSERT_TRUE(holds(&j, at));
	}
	journal_free(&j);
	CU_ASSERT_PTR_NULL(j.first);
	CU_ASSERT_PTR_NULL(j.last);
	CU_ASSERT_TRUE(holds(&j, 0));
}

static void pieces_of_two_functions_are_not_put_together(void)
{
	struct journal j = {0};

	journal_feed(&j, CALL_C_EncryptMessageBegin, &plain, bytes, 10);
	journal_feed(&j, CALL_C_EncryptMessageNext, &plain, bytes + 10, 5);
	journal_feed(&j, CALL_C_EncryptMessageNext, &plain, bytes + 15, 5);
	CU_ASSERT_EQUAL(j.first->id, CALL_C_EncryptMessageBegin);
	CU_ASSERT_EQUAL(j.first->len, 10);
	CU_ASSERT_EQUAL(j.last->id, CALL_C_EncryptMessageNext);
	CU_ASSERT_EQUAL(j.last->len, 10);
	CU_ASSERT_PTR_EQUAL(j.first->next, j.last);
	CU_ASSERT_TRUE(holds(&j, 20));
	journal_free(&j);
}

/* A key that was digested between two inputs stays between them. */
static void a_digested_key_keeps_its_place(void)
{
	struct journal j = {0};

	journal_feed_key(&j, 77);
	journal_feed(&j, CALL_C_DigestUpdate, &plain, bytes, 10);
	journal_feed_key(&j, 78);
	CU_ASSERT_EQUAL(j.first->object, 77);
	CU_ASSERT_EQUAL(j.first->id, CALL_C_DigestKey);
	CU_ASSERT_EQUAL(j.first->next->len, 10);
	CU_ASSERT_EQUAL(j.last->object, 78);
	CU_ASSERT_PTR_NULL(j.last->next);
	journal_feed(&j, CALL_C_DigestUpdate, &plain, bytes + 10, 4);
	CU_ASSERT_EQUAL(j.last->object, 0);
	CU_ASSERT_EQUAL(j.last->len, 4);
	CU_ASSERT_EQUAL(j.in_len, 14);
	journal_free(&j);
}

/* A journal of which `out_len` bytes came out, and of which nothing has come again. */
static struct journal given(size_t out_len)
{
	struct journal j = {0};

	for (size_t at = 0, n; at < out_len; at += n) {
		n = 1 + at / 3;
		n = n < out_len - at ? n : out_len - at;
		journal_gave(&j, bytes + at, n);
	}
	journal_rewind(&j);
	return j;
}

/* The same bytes in other portions: those that are known are compared, the rest is new. */
static void output_is_compared_however_it_is_cut(void)
{
	static const size_t portions[] = {1000, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE};
	const size_t known = 2 * PIECE + 100, all = 3 * PIECE + 7;

	for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
		struct journal j = given(known);
		struct buf rest = {0};
		bool ok = true;

		CU_ASSERT_EQUAL(j.missing, known);
		for (size_t at = 0, n; at < all; at += n) {
			n = portions[i] == 1 && at % 999 ? 998 : portions[i];
			n = n < all - at ? n : all - at;
			ok = ok && journal_compare(&j, bytes + at, n, &rest);
		}
		CU_ASSERT_TRUE(ok);
		CU_ASSERT_EQUAL(j.missing, 0);
		CU_ASSERT_EQUAL_FATAL(rest.len, all - known);
		CU_ASSERT_EQUAL(memcmp(rest.data, bytes + known, rest.len), 0);
		buf_free(&rest);
		journal_free(&j);
	}
}

static void one_other_bit_is_seen_wherever_it_is(void)
{
	static const size_t wrong[] = {
		0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 99};
	const size_t known = 2 * PIECE + 100;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct journal whole = given(known), parts = given(known);
		struct buf rest = {0};

		bytes[wrong[i]] ^= 0x10;
		CU_ASSERT_FALSE(journal_compare(&whole, bytes, known + 5, &rest));
		CU_ASSERT_EQUAL(journal_compare(&parts, bytes, wrong[i], &rest), true);
		CU_ASSERT_FALSE(journal_compare(&parts, bytes + wrong[i], 1, &rest));
		bytes[wrong[i]] ^= 0x10;
		CU_ASSERT_EQUAL(rest.len, 0);
		buf_free(&rest);
		journal_free(&whole);
		journal_free(&parts);
	}
}

static void what_is_behind_the_known_output_is_not_compared(void)
{
	struct journal j = given(10);
	struct buf rest = {0};

	CU_ASSERT_TRUE(journal_compare(&j, NULL, 0, &rest));
	CU_ASSERT_TRUE(journal_compare(&j, bytes, 10, &rest));
	CU_ASSERT_EQUAL(rest.len, 0);
	CU_ASSERT_TRUE(journal_compare(&j, "other", 5, &rest));
	CU_ASSERT_EQUAL(rest.len, 5);
	buf_free(&rest);
	journal_free(&j);
}

/* What the present member gave too early is forgotten with it. */
static void rewinding_forgets_what_the_last_member_gave(void)
{
	struct journal j = given(10);

	CU_ASSERT_TRUE(journal_compare(&j, bytes, 15, &j.owed));
	CU_ASSERT_EQUAL(j.owed.len, 5);
	journal_rewind(&j);
	CU_ASSERT_EQUAL(j.owed.len, 0);
	CU_ASSERT_EQUAL(j.missing, 10);
	CU_ASSERT_TRUE(journal_compare(&j, bytes, 4, &j.owed));
	journal_rewind(&j);
	CU_ASSERT_EQUAL(j.missing, 10);
	CU_ASSERT_FALSE(journal_compare(&j, bytes + 4, 4, &j.owed));
	journal_free(&j);
}

static void memory_for_the_rest_may_be_out(void)
{
	struct journal j = given(10);
	struct buf rest = {0};

	alloc_fail_at(1);
	CU_ASSERT_FALSE(journal_compare(&j, bytes, 15, &rest));
	alloc_fail_at(0);
	buf_free(&rest);
	journal_free(&j);
}

/* A piece that goes back to the store holds nothing any more. */
static void what_was_kept_is_wiped(void)
{
	static const unsigned char zero[PIECE];
	struct journal j = {0};
	const unsigned char *first, *second;

	feed(&j, 0, 2 * PIECE);
	first = j.first->bytes;
	second = j.last->bytes;
	CU_ASSERT_EQUAL(memcmp(first, bytes, PIECE), 0);
	journal_free(&j);
	CU_ASSERT_EQUAL(memcmp(first, zero, PIECE), 0);
	CU_ASSERT_EQUAL(memcmp(second, zero, PIECE), 0);
}

static void prepare(void)
{
	fed_fill();
	CU_ASSERT_NOT_EQUAL(memcmp(bytes, bytes + PIECE, PIECE), 0);
}

static const struct unit_test tests[] = {
	UNIT(prepare),
	UNIT(what_was_fed_is_kept_over_the_borders_of_pieces),
	UNIT(pieces_of_two_functions_are_not_put_together),
	UNIT(a_digested_key_keeps_its_place),
	UNIT(output_is_compared_however_it_is_cut),
	UNIT(one_other_bit_is_seen_wherever_it_is),
	UNIT(what_is_behind_the_known_output_is_not_compared),
	UNIT(rewinding_forgets_what_the_last_member_gave),
	UNIT(memory_for_the_rest_may_be_out),
	UNIT(what_was_kept_is_wiped),
};

UNIT_MAIN("core/journal", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of the journal: of one operation, of all together, of memory; and what becomes of an
 * operation that is beyond them. Locked pages cannot be had where a test says so. */
#include "core/journal.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "core/base/locked.h"
#include "core/hashed.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/fed.h"
#include "tests/unit/unit.h"

#define PIECES (JOURNAL_MAX / PIECE)
/* Pieces of all journals of a process together. */
#define ALL (64UL * 1024 * 1024 / PIECE)

static const CK_MECHANISM hashing = {CKM_SHA256_RSA_PKCS, NULL, 0};
static bool locked_fails;

void *__real_locked_new(size_t size);
void *__wrap_locked_new(size_t size);

void *__wrap_locked_new(size_t size)
{
	return locked_fails ? NULL : __real_locked_new(size);
}

static void input_up_to_the_limit_is_kept(void)
{
	struct journal j = {0};

	feed(&j, 0, JOURNAL_MAX - 1);
	feed(&j, JOURNAL_MAX - 1, 1);
	CU_ASSERT_TRUE(holds(&j, JOURNAL_MAX));
	feed(&j, 0, 0);
	CU_ASSERT_TRUE(holds(&j, JOURNAL_MAX));
	feed(&j, JOURNAL_MAX, 1);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	CU_ASSERT_PTR_NULL(j.first);
	CU_ASSERT_PTR_NULL(j.hashed);
	feed(&j, 0, 1); /* a lost one keeps nothing */
	journal_feed_key(&j, 7);
	journal_gave(&j, bytes, 1);
	CU_ASSERT_PTR_NULL(j.first);
	CU_ASSERT_PTR_NULL(j.out);
	journal_free(&j);
}

static void a_length_beyond_all_reason_is_too_long(void)
{
	struct journal j = {0};

	feed(&j, 0, 10);
	journal_feed(&j, CALL_C_EncryptUpdate, &plain, bytes, SIZE_MAX);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	journal_free(&j);
	journal_gave(&j, bytes, 1);
	journal_gave(&j, bytes, SIZE_MAX);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	journal_free(&j);
}

static void output_up_to_the_limit_is_kept(void)
{
	struct journal j = {0};

	journal_gave(&j, bytes, JOURNAL_MAX);
	CU_ASSERT_TRUE(journal_is_whole(&j));
	CU_ASSERT_EQUAL(j.out_len, JOURNAL_MAX);
	journal_gave(&j, bytes, 0);
	CU_ASSERT_TRUE(journal_is_whole(&j));
	journal_gave(&j, bytes, 1);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	CU_ASSERT_PTR_NULL(j.out);
	journal_free(&j);
}

/* The DigestInfo of a SHA-256 ends with it. */
static bool digest_is(const struct journal *j, size_t len)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buf data = {0};
	CK_MECHANISM raw;
	bool ok =
		j->hashed && journal_is_whole(j) && hashed_result(j->hashed, &hashing, &raw, &data);

	SHA256(bytes, len, digest);
	ok = ok && data.len > sizeof digest &&
	     memcmp(data.data + data.len - sizeof digest, digest, sizeof digest) == 0;
	buf_free(&data);
	return ok;
}

static void sign(struct journal *j, size_t at, size_t len)
{
	journal_feed(j, CALL_C_SignUpdate, &hashing, bytes + at, len);
}

static void a_long_signature_goes_on_with_its_digest(void)
{
	struct journal j = {0};

	sign(&j, 0, JOURNAL_MAX - 5);
	CU_ASSERT_PTR_NULL(j.hashed);
	sign(&j, JOURNAL_MAX - 5, 6);
	CU_ASSERT_TRUE(digest_is(&j, JOURNAL_MAX + 1));
	CU_ASSERT_PTR_NULL(j.first);
	CU_ASSERT_PTR_NULL(j.last);
	sign(&j, JOURNAL_MAX + 1, 1000);
	sign(&j, 0, 0);
	CU_ASSERT_TRUE(digest_is(&j, JOURNAL_MAX + 1001));
	CU_ASSERT_TRUE(journal_is_whole(&j));
	journal_free(&j);
}

static void a_first_input_beyond_the_limit_is_digested_too(void)
{
	struct journal j = {0};

	sign(&j, 0, JOURNAL_MAX + 17);
	CU_ASSERT_TRUE(digest_is(&j, JOURNAL_MAX + 17));
	journal_free(&j);
	CU_ASSERT_PTR_NULL(j.hashed);
}

static void memory_for_the_digest_may_be_out(void)
{
	struct journal j = {0};

	sign(&j, 0, JOURNAL_MAX);
	alloc_fail_at(1);
	sign(&j, 0, 1);
	alloc_fail_at(0);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	CU_ASSERT_PTR_NULL(j.first);
	journal_free(&j);
}

/* What the application has not got yet, or has too much of, is the same when the input has become
 * too long for the journal: else it would get bytes twice, or never. */
static void a_lost_journal_still_owes_what_it_owed(void)
{
	struct journal j = {0};
	struct buf rest = {0};

	feed(&j, 0, 100);
	journal_gave(&j, bytes, 10);
	journal_rewind(&j);
	CU_ASSERT_TRUE(journal_compare(&j, bytes, 15, &j.owed));
	feed(&j, 0, JOURNAL_MAX);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	CU_ASSERT_EQUAL(j.owed.len, 5);
	journal_free(&j);
	feed(&j, 0, 100);
	journal_gave(&j, bytes, 10);
	journal_rewind(&j);
	feed(&j, 0, JOURNAL_MAX);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	CU_ASSERT_EQUAL(j.missing, 10);
	CU_ASSERT_TRUE(journal_compare(&j, bytes, 15, &rest));
	CU_ASSERT_EQUAL(rest.len, 5);
	buf_free(&rest);
	journal_free(&j);
}

static void without_memory_a_journal_is_lost(void)
{
	struct journal j = {0};

	for (unsigned long n = 1; n <= 2; n++) {
		alloc_fail_at(n);
		feed(&j, 0, PIECE);
		feed(&j, PIECE, 1);
		alloc_fail_at(0);
		CU_ASSERT_FALSE(journal_is_whole(&j));
		CU_ASSERT_PTR_NULL(j.first);
		journal_free(&j);
	}
	alloc_fail_at(1);
	journal_feed_key(&j, 7);
	alloc_fail_at(0);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	journal_free(&j);
	alloc_fail_at(1);
	journal_gave(&j, bytes, 1);
	alloc_fail_at(0);
	CU_ASSERT_FALSE(journal_is_whole(&j));
	journal_free(&j);
}

/* Journals until the process may have no more; how many pieces that were. */
static struct journal many[ALL / PIECES + 1];

static size_t take_all(void)
{
	size_t pieces = 0;

	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
		for (size_t k = 0; k < PIECES; k++) {
			feed(&many[i], 0, PIECE);
			if (!journal_is_whole(&many[i]))
				return pieces + 1; /* PIECES of one may have gone with it */
			pieces++;
		}
	return pieces;
}

static void give_all(void)
{
	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
		journal_free(&many[i]);
}

static void all_journals_together_have_a_limit(void)
{
	struct journal j = {0};

	for (int round = 0; round < 2; round++) {
		CU_ASSERT_EQUAL(take_all(), ALL + 1);
		feed(&j, 0, 1);
		CU_ASSERT_FALSE(journal_is_whole(&j));
		journal_free(&j);
		journal_free(&many[0]);
		feed(&j, 0, JOURNAL_MAX);
		CU_ASSERT_TRUE(holds(&j, JOURNAL_MAX));
		journal_free(&j);
		give_all();
	}
}

static void pieces_that_could_not_be_had_do_not_count(void)
{
	struct journal j = {0};

	for (size_t i = 0; i < 40; i++) /* the store becomes empty */
		feed(&many[i], 0, PIECE);
	locked_fails = true;
	for (size_t i = 0; i < ALL; i++) {
		feed(&j, 0, 1);
		CU_ASSERT_FALSE(journal_is_whole(&j));
		journal_free(&j);
	}
	locked_fails = false;
	feed(&j, 0, 1);
	CU_ASSERT_TRUE(journal_is_whole(&j));
	journal_free(&j);
	give_all();
	CU_ASSERT_EQUAL(take_all(), ALL + 1);
	give_all();
}

/* What the parent held is zeroed, given back without harm, and does not count. */
static int in_child(struct journal *j)
{
	int bad = 0;

	journal_forget_parent();
	bad |= j->first->bytes[0] != 0;
	journal_free(j);
	bad |= take_all() != ALL + 1;
	give_all();
	return bad;
}

static void a_forked_child_begins_anew(void)
{
	struct journal j = {0};
	int status = 0;
	pid_t child;

	feed(&j, 0, PIECE);
	CU_ASSERT_NOT_EQUAL(bytes[0], 0);
	child = fork();
	if (child == 0)
		_exit(in_child(&j));
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_TRUE(holds(&j, PIECE));
	journal_free(&j);
}

static void *use_many(void *arg)
{
	for (int i = 0; i < 200; i++) {
		struct journal j = {0};

		feed(&j, 0, 2 * PIECE + 1);
		journal_gave(&j, bytes, PIECE + 1);
		if (!holds(&j, 2 * PIECE + 1) || j.out_len != PIECE + 1)
			*(bool *)arg = true;
		journal_free(&j);
	}
	return NULL;
}

static void threads_share_the_store(void)
{
	pthread_t threads[4];
	bool bad[4] = {false};

	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, use_many, &bad[i]), 0);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
		CU_ASSERT_FALSE(bad[i]);
	}
	CU_ASSERT_EQUAL(take_all(), ALL + 1);
	give_all();
}

static void prepare(void)
{
	fed_fill();
	CU_ASSERT_NOT_EQUAL(memcmp(bytes, bytes + PIECE, PIECE), 0);
}

static const struct unit_test tests[] = {
	UNIT(prepare),
	UNIT(input_up_to_the_limit_is_kept),
	UNIT(a_length_beyond_all_reason_is_too_long),
	UNIT(output_up_to_the_limit_is_kept),
	UNIT(a_long_signature_goes_on_with_its_digest),
	UNIT(a_first_input_beyond_the_limit_is_digested_too),
	UNIT(memory_for_the_digest_may_be_out),
	UNIT(a_lost_journal_still_owes_what_it_owed),
	UNIT(without_memory_a_journal_is_lost),
	UNIT(all_journals_together_have_a_limit),
	UNIT(pieces_that_could_not_be_had_do_not_count),
	UNIT(a_forked_child_begins_anew),
	UNIT(threads_share_the_store),
};

UNIT_MAIN("core/journal_limits", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* core/table.c: slots that never move, reused first in, first out, and memory that is out. */
#include "core/table.h"

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

#define THREADS 4
#define ROUNDS  20000

struct slot {
	_Atomic int users;
	char fill[60];
};

static void a_fresh_slot_is_zero_and_stays_where_it_is(void)
{
	static struct table t = TABLE_INIT(sizeof(struct slot), 2000, 10);
	struct slot *first;

	CU_ASSERT_PTR_NULL(table_at(&t, 0));
	CU_ASSERT_EQUAL(table_take(&t), 0);
	first = table_at(&t, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	for (long i = 1; i < 1000; i++) {
		CU_ASSERT_EQUAL(table_take(&t), i);
		CU_ASSERT_EQUAL(((struct slot *)table_at(&t, (unsigned)i))->users, 0);
	}
	CU_ASSERT_PTR_EQUAL(table_at(&t, 0), first);
	CU_ASSERT_PTR_NULL(table_at(&t, 1000));
}

static void a_slot_given_back_waits_behind_others(void)
{
	static struct table t = TABLE_INIT(sizeof(struct slot), 2000, 3);

	for (long i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(table_take(&t), i);
	for (unsigned i = 0; i < 3; i++)
		table_give(&t, 2 - i);
	CU_ASSERT_EQUAL(table_take(&t), 4);
	table_give(&t, 3);
	CU_ASSERT_EQUAL(table_take(&t), 2);
	CU_ASSERT_EQUAL(table_take(&t), 5);
	table_give(&t, 4);
	CU_ASSERT_EQUAL(table_take(&t), 1);
}

static void a_full_table_uses_what_waits_and_then_says_no(void)
{
	static struct table t = TABLE_INIT(sizeof(struct slot), 300, 1000);

	for (long i = 0; i < 300; i++)
		CU_ASSERT_EQUAL(table_take(&t), i);
	CU_ASSERT_EQUAL(table_take(&t), -1);
	table_give(&t, 17);
	table_give(&t, 5);
	CU_ASSERT_EQUAL(table_take(&t), 17);
	CU_ASSERT_EQUAL(table_take(&t), 5);
	CU_ASSERT_EQUAL(table_take(&t), -1);
}

/* The ring is grown while its oldest entry is in the middle. */
static void the_order_survives_growth(void)
{
	static struct table t = TABLE_INIT(sizeof(struct slot), 5000, 100);
	long expected = 0;

	for (long i = 0; i < 500; i++)
		CU_ASSERT_EQUAL(table_take(&t), i);
	for (unsigned i = 0; i < 400; i++)
		table_give(&t, i);
	for (; expected < 300; expected++)
		CU_ASSERT_EQUAL(table_take(&t), expected);
	for (long i = 500; i < 3000; i++)
		CU_ASSERT_EQUAL(table_take(&t), i);
	for (unsigned i = 400; i < 402; i++)
		table_give(&t, i);
	CU_ASSERT_EQUAL(table_take(&t), 300);
	CU_ASSERT_EQUAL(table_take(&t), 301);
}

static void without_memory_the_waiting_are_used(void)
{
	static struct table t = TABLE_INIT(sizeof(struct slot), 5000, 100);

	alloc_fail_at(1);
	CU_ASSERT_EQUAL(table_take(&t), -1);
	alloc_fail_at(2);
	CU_ASSERT_EQUAL(table_take(&t), -1);
	alloc_fail_at(0);
	for (long i = 0; i < (long)TABLE_CHUNK_SLOTS; i++)
		CU_ASSERT_EQUAL(table_take(&t), i);
	table_give(&t, 9);
	alloc_fail_at(1);
	CU_ASSERT_EQUAL(table_take(&t), 9);
	alloc_fail_at(1);
	CU_ASSERT_EQUAL(table_take(&t), -1);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(table_take(&t), TABLE_CHUNK_SLOTS);
}

static struct table shared = TABLE_INIT(sizeof(struct slot), 400, 50);

static void *take_and_give(void *arg)
{
	_Atomic unsigned *twice = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		long index = table_take(&shared);
		struct slot *s = index < 0 ? NULL : table_at(&shared, (unsigned)index);

		if (!s)
			continue;
		if (atomic_fetch_add(&s->users, 1) != 0)
			atomic_fetch_add(twice, 1);
		atomic_fetch_sub(&s->users, 1);
		table_give(&shared, (unsigned)index);
	}
	return NULL;
}

static void no_slot_is_given_to_two(void)
{
	_Atomic unsigned twice = 0;
	pthread_t threads[THREADS];
	unsigned taken = 0;

	for (unsigned i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, take_and_give, &twice), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(twice, 0);
	while (table_take(&shared) >= 0)
		taken++;
	CU_ASSERT_EQUAL(taken, 400);
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_fresh_slot_is_zero_and_stays_where_it_is),
		UNIT(a_slot_given_back_waits_behind_others),
		UNIT(a_full_table_uses_what_waits_and_then_says_no),
		UNIT(the_order_survives_growth),
		UNIT(without_memory_the_waiting_are_used),
		UNIT(no_slot_is_given_to_two),
	};

	return unit_run("core/table", tests, sizeof tests / sizeof tests[0]);
}

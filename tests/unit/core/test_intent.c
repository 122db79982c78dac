/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of intents: what a reader finds of what a writer wrote. */
#include "core/intent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/intent_world.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

/* More allocations than any step has. */
#define MOST 60UL

static void expect_work(const struct intents *all)
{
	CU_ASSERT_EQUAL(intents_count(all), 3);
	CU_ASSERT(intent_is(intents_at(all, 0), "hsmux-pending-1", false, 5, "make it so"));
	CU_ASSERT(intent_is(intents_at(all, 1), "hsmux-pending-2", true, 2, "new words"));
	CU_ASSERT(intent_is(intents_at(all, 2), "hsmux-pending-4", false, 0, ""));
	CU_ASSERT_PTR_NULL(intents_at(all, 3));
	CU_ASSERT_EQUAL(intents_at(all, 0)->kind, INTENT_MAKE);
	CU_ASSERT_EQUAL(intents_at(all, 1)->kind, INTENT_DESTROY);
}

static void what_a_killed_process_left_is_read(void)
{
	struct intents *all;

	intent_begin();
	CU_ASSERT(!intents_any(&trio));
	intent_leave_work();
	CU_ASSERT(intents_any(&trio));
	all = intent_open();
	expect_work(all);
	intents_close(all);
	CU_ASSERT(intents_any(&trio));
	all = intent_open();
	expect_work(all);
	intents_settle(all, "hsmux-pending-1", 0);
	intents_settle(all, "hsmux-pending-2", 0);
	intents_settle(all, "hsmux-pending-4", 0);
	intents_settle(all, "hsmux-pending-5", 0);
	CU_ASSERT_EQUAL(intents_count(all), 0);
	intents_close(all);
	CU_ASSERT(!intents_any(&trio));
	intent_end();
}

static void a_journal_is_its_users_alone(void)
{
	struct stat st;

	intent_begin();
	intents_close(intent_open());
	CU_ASSERT_EQUAL_FATAL(stat(intent_path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	intent_end();
}

static void members_are_known_by_name(void)
{
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT(intent_start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT(intent_start(all, "b", INTENT_MAKE, 6, ""));
	intents_close(all);
	trio_member_conf[0].name = trio_member_conf[2].name;
	trio_member_conf[2].name = (char[]){"m0"};
	all = intent_open();
	CU_ASSERT(intent_is(intents_at(all, 0), "a", false, 4, ""));
	CU_ASSERT(intent_is(intents_at(all, 1), "b", false, 3, ""));
	intents_close(all);
	intent_end();
}

static void what_is_owed_to_a_member_without_configuration_waits_for_it(void)
{
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT(intent_start(all, "a", INTENT_MAKE, 7, "x"));
	CU_ASSERT(intent_start(all, "b", INTENT_MAKE, 1, "y"));
	intents_close(all);
	trio_keep(2);
	all = intent_open();
	CU_ASSERT(intent_is(intents_at(all, 0), "a", false, 3, "x"));
	CU_ASSERT(intent_decide(all, "a", 3, "z"));
	intents_settle(all, "a", 0);
	intents_settle(all, "b", 0);
	CU_ASSERT_EQUAL(intents_count(all), 0);
	CU_ASSERT_PTR_NULL(intents_at(all, 0));
	intents_close(all);
	CU_ASSERT(intents_any(&trio));
	trio_keep(3);
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 1);
	CU_ASSERT(intent_is(intents_at(all, 0), "a", true, 4, "z"));
	intents_close(all);
	intent_end();
}

static void a_long_journal_is_made_short(void)
{
	struct intents *all;
	struct stat st;

	intent_begin();
	all = intent_open();
	CU_ASSERT(intent_start(all, "stays", INTENT_MAKE, 7, "x"));
	CU_ASSERT(intent_start(all, "stays-too", INTENT_DESTROY, 7, "x"));
	CU_ASSERT(intent_decide(all, "stays-too", 3, "y"));
	for (unsigned i = 0; i < 1500; i++) {
		CU_ASSERT(intent_start(all, "goes", INTENT_CHANGE, 1, "some words"));
		intents_settle(all, "goes", 0);
	}
	CU_ASSERT_EQUAL(stat(intent_path, &st), 0);
	CU_ASSERT(st.st_size > 1 << 16);
	intents_close(all);
	CU_ASSERT_EQUAL(stat(intent_path, &st), 0);
	CU_ASSERT(st.st_size < 1000);
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 2);
	CU_ASSERT(intent_is(intents_at(all, 0), "stays", false, 7, "x"));
	CU_ASSERT(intent_is(intents_at(all, 1), "stays-too", true, 3, "y"));
	intents_close(all);
	intent_end();
}

static void what_is_no_line_is_refused(void)
{
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT(!intent_start(all, "a", INTENT_MAKE, 1, "two\nlines"));
	CU_ASSERT(!intent_start(all, "A tag", INTENT_MAKE, 1, ""));
	CU_ASSERT(!intent_start(all, "", INTENT_MAKE, 1, ""));
	CU_ASSERT(!intent_decide(all, "a", 1, ""));
	CU_ASSERT(intent_start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT(!intent_start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT(!intent_decide(all, "a", 1, "two\nlines"));
	CU_ASSERT_EQUAL(intents_count(all), 1);
	intents_close(all);
	intent_end();
}

static void without_its_own_directory_it_is_in_that_of_the_state(void)
{
	intent_begin();
	trio_config.state_journal = NULL;
	trio_config.state_directory = intent_dir;
	intents_close(intent_open());
	CU_ASSERT_EQUAL(access(intent_path, F_OK), 0);
	intent_end();
}

static void without_memory_nothing_begins_and_nothing_is_lost(void)
{
	intent_begin();
	for (unsigned long n = 1; n <= MOST; n++) {
		struct intents *all = intent_open();
		bool begun, decided, is_read;

		alloc_fail_at(n);
		begun = intent_start(all, "a", INTENT_MAKE, 1, "x");
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(intents_count(all), begun ? 1 : 0);
		if (!begun)
			CU_ASSERT(intent_start(all, "a", INTENT_MAKE, 1, "x"));
		alloc_fail_at(n);
		decided = intent_decide(all, "a", 2, "y");
		alloc_fail_at(0);
		CU_ASSERT(intent_is(intents_at(all, 0), "a", decided, decided ? 2 : 1,
				    decided ? "y" : "x"));
		intents_close(all);
		alloc_fail_at(n);
		all = intent_try(0);
		alloc_fail_at(0);
		is_read = all != NULL;
		if (!is_read)
			all = intent_open();
		CU_ASSERT_EQUAL(intents_count(all), 1);
		CU_ASSERT_EQUAL(intents_at(all, 0)->is_committed, decided);
		intents_settle(all, "a", 0);
		intents_close(all);
		CU_ASSERT(n < MOST || (begun && decided && is_read));
	}
	intent_end();
}

static const struct unit_test tests[] = {
	UNIT(what_a_killed_process_left_is_read),
	UNIT(a_journal_is_its_users_alone),
	UNIT(members_are_known_by_name),
	UNIT(what_is_owed_to_a_member_without_configuration_waits_for_it),
	UNIT(a_long_journal_is_made_short),
	UNIT(what_is_no_line_is_refused),
	UNIT(without_its_own_directory_it_is_in_that_of_the_state),
	UNIT(without_memory_nothing_begins_and_nothing_is_lost),
};

UNIT_MAIN("core/intent", tests)

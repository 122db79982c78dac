/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/diag.c. */
#include "core/base/diag.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

static void messages_keep_their_order(void)
{
	struct diag d = {0};
	char line[100];

	for (unsigned i = 1; i <= 100; i++)
		diag_add(&d, "hsmux.conf", i, "key \"%u\": unknown", i);
	CU_ASSERT_EQUAL_FATAL(d.count, 100);
	diag_format(&d, 0, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "hsmux.conf:1: key \"1\": unknown");
	diag_format(&d, 99, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "hsmux.conf:100: key \"100\": unknown");
	diag_free(&d);
	CU_ASSERT_EQUAL(d.count, 0);
	CU_ASSERT_PTR_NULL(d.lines);
	diag_free(NULL);
}

static void file_and_line_may_be_missing(void)
{
	struct diag d = {0};
	char line[100];

	diag_add(&d, NULL, 0, "no configuration");
	diag_add(&d, "a.conf", 0, "cannot be read");
	diag_format(&d, 0, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "no configuration");
	diag_format(&d, 1, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "a.conf: cannot be read");
	diag_free(&d);
}

static void long_message_is_cut(void)
{
	struct diag d = {0};
	char line[8];

	diag_add(&d, "a.conf", 3, "much too long");
	diag_format(&d, 0, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "a.conf:");
	diag_free(&d);
}

static void error_without_memory_is_still_an_error(void)
{
	struct diag d = {0};
	char line[100];

	alloc_fail_at(1);
	diag_add(&d, "a.conf", 3, "lost");
	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(d.count, 1);
	diag_format(&d, 0, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "out of memory");
	diag_add(&d, "a.conf", 4, "kept");
	CU_ASSERT_EQUAL_FATAL(d.count, 2);
	diag_format(&d, 1, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "a.conf:4: kept");
	diag_free(&d);
}

static void list_that_cannot_grow_keeps_what_it_has(void)
{
	struct diag d = {0};
	size_t before;

	for (unsigned i = 0; i < 8; i++)
		diag_add(&d, "a.conf", i, "message");
	before = d.count;
	alloc_fail_at(1);
	diag_add(&d, "a.conf", 9, "lost");
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(d.count, before);
	CU_ASSERT_STRING_EQUAL(d.lines[before - 1].text, "message");
	diag_free(&d);
}

static const struct unit_test tests[] = {
	UNIT(messages_keep_their_order),
	UNIT(file_and_line_may_be_missing),
	UNIT(long_message_is_cut),
	UNIT(error_without_memory_is_still_an_error),
	UNIT(list_that_cannot_grow_keeps_what_it_has),
};

UNIT_MAIN("base/diag", tests)

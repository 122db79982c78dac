/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/buf.c. */
#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

static void bytes_are_appended_in_order(void)
{
	struct buf b = {0};
	unsigned char chunk[100];

	for (unsigned i = 0; i < 50; i++) {
		memset(chunk, (int)i, sizeof(chunk));
		CU_ASSERT_TRUE_FATAL(buf_add(&b, chunk, sizeof(chunk)));
	}
	CU_ASSERT_EQUAL(b.len, 5000);
	CU_ASSERT_TRUE(b.cap >= b.len);
	for (size_t i = 0; i < b.len; i++)
		CU_ASSERT_EQUAL(b.data[i], i / 100);
	buf_free(&b);
	CU_ASSERT_PTR_NULL(b.data);
	CU_ASSERT_EQUAL(b.len + b.cap, 0);
}

static void nothing_can_be_appended(void)
{
	struct buf b = {0};

	CU_ASSERT_TRUE(buf_add(&b, NULL, 0));
	CU_ASSERT_EQUAL(b.len, 0);
	buf_free(&b);
	buf_free(NULL);
}

static void text_ends_with_nul_behind_its_length(void)
{
	struct buf b = {0};

	CU_ASSERT_TRUE_FATAL(buf_printf(&b, "%s-%d", "abc", 7));
	CU_ASSERT_TRUE_FATAL(buf_printf(&b, "%0*d", 200, 1));
	CU_ASSERT_EQUAL(b.len, 205);
	CU_ASSERT_EQUAL(memcmp(b.data, "abc-7000", 8), 0);
	CU_ASSERT_EQUAL(b.data[204], '1');
	CU_ASSERT_EQUAL(b.data[205], 0);
	buf_free(&b);
}

static void length_beyond_size_t_is_refused(void)
{
	struct buf b = {0};

	CU_ASSERT_TRUE_FATAL(buf_add(&b, "x", 1));
	CU_ASSERT_FALSE(buf_reserve(&b, SIZE_MAX));
	CU_ASSERT_EQUAL(b.len, 1);
	CU_ASSERT_EQUAL(b.data[0], 'x');
	buf_free(&b);
}

static void failed_allocation_leaves_buffer_unchanged(void)
{
	static const unsigned char more[4096];
	struct buf b = {0};

	alloc_fail_at(1);
	CU_ASSERT_FALSE(buf_add(&b, "x", 1));
	CU_ASSERT_PTR_NULL(b.data);
	CU_ASSERT_TRUE_FATAL(buf_add(&b, "x", 1));
	alloc_fail_at(1);
	CU_ASSERT_FALSE(buf_add(&b, more, sizeof(more)));
	alloc_fail_at(1);
	CU_ASSERT_FALSE(buf_printf(&b, "%0*d", 4000, 1));
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(b.len, 1);
	CU_ASSERT_EQUAL(b.data[0], 'x');
	CU_ASSERT_TRUE(buf_add(&b, more, sizeof(more)));
	buf_free(&b);
}

static const struct unit_test tests[] = {
	UNIT(bytes_are_appended_in_order),
	UNIT(nothing_can_be_appended),
	UNIT(text_ends_with_nul_behind_its_length),
	UNIT(length_beyond_size_t_is_refused),
	UNIT(failed_allocation_leaves_buffer_unchanged),
};

UNIT_MAIN("base/buf", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/attr.c. */
#include "core/base/attr.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL odd = 7;
static CK_BBOOL no = CK_FALSE;
static CK_ULONG class = CKO_SECRET_KEY;

static void last_of_two_duplicates_is_found(void)
{
	CK_ATTRIBUTE t[] = {
		{CKA_TOKEN, &yes, 1}, {CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &no, 1}};

	CU_ASSERT_PTR_EQUAL(attr_find(t, 3, CKA_TOKEN), &t[2]);
	CU_ASSERT_PTR_EQUAL(attr_find(t, 2, CKA_TOKEN), &t[0]);
	CU_ASSERT_PTR_NULL(attr_find(t, 3, CKA_LABEL));
	CU_ASSERT_PTR_NULL(attr_find(NULL, 0, CKA_TOKEN));
	CU_ASSERT_FALSE(attr_bool(t, 3, CKA_TOKEN, true));
}

static void values_of_other_lengths_are_as_absent(void)
{
	CK_ATTRIBUTE t[] = {
		{CKA_TOKEN, &odd, 1},
		{CKA_PRIVATE, &class, sizeof(class)},
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &class, 4},
		{CKA_SIGN, NULL, 1},
		{CKA_VALUE_LEN, NULL, sizeof(CK_ULONG)},
	};

	CU_ASSERT_TRUE(attr_bool(t, 6, CKA_TOKEN, false));
	CU_ASSERT_TRUE(attr_bool(t, 6, CKA_PRIVATE, true));
	CU_ASSERT_FALSE(attr_bool(t, 6, CKA_PRIVATE, false));
	CU_ASSERT_FALSE(attr_bool(t, 6, CKA_SIGN, false));
	CU_ASSERT_EQUAL(attr_ulong(t, 6, CKA_CLASS, 99), CKO_SECRET_KEY);
	CU_ASSERT_EQUAL(attr_ulong(t, 6, CKA_KEY_TYPE, 99), 99);
	CU_ASSERT_EQUAL(attr_ulong(t, 6, CKA_VALUE_LEN, 99), 99);
	CU_ASSERT_EQUAL(attr_ulong(t, 6, CKA_MODULUS_BITS, 98), 98);
}

static void template_attributes_are_known_in_both_numbers(void)
{
	static const CK_ATTRIBUTE_TYPE templates[] = {
		CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE, 0x62a, 0x62b,
		0x4000062a,        0x4000062b};

	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++)
		CU_ASSERT_TRUE(attr_is_template(templates[i]));
	CU_ASSERT_FALSE(attr_is_template(CKA_ALLOWED_MECHANISMS));
	CU_ASSERT_FALSE(attr_is_template(CKA_VALUE));
}

static void malformed_templates_are_refused(void)
{
	CK_ATTRIBUTE inner = {CKA_TOKEN, &yes, 1};
	CK_ATTRIBUTE null_value = {CKA_LABEL, NULL, 5};
	CK_ATTRIBUTE unavailable = {CKA_LABEL, &yes, CK_UNAVAILABLE_INFORMATION};
	CK_ATTRIBUTE too_long = {CKA_VALUE, &yes, ATTR_MAX_VALUE + 1};
	CK_ATTRIBUTE fraction = {CKA_WRAP_TEMPLATE, &inner, sizeof(inner) - 1};
	CK_ATTRIBUTE inner_bad = {CKA_WRAP_TEMPLATE, &null_value, sizeof(null_value)};

	CU_ASSERT_EQUAL(attr_check(NULL, 1), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(attr_check(&inner, ATTR_MAX_COUNT + 1), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(attr_check(&inner, ~0UL), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(attr_check(&null_value, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(attr_check(&unavailable, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(attr_check(&too_long, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(attr_check(&fraction, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(attr_check(&inner_bad, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(attr_check(NULL, 0), CKR_OK);
	CU_ASSERT_EQUAL(attr_check(&inner, 1), CKR_OK);
}

/* Nests `depth` templates around one attribute; the outermost is level[depth]. */
static void nest(CK_ATTRIBUTE *level, unsigned depth)
{
	level[0] = (CK_ATTRIBUTE){CKA_TOKEN, &yes, 1};
	for (unsigned i = 1; i <= depth; i++)
		level[i] = (CK_ATTRIBUTE){CKA_DERIVE_TEMPLATE, &level[i - 1], sizeof(level[0])};
}

static void nesting_is_bounded(void)
{
	CK_ATTRIBUTE level[ATTR_MAX_DEPTH + 2];

	nest(level, ATTR_MAX_DEPTH + 1);
	CU_ASSERT_EQUAL(attr_check(&level[ATTR_MAX_DEPTH], 1), CKR_OK);
	CU_ASSERT_EQUAL(attr_check(&level[ATTR_MAX_DEPTH + 1], 1), CKR_ARGUMENTS_BAD);
}

/* 20 attributes on each of 3 levels, each but the innermost leading to all of the next: 8420 to
 * visit. */
static void sum_of_nested_attributes_is_bounded(void)
{
	CK_ATTRIBUTE t[3][20];

	for (size_t i = 0; i < 20; i++) {
		t[0][i] = (CK_ATTRIBUTE){CKA_WRAP_TEMPLATE, t[1], sizeof(t[1])};
		t[1][i] = (CK_ATTRIBUTE){CKA_WRAP_TEMPLATE, t[2], sizeof(t[2])};
		t[2][i] = (CK_ATTRIBUTE){CKA_TOKEN, &yes, 1};
	}
	CU_ASSERT_EQUAL(attr_check(t[1], 20), CKR_OK);
	CU_ASSERT_EQUAL(attr_check(t[0], 20), CKR_ARGUMENTS_BAD);
	t[0][0].pValue = t[0];
	CU_ASSERT_EQUAL(attr_check(t[0], 20), CKR_ARGUMENTS_BAD);
}

static void sum_of_values_is_bounded(void)
{
	CK_ATTRIBUTE t[] = {{CKA_VALUE, &yes, ATTR_MAX_VALUE / 2},
			    {CKA_ID, &yes, ATTR_MAX_VALUE / 2 + 1}};

	CU_ASSERT_EQUAL(attr_check(t, 2), CKR_ATTRIBUTE_VALUE_INVALID);
	t[1].ulValueLen--;
	CU_ASSERT_EQUAL(attr_check(t, 2), CKR_OK);
}

static void copy_is_deep(void)
{
	char label[] = "label";
	CK_ATTRIBUTE inner[] = {
		{CKA_LABEL, label, 5}, {CKA_ID, label, 0}, {CKA_CLASS, &class, sizeof(class)}};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &yes, 1},
			    {CKA_UNWRAP_TEMPLATE, inner, sizeof(inner)},
			    {CKA_ID, NULL, 0}};
	struct attr_list list;
	const CK_ATTRIBUTE *copied;

	CU_ASSERT_EQUAL_FATAL(attr_list_copy(t, 3, &list), CKR_OK);
	memset(label, 'x', sizeof(label));
	memset(inner, 0xee, sizeof(inner));
	CU_ASSERT_EQUAL(list.count, 3);
	CU_ASSERT_TRUE(attr_bool(list.attrs, 3, CKA_TOKEN, false));
	CU_ASSERT_PTR_NULL(list.attrs[2].pValue);
	CU_ASSERT_EQUAL(list.attrs[1].ulValueLen, sizeof(inner));
	copied = list.attrs[1].pValue;
	CU_ASSERT_EQUAL(copied[0].ulValueLen, 5);
	CU_ASSERT_EQUAL(memcmp(copied[0].pValue, "label", 5), 0);
	CU_ASSERT_EQUAL(copied[1].ulValueLen, 0);
	CU_ASSERT_PTR_NOT_NULL(copied[1].pValue);
	CU_ASSERT_EQUAL(attr_ulong(copied, 3, CKA_CLASS, 0), CKO_SECRET_KEY);
	attr_list_free(&list);
	CU_ASSERT_PTR_NULL(list.attrs);
	attr_list_free(NULL);
}

static void empty_template_needs_no_memory(void)
{
	CK_ATTRIBUTE t = {CKA_TOKEN, &yes, 1};
	struct attr_list list = {&t, 9, 9};

	alloc_fail_at(1);
	CU_ASSERT_EQUAL(attr_list_copy(NULL, 0, &list), CKR_OK);
	CU_ASSERT_EQUAL(alloc_seen, 0);
	alloc_fail_at(0);
	CU_ASSERT_PTR_NULL(list.attrs);
	CU_ASSERT_EQUAL(list.count, 0);
	attr_list_free(&list);
}

static void values_need_not_be_aligned(void)
{
	unsigned char bytes[sizeof(CK_ATTRIBUTE) + 1 + sizeof(CK_ULONG)];
	CK_ATTRIBUTE inner = {CKA_TOKEN, &yes, 1};
	CK_ATTRIBUTE t = {CKA_WRAP_TEMPLATE, bytes + 1, sizeof(inner)};
	struct attr_list list;

	memcpy(bytes + 1, &inner, sizeof(inner));
	CU_ASSERT_EQUAL_FATAL(attr_list_copy(&t, 1, &list), CKR_OK);
	CU_ASSERT_TRUE(attr_bool(list.attrs[0].pValue, 1, CKA_TOKEN, false));
	attr_list_free(&list);
}

static void template_that_grew_meanwhile_stays_in_its_block(void)
{
	unsigned char value[64] = {0};
	CK_ATTRIBUTE t[] = {{CKA_VALUE, value, 16}, {CKA_ID, value, 16}};
	CK_ULONG block[16];
	size_t size = 0;

	CU_ASSERT_EQUAL_FATAL(attr_size(t, 2, &size), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(size, 2 * sizeof(t[0]) + 32);
	CU_ASSERT_EQUAL(attr_copy_to(t, 2, block, size), CKR_OK);
	t[1].ulValueLen = 64;
	CU_ASSERT_EQUAL(attr_copy_to(t, 2, block, size), CKR_ARGUMENTS_BAD);
}

static void failed_allocation_leaves_the_list_untouched(void)
{
	CK_ATTRIBUTE t = {CKA_TOKEN, &yes, 1};
	struct attr_list list = {NULL, 77, 0};

	alloc_fail_at(1);
	CU_ASSERT_EQUAL(attr_list_copy(&t, 1, &list), CKR_HOST_MEMORY);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(list.count, 77);
}

static void normalised_templates_say_each_thing_once(void)
{
	CK_BBOOL also = CK_TRUE, not = CK_FALSE, two = 2;
	CK_BYTE longer[2] = {1, 0};
	CK_ATTRIBUTE same[] = {{CKA_TOKEN, &yes, 1}, {CKA_SIGN, &two, 1}, {CKA_TOKEN, &also, 1}};
	CK_ATTRIBUTE other[] = {{CKA_TOKEN, &yes, 1}, {CKA_TOKEN, &not, 1}};
	CK_ATTRIBUTE length[] = {{CKA_TOKEN, longer, 2}};
	CK_ATTRIBUTE inner[] = {{CKA_SIGN, &yes, 1}, {CKA_SIGN, &not, 1}};
	CK_ATTRIBUTE nested[] = {{CKA_WRAP_TEMPLATE, inner, sizeof inner}};
	CK_ULONG count = 3;

	CU_ASSERT_EQUAL(attr_normalise(same, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(same[1].type, CKA_SIGN);
	CU_ASSERT_EQUAL(two, CK_TRUE);
	count = 2;
	CU_ASSERT_EQUAL(attr_normalise(other, &count), CKR_TEMPLATE_INCONSISTENT);
	count = 1;
	CU_ASSERT_EQUAL(attr_normalise(length, &count), CKR_ATTRIBUTE_VALUE_INVALID);
	count = 1;
	CU_ASSERT_EQUAL(attr_normalise(nested, &count), CKR_TEMPLATE_INCONSISTENT);
	count = 0;
	CU_ASSERT_EQUAL(attr_normalise(NULL, &count), CKR_OK);
}

static const struct unit_test tests[] = {
	UNIT(last_of_two_duplicates_is_found),
	UNIT(values_of_other_lengths_are_as_absent),
	UNIT(template_attributes_are_known_in_both_numbers),
	UNIT(malformed_templates_are_refused),
	UNIT(nesting_is_bounded),
	UNIT(sum_of_nested_attributes_is_bounded),
	UNIT(sum_of_values_is_bounded),
	UNIT(copy_is_deep),
	UNIT(empty_template_needs_no_memory),
	UNIT(values_need_not_be_aligned),
	UNIT(template_that_grew_meanwhile_stays_in_its_block),
	UNIT(failed_allocation_leaves_the_list_untouched),
	UNIT(normalised_templates_say_each_thing_once),
};

UNIT_MAIN("base/attr", tests)

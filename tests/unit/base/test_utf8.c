/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/utf8.c. What is malformed is tested with the JSON writer. */
#include "core/base/utf8.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Text, and what people see of it. */
struct row {
	const char *text;
	const char *shown;
};

static const struct row rows[] = {
	{"", ""},
	{"plain", "plain"},
	{"\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91", "\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91"},
	{"a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?"},
	{"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "???\xc2\xa0"},      /* C1 and the blank behind */
	{"\xe2\x80\x8e\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", "????"}, /* directions */
	{"\xe2\x80\xa8\xe2\x80\xa9", "??"},                       /* ends of lines */
	{"\x9b;31m", "?;31m"},
	{"cut\xe2\x82", "cut??"},
	{"\xed\xa0\x80", "???"}, /* a surrogate */
};

static void only_what_can_be_seen_is_shown(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char shown[80];

		utf8_show(rows[i].text, shown, sizeof(shown));
		CU_ASSERT_STRING_EQUAL(shown, rows[i].shown);
		/* In place, too. */
		CU_ASSERT_TRUE_FATAL(strlen(rows[i].text) < sizeof(shown));
		memcpy(shown, rows[i].text, strlen(rows[i].text) + 1);
		utf8_show(shown, shown, sizeof(shown));
		CU_ASSERT_STRING_EQUAL(shown, rows[i].shown);
	}
}

static void long_text_is_cut_at_a_character(void)
{
	static const char euros[] = "\xe2\x82\xac\xe2\x82\xac";
	char shown[8];

	for (size_t size = 1; size <= 7; size++) {
		memset(shown, 'x', sizeof(shown));
		utf8_show(euros, shown, size);
		CU_ASSERT_EQUAL(strlen(shown), (size - 1) / 3 * 3);
		CU_ASSERT_EQUAL(strncmp(shown, euros, strlen(shown)), 0);
		CU_ASSERT_EQUAL(shown[size], 'x');
	}
}

static void characters_have_numbers(void)
{
	CU_ASSERT_EQUAL(utf8_code("z", 1), 0x7a);
	CU_ASSERT_EQUAL(utf8_code("\xc2\x9b", 2), 0x9b);
	CU_ASSERT_EQUAL(utf8_code("\xe2\x80\xae", 3), 0x202e);
	CU_ASSERT_EQUAL(utf8_code("\xf4\x8f\xbf\xbf", 4), 0x10ffff);
	CU_ASSERT_TRUE(utf8_is_shown(0x10ffff));
	CU_ASSERT_FALSE(utf8_is_shown(0x9b));
}

static const struct unit_test tests[] = {
	UNIT(only_what_can_be_seen_is_shown),
	UNIT(long_text_is_cut_at_a_character),
	UNIT(characters_have_numbers),
};

UNIT_MAIN("base/utf8", tests)

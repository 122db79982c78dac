/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON as --json prints it: commas, quoting, and bytes that are no text. */
#include "tools/json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Collects a document in memory. */
struct page {
	struct json json;
	char *text;
	size_t len;
};

static void page_begin(struct page *p)
{
	memset(p, 0, sizeof *p);
	p->json.out = open_memstream(&p->text, &p->len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->json.out);
}

static void page_expect(struct page *p, const char *expected)
{
	CU_ASSERT_EQUAL(fclose(p->json.out), 0);
	CU_ASSERT_STRING_EQUAL(p->text, expected);
	free(p->text);
}

static void values_are_separated_on_every_level(void)
{
	struct page p;

	page_begin(&p);
	json_object(&p.json, NULL);
	json_list(&p.json, "empty");
	json_list_end(&p.json);
	json_list(&p.json, "list");
	json_object(&p.json, NULL);
	json_object_end(&p.json);
	json_string(&p.json, NULL, "a");
	json_number(&p.json, NULL, ~0UL);
	json_list_end(&p.json);
	json_bool(&p.json, "yes", true);
	json_bool(&p.json, "no", false);
	json_string(&p.json, "none", NULL);
	json_object_end(&p.json);
	page_expect(&p, "{\"empty\":[],\"list\":[{},\"a\",18446744073709551615],\"yes\":true,"
			"\"no\":false,\"none\":null}");
}

/* A string and how it is quoted. */
struct row {
	const char *text;
	const char *quoted;
};

static const struct row rows[] = {
	{"", "\"\""},
	{"a\"b\\c", "\"a\\\"b\\\\c\""},
	{"\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\\u007f\""},
	{"\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91", "\"\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91\""},
	{"x\xc2\x9b;31m \xe2\x80\xae", "\"x\\u009b;31m \\u202e\""},
	{"\xff", "\"\\ufffd\""},
	{"a\xc3", "\"a\\ufffd\""},
	{"\xc0\xaf", "\"\\ufffd\\ufffd\""},                       /* overlong */
	{"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},            /* overlong */
	{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* surrogate */
	{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* above U+10FFFF */
	{"\xf5z", "\"\\ufffdz\""},
};

static void text_is_always_valid(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct page p;

		page_begin(&p);
		json_string(&p.json, NULL, rows[i].text);
		page_expect(&p, rows[i].quoted);
	}
}

static void keys_are_quoted_too(void)
{
	struct page p;

	page_begin(&p);
	json_object(&p.json, NULL);
	json_number(&p.json, "a\"b", 1);
	json_object_end(&p.json);
	page_expect(&p, "{\"a\\\"b\":1}");
}

static const struct unit_test tests[] = {
	UNIT(values_are_separated_on_every_level),
	UNIT(text_is_always_valid),
	UNIT(keys_are_quoted_too),
};

UNIT_MAIN("tools/json", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of records, which is what it is for ever: written, read back, and nothing else taken for
 * one. */
#include "core/record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/core/sample.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

static struct record some;

static void begin(void)
{
	trio_begin(CONFIG_MODE_FAILOVER);
	sample_begin(&some);
}

static void end(void)
{
	record_free(&some);
	trio_end();
}

#define AGAIN "abababababababab"

static const char full_text[] = "hsmux-record 1\n"
				"print " PRINT_TEXT "\n"
				"also " AGAIN AGAIN AGAIN AGAIN "\n"
				"version 3\n"
				"state retired\n"
				"class 4\n"
				"type 31\n"
				"id 00ff\n"
				"label 6d79206b6579\n"
				"public yes\n"
				"may-export yes\n"
				"fixed yes\n"
				"single yes\n"
				"lasting yes\n"
				"shared yes\n"
				"unwritten yes\n"
				"owed m0,m2\n"
				"purpose 544c53\n"
				"ceremony 323032362d3120c3a9\n";

static bool is_text(const struct buf *b, const char *text)
{
	return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

static void the_text_is_what_it_always_was(void)
{
	struct buf text = {0};

	begin();
	sample_fill(&some);
	CU_ASSERT(record_text(&trio, &some, &text));
	CU_ASSERT(is_text(&text, full_text));
	buf_free(&text);
	end();
}

static void a_text_is_read_back_as_it_was(void)
{
	struct buf text = {0};
	struct record now;

	begin();
	CU_ASSERT(record_text(&trio, &some, &text));
	CU_ASSERT_EQUAL(record_parse(&trio, text.data, text.len, &now), CKR_OK);
	CU_ASSERT(sample_is_same(&some, &now));
	record_free(&now);
	sample_fill(&some);
	text.len = 0;
	CU_ASSERT(record_text(&trio, &some, &text));
	CU_ASSERT_EQUAL(record_parse(&trio, text.data, text.len, &now), CKR_OK);
	CU_ASSERT(sample_is_same(&some, &now));
	record_free(&now);
	some.key_type = CK_UNAVAILABLE_INFORMATION;
	some.version = ULONG_MAX;
	text.len = 0;
	CU_ASSERT(record_text(&trio, &some, &text));
	CU_ASSERT_EQUAL(record_parse(&trio, text.data, text.len, &now), CKR_OK);
	CU_ASSERT(sample_is_same(&some, &now));
	record_free(&now);
	buf_free(&text);
	end();
}

/* What is parsed is written again as it was: each byte that is changed, added or missing. */
static void nothing_else_is_a_record(void)
{
	static const unsigned char other[] = {'\0', '\n', ' ', '0', '1', 'f', 'F', ',', 'y', 0xff};
	char text[sizeof full_text];
	struct record now;
	struct buf again = {0};

	begin();
	for (size_t i = 0; i < sizeof full_text - 1; i++) {
		CU_ASSERT(record_parse(&trio, full_text, i, &now) != CKR_OK ||
			  full_text[i - 1] == '\n'); /* whole lines are left out at the end */
		record_free(&now);
		for (size_t k = 0; k < sizeof other; k++) {
			memcpy(text, full_text, sizeof text);
			text[i] = (char)other[k];
			if (record_parse(&trio, text, sizeof text - 1, &now) != CKR_OK)
				continue;
			again.len = 0;
			CU_ASSERT(record_text(&trio, &now, &again));
			/* Names of members that are not configured are not written again. */
			CU_ASSERT(is_text(&again, text) || !strstr(text, "owed m0,m2"));
			record_free(&now);
		}
	}
	buf_free(&again);
	end();
}

static void expect_no_record(const char *text)
{
	struct record now;

	CU_ASSERT_EQUAL(record_parse(&trio, text, strlen(text), &now), CKR_DATA_INVALID);
}

static void lines_that_are_wrong_are_no_record(void)
{
#define HEAD "hsmux-record 1\nprint " PRINT_TEXT "\n"
	begin();
	expect_no_record("");
	expect_no_record(HEAD);
	expect_no_record("hsmux-record 2\nprint " PRINT_TEXT "\nversion 1\nstate live\nclass 4\n");
	expect_no_record("hsmux-record 1\nprint 00\nversion 1\nstate live\nclass 4\n");
	expect_no_record(HEAD "also 00\nversion 1\nstate live\nclass 4\n");
	expect_no_record(HEAD "version 01\nstate live\nclass 4\n");
	expect_no_record(HEAD "version 18446744073709551616\nstate live\nclass 4\n");
	expect_no_record(HEAD "version -1\nstate live\nclass 4\n");
	expect_no_record(HEAD "version 1\nstate dead\nclass 4\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\ntype 18446744073709551615\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\nfixed no\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\nfixed yes\nfixed yes\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\nlasting yes\nfixed yes\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\nowed m0,\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\nowed \n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\npurpose 5\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\npurpose 5400\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\npurpose 0a\n");
	expect_no_record(HEAD "version 1\nstate live\nclass 4\nother 00\n");
	end();
#undef HEAD
}

static void members_are_known_by_name(void)
{
	struct record now;

	begin();
	trio_keep(2);
	trio_member_conf[1].name = (char[]){"m2"};
	CU_ASSERT_EQUAL(record_parse(&trio, full_text, sizeof full_text - 1, &now), CKR_OK);
	CU_ASSERT_EQUAL(now.owed, 3);
	record_free(&now);
	trio_member_conf[1].name = (char[]){"other"};
	CU_ASSERT_EQUAL(record_parse(&trio, full_text, sizeof full_text - 1, &now), CKR_OK);
	CU_ASSERT_EQUAL(now.owed, 1);
	record_free(&now);
	end();
}

static void notes_are_short_and_plain(void)
{
	char text[RECORD_NOTE_MAX + 2];

	begin();
	memset(text, 'x', sizeof text);
	text[RECORD_NOTE_MAX + 1] = '\0';
	CU_ASSERT(!record_set_note(&some, RECORD_OWNER, text));
	CU_ASSERT(!record_set_note(&some, RECORD_OWNER, "a\nb"));
	CU_ASSERT(!record_set_note(&some, RECORD_OWNER, "\x7f"));
	CU_ASSERT_PTR_NULL(some.note[RECORD_OWNER]);
	text[RECORD_NOTE_MAX] = '\0';
	CU_ASSERT(record_set_note(&some, RECORD_OWNER, text));
	CU_ASSERT(!record_set_note(&some, RECORD_OWNER, "a\nb"));
	CU_ASSERT_STRING_EQUAL(some.note[RECORD_OWNER], text);
	CU_ASSERT(record_set_note(&some, RECORD_OWNER, ""));
	CU_ASSERT_PTR_NULL(some.note[RECORD_OWNER]);
	CU_ASSERT(record_set_note(&some, RECORD_OWNER, NULL));
	CU_ASSERT_STRING_EQUAL(record_note_name(RECORD_NEXT), "next");
	end();
}

static void a_record_that_says_nothing_is_idle(void)
{
	begin();
	some.may_export = false;
	CU_ASSERT(record_is_idle(&some));
	some.state = RECORD_RETIRED;
	CU_ASSERT(!record_is_idle(&some));
	some.state = RECORD_LIVE;
	some.owed = 2;
	CU_ASSERT(!record_is_idle(&some));
	some.owed = 0;
	some.is_lasting = true;
	CU_ASSERT(!record_is_idle(&some));
	some.is_lasting = false;
	CU_ASSERT(record_set_note(&some, RECORD_NEXT, "00"));
	CU_ASSERT(!record_is_idle(&some));
	end();
}

static void what_is_no_object_s_any_more_is_idle_when_nobody_owes_it(void)
{
	static const enum record_state gone[] = {RECORD_DESTROYED, RECORD_MOVED};

	begin();
	for (size_t i = 0; i < 2; i++) {
		some.state = gone[i];
		CU_ASSERT(!record_is_alive(&some));
		some.owed = 1;
		CU_ASSERT(!record_is_idle(&some));
		some.owed = 0;
		CU_ASSERT(record_is_idle(&some)); /* whatever else it says */
	}
	end();
}

static void a_guarded_record_counts_before_a_newer_one(void)
{
	struct record guarded = {.version = 1, .is_guarded = true}, open = {.version = 9};

	CU_ASSERT(record_is_before(&guarded, &open) && !record_is_before(&open, &guarded));
	open.is_guarded = true;
	CU_ASSERT(!record_is_before(&guarded, &open) && record_is_before(&open, &guarded));
}

static void what_is_stricter_holds_for_twins(void)
{
	struct record new = {
		.state = RECORD_LIVE, .may_export = true, .is_single = true, .owed = 2};

	begin();
	some.may_export = false;
	some.is_fixed = true;
	some.owed = 1;
	some.state = RECORD_RETIRED;
	CU_ASSERT(record_set_note(&some, RECORD_OWNER, "x"));
	record_join(&new, &some);
	CU_ASSERT(new.state == RECORD_RETIRED && !new.may_export &&new.is_fixed &&new.is_single);
	CU_ASSERT_EQUAL(new.owed, 2);
	CU_ASSERT_PTR_NOT_NULL(new.note[RECORD_OWNER]);
	CU_ASSERT_PTR_NULL(some.note[RECORD_OWNER]);
	record_free(&new);
	new = (struct record){.state = RECORD_LIVE, .may_export = true};
	some.state = RECORD_DESTROYED;
	record_join(&new, &some);
	CU_ASSERT(new.state == RECORD_LIVE &&new.may_export && !new.is_fixed && !new.owed);
	record_free(&new);
	end();
}

static void a_record_of_another_name_is_a_twins(void)
{
	const struct buf none = {0};

	begin();
	sample_fill(&some);
	CU_ASSERT(!record_is_of_twin(&some, &some.id, &some.label));
	CU_ASSERT(record_is_of_twin(&some, &none, &some.label));
	CU_ASSERT(record_is_of_twin(&some, &some.id, &none));
	some.state = RECORD_DESTROYED;
	CU_ASSERT(!record_is_of_twin(&some, &none, &none));
	some.state = RECORD_MOVED;
	CU_ASSERT(!record_is_of_twin(&some, &none, &none));
	end();
}

static const struct unit_test tests[] = {
	UNIT(the_text_is_what_it_always_was),
	UNIT(a_text_is_read_back_as_it_was),
	UNIT(nothing_else_is_a_record),
	UNIT(lines_that_are_wrong_are_no_record),
	UNIT(members_are_known_by_name),
	UNIT(notes_are_short_and_plain),
	UNIT(a_record_that_says_nothing_is_idle),
	UNIT(what_is_no_object_s_any_more_is_idle_when_nobody_owes_it),
	UNIT(a_guarded_record_counts_before_a_newer_one),
	UNIT(what_is_stricter_holds_for_twins),
	UNIT(a_record_of_another_name_is_a_twins),
};

UNIT_MAIN("core/record_text", tests)

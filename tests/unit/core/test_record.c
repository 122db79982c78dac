/* SPDX-License-Identifier: BSD-2-Clause */
/* Records on a member that fails, refuses, forgets, or has records that somebody else wrote. */
#include "core/record.h"

#include <stdlib.h>
#include <string.h>

#include "core/identity_use.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/sample.h"
#include "tests/unit/core/shelf.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

/* More allocations than any step has. */
#define MOST 2000UL

#define LABEL_TEXT "hsmux-k-000102030405060708090a0b"

static struct member_session session;
static struct record some;
static bool is_forgetful; /* the member has forgotten who is logged in */

bool __wrap_identity_refuses(struct member_session *ms, CK_RV rv);

/* There is no member that could be asked whether it lives. */
bool __wrap_identity_refuses(struct member_session *ms, CK_RV rv)
{
	(void)ms;
	return rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       identity_is_doubtful(rv);
}

bool __wrap_orphan_is_seen(struct member_session *ms);

bool __wrap_orphan_is_seen(struct member_session *ms)
{
	(void)ms;
	return !is_forgetful;
}

static void begin(void)
{
	is_forgetful = false;
	trio_begin(CONFIG_MODE_FAILOVER);
	shelf_clear();
	session = (struct member_session){.member = &trio_member[1]};
	atomic_store(&trio.user, GROUP_USER);
	sample_begin(&some);
}

static void end(void)
{
	record_free(&some);
	shelf_clear();
	trio_end();
}

static bool is_text(const struct buf *b, const char *text)
{
	return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

/* The record of `some` on the member; its version, 0 when there is none. */
static unsigned long version_there(void)
{
	unsigned long version = 0;
	struct record now;
	bool found = false;

	CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found), CKR_OK);
	if (found)
		version = now.version;
	record_free(&now);
	return version;
}

static void what_is_put_is_found_and_dropped(void)
{
	struct record now;
	bool found = true;

	begin();
	sample_fill(&some);
	some.is_public = false;
	CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found), CKR_OK);
	CU_ASSERT(!found);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 1);
	CU_ASSERT_EQUAL(shelf_private(), 1);
	CU_ASSERT(is_text(&shelf.object[0].label, LABEL_TEXT));
	CU_ASSERT(is_text(&shelf.object[0].application, "hsmux"));
	CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found), CKR_OK);
	CU_ASSERT(found && now.is_guarded);
	CU_ASSERT(sample_is_same(&now, &some));
	record_free(&now);
	CU_ASSERT_EQUAL(record_drop(&session, some.print), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 0);
	CU_ASSERT_EQUAL(record_drop(&session, some.print), CKR_OK);
	end();
}

static void a_new_one_takes_the_place_of_all_that_were_there(void)
{
	begin();
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 1);
	CU_ASSERT_EQUAL(version_there(), 4);
	some.version = 9;
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(version_there(), 9);
	(void)shelf_put(true, LABEL_TEXT, "half of one", 11);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 1);
	CU_ASSERT_EQUAL(version_there(), 10);
	end();
}

static void records_of_public_objects_only_are_public(void)
{
	begin();
	/* A public one would say nothing about a private object: it does not take the place of one
	 * that does while a logout is under way. */
	atomic_store(&trio.user, GROUP_PUBLIC);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_private(), 1);
	atomic_store(&trio.user, GROUP_USER);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_private(), 1);
	some.is_public = true;
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_private(), 0);
	CU_ASSERT_EQUAL(shelf_count(), 1);
	end();
}

static void a_member_that_takes_no_private_data_keeps_public_records(void)
{
	begin();
	shelf.refuses_private = true;
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 1);
	CU_ASSERT_EQUAL(shelf_private(), 0);
	CU_ASSERT_EQUAL(version_there(), 3);
	end();
}

static void a_whim_does_not_make_a_record_public(void)
{
	begin();
	shelf.fail_at = 3; /* two searches, then it is made */
	shelf.is_one = true;
	shelf.code = CKR_GENERAL_ERROR;
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(shelf_count(), 0);
	end();
}

static void put_text(bool is_private, const struct record *r)
{
	struct buf text = {0};

	CU_ASSERT_FATAL(record_text(&trio, r, &text));
	(void)shelf_put(is_private, LABEL_TEXT, text.data, text.len);
	buf_free(&text);
}

static void nobody_lets_a_key_out_without_the_pin(void)
{
	struct record now;
	bool found = false;

	begin();
	some.version = 100;
	put_text(false, &some);
	CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found), CKR_OK);
	CU_ASSERT(found && !now.is_guarded && !now.may_export);
	record_free(&now);
	some.version = 1;
	some.may_export = false;
	put_text(true, &some);
	CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found), CKR_OK);
	CU_ASSERT(found && now.is_guarded && !now.may_export);
	CU_ASSERT_EQUAL(now.version, 1);
	record_free(&now);
	end();
}

static void a_record_under_the_label_of_another_is_none(void)
{
	struct record other = {.version = 1, .class = CKO_DATA, .key_type = 0};

	begin();
	sample_print(&other, 7);
	put_text(true, &other);
	CU_ASSERT_EQUAL(version_there(), 0);
	end();
}

/* Labels have the first 12 bytes only. */
static void the_whole_print_counts(void)
{
	struct record other = {.version = 8, .class = CKO_DATA, .key_type = 0};
	unsigned long version;

	begin();
	sample_print(&other, 0);
	other.print[31] = 0;
	put_text(true, &other);
	CU_ASSERT_EQUAL(version_there(), 0);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 2);
	CU_ASSERT_EQUAL(version_there(), 3);
	CU_ASSERT_EQUAL(record_drop(&session, some.print), CKR_OK);
	some.print[31] = 0;
	version = version_there();
	CU_ASSERT_EQUAL(version, 8);
	end();
}

/* Versions of what record_list() finds, added. */
static unsigned long list_sum(size_t expected)
{
	struct record *list = NULL;
	unsigned long sum = 0;
	size_t count = 0;

	CU_ASSERT_EQUAL(record_list(&session, &list, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, expected);
	for (size_t i = 0; i < count; i++) {
		sum += list[i].version;
		record_free(&list[i]);
	}
	free(list);
	return sum;
}

static void all_records_are_listed_however_the_member_searches(void)
{
	for (int kind = 0; kind < 3; kind++) {
		begin();
		shelf.refuses_application = kind == 1;
		shelf.loses_application = kind == 2;
		CU_ASSERT_EQUAL(list_sum(0), 0);
		CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
		sample_print(&some, 100);
		some.version = 20;
		CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
		(void)shelf_put(false, "the application's own", "x", 1);
		(void)shelf_put(false, LABEL_TEXT, "damaged", 7);
		CU_ASSERT_EQUAL(list_sum(2), 23);
		end();
	}
}

static void the_newest_of_each_print_is_listed(void)
{
	begin();
	shelf.loses_application = true;
	put_text(true, &some);
	some.version = 5;
	put_text(true, &some);
	some.version = 4;
	put_text(true, &some);
	CU_ASSERT_EQUAL(list_sum(1), 5);
	CU_ASSERT_EQUAL(version_there(), 5);
	end();
}

/* Cuts record_put() of version 4 at each call of the member. True while it is struck. */
static bool cut_put(unsigned n, bool behind)
{
	unsigned long version;
	bool is_struck;
	CK_RV rv;

	begin();
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	some.version = 4;
	shelf.calls = 0;
	shelf.fail_at = n;
	shelf.fails_behind = behind;
	shelf.code = CKR_DEVICE_ERROR;
	rv = record_put(&session, &some);
	is_struck = shelf.calls >= n;
	CU_ASSERT_EQUAL(rv, is_struck ? CKR_DEVICE_ERROR : CKR_OK);
	shelf.fail_at = 0;
	version = version_there();
	CU_ASSERT(version == 4 || (version == 3 && rv != CKR_OK));
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	CU_ASSERT_EQUAL(shelf_count(), 1);
	end();
	return is_struck;
}

static void a_cut_leaves_the_old_one_or_the_new_one(void)
{
	unsigned n;

	for (n = 1; cut_put(n, false); n++)
		;
	CU_ASSERT(n > 6);
	for (n = 1; cut_put(n, true); n++)
		;
}

static void the_codes_of_the_member_are_reported(void)
{
	struct record *list = &some, now;
	size_t count = 1;
	bool found = true;

	begin();
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
	for (unsigned n = 1; n < 3; n++) {
		shelf.calls = 0;
		shelf.fail_at = n;
		shelf.code = CKR_DEVICE_REMOVED;
		CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found),
				CKR_DEVICE_REMOVED);
		CU_ASSERT(!found);
		shelf.calls = 0;
		CU_ASSERT_EQUAL(record_list(&session, &list, &count), CKR_DEVICE_REMOVED);
		CU_ASSERT(count == 0 && !list);
		shelf.calls = 0;
		CU_ASSERT_EQUAL(record_drop(&session, some.print), CKR_DEVICE_REMOVED);
	}
	end();
}

static void without_memory_nothing_is_lost(void)
{
	bool is_done = false;

	for (unsigned long n = 1; n < MOST && !is_done; n++) {
		struct record copy = {0}, now = {0}, *list = NULL;
		size_t count = 0;
		bool found = false;
		CK_RV rv;

		begin();
		sample_fill(&some);
		CU_ASSERT_EQUAL(record_put(&session, &some), CKR_OK);
		alloc_fail_at(n);
		rv = record_put(&session, &some);
		alloc_fail_at(0);
		is_done = rv == CKR_OK;
		CU_ASSERT(rv == CKR_OK || rv == CKR_HOST_MEMORY);
		CU_ASSERT(version_there() >= 3);
		alloc_fail_at(n);
		rv = record_find(&session, some.print, &now, &found);
		alloc_fail_at(0);
		CU_ASSERT(rv == CKR_OK || !found);
		is_done = is_done && rv == CKR_OK && found;
		alloc_fail_at(n);
		rv = record_list(&session, &list, &count);
		alloc_fail_at(0);
		CU_ASSERT(rv == CKR_OK || (count == 0 && !list));
		is_done = is_done && rv == CKR_OK && count == 1;
		alloc_fail_at(n);
		if (record_copy(&some, &copy))
			CU_ASSERT(sample_is_same(&some, &copy));
		alloc_fail_at(0);
		record_free(&copy);
		record_free(&now);
		for (size_t i = 0; i < count; i++)
			record_free(&list[i]);
		free(list);
		end();
	}
	CU_ASSERT(is_done);
}

static void what_is_not_seen_without_a_login_is_not_taken_for_absent(void)
{
	struct record now, *list = NULL;
	size_t count = 1;
	bool found = true;

	begin();
	is_forgetful = true;
	CU_ASSERT_EQUAL(record_find(&session, some.print, &now, &found), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT(!found);
	CU_ASSERT_EQUAL(record_list(&session, &list, &count), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT(!list && count == 0);
	CU_ASSERT_EQUAL(record_drop(&session, some.print), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT_EQUAL(record_put(&session, &some), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT_EQUAL(shelf_count(), 0);
	end();
}

static const struct unit_test tests[] = {
	UNIT(what_is_put_is_found_and_dropped),
	UNIT(a_new_one_takes_the_place_of_all_that_were_there),
	UNIT(records_of_public_objects_only_are_public),
	UNIT(a_member_that_takes_no_private_data_keeps_public_records),
	UNIT(a_whim_does_not_make_a_record_public),
	UNIT(nobody_lets_a_key_out_without_the_pin),
	UNIT(a_record_under_the_label_of_another_is_none),
	UNIT(the_whole_print_counts),
	UNIT(all_records_are_listed_however_the_member_searches),
	UNIT(the_newest_of_each_print_is_listed),
	UNIT(a_cut_leaves_the_old_one_or_the_new_one),
	UNIT(the_codes_of_the_member_are_reported),
	UNIT(without_memory_nothing_is_lost),
	UNIT(what_is_not_seen_without_a_login_is_not_taken_for_absent),
};

UNIT_MAIN("core/record", tests)

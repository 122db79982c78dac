/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects in use are proven on a member before it serves again, who cannot see an object does not
 * lack it, and objects that were given another name are known under it. */
#include <string.h>

#include "core/object_table.h"
#include "core/object_trait.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/claims.h"
#include "tests/unit/unit.h"

/* A key that is on members 0 and 1, found on 0. */
static CK_OBJECT_HANDLE begin(void)
{
	claims_begin(CONFIG_MODE_FAILOVER);
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 7, 7);
	return claims_find(0, 100);
}

static void only_objects_in_use_are_looked_for(void)
{
	CK_OBJECT_HANDLE h = begin();

	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(claims_do.proofs, 0);
	object_note_use(h);
	object_note_use(12345); /* a handle that is gone */
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(claims_real(1, h), 101);
	CU_ASSERT_EQUAL(claims_do.takes, claims_do.gives);
}

static void objects_that_end_with_their_member_are_not_looked_for(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &class, sizeof class};
	CK_OBJECT_HANDLE h;

	(void)begin();
	claims_key(0, 102, "own", "2", 0, 7)->kind = IDENTITY_NONE;
	object_note_use(claims_find(0, 102));
	h = object_new(&trio, 0, 1, OBJECT_NO, OBJECT_NO);
	CU_ASSERT_TRUE(claims_keep(h, &tmpl, 1));
	object_note_use(h);
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(claims_do.proofs + claims_do.finds + claims_do.makes, 0);
}

/* Using an alias is using what it stands for. */
static void what_an_alias_stands_for_is_looked_for(void)
{
	CK_OBJECT_HANDLE h = begin(), alias, real;

	CU_ASSERT_EQUAL_FATAL(object_add_alias(&trio, h, &alias), CKR_OK);
	object_note_use(alias);
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(claims_real(1, h), 101);
	CU_ASSERT_EQUAL(claims_real(1, alias), 101);
	CU_ASSERT_EQUAL(claims_locate(0, alias, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 100);
}

static void a_missing_and_a_different_key_do_not_serve(void)
{
	CK_OBJECT_HANDLE h = begin(), other, real;

	claims_key(0, 110, "other", "2", 8, 8);
	claims_key(1, 111, "other", "2", 8, 9); /* a key of another value */
	other = claims_find(0, 110);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(claims_locate(0, other, &real), CKR_OK);
	object_note_use(h);
	object_note_use(other);
	claims_remove(1, 101);
	claims_do.gives = claims_do.drops = 0;
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 5);
	CU_ASSERT_EQUAL(object_holders(&trio, other), 5);
	CU_ASSERT_EQUAL(claims_do.drops, 2); /* the sessions are in doubt */
	CU_ASSERT_EQUAL(claims_do.gives, 0);
}

static void a_member_without_a_session_is_left_alone(void)
{
	CK_OBJECT_HANDLE h = begin();

	object_note_use(h);
	claims_do.take = CKR_DEVICE_REMOVED;
	claims_do.takes = 0;
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(claims_do.takes, 1);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	claims_do.take = CKR_OK;
	claims_do.find = CKR_DEVICE_REMOVED;
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	trio.is_multi = false; /* a passthrough token has nothing to look for */
	claims_do.takes = 0;
	object_check_member(&trio_member[1]);
	CU_ASSERT_EQUAL(claims_do.takes, 0);
}

/* A call that changed attributes on member 0. */
static struct call changed(void)
{
	return (struct call){.id = CALL_C_SetAttributeValue,
			     .group = &trio,
			     .member = &trio_member[0],
			     .made_epoch = atomic_load(&trio_member[0].epoch)};
}

static bool is_named(CK_OBJECT_HANDLE h, const char *label, const char *id)
{
	const struct trait *t;
	bool is;

	trait_lock();
	t = trait_of((uint32_t)h);
	is = t && t->id.label.len == strlen(label) && t->id.id.len == strlen(id) &&
	     memcmp(t->id.label.data, label, strlen(label)) == 0 &&
	     memcmp(t->id.id.data, id, strlen(id)) == 0 && t->id.kind == IDENTITY_PUBLIC;
	trait_unlock();
	return is;
}

static void an_object_is_known_under_its_new_name(void)
{
	CK_OBJECT_HANDLE h = begin(), real;
	struct call c = changed();

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	for (unsigned i = 0; i < 2; i++) {
		claims[i].label = "new";
		claims[i].id = "2";
	}
	claims[0].says = 9; /* what it is does not change with its name */
	object_renamed(&c, h);
	CU_ASSERT_TRUE(is_named(h, "new", "2"));
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(real, 101);
}

/* Under its old name nothing is in the way of another member's object any more. */
static void what_is_hidden_is_shown_when_the_other_is_renamed(void)
{
	CK_OBJECT_HANDLE h = begin(), real;
	struct call c = changed();

	claims[1].says = claims[1].is = 8;
	CU_ASSERT_EQUAL(claims_find(1, 101), 0);
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims[0].label = "new";
	object_renamed(&c, h);
	CU_ASSERT_NOT_EQUAL(claims_find(1, 101), 0);
	CU_ASSERT_EQUAL(claims_find(0, 100), h);
}

static void a_new_name_that_cannot_be_read_changes_nothing(void)
{
	CK_OBJECT_HANDLE h = begin(), real;
	struct call c = changed();

	claims[0].label = "new";
	object_renamed(&c, h); /* it was not used there: nothing is known */
	CU_ASSERT_TRUE(is_named(h, "key", "1"));
	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	claims_do.take = CKR_DEVICE_REMOVED;
	object_renamed(&c, h);
	CU_ASSERT_TRUE(is_named(h, "key", "1"));
	claims_do.take = CKR_OK;
	claims_do.read = CKR_DEVICE_REMOVED;
	claims_do.drops = 0;
	object_renamed(&c, h);
	CU_ASSERT_TRUE(is_named(h, "key", "1"));
	CU_ASSERT_EQUAL(claims_do.drops, 1);
	claims_do.read = CKR_OK;
	c.made_epoch++;
	object_renamed(&c, h);
	CU_ASSERT_TRUE(is_named(h, "key", "1"));
	c.made_epoch--;
	for (unsigned long n = 1; n <= 4; n++) {
		alloc_fail_at(n);
		object_renamed(&c, h);
		alloc_fail_at(0);
		CU_ASSERT_TRUE(is_named(h, "key", "1"));
	}
	object_renamed(&c, h);
	CU_ASSERT_TRUE(is_named(h, "new", "1"));
}

static void who_forgets_a_handle_forgets_one_member_only(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	CU_ASSERT_EQUAL(claims_locate(0, h, &real), CKR_OK);
	CU_ASSERT_EQUAL(claims_locate(1, h, &real), CKR_OK);
	object_forget(&trio, h, &trio_member[0]);
	object_forget(&trio, 12345, &trio_member[0]);
	CU_ASSERT_EQUAL(claims_real(0, h), 0);
	CU_ASSERT_EQUAL(claims_real(1, h), 101);
	CU_ASSERT_EQUAL(claims_find(0, 100), h); /* it is one that has room there again */
}

/* Locks may be held by threads that do not exist in a child. */
static void a_child_forgets_without_the_lock(void)
{
	CK_OBJECT_HANDLE h = begin(), again;

	object_drop(h); /* or the test would lose its memory */
	trait_lock();
	object_forget_everything(true);
	again = claims_find(0, 100);
	CU_ASSERT_NOT_EQUAL(again, 0);
	CU_ASSERT_NOT_EQUAL(again, h);
	trio_end();
}

/* A member that is dead, or has forgotten its login, finds nothing, either. */
static void a_member_that_cannot_see_it_does_not_lack_it(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	atomic_store(&trio.user, GROUP_USER);
	atomic_store(&trio_member[2].user, GROUP_USER);
	atomic_store(&trio_member[2].shows_login, 1);
	claims_do.is_dead = true;
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_DEVICE_ERROR);
	claims_do.is_logged_out = true;
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	claims_do.is_dead = claims_do.is_logged_out = false;
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 3);
}

static void log_third_in(void)
{
	atomic_store(&trio_member[2].user, GROUP_USER);
}

/* Another thread restores the login between the search and the question after it. */
static void a_member_that_is_logged_in_meanwhile_does_not_lack_it(void)
{
	CK_OBJECT_HANDLE h = begin(), real;

	atomic_store(&trio.user, GROUP_USER);
	claims_do.find_hook = log_third_in;
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_USER_NOT_LOGGED_IN);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 7);
	CU_ASSERT_EQUAL(claims_locate(2, h, &real), CKR_OBJECT_HANDLE_INVALID);
}

static const struct unit_test tests[] = {
	UNIT(only_objects_in_use_are_looked_for),
	UNIT(objects_that_end_with_their_member_are_not_looked_for),
	UNIT(what_an_alias_stands_for_is_looked_for),
	UNIT(a_missing_and_a_different_key_do_not_serve),
	UNIT(a_member_without_a_session_is_left_alone),
	UNIT(a_member_that_cannot_see_it_does_not_lack_it),
	UNIT(a_member_that_is_logged_in_meanwhile_does_not_lack_it),
	UNIT(an_object_is_known_under_its_new_name),
	UNIT(what_is_hidden_is_shown_when_the_other_is_renamed),
	UNIT(a_new_name_that_cannot_be_read_changes_nothing),
	UNIT(who_forgets_a_handle_forgets_one_member_only),
	UNIT(a_child_forgets_without_the_lock),
};

UNIT_MAIN("core/object_check", tests)

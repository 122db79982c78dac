/* SPDX-License-Identifier: BSD-2-Clause */
/* core/object.c: handles and what is behind them, epochs, the map of real handles, logout. */
#include "core/object.h"

#include <string.h>

#include "core/find.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/object_call.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define MANY 3000UL

static struct call ran_in(unsigned epoch)
{
	return (struct call){.group = world_group(), .member = world_member(), .made_epoch = epoch};
}

/* As a search that finds the object. */
static CK_OBJECT_HANDLE add(CK_OBJECT_HANDLE real)
{
	struct call call = ran_in(atomic_load(&world_member()->epoch));
	struct buf found = {0}, shown = {0};
	CK_OBJECT_HANDLE handle = 0;

	if (buf_add(&found, &real, sizeof real) && object_found(&call, &found, &shown) == CKR_OK &&
	    shown.len == sizeof handle)
		memcpy(&handle, shown.data, sizeof handle);
	buf_free(&found);
	buf_free(&shown);
	return handle;
}

/* The real handle on the member, 0 when it is not known there. */
static CK_OBJECT_HANDLE real_of(CK_OBJECT_HANDLE handle)
{
	CK_OBJECT_HANDLE real = 0;

	return object_real(world_group(), handle, world_member(),
			   atomic_load(&world_member()->epoch), &real)
		       ? real
		       : 0;
}

static bool is_valid(CK_OBJECT_HANDLE handle)
{
	struct object_view view;

	return object_get(world_group(), handle, &view);
}

static void a_real_handle_has_one_virtual_handle(void)
{
	struct object_view view;
	CK_OBJECT_HANDLE a, b;

	world_begin(NULL, NULL);
	a = add(5);
	b = add(6);
	CU_ASSERT_NOT_EQUAL(a, 0);
	CU_ASSERT_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(add(5), a);
	CU_ASSERT(a <= 0x7fffffffUL);
	CU_ASSERT_TRUE(object_get(world_group(), a, &view));
	CU_ASSERT_EQUAL(real_of(a), 5);
	CU_ASSERT_EQUAL(object_holders(world_group(), a), 1);
	CU_ASSERT_EQUAL(view.target, 0);
	CU_ASSERT_FALSE(object_get(NULL, a, &view));
	world_end();
}

static void a_dropped_handle_stays_invalid(void)
{
	CK_OBJECT_HANDLE a, b;

	world_begin(NULL, NULL);
	a = add(5);
	object_drop(a);
	CU_ASSERT_FALSE(is_valid(a));
	object_drop(a);
	b = add(5);
	CU_ASSERT_NOT_EQUAL(a, b);
	object_drop(a);
	CU_ASSERT_TRUE(is_valid(b));
	CU_ASSERT_FALSE(is_valid(0));
	CU_ASSERT_FALSE(is_valid(0x80000000UL));
	CU_ASSERT_FALSE(is_valid(~0UL));
	world_end();
}

static void no_handle_comes_back_after_finalize(void)
{
	CK_OBJECT_HANDLE old[100];

	world_begin(NULL, NULL);
	for (CK_ULONG i = 0; i < 100; i++)
		old[i] = add(i + 1);
	world_end();
	world_begin(NULL, NULL);
	for (CK_ULONG i = 0; i < 40000; i++) {
		CK_OBJECT_HANDLE now = add(i + 1);

		for (CK_ULONG k = 0; k < 100; k++)
			if (now == old[k])
				CU_FAIL("the same handle again");
		object_drop(now);
	}
	CU_ASSERT_FALSE(is_valid(old[0]));
	world_end();
}

static void the_map_grows_and_forgets_the_dead(void)
{
	static CK_OBJECT_HANDLE handle[MANY];

	world_begin(NULL, NULL);
	for (CK_ULONG i = 0; i < MANY; i++)
		handle[i] = add(i * 4096);
	for (CK_ULONG i = 0; i < MANY; i++)
		if (add(i * 4096) != handle[i])
			CU_FAIL("another handle for the same object");
	for (CK_ULONG i = 0; i < 100000; i++)
		object_drop(add(1000000000UL + i));
	CU_ASSERT(world_member()->map_room <= MANY * 16);
	for (CK_ULONG i = 0; i < MANY; i++)
		if (add(i * 4096) != handle[i])
			CU_FAIL("lost while the map grew");
	object_drop_epoch(world_member());
	for (CK_ULONG i = 0; i < MANY; i++)
		if (is_valid(handle[i]))
			CU_FAIL("survived its epoch");
	CU_ASSERT_EQUAL(world_member()->map_room, 0);
	world_end();
}

static void nothing_is_added_for_an_epoch_that_is_over(void)
{
	struct call call;
	unsigned epoch;
	CK_OBJECT_HANDLE handle = 77, a;

	world_begin(NULL, NULL);
	a = add(5);
	epoch = atomic_load(&world_member()->epoch);
	member_lost(world_member(), epoch, "a test", CKR_DEVICE_REMOVED);
	CU_ASSERT_FALSE(is_valid(a));
	call = ran_in(epoch);
	CU_ASSERT_EQUAL(object_add_made(&call, 5, OBJECT_YES, &handle), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(object_add_made(&call, 5, OBJECT_YES, &handle), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(handle, 77);
	world_end();
}

/* A token that uses numbers again: what had this one before is gone, with all that is known of it.
 */
static void a_new_object_never_inherits_a_handle(void)
{
	struct object_view view;
	CK_OBJECT_HANDLE old, new = 0;
	struct call call;

	world_begin(NULL, NULL);
	old = add(5);
	call = ran_in(atomic_load(&world_member()->epoch));
	CU_ASSERT_EQUAL(object_add_made(&call, 5, OBJECT_YES, &new), CKR_OK);
	CU_ASSERT_NOT_EQUAL(new, old);
	CU_ASSERT_FALSE(is_valid(old));
	CU_ASSERT_TRUE(object_get(world_group(), new, &view));
	CU_ASSERT_EQUAL(view.is_token, OBJECT_YES);
	CU_ASSERT_EQUAL(view.is_private, OBJECT_UNKNOWN);
	CU_ASSERT_EQUAL(add(5), new);
	world_end();
}

static void an_alias_leads_to_its_target_as_long_as_that_is(void)
{
	struct object_view view;
	CK_OBJECT_HANDLE target, alias = 0;

	world_begin(NULL, NULL);
	target = add(5);
	CU_ASSERT_EQUAL(object_add_alias(world_group(), target, &alias), CKR_OK);
	CU_ASSERT_TRUE(object_get(world_group(), alias, &view));
	CU_ASSERT_EQUAL(view.target, target);
	CU_ASSERT_EQUAL(view.is_token, OBJECT_NO);
	CU_ASSERT_TRUE(object_resolve(world_group(), alias, &view));
	CU_ASSERT_EQUAL(view.handle, target);
	CU_ASSERT_EQUAL(real_of(alias), 5);
	object_drop(target);
	CU_ASSERT_FALSE(object_resolve(world_group(), alias, &view));
	world_end();
}

static void logout_takes_private_objects_and_leaves_the_others(void)
{
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE private_key, public_key;

	world_begin(NULL, NULL);
	s = world_enter();
	private_key = world_find(s, CKO_PRIVATE_KEY);
	public_key = world_find(s, CKO_PUBLIC_KEY);
	CU_ASSERT_TRUE(is_valid(private_key));
	CU_ASSERT_TRUE(is_valid(public_key));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_FALSE(is_valid(private_key));
	CU_ASSERT_TRUE(is_valid(public_key));
	CU_ASSERT_EQUAL(world_find(s, CKO_PUBLIC_KEY), public_key);
	world_end();
}

static CK_RV unreadable(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			CK_ULONG count)
{
	(void)session;
	(void)object;
	(void)tmpl;
	(void)count;
	return CKR_FUNCTION_REJECTED;
}

static void a_handle_of_doubt_does_not_survive_logout(void)
{
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE public_key;

	world_begin(NULL, NULL);
	s = world_enter();
	public_key = world_find(s, CKO_PUBLIC_KEY);
	world_list()->C_GetAttributeValue = unreadable;
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_FALSE(is_valid(public_key));
	world_end();
}

static void session_objects_go_with_their_session(void)
{
	CK_SESSION_HANDLE s, other;
	CK_OBJECT_HANDLE made;

	world_begin(NULL, NULL);
	s = world_open();
	other = world_open();
	made = world_make(s);
	CU_ASSERT_TRUE(is_valid(made));
	CU_ASSERT_EQUAL(world_find(other, CKO_DATA), made);
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
	CU_ASSERT_FALSE(is_valid(made));
	CU_ASSERT_EQUAL(world_count(other, CKO_DATA), 0);
	CU_ASSERT_EQUAL(object_destroy(other, made), CKR_OBJECT_HANDLE_INVALID);
	world_end();
}

static void whether_it_is_a_token_object_is_asked_once(void)
{
	struct session *s;
	CK_SESSION_HANDLE h;
	CK_OBJECT_HANDLE key;
	bool is_token = false;
	uint64_t asked;

	world_begin(NULL, NULL);
	h = world_open();
	key = world_find(h, CKO_PUBLIC_KEY);
	CU_ASSERT_EQUAL_FATAL(session_take(h, &s), CKR_OK);
	CU_ASSERT_EQUAL(object_is_token(s, key, &is_token), CKR_OK);
	CU_ASSERT_TRUE(is_token);
	asked = world_calls("C_GetAttributeValue");
	CU_ASSERT_EQUAL(object_is_token(s, key, &is_token), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_GetAttributeValue"), asked);
	CU_ASSERT_EQUAL(object_is_token(s, 1, &is_token), CKR_OBJECT_HANDLE_INVALID);
	session_give(s);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_real_handle_has_one_virtual_handle),
		UNIT(a_dropped_handle_stays_invalid),
		UNIT(no_handle_comes_back_after_finalize),
		UNIT(the_map_grows_and_forgets_the_dead),
		UNIT(nothing_is_added_for_an_epoch_that_is_over),
		UNIT(a_new_object_never_inherits_a_handle),
		UNIT(an_alias_leads_to_its_target_as_long_as_that_is),
		UNIT(logout_takes_private_objects_and_leaves_the_others),
		UNIT(a_handle_of_doubt_does_not_survive_logout),
		UNIT(session_objects_go_with_their_session),
		UNIT(whether_it_is_a_token_object_is_asked_once),
	};

	return unit_run("core/object", tests, sizeof tests / sizeof tests[0]);
}

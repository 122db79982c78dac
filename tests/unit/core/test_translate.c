/* SPDX-License-Identifier: BSD-2-Clause */
/* Real handles in the place of virtual ones: for a call's own objects and those inside its
 * mechanism, known or to be located, and what an object that is not there is called. */
#include "core/translate.h"

#include "core/object_table.h"
#include "tests/unit/core/claims.h"
#include "tests/unit/unit.h"

static struct member_session there; /* a session of member 1 */
static struct mech mech;
static struct call call;
static CK_OBJECT_HANDLE key, other;
static bool is_lack;

/* Two keys on members 0 and 1, found on member 0. */
static void begin(void)
{
	claims_begin(CONFIG_MODE_FAILOVER);
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 7, 7);
	claims_key(0, 110, "other", "2", 8, 8);
	claims_key(1, 111, "other", "2", 8, 8);
	key = claims_find(0, 100);
	other = claims_find(0, 110);
	there = (struct member_session){.member = &trio_member[1], .epoch = 1};
	mech = (struct mech){.handle_count = 0};
	call = (struct call){.id = CALL_C_WrapKey, .place = CALL_BORROW, .group = &trio};
	is_lack = true;
}

static CK_RV run(CK_OBJECT_HANDLE object[2])
{
	object[0] = object[1] = 0;
	return translate(&call, &there, object, &is_lack);
}

static void a_call_without_objects_needs_nothing(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_FALSE(is_lack);
	CU_ASSERT_EQUAL(object[0] + object[1], 0);
}

static void both_objects_are_located_once(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	call.object[0] = (struct call_object){key, CKR_WRAPPING_KEY_HANDLE_INVALID};
	call.object[1] = (struct call_object){other, CKR_KEY_HANDLE_INVALID};
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(run(object), CKR_OK);
		CU_ASSERT_FALSE(is_lack);
		CU_ASSERT_EQUAL(object[0], 101);
		CU_ASSERT_EQUAL(object[1], 111);
		CU_ASSERT_EQUAL(claims_do.proofs, 2);
	}
}

static void the_second_object_may_stand_alone(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	call.object[1] = (struct call_object){other, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(object[0], 0);
	CU_ASSERT_EQUAL(object[1], 111);
}

static void handles_inside_the_mechanism_are_replaced_in_their_places(void)
{
	CK_OBJECT_HANDLE object[2], inside[2];

	begin();
	for (unsigned i = 0; i < 2; i++) {
		inside[i] = i ? other : key;
		mech.handle[i] = (struct mech_handle){&inside[i], inside[i]};
	}
	mech.handle_count = 2;
	call.mech = &mech;
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(inside[0], 101);
	CU_ASSERT_EQUAL(inside[1], 111);
	there.member = &trio_member[0]; /* and again, on another member */
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(inside[0], 100);
	CU_ASSERT_EQUAL(inside[1], 110);
}

/* Each object has a code of its own for that. */
static void what_is_not_there_has_the_code_that_the_call_says(void)
{
	CK_OBJECT_HANDLE object[2], inside = key;

	begin();
	claims_remove(1, 101);
	call.object[0] = (struct call_object){key, CKR_WRAPPING_KEY_HANDLE_INVALID};
	call.object[1] = (struct call_object){other, CKR_OBJECT_HANDLE_INVALID};
	CU_ASSERT_EQUAL(run(object), CKR_WRAPPING_KEY_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
	claims_remove(1, 111);
	call.object[0] = (struct call_object){0};
	is_lack = false;
	CU_ASSERT_EQUAL(run(object), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
	call.object[1] = (struct call_object){0};
	mech.handle[0] = (struct mech_handle){&inside, key};
	mech.handle_count = 1;
	call.mech = &mech;
	is_lack = false;
	CU_ASSERT_EQUAL(run(object), CKR_KEY_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
}

static void a_member_that_fails_lacks_nothing(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	call.object[0] = (struct call_object){key, CKR_KEY_HANDLE_INVALID};
	claims_do.find = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(run(object), CKR_DEVICE_REMOVED);
	CU_ASSERT_FALSE(is_lack);
	CU_ASSERT_EQUAL(object_holders(&trio, key), 7);
}

/* What an operation begins with is looked for when a member comes back. */
static void a_key_of_an_operation_is_in_use(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	call.object[0] = (struct call_object){key, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(atomic_load(&object_slot(key)->is_used), 0);
	call.place = CALL_KEEP;
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(atomic_load(&object_slot(key)->is_used), 1);
	CU_ASSERT_EQUAL(atomic_load(&object_slot(other)->is_used), 0);
}

/* What was proven in one epoch is proven again in the next; a session of the last one, which is
 * worthless, is given nothing new. */
static void each_epoch_has_handles_of_its_own(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	call.object[0] = (struct call_object){key, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	trio_lose(1);
	trio_return(1);
	CU_ASSERT_EQUAL(claims_real(1, key), 0);
	call.object[0].handle = other;
	CU_ASSERT_EQUAL(run(object), CKR_DEVICE_ERROR);
	CU_ASSERT_FALSE(is_lack);
	call.object[0].handle = key;
	there.epoch = atomic_load(&trio_member[1].epoch);
	claims_do.proofs = 0;
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(object[0], 101);
	CU_ASSERT_EQUAL(claims_do.proofs, 1);
}

/* A passthrough token looks for nothing. */
static void handles_of_an_only_member_end_with_its_epoch(void)
{
	CK_OBJECT_HANDLE object[2];

	begin();
	claims_begin(CONFIG_MODE_PASSTHROUGH);
	key = claims_find(1, 101);
	call.object[0] = (struct call_object){key, CKR_KEY_HANDLE_INVALID};
	call.place = CALL_KEEP;
	CU_ASSERT_EQUAL(run(object), CKR_OK);
	CU_ASSERT_EQUAL(object[0], 101);
	trio_lose(1);
	there.epoch = 2;
	CU_ASSERT_EQUAL(run(object), CKR_KEY_HANDLE_INVALID);
	CU_ASSERT_TRUE(is_lack);
	CU_ASSERT_EQUAL(claims_do.proofs + claims_do.finds, 0);
	trio_end();
}

static const struct unit_test tests[] = {
	UNIT(a_call_without_objects_needs_nothing),
	UNIT(both_objects_are_located_once),
	UNIT(the_second_object_may_stand_alone),
	UNIT(handles_inside_the_mechanism_are_replaced_in_their_places),
	UNIT(what_is_not_there_has_the_code_that_the_call_says),
	UNIT(a_member_that_fails_lacks_nothing),
	UNIT(a_key_of_an_operation_is_in_use),
	UNIT(each_epoch_has_handles_of_its_own),
	UNIT(handles_of_an_only_member_end_with_its_epoch),
};

UNIT_MAIN("core/translate", tests)

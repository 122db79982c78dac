/* SPDX-License-Identifier: BSD-2-Clause */
/* The inventory over null tokens, all of which have the same objects: what belongs together, what is
 * not known, and what becomes of every allocation that fails. */
#include <string.h>

#include "core/group.h"
#include "core/inventory.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* No inventory of the null tokens has more allocations. */
#define MOST 20000UL

static struct inventory *inv;

static void begin(void)
{
	const struct world_many many = {.count = 2, .mode = "failover"};

	world_begin_many(&many);
	(void)world_enter();
	inv = NULL;
}

static void end(void)
{
	inventory_free(inv);
	world_end();
}

static CK_RV take_inventory(bool is_quick)
{
	struct inventory_how how = {.is_quick = is_quick};

	inventory_free(inv);
	return inventory_read(world_group(), &how, &inv);
}

static void what_both_have_is_one_object(void)
{
	begin();
	CU_ASSERT_EQUAL_FATAL(take_inventory(true), CKR_OK);
	CU_ASSERT_EQUAL(inv->asked, 3);
	CU_ASSERT(inv->logical_count > 0);
	CU_ASSERT_EQUAL(inv->logical_count * 2, inv->instance_count);
	for (size_t i = 0; i < inv->logical_count; i++) {
		const struct logical *l = &inv->logicals[i];

		CU_ASSERT_EQUAL(l->holders, 3);
		CU_ASSERT_EQUAL(l->missing, 0);
		CU_ASSERT_EQUAL(l->rivals, 0);
		/* All keys of a kind are the same in a null token: names keep them apart. */
		CU_ASSERT(identity_same_name(&l->at[0]->id, &l->at[1]->id));
		CU_ASSERT(l->type[0] != '\0');
	}
	end();
}

/* A null token's signatures are right for no key. */
static void a_claim_that_is_refuted_is_extra(void)
{
	size_t extra = 0;

	begin();
	CU_ASSERT_EQUAL_FATAL(take_inventory(false), CKR_OK);
	for (size_t i = 0; i < inv->logical_count; i++) {
		const struct logical *l = &inv->logicals[i];
		bool is_private = logical_first(l)->id.class == CKO_PRIVATE_KEY;

		CU_ASSERT_EQUAL(is_private, l->state == LOGICAL_EXTRA);
		CU_ASSERT_EQUAL(is_private, logical_first(l)->is_refuted);
		CU_ASSERT(!is_private || inventory_bits(l->holders) == 1);
		CU_ASSERT_EQUAL(l->missing, 0);
		extra += is_private;
	}
	CU_ASSERT(extra > 0);
	end();
}

static void a_member_that_is_away_lacks_nothing(void)
{
	begin();
	world_lose(1);
	CU_ASSERT_EQUAL_FATAL(take_inventory(true), CKR_OK);
	CU_ASSERT_EQUAL(inv->asked, 1);
	CU_ASSERT(inv->why[1][0] != '\0');
	CU_ASSERT(inv->logical_count > 0);
	for (size_t i = 0; i < inv->logical_count; i++) {
		CU_ASSERT_EQUAL(inv->logicals[i].holders, 1);
		CU_ASSERT_EQUAL(inv->logicals[i].missing, 0);
		CU_ASSERT(!(inv->logicals[i].facts & 1U << LOGICAL_MISSING));
	}
	end();
}

static CK_RV fail_open(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	(void)session, (void)tmpl, (void)count;
	return CKR_DEVICE_ERROR;
}

static void a_member_that_fails_was_not_asked(void)
{
	begin();
	world_list_at(0)->C_FindObjectsInit = fail_open;
	CU_ASSERT_EQUAL_FATAL(take_inventory(true), CKR_OK);
	CU_ASSERT_EQUAL(inv->asked, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(inv->why[0], "CKR_DEVICE_ERROR"));
	for (size_t i = 0; i < inv->logical_count; i++)
		CU_ASSERT_EQUAL(inv->logicals[i].holders, 2);
	end();
}

/* A second inventory is the same after any failure. */
static void memory_runs_out_anywhere(void)
{
	unsigned long n = 0, refused = 0;
	size_t before;

	begin();
	CU_ASSERT_EQUAL_FATAL(take_inventory(true), CKR_OK);
	before = inv->logical_count;
	do {
		CK_RV rv;

		n += n < 200 ? 1 : 37;
		alloc_fail_at(n);
		rv = take_inventory(true);
		CU_ASSERT(rv == CKR_OK || rv == CKR_HOST_MEMORY);
		CU_ASSERT((rv == CKR_OK) == (inv != NULL));
		refused += rv == CKR_HOST_MEMORY;
	} while (alloc_seen >= n && n < MOST);
	alloc_fail_at(0);
	CU_ASSERT(n < MOST && refused > 0);
	CU_ASSERT_EQUAL_FATAL(take_inventory(true), CKR_OK);
	CU_ASSERT_EQUAL(inv->logical_count, before);
	end();
}

static const struct unit_test tests[] = {
	UNIT(what_both_have_is_one_object),
	UNIT(a_claim_that_is_refuted_is_extra),
	UNIT(a_member_that_is_away_lacks_nothing),
	UNIT(a_member_that_fails_was_not_asked),
	UNIT(memory_runs_out_anywhere),
};

UNIT_MAIN("core/inventory", tests)

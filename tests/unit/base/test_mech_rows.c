/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c that walk mech.def: what holds for every mechanism in it, without
 * looking into its structure. */
#include "core/base/mech.h"

#include "core/base/mech_layout.h"
#include "tests/unit/unit.h"

#define MECH(type, form) {type, MECH_##form},
static const struct {
	CK_MECHANISM_TYPE type;
	enum mech_form form;
} rows[] = {
#include "core/base/mech.def"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void rows_are_sorted_and_unique(void)
{
	for (size_t i = 1; i < ROW_COUNT; i++)
		CU_ASSERT_TRUE(rows[i - 1].type < rows[i].type);
}

static void every_row_is_found_and_nothing_else(void)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		CU_ASSERT_TRUE(mech_known(rows[i].type));
		if (i + 1 < ROW_COUNT && rows[i].type + 1 != rows[i + 1].type)
			CU_ASSERT_FALSE(mech_known(rows[i].type + 1));
	}
	CU_ASSERT_FALSE(mech_known(~0UL));
	CU_ASSERT_FALSE(mech_known(CKM_VENDOR_DEFINED));
}

static void absent_parameter_is_passed_on_by_every_mechanism(void)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		CK_MECHANISM in = {rows[i].type, NULL, 0};
		const char *why;
		struct mech m;

		CU_ASSERT_EQUAL_FATAL(mech_copy(&m, &in, NULL, NULL, &why), CKR_OK);
		CU_ASSERT_PTR_NULL(m.m.pParameter);
		CU_ASSERT_EQUAL(m.m.ulParameterLen, 0);
		CU_ASSERT_TRUE(m.is_known);
		CU_ASSERT_EQUAL(m.handle_count + m.made_count, 0);
		mech_free(&m);
	}
}

static void null_parameter_with_a_length_is_refused_by_every_mechanism(void)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		CK_MECHANISM in = {rows[i].type, NULL, 16};
		const char *why = NULL;
		struct mech m;

		CU_ASSERT_EQUAL(mech_copy(&m, &in, NULL, NULL, &why), CKR_MECHANISM_PARAM_INVALID);
		CU_ASSERT_PTR_NOT_NULL(why);
	}
}

static bool size_fits(enum mech_form form, size_t size)
{
	const struct mech_layout *layout;

	for (unsigned i = 0; (layout = mech_form_layout(form, i)) != NULL; i++) {
		if (layout->size == size)
			return true;
	}
	return false;
}

static void structures_of_a_wrong_length_are_refused(void)
{
	static unsigned char bytes[MECH_LAYOUT_MAX];

	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (mech_form_plain(rows[i].form) || (rows[i].type & CKM_VENDOR_DEFINED))
			continue;
		for (size_t size = 1; size <= MECH_LAYOUT_MAX; size++) {
			CK_MECHANISM in = {rows[i].type, bytes, size};
			const char *why = NULL;
			struct mech m;

			if (size_fits(rows[i].form, size))
				continue;
			CU_ASSERT_EQUAL(mech_copy(&m, &in, NULL, NULL, &why),
					CKR_MECHANISM_PARAM_INVALID);
			CU_ASSERT_PTR_NOT_NULL(why);
		}
	}
}

static const struct unit_test tests[] = {
	UNIT(rows_are_sorted_and_unique),
	UNIT(every_row_is_found_and_nothing_else),
	UNIT(absent_parameter_is_passed_on_by_every_mechanism),
	UNIT(null_parameter_with_a_length_is_refused_by_every_mechanism),
	UNIT(structures_of_a_wrong_length_are_refused),
};

UNIT_MAIN("base/mech_rows", tests)

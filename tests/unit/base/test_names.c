/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/names.c; they walk its table. */
#include "core/base/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

#define NAME(kind, constant)       {kind, constant, #constant},
#define NAME_AS(kind, value, name) {kind, value, name},
static const struct {
	enum name_kind kind;
	CK_ULONG value;
	const char *name;
} rows[] = {
#include "core/base/names.def"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void table_is_sorted(void)
{
	for (size_t i = 1; i < ROW_COUNT; i++) {
		CU_ASSERT_TRUE(rows[i - 1].kind <= rows[i].kind);
		if (rows[i - 1].kind == rows[i].kind)
			CU_ASSERT_TRUE(rows[i - 1].value <= rows[i].value);
	}
}

static void every_number_shows_its_first_name(void)
{
	char spare[NAME_MAX_LEN];

	for (size_t i = 0; i < ROW_COUNT; i++) {
		bool is_alias = i > 0 && rows[i - 1].kind == rows[i].kind &&
				rows[i - 1].value == rows[i].value;

		if (!is_alias)
			CU_ASSERT_STRING_EQUAL(name_of(rows[i].kind, rows[i].value, spare),
					       rows[i].name);
		CU_ASSERT_TRUE(strlen(rows[i].name) < NAME_MAX_LEN);
	}
}

static void every_name_gives_its_number(void)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char lower[NAME_MAX_LEN] = "";
		CK_ULONG whole = 0;
		CK_ULONG bare = 0;

		for (size_t c = 0; rows[i].name[c + 4]; c++)
			lower[c] = (char)tolower((unsigned char)rows[i].name[c + 4]);
		CU_ASSERT_TRUE(name_value(rows[i].kind, rows[i].name, &whole));
		CU_ASSERT_TRUE(name_value(rows[i].kind, lower, &bare));
		CU_ASSERT_EQUAL(whole, bare);
		if (!strstr(rows[i].name, "CAPSULATE_TEMPLATE"))
			CU_ASSERT_EQUAL(whole, rows[i].value);
	}
}

static void numbers_are_those_of_the_standard(void)
{
	static const struct {
		enum name_kind kind;
		CK_ULONG value;
		const char *name;
	} known[] = {
		{NAME_RV, 0, "CKR_OK"},
		{NAME_RV, 0x1b8, "CKR_PIN_TOO_WEAK"},
		{NAME_RV, 0x42, "CKR_AEAD_DECRYPT_FAILED"},
		{NAME_RV, 0x202, "CKR_OPERATION_CANCEL_FAILED"},
		{NAME_RV, 0x209, "CKR_PARAMETER_SET_NOT_SUPPORTED"},
		{NAME_MECHANISM, 0x0d, "CKM_RSA_PKCS_PSS"},
		{NAME_MECHANISM, 0x1040, "CKM_EC_KEY_PAIR_GEN"},
		{NAME_MECHANISM, 0x1057, "CKM_EDDSA"},
		{NAME_MECHANISM, 0x402a, "CKM_HKDF_DERIVE"},
		{NAME_MECHANISM, 0x403a, "CKM_PUB_KEY_FROM_PRIV_KEY"},
		{NAME_ATTRIBUTE, 4, "CKA_UNIQUE_ID"},
		{NAME_ATTRIBUTE, 0x62a, "CKA_ENCAPSULATE_TEMPLATE"},
		{NAME_ATTRIBUTE, 0x4000062a, "CKA_ENCAPSULATE_TEMPLATE"},
		{NAME_ATTRIBUTE, 0x40000600, "CKA_ALLOWED_MECHANISMS"},
		{NAME_KEY_TYPE, 3, "CKK_EC"},
		{NAME_KEY_TYPE, 0x4b, "CKK_SLH_DSA"},
		{NAME_OBJECT_CLASS, 9, "CKO_PROFILE"},
		{NAME_USER, 2, "CKU_CONTEXT_SPECIFIC"},
	};
	char spare[NAME_MAX_LEN];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CU_ASSERT_STRING_EQUAL(name_of(known[i].kind, known[i].value, spare),
				       known[i].name);
}

static void unknown_number_is_shown_in_hexadecimal(void)
{
	char spare[NAME_MAX_LEN];

	CU_ASSERT_STRING_EQUAL(name_of(NAME_RV, 0x80000001UL, spare), "0x80000001");
	CU_ASSERT_STRING_EQUAL(name_of(NAME_USER, 0x77, spare), "0x00000077");
	CU_ASSERT_STRING_EQUAL(name_of(NAME_MECHANISM, ~0UL, spare), "0xffffffffffffffff");
}

static void hexadecimal_is_read_back(void)
{
	CK_ULONG value = 7;

	CU_ASSERT_TRUE(name_value(NAME_MECHANISM, "0x80001234", &value));
	CU_ASSERT_EQUAL(value, 0x80001234UL);
	CU_ASSERT_TRUE(name_value(NAME_MECHANISM, "0XfF", &value));
	CU_ASSERT_EQUAL(value, 0xff);
}

static void nonsense_is_refused_and_changes_nothing(void)
{
	static const char *const nonsense[] = {
		"",      "CKM_", "CKM_NO_SUCH", "0x",     "0xg",
		"0x12g", "0x-1", "12",          "CKR_OK", "0x11112222333344445"};
	CK_ULONG value = 7;

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		CU_ASSERT_FALSE(name_value(NAME_MECHANISM, nonsense[i], &value));
	CU_ASSERT_EQUAL(value, 7);
	alloc_fail_at(0);
}

static const struct unit_test tests[] = {
	UNIT(table_is_sorted),
	UNIT(every_number_shows_its_first_name),
	UNIT(every_name_gives_its_number),
	UNIT(numbers_are_those_of_the_standard),
	UNIT(unknown_number_is_shown_in_hexadecimal),
	UNIT(hexadecimal_is_read_back),
	UNIT(nonsense_is_refused_and_changes_nothing),
};

UNIT_MAIN("base/names", tests)

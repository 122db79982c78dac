/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of functions, as an application finds them in the built module before C_Initialize. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pkcs11.h"
#include "tests/unit/unit.h"

/* Entries of the lists after their version. */
#define COUNT_2_40 68
#define COUNT_3_0  92

static void *module;
static CK_C_GetFunctionList get_function_list;
static CK_C_GetInterfaceList get_interface_list;
static CK_C_GetInterface get_interface;

static unsigned char standard_name[] = "PKCS 11";
static unsigned char vendor_name[] = "Vendor NSS FIPS Interface";

/* POSIX lets dlsym's result be a function; ISO C has no cast for it. */
static void find(const char *name, void *function)
{
	void *symbol = dlsym(module, name);

	memcpy(function, &symbol, sizeof symbol);
}

static int open_module(void)
{
	const char *path = getenv("HSMUX_TEST_MODULE");

	module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!module) {
		fprintf(stderr, "HSMUX_TEST_MODULE: %s\n", path ? dlerror() : "not set");
		return 1;
	}
	find("C_GetFunctionList", &get_function_list);
	find("C_GetInterfaceList", &get_interface_list);
	find("C_GetInterface", &get_interface);
	return !get_function_list || !get_interface_list || !get_interface;
}

static void nothing_else_is_exported(void)
{
	CU_ASSERT_PTR_NULL(dlsym(module, "C_Initialize"));
	CU_ASSERT_PTR_NULL(dlsym(module, "C_Sign"));
	CU_ASSERT_PTR_NULL(dlsym(module, "C_GetInfo"));
	CU_ASSERT_PTR_NULL(dlsym(module, "call_run"));
}

/* Reads the pointers of a list as memory. */
static void check_entries(const void *list, size_t count, size_t size)
{
	const size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);

	CU_ASSERT_EQUAL(size, first + count * sizeof(void *));
	for (size_t i = 0; i < count; i++) {
		void *entry;

		memcpy(&entry, (const char *)list + first + i * sizeof entry, sizeof entry);
		CU_ASSERT_PTR_NOT_NULL(entry);
	}
}

static void every_entry_of_both_lists_is_there(void)
{
	CK_FUNCTION_LIST *v2 = NULL;
	CK_INTERFACE *v3 = NULL;

	CU_ASSERT_EQUAL(get_function_list(&v2), CKR_OK);
	CU_ASSERT_EQUAL(get_interface(NULL, NULL, &v3, 0), CKR_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v3);
	check_entries(v2, COUNT_2_40, sizeof *v2);
	check_entries(v3->pFunctionList, COUNT_3_0, sizeof(CK_FUNCTION_LIST_3_0));
	CU_ASSERT_EQUAL(v2->version.major, 2);
	CU_ASSERT_EQUAL(v2->version.minor, 40);
}

static void both_lists_share_every_function_but_get_info(void)
{
	CK_VERSION version = {3, 0};
	CK_FUNCTION_LIST *v2 = NULL;
	CK_INTERFACE *interface = NULL;
	CK_FUNCTION_LIST_3_0 v3;

	CU_ASSERT_EQUAL(get_function_list(&v2), CKR_OK);
	CU_ASSERT_EQUAL(get_interface(standard_name, &version, &interface, 0), CKR_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(interface);
	memcpy(&v3, interface->pFunctionList, sizeof v3);
	CU_ASSERT(v2->C_GetInfo != v3.C_GetInfo);
	v3.C_GetInfo = v2->C_GetInfo;
	CU_ASSERT_EQUAL(memcmp(&v2->C_Initialize, &v3.C_Initialize, COUNT_2_40 * sizeof(void *)),
			0);
}

static void the_list_of_interfaces_is_3_0_then_2_40(void)
{
	CK_INTERFACE list[2];
	CK_ULONG count = 0;

	CU_ASSERT_EQUAL(get_interface_list(NULL, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(get_interface_list(list, &count), CKR_OK);
	for (CK_ULONG i = 0; i < count; i++) {
		const CK_VERSION *version = list[i].pFunctionList;

		CU_ASSERT_STRING_EQUAL((const char *)list[i].pInterfaceName, "PKCS 11");
		CU_ASSERT_EQUAL(list[i].flags, 0);
		CU_ASSERT_EQUAL(version->major, i == 0 ? 3 : 2);
		CU_ASSERT_EQUAL(version->minor, i == 0 ? 0 : 40);
	}
}

static void a_short_list_of_interfaces_says_how_long(void)
{
	CK_INTERFACE list[1];
	CK_ULONG count = 1;

	CU_ASSERT_EQUAL(get_interface_list(list, &count), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(get_interface_list(list, NULL), CKR_ARGUMENTS_BAD);
}

static void an_interface_is_found_by_exact_name_and_version_only(void)
{
	static const struct {
		unsigned char *name;
		CK_VERSION version; /* 0.0: none given */
		CK_FLAGS flags;
		CK_RV rv;
		unsigned char major;
	} rows[] = {
		{NULL, {0, 0}, 0, CKR_OK, 3},
		{standard_name, {0, 0}, 0, CKR_OK, 3},
		{standard_name, {3, 0}, 0, CKR_OK, 3},
		{standard_name, {2, 40}, 0, CKR_OK, 2},
		{NULL, {2, 40}, 0, CKR_OK, 2},
		{standard_name, {2, 20}, 0, CKR_ARGUMENTS_BAD, 0},
		{standard_name, {3, 1}, 0, CKR_ARGUMENTS_BAD, 0},
		{standard_name, {3, 2}, 0, CKR_ARGUMENTS_BAD, 0},
		{standard_name, {0, 0}, CKF_INTERFACE_FORK_SAFE, CKR_ARGUMENTS_BAD, 0},
		{NULL, {0, 0}, CKF_INTERFACE_FORK_SAFE, CKR_ARGUMENTS_BAD, 0},
		{vendor_name, {0, 0}, 0, CKR_ARGUMENTS_BAD, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CK_VERSION version = rows[i].version;
		CK_INTERFACE *found = NULL;

		CU_ASSERT_EQUAL(get_interface(rows[i].name, version.major ? &version : NULL, &found,
					      rows[i].flags),
				rows[i].rv);
		CU_ASSERT_EQUAL(found != NULL, rows[i].rv == CKR_OK);
		if (found)
			CU_ASSERT_EQUAL(((const CK_VERSION *)found->pFunctionList)->major,
					rows[i].major);
	}
	CU_ASSERT_EQUAL(get_interface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(get_function_list(NULL), CKR_ARGUMENTS_BAD);
}

static void nothing_works_before_initialize(void)
{
	CK_FUNCTION_LIST *f = NULL;

	CU_ASSERT_EQUAL(get_function_list(&f), CKR_OK);
	CU_ASSERT_EQUAL(f->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_GetSlotList(CK_TRUE, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_GetSlotInfo(1, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_OpenSession(1, 0, NULL, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_Sign(1, NULL, 1, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_GenerateKey(1, NULL, NULL, 1, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_WaitForSlotEvent(0, NULL, f), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(f->C_Finalize(f), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static const struct unit_test tests[] = {
	UNIT(nothing_else_is_exported),
	UNIT(every_entry_of_both_lists_is_there),
	UNIT(both_lists_share_every_function_but_get_info),
	UNIT(the_list_of_interfaces_is_3_0_then_2_40),
	UNIT(a_short_list_of_interfaces_says_how_long),
	UNIT(an_interface_is_found_by_exact_name_and_version_only),
	UNIT(nothing_works_before_initialize),
};

int main(void)
{
	if (open_module() != 0)
		return 1;
	return unit_run("interfaces", tests, sizeof tests / sizeof tests[0]);
}

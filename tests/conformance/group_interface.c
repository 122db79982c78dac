/* SPDX-License-Identifier: BSD-2-Clause */
/* C_GetFunctionList, C_GetInterfaceList, C_GetInterface: Base 5.4 of 3.0. They work in a library
 * that is not initialised; these cases never initialise it. */
#include <string.h>

#include "tests/conformance/world.h"
#include "tests/token/load.h"

/* Whether none of `count` function pointers from `first` is NULL. */
static bool is_full(const void *first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *function;

		memcpy(&function, (const char *)first + i * sizeof(function), sizeof(function));
		if (!function)
			return false;
	}
	return true;
}

static void function_list(struct suite *t)
{
	CK_FUNCTION_LIST *list = NULL;
	CK_FUNCTION_LIST *same = NULL;

	EXPECT(t, CKR_ARGUMENTS_BAD, GetFunctionList, NULL);
	OK(t, GetFunctionList, &list);
	OK(t, GetFunctionList, &same);
	if (!CHECK(t, list != NULL && list == same))
		return;
	CHECK(t, list->version.major == 2 && list->version.minor == 40);
	CHECK(t, is_full(&list->C_Initialize, CALL_COUNT_2_40));
}

static void exported(struct suite *t)
{
	CK_C_GetFunctionList get_list = NULL;
	CK_C_GetInterface get_interface = NULL;
	CK_C_GetInterfaceList get_interfaces = NULL;
	CK_FUNCTION_LIST *list = NULL;

	CHECK(t, load_symbol(t->library, "C_GetInterface", &get_interface));
	CHECK(t, load_symbol(t->library, "C_GetInterfaceList", &get_interfaces));
	if (!CHECK(t, load_symbol(t->library, "C_GetFunctionList", &get_list)))
		return;
	CHECK(t, get_list(&list) == CKR_OK && list == t->f2);
}

static void list_of_interfaces(struct suite *t)
{
	CK_INTERFACE found[16];
	CK_ULONG count = 0;
	CK_ULONG small = 0;
	CK_ULONG large = COUNT(found);

	EXPECT(t, CKR_ARGUMENTS_BAD, GetInterfaceList, NULL, NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, GetInterfaceList, found, NULL);
	OK(t, GetInterfaceList, NULL, &count);
	if (!CHECK(t, count >= 1 && count <= COUNT(found)))
		return;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetInterfaceList, found, &small);
	CHECK(t, small == count);
	small = count - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetInterfaceList, found, &small);
	CHECK(t, small == count);
	OK(t, GetInterfaceList, found, &small);
	CHECK(t, small == count);
	OK(t, GetInterfaceList, found, &large);
	CHECK(t, large == count);
}

/* Every interface named "PKCS 11" is a full function list of its version. */
static void each_interface(struct suite *t)
{
	CK_INTERFACE found[16];
	CK_ULONG count = COUNT(found);
	unsigned versions = 0;

	OK(t, GetInterfaceList, found, &count);
	for (CK_ULONG i = 0; i < count; i++) {
		CK_FUNCTION_LIST_3_0 *list = found[i].pFunctionList;

		if (!CHECK(t, found[i].pInterfaceName && list) ||
		    strcmp((char *)found[i].pInterfaceName, "PKCS 11") != 0)
			continue;
		CHECK(t, (found[i].flags & ~(CK_FLAGS)CKF_INTERFACE_FORK_SAFE) == 0);
		versions |= list->version.major == 3 ? 2 : 1;
		CHECK(t, is_full(&list->C_Initialize,
				 list->version.major == 3 ? CALL_COUNT : CALL_COUNT_2_40));
	}
	CHECK(t, versions == 3);
}

static void is_found(struct suite *t, const char *name, CK_BYTE major, CK_BYTE minor)
{
	CK_VERSION version = {major, minor};
	CK_INTERFACE *interface = NULL;
	char text[32];
	CK_VERSION *got;

	if (name)
		memcpy(text, name, strlen(name) + 1);
	if (!OK(t, GetInterface, name ? (CK_UTF8CHAR *)text : NULL, major ? &version : NULL,
		&interface, 0) ||
	    !CHECK(t, interface != NULL))
		return;
	got = interface->pFunctionList;
	CHECK(t, strcmp((char *)interface->pInterfaceName, "PKCS 11") == 0);
	CHECK(t, major == 0 || (got->major == major && got->minor == minor));
}

static void interfaces(struct suite *t)
{
	is_found(t, NULL, 0, 0);
	is_found(t, "PKCS 11", 0, 0);
	is_found(t, "PKCS 11", 3, 0);
	is_found(t, "PKCS 11", 2, 40);
	is_found(t, NULL, 3, 0);
}

static void no_interface(struct suite *t)
{
	CK_UTF8CHAR ours[] = "PKCS 11";
	CK_UTF8CHAR other[] = "Vendor Somebody";
	CK_VERSION version = {9, 9};
	CK_INTERFACE *interface = NULL;

	EXPECT(t, CKR_ARGUMENTS_BAD, GetInterface, NULL, NULL, NULL, 0);
	EXPECT_ANY(t, CODES(CKR_ARGUMENTS_BAD, CKR_FUNCTION_FAILED), GetInterface, other, NULL,
		   &interface, 0);
	EXPECT_ANY(t, CODES(CKR_ARGUMENTS_BAD, CKR_FUNCTION_FAILED), GetInterface, ours, &version,
		   &interface, 0);
	EXPECT_ANY(t, CODES(CKR_ARGUMENTS_BAD, CKR_FUNCTION_FAILED), GetInterface, ours, NULL,
		   &interface, (CK_FLAGS)1 << 30);
}

static void same_functions(struct suite *t)
{
	CK_INTERFACE *interface = NULL;
	CK_VERSION *version;

	OK(t, GetInterface, NULL, NULL, &interface, 0);
	if (!CHECK(t, interface != NULL))
		return;
	version = interface->pFunctionList;
	CHECK(t, version->major == 3);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetInfo, &(CK_INFO){.flags = 0});
}

static const struct conform_case cases[] = {
	{"C_GetFunctionList gives the whole list of 2.40, always the same", function_list},
	{"the functions that find interfaces are exported", exported},
	{"C_GetInterfaceList counts, refuses a small buffer and fills", list_of_interfaces},
	{"every PKCS 11 interface is a full list; 3.0 and 2.40 are there", each_interface},
	{"C_GetInterface finds the default, by name and by version", interfaces},
	{"C_GetInterface refuses what is not there", no_interface},
	{"the default interface is of version 3, and nothing was initialised by asking",
	 same_functions},
};

const struct group group_interface = {"interface", CASES_OF(cases), true};

/* SPDX-License-Identifier: BSD-2-Clause */
/* General-purpose functions, and the function lists through which applications reach all others.
 *
 * Two lists are offered, 2.40 and 3.0, made from core/calls.def. They are constant for the life of
 * the process: applications keep pointers to them across C_Finalize and fork. C_GetInfo must report
 * the version of the list through which it was called, so each list has one of its own. The three
 * functions that give out lists work at any time; they are the only names the library exports,
 * because others would take the place of a member's own functions of the same names. */
#include <stdint.h>
#include <string.h>

#include "core/base/pkcs11.h"
#include "core/mux.h"

#define EXPORT __attribute__((visibility("default")))

/* Cryptoki's types do not know const; nobody may write through what is given out as such. */
#define WRITABLE(type, p) ((type *)(uintptr_t)(p))

CK_RV C_Initialize(void *args)
{
	return mux_init(args);
}

CK_RV C_Finalize(void *reserved)
{
	CK_RV rv = mux_check();

	/* In a forked child mux_check fails, and mux_fini still drops what the parent left. */
	if (rv == CKR_OK && reserved)
		return CKR_ARGUMENTS_BAD;
	return mux_fini();
}

/* Fills a field of blank padded text. */
static void pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strnlen(text, size));
}

/* Digits of "1.2.3" before the first and before the second dot. */
static CK_VERSION library_version(void)
{
	static const char text[] = HSMUX_VERSION;
	unsigned part[2] = {0, 0};
	size_t n = 0;

	for (const char *p = text; *p && n < 2; p++) {
		if (*p == '.')
			n++;
		else if (*p >= '0' && *p <= '9')
			part[n] = part[n] * 10 + (unsigned)(*p - '0');
	}
	return (CK_VERSION){.major = (unsigned char)part[0], .minor = (unsigned char)part[1]};
}

static CK_RV get_info(CK_INFO *info, CK_VERSION version)
{
	CK_RV rv = mux_check();

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof *info);
	info->cryptokiVersion = version;
	pad(info->manufacturerID, sizeof info->manufacturerID, "hsmux");
	pad(info->libraryDescription, sizeof info->libraryDescription, "hsmux PKCS#11 multiplexer");
	info->libraryVersion = library_version();
	return CKR_OK;
}

CK_RV C_GetInfo(CK_INFO *info)
{
	return get_info(info, (CK_VERSION){2, 40});
}

static CK_RV get_info_3_0(CK_INFO *info)
{
	return get_info(info, (CK_VERSION){3, 0});
}

/* Filled by position, which calls.def keeps. */
static const CK_FUNCTION_LIST list_2_40 = {
	{2, 40},
#define CALL(name, retry) name,
#define CALL_3(name, retry)
#include "core/calls.def"
};

#define C_GetInfo get_info_3_0
static const CK_FUNCTION_LIST_3_0 list_3_0 = {
	{3, 0},
#define CALL(name, retry) name,
#include "core/calls.def"
};
#undef C_GetInfo

static const char interface_name[] = "PKCS 11";

/* Best first: the first is the default. */
static const CK_INTERFACE interfaces[] = {
	{WRITABLE(CK_UTF8CHAR, interface_name), WRITABLE(void, &list_3_0), 0},
	{WRITABLE(CK_UTF8CHAR, interface_name), WRITABLE(void, &list_2_40), 0},
};
#define INTERFACE_COUNT (sizeof interfaces / sizeof interfaces[0])

/* What C_GetInterface hands out. OpenSC's pkcs11-spy puts its own list into the interface that it gets,
 * so these may be written to; nothing here reads them. */
static CK_INTERFACE handed_out[] = {
	{WRITABLE(CK_UTF8CHAR, interface_name), WRITABLE(void, &list_3_0), 0},
	{WRITABLE(CK_UTF8CHAR, interface_name), WRITABLE(void, &list_2_40), 0},
};

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (!list)
		return CKR_ARGUMENTS_BAD;
	*list = WRITABLE(CK_FUNCTION_LIST, &list_2_40);
	return CKR_OK;
}

EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE *list, CK_ULONG *count)
{
	CK_ULONG room;

	if (!count)
		return CKR_ARGUMENTS_BAD;
	room = *count;
	*count = INTERFACE_COUNT;
	if (!list)
		return CKR_OK;
	if (room < INTERFACE_COUNT)
		return CKR_BUFFER_TOO_SMALL;
	memcpy(list, interfaces, sizeof interfaces);
	return CKR_OK;
}

/* Every list begins with its version. */
static bool has_version(const CK_INTERFACE *interface, const CK_VERSION *version)
{
	const CK_VERSION *own = interface->pFunctionList;

	return !version || (version->major == own->major && version->minor == own->minor);
}

EXPORT CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **interface,
			    CK_FLAGS flags)
{
	/* No flag can be promised: CKF_INTERFACE_FORK_SAFE would need members that are. */
	if (!interface || flags != 0)
		return CKR_ARGUMENTS_BAD;
	if (name && strcmp((const char *)name, interface_name) != 0)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < INTERFACE_COUNT; i++) {
		if (has_version(&interfaces[i], version)) {
			*interface = &handed_out[i];
			return CKR_OK;
		}
	}
	return CKR_ARGUMENTS_BAD;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The hostile token: a PKCS#11 module that answers at random, to prove that whoever uses it
 * believes nothing.
 *
 * Return codes of every kind, lengths and counts that are nonsense or larger than what was asked
 * for, handles that are 0 or repeat, lists that change between two calls, token informations
 * without padding, a C_Initialize that fails at times, function lists that are missing or have
 * holes. What it never does is write beyond the memory that it was given, since against that a
 * process has no defence. All that it is given it reads, so that a sanitizer sees a wrong pointer.
 *
 * The sequence follows from HOSTILE_SEED, read by C_Initialize and when a list is asked for;
 * HOSTILE_BAD is how many of a hundred answers are bad (a token that is always bad is never used
 * for long), HOSTILE_LABEL the token's label. No state but the sequence; any number of threads. */
#include "tests/token/hostile.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a good list would have. */
#define SLOT           7UL
#define MECHANISMS_MAX 90UL

static _Atomic uint64_t sequence;
static _Atomic unsigned bad_percent;
static _Atomic unsigned char sink;

/* Steele, Lea and Flood's SplitMix64: one atomic addition, so threads do not need a lock. */
CK_ULONG hostile_random(void)
{
	uint64_t z = atomic_fetch_add(&sequence, 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (CK_ULONG)(z ^ (z >> 31));
}

bool hostile_chance(unsigned percent)
{
	return hostile_random() % 100 < percent;
}

static void seed(void)
{
	const char *text = getenv("HOSTILE_SEED");
	const char *percent = getenv("HOSTILE_BAD");

	atomic_store(&sequence, (text ? strtoull(text, NULL, 10) : 0) * 0xd1342543de82ef95U);
	bad_percent = percent ? (unsigned)strtoul(percent, NULL, 10) : 30;
}

CK_RV hostile_code(void)
{
	static const CK_RV favourites[] = {
		CKR_BUFFER_TOO_SMALL,      CKR_SESSION_HANDLE_INVALID,
		CKR_DEVICE_REMOVED,        CKR_CRYPTOKI_NOT_INITIALIZED,
		CKR_OPERATION_ACTIVE,      CKR_OPERATION_NOT_INITIALIZED,
		CKR_OBJECT_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN,
		CKR_SESSION_COUNT,         CKR_USER_ALREADY_LOGGED_IN,
		CKR_GENERAL_ERROR,         CKR_CRYPTOKI_ALREADY_INITIALIZED,
	};

	if (!hostile_chance(bad_percent))
		return CKR_OK;
	switch (hostile_random() % 8) {
	case 0:
		return CKR_VENDOR_DEFINED | (hostile_random() & 0xffff);
	case 1:
		return hostile_random();
	case 2:
		return ~0UL;
	case 3:
	case 4:
		return hostile_random() % 0x210;
	default:
		return favourites[hostile_random() % (sizeof(favourites) / sizeof(favourites[0]))];
	}
}

CK_ULONG hostile_number(void)
{
	static const CK_ULONG numbers[] = {
		~0UL, 0,        1,  0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
		4097, ~0UL - 7, 65,
	};

	return numbers[hostile_random() % (sizeof(numbers) / sizeof(numbers[0]))];
}

void hostile_touch(const void *p, CK_ULONG len)
{
	const unsigned char *bytes = p;
	unsigned char sum = 0;

	for (CK_ULONG i = 0; bytes && i < len; i++)
		sum ^= bytes[i];
	atomic_store(&sink, sum);
}

void hostile_touch_template(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	for (CK_ULONG i = 0; tmpl && i < count; i++)
		hostile_touch(tmpl[i].pValue, tmpl[i].ulValueLen);
}

void hostile_touch_mechanism(const CK_MECHANISM *mechanism)
{
	if (mechanism)
		hostile_touch(mechanism->pParameter, mechanism->ulParameterLen);
}

CK_RV hostile_output(CK_BYTE *out, CK_ULONG *len)
{
	CK_RV rv = hostile_code();
	CK_ULONG made = hostile_random() % 80;

	if (!len)
		return rv;
	if (out && made > *len) {
		rv = rv == CKR_OK ? CKR_BUFFER_TOO_SMALL : rv;
		memset(out, 0xA5, *len);
	} else if (out) {
		memset(out, 0x5A, made);
	}
	*len = hostile_chance(bad_percent / 2) ? hostile_number() : made;
	return rv;
}

CK_ULONG hostile_handle(void)
{
	if (hostile_chance(bad_percent / 2))
		return hostile_number();
	return 1 + hostile_random() % 500;
}

/* Text in a field of fixed size: padded with blanks, with NULs, not at all, or no text. */
static void field(unsigned char *at, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(at, hostile_chance(80) ? ' ' : 0, size);
	memcpy(at, text, len);
	for (size_t i = 0; hostile_chance(bad_percent / 4) && i < size; i++)
		at[i] = (unsigned char)hostile_random();
}

CK_RV hostile_initialize(void *args)
{
	seed();
	hostile_touch(args, sizeof(CK_C_INITIALIZE_ARGS));
	return hostile_code();
}

CK_RV hostile_finalize(void *reserved)
{
	(void)reserved;
	return hostile_code();
}

CK_RV hostile_get_info(CK_INFO *info)
{
	memset(info, (int)(hostile_random() & 0xff), sizeof(*info));
	return hostile_code();
}

/* The slots come and go between the question for their number and the list. */
CK_RV hostile_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	CK_RV rv = hostile_code();
	CK_ULONG n = hostile_chance(bad_percent) ? hostile_random() % 6 : 1;

	(void)present;
	for (CK_ULONG i = 0; slots && i < n && i < *count; i++)
		slots[i] = hostile_chance(bad_percent) ? hostile_random() % 20 : SLOT;
	*count = hostile_chance(bad_percent / 4) ? hostile_number() : n;
	return rv;
}

CK_RV hostile_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	memset(info, (int)(slot & 0xff), sizeof(*info));
	return hostile_code();
}

CK_RV hostile_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	const char *label = getenv("HOSTILE_LABEL");

	for (size_t i = 0; i < sizeof(*info); i++)
		((unsigned char *)info)[i] = (unsigned char)hostile_random();
	field(info->label, sizeof(info->label), slot == SLOT && label ? label : "other");
	field(info->serialNumber, sizeof(info->serialNumber), "666");
	info->flags |= CKF_TOKEN_INITIALIZED;
	return hostile_code();
}

CK_RV hostile_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *count)
{
	CK_ULONG n = hostile_chance(bad_percent) ? hostile_random() % MECHANISMS_MAX : 40;

	(void)slot;
	for (CK_ULONG i = 0; types && i < n && i < *count; i++)
		types[i] = hostile_chance(90) ? hostile_random() % 0x400 : hostile_number();
	*count = hostile_chance(bad_percent / 4) ? hostile_number() : n;
	return hostile_code();
}

CK_RV hostile_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	(void)slot;
	*info = (CK_MECHANISM_INFO){hostile_number(), type, hostile_random()};
	return hostile_code();
}

CK_RV hostile_init_token(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
{
	(void)slot;
	hostile_touch(pin, pin_len);
	hostile_touch(label, 32);
	return hostile_code();
}

CK_RV hostile_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
			   CK_SESSION_HANDLE *session)
{
	(void)slot;
	(void)flags;
	(void)application;
	(void)notify;
	*session = hostile_handle();
	return hostile_code();
}

CK_RV hostile_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	*info = (CK_SESSION_INFO){session, hostile_random(), hostile_random(), hostile_number()};
	return hostile_code();
}

/* How often lists and interfaces are broken. */
static bool is_broken_today(unsigned percent)
{
	seed();
	atomic_fetch_add(&sequence, 1);
	return hostile_chance(percent);
}

#define EXPORT __attribute__((visibility("default")))

extern CK_FUNCTION_LIST hostile_list;
extern CK_FUNCTION_LIST_3_0 hostile_list_3_0;
EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);
EXPORT CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **interface,
			    CK_FLAGS flags);

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static CK_FUNCTION_LIST holes;

	*list = &hostile_list;
	if (!is_broken_today(bad_percent / 4))
		return CKR_OK;
	holes = hostile_list;
	memset((char *)&holes + 8 + 8 * (hostile_random() % 68), 0, sizeof(void *));
	*list = hostile_chance(50) ? &holes : NULL;
	return hostile_chance(50) ? CKR_OK : hostile_code();
}

EXPORT CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **interface,
			    CK_FLAGS flags)
{
	static CK_UTF8CHAR own_name[] = "PKCS 11";
	static CK_FUNCTION_LIST_3_0 holes;
	static CK_INTERFACE answer = {own_name, NULL, 0};

	(void)flags;
	hostile_touch(name, name ? strlen((const char *)name) : 0);
	hostile_touch(version, version ? sizeof(*version) : 0);
	*interface = &answer;
	answer.pFunctionList = &hostile_list_3_0;
	if (!is_broken_today(50))
		return CKR_OK;
	holes = hostile_list_3_0;
	memset((char *)&holes + 8 + 8 * (hostile_random() % 92), 0, sizeof(void *));
	answer.pFunctionList = hostile_chance(70) ? (void *)&holes : NULL;
	if (hostile_chance(20))
		*interface = NULL;
	return hostile_chance(50) ? CKR_OK : hostile_code();
}

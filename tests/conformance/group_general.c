/* SPDX-License-Identifier: BSD-2-Clause */
/* C_Initialize, C_Finalize, C_GetInfo: Base 5.4. The cases initialise the module themselves. */
#include <string.h>

#include "tests/conformance/world.h"
#include "tests/token/load.h"

static CK_RV create_mutex(void **mutex)
{
	*mutex = NULL;
	return CKR_OK;
}

static CK_RV use_mutex(void *mutex)
{
	(void)mutex;
	return CKR_OK;
}

/* Initialised with these arguments, the module works and can be finalised. */
static void works_with(struct suite *t, void *args)
{
	CK_INFO info;
	CK_ULONG count = 0;

	if (!OK(t, Initialize, args))
		return;
	OK(t, GetInfo, &info);
	OK(t, GetSlotList, CK_TRUE, NULL, &count);
	CHECK(t, count > 0);
	OK(t, Finalize, NULL);
}

static void no_arguments(struct suite *t)
{
	works_with(t, NULL);
}

static void empty_arguments(struct suite *t)
{
	CK_C_INITIALIZE_ARGS args = {.flags = 0};

	works_with(t, &args);
}

static void os_locking(struct suite *t)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	works_with(t, &args);
}

static void no_threads(struct suite *t)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK |
					      CKF_LIBRARY_CANT_CREATE_OS_THREADS};

	if (EXPECT_ANY(t, CODES(CKR_OK, CKR_NEED_TO_CREATE_THREADS), Initialize, &args))
		EXPECT_ANY(t, CODES(CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED), Finalize, NULL);
}

static void mutexes(struct suite *t)
{
	CK_C_INITIALIZE_ARGS args = {create_mutex, use_mutex,         use_mutex,
				     use_mutex,    CKF_OS_LOCKING_OK, NULL};

	works_with(t, &args);
	args.flags = 0;
	if (EXPECT_ANY(t, CODES(CKR_OK, CKR_CANT_LOCK), Initialize, &args))
		EXPECT_ANY(t, CODES(CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED), Finalize, NULL);
	works_with(t, NULL);
}

static void some_mutexes(struct suite *t)
{
	for (unsigned mask = 1; mask < 15; mask++) {
		CK_C_INITIALIZE_ARGS args = {mask & 1 ? create_mutex : NULL,
					     mask & 2 ? use_mutex : NULL,
					     mask & 4 ? use_mutex : NULL,
					     mask & 8 ? use_mutex : NULL,
					     0,
					     NULL};

		EXPECT(t, CKR_ARGUMENTS_BAD, Initialize, &args);
		args.flags = CKF_OS_LOCKING_OK;
		EXPECT(t, CKR_ARGUMENTS_BAD, Initialize, &args);
	}
	works_with(t, NULL);
}

static void reserved(struct suite *t)
{
	char text[] = "not for this library";
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = text};

	EXPECT(t, CKR_ARGUMENTS_BAD, Initialize, &args);
	works_with(t, NULL);
	if (!OK(t, Initialize, NULL))
		return;
	EXPECT(t, CKR_ARGUMENTS_BAD, Finalize, text);
	OK(t, GetSlotList, CK_TRUE, NULL, &(CK_ULONG){0});
	OK(t, Finalize, NULL);
}

static void twice(struct suite *t)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	OK(t, Initialize, NULL);
	EXPECT(t, CKR_CRYPTOKI_ALREADY_INITIALIZED, Initialize, NULL);
	EXPECT(t, CKR_CRYPTOKI_ALREADY_INITIALIZED, Initialize, &args);
	OK(t, Finalize, NULL);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, Finalize, NULL);
}

static void before(struct suite *t)
{
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, Finalize, NULL);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetInfo, &(CK_INFO){.flags = 0});
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetSlotList, CK_FALSE, NULL, &(CK_ULONG){0});
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetSlotInfo, t->slot, &(CK_SLOT_INFO){.flags = 0});
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetTokenInfo, t->slot,
	       &(CK_TOKEN_INFO){.flags = 0});
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, WaitForSlotEvent, CKF_DONT_BLOCK, &(CK_SLOT_ID){0},
	       NULL);
}

/* Session 1 is what most libraries would have given. */
static void all_unusable(struct suite *t)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE s = 1;

	before(t);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, OpenSession, t->slot, RW, NULL, NULL, &s);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, CloseSession, s);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, CloseAllSessions, t->slot);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetSessionInfo, s, &(CK_SESSION_INFO){.flags = 0});
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, Logout, s);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, FindObjectsInit, s, NULL, 0);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, DestroyObject, s, 1);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, DigestInit, s, &sha);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, SignInit, s, &sha, 1);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, Sign, s, out, len, out, &len);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GenerateRandom, s, out, len);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, GetFunctionStatus, s);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, CancelFunction, s);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, SessionCancel, s, CKF_SIGN);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, LoginUser, s, CKU_USER, t->pin, t->pin_len, NULL,
	       0);
	EXPECT(t, CKR_CRYPTOKI_NOT_INITIALIZED, MessageSignInit, s, &sha, 1);
}

static void after(struct suite *t)
{
	OK(t, Initialize, NULL);
	OK(t, Finalize, NULL);
	all_unusable(t);
}

static void again(struct suite *t)
{
	CK_SESSION_HANDLE s = 0;

	OK(t, Initialize, t->init_args);
	if (!CHECK(t, load_find_slot(t->f2, t->label, &t->slot)))
		return;
	s = world_user(t);
	OK(t, Finalize, NULL);
	OK(t, Initialize, t->init_args);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, GetSessionInfo, s, &(CK_SESSION_INFO){.flags = 0});
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, CloseSession, s);
	s = world_open(t, RW);
	CHECK(t, world_state(t, s) == CKS_RW_PUBLIC_SESSION);
	OK(t, Finalize, NULL);
}

static void many_times(struct suite *t)
{
	for (int i = 0; i < 5; i++)
		works_with(t, i % 2 ? t->init_args : NULL);
}

static void info(struct suite *t)
{
	CK_INFO info = {.flags = ~(CK_FLAGS)0};

	OK(t, Initialize, NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, GetInfo, NULL);
	OK(t, GetInfo, &info);
	CHECK(t, info.flags == 0);
	CHECK(t, info.cryptokiVersion.major == 3 ||
			 (info.cryptokiVersion.major == 2 && info.cryptokiVersion.minor == 40));
	CHECK(t, world_is_padded(info.manufacturerID, sizeof(info.manufacturerID)));
	CHECK(t, world_is_padded(info.libraryDescription, sizeof(info.libraryDescription)));
	CHECK(t, info.manufacturerID[0] != ' ');
	OK(t, Finalize, NULL);
}

static const struct conform_case cases[] = {
	{"before C_Initialize every function says so", all_unusable},
	{"C_Initialize takes no arguments", no_arguments},
	{"C_Initialize takes arguments that ask for nothing", empty_arguments},
	{"C_Initialize takes CKF_OS_LOCKING_OK", os_locking},
	{"C_Initialize without threads of its own works or says that it cannot", no_threads},
	{"C_Initialize with mutexes locks or says that it cannot", mutexes},
	{"C_Initialize refuses some but not all mutex functions", some_mutexes},
	{"pReserved is refused by C_Initialize and C_Finalize", reserved},
	{"C_Initialize twice is CKR_CRYPTOKI_ALREADY_INITIALIZED", twice},
	{"after C_Finalize every function says so", after},
	{"C_Initialize after C_Finalize begins anew, without sessions and login", again},
	{"C_Initialize and C_Finalize can be repeated", many_times},
	{"C_GetInfo fills its structure as the standard says", info},
};

const struct group group_general = {"general", CASES_OF(cases), true};

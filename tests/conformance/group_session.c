/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions and their states: Base 5.6, Usage Guide 2.5. */
#include "tests/conformance/world.h"

#define NO_SLOT 0x7ffffff0UL

static void opens(struct suite *t)
{
	CK_SESSION_HANDLE ro = world_open(t, RO);
	CK_SESSION_HANDLE rw = world_open(t, RW);
	CK_SESSION_INFO info = {.ulDeviceError = 77};

	CHECK(t, ro != CK_INVALID_HANDLE && rw != CK_INVALID_HANDLE && ro != rw);
	OK(t, GetSessionInfo, ro, &info);
	CHECK(t, info.slotID == t->slot);
	CHECK(t, info.state == CKS_RO_PUBLIC_SESSION);
	CHECK(t, info.flags == CKF_SERIAL_SESSION);
	OK(t, GetSessionInfo, rw, &info);
	CHECK(t, info.slotID == t->slot);
	CHECK(t, info.state == CKS_RW_PUBLIC_SESSION);
	CHECK(t, info.flags == (CKF_SERIAL_SESSION | CKF_RW_SESSION));
	EXPECT(t, CKR_ARGUMENTS_BAD, GetSessionInfo, rw, NULL);
}

static void open_errors(struct suite *t)
{
	CK_SESSION_HANDLE s = 0;

	EXPECT(t, CKR_SESSION_PARALLEL_NOT_SUPPORTED, OpenSession, t->slot, 0, NULL, NULL, &s);
	EXPECT(t, CKR_SESSION_PARALLEL_NOT_SUPPORTED, OpenSession, t->slot, CKF_RW_SESSION, NULL,
	       NULL, &s);
	EXPECT(t, CKR_SLOT_ID_INVALID, OpenSession, NO_SLOT, RW, NULL, NULL, &s);
	EXPECT(t, CKR_ARGUMENTS_BAD, OpenSession, t->slot, RW, NULL, NULL, NULL);
	EXPECT(t, CKR_SLOT_ID_INVALID, CloseAllSessions, NO_SLOT);
}

static CK_RV never_called(CK_SESSION_HANDLE s, CK_NOTIFICATION event, void *application)
{
	(void)s;
	(void)event;
	*(int *)application = 1;
	return CKR_OK;
}

static void notifies(struct suite *t)
{
	CK_SESSION_HANDLE s = 0;
	CK_BYTE random[8];
	int called = 0;

	OK(t, OpenSession, t->slot, RW, &called, never_called, &s);
	OK(t, GenerateRandom, s, random, sizeof(random));
	OK(t, CloseSession, s);
	CHECK(t, called == 0);
}

/* No function takes a session that is not one. */
static void refused(struct suite *t, CK_SESSION_HANDLE s)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG len = 0;
	CK_BYTE out[8];

	EXPECT(t, CKR_SESSION_HANDLE_INVALID, CloseSession, s);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, GetSessionInfo, s, &(CK_SESSION_INFO){.flags = 0});
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, LoginUser, s, CKU_USER, t->pin, t->pin_len, NULL, 0);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, Logout, s);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, InitPIN, s, t->pin, t->pin_len);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, SetPIN, s, t->pin, t->pin_len, t->pin, t->pin_len);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, SessionCancel, s, CKF_SIGN);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, CreateObject, s, &(CK_ATTRIBUTE)NO(CKA_TOKEN), 1, &o);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, DestroyObject, s, 1);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, GetObjectSize, s, 1, &len);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, FindObjectsInit, s, NULL, 0);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, FindObjects, s, &o, 1, &len);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, FindObjectsFinal, s);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, DigestInit, s, &sha);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, SignInit, s, &sha, 1);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, SignUpdate, s, out, sizeof(out));
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, GenerateKey, s, &sha, NULL, 0, &o);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, GenerateRandom, s, out, sizeof(out));
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, SeedRandom, s, out, sizeof(out));
	EXPECT_ANY(t, CODES(CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_PARALLEL),
		   GetFunctionStatus, s);
	EXPECT_ANY(t, CODES(CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_PARALLEL), CancelFunction,
		   s);
}

static void closes(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);
	CK_SESSION_HANDLE stays = world_open(t, RO);

	OK(t, CloseSession, s);
	refused(t, s);
	refused(t, CK_INVALID_HANDLE);
	refused(t, ~(CK_SESSION_HANDLE)0);
	OK(t, GetSessionInfo, stays, &(CK_SESSION_INFO){.flags = 0});
}

static void closes_all(struct suite *t)
{
	CK_SESSION_HANDLE first = world_user(t);
	CK_SESSION_HANDLE second = world_open(t, RO);

	OK(t, CloseAllSessions, t->slot);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, GetSessionInfo, first,
	       &(CK_SESSION_INFO){.flags = 0});
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, CloseSession, second);
	OK(t, CloseAllSessions, t->slot);
	CHECK(t, world_state(t, world_open(t, RW)) == CKS_RW_PUBLIC_SESSION);
}

static void not_reused(struct suite *t)
{
	CK_SESSION_HANDLE old = world_open(t, RW);
	CK_SESSION_HANDLE new;

	OK(t, CloseSession, old);
	new = world_open(t, RW);
	CHECK(t, new != old);
	refused(t, old);
	OK(t, CloseSession, new);
}

static void many(struct suite *t)
{
	CK_SESSION_HANDLE s[100];

	for (size_t i = 0; i < COUNT(s); i++)
		s[i] = world_open(t, i % 2 ? RW : RO);
	for (size_t i = 0; i < COUNT(s); i++)
		CHECK(t, world_state(t, s[i]) ==
				 (i % 2 ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION));
	for (size_t i = 0; i < COUNT(s); i += 2)
		OK(t, CloseSession, s[i]);
	for (size_t i = 1; i < COUNT(s); i += 2)
		CHECK(t, world_state(t, s[i]) == CKS_RW_PUBLIC_SESSION);
}

static void states(struct suite *t)
{
	CK_SESSION_HANDLE ro = world_open(t, RO);
	CK_SESSION_HANDLE rw = world_open(t, RW);

	OK(t, Login, ro, CKU_USER, t->pin, t->pin_len);
	CHECK(t, world_state(t, ro) == CKS_RO_USER_FUNCTIONS);
	CHECK(t, world_state(t, rw) == CKS_RW_USER_FUNCTIONS);
	CHECK(t, world_state(t, world_open(t, RO)) == CKS_RO_USER_FUNCTIONS);
	CHECK(t, world_state(t, world_open(t, RW)) == CKS_RW_USER_FUNCTIONS);
	OK(t, Logout, rw);
	CHECK(t, world_state(t, ro) == CKS_RO_PUBLIC_SESSION);
	CHECK(t, world_state(t, rw) == CKS_RW_PUBLIC_SESSION);
	CHECK(t, world_state(t, world_open(t, RO)) == CKS_RO_PUBLIC_SESSION);
}

static void last_close(struct suite *t)
{
	CK_SESSION_HANDLE first = world_user(t);
	CK_SESSION_HANDLE second = world_open(t, RO);

	OK(t, CloseSession, first);
	CHECK(t, world_state(t, second) == CKS_RO_USER_FUNCTIONS);
	OK(t, CloseSession, second);
	CHECK(t, world_state(t, world_open(t, RW)) == CKS_RW_PUBLIC_SESSION);
}

static void so_states(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);
	CK_SESSION_HANDLE other = world_open(t, RW);
	CK_SESSION_HANDLE ro = 0;

	if (!t->so_pin) {
		suite_skip(t, "this make has no SO PIN");
		return;
	}
	OK(t, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	CHECK(t, world_state(t, s) == CKS_RW_SO_FUNCTIONS);
	CHECK(t, world_state(t, other) == CKS_RW_SO_FUNCTIONS);
	EXPECT(t, CKR_SESSION_READ_WRITE_SO_EXISTS, OpenSession, t->slot, RO, NULL, NULL, &ro);
	CHECK(t, world_state(t, world_open(t, RW)) == CKS_RW_SO_FUNCTIONS);
	OK(t, Logout, s);
	CHECK(t, world_state(t, other) == CKS_RW_PUBLIC_SESSION);
	ro = world_open(t, RO);
	EXPECT(t, CKR_SESSION_READ_ONLY_EXISTS, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	EXPECT(t, CKR_SESSION_READ_ONLY_EXISTS, Login, ro, CKU_SO, t->so_pin, t->so_pin_len);
	OK(t, CloseSession, ro);
	OK(t, Login, s, CKU_SO, t->so_pin, t->so_pin_len);
	OK(t, CloseAllSessions, t->slot);
	CHECK(t, world_state(t, world_open(t, RO)) == CKS_RO_PUBLIC_SESSION);
}

static const struct conform_case cases[] = {
	{"C_GetSessionInfo tells what C_OpenSession was asked for", opens},
	{"C_OpenSession and C_CloseAllSessions refuse wrong arguments", open_errors},
	{"C_OpenSession takes a callback and calls it for nothing", notifies},
	{"a closed session is refused by every function, other sessions stay", closes},
	{"C_CloseAllSessions closes all and logs out; without sessions it is fine", closes_all},
	{"the handle of a closed session does not become another session", not_reused},
	{"a hundred sessions are open at once", many},
	{"login and logout change the state of all sessions, also later ones", states},
	{"closing the last session logs out, closing another one does not", last_close},
	{"the security officer excludes read-only sessions and the reverse", so_states},
};

const struct group group_session = {"session", CASES_OF(cases), false};

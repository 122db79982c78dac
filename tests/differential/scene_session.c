/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes about slots, sessions, login, PINs and random numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/differential.h"

#define RO CKF_SERIAL_SESSION
#define RW (CKF_SERIAL_SESSION | CKF_RW_SESSION)
/* No module has a slot or a session of this number. */
#define NOWHERE 0x7ffffff1UL

static void slots(struct run *r)
{
	CK_SLOT_ID list[64];
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_ULONG count = 0;
	CK_RV rv;

	said(r, CALL_GetSlotList, "query", r->f->C_GetSlotList(CK_TRUE, NULL, &count));
	count = 0;
	said(r, CALL_GetSlotList, "short", r->f->C_GetSlotList(CK_TRUE, list, &count));
	said(r, CALL_GetSlotInfo, "slot", r->f->C_GetSlotInfo(r->slot, &slot));
	said(r, CALL_GetSlotInfo, "nowhere", r->f->C_GetSlotInfo(NOWHERE, &slot));
	rv = r->f->C_GetTokenInfo(r->slot, &token);
	said_bytes(r, CALL_GetTokenInfo, "label", rv, token.label, sizeof(token.label));
	said_number(r, CALL_GetTokenInfo, "flags", rv,
		    token.flags & (CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED |
				   CKF_USER_PIN_INITIALIZED));
	said(r, CALL_GetTokenInfo, "nowhere", r->f->C_GetTokenInfo(NOWHERE, &token));
}

static int by_number(const void *a, const void *b)
{
	const CK_MECHANISM_TYPE *x = a;
	const CK_MECHANISM_TYPE *y = b;

	return (*x > *y) - (*x < *y);
}

static void mechanisms(struct run *r)
{
	static CK_MECHANISM_TYPE list[512];
	CK_MECHANISM_INFO info = {0};
	CK_ULONG count = 0;
	CK_RV rv = r->f->C_GetMechanismList(r->slot, NULL, &count);

	said(r, CALL_GetMechanismList, "query", rv);
	count = 1;
	said(r, CALL_GetMechanismList, "short", r->f->C_GetMechanismList(r->slot, list, &count));
	count = sizeof(list) / sizeof(list[0]);
	rv = r->f->C_GetMechanismList(r->slot, list, &count);
	said_number(r, CALL_GetMechanismList, "list", rv, count);
	qsort(list, rv == CKR_OK ? count : 0, sizeof(list[0]), by_number);
	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
		char step[32];

		snprintf(step, sizeof(step), "0x%lx", list[i]);
		memset(&info, 0,
		       sizeof(info)); /* SoftHSM2 2.6.1 adds its flags to what it finds there */
		rv = r->f->C_GetMechanismInfo(r->slot, list[i], &info);
		said_number(r, CALL_GetMechanismInfo, step, rv, info.flags);
		said_number(r, CALL_GetMechanismInfo, step, rv, info.ulMinKeySize);
		said_number(r, CALL_GetMechanismInfo, step, rv, info.ulMaxKeySize);
	}
	said(r, CALL_GetMechanismInfo, "unknown",
	     r->f->C_GetMechanismInfo(r->slot, NOWHERE, &info));
	said(r, CALL_GetMechanismList, "nowhere", r->f->C_GetMechanismList(NOWHERE, NULL, &count));
}

void scene_general(struct run *r)
{
	CK_FUNCTION_LIST *list;
	CK_UTF8CHAR label[32];
	CK_SLOT_ID slot;
	CK_INFO info;
	CK_SESSION_HANDLE s;

	said(r, CALL_Initialize, "again", r->f->C_Initialize(r->init_args));
	said(r, CALL_GetInfo, "info", r->f->C_GetInfo(&info));
	said(r, CALL_GetFunctionList, "list", r->f->C_GetFunctionList(&list));
	slots(r);
	mechanisms(r);
	said(r, CALL_WaitForSlotEvent, "poll",
	     r->f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
	s = scene_open(r, RW);
	memset(label, ' ', sizeof(label));
	if (r->so_pin) /* NSS has no SO PIN and would erase its database */
		said(r, CALL_InitToken, "session-open",
		     r->f->C_InitToken(r->slot, r->so_pin, r->so_pin_len, label));
	scene_close(r, s);
	said(r, CALL_CloseAllSessions, "nowhere", r->f->C_CloseAllSessions(NOWHERE));
}

static void session_info(struct run *r, const char *step, CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO info = {0};
	CK_RV rv = r->f->C_GetSessionInfo(s, &info);

	said_number(r, CALL_GetSessionInfo, step, rv,
		    rv == CKR_OK ? info.state << 8 | info.flags : 0);
}

void scene_sessions(struct run *r)
{
	CK_SESSION_HANDLE s[3] = {0};
	CK_TOKEN_INFO token;
	CK_RV rv;

	said(r, CALL_OpenSession, "parallel", r->f->C_OpenSession(r->slot, 0, NULL, NULL, &s[0]));
	said(r, CALL_OpenSession, "nowhere", r->f->C_OpenSession(NOWHERE, RO, NULL, NULL, &s[0]));
	for (int i = 0; i < 3; i++)
		s[i] = scene_open(r, i == 0 ? RO : RW);
	session_info(r, "ro", s[0]);
	session_info(r, "rw", s[1]);
	rv = r->f->C_GetTokenInfo(r->slot, &token);
	said_number(r, CALL_GetTokenInfo, "open", rv, token.ulSessionCount);
	said_number(r, CALL_GetTokenInfo, "open-rw", rv, token.ulRwSessionCount);
	scene_close(r, s[1]);
	session_info(r, "closed", s[1]);
	said(r, CALL_CloseSession, "twice", r->f->C_CloseSession(s[1]));
	said(r, CALL_CloseSession, "nowhere", r->f->C_CloseSession(NOWHERE));
	said(r, CALL_CloseAllSessions, "all", r->f->C_CloseAllSessions(r->slot));
	session_info(r, "after-all", s[0]);
	said(r, CALL_CloseAllSessions, "none", r->f->C_CloseAllSessions(r->slot));
}

/* Without wrong SO PINs: some tokens lock after three. */
static void so_states(struct run *r)
{
	CK_SESSION_HANDLE ro = scene_open(r, RO);
	CK_SESSION_HANDLE rw = scene_open(r, RW);

	said(r, CALL_Login, "so-ro-exists", r->f->C_Login(rw, CKU_SO, r->so_pin, r->so_pin_len));
	scene_close(r, ro);
	said(r, CALL_Login, "so", r->f->C_Login(rw, CKU_SO, r->so_pin, r->so_pin_len));
	session_info(r, "so", rw);
	said(r, CALL_OpenSession, "ro-under-so", r->f->C_OpenSession(r->slot, RO, NULL, NULL, &ro));
	said(r, CALL_Login, "so-again", r->f->C_Login(rw, CKU_SO, r->so_pin, r->so_pin_len));
	said(r, CALL_Login, "user-under-so", r->f->C_Login(rw, CKU_USER, r->pin, r->pin_len));
	said(r, CALL_Logout, "so", r->f->C_Logout(rw));
	scene_close(r, rw);
}

void scene_login_states(struct run *r)
{
	CK_SESSION_HANDLE ro = scene_open(r, RO);
	CK_SESSION_HANDLE rw = scene_open(r, RW);
	CK_UTF8CHAR wrong[] = "99999";

	session_info(r, "public-ro", ro);
	said(r, CALL_Logout, "nobody", r->f->C_Logout(rw));
	said(r, CALL_Login, "bad-type", r->f->C_Login(rw, 77, r->pin, r->pin_len));
	said(r, CALL_Login, "context-idle",
	     r->f->C_Login(rw, CKU_CONTEXT_SPECIFIC, r->pin, r->pin_len));
	said(r, CALL_Login, "wrong", r->f->C_Login(rw, CKU_USER, wrong, 5));
	said(r, CALL_Login, "user", r->f->C_Login(rw, CKU_USER, r->pin, r->pin_len));
	session_info(r, "user-ro", ro);
	session_info(r, "user-rw", rw);
	said(r, CALL_Login, "again", r->f->C_Login(ro, CKU_USER, r->pin, r->pin_len));
	if (r->so_pin)
		said(r, CALL_Login, "so-under-user",
		     r->f->C_Login(rw, CKU_SO, r->so_pin, r->so_pin_len));
	said(r, CALL_Logout, "user", r->f->C_Logout(ro));
	session_info(r, "out", rw);
	said(r, CALL_Logout, "twice", r->f->C_Logout(rw));
	said(r, CALL_Login, "back", r->f->C_Login(rw, CKU_USER, r->pin, r->pin_len));
	scene_close(r, ro);
	scene_close(r, rw);
	rw = scene_open(r, RW);
	session_info(r, "last-closed", rw);
	scene_close(r, rw);
	if (r->so_pin)
		so_states(r);
}

/* Every PIN is put back, so that what follows can log in. */
void scene_pins(struct run *r)
{
	CK_UTF8CHAR other[] = "56789";
	CK_SESSION_HANDLE ro = scene_open(r, RO);
	CK_SESSION_HANDLE s = scene_login(r);

	said(r, CALL_SetPIN, "ro", r->f->C_SetPIN(ro, r->pin, r->pin_len, other, 5));
	said(r, CALL_SetPIN, "change", r->f->C_SetPIN(s, r->pin, r->pin_len, other, 5));
	said(r, CALL_SetPIN, "back", r->f->C_SetPIN(s, other, 5, r->pin, r->pin_len));
	said(r, CALL_InitPIN, "as-user", r->f->C_InitPIN(s, other, 5));
	scene_close(r, ro);
	scene_close(r, s);
	s = scene_login(r);
	scene_close(r, s);
	if (!r->so_pin)
		return;
	s = scene_open(r, RW);
	said(r, CALL_InitPIN, "public", r->f->C_InitPIN(s, other, 5));
	said(r, CALL_Login, "so", r->f->C_Login(s, CKU_SO, r->so_pin, r->so_pin_len));
	said(r, CALL_InitPIN, "short", r->f->C_InitPIN(s, other, 0));
	scene_close(r, s);
}

void scene_random(struct run *r)
{
	CK_SESSION_HANDLE s = scene_open(r, RO);
	CK_BYTE seed[] = "seed";
	CK_BYTE random[32] = {0};
	CK_BYTE state[1024];
	CK_ULONG len = sizeof(state);

	said(r, CALL_SeedRandom, "seed", r->f->C_SeedRandom(s, seed, 4));
	said(r, CALL_GenerateRandom, "random", r->f->C_GenerateRandom(s, random, sizeof(random)));
	said(r, CALL_GenerateRandom, "closed",
	     r->f->C_GenerateRandom(NOWHERE, random, sizeof(random)));
	said(r, CALL_GetOperationState, "idle", r->f->C_GetOperationState(s, state, &len));
	said(r, CALL_SetOperationState, "idle", r->f->C_SetOperationState(s, seed, 4, 0, 0));
	said(r, CALL_GetFunctionStatus, "status", r->f->C_GetFunctionStatus(s));
	said(r, CALL_CancelFunction, "cancel", r->f->C_CancelFunction(s));
	scene_close(r, s);
}

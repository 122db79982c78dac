/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots, tokens and their mechanisms: Base 3.2, 3.3 and 5.5. */
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/world.h"

#define NO_SLOT 0x7ffffff0UL

static CK_MECHANISM_TYPE types[1024]; /* too large for a stack frame */

static void slot_list(struct suite *t)
{
	CK_SLOT_ID slots[64];
	CK_ULONG all = 0;
	CK_ULONG len = 0;

	EXPECT(t, CKR_ARGUMENTS_BAD, GetSlotList, CK_FALSE, NULL, NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, GetSlotList, CK_FALSE, slots, NULL);
	OK(t, GetSlotList, CK_FALSE, NULL, &all);
	if (!CHECK(t, all > 0 && all <= COUNT(slots)))
		return;
	len = all - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetSlotList, CK_FALSE, slots, &len);
	CHECK(t, len == all);
	OK(t, GetSlotList, CK_FALSE, slots, &len);
	CHECK(t, len == all);
	len = COUNT(slots);
	OK(t, GetSlotList, CK_FALSE, slots, &len);
	CHECK(t, len == all);
	for (CK_ULONG i = 0; i < len; i++)
		for (CK_ULONG j = 0; j < i; j++)
			CHECK(t, slots[i] != slots[j]);
}

static bool is_listed(const CK_SLOT_ID *slots, CK_ULONG count, CK_SLOT_ID slot)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

static void presence(struct suite *t)
{
	CK_SLOT_ID all[64];
	CK_SLOT_ID present[64];
	CK_ULONG count = COUNT(all);
	CK_ULONG present_count = COUNT(present);
	CK_SLOT_INFO info;

	OK(t, GetSlotList, CK_FALSE, all, &count);
	OK(t, GetSlotList, CK_TRUE, present, &present_count);
	for (CK_ULONG i = 0; i < present_count; i++)
		CHECK(t, is_listed(all, count, present[i]));
	for (CK_ULONG i = 0; i < count; i++) {
		bool is_there = is_listed(present, present_count, all[i]);

		OK(t, GetSlotInfo, all[i], &info);
		CHECK(t, is_there == ((info.flags & CKF_TOKEN_PRESENT) != 0));
		EXPECT_ANY(t, is_there ? CODES(CKR_OK) : CODES(CKR_TOKEN_NOT_PRESENT), GetTokenInfo,
			   all[i], &(CK_TOKEN_INFO){.flags = 0});
	}
}

static void slot_info(struct suite *t)
{
	CK_SLOT_INFO info;

	memset(&info, 0, sizeof(info));
	OK(t, GetSlotInfo, t->slot, &info);
	CHECK(t, world_is_padded(info.slotDescription, sizeof(info.slotDescription)));
	CHECK(t, world_is_padded(info.manufacturerID, sizeof(info.manufacturerID)));
	CHECK(t, (info.flags &
		  ~(CK_FLAGS)(CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE | CKF_HW_SLOT)) == 0);
	EXPECT(t, CKR_ARGUMENTS_BAD, GetSlotInfo, t->slot, NULL);
	EXPECT(t, CKR_SLOT_ID_INVALID, GetSlotInfo, NO_SLOT, &info);
	EXPECT(t, CKR_SLOT_ID_INVALID, GetSlotInfo, ~(CK_SLOT_ID)0, &info);
}

static void token_info(struct suite *t)
{
	CK_TOKEN_INFO info;

	memset(&info, 0, sizeof(info));
	OK(t, GetTokenInfo, t->slot, &info);
	CHECK(t, world_is_padded(info.label, sizeof(info.label)));
	CHECK(t, world_is_padded(info.manufacturerID, sizeof(info.manufacturerID)));
	CHECK(t, world_is_padded(info.model, sizeof(info.model)));
	CHECK(t, world_is_padded(info.serialNumber, sizeof(info.serialNumber)));
	CHECK(t, info.serialNumber[0] != ' ');
	CHECK(t, memcmp(info.label, t->label, strlen(t->label)) == 0);
	CHECK(t, (info.flags >> 25) == 0);
	CHECK(t, info.flags & CKF_TOKEN_INITIALIZED);
	CHECK(t, info.flags & CKF_USER_PIN_INITIALIZED);
	CHECK(t, info.flags & CKF_LOGIN_REQUIRED);
	CHECK(t, !(info.flags & (CKF_USER_PIN_LOCKED | CKF_WRITE_PROTECTED)));
	CHECK(t, info.ulMinPinLen <= info.ulMaxPinLen && info.ulMaxPinLen > 0);
	CHECK(t, !(info.flags & CKF_CLOCK_ON_TOKEN) ||
			 world_is_padded((CK_UTF8CHAR *)info.utcTime, sizeof(info.utcTime)));
	EXPECT(t, CKR_ARGUMENTS_BAD, GetTokenInfo, t->slot, NULL);
	EXPECT(t, CKR_SLOT_ID_INVALID, GetTokenInfo, NO_SLOT, &info);
}

static void counts(struct suite *t, CK_ULONG sessions, CK_ULONG rw_sessions)
{
	CK_TOKEN_INFO info;

	memset(&info, 0xff, sizeof(info));
	OK(t, GetTokenInfo, t->slot, &info);
	CHECK(t,
	      info.ulSessionCount == sessions || info.ulSessionCount == CK_UNAVAILABLE_INFORMATION);
	CHECK(t, info.ulRwSessionCount == rw_sessions ||
			 info.ulRwSessionCount == CK_UNAVAILABLE_INFORMATION);
}

static void session_counts(struct suite *t)
{
	CK_SESSION_HANDLE first;
	CK_SESSION_HANDLE second;

	counts(t, 0, 0);
	first = world_open(t, RO);
	counts(t, 1, 0);
	second = world_open(t, RW);
	counts(t, 2, 1);
	OK(t, CloseSession, first);
	counts(t, 1, 1);
	OK(t, CloseSession, second);
	counts(t, 0, 0);
}

static void mechanism_list(struct suite *t)
{
	CK_ULONG all = 0;
	CK_ULONG len = COUNT(types);

	EXPECT(t, CKR_ARGUMENTS_BAD, GetMechanismList, t->slot, NULL, NULL);
	EXPECT(t, CKR_SLOT_ID_INVALID, GetMechanismList, NO_SLOT, NULL, &all);
	OK(t, GetMechanismList, t->slot, NULL, &all);
	if (!CHECK(t, all > 0 && all < COUNT(types)))
		return;
	OK(t, GetMechanismList, t->slot, types, &len);
	CHECK(t, len == all);
	for (CK_ULONG i = 0; i < len; i++)
		for (CK_ULONG j = 0; j < i; j++)
			CHECK(t, types[i] != types[j]);
	for (CK_ULONG small = 0; small < all; small += all - 1) {
		len = small;
		EXPECT(t, CKR_BUFFER_TOO_SMALL, GetMechanismList, t->slot, types, &len);
		CHECK(t, len == all);
		if (all == 1)
			break;
	}
	OK(t, GetMechanismList, t->slot, types, &len);
}

static void mechanism_info(struct suite *t)
{
	CK_ULONG count = COUNT(types);
	CK_MECHANISM_INFO info;

	OK(t, GetMechanismList, t->slot, types, &count);
	for (CK_ULONG i = 0; i < count; i++) {
		memset(&info, 0, sizeof(info));
		OK(t, GetMechanismInfo, t->slot, types[i], &info);
		CHECK(t, info.ulMinKeySize <= info.ulMaxKeySize);
		CHECK(t, info.flags != 0);
	}
	EXPECT(t, CKR_ARGUMENTS_BAD, GetMechanismInfo, t->slot, types[0], NULL);
	EXPECT(t, CKR_SLOT_ID_INVALID, GetMechanismInfo, NO_SLOT, types[0], &info);
}

static bool is_in(CK_ULONG count, CK_MECHANISM_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

static void other_mechanisms(struct suite *t)
{
	static const CK_MECHANISM_TYPE asked[] = {CKM_RSA_PKCS,
						  CKM_MD2,
						  CKM_SHA_1,
						  CKM_AES_GCM,
						  CKM_DES_ECB,
						  CKM_KEA_KEY_DERIVE,
						  CKM_SKIPJACK_KEY_GEN,
						  CKM_BATON_KEY_GEN,
						  0x7ffffff1UL,
						  CKM_VENDOR_DEFINED | 0x7777UL};
	CK_ULONG count = COUNT(types);

	OK(t, GetMechanismList, t->slot, types, &count);
	for (size_t i = 0; i < COUNT(asked); i++)
		EXPECT_ANY(t, is_in(count, asked[i]) ? CODES(CKR_OK) : CODES(CKR_MECHANISM_INVALID),
			   GetMechanismInfo, t->slot, asked[i], &(CK_MECHANISM_INFO){.flags = 0});
}

/* Baseline Provider: what must be there for each use that a list of mechanisms promises. */
static void baseline(struct suite *t)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = COUNT(slots);
	CK_TOKEN_INFO info;
	CK_SESSION_HANDLE s;

	OK(t, GetInfo, &(CK_INFO){.flags = 0});
	OK(t, GetSlotList, CK_TRUE, slots, &count);
	OK(t, GetTokenInfo, slots[0], &info);
	s = world_user(t);
	OK(t, FindObjectsInit, s, &(CK_ATTRIBUTE)YES(CKA_TOKEN), 1);
	OK(t, FindObjects, s, &(CK_OBJECT_HANDLE){0}, 1, &count);
	OK(t, FindObjectsFinal, s);
	world_logout(t, s);
	OK(t, CloseSession, s);
	OK(t, CloseAllSessions, t->slot);
}

static const struct conform_case cases[] = {
	{"C_GetSlotList counts, refuses a small buffer and fills", slot_list},
	{"slots with a token present are those that say so", presence},
	{"C_GetSlotInfo fills its structure as the standard says", slot_info},
	{"C_GetTokenInfo fills its structure as the standard says", token_info},
	{"C_GetTokenInfo counts the sessions", session_counts},
	{"C_GetMechanismList counts, refuses a small buffer and fills", mechanism_list},
	{"C_GetMechanismInfo knows every mechanism of the list", mechanism_info},
	{"C_GetMechanismInfo knows no mechanism that is not in the list", other_mechanisms},
	{"the steps of the Baseline and Extended Provider profiles work", baseline},
};

const struct group group_slot = {"slot", CASES_OF(cases), false};

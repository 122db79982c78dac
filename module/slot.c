/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots and tokens: PKCS#11, "Slot and token management functions".
 *
 * Every entry enters through slot_take() or mux_take(), which keep C_Finalize out until
 * slot_give(); C_WaitForSlotEvent alone does not, because C_Finalize has to end it. */
#include "core/base/pkcs11.h"
#include "core/group.h"
#include "core/mux.h"

/* No token takes a longer PIN; a length above it is a mistake, not something to read. */
#define PIN_MAX 4096UL

static CK_RV slot_list(bool is_present_only, CK_SLOT_ID *list, CK_ULONG *count)
{
	CK_ULONG n = 0, room = list ? *count : 0;

	for (size_t i = 0; i < mux_group_count(); i++) {
		struct group *group = mux_group(i);

		if (is_present_only && !group_present(group))
			continue;
		if (n < room)
			list[n] = group->conf->slot;
		n++;
	}
	*count = n;
	return list && n > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CK_RV C_GetSlotList(CK_BBOOL token_present, CK_SLOT_ID *list, CK_ULONG *count)
{
	CK_RV rv = mux_take();

	if (rv != CKR_OK)
		return rv;
	rv = count ? slot_list(token_present, list, count) : CKR_ARGUMENTS_BAD;
	slot_give();
	return rv;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	struct group *group;
	CK_RV rv = slot_take(slot, &group);

	if (rv != CKR_OK)
		return rv;
	if (info)
		group_slot_info(group, info);
	slot_give();
	return info ? CKR_OK : CKR_ARGUMENTS_BAD;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct group *group;
	CK_RV rv = slot_take(slot, &group);

	if (rv != CKR_OK)
		return rv;
	rv = info ? group_token_info(group, info) : CKR_ARGUMENTS_BAD;
	slot_give();
	return rv;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	struct group *group;
	CK_RV rv = slot_take(slot, &group);

	if (rv != CKR_OK)
		return rv;
	rv = count ? group_mechanisms(group, list, count) : CKR_ARGUMENTS_BAD;
	slot_give();
	return rv;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	struct group *group;
	CK_RV rv = slot_take(slot, &group);

	if (rv != CKR_OK)
		return rv;
	rv = info ? group_mechanism_info(group, type, info) : CKR_ARGUMENTS_BAD;
	slot_give();
	return rv;
}

CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
{
	struct group *group;
	CK_RV rv = slot_take(slot, &group);

	if (rv != CKR_OK)
		return rv;
	/* A NULL PIN of length 0 asks for the token's own PIN pad. */
	if (!label || (!pin && pin_len > 0) || pin_len > PIN_MAX)
		rv = CKR_ARGUMENTS_BAD;
	else
		rv = group_init_token(group, pin, pin_len, label);
	slot_give();
	return rv;
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	CK_RV rv = mux_check();

	if (rv != CKR_OK)
		return rv;
	if (!slot || reserved)
		return CKR_ARGUMENTS_BAD;
	/* Virtual slots keep their tokens: there is no event but the end. */
	return flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : mux_wait_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a member's answer means: tables of return codes, the vendor's rows before the standard's.
 * Pure. */
#include "core/outcome.h"

#include "core/base/attr.h"
#include "core/group.h"
#include "core/op_output.h"
#include "core/route.h"
#include "core/vendor.h"

/* No output is longer: the longest input there may be, and what a mechanism adds to it. */
#define MAX_OUTPUT (0x7fffffffUL + 65536UL)

/* Codes that are not simply the answer. Everything else, CKR_OK included, is OUTCOME_DONE. */
static const struct {
	CK_RV code;
	enum outcome outcome;
} meanings[] = {
	{CKR_SESSION_HANDLE_INVALID, OUTCOME_SESSION},
	{CKR_SESSION_CLOSED, OUTCOME_SESSION},
	{CKR_DEVICE_REMOVED, OUTCOME_DEAD},
	{CKR_TOKEN_NOT_PRESENT, OUTCOME_DEAD},
	{CKR_TOKEN_NOT_RECOGNIZED, OUTCOME_DEAD},
	{CKR_SLOT_ID_INVALID, OUTCOME_DEAD},
	{CKR_CRYPTOKI_NOT_INITIALIZED, OUTCOME_DEAD},
	/* SoftHSM2 answers bad padding with GENERAL_ERROR, and a good key with a bad handle when
	 * its store is gone. */
	{CKR_GENERAL_ERROR, OUTCOME_SUSPECT},
	{CKR_FUNCTION_FAILED, OUTCOME_SUSPECT},
	{CKR_DEVICE_ERROR, OUTCOME_SUSPECT},
	{CKR_OBJECT_HANDLE_INVALID, OUTCOME_HANDLE},
	{CKR_KEY_HANDLE_INVALID, OUTCOME_HANDLE},
	{CKR_WRAPPING_KEY_HANDLE_INVALID, OUTCOME_HANDLE},
	{CKR_UNWRAPPING_KEY_HANDLE_INVALID, OUTCOME_HANDLE},
	{CKR_USER_NOT_LOGGED_IN, OUTCOME_AUTH},
	/* Some modules name failed connections so. */
	{CKR_HOST_MEMORY, OUTCOME_BUSY},
	{CKR_DEVICE_MEMORY, OUTCOME_BUSY},
	{CKR_SESSION_COUNT, OUTCOME_BUSY},
	{CKR_TOKEN_RESOURCE_EXCEEDED, OUTCOME_BUSY},
	{CKR_MECHANISM_INVALID, OUTCOME_LACKS},
	{CKR_MECHANISM_PARAM_INVALID, OUTCOME_LACKS},
	{CKR_FUNCTION_NOT_SUPPORTED, OUTCOME_LACKS},
	{CKR_CURVE_NOT_SUPPORTED, OUTCOME_LACKS},
	{CKR_KEY_SIZE_RANGE, OUTCOME_LACKS},
	{CKR_RANDOM_NO_RNG, OUTCOME_LACKS},
	{CKR_RANDOM_SEED_NOT_SUPPORTED, OUTCOME_LACKS},
	{CKR_TOKEN_WRITE_PROTECTED, OUTCOME_LACKS},
	{CKR_FIPS_SELF_TEST_FAILED, OUTCOME_DEAD},
	{CKR_LIBRARY_LOAD_FAILED, OUTCOME_DEAD},
};

static bool vendor_says(const struct vendor *vendor, CK_RV rv, enum outcome *outcome)
{
	static const enum outcome map[] = {
		[VENDOR_VERDICT] = OUTCOME_DONE,
		[VENDOR_SESSION_LOST] = OUTCOME_SESSION,
		[VENDOR_MEMBER_DEAD] = OUTCOME_DEAD,
		[VENDOR_BUSY] = OUTCOME_BUSY,
	};

	for (size_t i = 0; i < vendor->code_count; i++) {
		if (vendor->codes[i].code != rv)
			continue;
		*outcome = map[vendor->codes[i].outcome];
		return true;
	}
	return false;
}

/* A search that finds nothing is what a SoftHSM2 without its store answers, too. */
static bool found_nothing(const struct call *c)
{
	return c->id == CALL_C_FindObjectsInit && c->found && c->found->len == 0;
}

/* The standard's codes. */
static enum outcome meaning_of(const struct call *c, CK_RV rv)
{
	/* The highest number that the standard gives to a code (3.2: CKR_PUBLIC_KEY_INVALID and
	 * neighbours lie below it); a code between here and the vendors' range means a broken
	 * library. */
	const CK_RV last_standard = 0x300;

	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (meanings[i].code == rv)
			return meanings[i].outcome;
	/* We believed the session idle: it was left dirty; or busy: it was lost. An operation that
	 * is nowhere was about to begin again. */
	if (rv == CKR_OPERATION_ACTIVE &&
	    (c->place == CALL_KEEP || c->place == CALL_BORROW || (c->op && !c->op->ms)))
		return OUTCOME_SESSION;
	if (rv == CKR_OPERATION_NOT_INITIALIZED && c->op && !c->op->is_doubtful)
		return OUTCOME_SESSION;
	if (rv == (CK_RV)-1)
		return OUTCOME_DEAD;
	return rv > last_standard ? OUTCOME_SUSPECT : OUTCOME_DONE;
}

/* What concerns other members is the answer where there are none. */
static enum outcome for_passthrough(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_HANDLE:
		return OUTCOME_SUSPECT;
	case OUTCOME_AUTH:
	case OUTCOME_BUSY:
	case OUTCOME_LACKS:
		return OUTCOME_DONE;
	case OUTCOME_DONE:
	case OUTCOME_SESSION:
	case OUTCOME_SUSPECT:
	case OUTCOME_DEAD:
		break;
	}
	return outcome;
}

enum outcome route_outcome(const struct vendor *vendor, const struct call *c, CK_RV rv)
{
	bool is_multi = c->group && c->group->is_multi;
	enum outcome outcome;

	if (rv == CKR_OK)
		return found_nothing(c) ? OUTCOME_SUSPECT : OUTCOME_DONE;
	if (!vendor_says(vendor, rv, &outcome))
		outcome = meaning_of(c, rv);
	/* A length query or a short buffer after which the member forgot its operation, a handle
	 * that a template forbids to use: see operation.c and the standard's C_WrapKey. */
	return is_multi ? outcome : for_passthrough(outcome);
}

/* A member that keeps templates within templates as bytes would keep pointers of ours. */
bool outcome_has_nested(const struct call *c)
{
	for (unsigned k = 0; k < 2; k++)
		for (CK_ULONG i = 0; i < c->tmpl_count[k]; i++)
			if (attr_is_template(c->tmpl[k][i].type))
				return true;
	return false;
}

/* What a member says of lengths and handles is not believed when it cannot be. */
CK_RV outcome_check(const struct call *c, CK_ULONG room, CK_RV rv)
{
	bool made_nothing = false;

	if (c->out_len && *c->out_len > MAX_OUTPUT) {
		*c->out_len = room;
		return rv == CKR_OK ? CKR_DEVICE_ERROR : rv;
	}
	if (rv != CKR_OK)
		return rv;
	if (c->out && c->out_len && *c->out_len > room)
		return CKR_DEVICE_ERROR; /* it wrote, or says it wrote, beyond the buffer */
	switch ((int)c->id) {
	case CALL_C_GenerateKeyPair:
		made_nothing = !c->made[0] || !c->made[1];
		break;
	case CALL_C_CreateObject:
	case CALL_C_CopyObject:
	case CALL_C_GenerateKey:
	case CALL_C_UnwrapKey:
		made_nothing = !c->made[0];
		break;
	case CALL_C_DeriveKey: /* TLS mechanisms give their keys in the parameter instead */
		made_nothing = c->wants_made && !c->made[0] && c->mech->made_count == 0;
		break;
	default:
		break;
	}
	return made_nothing ? CKR_DEVICE_ERROR : CKR_OK;
}

bool outcome_is_oracle(const struct call *c)
{
	switch ((int)c->id) {
	case CALL_C_Decrypt:
	case CALL_C_DecryptFinal:
	case CALL_C_DecryptMessage:
	case CALL_C_DecryptMessageNext:
	case CALL_C_UnwrapKey:
	case CALL_C_VerifyRecover:
	case CALL_C_DeriveKey:
		return true;
	default:
		return false;
	}
}

CK_RV outcome_normal(const struct call *c, CK_RV rv)
{
	switch ((int)c->id) {
	case CALL_C_Decrypt:
	case CALL_C_DecryptFinal:
	case CALL_C_DecryptMessage:
	case CALL_C_DecryptMessageNext:
		return CKR_ENCRYPTED_DATA_INVALID;
	case CALL_C_UnwrapKey:
		return CKR_WRAPPED_KEY_INVALID;
	default:
		return rv;
	}
}

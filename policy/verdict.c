/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts: which code a refusal has. */
#include "policy/policy.h"

/* Codes after the table of refusals in policy.conf(5); each is listed by the standard for its
 * function. */
static CK_RV usage_code(enum policy_act act)
{
	switch ((int)act) {
	case ACT_COPY:
	case ACT_SET_ATTR:
	case ACT_DESTROY:
		return CKR_ACTION_PROHIBITED;
	case ACT_SIGN:
	case ACT_VERIFY:
	case ACT_ENCRYPT:
	case ACT_DECRYPT:
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	case ACT_WRAP:
		return CKR_KEY_NOT_WRAPPABLE;
	case ACT_UNWRAP:
		return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
	case ACT_SO_LOGIN:
	case ACT_LOGIN:
		return CKR_USER_TYPE_INVALID;
	case ACT_INIT_TOKEN:
	case ACT_INIT_PIN:
	case ACT_SET_PIN:
		return CKR_FUNCTION_NOT_SUPPORTED;
	default:
		return CKR_FUNCTION_FAILED;
	}
}

static CK_RV size_code(enum policy_act act, enum policy_part part)
{
	if (act == ACT_GENERATE || act == ACT_IMPORT || part == PART_NEW)
		return act == ACT_UNWRAP || act == ACT_DERIVE ? CKR_TEMPLATE_INCONSISTENT
							      : CKR_ATTRIBUTE_VALUE_INVALID;
	if (act == ACT_WRAP)
		return CKR_WRAPPING_KEY_SIZE_RANGE;
	if (act == ACT_UNWRAP)
		return CKR_UNWRAPPING_KEY_SIZE_RANGE;
	return CKR_KEY_SIZE_RANGE;
}

static CK_RV curve_code(enum policy_act act)
{
	return act == ACT_GENERATE || act == ACT_IMPORT || act == ACT_UNWRAP || act == ACT_DERIVE
		       ? CKR_CURVE_NOT_SUPPORTED
		       : CKR_KEY_SIZE_RANGE;
}

static CK_RV type_code(enum policy_act act)
{
	switch ((int)act) {
	case ACT_GENERATE:
	case ACT_IMPORT:
	case ACT_DERIVE:
		return CKR_TEMPLATE_INCONSISTENT;
	case ACT_WRAP:
		return CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
	case ACT_UNWRAP:
		return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
	default:
		return CKR_KEY_TYPE_INCONSISTENT;
	}
}

CK_RV verdict_code(enum policy_reason reason, enum policy_act act, enum policy_part part)
{
	switch (reason) {
	case REASON_NONE:
		return CKR_OK;
	case REASON_MECHANISM:
		return act == ACT_IMPORT ? CKR_TEMPLATE_INCONSISTENT : CKR_MECHANISM_INVALID;
	case REASON_PARAMETER:
		return CKR_MECHANISM_PARAM_INVALID;
	case REASON_KEY_SIZE:
		return size_code(act, part);
	case REASON_CURVE:
		return curve_code(act);
	case REASON_PSET:
		return act == ACT_GENERATE || act == ACT_IMPORT ? CKR_ATTRIBUTE_VALUE_INVALID
								: CKR_KEY_SIZE_RANGE;
	case REASON_KEY_TYPE:
		return type_code(act);
	case REASON_TEMPLATE:
		return CKR_TEMPLATE_INCONSISTENT;
	case REASON_READ_ONLY:
		return CKR_ATTRIBUTE_READ_ONLY;
	case REASON_EXPORT:
		return act == ACT_GET_VALUE ? CKR_ATTRIBUTE_SENSITIVE : CKR_KEY_UNEXTRACTABLE;
	case REASON_WRAPPING_KEY:
		return CKR_KEY_NOT_WRAPPABLE;
	case REASON_DIGEST_KEY:
		return CKR_KEY_INDIGESTIBLE;
	case REASON_USAGE:
		break;
	}
	return usage_code(act);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Single operations with a key of a member. No lock; the session is the caller's alone. The output
 * buffer is large from the start: lengths that members give beforehand are not always right. */
#include "core/identity_use.h"

#include "core/member.h"
#include "core/member_op.h"

/* Codes about the request. Everything else but the ambiguous ones is about the member. */
static const CK_RV refusals[] = {
	CKR_ACTION_PROHIBITED,
	CKR_ARGUMENTS_BAD,
	CKR_ATTRIBUTE_READ_ONLY,
	CKR_ATTRIBUTE_SENSITIVE,
	CKR_ATTRIBUTE_TYPE_INVALID,
	CKR_ATTRIBUTE_VALUE_INVALID,
	CKR_BUFFER_TOO_SMALL,
	CKR_CURVE_NOT_SUPPORTED,
	CKR_DATA_INVALID,
	CKR_DATA_LEN_RANGE,
	CKR_DOMAIN_PARAMS_INVALID,
	CKR_ENCRYPTED_DATA_INVALID,
	CKR_ENCRYPTED_DATA_LEN_RANGE,
	CKR_FUNCTION_NOT_SUPPORTED,
	CKR_FUNCTION_REJECTED,
	CKR_KEY_FUNCTION_NOT_PERMITTED,
	CKR_KEY_NOT_WRAPPABLE,
	CKR_KEY_SIZE_RANGE,
	CKR_KEY_TYPE_INCONSISTENT,
	CKR_KEY_UNEXTRACTABLE,
	CKR_MECHANISM_INVALID,
	CKR_MECHANISM_PARAM_INVALID,
	CKR_OPERATION_ACTIVE, /* tpm2-pkcs11 does not end an operation that failed */
	CKR_TEMPLATE_INCOMPLETE,
	CKR_TEMPLATE_INCONSISTENT,
	CKR_TOKEN_WRITE_PROTECTED,
	CKR_WRAPPING_KEY_SIZE_RANGE,
	CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
};

bool identity_is_doubtful(CK_RV rv)
{
	return rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv >= CKR_VENDOR_DEFINED;
}

static CK_RV use_once(struct member_session *ms, CK_OBJECT_HANDLE key, struct identity_use *use)
{
	const CK_OBJECT_HANDLE object[2] = {key, 0}, none[2] = {0, 0};
	struct mech mech = {.m = use->mech};
	struct call init = {.id = use->init, .mech = &mech};
	struct call step = {.id = use->step,
			    .in = use->in,
			    .in_len = use->in_len,
			    .out = use->out,
			    .out_len = &use->out_len};
	CK_ULONG room = use->out_len;
	CK_RV rv = member_call(ms, &init, object);

	use->has_begun = rv == CKR_OK;
	if (rv != CKR_OK)
		return rv;
	rv = member_call(ms, &step, none);
	return rv == CKR_OK && use->out_len > room ? CKR_DEVICE_ERROR : rv;
}

CK_RV identity_use(struct member_session *ms, CK_OBJECT_HANDLE key, struct identity_use *use)
{
	CK_ULONG room = use->out_len;
	CK_RV rv = use_once(ms, key, use);

	for (unsigned i = 1; i < IDENTITY_TRIES && identity_is_doubtful(rv); i++) {
		CK_RV before = rv;

		use->out_len = room;
		rv = use_once(ms, key, use);
		if (rv != CKR_OPERATION_ACTIVE)
			continue;
		use->has_begun = true; /* what failed had begun nevertheless */
		return before;
	}
	return rv;
}

bool identity_refuses(struct member_session *ms, CK_RV rv)
{
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		if (rv == refusals[i])
			return true;
	}
	return identity_is_doubtful(rv) && member_alive(ms->member);
}

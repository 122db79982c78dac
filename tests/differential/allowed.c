/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of allowed differences: each row says whose answer is the standard's and why. */
#include "tests/differential/allowed.h"

#define FROM_OBJECT "CKR_OBJECT_HANDLE_INVALID"
#define TO_KEY      "CKR_KEY_HANDLE_INVALID"
#define NO_FUNCTION "CKR_FUNCTION_NOT_SUPPORTED"
#define NOT_BEGUN   "CKR_OPERATION_NOT_INITIALIZED"
#define TOO_SMALL   "CKR_BUFFER_TOO_SMALL"

static const char own_codes[] = "the code that the standard lists for this function";
static const char counted[] = "hsmux counts its own sessions";
static const char gone[] = "handles to private objects die with the login";
static const char no_state[] = "hsmux does not save states: they cannot move to another member";
static const char short_length[] = "CKR_BUFFER_TOO_SMALL comes with the length that is needed";
static const char short_keeps[] = "CKR_BUFFER_TOO_SMALL keeps the operation active";
static const char mixed_parts[] = "a single-part call does not end an operation in parts";
static const char idle[] = "nothing was begun";
static const char exact[] = "hsmux knows the exact length, the token overestimates";
static const char own_events[] = "hsmux watches its members itself";
static const char login_first[] = "both are true; the login is looked at first";
static const char read_only[] = "public sessions and read-only ones may not destroy token objects";
static const char overflow[] = "NSS writes beyond a buffer that is too short";
static const char reserved[] = "hsmux answers functions of parallel sessions itself";

/* clang-format off: a table reads better by rows */
/* clang-format off */
const struct allowed allowed[] = {
	/* All makes. */
	{"*", "*C_*Init", FROM_OBJECT, TO_KEY, own_codes},
	{"*", "derive/* C_DeriveKey", FROM_OBJECT, TO_KEY, own_codes},
	{"*", "dual/idle C_*Update", NO_FUNCTION, NOT_BEGUN, idle},
	{"*", "sessions/open* C_GetTokenInfo", "CKR_OK", "CKR_OK", counted},
	{"*", "*/after-update C_*", "CKR_*", NOT_BEGUN, mixed_parts},
	{"*", "token-keys/logged-out C_SignInit", "CKR_*", TO_KEY, gone},
	{"*", "general/poll C_WaitForSlotEvent", NO_FUNCTION, "CKR_NO_EVENT", own_events},
	{"*", "login/so-under-user C_Login", "CKR_SESSION_READ_ONLY_EXISTS",
	 "CKR_USER_ANOTHER_ALREADY_LOGGED_IN", login_first},

	{"*", "wrap/bad-kek C_UnwrapKey", "CKR_*", "CKR_UNWRAPPING_KEY_HANDLE_INVALID", own_codes},
	{"*", "wrap/bad-kek C_WrapKey", "CKR_*", "CKR_WRAPPING_KEY_HANDLE_INVALID", own_codes},
	{"*", "random/idle C_GetOperationState", "CKR_*", NO_FUNCTION, no_state},
	{"*", "random/idle C_SetOperationState", "CKR_*", NO_FUNCTION, no_state},
	{"*", "attributes/none C_GetAttributeValue", "CKR_*", "CKR_ARGUMENTS_BAD",
	 "a read of nothing is a mistake of the application"},

	/* SoftHSM 2.6.1 */
	{"softhsm", "login/nobody C_Logout", "CKR_OK", "CKR_USER_NOT_LOGGED_IN", own_codes},
	{"softhsm", "login/twice C_Logout", "CKR_OK", "CKR_USER_NOT_LOGGED_IN", own_codes},
	{"softhsm", "recover/* C_*Recover", NO_FUNCTION, NOT_BEGUN, idle},

	/* NSS softokn 3.87 */
	{"nss", "digest/short C_Digest*", "CKR_OK", TOO_SMALL,
	 "NSS gives a cut digest for SHA-512"},
	{"nss", "digest/* C_Digest*", NOT_BEGUN, "CKR_OK", short_keeps},
	{"nss", "sign/short C_Sign", "CKR_OK", TOO_SMALL, "NSS gives a cut MAC"},
	{"nss", "sign/short C_Sign", TOO_SMALL, TOO_SMALL, short_length},
	{"nss", "sign/after-short C_Sign", NOT_BEGUN, "CKR_OK", short_keeps},
	{"nss", "cipher/query C_Encrypt", "CKR_OK", "CKR_OK", "NSS forgets the tag"},
	{"nss", "cipher/short C_Encrypt", TOO_SMALL, TOO_SMALL, short_length},
	{"nss", "cipher/after-short C_Encrypt", NOT_BEGUN, "CKR_OK", short_keeps},
	{"nss", "cipher/cut C_Decrypt", "CKR_DATA_LEN_RANGE", "CKR_ENCRYPTED_DATA_LEN_RANGE",
	 own_codes},
	{"nss", "cipher-rsa/rsa-length C_Decrypt", "CKR_DATA_LEN_RANGE",
	 "CKR_ENCRYPTED_DATA_LEN_RANGE", own_codes},
	{"nss", "wrap/query C_WrapKey", "CKR_OK", "CKR_OK", exact},
	{"nss", "wrap/short C_WrapKey", TOO_SMALL, TOO_SMALL, short_length},
	{"nss", "wrap/length C_UnwrapKey", "CKR_*", "CKR_WRAPPED_KEY_LEN_RANGE", own_codes},
	{"nss", "attributes/* C_GetAttributeValue", "CKR_OK", TOO_SMALL, overflow},
	{"nss", "attributes/mixed-short C_GetAttributeValue", "CKR_OK", "CKR_OK", overflow},
	{"nss", "general/short C_Get*List", "CKR_OK", TOO_SMALL, own_codes},
	{"nss", "general/nowhere C_GetMechanismList", "CKR_OK", "CKR_SLOT_ID_INVALID", own_codes},
	{"nss", "sessions/parallel C_OpenSession", "CKR_OK", "CKR_SESSION_PARALLEL_NOT_SUPPORTED",
	 own_codes},
	{"nss", "login/context-idle C_Login", "CKR_USER_TYPE_INVALID", NOT_BEGUN, own_codes},
	{"nss", "pins/ro C_SetPIN", "CKR_USER_NOT_LOGGED_IN", "CKR_SESSION_READ_ONLY", own_codes},
	{"nss", "random/closed C_GenerateRandom", "CKR_OK", "CKR_SESSION_HANDLE_INVALID",
	 own_codes},
	{"nss", "find/* C_FindObjects*", "CKR_OK", NOT_BEGUN, own_codes},
	{"nss", "find/second C_FindObjectsInit", "CKR_OK", "CKR_OPERATION_ACTIVE", own_codes},
	{"nss", "generate/odd-length C_GenerateKey", "CKR_KEY_SIZE_RANGE",
	 "CKR_ATTRIBUTE_VALUE_INVALID", own_codes},
	{"nss", "bad-handles/object C_GetObjectSize", "CKR_OK", FROM_OBJECT, own_codes},
	{"nss", "messages/user C_LoginUser", NOT_BEGUN, "CKR_OK",
	 "NSS does not know C_LoginUser; without a name it is C_Login"},
	{"nss", "messages/user C_Login", "CKR_OK", "CKR_USER_ALREADY_LOGGED_IN",
	 "C_LoginUser worked"},
	{"nss", "messages/* C_*Message*", NO_FUNCTION, NOT_BEGUN, idle},
	{"nss", "end/finalize-again C_Finalize", "CKR_OK", "CKR_CRYPTOKI_NOT_INITIALIZED",
	 own_codes},

	/* openCryptoki 3.8.1 */
	{"opencryptoki", "general/short C_GetSlotList", "CKR_OK", TOO_SMALL, own_codes},
	{"opencryptoki", "sessions/parallel C_OpenSession", "CKR_OK",
	 "CKR_SESSION_PARALLEL_NOT_SUPPORTED", own_codes},
	{"opencryptoki", "login/context-idle C_Login", "CKR_USER_TYPE_INVALID", NOT_BEGUN,
	 own_codes},
	{"opencryptoki", "wrap/bad-key C_WrapKey", "CKR_MECHANISM_INVALID", TO_KEY,
	 "hsmux looks at handles before the token looks at anything"},
	{"opencryptoki", "derive/bad-base C_DeriveKey", "CKR_MECHANISM_INVALID", TO_KEY,
	 "hsmux looks at handles before the token looks at anything"},
	{"opencryptoki", "read-only/ro C_DestroyObject", "CKR_OK", "CKR_SESSION_READ_ONLY",
	 read_only},
	{"opencryptoki", "read-only/rw C_DestroyObject", FROM_OBJECT, "CKR_OK",
	 "it was not destroyed before"},
	{"opencryptoki", "find/private-old-handle C_DestroyObject", "CKR_OK", FROM_OBJECT, gone},
	{"opencryptoki", "find/left C_FindObjects", "CKR_OK", "CKR_OK",
	 "it was not destroyed before"},
	{"opencryptoki", "digest/short C_Digest*", TOO_SMALL, TOO_SMALL, short_length},
	{"opencryptoki", "sign/short C_Sign", "CKR_OK", TOO_SMALL,
	 "openCryptoki writes past the buffer"},
	{"opencryptoki", "sign/after-short C_Sign", NOT_BEGUN, "CKR_OK", short_keeps},
	{"opencryptoki", "wrap/length C_UnwrapKey", "CKR_ENCRYPTED_DATA_LEN_RANGE",
	 "CKR_WRAPPED_KEY_LEN_RANGE", own_codes},
	{"opencryptoki", "derive/cut-parameter C_DeriveKey", "CKR_MECHANISM_INVALID",
	 "CKR_MECHANISM_PARAM_INVALID", "hsmux knows the length of the parameter"},

	/* tpm2-pkcs11 1.9.0 */
	{"tpm2", "general/session-open C_InitToken", "CKR_ARGUMENTS_BAD", "CKR_SESSION_EXISTS",
	 own_codes},
	{"tpm2", "login/context-idle C_Login", "CKR_USER_NOT_LOGGED_IN", NOT_BEGUN, own_codes},
	{"tpm2", "login/*-under-* C_Login", "CKR_USER_ALREADY_LOGGED_IN",
	 "CKR_USER_ANOTHER_ALREADY_LOGGED_IN", own_codes},
	{"tpm2", "random/* C_*Function*", NO_FUNCTION, "CKR_FUNCTION_NOT_PARALLEL", reserved},
	{"tpm2", "bad-handles/* C_*", TO_KEY, FROM_OBJECT, own_codes},
	{"tpm2", "bad-handles/object C_*Object*", NO_FUNCTION, FROM_OBJECT, own_codes},
};
/* clang-format on */
/* clang-format on */

const size_t allowed_count = sizeof(allowed) / sizeof(allowed[0]);

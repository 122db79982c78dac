/* SPDX-License-Identifier: BSD-2-Clause */
/* The hostile token's two lists. Functions that take the same kinds of arguments are one function
 * here, since none of them does anything. */
#include "tests/token/hostile.h"

static CK_RV session_only(CK_SESSION_HANDLE session)
{
	(void)session;
	return hostile_code();
}

static CK_RV slot_only(CK_SLOT_ID slot)
{
	(void)slot;
	return hostile_code();
}

static CK_RV bytes_in(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	(void)session;
	hostile_touch(in, in_len);
	return hostile_code();
}

static CK_RV bytes_out(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	(void)session;
	return hostile_output(out, out_len);
}

static CK_RV bytes_in_out(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			  CK_ULONG *out_len)
{
	(void)session;
	hostile_touch(in, in_len);
	return hostile_output(out, out_len);
}

static CK_RV bytes_in_in(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *in2,
			 CK_ULONG in2_len)
{
	(void)session;
	hostile_touch(in, in_len);
	hostile_touch(in2, in2_len);
	return hostile_code();
}

static CK_RV random_out(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG out_len)
{
	(void)session;
	for (CK_ULONG i = 0; i < out_len; i++)
		out[i] = (CK_BYTE)i;
	return hostile_code();
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
	(void)type;
	return bytes_in(session, pin, pin_len);
}

static CK_RV login_user(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin,
			CK_ULONG pin_len, CK_UTF8CHAR *user, CK_ULONG user_len)
{
	(void)type;
	return bytes_in_in(session, pin, pin_len, user, user_len);
}

static CK_RV set_state(CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG len,
		       CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE key2)
{
	(void)key;
	(void)key2;
	return bytes_in(session, state, len);
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *made)
{
	(void)session;
	hostile_touch_template(tmpl, count);
	*made = hostile_handle();
	return hostile_code();
}

static CK_RV copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		  CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	(void)object;
	return create(session, tmpl, count, made);
}

static CK_RV object_only(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	(void)session;
	(void)object;
	return hostile_code();
}

static CK_RV object_size(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	(void)session;
	(void)object;
	*size = hostile_number();
	return hostile_code();
}

/* Values are written as far as there is room; lengths, types and pointers may become anything. */
static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			    CK_ULONG count)
{
	(void)session;
	(void)object;
	for (CK_ULONG i = 0; i < count; i++) {
		for (CK_ULONG k = 0; tmpl[i].pValue && k < tmpl[i].ulValueLen; k++)
			((unsigned char *)tmpl[i].pValue)[k] = hostile_random() & 1;
		if (hostile_chance(10))
			tmpl[i].ulValueLen = hostile_number();
		if (hostile_chance(5))
			tmpl[i].type = hostile_random();
		if (hostile_chance(5))
			tmpl[i].pValue = NULL;
	}
	return hostile_code();
}

static CK_RV set_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			    CK_ULONG count)
{
	(void)session;
	(void)object;
	hostile_touch_template(tmpl, count);
	return hostile_code();
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	(void)session;
	hostile_touch_template(tmpl, count);
	return hostile_code();
}

/* Some searches never end by themselves; some invent a new object each time. */
static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		  CK_ULONG *count)
{
	static _Thread_local bool is_endless;
	CK_ULONG n = hostile_random() % 4;

	(void)session;
	is_endless = is_endless ? !hostile_chance(1) : hostile_random() % 2000 == 0;
	if (is_endless)
		n = max;
	for (CK_ULONG i = 0; i < n && i < max; i++)
		objects[i] = is_endless ? hostile_random() : hostile_handle();
	*count = hostile_chance(1) ? hostile_number() : n;
	return is_endless ? CKR_OK : hostile_code();
}

static CK_RV init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)session;
	(void)key;
	hostile_touch_mechanism(mechanism);
	return hostile_code();
}

static CK_RV digest_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
	return init(session, mechanism, 0);
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *tmpl,
		      CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	hostile_touch_mechanism(mechanism);
	return create(session, tmpl, count, key);
}

static CK_RV generate_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *tmpl,
			   CK_ULONG count, CK_ATTRIBUTE *tmpl2, CK_ULONG count2,
			   CK_OBJECT_HANDLE *key, CK_OBJECT_HANDLE *key2)
{
	hostile_touch_template(tmpl2, count2);
	*key2 = hostile_handle();
	return generate(session, mechanism, tmpl, count, key);
}

static CK_RV wrap(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE with,
		  CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *out_len)
{
	(void)with;
	(void)key;
	hostile_touch_mechanism(mechanism);
	return bytes_out(session, out, out_len);
}

static CK_RV unwrap(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE with,
		    CK_BYTE *in, CK_ULONG in_len, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *key)
{
	(void)with;
	hostile_touch(in, in_len);
	return generate(session, mechanism, tmpl, count, key);
}

static CK_RV derive(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base,
		    CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_HANDLE nowhere;

	(void)base;
	return generate(session, mechanism, tmpl, count, key ? key : &nowhere);
}

static CK_RV wait_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	(void)flags;
	(void)reserved;
	*slot = hostile_number();
	return CKR_NO_EVENT;
}

static CK_RV no_list(CK_FUNCTION_LIST **list)
{
	*list = NULL;
	return CKR_GENERAL_ERROR;
}

static CK_RV no_interfaces(CK_INTERFACE *list, CK_ULONG *count)
{
	(void)list;
	*count = hostile_number();
	return CKR_GENERAL_ERROR;
}

static CK_RV no_interface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **interface,
			  CK_FLAGS flags)
{
	(void)name;
	(void)version;
	(void)flags;
	*interface = NULL;
	return CKR_OK;
}

static CK_RV cancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
	(void)flags;
	return session_only(session);
}

static CK_RV message(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		     CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		     CK_ULONG *out_len)
{
	hostile_touch(param, param_len);
	hostile_touch(aad, aad_len);
	return bytes_in_out(session, in, in_len, out, out_len);
}

static CK_RV message_begin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
			   CK_ULONG aad_len)
{
	hostile_touch(param, param_len);
	return bytes_in(session, aad, aad_len);
}

static CK_RV message_next(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			  CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	(void)flags;
	hostile_touch(param, param_len);
	return bytes_in_out(session, in, in_len, out, out_len);
}

static CK_RV sign_message(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			  CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	hostile_touch(param, param_len);
	return bytes_in_out(session, in, in_len, out, out_len);
}

static CK_RV sign_begin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	return bytes_in(session, param, param_len);
}

static CK_RV verify_message(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			    CK_ULONG in_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	hostile_touch(param, param_len);
	return bytes_in_in(session, in, in_len, signature, signature_len);
}

extern CK_FUNCTION_LIST hostile_list;
extern CK_FUNCTION_LIST_3_0 hostile_list_3_0;

/* The 68 entries that both lists have; designated, so the compiler checks names and types. */
#define ENTRIES_2_40                                                                               \
	.C_Initialize = hostile_initialize, .C_Finalize = hostile_finalize,                        \
	.C_GetInfo = hostile_get_info, .C_GetFunctionList = no_list,                               \
	.C_GetSlotList = hostile_slot_list, .C_GetSlotInfo = hostile_slot_info,                    \
	.C_GetTokenInfo = hostile_token_info, .C_GetMechanismList = hostile_mechanism_list,        \
	.C_GetMechanismInfo = hostile_mechanism_info, .C_InitToken = hostile_init_token,           \
	.C_InitPIN = bytes_in, .C_SetPIN = bytes_in_in, .C_OpenSession = hostile_open_session,     \
	.C_CloseSession = session_only, .C_CloseAllSessions = slot_only,                           \
	.C_GetSessionInfo = hostile_session_info, .C_GetOperationState = bytes_out,                \
	.C_SetOperationState = set_state, .C_Login = login, .C_Logout = session_only,              \
	.C_CreateObject = create, .C_CopyObject = copy, .C_DestroyObject = object_only,            \
	.C_GetObjectSize = object_size, .C_GetAttributeValue = get_attributes,                     \
	.C_SetAttributeValue = set_attributes, .C_FindObjectsInit = find_init,                     \
	.C_FindObjects = find, .C_FindObjectsFinal = session_only, .C_EncryptInit = init,          \
	.C_Encrypt = bytes_in_out, .C_EncryptUpdate = bytes_in_out, .C_EncryptFinal = bytes_out,   \
	.C_DecryptInit = init, .C_Decrypt = bytes_in_out, .C_DecryptUpdate = bytes_in_out,         \
	.C_DecryptFinal = bytes_out, .C_DigestInit = digest_init, .C_Digest = bytes_in_out,        \
	.C_DigestUpdate = bytes_in, .C_DigestKey = object_only, .C_DigestFinal = bytes_out,        \
	.C_SignInit = init, .C_Sign = bytes_in_out, .C_SignUpdate = bytes_in,                      \
	.C_SignFinal = bytes_out, .C_SignRecoverInit = init, .C_SignRecover = bytes_in_out,        \
	.C_VerifyInit = init, .C_Verify = bytes_in_in, .C_VerifyUpdate = bytes_in,                 \
	.C_VerifyFinal = bytes_in, .C_VerifyRecoverInit = init, .C_VerifyRecover = bytes_in_out,   \
	.C_DigestEncryptUpdate = bytes_in_out, .C_DecryptDigestUpdate = bytes_in_out,              \
	.C_SignEncryptUpdate = bytes_in_out, .C_DecryptVerifyUpdate = bytes_in_out,                \
	.C_GenerateKey = generate, .C_GenerateKeyPair = generate_pair, .C_WrapKey = wrap,          \
	.C_UnwrapKey = unwrap, .C_DeriveKey = derive, .C_SeedRandom = bytes_in,                    \
	.C_GenerateRandom = random_out, .C_GetFunctionStatus = session_only,                       \
	.C_CancelFunction = session_only, .C_WaitForSlotEvent = wait_event

CK_FUNCTION_LIST hostile_list = {.version = {2, 40}, ENTRIES_2_40};

CK_FUNCTION_LIST_3_0 hostile_list_3_0 = {
	.version = {3, 0},
	ENTRIES_2_40,
	.C_GetInterfaceList = no_interfaces,
	.C_GetInterface = no_interface,
	.C_LoginUser = login_user,
	.C_SessionCancel = cancel,
	.C_MessageEncryptInit = init,
	.C_EncryptMessage = message,
	.C_EncryptMessageBegin = message_begin,
	.C_EncryptMessageNext = message_next,
	.C_MessageEncryptFinal = session_only,
	.C_MessageDecryptInit = init,
	.C_DecryptMessage = message,
	.C_DecryptMessageBegin = message_begin,
	.C_DecryptMessageNext = message_next,
	.C_MessageDecryptFinal = session_only,
	.C_MessageSignInit = init,
	.C_SignMessage = sign_message,
	.C_SignMessageBegin = sign_begin,
	.C_SignMessageNext = sign_message,
	.C_MessageSignFinal = session_only,
	.C_MessageVerifyInit = init,
	.C_VerifyMessage = verify_message,
	.C_VerifyMessageBegin = sign_begin,
	.C_VerifyMessageNext = verify_message,
	.C_MessageVerifyFinal = session_only,
};

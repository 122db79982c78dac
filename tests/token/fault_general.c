/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token: life, slots, sessions, objects, encryption and digests. Each function asks
 * the plan, calls the real module when it may, and lets the plan have the last word. */
#include "tests/token/fault.h"

CK_RV C_Initialize(void *init_args)
{
	CK_RV rv = fault_before(CALL_Initialize);

	if (rv == CKR_OK)
		rv = fault_real->C_Initialize(init_args);
	return fault_after(CALL_Initialize, rv);
}

CK_RV C_Finalize(void *reserved)
{
	CK_RV rv = fault_before(CALL_Finalize);

	if (rv == CKR_OK)
		rv = fault_real->C_Finalize(reserved);
	return fault_after(CALL_Finalize, rv);
}

CK_RV C_GetInfo(CK_INFO *info)
{
	CK_RV rv = fault_before(CALL_GetInfo);

	if (rv == CKR_OK)
		rv = fault_real->C_GetInfo(info);
	return fault_after(CALL_GetInfo, rv);
}

CK_RV C_GetSlotList(CK_BYTE token_present, CK_SLOT_ID *slot_list, CK_ULONG *count)
{
	CK_RV rv = fault_before(CALL_GetSlotList);

	if (rv == CKR_OK)
		rv = fault_real->C_GetSlotList(token_present, slot_list, count);
	if (rv == CKR_OK && token_present && fault_is_removed())
		*count = 0;
	return fault_after(CALL_GetSlotList, rv);
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot_id, CK_SLOT_INFO *info)
{
	CK_RV rv = fault_before(CALL_GetSlotInfo);

	if (rv == CKR_OK)
		rv = fault_real->C_GetSlotInfo(slot_id, info);
	if (rv == CKR_OK && fault_is_removed())
		info->flags &= ~(CK_FLAGS)CKF_TOKEN_PRESENT;
	return fault_after(CALL_GetSlotInfo, rv);
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot_id, CK_TOKEN_INFO *info)
{
	CK_RV rv = fault_before(CALL_GetTokenInfo);

	if (rv == CKR_OK)
		rv = fault_real->C_GetTokenInfo(slot_id, info);
	if (rv == CKR_OK)
		fault_pin_flags(&info->flags);
	return fault_after(CALL_GetTokenInfo, rv);
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE *mechanism_list, CK_ULONG *count)
{
	CK_RV rv = fault_before(CALL_GetMechanismList);

	if (rv == CKR_OK)
		rv = fault_real->C_GetMechanismList(slot_id, mechanism_list, count);
	return fault_after(CALL_GetMechanismList, rv);
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	CK_RV rv = fault_before(CALL_GetMechanismInfo);

	if (rv == CKR_OK)
		rv = fault_real->C_GetMechanismInfo(slot_id, type, info);
	return fault_after(CALL_GetMechanismInfo, rv);
}

CK_RV C_InitToken(CK_SLOT_ID slot_id, CK_BYTE *pin, CK_ULONG pin_len, CK_BYTE *label)
{
	CK_RV rv = fault_before(CALL_InitToken);

	if (rv == CKR_OK)
		rv = fault_real->C_InitToken(slot_id, pin, pin_len, label);
	return fault_after(CALL_InitToken, rv);
}

CK_RV C_InitPIN(CK_SESSION_HANDLE session, CK_BYTE *pin, CK_ULONG pin_len)
{
	CK_RV rv = fault_before(CALL_InitPIN);

	if (rv == CKR_OK)
		rv = fault_real->C_InitPIN(session, pin, pin_len);
	return fault_after(CALL_InitPIN, rv);
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, CK_BYTE *old_pin, CK_ULONG old_len, CK_BYTE *new_pin,
	       CK_ULONG new_len)
{
	CK_RV rv = fault_before(CALL_SetPIN);

	if (rv == CKR_OK)
		rv = fault_real->C_SetPIN(session, old_pin, old_len, new_pin, new_len);
	return fault_after(CALL_SetPIN, rv);
}

CK_RV C_OpenSession(CK_SLOT_ID slot_id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		    CK_SESSION_HANDLE *session)
{
	CK_RV rv = fault_before(CALL_OpenSession);

	if (rv == CKR_OK)
		rv = fault_real->C_OpenSession(slot_id, flags, application, notify, session);
	return fault_after(CALL_OpenSession, rv);
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_CloseSession);

	if (rv == CKR_OK)
		rv = fault_real->C_CloseSession(session);
	return fault_after(CALL_CloseSession, rv);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot_id)
{
	CK_RV rv = fault_before(CALL_CloseAllSessions);

	if (rv == CKR_OK)
		rv = fault_real->C_CloseAllSessions(slot_id);
	return fault_after(CALL_CloseAllSessions, rv);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	CK_RV rv = fault_before(CALL_GetSessionInfo);

	if (rv == CKR_OK)
		rv = fault_real->C_GetSessionInfo(session, info);
	return fault_after(CALL_GetSessionInfo, rv);
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE session, CK_BYTE *operation_state,
			  CK_ULONG *operation_state_len)
{
	CK_RV rv = fault_before(CALL_GetOperationState);

	if (rv == CKR_OK)
		rv = fault_real->C_GetOperationState(session, operation_state, operation_state_len);
	return fault_after(CALL_GetOperationState, rv);
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE session, CK_BYTE *operation_state,
			  CK_ULONG operation_state_len, CK_OBJECT_HANDLE encryption_key,
			  CK_OBJECT_HANDLE authentiation_key)
{
	CK_RV rv = fault_before(CALL_SetOperationState);

	if (rv == CKR_OK)
		rv = fault_real->C_SetOperationState(session, operation_state, operation_state_len,
						     fault_handle_real(encryption_key),
						     fault_handle_real(authentiation_key));
	return fault_after(CALL_SetOperationState, rv);
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_BYTE *pin, CK_ULONG pin_len)
{
	CK_RV rv = fault_before(CALL_Login);

	if (rv == CKR_OK)
		rv = fault_real->C_Login(session, user_type, pin, pin_len);
	return fault_after(CALL_Login, rv);
}

CK_RV C_Logout(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_Logout);

	if (rv == CKR_OK)
		rv = fault_real->C_Logout(session);
	return fault_after(CALL_Logout, rv);
}

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     CK_OBJECT_HANDLE *object)
{
	CK_RV rv = fault_before(CALL_CreateObject);

	if (rv == CKR_OK)
		rv = fault_real->C_CreateObject(session, tmpl, count, object);
	if (rv == CKR_OK)
		fault_handles_show(session, object, 1);
	return fault_after(CALL_CreateObject, rv);
}

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		   CK_ULONG count, CK_OBJECT_HANDLE *new_object)
{
	CK_RV rv = fault_before(CALL_CopyObject);

	if (rv == CKR_OK)
		rv = fault_real->C_CopyObject(session, fault_handle_real(object), tmpl, count,
					      new_object);
	if (rv == CKR_OK)
		fault_handles_show(session, new_object, 1);
	return fault_after(CALL_CopyObject, rv);
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	CK_RV rv = fault_before(CALL_DestroyObject);

	if (rv == CKR_OK)
		rv = fault_real->C_DestroyObject(session, fault_handle_real(object));
	return fault_after(CALL_DestroyObject, rv);
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	CK_RV rv = fault_before(CALL_GetObjectSize);

	if (rv == CKR_OK)
		rv = fault_real->C_GetObjectSize(session, fault_handle_real(object), size);
	return fault_after(CALL_GetObjectSize, rv);
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	CK_RV rv = fault_before(CALL_GetAttributeValue);

	if (rv == CKR_OK)
		rv = fault_real->C_GetAttributeValue(session, fault_handle_real(object), tmpl,
						     count);
	return fault_after(CALL_GetAttributeValue, rv);
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	CK_RV rv = fault_before(CALL_SetAttributeValue);

	if (rv == CKR_OK)
		rv = fault_real->C_SetAttributeValue(session, fault_handle_real(object), tmpl,
						     count);
	return fault_after(CALL_SetAttributeValue, rv);
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_RV rv = fault_before(CALL_FindObjectsInit);

	if (rv == CKR_OK)
		rv = fault_real->C_FindObjectsInit(session, tmpl, count);
	return fault_after(CALL_FindObjectsInit, rv);
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object, CK_ULONG max_object_count,
		    CK_ULONG *object_count)
{
	CK_RV rv = fault_before(CALL_FindObjects);

	if (rv == CKR_OK)
		rv = fault_real->C_FindObjects(session, object, max_object_count, object_count);
	if (rv == CKR_OK && fault_finds_nothing())
		*object_count = 0;
	if (rv == CKR_OK)
		fault_handles_show(session, object, *object_count);
	return fault_after(CALL_FindObjects, rv);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_FindObjectsFinal);

	if (rv == CKR_OK)
		rv = fault_real->C_FindObjectsFinal(session);
	return fault_after(CALL_FindObjectsFinal, rv);
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_EncryptInit);

	if (rv == CKR_OK)
		rv = fault_real->C_EncryptInit(session, mechanism, fault_handle_real(key));
	return fault_after(CALL_EncryptInit, rv);
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
		CK_BYTE *encrypted_data, CK_ULONG *encrypted_data_len)
{
	CK_RV rv = fault_before(CALL_Encrypt);

	if (rv == CKR_OK)
		rv = fault_real->C_Encrypt(session, data, data_len, encrypted_data,
					   encrypted_data_len);
	return fault_after(CALL_Encrypt, rv);
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len,
		      CK_BYTE *encrypted_part, CK_ULONG *encrypted_part_len)
{
	CK_RV rv = fault_before(CALL_EncryptUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_EncryptUpdate(session, part, part_len, encrypted_part,
						 encrypted_part_len);
	return fault_after(CALL_EncryptUpdate, rv);
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE *last_encrypted_part,
		     CK_ULONG *last_encrypted_part_len)
{
	CK_RV rv = fault_before(CALL_EncryptFinal);

	if (rv == CKR_OK)
		rv = fault_real->C_EncryptFinal(session, last_encrypted_part,
						last_encrypted_part_len);
	return fault_after(CALL_EncryptFinal, rv);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_DecryptInit);

	if (rv == CKR_OK)
		rv = fault_real->C_DecryptInit(session, mechanism, fault_handle_real(key));
	return fault_after(CALL_DecryptInit, rv);
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE *encrypted_data, CK_ULONG encrypted_data_len,
		CK_BYTE *data, CK_ULONG *data_len)
{
	CK_RV rv = fault_before(CALL_Decrypt);

	if (rv == CKR_OK)
		rv = fault_real->C_Decrypt(session, encrypted_data, encrypted_data_len, data,
					   data_len);
	return fault_after(CALL_Decrypt, rv);
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *encrypted_part,
		      CK_ULONG encrypted_part_len, CK_BYTE *part, CK_ULONG *part_len)
{
	CK_RV rv = fault_before(CALL_DecryptUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_DecryptUpdate(session, encrypted_part, encrypted_part_len, part,
						 part_len);
	return fault_after(CALL_DecryptUpdate, rv);
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE *last_part, CK_ULONG *last_part_len)
{
	CK_RV rv = fault_before(CALL_DecryptFinal);

	if (rv == CKR_OK)
		rv = fault_real->C_DecryptFinal(session, last_part, last_part_len);
	return fault_after(CALL_DecryptFinal, rv);
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
	CK_RV rv = fault_before(CALL_DigestInit);

	if (rv == CKR_OK)
		rv = fault_real->C_DigestInit(session, mechanism);
	return fault_after(CALL_DigestInit, rv);
}

CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *digest,
	       CK_ULONG *digest_len)
{
	CK_RV rv = fault_before(CALL_Digest);

	if (rv == CKR_OK)
		rv = fault_real->C_Digest(session, data, data_len, digest, digest_len);
	return fault_after(CALL_Digest, rv);
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len)
{
	CK_RV rv = fault_before(CALL_DigestUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_DigestUpdate(session, part, part_len);
	return fault_after(CALL_DigestUpdate, rv);
}

CK_RV C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_DigestKey);

	if (rv == CKR_OK)
		rv = fault_real->C_DigestKey(session, fault_handle_real(key));
	return fault_after(CALL_DigestKey, rv);
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE *digest, CK_ULONG *digest_len)
{
	CK_RV rv = fault_before(CALL_DigestFinal);

	if (rv == CKR_OK)
		rv = fault_real->C_DigestFinal(session, digest, digest_len);
	return fault_after(CALL_DigestFinal, rv);
}

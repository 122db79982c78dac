/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token: signatures, keys and the rest. Each function asks the plan, calls the real
 * module when it may, and lets the plan have the last word. */
#include "tests/token/fault.h"

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_SignInit);

	if (rv == CKR_OK)
		rv = fault_real->C_SignInit(session, mechanism, fault_handle_real(key));
	return fault_after(CALL_SignInit, rv);
}

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
	     CK_ULONG *signature_len)
{
	CK_RV rv = fault_before(CALL_Sign);

	if (rv == CKR_OK)
		rv = fault_real->C_Sign(session, data, data_len, signature, signature_len);
	return fault_after(CALL_Sign, rv);
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len)
{
	CK_RV rv = fault_before(CALL_SignUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_SignUpdate(session, part, part_len);
	return fault_after(CALL_SignUpdate, rv);
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG *signature_len)
{
	CK_RV rv = fault_before(CALL_SignFinal);

	if (rv == CKR_OK)
		rv = fault_real->C_SignFinal(session, signature, signature_len);
	return fault_after(CALL_SignFinal, rv);
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_SignRecoverInit);

	if (rv == CKR_OK)
		rv = fault_real->C_SignRecoverInit(session, mechanism, fault_handle_real(key));
	return fault_after(CALL_SignRecoverInit, rv);
}

CK_RV C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
		    CK_ULONG *signature_len)
{
	CK_RV rv = fault_before(CALL_SignRecover);

	if (rv == CKR_OK)
		rv = fault_real->C_SignRecover(session, data, data_len, signature, signature_len);
	return fault_after(CALL_SignRecover, rv);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_VerifyInit);

	if (rv == CKR_OK)
		rv = fault_real->C_VerifyInit(session, mechanism, fault_handle_real(key));
	return fault_after(CALL_VerifyInit, rv);
}

CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
	       CK_ULONG signature_len)
{
	CK_RV rv = fault_before(CALL_Verify);

	if (rv == CKR_OK)
		rv = fault_real->C_Verify(session, data, data_len, signature, signature_len);
	return fault_after(CALL_Verify, rv);
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len)
{
	CK_RV rv = fault_before(CALL_VerifyUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_VerifyUpdate(session, part, part_len);
	return fault_after(CALL_VerifyUpdate, rv);
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_len)
{
	CK_RV rv = fault_before(CALL_VerifyFinal);

	if (rv == CKR_OK)
		rv = fault_real->C_VerifyFinal(session, signature, signature_len);
	return fault_after(CALL_VerifyFinal, rv);
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_VerifyRecoverInit);

	if (rv == CKR_OK)
		rv = fault_real->C_VerifyRecoverInit(session, mechanism, fault_handle_real(key));
	return fault_after(CALL_VerifyRecoverInit, rv);
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_len,
		      CK_BYTE *data, CK_ULONG *data_len)
{
	CK_RV rv = fault_before(CALL_VerifyRecover);

	if (rv == CKR_OK)
		rv = fault_real->C_VerifyRecover(session, signature, signature_len, data, data_len);
	return fault_after(CALL_VerifyRecover, rv);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len,
			    CK_BYTE *encrypted_part, CK_ULONG *encrypted_part_len)
{
	CK_RV rv = fault_before(CALL_DigestEncryptUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_DigestEncryptUpdate(session, part, part_len, encrypted_part,
						       encrypted_part_len);
	return fault_after(CALL_DigestEncryptUpdate, rv);
}

CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *encrypted_part,
			    CK_ULONG encrypted_part_len, CK_BYTE *part, CK_ULONG *part_len)
{
	CK_RV rv = fault_before(CALL_DecryptDigestUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_DecryptDigestUpdate(session, encrypted_part, encrypted_part_len,
						       part, part_len);
	return fault_after(CALL_DecryptDigestUpdate, rv);
}

CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len,
			  CK_BYTE *encrypted_part, CK_ULONG *encrypted_part_len)
{
	CK_RV rv = fault_before(CALL_SignEncryptUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_SignEncryptUpdate(session, part, part_len, encrypted_part,
						     encrypted_part_len);
	return fault_after(CALL_SignEncryptUpdate, rv);
}

CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *encrypted_part,
			    CK_ULONG encrypted_part_len, CK_BYTE *part, CK_ULONG *part_len)
{
	CK_RV rv = fault_before(CALL_DecryptVerifyUpdate);

	if (rv == CKR_OK)
		rv = fault_real->C_DecryptVerifyUpdate(session, encrypted_part, encrypted_part_len,
						       part, part_len);
	return fault_after(CALL_DecryptVerifyUpdate, rv);
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *tmpl,
		    CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	CK_RV rv = fault_before(CALL_GenerateKey);

	if (rv == CKR_OK)
		rv = fault_real->C_GenerateKey(session, mechanism, tmpl, count, key);
	if (rv == CKR_OK)
		fault_handles_show(session, key, 1);
	return fault_after(CALL_GenerateKey, rv);
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
			CK_ATTRIBUTE *public_tmpl, CK_ULONG public_key_attribute_count,
			CK_ATTRIBUTE *private_tmpl, CK_ULONG private_key_attribute_count,
			CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	CK_RV rv = fault_before(CALL_GenerateKeyPair);

	if (rv == CKR_OK)
		rv = fault_real->C_GenerateKeyPair(
			session, mechanism, public_tmpl, public_key_attribute_count, private_tmpl,
			private_key_attribute_count, public_key, private_key);
	if (rv == CKR_OK) {
		fault_handles_show(session, public_key, 1);
		fault_handles_show(session, private_key, 1);
	}
	return fault_after(CALL_GenerateKeyPair, rv);
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping_key,
		CK_OBJECT_HANDLE key, CK_BYTE *wrapped_key, CK_ULONG *wrapped_key_len)
{
	CK_RV rv = fault_before(CALL_WrapKey);

	if (rv == CKR_OK)
		rv = fault_real->C_WrapKey(session, mechanism, fault_handle_real(wrapping_key),
					   fault_handle_real(key), wrapped_key, wrapped_key_len);
	return fault_after(CALL_WrapKey, rv);
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
		  CK_OBJECT_HANDLE unwrapping_key, CK_BYTE *wrapped_key, CK_ULONG wrapped_key_len,
		  CK_ATTRIBUTE *tmpl, CK_ULONG attribute_count, CK_OBJECT_HANDLE *key)
{
	CK_RV rv = fault_before(CALL_UnwrapKey);

	if (rv == CKR_OK)
		rv = fault_real->C_UnwrapKey(session, mechanism, fault_handle_real(unwrapping_key),
					     wrapped_key, wrapped_key_len, tmpl, attribute_count,
					     key);
	if (rv == CKR_OK)
		fault_handles_show(session, key, 1);
	return fault_after(CALL_UnwrapKey, rv);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base_key,
		  CK_ATTRIBUTE *tmpl, CK_ULONG attribute_count, CK_OBJECT_HANDLE *key)
{
	CK_RV rv = fault_before(CALL_DeriveKey);

	if (rv == CKR_OK)
		rv = fault_real->C_DeriveKey(session, mechanism, fault_handle_real(base_key), tmpl,
					     attribute_count, key);
	if (rv == CKR_OK)
		fault_handles_show(session, key, 1);
	return fault_after(CALL_DeriveKey, rv);
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG seed_len)
{
	CK_RV rv = fault_before(CALL_SeedRandom);

	if (rv == CKR_OK)
		rv = fault_real->C_SeedRandom(session, seed, seed_len);
	return fault_after(CALL_SeedRandom, rv);
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *random_data, CK_ULONG random_len)
{
	CK_RV rv = fault_before(CALL_GenerateRandom);

	if (rv == CKR_OK)
		rv = fault_real->C_GenerateRandom(session, random_data, random_len);
	return fault_after(CALL_GenerateRandom, rv);
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_GetFunctionStatus);

	if (rv == CKR_OK)
		rv = fault_real->C_GetFunctionStatus(session);
	return fault_after(CALL_GetFunctionStatus, rv);
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_CancelFunction);

	if (rv == CKR_OK)
		rv = fault_real->C_CancelFunction(session);
	return fault_after(CALL_CancelFunction, rv);
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	CK_RV rv = fault_before(CALL_WaitForSlotEvent);

	if (rv == CKR_OK)
		rv = fault_real->C_WaitForSlotEvent(flags, slot, reserved);
	return fault_after(CALL_WaitForSlotEvent, rv);
}

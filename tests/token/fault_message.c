/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token: what version 3.0 of the standard added. Like the older functions; what the real
 * module's list lacks is not supported. */
#include "tests/token/fault.h"

CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR *pin,
		  CK_ULONG pin_len, CK_UTF8CHAR *username, CK_ULONG username_len)
{
	CK_RV rv = fault_before(CALL_LoginUser);

	if (rv == CKR_OK)
		rv = fault_real_3->C_LoginUser
			     ? fault_real_3->C_LoginUser(session, user_type, pin, pin_len, username,
							 username_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_LoginUser, rv);
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
	CK_RV rv = fault_before(CALL_SessionCancel);

	if (rv == CKR_OK)
		rv = fault_real_3->C_SessionCancel ? fault_real_3->C_SessionCancel(session, flags)
						   : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_SessionCancel, rv);
}

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_MessageEncryptInit);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageEncryptInit
			     ? fault_real_3->C_MessageEncryptInit(session, mechanism,
								  fault_handle_real(key))
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageEncryptInit, rv);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		       CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	CK_RV rv = fault_before(CALL_EncryptMessage);

	if (rv == CKR_OK)
		rv = fault_real_3->C_EncryptMessage
			     ? fault_real_3->C_EncryptMessage(session, param, param_len, aad,
							      aad_len, in, in_len, out, out_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_EncryptMessage, rv);
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
			    CK_BYTE *aad, CK_ULONG aad_len)
{
	CK_RV rv = fault_before(CALL_EncryptMessageBegin);

	if (rv == CKR_OK)
		rv = fault_real_3->C_EncryptMessageBegin
			     ? fault_real_3->C_EncryptMessageBegin(session, param, param_len, aad,
								   aad_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_EncryptMessageBegin, rv);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	CK_RV rv = fault_before(CALL_EncryptMessageNext);

	if (rv == CKR_OK)
		rv = fault_real_3->C_EncryptMessageNext
			     ? fault_real_3->C_EncryptMessageNext(session, param, param_len, in,
								  in_len, out, out_len, flags)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_EncryptMessageNext, rv);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_MessageEncryptFinal);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageEncryptFinal
			     ? fault_real_3->C_MessageEncryptFinal(session)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageEncryptFinal, rv);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_MessageDecryptInit);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageDecryptInit
			     ? fault_real_3->C_MessageDecryptInit(session, mechanism,
								  fault_handle_real(key))
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageDecryptInit, rv);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		       CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	CK_RV rv = fault_before(CALL_DecryptMessage);

	if (rv == CKR_OK)
		rv = fault_real_3->C_DecryptMessage
			     ? fault_real_3->C_DecryptMessage(session, param, param_len, aad,
							      aad_len, in, in_len, out, out_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_DecryptMessage, rv);
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
			    CK_BYTE *aad, CK_ULONG aad_len)
{
	CK_RV rv = fault_before(CALL_DecryptMessageBegin);

	if (rv == CKR_OK)
		rv = fault_real_3->C_DecryptMessageBegin
			     ? fault_real_3->C_DecryptMessageBegin(session, param, param_len, aad,
								   aad_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_DecryptMessageBegin, rv);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	CK_RV rv = fault_before(CALL_DecryptMessageNext);

	if (rv == CKR_OK)
		rv = fault_real_3->C_DecryptMessageNext
			     ? fault_real_3->C_DecryptMessageNext(session, param, param_len, in,
								  in_len, out, out_len, flags)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_DecryptMessageNext, rv);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_MessageDecryptFinal);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageDecryptFinal
			     ? fault_real_3->C_MessageDecryptFinal(session)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageDecryptFinal, rv);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_MessageSignInit);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageSignInit
			     ? fault_real_3->C_MessageSignInit(session, mechanism,
							       fault_handle_real(key))
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageSignInit, rv);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
		    CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
	CK_RV rv = fault_before(CALL_SignMessage);

	if (rv == CKR_OK)
		rv = fault_real_3->C_SignMessage
			     ? fault_real_3->C_SignMessage(session, param, param_len, data,
							   data_len, signature, signature_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_SignMessage, rv);
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	CK_RV rv = fault_before(CALL_SignMessageBegin);

	if (rv == CKR_OK)
		rv = fault_real_3->C_SignMessageBegin
			     ? fault_real_3->C_SignMessageBegin(session, param, param_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_SignMessageBegin, rv);
}

CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
			CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
	CK_RV rv = fault_before(CALL_SignMessageNext);

	if (rv == CKR_OK)
		rv = fault_real_3->C_SignMessageNext
			     ? fault_real_3->C_SignMessageNext(session, param, param_len, data,
							       data_len, signature, signature_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_SignMessageNext, rv);
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_MessageSignFinal);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageSignFinal ? fault_real_3->C_MessageSignFinal(session)
						      : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageSignFinal, rv);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_before(CALL_MessageVerifyInit);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageVerifyInit
			     ? fault_real_3->C_MessageVerifyInit(session, mechanism,
								 fault_handle_real(key))
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageVerifyInit, rv);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
		      CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	CK_RV rv = fault_before(CALL_VerifyMessage);

	if (rv == CKR_OK)
		rv = fault_real_3->C_VerifyMessage
			     ? fault_real_3->C_VerifyMessage(session, param, param_len, data,
							     data_len, signature, signature_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_VerifyMessage, rv);
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	CK_RV rv = fault_before(CALL_VerifyMessageBegin);

	if (rv == CKR_OK)
		rv = fault_real_3->C_VerifyMessageBegin
			     ? fault_real_3->C_VerifyMessageBegin(session, param, param_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_VerifyMessageBegin, rv);
}

CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
			  CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	CK_RV rv = fault_before(CALL_VerifyMessageNext);

	if (rv == CKR_OK)
		rv = fault_real_3->C_VerifyMessageNext
			     ? fault_real_3->C_VerifyMessageNext(session, param, param_len, data,
								 data_len, signature, signature_len)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_VerifyMessageNext, rv);
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session)
{
	CK_RV rv = fault_before(CALL_MessageVerifyFinal);

	if (rv == CKR_OK)
		rv = fault_real_3->C_MessageVerifyFinal
			     ? fault_real_3->C_MessageVerifyFinal(session)
			     : CKR_FUNCTION_NOT_SUPPORTED;
	return fault_after(CALL_MessageVerifyFinal, rv);
}

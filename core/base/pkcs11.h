/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptoki's types and numbers: p11-kit's header (2.40), and what later versions of the standard
 * add.
 *
 * Numbers that p11-kit's header lacks are in pkcs11_numbers.h and pkcs11_mechanisms.h, structures
 * of mechanism parameters in pkcs11_params.h; this file has the interfaces and functions of 3.0. */
#ifndef HSMUX_CORE_BASE_PKCS11_H
#define HSMUX_CORE_BASE_PKCS11_H

#include <p11-kit/pkcs11.h>

/* p11-kit's header leaves these everyday words behind as macros. */
#undef hash_alg
#undef s_len
#undef source_data
#undef source_data_len
#undef counter_bits
#undef iv_ptr
#undef iv_len
#undef iv_bits
#undef aad_ptr
#undef aad_len
#undef tag_bits
#undef shared_data_len
#undef shared_data
#undef public_data_len
#undef public_data
#undef string_data
#undef string_data_len
#undef data_params
#undef ck_rsa_pkcs_mgf_type_t
#undef ck_rsa_pkcs_oaep_source_type_t

#include "core/base/pkcs11_numbers.h"
#include "core/base/pkcs11_params.h"

#if CRYPTOKI_VERSION_MAJOR < 3

/* One entry of C_GetInterfaceList. */
struct CK_INTERFACE {
	CK_UTF8CHAR *pInterfaceName;
	void *pFunctionList;
	CK_FLAGS flags;
};

typedef struct CK_INTERFACE CK_INTERFACE;
typedef struct CK_INTERFACE *CK_INTERFACE_PTR;
typedef struct CK_INTERFACE **CK_INTERFACE_PTR_PTR;

/* Declares the function and its pointer type CK_<name>. */
#define HSMUX_CK_FUNCTION(name, args)                                                              \
	typedef CK_RV(*CK_##name) args;                                                            \
	CK_RV name args

HSMUX_CK_FUNCTION(C_GetInterfaceList, (CK_INTERFACE * list, CK_ULONG *count));
HSMUX_CK_FUNCTION(C_GetInterface, (CK_UTF8CHAR * name, CK_VERSION *version,
				   CK_INTERFACE **interface, CK_FLAGS flags));
HSMUX_CK_FUNCTION(C_LoginUser, (CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR *pin,
				CK_ULONG pin_len, CK_UTF8CHAR *username, CK_ULONG username_len));
HSMUX_CK_FUNCTION(C_SessionCancel, (CK_SESSION_HANDLE session, CK_FLAGS flags));

HSMUX_CK_FUNCTION(C_MessageEncryptInit,
		  (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key));
HSMUX_CK_FUNCTION(C_EncryptMessage, (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
				     CK_BYTE *aad, CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len,
				     CK_BYTE *out, CK_ULONG *out_len));
HSMUX_CK_FUNCTION(C_EncryptMessageBegin, (CK_SESSION_HANDLE session, void *param,
					  CK_ULONG param_len, CK_BYTE *aad, CK_ULONG aad_len));
HSMUX_CK_FUNCTION(C_EncryptMessageNext,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
		   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags));
HSMUX_CK_FUNCTION(C_MessageEncryptFinal, (CK_SESSION_HANDLE session));

HSMUX_CK_FUNCTION(C_MessageDecryptInit,
		  (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key));
HSMUX_CK_FUNCTION(C_DecryptMessage, (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
				     CK_BYTE *aad, CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len,
				     CK_BYTE *out, CK_ULONG *out_len));
HSMUX_CK_FUNCTION(C_DecryptMessageBegin, (CK_SESSION_HANDLE session, void *param,
					  CK_ULONG param_len, CK_BYTE *aad, CK_ULONG aad_len));
HSMUX_CK_FUNCTION(C_DecryptMessageNext,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
		   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags));
HSMUX_CK_FUNCTION(C_MessageDecryptFinal, (CK_SESSION_HANDLE session));

HSMUX_CK_FUNCTION(C_MessageSignInit,
		  (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key));
HSMUX_CK_FUNCTION(C_SignMessage,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
		   CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len));
HSMUX_CK_FUNCTION(C_SignMessageBegin, (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len));
HSMUX_CK_FUNCTION(C_SignMessageNext,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
		   CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len));
HSMUX_CK_FUNCTION(C_MessageSignFinal, (CK_SESSION_HANDLE session));

HSMUX_CK_FUNCTION(C_MessageVerifyInit,
		  (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key));
HSMUX_CK_FUNCTION(C_VerifyMessage,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
		   CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len));
HSMUX_CK_FUNCTION(C_VerifyMessageBegin,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len));
HSMUX_CK_FUNCTION(C_VerifyMessageNext,
		  (CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *data,
		   CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len));
HSMUX_CK_FUNCTION(C_MessageVerifyFinal, (CK_SESSION_HANDLE session));

#undef HSMUX_CK_FUNCTION

/* Version 3.0 and 3.1: the 68 functions of 2.40 in their old places, then 24 more. */
struct CK_FUNCTION_LIST_3_0 {
	CK_VERSION version;
	CK_C_Initialize C_Initialize;
	CK_C_Finalize C_Finalize;
	CK_C_GetInfo C_GetInfo;
	CK_C_GetFunctionList C_GetFunctionList;
	CK_C_GetSlotList C_GetSlotList;
	CK_C_GetSlotInfo C_GetSlotInfo;
	CK_C_GetTokenInfo C_GetTokenInfo;
	CK_C_GetMechanismList C_GetMechanismList;
	CK_C_GetMechanismInfo C_GetMechanismInfo;
	CK_C_InitToken C_InitToken;
	CK_C_InitPIN C_InitPIN;
	CK_C_SetPIN C_SetPIN;
	CK_C_OpenSession C_OpenSession;
	CK_C_CloseSession C_CloseSession;
	CK_C_CloseAllSessions C_CloseAllSessions;
	CK_C_GetSessionInfo C_GetSessionInfo;
	CK_C_GetOperationState C_GetOperationState;
	CK_C_SetOperationState C_SetOperationState;
	CK_C_Login C_Login;
	CK_C_Logout C_Logout;
	CK_C_CreateObject C_CreateObject;
	CK_C_CopyObject C_CopyObject;
	CK_C_DestroyObject C_DestroyObject;
	CK_C_GetObjectSize C_GetObjectSize;
	CK_C_GetAttributeValue C_GetAttributeValue;
	CK_C_SetAttributeValue C_SetAttributeValue;
	CK_C_FindObjectsInit C_FindObjectsInit;
	CK_C_FindObjects C_FindObjects;
	CK_C_FindObjectsFinal C_FindObjectsFinal;
	CK_C_EncryptInit C_EncryptInit;
	CK_C_Encrypt C_Encrypt;
	CK_C_EncryptUpdate C_EncryptUpdate;
	CK_C_EncryptFinal C_EncryptFinal;
	CK_C_DecryptInit C_DecryptInit;
	CK_C_Decrypt C_Decrypt;
	CK_C_DecryptUpdate C_DecryptUpdate;
	CK_C_DecryptFinal C_DecryptFinal;
	CK_C_DigestInit C_DigestInit;
	CK_C_Digest C_Digest;
	CK_C_DigestUpdate C_DigestUpdate;
	CK_C_DigestKey C_DigestKey;
	CK_C_DigestFinal C_DigestFinal;
	CK_C_SignInit C_SignInit;
	CK_C_Sign C_Sign;
	CK_C_SignUpdate C_SignUpdate;
	CK_C_SignFinal C_SignFinal;
	CK_C_SignRecoverInit C_SignRecoverInit;
	CK_C_SignRecover C_SignRecover;
	CK_C_VerifyInit C_VerifyInit;
	CK_C_Verify C_Verify;
	CK_C_VerifyUpdate C_VerifyUpdate;
	CK_C_VerifyFinal C_VerifyFinal;
	CK_C_VerifyRecoverInit C_VerifyRecoverInit;
	CK_C_VerifyRecover C_VerifyRecover;
	CK_C_DigestEncryptUpdate C_DigestEncryptUpdate;
	CK_C_DecryptDigestUpdate C_DecryptDigestUpdate;
	CK_C_SignEncryptUpdate C_SignEncryptUpdate;
	CK_C_DecryptVerifyUpdate C_DecryptVerifyUpdate;
	CK_C_GenerateKey C_GenerateKey;
	CK_C_GenerateKeyPair C_GenerateKeyPair;
	CK_C_WrapKey C_WrapKey;
	CK_C_UnwrapKey C_UnwrapKey;
	CK_C_DeriveKey C_DeriveKey;
	CK_C_SeedRandom C_SeedRandom;
	CK_C_GenerateRandom C_GenerateRandom;
	CK_C_GetFunctionStatus C_GetFunctionStatus;
	CK_C_CancelFunction C_CancelFunction;
	CK_C_WaitForSlotEvent C_WaitForSlotEvent;
	CK_C_GetInterfaceList C_GetInterfaceList;
	CK_C_GetInterface C_GetInterface;
	CK_C_LoginUser C_LoginUser;
	CK_C_SessionCancel C_SessionCancel;
	CK_C_MessageEncryptInit C_MessageEncryptInit;
	CK_C_EncryptMessage C_EncryptMessage;
	CK_C_EncryptMessageBegin C_EncryptMessageBegin;
	CK_C_EncryptMessageNext C_EncryptMessageNext;
	CK_C_MessageEncryptFinal C_MessageEncryptFinal;
	CK_C_MessageDecryptInit C_MessageDecryptInit;
	CK_C_DecryptMessage C_DecryptMessage;
	CK_C_DecryptMessageBegin C_DecryptMessageBegin;
	CK_C_DecryptMessageNext C_DecryptMessageNext;
	CK_C_MessageDecryptFinal C_MessageDecryptFinal;
	CK_C_MessageSignInit C_MessageSignInit;
	CK_C_SignMessage C_SignMessage;
	CK_C_SignMessageBegin C_SignMessageBegin;
	CK_C_SignMessageNext C_SignMessageNext;
	CK_C_MessageSignFinal C_MessageSignFinal;
	CK_C_MessageVerifyInit C_MessageVerifyInit;
	CK_C_VerifyMessage C_VerifyMessage;
	CK_C_VerifyMessageBegin C_VerifyMessageBegin;
	CK_C_VerifyMessageNext C_VerifyMessageNext;
	CK_C_MessageVerifyFinal C_MessageVerifyFinal;
};

typedef struct CK_FUNCTION_LIST_3_0 CK_FUNCTION_LIST_3_0;
typedef struct CK_FUNCTION_LIST_3_0 *CK_FUNCTION_LIST_3_0_PTR;
typedef struct CK_FUNCTION_LIST_3_0 **CK_FUNCTION_LIST_3_0_PTR_PTR;

#endif
#endif

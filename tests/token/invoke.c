/* SPDX-License-Identifier: BSD-2-Clause */
/* Any of the 92 functions with arguments from an array: what a table test and a fuzzer need.
 *
 * invoke_arguments says what each argument is, so that both know which ones are handles, lengths
 * and pointers; the switch below is checked by the compiler against the prototypes. */
#include "tests/token/invoke.h"

const char *const invoke_arguments[CALL_COUNT] = {
	[CALL_Initialize] = "a",
	[CALL_Finalize] = "a",
	[CALL_GetInfo] = "r",
	[CALL_GetFunctionList] = "r",
	[CALL_GetSlotList] = "BcL",
	[CALL_GetSlotInfo] = "Sr",
	[CALL_GetTokenInfo] = "Sr",
	[CALL_GetMechanismList] = "ScL",
	[CALL_GetMechanismInfo] = "SMr",
	[CALL_InitToken] = "SPlq",
	[CALL_InitPIN] = "sPl",
	[CALL_SetPIN] = "sPlPl",
	[CALL_OpenSession] = "Sfaar",
	[CALL_CloseSession] = "s",
	[CALL_CloseAllSessions] = "S",
	[CALL_GetSessionInfo] = "sr",
	[CALL_GetOperationState] = "sbL",
	[CALL_SetOperationState] = "silzz",
	[CALL_Login] = "sUPl",
	[CALL_Logout] = "s",
	[CALL_CreateObject] = "stnr",
	[CALL_CopyObject] = "sotnr",
	[CALL_DestroyObject] = "so",
	[CALL_GetObjectSize] = "sor",
	[CALL_GetAttributeValue] = "sotn",
	[CALL_SetAttributeValue] = "sotn",
	[CALL_FindObjectsInit] = "stn",
	[CALL_FindObjects] = "srNr",
	[CALL_FindObjectsFinal] = "s",
	[CALL_EncryptInit] = "smk",
	[CALL_Encrypt] = "silbL",
	[CALL_EncryptUpdate] = "silbL",
	[CALL_EncryptFinal] = "sbL",
	[CALL_DecryptInit] = "smk",
	[CALL_Decrypt] = "silbL",
	[CALL_DecryptUpdate] = "silbL",
	[CALL_DecryptFinal] = "sbL",
	[CALL_DigestInit] = "sm",
	[CALL_Digest] = "silbL",
	[CALL_DigestUpdate] = "sil",
	[CALL_DigestKey] = "sk",
	[CALL_DigestFinal] = "sbL",
	[CALL_SignInit] = "smk",
	[CALL_Sign] = "silbL",
	[CALL_SignUpdate] = "sil",
	[CALL_SignFinal] = "sbL",
	[CALL_SignRecoverInit] = "smk",
	[CALL_SignRecover] = "silbL",
	[CALL_VerifyInit] = "smk",
	[CALL_Verify] = "silgG",
	[CALL_VerifyUpdate] = "sil",
	[CALL_VerifyFinal] = "sgG",
	[CALL_VerifyRecoverInit] = "smk",
	[CALL_VerifyRecover] = "sgGbL",
	[CALL_DigestEncryptUpdate] = "silbL",
	[CALL_DecryptDigestUpdate] = "silbL",
	[CALL_SignEncryptUpdate] = "silbL",
	[CALL_DecryptVerifyUpdate] = "silbL",
	[CALL_GenerateKey] = "smtnr",
	[CALL_GenerateKeyPair] = "smtntnrr",
	[CALL_WrapKey] = "smwkbL",
	[CALL_UnwrapKey] = "smuiltnr",
	[CALL_DeriveKey] = "smktnd",
	[CALL_SeedRandom] = "sil",
	[CALL_GenerateRandom] = "sRl",
	[CALL_GetFunctionStatus] = "s",
	[CALL_CancelFunction] = "s",
	[CALL_WaitForSlotEvent] = "fra",
	[CALL_GetInterfaceList] = "cL",
	[CALL_GetInterface] = "eerf",
	[CALL_LoginUser] = "sUPlPl",
	[CALL_SessionCancel] = "sf",
	[CALL_MessageEncryptInit] = "smk",
	[CALL_EncryptMessage] = "sxyililbL",
	[CALL_EncryptMessageBegin] = "sxyil",
	[CALL_EncryptMessageNext] = "sxyilbLf",
	[CALL_MessageEncryptFinal] = "s",
	[CALL_MessageDecryptInit] = "smk",
	[CALL_DecryptMessage] = "sxyililbL",
	[CALL_DecryptMessageBegin] = "sxyil",
	[CALL_DecryptMessageNext] = "sxyilbLf",
	[CALL_MessageDecryptFinal] = "s",
	[CALL_MessageSignInit] = "smk",
	[CALL_SignMessage] = "sxyilbL",
	[CALL_SignMessageBegin] = "sxy",
	[CALL_SignMessageNext] = "sxyilbL",
	[CALL_MessageSignFinal] = "s",
	[CALL_MessageVerifyInit] = "smk",
	[CALL_VerifyMessage] = "sxyilgG",
	[CALL_VerifyMessageBegin] = "sxy",
	[CALL_VerifyMessageNext] = "sxyilgG",
	[CALL_MessageVerifyFinal] = "s",
};

const char *const invoke_names[CALL_COUNT] = {TOKEN_CALLS(TOKEN_CALL_NAME)};

/* Entries 0 to 19 of the list: a flat switch, one line a function. */
static CK_RV general(CK_FUNCTION_LIST *f, enum token_call call, const union argument *a)
{
	switch ((unsigned)call) {
	case CALL_Initialize:
		return f->C_Initialize(a[0].p);
	case CALL_Finalize:
		return f->C_Finalize(a[0].p);
	case CALL_GetInfo:
		return f->C_GetInfo(a[0].p);
	case CALL_GetFunctionList:
		return f->C_GetFunctionList(a[0].p);
	case CALL_GetSlotList:
		return f->C_GetSlotList((CK_BBOOL)a[0].n, a[1].p, a[2].p);
	case CALL_GetSlotInfo:
		return f->C_GetSlotInfo(a[0].n, a[1].p);
	case CALL_GetTokenInfo:
		return f->C_GetTokenInfo(a[0].n, a[1].p);
	case CALL_GetMechanismList:
		return f->C_GetMechanismList(a[0].n, a[1].p, a[2].p);
	case CALL_GetMechanismInfo:
		return f->C_GetMechanismInfo(a[0].n, a[1].n, a[2].p);
	case CALL_InitToken:
		return f->C_InitToken(a[0].n, a[1].p, a[2].n, a[3].p);
	case CALL_InitPIN:
		return f->C_InitPIN(a[0].n, a[1].p, a[2].n);
	case CALL_SetPIN:
		return f->C_SetPIN(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n);
	case CALL_OpenSession:
		return f->C_OpenSession(a[0].n, a[1].n, a[2].p, NULL, a[4].p);
	case CALL_CloseSession:
		return f->C_CloseSession(a[0].n);
	case CALL_CloseAllSessions:
		return f->C_CloseAllSessions(a[0].n);
	case CALL_GetSessionInfo:
		return f->C_GetSessionInfo(a[0].n, a[1].p);
	case CALL_GetOperationState:
		return f->C_GetOperationState(a[0].n, a[1].p, a[2].p);
	case CALL_SetOperationState:
		return f->C_SetOperationState(a[0].n, a[1].p, a[2].n, a[3].n, a[4].n);
	case CALL_Login:
		return f->C_Login(a[0].n, a[1].n, a[2].p, a[3].n);
	case CALL_Logout:
		return f->C_Logout(a[0].n);
	default:
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
}

/* Entries 20 to 41 of the list: a flat switch, one line a function. */
static CK_RV object_or_cipher(CK_FUNCTION_LIST *f, enum token_call call, const union argument *a)
{
	switch ((unsigned)call) {
	case CALL_CreateObject:
		return f->C_CreateObject(a[0].n, a[1].p, a[2].n, a[3].p);
	case CALL_CopyObject:
		return f->C_CopyObject(a[0].n, a[1].n, a[2].p, a[3].n, a[4].p);
	case CALL_DestroyObject:
		return f->C_DestroyObject(a[0].n, a[1].n);
	case CALL_GetObjectSize:
		return f->C_GetObjectSize(a[0].n, a[1].n, a[2].p);
	case CALL_GetAttributeValue:
		return f->C_GetAttributeValue(a[0].n, a[1].n, a[2].p, a[3].n);
	case CALL_SetAttributeValue:
		return f->C_SetAttributeValue(a[0].n, a[1].n, a[2].p, a[3].n);
	case CALL_FindObjectsInit:
		return f->C_FindObjectsInit(a[0].n, a[1].p, a[2].n);
	case CALL_FindObjects:
		return f->C_FindObjects(a[0].n, a[1].p, a[2].n, a[3].p);
	case CALL_FindObjectsFinal:
		return f->C_FindObjectsFinal(a[0].n);
	case CALL_EncryptInit:
		return f->C_EncryptInit(a[0].n, a[1].p, a[2].n);
	case CALL_Encrypt:
		return f->C_Encrypt(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_EncryptUpdate:
		return f->C_EncryptUpdate(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_EncryptFinal:
		return f->C_EncryptFinal(a[0].n, a[1].p, a[2].p);
	case CALL_DecryptInit:
		return f->C_DecryptInit(a[0].n, a[1].p, a[2].n);
	case CALL_Decrypt:
		return f->C_Decrypt(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_DecryptUpdate:
		return f->C_DecryptUpdate(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_DecryptFinal:
		return f->C_DecryptFinal(a[0].n, a[1].p, a[2].p);
	case CALL_DigestInit:
		return f->C_DigestInit(a[0].n, a[1].p);
	case CALL_Digest:
		return f->C_Digest(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_DigestUpdate:
		return f->C_DigestUpdate(a[0].n, a[1].p, a[2].n);
	case CALL_DigestKey:
		return f->C_DigestKey(a[0].n, a[1].n);
	case CALL_DigestFinal:
		return f->C_DigestFinal(a[0].n, a[1].p, a[2].p);
	default:
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
}

/* Entries 42 to 67 of the list: a flat switch, one line a function. */
static CK_RV sign(CK_FUNCTION_LIST *f, enum token_call call, const union argument *a)
{
	switch ((unsigned)call) {
	case CALL_SignInit:
		return f->C_SignInit(a[0].n, a[1].p, a[2].n);
	case CALL_Sign:
		return f->C_Sign(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_SignUpdate:
		return f->C_SignUpdate(a[0].n, a[1].p, a[2].n);
	case CALL_SignFinal:
		return f->C_SignFinal(a[0].n, a[1].p, a[2].p);
	case CALL_SignRecoverInit:
		return f->C_SignRecoverInit(a[0].n, a[1].p, a[2].n);
	case CALL_SignRecover:
		return f->C_SignRecover(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_VerifyInit:
		return f->C_VerifyInit(a[0].n, a[1].p, a[2].n);
	case CALL_Verify:
		return f->C_Verify(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n);
	case CALL_VerifyUpdate:
		return f->C_VerifyUpdate(a[0].n, a[1].p, a[2].n);
	case CALL_VerifyFinal:
		return f->C_VerifyFinal(a[0].n, a[1].p, a[2].n);
	case CALL_VerifyRecoverInit:
		return f->C_VerifyRecoverInit(a[0].n, a[1].p, a[2].n);
	case CALL_VerifyRecover:
		return f->C_VerifyRecover(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_DigestEncryptUpdate:
		return f->C_DigestEncryptUpdate(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_DecryptDigestUpdate:
		return f->C_DecryptDigestUpdate(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_SignEncryptUpdate:
		return f->C_SignEncryptUpdate(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_DecryptVerifyUpdate:
		return f->C_DecryptVerifyUpdate(a[0].n, a[1].p, a[2].n, a[3].p, a[4].p);
	case CALL_GenerateKey:
		return f->C_GenerateKey(a[0].n, a[1].p, a[2].p, a[3].n, a[4].p);
	case CALL_GenerateKeyPair:
		return f->C_GenerateKeyPair(a[0].n, a[1].p, a[2].p, a[3].n, a[4].p, a[5].n, a[6].p,
					    a[7].p);
	case CALL_WrapKey:
		return f->C_WrapKey(a[0].n, a[1].p, a[2].n, a[3].n, a[4].p, a[5].p);
	case CALL_UnwrapKey:
		return f->C_UnwrapKey(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p, a[6].n,
				      a[7].p);
	case CALL_DeriveKey:
		return f->C_DeriveKey(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p);
	case CALL_SeedRandom:
		return f->C_SeedRandom(a[0].n, a[1].p, a[2].n);
	case CALL_GenerateRandom:
		return f->C_GenerateRandom(a[0].n, a[1].p, a[2].n);
	case CALL_GetFunctionStatus:
		return f->C_GetFunctionStatus(a[0].n);
	case CALL_CancelFunction:
		return f->C_CancelFunction(a[0].n);
	case CALL_WaitForSlotEvent:
		return f->C_WaitForSlotEvent(a[0].n, a[1].p, a[2].p);
	default:
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
}

/* Entries 68 to 91 of the list: a flat switch, one line a function. */
static CK_RV message(CK_FUNCTION_LIST_3_0 *f3, enum token_call call, const union argument *a)
{
	switch ((unsigned)call) {
	case CALL_GetInterfaceList:
		return f3->C_GetInterfaceList(a[0].p, a[1].p);
	case CALL_GetInterface:
		return f3->C_GetInterface(a[0].p, a[1].p, a[2].p, a[3].n);
	case CALL_LoginUser:
		return f3->C_LoginUser(a[0].n, a[1].n, a[2].p, a[3].n, a[4].p, a[5].n);
	case CALL_SessionCancel:
		return f3->C_SessionCancel(a[0].n, a[1].n);
	case CALL_MessageEncryptInit:
		return f3->C_MessageEncryptInit(a[0].n, a[1].p, a[2].n);
	case CALL_EncryptMessage:
		return f3->C_EncryptMessage(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p, a[6].n,
					    a[7].p, a[8].p);
	case CALL_EncryptMessageBegin:
		return f3->C_EncryptMessageBegin(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n);
	case CALL_EncryptMessageNext:
		return f3->C_EncryptMessageNext(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p,
						a[6].p, a[7].n);
	case CALL_MessageEncryptFinal:
		return f3->C_MessageEncryptFinal(a[0].n);
	case CALL_MessageDecryptInit:
		return f3->C_MessageDecryptInit(a[0].n, a[1].p, a[2].n);
	case CALL_DecryptMessage:
		return f3->C_DecryptMessage(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p, a[6].n,
					    a[7].p, a[8].p);
	case CALL_DecryptMessageBegin:
		return f3->C_DecryptMessageBegin(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n);
	case CALL_DecryptMessageNext:
		return f3->C_DecryptMessageNext(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p,
						a[6].p, a[7].n);
	case CALL_MessageDecryptFinal:
		return f3->C_MessageDecryptFinal(a[0].n);
	case CALL_MessageSignInit:
		return f3->C_MessageSignInit(a[0].n, a[1].p, a[2].n);
	case CALL_SignMessage:
		return f3->C_SignMessage(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p, a[6].p);
	case CALL_SignMessageBegin:
		return f3->C_SignMessageBegin(a[0].n, a[1].p, a[2].n);
	case CALL_SignMessageNext:
		return f3->C_SignMessageNext(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p,
					     a[6].p);
	case CALL_MessageSignFinal:
		return f3->C_MessageSignFinal(a[0].n);
	case CALL_MessageVerifyInit:
		return f3->C_MessageVerifyInit(a[0].n, a[1].p, a[2].n);
	case CALL_VerifyMessage:
		return f3->C_VerifyMessage(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p, a[6].n);
	case CALL_VerifyMessageBegin:
		return f3->C_VerifyMessageBegin(a[0].n, a[1].p, a[2].n);
	case CALL_VerifyMessageNext:
		return f3->C_VerifyMessageNext(a[0].n, a[1].p, a[2].n, a[3].p, a[4].n, a[5].p,
					       a[6].n);
	case CALL_MessageVerifyFinal:
		return f3->C_MessageVerifyFinal(a[0].n);
	default:
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
}

CK_RV invoke(const struct loaded *m, enum token_call call, const union argument *a)
{
	if (call <= CALL_Logout)
		return general(m->f, call, a);
	if (call <= CALL_DigestFinal)
		return object_or_cipher(m->f, call, a);
	if (call < (enum token_call)CALL_COUNT_2_40)
		return sign(m->f, call, a);
	return m->f3 ? message(m->f3, call, a) : CKR_FUNCTION_NOT_SUPPORTED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The 92 functions of CK_FUNCTION_LIST_3_0 in list order; the first 68 are CK_FUNCTION_LIST. */
#ifndef HSMUX_TESTS_TOKEN_CALLS_H
#define HSMUX_TESTS_TOKEN_CALLS_H

#define TOKEN_CALLS(X)                                                                             \
	X(Initialize)                                                                              \
	X(Finalize)                                                                                \
	X(GetInfo)                                                                                 \
	X(GetFunctionList)                                                                         \
	X(GetSlotList)                                                                             \
	X(GetSlotInfo)                                                                             \
	X(GetTokenInfo)                                                                            \
	X(GetMechanismList)                                                                        \
	X(GetMechanismInfo)                                                                        \
	X(InitToken)                                                                               \
	X(InitPIN)                                                                                 \
	X(SetPIN)                                                                                  \
	X(OpenSession)                                                                             \
	X(CloseSession)                                                                            \
	X(CloseAllSessions)                                                                        \
	X(GetSessionInfo)                                                                          \
	X(GetOperationState)                                                                       \
	X(SetOperationState)                                                                       \
	X(Login)                                                                                   \
	X(Logout)                                                                                  \
	X(CreateObject)                                                                            \
	X(CopyObject)                                                                              \
	X(DestroyObject)                                                                           \
	X(GetObjectSize)                                                                           \
	X(GetAttributeValue)                                                                       \
	X(SetAttributeValue)                                                                       \
	X(FindObjectsInit)                                                                         \
	X(FindObjects)                                                                             \
	X(FindObjectsFinal)                                                                        \
	X(EncryptInit)                                                                             \
	X(Encrypt)                                                                                 \
	X(EncryptUpdate)                                                                           \
	X(EncryptFinal)                                                                            \
	X(DecryptInit)                                                                             \
	X(Decrypt)                                                                                 \
	X(DecryptUpdate)                                                                           \
	X(DecryptFinal)                                                                            \
	X(DigestInit)                                                                              \
	X(Digest)                                                                                  \
	X(DigestUpdate)                                                                            \
	X(DigestKey)                                                                               \
	X(DigestFinal)                                                                             \
	X(SignInit)                                                                                \
	X(Sign)                                                                                    \
	X(SignUpdate)                                                                              \
	X(SignFinal)                                                                               \
	X(SignRecoverInit)                                                                         \
	X(SignRecover)                                                                             \
	X(VerifyInit)                                                                              \
	X(Verify)                                                                                  \
	X(VerifyUpdate)                                                                            \
	X(VerifyFinal)                                                                             \
	X(VerifyRecoverInit)                                                                       \
	X(VerifyRecover)                                                                           \
	X(DigestEncryptUpdate)                                                                     \
	X(DecryptDigestUpdate)                                                                     \
	X(SignEncryptUpdate)                                                                       \
	X(DecryptVerifyUpdate)                                                                     \
	X(GenerateKey)                                                                             \
	X(GenerateKeyPair)                                                                         \
	X(WrapKey)                                                                                 \
	X(UnwrapKey)                                                                               \
	X(DeriveKey)                                                                               \
	X(SeedRandom)                                                                              \
	X(GenerateRandom)                                                                          \
	X(GetFunctionStatus)                                                                       \
	X(CancelFunction)                                                                          \
	X(WaitForSlotEvent)                                                                        \
	X(GetInterfaceList)                                                                        \
	X(GetInterface)                                                                            \
	X(LoginUser)                                                                               \
	X(SessionCancel)                                                                           \
	X(MessageEncryptInit)                                                                      \
	X(EncryptMessage)                                                                          \
	X(EncryptMessageBegin)                                                                     \
	X(EncryptMessageNext)                                                                      \
	X(MessageEncryptFinal)                                                                     \
	X(MessageDecryptInit)                                                                      \
	X(DecryptMessage)                                                                          \
	X(DecryptMessageBegin)                                                                     \
	X(DecryptMessageNext)                                                                      \
	X(MessageDecryptFinal)                                                                     \
	X(MessageSignInit)                                                                         \
	X(SignMessage)                                                                             \
	X(SignMessageBegin)                                                                        \
	X(SignMessageNext)                                                                         \
	X(MessageSignFinal)                                                                        \
	X(MessageVerifyInit)                                                                       \
	X(VerifyMessage)                                                                           \
	X(VerifyMessageBegin)                                                                      \
	X(VerifyMessageNext)                                                                       \
	X(MessageVerifyFinal)

#define TOKEN_CALL_ENUM(name) CALL_##name,
#define TOKEN_CALL_NAME(name) "C_" #name,

enum token_call { TOKEN_CALLS(TOKEN_CALL_ENUM) CALL_COUNT };

#define CALL_COUNT_2_40 68

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-based encryption and signing: PKCS#11 3.0, "Message-based encryption functions" and the
 * three chapters like it. Each entry names its call and packs its arguments; what is allowed when
 * is known to core/message.c. */
#include "core/message.h"

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return msg_init(CALL_C_MessageEncryptInit, OP_MESSAGE_ENCRYPT, session, mech, key);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		       CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.aad = aad,
		.aad_len = aad_len,
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
	};

	return msg_step(CALL_C_EncryptMessage, OP_MESSAGE_ENCRYPT, MSG_WHOLE, session, &io);
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
			    CK_BYTE *aad, CK_ULONG aad_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.aad = aad,
		.aad_len = aad_len,
	};

	return msg_step(CALL_C_EncryptMessageBegin, OP_MESSAGE_ENCRYPT, MSG_BEGIN, session, &io);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
		.flags = flags,
	};

	return msg_step(CALL_C_EncryptMessageNext, OP_MESSAGE_ENCRYPT, MSG_NEXT, session, &io);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
	return msg_final(CALL_C_MessageEncryptFinal, OP_MESSAGE_ENCRYPT, session);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return msg_init(CALL_C_MessageDecryptInit, OP_MESSAGE_DECRYPT, session, mech, key);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		       CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.aad = aad,
		.aad_len = aad_len,
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
	};

	return msg_step(CALL_C_DecryptMessage, OP_MESSAGE_DECRYPT, MSG_WHOLE, session, &io);
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
			    CK_BYTE *aad, CK_ULONG aad_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.aad = aad,
		.aad_len = aad_len,
	};

	return msg_step(CALL_C_DecryptMessageBegin, OP_MESSAGE_DECRYPT, MSG_BEGIN, session, &io);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
		.flags = flags,
	};

	return msg_step(CALL_C_DecryptMessageNext, OP_MESSAGE_DECRYPT, MSG_NEXT, session, &io);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
	return msg_final(CALL_C_MessageDecryptFinal, OP_MESSAGE_DECRYPT, session);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return msg_init(CALL_C_MessageSignInit, OP_MESSAGE_SIGN, session, mech, key);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
		    CK_ULONG in_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.in = in,
		.in_len = in_len,
		.out = signature,
		.out_len = signature_len,
	};

	return msg_step(CALL_C_SignMessage, OP_MESSAGE_SIGN, MSG_WHOLE, session, &io);
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	struct msg_io io = {.param = param, .param_len = param_len};

	return msg_step(CALL_C_SignMessageBegin, OP_MESSAGE_SIGN, MSG_BEGIN, session, &io);
}

/* No place for the signature's length: more parts follow. */
CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			CK_ULONG in_len, CK_BYTE *signature, CK_ULONG *signature_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.in = in,
		.in_len = in_len,
		.out = signature,
		.out_len = signature_len,
	};

	return msg_step(CALL_C_SignMessageNext, OP_MESSAGE_SIGN, MSG_NEXT, session, &io);
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session)
{
	return msg_final(CALL_C_MessageSignFinal, OP_MESSAGE_SIGN, session);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return msg_init(CALL_C_MessageVerifyInit, OP_MESSAGE_VERIFY, session, mech, key);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
		      CK_ULONG in_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.aad = signature,
		.aad_len = signature_len,
		.in = in,
		.in_len = in_len,
	};

	return msg_step(CALL_C_VerifyMessage, OP_MESSAGE_VERIFY, MSG_WHOLE, session, &io);
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	struct msg_io io = {.param = param, .param_len = param_len};

	return msg_step(CALL_C_VerifyMessageBegin, OP_MESSAGE_VERIFY, MSG_BEGIN, session, &io);
}

/* No signature: more parts follow. */
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			  CK_ULONG in_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	struct msg_io io = {
		.param = param,
		.param_len = param_len,
		.aad = signature,
		.aad_len = signature_len,
		.in = in,
		.in_len = in_len,
	};

	return msg_step(CALL_C_VerifyMessageNext, OP_MESSAGE_VERIFY, MSG_NEXT, session, &io);
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session)
{
	return msg_final(CALL_C_MessageVerifyFinal, OP_MESSAGE_VERIFY, session);
}

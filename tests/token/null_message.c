/* SPDX-License-Identifier: BSD-2-Clause */
/* PKCS#11 3.0 for the null token: interfaces, C_LoginUser, C_SessionCancel and the message
 * functions.
 *
 * Only null3.so contains this file; null.so is a pure 2.40 module. Message parameters are taken as
 * CK_GCM_MESSAGE_PARAMS when they have its size: the IV is made here when a generator is named, the
 * tag is a checksum. Other parameters are ignored. */
#include <string.h>

#include "tests/token/null_state.h"

/* CK_GCM_MESSAGE_PARAMS, written down again as in params.h. */
struct gcm_message {
	CK_BYTE *iv;
	CK_ULONG iv_len;
	CK_ULONG iv_fixed_bits;
	CK_ULONG iv_generator;
	CK_BYTE *tag;
	CK_ULONG tag_bits;
};

static CK_FUNCTION_LIST_3_0 list3 = {.version = {3, 0},
#define ENTRY(name) .C_##name = C_##name,
				     TOKEN_CALLS(ENTRY)
#undef ENTRY
};

static CK_UTF8CHAR interface_name[] = "PKCS 11";
static CK_INTERFACE interfaces[] = {
	{interface_name, &list3, 0},
	{interface_name, &null_list, 0},
};

NULL_EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE *list, CK_ULONG *count)
{
	CK_ULONG room;

	if (!count)
		return CKR_ARGUMENTS_BAD;
	room = *count;
	*count = 2;
	if (!list)
		return CKR_OK;
	if (room < 2)
		return CKR_BUFFER_TOO_SMALL;
	memcpy(list, interfaces, sizeof(interfaces));
	return CKR_OK;
}

NULL_EXPORT CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **interface,
				 CK_FLAGS flags)
{
	if (!interface || flags)
		return CKR_ARGUMENTS_BAD;
	if (name && strcmp((const char *)name, "PKCS 11") != 0)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < 2; i++) {
		const CK_VERSION *has = interfaces[i].pFunctionList;

		if (version && (version->major != has->major || version->minor != has->minor))
			continue;
		*interface = &interfaces[i];
		return CKR_OK;
	}
	return CKR_ARGUMENTS_BAD;
}

CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG pin_len,
		  CK_UTF8CHAR *name, CK_ULONG name_len)
{
	null_count(CALL_LoginUser);
	if (!name && name_len)
		return CKR_ARGUMENTS_BAD;
	return C_Login(session, user, pin, pin_len);
}

/* Flag of C_SessionCancel for each kind of operation. */
static const CK_FLAGS cancel_flag[NULL_KINDS] = {
	[NULL_ENCRYPT] = CKF_ENCRYPT,
	[NULL_DECRYPT] = CKF_DECRYPT,
	[NULL_DIGESTING] = CKF_DIGEST,
	[NULL_SIGN] = CKF_SIGN,
	[NULL_SIGN_RECOVER] = CKF_SIGN_RECOVER,
	[NULL_VERIFY] = CKF_VERIFY,
	[NULL_VERIFY_RECOVER] = CKF_VERIFY_RECOVER,
	[NULL_MSG_ENCRYPT] = CKF_MESSAGE_ENCRYPT,
	[NULL_MSG_DECRYPT] = CKF_MESSAGE_DECRYPT,
	[NULL_MSG_SIGN] = CKF_MESSAGE_SIGN,
	[NULL_MSG_VERIFY] = CKF_MESSAGE_VERIFY,
};

CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_SessionCancel, session, &s);

	if (rv != CKR_OK)
		return rv;
	for (unsigned kind = 0; kind < NULL_KINDS; kind++)
		if (flags & cancel_flag[kind])
			s->op[kind].is_active = false;
	if (flags & CKF_FIND_OBJECTS)
		s->is_finding = false;
	null_leave(s);
	return CKR_OK;
}

static CK_RV begin(enum token_call index, CK_SESSION_HANDLE session, enum null_kind kind,
		   const CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = null_op_begin(s, kind, m, key);
	null_leave(s);
	return rv;
}

static CK_RV end(enum token_call index, CK_SESSION_HANDLE session, enum null_kind kind)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!s->op[kind].is_active)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	s->op[kind].is_active = false;
	null_leave(s);
	return rv;
}

/* One message call; `is_part` between Begin and the last Next. */
struct message {
	enum null_kind kind;
	void *param;
	CK_ULONG param_len;
	const CK_BYTE *in;
	CK_ULONG in_len;
	CK_BYTE *out;
	CK_ULONG *out_len;
};

static struct gcm_message *gcm_of(const struct message *c)
{
	return c->param_len == sizeof(struct gcm_message) ? c->param : NULL;
}

static CK_RV cipher(const struct null_op *op, const struct message *c)
{
	struct gcm_message *gcm = gcm_of(c);

	if (!c->out_len || (!c->in && c->in_len))
		return CKR_ARGUMENTS_BAD;
	if (!c->out || *c->out_len < c->in_len) {
		*c->out_len = c->in_len;
		return c->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	}
	for (CK_ULONG i = 0; i < c->in_len; i++)
		c->out[i] = (CK_BYTE)(c->in[i] ^ op->key ^ 0x5a);
	*c->out_len = c->in_len;
	if (gcm && c->kind == NULL_MSG_ENCRYPT) {
		if (gcm->iv && gcm->iv_generator)
			null_spread(c->in_len, op->key, gcm->iv, gcm->iv_len);
		if (gcm->tag)
			null_spread(c->in_len + 1, op->key, gcm->tag, gcm->tag_bits / 8);
	}
	null_work();
	return CKR_OK;
}

static CK_RV sign(const struct null_op *op, const struct message *c)
{
	if (!c->out_len || (!c->in && c->in_len))
		return CKR_ARGUMENTS_BAD;
	if (!c->out || *c->out_len < NULL_SIGNATURE) {
		*c->out_len = NULL_SIGNATURE;
		return c->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	}
	null_spread(null_sum(op->sum, c->in, c->in_len), op->key, c->out, NULL_SIGNATURE);
	*c->out_len = NULL_SIGNATURE;
	null_work();
	return CKR_OK;
}

static CK_RV message(enum token_call index, CK_SESSION_HANDLE session, const struct message *c)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!s->op[c->kind].is_active)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	else if (!c->param && c->param_len)
		rv = CKR_ARGUMENTS_BAD;
	else if (c->kind == NULL_MSG_ENCRYPT || c->kind == NULL_MSG_DECRYPT)
		rv = cipher(&s->op[c->kind], c);
	else
		rv = sign(&s->op[c->kind], c);
	null_leave(s);
	return rv;
}

/* A Begin, or a Next that feeds data: nothing but the states are checked. */
static CK_RV part(enum token_call index, CK_SESSION_HANDLE session, enum null_kind kind,
		  const CK_BYTE *in, CK_ULONG in_len)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!s->op[kind].is_active)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	else if (!in && in_len)
		rv = CKR_ARGUMENTS_BAD;
	null_leave(s);
	return rv;
}

static CK_RV verify(enum token_call index, CK_SESSION_HANDLE session, const CK_BYTE *in,
		    CK_ULONG in_len, const CK_BYTE *signature, CK_ULONG signature_len)
{
	CK_BYTE right[NULL_SIGNATURE];
	CK_ULONG right_len = sizeof(right);
	CK_RV rv = message(index, session,
			   &(struct message){NULL_MSG_VERIFY, NULL, 0, in, in_len, right,
					     signature ? &right_len : NULL});

	if (rv != CKR_OK)
		return rv;
	if (signature_len != right_len)
		return CKR_SIGNATURE_LEN_RANGE;
	return memcmp(signature, right, right_len) == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_MessageEncryptInit, session, NULL_MSG_ENCRYPT, m, key);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		       CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	if (!aad && aad_len)
		return CKR_ARGUMENTS_BAD;
	return message(
		CALL_EncryptMessage, session,
		&(struct message){NULL_MSG_ENCRYPT, param, param_len, in, in_len, out, out_len});
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
			    CK_BYTE *aad, CK_ULONG aad_len)
{
	(void)param;
	(void)param_len;
	return part(CALL_EncryptMessageBegin, session, NULL_MSG_ENCRYPT, aad, aad_len);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	(void)flags;
	return message(
		CALL_EncryptMessageNext, session,
		&(struct message){NULL_MSG_ENCRYPT, param, param_len, in, in_len, out, out_len});
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
	return end(CALL_MessageEncryptFinal, session, NULL_MSG_ENCRYPT);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_MessageDecryptInit, session, NULL_MSG_DECRYPT, m, key);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *aad,
		       CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	if (!aad && aad_len)
		return CKR_ARGUMENTS_BAD;
	return message(
		CALL_DecryptMessage, session,
		&(struct message){NULL_MSG_DECRYPT, param, param_len, in, in_len, out, out_len});
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len,
			    CK_BYTE *aad, CK_ULONG aad_len)
{
	(void)param;
	(void)param_len;
	return part(CALL_DecryptMessageBegin, session, NULL_MSG_DECRYPT, aad, aad_len);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			   CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
{
	(void)flags;
	return message(
		CALL_DecryptMessageNext, session,
		&(struct message){NULL_MSG_DECRYPT, param, param_len, in, in_len, out, out_len});
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
	return end(CALL_MessageDecryptFinal, session, NULL_MSG_DECRYPT);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_MessageSignInit, session, NULL_MSG_SIGN, m, key);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
		    CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	return message(
		CALL_SignMessage, session,
		&(struct message){NULL_MSG_SIGN, param, param_len, in, in_len, out, out_len});
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	return part(CALL_SignMessageBegin, session, NULL_MSG_SIGN, param, param_len);
}

CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
{
	if (!out_len) /* more parts follow */
		return part(CALL_SignMessageNext, session, NULL_MSG_SIGN, in, in_len);
	return message(
		CALL_SignMessageNext, session,
		&(struct message){NULL_MSG_SIGN, param, param_len, in, in_len, out, out_len});
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session)
{
	return end(CALL_MessageSignFinal, session, NULL_MSG_SIGN);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_MessageVerifyInit, session, NULL_MSG_VERIFY, m, key);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
		      CK_ULONG in_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	(void)param;
	(void)param_len;
	return verify(CALL_VerifyMessage, session, in, in_len, signature, signature_len);
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len)
{
	return part(CALL_VerifyMessageBegin, session, NULL_MSG_VERIFY, param, param_len);
}

CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void *param, CK_ULONG param_len, CK_BYTE *in,
			  CK_ULONG in_len, CK_BYTE *signature, CK_ULONG signature_len)
{
	(void)param;
	(void)param_len;
	if (!signature)
		return part(CALL_VerifyMessageNext, session, NULL_MSG_VERIFY, in, in_len);
	return verify(CALL_VerifyMessageNext, session, in, in_len, signature, signature_len);
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session)
{
	return end(CALL_MessageVerifyFinal, session, NULL_MSG_VERIFY);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where operations leave for a vendor's library: one switch, one line a function.
 *
 * Cryptoki's types do not know const; it is cast away here and nowhere else. No lock but the
 * virtual session's is held. A member may return anything; the caller decides what it means. */
#include "core/member_op.h"

#include <string.h>

#include "core/base/secret.h"
#include "core/library.h"
#include "core/member.h"

/* Handles are read in batches of this many. */
#define FIND_BATCH 64UL
/* More than the table of virtual objects holds; a member that finds more never stops finding. */
#define FIND_MAX (1024UL * 1024)

#define BYTES(p) ((CK_BYTE *)(uintptr_t)(p))

static CK_RV find(const CK_FUNCTION_LIST *f, struct member_session *ms, struct call *c)
{
	const CK_SESSION_HANDLE s = ms->real;
	CK_OBJECT_HANDLE batch[FIND_BATCH];
	CK_ULONG n = 0;
	CK_RV rv = f->C_FindObjectsInit(s, c->tmpl[0], c->tmpl_count[0]);

	if (rv != CKR_OK)
		return rv;
	do {
		n = 0;
		memset(batch, 0, sizeof batch); /* some count what they did not write */
		rv = f->C_FindObjects(s, batch, FIND_BATCH, &n);
		if (rv == CKR_OK &&
		    (n > FIND_BATCH || c->found->len / sizeof batch[0] + n > FIND_MAX))
			rv = CKR_DEVICE_ERROR;
		if (rv == CKR_OK && !buf_add(c->found, batch, n * sizeof batch[0]))
			rv = CKR_HOST_MEMORY;
	} while (rv == CKR_OK && n > 0);
	if (f->C_FindObjectsFinal(s) != CKR_OK)
		ms->is_dirty = true; /* the search may still be on it */
	return rv;
}

/* A PIN as the standard passes it: no secret at all is a NULL pointer, which starts a PIN pad. */
static CK_BYTE *pin_bytes(const struct secret *pin)
{
	const unsigned char *bytes = pin ? secret_bytes(pin) : NULL;

	return BYTES(bytes);
}

static CK_ULONG pin_len(const struct secret *pin)
{
	return pin ? secret_len(pin) : 0;
}

static CK_RV step(const CK_FUNCTION_LIST *f, struct member_session *ms, struct call *c,
		  const CK_OBJECT_HANDLE object[2])
{
	const CK_SESSION_HANDLE s = ms->real;
	CK_MECHANISM *m = c->mech ? &c->mech->m : NULL;
	CK_BYTE *in = BYTES(c->in), *in2 = BYTES(c->in2);

	switch ((int)c->id) {
	case CALL_C_EncryptInit:
		return f->C_EncryptInit(s, m, object[0]);
	case CALL_C_Encrypt:
		return f->C_Encrypt(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_EncryptUpdate:
		return f->C_EncryptUpdate(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_EncryptFinal:
		return f->C_EncryptFinal(s, c->out, c->out_len);
	case CALL_C_DecryptInit:
		return f->C_DecryptInit(s, m, object[0]);
	case CALL_C_Decrypt:
		return f->C_Decrypt(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_DecryptUpdate:
		return f->C_DecryptUpdate(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_DecryptFinal:
		return f->C_DecryptFinal(s, c->out, c->out_len);
	case CALL_C_DigestInit:
		return f->C_DigestInit(s, m);
	case CALL_C_Digest:
		return f->C_Digest(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_DigestUpdate:
		return f->C_DigestUpdate(s, in, c->in_len);
	case CALL_C_DigestKey:
		return f->C_DigestKey(s, object[0]);
	case CALL_C_DigestFinal:
		return f->C_DigestFinal(s, c->out, c->out_len);
	case CALL_C_SignInit:
		return f->C_SignInit(s, m, object[0]);
	case CALL_C_Sign:
		return f->C_Sign(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_SignUpdate:
		return f->C_SignUpdate(s, in, c->in_len);
	case CALL_C_SignFinal:
		return f->C_SignFinal(s, c->out, c->out_len);
	case CALL_C_SignRecoverInit:
		return f->C_SignRecoverInit(s, m, object[0]);
	case CALL_C_SignRecover:
		return f->C_SignRecover(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_VerifyInit:
		return f->C_VerifyInit(s, m, object[0]);
	case CALL_C_Verify:
		return f->C_Verify(s, in, c->in_len, in2, c->in2_len);
	case CALL_C_VerifyUpdate:
		return f->C_VerifyUpdate(s, in, c->in_len);
	case CALL_C_VerifyFinal:
		return f->C_VerifyFinal(s, in2, c->in2_len);
	case CALL_C_VerifyRecoverInit:
		return f->C_VerifyRecoverInit(s, m, object[0]);
	case CALL_C_VerifyRecover:
		return f->C_VerifyRecover(s, in, c->in_len, c->out, c->out_len);
	case CALL_C_FindObjectsInit:
		return find(f, ms, c);
	case CALL_C_CreateObject:
		return f->C_CreateObject(s, c->tmpl[0], c->tmpl_count[0], &c->made[0]);
	case CALL_C_CopyObject:
		return f->C_CopyObject(s, object[0], c->tmpl[0], c->tmpl_count[0], &c->made[0]);
	case CALL_C_DestroyObject:
		return f->C_DestroyObject(s, object[0]);
	case CALL_C_GetObjectSize:
		return f->C_GetObjectSize(s, object[0], &c->size);
	case CALL_C_GetAttributeValue:
		return f->C_GetAttributeValue(s, object[0], c->tmpl[0], c->tmpl_count[0]);
	case CALL_C_SetAttributeValue:
		return f->C_SetAttributeValue(s, object[0], c->tmpl[0], c->tmpl_count[0]);
	case CALL_C_GenerateKey:
		return f->C_GenerateKey(s, m, c->tmpl[0], c->tmpl_count[0], &c->made[0]);
	case CALL_C_GenerateKeyPair:
		return f->C_GenerateKeyPair(s, m, c->tmpl[0], c->tmpl_count[0], c->tmpl[1],
					    c->tmpl_count[1], &c->made[0], &c->made[1]);
	case CALL_C_WrapKey:
		return f->C_WrapKey(s, m, object[0], object[1], c->out, c->out_len);
	case CALL_C_UnwrapKey:
		return f->C_UnwrapKey(s, m, object[0], in, c->in_len, c->tmpl[0], c->tmpl_count[0],
				      &c->made[0]);
	case CALL_C_DeriveKey:
		return f->C_DeriveKey(s, m, object[0], c->tmpl[0], c->tmpl_count[0],
				      c->wants_made ? &c->made[0] : NULL);
	case CALL_C_Login:
		return f->C_Login(s, c->user, pin_bytes(c->pin[0]), pin_len(c->pin[0]));
	case CALL_C_Logout:
		return f->C_Logout(s);
	case CALL_C_InitPIN:
		return f->C_InitPIN(s, pin_bytes(c->pin[0]), pin_len(c->pin[0]));
	case CALL_C_SetPIN:
		return f->C_SetPIN(s, pin_bytes(c->pin[0]), pin_len(c->pin[0]),
				   pin_bytes(c->pin[1]), pin_len(c->pin[1]));
	case CALL_C_SeedRandom:
		return f->C_SeedRandom(s, in, c->in_len);
	case CALL_C_GenerateRandom:
		return f->C_GenerateRandom(s, c->out, *c->out_len);
	default: /* answered by hsmux itself, or in the other list */
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
}

static CK_RV message_step(const CK_FUNCTION_LIST_3_0 *f, CK_SESSION_HANDLE s, struct call *c,
			  const CK_OBJECT_HANDLE object[2])
{
	CK_MECHANISM *m = c->mech ? &c->mech->m : NULL;
	CK_BYTE *in = BYTES(c->in), *in2 = BYTES(c->in2);

	switch ((int)c->id) {
	case CALL_C_LoginUser:
		return f->C_LoginUser(s, c->user, pin_bytes(c->pin[0]), pin_len(c->pin[0]), in,
				      c->in_len);
	case CALL_C_MessageEncryptInit:
		return f->C_MessageEncryptInit(s, m, object[0]);
	case CALL_C_EncryptMessage:
		return f->C_EncryptMessage(s, c->param, c->param_len, in2, c->in2_len, in,
					   c->in_len, c->out, c->out_len);
	case CALL_C_EncryptMessageBegin:
		return f->C_EncryptMessageBegin(s, c->param, c->param_len, in2, c->in2_len);
	case CALL_C_EncryptMessageNext:
		return f->C_EncryptMessageNext(s, c->param, c->param_len, in, c->in_len, c->out,
					       c->out_len, c->flags);
	case CALL_C_MessageEncryptFinal:
		return f->C_MessageEncryptFinal(s);
	case CALL_C_MessageDecryptInit:
		return f->C_MessageDecryptInit(s, m, object[0]);
	case CALL_C_DecryptMessage:
		return f->C_DecryptMessage(s, c->param, c->param_len, in2, c->in2_len, in,
					   c->in_len, c->out, c->out_len);
	case CALL_C_DecryptMessageBegin:
		return f->C_DecryptMessageBegin(s, c->param, c->param_len, in2, c->in2_len);
	case CALL_C_DecryptMessageNext:
		return f->C_DecryptMessageNext(s, c->param, c->param_len, in, c->in_len, c->out,
					       c->out_len, c->flags);
	case CALL_C_MessageDecryptFinal:
		return f->C_MessageDecryptFinal(s);
	case CALL_C_MessageSignInit:
		return f->C_MessageSignInit(s, m, object[0]);
	case CALL_C_SignMessage:
		return f->C_SignMessage(s, c->param, c->param_len, in, c->in_len, c->out,
					c->out_len);
	case CALL_C_SignMessageBegin:
		return f->C_SignMessageBegin(s, c->param, c->param_len);
	case CALL_C_SignMessageNext:
		return f->C_SignMessageNext(s, c->param, c->param_len, in, c->in_len, c->out,
					    c->out_len);
	case CALL_C_MessageSignFinal:
		return f->C_MessageSignFinal(s);
	case CALL_C_MessageVerifyInit:
		return f->C_MessageVerifyInit(s, m, object[0]);
	case CALL_C_VerifyMessage:
		return f->C_VerifyMessage(s, c->param, c->param_len, in, c->in_len, in2,
					  c->in2_len);
	case CALL_C_VerifyMessageBegin:
		return f->C_VerifyMessageBegin(s, c->param, c->param_len);
	case CALL_C_VerifyMessageNext:
		return f->C_VerifyMessageNext(s, c->param, c->param_len, in, c->in_len, in2,
					      c->in2_len);
	case CALL_C_MessageVerifyFinal:
		return f->C_MessageVerifyFinal(s);
	default: /* answered by hsmux itself, or in the other list */
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
}

CK_RV member_call(struct member_session *ms, struct call *c, const CK_OBJECT_HANDLE object[2])
{
	const struct library *lib = ms->member->lib;
	struct library_guard guard;
	CK_RV rv;

	if (!pool_enter(ms))
		return CKR_SESSION_HANDLE_INVALID;
	if (ms->epoch != atomic_load(&ms->member->epoch)) {
		pool_leave(ms); /* real handles of another epoch may be other keys' */
		return CKR_SESSION_HANDLE_INVALID;
	}
	library_guard(lib, &guard);
	if (c->id < CALL_C_GetInterfaceList)
		rv = step(lib->v2, ms, c, object);
	else if (lib->v3)
		rv = message_step(lib->v3, ms->real, c, object);
	else
		rv = CKR_FUNCTION_NOT_SUPPORTED;
	library_unguard(&guard);
	pool_leave(ms);
	return rv;
}

CK_RV member_make_aes(struct member_session *ms, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		      CK_OBJECT_HANDLE *made)
{
	struct mech mech = {.m = {CKM_AES_KEY_GEN, NULL, 0}};
	struct call call = {
		.id = CALL_C_GenerateKey, .mech = &mech, .tmpl = {tmpl}, .tmpl_count = {count}};
	CK_RV rv = member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});

	*made = call.made[0];
	return rv == CKR_OK && !*made ? CKR_DEVICE_ERROR : rv;
}

void member_destroy(struct member_session *ms, CK_OBJECT_HANDLE real)
{
	if (!pool_enter(ms))
		return;
	(void)ms->member->lib->v2->C_DestroyObject(ms->real,
						   real); /* nobody else knows the handle */
	pool_leave(ms);
}

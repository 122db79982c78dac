/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys to try ways with: session objects that go with their session. No lock. */
#include "core/carry_throwaway.h"

#include <string.h>

#include "core/identity_soft.h"
#include "core/member_op.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* What makes a throw-away key of a kind. */
static const CK_MECHANISM_TYPE makers[] = {[CARRY_SECRET] = CKM_AES_KEY_GEN,
					   [CARRY_RSA] = CKM_RSA_PKCS_KEY_PAIR_GEN,
					   [CARRY_EC] = CKM_EC_KEY_PAIR_GEN};

static CK_RV make_secret(struct member_session *ms, CK_OBJECT_HANDLE *made)
{
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_TOKEN, &no, sizeof no},         {CKA_SENSITIVE, &yes, sizeof yes},
		{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_ENCRYPT, &yes, sizeof yes},
		{CKA_DECRYPT, &yes, sizeof yes},     {CKA_VALUE_LEN, &len, sizeof len}};

	return member_make_aes(ms, tmpl, COUNT(tmpl), made);
}

/* The public half is found by the CKA_ID where the private one does not show it. */
static CK_RV make_pair(struct member_session *ms, enum carry_kind kind, CK_OBJECT_HANDLE *made)
{
	static const CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_ULONG bits = 2048;
	CK_BYTE exponent[] = {1, 0, 1}, curve[sizeof p256], id[8];
	bool is_rsa = kind == CARRY_RSA;
	CK_ATTRIBUTE pub[] = {{CKA_TOKEN, &no, sizeof no},
			      {CKA_VERIFY, &yes, sizeof yes},
			      {CKA_ID, id, sizeof id},
			      is_rsa ? (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof bits}
				     : (CK_ATTRIBUTE){CKA_EC_PARAMS, curve, sizeof curve},
			      {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}};
	CK_ATTRIBUTE priv[] = {{CKA_TOKEN, &no, sizeof no},
			       {CKA_SENSITIVE, &yes, sizeof yes},
			       {CKA_EXTRACTABLE, &yes, sizeof yes},
			       {CKA_SIGN, &yes, sizeof yes},
			       {CKA_ID, id, sizeof id}};
	struct mech mech = {.m = {makers[kind], NULL, 0}};
	struct call call = {.id = CALL_C_GenerateKeyPair,
			    .mech = &mech,
			    .tmpl = {pub, priv},
			    .tmpl_count = {is_rsa ? COUNT(pub) : COUNT(pub) - 1, COUNT(priv)}};
	CK_RV rv;

	memcpy(curve, p256, sizeof p256);
	if (!identity_random(id, sizeof id))
		return CKR_HOST_MEMORY;
	rv = member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});
	*made = call.made[1];
	return rv;
}

bool carry_has_throwaway(struct member *member, enum carry_kind kind)
{
	return member_offers(member, makers[kind]);
}

CK_RV carry_throwaway(struct member_session *ms, enum carry_kind kind, CK_OBJECT_HANDLE *made)
{
	return kind == CARRY_SECRET ? make_secret(ms, made) : make_pair(ms, kind, made);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts: a table says what each function does, which of its objects is used and which is worked
 * on, and what its templates make. */
#include "core/facts.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/base/clock.h"
#include "core/caller.h"
#include "core/config.h"
#include "core/group.h"
#include "core/key_facts.h"

#define NOTHING CK_UNAVAILABLE_INFORMATION
/* Acts are kept with 1 added: what is not listed is ACT_NONE. */
#define ROW(call, what, subject, made) [CALL_##call] = {ACT_##what + 1, subject, made}

static const struct {
	unsigned act;
	bool is_subject;      /* its first object is worked on, not used */
	CK_OBJECT_CLASS made; /* what its first template makes, when that does not say it */
} rows[CALL_COUNT] = {
	ROW(C_EncryptInit, ENCRYPT, false, NOTHING),
	ROW(C_DecryptInit, DECRYPT, false, NOTHING),
	ROW(C_DigestInit, DIGEST, false, NOTHING),
	ROW(C_DigestKey, DIGEST, false, NOTHING),
	ROW(C_SignInit, SIGN, false, NOTHING),
	ROW(C_SignRecoverInit, SIGN, false, NOTHING),
	ROW(C_VerifyInit, VERIFY, false, NOTHING),
	ROW(C_VerifyRecoverInit, VERIFY, false, NOTHING),
	ROW(C_MessageEncryptInit, ENCRYPT, false, NOTHING),
	ROW(C_EncryptMessage, ENCRYPT, false, NOTHING),
	ROW(C_EncryptMessageBegin, ENCRYPT, false, NOTHING),
	ROW(C_MessageDecryptInit, DECRYPT, false, NOTHING),
	ROW(C_MessageSignInit, SIGN, false, NOTHING),
	ROW(C_MessageVerifyInit, VERIFY, false, NOTHING),
	ROW(C_GenerateKey, GENERATE, false, CKO_SECRET_KEY),
	ROW(C_GenerateKeyPair, GENERATE, false, CKO_PUBLIC_KEY),
	ROW(C_WrapKey, WRAP, false, NOTHING),
	ROW(C_UnwrapKey, UNWRAP, false, CKO_SECRET_KEY),
	ROW(C_DeriveKey, DERIVE, false, CKO_SECRET_KEY),
	ROW(C_CreateObject, IMPORT, false, CKO_DATA),
	ROW(C_CopyObject, COPY, true, NOTHING),
	ROW(C_SetAttributeValue, SET_ATTR, true, NOTHING),
	ROW(C_DestroyObject, DESTROY, true, NOTHING),
	ROW(C_GetAttributeValue, GET_ATTR, true, NOTHING),
	ROW(C_GetObjectSize, GET_ATTR, true, NOTHING),
	ROW(C_FindObjectsInit, FIND, true, NOTHING),
	ROW(C_GenerateRandom, RANDOM, false, NOTHING),
	ROW(C_SeedRandom, RANDOM, false, NOTHING),
	ROW(C_Login, LOGIN, false, NOTHING),
	ROW(C_LoginUser, LOGIN, false, NOTHING),
	ROW(C_InitToken, INIT_TOKEN, false, NOTHING),
	ROW(C_InitPIN, INIT_PIN, false, NOTHING),
	ROW(C_SetPIN, SET_PIN, false, NOTHING),
};

enum policy_act facts_act(const struct call *c)
{
	unsigned act = rows[c->id].act;

	if (act == 0)
		return ACT_NONE;
	if (act - 1 == ACT_LOGIN && c->user == CKU_SO)
		return ACT_SO_LOGIN;
	if (act - 1 == ACT_LOGIN && c->user == CKU_CONTEXT_SPECIFIC)
		return ACT_NONE;
	if (c->wants_value)
		return ACT_GET_VALUE;
	return act - 1;
}

CK_RV facts_normalise(struct call *c)
{
	unsigned act = rows[c->id].act;
	CK_RV rv = CKR_OK;

	if (rows[c->id].made == NOTHING && act != ACT_COPY + 1 && act != ACT_SET_ATTR + 1)
		return CKR_OK;
	for (size_t i = 0; i < 2 && rv == CKR_OK; i++)
		rv = attr_normalise(c->tmpl[i], &c->tmpl_count[i]);
	return rv;
}

static const char *role_of(const struct call *c, enum policy_act act)
{
	if (act == ACT_LOGIN)
		return "user";
	if (act == ACT_SO_LOGIN)
		return "so";
	if (!c->session)
		return "public";
	switch (session_state(c->session)) {
	case CKS_RO_USER_FUNCTIONS:
	case CKS_RW_USER_FUNCTIONS:
		return "user";
	case CKS_RW_SO_FUNCTIONS:
		return "so";
	default:
		return "public";
	}
}

/* The objects that the call names. */
static CK_RV gather_named(const struct call *c, struct gathered *out)
{
	for (size_t i = 0; i < 2; i++) {
		struct described *d = &out->object[out->facts.object_count];
		CK_RV rv;

		if (c->object[i].bad == 0)
			continue;
		rv = key_facts_of(c->session, c->object[i].handle, d);
		if (rv == CKR_OBJECT_HANDLE_INVALID)
			return c->object[i].bad;
		if (rv != CKR_OK)
			return rv;
		d->object.part = i == 1 || rows[c->id].is_subject ? PART_SUBJECT : PART_KEY;
		if (d->object.part == PART_SUBJECT && i == 0) {
			d->object.tmpl = c->tmpl[0];
			d->object.tmpl_count = c->tmpl_count[0];
		}
		out->facts.object_count++;
	}
	return CKR_OK;
}

static struct described *add_new(const struct call *c, struct gathered *out, size_t i,
				 CK_OBJECT_CLASS class)
{
	struct described *d = &out->object[out->facts.object_count++];

	describe_new(d, c->mech ? c->mech->m.mechanism : 0, class, c->tmpl[i], c->tmpl_count[i]);
	return d;
}

static void gather_new(const struct call *c, struct gathered *out)
{
	const struct described *public_half;

	if (rows[c->id].made == NOTHING)
		return;
	public_half = add_new(c, out, 0, rows[c->id].made);
	if (c->id == CALL_C_GenerateKeyPair)
		describe_pair(public_half, add_new(c, out, 1, CKO_PRIVATE_KEY));
}

CK_RV facts_gather(const struct call *c, enum policy_act act, bool wants_objects,
		   struct gathered *out)
{
	struct facts *f = &out->facts;
	CK_RV rv = CKR_OK;

	*f = (struct facts){
		.act = act,
		.function = call_name(c->id),
		.token = c->group->conf->label,
		.role = role_of(c, act),
		.caller = caller_get(act == ACT_LOGIN || act_is_mutation(act)),
		.mech = c->mech ? &c->mech->m : NULL,
		.is_message = c->id == CALL_C_EncryptMessage || c->id == CALL_C_EncryptMessageBegin,
		.is_caller_iv = c->is_caller_iv,
		.now = clock_wall(),
	};
	if (wants_objects && c->session)
		rv = gather_named(c, out);
	if (wants_objects && rv == CKR_OK)
		gather_new(c, out);
	for (unsigned i = 0; i < f->object_count; i++)
		f->object[i] = &out->object[i].object;
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport: an RSA pair that lives for one errand, and the keys that cross under it.
 *
 *   target   makes the pair, unwraps a block that this process encrypted under the public half and
 *            encrypts with it as the block would: the halves belong together, the target can do it
 *   source   gets the public half as a session object, wraps the key under it
 *   target   unwraps it
 *
 * The pair is session objects: what a crash leaves goes with the session. The proof answers whoever
 * puts a public key of his own in the place of the target's: he could not answer for it. One way is
 * enough for all makes: OAEP, with SHA-256 where both can, else with SHA-1 (the only one of
 * SoftHSM2; OAEP does not need a hash that resists collisions). Only the wrapped key is in memory
 * here. No lock; both sessions are the caller's alone. */
#include "core/transport.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/identity_attr.h"
#include "core/identity_key.h"
#include "core/identity_sign.h"
#include "core/identity_soft.h"
#include "core/identity_use.h"
#include "core/member_op.h"

/* 112 bits of strength: the pair is gone in seconds, and larger ones take some tokens that long. */
#define PAIR_BITS 2048UL
/* What is encrypted under it, with room for careless members. */
#define WRAPPED_ROOM 512UL
#define BLOCK_LEN    16U
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One padding. */
struct padding {
	CK_RSA_PKCS_OAEP_PARAMS params;
	const char *hash; /* as OpenSSL calls it */
};

/* The better one first. */
static const struct padding paddings[] = {
	{{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0}, "SHA256"},
	{{CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0}, "SHA1"},
};

struct transport {
	struct member_session *to;    /* borrowed */
	CK_OBJECT_HANDLE pair[2];     /* public, private */
	struct identity_attrs public; /* modulus and exponent */
	EVP_PKEY *key;                /* the same */
	bool can[COUNT(paddings)];    /* the target was seen to unwrap it */
};

/* Private objects need a user. */
static CK_BBOOL is_user(struct member_session *ms)
{
	CK_STATE state = CKS_RW_PUBLIC_SESSION;

	return pool_state(ms, &state) == CKR_OK && pool_is_user(state) ? CK_TRUE : CK_FALSE;
}

static CK_RV make_pair(struct transport *t)
{
	CK_ULONG bits = PAIR_BITS;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE, private = is_user(t->to);
	CK_ATTRIBUTE pub[] = {{CKA_TOKEN, &no, sizeof no},
			      {CKA_PRIVATE, &no, sizeof no},
			      {CKA_MODULUS_BITS, &bits, sizeof bits},
			      {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
			      {CKA_WRAP, &yes, sizeof yes},
			      {CKA_ENCRYPT, &no, sizeof no},
			      {CKA_VERIFY, &no, sizeof no}};
	CK_ATTRIBUTE priv[] = {
		{CKA_TOKEN, &no, sizeof no},       {CKA_PRIVATE, &private, sizeof private},
		{CKA_SENSITIVE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no},
		{CKA_UNWRAP, &yes, sizeof yes},    {CKA_DECRYPT, &no, sizeof no},
		{CKA_SIGN, &no, sizeof no}};
	struct mech mech = {.m = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}};
	struct call call = {.id = CALL_C_GenerateKeyPair,
			    .mech = &mech,
			    .tmpl = {pub, priv},
			    .tmpl_count = {COUNT(pub), COUNT(priv)}};
	CK_RV rv = member_call(t->to, &call, (const CK_OBJECT_HANDLE[2]){0, 0});

	if (rv == CKR_OK && (!call.made[0] || !call.made[1]))
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK)
		return identity_refuses(t->to, rv) ? CKR_MECHANISM_INVALID : rv;
	memcpy(t->pair, call.made, sizeof t->pair);
	return CKR_OK;
}

/* What the target made is what was asked for: a private half that can be had is no protection. */
static CK_RV check_pair(struct transport *t)
{
	static const CK_ATTRIBUTE_TYPE of_public[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT};
	static const CK_ATTRIBUTE_TYPE of_private[] = {CKA_SENSITIVE, CKA_EXTRACTABLE};
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(t->to, t->pair[1], of_private, COUNT(of_private), &attrs);

	if (rv != CKR_OK)
		return rv;
	if (!attr_bool(attrs.a, attrs.count, CKA_SENSITIVE, false) ||
	    attr_bool(attrs.a, attrs.count, CKA_EXTRACTABLE, true))
		rv = CKR_MECHANISM_INVALID;
	identity_attrs_free(&attrs);
	if (rv == CKR_OK)
		rv = identity_attrs_read(t->to, t->pair[0], of_public, COUNT(of_public),
					 &t->public);
	if (rv != CKR_OK)
		return rv;
	t->key = identity_key_shown(CKK_RSA, &t->public);
	return t->key && EVP_PKEY_get_bits(t->key) == (int)PAIR_BITS ? CKR_OK
								     : CKR_MECHANISM_INVALID;
}

static CK_RV unwrap(struct transport *t, size_t i, const CK_BYTE *wrapped, CK_ULONG len,
		    CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	CK_RSA_PKCS_OAEP_PARAMS params = paddings[i].params;
	struct mech mech = {.m = {CKM_RSA_PKCS_OAEP, &params, sizeof params}};
	struct call call = {.id = CALL_C_UnwrapKey,
			    .mech = &mech,
			    .in = wrapped,
			    .in_len = len,
			    .tmpl = {tmpl},
			    .tmpl_count = {count}};
	CK_RV rv = member_call(t->to, &call, (const CK_OBJECT_HANDLE[2]){t->pair[1], 0});

	if (rv == CKR_OK && !call.made[0])
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		*made = call.made[0];
	return rv;
}

/* What AES makes of the challenge under `value`. */
static bool encrypt_here(const uint8_t value[static 32], const uint8_t in[static BLOCK_LEN],
			 uint8_t out[static BLOCK_LEN])
{
	EVP_CIPHER *aes = EVP_CIPHER_fetch(identity_lib(), "AES-256-ECB", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0;
	bool ok = aes && ctx && EVP_EncryptInit_ex2(ctx, aes, value, NULL, NULL) == 1 &&
		  EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		  EVP_EncryptUpdate(ctx, out, &len, in, BLOCK_LEN) == 1 && len == BLOCK_LEN;

	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(aes);
	return ok;
}

/* Whether key `real` of the target, which it unwrapped, is `value`: as one block in ECB, or in CBC
 * with a zero IV. */
static CK_RV is_value(struct transport *t, CK_OBJECT_HANDLE real, const uint8_t value[static 32],
		      bool *is)
{
	static const CK_MECHANISM_TYPE by[] = {CKM_AES_ECB, CKM_AES_CBC};
	uint8_t in[BLOCK_LEN], right[BLOCK_LEN], out[4 * BLOCK_LEN], iv[BLOCK_LEN] = {0};
	CK_RV rv = CKR_MECHANISM_INVALID;

	*is = false;
	if (!identity_random(in, sizeof in) || !encrypt_here(value, in, right))
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < COUNT(by); i++) {
		struct identity_use use = {.init = CALL_C_EncryptInit,
					   .step = CALL_C_Encrypt,
					   .mech = {by[i], i ? iv : NULL, i ? sizeof iv : 0},
					   .in = in,
					   .in_len = sizeof in,
					   .out = out,
					   .out_len = sizeof out};

		rv = identity_use(t->to, real, &use);
		if (rv == CKR_OK)
			*is = use.out_len == BLOCK_LEN && CRYPTO_memcmp(out, right, BLOCK_LEN) == 0;
		if (rv == CKR_OK || use.has_begun || !identity_refuses(t->to, rv))
			break;
	}
	return rv;
}

/* The target unwraps a block that was encrypted here. *can is true when that was the block. */
static CK_RV prove_padding(struct transport *t, size_t i, bool *can)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE, private = is_user(t->to);
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_PRIVATE, &private, sizeof private},
			       {CKA_ENCRYPT, &yes, sizeof yes}};
	uint8_t value[32], wrapped[WRAPPED_ROOM];
	size_t len = sizeof wrapped;
	CK_OBJECT_HANDLE made = 0;
	CK_RV rv;

	*can = false;
	if (!identity_random(value, sizeof value) ||
	    !identity_encrypts(t->key, RSA_PKCS1_OAEP_PADDING, paddings[i].hash, value,
			       sizeof value, wrapped, &len))
		return CKR_HOST_MEMORY;
	rv = unwrap(t, i, wrapped, len, tmpl, COUNT(tmpl), &made);
	if (rv == CKR_OK) {
		rv = is_value(t, made, value, can);
		member_destroy(t->to, made);
	}
	OPENSSL_cleanse(value, sizeof value);
	return rv == CKR_OK || identity_refuses(t->to, rv) ? CKR_OK : rv;
}

static CK_RV prove(struct transport *t)
{
	bool any = false;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < COUNT(paddings); i++) {
		rv = prove_padding(t, i, &t->can[i]);
		any = any || t->can[i];
	}
	return rv == CKR_OK && !any ? CKR_MECHANISM_INVALID : rv;
}

CK_RV transport_open(struct member_session *to, struct transport **out)
{
	struct transport *t = calloc(1, sizeof *t);
	CK_RV rv;

	if (!t)
		return CKR_HOST_MEMORY;
	t->to = to;
	rv = make_pair(t);
	if (rv == CKR_OK)
		rv = check_pair(t);
	if (rv == CKR_OK)
		rv = prove(t);
	if (rv == CKR_OK)
		*out = t;
	else
		transport_close(t);
	return rv;
}

/* The public half on the source. */
static CK_RV bring_public(const struct transport *t, struct member_session *from,
			  CK_OBJECT_HANDLE *made)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_PRIVATE, &no, sizeof no},
			       {CKA_WRAP, &yes, sizeof yes},
			       *identity_attr(&t->public, CKA_MODULUS),
			       *identity_attr(&t->public, CKA_PUBLIC_EXPONENT)};
	struct call call = {.id = CALL_C_CreateObject, .tmpl = {tmpl}, .tmpl_count = {COUNT(tmpl)}};
	CK_RV rv = member_call(from, &call, (const CK_OBJECT_HANDLE[2]){0, 0});

	if (rv == CKR_OK && !call.made[0])
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		*made = call.made[0];
	return rv != CKR_OK && identity_refuses(from, rv) ? CKR_MECHANISM_INVALID : rv;
}

/* The buffer is large from the start: lengths that members give beforehand are not always right. */
static CK_RV wrap(struct member_session *from, size_t i, CK_OBJECT_HANDLE public,
		  CK_OBJECT_HANDLE key, CK_BYTE wrapped[static WRAPPED_ROOM], CK_ULONG *len)
{
	CK_RSA_PKCS_OAEP_PARAMS params = paddings[i].params;
	struct mech mech = {.m = {CKM_RSA_PKCS_OAEP, &params, sizeof params}};
	struct call call = {.id = CALL_C_WrapKey, .mech = &mech, .out = wrapped, .out_len = len};
	CK_RV rv;

	*len = WRAPPED_ROOM;
	rv = member_call(from, &call, (const CK_OBJECT_HANDLE[2]){public, key});
	return rv == CKR_OK && *len > WRAPPED_ROOM ? CKR_DEVICE_ERROR : rv;
}

/* Tries the paddings that the target can. The last code that was not about the padding says most.
 */
static CK_RV cross(struct transport *t, struct member_session *from, CK_OBJECT_HANDLE public,
		   CK_OBJECT_HANDLE key, CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	CK_BYTE wrapped[WRAPPED_ROOM];
	CK_ULONG len = 0;
	CK_RV rv = CKR_MECHANISM_INVALID;

	for (size_t i = 0; i < COUNT(paddings); i++) {
		CK_RV wrapping;

		if (!t->can[i])
			continue;
		wrapping = wrap(from, i, public, key, wrapped, &len);
		if (wrapping != CKR_OK && !identity_refuses(from, wrapping))
			return wrapping;
		if (wrapping == CKR_KEY_UNEXTRACTABLE || wrapping == CKR_KEY_NOT_WRAPPABLE)
			return wrapping; /* with any padding */
		if (wrapping != CKR_OK)
			continue;
		rv = unwrap(t, i, wrapped, len, tmpl, count, made);
		if (rv == CKR_OK || !identity_refuses(t->to, rv))
			return rv;
	}
	return rv;
}

CK_RV transport_carry(struct transport *t, struct member_session *from, CK_OBJECT_HANDLE key,
		      const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	CK_ATTRIBUTE *copy = calloc(count ? count : 1, sizeof *copy);
	CK_OBJECT_HANDLE public = 0;
	CK_RV rv;

	if (!copy)
		return CKR_HOST_MEMORY;
	if (count > 0)
		memcpy(copy, tmpl, count * sizeof *copy);
	rv = bring_public(t, from, &public);
	if (rv == CKR_OK)
		rv = cross(t, from, public, key, copy, count, made);
	if (public)
		member_destroy(from, public);
	free(copy);
	return rv;
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < COUNT(t->pair); i++)
		if (t->pair[i])
			member_destroy(t->to, t->pair[i]);
	EVP_PKEY_free(t->key);
	identity_attrs_free(&t->public);
	free(t);
}

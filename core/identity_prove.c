/* SPDX-License-Identifier: BSD-2-Clause */
/* Proof by use that a private key belongs to a public one: it signs, decrypts or agrees on a secret
 * with a fresh challenge, and the public key tells whether that was right. Whoever can create
 * objects on a member can give a key of his own our label and put our public key beside it; he
 * cannot make it answer.
 *
 * A code of the member proves nothing, neither that the key is ours nor that it is not, with one
 * exception: a key that calls our ciphertext invalid is another one. What is signed are random
 * bytes as if they were a SHA-256, so that the signature is of use to nobody. No lock. */
#include "core/identity_prove.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/identity_key.h"
#include "core/identity_sign.h"
#include "core/identity_soft.h"
#include "core/identity_use.h"
#include "core/member_op.h"

#define CHALLENGE 32U
/* Signatures and plaintexts of RSA keys of 16384 bits. */
#define ANSWER_ROOM 2048U

/* One key, and what is known of it. */
struct proof {
	struct member_session *ms;
	CK_OBJECT_HANDLE real;
	EVP_PKEY *key;
	uint8_t challenge[CHALLENGE];
	uint8_t *answer; /* ANSWER_ROOM bytes */
	uint8_t *in;     /* ANSWER_ROOM bytes */
	bool has_failed; /* it took the challenge, and gave no answer */
};

/* How the challenge is presented. */
enum form { FORM_HASH, FORM_INFO, FORM_DATA, FORM_EDWARDS, FORM_CIPHER, FORM_AGREE };

struct way {
	CK_KEY_TYPE type;
	CK_ATTRIBUTE_TYPE needs;
	CK_MECHANISM_TYPE by;
	enum form form;
	int padding;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
	const char *hash; /* of OAEP */
};

/* The DER DigestInfo of a SHA-256 without the hash (RFC 8017, 9.2). */
static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
			       0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

/* clang-format off */
static const struct way ways[] = {
	{CKK_RSA, CKA_SIGN, CKM_RSA_PKCS, FORM_INFO, RSA_PKCS1_PADDING, {0}, NULL},
	{CKK_RSA, CKA_SIGN, CKM_SHA256_RSA_PKCS, FORM_DATA, RSA_PKCS1_PADDING, {0}, NULL},
	{CKK_RSA, CKA_SIGN, CKM_RSA_PKCS_PSS, FORM_HASH, RSA_PKCS1_PSS_PADDING, {0}, NULL},
	{CKK_RSA, CKA_SIGN, CKM_SHA256_RSA_PKCS_PSS, FORM_DATA, RSA_PKCS1_PSS_PADDING, {0}, NULL},
	{CKK_RSA, CKA_DECRYPT, CKM_RSA_PKCS, FORM_CIPHER, RSA_PKCS1_PADDING, {0}, NULL},
	{CKK_RSA, CKA_DECRYPT, CKM_RSA_PKCS_OAEP, FORM_CIPHER, RSA_PKCS1_OAEP_PADDING,
		{CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0}, "SHA1"},
	{CKK_RSA, CKA_DECRYPT, CKM_RSA_PKCS_OAEP, FORM_CIPHER, RSA_PKCS1_OAEP_PADDING,
		{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0}, "SHA256"},
	{CKK_EC, CKA_SIGN, CKM_ECDSA, FORM_HASH, 0, {0}, NULL},
	{CKK_EC, CKA_SIGN, CKM_ECDSA_SHA256, FORM_DATA, 0, {0}, NULL},
	{CKK_EC, CKA_DERIVE, CKM_ECDH1_DERIVE, FORM_AGREE, 0, {0}, NULL},
	{CKK_EC_EDWARDS, CKA_SIGN, CKM_EDDSA, FORM_EDWARDS, 0, {0}, NULL},
	{CKK_EC_MONTGOMERY, CKA_DERIVE, CKM_ECDH1_DERIVE, FORM_AGREE, 0, {0}, NULL},
};
/* clang-format on */

static void result(enum identity_match *match, bool same)
{
	*match = same ? IDENTITY_SAME : IDENTITY_DIFFERENT;
}

/* A code of the member's: CKR_OK when another way may be tried. */
static CK_RV no_answer(struct proof *p, CK_RV rv, bool has_begun)
{
	p->has_failed = p->has_failed || has_begun;
	return identity_refuses(p->ms, rv) ? CKR_OK : rv;
}

static CK_ULONG present(const struct proof *p, enum form form, uint8_t *in)
{
	if (form != FORM_INFO) {
		memcpy(in, p->challenge, CHALLENGE);
		return CHALLENGE;
	}
	memcpy(in, info, sizeof info);
	memcpy(in + sizeof info, p->challenge, CHALLENGE);
	return sizeof info + CHALLENGE;
}

static bool checks(const struct proof *p, const struct way *way, CK_ULONG len, bool *ok)
{
	uint8_t hash[32];

	if (way->form == FORM_EDWARDS) {
		*ok = identity_checks_data(p->key, p->challenge, CHALLENGE, p->answer, len);
		return true;
	}
	memcpy(hash, p->challenge, sizeof hash);
	if (way->form == FORM_DATA && !identity_sha256(p->challenge, CHALLENGE, hash))
		return false;
	*ok = identity_checks_hash(p->key, way->padding, hash, p->answer, len);
	return true;
}

static CK_RV sign(struct proof *p, const struct way *way, enum identity_match *match)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_EDDSA_PARAMS edwards = {CK_FALSE, 0, NULL};
	struct identity_use use = {.init = CALL_C_SignInit,
				   .step = CALL_C_Sign,
				   .mech = {way->by, NULL, 0},
				   .in = p->in,
				   .in_len = present(p, way->form, p->in),
				   .out = p->answer,
				   .out_len = ANSWER_ROOM};
	bool ok = false;
	CK_RV rv;

	if (way->padding == RSA_PKCS1_PSS_PADDING)
		use.mech = (CK_MECHANISM){way->by, &pss, sizeof pss};
	/* Ed448 has to be told that there is no context (PKCS#11 3.0, 2.3.14); Ed25519 must not. */
	if (EVP_PKEY_get_base_id(p->key) == EVP_PKEY_ED448)
		use.mech = (CK_MECHANISM){way->by, &edwards, sizeof edwards};
	rv = identity_use(p->ms, p->real, &use);
	if (rv != CKR_OK)
		return no_answer(p, rv, use.has_begun);
	if (!checks(p, way, use.out_len, &ok))
		return CKR_HOST_MEMORY;
	result(match, ok);
	return CKR_OK;
}

static CK_RV decrypt(struct proof *p, const struct way *way, enum identity_match *match)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = way->oaep;
	size_t len = ANSWER_ROOM;
	struct identity_use use = {.init = CALL_C_DecryptInit,
				   .step = CALL_C_Decrypt,
				   .mech = {way->by, NULL, 0},
				   .in = p->in,
				   .out = p->answer,
				   .out_len = ANSWER_ROOM};
	CK_RV rv;

	if (!identity_encrypts(p->key, way->padding, way->hash, p->challenge, CHALLENGE, p->in,
			       &len))
		return CKR_OK; /* the key is too short for this padding */
	use.in_len = len;
	if (way->hash)
		use.mech = (CK_MECHANISM){way->by, &oaep, sizeof oaep};
	rv = identity_use(p->ms, p->real, &use);
	if (rv == CKR_OK)
		result(match, use.out_len == CHALLENGE &&
				      CRYPTO_memcmp(p->answer, p->challenge, CHALLENGE) == 0);
	else if (rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE)
		*match = IDENTITY_DIFFERENT;
	else
		return no_answer(p, rv, use.has_begun);
	return CKR_OK;
}

static CK_RV derive(const struct proof *p, const CK_BYTE *point, size_t point_len,
		    CK_ULONG secret_len, CK_OBJECT_HANDLE *made)
{
	const CK_OBJECT_HANDLE object[2] = {p->real, 0};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_SENSITIVE, &no, sizeof no},
			       {CKA_EXTRACTABLE, &yes, sizeof yes},
			       {CKA_VALUE_LEN, &secret_len, sizeof secret_len}};
	CK_BYTE copy[200];
	CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, NULL, point_len, copy};
	struct mech mech = {.m = {CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh}};
	struct call call = {.id = CALL_C_DeriveKey,
			    .mech = &mech,
			    .tmpl = {tmpl, NULL},
			    .tmpl_count = {sizeof tmpl / sizeof tmpl[0], 0},
			    .wants_made = true};
	CK_RV rv;

	memcpy(copy, point, point_len);
	rv = member_call(p->ms, &call, object);
	*made = call.made[0];
	return rv;
}

/* The point as it is, or when the member does not take that, as a DER OCTET STRING. */
static CK_RV derive_either(struct proof *p, CK_BYTE *point, size_t len, CK_ULONG secret_len,
			   CK_OBJECT_HANDLE *made)
{
	CK_RV rv = derive(p, point, len, secret_len, made);
	size_t head = len < 128 ? 2 : 3;

	if (rv == CKR_OK || !identity_refuses(p->ms, rv))
		return rv;
	memmove(point + head, point, len);
	point[0] = 0x04;
	point[1] = head == 2 ? (CK_BYTE)len : 0x81;
	if (head == 3)
		point[2] = (CK_BYTE)len;
	return derive(p, point, head + len, secret_len, made);
}

static CK_RV agree(struct proof *p, enum identity_match *match)
{
	static const CK_ATTRIBUTE_TYPE value[] = {CKA_VALUE};
	uint8_t point[160 + 3], secret[80];
	struct identity_attrs attrs;
	const CK_ATTRIBUTE *got;
	CK_OBJECT_HANDLE made = 0;
	size_t point_len = 0, len = 0;
	CK_RV rv;

	if (!identity_agrees(p->key, point, &point_len, secret, &len))
		return CKR_HOST_MEMORY;
	rv = derive_either(p, point, point_len, len, &made);
	if (rv != CKR_OK)
		return no_answer(p, rv, false);
	rv = identity_attrs_read(p->ms, made, value, 1, &attrs);
	member_destroy(p->ms, made);
	if (rv != CKR_OK)
		return rv;
	got = identity_attr(&attrs, CKA_VALUE);
	if (got) /* else it does not show what it has derived */
		result(match,
		       got->ulValueLen == len && CRYPTO_memcmp(got->pValue, secret, len) == 0);
	identity_attrs_free(&attrs);
	return CKR_OK;
}

static CK_RV try_way(struct proof *p, const struct way *way, enum identity_match *match)
{
	if (!identity_random(p->challenge, sizeof p->challenge))
		return CKR_HOST_MEMORY;
	switch (way->form) {
	case FORM_CIPHER:
		return decrypt(p, way, match);
	case FORM_AGREE:
		return agree(p, match);
	case FORM_HASH:
	case FORM_INFO:
	case FORM_DATA:
	case FORM_EDWARDS:
		return sign(p, way, match);
	}
	return CKR_OK;
}

static CK_RV try_ways(struct proof *p, CK_KEY_TYPE type, const struct identity_attrs *attrs,
		      enum identity_match *match)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0;
	     i < sizeof ways / sizeof ways[0] && rv == CKR_OK && *match == IDENTITY_UNKNOWN; i++) {
		if (ways[i].type == type && attr_bool(attrs->a, attrs->count, ways[i].needs, true))
			rv = try_way(p, &ways[i], match);
	}
	return rv;
}

CK_RV identity_prove_private(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
			     const struct identity_attrs *attrs, EVP_PKEY *key,
			     enum identity_match *match)
{
	const CK_ATTRIBUTE *modulus = type == CKK_RSA ? identity_attr(attrs, CKA_MODULUS) : NULL;
	bool is_costly = attr_bool(attrs->a, attrs->count, CKA_ALWAYS_AUTHENTICATE, false);
	struct proof p = {.ms = ms, .real = real, .key = key};
	struct buf room = {0};
	CK_RV rv = CKR_OK;

	*match = IDENTITY_UNKNOWN;
	if (modulus && !identity_key_has_modulus(key, modulus)) {
		*match = IDENTITY_DIFFERENT;
		return CKR_OK;
	}
	if (!buf_reserve(&room, 2 * ANSWER_ROOM))
		return CKR_HOST_MEMORY;
	p.answer = room.data;
	p.in = room.data + ANSWER_ROOM;
	if (!is_costly)
		rv = try_ways(&p, type, attrs, match);
	/* A modulus is part of the key itself. Points and SubjectPublicKeyInfo are what somebody
	 * wrote beside it. */
	if (rv == CKR_OK && *match == IDENTITY_UNKNOWN && p.has_failed)
		*match = IDENTITY_DOUBTFUL;
	else if (rv == CKR_OK && *match == IDENTITY_UNKNOWN && modulus)
		*match = IDENTITY_SAME;
	buf_free(&room);
	return rv;
}

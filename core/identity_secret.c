/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of secret keys to a challenge.
 *
 * A row of the table is a way to an answer. Different ways give the same answer, so that members
 * which offer different mechanisms can be compared: one block in CBC with a zero IV is one block in
 * ECB, and so is a key of one block wrapped in either. Rows are in the order of preference: what
 * most makes offer comes first, what makes an object on the member comes last. Only a digest of an
 * answer is kept. No lock. */
#include "core/identity_secret.h"

#include <string.h>

#include <openssl/crypto.h>

#include "core/base/attr.h"
#include "core/identity_soft.h"
#include "core/identity_use.h"
#include "core/member_op.h"

/* The longest answer (HMAC-SHA-512), and what a careless member may write on top. */
#define ANSWER_ROOM 128

struct way {
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE mechanism; /* of the answer */
	CK_FLAGS use;                /* of the answer */
	CK_ATTRIBUTE_TYPE needs;     /* also says what is done: sign, encrypt, decrypt or wrap */
	CK_MECHANISM_TYPE by;        /* what the member is asked for */
	unsigned iv_len;             /* of its zero IV */
	unsigned in_len;             /* bytes of the challenge */
	unsigned out_len;            /* bytes of the answer; another length is none */
};

/* clang-format off */
#define BLOCK(type, ecb, cbc, n)                                          \
	{type, ecb, CKF_ENCRYPT, CKA_ENCRYPT, ecb, 0, n, n},              \
	{type, ecb, CKF_ENCRYPT, CKA_ENCRYPT, cbc, n, n, n}
#define BLOCK_BACK(type, ecb, cbc, n)                                     \
	{type, ecb, CKF_DECRYPT, CKA_DECRYPT, ecb, 0, n, n},              \
	{type, ecb, CKF_DECRYPT, CKA_DECRYPT, cbc, n, n, n}
#define MAC(type, mac, in, out)                                           \
	{type, mac, CKF_SIGN, CKA_SIGN, mac, 0, in, out}

static const struct way ways[] = {
	BLOCK(CKK_AES, CKM_AES_ECB, CKM_AES_CBC, 16),
	MAC(CKK_AES, CKM_AES_CMAC, 32, 16),
	BLOCK_BACK(CKK_AES, CKM_AES_ECB, CKM_AES_CBC, 16),
	{CKK_AES, CKM_AES_KEY_WRAP, CKF_WRAP, CKA_WRAP, CKM_AES_KEY_WRAP, 0, 16, 24},
	{CKK_AES, CKM_AES_ECB, CKF_ENCRYPT, CKA_WRAP, CKM_AES_ECB, 0, 16, 16},
	{CKK_AES, CKM_AES_ECB, CKF_ENCRYPT, CKA_WRAP, CKM_AES_CBC, 16, 16, 16},
	BLOCK(CKK_DES3, CKM_DES3_ECB, CKM_DES3_CBC, 8),
	MAC(CKK_DES3, CKM_DES3_CMAC, 32, 8),
	BLOCK_BACK(CKK_DES3, CKM_DES3_ECB, CKM_DES3_CBC, 8),
	BLOCK(CKK_DES2, CKM_DES3_ECB, CKM_DES3_CBC, 8),
	MAC(CKK_DES2, CKM_DES3_CMAC, 32, 8),
	BLOCK_BACK(CKK_DES2, CKM_DES3_ECB, CKM_DES3_CBC, 8),
	BLOCK(CKK_CAMELLIA, CKM_CAMELLIA_ECB, CKM_CAMELLIA_CBC, 16),
	BLOCK_BACK(CKK_CAMELLIA, CKM_CAMELLIA_ECB, CKM_CAMELLIA_CBC, 16),
	BLOCK(CKK_ARIA, CKM_ARIA_ECB, CKM_ARIA_CBC, 16),
	BLOCK_BACK(CKK_ARIA, CKM_ARIA_ECB, CKM_ARIA_CBC, 16),
	MAC(CKK_GENERIC_SECRET, CKM_SHA256_HMAC, 32, 32),
	MAC(CKK_GENERIC_SECRET, CKM_SHA_1_HMAC, 32, 20),
	MAC(CKK_SHA_1_HMAC, CKM_SHA_1_HMAC, 32, 20),
	MAC(CKK_SHA224_HMAC, CKM_SHA224_HMAC, 32, 28),
	MAC(CKK_SHA256_HMAC, CKM_SHA256_HMAC, 32, 32),
	MAC(CKK_SHA384_HMAC, CKM_SHA384_HMAC, 32, 48),
	MAC(CKK_SHA512_HMAC, CKM_SHA512_HMAC, 32, 64),
};
/* clang-format on */

/* The challenge as an AES key that may be wrapped, as a session object: no private one, so that it
 * can be made without a login, where the key that is asked can be seen without one. */
static CK_RV make_block(struct member_session *ms, const struct way *way, const uint8_t *challenge,
			CK_OBJECT_HANDLE *made)
{
	const CK_OBJECT_HANDLE none[2] = {0, 0};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BYTE value[IDENTITY_CHALLENGE];
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
		{CKA_TOKEN, &no, sizeof no},       {CKA_PRIVATE, &no, sizeof no},
		{CKA_SENSITIVE, &no, sizeof no},   {CKA_EXTRACTABLE, &yes, sizeof yes},
		{CKA_ENCRYPT, &yes, sizeof yes},   {CKA_VALUE, value, way->in_len}};
	struct call call = {.id = CALL_C_CreateObject,
			    .tmpl = {tmpl, NULL},
			    .tmpl_count = {sizeof tmpl / sizeof tmpl[0], 0}};
	CK_RV rv;

	memcpy(value, challenge, sizeof value);
	rv = member_call(ms, &call, none);
	*made = call.made[0];
	return rv;
}

static CK_RV wrap(struct member_session *ms, CK_OBJECT_HANDLE key, const struct way *way,
		  struct identity_use *use)
{
	CK_OBJECT_HANDLE object[2] = {key, 0};
	struct mech mech = {.m = use->mech};
	struct call call = {
		.id = CALL_C_WrapKey, .mech = &mech, .out = use->out, .out_len = &use->out_len};
	CK_RV rv = make_block(ms, way, use->in, &object[1]);

	if (rv != CKR_OK)
		return rv;
	rv = member_call(ms, &call, object);
	member_destroy(ms, object[1]);
	return rv;
}

static CK_RV go(struct member_session *ms, CK_OBJECT_HANDLE key, const struct way *way,
		struct identity_use *use)
{
	switch (way->needs) {
	case CKA_WRAP:
		return wrap(ms, key, way, use);
	case CKA_SIGN:
		use->init = CALL_C_SignInit;
		use->step = CALL_C_Sign;
		break;
	case CKA_DECRYPT:
		use->init = CALL_C_DecryptInit;
		use->step = CALL_C_Decrypt;
		break;
	default: /* CKA_ENCRYPT */
		use->init = CALL_C_EncryptInit;
		use->step = CALL_C_Encrypt;
		break;
	}
	return identity_use(ms, key, use);
}

static bool digest_of(const struct way *way, const CK_BYTE *answer, struct identity_answer *out)
{
	unsigned char bytes[8 + ANSWER_ROOM];

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)way->mechanism >> (56 - 8 * i));
	memcpy(bytes + 8, answer, way->out_len);
	out->mechanism = way->mechanism;
	out->use = way->use;
	return identity_sha256(bytes, 8 + way->out_len, out->digest);
}

/* Goes one way. */
static CK_RV ask(struct member_session *ms, CK_OBJECT_HANDLE key, const struct way *way,
		 const uint8_t *challenge, struct identity_answer *out, bool *answered)
{
	CK_BYTE answer[ANSWER_ROOM], iv[16] = {0};
	struct identity_use use = {.mech = {way->by, way->iv_len ? iv : NULL, way->iv_len},
				   .in = challenge,
				   .in_len = way->in_len,
				   .out = answer,
				   .out_len = sizeof answer};
	CK_RV rv = go(ms, key, way, &use);

	/* Something that failed before may have left an operation on the session. */
	out->is_doubtful =
		out->is_doubtful || identity_is_doubtful(rv) || rv == CKR_OPERATION_ACTIVE;
	if (rv != CKR_OK)
		return identity_refuses(ms, rv) ? CKR_OK : rv;
	*answered = use.out_len == way->out_len;
	if (*answered && !digest_of(way, answer, out))
		rv = CKR_HOST_MEMORY;
	OPENSSL_cleanse(answer, sizeof answer);
	return rv;
}

CK_RV identity_secret_answer(struct member_session *ms, CK_OBJECT_HANDLE real,
			     const struct identity_question *question, struct identity_answer *out,
			     bool *answered)
{
	const struct identity_attrs *attrs = question->attrs;
	const struct identity_answer *as = question->as;
	CK_RV rv = question->challenge ? CKR_OK : CKR_HOST_MEMORY;

	*answered = false;
	*out = (struct identity_answer){0};
	for (size_t i = 0; i < sizeof ways / sizeof ways[0] && rv == CKR_OK && !*answered; i++) {
		const struct way *way = &ways[i];

		if (way->type != question->type ||
		    (as && (way->mechanism != as->mechanism || way->use != as->use)) ||
		    !attr_bool(attrs->a, attrs->count, way->needs, false))
			continue;
		rv = ask(ms, real, way, question->challenge, out, answered);
	}
	return rv;
}

bool identity_secret_is_way(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	static const CK_ATTRIBUTE_TYPE types[] = {IDENTITY_SECRET_USES};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (attr_find(tmpl, count, types[i]))
			return true;
	return false;
}

size_t identity_secret_ways(CK_KEY_TYPE type, const struct identity_attrs *attrs,
			    struct identity_answer *list, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof ways / sizeof ways[0] && n < max; i++) {
		const struct way *way = &ways[i];
		size_t k = 0;

		if (way->type != type || !attr_bool(attrs->a, attrs->count, way->needs, false))
			continue;
		while (k < n && (list[k].mechanism != way->mechanism || list[k].use != way->use))
			k++;
		if (k == n)
			list[n++] = (struct identity_answer){.mechanism = way->mechanism,
							     .use = way->use};
	}
	return n;
}

CK_RV identity_secret_ask(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
			  const struct identity_attrs *attrs, const struct identity_answer *as,
			  struct identity_answer *out, bool *answered)
{
	const struct identity_question question = {type, attrs, identity_challenge(), as};

	return identity_secret_answer(ms, real, &question, out, answered);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A name for what an object is that is the same in every process, on every member, and for ever.
 *
 * SHA-256 over these, numbers with 8 bytes and the highest byte first:
 *   kind        enum identity_kind
 *   class       CKA_CLASS
 *   key type    CKA_KEY_TYPE
 *   mechanism   of a secret key's answer, else 0
 *   digest      32 bytes: of the content, of the public key, of the answer
 *
 * A secret key is asked in the order of preference of identity_secret.c, by what its own attributes
 * allow: when CKA_ENCRYPT is taken from it, or when members offer different mechanisms, the same
 * key has more than one name. fingerprint_all() gives all that it can have now.
 *
 * The challenge is no secret. An answer to it tells whoever has the name whether he guessed the
 * value of the key right: it says nothing about keys that nobody can guess. */
#include "core/fingerprint.h"

#include <string.h>

#include <openssl/err.h>

#include "core/identity_attr.h"
#include "core/identity_secret.h"
#include "core/identity_soft.h"
#include "core/identity_use.h"

/* The challenge is the SHA-256 of this. */
#define CHALLENGE_TEXT "hsmux: the fingerprint of a secret key, version 1"

_Static_assert(IDENTITY_CHALLENGE == 32, "a challenge is a SHA-256");

/* What a secret key is asked, and what it may be asked. */
struct asking {
	struct member_session *ms;
	CK_OBJECT_HANDLE real;
	const struct identity *id;
	struct identity_attrs attrs; /* owned */
	uint8_t challenge[IDENTITY_CHALLENGE];
};

static CK_RV asking_begin(struct asking *a, struct member_session *ms, CK_OBJECT_HANDLE real,
			  const struct identity *id)
{
	static const CK_ATTRIBUTE_TYPE types[] = {IDENTITY_SECRET_USES};

	*a = (struct asking){.ms = ms, .real = real, .id = id};
	if (!identity_sha256(CHALLENGE_TEXT, sizeof CHALLENGE_TEXT - 1, a->challenge))
		return CKR_HOST_MEMORY;
	return identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &a->attrs);
}

/* With `as`, an answer of that kind only. */
static CK_RV ask_on(const struct asking *a, struct member_session *ms,
		    const struct identity_answer *as, struct identity_answer *answer,
		    bool *answered)
{
	const struct identity_question question = {a->id->key_type, &a->attrs, a->challenge, as};
	CK_RV rv = identity_secret_answer(ms, a->real, &question, answer, answered);

	if (answer->is_doubtful) {
		ms->is_dirty = true;
		*answered = false;
	}
	return rv;
}

/* The same, once more on a session of its own after a code that says nothing. */
static CK_RV ask(const struct asking *a, const struct identity_answer *as,
		 struct identity_answer *answer, bool *answered)
{
	CK_RV rv = ask_on(a, a->ms, as, answer, answered);

	for (unsigned i = 1; i < IDENTITY_TRIES && rv == CKR_OK && answer->is_doubtful; i++) {
		struct member_session *ms;

		if (pool_take(a->ms->member, 0, 0, &ms) != CKR_OK)
			break;
		if (ms->epoch == a->ms->epoch)
			rv = ask_on(a, ms, as, answer, answered);
		pool_give(ms, 0);
	}
	return rv;
}

static unsigned char *add_number(unsigned char *at, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		*at++ = (unsigned char)(number >> (56 - 8 * i));
	return at;
}

static CK_RV make(const struct identity *id, CK_MECHANISM_TYPE mechanism, const uint8_t *digest,
		  uint8_t out[static FINGERPRINT_LEN])
{
	unsigned char bytes[4 * 8 + sizeof id->digest], *at = bytes;

	at = add_number(at, (uint64_t)id->kind);
	at = add_number(at, id->class);
	at = add_number(at, id->key_type);
	at = add_number(at, mechanism);
	memcpy(at, digest, sizeof id->digest);
	return identity_sha256(bytes, sizeof bytes, out) ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV of_secret(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		       uint8_t out[static FINGERPRINT_LEN], bool *has)
{
	struct identity_answer answer = {0};
	struct asking a;
	CK_RV rv = asking_begin(&a, ms, real, id);

	if (rv != CKR_OK)
		return rv;
	rv = ask(&a, NULL, &answer, has);
	identity_attrs_free(&a.attrs);
	if (rv == CKR_OK && *has)
		rv = make(id, answer.mechanism, answer.digest, out);
	*has = *has && rv == CKR_OK;
	return rv;
}

static CK_RV all_of_secret(struct member_session *ms, CK_OBJECT_HANDLE real,
			   const struct identity *id,
			   uint8_t out[static FINGERPRINT_WAYS][FINGERPRINT_LEN], size_t *count)
{
	struct identity_answer way[FINGERPRINT_WAYS], answer = {0};
	struct asking a;
	CK_RV rv = asking_begin(&a, ms, real, id);
	size_t n;

	if (rv != CKR_OK)
		return rv;
	n = identity_secret_ways(id->key_type, &a.attrs, way, FINGERPRINT_WAYS);
	for (size_t i = 0; rv == CKR_OK && i < n; i++) {
		bool answered = false;

		rv = ask(&a, &way[i], &answer, &answered);
		if (rv == CKR_OK && answered)
			rv = make(id, answer.mechanism, answer.digest, out[(*count)++]);
	}
	identity_attrs_free(&a.attrs);
	if (rv != CKR_OK)
		*count = 0;
	return rv;
}

CK_RV fingerprint_of(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		     uint8_t out[static FINGERPRINT_LEN], bool *has)
{
	CK_RV rv = CKR_OK;

	*has = false;
	ERR_set_mark(); /* the application's thread has an error queue of its own */
	switch (id->kind) {
	case IDENTITY_NONE:
		break;
	case IDENTITY_VALUE:
	case IDENTITY_PUBLIC:
		rv = make(id, 0, id->digest, out);
		*has = rv == CKR_OK;
		break;
	case IDENTITY_ANSWER:
		rv = of_secret(ms, real, id, out, has);
		break;
	}
	ERR_pop_to_mark();
	return rv;
}

CK_RV fingerprint_all(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		      uint8_t out[static FINGERPRINT_WAYS][FINGERPRINT_LEN], size_t *count)
{
	bool has = false;
	CK_RV rv;

	*count = 0;
	if (id->kind != IDENTITY_ANSWER) {
		rv = fingerprint_of(ms, real, id, out[0], &has);
		*count = has ? 1 : 0;
		return rv;
	}
	ERR_set_mark(); /* the application's thread has an error queue of its own */
	rv = all_of_secret(ms, real, id, out, count);
	ERR_pop_to_mark();
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks. Each one uses fresh random data, takes the first code that is not CKR_OK for the
 * operation's, and never tries again: an application that handles nothing. Everything that came out
 * is compared with OpenSSL, every time. */
#include "tests/bench/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above the 1 MiB that a multi-part operation may have and still survive its member. */
#define LONG_SIZE  (2U << 20)
#define PARTS_SIZE 65536
#define PART       4096
#define ROOM       (LONG_SIZE + 64)

static const char *const names[TASK_COUNT] = {[TASK_SIGN_EC] = "sign-ec",
					      [TASK_SIGN_RSA] = "sign-rsa",
					      [TASK_SIGN_PARTS] = "sign-parts",
					      [TASK_VERIFY] = "verify",
					      [TASK_GCM] = "gcm",
					      [TASK_CIPHER_PARTS] = "cipher-parts",
					      [TASK_CIPHER_LONG] = "cipher-long",
					      [TASK_HMAC] = "hmac",
					      [TASK_SESSION_KEY] = "session-key",
					      [TASK_DIGEST_PARTS] = "digest-parts",
					      [TASK_FIND] = "find",
					      [TASK_ATTRIBUTE] = "attribute",
					      [TASK_RANDOM] = "random",
					      [TASK_OPEN] = "open"};

const char *task_name(enum task task)
{
	return names[task];
}

uint64_t actor_random(struct actor *a)
{
	uint64_t z = a->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void fill(struct actor *a, CK_BYTE *out, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		uint64_t word = actor_random(a);

		memcpy(out + at, &word, len - at < sizeof(word) ? len - at : sizeof(word));
	}
}

/* True when the call succeeded; else it is what the task failed with. */
static bool ok(struct actor *a, CK_RV rv, const char *call)
{
	a->rv = rv;
	a->call = call;
	return rv == CKR_OK;
}

#define OK(actor, name, ...) ok(actor, (actor)->f->name(__VA_ARGS__), #name)

static enum outcome right_if(bool holds)
{
	return holds ? OUTCOME_RIGHT : OUTCOME_WRONG;
}

static enum outcome same(const CK_BYTE *got, size_t got_len, const CK_BYTE *wanted, size_t len)
{
	return right_if(len && got_len == len && memcmp(got, wanted, len) == 0);
}

static bool sign(struct actor *a, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
		 CK_OBJECT_HANDLE key, CK_ULONG len, CK_ULONG *out_len)
{
	CK_MECHANISM m = {type, NULL, 0};

	*out_len = ROOM;
	return OK(a, C_SignInit, session, &m, key) &&
	       OK(a, C_Sign, session, a->data, len, a->out, out_len);
}

static enum outcome sign_ec(struct actor *a, CK_SESSION_HANDLE session)
{
	CK_ULONG len;

	fill(a, a->data, 32);
	if (!sign(a, session, CKM_ECDSA, a->known->handle[KNOWN_EC], 32, &len))
		return OUTCOME_ERROR;
	return right_if(known_check_ec(a->data, a->out, len));
}

static enum outcome sign_rsa(struct actor *a)
{
	CK_ULONG len;

	fill(a, a->data, 100);
	if (!sign(a, a->session, CKM_SHA256_RSA_PKCS, a->known->handle[KNOWN_RSA], 100, &len))
		return OUTCOME_ERROR;
	return right_if(known_check_rsa(a->data, 100, a->out, len));
}

static enum outcome sign_parts(struct actor *a)
{
	CK_MECHANISM m = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_ULONG len = ROOM;

	fill(a, a->data, PARTS_SIZE);
	if (!OK(a, C_SignInit, a->session, &m, a->known->handle[KNOWN_RSA]))
		return OUTCOME_ERROR;
	for (size_t at = 0; at < PARTS_SIZE; at += PART)
		if (!OK(a, C_SignUpdate, a->session, a->data + at, PART))
			return OUTCOME_ERROR;
	if (!OK(a, C_SignFinal, a->session, a->out, &len))
		return OUTCOME_ERROR;
	return right_if(known_check_rsa(a->data, PARTS_SIZE, a->out, len));
}

/* A wrong signature is the application's business: the token must say so, and nothing else. */
static enum outcome verify(struct actor *a)
{
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_HANDLE key = a->known->handle[KNOWN_EC_PUBLIC];
	enum outcome outcome = sign_ec(a, a->session);

	if (outcome != OUTCOME_RIGHT)
		return outcome;
	if (!OK(a, C_VerifyInit, a->session, &m, key) ||
	    !OK(a, C_Verify, a->session, a->data, 32, a->out, 64))
		return a->rv == CKR_SIGNATURE_INVALID ? OUTCOME_WRONG : OUTCOME_ERROR;
	a->data[0] ^= 1;
	if (!OK(a, C_VerifyInit, a->session, &m, key))
		return OUTCOME_ERROR;
	if (OK(a, C_Verify, a->session, a->data, 32, a->out, 64))
		return OUTCOME_WRONG;
	return a->rv == CKR_SIGNATURE_INVALID ? OUTCOME_RIGHT : OUTCOME_ERROR;
}

static enum outcome gcm(struct actor *a)
{
	CK_BYTE iv[12];
	CK_GCM_PARAMS p = {iv, sizeof(iv), 8 * sizeof(iv), NULL, 0, 128};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof(p)};
	CK_OBJECT_HANDLE key = a->known->handle[KNOWN_AES];
	CK_ULONG len = ROOM;
	CK_ULONG plain_len = ROOM;
	size_t wanted;

	fill(a, iv, sizeof(iv));
	fill(a, a->data, 1024);
	if (!OK(a, C_EncryptInit, a->session, &m, key) ||
	    !OK(a, C_Encrypt, a->session, a->data, 1024, a->out, &len))
		return OUTCOME_ERROR;
	wanted = known_gcm(iv, a->data, 1024, a->expected);
	if (same(a->out, len, a->expected, wanted) != OUTCOME_RIGHT)
		return OUTCOME_WRONG;
	if (!OK(a, C_DecryptInit, a->session, &m, key) ||
	    !OK(a, C_Decrypt, a->session, a->expected, len, a->out, &plain_len))
		return OUTCOME_ERROR;
	return same(a->out, plain_len, a->data, 1024);
}

/* The Update and Final of one direction. */
struct cipher {
	CK_C_EncryptUpdate update;
	CK_C_EncryptFinal final;
	const char *update_name;
	const char *final_name;
};

static bool in_parts(struct actor *a, const struct cipher *c, CK_BYTE *in, size_t len, size_t part,
		     size_t *out_len)
{
	CK_ULONG room;

	*out_len = 0;
	for (size_t at = 0; at < len; at += part) {
		room = ROOM - *out_len;
		if (!ok(a,
			c->update(a->session, in + at, len - at < part ? len - at : part,
				  a->out + *out_len, &room),
			c->update_name))
			return false;
		*out_len += room;
	}
	room = ROOM - *out_len;
	if (!ok(a, c->final(a->session, a->out + *out_len, &room), c->final_name))
		return false;
	*out_len += room;
	return true;
}

static enum outcome cipher(struct actor *a, size_t size, size_t part)
{
	CK_BYTE iv[16];
	CK_MECHANISM m = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	struct cipher to = {a->f->C_EncryptUpdate, a->f->C_EncryptFinal, "C_EncryptUpdate",
			    "C_EncryptFinal"};
	struct cipher back = {a->f->C_DecryptUpdate, a->f->C_DecryptFinal, "C_DecryptUpdate",
			      "C_DecryptFinal"};
	CK_OBJECT_HANDLE key = a->known->handle[KNOWN_AES];
	size_t wanted;
	size_t len;

	fill(a, iv, sizeof(iv));
	fill(a, a->data, size);
	if (!OK(a, C_EncryptInit, a->session, &m, key) ||
	    !in_parts(a, &to, a->data, size, part, &len))
		return OUTCOME_ERROR;
	wanted = known_cbc_pad(iv, a->data, size, a->expected);
	if (same(a->out, len, a->expected, wanted) != OUTCOME_RIGHT)
		return OUTCOME_WRONG;
	if (!OK(a, C_DecryptInit, a->session, &m, key) ||
	    !in_parts(a, &back, a->expected, wanted, part, &len))
		return OUTCOME_ERROR;
	return same(a->out, len, a->data, size);
}

static enum outcome hmac(struct actor *a)
{
	CK_ULONG len;

	fill(a, a->data, 64);
	if (!sign(a, a->session, CKM_SHA256_HMAC, a->known->handle[KNOWN_HMAC], 64, &len))
		return OUTCOME_ERROR;
	return same(a->out, len, a->expected, known_hmac(a->data, 64, a->expected));
}

static enum outcome session_key(struct actor *a)
{
	CK_ULONG len;

	fill(a, a->data, 64);
	if (!sign(a, a->session, CKM_SHA256_HMAC, a->session_key, 64, &len))
		return OUTCOME_ERROR;
	return same(a->out, len, a->expected,
		    known_hmac_with(a->session_value, sizeof(a->session_value), a->data, 64,
				    a->expected));
}

static enum outcome digest_parts(struct actor *a)
{
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	CK_ULONG len = ROOM;

	fill(a, a->data, PARTS_SIZE);
	if (!OK(a, C_DigestInit, a->session, &m))
		return OUTCOME_ERROR;
	for (size_t at = 0; at < PARTS_SIZE; at += PART)
		if (!OK(a, C_DigestUpdate, a->session, a->data + at, PART))
			return OUTCOME_ERROR;
	if (!OK(a, C_DigestFinal, a->session, a->out, &len))
		return OUTCOME_ERROR;
	return same(a->out, len, a->expected, known_sha256(a->data, PARTS_SIZE, a->expected));
}

/* One key, once, under the handle that it always had. */
static enum outcome find(struct actor *a)
{
	enum known_key which = (enum known_key)(actor_random(a) % KNOWN_COUNT);
	CK_OBJECT_CLASS class = known_class(which);
	CK_OBJECT_HANDLE found[4];
	CK_ULONG count = 0;
	char label[16];
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_LABEL, label, 0}};
	bool is_good;

	tmpl[1].ulValueLen = (CK_ULONG)snprintf(label, sizeof(label), "%s", known_label(which));
	if (!OK(a, C_FindObjectsInit, a->session, tmpl, 2))
		return OUTCOME_ERROR;
	is_good = OK(a, C_FindObjects, a->session, found, 4, &count);
	if (!is_good)
		(void)a->f->C_FindObjectsFinal(a->session); /* the first code is what counts */
	else
		is_good = OK(a, C_FindObjectsFinal, a->session);
	if (!is_good)
		return OUTCOME_ERROR;
	snprintf(a->detail, sizeof(a->detail), "%s, class %lu: found %lu times%s", label, class,
		 count, count == 1 ? ", under another handle" : "");
	return right_if(count == 1 && found[0] == a->known->handle[which]);
}

static enum outcome attribute(struct actor *a)
{
	CK_ATTRIBUTE tmpl = {CKA_MODULUS, a->out, ROOM};
	size_t len;
	const CK_BYTE *modulus = known_modulus(&len);
	CK_OBJECT_HANDLE key = a->known->handle[KNOWN_RSA_PUBLIC];

	if (!OK(a, C_GetAttributeValue, a->session, key, &tmpl, 1))
		return OUTCOME_ERROR;
	return same(a->out, tmpl.ulValueLen, modulus, len);
}

static enum outcome random_bytes(struct actor *a)
{
	static const CK_BYTE zero[32];

	memset(a->out, 0, sizeof(zero));
	if (!OK(a, C_GenerateRandom, a->session, a->out, sizeof(zero)))
		return OUTCOME_ERROR;
	return right_if(memcmp(a->out, zero, sizeof(zero)) != 0);
}

static enum outcome own_session(struct actor *a)
{
	CK_SESSION_HANDLE session;
	enum outcome outcome;

	if (!OK(a, C_OpenSession, a->slot, CKF_SERIAL_SESSION, NULL, NULL, &session))
		return OUTCOME_ERROR;
	outcome = sign_ec(a, session);
	if (outcome == OUTCOME_RIGHT && !OK(a, C_CloseSession, session))
		return OUTCOME_ERROR;
	if (outcome != OUTCOME_RIGHT)
		(void)a->f->C_CloseSession(session); /* the first code is what counts */
	return outcome;
}

enum outcome task_run(struct actor *a, enum task task)
{
	a->rv = CKR_OK;
	a->detail[0] = '\0';
	switch (task) {
	case TASK_SIGN_EC:
		return sign_ec(a, a->session);
	case TASK_SIGN_RSA:
		return sign_rsa(a);
	case TASK_SIGN_PARTS:
		return sign_parts(a);
	case TASK_VERIFY:
		return verify(a);
	case TASK_GCM:
		return gcm(a);
	case TASK_CIPHER_PARTS:
		return cipher(a, PARTS_SIZE, PART);
	case TASK_CIPHER_LONG:
		return cipher(a, LONG_SIZE, 16 * PART);
	case TASK_HMAC:
		return hmac(a);
	case TASK_SESSION_KEY:
		return session_key(a);
	case TASK_DIGEST_PARTS:
		return digest_parts(a);
	case TASK_FIND:
		return find(a);
	case TASK_ATTRIBUTE:
		return attribute(a);
	case TASK_RANDOM:
		return random_bytes(a);
	case TASK_OPEN:
		return own_session(a);
	case TASK_COUNT:
		break;
	}
	return OUTCOME_WRONG;
}

static bool make_session_key(struct actor *a)
{
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	static CK_BBOOL yes = CK_TRUE;
	static CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SIGN, &yes, sizeof(yes)},
		{CKA_VALUE, a->session_value, sizeof(a->session_value)},
	};

	fill(a, a->session_value, sizeof(a->session_value));
	return OK(a, C_CreateObject, a->session, tmpl, 6, &a->session_key);
}

bool actor_begin(struct actor *a, uint64_t seed)
{
	a->random = seed;
	a->data = malloc(ROOM);
	a->out = malloc(ROOM);
	a->expected = malloc(ROOM);
	if (!a->data || !a->out || !a->expected)
		return false;
	if (!OK(a, C_OpenSession, a->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
		&a->session) ||
	    !make_session_key(a)) {
		fprintf(stderr, "%s: 0x%lx\n", a->call, a->rv);
		return false;
	}
	return true;
}

void actor_end(struct actor *a)
{
	free(a->data);
	free(a->out);
	free(a->expected);
}

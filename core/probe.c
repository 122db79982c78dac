/* SPDX-License-Identifier: BSD-2-Clause */
/* The probe and the canary.
 *
 * What costs a token nothing it answers even when it is gone: a SoftHSM2 without its store opens
 * sessions and gives random bytes, a TPM that was reset describes itself. So the probe asks for
 * something of each sort, and on members that can be replaced also for the canary: it must be found
 * and give the HMAC that OpenSSL gives, which shows that the store is there and that handles mean
 * the keys that they should.
 *
 * A token where the canary cannot be kept (write-protected, no HMAC, against a policy) is judged
 * without it. Runs under the lock of the library, on a session of its own that is closed again.
 * Must never log in or touch an object that hsmux did not make. */
#include "core/probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/group.h"
#include "core/library.h"

/* Two processes that look and make at the same time leave two; somebody else may have used the
 * name. */
#define FOUND_MAX 4UL

/* A probe that is going on. */
struct probe {
	struct member *m;
	const CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE s;
	bool is_user; /* the session saw a user logged in when it began */
};

/* Published on purpose: the same on every member, so that its answers can be checked. */
static const CK_BYTE canary_value[32] = {"hsmux-canary: it guards nothing."};

static enum probe_answer dead(struct member *m, const char *why)
{
	(void)snprintf(m->reason, sizeof m->reason, "%s", why);
	return PROBE_DEAD;
}

static enum probe_answer dead_code(struct member *m, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	(void)snprintf(m->reason, sizeof m->reason, "%s answered %s", what,
		       name_of(NAME_RV, rv, code));
	return PROBE_DEAD;
}

/* The canary did not do what it did before: whether the code says that the token is gone. */
static enum probe_answer canary_failed(struct member *m, const char *what, CK_RV rv)
{
	static const CK_RV hard[] = {
		CKR_DEVICE_REMOVED,
		CKR_TOKEN_NOT_PRESENT,
		CKR_TOKEN_NOT_RECOGNIZED,
		CKR_CRYPTOKI_NOT_INITIALIZED,
		CKR_SLOT_ID_INVALID,
		/* It was found a moment ago: a SoftHSM2 whose store is gone. */
		CKR_OBJECT_HANDLE_INVALID,
		CKR_KEY_HANDLE_INVALID,
		(CK_RV)-1,
	};

	(void)dead_code(m, what, rv);
	for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
		if (hard[i] == rv)
			return PROBE_DEAD;
	return PROBE_DOUBTFUL;
}

/* Codes that say that the token will not do this, not that it fails. */
static bool is_unwilling(CK_RV rv)
{
	static const CK_RV codes[] = {
		CKR_USER_NOT_LOGGED_IN,      CKR_MECHANISM_INVALID,
		CKR_MECHANISM_PARAM_INVALID, CKR_FUNCTION_NOT_SUPPORTED,
		CKR_KEY_TYPE_INCONSISTENT,   CKR_KEY_FUNCTION_NOT_PERMITTED,
		CKR_KEY_SIZE_RANGE,          CKR_ACTION_PROHIBITED,
	};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i] == rv)
			return true;
	return false;
}

/* The member is judged without the canary, or without its use: said once. */
static void say_without(struct member *m, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	if (m->canary.is_said)
		return;
	m->canary.is_said = true;
	log_msg(LOG_LEVEL_INFO,
		"member %s of token %s: %s (%s); whether it is alive is judged without that",
		m->conf->name, m->group_label, what, name_of(NAME_RV, rv, code));
}

/* The token's own word: what hsmux remembers may be changing at this moment. */
static bool sees_user(const struct probe *p)
{
	CK_SESSION_INFO info = {0};

	return p->f->C_GetSessionInfo(p->s, &info) == CKR_OK &&
	       (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

static CK_RV find(const struct probe *p, CK_OBJECT_HANDLE found[FOUND_MAX], CK_ULONG *n)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_BYTE label[] = PROBE_CANARY_LABEL;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_LABEL, label, sizeof label - 1}};
	CK_RV rv = p->f->C_FindObjectsInit(p->s, tmpl, 2);

	*n = 0;
	if (rv != CKR_OK)
		return rv;
	rv = p->f->C_FindObjects(p->s, found, FOUND_MAX, n);
	(void)p->f->C_FindObjectsFinal(p->s); /* as many as fit are enough */
	if (rv == CKR_OK && *n > FOUND_MAX)
		return CKR_DEVICE_ERROR;
	return rv;
}

/* Everybody knows its value: a key that wraps or decrypts would give away what others keep on the
 * token, and nobody may make it one later. A session's object is used once and has no name, or it
 * could be found by mistake. */
static CK_RV create(const struct probe *p, bool on_token, CK_OBJECT_HANDLE *made)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE, token = on_token ? CK_TRUE : CK_FALSE;
	CK_BYTE label[] = PROBE_CANARY_LABEL, value[sizeof canary_value];
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof class},    {CKA_KEY_TYPE, &type, sizeof type},
		{CKA_TOKEN, &token, sizeof token},    {CKA_PRIVATE, &no, sizeof no},
		{CKA_MODIFIABLE, &no, sizeof no},     {CKA_SENSITIVE, &no, sizeof no},
		{CKA_SIGN, &yes, sizeof yes},         {CKA_VERIFY, &yes, sizeof yes},
		{CKA_ENCRYPT, &no, sizeof no},        {CKA_DECRYPT, &no, sizeof no},
		{CKA_WRAP, &no, sizeof no},           {CKA_UNWRAP, &no, sizeof no},
		{CKA_DERIVE, &no, sizeof no},         {CKA_VALUE, value, sizeof value},
		{CKA_LABEL, label, sizeof label - 1},
	};
	CK_ULONG count = sizeof tmpl / sizeof tmpl[0];

	memcpy(value, canary_value, sizeof value);
	return p->f->C_CreateObject(p->s, tmpl, on_token ? count : count - 1, made);
}

/* The answer of `key` to the challenge; *is_right when it is the canary's. */
static CK_RV answer_of(const struct probe *p, CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE type,
		       bool *is_right)
{
	CK_MECHANISM mech = {type, NULL, 0};
	CK_BYTE challenge[32] = {0}, mac[64] = {0};
	unsigned char wanted[EVP_MAX_MD_SIZE];
	unsigned wanted_len = 0;
	CK_ULONG len = sizeof mac;
	CK_RV rv;

	*is_right = false;
	if (getrandom(challenge, sizeof challenge, 0) != (ssize_t)sizeof challenge ||
	    !HMAC(type == CKM_SHA256_HMAC ? EVP_sha256() : EVP_sha1(), canary_value,
		  (int)sizeof canary_value, challenge, sizeof challenge, wanted, &wanted_len))
		return CKR_HOST_MEMORY;
	rv = p->f->C_SignInit(p->s, &mech, key);
	if (rv == CKR_OK)
		rv = p->f->C_Sign(p->s, challenge, sizeof challenge, mac, &len);
	*is_right = rv == CKR_OK && len == wanted_len && CRYPTO_memcmp(mac, wanted, len) == 0;
	return rv;
}

/* The same with the mechanism that the token has. */
static CK_RV try_key(const struct probe *p, CK_OBJECT_HANDLE key, bool *is_right)
{
	struct member_canary *c = &p->m->canary;
	CK_RV rv;

	if (c->mech == CKM_SHA_1_HMAC)
		return answer_of(p, key, CKM_SHA_1_HMAC, is_right);
	rv = answer_of(p, key, CKM_SHA256_HMAC, is_right);
	if (rv == CKR_MECHANISM_INVALID && c->mech != CKM_SHA256_HMAC) {
		rv = answer_of(p, key, CKM_SHA_1_HMAC, is_right);
		c->mech = rv == CKR_OK ? CKM_SHA_1_HMAC : c->mech;
	} else if (rv == CKR_OK) {
		c->mech = CKM_SHA256_HMAC;
	}
	return rv;
}

/* Whether the token's HMAC is one at all: a key that it was given a moment ago answers rightly, or
 * cannot be made. */
static bool computes(const struct probe *p)
{
	CK_OBJECT_HANDLE key = 0;
	bool is_right = true;

	if (create(p, false, &key) != CKR_OK)
		return true;
	(void)try_key(p, key, &is_right);
	(void)p->f->C_DestroyObject(p->s, key); /* goes with the session, too */
	return is_right;
}

static enum probe_answer use(const struct probe *p, const CK_OBJECT_HANDLE *found, CK_ULONG n)
{
	struct member_canary *c = &p->m->canary;
	CK_RV rv = CKR_OK, last = CKR_OK;
	bool is_right = false;

	for (CK_ULONG i = 0; i < n; i++) {
		rv = try_key(p, found[i], &is_right);
		if (is_right) {
			c->was_right = true;
			return PROBE_GOOD;
		}
		if (rv != CKR_OK)
			last = rv;
	}
	if (last != CKR_OK && is_unwilling(last) && !c->was_right) {
		if (last != CKR_USER_NOT_LOGGED_IN)
			say_without(p->m, "its canary can be found, but not used", last);
		return PROBE_GOOD;
	}
	if (last == CKR_USER_NOT_LOGGED_IN)
		return PROBE_GOOD; /* logged out since it was last used */
	if (last != CKR_OK)
		return canary_failed(p->m, "using the canary", last);
	if (c->was_right || computes(p))
		return dead(p->m, "its canary answers wrongly: handles do not mean the keys "
				  "that they should");
	say_without(p->m, "its HMAC is not the standard's", CKR_OK);
	c->is_unused = true;
	return PROBE_GOOD;
}

static enum probe_answer seen(const struct probe *p, const CK_OBJECT_HANDLE *found, CK_ULONG n)
{
	atomic_fetch_or(&p->m->has_canary,
			p->is_user ? (unsigned)PROBE_SEEN_USER : (unsigned)PROBE_SEEN_PUBLIC);
	p->m->canary.lib_epoch = atomic_load(&p->m->lib->epoch);
	return p->m->canary.is_unused ? PROBE_GOOD : use(p, found, n);
}

/* Whether it was found before by somebody who saw no more than this session. */
static bool must_be_there(const struct probe *p)
{
	unsigned has = atomic_load(&p->m->has_canary);

	return (has & PROBE_SEEN_PUBLIC) || (p->is_user && (has & PROBE_SEEN_USER));
}

/* A token that takes an object and then does not find it is polite, and dead. */
static enum probe_answer look_for_new(const struct probe *p, CK_OBJECT_HANDLE made)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG n;
	CK_RV rv = find(p, found, &n);

	if (rv != CKR_OK)
		return canary_failed(p->m, "looking for the canary", rv);
	if (n > 0)
		return seen(p, found, n);
	(void)p->f->C_DestroyObject(p->s, made); /* or each attempt would leave one more */
	return dead(p->m, "it does not find the canary that was just made on it");
}

/* On a session of its own, as the probe's cannot write. */
static CK_RV make_on_token(const struct probe *p, enum probe_answer *answer)
{
	CK_OBJECT_HANDLE made = 0;
	struct probe rw = *p;
	CK_RV rv;

	if (!pool_reserve(p->m))
		return CKR_SESSION_COUNT;
	rv = p->f->C_OpenSession(p->m->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				 &rw.s);
	if (rv != CKR_OK) {
		pool_unreserve(p->m);
		return rv;
	}
	rv = create(&rw, true, &made);
	if (rv == CKR_OK) {
		log_msg(LOG_LEVEL_INFO,
			"member %s of token %s: the key \"%s\" was made on it, to show whether it "
			"is alive",
			p->m->conf->name, p->m->group_label, PROBE_CANARY_LABEL);
		*answer = look_for_new(&rw, made);
	}
	(void)p->f->C_CloseSession(rw.s); /* a token object stays */
	pool_unreserve(p->m);
	return rv;
}

/* None is there. Where one was before, the library was started anew since, so that this is not a
 * store that is out of sight. */
static enum probe_answer make(const struct probe *p)
{
	struct member_canary *c = &p->m->canary;
	bool was_there = must_be_there(p);
	enum probe_answer answer;
	CK_RV rv;

	if (!was_there && (c->is_refused || (c->wants_user && !p->is_user)))
		return PROBE_GOOD;
	rv = make_on_token(p, &answer);
	if (rv == CKR_OK)
		return answer;
	if (rv == CKR_SESSION_COUNT)
		return PROBE_GOOD; /* busy: another time */
	if (was_there)
		return dead_code(p->m, "its canary is gone, and making a new one", rv);
	if (rv == CKR_USER_NOT_LOGGED_IN && !p->is_user) {
		c->wants_user = true;
		return PROBE_GOOD;
	}
	c->is_refused = true;
	say_without(p->m, "no canary key can be made on it", rv);
	return PROBE_GOOD;
}

static enum probe_answer ask_canary(struct probe *p)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG n;
	CK_RV rv;

	p->is_user = sees_user(p);
	rv = find(p, found, &n);
	if (rv != CKR_OK && is_unwilling(rv))
		return PROBE_GOOD;
	if (rv != CKR_OK)
		return canary_failed(p->m, "looking for the canary", rv);
	if (n > 0)
		return seen(p, found, n);
	if (!must_be_there(p) || p->m->canary.lib_epoch != atomic_load(&p->m->lib->epoch))
		return make(p);
	if (p->is_user && !sees_user(p))
		return PROBE_GOOD; /* logged out in between: it need not be visible now */
	return dead(p->m, "its canary is gone: it answers, but finds nothing");
}

/* Random bytes, and the canary. */
static enum probe_answer ask_in_session(struct probe *p)
{
	enum probe_answer answer = PROBE_GOOD;
	struct member *m = p->m;
	CK_BYTE bytes[8];
	CK_RV rv = p->f->C_OpenSession(m->slot, CKF_SERIAL_SESSION, NULL, NULL, &p->s);

	if (rv == CKR_SESSION_COUNT || rv == CKR_SESSION_READ_WRITE_SO_EXISTS)
		return PROBE_GOOD; /* busy is alive */
	if (rv != CKR_OK)
		return dead_code(m, "C_OpenSession", rv);
	rv = p->f->C_GenerateRandom(p->s, bytes, sizeof bytes);
	if (rv != CKR_OK && rv != CKR_RANDOM_NO_RNG && rv != CKR_FUNCTION_NOT_SUPPORTED &&
	    rv != CKR_USER_NOT_LOGGED_IN)
		answer = dead_code(m, "C_GenerateRandom", rv);
	else if (m->group->is_multi)
		answer = ask_canary(p);
	(void)p->f->C_CloseSession(p->s); /* the answer is known already */
	return answer;
}

static enum probe_answer ask(struct member *m)
{
	struct probe p = {.m = m, .f = m->lib->v2};
	enum probe_answer answer;
	CK_TOKEN_INFO info;
	CK_RV rv = p.f->C_GetTokenInfo(m->slot, &info);

	if (rv != CKR_OK)
		return dead_code(m, "C_GetTokenInfo", rv);
	if (m->group->is_multi && !pool_reserve(m))
		return PROBE_GOOD; /* all sessions that it may have are at work */
	answer = ask_in_session(&p);
	if (m->group->is_multi)
		pool_unreserve(m);
	return answer;
}

enum probe_answer probe_member(struct member *m)
{
	struct library_guard guard;
	enum probe_answer answer;

	library_guard(m->lib, &guard);
	answer = ask(m);
	library_unguard(&guard);
	return answer;
}

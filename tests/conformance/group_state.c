/* SPDX-License-Identifier: BSD-2-Clause */
/* Active operations: which call is right when. Base 5.2, 5.6 (C_SessionCancel), 5.8 to 5.15. */
#include <string.h>

#include "tests/conformance/world.h"

static CK_BYTE iv[16];
static CK_MECHANISM cbc = {CKM_AES_CBC, iv, sizeof(iv)};
static CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
static CK_MECHANISM sha = {CKM_SHA256, NULL, 0};

/* A session with keys for every class of operation. */
struct place {
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE aes;
	CK_OBJECT_HANDLE mac;
	CK_BYTE out[64];
	CK_ULONG len;
};

static struct place enter(struct suite *t)
{
	struct place p = {.s = world_user(t), .len = 64};

	p.aes = world_aes(t, p.s);
	p.mac = world_generic(t, p.s);
	return p;
}

static void idle(struct suite *t, struct place *p)
{
	p->len = sizeof(p->out);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Encrypt, p->s, world_text, 16, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, EncryptUpdate, p->s, world_text, 16, p->out,
	       &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, EncryptFinal, p->s, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Decrypt, p->s, world_text, 16, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DecryptUpdate, p->s, world_text, 16, p->out,
	       &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DecryptFinal, p->s, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Digest, p->s, world_text, 16, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DigestUpdate, p->s, world_text, 16);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DigestFinal, p->s, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Sign, p->s, world_text, 16, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, SignUpdate, p->s, world_text, 16);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, SignFinal, p->s, p->out, &p->len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, Verify, p->s, world_text, 16, p->out, 32);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyUpdate, p->s, world_text, 16);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, VerifyFinal, p->s, p->out, 32);
}

static void nothing_begun(struct suite *t)
{
	struct place p = enter(t);

	idle(t, &p);
}

static void begin_all(struct suite *t, struct place *p)
{
	OK(t, EncryptInit, p->s, &cbc, p->aes);
	OK(t, SessionCancel, p->s, CKF_ENCRYPT);
	OK(t, DecryptInit, p->s, &cbc, p->aes);
	OK(t, SessionCancel, p->s, CKF_DECRYPT);
	OK(t, DigestInit, p->s, &sha);
	OK(t, SessionCancel, p->s, CKF_DIGEST);
	OK(t, SignInit, p->s, &hmac, p->mac);
	OK(t, SessionCancel, p->s, CKF_SIGN);
	OK(t, VerifyInit, p->s, &hmac, p->mac);
	OK(t, SessionCancel, p->s, CKF_VERIFY);
}

static void begun_twice(struct suite *t)
{
	struct place p = enter(t);

	OK(t, EncryptInit, p.s, &cbc, p.aes);
	EXPECT(t, CKR_OPERATION_ACTIVE, EncryptInit, p.s, &cbc, p.aes);
	OK(t, Encrypt, p.s, world_text, 16, p.out, &p.len);
	OK(t, DecryptInit, p.s, &cbc, p.aes);
	EXPECT(t, CKR_OPERATION_ACTIVE, DecryptInit, p.s, &cbc, p.aes);
	p.len = sizeof(p.out);
	OK(t, Decrypt, p.s, world_text, 16, p.out, &p.len);
	OK(t, DigestInit, p.s, &sha);
	EXPECT(t, CKR_OPERATION_ACTIVE, DigestInit, p.s, &sha);
	p.len = sizeof(p.out);
	OK(t, Digest, p.s, world_text, 16, p.out, &p.len);
	OK(t, SignInit, p.s, &hmac, p.mac);
	EXPECT(t, CKR_OPERATION_ACTIVE, SignInit, p.s, &hmac, p.mac);
	p.len = sizeof(p.out);
	OK(t, Sign, p.s, world_text, 16, p.out, &p.len);
	OK(t, VerifyInit, p.s, &hmac, p.mac);
	EXPECT(t, CKR_OPERATION_ACTIVE, VerifyInit, p.s, &hmac, p.mac);
	OK(t, Verify, p.s, world_text, 16, p.out, p.len);
	idle(t, &p);
}

static void null_cancels(struct suite *t)
{
	struct place p = enter(t);

	OK(t, EncryptInit, p.s, &cbc, p.aes);
	OK(t, EncryptInit, p.s, NULL, 0);
	OK(t, DecryptInit, p.s, &cbc, p.aes);
	OK(t, DecryptInit, p.s, NULL, 0);
	OK(t, DigestInit, p.s, &sha);
	OK(t, DigestInit, p.s, NULL);
	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SignInit, p.s, NULL, 0);
	OK(t, VerifyInit, p.s, &hmac, p.mac);
	OK(t, VerifyInit, p.s, NULL, 0);
	idle(t, &p);
	begin_all(t, &p);
	idle(t, &p);
}

static void null_in_the_middle(struct suite *t)
{
	struct place p = enter(t);

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SignUpdate, p.s, world_text, 16);
	OK(t, SignInit, p.s, NULL, p.mac);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, SignFinal, p.s, p.out, &p.len);
	OK(t, EncryptInit, p.s, &cbc, p.aes);
	OK(t, EncryptUpdate, p.s, world_text, 32, p.out, &p.len);
	OK(t, EncryptInit, p.s, NULL, 0);
	idle(t, &p);
}

static void cancels(struct suite *t)
{
	struct place p = enter(t);
	CK_OBJECT_HANDLE o;
	CK_ULONG count;

	OK(t, SessionCancel, p.s, 0);
	OK(t, SessionCancel, p.s, CKF_SIGN | CKF_ENCRYPT | CKF_FIND_OBJECTS);
	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SessionCancel, p.s, 0);
	OK(t, SessionCancel, p.s, CKF_DECRYPT | CKF_DIGEST);
	OK(t, Sign, p.s, world_text, 16, p.out, &p.len);
	OK(t, FindObjectsInit, p.s, NULL, 0);
	OK(t, SessionCancel, p.s, CKF_FIND_OBJECTS);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjects, p.s, &o, 1, &count);
	OK(t, FindObjectsInit, p.s, NULL, 0);
	OK(t, SessionCancel, p.s, CKF_SIGN);
	OK(t, FindObjects, p.s, &o, 1, &count);
	OK(t, FindObjectsFinal, p.s);
	idle(t, &p);
}

static void failed_begin(struct suite *t)
{
	struct place p = enter(t);
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};

	EXPECT(t, CKR_MECHANISM_INVALID, EncryptInit, p.s, &unknown, p.aes);
	EXPECT(t, CKR_MECHANISM_INVALID, DigestInit, p.s, &unknown);
	EXPECT(t, CKR_MECHANISM_INVALID, SignInit, p.s, &unknown, p.mac);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, VerifyInit, p.s, &hmac, 0);
	idle(t, &p);
	begin_all(t, &p);
}

/* A single-part call cannot end an operation in parts. */
static void mixed(struct suite *t)
{
	struct place p = enter(t);

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SignUpdate, p.s, world_text, 16);
	CHECK(t, CALL(t, Sign, p.s, world_text, 16, p.out, &p.len) != CKR_OK);
	(void)CALL(t, SignInit, p.s, NULL, 0);
	OK(t, DigestInit, p.s, &sha);
	OK(t, DigestUpdate, p.s, world_text, 16);
	p.len = sizeof(p.out);
	CHECK(t, CALL(t, Digest, p.s, world_text, 16, p.out, &p.len) != CKR_OK);
	(void)CALL(t, DigestInit, p.s, NULL);
	OK(t, EncryptInit, p.s, &cbc, p.aes);
	p.len = sizeof(p.out);
	OK(t, EncryptUpdate, p.s, world_text, 16, p.out, &p.len);
	p.len = sizeof(p.out);
	CHECK(t, CALL(t, Encrypt, p.s, world_text, 16, p.out, &p.len) != CKR_OK);
	(void)CALL(t, EncryptInit, p.s, NULL, 0);
	begin_all(t, &p);
}

/* One operation in one session does not touch another session. */
static void apart(struct suite *t)
{
	struct place p = enter(t);
	CK_SESSION_HANDLE other = world_open(t, RO);
	CK_BYTE again[32];
	CK_ULONG len = sizeof(again);

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SignInit, other, &hmac, p.mac);
	OK(t, SignUpdate, p.s, world_text, 16);
	OK(t, SignUpdate, other, world_text, 8);
	OK(t, SignUpdate, other, world_text + 8, 8);
	OK(t, SignFinal, other, again, &len);
	OK(t, SignFinal, p.s, p.out, &p.len);
	CHECK(t, len == 32 && p.len == 32 && memcmp(again, p.out, 32) == 0);
	OK(t, SignInit, other, &hmac, p.mac);
	OK(t, CloseSession, other);
	idle(t, &p);
}

/* Objects and random numbers do not disturb an operation. */
static void undisturbed(struct suite *t)
{
	struct place p = enter(t);
	CK_BYTE random[8];
	CK_BYTE wanted[32];
	CK_ULONG len = sizeof(wanted);

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, Sign, p.s, world_text, 32, wanted, &len);
	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SignUpdate, p.s, world_text, 16);
	OK(t, GenerateRandom, p.s, random, sizeof(random));
	OK(t, DestroyObject, p.s, world_object(t, p.s, "conform mine", false, true));
	CHECK(t, world_is(t, p.s, p.mac, CKA_SIGN));
	OK(t, SignUpdate, p.s, world_text + 16, 16);
	OK(t, SignFinal, p.s, p.out, &p.len);
	CHECK(t, p.len == 32 && memcmp(p.out, wanted, 32) == 0);
}

static void empty_parts(struct suite *t)
{
	struct place p = enter(t);
	CK_BYTE wanted[32];
	CK_ULONG len = sizeof(wanted);

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, Sign, p.s, world_text, 0, wanted, &len);
	CHECK(t, len == 32);
	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, SignUpdate, p.s, world_text, 0);
	OK(t, SignFinal, p.s, p.out, &p.len);
	CHECK(t, p.len == 32 && memcmp(p.out, wanted, 32) == 0);
}

static void closed(struct suite *t)
{
	struct place p = enter(t);
	CK_SESSION_HANDLE s = world_open(t, RW);

	OK(t, SignInit, s, &hmac, p.mac);
	OK(t, FindObjectsInit, s, NULL, 0);
	OK(t, CloseSession, s);
	EXPECT(t, CKR_SESSION_HANDLE_INVALID, SignUpdate, s, world_text, 16);
	s = world_open(t, RW);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, SignUpdate, s, world_text, 16);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjectsFinal, s);
}

/* Usage Guide 2.5: the object goes with its session, whoever works with it. */
static void key_goes(struct suite *t)
{
	struct place p = enter(t);
	CK_SESSION_HANDLE other = world_open(t, RW);
	CK_RV rv;

	OK(t, SignInit, other, &hmac, p.mac);
	OK(t, SignUpdate, other, world_text, 16);
	OK(t, CloseSession, p.s);
	rv = CALL(t, SignFinal, other, p.out, &p.len);
	CHECK(t, rv != CKR_OK || p.len == 32);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, SignInit, other, &hmac, p.mac);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, SignFinal, other, p.out, &p.len);
}

static void key_destroyed(struct suite *t)
{
	struct place p = enter(t);
	CK_RV rv;

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, DestroyObject, p.s, p.mac);
	rv = CALL(t, Sign, p.s, world_text, 16, p.out, &p.len);
	CHECK(t, rv != CKR_OK || p.len == 32);
	idle(t, &p);
}

static void several_kinds(struct suite *t)
{
	struct place p = enter(t);
	CK_BYTE digest[32];
	CK_ULONG len = sizeof(digest);

	OK(t, SignInit, p.s, &hmac, p.mac);
	if (!EXPECT_ANY(t, CODES(CKR_OK, CKR_OPERATION_ACTIVE), DigestInit, p.s, &sha))
		return;
	OK(t, SignUpdate, p.s, world_text, 16);
	if (CALL(t, DigestUpdate, p.s, world_text, 16) == CKR_OK)
		OK(t, DigestFinal, p.s, digest, &len);
	OK(t, SignFinal, p.s, p.out, &p.len);
	CHECK(t, p.len == 32 && memcmp(p.out, digest, 32) != 0);
	idle(t, &p);
}

static void after_logout(struct suite *t)
{
	struct place p = enter(t);
	CK_RV rv;

	OK(t, SignInit, p.s, &hmac, p.mac);
	OK(t, Logout, p.s);
	rv = CALL(t, Sign, p.s, world_text, 16, p.out, &p.len);
	CHECK(t, rv != CKR_OK || p.len == 32);
	idle(t, &p);
}

static const struct conform_case cases[] = {
	{"with nothing begun every step is CKR_OPERATION_NOT_INITIALIZED", nothing_begun},
	{"beginning twice is CKR_OPERATION_ACTIVE and leaves the first operation", begun_twice},
	{"Init with a NULL mechanism ends the operation", null_cancels},
	{"Init with a NULL mechanism ends an operation in parts", null_in_the_middle},
	{"C_SessionCancel ends what its flags name and nothing else", cancels},
	{"a failed Init begins nothing", failed_begin},
	{"a single-part call does not complete an operation in parts", mixed},
	{"operations of two sessions are apart", apart},
	{"objects and random numbers do not disturb an operation", undisturbed},
	{"empty data and empty parts are fine", empty_parts},
	{"closing a session ends its operations", closed},
	{"a key that goes with its session ends or completes an operation elsewhere", key_goes},
	{"a key that is destroyed ends or completes its operation", key_destroyed},
	{"operations of several kinds are apart, or one at a time", several_kinds},
	{"C_Logout ends or completes an operation", after_logout},
};

const struct group group_state = {"state", CASES_OF(cases), false};

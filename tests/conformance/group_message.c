/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of 3.0: Base 5.9, 5.11, 5.14, 5.16; AES-GCM messages: Current Mechanisms 2.13.4, checked
 * with OpenSSL. A token without them says CKR_FUNCTION_NOT_SUPPORTED. */
#include <openssl/evp.h>
#include <string.h>

#include "tests/conformance/world.h"

#define LEN 40 /* of a message, the first bytes of world_text */
#define AAD world_text, 20

static CK_BYTE iv[12] = "twelve bytes";

/* A session with a key, and one message. */
struct place {
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;
	CK_GCM_MESSAGE_PARAMS params;
	CK_MECHANISM mechanism;
	CK_BYTE iv[12];
	CK_BYTE tag[16];
	CK_BYTE out[LEN];
	CK_ULONG len;
	CK_BYTE wanted[LEN];
	CK_BYTE wanted_tag[16];
};

static void reference(struct place *p)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len = 0;

	if (c && EVP_EncryptInit_ex2(c, EVP_aes_128_gcm(), world_key, p->iv, NULL) == 1) {
		(void)EVP_EncryptUpdate(c, NULL, &len, AAD);
		(void)EVP_EncryptUpdate(c, p->wanted, &len, world_text, LEN);
		(void)EVP_EncryptFinal_ex(c, p->wanted + len, &len);
		(void)EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, p->wanted_tag);
	}
	EVP_CIPHER_CTX_free(c);
}

/* False, and the case skipped, when the token has no messages. */
static bool enter(struct suite *t, struct place *p)
{
	CK_RV rv;

	*p = (struct place){.s = world_user(t), .len = LEN};
	p->key = world_aes(t, p->s);
	memcpy(p->iv, iv, sizeof(iv));
	p->params = (CK_GCM_MESSAGE_PARAMS){p->iv, sizeof(p->iv), 0, CKG_NO_GENERATE, p->tag, 128};
	p->mechanism = (CK_MECHANISM){CKM_AES_GCM, &p->params, sizeof(p->params)};
	reference(p);
	rv = CALL(t, MessageEncryptInit, p->s, &p->mechanism, p->key);
	if (rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_MECHANISM_INVALID) {
		suite_skip(t, "no messages");
		return false;
	}
	CHECK(t, rv == CKR_OK);
	OK(t, MessageEncryptFinal, p->s);
	return true;
}

#define PARAMS(p) &(p)->params, sizeof((p)->params)

static void encrypts(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	OK(t, MessageEncryptInit, p.s, &p.mechanism, p.key);
	for (int i = 0; i < 3; i++) {
		memset(p.tag, 0, sizeof(p.tag));
		memset(p.out, 0, sizeof(p.out));
		p.iv[0] = (CK_BYTE)i;
		reference(&p);
		p.len = LEN;
		OK(t, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN, p.out, &p.len);
		CHECK(t, p.len == LEN && memcmp(p.out, p.wanted, LEN) == 0);
		CHECK(t, memcmp(p.tag, p.wanted_tag, 16) == 0);
	}
	OK(t, MessageEncryptFinal, p.s);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, MessageEncryptFinal, p.s);
}

static void decrypts(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	OK(t, MessageDecryptInit, p.s, &p.mechanism, p.key);
	for (int i = 0; i < 3; i++) {
		p.iv[0] = (CK_BYTE)i;
		reference(&p);
		memcpy(p.tag, p.wanted_tag, 16);
		p.len = LEN;
		OK(t, DecryptMessage, p.s, PARAMS(&p), AAD, p.wanted, LEN, p.out, &p.len);
		CHECK(t, p.len == LEN && memcmp(p.out, world_text, LEN) == 0);
		p.tag[3] ^= 1;
		p.len = LEN;
		EXPECT(t, CKR_AEAD_DECRYPT_FAILED, DecryptMessage, p.s, PARAMS(&p), AAD, p.wanted,
		       LEN, p.out, &p.len);
	}
	OK(t, MessageDecryptFinal, p.s);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, MessageDecryptFinal, p.s);
}

static void sizes(struct suite *t)
{
	struct place p;

	if (!enter(t, &p))
		return;
	OK(t, MessageEncryptInit, p.s, &p.mechanism, p.key);
	p.len = 0;
	OK(t, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN, NULL, &p.len);
	CHECK(t, p.len >= LEN);
	p.len = LEN - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN,
	       p.out, &p.len);
	CHECK(t, p.len >= LEN);
	p.len = LEN;
	OK(t, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN, p.out, &p.len);
	CHECK(t, p.len == LEN && memcmp(p.out, p.wanted, LEN) == 0 &&
			 memcmp(p.tag, p.wanted_tag, 16) == 0);
	OK(t, MessageEncryptFinal, p.s);
}

static void generates_iv(struct suite *t)
{
	struct place p;
	CK_BYTE first[12];

	if (!enter(t, &p))
		return;
	p.params.ivGenerator = CKG_GENERATE_COUNTER;
	p.params.ulIvFixedBits = 64;
	OK(t, MessageEncryptInit, p.s, &p.mechanism, p.key);
	OK(t, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN, p.out, &p.len);
	memcpy(first, p.iv, sizeof(first));
	reference(&p);
	CHECK(t, memcmp(p.out, p.wanted, LEN) == 0 && memcmp(p.tag, p.wanted_tag, 16) == 0);
	OK(t, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN, p.out, &p.len);
	CHECK(t, memcmp(first, p.iv, sizeof(first)) != 0 && memcmp(first, p.iv, 8) == 0);
	reference(&p);
	CHECK(t, memcmp(p.out, p.wanted, LEN) == 0 && memcmp(p.tag, p.wanted_tag, 16) == 0);
	OK(t, MessageEncryptFinal, p.s);
}

static void parts(struct suite *t)
{
	struct place p;
	CK_ULONG more = LEN - 16;
	CK_RV rv;

	if (!enter(t, &p))
		return;
	EXPECT_ANY(t, CODES(CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED),
		   EncryptMessageBegin, p.s, PARAMS(&p), AAD);
	OK(t, MessageEncryptInit, p.s, &p.mechanism, p.key);
	for (int i = 0; i < 2; i++) {
		rv = CALL(t, EncryptMessageBegin, p.s, PARAMS(&p), AAD);
		if (rv == CKR_FUNCTION_NOT_SUPPORTED) {
			OK(t, EncryptMessage, p.s, PARAMS(&p), AAD, world_text, LEN, p.out, &p.len);
			suite_skip(t, "no messages in parts");
			break;
		}
		CHECK(t, rv == CKR_OK);
		p.len = 16;
		OK(t, EncryptMessageNext, p.s, PARAMS(&p), world_text, 16, p.out, &p.len, 0);
		EXPECT(t, CKR_OPERATION_ACTIVE, EncryptMessage, p.s, PARAMS(&p), AAD, world_text,
		       LEN, p.out, &more);
		more = LEN - 16;
		OK(t, EncryptMessageNext, p.s, PARAMS(&p), world_text + 16, LEN - 16, p.out + 16,
		   &more, CKF_END_OF_MESSAGE);
		CHECK(t, p.len + more == LEN && memcmp(p.out, p.wanted, LEN) == 0);
		CHECK(t, memcmp(p.tag, p.wanted_tag, 16) == 0);
	}
	OK(t, MessageEncryptFinal, p.s);
}

static void parts_back(struct suite *t)
{
	struct place p;
	CK_ULONG more = LEN - 16;
	CK_RV rv;

	if (!enter(t, &p))
		return;
	OK(t, MessageDecryptInit, p.s, &p.mechanism, p.key);
	memcpy(p.tag, p.wanted_tag, 16);
	rv = CALL(t, DecryptMessageBegin, p.s, PARAMS(&p), AAD);
	if (rv == CKR_FUNCTION_NOT_SUPPORTED) {
		suite_skip(t, "no messages in parts");
	} else {
		CHECK(t, rv == CKR_OK);
		p.len = 16;
		OK(t, DecryptMessageNext, p.s, PARAMS(&p), p.wanted, 16, p.out, &p.len, 0);
		OK(t, DecryptMessageNext, p.s, PARAMS(&p), p.wanted + 16, LEN - 16, p.out + 16,
		   &more, CKF_END_OF_MESSAGE);
		CHECK(t, p.len + more == LEN && memcmp(p.out, world_text, LEN) == 0);
	}
	OK(t, MessageDecryptFinal, p.s);
}

static void states(struct suite *t)
{
	struct place p;
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};

	if (!enter(t, &p))
		return;
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, EncryptMessage, p.s, PARAMS(&p), AAD, world_text,
	       LEN, p.out, &p.len);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DecryptMessage, p.s, PARAMS(&p), AAD, world_text,
	       LEN, p.out, &p.len);
	EXPECT(t, CKR_KEY_HANDLE_INVALID, MessageEncryptInit, p.s, &p.mechanism, 0);
	OK(t, MessageEncryptInit, p.s, &p.mechanism, p.key);
	EXPECT(t, CKR_OPERATION_ACTIVE, MessageEncryptInit, p.s, &p.mechanism, p.key);
	OK(t, MessageEncryptInit, p.s, NULL, 0);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, MessageEncryptFinal, p.s);
	OK(t, MessageEncryptInit, p.s, &p.mechanism, p.key);
	OK(t, SessionCancel, p.s, CKF_MESSAGE_ENCRYPT);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, MessageEncryptFinal, p.s);
	OK(t, MessageDecryptInit, p.s, &p.mechanism, p.key);
	OK(t, SessionCancel, p.s, CKF_MESSAGE_DECRYPT);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, MessageDecryptFinal, p.s);
	OK(t, EncryptInit, p.s, &ecb, p.key);
	OK(t, SessionCancel, p.s, CKF_MESSAGE_ENCRYPT);
	p.len = LEN;
	OK(t, Encrypt, p.s, world_text, 16, p.out, &p.len);
}

/* Signing and verifying messages: no token here has them; the answers are the standard's all the
 * same. */
static void signatures(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
	CK_BYTE mac[32];
	CK_ULONG len = sizeof(mac);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	static const CK_RV idle[] = {CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED,
				     CODES_END};

	EXPECT_ANY(t, idle, SignMessage, s, NULL, 0, world_text, 20, mac, &len);
	EXPECT_ANY(t, idle, SignMessageBegin, s, NULL, 0);
	EXPECT_ANY(t, idle, SignMessageNext, s, NULL, 0, world_text, 20, NULL, NULL);
	EXPECT_ANY(t, idle, MessageSignFinal, s);
	EXPECT_ANY(t, idle, VerifyMessage, s, NULL, 0, world_text, 20, mac, 32);
	EXPECT_ANY(t, idle, VerifyMessageBegin, s, NULL, 0);
	EXPECT_ANY(t, idle, VerifyMessageNext, s, NULL, 0, world_text, 20, NULL, 0);
	EXPECT_ANY(t, idle, MessageVerifyFinal, s);
	if (!EXPECT_ANY(t, CODES(CKR_OK, CKR_FUNCTION_NOT_SUPPORTED, CKR_MECHANISM_INVALID),
			MessageSignInit, s, &mechanism, key) ||
	    CALL(t, MessageSignFinal, s) != CKR_OK)
		return;
	OK(t, MessageSignInit, s, &mechanism, key);
	OK(t, SignMessage, s, NULL, 0, world_text, 20, mac, &len);
	OK(t, MessageSignFinal, s);
	OK(t, MessageVerifyInit, s, &mechanism, key);
	OK(t, VerifyMessage, s, NULL, 0, world_text, 20, mac, len);
	OK(t, MessageVerifyFinal, s);
}

static const struct conform_case cases[] = {
	{"several messages are encrypted with one key", encrypts},
	{"several messages are decrypted, changed ones refused", decrypts},
	{"size queries and small buffers keep the message process going", sizes},
	{"the token makes the IVs when asked to", generates_iv},
	{"messages are encrypted in parts", parts},
	{"messages are decrypted in parts", parts_back},
	{"each step of a message process has its time", states},
	{"messages are signed and verified, or not supported", signatures},
};

const struct group group_message = {"message", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* What is neither signature nor cipher: searches, attributes, random numbers, sessions and logins,
 * objects of the session, and functions on messages (3.0). */
#include "tests/scenario/failover.h"

#include <openssl/rand.h>
#include <string.h>

/* All things are found again, with the handles that they had. */
static CK_RV find(struct seat *seat)
{
	CK_OBJECT_HANDLE things[THINGS];
	CK_RV rv;

	op_step(seat);
	rv = world_find(seat->world, seat->session, things);
	if (rv == CKR_OK)
		CHECK(memcmp(things, seat->world->things, sizeof(things)) == 0);
	return rv;
}

/* One by one, with a step between: as OpenSSH and NSS do. */
static CK_RV find_slowly(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &class, sizeof(class)};
	CK_OBJECT_HANDLE found;
	CK_ULONG n = 1;
	CK_ULONG all = 0;
	CK_RV rv;

	op_step(seat);
	rv = f->C_FindObjectsInit(seat->session, &tmpl, 1);
	op_step(seat);
	while (rv == CKR_OK && n > 0) {
		rv = f->C_FindObjects(seat->session, &found, 1, &n);
		all += rv == CKR_OK ? n : 0;
		if (all == 1 && n == 1)
			op_step(seat);
	}
	if (rv == CKR_OK)
		rv = f->C_FindObjectsFinal(seat->session);
	if (rv == CKR_OK)
		CHECK(all == 2);
	return rv;
}

static CK_RV read_attributes(struct seat *seat)
{
	const struct world *w = seat->world;
	unsigned char label[8];
	unsigned char value[1024];
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, label, sizeof(label)},
			       {CKA_VALUE, value, sizeof(value)}};
	CK_RV rv;

	op_step(seat);
	rv = w->app.f->C_GetAttributeValue(seat->session, w->things[CERTIFICATE], tmpl, 2);
	if (rv != CKR_OK)
		return rv;
	CHECK(tmpl[0].ulValueLen == 3 && memcmp(label, "rsa", 3) == 0);
	CHECK(tmpl[1].ulValueLen == w->keys.cert_len);
	CHECK(memcmp(value, w->keys.cert, w->keys.cert_len) == 0);
	return CKR_OK;
}

static CK_RV random_bytes(struct seat *seat)
{
	unsigned char out[32] = {0};
	unsigned char none[32] = {0};
	CK_RV rv;

	op_step(seat);
	rv = seat->world->app.f->C_GenerateRandom(seat->session, out, sizeof(out));
	if (rv == CKR_OK)
		CHECK(memcmp(out, none, sizeof(out)) != 0);
	return rv;
}

/* A new session is there at once, and logged in. */
static CK_RV new_session(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	struct seat other = *seat;
	CK_SESSION_INFO info;
	CK_RV rv;

	op_step(seat);
	rv = f->C_OpenSession(seat->world->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			      &other.session);
	op_step(seat);
	if (rv != CKR_OK)
		return rv;
	rv = f->C_GetSessionInfo(other.session, &info);
	if (rv == CKR_OK)
		CHECK(info.state == CKS_RW_USER_FUNCTIONS);
	if (rv == CKR_OK)
		rv = read_attributes(&other);
	if (rv == CKR_OK)
		rv = f->C_CloseSession(other.session);
	return rv;
}

static CK_RV token_info(struct seat *seat)
{
	CK_TOKEN_INFO info;
	CK_RV rv;

	op_step(seat);
	rv = seat->world->app.f->C_GetTokenInfo(seat->world->slot, &info);
	if (rv == CKR_OK)
		CHECK(memcmp(info.label, seat->world->label, strlen(seat->world->label)) == 0);
	return rv;
}

/* A key of the session, from a full template. */
static CK_RV make_session_key(struct seat *seat, unsigned char value[static 32],
			      CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_ENCRYPT, &yes, sizeof(yes)},
		{CKA_VALUE, value, 32},
	};

	CHECK(RAND_bytes(value, 32) == 1);
	return seat->world->app.f->C_CreateObject(seat->session, tmpl, 5, key);
}

/* The key outlives the member on which it was made. */
static CK_RV session_key(struct seat *seat)
{
	CK_FUNCTION_LIST *f = seat->world->app.f;
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char key[32];
	unsigned char block[16] = {1, 2, 3};
	unsigned char wanted[32];
	unsigned char out[32];
	CK_ULONG out_len = sizeof(out);
	CK_OBJECT_HANDLE object;
	int len = 0;
	CK_RV rv = make_session_key(seat, key, &object);

	op_step(seat);
	if (rv == CKR_OK)
		rv = f->C_EncryptInit(seat->session, &ecb, object);
	op_step(seat);
	if (rv == CKR_OK)
		rv = f->C_Encrypt(seat->session, block, 16, out, &out_len);
	CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_256_ecb(), NULL, key, NULL) == 1);
	CHECK(EVP_EncryptUpdate(ctx, wanted, &len, block, 16) == 1);
	EVP_CIPHER_CTX_free(ctx);
	if (rv == CKR_OK)
		CHECK(out_len == 16 && memcmp(out, wanted, 16) == 0);
	return rv == CKR_OK ? f->C_DestroyObject(seat->session, object) : rv;
}

/* One message by AES-GCM with the caller's own nonce, compared with OpenSSL. */
static CK_RV one_message(struct seat *seat)
{
	CK_FUNCTION_LIST_3_0 *f = seat->world->f3;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char iv[12];
	unsigned char tag[16];
	unsigned char text[48];
	unsigned char out[48];
	unsigned char wanted[64];
	CK_ULONG len = sizeof(out);
	int n = 0;
	CK_GCM_MESSAGE_PARAMS params = {.pIv = iv, .ulIvLen = 12, .pTag = tag, .ulTagBits = 128};
	CK_RV rv;

	CHECK(RAND_bytes(iv, 12) == 1 && RAND_bytes(text, sizeof(text)) == 1);
	rv = f->C_EncryptMessage(seat->session, &params, sizeof(params), NULL, 0, text,
				 sizeof(text), out, &len);
	CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, seat->world->keys.aes, iv) == 1);
	CHECK(EVP_EncryptUpdate(ctx, wanted, &n, text, sizeof(text)) == 1);
	CHECK(EVP_EncryptFinal_ex(ctx, wanted + n, &n) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, wanted + 48) == 1);
	EVP_CIPHER_CTX_free(ctx);
	if (rv == CKR_OK)
		CHECK(len == 48 && memcmp(out, wanted, 48) == 0 &&
		      memcmp(tag, wanted + 48, 16) == 0);
	return rv;
}

/* Only where a member has version 3 of the standard; elsewhere there is nothing to show. */
static CK_RV messages(struct seat *seat)
{
	CK_FUNCTION_LIST_3_0 *f = seat->world->f3;
	CK_MECHANISM gcm = {CKM_AES_GCM, NULL, 0};
	CK_MECHANISM_INFO info;
	CK_RV rv = CKR_OK;

	if (f)
		rv = f->C_GetMechanismInfo(seat->world->slot, CKM_AES_GCM, &info);
	if (rv == CKR_OK && (!f || !(info.flags & CKF_MESSAGE_ENCRYPT))) {
		for (unsigned i = 0; i < 4; i++)
			op_step(seat);
		return CKR_OK;
	}
	op_step(seat);
	if (rv == CKR_OK)
		rv = f->C_MessageEncryptInit(seat->session, &gcm, seat->world->things[AES_KEY]);
	for (unsigned i = 0; i < 3; i++) {
		op_step(seat);
		if (rv == CKR_OK)
			rv = one_message(seat);
	}
	return rv == CKR_OK ? f->C_MessageEncryptFinal(seat->session) : rv;
}

#define NONE     CK_UNAVAILABLE_INFORMATION
#define FINDS    "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal"
#define CRYPTS   "C_EncryptInit", "C_Encrypt"
#define NEWS     "C_OpenSession", "C_GetSessionInfo", "C_GetAttributeValue"
#define MESSAGES "C_MessageEncryptInit", "C_EncryptMessage", "C_MessageEncryptFinal"

const struct op ops_other[] = {
	{"find", NONE, find, 1, {FINDS}},
	{"find-slowly", NONE, find_slowly, 3, {FINDS}},
	{"read", NONE, read_attributes, 1, {"C_GetAttributeValue"}},
	{"random", NONE, random_bytes, 1, {"C_GenerateRandom"}},
	{"new-session", NONE, new_session, 2, {NEWS}},
	{"token-info", NONE, token_info, 1, {"C_GetTokenInfo"}},
	{"session-key", CKM_AES_ECB, session_key, 2, {CRYPTS}},
	{"messages", CKM_AES_GCM, messages, 4, {MESSAGES}},
	{0},
};

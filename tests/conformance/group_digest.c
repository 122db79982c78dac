/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests: Base 5.12, checked with OpenSSL. */
#include <openssl/evp.h>
#include <string.h>

#include "tests/conformance/world.h"

/* A digest, as the standard and OpenSSL call it. */
struct digest {
	CK_MECHANISM_TYPE type;
	const char *name;
	CK_ULONG len;
};

static const struct digest digests[] = {
	{CKM_MD5, "MD5", 16},           {CKM_SHA_1, "SHA1", 20},       {CKM_SHA224, "SHA224", 28},
	{CKM_SHA256, "SHA256", 32},     {CKM_SHA384, "SHA384", 48},    {CKM_SHA512, "SHA512", 64},
	{CKM_SHA3_256, "SHA3-256", 32}, {CKM_SHA3_512, "SHA3-512", 64}};

static bool is_right(const struct digest *d, const CK_BYTE *data, size_t len, const CK_BYTE *got)
{
	unsigned char wanted[EVP_MAX_MD_SIZE];
	size_t wanted_len = 0;

	return EVP_Q_digest(NULL, d->name, NULL, data, len, wanted, &wanted_len) == 1 &&
	       wanted_len == d->len && memcmp(wanted, got, wanted_len) == 0;
}

static void answers(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RO);
	CK_BYTE out[64];

	for (size_t i = 0; i < COUNT(digests); i++) {
		CK_MECHANISM mechanism = {digests[i].type, NULL, 0};
		CK_ULONG len = sizeof(out);

		if (!world_has(t, digests[i].type, CKF_DIGEST))
			continue;
		OK(t, DigestInit, s, &mechanism);
		OK(t, Digest, s, world_text, 40, out, &len);
		CHECK(t, len == digests[i].len && is_right(&digests[i], world_text, 40, out));
		OK(t, DigestInit, s, &mechanism);
		OK(t, DigestUpdate, s, world_text, 1);
		OK(t, DigestUpdate, s, world_text + 1, 39);
		len = sizeof(out);
		OK(t, DigestFinal, s, out, &len);
		CHECK(t, len == digests[i].len && is_right(&digests[i], world_text, 40, out));
	}
}

static void nothing(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE s = world_open(t, RO);
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);

	OK(t, DigestInit, s, &mechanism);
	OK(t, DigestFinal, s, out, &len);
	CHECK(t, is_right(&digests[3], world_text, 0, out));
	OK(t, DigestInit, s, &mechanism);
	len = sizeof(out);
	OK(t, Digest, s, world_text, 0, out, &len);
	CHECK(t, is_right(&digests[3], world_text, 0, out));
	OK(t, DigestInit, s, &mechanism);
	len = sizeof(out);
	OK(t, DigestUpdate, s, world_text, 0);
	OK(t, DigestUpdate, s, world_text, 3);
	OK(t, DigestFinal, s, out, &len);
	CHECK(t, is_right(&digests[3], world_text, 3, out));
}

static void sizes(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE s = world_open(t, RO);
	CK_BYTE out[32];
	CK_ULONG len = 0;

	OK(t, DigestInit, s, &mechanism);
	OK(t, Digest, s, world_text, 10, NULL, &len);
	CHECK(t, len == 32);
	len = 31;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, Digest, s, world_text, 10, out, &len);
	CHECK(t, len == 32);
	OK(t, Digest, s, world_text, 10, out, &len);
	CHECK(t, len == 32 && is_right(&digests[3], world_text, 10, out));
	OK(t, DigestInit, s, &mechanism);
	OK(t, DigestUpdate, s, world_text, 10);
	OK(t, DigestFinal, s, NULL, &len);
	len = 0;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, DigestFinal, s, out, &len);
	CHECK(t, len == 32);
	OK(t, DigestFinal, s, out, &len);
	CHECK(t, len == 32 && is_right(&digests[3], world_text, 10, out));
}

static void in_place(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE s = world_open(t, RO);
	CK_BYTE both[64];
	CK_ULONG len = sizeof(both);

	memcpy(both, world_text, sizeof(both));
	OK(t, DigestInit, s, &mechanism);
	OK(t, Digest, s, both, sizeof(both), both, &len);
	CHECK(t, len == 32 && is_right(&digests[3], world_text, 64, both));
}

static void of_key(struct suite *t)
{
	CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_generic(t, s);
	CK_BYTE data[34];
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);

	memcpy(data, "ab", 2);
	memcpy(data + 2, world_text, 32);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, DigestKey, s, key);
	OK(t, DigestInit, s, &mechanism);
	OK(t, DigestUpdate, s, data, 2);
	if (EXPECT_ANY(t, CODES(CKR_OK, CKR_KEY_INDIGESTIBLE, CKR_FUNCTION_NOT_SUPPORTED),
		       DigestKey, s, key) &&
	    t->f->C_DigestFinal(s, out, &len) == CKR_OK)
		CHECK(t,
		      is_right(&digests[3], data, 34, out) || is_right(&digests[3], data, 2, out));
	(void)CALL(t, DigestInit, s, NULL);
	OK(t, DigestInit, s, &mechanism);
	EXPECT_ANY(t, CODES(CKR_KEY_HANDLE_INVALID), DigestKey, s, 0);
}

static void mistakes(struct suite *t)
{
	CK_MECHANISM unknown = {0x7ffffff1UL, NULL, 0};
	CK_MECHANISM wrong = {CKM_AES_ECB, NULL, 0};
	CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
	CK_MECHANISM with = {CKM_SHA256, world_text, 4};
	CK_SESSION_HANDLE s = world_open(t, RO);
	CK_ULONG len = 0;

	EXPECT(t, CKR_MECHANISM_INVALID, DigestInit, s, &unknown);
	EXPECT(t, CKR_MECHANISM_INVALID, DigestInit, s, &wrong);
	if (CALL(t, DigestInit, s, &with) == CKR_OK)
		OK(t, DigestInit, s, NULL);
	OK(t, DigestInit, s, &mechanism);
	EXPECT(t, CKR_ARGUMENTS_BAD, Digest, s, world_text, 10, NULL, NULL);
	(void)CALL(t, DigestInit, s, NULL);
	OK(t, DigestInit, s, &mechanism);
	EXPECT(t, CKR_ARGUMENTS_BAD, Digest, s, NULL, 10, NULL, &len);
	(void)CALL(t, DigestInit, s, NULL);
	OK(t, DigestInit, s, &mechanism);
	EXPECT(t, CKR_ARGUMENTS_BAD, DigestUpdate, s, NULL, 10);
	(void)CALL(t, DigestInit, s, NULL);
}

static const struct conform_case cases[] = {
	{"digests are right, in one part and in several", answers},
	{"the digest of nothing is right", nothing},
	{"a size query and a small buffer keep the digest going", sizes},
	{"C_Digest takes input and output in one place", in_place},
	{"C_DigestKey digests a key or says that it cannot", of_key},
	{"the digest functions answer each mistake with its code", mistakes},
};

const struct group group_digest = {"digest", CASES_OF(cases), false};

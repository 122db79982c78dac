/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read out of mechanisms and their parameters. */
#include "core/base/mech.h"
#include "policy/algorithm.h"
#include "tests/unit/unit.h"

static struct algorithm look(CK_MECHANISM_TYPE type, void *param, CK_ULONG len, enum policy_act act)
{
	const CK_MECHANISM mech = {type, param, len};
	struct algorithm a;

	algorithm_of(&mech, act, &a);
	return a;
}

static void the_table_is_sorted_and_whole(void)
{
	CK_MECHANISM_TYPE before = 0, type;

	for (size_t i = 0; algorithm_at(i, &type); i++) {
		CU_ASSERT(i == 0 || type > before);
		CU_ASSERT(mech_known(type));
		before = type;
	}
}

static void hashes_in_the_number(void)
{
	CU_ASSERT_EQUAL(look(CKM_SHA384_RSA_PKCS, NULL, 0, ACT_SIGN).hash, HASH_SHA384);
	CU_ASSERT_EQUAL(look(CKM_ECDSA_SHA1, NULL, 0, ACT_SIGN).hash, HASH_SHA1);
	CU_ASSERT_EQUAL(look(CKM_SHA512_256_HMAC, NULL, 0, ACT_SIGN).hash, HASH_SHA512_256);
	CU_ASSERT_EQUAL(look(CKM_ECDSA, NULL, 0, ACT_SIGN).hash, HASH_NONE);
	CU_ASSERT_TRUE(look(CKM_ECDSA_SHA1, NULL, 0, ACT_SIGN).is_signature);
	CU_ASSERT_FALSE(look(CKM_SHA_1_HMAC, NULL, 0, ACT_SIGN).is_signature);
}

static void one_number_is_two_families(void)
{
	CU_ASSERT_EQUAL(look(CKM_RSA_PKCS, NULL, 0, ACT_VERIFY).family, ASPECT_RSA_V15_SIGN);
	CU_ASSERT_EQUAL(look(CKM_RSA_PKCS, NULL, 0, ACT_UNWRAP).family, ASPECT_RSA_V15_CRYPT);
}

static void pss_and_oaep(void)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, 1, 48};
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, 2, 1, NULL, 0};
	CK_RSA_AES_KEY_WRAP_PARAMS both = {256, &oaep};
	struct algorithm a = look(CKM_RSA_PKCS_PSS, &pss, sizeof pss, ACT_SIGN);

	CU_ASSERT_EQUAL(a.hash, HASH_SHA256);
	CU_ASSERT_EQUAL(a.mgf, HASH_SHA1);
	CU_ASSERT_TRUE(a.has_salt);
	CU_ASSERT_EQUAL(a.salt_len, 48);
	a = look(CKM_SHA512_RSA_PKCS_PSS, &pss, sizeof pss, ACT_SIGN);
	CU_ASSERT_EQUAL(a.hash, HASH_SHA512);
	CU_ASSERT_EQUAL(a.said, HASH_SHA256);
	a = look(CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep, ACT_DECRYPT);
	CU_ASSERT_EQUAL(a.hash, HASH_SHA1);
	CU_ASSERT_EQUAL(a.mgf, HASH_SHA256);
	a = look(CKM_RSA_AES_KEY_WRAP, &both, sizeof both, ACT_WRAP);
	CU_ASSERT_EQUAL(a.hash, HASH_SHA1);
	a = look(CKM_RSA_PKCS_PSS, &pss, sizeof pss - 1, ACT_SIGN);
	CU_ASSERT_EQUAL(a.hash, HASH_NONE);
}

static void gcm_in_both_layouts(void)
{
	CK_BYTE iv[12] = {0};
	CK_GCM_PARAMS with = {iv, sizeof iv, 96, NULL, 0, 128};
	struct {
		CK_BYTE *iv;
		CK_ULONG iv_len;
		CK_BYTE *aad;
		CK_ULONG aad_len, tag_bits;
	} without = {NULL, 0, NULL, 0, 64};
	struct algorithm a = look(CKM_AES_GCM, &with, sizeof with, ACT_ENCRYPT);

	CU_ASSERT_EQUAL(a.iv, IV_CALLER);
	CU_ASSERT_EQUAL(a.tag_bits, 128);
	a = look(CKM_AES_GCM, &without, sizeof without, ACT_ENCRYPT);
	CU_ASSERT_EQUAL(a.iv, IV_TOKEN);
	CU_ASSERT_EQUAL(a.tag_bits, 64);
	CU_ASSERT_EQUAL(look(CKM_AES_GCM, &with, sizeof with, ACT_DECRYPT).iv, IV_NONE);
}

static void key_derivation(void)
{
	CK_ECDH1_DERIVE_PARAMS ecdh = {.kdf = 6};
	CK_HKDF_PARAMS hkdf = {.prfHashMechanism = CKM_SHA384};
	CK_PKCS5_PBKD2_PARAMS2 pbkd2 = {.iterations = 999, .ulSaltSourceDataLen = 8, .prf = 1};
	CK_SP800_108_KDF_PARAMS kbkdf = {.prfType = CKM_SHA256_HMAC};
	struct algorithm a = look(CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh, ACT_DERIVE);

	CU_ASSERT_TRUE(a.has_kdf);
	CU_ASSERT_EQUAL(a.kdf, HASH_SHA256);
	ecdh.kdf = 1; /* CKD_NULL */
	a = look(CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh, ACT_DERIVE);
	CU_ASSERT_TRUE(a.has_kdf);
	CU_ASSERT_EQUAL(a.kdf, HASH_NONE);
	CU_ASSERT_EQUAL(look(CKM_HKDF_DERIVE, &hkdf, sizeof hkdf, ACT_DERIVE).hash, HASH_SHA384);
	a = look(CKM_PKCS5_PBKD2, &pbkd2, sizeof pbkd2, ACT_GENERATE);
	CU_ASSERT_EQUAL(a.iterations, 999);
	CU_ASSERT_EQUAL(a.salt_len, 8);
	CU_ASSERT_EQUAL(a.hash, HASH_SHA1);
	a = look(CKM_SP800_108_COUNTER_KDF, &kbkdf, sizeof kbkdf, ACT_DERIVE);
	CU_ASSERT_EQUAL(a.hash, HASH_SHA256);
	kbkdf.prfType = CKM_AES_CMAC;
	a = look(CKM_SP800_108_COUNTER_KDF, &kbkdf, sizeof kbkdf, ACT_DERIVE);
	CU_ASSERT_EQUAL(a.hash, HASH_NONE);
}

static void numbers_that_nobody_knows(void)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {0x80000001, 99, 0};
	struct algorithm a = look(CKM_RSA_PKCS_PSS, &pss, sizeof pss, ACT_SIGN);

	CU_ASSERT_EQUAL(a.hash, HASH_UNKNOWN);
	CU_ASSERT_EQUAL(a.mgf, HASH_UNKNOWN);
	CU_ASSERT_EQUAL(look(0x80000123, NULL, 0, ACT_SIGN).family, ASPECT_OTHER);
}

static const struct unit_test tests[] = {
	UNIT(the_table_is_sorted_and_whole), UNIT(hashes_in_the_number),
	UNIT(one_number_is_two_families),    UNIT(pss_and_oaep),
	UNIT(gcm_in_both_layouts),           UNIT(key_derivation),
	UNIT(numbers_that_nobody_knows),
};

UNIT_MAIN("policy/algorithm", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, curves of CKA_EC_PARAMS, parameter sets. */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>

#include "policy/words.h"
#include "tests/unit/unit.h"

static void every_word_is_found_again(void)
{
	for (unsigned i = 0; i < ACT_COUNT; i++)
		CU_ASSERT((act_by_word(act_word(i)) & ACT_BIT(i)) != 0);
	for (unsigned i = HASH_NONE + 1; i < HASH_UNKNOWN; i++)
		CU_ASSERT_EQUAL(hash_by_word(hash_word(i)), i);
	for (unsigned i = CURVE_NONE + 1; i < CURVE_UNKNOWN; i++)
		CU_ASSERT_EQUAL(curve_by_word(curve_word(i)), i);
	for (unsigned i = PSET_NONE + 1; i < PSET_UNKNOWN; i++)
		CU_ASSERT_EQUAL(pset_by_word(pset_word(i)), i);
}

static void words_are_understood_in_other_spellings(void)
{
	CU_ASSERT_EQUAL(hash_by_word("sha256"), HASH_SHA256);
	CU_ASSERT_EQUAL(hash_by_word("SHA_1"), HASH_SHA1);
	CU_ASSERT_EQUAL(curve_by_word("prime256v1"), CURVE_P256);
	CU_ASSERT_EQUAL(curve_by_word("secp384r1"), CURVE_P384);
	CU_ASSERT_EQUAL(pset_by_word("ml_dsa_65"), PSET_ML_DSA_65);
	CU_ASSERT_EQUAL(hash_by_word("SHA-25"), HASH_NONE);
	CU_ASSERT_EQUAL(curve_by_word(""), CURVE_NONE);
	CU_ASSERT_EQUAL(act_by_word("signs"), 0);
}

static void groups_hold_their_acts(void)
{
	CU_ASSERT_EQUAL(act_by_word("export"),
			ACT_BIT(ACT_WRAP) | ACT_BIT(ACT_COPY) | ACT_BIT(ACT_GET_VALUE));
	CU_ASSERT((act_by_word("login") & ACT_BIT(ACT_SO_LOGIN)) != 0);
	CU_ASSERT((act_by_word("use") & ACT_BIT(ACT_GENERATE)) == 0);
}

static void curves_are_told_by_oid_and_name(void)
{
	static const uint8_t oid[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	static const uint8_t name[] = "\x13\x0c"
				      "edwards25519";

	CU_ASSERT_EQUAL(curve_of_params(oid, sizeof oid), CURVE_P256);
	CU_ASSERT_EQUAL(curve_of_params(name, sizeof name - 1), CURVE_ED25519);
	for (size_t len = 0; len < sizeof oid; len++)
		CU_ASSERT_EQUAL(curve_of_params(oid, len), CURVE_UNKNOWN);
}

/* DER of the explicit parameters of a curve; `generator` other than its own when given. */
static size_t explicit_params(int nid, bool other_generator, uint8_t **der)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *point = EC_POINT_dup(EC_GROUP_get0_generator(group), group);
	int len;

	if (other_generator) {
		EC_POINT_dbl(group, point, point, NULL);
		EC_GROUP_set_generator(group, point, EC_GROUP_get0_order(group),
				       EC_GROUP_get0_cofactor(group));
	}
	EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
	*der = NULL;
	len = i2d_ECPKParameters(group, der);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return len > 0 ? (size_t)len : 0;
}

static void explicit_parameters_count_only_when_all_are_right(void)
{
	uint8_t *der;
	size_t len = explicit_params(NID_X9_62_prime256v1, false, &der);

	CU_ASSERT_EQUAL(curve_of_params(der, len), CURVE_P256);
	OPENSSL_free(der);
	len = explicit_params(NID_X9_62_prime256v1, true, &der);
	CU_ASSERT(len > 0);
	CU_ASSERT_EQUAL(curve_of_params(der, len), CURVE_UNKNOWN);
	OPENSSL_free(der);
}

static void curves_have_the_size_and_oid_that_openssl_says(void)
{
	static const struct {
		int nid;
		enum policy_curve curve;
	} known[] = {
		{NID_X9_62_prime192v1, CURVE_P192},   {NID_secp224r1, CURVE_P224},
		{NID_secp384r1, CURVE_P384},          {NID_secp521r1, CURVE_P521},
		{NID_secp256k1, CURVE_K256},          {NID_brainpoolP256r1, CURVE_BP256R1},
		{NID_brainpoolP320r1, CURVE_BP320R1}, {NID_brainpoolP384r1, CURVE_BP384R1},
		{NID_brainpoolP512r1, CURVE_BP512R1}, {NID_brainpoolP256t1, CURVE_BP256T1},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		EC_GROUP *group = EC_GROUP_new_by_curve_name(known[i].nid);
		uint8_t *der = NULL;
		int len = group ? i2d_ECPKParameters(group, &der) : 0;

		CU_ASSERT_FATAL(len > 0);
		CU_ASSERT_EQUAL(curve_of_params(der, (size_t)len), known[i].curve);
		CU_ASSERT_EQUAL(curve_bits(known[i].curve), (unsigned)EC_GROUP_order_bits(group));
		OPENSSL_free(der);
		EC_GROUP_free(group);
	}
}

static void parameter_sets_count_for_each_type(void)
{
	CU_ASSERT_EQUAL(pset_of(CKK_ML_DSA, 2), PSET_ML_DSA_65);
	CU_ASSERT_EQUAL(pset_of(CKK_ML_KEM, 2), PSET_ML_KEM_768);
	CU_ASSERT_EQUAL(pset_of(CKK_SLH_DSA, 12), PSET_SLH_DSA_SHAKE_256F);
	CU_ASSERT_EQUAL(pset_of(CKK_ML_DSA, 4), PSET_UNKNOWN);
	CU_ASSERT_EQUAL(pset_of(CKK_RSA, 1), PSET_UNKNOWN);
}

static const struct unit_test tests[] = {
	UNIT(every_word_is_found_again),
	UNIT(words_are_understood_in_other_spellings),
	UNIT(groups_hold_their_acts),
	UNIT(curves_are_told_by_oid_and_name),
	UNIT(explicit_parameters_count_only_when_all_are_right),
	UNIT(curves_have_the_size_and_oid_that_openssl_says),
	UNIT(parameter_sets_count_for_each_type),
};

UNIT_MAIN("policy/words", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c against the standard, written out by hand: which fields of parameters
 * are handles. test_mech_table.c walks the tables, this file says what they must contain. */
#include "core/base/mech.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/base/copied.h"
#include "tests/unit/unit.h"

#define NO_FLAG SIZE_MAX

/* A handle field: where it is, and which CK_BBOOL says whether it counts. */
struct handle_case {
	CK_MECHANISM_TYPE type;
	size_t size;
	size_t handle;
	size_t flag;
};

#define CASE(type, s, h)                                                                           \
	{                                                                                          \
		type, sizeof(s), offsetof(s, h), NO_FLAG                                           \
	}
#define CASE_IF(type, s, h, f)                                                                     \
	{                                                                                          \
		type, sizeof(s), offsetof(s, h), offsetof(s, f)                                    \
	}

static const struct handle_case cases[] = {
	{CKM_CONCATENATE_BASE_AND_KEY, sizeof(CK_OBJECT_HANDLE), 0, NO_FLAG},
	CASE(CKM_ECMQV_DERIVE, CK_ECDH2_DERIVE_PARAMS, hPrivateData),
	CASE(CKM_ECMQV_DERIVE, CK_ECMQV_DERIVE_PARAMS, hPrivateData),
	CASE(CKM_ECMQV_DERIVE, CK_ECMQV_DERIVE_PARAMS, publicKey),
	CASE(CKM_X9_42_DH_HYBRID_DERIVE, CK_X9_42_DH2_DERIVE_PARAMS, hPrivateData),
	CASE(CKM_X9_42_MQV_DERIVE, CK_X9_42_MQV_DERIVE_PARAMS, hPrivateData),
	CASE(CKM_X9_42_MQV_DERIVE, CK_X9_42_MQV_DERIVE_PARAMS, publicKey),
	CASE_IF(CKM_IKE2_PRF_PLUS_DERIVE, CK_IKE2_PRF_PLUS_DERIVE_PARAMS, hSeedKey, bHasSeedKey),
	CASE_IF(CKM_IKE_PRF_DERIVE, CK_IKE_PRF_DERIVE_PARAMS, hNewKey, bRekey),
	CASE(CKM_IKE1_PRF_DERIVE, CK_IKE1_PRF_DERIVE_PARAMS, hKeygxy),
	CASE_IF(CKM_IKE1_PRF_DERIVE, CK_IKE1_PRF_DERIVE_PARAMS, hPrevKey, bHasPrevKey),
	CASE_IF(CKM_IKE1_EXTENDED_DERIVE, CK_IKE1_EXTENDED_DERIVE_PARAMS, hKeygxy, bHasKeygxy),
	CASE_IF(CKM_NSS_IKE_PRF_PLUS_DERIVE, CK_IKE2_PRF_PLUS_DERIVE_PARAMS, hSeedKey, bHasSeedKey),
	CASE_IF(CKM_NSS_IKE_PRF_DERIVE, CK_IKE_PRF_DERIVE_PARAMS, hNewKey, bRekey),
	CASE_IF(CKM_NSS_IKE1_PRF_DERIVE, CK_IKE1_PRF_DERIVE_PARAMS, hPrevKey, bHasPrevKey),
	CASE_IF(CKM_NSS_IKE1_APP_B_PRF_DERIVE, CK_IKE1_EXTENDED_DERIVE_PARAMS, hKeygxy, bHasKeygxy),
	CASE(CKM_KIP_DERIVE, CK_KIP_PARAMS, hKey),
	CASE(CKM_KIP_MAC, CK_KIP_PARAMS, hKey),
	CASE(CKM_CMS_SIG, CK_CMS_SIG_PARAMS, certificateHandle),
	CASE(CKM_GOSTR3410_KEY_WRAP, CK_GOSTR3410_KEY_WRAP_PARAMS, hKey),
	CASE(CKM_X3DH_INITIALIZE, CK_X3DH_INITIATE_PARAMS, pPeer_identity),
	CASE(CKM_X3DH_INITIALIZE, CK_X3DH_INITIATE_PARAMS, pPeer_prekey),
	CASE(CKM_X3DH_INITIALIZE, CK_X3DH_INITIATE_PARAMS, pOwn_identity),
	CASE(CKM_X3DH_INITIALIZE, CK_X3DH_INITIATE_PARAMS, pOwn_ephemeral),
	CASE(CKM_X3DH_RESPOND, CK_X3DH_RESPOND_PARAMS, pInitiator_identity),
	CASE(CKM_X2RATCHET_INITIALIZE, CK_X2RATCHET_INITIALIZE_PARAMS, peer_public_prekey),
	CASE(CKM_X2RATCHET_INITIALIZE, CK_X2RATCHET_INITIALIZE_PARAMS, peer_public_identity),
	CASE(CKM_X2RATCHET_INITIALIZE, CK_X2RATCHET_INITIALIZE_PARAMS, own_public_identity),
	CASE(CKM_X2RATCHET_RESPOND, CK_X2RATCHET_RESPOND_PARAMS, own_prekey),
	CASE(CKM_X2RATCHET_RESPOND, CK_X2RATCHET_RESPOND_PARAMS, initiator_identity),
	CASE(CKM_X2RATCHET_RESPOND, CK_X2RATCHET_RESPOND_PARAMS, own_public_identity),
	CASE(CKM_IBM_ATTRIBUTEBOUND_WRAP, CK_IBM_ATTRIBUTEBOUND_WRAP_PARAMS, hSignVerifyKey),
	CASE_IF(CKM_IBM_ML_KEM, CK_IBM_ML_KEM_PARAMS, hSecret, bPrepend),
	CASE(CKM_IBM_ML_KEM_WITH_ECDH, CK_IBM_ML_KEM_WITH_ECDH_PARAMS, hECPrivateKey),
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void check_case(const struct handle_case *c, bool is_set)
{
	union {
		unsigned char bytes[128];
		CK_ULONG align;
	} param = {{0}};
	CK_OBJECT_HANDLE virtual = VIRTUAL;
	CK_OBJECT_HANDLE copied;
	struct mech m;

	memcpy(param.bytes + c->handle, &virtual, sizeof(virtual));
	if (is_set && c->flag != NO_FLAG)
		param.bytes[c->flag] = CK_TRUE;
	copy(&m, c->type, param.bytes, c->size);
	CU_ASSERT_EQUAL(handles_of(&m, VIRTUAL, (unsigned char *)m.m.pParameter + c->handle),
			is_set);
	memcpy(&copied, (unsigned char *)m.m.pParameter + c->handle, sizeof(copied));
	CU_ASSERT_EQUAL(copied, is_set ? VIRTUAL : CK_INVALID_HANDLE);
	mech_free(&m);
}

static void handles_of_the_standard_are_found(void)
{
	for (size_t i = 0; i < CASE_COUNT; i++)
		check_case(&cases[i], true);
}

static void handles_whose_flag_is_not_set_do_not_count(void)
{
	for (size_t i = 0; i < CASE_COUNT; i++) {
		if (cases[i].flag != NO_FLAG)
			check_case(&cases[i], false);
	}
}

static void optional_handle_may_be_zero(void)
{
	CK_KIP_PARAMS kip = {0};
	CK_CMS_SIG_PARAMS cms = {0};
	CK_GOSTR3410_KEY_WRAP_PARAMS gost = {0};
	struct mech m;

	copy(&m, CKM_KIP_DERIVE, &kip, sizeof(kip));
	CU_ASSERT_EQUAL(m.handle_count, 0);
	mech_free(&m);
	copy(&m, CKM_CMS_SIG, &cms, sizeof(cms));
	CU_ASSERT_EQUAL(m.handle_count, 0);
	mech_free(&m);
	copy(&m, CKM_GOSTR3410_KEY_WRAP, &gost, sizeof(gost));
	CU_ASSERT_EQUAL(m.handle_count, 0);
	mech_free(&m);
}

static void kip_wrap_ignores_its_handle(void)
{
	CK_KIP_PARAMS kip = {.hKey = VIRTUAL};
	struct mech m;

	copy(&m, CKM_KIP_WRAP, &kip, sizeof(kip));
	CU_ASSERT_EQUAL(m.handle_count, 0);
	CU_ASSERT_EQUAL(((CK_KIP_PARAMS *)m.m.pParameter)->hKey, CK_INVALID_HANDLE);
	mech_free(&m);
}

static void bit_offset_of_extract_is_no_handle(void)
{
	CK_ULONG offset = VIRTUAL;
	struct mech m;

	copy(&m, CKM_EXTRACT_KEY_FROM_KEY, &offset, sizeof(offset));
	CU_ASSERT_EQUAL(m.handle_count, 0);
	CU_ASSERT_EQUAL(*(CK_ULONG *)m.m.pParameter, VIRTUAL);
	mech_free(&m);
}

/* Handles found for one combination of HKDF's switches. */
static unsigned hkdf_handles(CK_BBOOL extract, CK_ULONG salt_type)
{
	CK_HKDF_PARAMS p = {.bExtract = extract,
			    .bExpand = CK_TRUE,
			    .ulSaltType = salt_type,
			    .hSaltKey = VIRTUAL};
	struct mech m;
	unsigned count;

	copy(&m, CKM_HKDF_DERIVE, &p, sizeof(p));
	count = m.handle_count;
	mech_free(&m);
	return count;
}

static void hkdf_salt_key_counts_only_as_salt_of_an_extraction(void)
{
	CU_ASSERT_EQUAL(hkdf_handles(CK_TRUE, CKF_HKDF_SALT_KEY), 1);
	CU_ASSERT_EQUAL(hkdf_handles(CK_FALSE, CKF_HKDF_SALT_KEY), 0);
	CU_ASSERT_EQUAL(hkdf_handles(CK_TRUE, CKF_HKDF_SALT_DATA), 0);
	CU_ASSERT_EQUAL(hkdf_handles(CK_TRUE, CKF_HKDF_SALT_NULL), 0);
}

static void unused_salt_may_be_garbage(void)
{
	CK_HKDF_PARAMS p = {.bExtract = CK_TRUE,
			    .ulSaltType = CKF_HKDF_SALT_NULL,
			    .pSalt = (CK_BYTE *)8,
			    .ulSaltLen = ~0UL,
			    .hSaltKey = ~0UL,
			    .pInfo = (CK_BYTE *)16,
			    .ulInfoLen = 1UL << 60};
	const CK_HKDF_PARAMS *copied;
	struct mech m;

	copy(&m, CKM_HKDF_DERIVE, &p, sizeof(p));
	copied = m.m.pParameter;
	CU_ASSERT_PTR_NULL(copied->pSalt);
	CU_ASSERT_EQUAL(copied->ulSaltLen, 0);
	CU_ASSERT_EQUAL(copied->hSaltKey, 0);
	CU_ASSERT_PTR_NULL(copied->pInfo);
	mech_free(&m);
}

static void key_handle_among_prf_data_is_found(void)
{
	CK_OBJECT_HANDLE key = VIRTUAL;
	CK_SP800_108_COUNTER_FORMAT counter = {CK_FALSE, 32};
	CK_PRF_DATA_PARAM data[] = {
		{CK_SP800_108_ITERATION_VARIABLE, &counter, sizeof(counter)},
		{CK_SP800_108_KEY_HANDLE, &key, sizeof(key)},
		{CK_SP800_108_BYTE_ARRAY, &key, sizeof(key)},
	};
	CK_SP800_108_KDF_PARAMS p = {CKM_SHA256_HMAC, 3, data, 0, NULL};
	const CK_SP800_108_KDF_PARAMS *copied;
	struct mech m;

	copy(&m, CKM_SP800_108_COUNTER_KDF, &p, sizeof(p));
	copied = m.m.pParameter;
	CU_ASSERT_EQUAL(m.handle_count, 1);
	CU_ASSERT_EQUAL(handles_of(&m, VIRTUAL, copied->pDataParams[1].pValue), 1);
	CU_ASSERT_EQUAL(
		((CK_SP800_108_COUNTER_FORMAT *)copied->pDataParams[0].pValue)->ulWidthInBits, 32);
	*m.handle[0].where = 99;
	CU_ASSERT_EQUAL(key, VIRTUAL);
	mech_free(&m);
}

static void additional_derived_keys_are_made_in_the_copy(void)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE inner = {CKA_SIGN, &yes, 1};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &yes, 1}, {CKA_DERIVE_TEMPLATE, &inner, sizeof(inner)}};
	CK_OBJECT_HANDLE first = 5;
	CK_OBJECT_HANDLE second = 6;
	CK_DERIVED_KEY keys[] = {{t, 2, &first}, {NULL, 0, &second}};
	CK_SP800_108_FEEDBACK_KDF_PARAMS p = {.prfType = CKM_SHA256_HMAC,
					      .ulAdditionalDerivedKeys = 2,
					      .pAdditionalDerivedKeys = keys};
	const CK_DERIVED_KEY *copied;
	const CK_ATTRIBUTE *nested;
	struct mech m;

	copy(&m, CKM_SP800_108_FEEDBACK_KDF, &p, sizeof(p));
	CU_ASSERT_EQUAL_FATAL(m.made_count, 2);
	CU_ASSERT_PTR_EQUAL(m.made[0].app, &first);
	CU_ASSERT_PTR_EQUAL(m.made[1].app, &second);
	copied = ((CK_SP800_108_FEEDBACK_KDF_PARAMS *)m.m.pParameter)->pAdditionalDerivedKeys;
	CU_ASSERT_PTR_EQUAL(copied[1].phKey, m.made[1].where);
	*copied[0].phKey = 77;
	CU_ASSERT_EQUAL(*m.made[0].where, 77);
	CU_ASSERT_EQUAL(first, 5);
	nested = copied[0].pTemplate[1].pValue;
	CU_ASSERT_PTR_NOT_EQUAL(nested, &inner);
	CU_ASSERT_EQUAL(nested->type, CKA_SIGN);
	mech_free(&m);
}

static const struct unit_test tests[] = {
	UNIT(handles_of_the_standard_are_found),
	UNIT(handles_whose_flag_is_not_set_do_not_count),
	UNIT(optional_handle_may_be_zero),
	UNIT(kip_wrap_ignores_its_handle),
	UNIT(bit_offset_of_extract_is_no_handle),
	UNIT(hkdf_salt_key_counts_only_as_salt_of_an_extraction),
	UNIT(unused_salt_may_be_garbage),
	UNIT(key_handle_among_prf_data_is_found),
	UNIT(additional_derived_keys_are_made_in_the_copy),
};

UNIT_MAIN("base/mech_handles", tests)

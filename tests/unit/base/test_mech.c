/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c against the standard, written out by hand: test_mech_table.c walks the
 * tables, this file says what the tables must contain. */
#include "core/base/mech.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

#define VIRTUAL 0x1234UL
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

/* Copies or stops the test. */
static void copy(struct mech *m, CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM in = {type, param, len};
	const char *why = "";

	CU_ASSERT_EQUAL_FATAL(mech_copy(m, &in, NULL, NULL, &why), CKR_OK);
	CU_ASSERT_TRUE(m->is_known);
}

static unsigned handles_of(const struct mech *m, CK_OBJECT_HANDLE virtual, const void *where)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m->handle_count; i++)
		count += m->handle[i].virtual == virtual && m->handle[i].where == where;
	return count;
}

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

static void tls_key_material_is_redirected_but_ivs_are_not(void)
{
	CK_BYTE client[32];
	CK_BYTE server[32];
	CK_BYTE iv[2][16];
	CK_SSL3_KEY_MAT_OUT out = {1, 2, 3, 4, iv[0], iv[1]};
	CK_TLS12_KEY_MAT_PARAMS p = {160,  128,       128, CK_FALSE, {client, 32, server, 32},
				     &out, CKM_SHA256};
	CK_SSL3_KEY_MAT_OUT *copied;
	struct mech m;

	memset(client, 'c', sizeof(client));
	memset(server, 's', sizeof(server));
	copy(&m, CKM_TLS12_KEY_AND_MAC_DERIVE, &p, sizeof(p));
	copied = ((CK_TLS12_KEY_MAT_PARAMS *)m.m.pParameter)->pReturnedKeyMaterial;
	CU_ASSERT_PTR_NOT_EQUAL(copied, &out);
	CU_ASSERT_PTR_EQUAL(copied->pIVClient, iv[0]);
	CU_ASSERT_PTR_EQUAL(copied->pIVServer, iv[1]);
	CU_ASSERT_EQUAL_FATAL(m.made_count, 4);
	CU_ASSERT_PTR_EQUAL(m.made[0].app, &out.hClientMacSecret);
	CU_ASSERT_PTR_EQUAL(m.made[1].app, &out.hServerMacSecret);
	CU_ASSERT_PTR_EQUAL(m.made[2].app, &out.hClientKey);
	CU_ASSERT_PTR_EQUAL(m.made[3].app, &out.hServerKey);
	CU_ASSERT_EQUAL(copied->hClientKey, CK_INVALID_HANDLE);
	copied->hServerKey = 44;
	CU_ASSERT_EQUAL(*m.made[3].where, 44);
	CU_ASSERT_EQUAL(out.hServerKey, 4);
	mech_free(&m);
}

static void wtls_key_material_is_redirected(void)
{
	CK_BYTE iv[16];
	CK_WTLS_KEY_MAT_OUT out = {1, 2, iv};
	CK_WTLS_KEY_MAT_PARAMS p = {.DigestMechanism = CKM_SHA_1, .pReturnedKeyMaterial = &out};
	struct mech m;

	copy(&m, CKM_WTLS_SERVER_KEY_AND_MAC_DERIVE, &p, sizeof(p));
	CU_ASSERT_EQUAL_FATAL(m.made_count, 2);
	CU_ASSERT_PTR_EQUAL(m.made[0].app, &out.hMacSecret);
	CU_ASSERT_PTR_EQUAL(m.made[1].app, &out.hKey);
	CU_ASSERT_PTR_EQUAL(((CK_WTLS_KEY_MAT_PARAMS *)m.m.pParameter)->pReturnedKeyMaterial->pIV,
			    iv);
	mech_free(&m);
}

static void outputs_stay_with_the_application(void)
{
	CK_VERSION version;
	CK_BYTE output[48];
	CK_ULONG output_len = sizeof(output);
	CK_BYTE iv[8];
	CK_SSL3_MASTER_KEY_DERIVE_PARAMS master = {.pVersion = &version};
	CK_TLS_PRF_PARAMS prf = {.pOutput = output, .pulOutputLen = &output_len};
	CK_PBE_PARAMS pbe = {.pInitVector = iv, .ulIteration = 1000};
	struct mech m;

	copy(&m, CKM_TLS_MASTER_KEY_DERIVE, &master, sizeof(master));
	CU_ASSERT_PTR_EQUAL(((CK_SSL3_MASTER_KEY_DERIVE_PARAMS *)m.m.pParameter)->pVersion,
			    &version);
	mech_free(&m);
	copy(&m, CKM_TLS_PRF, &prf, sizeof(prf));
	CU_ASSERT_PTR_EQUAL(((CK_TLS_PRF_PARAMS *)m.m.pParameter)->pOutput, output);
	CU_ASSERT_PTR_EQUAL(((CK_TLS_PRF_PARAMS *)m.m.pParameter)->pulOutputLen, &output_len);
	mech_free(&m);
	copy(&m, CKM_PBE_SHA1_DES3_EDE_CBC, &pbe, sizeof(pbe));
	CU_ASSERT_PTR_EQUAL(((CK_PBE_PARAMS *)m.m.pParameter)->pInitVector, iv);
	mech_free(&m);
}

static void pbkdf2_length_is_read_in_both_forms(void)
{
	CK_BYTE password[] = "secret";
	CK_ULONG len = 6;
	CK_PKCS5_PBKD2_PARAMS by_pointer = {.pPassword = password, .ulPasswordLen = &len};
	CK_PKCS5_PBKD2_PARAMS2 by_value = {.pPassword = password, .ulPasswordLen = 6};
	const CK_PKCS5_PBKD2_PARAMS *copied;
	const CK_PKCS5_PBKD2_PARAMS2 *copied2;
	struct mech m;

	copy(&m, CKM_PKCS5_PBKD2, &by_pointer, sizeof(by_pointer));
	copied = m.m.pParameter;
	CU_ASSERT_PTR_NOT_EQUAL(copied->ulPasswordLen, &len);
	CU_ASSERT_EQUAL(*copied->ulPasswordLen, 6);
	CU_ASSERT_PTR_NOT_EQUAL(copied->pPassword, password);
	CU_ASSERT_EQUAL(memcmp(copied->pPassword, "secret", 6), 0);
	mech_free(&m);
	copy(&m, CKM_PKCS5_PBKD2, &by_value, sizeof(by_value));
	copied2 = m.m.pParameter;
	CU_ASSERT_EQUAL(copied2->ulPasswordLen, 6);
	CU_ASSERT_EQUAL(memcmp(copied2->pPassword, "secret", 6), 0);
	mech_free(&m);
}

static void gcm_is_copied_in_both_layouts(void)
{
	CK_BYTE iv[12] = "initvector";
	CK_BYTE aad[3] = "aad";
	CK_GCM_PARAMS p = {iv, 12, 96, aad, 3, 128};
	CK_NSS_GCM_PARAMS old = {iv, 12, aad, 3, 128};
	struct mech m;

	alloc_fail_at(1);
	copy(&m, CKM_AES_GCM, &p, sizeof(p));
	CU_ASSERT_EQUAL(memcmp(((CK_GCM_PARAMS *)m.m.pParameter)->pIv, iv, 12), 0);
	CU_ASSERT_PTR_NOT_EQUAL(((CK_GCM_PARAMS *)m.m.pParameter)->pIv, iv);
	CU_ASSERT_EQUAL(memcmp(((CK_GCM_PARAMS *)m.m.pParameter)->pAAD, aad, 3), 0);
	CU_ASSERT_PTR_NOT_EQUAL(((CK_GCM_PARAMS *)m.m.pParameter)->pAAD, aad);
	CU_ASSERT_EQUAL(((CK_GCM_PARAMS *)m.m.pParameter)->ulIvBits, 96);
	mech_free(&m);
	copy(&m, CKM_AES_GCM, &old, sizeof(old));
	CU_ASSERT_EQUAL(memcmp(((CK_NSS_GCM_PARAMS *)m.m.pParameter)->pAAD, aad, 3), 0);
	CU_ASSERT_EQUAL(((CK_NSS_GCM_PARAMS *)m.m.pParameter)->ulTagBits, 128);
	mech_free(&m);
	CU_ASSERT_EQUAL(alloc_seen, 0);
	alloc_fail_at(0);
}

static void gcm_for_messages_and_wrapping_leaves_outputs_alone(void)
{
	CK_BYTE iv[12];
	CK_BYTE tag[16];
	CK_GCM_MESSAGE_PARAMS message = {iv, 12, 32, CKG_GENERATE, tag, 128};
	CK_GCM_WRAP_PARAMS wrap = {iv, 12, 0, CKG_GENERATE_RANDOM, tag, 4, 128};
	struct mech m;

	copy(&m, CKM_AES_GCM, &message, sizeof(message));
	CU_ASSERT_PTR_EQUAL(((CK_GCM_MESSAGE_PARAMS *)m.m.pParameter)->pIv, iv);
	CU_ASSERT_PTR_EQUAL(((CK_GCM_MESSAGE_PARAMS *)m.m.pParameter)->pTag, tag);
	mech_free(&m);
	copy(&m, CKM_AES_GCM, &wrap, sizeof(wrap));
	CU_ASSERT_PTR_EQUAL(((CK_GCM_WRAP_PARAMS *)m.m.pParameter)->pIv, iv);
	CU_ASSERT_PTR_NOT_EQUAL(((CK_GCM_WRAP_PARAMS *)m.m.pParameter)->pAAD, tag);
	mech_free(&m);
}

static void nested_oaep_source_is_copied(void)
{
	CK_BYTE label[4] = "lab";
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, label, 4};
	CK_RSA_AES_KEY_WRAP_PARAMS p = {256, &oaep};
	const CK_RSA_PKCS_OAEP_PARAMS *copied;
	struct mech m;

	copy(&m, CKM_RSA_AES_KEY_WRAP, &p, sizeof(p));
	copied = ((CK_RSA_AES_KEY_WRAP_PARAMS *)m.m.pParameter)->pOAEPParams;
	CU_ASSERT_PTR_NOT_EQUAL(copied, &oaep);
	CU_ASSERT_PTR_NOT_EQUAL(copied->pSourceData, label);
	CU_ASSERT_EQUAL(memcmp(copied->pSourceData, "lab", 4), 0);
	mech_free(&m);
}

static void handles_of_nested_mechanisms_are_found(void)
{
	CK_OBJECT_HANDLE inner_key = 21;
	CK_MECHANISM inner = {CKM_CONCATENATE_BASE_AND_KEY, &inner_key, sizeof(inner_key)};
	CK_BYTE seed[200] = {0};
	CK_KIP_PARAMS p = {&inner, 22, seed, sizeof(seed)};
	const CK_KIP_PARAMS *copied;
	struct mech m;

	copy(&m, CKM_KIP_DERIVE, &p, sizeof(p));
	copied = m.m.pParameter;
	CU_ASSERT_PTR_NOT_NULL(m.block);
	CU_ASSERT_EQUAL(m.handle_count, 2);
	CU_ASSERT_EQUAL(handles_of(&m, 21, copied->pMechanism->pParameter), 1);
	CU_ASSERT_EQUAL(handles_of(&m, 22, &copied->hKey), 1);
	mech_free(&m);
}

static void length_that_a_member_writes_is_given_back(void)
{
	CK_BYTE cipher[1088];
	CK_IBM_ML_KEM_PARAMS p = {.mode = 1, .pCipher = cipher, .ulCipherLen = sizeof(cipher)};
	struct mech m;

	copy(&m, CKM_IBM_ML_KEM, &p, sizeof(p));
	CU_ASSERT_PTR_EQUAL(((CK_IBM_ML_KEM_PARAMS *)m.m.pParameter)->pCipher, cipher);
	((CK_IBM_ML_KEM_PARAMS *)m.m.pParameter)->ulCipherLen = 768;
	CU_ASSERT_EQUAL(p.ulCipherLen, sizeof(cipher));
	mech_give_back(&m);
	CU_ASSERT_EQUAL(p.ulCipherLen, 768);
	mech_free(&m);
}

static void plain_bytes_need_no_memory(void)
{
	CK_BYTE iv[16] = "initial vector!";
	struct mech m;

	alloc_fail_at(1);
	copy(&m, CKM_AES_CBC_PAD, iv, sizeof(iv));
	CU_ASSERT_PTR_EQUAL(m.m.pParameter, m.local.bytes);
	CU_ASSERT_EQUAL(memcmp(m.m.pParameter, "initial vector!", 16), 0);
	mech_free(&m);
	copy(&m, CKM_SHA256_RSA_PKCS, NULL, 0);
	mech_free(&m);
	CU_ASSERT_EQUAL(alloc_seen, 0);
	alloc_fail_at(0);
}

static void parameter_is_wiped_when_freed(void)
{
	CK_BYTE iv[16];
	struct mech m;

	memset(iv, 0xcd, sizeof(iv));
	copy(&m, CKM_AES_CBC, iv, sizeof(iv));
	mech_free(&m);
	for (size_t i = 0; i < sizeof(iv); i++)
		CU_ASSERT_EQUAL(m.local.bytes[i], 0);
	CU_ASSERT_PTR_NULL(m.m.pParameter);
	mech_free(&m);
	mech_free(NULL);
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
	UNIT(tls_key_material_is_redirected_but_ivs_are_not),
	UNIT(wtls_key_material_is_redirected),
	UNIT(outputs_stay_with_the_application),
	UNIT(pbkdf2_length_is_read_in_both_forms),
	UNIT(gcm_is_copied_in_both_layouts),
	UNIT(gcm_for_messages_and_wrapping_leaves_outputs_alone),
	UNIT(nested_oaep_source_is_copied),
	UNIT(handles_of_nested_mechanisms_are_found),
	UNIT(length_that_a_member_writes_is_given_back),
	UNIT(plain_bytes_need_no_memory),
	UNIT(parameter_is_wiped_when_freed),
};

UNIT_MAIN("base/mech", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c against the standard, written out by hand: where outputs go, what is
 * copied in which form, and what becomes of the copy. */
#include "core/base/mech.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/base/copied.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

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

/* Each use of these changes the key; never of these. */
static void keys_that_change_with_each_use_are_known(void)
{
	static const CK_MECHANISM_TYPE changing[] = {CKM_HSS,
						     CKM_XMSS,
						     CKM_XMSSMT,
						     CKM_SECURID,
						     CKM_HOTP,
						     CKM_ACTI,
						     CKM_CMS_SIG,
						     CKM_X2RATCHET_ENCRYPT,
						     CKM_X2RATCHET_DECRYPT};
	static const CK_MECHANISM_TYPE steady[] = {CKM_RSA_PKCS,
						   CKM_ECDSA,
						   CKM_EDDSA,
						   CKM_AES_GCM,
						   CKM_SHA256_HMAC,
						   CKM_HSS_KEY_PAIR_GEN,
						   CKM_SECURID_KEY_GEN,
						   CKM_HOTP_KEY_GEN,
						   CKM_X2RATCHET_INITIALIZE,
						   CKM_VENDOR_DEFINED,
						   ~0UL};

	for (size_t i = 0; i < sizeof changing / sizeof changing[0]; i++)
		CU_ASSERT_TRUE(mech_is_stateful(changing[i]));
	for (size_t i = 0; i < sizeof steady / sizeof steady[0]; i++)
		CU_ASSERT_FALSE(mech_is_stateful(steady[i]));
}

static const struct unit_test tests[] = {
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
	UNIT(keys_that_change_with_each_use_are_known),
};

UNIT_MAIN("base/mech", tests)

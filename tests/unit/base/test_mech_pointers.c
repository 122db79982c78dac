/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c: every pointer of every structure, listed by hand from its
 * declaration, so that a row missing in the tables is noticed. A copied input points elsewhere than
 * the original; an output, and an input without a length, points where it did. */
#include "core/base/mech.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

/* A pointer field of a structure. */
struct place {
	size_t at; /* offset plus 1; 0 ends the list */
	bool is_kept;
};

struct pointer_case {
	CK_MECHANISM_TYPE type;
	size_t size;
	struct place places[8];
};

/* clang-format off */

#define IN(type, field) {offsetof(type, field) + 1, false}
#define OUT(type, field) {offsetof(type, field) + 1, true}

static const struct pointer_case cases[] = {
	{CKM_RSA_PKCS_OAEP, sizeof(CK_RSA_PKCS_OAEP_PARAMS),
	 {IN(CK_RSA_PKCS_OAEP_PARAMS, pSourceData)}},
	{CKM_RSA_AES_KEY_WRAP, sizeof(CK_RSA_AES_KEY_WRAP_PARAMS),
	 {IN(CK_RSA_AES_KEY_WRAP_PARAMS, pOAEPParams)}},
	{CKM_KEY_WRAP_SET_OAEP, sizeof(CK_KEY_WRAP_SET_OAEP_PARAMS),
	 {IN(CK_KEY_WRAP_SET_OAEP_PARAMS, pX)}},
	{CKM_ML_DSA, sizeof(CK_SIGN_ADDITIONAL_CONTEXT),
	 {IN(CK_SIGN_ADDITIONAL_CONTEXT, pContext)}},
	{CKM_HASH_SLH_DSA_SHA256, sizeof(CK_SIGN_ADDITIONAL_CONTEXT),
	 {IN(CK_SIGN_ADDITIONAL_CONTEXT, pContext)}},
	{CKM_HASH_ML_DSA, sizeof(CK_HASH_SIGN_ADDITIONAL_CONTEXT),
	 {IN(CK_HASH_SIGN_ADDITIONAL_CONTEXT, pContext)}},
	{CKM_EDDSA, sizeof(CK_EDDSA_PARAMS), {IN(CK_EDDSA_PARAMS, pContextData)}},
	{CKM_ECDH1_DERIVE, sizeof(CK_ECDH1_DERIVE_PARAMS),
	 {IN(CK_ECDH1_DERIVE_PARAMS, pSharedData),
	  IN(CK_ECDH1_DERIVE_PARAMS, pPublicData)}},
	{CKM_ECMQV_DERIVE, sizeof(CK_ECDH2_DERIVE_PARAMS),
	 {IN(CK_ECDH2_DERIVE_PARAMS, pSharedData),
	  IN(CK_ECDH2_DERIVE_PARAMS, pPublicData),
	  IN(CK_ECDH2_DERIVE_PARAMS, pPublicData2)}},
	{CKM_ECMQV_DERIVE, sizeof(CK_ECMQV_DERIVE_PARAMS),
	 {IN(CK_ECMQV_DERIVE_PARAMS, pSharedData),
	  IN(CK_ECMQV_DERIVE_PARAMS, pPublicData),
	  IN(CK_ECMQV_DERIVE_PARAMS, pPublicData2)}},
	{CKM_ECDH_X_AES_KEY_WRAP, sizeof(CK_ECDH_AES_KEY_WRAP_PARAMS),
	 {IN(CK_ECDH_AES_KEY_WRAP_PARAMS, pSharedData)}},
	{CKM_X9_42_DH_DERIVE, sizeof(CK_X9_42_DH1_DERIVE_PARAMS),
	 {IN(CK_X9_42_DH1_DERIVE_PARAMS, pOtherInfo),
	  IN(CK_X9_42_DH1_DERIVE_PARAMS, pPublicData)}},
	{CKM_X9_42_DH_HYBRID_DERIVE, sizeof(CK_X9_42_DH2_DERIVE_PARAMS),
	 {IN(CK_X9_42_DH2_DERIVE_PARAMS, pOtherInfo),
	  IN(CK_X9_42_DH2_DERIVE_PARAMS, pPublicData),
	  IN(CK_X9_42_DH2_DERIVE_PARAMS, pPublicData2)}},
	{CKM_X9_42_MQV_DERIVE, sizeof(CK_X9_42_MQV_DERIVE_PARAMS),
	 {IN(CK_X9_42_MQV_DERIVE_PARAMS, pOtherInfo),
	  IN(CK_X9_42_MQV_DERIVE_PARAMS, pPublicData),
	  IN(CK_X9_42_MQV_DERIVE_PARAMS, pPublicData2)}},
	{CKM_KEA_DERIVE, sizeof(CK_KEA_DERIVE_PARAMS),
	 {IN(CK_KEA_DERIVE_PARAMS, pRandomA),
	  IN(CK_KEA_DERIVE_PARAMS, pRandomB),
	  IN(CK_KEA_DERIVE_PARAMS, pPublicData)}},
	{CKM_GOSTR3410_DERIVE, sizeof(CK_GOSTR3410_DERIVE_PARAMS),
	 {IN(CK_GOSTR3410_DERIVE_PARAMS, pPublicData),
	  IN(CK_GOSTR3410_DERIVE_PARAMS, pUKM)}},
	{CKM_GOSTR3410_KEY_WRAP, sizeof(CK_GOSTR3410_KEY_WRAP_PARAMS),
	 {IN(CK_GOSTR3410_KEY_WRAP_PARAMS, pWrapOID),
	  IN(CK_GOSTR3410_KEY_WRAP_PARAMS, pUKM)}},
	{CKM_X3DH_INITIALIZE, sizeof(CK_X3DH_INITIATE_PARAMS),
	 {OUT(CK_X3DH_INITIATE_PARAMS, pPrekey_signature),
	  OUT(CK_X3DH_INITIATE_PARAMS, pOnetime_key)}},
	{CKM_X3DH_RESPOND, sizeof(CK_X3DH_RESPOND_PARAMS),
	 {OUT(CK_X3DH_RESPOND_PARAMS, pIdentity_id),
	  OUT(CK_X3DH_RESPOND_PARAMS, pPrekey_id),
	  OUT(CK_X3DH_RESPOND_PARAMS, pOnetime_id),
	  OUT(CK_X3DH_RESPOND_PARAMS, pInitiator_ephemeral)}},
	{CKM_X2RATCHET_INITIALIZE, sizeof(CK_X2RATCHET_INITIALIZE_PARAMS),
	 {OUT(CK_X2RATCHET_INITIALIZE_PARAMS, sk)}},
	{CKM_X2RATCHET_RESPOND, sizeof(CK_X2RATCHET_RESPOND_PARAMS),
	 {OUT(CK_X2RATCHET_RESPOND_PARAMS, sk)}},
	{CKM_DSA_FIPS_G_GEN, sizeof(CK_DSA_PARAMETER_GEN_PARAM),
	 {IN(CK_DSA_PARAMETER_GEN_PARAM, pSeed)}},
	{CKM_AES_GCM, sizeof(CK_GCM_PARAMS), {IN(CK_GCM_PARAMS, pIv), IN(CK_GCM_PARAMS, pAAD)}},
	{CKM_AES_GCM, sizeof(CK_NSS_GCM_PARAMS),
	 {IN(CK_NSS_GCM_PARAMS, pIv),
	  IN(CK_NSS_GCM_PARAMS, pAAD)}},
	{CKM_AES_GCM, sizeof(CK_GCM_WRAP_PARAMS),
	 {IN(CK_GCM_WRAP_PARAMS, pAAD),
	  OUT(CK_GCM_WRAP_PARAMS, pIv)}},
	{CKM_AES_CCM, sizeof(CK_CCM_PARAMS), {IN(CK_CCM_PARAMS, pNonce), IN(CK_CCM_PARAMS, pAAD)}},
	{CKM_AES_CCM, sizeof(CK_CCM_MESSAGE_PARAMS),
	 {OUT(CK_CCM_MESSAGE_PARAMS, pNonce),
	  OUT(CK_CCM_MESSAGE_PARAMS, pMAC)}},
	{CKM_AES_CCM, sizeof(CK_CCM_WRAP_PARAMS),
	 {IN(CK_CCM_WRAP_PARAMS, pAAD),
	  OUT(CK_CCM_WRAP_PARAMS, pNonce)}},
	{CKM_CHACHA20, sizeof(CK_CHACHA20_PARAMS),
	 {IN(CK_CHACHA20_PARAMS, pBlockCounter),
	  IN(CK_CHACHA20_PARAMS, pNonce)}},
	{CKM_SALSA20, sizeof(CK_SALSA20_PARAMS),
	 {IN(CK_SALSA20_PARAMS, pBlockCounter),
	  IN(CK_SALSA20_PARAMS, pNonce)}},
	{CKM_CHACHA20_POLY1305, sizeof(CK_SALSA20_CHACHA20_POLY1305_PARAMS),
	 {IN(CK_SALSA20_CHACHA20_POLY1305_PARAMS, pNonce),
	  IN(CK_SALSA20_CHACHA20_POLY1305_PARAMS, pAAD)}},
	{CKM_CHACHA20_POLY1305, sizeof(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS),
	 {IN(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, pNonce),
	  OUT(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, pTag)}},
	{CKM_RC5_CBC, sizeof(CK_RC5_CBC_PARAMS), {IN(CK_RC5_CBC_PARAMS, pIv)}},
	{CKM_SKIPJACK_PRIVATE_WRAP, sizeof(CK_SKIPJACK_PRIVATE_WRAP_PARAMS),
	 {IN(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pPassword),
	  IN(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pPublicData),
	  IN(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pRandomA),
	  IN(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pPrimeP),
	  IN(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pBaseG),
	  IN(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pSubprimeQ)}},
	{CKM_SKIPJACK_RELAYX, sizeof(CK_SKIPJACK_RELAYX_PARAMS),
	 {IN(CK_SKIPJACK_RELAYX_PARAMS, pOldWrappedX),
	  IN(CK_SKIPJACK_RELAYX_PARAMS, pOldPassword),
	  IN(CK_SKIPJACK_RELAYX_PARAMS, pOldPublicData),
	  IN(CK_SKIPJACK_RELAYX_PARAMS, pOldRandomA),
	  IN(CK_SKIPJACK_RELAYX_PARAMS, pNewPassword),
	  IN(CK_SKIPJACK_RELAYX_PARAMS, pNewPublicData),
	  IN(CK_SKIPJACK_RELAYX_PARAMS, pNewRandomA)}},
	{CKM_DES3_CBC_ENCRYPT_DATA, sizeof(CK_DES_CBC_ENCRYPT_DATA_PARAMS),
	 {IN(CK_DES_CBC_ENCRYPT_DATA_PARAMS, pData)}},
	{CKM_AES_CBC_ENCRYPT_DATA, sizeof(CK_AES_CBC_ENCRYPT_DATA_PARAMS),
	 {IN(CK_AES_CBC_ENCRYPT_DATA_PARAMS, pData)}},
	{CKM_XOR_BASE_AND_DATA, sizeof(CK_KEY_DERIVATION_STRING_DATA),
	 {IN(CK_KEY_DERIVATION_STRING_DATA, pData)}},
	{CKM_PBE_SHA1_RC4_128, sizeof(CK_PBE_PARAMS),
	 {IN(CK_PBE_PARAMS, pPassword),
	  IN(CK_PBE_PARAMS, pSalt),
	  OUT(CK_PBE_PARAMS, pInitVector)}},
	{CKM_PKCS5_PBKD2, sizeof(CK_PKCS5_PBKD2_PARAMS2),
	 {IN(CK_PKCS5_PBKD2_PARAMS2, pSaltSourceData),
	  IN(CK_PKCS5_PBKD2_PARAMS2, pPrfData),
	  IN(CK_PKCS5_PBKD2_PARAMS2, pPassword)}},
	{CKM_HKDF_DERIVE, sizeof(CK_HKDF_PARAMS),
	 {IN(CK_HKDF_PARAMS, pSalt),
	  IN(CK_HKDF_PARAMS, pInfo)}},
	{CKM_NSS_HKDF_SHA256, sizeof(CK_NSS_HKDFParams),
	 {IN(CK_NSS_HKDFParams, pSalt),
	  IN(CK_NSS_HKDFParams, pInfo)}},
	{CKM_SP800_108_COUNTER_KDF, sizeof(CK_SP800_108_KDF_PARAMS),
	 {IN(CK_SP800_108_KDF_PARAMS, pDataParams),
	  IN(CK_SP800_108_KDF_PARAMS, pAdditionalDerivedKeys)}},
	{CKM_SP800_108_FEEDBACK_KDF, sizeof(CK_SP800_108_FEEDBACK_KDF_PARAMS),
	 {IN(CK_SP800_108_FEEDBACK_KDF_PARAMS, pDataParams),
	  IN(CK_SP800_108_FEEDBACK_KDF_PARAMS, pIV),
	  IN(CK_SP800_108_FEEDBACK_KDF_PARAMS, pAdditionalDerivedKeys)}},
	{CKM_IKE2_PRF_PLUS_DERIVE, sizeof(CK_IKE2_PRF_PLUS_DERIVE_PARAMS),
	 {IN(CK_IKE2_PRF_PLUS_DERIVE_PARAMS, pSeedData)}},
	{CKM_IKE_PRF_DERIVE, sizeof(CK_IKE_PRF_DERIVE_PARAMS),
	 {IN(CK_IKE_PRF_DERIVE_PARAMS, pNi),
	  IN(CK_IKE_PRF_DERIVE_PARAMS, pNr)}},
	{CKM_IKE1_PRF_DERIVE, sizeof(CK_IKE1_PRF_DERIVE_PARAMS),
	 {IN(CK_IKE1_PRF_DERIVE_PARAMS, pCKYi),
	  IN(CK_IKE1_PRF_DERIVE_PARAMS, pCKYr)}},
	{CKM_IKE1_EXTENDED_DERIVE, sizeof(CK_IKE1_EXTENDED_DERIVE_PARAMS),
	 {IN(CK_IKE1_EXTENDED_DERIVE_PARAMS, pExtraData)}},
	{CKM_TLS_MASTER_KEY_DERIVE, sizeof(CK_SSL3_MASTER_KEY_DERIVE_PARAMS),
	 {IN(CK_SSL3_MASTER_KEY_DERIVE_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_SSL3_MASTER_KEY_DERIVE_PARAMS, RandomInfo.pServerRandom),
	  OUT(CK_SSL3_MASTER_KEY_DERIVE_PARAMS, pVersion)}},
	{CKM_SSL3_KEY_AND_MAC_DERIVE, sizeof(CK_SSL3_KEY_MAT_PARAMS),
	 {IN(CK_SSL3_KEY_MAT_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_SSL3_KEY_MAT_PARAMS, RandomInfo.pServerRandom),
	  IN(CK_SSL3_KEY_MAT_PARAMS, pReturnedKeyMaterial)}},
	{CKM_TLS12_MASTER_KEY_DERIVE, sizeof(CK_TLS12_MASTER_KEY_DERIVE_PARAMS),
	 {IN(CK_TLS12_MASTER_KEY_DERIVE_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_TLS12_MASTER_KEY_DERIVE_PARAMS, RandomInfo.pServerRandom),
	  OUT(CK_TLS12_MASTER_KEY_DERIVE_PARAMS, pVersion)}},
	{CKM_TLS12_KEY_SAFE_DERIVE, sizeof(CK_TLS12_KEY_MAT_PARAMS),
	 {IN(CK_TLS12_KEY_MAT_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_TLS12_KEY_MAT_PARAMS, RandomInfo.pServerRandom),
	  IN(CK_TLS12_KEY_MAT_PARAMS, pReturnedKeyMaterial)}},
	{CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, sizeof(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS),
	 {IN(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS, pSessionHash),
	  OUT(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS, pVersion)}},
	{CKM_TLS_PRF, sizeof(CK_TLS_PRF_PARAMS),
	 {IN(CK_TLS_PRF_PARAMS, pSeed),
	  IN(CK_TLS_PRF_PARAMS, pLabel),
	  OUT(CK_TLS_PRF_PARAMS, pOutput),
	  OUT(CK_TLS_PRF_PARAMS, pulOutputLen)}},
	{CKM_TLS_KDF, sizeof(CK_TLS_KDF_PARAMS),
	 {IN(CK_TLS_KDF_PARAMS, pLabel),
	  IN(CK_TLS_KDF_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_TLS_KDF_PARAMS, RandomInfo.pServerRandom),
	  IN(CK_TLS_KDF_PARAMS, pContextData)}},
	{CKM_WTLS_MASTER_KEY_DERIVE, sizeof(CK_WTLS_MASTER_KEY_DERIVE_PARAMS),
	 {IN(CK_WTLS_MASTER_KEY_DERIVE_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_WTLS_MASTER_KEY_DERIVE_PARAMS, RandomInfo.pServerRandom),
	  OUT(CK_WTLS_MASTER_KEY_DERIVE_PARAMS, pVersion)}},
	{CKM_WTLS_PRF, sizeof(CK_WTLS_PRF_PARAMS),
	 {IN(CK_WTLS_PRF_PARAMS, pSeed),
	  IN(CK_WTLS_PRF_PARAMS, pLabel),
	  OUT(CK_WTLS_PRF_PARAMS, pOutput),
	  OUT(CK_WTLS_PRF_PARAMS, pulOutputLen)}},
	{CKM_WTLS_CLIENT_KEY_AND_MAC_DERIVE, sizeof(CK_WTLS_KEY_MAT_PARAMS),
	 {IN(CK_WTLS_KEY_MAT_PARAMS, RandomInfo.pClientRandom),
	  IN(CK_WTLS_KEY_MAT_PARAMS, RandomInfo.pServerRandom),
	  IN(CK_WTLS_KEY_MAT_PARAMS, pReturnedKeyMaterial)}},
	{CKM_KIP_DERIVE, sizeof(CK_KIP_PARAMS),
	 {IN(CK_KIP_PARAMS, pMechanism),
	  IN(CK_KIP_PARAMS, pSeed)}},
	{CKM_KIP_WRAP, sizeof(CK_KIP_PARAMS),
	 {IN(CK_KIP_PARAMS, pMechanism),
	  IN(CK_KIP_PARAMS, pSeed)}},
	{CKM_CMS_SIG, sizeof(CK_CMS_SIG_PARAMS),
	 {IN(CK_CMS_SIG_PARAMS, pSigningMechanism),
	  IN(CK_CMS_SIG_PARAMS, pDigestMechanism),
	  IN(CK_CMS_SIG_PARAMS, pContentType),
	  IN(CK_CMS_SIG_PARAMS, pRequestedAttributes),
	  IN(CK_CMS_SIG_PARAMS, pRequiredAttributes)}},
	{CKM_HOTP, sizeof(CK_OTP_PARAMS), {IN(CK_OTP_PARAMS, pParams)}},
	{CKM_NSS_CHACHA20_POLY1305, sizeof(CK_NSS_AEAD_PARAMS),
	 {IN(CK_NSS_AEAD_PARAMS, pNonce),
	  IN(CK_NSS_AEAD_PARAMS, pAAD)}},
	{CKM_NSS_HMAC_CONSTANT_TIME, sizeof(CK_NSS_MAC_CONSTANT_TIME_PARAMS),
	 {IN(CK_NSS_MAC_CONSTANT_TIME_PARAMS, pHeader)}},
	{CKM_IBM_ML_KEM, sizeof(CK_IBM_ML_KEM_PARAMS),
	 {IN(CK_IBM_ML_KEM_PARAMS, pCipher),
	  IN(CK_IBM_ML_KEM_PARAMS, pSharedData)}},
	{CKM_IBM_ML_KEM_WITH_ECDH, sizeof(CK_IBM_ML_KEM_WITH_ECDH_PARAMS),
	 {IN(CK_IBM_ML_KEM_WITH_ECDH_PARAMS, pCipher),
	  IN(CK_IBM_ML_KEM_WITH_ECDH_PARAMS, pSharedData),
	  IN(CK_IBM_ML_KEM_WITH_ECDH_PARAMS, pPublicData)}},
};

/* clang-format on */

/* Zeros, wherever a pointer leads: lengths are 0, inner structures are empty. */
static CK_ULONG zeros[32];

static void check_case(const struct pointer_case *c)
{
	CK_ULONG param[16] = {0};
	CK_MECHANISM in = {c->type, param, c->size};
	const CK_ULONG *target = zeros;
	const char *why = "";
	struct mech m;

	CU_ASSERT_TRUE_FATAL(c->size <= sizeof(param));
	for (const struct place *p = c->places; p->at; p++)
		memcpy((unsigned char *)param + p->at - 1, &target, sizeof(target));
	CU_ASSERT_EQUAL_FATAL(mech_copy(&m, &in, NULL, NULL, &why), CKR_OK);
	CU_ASSERT_TRUE(m.is_known);
	for (const struct place *p = c->places; p->at; p++) {
		const void *copied;

		memcpy(&copied, (unsigned char *)m.m.pParameter + p->at - 1, sizeof(copied));
		CU_ASSERT_EQUAL(copied == target, p->is_kept);
	}
	mech_free(&m);
}

static void every_pointer_is_copied_or_kept_on_purpose(void)
{
	alloc_fail_at(0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i]);
}

static const struct unit_test tests[] = {
	UNIT(every_pointer_is_copied_or_kept_on_purpose),
};

UNIT_MAIN("base/mech_pointers", tests)

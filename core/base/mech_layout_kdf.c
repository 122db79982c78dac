/* SPDX-License-Identifier: BSD-2-Clause */
/* The second half of the tables of mech_layout.c: derivation of keys (passwords, HKDF, SP 800-108,
 * IKE, SSL, TLS, WTLS), parameters with mechanisms inside, one-time passwords, makers' own.
 * Constant data only. */
#include "core/base/mech_fields.h"

/* CK_IBM_ML_KEM_PARAMS.mode in which the token writes the cipher text. */
#define IBM_KEM_ENCAPSULATE 1

/* clang-format off */

/* Passwords. */
static const struct mech_field pbe_fields[] = {
	APP(CK_PBE_PARAMS, pInitVector),
	BYTES(CK_PBE_PARAMS, pPassword, ulPasswordLen),
	BYTES(CK_PBE_PARAMS, pSalt, ulSaltLen),
};
LAYOUT(pbe, CK_PBE_PARAMS, pbe_fields);
/* One layout for both PBKDF2 structures, which differ only in what ulPasswordLen is. */
static const struct mech_field pbkd2_fields[] = {
	BYTES(CK_PKCS5_PBKD2_PARAMS2, pSaltSourceData, ulSaltSourceDataLen),
	BYTES(CK_PKCS5_PBKD2_PARAMS2, pPrfData, ulPrfDataLen),
	{.kind = FIELD_PASSWORD, .at = AT(CK_PKCS5_PBKD2_PARAMS2, pPassword),
	 .len = AT(CK_PKCS5_PBKD2_PARAMS2, ulPasswordLen)},
};
LAYOUT(pbkd2, CK_PKCS5_PBKD2_PARAMS2, pbkd2_fields);

/* HKDF: salt counts only when extracting, info only when expanding. */
static const struct mech_field hkdf_fields[] = {
	BYTES_IF(CK_HKDF_PARAMS, pSalt, ulSaltLen, IS_TRUE(CK_HKDF_PARAMS, bExtract),
		 IS_EQUAL(CK_HKDF_PARAMS, ulSaltType, CKF_HKDF_SALT_DATA)),
	HANDLE_IF(CK_HKDF_PARAMS, hSaltKey, IS_TRUE(CK_HKDF_PARAMS, bExtract),
		  IS_EQUAL(CK_HKDF_PARAMS, ulSaltType, CKF_HKDF_SALT_KEY)),
	BYTES_IF(CK_HKDF_PARAMS, pInfo, ulInfoLen, IS_TRUE(CK_HKDF_PARAMS, bExpand)),
};
LAYOUT(hkdf, CK_HKDF_PARAMS, hkdf_fields);
static const struct mech_field nss_hkdf_fields[] = {
	BYTES_IF(CK_NSS_HKDFParams, pSalt, ulSaltLen, IS_TRUE(CK_NSS_HKDFParams, bExtract)),
	BYTES_IF(CK_NSS_HKDFParams, pInfo, ulInfoLen, IS_TRUE(CK_NSS_HKDFParams, bExpand)),
};
LAYOUT(nss_hkdf, CK_NSS_HKDFParams, nss_hkdf_fields);

/* SP 800-108. The handle in a data parameter is easy to miss: 3.2 put it behind pValue. */
static const struct mech_field prf_data_fields[] = {
	{.kind = FIELD_VALUE, .at = AT(CK_PRF_DATA_PARAM, pValue),
	 .len = AT(CK_PRF_DATA_PARAM, ulValueLen),
	 .when = {IS_EQUAL(CK_PRF_DATA_PARAM, type, CK_SP800_108_KEY_HANDLE)}},
};
LAYOUT(prf_data, CK_PRF_DATA_PARAM, prf_data_fields);
static const struct mech_field derived_key_fields[] = {
	{.kind = FIELD_TEMPLATE, .at = AT(CK_DERIVED_KEY, pTemplate),
	 .len = AT(CK_DERIVED_KEY, ulAttributeCount)},
	{.kind = FIELD_MADE_AT, .at = AT(CK_DERIVED_KEY, phKey)},
};
LAYOUT(derived_key, CK_DERIVED_KEY, derived_key_fields);
static const struct mech_field sp800_108_fields[] = {
	ARRAY(CK_SP800_108_KDF_PARAMS, pDataParams, ulNumberOfDataParams, prf_data),
	ARRAY(CK_SP800_108_KDF_PARAMS, pAdditionalDerivedKeys, ulAdditionalDerivedKeys,
	      derived_key),
};
LAYOUT(sp800_108, CK_SP800_108_KDF_PARAMS, sp800_108_fields);
static const struct mech_field sp800_108_feedback_fields[] = {
	ARRAY(CK_SP800_108_FEEDBACK_KDF_PARAMS, pDataParams, ulNumberOfDataParams, prf_data),
	BYTES(CK_SP800_108_FEEDBACK_KDF_PARAMS, pIV, ulIVLen),
	ARRAY(CK_SP800_108_FEEDBACK_KDF_PARAMS, pAdditionalDerivedKeys, ulAdditionalDerivedKeys,
	      derived_key),
};
LAYOUT(sp800_108_feedback, CK_SP800_108_FEEDBACK_KDF_PARAMS, sp800_108_feedback_fields);

/* IKE; NSS had the same structures first. */
static const struct mech_field ike2_prf_plus_fields[] = {
	HANDLE_IF(CK_IKE2_PRF_PLUS_DERIVE_PARAMS, hSeedKey,
		  IS_TRUE(CK_IKE2_PRF_PLUS_DERIVE_PARAMS, bHasSeedKey)),
	BYTES(CK_IKE2_PRF_PLUS_DERIVE_PARAMS, pSeedData, ulSeedDataLen),
};
LAYOUT(ike2_prf_plus, CK_IKE2_PRF_PLUS_DERIVE_PARAMS, ike2_prf_plus_fields);
static const struct mech_field ike_prf_fields[] = {
	BYTES(CK_IKE_PRF_DERIVE_PARAMS, pNi, ulNiLen),
	BYTES(CK_IKE_PRF_DERIVE_PARAMS, pNr, ulNrLen),
	HANDLE_IF(CK_IKE_PRF_DERIVE_PARAMS, hNewKey, IS_TRUE(CK_IKE_PRF_DERIVE_PARAMS, bRekey)),
};
LAYOUT(ike_prf, CK_IKE_PRF_DERIVE_PARAMS, ike_prf_fields);
static const struct mech_field ike1_prf_fields[] = {
	HANDLE(CK_IKE1_PRF_DERIVE_PARAMS, hKeygxy),
	HANDLE_IF(CK_IKE1_PRF_DERIVE_PARAMS, hPrevKey,
		  IS_TRUE(CK_IKE1_PRF_DERIVE_PARAMS, bHasPrevKey)),
	BYTES(CK_IKE1_PRF_DERIVE_PARAMS, pCKYi, ulCKYiLen),
	BYTES(CK_IKE1_PRF_DERIVE_PARAMS, pCKYr, ulCKYrLen),
};
LAYOUT(ike1_prf, CK_IKE1_PRF_DERIVE_PARAMS, ike1_prf_fields);
static const struct mech_field ike1_extended_fields[] = {
	HANDLE_IF(CK_IKE1_EXTENDED_DERIVE_PARAMS, hKeygxy,
		  IS_TRUE(CK_IKE1_EXTENDED_DERIVE_PARAMS, bHasKeygxy)),
	BYTES(CK_IKE1_EXTENDED_DERIVE_PARAMS, pExtraData, ulExtraDataLen),
};
LAYOUT(ike1_extended, CK_IKE1_EXTENDED_DERIVE_PARAMS, ike1_extended_fields);

/* SSL and TLS. Versions, PRF output and IVs are written by the token. */
#define RANDOM(type) \
	BYTES(type, RandomInfo.pClientRandom, RandomInfo.ulClientRandomLen), \
	BYTES(type, RandomInfo.pServerRandom, RandomInfo.ulServerRandomLen)

static const struct mech_field ssl3_master_fields[] = {
	RANDOM(CK_SSL3_MASTER_KEY_DERIVE_PARAMS),
	APP(CK_SSL3_MASTER_KEY_DERIVE_PARAMS, pVersion),
};
LAYOUT(ssl3_master, CK_SSL3_MASTER_KEY_DERIVE_PARAMS, ssl3_master_fields);
static const struct mech_field ssl3_key_mat_out_fields[] = {
	MADE(CK_SSL3_KEY_MAT_OUT, hClientMacSecret),
	MADE(CK_SSL3_KEY_MAT_OUT, hServerMacSecret),
	MADE(CK_SSL3_KEY_MAT_OUT, hClientKey),
	MADE(CK_SSL3_KEY_MAT_OUT, hServerKey),
	APP(CK_SSL3_KEY_MAT_OUT, pIVClient),
	APP(CK_SSL3_KEY_MAT_OUT, pIVServer),
};
LAYOUT(ssl3_key_mat_out, CK_SSL3_KEY_MAT_OUT, ssl3_key_mat_out_fields);
static const struct mech_field ssl3_key_mat_fields[] = {
	RANDOM(CK_SSL3_KEY_MAT_PARAMS),
	STRUCT(CK_SSL3_KEY_MAT_PARAMS, pReturnedKeyMaterial, ssl3_key_mat_out),
};
LAYOUT(ssl3_key_mat, CK_SSL3_KEY_MAT_PARAMS, ssl3_key_mat_fields);
static const struct mech_field tls12_master_fields[] = {
	RANDOM(CK_TLS12_MASTER_KEY_DERIVE_PARAMS),
	APP(CK_TLS12_MASTER_KEY_DERIVE_PARAMS, pVersion),
};
LAYOUT(tls12_master, CK_TLS12_MASTER_KEY_DERIVE_PARAMS, tls12_master_fields);
static const struct mech_field tls12_key_mat_fields[] = {
	RANDOM(CK_TLS12_KEY_MAT_PARAMS),
	STRUCT(CK_TLS12_KEY_MAT_PARAMS, pReturnedKeyMaterial, ssl3_key_mat_out),
};
LAYOUT(tls12_key_mat, CK_TLS12_KEY_MAT_PARAMS, tls12_key_mat_fields);
static const struct mech_field tls12_extended_master_fields[] = {
	BYTES(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS, pSessionHash, ulSessionHashLen),
	APP(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS, pVersion),
};
LAYOUT(tls12_extended_master, CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS,
       tls12_extended_master_fields);
static const struct mech_field tls_prf_fields[] = {
	BYTES(CK_TLS_PRF_PARAMS, pSeed, ulSeedLen),
	BYTES(CK_TLS_PRF_PARAMS, pLabel, ulLabelLen),
	APP(CK_TLS_PRF_PARAMS, pOutput),
	APP(CK_TLS_PRF_PARAMS, pulOutputLen),
};
LAYOUT(tls_prf, CK_TLS_PRF_PARAMS, tls_prf_fields);
static const struct mech_field tls_kdf_fields[] = {
	BYTES(CK_TLS_KDF_PARAMS, pLabel, ulLabelLength),
	RANDOM(CK_TLS_KDF_PARAMS),
	BYTES(CK_TLS_KDF_PARAMS, pContextData, ulContextDataLength),
};
LAYOUT(tls_kdf, CK_TLS_KDF_PARAMS, tls_kdf_fields);
FLAT(tls_mac, CK_TLS_MAC_PARAMS);
static const struct mech_field wtls_master_fields[] = {
	RANDOM(CK_WTLS_MASTER_KEY_DERIVE_PARAMS),
	APP(CK_WTLS_MASTER_KEY_DERIVE_PARAMS, pVersion),
};
LAYOUT(wtls_master, CK_WTLS_MASTER_KEY_DERIVE_PARAMS, wtls_master_fields);
static const struct mech_field wtls_key_mat_out_fields[] = {
	MADE(CK_WTLS_KEY_MAT_OUT, hMacSecret),
	MADE(CK_WTLS_KEY_MAT_OUT, hKey),
	APP(CK_WTLS_KEY_MAT_OUT, pIV),
};
LAYOUT(wtls_key_mat_out, CK_WTLS_KEY_MAT_OUT, wtls_key_mat_out_fields);
static const struct mech_field wtls_key_mat_fields[] = {
	RANDOM(CK_WTLS_KEY_MAT_PARAMS),
	STRUCT(CK_WTLS_KEY_MAT_PARAMS, pReturnedKeyMaterial, wtls_key_mat_out),
};
LAYOUT(wtls_key_mat, CK_WTLS_KEY_MAT_PARAMS, wtls_key_mat_fields);
static const struct mech_field wtls_prf_fields[] = {
	BYTES(CK_WTLS_PRF_PARAMS, pSeed, ulSeedLen),
	BYTES(CK_WTLS_PRF_PARAMS, pLabel, ulLabelLen),
	APP(CK_WTLS_PRF_PARAMS, pOutput),
	APP(CK_WTLS_PRF_PARAMS, pulOutputLen),
};
LAYOUT(wtls_prf, CK_WTLS_PRF_PARAMS, wtls_prf_fields);

/* Mechanisms inside. CKM_KIP_WRAP does not look at hKey. */
static const struct mech_field kip_fields[] = {
	MECH_AT(CK_KIP_PARAMS, pMechanism),
	HANDLE_IF(CK_KIP_PARAMS, hKey, NONZERO),
	BYTES(CK_KIP_PARAMS, pSeed, ulSeedLen),
};
LAYOUT(kip, CK_KIP_PARAMS, kip_fields);
static const struct mech_field kip_wrap_fields[] = {
	MECH_AT(CK_KIP_PARAMS, pMechanism),
	HANDLE_IF(CK_KIP_PARAMS, hKey, NEVER),
	BYTES(CK_KIP_PARAMS, pSeed, ulSeedLen),
};
LAYOUT(kip_wrap, CK_KIP_PARAMS, kip_wrap_fields);
static const struct mech_field cms_sig_fields[] = {
	HANDLE_IF(CK_CMS_SIG_PARAMS, certificateHandle, NONZERO),
	MECH_AT(CK_CMS_SIG_PARAMS, pSigningMechanism),
	MECH_AT(CK_CMS_SIG_PARAMS, pDigestMechanism),
	{.kind = FIELD_STRING, .at = AT(CK_CMS_SIG_PARAMS, pContentType)},
	BYTES(CK_CMS_SIG_PARAMS, pRequestedAttributes, ulRequestedAttributesLen),
	BYTES(CK_CMS_SIG_PARAMS, pRequiredAttributes, ulRequiredAttributesLen),
};
LAYOUT(cms_sig, CK_CMS_SIG_PARAMS, cms_sig_fields);

/* One-time passwords. */
static const struct mech_field otp_param_fields[] = {BYTES(CK_OTP_PARAM, pValue, ulValueLen)};
LAYOUT(otp_param, CK_OTP_PARAM, otp_param_fields);
static const struct mech_field otp_fields[] = {ARRAY(CK_OTP_PARAMS, pParams, ulCount, otp_param)};
LAYOUT(otp, CK_OTP_PARAMS, otp_fields);

/* Makers' own. */
static const struct mech_field nss_aead_fields[] = {
	BYTES(CK_NSS_AEAD_PARAMS, pNonce, ulNonceLen),
	BYTES(CK_NSS_AEAD_PARAMS, pAAD, ulAADLen),
};
LAYOUT(nss_aead, CK_NSS_AEAD_PARAMS, nss_aead_fields);
static const struct mech_field nss_mac_constant_time_fields[] = {
	BYTES(CK_NSS_MAC_CONSTANT_TIME_PARAMS, pHeader, ulHeaderLen),
};
LAYOUT(nss_mac_constant_time, CK_NSS_MAC_CONSTANT_TIME_PARAMS, nss_mac_constant_time_fields);

#define CIPHER(type) \
	{.kind = FIELD_CIPHER, .at = AT(type, pCipher), .len = AT(type, ulCipherLen), \
	 .when = {IS_EQUAL(type, mode, IBM_KEM_ENCAPSULATE)}}

static const struct mech_field ibm_kem_fields[] = {
	CIPHER(CK_IBM_ML_KEM_PARAMS),
	BYTES(CK_IBM_ML_KEM_PARAMS, pSharedData, ulSharedDataLen),
	HANDLE_IF(CK_IBM_ML_KEM_PARAMS, hSecret, IS_TRUE(CK_IBM_ML_KEM_PARAMS, bPrepend)),
};
LAYOUT(ibm_kem, CK_IBM_ML_KEM_PARAMS, ibm_kem_fields);
static const struct mech_field ibm_kem_ecdh_fields[] = {
	CIPHER(CK_IBM_ML_KEM_WITH_ECDH_PARAMS),
	HANDLE(CK_IBM_ML_KEM_WITH_ECDH_PARAMS, hECPrivateKey),
	BYTES(CK_IBM_ML_KEM_WITH_ECDH_PARAMS, pSharedData, ulSharedDataLen),
	BYTES(CK_IBM_ML_KEM_WITH_ECDH_PARAMS, pPublicData, ulPublicDataLen),
};
LAYOUT(ibm_kem_ecdh, CK_IBM_ML_KEM_WITH_ECDH_PARAMS, ibm_kem_ecdh_fields);

/* clang-format on */

static const struct mech_layout *const forms[MECH_FORM_COUNT] = {
	[MECH_PBE] = &pbe,
	[MECH_PBKD2] = &pbkd2,
	[MECH_HKDF] = &hkdf,
	[MECH_SP800_108] = &sp800_108,
	[MECH_SP800_108_FEEDBACK] = &sp800_108_feedback,
	[MECH_IKE2_PRF_PLUS] = &ike2_prf_plus,
	[MECH_IKE_PRF] = &ike_prf,
	[MECH_IKE1_PRF] = &ike1_prf,
	[MECH_IKE1_EXTENDED] = &ike1_extended,
	[MECH_SSL3_MASTER] = &ssl3_master,
	[MECH_SSL3_KEY_MAT] = &ssl3_key_mat,
	[MECH_TLS12_MASTER] = &tls12_master,
	[MECH_TLS12_KEY_MAT] = &tls12_key_mat,
	[MECH_TLS12_EXTENDED_MASTER] = &tls12_extended_master,
	[MECH_TLS_PRF] = &tls_prf,
	[MECH_TLS_KDF] = &tls_kdf,
	[MECH_TLS_MAC] = &tls_mac,
	[MECH_WTLS_MASTER] = &wtls_master,
	[MECH_WTLS_KEY_MAT] = &wtls_key_mat,
	[MECH_WTLS_PRF] = &wtls_prf,
	[MECH_KIP] = &kip,
	[MECH_KIP_WRAP] = &kip_wrap,
	[MECH_CMS_SIG] = &cms_sig,
	[MECH_OTP] = &otp,
	[MECH_NSS_HKDF] = &nss_hkdf,
	[MECH_NSS_AEAD] = &nss_aead,
	[MECH_NSS_MAC_CONSTANT_TIME] = &nss_mac_constant_time,
	[MECH_IBM_KEM] = &ibm_kem,
	[MECH_IBM_KEM_ECDH] = &ibm_kem_ecdh,
};

const struct mech_layout *mech_kdf_layout(enum mech_form form, unsigned i)
{
	return i == 0 ? forms[form] : NULL;
}

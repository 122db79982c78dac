/* SPDX-License-Identifier: BSD-2-Clause */
/* The structures of mechanism parameters, field by field: which are pointers, with what length, and
 * which hold object handles under which condition. A handle field that is not used is often what
 * was on the application's stack, so the conditions matter as much as the fields. Source: PKCS
 * #11 2.40 to 3.2; nss/pkcs11n.h; pkcs11types.h of openCryptoki. Constant data only; the walker is
 * in mech.c. */
#include "core/base/mech_layout.h"

#include "core/base/mech_fields.h"
#include "core/base/mech_walk.h"

/* clang-format off */

/* The handle itself is the parameter. */
static const struct mech_field handle_fields[] = {{.kind = FIELD_HANDLE}};
LAYOUT(handle, CK_OBJECT_HANDLE, handle_fields);

/* RSA. */
static const struct mech_field oaep_fields[] = {
	BYTES_IF(CK_RSA_PKCS_OAEP_PARAMS, pSourceData, ulSourceDataLen,
		 IS_EQUAL(CK_RSA_PKCS_OAEP_PARAMS, source, CKZ_DATA_SPECIFIED)),
};
LAYOUT(oaep, CK_RSA_PKCS_OAEP_PARAMS, oaep_fields);
FLAT(pss, CK_RSA_PKCS_PSS_PARAMS);
static const struct mech_field rsa_aes_wrap_fields[] = {
	STRUCT(CK_RSA_AES_KEY_WRAP_PARAMS, pOAEPParams, oaep),
};
LAYOUT(rsa_aes_wrap, CK_RSA_AES_KEY_WRAP_PARAMS, rsa_aes_wrap_fields);
static const struct mech_field set_oaep_fields[] = {BYTES(CK_KEY_WRAP_SET_OAEP_PARAMS, pX, ulXLen)};
LAYOUT(set_oaep, CK_KEY_WRAP_SET_OAEP_PARAMS, set_oaep_fields);

/* Signatures. */
static const struct mech_field sign_context_fields[] = {
	BYTES(CK_SIGN_ADDITIONAL_CONTEXT, pContext, ulContextLen),
};
LAYOUT(sign_context, CK_SIGN_ADDITIONAL_CONTEXT, sign_context_fields);
static const struct mech_field hash_sign_context_fields[] = {
	BYTES(CK_HASH_SIGN_ADDITIONAL_CONTEXT, pContext, ulContextLen),
};
LAYOUT(hash_sign_context, CK_HASH_SIGN_ADDITIONAL_CONTEXT, hash_sign_context_fields);
static const struct mech_field eddsa_fields[] = {
	BYTES(CK_EDDSA_PARAMS, pContextData, ulContextDataLen),
};
LAYOUT(eddsa, CK_EDDSA_PARAMS, eddsa_fields);
FLAT(xeddsa, CK_XEDDSA_PARAMS);
static const struct mech_field dsa_parameter_fields[] = {
	BYTES(CK_DSA_PARAMETER_GEN_PARAM, pSeed, ulSeedLen),
};
LAYOUT(dsa_parameter, CK_DSA_PARAMETER_GEN_PARAM, dsa_parameter_fields);

/* Diffie-Hellman. ulPrivateDataLen is only a number: the private data is an object. */
static const struct mech_field ecdh1_fields[] = {
	BYTES(CK_ECDH1_DERIVE_PARAMS, pSharedData, ulSharedDataLen),
	BYTES(CK_ECDH1_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
};
LAYOUT(ecdh1, CK_ECDH1_DERIVE_PARAMS, ecdh1_fields);
static const struct mech_field ecdh2_fields[] = {
	BYTES(CK_ECDH2_DERIVE_PARAMS, pSharedData, ulSharedDataLen),
	BYTES(CK_ECDH2_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
	HANDLE(CK_ECDH2_DERIVE_PARAMS, hPrivateData),
	BYTES(CK_ECDH2_DERIVE_PARAMS, pPublicData2, ulPublicDataLen2),
};
LAYOUT(ecdh2, CK_ECDH2_DERIVE_PARAMS, ecdh2_fields);
static const struct mech_field ecmqv_fields[] = {
	BYTES(CK_ECMQV_DERIVE_PARAMS, pSharedData, ulSharedDataLen),
	BYTES(CK_ECMQV_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
	HANDLE(CK_ECMQV_DERIVE_PARAMS, hPrivateData),
	BYTES(CK_ECMQV_DERIVE_PARAMS, pPublicData2, ulPublicDataLen2),
	HANDLE(CK_ECMQV_DERIVE_PARAMS, publicKey),
};
LAYOUT(ecmqv, CK_ECMQV_DERIVE_PARAMS, ecmqv_fields);
static const struct mech_field ecdh_aes_wrap_fields[] = {
	BYTES(CK_ECDH_AES_KEY_WRAP_PARAMS, pSharedData, ulSharedDataLen),
};
LAYOUT(ecdh_aes_wrap, CK_ECDH_AES_KEY_WRAP_PARAMS, ecdh_aes_wrap_fields);
static const struct mech_field x9_42_dh1_fields[] = {
	BYTES(CK_X9_42_DH1_DERIVE_PARAMS, pOtherInfo, ulOtherInfoLen),
	BYTES(CK_X9_42_DH1_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
};
LAYOUT(x9_42_dh1, CK_X9_42_DH1_DERIVE_PARAMS, x9_42_dh1_fields);
static const struct mech_field x9_42_dh2_fields[] = {
	BYTES(CK_X9_42_DH2_DERIVE_PARAMS, pOtherInfo, ulOtherInfoLen),
	BYTES(CK_X9_42_DH2_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
	HANDLE(CK_X9_42_DH2_DERIVE_PARAMS, hPrivateData),
	BYTES(CK_X9_42_DH2_DERIVE_PARAMS, pPublicData2, ulPublicDataLen2),
};
LAYOUT(x9_42_dh2, CK_X9_42_DH2_DERIVE_PARAMS, x9_42_dh2_fields);
static const struct mech_field x9_42_mqv_fields[] = {
	BYTES(CK_X9_42_MQV_DERIVE_PARAMS, pOtherInfo, ulOtherInfoLen),
	BYTES(CK_X9_42_MQV_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
	HANDLE(CK_X9_42_MQV_DERIVE_PARAMS, hPrivateData),
	BYTES(CK_X9_42_MQV_DERIVE_PARAMS, pPublicData2, ulPublicDataLen2),
	HANDLE(CK_X9_42_MQV_DERIVE_PARAMS, publicKey),
};
LAYOUT(x9_42_mqv, CK_X9_42_MQV_DERIVE_PARAMS, x9_42_mqv_fields);
static const struct mech_field kea_fields[] = {
	BYTES(CK_KEA_DERIVE_PARAMS, pRandomA, ulRandomLen),
	BYTES(CK_KEA_DERIVE_PARAMS, pRandomB, ulRandomLen),
	BYTES(CK_KEA_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
};
LAYOUT(kea, CK_KEA_DERIVE_PARAMS, kea_fields);
static const struct mech_field gost_derive_fields[] = {
	BYTES(CK_GOSTR3410_DERIVE_PARAMS, pPublicData, ulPublicDataLen),
	BYTES(CK_GOSTR3410_DERIVE_PARAMS, pUKM, ulUKMLen),
};
LAYOUT(gost_derive, CK_GOSTR3410_DERIVE_PARAMS, gost_derive_fields);
static const struct mech_field gost_wrap_fields[] = {
	BYTES(CK_GOSTR3410_KEY_WRAP_PARAMS, pWrapOID, ulWrapOIDLen),
	BYTES(CK_GOSTR3410_KEY_WRAP_PARAMS, pUKM, ulUKMLen),
	HANDLE_IF(CK_GOSTR3410_KEY_WRAP_PARAMS, hKey, NONZERO),
};
LAYOUT(gost_wrap, CK_GOSTR3410_KEY_WRAP_PARAMS, gost_wrap_fields);

/* Signal's protocols. Despite their names the p-fields listed as handles are handles; the byte
 * fields have no length, it follows from the curve. */
static const struct mech_field x3dh_initiate_fields[] = {
	HANDLE(CK_X3DH_INITIATE_PARAMS, pPeer_identity),
	HANDLE(CK_X3DH_INITIATE_PARAMS, pPeer_prekey),
	APP(CK_X3DH_INITIATE_PARAMS, pPrekey_signature),
	APP(CK_X3DH_INITIATE_PARAMS, pOnetime_key),
	HANDLE(CK_X3DH_INITIATE_PARAMS, pOwn_identity),
	HANDLE(CK_X3DH_INITIATE_PARAMS, pOwn_ephemeral),
};
LAYOUT(x3dh_initiate, CK_X3DH_INITIATE_PARAMS, x3dh_initiate_fields);
static const struct mech_field x3dh_respond_fields[] = {
	APP(CK_X3DH_RESPOND_PARAMS, pIdentity_id),
	APP(CK_X3DH_RESPOND_PARAMS, pPrekey_id),
	APP(CK_X3DH_RESPOND_PARAMS, pOnetime_id),
	HANDLE(CK_X3DH_RESPOND_PARAMS, pInitiator_identity),
	APP(CK_X3DH_RESPOND_PARAMS, pInitiator_ephemeral),
};
LAYOUT(x3dh_respond, CK_X3DH_RESPOND_PARAMS, x3dh_respond_fields);
static const struct mech_field x2ratchet_initiate_fields[] = {
	APP(CK_X2RATCHET_INITIALIZE_PARAMS, sk),
	HANDLE(CK_X2RATCHET_INITIALIZE_PARAMS, peer_public_prekey),
	HANDLE(CK_X2RATCHET_INITIALIZE_PARAMS, peer_public_identity),
	HANDLE(CK_X2RATCHET_INITIALIZE_PARAMS, own_public_identity),
};
LAYOUT(x2ratchet_initiate, CK_X2RATCHET_INITIALIZE_PARAMS, x2ratchet_initiate_fields);
static const struct mech_field x2ratchet_respond_fields[] = {
	APP(CK_X2RATCHET_RESPOND_PARAMS, sk),
	HANDLE(CK_X2RATCHET_RESPOND_PARAMS, own_prekey),
	HANDLE(CK_X2RATCHET_RESPOND_PARAMS, initiator_identity),
	HANDLE(CK_X2RATCHET_RESPOND_PARAMS, own_public_identity),
};
LAYOUT(x2ratchet_respond, CK_X2RATCHET_RESPOND_PARAMS, x2ratchet_respond_fields);

/* AES-GCM: 48 bytes since the errata of 2.40, 40 without ulIvBits, and the forms for wrapping and
 * for messages, in which the token writes IV and tag. */
static const struct mech_field gcm_fields[] = {
	BYTES(CK_GCM_PARAMS, pIv, ulIvLen),
	BYTES(CK_GCM_PARAMS, pAAD, ulAADLen),
};
LAYOUT(gcm, CK_GCM_PARAMS, gcm_fields);
static const struct mech_field gcm_old_fields[] = {
	BYTES(CK_NSS_GCM_PARAMS, pIv, ulIvLen),
	BYTES(CK_NSS_GCM_PARAMS, pAAD, ulAADLen),
};
LAYOUT(gcm_old, CK_NSS_GCM_PARAMS, gcm_old_fields);
static const struct mech_field gcm_wrap_fields[] = {
	APP(CK_GCM_WRAP_PARAMS, pIv),
	BYTES(CK_GCM_WRAP_PARAMS, pAAD, ulAADLen),
};
LAYOUT(gcm_wrap, CK_GCM_WRAP_PARAMS, gcm_wrap_fields);

/* CK_GCM_MESSAGE_PARAMS is as long as CK_GCM_PARAMS. Where one has the generator (0 to 4) and the
 * address of the tag, the other has the address and the length of the AAD. */
static bool gcm_is_message(const void *param)
{
	const CK_GCM_MESSAGE_PARAMS *as_message = param;
	const CK_GCM_PARAMS *as_params = param;

	return as_message->ivGenerator <= CKG_GENERATE_COUNTER_XOR &&
	       address_mapped(as_params->ulAADLen);
}

static const struct mech_field gcm_message_fields[] = {
	APP(CK_GCM_MESSAGE_PARAMS, pIv),
	APP(CK_GCM_MESSAGE_PARAMS, pTag),
};
static const struct mech_layout gcm_message = {
	.name = "CK_GCM_MESSAGE_PARAMS", .size = sizeof(CK_GCM_MESSAGE_PARAMS),
	FIELDS(gcm_message_fields), .is_this = gcm_is_message,
};

/* Other ciphers. */
static const struct mech_field ccm_fields[] = {
	BYTES(CK_CCM_PARAMS, pNonce, ulNonceLen),
	BYTES(CK_CCM_PARAMS, pAAD, ulAADLen),
};
LAYOUT(ccm, CK_CCM_PARAMS, ccm_fields);
static const struct mech_field ccm_wrap_fields[] = {
	APP(CK_CCM_WRAP_PARAMS, pNonce),
	BYTES(CK_CCM_WRAP_PARAMS, pAAD, ulAADLen),
};
LAYOUT(ccm_wrap, CK_CCM_WRAP_PARAMS, ccm_wrap_fields);
static const struct mech_field ccm_message_fields[] = {
	APP(CK_CCM_MESSAGE_PARAMS, pNonce),
	APP(CK_CCM_MESSAGE_PARAMS, pMAC),
};
LAYOUT(ccm_message, CK_CCM_MESSAGE_PARAMS, ccm_message_fields);
FLAT(ctr, CK_AES_CTR_PARAMS);
static const struct mech_field chacha20_fields[] = {
	BITS(CK_CHACHA20_PARAMS, pBlockCounter, blockCounterBits),
	BITS(CK_CHACHA20_PARAMS, pNonce, ulNonceBits),
};
LAYOUT(chacha20, CK_CHACHA20_PARAMS, chacha20_fields);
static const struct mech_field salsa20_fields[] = {
	/* Salsa20 counts blocks with 64 bits. */
	{.kind = FIELD_FIXED, .at = AT(CK_SALSA20_PARAMS, pBlockCounter), .len = 8},
	BITS(CK_SALSA20_PARAMS, pNonce, ulNonceBits),
};
LAYOUT(salsa20, CK_SALSA20_PARAMS, salsa20_fields);
static const struct mech_field poly1305_fields[] = {
	BYTES(CK_SALSA20_CHACHA20_POLY1305_PARAMS, pNonce, ulNonceLen),
	BYTES(CK_SALSA20_CHACHA20_POLY1305_PARAMS, pAAD, ulAADLen),
};
LAYOUT(poly1305, CK_SALSA20_CHACHA20_POLY1305_PARAMS, poly1305_fields);
static const struct mech_field poly1305_message_fields[] = {
	BYTES(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, pNonce, ulNonceLen),
	APP(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, pTag),
};
LAYOUT(poly1305_message, CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS, poly1305_message_fields);
FLAT(rc2_cbc, CK_RC2_CBC_PARAMS);
FLAT(rc2_mac_general, CK_RC2_MAC_GENERAL_PARAMS);
FLAT(rc5, CK_RC5_PARAMS);
static const struct mech_field rc5_cbc_fields[] = {BYTES(CK_RC5_CBC_PARAMS, pIv, ulIvLen)};
LAYOUT(rc5_cbc, CK_RC5_CBC_PARAMS, rc5_cbc_fields);
FLAT(rc5_mac_general, CK_RC5_MAC_GENERAL_PARAMS);
static const struct mech_field skipjack_wrap_fields[] = {
	BYTES(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pPassword, ulPasswordLen),
	BYTES(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pPublicData, ulPublicDataLen),
	BYTES(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pRandomA, ulRandomLen),
	BYTES(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pPrimeP, ulPAndGLen),
	BYTES(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pBaseG, ulPAndGLen),
	BYTES(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, pSubprimeQ, ulQLen),
};
LAYOUT(skipjack_wrap, CK_SKIPJACK_PRIVATE_WRAP_PARAMS, skipjack_wrap_fields);
static const struct mech_field skipjack_relayx_fields[] = {
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pOldWrappedX, ulOldWrappedXLen),
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pOldPassword, ulOldPasswordLen),
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pOldPublicData, ulOldPublicDataLen),
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pOldRandomA, ulOldRandomLen),
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pNewPassword, ulNewPasswordLen),
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pNewPublicData, ulNewPublicDataLen),
	BYTES(CK_SKIPJACK_RELAYX_PARAMS, pNewRandomA, ulNewRandomLen),
};
LAYOUT(skipjack_relayx, CK_SKIPJACK_RELAYX_PARAMS, skipjack_relayx_fields);
static const struct mech_field cbc8_data_fields[] = {
	BYTES(CK_DES_CBC_ENCRYPT_DATA_PARAMS, pData, length),
};
LAYOUT(cbc8_data, CK_DES_CBC_ENCRYPT_DATA_PARAMS, cbc8_data_fields);
static const struct mech_field cbc16_data_fields[] = {
	BYTES(CK_AES_CBC_ENCRYPT_DATA_PARAMS, pData, length),
};
LAYOUT(cbc16_data, CK_AES_CBC_ENCRYPT_DATA_PARAMS, cbc16_data_fields);
static const struct mech_field string_data_fields[] = {
	BYTES(CK_KEY_DERIVATION_STRING_DATA, pData, ulLen),
};
LAYOUT(string_data, CK_KEY_DERIVATION_STRING_DATA, string_data_fields);

/* clang-format on */

static const struct mech_layout *const forms[MECH_FORM_COUNT][MECH_ALTERNATIVES] = {
	[MECH_HANDLE] = {&handle},
	[MECH_OAEP] = {&oaep},
	[MECH_PSS] = {&pss},
	[MECH_RSA_AES_WRAP] = {&rsa_aes_wrap},
	[MECH_SET_OAEP] = {&set_oaep},
	[MECH_SIGN_CONTEXT] = {&sign_context},
	[MECH_HASH_SIGN_CONTEXT] = {&hash_sign_context},
	[MECH_EDDSA] = {&eddsa},
	[MECH_XEDDSA] = {&xeddsa},
	[MECH_ECDH1] = {&ecdh1},
	[MECH_ECMQV] = {&ecmqv, &ecdh2},
	[MECH_ECDH_AES_WRAP] = {&ecdh_aes_wrap},
	[MECH_X9_42_DH1] = {&x9_42_dh1},
	[MECH_X9_42_DH2] = {&x9_42_dh2},
	[MECH_X9_42_MQV] = {&x9_42_mqv, &x9_42_dh2}, /* the latter in 2.11 */
	[MECH_KEA] = {&kea},
	[MECH_GOST_DERIVE] = {&gost_derive},
	[MECH_GOST_WRAP] = {&gost_wrap},
	[MECH_X3DH_INITIATE] = {&x3dh_initiate},
	[MECH_X3DH_RESPOND] = {&x3dh_respond},
	[MECH_X2RATCHET_INITIATE] = {&x2ratchet_initiate},
	[MECH_X2RATCHET_RESPOND] = {&x2ratchet_respond},
	[MECH_DSA_PARAMETER] = {&dsa_parameter},
	[MECH_GCM] = {&gcm_message, &gcm, &gcm_old, &gcm_wrap},
	[MECH_GMAC] = {&gcm, &gcm_old},
	[MECH_CCM] = {&ccm, &ccm_message, &ccm_wrap},
	[MECH_CTR] = {&ctr},
	[MECH_CHACHA20] = {&chacha20},
	[MECH_SALSA20] = {&salsa20},
	[MECH_POLY1305] = {&poly1305, &poly1305_message},
	[MECH_RC2_CBC] = {&rc2_cbc},
	[MECH_RC2_MAC_GENERAL] = {&rc2_mac_general},
	[MECH_RC5] = {&rc5},
	[MECH_RC5_CBC] = {&rc5_cbc},
	[MECH_RC5_MAC_GENERAL] = {&rc5_mac_general},
	[MECH_SKIPJACK_WRAP] = {&skipjack_wrap},
	[MECH_SKIPJACK_RELAYX] = {&skipjack_relayx},
	[MECH_CBC8_DATA] = {&cbc8_data},
	[MECH_CBC16_DATA] = {&cbc16_data},
	[MECH_STRING_DATA] = {&string_data},
};

const struct mech_layout *mech_form_layout(enum mech_form form, unsigned i)
{
	if (i >= MECH_ALTERNATIVES)
		return NULL;
	return forms[form][0] ? forms[form][i] : mech_kdf_layout(form, i);
}

bool mech_form_plain(enum mech_form form)
{
	/* The parameter of GMAC is an IV in the standard and CK_GCM_PARAMS on tokens. */
	return form == MECH_PLAIN || form == MECH_GMAC;
}

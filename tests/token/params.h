/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanism parameters that carry object handles, as the standard lays them out (3.0; the key
 * handle of SP 800-108 is 3.2's).
 *
 * Written down here a second time on purpose: the tests would otherwise agree with any mistake in
 * the headers of the code that they test. */
#ifndef HSMUX_TESTS_TOKEN_PARAMS_H
#define HSMUX_TESTS_TOKEN_PARAMS_H

#include "core/base/pkcs11.h"

#define P_CONCATENATE_BASE_AND_KEY 0x360UL
#define P_EXTRACT_KEY_FROM_KEY     0x365UL
#define P_X9_42_DH_HYBRID_DERIVE   0x32UL
#define P_X9_42_MQV_DERIVE         0x33UL
#define P_SSL3_KEY_AND_MAC_DERIVE  0x372UL
#define P_TLS_KEY_AND_MAC_DERIVE   0x376UL
#define P_SP800_108_COUNTER_KDF    0x3acUL
#define P_SP800_108_FEEDBACK_KDF   0x3adUL
#define P_SP800_108_PIPELINE_KDF   0x3aeUL
#define P_WTLS_SERVER_KEY_AND_MAC  0x3d4UL
#define P_WTLS_CLIENT_KEY_AND_MAC  0x3d5UL
#define P_TLS12_KEY_AND_MAC_DERIVE 0x3e1UL
#define P_TLS12_KEY_SAFE_DERIVE    0x3e3UL
#define P_CMS_SIG                  0x500UL
#define P_KIP_DERIVE               0x510UL
#define P_KIP_WRAP                 0x511UL
#define P_KIP_MAC                  0x512UL
#define P_ECMQV_DERIVE             0x1052UL
#define P_GOSTR3410_KEY_WRAP       0x1203UL
#define P_X2RATCHET_INITIALIZE     0x4025UL
#define P_X2RATCHET_RESPOND        0x4026UL
#define P_HKDF_DERIVE              0x402aUL
#define P_IKE2_PRF_PLUS_DERIVE     0x402eUL
#define P_IKE_PRF_DERIVE           0x402fUL
#define P_IKE1_PRF_DERIVE          0x4030UL
#define P_IKE1_EXTENDED_DERIVE     0x4031UL

#define P_HKDF_SALT_KEY        4UL
#define P_SP800_108_KEY_HANDLE 5UL

/* CK_X9_42_DH2_DERIVE_PARAMS; CK_ECDH2_DERIVE_PARAMS has the same shape. */
struct p_dh2 {
	CK_ULONG kdf;
	CK_ULONG info_len;
	CK_BYTE *info;
	CK_ULONG public_len;
	CK_BYTE *public;
	CK_ULONG private_len;
	CK_OBJECT_HANDLE private;
	CK_ULONG public2_len;
	CK_BYTE *public2;
};

/* CK_X9_42_MQV_DERIVE_PARAMS and CK_ECMQV_DERIVE_PARAMS. */
struct p_mqv {
	struct p_dh2 dh2;
	CK_OBJECT_HANDLE public_key;
};

struct p_hkdf {
	CK_BBOOL extract;
	CK_BBOOL expand;
	CK_MECHANISM_TYPE prf;
	CK_ULONG salt_type;
	CK_BYTE *salt;
	CK_ULONG salt_len;
	CK_OBJECT_HANDLE salt_key;
	CK_BYTE *info;
	CK_ULONG info_len;
};

struct p_prf_data {
	CK_ULONG type;
	void *value;
	CK_ULONG value_len;
};

struct p_derived_key {
	CK_ATTRIBUTE *tmpl;
	CK_ULONG count;
	CK_OBJECT_HANDLE *key;
};

struct p_sp800_108 {
	CK_ULONG prf;
	CK_ULONG data_count;
	struct p_prf_data *data;
	CK_ULONG more_count;
	struct p_derived_key *more;
};

struct p_sp800_108_feedback {
	CK_ULONG prf;
	CK_ULONG data_count;
	struct p_prf_data *data;
	CK_ULONG iv_len;
	CK_BYTE *iv;
	CK_ULONG more_count;
	struct p_derived_key *more;
};

struct p_ike2_prf_plus {
	CK_MECHANISM_TYPE prf;
	CK_BBOOL has_seed_key;
	CK_OBJECT_HANDLE seed_key;
	CK_BYTE *seed;
	CK_ULONG seed_len;
};

struct p_ike_prf {
	CK_MECHANISM_TYPE prf;
	CK_BBOOL data_as_key;
	CK_BBOOL rekey;
	CK_BYTE *ni;
	CK_ULONG ni_len;
	CK_BYTE *nr;
	CK_ULONG nr_len;
	CK_OBJECT_HANDLE new_key;
};

struct p_ike1_prf {
	CK_MECHANISM_TYPE prf;
	CK_BBOOL has_prev_key;
	CK_OBJECT_HANDLE gxy;
	CK_OBJECT_HANDLE prev_key;
	CK_BYTE *cky_i;
	CK_ULONG cky_i_len;
	CK_BYTE *cky_r;
	CK_ULONG cky_r_len;
	CK_BYTE number;
};

struct p_ike1_extended {
	CK_MECHANISM_TYPE prf;
	CK_BBOOL has_gxy;
	CK_OBJECT_HANDLE gxy;
	CK_BYTE *extra;
	CK_ULONG extra_len;
};

struct p_kip {
	CK_MECHANISM *mechanism;
	CK_OBJECT_HANDLE key;
	CK_BYTE *seed;
	CK_ULONG seed_len;
};

struct p_cms_sig {
	CK_OBJECT_HANDLE certificate;
	CK_MECHANISM *signing;
	CK_MECHANISM *digest;
	CK_UTF8CHAR *content_type;
	CK_BYTE *requested;
	CK_ULONG requested_len;
	CK_BYTE *required;
	CK_ULONG required_len;
};

struct p_gost_wrap {
	CK_BYTE *oid;
	CK_ULONG oid_len;
	CK_BYTE *ukm;
	CK_ULONG ukm_len;
	CK_OBJECT_HANDLE key;
};

/* CK_X2RATCHET_INITIALIZE_PARAMS; RESPOND has other names for the same places. `sk` is 32 bytes. */
struct p_x2ratchet {
	CK_BYTE *sk;
	CK_OBJECT_HANDLE key[3];
	CK_BBOOL encrypted_header;
	CK_ULONG curve;
	CK_MECHANISM_TYPE aead;
	CK_ULONG kdf;
};

struct p_randoms {
	CK_BYTE *client;
	CK_ULONG client_len;
	CK_BYTE *server;
	CK_ULONG server_len;
};

struct p_tls_out {
	CK_OBJECT_HANDLE client_mac;
	CK_OBJECT_HANDLE server_mac;
	CK_OBJECT_HANDLE client_key;
	CK_OBJECT_HANDLE server_key;
	CK_BYTE *client_iv;
	CK_BYTE *server_iv;
};

struct p_tls_keys {
	CK_ULONG mac_bits;
	CK_ULONG key_bits;
	CK_ULONG iv_bits;
	CK_BBOOL is_export;
	struct p_randoms randoms;
	struct p_tls_out *out;
};

struct p_tls12_keys {
	struct p_tls_keys keys;
	CK_MECHANISM_TYPE prf;
};

struct p_wtls_out {
	CK_OBJECT_HANDLE mac;
	CK_OBJECT_HANDLE key;
	CK_BYTE *iv;
};

struct p_wtls_keys {
	CK_MECHANISM_TYPE digest;
	CK_ULONG mac_bits;
	CK_ULONG key_bits;
	CK_ULONG iv_bits;
	CK_ULONG sequence;
	CK_BBOOL is_export;
	struct p_randoms randoms;
	struct p_wtls_out *out;
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanisms of the null token: the list, and the object handles hidden in their parameters.
 *
 * Every handle in a parameter is looked up exactly when the standard gives it a meaning; one that
 * was never issued here is reported like any other foreign handle. Must never follow a pointer
 * whose length says that there is nothing. */
#include <stddef.h>
#include <string.h>

#include "tests/token/null_state.h"
#include "tests/token/params.h"

/* What the list offers beside the mechanisms with handles: name, flags. */
struct offered {
	CK_MECHANISM_TYPE type;
	CK_FLAGS flags;
};

#define BOTH_CIPHER (CKF_ENCRYPT | CKF_DECRYPT)
#define BOTH_SIGN   (CKF_SIGN | CKF_VERIFY)
#define BOTH_WRAP   (CKF_WRAP | CKF_UNWRAP)

static const struct offered offered[] = {
	{CKM_RSA_PKCS, BOTH_CIPHER | BOTH_SIGN | BOTH_WRAP | CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER},
	{CKM_SHA256_RSA_PKCS, BOTH_SIGN},
	{CKM_RSA_PKCS_PSS, BOTH_SIGN},
	{CKM_RSA_PKCS_OAEP, BOTH_CIPHER | BOTH_WRAP},
	{CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR},
	{CKM_ECDSA, BOTH_SIGN},
	{CKM_ECDH1_DERIVE, CKF_DERIVE},
	{CKM_SHA256, CKF_DIGEST},
	{CKM_SHA256_HMAC, BOTH_SIGN},
	{CKM_AES_KEY_GEN, CKF_GENERATE},
	{CKM_AES_ECB, BOTH_CIPHER | BOTH_WRAP},
	{CKM_AES_CBC, BOTH_CIPHER | BOTH_WRAP},
	{CKM_AES_CBC_PAD, BOTH_CIPHER | BOTH_WRAP},
	{CKM_AES_CTR, BOTH_CIPHER},
	{CKM_AES_GCM, BOTH_CIPHER | BOTH_WRAP},
	{CKM_AES_CMAC, BOTH_SIGN},
	{CKM_AES_KEY_WRAP, BOTH_WRAP},
	{P_EXTRACT_KEY_FROM_KEY, CKF_DERIVE},
	{CKM_VENDOR_DEFINED + 1, BOTH_SIGN},
};

/* A handle field, and when it means a key. */
enum when { NEVER, ALWAYS, NOT_ZERO, IF_FLAG };

struct field {
	enum when when;
	size_t at;   /* offset of the handle */
	size_t flag; /* IF_FLAG: offset of the CK_BBOOL */
};

/* clang-format off */
#define HANDLE(s, f)       {ALWAYS, offsetof(struct s, f), 0}
#define OPTIONAL(s, f)     {NOT_ZERO, offsetof(struct s, f), 0}
#define CONDITION(s, f, c) {IF_FLAG, offsetof(struct s, f), offsetof(struct s, c)}

/* A mechanism whose parameter holds handles. */
struct row {
	CK_MECHANISM_TYPE type;
	CK_FLAGS flags;
	size_t size;
	struct field field[3];
};

static const struct row rows[] = {
	{P_CONCATENATE_BASE_AND_KEY, CKF_DERIVE, sizeof(CK_OBJECT_HANDLE), {{ALWAYS, 0, 0}}},
	{P_X9_42_DH_HYBRID_DERIVE, CKF_DERIVE, sizeof(struct p_dh2), {HANDLE(p_dh2, private)}},
	{P_X9_42_MQV_DERIVE, CKF_DERIVE, sizeof(struct p_mqv),
	 {HANDLE(p_mqv, dh2.private), HANDLE(p_mqv, public_key)}},
	{P_ECMQV_DERIVE, CKF_DERIVE, sizeof(struct p_mqv),
	 {HANDLE(p_mqv, dh2.private), HANDLE(p_mqv, public_key)}},
	{P_HKDF_DERIVE, CKF_DERIVE, sizeof(struct p_hkdf), {{NEVER, 0, 0}}},
	{P_SP800_108_COUNTER_KDF, CKF_DERIVE, sizeof(struct p_sp800_108), {{NEVER, 0, 0}}},
	{P_SP800_108_PIPELINE_KDF, CKF_DERIVE, sizeof(struct p_sp800_108), {{NEVER, 0, 0}}},
	{P_SP800_108_FEEDBACK_KDF, CKF_DERIVE, sizeof(struct p_sp800_108_feedback), {{NEVER, 0, 0}}},
	{P_IKE2_PRF_PLUS_DERIVE, CKF_DERIVE, sizeof(struct p_ike2_prf_plus),
	 {CONDITION(p_ike2_prf_plus, seed_key, has_seed_key)}},
	{P_IKE_PRF_DERIVE, CKF_DERIVE, sizeof(struct p_ike_prf), {CONDITION(p_ike_prf, new_key, rekey)}},
	{P_IKE1_PRF_DERIVE, CKF_DERIVE, sizeof(struct p_ike1_prf),
	 {HANDLE(p_ike1_prf, gxy), CONDITION(p_ike1_prf, prev_key, has_prev_key)}},
	{P_IKE1_EXTENDED_DERIVE, CKF_DERIVE, sizeof(struct p_ike1_extended),
	 {CONDITION(p_ike1_extended, gxy, has_gxy)}},
	{P_KIP_DERIVE, CKF_DERIVE, sizeof(struct p_kip), {OPTIONAL(p_kip, key)}},
	{P_KIP_WRAP, BOTH_WRAP, sizeof(struct p_kip), {{NEVER, 0, 0}}},
	{P_KIP_MAC, BOTH_SIGN, sizeof(struct p_kip), {OPTIONAL(p_kip, key)}},
	{P_CMS_SIG, BOTH_SIGN, sizeof(struct p_cms_sig), {OPTIONAL(p_cms_sig, certificate)}},
	{P_GOSTR3410_KEY_WRAP, BOTH_WRAP, sizeof(struct p_gost_wrap), {OPTIONAL(p_gost_wrap, key)}},
	{P_X2RATCHET_INITIALIZE, CKF_DERIVE, sizeof(struct p_x2ratchet),
	 {HANDLE(p_x2ratchet, key[0]), HANDLE(p_x2ratchet, key[1]), HANDLE(p_x2ratchet, key[2])}},
	{P_X2RATCHET_RESPOND, CKF_DERIVE, sizeof(struct p_x2ratchet),
	 {HANDLE(p_x2ratchet, key[0]), HANDLE(p_x2ratchet, key[1]), HANDLE(p_x2ratchet, key[2])}},
	{P_SSL3_KEY_AND_MAC_DERIVE, CKF_DERIVE, sizeof(struct p_tls_keys), {{NEVER, 0, 0}}},
	{P_TLS_KEY_AND_MAC_DERIVE, CKF_DERIVE, sizeof(struct p_tls_keys), {{NEVER, 0, 0}}},
	{P_TLS12_KEY_AND_MAC_DERIVE, CKF_DERIVE, sizeof(struct p_tls12_keys), {{NEVER, 0, 0}}},
	{P_TLS12_KEY_SAFE_DERIVE, CKF_DERIVE, sizeof(struct p_tls12_keys), {{NEVER, 0, 0}}},
	{P_WTLS_SERVER_KEY_AND_MAC, CKF_DERIVE, sizeof(struct p_wtls_keys), {{NEVER, 0, 0}}},
	{P_WTLS_CLIENT_KEY_AND_MAC, CKF_DERIVE, sizeof(struct p_wtls_keys), {{NEVER, 0, 0}}},
};
/* clang-format on */

#define OFFERED_COUNT (sizeof(offered) / sizeof(offered[0]))
#define ROW_COUNT     (sizeof(rows) / sizeof(rows[0]))

static const struct row *row_find(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

static CK_RV handle_check(CK_OBJECT_HANDLE handle)
{
	struct null_object o;

	return null_object_get(handle, "mechanism parameter", &o) ? CKR_OK : CKR_KEY_HANDLE_INVALID;
}

static CK_RV field_check(const struct field *f, const unsigned char *param)
{
	CK_OBJECT_HANDLE handle;

	memcpy(&handle, param + f->at, sizeof(handle));
	if (f->when == NEVER || (f->when == NOT_ZERO && handle == 0))
		return CKR_OK;
	if (f->when == IF_FLAG && !param[f->flag])
		return CKR_OK;
	return handle_check(handle);
}

/* Key handles among the data of a key derivation in counter, feedback or pipeline mode. */
static CK_RV prf_data_check(const struct p_prf_data *data, CK_ULONG count)
{
	CK_OBJECT_HANDLE handle;
	CK_RV rv = CKR_OK;

	for (CK_ULONG i = 0; i < count && rv == CKR_OK; i++) {
		if (data[i].type != P_SP800_108_KEY_HANDLE)
			continue;
		if (data[i].value_len != sizeof(handle) || !data[i].value)
			return CKR_MECHANISM_PARAM_INVALID;
		memcpy(&handle, data[i].value, sizeof(handle));
		rv = handle_check(handle);
	}
	return rv;
}

/* Handles that a table of offsets cannot describe. */
static CK_RV special_check(const CK_MECHANISM *m)
{
	const struct p_hkdf *hkdf = m->pParameter;
	const struct p_sp800_108 *kdf = m->pParameter;
	const struct p_kip *kip = m->pParameter;
	const struct p_cms_sig *cms = m->pParameter;
	CK_RV rv;

	switch (m->mechanism) {
	case P_HKDF_DERIVE:
		if (!hkdf->extract || hkdf->salt_type != P_HKDF_SALT_KEY)
			return CKR_OK;
		return handle_check(hkdf->salt_key);
	case P_SP800_108_COUNTER_KDF:
	case P_SP800_108_PIPELINE_KDF:
	case P_SP800_108_FEEDBACK_KDF: /* begins like the others */
		return prf_data_check(kdf->data, kdf->data_count);
	case P_KIP_DERIVE:
	case P_KIP_WRAP:
	case P_KIP_MAC:
		return kip->mechanism ? null_mech_check(kip->mechanism) : CKR_OK;
	case P_CMS_SIG:
		rv = cms->signing ? null_mech_check(cms->signing) : CKR_OK;
		if (rv == CKR_OK && cms->digest)
			rv = null_mech_check(cms->digest);
		return rv;
	default:
		return CKR_OK;
	}
}

CK_RV null_mech_check(const CK_MECHANISM *m)
{
	const struct row *row = row_find(m->mechanism);
	CK_RV rv = CKR_OK;

	if (!m->pParameter && m->ulParameterLen)
		return CKR_MECHANISM_PARAM_INVALID;
	if (!row) {
		for (size_t i = 0; i < OFFERED_COUNT; i++)
			if (offered[i].type == m->mechanism)
				return CKR_OK;
		return CKR_MECHANISM_INVALID;
	}
	if (!m->pParameter || m->ulParameterLen != row->size)
		return CKR_MECHANISM_PARAM_INVALID;
	for (size_t i = 0; i < sizeof(row->field) / sizeof(row->field[0]) && rv == CKR_OK; i++)
		rv = field_check(&row->field[i], m->pParameter);
	return rv == CKR_OK ? special_check(m) : rv;
}

static CK_RV make_one(CK_SESSION_HANDLE owner, CK_OBJECT_HANDLE *out)
{
	return null_make(owner, NULL, 0, CKO_SECRET_KEY, CKK_GENERIC_SECRET, out);
}

static CK_RV make_tls(CK_SESSION_HANDLE owner, const struct p_tls_keys *p)
{
	CK_RV rv;

	if (!p->out)
		return CKR_MECHANISM_PARAM_INVALID;
	rv = make_one(owner, &p->out->client_mac);
	if (rv == CKR_OK)
		rv = make_one(owner, &p->out->server_mac);
	if (rv == CKR_OK)
		rv = make_one(owner, &p->out->client_key);
	if (rv == CKR_OK)
		rv = make_one(owner, &p->out->server_key);
	if (p->out->client_iv)
		null_spread(1, 0, p->out->client_iv, p->iv_bits / 8);
	if (p->out->server_iv)
		null_spread(2, 0, p->out->server_iv, p->iv_bits / 8);
	return rv;
}

static CK_RV make_wtls(CK_SESSION_HANDLE owner, const struct p_wtls_keys *p)
{
	CK_RV rv;

	if (!p->out)
		return CKR_MECHANISM_PARAM_INVALID;
	rv = make_one(owner, &p->out->mac);
	if (rv == CKR_OK)
		rv = make_one(owner, &p->out->key);
	if (p->out->iv)
		null_spread(3, 0, p->out->iv, p->iv_bits / 8);
	return rv;
}

static CK_RV make_more(CK_SESSION_HANDLE owner, const struct p_derived_key *more, CK_ULONG count)
{
	CK_RV rv = CKR_OK;

	for (CK_ULONG i = 0; i < count && rv == CKR_OK; i++)
		rv = null_make(owner, more[i].tmpl, more[i].count, CKO_SECRET_KEY,
			       CKK_GENERIC_SECRET, more[i].key);
	return rv;
}

CK_RV null_mech_make(CK_SESSION_HANDLE owner, const CK_MECHANISM *m)
{
	const struct p_sp800_108 *kdf = m->pParameter;
	const struct p_sp800_108_feedback *feedback = m->pParameter;

	switch (m->mechanism) {
	case P_SSL3_KEY_AND_MAC_DERIVE:
	case P_TLS_KEY_AND_MAC_DERIVE:
	case P_TLS12_KEY_AND_MAC_DERIVE:
	case P_TLS12_KEY_SAFE_DERIVE:
		return make_tls(owner, m->pParameter);
	case P_WTLS_SERVER_KEY_AND_MAC:
	case P_WTLS_CLIENT_KEY_AND_MAC:
		return make_wtls(owner, m->pParameter);
	case P_SP800_108_COUNTER_KDF:
	case P_SP800_108_PIPELINE_KDF:
		return make_more(owner, kdf->more, kdf->more_count);
	case P_SP800_108_FEEDBACK_KDF:
		return make_more(owner, feedback->more, feedback->more_count);
	default:
		return CKR_OK;
	}
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	const CK_ULONG all = OFFERED_COUNT + ROW_COUNT;
	CK_ULONG room;

	null_count(CALL_GetMechanismList);
	if (!null_token.is_initialised)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (slot != 0)
		return CKR_SLOT_ID_INVALID;
	if (!count)
		return CKR_ARGUMENTS_BAD;
	room = *count;
	*count = all;
	if (!list)
		return CKR_OK;
	if (room < all)
		return CKR_BUFFER_TOO_SMALL;
	for (size_t i = 0; i < OFFERED_COUNT; i++)
		*list++ = offered[i].type;
	for (size_t i = 0; i < ROW_COUNT; i++)
		*list++ = rows[i].type;
	return CKR_OK;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	const struct row *row = row_find(type);
	CK_FLAGS flags = row ? row->flags : 0;

	null_count(CALL_GetMechanismInfo);
	if (!null_token.is_initialised)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (slot != 0)
		return CKR_SLOT_ID_INVALID;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < OFFERED_COUNT; i++)
		if (offered[i].type == type)
			flags = offered[i].flags;
	if (!flags)
		return CKR_MECHANISM_INVALID;
	*info = (CK_MECHANISM_INFO){.ulMinKeySize = 16, .ulMaxKeySize = 4096, .flags = flags};
	return CKR_OK;
}

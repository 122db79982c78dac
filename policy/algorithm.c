/* SPDX-License-Identifier: BSD-2-Clause */
/* Algorithms: one table of mechanisms (algorithms.def), and for each family that has parameters one
 * function that reads them. A parameter shorter than its structure is left unread; it never got so
 * far (core/base/mech.h). No state but which rows were found lately, no locks. */
#include "policy/algorithm.h"

#include <stdatomic.h>
#include <string.h>

/* Signatures and encryption of PKCS#1 v1.5 share their mechanism; which of the two families it is
 * depends on what is done. */
#define ASPECT_RSA_V15 ASPECT_COUNT

struct row {
	CK_MECHANISM_TYPE type;
	uint8_t family;
	uint8_t hash;
};

static const struct row rows[] = {
#define ALGORITHM(type, family, hash) {type, ASPECT_##family, HASH_##hash},
#include "policy/algorithms.def"
#undef ALGORITHM
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])
/* Rows that are remembered. */
#define RECENT 64U

static const struct row *row_find(CK_MECHANISM_TYPE type)
{
	static _Atomic(const struct row *) recent[RECENT];
	_Atomic(const struct row *) *slot = &recent[type % RECENT];
	const struct row *row = atomic_load_explicit(slot, memory_order_relaxed);

	if (row && row->type == type)
		return row;
	row = rows;
	for (size_t n = ROW_COUNT; n > 1; n -= n / 2)
		row = row[n / 2].type <= type ? row + n / 2 : row;
	if (row->type != type)
		return NULL;
	atomic_store_explicit(slot, row, memory_order_relaxed);
	return row;
}

enum policy_hash hash_of_mechanism(CK_MECHANISM_TYPE type)
{
	const struct row *row = type != 0 ? row_find(type) : NULL;

	if (type == 0)
		return HASH_NONE;
	return row && row->hash != HASH_NONE ? row->hash : HASH_UNKNOWN;
}

bool algorithm_at(size_t i, CK_MECHANISM_TYPE *type)
{
	if (i >= ROW_COUNT)
		return false;
	*type = rows[i].type;
	return true;
}

/* Mask generation functions (CKG_MGF1_...), PKCS#11 3.0 table 2.1 and 3.2. */
static enum policy_hash hash_of_mgf(CK_ULONG mgf)
{
	static const enum policy_hash hashes[] = {
		HASH_UNKNOWN, HASH_SHA1,     HASH_SHA256,   HASH_SHA384,   HASH_SHA512,
		HASH_SHA224,  HASH_SHA3_224, HASH_SHA3_256, HASH_SHA3_384, HASH_SHA3_512,
	};

	return mgf < sizeof hashes / sizeof hashes[0] ? hashes[mgf] : HASH_UNKNOWN;
}

/* Key derivation functions of ECDH and X9.42 (CKD_...). */
static enum policy_hash hash_of_kdf(CK_ULONG kdf)
{
	static const enum policy_hash hashes[] = {
		HASH_UNKNOWN,  HASH_NONE,     HASH_SHA1,     HASH_SHA1,     HASH_SHA1,
		HASH_SHA224,   HASH_SHA256,   HASH_SHA384,   HASH_SHA512,   HASH_GOST,
		HASH_SHA3_224, HASH_SHA3_256, HASH_SHA3_384, HASH_SHA3_512, HASH_SHA1,
		HASH_SHA224,   HASH_SHA256,   HASH_SHA384,   HASH_SHA512,   HASH_SHA3_224,
		HASH_SHA3_256, HASH_SHA3_384, HASH_SHA3_512, HASH_BLAKE2B,  HASH_BLAKE2B,
		HASH_BLAKE2B,  HASH_BLAKE2B,
	};

	return kdf < sizeof hashes / sizeof hashes[0] ? hashes[kdf] : HASH_UNKNOWN;
}

/* Pseudo-random functions of PBKDF2 (CKP_PKCS5_PBKD2_HMAC_...). */
static enum policy_hash hash_of_prf(CK_ULONG prf)
{
	static const enum policy_hash hashes[] = {
		HASH_UNKNOWN, HASH_SHA1,   HASH_GOST,       HASH_SHA224,     HASH_SHA256,
		HASH_SHA384,  HASH_SHA512, HASH_SHA512_224, HASH_SHA512_256,
	};

	return prf < sizeof hashes / sizeof hashes[0] ? hashes[prf] : HASH_UNKNOWN;
}

/* The parameter when it has at least `size` bytes, else NULL. */
static const void *param(const CK_MECHANISM *mech, size_t size)
{
	return mech->pParameter && mech->ulParameterLen >= size ? mech->pParameter : NULL;
}

/* The first field, a number, of a structure; false when there is no parameter. */
static bool first_number(const CK_MECHANISM *mech, CK_ULONG *number)
{
	const void *p = param(mech, sizeof *number);

	if (p)
		memcpy(number, p, sizeof *number);
	return p != NULL;
}

/* What the parameter says of the hash: the hash itself where the mechanism's number names none. */
static void set_hash(struct algorithm *out, enum policy_hash hash)
{
	if (out->hash == HASH_NONE)
		out->hash = hash;
	else
		out->said = hash;
}

static void read_pss(const CK_MECHANISM *mech, struct algorithm *out)
{
	const CK_RSA_PKCS_PSS_PARAMS *p = param(mech, sizeof *p);

	if (!p)
		return;
	set_hash(out, hash_of_mechanism(p->hashAlg));
	out->mgf = hash_of_mgf(p->mgf);
	out->has_salt = true;
	out->salt_len = p->sLen;
}

static void read_oaep(const CK_RSA_PKCS_OAEP_PARAMS *p, struct algorithm *out)
{
	if (!p)
		return;
	set_hash(out, hash_of_mechanism(p->hashAlg));
	out->mgf = hash_of_mgf(p->mgf);
}

static void read_kdf(CK_ULONG kdf, struct algorithm *out)
{
	out->has_kdf = true;
	out->kdf = hash_of_kdf(kdf);
}

static void read_pbkd2(const CK_MECHANISM *mech, struct algorithm *out)
{
	const CK_PKCS5_PBKD2_PARAMS2 *p = param(mech, sizeof *p);

	if (!p)
		return;
	out->has_salt = out->has_iterations = true;
	out->salt_len = p->ulSaltSourceDataLen;
	out->iterations = p->iterations;
	set_hash(out, hash_of_prf(p->prf));
}

/* CK_GCM_PARAMS has two layouts in the field, with and without ulIvBits; what is read here stands
 * at their beginning and at their end. */
static void read_gcm(const CK_MECHANISM *mech, enum policy_act act, struct algorithm *out)
{
	const CK_GCM_PARAMS *p = param(mech, sizeof *p - sizeof p->ulIvBits);
	CK_ULONG tag;

	if (!p)
		return;
	memcpy(&tag, (const CK_BYTE *)mech->pParameter + mech->ulParameterLen - sizeof tag,
	       sizeof tag);
	out->tag_bits = tag < 1024 ? (unsigned)tag : 0;
	if (act == ACT_ENCRYPT || act == ACT_WRAP)
		out->iv = p->pIv && p->ulIvLen > 0 ? IV_CALLER : IV_TOKEN;
}

static void read_ccm(const CK_MECHANISM *mech, struct algorithm *out)
{
	const CK_CCM_PARAMS *p = param(mech, sizeof *p);

	if (p && p->ulMACLen <= 16)
		out->tag_bits = (unsigned)p->ulMACLen * 8;
}

/* MACs whose length is the parameter, in bytes. */
static void read_mac(const CK_MECHANISM *mech, struct algorithm *out)
{
	CK_ULONG len;

	if (mech->ulParameterLen == sizeof len && first_number(mech, &len) && len <= 64)
		out->tag_bits = (unsigned)len * 8;
}

/* The hash of a structure whose first field is a mechanism. */
static void read_prf(const CK_MECHANISM *mech, struct algorithm *out)
{
	CK_ULONG type;

	if (!first_number(mech, &type))
		return;
	/* SP 800-108 works with CMAC, too, which is no hash. */
	if (type == CKM_AES_CMAC || type == CKM_DES3_CMAC || type == CKM_AES_XCBC_MAC)
		return;
	set_hash(out, hash_of_mechanism(type));
}

static void read_tls12_master(const CK_MECHANISM *mech, struct algorithm *out)
{
	const CK_TLS12_MASTER_KEY_DERIVE_PARAMS *p = param(mech, sizeof *p);

	if (p)
		set_hash(out, hash_of_mechanism(p->prfHashMechanism));
}

static void read_tls12_keys(const CK_MECHANISM *mech, struct algorithm *out)
{
	const CK_TLS12_KEY_MAT_PARAMS *p = param(mech, sizeof *p);

	if (p)
		set_hash(out, hash_of_mechanism(p->prfHashMechanism));
}

static void read_tls(const CK_MECHANISM *mech, struct algorithm *out)
{
	if (mech->mechanism == CKM_TLS12_MASTER_KEY_DERIVE ||
	    mech->mechanism == CKM_TLS12_MASTER_KEY_DERIVE_DH)
		read_tls12_master(mech, out);
	else if (mech->mechanism == CKM_TLS12_KEY_AND_MAC_DERIVE ||
		 mech->mechanism == CKM_TLS12_KEY_SAFE_DERIVE)
		read_tls12_keys(mech, out);
	else if (mech->mechanism == CKM_TLS_KDF || mech->mechanism == CKM_TLS12_KDF ||
		 mech->mechanism == CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE ||
		 mech->mechanism == CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH)
		read_prf(mech, out);
}

static void read_parameter(const CK_MECHANISM *mech, enum policy_act act, struct algorithm *out)
{
	const CK_RSA_AES_KEY_WRAP_PARAMS *rsa_aes;
	const CK_ECDH_AES_KEY_WRAP_PARAMS *ecdh_aes;
	const CK_HKDF_PARAMS *hkdf;
	const CK_HASH_SIGN_ADDITIONAL_CONTEXT *context;
	CK_ULONG number;

	switch ((int)out->family) {
	case ASPECT_RSA_PSS:
		read_pss(mech, out);
		break;
	case ASPECT_RSA_OAEP:
		if (mech->mechanism == CKM_RSA_PKCS_OAEP)
			read_oaep(param(mech, sizeof(CK_RSA_PKCS_OAEP_PARAMS)), out);
		break;
	case ASPECT_RSA_AES_WRAP:
		rsa_aes = param(mech, sizeof *rsa_aes);
		read_oaep(rsa_aes ? rsa_aes->pOAEPParams : NULL, out);
		break;
	case ASPECT_ECDH:
		if (first_number(mech, &number))
			read_kdf(number, out);
		break;
	case ASPECT_DH: /* the parameter of CKM_DH_PKCS_DERIVE is a public value */
		if (act == ACT_DERIVE && mech->mechanism != CKM_DH_PKCS_DERIVE &&
		    first_number(mech, &number))
			read_kdf(number, out);
		break;
	case ASPECT_ECDH_AES_WRAP:
		ecdh_aes = param(mech, sizeof *ecdh_aes);
		if (ecdh_aes)
			read_kdf(ecdh_aes->kdf, out);
		break;
	case ASPECT_PBKD2:
		read_pbkd2(mech, out);
		break;
	case ASPECT_AES_GCM:
		read_gcm(mech, act, out);
		break;
	case ASPECT_AES_CCM:
		read_ccm(mech, out);
		break;
	case ASPECT_HMAC:
	case ASPECT_AES_MAC:
		read_mac(mech, out);
		break;
	case ASPECT_HKDF:
		hkdf = param(mech, sizeof *hkdf);
		if (hkdf && out->hash == HASH_NONE)
			out->hash = hash_of_mechanism(hkdf->prfHashMechanism);
		break;
	case ASPECT_SP800_108:
	case ASPECT_IKE_KDF:
	case ASPECT_TLS_MAC:
		read_prf(mech, out);
		break;
	case ASPECT_TLS_KDF:
		read_tls(mech, out);
		break;
	case ASPECT_HASH_ML_DSA:
	case ASPECT_SLH_DSA:
		context = param(mech, sizeof *context);
		if (context && out->hash == HASH_NONE)
			out->hash = hash_of_mechanism(context->hash);
		break;
	default: /* no other family has parameters that policies speak of */
		break;
	}
}

static bool is_signing(enum policy_act act)
{
	return act == ACT_SIGN || act == ACT_VERIFY;
}

static bool is_signature_family(enum policy_aspect family)
{
	switch ((int)family) {
	case ASPECT_RSA_V15_SIGN:
	case ASPECT_RSA_PSS:
	case ASPECT_RSA_RAW:
	case ASPECT_ECDSA:
	case ASPECT_EDDSA:
	case ASPECT_DSA:
	case ASPECT_HASH_ML_DSA:
	case ASPECT_SLH_DSA:
		return true;
	default:
		return false;
	}
}

void algorithm_of_type(CK_MECHANISM_TYPE type, enum policy_act act, struct algorithm *out)
{
	const struct row *row = row_find(type);
	unsigned family = row ? row->family : ASPECT_OTHER;

	if (family == ASPECT_RSA_V15)
		family = is_signing(act) ? ASPECT_RSA_V15_SIGN : ASPECT_RSA_V15_CRYPT;
	*out = (struct algorithm){
		.type = type,
		.family = family,
		.hash = row ? row->hash : HASH_NONE,
	};
	out->is_signature = is_signature_family(out->family);
}

void algorithm_of(const CK_MECHANISM *mech, enum policy_act act, struct algorithm *out)
{
	algorithm_of_type(mech->mechanism, act, out);
	if (mech->pParameter)
		read_parameter(mech, act, out);
}

enum policy_aspect algorithm_key(enum policy_aspect family)
{
	switch ((int)family) {
	case ASPECT_RSA_GEN:
	case ASPECT_RSA_V15_SIGN:
	case ASPECT_RSA_V15_CRYPT:
	case ASPECT_RSA_PSS:
	case ASPECT_RSA_OAEP:
	case ASPECT_RSA_AES_WRAP:
	case ASPECT_RSA_RAW:
		return ASPECT_KEY_RSA;
	case ASPECT_AES_GEN:
	case ASPECT_AES_ECB:
	case ASPECT_AES_CBC:
	case ASPECT_AES_OTHER:
	case ASPECT_AES_GCM:
	case ASPECT_AES_CCM:
	case ASPECT_AES_MAC:
	case ASPECT_AES_WRAP:
		return ASPECT_KEY_AES;
	case ASPECT_DSA:
		return ASPECT_KEY_DSA;
	case ASPECT_DH:
		return ASPECT_KEY_DH;
	default:
		return ASPECT_COUNT;
	}
}

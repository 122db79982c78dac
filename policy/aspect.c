/* SPDX-License-Identifier: BSD-2-Clause */
/* Aspects: the mechanism first, then each key that is used or comes to be. */
#include "policy/aspect.h"

/* Thresholds of the aspects that only some profiles care about: SP 800-38D 5.2.1.2, SP 800-132 5.1
 * and 5.2. */
#define GCM_LEAST_TAG    96U
#define PBKD2_LEAST_SALT 16U
#define PBKD2_LEAST      1000U

static void add(struct aspect_list *out, enum policy_aspect aspect, enum policy_reason reason,
		unsigned bits, const struct policy_object *object)
{
	if (out->count < ASPECTS_MAX)
		out->at[out->count++] = (struct aspect){aspect, bits, reason, object};
}

static void add_parameter(struct aspect_list *out, enum policy_aspect aspect)
{
	add(out, aspect, REASON_PARAMETER, 0, NULL);
}

/* Bytes of a hash, for PSS salts. */
static unsigned hash_bytes(enum policy_hash hash)
{
	switch ((int)hash) {
	case HASH_SHA1:
		return 20;
	case HASH_SHA224:
	case HASH_SHA512_224:
	case HASH_SHA3_224:
		return 28;
	case HASH_SHA256:
	case HASH_SHA512_256:
	case HASH_SHA3_256:
		return 32;
	case HASH_SHA384:
	case HASH_SHA3_384:
		return 48;
	default:
		return 64;
	}
}

static void of_pss(const struct algorithm *a, struct aspect_list *out)
{
	enum policy_hash hash = a->hash;

	if ((a->mgf != HASH_NONE && a->mgf != hash) || (a->said != HASH_NONE && a->said != hash))
		add_parameter(out, ASPECT_PSS_MIXED);
	if (a->has_salt && a->salt_len > hash_bytes(hash))
		add_parameter(out, ASPECT_PSS_SALT);
}

static void of_parameters(const struct algorithm *a, struct aspect_list *out)
{
	if (a->family == ASPECT_RSA_PSS)
		of_pss(a, out);
	if (a->family == ASPECT_AES_GCM && a->iv == IV_CALLER)
		add_parameter(out, ASPECT_GCM_CALLER_IV);
	if (a->family == ASPECT_AES_GCM && a->tag_bits > 0 && a->tag_bits < GCM_LEAST_TAG)
		add_parameter(out, ASPECT_GCM_SHORT_TAG);
	if (a->has_iterations && a->iterations < PBKD2_LEAST)
		add_parameter(out, ASPECT_PBKD2_COUNT);
	if (a->has_iterations && a->has_salt && a->salt_len < PBKD2_LEAST_SALT)
		add_parameter(out, ASPECT_PBKD2_SALT);
}

static void of_mechanism(const struct algorithm *a, struct aspect_list *out)
{
	/* A hash in the mechanism's number is the mechanism's fault, another the parameter's. */
	struct algorithm bare;

	algorithm_of_type(a->type, ACT_NONE, &bare);
	add(out, a->family, REASON_MECHANISM, 0, NULL);
	if (a->hash != HASH_NONE)
		add(out, hash_aspect(a->hash, a->is_signature),
		    bare.hash != HASH_NONE ? REASON_MECHANISM : REASON_PARAMETER, 0, NULL);
	if (a->said != HASH_NONE && a->said != a->hash)
		add_parameter(out, hash_aspect(a->said, a->is_signature));
	/* Mask generation of a signature is no use of the hash as a signature's hash, but the two
	 * have to be the same where that counts. */
	if (a->mgf != HASH_NONE && a->mgf != a->hash)
		add_parameter(out, hash_aspect(a->mgf, a->is_signature));
	if (a->has_kdf && a->kdf != HASH_NONE)
		add_parameter(out, hash_aspect(a->kdf, false));
	of_parameters(a, out);
}

static bool is_key(const struct policy_object *o)
{
	return o->class == CKO_PUBLIC_KEY || o->class == CKO_PRIVATE_KEY ||
	       o->class == CKO_SECRET_KEY;
}

static void of_rsa(const struct policy_object *o, struct aspect_list *out)
{
	add(out, ASPECT_KEY_RSA, REASON_KEY_SIZE, o->bits, o);
	if (o->bits % 8 != 0)
		add(out, ASPECT_RSA_ODD, REASON_KEY_SIZE, o->bits, o);
}

/* What comes to be without its template saying what it is, as unwrapped keys do, is judged when it
 * is used. */
static bool is_untold(const struct policy_object *o)
{
	bool has_curve =
		o->type == CKK_EC || o->type == CKK_EC_EDWARDS || o->type == CKK_EC_MONTGOMERY;
	bool has_pset = o->type == CKK_ML_DSA || o->type == CKK_ML_KEM || o->type == CKK_SLH_DSA;

	return o->part == PART_NEW &&
	       (o->type == CK_UNAVAILABLE_INFORMATION || (has_curve && o->curve == CURVE_NONE) ||
		(has_pset && o->pset == PSET_NONE));
}

static void of_key(const struct policy_object *o, struct aspect_list *out)
{
	if (is_untold(o))
		return;
	switch (o->type) {
	case CKK_RSA:
		of_rsa(o, out);
		break;
	case CKK_DSA:
		add(out, ASPECT_KEY_DSA, REASON_KEY_SIZE, o->bits, o);
		break;
	case CKK_DH:
	case CKK_X9_42_DH:
		add(out, ASPECT_KEY_DH, REASON_KEY_SIZE, o->bits, o);
		break;
	case CKK_EC:
	case CKK_EC_EDWARDS:
	case CKK_EC_MONTGOMERY:
		add(out, o->curve != CURVE_NONE ? curve_aspect(o->curve) : ASPECT_CURVE_OTHER,
		    REASON_CURVE, o->bits, o);
		break;
	case CKK_AES:
	case CKK_AES_XTS:
		add(out, ASPECT_KEY_AES, REASON_KEY_SIZE, o->bits, o);
		break;
	case CKK_GENERIC_SECRET:
	case CKK_HKDF:
	case CKK_SHA_1_HMAC:
	case CKK_SHA224_HMAC:
	case CKK_SHA256_HMAC:
	case CKK_SHA384_HMAC:
	case CKK_SHA512_HMAC:
		add(out, ASPECT_KEY_SECRET, REASON_KEY_SIZE, o->bits, o);
		break;
	case CKK_DES2:
	case CKK_DES3:
		add(out, ASPECT_KEY_DES3, REASON_KEY_TYPE, o->bits, o);
		break;
	case CKK_ML_DSA:
	case CKK_ML_KEM:
	case CKK_SLH_DSA:
		add(out, o->pset != PSET_NONE ? pset_aspect(o->pset) : ASPECT_PSET_OTHER,
		    REASON_PSET, 0, o);
		break;
	case CKK_HSS:
		if (o->hss_levels > 1)
			add(out, ASPECT_HSS_MANY, REASON_PSET, 0, o);
		break;
	case CKK_XMSS:
	case CKK_XMSSMT:
		break; /* the mechanism says all that is known */
	default:
		add(out, ASPECT_KEY_OTHER, REASON_KEY_TYPE, o->bits, o);
		break;
	}
}

void aspects_of(const struct facts *facts, const struct algorithm *algorithm,
		struct aspect_list *out)
{
	out->count = 0;
	if (algorithm)
		of_mechanism(algorithm, out);
	for (unsigned i = 0; i < facts->object_count; i++) {
		const struct policy_object *o = facts->object[i];

		if (o->part != PART_SUBJECT && is_key(o))
			of_key(o, out);
	}
}

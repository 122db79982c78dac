/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mechanism and its parameter say about the algorithm: its family and every hash function,
 * mask generation, key derivation, salt, tag and IV in it. Pure; constant tables. */
#ifndef HSMUX_POLICY_ALGORITHM_H
#define HSMUX_POLICY_ALGORITHM_H

#include "policy/words.h"

/* Who chooses the IV. */
enum policy_iv { IV_NONE, IV_TOKEN, IV_CALLER };

/* One mechanism, looked through. */
struct algorithm {
	CK_MECHANISM_TYPE type;
	enum policy_aspect family;
	bool is_signature;     /* the hash is that of a signature */
	enum policy_hash hash; /* in the number, or in the parameter where that names it */
	enum policy_hash said; /* in the parameter, where the number names one, too */
	enum policy_hash mgf;  /* of the mask generation */
	enum policy_hash kdf;  /* of the key derivation inside ECDH and DH */
	bool has_kdf;          /* there is one to choose; HASH_NONE is CKD_NULL then */
	bool has_salt;
	CK_ULONG salt_len; /* bytes */
	bool has_iterations;
	CK_ULONG iterations;
	unsigned tag_bits; /* of GCM, CCM and the MACs with a length; 0: none or unknown */
	enum policy_iv iv;
};

/* Looks through a mechanism that is used for `act`. `mech` is hsmux's copy, whose parameter fits a
 * known form (core/base/mech.h); a parameter that is absent is not looked at. */
void algorithm_of(const CK_MECHANISM *mech, enum policy_act act, struct algorithm *out);

/* The same for the number alone. */
void algorithm_of_type(CK_MECHANISM_TYPE type, enum policy_act act, struct algorithm *out);

/* The aspect of the keys that a family works with; ASPECT_COUNT: none with a size of its own. */
enum policy_aspect algorithm_key(enum policy_aspect family);

/* The hash function of a mechanism's number (CKM_SHA256, CKM_SHA256_HMAC): HASH_NONE for 0,
 * HASH_UNKNOWN for one that has none. */
enum policy_hash hash_of_mechanism(CK_MECHANISM_TYPE type);

/* Mechanism number `i` of the table; false behind the last. */
bool algorithm_at(size_t i, CK_MECHANISM_TYPE *type);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of policies: what calls do, hash functions, curves, parameter sets, and what speaks of
 * them. Constant tables. */
#ifndef HSMUX_POLICY_WORDS_H
#define HSMUX_POLICY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pkcs11.h"

/* What a call does. */
enum policy_act {
#define ACT(name, word) ACT_##name,
#include "policy/acts.def"
#undef ACT
	ACT_COUNT,
	ACT_NONE = ACT_COUNT /* nothing that a policy speaks of */
};

/* Hash functions. */
enum policy_hash {
	HASH_NONE,
#define HASH(name, word, class) HASH_##name,
#include "policy/hashes.def"
#undef HASH
	HASH_UNKNOWN, /* a number that nobody has assigned */
	HASH_COUNT
};

/* Curves. */
enum policy_curve {
	CURVE_NONE,
#define CURVE(name, word, others, bits, class, nid, oid) CURVE_##name,
#include "policy/curves.def"
#undef CURVE
	CURVE_UNKNOWN, /* explicit parameters of no known curve, or an OID that is not listed */
	CURVE_COUNT
};

/* Parameter sets of post-quantum keys. */
enum policy_pset {
	PSET_NONE,
#define PSET(name, word, type, number) PSET_##name,
#include "policy/psets.def"
#undef PSET
	PSET_UNKNOWN,
	PSET_COUNT
};

/* What a profile has rows for. */
enum policy_aspect {
#define ASPECT(name, text, otherwise) ASPECT_##name,
#include "policy/aspects.def"
#undef ASPECT
	ASPECT_COUNT
};

/* A set of acts: a bit each. */
typedef uint32_t act_set;
#define ACT_BIT(act) (UINT32_C(1) << (act))

/* The word of an act ("sign"); "nothing" for ACT_NONE. */
const char *act_word(enum policy_act act);

/* The set that a word stands for: an act, or "use", "lifecycle", "export", "admin"; "login" has
 * both kinds of login. 0 when there is no such word. */
act_set act_by_word(const char *word);

/* Whether an act makes, changes, exports or destroys something, or is administration. */
bool act_is_mutation(enum policy_act act);

/* Words of hash functions, curves and parameter sets as policies write them. */
const char *hash_word(enum policy_hash hash);
const char *curve_word(enum policy_curve curve);
const char *pset_word(enum policy_pset pset);

/* And back, in any case, with or without dashes; for curves their other names, too. The NONE value
 * when there is no such word. */
enum policy_hash hash_by_word(const char *word);
enum policy_curve curve_by_word(const char *word);
enum policy_pset pset_by_word(const char *word);

/* What the aspect is about, for people; whether a profile without a row for it denies. */
const char *aspect_text(enum policy_aspect aspect);
bool aspect_is_closed(enum policy_aspect aspect);

/* Bits of the curve's order; 0 for CURVE_NONE and CURVE_UNKNOWN. */
unsigned curve_bits(enum policy_curve curve);

/* The aspect of a curve; of a hash function in a signature or elsewhere; of a parameter set. Not
 * for the NONE values. */
enum policy_aspect curve_aspect(enum policy_curve curve);
enum policy_aspect hash_aspect(enum policy_hash hash, bool in_signature);
enum policy_aspect pset_aspect(enum policy_pset pset);

/* The curve that CKA_EC_PARAMS names: by OID, by name (PrintableString), or by explicit parameters
 * of which all six values are those of a known curve. CURVE_UNKNOWN for everything else. */
enum policy_curve curve_of_params(const uint8_t *der, size_t len);

/* The parameter set of a number for a key type; PSET_UNKNOWN when there is none. */
enum policy_pset pset_of(CK_KEY_TYPE type, CK_ULONG number);

/* The class that policies call "private", "secret", "public", "certificate", "data" or
 * "parameters"; false when there is none of that word. */
bool class_by_word(const char *word, CK_OBJECT_CLASS *class);

/* Lists for near_word() in core/base/near.h; the context is not looked at. */
const char *act_word_at(size_t i, const void *context);
const char *hash_word_at(size_t i, const void *context);
const char *curve_word_at(size_t i, const void *context);
const char *pset_word_at(size_t i, const void *context);
const char *class_word_at(size_t i, const void *context);

#endif

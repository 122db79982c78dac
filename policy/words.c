/* SPDX-License-Identifier: BSD-2-Clause */
/* Words: one table each, made of the .def files. No state. */
#include "policy/words.h"

#include <ctype.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const act_words[] = {
#define ACT(name, word) word,
#include "policy/acts.def"
#undef ACT
};

/* Words for several acts; operations.md calls them so. */
static const struct {
	const char *word;
	act_set acts;
} act_groups[] = {
	{"use", ACT_BIT(ACT_SIGN) | ACT_BIT(ACT_VERIFY) | ACT_BIT(ACT_ENCRYPT) |
			ACT_BIT(ACT_DECRYPT) | ACT_BIT(ACT_WRAP) | ACT_BIT(ACT_UNWRAP) |
			ACT_BIT(ACT_DERIVE) | ACT_BIT(ACT_ENCAPSULATE) | ACT_BIT(ACT_DECAPSULATE)},
	{"lifecycle", ACT_BIT(ACT_GENERATE) | ACT_BIT(ACT_IMPORT) | ACT_BIT(ACT_COPY) |
			      ACT_BIT(ACT_DESTROY) | ACT_BIT(ACT_UNWRAP) | ACT_BIT(ACT_DERIVE)},
	{"export", ACT_BIT(ACT_WRAP) | ACT_BIT(ACT_COPY) | ACT_BIT(ACT_GET_VALUE)},
	{"admin", ACT_BIT(ACT_SO_LOGIN) | ACT_BIT(ACT_INIT_TOKEN) | ACT_BIT(ACT_INIT_PIN)},
	{"login", ACT_BIT(ACT_LOGIN) | ACT_BIT(ACT_SO_LOGIN)},
};

/* Strength classes of hash functions: their aspects in signatures and elsewhere. */
enum hash_class { OLD, SHA1, BITS224, BITS256, BITS384, SHA3, OTHER, HASH_CLASS_COUNT };

static const enum policy_aspect hash_aspects[HASH_CLASS_COUNT][2] = {
	[OLD] = {ASPECT_HASH_OLD, ASPECT_SIGN_OLD},
	[SHA1] = {ASPECT_HASH_SHA1, ASPECT_SIGN_SHA1},
	[BITS224] = {ASPECT_HASH_BITS224, ASPECT_SIGN_BITS224},
	[BITS256] = {ASPECT_HASH_BITS256, ASPECT_SIGN_BITS256},
	[BITS384] = {ASPECT_HASH_BITS384, ASPECT_SIGN_BITS384},
	[SHA3] = {ASPECT_HASH_SHA3, ASPECT_SIGN_SHA3},
	[OTHER] = {ASPECT_HASH_OTHER, ASPECT_SIGN_OTHER},
};

static const struct {
	const char *word;
	enum hash_class class;
} hashes[HASH_COUNT] = {
	[HASH_NONE] = {"none", OTHER},
#define HASH(name, word, class) [HASH_##name] = {word, class},
#include "policy/hashes.def"
#undef HASH
	[HASH_UNKNOWN] = {"unknown", OTHER},
};

static const struct {
	const char *word;
	const char *others; /* separated by blanks */
	unsigned bits;
	enum policy_aspect aspect;
	int nid;
	const char *oid; /* encoded, without tag and length; has NUL bytes */
	size_t oid_len;
} curves[CURVE_COUNT] = {
	[CURVE_NONE] = {"none", "", 0, ASPECT_CURVE_OTHER, NID_undef, "", 0},
#define CURVE(name, word, others, bits, class, nid, oid)                                           \
	[CURVE_##name] = {word, others, bits, ASPECT_CURVE_##class, nid, oid, sizeof(oid) - 1},
#include "policy/curves.def"
#undef CURVE
	[CURVE_UNKNOWN] = {"unknown", "", 0, ASPECT_CURVE_OTHER, NID_undef, "", 0},
};

static const struct {
	const char *word;
	CK_KEY_TYPE type;
	CK_ULONG number;
} psets[PSET_COUNT] = {
	[PSET_NONE] = {"none", 0, 0},
#define PSET(name, word, type, number) [PSET_##name] = {word, type, number},
#include "policy/psets.def"
#undef PSET
	[PSET_UNKNOWN] = {"unknown", 0, 0},
};

static const struct {
	const char *text;
	bool is_closed;
} aspects[ASPECT_COUNT] = {
#define ALLOW                         false
#define DENY                          true
#define ASPECT(name, text, otherwise) [ASPECT_##name] = {text, otherwise},
#include "policy/aspects.def"
#undef ASPECT
#undef ALLOW
#undef DENY
};

/* Equal but for case and dashes, which people leave out: "sha256" is SHA-256. `len` letters of
 * `b`. */
static bool is_word(const char *a, const char *b, size_t len)
{
	const char *end = b + len;

	for (;;) {
		while (*a == '-' || *a == '_')
			a++;
		while (b < end && (*b == '-' || *b == '_'))
			b++;
		if (*a == '\0' || b == end)
			return *a == '\0' && b == end;
		if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
			return false;
	}
}

static bool is_one_of(const char *word, const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, " ");

		if (is_word(word, list, len))
			return true;
		list += len + strspn(list + len, " ");
	}
	return false;
}

const char *act_word(enum policy_act act)
{
	return act < ACT_COUNT ? act_words[act] : "nothing";
}

act_set act_by_word(const char *word)
{
	for (size_t i = 0; i < COUNT(act_groups); i++) {
		if (strcmp(word, act_groups[i].word) == 0)
			return act_groups[i].acts;
	}
	for (unsigned i = 0; i < ACT_COUNT; i++) {
		if (strcmp(word, act_words[i]) == 0)
			return ACT_BIT(i);
	}
	return 0;
}

bool act_is_mutation(enum policy_act act)
{
	switch ((int)act) {
	case ACT_GENERATE:
	case ACT_IMPORT:
	case ACT_COPY:
	case ACT_DESTROY:
	case ACT_UNWRAP:
	case ACT_DERIVE:
	case ACT_SET_ATTR:
	case ACT_WRAP:
	case ACT_SO_LOGIN:
	case ACT_INIT_TOKEN:
	case ACT_INIT_PIN:
	case ACT_SET_PIN:
		return true;
	default:
		return false;
	}
}

const char *hash_word(enum policy_hash hash)
{
	return hashes[hash].word;
}

const char *curve_word(enum policy_curve curve)
{
	return curves[curve].word;
}

const char *pset_word(enum policy_pset pset)
{
	return psets[pset].word;
}

enum policy_hash hash_by_word(const char *word)
{
	for (unsigned i = HASH_NONE + 1; i < HASH_UNKNOWN; i++) {
		if (is_word(word, hashes[i].word, strlen(hashes[i].word)))
			return i;
	}
	return HASH_NONE;
}

enum policy_curve curve_by_word(const char *word)
{
	for (unsigned i = CURVE_NONE + 1; i < CURVE_UNKNOWN; i++) {
		if (is_word(word, curves[i].word, strlen(curves[i].word)) ||
		    is_one_of(word, curves[i].others))
			return i;
	}
	return CURVE_NONE;
}

enum policy_pset pset_by_word(const char *word)
{
	for (unsigned i = PSET_NONE + 1; i < PSET_UNKNOWN; i++) {
		if (is_word(word, psets[i].word, strlen(psets[i].word)))
			return i;
	}
	return PSET_NONE;
}

const char *aspect_text(enum policy_aspect aspect)
{
	return aspects[aspect].text;
}

bool aspect_is_closed(enum policy_aspect aspect)
{
	return aspects[aspect].is_closed;
}

unsigned curve_bits(enum policy_curve curve)
{
	return curves[curve].bits;
}

enum policy_aspect curve_aspect(enum policy_curve curve)
{
	return curves[curve].aspect;
}

enum policy_aspect hash_aspect(enum policy_hash hash, bool in_signature)
{
	return hash_aspects[hashes[hash].class][in_signature];
}

enum policy_aspect pset_aspect(enum policy_pset pset)
{
	switch (pset) {
	case PSET_ML_DSA_44:
		return ASPECT_ML_DSA_44;
	case PSET_ML_DSA_65:
		return ASPECT_ML_DSA_65;
	case PSET_ML_DSA_87:
		return ASPECT_ML_DSA_87;
	case PSET_ML_KEM_512:
		return ASPECT_ML_KEM_512;
	case PSET_ML_KEM_768:
		return ASPECT_ML_KEM_768;
	case PSET_ML_KEM_1024:
		return ASPECT_ML_KEM_1024;
	case PSET_SLH_DSA_SHA2_128S:
	case PSET_SLH_DSA_SHAKE_128S:
	case PSET_SLH_DSA_SHA2_128F:
	case PSET_SLH_DSA_SHAKE_128F:
		return ASPECT_SLH_DSA_1;
	case PSET_SLH_DSA_SHA2_192S:
	case PSET_SLH_DSA_SHAKE_192S:
	case PSET_SLH_DSA_SHA2_192F:
	case PSET_SLH_DSA_SHAKE_192F:
	case PSET_SLH_DSA_SHA2_256S:
	case PSET_SLH_DSA_SHAKE_256S:
	case PSET_SLH_DSA_SHA2_256F:
	case PSET_SLH_DSA_SHAKE_256F:
		return ASPECT_SLH_DSA_35;
	case PSET_NONE:
	case PSET_UNKNOWN:
	case PSET_COUNT:
		break;
	}
	return ASPECT_PSET_OTHER;
}

/* Explicit parameters: OpenSSL compares prime, coefficients, generator, order and cofactor with the
 * curves that it knows. */
static enum policy_curve curve_of_explicit(const uint8_t *der, size_t len)
{
	EC_GROUP *group = d2i_ECPKParameters(NULL, &der, (long)len);
	int nid = group ? EC_GROUP_check_named_curve(group, 0, NULL) : NID_undef;

	EC_GROUP_free(group);
	for (unsigned i = CURVE_NONE + 1; nid != NID_undef && i < CURVE_UNKNOWN; i++) {
		if (curves[i].nid == nid)
			return i;
	}
	return CURVE_UNKNOWN;
}

/* Tags of DER. */
enum { DER_OID = 0x06, DER_PRINTABLE = 0x13, DER_UTF8 = 0x0c, DER_SEQUENCE = 0x30 };

/* Names have at most this many bytes, explicit parameters this many. */
#define NAME_BYTES   64U
#define PARAMS_BYTES 2048U

enum policy_curve curve_of_params(const uint8_t *der, size_t len)
{
	char name[NAME_BYTES];
	enum policy_curve curve;

	if (len < 2 || len > PARAMS_BYTES)
		return CURVE_UNKNOWN;
	if (der[0] == DER_SEQUENCE)
		return curve_of_explicit(der, len);
	if (der[1] != len - 2 || len - 2 >= sizeof name)
		return CURVE_UNKNOWN;
	if (der[0] == DER_OID) {
		for (unsigned i = CURVE_NONE + 1; i < CURVE_UNKNOWN; i++) {
			if (curves[i].oid_len == len - 2 &&
			    memcmp(curves[i].oid, der + 2, len - 2) == 0)
				return i;
		}
		return CURVE_UNKNOWN;
	}
	if (der[0] != DER_PRINTABLE && der[0] != DER_UTF8)
		return CURVE_UNKNOWN;
	memcpy(name, der + 2, len - 2);
	name[len - 2] = '\0';
	curve = strlen(name) == len - 2 ? curve_by_word(name) : CURVE_NONE;
	return curve != CURVE_NONE ? curve : CURVE_UNKNOWN;
}

enum policy_pset pset_of(CK_KEY_TYPE type, CK_ULONG number)
{
	for (unsigned i = PSET_NONE + 1; i < PSET_UNKNOWN; i++) {
		if (psets[i].type == type && psets[i].number == number)
			return i;
	}
	return PSET_UNKNOWN;
}

const char *act_word_at(size_t i, const void *context)
{
	(void)context;
	if (i < ACT_COUNT)
		return act_words[i];
	i -= ACT_COUNT;
	return i < COUNT(act_groups) ? act_groups[i].word : NULL;
}

const char *hash_word_at(size_t i, const void *context)
{
	(void)context;
	return i + 1 < HASH_UNKNOWN ? hashes[i + 1].word : NULL;
}

const char *curve_word_at(size_t i, const void *context)
{
	(void)context;
	return i + 1 < CURVE_UNKNOWN ? curves[i + 1].word : NULL;
}

const char *pset_word_at(size_t i, const void *context)
{
	(void)context;
	return i + 1 < PSET_UNKNOWN ? psets[i + 1].word : NULL;
}

static const struct {
	const char *word;
	CK_OBJECT_CLASS class;
} classes[] = {
	{"private", CKO_PRIVATE_KEY}, {"secret", CKO_SECRET_KEY},
	{"public", CKO_PUBLIC_KEY},   {"certificate", CKO_CERTIFICATE},
	{"data", CKO_DATA},           {"parameters", CKO_DOMAIN_PARAMETERS},
};

bool class_by_word(const char *word, CK_OBJECT_CLASS *class)
{
	for (size_t i = 0; i < COUNT(classes); i++) {
		if (strcmp(classes[i].word, word) == 0) {
			*class = classes[i].class;
			return true;
		}
	}
	return false;
}

const char *class_word_at(size_t i, const void *context)
{
	(void)context;
	return i < COUNT(classes) ? classes[i].word : NULL;
}

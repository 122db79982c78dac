/* SPDX-License-Identifier: BSD-2-Clause */
/* The space: families of mechanisms have acts and keys, which are tables here. */
#include "tools/policy_space.h"

#include <string.h>

#include "core/base/names.h"
#include "policy/describe.h"

/* Policies that are looked at side by side. */
#define SPACE_POLICIES 2

enum keys { RSA, EC, ED, X, DSA, DH, AES, SECRET, ML_DSA, ML_KEM, SLH_DSA, NO_KEY };

static const char *const rsa_words[] = {"1024", "2048", "3072", "4096", NULL};
static const char *const ec_words[] = {"P-224",     "P-256",           "P-384", "P-521",
				       "secp256k1", "brainpoolP256r1", NULL};
static const char *const ed_words[] = {"Ed25519", "Ed448", NULL};
static const char *const x_words[] = {"X25519", "X448", NULL};
static const char *const aes_words[] = {"128", "192", "256", NULL};
static const char *const secret_words[] = {"80", "112", "128", "256", NULL};
static const char *const ml_dsa_words[] = {"ML-DSA-44", "ML-DSA-65", "ML-DSA-87", NULL};
static const char *const ml_kem_words[] = {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", NULL};
static const char *const slh_words[] = {"SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-192s",
					"SLH-DSA-SHA2-256s", NULL};
static const char *const no_words[] = {"yes", NULL};

static const struct {
	const char *const *words;
	CK_KEY_TYPE type;
} key_kinds[] = {
	[RSA] = {rsa_words, CKK_RSA},          [EC] = {ec_words, CKK_EC},
	[ED] = {ed_words, CKK_EC_EDWARDS},     [X] = {x_words, CKK_EC_MONTGOMERY},
	[DSA] = {rsa_words, CKK_DSA},          [DH] = {rsa_words, CKK_DH},
	[AES] = {aes_words, CKK_AES},          [SECRET] = {secret_words, CKK_GENERIC_SECRET},
	[ML_DSA] = {ml_dsa_words, CKK_ML_DSA}, [ML_KEM] = {ml_kem_words, CKK_ML_KEM},
	[SLH_DSA] = {slh_words, CKK_SLH_DSA},  [NO_KEY] = {no_words, CK_UNAVAILABLE_INFORMATION},
};

#define GEN    ACT_BIT(ACT_GENERATE)
#define SIGN   (ACT_BIT(ACT_SIGN) | ACT_BIT(ACT_VERIFY))
#define CRYPT  (ACT_BIT(ACT_ENCRYPT) | ACT_BIT(ACT_DECRYPT))
#define WRAP   (ACT_BIT(ACT_WRAP) | ACT_BIT(ACT_UNWRAP))
#define DERIVE ACT_BIT(ACT_DERIVE)

/* What a family is for, and with which keys. */
static const struct {
	act_set acts;
	enum keys keys;
} families[ASPECT_COUNT] = {
	[ASPECT_RSA_GEN] = {GEN, RSA},
	[ASPECT_RSA_V15_SIGN] = {SIGN | CRYPT | WRAP, RSA},
	[ASPECT_RSA_V15_CRYPT] = {SIGN | CRYPT | WRAP, RSA},
	[ASPECT_RSA_PSS] = {SIGN, RSA},
	[ASPECT_RSA_OAEP] = {CRYPT | WRAP, RSA},
	[ASPECT_RSA_AES_WRAP] = {WRAP, RSA},
	[ASPECT_RSA_RAW] = {SIGN | CRYPT, RSA},
	[ASPECT_EC_GEN] = {GEN, EC},
	[ASPECT_ECDSA] = {SIGN, EC},
	[ASPECT_ECDH] = {DERIVE, EC},
	[ASPECT_ECDH_AES_WRAP] = {WRAP, EC},
	[ASPECT_EDDSA] = {GEN | SIGN, ED},
	[ASPECT_XDH] = {GEN | DERIVE, X},
	[ASPECT_DSA] = {GEN | SIGN, DSA},
	[ASPECT_DH] = {GEN | DERIVE, DH},
	[ASPECT_DIGEST] = {ACT_BIT(ACT_DIGEST), NO_KEY},
	[ASPECT_HMAC] = {SIGN, SECRET},
	[ASPECT_GENERIC_GEN] = {GEN, SECRET},
	[ASPECT_AES_GEN] = {GEN, AES},
	[ASPECT_AES_ECB] = {CRYPT, AES},
	[ASPECT_AES_CBC] = {CRYPT | WRAP, AES},
	[ASPECT_AES_OTHER] = {CRYPT, AES},
	[ASPECT_AES_GCM] = {CRYPT | WRAP, AES},
	[ASPECT_AES_CCM] = {CRYPT, AES},
	[ASPECT_AES_MAC] = {SIGN, AES},
	[ASPECT_AES_WRAP] = {WRAP, AES},
	[ASPECT_PBKD2] = {GEN, SECRET},
	[ASPECT_HKDF] = {DERIVE, SECRET},
	[ASPECT_SP800_108] = {DERIVE, SECRET},
	[ASPECT_ML_DSA] = {GEN | SIGN, ML_DSA},
	[ASPECT_HASH_ML_DSA] = {SIGN, ML_DSA},
	[ASPECT_ML_KEM] = {GEN | ACT_BIT(ACT_ENCAPSULATE) | ACT_BIT(ACT_DECAPSULATE), ML_KEM},
	[ASPECT_SLH_DSA] = {GEN | SIGN, SLH_DSA},
};

static void set_size(struct policy_object *o, enum keys keys, const char *word)
{
	unsigned bits = 0;

	switch ((int)keys) {
	case EC:
	case ED:
	case X:
		o->curve = curve_by_word(word);
		o->bits = curve_bits(o->curve);
		return;
	case ML_DSA:
	case ML_KEM:
	case SLH_DSA:
		o->pset = pset_by_word(word);
		return;
	default:
		break;
	}
	while (*word >= '0' && *word <= '9')
		bits = bits * 10 + (unsigned)(*word++ - '0');
	o->bits = bits;
}

static bool is_public(enum policy_act act)
{
	return act == ACT_VERIFY || act == ACT_ENCRYPT || act == ACT_WRAP;
}

static void ask(const struct policy *policy, CK_MECHANISM_TYPE type, enum keys keys, int64_t now,
		struct space_line *line)
{
	struct caller anybody = *describe_nobody();
	const CK_MECHANISM mech = {type, NULL, 0};

	anybody.trust = TRUST_PROCESS;
	line->allowed = line->warned = 0;
	for (unsigned i = 0; line->keys[i]; i++) {
		struct described key;
		struct facts facts = {
			.act = line->act,
			.function = "",
			.token = "",
			.role = "user",
			.caller = &anybody,
			.mech = &mech,
			.now = now,
		};
		struct verdict v;

		describe_init(&key, line->act == ACT_GENERATE ? PART_NEW : PART_KEY);
		key.object.type = key_kinds[keys].type;
		if (keys == AES || keys == SECRET)
			key.object.class = CKO_SECRET_KEY;
		else
			key.object.class = is_public(line->act) ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY;
		set_size(&key.object, keys, line->keys[i]);
		key.object.known = FLAG_LOCAL;
		key.object.flags = FLAG_LOCAL;
		if (keys != NO_KEY)
			facts.object[facts.object_count++] = &key.object;
		policy_explain(policy, &facts, &v, NULL, NULL);
		line->allowed |= v.is_allowed ? 1U << i : 0;
		line->warned |= v.is_allowed && v.is_warned ? 1U << i : 0;
	}
}

void space_walk(const struct policy *const *policies, size_t count, int64_t now,
		void (*take)(const struct space_line *lines, size_t count, void *context),
		void *context)
{
	CK_MECHANISM_TYPE type;

	for (size_t i = 0; algorithm_at(i, &type); i++) {
		struct algorithm a;
		char name[NAME_MAX_LEN];

		algorithm_of_type(type, ACT_NONE, &a);
		for (unsigned act = 0; act < ACT_COUNT; act++) {
			struct space_line lines[SPACE_POLICIES];
			act_set acts = families[a.family].acts;

			/* Mechanisms whose number names a hash do nothing but sign. */
			if (a.family == ASPECT_RSA_V15_CRYPT && a.hash != HASH_NONE)
				acts = SIGN;
			if (!(acts & ACT_BIT(act)) ||
			    (act == ACT_GENERATE) !=
				    (strstr(name_of(NAME_MECHANISM, type, name), "_GEN") != NULL ||
				     a.family == ASPECT_PBKD2))
				continue;
			for (size_t k = 0; k < count; k++) {
				lines[k].mech = name_of(NAME_MECHANISM, type, name);
				lines[k].act = act;
				lines[k].keys = key_kinds[families[a.family].keys].words;
				ask(policies[k], type, families[a.family].keys, now, &lines[k]);
			}
			take(lines, count, context);
		}
	}
}

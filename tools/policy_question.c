/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions: each word is looked up in the tables of the policy, so that the command line and a
 * file of tests speak the language of the rules. */
#include "tools/policy_question.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/names.h"
#include "core/base/near.h"
#include "policy/profile.h"

#define WHY_LEN 200

static bool bad(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool bad(char *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(why, WHY_LEN, fmt, args); /* may be cut */
	va_end(args);
	return false;
}

static bool unknown(char *why, const char *what, const char *word, const char *near)
{
	return near ? bad(why, "\"%.40s\" is not %s: did you mean \"%s\"?", word, what, near)
		    : bad(why, "\"%.40s\" is not %s", word, what);
}

/* The single act of a word: groups are no question. */
static bool take_act(const struct question *q, struct facts *f, char *why)
{
	act_set set = q->act ? act_by_word(q->act) : 0;
	int bit;

	if (!q->act)
		return bad(why, "no operation is given: expected one as \"sign\"");
	if (strcmp(q->act, "login") == 0) {
		f->act = ACT_LOGIN;
		return true;
	}
	if (set == 0 || (set & (set - 1)) != 0)
		return unknown(why, "an operation", q->act, near_word(q->act, act_word_at, NULL));
	bit = __builtin_ctz(set);
	f->act = (enum policy_act)bit;
	return true;
}

/* Key types by the words of --type, and what follows the colon. */
enum measure { MEASURE_BITS, MEASURE_CURVE, MEASURE_PSET };

static const struct {
	const char *word;
	CK_KEY_TYPE type;
	enum measure measure;
	bool is_secret;
} key_words[] = {
	{"rsa", CKK_RSA, MEASURE_BITS, false},
	{"dsa", CKK_DSA, MEASURE_BITS, false},
	{"dh", CKK_DH, MEASURE_BITS, false},
	{"ec", CKK_EC, MEASURE_CURVE, false},
	{"ed", CKK_EC_EDWARDS, MEASURE_CURVE, false},
	{"x", CKK_EC_MONTGOMERY, MEASURE_CURVE, false},
	{"aes", CKK_AES, MEASURE_BITS, true},
	{"des3", CKK_DES3, MEASURE_BITS, true},
	{"secret", CKK_GENERIC_SECRET, MEASURE_BITS, true},
	{"ml-dsa", CKK_ML_DSA, MEASURE_PSET, false},
	{"ml-kem", CKK_ML_KEM, MEASURE_PSET, false},
	{"slh-dsa", CKK_SLH_DSA, MEASURE_PSET, false},
	{"hss", CKK_HSS, MEASURE_BITS, false},
};

#define KEY_WORDS (sizeof key_words / sizeof key_words[0])

static const char *key_word_at(size_t i, const void *context)
{
	(void)context;
	return i < KEY_WORDS ? key_words[i].word : NULL;
}

static bool take_measure(enum measure measure, const char *text, struct policy_object *o, char *why)
{
	char *end;
	long bits;

	if (measure == MEASURE_CURVE) {
		o->curve = curve_by_word(text);
		o->bits = curve_bits(o->curve);
		return o->curve != CURVE_NONE ||
		       unknown(why, "a curve", text, near_word(text, curve_word_at, NULL));
	}
	if (measure == MEASURE_PSET) {
		o->pset = pset_by_word(text);
		return o->pset != PSET_NONE ||
		       unknown(why, "a parameter set", text, near_word(text, pset_word_at, NULL));
	}
	bits = strtol(text, &end, 10);
	o->bits = (unsigned)bits;
	return (*text != '\0' && *end == '\0' && bits > 0 && bits <= 65536) ||
	       bad(why, "\"%.40s\" is no number of bits: expected 1 to 65536", text);
}

/* TYPE or TYPE:SIZE. */
static bool take_key(const char *key, struct policy_object *o, char *why)
{
	const char *colon = strchr(key, ':');
	size_t len = colon ? (size_t)(colon - key) : strlen(key);
	size_t i = 0;

	while (i < KEY_WORDS &&
	       !(strlen(key_words[i].word) == len && strncasecmp(key_words[i].word, key, len) == 0))
		i++;
	if (i == KEY_WORDS)
		return unknown(why, "a key (rsa:2048, ec:P-256, aes:256, secret:128, ...)", key,
			       near_word(key, key_word_at, NULL));
	o->type = key_words[i].type;
	o->class = key_words[i].is_secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;
	return !colon || take_measure(key_words[i].measure, colon + 1, o, why);
}

/* The part that the object has in an act. */
static enum policy_part part_of(enum policy_act act)
{
	switch ((int)act) {
	case ACT_GENERATE:
	case ACT_IMPORT:
		return PART_NEW;
	case ACT_COPY:
	case ACT_DESTROY:
	case ACT_SET_ATTR:
	case ACT_GET_ATTR:
	case ACT_GET_VALUE:
	case ACT_FIND:
		return PART_SUBJECT;
	default:
		return PART_KEY;
	}
}

/* CKA_NAME=true, =false or =NUMBER into the template. */
static bool take_attr(const char *text, struct answerable *out, size_t i, char *why)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	char name[NAME_MAX_LEN];
	char *end;

	if (len >= sizeof name || !equals)
		return bad(why, "\"%.40s\" is no attribute: expected CKA_NAME=VALUE", text);
	memcpy(name, text, len);
	name[len] = '\0';
	if (!name_value(NAME_ATTRIBUTE, name, &out->attrs[i].type))
		return unknown(why, "an attribute", name, name_near(NAME_ATTRIBUTE, name));
	if (strcmp(equals + 1, "true") == 0 || strcmp(equals + 1, "false") == 0) {
		out->flags[i] = equals[1] == 't';
		out->attrs[i].pValue = &out->flags[i];
		out->attrs[i].ulValueLen = sizeof out->flags[i];
		return true;
	}
	out->numbers[i] = strtoul(equals + 1, &end, 0);
	out->attrs[i].pValue = &out->numbers[i];
	out->attrs[i].ulValueLen = sizeof out->numbers[i];
	return (isdigit((unsigned char)equals[1]) && *end == '\0') ||
	       bad(why, "\"%.60s\" has no value: expected true, false or a number", text);
}

static bool take_object(const struct question *q, struct answerable *out, char *why)
{
	struct policy_object *o = &out->object.object;

	if (!q->key && !q->class && !q->label && !q->id && q->attr_count == 0)
		return true;
	describe_init(&out->object, part_of(out->facts.act));
	for (size_t i = 0; i < q->attr_count; i++) {
		if (!take_attr(q->attrs[i], out, i, why))
			return false;
	}
	describe_attributes(&out->object, out->attrs, q->attr_count);
	if (o->part != PART_KEY) {
		o->tmpl = out->attrs;
		o->tmpl_count = q->attr_count;
	}
	if ((q->key && !take_key(q->key, o, why)) ||
	    (q->class && !class_by_word(q->class, &o->class) &&
	     !unknown(why, "a class", q->class, near_word(q->class, class_word_at, NULL))))
		return false;
	if (out->facts.act == ACT_VERIFY && !q->class && o->class == CKO_PRIVATE_KEY)
		o->class = CKO_PUBLIC_KEY;
	if (q->label)
		(void)snprintf(out->object.label, sizeof out->object.label, "%s", q->label);
	for (size_t i = 0; q->id && q->id[2 * i] != '\0' && i < DESCRIBE_ID; i++) {
		unsigned byte;

		if (sscanf(q->id + 2 * i, "%2x", &byte) != 1 || q->id[2 * i + 1] == '\0')
			return bad(why, "\"%.40s\" is no CKA_ID: expected bytes in hexadecimal",
				   q->id);
		out->object.id[i] = (uint8_t)byte;
		o->id_len = i + 1;
	}
	out->facts.object[out->facts.object_count++] = o;
	return true;
}

/* Numbers of the parameter that stand for a hash. */
static bool hash_numbers(const char *word, CK_MECHANISM_TYPE *type, CK_ULONG *mgf, CK_ULONG *prf,
			 char *why)
{
	static const struct {
		enum policy_hash hash;
		CK_MECHANISM_TYPE type;
		CK_ULONG mgf, prf;
	} numbers[] = {
		{HASH_SHA1, CKM_SHA_1, 1, 1},        {HASH_SHA224, CKM_SHA224, 5, 3},
		{HASH_SHA256, CKM_SHA256, 2, 4},     {HASH_SHA384, CKM_SHA384, 3, 5},
		{HASH_SHA512, CKM_SHA512, 4, 6},     {HASH_SHA3_224, CKM_SHA3_224, 6, 0},
		{HASH_SHA3_256, CKM_SHA3_256, 7, 0}, {HASH_SHA3_384, CKM_SHA3_384, 8, 0},
		{HASH_SHA3_512, CKM_SHA3_512, 9, 0}, {HASH_MD5, CKM_MD5, 0, 0},
	};
	enum policy_hash hash = hash_by_word(word);

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (numbers[i].hash != hash)
			continue;
		*type = numbers[i].type;
		*mgf = numbers[i].mgf;
		*prf = numbers[i].prf;
		return true;
	}
	return unknown(why, "a hash function of a parameter", word,
		       near_word(word, hash_word_at, NULL));
}

static bool take_kdf(const char *word, CK_ULONG *kdf, char *why)
{
	static const struct {
		const char *word;
		CK_ULONG kdf;
	} kdfs[] = {{"null", 1},    {"SHA-1", 2},   {"SHA-224", 5},
		    {"SHA-256", 6}, {"SHA-384", 7}, {"SHA-512", 8}};

	for (size_t i = 0; i < sizeof kdfs / sizeof kdfs[0]; i++) {
		if (strcasecmp(kdfs[i].word, word) == 0) {
			*kdf = kdfs[i].kdf;
			return true;
		}
	}
	return bad(why,
		   "\"%.40s\" is no key derivation: expected null, SHA-1 or SHA-224 to SHA-512",
		   word);
}

static void set_param(struct answerable *out, size_t size)
{
	out->mech.pParameter = &out->param;
	out->mech.ulParameterLen = size;
}

/* The parameter, as far as the question says something of it. */
static bool take_param(const struct question *q, struct answerable *out, char *why)
{
	static CK_BYTE iv[12];
	CK_MECHANISM_TYPE hash = CKM_SHA256;
	CK_ULONG mgf = 2, prf = 4, other;
	CK_MECHANISM_TYPE unused;
	struct algorithm a;

	algorithm_of_type(out->mech.mechanism, out->facts.act, &a);
	if (q->hash && !hash_numbers(q->hash, &hash, &mgf, &prf, why))
		return false;
	if (q->mgf && !hash_numbers(q->mgf, &unused, &mgf, &other, why))
		return false;
	switch ((int)a.family) {
	case ASPECT_RSA_PSS:
		if (!q->hash && !q->mgf && q->salt < 0)
			return true;
		out->param.pss =
			(CK_RSA_PKCS_PSS_PARAMS){hash, mgf, q->salt >= 0 ? (CK_ULONG)q->salt : 20};
		set_param(out, sizeof out->param.pss);
		return true;
	case ASPECT_RSA_OAEP:
		out->param.oaep = (CK_RSA_PKCS_OAEP_PARAMS){hash, mgf, 1, NULL, 0};
		set_param(out, sizeof out->param.oaep);
		return true;
	case ASPECT_PBKD2:
		out->param.pbkd2 = (CK_PKCS5_PBKD2_PARAMS2){
			.saltSource = 1,
			.ulSaltSourceDataLen = q->salt >= 0 ? (CK_ULONG)q->salt : 16,
			.iterations = q->iterations > 0 ? (CK_ULONG)q->iterations : 100000,
			.prf = prf,
		};
		set_param(out, sizeof out->param.pbkd2);
		return true;
	case ASPECT_HKDF:
		out->param.hkdf = (CK_HKDF_PARAMS){.prfHashMechanism = hash};
		set_param(out, sizeof out->param.hkdf);
		return true;
	case ASPECT_ECDH:
		out->param.ecdh = (CK_ECDH1_DERIVE_PARAMS){.kdf = 1};
		set_param(out, sizeof out->param.ecdh);
		return !q->kdf || take_kdf(q->kdf, &out->param.ecdh.kdf, why);
	case ASPECT_AES_GCM:
		out->param.gcm = (CK_GCM_PARAMS){.ulTagBits = 128};
		if (!q->iv || strcmp(q->iv, "caller") == 0) {
			out->param.gcm.pIv = iv;
			out->param.gcm.ulIvLen = sizeof iv;
		} else if (strcmp(q->iv, "token") != 0) {
			return bad(why, "iv \"%.20s\" is not known: expected caller or token",
				   q->iv);
		}
		set_param(out, sizeof out->param.gcm);
		return true;
	default:
		return !q->hash || bad(why, "the mechanism's parameter names no hash function");
	}
}

static bool take_mechanism(const struct question *q, struct answerable *out, char *why)
{
	if (!q->mech)
		return true;
	if (!name_value(NAME_MECHANISM, q->mech, &out->mech.mechanism))
		return unknown(why, "a mechanism", q->mech, name_near(NAME_MECHANISM, q->mech));
	out->facts.mech = &out->mech;
	return take_param(q, out, why);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

bool question_facts(const struct question *q, struct answerable *out, char why[static 200])
{
	struct facts *f = &out->facts;

	memset(out, 0, sizeof *out);
	out->caller = (struct caller){
		.uid = q->uid >= 0 ? (uint32_t)q->uid : UINT32_MAX,
		.gid = UINT32_MAX,
		.user = or_empty(q->user),
		.group = "",
		.exe = or_empty(q->exe),
		.unit = or_empty(q->unit),
		.cgroup = or_empty(q->cgroup),
		.label = or_empty(q->app_label),
		.trust = TRUST_PROCESS,
	};
	f->function = "";
	f->token = or_empty(q->token);
	f->role = q->role ? q->role : "user";
	f->caller = &out->caller;
	f->now = (int64_t)time(NULL);
	if (q->as_of && !profile_day(q->as_of, &f->now))
		return bad(why, "\"%.40s\" is no time: expected YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ",
			   q->as_of);
	return take_act(q, f, why) && take_object(q, out, why) && take_mechanism(q, out, why);
}

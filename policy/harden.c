/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardening: a table of checks and one function each. A flag that is not known speaks against
 * nobody: it is asked for again where it counts, at the use of the key. */
#include "policy/harden.h"

#include <string.h>

#include "core/base/attr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Shortest derived key: 112 bits, SP 800-131A. */
#define DERIVED_LEAST 112U

enum group { ATTRS, STICKY, LEAK, INHERIT, TROJAN, PADDING, FORMAT, STRENGTH, SEGREGATE, SO };

static const char *const groups[] = {"attrs",   "sticky",      "no-leak",  "inherit",   "trojan",
				     "padding", "wrap-format", "strength", "segregate", "so"};

static const struct {
	const char *word, *text, *source;
	enum group group;
} checks[HARDEN_COUNT] = {
#define HARDEN(name, group, word, text, source) [HARDEN_##name] = {word, text, source, group},
#include "policy/hardens.def"
#undef HARDEN
};

harden_set harden_default(void)
{
	return harden_group("attrs") | harden_group("sticky") | harden_group("no-leak");
}

harden_set harden_group(const char *word)
{
	harden_set set = 0;

	for (unsigned i = 0; i < HARDEN_COUNT; i++) {
		if (strcmp(groups[checks[i].group], word) == 0)
			set |= HARDEN_BIT(i);
	}
	return set;
}

harden_set harden_by_word(const char *word)
{
	for (unsigned i = 0; i < HARDEN_COUNT; i++) {
		if (strcmp(checks[i].word, word) == 0)
			return HARDEN_BIT(i);
	}
	return 0;
}

const char *harden_word(enum harden check)
{
	return checks[check].word;
}

const char *harden_text(enum harden check)
{
	return checks[check].text;
}

const char *harden_source(enum harden check)
{
	return checks[check].source;
}

const char *harden_group_word(enum harden check)
{
	return groups[checks[check].group];
}

const char *harden_word_at(size_t i, const void *context)
{
	(void)context;
	return i < HARDEN_COUNT ? checks[i].word : NULL;
}

const char *harden_group_at(size_t i, const void *context)
{
	(void)context;
	return i < COUNT(groups) ? groups[i] : NULL;
}

/* The object that has this part in the call, or NULL. */
static const struct policy_object *part(const struct facts *f, enum policy_part part)
{
	for (unsigned i = 0; i < f->object_count; i++) {
		if (f->object[i]->part == part)
			return f->object[i];
	}
	return NULL;
}

static bool is_set(const struct policy_object *o, unsigned flags)
{
	return (o->flags & o->known & flags) == flags;
}

static bool is_clear(const struct policy_object *o, unsigned flag)
{
	return (o->known & flag) && !(o->flags & flag);
}

/* True when the call makes, widens or uses (`act`) a key with two rights that must not meet. */
static enum policy_reason conflict(const struct facts *f, unsigned flags, enum policy_act act)
{
	for (unsigned i = 0; i < f->object_count; i++) {
		const struct policy_object *o = f->object[i];

		if (o->part == PART_NEW && is_set(o, flags))
			return REASON_TEMPLATE;
		if (o->part == PART_KEY && f->act == act && is_set(o, flags))
			return REASON_USAGE;
	}
	return REASON_NONE;
}

static enum policy_reason ask_wrap_as_data(const struct facts *f, const struct algorithm *a)
{
	const struct policy_object *key = part(f, PART_KEY);

	if (!a || !key || (f->act != ACT_ENCRYPT && f->act != ACT_DECRYPT))
		return REASON_NONE;
	if (a->family != ASPECT_AES_WRAP && a->family != ASPECT_RSA_AES_WRAP &&
	    a->family != ASPECT_ECDH_AES_WRAP)
		return REASON_NONE;
	return is_set(key, FLAG_WRAP) || is_set(key, FLAG_UNWRAP) ? REASON_MECHANISM : REASON_NONE;
}

/* An exponent of 1 leaves the padded message as it is (the standard allows any number). */
static enum policy_reason ask_exponent(const struct facts *f)
{
	for (unsigned i = 0; i < f->object_count; i++) {
		const struct policy_object *o = f->object[i];

		if (o->part == PART_SUBJECT || o->type != CKK_RSA || o->exponent == 0)
			continue;
		if (o->exponent == 1 || o->exponent % 2 == 0)
			return o->part == PART_NEW ? REASON_TEMPLATE : REASON_USAGE;
	}
	return REASON_NONE;
}

/* The usages that may be given up and not be got. */
static const struct {
	CK_ATTRIBUTE_TYPE type;
	unsigned flag;
} usages[] = {
	{CKA_WRAP, FLAG_WRAP},       {CKA_UNWRAP, FLAG_UNWRAP}, {CKA_ENCRYPT, FLAG_ENCRYPT},
	{CKA_DECRYPT, FLAG_DECRYPT}, {CKA_DERIVE, FLAG_DERIVE},
};

/* A change or a copy that widens what the object may do. */
static enum policy_reason ask_sticky(const struct facts *f)
{
	const struct policy_object *o = part(f, PART_SUBJECT);

	if (!o || (f->act != ACT_SET_ATTR && f->act != ACT_COPY))
		return REASON_NONE;
	for (size_t i = 0; i < COUNT(usages); i++) {
		if (is_clear(o, usages[i].flag) &&
		    attr_bool(o->tmpl, o->tmpl_count, usages[i].type, false))
			return REASON_READ_ONLY;
	}
	if (is_set(o, FLAG_SENSITIVE) && !attr_bool(o->tmpl, o->tmpl_count, CKA_SENSITIVE, true))
		return REASON_READ_ONLY;
	if (is_clear(o, FLAG_EXTRACTABLE) &&
	    attr_bool(o->tmpl, o->tmpl_count, CKA_EXTRACTABLE, false))
		return REASON_READ_ONLY;
	return REASON_NONE;
}

/* A derivation from a key whose value is secret. */
static const struct policy_object *sensitive_base(const struct facts *f)
{
	const struct policy_object *base = f->act == ACT_DERIVE ? part(f, PART_KEY) : NULL;

	return base && is_set(base, FLAG_SENSITIVE) ? base : NULL;
}

static enum policy_reason ask_derive_short(const struct facts *f)
{
	if (!sensitive_base(f))
		return REASON_NONE;
	for (unsigned i = 0; i < f->object_count; i++) {
		const struct policy_object *o = f->object[i];

		if (o->part == PART_NEW && o->class == CKO_SECRET_KEY && o->bits > 0 &&
		    o->bits < DERIVED_LEAST)
			return REASON_TEMPLATE;
	}
	return REASON_NONE;
}

/* Whether one of the new keys can be read, or wrapped and so read elsewhere; what the template does
 * not say does not count as secret. */
static bool makes_readable(const struct facts *f)
{
	for (unsigned i = 0; i < f->object_count; i++) {
		const struct policy_object *o = f->object[i];

		if (o->part == PART_NEW && o->class != CKO_PUBLIC_KEY &&
		    (!is_set(o, FLAG_SENSITIVE) || !is_clear(o, FLAG_EXTRACTABLE)))
			return true;
	}
	return false;
}

/* A public key that encrypts and wraps: who has the private key decrypts what was wrapped. */
static enum policy_reason ask_wrap_encrypt(const struct facts *f)
{
	const struct policy_object *key = f->act == ACT_WRAP ? part(f, PART_KEY) : NULL;

	return key && key->class == CKO_PUBLIC_KEY && is_set(key, FLAG_WRAP | FLAG_ENCRYPT)
		       ? REASON_USAGE
		       : REASON_NONE;
}

static enum policy_reason ask_trojan(const struct facts *f)
{
	const struct policy_object *key = f->act == ACT_WRAP ? part(f, PART_KEY) : NULL;

	return key && !is_set(key, FLAG_LOCAL) && !is_set(key, FLAG_TRUSTED) ? REASON_WRAPPING_KEY
									     : REASON_NONE;
}

/* Comparable strengths, SP 800-57 part 1 r5, table 2: sizes of numbers that have to be factored. */
static unsigned strength_of_modulus(unsigned bits)
{
	static const struct {
		unsigned bits, strength;
	} table[] = {{15360, 256}, {7680, 192}, {3072, 128}, {2048, 112}, {1024, 80}};

	for (size_t i = 0; i < COUNT(table); i++) {
		if (bits >= table[i].bits)
			return table[i].strength;
	}
	return 0;
}

/* Strength of a key in bits; 0: unknown. */
static unsigned strength_of(const struct policy_object *o)
{
	switch (o->type) {
	case CKK_RSA:
	case CKK_DSA:
	case CKK_DH:
	case CKK_X9_42_DH:
		return strength_of_modulus(o->bits);
	case CKK_EC:
	case CKK_EC_EDWARDS:
	case CKK_EC_MONTGOMERY:
		return o->bits >= 512 ? 256 : o->bits / 2;
	case CKK_DES3:
		return 112;
	default:
		return o->bits < 256 ? o->bits : 256;
	}
}

/* What cannot be measured is not refused: profiles and ceilings do that. */
static enum policy_reason ask_weak_wrap(const struct facts *f)
{
	const struct policy_object *key = f->act == ACT_WRAP ? part(f, PART_KEY) : NULL;
	const struct policy_object *subject = part(f, PART_SUBJECT);

	if (!key || !subject || strength_of(key) == 0 || strength_of(subject) == 0)
		return REASON_NONE;
	return strength_of(key) < strength_of(subject) ? REASON_WRAPPING_KEY : REASON_NONE;
}

static enum policy_reason ask_padding(const struct facts *f, const struct algorithm *a)
{
	bool opens = f->act == ACT_DECRYPT || f->act == ACT_UNWRAP;

	if (!a || !opens)
		return REASON_NONE;
	return a->family == ASPECT_RSA_V15_CRYPT ||
			       (f->act == ACT_UNWRAP &&
				(a->type == CKM_AES_CBC_PAD || a->type == CKM_DES3_CBC_PAD))
		       ? REASON_MECHANISM
		       : REASON_NONE;
}

static enum policy_reason ask_format(const struct facts *f, const struct algorithm *a)
{
	if (!a || (f->act != ACT_WRAP && f->act != ACT_UNWRAP))
		return REASON_NONE;
	switch ((int)a->family) {
	case ASPECT_AES_WRAP:
	case ASPECT_AES_GCM:
	case ASPECT_AES_CCM:
	case ASPECT_RSA_OAEP:
	case ASPECT_RSA_AES_WRAP:
	case ASPECT_ECDH_AES_WRAP:
		return REASON_NONE;
	default:
		return REASON_MECHANISM;
	}
}

static enum policy_reason ask_parts(const struct facts *f, const struct algorithm *a)
{
	return a && a->family == ASPECT_CONCAT && sensitive_base(f) ? REASON_MECHANISM
								    : REASON_NONE;
}

static enum policy_reason ask_digest_key(const struct facts *f)
{
	const struct policy_object *key = f->act == ACT_DIGEST ? part(f, PART_KEY) : NULL;

	return key && !is_clear(key, FLAG_SENSITIVE) ? REASON_DIGEST_KEY : REASON_NONE;
}

static enum policy_reason refused_if(bool is_refused, enum policy_reason reason)
{
	return is_refused ? reason : REASON_NONE;
}

enum policy_reason harden_ask(enum harden check, const struct facts *f, const struct algorithm *a)
{
	switch (check) {
	case HARDEN_WRAP_DECRYPT:
		return conflict(f, FLAG_WRAP | FLAG_DECRYPT, ACT_WRAP);
	case HARDEN_UNWRAP_ENCRYPT:
		return conflict(f, FLAG_UNWRAP | FLAG_ENCRYPT, ACT_UNWRAP);
	case HARDEN_WRAP_AS_DATA:
		return ask_wrap_as_data(f, a);
	case HARDEN_RSA_EXPONENT:
		return ask_exponent(f);
	case HARDEN_STICKY:
		return ask_sticky(f);
	case HARDEN_DIGEST_KEY:
		return ask_digest_key(f);
	case HARDEN_DERIVE_PARTS:
		return ask_parts(f, a);
	case HARDEN_DERIVE_SHORT:
		return ask_derive_short(f);
	case HARDEN_DERIVE_READABLE:
		return refused_if(sensitive_base(f) && makes_readable(f), REASON_TEMPLATE);
	case HARDEN_UNWRAP_READABLE:
		return refused_if(f->act == ACT_UNWRAP && makes_readable(f), REASON_TEMPLATE);
	case HARDEN_WRAP_ENCRYPT:
		return ask_wrap_encrypt(f);
	case HARDEN_TROJAN:
		return ask_trojan(f);
	case HARDEN_PADDING:
		return ask_padding(f, a);
	case HARDEN_WRAP_FORMAT:
		return ask_format(f, a);
	case HARDEN_WEAK_WRAP:
		return ask_weak_wrap(f);
	case HARDEN_SEGREGATE:
		return conflict(f, FLAG_SIGN | FLAG_DECRYPT, ACT_COUNT);
	case HARDEN_SO_LOGIN:
		return refused_if(f->act == ACT_SO_LOGIN, REASON_USAGE);
	case HARDEN_INIT_TOKEN:
		return refused_if(f->act == ACT_INIT_TOKEN, REASON_USAGE);
	case HARDEN_COUNT:
		break;
	}
	return REASON_NONE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules: each part of a condition is looked at on its own; what concerns objects is asked of each
 * object, so that "a key of this label with so many bits" is one key. No allocation, no state. */
#include "policy/rule.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/names.h"

/* How a condition is held against several objects and against what is missing. */
enum reading {
	READ_ANY, /* deny: one object is enough; a missing property does not match */
	READ_ALL  /* allow: all objects; a missing property does not matter */
};

static bool word_in(const struct word_list *list, const char *word, bool is_glob)
{
	for (size_t i = 0; i < list->count; i++) {
		if (is_glob ? fnmatch(list->word[i], word, 0) == 0
			    : strcmp(list->word[i], word) == 0)
			return true;
	}
	return false;
}

static bool number_in(const struct number_list *list, CK_ULONG number)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->number[i] == number)
			return true;
	}
	return false;
}

/* A pair of list and negated list for one word. */
static bool words_hold(const struct word_list pair[2], const char *word, bool is_glob)
{
	return (!pair[0].is_set || word_in(&pair[0], word, is_glob)) &&
	       (!pair[1].is_set || !word_in(&pair[1], word, is_glob));
}

static bool numbers_hold(const struct number_list pair[2], CK_ULONG number)
{
	return (!pair[0].is_set || number_in(&pair[0], number)) &&
	       (!pair[1].is_set || !number_in(&pair[1], number));
}

static bool bits_hold(const struct bit_list pair[2], unsigned bit)
{
	return (!pair[0].is_set || (pair[0].bits >> bit & 1)) &&
	       (!pair[1].is_set || !(pair[1].bits >> bit & 1));
}

/* A user or group: its name or its number. */
static bool id_in(const struct word_list *list, const char *name, uint32_t id)
{
	char number[16];

	(void)snprintf(number, sizeof number, "%lu", (unsigned long)id);
	return word_in(list, number, false) || (name[0] != '\0' && word_in(list, name, false));
}

static bool id_holds(const struct word_list pair[2], const char *name, uint32_t id)
{
	return (!pair[0].is_set || id_in(&pair[0], name, id)) &&
	       (!pair[1].is_set || !id_in(&pair[1], name, id));
}

/* Least trust: the list has one word, which the parser has checked. */
static bool trust_holds(const struct word_list pair[2], enum policy_trust trust)
{
	static const char *const words[] = {"self", "process", "peer", "crypto"};

	for (unsigned i = 0; pair[0].is_set && i < 4; i++) {
		if (strcmp(pair[0].word[0], words[i]) == 0)
			return trust >= i;
	}
	return true;
}

static bool who_holds(const struct condition *c, const struct facts *f)
{
	const struct caller *caller = f->caller;

	return id_holds(c->who[WHO_UID], caller->user, caller->uid) &&
	       id_holds(c->who[WHO_GID], caller->group, caller->gid) &&
	       words_hold(c->who[WHO_USER], caller->user, false) &&
	       words_hold(c->who[WHO_ROLE], f->role, false) &&
	       words_hold(c->who[WHO_EXE], caller->exe, true) &&
	       words_hold(c->who[WHO_UNIT], caller->unit, true) &&
	       words_hold(c->who[WHO_CGROUP], caller->cgroup, true) &&
	       words_hold(c->who[WHO_LABEL], caller->label, true) &&
	       trust_holds(c->who[WHO_TRUST], caller->trust);
}

static bool when_holds(const struct when *w, int64_t now)
{
	time_t at = (time_t)now;
	struct tm tm;
	int minute;

	if ((w->not_before != 0 && now < w->not_before) ||
	    (w->not_after != 0 && now > w->not_after))
		return false;
	if (w->days == 0 && !w->has_hours)
		return true;
	if (!(w->is_local ? localtime_r(&at, &tm) : gmtime_r(&at, &tm)))
		return false;
	if (w->days != 0 && !(w->days >> tm.tm_wday & 1))
		return false;
	minute = tm.tm_hour * 60 + tm.tm_min;
	if (!w->has_hours)
		return true;
	if (w->from <= w->to)
		return minute >= w->from && minute < w->to;
	return minute >= w->from || minute < w->to;
}

/* A property that must be there for a list of it to hold. */
static bool hash_holds(const struct bit_list pair[2], enum policy_hash hash)
{
	if (hash == HASH_NONE)
		return !pair[0].is_set;
	return bits_hold(pair, hash);
}

static bool mechanism_holds(const struct condition *c, const struct algorithm *a,
			    enum reading reading)
{
	enum policy_iv iv = a ? a->iv : IV_NONE;

	if (c->iv != IV_NONE && (iv == IV_NONE ? reading == READ_ANY : iv != c->iv))
		return false;
	if (c->salt_max >= 0 &&
	    (a && a->has_salt ? a->salt_len > (CK_ULONG)c->salt_max : reading == READ_ANY))
		return false;
	if (!a)
		return !c->mech[0].is_set && !c->hash[0].is_set && !c->mgf[0].is_set &&
		       !c->kdf[0].is_set;
	return numbers_hold(c->mech, a->type) && hash_holds(c->hash, a->hash) &&
	       hash_holds(c->mgf, a->mgf) &&
	       (a->has_kdf ? bits_hold(c->kdf, a->kdf) : !c->kdf[0].is_set);
}

/* A set of the properties that only some keys have. */
static bool property_holds(const struct bit_list pair[2], unsigned value, enum reading reading)
{
	if (value == 0)
		return (!pair[0].is_set && !pair[1].is_set) || reading == READ_ALL;
	return bits_hold(pair, value);
}

static bool size_holds(const struct condition *c, unsigned bits, enum reading reading)
{
	if (c->bits_min == 0 && c->bits_max == 0)
		return true;
	if (bits == 0)
		return reading == READ_ALL;
	return (c->bits_min == 0 || bits >= c->bits_min) &&
	       (c->bits_max == 0 || bits <= c->bits_max);
}

/* True for attributes that an object of the class can have: a public key is never sensitive. */
static bool fits_class(CK_ATTRIBUTE_TYPE type, CK_OBJECT_CLASS class)
{
	switch (type) {
	case CKA_SENSITIVE:
	case CKA_EXTRACTABLE:
	case CKA_ALWAYS_SENSITIVE:
	case CKA_NEVER_EXTRACTABLE:
	case CKA_WRAP_WITH_TRUSTED:
	case CKA_DECRYPT:
	case CKA_SIGN:
	case CKA_SIGN_RECOVER:
	case CKA_UNWRAP:
	case CKA_ALWAYS_AUTHENTICATE:
		return class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY;
	case CKA_ENCRYPT:
	case CKA_VERIFY:
	case CKA_VERIFY_RECOVER:
	case CKA_WRAP:
	case CKA_TRUSTED:
		return class == CKO_PUBLIC_KEY || class == CKO_SECRET_KEY;
	default:
		return true;
	}
}

static bool wish_holds(const struct attribute_wish *w, const struct policy_object *o)
{
	const CK_ATTRIBUTE *a = attr_find(o->tmpl, o->tmpl_count, w->type);

	if (!a)
		return false;
	if (w->kind == WISH_PRESENT)
		return true;
	if (w->kind == WISH_BOOL)
		return a->ulValueLen == sizeof(CK_BBOOL) &&
		       attr_bool(a, 1, w->type, false) == (w->value != 0);
	return a->ulValueLen == sizeof(CK_ULONG) && attr_ulong(a, 1, w->type, 0) == w->value;
}

/* Lists are OR: the template has one of `has`, and lacks one of `lacks`. */
static bool template_holds(const struct condition *c, const struct policy_object *o,
			   enum reading reading)
{
	bool has = c->has.count == 0, lacks = c->lacks.count == 0;

	if (has && lacks)
		return true;
	if (!o->tmpl && o->part != PART_NEW)
		return false;
	for (size_t i = 0; i < c->has.count; i++)
		has = has || wish_holds(&c->has.wish[i], o) ||
		      (reading == READ_ALL && !fits_class(c->has.wish[i].type, o->class));
	for (size_t i = 0; i < c->lacks.count; i++)
		lacks = lacks || (fits_class(c->lacks.wish[i].type, o->class) &&
				  !wish_holds(&c->lacks.wish[i], o));
	return has && lacks;
}

static bool id_text_in(const struct word_list pair[2], const struct policy_object *o)
{
	char text[129];
	size_t n = o->id_len < 64 ? o->id_len : 64;

	if (!pair[0].is_set && !pair[1].is_set)
		return true;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", o->id[i]);
	text[2 * n] = '\0';
	return words_hold(pair, text, false);
}

/* The public half of a new pair goes where its private half goes. */
static bool class_holds(const struct condition *c, const struct facts *f,
			const struct policy_object *o, enum reading reading)
{
	bool is_half = f->act == ACT_GENERATE && o->class == CKO_PUBLIC_KEY;

	return (is_half && reading == READ_ALL) || numbers_hold(c->class, o->class);
}

static bool object_holds(const struct condition *c, const struct facts *f,
			 const struct policy_object *o, enum reading reading)
{
	if (c->local >= 0 && (o->part == PART_NEW || !(o->known & FLAG_LOCAL)
				      ? reading == READ_ANY
				      : ((o->flags & FLAG_LOCAL) != 0) != (c->local != 0)))
		return false;
	if (c->age_max != 0 && (o->started == 0 || f->now - o->started > c->age_max))
		return false;
	return words_hold(c->label, o->label, true) && id_text_in(c->id, o) &&
	       class_holds(c, f, o, reading) && numbers_hold(c->key, o->type) &&
	       size_holds(c, o->bits, reading) && property_holds(c->curve, o->curve, reading) &&
	       property_holds(c->pset, o->pset, reading) &&
	       (c->hss_levels == 0 ||
		(o->hss_levels == 0 ? reading == READ_ALL
				    : o->hss_levels == (unsigned)c->hss_levels)) &&
	       template_holds(c, o, reading);
}

/* Whether the condition asks anything of objects. */
static bool is_about_objects(const struct condition *c)
{
	return c->label[0].is_set || c->label[1].is_set || c->id[0].is_set || c->id[1].is_set ||
	       c->class[0].is_set || c->class[1].is_set || c->key[0].is_set || c->key[1].is_set ||
	       c->local >= 0 || c->age_max != 0 || c->bits_min != 0 || c->bits_max != 0 ||
	       c->curve[0].is_set || c->curve[1].is_set || c->pset[0].is_set || c->pset[1].is_set ||
	       c->hss_levels != 0 || c->has.count > 0 || c->lacks.count > 0;
}

static bool objects_hold(const struct condition *c, const struct facts *f, enum reading reading)
{
	bool all = f->object_count > 0, any = false;

	if (!is_about_objects(c))
		return true;
	for (unsigned i = 0; i < f->object_count; i++) {
		bool holds = object_holds(c, f, f->object[i], reading);

		all = all && holds;
		any = any || holds;
	}
	return reading == READ_ALL ? all : any;
}

static bool condition_holds(const struct condition *c, const struct facts *f,
			    const struct algorithm *a, enum reading reading)
{
	if (c->acts[0] != 0 && !(f->act < ACT_COUNT && (c->acts[0] & ACT_BIT(f->act))))
		return false;
	if (f->act < ACT_COUNT && (c->acts[1] & ACT_BIT(f->act)))
		return false;
	return words_hold(c->token, f->token, true) && mechanism_holds(c, a, reading) &&
	       objects_hold(c, f, reading) && who_holds(c, f) && when_holds(&c->when, f->now);
}

bool rule_matches(const struct rule *rule, const struct facts *f, const struct algorithm *a)
{
	enum reading reading = rule->is_deny ? READ_ANY : READ_ALL;

	if (rule->is_off || !condition_holds(&rule->match, f, a, reading))
		return false;
	/* An exception of a deny has to cover all objects; one of an allow takes it away when it
	 * covers one. */
	return !rule->has_unless ||
	       !condition_holds(&rule->unless, f, a, rule->is_deny ? READ_ALL : READ_ANY);
}

act_set rule_acts(const struct rule *rule)
{
	act_set all = ACT_BIT(ACT_COUNT) - 1;

	if (rule->is_off)
		return 0;
	return (rule->match.acts[0] != 0 ? rule->match.acts[0] : all) & ~rule->match.acts[1];
}

bool rule_is_about_objects(const struct rule *rule)
{
	return is_about_objects(&rule->match) ||
	       (rule->has_unless && is_about_objects(&rule->unless));
}

static enum policy_reason key_within(const struct ceiling *c, const struct policy_object *o,
				     char why[static VERDICT_WHY_LEN])
{
	char type[NAME_MAX_LEN];
	const char *name = name_of(NAME_KEY_TYPE, o->type, type);

	if ((c->bits_min != 0 || c->bits_max != 0) && o->bits == 0) {
		(void)snprintf(why, VERDICT_WHY_LEN, "%s key of unknown size", name);
		return REASON_KEY_SIZE;
	}
	if (c->bits_min != 0 && o->bits < c->bits_min) {
		(void)snprintf(why, VERDICT_WHY_LEN, "%s key of %u bits: least %u", name, o->bits,
			       c->bits_min);
		return REASON_KEY_SIZE;
	}
	if (c->bits_max != 0 && o->bits > c->bits_max) {
		(void)snprintf(why, VERDICT_WHY_LEN, "%s key of %u bits: most %u", name, o->bits,
			       c->bits_max);
		return REASON_KEY_SIZE;
	}
	if (c->curves.is_set && o->curve != CURVE_NONE && !(c->curves.bits >> o->curve & 1)) {
		(void)snprintf(why, VERDICT_WHY_LEN, "curve %s is not in the list",
			       curve_word(o->curve));
		return REASON_CURVE;
	}
	if (c->psets.is_set && o->pset != PSET_NONE && !(c->psets.bits >> o->pset & 1)) {
		(void)snprintf(why, VERDICT_WHY_LEN, "parameter set %s is not in the list",
			       pset_word(o->pset));
		return REASON_PSET;
	}
	return REASON_NONE;
}

/* True for objects whose size counts: keys that are used or come to be. */
static bool is_measured(const struct policy_object *o)
{
	return o->part != PART_SUBJECT &&
	       (o->class == CKO_PUBLIC_KEY || o->class == CKO_PRIVATE_KEY ||
		o->class == CKO_SECRET_KEY);
}

enum policy_reason ceiling_ask(const struct ceiling *c, const struct facts *f,
			       const struct algorithm *a, char why[static VERDICT_WHY_LEN])
{
	enum policy_reason reason;
	bool is_meant = false;

	if ((c->mech.is_set && (!a || !number_in(&c->mech, a->type))) ||
	    (c->hash.is_set && (!a || a->hash == HASH_NONE || !(c->hash.bits >> a->hash & 1))))
		return REASON_NONE;
	for (unsigned i = 0; i < f->object_count; i++) {
		const struct policy_object *o = f->object[i];

		if (!is_measured(o) || (c->key.is_set && !number_in(&c->key, o->type)))
			continue;
		is_meant = true;
		/* The size of what is unwrapped or derived is known when it is there. */
		if (o->part == PART_NEW && o->bits == 0 &&
		    (f->act == ACT_UNWRAP || f->act == ACT_DERIVE))
			continue;
		reason = key_within(c, o, why);
		if (reason != REASON_NONE)
			return reason;
	}
	if (c->acts == 0 || (c->key.is_set && !is_meant) || f->act >= ACT_COUNT ||
	    (c->acts & ACT_BIT(f->act)) || (!a && !is_meant))
		return REASON_NONE;
	(void)snprintf(why, VERDICT_WHY_LEN, "%s is not in ops", act_word(f->act));
	return REASON_MECHANISM;
}

static void words_fini(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->word[i]);
	free(list->word);
}

void condition_fini(struct condition *c)
{
	for (size_t n = 0; n < 2; n++) {
		for (size_t i = 0; i < WHO_COUNT; i++)
			words_fini(&c->who[i][n]);
		words_fini(&c->token[n]);
		words_fini(&c->label[n]);
		words_fini(&c->id[n]);
		free(c->class[n].number);
		free(c->key[n].number);
		free(c->mech[n].number);
	}
	free(c->has.wish);
	free(c->lacks.wish);
}

void rule_fini(struct rule *rule)
{
	condition_fini(&rule->match);
	condition_fini(&rule->unless);
	free(rule->id);
}

void ceiling_fini(struct ceiling *c)
{
	free(c->key.number);
	free(c->mech.number);
}

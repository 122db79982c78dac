/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of a policy file. Every kind of list differs in what a word means only, which is a function
 * and a row each; a word that is not known is reported with the nearest that is. */
#include "policy/parse_list.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"

/* Words within sets within lists. */
#define LIST_MAX 4096U

static void bad_word(const struct reading_file *r, const config_setting_t *setting, const char *key,
		     const char *word, const struct word_kind *kind)
{
	const char *near = kind->list ? near_word(word, kind->list, kind->context) : NULL;
	char shown[SETTING_SHOWN_LEN];

	setting_shown(word, shown);
	if (near)
		scope_error(&r->scope, setting, "%s: \"%s\" is not %s: did you mean \"%s\"?", key,
			    shown, kind->what, near);
	else
		scope_error(&r->scope, setting, "%s: \"%s\" is not known: expected %s", key, shown,
			    kind->what);
}

/* What a list is made of, while it is read. */
struct walk_list {
	const struct reading_file *r;
	const char *key;
	const struct word_kind *kind;
	take_word *take;
	void *out;
};

static void take_one(const struct walk_list *w, const config_setting_t *setting, const char *word)
{
	if (!w->take(w->out, word))
		bad_word(w->r, setting, w->key, word, w->kind);
}

/* The words of a set; sets do not name sets. */
static void take_set(const struct walk_list *w, const config_setting_t *setting, const char *name)
{
	const config_setting_t *set =
		w->r->sets ? config_setting_get_member(w->r->sets, name) : NULL;
	char shown[SETTING_SHOWN_LEN];
	int n = set ? config_setting_length(set) : 0;

	if (!set) {
		scope_error(&w->r->scope, setting,
			    "%s: there is no set \"%s\": expected one of \"sets\"", w->key,
			    setting_shown(name, shown));
		return;
	}
	for (int i = 0; i < n; i++) {
		const config_setting_t *word = config_setting_get_elem(set, (unsigned)i);

		if (config_setting_type(word) == CONFIG_TYPE_STRING)
			take_one(w, word, config_setting_get_string(word));
	}
}

static void take_setting(const struct walk_list *w, const config_setting_t *setting)
{
	const char *word = config_setting_get_string(setting);

	if (!word)
		scope_error(&w->r->scope, setting, "%s: expected strings in the list", w->key);
	else if (word[0] == '@')
		take_set(w, setting, word + 1);
	else
		take_one(w, setting, word);
}

bool list_each(const struct reading_file *r, const char *key, const struct word_kind *kind,
	       take_word *take, void *out)
{
	const struct walk_list w = {r, key, kind, take, out};
	const config_setting_t *setting = config_setting_get_member(r->scope.group, key);
	int type = setting ? config_setting_type(setting) : CONFIG_TYPE_NONE;

	if (type == CONFIG_TYPE_STRING) {
		take_setting(&w, setting);
		return true;
	}
	if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY)
		return false; /* absent, or reported as of the wrong type */
	if (config_setting_length(setting) == 0)
		scope_error(&r->scope, setting, "%s is empty and would match nothing: expected %s",
			    key, kind->what);
	for (int i = 0; i < config_setting_length(setting); i++)
		take_setting(&w, config_setting_get_elem(setting, (unsigned)i));
	return true;
}

/* Makes room for one more element of `size` bytes in an array of `count`; NULL when memory is out.
 */
static void *grown(void *array, size_t count, size_t size)
{
	return count < LIST_MAX ? reallocarray(array, count + 1, size) : NULL;
}

static bool take_text(void *out, const char *word)
{
	struct word_list *list = out;
	char *copy = strdup(word);
	char **words = copy ? grown(list->word, list->count, sizeof *words) : NULL;

	if (!words) {
		free(copy);
		return false;
	}
	list->word = words;
	list->word[list->count++] = copy;
	return true;
}

static bool add_number(struct number_list *list, CK_ULONG number)
{
	CK_ULONG *numbers = grown(list->number, list->count, sizeof *numbers);

	if (!numbers)
		return false;
	list->number = numbers;
	list->number[list->count++] = number;
	return true;
}

static bool take_mechanism(void *out, const char *word)
{
	CK_ULONG number;

	return name_value(NAME_MECHANISM, word, &number) && add_number(out, number);
}

static bool take_class(void *out, const char *word)
{
	CK_OBJECT_CLASS class;

	return class_by_word(word, &class) && add_number(out, class);
}

static bool take_key_type(void *out, const char *word)
{
	CK_ULONG number;

	return name_value(NAME_KEY_TYPE, word, &number) && add_number(out, number);
}

static bool take_act(void *out, const char *word)
{
	act_set *acts = out;
	act_set more = act_by_word(word);

	*acts |= more;
	return more != 0;
}

static bool take_bit(uint32_t *bits, unsigned bit)
{
	if (bit != 0)
		*bits |= UINT32_C(1) << bit;
	return bit != 0;
}

static bool take_hash(void *out, const char *word)
{
	return take_bit(&((struct bit_list *)out)->bits, hash_by_word(word));
}

/* "null" is bit 0: no hash. */
static bool take_kdf(void *out, const char *word)
{
	struct bit_list *list = out;

	if (strcmp(word, "null") != 0)
		return take_hash(out, word);
	list->bits |= UINT32_C(1) << HASH_NONE;
	return true;
}

static bool take_curve(void *out, const char *word)
{
	return take_bit(&((struct bit_list *)out)->bits, curve_by_word(word));
}

static bool take_pset(void *out, const char *word)
{
	return take_bit(&((struct bit_list *)out)->bits, pset_by_word(word));
}

/* CKA_NAME=VALUE. */
static bool parse_wish(const char *text, struct attribute_wish *wish)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	char name[NAME_MAX_LEN];
	char *end;

	*wish = (struct attribute_wish){0, WISH_PRESENT, 0};
	if (len >= sizeof name)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	if (!name_value(NAME_ATTRIBUTE, name, &wish->type))
		return false;
	if (!equals)
		return true;
	if (strcmp(equals + 1, "true") == 0 || strcmp(equals + 1, "false") == 0) {
		wish->kind = WISH_BOOL;
		wish->value = equals[1] == 't';
		return true;
	}
	wish->kind = WISH_NUMBER;
	wish->value = strtoul(equals + 1, &end, 0);
	return isdigit((unsigned char)equals[1]) && *end == '\0';
}

static bool take_wish(void *out, const char *word)
{
	struct wish_list *list = out;
	struct attribute_wish wish, *wishes;

	if (!parse_wish(word, &wish))
		return false;
	wishes = grown(list->wish, list->count, sizeof *wishes);
	if (!wishes)
		return false;
	list->wish = wishes;
	list->wish[list->count++] = wish;
	return true;
}

static const char *mechanism_at(size_t i, const void *context)
{
	CK_MECHANISM_TYPE type;
	static _Thread_local char spare[NAME_MAX_LEN];

	(void)context;
	return algorithm_at(i, &type) ? name_of(NAME_MECHANISM, type, spare) : NULL;
}

static const struct word_kind any_text = {"text", NULL, NULL};
static const struct word_kind mechanisms = {"a mechanism (CKM_...)", mechanism_at, NULL};
static const struct word_kind object_classes = {"a class of objects", class_word_at, NULL};
static const struct word_kind key_types = {"a key type (RSA, EC, AES, CKK_...)", NULL, NULL};
static const struct word_kind acts = {"an operation", act_word_at, NULL};
static const struct word_kind hashes = {"a hash function", hash_word_at, NULL};
static const struct word_kind kdfs = {"a hash function, or \"null\"", hash_word_at, NULL};
static const struct word_kind curves = {"a curve", curve_word_at, NULL};
static const struct word_kind psets = {"a parameter set", pset_word_at, NULL};
static const struct word_kind wishes = {
	"an attribute (CKA_NAME, CKA_NAME=true, CKA_NAME=false or CKA_NAME=NUMBER)", NULL, NULL};

void list_words(const struct reading_file *r, const char *key, struct word_list *list)
{
	list->is_set = list_each(r, key, &any_text, take_text, list);
}

void list_mechanisms(const struct reading_file *r, const char *key, struct number_list *list)
{
	list->is_set = list_each(r, key, &mechanisms, take_mechanism, list);
}

void list_classes(const struct reading_file *r, const char *key, struct number_list *list)
{
	list->is_set = list_each(r, key, &object_classes, take_class, list);
}

void list_key_types(const struct reading_file *r, const char *key, struct number_list *list)
{
	list->is_set = list_each(r, key, &key_types, take_key_type, list);
}

void list_acts(const struct reading_file *r, const char *key, act_set *set)
{
	(void)list_each(r, key, &acts, take_act, set); /* absent: any */
}

void list_hashes(const struct reading_file *r, const char *key, struct bit_list *list)
{
	list->is_set = list_each(r, key, &hashes, take_hash, list);
}

void list_kdfs(const struct reading_file *r, const char *key, struct bit_list *list)
{
	list->is_set = list_each(r, key, &kdfs, take_kdf, list);
}

void list_curves(const struct reading_file *r, const char *key, struct bit_list *list)
{
	list->is_set = list_each(r, key, &curves, take_curve, list);
}

void list_psets(const struct reading_file *r, const char *key, struct bit_list *list)
{
	list->is_set = list_each(r, key, &psets, take_pset, list);
}

void list_wishes(const struct reading_file *r, const char *key, struct wish_list *list)
{
	(void)list_each(r, key, &wishes, take_wish, list); /* absent: none */
}

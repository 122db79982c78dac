/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of words in a policy file: with "@name" replaced by the set of that name, each word turned
 * into what it stands for. Private to parse*.c. */
#ifndef HSMUX_POLICY_PARSE_LIST_H
#define HSMUX_POLICY_PARSE_LIST_H

#include "core/base/near.h"
#include "core/base/scope.h"
#include "policy/rule.h"

/* The part of a file that is read, and the sets of the file (NULL: it has none). */
struct reading_file {
	struct scope scope;
	const config_setting_t *sets;
};

/* What a word has to be, for messages: "an operation". */
struct word_kind {
	const char *what;
	near_list *list;     /* the words there are; NULL: any text */
	const void *context; /* of the list */
};

/* Called for each word of a list; false when the word is not known, which is reported. */
typedef bool take_word(void *out, const char *word);

/* Calls `take` for each word of `key` (a string, or a list of strings and sets). False when the key
 * is absent. Errors are reported with the line of the key. */
bool list_each(const struct reading_file *r, const char *key, const struct word_kind *kind,
	       take_word *take, void *out);

/* Ready-made: words as they are, mechanisms, object classes, key types, acts, hash functions, key
 * derivations (as hash functions, and "null"), curves, parameter sets. `list` gets is_set when the
 * key is there. */
void list_words(const struct reading_file *r, const char *key, struct word_list *list);
void list_mechanisms(const struct reading_file *r, const char *key, struct number_list *list);
void list_classes(const struct reading_file *r, const char *key, struct number_list *list);
void list_key_types(const struct reading_file *r, const char *key, struct number_list *list);
void list_acts(const struct reading_file *r, const char *key, act_set *acts);
void list_hashes(const struct reading_file *r, const char *key, struct bit_list *list);
void list_kdfs(const struct reading_file *r, const char *key, struct bit_list *list);
void list_curves(const struct reading_file *r, const char *key, struct bit_list *list);
void list_psets(const struct reading_file *r, const char *key, struct bit_list *list);

/* "CKA_SENSITIVE=true", "CKA_MODULUS_BITS=2048", "CKA_LABEL". */
void list_wishes(const struct reading_file *r, const char *key, struct wish_list *list);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* One group of an open settings file: which keys it knows, and their values. */
#ifndef HSMUX_CORE_BASE_SCOPE_H
#define HSMUX_CORE_BASE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <libconfig.h>

#include "core/base/settings.h"

/* What a key holds. SETTING_LATER: a key of the documented format that this version refuses. */
enum setting_type {
	SETTING_STRING,
	SETTING_INT,
	SETTING_BOOL,
	SETTING_GROUP,
	SETTING_LIST,
	SETTING_WORDS, /* a string, or a list of strings */
	SETTING_LATER,
};

/* One key that a group knows. */
struct setting_key {
	const char *name;
	enum setting_type type;
	bool is_required;
};

/* One word that a key can have; `is_later` words are refused by this version. */
struct setting_word {
	const char *word;
	bool is_later;
};

/* A group of the file and how messages call it ("module \"softhsm\""). */
#define SCOPE_WHAT_LEN 200
struct scope {
	struct settings *settings;     /* borrowed */
	const config_setting_t *group; /* borrowed from settings */
	char what[SCOPE_WHAT_LEN];     /* empty for the file itself */
};

/* The scope of the file itself. */
void scope_root(struct scope *scope, struct settings *s);

/* The scope of `group`, called KIND "NAME" after its string `name_key`, KIND and its `position`
 * when that is missing, or just KIND when `name_key` is NULL; with what `outer` is called before
 * it. */
void scope_init(struct scope *scope, const struct scope *outer, const config_setting_t *group,
		const char *kind, const char *name_key, size_t position);

/* Adds "WHAT: text" for the line of `setting` (NULL: of the group). */
void scope_error(const struct scope *scope, const config_setting_t *setting, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Reports keys that `keys` does not know, has for later, or with another type, and required ones
 * that are missing. To be called before the functions below, which treat a value of the wrong type
 * as absent and do not report it again. */
void scope_keys(const struct scope *scope, const struct setting_key *keys, size_t count);

/* The list, or group, of that name; NULL when absent or of another type. */
const config_setting_t *scope_list(const struct scope *scope, const char *key);
const config_setting_t *scope_group(const struct scope *scope, const char *key);

/* Element `i` of a list, which must be a group: others are reported as KIND and their position, and
 * NULL. */
const config_setting_t *scope_element(const struct scope *scope, const config_setting_t *list,
				      size_t i, const char *kind);

/* A zeroed array of `size` bytes for each element of a list, owned by the caller, and their *count;
 * NULL with *count 0 for an absent or empty list, or (reported) when memory is out. */
void *scope_array(const struct scope *scope, const config_setting_t *list, size_t size,
		  size_t *count);

/* The string, in a configuration with ${VAR} replaced, owned by the caller; NULL when absent or in
 * error. */
char *scope_string(const struct scope *scope, const char *key);

/* As scope_string, for any string setting of the file. */
char *scope_expand(const struct scope *scope, const config_setting_t *setting);

/* As scope_string, for a name: [a-z0-9_-]+. */
char *scope_name(const struct scope *scope, const char *key);

/* The integer; false when absent or outside min..max. */
bool scope_int(const struct scope *scope, const char *key, long long min, long long max,
	       long long *value);

/* The integer, from min..max within 0..UINT_MAX; `absent` when absent or in error. */
unsigned scope_unsigned(const struct scope *scope, const char *key, long long min, long long max,
			unsigned absent);

/* The boolean, or `absent`. */
bool scope_bool(const struct scope *scope, const char *key, bool absent);

/* Index of the key's word in `words`; `absent` when absent or in error. */
size_t scope_word(const struct scope *scope, const char *key, const struct setting_word *words,
		  size_t count, size_t absent);

/* Reports that memory is out. */
void scope_no_memory(const struct scope *scope);

/* Text from a file made fit for a message: as utf8_show makes it. */
#define SETTING_SHOWN_LEN 80
const char *setting_shown(const char *text, char shown[static SETTING_SHOWN_LEN]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Scope: one group of a settings file.
 *
 * A table of keys per group answers which keys exist, their types, and which come in later
 * versions; the getters then only read. What the environment supplied for ${VAR} is never put into
 * a message, since it may be a secret; the text of the file may be. */
#include "core/base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/near.h"
#include "core/base/utf8.h"

const char *setting_shown(const char *text, char shown[static SETTING_SHOWN_LEN])
{
	utf8_show(text, shown, SETTING_SHOWN_LEN);
	return shown;
}

void scope_error(const struct scope *scope, const config_setting_t *setting, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* a long message may be cut */
	va_end(args);
	settings_error(scope->settings, settings_line(setting != NULL ? setting : scope->group),
		       "%s%s%s", scope->what, scope->what[0] != '\0' ? ": " : "", text);
}

void scope_no_memory(const struct scope *scope)
{
	settings_error(scope->settings, 0, "out of memory");
}

void scope_root(struct scope *scope, struct settings *s)
{
	scope->settings = s;
	scope->group = config_root_setting(&s->tree);
	scope->what[0] = '\0';
}

void scope_init(struct scope *scope, const struct scope *outer, const config_setting_t *group,
		const char *kind, const char *name_key, size_t position)
{
	const char *sep = outer->what[0] != '\0' ? ": " : "";
	const char *name = NULL;
	char shown[SETTING_SHOWN_LEN];

	scope->settings = outer->settings;
	scope->group = group;
	/* Names cut here only make the message shorter. */
	if (name_key == NULL)
		(void)snprintf(scope->what, sizeof(scope->what), "%.99s%s%s", outer->what, sep,
			       kind);
	else if (config_setting_lookup_string(group, name_key, &name) == CONFIG_TRUE)
		(void)snprintf(scope->what, sizeof(scope->what), "%.99s%s%s \"%s\"", outer->what,
			       sep, kind, setting_shown(name, shown));
	else
		(void)snprintf(scope->what, sizeof(scope->what), "%.99s%s%s %zu", outer->what, sep,
			       kind, position);
}

/* The keys of a group, as near_word() wants them. */
struct keys {
	const struct setting_key *keys;
	size_t count;
};

static const char *key_at(size_t i, const void *context)
{
	const struct keys *keys = context;

	return i < keys->count ? keys->keys[i].name : NULL;
}

/* Reports a key that is in no table: the nearest one, or all. */
static void unknown_key(const struct scope *scope, const config_setting_t *setting,
			const struct setting_key *keys, size_t count)
{
	const char *name = config_setting_name(setting);
	const struct keys known = {keys, count};
	const char *near = near_word(name, key_at, &known);
	char shown[SETTING_SHOWN_LEN];
	char all[256] = "";
	size_t len = 0;

	setting_shown(name, shown);
	if (near != NULL) {
		scope_error(scope, setting, "unknown key \"%s\": did you mean \"%s\"?", shown,
			    near);
		return;
	}
	for (size_t i = 0; i < count && len < sizeof(all); i++) {
		if (keys[i].type == SETTING_LATER)
			continue;
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "",
					keys[i].name);
	}
	scope_error(scope, setting, "unknown key \"%s\": expected one of %s", shown, all);
}

/* What a value of this type looks like, for messages. */
static const char *type_wanted(enum setting_type type)
{
	switch (type) {
	case SETTING_STRING:
		return "a string in quotes";
	case SETTING_INT:
		return "a whole number";
	case SETTING_BOOL:
		return "true or false";
	case SETTING_GROUP:
		return "a group { ... }";
	case SETTING_LIST:
		return "a list ( ... )";
	case SETTING_WORDS:
		return "a string, or a list of strings [ ... ]";
	case SETTING_LATER:
		break;
	}
	return "nothing";
}

static bool has_type(const config_setting_t *setting, enum setting_type type)
{
	int actual = config_setting_type(setting);

	switch (type) {
	case SETTING_STRING:
		return actual == CONFIG_TYPE_STRING;
	case SETTING_INT:
		return actual == CONFIG_TYPE_INT || actual == CONFIG_TYPE_INT64;
	case SETTING_BOOL:
		return actual == CONFIG_TYPE_BOOL;
	case SETTING_GROUP:
		return actual == CONFIG_TYPE_GROUP;
	case SETTING_LIST:
		return actual == CONFIG_TYPE_LIST || actual == CONFIG_TYPE_ARRAY;
	case SETTING_WORDS:
		return actual == CONFIG_TYPE_STRING || actual == CONFIG_TYPE_LIST ||
		       actual == CONFIG_TYPE_ARRAY;
	case SETTING_LATER:
		break;
	}
	return false;
}

/* Reports what is wrong with one key of the group, if anything. */
static void check_key(const struct scope *scope, const config_setting_t *setting,
		      const struct setting_key *keys, size_t count)
{
	const char *name = config_setting_name(setting);
	size_t i = 0;

	while (i < count && strcmp(keys[i].name, name) != 0)
		i++;
	if (i == count)
		unknown_key(scope, setting, keys, count);
	else if (keys[i].type == SETTING_LATER)
		scope_error(scope, setting,
			    "key \"%s\" is not supported by this version: remove it", name);
	else if (!has_type(setting, keys[i].type))
		scope_error(scope, setting, "key \"%s\" has the wrong type: expected %s", name,
			    type_wanted(keys[i].type));
}

void scope_keys(const struct scope *scope, const struct setting_key *keys, size_t count)
{
	unsigned present = (unsigned)config_setting_length(scope->group);

	for (unsigned i = 0; i < present; i++)
		check_key(scope, config_setting_get_elem(scope->group, i), keys, count);
	for (size_t i = 0; i < count; i++) {
		if (keys[i].is_required &&
		    config_setting_get_member(scope->group, keys[i].name) == NULL)
			scope_error(scope, NULL, "key \"%s\" is missing: expected %s", keys[i].name,
				    type_wanted(keys[i].type));
	}
}

/* The member of that name and type, or NULL. */
static const config_setting_t *member(const struct scope *scope, const char *key,
				      enum setting_type type)
{
	const config_setting_t *setting = config_setting_get_member(scope->group, key);

	return setting != NULL && has_type(setting, type) ? setting : NULL;
}

const config_setting_t *scope_list(const struct scope *scope, const char *key)
{
	return member(scope, key, SETTING_LIST);
}

const config_setting_t *scope_group(const struct scope *scope, const char *key)
{
	return member(scope, key, SETTING_GROUP);
}

const config_setting_t *scope_element(const struct scope *scope, const config_setting_t *list,
				      size_t i, const char *kind)
{
	const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

	if (config_setting_type(group) == CONFIG_TYPE_GROUP)
		return group;
	scope_error(scope, group, "%s %zu has the wrong type: expected a group { ... }", kind,
		    i + 1);
	return NULL;
}

void *scope_array(const struct scope *scope, const config_setting_t *list, size_t size,
		  size_t *count)
{
	int length = list != NULL ? config_setting_length(list) : 0;
	void *array;

	*count = 0;
	if (length <= 0)
		return NULL;
	array = calloc((size_t)length, size);
	if (array == NULL)
		scope_no_memory(scope);
	else
		*count = (size_t)length;
	return array;
}

/* The value of the variable at `*p` (behind "${"); moves `*p` behind its "}". NULL: an error. */
static const char *variable(const struct scope *scope, const config_setting_t *setting,
			    const char **p)
{
	const char *end = strchr(*p, '}');
	char name[SETTING_SHOWN_LEN];
	const char *value;
	size_t len;

	if (end == NULL) {
		scope_error(scope, setting,
			    "\"${\" has no end: expected ${NAME}, or $${ for the text itself");
		return NULL;
	}
	len = (size_t)(end - *p);
	if (len == 0 || len >= sizeof(name)) {
		scope_error(scope, setting, "\"${}\" has no usable name: expected ${NAME}");
		return NULL;
	}
	memcpy(name, *p, len);
	name[len] = '\0';
	*p = end + 1;
	/* In a setuid program the environment is the attacker's: it must not name a library. */
	value = secure_getenv(name);
	if (value == NULL) {
		char shown[SETTING_SHOWN_LEN];

		scope_error(scope, setting,
			    "variable ${%s} is not set: expected it in the environment",
			    setting_shown(name, shown));
	}
	return value;
}

/* Appends the text with its variables replaced; false after a report. One pass, because another
 * thread may change the environment between two. */
static bool expand_to(const struct scope *scope, const config_setting_t *setting, struct buf *out)
{
	const char *p = config_setting_get_string(setting);
	bool ok = true;

	while (ok && *p != '\0') {
		const char *piece = p;

		if (strncmp(p, "$${", 3) == 0) {
			ok = buf_add(out, "${", 2);
			p += 3;
		} else if (strncmp(p, "${", 2) == 0) {
			p += 2;
			piece = variable(scope, setting, &p);
			if (piece == NULL)
				return false;
			ok = buf_add(out, piece, strlen(piece));
		} else {
			ok = buf_add(out, p, 1);
			p++;
		}
	}
	ok = ok && buf_add(out, "", 1);
	if (!ok)
		scope_no_memory(scope);
	return ok;
}

char *scope_expand(const struct scope *scope, const config_setting_t *setting)
{
	struct buf text = {0};
	char *literal;

	if (scope->settings->kind == SETTINGS_DATA) {
		literal = strdup(config_setting_get_string(setting));
		if (literal == NULL)
			scope_no_memory(scope);
		return literal;
	}
	/* The block becomes an ordinary string of the caller's. */
	if (expand_to(scope, setting, &text))
		return (char *)text.data;
	buf_free(&text);
	return NULL;
}

char *scope_string(const struct scope *scope, const char *key)
{
	const config_setting_t *setting = member(scope, key, SETTING_STRING);

	return setting != NULL ? scope_expand(scope, setting) : NULL;
}

char *scope_name(const struct scope *scope, const char *key)
{
	const config_setting_t *setting = member(scope, key, SETTING_STRING);
	char *name = scope_string(scope, key);
	char shown[SETTING_SHOWN_LEN];

	if (name == NULL || (name[0] != '\0' &&
			     name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0'))
		return name;
	free(name);
	scope_error(scope, setting,
		    "%s \"%s\" is not a name: expected letters a-z, digits, \"_\" and \"-\"", key,
		    setting_shown(config_setting_get_string(setting), shown));
	return NULL;
}

bool scope_int(const struct scope *scope, const char *key, long long min, long long max,
	       long long *value)
{
	const config_setting_t *setting = member(scope, key, SETTING_INT);
	long long n;

	if (setting == NULL)
		return false;
	n = config_setting_get_int64(setting);
	if (n < min || n > max) {
		if (min == max)
			scope_error(scope, setting, "%s is %lld: expected %lld", key, n, min);
		else
			scope_error(scope, setting,
				    "%s is %lld: expected a number from %lld to %lld", key, n, min,
				    max);
		return false;
	}
	*value = n;
	return true;
}

unsigned scope_unsigned(const struct scope *scope, const char *key, long long min, long long max,
			unsigned absent)
{
	long long n = absent;

	(void)scope_int(scope, key, min, max, &n); /* absent or reported: n stays */
	return (unsigned)n;
}

bool scope_bool(const struct scope *scope, const char *key, bool absent)
{
	const config_setting_t *setting = member(scope, key, SETTING_BOOL);

	return setting != NULL ? config_setting_get_bool(setting) == CONFIG_TRUE : absent;
}

/* Reports a word that this version does not take, with those that it does. */
static void bad_word(const struct scope *scope, const char *key, bool is_later,
		     const struct setting_word *words, size_t count)
{
	const config_setting_t *setting = member(scope, key, SETTING_STRING);
	char shown[SETTING_SHOWN_LEN];
	char all[200] = "";
	size_t len = 0;

	for (size_t i = 0; i < count && len < sizeof(all); i++) {
		if (words[i].is_later)
			continue;
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s\"%s\"",
					len > 0 ? ", " : "", words[i].word);
	}
	scope_error(scope, setting, "%s \"%s\" is %s: expected %s", key,
		    setting_shown(config_setting_get_string(setting), shown),
		    is_later ? "not supported by this version" : "not known", all);
}

size_t scope_word(const struct scope *scope, const char *key, const struct setting_word *words,
		  size_t count, size_t absent)
{
	char *text = scope_string(scope, key);
	size_t i = 0;

	if (text == NULL)
		return absent;
	while (i < count && strcmp(words[i].word, text) != 0)
		i++;
	if (i == count || words[i].is_later) {
		bad_word(scope, key, i < count, words, count);
		i = absent;
	}
	free(text);
	return i;
}

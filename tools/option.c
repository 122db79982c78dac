/* SPDX-License-Identifier: BSD-2-Clause */
/* Option: the table of options and how one is read. Which command takes which is said in hsmux.c;
 * what a value means, by the command. */
#include "tools/option.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct tool_options, field)

/* clang-format off */
const struct option option_table[] = {
	{"--wait", "SECONDS", OPTION_WAIT, OPTION_TAKES_SECONDS, AT(wait_s),
	 "member: how long processes may take to follow (30)"},
	{"--force", "", OPTION_FORCE, OPTION_TAKES_NOTHING, AT(force),
	 "member drain: the last member, too"},
	{"--watch", "[SECONDS]", OPTION_WATCH, OPTION_TAKES_SECONDS_OR_NOTHING, AT(watch_s),
	 "status: print it again every 2, or so many, seconds"},
	{"--pin-source", "SOURCE", OPTION_PIN, OPTION_TAKES_TEXT, AT(pin_source),
	 "the PIN: file:PATH, env:NAME or credential:NAME"},
	{"--so-pin-source", "[MEMBER=]SOURCE", OPTION_SO_PIN, OPTION_TAKES_TEXTS, AT(so_pin_source),
	 "kek: the same for the security officer's PIN, of all members or of one"},
	{"--no-trust", "", OPTION_NO_TRUST, OPTION_TAKES_NOTHING, AT(no_trust),
	 "kek: without the security officer"},
	{"--again", "", OPTION_AGAIN, OPTION_TAKES_NOTHING, AT(again),
	 "key routes: try all ways anew"},
	{"--components", "", OPTION_COMPONENTS, OPTION_TAKES_NOTHING, AT(components),
	 "kek install: a key of two components, which are typed"},
	{"--component-source", "SOURCE", OPTION_COMPONENTS, OPTION_TAKES_TEXTS, AT(component_source),
	 "kek install: the same, from two sources"},
	{"--label", "LABEL", OPTION_LABEL, OPTION_TAKES_TEXT, AT(label), "key: the one of this label"},
	{"--id", "HEX", OPTION_ID, OPTION_TAKES_TEXT, AT(id), "key: the one of this CKA_ID"},
	{"--class", "CLASS", OPTION_CLASS, OPTION_TAKES_TEXT, AT(class),
	 "key: private, public, secret, certificate or data"},
	{"--type", "TYPE", OPTION_TYPE, OPTION_TAKES_TEXT, AT(type),
	 "key generate: rsa:3072, ec:P-256, ed25519, aes:256 ..."},
	{"--use", "USE,...", OPTION_USE, OPTION_TAKES_TEXT, AT(use),
	 "key generate: sign, decrypt, unwrap, derive (sign; AES: encrypt,decrypt)"},
	{"--new-label", "LABEL", OPTION_NEW_LABEL, OPTION_TAKES_TEXT, AT(new_label),
	 "key rotate: label of the successor"},
	{"--from", "TOKEN", OPTION_FROM, OPTION_TAKES_TEXT, AT(from),
	 "key import-from, move: the virtual token where the keys are"},
	{"--from-pin", "SOURCE", OPTION_FROM, OPTION_TAKES_TEXT, AT(from_pin),
	 "key import-from, move: the PIN of that token"},
	{"--all", "", OPTION_ALL, OPTION_TAKES_NOTHING, AT(all),
	 "key list: certificates and data, too; key import-from, move: every key"},
	{"--notes", "", OPTION_NOTES, OPTION_TAKES_NOTHING, AT(notes), "key list: with notes"},
	{"--dry-run", "", OPTION_DRY_RUN, OPTION_TAKES_NOTHING, AT(dry_run),
	 "key: say what would be done, and change nothing"},
	{"--leftovers", "", OPTION_LEFTOVERS, OPTION_TAKES_NOTHING, AT(leftovers),
	 "key sync: destroy what unfinished creations left, also those of other hosts"},
	{"--as-of", "DAY", OPTION_AS_OF, OPTION_TAKES_TEXT, AT(as_of),
	 "policy: as on that day, YYYY-MM-DD"},
	{"--table", "", OPTION_TABLE, OPTION_TAKES_NOTHING, AT(table),
	 "policy show: every mechanism, and the keys that it may use"},
	{"--yes", "", OPTION_YES, OPTION_TAKES_NOTHING, AT(yes), "key: do not ask"},
};
/* clang-format on */

const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

/* A day at the most. */
static bool read_seconds(const char *text, unsigned *seconds)
{
	char *end = NULL;
	unsigned long value;

	if (!isdigit((unsigned char)text[0]))
		return false;
	value = strtoul(text, &end, 10);
	*seconds = (unsigned)value;
	return *end == '\0' && value <= 86400;
}

const char *option_value(const char *name, int argc, char **argv, int *i)
{
	const char *word = argv[*i];
	size_t len = strlen(name);

	if (strncmp(word, name, len) != 0)
		return NULL;
	if (word[len] == '=')
		return word + len + 1;
	if (word[len] != '\0' || *i + 1 >= argc)
		return NULL;
	(*i)++;
	return argv[*i];
}

/* Its value may be missing: every two seconds then. */
static bool take_seconds_or_nothing(const char *name, unsigned *seconds, int argc, char **argv,
				    int *i)
{
	const bool has_value = strchr(argv[*i], '=') != NULL ||
			       (*i + 1 < argc && isdigit((unsigned char)argv[*i + 1][0]));

	*seconds = 2;
	return !has_value ||
	       (read_seconds(option_value(name, argc, argv, i), seconds) && *seconds > 0);
}

const struct option *option_find(const char *word)
{
	for (size_t k = 0; k < option_count; k++) {
		const struct option *o = &option_table[k];
		size_t len = strlen(o->name);

		if (strncmp(word, o->name, len) == 0 &&
		    (word[len] == '\0' || (word[len] == '=' && o->takes != OPTION_TAKES_NOTHING)))
			return o;
	}
	return NULL;
}

/* One more of several; false when there are too many. */
static bool take_one_more(struct tool_texts *texts, const char *value)
{
	if (value == NULL || texts->count >= TOOL_TEXTS)
		return false;
	texts->text[texts->count++] = value;
	return true;
}

bool option_take(const struct option *o, struct tool_options *options, int argc, char **argv,
		 int *i)
{
	void *to = (char *)options + o->at;
	const char *value;

	switch (o->takes) {
	case OPTION_TAKES_NOTHING:
		*(bool *)to = true;
		return true;
	case OPTION_TAKES_SECONDS_OR_NOTHING:
		return take_seconds_or_nothing(o->name, to, argc, argv, i);
	case OPTION_TAKES_SECONDS:
		value = option_value(o->name, argc, argv, i);
		options->has_wait = true;
		return value != NULL && read_seconds(value, to);
	case OPTION_TAKES_TEXTS:
		return take_one_more(to, option_value(o->name, argc, argv, i));
	case OPTION_TAKES_TEXT:
		break;
	}
	value = option_value(o->name, argc, argv, i);
	*(const char **)to = value;
	return value != NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux.conf: every message that a bad one gives, and files that are refused unread. */
#include "core/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A module and a token that are right, for files in which something else is wrong. */
#define VERSION "version = 1;\n"
#define MODULES "modules = ( { name = \"m\"; library = \"/m.so\"; } );\n"
#define MEMBER  "{ module = \"m\"; token = \"t\"; }"
#define TOKENS  "tokens = ( { label = \"x\"; members = ( " MEMBER " ); } );\n"

/* A file and its messages, without the file's name. */
struct bad {
	const char *name;
	const char *text;
	const char *messages[8];
};

static const struct bad bad_files[] = {
	{"an empty file",
	 "",
	 {"key \"version\" is missing: expected a whole number",
	  "key \"modules\" is missing: expected a list ( ... )",
	  "key \"tokens\" is missing: expected a list ( ... )"}},
	{"a syntax error",
	 VERSION "modules = (\n;",
	 {"3: syntax error: expected libconfig syntax (key = value;)"}},
	{"another version", "version = 2;\n" MODULES TOKENS, {"1: version is 2: expected 1"}},
	{"a version in quotes",
	 "version = \"1\";\n" MODULES TOKENS,
	 {"1: key \"version\" has the wrong type: expected a whole number"}},
	{"a number that libconfig would cut",
	 "version = 4294967297;\n" MODULES TOKENS,
	 {"1: number is too large: expected at most 2147483647, or an L behind it"}},
	{"a setting twice",
	 VERSION "version = 1;\n",
	 {"2: duplicate setting name: expected libconfig syntax (key = value;)"}},
	{"an include",
	 VERSION "  @include \"more.conf\"\n" MODULES TOKENS,
	 {"2: @include is not supported: expected all settings in one file"}},
	{"empty lists",
	 VERSION "modules = ();\ntokens = ();\n",
	 {"2: modules is empty: expected at least one module",
	  "3: tokens is empty: expected at least one token"}},
	{"an unknown key with a near one",
	 VERSION MODULES "tokens = ( { lable = \"x\"; label = \"x\"; members = ( " MEMBER
			 " ); } );\n",
	 {"3: token \"x\": unknown key \"lable\": did you mean \"label\"?"}},
	{"an unknown key far from all",
	 VERSION MODULES TOKENS "log = { colour = true; };\n",
	 {"4: log: unknown key \"colour\": expected one of level, syslog"}},
	{"keys of later versions of the file",
	 VERSION MODULES TOKENS "expose_members = true;\nhealth = {};\nretry = {};\npolicy = {};\n"
				"audit = {};\nstate = {};\n",
	 {"4: key \"expose_members\" is not supported by this version: remove it",
	  "5: key \"health\" is not supported by this version: remove it",
	  "6: key \"retry\" is not supported by this version: remove it",
	  "7: key \"policy\" is not supported by this version: remove it",
	  "8: key \"audit\" is not supported by this version: remove it",
	  "9: key \"state\" is not supported by this version: remove it"}},
	{"keys of later versions of modules",
	 VERSION "modules = ( { name = \"m\"; library = \"/m.so\";\ndeadline_ms = 1;\n"
		 "isolation = \"process\"; } );\n" TOKENS,
	 {"3: module \"m\": key \"deadline_ms\" is not supported by this version: remove it",
	  "4: module \"m\": isolation \"process\" is not supported by this version: expected "
	  "\"none\""}},
	{"keys of later versions of tokens",
	 VERSION MODULES
	 "tokens = ( { label = \"signing\";\nreplicate = \"all\";\nbalance = \"x\";\n"
	 "protect = \"kek\";\nkek = \"k\";\nfind = \"union\";\nlogin_linger_s = 1;\n"
	 "policy = \"p\";\nmembers = ( " MEMBER " ); } );\n",
	 {"4: token \"signing\": key \"replicate\" is not supported by this version: remove it",
	  "5: token \"signing\": key \"balance\" is not supported by this version: remove it",
	  "6: token \"signing\": key \"protect\" is not supported by this version: remove it",
	  "7: token \"signing\": key \"kek\" is not supported by this version: remove it",
	  "8: token \"signing\": key \"find\" is not supported by this version: remove it",
	  "9: token \"signing\": key \"login_linger_s\" is not supported by this version: remove "
	  "it",
	  "10: token \"signing\": key \"policy\" is not supported by this version: remove it"}},
	{"keys of later versions of members",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; members = ( { module = \"m\"; token = \"t\";\n"
	 "priority = 1;\nweight = 1;\nrole = \"active\";\npin = \"same\";\n"
	 "deadline_ms = 1; } ); } );\n",
	 {"4: token \"x\": member 1: key \"priority\" is not supported by this version: remove it",
	  "5: token \"x\": member 1: key \"weight\" is not supported by this version: remove it",
	  "6: token \"x\": member 1: key \"role\" is not supported by this version: remove it",
	  "7: token \"x\": member 1: key \"pin\" is not supported by this version: remove it",
	  "8: token \"x\": member 1: key \"deadline_ms\" is not supported by this version: remove "
	  "it"}},
	{"modes of later versions, with as many members as they need",
	 VERSION MODULES "tokens = ( { label = \"x\";\nmode = \"failover\"; members = ( { name = "
			 "\"a\"; module = \"m\"; "
			 "slot = 1; },\n{ name = \"b\"; module = \"m\"; slot = 2; } ); } );\n",
	 {"4: token \"x\": mode \"failover\" is not supported by this version: expected "
	  "\"passthrough\""}},
	{"an unknown mode",
	 VERSION MODULES "tokens = ( { label = \"x\"; mode = \"any\"; members = ( " MEMBER
			 " ); } );\n",
	 {"3: token \"x\": mode \"any\" is not known: expected \"passthrough\""}},
	{"two members in passthrough mode",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; members = ( { name = \"a\"; module = \"m\"; slot = 1; "
	 "}, { name = \"b\"; module = \"m\"; slot = 2; } ); } );\n",
	 {"3: token \"x\": has 2 members: expected exactly one in mode \"passthrough\""}},
	{"no member",
	 VERSION MODULES "tokens = ( { label = \"x\"; members = (); } );\n",
	 {"3: token \"x\": has 0 members: expected exactly one in mode \"passthrough\""}},
	{"a module without a name",
	 VERSION "modules = ( { library = \"/m.so\"; } );\n" TOKENS,
	 {"2: module 1: key \"name\" is missing: expected a string in quotes",
	  "3: token \"x\": member 1: unknown module \"m\": expected one of none, as no module has "
	  "a name"}},
	{"something that is no group",
	 VERSION "modules = ( { name = \"m\"; library = \"/m.so\"; }, 7 );\n" TOKENS,
	 {"2: module 2 has the wrong type: expected a group { ... }"}},
	{"a name with other letters",
	 VERSION
	 "modules = ( { name = \"m\"; library = \"/m.so\"; }, { name = \"My HSM\"; library = "
	 "\"/n.so\"; } );\n" TOKENS,
	 {"2: module \"My HSM\": name \"My HSM\" is not a name: expected letters a-z, digits, "
	  "\"_\" and "
	  "\"-\""}},
	{"a library that is a relative path",
	 VERSION "modules = ( { name = \"m\"; library = \"lib/m.so\"; } );\n" TOKENS,
	 {"2: module \"m\": library is neither absolute nor bare: expected /path/to/file.so, or "
	  "the name "
	  "of a file in " HSMUX_P11_MODULE_DIR}},
	{"a digest of the wrong length",
	 VERSION
	 "modules = ( { name = \"m\"; library = \"/m.so\"; sha256 = \"12ab\"; } );\n" TOKENS,
	 {"2: module \"m\": sha256 is not a digest: expected 64 hexadecimal digits"}},
	{"a digest of other letters",
	 VERSION
	 "modules = ( { name = \"m\"; library = \"/m.so\"; sha256 = "
	 "\"gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg\"; } );\n" TOKENS,
	 {"2: module \"m\": sha256 is not a digest: expected 64 hexadecimal digits"}},
	{"variables for a module that are no strings",
	 VERSION
	 "modules = ( { name = \"m\"; library = \"/m.so\"; env = { A = 1;\nB-C = \"v\"; }; } "
	 ");\n" TOKENS,
	 {"2: module \"m\": env \"A\" has the wrong type: expected a string in quotes",
	  "3: module \"m\": env \"B-C\" is no name of a variable: expected letters, digits and "
	  "\"_\""}},
	{"a variable that is not set",
	 VERSION
	 "modules = ( { name = \"m\"; library = \"/${HSMUX_TEST_UNSET}/m.so\"; } );\n" TOKENS,
	 {"2: module \"m\": variable ${HSMUX_TEST_UNSET} is not set: expected it in the "
	  "environment"}},
	{"a variable without an end",
	 VERSION "modules = ( { name = \"m\"; library = \"/${HOME/m.so\"; } );\n" TOKENS,
	 {"2: module \"m\": \"${\" has no end: expected ${NAME}, or $${ for the text itself"}},
	{"a variable without a name",
	 VERSION "modules = ( { name = \"m\"; library = \"/${}/m.so\"; } );\n" TOKENS,
	 {"2: module \"m\": \"${}\" has no usable name: expected ${NAME}"}},
	{"two modules of one name",
	 VERSION "modules = ( { name = \"m\"; library = \"/m.so\"; },\n{ name = \"m\"; library = "
		 "\"/n.so\"; "
		 "} );\n" TOKENS,
	 {"3: module \"m\": the name is used on line 2: expected another name"}},
	{"a member of no module",
	 VERSION
	 "modules = ( { name = \"m\"; library = \"/m.so\"; }, { name = \"n\"; library = \"/n.so\"; "
	 "} );\ntokens = ( { label = \"x\"; members = ( { name = \"a\"; module = \"o\"; token = "
	 "\"t\"; } ); } );\n",
	 {"3: token \"x\": member \"a\": unknown module \"o\": expected one of m, n"}},
	{"a member that selects nothing",
	 VERSION MODULES "tokens = ( { label = \"x\"; members = ( { module = \"m\"; } ); } );\n",
	 {"3: token \"x\": member 1: selects no token: expected \"token\" (its label), \"serial\" "
	  "or "
	  "\"slot\""}},
	{"numbers out of range",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; slot = -1; members = ( { module = \"m\"; slot = -1; "
	 "max_sessions = 1000001; } ); } );\n",
	 {"3: token \"x\": slot is -1: expected a number from 0 to 2147483647",
	  "3: token \"x\": member 1: slot is -1: expected a number from 0 to 9223372036854775807",
	  "3: token \"x\": member 1: max_sessions is 1000001: expected a number from 0 to "
	  "1000000"}},
	{"labels that do not fit",
	 VERSION MODULES "tokens = ( { label = \"123456789012345678901234567890123\"; members = ( "
			 "{ module = \"m\"; token = "
			 "\"\"; } ); },\n{ label = \"x \"; members = ( { module = \"m\"; serial = "
			 "\"12345678901234567\"; } ); "
			 "},\n{ label = \"a\\x01z\"; members = ( { module = \"m\"; slot = 1; } ); "
			 "},\n{ label = \"a\\xff\"; "
			 "members = ( { module = \"m\"; slot = 2; } ); } );\n",
	 {"3: token \"123456789012345678901234567890123\": label has 33 bytes: expected at most 32",
	  "3: token \"123456789012345678901234567890123\": member 1: token is empty: expected 1 to "
	  "32 "
	  "bytes",
	  "4: token \"x \": label ends with a blank: expected none, tokens pad with them",
	  "4: token \"x \": member 1: serial has 17 bytes: expected at most 16",
	  "5: token \"a?z\": label is not plain text: expected UTF-8 without control characters",
	  "6: token \"a?\": label is not plain text: expected UTF-8 without control "
	  "characters"}},
	{"two tokens of one label and slot",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; slot = 2; members = ( { module = \"m\"; slot = 1; } ); "
	 "},\n{ label = \"x\"; members = ( { module = \"m\"; slot = 2; } ); } );\n",
	 {"4: token \"x\": the label is used on line 3: expected another label",
	  "4: token \"x\": slot 2 is used on line 3 (without \"slot\" it is the position in the "
	  "list): "
	  "expected another number"}},
	{"one real token twice",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; members = ( { module = \"m\"; token = \"t\"; } ); },\n{ "
	 "label = \"y\"; members = ( { module = \"m\"; token = \"t\"; serial = \"1\"; } ); } "
	 ");\n",
	 {"4: token \"y\": member \"m\": the member on line 3 is the same real token: expected "
	  "each real "
	  "token once"}},
	{"a log of the wrong kind",
	 VERSION MODULES TOKENS "log = { level = \"loud\"; syslog = 1; };\n",
	 {"4: log: key \"syslog\" has the wrong type: expected true or false",
	  "4: log: level \"loud\" is not known: expected \"error\", \"warn\", \"info\", "
	  "\"debug\""}},
};

/* The message as it is listed above: without the file, and without the line where there is none. */
static void message(const struct diag *diag, size_t i, char *out, size_t out_len)
{
	const struct diag_line *l = &diag->lines[i];

	if (l->line > 0)
		(void)snprintf(out, out_len, "%u: %s", l->line, l->text);
	else
		(void)snprintf(out, out_len, "%s", l->text);
}

/* Compares all messages; prints what differs, as CUnit names only the line here. */
static void expect_messages(const struct bad *bad, const struct diag *diag)
{
	size_t expected = 0;

	while (expected < COUNT(bad->messages) && bad->messages[expected] != NULL)
		expected++;
	CU_ASSERT_EQUAL(diag->count, expected);
	for (size_t i = 0; i < diag->count; i++) {
		char text[1024];

		message(diag, i, text, sizeof text);
		if (i < expected && strcmp(text, bad->messages[i]) == 0)
			continue;
		printf("\n%s:\n  got      %s\n  expected %s\n", bad->name, text,
		       i < expected ? bad->messages[i] : "nothing");
		CU_FAIL("message differs");
	}
}

static void every_mistake_has_its_message(void)
{
	for (size_t i = 0; i < COUNT(bad_files); i++) {
		struct diag diag = {0};
		const char *file = files_write("bad.conf", bad_files[i].text, 0600);

		CU_ASSERT_PTR_NULL(config_parse(file, CONFIG_FROM_OPTION, &diag));
		expect_messages(&bad_files[i], &diag);
		diag_free(&diag);
	}
}

static void messages_name_file_and_line(void)
{
	struct diag diag = {0};
	const char *file = files_write("bad.conf", "version = 2;\n" MODULES TOKENS, 0600);
	char expected[600];
	char got[600];

	(void)snprintf(expected, sizeof expected, "%s:1: version is 2: expected 1", file);
	CU_ASSERT_PTR_NULL(config_parse(file, CONFIG_FROM_OPTION, &diag));
	CU_ASSERT_EQUAL_FATAL(diag.count, 1);
	diag_format(&diag, 0, got, sizeof got);
	CU_ASSERT_STRING_EQUAL(got, expected);
	diag_free(&diag);
}

static void expect_refused(const char *file, const char *why)
{
	struct diag diag = {0};

	CU_ASSERT_PTR_NULL(config_parse(file, CONFIG_FROM_ENV, &diag));
	CU_ASSERT_EQUAL_FATAL(diag.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(diag.lines[0].text, why));
	CU_ASSERT_STRING_EQUAL(diag.lines[0].file, file);
	diag_free(&diag);
}

static void a_file_that_others_can_write_is_refused(void)
{
	expect_refused(files_write("c", VERSION MODULES TOKENS, 0620),
		       "others can write it (mode 0620)");
	expect_refused(files_write("c", VERSION MODULES TOKENS, 0602),
		       "others can write it (mode 0602)");
}

static void a_file_of_another_user_is_refused(void)
{
	const char *file = files_write("c", VERSION MODULES TOKENS, 0600);

	if (chown(file, 12345, (gid_t)-1) != 0) {
		puts("skipped: only root can give a file to another user");
		return;
	}
	expect_refused(file, "belongs to user 12345");
}

static void what_is_no_file_is_refused(void)
{
	const char *file = files_write("c", "", 0600);

	(void)unlink(file);
	expect_refused(file, "cannot be opened");
	CU_ASSERT_EQUAL_FATAL(mkfifo(file, 0600), 0);
	expect_refused(file, "is not a regular file");
	expect_refused("/", "is not a regular file");
}

static void a_nul_byte_is_refused(void)
{
	const char *file = files_write("c", VERSION MODULES TOKENS, 0600);
	FILE *f = fopen(file, "a");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fputc('\0', f);
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
	expect_refused(file, "contains a NUL byte");
}

static const struct unit_test tests[] = {
	UNIT(every_mistake_has_its_message),
	UNIT(messages_name_file_and_line),
	UNIT(a_file_that_others_can_write_is_refused),
	UNIT(a_file_of_another_user_is_refused),
	UNIT(what_is_no_file_is_refused),
	UNIT(a_nul_byte_is_refused),
};

int main(void)
{
	int code;

	(void)files_begin();
	code = unit_run("core/config_errors", tests, COUNT(tests));
	files_end();
	return code;
}

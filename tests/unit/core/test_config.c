/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux.conf: what a good one becomes, and every message that a bad one gives. */
#include "core/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/vendor.h"
#include "tests/unit/base/fail_alloc.h"
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
	  "6: token \"a\xff\": label is not plain text: expected UTF-8 without control "
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

/* Reads a file that must be right; prints its messages when it is not. */
static struct config *good(const char *text)
{
	struct diag diag = {0};
	struct config *c =
		config_parse(files_write("good.conf", text, 0600), CONFIG_FROM_OPTION, &diag);

	for (size_t i = 0; i < diag.count; i++) {
		char line[1024];

		diag_format(&diag, i, line, sizeof line);
		puts(line);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(diag.count, 0);
	diag_free(&diag);
	return c;
}

static void defaults_are_filled_in(void)
{
	struct config *c = good(VERSION MODULES TOKENS);

	CU_ASSERT_EQUAL(c->source, CONFIG_FROM_OPTION);
	CU_ASSERT_EQUAL(c->module_count, 1);
	CU_ASSERT_STRING_EQUAL(c->modules[0].name, "m");
	CU_ASSERT_STRING_EQUAL(c->modules[0].library, "/m.so");
	CU_ASSERT_STRING_EQUAL(c->modules[0].vendor, "auto");
	CU_ASSERT_FALSE(c->modules[0].has_sha256);
	CU_ASSERT_FALSE(c->modules[0].private_copy);
	CU_ASSERT_PTR_NULL(c->modules[0].init_args);
	CU_ASSERT_EQUAL(c->modules[0].env_count, 0);
	CU_ASSERT_EQUAL(c->modules[0].line, 2);
	CU_ASSERT_EQUAL(c->token_count, 1);
	CU_ASSERT_STRING_EQUAL(c->tokens[0].label, "x");
	CU_ASSERT_EQUAL(c->tokens[0].slot, 1);
	CU_ASSERT_EQUAL(c->tokens[0].mode, CONFIG_MODE_PASSTHROUGH);
	CU_ASSERT_TRUE(c->tokens[0].relogin);
	CU_ASSERT_EQUAL(c->tokens[0].member_count, 1);
	CU_ASSERT_STRING_EQUAL(c->tokens[0].members[0].name, "m");
	CU_ASSERT_EQUAL(c->tokens[0].members[0].module, 0);
	CU_ASSERT_STRING_EQUAL(c->tokens[0].members[0].token, "t");
	CU_ASSERT_PTR_NULL(c->tokens[0].members[0].serial);
	CU_ASSERT_FALSE(c->tokens[0].members[0].has_slot);
	CU_ASSERT_EQUAL(c->tokens[0].members[0].max_sessions, 0);
	CU_ASSERT_EQUAL(c->log_level, LOG_LEVEL_WARN);
	CU_ASSERT_FALSE(c->log_syslog);
	CU_ASSERT_FALSE(c->discover);
	config_free(c);
}

static void every_key_is_read(void)
{
	struct config *c = good(
		VERSION
		"modules = (\n"
		"  { name = \"one\"; library = \"libone.so\"; init_args = \"configdir='x'\";\n"
		"    sha256 = "
		"\"00ff00000000000000000000000000000000000000000000000000000000AB10\";\n"
		"    env = { ONE = \"1\"; TWO = \"2\"; }; vendor = \"nss\"; isolation = \"none\"; "
		"},\n"
		"  { name = \"two\"; library = \"/two.so\"; private_copy = true; }\n"
		");\n"
		"tokens = (\n"
		"  { label = \"\xc3\xbc\"; slot = 0; mode = \"passthrough\"; relogin = false;\n"
		"    members = ( { name = \"a\"; module = \"two\"; token = \"t\"; serial = \"s\";\n"
		"      slot = 2305843009213693953L; max_sessions = 7; } ); }\n"
		");\n"
		"log = { level = \"debug\"; syslog = true; };\n");
	const struct config_module *one = &c->modules[0];
	const struct config_member *a = &c->tokens[0].members[0];

	CU_ASSERT_STRING_EQUAL(one->library, HSMUX_P11_MODULE_DIR "/libone.so");
	CU_ASSERT_STRING_EQUAL(one->init_args, "configdir='x'");
	CU_ASSERT_TRUE(one->has_sha256);
	CU_ASSERT_EQUAL(one->sha256[0], 0);
	CU_ASSERT_EQUAL(one->sha256[1], 0xff);
	CU_ASSERT_EQUAL(one->sha256[31], 0x10);
	CU_ASSERT_EQUAL_FATAL(one->env_count, 2);
	CU_ASSERT_STRING_EQUAL(one->env[0].name, "ONE");
	CU_ASSERT_STRING_EQUAL(one->env[1].value, "2");
	CU_ASSERT_STRING_EQUAL(one->vendor, "nss");
	CU_ASSERT_TRUE(c->modules[1].private_copy);
	CU_ASSERT_STRING_EQUAL(c->tokens[0].label, "\xc3\xbc");
	CU_ASSERT_EQUAL(c->tokens[0].slot, 0);
	CU_ASSERT_FALSE(c->tokens[0].relogin);
	CU_ASSERT_STRING_EQUAL(a->name, "a");
	CU_ASSERT_EQUAL(a->module, 1);
	CU_ASSERT_STRING_EQUAL(a->serial, "s");
	CU_ASSERT_TRUE(a->has_slot);
	CU_ASSERT_EQUAL(a->slot, 2305843009213693953UL);
	CU_ASSERT_EQUAL(a->max_sessions, 7);
	CU_ASSERT_EQUAL(c->log_level, LOG_LEVEL_DEBUG);
	CU_ASSERT_TRUE(c->log_syslog);
	config_free(c);
}

static void variables_are_replaced(void)
{
	struct config *c;

	(void)setenv("HSMUX_TEST_DIR", "/some ${where}", 1);
	c = good(VERSION
		 "modules = ( { name = \"m\"; library = \"${HSMUX_TEST_DIR}/m.so\"; init_args = "
		 "\"$ $$ $${X} $$${HSMUX_TEST_DIR\"; } );\n" TOKENS);
	CU_ASSERT_STRING_EQUAL(c->modules[0].library, "/some ${where}/m.so");
	CU_ASSERT_STRING_EQUAL(c->modules[0].init_args, "$ $$ ${X} $${HSMUX_TEST_DIR");
	config_free(c);
}

static void numbers_in_comments_and_strings_are_left_alone(void)
{
	config_free(good(
		"/* 4294967297\n@include \"x\" */ # 4294967297 \" \n// @include \"y\"\n" VERSION
		"modules = ( { name = \"m\"; library = \"/m.so\"; init_args = \"4294967297 \\\" "
		"@include 4294967297\"; } );\n" TOKENS));
}

static void tokens_with_one_serial_may_have_other_labels(void)
{
	/* openCryptoki gives every token the same serial number. */
	config_free(good(
		VERSION MODULES
		"tokens = ( { label = \"x\"; members = ( { module = \"m\"; token = \"a\"; serial = "
		"\"123\"; } ); }, { label = \"y\"; members = ( { module = \"m\"; token = \"b\"; "
		"serial = \"123\"; } ); } );\n"));
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

static void the_environment_is_asked_first(void)
{
	enum config_source source = CONFIG_EMBEDDED;

	(void)setenv("HSMUX_CONF", "/from/env", 1);
	CU_ASSERT_STRING_EQUAL(config_find("/from/args", &source), "/from/env");
	CU_ASSERT_EQUAL(source, CONFIG_FROM_ENV);
	(void)setenv("HSMUX_CONF", "", 1);
	CU_ASSERT_STRING_EQUAL(config_find("/from/args", &source), "/from/args");
	CU_ASSERT_EQUAL(source, CONFIG_FROM_ARGS);
	(void)unsetenv("HSMUX_CONF");
	CU_ASSERT_STRING_EQUAL(config_find("/from/args", &source), "/from/args");
	(void)config_find(NULL, &source);
	CU_ASSERT_EQUAL(source,
			access(HSMUX_CONF_FILE, F_OK) == 0 ? CONFIG_FROM_SYSTEM : CONFIG_EMBEDDED);
}

static void a_named_file_that_is_missing_is_an_error(void)
{
	struct diag diag = {0};

	(void)setenv("HSMUX_CONF", "/nonexistent/hsmux.conf", 1);
	CU_ASSERT_PTR_NULL(config_load(NULL, &diag));
	CU_ASSERT_EQUAL(diag.count, 1);
	(void)unsetenv("HSMUX_CONF");
	diag_free(&diag);
}

static void discovered_tokens_get_labels_of_their_own(void)
{
	static const char long_label[] = "0123456789012345678901234567890\xc3\xbc";
	struct config *c = good(VERSION MODULES TOKENS);
	const struct config_member *m;

	CU_ASSERT_TRUE(config_add_discovered(c, "found", "s1"));
	CU_ASSERT_TRUE(config_add_discovered(c, "found", "s2"));
	CU_ASSERT_TRUE(config_add_discovered(c, "found", "s3"));
	CU_ASSERT_TRUE(config_add_discovered(c, long_label + 1, "s4"));
	CU_ASSERT_TRUE(config_add_discovered(c, long_label + 1, "s5"));
	CU_ASSERT_TRUE(config_add_discovered(c, "", "s6"));
	CU_ASSERT_EQUAL_FATAL(c->token_count, 7);
	CU_ASSERT_STRING_EQUAL(c->tokens[6].label, "s6");
	CU_ASSERT_STRING_EQUAL(c->tokens[6].members[0].token, "");
	CU_ASSERT_STRING_EQUAL(c->tokens[1].label, "found");
	CU_ASSERT_STRING_EQUAL(c->tokens[2].label, "found-2");
	CU_ASSERT_STRING_EQUAL(c->tokens[3].label, "found-3");
	CU_ASSERT_STRING_EQUAL(c->tokens[4].label, long_label + 1);
	CU_ASSERT_STRING_EQUAL(c->tokens[5].label, "123456789012345678901234567890-2");
	CU_ASSERT_EQUAL(c->tokens[3].slot, 4);
	m = &c->tokens[3].members[0];
	CU_ASSERT_STRING_EQUAL(m->token, "found");
	CU_ASSERT_STRING_EQUAL(m->serial, "s3");
	CU_ASSERT_EQUAL(m->module, 0);
	config_free(c);
}

static void vendors_must_be_known(void)
{
	static char known_name[] = "known";
	struct vendor known = {.name = known_name};
	struct vendor_set set = {.vendors = &known, .count = 1};
	struct config *c =
		good(VERSION
		     "modules = ( { name = \"m\"; library = \"/m.so\"; vendor = \"known\"; },\n{ "
		     "name = \"n\"; library = \"/n.so\"; vendor = \"other\"; } );\n" TOKENS);
	struct diag diag = {0};

	CU_ASSERT_FALSE(config_check_vendors(c, &set, &diag));
	CU_ASSERT_EQUAL_FATAL(diag.count, 1);
	CU_ASSERT_EQUAL(diag.lines[0].line, 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(diag.lines[0].text, "vendor \"other\" is not known"));
	diag_free(&diag);
	config_free(c);
}

static void freeing_nothing_is_allowed(void)
{
	config_free(NULL);
	CU_ASSERT_STRING_EQUAL(config_mode_name(CONFIG_MODE_PASSTHROUGH), "passthrough");
}

/* A file with something of everything that is allocated. */
static const char everything[] = VERSION "modules = ( { name = \"m\"; library = \"m.so\"; "
					 "init_args = \"i\"; env = { A = \"1\"; }; } );\n"
					 "tokens = ( { label = \"x\"; members = ( { module = "
					 "\"m\"; token = \"t\"; serial = \"s\"; } ); } "
					 ");\n";

static void without_memory_nothing_is_half_read(void)
{
	const char *file = files_write("c", everything, 0600);
	struct config *c = NULL;
	unsigned long n = 0;

	while (c == NULL && n < 200) {
		struct diag diag = {0};

		n++;
		alloc_fail_at(n);
		c = config_parse(file, CONFIG_FROM_OPTION, &diag);
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(c == NULL, diag.count > 0);
		diag_free(&diag);
	}
	CU_ASSERT_PTR_NOT_NULL(c);
	CU_ASSERT_TRUE(n > 10);
	config_free(c);
}

static const struct unit_test tests[] = {
	UNIT(every_mistake_has_its_message),
	UNIT(messages_name_file_and_line),
	UNIT(defaults_are_filled_in),
	UNIT(every_key_is_read),
	UNIT(variables_are_replaced),
	UNIT(numbers_in_comments_and_strings_are_left_alone),
	UNIT(tokens_with_one_serial_may_have_other_labels),
	UNIT(a_file_that_others_can_write_is_refused),
	UNIT(a_file_of_another_user_is_refused),
	UNIT(what_is_no_file_is_refused),
	UNIT(a_nul_byte_is_refused),
	UNIT(the_environment_is_asked_first),
	UNIT(a_named_file_that_is_missing_is_an_error),
	UNIT(discovered_tokens_get_labels_of_their_own),
	UNIT(vendors_must_be_known),
	UNIT(freeing_nothing_is_allowed),
	UNIT(without_memory_nothing_is_half_read),
};

int main(void)
{
	int code;

	(void)files_begin();
	code = unit_run("core/config", tests, COUNT(tests));
	files_end();
	return code;
}

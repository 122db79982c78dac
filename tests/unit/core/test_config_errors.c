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

/* Members of many, with name and slot by number, and one with a PIN. */
#define NUMBERED(n)    "{ name = \"n" #n "\"; module = \"m\"; slot = " #n "; }"
#define PINNED(n, pin) "{ name = \"n" #n "\"; module = \"m\"; slot = " #n "; pin = \"" pin "\"; }"

/* Token `n` with that KEK. */
#define KEK(n, kek)                                                                                \
	"{ label = \"t" #n "\"; mode = \"failover\"; replicate = \"all\"; kek = \"" kek            \
	"\"; members = ( " NUMBERED(n) " ); }"
#define HEX33 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define NO_ID "kek names no CKA_ID: expected 1 to 32 bytes in hexadecimal behind \"id:\""

#define NO_SOURCE                                                                                  \
	"pin names no source: expected \"same\", \"file:PATH\", \"env:NAME\" or "                  \
	"\"credential:NAME\", never the PIN itself"
#define NO_VARIABLE "pin names no usable source: expected the name of a variable behind \"env:\""
#define NO_CREDENTIAL                                                                              \
	"pin names no usable source: expected a name without \"/\" behind \"credential:\""

/* clang-format off */
#define NINE_MEMBERS                                                                               \
	NUMBERED(1) "," NUMBERED(2) "," NUMBERED(3) "," NUMBERED(4) "," NUMBERED(5) ","            \
	NUMBERED(6) "," NUMBERED(7) "," NUMBERED(8) "," NUMBERED(9)
/* One a line. */
#define BAD_SOURCES                                                                                \
	PINNED(1, "1234") ",\n" PINNED(2, "file:relative") ",\n" PINNED(3, "env:") ",\n"           \
	PINNED(4, "env:1X") ",\n" PINNED(5, "env:A-B") ",\n" PINNED(6, "credential:a/b") ",\n"     \
	PINNED(7, "credential:..") ",\n" PINNED(8, "")
/* clang-format on */

/* A file and its messages, without the file's name. */
struct bad {
	const char *name;
	const char *text;
	const char *messages[12];
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
	 VERSION MODULES TOKENS "expose_members = true;\npolicy = {};\naudit = {};\n",
	 {"4: key \"expose_members\" is not supported by this version: remove it",
	  "5: key \"policy\" is not supported by this version: remove it",
	  "6: key \"audit\" is not supported by this version: remove it"}},
	{"keys of later versions of modules",
	 VERSION "modules = ( { name = \"m\"; library = \"/m.so\";\ndeadline_ms = 1;\n"
		 "isolation = \"process\"; } );\n" TOKENS,
	 {"3: module \"m\": key \"deadline_ms\" is not supported by this version: remove it",
	  "4: module \"m\": isolation \"process\" is not supported by this version: expected "
	  "\"none\""}},
	{"keys of later versions of tokens",
	 VERSION MODULES "tokens = ( { label = \"signing\";\nlogin_linger_s = 1;\n"
			 "policy = \"p\";\nmembers = ( " MEMBER " ); } );\n",
	 {"4: token \"signing\": key \"login_linger_s\" is not supported by this version: remove "
	  "it",
	  "5: token \"signing\": policy \"p\" is not known: expected the name of a built-in policy "
	  "(hsmux policy list) or /path/to/policy.conf"}},
	{"replication where there is none",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; slot = 1; replicate = \"all\"; members = ( { module = "
	 "\"m\"; slot = 1; } ); },\n{ label = \"y\"; mode = \"failover\"; protect = \"kek\";\n"
	 "kek = \"k\"; members = ( { module = \"m\"; slot = 2; } ); },\n{ label = \"z\"; mode = "
	 "\"failover\"; replicate = \"some\"; members = ( { module = \"m\"; slot = 3; } ); } );\n",
	 {"3: token \"x\": replicate has no meaning in mode \"passthrough\": expected \"none\"",
	  "4: token \"y\": protect has no meaning with replicate = \"none\": expected it where "
	  "keys are replicated",
	  "5: token \"y\": kek has no meaning with replicate = \"none\": expected it where keys "
	  "are replicated",
	  "6: token \"z\": replicate \"some\" is not known: expected \"none\", \"all\", "
	  "\"majority\", \"first\""}},
	{"names that are no KEK's",
	 VERSION MODULES
	 "tokens = (" KEK(1, "") ",\n" KEK(2, "id:") ",\n" KEK(3, "id:abc") ",\n" KEK(4, "id:0g") ",\n" KEK(
		 5, "id:" HEX33) ",\n" KEK(6,
					   "12345678901234567890123456789012"
					   "3") ",\n" KEK(7,
							  "hsmux-k-1") ","
								       "\n" KEK(
									       8,
									       "hsmux-kek-"
									       "2") ","
										    "\n" KEK(
											    9,
											    "a\\x0"
											    "1") " "
												 ")"
												 ";"
												 "\n",
	 {"3: token \"t1\": kek is empty: expected 1 to 32 bytes", "4: token \"t2\": " NO_ID,
	  "5: token \"t3\": " NO_ID, "6: token \"t4\": " NO_ID, "7: token \"t5\": " NO_ID,
	  "8: token \"t6\": kek has 33 bytes: expected at most 32",
	  "9: token \"t7\": kek begins with \"hsmux-\": expected another label, or one that begins "
	  "with \"hsmux-kek\"",
	  "11: token \"t9\": kek is not plain text: expected UTF-8 without control characters"}},
	{"keys of later versions of members",
	 VERSION MODULES "tokens = ( { label = \"x\"; members = ( { module = \"m\"; token = "
			 "\"t\";\ndeadline_ms = 1; } ); } );\n",
	 {"4: token \"x\": member 1: key \"deadline_ms\" is not supported by this version: remove "
	  "it"}},
	{"an unknown mode, whose members cannot be judged",
	 VERSION MODULES "tokens = ( { label = \"x\"; mode = \"any\"; balance = \"round-robin\"; "
			 "members = ( { name = \"a\"; module = \"m\"; slot = 1; }, { name = \"b\"; "
			 "module = \"m\"; slot = 2; } ); } );\n",
	 {"3: token \"x\": mode \"any\" is not known: expected \"passthrough\", \"failover\", "
	  "\"balanced\", \"capability\""}},
	{"balance in another mode",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; balance = \"least-loaded\"; members = ( " MEMBER " ); },\n"
	 "{ label = \"y\"; mode = \"failover\"; balance = \"random\"; members = ( { module = "
	 "\"m\"; slot = 1; } ); } );\n",
	 {"3: token \"x\": balance has no meaning in mode \"passthrough\": expected it in mode "
	  "\"balanced\" only",
	  "4: token \"y\": balance \"random\" is not known: expected \"least-loaded\", "
	  "\"round-robin\"",
	  "4: token \"y\": balance has no meaning in mode \"failover\": expected it in mode "
	  "\"balanced\" only"}},
	{"an unknown way to find",
	 VERSION MODULES "tokens = ( { label = \"x\"; find = \"all\"; members = ( " MEMBER
			 " ); } );\n",
	 {"3: token \"x\": find \"all\" is not known: expected \"union\", \"first\""}},
	{"no member in failover mode",
	 VERSION MODULES "tokens = ( { label = \"x\"; mode = \"failover\"; members = (); } );\n",
	 {"3: token \"x\": has 0 members: expected 1 to 8 in mode \"failover\""}},
	{"nine members in balanced mode",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; mode = \"balanced\";\nmembers = ( " NINE_MEMBERS " ); } );\n",
	 {"4: token \"x\": has 9 members: expected 1 to 8 in mode \"balanced\""}},
	{"two members of one name",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; mode = \"failover\"; members = ( { module = \"m\"; slot = "
	 "1; },\n{ module = \"m\"; slot = 2; } ); } );\n",
	 {"4: token \"x\": member \"m\": the name is used on line 3: expected another name"}},
	{"one real token twice in one virtual token",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; mode = \"failover\"; members = ( { name = \"a\"; module = "
	 "\"m\"; slot = 1; },\n{ name = \"b\"; module = \"m\"; slot = 1; } ); } );\n",
	 {"4: token \"x\": member \"b\": the member on line 3 is the same real token: expected "
	  "each real token once"}},
	{"nothing but fallbacks",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; mode = \"failover\";\nmembers = ( { name = \"a\"; module = "
	 "\"m\"; slot = 1; role = \"fallback\"; }, { name = \"b\"; module = \"m\"; slot = 2; role "
	 "= \"fallback\"; } ); },\n{ label = \"y\"; members = ( { module = \"m\"; slot = 3; role "
	 "= \"fallback\"; } ); } );\n",
	 {"4: token \"x\": no member may make objects: expected at least one whose role is not "
	  "\"fallback\"",
	  "5: token \"y\": no member may make objects: expected at least one whose role is not "
	  "\"fallback\""}},
	{"members with values out of range",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; members = ( { module = \"m\"; slot = 1;\npriority = "
	 "0;\nweight = 1001;\nrole = \"spare\";\npin = 1234; } ); } );\n",
	 {"4: token \"x\": member 1: priority is 0: expected a number from 1 to 1000",
	  "5: token \"x\": member 1: weight is 1001: expected a number from 1 to 1000",
	  "6: token \"x\": member 1: role \"spare\" is not known: expected \"active\", "
	  "\"standby\", \"fallback\"",
	  "7: token \"x\": member 1: key \"pin\" has the wrong type: expected a string in "
	  "quotes"}},
	{"sources of PINs that are none",
	 VERSION MODULES
	 "tokens = ( { label = \"x\"; mode = \"capability\"; members = (\n" BAD_SOURCES
	 " ); } );\n",
	 {"4: token \"x\": member \"n1\": " NO_SOURCE,
	  "5: token \"x\": member \"n2\": pin names no usable source: expected an absolute path "
	  "behind \"file:\"",
	  "6: token \"x\": member \"n3\": " NO_VARIABLE,
	  "7: token \"x\": member \"n4\": " NO_VARIABLE,
	  "8: token \"x\": member \"n5\": " NO_VARIABLE,
	  "9: token \"x\": member \"n6\": " NO_CREDENTIAL,
	  "10: token \"x\": member \"n7\": " NO_CREDENTIAL,
	  "11: token \"x\": member \"n8\": " NO_SOURCE}},
	{"health out of range",
	 VERSION MODULES TOKENS "health = {\ninterval_ms = 49;\nfailures = 0;\nopen_ms = 9;\n"
				"open_max_ms = 3600001;\n};\n",
	 {"5: health: interval_ms is 49: expected a number from 50 to 3600000",
	  "6: health: failures is 0: expected a number from 1 to 1000",
	  "7: health: open_ms is 9: expected a number from 10 to 3600000",
	  "8: health: open_max_ms is 3600001: expected a number from 10 to 3600000"}},
	{"pauses that shrink",
	 VERSION MODULES TOKENS "health = { open_ms = 700;\nopen_max_ms = 699; };\n",
	 {"5: health: open_max_ms is 699: expected at least open_ms (700)"}},
	{"a longest pause below the first by default",
	 VERSION MODULES TOKENS "health = { open_max_ms = 499; };\n",
	 {"4: health: open_max_ms is 499: expected at least open_ms (500)"}},
	{"retries out of range",
	 VERSION MODULES TOKENS "retry = { budget_ms = 0;\nattempts = 17; };\n",
	 {"4: retry: budget_ms is 0: expected a number from 1 to 600000",
	  "5: retry: attempts is 17: expected a number from 1 to 16"}},
	{"a state that is nowhere",
	 VERSION MODULES TOKENS "state = { directory = \"run/hsmux\"; journal = \"x\"; };\n",
	 {"4: state: directory is not absolute: expected /path/to/directory",
	  "4: state: journal is not absolute: expected /path/to/directory"}},
	{"unknown keys of health, retry and state",
	 VERSION MODULES TOKENS
	 "health = { intervall_ms = 1; };\nretry = 3;\nstate = { path = \"/d\"; };\n",
	 {"4: health: unknown key \"intervall_ms\": did you mean \"interval_ms\"?",
	  "5: key \"retry\" has the wrong type: expected a group { ... }",
	  "6: state: unknown key \"path\": expected one of directory, journal"}},
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

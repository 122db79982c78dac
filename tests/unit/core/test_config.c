/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux.conf: what a good one becomes, which one is used, and the tokens that are added later. */
#include "core/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
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

/* What the kernel says of this process; the program is linked around getauxval(). */
static bool is_secure;
unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);

unsigned long __wrap_getauxval(unsigned long type)
{
	return type == AT_SECURE ? is_secure : __real_getauxval(type);
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

/* What holds where a file says nothing. */
static void expect_defaults(const struct config *c)
{
	CU_ASSERT_EQUAL(c->health.interval_ms, 2000);
	CU_ASSERT_EQUAL(c->health.failures, 3);
	CU_ASSERT_EQUAL(c->health.open_ms, 500);
	CU_ASSERT_EQUAL(c->health.open_max_ms, 30000);
	CU_ASSERT_EQUAL(c->retry.budget_ms, 1000);
	CU_ASSERT_EQUAL(c->retry.attempts, 3);
	CU_ASSERT_PTR_NULL(c->state_directory);
	CU_ASSERT_EQUAL(c->log_level, LOG_LEVEL_WARN);
	CU_ASSERT_FALSE(c->log_syslog);
}

/* A member of which nothing is said but which token it is. */
static void expect_plain(const struct config_member *m)
{
	CU_ASSERT_EQUAL(m->priority, 1);
	CU_ASSERT_EQUAL(m->weight, 1);
	CU_ASSERT_EQUAL(m->role, CONFIG_ROLE_ACTIVE);
	CU_ASSERT_EQUAL(m->pin, CONFIG_PIN_SAME);
	CU_ASSERT_PTR_NULL(m->pin_where);
	CU_ASSERT_EQUAL(m->max_sessions, 0);
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
	CU_ASSERT_EQUAL(c->tokens[0].balance, CONFIG_BALANCE_LEAST_LOADED);
	CU_ASSERT_FALSE(c->tokens[0].find_first);
	expect_plain(&c->tokens[0].members[0]);
	expect_defaults(c);
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

static void members_are_read_in_every_mode(void)
{
	struct config *c = good(
		VERSION MODULES
		"tokens = (\n"
		"  { label = \"f\"; mode = \"failover\"; replicate = \"none\"; find = \"first\";\n"
		"    members = (\n"
		"      { name = \"a\"; module = \"m\"; slot = 1; priority = 1000; weight = 7; },\n"
		"      { name = \"b\"; module = \"m\"; slot = 2; role = \"standby\"; },\n"
		"      { name = \"c\"; module = \"m\"; slot = 3; role = \"fallback\"; } ); },\n"
		"  { label = \"b\"; mode = \"balanced\"; balance = \"round-robin\"; find = "
		"\"union\";\n"
		"    members = ( { module = \"m\"; slot = 4; } ); },\n"
		"  { label = \"l\"; mode = \"balanced\"; balance = \"least-loaded\";\n"
		"    members = ( { module = \"m\"; slot = 5; role = \"active\"; } ); },\n"
		"  { label = \"c\"; mode = \"capability\";\n"
		"    members = ( { module = \"m\"; slot = 6; } ); }\n"
		");\n");
	const struct config_token *t = c->tokens;

	CU_ASSERT_EQUAL(t[0].mode, CONFIG_MODE_FAILOVER);
	CU_ASSERT_TRUE(t[0].find_first);
	CU_ASSERT_EQUAL_FATAL(t[0].member_count, 3);
	CU_ASSERT_EQUAL(t[0].members[0].priority, 1000);
	CU_ASSERT_EQUAL(t[0].members[0].weight, 7);
	CU_ASSERT_EQUAL(t[0].members[1].role, CONFIG_ROLE_STANDBY);
	CU_ASSERT_EQUAL(t[0].members[1].priority, 1);
	CU_ASSERT_EQUAL(t[0].members[2].role, CONFIG_ROLE_FALLBACK);
	CU_ASSERT_EQUAL(t[1].mode, CONFIG_MODE_BALANCED);
	CU_ASSERT_EQUAL(t[1].balance, CONFIG_BALANCE_ROUND_ROBIN);
	CU_ASSERT_FALSE(t[1].find_first);
	CU_ASSERT_EQUAL(t[2].balance, CONFIG_BALANCE_LEAST_LOADED);
	expect_plain(&t[2].members[0]);
	CU_ASSERT_EQUAL(t[3].mode, CONFIG_MODE_CAPABILITY);
	config_free(c);
}

static void eight_members_are_as_many_as_there_can_be(void)
{
	char text[1024];
	size_t len = (size_t)snprintf(text, sizeof text, "%s",
				      VERSION MODULES "tokens = ( { label = \"x\"; mode = "
						      "\"failover\"; members = (");
	struct config *c;

	for (int i = 0; i < CONFIG_MAX_MEMBERS; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
					"%s{ name = \"n%d\"; module = \"m\"; slot = %d; }",
					i > 0 ? ", " : "", i, i);
	(void)snprintf(text + len, sizeof text - len, "); } );\n");
	c = good(text);
	CU_ASSERT_EQUAL(c->tokens[0].member_count, 8);
	config_free(c);
}

static void sources_of_pins_are_taken_apart(void)
{
	struct config *c;
	const struct config_member *m;

	(void)setenv("HSMUX_TEST_DIR", "/run/pins", 1);
	c = good(VERSION MODULES
		 "tokens = ( { label = \"x\"; mode = \"failover\"; members = (\n"
		 "  { name = \"a\"; module = \"m\"; slot = 1; pin = \"same\"; },\n"
		 "  { name = \"b\"; module = \"m\"; slot = 2; pin = \"file:${HSMUX_TEST_DIR}/b\"; "
		 "},\n"
		 "  { name = \"c\"; module = \"m\"; slot = 3; pin = \"env:_PIN_3\"; } ); },\n"
		 "  { label = \"y\"; members = ( { module = \"m\"; slot = 4; pin = "
		 "\"credential:y.pin\"; } ); } );\n");
	m = c->tokens[0].members;
	CU_ASSERT_EQUAL(m[0].pin, CONFIG_PIN_SAME);
	CU_ASSERT_PTR_NULL(m[0].pin_where);
	CU_ASSERT_EQUAL(m[1].pin, CONFIG_PIN_FILE);
	CU_ASSERT_STRING_EQUAL(m[1].pin_where, "/run/pins/b");
	CU_ASSERT_EQUAL(m[2].pin, CONFIG_PIN_ENV);
	CU_ASSERT_STRING_EQUAL(m[2].pin_where, "_PIN_3");
	m = c->tokens[1].members;
	CU_ASSERT_EQUAL(m[0].pin, CONFIG_PIN_CREDENTIAL);
	CU_ASSERT_STRING_EQUAL(m[0].pin_where, "y.pin");
	config_free(c);
}

static void health_retry_and_state_are_read(void)
{
	struct config *c;

	(void)setenv("HSMUX_TEST_DIR", "/run/pins", 1);
	c = good(VERSION MODULES TOKENS
		 "health = { interval_ms = 50; failures = 1000; open_ms = 10; "
		 "open_max_ms = 10; };\n"
		 "retry = { budget_ms = 600000; attempts = 16; };\n"
		 "state = { directory = \"${HSMUX_TEST_DIR}/state\"; };\n");

	CU_ASSERT_EQUAL(c->health.interval_ms, 50);
	CU_ASSERT_EQUAL(c->health.failures, 1000);
	CU_ASSERT_EQUAL(c->health.open_ms, 10);
	CU_ASSERT_EQUAL(c->health.open_max_ms, 10);
	CU_ASSERT_EQUAL(c->retry.budget_ms, 600000);
	CU_ASSERT_EQUAL(c->retry.attempts, 16);
	CU_ASSERT_STRING_EQUAL(c->state_directory, "/run/pins/state");
	config_free(c);
}

static void what_a_group_does_not_say_is_the_default(void)
{
	struct config *c = good(VERSION MODULES TOKENS "health = {};\nretry = {};\nstate = {};\n");

	expect_defaults(c);
	config_free(c);
}

static void the_longest_pause_is_never_below_the_first(void)
{
	struct config *c = good(VERSION MODULES TOKENS "health = { open_ms = 60000; };\n");

	CU_ASSERT_EQUAL(c->health.open_ms, 60000);
	CU_ASSERT_EQUAL(c->health.open_max_ms, 60000);
	config_free(c);
}

static void the_default_without_a_file_has_the_same_values(void)
{
	struct diag diag = {0};
	struct config *c = config_embedded(&diag);

	diag_free(&diag);
	if (c == NULL) {
		puts("skipped: no SoftHSM2 library is installed");
		return;
	}
	CU_ASSERT_TRUE(c->discover);
	expect_defaults(c);
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

static void a_setuid_process_gets_no_default(void)
{
	struct diag diag = {0};

	/* Whether SoftHSM2 is installed or not: the reason is the same. */
	is_secure = true;
	CU_ASSERT_PTR_NULL(config_embedded(&diag));
	is_secure = false;
	CU_ASSERT_EQUAL_FATAL(diag.count, 1);
	CU_ASSERT_STRING_EQUAL(
		diag.lines[0].text,
		"no configuration: a setuid or setgid process needs " HSMUX_CONF_FILE);
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
	CU_ASSERT_EQUAL(c->tokens[3].balance, CONFIG_BALANCE_LEAST_LOADED);
	CU_ASSERT_FALSE(c->tokens[3].find_first);
	expect_plain(m);
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
}

static void modes_have_their_names(void)
{
	CU_ASSERT_STRING_EQUAL(config_mode_name(CONFIG_MODE_PASSTHROUGH), "passthrough");
	CU_ASSERT_STRING_EQUAL(config_mode_name(CONFIG_MODE_FAILOVER), "failover");
	CU_ASSERT_STRING_EQUAL(config_mode_name(CONFIG_MODE_BALANCED), "balanced");
	CU_ASSERT_STRING_EQUAL(config_mode_name(CONFIG_MODE_CAPABILITY), "capability");
}

/* A file with something of everything that is allocated. */
static const char everything[] = VERSION "modules = ( { name = \"m\"; library = \"m.so\"; "
					 "init_args = \"i\"; env = { A = \"1\"; }; } );\n"
					 "tokens = ( { label = \"x\"; members = ( { module = "
					 "\"m\"; token = \"t\"; serial = \"s\"; pin = "
					 "\"file:/p\"; role = \"standby\"; } ); } "
					 ");\nstate = { directory = \"/d\"; };\n";

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
	UNIT(defaults_are_filled_in),
	UNIT(every_key_is_read),
	UNIT(members_are_read_in_every_mode),
	UNIT(eight_members_are_as_many_as_there_can_be),
	UNIT(sources_of_pins_are_taken_apart),
	UNIT(health_retry_and_state_are_read),
	UNIT(what_a_group_does_not_say_is_the_default),
	UNIT(the_longest_pause_is_never_below_the_first),
	UNIT(the_default_without_a_file_has_the_same_values),
	UNIT(variables_are_replaced),
	UNIT(numbers_in_comments_and_strings_are_left_alone),
	UNIT(tokens_with_one_serial_may_have_other_labels),
	UNIT(the_environment_is_asked_first),
	UNIT(a_named_file_that_is_missing_is_an_error),
	UNIT(a_setuid_process_gets_no_default),
	UNIT(discovered_tokens_get_labels_of_their_own),
	UNIT(vendors_must_be_known),
	UNIT(freeing_nothing_is_allowed),
	UNIT(modes_have_their_names),
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

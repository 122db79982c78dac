/* SPDX-License-Identifier: BSD-2-Clause */
/* Status: sums over processes, latencies, and how a member is printed when processes disagree. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/pool.h"
#include "tests/unit/unit.h"
#include "tools/status_facts.h"
#include "tools/status_print.h"
#include "tools/tool.h"

/* Two processes of which the second has lost the member. */
static struct state_process up_there = {.pid = 101, .program = "signer"};
static struct state_process down_there = {.pid = 102, .program = "web\033[31m"};
static struct state_usage is_up = {.state = "up",
				   .breaker = "closed",
				   .since_ms = 86400000,
				   .sessions = 3,
				   .busy = 1,
				   .calls = 10,
				   .errors = 1};
static struct state_usage is_down = {.state = "down",
				     .breaker = "open",
				     .reason = "C_Sign answered CKR_DEVICE_ERROR",
				     .since_ms = 172800000,
				     .sessions = 2,
				     .calls = 5,
				     .errors = 4};

static void two_sayings(struct facts *f, struct saying sayings[static 2], bool agree)
{
	sayings[0] = (struct saying){&up_there, &is_up};
	sayings[1] = (struct saying){&down_there, agree ? &is_up : &is_down};
	*f = (struct facts){
		.state = MEMBER_UP, .breaker = "closed", .sayings = sayings, .count = 2};
	facts_add_up(f);
}

static void processes_are_added_up(void)
{
	struct saying sayings[2];
	struct facts f;

	two_sayings(&f, sayings, false);
	CU_ASSERT_EQUAL(f.sessions, 5);
	CU_ASSERT_EQUAL(f.busy, 1);
	CU_ASSERT_EQUAL(f.calls, 15);
	CU_ASSERT_EQUAL(f.errors, 5);
	CU_ASSERT_FALSE(f.agree);
	two_sayings(&f, sayings, true);
	CU_ASSERT_TRUE(f.agree);
	CU_ASSERT_EQUAL(f.calls, 20);
}

static void latency_is_that_of_all_calls(void)
{
	struct facts f = {.count = 0};

	CU_ASSERT_EQUAL(facts_latency_us(&f, 50), -1);
	f.bucket[3] = 1;
	CU_ASSERT_EQUAL(facts_latency_us(&f, 50), tally_bucket_us(3));
	CU_ASSERT_EQUAL(facts_latency_us(&f, 99), tally_bucket_us(3));
	f.bucket[3] = 98;
	f.bucket[7] = 2;
	CU_ASSERT_EQUAL(facts_latency_us(&f, 50), tally_bucket_us(3));
	CU_ASSERT_EQUAL(facts_latency_us(&f, 98), tally_bucket_us(3));
	CU_ASSERT_EQUAL(facts_latency_us(&f, 99), tally_bucket_us(7));
	f.bucket[STATE_BUCKETS - 1] = 200;
	CU_ASSERT_EQUAL(facts_latency_us(&f, 99), LLONG_MAX);
	f.bucket[0] = UINT64_MAX / 2; /* sums of nonsense do not wrap around the answer */
	CU_ASSERT_EQUAL(facts_latency_us(&f, 99), tally_bucket_us(0));
}

/* What is printed for a member of this state, on stdout; static. */
static const char *printed(const struct facts *f, bool json)
{
	static char text[4096];
	char member_name[] = "a", module_name[] = "m", vendor_name[] = "v", label[] = "t";
	struct config_module module = {.name = module_name, .library = module_name};
	const struct config c = {.modules = &module, .module_count = 1};
	struct config_member conf = {.name = member_name, .token = label};
	struct vendor vendor = {.name = vendor_name};
	struct library library = {.vendor = &vendor};
	struct member *m = calloc(1, sizeof *m);
	FILE *file = tmpfile();
	int out = dup(STDOUT_FILENO);
	size_t n;

	CU_ASSERT_TRUE_FATAL(m && file && out >= 0);
	m->conf = &conf;
	m->lib = &library;
	fflush(stdout);
	CU_ASSERT_TRUE_FATAL(dup2(fileno(file), STDOUT_FILENO) >= 0);
	if (json)
		status_json_member(&(struct json){.out = stdout}, &c, m, f);
	else
		status_print_member(&c, m, f);
	fflush(stdout);
	CU_ASSERT_TRUE_FATAL(dup2(out, STDOUT_FILENO) >= 0);
	rewind(file);
	n = fread(text, 1, sizeof text - 1, file);
	text[n] = '\0';
	fclose(file);
	close(out);
	free(m);
	return text;
}

static void processes_that_agree_are_one_line(void)
{
	struct saying sayings[2];
	struct facts f;

	two_sayings(&f, sayings, true);
	CU_ASSERT_STRING_EQUAL(
		printed(&f, false),
		"  a: module m, token \"t\": up\n"
		"    2 processes: up since 1970-01-02T00:00:00Z, breaker closed\n"
		"    sessions 6 (2 in use), calls 20, errors 2, latency p50 - p99 -\n");
}

static void processes_that_disagree_are_named(void)
{
	struct saying sayings[2];
	struct facts f;

	two_sayings(&f, sayings, false);
	f.bucket[4] = 99;
	f.bucket[STATE_BUCKETS - 1] = 2;
	f.is_drained = true;
	CU_ASSERT_STRING_EQUAL(printed(&f, false),
			       "  a: module m, token \"t\": up, drained\n"
			       "    101 signer: up since 1970-01-02T00:00:00Z, breaker closed\n"
			       "    102 web?[31m: down since 1970-01-03T00:00:00Z, breaker open: "
			       "C_Sign answered CKR_DEVICE_ERROR\n"
			       "    sessions 5 (1 in use), calls 15, errors 5, latency p50 0.25 ms "
			       "p99 over 10 s\n");
}

static void what_nobody_uses_is_one_line(void)
{
	struct facts f = {.state = MEMBER_DOWN, .breaker = "open", .reason = "gone"};

	CU_ASSERT_STRING_EQUAL(printed(&f, false), "  a: module m, token \"t\": down: gone\n");
	f.state = MEMBER_UP;
	f.breaker = "half-open";
	CU_ASSERT_STRING_EQUAL(printed(&f, false),
			       "  a: module m, token \"t\": up, not serving yet\n");
}

static void json_has_all_of_it(void)
{
	static const char *const wanted[] = {
		"\"in_use\":1,\"calls\":15,\"errors\":5,\"latency_us\":{\"p50\":250,\"p99\":"
		"10000000}",
		"{\"pid\":102,\"program\":\"web\\u001b[31m\",\"state\":\"down\",\"reason\":\"C_"
		"Sign "
		"answered "
		"CKR_DEVICE_ERROR\",\"since\":\"1970-01-03T00:00:00Z\",\"breaker\":\"open\"",
		"\"drained\":true",
	};
	struct saying sayings[2];
	const char *text;
	struct facts f;

	two_sayings(&f, sayings, false);
	f.is_drained = true;
	f.bucket[4] = 50;
	f.bucket[STATE_BUCKETS - 1] = 50;
	text = printed(&f, true);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(text, wanted[i]));
}

static const struct unit_test tests[] = {
	UNIT(processes_are_added_up),
	UNIT(latency_is_that_of_all_calls),
	UNIT(processes_that_agree_are_one_line),
	UNIT(processes_that_disagree_are_named),
	UNIT(what_nobody_uses_is_one_line),
	UNIT(json_has_all_of_it),
};

UNIT_MAIN("tools/status", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* The soak: threads that handle no error work on a virtual token while its members are broken at
 * random, from a seed; at least one member that holds the keys always works.
 *
 *   soak [--seconds N] [--threads N] [--seed N] [--settle MS] [--log FILE] MODULE LABEL PLAN...
 *   soak --import LIBRARY LABEL
 *
 * PLAN: the plans of the members, which are fault tokens. HSMUX_CONF names the configuration. The
 * second form puts the known keys on a token. --settle: how long a member must have worked before
 * the last other one may be broken; 0 asks that hsmux finds a healed member at once. --log: the
 * module's messages go to this file, with the controller's, and changes of breakers are counted.
 *
 * Prints seed, operations, errors, wrong results, the longest gap, how often members were broken
 * and how often breakers changed. Exit 1 when there were errors or wrong results.
 *
 * By hand for long, with everything set up: tests/bench/soak.sh --seconds 3600 --seed 7 in place of
 * its short runs; see the head of that script. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/crowd.h"
#include "tests/bench/plan.h"

#define MAX_MEMBERS 8
/* The controller looks at its members this often. */
#define STEP_MS 10
/* A fault lasts up to this long, and so does the time until the next. */
#define FAULT_MS 600
#define QUIET_MS 200

/* Plans for broken members; `healed` is what is left of a fault when it is over. */
struct fault {
	const char *broken;
	const char *healed;
};

static const struct fault faults[] = {
	{"* all CKR_DEVICE_ERROR\n", ""},
	{"state gone CKR_DEVICE_REMOVED\n", "state lose-sessions\n"},
	{"state removed\n", ""},
	{"state gone CKR_TOKEN_NOT_PRESENT\n", "state lose-sessions\n"},
	{"state gone CKR_CRYPTOKI_NOT_INITIALIZED\n", "state lose-sessions\n"},
	{"state renumber\nstate gone CKR_CRYPTOKI_NOT_INITIALIZED\n",
	 "state renumber\nstate lose-sessions\n"},
	{"state polite CKR_GENERAL_ERROR\n", ""},
	{"state polite CKR_DEVICE_ERROR\n", ""},
	{"state lose-sessions\n", ""},
	{"state logged-out\n", ""},
	{"state logged-out\nC_Login all CKR_DEVICE_ERROR\n", ""},
	{"state lose-sessions\nC_OpenSession all CKR_SESSION_COUNT\n", ""},
	{"C_OpenSession all CKR_DEVICE_ERROR\n", ""},
	{"C_Sign all CKR_DEVICE_ERROR\n", ""},
	{"C_Sign every 3 0x80000001\n", ""},
	{"C_Sign every 2 after CKR_DEVICE_ERROR\nC_Encrypt every 2 after CKR_DEVICE_ERROR\n", ""},
	{"C_SignUpdate every 7 CKR_FUNCTION_FAILED\nC_EncryptUpdate every 7 CKR_DEVICE_ERROR\n"
	 "C_DigestUpdate every 7 CKR_GENERAL_ERROR\nC_DecryptUpdate every 7 CKR_DEVICE_MEMORY\n",
	 ""},
	{"C_SignFinal all CKR_DEVICE_ERROR\nC_EncryptFinal all CKR_SESSION_HANDLE_INVALID\n", ""},
	{"C_SignInit all CKR_GENERAL_ERROR\nC_EncryptInit every 2 CKR_DEVICE_MEMORY\n", ""},
	{"C_FindObjectsInit all CKR_DEVICE_ERROR\nC_FindObjects every 2 CKR_GENERAL_ERROR\n", ""},
	{"C_GetAttributeValue all CKR_DEVICE_REMOVED\nC_GenerateRandom all CKR_DEVICE_ERROR\n", ""},
	{"* every 10 0x80000001\n", ""},
	{"* all CKR_DEVICE_MEMORY\n", ""},
	{"* all CKR_HOST_MEMORY\n", ""},
	{"state lose-sessions\nstate sessions 3\n", ""},
	{"state busy 2 CKR_DEVICE_MEMORY\n", ""},
	{"crypto random 20 1 CKR_DEVICE_ERROR\n", ""},
	{"* random 10 2 after CKR_FUNCTION_FAILED\n", ""},
	{"* all delay 20\n", ""},
	{"C_Sign all delay 100\n", ""},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

struct options {
	unsigned long seconds;
	unsigned long threads;
	unsigned long seed;
	unsigned long settle_ms;
	const char *log;
	bool is_import;
};

/* A member as the controller sees it. */
struct victim {
	const char *plan;
	const struct fault *fault;   /* NULL: works */
	unsigned long long until_ms; /* broken until then, or to be left alone until then */
	unsigned long long healed_ms;
};

struct controller {
	struct victim victim[MAX_MEMBERS];
	unsigned count;
	unsigned long settle_ms;
	struct actor dice; /* only its random numbers */
	unsigned long long begin_ms;
	unsigned long broken;
};

static unsigned long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000 + (unsigned long long)t.tv_nsec / 1000000;
}

static unsigned long dice(struct controller *c, unsigned long sides)
{
	return (unsigned long)(actor_random(&c->dice) % sides);
}

/* Members besides `v` that can be relied on. */
static unsigned others(const struct controller *c, const struct victim *v, unsigned long long now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < c->count; i++) {
		const struct victim *o = &c->victim[i];

		count += o != v && !o->fault && now - o->healed_ms >= c->settle_ms;
	}
	return count;
}

/* Among the module's messages, so that they can be understood. */
static void tell(const struct controller *c, const struct victim *v, const char *plan)
{
	int len = (int)strcspn(plan, "\n");

	fprintf(stderr, "soak: %llu ms: member %u: %s%.*s%s\n", now_ms() - c->begin_ms,
		(unsigned)(v - c->victim) + 1, len ? "broken: " : "healed", len, plan,
		len && plan[len + 1] ? " ..." : "");
}

static bool heal(struct controller *c, struct victim *v, unsigned long long now)
{
	const struct fault *fault = v->fault;

	v->fault = NULL;
	v->healed_ms = now;
	v->until_ms = now + dice(c, QUIET_MS);
	tell(c, v, "");
	return plan_write(v->plan, fault->healed);
}

static bool step(struct controller *c, struct victim *v, unsigned long long now)
{
	if (now < v->until_ms)
		return true;
	if (v->fault)
		return heal(c, v, now);
	if (!others(c, v, now))
		return true;
	v->fault = &faults[dice(c, FAULTS)];
	v->until_ms = now + STEP_MS + dice(c, FAULT_MS);
	c->broken++;
	tell(c, v, v->fault->broken);
	return plan_write(v->plan, v->fault->broken);
}

/* Breaks and heals until the time is over; leaves all members healed. */
static bool control(struct controller *c, unsigned long seconds)
{
	unsigned long long end = now_ms() + seconds * 1000;
	bool is_good = true;

	c->begin_ms = now_ms();
	while (is_good && now_ms() < end) {
		for (unsigned i = 0; i < c->count && is_good; i++)
			is_good = step(c, &c->victim[i], now_ms());
		plan_pause(STEP_MS);
	}
	for (unsigned i = 0; i < c->count; i++)
		if (c->victim[i].fault)
			is_good = heal(c, &c->victim[i], now_ms()) && is_good;
	return is_good;
}

/* What the module's messages say of members that were taken out or let in again; -1: no such file.
 */
static long breaker_changes(const char *file)
{
	FILE *in = file ? fopen(file, "r") : NULL;
	char line[1024];
	long count = 0;

	if (!in)
		return -1;
	while (fgets(line, sizeof(line), in))
		count += strstr(line, ": lost (") || strstr(line, ": serves again");
	fclose(in);
	return count;
}

static int report(const struct crowd *crowd, const struct controller *c, const struct options *o)
{
	struct crowd_count sum = crowd_count(crowd, 1);

	printf("seed %lu  seconds %lu  threads %lu  members %u\n", o->seed, o->seconds, o->threads,
	       c->count);
	printf("operations %lu\nerrors seen by the application %lu (must be 0)\n", sum.done,
	       sum.errors);
	printf("wrong results %lu (must be 0)\nlongest gap %.1f ms\n", sum.wrong,
	       crowd_gap_ms(crowd, 1, 0));
	printf("members broken %lu times\n", c->broken);
	if (o->log)
		printf("breaker changes %ld\n", breaker_changes(o->log));
	return sum.done && !sum.errors && !sum.wrong ? 0 : 1;
}

static int soak(const struct options *o, char **argv, int argc)
{
	struct controller c = {.settle_ms = o->settle_ms, .dice = {.random = o->seed}};
	struct crowd_plan how = {.module = argv[0],
				 .label = argv[1],
				 .threads = (unsigned)o->threads,
				 .tasks = TASKS_ALL,
				 .seed = o->seed};
	struct crowd *crowd;
	int result = 1;

	for (int i = 2; i < argc && c.count < MAX_MEMBERS; i++) {
		c.victim[c.count].plan = argv[i];
		if (!plan_write(c.victim[c.count++].plan, ""))
			return 1;
	}
	if (o->log && (!freopen(o->log, "w", stderr) || setvbuf(stderr, NULL, _IONBF, 0) != 0))
		return 1;
	crowd = crowd_start(&how);
	if (crowd && control(&c, o->seconds) && crowd_stop(crowd))
		result = report(crowd, &c, o);
	crowd_free(crowd);
	return result;
}

static int import(const char *library, const char *label)
{
	CK_BYTE pin[] = KNOWN_PIN;
	struct loaded m;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;

	if (!load_module(library, &m) || m.f->C_Initialize(NULL) != CKR_OK ||
	    !load_find_slot(m.f, label, &slot) ||
	    m.f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) !=
		    CKR_OK ||
	    m.f->C_Login(session, CKU_USER, pin, sizeof(pin) - 1) != CKR_OK ||
	    !known_import(m.f, session))
		return 1;
	return m.f->C_Finalize(NULL) == CKR_OK ? 0 : 1;
}

static bool options_read(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {{"seconds", required_argument, NULL, 's'},
					      {"threads", required_argument, NULL, 't'},
					      {"seed", required_argument, NULL, 'e'},
					      {"settle", required_argument, NULL, 'h'},
					      {"log", required_argument, NULL, 'l'},
					      {"import", no_argument, NULL, 'i'},
					      {NULL, 0, NULL, 0}};
	int got;

	while ((got = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (got == 's')
			o->seconds = strtoul(optarg, NULL, 10);
		else if (got == 't')
			o->threads = strtoul(optarg, NULL, 10);
		else if (got == 'e')
			o->seed = strtoul(optarg, NULL, 10);
		else if (got == 'h')
			o->settle_ms = strtoul(optarg, NULL, 10);
		else if (got == 'l')
			o->log = optarg;
		else if (got == 'i')
			o->is_import = true;
		else
			return false;
	}
	return o->threads > 0 && o->threads <= CROWD_MAX_THREADS && argc - optind >= 2;
}

int main(int argc, char **argv)
{
	struct options o = {.seconds = 10, .threads = 8, .seed = 1};

	if (!options_read(argc, argv, &o)) {
		fprintf(stderr, "usage: see the head of soak.c\n");
		return 2;
	}
	if (o.is_import)
		return import(argv[optind], argv[optind + 1]);
	return soak(&o, argv + optind, argc - optind);
}

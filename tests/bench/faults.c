/* SPDX-License-Identifier: BSD-2-Clause */
/* The failover goals: eight threads that do nothing about errors, over a virtual token of two
 * members of which the first is broken for a while; printed as a table against must and aim.
 *
 *   faults MODULE CONF_FAILOVER CONF_BALANCED LABEL PLAN_A PLAN_B [ROW]...
 *
 * The plans are those of the members, which are fault tokens; a is the first. Every row of the
 * table runs in a process of its own, so that what one of them breaks does not count for the next.
 * ROW: only rows whose id begins so. Times are not judged: exit 0 unless a result was wrong or a
 * row did not come to its end. Every result is checked with OpenSSL.
 *
 * A row: 0.3 s to warm up, 1 s before, 1.5 s broken, 2 s to heal, 1 s after. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/crowd.h"
#include "tests/bench/plan.h"

#define THREADS 8
/* Between two tasks, where gaps are measured: threads that fill all processors wait for each other
 * longer than for a member. F0 shows what is left of that. */
#define PAUSE_MS 3
/* Where the arguments ROW begin. */
#define FIRST_ROW 7
/* More than a row takes when nothing is stuck. */
#define ROW_SECONDS 40

enum phase { WARM, BEFORE, EARLY, LATE, HEALING, AFTER };
#define BIT(phase)     (1U << (phase))
#define FROM_THE_FAULT (BIT(EARLY) | BIT(LATE) | BIT(HEALING) | BIT(AFTER))
#define WHOLE          (BIT(BEFORE) | FROM_THE_FAULT)
static const unsigned phase_ms[] = {[WARM] = 300,  [BEFORE] = 1000,  [EARLY] = 500,
				    [LATE] = 1000, [HEALING] = 2000, [AFTER] = 1000};

/* What is judged. */
enum kind {
	GAP,         /* longest gap of any thread, ms; errors must be 0 */
	GAP_OTHERS,  /* the same without the thread whose call hangs */
	GAP_ONE_ERR, /* as GAP; each thread may see one error, for the operation that was in flight
		      */
	DOWN_RATE,   /* tasks a second while the member is down, to before */
	HEALED_RATE, /* tasks a second after it healed, to before */
	SLOW_TIME    /* median time of a task from 0.5 s on, to before */
};

/* Members of 5 ms for a signature: throughput then says nothing about the machine. */
#define DEVICE  "C_Sign all delay 5\n"
#define SIGNING TASK_BIT(TASK_SIGN_EC)
#define VENDOR  "0x80000001"

struct row {
	const char *id;
	const char *what;
	enum kind kind;
	uint32_t tasks;
	double must;
	double aim;
	const char *broken; /* plans of member a */
	const char *healed;
	const char *always; /* what every plan of both members ends with */
};

#define F1(what, broken, healed)                                                                   \
	{                                                                                          \
		"F1", what, GAP, TASKS_ONESHOT, 250, 25, broken, healed, ""                        \
	}
#define F2(what, broken)                                                                           \
	{                                                                                          \
		"F2", what, GAP, TASKS_ONESHOT, 100, 10, broken, "", ""                            \
	}
#define F5(what, broken, healed)                                                                   \
	{                                                                                          \
		"F5", what, GAP, TASKS_PARTS, 250, 25, broken, healed, ""                          \
	}

static const struct row rows[] = {
	{"F0", "nothing is broken", GAP, TASKS_ALL, 250, 25, "", "", ""},
	F1("every call CKR_DEVICE_ERROR", "* all CKR_DEVICE_ERROR\n", ""),
	F1("every call CKR_DEVICE_REMOVED", "state gone CKR_DEVICE_REMOVED\n",
	   "state lose-sessions\n"),
	F1("token removed", "state removed\n", ""),
	F1("restarts", "state gone CKR_CRYPTOKI_NOT_INITIALIZED\n", "state lose-sessions\n"),
	F1("restarts, and numbers its objects anew",
	   "state renumber\nstate gone CKR_CRYPTOKI_NOT_INITIALIZED\n",
	   "state renumber\nstate lose-sessions\n"),
	F1("loses its sessions", "state lose-sessions\n", ""),
	F1("logs the user out", "state logged-out\n", ""),
	F1("does not know its keys",
	   "C_SignInit all CKR_KEY_HANDLE_INVALID\nC_EncryptInit all CKR_KEY_HANDLE_INVALID\n"
	   "C_DecryptInit all CKR_KEY_HANDLE_INVALID\nC_VerifyInit all CKR_KEY_HANDLE_INVALID\n"
	   "C_GetAttributeValue all CKR_OBJECT_HANDLE_INVALID\n",
	   ""),
	F1("SignInit and EncryptInit fail",
	   "C_SignInit all CKR_GENERAL_ERROR\nC_EncryptInit all CKR_FUNCTION_FAILED\n", ""),
	F1("logged out, and login fails", "state logged-out\nC_Login all CKR_DEVICE_ERROR\n", ""),
	F1("sessions lost, and opening fails",
	   "state lose-sessions\nC_OpenSession all CKR_DEVICE_ERROR\n", ""),
	F1("sessions lost, and no more to have",
	   "state lose-sessions\nC_OpenSession all CKR_SESSION_COUNT\n", ""),
	F1("sessions lost, and only two to have", "state lose-sessions\nstate sessions 2\n", ""),
	F1("out of device memory", "* all CKR_DEVICE_MEMORY\n", ""),
	F1("out of host memory", "* all CKR_HOST_MEMORY\n", ""),
	F1("dead but polite", "state polite CKR_GENERAL_ERROR\n", ""),
	F2("every 3rd signature a vendor's code", "C_Sign every 3 " VENDOR "\n"),
	F2("every 10th call a vendor's code", "* every 10 " VENDOR "\n"),
	F2("every 3rd call CKR_GENERAL_ERROR", "* every 3 CKR_GENERAL_ERROR\n"),
	F2("one failure each of sign, find, encrypt",
	   "C_Sign nth 1 CKR_DEVICE_ERROR\nC_FindObjects nth 1 CKR_GENERAL_ERROR\n"
	   "C_Encrypt nth 1 CKR_FUNCTION_FAILED\n"),
	F2("replies lost after the work",
	   "C_Sign every 3 after CKR_DEVICE_ERROR\nC_Encrypt every 3 after CKR_DEVICE_ERROR\n"),
	F2("one call in five by chance", "* random 20 1 " VENDOR "\n"),
	F2("takes two calls at once, else CKR_FUNCTION_FAILED",
	   "state busy 2 CKR_FUNCTION_FAILED\n"),
	F2("sessions left busy", "C_Sign every 3 CKR_FUNCTION_FAILED\n"),
	{"F4", "one signature hangs, other threads", GAP_OTHERS, TASKS_ONESHOT, 250, 250,
	 "C_Sign nth 1 hang\n", "", ""},
	{"F4", "one search hangs, other threads", GAP_OTHERS, TASKS_ONESHOT, 250, 250,
	 "C_FindObjectsInit nth 1 hang\n", "", ""},
	F5("64 KiB in parts, every call CKR_DEVICE_ERROR", "* all CKR_DEVICE_ERROR\n", ""),
	F5("64 KiB in parts, restarts", "state gone CKR_CRYPTOKI_NOT_INITIALIZED\n",
	   "state lose-sessions\n"),
	F5("64 KiB in parts, every 10th call a vendor's code", "* every 10 " VENDOR "\n", ""),
	{"F5", "2 MiB in parts, every call CKR_DEVICE_ERROR", GAP_ONE_ERR,
	 TASK_BIT(TASK_CIPHER_LONG), 250, 25, "* all CKR_DEVICE_ERROR\n", "", ""},
	{"F7", "signatures a second while a member is down, to before", DOWN_RATE, SIGNING, 0.95,
	 0.95, "state gone CKR_DEVICE_REMOVED\n", "state lose-sessions\n", DEVICE},
	{"F7", "signatures a second 2 s after it healed, to before", HEALED_RATE, SIGNING, 0.95,
	 0.95, "state gone CKR_DEVICE_REMOVED\n", "state lose-sessions\n", DEVICE},
	{"F8", "200 ms a call: median of a signature after 0.5 s, to before", SLOW_TIME, SIGNING, 2,
	 2, "* all delay 200\n", "", DEVICE},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* What a row's process reports. */
struct result {
	struct crowd_count count;
	double gap_ms;
	double gap_others_ms;
	double rate[3]; /* before, while broken, after */
	double median_ms[2];
};

static bool set_plan(const char *file, const char *text, const char *always)
{
	char whole[1024];

	snprintf(whole, sizeof(whole), "%s%s", text, always);
	return plan_write(file, whole);
}

static void evaluate(const struct crowd *c, struct result *r)
{
	static const enum phase rated[] = {BEFORE, LATE, AFTER};

	r->count = crowd_count(c, WHOLE);
	r->gap_ms = crowd_gap_ms(c, FROM_THE_FAULT, 0);
	r->gap_others_ms = crowd_gap_ms(c, FROM_THE_FAULT, 1);
	for (unsigned i = 0; i < 3; i++)
		r->rate[i] = (double)crowd_count(c, BIT(rated[i])).done * 1e3 / phase_ms[rated[i]];
	r->median_ms[0] = crowd_median_ms(c, BEFORE);
	r->median_ms[1] = crowd_median_ms(c, LATE);
}

static bool run_phases(struct crowd *c, const struct row *row, const char *plan_a)
{
	for (unsigned phase = WARM; phase <= AFTER; phase++) {
		crowd_phase(c, phase);
		if (phase == EARLY && !set_plan(plan_a, row->broken, row->always))
			return false;
		if (phase == HEALING && !set_plan(plan_a, row->healed, row->always))
			return false;
		plan_pause(phase_ms[phase]);
	}
	return true;
}

/* `argv` as main got it. */
static bool run(const struct row *row, char **argv, struct result *r)
{
	struct crowd_plan how = {.module = argv[1],
				 .label = argv[4],
				 .threads = THREADS,
				 .tasks = row->tasks,
				 .seed = 1,
				 .pause_ms = row->kind <= GAP_ONE_ERR ? PAUSE_MS : 0};
	struct crowd *c = NULL;
	bool is_good;

	if (set_plan(argv[5], "", row->always) && set_plan(argv[6], "", row->always))
		c = crowd_start(&how);
	is_good = c && run_phases(c, row, argv[5]);
	if (c)
		is_good = crowd_stop(c) && is_good;
	if (is_good)
		evaluate(c, r);
	crowd_free(c);
	return is_good;
}

/* Runs the row in a child. False when that did not come to its end. */
static bool run_apart(const struct row *row, char **argv, struct result *r)
{
	int ends[2];
	int status = -1;
	pid_t pid;

	if (pipe(ends) != 0)
		return false;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		bool is_good;

		alarm(ROW_SECONDS);
		setenv("HSMUX_CONF", argv[row->kind == SLOW_TIME ? 3 : 2], 1);
		is_good = run(row, argv, r) && write(ends[1], r, sizeof(*r)) == (ssize_t)sizeof(*r);
		exit(is_good ? 0 : 1);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], r, sizeof(*r)) != (ssize_t)sizeof(*r))
		*r = (struct result){.gap_ms = NAN};
	close(ends[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return true;
	fprintf(stderr, "%s %s: the process ended with status 0x%x\n", row->id, row->what,
		(unsigned)status);
	return false;
}

static double value_of(const struct row *row, const struct result *r)
{
	switch (row->kind) {
	case GAP:
	case GAP_ONE_ERR:
		return r->gap_ms;
	case GAP_OTHERS:
		return r->gap_others_ms;
	case DOWN_RATE:
		return r->rate[1] / r->rate[0];
	case HEALED_RATE:
		return r->rate[2] / r->rate[0];
	case SLOW_TIME:
		return r->median_ms[1] / r->median_ms[0];
	}
	return NAN;
}

static const char *verdict(const struct row *row, const struct result *r, double wanted)
{
	bool is_more = row->kind == DOWN_RATE || row->kind == HEALED_RATE;
	unsigned long allowed = row->kind == GAP_ONE_ERR ? THREADS : 0;
	double value = value_of(row, r);

	if (r->count.errors > allowed || r->count.wrong || !r->count.done)
		return "no";
	return (is_more ? value >= wanted : value <= wanted) ? "yes" : "no";
}

static void print_row(const struct row *row, const struct result *r)
{
	printf("%-4s %-60s %8lu %6lu %6lu %9.2f %7g %-4s %7g %-4s %8.0f %8.0f %8.0f\n", row->id,
	       row->what, r->count.done, r->count.errors, r->count.wrong, value_of(row, r),
	       row->must, verdict(row, r, row->must), row->aim, verdict(row, r, row->aim),
	       r->rate[0], r->rate[1], r->rate[2]);
	fflush(stdout);
}

static bool is_wanted(const char *id, int argc, char **argv)
{
	for (int i = FIRST_ROW; i < argc; i++)
		if (strncmp(id, argv[i], strlen(argv[i])) == 0)
			return true;
	return argc <= FIRST_ROW;
}

int main(int argc, char **argv)
{
	unsigned long wrong = 0;
	bool is_good = true;

	if (argc < FIRST_ROW) {
		fprintf(stderr, "usage: see the head of faults.c\n");
		return 2;
	}
	printf("%-4s %-60s %8s %6s %6s %9s %7s %-4s %7s %-4s %8s %8s %8s\n", "goal",
	       "one of two members, broken for 1.5 s under 8 threads", "done", "errors", "wrong",
	       "gap/ratio", "must", "", "aim", "", "before/s", "broken/s", "after/s");
	for (size_t i = 0; i < ROWS; i++) {
		struct result r = {0};

		if (!is_wanted(rows[i].id, argc, argv))
			continue;
		is_good = run_apart(&rows[i], argv, &r) && is_good;
		print_row(&rows[i], &r);
		wrong += r.count.wrong;
	}
	printf("F6   wrong results over all of the above: %lu (must be 0)\n", wrong);
	return is_good && wrong == 0 ? 0 : 1;
}

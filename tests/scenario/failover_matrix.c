/* SPDX-License-Identifier: BSD-2-Clause */
/* Every operation, with one member failing in every way at every step of it:
 *
 *   - the member is gone from step n on (before the operation, after its beginning, between parts,
 *     before its end), and
 *   - each function that the operation consists of fails once, before its work and after it.
 *
 * The application must see CKR_OK and the right result each time. Before each try the member serves
 * again, so that the failure strikes; whether it did is read from the fault token's counters. */
#include "tests/scenario/failover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a member may take to come back, and tries until a failure strikes. */
#define PATIENCE_MS 20000
#define TRIES       200

/* What stays the same over a run. */
struct matrix {
	struct seat *seat;
	const char *plan_file;
	const char *stats;
	const char *other_stats;
	unsigned struck;
	unsigned spared; /* the failure was planned, but the member was not asked */
};

static unsigned long failures(const char *stats_file, const char *function)
{
	struct tally t = tally_read(stats_file, function);

	return t.calls - t.good;
}

/* hsmux itself does not digest while it takes the member back. */
void wait_until_served(struct seat *seat, const char *stats_file)
{
	const struct op *probe = op_named("digest");
	unsigned long before = tally_read(stats_file, "C_Digest").good;
	long long end = now_ms() + PATIENCE_MS;

	while (tally_read(stats_file, "C_Digest").good == before) {
		if (now_ms() > end) {
			fprintf(stderr, "the member did not come back within %d ms\n", PATIENCE_MS);
			exit(1);
		}
		OK(op_run(seat, probe));
		(void)usleep(2000);
	}
}

/* The member serves again. */
static void settle(struct matrix *m)
{
	plan_write(m->plan_file, "");
	wait_until_served(m->seat, m->stats);
}

/* Functions that hsmux itself never uses to look after members: their calls can be counted. */
static bool is_countable(const char *function)
{
	static const char *const names[] = {"C_Verify",     "C_Digest",      "C_WrapKey",
					    "C_SignFinal",  "C_VerifyFinal", "C_DecryptFinal",
					    "C_DigestFinal"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (function && strcmp(names[i], function) == 0)
			return true;
	return false;
}

/* One try; whether the failure struck. */
static bool try_once(struct matrix *m, const struct op *op, const char *plan, unsigned step,
		     const char *function)
{
	unsigned long missed = failures(m->stats, function);
	unsigned long calls;
	CK_RV rv;

	settle(m);
	missed = failures(m->stats, function);
	calls = tally_read(m->stats, function).calls + tally_read(m->other_stats, function).calls;
	m->seat->plan_file = m->plan_file;
	m->seat->plan = plan;
	m->seat->strikes = step;
	if (step == 0)
		plan_write(m->plan_file, plan);
	rv = op_run(m->seat, op);
	m->seat->strikes = 0;
	if (rv != CKR_OK) {
		fprintf(stderr, "%s: 0x%lx with '%s' at step %u\n", op->name, rv, plan, step);
		exit(1);
	}
	calls = tally_read(m->stats, function).calls + tally_read(m->other_stats, function).calls -
		calls;
	if (is_countable(function) && calls > 2) {
		fprintf(stderr, "%s: %lu calls of %s with '%s'\n", op->name, calls, function, plan);
		exit(1);
	}
	return failures(m->stats, function) > missed;
}

/* Until it struck. Operations that hsmux can do from what it knows may be spared. */
static void row(struct matrix *m, const struct op *op, const char *plan, unsigned step,
		const char *function)
{
	bool must =
		op->mechanism != CK_UNAVAILABLE_INFORMATION && strcmp(op->name, "messages") != 0;
	unsigned tries = must ? TRIES : 3;

	while (tries-- > 0)
		if (try_once(m, op, plan, step, function)) {
			m->struck++;
			return;
		}
	m->spared++;
	printf("spared: %s with '%s' at step %u\n", op->name, plan, step);
	if (must) {
		fprintf(stderr, "%s: '%s' at step %u never struck\n", op->name, plan, step);
		exit(1);
	}
}

static void rows_of(struct matrix *m, const struct op *op, const char *code)
{
	char plan[128];

	(void)snprintf(plan, sizeof(plan), "state gone %s", code);
	for (unsigned step = 1; step <= op->steps; step++)
		row(m, op, plan, step, NULL);
	for (unsigned i = 0; i < 4 && op->functions[i]; i++) {
		(void)snprintf(plan, sizeof(plan), "%s nth 1 %s", op->functions[i], code);
		row(m, op, plan, 0, op->functions[i]);
		(void)snprintf(plan, sizeof(plan), "%s nth 1 after %s", op->functions[i], code);
		row(m, op, plan, 0, op->functions[i]);
	}
}

void matrix_run(struct seat *seat, const char *plan_file, const char *stats_file,
		const char *other_stats, const char *code)
{
	struct matrix m = {.seat = seat,
			   .plan_file = plan_file,
			   .stats = stats_file,
			   .other_stats = other_stats};
	long long begun = now_ms();

	for (const struct op *op = op_next(seat->world, NULL); op; op = op_next(seat->world, op))
		rows_of(&m, op, code);
	settle(&m);
	printf("%s: %u failures struck, %u did not; %lld ms\n", code, m.struck, m.spared,
	       now_ms() - begun);
	CHECK(m.struck > 0);
}

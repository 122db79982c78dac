/* SPDX-License-Identifier: BSD-2-Clause */
/* The benchmark: one measurement a call; run.sh makes the tokens, calls it and prints the table.
 *
 *   bench time|updates|ratio|rsa|parts|threads|balanced|contention NAME=MODULE,LABEL...
 *                                    the first is the direct side
 *   bench find FEW=MODULE,LABEL MANY=MODULE,LABEL
 *   bench calls|locks ID WORK NAME=MODULE,LABEL
 *   bench memory NAME=MODULE,LABEL
 *   bench start NAME=MODULE,LABEL    microseconds from dlopen to the first signature
 *   bench loop WORK N NAME=MODULE,LABEL    for callgrind: N pieces below work_run
 *   bench key NAME=MODULE,LABEL      puts the keys of known.h on a token
 *
 * BENCH_PIN and BENCH_KEYS (side_open) in the environment. Prints "ID NAME VALUE" lines. Exit 0
 * unless it could not measure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/known.h"

static int start(char *description)
{
	struct side s;
	double begin = wall_ns();
	double end;

	if (!side_open(&s, description, NULL) || !work_run(&s, s.session, WORK_SIGN, 1))
		return 1;
	end = wall_ns();
	printf("P17 %s %.0f\n", s.name, (end - begin) / 1e3);
	return 0;
}

/* Warms up outside work_run's count: callgrind begins to collect when the loop is entered a second
 * time. */
static int loop(enum work what, unsigned long n, char *description)
{
	struct side s;

	if (!side_open(&s, description, NULL) || !work_run(&s, s.session, what, n))
		return 1;
	return 0;
}

/* The keys of known.h, on a token of its own library. */
static int make_keys(char *description)
{
	struct side s;

	if (!side_enter(&s, description) || !known_import(s.m.f, s.session))
		return 1;
	return s.m.f->C_Finalize(NULL) == CKR_OK ? 0 : 1;
}

/* Measurements that compare sides. */
static const struct {
	const char *name;
	bool (*measure)(struct side *sides, unsigned count);
} comparisons[] = {
	{"time", measure_time},         {"ratio", measure_ratio},
	{"rsa", measure_rsa},           {"threads", measure_threads},
	{"updates", measure_updates},   {"parts", measure_parts},
	{"balanced", measure_balanced}, {"contention", measure_contention},
	{"find", measure_find},         {"memory", measure_memory},
};

static int compare(const char *what, int count, char **descriptions)
{
	static struct side sides[8];
	const char *keys = strcmp(what, "rsa") == 0 ? "rsa" : NULL;

	if (count < 1 || count > 8)
		return 2;
	for (int i = 0; i < count; i++)
		if (!side_open(&sides[i], descriptions[i], keys))
			return 1;
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		if (strcmp(comparisons[i].name, what) == 0)
			return comparisons[i].measure(sides, (unsigned)count) ? 0 : 1;
	return 2;
}

static int counted(bool is_locks, const char *id, const char *work, char *description)
{
	enum work what = work_find(work);
	struct side s;

	if (what == WORK_COUNT)
		return 2;
	if (is_locks)
		return side_open(&s, description, NULL) && measure_locks(id, &s, what) ? 0 : 1;
	return measure_system_calls(id, &s, what, description) ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "start") == 0)
		return start(argv[2]);
	if (strcmp(what, "key") == 0)
		return make_keys(argv[2]);
	if (strcmp(what, "loop") == 0 && argc == 5)
		return loop(work_find(argv[2]), strtoul(argv[3], NULL, 10), argv[4]);
	if ((strcmp(what, "calls") == 0 || strcmp(what, "locks") == 0) && argc == 5)
		return counted(strcmp(what, "locks") == 0, argv[2], argv[3], argv[4]);
	if (argc > 2)
		return compare(what, argc - 2, argv + 2);
	fprintf(stderr, "usage: see the head of bench.c\n");
	return 2;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Time. Machines are noisy: slices of all sides alternate within every round, each side is compared
 * with the direct one of the same round, and the median over the rounds is reported. Small costs
 * are CPU time of the thread, throughput is wall time. The first side is the direct one. */
#include <pthread.h>
#include <stdio.h>

#include "tests/bench/bench.h"

#define MAX_SIDES   4
#define MAX_THREADS 16

/* Long enough that the clock's own cost vanishes, short enough that the machine does not change. */
#define SLICE_NS 10e6

/* Pieces of work that take about a slice. */
static unsigned long calibrate(const struct side *s, enum work what)
{
	unsigned long n = 16;

	for (;;) {
		double begin = cpu_ns();

		if (!work_run(s, s->session, what, n))
			return 0;
		if (cpu_ns() - begin > SLICE_NS / 2)
			return n;
		n *= 2;
	}
}

static bool added(const char *id, struct side *sides, unsigned count, enum work what)
{
	double ns[MAX_SIDES][BENCH_ROUNDS];
	unsigned long n = calibrate(&sides[0], what);

	if (n == 0)
		return false;
	for (unsigned round = 0; round < BENCH_ROUNDS; round++)
		for (unsigned i = 0; i < count; i++) {
			double begin = cpu_ns();

			if (!work_run(&sides[i], sides[i].session, what, n))
				return false;
			ns[i][round] = (cpu_ns() - begin) / (double)n;
		}
	for (unsigned i = count; i-- > 0;) { /* the direct side last: the others subtract it */
		for (unsigned round = 0; i && round < BENCH_ROUNDS; round++)
			ns[i][round] -= ns[0][round];
		printf("%s %s %.1f\n", id, sides[i].name, median(ns[i], BENCH_ROUNDS));
	}
	return true;
}

bool measure_time(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES && added("P3", sides, count, WORK_SIGN) &&
	       added("P4-info", sides, count, WORK_INFO) &&
	       added("P4-attribute", sides, count, WORK_ATTRIBUTE) &&
	       added("P5", sides, count, WORK_FIND) && added("P6", sides, count, WORK_OPEN);
}

#define SAMPLES 401

/* Medians of single operations, alternating one by one. */
static bool ratio(const char *id, struct side *sides, unsigned count, enum work what)
{
	static double ns[MAX_SIDES][SAMPLES];

	for (unsigned n = 0; n < SAMPLES; n++)
		for (unsigned i = 0; i < count; i++) {
			double begin = wall_ns();

			if (!work_run(&sides[i], sides[i].session, what, 1))
				return false;
			ns[i][n] = wall_ns() - begin;
		}
	for (unsigned i = 0; i < count; i++) {
		double p50 = median(ns[i], SAMPLES);

		if (i == 0)
			printf("%s %s %.1f\n", id, sides[0].name, p50);
		else
			printf("%s %s %.3f\n", id, sides[i].name, p50 / median(ns[0], SAMPLES));
	}
	return true;
}

bool measure_ratio(struct side *sides, unsigned count, bool is_rsa)
{
	if (count > MAX_SIDES)
		return false;
	for (unsigned i = 0; i < count; i++)
		sides[i].sign = is_rsa ? CKM_RSA_PKCS : CKM_ECDSA;
	if (is_rsa)
		return ratio("P9-rsa2048", sides, count, WORK_SIGN);
	return ratio("P9-p256", sides, count, WORK_SIGN) &&
	       ratio("P9-gcm1k", sides, count, WORK_GCM_1K) &&
	       ratio("P9-gcm64k", sides, count, WORK_GCM_64K);
}

/* One thread's part. */
struct part {
	const struct side *side;
	enum work what;
	unsigned long n;
	pthread_barrier_t *start;
	double cpu; /* ns per piece */
	bool is_good;
};

static void *part_run(void *arg)
{
	struct part *p = arg;
	CK_SESSION_HANDLE session = side_session(p->side);
	double begin;

	pthread_barrier_wait(p->start);
	begin = cpu_ns();
	p->is_good = session && work_run(p->side, session, p->what, p->n);
	p->cpu = (cpu_ns() - begin) / (double)p->n;
	if (session)
		(void)p->side->m.f->C_CloseSession(session);
	return NULL;
}

/* Runs n pieces in each of `threads` threads; wall time and the mean CPU time of a piece. */
static bool together(const struct side *s, enum work what, unsigned threads, unsigned long n,
		     double *wall, double *cpu)
{
	struct part parts[MAX_THREADS];
	pthread_t ids[MAX_THREADS];
	pthread_barrier_t start;
	unsigned started = 0;
	bool is_good = true;
	double begin;

	pthread_barrier_init(&start, NULL, threads + 1);
	for (; started < threads; started++) {
		parts[started] = (struct part){.side = s, .what = what, .n = n, .start = &start};
		if (pthread_create(&ids[started], NULL, part_run, &parts[started]) != 0)
			return false; /* the barrier never opens: give up with the process */
	}
	pthread_barrier_wait(&start);
	begin = wall_ns();
	*cpu = 0;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		is_good = is_good && parts[i].is_good;
		*cpu += parts[i].cpu / threads;
	}
	*wall = wall_ns() - begin;
	pthread_barrier_destroy(&start);
	return is_good;
}

/* Signatures each thread makes in a slice of P11: 20 of 5 ms are 0.1 s. */
#define DEVICE_SLICE 20

bool measure_threads(struct side *sides, unsigned count)
{
	static const unsigned threads[] = {1, 2, 4, 8, 16};
	double wall[MAX_SIDES][BENCH_ROUNDS];
	double cpu;

	for (unsigned t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
		for (unsigned round = 0; round < BENCH_ROUNDS; round++)
			for (unsigned i = 0; i < count; i++)
				if (!together(&sides[i], WORK_SIGN, threads[t], DEVICE_SLICE,
					      &wall[i][round], &cpu))
					return false;
		for (unsigned i = count; i-- > 0;) {
			double m = median(wall[i], BENCH_ROUNDS);
			double rate = threads[t] * DEVICE_SLICE / (m / 1e9);

			printf("P11-%u %s %.3f\n", threads[t], sides[i].name,
			       i ? median(wall[0], BENCH_ROUNDS) / m : rate);
		}
	}
	return true;
}

bool measure_contention(struct side *sides, unsigned count)
{
	double ratios[BENCH_ROUNDS];

	for (unsigned i = 0; i < count; i++) {
		unsigned long n = calibrate(&sides[i], WORK_INFO);

		for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
			double wall;
			double alone;
			double eight;

			if (n == 0 || !together(&sides[i], WORK_INFO, 1, n, &wall, &alone) ||
			    !together(&sides[i], WORK_INFO, 8, n, &wall, &eight))
				return false;
			ratios[round] = eight / alone;
		}
		printf("P15 %s %.3f\n", sides[i].name, median(ratios, BENCH_ROUNDS));
	}
	return true;
}

bool measure_find(struct side *few, struct side *many)
{
	double ratios[BENCH_ROUNDS];
	unsigned long n = calibrate(few, WORK_FIND);

	for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
		double begin = cpu_ns();
		double middle;

		if (n == 0 || !work_run(few, few->session, WORK_FIND, n))
			return false;
		middle = cpu_ns();
		if (!work_run(many, many->session, WORK_FIND, n))
			return false;
		ratios[round] = (cpu_ns() - middle) / (middle - begin);
	}
	printf("P21 %s %.3f\n", few->name, median(ratios, BENCH_ROUNDS));
	return true;
}

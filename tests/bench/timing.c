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

/* Per side and round, ns of CPU for one piece. */
static bool sample(struct side *sides, unsigned count, enum work what,
		   double ns[MAX_SIDES][BENCH_ROUNDS])
{
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
	return true;
}

static void print_added(const char *id, const struct side *sides, unsigned count,
			double ns[MAX_SIDES][BENCH_ROUNDS])
{
	for (unsigned i = count; i-- > 0;) { /* the direct side last: the others subtract it */
		for (unsigned round = 0; i && round < BENCH_ROUNDS; round++)
			ns[i][round] -= ns[0][round];
		printf("%s %s %.1f\n", id, sides[i].name, median(ns[i], BENCH_ROUNDS));
	}
}

static bool added(const char *id, struct side *sides, unsigned count, enum work what)
{
	double ns[MAX_SIDES][BENCH_ROUNDS];

	if (!sample(sides, count, what, ns))
		return false;
	print_added(id, sides, count, ns);
	return true;
}

/* One Update: 64 of them are the difference between 65 and one. */
static bool added_by_update(const char *id, struct side *sides, unsigned count, enum work one,
			    enum work many)
{
	double ns[MAX_SIDES][BENCH_ROUNDS];
	double more[MAX_SIDES][BENCH_ROUNDS];

	if (!sample(sides, count, one, ns) || !sample(sides, count, many, more))
		return false;
	for (unsigned i = 0; i < count; i++)
		for (unsigned round = 0; round < BENCH_ROUNDS; round++)
			ns[i][round] = (more[i][round] - ns[i][round]) / 64;
	print_added(id, sides, count, ns);
	return true;
}

bool measure_updates(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES &&
	       added_by_update("P10-update-sign", sides, count, WORK_SIGN_1, WORK_SIGN_65) &&
	       added_by_update("P10-update-cbc", sides, count, WORK_CBC_1, WORK_CBC_65);
}

bool measure_time(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES && added("P3", sides, count, WORK_SIGN) &&
	       added("P4-info", sides, count, WORK_INFO) &&
	       added("P4-attribute", sides, count, WORK_ATTRIBUTE) &&
	       added("P5", sides, count, WORK_FIND) && added("P6", sides, count, WORK_OPEN);
}

#define SAMPLES 401
#define FEWER   101

/* Medians of single operations, alternating one by one. */
static bool ratio(const char *id, struct side *sides, unsigned count, enum work what,
		  unsigned samples)
{
	static double ns[MAX_SIDES][SAMPLES];

	for (unsigned n = 0; n < samples; n++)
		for (unsigned i = 0; i < count; i++) {
			double begin = wall_ns();

			if (!work_run(&sides[i], sides[i].session, what, 1))
				return false;
			ns[i][n] = wall_ns() - begin;
		}
	for (unsigned i = 0; i < count; i++) {
		double p50 = median(ns[i], samples);

		if (i == 0)
			printf("%s %s %.1f\n", id, sides[0].name, p50);
		else
			printf("%s %s %.3f\n", id, sides[i].name, p50 / median(ns[0], samples));
	}
	return true;
}

bool measure_rsa(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES && ratio("P9-rsa2048", sides, count, WORK_SIGN, SAMPLES);
}

bool measure_ratio(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES && ratio("P9-p256", sides, count, WORK_SIGN, SAMPLES) &&
	       ratio("P9-gcm1k", sides, count, WORK_GCM_1K, SAMPLES) &&
	       ratio("P9-gcm64k", sides, count, WORK_GCM_64K, SAMPLES);
}

bool measure_parts(struct side *sides, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		sides[i].sign = CKM_SHA256_RSA_PKCS;
	return count <= MAX_SIDES && ratio("P10-sign", sides, count, WORK_MIB_SIGN, FEWER) &&
	       ratio("P10-cbc", sides, count, WORK_MIB_CBC, FEWER) &&
	       ratio("P10-gcm", sides, count, WORK_MIB_GCM, FEWER) &&
	       ratio("P10-digest", sides, count, WORK_MIB_DIGEST, FEWER);
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

/* Signatures a second of each side with so many threads, the others times the direct side. */
static bool rates(const char *id, struct side *sides, unsigned count, unsigned threads)
{
	double wall[MAX_SIDES][BENCH_ROUNDS];
	double cpu;

	for (unsigned round = 0; round < BENCH_ROUNDS; round++)
		for (unsigned i = 0; i < count; i++)
			if (!together(&sides[i], WORK_SIGN, threads, DEVICE_SLICE, &wall[i][round],
				      &cpu))
				return false;
	for (unsigned i = count; i-- > 0;) {
		double m = median(wall[i], BENCH_ROUNDS);
		double rate = threads * DEVICE_SLICE / (m / 1e9);

		printf("%s %s %.3f\n", id, sides[i].name,
		       i ? median(wall[0], BENCH_ROUNDS) / m : rate);
	}
	return true;
}

bool measure_threads(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES && rates("P11-1", sides, count, 1) &&
	       rates("P11-2", sides, count, 2) && rates("P11-4", sides, count, 4) &&
	       rates("P11-8", sides, count, 8) && rates("P11-16", sides, count, 16);
}

bool measure_balanced(struct side *sides, unsigned count)
{
	return count <= MAX_SIDES && rates("P12", sides, count, 16);
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

bool measure_find(struct side *sides, unsigned count)
{
	const struct side *few = &sides[0];
	const struct side *many = &sides[1];
	double ratios[BENCH_ROUNDS];
	unsigned long n = count == 2 ? calibrate(few, WORK_FIND) : 0;

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

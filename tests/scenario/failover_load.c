/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that do every operation over and over while commands run that break and mend members.
 * Between two commands each thread completes some operations, so that every state of the members is
 * worked in. No operation may fail, ever; the longest one tells what a failure costs. */
#include "tests/scenario/failover.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 64
/* Operations of each thread between two commands, and how long they may take all together. */
#define BETWEEN     8
#define PATIENCE_MS 60000
/* The first ones of each thread say enough. */
#define FAILURES_SHOWN 5

/* One of the threads. */
struct worker {
	struct seat seat;
	pthread_t thread;
	const struct op *first; /* threads begin at different operations */
	_Atomic unsigned long done;
	_Atomic unsigned long failed;
	long long longest_ms;
	const char *longest;
};

static _Atomic bool stops;

static void work_once(struct worker *w, const struct op *op)
{
	long long begun = now_ms();
	CK_RV rv = op_run(&w->seat, op);
	long long took = now_ms() - begun;

	if (rv != CKR_OK && atomic_fetch_add(&w->failed, 1) < FAILURES_SHOWN)
		fprintf(stderr, "%s: 0x%lx\n", op->name, rv);
	if (took > w->longest_ms) {
		w->longest_ms = took;
		w->longest = op->name;
	}
	atomic_fetch_add(&w->done, 1);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct op *op = w->first;

	while (!atomic_load(&stops)) {
		work_once(w, op);
		op = op_next(w->seat.world, op);
		if (!op)
			op = op_next(w->seat.world, NULL);
	}
	return NULL;
}

/* Ends the threads, or exit handlers would run under them. */
static void join(struct worker *workers, unsigned count)
{
	atomic_store(&stops, true);
	for (unsigned i = 0; i < count; i++)
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
}

/* Each thread has done some more. */
static void wait_for_work(struct worker *workers, unsigned count)
{
	long long end = now_ms() + PATIENCE_MS;

	for (unsigned i = 0; i < count; i++) {
		unsigned long goal = atomic_load(&workers[i].done) + BETWEEN;

		while (atomic_load(&workers[i].done) < goal) {
			(void)usleep(500);
			if (now_ms() < end)
				continue;
			fprintf(stderr, "thread %u does not get on (%lu operations)\n", i,
				atomic_load(&workers[i].done));
			_exit(1); /* it cannot be joined */
		}
	}
}

static void begin(struct worker *workers, unsigned count, struct world *world)
{
	const struct op *op = op_next(world, NULL);

	for (unsigned i = 0; i < count; i++) {
		seat_take(&workers[i].seat, world);
		workers[i].first = op;
		for (unsigned k = 0; k < 5 && op; k++)
			op = op_next(world, op);
		if (!op)
			op = op_next(world, NULL);
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
}

/* The sums; ends the program when an operation failed. */
static void report(struct worker *workers, unsigned count)
{
	unsigned long done = 0;
	unsigned long failed = 0;
	const struct worker *slowest = &workers[0];

	for (unsigned i = 0; i < count; i++) {
		done += workers[i].done;
		failed += workers[i].failed;
		if (workers[i].longest_ms > slowest->longest_ms)
			slowest = &workers[i];
	}
	printf("operations %lu failed %lu longest %lld ms (%s)\n", done, failed,
	       slowest->longest_ms, slowest->longest ? slowest->longest : "none");
	CHECK(done > 0 && failed == 0);
}

/* Operations that the token says it can do. */
static unsigned count_offered(const struct world *world)
{
	unsigned count = 0;

	for (const struct op *op = op_next(world, NULL); op; op = op_next(world, op))
		count++;
	return count;
}

void load_run(struct world *world, unsigned threads, unsigned rounds, char **commands, int count)
{
	static struct worker workers[THREADS_MAX];
	const unsigned offered = count_offered(world);

	CHECK(threads > 0 && threads <= THREADS_MAX && offered > 0);
	begin(workers, threads, world);
	for (unsigned round = 0; round < rounds; round++)
		for (int i = 0; i < count; i++) {
			wait_for_work(workers, threads);
			if (system(commands[i]) == 0)
				continue;
			join(workers, threads);
			fprintf(stderr, "failed: %s\n", commands[i]);
			exit(1);
		}
	wait_for_work(workers, threads);
	join(workers, threads);
	CHECK(count_offered(world) == offered); /* no mechanism vanished with a member */
	report(workers, threads);
}

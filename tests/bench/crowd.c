/* SPDX-License-Identifier: BSD-2-Clause */
/* Crowds. Every thread keeps its own numbers, for each phase apart, and nobody else reads them
 * before it is joined; phase and end are the only things that are shared. */
#include "tests/bench/crowd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/names.h"
#include "tests/bench/plan.h"

/* Times kept for each thread and phase, the latest ones; enough for a median. */
#define TIMES 1024
/* More failures than this are counted, but not described. */
#define DESCRIBED 20

/* One thread in one phase. */
struct part {
	struct crowd_count count;
	uint64_t gap_ns;
	unsigned long timed;
	uint32_t time_us[TIMES];
};

struct member_of_crowd {
	struct crowd *crowd;
	struct actor actor;
	pthread_t id;
	bool is_started;
	struct part part[CROWD_PHASES];
};

struct crowd {
	struct loaded m;
	struct known known;
	CK_SLOT_ID slot;
	uint32_t tasks;
	unsigned threads;
	unsigned pause_ms;
	atomic_uint phase;
	atomic_bool is_over;
	atomic_uint described;
	struct member_of_crowd member[CROWD_MAX_THREADS];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static enum task choose(struct actor *a, uint32_t tasks)
{
	enum task task;

	do
		task = (enum task)(actor_random(a) % TASK_COUNT);
	while (!(tasks & TASK_BIT(task)));
	return task;
}

static void describe(struct crowd *c, const struct actor *a, enum task task, bool is_wrong)
{
	char spare[NAME_MAX_LEN];

	if (atomic_fetch_add(&c->described, 1) >= DESCRIBED)
		return;
	if (is_wrong)
		fprintf(stderr, "%s: wrong result (%s)\n", task_name(task), a->detail);
	else
		fprintf(stderr, "%s: %s: %s\n", task_name(task), a->call,
			name_of(NAME_RV, a->rv, spare));
}

static void record(struct member_of_crowd *m, enum task task, enum outcome outcome)
{
	struct part *p = &m->part[atomic_load(&m->crowd->phase)];

	switch (outcome) {
	case OUTCOME_RIGHT:
		p->count.done++;
		return;
	case OUTCOME_ERROR:
		p->count.errors++;
		break;
	case OUTCOME_WRONG:
		p->count.wrong++;
		break;
	}
	describe(m->crowd, &m->actor, task, outcome == OUTCOME_WRONG);
}

/* A gap ends with a right result, or with the thread; errors are no service. */
static void gap_note(struct member_of_crowd *m, uint64_t since, uint64_t until)
{
	struct part *p = &m->part[atomic_load(&m->crowd->phase)];

	if (until - since > p->gap_ns)
		p->gap_ns = until - since;
}

static void *work(void *arg)
{
	struct member_of_crowd *m = arg;
	uint64_t last = now_ns();

	while (!atomic_load(&m->crowd->is_over)) {
		enum task task = choose(&m->actor, m->crowd->tasks);
		uint64_t begin = now_ns();
		enum outcome outcome = task_run(&m->actor, task);
		uint64_t end = now_ns();
		struct part *p = &m->part[atomic_load(&m->crowd->phase)];

		record(m, task, outcome);
		p->time_us[p->timed++ % TIMES] = (uint32_t)((end - begin) / 1000);
		if (outcome == OUTCOME_RIGHT) {
			gap_note(m, last, end);
			last = end;
		}
		if (m->crowd->pause_ms)
			plan_pause(m->crowd->pause_ms);
	}
	gap_note(m, last, now_ns());
	return NULL;
}

static bool enter(struct crowd *c, const struct crowd_plan *plan)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_BYTE pin[] = KNOWN_PIN;
	CK_SESSION_HANDLE session;
	CK_RV rv;

	if (!load_module(plan->module, &c->m))
		return false;
	rv = c->m.f->C_Initialize(&args);
	if (rv != CKR_OK || !load_find_slot(c->m.f, plan->label, &c->slot)) {
		fprintf(stderr, "no token %s (C_Initialize: 0x%lx)\n", plan->label, rv);
		return false;
	}
	rv = c->m.f->C_OpenSession(c->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				   &session);
	if (rv == CKR_OK)
		rv = c->m.f->C_Login(session, CKU_USER, pin, sizeof(pin) - 1);
	if (rv != CKR_OK) {
		fprintf(stderr, "%s: login: 0x%lx\n", plan->label, rv);
		return false;
	}
	return known_prepare() && known_find(c->m.f, session, &c->known);
}

static bool begin(struct crowd *c, unsigned index, uint64_t seed)
{
	struct member_of_crowd *m = &c->member[index];

	m->crowd = c;
	m->actor = (struct actor){.f = c->m.f, .slot = c->slot, .known = &c->known};
	if (!actor_begin(&m->actor, seed + index))
		return false;
	m->is_started = pthread_create(&m->id, NULL, work, m) == 0;
	return m->is_started;
}

struct crowd *crowd_start(const struct crowd_plan *plan)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (!c || plan->threads > CROWD_MAX_THREADS || !enter(c, plan)) {
		crowd_free(c);
		return NULL;
	}
	c->tasks = plan->tasks;
	c->threads = plan->threads;
	c->pause_ms = plan->pause_ms;
	for (unsigned i = 0; i < plan->threads; i++)
		if (!begin(c, i, plan->seed * CROWD_MAX_THREADS)) {
			(void)crowd_stop(c); /* it did not even start */
			crowd_free(c);
			return NULL;
		}
	return c;
}

void crowd_phase(struct crowd *c, unsigned phase)
{
	atomic_store(&c->phase, phase);
}

bool crowd_stop(struct crowd *c)
{
	bool is_good = true;

	atomic_store(&c->is_over, true);
	for (unsigned i = 0; i < c->threads; i++)
		if (c->member[i].is_started)
			is_good = pthread_join(c->member[i].id, NULL) == 0 && is_good;
	return c->m.f->C_Finalize(NULL) == CKR_OK && is_good;
}

struct crowd_count crowd_count(const struct crowd *c, unsigned phases)
{
	struct crowd_count sum = {0};

	for (unsigned i = 0; i < c->threads; i++)
		for (unsigned phase = 0; phase < CROWD_PHASES; phase++) {
			const struct crowd_count *one = &c->member[i].part[phase].count;

			if (!(phases & 1U << phase))
				continue;
			sum.done += one->done;
			sum.errors += one->errors;
			sum.wrong += one->wrong;
		}
	return sum;
}

static int descending(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x < *y) - (*x > *y);
}

static double gap_of(const struct member_of_crowd *m, unsigned phases)
{
	uint64_t gap = 0;

	for (unsigned phase = 0; phase < CROWD_PHASES; phase++)
		if ((phases & 1U << phase) && m->part[phase].gap_ns > gap)
			gap = m->part[phase].gap_ns;
	return (double)gap / 1e6;
}

double crowd_gap_ms(const struct crowd *c, unsigned phases, unsigned skip)
{
	double gap[CROWD_MAX_THREADS];

	for (unsigned i = 0; i < c->threads; i++)
		gap[i] = gap_of(&c->member[i], phases);
	qsort(gap, c->threads, sizeof(*gap), descending);
	return skip < c->threads ? gap[skip] : 0;
}

double crowd_median_ms(const struct crowd *c, unsigned phase)
{
	double *all = calloc((size_t)c->threads * TIMES, sizeof(*all));
	size_t count = 0;
	double result;

	for (unsigned i = 0; all && i < c->threads; i++) {
		const struct part *p = &c->member[i].part[phase];

		for (unsigned long n = 0; n < p->timed && n < TIMES; n++)
			all[count++] = p->time_us[n];
	}
	if (count)
		qsort(all, count, sizeof(*all), descending);
	result = count ? all[count / 2] / 1e3 : 0;
	free(all);
	return result;
}

void crowd_free(struct crowd *c)
{
	for (unsigned i = 0; c && i < c->threads; i++)
		actor_end(&c->member[i].actor);
	free(c);
}

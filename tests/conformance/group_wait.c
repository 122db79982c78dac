/* SPDX-License-Identifier: BSD-2-Clause */
/* C_WaitForSlotEvent: Base 5.5. The cases initialise the module themselves, as one of them
 * finalises it while a thread waits. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/conformance/world.h"

/* A thread that waits for an event. */
struct waiter {
	struct suite *t;
	atomic_bool is_about_to; /* call */
	CK_RV rv;
};

static void polls(struct suite *t)
{
	CK_SLOT_ID slot = 0;
	char text[] = "x";

	OK(t, Initialize, t->init_args);
	EXPECT(t, CKR_NO_EVENT, WaitForSlotEvent, CKF_DONT_BLOCK, &slot, NULL);
	EXPECT(t, CKR_NO_EVENT, WaitForSlotEvent, CKF_DONT_BLOCK, &slot, NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, WaitForSlotEvent, CKF_DONT_BLOCK, NULL, NULL);
	EXPECT(t, CKR_ARGUMENTS_BAD, WaitForSlotEvent, CKF_DONT_BLOCK, &slot, text);
	OK(t, Finalize, NULL);
}

static void *waits(void *opaque)
{
	struct waiter *w = opaque;
	CK_SLOT_ID slot;

	atomic_store(&w->is_about_to, true);
	w->rv = w->t->f->C_WaitForSlotEvent(0, &slot, NULL);
	return NULL;
}

/* Whether the thread ended within `ms`. */
static bool ended(pthread_t thread, long ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void blocks(struct suite *t)
{
	struct waiter w = {.t = t, .rv = CKR_GENERAL_ERROR};
	pthread_t thread;

	OK(t, Initialize, t->init_args);
	if (!CHECK(t, pthread_create(&thread, NULL, waits, &w) == 0))
		return;
	while (!atomic_load(&w.is_about_to))
		;
	/* A call that does not block would be over by then; nothing else depends on the time. */
	if (!CHECK(t, !ended(thread, 300)))
		return;
	OK(t, GetInfo, &(CK_INFO){.flags = 0});
	OK(t, Finalize, NULL);
	if (CHECK(t, ended(thread, 5000)))
		CHECK(t, w.rv == CKR_CRYPTOKI_NOT_INITIALIZED);
}

static const struct conform_case cases[] = {
	{"C_WaitForSlotEvent without blocking is CKR_NO_EVENT", polls},
	{"C_Finalize ends a C_WaitForSlotEvent that blocks", blocks},
};

const struct group group_wait = {"wait", CASES_OF(cases), true};

/* SPDX-License-Identifier: BSD-2-Clause */
/* core/pool.c over the null token: reuse, limits (configured and learned), waiting, epochs, and
 * members that are being initialised anew. */
#include "core/pool.h"

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/library.h"
#include "core/member.h"
#include "core/mux.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define THREADS 8
#define ROUNDS  2000

/* Sessions that the member allows; 0: any number. */
static unsigned long allowed;

static CK_RV open_few(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		      CK_SESSION_HANDLE *session)
{
	if (allowed && world_sessions() >= allowed)
		return CKR_SESSION_COUNT;
	return world_real()->C_OpenSession(slot, flags, application, notify, session);
}

static CK_RV open_none(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		       CK_SESSION_HANDLE *session)
{
	(void)slot;
	(void)flags;
	(void)application;
	(void)notify;
	(void)session;
	return CKR_SESSION_COUNT;
}

static CK_RV open_write_protected(CK_SLOT_ID slot, CK_FLAGS flags, void *application,
				  CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	if (flags & CKF_RW_SESSION)
		return CKR_TOKEN_WRITE_PROTECTED;
	return world_real()->C_OpenSession(slot, flags, application, notify, session);
}

static CK_RV open_broken(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
			 CK_SESSION_HANDLE *session)
{
	(void)slot;
	(void)flags;
	(void)application;
	(void)notify;
	(void)session;
	return CKR_DEVICE_REMOVED;
}

static void a_session_given_back_is_lent_again(void)
{
	struct member_session *a, *b;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 3, 0, &a), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 3, 0, &b), CKR_OK);
	CU_ASSERT_PTR_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(world_sessions(), 2);
	pool_give(a, 3);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 60, 0, &a), CKR_OK);
	CU_ASSERT_EQUAL(world_sessions(), 2);
	pool_drop(a);
	CU_ASSERT_EQUAL(world_sessions(), 1);
	pool_give(b, 0);
	pool_empty(world_member(), true);
	CU_ASSERT_EQUAL(world_sessions(), 0);
	world_end();
}

static void no_more_are_kept_than_there_is_room_for(void)
{
	struct member_session *ms[POOL_IDLE + 5];

	world_begin(NULL, NULL);
	for (unsigned i = 0; i < POOL_IDLE + 5; i++)
		CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms[i]), CKR_OK);
	for (unsigned i = 0; i < POOL_IDLE + 5; i++)
		pool_give(ms[i], 0);
	CU_ASSERT_EQUAL(world_sessions(), POOL_IDLE);
	CU_ASSERT_EQUAL(world_pool(world_member()), POOL_IDLE);
	world_end();
}

static void the_configured_limit_is_kept(void)
{
	struct member_session *ms[3];
	long long begin;

	world_begin("max_sessions = 2;", NULL);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms[0]), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms[1]), CKR_OK);
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 0, &ms[2]), CKR_SESSION_COUNT);
	begin = clock_ms();
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 50, &ms[2]), CKR_SESSION_COUNT);
	CU_ASSERT(clock_ms() - begin >= 50);
	pool_drop(ms[0]);
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 0, &ms[0]), CKR_OK);
	pool_give(ms[0], 0);
	pool_give(ms[1], 0);
	world_end();
}

/* Asks the member once, then waits for its own; but not for ever, as the sessions may have been
 * another process's. */
static void a_limit_is_learned_from_the_member_for_a_moment(void)
{
	struct member_session *ms[4];
	uint64_t asked;

	world_begin(NULL, NULL);
	world_list()->C_OpenSession = open_few;
	clock_set_ms(1000000);
	allowed = 3;
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms[i]), CKR_OK);
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 0, &ms[3]), CKR_SESSION_COUNT);
	asked = world_calls("C_OpenSession");
	allowed = 0;
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 0, &ms[3]), CKR_SESSION_COUNT);
	clock_set_ms(1000000 + 99);
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 0, &ms[3]), CKR_SESSION_COUNT);
	CU_ASSERT_EQUAL(world_calls("C_OpenSession"), asked);
	clock_set_ms(1000000 + 100);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms[3]), CKR_OK);
	clock_set_ms(-1);
	for (unsigned i = 0; i < 4; i++)
		pool_give(ms[i], i);
	world_end();
}

/* Somebody else has them all: waiting for one of ours would be in vain. */
static void with_none_of_ours_open_nobody_waits(void)
{
	struct member_session *ms;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	pool_drop(ms);
	clock_set_ms(1000000); /* waiting would never end */
	world_list()->C_OpenSession = open_none;
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 1000, &ms), CKR_SESSION_COUNT);
	clock_set_ms(-1);
	world_end();
}

static void a_write_protected_token_gives_read_only_sessions(void)
{
	struct member_session *ms;
	CK_SESSION_INFO info = {0};

	world_begin(NULL, NULL);
	world_list()->C_OpenSession = open_write_protected;
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	CU_ASSERT_EQUAL(world_real()->C_GetSessionInfo(ms->real, &info), CKR_OK);
	CU_ASSERT_FALSE(info.flags & CKF_RW_SESSION);
	pool_give(ms, 0);
	world_end();
}

static void a_failed_open_leaves_nothing(void)
{
	struct member_session *ms = NULL;

	world_begin(NULL, NULL);
	world_list()->C_OpenSession = open_broken;
	CU_ASSERT_EQUAL(pool_take(world_member(), 0, 1000, &ms), CKR_DEVICE_REMOVED);
	CU_ASSERT_PTR_NULL(ms);
	CU_ASSERT_EQUAL(world_pool(world_member()), 0);
	CU_ASSERT_PTR_NULL(world_member()->pool.all);
	world_end();
}

static void a_session_of_an_earlier_epoch_is_closed_not_lent(void)
{
	struct member_session *idle, *lent, *ms;
	CK_SESSION_HANDLE old[2];

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &idle), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &lent), CKR_OK);
	old[0] = idle->real;
	old[1] = lent->real;
	pool_give(idle, 0);
	member_lost(world_member(), atomic_load(&world_member()->epoch), "a test",
		    CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(pool_take(world_member(), 1, 0, &ms), CKR_DEVICE_ERROR);
	CU_ASSERT_TRUE(member_up(world_member(), true));
	pool_give(lent, 0);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	CU_ASSERT_NOT_EQUAL(ms->real, old[0]);
	CU_ASSERT_NOT_EQUAL(ms->real, old[1]);
	CU_ASSERT_EQUAL(world_sessions(), 1);
	pool_give(ms, 0);
	world_end();
}

/* Its number may be another's after the library was initialised anew. */
static void a_session_of_an_earlier_library_is_only_forgotten(void)
{
	struct member_session *ms;
	uint64_t closed;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	atomic_fetch_add(&world_member()->lib->epoch, 1);
	atomic_fetch_add(&world_member()->epoch, 1);
	closed = world_calls("C_CloseSession");
	pool_give(ms, 0);
	CU_ASSERT_EQUAL(world_calls("C_CloseSession"), closed);
	CU_ASSERT_EQUAL(world_pool(world_member()), 0);
	world_end();
}

static void nobody_enters_while_the_member_is_quiet(void)
{
	struct pool *p;
	struct member_session *ms, *other;

	world_begin(NULL, NULL);
	p = &world_member()->pool;
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	CU_ASSERT_TRUE(pool_enter(ms));
	CU_ASSERT_FALSE(pool_quiesce(p, 5));
	pool_leave(ms);
	CU_ASSERT_TRUE(pool_quiesce(p, 5));
	CU_ASSERT_FALSE(pool_enter(ms));
	CU_ASSERT_NOT_EQUAL(pool_take(world_member(), 0, 0, &other), CKR_OK);
	pool_resume(p);
	CU_ASSERT_TRUE(pool_enter(ms));
	pool_leave(ms);
	pool_give(ms, 0);
	world_end();
}

/* The check is inside the bracket: a restart between borrowing and calling is noticed. */
static void nobody_enters_another_life_of_the_library(void)
{
	struct library *lib;
	struct member_session *ms;

	world_begin(NULL, NULL);
	lib = world_member()->lib;
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	atomic_store(&lib->state, LIBRARY_DOWN);
	CU_ASSERT_FALSE(pool_enter(ms));
	CU_ASSERT_EQUAL(ms->in_call, 0);
	atomic_store(&lib->state, LIBRARY_UP);
	atomic_fetch_add(&lib->epoch, 1);
	CU_ASSERT_FALSE(pool_enter(ms));
	atomic_fetch_sub(&lib->epoch, 1);
	CU_ASSERT_TRUE(pool_enter(ms));
	pool_leave(ms);
	pool_give(ms, 0);
	world_end();
}

struct crowd {
	_Atomic unsigned inside, most, failed;
	bool drops;
};

static void *take_and_give(void *arg)
{
	struct crowd *c = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct member_session *ms;
		unsigned now, most;

		if (pool_take(world_member(), i, 20000, &ms) != CKR_OK) {
			atomic_fetch_add(&c->failed, 1);
			continue;
		}
		now = atomic_fetch_add(&c->inside, 1) + 1;
		most = atomic_load(&c->most);
		while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
			;
		atomic_fetch_sub(&c->inside, 1);
		if (c->drops && i % 3 == 0)
			pool_drop(ms);
		else
			pool_give(ms, i + 7);
	}
	return NULL;
}

static void crowd_in(struct crowd *c)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, take_and_give, c), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void eight_threads_share_two_sessions(void)
{
	struct crowd gives = {0}, drops = {.drops = true};

	world_begin("max_sessions = 2;", NULL);
	crowd_in(&gives);
	CU_ASSERT_EQUAL(gives.failed, 0);
	CU_ASSERT(gives.most <= 2);
	crowd_in(&drops);
	CU_ASSERT_EQUAL(drops.failed, 0);
	CU_ASSERT(drops.most <= 2);
	CU_ASSERT(world_pool(world_member()) <= 2);
	CU_ASSERT_EQUAL(world_member()->pool.waiters, 0);
	world_end();
}

/* What a closed session did still counts. */
static void calls_are_counted_over_all_sessions(void)
{
	struct member_session *a, *b;
	unsigned open, busy;
	struct tally sum;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &a), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &b), CKR_OK);
	tally_count(&a->tally, false, 20);
	tally_count(&a->tally, true, -1);
	tally_count(&b->tally, false, 20);
	pool_give(a, 0);
	pool_tally(&world_member()->pool, &sum, &open, &busy);
	CU_ASSERT_EQUAL(open, 2);
	CU_ASSERT_EQUAL(busy, 1);
	CU_ASSERT_EQUAL(sum.calls, 3);
	pool_drop(b);
	pool_tally(&world_member()->pool, &sum, &open, &busy);
	CU_ASSERT_EQUAL(open, 1);
	CU_ASSERT_EQUAL(busy, 0);
	CU_ASSERT_EQUAL(sum.calls, 3);
	CU_ASSERT_EQUAL(sum.errors, 1);
	CU_ASSERT_EQUAL(sum.bucket[tally_bucket(20)], 2);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_session_given_back_is_lent_again),
		UNIT(no_more_are_kept_than_there_is_room_for),
		UNIT(the_configured_limit_is_kept),
		UNIT(a_limit_is_learned_from_the_member_for_a_moment),
		UNIT(with_none_of_ours_open_nobody_waits),
		UNIT(a_write_protected_token_gives_read_only_sessions),
		UNIT(a_failed_open_leaves_nothing),
		UNIT(a_session_of_an_earlier_epoch_is_closed_not_lent),
		UNIT(a_session_of_an_earlier_library_is_only_forgotten),
		UNIT(nobody_enters_while_the_member_is_quiet),
		UNIT(nobody_enters_another_life_of_the_library),
		UNIT(eight_threads_share_two_sessions),
		UNIT(calls_are_counted_over_all_sessions),
	};

	return unit_run("core/pool", tests, sizeof tests / sizeof tests[0]);
}

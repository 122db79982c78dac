/* SPDX-License-Identifier: BSD-2-Clause */
/* core/mux.c: start, end, start again, and calls that are on their way meanwhile. */
#include "core/mux.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/session.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define THREADS 8

bool __real_session_close_everything(long long deadline_ms);
bool __wrap_session_close_everything(long long deadline_ms);

/* How often the sessions were closed. */
static _Atomic unsigned closed;

bool __wrap_session_close_everything(long long deadline_ms)
{
	bool all = __real_session_close_everything(deadline_ms);

	atomic_fetch_add(&closed, 1);
	return all;
}

int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);

/* Of the one thread that waits for the end. */
static _Atomic bool is_waiting, may_wake;

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	int err;

	atomic_store(&is_waiting, true);
	err = __real_pthread_cond_wait(cond, lock);
	pthread_mutex_unlock(lock);
	while (!atomic_load(&may_wake))
		(void)usleep(100);
	pthread_mutex_lock(lock);
	return err;
}

static CK_RV initialize(CK_C_INITIALIZE_ARGS args)
{
	return mux_init(&args);
}

static CK_RV no_mutex(void **mutex)
{
	(void)mutex;
	return CKR_OK;
}

static CK_RV no_lock(void *mutex)
{
	(void)mutex;
	return CKR_OK;
}

static void arguments_are_checked_before_anything_happens(void)
{
	static char relative[] = "config=hsmux.conf", other[] = "something else", endless[5000];

	memset(endless, 'x', sizeof endless - 1);
	memcpy(endless, "config=/", 8);
	endless[sizeof endless - 1] = '\0';
	CU_ASSERT_EQUAL(initialize((CK_C_INITIALIZE_ARGS){.CreateMutex = no_mutex}),
			CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(
		initialize((CK_C_INITIALIZE_ARGS){no_mutex, no_lock, no_lock, no_lock, 0, NULL}),
		CKR_CANT_LOCK);
	CU_ASSERT_EQUAL(initialize((CK_C_INITIALIZE_ARGS){.pReserved = relative}),
			CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(initialize((CK_C_INITIALIZE_ARGS){.pReserved = other}), CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(initialize((CK_C_INITIALIZE_ARGS){.pReserved = endless}),
			CKR_ARGUMENTS_BAD);
	CU_ASSERT_EQUAL(mux_check(), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(mux_take(), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(mux_fini(), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(mux_wait_end(), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void it_starts_once_and_ends_once(void)
{
	struct group *g;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(mux_init_config(world_config(NULL, NULL)),
			CKR_CRYPTOKI_ALREADY_INITIALIZED);
	CU_ASSERT_EQUAL(mux_group_count(), 1);
	CU_ASSERT_EQUAL(slot_take(WORLD_SLOT, &g), CKR_OK);
	CU_ASSERT_PTR_EQUAL(g, world_group());
	slot_give();
	CU_ASSERT_EQUAL(slot_take(WORLD_SLOT + 1, &g), CKR_SLOT_ID_INVALID);
	world_end();
	CU_ASSERT_EQUAL(mux_fini(), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(slot_take(WORLD_SLOT, &g), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static _Atomic unsigned started;

static void *start(void *arg)
{
	CK_RV rv = mux_init_config(arg);

	if (rv == CKR_OK)
		atomic_fetch_add(&started, 1);
	else if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		atomic_fetch_add(&started, 100);
	return NULL;
}

static void of_many_starts_one_succeeds(void)
{
	struct config *configs[THREADS];
	pthread_t threads[THREADS];

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(mux_fini(), CKR_OK);
	for (unsigned i = 0; i < THREADS; i++)
		configs[i] = world_config(NULL, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, start, configs[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(started, 1);
	world_end();
}

static CK_SESSION_HANDLE late;
static CK_RV late_rv;

static void *open_late(void *arg)
{
	_Atomic bool *begun = arg;

	atomic_store(begun, true);
	late_rv = session_open(WORLD_SLOT, CKF_SERIAL_SESSION, NULL, NULL, &late);
	return NULL;
}

static void *finish(void *arg)
{
	(void)arg;
	CU_ASSERT_EQUAL(mux_fini(), CKR_OK);
	return NULL;
}

/* True while the slot calls keep C_Finalize out. */
static bool is_inside(void)
{
	return atomic_load(&world_group()->sessions) > 0;
}

/* The opening thread is held up by the login's lock, between the scan of all sessions and the end
 * of the slot calls. */
static void a_session_opened_while_it_ends_does_not_survive(void)
{
	_Atomic bool begun = false;
	pthread_t opener, ender;
	struct group *g;
	unsigned before;

	world_begin(NULL, NULL);
	g = world_group();
	before = atomic_load(&closed);
	pthread_mutex_lock(&g->login_lock);
	CU_ASSERT_FALSE(is_inside());
	CU_ASSERT_EQUAL_FATAL(pthread_create(&opener, NULL, open_late, &begun), 0);
	while (!atomic_load(&begun))
		(void)usleep(100);
	(void)usleep(20000); /* lets it come to the lock: without that nothing is tested */
	CU_ASSERT_EQUAL_FATAL(pthread_create(&ender, NULL, finish, NULL), 0);
	while (atomic_load(&closed) == before)
		(void)usleep(100);
	pthread_mutex_unlock(&g->login_lock);
	pthread_join(opener, NULL);
	pthread_join(ender, NULL);
	CU_ASSERT_EQUAL(mux_init_config(world_config(NULL, NULL)), CKR_OK);
	CU_ASSERT_NOT_EQUAL(session_check(late), CKR_OK);
	world_end();
}

static void *wait_end(void *arg)
{
	_Atomic bool *ended = arg;

	CU_ASSERT_EQUAL(mux_wait_end(), CKR_CRYPTOKI_NOT_INITIALIZED);
	atomic_store(ended, true);
	return NULL;
}

/* A waiter that wakes so late that it finds the library up again. */
static void every_waiter_hears_the_end(void)
{
	_Atomic bool ended = false;
	pthread_t thread;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, wait_end, &ended), 0);
	while (!atomic_load(&is_waiting))
		(void)usleep(100);
	CU_ASSERT_EQUAL(mux_fini(), CKR_OK);
	CU_ASSERT_EQUAL(mux_init_config(world_config(NULL, NULL)), CKR_OK);
	atomic_store(&may_wake, true);
	for (unsigned i = 0; i < 5000 && !atomic_load(&ended); i++)
		(void)usleep(1000);
	CU_ASSERT_TRUE(ended);
	world_end();
	pthread_join(thread, NULL);
}

static int child(CK_SESSION_HANDLE inherited)
{
	if (mux_check() != CKR_CRYPTOKI_NOT_INITIALIZED)
		return 1;
	if (session_check(inherited) != CKR_CRYPTOKI_NOT_INITIALIZED)
		return 2;
	if (mux_fini() != CKR_OK || mux_fini() != CKR_CRYPTOKI_NOT_INITIALIZED)
		return 3;
	if (mux_init_config(world_config(NULL, NULL)) != CKR_OK)
		return 4;
	if (session_check(inherited) != CKR_SESSION_HANDLE_INVALID)
		return 5;
	if (world_find(world_open(), CKO_PUBLIC_KEY) == 0)
		return 6;
	return mux_fini() == CKR_OK ? 0 : 7;
}

static void a_forked_child_starts_from_nothing(void)
{
	CK_SESSION_HANDLE s;
	int status = -1;
	pid_t pid;

	world_begin(NULL, NULL);
	s = world_enter();
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PRIVATE_KEY), 0);
	pid = fork();
	if (pid == 0)
		_exit(child(s));
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(session_check(s), CKR_OK);
	CU_ASSERT_EQUAL(world_sign(s, world_find(s, CKO_PRIVATE_KEY)), CKR_OK);
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
	CU_ASSERT_EQUAL(mux_fini(), CKR_OK);
	CU_ASSERT_EQUAL(mux_init_config(world_config(NULL, NULL)), CKR_OK);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(arguments_are_checked_before_anything_happens),
		UNIT(it_starts_once_and_ends_once),
		UNIT(of_many_starts_one_succeeds),
		UNIT(a_session_opened_while_it_ends_does_not_survive),
		UNIT(every_waiter_hears_the_end),
		UNIT(a_forked_child_starts_from_nothing),
	};

	return unit_run("core/mux", tests, sizeof tests / sizeof tests[0]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The library as a whole.
 *
 * State: DOWN -> STARTING -> UP -> ENDING -> DOWN, changed under init_lock. It lives in a page of
 * its own that the kernel wipes in a forked child (MADV_WIPEONFORK), so that one load answers
 * "initialised, and not forked", also after a clone() that ran no atfork handlers.
 *
 * In a forked child nothing of the parent's is called or freed: sessions and tables are forgotten,
 * and C_Initialize starts from nothing.
 *
 * What slot calls look at (groups, configuration) is protected by `shape`: they hold it for
 * reading, C_Finalize takes it for writing. Sessions have their own protection (session.c). */
#include "core/mux.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alias.h"
#include "core/assembly.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "core/carry.h"
#include "core/health.h"
#include "core/intent.h"
#include "core/journal.h"
#include "core/key_facts.h"
#include "core/library.h"
#include "core/login.h"
#include "core/object.h"
#include "core/session.h"

/* How long C_Finalize waits for calls in flight, and exit for the same. */
#define FINALIZE_WAIT_MS 5000
#define EXIT_WAIT_MS     1000
/* The longest string that is accepted in pReserved; "config=" and a path. */
#define RESERVED_MAX 4096

enum { STATE_DOWN, STATE_STARTING, STATE_UP, STATE_ENDING };

/* The one global of the library. */
static struct {
	pthread_mutex_t init_lock;  /* one C_Initialize or C_Finalize at a time */
	pthread_rwlock_t shape;     /* guards the fields below against C_Finalize */
	pthread_mutex_t event_lock; /* with `event`: C_WaitForSlotEvent waits for the end */
	pthread_cond_t event;
	unsigned ends;     /* times that C_Finalize began; guarded by event_lock */
	bool has_handlers; /* the atfork handler is registered */
	bool was_up;       /* initialised by this process or the one it was forked from */
	bool is_building;  /* in a forked child: only half of `all` was there */
	struct assembly all;
} mux = {
	.init_lock = PTHREAD_MUTEX_INITIALIZER,
	.shape = PTHREAD_RWLOCK_INITIALIZER,
	.event_lock = PTHREAD_MUTEX_INITIALIZER,
	.event = PTHREAD_COND_INITIALIZER,
};

/* Until the page exists the state is a plain zero. */
static _Atomic int state_before;
static _Atomic(_Atomic int *) state = &state_before;

static int state_now(void)
{
	return atomic_load_explicit(atomic_load_explicit(&state, memory_order_relaxed),
				    memory_order_acquire);
}

static void state_set(int value)
{
	atomic_store(atomic_load(&state), value);
}

CK_RV mux_check(void)
{
	return state_now() == STATE_UP ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

/* The locks may be held by threads that do not exist in the child; the page is wiped by the kernel,
 * or here where it cannot do that. Only memory is written: this runs between fork and anything
 * else. `shape` is looked at once more by forget_parent(). */
static void in_child(void)
{
	pthread_mutex_init(&mux.init_lock, NULL);
	pthread_mutex_init(&mux.event_lock, NULL);
	pthread_cond_init(&mux.event, NULL);
	state_set(STATE_DOWN);
}

static bool set_up_once(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	if (mux.has_handlers)
		return true;
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	(void)madvise(p, page, MADV_WIPEONFORK); /* where unknown, in_child() does it */
	if (pthread_atfork(NULL, NULL, in_child) != 0)
		return false;
	atomic_store(&state, (_Atomic int *)p);
	mux.has_handlers = true;
	return true;
}

/* Forgets what was inherited. The parent's libraries and sessions are not called. Where a thread of
 * the parent was inside hsmux when it forked, what it worked on may be half changed: then the
 * memory is left alone. */
static void forget_parent(void)
{
	bool is_quiet = pthread_rwlock_trywrlock(&mux.shape) == 0;

	if (is_quiet)
		pthread_rwlock_unlock(&mux.shape);
	journal_forget_parent(); /* first: operations that are forgotten give back to it */
	is_quiet = session_forget_everything() && is_quiet && !mux.is_building;
	is_quiet = health_forget_parent() && is_quiet;
	library_forget_parent();
	object_forget_everything(true);
	key_facts_forked();
	caller_forked();
	carry_forget_everything(true);
	intents_forget_parent();
	alias_forget_everything(is_quiet);
	if (is_quiet)
		assembly_free(&mux.all);
	mux.all = (struct assembly){0};
	mux.was_up = false;
	mux.is_building = false;
	pthread_rwlock_init(&mux.shape, NULL);
}

/* Waits for slot calls to leave; false when one does not. */
static bool shape_close(long long wait_ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += (time_t)(wait_ms / 1000) + 1;
	return pthread_rwlock_timedwrlock(&mux.shape, &ts) == 0;
}

static void end(long long wait_ms)
{
	bool ended, closed;

	pthread_mutex_lock(&mux.event_lock);
	state_set(STATE_ENDING);
	mux.ends++;
	pthread_cond_broadcast(&mux.event);
	pthread_mutex_unlock(&mux.event_lock);
	assembly_ending(&mux.all);
	ended = session_close_everything(clock_ms() + wait_ms);
	closed = shape_close(wait_ms);
	/* One that was being opened while the others were closed. */
	if (closed)
		ended = session_close_everything(clock_ms() + wait_ms) && ended;
	ended = assembly_stop(&mux.all, ended && closed, wait_ms);
	object_forget_everything(false);
	key_facts_forget();
	carry_forget_everything(false);
	alias_forget_everything(true);
	if (ended)
		assembly_free(&mux.all);
	else
		mux.all = (struct assembly){0}; /* a call that never returned still looks at it */
	mux.was_up = false;
	if (closed)
		pthread_rwlock_unlock(&mux.shape);
	state_set(STATE_DOWN);
}

/* Runs before the exit handlers of the libraries that were loaded before it was registered: their
 * code still works, while the application's own handlers, which run later, find hsmux closed. */
static void at_exit(void)
{
	if (pthread_mutex_trylock(&mux.init_lock) != 0)
		return; /* somebody starts or ends it just now */
	if (state_now() == STATE_UP)
		end(EXIT_WAIT_MS);
	pthread_mutex_unlock(&mux.init_lock);
}

static CK_RV start(struct config *config, bool may_thread)
{
	CK_RV rv;

	mux.was_up = true;
	mux.is_building = true;
	rv = assembly_build(&mux.all, config, may_thread);
	mux.is_building = false;
	mux.was_up = rv == CKR_OK;
	state_set(rv == CKR_OK ? STATE_UP : STATE_DOWN);
	return rv;
}

/* `config` NULL: it is looked for. */
static CK_RV init_locked(const char *file, struct config *config, CK_FLAGS flags)
{
	struct diag diag = {0};

	if (!set_up_once()) {
		config_free(config);
		return CKR_HOST_MEMORY;
	}
	if (state_now() != STATE_DOWN) {
		config_free(config);
		return CKR_CRYPTOKI_ALREADY_INITIALIZED;
	}
	state_set(STATE_STARTING);
	if (mux.was_up)
		forget_parent();
	log_setup(LOG_LEVEL_WARN, false);
	if (!config)
		config = config_load(file, &diag);
	/* Daemons have no stderr: what is wrong with a configuration goes to syslog, too. */
	log_setup(config ? config->log_level : LOG_LEVEL_WARN, config ? config->log_syslog : true);
	assembly_log(&diag, LOG_LEVEL_ERROR);
	if (!config) {
		state_set(STATE_DOWN);
		return CKR_GENERAL_ERROR;
	}
	library_setup(flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS, at_exit);
	return start(config, !(flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS));
}

static CK_RV init(const char *file, struct config *config, CK_FLAGS flags)
{
	CK_RV rv;

	if (library_is_starting()) {
		config_free(config);
		return CKR_FUNCTION_FAILED;
	}
	pthread_mutex_lock(&mux.init_lock);
	rv = init_locked(file, config, flags);
	pthread_mutex_unlock(&mux.init_lock);
	return rv;
}

/* The standard wants pReserved NULL; "config=/path" is ours. Anything else is not looked into
 * beyond the first bytes that differ: it may be another module's structure. */
static bool reserved_file(const void *reserved, const char **file)
{
	static const char prefix[] = "config=";
	const char *text = reserved;

	*file = NULL;
	if (!text)
		return true;
	if (strncmp(text, prefix, sizeof prefix - 1) != 0)
		return false;
	*file = text + sizeof prefix - 1;
	return **file == '/' && strnlen(*file, RESERVED_MAX) < RESERVED_MAX;
}

CK_RV mux_init(const CK_C_INITIALIZE_ARGS *args)
{
	const char *file = NULL;
	int callbacks;

	if (!args)
		return init(NULL, NULL, 0);
	callbacks = !!args->CreateMutex + !!args->DestroyMutex + !!args->LockMutex +
		    !!args->UnlockMutex;
	if ((callbacks != 0 && callbacks != 4) || !reserved_file(args->pReserved, &file))
		return CKR_ARGUMENTS_BAD;
	/* Our condition variables cannot be made of the application's mutexes. */
	if (callbacks == 4 && !(args->flags & CKF_OS_LOCKING_OK))
		return CKR_CANT_LOCK;
	return init(file, NULL, args->flags);
}

CK_RV mux_init_config(struct config *config)
{
	return init(NULL, config, 0);
}

CK_RV mux_fini(void)
{
	CK_RV rv = CKR_OK;

	if (library_is_starting())
		return CKR_FUNCTION_FAILED;
	pthread_mutex_lock(&mux.init_lock);
	if (state_now() == STATE_UP)
		end(FINALIZE_WAIT_MS);
	else if (mux.was_up)
		forget_parent(); /* a child that did not initialise: callers that know nothing of
				    forks */
	else
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	pthread_mutex_unlock(&mux.init_lock);
	return rv;
}

size_t mux_group_count(void)
{
	return mux.all.group_count;
}

struct group *mux_group(size_t i)
{
	return mux.all.groups[i];
}

const struct config *mux_config(void)
{
	return mux.all.config;
}

CK_RV mux_take(void)
{
	if (state_now() != STATE_UP)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	pthread_rwlock_rdlock(&mux.shape);
	if (state_now() == STATE_UP)
		return CKR_OK;
	pthread_rwlock_unlock(&mux.shape);
	return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV slot_take(CK_SLOT_ID slot, struct group **group)
{
	CK_RV rv = mux_take();

	if (rv != CKR_OK)
		return rv;
	for (size_t i = 0; i < mux.all.group_count; i++) {
		if (mux.all.groups[i]->conf->slot != slot)
			continue;
		*group = mux.all.groups[i];
		return CKR_OK;
	}
	slot_give();
	return CKR_SLOT_ID_INVALID;
}

void slot_give(void)
{
	pthread_rwlock_unlock(&mux.shape);
}

CK_RV mux_wait_end(void)
{
	unsigned before;

	pthread_mutex_lock(&mux.event_lock);
	before = mux.ends;
	while (state_now() == STATE_UP && mux.ends == before)
		pthread_cond_wait(&mux.event, &mux.event_lock);
	pthread_mutex_unlock(&mux.event_lock);
	return CKR_CRYPTOKI_NOT_INITIALIZED;
}

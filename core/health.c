/* SPDX-License-Identifier: BSD-2-Clause */
/* Health: who looks after the members.
 *
 * Who looks: one thread of ours; where the application allows none, or while it does not come back
 * from a member's code, the calls themselves, one at a time. What is done is the same: a member
 * that is down and due is brought back, one that serves and had nothing to do is probed.
 *
 * The thread works on a copy of the assembly's description (struct watch), because it may outlive a
 * C_Finalize inside a member's code; then what the copy points to is left alone, too.
 *
 * A fork() in the middle of a member's code would leave the child with a library that is locked for
 * ever; so a process that forks waits, a short while, until the thread is outside (`still`).
 *
 * `lock` is a leaf: nothing is called while it is held. No lock of ours is held while the thread
 * rests. A member that comes back is admitted only after its login and the objects in use were
 * looked at; only one thread at a time does that for a member (member.is_returning). */
#include "core/health.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/health_look.h"
#include "core/health_share.h"
#include "core/login.h"
#include "core/object.h"
#include "core/orphan.h"
#include "core/replicate.h"

/* The shortest rest. */
#define REST_MIN_MS 5
/* How long a fork() waits for the thread. */
#define FORK_MS 100
/* The thread is inside one member for longer than this: calls help themselves. */
#define HUNG_MS 5000
/* Good answers in a row that a member gives before it serves: at the start, and later. */
#define PROBES_AT_START 1
#define PROBES          2

/* What is looked after, for one life of the library. */
struct watch {
	struct assembly all;   /* a copy; what it points to is the library's */
	_Atomic int is_ending; /* the thread is to end */
	_Atomic int is_left;   /* by the thread, or by who waited for it in vain: the last frees */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;   /* the thread rests: look */
	pthread_cond_t served; /* calls wait: a member serves, or somebody finished looking */
	bool is_made;          /* the conditions are; guarded by lock */
	bool is_woken;         /* guarded by lock */
	bool is_looking;       /* a call looks itself; guarded by lock */
	bool is_done;          /* the thread has ended; guarded by lock */

	pthread_mutex_t still; /* held by the thread while it may be in a member's code, and by
				* who forks */
	bool has_handlers;     /* for fork() */

	struct watch *_Atomic watch; /* NULL: nothing is looked after */
	_Atomic int has_thread;
	bool may_thread;         /* of who starts and stops */
	_Atomic int is_starting; /* C_Initialize has not reached all members yet */
	_Atomic int is_ending;
	_Atomic int is_at_work;      /* the thread does not rest */
	_Atomic long long inside_ms; /* when the thread went into a member; 0: it is not */
	_Atomic long long ticked_ms; /* health_tick() looked last */
	pthread_t thread;            /* of who starts and stops */
	pid_t pid;                   /* of the process that started */
} health = {.lock = PTHREAD_MUTEX_INITIALIZER, .still = PTHREAD_MUTEX_INITIALIZER};

/* This thread is ours: what it forks itself (a member that starts a program) waits for nobody. */
static _Thread_local bool is_ours;
/* This thread forks, and holds `still` meanwhile. */
static _Thread_local bool is_forking;

static void make_condition(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* Goes on where a test stops clock_ms(), so that no wait is for ever. */
static long long real_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The lock is held. */
static void wait_for(pthread_cond_t *cond, long long ms)
{
	long long at = real_ms() + ms;
	struct timespec end = {.tv_sec = (time_t)(at / 1000),
			       .tv_nsec = (long)(at % 1000) * 1000000L};

	(void)pthread_cond_timedwait(cond, &health.lock, &end); /* looked at again in any case */
}

static void tell_waiters(void)
{
	pthread_mutex_lock(&health.lock);
	if (health.is_made)
		pthread_cond_broadcast(&health.served);
	pthread_mutex_unlock(&health.lock);
}

void health_wake(void)
{
	pthread_mutex_lock(&health.lock);
	health.is_woken = true;
	if (health.is_made)
		pthread_cond_signal(&health.wake);
	pthread_mutex_unlock(&health.lock);
}

bool health_has_thread(void)
{
	long long inside = atomic_load_explicit(&health.inside_ms, memory_order_relaxed);

	return atomic_load_explicit(&health.has_thread, memory_order_relaxed) &&
	       (inside == 0 || clock_ms() - inside <= HUNG_MS);
}

bool health_ask(struct member *m)
{
	return member_alive(m);
}

/* Login and keys, then the breaker closes. The member is up. */
static bool admit(struct member *m, bool is_starting)
{
	unsigned epoch = atomic_load(&m->epoch);
	bool was_lost = atomic_load(&m->serving_since_ms) != 0;
	char why[sizeof m->reason] = "";

	if (atomic_load(&m->group->user) != GROUP_PUBLIC)
		login_sync(m->group, m);
	if (group_waits_for(m) && !atomic_load(&m->is_refusing)) {
		member_put_off(m, "no session for the login yet");
		return false;
	}
	orphan_clean(m);
	if (!replicate_return(m, why, sizeof why)) {
		member_put_off(m, why);
		return false;
	}
	if (!is_starting)
		object_check_member(m);
	if (!member_admit(m, epoch, is_starting ? PROBES_AT_START : PROBES))
		return false;
	log_msg(LOG_LEVEL_INFO, "member %s of token %s: serves%s", m->conf->name, m->group_label,
		was_lost ? " again" : "");
	tell_waiters();
	return true;
}

bool health_bring_back(struct member *m)
{
	bool serves;
	int nobody = 0;

	if (!m->group->is_multi)
		return member_up(m, true);
	if (atomic_load(&m->serves))
		return true;
	if (!atomic_compare_exchange_strong(&m->is_returning, &nobody, 1))
		return false;
	serves = member_up(m, true) && admit(m, atomic_load(&health.is_starting) != 0);
	atomic_store(&m->is_returning, 0);
	return serves;
}

/* The thread's round; how long to rest after it. */
static long long look_around(struct watch *w)
{
	const struct assembly *a = &w->all;
	long long rest = LOOK_MS;

	look_chores(a);
	for (size_t i = 0; i < a->group_count; i++) {
		for (size_t k = 0; a->groups[i]->is_multi && k < a->groups[i]->member_count; k++) {
			struct member *m = &a->groups[i]->members[k];

			if (atomic_load(&w->is_ending))
				return 0;
			pthread_mutex_lock(&health.still);
			atomic_store(&health.inside_ms, clock_ms());
			(void)look_member(m, true); /* the rest follows from where it stands now */
			pthread_mutex_unlock(&health.still);
			if (atomic_load(&health.watch) == w)
				atomic_store(&health.inside_ms, 0);
			rest = look_rest(m) < rest ? look_rest(m) : rest;
		}
	}
	return rest > REST_MIN_MS ? rest : REST_MIN_MS;
}

static void *run(void *arg)
{
	struct watch *w = arg;

	is_ours = true;
	while (!atomic_load(&w->is_ending)) {
		long long rest = look_around(w);

		if (atomic_load(&w->is_ending))
			break; /* of an earlier life, perhaps: the flags below are another's */
		pthread_mutex_lock(&health.lock);
		atomic_store(&health.is_at_work, 0);
		if (!health.is_woken && !atomic_load(&w->is_ending))
			wait_for(&health.wake, rest);
		health.is_woken = false;
		atomic_store(&health.is_at_work, 1);
		pthread_mutex_unlock(&health.lock);
	}
	pthread_mutex_lock(&health.lock);
	if (atomic_load(&health.watch) == w)
		health.is_done = true;
	pthread_cond_broadcast(&health.served);
	pthread_mutex_unlock(&health.lock);
	if (atomic_exchange(&w->is_left, 1))
		free(w);
	return NULL;
}

/* By the wall clock: the thread sanitizer does not know pthread_mutex_clocklock(), and should
 * somebody set the clock, the thread comes out soon in any case. */
static bool take_still(long long wait_ms)
{
	long long end_ms = member_wall_ms() + wait_ms;
	struct timespec end = {.tv_sec = (time_t)(end_ms / 1000),
			       .tv_nsec = (long)(end_ms % 1000) * 1000000L};

	return pthread_mutex_timedlock(&health.still, &end) == 0;
}

bool health_hold(long long wait_ms)
{
	return take_still(wait_ms);
}

void health_release(void)
{
	pthread_mutex_unlock(&health.still);
}

static void before_fork(void)
{
	is_forking = !is_ours && atomic_load(&health.has_thread) && take_still(FORK_MS);
}

static void after_fork(void)
{
	if (is_forking)
		pthread_mutex_unlock(&health.still);
}

static void in_child(void)
{
	pthread_mutex_init(&health.still, NULL);
}

/* No signal of the application's is ever handled in a thread of ours. */
static bool start_thread(struct watch *w)
{
	sigset_t all, before;
	bool runs;

	/* Without the handlers it runs as well. */
	health.has_handlers =
		health.has_handlers || pthread_atfork(before_fork, after_fork, in_child) == 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&health.is_at_work, 1);
	runs = pthread_create(&health.thread, NULL, run, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (runs)
		(void)pthread_setname_np(health.thread, "hsmux-health"); /* for people only */
	return runs;
}

static bool has_multi(const struct assembly *a)
{
	for (size_t i = 0; i < a->group_count; i++)
		if (a->groups[i]->is_multi)
			return true;
	return false;
}

void health_start(struct assembly *a, bool may_thread)
{
	struct watch *w;

	if (health.pid && health.pid != getpid())
		(void)health_forget_parent(); /* nothing of the parent's is freed here */
	if (!has_multi(a))
		return;
	pthread_mutex_lock(&health.lock);
	if (!health.is_made) {
		make_condition(&health.wake);
		make_condition(&health.served);
	}
	health.is_made = true;
	health.is_woken = false;
	health.is_looking = false;
	health.is_done = false;
	pthread_mutex_unlock(&health.lock);
	health.pid = getpid();
	atomic_store(&health.is_ending, 0);
	atomic_store(&health.is_starting, 1);
	health.may_thread = may_thread;
	atomic_store(&health.inside_ms, 0);
	atomic_store(&health.ticked_ms, clock_ms() - LOOK_MS);
	share_open(a);
	w = calloc(1, sizeof *w);
	if (w)
		w->all = *a;
	atomic_store(&health.watch, w); /* without memory calls help themselves */
}

void health_watch(void)
{
	struct watch *w = atomic_load(&health.watch);

	atomic_store(&health.is_starting, 0);
	if (w && health.may_thread)
		atomic_store(&health.has_thread, start_thread(w));
}

void health_ending(void)
{
	struct watch *w = atomic_load(&health.watch);

	atomic_store(&health.is_ending, 1);
	if (w)
		atomic_store(&w->is_ending, 1);
	health_wake();
	tell_waiters();
}

/* True when the thread has ended. */
static bool join(long long wait_ms)
{
	long long left, end = real_ms() + wait_ms;
	bool is_done;

	pthread_mutex_lock(&health.lock);
	while (!health.is_done && (left = end - real_ms()) > 0)
		wait_for(&health.served, left);
	is_done = health.is_done;
	pthread_mutex_unlock(&health.lock);
	if (is_done)
		return pthread_join(health.thread, NULL) == 0;
	(void)pthread_detach(health.thread); /* it keeps what it works on, and ends some day */
	log_msg(LOG_LEVEL_ERROR,
		"health: the thread does not come back from a member's code; what it looks at is "
		"left alone");
	return false;
}

bool health_stop(long long wait_ms)
{
	struct watch *w = atomic_load(&health.watch);
	bool ended = true, is_looking;

	health_ending();
	if (atomic_exchange(&health.has_thread, 0))
		ended = join(wait_ms);
	atomic_store(&health.watch, NULL);
	pthread_mutex_lock(&health.lock);
	is_looking = health.is_looking;
	pthread_mutex_unlock(&health.lock);
	if (ended ? !is_looking : atomic_exchange(&w->is_left, 1))
		free(w);
	share_close(false);
	return ended && !is_looking;
}

bool health_forget_parent(void)
{
	bool was_idle = !atomic_load(&health.has_thread) || !atomic_load(&health.is_at_work);

	pthread_mutex_init(&health.lock, NULL);
	look_forget_parent();
	health.is_made = false;
	share_close(true);
	if (was_idle)
		free(atomic_load(&health.watch));
	atomic_store(&health.watch, NULL);
	atomic_store(&health.has_thread, 0);
	health.pid = 0;
	return was_idle;
}

/* A call begins to look itself: false while another does. */
static bool begin_look(void)
{
	bool is_mine;

	pthread_mutex_lock(&health.lock);
	is_mine = !health.is_looking;
	health.is_looking = true;
	pthread_mutex_unlock(&health.lock);
	return is_mine;
}

static void end_look(void)
{
	pthread_mutex_lock(&health.lock);
	health.is_looking = false;
	pthread_mutex_unlock(&health.lock);
	tell_waiters();
}

void health_tick(void)
{
	long long last = atomic_load_explicit(&health.ticked_ms, memory_order_relaxed);
	struct watch *w = atomic_load_explicit(&health.watch, memory_order_acquire);
	bool is_done = false;

	if (!w || health_has_thread() || clock_ms() - last < LOOK_MS ||
	    !atomic_compare_exchange_strong(&health.ticked_ms, &last, clock_ms()) || !begin_look())
		return;
	look_chores(&w->all);
	for (size_t i = 0; i < w->all.group_count && !is_done; i++)
		for (size_t k = 0;
		     w->all.groups[i]->is_multi && !is_done && k < w->all.groups[i]->member_count;
		     k++)
			is_done = look_member(&w->all.groups[i]->members[k], false);
	end_look();
}

static bool any_serves(const struct group *g, unsigned mask)
{
	for (size_t i = 0; i < g->member_count; i++)
		if ((mask & 1U << i) && member_may_serve(&g->members[i]))
			return true;
	return false;
}

/* Only the operator, or a login, could change it: there is nothing to wait for. */
static bool is_hopeless(const struct group *g, unsigned mask)
{
	for (size_t i = 0; i < g->member_count; i++)
		if ((mask & 1U << i) && !atomic_load(&g->members[i].is_drained) &&
		    !atomic_load(&g->members[i].is_refusing))
			return false;
	return true;
}

static void want(struct group *g, bool begins)
{
	for (size_t i = 0; i < g->member_count; i++)
		member_want(&g->members[i], begins);
}

/* A call looks itself, if no other does. */
static void help_yourself(struct group *g, unsigned mask)
{
	if (!begin_look())
		return;
	for (size_t i = 0; i < g->member_count && !any_serves(g, mask); i++)
		(void)look_member(&g->members[i], false); /* whether it serves is asked above */
	end_look();
}

bool health_wait(struct group *g, unsigned mask, long long deadline_ms)
{
	long long left;

	want(g, true);
	health_wake();
	while (!any_serves(g, mask) && !is_hopeless(g, mask) && !atomic_load(&health.is_ending) &&
	       (left = deadline_ms - clock_ms()) > 0) {
		if (!health_has_thread())
			help_yourself(g, mask);
		pthread_mutex_lock(&health.lock);
		if (health.is_made && !any_serves(g, mask) && !atomic_load(&health.is_ending))
			wait_for(&health.served, left < LOOK_SOON_MS ? left : LOOK_SOON_MS);
		pthread_mutex_unlock(&health.lock);
	}
	want(g, false);
	return any_serves(g, mask);
}

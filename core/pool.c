/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions on a member.
 *
 * A session is in one of three places: an idle slot (nobody's), a borrower's hands, or being opened
 * or closed. Whoever takes the pointer out of a slot owns it. The mutex guards the list of all
 * sessions and the numbers; vendor code is never called while it is held.
 *
 * Epochs: a session opened in an earlier epoch of its member is closed instead of being lent; it is
 * not even closed when the library was initialised anew, because its number may be another's now.
 */
#include "core/pool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/library.h"
#include "core/member.h"
#include "core/pool_real.h"

/* A waiter looks again after this long, which bounds the gap between looking and waiting. */
#define SLICE_MS 5
/* How often a member is asked at once that refuses a first session. */
#define ASK_AGAIN 3U
/* How long a limit that a member showed is believed: much shorter than calls wait, as the sessions
 * may have been another process's, and long enough that a full member is not asked by all. */
#define LEARNED_MS 100

void pool_init(struct pool *p, unsigned limit)
{
	pthread_condattr_t attr;

	for (unsigned i = 0; i < POOL_IDLE; i++)
		atomic_init(&p->idle[i], NULL);
	atomic_init(&p->waiters, 0);
	atomic_init(&p->is_quiet, 0);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->given, &attr);
	pthread_condattr_destroy(&attr);
	p->all = NULL;
	p->reserved = 0;
	p->was_used = false;
	p->used_epoch = 0;
	p->serial = 0;
	p->limit = limit;
	p->learned = 0;
	p->learned_epoch = 0;
	p->learned_until_ms = 0;
	memset(&p->past, 0, sizeof p->past);
}

void pool_fini(struct pool *p)
{
	while (p->all) {
		struct member_session *ms = p->all;

		p->all = ms->next;
		free(ms);
	}
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
}

bool pool_enter(struct member_session *ms)
{
	const struct library *lib = ms->member->lib;

	/* Pairs with pool_quiesce: either it sees our mark, or we see that it is quiet. What is
	 * looked at behind the mark cannot change until we leave. */
	atomic_store(&ms->in_call, 1);
	if (!atomic_load(&ms->member->pool.is_quiet) && atomic_load(&lib->state) == LIBRARY_UP &&
	    atomic_load(&lib->epoch) == ms->lib_epoch)
		return true;
	atomic_store(&ms->in_call, 0);
	return false;
}

void pool_leave(struct member_session *ms)
{
	atomic_store_explicit(&ms->in_call, 0, memory_order_release);
}

static bool anybody_inside(struct pool *p)
{
	bool inside = false;

	pthread_mutex_lock(&p->lock);
	for (struct member_session *ms = p->all; ms && !inside; ms = ms->next)
		inside = atomic_load(&ms->in_call) != 0;
	pthread_mutex_unlock(&p->lock);
	return inside;
}

bool pool_quiesce(struct pool *p, long long wait_ms)
{
	const struct timespec pause = {.tv_nsec = 1000 * 1000};
	long long end = clock_ms() + wait_ms;
	bool inside;

	atomic_store(&p->is_quiet, 1);
	while ((inside = anybody_inside(p)) && clock_ms() < end)
		nanosleep(&pause, NULL); /* a vendor's call gives no signal when it returns */
	return !inside;
}

void pool_resume(struct pool *p)
{
	atomic_store(&p->is_quiet, 0);
}

static void wake(struct pool *p)
{
	if (atomic_load(&p->waiters) == 0)
		return;
	pthread_mutex_lock(&p->lock);
	pthread_cond_broadcast(&p->given);
	pthread_mutex_unlock(&p->lock);
}

void pool_tally(struct pool *p, struct tally *sum, unsigned *open, unsigned *busy)
{
	unsigned idle = 0;

	memset(sum, 0, sizeof *sum);
	pthread_mutex_lock(&p->lock);
	tally_add(sum, &p->past);
	*open = p->reserved;
	for (const struct member_session *ms = p->all; ms; ms = ms->next) {
		tally_add(sum, &ms->tally);
		(*open)++;
	}
	for (unsigned i = 0; i < POOL_IDLE; i++)
		idle += atomic_load_explicit(&p->idle[i], memory_order_relaxed) != NULL;
	pthread_mutex_unlock(&p->lock);
	/* Slots change without the lock: one may have been filled since its session was counted. */
	*busy = *open > idle ? *open - idle : 0;
}

/* The lock is held. Those that are open in the epoch or being opened; what virtual sessions still
 * hold of an earlier one counts for nothing: the member lost it. */
static unsigned present(const struct pool *p, unsigned epoch)
{
	unsigned n = 0;

	for (const struct member_session *ms = p->all; ms; ms = ms->next)
		n += !ms->is_open || ms->epoch == epoch;
	return n;
}

/* The lock is held. The same, with those that are opened beside the pool. */
static unsigned taken(const struct pool *p, unsigned epoch)
{
	return p->reserved + present(p, epoch);
}

/* The lock is held. None of ours is open, and there were some in this epoch: with the last one the
 * member may have forgotten what handles denoted (SoftHSM2 does). */
static bool is_forgetful(const struct pool *p, unsigned epoch)
{
	return p->was_used && p->used_epoch == epoch && present(p, epoch) == 0;
}

/* The lock is held. */
static bool is_full(struct pool *p, unsigned epoch)
{
	unsigned most = p->limit;

	if (p->learned && (clock_ms() >= p->learned_until_ms || p->learned_epoch != epoch))
		p->learned = 0;
	if (p->learned && (!most || p->learned < most))
		most = p->learned;
	return most && taken(p, epoch) >= most;
}

static CK_RV session_new(struct member *member, struct member_session **out)
{
	struct pool *p = &member->pool;
	struct member_session *ms = calloc(1, sizeof *ms);
	const unsigned epoch = atomic_load(&member->epoch);
	bool is_anew;

	if (!ms)
		return CKR_HOST_MEMORY;
	ms->member = member;
	pthread_mutex_lock(&p->lock);
	if (is_full(p, epoch)) {
		pthread_mutex_unlock(&p->lock);
		free(ms);
		return CKR_SESSION_COUNT;
	}
	is_anew = is_forgetful(p, epoch);
	ms->next = p->all;
	if (p->all)
		p->all->prev = ms;
	p->all = ms;
	ms->serial = ++p->serial;
	pthread_mutex_unlock(&p->lock);
	if (is_anew)
		(void)member_begin_anew(member, epoch); /* or somebody else did */
	*out = ms;
	return CKR_OK;
}

static void session_free(struct member_session *ms)
{
	struct pool *p = &ms->member->pool;

	pthread_mutex_lock(&p->lock);
	if (ms->prev)
		ms->prev->next = ms->next;
	else
		p->all = ms->next;
	if (ms->next)
		ms->next->prev = ms->prev;
	tally_add(&p->past, &ms->tally);
	pthread_mutex_unlock(&p->lock);
	free(ms);
	wake(p);
}

/* The member allows no more: remember that for a while, so that the next one waits instead of
 * asking. With none of ours open there is nothing to wait for. */
static void learn_limit(struct member *m)
{
	struct pool *p = &m->pool;
	unsigned epoch = atomic_load(&m->epoch), open;

	pthread_mutex_lock(&p->lock);
	open = taken(p, epoch); /* and the one that was refused */
	p->learned = open > 1 ? open - 1 : 0;
	p->learned_epoch = epoch;
	p->learned_until_ms = clock_ms() + LEARNED_MS;
	pthread_mutex_unlock(&p->lock);
}

static bool forget_learned(struct pool *p)
{
	bool was;

	pthread_mutex_lock(&p->lock);
	was = p->learned != 0;
	p->learned = 0;
	pthread_mutex_unlock(&p->lock);
	return was;
}

static bool has_open(struct member *m)
{
	struct pool *p = &m->pool;
	bool has;

	pthread_mutex_lock(&p->lock);
	has = taken(p, atomic_load(&m->epoch)) > 0;
	pthread_mutex_unlock(&p->lock);
	return has;
}

static void note_open(struct member_session *ms)
{
	struct pool *p = &ms->member->pool;

	pthread_mutex_lock(&p->lock);
	ms->is_open = true;
	p->was_used = true;
	p->used_epoch = ms->epoch;
	pthread_mutex_unlock(&p->lock);
}

/* `is_refused`: the member said that it allows no more, not our own limit. */
static CK_RV open_new(struct member *member, struct member_session **out, bool *is_refused)
{
	struct member_session *ms;
	CK_RV rv = session_new(member, &ms);

	*is_refused = false;
	if (rv != CKR_OK)
		return rv;
	rv = pool_open_real(ms);
	if (rv == CKR_OK) {
		note_open(ms);
		*out = ms;
		return CKR_OK;
	}
	*is_refused = rv == CKR_SESSION_COUNT;
	if (*is_refused)
		learn_limit(member);
	session_free(ms);
	return rv;
}

struct member_session *pool_take_at(struct member *member, unsigned place)
{
	_Atomic(struct member_session *) *slot = &member->pool.idle[place % POOL_IDLE];
	struct member_session *ms;

	if (!atomic_load_explicit(slot, memory_order_relaxed))
		return NULL;
	ms = atomic_exchange(slot, NULL);
	if (!ms || ms->epoch == atomic_load(&member->epoch))
		return ms;
	pool_drop(ms);
	return NULL;
}

static struct member_session *take_idle(struct member *member, unsigned hint)
{
	struct member_session *ms = NULL;

	for (unsigned i = 0; !ms && i < POOL_IDLE; i++)
		ms = pool_take_at(member, hint + i);
	return ms;
}

/* False when the time is over. Registered as a waiter before looking once more, so that a session
 * that is given back in between is not missed. */
static bool wait_given(struct pool *p, long long end)
{
	struct timespec ts = {.tv_sec = (time_t)(end / 1000),
			      .tv_nsec = (long)(end % 1000) * 1000000L};
	int err;

	pthread_mutex_lock(&p->lock);
	err = pthread_cond_timedwait(&p->given, &p->lock, &ts);
	pthread_mutex_unlock(&p->lock);
	return err == 0;
}

/* Waits until one of ours is given back or may be opened. */
static CK_RV take_later(struct member *member, unsigned hint, long long end,
			struct member_session **out)
{
	struct pool *p = &member->pool;
	CK_RV rv = CKR_SESSION_COUNT;
	bool is_refused;

	while (rv == CKR_SESSION_COUNT && clock_ms() < end) {
		long long slice = clock_ms() + SLICE_MS;

		*out = take_idle(member, hint);
		if (*out)
			return CKR_OK;
		(void)wait_given(p, slice < end ? slice : end); /* looked at again in any case */
		rv = open_new(member, out, &is_refused);
	}
	/* A limit that was only learned may be wrong: the member is asked once more. */
	if (rv == CKR_SESSION_COUNT && forget_learned(p))
		rv = open_new(member, out, &is_refused);
	return rv;
}

CK_RV pool_take(struct member *member, unsigned hint, long long wait_ms,
		struct member_session **out)
{
	struct pool *p = &member->pool;
	struct member_session *ms = take_idle(member, hint);
	bool is_refused, has_some = true;
	CK_RV rv;

	if (ms) {
		*out = ms;
		return CKR_OK;
	}
	rv = open_new(member, out, &is_refused);
	/* Refused with none of ours open: they were closed meanwhile, or all are somebody else's.
	 */
	for (unsigned i = 0; is_refused && !(has_some = has_open(member)) && i < ASK_AGAIN; i++)
		rv = open_new(member, out, &is_refused);
	if (rv != CKR_SESSION_COUNT || wait_ms <= 0 || (is_refused && !has_some))
		return rv;
	atomic_fetch_add(&p->waiters, 1);
	rv = take_later(member, hint, clock_ms() + wait_ms, out);
	atomic_fetch_sub(&p->waiters, 1);
	return rv;
}

void pool_give(struct member_session *ms, unsigned hint)
{
	struct pool *p = &ms->member->pool;

	if (ms->is_dirty || ms->epoch != atomic_load(&ms->member->epoch)) {
		pool_drop(ms);
		return;
	}
	for (unsigned i = 0; i < POOL_IDLE; i++) {
		_Atomic(struct member_session *) *slot = &p->idle[(hint + i) % POOL_IDLE];
		struct member_session *empty = NULL;

		if (atomic_load_explicit(slot, memory_order_relaxed))
			continue;
		if (atomic_compare_exchange_strong(slot, &empty, ms)) {
			wake(p);
			return;
		}
	}
	pool_drop(ms);
}

void pool_keep(struct member_session *ms)
{
	struct pool *p = &ms->member->pool;

	pthread_mutex_lock(&p->lock);
	ms->epoch = atomic_load(&ms->member->epoch);
	pthread_mutex_unlock(&p->lock);
}

void pool_drop(struct member_session *ms)
{
	pool_close_real(ms);
	session_free(ms);
}

void pool_empty(struct member *member, bool closes)
{
	struct pool *p = &member->pool;

	for (unsigned i = 0; i < POOL_IDLE; i++) {
		struct member_session *ms = atomic_exchange(&p->idle[i], NULL);

		if (ms && closes)
			pool_drop(ms);
		else if (ms)
			session_free(ms);
	}
}

uint64_t pool_serial(struct pool *p)
{
	uint64_t serial;

	pthread_mutex_lock(&p->lock);
	serial = p->serial;
	pthread_mutex_unlock(&p->lock);
	return serial;
}

bool pool_reserve(struct member *m)
{
	struct pool *p = &m->pool;
	bool ok;

	pthread_mutex_lock(&p->lock);
	ok = !p->limit || taken(p, atomic_load(&m->epoch)) < p->limit;
	p->reserved += ok;
	pthread_mutex_unlock(&p->lock);
	return ok;
}

void pool_unreserve(struct member *m)
{
	struct pool *p = &m->pool;

	pthread_mutex_lock(&p->lock);
	p->reserved--;
	pthread_mutex_unlock(&p->lock);
	wake(p);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A library to preload that counts exclusive locks by their address. What only one thread ever
 * takes (a session's own lock) is not what stops others, so only addresses that two threads used
 * count.
 *
 * The table is open addressing over atomics: it must not take a lock itself. When it is full,
 * further addresses are not counted, and locks_shared says ~0. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tests/bench/locks.h"

#define SLOTS  4096
#define EXPORT __attribute__((visibility("default")))

/* One lock. `user` is the address of a thread-local of the first thread, or 1 for several threads.
 */
struct seen {
	_Atomic uintptr_t lock;
	_Atomic uintptr_t user;
	_Atomic unsigned long count;
};

static struct seen table[SLOTS];
static atomic_bool is_counting;
static atomic_bool is_full;
static _Thread_local char me;

typedef int mutex_function(pthread_mutex_t *m);
typedef int rwlock_function(pthread_rwlock_t *l);

static mutex_function *_Atomic real_lock;
static mutex_function *_Atomic real_trylock;
static rwlock_function *_Atomic real_wrlock;

void locks_reset(void);
unsigned long locks_shared(void);

static void note(const void *lock)
{
	uintptr_t address = (uintptr_t)lock;
	uintptr_t user = (uintptr_t)&me;

	if (!atomic_load_explicit(&is_counting, memory_order_relaxed))
		return;
	for (uintptr_t i = 0; i < SLOTS; i++) {
		struct seen *s = &table[((address >> 4) + i) % SLOTS];
		uintptr_t is = 0;
		uintptr_t first = 0;

		if (!atomic_compare_exchange_strong(&s->lock, &is, address) && is != address)
			continue;
		if (!atomic_compare_exchange_strong(&s->user, &first, user) && first != user)
			atomic_store(&s->user, 1);
		atomic_fetch_add(&s->count, 1);
		return;
	}
	atomic_store(&is_full, true);
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *m)
{
	mutex_function *real = atomic_load(&real_lock);

	if (!real) {
		void *found = next("pthread_mutex_lock");

		memcpy(&real, &found, sizeof(real));
		atomic_store(&real_lock, real);
	}
	note(m);
	return real(m);
}

EXPORT int pthread_mutex_trylock(pthread_mutex_t *m)
{
	mutex_function *real = atomic_load(&real_trylock);

	if (!real) {
		void *found = next("pthread_mutex_trylock");

		memcpy(&real, &found, sizeof(real));
		atomic_store(&real_trylock, real);
	}
	note(m);
	return real(m);
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	rwlock_function *real = atomic_load(&real_wrlock);

	if (!real) {
		void *found = next("pthread_rwlock_wrlock");

		memcpy(&real, &found, sizeof(real));
		atomic_store(&real_wrlock, real);
	}
	note(l);
	return real(l);
}

EXPORT void locks_reset(void)
{
	memset(table, 0, sizeof(table));
	atomic_store(&is_full, false);
	atomic_store(&is_counting, true);
}

EXPORT unsigned long locks_shared(void)
{
	unsigned long sum = 0;

	atomic_store(&is_counting, false);
	for (unsigned i = 0; i < SLOTS; i++)
		if (atomic_load(&table[i].user) == 1)
			sum += atomic_load(&table[i].count);
	return atomic_load(&is_full) ? ~0UL : sum;
}

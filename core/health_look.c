/* SPDX-License-Identifier: BSD-2-Clause */
/* One look at the members.
 *
 * A member that serves is probed when another process says that it is down, when its last answer
 * was doubtful, and by the thread when nothing was done on it since the last look: a member that
 * works is proof enough. `chores_lock` lets one thread at a time read and publish; no member is
 * called while it is held, nor anything waited for. */
#include "core/health_look.h"

#include <pthread.h>

#include "core/base/clock.h"
#include "core/health.h"
#include "core/health_share.h"

static pthread_mutex_t chores_lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether somebody is inside its library, perhaps for ever: it is looked at another time. */
static bool is_busy(struct library *lib)
{
	if (pthread_mutex_trylock(&lib->lock) != 0)
		return true;
	pthread_mutex_unlock(&lib->lock);
	return false;
}

/* Whether a member that serves did nothing since it was looked at last, so that its silence proves
 * nothing. For the thread. */
static bool was_idle(struct member *m, long long interval)
{
	unsigned long long worked;
	unsigned open, busy;
	struct tally sum;

	if (clock_ms() - m->looked_ms < interval)
		return false;
	m->looked_ms = clock_ms();
	pool_tally(&m->pool, &sum, &open, &busy);
	worked = atomic_load(&sum.calls) - atomic_load(&sum.errors);
	if (worked != m->worked) {
		m->worked = worked;
		return false;
	}
	return true;
}

static bool wants_probe(struct member *m, bool is_thread)
{
	if (atomic_exchange(&m->is_hinted, 0) || atomic_load(&m->suspicions) > 0)
		return true;
	return is_thread && was_idle(m, m->group->config->health.interval_ms);
}

bool look_member(struct member *m, bool is_thread)
{
	/* A member that the operator took out is left in peace. */
	if (atomic_load(&m->is_drained) || is_busy(m->lib))
		return false;
	if (atomic_load(&m->serves)) {
		if (wants_probe(m, is_thread))
			(void)member_probe(m); /* it takes it out itself */
		return false;
	}
	if (clock_ms() < member_due_ms(m))
		return false;
	(void)health_bring_back(m); /* tried again when it does not work */
	return true;
}

void look_chores(const struct assembly *a)
{
	if (pthread_mutex_trylock(&chores_lock) != 0)
		return;
	share_drained(a);
	for (size_t i = 0; i < a->group_count; i++) {
		for (size_t k = 0; a->groups[i]->is_multi && k < a->groups[i]->member_count; k++) {
			struct member *m = &a->groups[i]->members[k];
			enum share_hint hint = share_hint(m);

			if (hint == SHARE_IS_DOWN)
				atomic_store(&m->is_hinted, 1);
			else if (hint == SHARE_IS_BACK)
				atomic_store(&m->next_try_ms, clock_ms());
		}
	}
	share_publish(a);
	pthread_mutex_unlock(&chores_lock);
}

long long look_rest(const struct member *m)
{
	if (atomic_load(&m->is_drained))
		return LOOK_MS;
	if (atomic_load(&m->serves))
		return atomic_load(&m->suspicions) > 0 ? LOOK_SOON_MS : LOOK_MS;
	return member_due_ms(m) - clock_ms();
}

void look_forget_parent(void)
{
	pthread_mutex_init(&chores_lock, NULL);
}

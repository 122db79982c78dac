/* SPDX-License-Identifier: BSD-2-Clause */
/* core/health.c over fork(). Apart from the other tests, because the thread sanitizer knows no
 * threads in a child of a process with threads. */
#include "core/health.h"

#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/object.h"
#include "tests/unit/core/pair.h"
#include "tests/unit/unit.h"

#define NOW 1000000LL

/* No objects are in use: the linker puts it in place of the real one. */
void __wrap_object_check_member(struct member *m);
void __wrap_object_check_member(struct member *m)
{
	(void)m;
}

static void begin(void)
{
	clock_set_ms(NOW);
	pair_begin(true);
}

static void end(void)
{
	clock_set_ms(-1);
	pair_end();
}

static bool first_serves(void)
{
	return atomic_load(&pair_member(0)->serves) != 0;
}

static bool first_hangs(void)
{
	return atomic_load(&pair_ill.is_hanging) != 0;
}

static int in_child(void)
{
	if (health_forget_parent() && pair_ill.hangs)
		return 1; /* it was at work */
	if (health_has_thread())
		return 2;
	clock_set_ms(-1);
	pair_start(true);
	pair_lose(0);
	if (!health_has_thread() || !pair_until(first_serves))
		return 3;
	pair_stop();
	return 0;
}

static int child_of_fork(int (*what)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(what());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

/* The thread is, or was, in the first member's code. */
static void let_it_look(void)
{
	unsigned asked = atomic_load(&pair_ill.asked);

	atomic_store(&pair_member(0)->is_hinted, 1); /* probed at the next look */
	health_wake();
	for (unsigned k = 0; k < 10000 && atomic_load(&pair_ill.asked) == asked; k++)
		pair_pause();
	CU_ASSERT_NOT_EQUAL(atomic_load(&pair_ill.asked), asked);
}

static void a_child_begins_anew_and_the_parent_goes_on(void)
{
	begin();
	/* A thread that has just begun may be in the allocator of the address sanitizer, which then
	 * is locked in the child. */
	let_it_look();
	CU_ASSERT_EQUAL(child_of_fork(in_child), 0);
	CU_ASSERT_TRUE(health_has_thread());
	pair_lose(0);
	clock_set_ms(NOW + 60000);
	health_wake();
	CU_ASSERT_TRUE(pair_until(first_serves));
	end();
}

static void a_child_of_a_hanging_parent_begins_anew(void)
{
	begin();
	atomic_store(&pair_ill.hangs, 1);
	clock_set_ms(NOW + 3000);
	health_wake();
	CU_ASSERT_TRUE(pair_until(first_hangs));
	CU_ASSERT_EQUAL(child_of_fork(in_child), 0);
	atomic_store(&pair_ill.hangs, 0);
	end();
}

static int calls_inside(void)
{
	return atomic_load(&pair_ill.inside);
}

/* The library would be locked in the child by a thread that is not there. */
static void no_fork_happens_while_the_thread_is_in_a_members_code(void)
{
	begin();
	atomic_store(&pair_ill.is_slow, 1);
	for (unsigned i = 0; i < 30; i++) {
		let_it_look();
		CU_ASSERT_EQUAL(child_of_fork(calls_inside), 0);
	}
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_child_begins_anew_and_the_parent_goes_on),
		UNIT(a_child_of_a_hanging_parent_begins_anew),
		UNIT(no_fork_happens_while_the_thread_is_in_a_members_code),
	};

	return unit_run("core/health over fork", tests, sizeof tests / sizeof tests[0]);
}

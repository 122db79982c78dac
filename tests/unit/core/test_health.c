/* SPDX-License-Identifier: BSD-2-Clause */
/* core/health.c and the breaker in core/member.c. Time stands still but where a test moves it; with
 * a thread, tests wait for what they want to see. */
#include "core/health.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/object.h"
#include "tests/unit/core/pair.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define NOW 1000000LL

/* What the check of the objects in use does: the linker puts it in place of the real one. */
static struct {
	_Atomic unsigned count;
	_Atomic int loses;
} check;
void __wrap_object_check_member(struct member *m);
void __wrap_object_check_member(struct member *m)
{
	atomic_fetch_add(&check.count, 1);
	if (atomic_load(&check.loses))
		member_lost(m, atomic_load(&m->epoch), "the check", CKR_DEVICE_REMOVED);
}

static void begin(bool may_thread)
{
	memset(&check, 0, sizeof check);
	clock_set_ms(NOW);
	pair_begin(may_thread);
}

/* With the system's clock. */
static void begin_in_real_time(bool may_thread)
{
	memset(&check, 0, sizeof check);
	pair_begin(may_thread);
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

static bool first_is_lost(void)
{
	return !first_serves();
}

static bool first_hangs(void)
{
	return atomic_load(&pair_ill.is_hanging) != 0;
}

static void break_first(void)
{
	atomic_store(&pair_ill.slots, CKR_DEVICE_ERROR);
	pair_lose(0);
}

static void both_serve_after_the_start(void)
{
	begin(false);
	CU_ASSERT_TRUE(pair_group()->is_multi);
	CU_ASSERT_TRUE(member_may_serve(pair_member(0)));
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	CU_ASSERT_EQUAL(check.count, 0);
	CU_ASSERT_FALSE(health_has_thread());
	end();
}

static void who_is_lost_does_not_serve_and_comes_back_checked(void)
{
	unsigned epoch, signatures;

	begin(false);
	epoch = atomic_load(&pair_member(0)->epoch);
	pair_lose(0);
	CU_ASSERT_FALSE(first_serves());
	CU_ASSERT_EQUAL(pair_member(0)->epoch, epoch + 1);
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	signatures = pair_ill.signatures;
	clock_set_ms(NOW + 7);
	CU_ASSERT_TRUE(health_bring_back(pair_member(0)));
	CU_ASSERT_EQUAL(check.count, 1);
	/* One when it is reached in a library that was not started anew, two to be admitted. */
	CU_ASSERT_EQUAL(pair_ill.signatures, signatures + 3);
	CU_ASSERT_EQUAL(pair_member(0)->serving_since_ms, NOW + 7);
	CU_ASSERT_EQUAL(pair_member(0)->is_returning, 0);
	end();
}

static void who_is_lost_again_while_it_is_checked_does_not_serve(void)
{
	begin(false);
	pair_lose(0);
	atomic_store(&check.loses, 1);
	CU_ASSERT_FALSE(health_bring_back(pair_member(0)));
	CU_ASSERT_FALSE(first_serves());
	CU_ASSERT_EQUAL(pair_member(0)->state, MEMBER_DOWN);
	atomic_store(&check.loses, 0);
	CU_ASSERT_TRUE(health_bring_back(pair_member(0)));
	end();
}

static void who_answers_badly_when_it_comes_back_does_not_serve(void)
{
	begin(false);
	clock_set_ms(NOW + 1000);
	CU_ASSERT_TRUE(health_ask(pair_member(0)));
	pair_lose(0);
	atomic_store(&pair_ill.mac_is_null, 1);
	CU_ASSERT_FALSE(health_bring_back(pair_member(0)));
	CU_ASSERT_FALSE(first_serves());
	CU_ASSERT_PTR_NOT_NULL(strstr(pair_member(0)->reason, "answers wrongly"));
	end();
}

static void only_one_brings_a_member_back(void)
{
	begin(false);
	pair_lose(0);
	atomic_store(&pair_member(0)->is_returning, 1);
	CU_ASSERT_FALSE(health_bring_back(pair_member(0)));
	atomic_store(&pair_member(0)->is_returning, 0);
	CU_ASSERT_TRUE(health_bring_back(pair_member(0)));
	end();
}

/* Each pause is half to one and a half times the last one doubled, at most the longest. */
static void pauses_double_and_are_jittered(void)
{
	static const long long pauses[] = {500, 1000, 2000, 4000, 4000, 4000};
	struct member *m;
	bool is_jittered = false;

	begin(false);
	m = pair_member(0);
	m->serving_since_ms = NOW - 60000;
	break_first();
	CU_ASSERT_EQUAL(m->next_try_ms, NOW);
	for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
		long long pause;

		CU_ASSERT_FALSE(health_bring_back(m));
		pause = m->next_try_ms - NOW;
		CU_ASSERT(pause >= pauses[i] / 2 && pause <= pauses[i] + pauses[i] / 2);
		is_jittered = is_jittered || pause != pauses[i];
	}
	CU_ASSERT_TRUE(is_jittered);
	end();
}

static void who_comes_and_goes_is_tried_ever_later(void)
{
	struct member *m;

	begin(false);
	m = pair_member(0);
	pair_lose(0);
	CU_ASSERT(m->next_try_ms >= NOW + 250 && m->next_try_ms <= NOW + 750);
	CU_ASSERT_TRUE(health_bring_back(m));
	pair_lose(0);
	CU_ASSERT(m->next_try_ms >= NOW + 500 && m->next_try_ms <= NOW + 1500);
	CU_ASSERT_TRUE(health_bring_back(m));
	clock_set_ms(NOW + 10000);
	pair_lose(0);
	CU_ASSERT_EQUAL(m->next_try_ms, NOW + 10000);
	end();
}

static void doubtful_answers_take_it_out_after_three_in_a_row(void)
{
	struct member *m;

	begin(false);
	m = pair_member(0);
	clock_set_ms(NOW + 1000);
	CU_ASSERT_TRUE(health_ask(m));
	atomic_store(&pair_ill.sign, CKR_DEVICE_MEMORY);
	clock_set_ms(NOW + 2000);
	CU_ASSERT_FALSE(health_ask(m));
	CU_ASSERT_TRUE(first_serves());
	CU_ASSERT_EQUAL(m->suspicions, 1);
	CU_ASSERT_FALSE(health_ask(m)); /* not asked again at once */
	CU_ASSERT_EQUAL(m->suspicions, 1);
	clock_set_ms(NOW + 2050);
	CU_ASSERT_FALSE(health_ask(m));
	atomic_store(&pair_ill.sign, CKR_OK);
	clock_set_ms(NOW + 2100);
	CU_ASSERT_TRUE(health_ask(m));
	CU_ASSERT_EQUAL(m->suspicions, 0);
	atomic_store(&pair_ill.sign, CKR_DEVICE_MEMORY);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(first_serves());
		clock_set_ms(NOW + 3000 + 50 * i);
		CU_ASSERT_FALSE(health_ask(m));
	}
	CU_ASSERT_FALSE(first_serves());
	end();
}

static void a_hard_code_takes_it_out_at_once_and_questions_are_few(void)
{
	unsigned asked;

	begin(false);
	clock_set_ms(NOW + 1000);
	CU_ASSERT_TRUE(health_ask(pair_member(0)));
	asked = pair_ill.asked;
	atomic_store(&pair_ill.sign, CKR_DEVICE_REMOVED);
	clock_set_ms(NOW + 1019);
	CU_ASSERT_TRUE(health_ask(pair_member(0)));
	CU_ASSERT_EQUAL(pair_ill.asked, asked);
	clock_set_ms(NOW + 1020);
	CU_ASSERT_FALSE(health_ask(pair_member(0)));
	CU_ASSERT_FALSE(first_serves());
	end();
}

static void while_calls_wait_members_are_tried_sooner(void)
{
	struct member *m;

	begin(false);
	m = pair_member(0);
	break_first();
	CU_ASSERT_FALSE(health_bring_back(m));
	CU_ASSERT_EQUAL(member_due_ms(m), m->next_try_ms);
	member_want(m, true);
	CU_ASSERT_EQUAL(member_due_ms(m), NOW + 50);
	CU_ASSERT_FALSE(health_bring_back(m));
	CU_ASSERT_EQUAL(member_due_ms(m), NOW + 100);
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT_FALSE(health_bring_back(m));
	CU_ASSERT(member_due_ms(m) <= NOW + 500);
	member_want(m, false);
	CU_ASSERT_EQUAL(member_due_ms(m), m->next_try_ms);
	end();
}

static void without_a_thread_who_waits_brings_one_back(void)
{
	begin_in_real_time(false);
	pair_lose(1);
	break_first();
	CU_ASSERT_TRUE(health_wait(pair_group(), ~0U, clock_ms() + 5000));
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	CU_ASSERT_EQUAL(pair_member(1)->wanted, 0);
	end();
}

static void a_wait_ends_with_its_time(void)
{
	long long begun;

	begin_in_real_time(false);
	pair_lose(1);
	break_first();
	atomic_store(&check.loses, 1); /* the second is lost each time */
	begun = clock_ms();
	CU_ASSERT_FALSE(health_wait(pair_group(), ~0U, begun + 120));
	CU_ASSERT(clock_ms() - begun >= 120);
	atomic_store(&pair_member(0)->is_drained, 1);
	atomic_store(&pair_member(1)->is_refusing, 1);
	CU_ASSERT_FALSE(health_wait(pair_group(), ~0U, clock_ms() + 60000)); /* nobody could come */
	end();
}

static void a_tick_brings_one_back_at_most_four_times_a_second(void)
{
	begin(false);
	health_tick();
	pair_member(0)->serving_since_ms = pair_member(1)->serving_since_ms = 0;
	pair_lose(0);
	pair_lose(1);
	clock_set_ms(NOW + 249);
	health_tick();
	CU_ASSERT_FALSE(first_serves());
	clock_set_ms(NOW + 250);
	health_tick();
	CU_ASSERT_TRUE(first_serves());
	CU_ASSERT_FALSE(member_may_serve(pair_member(1)));
	clock_set_ms(NOW + 500);
	health_tick();
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	end();
}

static bool thread_is_named(void)
{
	DIR *tasks = opendir("/proc/self/task");
	bool found = false;
	struct dirent *e;

	while (tasks && (e = readdir(tasks)) != NULL) {
		char path[300], name[32] = "";
		FILE *file;

		(void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		found = found ||
			(fgets(name, sizeof name, file) && strcmp(name, "hsmux-health\n") == 0);
		(void)fclose(file); /* only read */
	}
	if (tasks)
		closedir(tasks);
	return found;
}

static bool thread_is_gone(void)
{
	return !thread_is_named();
}

static void the_thread_brings_a_lost_member_back(void)
{
	begin_in_real_time(true);
	CU_ASSERT_TRUE(health_has_thread());
	CU_ASSERT_TRUE(pair_until(thread_is_named));
	break_first();
	CU_ASSERT_FALSE(first_serves());
	atomic_store(&pair_ill.slots, CKR_OK);
	CU_ASSERT_TRUE(pair_until(first_serves));
	CU_ASSERT_EQUAL(check.count, 1);
	end();
	CU_ASSERT_FALSE(thread_is_named());
}

/* Nobody calls it, so that nobody else would notice. */
static void the_thread_finds_an_idle_member_dead(void)
{
	begin(true);
	clock_set_ms(NOW + 1000);
	health_wake();
	atomic_store(&pair_ill.token_info, CKR_GENERAL_ERROR);
	clock_set_ms(NOW + 3000);
	health_wake();
	CU_ASSERT_TRUE(pair_until(first_is_lost));
	atomic_store(&pair_ill.token_info, CKR_OK);
	end();
}

static _Atomic long long wanted_ms;

static bool first_was_looked_at(void)
{
	return atomic_load(&pair_member(0)->looked_ms) == atomic_load(&wanted_ms);
}

static _Atomic unsigned asked_before;

static bool first_was_probed(void)
{
	return atomic_load(&pair_ill.asked) > atomic_load(&asked_before);
}

static bool at(long long ms, bool (*is)(void))
{
	clock_set_ms(ms);
	atomic_store(&wanted_ms, ms);
	health_wake();
	return pair_until(is);
}

static void only_who_was_idle_is_probed(void)
{
	struct member_session *ms;

	begin(true);
	CU_ASSERT_TRUE(at(NOW, first_was_looked_at));
	CU_ASSERT_EQUAL_FATAL(pool_take(pair_member(0), 0, 0, &ms), CKR_OK);
	tally_count(&ms->tally, false, 30);
	atomic_store(&asked_before, atomic_load(&pair_ill.asked));
	CU_ASSERT_TRUE(at(NOW + 2000, first_was_looked_at));
	CU_ASSERT_FALSE(first_was_probed());
	tally_count(&ms->tally, true, 30); /* a failure is no sign of life */
	CU_ASSERT_TRUE(at(NOW + 4000, first_was_probed));
	pool_give(ms, 0);
	end();
}

static void waiting_calls_are_woken_by_the_thread(void)
{
	begin_in_real_time(true);
	pair_lose(1);
	break_first();
	CU_ASSERT_TRUE(health_wait(pair_group(), ~0U, clock_ms() + 5000));
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	end();
}

/* The thread is inside a call that does not come back: the others are looked after by who needs
 * them, and the end does not wait for it. */
static void a_call_that_hangs_stops_only_the_thread(void)
{
	begin(true);
	atomic_store(&pair_ill.hangs, 1);
	clock_set_ms(NOW + 3000);
	health_wake();
	CU_ASSERT_TRUE(pair_until(first_hangs));
	clock_set_ms(NOW + 8000);
	CU_ASSERT_TRUE(health_has_thread());
	clock_set_ms(NOW + 8001);
	CU_ASSERT_FALSE(health_has_thread());
	pair_lose(1);
	atomic_store(&pair_member(0)->serves, 0); /* or nobody had to wait */
	CU_ASSERT_TRUE(health_wait(pair_group(), ~0U, NOW + 20000));
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	CU_ASSERT_FALSE(health_stop(50));
	atomic_store(&pair_ill.hangs, 0);
	CU_ASSERT_TRUE(pair_until(thread_is_gone)); /* it still looks at what goes now */
	end();
}

static void a_passthrough_token_is_left_alone(void)
{
	world_begin(NULL, NULL);
	CU_ASSERT_FALSE(health_has_thread());
	CU_ASSERT_TRUE(health_ask(world_member()));
	member_lost(world_member(), world_member()->epoch, "a test", CKR_DEVICE_REMOVED);
	health_tick();
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_DOWN);
	CU_ASSERT_TRUE(health_bring_back(world_member()));
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_UP);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(both_serve_after_the_start),
		UNIT(who_is_lost_does_not_serve_and_comes_back_checked),
		UNIT(who_is_lost_again_while_it_is_checked_does_not_serve),
		UNIT(who_answers_badly_when_it_comes_back_does_not_serve),
		UNIT(only_one_brings_a_member_back),
		UNIT(pauses_double_and_are_jittered),
		UNIT(who_comes_and_goes_is_tried_ever_later),
		UNIT(doubtful_answers_take_it_out_after_three_in_a_row),
		UNIT(a_hard_code_takes_it_out_at_once_and_questions_are_few),
		UNIT(while_calls_wait_members_are_tried_sooner),
		UNIT(without_a_thread_who_waits_brings_one_back),
		UNIT(a_wait_ends_with_its_time),
		UNIT(a_tick_brings_one_back_at_most_four_times_a_second),
		UNIT(the_thread_brings_a_lost_member_back),
		UNIT(the_thread_finds_an_idle_member_dead),
		UNIT(only_who_was_idle_is_probed),
		UNIT(waiting_calls_are_woken_by_the_thread),
		UNIT(a_call_that_hangs_stops_only_the_thread),
		UNIT(a_passthrough_token_is_left_alone),
	};

	return unit_run("core/health", tests, sizeof tests / sizeof tests[0]);
}

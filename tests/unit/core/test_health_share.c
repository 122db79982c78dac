/* SPDX-License-Identifier: BSD-2-Clause */
/* core/health_share.c: what other processes say, what they are told, and who is drained. Time
 * stands still but where a test moves it; nobody but the test looks. */
#include "core/health_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/health.h"
#include "core/object.h"
#include "core/state.h"
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
	pair_begin(false);
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

/* Another process says where a member stands. */
static void others_say(unsigned i, bool is_down, long long until_ms, long long since_ms)
{
	struct member *m = pair_member(i);
	struct state_id id = state_id_of(m->lib->conf, m->conf);
	struct state_health health = {.is_down = is_down,
				      .since_ms = since_ms,
				      .until_ms = until_ms,
				      .by = getppid(),
				      .reason = "pulled out"};
	char why[200] = "";
	struct state *state = state_open(pair_directory(), why, sizeof why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(state);
	state_health_put(state, &id, &health);
	state_close(state, false);
}

static void who_others_found_down_is_not_reached_for_at_the_start(void)
{
	begin();
	others_say(0, true, NOW + 900, member_wall_ms() - 2000);
	pair_stop();
	pair_start(false);
	CU_ASSERT_FALSE(first_serves());
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	CU_ASSERT_EQUAL(pair_member(0)->last_try_ms, 0);
	CU_ASSERT_EQUAL(pair_member(0)->next_try_ms, NOW + 900);
	CU_ASSERT_PTR_NOT_NULL(strstr(pair_member(0)->reason, "found down by process"));
	CU_ASSERT_PTR_NOT_NULL(strstr(pair_member(0)->reason, "pulled out"));
	clock_set_ms(NOW + 901);
	health_tick();
	CU_ASSERT_TRUE(first_serves());
	end();
}

static void when_all_are_said_to_be_down_all_are_tried(void)
{
	begin();
	others_say(0, true, NOW + 900, member_wall_ms());
	others_say(1, true, NOW + 900, member_wall_ms());
	pair_stop();
	pair_start(false);
	CU_ASSERT_TRUE(first_serves());
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	end();
}

static void what_others_say_later_is_only_a_hint(void)
{
	unsigned asked;

	begin();
	asked = pair_ill.asked;
	others_say(0, true, NOW + 900, member_wall_ms() + 1000);
	clock_set_ms(NOW + 300);
	health_tick();
	CU_ASSERT_TRUE(first_serves());
	CU_ASSERT_EQUAL(pair_ill.asked, asked + 1);
	others_say(0, true, NOW + 900, member_wall_ms() + 2000);
	atomic_store(&pair_ill.token_info, CKR_DEVICE_REMOVED);
	clock_set_ms(NOW + 600);
	health_tick();
	CU_ASSERT_FALSE(first_serves());
	end();
}

static void others_learn_what_was_lost_here(void)
{
	struct state_health health;
	struct state_id id;
	struct state *state;
	char why[200];

	begin();
	id = state_id_of(pair_member(0)->lib->conf, pair_member(0)->conf);
	pair_lose(0);
	state = state_open(pair_directory(), why, sizeof why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(state);
	CU_ASSERT_TRUE(state_health_get(state, &id, &health));
	CU_ASSERT_TRUE(health.is_down);
	CU_ASSERT_EQUAL(health.by, getpid());
	CU_ASSERT_STRING_EQUAL(health.reason, "a test answered CKR_DEVICE_REMOVED");
	CU_ASSERT_TRUE(health_bring_back(pair_member(0)));
	CU_ASSERT_TRUE(state_health_get(state, &id, &health));
	CU_ASSERT_FALSE(health.is_down);
	state_close(state, false);
	end();
}

static void a_drained_member_is_seen_within_a_quarter_of_a_second(void)
{
	char why[200] = "";

	begin();
	CU_ASSERT_TRUE(state_drain(pair_directory(), "t", "a", true, why, sizeof why));
	clock_set_ms(NOW + 250);
	health_tick();
	CU_ASSERT_TRUE(pair_member(0)->is_drained);
	CU_ASSERT_FALSE(member_may_serve(pair_member(0)));
	CU_ASSERT_TRUE(member_may_serve(pair_member(1)));
	pair_stop();
	pair_start(false);
	CU_ASSERT_TRUE(pair_member(0)->is_drained);
	CU_ASSERT_TRUE(state_drain(pair_directory(), "t", "a", false, why, sizeof why));
	clock_set_ms(NOW + 500);
	health_tick();
	CU_ASSERT_TRUE(member_may_serve(pair_member(0)));
	end();
}

static void what_this_process_does_is_published(void)
{
	struct member_session *ms;
	struct state_process *all;
	size_t n = 0;

	begin();
	CU_ASSERT_EQUAL_FATAL(pool_take(pair_member(0), 0, 0, &ms), CKR_OK);
	tally_count(&ms->tally, true, 30);
	pair_lose(1);
	clock_set_ms(NOW + 1300);
	pair_member(1)->next_try_ms = NOW + 60000;
	health_tick();
	all = state_processes(pair_directory(), &n);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_EQUAL(all[0].pid, getpid());
	CU_ASSERT(all[0].started > 0);
	CU_ASSERT_STRING_EQUAL(all[0].program, "test_core_health_share");
	CU_ASSERT_EQUAL_FATAL(all[0].usage_count, 2);
	CU_ASSERT_STRING_EQUAL(all[0].usage[0].member, "a");
	CU_ASSERT_STRING_EQUAL(all[0].usage[0].breaker, "closed");
	CU_ASSERT_EQUAL(all[0].usage[0].calls, 1);
	CU_ASSERT_EQUAL(all[0].usage[0].errors, 1);
	CU_ASSERT_EQUAL(all[0].usage[0].bucket[tally_bucket(30)], 1);
	CU_ASSERT_EQUAL(all[0].usage[0].busy, 1);
	CU_ASSERT_STRING_EQUAL(all[0].usage[1].state, "down");
	CU_ASSERT_STRING_EQUAL(all[0].usage[1].breaker, "open");
	free(all);
	pool_give(ms, 0);
	end();
}

static void without_a_state_file_it_goes_on(void)
{
	char name[400];

	begin();
	pair_stop();
	(void)snprintf(name, sizeof name, "%s/hsmux.conf", pair_directory());
	pair_start_in(name, false); /* a file, not a directory */
	CU_ASSERT_TRUE(first_serves());
	pair_lose(0);
	clock_set_ms(NOW + 60000);
	health_tick();
	CU_ASSERT_TRUE(first_serves());
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(who_others_found_down_is_not_reached_for_at_the_start),
		UNIT(when_all_are_said_to_be_down_all_are_tried),
		UNIT(what_others_say_later_is_only_a_hint),
		UNIT(others_learn_what_was_lost_here),
		UNIT(a_drained_member_is_seen_within_a_quarter_of_a_second),
		UNIT(what_this_process_does_is_published),
		UNIT(without_a_state_file_it_goes_on),
	};

	return unit_run("core/health_share", tests, sizeof tests / sizeof tests[0]);
}

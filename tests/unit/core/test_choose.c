/* SPDX-License-Identifier: BSD-2-Clause */
/* Which member a call goes to: roles before everything, then priority, turn, load, or what a member
 * offers; and who is never asked. */
#include "core/choose.h"

#include "core/base/clock.h"
#include "core/object.h"
#include "core/object_table.h"
#include "core/session.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

#define ALL ((1U << TRIO) - 1)

static struct mech mech;
static struct session session;

static struct call call_of(enum call_id id)
{
	return (struct call){.id = id, .place = CALL_BORROW, .group = &trio, .session = &session};
}

/* The index of the member that is chosen; -1 for none. */
static int chosen_for(const struct call *c, unsigned mask)
{
	struct member *m = choose_member(c, mask);

	return m ? (int)m->index : -1;
}

static int chosen(unsigned mask)
{
	const struct call c = call_of(CALL_C_SignInit);

	return chosen_for(&c, mask);
}

static void begin(enum config_mode mode, enum config_balance balance)
{
	trio_begin(mode);
	trio_conf.balance = balance;
	session = (struct session){.group = &trio};
	mech = (struct mech){.m = {CKM_ECDSA, NULL, 0}};
}

static void nobody_is_chosen_of_nobody(void)
{
	begin(CONFIG_MODE_FAILOVER, 0);
	CU_ASSERT_EQUAL(chosen(0), -1);
	CU_ASSERT_EQUAL(chosen(8), -1);
	for (unsigned i = 0; i < TRIO; i++)
		trio_lose(i);
	CU_ASSERT_EQUAL(chosen(ALL), -1);
	trio_end();
}

static void who_may_not_serve_is_not_chosen(void)
{
	begin(CONFIG_MODE_FAILOVER, 0);
	CU_ASSERT_EQUAL(chosen(ALL), 0);
	atomic_store(&trio_member[0].is_drained, 1);
	CU_ASSERT_EQUAL(chosen(ALL), 1);
	atomic_store(&trio_member[1].is_refusing, 1);
	CU_ASSERT_EQUAL(chosen(ALL), 2);
	atomic_store(&trio_member[2].serves, 0);
	CU_ASSERT_EQUAL(chosen(ALL), -1);
	atomic_store(&trio_member[0].is_drained, 0);
	CU_ASSERT_EQUAL(chosen(ALL), 0);
	CU_ASSERT_EQUAL(chosen(ALL & ~1U), -1);
	trio_end();
}

static void the_lowest_priority_number_serves(void)
{
	begin(CONFIG_MODE_FAILOVER, 0);
	trio_member_conf[0].priority = 3;
	trio_member_conf[1].priority = 2;
	trio_member_conf[2].priority = 2;
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(chosen(ALL), 1); /* always the first of equal ones */
	CU_ASSERT_EQUAL(chosen(5), 2);
	CU_ASSERT_EQUAL(chosen(1), 0);
	trio_end();
}

/* A role counts more than any priority, weight or load. */
static void roles_come_before_everything(enum config_mode mode, enum config_balance balance)
{
	begin(mode, balance);
	trio_member_conf[0].role = CONFIG_ROLE_FALLBACK;
	trio_member_conf[1].role = CONFIG_ROLE_STANDBY;
	trio_member_conf[2].priority = 99;
	trio_member_conf[0].weight = 100;
	atomic_store(&trio_member[2].latency_us, 4000000);
	atomic_store(&trio_member[2].in_flight, 1000);
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL_FATAL(chosen(ALL), 2);
	trio_lose(2);
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL_FATAL(chosen(ALL), 1);
	trio_lose(1);
	CU_ASSERT_EQUAL(chosen(ALL), 0);
	trio_end();
}

static void roles_come_first_in_every_mode(void)
{
	roles_come_before_everything(CONFIG_MODE_FAILOVER, 0);
	roles_come_before_everything(CONFIG_MODE_CAPABILITY, 0);
	roles_come_before_everything(CONFIG_MODE_BALANCED, CONFIG_BALANCE_ROUND_ROBIN);
	roles_come_before_everything(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
}

/* What makes objects, and what a fallback member may do. */
static const struct {
	enum call_id id;
	bool makes;
} makers[] = {
	{CALL_C_CreateObject, true},     {CALL_C_CopyObject, true},
	{CALL_C_GenerateKey, true},      {CALL_C_GenerateKeyPair, true},
	{CALL_C_UnwrapKey, true},        {CALL_C_DeriveKey, true},
	{CALL_C_SignInit, false},        {CALL_C_DestroyObject, false},
	{CALL_C_Encrypt, false},         {CALL_C_SetAttributeValue, false},
	{CALL_C_WrapKey, false},         {CALL_C_GenerateRandom, false},
	{CALL_C_FindObjectsInit, false},
};

static void a_fallback_member_never_makes_objects(void)
{
	for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
		struct call c;

		begin(CONFIG_MODE_FAILOVER, 0);
		c = call_of(makers[i].id);
		for (unsigned k = 0; k < TRIO; k++)
			trio_member_conf[k].role = CONFIG_ROLE_FALLBACK;
		CU_ASSERT_EQUAL(chosen_for(&c, ALL), makers[i].makes ? -1 : 0);
		trio_member_conf[2].role = CONFIG_ROLE_STANDBY;
		CU_ASSERT_EQUAL(chosen_for(&c, ALL), 2);
		trio_end();
	}
}

/* Nor because an object that was made again there gave the session a home on it. */
static void a_home_on_a_fallback_member_makes_no_objects(void)
{
	struct member_session ms = {0};
	struct call c;

	begin(CONFIG_MODE_FAILOVER, 0);
	trio_member_conf[2].role = CONFIG_ROLE_FALLBACK;
	session.home[2] = &ms;
	c = call_of(CALL_C_GenerateKey);
	c.place = CALL_HOME;
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	CU_ASSERT_EQUAL(chosen_for(&c, 4), -1);
	trio_end();
}

static void session_objects_are_made_at_home(void)
{
	struct member_session ms = {0};
	struct call c;

	begin(CONFIG_MODE_FAILOVER, 0);
	c = call_of(CALL_C_GenerateKey);
	session.home[1] = &ms;
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0); /* not a call at home */
	c.place = CALL_HOME;
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 1);
	CU_ASSERT_EQUAL(chosen_for(&c, 5), 0);
	trio_lose(1);
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	trio_return(1);
	session.home[1] = NULL;
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	c.session = NULL;
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	trio_end();
}

/* How often each of the members is chosen. */
static void count(unsigned rounds, unsigned mask, unsigned times[TRIO])
{
	for (unsigned i = 0; i < TRIO; i++)
		times[i] = 0;
	for (unsigned i = 0; i < rounds; i++)
		times[chosen(mask)]++;
}

static void a_round_has_each_member_as_often_as_it_weighs(void)
{
	static const unsigned weights[][TRIO] = {{1, 1, 1}, {1, 2, 3}, {100, 1, 1}, {7, 5, 3}};
	unsigned times[TRIO];

	for (size_t w = 0; w < sizeof weights / sizeof weights[0]; w++) {
		unsigned total = weights[w][0] + weights[w][1] + weights[w][2];

		begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_ROUND_ROBIN);
		for (unsigned i = 0; i < TRIO; i++)
			trio_member_conf[i].weight = weights[w][i];
		count(17, ALL, times); /* wherever a round begins */
		for (unsigned round = 0; round < 3; round++) {
			count(total, ALL, times);
			for (unsigned i = 0; i < TRIO; i++)
				CU_ASSERT_EQUAL(times[i], weights[w][i]);
		}
		trio_end();
	}
}

static void a_round_is_of_those_that_serve(void)
{
	unsigned times[TRIO];

	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_ROUND_ROBIN);
	trio_member_conf[0].weight = 4;
	trio_member_conf[2].weight = 2;
	trio_lose(1);
	count(60, ALL, times);
	CU_ASSERT_EQUAL(times[0], 40);
	CU_ASSERT_EQUAL(times[1], 0);
	CU_ASSERT_EQUAL(times[2], 20);
	count(60, 4, times);
	CU_ASSERT_EQUAL(times[2], 60);
	trio_end();
}

static void equal_load_is_shared(void)
{
	unsigned times[TRIO];

	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	count(3000, ALL, times);
	for (unsigned i = 0; i < TRIO; i++)
		CU_ASSERT_EQUAL(times[i], 1000);
	trio_end();
}

/* A call leaves a member; `us` negative: it was not timed. */
static void ended(struct member *m, long long us)
{
	choose_ended(m);
	if (us >= 0)
		choose_took(m, us);
}

static void the_least_loaded_is_chosen(void)
{
	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	for (unsigned i = 0; i < TRIO; i++)
		atomic_store(&trio_member[i].latency_us, 1000);
	choose_began(&trio_member[0]);
	choose_began(&trio_member[2]);
	CU_ASSERT_EQUAL(chosen(ALL), 1);
	choose_began(&trio_member[1]);
	choose_began(&trio_member[1]);
	ended(&trio_member[2], -1);
	CU_ASSERT_EQUAL(chosen(ALL), 2);
	atomic_store(&trio_member[2].latency_us, 100000);
	CU_ASSERT_EQUAL(chosen(ALL), 0); /* 2 ms against 3 and 100 */
	trio_member_conf[1].weight = 2;
	CU_ASSERT_EQUAL(chosen(ALL), 1); /* 1.5 ms */
	trio_end();
}

/* Calls that take no time at all count, too. */
static void outstanding_calls_count_on_idle_members(void)
{
	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	choose_began(&trio_member[0]);
	choose_began(&trio_member[1]);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(chosen(ALL), 2);
	trio_end();
}

static void a_slow_answer_is_believed_at_once_and_forgotten_slowly(void)
{
	struct member *m = &trio_member[0];
	unsigned was;

	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	choose_began(m);
	CU_ASSERT_EQUAL(atomic_load(&m->in_flight), 1);
	ended(m, 8000);
	CU_ASSERT_EQUAL(atomic_load(&m->in_flight), 0);
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 8000);
	choose_began(m);
	ended(m, 0);
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 7000);
	choose_began(m);
	ended(m, -1); /* it was not timed */
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 7000);
	choose_began(m);
	ended(m, 1LL << 62);
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 5000000);
	for (was = 0; was < 200; was++) {
		choose_began(m);
		ended(m, 0);
	}
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 0); /* it comes down all the way */
	CU_ASSERT_EQUAL(atomic_load(&m->in_flight), 0);
	trio_end();
}

/* A call that waited in the queue of a busy member says little about the member. */
static void a_somewhat_slower_answer_is_believed_slowly(void)
{
	struct member *m = &trio_member[0];

	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	choose_took(m, 8000);
	choose_took(m, 16000);
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 9000);
	choose_took(m, 36000); /* four times as long */
	CU_ASSERT_EQUAL(atomic_load(&m->latency_us), 36000);
	trio_end();
}

static void what_comes_and_goes_is_counted(void)
{
	struct member *m = &trio_member[0];

	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	choose_began(m);
	CU_ASSERT_EQUAL(atomic_load(&m->in_flight), 1);
	choose_ended(m);
	CU_ASSERT_EQUAL(atomic_load(&m->in_flight), 0);
	trio_end();
}

/* A slow member that nobody chose would stay slow for ever: each is looked at again, how many
 * members there may be. */
static void a_slow_member_is_looked_at_again(void)
{
	for (unsigned members = 2; members <= TRIO; members++)
		for (unsigned slow = 0; slow < members; slow++) {
			unsigned times[TRIO];

			begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
			trio_keep(members);
			atomic_store(&trio_member[slow].latency_us, 3000000);
			count(256U * members, (1U << members) - 1, times);
			CU_ASSERT_TRUE(times[slow] >= 1);
			CU_ASSERT_TRUE(times[slow] <= 2 * members);
			trio_end();
		}
}

static void a_member_that_came_back_takes_load_gradually(void)
{
	struct member *m = &trio_member[0];

	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	for (unsigned i = 0; i < TRIO; i++)
		atomic_store(&trio_member[i].latency_us, 1000);
	trio_lose(2);
	atomic_store(&m->serving_since_ms, clock_ms());
	CU_ASSERT_EQUAL(chosen(ALL), 1);
	CU_ASSERT_EQUAL(chosen(1), 0); /* but it serves */
	for (unsigned i = 0; i < 2; i++)
		choose_began(&trio_member[1]);
	clock_set_ms(1000000 + 3000); /* as if it took 10/3 as long: 3.3 against 3 ms */
	CU_ASSERT_EQUAL(chosen(ALL), 1);
	clock_set_ms(1000000 + 4000); /* 2.5 against 3 */
	CU_ASSERT_EQUAL(chosen(ALL), 0);
	CU_ASSERT_NOT_EQUAL(atomic_load(&m->serving_since_ms), 0);
	clock_set_ms(1000000 + 10000);
	CU_ASSERT_EQUAL(chosen(ALL), 0);
	CU_ASSERT_EQUAL(atomic_load(&m->serving_since_ms), 0);
	trio_end();
}

/* A clock that stands before the moment when the member came back. */
static void a_member_from_the_future_is_new(void)
{
	begin(CONFIG_MODE_BALANCED, CONFIG_BALANCE_LEAST_LOADED);
	atomic_store(&trio_member[0].serving_since_ms, clock_ms() + 100000);
	CU_ASSERT_NOT_EQUAL(chosen(ALL), 0);
	CU_ASSERT_EQUAL(chosen(1), 0);
	trio_end();
}

/* The member offers everything, or nothing. */
static void offer(unsigned i, bool everything)
{
	struct member *m = &trio_member[i];

	for (size_t k = 0; k < MEMBER_OFFERS; k++)
		atomic_store(&m->offers[k], everything ? ~0UL : 0);
	atomic_store(&m->has_offers, 1);
}

static void the_member_that_offers_the_mechanism_is_chosen(void)
{
	struct call c;

	begin(CONFIG_MODE_CAPABILITY, 0);
	for (unsigned i = 0; i < TRIO; i++)
		offer(i, false);
	c = call_of(CALL_C_SignInit);
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	c.mech = &mech;
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0); /* none offers it: whoever says no */
	offer(2, true);
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 2);
	CU_ASSERT_EQUAL(chosen_for(&c, 3), 0);
	trio_lose(2);
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	trio_return(2);
	trio_conf.mode = CONFIG_MODE_FAILOVER; /* where all members are alike */
	CU_ASSERT_EQUAL(chosen_for(&c, ALL), 0);
	trio_end();
}

static void objects_say_which_members_are_able(void)
{
	struct call c;
	CK_OBJECT_HANDLE on_two, anywhere, alias = 0;

	begin(CONFIG_MODE_FAILOVER, 0);
	on_two = object_new(&trio, 0, 2, OBJECT_YES, OBJECT_NO);
	anywhere = object_new(&trio, 0, 0, OBJECT_YES, OBJECT_NO);
	CU_ASSERT_EQUAL(object_add_alias(&trio, on_two, &alias), CKR_OK);
	c = call_of(CALL_C_WrapKey);
	CU_ASSERT_EQUAL(choose_able(&c), ALL);
	c.object[0] = (struct call_object){anywhere, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_EQUAL(choose_able(&c), ALL);
	trio_lose(0); /* able is not serving */
	CU_ASSERT_EQUAL(choose_able(&c), ALL);
	object_absent(object_slot(anywhere), &trio_member[1], 1, 0);
	CU_ASSERT_EQUAL(choose_able(&c), 5);
	c.object[1] = (struct call_object){on_two, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_EQUAL(choose_able(&c), 0); /* no member has both */
	c.object[0] = (struct call_object){alias, CKR_KEY_HANDLE_INVALID};
	CU_ASSERT_EQUAL(choose_able(&c), 2);
	c.object[1] = (struct call_object){0};
	c.mech = &mech;
	mech.handle[0].virtual = on_two;
	mech.handle_count = 1;
	CU_ASSERT_EQUAL(choose_able(&c), 2);
	object_drop(on_two);
	CU_ASSERT_EQUAL(choose_able(&c), 0);
	trio_end();
}

static const struct unit_test tests[] = {
	UNIT(nobody_is_chosen_of_nobody),
	UNIT(who_may_not_serve_is_not_chosen),
	UNIT(the_lowest_priority_number_serves),
	UNIT(roles_come_first_in_every_mode),
	UNIT(a_fallback_member_never_makes_objects),
	UNIT(a_home_on_a_fallback_member_makes_no_objects),
	UNIT(session_objects_are_made_at_home),
	UNIT(a_round_has_each_member_as_often_as_it_weighs),
	UNIT(a_round_is_of_those_that_serve),
	UNIT(equal_load_is_shared),
	UNIT(the_least_loaded_is_chosen),
	UNIT(outstanding_calls_count_on_idle_members),
	UNIT(a_slow_answer_is_believed_at_once_and_forgotten_slowly),
	UNIT(a_somewhat_slower_answer_is_believed_slowly),
	UNIT(what_comes_and_goes_is_counted),
	UNIT(a_slow_member_is_looked_at_again),
	UNIT(a_member_that_came_back_takes_load_gradually),
	UNIT(a_member_from_the_future_is_new),
	UNIT(the_member_that_offers_the_mechanism_is_chosen),
	UNIT(objects_say_which_members_are_able),
};

UNIT_MAIN("core/choose", tests)

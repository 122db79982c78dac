/* SPDX-License-Identifier: BSD-2-Clause */
/* core/member.c: how a member is found, lost, tried again and brought back. Time stands still but
 * where a test moves it. */
#include "core/member.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/key.h"
#include "core/mux.h"
#include "core/object.h"
#include "core/session.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* Until the library is initialised anew. */
static bool is_broken;

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	return is_broken ? CKR_DEVICE_REMOVED : world_real()->C_GetTokenInfo(slot, info);
}

static CK_RV initialize(void *args)
{
	is_broken = false;
	return world_real()->C_Initialize(args);
}

static CK_RV no_slots(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	(void)present;
	(void)slots;
	*count = 0;
	return CKR_OK;
}

static CK_RV two_slots(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	(void)present;
	if (slots && *count < 2)
		return CKR_BUFFER_TOO_SMALL;
	if (slots) {
		slots[0] = 0;
		slots[1] = 1;
	}
	*count = 2;
	return CKR_OK;
}

static CK_RV same_token(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	(void)slot;
	return world_real()->C_GetTokenInfo(0, info);
}

static CK_RV absurd_slots(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	(void)present;
	(void)slots;
	*count = ~0UL;
	return CKR_OK;
}

static CK_RV absurd_mechanisms(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	(void)slot;
	(void)list;
	*count = ~0UL / 2;
	return CKR_OK;
}

/* Details of mechanisms that do not come, and how many were asked for. */
static unsigned details_fail, details_asked;

static CK_RV failing_details(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	details_asked++;
	if (details_fail > 0) {
		details_fail--;
		return CKR_DEVICE_ERROR;
	}
	return world_real()->C_GetMechanismInfo(slot, type, info);
}

static CK_ULONG mechanisms(void)
{
	CK_ULONG n;

	free(member_mechanisms(world_member(), &n));
	return n;
}

static void lose(void)
{
	struct member *m = world_member();

	member_lost(m, atomic_load(&m->epoch), "a test", CKR_DEVICE_REMOVED);
}

static bool reason_has(const char *words)
{
	char reason[256];

	(void)member_status(world_member(), reason, sizeof reason);
	if (strstr(reason, words))
		return true;
	(void)printf("%s\n", reason);
	return false;
}

static void it_is_up_after_start_and_says_why_when_not(void)
{
	char reason[256] = "x";

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(member_status(world_member(), reason, sizeof reason), MEMBER_UP);
	CU_ASSERT_STRING_EQUAL(reason, "");
	lose();
	CU_ASSERT_EQUAL(member_status(world_member(), reason, sizeof reason), MEMBER_DOWN);
	CU_ASSERT_TRUE(reason_has("a test answered CKR_DEVICE_REMOVED"));
	world_list()->C_GetSlotList = no_slots;
	CU_ASSERT_FALSE(member_up(world_member(), true));
	CU_ASSERT_TRUE(reason_has("no such token among 0 slot(s)"));
	world_list()->C_GetSlotList = two_slots;
	world_list()->C_GetTokenInfo = same_token;
	CU_ASSERT_FALSE(member_up(world_member(), true));
	CU_ASSERT_TRUE(reason_has("2 tokens match"));
	world_list()->C_GetSlotList = absurd_slots;
	CU_ASSERT_FALSE(member_up(world_member(), true));
	CU_ASSERT_TRUE(reason_has("C_GetSlotList answered CKR_DEVICE_ERROR"));
	world_end();
}

static void a_token_that_is_not_there_is_absent_and_found_later(void)
{
	setenv("NULL_TOKEN_LABEL", "another", 1);
	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_ABSENT);
	CU_ASSERT_FALSE(group_present(world_group()));
	unsetenv("NULL_TOKEN_LABEL");
	CU_ASSERT_TRUE(member_up(world_member(), true));
	CU_ASSERT_TRUE(group_present(world_group()));
	world_end();
}

static void losing_it_raises_the_epoch_once(void)
{
	struct member *m;
	unsigned epoch;

	world_begin(NULL, NULL);
	m = world_member();
	epoch = atomic_load(&m->epoch);
	member_lost(m, epoch - 1, "a late answer", CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(m->state, MEMBER_UP);
	CU_ASSERT_EQUAL(m->epoch, epoch);
	member_lost(m, epoch, "a test", CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(m->state, MEMBER_DOWN);
	CU_ASSERT_EQUAL(m->epoch, epoch + 1);
	member_lost(m, epoch + 1, "again", CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(m->epoch, epoch + 1);
	CU_ASSERT_TRUE(member_up(m, false));
	CU_ASSERT_EQUAL(m->epoch, epoch + 2);
	world_end();
}

/* Attempts come after 0.5 s, then twice the pause, at most 30 s. */
static void attempts_become_rare(void)
{
	static const long long pauses[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
	long long now = 1000000;
	uint64_t asked;

	world_begin(NULL, NULL);
	clock_set_ms(now);
	lose();
	world_list()->C_GetSlotList = no_slots;
	asked = world_calls("C_Initialize");
	CU_ASSERT_FALSE(member_up(world_member(), false));
	CU_ASSERT_EQUAL(world_calls("C_Initialize"), asked + 1);
	for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
		clock_set_ms(now + pauses[i] - 1);
		CU_ASSERT_FALSE(member_up(world_member(), false));
		CU_ASSERT_EQUAL(world_calls("C_Initialize"), asked + i + 1);
		clock_set_ms(now += pauses[i]);
		CU_ASSERT_FALSE(member_up(world_member(), false));
		CU_ASSERT_EQUAL(world_calls("C_Initialize"), asked + i + 2);
	}
	world_list()->C_GetSlotList = world_real()->C_GetSlotList;
	CU_ASSERT_FALSE(member_up(world_member(), false));
	CU_ASSERT_TRUE(member_up(world_member(), true));
	lose();
	CU_ASSERT_TRUE(member_up(world_member(), false));
	clock_set_ms(-1);
	world_end();
}

static void a_broken_library_is_initialised_anew(void)
{
	CK_SESSION_HANDLE s;
	CK_BYTE bytes[8];
	CK_OBJECT_HANDLE key;
	struct object_view view;
	uint64_t started;

	world_begin(NULL, NULL);
	s = world_open();
	key = world_find(s, CKO_PUBLIC_KEY);
	CU_ASSERT_TRUE(object_get(world_group(), key, &view));
	started = world_calls("C_Initialize");
	is_broken = true;
	world_list()->C_GetTokenInfo = token_info;
	world_list()->C_Initialize = initialize;
	CU_ASSERT_FALSE(member_alive(world_member()));
	CU_ASSERT_EQUAL(key_random(s, bytes, sizeof bytes), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_Initialize"), started + 1);
	CU_ASSERT_FALSE(object_get(world_group(), key, &view));
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PUBLIC_KEY), key);
	world_end();
}

static void a_library_that_somebody_else_finalised_is_started_again(void)
{
	CK_SESSION_HANDLE s;
	CK_BYTE bytes[8];

	world_begin(NULL, NULL);
	s = world_open();
	CU_ASSERT_EQUAL(key_random(s, bytes, sizeof bytes), CKR_OK);
	CU_ASSERT_EQUAL(world_real()->C_Finalize(NULL), CKR_OK);
	CU_ASSERT_EQUAL(key_random(s, bytes, sizeof bytes), CKR_OK);
	CU_ASSERT_EQUAL(world_member()->state, MEMBER_UP);
	world_end();
}

static void a_suspicion_asks_at_most_every_quarter_of_a_second(void)
{
	uint64_t asked;

	world_begin(NULL, NULL);
	clock_set_ms(1000000);
	CU_ASSERT_TRUE(member_alive(world_member()));
	asked = world_calls("C_GetTokenInfo");
	clock_set_ms(1000000 + 249);
	CU_ASSERT_TRUE(member_alive(world_member()));
	CU_ASSERT_EQUAL(world_calls("C_GetTokenInfo"), asked);
	clock_set_ms(1000000 + 250);
	CU_ASSERT_TRUE(member_alive(world_member()));
	CU_ASSERT_EQUAL(world_calls("C_GetTokenInfo"), asked + 1);
	clock_set_ms(-1);
	world_end();
}

/* A good answer of before says nothing about a failure since. */
static void a_last_word_asks_anew(void)
{
	world_begin_many(&(struct world_many){.count = 2, .mode = "failover"});
	world_list()->C_GetTokenInfo = token_info;
	clock_set_ms(1000);
	CU_ASSERT_TRUE(member_alive(world_member()));
	is_broken = true;
	CU_ASSERT_TRUE(member_alive(world_member())); /* it was asked just now */
	clock_set_ms(-1);
	CU_ASSERT_FALSE(member_alive_now(world_member()));
	CU_ASSERT_FALSE(member_alive_now(world_member())); /* nor when it is down already */
	is_broken = false;
	world_end();
}

static void call_often(struct member *m, unsigned calls, unsigned blames)
{
	struct member_session *ms;

	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK);
	for (unsigned i = 0; i < calls; i++) {
		tally_count(&ms->tally, false, -1);
		if (i < blames)
			member_blame(m, atomic_load(&m->epoch), CKR_DEVICE_ERROR);
	}
	pool_give(ms, 0);
}

static void a_member_that_fails_half_of_its_calls_is_taken_out(void)
{
	struct member *m;

	world_begin_many(&(struct world_many){.count = 2, .mode = "failover"});
	m = world_member();
	clock_set_ms(1000);
	call_often(m, 19, 19);
	CU_ASSERT_TRUE(member_may_serve(m)); /* too few to say */
	clock_set_ms(1000 + 10000);
	call_often(m, 1, 1); /* those are forgotten */
	CU_ASSERT_TRUE(member_may_serve(m));
	call_often(m, 30, 0);
	call_often(m, 20, 20); /* not yet half of them */
	CU_ASSERT_TRUE(member_may_serve(m));
	member_blame(m, atomic_load(&m->epoch) - 1, CKR_DEVICE_ERROR); /* in another life */
	call_often(m, 8, 8);
	CU_ASSERT_TRUE(member_may_serve(m));
	call_often(m, 2, 2);
	CU_ASSERT_FALSE(member_may_serve(m));
	CU_ASSERT_EQUAL(atomic_load(&m->state), MEMBER_DOWN);
	CU_ASSERT_STRING_EQUAL(m->reason,
			       "30 of 60 calls failed that others could do, the last one "
			       "with CKR_DEVICE_ERROR");
	CU_ASSERT_TRUE(member_may_serve(world_member_at(1)));
	clock_set_ms(-1);
	world_end();
}

static void mechanisms_are_read_once_an_epoch_and_kept_while_down(void)
{
	static CK_MECHANISM_TYPE types[256];
	struct member_mech *mechs;
	uint64_t asked;
	CK_ULONG n, again;

	world_begin(NULL, NULL);
	mechs = member_mechanisms(world_member(), &n);
	CU_ASSERT(n > 1);
	again = sizeof types / sizeof types[0];
	CU_ASSERT_EQUAL(world_list()->C_GetMechanismList(world_member()->slot, types, &again),
			CKR_OK);
	CU_ASSERT_EQUAL(again, n);
	for (CK_ULONG i = 0; i < n && i < again; i++)
		CU_ASSERT_EQUAL(mechs[i].type, types[i]); /* the token's own order */
	free(mechs);
	asked = world_calls("C_GetMechanismList");
	free(member_mechanisms(world_member(), &again));
	CU_ASSERT_EQUAL(world_calls("C_GetMechanismList"), asked);
	CU_ASSERT_EQUAL(again, n);
	lose();
	free(member_mechanisms(world_member(), &again));
	CU_ASSERT_EQUAL(again, n);
	CU_ASSERT_TRUE(member_up(world_member(), true));
	world_list()->C_GetMechanismList = absurd_mechanisms;
	free(member_mechanisms(world_member(), &again));
	CU_ASSERT_EQUAL(again, n);
	world_end();
}

static void a_mechanism_does_not_vanish_because_its_details_cannot_be_read(void)
{
	CK_ULONG n;

	world_begin(NULL, NULL);
	n = mechanisms();
	lose();
	CU_ASSERT_TRUE(member_up(world_member(), true));
	world_list()->C_GetMechanismInfo = failing_details;
	details_fail = 2;
	CU_ASSERT_EQUAL(mechanisms(), n); /* as they were before */
	details_asked = 0;
	CU_ASSERT_EQUAL(mechanisms(), n); /* read again, now for good */
	CU_ASSERT_EQUAL(details_asked, n);
	CU_ASSERT_EQUAL(mechanisms(), n);
	CU_ASSERT_EQUAL(details_asked, n);
	world_end();
}

static void details_that_never_come_are_not_asked_for_ever(void)
{
	world_begin(NULL, NULL);
	world_list()->C_GetMechanismInfo = failing_details;
	details_fail = UINT_MAX;
	details_asked = 0;
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(mechanisms(), 0);
	CU_ASSERT(details_asked > 0);
	details_asked = 0;
	CU_ASSERT_EQUAL(mechanisms(), 0);
	CU_ASSERT_EQUAL(details_asked, 0);
	details_fail = 0;
	lose();
	CU_ASSERT_TRUE(member_up(world_member(), true));
	CU_ASSERT(mechanisms() > 0);
	world_end();
}

static void a_new_token_makes_old_handles_worthless(void)
{
	CK_BYTE label[32];
	CK_SESSION_HANDLE s;
	unsigned epoch;

	memset(label, ' ', sizeof label);
	memcpy(label, "null", 4);
	world_begin(NULL, NULL);
	s = world_open();
	epoch = atomic_load(&world_member()->epoch);
	CU_ASSERT_EQUAL(group_init_token(world_group(), (const CK_BYTE *)"so-1234", 7, label),
			CKR_SESSION_EXISTS);
	CU_ASSERT_EQUAL(atomic_load(&world_member()->epoch), epoch);
	CU_ASSERT_NOT_EQUAL(world_find(s, CKO_PUBLIC_KEY), 0);
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
	CU_ASSERT_EQUAL(group_init_token(world_group(), (const CK_BYTE *)"so-1234", 7, label),
			CKR_OK);
	CU_ASSERT(atomic_load(&world_member()->epoch) > epoch);
	CU_ASSERT_EQUAL(world_sessions(), 0);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(it_is_up_after_start_and_says_why_when_not),
		UNIT(a_token_that_is_not_there_is_absent_and_found_later),
		UNIT(losing_it_raises_the_epoch_once),
		UNIT(attempts_become_rare),
		UNIT(a_broken_library_is_initialised_anew),
		UNIT(a_library_that_somebody_else_finalised_is_started_again),
		UNIT(a_suspicion_asks_at_most_every_quarter_of_a_second),
		UNIT(a_last_word_asks_anew),
		UNIT(a_member_that_fails_half_of_its_calls_is_taken_out),
		UNIT(mechanisms_are_read_once_an_epoch_and_kept_while_down),
		UNIT(a_mechanism_does_not_vanish_because_its_details_cannot_be_read),
		UNIT(details_that_never_come_are_not_asked_for_ever),
		UNIT(a_new_token_makes_old_handles_worthless),
	};

	return unit_run("core/member", tests, sizeof tests / sizeof tests[0]);
}

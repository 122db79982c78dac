/* SPDX-License-Identifier: BSD-2-Clause */
/* core/pool.c: whether all sessions of a member were lost, and what handles of before are worth
 * then; sessions on which something may still be active. Over null tokens. */
#include "core/pool.h"

#include "core/base/clock.h"
#include "core/group.h"
#include "core/login.h"
#include "core/member.h"
#include "tests/unit/core/script.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

static void begin_two(void)
{
	world_begin_many(&(struct world_many){.count = 2, .mode = "failover"});
}

/* All sessions were lost, and nobody has noticed yet: what is found on a new one is not what
 * handles of before denote. */
static void a_new_session_shows_that_the_login_was_lost(void)
{
	struct member_session *ms;
	struct member *m;
	unsigned epoch;

	begin_two();
	m = world_member_at(1);
	CU_ASSERT_NOT_EQUAL_FATAL(world_enter(), 0);
	epoch = atomic_load(&m->epoch);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK); /* logged in, like the others */
	pool_give(ms, 0);
	CU_ASSERT_EQUAL(world_real_at(1)->C_CloseAllSessions(m->slot), CKR_OK);
	CU_ASSERT_PTR_EQUAL(pool_take_at(m, 0), ms); /* an idle one cannot know */
	pool_drop(ms);
	CU_ASSERT_EQUAL(pool_take(m, 0, 0, &ms), CKR_SESSION_HANDLE_INVALID);
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch + 1);
	CU_ASSERT_EQUAL(atomic_load(&m->user), 0);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK); /* in the new epoch */
	CU_ASSERT_EQUAL(ms->epoch, epoch + 1);
	pool_give(ms, 0);
	CU_ASSERT_PTR_EQUAL(pool_take_at(m, 0), ms);
	CU_ASSERT_PTR_NULL(pool_take_at(m, 0));
	pool_drop(ms);
	world_end();
}

/* What the second member says of a session. */
static CK_RV info_code;
static bool is_always_public;

static CK_RV info_there(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	CK_RV rv = info_code != CKR_OK ? info_code : world_real_at(1)->C_GetSessionInfo(s, info);

	if (rv == CKR_OK && is_always_public)
		info->state = CKS_RW_PUBLIC_SESSION;
	return rv;
}

/* Whether a token shows logins is learned; a token that does not answer is taken for one that does.
 */
static void tokens_that_show_no_login_are_told_from_those_that_failed(void)
{
	struct member_session *ms;
	struct member *m;
	CK_SESSION_HANDLE s;

	for (unsigned i = 0; i < 3; i++) {
		info_code = i == 0 ? CKR_DEVICE_ERROR : CKR_OK;
		is_always_public = i > 0;
		begin_two();
		m = world_member_at(1);
		world_list_at(1)->C_GetSessionInfo = info_there;
		s = world_enter();
		CU_ASSERT_EQUAL(member_shows_user(m), i == 0);
		if (i == 2) { /* it did once */
			CU_ASSERT_EQUAL(login_out(s), CKR_OK);
			is_always_public = false;
			CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
			CU_ASSERT_EQUAL(login_out(s), CKR_OK);
			is_always_public = true;
			CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
			CU_ASSERT_TRUE(member_shows_user(m));
		}
		info_code = CKR_OK;
		CU_ASSERT_EQUAL(world_real_at(1)->C_CloseAllSessions(m->slot), CKR_OK);
		CU_ASSERT_EQUAL(pool_take(m, 0, 0, &ms),
				i == 1 ? CKR_OK : CKR_SESSION_HANDLE_INVALID);
		if (i == 1)
			pool_give(ms, 0);
		world_end();
	}
}

static void a_new_session_after_a_logout_is_as_good_as_any(void)
{
	struct member_session *first, *ms;
	CK_SESSION_HANDLE s;
	unsigned epoch;

	begin_two();
	s = world_enter();
	epoch = atomic_load(&world_member_at(1)->epoch);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member_at(1), 0, 0, &first), CKR_OK);
	pool_empty(world_member_at(1), true);
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member_at(1), 0, 0, &ms), CKR_OK);
	CU_ASSERT_EQUAL(atomic_load(&world_member_at(1)->epoch), epoch);
	pool_give(ms, 0);
	pool_give(first, 0);
	world_end();
}

/* Tokens may number objects anew when the last session is closed. */
static void after_the_last_session_handles_are_worth_nothing(void)
{
	struct member_session *ms;
	struct member *m;
	unsigned epoch;

	begin_two();
	m = world_member_at(1);
	pool_empty(m, true);
	CU_ASSERT_EQUAL_FATAL(world_pool(m), 0);
	for (unsigned i = 0; i < 3; i++) {
		epoch = atomic_load(&m->epoch);
		CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK);
		CU_ASSERT_EQUAL(atomic_load(&m->epoch), i == 0 ? epoch : epoch + 1);
		CU_ASSERT_EQUAL(ms->epoch, atomic_load(&m->epoch));
		pool_drop(ms);
	}
	world_end();
	world_begin(NULL, NULL); /* the application's own handles */
	m = world_member();
	epoch = atomic_load(&m->epoch);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK);
		pool_drop(ms);
	}
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch);
	world_end();
}

/* Some sessions were lost after which nobody can say whether all were; the login is still there. */
static void a_member_begins_anew_with_its_login(void)
{
	struct member *m;
	unsigned epoch;

	begin_two();
	script_begin(2);
	m = world_member_at(1);
	CU_ASSERT_NOT_EQUAL_FATAL(world_enter(), 0);
	epoch = atomic_load(&m->epoch);
	login_refresh(world_group(), m, epoch);
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch + 1);
	CU_ASSERT_EQUAL(atomic_load(&m->user), GROUP_USER);
	CU_ASSERT_TRUE(member_shows_user(m));
	CU_ASSERT_EQUAL(m->keeper->epoch, epoch + 1);
	CU_ASSERT_EQUAL(script_login[1].calls, 1); /* no PIN was sent for it */
	login_refresh(world_group(), m, epoch);    /* that one is over */
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch + 1);
	CU_ASSERT_EQUAL(m->keeper->epoch, epoch + 1);
	CU_ASSERT_EQUAL(world_real_at(1)->C_CloseAllSessions(m->slot), CKR_OK);
	login_refresh(world_group(), m, epoch + 1);
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch + 2);
	CU_ASSERT_EQUAL(atomic_load(&m->user), GROUP_PUBLIC);
	CU_ASSERT_FALSE(member_shows_user(m));
	world_end();
}

static CK_RV never_ends(CK_SESSION_HANDLE session)
{
	(void)session;
	return CKR_DEVICE_ERROR;
}

static void a_session_whose_search_does_not_end_is_not_lent_again(void)
{
	CK_SESSION_HANDLE s;
	CK_ULONG found;

	world_begin(NULL, NULL);
	s = world_enter();
	pool_empty(world_member(), true);
	CU_ASSERT_EQUAL(world_pool(world_member()), 1); /* that of the login */
	found = world_count(s, CKO_PRIVATE_KEY);
	CU_ASSERT(found > 0);
	CU_ASSERT_EQUAL(world_pool(world_member()), 2);
	world_list()->C_FindObjectsFinal = never_ends;
	CU_ASSERT_EQUAL(world_count(s, CKO_PRIVATE_KEY), found); /* what it found is right */
	CU_ASSERT_EQUAL(world_pool(world_member()), 1);
	world_end();
}

/* Another life of the member may have another limit. */
static void a_learned_limit_ends_with_the_epoch(void)
{
	struct member_session *ms[2];
	struct member *m;

	begin_two();
	m = world_member_at(1);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms[0]), CKR_OK);
	m->pool.learned = 1;
	m->pool.learned_epoch = atomic_load(&m->epoch);
	m->pool.learned_until_ms = clock_ms() + 600000;
	CU_ASSERT_EQUAL(pool_take(m, 0, 0, &ms[1]), CKR_SESSION_COUNT);
	member_renew(m, atomic_load(&m->epoch));
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms[1]), CKR_OK);
	pool_give(ms[0], 0);
	pool_give(ms[1], 0);
	world_end();
}

static CK_RV open_none(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		       CK_SESSION_HANDLE *session)
{
	(void)slot, (void)flags, (void)application, (void)notify, (void)session;
	return CKR_SESSION_COUNT;
}

/* Somebody still holds what the member lost (a virtual session that made a session object there,
 * and does nothing): nobody else has to wait for that. */
static void sessions_that_were_lost_count_for_no_limit(void)
{
	struct member_session *lost[2], *ms;
	CK_FUNCTION_LIST *f;
	struct member *m;

	world_begin_many(&(struct world_many){
		.count = 2, .mode = "failover", .member = {"", "max_sessions = 2;"}});
	m = world_member_at(1);
	f = world_list_at(1);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &lost[0]), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &lost[1]), CKR_OK);
	CU_ASSERT_FALSE(pool_reserve(m));
	member_renew(m, atomic_load(&m->epoch));
	CU_ASSERT_TRUE_FATAL(pool_reserve(m));
	pool_unreserve(m);
	f->C_OpenSession = open_none;
	CU_ASSERT_EQUAL(pool_take(m, 0, 0, &ms), CKR_SESSION_COUNT);
	f->C_OpenSession = world_real_at(1)->C_OpenSession;
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK);
	pool_give(ms, 0);
	pool_give(lost[0], 0);
	pool_give(lost[1], 0);
	CU_ASSERT_EQUAL(world_pool(m), 1);
	world_end();
}

/* The last session of an epoch is closed while one of an earlier is still held. */
static void sessions_that_were_lost_keep_no_handles(void)
{
	struct member_session *lost, *ms;
	struct member *m;
	unsigned epoch;

	begin_two();
	m = world_member_at(1);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &lost), CKR_OK);
	member_renew(m, atomic_load(&m->epoch));
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK);
	pool_drop(ms);
	pool_empty(m, true);
	epoch = atomic_load(&m->epoch);
	CU_ASSERT_EQUAL_FATAL(pool_take(m, 0, 0, &ms), CKR_OK);
	CU_ASSERT_EQUAL(atomic_load(&m->epoch), epoch + 1);
	pool_give(ms, 0);
	pool_give(lost, 0);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_new_session_shows_that_the_login_was_lost),
		UNIT(tokens_that_show_no_login_are_told_from_those_that_failed),
		UNIT(a_new_session_after_a_logout_is_as_good_as_any),
		UNIT(after_the_last_session_handles_are_worth_nothing),
		UNIT(a_member_begins_anew_with_its_login),
		UNIT(a_session_whose_search_does_not_end_is_not_lent_again),
		UNIT(a_learned_limit_ends_with_the_epoch),
		UNIT(sessions_that_were_lost_count_for_no_limit),
		UNIT(sessions_that_were_lost_keep_no_handles),
	};

	return unit_run("core/pool, sessions that are lost", tests, sizeof tests / sizeof tests[0]);
}

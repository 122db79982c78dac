/* SPDX-License-Identifier: BSD-2-Clause */
/* core/session.c: the standard's session states, handles that die, what goes with a session. */
#include "core/session.h"

#include <pthread.h>

#include "core/base/clock.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/object_call.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define SERIAL CKF_SERIAL_SESSION
#define RW     (CKF_SERIAL_SESSION | CKF_RW_SESSION)
#define SO_PIN "so-" WORLD_PIN

static CK_RV open_with(CK_FLAGS flags, CK_SESSION_HANDLE *session)
{
	return session_open(WORLD_SLOT, flags, NULL, NULL, session);
}

static CK_STATE state_of(CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info = {.state = ~0UL};

	CU_ASSERT_EQUAL(session_info(session, &info), CKR_OK);
	CU_ASSERT_EQUAL(info.slotID, WORLD_SLOT);
	return info.state;
}

static CK_RV login_so(CK_SESSION_HANDLE session)
{
	return login_in(session, CKU_SO, (const CK_BYTE *)SO_PIN, sizeof SO_PIN - 1, NULL, 0);
}

static void opening_costs_the_member_nothing(void)
{
	CK_SESSION_HANDLE session[50];

	world_begin(NULL, NULL);
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(open_with(i % 2 ? RW : SERIAL, &session[i]), CKR_OK);
	CU_ASSERT_EQUAL(world_sessions(), 0);
	CU_ASSERT_EQUAL(world_group()->sessions, 50);
	CU_ASSERT_EQUAL(world_group()->rw_sessions, 25);
	CU_ASSERT_EQUAL(session_close(session[1]), CKR_OK);
	CU_ASSERT_EQUAL(session_close_all(WORLD_SLOT), CKR_OK);
	CU_ASSERT_EQUAL(world_group()->sessions, 0);
	CU_ASSERT_EQUAL(world_group()->rw_sessions, 0);
	world_end();
}

static void states_follow_the_login(void)
{
	CK_SESSION_HANDLE ro, rw;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(open_with(SERIAL, &ro), CKR_OK);
	CU_ASSERT_EQUAL(open_with(RW, &rw), CKR_OK);
	CU_ASSERT_EQUAL(state_of(ro), CKS_RO_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(state_of(rw), CKS_RW_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(world_login(ro, WORLD_PIN), CKR_OK);
	CU_ASSERT_EQUAL(state_of(ro), CKS_RO_USER_FUNCTIONS);
	CU_ASSERT_EQUAL(state_of(rw), CKS_RW_USER_FUNCTIONS);
	CU_ASSERT_EQUAL(login_out(rw), CKR_OK);
	CU_ASSERT_EQUAL(state_of(ro), CKS_RO_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(login_so(rw), CKR_SESSION_READ_ONLY_EXISTS);
	CU_ASSERT_EQUAL(session_close(ro), CKR_OK);
	CU_ASSERT_EQUAL(login_so(rw), CKR_OK);
	CU_ASSERT_EQUAL(state_of(rw), CKS_RW_SO_FUNCTIONS);
	CU_ASSERT_EQUAL(open_with(SERIAL, &ro), CKR_SESSION_READ_WRITE_SO_EXISTS);
	world_end();
}

static void bad_arguments_open_nothing(void)
{
	CK_SESSION_HANDLE session = 99;

	CU_ASSERT_EQUAL(open_with(RW, &session), CKR_CRYPTOKI_NOT_INITIALIZED);
	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(open_with(CKF_RW_SESSION, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(session_open(WORLD_SLOT + 1, RW, NULL, NULL, &session),
			CKR_SLOT_ID_INVALID);
	CU_ASSERT_EQUAL(session, 99);
	CU_ASSERT_EQUAL(world_group()->sessions, 0);
	world_end();
}

static void a_stale_handle_never_fits_again(void)
{
	CK_SESSION_HANDLE old, now;

	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(open_with(RW, &old), CKR_OK);
	CU_ASSERT_EQUAL(session_close(old), CKR_OK);
	CU_ASSERT_EQUAL(session_close(old), CKR_SESSION_HANDLE_INVALID);
	for (unsigned i = 0; i < 5000; i++) {
		CU_ASSERT_EQUAL_FATAL(open_with(RW, &now), CKR_OK);
		if (now == old || now > 0x7fffffffUL)
			CU_FAIL_FATAL("the same handle again, or one that is too large");
		(void)session_close(now);
		(void)session_close(old);
	}
	CU_ASSERT_EQUAL(session_check(0), CKR_SESSION_HANDLE_INVALID);
	CU_ASSERT_EQUAL(session_check(~0UL), CKR_SESSION_HANDLE_INVALID);
	CU_ASSERT_EQUAL(world_group()->sessions, 0);
	CU_ASSERT_EQUAL(open_with(RW, &old), CKR_OK);
	world_end();
	CU_ASSERT_EQUAL(session_check(old), CKR_CRYPTOKI_NOT_INITIALIZED);
	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(session_check(old), CKR_SESSION_HANDLE_INVALID);
	world_end();
}

static void there_are_65536_sessions_and_no_more(void)
{
	static CK_SESSION_HANDLE session[65537];
	CK_RV rv = CKR_OK;
	unsigned n = 0;

	world_begin(NULL, NULL);
	while (n < 65537 && (rv = open_with(RW, &session[n])) == CKR_OK)
		n++;
	CU_ASSERT_EQUAL(n, 65536);
	CU_ASSERT_EQUAL(rv, CKR_SESSION_COUNT);
	CU_ASSERT_EQUAL(world_group()->sessions, 65536);
	CU_ASSERT_EQUAL(session_close(session[40000]), CKR_OK);
	CU_ASSERT_EQUAL(open_with(RW, &session[40000]), CKR_OK);
	world_end();
}

static void the_last_session_takes_the_login_with_it(void)
{
	CK_SESSION_HANDLE a, b;
	uint64_t before;

	world_begin(NULL, NULL);
	a = world_enter();
	b = world_open();
	before = world_calls("C_Logout");
	CU_ASSERT_EQUAL(session_close(a), CKR_OK);
	CU_ASSERT_EQUAL(state_of(b), CKS_RW_USER_FUNCTIONS);
	CU_ASSERT_EQUAL(session_close(b), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_Logout"), before + 1);
	a = world_open();
	CU_ASSERT_EQUAL(state_of(a), CKS_RW_PUBLIC_SESSION);
	CU_ASSERT_EQUAL(world_login(a, WORLD_PIN), CKR_OK);
	world_end();
}

/* The list of what a session made must not grow with what it destroyed. */
static void objects_made_and_destroyed_leave_nothing(void)
{
	CK_SESSION_HANDLE h;
	struct session *s;

	world_begin(NULL, NULL);
	h = world_open();
	for (unsigned i = 0; i < 3000; i++) {
		CK_OBJECT_HANDLE object = world_make(h);

		if (object == 0 || object_destroy(h, object) != CKR_OK)
			CU_FAIL_FATAL("not made or not destroyed");
	}
	CU_ASSERT_EQUAL_FATAL(session_take(h, &s), CKR_OK);
	CU_ASSERT(s->made_room <= 64);
	session_give(s);
	world_end();
}

static void *close_everything(void *arg)
{
	bool *all = arg;

	*all = session_close_everything(clock_ms() + 20);
	return NULL;
}

static void a_session_in_use_is_waited_for_not_taken(void)
{
	CK_SESSION_HANDLE busy, idle;
	struct session *s;
	pthread_t thread;
	bool all = true;

	world_begin(NULL, NULL);
	busy = world_open();
	idle = world_open();
	CU_ASSERT_EQUAL_FATAL(session_take(busy, &s), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, close_everything, &all), 0);
	pthread_join(thread, NULL);
	CU_ASSERT_FALSE(all);
	CU_ASSERT_EQUAL(session_check(idle), CKR_SESSION_HANDLE_INVALID);
	session_give(s);
	CU_ASSERT_EQUAL(session_check(busy), CKR_OK);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(opening_costs_the_member_nothing),
		UNIT(states_follow_the_login),
		UNIT(bad_arguments_open_nothing),
		UNIT(a_stale_handle_never_fits_again),
		UNIT(there_are_65536_sessions_and_no_more),
		UNIT(the_last_session_takes_the_login_with_it),
		UNIT(objects_made_and_destroyed_leave_nothing),
		UNIT(a_session_in_use_is_waited_for_not_taken),
	};

	return unit_run("core/session", tests, sizeof tests / sizeof tests[0]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Members that are asked whether they are well, and a call on its way: for tests of core/again.c.
 * Included by one source file of a program, which is linked with --wrap of the functions below. */
#ifndef HSMUX_TESTS_UNIT_CORE_HEARD_H
#define HSMUX_TESTS_UNIT_CORE_HEARD_H

#include <string.h>

#include "core/again.h"
#include "core/health.h"
#include "core/object.h"
#include "core/op_output.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

#define ALL ((1U << TRIO) - 1)

bool __wrap_health_ask(struct member *m);
bool __wrap_member_alive(struct member *m);
bool __wrap_member_alive_now(struct member *m);
void __wrap_member_lost(struct member *m, unsigned epoch, const char *what, CK_RV rv);
void __wrap_member_blame(struct member *m, unsigned epoch, CK_RV rv);
void __wrap_object_forget(const struct group *g, CK_OBJECT_HANDLE handle, const struct member *m);
void __wrap_member_renew(struct member *m, unsigned epoch);
void __wrap_login_refresh(struct group *g, struct member *m, unsigned epoch);
CK_RV __wrap_pool_take(struct member *m, unsigned hint, long long wait_ms,
		       struct member_session **ms);
struct member_session *__wrap_pool_take_at(struct member *m, unsigned place);
void __wrap_pool_give(struct member_session *ms, unsigned hint);
void __wrap_pool_drop(struct member_session *ms);
CK_RV __wrap_pool_state(struct member_session *ms, CK_STATE *state);

/* What members answer, and what became of them. */
static bool is_well, is_still_well;
static bool returns_when_asked; /* lost and back by the time that it is asked anew */
static unsigned asked, alive_asked, fresh_asked, blamed, lost, lost_epoch;
static CK_RV lost_rv;
static CK_OBJECT_HANDLE forgotten[8];
static unsigned forgotten_count, renewed, refreshed, dropped, given;
static unsigned bad_sessions; /* idle ones that the member has forgotten */
static bool has_good_one;     /* and one that it has not */
static unsigned places;       /* that sessions lie at */
static CK_STATE state;
static struct member_session idle;

bool __wrap_health_ask(struct member *m)
{
	CU_ASSERT_PTR_EQUAL(m->group, &trio);
	asked++;
	return is_well;
}

bool __wrap_member_alive(struct member *m)
{
	CU_ASSERT_PTR_EQUAL(m->group, &trio);
	alive_asked++;
	return is_well;
}

bool __wrap_member_alive_now(struct member *m)
{
	CU_ASSERT_PTR_EQUAL(m->group, &trio);
	fresh_asked++;
	if (returns_when_asked)
		atomic_fetch_add(&m->epoch, 2);
	return is_still_well;
}

void __wrap_member_lost(struct member *m, unsigned epoch, const char *what, CK_RV rv)
{
	CU_ASSERT_PTR_NOT_NULL(what);
	lost |= again_bit(m);
	lost_epoch = epoch;
	lost_rv = rv;
}

void __wrap_member_blame(struct member *m, unsigned epoch, CK_RV rv)
{
	CU_ASSERT_EQUAL(epoch, 7);
	blamed |= again_bit(m);
	lost_rv = rv;
}

void __wrap_object_forget(const struct group *g, CK_OBJECT_HANDLE handle, const struct member *m)
{
	CU_ASSERT_PTR_EQUAL(g, &trio);
	CU_ASSERT_PTR_EQUAL(m->group, &trio);
	forgotten[forgotten_count++ % 8] = handle;
}

void __wrap_member_renew(struct member *m, unsigned epoch)
{
	CU_ASSERT_PTR_EQUAL(m->group, &trio);
	CU_ASSERT_EQUAL(epoch, 7);
	renewed++;
}

void __wrap_login_refresh(struct group *g, struct member *m, unsigned epoch)
{
	CU_ASSERT_PTR_EQUAL(g, &trio);
	CU_ASSERT_PTR_EQUAL(m->group, &trio);
	CU_ASSERT_EQUAL(epoch, 7);
	refreshed++;
}

CK_RV __wrap_pool_take(struct member *m, unsigned hint, long long wait_ms,
		       struct member_session **ms)
{
	(void)hint;
	CU_ASSERT_EQUAL(wait_ms, 0);
	idle.member = m;
	*ms = &idle;
	return CKR_OK;
}

/* The bad ones lie in the first places, then there is the good one. */
struct member_session *__wrap_pool_take_at(struct member *m, unsigned place)
{
	idle.member = m;
	if (place == 0)
		places = bad_sessions + has_good_one;
	return place < places ? &idle : NULL;
}

void __wrap_pool_give(struct member_session *ms, unsigned hint)
{
	(void)hint;
	CU_ASSERT_PTR_EQUAL(ms, &idle);
	given++;
}

void __wrap_pool_drop(struct member_session *ms)
{
	CU_ASSERT_PTR_EQUAL(ms, &idle);
	dropped++;
	bad_sessions--;
}

CK_RV __wrap_pool_state(struct member_session *ms, CK_STATE *is)
{
	CU_ASSERT_PTR_EQUAL(ms, &idle);
	if (bad_sessions > 0)
		return CKR_SESSION_HANDLE_INVALID;
	*is = state;
	return CKR_OK;
}

/* A call on its way: of each class of calls.def one, as sent to member 0. */
static struct call call;
static struct trip trip;
static unsigned failed_epoch[TRIO];
static struct operation op;

static inline void begin(enum config_mode mode, enum call_id id)
{
	trio_end(); /* of the test before */
	trio_begin(mode);
	trio_config.retry.attempts = 3;
	memset(&op, 0, sizeof op);
	is_well = is_still_well = true;
	returns_when_asked = false;
	asked = alive_asked = fresh_asked = blamed = lost = lost_epoch = forgotten_count = 0;
	renewed = refreshed = dropped = given = bad_sessions = 0;
	has_good_one = true;
	state = CKS_RW_USER_FUNCTIONS;
	lost_rv = CKR_OK;
	trip = (struct trip){.failed_epoch = failed_epoch};
	call = (struct call){.id = id,
			     .place = CALL_BORROW,
			     .group = &trio,
			     .member = &trio_member[0],
			     .sends = 1,
			     .made_serial = 5,
			     .made_epoch = 7};
	idle.serial = 1;
	for (unsigned i = 0; i < TRIO; i++)
		atomic_store(&trio_member[i].epoch, 7);
}

/* again(), and what the application would get. */
static inline bool is_again(enum outcome outcome, CK_RV rv, CK_RV *is)
{
	*is = rv;
	return again(&call, &trip, ALL, outcome, is);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Many threads in bad weather: the member fails, is lost, is initialised anew with other handles,
 * while threads sign with handles old and new, log in and out and close each other's sessions. Any
 * code is right; a signature of another key is not, nor a library that is stopped with a call
 * inside, nor two threads in one session of the member. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/find.h"
#include "core/key.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/object_call.h"
#include "core/operation.h"
#include "core/session.h"
#include "tests/unit/core/stats.h"
#include "tests/unit/core/storm_token.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define THREADS   6
#define ROUNDS    6000
#define SIGNATURE 64

/* What every key makes of the same data. */
static CK_BYTE expected[STORM_KEYS][SIGNATURE];
static CK_BYTE data[32];

static _Atomic unsigned good, wrong;
static CK_SESSION_HANDLE sessions[THREADS]; /* of each thread; others may close them */

/* A key as its thread remembers it. */
struct kept {
	CK_OBJECT_HANDLE handle;
	unsigned number;
};

static CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE out[SIGNATURE])
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_ULONG len = SIGNATURE;
	struct op_io io = {.in = data,
			   .in_len = sizeof data,
			   .out = out,
			   .out_len = &len,
			   .has_in = true,
			   .has_out = true};
	CK_RV rv = op_init(CALL_C_SignInit, OP_SIGN, session, &mechanism, key);

	return rv == CKR_OK ? op_step(CALL_C_Sign, OP_SIGN, OP_SINGLE, session, &io) : rv;
}

static void sign_and_look(CK_SESSION_HANDLE session, const struct kept *key)
{
	CK_BYTE out[SIGNATURE];

	if (sign(session, key->handle, out) != CKR_OK)
		return;
	if (memcmp(out, expected[key->number], sizeof out) == 0)
		atomic_fetch_add(&good, 1);
	else
		atomic_fetch_add(&wrong, 1);
}

static CK_OBJECT_HANDLE key_number(CK_SESSION_HANDLE session, unsigned number)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE id[4] = {0, 0, 0, (CK_BYTE)number};
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, sizeof id}};
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG n = 0;

	if (find_init(session, tmpl, 2) != CKR_OK)
		return 0;
	if (find_next(session, &key, 1, &n) != CKR_OK || n == 0)
		key = 0;
	(void)find_final(session); /* closed by another thread, perhaps */
	return key;
}

static void find_key(CK_SESSION_HANDLE session, struct kept *kept)
{
	unsigned number = storm_random(STORM_KEYS);
	CK_OBJECT_HANDLE key = key_number(session, number);

	if (key)
		*kept = (struct kept){key, number};
}

static void copy_key(CK_SESSION_HANDLE session, struct kept *kept)
{
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE tmpl = {CKA_TOKEN, &no, sizeof no};
	CK_OBJECT_HANDLE copy = 0;

	if (object_copy(session, kept->handle, &tmpl, 1, &copy) == CKR_OK)
		kept->handle = copy;
}

static void make_and_destroy(CK_SESSION_HANDLE session)
{
	CK_OBJECT_HANDLE object = world_make(session);

	if (storm_random(2))
		(void)object_destroy(session, object); /* may be gone */
}

static void look_at_token(void)
{
	CK_TOKEN_INFO info;
	struct group *g;
	CK_ULONG n = 0;

	if (slot_take(WORLD_SLOT, &g) != CKR_OK)
		return;
	(void)group_token_info(g, &info);
	(void)group_mechanisms(g, NULL, &n);
	slot_give();
}

static void reopen(CK_SESSION_HANDLE *session)
{
	(void)session_close(*session); /* perhaps closed already */
	(void)session_open(WORLD_SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);
}

static void turn(CK_SESSION_HANDLE *session, struct kept *kept)
{
	struct kept *key = &kept[storm_random(4)];
	CK_BYTE bytes[16];

	switch (storm_random(40)) {
	case 0:
		reopen(session);
		break;
	case 1:
		make_and_destroy(*session);
		break;
	case 2:
		copy_key(*session, key);
		break;
	case 3:
		look_at_token();
		break;
	case 4:
		(void)key_random(*session, bytes, sizeof bytes);
		break;
	case 5:
		if (storm_random(10) == 0)
			(void)login_out(*session);
		break;
	case 6:
		if (storm_random(20) == 0)
			(void)session_close_all(WORLD_SLOT);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
	case 12:
	case 13:
	case 14:
		find_key(*session, key);
		break;
	default:
		sign_and_look(*session, key);
		break;
	}
	if (session_check(*session) != CKR_OK)
		reopen(session);
	if (atomic_load(&world_group()->user) == GROUP_PUBLIC)
		(void)world_login(*session, WORLD_PIN); /* another may be first */
}

static void *weather(void *arg)
{
	CK_SESSION_HANDLE *session = arg;
	struct kept kept[4] = {{0}};

	for (unsigned i = 0; i < ROUNDS; i++)
		turn(session, kept);
	return NULL;
}

static void learn_signatures(void)
{
	CK_SESSION_HANDLE s = world_enter();

	for (unsigned i = 0; i < STORM_KEYS; i++) {
		CU_ASSERT_EQUAL_FATAL(sign(s, key_number(s, i), expected[i]), CKR_OK);
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(memcmp(expected[i], expected[k], SIGNATURE), 0);
	}
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
}

static void no_call_meets_another_life(void)
{
	pthread_t threads[THREADS];
	CK_SESSION_HANDLE s;

	setenv("NULL_TOKEN_KEYS", "16", 1);
	world_begin(NULL, "relogin = true;");
	learn_signatures();
	storm_begin(world_list(), world_real());
	for (unsigned i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, weather, &sessions[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	storm_end();
	(void)printf("(%u lives, %u failures, %u signatures) ", storm_seen.lives,
		     storm_seen.failures, good);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(storm_seen.rudeness, 0);
	CU_ASSERT_EQUAL(stats_foreign(), 0);
	CU_ASSERT_EQUAL(stats_collisions(), 0);
	CU_ASSERT(storm_seen.lives > 5);
	CU_ASSERT(good > 100);
	CU_ASSERT_TRUE(member_up(world_member(), true));
	CU_ASSERT_EQUAL(session_close_all(WORLD_SLOT), CKR_OK);
	s = world_enter();
	CU_ASSERT_EQUAL(world_sign(s, key_number(s, 3)), CKR_OK);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(no_call_meets_another_life),
	};

	return unit_run("core/storm", tests, sizeof tests / sizeof tests[0]);
}

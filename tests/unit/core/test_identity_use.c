/* SPDX-License-Identifier: BSD-2-Clause */
/* core/identity_use.c over the null token: a key that accepts a challenge, and whose member says
 * that it failed, is in doubt. It is not taken for one that cannot be used. */
#include "core/identity_use.h"

#include <string.h>

#include "core/identity.h"
#include "core/member.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

static struct member_session *ms;
static unsigned failures; /* calls that fail after their work */

static CK_RV fail_after(CK_RV rv)
{
	if (rv != CKR_OK || failures == 0)
		return rv;
	failures--;
	return CKR_FUNCTION_FAILED;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return fail_after(world_real()->C_SignInit(session, mechanism, key));
}

static CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	return fail_after(world_real()->C_EncryptInit(session, mechanism, key));
}

static void begin(void)
{
	world_begin(NULL, NULL);
	(void)world_enter();
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
}

static void end(void)
{
	pool_drop(ms);
	world_end();
}

/* A real handle: the first object of that class. */
static CK_OBJECT_HANDLE first(CK_OBJECT_CLASS class)
{
	struct identity like = {
		.class = class, .key_type = CK_UNAVAILABLE_INFORMATION, .is_token = true};
	CK_OBJECT_HANDLE real = 0;
	struct buf found = {0};

	CU_ASSERT_EQUAL(identity_find(ms, &like, false, &found), CKR_OK);
	CU_ASSERT_FATAL(found.len >= sizeof real);
	memcpy(&real, found.data, sizeof real);
	buf_free(&found);
	return real;
}

static void a_private_key_whose_answer_was_lost_is_in_doubt(void)
{
	enum identity_match match = IDENTITY_SAME;
	struct identity id;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(id.kind, IDENTITY_PUBLIC);
	world_list()->C_SignInit = sign_init;
	failures = 1;
	CU_ASSERT_EQUAL(identity_prove(ms, first(CKO_PRIVATE_KEY), &id, &match), CKR_OK);
	CU_ASSERT_EQUAL(failures, 0);
	CU_ASSERT_EQUAL(match, IDENTITY_DOUBTFUL);
	identity_free(&id);
	end();
}

static void a_secret_key_whose_answer_was_lost_is_in_doubt(void)
{
	struct identity id;

	begin();
	world_list()->C_EncryptInit = encrypt_init;
	failures = 1;
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_SECRET_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(failures, 0);
	CU_ASSERT_TRUE(id.is_doubtful);
	identity_free(&id);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_private_key_whose_answer_was_lost_is_in_doubt),
		UNIT(a_secret_key_whose_answer_was_lost_is_in_doubt),
	};

	return unit_run("core/identity_use", tests, sizeof tests / sizeof tests[0]);
}

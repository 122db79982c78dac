/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is out: for each group of calls the first, the second, ... allocation fails, until
 * none is left to fail. A call then says so, or did not need it; nothing is lost, and the next one
 * works. Allocations inside other libraries (libcrypto, the null token) do not fail here. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "core/find.h"
#include "core/key.h"
#include "core/login.h"
#include "core/object.h"
#include "core/mux.h"
#include "core/object_call.h"
#include "core/operation.h"
#include "core/session.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* No group has more allocations. */
#define MOST 500UL
/* What is kept settles before: the allocator's own caches take up to ten sweeps, more or fewer with the
 * lengths of paths. What is lost grows with each. */
#define MOST_SWEEPS 40

static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE key, public_key;

static bool is_allowed(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_HOST_MEMORY;
}

/* Bytes that the program holds. */
static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Runs the group with every allocation failing once, then once with none. */
static void sweep(const char *name, CK_RV (*run)(void))
{
	unsigned long n = 0, refused = 0;

	do {
		CK_RV rv;

		alloc_fail_at(++n);
		rv = run();
		if (!is_allowed(rv)) {
			(void)printf("%s, allocation %lu: 0x%lx\n", name, n, rv);
			CU_FAIL("another code");
		}
		refused += rv == CKR_HOST_MEMORY;
	} while (alloc_seen >= n && n < MOST);
	alloc_fail_at(0);
	CU_ASSERT(n < MOST);
	CU_ASSERT(refused > 0);
	CU_ASSERT_EQUAL(run(), CKR_OK);
}

/* What is kept for later (spare operations, tables, OpenSSL's own) comes to an end; what is lost
 * grows with every sweep. */
static void fail_each(const char *name, CK_RV (*run)(void))
{
	size_t before, after = 0;
	unsigned sweeps = 0;

	CU_ASSERT_EQUAL_FATAL(run(), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(run(), CKR_OK);
	do {
		before = after;
		sweep(name, run);
		after = in_use();
	} while (after != before && ++sweeps < MOST_SWEEPS);
	if (after != before) {
		(void)printf("%s: still growing, %zu bytes, then %zu\n", name, before, after);
		CU_FAIL("memory is lost");
	}
}

static void begin(void)
{
	world_begin(NULL, "relogin = true;");
	session = world_enter();
	key = world_find(session, CKO_PRIVATE_KEY);
	public_key = world_find(session, CKO_PUBLIC_KEY);
}

static CK_RV first_bad(CK_RV a, CK_RV b)
{
	return a == CKR_OK ? b : a;
}

static struct config *config;

static CK_RV start_and_stop(void)
{
	unsigned long failing = alloc_failing;
	CK_RV rv;

	alloc_failing = 0; /* reading the configuration has a test of its own */
	config = world_config(NULL, "relogin = true;");
	alloc_fail_at(failing);
	rv = mux_init_config(config);
	if (rv != CKR_OK)
		return rv;
	/* Not reached for want of memory: it is tried again when it is needed. */
	if (!member_up(world_member(), true))
		rv = CKR_HOST_MEMORY;
	return first_bad(mux_fini(), rv);
}

static void starting_fails_cleanly(void)
{
	world_begin(NULL, NULL);
	CU_ASSERT_EQUAL(mux_fini(), CKR_OK);
	fail_each("start", start_and_stop);
	CU_ASSERT_EQUAL(mux_init_config(world_config(NULL, NULL)), CKR_OK);
	world_end();
}

static CK_RV open_and_close(void)
{
	CK_SESSION_HANDLE s;
	CK_RV rv = session_open(WORLD_SLOT, CKF_SERIAL_SESSION, NULL, NULL, &s);

	if (rv == CKR_SESSION_COUNT) /* what the table says when it cannot grow */
		return CKR_HOST_MEMORY;
	return rv == CKR_OK ? session_close(s) : rv;
}

static CK_RV open_many(void)
{
	CK_SESSION_HANDLE s[100];
	unsigned n = 0;
	CK_RV rv = CKR_OK;

	while (n < 100 && rv == CKR_OK) {
		rv = session_open(WORLD_SLOT, CKF_SERIAL_SESSION, NULL, NULL, &s[n]);
		n += rv == CKR_OK;
	}
	while (n > 0)
		(void)session_close(s[--n]);
	return rv == CKR_SESSION_COUNT ? CKR_HOST_MEMORY : rv;
}

static void sessions_open_or_do_not(void)
{
	begin();
	CU_ASSERT_EQUAL(open_and_close(), CKR_OK);
	for (unsigned i = 0; i < 20; i++) {
		alloc_fail_at(1 + i % 2);
		CU_ASSERT(is_allowed(open_many()));
	}
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(open_many(), CKR_OK);
	CU_ASSERT_EQUAL(world_group()->sessions, 1);
	world_end();
}

static CK_RV sign(void)
{
	CK_RV rv = world_sign(session, key);

	pool_empty(world_member(), true); /* so that a session is made anew each time */
	return rv;
}

static CK_RV sign_with_long_parameter(void)
{
	static CK_BYTE bytes[300];
	CK_MECHANISM mechanism = {CKM_VENDOR_DEFINED | 1, bytes, sizeof bytes};
	CK_RV rv = op_init(CALL_C_SignInit, OP_SIGN, session, &mechanism, key);

	if (rv == CKR_OK)
		rv = session_cancel(session, CKF_SIGN);
	return rv == CKR_MECHANISM_INVALID ? CKR_OK : rv;
}

static CK_RV encrypt_into_little(void)
{
	static CK_BYTE iv[16], data[64];
	CK_MECHANISM mechanism = {CKM_AES_CBC_PAD, iv, sizeof iv};
	CK_BYTE out[200];
	CK_ULONG len = 1;
	struct op_io io = {.in = data,
			   .in_len = sizeof data,
			   .out = out,
			   .out_len = &len,
			   .has_in = true,
			   .has_out = true};
	CK_OBJECT_HANDLE secret = world_find(session, CKO_SECRET_KEY);
	CK_RV rv;

	if (secret == 0)
		return CKR_HOST_MEMORY;
	rv = op_init(CALL_C_EncryptInit, OP_ENCRYPT, session, &mechanism, secret);
	if (rv != CKR_OK)
		return rv;
	rv = op_step(CALL_C_Encrypt, OP_ENCRYPT, OP_SINGLE, session, &io);
	if (rv != CKR_BUFFER_TOO_SMALL)
		return rv;
	len = sizeof out;
	return op_step(CALL_C_Encrypt, OP_ENCRYPT, OP_SINGLE, session, &io);
}

static void operations_begin_or_do_not(void)
{
	begin();
	fail_each("sign", sign);
	fail_each("long parameter", sign_with_long_parameter);
	fail_each("short buffer", encrypt_into_little);
	CU_ASSERT_EQUAL(world_group()->sessions, 1);
	world_end();
}

static CK_RV find_all(void)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE tmpl = {CKA_TOKEN, &yes, sizeof yes};
	CK_OBJECT_HANDLE found[100];
	CK_ULONG n = 0;
	CK_RV rv = find_init(session, &tmpl, 1);

	if (rv != CKR_OK)
		return rv;
	rv = find_next(session, found, 100, &n);
	if (rv == CKR_OK && n < 30)
		rv = CKR_GENERAL_ERROR; /* an incomplete answer must not look like a whole one */
	rv = first_bad(rv, find_final(session));
	object_drop_epoch(world_member()); /* so that the map is made anew */
	return rv;
}

static CK_RV make_and_destroy(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &class, sizeof class};
	CK_OBJECT_HANDLE object = 0;
	CK_RV rv = object_create(session, &tmpl, 1, &object);

	return rv == CKR_OK ? object_destroy(session, object) : rv;
}

static CK_RV copy_and_read(void)
{
	CK_BBOOL no = CK_FALSE;
	CK_BYTE label[] = {'c', 'o', 'p', 'y'}, read[10];
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &no, sizeof no}, {CKA_LABEL, label, sizeof label}};
	CK_ATTRIBUTE have = {CKA_LABEL, read, sizeof read};
	CK_OBJECT_HANDLE copy = 0;
	CK_ULONG n;
	CK_RV rv = object_copy(session, public_key, tmpl, 2, &copy);

	if (rv != CKR_OK)
		return rv;
	rv = object_read(session, copy, &have, 1);
	if (rv == CKR_OK && (have.ulValueLen != 4 || memcmp(read, label, 4) != 0))
		rv = CKR_GENERAL_ERROR;
	if (rv == CKR_OK)
		rv = find_init(session, &tmpl[1], 1);
	if (rv == CKR_OK) {
		rv = find_next(session, &(CK_OBJECT_HANDLE){0}, 1, &n);
		rv = first_bad(rv, find_final(session));
	}
	return first_bad(object_destroy(session, copy), rv);
}

static void objects_are_made_or_are_not(void)
{
	begin();
	fail_each("create", make_and_destroy);
	fail_each("copy", copy_and_read);
	fail_each("find", find_all);
	CU_ASSERT_EQUAL(world_count(session, CKO_DATA), 0);
	world_end();
}

static CK_RV generate(void)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG len = 16;
	CK_ATTRIBUTE tmpl = {CKA_VALUE_LEN, &len, sizeof len};
	CK_OBJECT_HANDLE made = 0;
	CK_RV rv = key_generate(session, &mechanism, &tmpl, 1, &made);

	return rv == CKR_OK ? object_destroy(session, made) : rv;
}

static void keys_are_made_or_are_not(void)
{
	CK_ULONG before;

	begin();
	before = world_count(session, CKO_SECRET_KEY);
	fail_each("generate", generate);
	CU_ASSERT_EQUAL(world_count(session, CKO_SECRET_KEY), before);
	world_end();
}

static CK_RV log_in_and_out(void)
{
	CK_RV rv = login_out(session);

	if (rv == CKR_USER_NOT_LOGGED_IN)
		rv = CKR_OK;
	pool_empty(world_member(), true); /* so that the login needs a new session */
	return first_bad(rv, world_login(session, WORLD_PIN));
}

static void logins_happen_or_do_not(void)
{
	uint64_t wrong;

	begin();
	fail_each("login", log_in_and_out);
	wrong = world_calls("C_Login");
	CU_ASSERT_EQUAL(log_in_and_out(), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_Login"), wrong + 1);
	world_end();
}

static CK_RV come_back(void)
{
	struct member *m = world_member();
	CK_BYTE bytes[8];
	CK_RV rv;

	member_lost(m, atomic_load(&m->epoch), "a test", CKR_DEVICE_REMOVED);
	rv = key_random(session, bytes, sizeof bytes);
	if (rv == CKR_DEVICE_ERROR) /* could not be reached for want of memory */
		rv = CKR_HOST_MEMORY;
	(void)member_up(m, true); /* the pause between attempts is not what is tested */
	return rv;
}

static void members_come_back_or_later(void)
{
	begin();
	fail_each("come back", come_back);
	CU_ASSERT_TRUE(member_up(world_member(), true));
	CU_ASSERT_NOT_EQUAL(world_find(session, CKO_PRIVATE_KEY), 0);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(starting_fails_cleanly),     UNIT(sessions_open_or_do_not),
		UNIT(operations_begin_or_do_not), UNIT(objects_are_made_or_are_not),
		UNIT(keys_are_made_or_are_not),   UNIT(logins_happen_or_do_not),
		UNIT(members_come_back_or_later),
	};

	return unit_run("core/oom", tests, sizeof tests / sizeof tests[0]);
}

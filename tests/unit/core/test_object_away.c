/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of objects without asking: those of members that are away, new ones, the plain ones
 * of a passthrough token; and what happens when memory is out. */
#include <sys/wait.h>
#include <unistd.h>

#include "core/object_table.h"
#include "core/object_trait.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/claims.h"
#include "tests/unit/unit.h"

/* A child that waits for a lock of its own is ended after that. */
#define HANGS_S 10

static void begin(void)
{
	claims_begin(CONFIG_MODE_FAILOVER);
}

static struct call search_of(CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	return (struct call){.id = CALL_C_FindObjectsInit,
			     .group = &trio,
			     .tmpl = {tmpl},
			     .tmpl_count = {count}};
}

/* How many objects match that are on none of the members that serve. */
static size_t away(CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	unsigned answered = 0;
	struct call c = search_of(tmpl, count);
	struct buf out = {0};
	size_t n;

	for (unsigned i = 0; i < TRIO; i++)
		if (member_may_serve(&trio_member[i]))
			answered |= 1U << i;
	CU_ASSERT_EQUAL(object_found_away(&c, answered, &out), CKR_OK);
	n = out.len / sizeof(CK_OBJECT_HANDLE);
	buf_free(&out);
	return n;
}

static void objects_of_members_that_are_away_are_found(void)
{
	struct buf out = {0};
	struct call c = search_of(NULL, 0);
	CK_OBJECT_HANDLE h;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 7, 7);
	claims_key(0, 102, "only", "2", 8, 8);
	h = claims_find(0, 100);
	CU_ASSERT_EQUAL(claims_find(1, 101), h);
	(void)claims_find(0, 102);
	CU_ASSERT_EQUAL(away(NULL, 0), 0); /* all are here */
	trio_lose(0);
	CU_ASSERT_EQUAL(away(NULL, 0), 1);
	trio_lose(1);
	CU_ASSERT_EQUAL(away(NULL, 0), 2);
	CU_ASSERT_TRUE(buf_add(&out, &h, sizeof h)); /* what was found is not found again */
	CU_ASSERT_EQUAL(object_found_away(&c, 0, &out), CKR_OK);
	CU_ASSERT_EQUAL(out.len, 2 * sizeof h);
	buf_free(&out);
}

static void a_drained_member_is_away_with_what_it_has(void)
{
	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	(void)claims_find(0, 100);
	atomic_store(&trio_member[0].is_drained, 1);
	CU_ASSERT_EQUAL(away(NULL, 0), 1);
}

/* Who was not asked, or did not answer, is away with what it has. */
static void a_member_that_did_not_answer_is_away(void)
{
	struct call c = search_of(NULL, 0);
	struct buf out = {0};

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	(void)claims_find(0, 100);
	CU_ASSERT_EQUAL(object_found_away(&c, 7, &out), CKR_OK);
	CU_ASSERT_EQUAL(object_found_away(&c, 1, &out), CKR_OK);
	CU_ASSERT_EQUAL(out.len, 0);
	CU_ASSERT_EQUAL(object_found_away(&c, 6, &out), CKR_OK);
	CU_ASSERT_EQUAL(out.len, sizeof(CK_OBJECT_HANDLE));
	buf_free(&out);
}

/* A search that leaves out what is known to be there. */
static void a_member_that_leaves_out_an_object_is_noticed(void)
{
	CK_OBJECT_CLASS other = CKO_PUBLIC_KEY;
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &other, sizeof other};
	struct call c = search_of(NULL, 0), none = search_of(&tmpl, 1);
	struct buf out = {0};
	CK_OBJECT_HANDLE h;

	begin();
	c.member = none.member = &trio_member[0];
	claims_key(0, 100, "key", "1", 7, 7);
	h = claims_find(0, 100);
	CU_ASSERT_FALSE(object_is_missing(&c, &out)); /* nobody is logged in */
	atomic_store(&trio.user, GROUP_USER);
	CU_ASSERT_TRUE(object_is_missing(&c, &out));
	CU_ASSERT_FALSE(object_is_missing(&none, &out));
	CU_ASSERT_TRUE_FATAL(buf_add(&out, &h, sizeof h));
	CU_ASSERT_FALSE(object_is_missing(&c, &out));
	out.len = 0;
	c.member = &trio_member[1]; /* which is not known to have it */
	CU_ASSERT_FALSE(object_is_missing(&c, &out));
	atomic_store(&trio.user, GROUP_PUBLIC);
	claims_key(1, 101, "data", "2", 7, 7)->class = CKO_DATA;
	(void)claims_find(1, 101);
	CU_ASSERT_TRUE(object_is_missing(&c, &out)); /* this one is for all to see */
	buf_free(&out);
}

static void hidden_ones_and_session_objects_are_not_found_away(void)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &class, sizeof class};
	CK_OBJECT_HANDLE made;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	claims_key(1, 101, "key", "1", 8, 8);
	(void)claims_find(0, 100);
	(void)claims_find(1, 101);
	made = object_new(&trio, 0, 1, OBJECT_NO, OBJECT_NO);
	CU_ASSERT_TRUE(claims_keep(made, &tmpl, 1));
	for (unsigned i = 0; i < TRIO; i++)
		trio_lose(i);
	CU_ASSERT_EQUAL(away(NULL, 0), 1);
}

/* What is known without asking, and what does not match. */
static void templates_are_compared_with_what_is_known(void)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY, other_class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_EC, other_type = CKK_RSA;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BYTE label[] = "keyx", id[] = "1";
	const struct {
		CK_ATTRIBUTE a;
		bool matches;
	} rows[] = {
		{{CKA_CLASS, &class, sizeof class}, true},
		{{CKA_CLASS, &other_class, sizeof class}, false},
		{{CKA_CLASS, &class, 4}, false},
		{{CKA_KEY_TYPE, &type, sizeof type}, true},
		{{CKA_KEY_TYPE, &other_type, sizeof type}, false},
		{{CKA_TOKEN, &yes, 1}, true},
		{{CKA_TOKEN, &no, 1}, false},
		{{CKA_PRIVATE, &yes, 1}, true},
		{{CKA_PRIVATE, &no, 1}, false},
		{{CKA_LABEL, label, 3}, true},
		{{CKA_LABEL, label, 4}, false},
		{{CKA_LABEL, label, 2}, false},
		{{CKA_LABEL, NULL, 0}, false},
		{{CKA_ID, id, 1}, true},
		{{CKA_ID, label, 1}, false},
		{{CKA_SIGN, &yes, 1}, false}, /* nobody can say */
	};
	CK_ATTRIBUTE all[2];

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	(void)claims_find(0, 100);
	trio_lose(0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CK_ATTRIBUTE a = rows[i].a;

		CU_ASSERT_EQUAL(away(&a, 1), rows[i].matches);
		all[0] = rows[0].a;
		all[1] = a;
		CU_ASSERT_EQUAL(away(all, 2), rows[i].matches);
	}
}

static void memory_for_what_is_away_may_be_out(void)
{
	struct call c = search_of(NULL, 0);
	struct buf out = {0};
	CK_RV rv;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	(void)claims_find(0, 100);
	trio_lose(0);
	alloc_fail_at(1);
	rv = object_found_away(&c, 0, &out);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(rv, CKR_HOST_MEMORY);
	CU_ASSERT_EQUAL(object_found_away(&c, 0, &out), CKR_OK);
	buf_free(&out);
}

static CK_RV add_made(unsigned m, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE *handle)
{
	struct call c = {.id = CALL_C_GenerateKey,
			 .group = &trio,
			 .member = &trio_member[m],
			 .made_epoch = atomic_load(&trio_member[m].epoch)};

	return object_add_made(&c, real, OBJECT_YES, handle);
}

static void a_new_object_is_on_its_member_and_can_be_used(void)
{
	CK_OBJECT_HANDLE h = 0, again = 0;
	struct object_view view;

	begin();
	CU_ASSERT_EQUAL(add_made(1, 100, &h), CKR_OK);
	CU_ASSERT_EQUAL(claims_real(1, h), 100);
	CU_ASSERT_EQUAL(claims_real(0, h), 0);
	CU_ASSERT_EQUAL(object_holders(&trio, h), 2);
	CU_ASSERT_TRUE(object_get(&trio, h, &view));
	CU_ASSERT_EQUAL(view.is_token, OBJECT_YES);
	CU_ASSERT_EQUAL(add_made(1, 100, &again), CKR_OK); /* the number is another object's now */
	CU_ASSERT_NOT_EQUAL(again, h);
	CU_ASSERT_FALSE(object_get(&trio, h, &view));
	CU_ASSERT_EQUAL(claims_real(1, again), 100);
}

static void a_new_object_of_an_epoch_that_is_over_is_none(void)
{
	struct call c = {.id = CALL_C_GenerateKey, .group = &trio, .member = &trio_member[0]};
	CK_OBJECT_HANDLE h = 77;

	begin();
	c.made_epoch = atomic_load(&trio_member[0].epoch);
	trio_lose(0);
	CU_ASSERT_EQUAL(object_add_made(&c, 100, OBJECT_YES, &h), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(h, 77);
}

static void a_passthrough_token_shows_what_its_member_has(void)
{
	CK_OBJECT_HANDLE a, b;

	claims_begin(CONFIG_MODE_PASSTHROUGH);
	trio_keep(1);
	a = claims_find(0, 100);
	b = claims_find(0, 101);
	CU_ASSERT_NOT_EQUAL(a, 0);
	CU_ASSERT_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(claims_find(0, 100), a);
	CU_ASSERT_EQUAL(claims_real(0, a), 100);
	CU_ASSERT_EQUAL(claims_do.takes + claims_do.reads, 0); /* without a question */
	trio_lose(0);
	trio_return(0);
	CU_ASSERT_EQUAL(claims_real(0, a), 0);
	CU_ASSERT_NOT_EQUAL(claims_find(0, 100), a);
}

/* A member that invents handles uses up its own share only. */
static void one_member_cannot_use_up_all_handles(void)
{
	const CK_ULONG most = 262144;
	CK_OBJECT_HANDLE h = 0;
	CK_RV rv = CKR_OK;
	CK_ULONG n;

	claims_begin(CONFIG_MODE_PASSTHROUGH);
	for (n = 0; rv == CKR_OK && n <= most; n++)
		rv = add_made(0, 1 + n, &h);
	CU_ASSERT_EQUAL(rv, CKR_DEVICE_MEMORY);
	CU_ASSERT_EQUAL(n, most + 1);
	CU_ASSERT_EQUAL(claims_real(0, h), most);
	CU_ASSERT_EQUAL(add_made(1, 1, &h), CKR_OK);
	trio_lose(0); /* and they all go with it */
	CU_ASSERT_EQUAL(add_made(0, 1, &h), CKR_OK);
}

/* Lets the n-th allocation of a search fail. */
static CK_RV find_failing(unsigned long n, unsigned m, CK_OBJECT_HANDLE real, size_t *len)
{
	struct buf out = {0};
	CK_RV rv;

	alloc_fail_at(n);
	rv = claims_found(m, &real, 1, &out);
	alloc_fail_at(0);
	*len = out.len;
	buf_free(&out);
	return rv;
}

static int find_without_memory(void)
{
	unsigned long n = 0;
	int bad = 0;
	CK_RV rv;

	begin();
	claims_key(0, 100, "key", "1", 7, 7);
	do {
		size_t len;

		rv = find_failing(++n, 0, 100, &len);
		bad |= rv != CKR_OK && (rv != CKR_HOST_MEMORY || len != 0);
	} while (rv != CKR_OK && n < 50);
	bad |= n < 4 || n == 50; /* name, id, map, trait, list at least */
	bad |= claims_find(0, 100) == 0;
	trio_end();
	return bad;
}

static int find_plain_without_memory(void)
{
	unsigned long n = 0;
	int bad = 0;
	CK_RV rv;

	claims_begin(CONFIG_MODE_PASSTHROUGH);
	do {
		size_t len;

		rv = find_failing(++n, 0, 100, &len);
		bad |= rv != CKR_OK && (rv != CKR_HOST_MEMORY || len != 0);
	} while (rv != CKR_OK && n < 50);
	bad |= n < 2 || n == 50;
	trio_end();
	return bad;
}

/* Runs it in a child, which must come to its end. */
static void ends_well(int (*run)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		alarm(HANGS_S);
		_exit(run());
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFEXITED(status)); /* else it hung */
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static void memory_for_what_is_found_may_be_out(void)
{
	ends_well(find_without_memory);
	ends_well(find_plain_without_memory);
}

static void memory_for_a_new_object_may_be_out(void)
{
	CK_OBJECT_HANDLE h = 77;
	CK_RV rv;

	begin();
	alloc_fail_at(1);
	rv = add_made(0, 100, &h);
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(rv, CKR_HOST_MEMORY);
	CU_ASSERT_EQUAL(h, 77);
	CU_ASSERT_EQUAL(add_made(0, 100, &h), CKR_OK);
	trio_end();
}

static const struct unit_test tests[] = {
	UNIT(objects_of_members_that_are_away_are_found),
	UNIT(a_drained_member_is_away_with_what_it_has),
	UNIT(a_member_that_did_not_answer_is_away),
	UNIT(a_member_that_leaves_out_an_object_is_noticed),
	UNIT(hidden_ones_and_session_objects_are_not_found_away),
	UNIT(templates_are_compared_with_what_is_known),
	UNIT(memory_for_what_is_away_may_be_out),
	UNIT(a_new_object_is_on_its_member_and_can_be_used),
	UNIT(a_new_object_of_an_epoch_that_is_over_is_none),
	UNIT(a_passthrough_token_shows_what_its_member_has),
	UNIT(one_member_cannot_use_up_all_handles),
	UNIT(memory_for_what_is_found_may_be_out),
	UNIT(memory_for_a_new_object_may_be_out),
};

UNIT_MAIN("core/object_away", tests)

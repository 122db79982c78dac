/* SPDX-License-Identifier: BSD-2-Clause */
/* The index of what objects are: found by handle, name and content of one virtual token, hidden and
 * shown, changed and forgotten; and its memory. */
#include "core/object_trait.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/locked.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

static struct group other; /* another virtual token */

static void begin(void)
{
	trio_end(); /* of the test before */
	trio_begin(CONFIG_MODE_FAILOVER);
	other = trio;
}

static struct identity identity(const char *label, const char *id, unsigned char digest)
{
	struct identity i = {.class = CKO_PRIVATE_KEY,
			     .key_type = CKK_EC,
			     .is_token = true,
			     .kind = digest ? IDENTITY_PUBLIC : IDENTITY_NONE};

	memset(i.digest, digest, sizeof i.digest);
	CU_ASSERT_TRUE_FATAL(buf_add(&i.label, label, strlen(label)) &&
			     buf_add(&i.id, id, strlen(id)));
	return i;
}

static struct trait *add_to(struct group *g, uint32_t handle, const char *label, const char *id,
			    unsigned char digest)
{
	struct identity i = identity(label, id, digest);
	struct trait *t;

	trait_lock();
	CU_ASSERT_TRUE_FATAL(trait_add(handle, g, &i));
	t = trait_of(handle);
	trait_unlock();
	CU_ASSERT_PTR_NULL(i.label.data); /* taken over */
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	return t;
}

static struct trait *add(uint32_t handle, const char *label, const char *id, unsigned char digest)
{
	return add_to(&trio, handle, label, id, digest);
}

/* The handles that a walk finds, added up: each of them is a power of ten. */
static uint32_t by_name(const struct group *g, const char *label, const char *id)
{
	struct identity i = identity(label, id, 0);
	struct trait *t = NULL;
	uint32_t sum = 0;

	trait_lock();
	while ((t = trait_by_name(g, &i, t)) != NULL)
		sum += t->handle;
	trait_unlock();
	identity_free(&i);
	return sum;
}

static uint32_t by_digest(const struct group *g, unsigned char digest)
{
	struct identity i = identity("", "", digest);
	struct trait *t = NULL;
	uint32_t sum = 0;

	trait_lock();
	while ((t = trait_by_digest(g, &i, t)) != NULL)
		sum += t->handle;
	trait_unlock();
	identity_free(&i);
	return sum;
}

static void what_was_added_is_found(void)
{
	begin();
	add(10, "a", "1", 7);
	add(100, "a", "1", 8);
	add(1000, "a", "2", 7);
	add(10000, "", "", 7);
	add(100000, "b", "", 0);
	add_to(&other, 1000000, "a", "1", 7);
	CU_ASSERT_EQUAL(by_name(&trio, "a", "1"), 110);
	CU_ASSERT_EQUAL(by_name(&trio, "a", "2"), 1000);
	CU_ASSERT_EQUAL(by_name(&trio, "b", ""), 100000);
	CU_ASSERT_EQUAL(by_name(&trio, "", "b"), 0);
	CU_ASSERT_EQUAL(by_name(&trio, "a1", ""), 0); /* the border counts */
	CU_ASSERT_EQUAL(by_name(&other, "a", "1"), 1000000);
	CU_ASSERT_EQUAL(by_digest(&trio, 7), 11010);
	CU_ASSERT_EQUAL(by_digest(&trio, 8), 100);
	CU_ASSERT_EQUAL(by_digest(&trio, 9), 0);
	CU_ASSERT_EQUAL(by_digest(&trio, 0), 0); /* without content nothing has the same */
	CU_ASSERT_EQUAL(by_digest(&other, 7), 1000000);
}

static void class_type_and_kind_are_part_of_it(void)
{
	struct identity i = identity("a", "1", 7);

	begin();
	add(10, "a", "1", 7);
	trait_lock();
	CU_ASSERT_PTR_NOT_NULL(trait_by_name(&trio, &i, NULL));
	CU_ASSERT_PTR_NOT_NULL(trait_by_digest(&trio, &i, NULL));
	i.kind = IDENTITY_VALUE;
	CU_ASSERT_PTR_NULL(trait_by_digest(&trio, &i, NULL));
	i.kind = IDENTITY_PUBLIC;
	i.class = CKO_PUBLIC_KEY;
	CU_ASSERT_PTR_NULL(trait_by_name(&trio, &i, NULL));
	CU_ASSERT_PTR_NULL(trait_by_digest(&trio, &i, NULL));
	i.class = CKO_PRIVATE_KEY;
	i.key_type = CKK_RSA;
	CU_ASSERT_PTR_NULL(trait_by_name(&trio, &i, NULL));
	trait_unlock();
	identity_free(&i);
}

/* More handles than there are buckets. */
static void many_handles_are_told_from_each_other(void)
{
	begin();
	for (uint32_t i = 0; i < 10000; i++)
		add(2 + i, i % 2 ? "odd" : "even", "", (unsigned char)(1 + i % 3));
	trait_lock();
	for (uint32_t i = 0; i < 10000; i++)
		CU_ASSERT_FATAL(trait_of(2 + i)->handle == 2 + i);
	CU_ASSERT_PTR_NULL(trait_of(2 + 10000));
	trait_unlock();
	for (uint32_t i = 0; i < 10000; i += 2)
		trait_drop(2 + i);
	trait_lock();
	for (uint32_t i = 0; i < 10000; i++)
		CU_ASSERT_FATAL((trait_of(2 + i) != NULL) == (i % 2 == 1));
	trait_unlock();
	CU_ASSERT_EQUAL(by_name(&trio, "even", ""), 0);
	CU_ASSERT_NOT_EQUAL(by_name(&trio, "odd", ""), 0);
}

static void what_was_dropped_is_not_found(void)
{
	begin();
	add(10, "a", "1", 7);
	add(100, "a", "1", 7);
	add(1000, "a", "1", 7);
	trait_drop(100);
	CU_ASSERT_EQUAL(by_name(&trio, "a", "1"), 1010);
	CU_ASSERT_EQUAL(by_digest(&trio, 7), 1010);
	trait_drop(100);
	trait_drop(5);
	trait_drop(1000);
	trait_drop(10);
	CU_ASSERT_EQUAL(by_name(&trio, "a", "1"), 0);
	CU_ASSERT_EQUAL(by_digest(&trio, 7), 0);
}

static void what_was_changed_is_found_as_it_is_now(void)
{
	struct identity i = identity("new", "2", 8), nothing = {0}, named = identity("x", "", 0);
	struct trait *t;

	begin();
	t = add(10, "old", "1", 7);
	add(100, "old", "1", 7);
	trait_lock();
	trait_change(t, &i);
	trait_unlock();
	CU_ASSERT_PTR_NULL(i.label.data);
	CU_ASSERT_EQUAL(by_name(&trio, "old", "1"), 100);
	CU_ASSERT_EQUAL(by_digest(&trio, 7), 100);
	CU_ASSERT_EQUAL(by_name(&trio, "new", "2"), 10);
	CU_ASSERT_EQUAL(by_digest(&trio, 8), 10);
	trait_lock();
	trait_change(t, &nothing);
	trait_unlock();
	CU_ASSERT_EQUAL(by_name(&trio, "new", "2"), 0);
	CU_ASSERT_EQUAL(by_digest(&trio, 8), 0);
	CU_ASSERT_EQUAL(by_name(&trio, "", ""), 0); /* what says nothing is not looked for */
	trait_lock();
	trait_change(t, &named);
	trait_unlock();
	CU_ASSERT_EQUAL(by_name(&trio, "x", ""), 10);
}

static bool is_hidden(uint32_t handle)
{
	bool hidden;

	trait_lock();
	hidden = trait_of(handle)->is_hidden;
	trait_unlock();
	return hidden;
}

static void hide(struct trait *t, bool hidden)
{
	trait_lock();
	trait_hide(t, hidden);
	trait_unlock();
}

static void what_stood_behind_another_is_shown_when_that_goes(void)
{
	begin();
	add(10, "a", "1", 7);
	hide(add(100, "a", "1", 8), true);
	hide(add(1000, "b", "1", 8), true);
	CU_ASSERT_TRUE(trait_any_hidden());
	trait_drop(10);
	CU_ASSERT_FALSE(is_hidden(100));
	CU_ASSERT_TRUE(is_hidden(1000)); /* of another name */
	CU_ASSERT_TRUE(trait_any_hidden());
	trait_drop(1000);
	CU_ASSERT_FALSE(trait_any_hidden());
}

static void a_hidden_one_that_goes_shows_nobody(void)
{
	begin();
	add(10, "a", "1", 7);
	hide(add(100, "a", "1", 8), true);
	hide(add(1000, "a", "1", 9), true);
	trait_drop(100);
	CU_ASSERT_TRUE(is_hidden(1000));
	CU_ASSERT_FALSE(is_hidden(10));
}

static void hiding_twice_is_hiding_once(void)
{
	struct trait *t;

	begin();
	t = add(10, "a", "1", 7);
	CU_ASSERT_FALSE(trait_any_hidden());
	hide(t, false);
	CU_ASSERT_FALSE(trait_any_hidden());
	hide(t, true);
	hide(t, true);
	CU_ASSERT_TRUE(trait_any_hidden());
	hide(t, false);
	CU_ASSERT_FALSE(trait_any_hidden());
	hide(t, true);
	trait_forget_everything(false);
	CU_ASSERT_FALSE(trait_any_hidden());
}

static bool look(struct trait *t, void *context)
{
	uint32_t *sum = context;

	*sum += t->handle;
	return *sum < 100;
}

static void a_walk_sees_the_traits_of_one_token_until_it_says_no(void)
{
	uint32_t sum = 0;

	begin();
	add(10, "a", "1", 7);
	add(20, "", "", 0);
	add_to(&other, 30, "a", "1", 7);
	trait_lock();
	trait_each(&trio, look, &sum);
	trait_unlock();
	CU_ASSERT_EQUAL(sum, 30);
	add(100, "a", "1", 7);
	add(200, "a", "1", 7);
	sum = 0;
	trait_lock();
	trait_each(&trio, look, &sum);
	trait_unlock();
	CU_ASSERT_TRUE(sum >= 100 && sum < 330); /* and no further */
}

static void a_copy_is_one_of_its_own(void)
{
	struct identity from = identity("label", "id", 7), to;

	from.public_key = EVP_PKEY_new();
	CU_ASSERT_TRUE(trait_copy_identity(&from, &to));
	CU_ASSERT_PTR_NOT_EQUAL(from.label.data, to.label.data);
	CU_ASSERT_EQUAL(to.label.len, 5);
	CU_ASSERT_EQUAL(memcmp(to.id.data, "id", 2), 0);
	CU_ASSERT_PTR_EQUAL(to.public_key, from.public_key);
	identity_free(&from);
	CU_ASSERT_EQUAL(EVP_PKEY_up_ref(to.public_key), 1); /* it is still there */
	EVP_PKEY_free(to.public_key);
	for (unsigned long n = 1; n <= 2; n++) {
		struct identity failed;
		bool ok;

		alloc_fail_at(n);
		ok = trait_copy_identity(&to, &failed);
		alloc_fail_at(0);
		CU_ASSERT_FALSE(ok);
		CU_ASSERT_PTR_NULL(failed.public_key);
		CU_ASSERT_PTR_NULL(failed.label.data);
	}
	identity_free(&to);
}

static void without_memory_nothing_is_added_or_taken_over(void)
{
	struct identity i = identity("a", "1", 7);
	bool ok;

	begin();
	trait_lock();
	alloc_fail_at(1);
	ok = trait_add(10, &trio, &i);
	alloc_fail_at(0);
	trait_unlock();
	CU_ASSERT_FALSE(ok);
	CU_ASSERT_PTR_NOT_NULL(i.label.data);
	CU_ASSERT_EQUAL(by_name(&trio, "a", "1"), 0);
	identity_free(&i);
}

/* The template of a key lies in locked pages, which go as they came. */
static void templates_are_freed_as_they_were_made(void)
{
	struct trait *t;

	begin();
	t = add(10, "", "", 0);
	t->tmpl = locked_new(100);
	t->tmpl_size = 100;
	t->is_tmpl_locked = true;
	t = add(20, "", "", 0);
	t->tmpl = calloc(1, 100);
	t->tmpl_size = 100;
	trait_drop(10);
	trait_forget_everything(false);
	trait_lock();
	CU_ASSERT_PTR_NULL(trait_of(20));
	trait_unlock();
}

static void *add_and_drop(void *arg)
{
	uint32_t first = *(const uint32_t *)arg;

	for (uint32_t i = 0; i < 2000; i++) {
		struct identity id = {.class = CKO_DATA, .kind = IDENTITY_VALUE};

		trait_lock();
		if (trait_add(first + i % 50, &trio, &id))
			trait_hide(trait_of(first + i % 50), true);
		trait_unlock();
		trait_drop(first + i % 50);
	}
	return NULL;
}

static void threads_add_and_drop_their_own(void)
{
	uint32_t first[] = {1000, 2000, 3000};
	pthread_t threads[3];

	begin();
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, add_and_drop, &first[i]),
				      0);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
	CU_ASSERT_FALSE(trait_any_hidden());
	trait_lock();
	for (uint32_t i = 1000; i < 4000; i++)
		CU_ASSERT_PTR_NULL(trait_of(i));
	trait_unlock();
	trio_end();
}

static const struct unit_test tests[] = {
	UNIT(what_was_added_is_found),
	UNIT(class_type_and_kind_are_part_of_it),
	UNIT(many_handles_are_told_from_each_other),
	UNIT(what_was_dropped_is_not_found),
	UNIT(what_was_changed_is_found_as_it_is_now),
	UNIT(what_stood_behind_another_is_shown_when_that_goes),
	UNIT(a_hidden_one_that_goes_shows_nobody),
	UNIT(hiding_twice_is_hiding_once),
	UNIT(a_walk_sees_the_traits_of_one_token_until_it_says_no),
	UNIT(a_copy_is_one_of_its_own),
	UNIT(without_memory_nothing_is_added_or_taken_over),
	UNIT(templates_are_freed_as_they_were_made),
	UNIT(threads_add_and_drop_their_own),
};

UNIT_MAIN("core/object_trait", tests)

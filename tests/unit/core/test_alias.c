/* SPDX-License-Identifier: BSD-2-Clause */
/* core/alias.c: copies of token objects that cost the member nothing. */
#include "core/alias.h"

#include <string.h>

#include "core/find.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/object.h"
#include "core/object_call.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE name[] = {'m', 'i', 'n', 'e'};
static CK_BYTE id[] = {7, 7};

static CK_OBJECT_HANDLE copy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE of, CK_ULONG attributes)
{
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &no, sizeof no},
			       {CKA_LABEL, name, sizeof name},
			       {CKA_ID, id, sizeof id}};
	CK_OBJECT_HANDLE made = 0;

	CU_ASSERT_EQUAL(object_copy(s, of, tmpl, attributes, &made), CKR_OK);
	return made;
}

static CK_ULONG found(CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		      CK_OBJECT_HANDLE wanted)
{
	CK_OBJECT_HANDLE h[100];
	CK_ULONG n = 0, hits = 0;

	CU_ASSERT_EQUAL(find_init(s, tmpl, count), CKR_OK);
	CU_ASSERT_EQUAL(find_next(s, h, 100, &n), CKR_OK);
	CU_ASSERT_EQUAL(find_final(s), CKR_OK);
	for (CK_ULONG i = 0; i < n; i++)
		hits += h[i] == wanted;
	return hits;
}

static void only_what_an_alias_can_be_fits(void)
{
	static CK_OBJECT_CLASS class;
	static const struct {
		CK_ATTRIBUTE tmpl[3];
		CK_ULONG count;
		bool fits;
	} rows[] = {
		{{{CKA_TOKEN, &no, 1}}, 1, true},
		{{{CKA_TOKEN, &yes, 1}}, 1, false},
		{{{CKA_LABEL, name, 4}}, 1, false},
		{{{CKA_LABEL, name, 4}, {CKA_TOKEN, &no, 1}, {CKA_ID, id, 2}}, 3, true},
		{{{CKA_TOKEN, &no, 1}, {CKA_CLASS, &class, sizeof class}}, 2, false},
		{{{CKA_TOKEN, &no, 1}, {CKA_SENSITIVE, &yes, 1}}, 2, false},
		{{{0}}, 0, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CU_ASSERT_EQUAL(alias_fits(rows[i].tmpl, rows[i].count), rows[i].fits);
}

static void a_copy_signs_without_being_made_on_the_member(void)
{
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE a, second;
	uint64_t before;

	world_begin(NULL, NULL);
	s = world_enter();
	before = world_calls("C_CopyObject");
	a = copy(s, world_find(s, CKO_PRIVATE_KEY), 1);
	second = copy(s, a, 1); /* of the copy: the same thing again */
	CU_ASSERT_EQUAL(world_calls("C_CopyObject"), before);
	CU_ASSERT_NOT_EQUAL(a, second);
	CU_ASSERT_EQUAL(world_sign(s, a), CKR_OK);
	CU_ASSERT_EQUAL(object_destroy(s, a), CKR_OK);
	CU_ASSERT_EQUAL(world_sign(s, a), CKR_KEY_HANDLE_INVALID);
	CU_ASSERT_EQUAL(world_sign(s, second), CKR_OK);
	world_end();
}

static void a_copy_has_attributes_of_its_own_and_the_keys(void)
{
	CK_BYTE label[40], key_id[10];
	CK_BBOOL token = CK_TRUE;
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE read[] = {{CKA_TOKEN, &token, sizeof token},
			       {CKA_LABEL, label, sizeof label},
			       {CKA_ID, key_id, sizeof key_id},
			       {CKA_CLASS, &class, sizeof class}};
	CK_ATTRIBUTE small = {CKA_LABEL, label, 3}, new = {CKA_LABEL, id, sizeof id};
	CK_ATTRIBUTE other = {CKA_SIGN, &yes, sizeof yes};
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE a;

	world_begin(NULL, NULL);
	s = world_enter();
	a = copy(s, world_find(s, CKO_PRIVATE_KEY), 2);
	CU_ASSERT_EQUAL(object_read(s, a, read, 4), CKR_OK);
	CU_ASSERT_EQUAL(token, CK_FALSE);
	CU_ASSERT_EQUAL(read[1].ulValueLen, sizeof name);
	CU_ASSERT_EQUAL(memcmp(label, name, sizeof name), 0);
	CU_ASSERT_EQUAL(read[2].ulValueLen, 4); /* the key's */
	CU_ASSERT_EQUAL(class, CKO_PRIVATE_KEY);
	CU_ASSERT_EQUAL(object_read(s, a, &small, 1), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL(small.ulValueLen, CK_UNAVAILABLE_INFORMATION);
	CU_ASSERT_EQUAL(object_write(s, a, &other, 1), CKR_ACTION_PROHIBITED);
	CU_ASSERT_EQUAL(object_write(s, a, &new, 1), CKR_OK);
	read[1].ulValueLen = sizeof label;
	CU_ASSERT_EQUAL(object_read(s, a, &read[1], 1), CKR_OK);
	CU_ASSERT_EQUAL(read[1].ulValueLen, sizeof id);
	world_end();
}

static void searches_find_copies_by_what_they_say_of_themselves(void)
{
	CK_ATTRIBUTE by_name[] = {{CKA_LABEL, name, sizeof name}, {CKA_TOKEN, &no, sizeof no}};
	CK_ATTRIBUTE on_token[] = {{CKA_LABEL, name, sizeof name}, {CKA_TOKEN, &yes, sizeof yes}};
	CK_SESSION_HANDLE s, other;
	CK_OBJECT_HANDLE a, key;

	world_begin(NULL, NULL);
	s = world_enter();
	other = world_open();
	key = world_find(s, CKO_PRIVATE_KEY);
	a = copy(s, key, 2);
	CU_ASSERT_EQUAL(found(other, by_name, 2, a), 1);
	CU_ASSERT_EQUAL(found(other, by_name, 1, key), 0);
	CU_ASSERT_EQUAL(found(other, on_token, 2, a), 0);
	CU_ASSERT_EQUAL(found(other, NULL, 0, a), 1);
	CU_ASSERT_EQUAL(session_close(s), CKR_OK);
	CU_ASSERT_EQUAL(found(other, by_name, 1, a), 0);
	CU_ASSERT_EQUAL(world_group()->aliases, 0);
	world_end();
}

static void a_copy_ends_with_what_it_stands_for(void)
{
	CK_BYTE label[40];
	CK_ATTRIBUTE read = {CKA_LABEL, label, sizeof label};
	CK_ATTRIBUTE by_name = {CKA_LABEL, name, sizeof name};
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE a;

	world_begin(NULL, NULL);
	s = world_enter();
	a = copy(s, world_find(s, CKO_PRIVATE_KEY), 2);
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	CU_ASSERT_EQUAL(object_read(s, a, &read, 1), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(object_write(s, a, &by_name, 1), CKR_OBJECT_HANDLE_INVALID);
	CU_ASSERT_EQUAL(found(s, &by_name, 1, a), 0);
	CU_ASSERT_EQUAL(world_sign(s, a), CKR_KEY_HANDLE_INVALID);
	world_end();
}

static void a_session_object_is_copied_by_the_member(void)
{
	CK_ATTRIBUTE tmpl = {CKA_TOKEN, &no, sizeof no};
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE made = 0;
	uint64_t before;

	world_begin(NULL, NULL);
	s = world_open();
	before = world_calls("C_CopyObject");
	CU_ASSERT_EQUAL(object_copy(s, world_make(s), &tmpl, 1, &made), CKR_OK);
	CU_ASSERT_EQUAL(world_calls("C_CopyObject"), before + 1);
	CU_ASSERT_EQUAL(world_count(s, CKO_DATA), 2);
	world_end();
}

static void an_absurd_label_is_refused(void)
{
	static CK_BYTE endless[5000];
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &no, sizeof no}, {CKA_LABEL, endless, sizeof endless}};
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE made = 0;

	world_begin(NULL, NULL);
	s = world_open();
	CU_ASSERT_EQUAL(object_copy(s, world_find(s, CKO_PUBLIC_KEY), tmpl, 2, &made),
			CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(made, 0);
	CU_ASSERT_EQUAL(world_group()->aliases, 0);
	world_end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(only_what_an_alias_can_be_fits),
		UNIT(a_copy_signs_without_being_made_on_the_member),
		UNIT(a_copy_has_attributes_of_its_own_and_the_keys),
		UNIT(searches_find_copies_by_what_they_say_of_themselves),
		UNIT(a_copy_ends_with_what_it_stands_for),
		UNIT(a_session_object_is_copied_by_the_member),
		UNIT(an_absurd_label_is_refused),
	};

	return unit_run("core/alias", tests, sizeof tests / sizeof tests[0]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* How token objects come to be, over two null tokens, of which the first does what a test says. */
#include "core/pending.h"

#include <stdio.h>
#include <string.h>

#include "core/key.h"
#include "core/login.h"
#include "core/object.h"
#include "core/object_call.h"
#include "core/orphan.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* What the first member is asked, and answers instead of CKR_OK. */
static struct {
	unsigned creates, names, other_creates;
	CK_RV create;      /* not done */
	CK_RV create_lost; /* done; once */
	CK_RV name;        /* C_SetAttributeValue: not done */
	CK_RV name_lost;   /* done; once */
	CK_RV destroy;
	char label[64]; /* with which an object was last made on the first member */
} told;

static void note_label(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	told.label[0] = '\0';
	for (CK_ULONG i = 0; i < count; i++)
		if (tmpl[i].type == CKA_LABEL)
			(void)snprintf(told.label, sizeof told.label, "%.*s",
				       (int)tmpl[i].ulValueLen, (const char *)tmpl[i].pValue);
}

static CK_RV create(CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	CK_RV rv = told.create, lost = told.create_lost;

	told.creates++;
	note_label(tmpl, count);
	if (rv == CKR_OK)
		rv = world_real()->C_CreateObject(s, tmpl, count, made);
	told.create_lost = CKR_OK;
	if (lost != CKR_OK)
		*made = 0;
	return lost != CKR_OK ? lost : rv;
}

static CK_RV create_other(CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG count,
			  CK_OBJECT_HANDLE *made)
{
	told.other_creates++;
	return world_real_at(1)->C_CreateObject(s, tmpl, count, made);
}

static CK_RV name(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_RV rv = told.name, lost = told.name_lost;

	told.names++;
	if (rv == CKR_OK)
		rv = world_real()->C_SetAttributeValue(s, object, tmpl, count);
	told.name_lost = CKR_OK;
	return lost != CKR_OK ? lost : rv;
}

static CK_RV destroy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object)
{
	return told.destroy != CKR_OK ? told.destroy : world_real()->C_DestroyObject(s, object);
}

/* Data objects on a member whose labels begin so, by its own functions; `destroys` them, too. What
 * is hsmux's own beside tags are keys. */
static size_t look_there(unsigned i, const char *prefix, bool destroys)
{
	const CK_FUNCTION_LIST *f = world_real_at(i);
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &class, sizeof class};
	CK_OBJECT_HANDLE found[100];
	CK_SESSION_HANDLE s = 0;
	CK_ULONG n = 0;
	size_t count = 0;

	CU_ASSERT_EQUAL_FATAL(f->C_OpenSession(atomic_load(&world_member_at(i)->slot),
					       CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
			      CKR_OK);
	CU_ASSERT_EQUAL(f->C_FindObjectsInit(s, &tmpl, 1), CKR_OK);
	CU_ASSERT_EQUAL(f->C_FindObjects(s, found, 100, &n), CKR_OK);
	CU_ASSERT_EQUAL(f->C_FindObjectsFinal(s), CKR_OK);
	for (CK_ULONG k = 0; k < n; k++) {
		char label[64];
		CK_ATTRIBUTE a = {CKA_LABEL, label, sizeof label};

		CU_ASSERT_EQUAL(f->C_GetAttributeValue(s, found[k], &a, 1), CKR_OK);
		count += a.ulValueLen >= strlen(prefix) &&
			 memcmp(label, prefix, strlen(prefix)) == 0;
		if (destroys)
			CU_ASSERT_EQUAL(f->C_DestroyObject(s, found[k]), CKR_OK);
	}
	CU_ASSERT_EQUAL(f->C_CloseSession(s), CKR_OK);
	return count;
}

static size_t there(unsigned i, const char *prefix)
{
	return look_there(i, prefix, false);
}

static CK_SESSION_HANDLE begin(void)
{
	world_begin_many(&(struct world_many){.count = 2, .mode = "failover"});
	memset(&told, 0, sizeof told);
	for (unsigned i = 0; i < 2; i++) /* of the test before */
		(void)look_there(i, "", true);
	world_list()->C_CreateObject = create;
	world_list()->C_SetAttributeValue = name;
	world_list()->C_DestroyObject = destroy;
	world_list_at(1)->C_CreateObject = create_other;
	return world_enter();
}

/* A data object, or a secret key. */
static CK_RV make_of(CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, const char *label,
		     CK_BBOOL modifiable, CK_OBJECT_HANDLE *made)
{
	CK_BBOOL yes = CK_TRUE;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BYTE value[16] = {3};
	CK_ATTRIBUTE tmpl[6] = {{CKA_CLASS, &class, sizeof class},
				{CKA_TOKEN, &yes, sizeof yes},
				{CKA_VALUE, value, sizeof value},
				{CKA_MODIFIABLE, &modifiable, sizeof modifiable}};
	CK_ULONG n = 4;

	if (class == CKO_SECRET_KEY)
		tmpl[n++] = (CK_ATTRIBUTE){CKA_KEY_TYPE, &type, sizeof type};
	if (label)
		tmpl[n++] = (CK_ATTRIBUTE){CKA_LABEL, (char *)(uintptr_t)label, strlen(label)};
	return object_create(s, tmpl, n, made);
}

static CK_RV make(CK_SESSION_HANDLE s, const char *label, CK_OBJECT_HANDLE *made)
{
	return make_of(s, CKO_DATA, label, CK_TRUE, made);
}

static bool is_tagged(void)
{
	return strncmp(told.label, ORPHAN_TAG_PREFIX, strlen(ORPHAN_TAG_PREFIX)) == 0 &&
	       strlen(told.label) == ORPHAN_TAG_LEN;
}

static void it_is_made_under_a_tag_and_named_then(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;
	char first[64];

	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_TRUE(is_tagged());
	CU_ASSERT_EQUAL(told.names, 1);
	CU_ASSERT_EQUAL(there(0, "mine"), 1);
	memcpy(first, told.label, sizeof first);
	CU_ASSERT_EQUAL(make(s, NULL, &made), CKR_OK); /* the empty label */
	CU_ASSERT_TRUE(is_tagged());
	CU_ASSERT_STRING_NOT_EQUAL(told.label, first);
	CU_ASSERT_EQUAL(there(0, ORPHAN_OWN_PREFIX), 0);
	CU_ASSERT_EQUAL(there(0, ""), 2);
	CU_ASSERT_EQUAL(world_count(s, CKO_DATA), 2);
	world_end();
}

static void what_cannot_be_named_is_not_tagged_nor_made_twice(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.create_lost = CKR_FUNCTION_FAILED;
	CU_ASSERT_EQUAL(make_of(s, CKO_DATA, "fixed", CK_FALSE, &made), CKR_FUNCTION_FAILED);
	CU_ASSERT_STRING_EQUAL(told.label, "fixed");
	CU_ASSERT_EQUAL(told.creates, 1);
	CU_ASSERT_EQUAL(told.other_creates, 0);
	CU_ASSERT_NOT_EQUAL(world_make(s), 0); /* a session object */
	CU_ASSERT_STRING_EQUAL(told.label, "made");
	CU_ASSERT_EQUAL(told.names, 0);
	world_end();
}

static void what_was_made_though_it_failed_is_taken(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.create_lost = CKR_FUNCTION_FAILED;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_EQUAL(told.creates, 1);
	CU_ASSERT_EQUAL(told.other_creates, 0);
	CU_ASSERT_EQUAL(there(0, "mine"), 1);
	CU_ASSERT_EQUAL(world_find(s, CKO_DATA), made);
	world_end();
}

static void what_was_not_made_is_tried_so_often_as_configured(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.create = CKR_FUNCTION_FAILED;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_FUNCTION_FAILED);
	CU_ASSERT_EQUAL(told.creates, world_group()->config->retry.attempts);
	CU_ASSERT_EQUAL(there(0, ""), 0);
	CU_ASSERT_EQUAL(world_member()->tag_count, 0);
	world_end();
}

static void a_member_that_refuses_names_gets_no_tags_any_more(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.name = CKR_ATTRIBUTE_READ_ONLY;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_EQUAL(told.creates, 2);
	CU_ASSERT_EQUAL(there(0, ""), 1);
	CU_ASSERT_EQUAL(there(0, "mine"), 1);
	CU_ASSERT_EQUAL(make(s, "more", &made), CKR_OK);
	CU_ASSERT_EQUAL(told.creates, 3);
	CU_ASSERT_STRING_EQUAL(told.label, "more");
	world_end();
}

static void a_label_that_is_refused_is_the_member_s_verdict(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.name = CKR_ATTRIBUTE_VALUE_INVALID;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_STRING_EQUAL(told.label, "mine");
	CU_ASSERT_EQUAL(world_member()->keeps_labels, 0);
	told.create = CKR_ATTRIBUTE_VALUE_INVALID;
	told.creates = 0;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(told.creates, 2); /* with the tag, and as asked */
	CU_ASSERT_EQUAL(told.other_creates, 0);
	world_end();
}

static void naming_is_asked_again_where_its_answer_was_lost(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.name_lost = CKR_FUNCTION_FAILED;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_EQUAL(told.names, 2);
	CU_ASSERT_EQUAL(told.creates, 1);
	told.name_lost = CKR_DEVICE_REMOVED; /* with the member */
	CU_ASSERT_EQUAL(make(s, "other", &made), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(told.other_creates, 0);
	CU_ASSERT_EQUAL(there(0, "other"), 1);
	world_end();
}

static void what_a_lost_member_made_is_destroyed_when_it_is_back(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;

	told.create_lost = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_EQUAL(told.other_creates, 1);
	CU_ASSERT_EQUAL(there(1, "mine"), 1);
	CU_ASSERT_EQUAL(there(0, ORPHAN_TAG_PREFIX), 1);
	CU_ASSERT_EQUAL(world_member()->tag_count, 1);
	world_bring_back(0);
	told.destroy = CKR_FUNCTION_FAILED; /* not now: it stays remembered */
	orphan_clean(world_member());
	CU_ASSERT_EQUAL(world_member()->tag_count, 1);
	told.destroy = CKR_OK;
	orphan_clean(world_member());
	CU_ASSERT_EQUAL(there(0, ""), 0);
	CU_ASSERT_EQUAL(world_member()->tag_count, 0);
	world_end();
}

static void a_tag_is_kept_until_private_objects_can_be_seen(void)
{
	CK_SESSION_HANDLE s = begin();
	char tag[MEMBER_TAG_ROOM];

	CU_ASSERT_TRUE(orphan_tag(tag));
	CU_ASSERT_TRUE(orphan_remember(world_member(), tag));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK);
	orphan_clean(world_member());
	CU_ASSERT_EQUAL(world_member()->tag_count, 1);
	CU_ASSERT_EQUAL(world_login(s, WORLD_PIN), CKR_OK);
	orphan_clean(world_member());
	CU_ASSERT_EQUAL(world_member()->tag_count, 0);
	world_end();
}

static void without_room_for_a_tag_nothing_is_made_again(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;
	char tag[MEMBER_TAG_ROOM];

	world_lose(0);
	for (unsigned i = 0; i < MEMBER_TAGS; i++)
		CU_ASSERT_TRUE(orphan_tag(tag) && orphan_remember(world_member(), tag));
	CU_ASSERT_FALSE(orphan_remember(world_member(), tag));
	world_bring_back(0);
	/* They are looked for before the next creation, and forgotten: nothing is there. */
	CU_ASSERT_EQUAL(make(s, "mine", &made), CKR_OK);
	CU_ASSERT_EQUAL(world_member()->tag_count, 0);
	for (unsigned i = 0; i < MEMBER_TAGS; i++)
		CU_ASSERT_TRUE(orphan_remember(world_member(), tag));
	CU_ASSERT_EQUAL(login_out(s), CKR_OK); /* so that they cannot be looked for */
	told.create_lost = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(make(s, "more", &made), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(told.other_creates, 0);
	world_end();
}

static void labels_of_hsmux_are_not_the_application_s(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE made = 0;
	CK_ATTRIBUTE own = {CKA_LABEL, (char *)(uintptr_t) "hsmux-x", 7};

	CU_ASSERT_EQUAL(make(s, "hsmux-mine", &made), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(make(s, "hsmux", &made), CKR_OK);
	CU_ASSERT_EQUAL(object_write(s, made, &own, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(object_copy(s, made, &own, 1, &made), CKR_ATTRIBUTE_VALUE_INVALID);
	CU_ASSERT_EQUAL(there(0, "hsmux-"), 0);
	world_end();
}

static bool is_refused(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	return pending_refuses(world_group(), tmpl, count);
}

static void no_label_of_hsmux_gets_through_however_it_is_hidden(void)
{
	char own[] = "hsmux-k-0", mine[] = "mine";
	CK_ATTRIBUTE twice[] = {{CKA_LABEL, mine, 4}, {CKA_LABEL, own, 9}, {CKA_LABEL, mine, 4}};
	CK_ATTRIBUTE plain[] = {{CKA_LABEL, mine, 4}, {CKA_ID, own, 9}, {CKA_LABEL, own, 5}};
	CK_ATTRIBUTE inner[] = {{CKA_DERIVE_TEMPLATE, twice, sizeof twice}};
	CK_ATTRIBUTE outer[] = {{CKA_UNWRAP_TEMPLATE, plain, sizeof plain},
				{CKA_UNWRAP_TEMPLATE, inner, sizeof inner}};

	(void)begin();
	CU_ASSERT(is_refused(twice, 3));
	CU_ASSERT(!is_refused(twice, 1));
	CU_ASSERT(!is_refused(plain, 3));
	CU_ASSERT(is_refused(inner, 1));
	CU_ASSERT(!is_refused(outer, 1));
	CU_ASSERT(is_refused(outer, 2));
	world_end();
}

static void what_is_on_its_way_is_shown_when_it_is_named(void)
{
	CK_SESSION_HANDLE s = begin(), real;
	const CK_FUNCTION_LIST *f = world_real();
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	char tag[MEMBER_TAG_ROOM], label[] = "theirs";
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_TOKEN, &yes, sizeof yes},
			       {CKA_LABEL, tag, ORPHAN_TAG_LEN}};
	CK_ATTRIBUTE named = {CKA_LABEL, label, strlen(label)};
	CK_OBJECT_HANDLE made;

	CU_ASSERT_TRUE(orphan_tag(tag));
	CU_ASSERT_EQUAL(f->C_OpenSession(atomic_load(&world_member()->slot),
					 CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &real),
			CKR_OK);
	CU_ASSERT_EQUAL(f->C_CreateObject(real, tmpl, 3, &made), CKR_OK);
	CU_ASSERT_EQUAL(world_count(s, CKO_DATA), 0);
	CU_ASSERT_EQUAL(f->C_SetAttributeValue(real, made, &named, 1), CKR_OK);
	CU_ASSERT_EQUAL(world_count(s, CKO_DATA), 1);
	CU_ASSERT_EQUAL(f->C_CloseSession(real), CKR_OK);
	world_end();
}

static const struct unit_test tests[] = {
	UNIT(it_is_made_under_a_tag_and_named_then),
	UNIT(what_cannot_be_named_is_not_tagged_nor_made_twice),
	UNIT(what_was_made_though_it_failed_is_taken),
	UNIT(what_was_not_made_is_tried_so_often_as_configured),
	UNIT(a_member_that_refuses_names_gets_no_tags_any_more),
	UNIT(a_label_that_is_refused_is_the_member_s_verdict),
	UNIT(naming_is_asked_again_where_its_answer_was_lost),
	UNIT(what_a_lost_member_made_is_destroyed_when_it_is_back),
	UNIT(a_tag_is_kept_until_private_objects_can_be_seen),
	UNIT(without_room_for_a_tag_nothing_is_made_again),
	UNIT(labels_of_hsmux_are_not_the_application_s),
	UNIT(no_label_of_hsmux_gets_through_however_it_is_hidden),
	UNIT(what_is_on_its_way_is_shown_when_it_is_named),
};

UNIT_MAIN("pending", tests)

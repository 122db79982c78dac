/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of a session in a virtual token of two members: they outlive the member where they were
 * made, as they are now and not as they once were. The members are null tokens. */
#include <stdio.h>
#include <string.h>

#include "core/member.h"
#include "core/object_call.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* What the first member does; zeroed by begin(). */
static struct {
	unsigned creates, destroys, closes;
	bool is_lost_after_create; /* once */
	CK_RV destroy;
	CK_RV change;
	CK_RV read;           /* C_GetAttributeValue */
	unsigned reads;       /* so often; 0: always */
	bool is_lost_on_read; /* once */
} told;

/* With what the second member made an object last. */
static struct {
	unsigned creates;
	CK_ULONG count;
	CK_ATTRIBUTE_TYPE type[32];
	CK_BBOOL value[32]; /* of those that are one byte long */
} copied;

static CK_RV create(CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	CK_RV rv = world_real()->C_CreateObject(s, tmpl, count, made);

	told.creates++;
	if (told.is_lost_after_create)
		world_lose(0);
	told.is_lost_after_create = false;
	return rv;
}

static CK_RV create_copy(CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG count,
			 CK_OBJECT_HANDLE *object)
{
	CU_ASSERT_FATAL(count <= 32);
	copied.creates++;
	copied.count = count;
	for (CK_ULONG i = 0; i < count; i++) {
		copied.type[i] = tmpl[i].type;
		copied.value[i] = tmpl[i].ulValueLen == 1 ? *(CK_BBOOL *)tmpl[i].pValue : 0xff;
	}
	return world_real_at(1)->C_CreateObject(s, tmpl, count, object);
}

/* How often an attribute was given, and 0 or 1 as it was given last. */
static unsigned times_given(CK_ATTRIBUTE_TYPE type, CK_BBOOL *value)
{
	unsigned times = 0;

	for (CK_ULONG i = 0; i < copied.count; i++) {
		if (copied.type[i] != type)
			continue;
		times++;
		*value = copied.value[i];
	}
	return times;
}

/* The first member takes keys for sensitive that do not say what they are, may be changed and may
 * do everything but encrypt; it does not know CKA_COPYABLE. */
static CK_RV answer(CK_ATTRIBUTE *a)
{
	if (a->type == CKA_COPYABLE) {
		a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
	if (a->pValue)
		*(CK_BBOOL *)a->pValue = a->type != CKA_ENCRYPT && a->type != CKA_EXTRACTABLE;
	a->ulValueLen = 1;
	return CKR_OK;
}

static CK_RV read_there(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			CK_ULONG count)
{
	CK_RV rv = CKR_OK;

	if (told.is_lost_on_read)
		world_lose(0);
	told.is_lost_on_read = false;
	if (told.read != CKR_OK) {
		rv = told.read;
		if (told.reads > 0 && --told.reads == 0)
			told.read = CKR_OK;
		return rv;
	}
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = tmpl[i].type == CKA_LABEL || tmpl[i].type == CKA_CLASS ||
					    tmpl[i].type == CKA_TOKEN
				    ? world_real()->C_GetAttributeValue(s, object, &tmpl[i], 1)
				    : answer(&tmpl[i]);

		rv = one == CKR_OK ? rv : one;
	}
	return rv;
}

static CK_RV destroy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object)
{
	told.destroys++;
	return told.destroy != CKR_OK ? told.destroy : world_real()->C_DestroyObject(s, object);
}

static CK_RV change(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		    CK_ULONG count)
{
	if (told.change != CKR_OK)
		return told.change;
	return world_real()->C_SetAttributeValue(s, object, tmpl, count);
}

static CK_RV close_session(CK_SESSION_HANDLE s)
{
	told.closes++;
	return world_real()->C_CloseSession(s);
}

/* So often the second member says that nobody is logged in. */
static unsigned forgotten;

static CK_RV session_info(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
	CK_RV rv = world_real_at(1)->C_GetSessionInfo(s, info);

	if (rv == CKR_OK && forgotten > 0) {
		forgotten--;
		info->state = CKS_RW_PUBLIC_SESSION;
	}
	return rv;
}

static CK_SESSION_HANDLE begin(void)
{
	world_begin_many(
		&(struct world_many){.count = 2, .mode = "failover", .token = "relogin = true;"});
	memset(&told, 0, sizeof told);
	memset(&copied, 0, sizeof copied);
	world_list()->C_CreateObject = create;
	world_list()->C_DestroyObject = destroy;
	world_list()->C_SetAttributeValue = change;
	world_list()->C_CloseSession = close_session;
	world_list()->C_GetAttributeValue = read_there;
	world_list_at(1)->C_CreateObject = create_copy;
	return world_enter();
}

/* A data object of the session with the label "before". */
static CK_RV make(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *made)
{
	static char label[] = "before", value[] = "value";
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_LABEL, label, 6},
			       {CKA_VALUE, value, 5}};

	return object_create(s, tmpl, 4, made);
}

static CK_OBJECT_HANDLE made(CK_SESSION_HANDLE s)
{
	CK_OBJECT_HANDLE object = 0;

	CU_ASSERT_EQUAL_FATAL(make(s, &object), CKR_OK);
	return object;
}

static CK_RV rename_it(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object)
{
	static char label[] = "afterwards";
	CK_ATTRIBUTE a = {CKA_LABEL, label, 10};

	return object_write(s, object, &a, 1);
}

/* The label, or the code. */
static const char *label_of(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object)
{
	static char text[40];
	char label[20];
	CK_ATTRIBUTE a = {CKA_LABEL, label, sizeof label};
	CK_RV rv = object_read(s, object, &a, 1);

	if (rv == CKR_OK)
		(void)snprintf(text, sizeof text, "%.*s", (int)a.ulValueLen, label);
	else
		(void)snprintf(text, sizeof text, "0x%lx", rv);
	return text;
}

static void one_that_is_lost_before_it_has_a_handle_is_made_again(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object;

	told.is_lost_after_create = true;
	object = made(s);
	CU_ASSERT_EQUAL(told.creates, 1);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before");
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OK);
	world_end();
}

/* The session for its copy is the first that shows that all others of the member were lost. */
static void one_whose_second_member_lost_everything_is_made_there(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);
	struct member_session *ms;
	unsigned epoch = atomic_load(&world_member_at(1)->epoch);

	CU_ASSERT_EQUAL_FATAL(pool_take(world_member_at(1), 0, 0, &ms), CKR_OK);
	pool_give(ms, 0); /* the call works on this one */
	world_list_at(1)->C_GetSessionInfo = session_info;
	world_lose(0);
	forgotten = 1;
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before");
	CU_ASSERT_EQUAL(forgotten, 0);
	CU_ASSERT_EQUAL(atomic_load(&world_member_at(1)->epoch), epoch + 1);
	CU_ASSERT_EQUAL(copied.creates, 1);
	world_end();
}

static void a_change_outlives_the_member(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);

	CU_ASSERT_EQUAL(rename_it(s, object), CKR_OK);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "afterwards");
	world_lose(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "afterwards");
	world_bring_back(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "afterwards");
	CU_ASSERT_EQUAL(told.creates, 2);
	world_end();
}

/* The copy on the second member is as it was before the change. */
static void a_copy_from_before_a_change_is_not_used(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);

	world_lose(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before"); /* made there */
	world_bring_back(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before");
	CU_ASSERT_EQUAL(rename_it(s, object), CKR_OK);
	world_lose(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "afterwards");
	world_end();
}

static void a_change_is_made_where_the_object_can_be_made(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);

	world_lose(0);
	CU_ASSERT_EQUAL(rename_it(s, object), CKR_OK);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "afterwards");
	world_end();
}

static void a_change_that_is_refused_changes_nothing(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);

	told.change = CKR_ATTRIBUTE_READ_ONLY;
	CU_ASSERT_EQUAL(rename_it(s, object), CKR_ATTRIBUTE_READ_ONLY);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before");
	world_lose(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before");
	world_end();
}

/* For each allocation that fails: the object is as it is now, or it is nowhere else. */
static void without_memory_no_older_copy_is_made(void)
{
	unsigned long n = 0;
	bool is_through;

	do {
		CK_SESSION_HANDLE s = begin();
		CK_OBJECT_HANDLE object = made(s);
		CK_RV rv;

		alloc_fail_at(++n);
		rv = rename_it(s, object);
		is_through = alloc_seen < n;
		alloc_fail_at(0);
		CU_ASSERT(rv == CKR_OK || rv == CKR_HOST_MEMORY);
		world_lose(0);
		if (rv == CKR_OK)
			CU_ASSERT_STRING_NOT_EQUAL(label_of(s, object), "before");
		if (is_through)
			CU_ASSERT_STRING_EQUAL(label_of(s, object), "afterwards");
		world_end();
	} while (!is_through && n < 100);
	CU_ASSERT_TRUE(is_through);
	CU_ASSERT(n > 2);
}

static void one_whose_member_is_lost_can_be_destroyed(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);

	world_lose(0);
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OK);
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OBJECT_HANDLE_INVALID);
	world_bring_back(0);
	object = made(s);
	world_restart(0); /* lost and back before anybody looks */
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OK);
	CU_ASSERT_EQUAL(told.destroys, 0);
	world_end();
}

static void one_that_must_not_be_destroyed_stays(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);

	told.destroy = CKR_ACTION_PROHIBITED;
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_ACTION_PROHIBITED);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "before");
	told.destroy = CKR_OK;
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OK);
	world_end();
}

/* The session in which it stays is not lent to anybody. */
static void what_cannot_be_destroyed_goes_with_its_session(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made(s);
	unsigned closes = told.closes;

	told.destroy = CKR_FUNCTION_FAILED;
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OK);
	CU_ASSERT(told.destroys > 0);
	CU_ASSERT(told.closes > closes);
	CU_ASSERT_EQUAL(world_count(s, CKO_DATA), 0);
	world_end();
}

/* A secret key that says only that it may sign. */
static CK_OBJECT_HANDLE made_key(CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL no = CK_FALSE, yes = CK_TRUE;
	CK_BYTE value[16] = {1};
	CK_OBJECT_HANDLE object = 0;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_SIGN, &yes, sizeof yes},
			       {CKA_VALUE, value, sizeof value}};

	CU_ASSERT_EQUAL_FATAL(object_create(s, tmpl, 5, &object), CKR_OK);
	return object;
}

static void a_copy_is_what_the_first_member_took_the_object_for(void)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		unsigned times;
		CK_BBOOL value;
	} rows[] = {
		{CKA_SIGN, 1, CK_TRUE},
		{CKA_SENSITIVE, 1, CK_TRUE},
		{CKA_EXTRACTABLE, 1, CK_FALSE},
		{CKA_ENCRYPT, 1, CK_FALSE},
		{CKA_DECRYPT, 1, CK_TRUE},
		{CKA_PRIVATE, 1, CK_TRUE},
		{CKA_WRAP, 1, CK_TRUE},
		{CKA_DERIVE, 1, CK_TRUE},
		{CKA_WRAP_WITH_TRUSTED, 1, CK_TRUE},
		{CKA_MODIFIABLE, 0, 0},
		{CKA_DESTROYABLE, 0, 0},
		{CKA_COPYABLE, 0, 0},
		{CKA_ALWAYS_AUTHENTICATE, 0, 0},
	};
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object = made_key(s);

	world_lose(0);
	(void)label_of(s, object);
	CU_ASSERT_EQUAL(copied.creates, 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CK_BBOOL value = 0;
		unsigned times = times_given(rows[i].type, &value);

		if (times == rows[i].times && value == rows[i].value)
			continue;
		(void)printf("attribute 0x%lx: %u times, %u\n", rows[i].type, times, value);
		CU_FAIL("a copy is not what it should be");
	}
	world_end();
}

static void one_that_is_lost_before_it_is_known_is_made_again(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object;

	told.is_lost_on_read = true;
	object = made_key(s);
	CU_ASSERT_EQUAL(told.creates, 1);
	CU_ASSERT_EQUAL(copied.creates, 1);
	CU_ASSERT_EQUAL(object_destroy(s, object), CKR_OK);
	CU_ASSERT_EQUAL(told.destroys, 0);
	world_end();
}

/* What it is, is not known: a copy might be able to do more. */
static void one_whose_member_says_nothing_of_it_stays_there(void)
{
	CK_SESSION_HANDLE s = begin();
	CK_OBJECT_HANDLE object;

	told.read = CKR_FUNCTION_FAILED;
	object = made_key(s);
	told.read = CKR_OK;
	CU_ASSERT_STRING_NOT_EQUAL(label_of(s, object), "0x82");
	world_lose(0);
	CU_ASSERT_STRING_EQUAL(label_of(s, object), "0x82");
	CU_ASSERT_EQUAL(copied.creates, 0);
	world_end();
}

/* Nobody has noticed yet that the member lost the session that owns it. */
static void one_whose_session_is_lost_before_it_is_known_is_made_again(void)
{
	static const CK_RV codes[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,
				      CKR_OBJECT_HANDLE_INVALID};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		CK_SESSION_HANDLE s = begin();
		CK_OBJECT_HANDLE object;

		told.read = codes[i];
		told.reads = 1;
		object = made_key(s);
		CU_ASSERT_EQUAL(told.read, CKR_OK);
		CU_ASSERT_EQUAL(told.creates, 2);
		world_lose(0);
		CU_ASSERT_STRING_NOT_EQUAL(label_of(s, object), "0x82");
		CU_ASSERT_EQUAL(copied.creates, 1);
		world_end();
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(one_that_is_lost_before_it_has_a_handle_is_made_again),
		UNIT(one_whose_second_member_lost_everything_is_made_there),
		UNIT(a_change_outlives_the_member),
		UNIT(a_copy_from_before_a_change_is_not_used),
		UNIT(a_change_is_made_where_the_object_can_be_made),
		UNIT(a_change_that_is_refused_changes_nothing),
		UNIT(without_memory_no_older_copy_is_made),
		UNIT(one_whose_member_is_lost_can_be_destroyed),
		UNIT(one_that_must_not_be_destroyed_stays),
		UNIT(what_cannot_be_destroyed_goes_with_its_session),
		UNIT(a_copy_is_what_the_first_member_took_the_object_for),
		UNIT(one_that_is_lost_before_it_is_known_is_made_again),
		UNIT(one_whose_member_says_nothing_of_it_stays_there),
		UNIT(one_whose_session_is_lost_before_it_is_known_is_made_again),
	};

	return unit_run("core/session objects", tests, sizeof tests / sizeof tests[0]);
}

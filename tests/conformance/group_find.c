/* SPDX-License-Identifier: BSD-2-Clause */
/* C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal: Base 5.7. */
#include <string.h>

#include "tests/conformance/world.h"

#define MANY 130

static CK_UTF8CHAR many_label[] = "conform many";

static void states(struct suite *t)
{
	CK_OBJECT_HANDLE o[4];
	CK_ULONG count = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_SESSION_HANDLE other = world_open(t, RO);

	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjects, s, o, 4, &count);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjectsFinal, s);
	OK(t, FindObjectsInit, s, NULL, 0);
	EXPECT(t, CKR_OPERATION_ACTIVE, FindObjectsInit, s, NULL, 0);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjects, other, o, 4, &count);
	OK(t, FindObjectsInit, other, NULL, 0);
	OK(t, FindObjectsFinal, other);
	OK(t, FindObjects, s, o, 4, &count);
	OK(t, FindObjectsFinal, s);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjects, s, o, 4, &count);
	EXPECT(t, CKR_OPERATION_NOT_INITIALIZED, FindObjectsFinal, s);
	OK(t, FindObjectsInit, s, NULL, 0);
	OK(t, FindObjectsFinal, s);
}

static void arguments(struct suite *t)
{
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG count = 77;
	CK_SESSION_HANDLE s = world_user(t);

	EXPECT(t, CKR_ARGUMENTS_BAD, FindObjectsInit, s, NULL, 1);
	OK(t, FindObjectsInit, s, NULL, 0);
	EXPECT(t, CKR_ARGUMENTS_BAD, FindObjects, s, NULL, 1, &count);
	EXPECT_ANY(t, CODES(CKR_ARGUMENTS_BAD, CKR_OPERATION_NOT_INITIALIZED), FindObjects, s, &o,
		   1, NULL);
	(void)CALL(t, FindObjectsFinal, s);
	OK(t, FindObjectsInit, s, NULL, 0);
	OK(t, FindObjectsFinal, s);
}

static void make_many(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *made)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BYTE value[2];
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class),
			       NO(CKA_TOKEN),
			       {CKA_LABEL, many_label, 12},
			       BYTES(CKA_VALUE, value)};

	for (size_t i = 0; i < MANY; i++) {
		value[0] = (CK_BYTE)i;
		value[1] = (CK_BYTE)(i >> 8);
		OK(t, CreateObject, s, tmpl, COUNT(tmpl), &made[i]);
	}
}

static size_t index_of(const CK_OBJECT_HANDLE *made, CK_OBJECT_HANDLE o)
{
	size_t i = 0;

	while (i < MANY && made[i] != o)
		i++;
	return i;
}

static void no_room(struct suite *t)
{
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG count = 77;
	CK_SESSION_HANDLE s = world_user(t);

	world_object(t, s, "conform mine", false, true);
	OK(t, FindObjectsInit, s, NULL, 0);
	EXPECT_ANY(t, CODES(CKR_OK, CKR_ARGUMENTS_BAD), FindObjects, s, &o, 0, &count);
	OK(t, FindObjects, s, &o, 1, &count);
	CHECK(t, count == 1 && o != 0);
	OK(t, FindObjectsFinal, s);
}

static void many(struct suite *t)
{
	CK_OBJECT_HANDLE made[MANY];
	CK_OBJECT_HANDLE some[7];
	bool is_seen[MANY + 1] = {false};
	CK_ULONG count = 0;
	CK_ULONG total = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE tmpl = {CKA_LABEL, many_label, 12};

	make_many(t, s, made);
	OK(t, FindObjectsInit, s, &tmpl, 1);
	do {
		if (!OK(t, FindObjects, s, some, COUNT(some), &count) ||
		    !CHECK(t, count <= COUNT(some)))
			break;
		for (CK_ULONG i = 0; i < count; i++) {
			size_t at = index_of(made, some[i]);

			CHECK(t, at < MANY && !is_seen[at]);
			is_seen[at] = true;
		}
		total += count;
	} while (count > 0);
	CHECK(t, total == MANY);
	OK(t, FindObjects, s, some, COUNT(some), &count);
	CHECK(t, count == 0);
	OK(t, FindObjectsFinal, s);
}

static void changing(struct suite *t)
{
	CK_OBJECT_HANDLE made[MANY];
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG count = 0;
	CK_ULONG total = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE tmpl = {CKA_LABEL, many_label, 12};

	make_many(t, s, made);
	OK(t, FindObjectsInit, s, &tmpl, 1);
	for (; OK(t, FindObjects, s, &o, 1, &count) && count == 1; total++)
		OK(t, DestroyObject, s, o);
	OK(t, FindObjectsFinal, s);
	CHECK(t, total == MANY);
	CHECK(t, world_count(t, s, "conform many") == 0);
}

static CK_ULONG count_of(struct suite *t, CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl, CK_ULONG size)
{
	CK_OBJECT_HANDLE o[32];
	CK_ULONG count = 77;

	OK(t, FindObjectsInit, s, tmpl, size);
	OK(t, FindObjects, s, o, COUNT(o), &count);
	OK(t, FindObjectsFinal, s);
	return count;
}

static void matches(struct suite *t)
{
	CK_UTF8CHAR label[] = "conform mine";
	CK_OBJECT_CLASS data = CKO_DATA;
	CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, label, 12}, ATTR(CKA_CLASS, data), NO(CKA_TOKEN)};

	world_object(t, s, "conform mine", false, false);
	world_aes(t, s);
	CHECK(t, count_of(t, s, tmpl, 3) == 1);
	tmpl[1].pValue = &secret;
	CHECK(t, count_of(t, s, tmpl, 3) == 0);
	tmpl[1].pValue = &data;
	tmpl[2].pValue = &world_yes;
	CHECK(t, count_of(t, s, tmpl, 3) == 0);
	tmpl[0].ulValueLen = 7;
	CHECK(t, count_of(t, s, tmpl, 1) == 0);
	label[0] = 'C';
	tmpl[0].ulValueLen = 12;
	CHECK(t, count_of(t, s, tmpl, 1) == 0);
	tmpl[0].ulValueLen = 0;
	CHECK(t, count_of(t, s, tmpl, 2) == 0);
}

static void unknown_attribute(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE tmpl = YES(0x7ffffff1UL);
	CK_OBJECT_HANDLE o = 0;
	CK_ULONG count = 77;

	if (CALL(t, FindObjectsInit, s, &tmpl, 1) == CKR_OK) {
		OK(t, FindObjects, s, &o, 1, &count);
		CHECK(t, count == 0);
		OK(t, FindObjectsFinal, s);
	}
	OK(t, FindObjectsInit, s, NULL, 0);
	OK(t, FindObjectsFinal, s);
}

static void others_go_on(struct suite *t)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_BYTE digest[32];
	CK_ULONG len = sizeof(digest);
	CK_ULONG count = 0;
	CK_BBOOL token = CK_TRUE;
	CK_ATTRIBUTE a = ATTR(CKA_TOKEN, token);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);

	OK(t, FindObjectsInit, s, NULL, 0);
	OK(t, GetAttributeValue, s, o, &a, 1);
	OK(t, DigestInit, s, &sha);
	OK(t, FindObjects, s, &o, 1, &count);
	OK(t, Digest, s, world_text, sizeof(world_text), digest, &len);
	OK(t, GenerateRandom, s, digest, sizeof(digest));
	OK(t, FindObjects, s, &o, 1, &count);
	OK(t, FindObjectsFinal, s);
}

static void same_handles(struct suite *t)
{
	CK_UTF8CHAR label[] = "conform mine";
	CK_ATTRIBUTE tmpl = {CKA_LABEL, label, 12};
	CK_OBJECT_HANDLE found = 0;
	CK_ULONG count = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_SESSION_HANDLE other = world_open(t, RO);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);

	for (int i = 0; i < 4; i++) {
		CK_SESSION_HANDLE from = i % 2 ? s : other;

		OK(t, FindObjectsInit, from, &tmpl, 1);
		OK(t, FindObjects, from, &found, 1, &count);
		OK(t, FindObjectsFinal, from);
		CHECK(t, count == 1 && found == o);
	}
}

static const struct conform_case cases[] = {
	{"one search a session: Init, FindObjects, Final in this order", states},
	{"C_FindObjects without room gives nothing and ends nothing", no_room},
	{"a search over many objects finds each once, then none", many},
	{"objects may be destroyed while a search finds them", changing},
	{"a search matches byte for byte, all attributes", matches},
	{"an unknown attribute finds nothing or is refused, and ends nothing", unknown_attribute},
	{"other work goes on while a search is active", others_go_on},
	{"an object has one handle, in all sessions and searches", same_handles},
	{"the search functions refuse NULL", arguments},
};

const struct group group_find = {"find", CASES_OF(cases), false};

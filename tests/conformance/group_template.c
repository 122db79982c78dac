/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates of new and changed objects: Base 4.1, 4.9, 4.10; C_CreateObject,
 * C_SetAttributeValue: 5.7. */
#include <string.h>

#include "tests/conformance/world.h"

static CK_OBJECT_CLASS data = CKO_DATA;
static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_KEY_TYPE aes = CKK_AES;

static void arguments(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, data), NO(CKA_TOKEN)};
	CK_ATTRIBUTE hollow[] = {ATTR(CKA_CLASS, data), {CKA_VALUE, NULL, 8}};

	EXPECT(t, CKR_ARGUMENTS_BAD, CreateObject, s, NULL, 2, &o);
	EXPECT(t, CKR_ARGUMENTS_BAD, CreateObject, s, tmpl, COUNT(tmpl), NULL);
	EXPECT_ANY(t, CODES(CKR_ARGUMENTS_BAD, CKR_TEMPLATE_INCOMPLETE), CreateObject, s, NULL, 0,
		   &o);
	EXPECT_ANY(t, CODES(CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_VALUE_INVALID), CreateObject, s,
		   hollow, COUNT(hollow), &o);
}

static void incomplete(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE no_class[] = {NO(CKA_TOKEN), BYTES(CKA_VALUE, world_key)};
	CK_ATTRIBUTE no_type[] = {ATTR(CKA_CLASS, secret), NO(CKA_TOKEN),
				  BYTES(CKA_VALUE, world_key)};
	CK_ATTRIBUTE no_value[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, aes), NO(CKA_TOKEN)};

	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, CreateObject, s, no_class, COUNT(no_class), &o);
	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, CreateObject, s, no_type, COUNT(no_type), &o);
	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, CreateObject, s, no_value, COUNT(no_value), &o);
}

static void invalid(struct suite *t)
{
	CK_OBJECT_CLASS unknown = 0x7777;
	CK_BYTE two[2] = {1, 1};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE no_such_class[] = {ATTR(CKA_CLASS, unknown), NO(CKA_TOKEN)};
	CK_ATTRIBUTE long_bool[] = {ATTR(CKA_CLASS, data), BYTES(CKA_TOKEN, two)};
	CK_ATTRIBUTE no_such_type[] = {ATTR(CKA_CLASS, data), NO(CKA_TOKEN), YES(0x7ffffff1UL)};

	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT), CreateObject,
		   s, no_such_class, COUNT(no_such_class), &o);
	if (!EXPECT(t, CKR_ATTRIBUTE_VALUE_INVALID, CreateObject, s, long_bool, COUNT(long_bool),
		    &o))
		(void)CALL(t, DestroyObject, s, o);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT), CreateObject, s,
		   no_such_type, COUNT(no_such_type), &o);
}

static void read_only(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, aes), NO(CKA_TOKEN),
			       BYTES(CKA_VALUE, world_key), YES(CKA_LOCAL)};
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE,
						  CKA_NEVER_EXTRACTABLE};

	for (size_t i = 0; i < COUNT(types); i++) {
		tmpl[4].type = types[i];
		EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT),
			   CreateObject, s, tmpl, COUNT(tmpl), &o);
	}
}

static void inconsistent(struct suite *t)
{
	CK_BBOOL token = CK_FALSE;
	CK_OBJECT_HANDLE o = 0;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE other_class[] = {ATTR(CKA_CLASS, data), ATTR(CKA_TOKEN, token),
				      YES(CKA_ENCRYPT)};
	CK_ATTRIBUTE rsa_in_aes[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, aes),
				     ATTR(CKA_TOKEN, token), BYTES(CKA_VALUE, world_key),
				     BYTES(CKA_PUBLIC_EXPONENT, exponent)};

	EXPECT_ANY(t, CODES(CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID), CreateObject, s,
		   other_class, COUNT(other_class), &o);
	EXPECT_ANY(t, CODES(CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID), CreateObject, s,
		   rsa_in_aes, COUNT(rsa_in_aes), &o);
}

static void bad_key_values(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret),
			       ATTR(CKA_KEY_TYPE, aes),
			       NO(CKA_TOKEN),
			       {CKA_VALUE, world_text, 15}};

	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT), CreateObject,
		   s, tmpl, COUNT(tmpl), &o);
}

static void nothing_is_left(struct suite *t)
{
	CK_UTF8CHAR label[] = "conform failed";
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret),
			       ATTR(CKA_KEY_TYPE, aes),
			       NO(CKA_TOKEN),
			       {CKA_LABEL, label, sizeof(label) - 1}};

	EXPECT(t, CKR_TEMPLATE_INCOMPLETE, CreateObject, s, tmpl, COUNT(tmpl), &o);
	CHECK(t, world_count(t, s, "conform failed") == 0);
}

static void defaults(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, data), BYTES(CKA_VALUE, world_text)};

	if (!OK(t, CreateObject, s, tmpl, COUNT(tmpl), &o))
		return;
	CHECK(t, !world_is(t, s, o, CKA_TOKEN));
	CHECK(t, world_is(t, s, o, CKA_MODIFIABLE));
	OK(t, DestroyObject, s, o);
}

static void created_key(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	CHECK(t, !world_is(t, s, key, CKA_LOCAL));
	CHECK(t, !world_is(t, s, key, CKA_ALWAYS_SENSITIVE));
	CHECK(t, !world_is(t, s, key, CKA_NEVER_EXTRACTABLE));
	CHECK(t, world_is(t, s, key, CKA_EXTRACTABLE));
	CHECK(t, !world_is(t, s, key, CKA_SENSITIVE));
}

static void one_way(struct suite *t)
{
	CK_ATTRIBUTE sensitive = YES(CKA_SENSITIVE);
	CK_ATTRIBUTE insensitive = NO(CKA_SENSITIVE);
	CK_ATTRIBUTE extractable = YES(CKA_EXTRACTABLE);
	CK_ATTRIBUTE unextractable = NO(CKA_EXTRACTABLE);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);

	OK(t, SetAttributeValue, s, key, &sensitive, 1);
	OK(t, SetAttributeValue, s, key, &unextractable, 1);
	CHECK(t, world_is(t, s, key, CKA_SENSITIVE) && !world_is(t, s, key, CKA_EXTRACTABLE));
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), SetAttributeValue,
		   s, key, &insensitive, 1);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), SetAttributeValue,
		   s, key, &extractable, 1);
	CHECK(t, world_is(t, s, key, CKA_SENSITIVE) && !world_is(t, s, key, CKA_EXTRACTABLE));
}

static void sets(struct suite *t)
{
	CK_UTF8CHAR label[] = "conform other";
	CK_ATTRIBUTE set[] = {{CKA_LABEL, label, sizeof(label) - 1}};
	CK_ATTRIBUTE empty[] = {{CKA_LABEL, label, 0}};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_ATTRIBUTE length = {CKA_LABEL, NULL, 77};

	OK(t, SetAttributeValue, s, o, set, 1);
	CHECK(t, world_count(t, s, "conform other") == 1 && world_count(t, s, "conform mine") == 0);
	OK(t, SetAttributeValue, s, o, empty, 1);
	OK(t, GetAttributeValue, s, o, &length, 1);
	CHECK(t, length.ulValueLen == 0);
}

static void set_errors(struct suite *t)
{
	CK_ATTRIBUTE class = ATTR(CKA_CLASS, secret);
	CK_ATTRIBUTE unknown = YES(0x7ffffff1UL);
	CK_ATTRIBUTE token = YES(CKA_TOKEN);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);

	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, SetAttributeValue, s, 0, &token, 1);
	EXPECT(t, CKR_ARGUMENTS_BAD, SetAttributeValue, s, o, NULL, 1);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), SetAttributeValue,
		   s, o, &class, 1);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), SetAttributeValue,
		   s, o, &token, 1);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT),
		   SetAttributeValue, s, o, &unknown, 1);
	CHECK(t, !world_is(t, s, o, CKA_TOKEN));
}

static const struct conform_case cases[] = {
	{"a template that leaves out what is needed is CKR_TEMPLATE_INCOMPLETE", incomplete},
	{"a template with invalid attributes or values is refused", invalid},
	{"attributes that only the token sets are refused", read_only},
	{"attributes of another class or type are refused", inconsistent},
	{"a key value of a wrong length is refused", bad_key_values},
	{"a failed C_CreateObject leaves nothing", nothing_is_left},
	{"an object that says nothing is a session object that can be modified", defaults},
	{"a created key is neither local, always sensitive nor never extractable", created_key},
	{"CKA_SENSITIVE and CKA_EXTRACTABLE change in one direction", one_way},
	{"C_SetAttributeValue changes a label, also to nothing", sets},
	{"C_SetAttributeValue answers each mistake with its code", set_errors},
	{"C_CreateObject refuses NULL where there has to be something", arguments},
};

const struct group group_template = {"template", CASES_OF(cases), false};

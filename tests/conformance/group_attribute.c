/* SPDX-License-Identifier: BSD-2-Clause */
/* C_GetAttributeValue: Base 5.7, the five cases of its algorithm. */
#include <string.h>

#include "tests/conformance/world.h"

#define UNAVAILABLE CK_UNAVAILABLE_INFORMATION

static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_KEY_TYPE aes = CKK_AES;

static void lengths(struct suite *t)
{
	CK_BYTE value[100];
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_ATTRIBUTE a = {CKA_VALUE, NULL, 12345};

	OK(t, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == sizeof(world_text));
	a = (CK_ATTRIBUTE){CKA_VALUE, value, sizeof(world_text)};
	OK(t, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == sizeof(world_text) &&
			 memcmp(value, world_text, sizeof(world_text)) == 0);
	memset(value, 0xee, sizeof(value));
	a.ulValueLen = sizeof(value);
	OK(t, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == sizeof(world_text) && value[sizeof(world_text)] == 0xee);
	a.ulValueLen = sizeof(world_text) - 1;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == UNAVAILABLE);
	a = (CK_ATTRIBUTE){CKA_VALUE, value, 0};
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == UNAVAILABLE);
}

static void partial(struct suite *t)
{
	CK_BYTE label[32];
	CK_BYTE small[3];
	CK_BBOOL token = 7;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_ATTRIBUTE tmpl[] = {BYTES(CKA_MODULUS, label),
			       BYTES(CKA_LABEL, label),
			       BYTES(CKA_VALUE, small),
			       ATTR(CKA_TOKEN, token),
			       {CKA_VALUE, NULL, 0}};
	CK_RV rv = CALL(t, GetAttributeValue, s, o, tmpl, COUNT(tmpl));

	CHECK(t, rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL);
	CHECK(t, tmpl[0].ulValueLen == UNAVAILABLE);
	CHECK(t, tmpl[1].ulValueLen == 12 && memcmp(label, "conform mine", 12) == 0);
	CHECK(t, tmpl[2].ulValueLen == UNAVAILABLE);
	CHECK(t, tmpl[3].ulValueLen == 1 && token == CK_FALSE);
	CHECK(t, tmpl[4].ulValueLen == sizeof(world_text));
}

static void unknown(struct suite *t)
{
	CK_BYTE value[8];
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_ATTRIBUTE a = BYTES(CKA_MODULUS, value);

	EXPECT(t, CKR_ATTRIBUTE_TYPE_INVALID, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == UNAVAILABLE);
	a = (CK_ATTRIBUTE){0x7ffffff1UL, NULL, 0};
	EXPECT(t, CKR_ATTRIBUTE_TYPE_INVALID, GetAttributeValue, s, o, &a, 1);
	CHECK(t, a.ulValueLen == UNAVAILABLE);
}

static CK_OBJECT_HANDLE sensitive_key(struct suite *t, CK_SESSION_HANDLE s)
{
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret), ATTR(CKA_KEY_TYPE, aes),
			       NO(CKA_TOKEN),           YES(CKA_SENSITIVE),
			       YES(CKA_ENCRYPT),        BYTES(CKA_VALUE, world_key)};

	OK(t, CreateObject, s, tmpl, COUNT(tmpl), &key);
	return key;
}

static void sensitive(struct suite *t)
{
	CK_BYTE value[32];
	CK_OBJECT_CLASS class = 0;
	CK_KEY_TYPE type = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = sensitive_key(t, s);
	CK_ATTRIBUTE tmpl[] = {BYTES(CKA_VALUE, value), ATTR(CKA_CLASS, class),
			       ATTR(CKA_KEY_TYPE, type)};

	memset(value, 0, sizeof(value));
	EXPECT(t, CKR_ATTRIBUTE_SENSITIVE, GetAttributeValue, s, key, tmpl, COUNT(tmpl));
	CHECK(t, tmpl[0].ulValueLen == UNAVAILABLE);
	CHECK(t, memcmp(value, world_key, 16) != 0);
	CHECK(t, tmpl[1].ulValueLen == sizeof(class) && class == CKO_SECRET_KEY);
	CHECK(t, tmpl[2].ulValueLen == sizeof(type) && type == CKK_AES);
	tmpl[0] = (CK_ATTRIBUTE){CKA_VALUE, NULL, 0};
	EXPECT(t, CKR_ATTRIBUTE_SENSITIVE, GetAttributeValue, s, key, tmpl, 1);
	CHECK(t, tmpl[0].ulValueLen == UNAVAILABLE);
}

static void mixed(struct suite *t)
{
	CK_BYTE value[32];
	CK_OBJECT_CLASS class = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = sensitive_key(t, s);
	CK_ATTRIBUTE tmpl[] = {BYTES(CKA_MODULUS, value), BYTES(CKA_VALUE, value),
			       ATTR(CKA_CLASS, class)};
	CK_RV rv = CALL(t, GetAttributeValue, s, key, tmpl, COUNT(tmpl));

	CHECK(t, rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID);
	CHECK(t, tmpl[0].ulValueLen == UNAVAILABLE && tmpl[1].ulValueLen == UNAVAILABLE);
	CHECK(t, tmpl[2].ulValueLen == sizeof(class) && class == CKO_SECRET_KEY);
}

static void arguments(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_ATTRIBUTE a = {CKA_VALUE, NULL, 0};

	EXPECT(t, CKR_ARGUMENTS_BAD, GetAttributeValue, s, o, NULL, 1);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetAttributeValue, s, 0, &a, 1);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetAttributeValue, s, 0x7ffffff0UL, &a, 1);
	OK(t, DestroyObject, s, o);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetAttributeValue, s, o, &a, 1);
}

static void repeated(struct suite *t)
{
	CK_BYTE one[32];
	CK_BYTE two[32];
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_ATTRIBUTE tmpl[] = {BYTES(CKA_LABEL, one), BYTES(CKA_LABEL, two)};

	OK(t, GetAttributeValue, s, o, tmpl, COUNT(tmpl));
	CHECK(t, tmpl[0].ulValueLen == 12 && tmpl[1].ulValueLen == 12 && memcmp(one, two, 12) == 0);
}

/* A wrapping key that wraps AES keys only. */
static CK_OBJECT_HANDLE picky_key(struct suite *t, CK_SESSION_HANDLE s)
{
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE inner[] = {ATTR(CKA_KEY_TYPE, aes), YES(CKA_EXTRACTABLE)};
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret),
			       ATTR(CKA_KEY_TYPE, aes),
			       NO(CKA_TOKEN),
			       YES(CKA_WRAP),
			       BYTES(CKA_VALUE, world_key),
			       {CKA_WRAP_TEMPLATE, inner, sizeof(inner)}};

	if (CALL(t, CreateObject, s, tmpl, COUNT(tmpl), &key) != CKR_OK) {
		suite_skip(t, "no CKA_WRAP_TEMPLATE");
		return 0;
	}
	return key;
}

static void arrays(struct suite *t)
{
	CK_KEY_TYPE type = 0;
	CK_BBOOL extractable = CK_FALSE;
	CK_ATTRIBUTE inner[2] = {{0, NULL, 0}, {0, NULL, 0}};
	CK_ATTRIBUTE a = {CKA_WRAP_TEMPLATE, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = picky_key(t, s);

	if (!key)
		return;
	OK(t, GetAttributeValue, s, key, &a, 1);
	if (!CHECK(t, a.ulValueLen == sizeof(inner)))
		return;
	a = (CK_ATTRIBUTE)BYTES(CKA_WRAP_TEMPLATE, inner);
	OK(t, GetAttributeValue, s, key, &a, 1);
	for (int i = 0; i < 2; i++) {
		bool is_type = inner[i].type == CKA_KEY_TYPE;

		CHECK(t, is_type || inner[i].type == CKA_EXTRACTABLE);
		CHECK(t, inner[i].ulValueLen == (is_type ? sizeof(type) : sizeof(extractable)));
		inner[i].pValue = is_type ? (void *)&type : &extractable;
	}
	OK(t, GetAttributeValue, s, key, &a, 1);
	CHECK(t, type == CKK_AES && extractable == CK_TRUE);
	inner[0].ulValueLen = 0;
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetAttributeValue, s, key, &a, 1);
	a.ulValueLen = sizeof(inner[0]);
	EXPECT(t, CKR_BUFFER_TOO_SMALL, GetAttributeValue, s, key, &a, 1);
	CHECK(t, a.ulValueLen == UNAVAILABLE);
}

static void mechanisms(struct suite *t)
{
	CK_MECHANISM_TYPE allowed[] = {CKM_AES_ECB, CKM_AES_CBC};
	CK_MECHANISM_TYPE got[4] = {0};
	CK_MECHANISM other = {CKM_AES_CTR, NULL, 0};
	CK_OBJECT_HANDLE key = 0;
	CK_SESSION_HANDLE s = world_user(t);
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, secret),
			       ATTR(CKA_KEY_TYPE, aes),
			       NO(CKA_TOKEN),
			       YES(CKA_ENCRYPT),
			       BYTES(CKA_VALUE, world_key),
			       BYTES(CKA_ALLOWED_MECHANISMS, allowed)};
	CK_ATTRIBUTE a = BYTES(CKA_ALLOWED_MECHANISMS, got);

	if (CALL(t, CreateObject, s, tmpl, COUNT(tmpl), &key) != CKR_OK) {
		suite_skip(t, "no CKA_ALLOWED_MECHANISMS");
		return;
	}
	OK(t, GetAttributeValue, s, key, &a, 1);
	CHECK(t, a.ulValueLen == sizeof(allowed));
	CHECK(t, got[0] + got[1] == CKM_AES_ECB + CKM_AES_CBC);
	CHECK(t, CALL(t, EncryptInit, s, &other, key) != CKR_OK);
}

static const struct conform_case cases[] = {
	{"C_GetAttributeValue tells lengths, fills, and refuses small buffers", lengths},
	{"what can be read is read when something else cannot", partial},
	{"an attribute that the object has not is CKR_ATTRIBUTE_TYPE_INVALID", unknown},
	{"a sensitive value is CKR_ATTRIBUTE_SENSITIVE, the rest is read", sensitive},
	{"a sensitive and a missing attribute leave the others readable", mixed},
	{"C_GetAttributeValue answers each mistake with its code", arguments},
	{"an attribute may be asked for twice", repeated},
	{"an array of attributes is read in two steps and refuses small buffers", arrays},
	{"CKA_ALLOWED_MECHANISMS is kept and holds", mechanisms},
};

const struct group group_attribute = {"attribute", CASES_OF(cases), false};

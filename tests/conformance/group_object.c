/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of objects: Base 4.4, 5.7. */
#include <string.h>

#include "tests/conformance/world.h"

static void session_life(struct suite *t)
{
	CK_SESSION_HANDLE maker = world_user(t);
	CK_SESSION_HANDLE other = world_open(t, RO);
	CK_OBJECT_HANDLE o = world_object(t, maker, "conform mine", false, true);
	CK_ULONG size;

	CHECK(t, o != CK_INVALID_HANDLE);
	CHECK(t, world_count(t, other, "conform mine") == 1);
	CHECK(t, !world_is(t, other, o, CKA_TOKEN));
	OK(t, CloseSession, maker);
	CHECK(t, world_count(t, other, "conform mine") == 0);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetObjectSize, other, o, &size);
}

static void token_life(struct suite *t)
{
	CK_SESSION_HANDLE maker = world_user(t);
	CK_SESSION_HANDLE other = world_open(t, RW);
	CK_OBJECT_HANDLE o = world_object(t, maker, "conform lasting", true, false);

	CHECK(t, world_is(t, other, o, CKA_TOKEN));
	OK(t, CloseSession, maker);
	CHECK(t, world_count(t, other, "conform lasting") == 1);
	CHECK(t, world_is(t, other, o, CKA_TOKEN));
	OK(t, CloseAllSessions, t->slot);
	other = world_open(t, RO);
	CHECK(t, world_count(t, other, "conform lasting") == 1);
	OK(t, Login, other, CKU_USER, t->pin, t->pin_len);
	world_destroy(t, world_open(t, RW), "conform lasting");
	CHECK(t, world_count(t, other, "conform lasting") == 0);
}

static void shared(struct suite *t)
{
	CK_SESSION_HANDLE maker = world_user(t);
	CK_SESSION_HANDLE other = world_open(t, RO);
	CK_OBJECT_HANDLE o = world_object(t, maker, "conform mine", false, true);
	CK_ULONG size;

	OK(t, DestroyObject, other, o);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetObjectSize, maker, o, &size);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, DestroyObject, maker, o);
	CHECK(t, world_count(t, maker, "conform mine") == 0);
}

static void read_only(struct suite *t)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_UTF8CHAR label[] = "conform other";
	CK_ATTRIBUTE set = {CKA_LABEL, label, sizeof(label) - 1};
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class), YES(CKA_TOKEN), NO(CKA_PRIVATE),
			       BYTES(CKA_VALUE, world_text)};
	CK_SESSION_HANDLE rw = world_user(t);
	CK_SESSION_HANDLE ro = world_open(t, RO);
	CK_OBJECT_HANDLE lasting = world_object(t, rw, "conform lasting", true, false);
	CK_OBJECT_HANDLE o = 0;

	EXPECT(t, CKR_SESSION_READ_ONLY, CreateObject, ro, tmpl, COUNT(tmpl), &o);
	EXPECT(t, CKR_SESSION_READ_ONLY, DestroyObject, ro, lasting);
	EXPECT(t, CKR_SESSION_READ_ONLY, SetAttributeValue, ro, lasting, &set, 1);
	EXPECT(t, CKR_SESSION_READ_ONLY, CopyObject, ro, lasting, &set, 1, &o);
	o = world_object(t, ro, "conform mine", false, true);
	EXPECT(t, CKR_SESSION_READ_ONLY, CopyObject, ro, o, &(CK_ATTRIBUTE)YES(CKA_TOKEN), 1,
	       &lasting);
	OK(t, SetAttributeValue, ro, o, &set, 1);
	OK(t, DestroyObject, ro, o);
	world_destroy(t, rw, "conform lasting");
}

static void read_only_keys(struct suite *t)
{
	CK_MECHANISM aes = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG len = 16;
	CK_ATTRIBUTE tmpl[] = {YES(CKA_TOKEN), ATTR(CKA_VALUE_LEN, len)};
	CK_OBJECT_HANDLE key = 0;
	CK_SESSION_HANDLE s = world_open(t, RO);

	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	EXPECT(t, CKR_SESSION_READ_ONLY, GenerateKey, s, &aes, tmpl, COUNT(tmpl), &key);
	tmpl[0] = (CK_ATTRIBUTE)NO(CKA_TOKEN);
	OK(t, GenerateKey, s, &aes, tmpl, COUNT(tmpl), &key);
}

static void copies(struct suite *t)
{
	CK_UTF8CHAR label[] = "conform copy";
	CK_BYTE value[64];
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, label, sizeof(label) - 1}};
	CK_ATTRIBUTE read = BYTES(CKA_VALUE, value);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_OBJECT_HANDLE copy = 0;

	OK(t, CopyObject, s, o, tmpl, 1, &copy);
	CHECK(t, copy != 0 && copy != o);
	CHECK(t, world_count(t, s, "conform copy") == 1);
	CHECK(t, world_count(t, s, "conform mine") == 1);
	OK(t, DestroyObject, s, o);
	OK(t, GetAttributeValue, s, copy, &read, 1);
	CHECK(t, read.ulValueLen == 64 && memcmp(value, world_text, 64) == 0);
	OK(t, DestroyObject, s, copy);
}

static void copies_to_token(struct suite *t)
{
	CK_UTF8CHAR label[] = "conform lasting";
	CK_ATTRIBUTE tmpl[] = {YES(CKA_TOKEN), {CKA_LABEL, label, sizeof(label) - 1}};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_OBJECT_HANDLE copy = 0;

	OK(t, CopyObject, s, o, tmpl, COUNT(tmpl), &copy);
	OK(t, CloseSession, s);
	s = world_user(t);
	CHECK(t, world_count(t, s, "conform lasting") == 1);
	world_destroy(t, s, "conform lasting");
}

static void copy_errors(struct suite *t)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_ATTRIBUTE changed = ATTR(CKA_CLASS, class);
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, true);
	CK_OBJECT_HANDLE copy = 0;

	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, CopyObject, s, 0, NULL, 0, &copy);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, CopyObject, s, 0x7ffffff0UL, NULL, 0, &copy);
	EXPECT(t, CKR_ARGUMENTS_BAD, CopyObject, s, o, NULL, 1, &copy);
	EXPECT(t, CKR_ARGUMENTS_BAD, CopyObject, s, o, NULL, 0, NULL);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), CopyObject, s, o,
		   &changed, 1, &copy);
}

static void copy_of_key(struct suite *t)
{
	CK_ATTRIBUTE weaker[] = {NO(CKA_SENSITIVE)};
	CK_ATTRIBUTE stronger[] = {YES(CKA_SENSITIVE), NO(CKA_EXTRACTABLE)};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = world_aes(t, s);
	CK_OBJECT_HANDLE copy = 0;
	CK_OBJECT_HANDLE again = 0;

	if (!OK(t, CopyObject, s, key, stronger, COUNT(stronger), &copy))
		return;
	CHECK(t, world_is(t, s, copy, CKA_SENSITIVE) && !world_is(t, s, copy, CKA_EXTRACTABLE));
	CHECK(t, !world_is(t, s, copy, CKA_NEVER_EXTRACTABLE));
	CHECK(t, !world_is(t, s, key, CKA_SENSITIVE) && world_is(t, s, key, CKA_EXTRACTABLE));
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), CopyObject, s,
		   copy, weaker, 1, &again);
	weaker[0] = (CK_ATTRIBUTE)YES(CKA_EXTRACTABLE);
	EXPECT_ANY(t, CODES(CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT), CopyObject, s,
		   copy, weaker, 1, &again);
}

/* A session copy of a token key is an object of its own: Base 4.1.3. */
static void copy_of_token_key(struct suite *t)
{
	CK_MECHANISM aes = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG len = 16;
	CK_UTF8CHAR label[] = "conform lasting";
	CK_UTF8CHAR copied[] = "conform copy";
	CK_ATTRIBUTE tmpl[] = {YES(CKA_TOKEN),
			       {CKA_LABEL, label, sizeof(label) - 1},
			       YES(CKA_ENCRYPT),
			       ATTR(CKA_VALUE_LEN, len)};
	CK_ATTRIBUTE change[] = {NO(CKA_TOKEN), {CKA_LABEL, copied, sizeof(copied) - 1}};
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE key = 0;
	CK_OBJECT_HANDLE copy = 0;

	if (!OK(t, GenerateKey, s, &aes, tmpl, COUNT(tmpl), &key) ||
	    !OK(t, CopyObject, s, key, change, COUNT(change), &copy))
		return;
	CHECK(t, !world_is(t, s, copy, CKA_TOKEN) && world_is(t, s, key, CKA_TOKEN));
	CHECK(t, world_count(t, s, "conform copy") == 1);
	OK(t, DestroyObject, s, copy);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, DestroyObject, s, copy);
	OK(t, CopyObject, s, key, change, COUNT(change), &copy);
	OK(t, DestroyObject, s, key);
	OK(t, EncryptInit, s, &ecb, copy);
	OK(t, CloseSession, s);
}

static void sizes(struct suite *t)
{
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = world_object(t, s, "conform mine", false, false);
	CK_ULONG size = 0;

	EXPECT_ANY(t, CODES(CKR_OK, CKR_INFORMATION_SENSITIVE), GetObjectSize, s, o, &size);
	EXPECT(t, CKR_ARGUMENTS_BAD, GetObjectSize, s, o, NULL);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, GetObjectSize, s, 0, &size);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, DestroyObject, s, 0);
	EXPECT(t, CKR_OBJECT_HANDLE_INVALID, DestroyObject, s, 0x7ffffff0UL);
}

static void prohibited(struct suite *t, CK_ATTRIBUTE_TYPE type)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_UTF8CHAR label[] = "conform other";
	CK_ATTRIBUTE set = {CKA_LABEL, label, sizeof(label) - 1};
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class), NO(CKA_TOKEN), NO(type),
			       BYTES(CKA_VALUE, world_text)};
	CK_SESSION_HANDLE s = world_user(t);
	CK_OBJECT_HANDLE o = 0;
	CK_OBJECT_HANDLE copy = 0;

	if (!EXPECT_ANY(t, CODES(CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID),
			CreateObject, s, tmpl, COUNT(tmpl), &o) ||
	    o == 0)
		return;
	if (type == CKA_MODIFIABLE)
		EXPECT(t, CKR_ACTION_PROHIBITED, SetAttributeValue, s, o, &set, 1);
	if (type == CKA_COPYABLE)
		EXPECT(t, CKR_ACTION_PROHIBITED, CopyObject, s, o, &set, 1, &copy);
	if (type == CKA_DESTROYABLE)
		EXPECT(t, CKR_ACTION_PROHIBITED, DestroyObject, s, o);
}

static void unmodifiable(struct suite *t)
{
	prohibited(t, CKA_MODIFIABLE);
}

static void uncopyable(struct suite *t)
{
	prohibited(t, CKA_COPYABLE);
}

static void indestructible(struct suite *t)
{
	prohibited(t, CKA_DESTROYABLE);
}

static const struct conform_case cases[] = {
	{"a session object is seen by all sessions and ends with the one that made it",
	 session_life},
	{"a token object stays until it is destroyed", token_life},
	{"any session may destroy a session object, once", shared},
	{"a read-only session works on session objects only", read_only},
	{"a read-only session generates session keys only", read_only_keys},
	{"C_CopyObject makes an independent object", copies},
	{"C_CopyObject makes a token object of a session object", copies_to_token},
	{"C_CopyObject answers each mistake with its code", copy_errors},
	{"C_CopyObject makes a key stronger, not weaker", copy_of_key},
	{"a session copy of a token key is an object of its own", copy_of_token_key},
	{"C_GetObjectSize and C_DestroyObject answer each mistake with its code", sizes},
	{"an object that is not CKA_MODIFIABLE cannot be modified", unmodifiable},
	{"an object that is not CKA_COPYABLE cannot be copied", uncopyable},
	{"an object that is not CKA_DESTROYABLE cannot be destroyed", indestructible},
};

const struct group group_object = {"object", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a copy has to be: read from an object that is a table, stated, compared. */
#include "core/blueprint.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/member_op.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

#define MOST 400UL

/* The object, and what was asked of it. */
static CK_ATTRIBUTE object[BLUEPRINT_MAX];
static CK_ULONG object_count;
static CK_ATTRIBUTE_TYPE asked[200];
static CK_ULONG asked_count, asked_most;
static CK_RV fails;

static CK_OBJECT_CLASS class;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static unsigned char zeros[70000];

CK_RV __wrap_member_call(struct member_session *ms, struct call *c, const CK_OBJECT_HANDLE real[2]);

CK_RV __wrap_member_call(struct member_session *ms, struct call *c, const CK_OBJECT_HANDLE real[2])
{
	CK_RV rv = fails;

	(void)ms;
	(void)real;
	CU_ASSERT_EQUAL_FATAL(c->id, CALL_C_GetAttributeValue);
	if (c->tmpl_count[0] > asked_most)
		asked_most = c->tmpl_count[0];
	for (CK_ULONG i = 0; i < c->tmpl_count[0]; i++) {
		CK_ATTRIBUTE *a = &c->tmpl[0][i];
		const CK_ATTRIBUTE *has = attr_find(object, object_count, a->type);

		if (asked_count < sizeof asked / sizeof asked[0])
			asked[asked_count++] = a->type;
		if (!has) {
			a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
			rv = fails != CKR_OK ? fails : CKR_ATTRIBUTE_TYPE_INVALID;
			continue;
		}
		if (a->pValue && has->ulValueLen > 0)
			memcpy(a->pValue, has->pValue, has->ulValueLen);
		a->ulValueLen = has->ulValueLen;
	}
	return rv;
}

static void put(CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
	union {
		const void *from;
		void *to;
	} v = {.from = value};

	for (CK_ULONG i = 0; i < object_count; i++)
		if (object[i].type == type) {
			object[i] = (CK_ATTRIBUTE){type, v.to, len};
			return;
		}
	object[object_count++] = (CK_ATTRIBUTE){type, v.to, len};
}

static void object_is(CK_OBJECT_CLASS c)
{
	object_count = asked_count = asked_most = 0;
	fails = CKR_OK;
	class = c;
	put(CKA_CLASS, &class, sizeof class);
	put(CKA_TOKEN, &yes, sizeof yes);
	put(CKA_LABEL, "name", 4);
}

static struct blueprint read_it(void)
{
	struct blueprint b;

	CU_ASSERT_EQUAL_FATAL(blueprint_read(NULL, 1, &b), CKR_OK);
	return b;
}

static bool was_asked(CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < asked_count; i++)
		if (asked[i] == type)
			return true;
	return false;
}

static bool says(const struct blueprint *b, CK_ATTRIBUTE_TYPE type)
{
	return attr_find(b->a, b->count, type) != NULL;
}

/* How many attributes differ; `first` is the first of them. */
static size_t differ(const struct blueprint *b, CK_ATTRIBUTE_TYPE *first)
{
	struct buf out = {0};
	size_t n;

	CU_ASSERT_EQUAL(blueprint_compare(b, NULL, 1, &out), CKR_OK);
	n = out.len / sizeof *first;
	if (n > 0)
		memcpy(first, out.data, sizeof *first);
	buf_free(&out);
	return n;
}

static void keys_are_read_without_their_values(void)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_SECRET_KEY};
	static const CK_ATTRIBUTE_TYPE values[] = {CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
						   CKA_PRIME, CKA_COEFFICIENT};

	for (size_t i = 0; i < 2; i++) {
		struct blueprint b;

		object_is(classes[i]);
		put(CKA_SENSITIVE, &no, sizeof no);
		put(CKA_EXTRACTABLE, &yes, sizeof yes);
		put(CKA_VALUE, "secret", 6);
		b = read_it();
		CU_ASSERT(says(&b, CKA_SENSITIVE) && says(&b, CKA_EXTRACTABLE));
		CU_ASSERT(!says(&b, CKA_SIGN)); /* not shown */
		CU_ASSERT(!says(&b, CKA_VALUE));
		for (size_t k = 0; k < sizeof values / sizeof values[0]; k++)
			CU_ASSERT(!was_asked(values[k]));
		CU_ASSERT(asked_most <= 16);
		blueprint_free(&b);
	}
}

static void what_is_public_is_read_whole(void)
{
	struct blueprint b;

	object_is(CKO_PUBLIC_KEY);
	put(CKA_MODULUS, "12345678", 8);
	put(CKA_MODULUS_BITS, "12345678", 8); /* follows from the modulus, refused in templates */
	b = read_it();
	CU_ASSERT(says(&b, CKA_MODULUS) && !says(&b, CKA_MODULUS_BITS));
	blueprint_free(&b);
	object_is(CKO_DATA);
	put(CKA_VALUE, NULL, 0);
	put(CKA_PRIVATE, &yes, sizeof yes);
	b = read_it();
	CU_ASSERT(says(&b, CKA_VALUE) && says(&b, CKA_PRIVATE) && !says(&b, CKA_ID));
	blueprint_free(&b);
	object_is(CKO_CERTIFICATE);
	put(CKA_VALUE, zeros, sizeof zeros);
	CU_ASSERT_EQUAL(blueprint_read(NULL, 1, &b), CKR_DATA_LEN_RANGE);
	CU_ASSERT_EQUAL(b.count, 0);
}

static void odd_answers_are_no_statement(void)
{
	struct blueprint b;

	object_is(CKO_SECRET_KEY);
	put(CKA_SIGN, "123", 3);
	put(CKA_WRAP, "\7", 1);
	put(CKA_VALUE_LEN, zeros, sizeof(CK_ULONG));
	b = read_it();
	CU_ASSERT(!says(&b, CKA_VALUE_LEN));
	CU_ASSERT(!says(&b, CKA_SIGN));
	CU_ASSERT(attr_bool(b.a, b.count, CKA_WRAP, false));
	CU_ASSERT_EQUAL(*(CK_BBOOL *)attr_find(b.a, b.count, CKA_WRAP)->pValue, CK_TRUE);
	blueprint_free(&b);
	object_count = 0;
	CU_ASSERT_EQUAL(blueprint_read(NULL, 1, &b), CKR_DEVICE_ERROR);
	fails = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(blueprint_read(NULL, 1, &b), CKR_DEVICE_REMOVED);
}

static void a_key_with_a_template_is_told(void)
{
	struct blueprint b, copy = {0};

	object_is(CKO_SECRET_KEY);
	put(CKA_WRAP_TEMPLATE, NULL, 0);
	b = read_it();
	CU_ASSERT(!b.has_template);
	blueprint_free(&b);
	put(CKA_UNWRAP_TEMPLATE, zeros, sizeof(CK_ATTRIBUTE));
	b = read_it();
	CU_ASSERT(b.has_template && !says(&b, CKA_UNWRAP_TEMPLATE));
	CU_ASSERT(blueprint_copy(&b, &copy) && copy.has_template);
	blueprint_free(&copy);
	blueprint_free(&b);
}

static void statements_are_replaced_and_taken_out(void)
{
	struct blueprint b = {0};
	CK_ULONG n = 0;

	CU_ASSERT(blueprint_set(&b, CKA_LABEL, "a", 1) && blueprint_set(&b, CKA_ID, "id", 2));
	CU_ASSERT(blueprint_set(&b, CKA_LABEL, "longer", 6));
	CU_ASSERT_EQUAL(b.count, 2);
	CU_ASSERT_EQUAL(attr_find(b.a, b.count, CKA_LABEL)->ulValueLen, 6);
	blueprint_drop(&b, CKA_LABEL);
	blueprint_drop(&b, CKA_LABEL);
	CU_ASSERT(b.count == 1 && says(&b, CKA_ID));
	CU_ASSERT(blueprint_set_bool(&b, CKA_SIGN, true));
	CU_ASSERT(attr_bool(b.a, b.count, CKA_SIGN, false));
	while (b.count < BLUEPRINT_MAX)
		CU_ASSERT_FATAL(blueprint_set(&b, CKA_VENDOR_DEFINED + n++, NULL, 0));
	CU_ASSERT(!blueprint_set(&b, CKA_VENDOR_DEFINED + n, NULL, 0));
	CU_ASSERT(blueprint_set(&b, CKA_ID, "other", 5));
	blueprint_free(&b);
	blueprint_free(NULL);
}

static void what_a_member_does_not_know_is_as_the_standard_says(void)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		bool value;
	} assumed[] = {
		{CKA_COPYABLE, true},      {CKA_DESTROYABLE, true},
		{CKA_MODIFIABLE, true},    {CKA_WRAP_WITH_TRUSTED, false},
		{CKA_SENSITIVE, false},    {CKA_EXTRACTABLE, true},
		{CKA_PRIVATE, false},      {CKA_SIGN, false},
		{CKA_SIGN_RECOVER, false}, {CKA_ALWAYS_AUTHENTICATE, false},
	};

	for (size_t i = 0; i < sizeof assumed / sizeof assumed[0]; i++) {
		struct blueprint b = {0};
		CK_ATTRIBUTE_TYPE type = 0;

		object_is(CKO_PRIVATE_KEY);
		CU_ASSERT(blueprint_set_bool(&b, assumed[i].type, assumed[i].value));
		CU_ASSERT_EQUAL(differ(&b, &type), 0);
		CU_ASSERT(blueprint_set_bool(&b, assumed[i].type, !assumed[i].value));
		CU_ASSERT_EQUAL(differ(&b, &type), 1);
		CU_ASSERT_EQUAL(type, assumed[i].type);
		put(assumed[i].type, assumed[i].value ? &no : &yes, sizeof yes);
		CU_ASSERT_EQUAL(differ(&b, &type), 0);
		blueprint_free(&b);
	}
}

static void contents_are_compared_by_what_they_mean(void)
{
	struct blueprint b = {0};
	CK_ATTRIBUTE_TYPE type = 0;
	CK_ULONG len = 32;

	object_is(CKO_PUBLIC_KEY);
	CU_ASSERT(blueprint_set(&b, CKA_MODULUS, "\0\0abc", 5) &&
		  blueprint_set(&b, CKA_EC_POINT, "\4\3xyz", 5) &&
		  blueprint_set(&b, CKA_VALUE_LEN, &len, sizeof len) &&
		  blueprint_set(&b, CKA_SUBJECT, NULL, 0) &&
		  blueprint_set(&b, CKA_LABEL, "name", 4));
	put(CKA_MODULUS, "abc", 3);
	put(CKA_EC_POINT, "xyz", 3);
	CU_ASSERT_EQUAL(differ(&b, &type), 0);
	put(CKA_MODULUS, "abd", 3);
	CU_ASSERT_EQUAL(differ(&b, &type), 1);
	CU_ASSERT_EQUAL(type, CKA_MODULUS);
	put(CKA_MODULUS, "abc", 3);
	put(CKA_EC_POINT, "xyz1", 4);
	CU_ASSERT(differ(&b, &type) == 1 && type == CKA_EC_POINT);
	put(CKA_EC_POINT, "xyz", 3);
	put(CKA_LABEL, "nam", 3);
	CU_ASSERT(differ(&b, &type) == 1 && type == CKA_LABEL);
	put(CKA_LABEL, "name", 4);
	put(CKA_VALUE_LEN, zeros, sizeof len);
	CU_ASSERT_EQUAL(differ(&b, &type), 0);
	put(CKA_VALUE_LEN, "\1\1\1\1\1\1\1\1", sizeof len);
	CU_ASSERT(differ(&b, &type) == 1 && type == CKA_VALUE_LEN);
	put(CKA_VALUE_LEN, &len, sizeof len);
	put(CKA_SUBJECT, "x", 1);
	CU_ASSERT(differ(&b, &type) == 1 && type == CKA_SUBJECT);
	fails = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(blueprint_compare(&b, NULL, 1, &(struct buf){0}), CKR_DEVICE_REMOVED);
	blueprint_free(&b);
}

static void memory_may_run_out_at_any_moment(void)
{
	unsigned long n = 0;
	CK_RV rv = CKR_HOST_MEMORY;

	object_is(CKO_SECRET_KEY);
	put(CKA_ID, "id", 2);
	put(CKA_SIGN, &no, sizeof no);
	while (rv == CKR_HOST_MEMORY && ++n < MOST) {
		struct blueprint b, copy = {0};
		struct buf different = {0};

		put(CKA_SIGN, &no, sizeof no);
		alloc_fail_at(n);
		rv = blueprint_read(NULL, 1, &b);
		if (rv == CKR_OK && !blueprint_copy(&b, &copy))
			rv = CKR_HOST_MEMORY;
		put(CKA_SIGN, &yes, sizeof yes);
		if (rv == CKR_OK)
			rv = blueprint_compare(&copy, NULL, 1, &different);
		alloc_fail_at(0);
		if (rv == CKR_OK)
			CU_ASSERT_EQUAL(different.len, sizeof(CK_ATTRIBUTE_TYPE));
		buf_free(&different);
		blueprint_free(&copy);
		blueprint_free(&b);
	}
	CU_ASSERT_EQUAL(rv, CKR_OK);
	CU_ASSERT(n > 10);
}

static const struct unit_test tests[] = {
	UNIT(keys_are_read_without_their_values),
	UNIT(what_is_public_is_read_whole),
	UNIT(odd_answers_are_no_statement),
	UNIT(a_key_with_a_template_is_told),
	UNIT(statements_are_replaced_and_taken_out),
	UNIT(what_a_member_does_not_know_is_as_the_standard_says),
	UNIT(contents_are_compared_by_what_they_mean),
	UNIT(memory_may_run_out_at_any_moment),
};

UNIT_MAIN("core/blueprint", tests)

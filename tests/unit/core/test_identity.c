/* SPDX-License-Identifier: BSD-2-Clause */
/* What an object is, over the null token, whose signatures are right for no key and whose secret
 * keys answer by XOR: what is asked of a member, and what becomes of every kind of answer. */
#include <stdlib.h>
#include <string.h>

#include "core/identity.h"
#include "core/identity_use.h"
#include "core/member.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

/* No group has more allocations. */
#define MOST 300UL

static struct member_session *ms;
static struct identity id;

/* What the changed functions answer. */
static CK_RV code;
static CK_ULONG code_from; /* the first call that answers it, counted from 1 */
static CK_ULONG calls;
static CK_ATTRIBUTE_TYPE odd; /* the attribute that is answered otherwise */
static CK_ULONG odd_value;

static void begin(void)
{
	world_begin(NULL, NULL);
	(void)world_enter();
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	code = CKR_OK;
	calls = code_from = 0;
	id = (struct identity){0};
}

static void end(void)
{
	identity_free(&id);
	pool_drop(ms);
	world_end();
}

/* A real handle: the first object of that class. */
static CK_OBJECT_HANDLE first(CK_OBJECT_CLASS class)
{
	struct identity like = {
		.class = class, .key_type = CK_UNAVAILABLE_INFORMATION, .is_token = true};
	CK_OBJECT_HANDLE real = 0;
	struct buf found = {0};

	CU_ASSERT_EQUAL(identity_find(ms, &like, false, &found), CKR_OK);
	CU_ASSERT_FATAL(found.len >= 2 * sizeof real);
	memcpy(&real, found.data, sizeof real);
	buf_free(&found);
	return real;
}

/* The one after it. */
static CK_OBJECT_HANDLE second(CK_OBJECT_CLASS class)
{
	return first(class) + 3;
}

static enum identity_match prove(CK_OBJECT_HANDLE real, const struct identity *known)
{
	enum identity_match match = IDENTITY_SAME;

	CU_ASSERT_EQUAL(identity_prove(ms, real, known, &match), CKR_OK);
	return match;
}

static void a_public_key_is_its_content(void)
{
	struct identity other;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PUBLIC_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(id.kind, IDENTITY_VALUE);
	CU_ASSERT_EQUAL(id.class, CKO_PUBLIC_KEY);
	CU_ASSERT_EQUAL(id.key_type, CKK_EC);
	CU_ASSERT(id.is_token && !id.is_private && !id.public_key);
	CU_ASSERT_EQUAL(id.label.len, 12);
	CU_ASSERT_EQUAL(id.id.len, 4);
	CU_ASSERT_EQUAL(identity_read(ms, second(CKO_PUBLIC_KEY), &other), CKR_OK);
	CU_ASSERT(!identity_same_name(&id, &other));
	CU_ASSERT_EQUAL(identity_compare(&id, &other), IDENTITY_SAME); /* all have one point */
	CU_ASSERT_EQUAL(prove(second(CKO_PUBLIC_KEY), &id), IDENTITY_SAME);
	CU_ASSERT_EQUAL(prove(first(CKO_PRIVATE_KEY), &id), IDENTITY_DIFFERENT);
	identity_free(&other);
	end();
}

static void a_private_key_is_paired_and_its_answer_is_checked(void)
{
	uint64_t before;

	begin();
	before = world_calls("C_SignInit");
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(id.kind, IDENTITY_PUBLIC);
	CU_ASSERT_PTR_NOT_NULL(id.public_key);
	CU_ASSERT(id.is_private && !id.needs_login_each);
	CU_ASSERT_EQUAL(world_calls("C_SignInit"), before);
	CU_ASSERT_EQUAL(prove(first(CKO_PRIVATE_KEY), &id), IDENTITY_DIFFERENT);
	CU_ASSERT_EQUAL(world_calls("C_SignInit"), before + 1);
	CU_ASSERT_EQUAL(prove(first(CKO_SECRET_KEY), &id), IDENTITY_DIFFERENT);
	CU_ASSERT_EQUAL(world_calls("C_SignInit"), before + 1);
	end();
}

static void a_secret_key_is_its_answer(void)
{
	struct identity other;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_SECRET_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(id.kind, IDENTITY_ANSWER);
	CU_ASSERT_EQUAL(id.mechanism, CKM_AES_ECB);
	CU_ASSERT_EQUAL(id.use, CKF_ENCRYPT);
	CU_ASSERT_EQUAL(prove(first(CKO_SECRET_KEY), &id), IDENTITY_SAME);
	CU_ASSERT_EQUAL(prove(second(CKO_SECRET_KEY), &id), IDENTITY_DIFFERENT);
	CU_ASSERT_EQUAL(identity_read(ms, second(CKO_SECRET_KEY), &other), CKR_OK);
	CU_ASSERT_EQUAL(identity_compare(&id, &other), IDENTITY_DIFFERENT);
	other.mechanism = CKM_AES_CMAC;
	CU_ASSERT_EQUAL(identity_compare(&id, &other), IDENTITY_UNKNOWN);
	identity_free(&other);
	id.mechanism = CKM_SHA256_HMAC; /* no way of an AES key */
	CU_ASSERT_EQUAL(prove(first(CKO_SECRET_KEY), &id), IDENTITY_UNKNOWN);
	end();
}

static CK_RV refuse_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	(void)session, (void)mechanism, (void)key;
	calls++;
	return code;
}

static CK_RV dead_random(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	return (void)session, (void)out, (void)len, CKR_DEVICE_ERROR;
}

static CK_RV dead_token(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	return (void)slot, (void)info, CKR_DEVICE_ERROR;
}

static CK_RV refuse_derive(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
			   CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	(void)tmpl, (void)count, (void)made;
	return refuse_init(session, mechanism, key);
}

/* Two ways to sign, and one to derive, with two forms of the point; a code that says nothing is
 * asked for again. */
static void refused_mechanisms_prove_nothing(void)
{
	static const CK_RV codes[] = {CKR_MECHANISM_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED,
				      CKR_KEY_TYPE_INCONSISTENT, CKR_GENERAL_ERROR,
				      CKR_VENDOR_DEFINED + 7};

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	world_list()->C_SignInit = refuse_init;
	world_list()->C_DeriveKey = refuse_derive;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		code = codes[i];
		calls = 0;
		CU_ASSERT_EQUAL(prove(first(CKO_PRIVATE_KEY), &id), IDENTITY_UNKNOWN);
		CU_ASSERT_EQUAL(calls, identity_is_doubtful(code) ? 2 * IDENTITY_TRIES + 2 : 4);
	}
	end();
}

/* What a secret key would have answered is in doubt after a code that says nothing. */
static void a_secret_key_that_fails_is_in_doubt(void)
{
	static const enum identity_match is[] = {IDENTITY_UNKNOWN, IDENTITY_DOUBTFUL};
	struct identity now;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_SECRET_KEY), &id), CKR_OK);
	CU_ASSERT_FALSE(id.is_doubtful);
	world_list()->C_EncryptInit = refuse_init;
	for (int i = 0; i < 2; i++) {
		code = i ? CKR_GENERAL_ERROR : CKR_MECHANISM_INVALID;
		CU_ASSERT_EQUAL(identity_read(ms, first(CKO_SECRET_KEY), &now), CKR_OK);
		CU_ASSERT_NOT_EQUAL(identity_compare(&id, &now), IDENTITY_SAME);
		CU_ASSERT_EQUAL(now.is_doubtful, i);
		identity_free(&now);
		CU_ASSERT_EQUAL(prove(first(CKO_SECRET_KEY), &id), is[i]);
	}
	end();
}

static void a_member_that_does_not_answer_is_no_verdict(void)
{
	enum identity_match match = IDENTITY_SAME;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	world_list()->C_SignInit = refuse_init;
	code = CKR_DEVICE_ERROR;
	CU_ASSERT_EQUAL(identity_prove(ms, first(CKO_PRIVATE_KEY), &id, &match), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(match, IDENTITY_UNKNOWN);
	CU_ASSERT_EQUAL(calls, 1);
	code = CKR_GENERAL_ERROR; /* and the token is dead, too */
	world_list()->C_GenerateRandom = dead_random;
	world_list()->C_GetTokenInfo = dead_token;
	CU_ASSERT_EQUAL(identity_prove(ms, first(CKO_PRIVATE_KEY), &id, &match), CKR_GENERAL_ERROR);
	CU_ASSERT_EQUAL(match, IDENTITY_UNKNOWN);
	end();
}

static CK_RV long_sign(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		       CK_ULONG *out_len)
{
	CK_RV rv = world_real()->C_Sign(session, in, in_len, out, out_len);

	*out_len = CK_UNAVAILABLE_INFORMATION;
	return rv;
}

static void a_length_above_the_room_is_a_failure(void)
{
	enum identity_match match = IDENTITY_SAME;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	world_list()->C_Sign = long_sign;
	CU_ASSERT_EQUAL(identity_prove(ms, first(CKO_PRIVATE_KEY), &id, &match), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(match, IDENTITY_UNKNOWN);
	end();
}

/* C_GetAttributeValue as the null token's, but for the attribute `odd`. */
static CK_RV odd_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			   CK_ULONG count)
{
	CK_RV rv = world_real()->C_GetAttributeValue(session, object, tmpl, count);

	for (CK_ULONG i = 0; i < count; i++) {
		if (tmpl[i].type != odd)
			continue;
		if (tmpl[i].pValue)
			memcpy(tmpl[i].pValue, &odd_value, tmpl[i].ulValueLen);
	}
	return rv;
}

static void costly_keys_are_never_used(void)
{
	static const CK_KEY_TYPE stateful[] = {CKK_HSS, CKK_XMSS, CKK_XMSSMT};
	struct identity known;
	uint64_t before;

	begin();
	before = world_calls("C_SignInit");
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &known), CKR_OK);
	world_list()->C_GetAttributeValue = odd_attribute;
	odd = CKA_ALWAYS_AUTHENTICATE;
	odd_value = CK_TRUE;
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	CU_ASSERT(id.needs_login_each);
	CU_ASSERT_EQUAL(prove(first(CKO_PRIVATE_KEY), &known), IDENTITY_UNKNOWN);
	odd = CKA_KEY_TYPE;
	for (size_t i = 0; i < 3; i++) {
		identity_free(&id);
		odd_value = stateful[i];
		CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
		CU_ASSERT_EQUAL(id.kind, IDENTITY_NONE);
		CU_ASSERT_EQUAL(prove(first(CKO_PRIVATE_KEY), &id), IDENTITY_UNKNOWN);
	}
	CU_ASSERT_EQUAL(world_calls("C_SignInit"), before);
	identity_free(&known);
	end();
}

static CK_RV one_by_one(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			CK_ULONG count)
{
	CK_RV rv;

	if (count > 1)
		return CKR_GENERAL_ERROR;
	rv = world_real()->C_GetAttributeValue(session, object, tmpl, count);
	return rv == CKR_ATTRIBUTE_TYPE_INVALID ? CKR_GENERAL_ERROR : rv;
}

static void a_member_that_refuses_arrays_is_asked_one_by_one(void)
{
	struct identity whole;

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PUBLIC_KEY), &whole), CKR_OK);
	world_list()->C_GetAttributeValue = one_by_one;
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PUBLIC_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(identity_compare(&id, &whole), IDENTITY_SAME);
	CU_ASSERT(identity_same_name(&id, &whole));
	identity_free(&whole);
	end();
}

/* Fails from call `code_from` on. */
static CK_RV failing_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
			       CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	if (++calls >= code_from)
		return code;
	return world_real()->C_GetAttributeValue(session, object, tmpl, count);
}

/* A private key takes six readings: its own two, twice each, and those of its neighbour. */
static void a_member_that_dies_while_it_is_read_leaves_nothing(void)
{
	begin();
	world_list()->C_GetAttributeValue = failing_attribute;
	code = CKR_DEVICE_REMOVED;
	for (code_from = 1; code_from <= 6; code_from++) {
		calls = 0;
		CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_DEVICE_REMOVED);
		CU_ASSERT(id.kind == IDENTITY_NONE && !id.public_key && !id.id.data);
	}
	calls = 0;
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PRIVATE_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(calls, 6);
	end();
}

static CK_RV lying_length(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			  CK_ULONG count)
{
	CK_RV rv = world_real()->C_GetAttributeValue(session, object, tmpl, count);

	for (CK_ULONG i = 0; i < count; i++) {
		if (tmpl[i].type == odd && (tmpl[i].pValue || odd_value > 1UL << 16))
			tmpl[i].ulValueLen = odd_value;
	}
	return rv;
}

static void lengths_that_cannot_be_count_as_absent(void)
{
	static const CK_ULONG lengths[] = {14, 1UL << 40, CK_UNAVAILABLE_INFORMATION};

	begin();
	world_list()->C_GetAttributeValue = lying_length;
	odd = CKA_LABEL;
	for (size_t i = 0; i < 3; i++) {
		odd_value = lengths[i];
		identity_free(&id);
		CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PUBLIC_KEY), &id), CKR_OK);
		CU_ASSERT_EQUAL(id.label.len, 0);
		CU_ASSERT_EQUAL(id.kind, IDENTITY_VALUE);
	}
	odd = CKA_CLASS;
	identity_free(&id);
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PUBLIC_KEY), &id), CKR_DEVICE_ERROR);
	end();
}

static size_t found(const struct identity *known, bool any_label)
{
	struct buf out = {0};
	size_t n;

	CU_ASSERT_EQUAL(identity_find(ms, known, any_label, &out), CKR_OK);
	n = out.len / sizeof(CK_OBJECT_HANDLE);
	buf_free(&out);
	return n;
}

static CK_RV dead_find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		       CK_ULONG *count)
{
	CK_RV rv = world_real()->C_FindObjects(session, objects, max, count);

	return ++calls == 2 ? CKR_DEVICE_ERROR : rv;
}

static void objects_are_found_by_name(void)
{
	struct buf out = {0};

	begin();
	CU_ASSERT_EQUAL(identity_read(ms, second(CKO_SECRET_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(found(&id, false), 1);
	CU_ASSERT_EQUAL(found(&id, true), 1);
	CU_ASSERT(buf_add(&out, "before", 6));
	world_list()->C_FindObjects = dead_find;
	CU_ASSERT_EQUAL(identity_find(ms, &id, false, &out), CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(out.len, 6);
	world_list()->C_FindObjects = world_real()->C_FindObjects;
	id.label.data[11] ^= 1;
	CU_ASSERT_EQUAL(found(&id, true), 1); /* by its id, whatever the label */
	id.key_type = CKK_DES3;
	CU_ASSERT_EQUAL(found(&id, true), 0);
	buf_free(&out);
	end();
}

static void names_are_compared_whole(void)
{
	unsigned char one[] = "one", two[] = "two";
	struct identity a = {.class = CKO_DATA}, b = {.class = CKO_DATA};

	CU_ASSERT(!identity_same_name(&a, &b)); /* no name is not a name */
	a.label = (struct buf){one, 3, 3};
	CU_ASSERT(!identity_same_name(&a, &b));
	b.label = (struct buf){one, 3, 3};
	CU_ASSERT(identity_same_name(&a, &b));
	a.id = (struct buf){two, 3, 3};
	CU_ASSERT(!identity_same_name(&a, &b));
	b.id = (struct buf){two, 2, 3};
	CU_ASSERT(!identity_same_name(&a, &b));
	b.id.len = 3;
	CU_ASSERT(identity_same_name(&a, &b));
	b.key_type = CKK_AES;
	CU_ASSERT(!identity_same_name(&a, &b));
}

static void what_cannot_be_shown_is_unknown(void)
{
	struct identity a = {.kind = IDENTITY_NONE}, b = {.kind = IDENTITY_NONE};

	CU_ASSERT_EQUAL(identity_compare(&a, &b), IDENTITY_UNKNOWN);
	a.kind = IDENTITY_VALUE;
	CU_ASSERT_EQUAL(identity_compare(&a, &b), IDENTITY_UNKNOWN);
	b.kind = IDENTITY_VALUE;
	CU_ASSERT_EQUAL(identity_compare(&a, &b), IDENTITY_SAME);
	b.digest[31] = 1;
	CU_ASSERT_EQUAL(identity_compare(&a, &b), IDENTITY_DIFFERENT);
	b = a;
	b.class = CKO_CERTIFICATE;
	CU_ASSERT_EQUAL(identity_compare(&a, &b), IDENTITY_DIFFERENT);
	identity_free(NULL);
}

static CK_OBJECT_HANDLE swept;

static CK_RV read_and_prove(void)
{
	enum identity_match match;
	struct identity now;
	CK_RV rv = identity_read(ms, swept, &now);

	if (rv == CKR_OK)
		rv = identity_prove(ms, swept, &now, &match);
	identity_free(&now);
	return rv;
}

/* Allocations inside libcrypto do not fail here. */
static void memory_that_is_out_loses_nothing(void)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY};

	begin();
	for (size_t i = 0; i < 3; i++) {
		unsigned long n = 0, refused = 0;

		swept = first(classes[i]);
		CU_ASSERT_EQUAL(read_and_prove(), CKR_OK);
		do {
			CK_RV rv;

			alloc_fail_at(++n);
			rv = read_and_prove();
			CU_ASSERT(rv == CKR_OK || rv == CKR_HOST_MEMORY);
			refused += rv == CKR_HOST_MEMORY;
		} while (alloc_seen >= n && n < MOST);
		alloc_fail_at(0);
		CU_ASSERT(n < MOST && refused > 0);
		CU_ASSERT_EQUAL(read_and_prove(), CKR_OK);
	}
	end();
}

static const struct unit_test tests[] = {
	UNIT(a_public_key_is_its_content),
	UNIT(a_private_key_is_paired_and_its_answer_is_checked),
	UNIT(a_secret_key_is_its_answer),
	UNIT(refused_mechanisms_prove_nothing),
	UNIT(a_secret_key_that_fails_is_in_doubt),
	UNIT(a_member_that_does_not_answer_is_no_verdict),
	UNIT(a_length_above_the_room_is_a_failure),
	UNIT(costly_keys_are_never_used),
	UNIT(a_member_that_refuses_arrays_is_asked_one_by_one),
	UNIT(a_member_that_dies_while_it_is_read_leaves_nothing),
	UNIT(lengths_that_cannot_be_count_as_absent),
	UNIT(objects_are_found_by_name),
	UNIT(names_are_compared_whole),
	UNIT(what_cannot_be_shown_is_unknown),
	UNIT(memory_that_is_out_loses_nothing),
};

UNIT_MAIN("core/identity", tests)

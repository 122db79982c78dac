/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of objects, over the null token: the same for ever, one for each object, none in doubt.
 */
#include <stdio.h>
#include <string.h>

#include "core/fingerprint.h"
#include "core/member.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

static struct member_session *ms;

/* The code of each C_EncryptInit; CKR_OK: the token's own. */
static CK_RV code;
static CK_MECHANISM_TYPE refused; /* only of this mechanism */

static CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	if (code != CKR_OK && mech->mechanism == refused)
		return code;
	return world_real()->C_EncryptInit(session, mech, key);
}

static void begin(void)
{
	world_begin(NULL, NULL);
	(void)world_enter();
	CU_ASSERT_EQUAL_FATAL(pool_take(world_member(), 0, 0, &ms), CKR_OK);
	code = CKR_OK;
	world_list()->C_EncryptInit = encrypt_init;
}

static void end(void)
{
	pool_drop(ms);
	world_end();
}

/* The first object of that class on the member. */
static CK_OBJECT_HANDLE first(CK_OBJECT_CLASS class)
{
	struct identity like = {
		.class = class, .key_type = CK_UNAVAILABLE_INFORMATION, .is_token = true};
	CK_OBJECT_HANDLE real = 0;
	struct buf found = {0};

	CU_ASSERT_EQUAL(identity_find(ms, &like, false, &found), CKR_OK);
	CU_ASSERT_FATAL(found.len >= sizeof real);
	memcpy(&real, found.data, sizeof real);
	buf_free(&found);
	return real;
}

static CK_RV print_of(CK_OBJECT_CLASS class, uint8_t out[static FINGERPRINT_LEN], bool *has)
{
	CK_OBJECT_HANDLE real = first(class);
	struct identity id;
	CK_RV rv = identity_read(ms, real, &id);

	CU_ASSERT_EQUAL(rv, CKR_OK);
	rv = fingerprint_of(ms, real, &id, out, has);
	identity_free(&id);
	return rv;
}

static void text_of(CK_OBJECT_CLASS class, char out[static 2 * FINGERPRINT_LEN + 1])
{
	uint8_t print[FINGERPRINT_LEN] = {0};
	bool has = false;

	CU_ASSERT_EQUAL(print_of(class, print, &has), CKR_OK);
	CU_ASSERT(has);
	for (size_t i = 0; i < sizeof print; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", print[i]);
}

/* Written down: records on tokens are found by these. */
static void a_name_never_changes(void)
{
	char public[2 * FINGERPRINT_LEN + 1], private[2 * FINGERPRINT_LEN + 1],
		secret[2 * FINGERPRINT_LEN + 1];

	begin();
	text_of(CKO_PUBLIC_KEY, public);
	text_of(CKO_PRIVATE_KEY, private);
	text_of(CKO_SECRET_KEY, secret);
	CU_ASSERT_STRING_EQUAL(public,
			       "e8aa8649ac472d103e85c2c3ce3bb817fc9aa47c2c2198f83804ec1455043705");
	CU_ASSERT_STRING_EQUAL(private,
			       "a5ea13a7038fea7a6ac4284267bcafe3281dafed0080de9df9f90fe2a2d4d889");
	CU_ASSERT_STRING_EQUAL(secret,
			       "c7e56a3f0bd74ed0b752baf6d0300b08dc93524cf2ec98691257cf10f7eafb57");
	end();
}

/* A key that lost a use is known by what it can still answer. */
static void all_names_of_a_key_begin_with_its_usual_one(void)
{
	uint8_t all[FINGERPRINT_WAYS][FINGERPRINT_LEN], fewer[FINGERPRINT_WAYS][FINGERPRINT_LEN];
	uint8_t usual[FINGERPRINT_LEN];
	CK_OBJECT_HANDLE real;
	struct identity id;
	size_t count = 0, less = 0;
	bool has = false;

	begin();
	real = first(CKO_SECRET_KEY);
	CU_ASSERT_EQUAL(identity_read(ms, real, &id), CKR_OK);
	CU_ASSERT_EQUAL(fingerprint_of(ms, real, &id, usual, &has), CKR_OK);
	CU_ASSERT_EQUAL(fingerprint_all(ms, real, &id, all, &count), CKR_OK);
	CU_ASSERT(has && count > 1);
	CU_ASSERT_EQUAL(memcmp(all[0], usual, sizeof usual), 0);
	code = CKR_KEY_FUNCTION_NOT_PERMITTED; /* both ways to this answer */
	refused = CKM_AES_ECB;
	CU_ASSERT_EQUAL(fingerprint_all(ms, real, &id, fewer, &less), CKR_OK);
	CU_ASSERT(less > 0 && memcmp(fewer[less - 1], all[count - 1], sizeof usual) == 0);
	code = CKR_DEVICE_REMOVED;
	CU_ASSERT_EQUAL(fingerprint_all(ms, real, &id, fewer, &less), CKR_DEVICE_REMOVED);
	CU_ASSERT_EQUAL(less, 0);
	identity_free(&id);
	CU_ASSERT_EQUAL(identity_read(ms, first(CKO_PUBLIC_KEY), &id), CKR_OK);
	CU_ASSERT_EQUAL(fingerprint_all(ms, first(CKO_PUBLIC_KEY), &id, all, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 1);
	identity_free(&id);
	id = (struct identity){.class = CKO_VENDOR_DEFINED};
	CU_ASSERT_EQUAL(fingerprint_all(ms, 1, &id, all, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 0);
	end();
}

static void an_object_without_an_identity_has_no_name(void)
{
	const struct identity id = {.class = CKO_VENDOR_DEFINED};
	uint8_t print[FINGERPRINT_LEN];
	bool has = true;

	begin();
	CU_ASSERT_EQUAL(fingerprint_of(ms, 1, &id, print, &has), CKR_OK);
	CU_ASSERT(!has);
	end();
}

static void a_secret_key_that_answers_otherwise_by_a_whim_has_no_name(void)
{
	uint8_t print[FINGERPRINT_LEN];
	bool has = true;

	begin();
	code = CKR_FUNCTION_FAILED;
	refused = CKM_AES_ECB;
	CU_ASSERT_EQUAL(print_of(CKO_SECRET_KEY, print, &has), CKR_OK);
	CU_ASSERT(!has);
	end();
}

static void a_mechanism_that_is_not_offered_is_no_whim(void)
{
	uint8_t usual[FINGERPRINT_LEN], other[FINGERPRINT_LEN];
	bool has = false;

	begin();
	CU_ASSERT_EQUAL(print_of(CKO_SECRET_KEY, usual, &has), CKR_OK);
	CU_ASSERT(has);
	code = CKR_MECHANISM_INVALID;
	refused = CKM_AES_ECB;
	CU_ASSERT_EQUAL(print_of(CKO_SECRET_KEY, other, &has), CKR_OK);
	CU_ASSERT(has);
	end();
}

static void a_member_that_fails_is_reported(void)
{
	CK_OBJECT_HANDLE real;
	uint8_t print[FINGERPRINT_LEN];
	struct identity id;
	bool has = true;

	begin();
	real = first(CKO_SECRET_KEY);
	CU_ASSERT_EQUAL(identity_read(ms, real, &id), CKR_OK);
	code = CKR_DEVICE_REMOVED;
	refused = CKM_AES_ECB;
	CU_ASSERT_EQUAL(fingerprint_of(ms, real, &id, print, &has), CKR_DEVICE_REMOVED);
	CU_ASSERT(!has);
	identity_free(&id);
	end();
}

static const struct unit_test tests[] = {
	UNIT(a_name_never_changes),
	UNIT(all_names_of_a_key_begin_with_its_usual_one),
	UNIT(an_object_without_an_identity_has_no_name),
	UNIT(a_secret_key_that_answers_otherwise_by_a_whim_has_no_name),
	UNIT(a_mechanism_that_is_not_offered_is_no_whim),
	UNIT(a_member_that_fails_is_reported),
};

UNIT_MAIN("core/fingerprint", tests)

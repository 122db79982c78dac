/* SPDX-License-Identifier: BSD-2-Clause */
/* core/group.c, group_many.c: what a virtual token over several members says of itself. */
#include "core/group.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/health.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

#define OWN_PIN "HSMUX_TEST_OWN_PIN"

/* What each member says. */
static struct {
	CK_TOKEN_INFO token;
	CK_MECHANISM_TYPE type[4];
	CK_MECHANISM_INFO mech[4];
	CK_ULONG count;
	unsigned asked; /* C_GetTokenInfo calls */
} said[WORLD_MEMBERS];

static CK_RV token_info(unsigned i, CK_TOKEN_INFO *info)
{
	said[i].asked++;
	*info = said[i].token;
	return CKR_OK;
}

static CK_RV mechanisms(unsigned i, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	if (list)
		memcpy(list, said[i].type, said[i].count * sizeof *list);
	*count = said[i].count;
	return CKR_OK;
}

static CK_RV mechanism_info(unsigned i, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	for (CK_ULONG k = 0; k < said[i].count; k++)
		if (said[i].type[k] == type)
			*info = said[i].mech[k];
	return CKR_OK;
}

#define MEMBER(i)                                                                                  \
	static CK_RV token_info_##i(CK_SLOT_ID s, CK_TOKEN_INFO *info)                             \
	{                                                                                          \
		(void)s;                                                                           \
		return token_info(i, info);                                                        \
	}                                                                                          \
	static CK_RV mechanisms_##i(CK_SLOT_ID s, CK_MECHANISM_TYPE *list, CK_ULONG *count)        \
	{                                                                                          \
		(void)s;                                                                           \
		return mechanisms(i, list, count);                                                 \
	}                                                                                          \
	static CK_RV mechanism_info_##i(CK_SLOT_ID s, CK_MECHANISM_TYPE t, CK_MECHANISM_INFO *m)   \
	{                                                                                          \
		(void)s;                                                                           \
		return mechanism_info(i, t, m);                                                    \
	}

MEMBER(0)
MEMBER(1)
MEMBER(2)

static void listen(void)
{
	world_list_at(0)->C_GetTokenInfo = token_info_0;
	world_list_at(0)->C_GetMechanismList = mechanisms_0;
	world_list_at(0)->C_GetMechanismInfo = mechanism_info_0;
	world_list_at(1)->C_GetTokenInfo = token_info_1;
	world_list_at(1)->C_GetMechanismList = mechanisms_1;
	world_list_at(1)->C_GetMechanismInfo = mechanism_info_1;
	world_list_at(2)->C_GetTokenInfo = token_info_2;
	world_list_at(2)->C_GetMechanismList = mechanisms_2;
	world_list_at(2)->C_GetMechanismInfo = mechanism_info_2;
	memset(said, 0, sizeof said);
	for (unsigned i = 0; i < WORLD_MEMBERS; i++)
		CU_ASSERT_EQUAL(world_real_at(i)->C_GetTokenInfo(0, &said[i].token), CKR_OK);
}

static void begin(const char *mode)
{
	world_begin_many(&(struct world_many){.count = 3, .mode = mode});
	listen();
}

static void end(void)
{
	clock_set_ms(-1);
	world_end();
}

static CK_TOKEN_INFO info(void)
{
	CK_TOKEN_INFO t = {0};

	CU_ASSERT_EQUAL(group_token_info(world_group(), &t), CKR_OK);
	return t;
}

static void offer(unsigned i, CK_MECHANISM_TYPE type, CK_ULONG min, CK_ULONG max, CK_FLAGS flags)
{
	CK_ULONG n = said[i].count++;

	said[i].type[n] = type;
	said[i].mech[n] = (CK_MECHANISM_INFO){min, max, flags};
}

/* Asked in every flag's own way: one member has it, then all. */
static void flags_follow_one_or_all_members(void)
{
	static const struct {
		CK_FLAGS flag;
		bool with_one, with_all;
	} rows[] = {
		{CKF_RNG, true, true},
		{CKF_LOGIN_REQUIRED, true, true},
		{CKF_USER_PIN_COUNT_LOW, true, true},
		{CKF_USER_PIN_FINAL_TRY, true, true},
		{CKF_USER_PIN_LOCKED, true, true},
		{CKF_USER_PIN_TO_BE_CHANGED, true, true},
		{CKF_SO_PIN_LOCKED, true, true},
		{CKF_WRITE_PROTECTED, false, true},
		{CKF_ERROR_STATE, false, true},
		{CKF_PROTECTED_AUTHENTICATION_PATH, false, true},
		{CKF_CLOCK_ON_TOKEN, false, false},
		{CKF_RESTORE_KEY_NOT_NEEDED, false, false},
		{CKF_DUAL_CRYPTO_OPERATIONS, false, false},
	};
	long long now = clock_ms();

	begin("failover");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (unsigned k = 0; k < 3; k++)
			said[k].token.flags = k == 1 ? rows[i].flag : 0;
		clock_set_ms(now += 2000);
		CU_ASSERT_EQUAL(info().flags, rows[i].with_one ? rows[i].flag : 0);
		said[0].token.flags = said[2].token.flags = rows[i].flag;
		clock_set_ms(now += 2000);
		CU_ASSERT_EQUAL(info().flags, rows[i].with_all ? rows[i].flag : 0);
	}
	end();
}

static void numbers_are_the_ones_that_hold_everywhere(void)
{
	CK_TOKEN_INFO t;

	begin("balanced");
	said[0].token.ulMinPinLen = 4;
	said[0].token.ulMaxPinLen = 255;
	said[1].token.ulMinPinLen = 6;
	said[1].token.ulMaxPinLen = 0; /* says nothing */
	said[2].token.ulMinPinLen = 1;
	said[2].token.ulMaxPinLen = 32;
	said[1].token.ulFreePublicMemory = 100;
	said[2].token.ulFreePublicMemory = 50;
	said[0].token.hardwareVersion = (CK_VERSION){2, 0};
	said[1].token.hardwareVersion = (CK_VERSION){1, 9};
	said[2].token.hardwareVersion = (CK_VERSION){1, 10};
	said[0].token.firmwareVersion = (CK_VERSION){3, 1};
	said[1].token.firmwareVersion = (CK_VERSION){3, 1};
	said[2].token.firmwareVersion = (CK_VERSION){3, 2};
	said[0].token.ulSessionCount = 99;
	(void)world_open();
	t = info();
	CU_ASSERT_EQUAL(t.ulMinPinLen, 6);
	CU_ASSERT_EQUAL(t.ulMaxPinLen, 32);
	CU_ASSERT_EQUAL(t.ulFreePublicMemory, 50);
	CU_ASSERT_EQUAL(t.ulTotalPublicMemory, CK_UNAVAILABLE_INFORMATION);
	CU_ASSERT_EQUAL(t.hardwareVersion.major, 1);
	CU_ASSERT_EQUAL(t.hardwareVersion.minor, 9);
	CU_ASSERT_EQUAL(t.firmwareVersion.minor, 1);
	CU_ASSERT_EQUAL(t.ulSessionCount, 1);
	CU_ASSERT_EQUAL(t.ulRwSessionCount, 1);
	CU_ASSERT_EQUAL(t.ulMaxSessionCount, CK_EFFECTIVELY_INFINITE);
	end();
}

static void members_are_asked_every_two_seconds(void)
{
	long long now = clock_ms();

	begin("failover");
	clock_set_ms(now);
	for (unsigned i = 0; i < 10; i++)
		(void)info();
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(said[i].asked, 1);
	clock_set_ms(now + 1999);
	(void)info();
	CU_ASSERT_EQUAL(said[0].asked, 1);
	clock_set_ms(now + 2000);
	(void)info();
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(said[i].asked, 2);
	end();
}

static void a_member_that_does_not_serve_is_not_asked(void)
{
	long long now = clock_ms();
	CK_TOKEN_INFO before, after;

	begin("failover");
	said[1].token.flags |= CKF_USER_PIN_COUNT_LOW;
	offer(0, CKM_ECDSA, 256, 521, CKF_SIGN);
	offer(1, CKM_ECDSA, 256, 521, CKF_SIGN);
	offer(2, CKM_ECDSA, 256, 521, CKF_SIGN);
	clock_set_ms(now);
	before = info();
	CU_ASSERT_TRUE(before.flags & CKF_USER_PIN_COUNT_LOW);
	world_lose(1);
	atomic_store(&world_member_at(2)->is_refusing, 1);
	clock_set_ms(now + 5000);
	after = info();
	CU_ASSERT_EQUAL(said[0].asked, 2);
	CU_ASSERT_EQUAL(said[1].asked, 1);
	CU_ASSERT_EQUAL(said[2].asked, 1);
	CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof before), 0);
	end();
}

/* Its library's lock is held for as long as somebody is inside, perhaps for ever. */
static void a_member_that_hangs_is_not_waited_for(void)
{
	struct library *lib;
	CK_MECHANISM_TYPE types[4];
	CK_ULONG count = 4;
	CK_SLOT_INFO slot;

	begin("failover");
	lib = world_member_at(0)->lib;
	offer(1, CKM_ECDSA, 256, 521, CKF_SIGN);
	pthread_mutex_lock(&lib->lock);
	CU_ASSERT_EQUAL(info().ulMinPinLen, 1);
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	group_slot_info(world_group(), &slot);
	pthread_mutex_unlock(&lib->lock);
	CU_ASSERT_TRUE(slot.flags & CKF_TOKEN_PRESENT);
	CU_ASSERT_EQUAL(said[0].asked, 0);
	CU_ASSERT_EQUAL(said[1].asked, 1);
	end();
}

static void failover_offers_what_all_have(void)
{
	CK_MECHANISM_TYPE types[4];
	CK_MECHANISM_INFO m;
	CK_ULONG count = 4;

	begin("failover");
	offer(0, CKM_RSA_PKCS, 1024, 4096, CKF_SIGN | CKF_VERIFY | CKF_HW);
	offer(0, CKM_ECDSA, 112, 521, CKF_SIGN);
	offer(0, CKM_AES_CBC, 16, 32, CKF_ENCRYPT);
	offer(1, CKM_AES_CBC, 128, 256, CKF_ENCRYPT);
	offer(1, CKM_RSA_PKCS, 2048, 8192, CKF_SIGN | CKF_VERIFY);
	offer(1, CKM_SHA256, 0, 0, CKF_DIGEST);
	offer(2, CKM_RSA_PKCS, 0, 0, CKF_SIGN);
	offer(2, CKM_AES_CBC, 16, 32, CKF_ENCRYPT);
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_EQUAL(types[0], CKM_RSA_PKCS);
	CU_ASSERT_EQUAL(types[1], CKM_AES_CBC);
	CU_ASSERT_EQUAL(group_mechanism_info(world_group(), CKM_RSA_PKCS, &m), CKR_OK);
	CU_ASSERT_EQUAL(m.flags, CKF_SIGN);
	CU_ASSERT_EQUAL(m.ulMinKeySize, 2048);
	CU_ASSERT_EQUAL(m.ulMaxKeySize, 4096);
	/* Bytes here, bits there. */
	CU_ASSERT_EQUAL(group_mechanism_info(world_group(), CKM_AES_CBC, &m), CKR_OK);
	CU_ASSERT_EQUAL(m.ulMinKeySize, 0);
	CU_ASSERT_EQUAL(m.ulMaxKeySize, 0);
	CU_ASSERT_EQUAL(group_mechanism_info(world_group(), CKM_ECDSA, &m), CKR_MECHANISM_INVALID);
	end();
}

static void the_list_does_not_follow_health(void)
{
	CK_MECHANISM_TYPE types[4];
	CK_ULONG count = 4;

	begin("balanced");
	for (unsigned i = 0; i < 3; i++)
		offer(i, CKM_RSA_PKCS, 1024, 4096, CKF_SIGN);
	offer(0, CKM_ECDSA, 256, 521, CKF_SIGN);
	offer(1, CKM_ECDSA, 256, 521, CKF_SIGN);
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 1);
	world_lose(2);
	count = 4;
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 1);
	world_lose(0);
	world_lose(1);
	count = 4;
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_EQUAL(types[0], CKM_RSA_PKCS);
	end();
}

static void a_member_that_was_never_reached_does_not_count(void)
{
	CK_MECHANISM_TYPE types[4];
	CK_ULONG count = 4;

	begin("failover");
	atomic_store(&world_member_at(2)->state, MEMBER_ABSENT);
	atomic_store(&world_member_at(2)->serves, 0);
	offer(0, CKM_RSA_PKCS, 1024, 4096, CKF_SIGN);
	offer(1, CKM_RSA_PKCS, 1024, 4096, CKF_SIGN);
	said[2].token.flags |= CKF_USER_PIN_LOCKED;
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_FALSE(info().flags & CKF_USER_PIN_LOCKED);
	CU_ASSERT_EQUAL(said[2].asked, 0);
	CU_ASSERT_TRUE(group_present(world_group()));
	atomic_store(&world_member_at(2)->state, MEMBER_UP);
	end();
}

static void capability_offers_what_any_has(void)
{
	static const CK_MECHANISM_TYPE wanted[] = {CKM_RSA_PKCS, CKM_ECDSA, CKM_AES_CBC};
	CK_MECHANISM_TYPE types[4];
	CK_MECHANISM_INFO m;
	CK_ULONG count = 0;

	begin("capability");
	offer(0, CKM_RSA_PKCS, 1024, 2048, CKF_SIGN);
	offer(1, CKM_ECDSA, 256, 521, CKF_SIGN);
	offer(1, CKM_RSA_PKCS, 2048, 8192, CKF_VERIFY);
	offer(2, CKM_AES_CBC, 16, 32, CKF_ENCRYPT);
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), NULL, &count), CKR_OK);
	CU_ASSERT_EQUAL(count, 3);
	count = 2;
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_BUFFER_TOO_SMALL);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT_EQUAL(group_mechanisms(world_group(), types, &count), CKR_OK);
	CU_ASSERT_EQUAL(memcmp(types, wanted, sizeof wanted), 0);
	CU_ASSERT_EQUAL(group_mechanism_info(world_group(), CKM_RSA_PKCS, &m), CKR_OK);
	CU_ASSERT_EQUAL(m.flags, CKF_SIGN | CKF_VERIFY);
	CU_ASSERT_EQUAL(m.ulMinKeySize, 1024);
	CU_ASSERT_EQUAL(m.ulMaxKeySize, 8192);
	end();
}

static void pins_from_the_configuration_are_a_protected_path(void)
{
	world_begin_many(&(struct world_many){.count = 3,
					      .mode = "failover",
					      .member = {"pin = \"env:" OWN_PIN "\";",
							 "pin = \"env:" OWN_PIN "\";",
							 "pin = \"env:" OWN_PIN "\";"}});
	listen();
	CU_ASSERT_TRUE(info().flags & CKF_PROTECTED_AUTHENTICATION_PATH);
	end();
	world_begin_many(&(struct world_many){
		.count = 3,
		.mode = "failover",
		.member = {"pin = \"env:" OWN_PIN "\";", NULL, "pin = \"env:" OWN_PIN "\";"}});
	listen();
	said[0].token.ulMaxPinLen = 5;
	CU_ASSERT_FALSE(info().flags & CKF_PROTECTED_AUTHENTICATION_PATH);
	CU_ASSERT_EQUAL(info().ulMaxPinLen, said[1].token.ulMaxPinLen);
	end();
}

static void the_identity_does_not_follow_health(void)
{
	CK_TOKEN_INFO before, after;

	begin("failover");
	before = info();
	CU_ASSERT_NSTRING_EQUAL(before.label, "t       ", 8);
	CU_ASSERT_NSTRING_EQUAL(before.manufacturerID, "hsmux ", 6);
	for (unsigned i = 0; i < 3; i++)
		world_lose(i);
	CU_ASSERT_TRUE(group_present(world_group()));
	after = info();
	CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof before), 0);
	end();
}

static void a_token_over_several_members_is_not_initialised(void)
{
	CK_BYTE label[32];
	uint64_t before;

	begin("failover");
	memset(label, ' ', sizeof label);
	before = world_calls("C_InitToken");
	CU_ASSERT_EQUAL(group_init_token(world_group(), (const CK_BYTE *)"so-1234", 7, label),
			CKR_FUNCTION_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(world_calls("C_InitToken"), before);
	end();
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(flags_follow_one_or_all_members),
		UNIT(numbers_are_the_ones_that_hold_everywhere),
		UNIT(members_are_asked_every_two_seconds),
		UNIT(a_member_that_does_not_serve_is_not_asked),
		UNIT(a_member_that_hangs_is_not_waited_for),
		UNIT(failover_offers_what_all_have),
		UNIT(the_list_does_not_follow_health),
		UNIT(a_member_that_was_never_reached_does_not_count),
		UNIT(capability_offers_what_any_has),
		UNIT(pins_from_the_configuration_are_a_protected_path),
		UNIT(the_identity_does_not_follow_health),
		UNIT(a_token_over_several_members_is_not_initialised),
	};

	return unit_run("core/group", tests, sizeof tests / sizeof tests[0]);
}

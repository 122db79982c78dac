/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers: Base 5.19. */
#include <string.h>

#include "tests/conformance/world.h"

static void random_numbers(struct suite *t)
{
	CK_BYTE one[64] = {0};
	CK_BYTE two[64] = {0};
	CK_SESSION_HANDLE s = world_open(t, RO);

	OK(t, GenerateRandom, s, one, sizeof(one));
	OK(t, GenerateRandom, s, two, sizeof(two));
	CHECK(t, memcmp(one, two, sizeof(one)) != 0);
	memset(two, 0, sizeof(two));
	OK(t, GenerateRandom, s, two, 3);
	CHECK(t, two[3] == 0 && two[63] == 0);
	EXPECT(t, CKR_ARGUMENTS_BAD, GenerateRandom, s, NULL, 8);
}

static void much(struct suite *t)
{
	static CK_BYTE buffer[70000];
	size_t zeros = 0;
	CK_SESSION_HANDLE s = world_open(t, RO);

	OK(t, GenerateRandom, s, buffer, sizeof(buffer));
	for (size_t i = sizeof(buffer) - 1000; i < sizeof(buffer); i++)
		zeros += buffer[i] == 0;
	CHECK(t, zeros < 100);
}

static void seeds(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RO);

	EXPECT_ANY(t, CODES(CKR_OK, CKR_RANDOM_SEED_NOT_SUPPORTED, CKR_FUNCTION_NOT_SUPPORTED),
		   SeedRandom, s, world_text, 16);
	EXPECT_ANY(
		t,
		CODES(CKR_ARGUMENTS_BAD, CKR_RANDOM_SEED_NOT_SUPPORTED, CKR_FUNCTION_NOT_SUPPORTED),
		SeedRandom, s, NULL, 16);
}

static void announced(struct suite *t)
{
	CK_TOKEN_INFO info = {.flags = 0};

	OK(t, GetTokenInfo, t->slot, &info);
	CHECK(t, info.flags & CKF_RNG);
}

static const struct conform_case cases[] = {
	{"random numbers differ and have the length asked for", random_numbers},
	{"a large random number is filled to its end", much},
	{"C_SeedRandom works or says that it cannot", seeds},
	{"a token with random numbers has CKF_RNG", announced},
};

const struct group group_random = {"random", CASES_OF(cases), false};

/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the profiles, and the search in them. */
#include <string.h>

#include "policy/profile.h"
#include "tests/unit/unit.h"

static struct profile_answer ask(const char *name, enum policy_aspect aspect, unsigned bits,
				 const char *day)
{
	const struct aspect a = {aspect, bits, REASON_NONE, NULL};
	struct profile_answer answer;
	int64_t now = 0;

	CU_ASSERT_TRUE_FATAL(profile_day(day, &now));
	profile_ask(profile_by_name(name), &a, now, &answer);
	return answer;
}

static void tables_are_sorted_and_their_days_are_days(void)
{
	const struct profile *p;
	int64_t seconds;

	for (size_t i = 0; (p = profile_at(i)) != NULL; i++) {
		CU_ASSERT_EQUAL(profile_number(p), i);
		CU_ASSERT_PTR_EQUAL(profile_by_name(p->name), p);
		for (size_t k = 0; k < p->count; k++) {
			const struct profile_cell *c = &p->cells[k];

			CU_ASSERT(k == 0 || p->cells[k - 1].aspect <= c->aspect);
			CU_ASSERT(c->from[0] == '\0' || profile_day(c->from, &seconds));
			CU_ASSERT(c->until[0] == '\0' || profile_day(c->until, &seconds));
			CU_ASSERT(c->source[0] != '\0');
			CU_ASSERT(c->most == 0 || c->most >= c->least);
		}
	}
}

/* Every aspect that is denied without a row has one, so that no row was forgotten. */
static void every_profile_speaks_of_every_closed_aspect(void)
{
	const struct profile *p;

	for (size_t i = 0; (p = profile_at(i)) != NULL; i++) {
		for (unsigned a = 0; a < ASPECT_COUNT; a++) {
			bool has = false;

			for (size_t k = 0; k < p->count; k++)
				has = has || p->cells[k].aspect == a;
			CU_ASSERT(has || !aspect_is_closed(a));
		}
	}
}

static void sizes_have_bounds(void)
{
	CU_ASSERT_EQUAL(ask("fips", ASPECT_KEY_RSA, 2048, "2026-12-01").verdict, PROFILE_ALLOW);
	CU_ASSERT_EQUAL(ask("fips", ASPECT_KEY_RSA, 2047, "2026-12-01").verdict, PROFILE_PROCESS);
	CU_ASSERT_EQUAL(ask("fips", ASPECT_KEY_RSA, 1023, "2026-12-01").verdict, PROFILE_DENY);
	CU_ASSERT_EQUAL(ask("fips", ASPECT_KEY_RSA, 1023, "2026-12-01").least, 2048);
	CU_ASSERT_EQUAL(ask("fips", ASPECT_KEY_RSA, 0, "2026-12-01").verdict, PROFILE_DENY);
	CU_ASSERT_EQUAL(ask("fips30", ASPECT_KEY_RSA, 2048, "2031-01-01").verdict, PROFILE_WARN);
	CU_ASSERT_EQUAL(ask("cabf-cs", ASPECT_KEY_RSA, 2048, "2026-12-01").verdict, PROFILE_DENY);
	CU_ASSERT_EQUAL(ask("cnsa2", ASPECT_KEY_AES, 128, "2026-12-01").verdict, PROFILE_DENY);
	CU_ASSERT_EQUAL(ask("cnsa2", ASPECT_KEY_RSA, 3072, "2026-12-01").verdict, PROFILE_GRACE);
}

static void days_are_honoured(void)
{
	CU_ASSERT_EQUAL(ask("fips", ASPECT_DES3, 0, "2023-12-31").verdict, PROFILE_WARN);
	CU_ASSERT_EQUAL(ask("fips", ASPECT_DES3, 0, "2024-01-01").verdict, PROFILE_PROCESS);
	CU_ASSERT_EQUAL(ask("bsi", ASPECT_ECDH, 0, "2031-12-31").verdict, PROFILE_ALLOW);
	CU_ASSERT_EQUAL(ask("bsi", ASPECT_ECDH, 0, "2032-01-01").verdict, PROFILE_WARN);
}

static void what_was_made_before_is_opened(void)
{
	CU_ASSERT_TRUE(profile_lets(PROFILE_PROCESS, ACT_VERIFY, false, false));
	CU_ASSERT_TRUE(profile_lets(PROFILE_PROCESS, ACT_DECRYPT, false, false));
	CU_ASSERT_FALSE(profile_lets(PROFILE_PROCESS, ACT_SIGN, false, false));
	CU_ASSERT_TRUE(profile_lets(PROFILE_PROCESS, ACT_IMPORT, true, false));
	CU_ASSERT_FALSE(profile_lets(PROFILE_PROCESS, ACT_IMPORT, false, false));
	CU_ASSERT_TRUE(profile_lets(PROFILE_GRACE, ACT_SIGN, false, true));
	CU_ASSERT_FALSE(profile_lets(PROFILE_GRACE, ACT_SIGN, false, false));
}

static void days_and_times(void)
{
	int64_t s = 0;

	CU_ASSERT_TRUE(profile_day("1970-01-01", &s));
	CU_ASSERT_EQUAL(s, 0);
	CU_ASSERT_TRUE(profile_day("2026-12-01T12:00:00Z", &s));
	CU_ASSERT_EQUAL(s, 1796126400);
	CU_ASSERT_TRUE(profile_day("2024-02-29", &s));
	CU_ASSERT_FALSE(profile_day("2023-02-29", &s));
	CU_ASSERT_FALSE(profile_day("2026-13-01", &s));
	CU_ASSERT_FALSE(profile_day("2026-12-01T12:00:00", &s));
	CU_ASSERT_FALSE(profile_day("2026-12-1", &s));
	CU_ASSERT_FALSE(profile_day("", &s));
}

static const struct unit_test tests[] = {
	UNIT(tables_are_sorted_and_their_days_are_days),
	UNIT(every_profile_speaks_of_every_closed_aspect),
	UNIT(sizes_have_bounds),
	UNIT(days_are_honoured),
	UNIT(what_was_made_before_is_opened),
	UNIT(days_and_times),
};

UNIT_MAIN("policy/profile", tests)

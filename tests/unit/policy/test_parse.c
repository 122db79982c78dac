/* SPDX-License-Identifier: BSD-2-Clause */
/* Every mistake in a policy has its line and its message; all of a file at once. */
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/unit.h"

#define HEAD "schema = 1;\nname = \"t\";\nserial = 1;\n"

static const struct {
	const char *text;
	const char *messages; /* "LINE: TEXT" each, joined by newlines */
} mistakes[] = {
	{"schema = 2; name = \"t\"; serial = 1;", "1: schema is 2: expected 1"},
	{"name = \"t\"; serial = 1;", "0: key \"schema\" is missing: expected a whole number"},
	{HEAD "profile = [ \"fips\" ];", "4: unknown key \"profile\": did you mean \"profiles\"?"},
	{HEAD "profiles = [ \"fpis\" ];",
	 "4: profiles: \"fpis\" is not a profile: did you mean \"fips\"?"},
	{HEAD "hardening = [ \"attr\" ];",
	 "4: hardening: \"attr\" is not a group of hardening checks: did you mean \"attrs\"?"},
	{HEAD "relax = \"H:stick\";",
	 "4: relax: \"H:stick\" is not a hardening check (H:...): did you mean \"H:sticky\"?"},
	{HEAD "mode = \"enforced\";",
	 "4: mode \"enforced\" is not known: expected \"enforce\", \"permissive\", \"off\""},
	{HEAD "not_after = \"tomorrow\";", "4: not_after \"tomorrow\" is no time: expected "
					   "YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"},
	{HEAD "issued = \"2026-02-01\";\nnot_after = \"2026-01-01\";",
	 "5: not_after is not after issued: expected a later time"},
	{HEAD "trust_min = \"peer\";",
	 "4: trust_min \"peer\" is not supported by this version: expected \"self\", \"process\""},
	{HEAD "break_glass = { };",
	 "4: key \"break_glass\" is not supported by this version: remove it"},
	{HEAD "rules = ( { id = \"a\"; effect = \"allow\"; require = { approvals = 2; }; } );",
	 "4: rule \"a\": key \"require\" is not supported by this version: remove it"},
	{HEAD "rules = ( { id = \"a\"; effect = \"forbid\"; } );",
	 "4: rule \"a\": effect \"forbid\" is not known: expected \"allow\", \"deny\""},
	{HEAD
	 "rules = (\n{ id = \"a\"; effect = \"deny\"; },\n{ id = \"a\"; effect = \"deny\"; } );",
	 "6: rule \"a\": the id is used on line 5: expected another"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; what = [ \"sing\" ]; } );",
	 "4: rule \"a\": what: \"sing\" is not an operation: did you mean \"sign\"?"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; what = [ ]; } );",
	 "4: rule \"a\": what is empty and would match nothing: expected an operation"},
	{HEAD "rules = ( { id = \"a\"; effect = \"allow\"; mode = \"permissive\"; } );",
	 "4: rule \"a\": mode \"permissive\" has no meaning in a rule that allows: expected it in "
	 "one that denies"},
	{HEAD
	 "rules = ( { id = \"a\"; effect = \"deny\"; with = { mech = \"CKM_RSA_PKSC\"; }; } );",
	 "4: rule \"a\": with: mech: \"CKM_RSA_PKSC\" is not a mechanism (CKM_...): did you mean "
	 "\"CKM_RSA_PKCS\"?"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; with = { hash = \"SHA-265\"; }; } );",
	 "4: rule \"a\": with: hash: \"SHA-265\" is not a hash function: did you mean "
	 "\"SHA-256\"?"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; with = { mech = \"@none\"; }; } );",
	 "4: rule \"a\": with: mech: there is no set \"none\": expected one of \"sets\""},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; with = { template_has = \"CKA_X=true\"; "
	      "}; } );",
	 "4: rule \"a\": with: template_has: \"CKA_X=true\" is not known: expected an attribute "
	 "(CKA_NAME, CKA_NAME=true, CKA_NAME=false or CKA_NAME=NUMBER)"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; who = { role = \"admin\"; }; } );",
	 "4: rule \"a\": who: role: \"admin\" is no role: expected \"user\", \"so\" or \"public\""},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; on = { id = \"xyz\"; }; } );",
	 "4: rule \"a\": on: id: \"xyz\" is no CKA_ID: expected bytes in hexadecimal"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; when = { from = \"25:00\"; to = "
	      "\"06:00\"; }; } );",
	 "4: rule \"a\": when: from \"25:00\" is no time of day: expected hh:mm, 00:00 to 24:00"},
	{HEAD "rules = ( { id = \"a\"; effect = \"deny\"; when = { from = \"05:00\"; }; } );",
	 "4: rule \"a\": when: from and to belong together: expected both"},
	{HEAD "ceiling = ( { key = \"RSA\"; } );",
	 "4: ceiling 1: demands nothing: expected min_bits, max_bits, curves, pset or ops"},
	{HEAD "ceiling = ( { key = \"RSA\"; min_bits = 4096; max_bits = 2048; } );",
	 "4: ceiling 1: min_bits is 4096 and max_bits 2048: expected a range"},
	{HEAD "sets = { a = [ ]; };",
	 "4: set \"a\" is no list of words: expected [ \"...\", ... ]"},
	{HEAD "sets = { a = [ \"@b\" ]; };",
	 "4: set \"a\" is no list of words: expected [ \"...\", ... ]"},
	{HEAD "mode = \"x\";\nrules = ( { id = \"a\"; effect = \"y\"; } );",
	 "4: mode \"x\" is not known: expected \"enforce\", \"permissive\", \"off\"\n"
	 "5: rule \"a\": effect \"y\" is not known: expected \"allow\", \"deny\""},
};

static void every_mistake_has_its_message(void)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct diag diag = {0};
		struct policy *p = policy_parse_text(mistakes[i].text, "test", &diag);
		char all[1024] = "";
		size_t len = 0;

		CU_ASSERT_PTR_NULL(p);
		for (size_t k = 0; k < diag.count && len < sizeof all; k++)
			len += (size_t)snprintf(all + len, sizeof all - len, "%s%u: %s",
						k > 0 ? "\n" : "", diag.lines[k].line,
						diag.lines[k].text);
		if (strcmp(all, mistakes[i].messages) != 0) {
			printf("got:      %s\nexpected: %s\n", all, mistakes[i].messages);
			CU_FAIL("message differs");
		}
		policy_free(p);
		diag_free(&diag);
	}
}

static void built_in_policies_have_no_mistakes(void)
{
	const char *name;

	for (size_t i = 0; (name = policy_builtin_at(i, NULL)) != NULL; i++) {
		struct diag diag = {0};
		struct policy *p = policy_load(name, &diag);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(diag.count, 0);
		CU_ASSERT_STRING_EQUAL(p->name, name);
		policy_free(p);
		diag_free(&diag);
	}
}

static void sets_stand_for_their_words(void)
{
	struct diag diag = {0};
	struct policy *p =
		policy_parse_text(HEAD "sets = { s = [ \"CKM_ECDSA\", \"CKM_EDDSA\" ]; };\n"
				       "rules = ( { id = \"a\"; effect = \"deny\"; with = { mech = "
				       "[ \"@s\", \"CKM_DSA\" ]; }; } );",
				  "test", &diag);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->rules[0].match.mech[0].count, 3);
	policy_free(p);
	diag_free(&diag);
}

static void what_a_policy_speaks_of(void)
{
	struct diag diag = {0};
	struct policy *p = policy_load("baseline", &diag);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_FALSE(policy_speaks(p, ACT_SIGN));
	CU_ASSERT_TRUE(policy_speaks(p, ACT_WRAP));
	CU_ASSERT_FALSE(
		policy_wants_objects(p, ACT_DECRYPT, &(CK_MECHANISM){CKM_AES_GCM, NULL, 0}));
	CU_ASSERT_TRUE(
		policy_wants_objects(p, ACT_DECRYPT, &(CK_MECHANISM){CKM_AES_KEY_WRAP, NULL, 0}));
	CU_ASSERT_TRUE(p->is_timeless);
	policy_free(p);
	p = policy_load("off", &diag);
	CU_ASSERT_FALSE(policy_speaks(p, ACT_WRAP));
	policy_free(p);
	CU_ASSERT_FALSE(policy_speaks(NULL, ACT_WRAP));
}

static const struct unit_test tests[] = {
	UNIT(every_mistake_has_its_message),
	UNIT(built_in_policies_have_no_mistakes),
	UNIT(sets_stand_for_their_words),
	UNIT(what_a_policy_speaks_of),
};

UNIT_MAIN("policy/parse", tests)

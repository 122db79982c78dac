/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions: each layer. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/made_up.h"
#include "tests/unit/unit.h"

static void no_policy_allows(void)
{
	static struct made_up m;

	begin(&m, ACT_SIGN, CKM_MD5_RSA_PKCS);
	CU_ASSERT_TRUE(decided(NULL, &m).is_allowed);
}

static void a_deny_wins_over_any_allow(void)
{
	struct policy *p = with("default = \"deny\"; rules = ("
				"{ id = \"a\"; effect = \"allow\"; what = \"sign\"; },"
				"{ id = \"d\"; effect = \"deny\"; on = { label = \"x*\"; }; } );");
	static struct made_up m;

	begin(&m, ACT_SIGN, CKM_SHA256_RSA_PKCS);
	add(&m, PART_KEY, CKO_PRIVATE_KEY, CKK_RSA, 2048, "y1");
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	begin(&m, ACT_SIGN, CKM_SHA256_RSA_PKCS);
	add(&m, PART_KEY, CKO_PRIVATE_KEY, CKK_RSA, 2048, "x1");
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "d");
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_KEY_FUNCTION_NOT_PERMITTED);
	begin(&m, ACT_DECRYPT, CKM_RSA_PKCS_OAEP);
	add(&m, PART_KEY, CKO_PRIVATE_KEY, CKK_RSA, 2048, "y1");
	CU_ASSERT_EQUAL(decided(p, &m).layer, LAYER_DEFAULT);
	policy_free(p);
}

static void an_allow_has_to_cover_all_objects(void)
{
	struct policy *p =
		with("default = \"deny\"; hardening = \"none\"; rules = ("
		     "{ id = \"a\"; effect = \"allow\"; on = { label = \"ok*\"; }; } );");
	static struct made_up m;

	begin(&m, ACT_WRAP, CKM_AES_KEY_WRAP);
	add(&m, PART_KEY, CKO_SECRET_KEY, CKK_AES, 256, "ok-kek");
	add(&m, PART_SUBJECT, CKO_SECRET_KEY, CKK_AES, 256, "other");
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_KEY_UNEXTRACTABLE);
	(void)snprintf(m.object[1].label, sizeof m.object[1].label, "ok-key");
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	policy_free(p);
}

static void exceptions_cover_all_objects_of_a_deny(void)
{
	struct policy *p = with("hardening = \"none\"; rules = ("
				"{ id = \"d\"; effect = \"deny\"; what = \"wrap\";"
				" unless = { on = { label = \"ok*\"; }; }; } );");
	static struct made_up m;

	begin(&m, ACT_WRAP, CKM_AES_KEY_WRAP);
	add(&m, PART_KEY, CKO_SECRET_KEY, CKK_AES, 256, "ok-kek");
	add(&m, PART_SUBJECT, CKO_SECRET_KEY, CKK_AES, 256, "other");
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	(void)snprintf(m.object[1].label, sizeof m.object[1].label, "ok-key");
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	policy_free(p);
}

static void callers_are_told_apart(void)
{
	struct policy *p = with("rules = ("
				"{ id = \"u\"; effect = \"deny\"; what = \"sign\"; who = { not_uid "
				"= [ \"ann\", \"0\" ]; }; },"
				"{ id = \"e\"; effect = \"deny\"; what = \"verify\"; who = { exe = "
				"\"/usr/bin/*\"; unit = \"app@*\"; }; } );");
	static struct made_up m;

	begin(&m, ACT_SIGN, CKM_ECDSA);
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.caller.user = "bob";
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	m.caller.uid = 0;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	begin(&m, ACT_VERIFY, CKM_ECDSA);
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.caller.unit = "app@1.service";
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	policy_free(p);
}

static void hours_and_days(void)
{
	/* 2026-12-01T12:00:00Z is a Tuesday. */
	struct policy *p = with("rules = ("
				"{ id = \"h\"; effect = \"deny\"; what = \"sign\"; when = { days = "
				"[ \"Tue\" ]; from = \"11:00\"; to = \"12:00\"; }; },"
				"{ id = \"n\"; effect = \"deny\"; what = \"verify\"; when = { from "
				"= \"22:00\"; to = \"06:00\"; }; } );");
	static struct made_up m;

	begin(&m, ACT_SIGN, CKM_ECDSA);
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.facts.now -= 1;
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	m.facts.now -= 86400;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	begin(&m, ACT_VERIFY, CKM_ECDSA);
	m.facts.now += 11 * 3600;
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	m.facts.now += 5 * 3600;
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	m.facts.now += 3 * 3600;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	policy_free(p);
}

static void a_policy_that_is_out_of_date(void)
{
	static const struct {
		const char *text;
		bool signs, makes;
	} cases[] = {
		{"warn", true, true}, {"deny-mutations", true, false}, {"deny-all", false, false}};

	for (size_t i = 0; i < 3; i++) {
		char text[160];
		struct policy *p;
		struct made_up m;

		(void)snprintf(text, sizeof text,
			       "not_after = \"2026-12-01T11:00:00Z\"; on_expiry = \"%s\";",
			       cases[i].text);
		p = with(text);
		begin(&m, ACT_SIGN, CKM_ECDSA);
		CU_ASSERT_EQUAL(decided(p, &m).is_allowed, cases[i].signs);
		begin(&m, ACT_GENERATE, CKM_AES_KEY_GEN);
		CU_ASSERT_EQUAL(decided(p, &m).is_allowed, cases[i].makes);
		m.facts.now -= 7200;
		CU_ASSERT_TRUE(decided(p, &m).is_allowed);
		policy_free(p);
	}
}

static void rights_that_must_not_meet(void)
{
	struct policy *p = with("");
	struct policy_object *o;
	static struct made_up m;

	begin(&m, ACT_GENERATE, CKM_AES_KEY_GEN);
	o = add(&m, PART_NEW, CKO_SECRET_KEY, CKK_AES, 256, "k");
	o->known = o->flags = FLAG_WRAP | FLAG_DECRYPT;
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "H:wrap-decrypt");
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_TEMPLATE_INCONSISTENT);
	o->flags = FLAG_WRAP;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	o->known = o->flags = FLAG_UNWRAP | FLAG_ENCRYPT;
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "H:unwrap-encrypt");
	policy_free(p);
	p = with("relax = \"H:unwrap-encrypt\";");
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	policy_free(p);
}

static void usages_are_sticky(void)
{
	struct policy *p = with("");
	struct policy_object *o;
	static struct made_up m;

	begin(&m, ACT_SET_ATTR, 0);
	o = add(&m, PART_SUBJECT, CKO_SECRET_KEY, CKK_AES, 256, "k");
	o->known = FLAG_WRAP | FLAG_DECRYPT | FLAG_SENSITIVE | FLAG_EXTRACTABLE;
	o->flags = FLAG_DECRYPT | FLAG_SENSITIVE;
	m.flags[0] = CK_TRUE;
	m.attrs[0] = (CK_ATTRIBUTE){CKA_WRAP, &m.flags[0], 1};
	o->tmpl = m.attrs;
	o->tmpl_count = 1;
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "H:sticky");
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_ATTRIBUTE_READ_ONLY);
	m.flags[0] = CK_FALSE; /* given up */
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.attrs[0].type = CKA_SENSITIVE;
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "H:sticky");
	m.attrs[0].type = CKA_EXTRACTABLE;
	m.flags[0] = CK_TRUE;
	m.facts.act = ACT_COPY;
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "H:sticky");
	policy_free(p);
}

static void a_weak_key_wraps_no_strong_one(void)
{
	struct policy *p = with("hardening = \"strength\";");
	static struct made_up m;

	begin(&m, ACT_WRAP, CKM_RSA_PKCS_OAEP);
	add(&m, PART_KEY, CKO_PUBLIC_KEY, CKK_RSA, 3072, "rsa");
	add(&m, PART_SUBJECT, CKO_SECRET_KEY, CKK_AES, 128, "aes");
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.object[1].object.bits = 256;
	CU_ASSERT_STRING_EQUAL(decided(p, &m).rule, "H:weak-wrap");
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_KEY_NOT_WRAPPABLE);
	m.object[0].object.bits = 15360;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.object[0].object.type = CKK_EC;
	m.object[0].object.bits = 384;
	CU_ASSERT_FALSE(decided(p, &m).is_allowed);
	m.object[0].object.bits = 521;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	policy_free(p);
}

static void what_is_unwrapped_is_judged_when_it_is_used(void)
{
	struct policy *p = with("profiles = \"fips\";");
	struct policy_object *o;
	static struct made_up m;

	begin(&m, ACT_UNWRAP, CKM_AES_KEY_WRAP_KWP);
	add(&m, PART_KEY, CKO_SECRET_KEY, CKK_AES, 256, "kek");
	o = add(&m, PART_NEW, CKO_PRIVATE_KEY, CKK_EC, 0, "ec");
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	o->type = CKK_AES;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	o->type = CK_UNAVAILABLE_INFORMATION;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	o->type = CKK_EC;
	o->curve = CURVE_K256;
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_CURVE_NOT_SUPPORTED);
	begin(&m, ACT_SIGN, CKM_ECDSA);
	add(&m, PART_KEY, CKO_PRIVATE_KEY, CKK_EC, 0, "ec");
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_KEY_SIZE_RANGE);
	begin(&m, ACT_ENCRYPT, CKM_AES_CBC);
	add(&m, PART_KEY, CKO_SECRET_KEY, CKK_AES, 0, "aes");
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_KEY_SIZE_RANGE);
	policy_free(p);
}

static void a_permissive_rule_is_named(void)
{
	struct policy *p = with("rules = ( { id = \"p\"; effect = \"deny\"; mode = \"permissive\"; "
				"what = \"sign\"; } );");
	struct made_up m;
	struct verdict v;

	begin(&m, ACT_SIGN, CKM_ECDSA);
	v = decided(p, &m);
	CU_ASSERT_TRUE(v.is_allowed && v.would_deny);
	CU_ASSERT_EQUAL(v.layer, LAYER_RULE);
	CU_ASSERT_STRING_EQUAL(v.rule, "p");
	CU_ASSERT_STRING_EQUAL(v.why, "a rule of the policy would deny it");
	policy_free(p);
	p = with("default = \"deny\"; rules = ( { id = \"p\"; effect = \"deny\"; "
		 "mode = \"permissive\"; what = \"sign\"; } );");
	v = decided(p, &m);
	CU_ASSERT_FALSE(v.is_allowed);
	CU_ASSERT_STRING_EQUAL(v.why, "no rule of the policy allows it");
	policy_free(p);
}

static void ceilings_only_tighten(void)
{
	struct policy *p = with("ceiling = ( { key = \"RSA\"; min_bits = 3072; },"
				"{ mech = \"CKM_RSA_PKCS\"; ops = [ \"sign\" ]; } ); rules = ("
				"{ id = \"a\"; effect = \"allow\"; } );");
	static struct made_up m;

	begin(&m, ACT_SIGN, CKM_RSA_PKCS);
	add(&m, PART_KEY, CKO_PRIVATE_KEY, CKK_RSA, 2048, "k");
	CU_ASSERT_EQUAL(decided(p, &m).layer, LAYER_CEILING);
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_KEY_SIZE_RANGE);
	m.object[0].object.bits = 3072;
	CU_ASSERT_TRUE(decided(p, &m).is_allowed);
	m.facts.act = ACT_DECRYPT;
	CU_ASSERT_EQUAL(decided(p, &m).code, CKR_MECHANISM_INVALID);
	policy_free(p);
}

static const struct unit_test tests[] = {
	UNIT(no_policy_allows),
	UNIT(a_deny_wins_over_any_allow),
	UNIT(an_allow_has_to_cover_all_objects),
	UNIT(exceptions_cover_all_objects_of_a_deny),
	UNIT(callers_are_told_apart),
	UNIT(hours_and_days),
	UNIT(a_policy_that_is_out_of_date),
	UNIT(rights_that_must_not_meet),
	UNIT(usages_are_sticky),
	UNIT(a_weak_key_wraps_no_strong_one),
	UNIT(what_is_unwrapped_is_judged_when_it_is_used),
	UNIT(a_permissive_rule_is_named),
	UNIT(ceilings_only_tighten),
};

UNIT_MAIN("policy/decision", tests)

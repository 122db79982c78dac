/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions: each layer, and what must hold for any policy and any call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/describe.h"
#include "policy/policy.h"
#include "tests/unit/unit.h"

/* A call that is made up. */
struct made_up {
	struct facts facts;
	struct caller caller;
	struct described object[2];
	CK_MECHANISM mech;
	CK_ATTRIBUTE attrs[4];
	CK_BBOOL flags[4];
};

static struct policy *parsed(const char *text)
{
	struct diag diag = {0};
	struct policy *p = policy_parse_text(text, "test", &diag);

	for (size_t i = 0; i < diag.count; i++)
		printf("%u: %s\n", diag.lines[i].line, diag.lines[i].text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	diag_free(&diag);
	return p;
}

static struct policy *with(const char *text)
{
	static char whole[4096];

	(void)snprintf(whole, sizeof whole, "schema = 1; name = \"t\"; serial = 1; %s", text);
	return parsed(whole);
}

static void begin(struct made_up *m, enum policy_act act, CK_MECHANISM_TYPE mech)
{
	memset(m, 0, sizeof *m);
	m->caller = (struct caller){.uid = 1000,
				    .gid = 1000,
				    .user = "ann",
				    .group = "ca",
				    .exe = "/usr/bin/app",
				    .unit = "app.service",
				    .cgroup = "/system.slice/app.service",
				    .label = "",
				    .trust = TRUST_PROCESS};
	m->facts = (struct facts){.act = act,
				  .function = "",
				  .token = "t",
				  .role = "user",
				  .caller = &m->caller,
				  .now = 1796126400};
	m->mech.mechanism = mech;
	if (mech != 0)
		m->facts.mech = &m->mech;
}

static struct policy_object *add(struct made_up *m, enum policy_part part, CK_OBJECT_CLASS class,
				 CK_KEY_TYPE type, unsigned bits, const char *label)
{
	struct described *d = &m->object[m->facts.object_count];

	describe_init(d, part);
	d->object.class = class;
	d->object.type = type;
	d->object.bits = bits;
	(void)snprintf(d->label, sizeof d->label, "%s", label);
	m->facts.object[m->facts.object_count++] = &d->object;
	return &d->object;
}

static struct verdict decided(const struct policy *p, const struct made_up *m)
{
	struct verdict v;

	policy_check(p, &m->facts, &v);
	return v;
}

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

/* Numbers that look random, the same in every run. */
static unsigned long long seed;

static unsigned number(unsigned below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % below;
}

static void any_call(struct made_up *m)
{
	static const CK_MECHANISM_TYPE mechs[] = {
		0,         CKM_RSA_PKCS,    CKM_SHA1_RSA_PKCS, CKM_SHA256_RSA_PKCS,
		CKM_ECDSA, CKM_AES_GCM,     CKM_AES_KEY_WRAP,  CKM_DES3_CBC,
		CKM_MD5,   CKM_SHA256_HMAC, CKM_ML_DSA};
	static const CK_KEY_TYPE types[] = {CKK_RSA, CKK_EC, CKK_AES, CKK_DES3, CKK_GENERIC_SECRET};
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
	static const char *const labels[] = {"a1", "a2", "b1", ""};
	unsigned objects;

	begin(m, number(ACT_COUNT), mechs[number(11)]);
	m->caller.user = number(2) ? "ann" : "bob";
	m->facts.now += number(200000);
	objects = number(3);
	for (unsigned i = 0; i < objects; i++) {
		struct policy_object *o =
			add(m, number(3), classes[number(3)], types[number(5)],
			    number(2) ? 128 * (1 + number(32)) : 0, labels[number(4)]);

		o->known = number(1U << 12);
		o->flags = o->known & number(1U << 12);
		o->curve = o->type == CKK_EC ? number(CURVE_COUNT) : CURVE_NONE;
	}
}

#define RULES                                                                                      \
	"{ id = \"a\"; effect = \"allow\"; what = [ \"use\" ]; on = { label = \"a*\"; }; },"       \
	"{ id = \"b\"; effect = \"deny\"; what = [ \"sign\", \"wrap\" ]; who = { user = \"bob\"; " \
	"}; },"                                                                                    \
	"{ id = \"c\"; effect = \"allow\"; with = { bits_min = 2048; }; on = { class = "           \
	"\"private\"; }; },"                                                                       \
	"{ id = \"d\"; effect = \"deny\"; with = { mech = \"CKM_DES3_CBC\"; }; unless = { on = { " \
	"label = \"a1\"; }; }; },"                                                                 \
	"{ id = \"e\"; effect = \"allow\"; what = [ \"digest\", \"find\", \"lifecycle\" ]; when "  \
	"= { from = \"08:00\"; to = \"20:00\"; }; },"                                              \
	"{ id = \"f\"; effect = \"deny\"; mode = \"permissive\"; what = \"verify\"; }"

static const char *const heads[] = {
	"default = \"deny\";", "default = \"allow\";", "default = \"deny\"; profiles = \"fips\";",
	"profiles = [ \"cnsa2\", \"bsi\" ]; ceiling = ( { key = \"RSA\"; min_bits = 3000; } );"};

#define HEADS 4U
#define CALLS 5000U

static void the_order_of_rules_means_nothing(void)
{
	for (unsigned h = 0; h < HEADS; h++) {
		static char text[1536];
		struct policy *p, *shuffled;

		(void)snprintf(text, sizeof text, "%s rules = ( " RULES " );", heads[h]);
		p = with(text);
		shuffled = with(text);
		for (size_t i = shuffled->rule_count; i > 1; i--) {
			size_t k = number((unsigned)i);
			static struct rule moved;

			moved = shuffled->rules[i - 1];
			shuffled->rules[i - 1] = shuffled->rules[k];
			shuffled->rules[k] = moved;
		}
		for (unsigned i = 0; i < CALLS; i++) {
			static struct made_up m;

			any_call(&m);
			CU_ASSERT_EQUAL(decided(p, &m).is_allowed,
					decided(shuffled, &m).is_allowed);
			CU_ASSERT_EQUAL(decided(p, &m).code, decided(shuffled, &m).code);
		}
		policy_free(p);
		policy_free(shuffled);
	}
}

static void an_allow_never_widens_what_is_above_it(void)
{
	unsigned more = 0;

	for (unsigned h = 0; h < HEADS; h++) {
		static char text[1536];
		struct policy *p, *wider;

		(void)snprintf(text, sizeof text, "%s rules = ( " RULES " );", heads[h]);
		p = with(text);
		(void)snprintf(text, sizeof text,
			       "%s rules = ( " RULES ", { id = \"all\"; effect = \"allow\"; } );",
			       heads[h]);
		wider = with(text);
		for (unsigned i = 0; i < CALLS; i++) {
			static struct verdict was, is;
			static struct made_up m;

			any_call(&m);
			was = decided(p, &m);
			is = decided(wider, &m);
			CU_ASSERT(!was.is_allowed || is.is_allowed);
			if (was.layer != LAYER_DEFAULT)
				CU_ASSERT_EQUAL(was.is_allowed, is.is_allowed);
			more += is.is_allowed && !was.is_allowed;
		}
		policy_free(p);
		policy_free(wider);
	}
	CU_ASSERT(more > 0);
}

static void permissive_refuses_nothing_and_tells_the_same(void)
{
	unsigned told = 0;

	for (unsigned h = 0; h < HEADS; h++) {
		static char text[1536];
		struct policy *p, *soft;

		(void)snprintf(text, sizeof text, "%s rules = ( " RULES " );", heads[h]);
		p = with(text);
		soft = with(text);
		soft->mode = POLICY_PERMISSIVE;
		for (unsigned i = 0; i < CALLS; i++) {
			static struct verdict hard, is;
			static struct made_up m;

			any_call(&m);
			hard = decided(p, &m);
			is = decided(soft, &m);
			CU_ASSERT_TRUE(is.is_allowed);
			CU_ASSERT(hard.is_allowed || is.would_deny);
			CU_ASSERT_EQUAL(hard.number, is.number);
			told += is.would_deny;
		}
		policy_free(p);
		policy_free(soft);
	}
	CU_ASSERT(told > 0);
}

/* Who listens changes nothing; what the gate leaves out would not have refused. */
static void listening_and_leaving_out_change_nothing(void)
{
	for (unsigned h = 0; h < HEADS; h++) {
		static char text[1536];
		struct policy *p;

		(void)snprintf(text, sizeof text, "%s rules = ( " RULES " );", heads[h]);
		p = with(text);
		for (unsigned i = 0; i < CALLS; i++) {
			static struct made_up m;
			struct verdict v = {.code = 0};

			any_call(&m);
			v = decided(p, &m);
			if (!policy_speaks(p, m.facts.act)) {
				CU_ASSERT_TRUE(v.is_allowed);
			} else if (!policy_wants_objects(p, m.facts.act, m.facts.mech)) {
				struct verdict bare;

				m.facts.object_count = 0;
				bare = decided(p, &m);
				CU_ASSERT_EQUAL(bare.is_allowed, v.is_allowed);
			}
		}
		policy_free(p);
	}
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
	UNIT(ceilings_only_tighten),
	UNIT(the_order_of_rules_means_nothing),
	UNIT(an_allow_never_widens_what_is_above_it),
	UNIT(permissive_refuses_nothing_and_tells_the_same),
	UNIT(listening_and_leaving_out_change_nothing),
};

UNIT_MAIN("policy/decision", tests)

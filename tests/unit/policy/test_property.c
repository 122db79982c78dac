/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions: what must hold for any policy and any call. */
#include <stdio.h>

#include "tests/unit/policy/made_up.h"
#include "tests/unit/unit.h"

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
	UNIT(the_order_of_rules_means_nothing),
	UNIT(an_allow_never_widens_what_is_above_it),
	UNIT(permissive_refuses_nothing_and_tells_the_same),
	UNIT(listening_and_leaving_out_change_nothing),
};

UNIT_MAIN("policy/property", tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* An application that attacks: with everything that it can call, a key that was shown as not
 * extractable must not be had in clear, nor wrapped under a key of the attacker.
 *
 *   attack MODULE CASE LABEL
 *
 * Each case makes keys, does something to them, and tries every way out (attack_take.c). "control"
 * shows that the ways work on a key that may leave. */
#include "tests/scenario/attack.h"

#include <stdio.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static unsigned char odd[8] = {1, 1, 1, 1, 1, 1, 1, 1};
static CK_BBOOL two = 2;

static const char *const kind_name[ATTACK_KINDS] = {"an AES key", "a generic secret", "an EC key",
						    "an RSA key"};

/* What leaves, leaves; what was made to stay afterwards stays. */
static void control(struct app *app, const char *label)
{
	CK_ATTRIBUTE stay = {CKA_EXTRACTABLE, &no, sizeof no};
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind++) {
		CK_OBJECT_HANDLE key = attack_make(app, s, kind, true, 'c');
		CK_BBOOL leaves = CK_FALSE;
		CK_ATTRIBUTE shown = {CKA_EXTRACTABLE, &leaves, sizeof leaves};
		const char *way = attack_take(app, s, key);

		OK(app->f->C_GetAttributeValue(s, key, &shown, 1));
		fprintf(stderr, "%s: %s\n", kind_name[kind], way ? way : "stays");
		CHECK(way != NULL && leaves == CK_TRUE);
		OK(app->f->C_SetAttributeValue(s, key, &stay, 1));
		attack_fails(app, s, key, "made not extractable");
		OK(app->f->C_GetAttributeValue(s, key, &shown, 1));
		CHECK(leaves == CK_FALSE);
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

static void plain(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind++) {
		CK_OBJECT_HANDLE key = attack_make(app, s, kind, false, 'p');

		attack_fails(app, s, key, kind_name[kind]);
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

/* Attributes that would let a key out; a template of one or two of them. */
static CK_ATTRIBUTE flips[][2] = {
	{{CKA_EXTRACTABLE, &yes, sizeof yes}},
	{{CKA_EXTRACTABLE, &two, sizeof two}},
	{{CKA_EXTRACTABLE, odd, sizeof odd}},
	{{CKA_EXTRACTABLE, NULL, 0}},
	{{CKA_EXTRACTABLE, &no, sizeof no}, {CKA_EXTRACTABLE, &yes, sizeof yes}},
	{{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no}},
	{{CKA_SENSITIVE, &no, sizeof no}},
	{{CKA_SENSITIVE, &no, sizeof no}, {CKA_EXTRACTABLE, &yes, sizeof yes}},
	{{CKA_SENSITIVE, &yes, sizeof yes}, {CKA_SENSITIVE, &no, sizeof no}},
	{{CKA_WRAP_WITH_TRUSTED, &no, sizeof no}},
	{{CKA_WRAP_WITH_TRUSTED, &yes, sizeof yes}, {CKA_WRAP_WITH_TRUSTED, &no, sizeof no}},
	{{CKA_TRUSTED, &yes, sizeof yes}},
	{{CKA_NEVER_EXTRACTABLE, &no, sizeof no}, {CKA_EXTRACTABLE, &yes, sizeof yes}},
};
#define FLIPS (sizeof flips / sizeof *flips)

static CK_ULONG used(const CK_ATTRIBUTE pair[2])
{
	return pair[1].type ? 2 : 1;
}

static const char *flip_name(size_t i, const char *what)
{
	static char name[64];

	(void)snprintf(name, sizeof name, "%s, template %zu", what, i);
	return name;
}

static void set(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind++) {
		CK_OBJECT_HANDLE key = attack_make(app, s, kind, false, 's');

		for (size_t i = 0; i < FLIPS; i++) {
			CK_RV rv = app->f->C_SetAttributeValue(s, key, flips[i], used(flips[i]));

			/* What is only asked for a second time may be given. */
			if (rv == CKR_OK)
				fprintf(stderr, "%s: CKR_OK\n", flip_name(i, kind_name[kind]));
			attack_fails(app, s, key, flip_name(i, kind_name[kind]));
		}
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

/* A copy, as a token object and as one of the session, with each of the templates; and a copy of
 * the copy, and what can be set of it. */
static void copy_one(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
		     CK_BBOOL *token, const CK_ATTRIBUTE *flip, CK_ULONG count, const char *how)
{
	CK_ATTRIBUTE tmpl[5] = {{CKA_TOKEN, token, sizeof *token},
				{CKA_LABEL, odd, sizeof odd},
				{CKA_ENCRYPT, &yes, sizeof yes}};
	CK_OBJECT_HANDLE copy = 0, second = 0;
	CK_RV rv;

	memcpy(tmpl + 3, flip, count * sizeof *tmpl);
	for (CK_ULONG skip = 0; skip < 2; skip++) {
		/* Without CKA_ENCRYPT the copy may be an alias. */
		if (skip)
			memcpy(tmpl + 2, flip, count * sizeof *tmpl);
		rv = app->f->C_CopyObject(s, key, tmpl, 3 + count - skip, &copy);
		if (rv != CKR_OK)
			continue;
		for (size_t i = 0; i < FLIPS; i++)
			(void)app->f->C_SetAttributeValue(s, copy, flips[i], used(flips[i]));
		rv = app->f->C_CopyObject(s, copy, (CK_ATTRIBUTE *)(size_t)flip, count, &second);
		attack_gave(app, s, rv, second, how);
		tmpl[0].pValue = &yes;
		rv = app->f->C_CopyObject(s, copy, tmpl, 3 + count - skip, &second);
		attack_gave(app, s, rv, second, how);
		tmpl[0].pValue = token;
		attack_gave(app, s, CKR_OK, copy, how);
	}
}

static void copy(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind++) {
		CK_OBJECT_HANDLE key = attack_make(app, s, kind, false, 'y');

		copy_one(app, s, key, &no, NULL, 0, "a session copy");
		copy_one(app, s, key, &yes, NULL, 0, "a token copy");
		for (size_t i = 0; i < FLIPS; i++) {
			copy_one(app, s, key, &no, flips[i], used(flips[i]),
				 flip_name(i, "a session copy"));
			copy_one(app, s, key, &yes, flips[i], used(flips[i]),
				 flip_name(i, "a token copy"));
		}
		attack_fails(app, s, key, "copied");
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

/* A token object asked for twice, in either order. */
static void twice(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned first = 0; first < 2; first++) {
		CK_OBJECT_HANDLE key = attack_make(app, s, ATTACK_AES, false, 't'), copy = 0;
		CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, first ? &yes : &no, 1},
				       {CKA_TOKEN, first ? &no : &yes, 1},
				       {CKA_EXTRACTABLE, &no, 1},
				       {CKA_LABEL, odd, sizeof odd},
				       {CKA_EXTRACTABLE, &yes, 1}};

		for (CK_ULONG n = 2; n <= 5; n++) {
			CK_RV rv = app->f->C_CopyObject(s, key, tmpl, n, &copy);

			attack_gave(app, s, rv, copy, "asked for twice");
		}
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

/* Templates of derived keys: it can be read, or wrapped; said, left out, said twice. */
static CK_ATTRIBUTE loose[][4] = {
	{{CKA_EXTRACTABLE, &yes, 1}, {CKA_SENSITIVE, &no, 1}},
	{{CKA_EXTRACTABLE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}},
	{{CKA_SENSITIVE, &yes, 1}},
	{{CKA_SENSITIVE, &no, 1}},
	{{CKA_EXTRACTABLE, &no, 1}, {CKA_SENSITIVE, &no, 1}},
	{{CKA_EXTRACTABLE, &no, 1},
	 {CKA_SENSITIVE, &yes, 1},
	 {CKA_EXTRACTABLE, &yes, 1},
	 {CKA_SENSITIVE, &no, 1}},
	{{CKA_EXTRACTABLE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1}},
	{{CKA_EXTRACTABLE, &two, 1}, {CKA_SENSITIVE, &two, 1}},
	{{CKA_EXTRACTABLE, odd, 8}, {CKA_SENSITIVE, &yes, 1}},
	{{CKA_EXTRACTABLE, NULL, 0}, {CKA_SENSITIVE, &yes, 1}},
};

static void derive_all(const struct app *app, CK_SESSION_HANDLE s, CK_MECHANISM *by,
		       CK_OBJECT_HANDLE base, const char *how)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG len = 16;

	for (unsigned token = 0; token < 2; token++)
		for (size_t i = 0; i < sizeof loose / sizeof *loose; i++) {
			CK_ATTRIBUTE tmpl[9] = {{CKA_CLASS, &class, sizeof class},
						{CKA_KEY_TYPE, &type, sizeof type},
						{CKA_VALUE_LEN, &len, sizeof len},
						{CKA_TOKEN, token ? &yes : &no, 1},
						{CKA_SIGN, &yes, 1}};
			CK_ULONG count = 5;
			CK_OBJECT_HANDLE key = 0;
			CK_RV rv;

			for (unsigned k = 0; k < 4 && loose[i][k].type; k++)
				tmpl[count++] = loose[i][k];
			rv = app->f->C_DeriveKey(s, by, base, tmpl, count, &key);
			attack_gave(app, s, rv, key, flip_name(i, how));
		}
}

/* Mechanisms whose result holds the base, or enough of it; two of them name a second key. */
static void derive_each(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE base,
			CK_OBJECT_HANDLE other)
{
	CK_KEY_DERIVATION_STRING_DATA data = {odd, sizeof odd};
	CK_ULONG at = 0;
	CK_IKE1_EXTENDED_DERIVE_PARAMS ike = {.prfMechanism = CKM_SHA256_HMAC};
	CK_HKDF_PARAMS hkdf = {.prfHashMechanism = CKM_SHA256};
	CK_MECHANISM by[] = {
		{CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof other},
		{CKM_CONCATENATE_BASE_AND_DATA, &data, sizeof data},
		{CKM_CONCATENATE_DATA_AND_BASE, &data, sizeof data},
		{CKM_XOR_BASE_AND_DATA, &data, sizeof data},
		{CKM_EXTRACT_KEY_FROM_KEY, &at, sizeof at},
		{CKM_IKE1_EXTENDED_DERIVE, &ike, sizeof ike},
		{CKM_NSS_IKE1_APP_B_PRF_DERIVE, &ike, sizeof ike},
		{CKM_HKDF_DERIVE, &hkdf, sizeof hkdf},
		{CKM_SHA1_KEY_DERIVATION, NULL, 0},
		{CKM_SHA256_KEY_DERIVATION, NULL, 0},
		{CKM_SHA512_KEY_DERIVATION, NULL, 0},
	};

	for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
		char how[40];

		(void)snprintf(how, sizeof how, "mechanism 0x%lx", by[i].mechanism);
		derive_all(app, s, &by[i], base, how);
	}
	by[0].pParameter = &base;
	derive_all(app, s, &by[0], other, "behind a key of the attacker");
}

/* What is derived from it, from a copy of it, and from what was derived of it. */
static void derive(struct app *app, const char *label)
{
	CK_MECHANISM whole = {CKM_CONCATENATE_BASE_AND_DATA,
			      &(CK_KEY_DERIVATION_STRING_DATA){odd, sizeof odd},
			      sizeof(CK_KEY_DERIVATION_STRING_DATA)};
	CK_ATTRIBUTE strict[] = {{CKA_EXTRACTABLE, &no, 1},
				 {CKA_SENSITIVE, &yes, 1},
				 {CKA_DERIVE, &yes, 1},
				 {CKA_TOKEN, &no, 1}};
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned kind = 0; kind < 2; kind++) {
		CK_OBJECT_HANDLE key = attack_make(app, s, kind, false, 'd'), copy = 0;
		CK_OBJECT_HANDLE own = attack_wrapper(app, s);

		derive_each(app, s, key, own);
		if (app->f->C_CopyObject(s, key, strict + 2, 2, &copy) == CKR_OK) {
			derive_each(app, s, copy, own);
			OK(app->f->C_DestroyObject(s, copy));
		}
		if (app->f->C_DeriveKey(s, &whole, key, strict, 4, &copy) == CKR_OK) {
			derive_each(app, s, copy, own);
			OK(app->f->C_DestroyObject(s, copy));
		}
		OK(app->f->C_DestroyObject(s, own));
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

static const struct app_case cases[] = {
	{"control", control},
	{"plain", plain},
	{"set", set},
	{"copy", copy},
	{"twice", twice},
	{"derive", derive},
	{"kek", attack_kek},
	{"names", attack_names},
	{"public", attack_public},
	{"so", attack_so},
	{"swap", attack_swap},
	{"forge", attack_forge},
	{"brought", attack_brought},
	{"open", attack_open},
	{"copied", attack_copied},
	{"retired", attack_retired},
	{"twins", attack_twins},
	{"victim", attack_victim},
	{"chain", attack_chain},
	{"stricter", attack_stricter},
	{"looser", attack_looser},
	{"nested", attack_nested},
	{"unwrap", attack_unwrap},
	{"handles", attack_handles},
	{"lists", attack_lists},
	{"race", attack_race},
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, cases, sizeof cases / sizeof *cases);
}

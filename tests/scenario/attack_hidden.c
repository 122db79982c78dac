/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks on what hsmux keeps on the members for itself: the KEK, what it knows of keys, objects
 * that are being made; and attacks without a login, and with that of the security officer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/attack.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static unsigned char value[32] = "a value that the attacker knows";

/* More handles than these tests make; how many lives a handle's number has had. */
#define GUESSES   600
#define LIVES     4
#define LIFE_BITS 20

#define OWN "hsmux-"

static void has_no_own_label(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object)
{
	char label[64] = "";
	CK_ATTRIBUTE a = {CKA_LABEL, label, sizeof label};

	if (app->f->C_GetAttributeValue(s, object, &a, 1) == CKR_OK)
		CHECK(strncmp(label, OWN, sizeof OWN - 1) != 0);
}

/* What searches find, in *all; none of it is hsmux's own. */
static CK_ULONG list(const struct app *app, CK_SESSION_HANDLE s, CK_ATTRIBUTE *by, CK_ULONG count,
		     CK_OBJECT_HANDLE all[GUESSES])
{
	CK_ULONG n = 0;

	OK(app->f->C_FindObjectsInit(s, by, count));
	OK(app->f->C_FindObjects(s, all, GUESSES, &n));
	OK(app->f->C_FindObjectsFinal(s));
	for (CK_ULONG i = 0; i < n; i++)
		has_no_own_label(app, s, all[i]);
	return n;
}

/* Searches for the KEK by all that is known of it, and by a part of that. */
static void find_kek(const struct app *app, CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	char label[] = "hsmux-kek";
	CK_ATTRIBUTE by[] = {{CKA_LABEL, label, sizeof label - 1},
			     {CKA_TRUSTED, &yes, 1},
			     {CKA_EXTRACTABLE, &no, 1},
			     {CKA_CLASS, &class, sizeof class},
			     {CKA_KEY_TYPE, &type, sizeof type},
			     {CKA_PRIVATE, &no, 1},
			     {CKA_ENCRYPT, &no, 1},
			     {CKA_WRAP, &yes, 1}};
	static CK_OBJECT_HANDLE all[GUESSES];

	CHECK(attack_find(app, s, by, 1, NULL) == 0);
	for (size_t i = 0; i < sizeof by / sizeof *by; i++)
		for (size_t n = 1; n <= sizeof by / sizeof *by - i; n++)
			(void)list(app, s, by + i, n, all);
}

/* A handle that nobody gave does nothing. */
static void guess(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
		  CK_OBJECT_HANDLE h)
{
	unsigned char iv[16] = {0}, out[256] = {0};
	CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0}, cbc = {CKM_AES_CBC_PAD, iv, sizeof iv};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
	CK_OBJECT_HANDLE made = 0;
	CK_ULONG len = sizeof out;

	CHECK(app->f->C_WrapKey(s, &wrap, h, key, out, &len) != CKR_OK);
	CHECK(app->f->C_WrapKey(s, &wrap, key, h, out, &len) != CKR_OK);
	CHECK(app->f->C_UnwrapKey(s, &wrap, h, out, 40, &a, 1, &made) != CKR_OK);
	CHECK(app->f->C_EncryptInit(s, &cbc, h) != CKR_OK);
	CHECK(app->f->C_DecryptInit(s, &cbc, h) != CKR_OK);
	CHECK(app->f->C_CopyObject(s, h, NULL, 0, &made) != CKR_OK);
	CHECK(app->f->C_GetAttributeValue(s, h, &a, 1) != CKR_OK);
	CHECK(app->f->C_DestroyObject(s, h) != CKR_OK);
}

static void guess_all(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	static CK_OBJECT_HANDLE all[GUESSES];
	const CK_ULONG n = list(app, s, NULL, 0, all);

	for (CK_OBJECT_HANDLE life = 0; life < LIVES; life++)
		for (CK_OBJECT_HANDLE i = 0; i < GUESSES; i++) {
			const CK_OBJECT_HANDLE h = life << LIFE_BITS | i;
			bool is_given = h == key;

			for (CK_ULONG k = 0; k < n; k++)
				is_given = is_given || all[k] == h;
			if (!is_given)
				guess(app, s, key, h);
		}
}

/* Every call that gives an object a name refuses this one; `key`: a key of the attacker. */
static void name_it(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
		    CK_OBJECT_CLASS class, const char *text)
{
	CK_MECHANISM aes = {CKM_AES_KEY_GEN, NULL, 0}, wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_KEY_TYPE type = CKK_AES;
	CK_ULONG len = sizeof value, wrapped_len = 64;
	unsigned char wrapped[64] = {0};
	CK_ATTRIBUTE name = {CKA_LABEL, (char *)(size_t)text, strlen(text)};
	CK_OBJECT_HANDLE made = 0;

	for (unsigned token = 0; token < 2; token++) {
		CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
				       {CKA_TOKEN, token ? &yes : &no, 1},
				       name,
				       {CKA_VALUE, value, sizeof value},
				       {CKA_KEY_TYPE, &type, sizeof type}};
		CK_ATTRIBUTE wide[] = {{CKA_TOKEN, token ? &yes : &no, 1},
				       {CKA_UNWRAP, &yes, 1},
				       {CKA_VALUE_LEN, &len, sizeof len},
				       {CKA_UNWRAP_TEMPLATE, &name, sizeof name}};
		CK_ATTRIBUTE twice[] = {{CKA_LABEL, value, 4},
					name,
					{CKA_TOKEN, tmpl[1].pValue, 1},
					{CKA_VALUE_LEN, &len, sizeof len}};

		CHECK(app->f->C_CreateObject(s, tmpl, class == CKO_DATA ? 4 : 5, &made) != CKR_OK);
		CHECK(app->f->C_GenerateKey(s, &aes, wide, 4, &made) != CKR_OK);
		CHECK(app->f->C_GenerateKey(s, &aes, twice, 4, &made) != CKR_OK);
		CHECK(app->f->C_CopyObject(s, key, tmpl + 1, 2, &made) != CKR_OK);
		OK(app->f->C_WrapKey(s, &wrap, key, key, wrapped, &wrapped_len));
		CHECK(app->f->C_UnwrapKey(s, &wrap, key, wrapped, wrapped_len, tmpl, 3, &made) !=
		      CKR_OK);
	}
	CHECK(app->f->C_SetAttributeValue(s, key, &name, 1) != CKR_OK);
}

void attack_kek(struct app *app, const char *label)
{
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	find_kek(app, s);
	key = attack_make(app, s, ATTACK_AES, true, 'k');
	guess_all(app, s, key);
	name_it(app, s, key, CKO_SECRET_KEY, "hsmux-kek");
	find_kek(app, s);
	OK(app->f->C_DestroyObject(s, key));
	/* It is what it was: keys are still carried by it. */
	key = attack_make(app, s, ATTACK_EC, false, 'k');
	attack_fails(app, s, key, "beside its KEK");
	OK(app->f->C_DestroyObject(s, key));
	OK(app->f->C_Finalize(NULL));
}

/* What is known of a key, and what is being made, cannot be seen nor forged. */
void attack_names(struct app *app, const char *label)
{
	CK_OBJECT_CLASS data = CKO_DATA;
	char name[] = "hsmux";
	CK_ATTRIBUTE records[] = {{CKA_CLASS, &data, sizeof data},
				  {CKA_APPLICATION, name, sizeof name - 1}};
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	key = attack_make(app, s, ATTACK_AES, true, 'n'); /* this one has a record */
	CHECK(attack_find(app, s, records, 1, NULL) == 0);
	CHECK(attack_find(app, s, records, 2, NULL) == 0);
	CHECK(attack_find(app, s, records + 1, 1, NULL) == 0);
	guess_all(app, s, key);
	name_it(app, s, key, CKO_DATA, "hsmux-k-0123456789abcdef01234567");
	name_it(app, s, key, CKO_DATA, "hsmux-pending-0123456789abcdef01");
	name_it(app, s, key, CKO_SECRET_KEY, "hsmux-canary");
	OK(app->f->C_DestroyObject(s, key));
	OK(app->f->C_Finalize(NULL));
}

/* A key that is no private object is seen without a login. */
void attack_public(struct app *app, const char *label)
{
	CK_MECHANISM by = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG len = 32;
	char name[] = "seen by all";
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, name, sizeof name - 1},
			       {CKA_TOKEN, &yes, 1},
			       {CKA_PRIVATE, &no, 1},
			       {CKA_SENSITIVE, &yes, 1},
			       {CKA_EXTRACTABLE, &no, 1},
			       {CKA_ENCRYPT, &yes, 1},
			       {CKA_VALUE_LEN, &len, sizeof len}};
	CK_ATTRIBUTE flip = {CKA_EXTRACTABLE, &yes, 1};
	CK_OBJECT_HANDLE hidden, shown = 0, found, copy = 0;
	CK_SESSION_HANDLE s;
	CK_RV rv;

	app_init(app);
	s = app_enter(app, label);
	hidden = attack_make(app, s, ATTACK_AES, false, 'h');
	OK(app->f->C_GenerateKey(s, &by, tmpl, 7, &shown));
	attack_fails(app, s, shown, "no private object");
	OK(app->f->C_Logout(s));
	attack_fails(app, s, hidden, "after the logout");
	attack_fails(app, s, shown, "no private object, after the logout");
	if (attack_find(app, s, tmpl, 1, &found)) {
		attack_fails(app, s, found, "found without a login");
		(void)app->f->C_SetAttributeValue(s, found, &flip, 1);
		attack_fails(app, s, found, "changed without a login");
		rv = app->f->C_CopyObject(s, found, &flip, 1, &copy);
		attack_gave(app, s, rv, copy, "copied without a login");
	}
	OK(app->f->C_Finalize(NULL));
	app_init(app); /* nothing is known of it */
	s = app_open(app, label);
	find_kek(app, s);
	if (attack_find(app, s, tmpl, 1, &found))
		attack_fails(app, s, found, "found in a new process without a login");
	OK(app->f->C_Finalize(NULL));
}

/* The security officer can mark a key as trusted: the attacker's own. */
void attack_so(struct app *app, const char *label)
{
	unsigned char pin[] = APP_PIN, so_pin[] = "76543210";
	char name[] = "own and trusted";
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, name, sizeof name - 1},
			       {CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &yes, 1},
			       {CKA_PRIVATE, &no, 1},
			       {CKA_VALUE, value, sizeof value},
			       {CKA_WRAP, &yes, 1},
			       {CKA_TRUSTED, &yes, 1}};
	unsigned char out[128];
	CK_MECHANISM by = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_ULONG len = sizeof out;
	CK_OBJECT_HANDLE own = 0, key;
	CK_SESSION_HANDLE s;
	CK_RV rv;

	app_init(app);
	s = app_open(app, label);
	rv = app->f->C_Login(s, CKU_SO, so_pin, sizeof so_pin - 1);
	fprintf(stderr, "the security officer: 0x%lx\n", rv);
	if (rv == CKR_OK) {
		rv = app->f->C_CreateObject(s, tmpl, 8, &own);
		fprintf(stderr, "a trusted key: 0x%lx\n", rv);
		find_kek(app, s);
		OK(app->f->C_Logout(s));
	}
	OK(app->f->C_Login(s, CKU_USER, pin, sizeof pin - 1));
	key = attack_make(app, s, ATTACK_AES, false, 'o');
	if (attack_find(app, s, tmpl, 1, &own))
		CHECK(app->f->C_WrapKey(s, &by, own, key, out, &len) != CKR_OK);
	OK(app->f->C_DestroyObject(s, key));
	OK(app->f->C_Finalize(NULL));
}

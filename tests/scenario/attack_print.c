/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks on how a key is told from others: what may be done with a key is kept beside it, found by
 * what it is, and the attacker makes it look like a key of his own, or one of his own like it. And
 * keys that were there before, or were retired. */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/attack.h"

/* More objects of one name than members have. */
#define MARKED_MAX 8

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* What has that class and mark: not one object when members were made to disagree about it. */
static CK_ULONG marked(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class,
		       unsigned char mark, CK_OBJECT_HANDLE all[MARKED_MAX])
{
	unsigned char label[] = {'k', mark};
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, sizeof label}};
	CK_ULONG n = 0;

	OK(app->f->C_FindObjectsInit(s, tmpl, 2));
	OK(app->f->C_FindObjects(s, all, MARKED_MAX, &n));
	OK(app->f->C_FindObjectsFinal(s));
	CHECK(n > 0);
	return n;
}

static CK_OBJECT_HANDLE only(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class,
			     unsigned char mark)
{
	CK_OBJECT_HANDLE all[MARKED_MAX];

	CHECK(marked(app, s, class, mark, all) == 1);
	return all[0];
}

static void all_fail(const struct app *app, CK_SESSION_HANDLE s, unsigned char mark,
		     const char *how)
{
	CK_OBJECT_HANDLE all[MARKED_MAX];
	const CK_ULONG n = marked(app, s, CKO_PRIVATE_KEY, mark, all);

	for (CK_ULONG i = 0; i < n; i++)
		attack_fails(app, s, all[i], how);
}

/* As another process, that has seen nothing yet. */
static CK_SESSION_HANDLE anew(const struct app *app, const char *label)
{
	OK(app->f->C_Finalize(NULL));
	app_init(app);
	return app_enter(app, label);
}

/* The attacker's public key takes the place of the victim's, beside the victim's private key. */
static void swap_one(const struct app *app, const char *label, enum attack_kind kind)
{
	/* Labels of their own: what is left of it are two objects of one name. */
	const unsigned char victim = kind == ATTACK_EC ? 'v' : 'w',
			    mine = kind == ATTACK_EC ? 'x' : 'z';
	unsigned char id[16];
	CK_ATTRIBUTE name = {CKA_ID, id, sizeof id};
	CK_SESSION_HANDLE s = app_enter(app, label);
	CK_OBJECT_HANDLE own = attack_make(app, s, kind, true, mine);
	CK_OBJECT_HANDLE key = attack_make(app, s, kind, false, victim);

	CHECK(attack_take(app, s, own) != NULL);
	OK(app->f->C_GetAttributeValue(s, key, &name, 1));
	OK(app->f->C_DestroyObject(s, only(app, s, CKO_PUBLIC_KEY, victim)));
	OK(app->f->C_SetAttributeValue(s, only(app, s, CKO_PUBLIC_KEY, mine), &name, 1));
	attack_fails(app, s, key, "beside another's public key");
	s = anew(app, label);
	all_fail(app, s, victim, "beside another's public key, in a new process");
}

void attack_swap(struct app *app, const char *label)
{
	app_init(app);
	swap_one(app, label, ATTACK_EC);
	swap_one(app, label, ATTACK_RSA);
	OK(app->f->C_Finalize(NULL));
}

/* A private key that says that it is the victim, and may leave. */
void attack_forge(struct app *app, const char *label)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	unsigned char modulus[256], junk[256], exponent[] = {1, 0, 1}, name[] = "forged";
	CK_ATTRIBUTE seen = {CKA_MODULUS, modulus, sizeof modulus};
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &yes, 1},
			       {CKA_PRIVATE, &yes, 1},
			       {CKA_SENSITIVE, &yes, 1},
			       {CKA_EXTRACTABLE, &yes, 1},
			       {CKA_SIGN, &yes, 1},
			       {CKA_LABEL, name, sizeof name - 1},
			       {CKA_ID, name, sizeof name - 1},
			       {CKA_MODULUS, modulus, sizeof modulus},
			       {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
			       {CKA_PRIVATE_EXPONENT, junk, sizeof junk},
			       {CKA_PRIME_1, junk, 128},
			       {CKA_PRIME_2, junk, 128},
			       {CKA_EXPONENT_1, junk, 128},
			       {CKA_EXPONENT_2, junk, 128},
			       {CKA_COEFFICIENT, junk, 128}};
	CK_OBJECT_HANDLE key, forged = 0;
	CK_SESSION_HANDLE s;
	CK_RV rv;

	app_init(app);
	s = app_enter(app, label);
	key = attack_make(app, s, ATTACK_RSA, false, 'f');
	OK(app->f->C_GetAttributeValue(s, key, &seen, 1));
	memset(junk, 0x55, sizeof junk);
	rv = app->f->C_CreateObject(s, tmpl, sizeof tmpl / sizeof *tmpl, &forged);
	fprintf(stderr, "the forged key: 0x%lx\n", rv);
	attack_fails(app, s, key, "beside a forged key");
	s = anew(app, label);
	all_fail(app, s, 'f', "beside a forged key, in a new process");
	OK(app->f->C_Finalize(NULL));
}

/* Keys that came onto the members by other means: what is shown as not extractable is not. */
void attack_brought(struct app *app, const char *label)
{
	char name[] = "brought";
	CK_ATTRIBUTE by = {CKA_LABEL, name, sizeof name - 1};
	CK_OBJECT_HANDLE all[16];
	CK_SESSION_HANDLE s;
	CK_ULONG n = 0;

	app_init(app);
	s = app_enter(app, label);
	OK(app->f->C_FindObjectsInit(s, &by, 1));
	OK(app->f->C_FindObjects(s, all, 16, &n));
	OK(app->f->C_FindObjectsFinal(s));
	CHECK(n > 0);
	for (CK_ULONG i = 0; i < n; i++) {
		CK_OBJECT_CLASS class = 0;
		CK_BBOOL leaves = CK_TRUE;
		CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
		CK_ATTRIBUTE shown = {CKA_EXTRACTABLE, &leaves, sizeof leaves};

		OK(app->f->C_GetAttributeValue(s, all[i], &a, 1));
		if (class != CKO_SECRET_KEY && class != CKO_PRIVATE_KEY)
			continue;
		OK(app->f->C_GetAttributeValue(s, all[i], &shown, 1));
		CHECK(leaves == CK_FALSE);
		attack_fails(app, s, all[i], "brought by other means");
	}
	OK(app->f->C_Finalize(NULL));
}

/* Keys that stay from one run to the next, whatever happens to members meanwhile. */
void attack_open(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned char kind = 0; kind < ATTACK_KINDS; kind++) {
		unsigned char name[] = {'k', (unsigned char)('1' + kind)};
		CK_OBJECT_CLASS class = kind < ATTACK_EC ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;
		CK_ATTRIBUTE by[] = {{CKA_LABEL, name, sizeof name},
				     {CKA_CLASS, &class, sizeof class}};
		CK_OBJECT_HANDLE key;

		if (attack_find(app, s, by, 2, &key) == 0)
			key = attack_make(app, s, kind, false, name[1]);
		attack_fails(app, s, key, "with members coming and going");
	}
	OK(app->f->C_Finalize(NULL));
}

/* A key that others have written about: it is there, works, and stays. */
void attack_victim(struct app *app, const char *label)
{
	char name[] = "victim";
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE by[] = {{CKA_LABEL, name, sizeof name - 1}, {CKA_CLASS, &class, sizeof class}};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	unsigned char hash[32] = {0}, out[64];
	CK_ULONG len = sizeof out;
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	CHECK(attack_find(app, s, by, 2, &key) == 1);
	OK(app->f->C_SignInit(s, &ecdsa, key));
	OK(app->f->C_Sign(s, hash, sizeof hash, out, &len));
	attack_fails(app, s, key, "written about by others");
	OK(app->f->C_Finalize(NULL));
}

/* Two objects with the same key; one is destroyed while a member is away: the other stays, and so
 * does what is kept beside it. */
static void twins_of(const struct app *app, const char *label, bool is_exportable)
{
	const unsigned char mark = is_exportable ? 'U' : 'T';
	unsigned char name[] = {'k', mark}, copy_name[] = {'k', 't', mark}, id[] = {'t', mark};
	CK_ATTRIBUTE by = {CKA_LABEL, name, sizeof name};
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, copy_name, sizeof copy_name},
			       {CKA_TOKEN, &yes, 1},
			       {CKA_ID, id, sizeof id}};
	CK_OBJECT_HANDLE key, copy = 0;
	CK_SESSION_HANDLE s = app_enter(app, label);

	if (attack_find(app, s, &by, 1, &key) == 0) {
		key = attack_make(app, s, ATTACK_AES, is_exportable, mark);
		OK(app->f->C_CopyObject(s, key, tmpl, 3, &copy));
	} else if (attack_find(app, s, tmpl, 1, &copy) == 1) {
		OK(app->f->C_DestroyObject(s, copy));
	}
	CHECK(attack_find(app, s, &by, 1, &key) == 1);
	if (is_exportable)
		CHECK(attack_take(app, s, key) != NULL);
	else
		attack_fails(app, s, key, "one of two");
}

void attack_twins(struct app *app, const char *label)
{
	app_init(app);
	twins_of(app, label, false);
	twins_of(app, label, true);
	OK(app->f->C_Finalize(NULL));
}

/* The new uses are refused, the old ones are not. */
static void uses(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	unsigned char text[16] = "0123456789abcde";
	CK_KEY_DERIVATION_STRING_DATA data = {text, sizeof text};
	unsigned char iv[16] = {0}, out[64] = {0};
	CK_MECHANISM cbc = {CKM_AES_CBC, iv, sizeof iv}, wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_MECHANISM cmac = {CKM_AES_CMAC, NULL, 0};
	CK_MECHANISM derive = {CKM_AES_ECB_ENCRYPT_DATA, &data, sizeof data};
	CK_ATTRIBUTE session = {CKA_TOKEN, &no, 1};
	CK_ATTRIBUTE copy[] = {{CKA_TOKEN, &no, 1}, {CKA_ENCRYPT, &yes, 1}};
	CK_OBJECT_HANDLE own = attack_wrapper(app, s), made = 0;
	CK_ULONG len = sizeof out;

	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, app->f->C_EncryptInit(s, &cbc, key));
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, app->f->C_SignInit(s, &cmac, key));
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED, app->f->C_WrapKey(s, &wrap, key, own, out, &len));
	EXPECT(CKR_KEY_FUNCTION_NOT_PERMITTED,
	       app->f->C_DeriveKey(s, &derive, key, &session, 1, &made));
	EXPECT(CKR_ACTION_PROHIBITED, app->f->C_CopyObject(s, key, copy, 2, &made));
	OK(app->f->C_DecryptInit(s, &cbc, key));
	len = sizeof out;
	OK(app->f->C_Decrypt(s, out, 32, out, &len));
	OK(app->f->C_DestroyObject(s, own));
}

static void end_twin(const struct app *app, CK_SESSION_HANDLE s)
{
	char name[] = "its twin";
	CK_ATTRIBUTE by = {CKA_LABEL, name, sizeof name - 1};
	CK_OBJECT_HANDLE key;

	if (attack_find(app, s, &by, 1, &key) == 0)
		return;
	uses(app, s, key);
	OK(app->f->C_DestroyObject(s, key));
}

/* Before it is retired: a second object of the key. */
void attack_copied(struct app *app, const char *label)
{
	char name[] = "retired", copy_name[] = "its twin";
	CK_ATTRIBUTE by = {CKA_LABEL, name, sizeof name - 1};
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, copy_name, sizeof copy_name - 1}, {CKA_TOKEN, &yes, 1}};
	CK_OBJECT_HANDLE key, copy = 0;
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	CHECK(attack_find(app, s, &by, 1, &key) == 1);
	OK(app->f->C_CopyObject(s, key, tmpl, 2, &copy));
	OK(app->f->C_Finalize(NULL));
}

/* It is no way around that it has a second object, nor that this one goes. */
void attack_retired(struct app *app, const char *label)
{
	char name[] = "retired";
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE by[] = {{CKA_LABEL, name, sizeof name - 1}, {CKA_CLASS, &class, sizeof class}};
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	end_twin(app, s);
	CHECK(attack_find(app, s, by, 2, &key) >= 1);
	uses(app, s, key);
	s = anew(app, label);
	CHECK(attack_find(app, s, by, 2, &key) >= 1);
	uses(app, s, key);
	OK(app->f->C_Finalize(NULL));
}

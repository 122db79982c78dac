/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by a second object of the same key: what may be done with a key is kept beside it under
 * what it is, so that a twin which may do more, or that goes, could speak for the first. Twins come
 * of copies of copies, derivations that change nothing, and one wrapped key unwrapped twice. */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/attack.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* As another process, that has seen nothing yet: the object of that mark. */
static CK_OBJECT_HANDLE anew(const struct app *app, const char *label, CK_OBJECT_CLASS class,
			     unsigned char mark, CK_SESSION_HANDLE *s)
{
	unsigned char name[] = {'k', mark};
	CK_ATTRIBUTE by[] = {{CKA_LABEL, name, sizeof name}, {CKA_CLASS, &class, sizeof class}};
	CK_OBJECT_HANDLE key;

	OK(app->f->C_Finalize(NULL));
	app_init(app);
	*s = app_enter(app, label);
	CHECK(attack_find(app, *s, by, 2, &key) == 1);
	return key;
}

static CK_OBJECT_CLASS class_of(unsigned kind)
{
	return kind < ATTACK_EC ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;
}

/* Of a copy that is no token object a token object, which says what it may do, or nothing. */
static void copies_of(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE copy,
		      const char *how)
{
	unsigned char name[] = "again";
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, 1},
			       {CKA_ID, name, sizeof name - 1},
			       {CKA_LABEL, name, sizeof name - 1},
			       {CKA_EXTRACTABLE, &yes, 1},
			       {CKA_SENSITIVE, &no, 1}};

	for (CK_ULONG n = 3; n <= 5; n++) {
		CK_OBJECT_HANDLE again = 0;
		CK_RV rv;

		OK(app->f->C_GenerateRandom(s, name, sizeof name - 1));
		rv = app->f->C_CopyObject(s, copy, tmpl, n, &again);
		fprintf(stderr, "%s: %lu attributes: 0x%lx\n", how, n, rv);
		if (rv == CKR_OK)
			attack_fails(app, s, again, how);
	}
}

/* A copy of a copy says nothing for the first. */
void attack_chain(struct app *app, const char *label)
{
	CK_KEY_DERIVATION_STRING_DATA nothing = {NULL, 0};
	CK_MECHANISM whole = {CKM_CONCATENATE_BASE_AND_DATA, &nothing, sizeof nothing};
	CK_ATTRIBUTE session[] = {{CKA_TOKEN, &no, 1}, {CKA_ENCRYPT, &yes, 1}};
	CK_ATTRIBUTE strict[] = {{CKA_TOKEN, &no, 1},
				 {CKA_EXTRACTABLE, &no, 1},
				 {CKA_SENSITIVE, &yes, 1},
				 {CKA_SIGN, &yes, 1}};
	CK_SESSION_HANDLE s;

	app_init(app);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind++) {
		const unsigned char mark = (unsigned char)('C' + kind);
		CK_OBJECT_HANDLE key, copy = 0;

		s = app_enter(app, label);
		session[1].type = kind < ATTACK_EC ? CKA_SIGN : CKA_PRIVATE;
		key = attack_make(app, s, kind, false, mark);
		if (app->f->C_CopyObject(s, key, session, 2, &copy) == CKR_OK)
			copies_of(app, s, copy, "a copy of a copy");
		if (kind < ATTACK_EC &&
		    app->f->C_DeriveKey(s, &whole, key, strict, 4, &copy) == CKR_OK)
			copies_of(app, s, copy, "a copy of what was derived");
		attack_fails(app, s, key, "copied over a session object");
		key = anew(app, label, class_of(kind), mark, &s);
		attack_fails(app, s, key, "copied over a session object, in a new process");
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

static CK_BBOOL shown(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
		      CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = 2;
	CK_ATTRIBUTE a = {type, &value, sizeof value};

	OK(app->f->C_GetAttributeValue(s, key, &a, 1));
	return value;
}

/* A copy of a key that may leave, which may not: it stays, and the first may still leave, also when
 * the copy is gone. */
void attack_stricter(struct app *app, const char *label)
{
	unsigned char name[] = {'k', 'j'}, id[8];
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, name, sizeof name},
			       {CKA_ID, id, sizeof id},
			       {CKA_TOKEN, &yes, 1},
			       {CKA_EXTRACTABLE, &no, 1}};
	CK_SESSION_HANDLE s;

	app_init(app);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind += 2) {
		CK_OBJECT_HANDLE key, copy = 0;

		s = app_enter(app, label);
		key = attack_make(app, s, kind, true, 'J');
		OK(app->f->C_GenerateRandom(s, id, sizeof id));
		OK(app->f->C_CopyObject(s, key, tmpl, 4, &copy));
		CHECK(shown(app, s, copy, CKA_EXTRACTABLE) == CK_FALSE);
		attack_fails(app, s, copy, "a copy that is to stay");
		CHECK(attack_take(app, s, key) != NULL);
		copy = anew(app, label, class_of(kind), 'j', &s);
		CHECK(shown(app, s, copy, CKA_EXTRACTABLE) == CK_FALSE);
		attack_fails(app, s, copy, "a copy that is to stay, in a new process");
		OK(app->f->C_DestroyObject(s, copy));
		key = anew(app, label, class_of(kind), 'J', &s);
		CHECK(attack_take(app, s, key) != NULL);
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

/* A copy that may be changed and destroyed does not make the first so. */
void attack_looser(struct app *app, const char *label)
{
	CK_MECHANISM by = {CKM_AES_KEY_GEN, NULL, 0};
	unsigned char name[] = {'k', 'L'}, other[] = {'k', 'l'}, id[8];
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, name, sizeof name}, {CKA_TOKEN, &yes, 1},
			       {CKA_ENCRYPT, &yes, 1},         {CKA_VALUE_LEN, &len, sizeof len},
			       {CKA_EXTRACTABLE, &yes, 1},     {CKA_MODIFIABLE, &no, 1},
			       {CKA_DESTROYABLE, &no, 1}};
	CK_ATTRIBUTE loose[] = {{CKA_LABEL, other, sizeof other},
				{CKA_ID, id, sizeof id},
				{CKA_TOKEN, &yes, 1},
				{CKA_MODIFIABLE, &yes, 1},
				{CKA_DESTROYABLE, &yes, 1}};
	CK_OBJECT_HANDLE key = 0, copy = 0;
	CK_SESSION_HANDLE s;
	CK_RV rv;

	app_init(app);
	s = app_enter(app, label);
	OK(app->f->C_GenerateRandom(s, id, sizeof id));
	OK(app->f->C_GenerateKey(s, &by, tmpl, 7, &key));
	rv = app->f->C_CopyObject(s, key, loose, 5, &copy);
	fprintf(stderr, "a looser copy: 0x%lx\n", rv);
	CHECK(app->f->C_SetAttributeValue(s, key, loose, 1) != CKR_OK);
	key = anew(app, label, CKO_SECRET_KEY, 'L', &s);
	CHECK(app->f->C_SetAttributeValue(s, key, loose, 1) != CKR_OK);
	CHECK(app->f->C_DestroyObject(s, key) != CKR_OK);
	if (rv == CKR_OK) {
		copy = anew(app, label, CKO_SECRET_KEY, 'l', &s);
		fprintf(stderr, "the copy ends: 0x%lx\n", app->f->C_DestroyObject(s, copy));
		key = anew(app, label, CKO_SECRET_KEY, 'L', &s);
		CHECK(app->f->C_SetAttributeValue(s, key, loose, 1) != CKR_OK);
		CHECK(app->f->C_DestroyObject(s, key) != CKR_OK);
	}
	OK(app->f->C_Finalize(NULL));
}

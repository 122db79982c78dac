/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys for several tokens, before hsmux is in play:
 *
 *   keys make FOLDER                              a new set of keys as files
 *   keys import LIBRARY INIT_ARGS LABEL FOLDER    the set on a token, by its own module; INIT_ARGS
 *                                                 may be empty
 *   keys destroy LIBRARY INIT_ARGS LABEL NAME     all objects with this label on it
 *   keys count LIBRARY INIT_ARGS LABEL PREFIX     says how many objects have a label that begins so
 *
 * KEYS_PIN in the environment is the user's PIN. */
#include "tests/scenario/failover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_SESSION_HANDLE enter(struct app *app, char **argv)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK,
				     .pReserved = *argv[3] ? argv[3] : NULL};

	const char *pin = getenv("KEYS_PIN");
	unsigned char copy[64];
	CK_SESSION_HANDLE session;

	CHECK(pin != NULL && strlen(pin) <= sizeof(copy));
	memcpy(copy, pin, strlen(pin));
	app_load(app, argv[2]);
	OK(app->f->C_Initialize(&args));
	session = app_open(app, argv[4]);
	OK(app->f->C_Login(session, CKU_USER, copy, strlen(pin)));
	return session;
}

static void destroy(const struct app *app, CK_SESSION_HANDLE session, char *name)
{
	CK_ATTRIBUTE label = {CKA_LABEL, name, strlen(name)};
	CK_OBJECT_HANDLE found[8];
	CK_ULONG count = 0;

	OK(app->f->C_FindObjectsInit(session, &label, 1));
	OK(app->f->C_FindObjects(session, found, 8, &count));
	OK(app->f->C_FindObjectsFinal(session));
	CHECK(count > 0);
	for (CK_ULONG i = 0; i < count; i++)
		OK(app->f->C_DestroyObject(session, found[i]));
}

static bool begins(const struct app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
		   const char *prefix)
{
	char label[256];
	CK_ATTRIBUTE a = {CKA_LABEL, label, sizeof(label)};

	return app->f->C_GetAttributeValue(session, object, &a, 1) == CKR_OK &&
	       a.ulValueLen >= strlen(prefix) && memcmp(label, prefix, strlen(prefix)) == 0;
}

static void count_them(const struct app *app, CK_SESSION_HANDLE session, const char *prefix)
{
	CK_OBJECT_HANDLE object;
	CK_ULONG more = 1, count = 0;

	OK(app->f->C_FindObjectsInit(session, NULL, 0));
	while (more > 0) {
		OK(app->f->C_FindObjects(session, &object, 1, &more));
		if (more > 0 && begins(app, session, object, prefix))
			count++;
	}
	OK(app->f->C_FindObjectsFinal(session));
	printf("%lu\n", count);
}

int main(int argc, char **argv)
{
	static struct material m;
	struct app app;
	CK_SESSION_HANDLE session;

	if (argc == 3 && strcmp(argv[1], "make") == 0) {
		material_make(argv[2]);
		return 0;
	}
	if (argc != 6) {
		fprintf(stderr, "usage: keys make FOLDER | keys import|destroy|count LIBRARY "
				"INIT_ARGS LABEL FOLDER|NAME\n");
		return 2;
	}
	session = enter(&app, argv);
	if (strcmp(argv[1], "import") == 0) {
		material_read(&m, argv[5]);
		material_import(&app, session, &m);
	} else if (strcmp(argv[1], "count") == 0) {
		count_them(&app, session, argv[5]);
	} else {
		destroy(&app, session, argv[5]);
	}
	OK(app.f->C_Finalize(NULL));
	return 0;
}

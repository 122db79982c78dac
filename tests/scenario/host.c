/* SPDX-License-Identifier: BSD-2-Clause */
/* A host application that uses a member's library by itself, beside hsmux in the same process: two
 * users of one Cryptoki instance, of which the one may finalise it under the other. LABEL names
 * both the virtual token and the real one; HSMUX_TEST_LIBRARY is the library. */
#include "tests/scenario/app.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 20

static void load_library(struct app *host)
{
	const char *library = getenv("HSMUX_TEST_LIBRARY");

	CHECK(library != NULL);
	app_load(host, library);
}

static void use(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = app_enter(app, label);

	app_have_key(app, session, &key);
	app_sign(app, session, &key);
	OK(app->f->C_CloseSession(session));
}

/* The host came first, so the instance is the host's: hsmux leaves it initialised. */
static void host_first(struct app *app, const char *label)
{
	struct app host;
	struct app_key key;
	CK_SESSION_HANDLE session;

	load_library(&host);
	app_init(&host);
	session = app_enter(&host, label);
	app_have_key(&host, session, &key);
	app_init(app);
	use(app, label);
	app_sign(&host, session, &key);
	OK(app->f->C_Finalize(NULL));
	app_sign(&host, session, &key);
	OK(host.f->C_Finalize(NULL));
}

/* Whether the token can be used; nothing here has to succeed. */
static bool works(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session;
	unsigned char pin[] = APP_PIN;
	unsigned char random[8];
	CK_RV rv;

	if (!app_sees(app, label, true))
		return false;
	rv = app->f->C_OpenSession(app_slot(app, label), CKF_SERIAL_SESSION, NULL, NULL, &session);
	if (rv != CKR_OK)
		return false;
	rv = app->f->C_Login(session, CKU_USER, pin, sizeof(pin) - 1);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		rv = app->f->C_GenerateRandom(session, random, sizeof(random));
	(void)app->f->C_CloseSession(session); /* may be lost with the instance */
	return rv == CKR_OK;
}

/* The host finalises the instance under hsmux, which must come back by itself. */
static void host_finalizes(struct app *app, const char *label)
{
	struct app host;
	struct app_key key;
	struct app_signature signature;
	CK_SESSION_HANDLE session;
	time_t end = time(NULL) + LIMIT_S;

	load_library(&host);
	app_init(&host);
	app_init(app);
	session = app_enter(app, label);
	app_have_key(app, session, &key);
	app_sign(app, session, &key);
	OK(host.f->C_Finalize(NULL));
	(void)app_try_sign(app, session, &key, &signature); /* any answer; it must not crash */
	(void)app->f->C_CloseAllSessions(app_slot(app, label));
	while (!works(app, label) && time(NULL) < end)
		(void)usleep(50000);
	use(app, label);
	OK(app->f->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"host_first", host_first},
		{"host_finalizes", host_finalizes},
	};

	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

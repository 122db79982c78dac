/* SPDX-License-Identifier: BSD-2-Clause */
/* One application that lives through what happens to its tokens: MODULE STEP ARGUMENT... as a list.
 * The script that calls it says what happens in between, with `run`.
 *
 *   count N          N slots have a token
 *   slots N          N slots in all
 *   sees LABEL       the token is present          misses LABEL    it is not
 *   returns LABEL    it is present within LIMIT_S
 *   sign LABEL       a new session signs with a token key; verified
 *   fails LABEL      the same does not work (in whatever way), and nothing crashes
 *   signs-again L    the same works within LIMIT_S
 *   hold LABEL       opens a session and finds a key, kept for `held`
 *   held LABEL       signs in the session that was kept
 *   run COMMAND      a shell command that has to succeed
 *   stop X           C_Finalize                    start X         C_Initialize */
#include "tests/scenario/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 20

/* The session of `hold`. */
static CK_SESSION_HANDLE held_session;
static struct app_key held_key;

/* One kind of step. */
struct step {
	const char *name;
	void (*run)(struct app *app, const char *argument);
};

/* Signs in a fresh session; the first code that is not CKR_OK. The public key is found before. */
static CK_RV try_to_sign(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session;
	struct app_signature signature;
	unsigned char pin[] = APP_PIN;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
	struct app_key key = {0};
	CK_MECHANISM_INFO unused;
	CK_ULONG count = 0;
	CK_SLOT_ID slot;
	CK_RV rv;

	if (!app_sees(app, label, true))
		return CKR_TOKEN_NOT_PRESENT;
	slot = app_slot(app, label);
	rv = app->f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	if (rv != CKR_OK)
		return rv;
	rv = app->f->C_Login(session, CKU_USER, pin, sizeof(pin) - 1);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		rv = app->f->C_FindObjectsInit(session, &template, 1);
	if (rv == CKR_OK)
		rv = app->f->C_FindObjects(session, &key.private_key, 1, &count);
	(void)app->f->C_FindObjectsFinal(session); /* not active when the search failed */
	key.is_ec = app->f->C_GetMechanismInfo(slot, CKM_EC_KEY_PAIR_GEN, &unused) == CKR_OK;
	if (rv == CKR_OK)
		rv = count == 0 ? CKR_KEY_HANDLE_INVALID
				: app_try_sign(app, session, &key, &signature);
	(void)app->f->C_CloseSession(session); /* may be lost with its member */
	return rv;
}

static void step_sign(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = app_enter(app, label);

	app_have_key(app, session, &key);
	app_sign(app, session, &key);
	OK(app->f->C_CloseSession(session));
}

static void step_fails(struct app *app, const char *label)
{
	CHECK(try_to_sign(app, label) != CKR_OK);
}

static time_t deadline(void)
{
	return time(NULL) + LIMIT_S;
}

static void step_signs_again(struct app *app, const char *label)
{
	time_t end = deadline();
	CK_RV rv;

	while ((rv = try_to_sign(app, label)) != CKR_OK && time(NULL) < end)
		(void)usleep(50000);
	OK(rv);
	step_sign(app, label);
}

static void step_returns(struct app *app, const char *label)
{
	time_t end = deadline();

	while (!app_sees(app, label, true) && time(NULL) < end)
		(void)usleep(50000);
	CHECK(app_sees(app, label, true));
}

static void step_sees(struct app *app, const char *label)
{
	CHECK(app_sees(app, label, true));
}

static void step_misses(struct app *app, const char *label)
{
	CHECK(!app_sees(app, label, true));
}

static CK_ULONG slot_count(struct app *app, CK_BBOOL present)
{
	CK_ULONG count = 0;

	OK(app->f->C_GetSlotList(present, NULL, &count));
	return count;
}

static void step_count(struct app *app, const char *number)
{
	EXPECT(strtoul(number, NULL, 10), slot_count(app, CK_TRUE));
}

static void step_slots(struct app *app, const char *number)
{
	EXPECT(strtoul(number, NULL, 10), slot_count(app, CK_FALSE));
}

static void step_hold(struct app *app, const char *label)
{
	held_session = app_enter(app, label);
	app_have_key(app, held_session, &held_key);
	app_sign(app, held_session, &held_key);
}

static void step_held(struct app *app, const char *label)
{
	(void)label;
	app_sign(app, held_session, &held_key);
}

static void step_run(struct app *app, const char *command)
{
	(void)app;
	CHECK(system(command) == 0); /* a test's own command */
}

static void step_stop(struct app *app, const char *unused)
{
	(void)unused;
	OK(app->f->C_Finalize(NULL));
}

static void step_start(struct app *app, const char *unused)
{
	(void)unused;
	app_init(app);
}

static const struct step steps[] = {
	{"count", step_count},     {"slots", step_slots},
	{"sees", step_sees},       {"misses", step_misses},
	{"returns", step_returns}, {"sign", step_sign},
	{"fails", step_fails},     {"signs-again", step_signs_again},
	{"hold", step_hold},       {"held", step_held},
	{"run", step_run},         {"stop", step_stop},
	{"start", step_start},
};

static void run_step(struct app *app, const char *name, const char *argument)
{
	fprintf(stderr, "step: %s %s\n", name, argument);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].name, name) == 0) {
			steps[i].run(app, argument);
			return;
		}
	}
	fprintf(stderr, "no such step\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct app app;

	CHECK(argc >= 2 && argc % 2 == 0);
	app_load(&app, argv[1]);
	app_init(&app);
	for (int i = 2; i < argc; i += 2)
		run_step(&app, argv[i], argv[i + 1]);
	OK(app.f->C_Finalize(NULL));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Many threads: each with its own session as the standard wants it, all on one session as it does
 * not, and with the module finalised underneath. Wrong use may fail with any code; it must never
 * crash, hang or give a wrong signature. */
#include "tests/scenario/app.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS  40

/* What the threads of one case share. */
struct crowd {
	struct app *app;
	const char *label;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session; /* the shared one; holds the login */
	struct app_key key;
	_Atomic bool stop;
	_Atomic unsigned long done; /* successful signatures */
	_Atomic int tid;            /* of the last thread that started */
};

static void run_crowd(struct crowd *crowd, void *(*body)(void *), void (*meanwhile)(struct crowd *))
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, crowd) == 0);
	if (meanwhile != NULL)
		meanwhile(crowd);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void begin(struct crowd *crowd, struct app *app, const char *label)
{
	memset(crowd, 0, sizeof(*crowd));
	crowd->app = app;
	crowd->label = label;
	app_init(app);
	crowd->slot = app_slot(app, label);
	crowd->session = app_enter(app, label);
	app_have_key(app, crowd->session, &crowd->key);
}

static void *sign_alone(void *arg)
{
	struct crowd *crowd = arg;

	for (size_t i = 0; i < app_rounds(ROUNDS); i++) {
		CK_SESSION_HANDLE session = app_open(crowd->app, crowd->label);

		app_sign(crowd->app, session, &crowd->key);
		app_sign(crowd->app, session, &crowd->key);
		OK(crowd->app->f->C_CloseSession(session));
	}
	return NULL;
}

static void own_sessions(struct app *app, const char *label)
{
	struct crowd crowd;

	begin(&crowd, app, label);
	run_crowd(&crowd, sign_alone, NULL);
	OK(app->f->C_Finalize(NULL));
}

/* Everything that one session can do, in an order that depends on the thread's turn. */
static void misuse(struct crowd *crowd, unsigned turn)
{
	CK_FUNCTION_LIST *f = crowd->app->f;
	CK_MECHANISM digest = {CKM_SHA256, NULL, 0};
	struct app_signature signature;
	CK_OBJECT_HANDLE found[4];
	CK_ULONG count;
	unsigned char bytes[64] = {0};

	count = sizeof(bytes);
	switch (turn % 6) {
	case 0:
		(void)app_try_sign(crowd->app, crowd->session, &crowd->key, &signature);
		break;
	case 1:
		(void)f->C_DigestInit(crowd->session, &digest);
		(void)f->C_DigestUpdate(crowd->session, bytes, sizeof(bytes));
		break;
	case 2:
		(void)f->C_DigestFinal(crowd->session, bytes, &count);
		break;
	case 3:
		(void)f->C_FindObjectsInit(crowd->session, NULL, 0);
		break;
	case 4:
		(void)f->C_FindObjects(crowd->session, found, 4, &count);
		(void)f->C_FindObjectsFinal(crowd->session);
		break;
	default:
		(void)f->C_Sign(crowd->session, bytes, 32, bytes, &count);
		break;
	}
}

static void *misuse_session(void *arg)
{
	struct crowd *crowd = arg;
	unsigned turn = atomic_fetch_add(&crowd->done, 1) != 0 ? 3 : 0;

	for (size_t i = 0; i < app_rounds(ROUNDS * 5); i++)
		misuse(crowd, turn + (unsigned)i);
	return NULL;
}

/* The session may be in the middle of anything afterwards, another one works, and so does closing.
 */
static void one_session(struct app *app, const char *label)
{
	struct crowd crowd;
	CK_SESSION_HANDLE session;

	begin(&crowd, app, label);
	run_crowd(&crowd, misuse_session, NULL);
	session = app_open(app, label);
	app_sign(app, session, &crowd.key);
	OK(app->f->C_CloseSession(crowd.session));
	OK(app->f->C_Finalize(NULL));
}

/* One signature with a key that is found anew: handles of private keys end with the login. */
static CK_RV find_and_sign(struct crowd *crowd, CK_SESSION_HANDLE session)
{
	CK_FUNCTION_LIST *f = crowd->app->f;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
	struct app_key key = {.is_ec = crowd->key.is_ec};
	struct app_signature signature;
	CK_ULONG count = 0;
	CK_RV rv = f->C_FindObjectsInit(session, &template, 1);

	if (rv == CKR_OK)
		rv = f->C_FindObjects(session, &key.private_key, 1, &count);
	if (rv == CKR_OK)
		rv = f->C_FindObjectsFinal(session);
	if (rv != CKR_OK || count == 0)
		return rv;
	rv = app_try_sign(crowd->app, session, &key, &signature);
	if (rv == CKR_OK)
		atomic_fetch_add(&crowd->done, 1);
	return rv;
}

static void *sign_until_stopped(void *arg)
{
	struct crowd *crowd = arg;
	CK_FUNCTION_LIST *f = crowd->app->f;

	while (!atomic_load(&crowd->stop)) {
		CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
		CK_RV rv = f->C_OpenSession(crowd->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);

		if (rv == CKR_OK)
			rv = find_and_sign(crowd, session);
		if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
			break;
		(void)f->C_CloseSession(session); /* perhaps closed already, by the other thread */
	}
	return NULL;
}

/* A condition of the case, so that the interruption comes while signatures are made. */
static void wait_for_signatures(struct crowd *crowd, unsigned long more)
{
	unsigned long goal = atomic_load(&crowd->done) + more;

	while (atomic_load(&crowd->done) < goal)
		(void)usleep(200);
}

static void close_all_sessions(struct crowd *crowd)
{
	for (size_t i = 0; i < app_rounds(20); i++) {
		wait_for_signatures(crowd, 10);
		OK(crowd->app->f->C_CloseAllSessions(crowd->slot));
		crowd->session = app_enter(crowd->app, crowd->label);
	}
	atomic_store(&crowd->stop, true);
}

static void all_closed(struct app *app, const char *label)
{
	struct crowd crowd;

	begin(&crowd, app, label);
	run_crowd(&crowd, sign_until_stopped, close_all_sessions);
	OK(app->f->C_Finalize(NULL));
}

static void finalize(struct crowd *crowd)
{
	wait_for_signatures(crowd, 20);
	OK(crowd->app->f->C_Finalize(NULL));
}

static void finalized(struct app *app, const char *label)
{
	for (size_t round = 0; round < app_rounds(10); round++) {
		struct crowd crowd;

		begin(&crowd, app, label);
		run_crowd(&crowd, sign_until_stopped, finalize);
	}
}

static void *wait_for_event(void *arg)
{
	struct crowd *crowd = arg;
	CK_SLOT_ID slot;

	atomic_store(&crowd->tid, (int)syscall(SYS_gettid));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, crowd->app->f->C_WaitForSlotEvent(0, &slot, NULL));
	return NULL;
}

/* Whether the kernel says that the thread sleeps. */
static bool sleeps(int tid)
{
	char path[64];
	char line[256] = "";
	const char *state;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "re");
	if (file == NULL)
		return true; /* it returned already */
	CHECK(fgets(line, sizeof(line), file) != NULL);
	(void)fclose(file);
	state = strrchr(line, ')');
	return state != NULL && state[1] == ' ' && state[2] == 'S';
}

static void slot_event(struct app *app, const char *label)
{
	struct crowd crowd;
	pthread_t waiter;
	CK_SLOT_ID slot;
	int tid;

	begin(&crowd, app, label);
	EXPECT(CKR_NO_EVENT, app->f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
	CHECK(pthread_create(&waiter, NULL, wait_for_event, &crowd) == 0);
	while ((tid = atomic_load(&crowd.tid)) == 0 || !sleeps(tid))
		(void)usleep(1000);
	app_sign(app, crowd.session, &crowd.key);
	OK(app->f->C_Finalize(NULL));
	pthread_join(waiter, NULL);
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"own_sessions", own_sessions}, {"one_session", one_session},
		{"all_closed", all_closed},     {"finalized", finalized},
		{"slot_event", slot_event},
	};

	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

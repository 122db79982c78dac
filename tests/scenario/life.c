/* SPDX-License-Identifier: BSD-2-Clause */
/* An application's life with the module: how it initialises, finalises, reloads and leaves. Each
 * case is one way in which real applications do it, right or wrong. */
#include "tests/scenario/app.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STARTERS 8

static void use(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = app_enter(app, label);

	app_have_key(app, session, &key);
	app_sign(app, session, &key);
	OK(app->f->C_CloseSession(session));
}

static CK_RV no_mutex(void **mutex)
{
	(void)mutex;
	return CKR_OK;
}

static CK_RV no_lock(void *mutex)
{
	(void)mutex;
	return CKR_OK;
}

static void start_and_stop(struct app *app, const char *label, CK_C_INITIALIZE_ARGS *args)
{
	OK(app->f->C_Initialize(args));
	use(app, label);
	OK(app->f->C_Finalize(NULL));
}

static void variants(struct app *app, const char *label)
{
	CK_C_INITIALIZE_ARGS empty = {0};
	CK_C_INITIALIZE_ARGS locking = {.flags = CKF_OS_LOCKING_OK};
	CK_C_INITIALIZE_ARGS no_threads = {.flags = CKF_OS_LOCKING_OK |
						    CKF_LIBRARY_CANT_CREATE_OS_THREADS};
	CK_C_INITIALIZE_ARGS either = {no_mutex, no_lock,           no_lock,
				       no_lock,  CKF_OS_LOCKING_OK, NULL};
	CK_C_INITIALIZE_ARGS own = {no_mutex, no_lock, no_lock, no_lock, 0, NULL};
	CK_C_INITIALIZE_ARGS some = {no_mutex, NULL, no_lock, no_lock, CKF_OS_LOCKING_OK, NULL};

	start_and_stop(app, label, NULL);
	start_and_stop(app, label, &empty);
	start_and_stop(app, label, &locking);
	start_and_stop(app, label, &no_threads);
	start_and_stop(app, label, &either);
	EXPECT(CKR_CANT_LOCK, app->f->C_Initialize(&own));
	EXPECT(CKR_ARGUMENTS_BAD, app->f->C_Initialize(&some));
	start_and_stop(app, label, &locking);
}

static void wrong_order(struct app *app, const char *label)
{
	CK_ULONG count = 0;
	CK_INFO info;
	CK_SESSION_HANDLE session;
	CK_SESSION_INFO session_info;

	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_Finalize(NULL));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetInfo(&info));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetSlotList(CK_FALSE, NULL, &count));
	app_init(app);
	EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, app->f->C_Initialize(NULL));
	EXPECT(CKR_ARGUMENTS_BAD, app->f->C_Finalize(&info));
	session = app_enter(app, label);
	OK(app->f->C_Finalize(NULL));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_Finalize(NULL));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetSessionInfo(session, &session_info));
	app_init(app);
	EXPECT(CKR_SESSION_HANDLE_INVALID, app->f->C_GetSessionInfo(session, &session_info));
	OK(app->f->C_Finalize(NULL));
}

/* Sessions and operations open, as applications leave them. */
static void leave_things_open(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = app_enter(app, label);
	CK_MECHANISM mechanism;

	app_have_key(app, session, &key);
	mechanism = (CK_MECHANISM){key.is_ec ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
	OK(app->f->C_SignInit(session, &mechanism, key.private_key));
	session = app_open(app, label);
	OK(app->f->C_FindObjectsInit(session, NULL, 0));
}

static void again(struct app *app, const char *label)
{
	for (size_t round = 0; round < app_rounds(20); round++) {
		app_init(app);
		use(app, label);
		leave_things_open(app, label);
		OK(app->f->C_Finalize(NULL));
	}
}

static void reload(struct app *app, const char *label)
{
	Dl_info where;
	char *path;

	CHECK(dladdr(dlsym(app->library, "C_GetFunctionList"), &where) != 0);
	path = strdup(where.dli_fname);
	for (size_t round = 0; round < app_rounds(10); round++) {
		app_init(app);
		use(app, label);
		if (round % 2 == 0)
			OK(app->f->C_Finalize(NULL));
		CHECK(dlclose(app->library) == 0);
		app_load(app, path);
		if (round % 2 == 1)
			OK(app->f->C_Finalize(NULL));
	}
	free(path);
}

/* One of several threads that all initialise at once. */
struct starter {
	struct app *app;
	pthread_barrier_t *barrier;
	CK_RV rv;
};

static void *start(void *arg)
{
	struct starter *starter = arg;
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	pthread_barrier_wait(starter->barrier);
	starter->rv = starter->app->f->C_Initialize(&args);
	return NULL;
}

static void race_once(struct app *app, pthread_barrier_t *barrier)
{
	pthread_t threads[STARTERS];
	struct starter starters[STARTERS];
	int winners = 0;

	for (int i = 0; i < STARTERS; i++) {
		starters[i] = (struct starter){app, barrier, CKR_GENERAL_ERROR};
		CHECK(pthread_create(&threads[i], NULL, start, &starters[i]) == 0);
	}
	for (int i = 0; i < STARTERS; i++) {
		pthread_join(threads[i], NULL);
		if (starters[i].rv == CKR_OK)
			winners++;
		else
			EXPECT(CKR_CRYPTOKI_ALREADY_INITIALIZED, starters[i].rv);
	}
	CHECK(winners == 1);
}

static void concurrent(struct app *app, const char *label)
{
	pthread_barrier_t barrier;

	CHECK(pthread_barrier_init(&barrier, NULL, STARTERS) == 0);
	for (size_t round = 0; round < app_rounds(20); round++) {
		race_once(app, &barrier);
		use(app, label);
		OK(app->f->C_Finalize(NULL));
	}
	pthread_barrier_destroy(&barrier);
}

static void exit_open(struct app *app, const char *label)
{
	app_init(app);
	leave_things_open(app, label);
}

/* What a library does that cleans up in an exit handler of its own, registered before the module
 * was loaded and therefore run after the module's. */
static struct app late_app;
static CK_SESSION_HANDLE late_session;

static void late_calls(void)
{
	CK_SESSION_INFO info;
	CK_RV rv;

	if (late_app.f == NULL)
		return;
	rv = late_app.f->C_GetSessionInfo(late_session, &info);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED)
		_Exit(3);
	(void)late_app.f->C_CloseSession(late_session); /* must only not crash */
	(void)late_app.f->C_Finalize(NULL);             /* the same */
}

static void __attribute__((constructor)) register_late_calls(void)
{
	(void)atexit(late_calls);
}

static void exit_late(struct app *app, const char *label)
{
	app_init(app);
	late_session = app_enter(app, label);
	late_app = *app;
}

/* OpenSSL's queue of errors is the thread's, so it is shared with members that use OpenSSL: what
 * SoftHSM2 leaves there while it starts would make the application's next TLS handshake fail (nginx
 * does). */
static void error_queue(struct app *app, const char *label)
{
	for (int round = 0; round < 2; round++) {
		ERR_clear_error();
		app_init(app);
		CHECK(ERR_peek_error() == 0);
		use(app, label);
		ERR_clear_error();
		OK(app->f->C_Finalize(NULL));
		CHECK(ERR_peek_error() == 0);
	}
}

static void reserved(struct app *app, const char *label)
{
	char text[512] = "config=";
	char other[] = "something else";
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = text};
	const char *file = getenv("HSMUX_TEST_FILE");

	CHECK(file != NULL && strlen(file) < sizeof(text) - sizeof("config="));
	memcpy(text + strlen(text), file, strlen(file) + 1);
	OK(app->f->C_Initialize(&args));
	use(app, label);
	OK(app->f->C_Finalize(NULL));
	args.pReserved = other;
	EXPECT(CKR_ARGUMENTS_BAD, app->f->C_Initialize(&args));
}

/* For configurations that must be refused. */
static void refused(struct app *app, const char *label)
{
	CK_ULONG count = 0;

	(void)label;
	EXPECT(CKR_GENERAL_ERROR, app->f->C_Initialize(NULL));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetSlotList(CK_FALSE, NULL, &count));
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"variants", variants},
		{"wrong_order", wrong_order},
		{"again", again},
		{"reload", reload},
		{"concurrent", concurrent},
		{"exit_open", exit_open},
		{"exit_late", exit_late},
		{"reserved", reserved},
		{"error_queue", error_queue},
		{"refused", refused},
	};

	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

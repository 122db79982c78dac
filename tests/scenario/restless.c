/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that do everything at once while the module starts, ends and forks under them. Codes are
 * not looked at while they run: nothing may crash or hang, and afterwards everything works. Over
 * the null token, which ends the process when it sees a handle that it never gave. */
#include "tests/scenario/app.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS  6
#define LIVES    60
#define CHILDREN 60
/* Seconds after which a child is taken to hang. */
#define PATIENCE 60

/* What the threads of a case share; sessions are used by all of them. */
struct crowd {
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	_Atomic bool stop;
	_Atomic CK_SESSION_HANDLE session[THREADS];
	_Atomic unsigned long signatures;
	bool starts_and_ends; /* threads initialise and finalise as well */
	pthread_t thread[THREADS];
};

/* A thread's own sequence. */
static unsigned any(unsigned n)
{
	static _Atomic uint32_t seed = 1;
	static _Thread_local uint32_t x;

	if (x == 0)
		x = atomic_fetch_add(&seed, 1) * 2654435761U + 1;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static CK_OBJECT_HANDLE find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, CK_OBJECT_CLASS class)
{
	CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
	CK_OBJECT_HANDLE found[3] = {0};
	CK_ULONG count = 0;

	if (f->C_FindObjectsInit(s, &template, 1) != CKR_OK)
		return 0;
	(void)f->C_FindObjects(s, found, 3, &count);
	(void)f->C_FindObjectsFinal(s);
	return count > 0 ? found[any((unsigned)count)] : 0;
}

static CK_RV sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE hash[32] = {1}, signature[128];
	CK_ULONG len = sizeof(signature);
	CK_RV rv = f->C_SignInit(s, &mechanism, key);

	return rv == CKR_OK ? f->C_Sign(s, hash, sizeof(hash), signature, &len) : rv;
}

static void make(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
	CK_OBJECT_HANDLE object = 0;

	if (f->C_CreateObject(s, &template, 1, &object) == CKR_OK && any(2) == 0)
		(void)f->C_DestroyObject(s, object);
}

static void copy(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s)
{
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE template = {CKA_TOKEN, &no, sizeof(no)};
	CK_OBJECT_HANDLE object = 0;

	if (f->C_CopyObject(s, find(f, s, CKO_PRIVATE_KEY), &template, 1, &object) == CKR_OK)
		(void)sign(f, s, object);
}

static void look(struct crowd *crowd)
{
	CK_TOKEN_INFO info;
	CK_SLOT_ID slots[4];
	CK_ULONG count = 4;

	(void)crowd->f->C_GetSlotList(CK_TRUE, slots, &count);
	(void)crowd->f->C_GetTokenInfo(crowd->slot, &info);
	(void)crowd->f->C_GetMechanismList(crowd->slot, NULL, &count);
	(void)crowd->f->C_WaitForSlotEvent(CKF_DONT_BLOCK, slots, NULL);
}

static void half_done(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s)
{
	CK_MECHANISM digest = {CKM_SHA256, NULL, 0};
	CK_BYTE bytes[64] = {0};
	CK_ULONG len = sizeof(bytes);

	(void)f->C_DigestInit(s, &digest);
	(void)f->C_DigestUpdate(s, bytes, sizeof(bytes));
	if (any(2) == 0)
		(void)f->C_DigestFinal(s, bytes, &len);
}

static void open_one(struct crowd *crowd, unsigned i)
{
	CK_SESSION_HANDLE s = 0;

	if (crowd->f->C_OpenSession(crowd->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				    &s) == CKR_OK)
		atomic_store(&crowd->session[i], s);
}

static void rare(struct crowd *crowd)
{
	CK_FUNCTION_LIST *f = crowd->f;

	switch (any(40)) {
	case 0:
		(void)f->C_CloseAllSessions(crowd->slot);
		break;
	case 1:
		if (crowd->starts_and_ends)
			(void)f->C_Finalize(NULL);
		break;
	default:
		if (crowd->starts_and_ends)
			(void)f->C_Initialize(NULL);
		break;
	}
}

static void do_something(struct crowd *crowd)
{
	CK_FUNCTION_LIST *f = crowd->f;
	unsigned i = any(THREADS);
	CK_SESSION_HANDLE s = atomic_load(&crowd->session[i]);

	switch (any(12)) {
	case 0:
		(void)f->C_CloseSession(s);
		open_one(crowd, i);
		break;
	case 1:
		(void)f->C_Login(s, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)APP_PIN, 4);
		break;
	case 2:
		if (any(10) == 0)
			(void)f->C_Logout(s);
		break;
	case 3:
		make(f, s);
		break;
	case 4:
		copy(f, s);
		break;
	case 5:
		look(crowd);
		break;
	case 6:
		half_done(f, s);
		break;
	case 7:
		rare(crowd);
		break;
	default:
		if (sign(f, s, find(f, s, CKO_PRIVATE_KEY)) == CKR_OK)
			atomic_fetch_add(&crowd->signatures, 1);
		break;
	}
}

static void *be_restless(void *arg)
{
	struct crowd *crowd = arg;

	while (!atomic_load(&crowd->stop))
		do_something(crowd);
	return NULL;
}

static void begin(struct crowd *crowd, struct app *app, const char *label)
{
	memset(crowd, 0, sizeof(*crowd));
	crowd->f = app->f;
	app_init(app);
	crowd->slot = app_slot(app, label);
	for (unsigned i = 0; i < THREADS; i++)
		open_one(crowd, i);
}

static void let_loose(struct crowd *crowd)
{
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_create(&crowd->thread[i], NULL, be_restless, crowd) == 0);
}

static void calm(struct crowd *crowd)
{
	atomic_store(&crowd->stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(crowd->thread[i], NULL);
}

/* The threads do real work between two interruptions. */
static void wait_for_work(struct crowd *crowd)
{
	unsigned long goal = atomic_load(&crowd->signatures) + 20;

	while (atomic_load(&crowd->signatures) < goal)
		(void)usleep(100);
}

static void use(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s = app_enter(app, label);

	OK(sign(app->f, s, find(app->f, s, CKO_PRIVATE_KEY)));
	OK(app->f->C_CloseSession(s));
}

static void lives(struct app *app, const char *label)
{
	struct crowd crowd;

	begin(&crowd, app, label);
	let_loose(&crowd);
	for (size_t i = 0; i < app_rounds(LIVES); i++) {
		wait_for_work(&crowd);
		OK(app->f->C_Finalize(NULL));
		app_init(app);
	}
	calm(&crowd);
	OK(app->f->C_CloseAllSessions(crowd.slot));
	use(app, label);
	OK(app->f->C_Finalize(NULL));
}

/* Everybody starts and ends the module. */
static void anarchy(struct app *app, const char *label)
{
	struct crowd crowd;

	begin(&crowd, app, label);
	crowd.starts_and_ends = true;
	let_loose(&crowd);
	for (size_t i = 0; i < app_rounds(LIVES); i++)
		wait_for_work(&crowd);
	calm(&crowd);
	(void)app->f->C_Finalize(NULL); /* perhaps ended already */
	app_init(app);
	use(app, label);
	OK(app->f->C_Finalize(NULL));
}

static int child(struct app *app, const char *label)
{
	CK_INFO info;

	(void)alarm(PATIENCE);
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetInfo(&info));
	app_init(app);
	use(app, label);
	OK(app->f->C_Finalize(NULL));
	return 0;
}

static void children(struct app *app, const char *label)
{
	struct crowd crowd;

	begin(&crowd, app, label);
	let_loose(&crowd);
	for (size_t i = 0; i < app_rounds(CHILDREN); i++) {
		int status = -1;
		pid_t pid;

		wait_for_work(&crowd);
		pid = fork();
		if (pid == 0)
			_exit(child(app, label));
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		if (status != 0)
			(void)fprintf(stderr, "child %zu: status %#x\n", i, (unsigned)status);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	calm(&crowd);
	use(app, label);
	OK(app->f->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"lives", lives},
		{"anarchy", anarchy},
		{"children", children},
	};

	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

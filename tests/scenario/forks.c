/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that fork: a child is another application. It must start from nothing, must not harm
 * its parent, and must be able to use the same tokens. */
#include "tests/scenario/app.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS  4
#define CHILDREN 20

static void use(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = app_enter(app, label);

	app_have_key(app, session, &key);
	app_sign(app, session, &key);
	OK(app->f->C_CloseSession(session));
}

static void expect_success(pid_t child)
{
	int status = 0;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static pid_t fork_now(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	return child;
}

static void child_of_its_own(struct app *app, const char *label)
{
	app_init(app);
	use(app, label);
	OK(app->f->C_Finalize(NULL));
}

/* Loaded, not initialised: both sides are on their own. */
static void before(struct app *app, const char *label)
{
	pid_t child = fork_now();

	if (child == 0) {
		child_of_its_own(app, label);
		exit(0);
	}
	expect_success(child);
	child_of_its_own(app, label);
}

/* Nothing inherited is valid in the child. */
static void expect_nothing(struct app *app, CK_SESSION_HANDLE session, const struct app_key *key)
{
	CK_MECHANISM mechanism = {key->is_ec ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
	CK_SESSION_INFO session_info;
	CK_TOKEN_INFO token_info;
	CK_ULONG count = 0;
	CK_INFO info;

	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetInfo(&info));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetSlotList(CK_TRUE, NULL, &count));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetTokenInfo(1, &token_info));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_GetSessionInfo(session, &session_info));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED,
	       app->f->C_SignInit(session, &mechanism, key->private_key));
	EXPECT(CKR_CRYPTOKI_NOT_INITIALIZED, app->f->C_CloseSession(session));
}

/* An application that is initialised and logged in, with a key. */
static CK_SESSION_HANDLE begin(struct app *app, const char *label, struct app_key *key)
{
	CK_SESSION_HANDLE session;

	app_init(app);
	session = app_enter(app, label);
	app_have_key(app, session, key);
	app_sign(app, session, key);
	return session;
}

static void after(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = begin(app, label, &key);

	for (int round = 0; round < 3; round++) {
		pid_t child = fork_now();

		if (child == 0) {
			expect_nothing(app, session, &key);
			child_of_its_own(app, label);
			exit(0);
		}
		app_sign(app, session, &key);
		expect_success(child);
		app_sign(app, session, &key);
	}
	OK(app->f->C_Finalize(NULL));
}

/* A child that knows nothing of PKCS#11 and runs all its exit handlers, one that finalises what it
 * inherited, and one that executes another program. */
static void ignorant(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session = begin(app, label, &key);

	for (int kind = 0; kind < 3; kind++) {
		pid_t child = fork_now();

		if (child == 0) {
			if (kind == 1)
				(void)app->f->C_Finalize(NULL); /* any answer; the parent counts */
			if (kind == 2)
				(void)execl("/bin/true", "true", (char *)NULL);
			exit(kind == 2 ? 1 : 0);
		}
		expect_success(child);
		app_sign(app, session, &key);
	}
	OK(app->f->C_Finalize(NULL));
}

/* A daemon: the process that initialised has gone, without finalising, when its grandchild goes on.
 * The first process of the case only waits for the daemon's verdict. */
static void daemonised(struct app *app, const char *label)
{
	struct app_key key;
	int gone[2];
	int verdict[2];
	char byte = 0;

	CHECK(pipe(gone) == 0 && pipe(verdict) == 0);
	if (fork_now() == 0) {
		(void)begin(app, label, &key);
		if (fork_now() != 0)
			exit(0);
		CHECK(close(gone[1]) == 0 && read(gone[0], &byte, 1) == 0);
		child_of_its_own(app, label);
		CHECK(write(verdict[1], "y", 1) == 1);
		exit(0);
	}
	CHECK(close(gone[1]) == 0 && close(verdict[1]) == 0);
	CHECK(read(verdict[0], &byte, 1) == 1 && byte == 'y');
}

/* Signs in a thread while the process forks. */
struct signer {
	struct app *app;
	const char *label;
	struct app_key key;
	_Atomic bool *stop;
	_Atomic unsigned long *done;
};

static void *sign_all_the_time(void *arg)
{
	struct signer *signer = arg;
	CK_SESSION_HANDLE session = app_open(signer->app, signer->label);

	while (!atomic_load(signer->stop)) {
		app_sign(signer->app, session, &signer->key);
		atomic_fetch_add(signer->done, 1);
	}
	return NULL;
}

/* Child of a process with threads: checks what is safe there, then becomes another program, which
 * uses the same token. */
static void child_amid_threads(struct app *app, char **self, CK_SESSION_HANDLE session,
			       const struct app_key *key)
{
	expect_nothing(app, session, key);
	(void)execv(self[0], self);
	_exit(1);
}

static char **own_argv;

static void during(struct app *app, const char *label)
{
	_Atomic bool stop = false;
	_Atomic unsigned long done = 0;
	pthread_t threads[THREADS];
	struct signer signer = {.app = app, .label = label, .stop = &stop, .done = &done};
	CK_SESSION_HANDLE session = begin(app, label, &signer.key);
	char *self[] = {own_argv[0], own_argv[1], (char[]){"before"}, own_argv[3], NULL};

	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, sign_all_the_time, &signer) == 0);
	for (size_t i = 0; i < app_rounds(CHILDREN); i++) {
		unsigned long goal = atomic_load(&done) + 5;
		pid_t child;

		while (atomic_load(&done) < goal)
			(void)usleep(200);
		child = fork_now();
		if (child == 0)
			child_amid_threads(app, self, session, &signer.key);
		expect_success(child);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	OK(app->f->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"before", before},         {"after", after},   {"ignorant", ignorant},
		{"daemonised", daemonised}, {"during", during},
	};

	own_argv = argv;
	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}

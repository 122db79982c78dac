/* SPDX-License-Identifier: BSD-2-Clause */
/* The write lock of a token that replicates: one thread of one process has it, and it ends with
 * that. */
#include "core/intent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/core/intent_world.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

/* Longer than anything here takes, unless it hangs. */
#define LONG_MS 60000

/* A child that runs `work` and ends with what it says. */
struct child {
	pid_t pid;
	int told; /* it writes a byte */
	int go;   /* it waits for one */
};

static void tell(int fd)
{
	if (write(fd, "1", 1) != 1)
		abort();
}

static void hear(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		abort();
}

static struct child child_start(bool (*work)(int told, int go))
{
	int told[2], go[2];
	struct child c;

	if (pipe(told) != 0 || pipe(go) != 0)
		abort();
	c.pid = fork();
	if (c.pid == 0)
		_exit(work(told[1], go[0]) ? 0 : 1);
	CU_ASSERT_FATAL(c.pid > 0);
	close(told[1]);
	close(go[0]);
	c.told = told[0];
	c.go = go[1];
	return c;
}

/* True when it ended as it should. */
static bool child_end(const struct child *c)
{
	int status = 0;

	CU_ASSERT_EQUAL(waitpid(c->pid, &status, 0), c->pid);
	close(c->told);
	close(c->go);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool hold_until_told(int told, int go)
{
	struct intents *all = intent_try(0);

	tell(told);
	hear(go);
	intents_close(all);
	return all != NULL;
}

static void another_process_waits_and_is_told_who_has_it(void)
{
	struct child c;
	struct intents *all;
	char who[40];

	intent_begin();
	c = child_start(hold_until_told);
	hear(c.told);
	(void)snprintf(who, sizeof who, "process %ld ", (long)c.pid);
	CU_ASSERT_PTR_NULL(intent_try(0));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, who));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, intent_path));
	CU_ASSERT_PTR_NULL(intent_try(20));
	tell(c.go);
	all = intent_try(LONG_MS);
	CU_ASSERT_PTR_NOT_NULL(all);
	intents_close(all);
	CU_ASSERT(child_end(&c));
	intent_end();
}

static bool hold_for_ever(int told, int go)
{
	struct intents *all = intent_try(0);

	if (all && intent_start(all, "begun", INTENT_MAKE, 1, ""))
		tell(told);
	hear(go);
	return false;
}

static void the_lock_of_a_killed_process_ends(void)
{
	struct child c;
	struct intents *all;

	intent_begin();
	c = child_start(hold_for_ever);
	hear(c.told);
	CU_ASSERT_PTR_NULL(intent_try(0));
	CU_ASSERT_EQUAL(kill(c.pid, SIGKILL), 0);
	CU_ASSERT(!child_end(&c));
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 1);
	intents_close(all);
	intent_end();
}

static void *wait_for_it(void *result)
{
	char reason[200];
	struct intents *all = intents_open(&trio, LONG_MS, reason, sizeof reason);

	*(bool *)result = all && intents_count(all) == 1;
	intents_close(all);
	return NULL;
}

static void *try_in_vain(void *result)
{
	char reason[200] = "";
	struct intents *all = intents_open(&trio, 20, reason, sizeof reason);

	*(bool *)result = !all && strstr(reason, "another thread of this process");
	intents_close(all);
	return NULL;
}

/* It would wait for itself. */
static void the_thread_that_has_it_does_not_wait(void)
{
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT_PTR_NULL(intent_try(LONG_MS));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, "this thread has it locked already"));
	intents_close(all);
	intent_end();
}

static void other_threads_wait(void)
{
	bool results[4] = {false}, is_told = false;
	pthread_t threads[4];
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[0], NULL, try_in_vain, &is_told), 0);
	CU_ASSERT_EQUAL(pthread_join(threads[0], NULL), 0);
	CU_ASSERT(is_told);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, wait_for_it, &results[i]),
				      0);
	CU_ASSERT(intent_start(all, "begun", INTENT_MAKE, 1, ""));
	intents_close(all);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
		CU_ASSERT(results[i]);
	}
	intent_end();
}

/* Another group of the process has a lock of its own. */
static void groups_do_not_wait_for_each_other(void)
{
	struct intents *all, *other;
	struct group second;

	intent_begin();
	all = intent_open();
	second.config = trio.config;
	second.conf = trio.conf;
	second.members = trio.members;
	second.member_count = trio.member_count;
	memcpy(second.serial, "fedcba9876543210", 16);
	other = intents_open(&second, 0, intent_why, sizeof intent_why);
	CU_ASSERT_PTR_NOT_NULL(other);
	intents_close(other);
	CU_ASSERT_PTR_NULL(intent_try(0));
	intents_close(all);
	intent_end();
}

/* A thread that fails to get it opens nothing: the lock of the one that has it would end. */
static void a_failed_attempt_does_not_end_the_lock(void)
{
	struct intents *all;
	struct child c;

	intent_begin();
	all = intent_open();
	CU_ASSERT_PTR_NULL(intent_try(0));
	CU_ASSERT(!intents_any(&trio));
	c = child_start(hold_until_told);
	hear(c.told);
	tell(c.go);
	CU_ASSERT(!child_end(&c)); /* it did not get the lock */
	intents_close(all);
	intent_end();
}

static bool forget_and_try(int told, int go)
{
	struct intents *all;
	char who[40];
	bool ok;

	intents_forget_parent();
	(void)snprintf(who, sizeof who, "process %ld ", (long)getppid());
	all = intent_try(0);
	ok = !all && strstr(intent_why, who);
	tell(told);
	hear(go);
	all = intent_try(LONG_MS);
	ok = ok && all && intents_count(all) == 1 &&
	     intent_start(all, "of-the-child", INTENT_MAKE, 1, "");
	intents_close(all);
	return ok;
}

static void a_forked_child_has_no_lock_and_ends_none(void)
{
	struct intents *all;
	struct child c, other;

	intent_begin();
	all = intent_open();
	c = child_start(forget_and_try);
	hear(c.told);
	other = child_start(hold_until_told); /* it forgets nothing, and gets nothing */
	hear(other.told);
	tell(other.go);
	CU_ASSERT(!child_end(&other));
	CU_ASSERT(intent_start(all, "of-the-parent", INTENT_MAKE, 1, ""));
	intents_close(all);
	tell(c.go);
	CU_ASSERT(child_end(&c));
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 2);
	intents_close(all);
	intent_end();
}

static bool wait_and_begin(int told, int go)
{
	struct intents *all;
	bool ok;

	(void)go;
	intents_forget_parent(); /* what it has open from now on is its own */
	tell(told);
	all = intent_try(LONG_MS);
	ok = all && intents_count(all) == 1 &&
	     intent_start(all, "of-the-child", INTENT_MAKE, 1, "");
	intents_close(all);
	return ok;
}

/* Whether the process has the journal open. */
static bool has_open(pid_t pid)
{
	char name[64], link[600], target[600];
	const struct dirent *entry;
	bool has = false;
	DIR *fds;

	(void)snprintf(name, sizeof name, "/proc/%ld/fd", (long)pid);
	fds = opendir(name);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fds);
	while ((entry = readdir(fds)) != NULL) {
		ssize_t n;

		(void)snprintf(link, sizeof link, "%s/%s", name, entry->d_name);
		n = readlink(link, target, sizeof target - 1);
		target[n > 0 ? n : 0] = '\0';
		has = has || strcmp(target, intent_path) == 0;
	}
	closedir(fds);
	return has;
}

static void who_waits_for_a_journal_that_is_replaced_gets_the_new_one(void)
{
	const struct timespec step = {.tv_nsec = 1000000};
	struct intents *all;
	struct stat before, after;
	struct child c;

	intent_begin();
	all = intent_open();
	CU_ASSERT(intent_start(all, "of-the-parent", INTENT_MAKE, 1, ""));
	for (unsigned i = 0; i < 1500; i++) {
		CU_ASSERT(intent_start(all, "goes", INTENT_MAKE, 1, ""));
		intents_settle(all, "goes", 0);
	}
	CU_ASSERT_EQUAL(stat(intent_path, &before), 0);
	c = child_start(wait_and_begin);
	hear(c.told);
	for (unsigned i = 0; i < LONG_MS && !has_open(c.pid); i++)
		(void)nanosleep(&step, NULL); /* until it waits for the lock */
	intents_close(all);
	CU_ASSERT(child_end(&c));
	CU_ASSERT_EQUAL(stat(intent_path, &after), 0);
	CU_ASSERT(after.st_size < before.st_size);
	CU_ASSERT(after.st_ino != before.st_ino);
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 2);
	intents_close(all);
	intent_end();
}

/* Many at once: nobody sees another's work halfway. */
static bool work_often(int told, int go)
{
	char tag[MEMBER_TAG_ROOM];

	(void)told;
	hear(go);
	for (unsigned i = 0; i < 30; i++) {
		struct intents *all = intent_try(LONG_MS);
		bool ok;

		(void)snprintf(tag, sizeof tag, "of-%ld", (long)getpid());
		ok = all && intents_count(all) == 0 && intent_start(all, tag, INTENT_MAKE, 1, "") &&
		     intents_count(all) == 1;
		if (ok)
			intents_settle(all, tag, 0);
		intents_close(all);
		if (!ok)
			return false;
	}
	return true;
}

static void processes_take_turns(void)
{
	struct child c[4];

	intent_begin();
	for (unsigned i = 0; i < 4; i++)
		c[i] = child_start(work_often);
	for (unsigned i = 0; i < 4; i++)
		tell(c[i].go);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT(child_end(&c[i]));
	CU_ASSERT(!intents_any(&trio));
	intent_end();
}

static const struct unit_test tests[] = {
	UNIT(another_process_waits_and_is_told_who_has_it),
	UNIT(the_lock_of_a_killed_process_ends),
	UNIT(the_thread_that_has_it_does_not_wait),
	UNIT(other_threads_wait),
	UNIT(groups_do_not_wait_for_each_other),
	UNIT(a_failed_attempt_does_not_end_the_lock),
	UNIT(a_forked_child_has_no_lock_and_ends_none),
	UNIT(who_waits_for_a_journal_that_is_replaced_gets_the_new_one),
	UNIT(processes_take_turns),
};

UNIT_MAIN("core/intent (lock)", tests)

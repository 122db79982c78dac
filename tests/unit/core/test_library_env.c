/* SPDX-License-Identifier: BSD-2-Clause */
/* core/library_env.c: the variables of a module are there while it starts, and nothing of the
 * application's environment is lost, whatever its threads do with it meanwhile. */
#include "core/library_env.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

extern char **environ;

static char name_new[] = "LIBRARY_ENV_NEW", name_old[] = "LIBRARY_ENV_OLD", value[] = "module's";
static struct config_env variables[] = {{.name = name_new, .value = value},
					{.name = name_old, .value = value}};
static const struct config_module module = {.env = variables, .env_count = 2};

static bool is(const char *name, const char *wanted)
{
	const char *now = getenv(name);

	return wanted ? now && strcmp(now, wanted) == 0 : !now;
}

/* The application's: one variable that the module has too, one that it has not. */
static void begin(void)
{
	CU_ASSERT_EQUAL_FATAL(unsetenv(name_new), 0);
	CU_ASSERT_EQUAL_FATAL(setenv(name_old, "ours", 1), 0);
	CU_ASSERT_EQUAL_FATAL(setenv("LIBRARY_ENV_OTHER", "other", 1), 0);
}

static void enter(void)
{
	CU_ASSERT_TRUE_FATAL(library_env_enter(&module));
	CU_ASSERT_TRUE(is(name_new, "module's"));
	CU_ASSERT_TRUE(is(name_old, "module's"));
	CU_ASSERT_TRUE(is("LIBRARY_ENV_OTHER", "other"));
}

static void variables_are_there_for_the_start_only(void)
{
	char **before, **during;

	begin();
	before = environ;
	enter();
	during = environ;
	library_env_leave(&module);
	CU_ASSERT_PTR_EQUAL(environ, before);
	CU_ASSERT_TRUE(is(name_new, NULL));
	CU_ASSERT_TRUE(is(name_old, "ours"));
	enter();
	CU_ASSERT_PTR_EQUAL(environ, during); /* nothing grows with the number of starts */
	library_env_leave(&module);
}

static void a_module_without_variables_changes_nothing(void)
{
	static const struct config_module none = {.env_count = 0};
	char **before = environ;

	CU_ASSERT_TRUE(library_env_enter(&none));
	CU_ASSERT_PTR_EQUAL(environ, before);
	library_env_leave(&none);
	CU_ASSERT_PTR_EQUAL(environ, before);
}

static void what_others_set_meanwhile_stays(void)
{
	begin();
	enter();
	CU_ASSERT_EQUAL(setenv("LIBRARY_ENV_LATE", "late", 1), 0);
	library_env_leave(&module);
	CU_ASSERT_TRUE(is("LIBRARY_ENV_LATE", "late"));
	CU_ASSERT_TRUE(is(name_new, NULL));
	CU_ASSERT_TRUE(is(name_old, "ours"));
	CU_ASSERT_TRUE(is("LIBRARY_ENV_OTHER", "other"));

	enter();
	CU_ASSERT_EQUAL(setenv("LIBRARY_ENV_LATE", "later", 1), 0);
	CU_ASSERT_EQUAL(setenv(name_new, "theirs", 1), 0);
	library_env_leave(&module);
	CU_ASSERT_TRUE(is("LIBRARY_ENV_LATE", "later"));
	CU_ASSERT_TRUE(is(name_new, "theirs"));
	CU_ASSERT_TRUE(is(name_old, "ours"));
	CU_ASSERT_EQUAL(unsetenv("LIBRARY_ENV_LATE"), 0);
}

static void what_others_remove_meanwhile_stays_away(void)
{
	begin();
	enter();
	CU_ASSERT_EQUAL(unsetenv("LIBRARY_ENV_OTHER"), 0);
	library_env_leave(&module);
	CU_ASSERT_TRUE(is("LIBRARY_ENV_OTHER", NULL));
	CU_ASSERT_TRUE(is(name_new, NULL));
	CU_ASSERT_TRUE(is(name_old, "ours"));

	begin();
	enter(); /* the array that was changed is not used again */
	library_env_leave(&module);
	CU_ASSERT_TRUE(is("LIBRARY_ENV_OTHER", "other"));
}

static void an_environment_that_was_cleared_stays_clear(void)
{
	char **before = environ;

	begin();
	before = environ;
	enter();
	CU_ASSERT_EQUAL(clearenv(), 0);
	library_env_leave(&module);
	CU_ASSERT_TRUE(!environ || !*environ);
	CU_ASSERT_TRUE(library_env_enter(&module)); /* from nothing */
	CU_ASSERT_TRUE(is(name_new, "module's"));
	library_env_leave(&module);
	CU_ASSERT_TRUE(!environ || !*environ);
	environ = before;
}

static void without_memory_nothing_is_set(void)
{
	unsigned long n = 0;
	char **before;
	bool ok;

	begin();
	CU_ASSERT_EQUAL(setenv("LIBRARY_ENV_LATE", "makes the contents new", 1), 0);
	before = environ;
	do {
		alloc_fail_at(++n);
		ok = library_env_enter(&module);
		if (ok)
			library_env_leave(&module);
		CU_ASSERT_PTR_EQUAL(environ, before);
	} while (alloc_seen >= n);
	CU_ASSERT_TRUE(ok);
	CU_ASSERT(n > 2);
	alloc_fail_at(0);
	CU_ASSERT_TRUE(is(name_old, "ours"));
}

static void a_child_born_meanwhile_has_the_environment_as_it_was(void)
{
	int status = -1;
	pid_t child;

	begin();
	enter();
	child = fork();
	CU_ASSERT_FATAL(child >= 0);
	if (child == 0) {
		library_env_forget_parent();
		if (!is(name_new, NULL) || !is(name_old, "ours"))
			_exit(1);
		if (!library_env_enter(&module) || !is(name_new, "module's"))
			_exit(2);
		library_env_leave(&module);
		_exit(is(name_new, NULL) ? 0 : 3);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	library_env_leave(&module);
}

static atomic_bool stops;
static atomic_uint wrong;

/* What an application's thread does: looks for a variable that is always there, starts programs. */
static void *reads(void *unused)
{
	(void)unused;
	while (!atomic_load(&stops))
		if (!is("LIBRARY_ENV_OTHER", "other"))
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void threads_read_on(void)
{
	pthread_t thread[2];

	begin();
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, reads, NULL), 0);
	for (unsigned i = 0; i < 20000; i++) {
		CU_ASSERT_TRUE_FATAL(library_env_enter(&module));
		library_env_leave(&module);
		if (i % 2000 == 0)
			CU_ASSERT_EQUAL(system("test \"$LIBRARY_ENV_OTHER\" = other"), 0);
	}
	atomic_store(&stops, true);
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(pthread_join(thread[i], NULL), 0);
	CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(variables_are_there_for_the_start_only),
		UNIT(a_module_without_variables_changes_nothing),
		UNIT(what_others_set_meanwhile_stays),
		UNIT(what_others_remove_meanwhile_stays_away),
		UNIT(an_environment_that_was_cleared_stays_clear),
		UNIT(without_memory_nothing_is_set),
		UNIT(a_child_born_meanwhile_has_the_environment_as_it_was),
		UNIT(threads_read_on),
	};

	return unit_run("core/library_env", tests, sizeof tests / sizeof tests[0]);
}

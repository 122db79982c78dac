/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of drained members. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/state.h"
#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

static const char *dir;
static char why[1500];

static bool drain(const char *token, const char *member, bool on)
{
	return state_drain(dir, token, member, on, why, sizeof why);
}

static void path_of(const char *name, char path[static 600])
{
	(void)snprintf(path, 600, "%s/%s", dir, name);
}

static void a_member_is_drained_until_it_is_undrained(void)
{
	CU_ASSERT_FALSE(state_is_drained(dir, "t", "a"));
	CU_ASSERT_TRUE(drain("t", "a", true));
	CU_ASSERT_TRUE(drain("t", "b", true));
	CU_ASSERT_TRUE(drain("t", "a", true));
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "a"));
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "b"));
	CU_ASSERT_FALSE(state_is_drained(dir, "t2", "a"));
	CU_ASSERT_FALSE(state_is_drained(dir, "t", "a2"));
	CU_ASSERT_FALSE(state_is_drained(dir, "t", ""));
	CU_ASSERT_TRUE(drain("t", "a", false));
	CU_ASSERT_TRUE(drain("t", "a", false));
	CU_ASSERT_FALSE(state_is_drained(dir, "t", "a"));
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "b"));
	CU_ASSERT_TRUE(drain("t", "b", false));
}

static void a_line_says_since_when(void)
{
	char path[600], line[200] = "";
	FILE *file;

	CU_ASSERT_TRUE(drain("t", "a", true));
	path_of("drained", path);
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, file));
	CU_ASSERT_EQUAL(strncmp(line, "t\ta\tsince 20", 12), 0);
	CU_ASSERT_STRING_EQUAL(line + strlen(line) - 2, "Z\n");
	CU_ASSERT_PTR_NULL(fgets(line, sizeof line, file));
	fclose(file);
	CU_ASSERT_TRUE(drain("t", "a", false));
}

/* A name with a tab or a line feed in it is not the name of another member. */
static void names_cannot_break_a_line(void)
{
	CU_ASSERT_TRUE(drain("t\nu\ta", "x\\x09", true));
	CU_ASSERT_TRUE(state_is_drained(dir, "t\nu\ta", "x\\x09"));
	CU_ASSERT_FALSE(state_is_drained(dir, "u", "a"));
	CU_ASSERT_FALSE(state_is_drained(dir, "t\nu\ta", "x\t"));
	CU_ASSERT_TRUE(drain("t\xc3\xa4", "\x7f", true));
	CU_ASSERT_TRUE(state_is_drained(dir, "t\xc3\xa4", "\x7f"));
	CU_ASSERT_TRUE(drain("t\nu\ta", "x\\x09", false));
	CU_ASSERT_FALSE(state_is_drained(dir, "t\nu\ta", "x\\x09"));
	CU_ASSERT_TRUE(drain("t\xc3\xa4", "\x7f", false));
}

static void what_people_wrote_stays(void)
{
	(void)files_write("drained", "# mine\n\nt\tb\nno newline", 0644);
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "b"));
	CU_ASSERT_TRUE(drain("t", "a", true));
	CU_ASSERT_TRUE(drain("t", "a", false));
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "b"));
	CU_ASSERT_TRUE(drain("t", "b", false));
	CU_ASSERT_FALSE(state_is_drained(dir, "t", "b"));
}

static void the_version_changes_with_the_list(void)
{
	uint64_t none, first, second;
	char path[600];

	path_of("drained", path);
	CU_ASSERT_EQUAL(unlink(path), 0);
	none = state_drain_version(dir);
	CU_ASSERT_EQUAL(none, 0);
	CU_ASSERT_TRUE(drain("t", "a", true));
	first = state_drain_version(dir);
	CU_ASSERT_NOT_EQUAL(first, none);
	CU_ASSERT_EQUAL(state_drain_version(dir), first);
	CU_ASSERT_TRUE(drain("t", "b", true));
	second = state_drain_version(dir);
	CU_ASSERT_NOT_EQUAL(second, first);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(state_drain_version(dir), none);
	CU_ASSERT_EQUAL(state_drain_version("/nonexistent"), 0);
}

/* The list is not believed, nor replaced, and `word` is in the reason. */
static void expect_refused(const char *word)
{
	CU_ASSERT_FALSE(state_is_drained(dir, "t", "a"));
	why[0] = '\0';
	CU_ASSERT_FALSE(drain("t", "b", true));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, word));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, dir));
}

static void a_list_that_others_made_is_not_believed(void)
{
	char path[600], other[600];

	(void)snprintf(path, sizeof path, "%s", files_write("drained", "t\ta\n", 0666));
	expect_refused("others can write it");
	CU_ASSERT_EQUAL(chmod(path, 0664), 0);
	expect_refused("others can write it");
	CU_ASSERT_EQUAL(chmod(path, 0600), 0);
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "a"));
	if (geteuid() == 0) {
		CU_ASSERT_EQUAL(chown(path, 65534, 65534), 0);
		expect_refused("another user");
		CU_ASSERT_EQUAL(chown(path, 0, 0), 0);
	}
	path_of("elsewhere", other);
	CU_ASSERT_EQUAL(rename(path, other), 0);
	CU_ASSERT_EQUAL(symlink("elsewhere", path), 0);
	expect_refused("symbolic link");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	expect_refused("no regular file");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(rename(other, path), 0);
	CU_ASSERT_EQUAL(truncate(path, 2000000), 0);
	expect_refused("too long");
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static void a_directory_that_others_can_write_is_not_believed(void)
{
	CU_ASSERT_TRUE(drain("t", "a", true));
	CU_ASSERT_EQUAL(chmod(dir, 0777), 0);
	expect_refused("others can write in it");
	if (geteuid() == 0) { /* as /tmp: others cannot replace what is root's */
		CU_ASSERT_EQUAL(chmod(dir, 01777), 0);
		CU_ASSERT_TRUE(state_is_drained(dir, "t", "a"));
	}
	CU_ASSERT_EQUAL(chmod(dir, 0700), 0);
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "a"));
	CU_ASSERT_TRUE(drain("t", "a", false));
}

static void a_list_that_cannot_be_written_stays_as_it_is(void)
{
	struct rlimit old, small = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};

	CU_ASSERT_TRUE(drain("t", "a", true));
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
	CU_ASSERT_FALSE(drain("t", "b", true));
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &old), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "File too large"));
	CU_ASSERT_TRUE(state_is_drained(dir, "t", "a"));
	CU_ASSERT_FALSE(state_is_drained(dir, "t", "b"));
	CU_ASSERT_TRUE(drain("t", "a", false));
	CU_ASSERT_FALSE(state_drain("/proc/no", "t", "a", true, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "/proc/no"));
}

static void nobody_waits_for_ever_for_the_lock(void)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(flock(fd, LOCK_EX), 0);
	CU_ASSERT_FALSE(drain("t", "a", true));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "keeps it locked"));
	close(fd);
	CU_ASSERT_TRUE(drain("t", "a", true));
	CU_ASSERT_TRUE(drain("t", "a", false));
}

/* Each of many processes drains a member of its own: no change is lost. */
static void changes_at_once_are_all_kept(void)
{
	char name[16];
	pid_t pid[16];
	int status;

	for (int i = 0; i < 16; i++) {
		pid[i] = fork();
		if (pid[i] != 0)
			continue;
		(void)snprintf(name, sizeof name, "m%d", i);
		_exit(drain("t", name, true) ? 0 : 1);
	}
	for (int i = 0; i < 16; i++) {
		CU_ASSERT_EQUAL(waitpid(pid[i], &status, 0), pid[i]);
		CU_ASSERT_EQUAL(status, 0);
		(void)snprintf(name, sizeof name, "m%d", i);
		CU_ASSERT_TRUE(state_is_drained(dir, "t", name));
		CU_ASSERT_TRUE(drain("t", name, false));
	}
}

static const struct unit_test tests[] = {
	UNIT(a_member_is_drained_until_it_is_undrained),
	UNIT(a_line_says_since_when),
	UNIT(names_cannot_break_a_line),
	UNIT(what_people_wrote_stays),
	UNIT(the_version_changes_with_the_list),
	UNIT(a_list_that_others_made_is_not_believed),
	UNIT(a_directory_that_others_can_write_is_not_believed),
	UNIT(a_list_that_cannot_be_written_stays_as_it_is),
	UNIT(nobody_waits_for_ever_for_the_lock),
	UNIT(changes_at_once_are_all_kept),
};

int main(void)
{
	int code;

	dir = files_begin();
	code = unit_run("core/state: drained", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}

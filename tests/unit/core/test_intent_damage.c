/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of intents: what becomes of files that are torn, damaged, full, removed, or not ours.
 */
#include "core/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/core/intent_world.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

static int sync_error; /* of fdatasync; 0: it works */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	errno = sync_error;
	return sync_error != 0 ? -1 : __real_fdatasync(fd);
}

static size_t read_all(unsigned char *text, size_t room)
{
	int fd = open(intent_path, O_RDONLY);
	ssize_t n = read(fd, text, room);

	CU_ASSERT_FATAL(n >= 0);
	close(fd);
	return (size_t)n;
}

static void write_all(const void *text, size_t len)
{
	int fd = open(intent_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static bool is_aside(void)
{
	char name[520];

	(void)snprintf(name, sizeof name, "%s.damaged", intent_path);
	return unlink(name) == 0;
}

/* How many lines there are. */
static unsigned lines_of(const unsigned char *text, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

/* What `lines` of those that work_a_bit() writes leave undone: the first one is the head. */
static size_t undone_after(unsigned lines)
{
	static const size_t undone[] = {0, 0, 1, 2, 2, 3, 3, 2, 3, 3};

	return undone[lines];
}

static void a_line_that_was_torn_anywhere_does_not_count(void)
{
	unsigned char text[600];
	struct intents *all;
	size_t len;

	intent_begin();
	intent_leave_work();
	len = read_all(text, sizeof text);
	CU_ASSERT_EQUAL_FATAL(lines_of(text, len), 9);
	for (size_t cut = 0; cut <= len; cut++) {
		write_all(text, cut);
		all = intent_open();
		CU_ASSERT_EQUAL(intents_count(all), undone_after(lines_of(text, cut)));
		CU_ASSERT(intent_start(all, "more", INTENT_MAKE, 1, "x"));
		intents_close(all);
		all = intent_open();
		CU_ASSERT_EQUAL(intents_count(all), undone_after(lines_of(text, cut)) + 1);
		intents_close(all);
		CU_ASSERT(!is_aside());
	}
	intent_end();
}

static void what_follows_a_damaged_byte_is_not_believed_and_kept(void)
{
	unsigned char text[600], bad[600];
	struct intents *all;
	size_t len;

	intent_begin();
	intent_leave_work();
	len = read_all(text, sizeof text);
	for (size_t i = 0; i < len; i++) {
		unsigned before = lines_of(text, i);

		memcpy(bad, text, len);
		bad[i] ^= 1;
		write_all(bad, len);
		all = intent_open();
		CU_ASSERT_EQUAL(intents_count(all), undone_after(before));
		intents_close(all);
		/* Without its newline the last but one is part of the last. */
		CU_ASSERT_EQUAL(is_aside(), before < 8 && !(before == 7 && text[i] == '\n'));
	}
	intent_end();
}

static void a_line_that_is_lost_in_the_middle_is_noticed(void)
{
	unsigned char text[600];
	struct intents *all;
	size_t len, second, third;

	intent_begin();
	intent_leave_work();
	len = read_all(text, sizeof text);
	second = (size_t)((unsigned char *)memchr(text, '\n', len) - text) + 1;
	third = second +
		(size_t)((unsigned char *)memchr(text + second, '\n', len - second) -
			 (text + second)) +
		1;
	memmove(text + second, text + third, len - third);
	write_all(text, len - (third - second));
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 0);
	intents_close(all);
	CU_ASSERT(is_aside());
	intent_end();
}

static void another_version_is_left_alone(void)
{
	/* Of "hsmux journal 2": the sum is right. */
	static const char text[] = "6985a001 hsmux journal 2\n";
	unsigned char now[100];

	intent_begin();
	write_all(text, sizeof text - 1);
	CU_ASSERT_PTR_NULL(intent_try(0));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, "another version"));
	CU_ASSERT_EQUAL(read_all(now, sizeof now), sizeof text - 1);
	intent_end();
}

static void what_cannot_be_synced_did_not_begin_and_is_not_decided(void)
{
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT(intent_start(all, "a", INTENT_MAKE, 1, "x"));
	sync_error = EIO;
	CU_ASSERT(!intent_start(all, "b", INTENT_MAKE, 1, "x"));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, intent_path));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, strerror(EIO)));
	CU_ASSERT(!intent_decide(all, "a", 3, "y"));
	sync_error = 0;
	CU_ASSERT_EQUAL(intents_count(all), 1);
	CU_ASSERT(intent_is(intents_at(all, 0), "a", false, 1, "x"));
	intents_close(all);
	all = intent_open();
	CU_ASSERT_EQUAL(intents_count(all), 1);
	CU_ASSERT(intent_is(intents_at(all, 0), "a", false, 1, "x"));
	CU_ASSERT(intent_decide(all, "a", 3, "y"));
	intents_close(all);
	intent_end();
}

/* A full disk is one that takes no more than so many bytes. */
static void a_full_disk_is_reported_wherever_it_is_full(void)
{
	struct rlimit usual, full;
	struct intents *all;

	intent_begin();
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &usual), 0);
	full = usual;
	for (full.rlim_cur = 0; full.rlim_cur < 90; full.rlim_cur++) {
		CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &full), 0);
		all = intent_open();
		if (intent_start(all, "a", INTENT_MAKE, 1, "x"))
			CU_ASSERT(!intent_start(all, "b", INTENT_MAKE, 1,
						"a body that does not fit"));
		CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, strerror(EFBIG)));
		CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &usual), 0);
		CU_ASSERT(intents_count(all) <= 1);
		CU_ASSERT(intent_start(all, "c", INTENT_MAKE, 1, "x"));
		intents_settle(all, "a", 0);
		intents_settle(all, "c", 0);
		intents_close(all);
		CU_ASSERT(!intents_any(&trio));
	}
	intent_end();
}

static void expect_refused(const char *word)
{
	CU_ASSERT_PTR_NULL(intent_try(0));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, word));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, intent_dir));
}

static void files_that_are_not_safe_are_refused(void)
{
	char other[220];

	intent_begin();
	(void)snprintf(other, sizeof other, "%s/other", intent_dir);
	write_all("", 0);
	CU_ASSERT_EQUAL(chmod(intent_path, 0666), 0);
	expect_refused("others can write it");
	CU_ASSERT_EQUAL(chmod(intent_path, 0600), 0);
	CU_ASSERT_EQUAL(link(intent_path, other), 0);
	expect_refused("more than one name");
	CU_ASSERT_EQUAL(unlink(intent_path), 0);
	CU_ASSERT_EQUAL(symlink(other, intent_path), 0);
	expect_refused("symbolic link");
	CU_ASSERT_EQUAL(unlink(intent_path), 0);
	CU_ASSERT_EQUAL(mkdir(intent_path, 0700), 0);
	expect_refused("irectory");
	CU_ASSERT_EQUAL(rmdir(intent_path), 0);
	CU_ASSERT_EQUAL(mkfifo(intent_path, 0600), 0);
	expect_refused("no regular file");
	CU_ASSERT_EQUAL(unlink(intent_path), 0);
	CU_ASSERT_EQUAL(chmod(intent_dir, 0777), 0);
	expect_refused("others can write in it");
	intent_end();
}

static void a_directory_that_cannot_be_made_is_refused(void)
{
	char missing[400];

	intent_begin();
	(void)snprintf(missing, sizeof missing, "%s/a/b", intent_dir);
	trio_config.state_journal = missing;
	expect_refused("No such file");
	CU_ASSERT(!intents_any(&trio));
	(void)snprintf(missing, sizeof missing, "%s/a", intent_dir);
	intents_close(intent_open());
	(void)snprintf(intent_path, sizeof intent_path, "%s/0123456789abcdef.journal", missing);
	CU_ASSERT_EQUAL(unlink(intent_path), 0);
	CU_ASSERT_EQUAL(rmdir(missing), 0);
	intent_end();
}

static void a_journal_that_was_removed_or_closed_takes_nothing_more(void)
{
	struct intents *all;

	intent_begin();
	all = intent_open();
	CU_ASSERT_EQUAL(unlink(intent_path), 0);
	CU_ASSERT(!intent_start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, "removed"));
	intents_close(all);
	all = intent_open();
	CU_ASSERT(intent_start(all, "a", INTENT_MAKE, 1, ""));
	for (int fd = 3; fd < 64; fd++)
		(void)close(fd); /* as an application that makes itself a daemon */
	CU_ASSERT(!intent_decide(all, "a", 1, ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(intent_why, "closed"));
	intents_settle(all, "a", 1);
	intents_close(all);
	intent_end();
}

static const struct unit_test tests[] = {
	UNIT(a_line_that_was_torn_anywhere_does_not_count),
	UNIT(what_follows_a_damaged_byte_is_not_believed_and_kept),
	UNIT(a_line_that_is_lost_in_the_middle_is_noticed),
	UNIT(another_version_is_left_alone),
	UNIT(what_cannot_be_synced_did_not_begin_and_is_not_decided),
	UNIT(a_full_disk_is_reported_wherever_it_is_full),
	UNIT(files_that_are_not_safe_are_refused),
	UNIT(a_directory_that_cannot_be_made_is_refused),
	UNIT(a_journal_that_was_removed_or_closed_takes_nothing_more),
};

UNIT_MAIN("core/intent (damage)", tests)

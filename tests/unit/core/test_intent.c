/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of intents: what a reader finds of what a writer wrote, whatever ended the writer,
 * and what becomes of files that are damaged, full, or not ours. */
#include "core/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/files.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

/* More allocations than any step has. */
#define MOST 60UL

static char dir[200];
static char path[500];
static char why[1500];
static int sync_error; /* of fdatasync; 0: it works */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	errno = sync_error;
	return sync_error != 0 ? -1 : __real_fdatasync(fd);
}

static void begin(void)
{
	trio_begin(CONFIG_MODE_FAILOVER);
	memcpy(trio.serial, "0123456789abcdef", 16);
	(void)snprintf(dir, sizeof dir, "%s", files_begin());
	(void)snprintf(path, sizeof path, "%s/0123456789abcdef.journal", dir);
	trio_config.state_journal = dir;
	sync_error = 0;
}

static void end(void)
{
	files_end();
	trio_end();
}

static struct intents *open_it(void)
{
	struct intents *all = intents_open(&trio, 0, why, sizeof why);

	if (!all)
		(void)fprintf(stderr, "%s\n", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	return all;
}

/* Without an allocation; holds until the next call. */
static struct buf body_of(const char *text)
{
	static unsigned char bytes[100];
	size_t len = strlen(text);

	memcpy(bytes, text, len);
	return (struct buf){.data = bytes, .len = len};
}

static bool start(struct intents *all, const char *tag, enum intent_kind kind, unsigned owed,
		  const char *text)
{
	struct intent i = {.kind = kind, .owed = owed, .body = body_of(text)};

	(void)snprintf(i.tag, sizeof i.tag, "%s", tag);
	return intents_begin(all, &i, why, sizeof why);
}

static bool decide(struct intents *all, const char *tag, unsigned owed, const char *text)
{
	struct buf body = body_of(text);

	return intents_commit(all, tag, &body, owed, why, sizeof why);
}

static bool is_intent(const struct intent *i, const char *tag, bool is_committed, unsigned owed,
		      const char *text)
{
	return i && strcmp(i->tag, tag) == 0 && i->is_committed == is_committed &&
	       i->owed == owed && i->body.len == strlen(text) &&
	       (i->body.len == 0 || memcmp(i->body.data, text, i->body.len) == 0);
}

/* Ends as a killed process does: nothing is closed properly, the lock ends. */
static void crash_after(void (*work)(struct intents *all))
{
	int status;
	pid_t pid = fork();

	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0) {
		struct intents *all = intents_open(&trio, 0, why, sizeof why);

		if (all)
			work(all);
		(void)kill(getpid(), SIGKILL);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFSIGNALED(status));
}

/* One thing at each stage. */
static void work_a_bit(struct intents *all)
{
	(void)start(all, "hsmux-pending-1", INTENT_MAKE, 7, "make it so");
	(void)start(all, "hsmux-pending-2", INTENT_DESTROY, 3, "");
	(void)decide(all, "hsmux-pending-2", 2, "new words");
	(void)start(all, "hsmux-pending-3", INTENT_CHANGE, 4, "-");
	(void)decide(all, "hsmux-pending-3", 4, "done");
	intents_settle(all, "hsmux-pending-3", 0);
	(void)start(all, "hsmux-pending-4", INTENT_MAKE, 0, "");
	intents_settle(all, "hsmux-pending-1", 5);
}

static void expect_work(const struct intents *all)
{
	CU_ASSERT_EQUAL(intents_count(all), 3);
	CU_ASSERT(is_intent(intents_at(all, 0), "hsmux-pending-1", false, 5, "make it so"));
	CU_ASSERT(is_intent(intents_at(all, 1), "hsmux-pending-2", true, 2, "new words"));
	CU_ASSERT(is_intent(intents_at(all, 2), "hsmux-pending-4", false, 0, ""));
	CU_ASSERT_PTR_NULL(intents_at(all, 3));
	CU_ASSERT_EQUAL(intents_at(all, 0)->kind, INTENT_MAKE);
	CU_ASSERT_EQUAL(intents_at(all, 1)->kind, INTENT_DESTROY);
}

static void what_a_killed_process_left_is_read(void)
{
	struct intents *all;

	begin();
	CU_ASSERT(!intents_any(&trio));
	crash_after(work_a_bit);
	CU_ASSERT(intents_any(&trio));
	all = open_it();
	expect_work(all);
	intents_close(all);
	CU_ASSERT(intents_any(&trio));
	all = open_it();
	expect_work(all);
	intents_settle(all, "hsmux-pending-1", 0);
	intents_settle(all, "hsmux-pending-2", 0);
	intents_settle(all, "hsmux-pending-4", 0);
	intents_settle(all, "hsmux-pending-5", 0);
	CU_ASSERT_EQUAL(intents_count(all), 0);
	intents_close(all);
	CU_ASSERT(!intents_any(&trio));
	end();
}

static void a_journal_is_its_users_alone(void)
{
	struct stat st;

	begin();
	intents_close(open_it());
	CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	end();
}

static size_t read_all(unsigned char *text, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, room);

	CU_ASSERT_FATAL(n >= 0);
	close(fd);
	return (size_t)n;
}

static void write_all(const void *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static bool is_aside(void)
{
	char name[520];

	(void)snprintf(name, sizeof name, "%s.damaged", path);
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

	begin();
	crash_after(work_a_bit);
	len = read_all(text, sizeof text);
	CU_ASSERT_EQUAL_FATAL(lines_of(text, len), 9);
	for (size_t cut = 0; cut <= len; cut++) {
		write_all(text, cut);
		all = open_it();
		CU_ASSERT_EQUAL(intents_count(all), undone_after(lines_of(text, cut)));
		CU_ASSERT(start(all, "more", INTENT_MAKE, 1, "x"));
		intents_close(all);
		all = open_it();
		CU_ASSERT_EQUAL(intents_count(all), undone_after(lines_of(text, cut)) + 1);
		intents_close(all);
		CU_ASSERT(!is_aside());
	}
	end();
}

static void what_follows_a_damaged_byte_is_not_believed_and_kept(void)
{
	unsigned char text[600], bad[600];
	struct intents *all;
	size_t len;

	begin();
	crash_after(work_a_bit);
	len = read_all(text, sizeof text);
	for (size_t i = 0; i < len; i++) {
		unsigned before = lines_of(text, i);

		memcpy(bad, text, len);
		bad[i] ^= 1;
		write_all(bad, len);
		all = open_it();
		CU_ASSERT_EQUAL(intents_count(all), undone_after(before));
		intents_close(all);
		/* Without its newline the last but one is part of the last. */
		CU_ASSERT_EQUAL(is_aside(), before < 8 && !(before == 7 && text[i] == '\n'));
	}
	end();
}

static void a_line_that_is_lost_in_the_middle_is_noticed(void)
{
	unsigned char text[600];
	struct intents *all;
	size_t len, second, third;

	begin();
	crash_after(work_a_bit);
	len = read_all(text, sizeof text);
	second = (size_t)((unsigned char *)memchr(text, '\n', len) - text) + 1;
	third = second +
		(size_t)((unsigned char *)memchr(text + second, '\n', len - second) -
			 (text + second)) +
		1;
	memmove(text + second, text + third, len - third);
	write_all(text, len - (third - second));
	all = open_it();
	CU_ASSERT_EQUAL(intents_count(all), 0);
	intents_close(all);
	CU_ASSERT(is_aside());
	end();
}

static void another_version_is_left_alone(void)
{
	/* Of "hsmux journal 2": the sum is right. */
	static const char text[] = "6985a001 hsmux journal 2\n";
	unsigned char now[100];

	begin();
	write_all(text, sizeof text - 1);
	CU_ASSERT_PTR_NULL(intents_open(&trio, 0, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "another version"));
	CU_ASSERT_EQUAL(read_all(now, sizeof now), sizeof text - 1);
	end();
}

static void members_are_known_by_name(void)
{
	struct intents *all;

	begin();
	all = open_it();
	CU_ASSERT(start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT(start(all, "b", INTENT_MAKE, 6, ""));
	intents_close(all);
	trio_member_conf[0].name = trio_member_conf[2].name;
	trio_member_conf[2].name = (char[]){"m0"};
	all = open_it();
	CU_ASSERT(is_intent(intents_at(all, 0), "a", false, 4, ""));
	CU_ASSERT(is_intent(intents_at(all, 1), "b", false, 3, ""));
	intents_close(all);
	end();
}

static void what_is_owed_to_a_member_without_configuration_waits_for_it(void)
{
	struct intents *all;

	begin();
	all = open_it();
	CU_ASSERT(start(all, "a", INTENT_MAKE, 7, "x"));
	CU_ASSERT(start(all, "b", INTENT_MAKE, 1, "y"));
	intents_close(all);
	trio_keep(2);
	all = open_it();
	CU_ASSERT(is_intent(intents_at(all, 0), "a", false, 3, "x"));
	CU_ASSERT(decide(all, "a", 3, "z"));
	intents_settle(all, "a", 0);
	intents_settle(all, "b", 0);
	CU_ASSERT_EQUAL(intents_count(all), 0);
	CU_ASSERT_PTR_NULL(intents_at(all, 0));
	intents_close(all);
	CU_ASSERT(intents_any(&trio));
	trio_keep(3);
	all = open_it();
	CU_ASSERT_EQUAL(intents_count(all), 1);
	CU_ASSERT(is_intent(intents_at(all, 0), "a", true, 4, "z"));
	intents_close(all);
	end();
}

static void a_long_journal_is_made_short(void)
{
	struct intents *all;
	struct stat st;

	begin();
	all = open_it();
	CU_ASSERT(start(all, "stays", INTENT_MAKE, 7, "x"));
	CU_ASSERT(start(all, "stays-too", INTENT_DESTROY, 7, "x"));
	CU_ASSERT(decide(all, "stays-too", 3, "y"));
	for (unsigned i = 0; i < 1500; i++) {
		CU_ASSERT(start(all, "goes", INTENT_CHANGE, 1, "some words"));
		intents_settle(all, "goes", 0);
	}
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT(st.st_size > 1 << 16);
	intents_close(all);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT(st.st_size < 1000);
	all = open_it();
	CU_ASSERT_EQUAL(intents_count(all), 2);
	CU_ASSERT(is_intent(intents_at(all, 0), "stays", false, 7, "x"));
	CU_ASSERT(is_intent(intents_at(all, 1), "stays-too", true, 3, "y"));
	intents_close(all);
	end();
}

static void what_cannot_be_synced_did_not_begin_and_is_not_decided(void)
{
	struct intents *all;

	begin();
	all = open_it();
	CU_ASSERT(start(all, "a", INTENT_MAKE, 1, "x"));
	sync_error = EIO;
	CU_ASSERT(!start(all, "b", INTENT_MAKE, 1, "x"));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, path));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, strerror(EIO)));
	CU_ASSERT(!decide(all, "a", 3, "y"));
	sync_error = 0;
	CU_ASSERT_EQUAL(intents_count(all), 1);
	CU_ASSERT(is_intent(intents_at(all, 0), "a", false, 1, "x"));
	intents_close(all);
	all = open_it();
	CU_ASSERT_EQUAL(intents_count(all), 1);
	CU_ASSERT(is_intent(intents_at(all, 0), "a", false, 1, "x"));
	CU_ASSERT(decide(all, "a", 3, "y"));
	intents_close(all);
	end();
}

/* A full disk is one that takes no more than so many bytes. */
static void a_full_disk_is_reported_wherever_it_is_full(void)
{
	struct rlimit usual, full;
	struct intents *all;

	begin();
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &usual), 0);
	full = usual;
	for (full.rlim_cur = 0; full.rlim_cur < 90; full.rlim_cur++) {
		CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &full), 0);
		all = open_it();
		if (start(all, "a", INTENT_MAKE, 1, "x"))
			CU_ASSERT(!start(all, "b", INTENT_MAKE, 1, "a body that does not fit"));
		CU_ASSERT_PTR_NOT_NULL(strstr(why, strerror(EFBIG)));
		CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &usual), 0);
		CU_ASSERT(intents_count(all) <= 1);
		CU_ASSERT(start(all, "c", INTENT_MAKE, 1, "x"));
		intents_settle(all, "a", 0);
		intents_settle(all, "c", 0);
		intents_close(all);
		CU_ASSERT(!intents_any(&trio));
	}
	end();
}

static void what_is_no_line_is_refused(void)
{
	struct intents *all;

	begin();
	all = open_it();
	CU_ASSERT(!start(all, "a", INTENT_MAKE, 1, "two\nlines"));
	CU_ASSERT(!start(all, "A tag", INTENT_MAKE, 1, ""));
	CU_ASSERT(!start(all, "", INTENT_MAKE, 1, ""));
	CU_ASSERT(!decide(all, "a", 1, ""));
	CU_ASSERT(start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT(!start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT(!decide(all, "a", 1, "two\nlines"));
	CU_ASSERT_EQUAL(intents_count(all), 1);
	intents_close(all);
	end();
}

static void expect_refused(const char *word)
{
	CU_ASSERT_PTR_NULL(intents_open(&trio, 0, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, word));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, dir));
}

static void files_that_are_not_safe_are_refused(void)
{
	char other[220];

	begin();
	(void)snprintf(other, sizeof other, "%s/other", dir);
	write_all("", 0);
	CU_ASSERT_EQUAL(chmod(path, 0666), 0);
	expect_refused("others can write it");
	CU_ASSERT_EQUAL(chmod(path, 0600), 0);
	CU_ASSERT_EQUAL(link(path, other), 0);
	expect_refused("more than one name");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(symlink(other, path), 0);
	expect_refused("symbolic link");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
	expect_refused("irectory");
	CU_ASSERT_EQUAL(rmdir(path), 0);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	expect_refused("no regular file");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(chmod(dir, 0777), 0);
	expect_refused("others can write in it");
	end();
}

static void a_directory_that_cannot_be_made_is_refused(void)
{
	char missing[400];

	begin();
	(void)snprintf(missing, sizeof missing, "%s/a/b", dir);
	trio_config.state_journal = missing;
	expect_refused("No such file");
	CU_ASSERT(!intents_any(&trio));
	(void)snprintf(missing, sizeof missing, "%s/a", dir);
	intents_close(open_it());
	(void)snprintf(path, sizeof path, "%s/0123456789abcdef.journal", missing);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(rmdir(missing), 0);
	end();
}

static void without_its_own_directory_it_is_in_that_of_the_state(void)
{
	begin();
	trio_config.state_journal = NULL;
	trio_config.state_directory = dir;
	intents_close(open_it());
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	end();
}

static void a_journal_that_was_removed_or_closed_takes_nothing_more(void)
{
	struct intents *all;

	begin();
	all = open_it();
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT(!start(all, "a", INTENT_MAKE, 1, ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "removed"));
	intents_close(all);
	all = open_it();
	CU_ASSERT(start(all, "a", INTENT_MAKE, 1, ""));
	for (int fd = 3; fd < 64; fd++)
		(void)close(fd); /* as an application that makes itself a daemon */
	CU_ASSERT(!decide(all, "a", 1, ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "closed"));
	intents_settle(all, "a", 1);
	intents_close(all);
	end();
}

static void without_memory_nothing_begins_and_nothing_is_lost(void)
{
	begin();
	for (unsigned long n = 1; n <= MOST; n++) {
		struct intents *all = open_it();
		bool begun, decided, is_read;

		alloc_fail_at(n);
		begun = start(all, "a", INTENT_MAKE, 1, "x");
		alloc_fail_at(0);
		CU_ASSERT_EQUAL(intents_count(all), begun ? 1 : 0);
		if (!begun)
			CU_ASSERT(start(all, "a", INTENT_MAKE, 1, "x"));
		alloc_fail_at(n);
		decided = decide(all, "a", 2, "y");
		alloc_fail_at(0);
		CU_ASSERT(is_intent(intents_at(all, 0), "a", decided, decided ? 2 : 1,
				    decided ? "y" : "x"));
		intents_close(all);
		alloc_fail_at(n);
		all = intents_open(&trio, 0, why, sizeof why);
		alloc_fail_at(0);
		is_read = all != NULL;
		if (!is_read)
			all = open_it();
		CU_ASSERT_EQUAL(intents_count(all), 1);
		CU_ASSERT_EQUAL(intents_at(all, 0)->is_committed, decided);
		intents_settle(all, "a", 0);
		intents_close(all);
		CU_ASSERT(n < MOST || (begun && decided && is_read));
	}
	end();
}

static const struct unit_test tests[] = {
	UNIT(what_a_killed_process_left_is_read),
	UNIT(a_journal_is_its_users_alone),
	UNIT(a_line_that_was_torn_anywhere_does_not_count),
	UNIT(what_follows_a_damaged_byte_is_not_believed_and_kept),
	UNIT(a_line_that_is_lost_in_the_middle_is_noticed),
	UNIT(another_version_is_left_alone),
	UNIT(members_are_known_by_name),
	UNIT(what_is_owed_to_a_member_without_configuration_waits_for_it),
	UNIT(a_long_journal_is_made_short),
	UNIT(what_cannot_be_synced_did_not_begin_and_is_not_decided),
	UNIT(a_full_disk_is_reported_wherever_it_is_full),
	UNIT(what_is_no_line_is_refused),
	UNIT(files_that_are_not_safe_are_refused),
	UNIT(a_directory_that_cannot_be_made_is_refused),
	UNIT(without_its_own_directory_it_is_in_that_of_the_state),
	UNIT(a_journal_that_was_removed_or_closed_takes_nothing_more),
	UNIT(without_memory_nothing_begins_and_nothing_is_lost),
};

UNIT_MAIN("core/intent", tests)

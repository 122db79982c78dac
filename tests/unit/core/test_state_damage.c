/* SPDX-License-Identifier: BSD-2-Clause */
/* State: what the application must survive. Reads and writes can be made to fail from here. */
#include "core/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/state_file.h"
#include "tests/unit/core/files.h"
#include "tests/unit/core/state_world.h"
#include "tests/unit/unit.h"

static const char *dir;
static char path[600];
static char why[1500];
static const struct state_id some_id = {{1, 2, 3}};

/* How the next reads and writes end. */
static _Atomic int write_error; /* 0: they work */
static _Atomic int read_error;
static _Atomic bool is_slow; /* one byte at a time, interrupted before each */
static _Atomic unsigned turns;

ssize_t __real_pread64(int fd, void *data, size_t len, off_t at);
ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);

static bool is_failing(int error)
{
	errno = error != 0 ? error : EINTR;
	return error != 0 || (is_slow && atomic_fetch_add(&turns, 1) % 2 == 0);
}

ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t at)
{
	return is_failing(read_error) ? -1
				      : __real_pread64(fd, data, is_slow && len > 1 ? 1 : len, at);
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at)
{
	return is_failing(write_error)
		       ? -1
		       : __real_pwrite64(fd, data, is_slow && len > 1 ? 1 : len, at);
}

static void publish(struct state *s, const char *program)
{
	struct state_process *p = malloc(sizeof *p);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	world_process(p, program, 1);
	state_publish(s, p);
	free(p);
}

static bool knows(struct state *s)
{
	struct state_health health;

	return state_health_get(s, &some_id, &health) && health.is_down;
}

static void tell(struct state *s)
{
	const struct state_health health = {.is_down = true, .reason = "gone"};

	state_health_put(s, &some_id, &health);
}

/* Publishing and telling work. */
static void expect_works(struct state *s)
{
	publish(s, "works");
	CU_ASSERT_EQUAL(world_count(dir, "works", NULL), 1);
	tell(s);
	CU_ASSERT_TRUE(knows(s));
}

static void scribble(off_t at, size_t len)
{
	unsigned char bytes[64];
	int fd = open(path, O_RDWR);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	memset(bytes, 0x5A, sizeof bytes);
	CU_ASSERT_EQUAL(__real_pwrite64(fd, bytes, len, at), (ssize_t)len);
	close(fd);
}

/* Every 64th place of the header, the health records and the first process records. */
static void damage_anywhere_is_noticed_and_repaired(void)
{
	struct state *s = world_open(dir);
	struct stat st = {0};

	expect_works(s);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	for (off_t at = 0; at + 64 < st.st_size; at += at < 40000 ? 64 : 4096) {
		struct state_process *p;
		size_t count;

		scribble(at, 64);
		(void)knows(s); /* whatever it says */
		p = state_processes(dir, &count);
		CU_ASSERT_TRUE(count <= 1);
		free(p);
		expect_works(s);
	}
	state_close(s, false);
}

static void a_damaged_record_is_not_believed(void)
{
	struct state *s = world_open(dir);
	char byte;
	int fd;

	tell(s);
	fd = open(path, O_RDWR);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	for (off_t at = 4096 + 16; at < 4096 + 64 * 512; at += 512) {
		CU_ASSERT_TRUE(__real_pread64(fd, &byte, 1, at) >= 0);
		byte ^= 1;
		CU_ASSERT_EQUAL(__real_pwrite64(fd, &byte, 1, at), 1);
	}
	CU_ASSERT_FALSE(knows(s));
	close(fd);
	expect_works(s);
	state_close(s, false);
}

static void a_file_of_anything_is_made_anew(void)
{
	static const char *const contents[] = {"", "x", "hsmux state",
					       "\x7f"
					       "ELF"};
	struct state *s;

	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "%lu.state", (unsigned long)geteuid());
		(void)files_write(name, contents[i], 0600);
		s = world_open(dir);
		expect_works(s);
		state_close(s, false);
	}
}

struct storm {
	struct state *state;
	_Atomic bool is_over;
	_Atomic unsigned long rounds;
};

static void *storm(void *arg)
{
	struct storm *storm = arg;
	struct state_process *p = malloc(sizeof *p);

	while (p && !storm->is_over) {
		size_t count;

		world_process(p, "storm", 1);
		state_publish(storm->state, p);
		tell(storm->state);
		(void)knows(storm->state); /* whatever it says */
		free(state_processes(dir, &count));
		storm->rounds++;
	}
	free(p);
	return NULL;
}

static void truncation_while_others_read_and_write_is_survived(void)
{
	static const off_t sizes[] = {0, 1, 7, 100, 4095, 4097, 20000, 40001, 100000, 5000000};
	struct storm s = {.state = world_open(dir)};
	pthread_t threads[3];

	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, storm, &s), 0);
	for (unsigned i = 0; i < 300; i++) {
		unsigned long before = s.rounds;

		CU_ASSERT_EQUAL(truncate(path, sizes[i % 10]), 0);
		while (s.rounds == before)
			(void)sched_yield();
	}
	s.is_over = true;
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
	expect_works(s.state);
	state_close(s.state, false);
}

static void a_file_that_was_removed_or_replaced_is_opened_again(void)
{
	struct state *s = world_open(dir), *other;
	char moved[700];

	expect_works(s);
	CU_ASSERT_EQUAL(unlink(path), 0);
	expect_works(s);
	(void)snprintf(moved, sizeof moved, "%s.old", path);
	CU_ASSERT_EQUAL(rename(path, moved), 0);
	other = world_open(dir);
	publish(other, "other");
	expect_works(s);
	CU_ASSERT_EQUAL(world_count(dir, "other", NULL), 1);
	state_close(other, false);
	state_close(s, false);
	CU_ASSERT_EQUAL(unlink(moved), 0);
}

static void a_directory_that_vanishes_comes_back(void)
{
	char inner[650], file[700];
	struct state *s;

	(void)snprintf(inner, sizeof inner, "%s/inner", dir);
	(void)snprintf(file, sizeof file, "%s/%lu.state", inner, (unsigned long)geteuid());
	s = world_open(inner);
	publish(s, "inner");
	CU_ASSERT_EQUAL(unlink(file), 0);
	CU_ASSERT_EQUAL(rmdir(inner), 0);
	CU_ASSERT_EQUAL(symlink("/", inner), 0);
	publish(s, "inner");
	tell(s);
	CU_ASSERT_FALSE(knows(s));
	CU_ASSERT_EQUAL(unlink(inner), 0);
	publish(s, "inner");
	CU_ASSERT_EQUAL(world_count(inner, "inner", NULL), 1);
	state_close(s, false);
	CU_ASSERT_EQUAL(unlink(file), 0);
	CU_ASSERT_EQUAL(rmdir(inner), 0);
}

static void failing_reads_and_writes_are_survived(void)
{
	static const int errors[] = {ENOSPC, EROFS, EIO, EDQUOT, EBADF};
	struct state *s = world_open(dir);

	expect_works(s);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		write_error = errors[i];
		publish(s, "never");
		tell(s);
		CU_ASSERT_EQUAL(truncate(path, 0), 0);
		publish(s, "never");
		read_error = errors[i];
		publish(s, "never");
		CU_ASSERT_FALSE(knows(s));
		write_error = 0;
		read_error = 0;
		expect_works(s);
	}
	state_close(s, false);
	CU_ASSERT_EQUAL(unlink(path), 0);
	write_error = ENOSPC;
	CU_ASSERT_PTR_NULL(state_open(dir, why, sizeof why));
	write_error = 0;
	CU_ASSERT_PTR_NOT_NULL(strstr(why, strerror(ENOSPC)));
}

static void short_and_interrupted_transfers_are_whole_in_the_end(void)
{
	struct state *s;

	is_slow = true;
	s = world_open(dir);
	expect_works(s);
	state_close(s, false);
	is_slow = false;
}

/* A write beyond the limit would end the process with SIGXFSZ. */
static void a_limit_of_the_file_size_is_survived(void)
{
	struct state *s = world_open(dir);
	struct rlimit old, small;

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 36864; /* the first process record begins there */
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
	publish(s, "limited");
	tell(s);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
	CU_ASSERT_EQUAL(world_count(dir, "limited", NULL), 0);
	expect_works(s);
	state_close(s, false);
}

/* An application that closes all descriptors and uses their numbers for its own files. */
static void a_descriptor_that_the_application_took_is_left_alone(void)
{
	struct state *s = world_open(dir);
	char name[700];
	struct stat st = {0};
	int fd, taken;

	publish(s, "works");
	(void)snprintf(name, sizeof name, "%s", files_write("precious", "mine", 0600));
	for (fd = 3; fd < 64; fd++)
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 30000)
			break;
	CU_ASSERT_TRUE_FATAL(fd < 64);
	taken = open(name, O_RDWR);
	CU_ASSERT_EQUAL_FATAL(dup2(taken, fd), fd);
	close(taken);
	expect_works(s);
	state_close(s, false);
	CU_ASSERT_EQUAL(fstat(fd, &st), 0);
	CU_ASSERT_EQUAL(st.st_size, 4);
	close(fd);
}

static void expect_refused(const char *directory, const char *word)
{
	why[0] = '\0';
	CU_ASSERT_PTR_NULL(state_open(directory, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, word));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, directory));
}

static void a_file_that_is_not_ours_alone_is_refused(void)
{
	char other[700];

	state_close(world_open(dir), false);
	CU_ASSERT_EQUAL(chmod(path, 0620), 0);
	expect_refused(dir, "others can write it");
	CU_ASSERT_EQUAL(chmod(path, 0602), 0);
	expect_refused(dir, "others can write it");
	CU_ASSERT_EQUAL(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		CU_ASSERT_EQUAL(chown(path, 65534, 65534), 0);
		expect_refused(dir, "another user");
		CU_ASSERT_EQUAL(chown(path, 0, 0), 0);
	}
	(void)snprintf(other, sizeof other, "%s.other", path);
	CU_ASSERT_EQUAL(link(path, other), 0);
	expect_refused(dir, "more than one name");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(symlink(other, path), 0);
	expect_refused(dir, "symbolic link");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	expect_refused(dir, "no regular file");
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(rename(other, path), 0);
}

static void a_directory_that_is_not_ours_alone_is_refused(void)
{
	char other[700];

	CU_ASSERT_EQUAL(chmod(dir, 0770), 0);
	expect_refused(dir, "others can write in it");
	CU_ASSERT_EQUAL(chmod(dir, 0700), 0);
	(void)snprintf(other, sizeof other, "%s/link", dir);
	CU_ASSERT_EQUAL(symlink(".", other), 0);
	expect_refused(other, "symbolic link");
	CU_ASSERT_EQUAL(unlink(other), 0);
	expect_refused(files_write("file", "", 0600), "no directory");
	expect_refused("/nonexistent/deeper", "No such file");
	if (geteuid() != 0)
		return;
	CU_ASSERT_EQUAL(chown(dir, 65534, 65534), 0);
	expect_refused(dir, "another user");
	CU_ASSERT_EQUAL(chown(dir, 0, 0), 0);
	CU_ASSERT_EQUAL(chmod(dir, 01777), 0); /* as /tmp: root's own */
	state_close(world_open(dir), false);
	CU_ASSERT_EQUAL(chmod(dir, 0700), 0);
}

/* A newer hsmux, or one after a restart of the machine, takes the file over when it starts; those
 * that run with it do not take it back for ever. */
static void a_file_of_another_version_is_taken_over_once(void)
{
	struct state *s = world_open(dir);
	struct state_file f;
	char header[80];

	expect_works(s);
	CU_ASSERT_TRUE_FATAL(state_file_open(&f, dir, why, sizeof why));
	CU_ASSERT_TRUE(state_file_read(&f, STATE_HEADER, 0, header, sizeof header));
	header[13]++; /* in the version */
	CU_ASSERT_TRUE(state_file_write(&f, STATE_HEADER, 0, header, 68));
	publish(s, "works");
	CU_ASSERT_FALSE(knows(s));
	CU_ASSERT_EQUAL(world_count(dir, "works", NULL), 0);
	CU_ASSERT_TRUE(state_file_read(&f, STATE_HEADER, 0, header, sizeof header));
	header[13]--;
	header[40] ^= 1; /* in the boot */
	CU_ASSERT_TRUE(state_file_write(&f, STATE_HEADER, 0, header, 68));
	CU_ASSERT_FALSE(knows(s));
	state_file_close(&f);
	state_close(world_open(dir), false);
	CU_ASSERT_FALSE(knows(s));
	expect_works(s);
	state_close(s, false);
}

/* A record with a right sum that no hsmux would write. */
static void texts_without_end_are_not_followed(void)
{
	const size_t len = sizeof(struct state_process) + 8;
	unsigned char *body = malloc(len);
	struct state_process *p;
	struct state_file f;
	size_t count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(body);
	memset(body, 'x', len);
	CU_ASSERT_TRUE_FATAL(state_file_open(&f, dir, why, sizeof why));
	CU_ASSERT_TRUE(state_file_lock(&f, STATE_PROCESS, 0, 0));
	CU_ASSERT_TRUE(state_file_write(&f, STATE_PROCESS, 0, body, len));
	p = state_processes(dir, &count);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	CU_ASSERT_EQUAL(strlen(p->program), STATE_TEXT - 1);
	CU_ASSERT_EQUAL(p->usage_count, STATE_MEMBERS);
	CU_ASSERT_EQUAL(strlen(p->usage[STATE_MEMBERS - 1].state), 15);
	CU_ASSERT_TRUE(p->usage[0].is_drained);
	free(p);
	state_file_close(&f);
	free(body);
	CU_ASSERT_PTR_NULL(state_processes(dir, &count));
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_PTR_NULL(state_processes("/nonexistent", &count));
}

static const struct unit_test tests[] = {
	UNIT(damage_anywhere_is_noticed_and_repaired),
	UNIT(a_damaged_record_is_not_believed),
	UNIT(a_file_of_anything_is_made_anew),
	UNIT(truncation_while_others_read_and_write_is_survived),
	UNIT(a_file_that_was_removed_or_replaced_is_opened_again),
	UNIT(a_directory_that_vanishes_comes_back),
	UNIT(failing_reads_and_writes_are_survived),
	UNIT(short_and_interrupted_transfers_are_whole_in_the_end),
	UNIT(a_limit_of_the_file_size_is_survived),
	UNIT(a_descriptor_that_the_application_took_is_left_alone),
	UNIT(a_file_that_is_not_ours_alone_is_refused),
	UNIT(a_directory_that_is_not_ours_alone_is_refused),
	UNIT(a_file_of_another_version_is_taken_over_once),
	UNIT(texts_without_end_are_not_followed),
};

int main(void)
{
	int code;

	dir = files_begin();
	(void)snprintf(path, sizeof path, "%s/%lu.state", dir, (unsigned long)geteuid());
	code = unit_run("core/state: damage", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}

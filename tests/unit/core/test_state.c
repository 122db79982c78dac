/* SPDX-License-Identifier: BSD-2-Clause */
/* State: what processes tell each other, when nothing is broken. */
#include "core/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/core/files.h"
#include "tests/unit/core/state_world.h"
#include "tests/unit/unit.h"

static const char *dir;

static const struct state_id some_id = {{1, 2, 3}};

static void publish(struct state *s, const char *program, unsigned long calls)
{
	struct state_process *p = malloc(sizeof *p);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	world_process(p, program, calls);
	state_publish(s, p);
	free(p);
}

static void what_is_published_is_read(void)
{
	struct state_process *p = malloc(sizeof *p);
	struct state *s = world_open(dir);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	publish(s, "one", 5);
	CU_ASSERT_EQUAL_FATAL(world_count(dir, "one", p), 1);
	CU_ASSERT_EQUAL(p->pid, getpid());
	CU_ASSERT_NOT_EQUAL(p->started, 0);
	CU_ASSERT_EQUAL_FATAL(p->usage_count, 2);
	CU_ASSERT_STRING_EQUAL(p->usage[1].member, "member1");
	CU_ASSERT_EQUAL(p->usage[0].calls, 5);
	CU_ASSERT_EQUAL(p->usage[0].bucket[4], 7);
	CU_ASSERT_TRUE(p->usage[1].is_drained);
	publish(s, "one", 9);
	CU_ASSERT_EQUAL(world_count(dir, "one", p), 1);
	CU_ASSERT_EQUAL(p->usage[0].calls, 9);
	state_close(s, false);
	CU_ASSERT_EQUAL(world_count(dir, "one", NULL), 0);
	free(p);
}

static void the_file_holds_nothing_but_what_was_said(void)
{
	struct state *s = world_open(dir);
	unsigned char bytes[512];
	size_t odd = 0;
	char path[600];
	ssize_t n;
	int fd;

	publish(s, "one", 0);
	(void)snprintf(path, sizeof path, "%s/%lu.state", dir, (unsigned long)geteuid());
	fd = open(path, O_RDONLY);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i + 3 < n; i++)
			odd += memcmp(bytes + i, "\xA5\xA5\xA5", 3) == 0;
	CU_ASSERT_EQUAL(odd, 0);
	close(fd);
	state_close(s, false);
}

static void a_killed_process_disappears(void)
{
	struct publisher p = publisher_start(dir, "killed");

	publisher_wait(&p);
	CU_ASSERT_EQUAL(world_count(dir, "killed", NULL), 1);
	publisher_end(&p, true);
	CU_ASSERT_EQUAL(world_count(dir, "killed", NULL), 0);
}

static void forty_processes_publish_at_once(void)
{
	struct publisher p[40];

	for (unsigned i = 0; i < 40; i++)
		p[i] = publisher_start(dir, "many");
	for (unsigned i = 0; i < 40; i++)
		publisher_wait(&p[i]);
	CU_ASSERT_EQUAL(world_count(dir, "many", NULL), 40);
	for (unsigned i = 0; i < 20; i++)
		publisher_end(&p[i], i % 2 == 0);
	CU_ASSERT_EQUAL(world_count(dir, "many", NULL), 20);
	for (unsigned i = 20; i < 40; i++)
		publisher_end(&p[i], false);
	CU_ASSERT_EQUAL(world_count(dir, "many", NULL), 0);
}

static void the_129th_process_goes_without(void)
{
	struct state *s[129];

	for (unsigned i = 0; i < 129; i++) {
		s[i] = world_open(dir);
		publish(s[i], "full", i);
	}
	CU_ASSERT_EQUAL(world_count(dir, "full", NULL), 128);
	state_close(s[7], false);
	publish(s[128], "full", 128);
	CU_ASSERT_EQUAL(world_count(dir, "full", NULL), 128);
	for (unsigned i = 0; i < 129; i++)
		if (i != 7)
			state_close(s[i], false);
	CU_ASSERT_EQUAL(world_count(dir, "full", NULL), 0);
}

/* What a child does; its exit code is what went wrong. */
static int child_of_a_fork(struct state *parents)
{
	struct state *own;
	int wrong = 0;

	publish(parents, "child", 77); /* not the child's: nothing happens */
	wrong |= world_count(dir, "child", NULL) == 0 ? 0 : 1;
	state_close(parents, true);
	wrong |= world_count(dir, "parent", NULL) == 1 ? 0 : 2;
	own = world_open(dir);
	publish(own, "child", 1);
	wrong |= world_count(dir, "child", NULL) == 1 ? 0 : 4;
	wrong |= world_count(dir, "parent", NULL) == 1 ? 0 : 8;
	state_close(own, false);
	return wrong;
}

static void a_forked_child_leaves_the_parents_record_alone(void)
{
	struct state_process *p = malloc(sizeof *p);
	struct state *s = world_open(dir);
	int status = -1;
	pid_t pid;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	publish(s, "parent", 3);
	pid = fork();
	if (pid == 0)
		_exit(child_of_a_fork(s));
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(world_count(dir, "parent", p), 1);
	CU_ASSERT_EQUAL(p->usage[0].calls, 3);
	publish(s, "parent", 4);
	CU_ASSERT_EQUAL(world_count(dir, "parent", NULL), 1);
	state_close(s, false);
	free(p);
}

/* A daemon's first process: publishes, leaves a child that knows nothing of it, and is gone. */
static void publish_and_fork(int go)
{
	struct state *s = world_open(dir);
	char byte;

	publish(s, "daemon", 1);
	if (fork() == 0) {
		while (read(go, &byte, 1) > 0)
			continue;
		_exit(0);
	}
	_exit(0); /* without state_close() */
}

static void a_child_that_inherits_the_lock_keeps_no_dead_parent_alive(void)
{
	int go[2], status;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		publish_and_fork(go[0]);
	}
	close(go[0]);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(world_count(dir, "daemon", NULL), 0);
	close(go[1]);
}

static void health_is_told_and_replaced(void)
{
	struct state_health in = {.is_down = true, .since_ms = 5, .until_ms = 7, .by = getpid()};
	struct state *a = world_open(dir), *b = world_open(dir);
	static const struct state_id other_id = {{9}}, nobody = {{0}};
	struct state_health out;

	memset(in.reason, 'r', sizeof in.reason); /* without an end */
	CU_ASSERT_FALSE(state_health_get(b, &some_id, &out));
	state_health_put(a, &some_id, &in);
	CU_ASSERT_TRUE_FATAL(state_health_get(b, &some_id, &out));
	CU_ASSERT_TRUE(out.is_down);
	CU_ASSERT_EQUAL(out.since_ms, 5);
	CU_ASSERT_EQUAL(out.until_ms, 7);
	CU_ASSERT_EQUAL(out.by, getpid());
	CU_ASSERT_EQUAL(strlen(out.reason), STATE_TEXT - 1);
	in.is_down = false;
	state_health_put(b, &some_id, &in);
	CU_ASSERT_TRUE(state_health_get(a, &some_id, &out));
	CU_ASSERT_FALSE(out.is_down);
	CU_ASSERT_FALSE(state_health_get(a, &other_id, &out));
	state_health_put(a, &nobody, &in);
	CU_ASSERT_FALSE(state_health_get(a, &nobody, &out));
	state_close(a, false);
	state_close(b, false);
}

static void the_oldest_health_makes_room(void)
{
	struct state_health health = {.is_down = true};
	struct state *s = world_open(dir);
	unsigned known = 0;

	for (unsigned i = 0; i < 70; i++) {
		struct state_id id = {{0x40, (uint8_t)i}};

		health.until_ms = i;
		state_health_put(s, &id, &health);
		CU_ASSERT_TRUE(state_health_get(s, &id, &health));
		CU_ASSERT_EQUAL(health.until_ms, i);
	}
	for (unsigned i = 0; i < 70; i++) {
		struct state_id id = {{0x40, (uint8_t)i}};

		known += state_health_get(s, &id, &health);
	}
	CU_ASSERT_EQUAL(known, 64);
	state_close(s, false);
}

static void an_id_is_that_of_the_real_token(void)
{
	char name[] = "DIR", value[] = "/a", other[] = "/b", library[] = "/l.so", label[] = "t";
	struct config_env env = {.name = name, .value = value};
	struct config_module module = {.library = library, .env = &env, .env_count = 1};
	struct config_member member = {.token = label, .priority = 1};
	struct state_id first = state_id_of(&module, &member), second;

	module.private_copy = true;
	member.priority = 2;
	second = state_id_of(&module, &member);
	CU_ASSERT_EQUAL(memcmp(&first, &second, sizeof first), 0);
	env.value = other;
	second = state_id_of(&module, &member);
	CU_ASSERT_NOT_EQUAL(memcmp(&first, &second, sizeof first), 0);
	env.value = value;
	member.token = NULL;
	member.serial = label;
	second = state_id_of(&module, &member);
	CU_ASSERT_NOT_EQUAL(memcmp(&first, &second, sizeof first), 0);
	member.token = label;
	member.serial = NULL;
	member.has_slot = true;
	second = state_id_of(&module, &member);
	CU_ASSERT_NOT_EQUAL(memcmp(&first, &second, sizeof first), 0);
}

static void the_directory_is_the_configured_one_or_a_default(void)
{
	char path[600], wanted[600];

	CU_ASSERT_TRUE(state_directory("/some/where", path, sizeof path));
	CU_ASSERT_STRING_EQUAL(path, "/some/where");
	CU_ASSERT_FALSE(state_directory("/some/where", path, 11));
	CU_ASSERT_EQUAL(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	(void)snprintf(wanted, sizeof wanted, "%s/hsmux", dir);
	CU_ASSERT_TRUE(state_directory(NULL, path, sizeof path));
	CU_ASSERT_STRING_EQUAL(path, wanted);
	/* Not absolute, or not there: as if it were not set. */
	CU_ASSERT_EQUAL(setenv("XDG_RUNTIME_DIR", "tmp", 1), 0);
	CU_ASSERT_TRUE(state_directory(NULL, path, sizeof path));
	CU_ASSERT_STRING_NOT_EQUAL(path, "tmp/hsmux");
	CU_ASSERT_EQUAL(unsetenv("XDG_RUNTIME_DIR"), 0);
	CU_ASSERT_TRUE(state_directory(NULL, wanted, sizeof wanted));
	CU_ASSERT_STRING_EQUAL(path, wanted);
	if (access("/run/hsmux", W_OK) != 0)
		(void)snprintf(wanted, sizeof wanted, "/tmp/hsmux-%lu", (unsigned long)geteuid());
	CU_ASSERT_STRING_EQUAL(path, wanted);
}

static void directory_and_file_are_made_private(void)
{
	struct stat st = {0};
	char path[600], file[700];
	struct state *s;

	(void)snprintf(path, sizeof path, "%s/made", dir);
	s = world_open(path);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0700);
	(void)snprintf(file, sizeof file, "%s/%lu.state", path, (unsigned long)geteuid());
	CU_ASSERT_EQUAL(stat(file, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	state_close(s, false);
	CU_ASSERT_EQUAL(unlink(file), 0);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	state_close(NULL, false);
}

static const struct unit_test tests[] = {
	UNIT(what_is_published_is_read),
	UNIT(the_file_holds_nothing_but_what_was_said),
	UNIT(a_killed_process_disappears),
	UNIT(forty_processes_publish_at_once),
	UNIT(the_129th_process_goes_without),
	UNIT(a_forked_child_leaves_the_parents_record_alone),
	UNIT(a_child_that_inherits_the_lock_keeps_no_dead_parent_alive),
	UNIT(health_is_told_and_replaced),
	UNIT(the_oldest_health_makes_room),
	UNIT(an_id_is_that_of_the_real_token),
	UNIT(the_directory_is_the_configured_one_or_a_default),
	UNIT(directory_and_file_are_made_private),
};

int main(void)
{
	int code;

	dir = files_begin();
	code = unit_run("core/state", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}

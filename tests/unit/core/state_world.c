/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of core/state.c share. A step that a test needs and that fails aborts it. */
#include "tests/unit/core/state_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void world_process(struct state_process *p, const char *program, unsigned long calls)
{
	memset(p, 0xA5, sizeof *p); /* what lies behind the texts must not be published */
	p->pid = getpid();
	p->started = 0;
	(void)snprintf(p->program, sizeof p->program, "%s", program);
	p->usage_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct state_usage *u = &p->usage[i];

		(void)snprintf(u->token, sizeof u->token, "token");
		(void)snprintf(u->member, sizeof u->member, "member%u", i);
		memset(&u->id, (int)i + 1, sizeof u->id);
		(void)snprintf(u->state, sizeof u->state, "up");
		(void)snprintf(u->breaker, sizeof u->breaker, "closed");
		u->reason[0] = '\0';
		u->since_ms = 1000;
		u->is_drained = i == 1;
		u->sessions = 3;
		u->busy = 2;
		u->calls = calls + i;
		u->errors = 1;
		memset(u->bucket, 0, sizeof u->bucket);
		u->bucket[4] = 7;
	}
}

struct state *world_open(const char *directory)
{
	char why[1500] = "";
	struct state *s = state_open(directory, why, sizeof why);

	if (!s)
		fprintf(stderr, "%s\n", why);
	need(s != NULL, "state_open");
	return s;
}

size_t world_count(const char *directory, const char *program, struct state_process *first)
{
	size_t count = 0, found = 0;
	struct state_process *p = state_processes(directory, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(p[i].program, program) == 0 && found++ == 0 && first)
			*first = p[i];
	free(p);
	return found;
}

static void publish_until(const char *directory, const char *program, int told, int go)
{
	struct state *s = world_open(directory);
	struct state_process *p = malloc(sizeof *p);
	char byte;

	need(p != NULL, "malloc");
	world_process(p, program, 10);
	state_publish(s, p);
	need(write(told, "1", 1) == 1, "write");
	need(read(go, &byte, 1) == 1, "read");
	state_close(s, false);
	free(p);
}

struct publisher publisher_start(const char *directory, const char *program)
{
	struct publisher p;
	int told[2], go[2];

	need(pipe(told) == 0 && pipe(go) == 0, "pipe");
	p.pid = fork();
	need(p.pid >= 0, "fork");
	if (p.pid == 0) {
		close(told[0]);
		close(go[1]);
		publish_until(directory, program, told[1], go[0]);
		_exit(0);
	}
	close(told[1]);
	close(go[0]);
	p.told = told[0];
	p.go = go[1];
	return p;
}

void publisher_wait(const struct publisher *p)
{
	char byte;

	need(read(p->told, &byte, 1) == 1, "a publisher's word");
}

void publisher_end(struct publisher *p, bool with_kill)
{
	int status;

	if (with_kill)
		need(kill(p->pid, SIGKILL) == 0, "kill");
	else
		need(write(p->go, "1", 1) == 1, "write");
	need(waitpid(p->pid, &status, 0) == p->pid, "waitpid");
	need(with_kill || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "a publisher's end");
	close(p->told);
	close(p->go);
}

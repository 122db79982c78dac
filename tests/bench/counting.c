/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts that repeat exactly: system calls, exclusive locks, memory.
 *
 * System calls are counted by a tracing parent between two marks that the child sets with calls
 * nobody else makes. Locks are counted by a preloaded library (locks.c) while two threads with
 * sessions of their own work, one after the other, so that shared locks show. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/locks.h"

#define PIECES 1000

/* A system call that no library makes, seen by the tracer by its number. */
static void mark(void)
{
	(void)syscall(SYS_getpgid, -1);
}

static void traced_child(const struct side *s, enum work what)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(2);
	raise(SIGSTOP);
	if (!work_run(s, s->session, what, PIECES)) /* tables grow at first */
		_exit(1);
	mark();
	(void)work_run(s, s->session, what, PIECES);
	mark();
	_exit(0);
}

/* Stops of the child at system calls between the marks; two stops are one call. -1: not traced to
 * the end. */
static long count_stops(pid_t pid)
{
	long stops = 0;
	int marks = 0;
	int status;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		struct __ptrace_syscall_info info;
		int signal = WSTOPSIG(status);

		if (signal == (SIGTRAP | 0x80)) {
			if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
				return -1;
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_getpgid)
				marks++;
			else if (marks == 1 && info.op == PTRACE_SYSCALL_INFO_ENTRY)
				stops++;
			signal = 0;
		} else if (signal == SIGSTOP) {
			ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
			signal = 0;
		}
		if (ptrace(PTRACE_SYSCALL, pid, NULL, signal) != 0)
			return -1;
	}
	return marks == 2 ? stops : -1;
}

/* The child opens the side itself: what a parent opened means nothing in a child. */
bool measure_system_calls(const char *id, struct side *s, enum work what, char *description)
{
	long stops;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (!side_open(s, description, NULL))
			_exit(1);
		traced_child(s, what);
	}
	stops = pid > 0 ? count_stops(pid) : -1;
	if (stops < 0)
		return false;
	printf("%s %.*s %.2f\n", id, (int)strcspn(description, "="), description,
	       (double)stops / PIECES);
	return true;
}

struct locker {
	const struct side *side;
	CK_SESSION_HANDLE session;
	enum work what;
	bool is_good;
};

static void *lock_run(void *arg)
{
	struct locker *l = arg;

	l->is_good = work_run(l->side, l->session, l->what, PIECES);
	return NULL;
}

bool measure_locks(const char *id, struct side *s, enum work what)
{
	locks_reset_function *reset;
	locks_shared_function *shared;
	CK_SESSION_HANDLE sessions[2] = {s->session, side_session(s)};
	bool is_good = true;
	unsigned long locks;

	if (!load_symbol(NULL, "locks_reset", &reset) ||
	    !load_symbol(NULL, "locks_shared", &shared))
		return false;
	reset();
	for (int i = 0; i < 2; i++) {
		struct locker l = {.side = s, .session = sessions[i], .what = what};
		pthread_t thread;

		if (i == 0) {
			lock_run(&l);
		} else if (pthread_create(&thread, NULL, lock_run, &l) != 0 ||
			   pthread_join(thread, NULL) != 0) {
			return false;
		}
		is_good = is_good && l.is_good;
	}
	locks = shared();
	if (!is_good || locks == ~0UL)
		return false;
	printf("%s %s %.2f\n", id, s->name, (double)locks / (2 * PIECES));
	return true;
}

/* Memory that only this process has, in KiB. */
static long private_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Private_Dirty:", 14) == 0)
			kib = strtol(line + 14, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

#define SESSIONS 1000

bool measure_memory(struct side *s, unsigned count)
{
	long before;
	long after;

	if (count != 1 || !work_run(s, s->session, WORK_SIGN, 10))
		return false;
	before = private_kib();
	for (int i = 0; i < SESSIONS; i++)
		if (!side_session(s))
			return false;
	after = private_kib();
	if (before < 0)
		return false;
	printf("P19-base %s %ld\nP19-sessions %s %ld\n", s->name, before, s->name, after - before);
	return true;
}

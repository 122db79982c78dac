/* SPDX-License-Identifier: BSD-2-Clause */
/* Running cases: one process a group, so that a crash costs one group and no state of the module
 * survives from one to the next. Prints one TAP line a case; what went wrong is printed before it
 * as comments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/names.h"
#include "tests/conformance/suite.h"
#include "tests/token/load.h"

/* Shared with the child process. */
struct progress {
	unsigned done; /* cases with a line */
	bool has_failed;
	char running[128];
};

static const char *const call_names[CALL_COUNT] = {TOKEN_CALLS(TOKEN_CALL_NAME)};

static void wrong(struct suite *t, const char *what, const char *got, const char *wanted,
		  const char *file, int line)
{
	const char *why = known_why(t->kind, t->name, what, got);
	const char *base = strrchr(file, '/');

	if (why) {
		printf("#   known: %s: %s (%s)\n", what, got, why);
		return;
	}
	printf("#   %s:%d: %s: %s, expected %s\n", base ? base + 1 : file, line, what, got, wanted);
	t->has_failed = true;
}

CK_RV suite_called(struct suite *t, enum token_call call, CK_RV rv, const char *file, int line)
{
	char spare[NAME_MAX_LEN];

	if (!codes_listed(call, rv))
		wrong(t, call_names[call], name_of(NAME_RV, rv, spare),
		      "a code that the standard lists for it", file, line);
	return rv;
}

static bool is_among(CK_RV rv, const CK_RV *codes)
{
	for (; *codes != CODES_END; codes++)
		if (*codes == rv)
			return true;
	return false;
}

static void join_names(const CK_RV *codes, char *out, size_t size)
{
	char spare[NAME_MAX_LEN];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; codes[i] != CODES_END && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : " or ",
					name_of(NAME_RV, codes[i], spare));
}

bool suite_expect(struct suite *t, enum token_call call, CK_RV rv, const CK_RV *wanted,
		  const char *file, int line)
{
	char spare[NAME_MAX_LEN];
	char names[512];

	if (is_among(rv, wanted)) {
		(void)suite_called(t, call, rv, file, line);
		return true;
	}
	join_names(wanted, names, sizeof(names));
	wrong(t, call_names[call], name_of(NAME_RV, rv, spare), names, file, line);
	return false;
}

bool suite_check(struct suite *t, bool holds, const char *what, const char *file, int line)
{
	if (!holds)
		wrong(t, what, "false", "true", file, line);
	return holds;
}

void suite_skip(struct suite *t, const char *why)
{
	t->skipped = why;
}

static bool begin(struct suite *t)
{
	CK_RV rv = t->f->C_Initialize(t->init_args);
	char spare[NAME_MAX_LEN];

	if (rv == CKR_OK && load_find_slot(t->f2, t->label, &t->slot))
		return true;
	printf("#   C_Initialize: %s, or no token %s\n", name_of(NAME_RV, rv, spare), t->label);
	return false;
}

static void run_case(struct suite *t, const struct conform_case *c, bool is_bare)
{
	t->name = c->name;
	t->has_failed = false;
	t->skipped = NULL;
	if (!is_bare && !begin(t)) {
		t->has_failed = true;
		return;
	}
	c->run(t);
	if (!is_bare)
		OK(t, Finalize, NULL);
}

static void run_group(struct suite *t, const struct group *group, struct progress *progress,
		      unsigned number)
{
	for (size_t i = 0; i < group->count; i++) {
		(void)snprintf(progress->running, sizeof(progress->running), "%s",
			       group->cases[i].name);
		run_case(t, &group->cases[i], group->is_bare);
		printf("%sok %u - %s: %s%s%s\n", t->has_failed ? "not " : "",
		       number + ++progress->done, group->name, group->cases[i].name,
		       t->skipped ? " # SKIP " : "", t->skipped ? t->skipped : "");
		progress->has_failed |= t->has_failed;
	}
	if (!known_all_used(t->kind, group)) {
		progress->has_failed = true;
		printf("not ok %u - %s: every known deviation is still there\n",
		       number + ++progress->done, group->name);
	}
}

static void child(struct suite *t, const struct group *group, struct progress *progress,
		  unsigned number)
{
	(void)alarm(120);
	run_group(t, group, progress, number);
	(void)fflush(stdout);
	_exit(0);
}

bool suite_run(struct suite *t, const struct group *group, unsigned *number)
{
	struct progress *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool is_fine;
	int status = 0;
	pid_t pid;

	if (progress == MAP_FAILED)
		return false;
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(t, group, progress, *number);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		printf("not ok %u - %s: %s # ended with status 0x%x\n", *number + ++progress->done,
		       group->name, progress->running, (unsigned)status);
	*number += progress->done;
	is_fine = status == 0 && !progress->has_failed;
	(void)munmap(progress, sizeof(*progress));
	return is_fine;
}

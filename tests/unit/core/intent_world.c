/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of core/intent.c share. */
#include "tests/unit/core/intent_world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/core/files.h"
#include "tests/unit/core/trio.h"
#include "tests/unit/unit.h"

char intent_dir[200];
char intent_path[500];
char intent_why[1500];

void intent_begin(void)
{
	trio_begin(CONFIG_MODE_FAILOVER);
	memcpy(trio.serial, "0123456789abcdef", 16);
	(void)snprintf(intent_dir, sizeof intent_dir, "%s", files_begin());
	(void)snprintf(intent_path, sizeof intent_path, "%s/0123456789abcdef.journal", intent_dir);
	trio_config.state_journal = intent_dir;
}

void intent_end(void)
{
	files_end();
	trio_end();
}

struct intents *intent_try(long long wait_ms)
{
	intent_why[0] = '\0';
	return intents_open(&trio, wait_ms, intent_why, sizeof intent_why);
}

struct intents *intent_open(void)
{
	struct intents *all = intent_try(0);

	if (!all)
		(void)fprintf(stderr, "%s\n", intent_why);
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

bool intent_start(struct intents *all, const char *tag, enum intent_kind kind, unsigned owed,
		  const char *text)
{
	struct intent i = {.kind = kind, .owed = owed, .body = body_of(text)};

	(void)snprintf(i.tag, sizeof i.tag, "%s", tag);
	return intents_begin(all, &i, intent_why, sizeof intent_why);
}

bool intent_decide(struct intents *all, const char *tag, unsigned owed, const char *text)
{
	struct buf body = body_of(text);

	return intents_commit(all, tag, &body, owed, intent_why, sizeof intent_why);
}

bool intent_is(const struct intent *i, const char *tag, bool is_committed, unsigned owed,
	       const char *text)
{
	return i && strcmp(i->tag, tag) == 0 && i->is_committed == is_committed &&
	       i->owed == owed && i->body.len == strlen(text) &&
	       (i->body.len == 0 || memcmp(i->body.data, text, i->body.len) == 0);
}

/* One thing at each stage. */
static void work_a_bit(struct intents *all)
{
	(void)intent_start(all, "hsmux-pending-1", INTENT_MAKE, 7, "make it so");
	(void)intent_start(all, "hsmux-pending-2", INTENT_DESTROY, 3, "");
	(void)intent_decide(all, "hsmux-pending-2", 2, "new words");
	(void)intent_start(all, "hsmux-pending-3", INTENT_CHANGE, 4, "-");
	(void)intent_decide(all, "hsmux-pending-3", 4, "done");
	intents_settle(all, "hsmux-pending-3", 0);
	(void)intent_start(all, "hsmux-pending-4", INTENT_MAKE, 0, "");
	intents_settle(all, "hsmux-pending-1", 5);
}

/* Ends as a killed process does: nothing is closed properly, the lock ends. */
void intent_leave_work(void)
{
	int status;
	pid_t pid = fork();

	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0) {
		struct intents *all = intent_try(0);

		if (all)
			work_a_bit(all);
		(void)kill(getpid(), SIGKILL);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFSIGNALED(status));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux member drain, undrain: takes a member out of service and back, without an error that an
 * application sees.
 *
 * Writes the list of drained members (core/state.h), which every process reads, then waits until
 * all processes that published the member have followed: they know, and nothing of theirs is
 * running there. No library is loaded, and no member is called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/scope.h"
#include "core/state.h"
#include "tools/json.h"
#include "tools/tool.h"

/* How long processes are waited for without --wait. */
#define WAIT_S 30

/* What is done, to which member. */
struct task {
	const struct tool_options *options;
	const struct config_token *token;
	const struct config_member *member;
	char directory[TOOL_PATH_LEN];
	bool drain;
	bool was_so;     /* nothing had to be changed */
	size_t followed; /* processes that did */
	size_t waiting;  /* and those that have not yet */
};

/* Whether a process's word on the member says that it followed. */
static bool has_followed(const struct task *t, const struct state_usage *u)
{
	return t->drain ? u->is_drained && u->busy == 0 : !u->is_drained;
}

static const struct state_usage *usage_of(const struct task *t, const struct state_process *p)
{
	for (unsigned i = 0; i < p->usage_count; i++)
		if (strcmp(p->usage[i].token, t->token->label) == 0 &&
		    strcmp(p->usage[i].member, t->member->name) == 0)
			return &p->usage[i];
	return NULL;
}

static const struct config_member *find_member(const struct config_token *token, const char *name)
{
	for (size_t i = 0; i < token->member_count; i++)
		if (strcmp(token->members[i].name, name) == 0)
			return &token->members[i];
	fputs("hsmux: token \"", stderr);
	tool_put(stderr, token->label);
	fputs("\" has no member \"", stderr);
	tool_put(stderr, name);
	fputs("\" (members:", stderr);
	for (size_t i = 0; i < token->member_count; i++) {
		fputs(i == 0 ? " " : ", ", stderr);
		tool_put(stderr, token->members[i].name);
	}
	fputs(")\n", stderr);
	return NULL;
}

static enum tool_exit refuse(const struct task *t, const char *why)
{
	fputs("hsmux: token \"", stderr);
	tool_put(stderr, t->token->label);
	fprintf(stderr, "\", member \"%s\": %s\n", t->member->name, why);
	return TOOL_NO;
}

/* Whether another member is left that is not drained. */
static bool has_another(const struct task *t)
{
	for (size_t i = 0; i < t->token->member_count; i++)
		if (&t->token->members[i] != t->member &&
		    !state_is_drained(t->directory, t->token->label, t->token->members[i].name))
			return true;
	return false;
}

/* Names a process that has not followed, on one line. */
static void print_waiting(const struct state_process *p, const struct state_usage *u, bool drain)
{
	printf("waiting for process %ld ", (long)p->pid);
	tool_put(stdout, p->program);
	if (drain && u->is_drained)
		printf(": %u session%s in use\n", u->busy, u->busy == 1 ? "" : "s");
	else
		puts(": has not read the list yet");
}

/* Counts who has followed; those who have not are printed where `j` or `print` asks for it. */
static void count(struct task *t, struct json *j, bool print)
{
	size_t n = 0;
	struct state_process *p = state_processes(t->directory, &n);

	t->followed = t->waiting = 0;
	for (size_t i = 0; i < n; i++) {
		const struct state_usage *u = usage_of(t, &p[i]);

		if (u == NULL)
			continue;
		if (has_followed(t, u)) {
			t->followed++;
			continue;
		}
		t->waiting++;
		if (print)
			print_waiting(&p[i], u, t->drain);
		if (j == NULL)
			continue;
		json_object(j, NULL);
		json_number(j, "pid", (unsigned long)p[i].pid);
		json_string(j, "program", p[i].program);
		json_bool(j, "drained", u->is_drained);
		json_number(j, "in_use", u->busy);
		json_object_end(j);
	}
	free(p);
}

/* Says every second whom it waits for. */
static void wait_for_processes(struct task *t)
{
	const struct timespec step = {.tv_nsec = 100000000};
	unsigned seconds = t->options->has_wait ? t->options->wait_s : WAIT_S;
	long long end_ms = clock_ms() + (long long)seconds * 1000;

	for (unsigned i = 1;; i++) {
		count(t, NULL, !t->options->json && i % 10 == 0);
		(void)fflush(stdout); /* checked at the end */
		if (t->waiting == 0 || clock_ms() >= end_ms)
			return;
		(void)nanosleep(&step, NULL); /* a signal only shortens it */
	}
}

static void print_json(struct task *t)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_string(&j, "token", t->token->label);
	json_string(&j, "member", t->member->name);
	json_bool(&j, "drained", t->drain);
	json_bool(&j, "changed", !t->was_so);
	json_string(&j, "state_directory", t->directory);
	json_list(&j, "waiting");
	count(t, &j, false);
	json_list_end(&j);
	json_number(&j, "followed", t->followed);
	json_object_end(&j);
	putchar('\n');
}

static void print_text(const struct task *t)
{
	tool_put(stdout, t->token->label);
	printf(", member %s: %s%s", t->member->name, t->was_so ? "already " : "",
	       t->drain ? "drained" : (t->was_so ? "in service" : "in service again"));
	printf(": %zu process%s followed", t->followed, t->followed == 1 ? "" : "es");
	if (t->waiting > 0)
		printf(", %zu not yet", t->waiting);
	putchar('\n');
}

static enum tool_exit carry_out(struct task *t)
{
	char why[TOOL_PATH_LEN + 200];

	t->was_so = state_is_drained(t->directory, t->token->label, t->member->name) == t->drain;
	if (t->drain && t->token->mode == CONFIG_MODE_PASSTHROUGH)
		return refuse(t, "mode = \"passthrough\" has no other member to go to: "
				 "calls would still go there");
	if (t->drain && !t->was_so && !t->options->force && !has_another(t))
		return refuse(t, "is the last one that is not drained: applications would be left "
				 "without the token (--force drains it all the same)");
	if (!state_drain(t->directory, t->token->label, t->member->name, t->drain, why,
			 sizeof(why)))
		return refuse(t, why);
	wait_for_processes(t);
	if (t->options->json)
		print_json(t);
	else
		print_text(t);
	return t->waiting > 0 && !(t->options->has_wait && t->options->wait_s == 0) ? TOOL_NO
										    : TOOL_YES;
}

static enum tool_exit run(const struct tool_options *options, bool drain)
{
	enum tool_exit code = TOOL_NO;
	struct config *c = tool_load_or_say(options, &code);
	struct task t = {.options = options, .drain = drain};

	if (c == NULL)
		return code;
	code = TOOL_NO;
	t.token = tool_find_token(c, options->words[0]);
	t.member = t.token != NULL ? find_member(t.token, options->words[1]) : NULL;
	if (t.member == NULL)
		goto out;
	if (state_directory(c->state_directory, t.directory, sizeof(t.directory)))
		code = carry_out(&t);
	else
		code = refuse(&t, "the path of the state directory is too long");
out:
	config_free(c);
	return code;
}

enum tool_exit tool_member_drain(const struct tool_options *options)
{
	return run(options, true);
}

enum tool_exit tool_member_undrain(const struct tool_options *options)
{
	return run(options, false);
}

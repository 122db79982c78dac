/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux status: every virtual token with its members, and why one cannot be reached.
 *
 * Starts the configured modules in this process, as an application's C_Initialize would, and asks
 * each member once. Nobody logs in, and what others do is not disturbed. What another process sees
 * may differ (permissions, environment): what processes published is shown beside it.
 *
 * With --watch it goes on reading what is published; this process's own members are looked after by
 * health.c, as in an application. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/group.h"
#include "core/intent.h"
#include "core/member.h"
#include "core/mux.h"
#include "core/base/scope.h"
#include "core/state.h"
#include "tools/json.h"
#include "tools/status_facts.h"
#include "tools/status_print.h"
#include "tools/tool.h"

/* One look at a virtual token. */
struct look {
	struct facts members[CONFIG_MAX_MEMBERS];
	size_t serving;
	size_t drained;
	bool is_reachable; /* from here */
};

/* SIGINT and SIGTERM write a byte here. */
static int wake[2] = {-1, -1};

static void look_at(struct look *l, struct group *g, const struct published *p)
{
	l->serving = l->drained = 0;
	l->is_reachable = false;
	for (size_t i = 0; i < g->member_count; i++) {
		struct facts *f = &l->members[i];

		/* Without memory what processes say is missing; the rest is still true. */
		(void)facts_read(f, &g->members[i], p);
		l->is_reachable = l->is_reachable || f->state == MEMBER_UP;
		l->serving += f->is_serving;
		l->drained += f->is_drained;
	}
}

/* Something that was begun on its objects is neither done nor undone. */
static bool is_unfinished(const struct group *g)
{
	return g->conf->replicate != CONFIG_REPLICATE_NONE && intents_any(g);
}

static void print_group(const struct config *c, const struct group *g, const struct look *l)
{
	char label[SETTING_SHOWN_LEN];

	printf("%s: slot %lu, %s, %s", setting_shown(g->conf->label, label), g->conf->slot,
	       config_mode_name(g->conf->mode),
	       l->is_reachable                                   ? "reachable"
	       : l->drained > 0 && l->drained == g->member_count ? "not tried"
								 : "not reachable");
	if (g->is_multi) {
		printf(", %sserving, %zu of %zu member%s", l->serving > 0 ? "" : "not ", l->serving,
		       g->member_count, g->member_count == 1 ? "" : "s");
		if (l->drained > 0)
			printf(", %zu drained", l->drained);
	}
	if (g->conf->replicate != CONFIG_REPLICATE_NONE)
		printf(", replicates to %s%s", config_replicate_name(g->conf->replicate),
		       is_unfinished(g) ? ", changes unfinished" : "");
	putchar('\n');
	for (size_t i = 0; i < g->member_count; i++)
		status_print_member(c, &g->members[i], &l->members[i]);
}

static void json_group(struct json *j, const struct config *c, const struct group *g,
		       const struct look *l)
{
	json_object(j, NULL);
	json_string(j, "label", g->conf->label);
	json_number(j, "slot", g->conf->slot);
	json_string(j, "mode", config_mode_name(g->conf->mode));
	json_bool(j, "reachable", l->is_reachable);
	json_bool(j, "serving", l->serving > 0);
	json_number(j, "members_serving", l->serving);
	json_number(j, "members_drained", l->drained);
	json_string(j, "replicate", config_replicate_name(g->conf->replicate));
	json_bool(j, "unfinished", is_unfinished(g));
	json_list(j, "members");
	for (size_t i = 0; i < g->member_count; i++)
		status_json_member(j, c, &g->members[i], &l->members[i]);
	json_list_end(j);
	json_object_end(j);
}

/* Prints one virtual token. *is_whole: every member serves that is not drained, and one does;
 * nothing in its journal is unfinished. */
static bool show_group(struct json *j, struct group *g, const struct published *p, bool *is_whole)
{
	static struct look look; /* large; one at a time */

	look_at(&look, g, p);
	if (j != NULL)
		json_group(j, mux_config(), g, &look);
	else
		print_group(mux_config(), g, &look);
	for (size_t i = 0; i < g->member_count; i++)
		facts_free(&look.members[i]);
	*is_whole = look.serving > 0 && look.serving + look.drained == g->member_count &&
		    !is_unfinished(g);
	/* Those that are drained are left in peace: nobody knows whether they could be reached. */
	return look.is_reachable || look.drained > 0;
}

static void json_begin(struct json *j, const struct published *p)
{
	json_object(j, NULL);
	json_string(j, "file", mux_config()->file);
	json_string(j, "state_directory", p->directory);
	json_list(j, "tokens");
}

/* Prints all virtual tokens; yes when all are whole, unreachable when none can be reached. */
static enum tool_exit show(bool json, const char *directory)
{
	struct json j = {.out = stdout};
	size_t reachable = 0, whole = 0;
	struct published p;

	published_read(&p, directory);
	if (json)
		json_begin(&j, &p);
	for (size_t i = 0; i < mux_group_count(); i++) {
		bool is_whole;

		reachable += show_group(json ? &j : NULL, mux_group(i), &p, &is_whole) ? 1 : 0;
		whole += is_whole ? 1 : 0;
	}
	if (json) {
		json_list_end(&j);
		json_object_end(&j);
		putchar('\n');
	}
	published_free(&p);
	if (reachable == 0)
		return TOOL_UNREACHABLE;
	return whole == mux_group_count() ? TOOL_YES : TOOL_NO;
}

static void on_signal(int number)
{
	int error = errno;

	(void)number;
	(void)!write(wake[1], "", 1); /* when it is full, one is there already */
	errno = error;
}

/* A byte in a pipe, so that a signal that comes before poll() is not missed. */
static bool catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	return pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGINT, &action, NULL) == 0 &&
	       sigaction(SIGTERM, &action, NULL) == 0;
}

/* True when the time is over, false when it is time to end. */
static bool rest(unsigned seconds)
{
	struct pollfd fd = {.fd = wake[0], .events = POLLIN};
	int n;

	do
		n = poll(&fd, 1, (int)(seconds * 1000));
	while (n < 0 && errno == EINTR);
	return n == 0;
}

/* Again and again until a signal, or until nobody reads any more. */
static enum tool_exit watch(const struct tool_options *options, const char *directory)
{
	bool is_screen = isatty(STDOUT_FILENO) == 1 && !options->json;
	enum tool_exit code;

	if (!catch_signals()) {
		fprintf(stderr, "hsmux: --watch: %s\n", strerror(errno));
		return TOOL_NO;
	}
	do {
		if (is_screen)
			fputs("\033[H\033[2J", stdout);
		code = show(options->json, directory);
		if (!is_screen && !options->json)
			putchar('\n');
	} while (fflush(stdout) == 0 && ferror(stdout) == 0 && rest(options->watch_s));
	return code;
}

/* A call reaches for the members of a passthrough token; health.c has tried the others. */
static void reach_passthrough(void)
{
	for (size_t i = 0; i < mux_group_count(); i++)
		for (size_t k = 0; k < mux_group(i)->member_count; k++)
			if (!mux_group(i)->is_multi)
				(void)member_up(&mux_group(i)->members[k], true); /* shown next */
}

enum tool_exit tool_status(const struct tool_options *options)
{
	enum tool_exit code = TOOL_YES;
	struct config *c = tool_load_or_say(options, &code);
	char directory[TOOL_PATH_LEN];
	bool has_directory;

	if (c == NULL)
		return code;
	has_directory = state_directory(c->state_directory, directory, sizeof(directory));
	/* What is not reachable is the result here, not news for a log; HSMUX_LOG still wins. */
	c->log_level = LOG_LEVEL_ERROR;
	c->log_syslog = false;
	if (mux_init_config(c) != CKR_OK) {
		fputs("hsmux: the configured modules could not be started\n", stderr);
		return TOOL_UNREACHABLE;
	}
	reach_passthrough();
	code = options->watch_s > 0 ? watch(options, has_directory ? directory : NULL)
				    : show(options->json, has_directory ? directory : NULL);
	(void)mux_fini(); /* the process ends */
	return code;
}

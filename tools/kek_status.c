/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux kek status: what each member has for a KEK, and what is wrong with it.
 *
 * Nothing is changed. That two members have the same key is shown by use (core/kek.c): names prove
 * nothing. */
#include <string.h>

#include "core/base/names.h"
#include "core/kek_create.h"
#include "core/login.h"
#include "tools/enter.h"
#include "tools/json.h"

/* How long a session of a member is waited for. */
#define WAIT_MS 5000

/* What there is on one member. */
struct row {
	struct member *m;
	struct member_session *ms; /* NULL: it cannot be reached */
	struct kek_view view;
	bool is_same;    /* as the first one that has one */
	char wrong[300]; /* what is; empty: nothing */
};

static void say(struct row *r, const char *what)
{
	size_t len = strlen(r->wrong);

	(void)snprintf(r->wrong + len, sizeof(r->wrong) - len, "%s%s", len > 0 ? "; " : "",
		       what); /* it fits */
}

static void say_code(struct row *r, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN], text[200];

	(void)snprintf(text, sizeof(text), "%s: %s", what, name_of(NAME_RV, rv, code));
	say(r, text);
}

/* Takes a session; false with words. */
static bool reach(struct row *r, struct group *g)
{
	char reason[256], text[280];
	CK_RV rv;

	if (member_up(r->m, true))
		login_sync(g, r->m);
	if (member_status(r->m, reason, sizeof(reason)) != MEMBER_UP) {
		(void)snprintf(text, sizeof(text), "cannot be reached: %.240s", reason);
		say(r, text);
		return false;
	}
	if (atomic_load(&r->m->is_refusing) || atomic_load(&r->m->user) != GROUP_USER) {
		say(r, "does not let the user in");
		return false;
	}
	rv = pool_take(r->m, 0, WAIT_MS, &r->ms);
	if (rv == CKR_OK)
		rv = kek_look(r->ms, &r->view);
	if (rv == CKR_OK)
		return true;
	say_code(r, "cannot be asked", rv);
	if (r->ms != NULL)
		pool_drop(r->ms);
	r->ms = NULL;
	return false;
}

/* What the row says of itself. */
static void judge(struct row *r, const struct group *g)
{
	if (r->view.count == 0) {
		say(r, "has no KEK");
		return;
	}
	if (r->view.count > 1)
		say(r, "has several keys of that name");
	if (kek_flaw(&r->view) != NULL)
		say(r, kek_flaw(&r->view));
	if (g->conf->protect == CONFIG_PROTECT_KEK && r->view.knows_trust && !r->view.is_trusted)
		say(r, "it is not trusted: keys there can be wrapped under any other key, too");
}

/* Compares with those before it that have one. */
static void compare(struct row *rows, size_t i)
{
	struct row *r = &rows[i];
	bool any = false;
	CK_RV rv = CKR_OK;

	if (r->ms == NULL || r->view.count != 1 || !r->view.can_work)
		return;
	for (size_t j = 0; j < i && !r->is_same && rv == CKR_OK; j++) {
		if (rows[j].ms == NULL || rows[j].view.count != 1 || !rows[j].is_same)
			continue;
		any = true;
		rv = kek_is_same(rows[j].ms, r->ms, &r->is_same);
	}
	if (rv != CKR_OK)
		say_code(r, "cannot be compared", rv);
	else if (!any)
		r->is_same = true; /* the first */
	else if (!r->is_same)
		say(r, "is not the same as the others', or cannot be shown to be");
}

static const char *yes_no(const struct row *r, bool is)
{
	if (r->ms == NULL || r->view.count == 0)
		return "-";
	return is ? "yes" : "no";
}

static void print_text(const struct group *g, const struct row *rows)
{
	printf("%-20s %-8s %5s %5s %-10s %-12s %-8s %-5s %s\n", "MEMBER", "PRESENT", "COUNT",
	       "BITS", "SENSITIVE", "EXTRACTABLE", "TRUSTED", "SAME", "FINDING");
	for (size_t i = 0; i < g->member_count; i++) {
		const struct row *r = &rows[i];
		char bits[24] = "-";

		if (r->view.bits > 0)
			(void)snprintf(bits, sizeof(bits), "%lu", r->view.bits);
		printf("%-20s %-8s %5u %5s %-10s %-12s %-8s %-5s ", r->m->conf->name,
		       r->ms == NULL       ? "-"
		       : r->view.count > 0 ? "yes"
					   : "no",
		       r->view.count, bits, yes_no(r, r->view.is_sensitive),
		       yes_no(r, r->view.is_extractable),
		       r->view.knows_trust || r->view.count == 0 ? yes_no(r, r->view.is_trusted)
								 : "unknown",
		       yes_no(r, r->is_same));
		tool_put(stdout, r->wrong[0] != '\0' ? r->wrong : "-");
		putchar('\n');
	}
}

static void json_row(struct json *j, const struct row *r)
{
	json_object(j, NULL);
	json_string(j, "name", r->m->conf->name);
	json_bool(j, "reachable", r->ms != NULL);
	json_bool(j, "present", r->view.count > 0);
	json_number(j, "count", r->view.count);
	json_number(j, "bits", r->view.bits);
	json_bool(j, "sensitive", r->view.is_sensitive);
	json_bool(j, "extractable", r->view.is_extractable);
	json_string(j, "trusted",
		    r->view.count == 0     ? NULL
		    : !r->view.knows_trust ? "not known here"
		    : r->view.is_trusted   ? "yes"
					   : "no");
	json_bool(j, "same", r->is_same);
	json_string(j, "finding", r->wrong[0] != '\0' ? r->wrong : NULL);
	json_object_end(j);
}

static void print(const struct tool_options *options, const struct group *g, const struct row *rows,
		  enum tool_exit code)
{
	struct json j = {.out = stdout};

	if (!options->json) {
		print_text(g, rows);
		return;
	}
	json_object(&j, NULL);
	json_string(&j, "token", g->conf->label);
	json_string(&j, "kek", g->conf->kek != NULL ? g->conf->kek : KEK_LABEL);
	json_bool(&j, "good", code == TOOL_YES);
	json_list(&j, "members");
	for (size_t i = 0; i < g->member_count; i++)
		json_row(&j, &rows[i]);
	json_list_end(&j);
	json_object_end(&j);
	putchar('\n');
}

static enum tool_exit look(const struct tool_options *options, struct group *g)
{
	static struct row rows[CONFIG_MAX_MEMBERS]; /* large; one command a process */
	enum tool_exit code = TOOL_YES;
	bool is_whole = true;

	if (!g->is_multi || g->conf->replicate == CONFIG_REPLICATE_NONE) {
		tool_complain(g, "keys are not replicated (replicate = \"none\"): it needs no KEK");
		return TOOL_NO;
	}
	for (size_t i = 0; i < g->member_count; i++) {
		rows[i] = (struct row){.m = &g->members[i]};
		if (reach(&rows[i], g))
			judge(&rows[i], g);
		else
			is_whole = false;
	}
	for (size_t i = 0; i < g->member_count; i++) {
		compare(rows, i);
		if (rows[i].wrong[0] != '\0')
			code = TOOL_NO;
	}
	if (!is_whole)
		code = TOOL_UNREACHABLE;
	print(options, g, rows, code);
	for (size_t i = 0; i < g->member_count; i++)
		if (rows[i].ms != NULL)
			pool_drop(rows[i].ms);
	return code;
}

enum tool_exit tool_kek_status(const struct tool_options *options)
{
	struct group *g = NULL;
	CK_SESSION_HANDLE session = 0;
	enum tool_exit code = tool_enter(options, options->words[0], &g, &session);

	if (code == TOOL_YES)
		code = look(options, g);
	tool_leave();
	return code;
}

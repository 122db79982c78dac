/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key routes: how keys go from each member to each other one, by kind.
 *
 * A way is found by trying it with a throw-away key (core/carry.h) and remembered; --again tries
 * all of them anew. Nothing of the application's is touched. */
#include <string.h>

#include "core/base/names.h"
#include "core/carry.h"
#include "tools/enter.h"
#include "tools/json.h"

static const char *const kind_names[] = {
	[CARRY_SECRET] = "secret",
	[CARRY_RSA] = "rsa",
	[CARRY_EC] = "ec",
};

/* What is counted on the way. */
struct tour {
	struct group *g;
	bool again;
	struct json *j; /* NULL: text */
	size_t closed;  /* pairs without a way for a kind */
	size_t unknown; /* pairs that could not be tried */
};

static void print_text(const struct member *from, const struct member *to, enum carry_kind kind,
		       const struct carry_route *r)
{
	printf("%-16s %-16s %-7s %-4s ", from->conf->name, to->conf->name, kind_names[kind],
	       r->is_open ? "yes" : "no");
	tool_put(stdout, r->text);
	putchar('\n');
}

static void print_json(const struct tour *t, const struct member *from, const struct member *to,
		       enum carry_kind kind, const struct carry_route *r)
{
	json_object(t->j, NULL);
	json_string(t->j, "from", from->conf->name);
	json_string(t->j, "to", to->conf->name);
	json_string(t->j, "kind", kind_names[kind]);
	json_bool(t->j, "tried", r->is_known);
	json_bool(t->j, "open", r->is_open);
	json_string(t->j, "over",
		    r->is_open && r->over >= 0 ? t->g->members[r->over].conf->name : NULL);
	json_string(t->j, r->is_open ? "way" : "reason", r->text);
	json_object_end(t->j);
}

static void go(struct tour *t, struct member *from, struct member *to, enum carry_kind kind)
{
	struct carry_route r = {.over = -1};
	char code[NAME_MAX_LEN];
	CK_RV rv = carry_route_find(from, to, kind, t->again, &r);

	if (rv != CKR_OK) {
		r = (struct carry_route){.over = -1};
		(void)snprintf(r.text, sizeof(r.text), "could not be tried: %s",
			       name_of(NAME_RV, rv, code));
	}
	t->unknown += rv != CKR_OK;
	t->closed += rv == CKR_OK && !r.is_open;
	if (t->j != NULL)
		print_json(t, from, to, kind, &r);
	else
		print_text(from, to, kind, &r);
	(void)fflush(stdout); /* it may take long; checked at the end */
}

static void go_everywhere(struct tour *t)
{
	for (size_t i = 0; i < t->g->member_count; i++)
		for (size_t k = 0; k < t->g->member_count; k++)
			for (int kind = 0; i != k && kind < CARRY_KINDS; kind++)
				go(t, &t->g->members[i], &t->g->members[k], (enum carry_kind)kind);
}

static enum tool_exit show(const struct tool_options *options, struct group *g)
{
	struct json j = {.out = stdout};
	struct tour t = {.g = g, .again = options->again, .j = options->json ? &j : NULL};
	enum tool_exit code;

	if (!g->is_multi) {
		tool_complain(g, "mode = \"passthrough\" has one member: no key goes anywhere");
		return TOOL_NO;
	}
	code = tool_need_all(g, "the trial");
	if (code != TOOL_YES)
		return code;
	if (options->json) {
		json_object(&j, NULL);
		json_string(&j, "token", g->conf->label);
		json_list(&j, "routes");
	} else {
		printf("%-16s %-16s %-7s %-4s%s\n", "FROM", "TO", "KIND", "OPEN", " WAY");
	}
	go_everywhere(&t);
	if (options->json) {
		json_list_end(&j);
		json_object_end(&j);
		putchar('\n');
	}
	if (t.unknown > 0)
		return TOOL_UNREACHABLE;
	return t.closed > 0 ? TOOL_NO : TOOL_YES;
}

enum tool_exit tool_key_routes(const struct tool_options *options)
{
	struct group *g = NULL;
	CK_SESSION_HANDLE session = 0;
	enum tool_exit code = tool_enter(options, options->words[0], &g, &session);

	if (code == TOOL_YES)
		code = show(options, g);
	tool_leave();
	return code;
}

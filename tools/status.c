/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux status: every virtual token with its members, and why one cannot be reached.
 *
 * Starts the configured modules in this process, as an application's C_Initialize would, and asks
 * each member once. Nobody logs in. What another process sees may differ (permissions,
 * environment). */
#include <stdio.h>

#include "core/group.h"
#include "core/member.h"
#include "core/mux.h"
#include "core/scope.h"
#include "tools/json.h"
#include "tools/tool.h"

/* One member as it answered. */
struct answer {
	enum member_state state;
	char reason[256];
};

static const char *state_name(enum member_state state)
{
	switch (state) {
	case MEMBER_ABSENT:
		return "absent";
	case MEMBER_UP:
		return "up";
	case MEMBER_DOWN:
		return "down";
	}
	return "?";
}

static void print_member(const struct config *c, struct member *m, const struct answer *a)
{
	char shown[SETTING_SHOWN_LEN];

	printf("  %s: module %s", m->conf->name, c->modules[m->conf->module].name);
	if (m->conf->token != NULL)
		printf(", token \"%s\"", setting_shown(m->conf->token, shown));
	if (m->conf->serial != NULL)
		printf(", serial %s", setting_shown(m->conf->serial, shown));
	if (m->conf->has_slot)
		printf(", slot %lu", m->conf->slot);
	printf(": %s", state_name(a->state));
	if (a->state != MEMBER_UP) {
		fputs(": ", stdout);
		tool_put(stdout, a->reason);
	}
	putchar('\n');
}

static void json_member(struct json *j, const struct config *c, struct member *m,
			const struct answer *a)
{
	json_object(j, NULL);
	json_string(j, "name", m->conf->name);
	json_string(j, "module", c->modules[m->conf->module].name);
	json_string(j, "library", c->modules[m->conf->module].library);
	json_string(j, "vendor", m->lib->vendor->name);
	json_string(j, "token", m->conf->token);
	json_string(j, "serial", m->conf->serial);
	json_bool(j, "reachable", a->state == MEMBER_UP);
	json_string(j, "state", state_name(a->state));
	json_string(j, "reason", a->state == MEMBER_UP ? NULL : a->reason);
	json_object_end(j);
}

/* Prints one virtual token; true when one of its members is up. `j` is NULL for text. */
static bool show_group(struct json *j, const struct config *c, struct group *g)
{
	char label[SETTING_SHOWN_LEN];
	bool reachable = false;

	for (size_t i = 0; i < g->member_count; i++)
		reachable = member_up(&g->members[i], true) || reachable;
	if (j == NULL) {
		printf("%s: slot %lu, %s, %s\n", setting_shown(g->conf->label, label),
		       g->conf->slot, config_mode_name(g->conf->mode),
		       reachable ? "reachable" : "not reachable");
	} else {
		json_object(j, NULL);
		json_string(j, "label", g->conf->label);
		json_number(j, "slot", g->conf->slot);
		json_string(j, "mode", config_mode_name(g->conf->mode));
		json_bool(j, "reachable", reachable);
		json_list(j, "members");
	}
	for (size_t i = 0; i < g->member_count; i++) {
		struct answer a = {.state = MEMBER_ABSENT};

		a.state = member_status(&g->members[i], a.reason, sizeof(a.reason));
		if (j == NULL)
			print_member(c, &g->members[i], &a);
		else
			json_member(j, c, &g->members[i], &a);
	}
	if (j != NULL) {
		json_list_end(j);
		json_object_end(j);
	}
	return reachable;
}

/* Prints all virtual tokens; yes when all are reachable, no when some, unreachable when none is. */
static enum tool_exit show(bool json)
{
	const struct config *c = mux_config();
	struct json j = {.out = stdout};
	size_t reachable = 0;

	if (json) {
		json_object(&j, NULL);
		json_string(&j, "file", c->file);
		json_list(&j, "tokens");
	}
	for (size_t i = 0; i < mux_group_count(); i++)
		reachable += show_group(json ? &j : NULL, c, mux_group(i)) ? 1 : 0;
	if (json) {
		json_list_end(&j);
		json_object_end(&j);
		putchar('\n');
	}
	if (reachable == mux_group_count() && reachable > 0)
		return TOOL_YES;
	return reachable > 0 ? TOOL_NO : TOOL_UNREACHABLE;
}

enum tool_exit tool_status(const struct tool_options *options)
{
	enum tool_exit code = TOOL_YES;
	struct config *c = tool_load_or_say(options, &code);

	if (c == NULL)
		return code;
	/* What is not reachable is the result here, not news for a log; HSMUX_LOG still wins. */
	c->log_level = LOG_LEVEL_ERROR;
	c->log_syslog = false;
	if (mux_init_config(c) != CKR_OK) {
		fputs("hsmux: the configured modules could not be started\n", stderr);
		return TOOL_UNREACHABLE;
	}
	code = show(options->json);
	(void)mux_fini(); /* the process ends */
	return code;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Enter: hsmux in this process, as an application has it, and the user logged in to one virtual
 * token.
 *
 * The command uses the core directly; the session is there for the login, which lasts as long as it
 * does. A PIN is sent once: a wrong one ends the command. */
#include "tools/enter.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/names.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/pin_source.h"
#include "core/base/scope.h"
#include "core/session.h"
#include "tools/pin.h"

void tool_complain(const struct group *g, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* long text is cut */
	va_end(args);
	fputs("hsmux: token \"", stderr);
	tool_put(stderr, g->conf->label);
	fputs("\": ", stderr);
	tool_put(stderr, text);
	fputc('\n', stderr);
}

static struct group *find_group(const char *label)
{
	for (size_t i = 0; i < mux_group_count(); i++)
		if (strcmp(mux_group(i)->conf->label, label) == 0)
			return mux_group(i);
	return NULL;
}

/* Starts what the configuration says; a label that it does not have is named before that, where it
 * is known beforehand. */
static enum tool_exit start(const struct tool_options *options, const char *label, struct group **g)
{
	enum tool_exit code = TOOL_NO;
	struct config *c = tool_load_or_say(options, &code);
	char name[NAME_MAX_LEN];
	CK_RV rv;

	if (c == NULL)
		return code;
	if (!c->discover && tool_find_token(c, label) == NULL) {
		config_free(c);
		return TOOL_NO;
	}
	/* A member that loses its login meanwhile gets it again, whatever applications are to do.
	 */
	for (size_t i = 0; i < c->token_count; i++)
		c->tokens[i].relogin = true;
	rv = mux_init_config(c);
	if (rv != CKR_OK) {
		fprintf(stderr, "hsmux: cannot start: %s\n", name_of(NAME_RV, rv, name));
		return TOOL_UNREACHABLE;
	}
	*g = find_group(label);
	if (*g == NULL)
		(void)tool_find_token(mux_config(), label); /* names those that there are */
	return *g != NULL ? TOOL_YES : TOOL_NO;
}

static struct secret *read_pin(const char *source, const struct group *g)
{
	bool all_own = source == NULL;
	char prompt[SETTING_SHOWN_LEN + 40], label[SETTING_SHOWN_LEN], why[600];
	struct secret *pin;

	for (size_t i = 0; i < g->member_count; i++)
		all_own = all_own && g->members[i].conf->pin != CONFIG_PIN_SAME;
	if (all_own) {
		pin = pin_source_read(g->members[0].conf, why, sizeof(why));
		if (pin == NULL)
			tool_complain(g, "member %s: %s", g->members[0].conf->name, why);
		return pin;
	}
	(void)snprintf(prompt, sizeof(prompt), "PIN of token \"%s\"",
		       setting_shown(g->conf->label, label)); /* it fits */
	return pin_read(source, prompt);
}

static enum tool_exit log_in(struct group *g, CK_SESSION_HANDLE session, const struct secret *pin)
{
	char code[NAME_MAX_LEN];
	CK_RV rv = login_in(session, CKU_USER, secret_bytes(pin), secret_len(pin), NULL, 0);

	if (rv == CKR_OK)
		return TOOL_YES;
	tool_complain(g, "the login failed: %s", name_of(NAME_RV, rv, code));
	return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_LEN_RANGE
		       ? TOOL_NO
		       : TOOL_UNREACHABLE;
}

/* A session of the virtual token, and its user. */
static enum tool_exit enter(struct group *g, const char *pin_source, CK_SESSION_HANDLE *session)
{
	struct secret *pin;
	char name[NAME_MAX_LEN];
	enum tool_exit code;
	CK_RV rv = session_open(g->conf->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				session);

	if (rv != CKR_OK) {
		tool_complain(g, "no session: %s", name_of(NAME_RV, rv, name));
		return TOOL_UNREACHABLE;
	}
	pin = read_pin(pin_source, g);
	if (pin == NULL)
		return TOOL_NO;
	code = log_in(g, *session, pin);
	secret_free(&pin);
	return code;
}

enum tool_exit tool_enter(const struct tool_options *options, const char *label,
			  struct group **group, CK_SESSION_HANDLE *session)
{
	enum tool_exit code = start(options, label, group);

	return code == TOOL_YES ? enter(*group, options->pin_source, session) : code;
}

enum tool_exit tool_enter_too(const char *label, const char *pin_source, struct group **group,
			      CK_SESSION_HANDLE *session)
{
	*group = find_group(label);
	if (*group != NULL)
		return enter(*group, pin_source, session);
	(void)tool_find_token(mux_config(), label); /* names those that there are */
	return TOOL_NO;
}

void tool_leave(void)
{
	(void)mux_fini(); /* CKR_CRYPTOKI_NOT_INITIALIZED: it did not begin */
}

enum tool_exit tool_need_all(struct group *g, const char *what)
{
	enum tool_exit code = TOOL_YES;
	char reason[256];

	for (size_t i = 0; i < g->member_count; i++) {
		struct member *m = &g->members[i];

		if (member_up(m, true))
			login_sync(g, m);
		if (member_status(m, reason, sizeof(reason)) != MEMBER_UP)
			tool_complain(g, "member %s cannot be reached: %s", m->conf->name, reason);
		else if (atomic_load(&m->is_refusing) || atomic_load(&m->user) != GROUP_USER)
			tool_complain(g, "member %s does not let the user in", m->conf->name);
		else
			continue;
		code = TOOL_UNREACHABLE;
	}
	if (code != TOOL_YES)
		tool_complain(g, "%s needs all members: nothing was changed", what);
	return code;
}

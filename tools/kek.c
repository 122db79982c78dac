/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux kek install, rotate: one key-encryption key on all members of a virtual token.
 *
 * What is done, and in what order, is core/kek_make.c's. Here are the people: what could not be
 * done is said before anybody is asked for a PIN, and the write lock is taken after the last one
 * was typed. */
#include <string.h>

#include "core/base/names.h"
#include "core/intent.h"
#include "core/kek_make.h"
#include "tools/enter.h"
#include "tools/json.h"
#include "tools/kek_component.h"
#include "tools/pin.h"

/* How long others may hold the write lock. */
#define LOCK_MS 30000

/* What is known on the way. */
struct errand {
	const struct tool_options *options;
	struct group *g;
	CK_SESSION_HANDLE session;
	struct kek_make make;
	unsigned trusts; /* bit i: member i knows what a trusted key is */
	struct secret *so_pin[CONFIG_MAX_MEMBERS];
	struct secret *key; /* of components */
};

static const char *what_of(const struct errand *e)
{
	return e->make.replaces ? "the rotation" : "the installation";
}

/* A code with the words that belong to it. */
static enum tool_exit failed(const struct errand *e, CK_RV rv)
{
	const char *why = e->make.sites.why;
	char code[NAME_MAX_LEN];

	tool_complain(e->g, "%s", why[0] ? why : name_of(NAME_RV, rv, code));
	if (e->make.has_begun)
		tool_complain(e->g, "some members have the new key already, others not yet: what "
				    "was begun is finished by doing it once more");
	return TOOL_NO;
}

/* The source of the SO PIN of a member: "MEMBER=SOURCE", else one without a name. */
static const char *so_source(const struct tool_texts *sources, const char *member)
{
	size_t len = strlen(member);
	const char *any = NULL;

	for (size_t i = 0; i < sources->count; i++) {
		const char *text = sources->text[i];

		if (strncmp(text, member, len) == 0 && text[len] == '=')
			return text + len + 1;
		if (any == NULL && strcspn(text, ":") < strcspn(text, "="))
			any = text;
	}
	return any;
}

/* PINs of the security officers of the members that know trusted keys. */
static bool read_so_pins(struct errand *e)
{
	for (size_t i = 0; i < e->g->member_count; i++) {
		const char *name = e->g->members[i].conf->name;
		char prompt[200];

		if ((e->trusts & 1U << i) == 0)
			continue;
		if (e->options->no_trust) {
			fprintf(stderr,
				"hsmux: warning: member %s: the key is not trusted there "
				"(CKA_TRUSTED): whoever has its PIN can wrap other keys under any "
				"key of his own\n",
				name);
			continue;
		}
		(void)snprintf(prompt, sizeof(prompt), "PIN of the security officer of member %s",
			       name); /* a long name is cut */
		e->so_pin[i] = pin_read(so_source(&e->options->so_pin_source, name), prompt);
		if (e->so_pin[i] == NULL)
			return false;
		e->make.so_pin[i] = e->so_pin[i];
	}
	return true;
}

static enum tool_exit run_locked(struct errand *e)
{
	char why[KEK_WHY] = "";
	struct intents *lock = intents_open(e->g, LOCK_MS, why, sizeof(why));
	CK_RV rv;

	if (lock == NULL) {
		tool_complain(e->g, "%s", why);
		return TOOL_NO;
	}
	rv = kek_make(&e->make);
	intents_close(lock);
	return rv == CKR_OK ? TOOL_YES : failed(e, rv);
}

static const char *trust_of(const struct errand *e, size_t i)
{
	if (e->make.so_pin[i] != NULL)
		return "trusted";
	return (e->trusts & 1U << i) != 0 ? "not trusted" : "trust not known there";
}

static void print(const struct errand *e)
{
	struct json j = {.out = stdout};

	if (!e->options->json) {
		tool_put(stdout, e->g->conf->label);
		fputs(e->make.replaces ? ": new KEK" : ": KEK", stdout);
		for (size_t i = 0; i < e->g->member_count; i++)
			printf("%s member %s (%s)", i == 0 ? " on" : ",",
			       e->g->members[i].conf->name, trust_of(e, i));
		putchar('\n');
		return;
	}
	json_object(&j, NULL);
	json_string(&j, "token", e->g->conf->label);
	json_bool(&j, "rotated", e->make.replaces);
	json_list(&j, "members");
	for (size_t i = 0; i < e->g->member_count; i++) {
		json_object(&j, NULL);
		json_string(&j, "name", e->g->members[i].conf->name);
		json_bool(&j, "trusted", e->make.so_pin[i] != NULL);
		json_object_end(&j);
	}
	json_list_end(&j);
	json_object_end(&j);
	putchar('\n');
}

/* Everything that somebody has to type. */
static enum tool_exit ask(struct errand *e)
{
	const struct tool_options *o = e->options;
	CK_RV rv;

	if (o->components || o->component_source.count > 0) {
		e->key = kek_component_read(&o->component_source);
		if (e->key == NULL)
			return TOOL_NO;
		e->make.value = secret_bytes(e->key);
	}
	rv = kek_make_check(&e->make);
	if (rv == CKR_OK)
		rv = kek_make_trusts(&e->make, &e->trusts);
	if (rv != CKR_OK)
		return failed(e, rv);
	return read_so_pins(e) ? TOOL_YES : TOOL_NO;
}

static enum tool_exit carry_out(struct errand *e)
{
	enum tool_exit code;

	e->make.g = e->g;
	if (!e->g->is_multi || e->g->conf->replicate == CONFIG_REPLICATE_NONE) {
		tool_complain(e->g, "keys are not replicated (replicate = \"none\"): it needs no "
				    "KEK");
		return TOOL_NO;
	}
	code = tool_need_all(e->g, what_of(e));
	if (code == TOOL_YES)
		code = ask(e);
	if (code == TOOL_YES)
		code = run_locked(e);
	if (code == TOOL_YES)
		print(e);
	return code;
}

static enum tool_exit run(const struct tool_options *options, bool replaces)
{
	static struct errand e; /* large; one at a time */
	enum tool_exit code;

	e = (struct errand){.options = options, .make = {.replaces = replaces}};
	code = tool_enter(options, options->words[0], &e.g, &e.session);
	if (code == TOOL_YES)
		code = carry_out(&e);
	for (size_t i = 0; i < CONFIG_MAX_MEMBERS; i++)
		secret_free(&e.so_pin[i]);
	secret_free(&e.key);
	tool_leave();
	return code;
}

enum tool_exit tool_kek_install(const struct tool_options *options)
{
	return run(options, false);
}

enum tool_exit tool_kek_rotate(const struct tool_options *options)
{
	return run(options, true);
}

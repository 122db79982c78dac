/* SPDX-License-Identifier: BSD-2-Clause */
/* Config: which hsmux.conf is used, the default without one, and the life of the data.
 *
 * What the file says is read by config_parse.c. A configuration is built by one thread and
 * immutable from then on, so there is no lock. Nothing here loads a library: whether a configured
 * library or token exists is found out at run time, and a missing one is no error of the
 * configuration. */
#include "core/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/secret.h"
#include "core/vendor.h"
#include "policy/policy.h"

/* Where distributions install SoftHSM2's library: Debian, p11-kit's directory, Fedora. */
static const char *const softhsm_paths[] = {
	"/usr/lib/softhsm/libsofthsm2.so",
	HSMUX_P11_MODULE_DIR "/libsofthsm2.so",
	"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/lib64/softhsm/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so",
};

/* Words for `mode`, in the order of the enum. */
static const char *const mode_names[] = {
	[CONFIG_MODE_PASSTHROUGH] = "passthrough",
	[CONFIG_MODE_FAILOVER] = "failover",
	[CONFIG_MODE_BALANCED] = "balanced",
	[CONFIG_MODE_CAPABILITY] = "capability",
};

const char *config_mode_name(enum config_mode mode)
{
	return mode_names[mode];
}

const char *config_replicate_name(enum config_replicate replicate)
{
	static const char *const names[] = {
		[CONFIG_REPLICATE_NONE] = "none",
		[CONFIG_REPLICATE_ALL] = "all",
		[CONFIG_REPLICATE_MAJORITY] = "majority",
		[CONFIG_REPLICATE_FIRST] = "first",
	};

	return names[replicate];
}

/* Values of variables and arguments may be PINs. */
static void free_module(struct config_module *m)
{
	for (size_t i = 0; i < m->env_count; i++) {
		free(m->env[i].name);
		secret_free_text(m->env[i].value);
	}
	free(m->env);
	free(m->name);
	free(m->library);
	secret_free_text(m->init_args);
	free(m->vendor);
}

static void free_token(struct config_token *t)
{
	for (size_t i = 0; i < t->member_count; i++) {
		free(t->members[i].name);
		free(t->members[i].token);
		free(t->members[i].serial);
		free(t->members[i].pin_where);
	}
	free(t->members);
	free(t->kek);
	free(t->policy_name);
	policy_free(t->policy);
	free(t->label);
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->module_count; i++)
		free_module(&c->modules[i]);
	for (size_t i = 0; i < c->token_count; i++)
		free_token(&c->tokens[i]);
	free(c->modules);
	free(c->tokens);
	free(c->state_directory);
	free(c->state_journal);
	free(c->file);
	free(c);
}

void config_defaults(struct config *c)
{
	c->health.interval_ms = 2000;
	c->health.failures = 3;
	c->health.open_ms = 500;
	c->health.open_max_ms = 30000;
	c->retry.budget_ms = 1000;
	c->retry.attempts = 3;
	c->log_level = LOG_LEVEL_WARN;
}

/* False only when nothing of that name is there: a file that cannot be reached (a directory that
 * the caller may not enter) must lead to an error and not to the embedded default. */
static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

const char *config_find(const char *args_file, enum config_source *source)
{
	/* In a setuid program the environment is the attacker's, and the file names libraries. */
	const char *file = secure_getenv("HSMUX_CONF");

	if (file != NULL && file[0] != '\0') {
		*source = CONFIG_FROM_ENV;
		return file;
	}
	if (args_file != NULL) {
		*source = CONFIG_FROM_ARGS;
		return args_file;
	}
	if (exists(HSMUX_CONF_FILE)) {
		*source = CONFIG_FROM_SYSTEM;
		return HSMUX_CONF_FILE;
	}
	*source = CONFIG_EMBEDDED;
	return NULL;
}

/* The first SoftHSM2 library that is there, or NULL. */
static const char *find_softhsm(void)
{
	for (size_t i = 0; i < sizeof(softhsm_paths) / sizeof(softhsm_paths[0]); i++) {
		if (access(softhsm_paths[i], R_OK) == 0)
			return softhsm_paths[i];
	}
	return NULL;
}

/* The embedded default over this library; NULL when memory is out. */
static struct config *embedded_over(const char *library)
{
	struct config *c = calloc(1, sizeof(*c));
	struct config_module *m = calloc(1, sizeof(*m));

	if (c == NULL || m == NULL) {
		free(m);
		free(c);
		return NULL;
	}
	c->source = CONFIG_EMBEDDED;
	c->modules = m;
	c->module_count = 1;
	c->discover = true;
	config_defaults(c);
	m->name = strdup("softhsm");
	m->library = strdup(library);
	m->vendor = strdup("auto");
	if (m->name != NULL && m->library != NULL && m->vendor != NULL)
		return c;
	config_free(c);
	return NULL;
}

struct config *config_embedded(struct diag *diag)
{
	const char *library = find_softhsm();
	struct config *c;

	/* SoftHSM2 finds its tokens through SOFTHSM2_CONF and HOME, which are the attacker's. */
	if (getauxval(AT_SECURE) != 0) {
		diag_add(diag, NULL, 0, "no configuration: a setuid or setgid process needs %s",
			 HSMUX_CONF_FILE);
		return NULL;
	}
	if (library == NULL) {
		diag_add(diag, NULL, 0,
			 "no configuration: expected %s, HSMUX_CONF, or an installed SoftHSM2",
			 HSMUX_CONF_FILE);
		return NULL;
	}
	c = embedded_over(library);
	if (c == NULL)
		diag_add(diag, NULL, 0, "out of memory");
	return c;
}

struct config *config_load(const char *args_file, struct diag *diag)
{
	enum config_source source;
	const char *file = config_find(args_file, &source);

	return file != NULL ? config_parse(file, source, diag) : config_embedded(diag);
}

static const struct config_token *token_by_label(const struct config *c, const char *label)
{
	for (size_t i = 0; i < c->token_count; i++) {
		if (strcmp(c->tokens[i].label, label) == 0)
			return &c->tokens[i];
	}
	return NULL;
}

/* Bytes of a CK_TOKEN_INFO label. */
#define LABEL_LEN sizeof(((CK_TOKEN_INFO *)0)->label)

/* `label`, or with "-2", "-3" … behind it (cut to keep 32 bytes) when another token has it. */
static char *unique_label(const struct config *c, const char *label)
{
	char text[LABEL_LEN + 1];
	size_t n = 1;

	(void)snprintf(text, sizeof(text), "%s", label); /* labels on tokens are not longer */
	while (token_by_label(c, text) != NULL) {
		char suffix[24];
		size_t len = strlen(label);
		size_t room;

		n++;
		room = LABEL_LEN - (size_t)snprintf(suffix, sizeof(suffix), "-%zu", n);
		len = len < room ? len : room;
		/* Never cut inside a UTF-8 character. */
		while (len > 0 && len < strlen(label) && ((unsigned char)label[len] & 0xC0) == 0x80)
			len--;
		(void)snprintf(text, sizeof(text), "%.*s%s", (int)len, label, suffix);
	}
	return strdup(text);
}

/* Fills the token's fields; false when memory is out (what is there is freed by free_token). */
static bool fill_discovered(const struct config *c, struct config_token *t, const char *label,
			    const char *serial)
{
	struct config_member *m = calloc(1, sizeof(*m));
	struct diag diag = {0};

	if (m == NULL)
		return false;
	t->members = m;
	t->member_count = 1;
	t->mode = CONFIG_MODE_PASSTHROUGH;
	t->relogin = true;
	t->slot = c->token_count + 1;
	t->label = unique_label(c, label[0] != '\0' ? label : serial);
	m->priority = 1;
	m->weight = 1;
	m->name = strdup(c->modules[0].name);
	m->token = strdup(label);
	m->serial = strdup(serial);
	t->policy = policy_load(CONFIG_POLICY, &diag); /* its text is ours: nothing is said */
	diag_free(&diag);
	return t->policy != NULL && t->label != NULL && m->name != NULL && m->token != NULL &&
	       m->serial != NULL;
}

bool config_add_discovered(struct config *c, const char *label, const char *serial)
{
	struct config_token *all =
		reallocarray(c->tokens, c->token_count + 1, sizeof(c->tokens[0]));
	struct config_token token = {0};

	if (all == NULL)
		return false;
	c->tokens = all;
	if (!fill_discovered(c, &token, label, serial)) {
		free_token(&token);
		return false;
	}
	c->tokens[c->token_count++] = token;
	return true;
}

bool config_load_policies(struct config *c, struct diag *diag)
{
	bool ok = true;

	for (size_t i = 0; i < c->token_count; i++) {
		struct config_token *t = &c->tokens[i];
		const char *name = t->policy_name != NULL ? t->policy_name : CONFIG_POLICY;

		if (t->policy != NULL)
			continue;
		t->policy = policy_load(name, diag);
		if (t->policy != NULL)
			continue;
		diag_add(diag, c->file, t->line,
			 "token \"%s\": policy %s cannot be used: expected a policy without errors",
			 t->label, name);
		ok = false;
	}
	return ok;
}

bool config_check_vendors(const struct config *c, const struct vendor_set *set, struct diag *diag)
{
	bool ok = true;

	for (size_t i = 0; i < c->module_count; i++) {
		const struct config_module *m = &c->modules[i];

		if (strcmp(m->vendor, "auto") == 0 || vendor_by_name(set, m->vendor) != NULL)
			continue;
		diag_add(diag, c->file, m->line,
			 "module \"%s\": vendor \"%s\" is not known: expected \"auto\" or the name "
			 "of "
			 "a vendor profile",
			 m->name, m->vendor);
		ok = false;
	}
	return ok;
}

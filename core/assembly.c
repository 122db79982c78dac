/* SPDX-License-Identifier: BSD-2-Clause */
/* What one configuration becomes. Runs under the lock of C_Initialize and C_Finalize (mux.c);
 * nobody else sees an assembly while it is built or taken apart. */
#include "core/assembly.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/health.h"
#include "core/login.h"

void assembly_log(struct diag *diag, enum log_level level)
{
	char line[900];

	for (size_t i = 0; i < diag->count; i++) {
		diag_format(diag, i, line, sizeof line);
		log_msg(level, "%s", line);
	}
	diag_free(diag);
}

static CK_RV make_libraries(struct assembly *a)
{
	size_t n = a->config->module_count;

	a->libraries = calloc(n + 1, sizeof(*a->libraries));
	if (!a->libraries)
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < n; i++) {
		a->libraries[i] = library_new(&a->config->modules[i], a->vendors);
		if (!a->libraries[i])
			return CKR_HOST_MEMORY;
	}
	return CKR_OK;
}

static bool add_discovered(struct assembly *a, const struct library_token *token)
{
	const CK_TOKEN_INFO *info = &token->info;
	char label[sizeof info->label + 1], serial[sizeof info->serialNumber + 1];

	if (token->rv != CKR_OK || !(info->flags & CKF_TOKEN_INITIALIZED))
		return true;
	library_field(info->label, sizeof info->label, label);
	library_field(info->serialNumber, sizeof info->serialNumber, serial);
	return config_add_discovered(a->config, label, serial);
}

/* The embedded default: one virtual token for each initialised token of the one module. */
static CK_RV discover(struct assembly *a)
{
	struct library *lib = a->libraries[0];
	struct library_token *tokens = NULL;
	CK_ULONG n = 0;
	bool ok = true;

	pthread_mutex_lock(&lib->lock);
	if (library_start(lib) && library_tokens(lib, &tokens, &n) != CKR_OK)
		n = 0;
	pthread_mutex_unlock(&lib->lock);
	for (CK_ULONG i = 0; ok && i < n; i++)
		ok = add_discovered(a, &tokens[i]);
	free(tokens);
	log_msg(LOG_LEVEL_WARN,
		"no configuration file: showing the %zu token(s) of %s as they are%s%s",
		a->config->token_count, lib->conf->library, lib->reason[0] ? ": " : "",
		lib->reason);
	return ok ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV make_groups(struct assembly *a)
{
	size_t n = a->config->token_count;

	a->groups = calloc(n + 1, sizeof(*a->groups));
	if (!a->groups)
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < n; i++) {
		a->groups[i] = group_new(a->config, &a->config->tokens[i], a->libraries);
		if (!a->groups[i])
			return CKR_HOST_MEMORY;
		a->group_count = i + 1;
	}
	return CKR_OK;
}

/* One after the other; not those that the operator took out; and who is known to be down (health.h)
 * is left for later, while another of its token can serve. */
static void reach_group(struct group *g)
{
	bool serves = false;

	for (size_t k = 0; k < g->member_count; k++) {
		struct member *m = &g->members[k];

		if (!atomic_load(&m->is_drained) && clock_ms() >= atomic_load(&m->next_try_ms))
			serves = health_bring_back(m) || serves;
	}
	for (size_t k = 0; k < g->member_count && !serves; k++)
		if (!atomic_load(&g->members[k].is_drained) &&
		    atomic_load(&g->members[k].last_try_ms) == 0)
			serves = health_bring_back(&g->members[k]);
}

/* A member that cannot be used now never fails the others: its log line says why. */
static void reach_members(struct assembly *a)
{
	for (size_t i = 0; i < a->group_count; i++)
		reach_group(a->groups[i]);
}

static CK_RV build(struct assembly *a, struct config *config)
{
	struct diag diag = {0};
	CK_RV rv;

	a->config = config;
	a->vendors = vendor_load(NULL, &diag);
	if (a->vendors)
		(void)config_check_vendors(config, a->vendors, &diag); /* said in the log, below */
	assembly_log(&diag, LOG_LEVEL_WARN);
	if (!a->vendors)
		return CKR_HOST_MEMORY;
	rv = make_libraries(a);
	if (rv == CKR_OK && config->discover)
		rv = discover(a);
	return rv == CKR_OK ? make_groups(a) : rv;
}

/* In a library that somebody else in this process owns, what is ours must be closed one by one. */
static void leave_foreign(struct assembly *a)
{
	for (size_t i = 0; i < a->group_count; i++) {
		struct group *g = a->groups[i];

		for (size_t k = 0; k < g->member_count; k++) {
			if (atomic_load(&g->members[k].state) != MEMBER_UP ||
			    atomic_load(&g->members[k].lib->is_owned))
				continue;
			login_drop(g);
			pool_empty(&g->members[k], true);
		}
	}
}

/* Stops all libraries; false when a call is still inside one of them. */
bool assembly_stop(struct assembly *a, bool calls_ended, long long wait_ms)
{
	bool all_ended = health_stop(wait_ms) && calls_ended;

	if (calls_ended)
		leave_foreign(a);
	for (size_t i = 0; a->libraries && i < a->config->module_count; i++) {
		struct library *lib = a->libraries[i];
		bool ended = true;

		if (!lib)
			break; /* memory was out while they were made */

		for (struct member *m = lib->members; m; m = m->next)
			ended = pool_quiesce(&m->pool, calls_ended ? wait_ms : 0) && ended;
		if (pthread_mutex_trylock(&lib->lock) != 0) {
			all_ended = false;
			continue; /* a call under its lock did not return in time either */
		}
		library_stop(lib, ended);
		pthread_mutex_unlock(&lib->lock);
		all_ended = all_ended && ended;
	}
	return all_ended;
}

void assembly_ending(struct assembly *a)
{
	health_ending();
	for (size_t i = 0; i < a->config->module_count; i++)
		library_ending(a->libraries[i]);
}

void assembly_free(struct assembly *a)
{
	for (size_t i = 0; i < a->group_count; i++) {
		for (size_t k = 0; k < a->groups[i]->member_count; k++)
			member_fini(&a->groups[i]->members[k], false);
		group_free(a->groups[i]);
	}
	free(a->groups);
	for (size_t i = 0; a->libraries && i < a->config->module_count; i++)
		library_free(a->libraries[i]);
	free(a->libraries);
	vendor_free(a->vendors);
	config_free(a->config);
	*a = (struct assembly){0};
}

CK_RV assembly_build(struct assembly *a, struct config *config, bool may_thread)
{
	CK_RV rv = build(a, config);

	if (rv == CKR_OK) {
		health_start(a, may_thread);
		reach_members(a);
		health_watch();
		return CKR_OK;
	}
	(void)assembly_stop(a, true, 0); /* none has a session yet */
	assembly_free(a);
	return rv;
}

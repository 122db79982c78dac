/* SPDX-License-Identifier: BSD-2-Clause */
/* The inventory as a whole: read, matched, judged.
 *
 * It is a picture of a moment: other processes go on. Who acts on it holds the write lock
 * (intent.h) from before the reading on, and proves what it touches once more. No lock; sessions of
 * the pools are borrowed one at a time. */
#include "core/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/inventory_part.h"

/* How long a session of a busy member is waited for. */
#define SESSION_WAIT_MS 5000

static const char *const state_names[LOGICAL_STATES] = {
	[LOGICAL_DESTROYED] = "destroyed", [LOGICAL_CONFLICT] = "conflict",
	[LOGICAL_EXTRA] = "extra",         [LOGICAL_MISSING] = "missing",
	[LOGICAL_DRIFT] = "drift",         [LOGICAL_OWED] = "owed",
	[LOGICAL_SINGLE] = "single",       [LOGICAL_UNREPLICATED] = "unreplicated",
	[LOGICAL_RETIRED] = "retired",     [LOGICAL_OK] = "ok",
};

const char *logical_state_name(enum logical_state state)
{
	return state_names[state];
}

unsigned inventory_needs(const struct group *g)
{
	unsigned n = (unsigned)g->member_count;

	switch (g->conf->replicate) {
	case CONFIG_REPLICATE_NONE:
	case CONFIG_REPLICATE_FIRST:
		return 1;
	case CONFIG_REPLICATE_MAJORITY:
		return n / 2 + 1;
	case CONFIG_REPLICATE_ALL:
		return n;
	}
	return n;
}

bool inventory_may_ask(const struct member *m)
{
	if (!m->group->is_multi)
		return atomic_load(&m->state) == MEMBER_UP;
	return member_may_serve(m) && !group_waits_for(m);
}

CK_RV inventory_take(struct member *m, struct member_session **ms)
{
	CK_RV rv = pool_take(m, 0, SESSION_WAIT_MS, ms);

	if (rv != CKR_OK)
		*ms = NULL;
	return rv;
}

void inventory_fail(struct inventory *inv, unsigned member, const char *what, CK_RV rv)
{
	size_t kept = 0;
	char code[NAME_MAX_LEN];

	inv->asked &= ~(1U << member);
	(void)snprintf(inv->why[member], INVENTORY_WHY, "%s: %s", what,
		       name_of(NAME_RV, rv, code)); /* may be cut */
	for (size_t i = 0; i < inv->instance_count; i++) {
		if (inv->instances[i].member == member)
			identity_free(&inv->instances[i].id);
		else
			inv->instances[kept++] = inv->instances[i];
	}
	inv->instance_count = kept;
	kept = 0;
	for (size_t i = 0; i < inv->leftover_count; i++)
		if (inv->leftovers[i].member != member)
			inv->leftovers[kept++] = inv->leftovers[i];
	inv->leftover_count = kept;
}

CK_RV inventory_read(struct group *g, const struct inventory_how *how, struct inventory **out)
{
	struct inventory *inv = calloc(1, sizeof *inv);
	CK_RV rv = CKR_HOST_MEMORY;

	*out = NULL;
	if (!inv)
		return rv;
	inv->group = g;
	rv = inventory_collect(inv, how);
	if (rv == CKR_OK)
		rv = inventory_match(inv);
	if (rv == CKR_OK)
		rv = inventory_judge(inv, how);
	if (rv == CKR_OK)
		*out = inv;
	else
		inventory_free(inv);
	return rv;
}

static void free_logicals(struct inventory *inv)
{
	for (size_t i = 0; i < inv->logical_count; i++)
		for (unsigned m = 0; m < CONFIG_MAX_MEMBERS; m++)
			buf_free(&inv->logicals[i].drift[m]);
	free(inv->logicals);
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	free_logicals(inv);
	for (size_t i = 0; i < inv->instance_count; i++)
		identity_free(&inv->instances[i].id);
	free(inv->instances);
	for (size_t i = 0; i < inv->record_count; i++)
		record_free(&inv->records[i]);
	free(inv->records);
	free(inv->leftovers);
	free(inv);
}

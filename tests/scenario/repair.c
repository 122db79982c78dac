/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver for repair.sh: records as other processes leave them, and a member that comes back. Over
 * the core itself, not over the module.
 *
 *   repair MODULE record TOKEN LABEL STATE OWED ON   a record of the object of this label, live,
 *                                                    retired or destroyed, that OWED (a member) is
 *                                                    owed, on the member ON
 *   repair MODULE owed TOKEN MEMBER                  what the member owes is done; says the code
 * and why repair MODULE records TOKEN                      says how many records all members have
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/inventory.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/repair.h"
#include "core/session.h"

#define PIN "1234"
#define NEED(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)printf("line %d: %s\n", __LINE__, #what);                            \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static struct group *enter(const char *label)
{
	CK_SESSION_HANDLE session;

	for (size_t i = 0; i < mux_group_count(); i++) {
		struct group *g = mux_group(i);

		if (strcmp(g->conf->label, label) != 0)
			continue;
		NEED(session_open(g->conf->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				  &session) == CKR_OK);
		NEED(login_in(session, CKU_USER, (const CK_BYTE *)PIN, strlen(PIN), NULL, 0) ==
		     CKR_OK);
		return g;
	}
	(void)printf("no token %s\n", label);
	exit(1);
}

static struct member *member_of(struct group *g, const char *name)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (strcmp(g->members[i].conf->name, name) == 0)
			return &g->members[i];
	(void)printf("no member %s\n", name);
	exit(1);
}

/* The private or secret key of this label, else whatever has it. */
static const struct instance *find(const struct inventory *inv, const char *label)
{
	const struct instance *found = NULL;

	for (size_t i = 0; i < inv->instance_count; i++) {
		const struct instance *in = &inv->instances[i];

		if (in->id.label.len == strlen(label) &&
		    memcmp(in->id.label.data, label, strlen(label)) == 0 &&
		    (!found || in->id.class == CKO_PRIVATE_KEY))
			found = in;
	}
	NEED(found);
	return found;
}

static void put_record(struct group *g, const char *label, const char *state, const char *owed,
		       const char *on)
{
	struct inventory_how how = {.is_quick = true};
	struct repair r = {.group = g};
	struct inventory *inv;
	const struct instance *in;
	struct record rec = {.version = 7};
	unsigned where = 1U << member_of(g, on)->index;

	NEED(inventory_read(g, &how, &inv) == CKR_OK);
	in = find(inv, label);
	rec.class = in->id.class;
	rec.key_type = in->id.key_type;
	rec.owed = 1U << member_of(g, owed)->index;
	rec.state = strcmp(state, "destroyed") == 0 ? RECORD_DESTROYED
		    : strcmp(state, "retired") == 0 ? RECORD_RETIRED
						    : RECORD_LIVE;
	NEED(buf_add(&rec.id, in->id.id.data, in->id.id.len));
	NEED(buf_add(&rec.label, in->id.label.data, in->id.label.len));
	NEED(repair_print(&r, in, rec.print) == CKR_OK);
	NEED(repair_record(&r, &rec, where, where) == CKR_OK);
	record_free(&rec);
	inventory_free(inv);
}

static void settle(struct group *g, const char *name)
{
	char why[256] = "", code[NAME_MAX_LEN];
	struct intents *lock = intents_open(g, 1000, why, sizeof why);
	CK_RV rv;

	if (!lock)
		(void)printf("%s\n", why);
	NEED(lock);
	rv = repair_owed(g, member_of(g, name), lock, why, sizeof why);
	intents_close(lock);
	(void)printf("%s %s\n", name_of(NAME_RV, rv, code), why);
}

static void count_records(struct group *g)
{
	size_t sum = 0;

	for (size_t i = 0; i < g->member_count; i++) {
		struct member_session *ms;
		struct record *list;
		size_t count;

		NEED(pool_take(&g->members[i], 0, 1000, &ms) == CKR_OK);
		NEED(record_list(ms, &list, &count) == CKR_OK);
		pool_give(ms, 0);
		for (size_t k = 0; k < count; k++)
			record_free(&list[k]);
		free(list);
		sum += count;
	}
	(void)printf("%zu\n", sum);
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[2] : "";

	NEED(argc > 3 && mux_init(NULL) == CKR_OK);
	if (strcmp(what, "record") == 0 && argc == 8)
		put_record(enter(argv[3]), argv[4], argv[5], argv[6], argv[7]);
	else if (strcmp(what, "owed") == 0 && argc == 5)
		settle(enter(argv[3]), argv[4]);
	else if (strcmp(what, "records") == 0)
		count_records(enter(argv[3]));
	else
		what = NULL;
	NEED(what);
	NEED(mux_fini() == CKR_OK);
	return 0;
}

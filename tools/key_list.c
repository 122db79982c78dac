/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key list, key compare: what keys there are, where, and what differs.
 *
 * Both only read. A member that cannot be asked is named on standard error and is no finding. */
#include <string.h>

#include "core/base/names.h"
#include "tools/key.h"

/* Findings, apart from what is only told. */
#define FINDINGS                                                                                   \
	(1U << LOGICAL_DESTROYED | 1U << LOGICAL_CONFLICT | 1U << LOGICAL_EXTRA |                  \
	 1U << LOGICAL_MISSING | 1U << LOGICAL_DRIFT | 1U << LOGICAL_OWED | 1U << LOGICAL_SINGLE | \
	 1U << LOGICAL_UNREPLICATED)

/* The public half stands behind its private one, unless something is the matter with it. */
static bool is_listed(const struct key_work *w, const struct logical *l)
{
	CK_OBJECT_CLASS class = logical_first(l)->id.class;

	if (w->options->all)
		return true;
	if (class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY)
		return true;
	return class == CKO_PUBLIC_KEY && (l->state != LOGICAL_OK || !key_other_half(w->inv, l));
}

/* Room for the widest label and id; longer ones break their line only. */
struct widths {
	size_t label;
	size_t id;
	size_t type;
};

static struct widths widths_of(const struct key_work *w)
{
	struct widths max = {0, 2, 0};

	for (size_t i = 0; i < w->inv->logical_count; i++) {
		const struct logical *l = &w->inv->logicals[i];
		const struct identity *id = &logical_first(l)->id;

		if (!is_listed(w, l))
			continue;
		max.label = id->label.len > max.label ? id->label.len : max.label;
		max.id = id->id.len * 2 > max.id ? id->id.len * 2 : max.id;
		max.type = strlen(l->type) > max.type ? strlen(l->type) : max.type;
	}
	max.label = max.label < 40 ? max.label : 40;
	max.id = max.id < 40 ? max.id : 40;
	return max;
}

static void pad(size_t used, size_t width)
{
	printf("%*s", (int)(used < width ? width - used : 0) + 2, "");
}

static void put_label(const struct buf *label)
{
	char text[260];
	size_t len = label->len < sizeof(text) - 1 ? label->len : sizeof(text) - 1;

	if (len > 0)
		memcpy(text, label->data, len);
	text[len] = '\0';
	tool_put(stdout, text);
}

static void put_uses(const struct logical *l)
{
	bool is_first = true;

	for (unsigned i = 0; i < LOGICAL_USES; i++) {
		if (!(l->use & 1U << i))
			continue;
		printf("%s%s", is_first ? "" : ",", logical_use_name((enum logical_use)(1U << i)));
		is_first = false;
	}
	fputs(is_first ? "-" : "", stdout);
}

static void put_notes(const struct logical *l)
{
	for (int i = 0; l->record != NULL && i < RECORD_NOTES; i++) {
		if (l->record->note[i] == NULL)
			continue;
		printf("    %s: ", record_note_name((enum record_note)i));
		tool_put(stdout, l->record->note[i]);
		putchar('\n');
	}
}

/* Everything that holds, the gravest first. */
static void put_states(const struct logical *l)
{
	const char *between = "";

	for (unsigned i = 0; i < LOGICAL_STATES; i++) {
		if (!(l->facts & 1U << i))
			continue;
		printf("%s%s", between, logical_state_name((enum logical_state)i));
		between = ",";
	}
}

static void put_row(const struct key_work *w, const struct logical *l, const struct widths *max)
{
	const struct identity *id = &logical_first(l)->id;
	char members[KEY_MEMBERS_LEN], spare[NAME_MAX_LEN];

	key_members(w->group, l->holders, members);
	put_label(&id->label);
	pad(id->label.len, max->label);
	key_put_hex(stdout, &id->id);
	pad(id->id.len > 0 ? id->id.len * 2 : 1, max->id);
	printf("%-11s  %-*s  ", logical_class_name(id->class, spare), (int)max->type, l->type);
	put_uses(l);
	printf("  %s of %zu  ", members, w->group->member_count);
	put_states(l);
	if (l->ordinal > 0)
		printf(" (copy %u)", l->ordinal + 1);
	putchar('\n');
	if (w->options->notes)
		put_notes(l);
}

static void list_json(const struct key_work *w)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_string(&j, "token", w->group->conf->label);
	key_json_members(&j, w->group, group_all(w->group), "members");
	key_json_members(&j, w->group, w->inv->asked, "asked");
	json_list(&j, "keys");
	for (size_t i = 0; i < w->inv->logical_count; i++)
		if (is_listed(w, &w->inv->logicals[i]))
			key_json(&j, w->inv, &w->inv->logicals[i], NULL);
	json_list_end(&j);
	json_object_end(&j);
	putchar('\n');
}

static void list_text(const struct key_work *w)
{
	struct widths max = widths_of(w);

	for (size_t i = 0; i < w->inv->logical_count; i++)
		if (is_listed(w, &w->inv->logicals[i]))
			put_row(w, &w->inv->logicals[i], &max);
}

enum tool_exit tool_key_list(const struct tool_options *options)
{
	struct key_work w;
	enum tool_exit code = key_begin(&w, options);

	if (code == TOOL_YES)
		code = key_read(&w, true);
	if (code == TOOL_YES && options->json)
		list_json(&w);
	else if (code == TOOL_YES)
		list_text(&w);
	key_end(&w);
	return code;
}

static void put_drift(const struct key_work *w, const struct logical *l)
{
	const struct member *first = &w->group->members[logical_first(l)->member];

	for (size_t i = 0; i < w->group->member_count; i++) {
		const CK_ATTRIBUTE_TYPE *type =
			(const CK_ATTRIBUTE_TYPE *)(const void *)l->drift[i].data;
		size_t n = l->drift[i].len / sizeof(*type);
		char spare[NAME_MAX_LEN];

		if (n == 0)
			continue;
		key_put_name(stdout, l);
		printf(": drift: on %s ", w->group->members[i].conf->name);
		for (size_t k = 0; k < n; k++)
			printf("%s%s", k > 0 ? ", " : "", name_of(NAME_ATTRIBUTE, type[k], spare));
		printf(" not as on %s: key sync sets it\n", first->conf->name);
	}
}

static const char *why_extra(const struct logical *l)
{
	const struct instance *in = logical_first(l);

	if (in->is_refuted)
		return "it is not the private key of the public key beside it";
	if (in->is_unproven)
		return "it could not be used to show which key it is";
	if (in->id.is_doubtful)
		return "it failed to answer: ask again";
	return "nothing shows what it is";
}

/* "private key ... : STATE: on MEMBERS: what can be done". */
static void put_line(const struct key_work *w, const struct logical *l, enum logical_state state,
		     unsigned mask, const char *what)
{
	char members[KEY_MEMBERS_LEN];

	key_members(w->group, mask, members);
	key_put_name(stdout, l);
	printf(": %s: %s: %s\n", logical_state_name(state), members, what);
}

static void put_absence(const struct key_work *w, const struct logical *l, enum logical_state state)
{
	unsigned copied = l->missing & ~l->rivals;

	if (copied == 0)
		return;
	put_line(w, l, state, copied,
		 l->single_why != NULL ? l->single_why : "not there; key sync copies it");
}

static void put_findings(const struct key_work *w, const struct logical *l)
{
	if (l->facts & 1U << LOGICAL_DESTROYED)
		put_line(w, l, LOGICAL_DESTROYED, l->doomed,
			 "was destroyed while it was away; key sync destroys it");
	if (l->facts & 1U << LOGICAL_CONFLICT)
		put_line(w, l, LOGICAL_CONFLICT, l->rivals,
			 "something else has its name there; rename or destroy one of them");
	if (l->facts & 1U << LOGICAL_EXTRA)
		put_line(w, l, LOGICAL_EXTRA, l->holders, why_extra(l));
	if (l->facts & 1U << LOGICAL_MISSING)
		put_absence(w, l, LOGICAL_MISSING);
	if (l->facts & 1U << LOGICAL_DRIFT)
		put_drift(w, l);
	if (l->facts & 1U << LOGICAL_OWED)
		put_line(w, l, LOGICAL_OWED, l->record->owed,
			 "missed a change; done when it is back, or by key sync");
	if (l->facts & 1U << LOGICAL_SINGLE)
		put_line(w, l, LOGICAL_SINGLE, l->holders, l->single_why);
	if (l->facts & 1U << LOGICAL_UNREPLICATED)
		put_absence(w, l, LOGICAL_UNREPLICATED);
}

static void put_others(const struct key_work *w)
{
	const struct inventory *inv = w->inv;
	char members[KEY_MEMBERS_LEN];

	for (size_t i = 0; i < inv->leftover_count; i++)
		printf("object \"%s\": leftover: %s: of a creation that was not finished, or goes "
		       "on; key sync destroys it\n",
		       inv->leftovers[i].tag,
		       w->group->members[inv->leftovers[i].member].conf->name);
	for (size_t i = 0; i < inv->record_count; i++) {
		if (inv->records[i].state != RECORD_DESTROYED || inv->records[i].owed == 0)
			continue;
		key_members(w->group, inv->records[i].owed, members);
		fputs("destroyed object (id ", stdout);
		key_put_hex(stdout, &inv->records[i].id);
		printf("): tombstone: %s: not known to be gone there yet\n", members);
	}
}

static void compare_json(const struct key_work *w, bool ok)
{
	const struct inventory *inv = w->inv;
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_string(&j, "token", w->group->conf->label);
	json_bool(&j, "ok", ok);
	key_json_members(&j, w->group, inv->asked, "asked");
	json_list(&j, "differences");
	for (size_t i = 0; i < inv->logical_count; i++)
		if (inv->logicals[i].facts & FINDINGS)
			key_json(&j, inv, &inv->logicals[i], NULL);
	json_list_end(&j);
	json_list(&j, "leftovers");
	for (size_t i = 0; i < inv->leftover_count; i++) {
		json_object(&j, NULL);
		json_string(&j, "tag", inv->leftovers[i].tag);
		json_string(&j, "member", w->group->members[inv->leftovers[i].member].conf->name);
		json_object_end(&j);
	}
	json_list_end(&j);
	json_list(&j, "tombstones");
	for (size_t i = 0; i < inv->record_count; i++)
		if (inv->records[i].state == RECORD_DESTROYED)
			key_json_members(&j, w->group, inv->records[i].owed, NULL);
	json_list_end(&j);
	json_object_end(&j);
	putchar('\n');
}

bool key_differs(const struct inventory *inv)
{
	for (size_t i = 0; i < inv->logical_count; i++)
		if (inv->logicals[i].facts & FINDINGS)
			return true;
	for (size_t i = 0; i < inv->record_count; i++)
		if (inv->records[i].state == RECORD_DESTROYED && inv->records[i].owed != 0)
			return true;
	return inv->leftover_count > 0;
}

enum tool_exit tool_key_compare(const struct tool_options *options)
{
	struct key_work w;
	enum tool_exit code = key_begin(&w, options);
	bool differs = false;

	if (code == TOOL_YES)
		code = key_read(&w, false);
	if (code != TOOL_YES)
		goto out;
	differs = key_differs(w.inv);
	if (options->json)
		compare_json(&w, !differs);
	for (size_t i = 0; !options->json && i < w.inv->logical_count; i++)
		put_findings(&w, &w.inv->logicals[i]);
	if (!options->json)
		put_others(&w);
	if (differs)
		code = TOOL_NO;
	else if (w.inv->asked != group_all(w.group))
		code = TOOL_UNREACHABLE;
out:
	key_end(&w);
	return code;
}

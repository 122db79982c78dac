/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key sync: says what it will do, then does it: what has to go is destroyed, missing copies
 * are made, differing attributes set, leftovers taken away.
 *
 * The write lock is held from before the inventory to the end, so that the plan is about what is
 * there. Each step proves what it touches once more (core/repair.h). A step that fails stops no
 * other. Conflicts are said and left: which of two keys is right, only people know. */
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/orphan.h"
#include "core/replicate.h"
#include "tools/enter.h"
#include "tools/key.h"

/* What became of the plan. */
struct outcome {
	struct key_work *w;
	struct json *json; /* NULL: lines */
	size_t done;
	size_t failed;
	size_t left;       /* not to be done by a program */
	unsigned *holders; /* for each key of the inventory: members that have it by now */
};

/* One step of the plan: said when it is planned, and with its end when it was done. */
static void tell(struct outcome *o, const struct logical *l, const char *what,
		 const struct member *m, CK_RV rv, const char *why)
{
	const char *end = o->w->options->dry_run ? "planned" : rv == CKR_OK ? "done" : "failed";

	if (rv == CKR_OK)
		o->done++;
	else
		o->failed++;
	if (o->json != NULL) {
		json_object(o->json, NULL);
		json_string(o->json, "step", what);
		json_string(o->json, "member", m->conf->name);
		json_string(o->json, "result", end);
		json_string(o->json, "why", rv == CKR_OK ? NULL : why);
		if (l != NULL)
			key_json(o->json, o->w->inv, l, "key");
		json_object_end(o->json);
		return;
	}
	printf("%s: %s on %s: ", end, what, m->conf->name);
	if (l != NULL)
		key_put_name(stdout, l);
	if (rv != CKR_OK || l == NULL)
		printf("%s%s", l != NULL ? ": " : "", why);
	putchar('\n');
	(void)fflush(stdout); /* checked at the end */
}

static struct repair new_repair(const struct outcome *o)
{
	return (struct repair){.group = o->w->group, .lock = o->w->lock};
}

/* The copies that should have gone, and with them what the record says of those members. */
static void destroy_doomed(struct outcome *o, const struct logical *l)
{
	struct group *g = o->w->group;

	for (size_t i = 0; i < g->member_count; i++) {
		struct repair r = new_repair(o);
		CK_RV rv = CKR_OK;

		if (!(l->doomed & 1U << i))
			continue;
		if (!o->w->options->dry_run)
			rv = repair_destroy(&r, l->at[i], l->record->print);
		tell(o, l, "destroy", &g->members[i], rv, r.why);
	}
}

/* It is on all members now: it needs to be wrapped no more. */
static void lock_holders(struct outcome *o, const struct logical *l)
{
	struct repair r = new_repair(o);

	if (repair_lock(&r, l) != CKR_OK)
		tell(o, l, "lock", &o->w->group->members[logical_first(l)->member],
		     CKR_FUNCTION_FAILED, r.why);
}

/* What stands alone cannot be told from others: a private key comes behind its public half, which
 * is earlier in the inventory. */
static CK_RV check_half(const struct outcome *o, const struct logical *l, size_t to,
			struct repair *r)
{
	const struct logical *half =
		logical_first(l)->id.class == CKO_PRIVATE_KEY ? key_other_half(o->w->inv, l) : NULL;

	if (half == NULL || o->holders[half - o->w->inv->logicals] & 1U << to)
		return CKR_OK;
	(void)snprintf(r->why, sizeof(r->why), "its public key was not copied"); /* it fits */
	return CKR_FUNCTION_REJECTED;
}

static void copy_missing(struct outcome *o, const struct logical *l)
{
	struct group *g = o->w->group;
	unsigned to = l->missing & ~l->rivals, *holders = &o->holders[l - o->w->inv->logicals];

	for (size_t i = 0; i < g->member_count; i++) {
		struct repair r = new_repair(o);
		CK_RV rv;

		if (!(to & 1U << i) || l->single_why != NULL)
			continue;
		rv = check_half(o, l, i, &r);
		if (rv == CKR_OK && !o->w->options->dry_run)
			rv = repair_missing(&r, l, &g->members[i]);
		if (rv == CKR_OK)
			*holders |= 1U << i;
		tell(o, l, "copy", &g->members[i], rv, r.why);
	}
	if (*holders == group_all(g) && *holders != l->holders && !o->w->options->dry_run)
		lock_holders(o, l);
}

static void set_drift(struct outcome *o, const struct logical *l)
{
	const struct member *first = &o->w->group->members[logical_first(l)->member];
	struct repair r = new_repair(o);
	CK_RV rv = CKR_OK;

	if (!o->w->options->dry_run)
		rv = repair_drift(&r, l);
	tell(o, l, "set attributes as", first, rv, r.why);
}

static void say_left(struct outcome *o, const struct logical *l, const char *what)
{
	o->left++;
	if (o->json != NULL)
		return;
	fputs("left: ", stdout);
	key_put_name(stdout, l);
	printf(": %s\n", what);
}

static void repair_one(struct outcome *o, const struct logical *l)
{
	if (l->facts & 1U << LOGICAL_DESTROYED)
		destroy_doomed(o, l);
	if (l->facts & 1U << LOGICAL_CONFLICT)
		say_left(o, l, "conflict: something else has its name");
	if (l->facts & 1U << LOGICAL_EXTRA)
		say_left(o, l, "extra: nothing shows what it is");
	if (l->doomed != l->holders)
		copy_missing(o, l);
	if (l->facts & 1U << LOGICAL_DRIFT && !l->doomed)
		set_drift(o, l);
	if (l->single_why != NULL && l->missing)
		say_left(o, l, l->single_why);
}

/* Why a leftover must not be destroyed; NULL: it may be. What the journal of this machine knows and
 * does not say to be decided is of a process that is gone, because the lock is ours. What no
 * journal here knows may be another host's creation on its way. */
static const char *why_kept(const struct key_work *w, const char *tag)
{
	for (size_t i = 0; i < intents_count(w->lock); i++) {
		const struct intent *in = intents_at(w->lock, i);

		if (strcmp(in->tag, tag) == 0)
			return in->is_committed ? "it was decided, and gets its name when all its "
						  "members are there"
						: NULL;
	}
	return w->options->leftovers ? NULL
				     : "no journal here knows it, another host may be at work: "
				       "--leftovers destroys it";
}

static CK_RV destroy_leftover(struct outcome *o, const struct leftover *l)
{
	struct member *m = &o->w->group->members[l->member];
	struct member_session *ms = NULL;
	size_t count;
	CK_RV rv = pool_take(m, 0, 1000, &ms);

	if (rv != CKR_OK)
		return rv;
	rv = orphan_destroy(ms, l->tag, &count);
	if (rv == CKR_OK)
		pool_give(ms, 0);
	else
		pool_drop(ms);
	return rv;
}

static void clean_one(struct outcome *o, const struct leftover *l)
{
	const struct member *m = &o->w->group->members[l->member];
	const char *kept = why_kept(o->w, l->tag);
	char why[MEMBER_TAG_ROOM + NAME_MAX_LEN + 20], code[NAME_MAX_LEN];
	CK_RV rv = CKR_OK;

	if (kept != NULL) {
		o->left++;
		if (o->json == NULL)
			printf("left: object \"%s\" on %s: %s\n", l->tag, m->conf->name, kept);
		return;
	}
	if (!o->w->options->dry_run)
		rv = destroy_leftover(o, l);
	(void)snprintf(why, sizeof(why), "object \"%s\"%s%s", l->tag, rv == CKR_OK ? "" : ": ",
		       rv == CKR_OK ? "" : name_of(NAME_RV, rv, code)); /* it fits */
	tell(o, NULL, "destroy leftover", m, rv, why);
}

/* Records that owe something to members that were asked: they are served in their own way, which
 * also clears them. */
static void settle_records(struct outcome *o)
{
	struct group *g = o->w->group;
	unsigned owed = 0;

	for (size_t i = 0; i < o->w->inv->record_count; i++)
		owed |= o->w->inv->records[i].owed;
	for (size_t i = 0; i < g->member_count; i++) {
		char why[CARRY_WHY] = "records that owe it something";
		CK_RV rv = CKR_OK;

		if (!(owed & o->w->inv->asked & 1U << i))
			continue;
		if (!o->w->options->dry_run)
			rv = repair_owed(g, &g->members[i], o->w->lock, why, sizeof(why));
		tell(o, NULL, "settle", &g->members[i], rv, why);
	}
}

static void carry_out(struct outcome *o)
{
	for (size_t i = 0; i < o->w->inv->logical_count; i++)
		o->holders[i] = o->w->inv->logicals[i].holders;
	for (size_t i = 0; i < o->w->inv->logical_count; i++)
		repair_one(o, &o->w->inv->logicals[i]);
	settle_records(o);
	for (size_t i = 0; i < o->w->inv->leftover_count; i++)
		clean_one(o, &o->w->inv->leftovers[i]);
}

static enum tool_exit finish(const struct outcome *o)
{
	const struct key_work *w = o->w;

	if (o->json == NULL)
		printf("%zu %s, %zu failed, %zu left as they are\n", o->done,
		       w->options->dry_run ? "planned" : "done", o->failed, o->left);
	if (o->failed > 0 || o->left > 0 || (w->options->dry_run && o->done > 0))
		return TOOL_NO;
	return w->inv->asked == group_all(w->group) ? TOOL_YES : TOOL_UNREACHABLE;
}

static enum tool_exit sync_json(struct outcome *o)
{
	struct json j = {.out = stdout};
	enum tool_exit code;

	o->json = &j;
	json_object(&j, NULL);
	json_string(&j, "token", o->w->group->conf->label);
	json_bool(&j, "dry_run", o->w->options->dry_run);
	json_list(&j, "steps");
	carry_out(o);
	code = finish(o);
	json_list_end(&j);
	json_number(&j, "done", o->done);
	json_number(&j, "failed", o->failed);
	json_number(&j, "left", o->left);
	json_object_end(&j);
	putchar('\n');
	return code;
}

enum tool_exit tool_key_sync(const struct tool_options *options)
{
	struct key_work w;
	struct outcome o = {.w = &w};
	enum tool_exit code = key_begin(&w, options);

	if (code == TOOL_YES)
		code = key_lock(&w);
	if (code == TOOL_YES && !options->dry_run)
		replicate_recover(w.group, w.lock);
	if (code == TOOL_YES)
		code = key_read(&w, false);
	if (code == TOOL_YES)
		o.holders = calloc(w.inv->logical_count + 1, sizeof(*o.holders));
	if (code == TOOL_YES && o.holders == NULL) {
		tool_complain(w.group, "memory is out");
		code = TOOL_NO;
	} else if (code == TOOL_YES && options->json) {
		code = sync_json(&o);
	} else if (code == TOOL_YES) {
		carry_out(&o);
		code = finish(&o);
	}
	free(o.holders);
	key_end(&w);
	return code;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key import-from, key move: keys of another virtual token of the configuration, which may be
 * one real token in passthrough mode.
 *
 * A key travels wrapped, never in clear (core/carry.h), and proves on every member that it is the
 * one that it was where it came from. The source is not changed; move destroys there what proved
 * itself on all members, at the very end. What cannot be wrapped is named, with the reason. */
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/kek.h"
#include "core/find.h"
#include "core/object_call.h"
#include "tools/enter.h"
#include "tools/key.h"

/* The transfer. */
struct transfer {
	struct key_work *w; /* the target */
	struct key_work source;
	unsigned *holders; /* for each object of the source: members of the target that have it */
	bool *is_told;     /* the same: its end was said */
	struct buf id;     /* of --id */
	struct json *json; /* NULL: lines */
	size_t done;
	size_t failed;
};

/* How it went with one object. */
static void tell(struct transfer *t, const struct logical *l, const char *result, const char *why)
{
	if (t->json != NULL) {
		json_object(t->json, NULL);
		json_string(t->json, "result", result);
		json_string(t->json, "why", why);
		key_json(t->json, t->source.inv, l, "key");
		json_object_end(t->json);
		return;
	}
	printf("%s: ", result);
	key_put_name(stdout, l);
	printf("%s%s\n", why != NULL ? ": " : "", why != NULL ? why : "");
	(void)fflush(stdout); /* checked at the end */
}

static bool is_meant(const struct transfer *t, const struct logical *l)
{
	const struct tool_options *o = t->w->options;
	const struct identity *id = &logical_first(l)->id;

	if (kek_is_named(t->w->group, id))
		return false;
	if (o->label == NULL && o->id == NULL)
		return o->all;
	return key_is_named(l, o->label, &t->id);
}

/* The same object in the target; or, in *rival, one that has its name and is another. */
static const struct logical *find_there(const struct transfer *t, const struct logical *l,
					const struct logical **rival)
{
	const struct inventory *inv = t->w->inv;
	const struct identity *id = &logical_first(l)->id;

	*rival = NULL;
	for (size_t i = 0; i < inv->logical_count; i++) {
		const struct identity *other = &logical_first(&inv->logicals[i])->id;

		if (identity_compare(id, other) == IDENTITY_SAME)
			return &inv->logicals[i];
		if (identity_same_name(id, other))
			*rival = &inv->logicals[i];
	}
	return NULL;
}

/* Whether its private half was to come, too, and did not: no half of a pair is made. */
static bool lacks_half(const struct transfer *t, const struct logical *l)
{
	const struct logical *half = logical_first(l)->id.class == CKO_PUBLIC_KEY
					     ? key_other_half(t->source.inv, l)
					     : NULL;

	return half != NULL && is_meant(t, half) && !t->w->options->dry_run &&
	       t->holders[half - t->source.inv->logicals] == 0;
}

/* Why it stays where it is; NULL: it can go. */
static const char *why_not(const struct transfer *t, const struct logical *l)
{
	const struct instance *in = logical_first(l);
	const struct logical *rival;

	if (in->is_refuted)
		return "it is not the private key of the public key beside it";
	if (in->id.kind == IDENTITY_NONE || in->is_unproven)
		return "nothing shows what it is: a copy could not be proven";
	if (l->single_why != NULL)
		return l->single_why;
	if (find_there(t, l, &rival) != NULL)
		return "it is there already";
	return rival != NULL ? "another object has its label and id there" : NULL;
}

/* What the copies are to be, of one object of the source. */
static CK_RV plan(struct transfer *t, const struct instance *from, struct blueprint *as,
		  struct repair *r)
{
	struct repair there = {.group = t->source.group};
	CK_RV rv = repair_blueprint(&there, from, NULL, 0, as);

	if (rv == CKR_OK)
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED); /* as this token protects keys */
	else
		memcpy(r->why, there.why, sizeof(r->why));
	return rv;
}

/* An object, with its public half when `half` is not NULL. */
static CK_RV copy(struct transfer *t, const struct logical *l, const struct logical *half,
		  unsigned *holders, struct repair *r)
{
	const struct instance *from = logical_first(l);
	struct blueprint as[2] = {{.count = 0}, {.count = 0}};
	struct group *g = t->w->group;
	struct repair_order order = {
		.source = &t->source.group->members[from->member],
		.from = {from, half != NULL ? half->at[from->member] : NULL},
		.as = {&as[0], &as[1]},
		.locks = g->conf->protect == CONFIG_PROTECT_LOCKED,
		.targets = t->w->inv->asked,
		.needs = inventory_needs(g),
	};
	CK_RV rv = plan(t, from, &as[0], r);

	if (rv == CKR_OK && order.from[1] != NULL)
		rv = plan(t, order.from[1], &as[1], r);
	if (rv == CKR_OK)
		rv = repair_spread(r, &order);
	*holders = order.holders;
	blueprint_free(&as[0]);
	blueprint_free(&as[1]);
	return rv;
}

/* The public half that comes with a private key; NULL: none does. */
static const struct logical *half_of(const struct transfer *t, const struct logical *l)
{
	const struct logical *half = logical_first(l)->id.class == CKO_PRIVATE_KEY
					     ? key_other_half(t->source.inv, l)
					     : NULL;

	return half != NULL && half->at[logical_first(l)->member] != NULL && is_meant(t, half) &&
			       why_not(t, half) == NULL
		       ? half
		       : NULL;
}

static void tell_left(struct transfer *t, const struct logical *l, const char *why)
{
	const struct logical *rival, *there = find_there(t, l, &rival);

	t->holders[l - t->source.inv->logicals] = there != NULL ? there->holders : 0;
	if (there == NULL)
		t->failed++;
	tell(t, l, "left", why);
}

/* How it went with one that was meant to come. */
static void tell_end(struct transfer *t, const struct logical *l, unsigned holders, const char *end,
		     const char *why)
{
	t->holders[l - t->source.inv->logicals] = holders;
	t->is_told[l - t->source.inv->logicals] = true;
	if (strcmp(end, "failed") == 0)
		t->failed++;
	else
		t->done++;
	tell(t, l, end, why);
}

static void transfer_one(struct transfer *t, const struct logical *l)
{
	unsigned all = group_all(t->w->group), holders = 0;
	struct repair r = {.group = t->w->group, .lock = t->w->lock};
	const struct logical *half = half_of(t, l);
	const char *why = why_not(t, l), *end = "planned";
	char code[NAME_MAX_LEN];
	CK_RV rv = CKR_OK;

	if (why == NULL && lacks_half(t, l))
		why = "its private half was not copied";
	if (why != NULL) {
		tell_left(t, l, why);
		return;
	}
	if (!t->w->options->dry_run) {
		rv = copy(t, l, half, &holders, &r);
		end = rv == CKR_OK ? "done" : "failed";
	}
	if (rv != CKR_OK)
		why = r.why[0] ? r.why : name_of(NAME_RV, rv, code);
	else if (!t->w->options->dry_run && holders != all)
		why = r.why;
	tell_end(t, l, holders, end, why);
	if (half != NULL)
		tell_end(t, half, holders, end, why);
}

/* Public keys that do not come with their private half last: no half of a pair is made. */
static size_t transfer_all(struct transfer *t)
{
	size_t meant = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < t->source.inv->logical_count; i++) {
			const struct logical *l = &t->source.inv->logicals[i];
			bool is_public = logical_first(l)->id.class == CKO_PUBLIC_KEY;

			if (is_public != (round == 1) || !is_meant(t, l))
				continue;
			meant++;
			if (!t->is_told[i])
				transfer_one(t, l);
		}
	}
	return meant;
}

/* The one object of this name, through the core. */
static CK_RV destroy_there(struct transfer *t, const struct logical *l)
{
	const struct identity *id = &logical_first(l)->id;
	CK_OBJECT_CLASS class = id->class;
	CK_ATTRIBUTE tmpl[3] = {{CKA_CLASS, &class, sizeof(class)},
				{CKA_LABEL, id->label.data, id->label.len},
				{CKA_ID, id->id.data, id->id.len}};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG count = 0;
	CK_RV rv = find_init(t->source.session, tmpl, class == CKO_DATA ? 2 : 3);

	if (rv == CKR_OK)
		rv = find_next(t->source.session, found, 2, &count);
	if (rv == CKR_OK)
		rv = find_final(t->source.session);
	if (rv == CKR_OK && count != 1)
		rv = CKR_FUNCTION_REJECTED; /* several have its name: which, is for people */
	return rv == CKR_OK ? object_destroy(t->source.session, found[0]) : rv;
}

static void destroy_moved(struct transfer *t)
{
	for (size_t i = 0; i < t->source.inv->logical_count; i++) {
		const struct logical *l = &t->source.inv->logicals[i];
		char code[NAME_MAX_LEN];
		CK_RV rv;

		if (!is_meant(t, l))
			continue;
		if (t->holders[i] != group_all(t->w->group)) {
			tell(t, l, "kept", "it is not on all members of the target");
			t->failed++;
			continue;
		}
		rv = destroy_there(t, l);
		if (rv != CKR_OK)
			t->failed++;
		tell(t, l, rv == CKR_OK ? "moved" : "kept",
		     rv == CKR_OK ? NULL : name_of(NAME_RV, rv, code));
	}
}

static enum tool_exit run(struct transfer *t, bool moves)
{
	size_t meant = transfer_all(t);

	if (meant == 0) {
		tool_complain(t->source.group, "no such key: see \"hsmux key list\"");
		return TOOL_NO;
	}
	if (moves && !t->w->options->dry_run) {
		if (!key_ask(t->w, "The keys that are on all members are destroyed at the source."))
			return TOOL_NO;
		destroy_moved(t);
	}
	return t->failed == 0 ? TOOL_YES : TOOL_NO;
}

static enum tool_exit run_json(struct transfer *t, bool moves)
{
	struct json j = {.out = stdout};
	enum tool_exit code;

	t->json = &j;
	json_object(&j, NULL);
	json_string(&j, "token", t->w->group->conf->label);
	json_string(&j, "from", t->source.group->conf->label);
	json_list(&j, "keys");
	code = run(t, moves);
	json_list_end(&j);
	json_number(&j, "done", t->done);
	json_number(&j, "failed", t->failed);
	json_object_end(&j);
	putchar('\n');
	return code;
}

/* Both tokens, and what is in them. */
static enum tool_exit prepare(struct transfer *t)
{
	const struct tool_options *o = t->w->options;
	enum tool_exit code;

	if (strcmp(o->from, o->words[0]) == 0) {
		fputs("hsmux: --from names the token itself\n", stderr);
		return TOOL_USAGE;
	}
	code = tool_enter_too(o->from, o->from_pin, &t->source.group, &t->source.session);
	if (code == TOOL_YES)
		code = key_lock(t->w);
	if (code == TOOL_YES)
		code = key_read(t->w, false);
	if (code == TOOL_YES)
		code = key_read(&t->source, false);
	if (code != TOOL_YES)
		return code;
	t->holders = calloc(t->source.inv->logical_count + 1, sizeof(*t->holders));
	t->is_told = calloc(t->source.inv->logical_count + 1, sizeof(*t->is_told));
	if (inventory_bits(t->w->inv->asked) >= inventory_needs(t->w->group))
		return t->holders != NULL && t->is_told != NULL ? TOOL_YES : TOOL_NO;
	tool_complain(t->w->group, "%u members answer and %u are needed: nothing was copied",
		      inventory_bits(t->w->inv->asked), inventory_needs(t->w->group));
	return TOOL_UNREACHABLE;
}

static enum tool_exit transfer(const struct tool_options *options, bool moves)
{
	struct key_work w;
	struct transfer t = {.w = &w, .source = {.options = options}};
	enum tool_exit code = TOOL_USAGE;

	if (options->from == NULL ||
	    (options->label == NULL && options->id == NULL && !options->all)) {
		fprintf(stderr, "hsmux: %s is missing\n",
			options->from == NULL ? "--from" : "--label, --id or --all");
		return TOOL_USAGE;
	}
	if (options->id != NULL && !key_hex(options->id, &t.id))
		goto out;
	code = key_begin(&w, options);
	if (code == TOOL_YES)
		code = prepare(&t);
	if (code == TOOL_YES)
		code = options->json ? run_json(&t, moves) : run(&t, moves);
	inventory_free(t.source.inv);
	key_end(&w);
out:
	free(t.holders);
	free(t.is_told);
	buf_free(&t.id);
	return code;
}

enum tool_exit tool_key_import_from(const struct tool_options *options)
{
	return transfer(options, false);
}

enum tool_exit tool_key_move(const struct tool_options *options)
{
	return transfer(options, true);
}

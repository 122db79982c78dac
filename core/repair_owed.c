/* SPDX-License-Identifier: BSD-2-Clause */
/* What members owe: a record names those that were away when an object was made, changed or
 * destroyed. It is settled when they are back, from whoever has it right.
 *
 * The newest record of a print counts, wherever it is: the member that comes back may be the one
 * that knows. An object that a member has although it does not owe its destruction was made again
 * since: then the tombstone is what is old. Records go to every member that can be reached; an idle
 * one is dropped only when all members can be, because one that was away would bring its old one
 * back. The write lock is the caller's; no other is held. */
#include "core/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/repair_part.h"
#include "core/replicate_twin.h"

#define SESSION_WAIT_MS 5000
/* Copies of one object on one member; more are left for the next time. */
#define COPIES_MAX 64

/* A record where it was found. */
struct found_record {
	struct record record; /* owned */
	unsigned member;
};

/* The work on one group. */
struct owed {
	struct repair r;
	unsigned reach; /* bit i: member i can be asked */
	struct found_record *list;
	size_t count;
};

static bool is_reached(const struct owed *o, size_t i)
{
	return o->reach & 1U << i;
}

static bool is_all(const struct owed *o)
{
	return o->reach == group_all(o->r.group);
}

static struct member *member_at(const struct owed *o, size_t i)
{
	return &o->r.group->members[i];
}

/* `why` says what is the matter, unless something closer to it has said so. */
static CK_RV failed(struct owed *o, const struct member *m, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	if (rv != CKR_OK)
		(void)snprintf(o->r.why, sizeof o->r.why, "member %s: %s: %s", m->conf->name, what,
			       name_of(NAME_RV, rv, code)); /* may be cut */
	return rv;
}

static void give(struct member_session *ms, CK_RV rv)
{
	if (rv == CKR_OK)
		pool_give(ms, 0);
	else
		pool_drop(ms);
}

static bool add(struct owed *o, struct record *list, size_t count, unsigned member)
{
	struct found_record *all;

	if (count == 0)
		return true;
	all = reallocarray(o->list, o->count + count, sizeof *all);
	if (!all)
		return false;
	o->list = all;
	for (size_t i = 0; i < count; i++)
		if (record_is_believed(&list[i], false))
			all[o->count++] = (struct found_record){list[i], member};
		else
			record_free(&list[i]); /* written by anybody, and about what is private */
	return true;
}

static CK_RV read_member(struct owed *o, struct member *m)
{
	struct member_session *ms;
	struct record *list = NULL;
	size_t count = 0;
	CK_RV rv = pool_take(m, 0, SESSION_WAIT_MS, &ms);

	if (rv == CKR_OK) {
		rv = record_list(ms, &list, &count);
		give(ms, rv);
	}
	if (rv == CKR_OK && !add(o, list, count, m->index)) {
		for (size_t i = 0; i < count; i++)
			record_free(&list[i]);
		rv = CKR_HOST_MEMORY;
	}
	free(list);
	return failed(o, m, "its records cannot be read", rv);
}

/* The guarded ones of each print first, and of those the newest. */
static int order(const void *a, const void *b)
{
	const struct found_record *x = a, *y = b;
	int by_print = memcmp(x->record.print, y->record.print, FINGERPRINT_LEN);

	if (by_print != 0)
		return by_print;
	if (x->record.is_guarded != y->record.is_guarded)
		return x->record.is_guarded ? -1 : 1;
	if (x->record.version != y->record.version)
		return x->record.version < y->record.version ? 1 : -1;
	return (x->member > y->member) - (x->member < y->member);
}

static CK_RV read_all(struct owed *o)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < o->r.group->member_count; i++)
		if (is_reached(o, i))
			rv = read_member(o, member_at(o, i));
	if (o->count > 1)
		qsort(o->list, o->count, sizeof *o->list, order);
	return rv;
}

static void tell(const struct member *m, const struct record *rec, const char *what)
{
	char name[NAME_MAX_LEN], label[3 * 32 + 1];
	size_t n = 0;

	for (size_t i = 0; i < rec->label.len && i < 32; i++) {
		unsigned char c = rec->label.data[i];

		if (c >= 0x20 && c < 0x7f)
			label[n++] = (char)c;
		else
			n += (size_t)snprintf(label + n, 4, "%%%02X", c);
	}
	label[n] = '\0';
	log_msg(LOG_LEVEL_INFO, "member %s of token %s: %s \"%s\", which it missed: %s",
		m->conf->name, m->group_label, name_of(NAME_OBJECT_CLASS, rec->class, name), label,
		what);
}

/* All copies that the member has. */
static CK_RV destroy_there(struct owed *o, struct member *m, const struct record *rec)
{
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; i < COPIES_MAX; i++) {
		struct instance in;
		bool found;

		rv = repair_find(&o->r, o->reach, m, rec, &in, &found);
		if (rv != CKR_OK || !found)
			return rv;
		rv = repair_destroy(&o->r, &in, in.print);
		identity_free(&in.id);
		if (rv != CKR_OK)
			return rv;
		tell(m, rec, "destroyed");
	}
	return failed(o, m, "too many copies of a destroyed object", CKR_DEVICE_ERROR);
}

/* The object as its holder has it, on the member. *done false: it can never be copied there. */
static CK_RV copy_there(struct owed *o, struct member *m, const struct record *rec,
			const struct instance *holder, bool *done)
{
	struct blueprint as = {0};
	struct instance in;
	bool found;
	CK_RV rv = repair_find_like(&o->r, o->reach, m, rec, &holder->id, &in, &found);

	if (rv != CKR_OK)
		return rv;
	rv = repair_blueprint(&o->r, holder, NULL, 0, &as);
	if (rv == CKR_OK && found)
		rv = repair_attributes(&o->r, &in, &as);
	else if (rv == CKR_OK)
		rv = repair_copy(&o->r, member_at(o, holder->member), holder, &as, rec->may_export,
				 m);
	if (found)
		identity_free(&in.id);
	blueprint_free(&as);
	if (rv == CKR_OK)
		tell(m, rec, found ? "changed" : "copied");
	*done = rv == CKR_OK;
	if (rv == CKR_OK || !o->r.is_unable)
		return rv;
	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: an object that it missed stays as it is: %s", m->conf->name,
		m->group_label, o->r.why);
	return CKR_OK;
}

/* A record of a key that answers otherwise now: it is for the key as its holder has it. */
static bool moves(const struct record *rec, const struct instance *holder)
{
	return rec->also_count > 0 && record_is_alive(rec) && holder->has_print &&
	       memcmp(rec->print, holder->print, FINGERPRINT_LEN) != 0;
}

/* What came of it. */
struct settled {
	unsigned members;               /* that owe nothing any more */
	uint8_t print[FINGERPRINT_LEN]; /* the record is found by that from now on */
	struct identity holder;         /* its name, where somebody has the object; owned */
};

/* What the members of `due` owe, one after the other. The caller frees the holder. */
static CK_RV settle_members(struct owed *o, const struct record *rec, unsigned due,
			    struct settled *out)
{
	struct instance holder;
	bool has_holder = false, done;
	CK_RV rv = CKR_OK;

	*out = (struct settled){.members = rec->state == RECORD_MOVED ? due : 0};
	memcpy(out->print, rec->print, FINGERPRINT_LEN);
	if (rec->state != RECORD_MOVED)
		rv = repair_find_holder(&o->r, o->reach, rec, &holder, &has_holder);
	if (rv == CKR_OK && has_holder && moves(rec, &holder))
		memcpy(out->print, holder.print, FINGERPRINT_LEN);
	for (size_t i = 0; rv == CKR_OK && i < o->r.group->member_count; i++) {
		if (!(due & ~out->members & 1U << i))
			continue;
		done = true;
		if (rec->state == RECORD_DESTROYED && !has_holder)
			rv = destroy_there(o, member_at(o, i), rec);
		else if (rec->state != RECORD_DESTROYED && has_holder)
			rv = copy_there(o, member_at(o, i), rec, &holder, &done);
		else if (rec->state != RECORD_DESTROYED)
			done = is_all(o); /* who has it may be away */
		/* Else it was made again since it was destroyed. */
		if (rv == CKR_OK && done)
			out->members |= 1U << i;
	}
	if (has_holder)
		out->holder = holder.id;
	return rv;
}

/* An object that was renamed where its record was not seen has the name that it has. */
static void take_name(struct record *rec, struct identity *holder)
{
	struct buf id = rec->id, label = rec->label;

	if (!record_is_alive(rec) || holder->kind == IDENTITY_NONE)
		return;
	rec->id = holder->id;
	rec->label = holder->label;
	holder->id = id;
	holder->label = label;
}

/* Under the fingerprint of now, of which *has_other may be the record of another object. Not before
 * nobody owes then: that one stays as it is. */
static CK_RV move_record(struct owed *o, struct record *rec, const struct settled *s,
			 bool *is_moved, bool *has_other)
{
	uint8_t old[FINGERPRINT_LEN];
	CK_RV rv = CKR_OK;

	*is_moved = memcmp(rec->print, s->print, FINGERPRINT_LEN) != 0;
	*has_other = false;
	if (!*is_moved)
		return CKR_OK;
	memcpy(old, rec->print, sizeof old);
	memcpy(rec->print, s->print, FINGERPRINT_LEN);
	rv = twin_move(o->r.group, o->r.lock, rec, has_other);
	*is_moved = rv == CKR_OK && !(*has_other && rec->owed);
	if (!*is_moved)
		memcpy(rec->print, old, FINGERPRINT_LEN);
	else if (rec->owed)
		record_add_also(rec, old);
	return rv;
}

/* The record as it is when some owe nothing any more. Nothing is left under the old
 * fingerprint, unless others need it. */
static CK_RV rewrite(struct owed *o, struct record *rec, struct settled *s, unsigned where)
{
	struct record old = {.state = RECORD_MOVED, .class = rec->class, .key_type = rec->key_type};
	bool is_moved, has_other, is_needed = rec->is_shared;
	CK_RV rv;

	rec->owed &= ~s->members;
	take_name(rec, &s->holder);
	if (rec->is_unwritten)
		return CKR_OK;
	memcpy(old.print, rec->print, FINGERPRINT_LEN);
	old.version = rec->version + 1;
	rv = move_record(o, rec, s, &is_moved, &has_other);
	rec->version += s->members ? 1 : 0;
	rec->is_shared = is_needed && !is_moved;
	if (!rec->owed)
		rec->also_count = 0;
	if (rv == CKR_OK && !(is_moved && has_other))
		rv = repair_record(&o->r, rec, is_moved ? o->reach : where, o->reach);
	if (rv == CKR_OK && is_moved && !is_needed)
		rv = repair_record(&o->r, &old, o->reach, o->reach);
	return rv;
}

/* All that was found of one print, the newest first. */
static CK_RV settle_record(struct owed *o, const struct found_record *list, size_t count)
{
	const struct record *newest = &list[0].record;
	unsigned due = newest->owed & o->reach, current = 0;
	struct settled now = {.members = 0};
	struct record rec;
	CK_RV rv = CKR_OK, written;

	memcpy(now.print, newest->print, sizeof now.print);
	for (size_t i = 0; i < count; i++)
		if (list[i].record.version == newest->version)
			current |= 1U << list[i].member;
	if (due)
		rv = settle_members(o, newest, due, &now);
	written = rv;
	if (now.members || current != o->reach || (record_is_idle(newest) && is_all(o))) {
		written = record_copy(newest, &rec) ? CKR_OK : CKR_HOST_MEMORY;
		if (written == CKR_OK)
			written =
				rewrite(o, &rec, &now,
					now.members || record_is_idle(&rec) ? o->reach
									    : o->reach & ~current);
		record_free(&rec);
	}
	identity_free(&now.holder);
	return rv == CKR_OK ? written : rv;
}

static CK_RV settle_all(struct owed *o)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0, n; rv == CKR_OK && i < o->count; i += n) {
		for (n = 1;
		     i + n < o->count && memcmp(o->list[i].record.print,
						o->list[i + n].record.print, FINGERPRINT_LEN) == 0;)
			n++;
		rv = settle_record(o, o->list + i, n);
	}
	return rv;
}

/* Who serves, or is coming back. */
static unsigned reach_of(const struct group *g)
{
	unsigned reach = 0;

	for (size_t i = 0; i < g->member_count; i++) {
		const struct member *m = &g->members[i];

		if (atomic_load(&m->state) == MEMBER_UP && !atomic_load(&m->is_drained) &&
		    !atomic_load(&m->is_refusing) && !group_waits_for(m))
			reach |= 1U << i;
	}
	return reach;
}

CK_RV repair_carry_out(struct group *g, const struct record *rec, struct intents *lock,
		       unsigned *left, char *why, size_t why_len)
{
	struct owed o = {.r = {.group = g, .lock = lock}, .reach = reach_of(g)};
	struct settled settled;
	struct record now;
	CK_RV rv, written;

	*left = rec->owed;
	if (!record_copy(rec, &now))
		return CKR_HOST_MEMORY;
	rv = settle_members(&o, &now, now.owed & o.reach, &settled);
	now.version++;
	written = rewrite(&o, &now, &settled, o.reach);
	identity_free(&settled.holder);
	*left = now.owed;
	record_free(&now);
	rv = rv == CKR_OK ? written : rv;
	if (rv != CKR_OK)
		(void)snprintf(why, why_len, "%s", o.r.why); /* may be cut */
	return rv;
}

CK_RV repair_has(struct group *g, struct intents *lock, const struct record *rec, unsigned where,
		 bool *has)
{
	struct owed o = {.r = {.group = g, .lock = lock}, .reach = reach_of(g)};
	CK_RV rv = CKR_DEVICE_ERROR;

	*has = false;
	for (size_t i = 0; i < g->member_count && !*has; i++) {
		struct instance in;

		if (!(where & o.reach & 1U << i))
			continue;
		rv = repair_find(&o.r, o.reach, member_at(&o, i), rec, &in, has);
		if (rv != CKR_OK)
			return rv;
		if (*has)
			identity_free(&in.id);
	}
	return rv;
}

CK_RV repair_owed(struct group *g, struct member *m, struct intents *lock, char *why,
		  size_t why_len)
{
	struct owed o = {.r = {.group = g, .lock = lock}, .reach = reach_of(g) | 1U << m->index};
	CK_RV rv;

	rv = read_all(&o);
	if (rv == CKR_OK)
		rv = settle_all(&o);
	for (size_t i = 0; i < o.count; i++)
		record_free(&o.list[i].record);
	free(o.list);
	if (rv != CKR_OK)
		(void)snprintf(why, why_len, "%s", o.r.why); /* may be cut */
	return rv;
}

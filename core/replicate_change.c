/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes and ends of token objects.
 *
 * A destruction:   journal: the record "destroyed", owed by everybody who may have the object
 *                  the record on all members that serve (the tombstone): now it is decided
 *                  destroyed on each; who did it does not owe it any more
 *                  nobody owes: the tombstone is written as owed by nobody, then taken away
 * A change:        journal: the record, owed by all but the first member
 *                  changed on the first: a refusal ends it, nothing was done
 *                  changed on the others; who was not reached owes it
 *
 * What is told by its content alone (data objects) is another object after a change: the journal
 * then says, when the first member has changed it, that the old one is owed its end and the new one
 * its copies. Before that the old one is what counts.
 *
 * A change of what a secret key may be used for changes how it is told (replicate_use.h).
 *
 * A record says nothing of which of several objects of one content it is, but for the name. One
 * that has another name stays as it is when an object is changed or destroyed: who owes that stands
 * in the journal alone.
 *
 * A tombstone is taken away only when every member has seen that nobody owes: one that was left
 * behind, on a member that was lost, would otherwise destroy an object that is made again later. */
#include "core/replicate_change.h"

#include <stdio.h>
#include <string.h>

#include "core/attempted.h"
#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/object.h"
#include "core/orphan.h"
#include "core/overlay.h"
#include "core/replicate.h"
#include "core/replicate_use.h"
#include "core/route.h"

/* One change on its way. */
struct change {
	struct call *call;
	struct intents *lock;
	char tag[MEMBER_TAG_ROOM];
	struct record r; /* what the object is, and its record as it was */
	bool had_record; /* there is one */
	bool has_print;
	unsigned mask;        /* members that have the object, or may have it */
	struct record before; /* of content that was changed: what it was */
	bool is_twin;         /* the record of this content is another object's ... */
	struct record twin;   /* ... this one */
};

/* Told by content that can be changed. */
static bool is_content(const struct change *ch)
{
	return ch->r.class == CKO_DATA || ch->r.class == CKO_DOMAIN_PARAMETERS;
}

static unsigned everyone(const struct group *g)
{
	return (1U << g->member_count) - 1;
}

static unsigned count(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

/* The record, the newest that any member has. One of another object of the same content is left as
 * it is. */
static CK_RV newest(struct change *ch)
{
	struct group *g = ch->call->group;
	bool found = false;
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; rv == CKR_OK && i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		struct record r = {0};
		bool is_there = false;

		if (!ms)
			continue;
		rv = record_find(ms, ch->r.print, &r, &is_there);
		replicate_leave(ms, rv == CKR_OK);
		is_there = is_there && record_is_believed(&r, !ch->r.is_public);
		if (rv != CKR_OK || !is_there || (found && r.version <= ch->twin.version)) {
			record_free(&r);
			continue;
		}
		record_free(&ch->twin);
		ch->twin = r;
		found = true;
	}
	ch->is_twin = found && record_is_of_twin(&ch->twin, &ch->r.id, &ch->r.label);
	ch->r.is_unwritten = ch->is_twin;
	ch->had_record = found && !ch->is_twin;
	if (!ch->had_record)
		return rv;
	record_free(&ch->r);
	ch->r = ch->twin;
	ch->twin = (struct record){0};
	return rv;
}

static CK_RV name_it(struct change *ch, const struct identity *id)
{
	struct record *r = &ch->r;

	r->class = id->class;
	r->key_type = id->key_type;
	r->is_public = !id->is_private;
	r->id.len = r->label.len = 0;
	return buf_add(&r->id, id->id.data, id->id.len) &&
			       buf_add(&r->label, id->label.data, id->label.len)
		       ? CKR_OK
		       : CKR_HOST_MEMORY;
}

/* What the object is, on one member. */
static CK_RV describe_on(struct change *ch, struct member_session *ms)
{
	struct call *c = ch->call;
	struct identity id = {0};
	CK_OBJECT_HANDLE real;
	CK_RV rv = overlay_print(c->session, ms, c->object[0].handle, ch->r.print, &ch->has_print);

	if (rv == CKR_OK &&
	    !object_real(c->group, c->object[0].handle, ms->member, ms->epoch, &real))
		rv = object_locate(c->group, c->session, ms, c->object[0].handle, &real);
	if (rv == CKR_OK)
		rv = identity_read(ms, real, &id);
	if (rv == CKR_OK)
		rv = name_it(ch, &id);
	identity_free(&id);
	return rv;
}

static CK_RV describe(struct change *ch)
{
	struct call *c = ch->call;
	CK_RV rv = c->object[0].bad;

	ch->mask = object_copies(c->group, c->object[0].handle);
	for (unsigned i = 0; i < c->group->member_count; i++) {
		struct member_session *ms;

		if (!(ch->mask & 1U << i))
			continue;
		ms = replicate_session(&c->group->members[i]);
		rv = ms ? describe_on(ch, ms) : CKR_DEVICE_ERROR;
		replicate_leave(ms, rv == CKR_OK && ch->has_print);
		if (rv == CKR_OK)
			break;
	}
	ch->mask = object_copies(c->group, c->object[0].handle);
	if (rv != CKR_OK || !ch->has_print)
		return rv == CKR_OBJECT_HANDLE_INVALID ? c->object[0].bad : rv;
	return newest(ch);
}

/* Where nobody keeps records, who is away could not be told. */
static CK_RV check_reach(const struct change *ch)
{
	const struct group *g = ch->call->group;

	if (replicate_keeps_records(g) || !(ch->mask & ~replicate_serving(g)))
		return CKR_OK;
	log_msg(LOG_LEVEL_ERROR,
		"token %s: %s refused: no member that serves keeps records, and one that may have "
		"the object is away: it could not be told",
		g->conf->label, call_name(ch->call->id));
	return CKR_TOKEN_WRITE_PROTECTED;
}

/* Writes down what is going to be done, owed by `owed`. */
static CK_RV begin(struct change *ch, enum intent_kind kind, unsigned owed)
{
	struct intent in = {.kind = kind, .is_committed = true, .owed = everyone(ch->call->group)};
	char why[256];
	CK_RV rv = CKR_DEVICE_ERROR;

	ch->r.owed = owed;
	ch->r.version++;
	if (!orphan_tag(ch->tag))
		return CKR_HOST_MEMORY;
	(void)snprintf(in.tag, sizeof in.tag, "%s", ch->tag);
	if (!record_text_line(ch->call->group, &ch->r, &in.body))
		rv = CKR_HOST_MEMORY;
	else if (intents_begin(ch->lock, &in, why, sizeof why))
		rv = CKR_OK;
	else
		log_msg(LOG_LEVEL_ERROR, "token %s: %s refused: %s", ch->call->group->conf->label,
			call_name(ch->call->id), why);
	buf_free(&in.body);
	return rv;
}

/* The record goes to the members, or away. */
static void settle(struct change *ch)
{
	if (!ch->is_twin)
		replicate_settle(ch->call->group, &ch->r);
}

/* Who owes, and is remembered by the journal alone. */
static unsigned left(const struct change *ch)
{
	return replicate_keeps_records(ch->call->group) && !ch->is_twin ? 0 : ch->r.owed;
}

/* Nothing was done. */
static CK_RV call_off(struct change *ch, CK_RV rv)
{
	intents_settle(ch->lock, ch->tag, 0);
	return rv;
}

static bool is_refusal(const struct call *c, CK_RV rv)
{
	return rv != CKR_OK && rv != c->object[0].bad && c->member &&
	       route_outcome(atomic_load(&c->member->lib->vendor), c, rv) == OUTCOME_DONE;
}

/* Gone, or never there. */
static bool is_absent(const struct call *c, CK_RV rv)
{
	return rv == c->object[0].bad;
}

/* The tombstone is everywhere where it has to be: carries it out. *rv: the first refusal. */
static unsigned destroy_each(struct change *ch, CK_RV *rv)
{
	struct call *c = ch->call;
	unsigned left = ch->mask;

	*rv = CKR_OK;
	for (unsigned i = 0; i < c->group->member_count; i++) {
		CK_RV one;

		if (!(ch->mask & 1U << i) || !member_may_serve(&c->group->members[i]))
			continue;
		c->sends = 0;
		one = route_one(c, 1U << i, false);
		if (one == CKR_OK || is_absent(c, one)) {
			object_forget(c->group, c->object[0].handle, &c->group->members[i]);
			left &= ~(1U << i);
		} else if (is_refusal(c, one)) {
			*rv = *rv == CKR_OK ? one : *rv;
			if (left == ch->mask)
				break; /* nothing was done yet: nothing will be */
		}
	}
	return left;
}

/* Takes the tombstone back: the record is what it was. */
static CK_RV take_back(struct change *ch, enum record_state before, CK_RV rv)
{
	ch->r.state = before;
	ch->r.owed = 0;
	settle(ch);
	return call_off(ch, rv);
}

static CK_RV destroy(struct change *ch)
{
	struct group *g = ch->call->group;
	const enum record_state before = ch->r.state;
	unsigned written;
	CK_RV rv, refused;

	ch->r.state = RECORD_DESTROYED;
	rv = begin(ch, INTENT_DESTROY, ch->mask);
	if (rv != CKR_OK)
		return rv;
	written = ch->is_twin ? everyone(g) : replicate_write(g, &ch->r);
	if (count(written) < replicate_needed(g)) {
		log_msg(LOG_LEVEL_ERROR,
			"token %s: C_DestroyObject failed: only %u of the %u members that the rule "
			"names could be told",
			g->conf->label, count(written), replicate_needed(g));
		return take_back(ch, before, CKR_DEVICE_ERROR);
	}
	ch->r.owed = destroy_each(ch, &refused);
	if (refused != CKR_OK && ch->r.owed == ch->mask)
		return take_back(ch, before, refused);
	settle(ch);
	intents_settle(ch->lock, ch->tag, left(ch));
	if (ch->r.owed)
		log_msg(LOG_LEVEL_WARN,
			"token %s: an object was destroyed, but not on every member yet: done when "
			"the others are back",
			g->conf->label);
	return CKR_OK;
}

/* The first member that has it and serves; its word on the change counts. */
static struct member *first_of(const struct change *ch)
{
	struct group *g = ch->call->group;

	for (unsigned i = 0; i < g->member_count; i++)
		if ((ch->mask & 1U << i) && member_may_serve(&g->members[i]))
			return &g->members[i];
	return NULL;
}

/* The others; a bit for each that owes it. */
static unsigned change_others(struct change *ch, unsigned first)
{
	struct call *c = ch->call;
	unsigned left = ch->mask & ~first;

	for (unsigned i = 0; i < c->group->member_count; i++) {
		CK_RV rv;

		if (!(left & 1U << i) || !member_may_serve(&c->group->members[i]))
			continue;
		c->sends = 0;
		rv = route_one(c, 1U << i, false);
		rv = attempted_result(c, &c->group->members[i], rv);
		if (rv == CKR_OK || is_absent(c, rv))
			left &= ~(1U << i);
		else
			log_msg(LOG_LEVEL_WARN,
				"member %s of token %s: an object was changed on the others and "
				"not "
				"here: done when it can be",
				c->group->members[i].conf->name, c->group->conf->label);
	}
	return left;
}

/* It is another one now: on the disk, before the others are asked. */
static CK_RV decide_content(struct change *ch, struct member *first)
{
	struct call *c = ch->call;
	struct group *g = c->group;
	struct member_session *ms = replicate_session(first);
	struct buf body = {0};
	char why[256];
	CK_RV rv = ms && record_copy(&ch->r, &ch->before) ? CKR_OK : CKR_DEVICE_ERROR;

	overlay_forget_print(c->object[0].handle);
	if (rv == CKR_OK)
		rv = describe_on(ch, ms);
	replicate_leave(ms, rv == CKR_OK);
	ch->before.state = RECORD_DESTROYED;
	if (rv == CKR_OK && (!record_text_line(g, &ch->before, &body) || !buf_add(&body, " ", 1) ||
			     !record_text_line(g, &ch->r, &body)))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK &&
	    !intents_commit(ch->lock, ch->tag, &body, everyone(g), why, sizeof why)) {
		log_msg(LOG_LEVEL_ERROR, "token %s: %s: %s", g->conf->label, call_name(c->id), why);
		rv = CKR_DEVICE_ERROR;
	}
	buf_free(&body);
	return rv;
}

/* The record follows the change. */
static bool follow(struct change *ch)
{
	const struct call *c = ch->call;
	const CK_ATTRIBUTE *label = attr_find(c->tmpl[0], c->tmpl_count[0], CKA_LABEL);
	const CK_ATTRIBUTE *id = attr_find(c->tmpl[0], c->tmpl_count[0], CKA_ID);
	struct record *r = &ch->r;
	bool ok = true;

	if (label) {
		r->label.len = 0;
		ok = buf_add(&r->label, label->pValue, label->ulValueLen);
	}
	if (id) {
		r->id.len = 0;
		ok = ok && buf_add(&r->id, id->pValue, id->ulValueLen);
	}
	if (!attr_bool(c->tmpl[0], c->tmpl_count[0], CKA_EXTRACTABLE, true) ||
	    attr_bool(c->tmpl[0], c->tmpl_count[0], CKA_WRAP_WITH_TRUSTED, false))
		r->may_export = false;
	return ok;
}

/* The object is known by another fingerprint than its twin from now on: it gets a record of its
 * own, which says what that of both has said. */
static bool part(struct change *ch)
{
	ch->is_twin = ch->r.is_unwritten = false;
	ch->had_record = true;
	record_join(&ch->r, &ch->twin);
	return follow(ch);
}

static CK_RV change(struct change *ch)
{
	struct call *c = ch->call;
	struct group *g = c->group;
	struct member *first = first_of(ch);
	const bool had_export = ch->r.may_export, was_twin = ch->is_twin;
	uint8_t before[FINGERPRINT_LEN];
	bool is_moved = false, is_told = true;
	unsigned done;
	CK_RV rv = CKR_OK;

	if (!first)
		return CKR_DEVICE_ERROR;
	memcpy(before, ch->r.print, sizeof before);
	if (use_changes(c, &ch->r))
		rv = use_note(c, &ch->r, first);
	if (rv == CKR_OK)
		rv = begin(ch, INTENT_CHANGE, ch->mask & ~(1U << first->index));
	if (rv != CKR_OK)
		return rv;
	c->sends = 0;
	rv = route_one(c, 1U << first->index, false);
	rv = attempted_result(c, first, rv);
	if (rv != CKR_OK && (is_refusal(c, rv) || is_absent(c, rv) || c->sends == 0))
		return call_off(ch, rv);
	if (rv != CKR_OK)
		return rv; /* whatever is there now, the journal makes the others follow */
	if (is_content(ch))
		rv = decide_content(ch, first);
	if (rv != CKR_OK)
		return rv;
	ch->r.owed = change_others(ch, 1U << first->index);
	done = ch->mask & ~ch->r.owed;
	if (!follow(ch))
		return CKR_HOST_MEMORY;
	if (use_changes(c, &ch->r))
		is_told = use_follow(c, &ch->r, first, &is_moved);
	if (!ch->r.owed)
		ch->r.also_count = 0;
	if (is_moved && ch->is_twin && !part(ch))
		return CKR_HOST_MEMORY;
	if (ch->r.owed || ch->had_record || had_export != ch->r.may_export)
		settle(ch);
	if (is_moved && ch->had_record && !was_twin)
		use_drop(g, &ch->r, before);
	ch->before.owed = ch->r.owed;
	if (is_content(ch) && ch->r.owed)
		replicate_settle(g, &ch->before);
	if (is_told)
		intents_settle(ch->lock, ch->tag, left(ch));
	overlay_forget(c->object[0].handle);
	if (count(done) >= replicate_needed(g) || !ch->r.owed)
		return CKR_OK;
	log_msg(LOG_LEVEL_ERROR,
		"token %s: C_SetAttributeValue: changed on %u members, the rule names %u: the "
		"others "
		"follow when they can",
		g->conf->label, count(done), replicate_needed(g));
	return CKR_DEVICE_ERROR;
}

CK_RV replicate_change(struct call *c, CK_RV (*plain)(struct call *c))
{
	struct change ch = {.call = c, .r = {.state = RECORD_LIVE}};
	struct overlay o;
	CK_RV rv = overlay_of(c->session, c->object[0].handle, &o);

	if (rv == CKR_OK && c->id == CALL_C_DestroyObject && o.is_lasting)
		rv = CKR_ACTION_PROHIBITED;
	if (rv == CKR_OK)
		rv = replicate_enter(c->group, call_name(c->id), &ch.lock);
	if (rv == CKR_OK)
		rv = describe(&ch);
	if (rv == CKR_OK && !ch.has_print)
		rv = plain(c);
	else if (rv == CKR_OK && (rv = check_reach(&ch)) == CKR_OK)
		rv = c->id == CALL_C_DestroyObject ? destroy(&ch) : change(&ch);
	if (c->member_rv == CKR_OK)
		c->member_rv = rv;
	record_free(&ch.r);
	record_free(&ch.before);
	record_free(&ch.twin);
	intents_close(ch.lock);
	return rv;
}

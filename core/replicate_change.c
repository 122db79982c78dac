/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes and ends of token objects: what the object is, and who counts.
 *
 * A member that missed something of the object before does not count: it is not asked first, its
 * word is not the object's, and it owes what it owed when the change is over. Those that can be
 * reached are brought in line before, so that this is rare.
 *
 * A record says nothing of which of several objects of one content it is, but for the name. One
 * that has another name stays as it is when an object is changed or destroyed: who owes that stands
 * in the journal alone. */
#include "core/replicate_change.h"

#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/health.h"
#include "core/object.h"
#include "core/orphan.h"
#include "core/overlay.h"
#include "core/repair.h"
#include "core/replicate.h"
#include "core/replicate_part.h"
#include "core/replicate_text.h"
#include "core/route.h"

bool change_is_content(const struct change *ch)
{
	return ch->next.version > 0;
}

/* Its record. One of another object of the same content is left as it is, and at the end of an
 * object one that others need. */
static CK_RV find_record(struct change *ch)
{
	bool found;
	CK_RV rv;

	record_free(&ch->twin);
	rv = replicate_find(ch->call->group, ch->r.print, !ch->r.is_public, &ch->twin, &found);
	ch->is_twin = found && (record_is_of_twin(&ch->twin, &ch->r.id, &ch->r.label) ||
				(ch->twin.is_shared && ch->call->id == CALL_C_DestroyObject));
	ch->r.is_unwritten = ch->is_twin;
	ch->had_record = found && !ch->is_twin;
	if (!ch->had_record)
		return rv;
	record_free(&ch->r);
	ch->r = ch->twin;
	ch->twin = (struct record){.version = 0};
	return rv;
}

static CK_RV name_it(struct record *r, const struct identity *id)
{
	r->class = id->class;
	r->key_type = id->key_type;
	r->is_public = !id->is_private;
	r->id.len = r->label.len = 0;
	return buf_add(&r->id, id->id.data, id->id.len) &&
			       buf_add(&r->label, id->label.data, id->label.len)
		       ? CKR_OK
		       : CKR_HOST_MEMORY;
}

CK_RV change_describe(struct change *ch, struct member_session *ms, struct record *r,
		      bool *has_print)
{
	struct call *c = ch->call;
	struct identity id = {0};
	CK_OBJECT_HANDLE real;
	CK_RV rv;

	overlay_forget_print(c->object[0].handle); /* members may have different ideas */
	rv = overlay_print(c->session, ms, c->object[0].handle, r->print, has_print);
	if (rv == CKR_OK)
		rv = object_on(c->group, c->session, ms, c->object[0].handle, &real);
	if (rv == CKR_OK)
		rv = identity_read(ms, real, &id);
	if (rv == CKR_OK)
		rv = name_it(r, &id);
	identity_free(&id);
	return rv;
}

/* What it is as this member has it, and its record. */
static CK_RV describe_as(struct change *ch, struct member *m)
{
	struct member_session *ms = replicate_session(m);
	CK_RV rv = ms ? CKR_OK : CKR_DEVICE_ERROR;

	record_free(&ch->r);
	ch->r = (struct record){.state = RECORD_LIVE};
	ch->has_print = false;
	if (ms)
		rv = change_describe(ch, ms, &ch->r, &ch->has_print);
	replicate_leave(ms, rv == CKR_OK && ch->has_print);
	return rv == CKR_OK && ch->has_print ? find_record(ch) : rv;
}

/* Whether the word of member i on what the object is counts. Of a secret key a member that missed a
 * change of its uses has another idea, of which no record says anything. */
static bool is_sure(const struct change *ch, unsigned i)
{
	if (!ch->has_print)
		return false; /* a failure may have kept it from saying */
	return ch->had_record ? !(ch->r.owed & 1U << i) : ch->r.class != CKO_SECRET_KEY;
}

static CK_RV describe(struct change *ch)
{
	struct call *c = ch->call;
	struct member *best = NULL, *last = NULL;
	CK_RV rv = c->object[0].bad, one;
	bool has = false;

	/* Another process may have made a copy where this one has found none. */
	object_ask_again(c->group, c->object[0].handle);
	ch->mask = object_copies(c->group, c->object[0].handle);
	for (unsigned i = 0; i < c->group->member_count; i++) {
		if (!(ch->mask & 1U << i))
			continue;
		last = &c->group->members[i];
		one = describe_as(ch, last);
		if (one == CKR_HOST_MEMORY || (one == CKR_OK && is_sure(ch, i)))
			return one;
		if (one == CKR_OK && (!best || (ch->has_print && !has))) {
			best = last;
			has = ch->has_print;
		}
		rv = rv == CKR_OK ? rv : one;
	}
	if (best && best != last)
		rv = describe_as(ch, best);
	return rv == CKR_OBJECT_HANDLE_INVALID ? c->object[0].bad : rv;
}

/* Whether an entry of the journal is what is left of a change of this object. */
static bool is_about(const struct change *ch, const struct intent *in, struct record *r)
{
	*r = (struct record){.state = RECORD_LIVE};
	if (in->kind == INTENT_MAKE || (in->body.len && memchr(in->body.data, ' ', in->body.len)) ||
	    !record_parse_line(ch->call->group, &in->body, r))
		return false;
	return r->class == ch->r.class && r->state != RECORD_DESTROYED &&
	       record_has_print(r, ch->r.print) && !record_is_of_twin(r, &ch->r.id, &ch->r.label);
}

/* What the journal remembers of the object: who owes, and by what else members may know it. */
static CK_RV take_unfinished(struct change *ch)
{
	CK_RV rv = CKR_OK;

	ch->older.len = 0;
	for (size_t i = 0; rv == CKR_OK && i < intents_count(ch->lock); i++) {
		const struct intent *in = intents_at(ch->lock, i);
		struct record r;

		if (is_about(ch, in, &r)) {
			ch->owing |= r.owed;
			for (size_t k = 0; k < r.also_count; k++)
				record_add_also(&ch->r, r.also[k]);
			if (!buf_add(&ch->older, in->tag, sizeof in->tag))
				rv = CKR_HOST_MEMORY;
		}
		record_free(&r);
	}
	return rv;
}

/* Those that can be reached are brought in line first. */
static CK_RV pay(struct change *ch)
{
	struct group *g = ch->call->group;
	const bool was_twin = ch->is_twin;
	char why[256];
	unsigned left;
	CK_RV rv;

	ch->r.owed = ch->owing;
	rv = repair_carry_out(g, &ch->r, ch->lock, &left, why, sizeof why);
	if (rv != CKR_OK)
		log_msg(LOG_LEVEL_INFO, "token %s: what members missed before %s stays: %s",
			g->conf->label, call_name(ch->call->id), why);
	if (rv == CKR_HOST_MEMORY)
		return rv;
	rv = describe(ch); /* the record is another one now, and the fingerprint may be */
	ch->owing = was_twin ? left : ch->r.owed;
	return rv == CKR_OK ? take_unfinished(ch) : rv;
}

static CK_RV look(struct change *ch)
{
	CK_RV rv = describe(ch);

	if (rv != CKR_OK || !ch->has_print)
		return rv;
	ch->owing = ch->r.owed;
	rv = take_unfinished(ch);
	if (rv == CKR_OK && ch->call->id == CALL_C_SetAttributeValue &&
	    (ch->owing & replicate_serving(ch->call->group)))
		rv = pay(ch);
	return rv;
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

/* The records of an entry: the object, and what it will be where that is another one. */
static bool add_records(const struct change *ch, struct buf *body)
{
	const struct group *g = ch->call->group;

	return record_text_line(g, &ch->r, body) &&
	       (!change_is_content(ch) ||
		(buf_add(body, " ", 1) && record_text_line(g, &ch->next, body)));
}

CK_RV change_begin(struct change *ch, enum intent_kind kind, unsigned owed)
{
	struct intent in = {.kind = kind, .owed = owed};
	char why[256];
	CK_RV rv = CKR_DEVICE_ERROR;

	ch->r.version++;
	if (!orphan_tag(ch->tag))
		return CKR_HOST_MEMORY;
	(void)snprintf(in.tag, sizeof in.tag, "%s", ch->tag);
	if (!add_records(ch, &in.body))
		rv = CKR_HOST_MEMORY;
	else if (intents_begin(ch->lock, &in, why, sizeof why))
		rv = CKR_OK;
	else
		log_msg(LOG_LEVEL_ERROR, "token %s: %s refused: %s", ch->call->group->conf->label,
			call_name(ch->call->id), why);
	buf_free(&in.body);
	return rv;
}

CK_RV change_commit(struct change *ch)
{
	const struct group *g = ch->call->group;
	struct buf body = {0};
	char why[256];
	CK_RV rv = CKR_HOST_MEMORY;

	if (add_records(ch, &body))
		rv = intents_commit(ch->lock, ch->tag, &body, group_all(g), why, sizeof why)
			     ? CKR_OK
			     : CKR_DEVICE_ERROR;
	buf_free(&body);
	if (rv == CKR_DEVICE_ERROR)
		log_msg(LOG_LEVEL_ERROR, "token %s: %s: %s", g->conf->label,
			call_name(ch->call->id), why);
	return rv;
}

CK_RV change_call_off(struct change *ch, CK_RV rv)
{
	intents_settle(ch->lock, ch->tag, 0);
	return rv;
}

/* Whether as many members know as the rule names, or nothing needs to be known. */
static bool tell(struct change *ch, struct record *r)
{
	const unsigned needed = replicate_needed(ch->call->group);

	return (unsigned)__builtin_popcount(replicate_settle(ch->call->group, r)) >= needed ||
	       !r->owed;
}

void change_end(struct change *ch, bool has_news)
{
	struct group *g = ch->call->group;
	unsigned left = replicate_keeps_records(g) && !ch->is_twin ? 0 : ch->r.owed;

	if (has_news && !ch->is_twin && !tell(ch, &ch->r))
		left = group_all(g);
	if (has_news && change_is_content(ch) && !tell(ch, &ch->next))
		left = group_all(g);
	if (left) /* else what was written at the beginning stays, which says more */
		(void)change_commit(ch);
	intents_settle(ch->lock, ch->tag, left);
	for (size_t i = 0; i < ch->older.len; i += MEMBER_TAG_ROOM)
		intents_settle(ch->lock, (const char *)ch->older.data + i, 0);
}

bool change_is_refused(const struct call *c, CK_RV rv)
{
	return rv != CKR_OK && rv != c->object[0].bad && c->member &&
	       route_outcome(atomic_load(&c->member->lib->vendor), c, rv) == OUTCOME_DONE;
}

bool change_is_absent(const struct call *c, struct member *m, unsigned epoch, CK_RV rv)
{
	struct member_session *ms = rv == c->object[0].bad ? replicate_session(m) : NULL;
	bool is_seen;

	if (!ms)
		return false;
	is_seen = ms->epoch == epoch && orphan_is_seen(ms) && member_alive_now(m);
	replicate_leave(ms, is_seen);
	return is_seen;
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
		rv = look(&ch);
	if (rv == CKR_OK && !ch.has_print)
		rv = plain(c);
	else if (rv == CKR_OK && (rv = check_reach(&ch)) == CKR_OK)
		rv = c->id == CALL_C_DestroyObject ? change_destroy(&ch) : change_set(&ch);
	if (c->member_rv == CKR_OK)
		c->member_rv = rv;
	record_free(&ch.r);
	record_free(&ch.next);
	record_free(&ch.twin);
	buf_free(&ch.older);
	intents_close(ch.lock);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of attributes of a token object.
 *
 *   journal: the record, owed by all but the first member
 *   changed on the first: a refusal ends it, nothing was done
 *   changed on the others; who was not reached owes it
 *
 * What is told by its content alone (data objects) is another object after a change: the journal
 * has both, and says, when the first member has changed it, that the old one is owed its end and
 * the new one its copies. Before that the first member is asked, by whoever finds the entry, or,
 * when it is away, the old one is what counts (replicate.c).
 *
 * A change of what a secret key may be used for changes how it is told (replicate_use.h). */
#include <string.h>

#include "core/attempted.h"
#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/health.h"
#include "core/object.h"
#include "core/overlay.h"
#include "core/replicate.h"
#include "core/replicate_part.h"
#include "core/replicate_twin.h"
#include "core/replicate_use.h"
#include "core/route.h"

/* The first member that has it as it is, and serves; its word on the change counts. */
static struct member *first_of(const struct change *ch)
{
	struct group *g = ch->call->group;

	for (unsigned i = 0; i < g->member_count; i++)
		if ((ch->mask & ~ch->owing & 1U << i) && member_may_serve(&g->members[i]))
			return &g->members[i];
	return NULL;
}

static CK_RV refuse(const struct change *ch, const char *why)
{
	log_msg(LOG_LEVEL_ERROR, "token %s: C_SetAttributeValue refused: %s",
		ch->call->group->conf->label, why);
	return CKR_TOKEN_WRITE_PROTECTED;
}

/* Whether a key could not be copied as before when the attributes are set. */
static bool locks(const struct call *c)
{
	return !attr_bool(c->tmpl[0], c->tmpl_count[0], CKA_EXTRACTABLE, true) ||
	       attr_bool(c->tmpl[0], c->tmpl_count[0], CKA_WRAP_WITH_TRUSTED, false);
}

static CK_RV check(const struct change *ch, const struct member *first)
{
	const struct group *g = ch->call->group;

	if (!first)
		return refuse(ch, "the members that have the object as it is are away; those that "
				  "serve missed a change of it");
	if (locks(ch->call) && (ch->owing & ~replicate_serving(g)))
		return refuse(ch,
			      "a member that is away may lack a copy of the key, which could not "
			      "be made any more (CKA_EXTRACTABLE false, CKA_WRAP_WITH_TRUSTED "
			      "true)");
	return CKR_OK;
}

/* Changes it on one member. *is_absent: it does not have it. */
static CK_RV set_on(struct change *ch, struct member *m, bool *is_absent)
{
	struct call *c = ch->call;
	const unsigned epoch = atomic_load(&m->epoch);
	CK_RV rv;

	c->sends = 0;
	rv = route_one(c, 1U << m->index, false);
	rv = attempted_result(c, m, rv);
	*is_absent = change_is_absent(c, m, epoch, rv);
	return rv;
}

/* The others; a bit for each that owes it. Who missed something before owes that yet. */
static unsigned set_others(struct change *ch, const struct member *first)
{
	struct group *g = ch->call->group;
	unsigned left = (ch->mask | ch->owing) & ~(1U << first->index);

	for (unsigned i = 0; i < g->member_count; i++) {
		bool is_absent = false;
		CK_RV rv;

		if (!(left & ch->mask & 1U << i) || !member_may_serve(&g->members[i]))
			continue;
		rv = set_on(ch, &g->members[i], &is_absent);
		if (rv == CKR_OK || is_absent)
			left &= ~(1U << i) | ch->owing;
		else
			log_msg(LOG_LEVEL_WARN,
				"member %s of token %s: an object was changed on the others and "
				"not here: done when it can be",
				g->members[i].conf->name, g->conf->label);
	}
	return left;
}

/* The record follows the change. */
static bool follow(const struct call *c, struct record *r)
{
	const CK_ATTRIBUTE *label = attr_find(c->tmpl[0], c->tmpl_count[0], CKA_LABEL);
	const CK_ATTRIBUTE *id = attr_find(c->tmpl[0], c->tmpl_count[0], CKA_ID);
	bool ok = true;

	if (label) {
		r->label.len = 0;
		ok = buf_add(&r->label, label->pValue, label->ulValueLen);
	}
	if (id) {
		r->id.len = 0;
		ok = ok && buf_add(&r->id, id->pValue, id->ulValueLen);
	}
	if (locks(c))
		r->may_export = false;
	return ok;
}

static bool renames(const struct call *c)
{
	return attr_find(c->tmpl[0], c->tmpl_count[0], CKA_LABEL) ||
	       attr_find(c->tmpl[0], c->tmpl_count[0], CKA_ID);
}

/* What content will be, and by what it will be told. */
static CK_RV foresee(struct change *ch, struct member *first)
{
	struct call *c = ch->call;
	struct member_session *ms = replicate_session(first);
	struct identity id = {0};
	CK_OBJECT_HANDLE real;
	bool has = false;
	CK_RV rv = ms ? CKR_OK : CKR_DEVICE_ERROR;

	if (ms)
		rv = object_on(c->group, c->session, ms, c->object[0].handle, &real);
	if (rv == CKR_OK)
		rv = identity_read_as(ms, real, c->tmpl[0], c->tmpl_count[0], &id);
	if (rv == CKR_OK && (!record_copy(&ch->r, &ch->next) || !follow(c, &ch->next)))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = fingerprint_of(ms, real, &id, ch->next.print, &has);
	if (rv == CKR_OK && !has)
		rv = CKR_DEVICE_ERROR;
	identity_free(&id);
	replicate_leave(ms, rv == CKR_OK);
	ch->next.version++;
	if (rv == CKR_OK && memcmp(ch->next.print, ch->r.print, FINGERPRINT_LEN) == 0)
		record_free(&ch->next); /* its content stays */
	return rv;
}

/* It is another one now: on the disk, before the others are asked. What it is says the member. */
static CK_RV decide_content(struct change *ch, struct member *first)
{
	struct member_session *ms = replicate_session(first);
	bool has = false;
	CK_RV rv = ms ? CKR_OK : CKR_DEVICE_ERROR;

	if (ms)
		rv = change_describe(ch, ms, &ch->next, &has);
	replicate_leave(ms, rv == CKR_OK);
	if (rv == CKR_OK && !has)
		rv = CKR_DEVICE_ERROR;
	ch->r.state = RECORD_DESTROYED;
	ch->r.owed = ch->next.owed;
	return rv == CKR_OK ? change_commit(ch) : rv;
}

/* Writes down what is going to be done. */
static CK_RV begin(struct change *ch, struct member *first)
{
	struct call *c = ch->call;
	const unsigned others = (ch->mask | ch->owing) & ~(1U << first->index);
	CK_RV rv = CKR_OK;

	if (use_changes(c, &ch->r))
		rv = use_note(c, &ch->r, first);
	if (rv != CKR_OK)
		return rv;
	if (ch->r.class == CKO_DATA || ch->r.class == CKO_DOMAIN_PARAMETERS)
		rv = foresee(ch, first);
	ch->next.owed = others;
	ch->r.owed = change_is_content(ch) ? ch->owing : others;
	if (rv != CKR_OK)
		return rv;
	return change_begin(ch, INTENT_CHANGE,
			    change_is_content(ch) ? 1U << first->index : group_all(c->group));
}

/* The object is known by another fingerprint than its twin from now on: it gets a record of its
 * own, which says what that of both has said. */
static bool part(struct change *ch)
{
	ch->is_twin = ch->r.is_unwritten = false;
	ch->had_record = true;
	record_join(&ch->r, &ch->twin);
	return follow(ch->call, &ch->r);
}

/* The record is for where it is found from now on. *drops: there is one where it was found before.
 * False: that cannot be told, the journal keeps it. */
static bool move(struct change *ch, struct member *first, bool *drops)
{
	struct call *c = ch->call;
	const bool was_twin = ch->is_twin;
	bool is_moved, has_other = false;

	*drops = false;
	if (!use_follow(c, &ch->r, first, &is_moved))
		return false;
	if (!is_moved)
		return true;
	if (twin_move(c->group, ch->lock, &ch->r, &has_other) != CKR_OK || (was_twin && !part(ch)))
		return false;
	*drops = ch->had_record && !was_twin && !ch->r.is_shared;
	ch->r.is_shared = false;
	ch->is_twin = ch->r.is_unwritten = has_other;
	return true;
}

/* Changed on the first: brings the others, and the records, behind it. */
static CK_RV finish(struct change *ch, struct member *first, bool had_export)
{
	struct call *c = ch->call;
	struct group *g = c->group;
	const unsigned owed = set_others(ch, first);
	const unsigned done = (unsigned)__builtin_popcount(ch->mask & ~owed);
	uint8_t before[FINGERPRINT_LEN];
	bool drops = false;

	memcpy(before, ch->r.print, sizeof before);
	ch->r.owed = ch->next.owed = owed;
	if (!change_is_content(ch) && !follow(c, &ch->r)) /* memory was out, perhaps */
		return CKR_HOST_MEMORY;
	if (!use_changes(c, &ch->r) || move(ch, first, &drops)) {
		if (!owed)
			ch->r.also_count = 0;
		change_end(ch, owed || ch->had_record || had_export != ch->r.may_export);
		if (drops)
			use_drop(g, &ch->r, before);
	}
	overlay_forget(c->object[0].handle);
	if (done >= replicate_needed(g) || !owed)
		return CKR_OK;
	log_msg(LOG_LEVEL_ERROR,
		"token %s: C_SetAttributeValue: changed on %u members, the rule names %u: the "
		"others follow when they can",
		g->conf->label, done, replicate_needed(g));
	return CKR_DEVICE_ERROR;
}

CK_RV change_set(struct change *ch)
{
	struct member *first = first_of(ch);
	const bool had_export = ch->r.may_export;
	bool is_absent;
	CK_RV rv = check(ch, first);

	if (rv == CKR_OK)
		rv = begin(ch, first);
	if (rv != CKR_OK)
		return rv;
	rv = set_on(ch, first, &is_absent);
	if (rv != CKR_OK && (change_is_refused(ch->call, rv) || is_absent || ch->call->sends == 0))
		return change_call_off(ch, rv);
	if (rv != CKR_OK)
		return rv; /* whatever is there now, the journal makes the others follow */
	if (change_is_content(ch))
		rv = decide_content(ch, first);
	else if (follow(ch->call, &ch->r) && renames(ch->call))
		(void)change_commit(ch); /* so that the record is found by the new name */
	return rv == CKR_OK ? finish(ch, first, had_export) : rv;
}

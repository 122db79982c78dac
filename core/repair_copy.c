/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of an object on other members, all or none.
 *
 * They are made under one pending tag that was written to the journal before, and get their names
 * when there are enough of them. It is never committed there: what still has the tag after a crash
 * is destroyed, what has its name is a copy that has proven itself. What cannot be changed once it
 * is made (CKA_MODIFIABLE false) is made with its name at once: what a crash leaves of it is the
 * copy that was wanted, or one that the next inventory finds different. */
#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/kek.h"
#include "core/orphan.h"
#include "core/repair_part.h"

/* One object on its way to several members. */
struct copying {
	struct repair *r;
	struct repair_order *order;
	char tag[MEMBER_TAG_ROOM];                /* empty: it has its name at once */
	struct instance copy[CONFIG_MAX_MEMBERS]; /* where it is made: handle and epoch; its id is
						     borrowed from the original */
};

/* Where the KEK is trusted a key is wrappable by it alone, unless it was made otherwise where the
 * KEK is trusted, too; elsewhere it could not be wrapped at all that way. Applications' own
 * exportable keys stay as they are. */
static CK_RV fit_to_kek(struct copying *c, struct member_session *to, struct blueprint *as)
{
	const CK_BBOOL *extractable = repair_truth(as, CKA_EXTRACTABLE);
	struct kek_view kek = {0};
	CK_RV rv;

	if (!repair_is_key(&c->order->from->id) || c->order->may_export ||
	    c->r->group->conf->protect != CONFIG_PROTECT_KEK || !extractable ||
	    *extractable == CK_FALSE)
		return CKR_OK;
	rv = kek_look(to, &kek);
	if (rv != CKR_OK) {
		repair_say_code(c->r, to->member, "its KEK cannot be looked at", rv);
		return rv;
	}
	if (kek.count != 1 || !kek.is_trusted) {
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED);
		return CKR_OK;
	}
	if (repair_truth(as, CKA_WRAP_WITH_TRUSTED))
		return CKR_OK;
	return blueprint_set_bool(as, CKA_WRAP_WITH_TRUSTED, true) ? CKR_OK : CKR_HOST_MEMORY;
}

static bool is_false(const struct blueprint *as, CK_ATTRIBUTE_TYPE type)
{
	const CK_BBOOL *value = repair_truth(as, type);

	return value && *value == CK_FALSE;
}

/* What the copy on the member of `to` has to be: under the tag, and as long as it may have to go,
 * one that can be destroyed. */
static CK_RV fit(struct copying *c, struct member_session *to, struct blueprint *as)
{
	CK_RV rv = blueprint_copy(c->order->as, as) ? CKR_OK : CKR_HOST_MEMORY;

	if (rv == CKR_OK && c->tag[0]) {
		blueprint_drop(as, CKA_DESTROYABLE);
		if (!blueprint_set(as, CKA_LABEL, c->tag, ORPHAN_TAG_LEN))
			rv = CKR_HOST_MEMORY;
	}
	return rv == CKR_OK ? fit_to_kek(c, to, as) : rv;
}

static CK_RV carry_copy(struct copying *c, const struct instance *from,
			struct member_session *const at[2])
{
	struct instance *copy = &c->copy[at[1]->member->index];
	struct blueprint as = {0};
	struct carry carrying = {
		.from = at[0], .real = from->real, .id = &from->id, .as = &as, .to = at[1]};
	CK_RV rv = fit(c, at[1], &as);

	if (rv == CKR_OK)
		rv = carry(&carrying);
	blueprint_free(&as);
	if (rv == CKR_OK) {
		*copy = (struct instance){.member = at[1]->member->index,
					  .real = carrying.made,
					  .epoch = at[1]->epoch,
					  .id = c->order->from->id};
		return CKR_OK;
	}
	c->r->is_unable = carrying.is_unable;
	if (carrying.why[0])
		(void)snprintf(c->r->why, sizeof c->r->why, "%s", carrying.why);
	if (!c->r->why[0])
		repair_say_code(c->r, at[1]->member, "the copy failed", rv);
	return rv;
}

/* From where it is, which is on the member `source`. */
static CK_RV copy_from(struct copying *c, struct member *source, const struct instance *from,
		       struct member *to)
{
	struct member_session *at[2] = {NULL, NULL};
	CK_RV rv;

	c->r->is_unable = false;
	c->r->why[0] = '\0';
	rv = repair_take_for(c->r, from, source, &at[0]);
	if (rv == CKR_OK)
		rv = repair_take(c->r, to, &at[1]);
	if (rv == CKR_OK)
		rv = carry_copy(c, from, at);
	repair_give(at[0], rv == CKR_OK);
	repair_give(at[1], rv == CKR_OK);
	return rv;
}

/* Copies of the first copy travel under the KEK of this token; else from where it came. */
static CK_RV copy_to(struct copying *c, struct member *to)
{
	const struct repair_order *o = c->order;
	CK_RV rv = CKR_MECHANISM_INVALID;

	for (unsigned i = 0; rv != CKR_OK && i < c->r->group->member_count; i++)
		if (o->holders & 1U << i)
			rv = copy_from(c, &c->r->group->members[i], &c->copy[i], to);
	if (rv != CKR_OK)
		rv = copy_from(c, o->source, o->from, to);
	return rv;
}

/* What carries the tag on the members of `where` goes; those where that cannot be done are
 * returned.
 */
static unsigned undo(struct copying *c, unsigned where)
{
	unsigned left = 0;

	for (unsigned i = 0; i < c->r->group->member_count; i++) {
		struct member_session *ms = NULL;
		size_t count;
		CK_RV rv = CKR_OK;

		if (!(where & 1U << i))
			continue;
		rv = pool_take(&c->r->group->members[i], 0, REPAIR_WAIT_MS, &ms);
		if (rv == CKR_OK) {
			rv = orphan_is_seen(ms) ? orphan_destroy(ms, c->tag, &count)
						: CKR_USER_NOT_LOGGED_IN;
			repair_give(ms, rv == CKR_OK);
		}
		if (rv != CKR_OK)
			left |= 1U << i;
	}
	return left;
}

/* The name, and what comes last: that it cannot be wrapped, that it cannot be destroyed. */
static CK_RV finish_one(struct copying *c, struct member_session *ms)
{
	const struct blueprint *as = c->order->as;
	const CK_ATTRIBUTE *label = attr_find(as->a, as->count, CKA_LABEL);
	CK_ATTRIBUTE name = label ? *label : (CK_ATTRIBUTE){CKA_LABEL, NULL, 0};
	CK_OBJECT_HANDLE real = c->copy[ms->member->index].real;
	CK_BBOOL no = CK_FALSE;
	CK_RV rv = CKR_OK;

	if (c->order->locks && repair_is_key(&c->order->from->id))
		rv = repair_set(ms, real, &(CK_ATTRIBUTE){CKA_EXTRACTABLE, &no, sizeof no});
	if (rv != CKR_OK) {
		repair_say_code(c->r, ms->member, "the copy cannot be made unextractable", rv);
		return rv;
	}
	rv = repair_set(ms, real, &name);
	if (rv != CKR_OK)
		repair_say_code(c->r, ms->member, "the copy cannot be given its name", rv);
	else if (is_false(as, CKA_DESTROYABLE))
		(void)repair_set(ms, real, /* else it differs, which is seen */
				 &(CK_ATTRIBUTE){CKA_DESTROYABLE, &no, sizeof no});
	return rv;
}

/* Gives all copies their names; those that do not take them do not count. */
static CK_RV finish_all(struct copying *c)
{
	CK_RV first = CKR_OK;

	for (unsigned i = 0; c->tag[0] && i < c->r->group->member_count; i++) {
		struct member_session *ms = NULL;
		CK_RV rv;

		if (!(c->order->holders & 1U << i))
			continue;
		rv = repair_take_for(c->r, &c->copy[i], &c->r->group->members[i], &ms);
		if (rv == CKR_OK)
			rv = finish_one(c, ms);
		repair_give(ms, rv == CKR_OK);
		if (rv == CKR_OK)
			continue;
		c->order->holders &= ~(1U << i);
		if (first == CKR_OK)
			first = rv;
	}
	return first;
}

static CK_RV begin(struct copying *c)
{
	struct intent intent = {.kind = INTENT_MAKE, .owed = c->order->targets};

	if (is_false(c->order->as, CKA_MODIFIABLE))
		return CKR_OK;
	if (!orphan_tag(c->tag)) {
		(void)snprintf(c->r->why, sizeof c->r->why, "no random numbers for a tag");
		return CKR_FUNCTION_FAILED;
	}
	memcpy(intent.tag, c->tag, sizeof intent.tag);
	return intents_begin(c->r->lock, &intent, c->r->why, sizeof c->r->why)
		       ? CKR_OK
		       : CKR_FUNCTION_FAILED;
}

CK_RV repair_spread(struct repair *r, struct repair_order *order)
{
	struct copying c = {.r = r, .order = order};
	CK_RV rv, first = CKR_OK;

	r->is_unable = false;
	r->why[0] = '\0';
	order->holders = 0;
	rv = begin(&c);
	if (rv != CKR_OK)
		return rv;
	for (unsigned i = 0; i < r->group->member_count; i++) {
		if (!(order->targets & 1U << i))
			continue;
		rv = copy_to(&c, &r->group->members[i]);
		if (rv == CKR_OK)
			order->holders |= 1U << i;
		else
			first = rv;
		if (rv != CKR_OK && order->needs == inventory_bits(order->targets))
			break; /* it cannot be enough any more */
	}
	if (inventory_bits(order->holders) < order->needs)
		order->holders = 0;
	rv = order->holders ? finish_all(&c) : first;
	if (c.tag[0])
		intents_settle(r->lock, c.tag, undo(&c, order->targets & ~order->holders));
	if (inventory_bits(order->holders) >= order->needs)
		return CKR_OK;
	return rv != CKR_OK ? rv : CKR_FUNCTION_FAILED;
}

CK_RV repair_copy(struct repair *r, struct member *source, const struct instance *from,
		  const struct blueprint *as, bool may_export, struct member *to)
{
	struct repair_order order = {.source = source,
				     .from = from,
				     .as = as,
				     .may_export = may_export,
				     .targets = 1U << to->index,
				     .needs = 1};

	return repair_spread(r, &order);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of an object, or of both halves of a pair, on other members, all or none.
 *
 * They are made under one pending tag that was written to the journal before. When there are enough
 * of them they are finished (repair_finish.c). What cannot be changed once it is made
 * (CKA_MODIFIABLE false) is made with its name at once: what a crash leaves of it is the copy that
 * was wanted, or one that the next inventory finds different.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/kek.h"
#include "core/orphan.h"
#include "core/repair_part.h"
#include "core/replicate_text.h"

/* Where the KEK is trusted a key is wrappable by it alone, unless it was made otherwise where the
 * KEK is trusted, too; elsewhere it could not be wrapped at all that way. Applications' own
 * exportable keys stay as they are. */
static CK_RV fit_to_kek(struct repair_copying *c, struct member_session *to, struct blueprint *as)
{
	const CK_BBOOL *extractable = repair_truth(as, CKA_EXTRACTABLE);
	struct kek_view kek = {0};
	CK_RV rv;

	if (c->order->may_export || c->r->group->conf->protect != CONFIG_PROTECT_KEK ||
	    !extractable || *extractable == CK_FALSE)
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

bool repair_is_false(const struct blueprint *as, CK_ATTRIBUTE_TYPE type)
{
	const CK_BBOOL *value = repair_truth(as, type);

	return value && *value == CK_FALSE;
}

/* What the copy on the member of `to` has to be: under the tag, and as long as it may have to go,
 * one that can be destroyed. What cannot be changed is locked from the beginning. */
static CK_RV fit(struct repair_copying *c, unsigned k, struct member_session *to,
		 struct blueprint *as)
{
	bool is_key = repair_is_key(&c->order->from[k]->id);
	CK_RV rv = blueprint_copy(c->order->as[k], as) ? CKR_OK : CKR_HOST_MEMORY;

	if (rv == CKR_OK && c->tag[0]) {
		blueprint_drop(as, CKA_DESTROYABLE);
		if (!blueprint_set(as, CKA_LABEL, c->tag, ORPHAN_TAG_LEN))
			rv = CKR_HOST_MEMORY;
	} else if (rv == CKR_OK && c->order->locks && is_key) {
		rv = blueprint_set_bool(as, CKA_EXTRACTABLE, false) ? CKR_OK : CKR_HOST_MEMORY;
	}
	return rv == CKR_OK && is_key ? fit_to_kek(c, to, as) : rv;
}

static CK_RV carry_copy(struct repair_copying *c, unsigned k, const struct instance *from,
			struct member_session *const at[2])
{
	struct blueprint as = {0};
	struct carry carrying = {
		.from = at[0], .real = from->real, .id = &from->id, .as = &as, .to = at[1]};
	CK_RV rv = fit(c, k, at[1], &as);

	if (rv == CKR_OK)
		rv = carry(&carrying);
	blueprint_free(&as);
	if (rv == CKR_OK) {
		c->copy[k][at[1]->member->index].real = carrying.made;
		c->copy[k][at[1]->member->index].epoch = at[1]->epoch;
		return CKR_OK;
	}
	c->r->is_unable = carrying.is_unable;
	if (carrying.why[0])
		(void)snprintf(c->r->why, sizeof c->r->why, "%s", carrying.why);
	if (!c->r->why[0])
		repair_say_code(c->r, at[1]->member, "the copy failed", rv);
	return rv;
}

struct instance repair_made(const struct repair_copying *c, unsigned k, unsigned i)
{
	return (struct instance){.member = i,
				 .real = c->copy[k][i].real,
				 .epoch = c->copy[k][i].epoch,
				 .id = c->order->from[k]->id};
}

/* From where it is, which is on the member `source`. */
static CK_RV copy_from(struct repair_copying *c, unsigned k, struct member *source,
		       const struct instance *from, struct member *to)
{
	struct member_session *at[2] = {NULL, NULL};
	CK_RV rv;

	c->r->is_unable = false;
	c->r->why[0] = '\0';
	rv = repair_take_for(c->r, from, source, &at[0]);
	if (rv == CKR_OK)
		rv = repair_take(c->r, to, &at[1]);
	if (rv == CKR_OK)
		rv = carry_copy(c, k, from, at);
	repair_give(at[0], rv == CKR_OK);
	repair_give(at[1], rv == CKR_OK);
	return rv;
}

/* All that is to be copied, from a member of this token that has copies, or from where it came. */
static CK_RV copy_both(struct repair_copying *c, const struct member *holder, struct member *to)
{
	const struct repair_order *o = c->order;
	CK_RV rv = CKR_OK;

	for (unsigned k = 0; rv == CKR_OK && k < 2 && o->from[k]; k++) {
		struct instance from = holder ? repair_made(c, k, holder->index) : *o->from[k];

		rv = copy_from(c, k, holder ? &c->r->group->members[holder->index] : o->source,
			       &from, to);
	}
	return rv;
}

unsigned repair_undo(struct repair_copying *c, const char *tag, unsigned where)
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
			rv = orphan_is_seen(ms) ? orphan_destroy(ms, tag, &count)
						: CKR_USER_NOT_LOGGED_IN;
			repair_give(ms, rv == CKR_OK);
		}
		if (rv != CKR_OK)
			left |= 1U << i;
	}
	return left;
}

/* Copies of the first copy travel under the KEK of this token; else from where it came. What an
 * attempt left goes before the next one: nothing may be there twice. */
static CK_RV copy_to(struct repair_copying *c, struct member *to)
{
	struct group *g = c->r->group;
	CK_RV rv = CKR_MECHANISM_INVALID;

	for (unsigned i = 0; i < g->member_count; i++) {
		if (!(c->order->holders & 1U << i))
			continue;
		rv = copy_both(c, &g->members[i], to);
		if (rv == CKR_OK || !c->tag[0] || repair_undo(c, c->tag, 1U << to->index))
			return rv;
	}
	return copy_both(c, NULL, to);
}

/* Copies to all targets, until it cannot be enough any more. The first code but CKR_OK. */
static CK_RV copy_all(struct repair_copying *c)
{
	struct repair_order *order = c->order;
	CK_RV rv = CKR_OK, first = CKR_OK;

	for (unsigned i = 0; i < c->r->group->member_count; i++) {
		if (!(order->targets & 1U << i))
			continue;
		rv = copy_to(c, &c->r->group->members[i]);
		if (rv == CKR_OK)
			order->holders |= 1U << i;
		else if (first == CKR_OK)
			first = rv;
		if (rv != CKR_OK && order->needs == inventory_bits(order->targets))
			break;
	}
	return first;
}

CK_RV repair_spread(struct repair *r, struct repair_order *order)
{
	struct repair_copying c = {.r = r, .order = order};
	bool is_fixed = repair_is_false(order->as[0], CKA_MODIFIABLE) ||
			(order->from[1] && repair_is_false(order->as[1], CKA_MODIFIABLE));
	CK_RV rv = CKR_OK, last;

	r->is_unable = false;
	r->why[0] = '\0';
	order->holders = 0;
	if (!is_fixed)
		rv = repair_intend(&c, order->targets);
	if (rv != CKR_OK)
		return rv;
	rv = copy_all(&c);
	if (inventory_bits(order->holders) >= order->needs) {
		last = repair_finish(&c);
		rv = last != CKR_OK ? last : rv;
	} else {
		order->holders = 0;
		if (c.tag[0])
			intents_settle(r->lock, c.tag, repair_undo(&c, c.tag, order->targets));
	}
	if (order->holders && inventory_bits(order->holders) >= order->needs)
		return CKR_OK;
	return rv != CKR_OK ? rv : CKR_FUNCTION_FAILED;
}

CK_RV repair_copy(struct repair *r, struct member *source, const struct instance *from,
		  const struct blueprint *as, bool may_export, struct member *to)
{
	struct repair_order order = {.source = source,
				     .from = {from},
				     .as = {as},
				     .may_export = may_export,
				     .locks = !may_export &&
					      r->group->conf->protect == CONFIG_PROTECT_LOCKED,
				     .targets = 1U << to->index,
				     .needs = 1};

	return repair_spread(r, &order);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a token object.
 *
 *   journal: the record "destroyed", owed by everybody who has the object, or may have it
 *   the record on as many members as the rule names (the tombstone): now it is decided
 *   destroyed on each; who did it does not owe it any more
 *   nobody owes: the tombstone is written as owed by nobody, then taken away
 *
 * A tombstone is taken away only when every member has seen that nobody owes: one that was left
 * behind, on a member that was lost, would otherwise destroy an object that is made again later. */
#include "core/base/log.h"
#include "core/health.h"
#include "core/object.h"
#include "core/replicate.h"
#include "core/replicate_part.h"
#include "core/route.h"

static unsigned count(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

/* The tombstone is everywhere where it has to be: carries it out on those who owe it. *rv: the
 * first refusal. Who owes it still. */
static unsigned destroy_each(const struct change *ch, CK_RV *rv)
{
	struct call *c = ch->call;
	unsigned left = ch->r.owed;

	*rv = CKR_OK;
	for (unsigned i = 0; i < c->group->member_count; i++) {
		struct member *m = &c->group->members[i];
		unsigned epoch = atomic_load(&m->epoch);
		CK_RV one;

		if (!(left & 1U << i) || !member_may_serve(m))
			continue;
		c->sends = 0;
		one = route_one(c, 1U << i, false);
		if (one == CKR_OK || change_is_absent(c, m, epoch, one)) {
			object_forget(c->group, c->object[0].handle, m);
			left &= ~(1U << i);
		} else if (change_is_refused(c, one)) {
			*rv = *rv == CKR_OK ? one : *rv;
			if (left == ch->r.owed)
				break; /* nothing was done yet: nothing will be */
		}
	}
	return left;
}

/* Takes the tombstone back: the record is what it was. */
static CK_RV take_back(struct change *ch, enum record_state before, CK_RV rv)
{
	ch->r.state = before;
	ch->r.owed = ch->owing;
	if (!ch->is_twin)
		(void)replicate_settle(ch->call->group, &ch->r);
	return change_call_off(ch, rv);
}

CK_RV change_destroy(struct change *ch)
{
	struct group *g = ch->call->group;
	const enum record_state before = ch->r.state;
	const unsigned all = ch->mask | ch->owing;
	unsigned written;
	CK_RV rv, refused;

	ch->r.state = RECORD_DESTROYED;
	ch->r.owed = all;
	rv = change_begin(ch, INTENT_DESTROY, all);
	if (rv != CKR_OK)
		return rv;
	written = ch->is_twin ? replicate_serving(g) : replicate_write(g, &ch->r);
	if (count(written) < replicate_needed(g)) {
		log_msg(LOG_LEVEL_ERROR,
			"token %s: C_DestroyObject failed: only %u of the %u members that the rule "
			"names could be told",
			g->conf->label, count(written), replicate_needed(g));
		return take_back(ch, before, CKR_DEVICE_ERROR);
	}
	ch->r.owed = destroy_each(ch, &refused);
	if (refused != CKR_OK && ch->r.owed == all)
		return take_back(ch, before, refused);
	if (ch->is_twin && !record_is_of_twin(&ch->twin, &ch->r.id, &ch->r.label)) {
		ch->twin.owed = 0; /* by this one; who owes its end stands in the journal */
		(void)replicate_settle(g, &ch->twin);
	}
	change_end(ch, true);
	if (ch->r.owed)
		log_msg(LOG_LEVEL_WARN,
			"token %s: an object was destroyed, but not on every member yet: done when "
			"the others are back",
			g->conf->label);
	return CKR_OK;
}

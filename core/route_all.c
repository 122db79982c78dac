/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that are for more than one member: searches, and changes of objects. */
#include "core/route.h"

#include "core/again.h"
#include "core/attempted.h"
#include "core/base/log.h"
#include "core/choose.h"
#include "core/group.h"
#include "core/member.h"
#include "core/object.h"
#include "core/replicate.h"
#include "core/replicate_change.h"
#include "core/session.h"

/* What a member found was looked at there, and that failed with `rv`. */
static void note_failure(const struct call *c, CK_RV rv)
{
	struct member *m = c->member;

	if (route_outcome(atomic_load(&m->lib->vendor), c, rv) == OUTCOME_DEAD)
		member_lost(m, c->made_epoch, "C_GetAttributeValue", rv);
	else if (member_alive(m))
		(void)again_forgot_login(c); /* it is logged in again by the next attempt */
}

/* A search on one member. */
static CK_RV search_on(struct call *c, unsigned mask, bool waits, struct buf *real, struct buf *all)
{
	CK_RV rv;

	real->len = 0;
	c->found = real;
	rv = route_one(c, mask, waits);
	c->found = all;
	/* An attribute that a member does not know matches nothing there. */
	if (rv == CKR_ATTRIBUTE_TYPE_INVALID) {
		real->len = 0;
		rv = CKR_OK;
	}
	return rv;
}

/* The same, added to what was found elsewhere. */
static CK_RV find_on(struct call *c, unsigned mask, bool waits, struct buf *real, struct buf *all)
{
	const size_t before = all->len;
	CK_RV rv = CKR_DEVICE_ERROR;

	for (unsigned i = 0; i < c->group->config->retry.attempts; i++) {
		c->sends = 0;
		rv = search_on(c, mask, waits, real, all);
		if (rv != CKR_OK)
			return rv;
		rv = object_found(c, real, all);
		if (rv == CKR_OK || !c->group->is_multi)
			return rv;
		all->len = before;
		note_failure(c, rv);
		if (mask & ~again_bit(c->member))
			mask &= ~again_bit(c->member); /* or whoever returns */
	}
	return rv == CKR_HOST_MEMORY ? rv : CKR_DEVICE_ERROR;
}

/* A search on one of several members. One that forgot its login answers, but not about private
 * objects; one that is dead may politely find nothing. */
static CK_RV find_on_one(struct call *c, struct member *m, struct buf *real, struct buf *all)
{
	size_t before = all->len;
	CK_RV rv = find_on(c, again_bit(m), false, real, all);

	if (rv != CKR_OK || !object_is_missing(c, all))
		return rv;
	if (again_forgot_login(c)) {
		all->len = before;
		return find_on(c, again_bit(m), false, real, all);
	}
	if (member_probe(m))
		return CKR_OK; /* somebody destroyed it */
	all->len = before;
	return CKR_DEVICE_ERROR;
}

/* A search asks every member that serves: what is on one of them only is found, too. `real` takes
 * what each of them finds. */
static CK_RV find_on_all(struct call *c, struct buf *real)
{
	struct group *g = c->group;
	const unsigned everyone = group_all(g);
	struct buf *all = c->found;
	unsigned mask = everyone, answered = 0;
	struct member *m;
	CK_RV rv = CKR_OK;

	if (!g->is_multi)
		return find_on(c, 1, true, real, all);
	while ((m = choose_member(c, mask)) != NULL && !(answered && g->conf->find_first)) {
		mask &= ~again_bit(m);
		if (find_on_one(c, m, real, all) == CKR_OK)
			answered |= again_bit(m);
	}
	if (!answered) { /* waits for whoever returns first */
		rv = find_on(c, everyone, true, real, all);
		answered = rv == CKR_OK ? again_bit(c->member) : 0;
	}
	if (rv != CKR_OK || answered == everyone || g->conf->find_first)
		return rv;
	return object_found_away(c, answered, all);
}

CK_RV route_find(struct call *c)
{
	struct buf real = {0};
	CK_RV rv = find_on_all(c, &real);

	buf_free(&real);
	return rv;
}

/* Whether the answer is about the request, not about the member. */
static bool is_refusal(const struct call *c, CK_RV rv)
{
	return rv != CKR_OK && rv != c->object[0].bad && c->member &&
	       route_outcome(atomic_load(&c->member->lib->vendor), c, rv) == OUTCOME_DONE;
}

/* A session object is not used on this member any more. What could not be destroyed goes with its
 * session, which nobody else gets. */
static void abandon(struct call *c, struct member *m, bool is_destroyed)
{
	object_forget(c->group, c->object[0].handle, m);
	if (!is_destroyed)
		session_quit_home(c->session, m);
}

/* A session object goes with its session, also where it cannot be reached now, or not any more. */
static CK_RV destroy_volatile(struct call *c)
{
	struct group *g = c->group;
	const unsigned mask = choose_serving(c, object_copies(g, c->object[0].handle));

	for (unsigned i = 0; i < g->member_count; i++) {
		CK_RV rv;

		if (!(mask & 1U << i))
			continue;
		c->sends = 0;
		rv = route_one(c, 1U << i, false);
		if (is_refusal(c, rv))
			return rv;
		abandon(c, &g->members[i], rv == CKR_OK || rv == c->object[0].bad);
	}
	return CKR_OK;
}

/* A session object is changed where it is, or where it can be made again; copies elsewhere are not
 * used any more (they are made again with the change, see object_keep_change). */
static CK_RV change_volatile(struct call *c)
{
	struct group *g = c->group;
	unsigned mask = choose_serving(c, object_copies(g, c->object[0].handle));
	CK_RV rv = mask ? route_one(c, mask, false) : CKR_DEVICE_ERROR;

	if (rv != CKR_OK && !(mask && is_refusal(c, rv))) {
		c->sends = 0;
		rv = route_one(c, choose_able(c), true);
	}
	for (unsigned i = 0; rv == CKR_OK && i < g->member_count; i++)
		if (&g->members[i] != c->member)
			abandon(c, &g->members[i], false);
	return rv;
}

/* A change of a token object happens wherever it is, or nowhere: one that was left on a member that
 * is away would come back with it. */
static CK_RV change_everywhere(struct call *c)
{
	struct group *g = c->group;
	unsigned mask, done = 0;
	CK_RV rv = c->object[0].bad;

	mask = object_copies(g, c->object[0].handle);
	for (unsigned i = 0; i < g->member_count; i++) {
		if (!(mask & 1U << i) || member_may_serve(&g->members[i]))
			continue;
		log_msg(LOG_LEVEL_WARN,
			"token %s: %s refused: member %s may hold the object, too, and cannot be "
			"reached",
			g->conf->label, call_name(c->id), g->members[i].conf->name);
		return CKR_DEVICE_ERROR;
	}
	for (unsigned i = 0; i < g->member_count; i++) {
		if (!(mask & 1U << i))
			continue;
		c->sends = 0;
		rv = route_one(c, 1U << i, false);
		rv = attempted_result(c, &g->members[i], rv);
		if (rv == CKR_OK && c->id == CALL_C_DestroyObject)
			object_forget(g, c->object[0].handle, &g->members[i]);
		/* Gone already: by an attempt of which nothing was heard. */
		if (rv == CKR_OK || (rv == c->object[0].bad && c->sends > 1))
			done++;
		else if (rv != c->object[0].bad)
			return rv;
	}
	return done ? CKR_OK : rv;
}

CK_RV route_change(struct call *c)
{
	if (object_is_volatile(c->group, c->object[0].handle))
		return c->id == CALL_C_DestroyObject ? destroy_volatile(c) : change_volatile(c);
	return replicate_is_on(c->group) ? replicate_change(c, change_everywhere)
					 : change_everywhere(c);
}

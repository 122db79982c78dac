/* SPDX-License-Identifier: BSD-2-Clause */
/* Homes: the sessions of members that own the session objects of a virtual session. A member
 * destroys session objects with the session that made them, so that one cannot go back to the pool
 * while it owns some.
 *
 * Guarded by the session's lock. What is on a home that goes is forgotten first: its numbers may be
 * other objects' afterwards. */
#include "core/session.h"

#include <stdlib.h>

#include "core/choose.h"
#include "core/object.h"

bool session_note_remade(struct session *s, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_HANDLE *more = reallocarray(s->remade, s->remade_count + 1, sizeof *more);

	if (!more)
		return false;
	s->remade = more;
	s->remade[s->remade_count++] = object;
	return true;
}

/* A home goes: what was made again there is not there any more. */
static void forget_remade(struct session *s, const struct member *m)
{
	for (size_t i = 0; i < s->remade_count; i++)
		object_forget(s->group, s->remade[i], m);
}

void session_lost_home(struct session *s, const struct member *m)
{
	size_t kept = 0;

	s->home[m->index] = NULL;
	s->lent &= ~(1U << m->index);
	forget_remade(s, m);
	for (size_t i = 0; i < s->made_count; i++) {
		struct object_view view;

		if (object_get(s->group, s->made[i], &view) &&
		    (view.target || view.bound != m->index + 1)) {
			if (!view.target)
				object_forget(s->group, s->made[i], m);
			s->made[kept++] = s->made[i];
			continue;
		}
		object_drop(s->made[i]);
	}
	s->made_count = kept;
}

void session_drop_home(struct session *s, const struct member *m)
{
	struct member_session *ms = s->home[m->index];
	bool is_lent = s->lent & 1U << m->index;

	if (!ms)
		return;
	session_lost_home(s, m);
	if (!is_lent)
		pool_drop(ms);
}

CK_RV session_home(struct session *s, struct member *m, long long wait_ms,
		   struct member_session **home)
{
	struct member_session **mine = &s->home[m->index];
	CK_RV rv;

	*home = *mine;
	if (*mine && (*mine)->epoch != atomic_load(&m->epoch)) {
		session_drop_home(s, m); /* its objects went with the epoch */
		*home = NULL;
	}
	if (*home)
		return CKR_OK;
	*mine = NULL;
	rv = pool_take(m, 0, wait_ms, mine);
	*home = *mine;
	return rv;
}

CK_RV session_borrow(struct session *s, struct member *m, unsigned hint, long long wait_ms,
		     struct member_session **ms)
{
	struct member_session *home = s ? s->home[m->index] : NULL;
	const unsigned bit = 1U << m->index;
	bool is_free = home && home->epoch == atomic_load(&m->epoch) && !(s->lent & bit);
	CK_RV rv = pool_take(m, hint, is_free ? 0 : wait_ms, ms);

	if (rv == CKR_SESSION_COUNT && is_free) {
		s->lent |= bit;
		*ms = home;
		rv = CKR_OK;
	}
	if (rv == CKR_OK)
		choose_began(m);
	return rv;
}

void session_return(struct session *s, struct member_session *ms, unsigned hint, bool is_good)
{
	struct member *m = ms->member;

	choose_ended(m);
	if (s && ms == s->home[m->index]) {
		s->lent &= ~(1U << m->index);
		if (is_good) {
			session_release_homes(s);
			return;
		}
		session_lost_home(s, m);
	}
	if (is_good)
		pool_give(ms, hint);
	else
		pool_drop(ms);
}

bool session_owns_there(const struct session *s, const struct member *m)
{
	const unsigned i = m->index;
	struct object_view view;

	for (size_t k = 0; k < s->made_count; k++)
		if (object_get(s->group, s->made[k], &view) && !view.target &&
		    (object_copies(s->group, s->made[k]) & 1U << i))
			return true;
	for (size_t k = 0; k < s->remade_count; k++)
		if (object_copies(s->group, s->remade[k]) & 1U << i)
			return true;
	return false;
}

void session_quit_home(struct session *s, const struct member *m)
{
	if (s->home[m->index] && !session_owns_there(s, m))
		session_drop_home(s, m);
}

void session_release_homes(struct session *s)
{
	for (unsigned i = 0; i < s->group->member_count; i++) {
		if (!s->home[i] || (s->lent & 1U << i) ||
		    session_owns_there(s, &s->group->members[i]))
			continue;
		pool_give(s->home[i], i);
		s->home[i] = NULL;
	}
}

void session_end_homes(struct session *s)
{
	for (unsigned i = 0; i < CONFIG_MAX_MEMBERS; i++) {
		if (!s->home[i])
			continue;
		forget_remade(s, s->home[i]->member);
		pool_drop(s->home[i]); /* the member destroys the session objects that it owns */
		s->home[i] = NULL;
	}
	free(s->remade);
	s->remade = NULL;
	s->remade_count = 0;
	s->lent = 0;
}

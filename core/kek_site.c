/* SPDX-License-Identifier: BSD-2-Clause */
/* Sites: one session on each member of a virtual token while a KEK is put on it, of the user, or of
 * the security officer where the key is to be trusted.
 *
 * Who may say that a key is CKA_TRUSTED is the security officer, and on SoftHSM2 only in the moment
 * in which the key comes to be; a token has one login for the whole process. So the user is logged
 * out there meanwhile. The group's login_lock is held for that time, so that nobody logs in or out,
 * and who looks after the members is held off: its probe's session, which only reads, would keep
 * the security officer out, and with him in there it would take the member for dead. A SO PIN is
 * sent once. */
#include "core/kek_site.h"

#include <stdio.h>
#include <string.h>

#include "core/base/names.h"
#include "core/health.h"
#include "core/keeper.h"
#include "core/login.h"
#include "core/member_op.h"

/* How long a session of a member is waited for. */
#define WAIT_MS 5000

CK_RV site_fail(struct kek_sites *s, const struct kek_site *site, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	s->failed = site;
	/* Long names may be cut. */
	(void)snprintf(s->why, sizeof s->why, "member %s: %s: %s", site->m->conf->name, what,
		       name_of(NAME_RV, rv, code));
	return rv;
}

/* Any site wants the security officer. */
static bool any_so(const struct kek_sites *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].so_pin)
			return true;
	return false;
}

static CK_RV enter_so(struct kek_sites *s, struct kek_site *site)
{
	struct call call = {.id = CALL_C_Login, .user = CKU_SO, .pin = {site->so_pin}};
	struct member *m = site->m;
	CK_RV rv = keeper_logout(s->g, m, NULL);

	site->is_so = true; /* the user has to be logged in again in any case */
	if (rv == CKR_OK)
		rv = keeper_login(s->g, m, NULL, &call);
	if (rv != CKR_OK)
		return site_fail(s, site, "the login of the security officer", rv);
	m->is_login_ours = true;
	site->ms = m->keeper;
	return CKR_OK;
}

CK_RV sites_enter(struct kek_sites *s, bool as_so)
{
	CK_RV rv = CKR_OK;

	if (as_so && any_so(s) && !health_hold(WAIT_MS))
		return site_fail(s, &s->at[0], "somebody looks after it", CKR_FUNCTION_FAILED);
	s->is_locked = as_so && any_so(s);
	if (s->is_locked)
		pthread_mutex_lock(&s->g->login_lock);
	for (size_t i = 0; rv == CKR_OK && i < s->count; i++) {
		struct kek_site *site = &s->at[i];

		if (as_so && site->so_pin) {
			rv = enter_so(s, site);
			continue;
		}
		rv = pool_take(site->m, 0, WAIT_MS, &site->ms);
		if (rv != CKR_OK)
			rv = site_fail(s, site, "no session", rv);
	}
	return rv;
}

/* The member forgets the security officer; handles of before are another life's. */
static void leave_so(struct kek_sites *s, struct kek_site *site)
{
	struct member *m = site->m;
	unsigned epoch = atomic_load(&m->epoch);

	(void)keeper_logout(s->g, m,
			    NULL); /* a member that refuses begins a new epoch all the same */
	(void)member_begin_anew(m, epoch); /* or it did so itself */
	site->ms = NULL;
}

void sites_leave(struct kek_sites *s, bool is_good)
{
	for (size_t i = 0; i < s->count; i++) {
		struct kek_site *site = &s->at[i];

		if (site->is_so)
			leave_so(s, site);
		else if (site->ms)
			(is_good ? pool_give(site->ms, 0) : pool_drop(site->ms));
		site->ms = NULL;
	}
	if (s->is_locked) {
		pthread_mutex_unlock(&s->g->login_lock);
		health_release();
	}
	s->is_locked = false;
	for (size_t i = 0; i < s->count; i++) {
		if (s->at[i].is_so)
			login_sync(s->g, s->at[i].m);
		s->at[i].is_so = false;
	}
}

static CK_RV look_made(struct kek_site *site)
{
	struct buf found = {0};
	CK_OBJECT_HANDLE first = 0;
	CK_RV rv = orphan_find(site->ms, KEK_TAG, CKO_SECRET_KEY, &found);

	site->made = (struct kek_view){.count = (unsigned)(found.len / sizeof first)};
	if (rv == CKR_OK && site->made.count > 0) {
		memcpy(&first, found.data, sizeof first);
		rv = kek_look_at(site->ms, first, &site->made);
	}
	buf_free(&found);
	return rv;
}

CK_RV sites_look(struct kek_sites *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct kek_site *site = &s->at[i];
		CK_RV rv = kek_look(site->ms, &site->named);

		if (rv == CKR_OK)
			rv = look_made(site);
		if (rv != CKR_OK)
			return site_fail(s, site, "cannot be searched", rv);
	}
	return CKR_OK;
}

CK_RV sites_clean(struct kek_sites *s)
{
	CK_RV first = CKR_OK;

	for (size_t i = 0; i < s->count; i++) {
		struct member_session *ms;
		size_t count = 0;
		CK_RV rv = pool_take(s->at[i].m, 0, WAIT_MS, &ms);

		if (rv == CKR_OK) {
			rv = orphan_destroy(ms, KEK_TAG, &count);
			(rv == CKR_OK ? pool_give(ms, 0) : pool_drop(ms));
		}
		if (first == CKR_OK)
			first = rv;
	}
	return first;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Make: one KEK comes to be on all members, or takes the place of the one that there is.
 *
 *   look     what has the KEK's name, what an earlier attempt left under the tag
 *   make     on every member under the tag: one makes it, the others get it from there, or all get
 *            what people typed; each is locked
 *   prove    all of them are one key, locked, trusted where the security officer came
 *   switch   member by member: the old one goes, the new one gets the name
 *
 * A failure before the switch destroys what was made. Death at any point leaves the old state and
 * keys under the tag, which the next attempt takes (when they are complete) or destroys; or, in the
 * switch, members with the new key under its name and others with it under the tag: the next
 * attempt goes on there. A KEK wraps keys in transit only, so none is lost with the old one. No key
 * without the tag is ever touched but, in a rotation, those of the KEK's name. */
#include "core/kek_make.h"

#include <stdio.h>
#include <string.h>

#include "core/identity_soft.h"
#include "core/identity_use.h"
#include "core/member_op.h"

/* Says why in words. */
static CK_RV refuse(struct kek_make *k, const struct kek_site *site, const char *what)
{
	(void)snprintf(k->sites.why, sizeof k->sites.why, "member %s %s", site->m->conf->name,
		       what); /* may be cut */
	return CKR_ACTION_PROHIBITED;
}

static struct kek_sites *sites_of(struct kek_make *k)
{
	struct kek_sites *s = &k->sites;

	*s = (struct kek_sites){.g = k->g, .count = k->g->member_count};
	for (size_t i = 0; i < s->count; i++) {
		s->at[i].m = &k->g->members[i];
		s->at[i].so_pin = k->so_pin[i];
	}
	return s;
}

/* Key `a` of one site is key `b` of another. */
static CK_RV is_same(const struct kek_site *a, CK_OBJECT_HANDLE real_a, const struct kek_site *b,
		     CK_OBJECT_HANDLE real_b, bool *same)
{
	const struct kek_place at_a = {a->ms, real_a}, at_b = {b->ms, real_b};

	*same = false;
	return real_a && real_b ? kek_is_same_key(&at_a, &at_b, same) : CKR_OK;
}

/* The key that a site adds to the set: what it has under the tag, or, where it has none, under the
 * name. */
static CK_OBJECT_HANDLE new_of(const struct kek_site *site)
{
	return site->made.count > 0 ? site->made.real : site->named.real;
}

static const struct kek_view *view_of(const struct kek_site *site)
{
	return site->made.count > 0 ? &site->made : &site->named;
}

/* Whether every site has one key of the set and all are the same, which two of them show that
 * compare: each with one of those before it. What is wrong, in words of the site, when not. */
static CK_RV check_set(struct kek_sites *s, const struct kek_site **bad, const char **what)
{
	*bad = NULL;
	for (size_t i = 0; i < s->count; i++) {
		const struct kek_site *site = &s->at[i];
		const struct kek_view *view = view_of(site);
		bool same = i == 0;
		CK_RV rv = CKR_OK;

		*bad = site;
		*what = "has not exactly one";
		if (view->count != 1)
			return CKR_OK;
		*what = kek_flaw(view);
		if (*what)
			return CKR_OK;
		*what = "has one that is not trusted";
		if (site->so_pin && !view->is_trusted)
			return CKR_OK;
		for (size_t j = 0; rv == CKR_OK && !same && j < i; j++)
			rv = is_same(&s->at[j], new_of(&s->at[j]), site, new_of(site), &same);
		if (rv != CKR_OK)
			return site_fail(s, site, "the keys cannot be compared", rv);
		*what = "has one that is not the same as the others'";
		if (!same)
			return CKR_OK;
	}
	*bad = NULL;
	return CKR_OK;
}

static bool any_made(const struct kek_sites *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].made.count > 0)
			return true;
	return false;
}

static size_t count_named(const struct kek_sites *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->at[i].named.count > 0;
	return n;
}

/* An installation adds: what has the name stays, and only typed values can be put beside it. */
static CK_RV check_named(struct kek_make *k, const struct kek_sites *s, bool is_resumed)
{
	size_t named = count_named(s);

	for (size_t i = 0; i < s->count; i++) {
		const struct kek_site *site = &s->at[i];

		if (site->named.count > 1 && !k->replaces)
			return refuse(k, site, "has several keys with the name of the KEK");
		if (site->named.count > 0 && site->made.count > 0 && is_resumed && !k->replaces)
			return refuse(k, site,
				      "has a KEK, and the new one of a rotation that was not "
				      "finished: rotate again");
	}
	if (k->replaces || named == 0 || is_resumed)
		return CKR_OK;
	for (size_t i = 0; i < s->count; i++) {
		if (named == s->count)
			return refuse(k, &s->at[i],
				      "has a KEK, as all have: a rotation replaces it");
		if (s->at[i].named.count == 0 && !k->value)
			return refuse(k, &s->at[i],
				      "has no KEK, others have one, which cannot leave them: a "
				      "rotation puts a new one on all, or the components of the "
				      "old one are typed again");
	}
	return CKR_OK;
}

/* Whether the switch had begun: a member has the new key under its name already. A set that is
 * whole under the tag alone may be anybody's who can make objects on the members: it is not taken.
 */
static bool has_switched(const struct kek_sites *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].made.count == 0)
			return true;
	return false;
}

/* Looks, and tells whether an earlier attempt is to be finished. */
static CK_RV look(struct kek_make *k, struct kek_sites *s, bool *is_resumed)
{
	const struct kek_site *bad = NULL;
	const char *what = NULL;
	CK_RV rv = sites_look(s);

	*is_resumed = false;
	if (rv == CKR_OK && any_made(s) && has_switched(s)) {
		rv = check_set(s, &bad, &what);
		*is_resumed = rv == CKR_OK && !bad;
	}
	return rv == CKR_OK ? check_named(k, s, *is_resumed) : rv;
}

/* The others get what `from` has made. */
static CK_RV make_from(struct kek_sites *s, struct kek_site *from, const struct kek_plan *plan)
{
	CK_RV rv = kek_create_new(s, from, plan);

	for (size_t i = 0; rv == CKR_OK && i < s->count; i++) {
		struct kek_site *site = &s->at[i];

		if (site == from)
			continue;
		rv = kek_create_carried(s, site, plan, from);
		if (rv == CKR_OK)
			rv = kek_create_lock(s, site);
	}
	return rv == CKR_OK ? kek_create_lock(s, from) : rv;
}

static CK_RV make_given(struct kek_sites *s, const struct kek_plan *plan, bool replaces)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < s->count; i++) {
		struct kek_site *site = &s->at[i];

		if (site->named.count > 0 && !replaces)
			continue;
		rv = kek_create_given(s, site, plan);
		if (rv == CKR_OK)
			rv = kek_create_lock(s, site);
	}
	return rv;
}

/* Whether a failure is about the two members, so that another origin may do. */
static bool is_refusal(const struct kek_sites *s, CK_RV rv)
{
	return rv != CKR_OK && rv != CKR_HOST_MEMORY && s->failed && s->failed->ms &&
	       identity_refuses(s->failed->ms, rv);
}

/* One attempt, with member `origin` as the one that makes it. Makes nothing when it fails. */
static CK_RV attempt(struct kek_sites *s, size_t origin, const struct kek_make *k, bool *may_retry)
{
	struct kek_plan plan = {.value = k->value};
	CK_RV rv =
		identity_random(plan.id, sizeof plan.id) ? sites_enter(s, true) : CKR_HOST_MEMORY;

	*may_retry = false;
	if (rv == CKR_OK) {
		rv = k->value ? make_given(s, &plan, k->replaces)
			      : make_from(s, &s->at[origin], &plan);
		*may_retry = is_refusal(s, rv);
	}
	sites_leave(s, rv == CKR_OK);
	return rv;
}

static CK_RV make(struct kek_sites *s, const struct kek_make *k)
{
	size_t origins = k->value ? 1 : s->count;
	bool may_retry = true;
	char first[KEK_WHY] = "";
	CK_RV rv = CKR_OK;

	for (size_t i = 0; may_retry && i < origins; i++) {
		s->why[0] = '\0';
		rv = attempt(s, i, k, &may_retry);
		if (rv == CKR_OK)
			return rv;
		if (!first[0])
			memcpy(first, s->why, sizeof first);
		if (sites_clean(s) != CKR_OK)
			break; /* the next attempt finds it */
	}
	memcpy(s->why, first, sizeof s->why);
	return rv;
}

/* In the login of the user, from the beginning: what is there now. */
static CK_RV prove(struct kek_sites *s)
{
	const struct kek_site *bad = NULL;
	const char *what = NULL;
	CK_RV rv = sites_look(s);

	if (rv == CKR_OK)
		rv = check_set(s, &bad, &what);
	if (rv == CKR_OK && bad) {
		(void)snprintf(s->why, sizeof s->why, "member %s, of the new key: %s",
			       bad->m->conf->name, what);
		rv = CKR_DEVICE_ERROR;
	}
	return rv;
}

static CK_RV destroy(struct kek_site *site, CK_OBJECT_HANDLE real)
{
	struct call call = {.id = CALL_C_DestroyObject};

	return member_call(site->ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});
}

static CK_RV give_name(const struct kek_sites *s, struct kek_site *site)
{
	struct kek_name name;
	char label[] = KEK_LABEL;
	CK_ATTRIBUTE tmpl[2];
	struct call call = {.id = CALL_C_SetAttributeValue, .tmpl = {tmpl}, .tmpl_count = {1}};

	kek_name(s->g, &name);
	tmpl[0] = (CK_ATTRIBUTE){name.type, name.bytes, name.len};
	if (name.type == CKA_ID) {
		tmpl[1] = (CK_ATTRIBUTE){CKA_LABEL, label, sizeof label - 1};
		call.tmpl_count[0] = 2;
	}
	return member_call(site->ms, &call, (const CK_OBJECT_HANDLE[2]){site->made.real, 0});
}

/* One member: what has the name goes, the new one gets it. */
static CK_RV switch_one(struct kek_make *k, struct kek_sites *s, struct kek_site *site)
{
	CK_RV rv = CKR_OK;

	while (rv == CKR_OK && k->replaces && site->made.count > 0 && site->named.count > 0) {
		unsigned before = site->named.count;

		rv = destroy(site, site->named.real);
		k->has_begun = k->has_begun || rv == CKR_OK || !identity_refuses(site->ms, rv);
		if (rv == CKR_OK)
			rv = kek_look(site->ms, &site->named);
		if (rv == CKR_OK && site->named.count >= before)
			rv = CKR_ACTION_PROHIBITED;
	}
	if (rv != CKR_OK)
		return site_fail(s, site, "the old KEK cannot be destroyed", rv);
	if (site->made.count == 0)
		return CKR_OK; /* has it under its name already */
	rv = give_name(s, site);
	if (rv != CKR_OK)
		return site_fail(s, site, "the new KEK cannot be given its name", rv);
	k->has_begun = true;
	return CKR_OK;
}

static CK_RV switch_all(struct kek_make *k, struct kek_sites *s)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < s->count; i++)
		rv = switch_one(k, s, &s->at[i]);
	for (size_t i = 0; rv == CKR_OK && i < s->count; i++) {
		CK_OBJECT_HANDLE real = 0;

		rv = kek_find(s->at[i].ms, &real);
		if (rv != CKR_OK || !real)
			rv = site_fail(s, &s->at[i], "the KEK is not there under its name",
				       rv != CKR_OK ? rv : CKR_DEVICE_ERROR);
	}
	return rv;
}

/* Looks in the login of the users; `clears`: what an earlier attempt left is destroyed when it
 * cannot be finished. */
static CK_RV begin(struct kek_make *k, bool clears, bool *is_resumed)
{
	struct kek_sites *s = sites_of(k);
	CK_RV rv = sites_enter(s, false);

	k->has_begun = false;
	if (rv == CKR_OK)
		rv = look(k, s, is_resumed);
	sites_leave(s, rv == CKR_OK || rv == CKR_ACTION_PROHIBITED);
	if (rv != CKR_OK || !clears || !any_made(s) || *is_resumed)
		return rv;
	rv = sites_clean(s);
	if (rv != CKR_OK)
		(void)snprintf(s->why, sizeof s->why,
			       "what an earlier attempt left cannot be destroyed");
	return rv;
}

CK_RV kek_make_check(struct kek_make *k)
{
	bool is_resumed = false;

	return begin(k, false, &is_resumed);
}

CK_RV kek_make(struct kek_make *k)
{
	struct kek_sites *s = &k->sites;
	bool is_resumed = false;
	CK_RV rv = begin(k, true, &is_resumed);

	if (rv == CKR_OK && !is_resumed)
		rv = make(s, k);
	if (rv != CKR_OK)
		return rv;
	rv = sites_enter(s, false);
	if (rv == CKR_OK)
		rv = prove(s);
	if (rv == CKR_OK)
		rv = switch_all(k, s);
	k->has_begun = rv != CKR_OK && (k->has_begun || is_resumed);
	sites_leave(s, rv == CKR_OK);
	if (rv != CKR_OK && !k->has_begun)
		(void)sites_clean(s); /* the next attempt does it else; `rv` says enough */
	return rv;
}

/* A key of the session, to see what the member knows. */
static CK_RV ask_trust(struct member_session *ms, bool *trusts)
{
	CK_ULONG len = KEK_LEN;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &no, sizeof no},
			       {CKA_SENSITIVE, &yes, sizeof yes},
			       {CKA_VALUE_LEN, &len, sizeof len}};
	CK_OBJECT_HANDLE made;
	struct kek_view view = {0};
	CK_RV rv = member_make_aes(ms, tmpl, sizeof tmpl / sizeof tmpl[0], &made);

	if (rv != CKR_OK)
		return identity_refuses(ms, rv) ? CKR_OK : rv;
	rv = kek_look_at(ms, made, &view);
	member_destroy(ms, made);
	*trusts = view.knows_trust;
	return rv;
}

CK_RV kek_make_trusts(struct kek_make *k, unsigned *members)
{
	struct kek_sites *s = sites_of(k);
	CK_RV rv = sites_enter(s, false);

	*members = 0;
	for (size_t i = 0; rv == CKR_OK && i < s->count; i++) {
		bool trusts = false;

		rv = ask_trust(s->at[i].ms, &trusts);
		if (rv != CKR_OK)
			(void)site_fail(s, &s->at[i], "cannot make a key", rv);
		*members |= trusts ? 1U << i : 0;
	}
	sites_leave(s, rv == CKR_OK);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which object of a member is the one that a record is about.
 *
 * The fingerprint says what it is, and not which of several: a certificate may be there twice under
 * two names, a key with its copy. So its name counts first. One of another name is the record's
 * when it was renamed where the record was not seen: unless those on the other side, who owe where
 * this member does not, have it under that name, too. Then it is a twin, and none of ours. */
#include "core/repair_part.h"

#include <string.h>

#include "core/orphan.h"

static CK_RV told(struct repair *r, const struct member *m, CK_RV rv)
{
	if (rv != CKR_OK)
		repair_say_code(r, m, "its objects cannot be looked through", rv);
	return rv;
}

static void give(struct member_session *ms, CK_RV rv)
{
	repair_give(ms, rv == CKR_OK);
}

/* Whether the record knows a key of which members have different ideas, by any of its answers. */
static CK_RV has_any_print(struct member_session *ms, const struct record *rec,
			   const struct instance *in, bool *has)
{
	uint8_t all[FINGERPRINT_WAYS][FINGERPRINT_LEN];
	size_t n = 0;
	CK_RV rv = CKR_OK;

	if (!*has && rec->also_count > 0 && in->id.kind == IDENTITY_ANSWER)
		rv = fingerprint_all(ms, in->real, &in->id, all, &n);
	for (size_t i = 0; rv == CKR_OK && !*has && i < n; i++)
		*has = record_has_print(rec, all[i]);
	return rv;
}

/* Whether the object is the record's; by use, where it is a private key. */
static CK_RV is_it(struct member_session *ms, const struct record *rec, struct instance *in,
		   bool *is)
{
	enum identity_match match = IDENTITY_SAME;
	CK_RV rv = fingerprint_of(ms, in->real, &in->id, in->print, &in->has_print);

	*is = false;
	if (rv != CKR_OK || !in->has_print || !record_is_believed(rec, in->id.is_private))
		return rv;
	*is = record_has_print(rec, in->print);
	rv = has_any_print(ms, rec, in, is);
	if (rv == CKR_OK && *is)
		rv = identity_prove(ms, in->real, &in->id, &match);
	*is = *is && rv == CKR_OK && match == IDENTITY_SAME;
	return rv;
}

/* One candidate, on a session of its own: a key that does not answer leaves something on it. */
static CK_RV try_one(struct member *m, const struct record *rec, CK_OBJECT_HANDLE real,
		     struct instance *in, bool *is)
{
	struct member_session *ms;
	CK_RV rv = pool_take(m, 0, REPAIR_WAIT_MS, &ms);

	*is = false;
	if (rv != CKR_OK)
		return rv;
	*in = (struct instance){.member = m->index, .real = real, .epoch = ms->epoch};
	rv = identity_read(ms, real, &in->id);
	if (rv == CKR_OK && in->id.kind != IDENTITY_NONE)
		rv = is_it(ms, rec, in, is);
	if (rv == CKR_OK && *is)
		pool_give(ms, 0);
	else
		pool_drop(ms);
	if (!*is)
		identity_free(&in->id);
	return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_OK : rv;
}

/* Nothing was found; whether that is true: a member that forgot its login shows no private objects,
 * and one that is dead may find nothing politely. `epoch`: its epoch before. */
static CK_RV check_seen(struct member *m, unsigned epoch)
{
	struct member_session *ms;
	CK_RV rv = pool_take(m, 0, REPAIR_WAIT_MS, &ms);

	if (rv != CKR_OK)
		return rv;
	if (ms->epoch != epoch || !orphan_is_seen(ms))
		rv = CKR_USER_NOT_LOGGED_IN;
	else if (!member_alive_now(m))
		rv = CKR_DEVICE_ERROR;
	give(ms, rv);
	return rv;
}

/* The objects that are like this on a member. */
static CK_RV list_like(struct member *m, const struct identity *like, struct buf *list)
{
	struct member_session *ms;
	CK_RV rv = pool_take(m, 0, REPAIR_WAIT_MS, &ms);

	if (rv != CKR_OK)
		return rv;
	rv = identity_find(ms, like, false, list);
	give(ms, rv);
	return rv;
}

/* Whether an object of that name is the record's on a member. */
static CK_RV has_named(struct member *m, const struct record *rec, const struct identity *name,
		       bool *has)
{
	const unsigned epoch = atomic_load(&m->epoch);
	struct buf list = {0};
	CK_RV rv = list_like(m, name, &list);

	for (size_t i = 0; rv == CKR_OK && !*has && i < list.len / sizeof(CK_OBJECT_HANDLE); i++) {
		struct instance in;
		CK_OBJECT_HANDLE real;

		memcpy(&real, list.data + i * sizeof real, sizeof real);
		rv = try_one(m, rec, real, &in, has);
		if (rv == CKR_OK && *has)
			identity_free(&in.id);
	}
	buf_free(&list);
	return rv == CKR_OK && !*has ? check_seen(m, epoch) : rv;
}

/* Of several who owe a change some may have it: only those who have the object under its old name
 * can tell a twin from it. Where there are none, all stay. */
static CK_RV only_unchanged(const struct repair *r, const struct record *rec, unsigned *mask)
{
	const struct identity old = {.class = rec->class,
				     .key_type = rec->key_type,
				     .is_token = true,
				     .id = rec->id,
				     .label = rec->label};
	unsigned unchanged = 0;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < r->group->member_count; i++) {
		bool has = false;

		if (*mask & 1U << i)
			rv = has_named(&r->group->members[i], rec, &old, &has);
		unchanged |= has ? 1U << i : 0;
	}
	if (unchanged)
		*mask = unchanged;
	return rv;
}

/* Two objects may have the same content and different names. One of another name than the record's
 * is the record's under an old name, or the twin of it: then those on the other side, who owe where
 * this member does not, have it under that name, too. Where nobody is on the other side the rest is
 * asked; where nobody is left to ask nothing is destroyed. */
static CK_RV has_twin(const struct repair *r, unsigned reach, const struct member *m,
		      const struct record *rec, const struct identity *id, bool *is_twin)
{
	const unsigned rest = reach & ~(1U << m->index);
	unsigned others = rest & (rec->owed & 1U << m->index ? ~rec->owed : rec->owed);
	CK_RV rv = CKR_OK;

	others = others ? others : rest;
	if (rec->state != RECORD_DESTROYED)
		rv = only_unchanged(r, rec, &others);
	*is_twin = !others && rec->state == RECORD_DESTROYED;
	for (size_t i = 0; rv == CKR_OK && !*is_twin && i < r->group->member_count; i++)
		if (others & 1U << i)
			rv = has_named(&r->group->members[i], rec, id, is_twin);
	return rv;
}

/* Of the objects that are like this, the first that is the record's; with `is_renamed` none that is
 * its twin. */
static CK_RV try_candidates(struct repair *r, unsigned reach, struct member *m,
			    const struct record *rec, const struct identity *like, bool is_renamed,
			    struct instance *in, bool *found)
{
	const unsigned epoch = atomic_load(&m->epoch);
	struct buf list = {0};
	CK_RV rv = list_like(m, like, &list);

	for (size_t i = 0; rv == CKR_OK && !*found && i < list.len / sizeof(CK_OBJECT_HANDLE);
	     i++) {
		bool is_twin = false;
		CK_OBJECT_HANDLE real;

		memcpy(&real, list.data + i * sizeof real, sizeof real);
		rv = try_one(m, rec, real, in, found);
		if (rv != CKR_OK || !*found || !is_renamed)
			continue;
		rv = has_twin(r, reach, m, rec, &in->id, &is_twin);
		if (rv == CKR_OK && !is_twin)
			continue;
		identity_free(&in->id);
		*found = false;
	}
	buf_free(&list);
	return rv == CKR_OK && !*found ? check_seen(m, epoch) : rv;
}

/* The object that has the record's name. */
static CK_RV look_by_name(struct repair *r, unsigned reach, struct member *m,
			  const struct record *rec, struct instance *in, bool *found)
{
	const struct identity like = {.class = rec->class,
				      .key_type = rec->key_type,
				      .is_token = true,
				      .id = rec->id,
				      .label = rec->label};

	*found = false;
	return told(r, m, try_candidates(r, reach, m, rec, &like, false, in, found));
}

CK_RV repair_find_like(struct repair *r, unsigned reach, struct member *m, const struct record *rec,
		       const struct identity *holder, struct instance *in, bool *found)
{
	const struct identity named = {.class = rec->class,
				       .key_type = rec->key_type,
				       .is_token = true,
				       .id = holder->id,
				       .label = holder->label};
	CK_RV rv = look_by_name(r, reach, m, rec, in, found);

	if (rv == CKR_OK && !*found)
		rv = told(r, m, try_candidates(r, reach, m, rec, &named, false, in, found));
	if (rv == CKR_OK && !*found)
		rv = repair_find(r, reach, m, rec, in, found);
	return rv;
}

CK_RV repair_find(struct repair *r, unsigned reach, struct member *m, const struct record *rec,
		  struct instance *in, bool *found)
{
	const struct identity like = {
		.class = rec->class, .key_type = rec->key_type, .is_token = true};
	CK_RV rv = look_by_name(r, reach, m, rec, in, found);

	if (rv == CKR_OK && !*found)
		rv = told(r, m, try_candidates(r, reach, m, rec, &like, true, in, found));
	return rv;
}

CK_RV repair_find_holder(struct repair *r, unsigned reach, const struct record *rec,
			 struct instance *in, bool *found)
{
	CK_RV rv = CKR_OK;

	*found = false;
	for (size_t i = 0; rv == CKR_OK && !*found && i < r->group->member_count; i++) {
		if (!(reach & 1U << i) || (rec->owed & 1U << i))
			continue;
		rv = rec->state == RECORD_DESTROYED
			     ? look_by_name(r, reach, &r->group->members[i], rec, in, found)
			     : repair_find(r, reach, &r->group->members[i], rec, in, found);
	}
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that are there already when an object of their content is made, changed or destroyed. The
 * write lock is held; sessions are borrowed for one question each. */
#include "core/replicate_twin.h"

#include "core/member.h"
#include "core/replicate.h"

/* The record of that content on one member. */
static CK_RV find_on(struct member *m, const uint8_t print[static FINGERPRINT_LEN], bool is_private,
		     struct record *known, bool *found)
{
	struct member_session *ms = replicate_session(m);
	CK_RV rv = ms ? record_find(ms, print, known, found) : CKR_DEVICE_ERROR;

	replicate_leave(ms, rv == CKR_OK);
	*found = rv == CKR_OK && *found && record_is_believed(known, is_private);
	return rv;
}

/* The same on a member that serves and keeps records: all have the same. */
static CK_RV find_any(struct group *g, const uint8_t print[static FINGERPRINT_LEN], bool is_private,
		      struct record *known, bool *found)
{
	*known = (struct record){.version = 0};
	*found = false;
	for (unsigned i = 0; i < g->member_count; i++)
		if (member_may_serve(&g->members[i]) && record_is_kept(&g->members[i]))
			return find_on(&g->members[i], print, is_private, known, found);
	return CKR_OK;
}

/* A key that gives no answer may leave an operation on the session: it is one of its own. */
static CK_RV print_on(const struct member_session *from, CK_OBJECT_HANDLE real,
		      const struct identity *id, uint8_t print[static FINGERPRINT_LEN], bool *has)
{
	struct member_session *ms = replicate_session(from->member);
	CK_RV rv = ms && ms->epoch == from->epoch ? CKR_OK : CKR_DEVICE_ERROR;

	*has = false;
	if (rv == CKR_OK)
		rv = fingerprint_of(ms, real, id, print, has);
	replicate_leave(ms, rv == CKR_OK && *has);
	return rv;
}

CK_RV twin_is_open(const struct call *c, const struct member_session *from, CK_OBJECT_HANDLE real,
		   const struct identity *id, bool *is_open)
{
	uint8_t print[FINGERPRINT_LEN];
	struct record known;
	bool has = false, found;
	CK_RV rv;

	*is_open = false;
	if (c->id == CALL_C_GenerateKey || c->id == CALL_C_GenerateKeyPair)
		return CKR_OK;
	rv = print_on(from, real, id, print, &has);
	if (rv != CKR_OK || !has)
		return rv;
	rv = find_any(c->group, print, id->is_private, &known, &found);
	*is_open = found && known.may_export;
	record_free(&known);
	return rv;
}

CK_RV twin_join(struct group *g, struct record *r)
{
	struct record known;
	bool found;
	CK_RV rv = find_any(g, r->print, !r->is_public, &known, &found);

	if (found && !r->owed && known.state != RECORD_DESTROYED) {
		r->id = known.id;
		r->label = known.label;
		known.id = known.label = (struct buf){0};
	}
	if (found)
		record_join(r, &known);
	record_free(&known);
	return rv;
}

CK_RV twin_has_record(struct group *g, const struct record *r, bool *has)
{
	CK_RV rv = CKR_OK;

	*has = false;
	for (unsigned i = 0; rv == CKR_OK && !*has && i < g->member_count; i++) {
		struct record known = {.version = 0};
		bool found = false;

		if (member_may_serve(&g->members[i]))
			rv = find_on(&g->members[i], r->print, !r->is_public, &known, &found);
		*has = found && record_is_of_twin(&known, &r->id, &r->label);
		record_free(&known);
	}
	return rv;
}

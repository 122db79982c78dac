/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that are there already when an object of their content is made, changed or destroyed. The
 * write lock is held; sessions are borrowed for one question each. */
#include "core/replicate_twin.h"

#include "core/member.h"
#include "core/replicate.h"

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
	rv = replicate_find(c->group, print, id->is_private, &known, &found);
	*is_open = found && known.may_export;
	record_free(&known);
	return rv;
}

CK_RV twin_join(struct group *g, struct record *r)
{
	struct record known;
	bool found;
	CK_RV rv = replicate_find(g, r->print, !r->is_public, &known, &found);

	r->is_shared = r->is_shared || (found && record_is_alive(&known));
	if (r->is_shared && !r->owed) {
		r->id = known.id;
		r->label = known.label;
		known.id = known.label = (struct buf){0};
	}
	if (found)
		record_join(r, &known);
	record_free(&known);
	return rv;
}

CK_RV twin_share(struct group *g, const struct record *r)
{
	struct record known;
	bool found;
	CK_RV rv = replicate_find(g, r->print, !r->is_public, &known, &found);

	if (found && record_is_alive(&known) && !(known.is_shared && known.state >= r->state)) {
		known.is_shared = true;
		if (r->state == RECORD_RETIRED)
			known.state = RECORD_RETIRED;
		(void)replicate_settle(g, &known);
	}
	record_free(&known);
	return rv;
}

CK_RV twin_has_record(struct group *g, const struct record *r, bool *has)
{
	struct record known;
	bool found;
	CK_RV rv = replicate_find(g, r->print, !r->is_public, &known, &found);

	*has = found && record_is_of_twin(&known, &r->id, &r->label);
	record_free(&known);
	return rv;
}

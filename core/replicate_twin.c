/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that are there already when an object of their content is made, changed or destroyed. The
 * write lock is held; sessions are borrowed for one question each. */
#include "core/replicate_twin.h"

#include <string.h>

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

/* It is owed that an object of another name goes: that does not end with the record. */
static bool is_owed_end(const struct record *known, const struct buf *label)
{
	return known->state == RECORD_DESTROYED && known->owed &&
	       (known->label.len != label->len ||
		(label->len > 0 && memcmp(known->label.data, label->data, label->len) != 0));
}

CK_RV twin_join(struct group *g, struct record *r, const CK_ATTRIBUTE *label, struct record *debt)
{
	const struct buf name = {.data = label->pValue, .len = label->ulValueLen};
	struct record known;
	bool found;
	CK_RV rv = replicate_find(g, r->print, !r->is_public, &known, &found);

	*debt = (struct record){.owed = 0};
	r->version = known.version + 1;
	if (found && record_is_alive(&known)) {
		r->is_shared = true;
		r->id = known.id;
		r->label = known.label;
		known.id = known.label = (struct buf){0};
		debt->owed = r->owed;
		r->owed = known.owed;
		record_join(r, &known);
	} else if (found && is_owed_end(&known, &name)) {
		*debt = known;
		debt->is_unwritten = true;
		known = (struct record){.version = 0};
	}
	record_free(&known);
	return rv;
}

/* Says so, and that the key is retired where it is. */
static void share(struct group *g, struct record *known, const struct record *r)
{
	if (known->is_shared && known->state >= r->state)
		return;
	known->is_shared = true;
	if (r->state == RECORD_RETIRED)
		known->state = RECORD_RETIRED;
	(void)replicate_settle(g, known);
}

CK_RV twin_move(struct group *g, struct intents *lock, struct record *r, bool *has_other)
{
	struct record known;
	bool found;
	CK_RV rv = replicate_find(g, r->print, !r->is_public, &known, &found);

	*has_other = found && record_is_of_twin(&known, &r->id, &r->label);
	if (*has_other)
		share(g, &known, r);
	else if (r->version <= known.version)
		r->version = known.version + 1;
	if (found && is_owed_end(&known, &r->label) && !replicate_keep_debt(g, lock, &known))
		rv = CKR_HOST_MEMORY;
	record_free(&known);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of copies that a repair has made under a pending tag.
 *
 * When there are enough of them, proven and locked, the journal says so, as for an object that an
 * application makes (replicate_make.c), and they get their names: a crash before that leaves none,
 * one after it all. The write lock is the caller's. */
#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/orphan.h"
#include "core/repair_part.h"
#include "core/replicate_text.h"

typedef CK_RV copy_fn(struct repair_copying *c, unsigned k, struct member_session *ms,
		      CK_OBJECT_HANDLE real);

/* Does `one` for the copies on the members of `where`, until it fails or for all. The first code
 * but CKR_OK; *done: members where it was done. */
static CK_RV do_each(struct repair_copying *c, unsigned where, bool for_all, copy_fn *one,
		     unsigned *done)
{
	CK_RV first = CKR_OK;

	*done = 0;
	for (unsigned i = 0; (for_all || first == CKR_OK) && i < c->r->group->member_count; i++) {
		const struct instance copy = repair_made(c, 0, i);
		struct member_session *ms = NULL;
		CK_RV rv;

		if (!(where & 1U << i))
			continue;
		rv = repair_take_for(c->r, &copy, &c->r->group->members[i], &ms);
		for (unsigned k = 0; rv == CKR_OK && k < 2 && c->order->from[k]; k++)
			rv = one(c, k, ms, c->copy[k][i].real);
		repair_give(ms, rv == CKR_OK);
		if (rv == CKR_OK)
			*done |= 1U << i;
		else if (first == CKR_OK)
			first = rv;
	}
	return first;
}

/* Not extractable any more, and the member says so. */
static CK_RV lock_one(struct repair_copying *c, unsigned k, struct member_session *ms,
		      CK_OBJECT_HANDLE real)
{
	struct blueprint locked = {0};
	struct buf different = {0};
	CK_BBOOL no = CK_FALSE;
	CK_RV rv = CKR_HOST_MEMORY;

	if (!repair_is_key(&c->order->from[k]->id))
		return CKR_OK;
	if (blueprint_set_bool(&locked, CKA_EXTRACTABLE, false))
		rv = repair_set(ms, real, &(CK_ATTRIBUTE){CKA_EXTRACTABLE, &no, sizeof no});
	if (rv == CKR_OK)
		rv = blueprint_compare(&locked, ms, real, &different);
	if (rv == CKR_OK && different.len > 0)
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK)
		repair_say_code(c->r, ms->member, "the copy cannot be made unextractable", rv);
	buf_free(&different);
	blueprint_free(&locked);
	return rv;
}

static CK_ATTRIBUTE name_of_copies(const struct repair_copying *c, unsigned k)
{
	const struct blueprint *as = c->order->as[k];
	const CK_ATTRIBUTE *label = attr_find(as->a, as->count, CKA_LABEL);

	return label ? *label : (CK_ATTRIBUTE){CKA_LABEL, NULL, 0};
}

static bool make_body(const struct repair_copying *c, struct buf *body)
{
	bool ok = true;

	for (unsigned k = 0; ok && k < 2 && c->order->from[k]; k++) {
		const CK_ATTRIBUTE label = name_of_copies(c, k);

		ok = made_text_add_name(body, c->order->from[k]->id.class, &label);
	}
	return ok;
}

/* From here on they exist. */
static CK_RV decide(struct repair_copying *c)
{
	struct repair *r = c->r;
	struct buf body = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	if (make_body(c, &body))
		rv = intents_commit(r->lock, c->tag, &body, c->order->holders, r->why,
				    sizeof r->why)
			     ? CKR_OK
			     : CKR_FUNCTION_FAILED;
	buf_free(&body);
	return rv;
}

/* The name, and what comes last: that it cannot be destroyed. */
static CK_RV name_one(struct repair_copying *c, unsigned k, struct member_session *ms,
		      CK_OBJECT_HANDLE real)
{
	const CK_ATTRIBUTE name = name_of_copies(c, k);
	CK_BBOOL no = CK_FALSE;
	CK_RV rv = repair_set(ms, real, &name);

	if (rv != CKR_OK)
		repair_say_code(c->r, ms->member,
				"the copy cannot be given its name now: done with the next "
				"command, or login",
				rv);
	else if (repair_is_false(c->order->as[k], CKA_DESTROYABLE))
		(void)repair_set(ms, real, /* else it differs, which is seen */
				 &(CK_ATTRIBUTE){CKA_DESTROYABLE, &no, sizeof no});
	return rv;
}

/* Gives all copies their names. Those that do not take them do not count, and stay in the journal.
 */
static CK_RV name_all(struct repair_copying *c)
{
	const unsigned all = c->order->holders;
	CK_RV rv = do_each(c, all, true, name_one, &c->order->holders);

	intents_settle(c->r->lock, c->tag, all & ~c->order->holders);
	return rv;
}

CK_RV repair_intend(struct repair_copying *c, unsigned owed)
{
	struct intent intent = {.kind = INTENT_MAKE, .owed = owed};

	if (!orphan_tag(c->tag)) {
		(void)snprintf(c->r->why, sizeof c->r->why, "no random numbers for a tag");
		return CKR_FUNCTION_FAILED;
	}
	memcpy(intent.tag, c->tag, sizeof intent.tag);
	return intents_begin(c->r->lock, &intent, c->r->why, sizeof c->r->why)
		       ? CKR_OK
		       : CKR_FUNCTION_FAILED;
}

static CK_RV tag_one(struct repair_copying *c, unsigned k, struct member_session *ms,
		     CK_OBJECT_HANDLE real)
{
	const CK_ATTRIBUTE label = {CKA_LABEL, c->tag, ORPHAN_TAG_LEN};

	(void)k; /* both halves have the same */
	return repair_set(ms, real, &label);
}

/* Something of the old tag stays on members of `left`: what is good gets another one, so that the
 * old one can be undone for good. */
static CK_RV part(struct repair_copying *c, unsigned left)
{
	const unsigned targets = c->order->targets;
	char old[MEMBER_TAG_ROOM];
	unsigned done;
	CK_RV rv;

	memcpy(old, c->tag, sizeof old);
	rv = repair_intend(c, c->order->holders);
	if (rv == CKR_OK)
		rv = do_each(c, c->order->holders, false, tag_one, &done);
	intents_settle(c->r->lock, old, rv == CKR_OK ? left : repair_undo(c, old, targets));
	return rv;
}

CK_RV repair_finish(struct repair_copying *c)
{
	const unsigned targets = c->order->targets, failed = targets & ~c->order->holders;
	const unsigned left = c->tag[0] ? repair_undo(c, c->tag, failed) : 0;
	unsigned done;
	CK_RV rv = left ? part(c, left) : CKR_OK;

	if (rv == CKR_OK && c->order->locks && c->tag[0])
		rv = do_each(c, c->order->holders, false, lock_one, &done);
	if (rv == CKR_OK && c->tag[0])
		rv = decide(c);
	if (rv == CKR_OK)
		return c->tag[0] ? name_all(c) : CKR_OK;
	c->order->holders = 0;
	if (c->tag[0])
		intents_settle(c->r->lock, c->tag, repair_undo(c, c->tag, targets));
	return rv;
}

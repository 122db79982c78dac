/* SPDX-License-Identifier: BSD-2-Clause */
/* Repairs of single objects.
 *
 * A copy is made under a pending tag that was written to the journal before. It is never committed
 * there: until it has its name it may be destroyed and made once more, and when it has its name
 * there is nothing left under the tag. No lock but the write lock, which is the caller's. */
#include "core/repair_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/names.h"
#include "core/kek.h"
#include "core/member_op.h"
#include "core/orphan.h"

/* How long a session of a busy member is waited for. */
#define SESSION_WAIT_MS 5000

void repair_say(struct repair *r, const struct member *m, const char *fmt, ...)
{
	int used = snprintf(r->why, sizeof r->why, "member %s: ", m->conf->name);
	va_list args;

	if (used < 0 || (size_t)used >= sizeof r->why)
		return;
	va_start(args, fmt);
	(void)vsnprintf(r->why + used, sizeof r->why - (size_t)used, fmt, args); /* may be cut */
	va_end(args);
}

void repair_say_code(struct repair *r, const struct member *m, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	repair_say(r, m, "%s: %s", what, name_of(NAME_RV, rv, code));
}

CK_RV repair_take(struct repair *r, struct member *m, struct member_session **ms)
{
	CK_RV rv = pool_take(m, 0, SESSION_WAIT_MS, ms);

	if (rv == CKR_OK)
		return CKR_OK;
	*ms = NULL;
	repair_say_code(r, m, "no session", rv);
	return rv;
}

void repair_give(struct member_session *ms, bool is_good)
{
	if (ms && is_good)
		pool_give(ms, 0);
	else if (ms)
		pool_drop(ms);
}

/* A session of the epoch in which the handle of `in` is valid. */
CK_RV repair_take_for(struct repair *r, const struct instance *in, struct member *m,
		      struct member_session **ms)
{
	CK_RV rv = repair_take(r, m, ms);

	if (rv != CKR_OK || (*ms)->epoch == in->epoch)
		return rv;
	pool_give(*ms, 0);
	*ms = NULL;
	repair_say(r, m, "was lost meanwhile");
	return CKR_SESSION_HANDLE_INVALID;
}

const CK_BBOOL *repair_truth(const struct blueprint *b, CK_ATTRIBUTE_TYPE type)
{
	const CK_ATTRIBUTE *a = attr_find(b->a, b->count, type);

	return a && a->ulValueLen == sizeof(CK_BBOOL) ? a->pValue : NULL;
}

CK_RV repair_set(struct member_session *ms, CK_OBJECT_HANDLE real, const CK_ATTRIBUTE *a)
{
	CK_ATTRIBUTE copy = *a;
	struct call call = {.id = CALL_C_SetAttributeValue,
			    .group = ms->member->group,
			    .tmpl = {&copy},
			    .tmpl_count = {1}};

	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});
}

static bool is_key(const struct identity *id)
{
	return id->class == CKO_PRIVATE_KEY || id->class == CKO_SECRET_KEY;
}

/* Where the KEK is trusted a key is wrappable by it alone; elsewhere it could not be wrapped at all
 * that way. Applications' own exportable keys stay as they are. */
static CK_RV fit_to_kek(struct repair *r, struct member_session *to, const struct identity *id,
			bool may_export, struct blueprint *as)
{
	const CK_BBOOL *extractable = repair_truth(as, CKA_EXTRACTABLE);
	struct kek_view kek = {0};
	CK_RV rv;

	if (!is_key(id) || may_export || r->group->conf->protect != CONFIG_PROTECT_KEK ||
	    !extractable || *extractable == CK_FALSE)
		return CKR_OK;
	rv = kek_look(to, &kek);
	if (rv != CKR_OK) {
		repair_say_code(r, to->member, "its KEK cannot be looked at", rv);
		return rv;
	}
	if (kek.count != 1 || !kek.is_trusted) {
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED);
		return CKR_OK;
	}
	return blueprint_set_bool(as, CKA_WRAP_WITH_TRUSTED, true) ? CKR_OK : CKR_HOST_MEMORY;
}

/* What carries the tag goes; what cannot be destroyed now stays in the journal. */
static void undo(struct repair *r, struct member *to, const char *tag)
{
	struct member_session *ms = NULL;
	size_t count;
	CK_RV rv = pool_take(to, 0, SESSION_WAIT_MS, &ms);

	if (rv == CKR_OK) {
		rv = orphan_is_seen(ms) ? orphan_destroy(ms, tag, &count) : CKR_USER_NOT_LOGGED_IN;
		repair_give(ms, rv == CKR_OK);
	}
	intents_settle(r->lock, tag, rv == CKR_OK ? 0 : 1U << to->index);
}

/* The copy, with both sessions; *is_good says whether they may be used again. */
static CK_RV carry_copy(struct repair *r, const struct instance *from, const struct blueprint *as,
			struct member_session *const at[2], CK_OBJECT_HANDLE *made)
{
	struct carry c = {
		.from = at[0], .real = from->real, .id = &from->id, .as = as, .to = at[1]};
	CK_RV rv = carry(&c);

	*made = c.made;
	if (rv == CKR_OK)
		return CKR_OK;
	r->is_unable = c.is_unable;
	(void)snprintf(r->why, sizeof r->why, "%s", c.why);
	if (!r->why[0])
		repair_say_code(r, at[1]->member, "the copy failed", rv);
	return rv;
}

static bool is_false(const struct blueprint *as, CK_ATTRIBUTE_TYPE type)
{
	const CK_BBOOL *value = repair_truth(as, type);

	return value && *value == CK_FALSE;
}

/* Under the tag, then with its name. That it cannot be destroyed comes last: till then it may have
 * to be. */
static CK_RV copy_and_name(struct repair *r, const struct instance *from,
			   const struct blueprint *as, const char *tag,
			   struct member_session *const at[2], CK_OBJECT_HANDLE *made)
{
	const CK_ATTRIBUTE *label = attr_find(as->a, as->count, CKA_LABEL);
	CK_ATTRIBUTE name = label ? *label : (CK_ATTRIBUTE){CKA_LABEL, NULL, 0};
	struct blueprint tagged = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	if (blueprint_copy(as, &tagged) && blueprint_set(&tagged, CKA_LABEL, tag, ORPHAN_TAG_LEN)) {
		blueprint_drop(&tagged, CKA_DESTROYABLE);
		rv = carry_copy(r, from, &tagged, at, made);
	}
	blueprint_free(&tagged);
	if (rv != CKR_OK)
		return rv;
	rv = repair_set(at[1], *made, &name);
	if (rv != CKR_OK)
		repair_say_code(r, at[1]->member, "the copy cannot be given its name", rv);
	else if (is_false(as, CKA_DESTROYABLE))
		(void)repair_set(at[1], *made, /* else it differs, which is seen */
				 attr_find(as->a, as->count, CKA_DESTROYABLE));
	return rv;
}

static CK_RV begin(struct repair *r, struct member *to, char tag[static MEMBER_TAG_ROOM])
{
	struct intent intent = {.kind = INTENT_MAKE, .owed = 1U << to->index};

	if (!orphan_tag(tag)) {
		repair_say(r, to, "no random numbers for a tag");
		return CKR_FUNCTION_FAILED;
	}
	memcpy(intent.tag, tag, sizeof intent.tag);
	return intents_begin(r->lock, &intent, r->why, sizeof r->why) ? CKR_OK
								      : CKR_FUNCTION_FAILED;
}

/* With both sessions taken. What cannot be changed once it is made is made with its name: left
 * behind by a crash it is the copy that was wanted, or one that the next inventory finds different.
 */
static CK_RV copy_taken(struct repair *r, const struct instance *from, const struct blueprint *as,
			bool may_export, struct member_session *const at[2], CK_OBJECT_HANDLE *made)
{
	struct member *to = at[1]->member;
	char tag[MEMBER_TAG_ROOM];
	struct blueprint fit = {0};
	CK_RV rv = blueprint_copy(as, &fit) ? CKR_OK : CKR_HOST_MEMORY;

	if (rv == CKR_OK)
		rv = fit_to_kek(r, at[1], &from->id, may_export, &fit);
	if (rv != CKR_OK)
		goto out;
	if (is_false(&fit, CKA_MODIFIABLE)) {
		rv = carry_copy(r, from, &fit, at, made);
		goto out;
	}
	rv = begin(r, to, tag);
	if (rv != CKR_OK)
		goto out;
	rv = copy_and_name(r, from, &fit, tag, at, made);
	if (rv == CKR_OK)
		intents_settle(r->lock, tag, 0);
	else
		undo(r, to, tag);
out:
	blueprint_free(&fit);
	return rv;
}

CK_RV repair_copy(struct repair *r, struct member *source, const struct instance *from,
		  const struct blueprint *as, bool may_export, struct member *to)
{
	struct member_session *at[2] = {NULL, NULL};
	CK_OBJECT_HANDLE real = 0;
	CK_RV rv;

	r->is_unable = false;
	r->why[0] = '\0';
	rv = repair_take_for(r, from, source, &at[0]);
	if (rv == CKR_OK)
		rv = repair_take(r, to, &at[1]);
	if (rv == CKR_OK)
		rv = copy_taken(r, from, as, may_export, at, &real);
	repair_give(at[0], rv == CKR_OK);
	repair_give(at[1], rv == CKR_OK);
	if (rv != CKR_OK && !r->why[0])
		repair_say_code(r, to, "the copy failed", rv);
	return rv;
}

/* Whether it is, by its use, the object of the print. */
static CK_RV is_of_print(struct member_session *ms, const struct instance *in,
			 const uint8_t print[static FINGERPRINT_LEN], bool *is)
{
	enum identity_match match = IDENTITY_UNKNOWN;
	uint8_t now[FINGERPRINT_LEN];
	bool has = false;
	CK_RV rv = identity_prove(ms, in->real, &in->id, &match);

	if (rv == CKR_OK && match == IDENTITY_SAME)
		rv = fingerprint_of(ms, in->real, &in->id, now, &has);
	*is = rv == CKR_OK && has && memcmp(now, print, sizeof now) == 0;
	return rv;
}

CK_RV repair_destroy(struct repair *r, const struct instance *in,
		     const uint8_t print[static FINGERPRINT_LEN])
{
	struct member *m = &r->group->members[in->member];
	struct call call = {.id = CALL_C_DestroyObject, .group = r->group};
	struct member_session *ms = NULL;
	bool is = false;
	CK_RV rv;

	r->is_unable = false;
	r->why[0] = '\0';
	rv = repair_take_for(r, in, m, &ms);
	if (rv != CKR_OK)
		return rv;
	rv = is_of_print(ms, in, print, &is);
	if (rv == CKR_OK && !is) {
		repair_say(r, m, "what has its name does not show that it is the destroyed object");
		r->is_unable = true;
		rv = CKR_ACTION_PROHIBITED;
	} else if (rv == CKR_OK) {
		rv = member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){in->real, 0});
		if (rv == CKR_OBJECT_HANDLE_INVALID)
			rv = CKR_OK; /* somebody was faster */
	}
	if (rv != CKR_OK && !r->why[0])
		repair_say_code(r, m, "it cannot be destroyed", rv);
	repair_give(ms, rv == CKR_OK);
	return rv;
}

CK_RV repair_missing(struct repair *r, const struct logical *l, struct member *to)
{
	const struct instance *from = NULL;
	struct blueprint as = {0};
	CK_RV rv;

	for (unsigned i = 0; !from && i < CONFIG_MAX_MEMBERS; i++)
		if (l->loose & 1U << i)
			from = l->at[i];
	r->is_unable = !from || l->rivals & 1U << to->index;
	if (r->is_unable) {
		repair_say(r, to, "%s",
			   from            ? "another object has its name"
			   : l->single_why ? l->single_why
					   : "no holder that could be copied");
		return CKR_ACTION_PROHIBITED;
	}
	rv = repair_blueprint(r, from, l->at, CONFIG_MAX_MEMBERS, &as);
	/* A holder that can be wrapped is there: the copy is made wrappable, as that one. */
	if (rv == CKR_OK && is_key(&from->id) && !blueprint_set_bool(&as, CKA_EXTRACTABLE, true))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = repair_copy(r, &r->group->members[from->member], from, &as,
				 l->record && l->record->may_export, to);
	blueprint_free(&as);
	return rv;
}

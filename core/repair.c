/* SPDX-License-Identifier: BSD-2-Clause */
/* Repairs of single objects.
 *
 * Nothing is destroyed for its name: it has to answer as the object that is meant. No lock but the
 * write lock, which is the caller's. */
#include "core/repair_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/names.h"
#include "core/identity_use.h"
#include "core/member_op.h"

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
	CK_RV rv = pool_take(m, 0, REPAIR_WAIT_MS, ms);

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

bool repair_is_key(const struct identity *id)
{
	return id->class == CKO_PRIVATE_KEY || id->class == CKO_SECRET_KEY;
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

	for (unsigned i = 0; i < CONFIG_MAX_MEMBERS; i++)
		if (l->loose & 1U << i && (!from || logical_owing(l) & 1U << from->member))
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
	if (rv == CKR_OK && repair_is_key(&from->id) &&
	    !blueprint_set_bool(&as, CKA_EXTRACTABLE, true))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = repair_copy(r, &r->group->members[from->member], from, &as,
				 l->record && l->record->may_export, to);
	blueprint_free(&as);
	return rv;
}

CK_RV repair_lock(struct repair *r, const struct logical *l)
{
	struct blueprint locked = {0};
	CK_RV rv = CKR_OK;

	if (r->group->conf->protect != CONFIG_PROTECT_LOCKED ||
	    !repair_is_key(&logical_first(l)->id) || (l->record && l->record->may_export))
		return CKR_OK;
	if (!blueprint_set_bool(&locked, CKA_EXTRACTABLE, false))
		rv = CKR_HOST_MEMORY;
	for (unsigned i = 0; rv == CKR_OK && i < CONFIG_MAX_MEMBERS; i++)
		if (l->loose & 1U << i)
			rv = repair_attributes(r, l->at[i], &locked);
	blueprint_free(&locked);
	return rv;
}

CK_RV repair_print(struct repair *r, const struct instance *in,
		   uint8_t print[static FINGERPRINT_LEN])
{
	struct member *m = &r->group->members[in->member];
	struct member_session *ms = NULL;
	bool has = false;
	CK_RV rv = repair_take_for(r, in, m, &ms);

	if (rv != CKR_OK)
		return rv;
	rv = fingerprint_of(ms, in->real, &in->id, print, &has);
	repair_give(ms, rv == CKR_OK && has);
	if (rv == CKR_OK && !has)
		rv = CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (rv != CKR_OK)
		repair_say_code(r, m, "nothing tells the object from others", rv);
	return rv;
}

/* On one member. *refuses: it cannot keep records at all. */
static CK_RV put_record(struct repair *r, const struct record *rec, struct member *m, bool drops,
			bool *refuses)
{
	struct member_session *ms = NULL;
	CK_RV rv = repair_take(r, m, &ms);

	*refuses = false;
	if (rv != CKR_OK)
		return rv;
	rv = drops ? record_drop(ms, rec->print) : record_put(ms, rec);
	if (rv != CKR_OK) {
		*refuses = !drops && rv != CKR_HOST_MEMORY && identity_refuses(ms, rv);
		repair_say_code(r, m, "a record cannot be written", rv);
	}
	repair_give(ms, rv == CKR_OK);
	return rv;
}

CK_RV repair_record(struct repair *r, const struct record *rec, unsigned where, unsigned reach)
{
	bool is_all = reach == group_all(r->group);
	bool drops = record_is_idle(rec) && is_all, refuses;
	unsigned kept = reach & ~where;
	CK_RV rv = CKR_OK, last = CKR_FUNCTION_REJECTED;

	for (unsigned i = 0; i < r->group->member_count; i++)
		if (!record_is_kept(&r->group->members[i]))
			kept &= ~(1U << i);
	for (size_t i = 0; i < r->group->member_count; i++) {
		if (!(where & 1U << i) || !record_is_kept(&r->group->members[i]))
			continue;
		rv = put_record(r, rec, &r->group->members[i], drops, &refuses);
		if (rv == CKR_OK)
			kept |= 1U << i;
		else if (!refuses)
			return rv;
		else
			last = rv;
	}
	if (!kept && last == CKR_FUNCTION_REJECTED)
		(void)snprintf(r->why, sizeof r->why, "no member keeps records");
	return kept || record_is_idle(rec) ? CKR_OK : last;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* New objects on their way to the other members.
 *
 * A copy is carried (carry.h). Where there is no way for that, the application's own call may do:
 * C_CreateObject has the values in its template, C_CopyObject finds its original on the other
 * member, too; what comes of it is proven and read back all the same. All of it happens under the
 * tag, so that whatever goes wrong is destroyed by it. */
#include "core/replicate_copy.h"

#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/identity_keep.h"
#include "core/kek.h"
#include "core/member_op.h"
#include "core/object.h"
#include "core/orphan.h"
#include "core/replicate_text.h"
#include "core/replicate_twin.h"

CK_RV copying_is_trusted(struct member_session *ms, bool *has)
{
	struct kek_view kek;
	CK_RV rv = kek_look(ms, &kek);

	*has = rv == CKR_OK && kek.count == 1 && kek.is_trusted;
	return rv;
}

/* Keys that stay extractable, and are not the application's to extract. */
static bool is_kek_only(const struct sharing *s, unsigned i)
{
	return s->wish[i].is_key && !s->wish[i].may_export && !s->wish[i].is_locked;
}

static CK_RV set_bool(struct member_session *ms, CK_OBJECT_HANDLE real, CK_ATTRIBUTE_TYPE type,
		      bool value)
{
	CK_BBOOL b = value ? CK_TRUE : CK_FALSE;
	CK_ATTRIBUTE a = {type, &b, sizeof b};
	struct call call = {
		.id = CALL_C_SetAttributeValue,
		.group = ms->member->group,
		.tmpl = {&a},
		.tmpl_count = {1},
	};

	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});
}

static void say(struct copying *c, const struct member *m, const char *what)
{
	(void)snprintf(c->why, sizeof c->why, "member %s: %s", m->conf->name, what);
}

/* What it is; a private key shows it from now on. */
static CK_RV identify(struct copying *c, unsigned i)
{
	const struct call *call = c->sharing->call;
	struct copied *o = &c->object[i];
	CK_RV rv = CKR_OK;

	if (i == 1 && call->made[0]) /* the public half, whatever CKA_ID others have */
		rv = identity_keep_pair(c->from, o->real, call->made[0]);
	if (rv == CKR_OK)
		rv = identity_read(c->from, o->real, &o->id);
	if (rv == CKR_OK && i == 0)
		rv = identity_keep(c->from, o->real, &o->id);
	return rv;
}

static CK_RV read_one(struct copying *c, unsigned i)
{
	struct sharing_wish *w = &c->sharing->wish[i];
	struct copied *o = &c->object[i];
	CK_RV rv = identify(c, i);

	if (rv == CKR_OK)
		rv = blueprint_read(c->from, o->real, &o->as);
	if (rv != CKR_OK || !w->is_key)
		return rv;
	/* What the member does not let out has no record that it may leave: others of the same
	 * content would be known by that. */
	o->is_closed = !attr_bool(o->as.a, o->as.count, CKA_EXTRACTABLE, true);
	w->may_export = w->may_export && !o->is_closed;
	if (!w->may_export && !w->is_locked)
		rv = twin_is_open(c->sharing->call, c->from, o->real, &o->id, &w->is_locked);
	if (rv != CKR_OK)
		return rv;
	return blueprint_set_bool(&o->as, CKA_EXTRACTABLE, true) ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV copying_begin(struct copying *c)
{
	struct sharing *s = c->sharing;
	CK_RV rv = CKR_OK;

	c->is_source_good = true;
	c->at[c->from->member->index] = c->from;
	s->epoch[c->from->member->index] = c->from->epoch;
	for (unsigned i = 0; rv == CKR_OK && i < 2; i++) {
		s->real[c->from->member->index][i] = s->call->made[i];
		if (!s->is_token[i])
			continue;
		c->object[i].is_there = true;
		c->object[i].real = s->call->made[i];
		rv = read_one(c, i);
	}
	if (rv != CKR_OK)
		say(c, c->from->member, "what it has made cannot be read");
	return rv;
}

/* The application's own call on the other member. */
static CK_RV call_there(struct copying *c, unsigned i, struct member_session *to,
			CK_OBJECT_HANDLE *made)
{
	const struct call *from = c->sharing->call;
	CK_OBJECT_HANDLE object[2] = {0, 0};
	struct call call = {
		.id = from->id,
		.group = from->group,
		.tmpl = {from->tmpl[i]},
		.tmpl_count = {from->tmpl_count[i]},
	};
	CK_RV rv = CKR_OK;

	if (from->id == CALL_C_CopyObject)
		rv = object_on(from->group, from->session, to, from->object[0].handle, &object[0]);
	if (rv == CKR_OK)
		rv = member_call(to, &call, object);
	*made = call.made[0];
	return rv;
}

/* What differs: the object, or the first of these attributes. */
static void say_other(struct copying *c, const struct member *m, bool is_same,
		      const struct buf *different)
{
	char name[NAME_MAX_LEN], text[NAME_MAX_LEN + 32];
	CK_ATTRIBUTE_TYPE type;

	if (!is_same) {
		say(c, m, "makes another object of it");
		return;
	}
	memcpy(&type, different->data, sizeof type);
	(void)snprintf(text, sizeof text, "makes it with another %s",
		       name_of(NAME_ATTRIBUTE, type, name));
	say(c, m, text);
}

/* What came of it is the same, and no more. */
static CK_RV check_there(struct copying *c, unsigned i, struct member_session *to,
			 struct blueprint *as, CK_OBJECT_HANDLE made)
{
	struct buf different = {0};
	bool same = false;
	CK_RV rv = carry_is_same(to, made, &c->object[i].id, c->from, c->object[i].real, &same);

	/* Copies of a key that cannot be wrapped cannot be, either; by what does not matter then.
	 */
	if (c->object[i].is_closed) {
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED);
		rv = blueprint_set_bool(as, CKA_EXTRACTABLE, false) ? rv : CKR_HOST_MEMORY;
	}
	if (rv == CKR_OK && same)
		rv = blueprint_compare(as, to, made, &different);
	if (rv == CKR_OK && (!same || different.len > 0)) {
		say_other(c, to->member, same, &different);
		rv = CKR_DEVICE_ERROR;
	}
	buf_free(&different);
	return rv;
}

static bool has_values(const struct call *c)
{
	return c->id == CALL_C_CreateObject || c->id == CALL_C_CopyObject;
}

/* One object, to one member. */
static CK_RV copy_one(struct copying *c, unsigned i, struct member_session *to,
		      struct blueprint *as, CK_OBJECT_HANDLE *made)
{
	struct carry carrying = {.from = c->from,
				 .real = c->object[i].real,
				 .id = &c->object[i].id,
				 .as = as,
				 .to = to};
	CK_RV rv = carry(&carrying);

	*made = carrying.made;
	c->is_unable = carrying.is_unable;
	if (rv == CKR_OK)
		return CKR_OK;
	(void)snprintf(c->why, sizeof c->why, "%s", carrying.why);
	if (!carrying.is_unable || !has_values(c->sharing->call))
		return rv;
	rv = call_there(c, i, to, made);
	if (rv != CKR_OK)
		return rv;
	c->is_unable = false;
	return check_there(c, i, to, as, *made);
}

/* As the copy has to be on this member. */
static CK_RV blueprint_for(struct copying *c, unsigned i, struct member_session *to,
			   struct blueprint *as)
{
	bool is_trusted = false;
	CK_RV rv = CKR_OK;

	*as = (struct blueprint){.count = 0};
	if (!blueprint_copy(&c->object[i].as, as))
		return CKR_HOST_MEMORY;
	if (!is_kek_only(c->sharing, i))
		return CKR_OK;
	rv = copying_is_trusted(to, &is_trusted);
	if (rv == CKR_OK && is_trusted && !blueprint_set_bool(as, CKA_WRAP_WITH_TRUSTED, true))
		rv = CKR_HOST_MEMORY;
	else if (rv == CKR_OK && !is_trusted)
		blueprint_drop(as, CKA_WRAP_WITH_TRUSTED);
	return rv;
}

static CK_RV copy_both(struct copying *c, struct member_session *to)
{
	struct sharing *s = c->sharing;
	const unsigned at = to->member->index;
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; rv == CKR_OK && i < 2; i++) {
		struct blueprint as;

		if (!c->object[i].is_there)
			continue;
		rv = blueprint_for(c, i, to, &as);
		if (rv == CKR_OK)
			rv = copy_one(c, i, to, &as, &s->real[at][i]);
		blueprint_free(&as);
	}
	s->epoch[at] = to->epoch;
	return rv;
}

/* The tag that they carry. */
static const CK_ATTRIBUTE *tag_of(const struct copying *c)
{
	const struct blueprint *as = &c->object[c->object[0].is_there ? 0 : 1].as;

	return attr_find(as->a, as->count, CKA_LABEL);
}

/* A half is no copy. What stays is destroyed with the rest, or by the journal. */
static void destroy_on(struct copying *c, struct member *m)
{
	const CK_ATTRIBUTE *label = tag_of(c);
	char tag[MEMBER_TAG_ROOM] = "";
	struct member_session *ms;
	size_t n;
	CK_RV rv;

	if (!label || label->ulValueLen != ORPHAN_TAG_LEN)
		return;
	(void)snprintf(tag, sizeof tag, "%.*s", (int)label->ulValueLen,
		       (const char *)label->pValue);
	ms = replicate_session(m);
	if (!ms)
		return;
	rv = orphan_destroy(ms, tag, &n);
	replicate_leave(ms, rv == CKR_OK);
}

CK_RV copy_to(struct copying *c, struct member *m)
{
	struct member_session *to = replicate_session(m);
	CK_RV rv = CKR_DEVICE_ERROR;

	c->is_unable = false;
	if (!to) {
		say(c, m, "cannot be reached");
		return rv;
	}
	rv = copy_both(c, to);
	if (rv == CKR_OK) {
		c->at[m->index] = to;
		return CKR_OK;
	}
	if (c->is_unable)
		c->unable |= 1U << m->index;
	replicate_leave(to, false);
	destroy_on(c, m);
	/* What failed may be the source. */
	c->is_source_good = c->from->epoch == atomic_load(&c->from->member->epoch);
	log_msg(LOG_LEVEL_WARN, "token %s: a new object is not copied: %s",
		c->sharing->call->group->conf->label, c->why);
	return rv;
}

/* Not extractable any more, and the member says so. */
static CK_RV lock_on(struct copying *c, struct member_session *ms, CK_OBJECT_HANDLE real)
{
	struct blueprint locked = {.count = 0};
	struct buf different = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	if (blueprint_set_bool(&locked, CKA_EXTRACTABLE, false))
		rv = blueprint_compare(&locked, ms, real, &different);
	if (rv == CKR_OK && different.len > 0)
		rv = set_bool(ms, real, CKA_EXTRACTABLE, false);
	different.len = 0;
	if (rv == CKR_OK)
		rv = blueprint_compare(&locked, ms, real, &different);
	if (rv == CKR_OK && different.len > 0)
		rv = CKR_DEVICE_ERROR;
	if (rv != CKR_OK)
		say(c, ms->member, "does not lock a key (CKA_EXTRACTABLE stays true)");
	buf_free(&different);
	blueprint_free(&locked);
	return rv;
}

CK_RV copying_lock(struct copying *c)
{
	const struct sharing *s = c->sharing;
	CK_RV rv = CKR_OK;

	for (unsigned m = 0; m < s->call->group->member_count; m++)
		for (unsigned i = 0; rv == CKR_OK && c->at[m] && i < 2; i++)
			if (c->object[i].is_there && s->wish[i].is_locked)
				rv = lock_on(c, c->at[m], s->real[m][i]);
	if (rv != CKR_OK)
		log_msg(LOG_LEVEL_ERROR, "token %s: %s failed: %s", s->call->group->conf->label,
			call_name(s->call->id), c->why);
	return rv;
}

/* A record is found by what a key says that it is: one that says that it is another gets none, so
 * that it has no say about that one. Copies were proven; what stands alone was not. */
static CK_RV check_claim(const struct copying *c, const struct copied *o, struct record *r,
			 bool *has_print)
{
	enum identity_match is = IDENTITY_UNKNOWN;
	CK_RV rv;

	if (o->id.class != CKO_PRIVATE_KEY)
		return CKR_OK;
	rv = identity_prove(c->from, o->real, &o->id, &is);
	if (is != IDENTITY_SAME)
		r->may_export = false;
	if (is == IDENTITY_DIFFERENT)
		*has_print = false;
	return rv;
}

static bool is_a_key(CK_OBJECT_CLASS class)
{
	return class == CKO_PUBLIC_KEY || class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY;
}

/* Its fingerprint once it has its name: of data objects that is part of what they are. */
static CK_RV print_of(const struct copying *c, const struct copied *o, const CK_ATTRIBUTE *label,
		      struct record *r, bool *has_print)
{
	struct identity named = {0};
	CK_RV rv;

	if (is_a_key(r->class))
		return fingerprint_of(c->from, o->real, &o->id, r->print, has_print);
	rv = identity_read_as(c->from, o->real, label, 1, &named);
	if (rv == CKR_OK)
		rv = fingerprint_of(c->from, o->real, &named, r->print, has_print);
	identity_free(&named);
	return rv;
}

static CK_RV name_record(struct record *r, const struct copied *o, const CK_ATTRIBUTE *label)
{
	return buf_add(&r->id, o->id.id.data, o->id.id.len) &&
			       buf_add(&r->label, label->pValue, label->ulValueLen)
		       ? CKR_OK
		       : CKR_HOST_MEMORY;
}

/* The record of one object; *has false when none is needed. `debt`: what else is owed, and the
 * record cannot say (replicate_twin.h). */
static CK_RV record_of(const struct copying *c, unsigned i, const CK_ATTRIBUTE *label,
		       unsigned owed, struct record *r, bool *has, struct record *debt)
{
	const struct sharing_wish *w = &c->sharing->wish[i];
	const struct copied *o = &c->object[i];
	bool has_print = false;
	CK_RV rv;

	*debt = (struct record){.owed = 0};
	*r = (struct record){.state = RECORD_LIVE,
			     .version = 1,
			     .class = o->id.class,
			     .key_type = o->id.key_type,
			     .is_public = !o->id.is_private,
			     .may_export = w->may_export,
			     .is_fixed = w->is_fixed,
			     .is_single = w->is_single,
			     .is_lasting = w->is_lasting,
			     .owed = owed};
	*has = false;
	if (record_is_idle(r))
		return CKR_OK;
	rv = print_of(c, o, label, r, &has_print);
	if (rv == CKR_OK && has_print)
		rv = check_claim(c, o, r, &has_print);
	if (rv == CKR_OK && has_print)
		rv = twin_join(c->sharing->call->group, r, label, debt);
	if (rv == CKR_OK && !replicate_keeps_records(c->sharing->call->group))
		has_print = false; /* nobody would keep it */
	if (rv == CKR_OK && !has_print && (w->is_fixed || w->is_single || w->is_lasting)) {
		log_msg(LOG_LEVEL_ERROR,
			"token %s: %s failed: what CKA_MODIFIABLE, CKA_COPYABLE or "
			"CKA_DESTROYABLE forbids cannot be kept beside an object of this kind",
			c->sharing->call->group->conf->label, call_name(c->sharing->call->id));
		return CKR_TEMPLATE_INCONSISTENT;
	}
	if (rv != CKR_OK || !has_print || record_is_idle(r))
		return rv; /* then it is not shown as extractable, either */
	*has = true;
	if (!r->is_shared)
		return name_record(r, o, label); /* a debt is what the journal keeps of another */
	debt->state = RECORD_LIVE;
	debt->version = r->version;
	debt->class = r->class;
	debt->key_type = r->key_type;
	debt->is_public = r->is_public;
	debt->may_export = r->may_export;
	debt->is_unwritten = true;
	memcpy(debt->print, r->print, sizeof debt->print);
	return name_record(debt, o, label);
}

CK_RV copying_body(const struct copying *c, const CK_ATTRIBUTE label[2], unsigned owed,
		   struct buf *body)
{
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; rv == CKR_OK && i < 2; i++) {
		struct record r, debt;
		bool has = false;

		if (!c->object[i].is_there)
			continue;
		rv = record_of(c, i, &label[i], owed, &r, &has, &debt);
		if (rv == CKR_OK &&
		    (!made_text_add_name(body, c->object[i].id.class, &label[i]) ||
		     (has && !made_text_add_record(body, c->sharing->call->group, &r)) ||
		     (has && debt.owed &&
		      !made_text_add_record(body, c->sharing->call->group, &debt))))
			rv = CKR_HOST_MEMORY;
		record_free(&r);
		record_free(&debt);
	}
	return rv;
}

void copying_end(struct copying *c)
{
	for (unsigned i = 0; i < CONFIG_MAX_MEMBERS; i++)
		if (c->at[i] && c->at[i] != c->from)
			replicate_leave(c->at[i], true);
	for (unsigned i = 0; i < 2; i++) {
		identity_free(&c->object[i].id);
		blueprint_free(&c->object[i].as);
	}
}

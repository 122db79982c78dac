/* SPDX-License-Identifier: BSD-2-Clause */
/* A copy of an object of one member on another: which road it takes.
 *
 *   public keys, certificates, data   are created from their content
 *   keys, directly                    the way that is remembered, else one that is tried with a
 *                                     throw-away key; then all others, with the key itself, because
 *                                     some ways depend on the key's length
 *   keys, over a third member         as a session object there, sensitive, destroyed at once
 *
 * Before a token key is made on a member that puts a new key in the place of one with the same
 * CKA_ID (NSS), that member is asked whether it has one. No lock; sessions are the caller's alone,
 * and a hub's are closed with all that is on them. */
#include "core/carry.h"

#include <stdio.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/names.h"
#include "core/carry_direct.h"
#include "core/carry_make.h"
#include "core/carry_memory.h"
#include "core/carry_prove.h"
#include "core/carry_route.h"
#include "core/carry_ways.h"
#include "core/explicit.h"
#include "core/identity_keep.h"
#include "core/identity_use.h"
#include "core/library.h"
#include "core/member_op.h"
#include "core/vendor.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* How long a hub is waited for. */
#define HUB_WAIT_MS 1000

static bool is_key(const struct identity *id)
{
	return id->class == CKO_PRIVATE_KEY || id->class == CKO_SECRET_KEY;
}

static CK_RV create(void *context, CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	struct carry *c = context;
	struct call call = {
		.id = CALL_C_CreateObject, .tmpl = {tmpl, NULL}, .tmpl_count = {count, 0}};
	CK_RV rv = member_call(c->to, &call, (const CK_OBJECT_HANDLE[2]){0, 0});

	*made = call.made[0];
	return rv;
}

/* Why an object was not created. */
static CK_RV say_refusal(struct carry *c, CK_RV rv)
{
	const char *to = c->to->member->conf->name;
	char code[NAME_MAX_LEN];

	if (c->is_unable)
		return rv;
	if (c->id->class == CKO_DATA && rv == CKR_ATTRIBUTE_VALUE_INVALID &&
	    attr_bool(c->as->a, c->as->count, CKA_PRIVATE, false))
		return carry_cannot(c, "member %s cannot keep private data objects", to);
	if (identity_is_doubtful(rv) || !identity_refuses(c->to, rv)) {
		carry_say(c, "member %s failed to create the object (%s)", to,
			  name_of(NAME_RV, rv, code));
		return rv;
	}
	return carry_cannot(c, "member %s refuses to create the object (%s)", to,
			    name_of(NAME_RV, rv, code));
}

/* Content that was stated was compared when it was read back; what a key or certificate is, is read
 * once more as others will. The label is part of what data objects are, and it may be another one
 * here. */
static CK_RV check_content(struct carry *c)
{
	enum identity_match match = IDENTITY_SAME;
	CK_RV rv = carry_finish(c);

	if (rv == CKR_OK && c->id->class != CKO_DATA && c->id->class != CKO_DOMAIN_PARAMETERS)
		rv = identity_prove(c->to, c->made, c->id, &match);
	if (rv == CKR_OK && match != IDENTITY_SAME)
		rv = carry_cannot(c, "what member %s made of the object is not the same",
				  c->to->member->conf->name);
	return rv;
}

static CK_RV carry_public(struct carry *c)
{
	char code[NAME_MAX_LEN];
	CK_RV rv = carry_make(c, create, c);

	if (rv != CKR_OK)
		return say_refusal(c, rv);
	rv = check_content(c);
	if (rv == CKR_OK)
		return CKR_OK;
	if (!c->is_unable)
		carry_say(c, "the copy on member %s cannot be read back (%s)",
			  c->to->member->conf->name, name_of(NAME_RV, rv, code));
	if (carry_discard(c) != CKR_OK)
		c->is_unable = false; /* what is left carries the label */
	return rv;
}

/* The copy in between: of the same use, seen by nobody, wrappable again. */
static bool hub_blueprint(const struct blueprint *as, struct blueprint *out)
{
	static const CK_ATTRIBUTE_TYPE unneeded[] = {CKA_LABEL,
						     CKA_ID,
						     CKA_SUBJECT,
						     CKA_START_DATE,
						     CKA_END_DATE,
						     CKA_MODIFIABLE,
						     CKA_COPYABLE,
						     CKA_DESTROYABLE,
						     CKA_WRAP_WITH_TRUSTED,
						     CKA_ALWAYS_AUTHENTICATE,
						     CKA_ALLOWED_MECHANISMS,
						     CKA_SIGN_RECOVER};

	if (!blueprint_copy(as, out))
		return false;
	for (size_t i = 0; i < COUNT(unneeded); i++)
		blueprint_drop(out, unneeded[i]);
	return blueprint_set_bool(out, CKA_TOKEN, false) &&
	       blueprint_set_bool(out, CKA_PRIVATE, true) &&
	       blueprint_set_bool(out, CKA_SENSITIVE, true) &&
	       blueprint_set_bool(out, CKA_EXTRACTABLE, true);
}

/* A road over a third member. */
struct road {
	struct member_session *hub;
	int in; /* ways of its halves that worked before, or CARRY_NO_WAY */
	int on;
};

/* Both halves. */
static CK_RV over(struct carry *c, const struct road *r)
{
	struct blueprint as = {0};
	struct carry in = {.from = c->from, .real = c->real, .id = c->id, .as = &as, .to = r->hub};
	struct carry on = *c;
	const struct carry *last = &in;
	bool is_exhausted;
	int way;
	CK_RV rv = hub_blueprint(c->as, &as) ? carry_direct(&in, r->in, &way, &is_exhausted)
					     : CKR_HOST_MEMORY;

	if (rv == CKR_OK) {
		last = &on;
		on.from = r->hub;
		on.real = in.made;
		rv = carry_direct(&on, r->on, &way, &is_exhausted);
		member_destroy(r->hub, in.made);
		c->made = on.made;
	}
	memcpy(c->why, last->why, sizeof c->why);
	c->is_unable = last->is_unable;
	blueprint_free(&as);
	return rv;
}

/* Whether the hub may do: nothing is known against it. */
static CK_RV find_road(const struct carry *c, struct member *hub, struct road *r, bool *may)
{
	const enum carry_kind kind = carry_kind_of(c->id);
	char why[CARRY_WHY];
	bool is_tried = false;
	CK_RV rv = carry_route_direct(c->from->member, hub, kind, false, &r->in, &is_tried, why);

	*may = rv == CKR_OK && (r->in != CARRY_NO_WAY || !is_tried);
	if (!*may)
		return rv;
	rv = carry_route_direct(hub, c->to->member, kind, false, &r->on, &is_tried, why);
	*may = rv == CKR_OK && (r->on != CARRY_NO_WAY || !is_tried);
	return rv;
}

/* Over the third members that may do, one after the other; one that fails is no hub. */
static CK_RV carry_over(struct carry *c)
{
	struct group *g = c->from->member->group;
	CK_RV rv = CKR_MECHANISM_INVALID;

	for (size_t i = 0; rv != CKR_OK && !c->made && i < g->member_count; i++) {
		struct member *m = &g->members[i];
		struct road r = {.in = CARRY_NO_WAY, .on = CARRY_NO_WAY};
		bool may;

		if (m == c->from->member || m == c->to->member || !member_may_serve(m) ||
		    carry_kind_of(c->id) == CARRY_KINDS || find_road(c, m, &r, &may) != CKR_OK ||
		    !may || pool_take(m, 0, HUB_WAIT_MS, &r.hub) != CKR_OK)
			continue;
		rv = over(c, &r);
		pool_drop(r.hub);
	}
	return rv;
}

/* What both attempts said. */
static CK_RV sum_up(struct carry *c, const struct carry *before, CK_RV first, CK_RV second)
{
	c->is_unable = before->is_unable && c->is_unable;
	if (second == CKR_OK || before->why[0] == '\0')
		return second;
	if (c->why[0] == '\0' || strcmp(c->why, before->why) == 0)
		memcpy(c->why, before->why, sizeof c->why);
	else
		carry_say(c, "%.120s; %.120s", before->why, c->why);
	return second != CKR_MECHANISM_INVALID ? second : first;
}

static CK_RV go_directly(struct carry *c, int first)
{
	struct carry before;
	bool is_exhausted;
	int way;
	CK_RV rv = carry_direct(c, first, &way, &is_exhausted), again;

	if (rv == CKR_OK || !is_exhausted)
		return rv;
	before = *c;
	c->why[0] = '\0';
	again = carry_over(c);
	return sum_up(c, &before, rv, again);
}

/* It is known that there is no way. A key of another length may find one nevertheless. */
static CK_RV go_round(struct carry *c)
{
	struct carry before;
	bool is_exhausted;
	int way;
	CK_RV rv = carry_over(c), again;

	if (rv == CKR_OK || c->made)
		return rv;
	before = *c;
	before.is_unable = before.is_unable || before.why[0] == '\0';
	c->why[0] = '\0';
	c->is_unable = false;
	again = carry_direct(c, CARRY_NO_WAY, &way, &is_exhausted);
	return sum_up(c, &before, rv, again);
}

static CK_RV carry_key(struct carry *c)
{
	const enum carry_kind kind = carry_kind_of(c->id);
	char code[NAME_MAX_LEN];
	bool is_tried = false;
	int way = CARRY_NO_WAY;
	CK_RV rv = CKR_OK;

	if (kind != CARRY_KINDS)
		rv = carry_route_direct(c->from->member, c->to->member, kind, false, &way,
					&is_tried, c->why);
	if (rv != CKR_OK && rv != CKR_SESSION_COUNT) { /* without sessions for a trial: the key */
		carry_say(c, "the way from member %s to member %s could not be tried (%s)",
			  c->from->member->conf->name, c->to->member->conf->name,
			  name_of(NAME_RV, rv, code));
		return rv;
	}
	c->why[0] = '\0';
	return is_tried && way == CARRY_NO_WAY ? go_round(c) : go_directly(c, way);
}

/* Uses that the original was not seen to have: a copy has none of them. */
static bool state_rest(struct blueprint *as, CK_OBJECT_CLASS class)
{
	static const CK_ATTRIBUTE_TYPE uses[] = {CKA_ENCRYPT,      CKA_DECRYPT, CKA_SIGN,
						 CKA_SIGN_RECOVER, CKA_VERIFY,  CKA_WRAP,
						 CKA_UNWRAP,       CKA_DERIVE};
	const unsigned bit = 1U << class;
	size_t count;
	const struct explicit_row *may = explicit_rows(&count);
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++)
		for (size_t k = 0; ok && k < COUNT(uses); k++)
			if (may[i].type == uses[k] && may[i].classes & bit &&
			    !attr_find(as->a, as->count, uses[k]))
				ok = blueprint_set_bool(as, uses[k], false);
	return ok;
}

static CK_RV carry_whole_key(struct carry *c)
{
	const struct blueprint *asked = c->as;
	struct blueprint whole = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	if (asked->has_template)
		return carry_cannot(c, "the key imposes a template on other keys, which cannot be "
				       "copied");
	if (blueprint_copy(asked, &whole) && state_rest(&whole, c->id->class)) {
		c->as = &whole;
		rv = carry_key(c);
		c->as = asked;
	}
	blueprint_free(&whole);
	return rv;
}

static void add_hex(char *text, size_t size, const CK_ATTRIBUTE *a)
{
	const unsigned char *bytes = a->pValue;
	size_t at = 0;

	for (CK_ULONG i = 0; i < a->ulValueLen && at + 2 < size; i++, at += 2)
		(void)snprintf(text + at, size - at, "%02x", bytes[i]);
	text[at] = '\0';
}

/* Whether the object would take the place of another one. */
static CK_RV check_place(struct carry *c)
{
	const CK_ATTRIBUTE *id = attr_find(c->as->a, c->as->count, CKA_ID);
	struct identity like = {
		.class = c->id->class, .key_type = CK_UNAVAILABLE_INFORMATION, .is_token = true};
	const char *to = c->to->member->conf->name;
	char text[2 * 32 + 1], code[NAME_MAX_LEN];
	struct buf found = {0};
	CK_RV rv;

	if (!atomic_load(&c->to->member->lib->vendor)->replaces_same_id ||
	    c->id->key_type == CK_UNAVAILABLE_INFORMATION || !id || id->ulValueLen == 0 ||
	    !attr_bool(c->as->a, c->as->count, CKA_TOKEN, false))
		return CKR_OK;
	if (!buf_add(&like.id, id->pValue, id->ulValueLen))
		return CKR_HOST_MEMORY;
	rv = identity_find(c->to, &like, true, &found);
	add_hex(text, sizeof text, id);
	if (rv != CKR_OK)
		carry_say(c, "keys of member %s cannot be looked for (%s)", to,
			  name_of(NAME_RV, rv, code));
	else if (found.len > 0)
		rv = carry_cannot(c,
				  "member %s has a key with CKA_ID %s, which a new one would "
				  "replace",
				  to, text);
	buf_free(&found);
	buf_free(&like.id);
	return rv;
}

/* A private key that is told by the public key beside it is told without it from now on. */
static CK_RV keep_public(struct carry *c)
{
	char code[NAME_MAX_LEN];
	CK_RV rv = identity_keep(c->to, c->made, c->id);

	if (rv != CKR_OK)
		carry_say(c, "member %s: its public key cannot be written on the copy (%s)",
			  c->to->member->conf->name, name_of(NAME_RV, rv, code));
	return rv;
}

/* A token that is dead may refuse everything politely: that says nothing about ways. */
static CK_RV check_verdict(struct carry *c, CK_RV rv)
{
	if (rv == CKR_OK || !c->is_unable)
		return rv;
	if (member_alive_now(c->to->member) && member_alive_now(c->from->member))
		return rv;
	c->is_unable = false;
	return CKR_DEVICE_ERROR;
}

CK_RV carry(struct carry *c)
{
	CK_RV rv;

	c->made = 0;
	c->why[0] = '\0';
	c->is_unable = false;
	rv = check_place(c);
	if (rv == CKR_OK)
		rv = is_key(c->id) ? carry_whole_key(c) : carry_public(c);
	if (rv == CKR_OK)
		rv = keep_public(c);
	rv = check_verdict(c, rv);
	if (rv == CKR_HOST_MEMORY)
		carry_say(c, "not enough memory");
	return rv;
}

CK_RV carry_is_same(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		    struct member_session *from, CK_OBJECT_HANDLE from_real, bool *same)
{
	const struct carry c = {.from = is_key(id) ? from : NULL,
				.real = from_real,
				.id = id,
				.to = ms,
				.made = real};
	enum identity_match match = IDENTITY_UNKNOWN;
	CK_RV rv = carry_prove(&c, &match);

	*same = rv == CKR_OK && match == IDENTITY_SAME;
	return rv;
}

void carry_forget_everything(bool is_forked)
{
	carry_memory_forget(is_forked);
}

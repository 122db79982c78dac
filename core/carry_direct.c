/* SPDX-License-Identifier: BSD-2-Clause */
/* A key carried from one member to another without a third: way after way, until a copy is proven.
 *
 * A wrong copy is destroyed at once, by the handle that the target gave for it; while it cannot be,
 * nothing else is made. No lock; sessions are the caller's alone. */
#include "core/carry_direct.h"

#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/carry_errand.h"
#include "core/carry_make.h"
#include "core/carry_prove.h"
#include "core/carry_ways.h"
#include "core/carry_wrap.h"
#include "core/identity_use.h"
#include "core/kek.h"

enum carry_kind carry_kind_of(const struct identity *id)
{
	if (id->class == CKO_SECRET_KEY)
		return CARRY_SECRET;
	if (id->key_type == CKK_RSA)
		return CARRY_RSA;
	return id->key_type == CKK_EC ? CARRY_EC : CARRY_KINDS;
}

/* The copy cannot stay. */
static CK_RV take_back(struct carry *c, CK_RV rv)
{
	char code[NAME_MAX_LEN];
	CK_RV destroyed = carry_discard(c);

	if (destroyed == CKR_OK)
		return rv;
	c->is_unable = false;
	carry_say(c, "member %s does not destroy a copy that is not as it has to be (%s)",
		  c->to->member->conf->name, name_of(NAME_RV, destroyed, code));
	return destroyed;
}

/* *refused: it is another key. */
static CK_RV prove(struct carry *c, unsigned way, bool *refused)
{
	enum identity_match match = IDENTITY_UNKNOWN;
	char text[2 * NAME_MAX_LEN + 8], code[NAME_MAX_LEN];
	CK_RV rv = carry_prove(c, &match);

	carry_way_text(way, text, sizeof text);
	if (rv != CKR_OK) {
		carry_say(c, "the copy on member %s could not be tried (%s)",
			  c->to->member->conf->name, name_of(NAME_RV, rv, code));
		return rv;
	}
	switch (match) {
	case IDENTITY_SAME:
		return CKR_OK;
	case IDENTITY_DIFFERENT:
		*refused = true;
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: what it makes of a key of member %s by %s is "
			"another key: destroyed",
			c->to->member->conf->name, c->to->member->group_label,
			c->from->member->conf->name, text);
		carry_say(c, "what member %s makes of the key by %s is another key",
			  c->to->member->conf->name, text);
		return CKR_MECHANISM_INVALID;
	case IDENTITY_DOUBTFUL:
		carry_say(c, "the copy on member %s took a challenge and did not answer",
			  c->to->member->conf->name);
		return CKR_FUNCTION_FAILED;
	case IDENTITY_UNKNOWN:
		break;
	}
	return carry_cannot(c, "it cannot be shown on member %s that a copy is the same key",
			    c->to->member->conf->name);
}

/* Goes one way to its end. */
static CK_RV go_once(struct carry *c, unsigned way, const CK_OBJECT_HANDLE kek[2], bool *refused)
{
	char code[NAME_MAX_LEN];
	CK_RV rv = carry_by(c, way, kek, refused);

	if (rv != CKR_OK)
		return rv;
	rv = carry_mend(c);
	if (rv == CKR_OK)
		rv = prove(c, way, refused);
	if (rv == CKR_OK)
		rv = carry_finish(c);
	if (rv == CKR_OK)
		return CKR_OK;
	if (c->why[0] == '\0')
		carry_say(c, "the copy on member %s cannot be read back (%s)",
			  c->to->member->conf->name, name_of(NAME_RV, rv, code));
	rv = take_back(c, rv);
	*refused = *refused && !c->made;
	return rv;
}

/* Without its length a generic secret ends in zeros where the member (NSS 3.87) takes the padding
 * for a part of it; an HMAC does not tell. */
static CK_RV go(struct carry *c, unsigned way, const CK_OBJECT_HANDLE kek[2], bool *refused)
{
	CK_RV rv = go_once(c, way, kek, refused);

	if (rv != CKR_KEY_SIZE_RANGE || c->made || c->id->class != CKO_SECRET_KEY)
		return rv;
	c->states_len = true;
	rv = go_once(c, way, kek, refused);
	c->states_len = false;
	*refused = *refused || (rv == CKR_KEY_SIZE_RANGE && !c->made);
	return rv;
}

/* With any way. */
static bool is_final(CK_RV rv)
{
	return rv == CKR_KEY_UNEXTRACTABLE || rv == CKR_KEY_NOT_WRAPPABLE;
}

static CK_RV try_ways(struct carry *c, const unsigned *list, size_t count,
		      const CK_OBJECT_HANDLE kek[2], int *way, bool *is_exhausted)
{
	bool refused = true;
	CK_RV rv = CKR_MECHANISM_INVALID, doubt = CKR_OK;

	for (size_t i = 0; i < count && refused; i++) {
		c->why[0] = '\0';
		rv = go(c, list[i], kek, &refused);
		if (rv == CKR_OK) {
			*way = (int)list[i];
			c->why[0] = '\0';
			return CKR_OK;
		}
		if (identity_is_doubtful(rv))
			doubt = rv;
		if (is_final(rv)) {
			c->is_unable = true;
			return CKR_MECHANISM_INVALID;
		}
	}
	if (!refused)
		return rv;
	*is_exhausted = true;
	c->is_unable = doubt == CKR_OK;
	return c->is_unable ? CKR_MECHANISM_INVALID : doubt;
}

static CK_RV no_way(struct carry *c, const CK_OBJECT_HANDLE kek[2])
{
	const char *from = c->from->member->conf->name, *to = c->to->member->conf->name;

	if (!kek[0] || !kek[1])
		return carry_cannot(c, "member %s has no KEK (hsmux kek install)",
				    kek[0] ? to : from);
	return carry_cannot(c, "members %s and %s have no way to wrap such a key in common", from,
			    to);
}

/* The KEKs of both; those of two virtual tokens only where they are the same. */
static CK_RV find_keks(struct carry *c, CK_OBJECT_HANDLE kek[2])
{
	bool is_same = c->from->member->group == c->to->member->group;
	CK_RV rv = kek_find(c->from, &kek[0]);

	if (rv == CKR_OK)
		rv = kek_find(c->to, &kek[1]);
	if (rv == CKR_OK && !is_same && kek[0] && kek[1])
		rv = kek_is_same(c->from, c->to, &is_same);
	if (rv == CKR_OK && !is_same)
		kek[0] = kek[1] = 0;
	if (rv != CKR_OK)
		carry_say(c, "the KEK on members %s and %s cannot be looked for",
			  c->from->member->conf->name, c->to->member->conf->name);
	return rv;
}

static CK_RV try_all(struct carry *c, const struct carry_need *need, const CK_OBJECT_HANDLE kek[2],
		     int *way, bool *is_exhausted)
{
	unsigned list[CARRY_WAYS];
	size_t count = carry_ways_list(c->from->member, c->to->member, need, list);

	if (count > 0)
		return try_ways(c, list, count, kek, way, is_exhausted);
	*is_exhausted = true;
	return no_way(c, kek);
}

/* To another virtual token, which has no KEK in common with this one. */
static CK_RV try_errand(struct carry *c, struct carry_need *need, int *way, bool *is_exhausted)
{
	struct errand e;
	char code[NAME_MAX_LEN];
	CK_RV rv = errand_open(c->from, c->to, &e);

	if (rv == CKR_OK) {
		need->has_kek = true;
		rv = try_all(c, need, e.kek, way, is_exhausted);
	} else if (identity_is_doubtful(rv)) {
		carry_say(c, "members %s and %s could not agree on a key to wrap with (%s)",
			  c->from->member->conf->name, c->to->member->conf->name,
			  name_of(NAME_RV, rv, code));
	} else {
		*is_exhausted = true;
		rv = carry_cannot(c,
				  "members %s and %s have no KEK in common, and cannot agree on "
				  "another key to wrap with (%s)",
				  c->from->member->conf->name, c->to->member->conf->name,
				  name_of(NAME_RV, rv, code));
	}
	errand_close(&e);
	return rv;
}

CK_RV carry_direct(struct carry *c, int first, int *way, bool *is_exhausted)
{
	CK_OBJECT_HANDLE kek[2] = {0, 0};
	struct carry_need need = {.is_secret = c->id->class == CKO_SECRET_KEY,
				  .len = attr_ulong(c->as->a, c->as->count, CKA_VALUE_LEN, 0),
				  .first = first};
	CK_RV rv = find_keks(c, kek);

	*is_exhausted = false;
	*way = CARRY_NO_WAY;
	if (rv != CKR_OK)
		return rv;
	need.has_kek = kek[0] && kek[1];
	if (!need.has_kek && c->from->member->group != c->to->member->group)
		return try_errand(c, &need, way, is_exhausted);
	return try_all(c, &need, kek, way, is_exhausted);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways from one member to another, found by trying.
 *
 * What is tried with is a session key that the source makes for it, sensitive as a real one. It and
 * its copies go with the sessions, which are taken for the trial and closed after it, however it
 * ends. A key is made only where the two have mechanisms in common: RSA keys take a while. No lock.
 */
#include "core/carry_route.h"

#include <stdio.h>
#include <string.h>

#include "core/base/names.h"
#include "core/carry_direct.h"
#include "core/carry_memory.h"
#include "core/carry_throwaway.h"
#include "core/carry_ways.h"
#include "core/group.h"
#include "core/identity_use.h"
#include "core/kek.h"

/* How long a trial waits for sessions. */
#define WAIT_MS 1000

/* Carries the throw-away key `real`. */
static CK_RV carry_trial(struct carry *c, int *way)
{
	struct identity id = {0};
	struct blueprint as = {0};
	bool is_exhausted;
	CK_RV rv = identity_read(c->from, c->real, &id);

	if (rv == CKR_OK)
		rv = blueprint_read(c->from, c->real, &as);
	c->id = &id;
	c->as = &as;
	if (rv == CKR_OK)
		rv = carry_direct(c, CARRY_NO_WAY, way, &is_exhausted);
	blueprint_free(&as);
	identity_free(&id);
	return rv;
}

static CK_RV try_with_key(struct carry *c, enum carry_kind kind, int *way, bool *is_tried)
{
	const char *from = c->from->member->conf->name;
	char code[NAME_MAX_LEN];
	CK_RV rv = carry_throwaway(c->from, kind, &c->real);

	if (rv != CKR_OK) {
		(void)snprintf(c->why, sizeof c->why, "member %s makes no key to try with (%s)",
			       from, name_of(NAME_RV, rv, code));
		return identity_refuses(c->from, rv) ? CKR_OK : rv;
	}
	rv = carry_trial(c, way);
	*is_tried = rv == CKR_OK || c->is_unable;
	return c->is_unable ? CKR_OK : rv;
}

/* Whether the two have a way in common, as far as can be seen without trying. */
static CK_RV may_be(struct carry *c, enum carry_kind kind, bool *may, bool *has_kek)
{
	CK_OBJECT_HANDLE kek[2] = {0, 0};
	struct carry_need need = {
		.is_secret = kind == CARRY_SECRET, .len = 32, .first = CARRY_NO_WAY};
	unsigned list[CARRY_WAYS];
	CK_RV rv = kek_find(c->from, &kek[0]);

	if (rv == CKR_OK)
		rv = kek_find(c->to, &kek[1]);
	*has_kek = need.has_kek = kek[0] && kek[1];
	*may = carry_ways_list(c->from->member, c->to->member, &need, list) > 0;
	if (rv == CKR_OK && !*may)
		(void)snprintf(c->why, sizeof c->why, "%s",
			       need.has_kek ? "no way to wrap such a key in common"
					    : "a KEK is missing");
	return rv;
}

/* *is_tried: the answer holds until something changes on the members. */
static CK_RV try_between(struct carry *c, enum carry_kind kind, int *way, bool *is_tried)
{
	const struct member *from = c->from->member;
	bool may = false, has_kek = false, is_same = true;
	CK_RV rv = may_be(c, kind, &may, &has_kek);

	if (rv != CKR_OK || !may)
		return rv;
	if (!carry_has_throwaway(c->from->member, kind)) {
		(void)snprintf(c->why, sizeof c->why, "member %s makes no key to try with",
			       from->conf->name);
		return CKR_OK;
	}
	rv = try_with_key(c, kind, way, is_tried);
	*is_tried = *is_tried && has_kek; /* with a KEK there will be better ones */
	if (rv != CKR_OK || *way != CARRY_NO_WAY)
		return rv;
	rv = kek_is_same(c->from, c->to, &is_same);
	if (rv == CKR_OK && !is_same) {
		*is_tried = false;
		(void)snprintf(c->why, sizeof c->why, "the KEKs of members %s and %s differ",
			       from->conf->name, c->to->member->conf->name);
	}
	return rv;
}

static CK_RV try_now(struct member *from, struct member *to, enum carry_kind kind, int *way,
		     bool *is_tried, char why[static CARRY_WHY])
{
	struct carry c = {0};
	CK_RV rv = pool_take(from, 0, WAIT_MS, &c.from);

	if (rv != CKR_OK)
		return rv;
	rv = pool_take(to, 0, WAIT_MS, &c.to);
	if (rv == CKR_OK) {
		rv = try_between(&c, kind, way, is_tried);
		pool_drop(c.to);
	}
	pool_drop(c.from);
	memcpy(why, c.why, CARRY_WHY);
	return rv;
}

CK_RV carry_route_direct(struct member *from, struct member *to, enum carry_kind kind, bool again,
			 int *way, bool *is_tried, char why[static CARRY_WHY])
{
	const struct config *conf = from->group->config;
	char pair[CARRY_PAIR];
	bool has_name = carry_pair(from, to, kind, pair);
	CK_RV rv;

	*way = CARRY_NO_WAY;
	*is_tried = false;
	why[0] = '\0';
	if (has_name && !again && carry_memory_find(conf, pair, way)) {
		*is_tried = true;
		if (*way == CARRY_NO_WAY)
			(void)snprintf(why, CARRY_WHY, "no way was found");
		return CKR_OK;
	}
	rv = try_now(from, to, kind, way, is_tried, why);
	/* A token that is dead may refuse everything politely. */
	if (rv == CKR_OK && *is_tried && *way == CARRY_NO_WAY)
		*is_tried = member_alive_now(from) && member_alive_now(to);
	if (rv == CKR_OK && has_name && *is_tried)
		carry_memory_put(conf, pair, *way);
	return rv;
}

/* Over a third one. */
static CK_RV find_over(struct member *from, struct member *to, enum carry_kind kind, bool again,
		       struct carry_route *out)
{
	struct group *g = from->group;
	char why[CARRY_WHY];
	bool is_tried;
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < g->member_count && !out->is_open; i++) {
		struct member *hub = &g->members[i];
		int in = CARRY_NO_WAY, on = CARRY_NO_WAY;

		if (hub == from || hub == to || !member_may_serve(hub))
			continue;
		rv = carry_route_direct(from, hub, kind, again, &in, &is_tried, why);
		if (rv == CKR_OK && in != CARRY_NO_WAY)
			rv = carry_route_direct(hub, to, kind, again, &on, &is_tried, why);
		if (rv != CKR_OK || on == CARRY_NO_WAY)
			continue;
		out->is_open = true;
		out->over = (int)i;
		(void)snprintf(out->text, sizeof out->text, "over member %s", hub->conf->name);
	}
	return rv;
}

CK_RV carry_route_find(struct member *from, struct member *to, enum carry_kind kind, bool again,
		       struct carry_route *out)
{
	char why[CARRY_WHY];
	bool is_tried = false;
	int way = CARRY_NO_WAY;
	CK_RV rv = carry_route_direct(from, to, kind, again, &way, &is_tried, why);

	if (rv != CKR_OK)
		return rv;
	*out = (struct carry_route){.is_known = is_tried, .over = -1};
	if (way != CARRY_NO_WAY) {
		out->is_open = true;
		carry_way_text((unsigned)way, out->text, sizeof out->text);
		return CKR_OK;
	}
	(void)snprintf(out->text, sizeof out->text, "%.*s", (int)sizeof out->text - 1, why);
	return find_over(from, to, kind, again, out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A key wrapped on one member and unwrapped on another, in one way.
 *
 * The buffer is large from the start: what C_WrapKey says of its length beforehand is wrong on some
 * makes (NSS 3.87 says 32 of 40 bytes). An unwrapping that ended with a code which says nothing may
 * have made a token object nevertheless: nothing more is tried then, for it would be made twice. No
 * lock; sessions are the caller's alone. */
#include "core/carry_wrap.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/base/names.h"
#include "core/carry_make.h"
#include "core/carry_ways.h"
#include "core/identity_soft.h"
#include "core/identity_use.h"
#include "core/member_op.h"
#include "core/transport.h"

/* A wrapped RSA key of 16384 bits has 10 KiB. */
#define WRAPPED_ROOM (16UL * 1024)

static void use_iv(CK_MECHANISM *m, CK_BYTE copy[static CARRY_IV], const CK_BYTE *iv)
{
	if (!iv)
		return;
	memcpy(copy, iv, CARRY_IV);
	m->pParameter = copy;
	m->ulParameterLen = CARRY_IV;
}

static CK_RV wrap_once(struct member_session *ms, const CK_OBJECT_HANDLE object[2],
		       CK_MECHANISM_TYPE by, const CK_BYTE *iv, struct buf *out)
{
	CK_BYTE copy[CARRY_IV];
	CK_ULONG len = WRAPPED_ROOM;
	struct mech mech = {.m = {by, NULL, 0}};
	struct call call = {.id = CALL_C_WrapKey, .mech = &mech, .out = out->data, .out_len = &len};
	CK_RV rv;

	use_iv(&mech.m, copy, iv);
	rv = member_call(ms, &call, object);
	if (rv == CKR_OK && (len == 0 || len > WRAPPED_ROOM))
		rv = CKR_DEVICE_ERROR;
	out->len = rv == CKR_OK ? len : 0;
	return rv;
}

CK_RV carry_wrap(struct member_session *ms, CK_OBJECT_HANDLE kek, CK_OBJECT_HANDLE key,
		 CK_MECHANISM_TYPE by, const CK_BYTE *iv, struct buf *out)
{
	const CK_OBJECT_HANDLE object[2] = {kek, key};
	CK_RV rv = CKR_HOST_MEMORY;

	out->len = 0;
	if (!buf_reserve(out, WRAPPED_ROOM))
		return rv;
	rv = wrap_once(ms, object, by, iv, out);
	for (unsigned i = 1; i < IDENTITY_TRIES && identity_is_doubtful(rv); i++)
		rv = wrap_once(ms, object, by, iv, out);
	return rv;
}

/* Who says no. */
static CK_RV say(struct carry *c, const struct member_session *ms, unsigned way, const char *what,
		 CK_RV rv)
{
	char by[NAME_MAX_LEN], code[NAME_MAX_LEN];
	const struct carry_way *w = carry_way(way);

	if (!c->is_unable)
		carry_say(c, "member %s cannot %s the key by %s (%s)", ms->member->conf->name, what,
			  name_of(NAME_MECHANISM, ms == c->from ? w->out : w->in, by),
			  name_of(NAME_RV, rv, code));
	return rv;
}

/* What unwraps. */
struct unwrapping {
	struct carry *c;
	const struct carry_way *way;
	CK_OBJECT_HANDLE kek;
	const CK_BYTE *iv;
	const struct buf *wrapped;
};

static CK_RV unwrap(void *context, CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	const struct unwrapping *u = context;
	CK_BYTE copy[CARRY_IV];
	struct mech mech = {.m = {u->way->in, NULL, 0}};
	struct call call = {.id = CALL_C_UnwrapKey,
			    .mech = &mech,
			    .in = u->wrapped->data,
			    .in_len = u->wrapped->len,
			    .tmpl = {tmpl, NULL},
			    .tmpl_count = {count, 0}};
	CK_RV rv;

	use_iv(&mech.m, copy, u->iv);
	rv = member_call(u->c->to, &call, (const CK_OBJECT_HANDLE[2]){u->kek, 0});
	*made = call.made[0];
	return rv;
}

/* Whether an unwrapping that failed so may have made something that outlives the session. */
static bool leaves_doubt(const struct carry *c, CK_RV rv)
{
	return identity_is_doubtful(rv) && attr_bool(c->as->a, c->as->count, CKA_TOKEN, false);
}

static CK_RV under_kek(struct carry *c, unsigned way, const CK_OBJECT_HANDLE kek[2], bool *refused)
{
	const struct carry_way *w = carry_way(way);
	CK_BYTE iv[CARRY_IV];
	struct buf wrapped = {0};
	struct unwrapping u = {c, w, kek[1], w->has_iv ? iv : NULL, &wrapped};
	CK_RV rv = CKR_HOST_MEMORY;

	if (identity_random(iv, sizeof iv))
		rv = carry_wrap(c->from, kek[0], c->real, w->out, u.iv, &wrapped);
	if (rv != CKR_OK) {
		*refused = carry_refuses(c->from, rv);
		(void)say(c, c->from, way, "wrap", rv);
	} else {
		rv = carry_make(c, unwrap, &u);
		if (rv != CKR_OK) {
			*refused = !leaves_doubt(c, rv) && carry_refuses(c->to, rv);
			(void)say(c, c->to, way, "unwrap", rv);
		}
	}
	buf_free(&wrapped);
	return rv;
}

/* What carries. */
struct carrying {
	struct carry *c;
	struct transport *t;
};

static CK_RV transport(void *context, CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	const struct carrying *k = context;

	return transport_carry(k->t, k->c->from, k->c->real, tmpl, count, made);
}

static CK_RV under_transport(struct carry *c, unsigned way, bool *refused)
{
	struct carrying k = {.c = c};
	CK_RV rv = transport_open(c->to, &k.t);

	if (rv == CKR_OK)
		rv = carry_make(c, transport, &k);
	if (rv != CKR_OK) {
		*refused = !leaves_doubt(c, rv) && carry_refuses(c->to, rv);
		(void)say(c, c->to, way, "be given", rv);
	}
	transport_close(k.t);
	return rv;
}

CK_RV carry_by(struct carry *c, unsigned way, const CK_OBJECT_HANDLE kek[2], bool *refused)
{
	*refused = false;
	return carry_way(way)->is_transport ? under_transport(c, way, refused)
					    : under_kek(c, way, kek, refused);
}

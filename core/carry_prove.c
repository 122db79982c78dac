/* SPDX-License-Identifier: BSD-2-Clause */
/* That a copy is the key it is taken for: it answers as the original does, or wraps to the same
 * bytes.
 *
 * Wrapping proves without a use: the same key under the same KEK with a way that knows no chance
 * gives the same bytes, and another key never does. Different bytes say nothing, for makes encode
 * private keys differently and mean different formats by one number. No lock. */
#include "core/carry_prove.h"

#include <openssl/crypto.h>

#include "core/base/attr.h"
#include "core/carry_make.h"
#include "core/carry_wrap.h"
#include "core/carry_ways.h"
#include "core/identity_attr.h"
#include "core/kek.h"

/* A session for a proof, which may leave an operation on it; the one that is there when the member
 * has no other. */
static struct member_session *take(struct member_session *ms)
{
	struct member_session *own = NULL;

	return pool_take(ms->member, 0, 0, &own) == CKR_OK ? own : ms;
}

static void give(struct member_session *own, const struct member_session *ms, bool is_good)
{
	if (own == ms)
		return;
	if (is_good)
		pool_give(own, 0);
	else
		pool_drop(own);
}

static CK_RV prove_on(struct member_session *ms, CK_OBJECT_HANDLE real,
		      const struct identity *known, enum identity_match *match)
{
	struct member_session *own = take(ms);
	CK_RV rv = identity_prove(own, real, known, match);

	give(own, ms, rv == CKR_OK && (*match == IDENTITY_SAME || *match == IDENTITY_DIFFERENT));
	return rv;
}

/* The target cannot answer as the source did; the source may as the target does. */
static CK_RV prove_back(const struct carry *c, enum identity_match *match)
{
	struct member_session *own = take(c->to);
	struct identity copy;
	CK_RV rv = identity_read(own, c->made, &copy);

	give(own, c->to, rv == CKR_OK && copy.kind != IDENTITY_NONE);
	if (rv == CKR_OK && copy.kind == IDENTITY_ANSWER)
		rv = prove_on(c->from, c->real, &copy, match);
	if (rv == CKR_OK)
		identity_free(&copy);
	return rv;
}

/* A key wrapped; empty when the member does not do that. */
static CK_RV wrap(struct member_session *ms, CK_OBJECT_HANDLE kek, CK_OBJECT_HANDLE key,
		  const struct carry_way *w, CK_MECHANISM_TYPE by, struct buf *out)
{
	static const CK_BYTE iv[CARRY_IV];
	CK_RV rv = member_offers(ms->member, by)
			   ? carry_wrap(ms, kek, key, by, w->has_iv ? iv : NULL, out)
			   : CKR_MECHANISM_INVALID;

	return rv != CKR_OK && carry_refuses(ms, rv) ? CKR_OK : rv;
}

static CK_RV compare(const struct carry *c, const CK_OBJECT_HANDLE kek[2],
		     const struct carry_way *w, enum identity_match *match)
{
	struct buf a = {0}, b = {0};
	CK_RV rv = wrap(c->from, kek[0], c->real, w, w->out, &a);

	if (rv == CKR_OK && a.len > 0)
		rv = wrap(c->to, kek[1], c->made, w, w->in, &b);
	if (rv == CKR_OK && a.len > 0 && a.len == b.len &&
	    CRYPTO_memcmp(a.data, b.data, a.len) == 0)
		*match = IDENTITY_SAME;
	buf_free(&b);
	buf_free(&a);
	return rv;
}

/* Length of a secret key; 0: neither shows it. */
static CK_RV read_len(const struct carry *c, CK_ULONG *len)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_VALUE_LEN};
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(c->from, c->real, types, 1, &attrs);

	*len = 0;
	if (rv == CKR_OK)
		*len = attr_ulong(attrs.a, attrs.count, CKA_VALUE_LEN, 0);
	identity_attrs_free(&attrs);
	if (rv != CKR_OK || *len > 0)
		return rv;
	rv = identity_attrs_read(c->to, c->made, types, 1, &attrs);
	if (rv == CKR_OK)
		*len = attr_ulong(attrs.a, attrs.count, CKA_VALUE_LEN, 0);
	identity_attrs_free(&attrs);
	return rv;
}

static CK_RV prove_wrapped(const struct carry *c, enum identity_match *match)
{
	CK_OBJECT_HANDLE kek[2] = {0, 0};
	CK_ULONG len = 0;
	CK_RV rv = kek_find(c->from, &kek[0]);

	if (rv == CKR_OK)
		rv = read_len(c, &len);
	if (rv == CKR_OK && kek[0])
		rv = kek_find(c->to, &kek[1]);
	for (unsigned i = 0; rv == CKR_OK && kek[1] && *match == IDENTITY_UNKNOWN && i < CARRY_WAYS;
	     i++) {
		const struct carry_way *w = carry_way(i);

		/* Without padding a key is filled up with zeros by some, and so would be another.
		 */
		if (!w->is_transport && (!w->is_blocks || (len > 0 && len % CARRY_IV == 0)))
			rv = compare(c, kek, w, match);
	}
	return rv;
}

CK_RV carry_prove(const struct carry *c, enum identity_match *match)
{
	CK_RV rv = prove_on(c->to, c->made, c->id, match);

	if (!c->from)
		return rv;
	if (rv == CKR_OK && *match == IDENTITY_UNKNOWN && c->id->kind == IDENTITY_ANSWER)
		rv = prove_back(c, match);
	if (rv == CKR_OK && *match == IDENTITY_UNKNOWN)
		rv = prove_wrapped(c, match);
	return rv;
}

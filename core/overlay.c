/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application sees where that is not what the members say.
 *
 * What the record of an object says is kept beside its handle for OVERLAY_MS, in two atomics, so
 * that the usual way of a call costs two loads and a clock. Reading it anew asks a member for the
 * object's fingerprint, once, and all that can be reached for its record: one may have missed it.
 *
 * When nobody can be asked, what was known last holds; what was never known is an error: a key
 * would otherwise be wrapped, or used after it was retired, because a member was slow. No lock is
 * held while a member is asked but the session's. */
#include "core/overlay.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/base/clock.h"
#include "core/health.h"
#include "core/object_table.h"
#include "core/object_trait.h"
#include "core/record.h"
#include "core/replicate.h"

/* Bits of object.shown. */
enum { SHOWN_EXPORT = 1, SHOWN_FIXED = 2, SHOWN_SINGLE = 4, SHOWN_LASTING = 8, SHOWN_RETIRED = 16 };

static unsigned bits_of(const struct record *r)
{
	return (r->may_export ? SHOWN_EXPORT : 0U) | (r->is_fixed ? SHOWN_FIXED : 0U) |
	       (r->is_single ? SHOWN_SINGLE : 0U) | (r->is_lasting ? SHOWN_LASTING : 0U) |
	       (r->state != RECORD_LIVE ? SHOWN_RETIRED : 0U);
}

static struct overlay overlay_from(unsigned bits)
{
	return (struct overlay){
		.may_export = bits & SHOWN_EXPORT,
		.is_fixed = bits & SHOWN_FIXED,
		.is_single = bits & SHOWN_SINGLE,
		.is_lasting = bits & SHOWN_LASTING,
		.is_retired = bits & SHOWN_RETIRED,
	};
}

/* Its fingerprint, if it was found out before. */
static bool known_print(uint32_t handle, uint8_t print[static FINGERPRINT_LEN])
{
	const struct trait *t;
	bool has;

	trait_lock();
	t = trait_of(handle);
	has = t && t->has_print;
	if (has)
		memcpy(print, t->print, FINGERPRINT_LEN);
	trait_unlock();
	return has;
}

static void keep_print(uint32_t handle, const uint8_t print[static FINGERPRINT_LEN])
{
	struct trait *t;

	trait_lock();
	t = trait_of(handle);
	if (t) {
		memcpy(t->print, print, FINGERPRINT_LEN);
		t->has_print = true;
	}
	trait_unlock();
}

void overlay_forget_print(CK_OBJECT_HANDLE object)
{
	struct trait *t;

	trait_lock();
	t = trait_of((uint32_t)object);
	if (t)
		t->has_print = t->is_own = false;
	trait_unlock();
}

CK_RV overlay_print(struct session *s, struct member_session *ms, CK_OBJECT_HANDLE object,
		    uint8_t print[static FINGERPRINT_LEN], bool *has)
{
	struct object_view view;
	struct identity id = {0};
	CK_OBJECT_HANDLE real;
	CK_RV rv = CKR_OK;

	*has = false;
	if (!object_resolve(s->group, object, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	*has = known_print((uint32_t)view.handle, print);
	if (*has)
		return CKR_OK;
	rv = object_on(s->group, s, ms, view.handle, &real);
	if (rv == CKR_OK)
		rv = identity_read(ms, real, &id);
	if (rv == CKR_OK)
		rv = fingerprint_of(ms, real, &id, print, has);
	if (rv == CKR_OK && *has)
		keep_print((uint32_t)view.handle, print);
	identity_free(&id);
	return rv;
}

/* The fingerprint, asked of one who has the object; *has false when it has none. CKR_DEVICE_ERROR:
 * nobody could say. */
static CK_RV find_print(struct session *s, CK_OBJECT_HANDLE object,
			uint8_t print[static FINGERPRINT_LEN], bool *has)
{
	struct group *g = s->group;
	const unsigned mask = object_holders(g, object);
	CK_RV rv = CKR_DEVICE_ERROR;

	for (unsigned i = 0; rv != CKR_OK && i < g->member_count; i++) {
		struct member_session *ms;

		if (!(mask & 1U << i) || !member_may_serve(&g->members[i]))
			continue;
		ms = replicate_session(&g->members[i]);
		rv = ms ? overlay_print(s, ms, object, print, has) : CKR_DEVICE_ERROR;
		/* What has no fingerprint may have left an operation on the session. */
		replicate_leave(ms, rv == CKR_OK && *has);
	}
	return rv == CKR_OK ? CKR_OK : CKR_DEVICE_ERROR;
}

static bool known_own(uint32_t handle)
{
	const struct trait *t;
	bool is_own;

	trait_lock();
	t = trait_of(handle);
	is_own = t && t->is_own;
	trait_unlock();
	return is_own;
}

static void keep_own(uint32_t handle)
{
	struct trait *t;

	trait_lock();
	t = trait_of(handle);
	if (t)
		t->is_own = true;
	trait_unlock();
}

/* Whether the object on the member of `ms` is what its fingerprint says. A private key goes by the
 * public key beside it, which anybody can exchange: it has to answer for that. */
static CK_RV prove_on(struct session *s, struct member_session *ms, CK_OBJECT_HANDLE object,
		      bool *is_own)
{
	struct identity id = {0};
	enum identity_match is = IDENTITY_UNKNOWN;
	CK_OBJECT_HANDLE real;
	CK_RV rv = object_on(s->group, s, ms, object, &real);

	if (rv == CKR_OK)
		rv = identity_read(ms, real, &id);
	if (rv == CKR_OK && id.class == CKO_PRIVATE_KEY)
		rv = identity_prove(ms, real, &id, &is);
	else if (rv == CKR_OK)
		is = IDENTITY_SAME; /* its content, or its own answer, made the fingerprint */
	*is_own = rv == CKR_OK && is == IDENTITY_SAME;
	identity_free(&id);
	return rv;
}

/* The same on one who has the object; false when nobody can say. */
static bool is_own(struct session *s, CK_OBJECT_HANDLE object)
{
	struct group *g = s->group;
	const unsigned mask = object_holders(g, object);
	bool is = known_own((uint32_t)object);
	CK_RV rv = CKR_DEVICE_ERROR;

	for (unsigned i = 0; !is && rv != CKR_OK && i < g->member_count; i++) {
		struct member_session *ms;

		if (!(mask & 1U << i) || !member_may_serve(&g->members[i]))
			continue;
		ms = replicate_session(&g->members[i]);
		rv = ms ? prove_on(s, ms, object, &is) : CKR_DEVICE_ERROR;
		replicate_leave(ms, rv == CKR_OK && is);
	}
	if (is)
		keep_own((uint32_t)object);
	return is;
}

/* *found false: anybody may have written the record, and it has no say about this object. */
static CK_RV check_guard(struct session *s, CK_OBJECT_HANDLE object, const struct record *r,
			 bool *found)
{
	CK_BBOOL is_private = CK_TRUE;
	CK_ATTRIBUTE a = {CKA_PRIVATE, &is_private, sizeof is_private};
	const CK_ATTRIBUTE asked = a;
	CK_RV rv = object_read_in(s, object, &a, 1, &asked);

	*found = rv == CKR_OK && record_is_believed(r, is_private != CK_FALSE);
	return rv;
}

/* Whether the record is about a twin of the object, of the same content and another name, that was
 * destroyed: nothing is said about this one then. */
static bool is_of_twin(CK_OBJECT_HANDLE object, const struct record *r)
{
	const struct trait *t;
	bool is = false;

	if (r->state != RECORD_DESTROYED)
		return false;
	trait_lock();
	t = trait_of((uint32_t)object);
	is = t && !record_is_named(r, &t->id);
	trait_unlock();
	return is;
}

/* A secret key that another process took a use from is told otherwise since. */
static bool may_be_told_otherwise(CK_OBJECT_HANDLE object)
{
	const struct trait *t;
	bool may;

	trait_lock();
	t = trait_of((uint32_t)object);
	may = t && t->id.kind == IDENTITY_ANSWER;
	trait_unlock();
	return may;
}

/* Its record, by its fingerprint as it is known, and where that finds none as it is now. */
static CK_RV find_record(struct session *s, CK_OBJECT_HANDLE object, struct record *r, bool *found)
{
	uint8_t print[FINGERPRINT_LEN], now[FINGERPRINT_LEN];
	bool has = false;
	CK_RV rv = find_print(s, object, print, &has);

	*r = (struct record){.version = 0};
	*found = false;
	if (rv == CKR_OK && has)
		rv = replicate_find_any(s->group, print, false, r, found);
	if (rv != CKR_OK || !has || *found || !may_be_told_otherwise(object))
		return rv;
	overlay_forget_print(object);
	rv = find_print(s, object, now, &has);
	if (rv == CKR_OK && has && memcmp(now, print, sizeof now) != 0)
		rv = replicate_find_any(s->group, now, false, r, found);
	return rv;
}

static CK_RV read_any(struct session *s, CK_OBJECT_HANDLE object, unsigned *bits)
{
	struct record r;
	bool found;
	CK_RV rv = find_record(s, object, &r, &found);

	*bits = 0;
	if (rv == CKR_OK && found && !r.is_guarded)
		rv = check_guard(s, object, &r, &found);
	if (rv == CKR_OK && found && !is_of_twin(object, &r))
		*bits = bits_of(&r);
	record_free(&r);
	if ((*bits & SHOWN_EXPORT) && !is_own(s, object))
		*bits &= ~(unsigned)SHOWN_EXPORT;
	return rv;
}

/* Once more when a member is back, within the budget. */
static CK_RV read_patiently(struct session *s, CK_OBJECT_HANDLE object, unsigned *bits)
{
	const long long deadline = clock_ms() + s->group->config->retry.budget_ms;
	CK_RV rv = read_any(s, object, bits);

	while (rv != CKR_OK && object_holders(s->group, object) != 0 && clock_ms() < deadline &&
	       health_wait(s->group, object_holders(s->group, object), deadline)) {
		rv = read_any(s, object, bits);
		if (rv != CKR_OK)
			break; /* somebody serves, and cannot say */
	}
	return rv;
}

CK_RV overlay_of(struct session *s, CK_OBJECT_HANDLE object, struct overlay *out)
{
	struct object_view view;
	struct object *o;
	long long read_ms;
	unsigned bits = 0;
	CK_RV rv;

	*out = (struct overlay){.may_export = true};
	if (!replicate_is_on(s->group))
		return CKR_OK;
	if (!object_resolve(s->group, object, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	if (view.is_token == OBJECT_NO)
		return CKR_OK;
	o = object_slot(view.handle);
	read_ms = o ? atomic_load(&o->shown_ms) : 0;
	if (o && read_ms != 0 && clock_ms() - read_ms < OVERLAY_MS) {
		*out = overlay_from(atomic_load(&o->shown));
		return CKR_OK;
	}
	rv = read_patiently(s, view.handle, &bits);
	o = object_slot(view.handle);
	if (rv != CKR_OK && (!o || read_ms == 0))
		return rv;
	if (rv == CKR_OK && o) {
		atomic_store(&o->shown, bits);
		atomic_store(&o->shown_ms, clock_ms());
		if (object_slot(view.handle) != o) /* became another's meanwhile */
			atomic_store(&o->shown_ms, 0);
	} else if (o) {
		bits = atomic_load(&o->shown);
	}
	*out = overlay_from(bits);
	return CKR_OK;
}

void overlay_forget(CK_OBJECT_HANDLE object)
{
	struct object *o = object_slot(object);

	if (o)
		atomic_store(&o->shown_ms, 0);
}

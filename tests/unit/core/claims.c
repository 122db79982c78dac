/* SPDX-License-Identifier: BSD-2-Clause */
/* Members that are a table. Who asks them gets a session of theirs, one at a time for each thread;
 * nothing here has a lock, so threads of one test must not change the table. */
#include "tests/unit/core/claims.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/explicit.h"
#include "core/member_op.h"

struct claim claims[CLAIMS];
unsigned claims_count;
struct claims_do claims_do;

static struct session a_session;

bool __wrap_member_probe(struct member *m);
CK_RV __wrap_pool_state(struct member_session *ms, CK_STATE *state);
CK_RV __wrap_pool_take(struct member *m, unsigned hint, long long wait_ms,
		       struct member_session **ms);
void __wrap_pool_give(struct member_session *ms, unsigned hint);
void __wrap_pool_drop(struct member_session *ms);
CK_RV __wrap_identity_read(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *out);
CK_RV __wrap_identity_prove(struct member_session *ms, CK_OBJECT_HANDLE real,
			    const struct identity *known, enum identity_match *match);
CK_RV __wrap_identity_find(struct member_session *ms, const struct identity *known, bool any_label,
			   struct buf *out);
CK_RV __wrap_member_call(struct member_session *ms, struct call *c,
			 const CK_OBJECT_HANDLE object[2]);
CK_RV __wrap_session_home(struct session *s, struct member *m, long long wait_ms,
			  struct member_session **ms);

CK_RV __wrap_explicit_read(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
			   const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct explicit *out);

static _Thread_local struct member_session out_there;

CK_RV __wrap_explicit_read(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
			   const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct explicit *out)
{
	(void)ms;
	(void)real;
	(void)class;
	(void)tmpl;
	(void)count;
	out->count = 0;
	return claims_do.explain;
}

CK_RV __wrap_pool_take(struct member *m, unsigned hint, long long wait_ms,
		       struct member_session **ms)
{
	(void)hint;
	(void)wait_ms;
	claims_do.takes++;
	if (claims_do.take != CKR_OK)
		return claims_do.take;
	claims_do.is_dirty = false;
	out_there = (struct member_session){.member = m, .epoch = atomic_load(&m->epoch)};
	*ms = &out_there;
	return CKR_OK;
}

bool __wrap_member_probe(struct member *m)
{
	(void)m;
	return !claims_do.is_dead;
}

CK_RV __wrap_pool_state(struct member_session *ms, CK_STATE *state)
{
	(void)ms;
	*state = claims_do.is_logged_out ? CKS_RW_PUBLIC_SESSION : CKS_RW_USER_FUNCTIONS;
	return CKR_OK;
}

void __wrap_pool_give(struct member_session *ms, unsigned hint)
{
	(void)ms;
	(void)hint;
	claims_do.gives++;
	claims_do.dirtied += claims_do.is_dirty;
	claims_do.is_dirty = false;
}

void __wrap_pool_drop(struct member_session *ms)
{
	(void)ms;
	claims_do.drops++;
	claims_do.is_dirty = false;
}

static const struct claim *claim_of(const struct member_session *ms, CK_OBJECT_HANDLE real)
{
	if (claims_do.hook)
		claims_do.hook();
	claims_do.dirtied += claims_do.is_dirty;
	for (unsigned i = 0; i < claims_count; i++)
		if (claims[i].member == ms->member->index && claims[i].real == real)
			return &claims[i];
	return NULL;
}

static void fill(struct identity *id, const struct claim *c)
{
	*id = (struct identity){.class = c->class,
				.key_type =
					c->class == CKO_DATA ? CK_UNAVAILABLE_INFORMATION : CKK_EC,
				.is_token = !c->is_session,
				.is_private = c->class != CKO_DATA,
				.kind = c->kind,
				.is_doubtful = c->is_doubtful};
	memset(id->digest, c->kind == IDENTITY_NONE ? 0 : c->says, sizeof id->digest);
}

CK_RV __wrap_identity_read(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *out)
{
	const struct claim *c = claim_of(ms, real);

	*out = (struct identity){0};
	claims_do.reads++;
	if (claims_do.read != CKR_OK)
		return claims_do.read;
	if (!c)
		return CKR_OBJECT_HANDLE_INVALID;
	fill(out, c);
	if (!buf_add(&out->label, c->label, strlen(c->label)) ||
	    !buf_add(&out->id, c->id, strlen(c->id))) {
		identity_free(out);
		return CKR_HOST_MEMORY;
	}
	claims_do.is_dirty |= c->kind == IDENTITY_NONE && c->class == CKO_SECRET_KEY;
	return CKR_OK;
}

CK_RV __wrap_identity_prove(struct member_session *ms, CK_OBJECT_HANDLE real,
			    const struct identity *known, enum identity_match *match)
{
	const struct claim *c = claim_of(ms, real);

	claims_do.proofs++;
	*match = IDENTITY_UNKNOWN;
	if (claims_do.prove != CKR_OK)
		return claims_do.prove;
	if (!c)
		return CKR_OBJECT_HANDLE_INVALID;
	if (known->kind != IDENTITY_NONE && !c->is_mute)
		*match = known->digest[0] == c->is ? IDENTITY_SAME : IDENTITY_DIFFERENT;
	if (c->is_doubtful)
		*match = IDENTITY_DOUBTFUL;
	claims_do.is_dirty |= *match != IDENTITY_SAME && *match != IDENTITY_DIFFERENT;
	return CKR_OK;
}

static bool is_text(const struct buf *b, const char *text)
{
	return b->len == strlen(text) && (b->len == 0 || memcmp(b->data, text, b->len) == 0);
}

CK_RV __wrap_identity_find(struct member_session *ms, const struct identity *known, bool any_label,
			   struct buf *out)
{
	claims_do.finds++;
	if (claims_do.find_hook)
		claims_do.find_hook();
	if (claims_do.find != CKR_OK)
		return claims_do.find;
	for (unsigned i = 0; i < claims_count; i++) {
		const struct claim *c = &claims[i];

		if (c->member != ms->member->index || c->class != known->class ||
		    c->is_session == known->is_token)
			continue;
		if (known->id.len > 0 && !is_text(&known->id, c->id))
			continue;
		if (known->label.len > 0 && (!any_label || known->id.len == 0) &&
		    !is_text(&known->label, c->label))
			continue;
		if (!buf_add(out, &c->real, sizeof c->real))
			return CKR_HOST_MEMORY;
	}
	return CKR_OK;
}

CK_RV __wrap_member_call(struct member_session *ms, struct call *c,
			 const CK_OBJECT_HANDLE object[2])
{
	(void)ms;
	(void)object;
	claims_do.makes++;
	if (claims_do.hook)
		claims_do.hook();
	if (claims_do.make == CKR_OK && !claims_do.makes_none)
		c->made[0] = claims_do.next_made++;
	return claims_do.make;
}

CK_RV __wrap_session_home(struct session *s, struct member *m, long long wait_ms,
			  struct member_session **ms)
{
	(void)s;
	return __wrap_pool_take(m, 0, wait_ms, ms);
}

void claims_begin(enum config_mode mode)
{
	trio_end(); /* of the test before */
	trio_begin(mode);
	log_setup(LOG_LEVEL_ERROR, false);
	memset(claims, 0, sizeof claims);
	claims_count = 0;
	claims_do = (struct claims_do){.next_made = 900};
	free(a_session.remade);
	a_session = (struct session){.group = &trio};
}

struct claim *claims_key(unsigned m, CK_OBJECT_HANDLE real, const char *label, const char *id,
			 unsigned char says, unsigned char is)
{
	struct claim *c = &claims[claims_count++];

	if (claims_count > CLAIMS)
		abort();
	*c = (struct claim){.member = m,
			    .real = real,
			    .label = label,
			    .id = id,
			    .kind = IDENTITY_PUBLIC,
			    .says = says,
			    .is = is,
			    .class = CKO_PRIVATE_KEY};
	return c;
}

void claims_remove(unsigned m, CK_OBJECT_HANDLE real)
{
	for (unsigned i = 0; i < claims_count; i++)
		if (claims[i].member == m && claims[i].real == real)
			claims[i--] = claims[--claims_count];
}

CK_RV claims_found(unsigned m, const CK_OBJECT_HANDLE *real, size_t count, struct buf *out)
{
	struct call c = {.id = CALL_C_FindObjectsInit,
			 .group = &trio,
			 .session = &a_session,
			 .member = &trio_member[m],
			 .made_epoch = atomic_load(&trio_member[m].epoch)};
	struct buf list = {.data = (unsigned char *)(uintptr_t)real, .len = count * sizeof *real};

	return object_found(&c, &list, out);
}

CK_OBJECT_HANDLE claims_find(unsigned m, CK_OBJECT_HANDLE real)
{
	CK_OBJECT_HANDLE handle = 0;
	struct buf out = {0};

	if (claims_found(m, &real, 1, &out) != CKR_OK)
		abort();
	if (out.len == sizeof handle)
		memcpy(&handle, out.data, sizeof handle);
	buf_free(&out);
	return handle;
}

CK_RV claims_locate(unsigned m, CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *real)
{
	struct member_session ms = {.member = &trio_member[m],
				    .epoch = atomic_load(&trio_member[m].epoch)};

	*real = 0;
	return object_locate(&trio, &a_session, &ms, handle, real);
}

CK_OBJECT_HANDLE claims_real(unsigned m, CK_OBJECT_HANDLE handle)
{
	CK_OBJECT_HANDLE real = 0;

	if (!object_real(&trio, handle, &trio_member[m], atomic_load(&trio_member[m].epoch), &real))
		return 0;
	return real;
}

bool claims_keep(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct member *m = &trio_member[0];
	struct member_session home = {.member = m, .epoch = atomic_load(&m->epoch)};
	struct call call = {.id = CALL_C_CreateObject,
			    .group = &trio,
			    .session = &a_session,
			    .member = m,
			    .made_epoch = home.epoch,
			    .tmpl = {tmpl},
			    .tmpl_count = {count}};
	bool is_kept;

	a_session.home[0] = &home;
	is_kept = object_keep_template(&call, handle, true);
	a_session.home[0] = NULL;
	return is_kept;
}

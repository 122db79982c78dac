/* SPDX-License-Identifier: BSD-2-Clause */
/* The object functions of Cryptoki but for searches.
 *
 * Every function has an outer part that takes and gives the session and an inner one that may
 * return anywhere. Member sessions are always read/write, so the rules for read-only sessions are
 * kept here. */
#include "core/object_call.h"

#include "core/alias.h"
#include "core/base/attr.h"
#include "core/codes.h"
#include "core/identity_secret.h"
#include "core/key_facts.h"
#include "core/object.h"
#include "core/object_show.h"
#include "core/overlay.h"
#include "core/pending.h"
#include "core/replicate.h"
#include "policy/policy.h"

/* A function of one session; what differs is in `args`. */
struct args {
	CK_OBJECT_HANDLE object;
	const CK_ATTRIBUTE *tmpl;
	CK_ATTRIBUTE *out;
	CK_ULONG count;
	CK_OBJECT_HANDLE *made;
	CK_ULONG *size;
};

/* Calls made on the way have codes of their own; the application gets one of its function. */
static CK_RV in_session(enum call_id id, CK_SESSION_HANDLE handle,
			CK_RV (*run)(struct session *, struct args *), struct args *args)
{
	struct session *s;
	CK_RV rv = session_take(handle, &s);

	if (rv != CKR_OK)
		return rv;
	rv = run(s, args);
	session_give(s);
	return rv == CKR_OK ? CKR_OK : code_map(id, rv);
}

static struct call call_for(enum call_id id, struct session *s, CK_OBJECT_HANDLE object)
{
	return (struct call){
		.id = id,
		.place = CALL_BORROW,
		.group = s->group,
		.session = s,
		.object = {{object, id == CALL_C_CreateObject ? 0 : CKR_OBJECT_HANDLE_INVALID}},
	};
}

/* A copy of a token object that this virtual token replicates does no more than the original is
 * shown to do: one that is no token object is not wrapped, whatever the members would let it. */
static CK_RV limit_copy(struct session *s, CK_OBJECT_HANDLE object, bool is_token,
			struct attr_list *list)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof class};
	const CK_ATTRIBUTE asked = a;
	struct overlay o;
	CK_RV rv = overlay_of(s, object, &o);

	if (rv == CKR_OK && (o.is_single || o.is_retired))
		return CKR_ACTION_PROHIBITED;
	if (rv == CKR_OK && !is_token && !o.may_export)
		rv = object_read_in(s, object, &a, 1, &asked);
	if (rv == CKR_OK && (class == CKO_SECRET_KEY || class == CKO_PRIVATE_KEY))
		rv = overlay_limit(list);
	return rv;
}

/* Runs a call that makes one object and gives it a handle. */
static CK_RV make(struct call *call, const struct args *args, bool is_token, bool is_limited)
{
	const bool tokens[2] = {is_token, false};
	CK_OBJECT_HANDLE *const app[2] = {args->made, NULL};
	struct attr_list list = {0};
	CK_RV rv;

	if (is_token && !session_is_rw(call->session))
		return CKR_SESSION_READ_ONLY;
	rv = attr_list_copy(args->tmpl, args->count, &list);
	if (rv != CKR_OK)
		return rv;
	call->tmpl[0] = list.attrs;
	call->tmpl_count[0] = list.count;
	rv = call_decide(call);
	if (rv != CKR_OK) {
		attr_list_free(&list);
		return rv;
	}
	list.count = call->tmpl_count[0]; /* what stood there twice is gone */
	call->place = is_token ? CALL_BORROW : CALL_HOME;
	call->is_volatile = !is_token;
	if (is_limited)
		rv = limit_copy(call->session, args->object, is_token, &list);
	call->tmpl[0] = list.attrs;
	call->tmpl_count[0] = list.count;
	if (rv != CKR_OK) {
		attr_list_free(&list);
		return rv;
	}
	rv = pending_check(call->group, list.attrs, list.count);
	if (rv == CKR_OK)
		rv = pending_run(call, tokens, app);
	attr_list_free(&list);
	return rv;
}

static CK_RV create_in(struct session *s, struct args *args)
{
	struct call call = call_for(CALL_C_CreateObject, s, 0);
	CK_RV rv;

	if (!args->made || (!args->tmpl && args->count))
		return CKR_ARGUMENTS_BAD;
	rv = attr_check(args->tmpl, args->count);
	if (rv != CKR_OK)
		return rv;
	return make(&call, args, attr_bool(args->tmpl, args->count, CKA_TOKEN, false), false);
}

CK_RV object_create(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *object)
{
	return in_session(CALL_C_CreateObject, session, create_in,
			  &(struct args){.tmpl = tmpl, .count = count, .made = object});
}

/* Whether the object says that it must not be copied. A token that does not know the attribute
 * allows it, as the standard's default does. */
static bool is_copyable(struct session *s, CK_OBJECT_HANDLE object)
{
	CK_BBOOL b = CK_TRUE;
	CK_ATTRIBUTE a = {CKA_COPYABLE, &b, sizeof b};

	return object_read_in(s, object, &a, 1, NULL) != CKR_OK || b != CK_FALSE;
}

static CK_RV copy_in(struct session *s, struct args *args)
{
	struct call call = call_for(CALL_C_CopyObject, s, args->object);
	struct object_view view;
	bool is_token;
	CK_RV rv;

	if (!args->made || (!args->tmpl && args->count))
		return CKR_ARGUMENTS_BAD;
	if (!object_resolve(s->group, args->object, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	rv = attr_check(args->tmpl, args->count);
	if (rv == CKR_OK)
		rv = object_is_token(s, view.handle, &is_token);
	if (rv != CKR_OK)
		return rv;
	if (!is_copyable(s, view.handle))
		return CKR_ACTION_PROHIBITED;
	rv = pending_check(s->group, args->tmpl, args->count);
	if (rv != CKR_OK)
		return rv;
	if (is_token && alias_fits(args->tmpl, args->count)) {
		rv = call_decide(&call);
		if (rv != CKR_OK)
			return rv;
		return alias_make(s, view.handle, args->tmpl, args->count, args->made);
	}
	return make(&call, args, attr_bool(args->tmpl, args->count, CKA_TOKEN, is_token),
		    is_token && replicate_is_on(s->group));
}

CK_RV object_copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE *tmpl,
		  CK_ULONG count, CK_OBJECT_HANDLE *copy)
{
	return in_session(
		CALL_C_CopyObject, session, copy_in,
		&(struct args){.object = object, .tmpl = tmpl, .count = count, .made = copy});
}

/* Token objects cannot be changed in a read-only session. */
static CK_RV check_write(struct session *s, CK_OBJECT_HANDLE object)
{
	bool is_token = false;
	CK_RV rv = CKR_OK;

	if (!session_is_rw(s))
		rv = object_is_token(s, object, &is_token);
	if (rv != CKR_OK)
		return rv;
	return is_token ? CKR_SESSION_READ_ONLY : CKR_OK;
}

/* Looks an object up; one that stands for another which is gone is no object any more. */
static bool find_object(struct session *s, CK_OBJECT_HANDLE handle, struct object_view *view)
{
	struct object_view target;

	return object_get(s->group, handle, view) && object_resolve(s->group, handle, &target);
}

static CK_RV destroy_in(struct session *s, struct args *args)
{
	struct call call = call_for(CALL_C_DestroyObject, s, args->object);
	struct object_view view;
	CK_RV rv;

	if (!find_object(s, args->object, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	if (view.target) {
		alias_drop(args->object);
		object_drop(args->object);
		return CKR_OK;
	}
	rv = check_write(s, args->object);
	if (rv == CKR_OK)
		rv = call_run(&call);
	if (rv == CKR_OK) {
		object_drop(args->object);
		session_release_homes(s);
	}
	return rv;
}

CK_RV object_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	return in_session(CALL_C_DestroyObject, session, destroy_in,
			  &(struct args){.object = object});
}

static CK_RV size_in(struct session *s, struct args *args)
{
	struct call call = call_for(CALL_C_GetObjectSize, s, args->object);
	CK_RV rv;

	if (!args->size)
		return CKR_ARGUMENTS_BAD;
	rv = call_run(&call);
	if (rv == CKR_OK)
		*args->size = call.size;
	return rv;
}

CK_RV object_size(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG *size)
{
	return in_session(CALL_C_GetObjectSize, session, size_in,
			  &(struct args){.object = object, .size = size});
}

/* Whether the policy lets attributes be read. */
static CK_RV decide_read(struct session *s, CK_OBJECT_HANDLE object)
{
	struct call call = call_for(CALL_C_GetAttributeValue, s, object);

	return call_decide(&call);
}

static CK_RV read_in(struct session *s, struct args *args)
{
	struct object_view view;
	CK_RV rv = CKR_OK;

	if ((!args->out && args->count) || args->count > ATTR_MAX_COUNT)
		return CKR_ARGUMENTS_BAD;
	if (policy_speaks(s->group->conf->policy, ACT_GET_ATTR))
		rv = decide_read(s, args->object);
	if (rv != CKR_OK)
		return rv;
	if (atomic_load(&s->group->aliases) > 0 && find_object(s, args->object, &view) &&
	    view.target)
		return alias_read(s, args->object, args->out, args->count);
	return object_show(s, args->object, args->out, args->count);
}

CK_RV object_read(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		  CK_ULONG count)
{
	return in_session(CALL_C_GetAttributeValue, session, read_in,
			  &(struct args){.object = object, .out = tmpl, .count = count});
}

/* What is known of an object follows its change. */
static void note_change(struct call *c)
{
	const CK_ATTRIBUTE *tmpl = c->tmpl[0];
	CK_ULONG count = c->tmpl_count[0];
	CK_OBJECT_HANDLE object = c->object[0].handle;

	if (!c->group->is_multi)
		return;
	object_keep_change(c->group, object, tmpl, count);
	if (attr_find(tmpl, count, CKA_LABEL) || attr_find(tmpl, count, CKA_ID) ||
	    attr_find(tmpl, count, CKA_VALUE) || identity_secret_is_way(tmpl, count))
		object_renamed(c, object);
}

static CK_RV write_in(struct session *s, struct args *args)
{
	struct call call = call_for(CALL_C_SetAttributeValue, s, args->object);
	struct attr_list list = {0};
	struct object_view view;
	CK_RV rv;

	if (!args->tmpl && args->count)
		return CKR_ARGUMENTS_BAD;
	if (!find_object(s, args->object, &view))
		return CKR_OBJECT_HANDLE_INVALID;
	rv = attr_list_copy(args->tmpl, args->count, &list);
	if (rv != CKR_OK)
		return rv;
	call.tmpl[0] = list.attrs;
	call.tmpl_count[0] = list.count;
	rv = pending_check(s->group, list.attrs, list.count);
	if (rv == CKR_OK)
		rv = call_decide(&call);
	if (rv == CKR_OK && view.target)
		rv = alias_write(args->object, list.attrs, list.count);
	else if (rv == CKR_OK)
		rv = check_write(s, args->object);
	if (rv == CKR_OK && !view.target && replicate_is_on(s->group))
		rv = overlay_check_change(s, args->object, list.attrs, &call.tmpl_count[0]);
	if (rv == CKR_OK && !view.target && (call.tmpl_count[0] > 0 || list.count == 0)) {
		rv = call_run(&call);
		key_facts_forget();
		if (rv == CKR_OK)
			note_change(&call);
	}
	attr_list_free(&list);
	return rv;
}

CK_RV object_write(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, const CK_ATTRIBUTE *tmpl,
		   CK_ULONG count)
{
	return in_session(CALL_C_SetAttributeValue, session, write_in,
			  &(struct args){.object = object, .tmpl = tmpl, .count = count});
}

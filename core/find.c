/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches: members are asked once, at C_FindObjectsInit, on sessions of their own, so
 * that a search never stands in the way of an operation (SoftHSM2 allows one thing at a time in a
 * session). The result is a snapshot of virtual handles. Guarded by the session's lock. */
#include "core/find.h"

#include <stdlib.h>
#include <string.h>

#include "core/alias.h"
#include "core/base/attr.h"
#include "core/object.h"
#include "core/object_show.h"
#include "core/overlay.h"
#include "core/replicate.h"

struct find {
	struct buf handles; /* CK_OBJECT_HANDLE each */
	size_t next;        /* index of the first not given yet */
};

void find_end(struct session *s)
{
	if (!s->find)
		return;
	buf_free(&s->find->handles);
	free(s->find);
	s->find = NULL;
}

static CK_OBJECT_HANDLE *handles_in(const struct buf *b)
{
	return (CK_OBJECT_HANDLE *)(void *)b->data;
}

static CK_RV ask(struct session *s, struct attr_list *list, struct buf *found)
{
	struct call call = {
		.id = CALL_C_FindObjectsInit,
		.place = CALL_BORROW,
		.group = s->group,
		.session = s,
		.tmpl = {list->attrs},
		.tmpl_count = {list->count},
		.found = found,
		.is_decided = true, /* for each object that is found: object_show_found() */
	};
	CK_ULONG shown =
		replicate_is_on(s->group) ? overlay_split(list->attrs, &call.tmpl_count[0]) : 0;
	CK_RV rv = call_run(&call);

	if (rv == CKR_OK && shown > 0)
		rv = overlay_filter(s, list->attrs + call.tmpl_count[0], shown, found);
	if (rv == CKR_OK && atomic_load(&s->group->aliases) > 0)
		rv = alias_find(s, list->attrs, list->count, found);
	if (rv == CKR_OK)
		rv = object_show_found(s, found);
	return rv;
}

static CK_RV init_in(struct session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct attr_list list = {0};
	struct buf found = {0};
	CK_RV rv;

	if (s->find)
		return CKR_OPERATION_ACTIVE;
	rv = attr_list_copy(tmpl, count, &list);
	if (rv != CKR_OK)
		return rv;
	rv = ask(s, &list, &found);
	attr_list_free(&list);
	if (rv == CKR_OK) {
		s->find = calloc(1, sizeof *s->find);
		rv = s->find ? CKR_OK : CKR_HOST_MEMORY;
	}
	if (rv == CKR_OK)
		s->find->handles = found;
	else
		buf_free(&found);
	return rv;
}

CK_RV find_init(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = init_in(s, tmpl, count);
	session_give(s);
	return rv;
}

static CK_RV next_in(struct session *s, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
	struct find *f = s->find;
	size_t left, n;

	if (!objects || !count)
		return CKR_ARGUMENTS_BAD;
	if (!f)
		return CKR_OPERATION_NOT_INITIALIZED;
	left = f->handles.len / sizeof *objects - f->next;
	n = left < max ? left : max;
	if (n > 0)
		memcpy(objects, handles_in(&f->handles) + f->next, n * sizeof *objects);
	f->next += n;
	*count = n;
	return CKR_OK;
}

CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = next_in(s, objects, max, count);
	session_give(s);
	return rv;
}

CK_RV find_final(CK_SESSION_HANDLE session)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!s->find)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	find_end(s);
	session_give(s);
	return rv;
}

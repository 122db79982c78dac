/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches among what is known of objects without asking a member: for members that are away, and
 * to notice that one left something out. */
#include <string.h>

#include "core/object_table.h"
#include "core/object_trait.h"

/* More objects than this are not looked through at every search. */
#define LOOK_MAX 256U

/* A search template against what is known of an object without asking. */
static bool attribute_is(const struct trait *t, const CK_ATTRIBUTE *a)
{
	const CK_BBOOL is_token = t->id.is_token, is_private = t->id.is_private;
	const void *value;
	size_t len;

	switch (a->type) {
	case CKA_CLASS:
		value = &t->id.class, len = sizeof t->id.class;
		break;
	case CKA_KEY_TYPE:
		value = &t->id.key_type, len = sizeof t->id.key_type;
		break;
	case CKA_ID:
		value = t->id.id.data, len = t->id.id.len;
		break;
	case CKA_LABEL:
		value = t->id.label.data, len = t->id.label.len;
		break;
	case CKA_TOKEN:
		value = &is_token, len = sizeof is_token;
		break;
	case CKA_PRIVATE:
		value = &is_private, len = sizeof is_private;
		break;
	default:
		return false;
	}
	return a->ulValueLen == len && (len == 0 || memcmp(a->pValue, value, len) == 0);
}

static bool is_match(const struct trait *t, const struct call *c)
{
	for (CK_ULONG i = 0; i < c->tmpl_count[0]; i++)
		if (!attribute_is(t, &c->tmpl[0][i]))
			return false;
	return !t->is_hidden && !t->tmpl;
}

static bool has_handle(const struct buf *list, CK_OBJECT_HANDLE handle)
{
	const CK_OBJECT_HANDLE *h = (const CK_OBJECT_HANDLE *)(const void *)list->data;

	for (size_t i = 0; i < list->len / sizeof *h; i++)
		if (h[i] == handle)
			return true;
	return false;
}

/* A look through the traits of a group. */
struct look {
	struct call *call;
	const struct buf *found;
	struct buf *out;
	unsigned answered;
	unsigned count;
	bool is_user; /* sees what is private */
	bool is_missing;
	bool ok;
};

/* True when the object is on one of these members in its present epoch. */
static bool is_on(const struct trait *t, unsigned members)
{
	const struct object *o = object_slot(t->handle);

	for (unsigned i = 0; o && i < t->group->member_count; i++)
		if ((members & 1U << i) && atomic_load(&o->at[i].found) &&
		    atomic_load(&o->at[i].found) == atomic_load(&t->group->members[i].epoch))
			return true;
	return false;
}

/* True when a member that did not answer had the object when it was seen last. */
static bool may_be_away(const struct trait *t, unsigned answered)
{
	const struct object *o = object_slot(t->handle);

	for (unsigned i = 0; o && i < t->group->member_count; i++)
		if (!(answered & 1U << i) && atomic_load(&o->at[i].found))
			return true;
	return false;
}

static bool add_away(struct trait *t, void *context)
{
	struct look *l = context;
	CK_OBJECT_HANDLE handle = t->handle;

	if (!is_match(t, l->call) || is_on(t, l->answered) || !may_be_away(t, l->answered) ||
	    has_handle(l->out, handle))
		return true;
	l->ok = buf_add(l->out, &handle, sizeof handle);
	return l->ok;
}

CK_RV object_found_away(struct call *c, unsigned answered, struct buf *out)
{
	struct look l = {.call = c, .out = out, .answered = answered, .ok = true};

	trait_lock();
	trait_each(c->group, add_away, &l);
	trait_unlock();
	return l.ok ? CKR_OK : CKR_HOST_MEMORY;
}

static bool see_missing(struct trait *t, void *context)
{
	struct look *l = context;

	if (l->count++ >= LOOK_MAX)
		return false;
	l->is_missing = (l->is_user || !t->id.is_private) && is_match(t, l->call) &&
			is_on(t, l->answered) && !has_handle(l->found, t->handle);
	return !l->is_missing;
}

bool object_is_missing(struct call *c, const struct buf *out)
{
	struct look l = {.call = c,
			 .found = out,
			 .answered = 1U << c->member->index,
			 .is_user = atomic_load(&c->group->user) == GROUP_USER};

	trait_lock();
	trait_each(c->group, see_missing, &l);
	trait_unlock();
	return l.is_missing;
}

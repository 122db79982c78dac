/* SPDX-License-Identifier: BSD-2-Clause */
/* Records on a member: data objects, found by their label, of which record_text.c is the value.
 *
 * A record is replaced by making the new one before the old ones are destroyed: a cut in between
 * leaves two, of which the newer counts. The label has 96 bits of the fingerprint only, because
 * some tokens keep no more than 32 bytes of a label; the text has all of it.
 *
 * Anybody who may write public objects on a member can write one that looks like a record. So one
 * that is private counts before one that is not, whatever their versions say. No lock; the session
 * is the caller's alone. */
#include "core/record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/identity_attr.h"
#include "core/identity_use.h"
#include "core/member_op.h"
#include "core/orphan.h"
#include "core/vendor.h"

/* CKA_APPLICATION of every record. */
#define APPLICATION "hsmux"

/* A label: the prefix and this many digits, with its NUL. */
#define DIGITS     24U
#define LABEL_ROOM (sizeof RECORD_PREFIX - 1 + DIGITS + 1)

_Static_assert(LABEL_ROOM - 1 == 32, "tokens that keep 32 bytes of a label keep all of it");

/* What an object that looks like a record is. */
struct seen {
	CK_OBJECT_HANDLE real;
	bool is_record;       /* else it is damaged, or none of ours */
	struct record record; /* owned */
};

static void label_of(const uint8_t *print, char label[static LABEL_ROOM])
{
	size_t len = sizeof RECORD_PREFIX - 1;

	memcpy(label, RECORD_PREFIX, len);
	for (size_t i = 0; i < DIGITS / 2; i++, len += 2)
		(void)snprintf(label + len, 3, "%02x", print[i]); /* two digits, always */
}

/* Appends the handles of data objects that also have this attribute. */
static CK_RV find_by(struct member_session *ms, CK_ATTRIBUTE also, struct buf *found)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[2] = {{CKA_CLASS, &class, sizeof class}, also};
	struct call call = {.id = CALL_C_FindObjectsInit,
			    .group = ms->member->group,
			    .tmpl = {tmpl},
			    .tmpl_count = {also.pValue ? 2 : 1},
			    .found = found};

	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});
}

static CK_RV find_print(struct member_session *ms, const uint8_t *print, struct buf *found)
{
	char label[LABEL_ROOM];

	label_of(print, label);
	return find_by(ms, (CK_ATTRIBUTE){CKA_LABEL, label, LABEL_ROOM - 1}, found);
}

/* Not all tokens find by CKA_APPLICATION, or keep it: then all data objects are looked at. */
static CK_RV find_all(struct member_session *ms, struct buf *found)
{
	char application[] = APPLICATION;
	CK_RV rv = find_by(ms, (CK_ATTRIBUTE){CKA_APPLICATION, application, sizeof application - 1},
			   found);

	if (rv != CKR_OK && !identity_refuses(ms, rv))
		return rv;
	if (rv == CKR_OK && found->len > 0)
		return CKR_OK;
	found->len = 0;
	return find_by(ms, (CK_ATTRIBUTE){0}, found);
}

static size_t count_of(const struct buf *found)
{
	return found->len / sizeof(CK_OBJECT_HANDLE);
}

static CK_OBJECT_HANDLE handle_at(const struct buf *found, size_t i)
{
	CK_OBJECT_HANDLE real;

	memcpy(&real, found->data + i * sizeof real, sizeof real);
	return real;
}

static bool is_label(const CK_ATTRIBUTE *label)
{
	return label && label->ulValueLen == LABEL_ROOM - 1 &&
	       memcmp(label->pValue, RECORD_PREFIX, sizeof RECORD_PREFIX - 1) == 0;
}

/* Whether the label is that of the print in the text. */
static bool fits(const CK_ATTRIBUTE *label, const struct record *r)
{
	char wanted[LABEL_ROOM];

	label_of(r->print, wanted);
	return memcmp(label->pValue, wanted, LABEL_ROOM - 1) == 0;
}

static void say_damaged(const struct member *m, const CK_ATTRIBUTE *label)
{
	static struct log_limit limit;

	log_limited(
		&limit, LOG_LEVEL_WARN,
		"member %s of token %s: data object \"%.*s\" is damaged, or no record of hsmux: "
		"it counts as none",
		m->conf->name, m->group_label, (int)label->ulValueLen, (const char *)label->pValue);
}

/* Takes what the attributes say; a record that does not fit its label is none. CKR_HOST_MEMORY:
 * nothing can be said of it. */
static CK_RV take(struct member_session *ms, const struct identity_attrs *attrs, struct seen *out)
{
	const CK_ATTRIBUTE *label = identity_attr(attrs, CKA_LABEL);
	const CK_ATTRIBUTE *value = identity_attr(attrs, CKA_VALUE);
	struct record *r = &out->record;
	CK_RV rv = CKR_DATA_INVALID;

	if (!is_label(label))
		return CKR_OK;
	if (value)
		rv = record_parse(ms->member->group, value->pValue, value->ulValueLen, r);
	if (rv == CKR_HOST_MEMORY)
		return rv;
	if (rv != CKR_OK || !fits(label, r)) {
		say_damaged(ms->member, label);
		record_free(r);
		return CKR_OK;
	}
	r->is_guarded = attr_bool(attrs->a, attrs->count, CKA_PRIVATE, false);
	r->may_export = r->may_export && (r->is_guarded || r->is_public);
	out->is_record = true;
	return CKR_OK;
}

static CK_RV look(struct member_session *ms, CK_OBJECT_HANDLE real, struct seen *out)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_LABEL, CKA_VALUE, CKA_PRIVATE};
	struct identity_attrs attrs;
	CK_RV rv;

	*out = (struct seen){.real = real};
	rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &attrs);
	if (rv == CKR_OBJECT_HANDLE_INVALID)
		return CKR_OK; /* somebody else has destroyed it since */
	if (rv != CKR_OK)
		return rv;
	rv = take(ms, &attrs, out);
	identity_attrs_free(&attrs);
	return rv;
}

bool record_is_before(const struct record *a, const struct record *b)
{
	return a->is_guarded != b->is_guarded ? a->is_guarded : a->version > b->version;
}

static bool is_print(const struct record *r, const uint8_t *print)
{
	return memcmp(r->print, print, FINGERPRINT_LEN) == 0;
}

/* Takes over what was seen when it counts before `best`. */
static void keep_better(struct seen *seen, struct record *best, bool *found)
{
	if (*found && !record_is_before(&seen->record, best)) {
		record_free(&seen->record);
		return;
	}
	record_free(best);
	*best = seen->record;
	*found = true;
}

/* A member that forgot its login shows no private records, and does not say so: then what was not
 * found may be there. */
static CK_RV check_seen(struct member_session *ms, CK_RV rv)
{
	return rv == CKR_OK && !orphan_is_seen(ms) ? CKR_USER_NOT_LOGGED_IN : rv;
}

CK_RV record_find(struct member_session *ms, const uint8_t print[static FINGERPRINT_LEN],
		  struct record *out, bool *found)
{
	struct buf handles = {0};
	CK_RV rv = find_print(ms, print, &handles);

	*found = false;
	*out = (struct record){0};
	for (size_t i = 0; rv == CKR_OK && i < count_of(&handles); i++) {
		struct seen seen;

		rv = look(ms, handle_at(&handles, i), &seen);
		if (rv == CKR_OK && seen.is_record && is_print(&seen.record, print))
			keep_better(&seen, out, found);
		else if (rv == CKR_OK)
			record_free(&seen.record);
	}
	buf_free(&handles);
	rv = check_seen(ms, rv);
	if (rv != CKR_OK) {
		record_free(out);
		*found = false;
	}
	return rv;
}

/* Adds what was seen to the list, or takes it for the one of its print. Takes it over. */
static CK_RV list_add(struct record **list, size_t *count, struct seen *seen)
{
	struct record *all;
	bool found = true;

	for (size_t i = 0; i < *count; i++) {
		if (!is_print(&(*list)[i], seen->record.print))
			continue;
		keep_better(seen, &(*list)[i], &found);
		return CKR_OK;
	}
	all = reallocarray(*list, *count + 1, sizeof *all);
	if (!all) {
		record_free(&seen->record);
		return CKR_HOST_MEMORY;
	}
	all[(*count)++] = seen->record;
	*list = all;
	return CKR_OK;
}

CK_RV record_list(struct member_session *ms, struct record **list, size_t *count)
{
	struct buf handles = {0};
	CK_RV rv = find_all(ms, &handles);

	*list = NULL;
	*count = 0;
	for (size_t i = 0; rv == CKR_OK && i < count_of(&handles); i++) {
		struct seen seen;

		rv = look(ms, handle_at(&handles, i), &seen);
		if (rv == CKR_OK && seen.is_record)
			rv = list_add(list, count, &seen);
	}
	buf_free(&handles);
	rv = check_seen(ms, rv);
	if (rv == CKR_OK)
		return CKR_OK;
	for (size_t i = 0; i < *count; i++)
		record_free(&(*list)[i]);
	free(*list);
	*list = NULL;
	*count = 0;
	return rv;
}

static CK_RV destroy(struct member_session *ms, CK_OBJECT_HANDLE real)
{
	struct call call = {.id = CALL_C_DestroyObject, .group = ms->member->group};
	CK_RV rv = member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});

	/* One that is gone already was destroyed by somebody else. */
	return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_OK : rv;
}

/* Destroys those of the handles that are of the print, or damaged: what has its label and is no
 * record may be one that was written halfway. */
static CK_RV destroy_print(struct member_session *ms, const struct buf *handles,
			   const uint8_t *print)
{
	CK_RV first = CKR_OK;

	for (size_t i = 0; i < count_of(handles); i++) {
		struct seen seen;
		CK_RV rv = look(ms, handle_at(handles, i), &seen);

		if (rv == CKR_OK && (!seen.is_record || is_print(&seen.record, print)))
			rv = destroy(ms, seen.real);
		record_free(&seen.record);
		first = first == CKR_OK ? rv : first;
	}
	return first;
}

static CK_RV create(struct member_session *ms, const struct record *r, struct buf *text,
		    bool is_private)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE, private = is_private ? CK_TRUE : CK_FALSE;
	char label[LABEL_ROOM], application[] = APPLICATION;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_TOKEN, &yes, sizeof yes},
			       {CKA_PRIVATE, &private, sizeof private},
			       {CKA_LABEL, label, LABEL_ROOM - 1},
			       {CKA_APPLICATION, application, sizeof application - 1},
			       {CKA_VALUE, text->data, text->len}};
	struct call call = {.id = CALL_C_CreateObject,
			    .group = ms->member->group,
			    .tmpl = {tmpl},
			    .tmpl_count = {sizeof tmpl / sizeof tmpl[0]}};

	label_of(r->print, label);
	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});
}

/* Writes it with that version. */
static CK_RV write(struct member_session *ms, const struct record *r, unsigned long version)
{
	const struct group *g = ms->member->group;
	const bool is_private =
		!r->is_public;  /* without a login that fails: it is done another time */
	struct record now = *r; /* borrows what is in it */
	struct buf text = {0};
	CK_RV rv = CKR_HOST_MEMORY;

	now.version = version;
	if (record_text(g, &now, &text))
		rv = create(ms, r, &text, is_private);
	/* A code that says nothing does not make the record one that anybody may write. */
	if (rv != CKR_OK && rv != CKR_HOST_MEMORY && is_private && !identity_is_doubtful(rv) &&
	    identity_refuses(ms, rv))
		rv = create(ms, r, &text, false);
	buf_free(&text);
	return rv;
}

bool record_is_kept(const struct member *m)
{
	return !atomic_load(&m->lib->vendor)->no_data_objects;
}

CK_RV record_put(struct member_session *ms, const struct record *r)
{
	unsigned long version = r->version;
	struct buf old = {0};
	struct record last;
	bool found;
	CK_RV rv;

	if (!record_is_kept(ms->member))
		return CKR_OK;
	rv = record_find(ms, r->print, &last, &found);
	if (rv == CKR_OK && found && last.version >= version && last.version < ULONG_MAX)
		version = last.version + 1;
	if (rv == CKR_OK) {
		record_free(&last);
		rv = find_print(ms, r->print, &old);
	}
	if (rv == CKR_OK)
		rv = write(ms, r, version);
	if (rv == CKR_OK)
		rv = destroy_print(ms, &old, r->print);
	buf_free(&old);
	return rv;
}

CK_RV record_drop(struct member_session *ms, const uint8_t print[static FINGERPRINT_LEN])
{
	struct buf found = {0};
	CK_RV rv = find_print(ms, print, &found);

	if (rv == CKR_OK)
		rv = destroy_print(ms, &found, print);
	buf_free(&found);
	return check_seen(ms, rv);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels and tags in the templates of what is made. Values are never copied: those of keys stay
 * where the caller has them. */
#include "core/pending_tag.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/group.h"
#include "core/object.h"
#include "core/orphan.h"

/* Objects that the standard gives a label: data, certificates, keys, domain parameters. */
static bool has_label(const struct call *c)
{
	CK_ULONG class =
		attr_ulong(c->tmpl[0], c->tmpl_count[0], CKA_CLASS, CK_UNAVAILABLE_INFORMATION);

	return c->id != CALL_C_CreateObject || class <= CKO_SECRET_KEY ||
	       class == CKO_DOMAIN_PARAMETERS;
}

static bool some_member_keeps_labels(struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (atomic_load(&g->members[i].keeps_labels) && member_may_serve(&g->members[i]))
			return true;
	return false;
}

bool pending_tag_fits(const struct call *c, const bool is_token[2])
{
	if (!c->group->is_multi || !(is_token[0] || is_token[1]) || !has_label(c) ||
	    (c->mech && c->mech->made_count > 0) || (c->id == CALL_C_DeriveKey && !c->wants_made))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (is_token[i] && !attr_bool(c->tmpl[i], c->tmpl_count[i], CKA_MODIFIABLE, true))
			return false;
	return !some_member_keeps_labels(c->group);
}

/* A copy takes its label, and whether it may be changed, from what is copied. False when that
 * cannot be read, or forbids to name it. */
static bool read_source(struct pending_tag *t, const struct call *c)
{
	CK_OBJECT_HANDLE object = c->object[0].handle;
	CK_BBOOL modifiable = CK_TRUE;
	CK_ATTRIBUTE a = {CKA_MODIFIABLE, &modifiable, sizeof modifiable};
	CK_ATTRIBUTE label = {CKA_LABEL, NULL, 0}, asked;

	if (!attr_find(t->asked[0], t->asked_count[0], CKA_MODIFIABLE) &&
	    (object_read_in(c->session, object, &a, 1, NULL) != CKR_OK || modifiable == CK_FALSE))
		return false;
	if (attr_find(t->asked[0], t->asked_count[0], CKA_LABEL))
		return true;
	asked = label;
	if (object_read_in(c->session, object, &label, 1, &asked) != CKR_OK ||
	    label.ulValueLen > ATTR_MAX_VALUE || !buf_reserve(&t->copied, label.ulValueLen + 1))
		return false;
	label.pValue = t->copied.data;
	asked = label;
	if (object_read_in(c->session, object, &label, 1, &asked) != CKR_OK ||
	    label.ulValueLen > asked.ulValueLen)
		return false;
	t->label[0] = label;
	return true;
}

/* The template with the tag for a label. Of duplicates, each: a token may take either. */
static bool tag_template(struct pending_tag *t, unsigned i)
{
	const CK_ULONG n = t->asked_count[i];
	const CK_ATTRIBUTE *label = attr_find(t->asked[i], n, CKA_LABEL);
	const CK_ATTRIBUTE tag = {CKA_LABEL, t->tag, ORPHAN_TAG_LEN};
	CK_ATTRIBUTE *tmpl = calloc(n + 1, sizeof *tmpl);

	if (!tmpl)
		return false;
	if (n > 0)
		memcpy(tmpl, t->asked[i], n * sizeof *tmpl);
	for (CK_ULONG k = 0; k < n; k++)
		if (tmpl[k].type == CKA_LABEL)
			tmpl[k] = tag;
	if (!label)
		tmpl[n] = tag;
	t->tagged[i] = tmpl;
	t->tagged_count[i] = label ? n : n + 1;
	if (label)
		t->label[i] = *label;
	return true;
}

bool pending_tag_begin(struct pending_tag *t, struct call *c, const bool is_token[2])
{
	static char nothing[1];

	for (unsigned i = 0; i < 2; i++) {
		t->asked[i] = t->tagged[i] = c->tmpl[i];
		t->asked_count[i] = t->tagged_count[i] = c->tmpl_count[i];
		t->label[i] = (CK_ATTRIBUTE){CKA_LABEL, nothing, 0};
	}
	if (c->id == CALL_C_CopyObject && !read_source(t, c))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (is_token[i] && !tag_template(t, i))
			return false;
	return true;
}

static void withhold(struct pending_tag *t, unsigned i, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE *a = t->tagged[i];

	for (CK_ULONG k = 0; k < t->tagged_count[i] && !t->is_withheld[i]; k++) {
		CK_ATTRIBUTE last = a[t->tagged_count[i] - 1];

		if (a[k].type != type)
			continue;
		a[t->tagged_count[i] - 1] = a[k];
		a[k] = last;
		t->tagged_count[i]--;
		t->is_withheld[i] = true;
	}
}

void pending_tag_state(struct pending_tag *t, CK_ATTRIBUTE_TYPE type, bool is_stated)
{
	for (unsigned i = 0; i < 2; i++) {
		if (t->tagged[i] == t->asked[i])
			continue; /* the caller's own */
		if (!is_stated) {
			withhold(t, i, type);
		} else if (t->is_withheld[i]) {
			t->tagged_count[i]++;
			t->is_withheld[i] = false;
		}
	}
}

void pending_tag_use(const struct pending_tag *t, struct call *c, bool is_tagged)
{
	for (unsigned i = 0; i < 2; i++) {
		c->tmpl[i] = is_tagged ? t->tagged[i] : t->asked[i];
		c->tmpl_count[i] = is_tagged ? t->tagged_count[i] : t->asked_count[i];
	}
}

void pending_tag_end(struct pending_tag *t, struct call *c)
{
	pending_tag_use(t, c, false);
	for (unsigned i = 0; i < 2; i++)
		if (t->tagged[i] != t->asked[i])
			free(t->tagged[i]);
	buf_free(&t->copied);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Key: objects as JSON, and their PKCS#11 URIs. */
#include <stdlib.h>
#include <string.h>

#include <p11-kit/uri.h>

#include "core/base/names.h"
#include "tools/key.h"

static void put_hex(struct json *j, const char *key, const void *bytes, size_t len)
{
	struct buf text = {0};
	const unsigned char *p = bytes;
	bool ok = buf_printf(&text, "%s", "");

	for (size_t i = 0; ok && i < len; i++)
		ok = buf_printf(&text, "%02x", p[i]);
	json_string(j, key, ok ? (const char *)text.data : NULL);
	buf_free(&text);
}

static void put_text(struct json *j, const char *key, const struct buf *bytes)
{
	struct buf text = {0};
	bool ok = buf_add(&text, bytes->data, bytes->len) && buf_add(&text, "", 1);

	json_string(j, key, ok ? (const char *)text.data : NULL);
	buf_free(&text);
}

void key_json_members(struct json *j, const struct group *g, unsigned mask, const char *key)
{
	json_list(j, key);
	for (size_t i = 0; i < g->member_count; i++)
		if (mask & 1U << i)
			json_string(j, NULL, g->members[i].conf->name);
	json_list_end(j);
}

static void put_drift(struct json *j, const struct inventory *inv, const struct logical *l)
{
	json_list(j, "drift");
	for (size_t i = 0; i < inv->group->member_count; i++) {
		const CK_ATTRIBUTE_TYPE *type =
			(const CK_ATTRIBUTE_TYPE *)(const void *)l->drift[i].data;
		size_t n = l->drift[i].len / sizeof(*type);
		char spare[NAME_MAX_LEN];

		if (n == 0)
			continue;
		json_object(j, NULL);
		json_string(j, "member", inv->group->members[i].conf->name);
		json_list(j, "attributes");
		for (size_t k = 0; k < n; k++)
			json_string(j, NULL, name_of(NAME_ATTRIBUTE, type[k], spare));
		json_list_end(j);
		json_object_end(j);
	}
	json_list_end(j);
}

static void put_notes(struct json *j, const struct record *r)
{
	json_object(j, "notes");
	for (int i = 0; r != NULL && i < RECORD_NOTES; i++)
		if (r->note[i] != NULL)
			json_string(j, record_note_name((enum record_note)i), r->note[i]);
	json_object_end(j);
	if (r != NULL)
		put_hex(j, "fingerprint", r->print, sizeof(r->print));
}

void key_json(struct json *j, const struct inventory *inv, const struct logical *l, const char *key)
{
	const struct identity *id = &logical_first(l)->id;
	unsigned all = group_all(inv->group);
	char spare[NAME_MAX_LEN];

	json_object(j, key);
	put_text(j, "label", &id->label);
	put_hex(j, "id", id->id.data, id->id.len);
	json_string(j, "class", logical_class_name(id->class, spare));
	json_string(j, "type", l->type);
	json_list(j, "use");
	for (unsigned i = 0; i < LOGICAL_USES; i++)
		if (l->use & 1U << i)
			json_string(j, NULL, logical_use_name((enum logical_use)(1U << i)));
	json_list_end(j);
	json_number(j, "ordinal", l->ordinal);
	json_string(j, "state", logical_state_name(l->state));
	json_list(j, "facts");
	for (unsigned i = 0; i < LOGICAL_STATES; i++)
		if (l->facts & 1U << i)
			json_string(j, NULL, logical_state_name((enum logical_state)i));
	json_list_end(j);
	key_json_members(j, inv->group, l->holders, "holders");
	key_json_members(j, inv->group, l->missing, "missing");
	key_json_members(j, inv->group, all & ~inv->asked, "unknown");
	put_drift(j, inv, l);
	put_notes(j, l->record);
	json_object_end(j);
}

char *key_uri(struct group *g, const struct buf *label, const struct buf *id, CK_OBJECT_CLASS class)
{
	P11KitUri *uri = p11_kit_uri_new();
	CK_ATTRIBUTE name = {CKA_LABEL, label->data, label->len};
	CK_ATTRIBUTE number = {CKA_ID, id->data, id->len};
	CK_ATTRIBUTE kind = {CKA_CLASS, &class, sizeof(class)};
	CK_TOKEN_INFO *token = uri != NULL ? p11_kit_uri_get_token_info(uri) : NULL;
	char *text = NULL, *out = NULL;

	if (token == NULL)
		return NULL;
	memcpy(token->label, g->label, sizeof(token->label));
	memcpy(token->serialNumber, g->serial, sizeof(token->serialNumber));
	if ((label->len == 0 || p11_kit_uri_set_attribute(uri, &name) == P11_KIT_URI_OK) &&
	    (id->len == 0 || p11_kit_uri_set_attribute(uri, &number) == P11_KIT_URI_OK) &&
	    (class == CK_UNAVAILABLE_INFORMATION ||
	     p11_kit_uri_set_attribute(uri, &kind) == P11_KIT_URI_OK) &&
	    p11_kit_uri_format(uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) == P11_KIT_URI_OK)
		out = strdup(text);
	free(text);
	p11_kit_uri_free(uri);
	return out;
}

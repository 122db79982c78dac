/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key generate, key destroy: keys come and go as an application would have it.
 *
 * A name is used once: what has the label or the id already is never doubled, and what several have
 * is never destroyed. */
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/find.h"
#include "core/object_call.h"
#include "tools/enter.h"
#include "tools/key_make.h"
#include "tools/key_note.h"

static void say_made(const struct key_work *w, const struct key_found *made)
{
	const struct identity *id = &logical_first(made->half[0])->id;
	char *uri = key_uri(w->group, &id->label, &id->id, CK_UNAVAILABLE_INFORMATION);
	struct json j = {.out = stdout};

	if (w->options->json) {
		json_object(&j, NULL);
		json_string(&j, "uri", uri);
		key_json(&j, w->inv, made->half[0], "key");
		json_object_end(&j);
		putchar('\n');
	} else {
		printf("%s\n", uri != NULL ? uri : "?");
	}
	free(uri);
}

/* What has these names now. */
static bool find_made(const struct key_work *w, const struct buf *id, struct key_found *found)
{
	*found = (struct key_found){{NULL}};
	for (size_t i = 0; i < w->inv->logical_count; i++) {
		const struct logical *l = &w->inv->logicals[i];
		CK_OBJECT_CLASS class = logical_first(l)->id.class;

		if ((class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY) &&
		    key_is_named(l, NULL, id)) {
			*found = (struct key_found){{l, key_other_half(w->inv, l)}};
			return true;
		}
	}
	return false;
}

static bool read_order(const struct tool_options *o, struct key_order *order)
{
	if (o->type == NULL || o->label == NULL || o->label[0] == '\0') {
		fprintf(stderr, "hsmux: %s is missing\n",
			o->type == NULL ? "--type" : "--label, or what it is");
		return false;
	}
	order->type = o->type;
	if (!key_read_uses(o->use, &order->use) || (o->id != NULL && !key_hex(o->id, &order->id)))
		return false;
	return buf_add(&order->label, o->label, strlen(o->label)) &&
	       (o->id != NULL || key_new_id(&order->id));
}

static enum tool_exit generate(struct key_work *w, struct key_order *order)
{
	struct key_found made;
	enum tool_exit code = key_read(w, true);

	if (code != TOOL_YES)
		return code;
	if (!key_is_free(w, &order->label, &order->id))
		return TOOL_NO;
	code = key_make(w, order);
	if (code == TOOL_YES)
		code = key_read(w, true);
	if (code != TOOL_YES)
		return code;
	if (!find_made(w, &order->id, &made)) {
		tool_complain(w->group,
			      "the key was made and is not found: see \"hsmux key list\"");
		return TOOL_NO;
	}
	say_made(w, &made);
	return key_note_created(w, &made);
}

enum tool_exit tool_key_generate(const struct tool_options *options)
{
	struct key_order order = {.type = NULL};
	struct key_work w = {.options = options};
	enum tool_exit code = TOOL_USAGE;

	if (read_order(options, &order)) {
		code = key_begin(&w, options);
		if (code == TOOL_YES)
			code = generate(&w, &order);
		key_end(&w);
	}
	buf_free(&order.label);
	buf_free(&order.id);
	return code;
}

/* The virtual handles of an object, by all of its name. */
static CK_RV find_handles(const struct key_work *w, const struct logical *l,
			  CK_OBJECT_HANDLE found[2], CK_ULONG *count)
{
	const struct identity *id = &logical_first(l)->id;
	CK_OBJECT_CLASS class = id->class;
	CK_BBOOL is_token = CK_TRUE;
	CK_ATTRIBUTE tmpl[4] = {{CKA_CLASS, &class, sizeof(class)},
				{CKA_TOKEN, &is_token, sizeof(is_token)},
				{CKA_LABEL, id->label.data, id->label.len},
				{CKA_ID, id->id.data, id->id.len}};
	CK_RV rv = find_init(w->session, tmpl, class == CKO_DATA ? 3 : 4);

	if (rv != CKR_OK)
		return rv;
	rv = find_next(w->session, found, 2, count);
	(void)find_final(w->session); /* the session ends with the command */
	return rv;
}

static enum tool_exit destroy_one(const struct key_work *w, const struct logical *l)
{
	CK_OBJECT_HANDLE found[2];
	char code[NAME_MAX_LEN];
	CK_ULONG count = 0;
	CK_RV rv = find_handles(w, l, found, &count);

	if (rv == CKR_OK && count == 1)
		rv = object_destroy(w->session, found[0]);
	if (rv == CKR_OK && count == 1)
		return TOOL_YES;
	fputs("hsmux: ", stderr);
	key_put_name(stderr, l);
	fprintf(stderr, ": not destroyed: %s\n",
		rv != CKR_OK ? name_of(NAME_RV, rv, code)
		: count == 0 ? "it is not found any more"
			     : "several objects have its name");
	return TOOL_NO;
}

static enum tool_exit destroy(struct key_work *w)
{
	struct key_found found;
	enum tool_exit code = key_read(w, true);

	if (code == TOOL_YES)
		code = key_select(w, &found);
	if (code != TOOL_YES)
		return code;
	fputs("destroy ", stderr);
	key_put_name(stderr, found.half[0]);
	fputs(found.half[1] != NULL ? " and its public half\n" : "\n", stderr);
	if (!key_ask(w, "This cannot be undone."))
		return TOOL_NO;
	for (int i = 0; i < 2 && code == TOOL_YES; i++)
		if (found.half[i] != NULL)
			code = destroy_one(w, found.half[i]);
	if (code == TOOL_YES && w->options->json)
		puts("{\"destroyed\":true}");
	return code;
}

enum tool_exit tool_key_destroy(const struct tool_options *options)
{
	struct key_work w;
	enum tool_exit code = key_begin(&w, options);

	if (code == TOOL_YES)
		code = destroy(&w);
	key_end(&w);
	return code;
}

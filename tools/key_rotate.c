/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux key rotate: a successor of a key, and the old one retired.
 *
 * The successor is there, on as many members as the rule names, before the old one is retired; when
 * something fails in between there are two keys that work, and the command says so. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tools/enter.h"
#include "tools/key_make.h"
#include "tools/key_note.h"

/* "signing" -> "signing-2" -> "signing-3" */
static bool next_label(const struct buf *label, struct buf *out)
{
	size_t len = label->len, digits = 0;
	unsigned long number = 1;

	while (digits < len && digits < 9 && isdigit(label->data[len - 1 - digits]))
		digits++;
	if (digits > 0 && digits < len && label->data[len - 1 - digits] == '-') {
		number = 0;
		for (size_t i = len - digits; i < len; i++)
			number = number * 10 + (unsigned long)(label->data[i] - '0');
		len -= digits + 1;
	}
	return buf_add(out, label->data, len) && buf_printf(out, "-%lu", number + 1);
}

static bool fill_order(const struct key_work *w, const struct key_found *old,
		       struct key_order *order)
{
	const struct logical *l = old->half[0];
	const struct identity *id = &logical_first(l)->id;
	const char *label = w->options->new_label;

	order->type = w->options->type != NULL ? w->options->type : l->type;
	order->use = l->use | (old->half[1] != NULL ? old->half[1]->use : 0);
	order->is_exportable = l->record != NULL && l->record->may_export;
	return key_new_id(&order->id) &&
	       (label != NULL ? buf_add(&order->label, label, strlen(label))
			      : next_label(&id->label, &order->label));
}

static bool hex_of(const uint8_t print[static FINGERPRINT_LEN], struct buf *out)
{
	for (size_t i = 0; i < FINGERPRINT_LEN; i++)
		if (!buf_printf(out, "%02x", print[i]))
			return false;
	return true;
}

/* The successor's record: who asked for the old key asks for this one. */
static enum tool_exit note_new(const struct key_work *w, const struct logical *made,
			       const struct record *old, struct record *out)
{
	static const enum record_note same[] = {RECORD_PURPOSE, RECORD_OWNER};
	char now[KEY_TIME_LEN];
	struct buf print = {0};
	bool ok;

	if (!key_record(w, made, out))
		return TOOL_NO;
	key_now(now);
	ok = record_set_note(out, RECORD_CREATED, now) && hex_of(old->print, &print) &&
	     record_set_note(out, RECORD_PREVIOUS, (const char *)print.data);
	for (size_t i = 0; ok && i < sizeof(same) / sizeof(same[0]); i++)
		ok = old->note[same[i]] == NULL ||
		     record_set_note(out, same[i], old->note[same[i]]);
	buf_free(&print);
	return ok ? key_record_write(w, out) : TOOL_NO;
}

static enum tool_exit retire(const struct key_work *w, struct record *old,
			     const struct record *successor)
{
	struct buf print = {0};
	bool ok = hex_of(successor->print, &print) &&
		  record_set_note(old, RECORD_NEXT, (const char *)print.data);

	buf_free(&print);
	old->state = RECORD_RETIRED;
	return ok ? key_record_write(w, old) : TOOL_NO;
}

/* Nothing new is encrypted or wrapped by the public half; it still verifies. */
static enum tool_exit retire_public(const struct key_work *w, const struct logical *half)
{
	struct record r;
	enum tool_exit code;

	if (!key_record(w, half, &r))
		return TOOL_NO;
	r.state = RECORD_RETIRED;
	code = key_record_write(w, &r);
	record_free(&r);
	return code;
}

static void say(const struct key_work *w, const struct logical *old, const struct logical *made)
{
	const struct identity *a = &logical_first(old)->id, *b = &logical_first(made)->id;
	char *from = key_uri(w->group, &a->label, &a->id, CK_UNAVAILABLE_INFORMATION);
	char *to = key_uri(w->group, &b->label, &b->id, CK_UNAVAILABLE_INFORMATION);
	struct json j = {.out = stdout};

	if (w->options->json) {
		json_object(&j, NULL);
		json_string(&j, "old_uri", from);
		json_string(&j, "new_uri", to);
		key_json(&j, w->inv, old, "old");
		key_json(&j, w->inv, made, "new");
		json_object_end(&j);
		putchar('\n');
	} else {
		printf("retired: %s\nnew:     %s\n"
		       "In applications, replace the first by the second. The retired key still "
		       "verifies,\ndecrypts and unwraps; certificates name its public key, not the "
		       "new one.\n",
		       from != NULL ? from : "?", to != NULL ? to : "?");
	}
	free(from);
	free(to);
}

/* The key of these names, after the inventory was read anew. */
static const struct logical *find_key(const struct key_work *w, CK_OBJECT_CLASS class,
				      const struct buf *id)
{
	for (size_t i = 0; i < w->inv->logical_count; i++)
		if (logical_first(&w->inv->logicals[i])->id.class == class &&
		    key_is_named(&w->inv->logicals[i], NULL, id))
			return &w->inv->logicals[i];
	return NULL;
}

/* What became of both, from the members. */
static enum tool_exit say_anew(struct key_work *w, CK_OBJECT_CLASS class, const struct buf *old_id,
			       const struct buf *new_id)
{
	enum tool_exit code = key_read(w, true);
	const struct logical *old, *made;

	if (code != TOOL_YES)
		return code;
	old = find_key(w, class, old_id);
	made = find_key(w, class, new_id);
	if (old != NULL && made != NULL)
		say(w, old, made);
	return old != NULL && made != NULL ? TOOL_YES : TOOL_NO;
}

static enum tool_exit link_both(struct key_work *w, CK_OBJECT_CLASS class, const struct buf *new_id)
{
	struct record old = {.version = 0}, successor = {.version = 0};
	const struct logical *made;
	struct key_found found;
	enum tool_exit code = key_lock(w);

	if (code == TOOL_YES)
		code = key_read(w, true);
	if (code == TOOL_YES)
		code = key_select(w, &found);
	if (code != TOOL_YES)
		return code;
	made = find_key(w, class, new_id);
	code = TOOL_NO;
	if (made != NULL && key_record(w, found.half[0], &old))
		code = note_new(w, made, &old, &successor);
	if (code == TOOL_YES)
		code = retire(w, &old, &successor);
	if (code == TOOL_YES && found.half[1] != NULL)
		code = retire_public(w, found.half[1]);
	if (code == TOOL_YES)
		code = say_anew(w, class, &old.id, new_id);
	else
		tool_complain(w->group,
			      "the successor was made, the old key is not retired: destroy "
			      "the successor, or keep both");
	record_free(&old);
	record_free(&successor);
	return code;
}

static bool may_rotate(const struct key_work *w, const struct key_found *found)
{
	const struct logical *l = found->half[0];
	CK_OBJECT_CLASS class = logical_first(l)->id.class;

	if (!w->group->is_multi || w->group->conf->replicate == CONFIG_REPLICATE_NONE)
		tool_complain(w->group, "replicate = \"none\": no records are kept there, and "
					"rotation needs one");
	else if (class != CKO_PRIVATE_KEY && class != CKO_SECRET_KEY)
		tool_complain(w->group, "only private and secret keys can be rotated");
	else if (l->record != NULL && l->record->state == RECORD_RETIRED)
		tool_complain(w->group, "the key was rotated already: its successor is %s",
			      l->record->note[RECORD_NEXT] != NULL ? l->record->note[RECORD_NEXT]
								   : "not known");
	else
		return true;
	return false;
}

static enum tool_exit rotate(struct key_work *w, struct key_order *order)
{
	struct key_found found;
	CK_OBJECT_CLASS class;
	enum tool_exit code = key_read(w, true);

	if (code == TOOL_YES)
		code = key_select(w, &found);
	if (code != TOOL_YES)
		return code;
	if (!may_rotate(w, &found) || !fill_order(w, &found, order) ||
	    !key_is_free(w, &order->label, &order->id))
		return TOOL_NO;
	class = logical_first(found.half[0])->id.class;
	code = key_make(w, order);
	return code == TOOL_YES ? link_both(w, class, &order->id) : code;
}

enum tool_exit tool_key_rotate(const struct tool_options *options)
{
	struct key_order order = {.type = NULL};
	struct key_work w;
	enum tool_exit code = key_begin(&w, options);

	if (code == TOOL_YES)
		code = rotate(&w, &order);
	key_end(&w);
	buf_free(&order.label);
	buf_free(&order.id);
	return code;
}

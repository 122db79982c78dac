/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process that died, or a member that was lost, left to do.
 *
 * It stands in the journal (intent.h), the oldest first:
 *
 *   MAKE, not committed   whatever carries its tag is destroyed, everywhere
 *   MAKE, committed       what carries its tag gets its labels (replicate_make.c)
 *   DESTROY, CHANGE       the body is a record (record.h): it is written on the members, and those
 *                         that it says owe something are brought in line (repair.h)
 *
 * Of content that is changed there are two records: what it is, and what it will be. As long as
 * that is not committed, the first member, which the entry is owed by, has one or the other.
 *
 * A record that was written since counts before the one of the journal. */
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/health.h"
#include "core/orphan.h"
#include "core/repair.h"
#include "core/replicate.h"
#include "core/replicate_make.h"
#include "core/replicate_text.h"

bool record_text_line(const struct group *g, const struct record *r, struct buf *out)
{
	struct buf text = {0};
	bool ok = record_text(g, r, &text) && made_text_add_hex(out, text.data, text.len);

	buf_free(&text);
	return ok;
}

bool record_parse_line(const struct group *g, const struct buf *line, struct record *out)
{
	struct buf text = {0};
	bool ok = made_text_read_hex(line->data, line->len, &text) &&
		  record_parse(g, text.data, text.len, out) == CKR_OK;

	out->is_guarded = ok; /* the journal is this user's alone */
	buf_free(&text);
	return ok;
}

bool replicate_keep_debt(struct group *g, struct intents *lock, const struct record *r)
{
	struct intent in = {.kind = INTENT_CHANGE, .owed = group_all(g)};
	struct record kept = *r; /* borrows what is in it */
	char why[256];
	bool ok = true;

	kept.is_unwritten = true;
	if (r->owed)
		ok = orphan_tag(in.tag) && record_text_line(g, &kept, &in.body) &&
		     intents_begin(lock, &in, why, sizeof why);
	buf_free(&in.body);
	return ok;
}

/* Destroys what carries the tag on one member. True when nothing is left there. */
static bool undo_on(struct member *m, const char *tag)
{
	struct member_session *ms = replicate_session(m);
	bool is_seen, is_done;
	size_t n = 0;
	CK_RV rv;

	if (!ms)
		return false;
	is_seen = orphan_is_seen(ms);
	rv = orphan_destroy(ms, tag, &n);
	is_seen = is_seen && orphan_is_seen(ms); /* who was logged out saw public ones only */
	/* A token that is dead and polite finds nothing, either. */
	is_done = rv == CKR_OK && is_seen && (n > 0 || member_alive_now(m));
	if (n > 0)
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: %zu object(s) labelled \"%s\" of a creation that "
			"was not finished: %s",
			m->conf->name, m->group_label, n, tag,
			is_done ? "destroyed" : "cannot be destroyed now");
	replicate_leave(ms, rv == CKR_OK && is_seen);
	return is_done;
}

unsigned replicate_undo(struct group *g, struct intents *lock, const char *tag, unsigned where)
{
	for (unsigned i = 0; i < g->member_count; i++)
		if ((where & 1U << i) && undo_on(&g->members[i], tag))
			where &= ~(1U << i);
	intents_settle(lock, tag, where);
	return where;
}

void replicate_unreadable(const struct group *g, const char *tag)
{
	log_msg(LOG_LEVEL_ERROR,
		"token %s: the journal has an entry that cannot be read (%s): compare the members "
		"(hsmux key compare)",
		g->conf->label, tag);
}

/* The records of an intent's body: one, or of content that was changed two. */
static bool parse_records(const struct group *g, const struct buf *body, struct record r[2])
{
	const unsigned char *blank = body->len ? memchr(body->data, ' ', body->len) : NULL;
	struct buf first = *body, second = {0};

	if (blank) {
		first.len = (size_t)(blank - body->data);
		second.data = body->data + first.len + 1; /* borrowed, as `first` */
		second.len = body->len - first.len - 1;
	}
	return record_parse_line(g, &first, &r[0]) &&
	       (!blank || record_parse_line(g, &second, &r[1]));
}

/* What was written on the members since the entry was: it says more. Who owes by the one or the
 * other owes. False when the entry is void: the object was not destroyed, after all. */
static bool take_known(struct record *r, struct record *known)
{
	if (known->version < r->version || record_is_of_twin(known, &r->id, &r->label))
		return true;
	if (r->state == RECORD_DESTROYED && known->state != RECORD_DESTROYED)
		return false;
	known->owed |= r->state == RECORD_DESTROYED ? 0 : r->owed;
	record_free(r);
	*r = *known;
	*known = (struct record){.version = 0};
	return true;
}

/* The record goes to the members, and is carried out there. What the journal has to remember: from
 * now on the record says who owes, where somebody keeps it. */
static unsigned carry_out(struct group *g, struct intents *lock, struct record *r, char *why,
			  size_t why_len)
{
	struct record known;
	unsigned left = r->owed;
	bool found, is_void;
	CK_RV rv = replicate_find(g, r->print, !r->is_public, &known, &found);

	is_void = found && !r->is_unwritten && !take_known(r, &known);
	record_free(&known);
	if (is_void)
		return 0;
	r->version++; /* over one that is there already */
	if (rv != CKR_OK || (!r->is_unwritten && (unsigned)__builtin_popcount(replicate_write(
							 g, r)) < replicate_needed(g))) {
		(void)snprintf(why, why_len, "too few members can be told");
		return group_all(g);
	}
	if (repair_carry_out(g, r, lock, &left, why, why_len) == CKR_OK && left)
		(void)snprintf(why, why_len, "some are away");
	return replicate_keeps_records(g) && !r->is_unwritten ? 0 : left;
}

/* Content that the first member may have changed: what it has now counts; when it is away, what the
 * others have. False when that cannot be told yet; r[0].version is 0 when nothing is to be done. */
static bool decide(struct group *g, struct intents *lock, unsigned first, struct record r[2])
{
	bool is_new = false, is_old = false;

	if (repair_has(g, lock, &r[1], first, &is_new) != CKR_OK) {
		if (repair_has(g, lock, &r[0], group_all(g) & ~first & ~r[0].owed, &is_old) !=
			    CKR_OK ||
		    !is_old)
			return false;
		r[0].owed |= first;
		r[1].owed = first;
		r[1].state = RECORD_DESTROYED;
		return true;
	}
	if (!is_new && (repair_has(g, lock, &r[0], first, &is_old) != CKR_OK || !is_old))
		return false;
	r[0].state = RECORD_DESTROYED;
	r[0].owed = r[1].owed;
	if (!is_new)
		r[0].version = r[1].version = 0;
	return true;
}

/* The decision is on the disk before it is carried out. */
static bool keep_decision(struct group *g, struct intents *lock, const char *tag,
			  const struct record r[2], char *why, size_t why_len)
{
	struct buf body = {0};
	bool ok = record_text_line(g, &r[0], &body) && buf_add(&body, " ", 1) &&
		  record_text_line(g, &r[1], &body) &&
		  intents_commit(lock, tag, &body, group_all(g), why, why_len);

	buf_free(&body);
	return ok;
}

/* The records in an intent's body go to the members, and are carried out: ends before copies. */
static void recover_record(struct group *g, struct intents *lock, const struct intent *in)
{
	struct record r[2] = {{.version = 0}};
	const bool is_committed = in->is_committed;
	const unsigned owed = in->owed;
	char tag[MEMBER_TAG_ROOM];
	char why[256] = "one that changed an object, or not, is away";
	unsigned left = owed;

	(void)snprintf(tag, sizeof tag, "%s", in->tag); /* `in` goes with the next change */
	if (!parse_records(g, &in->body, r)) {
		replicate_unreadable(g, tag);
	} else if (r[1].version == 0 || is_committed ||
		   (decide(g, lock, owed, r) &&
		    (r[0].version == 0 || keep_decision(g, lock, tag, r, why, sizeof why)))) {
		const unsigned ends = r[1].state == RECORD_DESTROYED ? 1 : 0;

		left = 0;
		for (unsigned i = 0; i < 2; i++)
			if (r[i ^ ends].version > 0)
				left |= carry_out(g, lock, &r[i ^ ends], why, sizeof why);
	}
	record_free(&r[0]);
	record_free(&r[1]);
	if (left)
		log_msg(LOG_LEVEL_WARN, "token %s: members are not in line yet: %s", g->conf->label,
			why);
	if (left != owed)
		intents_settle(lock, tag, left);
}

static void recover_one(struct group *g, struct intents *lock, const struct intent *in)
{
	char tag[MEMBER_TAG_ROOM];

	if (in->kind != INTENT_MAKE) {
		recover_record(g, lock, in);
		return;
	}
	(void)snprintf(tag, sizeof tag, "%s", in->tag);
	if (in->is_committed)
		replicate_finish(g, lock, in);
	else
		(void)replicate_undo(g, lock, tag, in->owed); /* the journal keeps who is left */
}

void replicate_recover(struct group *g, struct intents *lock)
{
	for (size_t i = 0; i < intents_count(lock);) {
		const struct intent *in = intents_at(lock, i);
		char tag[MEMBER_TAG_ROOM];

		(void)snprintf(tag, sizeof tag, "%s", in->tag);
		recover_one(g, lock, in);
		in = intents_at(lock, i); /* what is over was taken out */
		i += in && strcmp(in->tag, tag) == 0 ? 1 : 0;
	}
}

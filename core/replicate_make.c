/* SPDX-License-Identifier: BSD-2-Clause */
/* A creation from its start to its names.
 *
 *   journal: begin(tag)        on the disk before a member is asked
 *     made on one member, under the tag (pending.c)
 *     copied to the others, under the tag, each copy proven and read back (replicate_copy.c)
 *     enough copies? else everything that carries the tag is destroyed
 *     locked, where the virtual token says so
 *   journal: commit            on the disk: from now on the object exists
 *     records, then names, on each holder (replicate_finish)
 *   journal: settled
 *
 * Whoever stops in the middle, or loses a member, leaves the journal's entry: before the commit
 * the next writer, or the next login, destroys what carries the tag; after it, it gives names. The
 * application has its handles after the commit only.
 *
 * The body of a committed entry, words with blanks between them:
 *   label CLASS HEX    what carries the tag and is of that class is called HEX ("-": nothing)
 *   record HEX         a record (record.h) that belongs to it
 * valid if and only if it consists of such pairs and triples. */
#include "core/replicate_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/choose.h"
#include "core/health.h"
#include "core/member_op.h"
#include "core/object.h"
#include "core/orphan.h"
#include "core/replicate_copy.h"
#include "core/replicate_text.h"
#include "core/replicate_wish.h"

/* As often it is tried to give an object its name: the first failure may have ended the session,
 * the second the login. */
#define FINISH_TRIES 3U

/* Keys whose every use changes them: on one member for ever. */
static bool is_stateful(const struct call *c)
{
	switch (c->mech ? c->mech->m.mechanism : CK_UNAVAILABLE_INFORMATION) {
	case CKM_HSS_KEY_PAIR_GEN:
	case CKM_XMSS_KEY_PAIR_GEN:
	case CKM_XMSSMT_KEY_PAIR_GEN:
		return true;
	default:
		return false;
	}
}

/* What this virtual token cannot make so that the rule holds. */
static CK_RV check_kind(const struct call *c)
{
	const char *label = c->group->conf->label;

	if (c->mech && c->mech->made_count > 0) {
		log_msg(LOG_LEVEL_WARN,
			"token %s: %s refused: further keys of one derivation cannot be token "
			"objects where keys are replicated",
			label, call_name(c->id));
		return CKR_MECHANISM_PARAM_INVALID;
	}
	if (is_stateful(c) && c->group->conf->replicate != CONFIG_REPLICATE_FIRST) {
		log_msg(LOG_LEVEL_WARN,
			"token %s: %s refused: a stateful key must never be on two members, and "
			"the rule wants it on %u (replicate = \"first\" holds it once)",
			label, call_name(c->id), replicate_needed(c->group));
		return CKR_MECHANISM_INVALID;
	}
	return CKR_OK;
}

static CK_RV make_templates(struct sharing *s)
{
	struct call *c = s->call;
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; rv == CKR_OK && i < 2; i++) {
		CK_ULONG n = 0;

		if (!s->is_token[i])
			continue;
		rv = wish_read(c, i, &s->wish[i]);
		if (rv == CKR_OK)
			rv = wish_template(&s->wish[i], c, i, &s->yes, &s->tmpl[i], &n);
		if (rv != CKR_OK)
			break;
		c->tmpl[i] = s->tmpl[i];
		c->tmpl_count[i] = n;
	}
	return rv;
}

CK_RV sharing_begin(struct sharing *s, struct call *c, const bool is_token[2])
{
	CK_RV rv = check_kind(c);

	s->call = c;
	s->is_token = is_token;
	s->yes = CK_TRUE;
	s->no = CK_FALSE;
	for (unsigned i = 0; i < 2; i++) {
		s->asked[i] = c->tmpl[i];
		s->asked_count[i] = c->tmpl_count[i];
	}
	if (rv == CKR_OK)
		rv = make_templates(s);
	if (rv == CKR_OK)
		rv = replicate_enter(c->group, call_name(c->id), &s->lock);
	for (unsigned i = 0; rv == CKR_OK && i < 2; i++)
		if (is_token[i])
			rv = wish_check_id(&s->wish[i], c, i);
	return rv;
}

CK_RV sharing_aim(struct sharing *s, bool *is_trusted)
{
	struct call *c = s->call;
	struct member_session *ms;
	struct member *m;
	CK_RV rv;

	*is_trusted = false;
	c->only = 0;
	m = choose_member(c, choose_able(c) & ~s->tried);
	if (!m) {
		s->tried = 0;
		m = choose_member(c, choose_able(c));
	}
	if (!m)
		return CKR_DEVICE_ERROR;
	s->tried |= 1U << m->index;
	c->only = 1U << m->index;
	if (!s->wish[0].is_trusted_only && !s->wish[1].is_trusted_only)
		return CKR_OK;
	ms = replicate_session(m);
	rv = ms ? copying_is_trusted(ms, is_trusted) : CKR_DEVICE_ERROR;
	replicate_leave(ms, rv == CKR_OK);
	return rv;
}

static void say_no_journal(const struct sharing *s, const char *why)
{
	log_msg(LOG_LEVEL_ERROR, "token %s: %s refused: %s", s->call->group->conf->label,
		call_name(s->call->id), why);
}

bool sharing_intend(struct sharing *s, const char *tag)
{
	struct group *g = s->call->group;
	struct intent in = {.kind = INTENT_MAKE, .owed = group_all(g)};
	char why[256];

	(void)snprintf(in.tag, sizeof in.tag, "%s", tag);
	s->holders = 0;
	s->is_over = s->is_undone = false;
	if (intents_begin(s->lock, &in, why, sizeof why))
		return true;
	say_no_journal(s, why);
	return false;
}

void sharing_withdraw(struct sharing *s, const char *tag, unsigned where)
{
	if (!s->is_undone)
		intents_settle(s->lock, tag, where);
}

/* The rule cannot be met, in this try. */
static CK_RV too_few(struct sharing *s, CK_RV rv, const struct copying *why)
{
	s->is_over = s->is_over || why->is_unable;
	(void)snprintf(s->why, sizeof s->why, "it would be on %u: %s",
		       (unsigned)__builtin_popcount(s->holders), why->why);
	if (why->is_unable)
		return CKR_MECHANISM_INVALID;
	return rv == CKR_HOST_MEMORY || rv == CKR_DEVICE_MEMORY ? rv : CKR_DEVICE_ERROR;
}

/* Members that cannot have it for want of a way do not owe it. */
static unsigned owing(const struct sharing *s, const struct copying *copying)
{
	const unsigned everyone = group_all(s->call->group);

	return everyone & ~s->holders & ~copying->unable;
}

/* What cannot be wrapped where it was made could never be copied to those who lack it now. */
static CK_RV check_closed(struct sharing *s, const struct copying *copying)
{
	const unsigned left = owing(s, copying);

	if (!left || (!copying->object[0].is_closed && !copying->object[1].is_closed))
		return CKR_OK;
	s->is_over = !(left & replicate_serving(s->call->group));
	(void)snprintf(
		s->why, sizeof s->why,
		"it would be on %u: a copy of a key that cannot be wrapped has to be made on "
		"all members at once",
		(unsigned)__builtin_popcount(s->holders));
	return s->is_over ? CKR_TOKEN_WRITE_PROTECTED : CKR_DEVICE_ERROR;
}

/* Copies to everybody who serves; who fails is said, and may be one too many. */
static CK_RV spread(struct sharing *s, struct member_session *ms, struct copying *copying)
{
	struct group *g = s->call->group;
	CK_RV rv = CKR_OK, last = CKR_OK;

	for (unsigned i = 0; i < g->member_count; i++) {
		struct member *m = &g->members[i];

		if (m == ms->member || !member_may_serve(m))
			continue;
		rv = copy_to(copying, m);
		if (rv == CKR_OK) {
			s->holders |= 1U << i;
			continue;
		}
		last = rv;
		if (rv == CKR_HOST_MEMORY || !copying->is_source_good)
			break;
	}
	if ((unsigned)__builtin_popcount(s->holders) < replicate_needed(g))
		return too_few(s, last, copying);
	return check_closed(s, copying);
}

/* From here on it exists. */
static CK_RV decide(struct sharing *s, const char *tag, const struct copying *copying,
		    const CK_ATTRIBUTE label[2])
{
	struct buf body = {0};
	char why[256];
	CK_RV rv = copying_body(copying, label, owing(s, copying), &body);

	if (rv == CKR_OK && !intents_commit(s->lock, tag, &body, s->holders, why, sizeof why)) {
		say_no_journal(s, why);
		rv = CKR_DEVICE_ERROR;
	}
	buf_free(&body);
	return rv;
}

static const struct intent *intent_of(const struct intents *lock, const char *tag)
{
	for (size_t i = 0; i < intents_count(lock); i++)
		if (strcmp(intents_at(lock, i)->tag, tag) == 0)
			return intents_at(lock, i);
	return NULL;
}

CK_RV sharing_share(struct sharing *s, struct member_session *ms, const char *tag,
		    const CK_ATTRIBUTE label[2])
{
	struct group *g = s->call->group;
	struct copying copying = {.sharing = s, .from = ms};
	const struct intent *in;
	CK_RV rv = copying_begin(&copying);

	s->holders = 1U << ms->member->index;
	if (rv == CKR_OK)
		rv = spread(s, ms, &copying);
	if (rv == CKR_OK)
		rv = copying_lock(&copying);
	if (rv == CKR_OK)
		rv = decide(s, tag, &copying, label);
	if (rv != CKR_OK) {
		copying_end(&copying); /* its sessions may hold what is destroyed now */
		s->is_undone = true;
		(void)replicate_undo(g, s->lock, tag, group_all(g));
		return rv;
	}
	copying_end(&copying);
	/* What is left after that, the next writer or login finishes. */
	for (unsigned i = 0; i < 2 && (in = intent_of(s->lock, tag)) != NULL; i++)
		replicate_finish(g, s->lock, in);
	return CKR_OK;
}

void sharing_choose(struct sharing *s)
{
	struct call *c = s->call;
	struct group *g = c->group;

	if (c->made_epoch == atomic_load(&c->member->epoch) && member_may_serve(c->member))
		return;
	for (unsigned i = 0; i < g->member_count; i++) {
		struct member *m = &g->members[i];

		if (!(s->holders & 1U << i) || s->epoch[i] != atomic_load(&m->epoch) ||
		    !member_may_serve(m) || (s->is_token[0] != s->is_token[1] && c->made[1]))
			continue;
		c->member = m;
		c->made_epoch = s->epoch[i];
		c->made[0] = s->real[i][0];
		c->made[1] = s->real[i][1];
		return;
	}
}

void sharing_tell(const struct sharing *s)
{
	const struct group *g = s->call->group;

	if (s->why[0])
		log_msg(LOG_LEVEL_ERROR,
			"token %s: %s failed: the rule names %u of %zu members, and %s",
			g->conf->label, call_name(s->call->id), replicate_needed(g),
			g->member_count, s->why);
}

void sharing_note(struct sharing *s, CK_OBJECT_HANDLE *const app[2])
{
	struct group *g = s->call->group;

	for (unsigned i = 0; i < g->member_count; i++)
		for (unsigned k = 0; k < 2; k++)
			if ((s->holders & 1U << i) && &g->members[i] != s->call->member && app[k] &&
			    s->is_token[k] && s->real[i][k])
				object_note_copy(g, *app[k], &g->members[i], s->epoch[i],
						 s->real[i][k]);
}

void sharing_end(struct sharing *s)
{
	for (unsigned i = 0; i < 2; i++) {
		s->call->tmpl[i] = s->asked[i];
		s->call->tmpl_count[i] = s->asked_count[i];
		free(s->tmpl[i]);
	}
	s->call->only = 0;
	intents_close(s->lock);
	s->lock = NULL;
}

/* Gives one object its name. */
static CK_RV name_one(struct member_session *ms, CK_OBJECT_HANDLE real, const struct named *n)
{
	CK_ATTRIBUTE label = {CKA_LABEL, n->label.data, n->label.len};
	struct call call = {
		.id = CALL_C_SetAttributeValue,
		.group = ms->member->group,
		.tmpl = {&label},
		.tmpl_count = {1},
	};

	if (!label.pValue)
		label.pValue = &call; /* nothing of it is read */
	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});
}

/* What carries the tag and is of this class. */
static CK_RV name_class(struct member_session *ms, const char *tag, const struct named *n,
			unsigned *named)
{
	struct buf found = {0};
	const CK_OBJECT_HANDLE *h;
	CK_RV rv = orphan_find(ms, tag, n->class, &found);

	h = (const CK_OBJECT_HANDLE *)(const void *)found.data;
	for (size_t i = 0; rv == CKR_OK && i < found.len / sizeof *h; i++) {
		rv = name_one(ms, h[i], n);
		*named += rv == CKR_OK ? 1 : 0;
	}
	buf_free(&found);
	return rv;
}

/* Unless a newer one is there: the entry may have waited. */
static CK_RV put_record(struct member_session *ms, const struct record *r)
{
	struct record last;
	bool found;
	CK_RV rv = r->is_unwritten ? CKR_OK : record_find(ms, r->print, &last, &found);

	if (rv != CKR_OK || r->is_unwritten)
		return rv;
	if (!found || last.version < r->version)
		rv = record_put(ms, r);
	record_free(&last);
	return rv;
}

/* Records first: an object that is seen is seen with them. True when all is done there. Who lost
 * its login in between has shown public objects only. */
static bool finish_once(struct member *m, const char *tag, const struct made_text *text)
{
	struct member_session *ms = replicate_session(m);
	bool is_seen;
	unsigned named = 0;
	CK_RV rv = CKR_OK;

	if (!ms)
		return false;
	is_seen = orphan_is_seen(ms);
	for (unsigned i = 0; rv == CKR_OK && i < text->record_count; i++)
		rv = put_record(ms, &text->record[i]);
	for (unsigned i = 0; rv == CKR_OK && i < text->name_count; i++)
		rv = name_class(ms, tag, &text->name[i], &named);
	is_seen = is_seen && orphan_is_seen(ms);
	replicate_leave(ms, rv == CKR_OK && is_seen);
	/* Named before, unless the member only says so. */
	return rv == CKR_OK && is_seen && (named > 0 || member_alive_now(m));
}

/* A failure that passes does not leave the object without its name for longer than that: nobody
 * could find it there. */
static bool finish_on(struct member *m, const char *tag, const struct made_text *text)
{
	for (unsigned i = 0; i < FINISH_TRIES; i++)
		if (finish_once(m, tag, text))
			return true;
	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: a new object cannot be given its name now: done when the "
		"member is back",
		m->conf->name, m->group_label);
	return false;
}

/* Who owes an object that has no record of its own stands in an entry of its own from now on; twice
 * when the process dies before the first one is over. */
static bool keep_debts(struct group *g, struct intents *lock, const struct made_text *text)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < text->record_count; i++)
		ok = !text->record[i].is_unwritten ||
		     replicate_keep_debt(g, lock, &text->record[i]);
	return ok;
}

void replicate_finish(struct group *g, struct intents *lock, const struct intent *in)
{
	struct made_text text;
	char tag[MEMBER_TAG_ROOM];
	unsigned owed = in->owed;

	(void)snprintf(tag, sizeof tag, "%s", in->tag); /* `in` goes with the next change */
	if (!made_text_parse(g, &in->body, &text)) {
		replicate_unreadable(g, tag);
		return;
	}
	for (unsigned i = 0; i < g->member_count; i++)
		if ((owed & 1U << i) && finish_on(&g->members[i], tag, &text))
			owed &= ~(1U << i);
	if (owed || keep_debts(g, lock, &text))
		intents_settle(lock, tag, owed);
	made_text_free(&text);
}

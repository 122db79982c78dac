/* SPDX-License-Identifier: BSD-2-Clause */
/* The rule, the way in, and what is left to do after a crash.
 *
 * What is unfinished stands in the journal (intent.h):
 *
 *   MAKE, not committed   whatever carries its tag is destroyed, everywhere
 *   MAKE, committed       what carries its tag gets its labels (replicate_make.c)
 *   DESTROY, CHANGE       the body is a record (record.h): it is written on the members, and those
 *                         that it says owe something are brought in line (repair.h)
 *
 * The lock of intent.h is held in all of them. */
#include "core/replicate.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/names.h"
#include "core/health.h"
#include "core/login.h"
#include "core/orphan.h"
#include "core/repair.h"
#include "core/replicate_make.h"
#include "core/replicate_text.h"
#include "core/replicate_twin.h"

/* How long a writer waits for another one: the longest key generation of software tokens (RSA of
 * 8192 bits) on a slow machine. */
#define LOCK_WAIT_MS 60000
/* The same for those who only look whether something is left: they do without. */
#define LOOK_WAIT_MS 5000

unsigned replicate_needed(const struct group *g)
{
	switch (g->conf->replicate) {
	case CONFIG_REPLICATE_ALL:
		return (unsigned)g->member_count;
	case CONFIG_REPLICATE_MAJORITY:
		return (unsigned)g->member_count / 2 + 1;
	case CONFIG_REPLICATE_FIRST:
	case CONFIG_REPLICATE_NONE:
		break;
	}
	return 1;
}

unsigned replicate_serving(const struct group *g)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < g->member_count; i++)
		if (member_may_serve(&g->members[i]))
			mask |= 1U << i;
	return mask;
}

struct member_session *replicate_session(struct member *m)
{
	struct member_session *ms = NULL;

	if (atomic_load(&m->state) != MEMBER_UP || atomic_load(&m->is_drained) ||
	    atomic_load(&m->is_refusing))
		return NULL;
	if (atomic_load(&m->group->user) != atomic_load(&m->user))
		login_sync(m->group, m);
	if (group_waits_for(m) || pool_take(m, 0, m->group->config->retry.budget_ms, &ms) != CKR_OK)
		return NULL;
	return ms;
}

/* Whether the session was lost, or with it the login: the next one is logged in again then. */
static bool has_forgotten(struct member_session *ms)
{
	CK_STATE state = CKS_RW_PUBLIC_SESSION;
	CK_RV rv;

	if (atomic_load(&ms->member->group->user) != GROUP_USER || !member_shows_user(ms->member))
		return false;
	rv = pool_state(ms, &state);
	return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
	       (rv == CKR_OK && !pool_is_user(state));
}

void replicate_leave(struct member_session *ms, bool is_good)
{
	struct member *m = ms ? ms->member : NULL;
	bool is_over;
	unsigned epoch;

	if (ms && is_good)
		pool_give(ms, 0);
	if (!ms || is_good)
		return;
	is_over = has_forgotten(ms);
	epoch = ms->epoch;
	pool_drop(ms);
	if (is_over)
		login_refresh(m->group, m, epoch);
}

static unsigned count(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

/* Waits for those that the rule needs, within the budget. */
static bool has_enough(struct group *g)
{
	const unsigned everyone = (1U << g->member_count) - 1;
	const long long deadline = clock_ms() + g->config->retry.budget_ms;

	while (count(replicate_serving(g)) < replicate_needed(g))
		if (!health_wait(g, everyone & ~replicate_serving(g), deadline))
			return false;
	return true;
}

/* The names of the members in `mask`. */
static const char *names_of(const struct group *g, unsigned mask, char *out, size_t len)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < g->member_count && n < len; i++)
		if (mask & 1U << i)
			n += (size_t)snprintf(out + n, len - n, "%s%s", n ? ", " : "",
					      g->members[i].conf->name);
	return out;
}

static CK_RV refuse(struct group *g, const char *what)
{
	char names[256];

	log_msg(LOG_LEVEL_ERROR,
		"token %s: %s refused: the rule names %u of %zu members, and only %u serve "
		"(missing: %s)",
		g->conf->label, what, replicate_needed(g), g->member_count,
		count(replicate_serving(g)),
		names_of(g, ((1U << g->member_count) - 1) & ~replicate_serving(g), names,
			 sizeof names));
	return CKR_TOKEN_WRITE_PROTECTED;
}

CK_RV replicate_enter(struct group *g, const char *what, struct intents **lock)
{
	char why[256];

	if (!has_enough(g))
		return refuse(g, what);
	*lock = intents_open(g, LOCK_WAIT_MS, why, sizeof why);
	if (!*lock) {
		log_msg(LOG_LEVEL_ERROR, "token %s: %s refused: %s", g->conf->label, what, why);
		return CKR_DEVICE_ERROR;
	}
	replicate_recover(g, *lock);
	if (count(replicate_serving(g)) >= replicate_needed(g))
		return CKR_OK;
	intents_close(*lock);
	*lock = NULL;
	return refuse(g, what);
}

unsigned replicate_write(struct group *g, const struct record *r)
{
	char code[NAME_MAX_LEN];
	unsigned done = 0;

	for (unsigned i = 0; i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		CK_RV rv = ms ? record_put(ms, r) : CKR_DEVICE_ERROR;

		if (rv == CKR_OK)
			done |= 1U << i;
		else if (ms)
			log_msg(LOG_LEVEL_WARN,
				"member %s of token %s: what hsmux keeps beside an object cannot "
				"be "
				"written there: %s",
				g->members[i].conf->name, g->conf->label,
				name_of(NAME_RV, rv, code));
		replicate_leave(ms, rv == CKR_OK);
	}
	return done;
}

/* Takes it away everywhere; one that stays says that nobody owes anything. */
static void drop_everywhere(struct group *g, const struct record *r)
{
	for (unsigned i = 0; i < g->member_count; i++) {
		struct member_session *ms = replicate_session(&g->members[i]);
		CK_RV rv = ms ? record_drop(ms, r->print) : CKR_OK;

		replicate_leave(ms, rv == CKR_OK);
	}
}

void replicate_settle(struct group *g, struct record *r)
{
	const unsigned all = (1U << g->member_count) - 1;
	unsigned written;

	r->version++;
	written = replicate_write(g, r);
	if (written == all && record_is_idle(r)) {
		drop_everywhere(g, r);
	} else if (all & ~written & ~r->owed) {
		r->owed |= all & ~written;
		r->version++;
		(void)replicate_write(g, r); /* who does not see it now is told when it is back */
	}
}

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

bool replicate_keeps_records(const struct group *g)
{
	for (unsigned i = 0; i < g->member_count; i++)
		if (member_may_serve(&g->members[i]) && record_is_kept(&g->members[i]))
			return true;
	return false;
}

/* The record goes to the members, and is carried out there. What the journal has to remember: from
 * now on the record says who owes, where somebody keeps it. */
static unsigned carry_out(struct group *g, struct intents *lock, struct record *r, char *why,
			  size_t why_len)
{
	const unsigned all = (1U << g->member_count) - 1;
	unsigned left = r->owed;

	r->version++; /* over one that is there already */
	if (twin_has_record(g, r, &r->is_unwritten) != CKR_OK ||
	    (!r->is_unwritten && count(replicate_write(g, r)) < replicate_needed(g))) {
		(void)snprintf(why, why_len, "too few members can be told");
		return all;
	}
	if (repair_carry_out(g, r, lock, &left, why, why_len) == CKR_OK && left)
		(void)snprintf(why, why_len, "some are away");
	return replicate_keeps_records(g) && !r->is_unwritten ? 0 : left;
}

/* The record in an intent's body goes to the members, and is carried out. */
static void recover_record(struct group *g, struct intents *lock, const struct intent *in)
{
	const unsigned all = (1U << g->member_count) - 1;
	struct record r[2] = {{.version = 0}};
	char tag[MEMBER_TAG_ROOM];
	char why[256] = "";
	unsigned left = 0;

	(void)snprintf(tag, sizeof tag, "%s", in->tag); /* `in` goes with the next change */
	if (!parse_records(g, &in->body, r)) {
		replicate_unreadable(g, tag);
		record_free(&r[0]);
		return;
	}
	/* Content that the first member may have changed is what the others have. */
	if (in->kind == INTENT_CHANGE && !in->is_committed &&
	    (r[0].class == CKO_DATA || r[0].class == CKO_DOMAIN_PARAMETERS))
		r[0].owed = all & ~r[0].owed;
	for (unsigned i = 0; i < 2; i++) {
		if (r[i].version == 0)
			continue;
		left |= carry_out(g, lock, &r[i], why, sizeof why);
		record_free(&r[i]);
	}
	if (left)
		log_msg(LOG_LEVEL_WARN, "token %s: members are not in line yet: %s", g->conf->label,
			why);
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
	size_t n = intents_count(lock);

	/* Backwards: what is over is taken out of the list. */
	while (n-- > 0)
		if (n < intents_count(lock))
			recover_one(g, lock, intents_at(lock, n));
}

/* `m`, and who serves beside it. False when somebody else writes, or one cannot be brought in line.
 */
static bool bring_in_line(struct member *m, char *why, size_t why_len)
{
	struct intents *lock = intents_open(m->group, LOOK_WAIT_MS, why, why_len);
	bool ok;

	if (!lock)
		return false;
	replicate_recover(m->group, lock);
	ok = repair_owed(m->group, m, lock, why, why_len) == CKR_OK;
	intents_close(lock);
	return ok;
}

void replicate_login(struct group *g)
{
	char why[256] = "";

	if (!replicate_is_on(g) || atomic_load(&g->user) != GROUP_USER)
		return;
	for (unsigned i = 0; i < g->member_count; i++) {
		if (!member_may_serve(&g->members[i]))
			continue;
		if (!bring_in_line(&g->members[i], why, sizeof why))
			log_msg(LOG_LEVEL_WARN, "token %s: members are not in line yet: %s",
				g->conf->label, why);
		return; /* all who serve were looked at */
	}
}

bool replicate_return(struct member *m, char *why, size_t why_len)
{
	const struct group *g = m->group;

	if (!replicate_is_on(g) || atomic_load(&g->user) != GROUP_USER)
		return true; /* what is private is not seen: with the next login */
	return bring_in_line(m, why, why_len);
}

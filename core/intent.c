/* SPDX-License-Identifier: BSD-2-Clause */
/* The write lock of a virtual token, and its journal: intent_file.c is the file, intent_text.c its
 * format.
 *
 * The file's lock excludes other processes, not other threads. So a list of what is held in this
 * process comes first (`held`): who is in it has the file open, and nobody else opens it. A journal
 * is one thread's from intents_open() to intents_close(); only the list has a lock.
 *
 * What is in memory is what the file says: it changes when a line was written. A failure to write
 * that something is over is the exception; the next reader then does it once more. */
#include "core/intent.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/intent_file.h"
#include "core/intent_text.h"

/* A journal of this size that cannot be emptied is written anew. */
#define LONG (64 << 10)

struct intents {
	struct intents *next; /* in `held`; guarded by held_lock */
	const struct group *group;
	pthread_t owner;
	struct intent_file file;
	struct intent_list list;
};

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static struct intents *held;      /* guarded by held_lock */
static struct intents *inherited; /* of the parents of this process; never used */

/* False when somebody else holds it; *is_own: this thread does. */
static bool try_hold(struct intents *all, bool *is_own)
{
	const unsigned char *serial = all->group->serial;
	const struct intents *other;

	pthread_mutex_lock(&held_lock);
	for (other = held; other; other = other->next)
		if (memcmp(other->group->serial, serial, sizeof all->group->serial) == 0)
			break;
	*is_own = other && pthread_equal(other->owner, pthread_self());
	if (!other) {
		all->owner = pthread_self();
		all->next = held;
		held = all;
	}
	pthread_mutex_unlock(&held_lock);
	return !other;
}

static void unhold(const struct intents *all)
{
	struct intents **at = &held;

	pthread_mutex_lock(&held_lock);
	while (*at && *at != all)
		at = &(*at)->next;
	if (*at)
		*at = all->next;
	pthread_mutex_unlock(&held_lock);
}

/* Closes the file before the next thread may open it. */
static void release(struct intents *all)
{
	intent_file_close(&all->file);
	unhold(all);
	intent_list_free(&all->list);
	free(all);
}

/* What cannot be believed is kept for the operator. */
static bool put_aside(const struct intents *all, const struct buf *text, unsigned line, char *why,
		      size_t why_len)
{
	const struct intent_file *f = &all->file;

	if (!intent_file_put_aside(f, text, why, why_len))
		return false;
	log_msg(LOG_LEVEL_ERROR,
		"journal %s/%s of token %s: line %u is damaged: it and what follows is not "
		"believed, what was decided there counts as undecided; a copy is kept in "
		"%s.damaged; compare the members with \"hsmux key compare\"",
		f->directory, f->name, all->group->conf->label, line, f->name);
	return true;
}

static bool take_text(struct intents *all, const struct buf *text, char *why, size_t why_len)
{
	size_t good = 0;
	unsigned line = 0;

	switch (intent_list_read(&all->list, all->group, text->data, text->len, &good, &line)) {
	case INTENT_READ_ALL:
	case INTENT_READ_TORN:
		break;
	case INTENT_READ_DAMAGED:
		if (!put_aside(all, text, line, why, why_len))
			return false;
		break;
	case INTENT_READ_OTHER:
		intent_file_say(&all->file, "was written by another version of hsmux", why,
				why_len);
		return false;
	case INTENT_READ_MEMORY:
		intent_file_say(&all->file, "not enough memory", why, why_len);
		return false;
	}
	return intent_file_keep(&all->file, good, why, why_len);
}

/* What is owed to members that the configuration does not have any more. */
static void say_strange(const struct intents *all)
{
	static struct log_limit limit;

	for (size_t i = 0; i < all->list.count; i++) {
		const struct intent_entry *e = &all->list.entry[i];

		if (e->strange.len == 0)
			continue;
		log_limited(&limit, LOG_LEVEL_WARN,
			    "journal %s/%s of token %s: \"%s\" is not finished on %s, which the "
			    "configuration does not have: add it again, or remove the file when "
			    "that token is gone for good",
			    all->file.directory, all->file.name, all->group->conf->label,
			    e->intent.tag, (const char *)e->strange.data);
	}
}

static bool open_held(struct intents *all, long long until_us, char *why, size_t why_len)
{
	struct buf text = {0};
	bool ok = intent_file_open(&all->file, until_us, why, why_len) &&
		  intent_file_read(&all->file, &text, why, why_len) &&
		  take_text(all, &text, why, why_len);

	buf_free(&text);
	if (ok)
		say_strange(all);
	return ok;
}

struct intents *intents_open(const struct group *g, long long wait_ms, char *why, size_t why_len)
{
	long long until_us = clock_us() + wait_ms * 1000;
	struct intents *all = calloc(1, sizeof *all);
	bool is_own = false;

	if (!all || !intent_file_name(&all->file, g)) {
		(void)snprintf(why, why_len, "journal of token %s: %s", g->conf->label,
			       all ? "the path of its directory is too long" : "not enough memory");
		free(all);
		return NULL;
	}
	all->group = g;
	while (!try_hold(all, &is_own)) {
		if (!is_own && !intent_file_is_over(until_us))
			continue;
		intent_file_say(&all->file,
				is_own ? "this thread has it locked already"
				       : "another thread of this process keeps it locked",
				why, why_len);
		free(all);
		return NULL;
	}
	if (open_held(all, until_us, why, why_len))
		return all;
	release(all);
	return NULL;
}

void intents_close(struct intents *all)
{
	char sum[INTENT_SUM_LEN + 1];
	struct buf text = {0};

	if (!all)
		return;
	if (all->list.count == 0)
		intent_file_empty(&all->file);
	else if (all->file.size > LONG && intent_list_text(&all->list, all->group, &text, sum))
		intent_file_replace(&all->file, &text);
	buf_free(&text);
	release(all);
}

bool intents_any(const struct group *g)
{
	struct intent_file f;

	return intent_file_name(&f, g) && intent_file_any(&f);
}

size_t intents_count(const struct intents *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->list.count; i++)
		n += intent_entry_is_parked(&all->list.entry[i]) ? 0 : 1;
	return n;
}

const struct intent *intents_at(const struct intents *all, size_t i)
{
	for (size_t k = 0; k < all->list.count; k++)
		if (!intent_entry_is_parked(&all->list.entry[k]) && i-- == 0)
			return &all->list.entry[k].intent;
	return NULL;
}

typedef bool line_fn(struct buf *out, char sum[static INTENT_SUM_LEN + 1], const struct group *g,
		     const struct intent_entry *e);

/* Writes a line about `e`, behind the first one where the file is empty. */
static bool write_line(struct intents *all, line_fn *line, const struct intent_entry *e, bool syncs,
		       char *why, size_t why_len)
{
	char sum[INTENT_SUM_LEN + 1] = "";
	struct buf text = {0};
	bool ok = true;

	if (all->file.size > 0)
		memcpy(sum, all->list.sum, sizeof sum);
	else
		ok = intent_line_head(&text, sum);
	if (!ok || !line(&text, sum, all->group, e)) {
		intent_file_say(&all->file, "not enough memory", why, why_len);
		ok = false;
	} else {
		ok = intent_file_append(&all->file, &text, syncs, why, why_len);
	}
	if (ok)
		memcpy(all->list.sum, sum, sizeof sum);
	buf_free(&text);
	return ok;
}

static bool is_line(const struct buf *body)
{
	return body->len == 0 || !memchr(body->data, '\n', body->len);
}

bool intents_begin(struct intents *all, const struct intent *intent, char *why, size_t why_len)
{
	struct intent_entry *e;

	if (!is_line(&intent->body) || !intent_text_is_tag(intent->tag) ||
	    intent_list_find(&all->list, intent->tag)) {
		intent_file_say(&all->file, "what is to be written is no line, or is there already",
				why, why_len);
		return false;
	}
	if (!intent_list_add(&all->list, intent)) {
		intent_file_say(&all->file, "not enough memory", why, why_len);
		return false;
	}
	e = &all->list.entry[all->list.count - 1];
	e->intent.is_committed = false;
	if (write_line(all, intent_line_begin, e, true, why, why_len))
		return true;
	intent_list_remove(&all->list, e);
	return false;
}

bool intents_commit(struct intents *all, const char *tag, const struct buf *body, unsigned owed,
		    char *why, size_t why_len)
{
	struct intent_entry *e = intent_list_find(&all->list, tag), next;

	if (!e || !is_line(body)) {
		intent_file_say(&all->file, "what is to be written is no line, or did not begin",
				why, why_len);
		return false;
	}
	next = *e;
	next.intent.owed = owed;
	next.intent.is_committed = true;
	next.intent.body = (struct buf){0};
	if (buf_add(&next.intent.body, body->data, body->len) &&
	    write_line(all, intent_line_commit, &next, true, why, why_len)) {
		buf_free(&e->intent.body);
		*e = next;
		return true;
	}
	if (next.intent.body.len < body->len)
		intent_file_say(&all->file, "not enough memory", why, why_len);
	buf_free(&next.intent.body);
	return false;
}

void intents_settle(struct intents *all, const char *tag, unsigned owed)
{
	struct intent_entry *e = intent_list_find(&all->list, tag);
	static struct log_limit limit;
	char why[STATE_PATH + 200];

	if (!e)
		return;
	e->intent.owed = owed;
	if (!write_line(all, intent_line_settle, e, false, why, sizeof why))
		log_limited(&limit, LOG_LEVEL_WARN,
			    "journal of token %s: what is done will be done once more: %s",
			    all->group->conf->label, why);
	if (owed == 0 && e->strange.len == 0)
		intent_list_remove(&all->list, e);
}

/* Their threads do not exist here, and may have been in the middle of a change: nothing of theirs
 * is read or freed but the descriptors. The parent's lock does not end with these. */
void intents_forget_parent(void)
{
	struct intents **at = &held;

	for (; *at; at = &(*at)->next)
		intent_file_close(&(*at)->file);
	*at = inherited;
	inherited = held;
	held = NULL;
	pthread_mutex_init(&held_lock, NULL);
}

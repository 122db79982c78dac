/* SPDX-License-Identifier: BSD-2-Clause */
/* Replication: the rule of a virtual token, and the way in and out of a change of its objects.
 *
 * Whatever makes, changes or destroys token objects of a virtual token that replicates goes through
 * replicate_enter(): one writer at a time, what was left unfinished is finished or undone first,
 * and nothing begins while fewer members serve than the rule names. */
#ifndef HSMUX_CORE_REPLICATE_H
#define HSMUX_CORE_REPLICATE_H

#include <stdbool.h>

#include "core/call.h"
#include "core/group.h"
#include "core/intent.h"
#include "core/record.h"

/* Whether the virtual token replicates. */
static inline bool replicate_is_on(const struct group *g)
{
	return g->conf->replicate != CONFIG_REPLICATE_NONE;
}

/* On how many members an object has to be. */
unsigned replicate_needed(const struct group *g);

/* Members that serve now, a bit each. */
unsigned replicate_serving(const struct group *g);

/* Begins a change (`what`: "C_GenerateKey", for the log): waits for members within the retry
 * budget, takes the lock, finishes what was left. CKR_TOKEN_WRITE_PROTECTED when fewer members
 * serve than the rule names, CKR_DEVICE_ERROR when the lock or the journal cannot be had; the log
 * says why. The caller ends it with intents_close(). No lock but a session's is held. */
CK_RV replicate_enter(struct group *g, const char *what, struct intents **lock);

/* Finishes or undoes, as far as members that serve allow, what a process that died or a member that
 * was lost left. The lock is held. */
void replicate_recover(struct group *g, struct intents *lock);

/* An application has logged in, or began to: what was left is finished, and members that missed
 * something are brought in line. Next to nothing when there is nothing. */
void replicate_login(struct group *g);

/* A member is back, logged in as the token is, and does not serve yet: brings it in line with those
 * that serve. False when that cannot be done now: it must not serve then, and `why` says why. */
bool replicate_return(struct member *m, char *why, size_t why_len);

/* Whether a member that serves keeps records. */
bool replicate_keeps_records(const struct group *g);

/* Writes a record on all members that can be reached: a bit for each where that was done. */
unsigned replicate_write(struct group *g, const struct record *r);

/* The same when something was done about it. A record that says nothing any more is taken away, but
 * not before every member has seen that it owes nobody; members that did not see it owe that. */
unsigned replicate_settle(struct group *g, struct record *r);

/* The record of this print that counts of those that members have which can be reached, and which
 * is believed of an object that is private, or not; the caller frees it. Without one (*found false)
 * its version says what those that are written next have to be above. CKR_DEVICE_ERROR when none
 * can be reached, or the code of a member that failed. */
CK_RV replicate_find(struct group *g, const uint8_t print[static FINGERPRINT_LEN], bool is_private,
		     struct record *best, bool *found);

/* The same, but who fails is left out while another one, which is alive, answers. */
CK_RV replicate_find_any(struct group *g, const uint8_t print[static FINGERPRINT_LEN],
			 bool is_private, struct record *best, bool *found);

/* The journal keeps who owes what `r` says, which the members' records do not. False when it cannot
 * be written. */
bool replicate_keep_debt(struct group *g, struct intents *lock, const struct record *r);

/* A record as one line, for the journal, and back: its text in hexadecimal. */
bool record_text_line(const struct group *g, const struct record *r, struct buf *out);
bool record_parse_line(const struct group *g, const struct buf *line, struct record *out);

/* Takes a session of a member for work of replication: one that serves, or is just coming back, and
 * is logged in as the token is. NULL when there is none. */
struct member_session *replicate_session(struct member *m);

/* Gives it back, or closes it when its state is in doubt; where it was lost, or its login, the
 * member is logged in again. Not under the group's login_lock. */
void replicate_leave(struct member_session *ms, bool is_good);

#endif

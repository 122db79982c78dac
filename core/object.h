/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual objects: handles that the application holds, and the real ones behind them.
 *
 * Behind one handle there is one object on each member that has it, under (epoch, real handle); the
 * number is worthless in another epoch of the member, where it may denote another key. The object
 * of a passthrough token ends with its member's epoch. That of any other virtual token stays: what
 * it is (identity.h) is kept, and it is looked for, and has to prove itself, before a member is
 * asked to use it. Objects that cannot be told from others, and session objects made inside a
 * token, are bound to one member and end with its epoch. An alias is a session object that stands
 * for a token object: what C_CopyObject makes when only CKA_TOKEN=FALSE (and a label or id) is
 * asked for, without calling a member. */
#ifndef HSMUX_CORE_OBJECT_H
#define HSMUX_CORE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/call.h"
#include "core/group.h"
#include "core/session.h"

/* A fact that costs a member call to find out. */
enum object_fact { OBJECT_UNKNOWN, OBJECT_NO, OBJECT_YES };

/* What is known about an object; a copy, so that no lock is needed to look at it. */
struct object_view {
	CK_OBJECT_HANDLE handle;
	CK_OBJECT_HANDLE target; /* of an alias: the virtual handle that it stands for; else 0 */
	struct group *group;
	unsigned bound; /* index + 1 of the only member that has it; 0: any may have it */
	enum object_fact is_token;
	enum object_fact is_private;
};

/* Looks a handle up. False when it is not valid for this group. Follows no alias. */
bool object_get(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view);

/* The same with an alias followed to what it stands for. */
bool object_resolve(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view);

/* True when `value` is a valid handle of the group `context`; a mech_is_handle. */
bool object_is_handle(CK_ULONG value, void *context);

/* The real handle on a member in its epoch, aliases followed. False: not known there, or not proven
 * yet, see object_locate(). No lock. */
bool object_real(const struct group *group, CK_OBJECT_HANDLE handle, const struct member *member,
		 unsigned epoch, CK_OBJECT_HANDLE *real);

/* An operation begins with this object: it is among those that object_check_member() looks for. */
void object_note_use(CK_OBJECT_HANDLE handle);

/* Members that have the object, or may have it: bit i for member i. 0: the handle is not valid. */
unsigned object_holders(const struct group *group, CK_OBJECT_HANDLE handle);

/* The same without members where a session object could be made, but is not. */
unsigned object_copies(const struct group *group, CK_OBJECT_HANDLE handle);

/* True for a session object. No lock. */
bool object_is_volatile(const struct group *group, CK_OBJECT_HANDLE handle);

/* Finds an object on the member of `ms`, an idle session, and proves that it is the same; a session
 * object is made again there from its template (for `session`, which then owns it). CKR_OK with the
 * real handle; CKR_OBJECT_HANDLE_INVALID when the member does not have it (remembered for this
 * epoch); CKR_HOST_MEMORY; or the member's code. When the result is not CKR_OK the state of `ms` is
 * in doubt. */
CK_RV object_locate(struct group *group, struct session *session, struct member_session *ms,
		    CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *real);

/* The real handle on the member of `ms`, known or looked for. As object_locate(). */
CK_RV object_on(struct group *group, struct session *session, struct member_session *ms,
		CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *real);

/* The member says that the real handle is not valid: it is looked for again before it is used
 * again. */
void object_forget(const struct group *group, CK_OBJECT_HANDLE handle, const struct member *member);

/* Members that were found not to have the object are asked again: others may have brought it there.
 */
void object_ask_again(const struct group *group, CK_OBJECT_HANDLE handle);

/* The virtual handles of what a search found on a member (call.member, call.made_epoch): real
 * handles in `real`, virtual ones appended to `out`, each once. Objects of hsmux's own, and those
 * that stand behind another of the same name, are left out. CKR_HOST_MEMORY; CKR_DEVICE_MEMORY when
 * the member used up what one member may; CKR_DEVICE_ERROR when it was lost meanwhile. */
CK_RV object_found(struct call *call, const struct buf *real, struct buf *out);

/* Appends the objects that match a search, as far as can be known without asking, and are on none
 * of the members in `answered` (bit i: member i). */
CK_RV object_found_away(struct call *call, unsigned answered, struct buf *out);

/* After a search on call.member: true when it left out an object that is known to be there and
 * matches, as far as can be known. Tokens with very many objects are not looked through. */
bool object_is_missing(struct call *call, const struct buf *out);

/* A virtual handle for an object that has just come to be; one that its number had before is
 * invalid from now on. As object_found. */
CK_RV object_add_made(struct call *call, CK_OBJECT_HANDLE real, enum object_fact is_token,
		      CK_OBJECT_HANDLE *handle);

/* Keeps what a session object was made of by `call` (C_CreateObject, done), and what its member
 * says that the template does not, so that the same can be made on other members. What cannot be
 * kept, without memory or because the member does not say it, stays bound to its member. False when
 * the member is lost, and the object with it; without `may_bind` also when it merely does not say
 * it: a member that dies politely is taken to be alive for a moment (health_ask), and what would be
 * bound to it could not be used any more. */
bool object_keep_template(struct call *call, CK_OBJECT_HANDLE handle, bool may_bind);

/* The attributes of a session object were changed: it is made with them from now on. Without memory
 * for that it is not made again, and stays bound to a member where it is. */
void object_keep_change(struct group *group, CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *tmpl,
			CK_ULONG count);

/* A copy of a token object was made on a member, and has proven itself: it is used there at once.
 */
void object_note_copy(struct group *group, CK_OBJECT_HANDLE handle, struct member *member,
		      unsigned epoch, CK_OBJECT_HANDLE real);

/* The name (label, id) of a token object was changed on a member: reads it again. */
void object_renamed(struct call *call, CK_OBJECT_HANDLE handle);

/* A handle for a session object that stands for `target`. CKR_HOST_MEMORY. */
CK_RV object_add_alias(struct group *group, CK_OBJECT_HANDLE target, CK_OBJECT_HANDLE *handle);

/* Makes a handle invalid; nothing happens when it is already. */
void object_drop(CK_OBJECT_HANDLE handle);

/* Makes every handle invalid; for C_Finalize, or (`is_forked`) in a child where locks may be held
 * by threads that do not exist. */
void object_forget_everything(bool is_forked);

/* The member's epoch is over: its numbers are worthless, and what only it had is gone. */
void object_drop_epoch(struct member *member);

/* Makes the private objects of a group on a member invalid; asks the member, on `ms`, about those
 * not known to be either. For logouts, before the member is told. */
void object_drop_private(struct group *group, struct member_session *ms);

/* A member of a multi-member token came (back) up: finds the objects that are in use on it and
 * proves that they are the same, so that no call has to wait for that. What it does not have, or
 * has otherwise, is noted and logged. The member is up, and does not serve yet. */
void object_check_member(struct member *member);

/* Whether an object is a token object; asks the member once. For a locked session. */
CK_RV object_is_token(struct session *session, CK_OBJECT_HANDLE handle, bool *is_token);

/* Gives the application handles for what a successful call made: call.made[] and the handles inside
 * its mechanism. `is_token[i]` as asked for in the template. Session objects are tied to the
 * session. On failure everything that was made is destroyed on the member again, unless it
 * `is_shared`, which other members have, too: then it stays, as after an answer that was lost. */
CK_RV object_publish(struct call *call, const bool is_token[2], bool is_shared,
		     CK_OBJECT_HANDLE *const app[2]);

/* Reads attributes of an object for hsmux's own use, in a locked session. As C_GetAttributeValue.
 * `asked`: a copy of `tmpl`, from which it is filled again before the call is sent again; NULL: it
 * is sent once. */
CK_RV object_read_in(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		     CK_ULONG count, const CK_ATTRIBUTE *asked);

#endif

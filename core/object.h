/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual objects: handles that the application holds, and the real ones behind them.
 *
 * An object is found again under (member, epoch, real handle); when the member's epoch changes all
 * its handles become invalid, because the same number may then denote another key. An alias is a
 * session object that stands for a token object: what C_CopyObject makes when only CKA_TOKEN=FALSE
 * (and a label or id) is asked for, without calling the member. */
#ifndef HSMUX_CORE_OBJECT_H
#define HSMUX_CORE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

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
	struct member *member;
	unsigned epoch; /* of the member, for which `real` holds */
	CK_OBJECT_HANDLE real;
	enum object_fact is_token;
	enum object_fact is_private;
};

/* Looks a handle up. False when it is not valid for this group. Follows no alias. */
bool object_get(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view);

/* The same with an alias followed to what it stands for. */
bool object_resolve(const struct group *group, CK_OBJECT_HANDLE handle, struct object_view *view);

/* True when `value` is a valid handle of the group `context`; a mech_is_handle. */
bool object_is_handle(CK_ULONG value, void *context);

/* The virtual handle of an object that a search found: the one it has, or a new one.
 * CKR_HOST_MEMORY; CKR_DEVICE_MEMORY when the member used up what one member may; CKR_DEVICE_ERROR
 * when it was lost meanwhile. */
CK_RV object_add_found(struct call *call, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE *handle);

/* A virtual handle for an object that has just come to be; one that its number had before is
 * invalid from now on. As object_add_found. */
CK_RV object_add_made(struct call *call, CK_OBJECT_HANDLE real, enum object_fact is_token,
		      CK_OBJECT_HANDLE *handle);

/* A handle for a session object that stands for `target`. CKR_HOST_MEMORY. */
CK_RV object_add_alias(struct group *group, CK_OBJECT_HANDLE target, CK_OBJECT_HANDLE *handle);

/* Makes a handle invalid; nothing happens when it is already. */
void object_drop(CK_OBJECT_HANDLE handle);

/* Makes every handle invalid; for C_Finalize, or (`is_forked`) in a child where locks may be held
 * by threads that do not exist. */
void object_forget_everything(bool is_forked);

/* Makes all handles of a member's earlier epochs invalid. */
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
 * session. On failure everything that was made is destroyed on the member again. */
CK_RV object_publish(struct call *call, const bool is_token[2], CK_OBJECT_HANDLE *const app[2]);

/* Reads attributes of an object for hsmux's own use, in a locked session. As C_GetAttributeValue.
 * `asked`: a copy of `tmpl`, from which it is filled again before the call is sent again; NULL: it
 * is sent once. */
CK_RV object_read_in(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
		     CK_ULONG count, const CK_ATTRIBUTE *asked);

#endif

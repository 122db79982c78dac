/* SPDX-License-Identifier: BSD-2-Clause */
/* The session of ours that holds a member's login, and the calls that run on it. The group's
 * login_lock is held by the caller in all of them. */
#ifndef HSMUX_CORE_KEEPER_H
#define HSMUX_CORE_KEEPER_H

#include <stdbool.h>

#include "core/call.h"
#include "core/group.h"
#include "core/member.h"
#include "core/session.h"

/* Runs the call on the member's keeper, which is opened when there is none. `s` may be NULL. A code
 * that the standard lists for the function. */
CK_RV keeper_call(struct group *g, struct member *m, struct session *s, struct call *call);

/* C_Login or C_LoginUser there. CKR_USER_ALREADY_LOGGED_IN: somebody else in this process is, and
 * the PIN was not checked. */
CK_RV keeper_login(struct group *g, struct member *m, struct session *s, struct call *call);

/* C_Logout there; the member is public and its private objects' handles are invalid afterwards,
 * whatever it answers. */
CK_RV keeper_logout(struct group *g, struct member *m, struct session *s);

/* Gives the keeper back to the pool; closes one whose session is in doubt. */
void keeper_close(struct member *m);
void keeper_drop(struct member *m);

/* True for what a member says of a PIN that it looked at, or of a user whom it will not let in. */
bool keeper_is_refusal(CK_RV rv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a login makes of one member of a virtual token with several. The group's login_lock is held
 * by the caller in all of them. */
#ifndef HSMUX_CORE_LOGIN_MEMBER_H
#define HSMUX_CORE_LOGIN_MEMBER_H

#include <stdbool.h>

#include "core/call.h"
#include "core/group.h"
#include "core/member.h"
#include "core/session.h"

/* Whether the member has a PIN of its own in the configuration. */
bool login_has_own_pin(const struct member *m);

/* Whether the token wants a login at all; true where that cannot be seen without waiting. */
bool login_is_wanted(struct member *m);

/* Sends the PIN of `call`, with which an application logs in. As keeper_login(). */
CK_RV login_send(struct group *g, struct member *m, struct session *s, struct call *call);

/* Logs a member in with its own PIN and settles what it answered. `is_again`: it came back; else an
 * application logs in. */
void login_own(struct group *g, struct member *m, struct session *s, bool is_again);

/* Notes what a member answered to a user's PIN that is right: accepted, set apart or left out. */
void login_settle(struct group *g, struct member *m, CK_RV rv);

/* It is logged in; `rv` CKR_OK, or CKR_USER_ALREADY_LOGGED_IN: by somebody else. */
void login_accepted(struct group *g, struct member *m, enum group_user user, CK_RV rv);

/* It wants no login and counts as logged in. */
void login_open(struct group *g, struct member *m, enum group_user user);

/* Its PIN is another than the others': it is out until the next successful C_Login, and is not
 * asked again in this one. The log line is the caller's. */
void login_set_apart(struct group *g, struct member *m);

/* It could not be asked: it is out until it comes back, or an application logs in. */
void login_leave_out(struct group *g, struct member *m, const char *why);

#endif

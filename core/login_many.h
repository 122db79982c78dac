/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins of virtual tokens whose members come and go. The group's login_lock is held by the caller
 * in all of them; the group's modes are all but passthrough. */
#ifndef HSMUX_CORE_LOGIN_MANY_H
#define HSMUX_CORE_LOGIN_MANY_H

#include "core/call.h"
#include "core/group.h"
#include "core/member.h"
#include "core/session.h"

/* C_Login and C_LoginUser of the user: `call` has the application's PIN. The PIN is checked on one
 * member, then sent to the others. Takes *pin over, and sets it to NULL, when it is kept. */
CK_RV login_many_user(struct group *g, struct session *s, const struct call *call,
		      struct secret **pin);

/* C_Login of the security officer: on all members or on none. */
CK_RV login_many_so(struct group *g, struct session *s, const struct call *call);

/* Logs out everywhere. The group is public afterwards in any case. */
void login_many_out(struct group *g, struct session *s);

/* See login_sync(). */
void login_many_sync(struct group *g, struct member *m);

/* See login_refresh(). */
void login_many_refresh(struct member *m, unsigned epoch);

/* CKR_OK when every configured member is up; else CKR_DEVICE_ERROR, with a log line that names the
 * one that is missing for `what`. */
CK_RV login_need_all(struct group *g, struct session *s, const char *what);

#endif

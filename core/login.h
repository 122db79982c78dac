/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins and PINs. A PIN is sent to a member once; a wrong one is never sent again. */
#ifndef HSMUX_CORE_LOGIN_H
#define HSMUX_CORE_LOGIN_H

#include "core/base/pkcs11.h"
#include "core/member.h"
#include "core/session.h"

/* C_Login and C_LoginUser (`user` NULL: no name). */
CK_RV login_in(CK_SESSION_HANDLE session, CK_USER_TYPE type, const CK_BYTE *pin, CK_ULONG pin_len,
	       const CK_BYTE *user, CK_ULONG user_len);

/* C_Logout. */
CK_RV login_out(CK_SESSION_HANDLE session);

/* C_InitPIN. */
CK_RV login_init_pin(CK_SESSION_HANDLE session, const CK_BYTE *pin, CK_ULONG pin_len);

/* C_SetPIN. */
CK_RV login_set_pin(CK_SESSION_HANDLE session, const CK_BYTE *old_pin, CK_ULONG old_len,
		    const CK_BYTE *new_pin, CK_ULONG new_len);

/* Makes a member's login equal to the group's: after a member came back, logs in again with the
 * kept PIN (once per epoch), or, when there is none, makes the group public so that the application
 * can log in. */
void login_sync(struct group *group, struct member *member);

/* Sessions of a member were lost in `epoch`, perhaps all of them: its handles are worthless, and it
 * goes on in a new epoch; with the login where that is seen to be there, else member_renew(). Not
 * under the group's login_lock. */
void login_refresh(struct group *group, struct member *member, unsigned epoch);

/* The last session of a group is gone: the standard's implicit logout. */
void login_drop(struct group *group);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions, logins and PINs: PKCS#11, "Session management functions". PINs pass through, and are
 * kept, copied and logged nowhere here. */
#include "module/entry.h"

#include "core/login.h"
#include "core/mux.h"

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		    CK_SESSION_HANDLE *session)
{
	CK_RV rv = mux_check();

	if (rv != CKR_OK)
		return rv;
	if (!session)
		return CKR_ARGUMENTS_BAD;
	return session_open(slot, flags, application, notify, session);
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session)
{
	return session_close(session);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
	return session_close_all(slot);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	return info ? session_info(session, info) : bad_arguments(session);
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
	return session_cancel(session, flags);
}

/* The state of an operation is a secret of the one member that runs it. */
CK_RV C_GetOperationState(CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG *state_len)
{
	CK_RV rv = session_check(session);

	(void)state;
	(void)state_len;
	return rv != CKR_OK ? rv : CKR_FUNCTION_NOT_SUPPORTED;
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE session, CK_BYTE *state, CK_ULONG state_len,
			  CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key)
{
	CK_RV rv = session_check(session);

	(void)state;
	(void)state_len;
	(void)encryption_key;
	(void)authentication_key;
	return rv != CKR_OK ? rv : CKR_FUNCTION_NOT_SUPPORTED;
}

/* Legacy of parallel sessions, which no version that is offered here has. */
static CK_RV not_parallel(CK_SESSION_HANDLE session)
{
	CK_RV rv = session_check(session);

	return rv != CKR_OK ? rv : CKR_FUNCTION_NOT_PARALLEL;
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
	return not_parallel(session);
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE session)
{
	return not_parallel(session);
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
	if (!pin && pin_len > 0)
		return bad_arguments(session);
	return login_in(session, type, pin, pin_len, NULL, 0);
}

CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG pin_len,
		  CK_UTF8CHAR *user, CK_ULONG user_len)
{
	if ((!pin && pin_len > 0) || (!user && user_len > 0))
		return bad_arguments(session);
	return login_in(session, type, pin, pin_len, user, user_len);
}

CK_RV C_Logout(CK_SESSION_HANDLE session)
{
	return login_out(session);
}

CK_RV C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
	if (!pin && pin_len > 0)
		return bad_arguments(session);
	return login_init_pin(session, pin, pin_len);
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *old_pin, CK_ULONG old_len,
	       CK_UTF8CHAR *new_pin, CK_ULONG new_len)
{
	if ((!old_pin && old_len > 0) || (!new_pin && new_len > 0))
		return bad_arguments(session);
	return login_set_pin(session, old_pin, old_len, new_pin, new_len);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions at the vendor's: opened, looked at, closed. The session is the caller's alone; no lock
 * is held while the vendor is called. */
#include "core/pool_real.h"

#include "core/codes.h"
#include "core/library.h"
#include "core/member.h"

void pool_close_real(struct member_session *ms)
{
	struct library *lib = ms->member->lib;
	struct library_guard guard;

	if (atomic_load(&lib->is_ending) || !pool_enter(ms))
		return;
	library_guard(lib, &guard);
	(void)lib->v2->C_CloseSession(ms->real); /* gone either way */
	library_unguard(&guard);
	pool_leave(ms);
}

static CK_RV open_on(struct member_session *ms)
{
	struct member *m = ms->member;
	const CK_FUNCTION_LIST *f = m->lib->v2;
	CK_SLOT_ID slot = atomic_load(&m->slot);
	struct library_guard guard;
	CK_RV rv;

	library_guard(m->lib, &guard);
	rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &ms->real);
	if (rv == CKR_TOKEN_WRITE_PROTECTED)
		rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &ms->real);
	if (rv == CKR_OK && ms->real == CK_INVALID_HANDLE)
		rv = CKR_DEVICE_ERROR;
	library_unguard(&guard);
	return rv;
}

/* Whether a session that was just opened shows that all others were lost behind our back: a login
 * ends with the last session, and what a handle denoted until then another may denote now. */
static bool is_forgotten(struct member_session *ms)
{
	CK_STATE state = CKS_RW_USER_FUNCTIONS;

	(void)pool_state(ms, &state); /* without an answer nothing is known */
	return !pool_is_user(state) && member_shows_user(ms->member);
}

static CK_RV check_opened(struct member_session *ms, bool is_user)
{
	struct member *m = ms->member;
	/* Lost and found on another slot in the meantime: this session is on the wrong one. */
	bool is_elsewhere = ms->epoch != atomic_load(&m->epoch);

	if (!is_elsewhere && !(is_user && is_forgotten(ms)))
		return CKR_OK;
	pool_close_real(ms);
	if (is_elsewhere)
		return CKR_DEVICE_ERROR;
	member_renew(m, ms->epoch);
	return CKR_SESSION_HANDLE_INVALID;
}

CK_RV pool_open_real(struct member_session *ms)
{
	struct member *m = ms->member;
	bool is_user = member_shows_user(m);
	CK_RV rv;

	ms->epoch = atomic_load(&m->epoch);
	ms->lib_epoch = atomic_load(&m->lib->epoch);
	if (atomic_load(&m->state) != MEMBER_UP || !pool_enter(ms))
		return CKR_DEVICE_ERROR;
	rv = open_on(ms);
	pool_leave(ms);
	/* A code that C_OpenSession cannot give must not pass for the answer of what comes next. */
	return rv == CKR_OK ? check_opened(ms, is_user) : code_map(CALL_C_OpenSession, rv);
}

CK_RV pool_state(struct member_session *ms, CK_STATE *state)
{
	struct library *lib = ms->member->lib;
	CK_RV rv = CKR_SESSION_HANDLE_INVALID;
	struct library_guard guard;
	CK_SESSION_INFO info;

	if (!pool_enter(ms))
		return rv;
	library_guard(lib, &guard);
	rv = lib->v2->C_GetSessionInfo(ms->real, &info);
	library_unguard(&guard);
	pool_leave(ms);
	if (rv == CKR_OK)
		*state = info.state;
	return rv;
}

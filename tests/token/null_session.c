/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions and login of the null token.
 *
 * A handle is NULL_SESSION_TAG, 32 bits of generation, 16 bits of index; an entry with handle 0 is
 * free. null_token.lock guards opening, closing and the login; entering a session takes no lock,
 * only its `busy` flag, and a second thread found inside is counted and let wait. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/token/null_state.h"

static uint64_t session_handle(uint32_t index, uint32_t generation)
{
	return NULL_SESSION_TAG << 48 | (uint64_t)generation << 16 | index;
}

static struct null_session *session_at(CK_SESSION_HANDLE handle)
{
	uint32_t index = handle & 0xffff;

	if (handle >> 48 != NULL_SESSION_TAG || index >= NULL_MAX_SESSIONS)
		return NULL;
	return &null_token.sessions[index];
}

CK_RV null_enter(enum token_call index, CK_SESSION_HANDLE handle, struct null_session **out)
{
	struct null_session *s = session_at(handle);

	null_count(index);
	if (!atomic_load_explicit(&null_token.is_initialised, memory_order_relaxed))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (!s) {
		null_foreign("session", handle);
		return CKR_SESSION_HANDLE_INVALID;
	}
	if (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire)) {
		if (null_token.stats)
			atomic_fetch_add(&null_token.stats->collisions, 1);
		while (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
			sched_yield();
	}
	if (s->handle != handle) {
		atomic_flag_clear_explicit(&s->busy, memory_order_release);
		null_stale();
		return CKR_SESSION_HANDLE_INVALID;
	}
	*out = s;
	return CKR_OK;
}

void null_leave(struct null_session *s)
{
	atomic_flag_clear_explicit(&s->busy, memory_order_release);
}

static void stats_opened(void)
{
	uint64_t now;
	uint64_t max;

	if (!null_token.stats)
		return;
	now = atomic_fetch_add(&null_token.stats->sessions, 1) + 1;
	max = atomic_load(&null_token.stats->sessions_max);
	while (now > max &&
	       !atomic_compare_exchange_weak(&null_token.stats->sessions_max, &max, now))
		;
}

static CK_RV session_make(CK_FLAGS flags, CK_SESSION_HANDLE *out)
{
	struct null_token *t = &null_token;

	if (t->user == (int)CKU_SO && !(flags & CKF_RW_SESSION))
		return CKR_SESSION_READ_WRITE_SO_EXISTS;
	for (uint32_t tried = 0; tried < NULL_MAX_SESSIONS; tried++) {
		uint32_t index = t->session_next++ % NULL_MAX_SESSIONS;
		struct null_session *s = &t->sessions[index];

		if (s->handle)
			continue;
		s->flags = flags;
		s->generation = ++t->generation;
		s->is_finding = false;
		memset(s->op, 0, sizeof(s->op));
		s->handle = session_handle(index, s->generation);
		t->session_count++;
		t->session_rw_count += (flags & CKF_RW_SESSION) != 0;
		stats_opened();
		*out = s->handle;
		return CKR_OK;
	}
	return CKR_SESSION_COUNT;
}

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		    CK_SESSION_HANDLE *session)
{
	CK_RV rv;

	(void)application;
	(void)notify;
	null_count(CALL_OpenSession);
	if (!null_token.is_initialised)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (slot != 0)
		return CKR_SLOT_ID_INVALID;
	if (!session)
		return CKR_ARGUMENTS_BAD;
	if (!(flags & CKF_SERIAL_SESSION))
		return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	pthread_mutex_lock(&null_token.lock);
	rv = session_make(flags, session);
	pthread_mutex_unlock(&null_token.lock);
	return rv;
}

/* With null_token.lock held, or the session entered by nobody else. */
static void session_drop(struct null_session *s)
{
	struct null_token *t = &null_token;

	t->session_count--;
	t->session_rw_count -= (s->flags & CKF_RW_SESSION) != 0;
	s->handle = 0;
	t->session_next = (uint32_t)(s - t->sessions); /* reuse what is warm in the cache */
	free(s->found);
	s->found = NULL;
	s->found_cap = 0;
	if (t->session_count == 0)
		t->user = -1;
	if (t->stats)
		atomic_fetch_sub(&t->stats->sessions, 1);
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_CloseSession, session, &s);
	bool is_last;

	if (rv != CKR_OK)
		return rv;
	null_drop_objects(session, false);
	pthread_mutex_lock(&null_token.lock);
	session_drop(s);
	is_last = null_token.session_count == 0;
	null_leave(s); /* before another thread can be given the entry */
	pthread_mutex_unlock(&null_token.lock);
	if (is_last)
		null_drop_objects(0, true);
	return CKR_OK;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
	null_count(CALL_CloseAllSessions);
	if (!null_token.is_initialised)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (slot != 0)
		return CKR_SLOT_ID_INVALID;
	pthread_mutex_lock(&null_token.lock);
	for (uint32_t i = 0; i < NULL_MAX_SESSIONS; i++)
		if (null_token.sessions[i].handle)
			session_drop(&null_token.sessions[i]);
	pthread_mutex_unlock(&null_token.lock);
	null_drop_objects(0, false);
	return CKR_OK;
}

static CK_STATE session_state(const struct null_session *s)
{
	bool is_rw = s->flags & CKF_RW_SESSION;

	if (null_token.user == (int)CKU_SO)
		return CKS_RW_SO_FUNCTIONS;
	if (null_token.user == (int)CKU_USER)
		return is_rw ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
	return is_rw ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_GetSessionInfo, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!info) {
		rv = CKR_ARGUMENTS_BAD;
	} else {
		info->slotID = 0;
		info->state = session_state(s);
		info->flags = s->flags;
		info->ulDeviceError = 0;
	}
	null_leave(s);
	return rv;
}

static CK_RV login(CK_USER_TYPE user, const CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
	struct null_token *t = &null_token;
	const char *right = user == CKU_SO ? t->so_pin : t->pin;

	if (user != CKU_SO && user != CKU_USER)
		return user == CKU_CONTEXT_SPECIFIC ? CKR_OPERATION_NOT_INITIALIZED
						    : CKR_USER_TYPE_INVALID;
	if (t->user >= 0)
		return t->user == (int)user ? CKR_USER_ALREADY_LOGGED_IN
					    : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	if (user == CKU_SO && t->session_rw_count != t->session_count)
		return CKR_SESSION_READ_ONLY_EXISTS;
	if (pin_len != strlen(right) || memcmp(pin, right, pin_len) != 0)
		return CKR_PIN_INCORRECT;
	t->user = (int)user;
	return CKR_OK;
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_Login, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!pin && pin_len) {
		rv = CKR_ARGUMENTS_BAD;
	} else {
		pthread_mutex_lock(&null_token.lock);
		rv = login(user, pin ? pin : (const CK_UTF8CHAR *)"", pin_len);
		pthread_mutex_unlock(&null_token.lock);
	}
	null_leave(s);
	return rv;
}

CK_RV C_Logout(CK_SESSION_HANDLE session)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_Logout, session, &s);

	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&null_token.lock);
	if (null_token.user < 0)
		rv = CKR_USER_NOT_LOGGED_IN;
	null_token.user = -1;
	pthread_mutex_unlock(&null_token.lock);
	null_leave(s);
	if (rv == CKR_OK)
		null_drop_objects(0, true);
	return rv;
}

static CK_RV pin_store(const CK_UTF8CHAR *pin, CK_ULONG len)
{
	if (!pin)
		return CKR_ARGUMENTS_BAD;
	if (len == 0 || len >= sizeof(null_token.pin))
		return CKR_PIN_LEN_RANGE;
	memcpy(null_token.pin, pin, len);
	null_token.pin[len] = '\0';
	return CKR_OK;
}

CK_RV C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_InitPIN, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (null_token.user != (int)CKU_SO)
		rv = CKR_USER_NOT_LOGGED_IN;
	else
		rv = pin_store(pin, pin_len);
	null_leave(s);
	return rv;
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR *old_pin, CK_ULONG old_len,
	       CK_UTF8CHAR *new_pin, CK_ULONG new_len)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_SetPIN, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!(s->flags & CKF_RW_SESSION))
		rv = CKR_SESSION_READ_ONLY;
	else if (!old_pin || !new_pin)
		rv = CKR_ARGUMENTS_BAD;
	else if (old_len != strlen(null_token.pin) || memcmp(old_pin, null_token.pin, old_len) != 0)
		rv = CKR_PIN_INCORRECT;
	else
		rv = pin_store(new_pin, new_len);
	null_leave(s);
	return rv;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual sessions.
 *
 * A handle is the index of a slot (16 bits) and a generation (15 bits). Slots live as long as the
 * process, so a stale handle finds its slot, locks it and sees another handle there. A slot that
 * was given back waits behind 1023 others before it is used again; together with the generation the
 * same handle comes back after 33 million sessions at the earliest.
 *
 * The state machine is ours: who is logged in is a fact of the virtual token, read without a lock.
 */
#include "core/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alias.h"
#include "core/base/clock.h"
#include "core/find.h"
#include "core/health.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/object.h"
#include "core/operation.h"
#include "core/table.h"

#define INDEX_BITS     16U
#define INDEX_MASK     0xffffU
#define GENERATION_MAX 0x7fffU
#define REUSE_AFTER    1023U

static struct table table = TABLE_INIT(sizeof(struct session), INDEX_MASK + 1U, REUSE_AFTER);

static unsigned index_of(CK_SESSION_HANDLE handle)
{
	return (unsigned)(handle & INDEX_MASK);
}

CK_RV session_take(CK_SESSION_HANDLE handle, struct session **out)
{
	struct session *s;
	CK_RV rv = mux_check();

	if (rv != CKR_OK)
		return rv;
	s = handle <= 0x7fffffffUL && handle != 0 ? table_at(&table, index_of(handle)) : NULL;
	if (!s || atomic_load_explicit(&s->handle, memory_order_acquire) != handle)
		return CKR_SESSION_HANDLE_INVALID;
	pthread_mutex_lock(&s->lock);
	if (atomic_load_explicit(&s->handle, memory_order_relaxed) == handle) {
		*out = s;
		return CKR_OK;
	}
	pthread_mutex_unlock(&s->lock);
	rv = mux_check();
	return rv == CKR_OK ? CKR_SESSION_HANDLE_INVALID : rv;
}

void session_give(struct session *s)
{
	pthread_mutex_unlock(&s->lock);
}

CK_RV session_check(CK_SESSION_HANDLE handle)
{
	struct session *s;
	CK_RV rv = session_take(handle, &s);

	if (rv == CKR_OK)
		session_give(s);
	return rv;
}

bool session_is_rw(const struct session *s)
{
	return s->flags & CKF_RW_SESSION;
}

CK_STATE session_state(const struct session *s)
{
	switch ((enum group_user)atomic_load_explicit(&s->group->user, memory_order_relaxed)) {
	case GROUP_USER:
		return session_is_rw(s) ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
	case GROUP_SO:
		return CKS_RW_SO_FUNCTIONS;
	case GROUP_PUBLIC:
		break;
	}
	return session_is_rw(s) ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

/* A free slot, made usable; NULL when there are 65536 sessions or memory is out. */
static struct session *slot_new(unsigned *index)
{
	long i = table_take(&table);
	struct session *s;

	if (i < 0)
		return NULL;
	*index = (unsigned)i;
	s = table_at(&table, *index);
	if (s->generation == 0)
		pthread_mutex_init(&s->lock, NULL);
	s->generation = s->generation % GENERATION_MAX + 1;
	return s;
}

/* The login lock makes "no read-only session while the SO is logged in" hold against C_Login. */
static CK_RV count_in(struct group *g, CK_FLAGS flags)
{
	CK_RV rv = CKR_OK;

	pthread_mutex_lock(&g->login_lock);
	if (!(flags & CKF_RW_SESSION) && atomic_load(&g->user) == GROUP_SO)
		rv = CKR_SESSION_READ_WRITE_SO_EXISTS;
	if (rv == CKR_OK) {
		atomic_fetch_add(&g->sessions, 1);
		if (flags & CKF_RW_SESSION)
			atomic_fetch_add(&g->rw_sessions, 1);
	}
	pthread_mutex_unlock(&g->login_lock);
	return rv;
}

static void count_out(struct group *g, CK_FLAGS flags)
{
	/* In this order, so that nobody sees more sessions than there are read-only ones. */
	bool is_last = atomic_fetch_sub(&g->sessions, 1) == 1;

	if (flags & CKF_RW_SESSION)
		atomic_fetch_sub(&g->rw_sessions, 1);
	if (is_last)
		login_drop(g);
}

static CK_RV open_in(struct group *g, CK_FLAGS flags, CK_SESSION_HANDLE *handle)
{
	struct session *s;
	unsigned index;
	CK_RV rv;

	health_tick();
	if (!group_present(g))
		return CKR_TOKEN_NOT_PRESENT;
	rv = count_in(g, flags);
	if (rv != CKR_OK)
		return rv;
	s = slot_new(&index);
	if (!s) {
		count_out(g, flags);
		return CKR_SESSION_COUNT;
	}
	pthread_mutex_lock(&s->lock);
	s->group = g;
	s->flags = flags;
	s->device_error = 0;
	s->decision = (struct decision){.policy = NULL};
	atomic_store_explicit(&s->handle, s->generation << INDEX_BITS | index,
			      memory_order_release);
	*handle = s->generation << INDEX_BITS | index;
	pthread_mutex_unlock(&s->lock);
	return CKR_OK;
}

CK_RV session_open(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		   CK_SESSION_HANDLE *handle)
{
	const CK_FLAGS known = CKF_RW_SESSION | CKF_SERIAL_SESSION;
	struct group *g;
	CK_RV rv = slot_take(slot, &g);

	/* Surrender callbacks are optional, and some members refuse them: never passed on. */
	(void)application;
	(void)notify;
	if (rv != CKR_OK)
		return rv;
	if (!(flags & CKF_SERIAL_SESSION))
		rv = CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	else
		rv = open_in(g, flags & known, handle);
	slot_give();
	return rv;
}

static void drop_made(struct session *s)
{
	for (size_t i = 0; i < s->made_count; i++) {
		alias_drop(s->made[i]);
		object_drop(s->made[i]);
	}
	free(s->made);
	s->made = NULL;
	s->made_count = s->made_room = 0;
}

/* Ends everything in a locked session and gives its slot back; unlocks it. */
static void close_locked(struct session *s)
{
	struct group *g = s->group;
	CK_FLAGS flags = s->flags;
	unsigned index = index_of(atomic_load(&s->handle));

	for (unsigned k = 0; k < OP_KINDS; k++)
		op_end(s, (enum op_kind)k, false);
	op_free_spare(s);
	find_end(s);
	drop_made(s);
	session_end_homes(s);
	s->group = NULL;
	count_out(g, flags);
	atomic_store(&s->handle, 0); /* last: C_Finalize does not wait for who has none */
	pthread_mutex_unlock(&s->lock);
	table_give(&table, index);
}

CK_RV session_close(CK_SESSION_HANDLE handle)
{
	struct session *s;
	CK_RV rv = session_take(handle, &s);

	if (rv == CKR_OK)
		close_locked(s);
	return rv;
}

/* Locks the session in this slot of the table when one is open there. */
static struct session *lock_open(unsigned index)
{
	struct session *s = table_at(&table, index);

	if (!s || atomic_load(&s->handle) == 0)
		return NULL;
	pthread_mutex_lock(&s->lock);
	if (atomic_load(&s->handle) != 0)
		return s;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

CK_RV session_close_all(CK_SLOT_ID slot)
{
	struct group *g;
	struct session *s;
	CK_RV rv = slot_take(slot, &g);

	if (rv != CKR_OK)
		return rv;
	for (unsigned i = 0; table_at(&table, i); i++) {
		s = lock_open(i);
		if (s && s->group == g)
			close_locked(s);
		else if (s)
			pthread_mutex_unlock(&s->lock);
	}
	slot_give();
	return CKR_OK;
}

CK_RV session_info(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info)
{
	struct session *s;
	CK_RV rv = session_take(handle, &s);

	if (rv != CKR_OK)
		return rv;
	info->slotID = s->group->conf->slot;
	info->state = session_state(s);
	info->flags = s->flags;
	info->ulDeviceError = s->device_error;
	session_give(s);
	return CKR_OK;
}

CK_RV session_cancel(CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
	static const struct {
		CK_FLAGS flag;
		enum op_kind kind;
	} kinds[] = {
		{CKF_ENCRYPT, OP_ENCRYPT},
		{CKF_DECRYPT, OP_DECRYPT},
		{CKF_DIGEST, OP_DIGEST},
		{CKF_SIGN, OP_SIGN},
		{CKF_SIGN_RECOVER, OP_SIGN_RECOVER},
		{CKF_VERIFY, OP_VERIFY},
		{CKF_VERIFY_RECOVER, OP_VERIFY_RECOVER},
		{CKF_MESSAGE_ENCRYPT, OP_MESSAGE_ENCRYPT},
		{CKF_MESSAGE_DECRYPT, OP_MESSAGE_DECRYPT},
		{CKF_MESSAGE_SIGN, OP_MESSAGE_SIGN},
		{CKF_MESSAGE_VERIFY, OP_MESSAGE_VERIFY},
	};
	struct session *s;
	CK_RV rv = session_take(handle, &s);

	if (rv != CKR_OK)
		return rv;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (flags & kinds[i].flag)
			op_end(s, kinds[i].kind, false);
	if (flags & CKF_FIND_OBJECTS)
		find_end(s);
	session_give(s);
	return CKR_OK;
}

/* Forgets handles that are stale already; what is left is compact. */
static void forget_stale(struct session *s)
{
	struct object_view view;
	size_t kept = 0;

	for (size_t i = 0; i < s->made_count; i++)
		if (object_get(s->group, s->made[i], &view))
			s->made[kept++] = s->made[i];
	s->made_count = kept;
}

static bool make_room(struct session *s)
{
	size_t room = s->made_room ? s->made_room * 2 : 8;
	CK_OBJECT_HANDLE *made;

	forget_stale(s);
	/* Half empty again: those that were there before are mostly gone. */
	if (s->made_count < s->made_room / 2)
		return true;
	made = reallocarray(s->made, room, sizeof *made);
	if (!made)
		return false;
	s->made = made;
	s->made_room = room;
	return true;
}

CK_RV session_keep(struct session *s, CK_OBJECT_HANDLE object)
{
	if (s->made_count == s->made_room && !make_room(s))
		return CKR_HOST_MEMORY;
	s->made[s->made_count++] = object;
	return CKR_OK;
}

/* pthread_mutex_timedlock wants the wall clock. */
static bool lock_until(struct session *s, long long deadline_ms)
{
	long long left = deadline_ms - clock_ms();
	struct timespec ts;

	if (left < 0)
		left = 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += (time_t)(left / 1000);
	ts.tv_nsec += (long)(left % 1000) * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_nsec -= 1000000000L;
		ts.tv_sec++;
	}
	return pthread_mutex_timedlock(&s->lock, &ts) == 0;
}

bool session_close_everything(long long deadline_ms)
{
	bool all = true;
	struct session *s;

	for (unsigned i = 0; (s = table_at(&table, i)) != NULL; i++) {
		if (atomic_load(&s->handle) == 0)
			continue;
		if (!lock_until(s, deadline_ms))
			all = false;
		else if (atomic_load(&s->handle) != 0)
			close_locked(s);
		else
			pthread_mutex_unlock(&s->lock);
	}
	return all;
}

/* The member sessions belong to the members, which are freed as a whole. */
static void forget_contents(struct session *s)
{
	for (unsigned k = 0; k < OP_KINDS; k++)
		op_forget(s, (enum op_kind)k);
	op_free_spare(s);
	find_end(s);
	free(s->made);
	free(s->remade);
}

static void clear(struct session *s)
{
	s->group = NULL;
	memset(s->home, 0, sizeof s->home);
	s->lent = 0;
	memset(s->op, 0, sizeof s->op);
	s->spare = NULL;
	s->find = NULL;
	s->made = NULL;
	s->made_count = s->made_room = 0;
	s->remade = NULL;
	s->remade_count = 0;
}

bool session_forget_everything(void)
{
	bool all = true;
	struct session *s;

	for (unsigned i = 0; (s = table_at(&table, i)) != NULL; i++) {
		if (s->generation == 0)
			continue;
		if (pthread_mutex_trylock(&s->lock) == 0) {
			if (atomic_load(&s->handle) != 0)
				forget_contents(s);
			pthread_mutex_unlock(&s->lock);
		} else {
			all = false;
		}
		clear(s);
		pthread_mutex_init(&s->lock, NULL);
		atomic_store(&s->handle, 0);
	}
	table_refill(&table);
	return all;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual sessions: what the application opens. They cost a member nothing until they do something.
 *
 * A session's slot in the table is never freed, so that a look-up is: index, lock, compare. The
 * lock is private to the session and held for the whole of a call. */
#ifndef HSMUX_CORE_SESSION_H
#define HSMUX_CORE_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/pkcs11.h"
#include "core/decision.h"
#include "core/group.h"
#include "core/pool.h"

struct find;
struct operation;

/* Kinds of operations; one of each may be active in a session. */
enum op_kind {
	OP_ENCRYPT,
	OP_DECRYPT,
	OP_DIGEST,
	OP_SIGN,
	OP_SIGN_RECOVER,
	OP_VERIFY,
	OP_VERIFY_RECOVER,
	OP_MESSAGE_ENCRYPT,
	OP_MESSAGE_DECRYPT,
	OP_MESSAGE_SIGN,
	OP_MESSAGE_VERIFY,
	OP_KINDS
};

struct session {
	pthread_mutex_t
		lock; /* guards everything below but `handle`, which it guards for writing */
	_Atomic uint32_t handle; /* 0 when this slot is free */
	uint32_t generation;     /* of the next handle; survives C_Finalize */
	CK_FLAGS flags;          /* as given to C_OpenSession */
	struct group *group;     /* borrowed */
	CK_ULONG device_error;   /* CK_SESSION_INFO.ulDeviceError: the last odd code of a member */
	struct member_session *home[CONFIG_MAX_MEMBERS]; /* own our session objects on each member;
							  * NULL until one is made there */
	unsigned lent; /* bit i: home[i] serves an operation or a call, because the pool had no
			  other */
	struct operation *op[OP_KINDS];
	struct operation *spare; /* one finished operation kept for the next Init */
	struct find *find;
	struct decision decision; /* the last one that the policy made here */
	CK_OBJECT_HANDLE *made;   /* virtual handles of session objects made here; may be stale */
	size_t made_count;
	size_t made_room;
	CK_OBJECT_HANDLE
	*remade; /* session objects of others that were made again on a home of ours */
	size_t remade_count;
};

/* Finds and locks a session. CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SESSION_HANDLE_INVALID. */
CK_RV session_take(CK_SESSION_HANDLE handle, struct session **session);

/* Unlocks. */
void session_give(struct session *session);

/* C_OpenSession. */
CK_RV session_open(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
		   CK_SESSION_HANDLE *handle);

/* C_CloseSession. */
CK_RV session_close(CK_SESSION_HANDLE handle);

/* C_CloseAllSessions. */
CK_RV session_close_all(CK_SLOT_ID slot);

/* C_GetSessionInfo; never asks a member. */
CK_RV session_info(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info);

/* CKR_OK when the handle is a session's, for functions that do nothing else with it. */
CK_RV session_check(CK_SESSION_HANDLE handle);

/* C_SessionCancel: ends the operations named by the CKF_ flags. */
CK_RV session_cancel(CK_SESSION_HANDLE handle, CK_FLAGS flags);

/* CKS_... of a locked session. */
CK_STATE session_state(const struct session *session);

/* True for a read/write session. */
bool session_is_rw(const struct session *session);

/* Remembers a session object that was made here, so that it goes when the session goes. */
CK_RV session_keep(struct session *session, CK_OBJECT_HANDLE object);

/* The session that owned the session objects made on a member is gone, and they with it: handles of
 * those that were there only become invalid. */
void session_lost_home(struct session *session, const struct member *member);

/* The home on a member is worthless: closed, and what it owned is lost, as session_lost_home(). An
 * operation that runs on it keeps it until its own end. */
void session_drop_home(struct session *session, const struct member *member);

/* The session of a member on which session objects are made and owned; taken from its pool when
 * there is none. The pool's codes. */
CK_RV session_home(struct session *session, struct member *member, long long wait_ms,
		   struct member_session **home);

/* A session of a member for a call or an operation: one from its pool, or, when there is none
 * within `wait_ms`, the home of this session, so that sessions which own objects do not wait for
 * each other for ever. `session` may be NULL. The pool's codes. */
CK_RV session_borrow(struct session *session, struct member *member, unsigned hint,
		     long long wait_ms, struct member_session **ms);

/* Gives it back; `is_good` false: its state is in doubt, it is closed, and what a home owned is
 * lost. */
void session_return(struct session *session, struct member_session *ms, unsigned hint,
		    bool is_good);

/* A session object is made again on a home of this session, which may be another's: where it is
 * there is forgotten when the home goes. False when memory is out. */
bool session_note_remade(struct session *session, CK_OBJECT_HANDLE object);

/* Whether the session owns session objects on a member. */
bool session_owns_there(const struct session *session, const struct member *member);

/* On a member's home may be an object that nobody knows: closed, unless others of the session's
 * objects are there, with which it then ends. */
void session_quit_home(struct session *session, const struct member *member);

/* A session object of the session is gone: sessions of members that own none of its objects any
 * more go back to their pools. */
void session_release_homes(struct session *session);

/* The session ends: all homes go, with what they own. */
void session_end_homes(struct session *session);

/* Closes every session; `deadline_ms` (clock_ms) bounds the wait for calls in flight. False when
 * one did not end in time: its memory stays. For C_Finalize. */
bool session_close_everything(long long deadline_ms);

/* In a forked child: forgets all sessions without calling a member; their locks are made anew.
 * False when a thread of the parent was inside one: what that one holds is left alone. */
bool session_forget_everything(void);

#endif

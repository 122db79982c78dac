/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual token: what the application sees as a slot with a token in it. */
#ifndef HSMUX_CORE_GROUP_H
#define HSMUX_CORE_GROUP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "core/base/secret.h"
#include "core/config.h"
#include "core/member.h"

/* Who is logged in to a virtual token. */
enum group_user { GROUP_PUBLIC, GROUP_USER, GROUP_SO };

/* What is remembered of the logins on one member. Guarded by login_lock. */
struct group_login {
	bool was_refused;       /* it refused the PIN: not asked again in this login */
	struct secret *refused; /* its own PIN that it refused in `refused_epoch`; owned */
	unsigned refused_epoch;
	unsigned again_epoch; /* in which it was logged in again last */
};

/* What was read of a member last, so that questions about the virtual token never wait for one that
 * is gone. */
struct group_view {
	bool is_known;     /* it was reached in this process */
	long long read_ms; /* clock_ms */
	CK_TOKEN_INFO token;
	CK_SLOT_INFO slot;
	struct member_mech *mechs; /* owned; NULL: not known */
	CK_ULONG mech_count;
};

/* Immutable but for the login, the views and the counters. */
struct group {
	const struct config *config;     /* borrowed */
	const struct config_token *conf; /* borrowed from the configuration */
	bool is_multi; /* any mode but passthrough: members come and go, objects have identities */
	struct member *members; /* owned */
	size_t member_count;
	unsigned char label[32];  /* as in CK_TOKEN_INFO, blank padded */
	unsigned char serial[16]; /* from the label alone, so that it never changes */

	pthread_mutex_t login_lock; /* held while somebody logs in or out */
	_Atomic int user;           /* enum group_user; written under login_lock */
	struct secret *pin;         /* the PIN that the members accepted; guarded by login_lock */
	struct group_login *logins; /* one for each member; owned */

	pthread_mutex_t view_lock; /* guards `views`; nothing else is taken while it is held */
	struct group_view *views;  /* one for each member; owned; not used for passthrough */

	_Atomic unsigned long sessions;    /* open now */
	_Atomic unsigned long rw_sessions; /* of them read/write */
	_Atomic unsigned long aliases;     /* objects that stand for another (object.h) */
	_Atomic unsigned turn;             /* round-robin: whose turn it is */
};

/* Whether the application is logged in and the member is not, or not yet. Not for the member of a
 * passthrough token. */
static inline bool group_waits_for(const struct member *m)
{
	return atomic_load(&m->group->user) == GROUP_USER && atomic_load(&m->user) != GROUP_USER;
}

/* Makes the virtual token for `conf`, one of `config`; `libraries` are indexed as config.modules.
 * NULL when memory is out. */
struct group *group_new(const struct config *config, const struct config_token *conf,
			struct library *const *libraries);

/* Frees it; its members' sessions must be gone. NULL is allowed. */
void group_free(struct group *group);

/* C_GetSlotInfo. */
void group_slot_info(struct group *group, CK_SLOT_INFO *info);

/* True when a member can be reached or was reached in this process: CKF_TOKEN_PRESENT. Tries
 * members that are due for a new attempt, unless the health thread does that. */
bool group_present(struct group *group);

/* C_GetTokenInfo; CKR_TOKEN_NOT_PRESENT when no member was ever reached. */
CK_RV group_token_info(struct group *group, CK_TOKEN_INFO *info);

/* C_GetMechanismList with the standard's two-call convention. */
CK_RV group_mechanisms(struct group *group, CK_MECHANISM_TYPE *list, CK_ULONG *count);

/* C_GetMechanismInfo. CKR_MECHANISM_INVALID for one that is not in the list. */
CK_RV group_mechanism_info(struct group *group, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info);

/* C_InitToken: passed to the member of a passthrough token when no session is open, else
 * CKR_SESSION_EXISTS; CKR_FUNCTION_NOT_SUPPORTED in every other mode. `label` has 32 bytes. */
CK_RV group_init_token(struct group *group, const CK_BYTE *pin, CK_ULONG pin_len,
		       const CK_BYTE *label);

/* A bit for each member. */
static inline unsigned group_all(const struct group *g)
{
	return (1U << g->member_count) - 1;
}

#endif

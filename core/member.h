/* SPDX-License-Identifier: BSD-2-Clause */
/* A member: one real token of a virtual one. */
#ifndef HSMUX_CORE_MEMBER_H
#define HSMUX_CORE_MEMBER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/log.h"
#include "core/base/pkcs11.h"
#include "core/base/secret.h"
#include "core/config.h"
#include "core/library.h"
#include "core/pool.h"

/* Where a member stands. */
enum member_state {
	MEMBER_ABSENT, /* never reached in this process */
	MEMBER_UP,
	MEMBER_DOWN /* was reached, then failed */
};

/* Words of member.offers. */
#define MEMBER_OFFERS 64U

/* A mechanism that a member offers. */
struct member_mech {
	CK_MECHANISM_TYPE type;
	CK_MECHANISM_INFO info;
};

/* Tags of objects that may have been left on it and could not be looked for (orphan.h): so many at
 * the most, each a text of this size with its NUL. */
#define MEMBER_TAGS     64U
#define MEMBER_TAG_ROOM 33

/* A slot for one. */
struct member_tag {
	_Atomic int state; /* of orphan.c: who moves it to "in work" has the rest */
	bool needs_user;   /* the object may be private */
	char text[MEMBER_TAG_ROOM];
};

struct group;

/* What is known of the canary (probe.h). Guarded by the library's lock. */
struct member_canary {
	CK_MECHANISM_TYPE mech; /* that worked; 0: none yet */
	unsigned lib_epoch;     /* of the library, in which it was last found */
	bool was_right;         /* it gave the right answer once: so it must for ever */
	bool is_unused;         /* it is found, but cannot be used on this token */
	bool wants_user;        /* only a user may make it */
	bool is_refused;        /* it cannot be made */
	bool is_said;           /* that it cannot be had was logged */
};

struct member {
	const struct config_member *conf; /* borrowed */
	struct group *group;              /* borrowed: the virtual token that it belongs to */
	unsigned index;                   /* in group->members */
	const char *group_label;          /* borrowed; for the log */
	struct library *lib;              /* borrowed */
	struct member *next;              /* in lib->members; immutable */
	_Atomic int state;                /* enum member_state; written under lib->lock */
	_Atomic unsigned epoch;  /* rises whenever its sessions and handles become worthless */
	_Atomic CK_SLOT_ID slot; /* on the library; valid while up */

	/* Who may be chosen; see member_may_serve(). Not for the member of a passthrough token. */
	_Atomic int serves;     /* up, and what it holds was checked: the breaker is closed */
	_Atomic int is_drained; /* the operator took it out */
	_Atomic int
		is_refusing; /* it refused the PIN that others accepted: out until a new login */
	_Atomic long long serving_since_ms; /* clock_ms; it takes load gradually after that */
	_Atomic long long changed_ms;  /* wall clock, ms since 1970: state or breaker changed */
	_Atomic unsigned suspicions;   /* suspicious answers since the last good one */
	_Atomic unsigned in_flight;    /* calls and operations there now; balanced tokens only */
	_Atomic unsigned latency_us;   /* recent, peaks at once, decays; balanced tokens only */
	_Atomic unsigned has_canary;   /* the canary was seen: from now on it must be there */
	_Atomic int is_returning;      /* somebody brings it back: the breaker is half-open */
	_Atomic unsigned wanted;       /* calls that wait for any member of the group */
	_Atomic long long next_try_ms; /* not before then is a new attempt made ... */
	_Atomic long long last_try_ms; /* ... but soon after this one where calls wait */
	_Atomic unsigned hurry_ms;     /* pause between attempts while calls wait */

	_Atomic int has_offers;                 /* `offers` is filled */
	_Atomic uint64_t offers[MEMBER_OFFERS]; /* a bit for each mechanism that it offers */

	_Atomic int keeps_labels;   /* it refuses to change the label of what it made (pending.h) */
	_Atomic unsigned tag_count; /* of `tags` that are set */
	struct member_tag tags[MEMBER_TAGS];

	/* guarded by lib->lock */
	CK_TOKEN_INFO token; /* as last read */
	CK_SLOT_INFO slot_info;
	struct member_mech *mechs; /* as read first in `mech_epoch`; in its order; owned */
	CK_ULONG mech_count;
	unsigned mech_epoch;
	unsigned mech_tries; /* readings that left something out because of a failure */
	unsigned lib_epoch;  /* library epoch in which it came up */
	long long backoff_ms;
	long long blamed_since_ms; /* the window of the two that follow */
	unsigned blames;           /* calls that it failed at and another member could do */
	uint64_t blamed_at;        /* calls that had been sent when the window began */
	struct member_canary canary;
	char reason[256];     /* why it is not up, in words */
	struct log_limit log; /* a member that comes and goes does not fill the log */

	_Atomic int user; /* enum group_user logged in on the member; written under the group's
			   * login_lock */
	_Atomic uint64_t login_serial; /* pool_serial() when that login was made */
	_Atomic int shows_login;       /* its sessions show that login, as most tokens' do */
	bool has_shown;                /* that some login was shown; under login_lock */
	bool is_login_ours;   /* not that of somebody else in the process; under login_lock */
	bool was_asked;       /* the last call for a login reached it; under login_lock */
	unsigned asked_epoch; /* in which it did */
	struct member_session *keeper; /* holds the login; guarded by the group's login_lock */
	_Atomic unsigned login_epoch;  /* epoch in which a re-login was last tried */
	_Atomic long long probe_ms;    /* when it was last asked after a suspicious code */
	struct pool pool;

	/* only for who looks after the members (health.c) */
	_Atomic long long looked_ms; /* when it was last looked at */
	unsigned long long worked;   /* calls that had succeeded then */
	long long hint_ms;           /* wall clock: news of another process that were heeded */
	_Atomic int is_hinted;       /* another process says that it is down: look */

	pthread_mutex_t
		map_lock; /* guards `map`: real handle -> virtual handle, of the current epoch */
	struct member_map *map;
	size_t map_room;
	size_t map_count;
};

/* A slot of the hash table `member.map`. */
struct member_map {
	CK_OBJECT_HANDLE real;
	uint32_t handle; /* 0: never used */
};

/* Sets up in place member `index` of the group. */
void member_init(struct member *member, struct group *group, unsigned index, struct library *lib);

/* Whether calls may be sent to it: it serves, is not drained, and does not refuse the PIN. */
static inline bool member_may_serve(const struct member *m)
{
	return atomic_load_explicit(&m->serves, memory_order_acquire) &&
	       !atomic_load_explicit(&m->is_drained, memory_order_relaxed) &&
	       !atomic_load_explicit(&m->is_refusing, memory_order_relaxed);
}

/* Whether a user is logged in there and its sessions show it: one that does not is of another life.
 * Never for the member of a passthrough token. */
static inline bool member_shows_user(const struct member *m)
{
	return atomic_load(&m->shows_login) && atomic_load(&m->user) != 0;
}

/* Closes sessions (when `closes` says that its library may still be called) and frees what it
 * holds. */
void member_fini(struct member *member, bool closes);

/* Makes it usable: starts its library, finds its slot, reads its token and mechanisms. True when it
 * is up. A failed attempt is repeated after 0.5 s, then twice that, up to 30 s (where members can
 * take each other's place: as configured); `force` ignores the wait. Where the library itself is
 * broken and nobody else uses it, it is initialised anew. */
bool member_up(struct member *member, bool force);

/* It is up and cannot serve yet, for the reason `why`: it is looked at again after a pause, which
 * grows. */
void member_put_off(struct member *member, const char *why);

/* Finds its slot and reads its token's information; false with member->reason. The lock of its
 * library is held. Used by member_up(). */
bool member_find_slot(struct member *member);

/* Notes that it failed in `epoch` with `rv` during `what`: sessions and handles of that epoch
 * become worthless. Nothing happens when the epoch is over already. */
void member_lost(struct member *member, unsigned epoch, const char *what, CK_RV rv);

/* It failed in `epoch` with `rv` at a call that another member then did: the request was not to
 * blame. It is taken out when that were half of at least 20 calls within ten seconds. */
void member_blame(struct member *member, unsigned epoch, CK_RV rv);

/* Counts one such call; true, with words, when it is enough. The lock of its library is held. Used
 * by member_blame(). */
bool member_is_to_blame(struct member *member, CK_RV rv, char *reason, size_t size);

/* The member forgot its login, or its sessions, in `epoch` and is otherwise well: its handles and
 * sessions are worthless (SoftHSM2 numbers private objects anew at each login), it goes on in a new
 * epoch, public. Nothing happens when the epoch is over already. */
void member_renew(struct member *member, unsigned epoch);

/* The same when it is not a thing to tell, as when the last of our sessions there was closed by
 * ourselves. False when the epoch was over; and for the member of a passthrough token, whose
 * handles are the application's. */
bool member_begin_anew(struct member *member, unsigned epoch);

/* After a code that may be about the request or about the token (CKR_GENERAL_ERROR and the like):
 * probes it (probe.h), at most every 250 ms (every 20 where another could do the work). True when
 * it answers as it should. Doubtful answers of the canary make it false, and the configured number
 * of them in a row takes the member out. */
bool member_alive(struct member *member);

/* The same, asked after this call began: what was known before says nothing about a failure since.
 */
bool member_alive_now(struct member *member);

/* Probes it now, if it is up; takes it out, and answers, as member_alive() does. */
bool member_probe(struct member *member);

/* Lets a member that came up in `epoch` serve after `probes` good answers in a row; takes it down
 * when one is not. True when it serves. */
bool member_admit(struct member *member, unsigned epoch, unsigned probes);

/* When it may be tried next (clock_ms): earlier while calls wait for any member. */
long long member_due_ms(const struct member *member);

/* A call begins or ends to wait for any member of the group. */
void member_want(struct member *member, bool begins);

/* Time of the wall clock in milliseconds since 1970. */
long long member_wall_ms(void);

/* Reads its CK_TOKEN_INFO anew when it is up, and copies what is known. False when it was never up.
 */
bool member_token_info(struct member *member, CK_TOKEN_INFO *info);

/* Its mechanisms, read once per epoch, kept while it is down. A copy that the caller frees; NULL
 * with *count 0 when it offers none, was never up, or memory is out. */
struct member_mech *member_mechanisms(struct member *member, CK_ULONG *count);

/* Whether it offers the mechanism, as far as is known: true also when its mechanisms were never
 * read, and for a few mechanisms that are taken for another; the member itself then says no. No
 * lock, but when they have to be read. */
bool member_offers(struct member *member, CK_MECHANISM_TYPE type);

/* The slot information of the real token. False when it was never up. */
bool member_slot_info(struct member *member, CK_SLOT_INFO *info);

/* C_InitToken on the real token, which is up; `label` has 32 bytes. The member's code. */
CK_RV member_init_token(struct member *member, const struct secret *pin, const CK_BYTE *label);

/* A snapshot for `hsmux status`: state, and the reason when not up. */
enum member_state member_status(struct member *member, char *reason, size_t reason_len);

#endif

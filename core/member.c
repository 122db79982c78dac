/* SPDX-License-Identifier: BSD-2-Clause */
/* A member: one real token of a virtual one.
 *
 * ABSENT -> UP when first reached, UP -> DOWN by member_lost, DOWN -> UP by member_up. All of it
 * under the library's lock; `state` and `epoch` are read without. The epoch rises when a member
 * comes up and when it is lost: real handles and sessions of another epoch are worthless, since
 * after a re-initialisation the same number denotes another key (SoftHSM2 2.6.1 does this).
 *
 * Slots are found by label and serial, never by position: SoftHSM2's numbers follow random serials.
 */
#include "core/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/names.h"
#include "core/group.h"
#include "core/object.h"

/* First and longest pause between attempts to reach a member. */
#define BACKOFF_MS     500
#define BACKOFF_MAX_MS 30000
/* A suspicious code asks the token at most this often. */
#define PROBE_MS 250
/* How long calls in flight are waited for before a library is initialised anew. */
#define QUIESCE_MS 2000
/* No token has more mechanisms; a larger answer is not believed. */
#define MAX_MECHS 4096UL

void member_init(struct member *m, struct group *group, unsigned index, struct library *lib)
{
	memset(m, 0, sizeof *m);
	m->conf = &group->conf->members[index];
	m->group = group;
	m->index = index;
	m->group_label = group->conf->label;
	m->lib = lib;
	m->next = lib->members;
	lib->members = m;
	atomic_init(&m->probe_ms, -PROBE_MS);
	(void)snprintf(m->reason, sizeof m->reason, "not tried yet");
	pool_init(&m->pool, m->conf->max_sessions);
	pthread_mutex_init(&m->map_lock, NULL);
}

void member_fini(struct member *m, bool closes)
{
	pool_empty(m, closes);
	pool_fini(&m->pool);
	pthread_mutex_destroy(&m->map_lock);
	free(m->map);
	free(m->mechs);
}

static bool field_is(const unsigned char *field, size_t size, const char *wanted)
{
	char text[64];

	library_field(field, size, text);
	return strcmp(text, wanted) == 0;
}

static bool matches(const struct config_member *conf, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
	if (conf->has_slot && conf->slot != slot)
		return false;
	if (conf->token && !field_is(info->label, sizeof info->label, conf->token))
		return false;
	return !conf->serial ||
	       field_is(info->serialNumber, sizeof info->serialNumber, conf->serial);
}

static bool reason_code(struct member *m, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	(void)snprintf(m->reason, sizeof m->reason, "%s answered %s", what,
		       name_of(NAME_RV, rv, code));
	return false;
}

static bool is_taken(const struct member *m, CK_SLOT_ID slot)
{
	for (const struct member *o = m->lib->members; o; o = o->next)
		if (o != m && atomic_load(&o->state) == MEMBER_UP && o->slot == slot)
			return true;
	return false;
}

static bool choose_slot(struct member *m, const struct library_token *tokens, CK_ULONG count)
{
	const struct library_token *chosen = NULL;
	CK_RV worst = CKR_OK;
	unsigned found = 0;

	for (CK_ULONG i = 0; i < count; i++) {
		if (tokens[i].rv != CKR_OK)
			worst = tokens[i].rv;
		else if (matches(m->conf, tokens[i].slot, &tokens[i].info) && found++ == 0)
			chosen = &tokens[i];
	}
	if (found == 1 && !is_taken(m, chosen->slot)) {
		atomic_store(&m->slot, chosen->slot);
		m->token = chosen->info;
		return true;
	}
	if (found == 1)
		(void)snprintf(m->reason, sizeof m->reason,
			       "its token is a member elsewhere already: "
			       "one real token, one member");
	else if (found > 1)
		(void)snprintf(m->reason, sizeof m->reason,
			       "%u tokens match: add serial or slot to tell them apart", found);
	else if (worst != CKR_OK)
		return reason_code(m, "C_GetTokenInfo", worst);
	else
		(void)snprintf(m->reason, sizeof m->reason, "no such token among %lu slot(s) of %s",
			       count, m->lib->conf->library);
	return false;
}

static bool find_slot(struct member *m)
{
	struct library_token *tokens = NULL;
	struct library_guard guard;
	CK_ULONG count = 0;
	CK_RV rv = library_tokens(m->lib, &tokens, &count);
	bool ok;

	if (rv != CKR_OK)
		return reason_code(m, "C_GetSlotList", rv);
	ok = choose_slot(m, tokens, count);
	free(tokens);
	library_guard(m->lib, &guard);
	if (ok && m->lib->v2->C_GetSlotInfo(m->slot, &m->slot_info) != CKR_OK)
		memset(&m->slot_info, 0, sizeof m->slot_info);
	library_unguard(&guard);
	return ok;
}

/* Asks the token for what costs it something: its information is read from its store, random bytes
 * come from the device. A dead SoftHSM2 fails the first, a dead TPM the second; all else answers
 * CKR_OK. */
static bool answers(struct member *m)
{
	const CK_FUNCTION_LIST *f = m->lib->v2;
	CK_SESSION_HANDLE s = 0;
	CK_TOKEN_INFO info;
	CK_BYTE bytes[8];
	CK_RV rv = f->C_GetTokenInfo(m->slot, &info);

	if (rv != CKR_OK)
		return reason_code(m, "C_GetTokenInfo", rv);
	rv = f->C_OpenSession(m->slot, CKF_SERIAL_SESSION, NULL, NULL, &s);
	if (rv == CKR_SESSION_COUNT || rv == CKR_SESSION_READ_WRITE_SO_EXISTS)
		return true;
	if (rv != CKR_OK)
		return reason_code(m, "C_OpenSession", rv);
	rv = f->C_GenerateRandom(s, bytes, sizeof bytes);
	(void)f->C_CloseSession(s); /* the answer is known already */
	if (rv == CKR_OK || rv == CKR_RANDOM_NO_RNG || rv == CKR_FUNCTION_NOT_SUPPORTED ||
	    rv == CKR_USER_NOT_LOGGED_IN)
		return true;
	return reason_code(m, "C_GenerateRandom", rv);
}

static bool guarded(struct member *m, bool (*ask)(struct member *))
{
	struct library_guard guard;
	bool ok;

	library_guard(m->lib, &guard);
	ok = ask(m);
	library_unguard(&guard);
	return ok;
}

static void lost(struct member *m, const char *reason)
{
	atomic_store(&m->state, MEMBER_DOWN);
	atomic_fetch_add(&m->epoch, 1);
	(void)snprintf(m->reason, sizeof m->reason, "%s", reason);
	m->next_try_ms = 0;
	m->backoff_ms = 0;
	object_drop_epoch(m);
	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: lost (%s); it is tried again when it is needed",
		m->conf->name, m->group_label, reason);
}

/* True when every other member of the library is down, those included that turn out to be dead. */
static bool others_are_down(struct member *m)
{
	for (struct member *o = m->lib->members; o; o = o->next) {
		if (o == m || atomic_load(&o->state) != MEMBER_UP)
			continue;
		if (guarded(o, answers))
			return false;
		lost(o, "its module is broken");
	}
	return true;
}

static bool quiesce(struct library *lib)
{
	bool ended = true;

	for (struct member *o = lib->members; o; o = o->next)
		ended = pool_quiesce(&o->pool, QUIESCE_MS) && ended;
	return ended;
}

/* Initialises the library anew; sessions and handles of all its members are worthless afterwards.
 * Not while a call is still inside: it would come back into a library that is not there any more.
 */
static bool restart(struct member *m)
{
	struct library *lib = m->lib;
	bool up = false;

	if (!lib->is_owned || atomic_load(&lib->vendor)->reinit_breaks || !others_are_down(m))
		return false;
	if (quiesce(lib)) {
		library_stop(lib, true);
		up = library_start(lib);
	} else {
		(void)snprintf(m->reason, sizeof m->reason,
			       "its module needs a restart, but a call has not returned yet");
	}
	for (struct member *o = lib->members; o; o = o->next)
		pool_resume(&o->pool);
	return up;
}

static bool find_alive(struct member *m)
{
	if (!find_slot(m))
		return false;
	/* Its library was not restarted since it was lost: cheap calls may lie. */
	return m->lib_epoch != atomic_load(&m->lib->epoch) || guarded(m, answers);
}

/* Somebody else in this process finalised the library under us: nothing of any member is left in
 * it. */
static void notice_end(struct library *lib)
{
	if (!library_was_ended(lib))
		return;
	for (struct member *o = lib->members; o; o = o->next)
		if (atomic_load(&o->state) == MEMBER_UP)
			lost(o, "its module was finalised by somebody else");
}

static bool reach(struct member *m)
{
	struct library *lib = m->lib;
	bool was_up;

	notice_end(lib);
	was_up = atomic_load(&lib->state) == LIBRARY_UP;

	if (!library_start(lib)) {
		(void)snprintf(m->reason, sizeof m->reason, "%.250s", lib->reason);
		return false;
	}
	if (find_alive(m))
		return true;
	return was_up && restart(m) && find_slot(m);
}

static bool try_up(struct member *m)
{
	char before[sizeof m->reason];

	memcpy(before, m->reason, sizeof before);
	if (reach(m)) {
		m->reason[0] = '\0';
		m->lib_epoch = atomic_load(&m->lib->epoch);
		m->backoff_ms = 0;
		atomic_store(&m->user, 0);
		atomic_fetch_add(&m->epoch, 1);
		atomic_store(&m->state, MEMBER_UP);
		log_msg(LOG_LEVEL_INFO, "member %s of token %s: up", m->conf->name, m->group_label);
		return true;
	}
	m->backoff_ms = m->backoff_ms ? m->backoff_ms * 2 : BACKOFF_MS;
	if (m->backoff_ms > BACKOFF_MAX_MS)
		m->backoff_ms = BACKOFF_MAX_MS;
	m->next_try_ms = clock_ms() + m->backoff_ms;
	if (strcmp(before, m->reason) != 0)
		log_msg(LOG_LEVEL_WARN,
			"member %s of token %s: cannot be used: %s; tried again from time "
			"to time",
			m->conf->name, m->group_label, m->reason);
	return false;
}

bool member_up(struct member *m, bool force)
{
	bool up;

	if (atomic_load(&m->state) == MEMBER_UP)
		return true;
	pthread_mutex_lock(&m->lib->lock);
	up = atomic_load(&m->state) == MEMBER_UP;
	if (!up && (force || clock_ms() >= m->next_try_ms))
		up = try_up(m);
	pthread_mutex_unlock(&m->lib->lock);
	return up;
}

void member_lost(struct member *m, unsigned epoch, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN], reason[160];

	pthread_mutex_lock(&m->lib->lock);
	if (atomic_load(&m->state) == MEMBER_UP && atomic_load(&m->epoch) == epoch) {
		(void)snprintf(reason, sizeof reason, "%s answered %s", what,
			       name_of(NAME_RV, rv, code));
		lost(m, reason);
	}
	pthread_mutex_unlock(&m->lib->lock);
}

bool member_alive(struct member *m)
{
	bool alive;

	if (clock_ms() - atomic_load(&m->probe_ms) < PROBE_MS)
		return atomic_load(&m->state) == MEMBER_UP;
	pthread_mutex_lock(&m->lib->lock);
	atomic_store(&m->probe_ms, clock_ms());
	alive = atomic_load(&m->state) == MEMBER_UP;
	if (alive && !guarded(m, answers)) {
		char reason[sizeof m->reason];

		memcpy(reason, m->reason, sizeof reason);
		lost(m, reason);
		alive = false;
	}
	pthread_mutex_unlock(&m->lib->lock);
	return alive;
}

bool member_token_info(struct member *m, CK_TOKEN_INFO *info)
{
	struct library_guard guard;
	CK_TOKEN_INFO fresh;
	bool known;
	CK_RV rv;

	pthread_mutex_lock(&m->lib->lock);
	known = atomic_load(&m->state) != MEMBER_ABSENT;
	if (atomic_load(&m->state) == MEMBER_UP) {
		library_guard(m->lib, &guard);
		rv = m->lib->v2->C_GetTokenInfo(m->slot, &fresh);
		library_unguard(&guard);
		if (rv == CKR_OK)
			m->token = fresh;
		else if (!guarded(m, answers))
			lost(m, "C_GetTokenInfo failed");
	}
	if (known)
		*info = m->token;
	pthread_mutex_unlock(&m->lib->lock);
	return known;
}

bool member_slot_info(struct member *m, CK_SLOT_INFO *info)
{
	bool known;

	pthread_mutex_lock(&m->lib->lock);
	known = atomic_load(&m->state) != MEMBER_ABSENT;
	if (known)
		*info = m->slot_info;
	pthread_mutex_unlock(&m->lib->lock);
	return known;
}

/* Reads list and details; a mechanism without details is left out. Nothing changes on failure. */
static void read_mechanisms(struct member *m)
{
	const CK_FUNCTION_LIST *f = m->lib->v2;
	const CK_FLAGS unusable = m->lib->v3 ? 0
					     : CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT |
						       CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY |
						       CKF_MULTI_MESSAGE;
	CK_ULONG n = 0, room, kept = 0;
	CK_MECHANISM_TYPE *types = NULL;
	struct member_mech *mechs = NULL;

	if (f->C_GetMechanismList(m->slot, NULL, &n) != CKR_OK || n > MAX_MECHS)
		return;
	room = n;
	types = calloc(n + 1, sizeof *types);
	mechs = calloc(n + 1, sizeof *mechs);
	if (types && mechs && (n == 0 || f->C_GetMechanismList(m->slot, types, &n) == CKR_OK) &&
	    n <= room) {
		for (CK_ULONG i = 0; i < n; i++) {
			mechs[kept].type = types[i];
			if (f->C_GetMechanismInfo(m->slot, types[i], &mechs[kept].info) != CKR_OK)
				continue;
			mechs[kept++].info.flags &= ~unusable;
		}
		free(m->mechs);
		m->mechs = mechs;
		m->mech_count = kept;
		m->mech_epoch = atomic_load(&m->epoch);
		mechs = NULL;
	}
	free(types);
	free(mechs);
}

struct member_mech *member_mechanisms(struct member *m, CK_ULONG *count)
{
	struct member_mech *copy = NULL;
	struct library_guard guard;

	*count = 0;
	pthread_mutex_lock(&m->lib->lock);
	if (atomic_load(&m->state) == MEMBER_UP && m->mech_epoch != atomic_load(&m->epoch)) {
		library_guard(m->lib, &guard);
		read_mechanisms(m);
		library_unguard(&guard);
	}
	if (m->mech_count > 0)
		copy = calloc(m->mech_count, sizeof *copy);
	if (copy) {
		memcpy(copy, m->mechs, m->mech_count * sizeof *copy);
		*count = m->mech_count;
	}
	pthread_mutex_unlock(&m->lib->lock);
	return copy;
}

CK_RV member_init_token(struct member *m, const struct secret *pin, const CK_BYTE *label)
{
	const unsigned char *bytes = pin ? secret_bytes(pin) : NULL;
	struct library_guard guard;
	CK_RV rv;

	pool_empty(m, true); /* a session of ours would be one too many */
	pthread_mutex_lock(&m->lib->lock);
	library_guard(m->lib, &guard);
	rv = m->lib->v2->C_InitToken(m->slot, (CK_BYTE *)(uintptr_t)bytes,
				     pin ? secret_len(pin) : 0, (CK_BYTE *)(uintptr_t)label);
	library_unguard(&guard);
	if (rv == CKR_OK) {
		atomic_fetch_add(&m->epoch, 1);
		object_drop_epoch(m);
	}
	pthread_mutex_unlock(&m->lib->lock);
	return rv;
}

enum member_state member_status(struct member *m, char *reason, size_t reason_len)
{
	enum member_state state;

	pthread_mutex_lock(&m->lib->lock);
	state = (enum member_state)atomic_load(&m->state);
	(void)snprintf(reason, reason_len, "%s", m->reason);
	pthread_mutex_unlock(&m->lib->lock);
	return state;
}

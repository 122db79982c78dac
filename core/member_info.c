/* SPDX-License-Identifier: BSD-2-Clause */
/* What a member is: its slot, its mechanisms, where it stands; and its fresh start, C_InitToken.
 *
 * All of it is read and written under the library's lock; mechanisms are read once in an epoch,
 * because tokens on a network take a call for each. */
#include "core/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/object.h"

/* No token has more mechanisms; a larger answer is not believed. */
#define MAX_MECHS 4096UL

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

static unsigned offer_bit(CK_MECHANISM_TYPE type)
{
	return (unsigned)((type * 0x9e3779b97f4a7c15UL) >> 52) % (MEMBER_OFFERS * 64);
}

static void note_offers(struct member *m)
{
	for (unsigned i = 0; i < MEMBER_OFFERS; i++)
		atomic_store(&m->offers[i], 0);
	for (CK_ULONG i = 0; i < m->mech_count; i++) {
		unsigned at = offer_bit(m->mechs[i].type);

		atomic_fetch_or(&m->offers[at / 64], 1UL << at % 64);
	}
	atomic_store(&m->has_offers, 1);
}

bool member_offers(struct member *m, CK_MECHANISM_TYPE type)
{
	unsigned at = offer_bit(type);
	CK_ULONG count;

	if (!atomic_load(&m->has_offers))
		free(member_mechanisms(m, &count)); /* reads them */
	return !atomic_load(&m->has_offers) ||
	       (atomic_load(&m->offers[at / 64]) & 1UL << at % 64) != 0;
}

/* Readings in an epoch that may fail for some mechanisms: a token that never says more of one that
 * it lists is not asked for ever. */
#define READINGS_MAX 4U

/* The details of one. A token that fails just now does not take away what it had before; then, or
 * when nothing is known, *is_doubtful. False: it is left out. */
static bool read_details(const struct member *m, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info,
			 bool *is_doubtful)
{
	CK_RV rv = m->lib->v2->C_GetMechanismInfo(m->slot, type, info);

	if (rv == CKR_OK || rv == CKR_MECHANISM_INVALID)
		return rv == CKR_OK;
	*is_doubtful = true;
	for (CK_ULONG i = 0; i < m->mech_count; i++) {
		if (m->mechs[i].type != type)
			continue;
		*info = m->mechs[i].info;
		return true;
	}
	return false;
}

/* What was read takes the place of what was known; when some of it is in doubt it is read again at
 * the next question. */
static void take_mechanisms(struct member *m, struct member_mech *mechs, CK_ULONG count,
			    bool is_doubtful)
{
	free(m->mechs);
	m->mechs = mechs;
	m->mech_count = count;
	m->mech_tries = is_doubtful ? m->mech_tries + 1 : 0;
	if (is_doubtful && m->mech_tries < READINGS_MAX)
		return;
	m->mech_tries = 0;
	m->mech_epoch = atomic_load(&m->epoch);
	note_offers(m);
}

/* Reads list and details. Nothing changes when the list cannot be read. */
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
	bool is_doubtful = false;

	if (f->C_GetMechanismList(m->slot, NULL, &n) != CKR_OK || n > MAX_MECHS)
		return;
	room = n;
	types = calloc(n + 1, sizeof *types);
	mechs = calloc(n + 1, sizeof *mechs);
	if (types && mechs && (n == 0 || f->C_GetMechanismList(m->slot, types, &n) == CKR_OK) &&
	    n <= room) {
		for (CK_ULONG i = 0; i < n; i++) {
			mechs[kept].type = types[i];
			if (vendor_lacks(atomic_load(&m->lib->vendor), types[i]))
				continue;
			if (!read_details(m, types[i], &mechs[kept].info, &is_doubtful))
				continue;
			mechs[kept++].info.flags &= ~unusable;
		}
		take_mechanisms(m, mechs, kept, is_doubtful);
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
		atomic_store(&m->has_canary, 0); /* it went with everything else */
		m->canary = (struct member_canary){0};
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

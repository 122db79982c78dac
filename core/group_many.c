/* SPDX-License-Identifier: BSD-2-Clause */
/* What a virtual token over several members is.
 *
 * Answers are made from group.views: copies of what was read of each member last, guarded by
 * view_lock. A view is brought up to date from a member that serves, at most every two seconds and
 * by one thread; never from one whose library is busy being started, probed or stopped, because
 * that may be stuck in a call. So what an application is told does not follow the members' health,
 * and never waits for it.
 *
 * A member that was never reached in this process does not count. */
#include "core/group_many.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/health.h"
#include "core/library.h"

/* How long a view is good. */
#define FRESH_MS 2000

bool group_many_present(struct group *g)
{
	bool present = false;

	for (size_t i = 0; i < g->member_count; i++)
		present = present || atomic_load(&g->members[i].state) != MEMBER_ABSENT;
	if (present || health_has_thread())
		return present;
	for (size_t i = 0; i < g->member_count; i++)
		if (member_up(&g->members[i], false)) {
			(void)health_bring_back(&g->members[i]); /* it was reached */
			present = true;
		}
	return present;
}

/* Takes the turn to read; false when another thread has it, or what is there is good. */
static bool take_turn(struct group *g, struct group_view *v, bool *has_mechs)
{
	long long now = clock_ms();
	bool is_due;

	pthread_mutex_lock(&g->view_lock);
	*has_mechs = v->mechs != NULL;
	is_due = !v->is_known || now - v->read_ms >= FRESH_MS;
	if (is_due)
		v->read_ms = now;
	pthread_mutex_unlock(&g->view_lock);
	return is_due;
}

/* What is known without asking the member. False when its library is busy or it was never reached.
 */
static bool peek(struct member *m, struct group_view *seen)
{
	bool known;

	if (pthread_mutex_trylock(&m->lib->lock) != 0)
		return false;
	known = atomic_load(&m->state) != MEMBER_ABSENT;
	if (known) {
		seen->token = m->token;
		seen->slot = m->slot_info;
	}
	pthread_mutex_unlock(&m->lib->lock);
	return known;
}

static void store(struct group *g, struct group_view *v, struct group_view *seen)
{
	pthread_mutex_lock(&g->view_lock);
	v->is_known = true;
	v->token = seen->token;
	v->slot = seen->slot;
	if (seen->mechs) {
		free(v->mechs);
		v->mechs = seen->mechs;
		v->mech_count = seen->mech_count;
	}
	pthread_mutex_unlock(&g->view_lock);
}

static void refresh(struct group *g, size_t i)
{
	struct member *m = &g->members[i];
	struct group_view *v = &g->views[i], seen = {0};
	bool has_mechs;

	if (!take_turn(g, v, &has_mechs) || !peek(m, &seen))
		return;
	if (member_may_serve(m))
		(void)member_token_info(m, &seen.token); /* else what was read last */
	/* Read once per epoch by the member itself. */
	if (member_may_serve(m) || (!has_mechs && atomic_load(&m->state) == MEMBER_UP))
		seen.mechs = member_mechanisms(m, &seen.mech_count);
	store(g, v, &seen);
}

static void refresh_all(struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++)
		refresh(g, i);
}

static CK_VERSION lower(CK_VERSION a, CK_VERSION b)
{
	return a.major < b.major || (a.major == b.major && a.minor <= b.minor) ? a : b;
}

static CK_ULONG less(CK_ULONG a, CK_ULONG b)
{
	return a < b ? a : b;
}

static CK_ULONG more(CK_ULONG a, CK_ULONG b)
{
	return a > b ? a : b;
}

bool group_many_slot_info(struct group *g, CK_SLOT_INFO *info)
{
	bool known = false;

	memset(info, 0, sizeof *info);
	refresh_all(g);
	pthread_mutex_lock(&g->view_lock);
	for (size_t i = 0; i < g->member_count; i++) {
		const CK_SLOT_INFO *s = &g->views[i].slot;

		if (!g->views[i].is_known)
			continue;
		info->flags |= s->flags;
		info->hardwareVersion = known ? lower(info->hardwareVersion, s->hardwareVersion)
					      : s->hardwareVersion;
		info->firmwareVersion = known ? lower(info->firmwareVersion, s->firmwareVersion)
					      : s->firmwareVersion;
		known = true;
	}
	pthread_mutex_unlock(&g->view_lock);
	return known;
}

/* One member has it, the virtual token has it: a PIN that is about to lock somewhere must be
 * visible. */
static const CK_FLAGS if_any = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED |
			       CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_COUNT_LOW |
			       CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED |
			       CKF_USER_PIN_TO_BE_CHANGED | CKF_SO_PIN_COUNT_LOW |
			       CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED | CKF_SO_PIN_TO_BE_CHANGED;
/* All of them must have it. */
static const CK_FLAGS if_all =
	CKF_WRITE_PROTECTED | CKF_PROTECTED_AUTHENTICATION_PATH | CKF_ERROR_STATE;

/* A token that says nothing of its PINs' length (0) does not narrow what is allowed. */
static void add_pin_lengths(CK_TOKEN_INFO *sum, const CK_TOKEN_INFO *t)
{
	if (t->ulMaxPinLen > 0)
		sum->ulMaxPinLen = sum->ulMaxPinLen > 0 ? less(sum->ulMaxPinLen, t->ulMaxPinLen)
							: t->ulMaxPinLen;
	sum->ulMinPinLen = more(sum->ulMinPinLen, t->ulMinPinLen);
}

/* CK_UNAVAILABLE_INFORMATION is the greatest number, so that whoever knows something wins. */
static void add_token(CK_TOKEN_INFO *sum, const CK_TOKEN_INFO *t)
{
	CK_FLAGS any = (sum->flags | t->flags) & if_any;

	sum->flags = any | (sum->flags & t->flags & if_all);
	sum->ulTotalPublicMemory = less(sum->ulTotalPublicMemory, t->ulTotalPublicMemory);
	sum->ulFreePublicMemory = less(sum->ulFreePublicMemory, t->ulFreePublicMemory);
	sum->ulTotalPrivateMemory = less(sum->ulTotalPrivateMemory, t->ulTotalPrivateMemory);
	sum->ulFreePrivateMemory = less(sum->ulFreePrivateMemory, t->ulFreePrivateMemory);
	sum->hardwareVersion = lower(sum->hardwareVersion, t->hardwareVersion);
	sum->firmwareVersion = lower(sum->firmwareVersion, t->firmwareVersion);
}

/* Only PINs that the application gives have a length that it must know. */
static bool gives_pin(const struct group *g, size_t i, bool any_same)
{
	return !any_same || g->members[i].conf->pin == CONFIG_PIN_SAME;
}

static bool any_same_pin(const struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (g->members[i].conf->pin == CONFIG_PIN_SAME)
			return true;
	return false;
}

static bool sum_tokens(const struct group *g, CK_TOKEN_INFO *sum)
{
	bool known = false, any_same = any_same_pin(g);

	for (size_t i = 0; i < g->member_count; i++) {
		const CK_TOKEN_INFO *t = &g->views[i].token;

		if (!g->views[i].is_known)
			continue;
		if (!known) {
			*sum = *t;
			sum->flags &= if_any | if_all;
			sum->ulMaxPinLen = sum->ulMinPinLen = 0;
		} else {
			add_token(sum, t);
		}
		if (gives_pin(g, i, any_same))
			add_pin_lengths(sum, t);
		known = true;
	}
	/* PINs come from the configuration: C_Login needs none. */
	if (known && !any_same)
		sum->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	return known;
}

bool group_many_token_info(struct group *g, CK_TOKEN_INFO *info)
{
	bool known;

	memset(info, 0, sizeof *info);
	refresh_all(g);
	pthread_mutex_lock(&g->view_lock);
	known = sum_tokens(g, info);
	pthread_mutex_unlock(&g->view_lock);
	return known;
}

static struct member_mech *find(struct member_mech *list, CK_ULONG count, CK_MECHANISM_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (list[i].type == type)
			return &list[i];
	return NULL;
}

/* What both can do. A greatest size of 0 says nothing. */
static void narrow(CK_MECHANISM_INFO *sum, const CK_MECHANISM_INFO *other)
{
	sum->flags &= other->flags;
	sum->ulMinKeySize = more(sum->ulMinKeySize, other->ulMinKeySize);
	if (sum->ulMaxKeySize == 0 || other->ulMaxKeySize == 0)
		sum->ulMaxKeySize = more(sum->ulMaxKeySize, other->ulMaxKeySize);
	else
		sum->ulMaxKeySize = less(sum->ulMaxKeySize, other->ulMaxKeySize);
}

/* Ranges without a common size: one counts in bits, another in bytes. */
static void drop_impossible_sizes(struct member_mech *sum, CK_ULONG n)
{
	for (CK_ULONG i = 0; i < n; i++)
		if (sum[i].info.ulMaxKeySize < sum[i].info.ulMinKeySize)
			sum[i].info.ulMinKeySize = sum[i].info.ulMaxKeySize = 0;
}

/* What either can do. */
static void widen(CK_MECHANISM_INFO *sum, const CK_MECHANISM_INFO *other)
{
	sum->flags |= other->flags;
	sum->ulMinKeySize = less(sum->ulMinKeySize, other->ulMinKeySize);
	sum->ulMaxKeySize = more(sum->ulMaxKeySize, other->ulMaxKeySize);
}

/* Keeps of `sum` what `v` has, too; the new number. */
static CK_ULONG intersect(struct member_mech *sum, CK_ULONG n, const struct group_view *v)
{
	CK_ULONG kept = 0;

	for (CK_ULONG i = 0; i < n; i++) {
		const struct member_mech *other = find(v->mechs, v->mech_count, sum[i].type);

		if (!other)
			continue;
		sum[kept] = sum[i];
		narrow(&sum[kept++].info, &other->info);
	}
	return kept;
}

/* Adds to `sum`, which has room, what only `v` has; the new number. */
static CK_ULONG unite(struct member_mech *sum, CK_ULONG n, const struct group_view *v)
{
	for (CK_ULONG i = 0; i < v->mech_count; i++) {
		struct member_mech *known = find(sum, n, v->mechs[i].type);

		if (known)
			widen(&known->info, &v->mechs[i].info);
		else
			sum[n++] = v->mechs[i];
	}
	return n;
}

/* view_lock is held. */
static struct member_mech *combine(const struct group *g, CK_ULONG *count)
{
	bool unites = g->conf->mode == CONFIG_MODE_CAPABILITY, is_first = true;
	struct member_mech *sum;
	CK_ULONG room = 0;

	*count = 0;
	for (size_t i = 0; i < g->member_count; i++)
		room += g->views[i].mech_count;
	sum = calloc(room + 1, sizeof *sum);
	for (size_t i = 0; sum && i < g->member_count; i++) {
		const struct group_view *v = &g->views[i];

		if (!v->mechs)
			continue;
		*count = unites || is_first ? unite(sum, *count, v) : intersect(sum, *count, v);
		is_first = false;
	}
	drop_impossible_sizes(sum, *count);
	return sum;
}

struct member_mech *group_many_mechanisms(struct group *g, CK_ULONG *count)
{
	struct member_mech *sum;

	refresh_all(g);
	pthread_mutex_lock(&g->view_lock);
	sum = combine(g, count);
	pthread_mutex_unlock(&g->view_lock);
	return sum;
}

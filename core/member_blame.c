/* SPDX-License-Identifier: BSD-2-Clause */
/* A member that is well when it is asked, and fails at its work.
 *
 * What counts is what it failed at and another member then did: a request that nobody can do takes
 * nobody out. */
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/names.h"
#include "core/member.h"

/* A member is taken out that fails at one in BLAMED_PART calls, and at so many within a window. */
#define BLAMED_PART      2U
#define BLAMED_LEAST     20U
#define BLAMED_WINDOW_MS 10000

static uint64_t calls_of(struct member *m)
{
	struct tally sum;
	unsigned open, busy;

	pool_tally(&m->pool, &sum, &open, &busy);
	return sum.calls;
}

bool member_is_to_blame(struct member *m, CK_RV rv, char *reason, size_t size)
{
	char code[NAME_MAX_LEN];
	uint64_t calls = calls_of(m);

	if (m->blames == 0 || clock_ms() - m->blamed_since_ms >= BLAMED_WINDOW_MS) {
		m->blamed_since_ms = clock_ms();
		m->blamed_at = calls - 1; /* this one counts */
		m->blames = 0;
	}
	m->blames++;
	if (m->blames < BLAMED_LEAST || m->blames * BLAMED_PART < calls - m->blamed_at)
		return false;
	(void)snprintf(
		reason, size, "%u of %llu calls failed that others could do, the last one with %s",
		m->blames, (unsigned long long)(calls - m->blamed_at), name_of(NAME_RV, rv, code));
	m->blames = 0;
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes to feed to a journal, and whether it holds them. Included by one source file of a program.
 */
#ifndef HSMUX_TESTS_UNIT_CORE_FED_H
#define HSMUX_TESTS_UNIT_CORE_FED_H

#include <stdint.h>
#include <string.h>

#include "core/journal.h"

#define PIECE (64UL * 1024)

static const CK_MECHANISM plain = {CKM_AES_CBC, NULL, 0};
static unsigned char bytes[2 * JOURNAL_MAX];

/* Bytes of which no two neighbourhoods are alike. */
static inline void fed_fill(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof bytes; i++) {
		x = x * 1664525U + 1013904223U;
		bytes[i] = (unsigned char)(x >> 24);
	}
}

static inline void feed(struct journal *j, size_t at, size_t len)
{
	journal_feed(j, CALL_C_EncryptUpdate, &plain, bytes + at, len);
}

/* What was fed is the first `len` of `bytes`, in pieces that are full but for the last. */
static inline bool holds(const struct journal *j, size_t len)
{
	const struct journal_piece *p, *last = NULL;
	size_t at = 0;

	for (p = j->first; p; p = p->next) {
		if (p->len == 0 || p->len > PIECE || at + p->len > len ||
		    memcmp(p->bytes, bytes + at, p->len) != 0)
			return false;
		at += p->len;
		last = p;
	}
	return at == len && j->in_len == len && j->last == last && journal_is_whole(j);
}

#endif

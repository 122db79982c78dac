/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardening: what the published attacks on PKCS#11 need, refused whatever the rules say. Pure. */
#ifndef HSMUX_POLICY_HARDEN_H
#define HSMUX_POLICY_HARDEN_H

#include "policy/algorithm.h"
#include "policy/facts.h"

/* One check. */
enum harden {
#define HARDEN(name, group, word, text, source) HARDEN_##name,
#include "policy/hardens.def"
#undef HARDEN
	HARDEN_COUNT
};

/* A set of checks: a bit each. */
typedef uint32_t harden_set;
#define HARDEN_BIT(check) (UINT32_C(1) << (check))

/* What holds where a policy says nothing: the groups "attrs", "sticky" and "no-leak". */
harden_set harden_default(void);

/* The checks of a group ("attrs"), or one of its word ("H:sticky"); 0 when there is none. */
harden_set harden_group(const char *word);
harden_set harden_by_word(const char *word);

/* "H:sticky"; what it is about; where it comes from; the group. Static. */
const char *harden_word(enum harden check);
const char *harden_text(enum harden check);
const char *harden_source(enum harden check);
const char *harden_group_word(enum harden check);

/* Lists for near_word(). */
const char *harden_word_at(size_t i, const void *context);
const char *harden_group_at(size_t i, const void *context);

/* Whether a check speaks against the call, and what a refusal is about; REASON_NONE when it does
 * not. `algorithm` is NULL when there is no mechanism. */
enum policy_reason harden_ask(enum harden check, const struct facts *facts,
			      const struct algorithm *algorithm);

#endif

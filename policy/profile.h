/* SPDX-License-Identifier: BSD-2-Clause */
/* The built-in profiles: what documents of authorities approve, as data. */
#ifndef HSMUX_POLICY_PROFILE_H
#define HSMUX_POLICY_PROFILE_H

#include "policy/aspect.h"

/* What a row says. */
enum profile_verdict {
	PROFILE_ALLOW,
	PROFILE_WARN,    /* allowed, and deprecated */
	PROFILE_PROCESS, /* only what was made before: verify, decrypt, unwrap */
	PROFILE_GRACE,   /* allowed with cnsa1_grace only */
	PROFILE_DENY
};

/* One row. All strings are static. */
struct profile_cell {
	enum policy_aspect aspect;
	enum profile_verdict verdict;
	unsigned least, most;     /* bits; most 0: no limit */
	const char *from, *until; /* days, YYYY-MM-DD; "": always */
	const char *source;
	const char *reviewed; /* when it was last held against the source; "": not yet */
};

/* One profile. */
struct profile {
	const char *name;                 /* "fips" */
	const char *title;                /* for people */
	const char *version;              /* of the document */
	const struct profile_cell *cells; /* sorted by aspect */
	size_t count;
};

/* What a profile says of one aspect. */
struct profile_answer {
	enum profile_verdict verdict;
	const struct profile_cell *cell; /* NULL: no row speaks of it */
	unsigned least;                  /* of a key that is too small: what would do; else 0 */
};

/* Profile number `i`, or NULL behind the last. */
const struct profile *profile_at(size_t i);

/* The profile of this name, or NULL. */
const struct profile *profile_by_name(const char *name);

/* Number of a profile in the list. */
size_t profile_number(const struct profile *p);

/* What a profile says of an aspect on a day (seconds since 1970). An aspect without a row is denied
 * when profiles list what they approve, see aspects.def. Sizes that are unknown (0) are denied
 * where a row asks for a size. */
void profile_ask(const struct profile *p, const struct aspect *a, int64_t now,
		 struct profile_answer *out);

/* Whether a verdict lets an act pass; `is_public`: the aspect's object is a public key. */
bool profile_lets(enum profile_verdict verdict, enum policy_act act, bool is_public, bool grace);

/* "allow", "warn", "process", "grace", "deny". */
const char *profile_verdict_word(enum profile_verdict verdict);

/* Seconds since 1970 at the beginning of a day YYYY-MM-DD (UTC), or of an RFC 3339 time that ends
 * with "Z". False when it is neither. */
bool profile_day(const char *text, int64_t *seconds);

#endif

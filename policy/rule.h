/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules and ceilings of a policy file, compiled, and whether they match a call. Pure. */
#ifndef HSMUX_POLICY_RULE_H
#define HSMUX_POLICY_RULE_H

#include "policy/algorithm.h"
#include "policy/facts.h"

/* A list of words; not set: the part is missing and matches everything. */
struct word_list {
	char **word; /* owned */
	size_t count;
	bool is_set;
};

/* A list of numbers (mechanisms, classes, key types). */
struct number_list {
	CK_ULONG *number; /* owned */
	size_t count;
	bool is_set;
};

/* A set of small numbers (hash functions, curves, parameter sets), a bit each. */
struct bit_list {
	uint32_t bits;
	bool is_set;
};

/* The parts of `who`. */
enum who_key {
	WHO_UID,  /* name or number */
	WHO_GID,  /* name or number */
	WHO_USER, /* name */
	WHO_ROLE, /* "user", "so", "public" */
	WHO_EXE,  /* glob */
	WHO_UNIT, /* glob */
	WHO_CGROUP,
	WHO_LABEL,
	WHO_TRUST, /* least trust */
	WHO_COUNT
};

/* One attribute that a template has or lacks. */
struct attribute_wish {
	CK_ATTRIBUTE_TYPE type;
	enum { WISH_PRESENT, WISH_BOOL, WISH_NUMBER } kind;
	CK_ULONG value;
};

struct wish_list {
	struct attribute_wish *wish; /* owned */
	size_t count;
};

/* When a rule holds. */
struct when {
	unsigned days; /* a bit each, Sunday is bit 0; 0: all */
	bool has_hours;
	int from, to;  /* minutes since midnight; `to` before `from`: over midnight */
	bool is_local; /* hours and days of the machine's time zone, else UTC */
	int64_t not_before, not_after; /* seconds since 1970; 0: none */
};

/* A condition: all that is set has to hold. Index 1 of a pair is the negation (`not_label`). */
struct condition {
	struct word_list who[WHO_COUNT][2];
	act_set acts[2]; /* 0: any, none */
	struct word_list token[2], label[2];
	struct word_list id[2]; /* hexadecimal, lower case */
	struct number_list class[2], key[2];
	int local;       /* -1: any, else whether CKA_LOCAL is true */
	int64_t age_max; /* seconds; 0: any */
	struct number_list mech[2];
	struct bit_list hash[2], mgf[2], kdf[2], curve[2], pset[2];
	unsigned bits_min, bits_max; /* 0: any */
	int salt_max;                /* bytes; -1: any */
	int hss_levels;              /* 0: any */
	enum policy_iv iv;           /* IV_NONE: any */
	struct wish_list has, lacks;
	struct when when;
};

/* One rule. */
struct rule {
	char *id; /* owned */
	bool is_deny;
	bool is_permissive; /* of a deny: what it would refuse is only told */
	bool is_off;        /* looked at by nobody */
	bool has_unless;
	struct condition match, unless;
	unsigned line;
};

/* One entry of `ceiling`: what it speaks of, and what has to hold then. */
struct ceiling {
	struct number_list key, mech; /* speaks of these; not set: of all */
	struct bit_list hash;
	unsigned bits_min, bits_max; /* 0: any */
	struct bit_list curves, psets;
	act_set acts; /* 0: any */
	unsigned line;
};

/* Whether a rule speaks of a call. In a deny rule it is enough that one object of the call fits, in
 * an allow rule all have to; a property that keys or mechanism do not have never makes a deny rule
 * match, and never keeps an allow rule from matching. `algorithm` is NULL without a mechanism. */
bool rule_matches(const struct rule *rule, const struct facts *facts,
		  const struct algorithm *algorithm);

/* Whether a call is within the ceiling; else what is wrong, and in `why` how. */
enum policy_reason ceiling_ask(const struct ceiling *ceiling, const struct facts *facts,
			       const struct algorithm *algorithm, char why[static VERDICT_WHY_LEN]);

/* The acts that a rule speaks of, and whether it asks anything of the objects. */
act_set rule_acts(const struct rule *rule);
bool rule_is_about_objects(const struct rule *rule);

/* Frees what a condition, a rule, or a ceiling owns. */
void condition_fini(struct condition *c);
void rule_fini(struct rule *rule);
void ceiling_fini(struct ceiling *ceiling);

#endif

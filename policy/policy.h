/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy: what may be done, and the decision about one call. */
#ifndef HSMUX_POLICY_POLICY_H
#define HSMUX_POLICY_POLICY_H

#include "core/base/diag.h"
#include "policy/facts.h"
#include "policy/harden.h"
#include "policy/profile.h"
#include "policy/rule.h"

/* Whether a policy refuses, only tells what it would refuse, or does nothing. */
enum policy_mode { POLICY_ENFORCE, POLICY_PERMISSIVE, POLICY_OFF };

/* What happens when not_after is over. */
enum policy_expiry { EXPIRY_WARN, EXPIRY_DENY_MUTATIONS, EXPIRY_DENY_ALL };

/* Most profiles of one policy: all there are. */
#define POLICY_PROFILES 8

/* One policy; immutable after it was read. All pointers are owned but the profiles. */
struct policy {
	char *name;
	long long serial;
	int64_t issued, not_after; /* seconds since 1970; 0: not given */
	enum policy_expiry on_expiry;
	enum policy_mode mode;
	bool is_default_deny;
	enum policy_trust trust_min;
	bool cnsa1_grace;
	harden_set hardening; /* after `relax` */
	harden_set relaxed;   /* what `relax` took away */
	const struct profile *profiles[POLICY_PROFILES];
	size_t profile_count;
	struct ceiling *ceilings;
	size_t ceiling_count;
	struct rule *rules;
	size_t rule_count;
	act_set spoken;      /* acts that some rule, ceiling or check may refuse */
	act_set object_acts; /* of them, those where it depends on the objects */
	bool wants_keys;     /* also in encryption and decryption */
	bool is_timeless;    /* no decision depends on the time */
};

/* Numbers of rules in CK_SESSION_INFO.ulDeviceError and in records: the base of each layer. */
#define POLICY_DEVICE_ERROR 0x48580000UL
enum {
	NUMBER_EXPIRY = 1,
	NUMBER_TRUST = 2,
	NUMBER_DEFAULT = 3,
	NUMBER_HARDENING = 0x100,
	NUMBER_PROFILE = 0x1000,
	NUMBER_CEILING = 0x4000,
	NUMBER_RULE = 0x8000
};

/* Hears every step of a decision, in the order of the layers: which layer, the name of what was
 * asked, what it said. */
typedef void policy_listener(void *context, enum policy_layer layer, const char *name,
			     const char *says);

/* Decides from the facts alone; no allocation, no locks, no member is asked. `policy` may be NULL:
 * everything is allowed. For the gate (core/call.c). */
void policy_check(const struct policy *policy, const struct facts *facts, struct verdict *verdict);

/* The same, heard by `listener` (NULL: nobody). For the command line and for tests. */
void policy_explain(const struct policy *policy, const struct facts *facts, struct verdict *verdict,
		    policy_listener *listener, void *context);

/* Whether the policy says anything about an act at all; false for NULL. */
bool policy_speaks(const struct policy *policy, enum policy_act act);

/* Whether a decision about the act needs to know the objects of the call, which may have to be
 * asked of a member. `mech` may be NULL. */
bool policy_wants_objects(const struct policy *policy, enum policy_act act,
			  const CK_MECHANISM *mech);

/* Sizes of keys, in bits; 0: no bound. */
struct policy_bounds {
	unsigned least, most;
};

/* What hardening, profiles and ceilings leave of a mechanism: false when no key can be used with it
 * for `act`. `bounds` are those of the key. Only what the mechanism's number says is looked at, and
 * a permissive policy leaves everything. */
bool policy_leaves(const struct policy *policy, CK_MECHANISM_TYPE type, enum policy_act act,
		   int64_t now, struct policy_bounds *bounds);

/* The code for a refusal: one that the standard lists for what was called. */
CK_RV verdict_code(enum policy_reason reason, enum policy_act act, enum policy_part part);

/* "hardening", "profile", "ceiling", "rule", "default", "expiry", "trust", "none". */
const char *policy_layer_word(enum policy_layer layer);

/* Reads a policy file. On any error every error of the file is in `diag` and the result is NULL.
 * The file must be writable by its owner only, who must be root or the caller. The caller owns the
 * result. */
struct policy *policy_parse(const char *file, struct diag *diag);

/* Reads the text of a built-in policy, called `name` in messages. */
struct policy *policy_parse_text(const char *text, const char *name, struct diag *diag);

/* A built-in policy by its name, or a file when the text has a slash in it or ends with ".conf". */
struct policy *policy_load(const char *name, struct diag *diag);

/* The text of a built-in policy; NULL when there is none of that name. Static. */
const char *policy_builtin(const char *name);

/* Name of built-in policy number `i`, or NULL behind the last; the context is not looked at. */
const char *policy_builtin_at(size_t i, const void *context);

/* Works out what the parts of a policy, which were set, speak of. For the parser. */
void policy_finish(struct policy *policy);

/* Frees all of it. NULL is allowed. */
void policy_free(struct policy *policy);

#endif

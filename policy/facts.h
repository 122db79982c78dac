/* SPDX-License-Identifier: BSD-2-Clause */
/* One call described as plain data: the only thing that decisions and evidence look at. */
#ifndef HSMUX_POLICY_FACTS_H
#define HSMUX_POLICY_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "core/base/pkcs11.h"
#include "policy/words.h"

/* How sure the identity of the caller is; a rule may ask for more. */
enum policy_trust {
	TRUST_SELF,    /* what the application says of itself */
	TRUST_PROCESS, /* what the kernel says, read inside the application's process */
	TRUST_PEER,    /* what the kernel says of the other end of a socket */
	TRUST_CRYPTO   /* proven by a signature or a PIN */
};

/* Who calls; strings are "" when unknown, never NULL. Read once in a process and after a fork. */
struct caller {
	uint32_t uid, gid; /* effective */
	const char *user, *group;
	const char *exe;    /* path */
	const char *unit;   /* systemd unit, from the control group */
	const char *cgroup; /* path */
	const char *label;  /* HSMUX_LABEL: what the application calls itself */
	enum policy_trust trust;
};

/* The attributes of a key that decisions look at, a bit each. */
enum policy_flag {
	FLAG_WRAP = 1U << 0,
	FLAG_UNWRAP = 1U << 1,
	FLAG_ENCRYPT = 1U << 2,
	FLAG_DECRYPT = 1U << 3,
	FLAG_SIGN = 1U << 4,
	FLAG_DERIVE = 1U << 5,
	FLAG_SENSITIVE = 1U << 6,
	FLAG_EXTRACTABLE = 1U << 7,
	FLAG_LOCAL = 1U << 8,
	FLAG_TRUSTED = 1U << 9
};

/* What an object is to the call. */
enum policy_part {
	PART_KEY,     /* is used */
	PART_SUBJECT, /* is wrapped, copied, changed, read, destroyed */
	PART_NEW      /* comes to be */
};

/* One object of a call. Strings and bytes are borrowed for the length of the decision. */
struct policy_object {
	enum policy_part part;
	CK_OBJECT_CLASS class; /* CK_UNAVAILABLE_INFORMATION: unknown */
	CK_KEY_TYPE type;      /* CK_UNAVAILABLE_INFORMATION: unknown, or no key */
	unsigned bits;         /* size; 0: unknown, or it has none */
	enum policy_curve curve;
	enum policy_pset pset;
	unsigned hss_levels; /* 0: unknown, or not HSS */
	const char *label;   /* NUL-terminated, "" when there is none */
	const uint8_t *id;   /* CKA_ID */
	size_t id_len;
	unsigned flags;           /* enum policy_flag: what is set */
	unsigned known;           /* enum policy_flag: what is known to be set or not */
	int64_t started;          /* CKA_START_DATE in seconds since 1970; 0: none */
	uint64_t exponent;        /* of an RSA key, 0: unknown, UINT64_MAX: larger */
	const CK_ATTRIBUTE *tmpl; /* PART_NEW, and changes: hsmux's own copy, normalised */
	CK_ULONG tmpl_count;
};

/* A call has at most so many objects: wrapping key, wrapped key; base key and new keys. */
#define FACTS_OBJECTS 4

/* Filled once per call before it is decided. Everything is borrowed for the length of the call. */
struct facts {
	enum policy_act act;
	const char *function; /* "C_SignInit" */
	const char *token;    /* label of the virtual token */
	const char *role;     /* "user", "so", "public": who is logged in, or logs in */
	const struct caller *caller;
	const CK_MECHANISM *mech; /* hsmux's own copy, handles still virtual; NULL when none */
	bool is_message; /* one message of a message-based operation, which has an IV of its own */
	bool is_caller_iv; /* of a message: the caller chose it */
	const struct policy_object *object[FACTS_OBJECTS];
	unsigned object_count;
	int64_t now; /* seconds since 1970 */
};

/* Which layer of a policy decided. */
enum policy_layer {
	LAYER_NONE, /* nothing stood against it */
	LAYER_HARDENING,
	LAYER_PROFILE,
	LAYER_CEILING,
	LAYER_RULE,
	LAYER_DEFAULT, /* no rule allowed it */
	LAYER_EXPIRY,  /* the policy is out of date */
	LAYER_TRUST    /* the caller's identity is not sure enough */
};

/* What is wrong with a call that is refused; decides the code (see verdict_code). */
enum policy_reason {
	REASON_NONE,
	REASON_MECHANISM,
	REASON_PARAMETER,
	REASON_KEY_SIZE,
	REASON_CURVE,
	REASON_PSET,
	REASON_KEY_TYPE,
	REASON_TEMPLATE,
	REASON_READ_ONLY,
	REASON_EXPORT,
	REASON_WRAPPING_KEY,
	REASON_USAGE, /* this key, this caller, this time */
	REASON_DIGEST_KEY
};

/* Longest explanation, with its NUL. */
#define VERDICT_WHY_LEN 160

struct profile;

/* What was decided, and why. */
struct verdict {
	bool is_allowed;
	bool would_deny; /* allowed only because the policy or the rule is permissive */
	bool is_warned;  /* allowed, but a profile calls it deprecated ... */
	const struct profile *warned_by; /* ... this one ... */
	enum policy_aspect warned_about; /* ... for this */
	CK_RV code;                      /* for the application when not allowed */
	enum policy_layer layer;
	enum policy_reason reason;
	uint16_t number;           /* of the rule, stable for one policy; 0: none */
	const char *rule;          /* its name; NULL when nothing stood against it. Static, or owned
				    * by the policy */
	char why[VERDICT_WHY_LEN]; /* a sentence's end: "RSA key of 1024 bits: least 2048" */
};

#endif

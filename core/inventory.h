/* SPDX-License-Identifier: BSD-2-Clause */
/* The inventory of a virtual token: every token object of every member, and which of them are one
 * and the same.
 *
 * A member that cannot be asked lacks nothing and has nothing: what it holds is unknown. hsmux's
 * own objects are left out, but for leftovers of unfinished creations and the records. */
#ifndef HSMUX_CORE_INVENTORY_H
#define HSMUX_CORE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/names.h"
#include "core/base/pkcs11.h"
#include "core/fingerprint.h"
#include "core/group.h"
#include "core/identity.h"
#include "core/member.h"
#include "core/record.h"

#define INVENTORY_WHY 256
#define LOGICAL_TYPE  32

/* What is known of a logical object. Several may hold; the first of them is its state. */
enum logical_state {
	LOGICAL_DESTROYED,    /* it was destroyed, and is still on members that were away */
	LOGICAL_CONFLICT,     /* where it is missing something else has its name and class */
	LOGICAL_EXTRA,        /* nothing can be shown to be the same as it */
	LOGICAL_MISSING,      /* on fewer members than the rule names; could be on more */
	LOGICAL_DRIFT,        /* its attributes are not the same everywhere */
	LOGICAL_OWED,         /* a record says that members missed a change of it */
	LOGICAL_SINGLE,       /* held once, and cannot be copied */
	LOGICAL_UNREPLICATED, /* on as many members as the rule names, and not on all */
	LOGICAL_RETIRED,      /* was rotated: no new signatures and encryptions */
	LOGICAL_OK,
	LOGICAL_STATES
};

/* One object of one member. */
struct instance {
	unsigned member;       /* index in the group */
	CK_OBJECT_HANDLE real; /* valid in: */
	unsigned epoch;        /* of the member */
	struct identity id;    /* kind IDENTITY_NONE also for a claim that its use refuted */
	uint8_t print[FINGERPRINT_LEN];
	bool has_print;
	bool is_unproven; /* a private key whose claim could not be tried */
	bool is_refuted;  /* a private key that is not what stands beside it */
	size_t set;       /* equal in all that are the same; only for inventory_match.c */
};

/* What an object may be used for, as in CKA_SIGN and so on. */
enum logical_use {
	LOGICAL_SIGNS = 1 << 0,
	LOGICAL_VERIFIES = 1 << 1,
	LOGICAL_ENCRYPTS = 1 << 2,
	LOGICAL_DECRYPTS = 1 << 3,
	LOGICAL_WRAPS = 1 << 4,
	LOGICAL_UNWRAPS = 1 << 5,
	LOGICAL_DERIVES = 1 << 6
};
#define LOGICAL_USES 7

/* One object as applications see it: on each member at most one of `at`. */
struct logical {
	struct instance *at[CONFIG_MAX_MEMBERS]; /* borrowed; NULL: not there */
	unsigned ordinal; /* of several with the same name and content on one member: which */
	unsigned holders; /* bit i: on member i */
	unsigned missing; /* bit i: not on member i, which was asked */
	unsigned doomed;  /* bit i: the copy on member i has to go */
	unsigned rivals;  /* bit i: missing on member i, where something else has its name */
	unsigned loose;   /* bit i: the copy on member i can be wrapped, or is made from content */
	struct buf drift[CONFIG_MAX_MEMBERS]; /* CK_ATTRIBUTE_TYPE each: what differs there from
						 the first holder */
	unsigned facts;                       /* bit s: state s holds */
	enum logical_state state;             /* the first of them */
	const char *single_why;               /* why it cannot be copied; NULL: it can. Static */
	const struct record *record;          /* borrowed; NULL: none */
	char type[LOGICAL_TYPE]; /* "rsa:3072", "ec:P-256", "aes:256", "x509", "data" */
	unsigned use;            /* of enum logical_use */
};

/* What a creation that was not finished left, or one on its way. */
struct leftover {
	unsigned member;
	CK_OBJECT_HANDLE real;
	unsigned epoch;
	char tag[MEMBER_TAG_ROOM];
};

/* All of it. */
struct inventory {
	struct group *group;        /* borrowed */
	struct instance *instances; /* owned, as all lists */
	size_t instance_count;
	struct logical *logicals; /* by class and name */
	size_t logical_count;
	struct record *records; /* the newest of each print */
	size_t record_count;
	struct leftover *leftovers;
	size_t leftover_count;
	unsigned trusted;                            /* bit i: the KEK of member i is trusted */
	unsigned asked;                              /* bit i: member i answered all questions */
	char why[CONFIG_MAX_MEMBERS][INVENTORY_WHY]; /* why a member did not */
};

/* How it is read. */
struct inventory_how {
	bool is_quick; /* claims of private keys are believed; for lists only, never for repairs */
	void (*step)(void *context, size_t done, size_t total); /* NULL: nobody watches */
	void *context;
};

/* Reads all members that serve (of a passthrough token: the one, when it is up) and matches what
 * they have. The group's user is logged in, else private objects are not seen. A member that fails
 * meanwhile counts as not asked. CKR_HOST_MEMORY. The caller frees the result. */
CK_RV inventory_read(struct group *g, const struct inventory_how *how, struct inventory **out);

/* Frees it. NULL is allowed. */
void inventory_free(struct inventory *inv);

/* "missing". Static. */
const char *logical_state_name(enum logical_state state);

/* "sign" for one of enum logical_use, "private key" for a class. Static, or `spare`. */
const char *logical_use_name(enum logical_use use);
const char *logical_class_name(CK_OBJECT_CLASS class, char spare[static NAME_MAX_LEN]);

/* Who is known to have missed something of it. */
static inline unsigned logical_owing(const struct logical *l)
{
	return l->record && record_is_alive(l->record) ? l->record->owed : 0;
}

/* The first member, in the configuration's order, that has it; who missed something of it comes
 * last. */
static inline const struct instance *logical_first(const struct logical *l)
{
	const struct instance *last = NULL;

	for (unsigned i = 0; i < CONFIG_MAX_MEMBERS; i++) {
		if (l->at[i] && !(logical_owing(l) & 1U << i))
			return l->at[i];
		last = last ? last : l->at[i];
	}
	return last;
}

/* On how many members an object has to be by the rule of the group; with no rule on one. */
unsigned inventory_needs(const struct group *g);

/* Members that belong to a mask. */
static inline unsigned inventory_bits(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

#endif

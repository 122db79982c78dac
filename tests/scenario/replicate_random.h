/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the replicate_random driver share: a model of what applications were told, and
 * what is seen of it. See replicate_random.c for the use. */
#ifndef HSMUX_TESTS_SCENARIO_REPLICATE_RANDOM_H
#define HSMUX_TESTS_SCENARIO_REPLICATE_RANDOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/scenario/app.h"

#define MEMBERS 3U
/* Processes at once. */
#define LANES 2U
/* Objects that one lane makes at the most. */
#define THINGS 160U

enum kind { KIND_AES, KIND_SECRET, KIND_DATA, KIND_CERTIFICATE, KIND_PUBLIC, KIND_PRIVATE };

enum being {
	BEING_GONE,  /* it must not be seen */
	BEING_THERE, /* it must be */
	BEING_DOUBT  /* the call that made or destroyed it failed: either, on all members */
};

/* Attributes that are looked at. */
struct looks {
	char label[24];
	CK_BYTE id;    /* of data objects: 0 */
	CK_BYTE value; /* of data and certificates: 16 times this */
	CK_BBOOL encrypt;
	CK_BBOOL extractable;
};

/* An object as the application knows it. */
struct thing {
	enum kind kind;
	enum being being;
	bool was_made; /* in doubt is its end, not its beginning */
	int half;      /* the public key of a private one; -1: none */
	struct looks now;
	struct looks perhaps; /* what it is if the last change, which failed, was done; else as now
			       */
	CK_BYTE proof[80];    /* what only this object answers, or its content */
	CK_ULONG proof_len;   /* 0: nobody has seen it yet */
};

/* The objects of one process and those that follow it. */
struct lane {
	uint64_t random;
	unsigned count;
	struct thing things[THINGS];
};

enum rule { RULE_ALL, RULE_MAJORITY, RULE_FIRST };

/* What all processes share. */
struct world {
	enum rule rule;
	unsigned long seed;
	_Atomic unsigned step;
	_Atomic unsigned changes;    /* of what is wrong with the members */
	_Atomic unsigned gone;       /* members that are away, a bit each */
	_Atomic bool was_calm;       /* nothing was wrong since the members were seen to agree */
	_Atomic bool may_be_killed;  /* a plan says so */
	_Atomic bool is_wrong;       /* said already */
	_Atomic unsigned long acted; /* calls that changed something, or should have */
	_Atomic unsigned long done;  /* those that were answered with CKR_OK */
	unsigned victim;             /* whom all harm comes to, where the rule is `first` */
	char plan[MEMBERS][256];     /* files */
	char stats[MEMBERS][256];
	char faulty[MEMBERS][80]; /* what they say */
	struct lane lane[LANES];
};

/* A process that works on the virtual token, or on a member by its own library. */
struct actor {
	struct app app;
	CK_SESSION_HANDLE session;
	struct world *world;
	struct lane *lane; /* NULL: all */
};

/* An object as it is seen. */
struct sight {
	CK_RV rv;       /* of what failed; CKR_OK: nothing */
	unsigned count; /* objects of that class and label; what follows is of the only one */
	struct looks is;
	CK_BYTE proof[80];
	CK_ULONG proof_len;
	bool works; /* it does what its attributes allow, and no more */
};

/* A number below n, the lane's next one. */
unsigned any(struct lane *lane, unsigned n);

/* Says what is wrong, with seed and step, once. */
void wrong(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One step of an application. */
void step_take(struct actor *a);

/* Changes what is wrong with the members. */
void harm_any(struct world *w, struct lane *lane);

/* Whoever calls some member at some time is killed. */
void harm_callers(struct world *w, struct lane *lane);

/* Nothing is wrong with any member. */
void harm_none(struct world *w);

/* Whether every object that was acknowledged has to be seen as it is now. */
bool promises_sight(const struct world *w);

/* Looks for an object under this label. `point`: of the public key, for a private one; NULL when it
 * is not known. */
void sight_take(const struct actor *a, enum kind kind, const char *label, const CK_BYTE *point,
		struct sight *out);

/* What is wrong with it; NULL: nothing. `is_shown`: as applications see it, and not what a member
 * has. */
const char *sight_fault(const struct sight *s, const struct thing *t, const struct looks *looks,
			bool is_shown);

/* Whether it is no object: SoftHSM2 makes the file of one before it writes what is in it, and a
 * process that is killed in between, because another of its threads is struck, leaves it so. */
bool sight_is_stillborn(const struct actor *a, CK_OBJECT_HANDLE object, const char *label);

/* How many objects of that label there are, and the handle; 0 when there is not exactly one. */
CK_RV thing_find(const struct actor *a, enum kind kind, const char *label, unsigned *count,
		 CK_OBJECT_HANDLE *object);

/* The point of the public half. */
const CK_BYTE *thing_point(const struct lane *lane, const struct thing *t);

/* Whether something about it is in doubt. */
bool thing_is_doubtful(const struct thing *t);

/* Looks at an object as an application does: it has to be as the model says. */
void thing_check(const struct actor *a, struct lane *lane, struct thing *t);

/* The members agree: what was in doubt is now what is seen. */
void thing_settle(const struct actor *a, struct lane *lane, struct thing *t);

const char *kind_name(enum kind kind);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the replicate driver share: ways to make, change and destroy token objects, and
 * what the members have of them by their own library. See replicate.c for the use. */
#ifndef HSMUX_TESTS_SCENARIO_REPLICATE_H
#define HSMUX_TESTS_SCENARIO_REPLICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/scenario/app.h"

/* Labels of the objects that the ways work on; no others are on the members. */
#define MADE "made"
#define OLD  "old"

/* The application's place: its session, and what was prepared. */
struct place {
	struct app app;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE base;   /* that is worked on, or with */
	unsigned char bytes[64]; /* what was wrapped */
	CK_ULONG len;
};

/* A way to make, change or destroy token objects. */
struct way {
	const char *name;
	void (*prepare)(struct place *p); /* NULL: nothing */
	CK_RV (*act)(struct place *p);    /* the call that is cut */
	unsigned made[2];                 /* objects labelled MADE before it is done, and after */
	unsigned old[2];                  /* the same of OLD */
	bool loses_use;    /* what is labelled MADE can encrypt before, and not after */
	bool loses_export; /* the application made it extractable, and takes that back */
};

/* The way of that name, NULL when there is none; the ways, the last one without a name. */
const struct way *way_named(const char *name);
extern const struct way ways[];

/* Whether the application can use the object: a key does what it is for. */
bool way_works(const struct place *p, CK_OBJECT_HANDLE object);

/* Objects of hsmux's own on a member: the KEK, the canary, and the token itself. */
#define KEPT 8U

/* A member. */
struct store {
	char name[32];  /* its label */
	char plan[256]; /* files */
	char stats[256];
	char conf[256];    /* of SoftHSM2 */
	char objects[256]; /* pattern of its objects' files */
	char *kept[KEPT];  /* those that are there all the time */
	unsigned kept_count;
};

/* An object as a member has it. */
struct item {
	char label[40];
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE key_type;
	unsigned char id[16];
	unsigned long is;        /* a bit for each attribute of stock_flags that is true */
	unsigned char print[32]; /* the same for the same content, or the same secret key */
	bool is_ours;            /* a record of hsmux */
	bool is_owing;           /* it says that something is to be done yet */
	bool is_wrong;           /* a private key that does not fit the public key beside it */
};

#define ITEMS 16U

/* What a member has. */
struct stock {
	unsigned count; /* ITEMS + 1: more than there is room for */
	struct item items[ITEMS];
};

/* Reads it, logged in, by `library`, and destroys it then when `cleans`. What hsmux has on
 * every member, the KEK and the canary, is left out, and left alone. Run it in a process of its
 * own. */
void stock_take(const char *library, const struct store *store, struct stock *out, bool cleans);

/* Notes the files of the objects that are there now; takes away those of all others, which costs
 * next to nothing. While nobody uses the token. */
void stock_keep(struct store *store);
void stock_clean(const struct store *store);

/* How many items have that label. */
unsigned stock_count(const struct stock *stock, const char *label);

/* How many have no name yet. */
unsigned stock_pending(const struct stock *stock);

/* Whether the member is as it is when the way is done (or not done). */
bool stock_is(const struct stock *stock, const struct way *way, bool is_done);

/* What is wrong with it in itself: NULL, or words. */
const char *stock_fault(const struct stock *stock, const struct way *way);

/* Whether a record there says that something is to be done yet. */
bool stock_owes(const struct stock *stock);

/* Whether two members have the same. */
bool stock_same(const struct stock *a, const struct stock *b);

/* Shows it on standard output. */
void stock_show(const struct store *store, const struct stock *stock);

#endif

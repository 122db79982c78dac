/* SPDX-License-Identifier: BSD-2-Clause */
/* What the members of trio.h have, say, and can show: in the place of identity.c and pool.c, for
 * tests of what becomes of objects. Included by programs that are linked with --wrap of the
 * functions of claims.c. */
#ifndef HSMUX_TESTS_UNIT_CORE_CLAIMS_H
#define HSMUX_TESTS_UNIT_CORE_CLAIMS_H

#include "core/identity.h"
#include "core/object.h"
#include "tests/unit/core/trio.h"

#define CLAIMS 256U

/* An object of a member. */
struct claim {
	unsigned member;
	CK_OBJECT_HANDLE real;
	const char *label;
	const char *id;
	enum identity_kind kind;
	unsigned char says; /* which key it says to be: its digest */
	unsigned char is;   /* which key it is */
	bool is_mute;       /* it cannot show it */
	bool is_doubtful;   /* it takes a challenge, and fails */
	CK_OBJECT_CLASS class;
	bool is_session;
};

extern struct claim claims[CLAIMS];
extern unsigned claims_count;

/* What the members' sessions, and questions, answer instead; CKR_OK: as it is. What happened. */
extern struct claims_do {
	CK_RV take; /* pool_take */
	CK_RV read; /* identity_read */
	CK_RV prove;
	CK_RV find;
	CK_RV make;    /* of an object that is made again */
	CK_RV explain; /* explicit_read(), which has nothing to say */
	bool makes_none;
	bool is_dead; /* what member_probe() finds out */
	bool is_logged_out;
	_Atomic unsigned takes, gives, drops, reads, proofs, finds, makes;
	_Atomic bool is_dirty;    /* the session that is out may have an operation left */
	_Atomic unsigned dirtied; /* sessions that were given back so, or used on */
	void (*hook)(void);       /* called when a member is asked: what another thread does then */
	void (*find_hook)(void);  /* the same, when it is searched */
	CK_OBJECT_HANDLE next_made;
} claims_do;

/* Nothing is anywhere; a token of that mode. */
void claims_begin(enum config_mode mode);

/* Member `m` has a private key that says to be `says` and is `is`. The entry may be changed. */
struct claim *claims_key(unsigned m, CK_OBJECT_HANDLE real, const char *label, const char *id,
			 unsigned char says, unsigned char is);

/* It has it no more. */
void claims_remove(unsigned m, CK_OBJECT_HANDLE real);

/* What a search on member `m` that finds these makes of them, appended to `out`. */
CK_RV claims_found(unsigned m, const CK_OBJECT_HANDLE *real, size_t count, struct buf *out);

/* The handle of one of them; 0: it is not shown. */
CK_OBJECT_HANDLE claims_find(unsigned m, CK_OBJECT_HANDLE real);

/* object_keep_template() of an object that was made so on the first member. */
bool claims_keep(CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* object_locate() on a session of the member. */
CK_RV claims_locate(unsigned m, CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *real);

/* The real handle that a call to the member would use now; 0: it is to be located first. */
CK_OBJECT_HANDLE claims_real(unsigned m, CK_OBJECT_HANDLE handle);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the attacks of attack.c share: keys that must stay where they are, and every way out of a
 * token that an application has. */
#ifndef HSMUX_TESTS_SCENARIO_ATTACK_H
#define HSMUX_TESTS_SCENARIO_ATTACK_H

#include "tests/scenario/app.h"

/* Kinds of keys that are attacked. */
enum attack_kind { ATTACK_AES, ATTACK_GENERIC, ATTACK_EC, ATTACK_RSA, ATTACK_KINDS };

/* Makes a token object of that kind that may do everything but leave (`is_exportable`: that, too),
 * and returns its handle: of a pair the private half. `mark` tells its label. */
CK_OBJECT_HANDLE attack_make(const struct app *app, CK_SESSION_HANDLE session,
			     enum attack_kind kind, bool is_exportable, unsigned char mark);

/* A session object, an AES-256 key whose value the attacker knows (32 bytes of 0x41), that can
 * wrap.
 */
CK_OBJECT_HANDLE attack_wrapper(const struct app *app, CK_SESSION_HANDLE session);

/* Takes the key by every way there is: its values read, and wrapped under keys of the attacker and
 * under itself. The name of the way that worked, or NULL. Static. */
const char *attack_take(const struct app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* Ends the program when the key can be taken; `how` says what was done before. */
void attack_fails(const struct app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
		  const char *how);

/* The same where a try gave CKR_OK and an object; 0 is none. The object is destroyed. */
void attack_gave(const struct app *app, CK_SESSION_HANDLE session, CK_RV rv, CK_OBJECT_HANDLE key,
		 const char *how);

/* How many objects match; the first in *found. */
CK_ULONG attack_find(const struct app *app, CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl,
		     CK_ULONG count, CK_OBJECT_HANDLE *found);

/* Cases of attack_hidden.c: hsmux's own objects. */
void attack_kek(struct app *app, const char *label);
void attack_names(struct app *app, const char *label);
void attack_public(struct app *app, const char *label);
void attack_so(struct app *app, const char *label);

/* Cases of attack_print.c: keys that pretend to be others. */
void attack_swap(struct app *app, const char *label);
void attack_forge(struct app *app, const char *label);
void attack_brought(struct app *app, const char *label);
void attack_open(struct app *app, const char *label);
void attack_victim(struct app *app, const char *label);
void attack_twins(struct app *app, const char *label);
void attack_copied(struct app *app, const char *label);
void attack_retired(struct app *app, const char *label);

/* Cases of attack_twin.c: objects of the same key. */
void attack_chain(struct app *app, const char *label);
void attack_stricter(struct app *app, const char *label);
void attack_looser(struct app *app, const char *label);

/* Cases of attack_odd.c. */
void attack_nested(struct app *app, const char *label);
void attack_unwrap(struct app *app, const char *label);
void attack_handles(struct app *app, const char *label);
void attack_lists(struct app *app, const char *label);
void attack_race(struct app *app, const char *label);

#endif

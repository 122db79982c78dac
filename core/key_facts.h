/* SPDX-License-Identifier: BSD-2-Clause */
/* What policies want to know of an object, asked of a member once and kept for a while. */
#ifndef HSMUX_CORE_KEY_FACTS_H
#define HSMUX_CORE_KEY_FACTS_H

#include "core/session.h"
#include "policy/describe.h"

/* How long it is believed: another process may have changed the object. */
#define KEY_FACTS_MS 2000

/* Describes an object of a locked session, as it is shown to applications; an alias as what it
 * stands for. CKR_OBJECT_HANDLE_INVALID, CKR_HOST_MEMORY, or the member's code when it cannot be
 * asked. */
CK_RV key_facts_of(struct session *session, CK_OBJECT_HANDLE object, struct described *out);

/* An object was changed, or all are gone: nothing that was kept is believed any more. */
void key_facts_forget(void);

/* Counts how often that was said. */
uint64_t key_facts_generation(void);

/* In a forked child: the locks are made anew. */
void key_facts_forked(void);

#endif

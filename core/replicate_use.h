/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of what a secret key may be used for: it is told by other answers then. */
#ifndef HSMUX_CORE_REPLICATE_USE_H
#define HSMUX_CORE_REPLICATE_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/call.h"
#include "core/group.h"
#include "core/record.h"

/* Whether the call is such a change. */
bool use_changes(const struct call *call, const struct record *r);

/* Before it: notes in the record all by which members may know the key, as member `m` has it.
 * CKR_HOST_MEMORY or the member's code. */
CK_RV use_note(struct call *call, struct record *r, struct member *m);

/* After it was done on `m`: the record is for the fingerprint that the key has now; *is_moved: it
 * is another one. False when that cannot be told. */
bool use_follow(struct call *call, struct record *r, struct member *m, bool *is_moved);

/* Takes away what is left of the record under the fingerprint that the key had before. */
void use_drop(struct group *g, const struct record *r, const uint8_t print[static FINGERPRINT_LEN]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A name for what an object is that is the same in every process, on every member, and for ever. */
#ifndef HSMUX_CORE_FINGERPRINT_H
#define HSMUX_CORE_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/identity.h"
#include "core/pool.h"

#define FINGERPRINT_LEN 32

/* The fingerprint of object `real`, of which identity_read() said `id`: from the digest of public
 * content or of the public key; a secret key answers a challenge that is the same everywhere.
 * *has is false when there is none (IDENTITY_NONE), or when codes that say nothing kept a secret
 * key from answering in the usual way, several times: another time it would have another name.
 * After a secret key that gave no answer the session may have an operation left on it: pool_drop()
 * it. CKR_HOST_MEMORY or the member's code. */
CK_RV fingerprint_of(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		     uint8_t out[static FINGERPRINT_LEN], bool *has);

/* No key has more fingerprints than this. */
#define FINGERPRINT_WAYS 5

/* All fingerprints that the object could have, as its attributes are: of a secret key one for each
 * way in which it can answer, the first of them is fingerprint_of(); else that one. One that two
 * keys have in common shows that they are the same, whatever each of them may be used for now.
 * As fingerprint_of(); *count 0 when there is none. */
CK_RV fingerprint_all(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		      uint8_t out[static FINGERPRINT_WAYS][FINGERPRINT_LEN], size_t *count);

#endif

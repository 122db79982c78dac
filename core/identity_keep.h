/* SPDX-License-Identifier: BSD-2-Clause */
/* Private keys that show which public key is theirs. */
#ifndef HSMUX_CORE_IDENTITY_KEEP_H
#define HSMUX_CORE_IDENTITY_KEEP_H

#include "core/identity.h"
#include "core/pool.h"

/* Writes the public key on private key `real` (CKA_PUBLIC_KEY_INFO) where the key itself does not
 * show it and the member takes that: that of the pair whose public half is `public`, made with it
 * just now. CKR_OK also where nothing can be written; CKR_HOST_MEMORY, or the member's code when it
 * does not answer. */
CK_RV identity_keep_pair(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE public);

/* The same: the one that `id` says, when the key shows by use that it is its own. */
CK_RV identity_keep(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id);

#endif

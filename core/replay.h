/* SPDX-License-Identifier: BSD-2-Clause */
/* An operation taken to another session of a member, or of another member. */
#ifndef HSMUX_CORE_REPLAY_H
#define HSMUX_CORE_REPLAY_H

#include "core/call.h"
#include "core/pool.h"

/* True when the operation of the call can be taken elsewhere: nothing of it exists only where it
 * is. */
bool replay_is_possible(const struct call *call);

/* Brings call->op to where it is on `ms`, an idle session: begins it there and feeds what the
 * journal kept; what comes out must begin with what the application has. CKR_OK; CKR_DEVICE_ERROR
 * when it gave something else; *is_lack as for translate(); or the member's code. When it is not
 * CKR_OK the state of `ms` is in doubt. */
CK_RV replay(struct call *call, struct member_session *ms, bool *is_lack);

/* An operation of which only the running digest is left needs no member before its last step: runs
 * the call on `ms` as one signature or verification over the digest (`ms` NULL for an Update). */
bool replay_floats(const struct call *call);
CK_RV replay_final(struct call *call, struct member_session *ms, bool *is_lack);

#endif

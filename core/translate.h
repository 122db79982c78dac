/* SPDX-License-Identifier: BSD-2-Clause */
/* Real handles in the place of virtual ones. */
#ifndef HSMUX_CORE_TRANSLATE_H
#define HSMUX_CORE_TRANSLATE_H

#include "core/call.h"
#include "core/pool.h"

/* Finds the real handles, on the member of `ms`, of everything that a call names: object[] for the
 * call's own objects, those inside the mechanism in their places. CKR_OK; what the standard answers
 * for an object that is not there, with *is_lack set (another member may have it); or the member's
 * code when it had to be asked and failed. When it is not CKR_OK in a token that is more than
 * passthrough, the state of `ms` is in doubt. */
CK_RV translate(struct call *call, struct member_session *ms, CK_OBJECT_HANDLE object[2],
		bool *is_lack);

#endif

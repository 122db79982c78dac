/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys to try ways with. */
#ifndef HSMUX_CORE_CARRY_THROWAWAY_H
#define HSMUX_CORE_CARRY_THROWAWAY_H

#include "core/carry.h"

/* Whether the member may make a key of the kind. */
bool carry_has_throwaway(struct member *member, enum carry_kind kind);

/* Makes one on the session, with which it goes: AES-256, the private half of RSA-2048 or of P-256;
 * sensitive and wrappable. The member's code. */
CK_RV carry_throwaway(struct member_session *ms, enum carry_kind kind, CK_OBJECT_HANDLE *made);

#endif

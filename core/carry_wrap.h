/* SPDX-License-Identifier: BSD-2-Clause */
/* A key wrapped on one member and unwrapped on another, in one way. */
#ifndef HSMUX_CORE_CARRY_WRAP_H
#define HSMUX_CORE_CARRY_WRAP_H

#include "core/base/buf.h"
#include "core/carry.h"

/* Bytes of the IV of ways that have one. */
#define CARRY_IV 16

/* Wraps `key` under `kek`, both on the member; `iv` NULL: the mechanism has no parameter. The
 * member's code; `out` is then empty. */
CK_RV carry_wrap(struct member_session *ms, CK_OBJECT_HANDLE kek, CK_OBJECT_HANDLE key,
		 CK_MECHANISM_TYPE by, const CK_BYTE *iv, struct buf *out);

/* Makes the copy by way `way` (carry_ways.h), unproven; `kek`: on c->from and on c->to. CKR_OK with
 * c->made. *refused is true when the one or the other says that it does not do that: another way
 * may be tried. c->why says who said what. */
CK_RV carry_by(struct carry *c, unsigned way, const CK_OBJECT_HANDLE kek[2], bool *refused);

#endif

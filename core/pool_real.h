/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the pool: a session at the vendor's. */
#ifndef HSMUX_CORE_POOL_REAL_H
#define HSMUX_CORE_POOL_REAL_H

#include "core/pool.h"

/* Opens `ms->real`, read/write where it can be, in the epoch in which its member is. Codes of
 * pool_take(). */
CK_RV pool_open_real(struct member_session *ms);

/* Closes it at the vendor's, unless that library is ending or was initialised anew. */
void pool_close_real(struct member_session *ms);

#endif

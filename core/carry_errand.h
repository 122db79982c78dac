/* SPDX-License-Identifier: BSD-2-Clause */
/* A key-encryption key for one errand, between members that have no KEK in common. */
#ifndef HSMUX_CORE_CARRY_ERRAND_H
#define HSMUX_CORE_CARRY_ERRAND_H

#include "core/pool.h"

/* A key that `from` can wrap with and `to` unwrap with. Zeroed is a valid one that is not there. */
struct errand {
	struct member_session *from; /* borrowed */
	struct member_session *to;   /* borrowed */
	CK_OBJECT_HANDLE kek[2];     /* there; session objects */
};

/* Makes the key on the member of `to`, carries it to that of `from` under an RSA key of `from`
 * (transport.h), and shows that it arrived: both wrap the same block alike. CKR_MECHANISM_INVALID
 * when the two cannot do that; CKR_HOST_MEMORY or a member's code. errand_close() in any case. */
CK_RV errand_open(struct member_session *from, struct member_session *to, struct errand *e);

/* Destroys it on both. */
void errand_close(struct errand *e);

#endif

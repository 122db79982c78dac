/* SPDX-License-Identifier: BSD-2-Clause */
/* What the application asks for, and what members are told; private to replicate_make.c. */
#ifndef HSMUX_CORE_REPLICATE_WISH_H
#define HSMUX_CORE_REPLICATE_WISH_H

#include "core/call.h"
#include "core/replicate_make.h"

/* Reads what template `i` of the call asks for that members are not told. CKR_ATTRIBUTE_READ_ONLY
 * for a copy that is to do more than the original. */
CK_RV wish_read(const struct call *call, unsigned i, struct sharing_wish *out);

/* Looks whether a member that serves would replace a key that it has by the new one, for its CKA_ID
 * (NSS does, silently): CKR_ATTRIBUTE_VALUE_INVALID then, said in the log. The lock is held. Codes
 * of the members. */
CK_RV wish_check_id(const struct sharing_wish *wish, const struct call *call, unsigned i);

/* The template that members are told: owned by the caller, its values are the call's own and *yes.
 * It says CKA_WRAP_WITH_TRUSTED where that is to be said of a key to members whose KEK is trusted.
 * CKR_HOST_MEMORY. */
CK_RV wish_template(const struct sharing_wish *wish, const struct call *call, unsigned i,
		    CK_BBOOL *yes, CK_ATTRIBUTE **out, CK_ULONG *count);

#endif

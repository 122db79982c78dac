/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of attributes of which an answer was lost: private to the sources that route changes. */
#ifndef HSMUX_CORE_ATTEMPTED_H
#define HSMUX_CORE_ATTEMPTED_H

#include <stdbool.h>

#include "core/call.h"

/* After route_one() of C_SetAttributeValue on the one member `m` gave `rv`. CKR_OK where the change
 * is there: it was sent more than once, because the first answer was lost, and the refusal was of a
 * change that had been made. `rv` where it is not; CKR_DEVICE_ERROR where nobody can say. */
CK_RV attempted_result(struct call *call, struct member *m, CK_RV rv);

#endif

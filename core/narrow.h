/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy leaves of a virtual token's mechanisms, so that applications adapt instead of
 * failing. */
#ifndef HSMUX_CORE_NARROW_H
#define HSMUX_CORE_NARROW_H

#include "core/member.h"
#include "policy/policy.h"

/* Takes out of `all` the mechanisms that the policy does not let be used at all, and out of the
 * others the flags that it does not; raises and lowers the sizes, in the unit of the mechanism.
 * Returns how many are left. */
CK_ULONG narrow_mechanisms(const struct policy *policy, struct member_mech *all, CK_ULONG count);

#endif

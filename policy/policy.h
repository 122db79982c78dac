/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision about one call. */
#ifndef HSMUX_POLICY_POLICY_H
#define HSMUX_POLICY_POLICY_H

#include "policy/facts.h"

/* Decides from the facts alone; no allocation, no locks, no member is asked. This version has no
 * way to configure a policy (hsmux.conf refuses the key), so no rule applies and every call is
 * allowed. */
struct verdict policy_check(const struct facts *facts);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision about one call: facts in, verdict out, nothing else. It must stay pure, so that the
 * command line can ask it the same questions that the gate asks. */
#include "policy/policy.h"

struct verdict policy_check(const struct facts *facts)
{
	(void)facts; /* no rule exists that could look at them */
	return (struct verdict){.is_allowed = true, .code = CKR_OK, .rule = NULL};
}

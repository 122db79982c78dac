#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The far side of a member is killed and started again a hundred times while two threads work.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member softhsm near LABEL=near
member p11kit far LABEL=far

killed() { # ROUNDS
	app start 1234 op all load "2,$(fewer "$1")" "'$tests/fixture/p11kit.sh' kill '$work/far'" \
		"'$tests/fixture/p11kit.sh' start '$work/far'"
}

virtual failover far,priority=1 near,priority=2
check "killed and started $(fewer 100) times" killed 100
virtual balanced far near
check "balanced: killed and started $(fewer 20) times" killed 20
done_testing

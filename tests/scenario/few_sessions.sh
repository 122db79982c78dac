#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Many virtual sessions on members that allow few: limits are learned and kept, idle sessions cost a member
# nothing, and waiting is bounded.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
few='state sessions 4'

idle() { # NUMBER
	before=$(counted a C_OpenSession)
	app start 1234 open "$1"
	echo "$(($(counted a C_OpenSession) - before)) sessions on the member"
	[ "$(($(counted a C_OpenSession) - before))" -le 8 ]
}

# Each of them is used, one after the other, by sixteen threads, and when one member is gone.
used() { # NUMBER
	plan a "$few"
	plan b "$few"
	app start 1234 open "$1" use sign-ec plan "$work/a/plan=state gone CKR_DEVICE_REMOVED" use sign-ec \
		plan "$work/a/plan=$few" use digest
	plan a
	plan b
}
crowded() {
	plan a 'state sessions 3'
	plan b 'state sessions 3'
	app start 1234 op all load "16,$(fewer 2)" "echo 'state gone CKR_DEVICE_REMOVED' >'$work/n'; mv '$work/n' '$work/a/plan'" \
		"echo 'state sessions 3' >'$work/n'; mv '$work/n' '$work/a/plan'"
	plan a
	plan b
}

# The limit of the configuration is kept: the fault token would answer CKR_SESSION_COUNT above it.
configured() {
	plan a 'state sessions 2'
	plan b 'state sessions 2'
	before=$(($(counted a C_OpenSession) - $(counted a C_OpenSession ok)))
	app start 1234 open 100 use sign-ec load 8,1 true
	same "$(($(counted a C_OpenSession) - $(counted a C_OpenSession ok) - before))" 0
	plan a
	plan b
}

virtual failover a,priority=1 b,priority=2
check "$(fewer 10000) idle sessions cost the member nothing" idle "$(fewer 10000)"
check "$(fewer 500) sessions over four" used "$(fewer 500)"
check "sixteen threads over three sessions" crowded
virtual failover a,priority=1,max_sessions=2 b,priority=2,max_sessions=2
check "a limit from the configuration is never tried out" configured
virtual balanced a,max_sessions=2 b,max_sessions=2
check "balanced: the same" configured
done_testing

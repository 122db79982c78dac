#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Processes that fork while a member is lost, comes back, or is being probed: child and parent both work.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
virtual failover a,priority=1 b,priority=2
gone="$work/a/plan=state gone CKR_DEVICE_REMOVED"
back="$work/a/plan="

lost_before() { app start 1234 op all plan "$gone" op sign-ec fork all op all; }
lost_and_unnoticed() { app start 1234 op all plan "$gone" fork all op all; }
comes_back_in_child() { app start 1234 plan "$gone" op all plan "$back" fork all op all found x; }
many() {
	set --
	for turn in 1 2 3 4 5 6 7 8 9 10; do
		set -- "$@" plan "$gone" fork sign-rsa-parts plan "$back" fork encrypt-cbc-parts
	done
	app start 1234 "$@" op all found x
}

check "the member was lost before the fork" lost_before
check "nobody has noticed yet" lost_and_unnoticed
check "it is back when the child starts" comes_back_in_child
check "twenty children, the member comes and goes" many
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# All members are lost: calls wait inside their budget, then fail with the standard's code; when one
# returns, everything goes on with the same handles and the login, without C_Finalize.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
gone='state gone CKR_DEVICE_REMOVED'

comes_back() { # which member comes back first
	app start 1234 op all plan "$work/a/plan=$gone" plan "$work/b/plan=$gone" \
		within 1500 fails sign-ec=CKR_DEVICE_ERROR within 1500 fails read=any \
		plan "$work/$1/plan=" again sign-ec op all found x \
		plan "$work/a/plan=" plan "$work/b/plan=" op all found x
}

# A call that waits is served by the member that comes back during its wait: no error at all.
waits() {
	app start 1234 op all load "3,$(fewer 3)" \
		"echo '$gone' >'$work/n' && cp '$work/n' '$work/m' && mv '$work/n' '$work/a/plan' && \
			mv '$work/m' '$work/b/plan'; sleep 0.5; : >'$work/n'; mv '$work/n' '$work/b/plan'" \
		": >'$work/n'; mv '$work/n' '$work/a/plan'; sh '$serving' '$work/a/stats'"
}

# Half done operations: in parts, with the outage in the middle.
again_and_again() {
	set --
	for turn in 1 2 3 4 5; do
		set -- "$@" plan "$work/a/plan=$gone" plan "$work/b/plan=$gone" fails sign-rsa-parts=any \
			plan "$work/a/plan=" plan "$work/b/plan=" again sign-rsa-parts op all
	done
	app start 1234 "$@" found x
}

# Sessions and login are lost as well: the members were restarted.
restarted() {
	lost='state uninitialised|state renumber'
	app start 1234 op all plan "$work/a/plan=$gone" plan "$work/b/plan=$gone" fails sign-ec=any \
		plan "$work/a/plan=$lost" plan "$work/b/plan=$lost" again sign-ec op all found x
}

# The application starts while nothing can be reached.
starts_without() {
	plan a "$gone"
	plan b "$gone"
	(sleep 1 && plan b) &
	app run "until [ ! -s '$work/b/plan' ] || ! grep -q gone '$work/b/plan'; do sleep 0.1; done" \
		start 1234 op all
	wait
	plan a
}

GLOBAL='health = { interval_ms = 100; failures = 3; open_ms = 20; open_max_ms = 100; };
retry = { budget_ms = 1000; attempts = 3; };' virtual failover a,priority=1 b,priority=2
for first in a b; do
	check "the first to return is $first" comes_back $first
done
check "outages in the middle of operations" again_and_again
check "members that were restarted meanwhile" restarted
check "an application that starts during the outage" starts_without
virtual failover a,priority=1 b,priority=2
check "calls that wait long enough see no error" waits
done_testing

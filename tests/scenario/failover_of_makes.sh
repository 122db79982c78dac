#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Members of different makes in one virtual token: each stands in for the other.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault first LABEL=first

# stands_in KIND: the other member serves while the first is gone, and gives way when it is back
stands_in() {
	plan first
	app start 1234 op all plan "$work/first/plan=state gone CKR_DEVICE_REMOVED" op all found x \
		load "2,$(fewer 2)" "echo >'$work/first/next'; mv '$work/first/next' '$work/first/plan'" \
		"echo 'state gone CKR_DEVICE_ERROR' >'$work/first/next'; mv '$work/first/next' '$work/first/plan'"
	plan first
}

# dies KIND: the other member's far side is killed while it serves
dies() {
	app start 1234 op all run "'$tests/fixture/$1.sh' kill '$work/$1'" op all found x \
		run "'$tests/fixture/$1.sh' start '$work/$1'" op all \
		load "2,$(fewer 3)" "'$tests/fixture/$1.sh' kill '$work/$1'" "'$tests/fixture/$1.sh' start '$work/$1'"
}

for kind in softhsm nss p11kit camlcrush opencryptoki; do
	if [ $kind = camlcrush ] && [ -n "$preload" ]; then
		skip "$kind stands in for SoftHSM2" "its libtirpc crashes with the address sanitizer's own XDR functions"
		continue
	fi
	if ! try_member $kind $kind LABEL=$kind; then
		skip "$kind stands in for SoftHSM2" "$why"
		continue
	fi
	inside=$(fact $kind enter)
	for mode in failover balanced; do
		virtual $mode first,priority=1 $kind,priority=2
		check "$mode: $kind stands in for SoftHSM2" stands_in $kind
	done
	case $kind in
	p11kit | camlcrush)
		virtual failover $kind,priority=1 first,priority=2
		check "SoftHSM2 stands in for $kind when its far side is killed" dies $kind
		;;
	esac
	inside=
done
done_testing

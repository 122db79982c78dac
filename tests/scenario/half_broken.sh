#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member whose canary is well, but which fails at a part of its work, is taken out when that is half of
# it: calls do not take the way over it for ever. What no member can do takes none out.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
for_good='health = { interval_ms = 60000; failures = 3; open_ms = 60000; open_max_ms = 60000; };
retry = { budget_ms = 5000; attempts = 4; };'
GLOBAL=$for_good virtual failover a,priority=1 b,priority=2

# repeat N WORD...: the words N times over, in $steps
repeat() {
	steps=
	number=$1
	shift
	while [ "$number" -gt 0 ]; do
		steps="$steps $*"
		number=$((number - 1))
	done
}

taken_out() {
	: >"$work/a/plan"
	repeat 40 op encrypt-cbc
	# shellcheck disable=SC2086 # words
	app start 1234 op all plan "$work/a/plan=C_Encrypt all CKR_DEVICE_ERROR" $steps 2>"$work/log"
	grep 'member a of token virtual: lost (.* calls failed that others could do, the last one with CKR_DEVICE_ERROR' \
		"$work/log"
	[ "$(counted a C_Encrypt)" -lt 60 ]
}

# A member that fails now and then stays, and nobody notices.
stays() {
	repeat 40 op encrypt-cbc op sign-ec op digest
	# shellcheck disable=SC2086 # words
	app start 1234 op all plan "$work/a/plan=C_Encrypt every 5 CKR_DEVICE_ERROR" $steps 2>"$work/log"
	! grep lost "$work/log" || return 1
	: >"$work/a/plan"
}

# The request may be to blame for such a code.
not_blamed() {
	repeat 40 op encrypt-cbc
	# shellcheck disable=SC2086 # words
	app start 1234 op all plan "$work/a/plan=C_Encrypt all CKR_GENERAL_ERROR" $steps 2>"$work/log"
	! grep lost "$work/log" || return 1
	: >"$work/a/plan"
}

check "a member that fails at half of its calls is taken out" taken_out
rm -rf "$work/state"/*
: >"$work/a/plan"
check "one that fails now and then stays" stays
check "codes that may be about the request take nobody out" not_blamed
done_testing

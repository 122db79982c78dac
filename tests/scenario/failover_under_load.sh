#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Threads do everything while a member fails and returns, over and over, in the ways that real tokens
# have. No operation fails, and every result is right.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b

# prepare: a file for each plan; even where two follow each other the second replaces the first
prepare() {
	n=0
	for line in "" 'state gone CKR_DEVICE_REMOVED' "" '* every 7 CKR_DEVICE_ERROR' "" \
		'* all delay 5' 'state polite CKR_GENERAL_ERROR' "" 'state removed' "" \
		'* random 5 1 CKR_DEVICE_ERROR' 'state lose-sessions' 'state logged-out' \
		'state gone CKR_CRYPTOKI_NOT_INITIALIZED' "" 'crypto every 5 after CKR_DEVICE_ERROR' "" \
		'state busy 1 CKR_FUNCTION_FAILED' 'state busy 1 CKR_DEVICE_MEMORY' 'state sessions 2' ""; do
		n=$((n + 1))
		echo "$line" >"$work/plan.$n"
	done
	steps=$n
}

# breaks NAME THREADS,ROUNDS: one after the other in force in this member
breaks() {
	name=$1
	threads=$2
	set --
	n=0
	while [ "$n" -lt "$steps" ]; do
		n=$((n + 1))
		set -- "$@" "cp '$work/plan.$n' '$work/$name/next' && mv '$work/$name/next' '$work/$name/plan'"
	done
	app start 1234 load "${threads%,*},$(fewer "${threads#*,}")" "$@"
}

# both THREADS,ROUNDS: the members take turns at being gone
both() {
	app start 1234 load "${1%,*},$(fewer "${1#*,}")" \
		"cp '$work/plan.2' '$work/a/next' && mv '$work/a/next' '$work/a/plan'" \
		"cp '$work/plan.1' '$work/a/next' && mv '$work/a/next' '$work/a/plan'; $settled" \
		"cp '$work/plan.2' '$work/b/next' && mv '$work/b/next' '$work/b/plan'" \
		"cp '$work/plan.1' '$work/b/next' && mv '$work/b/next' '$work/b/plan'; $settled"
}

# both_serve: the load reaches both members
both_serve() {
	before_a=$(counted a C_Sign ok)
	before_b=$(counted b C_Sign ok)
	app start 1234 load 3,3 true
	[ "$(counted a C_Sign ok)" -gt "$((before_a + 3))" ]
	[ "$(counted b C_Sign ok)" -gt "$((before_b + 3))" ]
}

prepare
# Until both serve again: that is what "one healthy member" means for the next failure.
settled="sh '$serving' '$work/a/stats' '$work/b/stats'"
virtual failover a,priority=1 b,priority=2
check "failover: the first member fails in all ways" breaks a 3,2
plan a
check "failover: the second member fails in all ways" breaks b 3,1
plan b
virtual failover a,priority=1 b,role='"standby"'
check "failover to a standby" breaks a 3,1
plan a
for balance in least-loaded round-robin; do
	TOKEN="balance = \"$balance\";" virtual balanced a,weight=3 b,weight=1
	check "balanced, $balance: a member fails in all ways" breaks a 3,1
	plan a
	check "balanced, $balance: both serve" both_serve
	check "balanced, $balance: members take turns at being gone" both 3,4
	plan a
	plan b
done
done_testing

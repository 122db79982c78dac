#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is wrong with a request is no failure of a member: it is answered once, by one member, and opens no
# breaker.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
virtual failover a,priority=1 b,priority=2

# poison VERDICT CODE FUNCTION: thirty times; the other member sees none of it, the first each once
poison() {
	set -- "$1" "$2" "$3" "$(counted a "$3")" "$(counted b "$3")" "$(counted b C_SignInit)"
	verdict=$1=$2
	function=$3
	before_a=$4
	before_b=$5
	signed_b=$6
	set --
	for turn in 1 2 3 4 5 6 7 8 9 10; do
		set -- "$@" verdict "$verdict" verdict "$verdict" verdict "$verdict"
	done
	app start 1234 "$@" op sign-ec
	same "$(($(counted a "$function") - before_a))" 30
	same "$(($(counted b "$function") - before_b))" 0
	# the first member still serves: its breaker did not open
	same "$(($(counted b C_SignInit) - signed_b))" "$(proofs)"
}

# What hsmux does at its start on the second member, besides work: it proves keys
proofs() {
	before=$(counted b C_SignInit)
	app start 1234 op sign-ec >"$work/proofs"
	echo $(($(counted b C_SignInit) - before))
}

check "a wrong signature" poison wrong-signature CKR_SIGNATURE_INVALID C_Verify
check "a wrong padding" poison wrong-padding any C_Decrypt
check "a wrong tag" poison wrong-tag any C_Decrypt
check "a ciphertext of the wrong length" poison wrong-length any C_Decrypt
done_testing

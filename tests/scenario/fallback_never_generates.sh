#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# role = "fallback": a member that serves keys which it has, and never makes one, whatever is gone.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault soft LABEL=soft
made="C_GenerateKey C_GenerateKeyPair C_CreateObject C_CopyObject C_UnwrapKey C_DeriveKey"

# made_there: how often it was asked to make anything
made_there() {
	sum=0
	for function in $made; do
		sum=$((sum + $(counted soft $function)))
	done
	echo $sum
}

# keeps MODE
keeps() {
	before=$(made_there)
	app start 1234 generate CKR_OK plan "$work/a/plan=state gone CKR_DEVICE_REMOVED" \
		op sign-rsa op sign-rsa-parts op verify-rsa op encrypt-cbc op decrypt-cbc op sign-ec \
		generate any generate any plan "$work/a/plan=" again sign-ec
	same "$(made_there)" "$before"
}

for mode in failover balanced capability; do
	GLOBAL=$impatiently virtual $mode a soft,role='"fallback"'
	app start 1234 op sign-ec >"$work/output" 2>&1 # hsmux makes its own canary once
	check "$mode: it serves, and makes nothing" keeps
	plan a
done
done_testing

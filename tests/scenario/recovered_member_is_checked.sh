#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member that comes back without its keys, or with other keys under their names, is never used for them.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
virtual failover a,priority=1 b,priority=2
mkdir "$work/others"
"$drivers/keys" make "$work/others" || bail_out "no other keys"

# A command for the driver: exchanges the keys of the first member by its own module for another set.
{
	echo "set -e"
	for name in rsa ec aes mac; do
		by_hand_command a destroy $name
	done
	echo "[ \"\$1\" = none ] || $(by_hand_command a import "$work/")\$1"
} >"$work/exchange"

# comes_back WITH: everything goes on, and every result is that of the right key
comes_back() {
	app start 1234 op all \
		plan "$work/a/plan=state gone CKR_DEVICE_REMOVED" op all run "sh '$work/exchange' $1" \
		plan "$work/a/plan=state lose-sessions" op all load "3,$(fewer 5)" "sleep 0.3"
}

# An application that starts now. With other keys under the names on the first member, the names are that
# member's, so only the one without a key can be shown here.
serves() { app start 1234 op all load 2,3 true; }

restored() {
	before=$(counted a C_SignUpdate ok)
	serves
	[ "$(counted a C_SignUpdate ok)" -gt "$before" ]
}

check "it comes back without the keys" comes_back none
check "an application that starts while they are missing there" serves
by_hand a import "$keys" || bail_out "the keys cannot be imported again"
check "the keys return, and the member serves" restored
check "it comes back with other keys under the same names" comes_back others
sh "$work/exchange" keys >/dev/null 2>&1 || bail_out "the keys cannot be put right"
check "the right keys return, and the member serves again" restored
done_testing

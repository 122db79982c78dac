#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A token object comes to be once, whatever happens to the member that makes it: not twice, not never, and
# not unseen.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
virtual failover a,priority=1 b,priority=2
ways="key=C_GenerateKey=1 pair=C_GenerateKeyPair=2 data=C_CreateObject=1 copy=C_CopyObject=1
unwrap=C_UnwrapKey=1 derive=C_DeriveKey=1"
! is_short || ways="pair=C_GenerateKeyPair=2 unwrap=C_UnwrapKey=1"

# there WHERE PREFIX: objects with such labels, by the token's own module
there() { by_hand "$1" count "$2"; }

# are MADE_A MADE_B: what is on the two members, and nothing of hsmux's left
are() {
	same "$(there a made)" "$1"
	same "$(there b made)" "$2"
	same "$(there a hsmux-pending-)" 0
	same "$(there b hsmux-pending-)" 0
}

tidy() {
	plan a
	plan b
	for name in a b; do
		[ "$(there $name made)" = 0 ] || by_hand $name destroy made
	done
}

# each PROMISE COMMAND...: the command for each way, with WAY, FUNCTION and number of objects appended
each() {
	promise=$1
	shift
	for one in $ways; do
		way=${one%%=*}
		number=${one##*=}
		function=${one#*=}
		function=${function%=*}
		check "$way: $promise" "$@" "$way" "$function" "$number"
		tidy >"$work/output" 2>&1 || bail_out "the tokens cannot be tidied"
	done
}

simply() {
	app start 1234 make "$1=CKR_OK"
	are "$3" 0
}

# The member did it, and its answer was lost.
reply_lost() {
	app start 1234 plan "$work/a/plan=$2 nth 1 after CKR_DEVICE_ERROR" make "$1=CKR_OK"
	same "$(($(there a made) + $(there b made)))" "$3"
	same "$(there a hsmux-pending-)" 0
	same "$(there b hsmux-pending-)" 0
}

not_done() {
	app start 1234 plan "$work/a/plan=$2 nth 1 CKR_DEVICE_REMOVED" make "$1=CKR_OK"
	same "$(($(there a made) + $(there b made)))" "$3"
}

# The member did it, and is gone: another one does it. What the first one did is undone when it comes back,
# and the log says so.
gone() {
	app start 1234 plan "$work/a/plan=$2 nth 1 after CKR_DEVICE_REMOVED|C_GetSlotList all CKR_DEVICE_REMOVED" \
		make "$1=CKR_OK" plan "$work/a/plan=" served "$work/a/stats" 2>"$work/said" || {
		cat "$work/said"
		return 1
	}
	cat "$work/said"
	grep "warn: member a of token virtual: $3 object(s) labelled \"hsmux-pending-.*: destroyed" "$work/said"
	are 0 "$3"
}

# The object gets its label, and that answer is lost
naming_lost() {
	app start 1234 plan "$work/a/plan=C_SetAttributeValue nth 1 after CKR_DEVICE_ERROR" make "$1=CKR_OK"
	are "$3" 0
}

naming_refused() {
	app start 1234 plan "$work/a/plan=C_SetAttributeValue all CKR_ATTRIBUTE_READ_ONLY" make "$1=CKR_OK"
	are "$3" 0
}

# The answer about the label is lost with the member: it may have it, so that nothing is made again.
naming_gone() {
	app start 1234 \
		plan "$work/a/plan=C_SetAttributeValue nth 1 $1 CKR_DEVICE_REMOVED|C_GetSlotList all CKR_DEVICE_REMOVED" \
		make key=CKR_DEVICE_ERROR plan "$work/a/plan=" served "$work/a/stats"
	are "$2" 0
}

fixed() {
	app start 1234 make fixed=CKR_OK
	are 1 0
	app start 1234 plan "$work/a/plan=C_GenerateKey nth 1 after CKR_DEVICE_ERROR" make fixed=CKR_DEVICE_ERROR
	are 2 0
}

own() { app start 1234 make own=CKR_ATTRIBUTE_VALUE_INVALID make rename=CKR_ATTRIBUTE_VALUE_INVALID; }

each "it is made, with its label" simply
each "made, and the answer lost" reply_lost
each "not made" not_done
each "made on a member that is gone then" gone
each "named, and the answer lost" naming_lost
each "named nowhere" naming_refused
check "named or not, and the member gone: one error, and no second key" naming_gone after 1
tidy
check "not named, and the member gone: one error, and no key" naming_gone "" 0
check "what cannot be named: one error, and no second key" fixed
tidy
check "labels of hsmux's own are not the application's" own
done_testing

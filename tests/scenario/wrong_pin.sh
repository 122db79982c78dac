#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# PINs: a wrong one costs one try on one member; a member with another PIN is taken out and not hammered;
# members may have PINs of their own; after a loss there is one login, not many.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b

# tries COMMAND...: prints how many wrong PINs both members were shown by the command
tries() {
	before=$(($(pin_tries a) + $(pin_tries b)))
	"$@" || return
	echo "tries: $(($(pin_tries a) + $(pin_tries b) - before))"
}

one_try() {
	[ "$(tries app start - login 9999=CKR_PIN_INCORRECT | tail -n 1)" = "tries: 1" ]
}

then_right() {
	[ "$(tries app start - login 9999=CKR_PIN_INCORRECT login 1234=CKR_OK forget x op all | tail -n 1)" = \
		"tries: 1" ]
}

# The same as each token counts: three wrong ones would lock it.
never_locks() {
	plan a 'state pin-tries 3'
	plan b 'state pin-tries 3'
	app start - login 9999=CKR_PIN_INCORRECT login 1234=CKR_OK logout CKR_OK \
		login 9999=CKR_PIN_INCORRECT login 1234=CKR_OK logout CKR_OK \
		login 9999=CKR_PIN_INCORRECT login 1234=CKR_OK forget x op all
	plan a
	plan b
}

# Wrong on the first member too when that one is gone.
one_try_elsewhere() {
	plan a 'state gone CKR_DEVICE_REMOVED'
	one_try
	plan a
}

# Not more than one try on the member that refuses, however much work there is.
not_hammered() {
	before=$(pin_tries b)
	app start 1234 op all load 3,3 true
	same "$(($(pin_tries b) - before))" 1
	same "$(counted b C_SignFinal)" 0 # proofs of keys do not sign in parts
}

# An application publishes about once a second.
degraded() {
	{
		echo 'turn=0'
		echo "until '$hsmux' status | grep -A 2 ' b: module' | grep 'the PIN'; do"
		echo '	turn=$((turn + 1))'
		echo "	[ \$turn -lt 50 ] || { '$hsmux' status; exit 1; }"
		echo '	sleep 0.1'
		echo 'done'
	} >"$work/says_why"
	app start 1234 op all run "sh '$work/says_why'"
}

# Sessions and logins are lost under load: as many logins as losses.
one_login_each() {
	before=$(counted a C_Login)
	app start 1234 op all plan "$work/a/plan=state lose-sessions" op all op all \
		plan "$work/a/plan=state logged-out" op all op all
	[ "$(($(counted a C_Login) - before))" -le 4 ]
}

virtual failover a,priority=1 b,priority=2
check "a wrong PIN costs one try on one member" one_try
check "the right PIN after a wrong one" then_right
check "no token locks as long as people mistype once" never_locks
check "while the first member is gone it still costs one try" one_try_elsewhere
check "a lost login costs one login" one_login_each

"$tests/fixture/fault.sh" down "$work/b"
member fault b LABEL=b PIN=4321
virtual failover a,priority=1 b,priority=2
check "a member with another PIN is asked once and does no work" not_hammered
check "hsmux status says why" degraded
(umask 077 && echo 4321 >"$work/pin.b")
virtual failover a,priority=1 b,priority=2,pin='"file:'"$work"'/pin.b"'
check "a member with a PIN of its own, from a file" \
	app start 1234 op all plan "$work/a/plan=state gone CKR_DEVICE_REMOVED" op all found x
plan a
PIN_OF_B=4321
export PIN_OF_B
virtual failover a,priority=1 b,priority=2,pin='"env:PIN_OF_B"'
check "from the environment" \
	app start 1234 op all plan "$work/a/plan=state gone CKR_DEVICE_REMOVED" op all found x
plan a
check "a wrong PIN of the application is never tried with another's" one_try
done_testing

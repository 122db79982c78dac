#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# hsmux member drain: a member is taken out under load without an error, running operations end, nothing
# new begins there; a new process knows of it; undrain brings it back.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
virtual failover a,priority=1 b,priority=2

# Under load, in and out. Each time the command waits until the application says that it has followed.
under_load() { # ROUNDS
	app start 1234 load "3,$(fewer "$1")" "'$hsmux' member drain virtual a" "'$hsmux' member undrain virtual a"
}

idle() {
	"$hsmux" member drain virtual a
	before=$(counted a C_Sign)
	app start 1234 op all load 2,3 true
	same "$(($(counted a C_Sign) - before))" 0
	"$hsmux" status | grep -w a | grep -i drain
}

serves_again() {
	"$hsmux" member undrain virtual a
	before=$(counted a C_Sign ok)
	app start 1234 op all load 2,3 true
	[ "$(counted a C_Sign ok)" -gt "$before" ]
}

# The last member that is left: what is asked of the operator is done, and calls say so.
both() {
	"$hsmux" member drain virtual a
	! "$hsmux" member drain virtual b || return 1
	"$hsmux" member drain virtual b --force
	"$hsmux" member undrain virtual b
	app start 1234 op all
	"$hsmux" member undrain virtual a
}

check "in and out under load" under_load 8
check "nothing begins on a drained member, in a new process either" idle
check "it serves again after undrain" serves_again
check "draining both and undraining one" both
check "an unknown member is an error" [ "$("$hsmux" member drain virtual x >/dev/null 2>&1; echo $?)" -ne 0 ]
virtual balanced a b
check "balanced: in and out under load" under_load 4
done_testing

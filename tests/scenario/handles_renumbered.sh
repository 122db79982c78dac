#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member numbers its objects anew each time it is initialised, so that an old number denotes another
# key. Handles that the application has keep denoting the same keys.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b

# Five times over: initialised anew, with another numbering each time
renumbered() { # PLAN-FILE...
	set -- "$@"
	files=$*
	set --
	for turn in 1 2 3 4 5; do
		for file in $files; do
			set -- "$@" plan "$file=state renumber|state gone CKR_CRYPTOKI_NOT_INITIALIZED"
		done
		set -- "$@" run true
		for file in $files; do
			set -- "$@" plan "$file=state renumber"
		done
		set -- "$@" again sign-ec op all found x
	done
	app start 1234 op all found x "$@"
}

for name in a b; do
	plan $name 'state renumber'
done
virtual failover a,priority=1 b,priority=2
check "the member that serves numbers anew" renumbered "$work/a/plan"
check "both members number anew" renumbered "$work/a/plan" "$work/b/plan"
check "members were initialised anew while the application ran" \
	[ "$(counted a C_Initialize ok)" -gt 4 ]
virtual balanced a b
check "balanced: both members number anew" renumbered "$work/a/plan" "$work/b/plan"
done_testing

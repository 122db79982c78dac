#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Memory runs out at every allocation of hsmux while objects are made, changed and destroyed on two members: each
# is there as a whole afterwards, or not at all, on both. In the suite at every seventh; HSMUX_TEST_WHOLE=1: each.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
[ -z "${HSMUX_TEST_PRELOAD:-}" ] || skip_all "the sanitizer has a malloc() of its own"
token fault a LABEL=a
token fault b LABEL=b
. "$tests/scenario/kek_lib.sh"
TOKEN='replicate = "all";' virtual failover a b
with_so install >output 2>&1 || bail_out "no KEK: $(cat output)"
OOM_STEP=7
[ -z "${HSMUX_TEST_WHOLE:-}" ] || OOM_STEP=1
export OOM_STEP

runs_out() {
	driver replicate_oom "$1" virtual
	tool key sync virtual --pin-source "file:$work/pin" # what could not be told then, is now
	for member in a b; do
		by_itself $member --list-objects >objects || return 1
		! grep -E "label: *'?(first|second|hsmux-pending|hsmux-k-)" objects || return 1
	done
	find "$work/state" -name '*.journal' -size +0 >open
	not grep . open
}

stays_retired() {
	tool key generate virtual --pin-source "file:$work/pin" --type ec:P-256 --label retired
	tool key rotate virtual --pin-source "file:$work/pin" --label retired
	driver replicate_oom retired virtual
}

for way in key pair data destroy label; do
	check "$way: at each allocation all or nothing is done" runs_out $way
done
check "a retired key signs nothing, whatever cannot be read" stays_retired
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member fails at every single call of a rotation of the KEK: what there was stays, or it is finished later.
. "$(dirname "$0")/../lib.sh"
! is_short || skip_all "the cuts of an installation are the same, and programs are slower here"
. "$tests/scenario/kek_cut.sh"

with_so install >output 2>&1 || bail_out "no KEK"
keep before-rotate
check "a rotation with a member away changes nothing" is_away rotate
check "a rotation is cut behind every call" cut rotate a "after CKR_DEVICE_ERROR"
check "a rotation is cut at every call" cut rotate b CKR_DEVICE_ERROR
check "a rotation dies at every call" cut rotate b kill
done_testing

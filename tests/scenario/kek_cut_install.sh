#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member fails at every single call of an installation of the KEK: what there was stays, or it is finished later.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/kek_cut.sh"

keep before-install
check "an installation with a member away changes nothing" is_away install
check "an installation is cut at every call" cut install b CKR_DEVICE_ERROR
is_short || check "an installation is cut behind every call" cut install a "after CKR_DEVICE_ERROR"
is_short || check "an installation dies at every call" cut install a kill
done_testing

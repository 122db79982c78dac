#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# fault_test.sh PROGRAM FAULT_TOKEN: the fault token over a SoftHSM2 token. The program writes TAP.
. "$(dirname "$0")/../lib.sh"
token softhsm t
for setting in $(fact t variables); do
	export "${setting?}"
done
FAULT_TOKEN_LIBRARY=$(fact t library)
FAULT_TEST_PIN=$(fact t pin)
FAULT_TOKEN_CONTROL=$work/plan
FAULT_TOKEN_STATS=$work/stats
export FAULT_TOKEN_STATS FAULT_TOKEN_LIBRARY FAULT_TEST_PIN FAULT_TOKEN_CONTROL
"$1" "$2" softhsm || bail_out "the program ended with status $?"

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh KIND PROGRAM [GROUP...]: the conformance suite on a fresh token of this make, through hsmux, or with
# HSMUX_TEST_DIRECT on the token's own library. KIND: softhsm nss opencryptoki.
. "$(dirname "$0")/../lib.sh"
kind=$1
program=$2
shift 2

token "$kind" a
CONFORM_PIN=$(fact a pin)
CONFORM_SO_PIN=$(fact a so_pin)
export CONFORM_PIN CONFORM_SO_PIN
inside=$(fact a enter)
options=
[ "$kind" != softhsm ] || options=--expendable
if [ -n "$direct" ]; then
	for setting in $(fact a variables); do
		export "${setting?}"
	done
	client "$program" "$(fact a library)" "$kind" "$kind" $options --init-args "$(fact a init_args)" "$@"
else
	conf "$kind=a"
	client "$program" "$module" "$kind" "$kind" $options "$@"
fi

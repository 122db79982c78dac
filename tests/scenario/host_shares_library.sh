#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The application uses a member's library by itself, beside hsmux (host.c).
. "$(dirname "$0")/../lib.sh"
token softhsm shared LABEL=shared
cd "$work" || bail_out "no $work"
export "$(fact shared variables)"
HSMUX_TEST_LIBRARY=$(fact shared library)
export HSMUX_TEST_LIBRARY
conf shared=shared

check "an instance that the host initialised stays the host's" driver host host_first shared
check "hsmux comes back when the host finalised the instance" driver host host_finalizes shared
done_testing

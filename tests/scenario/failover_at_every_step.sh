#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One of two members fails in every way, at every step of every operation, and the application does not
# notice. See failover_matrix.c for what is tried; here are the codes.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
# A member is mended a thousand times: as short as a configuration may say.
GLOBAL='health = { interval_ms = 50; failures = 3; open_ms = 10; open_max_ms = 10; };
retry = { budget_ms = 5000; attempts = 4; };' virtual failover a,priority=1 b,priority=2

every_step() { app start 1234 matrix "$work/a/plan,$work/a/stats,$work/b/stats,$1"; }

check "without faults every operation works" app start 1234 op all found x
codes="CKR_DEVICE_ERROR CKR_GENERAL_ERROR CKR_SESSION_HANDLE_INVALID CKR_CRYPTOKI_NOT_INITIALIZED"
codes="$codes CKR_DEVICE_REMOVED CKR_TOKEN_NOT_PRESENT 0x80000001 0xffffffffffffffff"
# valgrind and sanitizers: the ways through hsmux, not every code
[ -z "${HSMUX_TEST_FEWER:-}" ] || codes="CKR_DEVICE_ERROR CKR_SESSION_HANDLE_INVALID"
for code in $codes; do
	plan a
	check "$code at every step" every_step "$code"
done
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Many threads, used rightly and wrongly (threads.c).
. "$(dirname "$0")/../lib.sh"
token softhsm soft LABEL=soft
token nss nss LABEL=nss
conf soft=soft nss=nss
cd "$work" || bail_out "no $work"

# valgrind is slow, and what it looks at is the same for both
labels="soft nss"
[ -z "$wrap" ] || labels=soft
for label in $labels; do
	check "$label: eight threads, each with its own sessions" driver threads own_sessions $label
	check "$label: eight threads in one session" driver threads one_session $label
	check "$label: all sessions closed under eight threads" driver threads all_closed $label
	check "$label: finalised under eight threads, ten times" driver threads finalized $label
done
check "C_WaitForSlotEvent ends with C_Finalize" driver threads slot_event soft
done_testing

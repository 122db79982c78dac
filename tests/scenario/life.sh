#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How applications start, stop, reload and leave (life.c), over SoftHSM2 and NSS in one process.
. "$(dirname "$0")/../lib.sh"
token softhsm soft LABEL=soft
token nss nss LABEL=nss
conf soft=soft nss=nss
cd "$work" || bail_out "no $work"

# valgrind is slow, and what it looks at is the same for both
labels="soft nss"
[ -z "$wrap" ] || labels=soft
for label in $labels; do
	check "$label: every way to initialise" driver life variants $label
	check "$label: calls in the wrong order" driver life wrong_order $label
	check "$label: twenty lives, things left open" driver life again $label
	check "$label: unloaded and loaded again, finalised or not" driver life reload $label
	check "$label: eight threads initialise at once" driver life concurrent $label
	check "$label: OpenSSL's errors of members are not the application's" driver life error_queue $label
	check "$label: exit without C_Finalize" driver life exit_open $label
	check "$label: calls from an exit handler" driver life exit_late $label
done
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# faults.sh FAULTS SOAK FAULT_TOKEN [GOAL...]: the failover goals (faults.c) over two members that can be
# broken, as a table. FAULTS_LOG: the level of hsmux's messages.
faults=$(realpath "$1")
soak=$(realpath "$2")
fault_token=$(realpath "$3")
shift 3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/members.sh"
for name in a b; do
	member $name
done
for mode in failover balanced; do
	group $mode a b
	mv "$work/hsmux.conf" "$work/$mode.conf"
done
unset HSMUX_CONF
HSMUX_LOG="${FAULTS_LOG:-error}" \
	"$faults" "$module" "$work/failover.conf" "$work/balanced.conf" group "$work/a/plan" "$work/b/plan" "$@"

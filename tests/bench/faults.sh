#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# faults.sh FAULTS SOAK FAULT_TOKEN [GOAL...]: the failover goals (faults.c) over two members that can be
# broken, as a table.
faults=$(realpath "$1")
soak=$(realpath "$2")
fault_token=$(realpath "$3")
shift 3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/members.sh"
for name in a b; do
	member $name
done
group_conf "$work/failover.conf" failover a b
group_conf "$work/balanced.conf" balanced a b
export HSMUX_LOG="${FAULTS_LOG:-error}"
"$faults" "$module" "$work/failover.conf" "$work/balanced.conf" group "$work/a.plan" "$@"

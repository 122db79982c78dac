#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# smoke.sh TARGET SEEDS SECONDS: a short run from fresh seeds; fails when something is found, and shows it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$(realpath "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-f.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$here/seeds.sh" "$work/corpus" "$2"
cd "$work"
unset HSMUX_CONF HSMUX_LOG
if ! "$target" -max_len=4096 -len_control=0 -max_total_time="$3" -timeout=20 -print_final_stats=1 corpus >log 2>&1; then
	tail -n 80 log
	for finding in crash-* leak-* timeout-* oom-*; do
		[ ! -e "$finding" ] || { echo "$finding:" && base64 "$finding"; }
	done
	exit 1
fi
tail -n 8 log

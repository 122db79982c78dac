#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# soak.sh SOAK FAULT_TOKEN [OPTION...]: short soaks with fixed seeds over two and three members, as TAP; under
# a sanitizer one of them. With OPTIONs of the soak (soak.c) there is one run of three members instead, as
# long as they say:
#
#   HSMUX_TEST_MODULE=build/module/hsmux.so sh tests/bench/soak.sh build/tests/bench/soak \
#       build/tests/token/fault.so --seconds 3600 --threads 16 --seed 7
soak=$(realpath "$1")
fault_token=$(realpath "$2")
shift 2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/members.sh"
for name in a b c; do
	member $name
done

# run_soak MODE MEMBERS OPTION...
run_soak() {
	mode=$1
	members=$2
	shift 2
	# shellcheck disable=SC2086 # words
	group "$mode" $members
	rm -rf "$work/state"
	plans=
	for name in $members; do
		plans="$plans $work/$name/plan"
	done
	# shellcheck disable=SC2086 # words
	HSMUX_LOG=info "$soak" --log "$work/soak.log" "$@" "$module" group $plans >"$work/numbers" && return
	result=$?
	cat "$work/numbers"
	grep -vE '^(hsmux|soak): ' "$work/soak.log" | head -n 20
	grep -v '^hsmux: info: token' "$work/soak.log" | tail -n 30
	return $result
}

# numbered SENTENCE ARGUMENT...: check, with the numbers of the run as comments
numbered() {
	check "$@"
	[ ! -s "$work/numbers" ] || sed 's/^/#   /' "$work/numbers"
	rm -f "$work/numbers"
}

if [ $# -gt 0 ]; then
	numbered "no error and no wrong result" run_soak failover "a b c" "$@"
elif is_short; then
	numbered "balanced over three members: no error, no wrong result" \
		run_soak balanced "a b c" --seconds 8 --threads 8 --seed 2 --settle 1000
else
	numbered "failover over two members: no error, no wrong result" \
		run_soak failover "a b" --seconds 10 --threads 8 --seed 1 --settle 1000
	numbered "balanced over three members: no error, no wrong result" \
		run_soak balanced "a b c" --seconds 10 --threads 8 --seed 2 --settle 1000
	numbered "a member is used at once when it is the only one left: no error, no wrong result" \
		run_soak failover "a b" --seconds 10 --threads 8 --seed 3
fi
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The KEK: the same on all members, of every make; made, shown, replaced; never an application's.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token softhsm a LABEL=a
token softhsm b LABEL=b
makes="a b"
for make in nss opencryptoki; do
	if try_token $make $make LABEL=$make; then
		makes="$makes $make"
	else
		skip "$make takes part" "$why"
	fi
done
case $makes in *opencryptoki*) inside=$(fact opencryptoki enter) ;; esac
TOKEN='replicate = "all";'
cd "$work" || bail_out "no $work"
printf '1234\n' >pin
printf '76543210\n' >so-pin
printf '00000000\n' >wrong-pin
chmod 600 pin so-pin wrong-pin

# kek VERB OPTION...
kek() {
	verb=$1
	shift
	tool kek "$verb" virtual --pin-source "file:$work/pin" "$@"
}

with_so() { verb=$1; shift; kek "$verb" --so-pin-source "file:$work/so-pin" "$@"; }

# exits CODE COMMAND...
exits() {
	wanted=$1
	shift
	code=0
	"$@" || code=$?
	same "$code" "$wanted"
}

# status_says EXPRESSION: of `all`, the members in kek status --json, and `m`, the same by name
status_says() {
	kek status --json >status.json || :
	/usr/bin/python3 -c "
import json, sys
all = json.load(open('status.json'))['members']
m = {x['name']: x for x in all}
sys.exit(not ($1))" || { cat status.json; return 1; }
}

none_is_there() {
	exits 1 kek status
	status_says "not any(x['present'] for x in all)"
}

is_installed() {
	with_so install
	exits 0 kek status
	status_says "[x['count'] for x in all] == [1] * len(all)"
	status_says "not any(x['extractable'] or x['finding'] for x in all)"
	status_says "[x['sensitive'] and x['same'] for x in all] == [True] * len(all)"
	status_says "m['a']['trusted'] == m['b']['trusted'] == 'yes'"
}

is_installed_once() {
	exits 1 with_so install
	exits 0 kek status
}

is_rotated() {
	with_so rotate
	exits 0 kek status
	status_says "m['a']['trusted'] == m['b']['trusted'] == 'yes'"
}

# shellcheck disable=SC2086 # words
virtual failover $makes
check "before an installation there is none" none_is_there
check "it is installed on all members, the same, locked, trusted where the maker knows that" is_installed
check "a second installation is refused and changes nothing" is_installed_once
check "a rotation puts another one in its place" is_rotated
done_testing

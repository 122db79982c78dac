#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who could write the configuration could have every PIN: a file that others may write or that belongs to
# somebody else is refused, and so is one with an error; standard error says which and why.
. "$(dirname "$0")/../lib.sh"
token softhsm one
conf one=one
cd "$work" || bail_out "no $work"

refused() { # PATTERN
	logs "$(basename "$HSMUX_CONF" .conf)\.conf.*$1" driver life refused one
	not tool config check
	not tool config show
}

# copy NAME: a configuration to spoil, in use for the rest of the check
copy() {
	cp hsmux.conf "$1.conf"
	chmod 600 "$1.conf"
	export HSMUX_CONF=$work/$1.conf
}

with_mode() {
	copy mode
	chmod "$1" mode.conf
	refused '(writ|mode|permission)'
	chmod 600 mode.conf
	driver steps count 1 sees one
}

readable_is_fine() {
	copy readable
	chmod 644 readable.conf
	driver steps count 1 sees one
	tool config check
}

of_another_owner() {
	copy foreign
	chown nobody foreign.conf
	refused 'belongs to'
}

error_in_it() { # LINE-OF-CONFIGURATION PATTERN
	copy wrong
	printf '%s\n' "$1" >>wrong.conf
	refused ":[0-9]+: .*$2"
}

all_errors_at_once() {
	copy bad
	sed -i 's/version = 1/version = 7/; s/mode = "passthrough"/mode = "sideways"/' bad.conf
	echo 'surprise = true;' >>bad.conf
	not tool config check 2>errors
	cat errors
	grep -E 'bad.conf:[0-9]+: .*version' errors
	grep -E 'bad.conf:[0-9]+: .*sideways' errors
	grep -E 'bad.conf:[0-9]+: .*surprise' errors
}

later_keys_are_named() {
	copy later
	printf 'audit = { directory = "/nowhere"; };\n' >>later.conf
	refused 'audit.*not supported by this version'
}

variables_are_expanded() {
	copy variable
	sed -i "s|$work|\${TEST_WORK}|g" variable.conf
	grep -q TEST_WORK variable.conf
	refused TEST_WORK
	TEST_WORK=$work driver steps count 1 sign one
	TEST_WORK=$work tool config check
}

check "a file that everybody can write is refused" with_mode 606
check "a file that its group can write is refused" with_mode 620
check "a file that others can read is fine" readable_is_fine
if [ "$(id -u)" -eq 0 ] && [ -z "$wrap" ]; then
	check "a file of another owner is refused" of_another_owner
else
	skip "a file of another owner is refused" "needs root"
fi
check "an unknown key is refused" error_in_it 'nonsense = 1;' nonsense
check "a syntax error is refused" error_in_it 'tokens = = ;' '.'
check "keys of later versions are refused by name" later_keys_are_named
check "all errors are reported at once" all_errors_at_once
check "variables are expanded, an unset one is an error" variables_are_expanded
done_testing

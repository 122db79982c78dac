#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who could write the configuration could have every PIN: a file that others may write or that belongs to
# somebody else is refused, and so is one with an error; standard error says which and why.
. "$(dirname "$0")/../lib.sh"
token softhsm one
conf one=one
cd "$work" || bail_out "no $work"

refused() { # PATTERN
	logs "hsmux\.conf.*$1" driver life refused one
	! tool config check
	! tool config show
}

with_mode() {
	chmod "$1" hsmux.conf
	refused '(writ|mode|permission)'
	chmod 600 hsmux.conf
	driver steps count 1 sees one
}

readable_is_fine() {
	chmod 644 hsmux.conf
	driver steps count 1 sees one
	tool config check
}

of_another_owner() {
	chown nobody hsmux.conf
	refused 'own'
	chown root hsmux.conf
}

error_in_it() { # LINE-OF-CONFIGURATION PATTERN
	printf '%s\n' "$1" >>hsmux.conf
	refused ":[0-9]+: .*$2"
	sed -i '$d' hsmux.conf
}

all_errors_at_once() {
	sed 's/version = 1/version = 7/; s/mode = "passthrough"/mode = "sideways"/' hsmux.conf >bad.conf
	echo 'surprise = true;' >>bad.conf
	chmod 600 bad.conf
	! HSMUX_CONF=$work/bad.conf tool config check 2>errors
	cat errors
	grep -E 'bad.conf:[0-9]+: .*version' errors
	grep -E 'bad.conf:[0-9]+: .*sideways' errors
	grep -E 'bad.conf:[0-9]+: .*surprise' errors
}

later_keys_are_named() {
	printf 'audit = { directory = "/nowhere"; };\n' >>hsmux.conf
	refused 'audit.*not supported by this version'
	sed -i '$d' hsmux.conf
}

variables_are_expanded() {
	sed "s|$work|\${TEST_WORK}|g" hsmux.conf >var.conf
	chmod 600 var.conf
	grep -q TEST_WORK var.conf
	export HSMUX_CONF=$work/var.conf
	! driver steps count 1
	! tool config check
	TEST_WORK=$work driver steps count 1 sign one
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

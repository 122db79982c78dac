#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Where the configuration comes from: HSMUX_CONF, else pReserved, else the system's file, else a default
# over the SoftHSM2 that is installed. A setuid process does not look at HSMUX_CONF.
. "$(dirname "$0")/../lib.sh"
token softhsm one LABEL=one TOKENS=second
token softhsm two LABEL=two
cd "$work" || bail_out "no $work"
conf one=one
cp hsmux.conf one.conf
conf two=two
cp hsmux.conf two.conf
unset HSMUX_CONF
system_file=$(strings -a "$module" 2>/dev/null | grep -m 1 '/hsmux/hsmux\.conf$' || :)

variable_counts() { HSMUX_CONF=$work/one.conf driver steps count 1 sign one misses two; }

argument_counts() { HSMUX_TEST_FILE=$work/two.conf driver life reserved two; }

variable_wins() { HSMUX_CONF=$work/one.conf HSMUX_TEST_FILE=$work/two.conf driver life reserved one; }

# Two initialised tokens and an empty slot in the store.
default_shows_softhsm() {
	export "$(fact one variables)"
	logs 'hsmux: warn' driver steps count 2 sign one sees second
	same "$(grep -c 'warn' log)" 1
	tool config show >shown
	cat shown
	grep -q softhsm shown
}

missing_file_is_an_error() { HSMUX_CONF=$work/none.conf driver life refused x; }

# The driver, setuid to a user that we are not.
setuid_ignores_variable() {
	mkdir -m 755 open
	cp "$drivers/setuid" open/driver
	cp "$module" open/module.so
	chown nobody open/driver
	chmod 4755 open/driver
	chmod 644 one.conf
	export HSMUX_CONF=$work/one.conf
	same "$("$drivers/setuid" "$work/open/module.so" one)" "plain sees"
	same "$(open/driver "$work/open/module.so" one)" "secure misses"
}

# Whether somebody else can look into $work at all.
reachable() {
	chmod 755 "$work"
	setpriv --reuid=nobody --clear-groups ls "$work" >/dev/null 2>&1
}

nosuid() { findmnt -no OPTIONS -T "$work" | grep -q nosuid; }

check "HSMUX_CONF names the file" variable_counts
check "pReserved names the file, other strings are refused" argument_counts
check "HSMUX_CONF wins over pReserved" variable_wins
check "a file that is named and missing is an error" missing_file_is_an_error
if [ -n "$system_file" ] && [ -e "$system_file" ]; then
	skip "without any file SoftHSM2's tokens appear" "this machine has $system_file"
else
	check "without any file SoftHSM2's tokens appear, with one warning" default_shows_softhsm
fi
if [ "$(id -u)" -ne 0 ] || nosuid || ! reachable; then
	skip "a setuid process ignores HSMUX_CONF" "needs root, and a temporary folder with setuid programs"
elif [ -n "$wrap$preload" ]; then
	skip "a setuid process ignores HSMUX_CONF" "a setuid process has no valgrind and no sanitizer"
else
	check "a setuid process ignores HSMUX_CONF" setuid_ignores_variable
fi
done_testing

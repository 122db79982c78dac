#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The hsmux command: versions, help, exit codes, and JSON that programs can read.
. "$(dirname "$0")/../lib.sh"
token softhsm one LABEL=one
token softhsm two LABEL=two
conf one=one two=two,private_copy
cd "$work" || bail_out "no $work"
json() { /usr/bin/python3 -m json.tool; }

# exits CODE COMMAND...
exits() {
	wanted=$1
	shift
	code=0
	"$@" || code=$?
	same "$code" "$wanted"
}

says_its_version() { tool --version | grep -E '[0-9]+\.[0-9]+\.[0-9]+'; }

helps() {
	tool help >help
	cat help
	for noun in config status; do
		grep -q "$noun" help
		tool help $noun | grep -q "$noun"
	done
}

wrong_use_is_2() {
	exits 2 tool
	exits 2 tool nonsense
	exits 2 tool config nonsense
	exits 2 tool status --nonsense
	tool nonsense 2>errors || :
	same "$(wc -l <errors)" 1
}

checks_and_shows() {
	tool config check
	tool config show >shown
	cat shown
	grep -q one shown
	grep -q private_copy shown
	tool config show --json | json
	unset HSMUX_CONF
	tool config check --conf "$work/hsmux.conf"
}

# What is shown is a configuration again.
shown_is_valid() {
	tool config show >again.conf
	chmod 600 again.conf
	tool config check --conf again.conf
	tool config show --conf again.conf >third.conf
	grep -v '^#' again.conf >again.settings
	grep -v '^#' third.conf >third.settings
	diff again.settings third.settings
}

status_is_0_when_all_is_well() {
	exits 0 tool status
	tool status --json | json
}

status_is_1_when_not() {
	rm -rf two/tokens
	tool status && return 1
	exits 1 tool status --json >status.json
	json <status.json
	grep -q '"two"' status.json
}

no_pin_needed() { ! tool status 2>&1 | grep -i pin; }

check "it says its version" says_its_version
check "it helps" helps
check "wrong use: exit status 2, one line" wrong_use_is_2
check "a configuration is checked and shown, also as JSON" checks_and_shows
check "what config show prints is a valid configuration" shown_is_valid
check "status: exit status 0 when everything is reached" status_is_0_when_all_is_well
check "status: exit status 1 when a member is not" status_is_1_when_not
check "status asks for no PIN" no_pin_needed
done_testing

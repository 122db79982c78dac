#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The hsmux command: versions, help, exit codes, and JSON that programs can read.
. "$(dirname "$0")/../lib.sh"
token softhsm one LABEL=one
token softhsm two LABEL=two
conf one=one two=two,private_copy
cd "$work" || bail_out "no $work"
# The same key, which the driver makes, in a store of its own.
driver steps sign one >output 2>&1 || bail_out "no key: $(cat output)"
cp -r one copy
sed -i "s|$work/one|$work/copy|g" copy/facts copy/softhsm2.conf
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
	for noun in config member status; do
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

# member_says NAME EXPRESSION: of `m`, the member of that name in the last status --json of "pair"
member_says() {
	/usr/bin/python3 -c "
import json, sys
tokens = json.load(open('status.json'))['tokens']
t = next(t for t in tokens if t['label'] == 'pair')
m = next(m for m in t['members'] if m['name'] == '$1')
sys.exit(not ($2))" || { cat status.json; return 1; }
}

# published NAME EXPRESSION: the same, once processes have published it
published() {
	tool status --json >status.json || :
	member_says "$@" >/dev/null
}

# What the application did before is known when it goes on.
while_drained() {
	tool member drain pair a | grep '^pair, member a: drained: 1 process followed$'
	exits 0 tool status --json >status.json
	member_says a "m['drained'] and not m['serving'] and m['processes'][0]['drained']"
	member_says b "m['serving'] and t['members_serving'] == 1 and t['members_drained'] == 1"
	eventually published a "m['calls'] > 0 and m['latency_us']['p50']"
	member_says a "m['in_use'] == 0"
	cp status.json before.json
	touch drained
}

# calls FILE INDEX: to the member of that index
calls() { /usr/bin/python3 -c "
import json
print(json.load(open('$1'))['tokens'][0]['members'][$2]['calls'])"; }

# What it signed since is published, and none of it went to a.
still_drained() {
	eventually published b "m['calls'] > $(calls before.json 1)"
	same "$(calls status.json 0)" "$(calls before.json 0)"
	tool status | grep '^pair: .*, serving, 1 of 2 members, 1 drained$'
	tool status | grep '^    1 process: up since .*, drained$'
}

undrained() {
	tool member undrain pair a | grep '^pair, member a: in service again: 1 process followed$'
	eventually published a "m['serving'] and not m['processes'][0]['drained']"
}

# The application signs before, between and after, in a session that it keeps (a login is everybody's); it
# stands still while we look.
drains() {
	conf pair=one+copy
	driver steps hold pair held pair run 'touch signed; until [ -e drained ]; do sleep 0.1; done' \
		held pair held pair run 'touch moved; until [ -e undrained ]; do sleep 0.1; done' held pair &
	application=$!
	eventually test -e signed
	while_drained
	eventually test -e moved
	still_drained
	undrained
	touch undrained
	wait $application
}

# Nothing of it is kept in a process.
stays_drained() {
	tool member drain pair a
	driver steps sign pair run "'$hsmux' status --json >status.json"
	member_says a "m['drained'] and m['processes'][0]['drained']"
	tool member undrain pair a
	tool status --json >status.json
	member_says a "not m['drained'] and m['serving'] and m['processes'] == []"
}

keeps_one_member() {
	tool member drain pair b
	exits 1 tool member drain pair a
	exits 0 tool member drain pair a --force
	exits 1 tool status
	tool member undrain pair a
	tool member undrain pair b
	exits 0 tool status
	exits 1 tool member drain pair c
	exits 1 tool member drain nobody a
}

half_a_token_is_1() {
	mv copy/tokens copy/away
	code=0
	tool status >half || code=$?
	mv copy/away copy/tokens
	cat half
	same "$code" 1
	grep '^pair: slot 1, failover, reachable, serving, 1 of 2 members$' half
	grep '^  b: .*: absent: ' half
}

# Prints again and again, ends when it is told to, with the code of what it saw last.
watches() {
	: >watched
	"$hsmux" status --watch 1 >watched &
	watching=$!
	eventually eval '[ "$(grep -c ^pair: watched)" -ge 2 ]'
	kill -TERM $watching
	code=0
	wait $watching || code=$?
	same $code 0
}

no_pin_needed() { ! tool status 2>&1 | grep -i pin; }

check "it says its version" says_its_version
check "it helps" helps
check "wrong use: exit status 2, one line" wrong_use_is_2
check "a configuration is checked and shown, also as JSON" checks_and_shows
check "what config show prints is a valid configuration" shown_is_valid
check "status: exit status 0 when everything is reached" status_is_0_when_all_is_well
check "member drain: no call goes there any more, and nobody notices" drains
check "a member stays drained for processes that start later, until undrain" stays_drained
check "member drain keeps one member, unless it is forced" keeps_one_member
check "status: exit status 1 when one member of two is away, and what serves" half_a_token_is_1
check "status --watch prints until it is told to end" watches
conf one=one two=two,private_copy
check "status: exit status 1 when a member is not" status_is_1_when_not
check "status asks for no PIN" no_pin_needed
done_testing

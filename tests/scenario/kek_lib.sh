# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the scripts about KEKs, after members.sh.
# shellcheck shell=sh disable=SC2154

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
	patiently kek status --json >status.json || :
	said "$1"
}

# said EXPRESSION: the same in what was read last
said() {
	/usr/bin/python3 -c "
import json, sys
all = json.load(open('status.json'))['members']
m = {x['name']: x for x in all}
sys.exit(not ($1))" || { cat status.json; return 1; }
}

# by_itself NAME OPTION...: pkcs11-tool on the token by its own module, behind hsmux
by_itself() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	$(fact "$name" enter) env $(fact "$name" variables) FAULT_TOKEN_CONTROL=/nonexistent \
		${preload:+"LD_PRELOAD=$preload"} ASAN_OPTIONS=detect_leaks=0 pkcs11-tool \
		--module "$(fact "$name" library)" --token-label "$(fact "$name" label)" --login --pin 1234 "$@"
}

# nothing_is_left NAME: under the tag of a KEK that is not finished
nothing_is_left() {
	by_itself "$1" --list-objects >objects || return 1
	not grep hsmux-pending objects
}

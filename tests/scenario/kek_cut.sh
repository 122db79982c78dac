# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the scripts in which a member fails at every single call of an installation or a rotation of the
# KEK: what there was stays, or the same command, or a rotation, finishes it.
# shellcheck shell=sh disable=SC2154
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token fault a LABEL=a
token fault b LABEL=b
. "$tests/scenario/kek_lib.sh"
TOKEN='replicate = "all";'
GLOBAL='health = { open_ms = 10; open_max_ms = 20; };'
virtual failover a b

# keep NAME, put_back NAME: the tokens as they are now, and again
keep() {
	for member in a b; do
		rm -rf "${member:?}/$1"
		cp -r "$member/real/tokens" "$member/$1"
	done
}

put_back() {
	for member in a b; do
		rm -rf "$member/real/tokens"
		cp -r "$member/$1" "$member/real/tokens"
	done
}

# Everything is as before, or done.
is_whole() {
	had=False
	[ "$1" = install ] || had=True
	status_says "all[0]['present'] == all[1]['present'] >= $had and all[0]['same'] == all[1]['same'] \
		and not any(x['finding'] for x in all if x['present'])"
}

# ends_well VERB: the command once more, or a rotation, ends it
ends_well() {
	patiently with_so "$1" >again 2>&1 || is_whole "$1" || patiently with_so rotate >again 2>&1 || return 1
	patiently kek status && nothing_is_left a && nothing_is_left b
}

# is_right VERB CODE ACTION: after the command ended so
is_right() {
	if [ "$3" = kill ]; then
		ends_well "$1"
	elif [ "$2" -eq 0 ]; then
		patiently kek status && nothing_is_left a && nothing_is_left b
	else
		is_whole "$1" || ends_well "$1"
	fi
}

# In the suite every thirteenth call, beginning elsewhere for each way to fail; HSMUX_TEST_WHOLE=1: each,
# with HSMUX_TEST_STEP=N every Nth.
step=13
[ -z "${HSMUX_TEST_WHOLE:-}" ] || step=${HSMUX_TEST_STEP:-1}

# cut VERB MEMBER ACTION: at calls of the member
cut() {
	start=$((${#3} % step))
	put_back "before-$1"
	rm -f "$2/stats"
	with_so "$1" >first 2>&1
	last=$(all_counted "$2")
	[ "$last" -gt 60 ]
	call=$((start - step + 1))
	: >again
	while [ "$((call + step))" -le "$last" ]; do
		call=$((call + step))
		put_back "before-$1"
		plan "$2" "* nth $call $3"
		code=0
		with_so "$1" >first 2>&1 || code=$?
		plan "$2"
		is_right "$1" $code "$3" && continue
		echo "cut at call $call of $last: $code"
		cat first again
		return 1
	done
}

is_away() {
	plan a 'state gone CKR_DEVICE_REMOVED'
	exits 3 with_so "$1"
	exits 3 kek status
	plan a
}

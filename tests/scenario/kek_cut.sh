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
virtual failover a b

# keep NAME, put_back NAME: the tokens as they are now, and again
keep() {
	for member in a b; do
		rm -rf "$member/$1"
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

# cut VERB MEMBER ACTION: at each call of the member
cut() {
	put_back "before-$1"
	rm -f "$2/stats"
	with_so "$1" >output 2>&1
	last=$(all_counted "$2")
	[ "$last" -gt 60 ]
	call=0
	finished=0
	while [ "$call" -lt "$last" ]; do
		call=$((call + 1))
		put_back "before-$1"
		plan "$2" "* nth $call $3"
		code=0
		with_so "$1" >output 2>&1 || code=$?
		plan "$2"
		if [ $code -eq 0 ]; then
			exits 0 kek status || { echo "call $call: done, and not good"; cat output; return 1; }
			nothing_is_left a && nothing_is_left b || { echo "call $call"; return 1; }
			continue
		fi
		is_whole "$1" && continue
		finished=$((finished + 1))
		with_so "$1" >again 2>&1 || with_so rotate >again 2>&1 || { echo "call $call"; cat output again; return 1; }
		exits 0 kek status || { echo "call $call: not good"; cat output again; return 1; }
	done
	echo "$last calls, $finished times in between"
}

is_away() {
	plan a 'state gone CKR_DEVICE_REMOVED'
	exits 3 with_so "$1"
	exits 3 kek status
	plan a
}
